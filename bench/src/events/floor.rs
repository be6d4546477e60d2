//! The floor: the least that takes a signed webhook and brings it to a gRPC stream by way of Redis. It checks the signature, and
//! keeps no order, no session and no index; it knows repeats no more than where a stream has been.

use std::{
    convert::Infallible,
    path::Path,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task,
};

use aws_lc_rs::{
    rsa::PublicKeyComponents,
    signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256},
};
use axum::{
    Router,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::post,
    serve::ListenerExt as _,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, stream};
use redis::{AsyncConnectionConfig, Client, IntoConnectionInfo as _, aio::MultiplexedConnection, cmd};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::broadcast};
use tonic::{
    Request, Response, Status,
    codegen::{Body, BoxFuture, Service, StdError, http},
    server::{Grpc, NamedService, ServerStreamingService},
    transport::{Server, server::TcpIncoming},
};

use super::{
    listen::Raw,
    webhook::{mark, payload},
};
use crate::Result;

/// The path of its stream.
pub(crate) const LISTEN: &str = "/bench.Floor/Listen";
const LOG: &str = "log";
/// Events that may wait for a stream before the stream is broken.
const QUEUE: usize = 65_536;

/// Serves until it is killed.
pub(crate) async fn serve(ready: &str, redis: &str, jwk: &str) -> Result<()> {
    let jwk: Value = serde_json::from_str(jwk)?;
    let number = |name: &str| URL_SAFE_NO_PAD.decode(jwk[name].as_str().unwrap_or_default());
    let key = PublicKeyComponents {
        n: number("n")?,
        e: number("e")?,
    };
    let info = redis.into_connection_info()?;
    let tcp = info.tcp_settings().clone().set_nodelay(true);
    let client = Client::open(info.set_tcp_settings(tcp))?;
    let (events, _) = broadcast::channel(QUEUE);
    let blocking = AsyncConnectionConfig::new().set_response_timeout(None);
    let reader = client
        .get_multiplexed_async_connection_with_config(&blocking)
        .await?;
    let door = Door {
        key: key
            .to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256)
            .map_err(|_| "the key cannot be used")?,
        redis: client.get_multiplexed_async_connection().await?,
    };
    let app = Router::new()
        .route("/webhooks/8x8", post(take))
        .with_state(Arc::new(door));
    let webhooks = TcpListener::bind("127.0.0.1:0").await?;
    let grpc = TcpListener::bind("127.0.0.1:0").await?;
    let addresses = json!({ "webhook": webhooks.local_addr()?, "grpc": grpc.local_addr()? });
    write_ready(Path::new(ready), &addresses)?;
    let webhooks = webhooks.tap_io(|stream| {
        // Where it fails the connection is gone.
        let _ = stream.set_nodelay(true);
    });
    let streams = Server::builder()
        .add_service(Floor {
            events: events.clone(),
            ready: Arc::default(),
        })
        .serve_with_incoming(TcpIncoming::from(grpc).with_nodelay(Some(true)));
    tokio::select! {
        served = axum::serve(webhooks, app) => served?,
        served = streams => served?,
        read = read(reader, events) => read?,
    }
    Ok(())
}

/// Tells the addresses, whole or not at all.
pub(crate) fn write_ready(ready: &Path, addresses: &Value) -> Result<()> {
    let part = ready.with_extension("part");
    std::fs::write(&part, addresses.to_string())?;
    Ok(std::fs::rename(part, ready)?)
}

/// Asks for so many messages of so many bytes instead of the events that come: what a bare stream takes to replay.
pub(crate) fn replay(messages: u64, bytes: u64) -> Bytes {
    [messages.to_be_bytes(), bytes.to_be_bytes()].concat().into()
}

/// Such messages: each the number of an event, filled up to its size.
fn messages(request: &[u8]) -> Option<Vec<Bytes>> {
    let (count, bytes) = request.split_first_chunk::<8>()?;
    let bytes = usize::try_from(u64::from_be_bytes(*bytes.first_chunk()?)).ok()?;
    let filler = "x".repeat(bytes.saturating_sub(mark(0).len()));
    let numbers = 0..u64::from_be_bytes(*count);
    Some(numbers.map(|n| Bytes::from(mark(n) + &filler)).collect())
}

struct Door {
    key: ParsedPublicKey,
    redis: MultiplexedConnection,
}

