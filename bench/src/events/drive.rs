//! The driver: plain HTTP/1.1 over connections that stay open, the same for all that is measured.

use std::{
    io::{ErrorKind, Write as _},
    net::SocketAddr,
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::{Buf as _, BytesMut};
use hdrhistogram::Histogram;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::JoinSet,
};

use super::{
    heard::{Heard, LONGEST_NS, nanos},
    webhook::Batch,
};
use crate::Result;

/// Connections of an open loop: enough that one is hardly ever used again before it was answered.
const OPEN_LOOP_CONNECTIONS: usize = 64;
/// How long the last answers may take.
const ANSWERS_WITHIN: Duration = Duration::from_secs(20);

/// How long a closed loop goes on.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Until {
    /// For so long; a range that is used up before is an error, since the rest of the time would count as idle.
    After(Duration),
    /// To the end of the range, which may take so long.
    AllPosted(Duration),
}

/// What a closed loop did.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Closed {
    /// How many requests were accepted.
    pub(crate) accepted: usize,
    /// How many of them a second.
    pub(crate) per_second: f64,
}

/// Posts requests of a batch, so many in flight, until it is over. Any answer but a 2xx is an error.
pub(crate) async fn closed_loop(
    addresses: &[SocketAddr],
    batch: &Arc<Batch>,
    range: Range<usize>,
    in_flight: usize,
    until: Until,
) -> Result<Closed> {
    let (Until::After(time) | Until::AllPosted(time)) = until;
    let mut connections = Vec::new();
    for i in 0..in_flight {
        connections.push(Connection::open(addresses[i % addresses.len()]).await?);
    }
    let next = Arc::new(AtomicUsize::new(range.start));
    let begun = Instant::now();
    let mut workers = JoinSet::new();
    for mut connection in connections {
        let (next, batch) = (Arc::clone(&next), Arc::clone(batch));
        workers.spawn(async move {
            let mut accepted = 0;
            while begun.elapsed() < time {
                let i = next.fetch_add(1, Ordering::Relaxed);
                if i >= range.end {
                    break;
                }
                connection.post(batch.get(i)).await?;
                accepted += 1;
            }
            Result::Ok(accepted)
        });
    }
    let mut accepted = 0;
    while let Some(done) = workers.join_next().await {
        accepted += done??;
    }
    let took = begun.elapsed();
    let over = next.load(Ordering::Relaxed) >= range.end;
    match until {
        Until::After(time) if over => Err(format!(
            "all {} events were taken in {took:.1?}, before the {time:.1?} that were to be measured: it needs more of them",
            range.len()
        )
        .into()),
        Until::AllPosted(time) if !over => Err(format!("not all events were taken in {time:?}").into()),
        _ => Ok(Closed {
            accepted,
            per_second: accepted as f64 / took.as_secs_f64(),
        }),
    }
}

/// One connection.
struct Connection {
    stream: TcpStream,
    buffer: BytesMut,
}

impl Connection {
    async fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            buffer: BytesMut::with_capacity(4096),
        })
    }

    async fn post(&mut self, request: &[u8]) -> Result<()> {
        self.stream.write_all(request).await?;
        loop {
            if take_answer(&mut self.buffer)? {
                return Ok(());
            }
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err("the connection was closed before the answer".into());
            }
        }
    }
}

/// Takes one answer from what was read; `false` where it is not there as a whole yet.
fn take_answer(buffer: &mut BytesMut) -> Result<bool> {
    let Some(head) = memchr::memmem::find(buffer, b"\r\n\r\n") else {
        return Ok(false);
    };
    let text = std::str::from_utf8(&buffer[..head])?;
    let status = text.get(9..12).unwrap_or_default();
    if !status.starts_with('2') {
        return Err(format!(
            "an event was refused: {}",
            text.lines().next().unwrap_or_default()
        )
        .into());
    }
    let header = |wanted: &str| {
        let mut lines = text.lines().filter_map(|line| line.split_once(':'));
        lines.find_map(|(name, value)| name.eq_ignore_ascii_case(wanted).then_some(value.trim()))
    };
    let body = &buffer[head + 4..];
    let length = if header("transfer-encoding").is_some() {
        match memchr::memmem::find(body, b"0\r\n\r\n") {
            Some(end) => end + 5,
            None => return Ok(false),
        }
    } else {
        header("content-length").map_or(Ok(0), str::parse)?
    };
    if body.len() < length {
        return Ok(false);
    }
    buffer.advance(head + 4 + length);
    Ok(true)
}

