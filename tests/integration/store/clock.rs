//! The store in memory goes by the clock that it was given, for whatever it keeps.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use bytes::Bytes;
use chatbridge::{
    event::Position,
    store::{Retention, Store as _, StreamChange, StreamChanged, StreamKey, memory::MemoryStore},
};

use super::fixture::{PARTITIONS, conversation, event, tenant};

#[tokio::test]
async fn nothing_goes_before_its_time() {
    // Long ago, by the machine's clock.
    let clock = Arc::new(AtomicU64::new(1_000_000));
    let retention = Retention {
        log_ms: 10_000,
        ..Retention::default()
    };
    let store = {
        let clock = clock.clone();
        MemoryStore::with_clock(PARTITIONS, retention, move || clock.load(Ordering::Relaxed))
    };
    let key = conversation("c");
    store.append(&event(&key, "e")).await.unwrap();
    let stream = StreamKey {
        tenant: tenant(),
        id: "s".into(),
    };
    let change = StreamChange {
        record: Bytes::from_static(b"record"),
        ..StreamChange::default()
    };
    store.streams().open(&stream, 0, &[], 5_000).await.unwrap();
    let left = async || {
        store.tidy(1).await.unwrap();
        let partition = chatbridge::store::partition::of(&key, PARTITIONS);
        let page = store.read(partition, Position::Earliest, 10).await.unwrap();
        let taken = store.streams().change(&stream, &change).await.unwrap();
        (page.entries.len(), taken != StreamChanged::Unknown)
    };
    assert_eq!(left().await, (1, true));
    clock.fetch_add(6_000, Ordering::Relaxed);
    assert_eq!(left().await, (1, false));
    clock.fetch_add(6_000, Ordering::Relaxed);
    assert_eq!(left().await, (0, false));
}
