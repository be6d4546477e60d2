//! Appending and reading.

use std::collections::BTreeMap;

use chatbridge::{
    conversation::SessionState,
    event::{EntryId, Position},
    grpc::proto::{AgentEvent, EventKind},
    store::{Appended, Retention, StoreError},
};
use prost::Message as _;
use rstest::rstest;

use super::fixture::{Fixture, Kind, conversation, event, eventually, neighbour, raw_of, stranger};

#[rstest]
#[tokio::test]
async fn what_was_appended_is_read_back(
    #[values(Kind::Memory, Kind::Redis, Kind::Sealed, Kind::Sentinel, Kind::Cluster)] kind: Kind,
) {
    let f = Fixture::new(kind).await;
    let key = conversation("c");
    let before = f.store.now_ms().await.unwrap();
    let appended = f.store.append(&event(&key, "e1")).await.unwrap();
    let Appended::New {
        id,
        sequence,
        state,
        clock_behind_ms,
        passage: _,
    } = appended
    else {
        panic!("{appended:?}")
    };
    assert_eq!((sequence, state, clock_behind_ms), (1, SessionState::Created, 0));
    assert!(id.n == 1 && id.epoch != 0 && id.ms >= before);

    let page = f.read_all(f.partition(&key)).await;
    assert!(page.at_tail && page.gap.is_none());
    assert_eq!(page.next, id);
    let [entry] = page.entries.as_slice() else {
        panic!("{page:?}")
    };
    assert_eq!((&entry.key, entry.id, entry.echo), (&key, id, false));
    assert_eq!(entry.kind, i32::from(EventKind::Message));
    assert_eq!(raw_of(entry), "raw e1");
    let served = AgentEvent::decode(entry.event.clone()).unwrap();
    let session = f.store.session(&key).await.unwrap().expect("a session");
    assert_eq!(served.event_id, "e1");
    assert_eq!((served.sequence, served.session_epoch), (1, session.epoch));
    assert_eq!(served.state, SessionState::Created as i32);
    assert_eq!((session.sequence, session.state), (1, SessionState::Created));
    assert!(session.epoch >= before);
}

#[rstest]
#[tokio::test]
async fn a_repeated_delivery_is_in_the_log_once(
    #[values(Kind::Memory, Kind::Redis, Kind::Sealed, Kind::Sentinel, Kind::Cluster)] kind: Kind,
) {
    let f = Fixture::new(kind).await;
    let key = conversation("c");
    f.append(&event(&key, "e1")).await;
    f.append(&event(&key, "e2")).await;
    for _ in 0..3 {
        let again = f.store.append(&event(&key, "e1")).await.unwrap();
        assert_eq!(again, Appended::Duplicate);
    }
    assert_eq!(f.read_all(f.partition(&key)).await.entries.len(), 2);
    assert_eq!(f.store.session(&key).await.unwrap().unwrap().sequence, 2);
}

#[rstest]
#[tokio::test]
async fn the_same_id_of_another_tenant_is_another_event(
    #[values(Kind::Memory, Kind::Redis, Kind::Sealed, Kind::Sentinel, Kind::Cluster)] kind: Kind,
) {
    let f = Fixture::new(kind).await;
    let mine = conversation("c");
    let mut theirs = mine.clone();
    theirs.tenant = chatbridge::event::TenantId::new("tenant");
    f.append(&event(&mine, "e1")).await;
    f.append(&event(&theirs, "e1")).await;
}

#[rstest]
#[tokio::test]
async fn another_body_under_a_known_id_is_stored_nowhere(
    #[values(Kind::Memory, Kind::Redis, Kind::Sealed, Kind::Sentinel, Kind::Cluster)] kind: Kind,
) {
    let f = Fixture::new(kind).await;
    let key = conversation("c");
    f.append(&event(&key, "e1")).await;
    let tails = f.store.tails().await.unwrap();
    for victim in [key.clone(), neighbour(&key), stranger(&key)] {
        let mut forged = event(&victim, "e1");
        forged.digest = [9; 32];
        assert_eq!(f.store.append(&forged).await.unwrap(), Appended::Forged);
    }
    assert_eq!(f.store.tails().await.unwrap(), tails);
    assert_eq!(f.store.session(&stranger(&key)).await.unwrap(), None);
    assert_eq!(
        f.store.append(&event(&key, "e1")).await.unwrap(),
        Appended::Duplicate
    );
}

