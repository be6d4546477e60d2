//! A collector that keeps what it gets.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use opentelemetry_proto::tonic::{
    collector::trace::v1::{
        ExportTraceServiceRequest, ExportTraceServiceResponse,
        trace_service_server::{TraceService, TraceServiceServer},
    },
    common::v1::{KeyValue, any_value::Value},
    trace::v1::{Span, span::SpanKind, status::StatusCode},
};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::{
    Code, Request, Response, Status,
    transport::{Identity, Server, ServerTlsConfig},
};

use crate::support::{certificates::Issued, service::eventually};

/// A span as it arrived.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) name: String,
    pub(super) kind: SpanKind,
    pub(super) trace: String,
    pub(super) id: String,
    /// Empty: it is the first of its trace.
    pub(super) parent: String,
    /// Trace, span and why.
    pub(super) links: Vec<(String, String, String)>,
    pub(super) attributes: BTreeMap<String, String>,
    pub(super) is_error: bool,
    pub(super) start_ns: u64,
    pub(super) end_ns: u64,
    pub(super) resource: BTreeMap<String, String>,
}

impl Seen {
    pub(super) fn get(&self, attribute: &str) -> &str {
        self.attributes.get(attribute).map_or("", String::as_str)
    }
}

/// What the collector does with a request.
#[derive(Debug, Clone, Copy)]
pub(super) enum Mode {
    Take,
    Refuse(Code),
    /// It takes it and never answers.
    Hang,
}

#[derive(Clone)]
struct Kept {
    spans: Arc<Mutex<Vec<Seen>>>,
    /// The header `x-token` of each request.
    tokens: Arc<Mutex<Vec<String>>>,
    mode: Arc<Mutex<Mode>>,
}

pub(super) struct Collector {
    pub(super) url: String,
    kept: Kept,
    _stop: DropGuard,
}

impl Collector {
    pub(super) async fn start() -> Self {
        Self::start_with(None).await
    }

    /// With TLS, where there is a certificate.
    pub(super) async fn start_with(certificate: Option<&Issued>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let kept = Kept {
            spans: Arc::default(),
            tokens: Arc::default(),
            mode: Arc::new(Mutex::new(Mode::Take)),
        };
        let stop = CancellationToken::new();
        let stopped = stop.clone().cancelled_owned();
        let mut server = Server::builder();
        if let Some(issued) = certificate {
            let identity = Identity::from_pem(&issued.cert, &issued.key);
            server = server
                .tls_config(ServerTlsConfig::new().identity(identity))
                .unwrap();
        }
        let served = server
            .add_service(TraceServiceServer::new(kept.clone()))
            .serve_with_incoming_shutdown(TcpListenerStream::new(listener), stopped);
        tokio::spawn(served);
        let scheme = if certificate.is_some() { "https" } else { "http" };
        Self {
            url: format!("{scheme}://{address}"),
            kept,
            _stop: stop.drop_guard(),
        }
    }

    pub(super) fn does(&self, mode: Mode) {
        *self.kept.mode.lock().unwrap() = mode;
    }

    pub(super) fn spans(&self) -> Vec<Seen> {
        self.kept.spans.lock().unwrap().clone()
    }

    pub(super) fn tokens(&self) -> Vec<String> {
        self.kept.tokens.lock().unwrap().clone()
    }

    /// Waits for spans that are wanted, so many.
    pub(super) async fn wait(&self, count: usize, wanted: impl Fn(&Seen) -> bool) -> Vec<Seen> {
        let what = format!("{count} span(s) arrive");
        eventually(&what, async || {
            let found: Vec<Seen> = self.spans().into_iter().filter(&wanted).collect();
            (found.len() >= count).then_some(found)
        })
        .await
    }

    /// Waits for the one span that is wanted.
    pub(super) async fn one(&self, wanted: impl Fn(&Seen) -> bool) -> Seen {
        self.wait(1, wanted).await.remove(0)
    }
}

#[tonic::async_trait]
impl TraceService for Kept {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let mode = *self.mode.lock().unwrap();
        match mode {
            Mode::Take => {}
            Mode::Refuse(code) => return Err(Status::new(code, "refused by the test")),
            Mode::Hang => std::future::pending().await,
        }
        let token = request.metadata().get("x-token");
        let token = token.map(|token| token.to_str().unwrap().to_owned());
        self.tokens.lock().unwrap().push(token.unwrap_or_default());
        for of_resource in request.into_inner().resource_spans {
            let resource = attributes(&of_resource.resource.unwrap_or_default().attributes);
            let spans = of_resource.scope_spans.into_iter().flat_map(|scope| scope.spans);
            let spans = spans.map(|span| seen(span, &resource));
            self.spans.lock().unwrap().extend(spans);
        }
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

fn seen(span: Span, resource: &BTreeMap<String, String>) -> Seen {
    let links = span.links.iter().map(|link| {
        let why = attributes(&link.attributes).remove("chatbridge.link");
        (hex(&link.trace_id), hex(&link.span_id), why.unwrap_or_default())
    });
    Seen {
        kind: span.kind(),
        trace: hex(&span.trace_id),
        id: hex(&span.span_id),
        parent: hex(&span.parent_span_id),
        links: links.collect(),
        attributes: attributes(&span.attributes),
        is_error: span
            .status
            .is_some_and(|status| status.code() == StatusCode::Error),
        start_ns: span.start_time_unix_nano,
        end_ns: span.end_time_unix_nano,
        resource: resource.clone(),
        name: span.name,
    }
}

fn attributes(all: &[KeyValue]) -> BTreeMap<String, String> {
    let text = |of: &KeyValue| match of.value.as_ref().and_then(|value| value.value.as_ref()) {
        Some(Value::StringValue(text)) => text.clone(),
        Some(Value::IntValue(number)) => number.to_string(),
        other => format!("{other:?}"),
    };
    all.iter().map(|one| (one.key.clone(), text(one))).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
