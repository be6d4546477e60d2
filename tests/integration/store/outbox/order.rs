//! A conversation's events come one after another, in the order of the log.

use std::collections::BTreeMap;

use chatbridge::{
    event::{EntryId, TenantId},
    store::outbox::{Enqueued, Settlement, Waiting},
};
use rstest::rstest;

use super::{HOUR_MS, Kind, MANY, Outboxes, event};

#[rstest]
#[tokio::test]
async fn events_of_a_conversation_come_in_the_order_of_the_log(
    #[values(Kind::Memory, Kind::Redis, Kind::Sentinel, Kind::Cluster)] kind: Kind,
) {
    let o = Outboxes::new(kind).await;
    let names = [
        "c",
        "c2",
        "c\0",
        "c\0c",
        "c\x01",
        "c\x01\x01",
        "c\x01\x02",
        "ç",
        "c:1:2",
        "",
    ];
    for n in [300, 16, 9, 255, 10, 1, 256] {
        for name in names {
            o.put(3, name, n).await;
        }
    }
    assert_eq!(o.state().await.waiting, 70);
    let delivered = o.deliver_all(3).await;
    let expected = names.map(|name| (name.to_owned(), vec![1, 9, 10, 16, 255, 256, 300]));
    assert_eq!(delivered, BTreeMap::from(expected));
    o.expect_nothing().await;
}

#[rstest]
#[tokio::test]
async fn a_log_that_began_anew_goes_on_behind_the_old_one(#[values(Kind::Memory, Kind::Redis)] kind: Kind) {
    let o = Outboxes::new(kind).await;
    let places = [
        (900, 5, 40),
        (900, 6, 41),
        (200, 7, 1),
        (200, 7, 2),
        (u64::MAX, u64::MAX, u64::MAX),
    ];
    for (epoch, ms, n) in places.into_iter().rev() {
        let event = Waiting {
            conversation: "c".into(),
            entry: EntryId { epoch, ms, n },
        };
        o.store().enqueue(&o.tenant, 1, &event, MANY).await.unwrap();
    }
    let mut next = Some(o.claim_one(1).await);
    for (epoch, ms, n) in places {
        let claim = next.expect("another");
        assert_eq!(claim.event.entry, EntryId { epoch, ms, n });
        next = o.settle(1, &claim, Settlement::Delivered).await;
    }
    assert_eq!(next, None);
}

#[rstest]
#[tokio::test]
async fn an_event_waits_once(#[values(Kind::Memory, Kind::Redis, Kind::Cluster)] kind: Kind) {
    let o = Outboxes::new(kind).await;
    for _ in 0..2 {
        o.put(1, "c", 1).await;
    }
    assert_eq!(o.state().await.waiting, 1);
    let claim = o.claim_one(1).await;
    o.put(1, "c", 1).await;
    assert_eq!(o.state().await.waiting, 1);
    assert_eq!(o.settle(1, &claim, Settlement::Delivered).await, None);
    o.expect_nothing().await;
}

#[rstest]
#[tokio::test]
async fn outboxes_of_webhooks_and_tenants_are_apart(
    #[values(Kind::Memory, Kind::Redis, Kind::Sentinel, Kind::Cluster)] kind: Kind,
) {
    let o = Outboxes::new(kind).await;
    let others = ["tenant", "tenant:1}", "tenant:1:1", "{}"].map(TenantId::new);
    o.put(1, "c", 1).await;
    o.put(11, "c", 2).await;
    for (n, other) in (3..).zip(&others) {
        assert_eq!(o.store().outboxes(other).await.unwrap(), []);
        assert_eq!(o.store().claim(other, 1, 8, HOUR_MS).await.unwrap().claims, []);
        let put = o.store().enqueue(other, 1, &event("c", n), MANY).await;
        assert_eq!(put.unwrap(), Enqueued::Waits);
    }
    let (first, eleventh) = (o.claim_one(1).await, o.claim_one(11).await);
    assert_eq!((first.event.entry.n, eleventh.event.entry.n), (1, 2));
    assert_eq!(o.due().await.webhooks, [0_u64; 0]);
    for (n, other) in (3..).zip(&others) {
        assert_eq!(o.store().due(other, 8).await.unwrap().webhooks, [1]);
        assert_eq!(o.store().discard(other, 11).await.unwrap(), 0);
        let claims = o.store().claim(other, 1, 8, HOUR_MS).await.unwrap().claims;
        assert_eq!(claims.iter().map(|it| it.event.entry.n).collect::<Vec<_>>(), [n]);
        // The conversation of another is none of its own.
        let settled = o.store().settle(other, 1, &first, Settlement::Delivered, HOUR_MS);
        assert_eq!(settled.await.unwrap(), None);
        assert_eq!(o.store().discard(other, 1).await.unwrap(), 1);
    }
    assert_eq!(
        o.states().await.iter().map(|it| it.waiting).collect::<Vec<_>>(),
        [1, 1]
    );
    assert_eq!(o.settle(1, &first, Settlement::Delivered).await, None);
    assert_eq!(o.settle(11, &eleventh, Settlement::Delivered).await, None);
    o.expect_nothing().await;
}
