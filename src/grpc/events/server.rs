//! `AgentEventService` on the wire: its stream is served here, its other calls as any.

use std::{
    convert::Infallible,
    sync::Arc,
    task::{Context, Poll},
};

use futures_util::TryStreamExt as _;
use http::{HeaderValue, header::CONTENT_TYPE};
use tonic::{
    Status,
    body::Body,
    codec::{BufferSettings, Streaming},
    codegen::{Body as HttpBody, BoxFuture, Service as HttpService, StdError},
    server::NamedService,
};
use tonic_prost::ProstCodec;

use super::{Service, body::EventBody};
use crate::grpc::{
    line::Line,
    proto::{
        AgentEventsRequest, AgentEventsResponse, unary::agent_event_service_server::AgentEventServiceServer,
    },
};

/// The path of the stream.
const AGENT_EVENTS: &str = "/chatbridge.v1.AgentEventService/AgentEvents";

/// The most a request may have, in bytes, as for any call.
const REQUEST_BYTES_MAX: usize = 4 << 20;

/// `AgentEventService`.
#[derive(Clone)]
pub struct Server {
    service: Arc<Service>,
    calls: AgentEventServiceServer<Service>,
}

impl Server {
    /// Serves a service.
    pub fn new(service: Service) -> Self {
        let service = Arc::new(service);
        Self {
            calls: AgentEventServiceServer::from_arc(Arc::clone(&service)),
            service,
        }
    }
}

impl NamedService for Server {
    const NAME: &'static str = "chatbridge.v1.AgentEventService";
}

impl<B> HttpService<http::Request<B>> for Server
where
    B: HttpBody + Send + 'static,
    B::Error: Into<StdError> + Send + 'static,
{
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        if request.uri().path() != AGENT_EVENTS {
            return self.calls.call(request);
        }
        let service = Arc::clone(&self.service);
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let line = parts.extensions.get::<Line>().cloned();
            let opened = match read(&parts.headers, body).await {
                Ok(request) => service.open(request, line).await,
                Err(status) => Err(status),
            };
            Ok(opened.map_or_else(Status::into_http, |events| {
                let mut response = http::Response::new(Body::new(EventBody::new(events)));
                let headers = response.headers_mut();
                headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
                response
            }))
        })
    }
}

/// The one message of a request.
async fn read<B>(headers: &http::HeaderMap, body: B) -> Result<AgentEventsRequest, Status>
where
    B: HttpBody + Send + 'static,
    B::Error: Into<StdError> + Send,
{
    if headers.get("grpc-encoding").is_some_and(|it| it != "identity") {
        return Err(Status::unimplemented("requests cannot be compressed here"));
    }
    // A request is read once: its buffer may be as small as it is.
    let buffer = BufferSettings::new(256, 32 * 1024);
    let decoder = ProstCodec::<AgentEventsResponse, AgentEventsRequest>::raw_decoder(buffer);
    let mut messages = Streaming::new_request(decoder, body, None, Some(REQUEST_BYTES_MAX));
    let message = messages.try_next().await?;
    message.ok_or_else(|| Status::internal("the request has no message"))
}
