//! Subscribers, and what they hear.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::{Semaphore, oneshot},
    task::JoinSet,
};
use tonic::{
    Request, Status,
    client::Grpc,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    codegen::http::uri::PathAndQuery,
    transport::{Channel, Endpoint},
};

use super::{
    heard::{Heard, Own},
    webhook::event_in,
};
use crate::Result;

/// Streams of one gRPC connection. The service allows a thousand.
pub(crate) const STREAMS_PER_CONNECTION: usize = 500;
/// How many subscribers connect at once.
const CONNECTING: usize = 64;
const WINDOW_BYTES: u32 = 4 << 20;
const SUBSCRIBES_WITHIN: Duration = Duration::from_secs(30);
/// How long, and how often, a subscriber that is refused comes again.
const REFUSALS_WITHIN: Duration = Duration::from_secs(10);
const REFUSED_PAUSE: Duration = Duration::from_millis(100);

/// Where and how to subscribe.
#[derive(Debug, Clone)]
pub(crate) enum Door {
    /// A server stream: its path, and the encoded request.
    Grpc(SocketAddr, &'static str, Bytes),
    /// Server-sent events: the path.
    Events(SocketAddr, String),
}

/// Subscribers; they leave when dropped.
pub(crate) struct Listeners {
    pub(crate) heard: Arc<Heard>,
    tasks: JoinSet<()>,
}

impl Listeners {
    /// Nobody yet.
    pub(crate) fn none() -> Result<Self> {
        Ok(Self {
            heard: Arc::new(Heard::new()?),
            tasks: JoinSet::new(),
        })
    }

    /// So many at a door.
    pub(crate) async fn at(door: &Door, count: usize) -> Result<Self> {
        let mut listeners = Self::none()?;
        listeners.join(door, count).await?;
        Ok(listeners)
    }

    /// Adds some, and waits until each of them hears what is posted from now on.
    pub(crate) async fn join(&mut self, door: &Door, count: usize) -> Result<()> {
        let mut channels = Vec::new();
        if let Door::Grpc(address, ..) = door {
            for _ in 0..count.div_ceil(STREAMS_PER_CONNECTION) {
                channels.push(connect(*address).await?);
            }
        }
        let connecting = Arc::new(Semaphore::new(CONNECTING));
        let mut joined = JoinSet::new();
        for subscriber in 0..count {
            let (told, joins) = oneshot::channel();
            let heard = Arc::clone(&self.heard);
            let own = heard.own();
            let connecting = Arc::clone(&connecting);
            match door.clone() {
                Door::Grpc(_, path, request) => {
                    let channel = channels[subscriber / STREAMS_PER_CONNECTION].clone();
                    self.tasks.spawn(async move {
                        let permit = connecting.acquire_owned().await;
                        let followed =
                            follow(channel, path, request, &heard, (subscriber, &own), |outcome| {
                                drop(permit);
                                let _ = told.send(outcome);
                            });
                        if let Err(error) = followed.await {
                            heard.note_break(&error);
                        }
                    });
                }
                Door::Events(address, path) => {
                    self.tasks.spawn(async move {
                        let permit = connecting.acquire_owned().await;
                        let followed = follow_events(address, &path, &heard, (subscriber, &own), |outcome| {
                            drop(permit);
                            let _ = told.send(outcome);
                        });
                        if let Err(error) = followed.await {
                            heard.note_break(&error);
                        }
                    });
                }
            }
            joined.spawn(tokio::time::timeout(SUBSCRIBES_WITHIN, joins));
        }
        while let Some(outcome) = joined.join_next().await {
            let told = outcome?.map_err(|_| "a subscriber was not let in in time")?;
            if told.is_err() {
                self.heard.whole()?;
            }
            told?;
        }
        Ok(())
    }
}

async fn connect(address: SocketAddr) -> Result<Channel> {
    Ok(Endpoint::from_shared(format!("http://{address}"))?
        .tcp_nodelay(true)
        .initial_stream_window_size(WINDOW_BYTES)
        .initial_connection_window_size(WINDOW_BYTES)
        .connect()
        .await?)
}

/// Hears a gRPC stream to its end. `joined` is called with the first response, which tells that the subscription holds.
async fn follow(
    channel: Channel,
    path: &'static str,
    request: Bytes,
    heard: &Heard,
    subscriber: (usize, &Own),
    joined: impl FnOnce(()),
) -> Result<()> {
    let mut grpc = Grpc::new(channel);
    grpc.ready().await?;
    let path = PathAndQuery::from_static(path);
    let mut stream = grpc
        .server_streaming(Request::new(request), path, Raw)
        .await?
        .into_inner();
    let mut joined = Some(joined);
    while let Some(message) = stream.message().await? {
        if let Some(event) = event_in(&message) {
            heard.hear(event, message.len(), subscriber);
        }
        if let Some(joined) = joined.take() {
            joined(());
        }
    }
    Err("the server ended it".into())
}

/// Hears server-sent events until the connection ends. `joined` is called with the head of the answer.
async fn follow_events(
    address: SocketAddr,
    path: &str,
    heard: &Heard,
    subscriber: (usize, &Own),
    joined: impl FnOnce(()),
) -> Result<()> {
    let begun = Instant::now();
    let (mut stream, mut buffer) = loop {
        match open_events(address, path).await {
            Ok(opened) => break opened,
            // Nchan refuses while a worker is not connected to Redis, and may lose that connection when much happens at once.
            Err(error) if begun.elapsed() > REFUSALS_WITHIN => return Err(error),
            Err(_) => tokio::time::sleep(REFUSED_PAUSE).await,
        }
    };
    joined(());
    loop {
        // An event ends with an empty line.
        while let Some(at) = memchr::memmem::find(&buffer, b"\n\n") {
            let message = buffer.split_to(at + 2);
            if let Some(event) = event_in(&message) {
                heard.hear(event, message.len(), subscriber);
            }
        }
        if stream.read_buf(&mut buffer).await? == 0 {
            return Err("the server ended it".into());
        }
    }
}

/// Asks for events, and answers the connection and what was read behind the head of the answer.
async fn open_events(address: SocketAddr, path: &str) -> Result<(TcpStream, BytesMut)> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: bench\r\nAccept: text/event-stream\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut buffer = BytesMut::with_capacity(2048);
    while stream.read_buf(&mut buffer).await? > 0 {
        if let Some(at) = memchr::memmem::find(&buffer, b"\r\n\r\n") {
            let head = buffer.split_to(at + 4);
            if head.starts_with(b"HTTP/1.1 200") {
                return Ok((stream, buffer));
            }
            let head = String::from_utf8_lossy(&head);
            return Err(head.lines().next().unwrap_or_default().to_owned().into());
        }
    }
    Err("the connection was closed before the answer".into())
}

/// Messages as they are.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, message: Bytes, to: &mut EncodeBuf<'_>) -> std::result::Result<(), Status> {
        to.put(message);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> std::result::Result<Option<Bytes>, Status> {
        Ok(Some(from.copy_to_bytes(from.remaining())))
    }
}
