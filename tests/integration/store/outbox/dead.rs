//! Events that are sent no more.

use chatbridge::store::outbox::{DEAD_LETTERS_MAX, DeadReason, Enqueued, Settlement};
use futures_util::future::join_all;
use rstest::rstest;

use super::{HOUR_MS, Kind, MANY, Outboxes, event, failed};

impl Outboxes {
    async fn put_full(&self, conversation: &str, n: u64, most: u64) -> Enqueued {
        let event = event(conversation, n);
        let put = self.store().enqueue(&self.tenant, 1, &event, most);
        put.await.unwrap()
    }

    async fn revive(&self, webhook: u64) -> u64 {
        self.store().revive(&self.tenant, webhook).await.unwrap()
    }

    async fn discard(&self, webhook: u64) -> u64 {
        self.store().discard(&self.tenant, webhook).await.unwrap()
    }
}

#[rstest]
#[tokio::test]
async fn what_a_full_outbox_cannot_take_is_dead(
    #[values(Kind::Memory, Kind::Redis, Kind::Sentinel, Kind::Cluster)] kind: Kind,
) {
    let o = Outboxes::new(kind).await;
    for n in 1..=3 {
        assert_eq!(o.put_full("c", n, 3).await, Enqueued::Waits);
    }
    for _ in 0..2 {
        assert_eq!(o.put_full("c", 4, 3).await, Enqueued::Full);
        assert_eq!(o.put_full("d", 5, 3).await, Enqueued::Full);
        assert_eq!(o.put_full("c", 3, 3).await, Enqueued::Waits);
    }
    let full = |name, n| (event(name, n), DeadReason::Full, 0);
    assert_eq!(o.dead(1).await, [full("d", 5), full("c", 4)]);
    let state = o.state().await;
    assert_eq!((state.waiting, state.dead), (3, 2));
    let claim = o.claim_one(1).await;
    o.settle(1, &claim, Settlement::Delivered).await.unwrap();
    assert_eq!(o.put_full("c", 6, 3).await, Enqueued::Waits);
    assert_eq!(o.put_full("c", 7, 3).await, Enqueued::Full);
}

#[rstest]
#[tokio::test]
async fn a_conversation_goes_on_behind_a_dead_letter(
    #[values(Kind::Memory, Kind::Redis, Kind::Sentinel, Kind::Cluster)] kind: Kind,
) {
    let o = Outboxes::new(kind).await;
    let before_ms = o.f.store.now_ms().await.unwrap();
    for n in 1..=4 {
        o.put(1, "c:1:2", n).await;
    }
    let claim = o.claim_one(1).await;
    o.settle(1, &claim, failed(0, 0, 0)).await;
    let mut claim = o.claim_one(1).await;
    let reasons = [DeadReason::Refused, DeadReason::Expired, DeadReason::Trimmed];
    for (n, reason) in (2..).zip(reasons) {
        claim = o.settle(1, &claim, Settlement::Dead(reason)).await.unwrap();
        assert_eq!((claim.event.entry.n, claim.tries), (n, 0));
    }
    assert_eq!(o.settle(1, &claim, Settlement::Delivered).await, None);
    let letter = |n, reason, tries| (event("c:1:2", n), reason, tries);
    assert_eq!(
        o.dead(1).await,
        [
            letter(3, DeadReason::Trimmed, 0),
            letter(2, DeadReason::Expired, 0),
            letter(1, DeadReason::Refused, 1)
        ]
    );
    let newest = o.store().dead_letters(&o.tenant, 1, 1).await.unwrap();
    assert_eq!(newest.len(), 1);
    assert_eq!(newest[0].reason, DeadReason::Trimmed);
    let now_ms = o.f.store.now_ms().await.unwrap();
    assert!((before_ms..=now_ms).contains(&newest[0].dead_ms), "{newest:?}");
    // It is known for its dead letters, and has nothing to do.
    let state = o.state().await;
    assert_eq!((state.waiting, state.dead), (0, 3));
    assert_eq!(o.due().await, Default::default());
    assert_eq!(o.discard(1).await, 0);
    o.expect_nothing().await;
}

#[rstest]
#[tokio::test]
async fn the_oldest_make_room(#[values(Kind::Memory, Kind::Redis)] kind: Kind) {
    let o = Outboxes::new(kind).await;
    let all = DEAD_LETTERS_MAX as u64 + 5;
    for n in 1..=5 {
        assert_eq!(o.put_full("c", n, 0).await, Enqueued::Full);
    }
    join_all((6..=all).map(|n| o.put_full("c", n, 0))).await;
    let dead = o.dead(1).await;
    assert_eq!(dead.len(), DEAD_LETTERS_MAX);
    assert_eq!(o.state().await.dead, DEAD_LETTERS_MAX as u64);
    assert!(dead.iter().all(|(event, ..)| event.entry.n > 5));
    assert_eq!(o.put_full("c", all + 1, 0).await, Enqueued::Full);
    let dead = o.dead(1).await;
    assert_eq!((dead.len(), &dead[0].0), (DEAD_LETTERS_MAX, &event("c", all + 1)));
    assert_eq!(o.revive(1).await, DEAD_LETTERS_MAX as u64);
    assert_eq!(o.dead(1).await, []);
    let waiting = o.deliver_all(1).await.remove("c").unwrap();
    assert_eq!(waiting.len(), DEAD_LETTERS_MAX);
    assert!(waiting.is_sorted());
}

