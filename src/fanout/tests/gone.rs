//! Logs that are gone, or empty. On a runtime of one thread the feed runs only where a test waits.

use std::sync::atomic::{AtomicU64, Ordering};

use super::*;
use crate::store::partition;

fn partition_of(conversation: &str) -> u16 {
    partition::of(
        &ConversationKey::new(TenantId::new("t"), conversation),
        PARTITIONS,
    )
}

/// A log that is kept for a minute by a clock that only the test moves.
fn keeping_a_minute() -> (House, Arc<AtomicU64>) {
    let retention = Retention {
        log_ms: 60_000,
        ..Retention::default()
    };
    let clock = Arc::new(AtomicU64::new(1_800_000_000_000));
    let told = Arc::clone(&clock);
    let now = move || told.load(Ordering::SeqCst);
    let store = MemoryStore::with_clock(PARTITIONS, retention, now);
    (House::over(store), clock)
}

fn is_trimmed(delivery: &Delivery) -> bool {
    matches!(delivery, Delivery::Gap(gap, _) if gap.reason == GapReason::Trimmed)
}

#[tokio::test]
async fn an_entry_of_a_log_that_is_gone_never_follows_one_of_its_successor() {
    let mut house = House::new();
    let mut live = house.hub.live();
    live.wait_for(|live| *live).await.unwrap();
    let mut subscriber = house
        .subscribe(&["a"], Start::Earliest, GapPolicy::Earliest)
        .await;
    // The feed hands out an entry, and the log is wiped and written anew before the subscriber reads.
    house.append("a").await;
    tokio::time::sleep(Duration::from_millis(20)).await;
    house.memory.wipe();
    let first = house.append("a").await;
    assert_eq!(next(&mut subscriber).await, first);
    let more = tokio::time::timeout(Duration::from_millis(50), subscriber.next()).await;
    assert!(more.is_err(), "{more:?}");
    let second = house.append("a").await;
    assert_eq!(next(&mut subscriber).await, second);
}

#[tokio::test]
async fn what_was_trimmed_since_the_log_was_empty_is_told_to_a_filter_that_grew() {
    let (mut house, clock) = keeping_a_minute();
    let other = (0..)
        .map(|i| format!("b{i}"))
        .find(|c| partition_of(c) != partition_of("a"))
        .unwrap();
    let narrow = house.subscribe(&["a"], Start::Latest, GapPolicy::Fail).await;
    let cursor = narrow.cursor();
    house.append(&other).await;
    clock.fetch_add(120_000, Ordering::SeqCst);
    let left = house.append(&other).await;
    let mut wide = house
        .subscribe(&["a", &other], Start::Cursor(cursor), GapPolicy::Earliest)
        .await;
    let delivery = tokio::time::timeout(SOON, wide.next()).await.unwrap().unwrap();
    assert!(is_trimmed(&delivery), "{delivery:?}");
    assert_eq!(next(&mut wide).await, left);
}

#[tokio::test]
async fn a_gap_that_ends_with_the_latest_never_leads_back_to_a_feed_that_lags() {
    let (mut house, clock) = keeping_a_minute();
    let mut live = house.hub.live();
    live.wait_for(|live| *live).await.unwrap();
    let mut subscriber = house.subscribe(&["a"], Start::Earliest, GapPolicy::Fail).await;
    let first = house.append("a").await;
    assert_eq!(next(&mut subscriber).await, first);
    let cursor = subscriber.cursor();
    house.append("a").await;
    clock.fetch_add(120_000, Ordering::SeqCst);
    house.append("a").await;
    // The feed has not run since the log was empty.
    let mut resumed = house
        .subscribe(&["a"], Start::Cursor(cursor), GapPolicy::Latest)
        .await;
    let delivery = resumed.next().await.unwrap();
    assert!(is_trimmed(&delivery), "{delivery:?}");
    let news = house.append("a").await;
    assert_eq!(next(&mut resumed).await, news);
}

#[tokio::test]
async fn what_a_fail_over_lost_does_not_follow_what_was_read_behind_it() {
    let mut house = House::new();
    let first = house.append("a").await;
    let before = house.memory.checkpoint();
    house.append("a").await;
    house.break_feed().await;
    let mut subscriber = house
        .subscribe(&["a"], Start::Earliest, GapPolicy::Earliest)
        .await;
    // The feed hands out an entry; then a fail-over loses it, and the one before it, and the partition grows again.
    house.append("a").await;
    tokio::time::sleep(Duration::from_millis(20)).await;
    house.memory.restore(before);
    let neighbour = (0..)
        .map(|i| format!("n{i}"))
        .find(|c| partition_of(c) == partition_of("a"))
        .unwrap();
    for _ in 0..3 {
        house.append(&neighbour).await;
    }
    assert_eq!(next(&mut subscriber).await, first);
    let second = house.append("a").await;
    assert_eq!(next(&mut subscriber).await, second);
}
