//! A TCP proxy that does to connections what networks do.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::{mpsc, watch},
    task::JoinHandle,
    time::{Instant, sleep, sleep_until},
};

use crate::Result;

/// Pieces that wait in one direction at most, so that a dark or slow link pushes back as a real one does.
const PIECES: usize = 64;
const PIECE_BYTES: usize = 16 * 1024;

/// How a link behaves.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Weather {
    /// It passes everything on.
    Clear,
    /// Connections are reset, new ones too.
    Cut,
    /// Connections open and stay, and nothing passes: no reset, no end. What was sent passes once it is clear again.
    Dark,
    /// Everything takes this long in each direction, and no more than so many bytes pass in a second.
    Slow { latency: Duration, bytes_per_s: u32 },
}

/// What both ends of the control share with the connections.
struct Shared {
    target: Mutex<SocketAddr>,
    weather: watch::Sender<Weather>,
    /// What a connection adds to each piece for its client once it has turned into one of Redis's replication.
    replication_lag: Mutex<Duration>,
    /// Nothing passes on connections of other Redis servers and of Sentinels.
    peers_parted: watch::Sender<bool>,
}

/// A proxy in front of one address, which ends when this is dropped.
pub struct Link {
    address: SocketAddr,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

impl Link {
    /// Opens one on a free loopback port.
    pub async fn open(target: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            target: Mutex::new(target),
            weather: watch::Sender::new(Weather::Clear),
            replication_lag: Mutex::new(Duration::ZERO),
            peers_parted: watch::Sender::new(false),
        });
        let own = Arc::clone(&shared);
        let task = tokio::spawn(async move {
            // Connections end with the task that accepts them.
            let mut connections = tokio::task::JoinSet::new();
            loop {
                tokio::select! {
                    accepted = listener.accept() => if let Ok((stream, _)) = accepted {
                        connections.spawn(connection(stream, Arc::clone(&own)));
                    },
                    Some(_) = connections.join_next() => {}
                }
            }
        });
        Ok(Self {
            address,
            shared,
            task,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on, new connections lead there.
    pub fn lead_to(&self, target: SocketAddr) {
        *self.shared.target.lock().unwrap_or_else(PoisonError::into_inner) = target;
    }

    /// Changes how it behaves, for connections that are open as well.
    pub fn set(&self, weather: Weather) {
        self.shared.weather.send_replace(weather);
    }

    /// Delays what a Redis behind it sends to its replicas, and nothing else: a replica that is far away.
    pub fn lag_replication(&self, lag: Duration) {
        *self
            .shared
            .replication_lag
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = lag;
    }
}

impl Link {
    /// Parts a Redis behind it from its replicas and Sentinels, and from nobody else: to them the link is dark.
    pub fn part_from_peers(&self, parted: bool) {
        self.shared.peers_parted.send_replace(parted);
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn connection(mut client: TcpStream, shared: Arc<Shared>) {
    let mut weather = shared.weather.subscribe();
    let cut = async |weather: &mut watch::Receiver<Weather>| {
        let _ = weather.wait_for(|w| *w == Weather::Cut).await;
    };
    let target = *shared.target.lock().unwrap_or_else(PoisonError::into_inner);
    let mut upstream = None;
    let open = async {
        passable(&mut shared.weather.subscribe()).await;
        let stream = TcpStream::connect(target).await.ok()?;
        stream.set_nodelay(true).ok()?;
        Some(stream)
    };
    tokio::select! {
        () = cut(&mut weather) => {}
        stream = open => upstream = stream,
    }
    let Some(mut upstream) = upstream else {
        // Nobody listens there, or the link is cut.
        let _ = client.set_zero_linger();
        return;
    };
    let _ = client.set_nodelay(true);
    let (replicates, peer) = (AtomicBool::new(false), AtomicBool::new(false));
    let broken = {
        let (from_client, to_client) = client.split();
        let (from_upstream, to_upstream) = upstream.split();
        let there = pump(from_client, to_upstream, &shared, &peer, |bytes| {
            // A replica says so, once, at the beginning; so does a Sentinel, in the name of its connection.
            if says(bytes, b"PSYNC") {
                replicates.store(true, Ordering::Relaxed);
                peer.store(true, Ordering::Relaxed);
            } else if says(bytes, b"sentinel-") {
                peer.store(true, Ordering::Relaxed);
            }
            Duration::ZERO
        });
        let back = pump(from_upstream, to_client, &shared, &peer, |_| {
            if replicates.load(Ordering::Relaxed) {
                *shared
                    .replication_lag
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
            } else {
                Duration::ZERO
            }
        });
        tokio::select! {
            () = cut(&mut weather) => true,
            // A reset on one side is one on the other. An orderly end passes in its own direction only.
            ends = async { tokio::try_join!(there, back) } => ends.is_err(),
        }
    };
    if broken {
        let _ = client.set_zero_linger();
        let _ = upstream.set_zero_linger();
    }
}

fn says(bytes: &[u8], word: &[u8]) -> bool {
    let mut windows = bytes.windows(word.len());
    windows.any(|window| window.eq_ignore_ascii_case(word))
}

/// Waits until the link lets anything through.
async fn passable(weather: &mut watch::Receiver<Weather>) {
    let _ = weather
        .wait_for(|w| !matches!(w, Weather::Dark | Weather::Cut))
        .await;
}

/// Passes on one direction until its orderly end; `extra` says how much longer than the weather a piece takes.
async fn pump(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    shared: &Shared,
    peer: &AtomicBool,
    extra: impl Fn(&[u8]) -> Duration,
) -> std::io::Result<()> {
    let (pieces, mut waiting) = mpsc::channel::<(Instant, Vec<u8>)>(PIECES);
    let read = async {
        let mut piece = vec![0; PIECE_BYTES];
        loop {
            let count = from.read(&mut piece).await?;
            let latency = match *shared.weather.borrow() {
                Weather::Slow { latency, .. } => latency,
                _ => Duration::ZERO,
            };
            let due = Instant::now() + latency + extra(&piece[..count]);
            // The writer is gone only where this whole direction is.
            let _ = pieces.send((due, piece[..count].to_vec())).await;
            if count == 0 {
                return Ok::<(), std::io::Error>(());
            }
        }
    };
    let write = async {
        let mut weather = shared.weather.subscribe();
        while let Some((due, piece)) = waiting.recv().await {
            sleep_until(due).await;
            passable(&mut weather).await;
            if peer.load(Ordering::Relaxed) {
                let _ = shared.peers_parted.subscribe().wait_for(|parted| !parted).await;
            }
            if piece.is_empty() {
                break;
            }
            let state = *weather.borrow();
            if let Weather::Slow { bytes_per_s, .. } = state {
                sleep(Duration::from_secs_f64(
                    piece.len() as f64 / f64::from(bytes_per_s),
                ))
                .await;
            }
            to.write_all(&piece).await?;
        }
        to.shutdown().await
    };
    tokio::try_join!(read, write).map(drop)
}
