//! Nothing is skipped silently.

use bytes::Bytes;
use chatbridge::{
    event::{ConversationKey, EntryId, Position},
    store::{Append, Gap, GapReason, Page, Retention, entry::encode_content},
};
use rstest::rstest;

use super::fixture::{Fixture, Kind, conversation, event, neighbour};

fn gap(reason: GapReason, missed_at_most: u64) -> Option<Gap> {
    Some(Gap {
        reason,
        missed_at_most,
    })
}

/// Larger than what Redis keeps in one node of a stream, and it trims whole nodes.
fn large(key: &ConversationKey, id: &str) -> Append {
    let mut event = event(key, id);
    event.content = encode_content(Bytes::new(), vec![b'x'; 6000].into());
    event
}

async fn read(f: &Fixture, key: &ConversationKey, from: Position) -> [Page; 2] {
    let partition = f.partition(key);
    [
        f.store.read(partition, from, 100).await.unwrap(),
        f.store.read_conversation(key, from, 100).await.unwrap(),
    ]
}

fn places(page: &Page) -> Vec<u64> {
    page.entries.iter().map(|entry| entry.id.n).collect()
}

/// A log of which the first entries were trimmed; all that was appended, and the number of the oldest that is left.
async fn trimmed(kind: Kind) -> (Fixture, ConversationKey, Vec<EntryId>, u64) {
    let retention = Retention {
        log_ms: 150,
        ..Retention::default()
    };
    let f = Fixture::keeping(kind, retention).await;
    let key = conversation("c");
    let mut ids = Vec::new();
    loop {
        ids.push(f.append(&large(&key, &format!("e{}", ids.len()))).await);
        let oldest = f.read_all(f.partition(&key)).await.entries[0].id.n;
        if oldest > 4 && ids.len() as u64 > oldest {
            return (f, key, ids, oldest);
        }
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
}

#[rstest]
#[tokio::test]
async fn what_was_trimmed_is_a_gap(
    #[values(Kind::Memory, Kind::Redis, Kind::Sealed, Kind::Sentinel, Kind::Cluster)] kind: Kind,
) {
    let (f, key, ids, oldest) = trimmed(kind).await;
    let left: Vec<u64> = (oldest..=ids.len() as u64).collect();
    let at = |n: u64| Position::After(ids[usize::try_from(n).unwrap() - 1]);
    for page in read(&f, &key, at(1)).await {
        assert_eq!(page.gap, gap(GapReason::Trimmed, oldest - 2));
        assert_eq!(places(&page), left);
    }
    for page in read(&f, &key, Position::After(EntryId::default())).await {
        assert_eq!(page.gap, gap(GapReason::Trimmed, oldest - 1));
        assert_eq!(places(&page), left);
    }
    for page in read(&f, &key, Position::Since(ids[0].ms)).await {
        assert_eq!(page.gap, gap(GapReason::Trimmed, oldest - 1));
        assert_eq!(places(&page), left);
    }
    for from in [at(oldest - 1), Position::Earliest] {
        for page in read(&f, &key, from).await {
            assert_eq!((page.gap, places(&page)), (None, left.clone()), "from {from:?}");
        }
    }
    for page in read(&f, &key, at(oldest)).await {
        assert_eq!((page.gap, places(&page)), (None, left[1..].to_vec()));
    }
}

#[rstest]
#[tokio::test]
async fn another_conversations_history_has_the_partitions_gap(
    #[values(Kind::Memory, Kind::Redis, Kind::Sealed, Kind::Sentinel, Kind::Cluster)] kind: Kind,
) {
    let (f, key, ids, _) = trimmed(kind).await;
    let quiet = neighbour(&key);
    let page = f
        .store
        .read_conversation(&quiet, Position::After(ids[0]), 10)
        .await
        .unwrap();
    assert_eq!(page.gap.map(|gap| gap.reason), Some(GapReason::Trimmed));
    assert!(page.entries.is_empty() && page.at_tail);
    assert_eq!(page.next, *ids.last().unwrap());
}

#[rstest]
#[tokio::test]
async fn a_wiped_log_is_a_gap(
    #[values(Kind::Memory, Kind::Redis, Kind::Sealed, Kind::Sentinel, Kind::Cluster)] kind: Kind,
) {
    let f = Fixture::new(kind).await;
    let key = conversation("c");
    let before = f.append(&event(&key, "e1")).await;
    f.wipe().await;
    for page in read(&f, &key, Position::After(before)).await {
        assert_eq!(page.gap, gap(GapReason::Wiped, 0));
        assert!(page.entries.is_empty() && page.at_tail && page.next == EntryId::default());
    }
    let mut ids = Vec::new();
    for i in 0..3 {
        ids.push(f.append(&event(&key, &format!("f{i}"))).await);
    }
    assert_ne!(ids[0].epoch, before.epoch);
    for page in read(&f, &key, Position::After(before)).await {
        assert_eq!(page.gap, gap(GapReason::Wiped, 0));
        assert_eq!(places(&page), [1, 2, 3]);
    }
    for page in read(&f, &key, Position::After(ids[0])).await {
        assert_eq!((page.gap, places(&page)), (None, vec![2, 3]));
    }
}

#[rstest]
#[tokio::test]
async fn a_rewound_log_is_a_gap(
    #[values(Kind::Memory, Kind::Redis, Kind::Sealed, Kind::Sentinel, Kind::Cluster)] kind: Kind,
) {
    let f = Fixture::new(kind).await;
    let key = conversation("c");
    let survivor = f.append(&event(&key, "e1")).await;
    let snapshot = f.snapshot().await;
    f.append(&event(&key, "lost1")).await;
    let lost = f.append(&event(&key, "lost2")).await;
    f.restore(snapshot).await;

    let rewound = gap(GapReason::Rewound, 0);
    // Before anything new, with fewer new ones than were lost, as many, and more.
    for n in 1..=4 {
        for page in read(&f, &key, Position::After(lost)).await {
            assert_eq!(page.gap, rewound, "with {n}");
            assert_eq!(places(&page), (1..=n).collect::<Vec<_>>());
        }
        for page in read(&f, &key, Position::After(survivor)).await {
            assert_eq!(page.gap, None, "what survived can be read on from");
        }
        f.append(&event(&key, &format!("new{n}"))).await;
    }
}

#[rstest]
#[tokio::test]
async fn a_place_that_no_log_had_is_a_gap_too(
    #[values(Kind::Memory, Kind::Redis, Kind::Sealed, Kind::Sentinel, Kind::Cluster)] kind: Kind,
) {
    let f = Fixture::new(kind).await;
    let key = conversation("c");
    let id = f.append(&event(&key, "e1")).await;
    let hostile = [
        EntryId { n: u64::MAX, ..id },
        EntryId {
            ms: (1 << 53) - 1,
            n: u64::MAX,
            ..id
        },
        EntryId { ms: id.ms + 5, ..id },
        EntryId {
            ms: 0,
            n: 0,
            epoch: u64::MAX,
        },
    ];
    for id in hostile {
        for page in read(&f, &key, Position::After(id)).await {
            assert!(page.gap.is_some(), "{id:?}");
            assert_eq!(places(&page), [1]);
        }
    }
}

/// Redis drops entries in blocks, so some that are older than was asked for stay; a conversation still has all of them.
#[rstest]
#[tokio::test]
async fn a_conversations_history_has_whatever_is_left_of_it(
    #[values(Kind::Memory, Kind::Redis, Kind::Sealed, Kind::Sentinel, Kind::Cluster)] kind: Kind,
) {
    let retention = Retention {
        log_ms: 300,
        ..Retention::default()
    };
    let f = Fixture::keeping(kind, retention).await;
    let key = conversation("c");
    let first = f.append(&event(&key, "e0")).await;
    for i in 1..10 {
        f.append(&event(&key, &format!("e{i}"))).await;
    }
    tokio::time::sleep(std::time::Duration::from_millis(400)).await;
    for i in 10..70 {
        f.append(&event(&key, &format!("e{i}"))).await;
    }
    for from in [Position::After(first), Position::Earliest] {
        let [whole, own] = read(&f, &key, from).await;
        assert_eq!((own.gap, places(&own)), (whole.gap, places(&whole)));
    }
}
