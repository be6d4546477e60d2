//! Erasing a conversation takes it out of all outboxes of its tenant.

use chatbridge::{
    event::TenantId,
    store::outbox::{DeadReason, Settlement, UNROUTED},
};
use rstest::rstest;

use super::{HOUR_MS, Kind, MANY, Outboxes, conversations, event, failed};
use crate::store::fixture::{conversation, event as appended};

/// Puts a conversation into every place that an outbox has.
async fn fill(o: &Outboxes, name: &str) {
    for webhook in [1, 2, UNROUTED] {
        for n in 1..=4 {
            o.put(webhook, name, n).await;
        }
    }
    let claim = o.claim_one(1).await;
    let next = o.settle(1, &claim, Settlement::Dead(DeadReason::Refused)).await;
    o.settle(1, &next.unwrap(), failed(0, 0, 0)).await;
    o.claim_one(1).await;
    let claim = o.claim_one(2).await;
    o.settle(2, &claim, failed(HOUR_MS, 0, 0)).await;
}

#[rstest]
#[tokio::test]
async fn a_conversation_that_is_erased_is_in_no_outbox_any_more(
    #[values(Kind::Memory, Kind::Redis, Kind::Sealed, Kind::Sentinel, Kind::Cluster)] kind: Kind,
) {
    let o = Outboxes::new(kind).await;
    let (key, other) = (conversation("c"), TenantId::new("other"));
    fill(&o, "c").await;
    o.store().enqueue(&other, 1, &event("c", 9), MANY).await.unwrap();
    o.f.append(&appended(&key, "e")).await;
    assert_eq!(o.f.store.erase(&key).await.unwrap().entries, 1);
    assert_eq!(o.states().await, []);
    assert_eq!(o.due().await, Default::default());
    if o.f.has_keys() {
        let keys = o.f.keys().await;
        let left = keys.iter().filter(|key| key.contains("{outbox:tenant:1}"));
        assert_eq!(left.count(), 0, "{keys:?}");
    }
    assert_eq!(o.store().due(&other, 1).await.unwrap().webhooks, [1]);
}

/// Also where the log has nothing of it any more, and much of it waits.
#[rstest]
#[tokio::test]
async fn nobody_else_loses_anything_by_it(#[values(Kind::Memory, Kind::Redis, Kind::Cluster)] kind: Kind) {
    let o = Outboxes::new(kind).await;
    fill(&o, "c").await;
    let names = ["", "c2", "c\0", "c\x01", "C"];
    for name in names {
        let full = event(name, 3);
        o.store().enqueue(&o.tenant, 1, &full, 0).await.unwrap();
        for webhook in [1, 2, UNROUTED] {
            o.put(webhook, name, 1).await;
            o.put(webhook, name, 2).await;
        }
    }
    futures_util::future::join_all((10..700).map(|n| o.put(1, "c", n))).await;
    // The seat is free again.
    assert_eq!(conversations(&o.claim(1, 1).await), [""; 0]);
    o.expect_not_due(1).await;
    o.f.store.erase(&conversation("c")).await.unwrap();
    assert_eq!(o.due().await.webhooks.len(), 3);
    let states = o.states().await;
    let all = states
        .iter()
        .map(|it| (it.webhook, it.waiting, it.claimed, it.dead));
    assert_eq!(
        all.collect::<Vec<_>>(),
        [(0, 10, 0, 0), (1, 10, 0, 5), (2, 10, 0, 0)]
    );
    for webhook in [1, 2, UNROUTED] {
        let delivered = o.deliver_all(webhook).await;
        let mut expected = names.map(str::to_owned);
        expected.sort();
        assert!(delivered.keys().eq(&expected), "{delivered:?}");
        assert!(delivered.values().all(|of| of == &[1, 2]), "{delivered:?}");
    }
    o.f.store.erase(&conversation("")).await.unwrap();
    assert_eq!(o.dead(1).await.len(), 5, "a conversation without a name is none");
}

impl Outboxes {
    async fn expect_not_due(&self, webhook: u64) {
        assert!(!self.due().await.webhooks.contains(&webhook));
    }
}