#[rstest]
#[tokio::test]
async fn of_concurrent_deliveries_one_is_new(
    #[values(Kind::Memory, Kind::Redis, Kind::Sealed, Kind::Sentinel, Kind::Cluster)] kind: Kind,
) {
    let f = Fixture::new(kind).await;
    let key = conversation("c");
    let tasks: Vec<_> = (0..32)
        .map(|_| {
            let (store, event) = (f.store.clone(), event(&key, "e1"));
            tokio::spawn(async move { store.append(&event).await.unwrap() })
        })
        .collect();
    let mut new = 0;
    for task in tasks {
        match task.await.unwrap() {
            Appended::New { .. } => new += 1,
            other => assert_eq!(other, Appended::Duplicate),
        }
    }
    assert_eq!(new, 1);
    assert_eq!(f.read_all(f.partition(&key)).await.entries.len(), 1);
}

#[rstest]
#[tokio::test]
async fn counters_have_no_holes_however_many_append(
    #[values(Kind::Memory, Kind::Redis, Kind::Sealed, Kind::Sentinel, Kind::Cluster)] kind: Kind,
) {
    let f = Fixture::new(kind).await;
    let keys: Vec<_> = (0..6).map(|i| conversation(&format!("c{i}"))).collect();
    let tasks: Vec<_> = (0..30)
        .flat_map(|i| {
            keys.iter()
                .map(move |key| event(key, &format!("{}-{i}", key.conversation)))
        })
        .map(|event| {
            let store = f.store.clone();
            tokio::spawn(async move { store.append(&event).await.unwrap() })
        })
        .collect();
    for task in tasks {
        assert!(matches!(task.await.unwrap(), Appended::New { .. }));
    }
    let mut sequences: BTreeMap<_, Vec<u64>> = BTreeMap::new();
    for partition in 0..f.store.partitions() {
        let mut last = (0, 0);
        for (entry, n) in f.read_all(partition).await.entries.iter().zip(1..) {
            assert_eq!((entry.id.n, entry.partition), (n, partition));
            assert!(entry.id.order() > last && entry.id.ms >= last.0);
            last = entry.id.order();
            let sequence = AgentEvent::decode(entry.event.clone()).unwrap().sequence;
            sequences.entry(entry.key.clone()).or_default().push(sequence);
        }
    }
    let expected: Vec<u64> = (1..=30).collect();
    for key in &keys {
        assert_eq!(sequences[key], expected);
    }
}

#[rstest]
#[tokio::test]
async fn pages_follow_each_other_without_loss(
    #[values(Kind::Memory, Kind::Redis, Kind::Sealed, Kind::Sentinel, Kind::Cluster)] kind: Kind,
) {
    let f = Fixture::new(kind).await;
    let key = conversation("c");
    let partition = f.partition(&key);
    assert_eq!(f.store.tails().await.unwrap(), vec![EntryId::default(); 4]);
    let empty = f.read_all(partition).await;
    assert!(empty.at_tail && empty.gap.is_none() && empty.next == EntryId::default());

    let mut ids = Vec::new();
    for i in 0..7 {
        ids.push(f.append(&event(&key, &format!("e{i}"))).await);
    }
    assert_eq!(f.store.tails().await.unwrap()[usize::from(partition)], ids[6]);

    let mut from = Position::After(empty.next);
    let mut seen = Vec::new();
    loop {
        let page = f.store.read(partition, from, 3).await.unwrap();
        assert_eq!(page.gap, None);
        seen.extend(page.entries.iter().map(|entry| entry.id));
        from = Position::After(page.next);
        assert_eq!(page.at_tail, seen.len() == 7, "after {}", seen.len());
        if page.at_tail {
            break;
        }
    }
    assert_eq!(seen, ids);
    let nothing = f.store.read(partition, from, 3).await.unwrap();
    assert!(nothing.at_tail && nothing.entries.is_empty() && nothing.next == ids[6]);

    let since = f
        .store
        .read(partition, Position::Since(ids[3].ms), 9)
        .await
        .unwrap();
    let expected: Vec<_> = ids.iter().copied().filter(|id| id.ms >= ids[3].ms).collect();
    assert_eq!(since.entries.iter().map(|e| e.id).collect::<Vec<_>>(), expected);
    let later = f
        .store
        .read(partition, Position::Since(ids[6].ms + 1), 9)
        .await
        .unwrap();
    assert!(later.entries.is_empty() && later.at_tail && later.next == ids[6]);
}

