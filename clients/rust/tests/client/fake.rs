//! A server whose calls are all answered by one function of the test's.

use std::{
    convert::Infallible,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use bytes::{Buf as _, BufMut as _, Bytes};
use chatbridge_client::{Backoff, Client, ClientBuilder, v1};
use futures_util::{
    StreamExt as _,
    future::BoxFuture,
    stream::{self, BoxStream},
};
use prost::Message;
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{
    Code, Request, Response, Status, Streaming,
    body::Body,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    metadata::MetadataMap,
    server::{Grpc, NamedService, StreamingService},
    transport::Server,
};
use tonic_types::{ErrorDetails, StatusExt as _};

/// A call that has arrived.
pub(crate) struct Call {
    /// Such as `SendMessage`.
    pub(crate) method: String,
    /// Counts the calls of the test from 0.
    pub(crate) number: usize,
    pub(crate) metadata: MetadataMap,
    /// The client's end of the connection.
    pub(crate) from: Option<SocketAddr>,
    pub(crate) messages: Streaming<Bytes>,
    /// Whether the client cancelled, which the messages do not tell from their end.
    pub(crate) cancelled: Arc<AtomicBool>,
}

impl Call {
    /// The request of a call that has one.
    pub(crate) async fn request<M: Message + Default>(&mut self) -> M {
        let encoded = self
            .messages
            .message()
            .await
            .expect("a request")
            .expect("a request");
        M::decode(encoded).expect("a request of this type")
    }
}

pub(crate) type Answer = BoxStream<'static, Result<Bytes, Status>>;
type Answering = dyn Fn(Call) -> BoxFuture<'static, Answer> + Send + Sync;

/// Starts a server, and tells where it is.
pub(crate) async fn serve<F, A>(answering: F) -> String
where
    F: Fn(Call) -> A + Send + Sync + 'static,
    A: Future<Output = Answer> + Send + 'static,
{
    let answering: Arc<Answering> = Arc::new(move |call| Box::pin(answering(call)));
    let calls = Arc::new(AtomicUsize::new(0));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let server = Server::builder()
        .add_service(Conversations(Fake {
            answering: Arc::clone(&answering),
            calls: Arc::clone(&calls),
        }))
        .add_service(Events(Fake {
            answering: Arc::clone(&answering),
            calls: Arc::clone(&calls),
        }))
        .add_service(Attachments(Fake { answering, calls }));
    tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
    format!("http://{address}")
}

/// A client of such a server which does not let a test wait.
pub(crate) fn quick(target: &str) -> ClientBuilder {
    let backoff = Backoff {
        initial: Duration::from_millis(1),
        maximum: Duration::from_millis(2),
    };
    Client::builder(target)
        .attempts(4, backoff)
        .reconnect(backoff)
        .stream_backoff(backoff, Duration::from_secs(5))
}

/// An answer of messages, after which the call ends well.
pub(crate) fn all<M: Message>(messages: impl IntoIterator<Item = M>) -> Answer {
    let encoded: Vec<_> = messages
        .into_iter()
        .map(|message| Ok(message.encode_to_vec().into()))
        .collect();
    stream::iter(encoded).boxed()
}

/// An answer of messages, after which nothing comes.
pub(crate) fn then_silence<M: Message>(messages: impl IntoIterator<Item = M>) -> Answer {
    all(messages).chain(stream::pending()).boxed()
}

/// An error.
pub(crate) fn failure(status: Status) -> Answer {
    stream::iter([Err(status)]).boxed()
}

/// A status of Chatbridge's.
pub(crate) fn status(code: Code, reason: &str, retry_after: Option<Duration>) -> Status {
    let mut details =
        ErrorDetails::with_error_info(reason, "chatbridge", [("reference_id".into(), "ref-1".into())]);
    if let Some(after) = retry_after {
        details.set_retry_info(Some(after));
    }
    Status::with_error_details(code, "a sentence", details)
}

pub(crate) fn event(text: &str) -> v1::AgentEventsResponse {
    let event = v1::AgentEvent {
        event_id: text.to_owned(),
        ..Default::default()
    };
    response(text, v1::agent_events_response::Payload::Event(event))
}

pub(crate) fn response(cursor: &str, payload: v1::agent_events_response::Payload) -> v1::AgentEventsResponse {
    v1::AgentEventsResponse {
        cursor: Bytes::copy_from_slice(cursor.as_bytes()),
        payload: Some(payload),
        ..Default::default()
    }
}

#[derive(Clone)]
struct Fake {
    answering: Arc<Answering>,
    calls: Arc<AtomicUsize>,
}

impl Fake {
    fn answer(
        &self,
        request: http::Request<Body>,
    ) -> BoxFuture<'static, Result<http::Response<Body>, Infallible>> {
        let method = request
            .uri()
            .path()
            .rsplit('/')
            .next()
            .unwrap_or_default()
            .to_owned();
        let number = self.calls.fetch_add(1, Ordering::SeqCst);
        let cancelled = Arc::new(AtomicBool::new(false));
        let answering = Arc::clone(&self.answering);
        let handler = Handler {
            answering,
            method,
            number,
            cancelled: Arc::clone(&cancelled),
        };
        let request = request.map(|body| Body::new(Watched { body, cancelled }));
        Box::pin(async move { Ok(Grpc::new(Raw).streaming(handler, request).await) })
    }
}

struct Handler {
    answering: Arc<Answering>,
    method: String,
    number: usize,
    cancelled: Arc<AtomicBool>,
}

impl StreamingService<Bytes> for Handler {
    type Response = Bytes;
    type ResponseStream = Answer;
    type Future = BoxFuture<'static, Result<Response<Answer>, Status>>;

    fn call(&mut self, request: Request<Streaming<Bytes>>) -> Self::Future {
        let from = request.remote_addr();
        let (metadata, _, messages) = request.into_parts();
        let call = Call {
            method: self.method.clone(),
            number: self.number,
            metadata,
            from,
            messages,
            cancelled: Arc::clone(&self.cancelled),
        };
        let answer = (self.answering)(call);
        Box::pin(async move { Ok(Response::new(answer.await)) })
    }
}

/// A body of a request that notes where it breaks off.
struct Watched {
    body: Body,
    cancelled: Arc<AtomicBool>,
}

impl http_body::Body for Watched {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, Status>>> {
        let frame = Pin::new(&mut self.body).poll_frame(context);
        if let Poll::Ready(Some(Err(_))) = &frame {
            self.cancelled.store(true, Ordering::SeqCst);
        }
        frame
    }
}

macro_rules! service {
    ($type:ident, $name:literal) => {
        #[derive(Clone)]
        struct $type(Fake);

        impl NamedService for $type {
            const NAME: &'static str = $name;
        }

        impl tower_service::Service<http::Request<Body>> for $type {
            type Response = http::Response<Body>;
            type Error = Infallible;
            type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

            fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
                Poll::Ready(Ok(()))
            }

            fn call(&mut self, request: http::Request<Body>) -> Self::Future {
                self.0.answer(request)
            }
        }
    };
}

service!(Conversations, "chatbridge.v1.ConversationService");
service!(Events, "chatbridge.v1.AgentEventService");
service!(Attachments, "chatbridge.v1.AttachmentService");

/// Messages as their bytes.
#[derive(Clone, Copy, Default)]
struct Raw;

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

    fn encode(&mut self, item: Bytes, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put(item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(buffer.copy_to_bytes(buffer.remaining())))
    }
}
