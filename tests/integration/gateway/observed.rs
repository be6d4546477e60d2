//! What operators see of requests, and what nobody may see.

use std::{
    collections::BTreeSet,
    io,
    sync::{Arc, Mutex},
};

use metrics_exporter_prometheus::PrometheusBuilder;
use serde_json::json;
use tracing_subscriber::fmt::MakeWriter;
use wiremock::ResponseTemplate;

use super::{KEY, Op, answering, gateway, gateway_within, raw::Raw};

/// Collects what is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// How many durations were measured, as the metric shows it.
fn duration(operation: &str, method: &str, status: &str, error: &str, count: u64) -> String {
    format!(
        "http_client_request_duration_seconds_count{{operation=\"{operation}\",http_request_method=\"{method}\",\
         http_response_status_code=\"{status}\",error_type=\"{error}\"}} {count}"
    )
}

#[tokio::test]
async fn requests_are_counted_by_operation_and_outcome() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let metrics = recorder.handle();
    let _guard = metrics::set_default_local_recorder(&recorder);

    let server = answering(ResponseTemplate::new(202)).await;
    let upstream = gateway(&server.uri());
    Op::Send.call(&upstream, "c1").await.unwrap();
    Op::Send.call(&upstream, "c1").await.unwrap();
    // An empty answer is no key.
    Op::Key.call(&upstream, "k").await.unwrap_err();
    // Refused before it is sent: no request.
    Op::Send.call(&upstream, "..").await.unwrap_err();
    drop(server);
    let silent = Raw::start(|mut peer| async move {
        peer.wait_for_end().await;
        Ok(())
    })
    .await;
    let upstream = gateway(&silent.base);
    tokio::select! {
        biased;
        _ = Op::Send.call(&upstream, "c1") => panic!("nobody answers"),
        () = tokio::task::yield_now() => {}
    }
    let upstream = gateway_within(&silent.base, std::time::Duration::from_millis(100));
    Op::Send.call(&upstream, "c1").await.unwrap_err();

    let text = metrics.render();
    let requests = "chatbridge_upstream_requests_total";
    for line in [
        format!("{requests}{{operation=\"send_message\",outcome=\"success\"}} 2"),
        format!("{requests}{{operation=\"send_message\",outcome=\"outcome_unknown\"}} 1"),
        format!("{requests}{{operation=\"send_message\",outcome=\"cancelled\"}} 1"),
        format!("{requests}{{operation=\"get_signing_key\",outcome=\"unexpected\"}} 1"),
        duration("send_message", "POST", "202", "", 2),
        duration("send_message", "POST", "", "cancelled", 1),
        duration("get_signing_key", "GET", "202", "unexpected", 1),
    ] {
        assert!(text.contains(&line), "no {line} in\n{text}");
    }
    assert!(!text.contains("outcome=\"invalid\""), "{text}");
}

#[tokio::test]
async fn every_operation_has_its_name() {
    for op in Op::ALL {
        let recorder = PrometheusBuilder::new().build_recorder();
        let metrics = recorder.handle();
        let _guard = metrics::set_default_local_recorder(&recorder);
        let server = answering(ResponseTemplate::new(404)).await;
        op.call(&gateway(&server.uri()), "c1").await.unwrap_err();
        let (text, name) = (metrics.render(), op.row().name);
        let line =
            format!("chatbridge_upstream_requests_total{{operation=\"{name}\",outcome=\"not_found\"}} 1");
        assert!(text.contains(&line), "no {line} in\n{text}");
    }
    // Patches and replacements count under one name each, with an assignment or without.
    let names: BTreeSet<&str> = Op::ALL.into_iter().map(|op| op.row().name).collect();
    assert_eq!(names.len(), 32);
}

#[tokio::test]
async fn a_request_leaves_one_line_without_secrets_in_the_log() {
    // Once without listening: where another test is just the first to come by a line of the log, the library may note that nobody
    // listens, after all others were asked anew.
    let server = answering(ResponseTemplate::new(400)).await;
    Op::Send.call(&gateway(&server.uri()), "c1").await.unwrap_err();
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(log.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    // Other tests, which have no subscriber, may have made the library believe that nobody listens.
    tracing::callsite::rebuild_interest_cache();

    let body = json!({"message": "words of the vendor", "referenceId": "dacd0dd252723a2"});
    let server = answering(ResponseTemplate::new(400).set_body_json(body)).await;
    let error = Op::Send.call(&gateway(&server.uri()), "c1").await.unwrap_err();
    assert_eq!(error.message, "words of the vendor");

    let text = log.text();
    let ours: Vec<&str> = text
        .lines()
        .filter(|line| line.contains("DEBUG chatbridge::gateway"))
        .collect();
    assert_eq!(ours.len(), 1, "{text}");
    for part in [
        "operation=\"send_message\"",
        "outcome=\"invalid\"",
        "status=400",
        "duration_ms=",
        "reference_id=\"dacd0dd252723a2\"",
    ] {
        assert!(ours[0].contains(part), "no {part} in {}", ours[0]);
    }
    // Nor do the libraries below tell, even at their most talkative.
    for secret in [KEY, "words of a customer", "words of the vendor"] {
        assert!(!text.contains(secret), "{secret:?} is in the log");
    }
}
