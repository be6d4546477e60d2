//! Streams whose conversations may be changed.

use bytes::Bytes;
use chatbridge::store::{StreamChange, StreamChanged, StreamKey};
use rstest::rstest;

use super::fixture::{Fixture, Kind, tenant};
use chatbridge::event::TenantId;

const TTL_MS: u64 = 60_000;

fn stream(id: &str) -> StreamKey {
    StreamKey {
        tenant: tenant(),
        id: id.to_owned(),
    }
}

fn names(ids: &[&str]) -> Vec<String> {
    ids.iter().map(|id| (*id).to_owned()).collect()
}

fn change(add: &[&str], remove: &[&str]) -> StreamChange {
    StreamChange {
        add: names(add),
        remove: names(remove),
        record: Bytes::from(format!("{add:?}\0{remove:?}")),
    }
}

#[rstest]
#[tokio::test]
async fn changes_wait_until_they_are_taken_up(
    #[values(Kind::Memory, Kind::Redis, Kind::Sealed, Kind::Sentinel, Kind::Cluster)] kind: Kind,
) {
    let f = Fixture::new(kind).await;
    let key = stream("s");
    let changes = [
        change(&["a", "b"], &[]),
        change(&[], &["a"]),
        change(&["c"], &["b"]),
    ];
    let refused = f.store.streams().change(&key, &changes[0]).await.unwrap();
    assert_eq!(refused, StreamChanged::Unknown);
    assert_eq!(f.store.streams().waiting(&key, 0, TTL_MS).await.unwrap(), None);

    f.store.streams().open(&key, 0, &[], TTL_MS).await.unwrap();
    assert_eq!(
        f.store.streams().waiting(&key, 0, TTL_MS).await.unwrap(),
        Some(vec![])
    );
    for (number, change) in (1..).zip(&changes) {
        let taken = f.store.streams().change(&key, change).await.unwrap();
        assert_eq!(taken, StreamChanged::Taken(number));
    }
    let waiting = |from: u64| -> Vec<(u64, Bytes)> {
        let all = (1..).zip(changes.iter().map(|change| change.record.clone()));
        all.filter(|(number, _)| *number >= from).collect()
    };
    for applied in [0, 0, 2, 1, 3] {
        let found = f
            .store
            .streams()
            .waiting(&key, applied, TTL_MS)
            .await
            .unwrap()
            .unwrap();
        // What was let go of once does not come back.
        let from = if applied == 1 { 3 } else { applied + 1 };
        assert_eq!(found, waiting(from), "behind {applied}");
    }
    // Opened again, as when the first answer was lost, it keeps what it has.
    f.store
        .streams()
        .open(&key, 0, &names(&["z"]), TTL_MS)
        .await
        .unwrap();
    let taken = f.store.streams().change(&key, &changes[0]).await.unwrap();
    assert_eq!(taken, StreamChanged::Taken(4));

    let foreign = StreamKey {
        tenant: TenantId::new("another"),
        ..key.clone()
    };
    let refused = f.store.streams().change(&foreign, &changes[0]).await.unwrap();
    assert_eq!(refused, StreamChanged::Unknown, "of another tenant");
    f.store.streams().close(&key).await.unwrap();
    let refused = f.store.streams().change(&key, &changes[0]).await.unwrap();
    assert_eq!(refused, StreamChanged::Unknown);
    f.store.streams().open(&key, 7, &[], TTL_MS).await.unwrap();
    let taken = f.store.streams().change(&key, &changes[0]).await.unwrap();
    assert_eq!(taken, StreamChanged::Taken(8), "numbers go on where they were");
}

