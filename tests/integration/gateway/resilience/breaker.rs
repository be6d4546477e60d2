//! A vendor that keeps failing is left alone, and tried again.

use std::time::Duration;

use chatbridge::gateway::{
    Gateway, Resilience,
    UpstreamErrorKind::{self, CircuitOpen, OutcomeUnknown, Timeout, Unavailable},
};
use futures_util::future::join_all;
use metrics_exporter_prometheus::PrometheusBuilder;
use rstest::rstest;
use tokio::time::Instant;

use super::{BASE, Script, found, gateway_with, resilient, status};
use crate::{
    gateway::{Op, raw::Raw},
    support::service::eventually,
};

/// One request for each call, and a short time to be left alone.
const BREAKING: Resilience = Resilience {
    attempts: 1,
    circuit_open: Duration::from_secs(1),
    ..BASE
};

async fn fail_ten_times(gateway: &Gateway, op: Op, kind: UpstreamErrorKind) {
    for _ in 0..10 {
        assert_eq!(op.call(gateway, "c1").await.unwrap_err().kind, kind);
    }
}

#[tokio::test]
async fn who_keeps_failing_is_left_alone_and_then_tried_again() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let metrics = recorder.handle();
    let _guard = metrics::set_default_local_recorder(&recorder);
    let gauge = |value: u8| {
        let line = format!("chatbridge_upstream_circuit_open {value}");
        assert!(metrics.render().contains(&line), "{}", metrics.render());
    };
    let (server, script) = Script::serve([status(503)]).await;
    let gateway = resilient(&server.uri(), BREAKING);
    gauge(0);
    fail_ten_times(&gateway, Op::Send, OutcomeUnknown).await;
    gauge(1);

    let started = Instant::now();
    let error = Op::Send.call(&gateway.within(None), "c1").await.unwrap_err();
    assert_eq!((error.kind, error.status), (CircuitOpen, None));
    let wait = error.retry_after.unwrap();
    assert!(!wait.is_zero() && wait <= Duration::from_millis(1100), "{wait:?}");
    assert!(started.elapsed() < Duration::from_millis(500));
    assert_eq!(script.requests(), 10);

    script.answer(status(202));
    eventually("the circuit closes", async || {
        Op::Send.call(&gateway, "c1").await.ok()
    })
    .await;
    assert_eq!(script.requests(), 11);
    assert!(
        script.gaps()[9] >= Duration::from_millis(900),
        "{:?}",
        script.gaps()
    );
    gauge(0);
    let text = metrics.render();
    assert!(
        text.contains(
            "chatbridge_upstream_withheld_total{operation=\"send_message\",reason=\"circuit_open\"}"
        ),
        "{text}"
    );
}

#[tokio::test]
async fn one_probe_at_a_time_and_a_failed_one_doubles_the_wait() {
    let (server, script) = Script::serve([status(500)]).await;
    let gateway = resilient(&server.uri(), BREAKING);
    fail_ten_times(&gateway, Op::Get, Unavailable).await;
    script.answer(status(500).set_delay(Duration::from_millis(300)));
    // Many at once, again and again: as soon as one is let through, it is alone.
    eventually("there is a probe", async || {
        let results = join_all((0..20).map(|_| Op::Get.call(&gateway, "c1"))).await;
        let probes = results
            .iter()
            .filter(|result| result.as_ref().unwrap_err().kind == Unavailable)
            .count();
        assert!(probes <= 1, "{probes} probes");
        (probes == 1).then_some(())
    })
    .await;
    assert_eq!(script.requests(), 11);
    let error = Op::Get.call(&gateway, "c1").await.unwrap_err();
    let wait = error.retry_after.unwrap();
    assert!(wait > Duration::from_millis(1100), "{wait:?}");
}

#[tokio::test]
async fn a_probe_that_is_dropped_makes_room_for_the_next() {
    let (server, script) = Script::serve([status(500)]).await;
    let gateway = resilient(&server.uri(), BREAKING);
    fail_ten_times(&gateway, Op::Get, Unavailable).await;
    script.answer(found().set_delay(Duration::from_secs(60)));
    let probe = {
        let gateway = gateway.clone();
        tokio::spawn(async move {
            while let Err(error) = Op::Get.call(&gateway, "c1").await {
                tokio::time::sleep(error.retry_after.unwrap()).await;
            }
        })
    };
    script.wait_for(11).await;
    assert_eq!(Op::Get.call(&gateway, "c1").await.unwrap_err().kind, CircuitOpen);
    script.answer(found());
    probe.abort();
    assert!(probe.await.unwrap_err().is_cancelled());
    Op::Get.call(&gateway, "c1").await.unwrap();
    assert_eq!(script.requests(), 12);
}

#[rstest]
#[case(400)]
#[case(401)]
#[case(404)]
#[case(408)]
#[case(429)]
#[tokio::test]
async fn refusals_are_not_failures(#[case] code: u16) {
    let (server, script) = Script::serve([status(code)]).await;
    let gateway = resilient(&server.uri(), BREAKING);
    for _ in 0..30 {
        Op::Get.call(&gateway, "c1").await.unwrap_err();
    }
    assert_eq!(script.requests(), 30);
}

#[tokio::test]
async fn answers_that_cannot_be_read_are_not_failures() {
    let (server, script) = Script::serve([status(200).set_body_string("[]")]).await;
    let gateway = resilient(&server.uri(), BREAKING);
    for _ in 0..30 {
        Op::Create.call(&gateway, "").await.unwrap_err();
    }
    assert_eq!(script.requests(), 30);
}

#[tokio::test]
async fn a_deadline_that_was_too_short_is_not_the_vendors_failure() {
    let (server, script) = Script::serve([found().set_delay(Duration::from_secs(60))]).await;
    let gateway = resilient(&server.uri(), BREAKING);
    for _ in 0..20 {
        let soon = Some(Instant::now() + Duration::from_millis(60));
        let error = Op::Get.call(&gateway.within(soon), "c1").await.unwrap_err();
        assert_eq!(error.kind, Timeout);
    }
    script.answer(found());
    Op::Get.call(&gateway, "c1").await.unwrap();
}

#[tokio::test]
async fn silence_for_the_time_that_is_set_is_the_vendors_failure() {
    let (server, _script) = Script::serve([found().set_delay(Duration::from_secs(60))]).await;
    let gateway = gateway_with(&server.uri(), Duration::from_millis(100), BREAKING);
    fail_ten_times(&gateway, Op::Get, Timeout).await;
    assert_eq!(Op::Get.call(&gateway, "c1").await.unwrap_err().kind, CircuitOpen);
}

#[tokio::test]
async fn connections_that_break_are_failures() {
    let server = Raw::start(|peer| async move { peer.reset() }).await;
    let gateway = resilient(&server.base, BREAKING);
    fail_ten_times(&gateway, Op::Get, Unavailable).await;
    assert_eq!(Op::Get.call(&gateway, "c1").await.unwrap_err().kind, CircuitOpen);
}

#[tokio::test]
async fn with_no_time_to_be_left_alone_it_never_opens() {
    let (server, script) = Script::serve([status(500)]).await;
    let never = Resilience {
        circuit_open: Duration::ZERO,
        ..BREAKING
    };
    let gateway = resilient(&server.uri(), never);
    for _ in 0..30 {
        assert_eq!(Op::Get.call(&gateway, "c1").await.unwrap_err().kind, Unavailable);
    }
    assert_eq!(script.requests(), 30);
}
