//! How fast and how many: what we hold back ourselves.

use std::time::Duration;

use chatbridge::gateway::{
    Resilience,
    UpstreamErrorKind::{RateLimited, Throttled},
};
use futures_util::future::join_all;
use metrics_exporter_prometheus::PrometheusBuilder;
use tokio::time::Instant;

use super::{BASE, Script, asking, found, per_second, resilient, status};
use crate::gateway::{Op, tenant};

#[tokio::test]
async fn a_rate_is_kept_and_all_get_their_turn() {
    let (server, script) = Script::serve([found()]).await;
    let gateway = resilient(&server.uri(), per_second(20));
    let started = Instant::now();
    // Clones share the limit.
    let gateways: Vec<_> = (0..30).map(|_| gateway.within(None)).collect();
    for result in join_all(gateways.iter().map(|g| Op::Get.call(g, "c1"))).await {
        result.unwrap();
    }
    // Ten more than a second's worth, one every 50 ms.
    assert!(
        started.elapsed() >= Duration::from_millis(490),
        "{:?}",
        started.elapsed()
    );
    assert_eq!(script.requests(), 30);
}

#[tokio::test]
async fn who_would_wait_past_the_deadline_is_told_when_to_come_back() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let metrics = recorder.handle();
    let _guard = metrics::set_default_local_recorder(&recorder);
    let (server, script) = Script::serve([found()]).await;
    let gateway = resilient(&server.uri(), per_second(1));
    let soon = gateway.within(Some(Instant::now() + Duration::from_millis(500)));
    // Whether the first one is answered in time does not matter; it has the turn.
    let (_, second) = tokio::join!(Op::Get.call(&gateway, "c1"), Op::Send.call(&soon, "c1"));
    let error = second.unwrap_err();
    assert_eq!((error.kind, error.status), (Throttled, None));
    let wait = error.retry_after.unwrap();
    assert!(!wait.is_zero() && wait <= Duration::from_secs(1), "{wait:?}");
    assert_eq!(script.requests(), 1);
    let text = metrics.render();
    let line = "chatbridge_upstream_withheld_total{operation=\"send_message\",reason=\"throttled\"} 1";
    assert!(text.contains(line), "{text}");
    assert!(!text.contains("outcome=\"throttled\""), "{text}");
}

#[tokio::test]
async fn no_more_are_under_way_than_may_be() {
    let (server, script) = Script::serve([found().set_delay(Duration::from_millis(100))]).await;
    let gateway = resilient(&server.uri(), Resilience { in_flight: 2, ..BASE });
    let started = Instant::now();
    for result in join_all((0..8).map(|_| Op::Get.call(&gateway, "c1"))).await {
        result.unwrap();
    }
    assert!(
        started.elapsed() >= Duration::from_millis(400),
        "{:?}",
        started.elapsed()
    );
    assert_eq!(script.requests(), 8);
}

#[tokio::test]
async fn who_finds_no_place_in_time_is_refused_and_a_place_is_given_back() {
    let (server, script) = Script::serve([found().set_delay(Duration::from_secs(60))]).await;
    let gateway = resilient(&server.uri(), Resilience { in_flight: 1, ..BASE });
    let busy = {
        let gateway = gateway.clone();
        tokio::spawn(async move { Op::Get.call(&gateway, "c1").await })
    };
    script.wait_for(1).await;
    let soon = Some(Instant::now() + Duration::from_millis(200));
    let error = Op::Get.call(&gateway.within(soon), "c1").await.unwrap_err();
    assert_eq!((error.kind, error.status), (Throttled, None));
    assert!(error.retry_after.is_some());
    assert_eq!(script.requests(), 1);
    // Whoever hangs up makes room.
    script.answer(found());
    busy.abort();
    Op::Get.call(&gateway, "c1").await.unwrap();
    assert_eq!(script.requests(), 2);
}

#[tokio::test]
async fn a_pause_that_the_vendor_asks_of_one_holds_for_all() {
    let (server, script) = Script::serve([asking(429, 2), found()]).await;
    let gateway = resilient(&server.uri(), Resilience { attempts: 1, ..BASE });
    let error = Op::Get.call(&gateway, "c1").await.unwrap_err();
    assert_eq!((error.kind, error.status), (RateLimited, Some(429)));
    // It does not fit.
    let soon = Some(Instant::now() + Duration::from_millis(500));
    let error = Op::Send.call(&gateway.within(soon), "c1").await.unwrap_err();
    assert_eq!((error.kind, error.status), (Throttled, None));
    let left = error.retry_after.unwrap();
    assert!(
        left > Duration::from_secs(1) && left <= Duration::from_secs(2),
        "{left:?}"
    );
    assert_eq!(script.requests(), 1);
    // It fits.
    Op::Get.call(&gateway, "c1").await.unwrap();
    assert_eq!(script.requests(), 2);
    assert!(
        script.gaps()[0] >= Duration::from_millis(1900),
        "{:?}",
        script.gaps()
    );
}

#[tokio::test]
async fn who_waits_for_a_place_keeps_the_pause_that_begins_meanwhile() {
    let slow = asking(429, 2).set_delay(Duration::from_millis(300));
    let (server, script) = Script::serve([slow, found()]).await;
    let limits = Resilience {
        attempts: 1,
        in_flight: 1,
        ..BASE
    };
    let gateway = resilient(&server.uri(), limits);
    let results = join_all((0..4).map(|_| Op::Get.call(&gateway, "c1"))).await;
    let refused = results.iter().filter(|result| result.is_err()).count();
    assert_eq!(refused, 1, "{results:?}");
    assert_eq!(script.requests(), 4);
    assert!(
        script.gaps()[0] >= Duration::from_millis(1900),
        "{:?}",
        script.gaps()
    );
}

#[tokio::test]
async fn a_callers_key_waits_like_any_call_and_the_webhook_doors_does_not() {
    let key = status(200).set_body_json(serde_json::json!({"kty": "RSA"}));
    let (server, script) = Script::serve([asking(429, 30), key]).await;
    let gateway = resilient(&server.uri(), Resilience { attempts: 1, ..BASE });
    Op::Get.call(&gateway, "c1").await.unwrap_err();
    let error = gateway.signing_key(&tenant(), "k").await.unwrap_err();
    assert_eq!((error.kind, error.status), (Throttled, None));
    assert_eq!(script.requests(), 1);
    gateway.verification_key(&tenant(), "k").await.unwrap();
    assert_eq!(script.requests(), 2);
}
