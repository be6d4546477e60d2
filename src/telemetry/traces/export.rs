//! From spans that ended to the collector: a bounded queue, from which they go in batches. Whatever the collector does, nobody
//! who ends a span waits: one that has no room in the queue is dropped and counted.

use std::time::Duration;

use opentelemetry::Context;
use opentelemetry_sdk::{
    error::OTelSdkResult,
    trace::{Span, SpanData, SpanProcessor},
};
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, sleep, timeout, timeout_at},
};
use tracing::{info, warn};

use super::collector::Collector;

/// Counter of spans, by `result`: `exported`, `rejected` by the collector, `no_room` in the queue, or `failed` because the
/// collector could not be had.
const SPANS: &str = "chatbridge_trace_spans_total";

/// How many spans wait at the most. One takes about a kilobyte.
const QUEUE_SPANS: usize = 4096;
/// How many go at once.
const BATCH_SPANS: usize = 512;
/// How long a batch that is not full waits for more.
const LINGER: Duration = Duration::from_secs(1);
/// How often a batch is sent at the most, and how long is waited in between at first and at last.
const ATTEMPTS: u32 = 5;
const PAUSE_MIN: Duration = Duration::from_millis(500);
const PAUSE_MAX: Duration = Duration::from_secs(8);

/// Where spans go when they end.
#[derive(Debug)]
pub(super) struct Queue(mpsc::Sender<SpanData>);

impl SpanProcessor for Queue {
    fn on_start(&self, _: &mut Span, _: &Context) {}

    fn on_end(&self, span: SpanData) {
        if span.span_context.is_sampled() && self.0.try_send(span).is_err() {
            count("no_room", 1);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

/// Sends spans to the collector until it is stopped.
#[derive(Debug)]
pub struct Exporter {
    stop: oneshot::Sender<Instant>,
    task: tokio::task::JoinHandle<()>,
}

impl Exporter {
    /// Sends what waits, until a time at the latest, and ends. Spans that end later are lost.
    pub async fn stop(self, by: Instant) {
        // It fails only where the task is gone, and then there is nothing to wait for.
        let _ = self.stop.send(by);
        let _ = self.task.await;
    }
}

/// Starts to send spans.
pub(super) fn start(collector: Collector) -> (Queue, Exporter) {
    let (queue, spans) = mpsc::channel(QUEUE_SPANS);
    let (stop, stopped) = oneshot::channel();
    let sending = Sending {
        collector,
        spans,
        is_failing: false,
    };
    let task = tokio::spawn(sending.run(stopped));
    (Queue(queue), Exporter { stop, task })
}

struct Sending {
    collector: Collector,
    spans: mpsc::Receiver<SpanData>,
    is_failing: bool,
}

impl Sending {
    async fn run(mut self, mut stop: oneshot::Receiver<Instant>) {
        let mut batch = Vec::new();
        let by = loop {
            let stopped = tokio::select! {
                by = &mut stop => by,
                () = self.round(&mut batch) => continue,
            };
            match stopped {
                Ok(by) => break by,
                // Nobody can stop it any more: it goes on.
                Err(_) => loop {
                    self.round(&mut batch).await;
                },
            }
        };
        self.flush(batch, by).await;
    }

    /// Gathers a batch and sends it. Given up in between, `batch` holds what has not been sent.
    async fn round(&mut self, batch: &mut Vec<SpanData>) {
        if batch.is_empty() && self.spans.recv_many(batch, 1).await == 0 {
            return std::future::pending().await;
        }
        let full = async {
            while batch.len() < BATCH_SPANS {
                let room = BATCH_SPANS - batch.len();
                if self.spans.recv_many(batch, room).await == 0 {
                    return;
                }
            }
        };
        // Either way there is something to send.
        let _ = timeout(LINGER, full).await;
        let mut pause = PAUSE_MIN;
        for attempt in 1..=ATTEMPTS {
            if self.send(batch, attempt == ATTEMPTS).await {
                return;
            }
            sleep(pause).await;
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }

    /// Sends a batch and answers whether it is done with, one way or another.
    async fn send(&mut self, batch: &mut Vec<SpanData>, is_last: bool) -> bool {
        let spans = batch.len() as u64;
        match self.collector.send(batch.clone()).await {
            Ok(rejected) => {
                count("exported", spans.saturating_sub(rejected));
                count("rejected", rejected.min(spans));
                if std::mem::take(&mut self.is_failing) {
                    info!("traces are exported again");
                }
            }
            Err(refused) => {
                if !std::mem::replace(&mut self.is_failing, true) {
                    warn!(
                        problem = refused.problem,
                        "traces cannot be exported; calls and webhooks go on, and spans beyond the newest are dropped"
                    );
                }
                if refused.may_repeat && !is_last {
                    return false;
                }
                count("failed", spans);
            }
        }
        batch.clear();
        true
    }

    /// Sends all that waits, each batch once.
    async fn flush(mut self, mut batch: Vec<SpanData>, by: Instant) {
        self.spans.close();
        loop {
            while batch.len() < BATCH_SPANS
                && let Ok(span) = self.spans.try_recv()
            {
                batch.push(span);
            }
            if batch.is_empty() {
                return;
            }
            if timeout_at(by, self.send(&mut batch, true)).await.is_err() {
                count("failed", (batch.len() + self.spans.len()) as u64);
                return;
            }
        }
    }
}

fn count(result: &'static str, spans: u64) {
    if spans > 0 {
        metrics::counter!(SPANS, "result" => result).increment(spans);
    }
}

#[cfg(test)]
mod tests {
    use metrics_exporter_prometheus::PrometheusBuilder;
    use opentelemetry::trace::{Tracer as _, TracerProvider as _};
    use opentelemetry_sdk::trace::SdkTracerProvider;

    use super::*;

    #[test]
    fn what_has_no_room_is_counted_and_nobody_waits() {
        let (sender, mut spans) = mpsc::channel(QUEUE_SPANS);
        let provider = SdkTracerProvider::builder()
            .with_span_processor(Queue(sender))
            .build();
        let tracer = provider.tracer("test");
        let recorder = PrometheusBuilder::new().build_recorder();
        // Nobody takes anything out of the queue, and this ends all the same.
        metrics::with_local_recorder(&recorder, || {
            for _ in 0..QUEUE_SPANS + 7 {
                drop(tracer.start("a span"));
            }
        });
        let shown = recorder.handle().render();
        assert!(
            shown.contains("chatbridge_trace_spans_total{result=\"no_room\"} 7"),
            "{shown}"
        );
        let mut waiting = Vec::new();
        assert_eq!(spans.blocking_recv_many(&mut waiting, usize::MAX), QUEUE_SPANS);
    }
}
