//! What is kept no longer goes, and readers are told.

use std::time::Duration;

use bytes::Bytes;
use chatbridge::{
    conversation::{
        SessionChange,
        state::{Agents, Row, Trigger},
    },
    event::{ConversationKey, EntryId, Position},
    store::{
        Announcement, Append, AwaitedEcho, CustomerKey, Gap, GapReason, IdempotencyKey, LedgerKey,
        LedgerKind, Page, Retention, Store, entry::encode_content, janitor, redis::RedisStore,
    },
};
use rstest::rstest;
use tokio_util::sync::CancellationToken;

use super::fixture::{
    Fixture, Kind, PARTITIONS, conversation, event, eventually, neighbour, settings, tenant,
};

/// Bytes of a partition in these tests.
const ROOM: u64 = 20_000;

fn by_size() -> Retention {
    Retention {
        log_bytes: ROOM * u64::from(PARTITIONS),
        ..Retention::default()
    }
}

fn sized(key: &ConversationKey, id: &str, bytes: usize) -> Append {
    let mut event = event(key, id);
    event.content = encode_content(Bytes::new(), vec![b'x'; bytes].into());
    event
}

/// Lets go of all that need not be kept.
async fn tidy(f: &Fixture) {
    eventually("its turn", async || f.store.tidy(1).await.unwrap().then_some(())).await;
}

fn trimmed(missed_at_most: u64) -> Option<Gap> {
    (missed_at_most > 0).then_some(Gap {
        reason: GapReason::Trimmed,
        missed_at_most,
    })
}

async fn read(f: &Fixture, key: &ConversationKey, from: Position) -> [Page; 2] {
    [
        f.store.read(f.partition(key), from, 1000).await.unwrap(),
        f.store.read_conversation(key, from, 1000).await.unwrap(),
    ]
}

/// Whether every way to start hears of what is gone, and of nothing else.
async fn expect_only_since(f: &Fixture, key: &ConversationKey, ids: &[EntryId], oldest: u64) {
    let mut starts = vec![
        (Position::Earliest, 0),
        (Position::After(EntryId::default()), oldest - 1),
    ];
    starts.extend(
        ids.iter()
            .map(|id| (Position::After(*id), (oldest - 1).saturating_sub(id.n))),
    );
    // A time at which nothing that is gone was appended, or came after, misses nothing.
    let gone = &ids[..usize::try_from(oldest - 1).unwrap()];
    let times = ids.iter().flat_map(|id| [id.ms - 1, id.ms, id.ms + 1]);
    starts.extend(times.map(|ms| {
        let missed = gone.iter().any(|id| id.ms >= ms);
        (Position::Since(ms), if missed { oldest - 1 } else { 0 })
    }));
    for (from, missed) in starts {
        for page in read(f, key, from).await {
            assert_eq!(page.gap, trimmed(missed), "from {from:?}, oldest {oldest}");
            assert!(page.entries.iter().all(|entry| entry.id.n >= oldest));
        }
    }
}

#[rstest]
#[tokio::test]
async fn what_is_beyond_the_size_is_a_gap(
    #[values(Kind::Memory, Kind::Redis, Kind::Sealed, Kind::Sentinel, Kind::Cluster)] kind: Kind,
) {
    let f = Fixture::keeping(kind, by_size()).await;
    let key = conversation("c");
    let mut ids = Vec::new();
    // Bursts, so that what goes and what stays share milliseconds now and then.
    for i in 0..60 {
        ids.push(f.append(&sized(&key, &format!("e{i}"), 900)).await);
        if i % 7 == 0 {
            tokio::time::sleep(Duration::from_millis(3)).await;
        }
    }
    tidy(&f).await;
    let left = f.read_all(f.partition(&key)).await.entries;
    let oldest = left[0].id.n;
    assert_eq!(left.len() as u64, 61 - oldest);
    let bytes: usize = left.iter().map(|entry| entry.bytes()).sum();
    assert!(
        (12_000..=20_000).contains(&bytes),
        "{bytes} bytes in {} entries",
        left.len()
    );
    expect_only_since(&f, &key, &ids, oldest).await;
    tidy(&f).await;
    assert_eq!(
        f.read_all(f.partition(&key)).await.entries.len(),
        left.len(),
        "what fits stays"
    );
}

/// Which entry is the oldest that is left, after so many of each size were appended and what is too much was let go.
async fn oldest_left(kind: Kind, sizes: &[(usize, usize)]) -> u64 {
    let f = Fixture::keeping(kind, by_size()).await;
    let key = conversation("c");
    let all = sizes
        .iter()
        .flat_map(|(count, bytes)| std::iter::repeat_n(*bytes, *count));
    for (i, bytes) in all.enumerate() {
        f.append(&sized(&key, &format!("e{i}"), bytes)).await;
    }
    tidy(&f).await;
    f.read_all(f.partition(&key)).await.entries[0].id.n
}

