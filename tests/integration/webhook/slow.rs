//! Senders that are slow, and what the others notice of them: a service of its own, with its real limits.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::{
    io::AsyncWriteExt as _,
    net::{TcpSocket, TcpStream},
    task::JoinSet,
};

use crate::support::{
    service::{Service, eventually},
    vendor::{TENANT, Vendor},
};

const SLOW: usize = 500;
/// After how long one that was cut off comes again: not at once, since it is the service that is measured, and it shares this
/// machine with all of them.
const AGAIN_AFTER: Duration = Duration::from_millis(500);
/// How many webhooks are measured.
const GOOD: usize = 200;

async fn serve(vendor: &Vendor, settings: &[(&str, &str)]) -> Service {
    let url = vendor.server.uri();
    let mut all = vec![
        ("gateway_url", url.as_str()),
        ("tenant", TENANT),
        ("api_key", "k3y"),
        ("redis_url", "memory:"),
    ];
    all.extend_from_slice(settings);
    Service::start(&all).await
}

/// Connects from an address of its own: there are fifty of ten slow senders each, and none is that of the good ones.
async fn connect(source: u8, address: &str) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::from(([127, 0, 1, source], 0)))?;
    socket.connect(address.parse().unwrap()).await
}

/// Sends a signed head at once and its body a byte at a time, on one connection after another.
async fn drip(
    vendor: Arc<Vendor>,
    source: u8,
    address: String,
    first: usize,
    stop: Arc<AtomicBool>,
    opened: Arc<AtomicUsize>,
) {
    let mut webhook = vendor.message("slow", "slow");
    webhook.body += &" ".repeat(first + 1000);
    let bytes = vendor.signed(&webhook).wire("/webhooks/8x8");
    while !stop.load(Ordering::Relaxed) {
        let Ok(mut stream) = connect(source, &address).await else {
            tokio::time::sleep(AGAIN_AFTER).await;
            continue;
        };
        let (begun, rest) = bytes.split_at(bytes.len() - 1000);
        if stream.write_all(begun).await.is_err() {
            tokio::time::sleep(AGAIN_AFTER).await;
            continue;
        }
        opened.fetch_add(1, Ordering::Relaxed);
        for byte in rest.chunks(1) {
            tokio::time::sleep(Duration::from_millis(200)).await;
            if stop.load(Ordering::Relaxed) || stream.write_all(byte).await.is_err() {
                break;
            }
        }
        tokio::time::sleep(AGAIN_AFTER).await;
    }
}

/// How long good webhooks take, each on a connection of its own; the longest but a few.
async fn measure(vendor: &Vendor, service: &Service) -> Duration {
    let http = reqwest::Client::builder()
        .pool_max_idle_per_host(0)
        .build()
        .unwrap();
    let url = format!("http://{}/webhooks/8x8", service.webhook);
    let mut took = Vec::new();
    for _ in 0..GOOD {
        let signed = vendor.signed(&vendor.message("good", "hello"));
        let begun = Instant::now();
        assert_eq!(signed.post(&http, &url).await.expect("it is not cut off"), 204);
        took.push(begun.elapsed());
    }
    took.sort_unstable();
    took[GOOD * 95 / 100]
}