async fn take(State(door): State<Arc<Door>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    if !door.is_signed(&headers, &body).unwrap_or(false) {
        return StatusCode::UNAUTHORIZED;
    }
    let mut add = cmd("XADD");
    add.arg(LOG).arg("*").arg("b").arg(body.as_ref());
    match add.exec_async(&mut door.redis.clone()).await {
        Ok(()) => StatusCode::NO_CONTENT,
        Err(_) => StatusCode::SERVICE_UNAVAILABLE,
    }
}

impl Door {
    fn is_signed(&self, headers: &HeaderMap, body: &[u8]) -> Option<bool> {
        let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let (protected, signature) = header("x-8x8-signature")?.split_once("..")?;
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        let payload = payload(
            crc32fast::hash(body),
            header("x-8x8-customer-id")?,
            header("x-8x8-event-id")?,
            header("x-8x8-retry")?.parse().ok()?,
            header("x-8x8-tenant-id")?,
            header("x-8x8-transmission-time")?.parse().ok()?,
        );
        let input = format!("{protected}.{payload}");
        Some(self.key.verify_sig(input.as_bytes(), &signature).is_ok())
    }
}

/// Streams, each with its entries, each with its one field.
type Answer = Option<Vec<(String, Vec<(String, (String, Vec<u8>))>)>>;

async fn read(mut redis: MultiplexedConnection, events: broadcast::Sender<Bytes>) -> Result<()> {
    let mut last = "0-0".to_owned();
    loop {
        let mut read = cmd("XREAD");
        read.arg(&["COUNT", "1000", "BLOCK", "1000", "STREAMS", LOG, &last]);
        let answer: Answer = read.query_async(&mut redis).await?;
        for (id, (_, body)) in answer.into_iter().flatten().flat_map(|(_, entries)| entries) {
            last = id;
            // An error says that nobody listens.
            let _ = events.send(body.into());
        }
    }
}

/// A tonic server with one method and no messages of its own.
#[derive(Clone)]
struct Floor {
    events: broadcast::Sender<Bytes>,
    /// The messages that were last asked for, and the request that did: whoever asks again finds them ready.
    ready: Arc<Mutex<(Bytes, Arc<Vec<Bytes>>)>>,
}

impl Floor {
    fn ready(&self, request: &Bytes) -> Arc<Vec<Bytes>> {
        let mut ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        if ready.0 != *request {
            *ready = (request.clone(), Arc::new(messages(request).unwrap_or_default()));
        }
        Arc::clone(&ready.1)
    }
}

impl NamedService for Floor {
    const NAME: &'static str = "bench.Floor";
}

impl ServerStreamingService<Bytes> for Floor {
    type Response = Bytes;
    type ResponseStream = Pin<Box<dyn Stream<Item = std::result::Result<Bytes, Status>> + Send>>;
    type Future = BoxFuture<Response<Self::ResponseStream>, Status>;

    fn call(&mut self, request: Request<Bytes>) -> Self::Future {
        if !request.get_ref().is_empty() {
            let messages = self.ready(request.get_ref());
            return Box::pin(async move {
                let each = (0..).map_while(move |n: usize| messages.get(n).cloned());
                let all: Self::ResponseStream = Box::pin(stream::iter(each.map(Ok)).chain(stream::pending()));
                Ok(Response::new(all))
            });
        }
        let receiver = self.events.subscribe();
        Box::pin(async move {
            // As the service's first response, it says that the subscription holds.
            let first = stream::iter([Ok(Bytes::from_static(b"joined"))]);
            let events = stream::unfold(receiver, |mut receiver| async move {
                match receiver.recv().await {
                    Ok(event) => Some((Ok(event), receiver)),
                    Err(broadcast::error::RecvError::Lagged(_)) => {
                        Some((Err(Status::data_loss("a stream is too slow")), receiver))
                    }
                    Err(broadcast::error::RecvError::Closed) => None,
                }
            });
            let events: Self::ResponseStream = Box::pin(first.chain(events));
            Ok(Response::new(events))
        })
    }
}

impl<B> Service<http::Request<B>> for Floor
where
    B: Body + Send + 'static,
    B::Error: Into<StdError> + Send + 'static,
{
    type Response = http::Response<tonic::body::Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Infallible>;

    fn poll_ready(&mut self, _: &mut task::Context<'_>) -> task::Poll<std::result::Result<(), Infallible>> {
        task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        let floor = self.clone();
        Box::pin(async move { Ok(Grpc::new(Raw).server_streaming(floor, request).await) })
    }
}
