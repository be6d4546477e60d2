//! How long a store takes, as OpenTelemetry's conventions for databases have it.

use std::time::Instant;

use metrics::Histogram;

const DURATION: &str = "db_client_operation_duration_seconds";

/// How long a store takes for what matters most: events that come in, pages of the log, and the question whether it is there.
pub(super) struct Times {
    pub(super) append: Histogram,
    pub(super) read: Histogram,
    pub(super) ping: Histogram,
}

impl Times {
    /// Of this kind of store.
    pub(super) fn new(system: &'static str) -> Self {
        let of = |operation| metrics::histogram!(DURATION, "db_system_name" => system, "db_operation_name" => operation);
        Self {
            append: of("append"),
            read: of("read"),
            ping: of("ping"),
        }
    }
}

/// Does something and notes how long it took, whether it went well or not. What is given up is not noted.
pub(super) async fn timed<T>(histogram: &Histogram, doing: impl Future<Output = T>) -> T {
    let begun = Instant::now();
    let done = doing.await;
    histogram.record(begun.elapsed());
    done
}