#[rstest]
#[case::large_ones_are_the_oldest(&[(20, 3000), (200, 10)])]
#[case::large_ones_are_the_newest(&[(200, 10), (5, 3900)])]
#[case::one_large_one_in_between(&[(50, 300), (1, 15_000), (50, 100)])]
#[tokio::test]
async fn no_more_goes_than_is_too_much_however_unequal_the_sizes(#[case] sizes: &[(usize, usize)]) {
    /// So many may go at once.
    const PIECE: u64 = 32;
    let memory = oldest_left(Kind::Memory, sizes).await;
    let redis = oldest_left(Kind::Redis, sizes).await;
    assert!(
        (memory..memory + PIECE).contains(&redis),
        "from {redis} on is left, where from {memory} on would fit"
    );
}

#[rstest]
#[tokio::test]
async fn the_newest_stays_however_large(
    #[values(Kind::Memory, Kind::Redis, Kind::Sealed, Kind::Sentinel, Kind::Cluster)] kind: Kind,
) {
    let f = Fixture::keeping(kind, by_size()).await;
    let key = conversation("c");
    let first = f.append(&sized(&key, "e1", 100)).await;
    let last = f.append(&sized(&key, "e2", 100_000)).await;
    tidy(&f).await;
    for page in read(&f, &key, Position::After(first)).await {
        assert_eq!((page.gap, page.next), (None, last));
        assert_eq!(page.entries.len(), 1);
    }
}

#[rstest]
#[tokio::test]
async fn appending_alone_keeps_the_log_near_its_size(
    #[values(Kind::Memory, Kind::Redis, Kind::Sealed, Kind::Sentinel, Kind::Cluster)] kind: Kind,
) {
    let f = Fixture::keeping(kind, by_size()).await;
    let key = conversation("c");
    for i in 0..1024 {
        f.append(&sized(&key, &format!("e{i}"), 900)).await;
    }
    let oldest = f.read_all(f.partition(&key)).await.entries[0].id.n;
    assert!(oldest > 1024 - 256 - 22, "{oldest}");
}

#[rstest]
#[tokio::test]
async fn a_partition_that_has_gone_quiet_is_emptied(
    #[values(Kind::Memory, Kind::Redis, Kind::Sealed, Kind::Sentinel, Kind::Cluster)] kind: Kind,
) {
    let retention = Retention {
        log_ms: 60,
        ..Retention::default()
    };
    let f = Fixture::keeping(kind, retention).await;
    let key = conversation("c");
    let mut ids = Vec::new();
    for i in 0..1500 {
        ids.push(f.append(&event(&key, &format!("e{i}"))).await);
    }
    let last = ids[ids.len() - 1];
    eventually("emptying", async || {
        tidy(&f).await;
        f.read_all(f.partition(&key))
            .await
            .entries
            .is_empty()
            .then_some(())
    })
    .await;
    for page in read(&f, &key, Position::After(ids[0])).await {
        assert_eq!((page.gap, page.next), (trimmed(1499), last));
        assert!(page.at_tail && page.entries.is_empty());
    }
    for from in [
        Position::After(last),
        Position::Since(last.ms + 1),
        Position::Earliest,
    ] {
        for page in read(&f, &key, from).await {
            assert_eq!((page.gap, page.next), (None, last), "from {from:?}");
        }
    }
    let next = f.append(&event(&key, "next")).await;
    assert_eq!((next.epoch, next.n), (last.epoch, 1501));
    for page in read(&f, &key, Position::After(last)).await {
        assert_eq!((page.gap, page.entries.len()), (None, 1));
    }
}

#[tokio::test]
async fn one_of_the_replicas_trims() {
    let f = Fixture::keeping(Kind::Redis, Retention::default()).await;
    let (server, prefix) = f.redis().unwrap();
    let other = RedisStore::connect(settings(server, prefix, Retention::default()))
        .await
        .unwrap();
    assert!(f.store.tidy(60_000).await.unwrap());
    assert!(!other.tidy(60_000).await.unwrap());
    assert!(!f.store.tidy(60_000).await.unwrap());
}

#[rstest]
#[tokio::test]
async fn the_janitor_comes_by_itself(
    #[values(Kind::Memory, Kind::Redis, Kind::Sealed, Kind::Sentinel, Kind::Cluster)] kind: Kind,
) {
    let retention = Retention {
        log_ms: 20,
        ..Retention::default()
    };
    let f = Fixture::keeping(kind, retention).await;
    let key = conversation("c");
    f.append(&event(&key, "e")).await;
    let stop = CancellationToken::new();
    let janitors: Vec<_> = (0..2)
        .map(|_| {
            tokio::spawn(janitor::run(
                f.store.clone(),
                Duration::from_millis(30),
                stop.clone(),
            ))
        })
        .collect();
    eventually("emptying", async || {
        f.read_all(f.partition(&key))
            .await
            .entries
            .is_empty()
            .then_some(())
    })
    .await;
    stop.cancel();
    for janitor in janitors {
        janitor.await.unwrap();
    }
}

