//! Sending fails: what is tried again, and when.

use chatbridge::store::outbox::{DeadReason, OutboxState, Settlement};
use rstest::rstest;

use super::{HOUR_MS, Kind, Outboxes, conversations, event, failed};

#[rstest]
#[tokio::test]
async fn a_conversation_waits_and_its_tries_are_counted(
    #[values(Kind::Memory, Kind::Redis, Kind::Sentinel, Kind::Cluster)] kind: Kind,
) {
    let o = Outboxes::new(kind).await;
    o.put(1, "c", 1).await;
    o.put(1, "c", 2).await;
    for tries in 0..3 {
        let claim = o.claim_one(1).await;
        assert_eq!((claim.event.clone(), claim.tries), (event("c", 1), tries));
        assert_eq!(o.settle(1, &claim, failed(0, 0, 0)).await, None);
        assert_eq!(o.due().await.webhooks, [1]);
    }
    let claim = o.claim_one(1).await;
    assert_eq!(o.settle(1, &claim, failed(2 * HOUR_MS, 0, 0)).await, None);
    o.expect_due_in_hours(2).await;
    assert_eq!(conversations(&o.claim(1, 8).await), [""; 0]);
    o.put(1, "c", 3).await;
    o.expect_due_in_hours(2).await;
    // Others go on.
    o.put(1, "d", 1).await;
    assert_eq!(o.claim_one(1).await.event, event("d", 1));
    assert_eq!(
        o.state().await,
        OutboxState {
            webhook: 1,
            waiting: 4,
            claimed: 1,
            ..OutboxState::default()
        }
    );
}

#[rstest]
#[tokio::test]
async fn tries_are_those_of_an_event(#[values(Kind::Memory, Kind::Redis)] kind: Kind) {
    let o = Outboxes::new(kind).await;
    for n in 2..=4 {
        o.put(1, "c", n).await;
    }
    let claim = o.claim_one(1).await;
    o.settle(1, &claim, failed(0, 0, 0)).await;
    let claim = o.claim_one(1).await;
    let next = o.settle(1, &claim, Settlement::Delivered).await.unwrap();
    assert_eq!((next.event.entry.n, next.tries), (3, 0));
    o.settle(1, &next, failed(0, 0, 0)).await;
    // The log is read again from an earlier place.
    o.put(1, "c", 1).await;
    o.put(1, "c", 2).await;
    let mut claim = Some(o.claim_one(1).await);
    for (n, tries) in [(1, 0), (2, 0), (3, 1), (4, 0)] {
        let current = claim.expect("another");
        assert_eq!((current.event.entry.n, current.tries), (n, tries));
        claim = o.settle(1, &current, Settlement::Delivered).await;
    }
    o.expect_nothing().await;
}

#[rstest]
#[tokio::test]
async fn a_webhook_that_fails_is_sent_nothing_until_its_pause_is_over(
    #[values(Kind::Memory, Kind::Redis, Kind::Sentinel, Kind::Cluster)] kind: Kind,
) {
    let o = Outboxes::new(kind).await;
    let before_ms = o.f.store.now_ms().await.unwrap();
    for name in ["a", "b", "c"] {
        o.put(1, name, 1).await;
        o.put(1, name, 2).await;
        o.pass_ms(2).await;
    }
    let claimed = o.claim(1, 3).await;
    assert_eq!(claimed.streak, 0);
    let [a, b, c] = <[_; 3]>::try_from(claimed.claims).unwrap();
    o.settle(1, &a, failed(0, 2 * HOUR_MS, 1)).await;
    o.expect_due_in_hours(2).await;
    // A shorter one does not end it, and the first says since when.
    o.pass_ms(2).await;
    let first = o.state().await;
    o.settle(1, &b, failed(0, HOUR_MS, 2)).await;
    let state = o.state().await;
    assert_eq!((state.streak, state.claimed), (2, 1));
    assert_eq!(state.failing_since_ms, first.failing_since_ms);
    assert_eq!(state.paused_until_ms, first.paused_until_ms);
    assert!(state.failing_since_ms >= before_ms && state.paused_until_ms >= before_ms + 2 * HOUR_MS);
    let claimed = o.claim(1, 8).await;
    assert_eq!((claimed.claims.len(), claimed.streak), (0, 2));
    o.put(1, "d", 1).await;
    o.expect_due_in_hours(2).await;
    // What is dropped or dead says nothing of the webhook, and what is next waits with it.
    assert_eq!(o.settle(1, &c, Settlement::Dropped).await, None);
    o.expect_due_in_hours(2).await;
    assert_eq!(conversations(&o.claim(1, 8).await), [""; 0]);
    assert_eq!(o.state().await.claimed, 0);
    assert_eq!(o.state().await.streak, 2);
}

