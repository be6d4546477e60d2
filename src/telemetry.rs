//! Logs and metrics. Logs go to standard error, one line for each thing that happened.

use std::{io::IsTerminal as _, time::Duration};

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt as _, util::SubscriberInitExt as _};

/// Upper bounds in seconds of what is timed: replicas' buckets can be added up, quantiles cannot.
const SECONDS: [f64; 10] = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
/// How often samples that nobody scraped are folded into the buckets; without that they pile up.
const UPKEEP_EVERY: Duration = Duration::from_secs(5);

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
/// serves twice. Needs a Tokio runtime.
pub fn init_metrics() -> PrometheusHandle {
    let suffix = Matcher::Suffix("_seconds".into());
    let builder = PrometheusBuilder::new();
    // It refuses only an empty list.
    let builder = builder
        .set_buckets_for_metric(suffix, &SECONDS)
        .unwrap_or_else(|_| PrometheusBuilder::new());
    let recorder = builder.build_recorder();
    let handle = recorder.handle();
    // Another service in this process may have installed its recorder: its own handle shows everything.
    if metrics::set_global_recorder(recorder).is_ok() {
        describe();
        let kept = handle.clone();
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(UPKEEP_EVERY).await;
                kept.run_upkeep();
            }
        });
    }
    handle
}

/// Says what those metrics mean that have no better place to say it.
fn describe() {
    metrics::describe_counter!("chatbridge_webhooks_total", "Webhooks, by what became of them.");
    metrics::describe_counter!(
        "chatbridge_webhook_key_fetches_total",
        "Requests for the vendor's signing keys, by result."
    );
    metrics::describe_counter!(
        "chatbridge_log_clock_behind_total",
        "Appends while the store's clock was more than a minute behind the log."
    );
    metrics::describe_counter!(
        "chatbridge_agent_name_lookups_total",
        "Lookups of agents' names, by what became of them."
    );
    metrics::describe_gauge!("chatbridge_store_up", "Whether the store answers: 1 or 0.");
    metrics::describe_gauge!("chatbridge_streams_active", "Open streams of AgentEvents.");
    metrics::describe_counter!(
        "chatbridge_subscribers_detached_total",
        "Times that a stream was too slow for the live feed and went on from the log."
    );
    metrics::describe_counter!("chatbridge_feed_breaks_total", "Times that the live feed broke.");
    metrics::describe_counter!("chatbridge_gaps_total", "Gaps that streams were told of.");
}
