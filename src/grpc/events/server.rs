//! `AgentEventService` on the wire: its stream is served here, its other calls as any.

use std::{
    convert::Infallible,
    sync::Arc,
    task::{Context, Poll},
};

use tonic::{
    Status,
    body::Body,
    codegen::{BoxFuture, Service as HttpService},
    server::NamedService,
};

use super::{Service, body::EventBody};
use crate::grpc::{framing, line::Line, proto::unary::agent_event_service_server::AgentEventServiceServer};

/// The path of the stream.
const AGENT_EVENTS: &str = "/chatbridge.v1.AgentEventService/AgentEvents";

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

impl HttpService<http::Request<Body>> for Server {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        if request.uri().path() != AGENT_EVENTS {
            return self.calls.call(request);
        }
        let service = Arc::clone(&self.service);
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let line = parts.extensions.get::<Line>().cloned();
            let opened = match framing::only(&parts.headers, body).await {
                Ok(asked) => service.open(framing::request(parts, asked), line).await,
                Err(status) => Err(status),
            };
            Ok(opened.map_or_else(Status::into_http, |events| {
                framing::response(EventBody::new(events))
            }))
        })
    }
}
