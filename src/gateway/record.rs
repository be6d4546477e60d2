//! What is counted and logged of each request: never a body, never the key.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use opentelemetry::trace::SpanKind;

use super::{
    UpstreamError,
    call::{About, Call},
};
use crate::telemetry::traces::{self, Begin, Span};

const REQUESTS: &str = "chatbridge_upstream_requests_total";
const RETRIES: &str = "chatbridge_upstream_retries_total";
const WITHHELD: &str = "chatbridge_upstream_withheld_total";
const CIRCUIT: &str = "chatbridge_upstream_circuit_open";
const DURATION: &str = "chatbridge_upstream_request_duration_seconds";

/// Says what the metrics mean, to the recorder that is installed by then.
pub(super) fn describe() {
    metrics::describe_counter!(
        REQUESTS,
        "Requests to the Chat Gateway, by operation and by what became of them."
    );
    metrics::describe_counter!(
        RETRIES,
        "Requests to the Chat Gateway that repeat an earlier one, by operation."
    );
    metrics::describe_counter!(
        WITHHELD,
        "Calls that were turned away before a request was made, by operation and reason."
    );
    metrics::describe_gauge!(
        CIRCUIT,
        "Whether the Chat Gateway is left alone because it keeps failing: 1 or 0."
    );
    metrics::describe_histogram!(
        DURATION,
        metrics::Unit::Seconds,
        "How long requests to the Chat Gateway took, answer included, by operation."
    );
}

/// A request is about to be repeated.
pub(super) fn retried(operation: &'static str) {
    metrics::counter!(RETRIES, "operation" => operation).increment(1);
}

/// A call was turned away before a request was made.
pub(super) fn withheld(operation: &'static str, about: &About, error: &UpstreamError) {
    let reason = error.kind.label();
    metrics::counter!(WITHHELD, "operation" => operation, "reason" => reason).increment(1);
    tracing::debug!(
        tenant = about.tenant,
        conversation = about.conversation_if_any(),
        operation,
        reason,
        "a call was turned away before a request was made"
    );
}

/// Whether the vendor is left alone.
pub(super) fn circuit(is_open: bool) {
    metrics::gauge!(CIRCUIT).set(if is_open { 1.0 } else { 0.0 });
}

/// A request under way. It is counted when this is dropped: as cancelled, unless it finished before.
#[derive(Debug)]
pub(super) struct Record {
    operation: &'static str,
    about: Arc<About>,
    started: Instant,
    outcome: &'static str,
    status: Option<u16>,
    reference_id: Option<String>,
    span: Option<Span>,
}

impl Record {
    /// Begins a request, and its span, in which it then takes part.
    pub(super) fn start(call: &mut Call) -> Self {
        let span = traces::begin(|| span_of(call));
        if let Some(span) = &span {
            traces::tell_upstream(span, call.request.headers_mut());
        }
        Self {
            operation: call.operation.name,
            about: Arc::clone(&call.about),
            started: Instant::now(),
            outcome: "cancelled",
            status: None,
            reference_id: None,
            span,
        }
    }

    pub(super) fn succeeded(mut self, status: u16) {
        self.outcome = "success";
        self.status = Some(status);
    }

    pub(super) fn failed(mut self, error: &UpstreamError) {
        self.outcome = error.kind.label();
        self.status = error.status;
        self.reference_id.clone_from(&error.reference_id);
    }

    fn end_span(&self, span: &Span) {
        if let Some(status) = self.status {
            span.set("http.response.status_code", i64::from(status));
        }
        if let Some(reference_id) = &self.reference_id {
            span.set("chatbridge.upstream.reference_id", reference_id.clone());
        }
        span.set("chatbridge.upstream.outcome", self.outcome);
        if self.outcome != "success" {
            span.failed(self.outcome);
        }
        span.end();
    }

    fn log(&self, took: Duration) {
        tracing::debug!(
            tenant = self.about.tenant,
            conversation = self.about.conversation_if_any(),
            operation = self.operation,
            outcome = self.outcome,
            status = self.status,
            duration_ms = took.as_secs_f64() * 1000.0,
            reference_id = self.reference_id,
            "a request to the Chat Gateway ended"
        );
    }
}

/// The conventions for HTTP clients, without the path and the query: they may hold what a person typed.
fn span_of(call: &Call) -> Begin {
    let (method, operation) = (call.request.method().as_str(), call.operation.name);
    let url = call.request.url();
    let mut begin = Begin::new(format!("{method} {operation}"), SpanKind::Client)
        .with("http.request.method", method.to_owned())
        .with("server.address", url.host_str().unwrap_or_default().to_owned())
        .with(
            "server.port",
            i64::from(url.port_or_known_default().unwrap_or_default()),
        )
        .with("chatbridge.upstream.operation", operation)
        .with("chatbridge.tenant", call.about.tenant.clone());
    if let Some(conversation) = call.about.conversation_if_any() {
        begin = begin.with("chatbridge.conversation.id", conversation.to_owned());
    }
    if call.repeats > 0 {
        begin = begin.with("http.request.resend_count", i64::from(call.repeats));
    }
    begin
}

impl Drop for Record {
    fn drop(&mut self) {
        let took = self.started.elapsed();
        metrics::counter!(REQUESTS, "operation" => self.operation, "outcome" => self.outcome).increment(1);
        metrics::histogram!(DURATION, "operation" => self.operation).record(took);
        match &self.span {
            Some(span) => {
                span.during(|| self.log(took));
                self.end_span(span);
            }
            None => self.log(took),
        }
    }
}
