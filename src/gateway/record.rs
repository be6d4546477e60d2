//! What is counted and logged of each request: never a body, never the key.

use std::time::Instant;

use super::UpstreamError;

const REQUESTS: &str = "chatbridge_upstream_requests_total";
const DURATION: &str = "chatbridge_upstream_request_duration_seconds";

/// Says what the metrics mean, to the recorder that is installed by then.
pub(super) fn describe() {
    metrics::describe_counter!(
        REQUESTS,
        "Requests to the Chat Gateway, by operation and by what became of them."
    );
    metrics::describe_histogram!(
        DURATION,
        metrics::Unit::Seconds,
        "How long requests to the Chat Gateway took, answer included, by operation."
    );
}

/// A request under way. It is counted when this is dropped: as cancelled, unless it finished before.
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