/// Posts requests at a rate, each at its time whether or not those before were answered, and tells `heard` which times those
/// are. A request that goes out late counts from when it should have gone out. Answers how late they went out, in nanoseconds.
pub(crate) async fn open_loop(
    address: SocketAddr,
    batch: &Arc<Batch>,
    range: Range<usize>,
    per_second: f64,
    heard: &Heard,
) -> Result<Histogram<u64>> {
    let mut writers = Vec::new();
    let mut readers = JoinSet::new();
    let connections = OPEN_LOOP_CONNECTIONS.min(range.len());
    for i in 0..connections {
        let writer = Connection::open(address).await?.stream.into_std()?;
        let reader = TcpStream::from_std(writer.try_clone()?)?;
        let expected = range.len() / connections + usize::from(i < range.len() % connections);
        readers.spawn(answers(reader, expected));
        writers.push(writer);
    }
    let interval = Duration::from_secs_f64(1.0 / per_second);
    let start = Instant::now() + Duration::from_millis(20);
    heard.expect(batch.first + range.start as u64, start, interval);
    let batch = Arc::clone(batch);
    // On a thread of its own: the runtime's timers are a millisecond apart.
    let pacer = tokio::task::spawn_blocking(move || pace(&mut writers, &batch, range, start, interval));
    let late = pacer.await??;
    let done = async {
        while let Some(done) = readers.join_next().await {
            done??;
        }
        Result::Ok(())
    };
    tokio::time::timeout(ANSWERS_WITHIN, done)
        .await
        .map_err(|_| "not all events were answered")??;
    Ok(late)
}

fn pace(
    writers: &mut [std::net::TcpStream],
    batch: &Batch,
    range: Range<usize>,
    start: Instant,
    interval: Duration,
) -> Result<Histogram<u64>> {
    let mut late = Histogram::new_with_max(LONGEST_NS, 3)?;
    for (n, i) in range.enumerate() {
        let due = start + interval.mul_f64(n as f64);
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        late.saturating_record(nanos(due.elapsed()));
        let writer = n % writers.len();
        let mut rest = batch.get(i);
        while !rest.is_empty() {
            match writers[writer].write(rest) {
                Ok(written) => rest = &rest[written..],
                Err(error) if error.kind() == ErrorKind::WouldBlock => std::thread::yield_now(),
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(late)
}

async fn answers(mut reader: TcpStream, expected: usize) -> Result<()> {
    let mut buffer = BytesMut::with_capacity(4096);
    for _ in 0..expected {
        while !take_answer(&mut buffer)? {
            if reader.read_buf(&mut buffer).await? == 0 {
                return Err("the connection was closed before the answer".into());
            }
        }
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn answers_are_taken_one_by_one() {
        let whole =
            b"HTTP/1.1 204 No Content\r\nx: y\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 3\r\n\r\nabc\
            HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n";
        let mut buffer = BytesMut::new();
        let mut taken = 0;
        for byte in whole {
            buffer.extend_from_slice(&[*byte]);
            taken += usize::from(take_answer(&mut buffer).unwrap());
        }
        assert_eq!((taken, buffer.len()), (3, 0));
        let mut refused = BytesMut::from(&b"HTTP/1.1 503 Service Unavailable\r\n\r\n"[..]);
        take_answer(&mut refused).unwrap_err();
    }
}