#[rstest]
#[tokio::test]
async fn what_is_delivered_ends_failing_and_pause(
    #[values(Kind::Memory, Kind::Redis, Kind::Cluster)] kind: Kind,
) {
    let o = Outboxes::new(kind).await;
    for name in ["a", "b"] {
        o.put(1, name, 1).await;
        o.put(1, name, 2).await;
    }
    let claims = o.claim(1, 2).await.claims;
    o.settle(1, &claims[0], failed(0, HOUR_MS, 1)).await;
    let next = o.settle(1, &claims[1], Settlement::Delivered).await.unwrap();
    assert_eq!(next.event.entry.n, 2);
    let state = o.state().await;
    assert_eq!(
        (state.streak, state.failing_since_ms, state.paused_until_ms),
        (0, 0, 0)
    );
    assert_eq!(o.due().await.webhooks, [1]);
    assert_eq!(o.claim_one(1).await.tries, 1);
}

#[rstest]
#[tokio::test]
async fn one_at_a_time_is_tried_while_a_webhook_fails(
    #[values(Kind::Memory, Kind::Redis, Kind::Sentinel, Kind::Cluster)] kind: Kind,
) {
    let o = Outboxes::new(kind).await;
    for name in ["a", "b", "c", "d"] {
        for n in 1..=2 {
            o.put(1, name, n).await;
        }
        o.pass_ms(2).await;
    }
    let claims = o.claim(1, 3).await.claims;
    o.settle(1, &claims[0], failed(0, 0, 1)).await;
    // Two that were claimed before are still on their way.
    assert_eq!(o.due().await.webhooks, [1], "it is not known yet that it is full");
    assert_eq!(conversations(&o.claim(1, 3).await), [""; 0]);
    o.expect_due_in_hours(1).await;
    assert_eq!(
        o.settle(1, &claims[1], Settlement::Dropped).await,
        None,
        "another is"
    );
    assert_eq!(conversations(&o.claim(1, 3).await), [""; 0]);
    let next = o
        .settle(1, &claims[2], Settlement::Dead(DeadReason::Refused))
        .await;
    let next = next.expect("it is the only one now");
    assert_eq!(next.event, event("c", 2));
    assert_eq!(conversations(&o.claim(1, 3).await), [""; 0]);
    o.expect_due_in_hours(1).await;
    o.settle(1, &next, failed(0, 0, 2)).await;
    let claimed = o.claim(1, 3).await;
    assert_eq!((conversations(&claimed), claimed.streak), (vec!["d"], 2));
    assert_eq!(conversations(&o.claim(1, 3).await), [""; 0]);
    // It recovers, and all go on.
    assert!(
        o.settle(1, &claimed.claims[0], Settlement::Delivered)
            .await
            .is_some()
    );
    assert_eq!(o.due().await.webhooks, [1]);
    let claimed = o.claim(1, 8).await;
    assert_eq!(
        (conversations(&claimed), claimed.streak),
        (vec!["a", "b", "c"], 0)
    );
}

#[rstest]
#[tokio::test]
async fn a_streak_is_what_is_said_of_it(#[values(Kind::Memory, Kind::Redis)] kind: Kind) {
    let o = Outboxes::new(kind).await;
    for name in ["a", "b"] {
        o.put(1, name, 1).await;
    }
    for streak in [1, 5, 0, 2] {
        let claim = o.claim(1, 1).await.claims.remove(0);
        o.settle(1, &claim, failed(0, 0, streak)).await;
        let state = o.state().await;
        assert_eq!((state.streak, state.failing_since_ms > 0), (streak, streak > 0));
        assert_eq!(state.paused_until_ms, 0);
    }
}

/// A pause outlives what waited, and then nothing is left of it.
#[rstest]
#[tokio::test]
async fn a_pause_is_kept_without_events(#[values(Kind::Memory, Kind::Redis)] kind: Kind) {
    let o = Outboxes::new(kind).await;
    for n in 1..=2 {
        o.put(1, "c", n).await;
    }
    let lost = o.lose_one(1).await;
    let claim = o.claim_one(1).await;
    let next = o.settle(1, &claim, Settlement::Delivered).await.unwrap();
    o.settle(1, &next, failed(0, HOUR_MS, 3)).await;
    let mut taken = lost;
    taken.event = event("c", 2);
    assert_eq!(o.settle(1, &taken, Settlement::Delivered).await, None);
    let state = o.state().await;
    assert_eq!((state.waiting, state.streak), (0, 3));
    assert!(state.paused_until_ms > 0);
    o.expect_due_in_hours(1).await;
    o.put(1, "c", 3).await;
    assert_eq!(o.claim(1, 8).await.streak, 3);
    o.expect_due_in_hours(1).await;

    let o = Outboxes::new(kind).await;
    o.put(1, "c", 1).await;
    let claim = o.claim_one(1).await;
    o.settle(1, &claim, failed(0, 1, 1)).await;
    assert_eq!(o.settle(1, &claim, Settlement::Delivered).await, None);
    o.pass_ms(2).await;
    assert_eq!(conversations(&o.claim(1, 8).await), [""; 0]);
    o.expect_nothing().await;
}
