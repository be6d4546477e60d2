//! Metrics: the recorder of the process, and what it shows from the beginning.

use std::time::Duration;

use metrics::Label;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

use self::process::Collector;
use super::catalogue::{FAMILIES, Family, Kind};

/// What the system knows of the process.
mod process {
    #[cfg(target_os = "linux")]
    pub(super) use metrics_process::Collector;

    /// Elsewhere nobody asks.
    #[cfg(not(target_os = "linux"))]
    #[derive(Debug, Clone, Default)]
    pub(super) struct Collector;

    #[cfg(not(target_os = "linux"))]
    impl Collector {
        pub(super) fn describe(&self) {}

        pub(super) fn collect(&self) {}
    }
}

/// How often samples that nobody scraped are folded into the buckets; without that they pile up, at 8 bytes each.
const UPKEEP_EVERY: Duration = Duration::from_secs(1);

/// Gauges that go up and down by one.
const COUNTED: [&str; 2] = ["chatbridge_streams_active", "chatbridge_subscription_members"];

/// What a scrape gets.
#[derive(Clone)]
pub struct Metrics {
    handle: PrometheusHandle,
    process: Collector,
}

impl Metrics {
    /// Everything, in the text format of Prometheus.
    pub fn render(&self) -> String {
        self.process.collect();
        self.handle.render()
    }
}

/// Installs the process's metrics recorder, or answers a handle to nothing where there is one already, as in a test that
/// serves twice. Needs a Tokio runtime.
pub fn init_metrics() -> Metrics {
    let recorder = builder().build_recorder();
    let handle = recorder.handle();
    let process = Collector::default();
    // Another service in this process may have installed its recorder: its own handle shows everything.
    if metrics::set_global_recorder(recorder).is_ok() {
        process.describe();
        FAMILIES.iter().for_each(begin);
        for name in COUNTED {
            metrics::gauge!(name).increment(0.0);
        }
        metrics::gauge!(
            "chatbridge_build_info",
            "version" => env!("CARGO_PKG_VERSION"),
            "revision" => option_env!("CHATBRIDGE_REVISION").unwrap_or_default(),
            "rustc" => env!("CHATBRIDGE_RUSTC"),
        )
        .set(1.0);
        let kept = handle.clone();
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(UPKEEP_EVERY).await;
                kept.run_upkeep();
            }
        });
    }
    Metrics { handle, process }
}

/// Buckets, and not quantiles: those of replicas can be added up.
fn builder() -> PrometheusBuilder {
    let mut builder = PrometheusBuilder::new();
    for family in FAMILIES {
        if let Kind::Histogram(bounds) = family.kind {
            let name = Matcher::Full(family.name.to_owned());
            // It refuses only an empty list.
            builder = match builder.set_buckets_for_metric(name, bounds) {
                Ok(builder) => builder,
                Err(_) => return PrometheusBuilder::new(),
            };
        }
    }
    builder
}

/// Says what a metric means, and begins each counter and histogram whose labels are known. What first appears when it
/// happens looks to Prometheus as if it had never been less, so that an alert would miss the first time.
fn begin(family: &Family) {
    let Family { name, help, .. } = *family;
    match family.kind {
        Kind::Counter => {
            metrics::describe_counter!(name, help);
            for labels in known_labels(family) {
                metrics::counter!(name, labels).increment(0);
            }
        }
        // One that nobody sets would tell what is not known.
        Kind::Gauge => metrics::describe_gauge!(name, help),
        Kind::Histogram(_) => {
            metrics::describe_histogram!(name, metrics::Unit::Seconds, help);
            for labels in known_labels(family) {
                let _begun = metrics::histogram!(name, labels);
            }
        }
    }
}

/// All combinations of its labels; none where one has values that are not known beforehand.
fn known_labels(family: &Family) -> Vec<Vec<Label>> {
    family.labels.iter().fold(vec![Vec::new()], |all, label| {
        let with = |value| {
            let more = Label::from_static_parts(label.name, value);
            all.iter()
                .map(move |some| [some.clone(), vec![more.clone()]].concat())
        };
        label.known().into_iter().flat_map(with).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_what_they_are() {
        for family in FAMILIES {
            let is_counter = matches!(family.kind, Kind::Counter);
            assert_eq!(family.name.ends_with("_total"), is_counter, "{}", family.name);
            if let Kind::Histogram(bounds) = family.kind {
                assert!(family.name.ends_with("_seconds"), "{}", family.name);
                assert!(bounds.is_sorted() && !bounds.is_empty(), "{}", family.name);
            }
            let named = FAMILIES.iter().filter(|other| other.name == family.name);
            assert_eq!(named.count(), 1, "{}", family.name);
        }
    }

    #[test]
    fn what_is_known_beforehand_is_there_before_it_happens() {
        let recorder = builder().build_recorder();
        metrics::with_local_recorder(&recorder, || FAMILIES.iter().for_each(begin));
        let text = recorder.handle().render();
        for line in [
            "chatbridge_gaps_total{reason=\"wiped\"} 0",
            "chatbridge_webhooks_total{result=\"bad_signature\"} 0",
            "chatbridge_tls_reloads_total{port=\"grpc\",result=\"refused\"} 0",
            "chatbridge_event_delivery_age_seconds_count{feed=\"log\"} 0",
            "chatbridge_session_queue_wait_seconds_bucket{outcome=\"answered\",le=\"20\"} 0",
        ] {
            assert!(text.lines().any(|it| it == line), "{line} is missing in\n{text}");
        }
        assert!(!text.contains("chatbridge_store_up "), "{text}");
    }
}