#[rstest]
#[tokio::test]
async fn a_partition_that_is_not_there_is_refused(
    #[values(Kind::Memory, Kind::Redis, Kind::Sealed, Kind::Sentinel, Kind::Cluster)] kind: Kind,
) {
    let f = Fixture::new(kind).await;
    let answer = f.store.read(4, Position::Earliest, 1).await;
    assert!(matches!(answer, Err(StoreError::Mismatch(_))), "{answer:?}");
    let tail = f.store.tail(vec![EntryId::default(); 3]).await;
    assert!(matches!(tail.err(), Some(StoreError::Mismatch(_))));
}

#[rstest]
#[tokio::test]
async fn a_conversations_history_is_what_its_partition_holds_of_it(
    #[values(Kind::Memory, Kind::Redis, Kind::Sealed, Kind::Sentinel, Kind::Cluster)] kind: Kind,
) {
    let f = Fixture::new(kind).await;
    let (mine, other) = (conversation("c"), neighbour(&conversation("c")));
    // Together, so that many entries share a millisecond and the counter gets one more digit among them.
    let tasks: Vec<_> = (0..60)
        .map(|i| {
            let key = if i % 3 == 0 { &other } else { &mine };
            let (store, event) = (f.store.clone(), event(key, &format!("e{i}")));
            tokio::spawn(async move { store.append(&event).await.unwrap() })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let all = f.read_all(f.partition(&mine)).await.entries;
    let mut positions = vec![Position::Earliest, Position::After(EntryId::default())];
    positions.extend(
        all.iter()
            .flat_map(|e| [Position::After(e.id), Position::Since(e.id.ms)]),
    );
    for from in positions {
        let expected: Vec<EntryId> = {
            let page = f.store.read(f.partition(&mine), from, 1000).await.unwrap();
            let entries = page.entries.iter().filter(|e| e.key == mine);
            entries.map(|e| e.id).collect()
        };
        for limit in [1, 7, 1000] {
            let mut seen = Vec::new();
            let mut next = from;
            loop {
                let page = f.store.read_conversation(&mine, next, limit).await.unwrap();
                assert_eq!(page.gap, None);
                assert!(page.entries.len() <= limit && page.entries.iter().all(|e| e.key == mine));
                seen.extend(page.entries.iter().map(|e| e.id));
                next = Position::After(page.next);
                if page.at_tail {
                    break;
                }
            }
            assert_eq!(seen, expected, "from {from:?}, {limit} at a time");
        }
    }
}

#[rstest]
#[tokio::test]
async fn a_delivery_is_known_for_as_long_as_was_asked(
    #[values(Kind::Memory, Kind::Redis, Kind::Sealed, Kind::Sentinel, Kind::Cluster)] kind: Kind,
) {
    let retention = Retention {
        dedupe_ms: 50,
        ..Retention::default()
    };
    let f = Fixture::keeping(kind, retention).await;
    let key = conversation("c");
    f.append(&event(&key, "e1")).await;
    let again = eventually("forgetting the delivery", async || {
        match f.store.append(&event(&key, "e1")).await.unwrap() {
            Appended::Duplicate => None,
            other => Some(other),
        }
    })
    .await;
    assert!(matches!(again, Appended::New { sequence: 2, .. }), "{again:?}");
}

#[rstest]
#[tokio::test]
async fn events_of_no_conversation_are_numbered_and_have_no_session(
    #[values(Kind::Memory, Kind::Redis, Kind::Sealed, Kind::Sentinel, Kind::Cluster)] kind: Kind,
) {
    let f = Fixture::new(kind).await;
    let none = conversation("");
    for (i, expected) in (0..3).zip(1..) {
        let appended = f.store.append(&event(&none, &format!("e{i}"))).await.unwrap();
        assert!(matches!(appended, Appended::New { sequence, .. } if sequence == expected));
    }
    assert_eq!(f.store.session(&none).await.unwrap(), None);
    assert!(f.store.sessions(&none.tenant, None, 10).await.unwrap().is_empty());
    let page = f
        .store
        .read_conversation(&none, Position::Earliest, 10)
        .await
        .unwrap();
    assert_eq!(page.entries.len(), 3);
}
