//! Claims: whose turn it is to send, and how many at once.

use std::collections::BTreeSet;

use chatbridge::store::outbox::{DeadReason, Due, Settlement};
use futures_util::future::join_all;
use rstest::rstest;

use super::{HOUR_MS, Kind, Outboxes, conversations, event, failed};

#[rstest]
#[tokio::test]
async fn a_conversation_is_claimed_by_one(
    #[values(Kind::Memory, Kind::Redis, Kind::Sentinel, Kind::Cluster)] kind: Kind,
) {
    let o = Outboxes::new(kind).await;
    for c in 0..40 {
        for n in 1..=3 {
            o.put(1, &format!("c{c}"), n).await;
        }
    }
    let claimed = join_all((0..20).map(|i| o.claim(1, 2 * i))).await;
    let claims: Vec<_> = claimed.into_iter().flat_map(|it| it.claims).collect();
    let distinct: BTreeSet<_> = claims.iter().map(|it| &it.event.conversation).collect();
    assert_eq!((claims.len(), distinct.len()), (38, 38));
    assert!(claims.iter().all(|it| it.event.entry.n == 1 && it.tries == 0));
    let state = o.state().await;
    assert_eq!((state.waiting, state.claimed), (120, 38));
    assert_eq!(conversations(&o.claim(1, 100).await).len(), 2);
}

#[rstest]
#[tokio::test]
async fn so_many_are_claimed_at_once_and_those_that_waited_for_longest_first(
    #[values(Kind::Memory, Kind::Redis, Kind::Sentinel, Kind::Cluster)] kind: Kind,
) {
    let o = Outboxes::new(kind).await;
    for name in ["e", "d", "c", "b", "a"] {
        o.put(1, name, 1).await;
        o.pass_ms(2).await;
    }
    o.put(1, "e", 2).await;
    assert_eq!(
        o.due().await,
        Due {
            webhooks: vec![1],
            next_in_ms: None
        }
    );
    let first = o.claim(1, 3).await;
    assert_eq!(conversations(&first), ["e", "d", "c"]);
    // Two are due, and nobody may have them: whoever asked on and on would spin.
    o.expect_due_in_hours(1).await;
    assert_eq!(conversations(&o.claim(1, 3).await), [""; 0]);
    o.put(1, "f", 1).await;
    o.expect_due_in_hours(1).await;
    // Who goes on keeps the seat.
    let next = o
        .settle(1, &first.claims[0], Settlement::Delivered)
        .await
        .unwrap();
    assert_eq!((next.event.conversation.as_str(), next.event.entry.n), ("e", 2));
    o.expect_due_in_hours(1).await;
    assert_eq!(conversations(&o.claim(1, 3).await), [""; 0]);
    // Somebody else may have more seats.
    assert_eq!(conversations(&o.claim(1, 4).await), ["b"]);
    for claim in [next, first.claims[1].clone()] {
        assert_eq!(o.settle(1, &claim, Settlement::Delivered).await, None);
        assert_eq!(o.due().await.webhooks, [1]);
    }
    assert_eq!(conversations(&o.claim(1, 4).await), ["a", "f"]);
    // Nothing is left that is not claimed.
    o.expect_due_in_hours(1).await;
    assert_eq!(o.state().await.claimed, 4);
}

#[rstest]
#[tokio::test]
async fn a_seat_is_free_when_its_lease_is_over_or_its_claim_is_settled(
    #[values(Kind::Memory, Kind::Redis)] kind: Kind,
    #[values(
        Settlement::Delivered,
        Settlement::Dropped,
        Settlement::Dead(DeadReason::Refused),
        failed(HOUR_MS, 0, 0)
    )]
    settlement: Settlement,
) {
    let o = Outboxes::new(kind).await;
    for name in ["a", "b", "c"] {
        o.put(1, name, 1).await;
        o.pass_ms(2).await;
    }
    let claim = o.claim(1, 1).await.claims.remove(0);
    o.expect_due_in_hours(1).await;
    assert_eq!(o.settle(1, &claim, settlement).await, None);
    assert_eq!(o.due().await.webhooks, [1]);
    assert_eq!(o.lose_one(1).await.event, event("b", 1));
    assert_eq!(o.due().await.webhooks, [1]);
    // What was put there meanwhile hides nothing.
    o.put(1, "d", 1).await;
    assert_eq!(o.due().await.webhooks, [1]);
    assert_eq!(conversations(&o.claim(1, 1).await), ["c"]);
    assert_eq!(conversations(&o.claim(1, 3).await), ["b", "d"]);
}

#[rstest]
#[tokio::test]
async fn who_lost_a_claim_can_say_no_more_than_that_it_was_delivered(
    #[values(Kind::Memory, Kind::Redis, Kind::Sentinel, Kind::Cluster)] kind: Kind,
    #[values(Settlement::Delivered, Settlement::Dropped)] done: Settlement,
) {
    let o = Outboxes::new(kind).await;
    for n in 1..=3 {
        o.put(1, "c", n).await;
    }
    let old = o.lose_one(1).await;
    let new = o.claim_one(1).await;
    assert_eq!((&new.event, new.tries), (&old.event, 0));
    assert_ne!(new.token, old.token);
    for nothing in [failed(0, HOUR_MS, 9), Settlement::Dead(DeadReason::Expired)] {
        assert_eq!(o.settle(1, &old, nothing).await, None);
    }
    let state = o.state().await;
    assert_eq!(
        (
            state.waiting,
            state.claimed,
            state.dead,
            state.streak,
            state.paused_until_ms
        ),
        (3, 1, 0, 0, 0)
    );
    assert_eq!(o.settle(1, &old, done).await, None);
    let state = o.state().await;
    assert_eq!((state.waiting, state.claimed), (2, 1));
    assert_eq!(conversations(&o.claim(1, 8).await), [""; 0]);
    // Its own failure is none of the next event's.
    assert_eq!(o.settle(1, &new, failed(0, 0, 0)).await, None);
    let next = o.claim_one(1).await;
    assert_eq!((next.event.entry.n, next.tries), (2, 0));
    let next = o.settle(1, &next, Settlement::Delivered).await.unwrap();
    assert_eq!((next.event.entry.n, next.tries), (3, 0));
}

