//! The live feed.

use chatbridge::{
    event::{EntryId, Position},
    store::{Retention, StoreError, Tail},
};
use rstest::rstest;

use super::fixture::{Fixture, Kind, PARTITIONS, conversation, event, raw_of};

/// Takes from a feed until it has given this many.
async fn take(tail: &mut Box<dyn Tail>, count: usize) -> Vec<(u16, u64, String)> {
    let mut seen = Vec::new();
    while seen.len() < count {
        let entries = tail.next().await.expect("the feed goes on");
        seen.extend(entries.iter().map(|e| (e.partition, e.id.n, raw_of(e))));
    }
    seen
}

/// Waits for a feed to say that it is over.
async fn ends(tail: &mut Box<dyn Tail>) -> StoreError {
    for _ in 0..5 {
        if let Err(error) = tail.next().await {
            return error;
        }
    }
    panic!("the feed goes on as if nothing had happened")
}

#[rstest]
#[tokio::test]
async fn it_gives_what_is_appended_once_and_in_order(
    #[values(Kind::Memory, Kind::Redis, Kind::Sealed, Kind::Sentinel, Kind::Cluster)] kind: Kind,
) {
    let f = Fixture::new(kind).await;
    let keys: Vec<_> = (0..8).map(|i| conversation(&format!("c{i}"))).collect();
    f.append(&event(&keys[0], "before")).await;
    let mut tail = f.store.tail(f.store.tails().await.unwrap()).await.unwrap();
    let store = f.store.clone();
    let appending = {
        let keys = keys.clone();
        tokio::spawn(async move {
            for i in 0..200 {
                let key = &keys[i % keys.len()];
                store.append(&event(key, &format!("e{i}"))).await.unwrap();
            }
        })
    };
    let seen = take(&mut tail, 200).await;
    appending.await.unwrap();
    for partition in 0..PARTITIONS {
        let mine = |entry: &&(u16, u64, String)| entry.0 == partition;
        let expected: Vec<_> = f
            .read_all(partition)
            .await
            .entries
            .iter()
            .map(|e| (partition, e.id.n, raw_of(e)))
            .filter(|(_, _, raw)| raw != "raw before")
            .collect();
        assert_eq!(seen.iter().filter(mine).cloned().collect::<Vec<_>>(), expected);
    }
    assert!(tail.next().await.unwrap().is_empty(), "no entry comes twice");
}

#[rstest]
#[tokio::test]
async fn it_starts_behind_the_positions_it_was_given(
    #[values(Kind::Memory, Kind::Redis, Kind::Sealed, Kind::Sentinel, Kind::Cluster)] kind: Kind,
) {
    let f = Fixture::new(kind).await;
    let key = conversation("c");
    let first = f.append(&event(&key, "e1")).await;
    f.append(&event(&key, "e2")).await;
    let partition = f.partition(&key);
    let mut behind = vec![EntryId::default(); usize::from(PARTITIONS)];
    let mut from_nothing = f.store.tail(behind.clone()).await.unwrap();
    let seen = take(&mut from_nothing, 2).await;
    assert_eq!(seen[0], (partition, 1, "raw e1".to_owned()));
    behind[usize::from(partition)] = first;
    let mut from_first = f.store.tail(behind).await.unwrap();
    assert_eq!(
        take(&mut from_first, 1).await,
        [(partition, 2, "raw e2".to_owned())]
    );
}

#[rstest]
#[tokio::test]
async fn entries_of_a_new_partition_carry_its_epoch(
    #[values(Kind::Memory, Kind::Redis, Kind::Sealed, Kind::Sentinel, Kind::Cluster)] kind: Kind,
) {
    let f = Fixture::new(kind).await;
    let key = conversation("c");
    let mut tail = f.store.tail(f.store.tails().await.unwrap()).await.unwrap();
    let id = f.append(&event(&key, "e1")).await;
    let entries = loop {
        let entries = tail.next().await.unwrap();
        if !entries.is_empty() {
            break entries;
        }
    };
    assert_eq!(entries[0].id, id);
    let page = f
        .store
        .read(f.partition(&key), Position::After(entries[0].id), 1)
        .await
        .unwrap();
    assert_eq!(page.gap, None);
}

