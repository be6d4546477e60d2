//! `AttachmentService` on the wire: files are served here, its other calls as any.

use std::{
    convert::Infallible,
    task::{Context, Poll},
};

use tonic::{
    Status,
    body::Body,
    codegen::{BoxFuture, Service as HttpService},
    server::NamedService,
};

use super::{
    Service,
    download::{self, DownloadBody},
    upload,
};
use crate::grpc::{
    call::status,
    fields::Rpc,
    framing,
    proto::{DownloadAttachmentRequest, unary::attachment_service_server::AttachmentServiceServer},
};

const UPLOAD: &str = "/chatbridge.v1.AttachmentService/UploadAttachment";
const DOWNLOAD: &str = "/chatbridge.v1.AttachmentService/DownloadAttachment";

/// `AttachmentService`.
#[derive(Clone)]
pub struct Server {
    service: Service,
    calls: AttachmentServiceServer<Service>,
}

impl Server {
    /// Serves a service.
    pub fn new(service: Service) -> Self {
        Self {
            calls: AttachmentServiceServer::new(service.clone()),
            service,
        }
    }
}

impl NamedService for Server {
    const NAME: &'static str = "chatbridge.v1.AttachmentService";
}

impl HttpService<http::Request<Body>> for Server {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let service = self.service.clone();
        match request.uri().path() {
            UPLOAD => Box::pin(async move { Ok(answer(service.take_file(request).await)) }),
            DOWNLOAD => Box::pin(async move { Ok(answer(service.give_file(request).await)) }),
            _ => self.calls.call(request),
        }
    }
}

fn answer(outcome: Result<http::Response<Body>, Status>) -> http::Response<Body> {
    outcome.unwrap_or_else(Status::into_http)
}

impl Service {
    async fn take_file(&self, request: http::Request<Body>) -> Result<http::Response<Body>, Status> {
        let (parts, body) = request.into_parts();
        let messages = framing::Messages::new(&parts.headers, body)?;
        let stored = upload::upload(&self.0, framing::request(parts, messages)).await;
        let stored = stored.map_err(|error| status(Rpc::UploadAttachment, error))?;
        Ok(framing::response_with(&stored))
    }

    async fn give_file(&self, request: http::Request<Body>) -> Result<http::Response<Body>, Status> {
        let (parts, body) = request.into_parts();
        let asked: DownloadAttachmentRequest = framing::only(&parts.headers, body).await?;
        let download = download::download(&self.0, framing::request(parts, asked)).await;
        let download = download.map_err(|error| status(Rpc::DownloadAttachment, error))?;
        Ok(framing::response(DownloadBody::new(download)))
    }
}
