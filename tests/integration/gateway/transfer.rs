//! Files up and down, against servers that do as they please.

mod download;
mod upload;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use chatbridge::gateway::{Gateway, GatewaySettings, Resilience};
use futures_util::{Stream, stream};
use url::Url;

use super::KEY;

const MIB: usize = 1024 * 1024;
/// What the buffers of the transport may hold in all, both ends together: far less than the file.
const BUFFERS: usize = 24 * MIB;

/// How long nothing may move, where a test waits for that.
const SHORT: Duration = Duration::from_millis(500);

fn gateway(base: &str) -> Gateway {
    gateway_with(base, Duration::from_secs(20), Duration::from_secs(60))
}

fn impatient(base: &str) -> Gateway {
    gateway_with(base, SHORT, Duration::from_secs(60))
}

/// Repeats what may be repeated, and lets one request at a time through.
fn gateway_with(base: &str, timeout: Duration, transfer_timeout: Duration) -> Gateway {
    Gateway::new(GatewaySettings {
        base_url: Url::parse(base).unwrap(),
        api_key: KEY.to_owned().into(),
        timeout,
        connect_timeout: Duration::from_secs(10),
        transfer_timeout,
        resilience: Resilience {
            attempts: 3,
            rate_per_second: None,
            in_flight: 1,
            circuit_open: Duration::ZERO,
        },
    })
    .unwrap()
}

/// Bytes that come in chunks of a size, and how many were taken.
fn counted(size: usize, chunk: usize) -> (impl Stream<Item = Result<Bytes, String>>, Arc<AtomicUsize>) {
    let taken = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&taken);
    let chunks = stream::unfold(0, move |at| {
        let size = chunk.min(size - at);
        count.fetch_add(size, Ordering::SeqCst);
        let chunk = Bytes::from(vec![(at / chunk) as u8; size]);
        std::future::ready((size > 0).then(|| (Ok(chunk), at + size)))
    });
    (chunks, taken)
}

/// Waits until a count no longer grows, and answers it.
async fn settled(count: impl Fn() -> usize) -> usize {
    let mut last = usize::MAX;
    let mut same = 0;
    while same < 10 {
        tokio::time::sleep(Duration::from_millis(50)).await;
        let now = count();
        same = if now == last { same + 1 } else { 0 };
        last = now;
    }
    last
}