/// Everything that the store writes, once.
async fn write_everything(f: &Fixture) {
    let key = conversation("c");
    let mut left = event(&key, "left");
    left.change = SessionChange {
        at_ms: 10,
        row: Row::of(Trigger::LastAgentLeft),
        agents: Agents::of(Trigger::LastAgentLeft),
        fields: Vec::new(),
    };
    f.append(&left).await;
    f.append(&event(&neighbour(&key), "e")).await;
    f.append(&event(&conversation(""), "none")).await;
    f.store
        .change_session(&conversation("by call"), &SessionChange::by_call())
        .await
        .unwrap();
    let announcement = Announcement {
        telling: None,
        ledger: LedgerKey {
            key: key.clone(),
            kind: LedgerKind::Send,
            print: "print".into(),
        },
        token: "token".into(),
        echo: Some(AwaitedEcho {
            fingerprint: "fingerprint".into(),
            request_id: "request".into(),
        }),
    };
    f.store.announce(&announcement).await.unwrap();
    let call = IdempotencyKey {
        tenant: tenant(),
        caller: String::new(),
        method: "Send",
        request_id: "request".into(),
    };
    f.store.begin(&call, &[1; 32], b"mark", 1, 1).await.unwrap();
    let customer = CustomerKey {
        tenant: tenant(),
        channel_id: "channel".into(),
        user_id: "user".into(),
    };
    f.store.customer(&customer, "attempt").await.unwrap();
}

#[rstest]
#[tokio::test]
async fn in_the_end_nothing_is_left_but_what_is_kept_for_ever(
    #[values(Kind::Redis, Kind::Sentinel, Kind::Cluster)] kind: Kind,
) {
    const MS: u64 = 100;
    let retention = Retention {
        log_ms: MS,
        dedupe_ms: MS,
        session_ms: MS,
        idempotency_ms: MS,
        ..Retention::default()
    };
    let f = Fixture::keeping(kind, retention).await;
    write_everything(&f).await;
    let kept_for_ever =
        |key: &str| key.ends_with(":schema") || key.ends_with(":meta") || key.ends_with(":log");
    let remaining = eventually("letting go", async || {
        tidy(&f).await;
        let _ = f.store.unsettled(1, 10).await.unwrap();
        let left = f.keys().await;
        // Index, probe and janitor's lease go by themselves later, which is looked at below.
        let later = |key: &String| {
            [":index:", ":probe", ":janitor"]
                .iter()
                .any(|part| key.contains(part))
        };
        // What expired since may have been in the log a moment ago.
        for key in left.iter().filter(|key| key.ends_with(":log")) {
            if f.of_key::<u64>("XLEN", key).await > 0 {
                return None;
            }
        }
        left.iter()
            .all(|key| kept_for_ever(key) || later(key))
            .then_some(left)
    })
    .await;
    assert!(remaining.iter().any(|key| key.ends_with(":log")), "{remaining:?}");
    for key in remaining {
        if key.ends_with(":log") {
            let entries: u64 = f.of_key("XLEN", &key).await;
            assert_eq!(entries, 0, "{key}");
        } else if !kept_for_ever(&key) {
            let ttl_ms: i64 = f.of_key("PTTL", &key).await;
            assert!(
                (-2..=3_700_000).contains(&ttl_ms) && ttl_ms != -1,
                "{key} lives {ttl_ms} ms"
            );
        }
    }
}

#[rstest]
#[tokio::test]
async fn an_index_is_rid_of_what_the_log_has_not_any_more(
    #[values(Kind::Redis, Kind::Sentinel, Kind::Cluster)] kind: Kind,
) {
    let retention = Retention {
        log_ms: 200,
        ..Retention::default()
    };
    let f = Fixture::keeping(kind, retention).await;
    let key = conversation("c");
    for i in 1..=63 {
        f.append(&event(&key, &format!("e{i}"))).await;
    }
    let index = f
        .keys()
        .await
        .into_iter()
        .find(|key| key.contains(":index:"))
        .unwrap();
    assert_eq!(f.of_key::<u64>("ZCARD", &index).await, 63);
    eventually("emptying", async || {
        tidy(&f).await;
        let left = f.read_all(f.partition(&key)).await.entries;
        left.is_empty().then_some(())
    })
    .await;
    assert_eq!(f.of_key::<u64>("ZCARD", &index).await, 63, "none goes by itself");
    let last = f.append(&event(&key, "e64")).await;
    assert_eq!(f.of_key::<u64>("ZCARD", &index).await, 1);
    let page = f
        .store
        .read_conversation(&key, Position::Since(last.ms), 10)
        .await
        .unwrap();
    assert_eq!(page.entries.len(), 1);
}
