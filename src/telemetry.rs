//! Logs and metrics. Logs go to standard error, one line for each thing that happened.

use std::io::IsTerminal as _;

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt as _, util::SubscriberInitExt as _};

/// The form of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Starts logging. `filter` is in the form of `tracing_subscriber::EnvFilter`, such as `info,chatbridge=debug`.
///
/// # Errors
/// A filter that cannot be read, as a sentence.
pub fn init_logs(format: LogFormat, filter: &str) -> Result<(), String> {
    let filter =
        EnvFilter::try_new(filter).map_err(|error| format!("the log filter {filter:?} is wrong: {error}"))?;
    let stderr = fmt::layer().with_writer(std::io::stderr);
    let registry = tracing_subscriber::registry().with(filter);
    match format {
        LogFormat::Text => registry
            .with(stderr.with_ansi(std::io::stderr().is_terminal()))
            .try_init(),
        LogFormat::Json => registry.with(stderr.json()).try_init(),
    }
    .map_err(|error| format!("logging cannot start: {error}"))
}

/// Bounds of the buckets of every histogram, in seconds: from a good local answer to the longest time limit.
const SECONDS: [f64; 12] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0,
];

/// Installs the process's metrics recorder. Where there is one already, as in a test that serves twice, that one goes on and
/// shows everything.
///
/// Whoever holds the handle calls `run_upkeep` now and then: until then, and until somebody scrapes, samples pile up.
pub fn init_metrics() -> PrometheusHandle {
    // The bounds are not empty, which is all that can be wrong with them.
    let recorder = PrometheusBuilder::new()
        .set_buckets(&SECONDS)
        .unwrap_or_default()
        .build_recorder();
    let handle = recorder.handle();
    let _ = metrics::set_global_recorder(recorder);
    handle
}
