//! What is counted and logged of each request: never a body, never the key.

use std::time::Instant;

use super::UpstreamError;

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
pub(super) fn withheld(operation: &'static str, error: &UpstreamError) {
    let reason = error.kind.label();
    metrics::counter!(WITHHELD, "operation" => operation, "reason" => reason).increment(1);
    tracing::debug!(
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
    started: Instant,
    outcome: &'static str,
    status: Option<u16>,
    reference_id: Option<String>,
}

impl Record {
    pub(super) fn start(operation: &'static str) -> Self {
        Self {
            operation,
            started: Instant::now(),
            outcome: "cancelled",
            status: None,
            reference_id: None,
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
}

impl Drop for Record {
    fn drop(&mut self) {
        let took = self.started.elapsed();
        metrics::counter!(REQUESTS, "operation" => self.operation, "outcome" => self.outcome).increment(1);
        metrics::histogram!(DURATION, "operation" => self.operation).record(took);
        tracing::debug!(
            operation = self.operation,
            outcome = self.outcome,
            status = self.status,
            duration_ms = took.as_secs_f64() * 1000.0,
            reference_id = self.reference_id,
            "a request to the Chat Gateway ended"
        );
    }
}
