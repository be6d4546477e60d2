//! What is counted and logged of each request: never a body, never the key.

use std::time::Instant;

use super::{UpstreamError, operation::Operation};

const REQUESTS: &str = "chatbridge_upstream_requests_total";
const RETRIES: &str = "chatbridge_upstream_retries_total";
const WITHHELD: &str = "chatbridge_upstream_withheld_total";
const CIRCUIT: &str = "chatbridge_upstream_circuit_open";
const DURATION: &str = "http_client_request_duration_seconds";

const SUCCESS: &str = "success";

/// A request is about to be repeated.
pub(super) fn retried(operation: &'static str) {
    metrics::counter!(RETRIES, "operation" => operation).increment(1);
}

/// A call was turned away before a request was made.
pub(super) fn withheld(operation: &'static str, error: &UpstreamError) {
    let reason = error.kind.label();
    metrics::counter!(WITHHELD, "operation" => operation, "reason" => reason).increment(1);
    tracing::debug!(
        operation,
        reason,
        "a call was turned away before a request was made"
    );
}

/// For one more tenant the vendor is left alone, or no more; the gauge is there from the first breaker on.
pub(super) fn circuits(change: f64) {
    metrics::gauge!(CIRCUIT).increment(change);
}

/// A request under way. It is counted when this is dropped: as cancelled, unless it finished before.
#[derive(Debug)]
pub(super) struct Record {
    operation: &'static Operation,
    started: Instant,
    outcome: &'static str,
    status: Option<u16>,
    reference_id: Option<String>,
}

impl Record {
    pub(super) fn start(operation: &'static Operation) -> Self {
        Self {
            operation,
            started: Instant::now(),
            outcome: "cancelled",
            status: None,
            reference_id: None,
        }
    }

    pub(super) fn succeeded(mut self, status: u16) {
        self.outcome = SUCCESS;
        self.status = Some(status);
    }

    pub(super) fn failed(mut self, error: &UpstreamError) {
        self.outcome = error.kind.label();
        self.status = error.status;
        self.reference_id.clone_from(&error.reference_id);
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        let took = self.started.elapsed();
        let operation = self.operation.name;
        metrics::counter!(REQUESTS, "operation" => operation, "outcome" => self.outcome).increment(1);
        let error = if self.outcome == SUCCESS { "" } else { self.outcome };
        metrics::histogram!(
            DURATION,
            "operation" => operation,
            "http_request_method" => self.operation.method.to_string(),
            "http_response_status_code" => self.status.map(|status| status.to_string()).unwrap_or_default(),
            "error_type" => error,
        )
        .record(took);
        tracing::debug!(
            operation,
            outcome = self.outcome,
            status = self.status,
            duration_ms = took.as_secs_f64() * 1000.0,
            reference_id = self.reference_id,
            "a request to the Chat Gateway ended"
        );
    }
}