#[rstest]
#[case::and_stays_empty(0)]
#[case::and_is_written_anew(1)]
#[case::and_is_written_up_to_the_same_count(2)]
#[case::and_is_written_beyond(3)]
#[tokio::test]
async fn it_ends_when_the_log_is_wiped(
    #[values(Kind::Memory, Kind::Redis, Kind::Sealed, Kind::Sentinel, Kind::Cluster)] kind: Kind,
    #[case] anew: u32,
) {
    let f = Fixture::new(kind).await;
    let key = conversation("c");
    f.append(&event(&key, "e1")).await;
    f.append(&event(&key, "e2")).await;
    let mut tail = f.store.tail(f.store.tails().await.unwrap()).await.unwrap();
    f.wipe().await;
    for i in 0..anew {
        f.append(&event(&key, &format!("f{i}"))).await;
    }
    assert!(matches!(ends(&mut tail).await, StoreError::Unavailable(_)));
}

#[rstest]
#[case::and_nothing_is_added(0)]
#[case::and_as_much_is_added_as_was_lost(1)]
#[case::and_more_is_added(2)]
#[tokio::test]
async fn it_ends_when_the_log_is_rewound(
    #[values(Kind::Memory, Kind::Redis, Kind::Sealed, Kind::Sentinel, Kind::Cluster)] kind: Kind,
    #[case] added: u32,
) {
    let f = Fixture::new(kind).await;
    let key = conversation("c");
    f.append(&event(&key, "e1")).await;
    let snapshot = f.snapshot().await;
    f.append(&event(&key, "lost")).await;
    let tails = f.store.tails().await.unwrap();
    let mut tail = f.store.tail(tails.clone()).await.unwrap();
    f.restore(snapshot).await;
    for i in 0..added {
        f.append(&event(&key, &format!("new{i}"))).await;
    }
    assert!(matches!(ends(&mut tail).await, StoreError::Unavailable(_)));
    assert!(f.store.tail(tails).await.is_err(), "nor can one be opened there");
}

#[rstest]
#[tokio::test]
async fn it_cannot_be_opened_behind_what_was_trimmed(
    #[values(Kind::Memory, Kind::Redis, Kind::Sealed, Kind::Sentinel, Kind::Cluster)] kind: Kind,
) {
    let retention = Retention {
        log_ms: 1,
        ..Retention::default()
    };
    let f = Fixture::keeping(kind, retention).await;
    let key = conversation("c");
    let first = f.append(&event(&key, "e0")).await;
    let mut behind = f.store.tails().await.unwrap();
    for i in 1.. {
        let mut event = event(&key, &format!("e{i}"));
        event.content = chatbridge::store::entry::encode_content(bytes::Bytes::new(), vec![0; 6000].into());
        f.append(&event).await;
        let left = f.read_all(f.partition(&key)).await.entries;
        if left.first().map_or(i > 2, |oldest| oldest.id.n > 2) {
            break;
        }
    }
    behind[usize::from(f.partition(&key))] = first;
    let refused = f.store.tail(behind).await.err();
    assert!(matches!(refused, Some(StoreError::Unavailable(_))), "{refused:?}");
}

#[rstest]
#[tokio::test]
async fn who_gives_up_waiting_loses_nothing(
    #[values(Kind::Memory, Kind::Redis, Kind::Sealed, Kind::Sentinel, Kind::Cluster)] kind: Kind,
) {
    use std::time::Duration;
    let f = Fixture::new(kind).await;
    let key = conversation("c");
    let mut tail = f.store.tail(f.store.tails().await.unwrap()).await.unwrap();
    let mut seen = Vec::new();
    for i in 0..40 {
        f.append(&event(&key, &format!("e{i}"))).await;
        if let Ok(entries) = tokio::time::timeout(Duration::from_micros(300 * (i % 7)), tail.next()).await {
            seen.extend(entries.expect("the feed goes on").iter().map(|e| e.id.n));
        }
    }
    while seen.len() < 40 {
        let entries = tail.next().await.expect("the feed goes on");
        seen.extend(entries.iter().map(|e| e.id.n));
    }
    assert_eq!(seen, (1..=40).collect::<Vec<_>>());
}
