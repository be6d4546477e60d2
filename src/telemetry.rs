//! Logs, metrics and traces.

pub mod logs;
pub mod traces;

use std::time::Duration;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

/// Upper bounds in seconds of what is timed: replicas' buckets can be added up, quantiles cannot.
const SECONDS: [f64; 10] = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
/// How often samples that nobody scraped are folded into the buckets; without that they pile up.
const UPKEEP_EVERY: Duration = Duration::from_secs(5);

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