#[rstest]
#[tokio::test]
async fn who_delivered_too_late_delivered(#[values(Kind::Memory, Kind::Redis)] kind: Kind) {
    let o = Outboxes::new(kind).await;
    o.put(1, "c", 1).await;
    let lost = o.lose_one(1).await;
    for nothing in [failed(HOUR_MS, HOUR_MS, 9), Settlement::Dead(DeadReason::Refused)] {
        assert_eq!(o.settle(1, &lost, nothing).await, None);
        assert_eq!(o.due().await.webhooks, [1]);
    }
    assert_eq!(o.settle(1, &lost, Settlement::Delivered).await, None);
    o.expect_nothing().await;

    // Another sends it at the same time, so nobody else may have the conversation for as long.
    o.put(1, "c", 1).await;
    let lost = o.lose_one(1).await;
    let claim = o.claim_one(1).await;
    assert_eq!(o.settle(1, &lost, Settlement::Delivered).await, None);
    o.put(1, "c", 2).await;
    assert_eq!(conversations(&o.claim(1, 8).await), [""; 0]);
    let next = o
        .settle(1, &claim, Settlement::Dead(DeadReason::Refused))
        .await
        .unwrap();
    assert_eq!((next.event.entry.n, next.tries), (2, 0));
    assert_eq!(o.dead(1).await, [], "it was delivered");
    assert_eq!(o.settle(1, &next, Settlement::Dropped).await, None);
    o.expect_nothing().await;

    // And where nothing comes the claim is let go of when it is over.
    o.put(1, "c", 1).await;
    let lost = o.lose_one(1).await;
    assert_eq!(o.claim_for(1, 8, 1).await.claims.len(), 1);
    assert_eq!(o.settle(1, &lost, Settlement::Delivered).await, None);
    o.pass_ms(2).await;
    assert_eq!(conversations(&o.claim(1, 8).await), [""; 0]);
    o.expect_nothing().await;
}

/// Everything may be repeated whose answer got lost.
#[rstest]
#[tokio::test]
async fn a_settlement_that_is_repeated_answers_the_same(
    #[values(Kind::Memory, Kind::Redis, Kind::Cluster)] kind: Kind,
) {
    let o = Outboxes::new(kind).await;
    for n in 1..=4 {
        o.put(1, "c", n).await;
    }
    let first = o.claim_one(1).await;
    let second = o.settle(1, &first, Settlement::Delivered).await;
    assert_eq!(second.as_ref().unwrap().event, event("c", 2));
    assert_eq!(o.settle(1, &first, Settlement::Delivered).await, second);
    let dead = Settlement::Dead(DeadReason::Refused);
    let third = o.settle(1, second.as_ref().unwrap(), dead).await;
    assert_eq!(third.as_ref().unwrap().event, event("c", 3));
    assert_eq!(o.settle(1, second.as_ref().unwrap(), dead).await, third);
    assert_eq!(
        o.settle(1, &first, Settlement::Delivered).await,
        None,
        "long settled"
    );
    assert_eq!(o.dead(1).await, [(event("c", 2), DeadReason::Refused, 0)]);
    for _ in 0..2 {
        assert_eq!(o.settle(1, third.as_ref().unwrap(), failed(0, 0, 0)).await, None);
    }
    let again = o.claim_one(1).await;
    assert_eq!((again.event, again.tries), (event("c", 3), 1));
    assert_eq!(o.state().await.waiting, 2);
}

#[rstest]
#[tokio::test]
async fn webhooks_are_due_in_the_order_in_which_they_wait(
    #[values(Kind::Memory, Kind::Redis, Kind::Sentinel, Kind::Cluster)] kind: Kind,
) {
    let o = Outboxes::new(kind).await;
    assert_eq!(o.due().await, Due::default());
    for webhook in [7, 2, 30, 0] {
        o.put(webhook, &format!("c{webhook}"), 1).await;
        o.pass_ms(2).await;
    }
    let due = async |limit| o.store().due(&o.tenant, limit).await.unwrap();
    let expect = |webhooks: &[u64], next_in_ms| Due {
        webhooks: webhooks.to_vec(),
        next_in_ms,
    };
    assert_eq!(due(0).await, expect(&[], Some(0)));
    assert_eq!(due(2).await, expect(&[7, 2], Some(0)));
    assert_eq!(due(4).await, expect(&[7, 2, 30, 0], None));
    assert_eq!(due(usize::MAX).await, expect(&[7, 2, 30, 0], None));
    assert_eq!(o.claim_for(2, usize::MAX, 2 * HOUR_MS).await.claims.len(), 1);
    let claim = o.claim_one(7).await;
    assert_eq!(o.due().await.webhooks, [30, 0]);
    assert_eq!(o.settle(7, &claim, failed(0, 0, 0)).await, None);
    assert_eq!(o.due().await.webhooks, [30, 0, 7], "it waits since now");
    for webhook in [30, 0, 7] {
        o.claim_one(webhook).await;
    }
    o.expect_due_in_hours(1).await;
    let states = o.states().await;
    assert_eq!(
        states.iter().map(|it| it.webhook).collect::<Vec<_>>(),
        [0, 2, 7, 30]
    );
}
