//! What happens rarely, and must not cost an entry or give one twice.

use futures_util::FutureExt as _;

use super::*;

/// A conversation that shares the partition of `of`.
fn neighbour(of: &str) -> String {
    use crate::store::partition;
    let partition = |c: &str| partition::of(&ConversationKey::new(TenantId::new("t"), c), PARTITIONS);
    (0..)
        .map(|i| format!("n{i}"))
        .find(|c| partition(c) == partition(of))
        .unwrap()
}

async fn gap(subscriber: &mut Subscriber) -> GapReason {
    let delivery = tokio::time::timeout(SOON, subscriber.next()).await.unwrap();
    match delivery.unwrap() {
        Delivery::Gap(gap, _) => gap.reason,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_conversation_goes_on_behind_a_gap_whoever_else_is_in_its_partition() {
    let mut house = House::new();
    let mut subscriber = house
        .subscribe(&["a"], Start::Earliest, GapPolicy::Earliest)
        .await;
    let first = house.append("a").await;
    assert_eq!(next(&mut subscriber).await, first);
    let cursor = subscriber.cursor();
    drop(subscriber);
    house.memory.wipe();
    house.append(&neighbour("a")).await;
    tokio::time::sleep(Duration::from_millis(5)).await;
    let after = house.append("a").await;
    house.break_feed().await;

    let mut subscriber = house
        .subscribe(&["a"], Start::Cursor(cursor), GapPolicy::Earliest)
        .await;
    assert_eq!(gap(&mut subscriber).await, GapReason::Wiped);
    let cursor = subscriber.cursor();
    assert_eq!(next(&mut subscriber).await, after);
    let mut resumed = house
        .subscribe(&["a"], Start::Cursor(cursor), GapPolicy::Fail)
        .await;
    assert_eq!(next(&mut resumed).await, after);
}

// The tests below rely on a runtime of one thread: the feed runs only where they wait.

#[tokio::test]
async fn a_heartbeat_never_moves_the_cursor_back_to_a_feed_that_lags() {
    let mut house = House::new();
    let mut subscriber = house.subscribe(&["a"], Start::Earliest, GapPolicy::Fail).await;
    let first = house.append("a").await;
    assert_eq!(next(&mut subscriber).await, first);
    assert!(subscriber.next().now_or_never().is_none());
    let before = subscriber.cursor();
    assert!(subscriber.skip_unmatched().is_none());
    assert_eq!(subscriber.cursor(), before);
    let second = house.append("a").await;
    assert_eq!(next(&mut subscriber).await, second);
}

#[tokio::test]
async fn a_wipe_that_the_feed_has_not_noticed_is_told_once() {
    for policy in [GapPolicy::Earliest, GapPolicy::Latest] {
        let mut house = House::new();
        let mut subscriber = house.subscribe(&["a"], Start::Earliest, policy).await;
        let first = house.append("a").await;
        assert_eq!(next(&mut subscriber).await, first);
        let cursor = subscriber.cursor();
        let lost = house.append("a").await;
        assert_eq!(next(&mut subscriber).await, lost);
        house.memory.wipe();
        let second = house.append("a").await;
        let mut subscriber = house.subscribe(&["a"], Start::Cursor(cursor), policy).await;
        assert_eq!(gap(&mut subscriber).await, GapReason::Wiped);
        if policy == GapPolicy::Earliest {
            assert_eq!(next(&mut subscriber).await, second);
        }
        assert!(subscriber.next().now_or_never().is_none());
        assert!(subscriber.skip_unmatched().is_none());
        let waits = tokio::time::timeout(Duration::from_secs(1), subscriber.next()).await;
        assert!(waits.is_err(), "{policy:?}: {waits:?}");
        let third = house.append("a").await;
        assert_eq!(next(&mut subscriber).await, third);
    }
}

#[tokio::test]
async fn a_log_that_answers_from_before_the_feeds_place_is_not_believed() {
    let mut house = House::new();
    let mut subscriber = house.subscribe(&["a"], Start::Earliest, GapPolicy::Fail).await;
    let first = house.append("a").await;
    assert_eq!(next(&mut subscriber).await, first);
    let (cursor, lagging) = (subscriber.cursor(), house.memory.checkpoint());
    let second = house.append("a").await;
    assert_eq!(next(&mut subscriber).await, second);

    // What a read finds on a replica that is not up to date.
    let now = house.memory.checkpoint();
    house.memory.restore(lagging);
    let mut resumed = house
        .subscribe(&["a"], Start::Cursor(cursor), GapPolicy::Fail)
        .await;
    assert!(resumed.next().now_or_never().is_none());
    house.memory.restore(now);
    assert_eq!(next(&mut resumed).await, second);
}

#[tokio::test]
async fn a_start_that_lies_ahead_hides_nothing_from_a_resume() {
    let mut house = House::new();
    house.append("a").await;
    tokio::time::sleep(Duration::from_millis(5)).await;
    let ahead = house.store.now_ms().await.unwrap() + 60_000;
    let early = house.subscribe(&["a"], Start::Time(ahead), GapPolicy::Fail).await;
    let news = [house.append("a").await, house.append("b").await];
    let mut resumed = house
        .subscribe(&[], Start::Cursor(early.cursor()), GapPolicy::Fail)
        .await;
    let mut seen = [next(&mut resumed).await, next(&mut resumed).await];
    seen.sort();
    assert_eq!(seen, news);
}

#[tokio::test]
async fn a_cursor_of_a_quiet_partition_knows_when_it_was_made() {
    let mut house = House::new();
    let mut others = Vec::new();
    for i in 0..40 {
        let conversation = format!("b{i}");
        let partition =
            |c: &str| crate::store::partition::of(&ConversationKey::new(TenantId::new("t"), c), PARTITIONS);
        if partition(&conversation) != partition("a") {
            others.push(house.append(&conversation).await.0);
        }
    }
    tokio::time::sleep(Duration::from_millis(20)).await;
    let last = house.append(&others[0]).await;
    tokio::time::sleep(Duration::from_millis(20)).await;
    let quiet = house.subscribe(&["a"], Start::Latest, GapPolicy::Fail).await;
    let mut wide = house
        .subscribe(&[], Start::Cursor(quiet.cursor()), GapPolicy::Fail)
        .await;
    // It was logged in the very millisecond up to which the log was known.
    assert_eq!(next(&mut wide).await, last);
    let news = house.append("a").await;
    assert_eq!(next(&mut wide).await, news);
}
