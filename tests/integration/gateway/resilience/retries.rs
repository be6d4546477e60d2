//! What is sent again, how often, and when.

use std::time::Duration;

use chatbridge::gateway::{
    Resilience,
    UpstreamErrorKind::{Invalid, NotFound, OutcomeUnknown, RateLimited, Throttled, Timeout, Unavailable},
};
use metrics_exporter_prometheus::PrometheusBuilder;
use rstest::rstest;
use tokio::time::Instant;

use super::{BASE, Script, asking, found, gateway_with, resilient, status};
use crate::gateway::{Op, raw::Raw, tenant};

#[rstest]
#[case(500)]
#[case(502)]
#[case(503)]
#[case(504)]
#[case(408)]
#[case(429)]
#[tokio::test]
async fn what_is_safe_is_repeated_until_it_succeeds(#[case] code: u16) {
    let (server, script) = Script::serve([status(code), status(code), found()]).await;
    Op::Get.call(&resilient(&server.uri(), BASE), "c1").await.unwrap();
    assert_eq!(script.requests(), 3);
    let gaps = script.gaps();
    assert!(gaps[0] >= Duration::from_millis(50), "{gaps:?}");
    assert!(gaps[1] >= Duration::from_millis(100), "{gaps:?}");
}

#[tokio::test]
async fn there_is_an_end_to_it() {
    let (server, script) = Script::serve([status(503)]).await;
    for attempts in [1, 2, 4] {
        let before = script.requests();
        let gateway = resilient(&server.uri(), Resilience { attempts, ..BASE });
        let error = Op::Get.call(&gateway, "c1").await.unwrap_err();
        assert_eq!((error.kind, error.status), (Unavailable, Some(503)));
        assert_eq!(script.requests() - before, attempts as usize);
    }
}

#[rstest]
#[case(400, Op::Get)]
#[case(401, Op::Get)]
#[case(404, Op::Get)]
#[case(409, Op::Get)]
#[case(500, Op::Send)]
#[case(503, Op::Create)]
#[case(408, Op::Typing)]
#[case(504, Op::PatchAssignment)]
#[tokio::test]
async fn what_would_not_help_or_could_happen_twice_is_sent_once(#[case] code: u16, #[case] op: Op) {
    let (server, script) = Script::serve([status(code), found()]).await;
    op.call(&resilient(&server.uri(), BASE), "c1").await.unwrap_err();
    assert_eq!(script.requests(), 1);
}

#[tokio::test]
async fn what_was_refused_for_its_rate_did_not_happen() {
    let (server, script) = Script::serve([status(429), status(202)]).await;
    Op::Send
        .call(&resilient(&server.uri(), BASE), "c1")
        .await
        .unwrap();
    assert_eq!(script.requests(), 2);
}

#[tokio::test]
async fn what_was_lost_is_repeated_only_where_that_is_safe() {
    let server = Raw::start(|mut peer| async move {
        peer.read_request().await?;
        peer.reset()
    })
    .await;
    let gateway = resilient(&server.base, BASE);
    let error = Op::Send.call(&gateway, "c1").await.unwrap_err();
    assert_eq!(error.kind, OutcomeUnknown);
    assert_eq!(server.requests(), 1);
    let error = Op::Get.call(&gateway, "c1").await.unwrap_err();
    assert_eq!(error.kind, Unavailable);
    assert_eq!(server.requests(), 4);
}

/// Nobody listens at first; the connection that never was does no harm to anything.
#[tokio::test]
async fn a_connection_that_was_never_made_is_tried_again_for_anything() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let recorder = PrometheusBuilder::new().build_recorder();
    let metrics = recorder.handle();
    let _guard = metrics::set_default_local_recorder(&recorder);
    let gateway = resilient(&format!("http://{address}"), BASE);
    let error = Op::Send.call(&gateway, "c1").await.unwrap_err();
    assert_eq!((error.kind, error.status), (Unavailable, None));
    let text = metrics.render();
    for line in [
        "chatbridge_upstream_requests_total{operation=\"send_message\",outcome=\"unavailable\"} 3",
        "chatbridge_upstream_retries_total{operation=\"send_message\"} 2",
    ] {
        assert!(text.contains(line), "no {line} in\n{text}");
    }
}

#[rstest]
#[case(429, Op::Send)]
#[case(429, Op::Get)]
#[case(503, Op::Get)]
#[tokio::test]
async fn nobody_comes_back_earlier_than_asked(#[case] code: u16, #[case] op: Op) {
    let success = if op == Op::Get { found() } else { status(202) };
    let (server, script) = Script::serve([asking(code, 1), success]).await;
    op.call(&resilient(&server.uri(), BASE), "c1").await.unwrap();
    assert_eq!(script.requests(), 2);
    assert!(script.gaps()[0] >= Duration::from_secs(1), "{:?}", script.gaps());
}