#[rstest]
#[tokio::test]
async fn what_is_revived_is_as_if_it_had_never_been_sent(
    #[values(Kind::Memory, Kind::Redis, Kind::Sentinel, Kind::Cluster)] kind: Kind,
) {
    let o = Outboxes::new(kind).await;
    for n in 1..=6 {
        o.put(1, "c", n).await;
    }
    let claim = o.claim_one(1).await;
    o.settle(1, &claim, failed(0, 0, 0)).await;
    let mut claim = o.claim_one(1).await;
    let reasons = [
        DeadReason::Refused,
        DeadReason::Trimmed,
        DeadReason::Expired,
        DeadReason::Trimmed,
    ];
    for reason in reasons {
        claim = o.settle(1, &claim, Settlement::Dead(reason)).await.unwrap();
    }
    o.settle(1, &claim, failed(0, HOUR_MS, 1)).await;
    assert_eq!(o.put_full("d", 7, 2).await, Enqueued::Full);
    // One that waits again is not counted, and one is in two places at the most.
    o.put(1, "c", 3).await;
    assert_eq!(o.revive(1).await, 2);
    let state = o.state().await;
    assert_eq!((state.waiting, state.dead, state.paused_until_ms), (5, 2, 0));
    let left = o.dead(1).await;
    assert_eq!(left.iter().map(|it| it.0.entry.n).collect::<Vec<_>>(), [4, 2]);
    assert!(left.iter().all(|it| it.1 == DeadReason::Trimmed));
    assert_eq!(o.revive(1).await, 0);
    assert_eq!(o.due().await.webhooks, [1]);
    let claim = o.claim_one(1).await;
    assert_eq!((claim.event.entry.n, claim.tries), (1, 0));
    o.settle(1, &claim, failed(0, 0, 0)).await;
    let delivered = o.deliver_all(1).await;
    let expected = [("c".to_owned(), vec![1, 3, 5, 6]), ("d".to_owned(), vec![7])];
    assert_eq!(delivered, expected.into());
    assert_eq!(o.discard(1).await, 0);
    assert_eq!(o.revive(1).await, 0);
    o.expect_nothing().await;
}

#[rstest]
#[tokio::test]
async fn one_that_waits_again_is_revived_as_well(
    #[values(Kind::Memory, Kind::Redis, Kind::Sentinel, Kind::Cluster)] kind: Kind,
) {
    let o = Outboxes::new(kind).await;
    o.put(1, "c", 1).await;
    let claim = o.claim_one(1).await;
    let dead = Settlement::Dead(DeadReason::Refused);
    assert_eq!(o.settle(1, &claim, dead).await, None);
    o.put(1, "c", 1).await;
    let claim = o.claim_one(1).await;
    o.settle(1, &claim, failed(0, 0, 0)).await;
    assert_eq!(o.revive(1).await, 0);
    assert_eq!(o.dead(1).await, []);
    let claim = o.claim_one(1).await;
    assert_eq!((claim.event.entry.n, claim.tries), (1, 0));
    assert_eq!(o.settle(1, &claim, Settlement::Delivered).await, None);
    o.expect_nothing().await;
}

#[rstest]
#[tokio::test]
async fn an_outbox_is_discarded_with_all_it_has(
    #[values(Kind::Memory, Kind::Redis, Kind::Sentinel, Kind::Cluster)] kind: Kind,
) {
    let o = Outboxes::new(kind).await;
    for n in 1..=3 {
        o.put(1, "c", n).await;
        o.put(1, &format!("d{n}"), n).await;
    }
    o.put(11, "c", 1).await;
    let claims = o.claim(1, 3).await.claims;
    o.settle(1, &claims[1], failed(0, HOUR_MS, 4)).await;
    assert_eq!(o.put_full("e", 7, 2).await, Enqueued::Full);
    assert_eq!(o.discard(1).await, 6);
    assert_eq!(o.discard(1).await, 0);
    assert_eq!(o.dead(1).await, []);
    assert_eq!(o.state().await.webhook, 11);
    assert_eq!(o.due().await.webhooks, [11]);
    // Whoever sends from it finds that the claim is lost.
    for settlement in [
        failed(0, HOUR_MS, 4),
        Settlement::Dead(DeadReason::Refused),
        Settlement::Delivered,
    ] {
        assert_eq!(o.settle(1, &claims[0], settlement).await, None);
    }
    assert_eq!(o.deliver_all(11).await.len(), 1);
    o.expect_nothing().await;
    let put = o.store().enqueue(&o.tenant, 1, &event("c", 1), MANY).await;
    assert_eq!(put.unwrap(), Enqueued::Waits);
    assert_eq!(o.claim(1, 8).await.streak, 0);
}
