//! The caller's deadline reaches the request, and so does hanging up.

use std::time::Duration;

use chatbridge::gateway::UpstreamErrorKind::{OutcomeUnknown, Timeout, Unavailable};
use metrics_exporter_prometheus::PrometheusBuilder;
use tokio::{
    sync::mpsc,
    time::{Instant, timeout},
};

use super::{BASE, Script, found, resilient, status};
use crate::gateway::{Op, raw::Raw};

const PROMPT: Duration = Duration::from_secs(15);

async fn silent() -> Raw {
    Raw::start(|mut peer| async move {
        peer.read_request().await?;
        peer.wait_for_end().await;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn no_request_outlives_the_callers_deadline() {
    let server = silent().await;
    let gateway = resilient(&server.base, BASE);
    for op in [Op::Get, Op::Send] {
        let deadline = Instant::now() + Duration::from_millis(400);
        let error = op.call(&gateway.within(Some(deadline)), "c1").await.unwrap_err();
        let expected = if op.is_safe() { Timeout } else { OutcomeUnknown };
        assert_eq!((error.kind, error.status), (expected, None), "{op:?}");
    }
    // There was no time for a second attempt.
    assert_eq!(server.requests(), 2);
}

#[tokio::test]
async fn our_error_comes_before_the_deadline() {
    let server = silent().await;
    let gateway = resilient(&server.base, BASE);
    let deadline = Instant::now() + Duration::from_secs(1);
    let gateway = gateway.within(Some(deadline));
    let call = Op::Get.call(&gateway, "c1");
    let error = tokio::time::timeout_at(deadline, call).await;
    assert_eq!(error.expect("in time").unwrap_err().kind, Timeout);
}

#[tokio::test]
async fn what_has_no_time_left_is_not_sent() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let metrics = recorder.handle();
    let _guard = metrics::set_default_local_recorder(&recorder);
    let (server, script) = Script::serve([found()]).await;
    let gateway = resilient(&server.uri(), BASE).within(Some(Instant::now()));
    for op in [Op::Get, Op::Send, Op::Key] {
        let error = op.call(&gateway, "c1").await.unwrap_err();
        // Nothing was sent, so this is certain for anything.
        assert_eq!((error.kind, error.status), (Timeout, None), "{op:?}");
    }
    assert_eq!(script.requests(), 0);
    let text = metrics.render();
    let line = "chatbridge_upstream_withheld_total{operation=\"send_message\",reason=\"timeout\"} 1";
    assert!(text.contains(line), "{text}");
    assert!(!text.contains("chatbridge_upstream_requests_total{"), "{text}");
}

#[tokio::test]
async fn back_off_ends_with_the_deadline() {
    let (server, script) = Script::serve([status(500)]).await;
    let started = Instant::now();
    let gateway = resilient(
        &server.uri(),
        chatbridge::gateway::Resilience { attempts: 10, ..BASE },
    );
    let gateway = gateway.within(Some(started + Duration::from_millis(500)));
    let error = Op::Get.call(&gateway, "c1").await.unwrap_err();
    // The failure itself, rather than that there was no time to try again.
    assert_eq!((error.kind, error.status), (Unavailable, Some(500)));
    assert!(started.elapsed() < Duration::from_millis(500));
    assert!((2..6).contains(&script.requests()), "{}", script.requests());
}

#[tokio::test]
async fn hanging_up_during_a_repeat_abandons_it_at_once() {
    let (told, mut tells) = mpsc::unbounded_channel();
    let server = Raw::start(move |mut peer| {
        let told = told.clone();
        async move {
            peer.read_request().await?;
            let error = b"HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\n\r\n";
            peer.write(error).await?;
            peer.read_request().await?;
            told.send("read").unwrap();
            peer.wait_for_end().await;
            told.send("ended").unwrap();
            Ok(())
        }
    })
    .await;
    let gateway = resilient(&server.base, BASE);
    let call = tokio::spawn(async move { Op::Get.call(&gateway, "c1").await });
    assert_eq!(timeout(PROMPT, tells.recv()).await.unwrap(), Some("read"));
    call.abort();
    assert_eq!(timeout(PROMPT, tells.recv()).await.unwrap(), Some("ended"));
    assert_eq!(server.requests(), 2);
}