#[rstest]
#[case::too_long(6, None)]
#[case::not_in_time(2, Some(1))]
#[tokio::test]
async fn a_wait_that_does_not_fit_is_the_callers(#[case] asked: u64, #[case] left: Option<u64>) {
    for (code, kind) in [(429, RateLimited), (503, Unavailable)] {
        let (server, script) = Script::serve([asking(code, asked), found()]).await;
        let gateway = resilient(&server.uri(), BASE);
        let started = Instant::now();
        let deadline = left.map(|seconds| started + Duration::from_secs(seconds));
        let error = Op::Get.call(&gateway.within(deadline), "c1").await.unwrap_err();
        assert_eq!((error.kind, error.status), (kind, Some(code)));
        assert_eq!(error.retry_after, Some(Duration::from_secs(asked)));
        assert!(started.elapsed() < Duration::from_secs(1));
        assert_eq!(script.requests(), 1);
    }
}

#[tokio::test]
async fn a_vendor_that_fails_everywhere_is_not_asked_three_times_as_much() {
    let (server, script) = Script::serve([status(500)]).await;
    let gateway = resilient(&server.uri(), BASE);
    let calls = (0..200).map(|_| Op::Get.call(&gateway, "c1"));
    for result in futures_util::future::join_all(calls).await {
        assert_eq!(result.unwrap_err().kind, Unavailable);
    }
    // Five a second over ten seconds, however many calls there are.
    let repeats = script.requests() - 200;
    assert!((40..=60).contains(&repeats), "{repeats}");
}

#[tokio::test]
async fn a_deletion_whose_answer_was_lost_finds_nothing_left() {
    let (server, script) = Script::serve([status(502), status(404)]).await;
    let gateway = resilient(&server.uri(), BASE);
    gateway.delete_webhook(&tenant(), "w1").await.unwrap();
    assert_eq!(script.requests(), 2);
    // What was not there at the first attempt was never there.
    let error = gateway.delete_webhook(&tenant(), "w1").await.unwrap_err();
    assert_eq!(error.kind, NotFound);
    assert_eq!(script.requests(), 3);
}

#[tokio::test]
async fn each_request_is_counted_and_each_repeat() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let metrics = recorder.handle();
    let _guard = metrics::set_default_local_recorder(&recorder);
    let (server, _script) = Script::serve([status(503), status(503), found(), status(400)]).await;
    let gateway = resilient(&server.uri(), BASE);
    Op::Get.call(&gateway, "c1").await.unwrap();
    assert_eq!(Op::Get.call(&gateway, "c1").await.unwrap_err().kind, Invalid);
    let text = metrics.render();
    let requests = "chatbridge_upstream_requests_total{operation=\"get_conversation\"";
    for line in [
        format!("{requests},outcome=\"unavailable\"}} 2"),
        format!("{requests},outcome=\"success\"}} 1"),
        format!("{requests},outcome=\"invalid\"}} 1"),
        "chatbridge_upstream_retries_total{operation=\"get_conversation\"} 2".to_owned(),
    ] {
        assert!(text.contains(&line), "no {line} in\n{text}");
    }
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_is_not_asked_for_again() {
    let (server, script) = Script::serve([status(200).set_body_string("[]")]).await;
    Op::Get
        .call(&resilient(&server.uri(), BASE), "c1")
        .await
        .unwrap_err();
    assert_eq!(script.requests(), 1);
}

#[tokio::test]
async fn a_key_is_fetched_whatever_callers_have_used_up() {
    let limits = Resilience {
        circuit_open: Duration::from_secs(60),
        in_flight: 1,
        ..super::per_second(1)
    };
    // Refused for an hour, and the turn is used up.
    let (server, script) = Script::serve([asking(429, 3600)]).await;
    let gateway = resilient(&server.uri(), limits);
    Op::Get.call(&gateway, "c1").await.unwrap_err();
    assert_eq!(Op::Get.call(&gateway, "c1").await.unwrap_err().kind, Throttled);
    assert_eq!(script.requests(), 1);
    script.answer(status(200).set_body_string("{}"));
    for _ in 0..20 {
        gateway.verification_key(&tenant(), "k").await.unwrap();
    }
    // It is repeated, too.
    script.answer(status(500));
    let error = gateway.verification_key(&tenant(), "k").await.unwrap_err();
    assert_eq!(error.kind, Unavailable);
    assert_eq!(script.requests(), 24);
}

#[tokio::test]
async fn all_attempts_for_a_key_together_take_no_longer_than_one_request_may() {
    let server = Raw::start(|mut peer| async move {
        peer.read_request().await?;
        peer.wait_for_end().await;
        Ok(())
    })
    .await;
    let gateway = gateway_with(&server.base, Duration::from_millis(500), BASE);
    let error = gateway.verification_key(&tenant(), "k").await.unwrap_err();
    assert_eq!(error.kind, Timeout);
    assert_eq!(server.requests(), 1);
}