#[rstest]
#[tokio::test]
async fn a_stream_has_so_many_conversations_and_no_more(
    #[values(Kind::Memory, Kind::Redis, Kind::Sealed, Kind::Sentinel, Kind::Cluster)] kind: Kind,
) {
    let f = Fixture::new(kind).await;
    let key = stream("s");
    let first: Vec<String> = (0..998).map(|i| format!("c{i}")).collect();
    f.store.streams().open(&key, 0, &first, TTL_MS).await.unwrap();
    for (add, remove, fits) in [
        (&["x", "y", "z"][..], &[][..], false),
        (&["x", "y"], &[], true),
        (&["x", "y", "c1"], &[], true),
        (&["z"], &[], false),
        // One that is not there makes no room, and one that is in both lists none either.
        (&["z"], &["nobody"], false),
        (&["z", "x"], &["x"], false),
        (&["z"], &["c1"], true),
        (&["c1"], &[], false),
        (&["c1"], &["c2"], true),
    ] {
        let changed = f
            .store
            .streams()
            .change(&key, &change(add, remove))
            .await
            .unwrap();
        let taken = matches!(changed, StreamChanged::Taken(_));
        assert!(taken || changed == StreamChanged::TooManyConversations);
        assert_eq!(taken, fits, "{add:?} {remove:?}");
    }
}

#[rstest]
#[tokio::test]
async fn so_many_changes_may_wait_and_no_more(
    #[values(Kind::Memory, Kind::Redis, Kind::Sealed, Kind::Sentinel, Kind::Cluster)] kind: Kind,
) {
    let f = Fixture::new(kind).await;
    let key = stream("s");
    f.store.streams().open(&key, 0, &[], TTL_MS).await.unwrap();
    for number in 1..=1000 {
        let taken = f
            .store
            .streams()
            .change(&key, &change(&["a"], &[]))
            .await
            .unwrap();
        assert_eq!(taken, StreamChanged::Taken(number));
    }
    let refused = f
        .store
        .streams()
        .change(&key, &change(&["a"], &[]))
        .await
        .unwrap();
    assert_eq!(refused, StreamChanged::TooManyChanges);
    f.store.streams().waiting(&key, 1, TTL_MS).await.unwrap();
    let taken = f
        .store
        .streams()
        .change(&key, &change(&["a"], &[]))
        .await
        .unwrap();
    assert_eq!(taken, StreamChanged::Taken(1001));
}

#[rstest]
#[tokio::test]
async fn a_stream_that_does_not_look_is_forgotten(
    #[values(Kind::Memory, Kind::Redis, Kind::Sealed, Kind::Sentinel, Kind::Cluster)] kind: Kind,
) {
    let f = Fixture::new(kind).await;
    let (key, renewed) = (stream("s"), stream("t"));
    for key in [&key, &renewed] {
        f.store.streams().open(key, 0, &[], 50).await.unwrap();
    }
    f.store.streams().waiting(&renewed, 0, TTL_MS).await.unwrap();
    // Whoever looks renews it.
    tokio::time::sleep(std::time::Duration::from_millis(80)).await;
    assert_eq!(f.store.streams().waiting(&key, 0, 50).await.unwrap(), None);
    assert!(
        f.store
            .streams()
            .waiting(&renewed, 0, TTL_MS)
            .await
            .unwrap()
            .is_some()
    );
}

#[rstest]
#[tokio::test]
async fn who_was_changed_is_told_from_a_mark_on(
    #[values(Kind::Memory, Kind::Redis, Kind::Sealed, Kind::Sentinel, Kind::Cluster)] kind: Kind,
) {
    let f = Fixture::new(kind).await;
    let (a, b) = (stream("a"), stream("b"));
    for key in [&a, &b] {
        f.store.streams().open(key, 0, &[], TTL_MS).await.unwrap();
    }
    f.store.streams().change(&a, &change(&["c"], &[])).await.unwrap();
    let now = f.store.streams().changed(None).await.unwrap();
    assert!(now.ids.is_empty(), "{now:?}");
    let same = f.store.streams().changed(Some(&now.mark)).await.unwrap();
    assert_eq!(same, now);
    for key in [&b, &a, &b] {
        f.store.streams().change(key, &change(&["c"], &[])).await.unwrap();
    }
    let changed = f.store.streams().changed(Some(&now.mark)).await.unwrap();
    assert_eq!(changed.ids, ["b", "a", "b"]);
    let rest = f.store.streams().changed(Some(&changed.mark)).await.unwrap();
    assert!(rest.ids.is_empty(), "{rest:?}");
}
