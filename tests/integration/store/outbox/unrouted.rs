//! Events of which it is not known yet to which webhook they go.

use std::collections::BTreeMap;

use chatbridge::store::outbox::{Claim, DeadReason, Enqueued, Settlement, UNROUTED};
use rstest::rstest;

use super::{HOUR_MS, Kind, MANY, Outboxes, conversations, event, failed};

impl Outboxes {
    async fn route(&self, claim: &Claim, to: u64) -> bool {
        self.store().route(&self.tenant, claim, to).await.unwrap()
    }

    async fn waiting(&self) -> BTreeMap<u64, u64> {
        let states = self.states().await.into_iter();
        states.map(|state| (state.webhook, state.waiting)).collect()
    }
}

#[rstest]
#[tokio::test]
async fn what_comes_later_stays_behind_what_is_not_routed_yet(
    #[values(Kind::Memory, Kind::Redis, Kind::Sentinel, Kind::Cluster)] kind: Kind,
) {
    let o = Outboxes::new(kind).await;
    o.put(UNROUTED, "c", 1).await;
    for n in [2, 1, 2] {
        o.put(5, "c", n).await;
    }
    o.put(5, "d", 3).await;
    assert_eq!(o.waiting().await, [(0, 2), (5, 1)].into());
    let claim = o.claim_one(UNROUTED).await;
    o.settle(UNROUTED, &claim, failed(0, 0, 0)).await;
    let lost = claim;
    assert!(!o.route(&lost, 5).await);
    let claim = o.claim_one(UNROUTED).await;
    assert_eq!((claim.event.entry.n, claim.tries), (1, 1));
    assert!(!o.route(&lost, 5).await);
    assert!(!o.route(&claim, UNROUTED).await);
    assert_eq!(o.waiting().await, [(0, 2), (5, 1)].into());
    assert!(o.route(&claim, 5).await);
    assert!(!o.route(&claim, 5).await, "it is routed");
    assert_eq!(o.waiting().await, [(5, 3)].into());
    assert_eq!(o.due().await.webhooks, [5]);
    o.put(5, "c", 4).await;
    let claims = o.claim(5, 8).await.claims;
    assert!(claims.iter().all(|claim| claim.tries == 0), "{claims:?}");
    for claim in claims {
        o.settle(5, &claim, failed(0, 0, 0)).await;
    }
    let expected = [("c".to_owned(), vec![1, 2, 4]), ("d".to_owned(), vec![3])];
    assert_eq!(o.deliver_all(5).await, expected.into());
    o.expect_nothing().await;
}

#[rstest]
#[tokio::test]
async fn what_is_routed_is_due_unless_its_conversation_is_being_sent_or_waits(
    #[values(Kind::Memory, Kind::Redis)] kind: Kind,
) {
    let o = Outboxes::new(kind).await;
    for name in ["claimed", "waits", "fresh"] {
        o.put(5, name, 2).await;
        o.pass_ms(2).await;
    }
    let claims = o.claim(5, 3).await.claims;
    o.settle(5, &claims[1], failed(HOUR_MS, 0, 0)).await;
    assert_eq!(o.settle(5, &claims[2], Settlement::Delivered).await, None);
    o.expect_due_in_hours(1).await;
    for name in ["claimed", "waits", "fresh"] {
        o.put(UNROUTED, name, 1).await;
    }
    for claim in o.claim(UNROUTED, 8).await.claims {
        assert!(o.route(&claim, 5).await);
    }
    assert_eq!(o.waiting().await, [(5, 5)].into());
    assert_eq!(o.due().await.webhooks, [5]);
    assert_eq!(conversations(&o.claim(5, 8).await), ["fresh"]);
    let next = o.settle(5, &claims[0], Settlement::Delivered).await.unwrap();
    assert_eq!(next.event.entry.n, 1);
}

#[rstest]
#[tokio::test]
async fn all_of_a_conversation_is_routed_however_much_it_is(
    #[values(Kind::Memory, Kind::Redis, Kind::Cluster)] kind: Kind,
) {
    let o = Outboxes::new(kind).await;
    let put = |n| o.put(UNROUTED, "c", n);
    futures_util::future::join_all((1..=600).map(put)).await;
    o.put(UNROUTED, "d", 1).await;
    let claims = o.claim(UNROUTED, 8).await.claims;
    assert!(o.route(&claims[0], 5).await);
    assert_eq!(o.waiting().await, [(0, 1), (5, 600)].into());
    assert_eq!(
        o.deliver_all(5).await,
        [("c".to_owned(), (1..=600).collect())].into()
    );
    assert_eq!(o.waiting().await, [(0, 1)].into());
}

#[rstest]
#[tokio::test]
async fn one_that_is_full_has_dead_letters_of_its_own(#[values(Kind::Memory, Kind::Redis)] kind: Kind) {
    let o = Outboxes::new(kind).await;
    let put = async |n, most| {
        let event = event("c", n);
        o.store().enqueue(&o.tenant, 5, &event, most).await.unwrap()
    };
    o.put(UNROUTED, "c", 1).await;
    assert_eq!(put(2, 2).await, Enqueued::Waits);
    assert_eq!(put(3, 2).await, Enqueued::Full);
    assert_eq!(put(2, 2).await, Enqueued::Waits);
    assert_eq!(o.dead(5).await, []);
    assert_eq!(o.dead(UNROUTED).await, [(event("c", 3), DeadReason::Full, 0)]);
    assert_eq!(o.waiting().await, [(0, 2)].into());
}

/// Whoever routes, whoever reads the log and whoever sends: a conversation's order is the log's.
#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn routing_while_events_come_keeps_the_order(
    #[values(Kind::Memory, Kind::Redis, Kind::Cluster)] kind: Kind,
) {
    const EVENTS: u64 = 60;
    let o = Outboxes::new(kind).await;
    let names = ["a", "b", "c"];
    let coming = async {
        for n in 1..=EVENTS {
            for name in names {
                let to = if n % 20 < 4 { UNROUTED } else { 5 };
                let event = event(name, n);
                let put = o.store().enqueue(&o.tenant, to, &event, MANY);
                assert_eq!(put.await.unwrap(), Enqueued::Waits);
            }
        }
    };
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    let sending = async {
        let mut sent: BTreeMap<String, Vec<u64>> = BTreeMap::new();
        while sent.values().map(Vec::len).sum::<usize>() < names.len() * EVENTS as usize {
            assert!(std::time::Instant::now() < deadline, "{sent:?}");
            for claim in o.claim(UNROUTED, 8).await.claims {
                tokio::task::yield_now().await;
                assert!(o.route(&claim, 5).await);
            }
            for (name, more) in o.deliver_all(5).await {
                sent.entry(name).or_default().extend(more);
            }
            tokio::task::yield_now().await;
        }
        sent
    };
    let ((), sent) = tokio::join!(coming, sending);
    let all: Vec<u64> = (1..=EVENTS).collect();
    assert_eq!(sent, names.map(|name| (name.to_owned(), all.clone())).into());
    o.expect_nothing().await;
}
