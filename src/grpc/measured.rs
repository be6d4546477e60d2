//! How long calls take and how they end, as OpenTelemetry's conventions for RPC have it. Around everything else of a call, so that
//! those count too that are not let in.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
    time::Instant,
};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Frame, SizeHint};
use tonic::{Code, Status, body::Body, codegen::BoxFuture};
use tower::{Layer, Service};

use crate::access::rule;

const DURATION: &str = "rpc_server_call_duration_seconds";
const STATUS: &str = "grpc-status";
/// What stands for all methods that there are not: callers may make up any number of names.
const OTHER: &str = "_OTHER";

/// Measures calls.
#[derive(Debug, Clone, Copy)]
pub struct MeasureLayer;

impl<S> Layer<S> for MeasureLayer {
    type Service = Measured<S>;

    fn layer(&self, inner: S) -> Measured<S> {
        Measured { inner }
    }
}

/// What is measured.
#[derive(Debug, Clone)]
pub struct Measured<S> {
    inner: S,
}

impl<S> Service<http::Request<Body>> for Measured<S>
where
    S: Service<http::Request<Body>, Response = http::Response<Body>>,
    S::Future: Send + 'static,
{
    type Response = http::Response<Body>;
    type Error = S::Error;
    type Future = BoxFuture<Self::Response, S::Error>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let mut record = Record::start(request.uri().path());
        let answering = self.inner.call(request);
        Box::pin(async move {
            let answered = answering.await?;
            // An error without any message has its status among the headers, and no trailers.
            record.status = code(answered.headers());
            if record.status.is_some() {
                return Ok(answered);
            }
            Ok(answered.map(|body| Body::new(MeasuredBody { body, record })))
        })
    }
}

/// A call under way. It is counted when this is dropped: as cancelled, unless its status is known by then.
struct Record {
    method: &'static str,
    started: Instant,
    status: Option<Code>,
}

impl Record {
    fn start(path: &str) -> Self {
        Self {
            method: rule::of(path).map_or(OTHER, |rpc| rpc.path.trim_start_matches('/')),
            started: Instant::now(),
            status: None,
        }
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        metrics::histogram!(
            DURATION,
            "rpc_system_name" => "grpc",
            "rpc_method" => self.method,
            "rpc_response_status_code" => name(self.status.unwrap_or(Code::Cancelled)),
        )
        .record(self.started.elapsed());
    }
}

fn code(headers: &HeaderMap) -> Option<Code> {
    headers
        .get(STATUS)
        .map(|status| Code::from_bytes(status.as_bytes()))
}

/// The name of a status code as gRPC writes it, and so the conventions of OpenTelemetry.
pub(super) fn name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

/// An answer whose status comes behind its messages.
struct MeasuredBody {
    body: Body,
    record: Record,
}

impl http_body::Body for MeasuredBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        match &frame {
            Some(Ok(frame)) => {
                if let Some(trailers) = frame.trailers_ref() {
                    self.record.status = code(trailers);
                }
            }
            Some(Err(status)) => self.record.status = Some(status.code()),
            None => {}
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
