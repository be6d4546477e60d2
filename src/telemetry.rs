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

/// Installs the process's metrics recorder, or answers a handle to nothing where there is one already, as in a test that
/// serves twice.
pub fn init_metrics() -> PrometheusHandle {
    let recorder = PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    // Another service in this process has installed its recorder: its own handle shows everything.
    let _ = metrics::set_global_recorder(recorder);
    handle
}