/// Measures without and with slow senders, of whom each has sent so much of its body before it dawdles.
async fn compare(settings: &[(&str, &str)], first: usize) -> (Service, usize) {
    let vendor = Arc::new(Vendor::start().await);
    let service = serve(&vendor, settings).await;
    measure(&vendor, &service).await;
    let before = measure(&vendor, &service).await;
    let (stop, opened) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let mut slow = JoinSet::new();
    for n in 0..SLOW {
        let (source, address) = (u8::try_from(n % 50).unwrap() + 1, service.webhook.clone());
        slow.spawn(drip(
            vendor.clone(),
            source,
            address,
            first,
            stop.clone(),
            opened.clone(),
        ));
    }
    eventually("all the slow ones dawdle", async || {
        (opened.load(Ordering::Relaxed) >= SLOW).then_some(())
    })
    .await;
    let during = measure(&vendor, &service).await;
    stop.store(true, Ordering::Relaxed);
    slow.join_all().await;
    // The slow ones keep this machine busy too, so there is a floor to what is compared.
    let bearable = before.max(Duration::from_millis(5)) * 10;
    assert!(
        during <= bearable,
        "{during:?} with the slow ones, {before:?} without"
    );
    let accepted = service
        .metric(r#"chatbridge_webhooks_total{result="accepted"}"#)
        .await;
    assert!(accepted >= 3.0 * GOOD as f64, "{accepted}");
    (service, opened.load(Ordering::Relaxed))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_hundred_slow_bodies_do_not_delay_good_webhooks() {
    let (service, opened) = compare(&[], 0).await;
    assert_eq!(opened, SLOW, "there is room for all of them");
    assert_eq!(
        service
            .metric(r#"chatbridge_webhooks_total{result="crowded"}"#)
            .await,
        0.0
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_slow_take_no_places_from_the_good() {
    let (service, _) = compare(&[("webhook_connections_max", "100")], 0).await;
    assert!(
        service
            .metric(r#"chatbridge_webhooks_total{result="crowded"}"#)
            .await
            >= 400.0
    );
    assert_eq!(
        service
            .metric("chatbridge_webhook_connections_refused_total")
            .await,
        0.0
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_slow_take_no_memory_from_the_good() {
    // Room for some thirty of the five hundred bodies.
    let settings = [
        ("webhook_buffer_bytes", "1048576"),
        ("webhook_max_bytes", "65536"),
    ];
    let (service, _) = compare(&settings, 32 << 10).await;
    assert!(
        service
            .metric(r#"chatbridge_webhooks_total{result="crowded"}"#)
            .await
            >= 400.0
    );
    let (_, most) = service.memory();
    assert!(most < 256 << 20, "{most} bytes");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_refused_leaves_no_memory_behind() {
    let vendor = Arc::new(Vendor::start().await);
    let service = serve(&vendor, &[]).await;
    let http = reqwest::Client::new();
    let url = format!("http://{}/webhooks/8x8", service.webhook);
    let large = vendor.event(
        "large",
        "MESSAGE",
        &serde_json::json!({ "text": "x".repeat(1 << 20) }),
    );
    let unknown = |n: usize| {
        let mut signed = vendor.signed(&vendor.message("c1", "hello"));
        let kid = format!(r#"{{"b64":false,"crit":["b64"],"kid":"made-up-{n}","alg":"RS256"}}"#);
        let kid = base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, kid);
        signed.headers[5].1 = format!("{kid}..AAAA");
        signed
    };
    let round = async |from: usize| {
        for n in from..from + 300 {
            let mut forged = vendor.signed(&vendor.message("c1", "hello"));
            forged.headers[2].1 = format!("event-{n}");
            assert_eq!(forged.post(&http, &url).await.unwrap(), 401);
            let status = unknown(n).post(&http, &url).await.unwrap();
            assert!(status == 401 || status == 503, "{status}");
            let mut stranger = vendor.signed(&vendor.message("c1", "hello"));
            stranger.headers[0].1 = format!("tenant-{n}");
            assert_eq!(stranger.post(&http, &url).await.unwrap(), 403);
            if n % 10 == 0 {
                // It may be cut off before it is all sent.
                if let Ok(status) = vendor.signed(&large).post(&http, &url).await {
                    assert_eq!(status, 413);
                }
                let mut raw = TcpStream::connect(&service.webhook).await.unwrap();
                let _ = raw.write_all(&[b'x'; 20_000]).await;
            }
        }
    };
    round(0).await;
    round(300).await;
    let (before, _) = service.memory();
    for n in 2..8 {
        round(n * 300).await;
    }
    let (after, _) = service.memory();
    assert!(after < before + (8 << 20), "{before} bytes have become {after}");
    assert_eq!(
        service
            .metric(r#"chatbridge_webhooks_total{result="accepted"}"#)
            .await,
        0.0
    );
}
