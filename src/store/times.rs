//! How long a store takes, as OpenTelemetry's conventions for databases have it.

use std::time::Instant;

use futures_util::FutureExt as _;
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
pub(super) fn timed<T>(histogram: &Histogram, doing: impl Future<Output = T>) -> impl Future<Output = T> {
    // An `async fn` would hold it twice: as it was given, and as it is awaited.
    let begun = Instant::now();
    doing.inspect(move |_| histogram.record(begun.elapsed()))
}
