//! What a test sees of logs and metrics, on its own thread.

use std::{
    io,
    sync::{Arc, Mutex},
};

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

use super::LOOKUPS;

/// Everything that was logged and counted on this thread since it was made.
pub(super) struct Observed {
    log: Log,
    metrics: PrometheusHandle,
    _guards: (
        metrics::LocalRecorderGuard<'static>,
        tracing::subscriber::DefaultGuard,
    ),
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Observed {
    pub(super) fn start() -> Self {
        let recorder = Box::leak(Box::new(PrometheusBuilder::new().build_recorder()));
        let metrics = recorder.handle();
        let log = Log::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .finish();
        let guards = (
            metrics::set_default_local_recorder(recorder),
            tracing::subscriber::set_default(subscriber),
        );
        Self {
            log,
            metrics,
            _guards: guards,
        }
    }

    /// The log, from here on empty.
    pub(super) fn log(&self) -> String {
        String::from_utf8(std::mem::take(&mut self.log.0.lock().unwrap())).unwrap()
    }

    /// Lookups by outcome, in the order of their names.
    pub(super) fn lookups(&self) -> Vec<(String, u64)> {
        let mut all: Vec<_> = self
            .metrics
            .render()
            .lines()
            .filter_map(|line| {
                let rest = line.strip_prefix(LOOKUPS)?.strip_prefix("{outcome=\"")?;
                let (outcome, times) = rest.split_once("\"} ")?;
                Some((outcome.to_owned(), times.parse().unwrap()))
            })
            .collect();
        all.sort();
        all
    }
}
