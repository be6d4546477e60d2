//! A Redis whose memory is full: what is stored is read, and what need not be kept makes room.

use std::time::{Duration, Instant};

use bytes::Bytes;
use chatbridge::{
    event::Position,
    store::{Append, Appended, Retention, Store as _, StoreError, entry::encode_content, redis::RedisStore},
};
use redis::{aio::MultiplexedConnection, cmd};

use super::fixture::{PARTITIONS, conversation, event, eventually, raw_of, settings};
use crate::support::redis::RedisServer;

/// Entries that fill the memory.
const ENTRIES: usize = 100;

fn large(id: &str) -> Append {
    let mut event = event(&conversation("c"), id);
    event.content = encode_content(Bytes::new(), vec![b'x'; 50_000].into());
    event
}

/// A store whose Redis is full: it has a megabyte more than it may have.
async fn full(server: &RedisServer, retention: Retention) -> (RedisStore, MultiplexedConnection) {
    let store = RedisStore::connect(settings(server, "test", retention))
        .await
        .unwrap();
    for i in 0..ENTRIES {
        store.append(&large(&format!("e{i}"))).await.unwrap();
    }
    let mut past = server.connection().await;
    let info: redis::InfoDict = cmd("INFO").arg("memory").query_async(&mut past).await.unwrap();
    let used: u64 = info.get("used_memory").unwrap();
    let () = cmd("CONFIG")
        .arg(&["SET", "maxmemory"])
        .arg(used - (1 << 20))
        .query_async(&mut past)
        .await
        .unwrap();
    let refused = store.append(&large("one too many")).await;
    assert!(
        matches!(&refused, Err(StoreError::Unavailable(why)) if why.contains("OOM")),
        "{refused:?}"
    );
    (store, past)
}

#[tokio::test]
async fn what_is_too_old_makes_room_by_itself() {
    let server = RedisServer::start();
    let retention = Retention {
        log_ms: 2_000,
        ..Retention::default()
    };
    let (store, _) = full(&server, retention).await;
    eventually("making room", async || {
        store.tidy(1).await.unwrap();
        store.append(&large("one too many")).await.ok()
    })
    .await;
}

#[tokio::test]
async fn streams_go_on_reading_what_is_stored() {
    let server = RedisServer::start();
    let (store, mut past) = full(&server, Retention::default()).await;
    let key = conversation("c");
    let partition = chatbridge::store::partition::of(&key, PARTITIONS);
    let (mut from, mut read) = (Position::Earliest, 0);
    loop {
        let page = store.read(partition, from, 1000).await.unwrap();
        assert_eq!(page.gap, None);
        read += page.entries.len();
        from = Position::After(page.next);
        if page.at_tail {
            break;
        }
    }
    assert_eq!(read, ENTRIES);
    let of_conversation = store.read_conversation(&key, Position::Earliest, 5).await;
    assert_eq!(of_conversation.unwrap().entries.len(), 5);

    // A feed opens, and goes on for longer than it waits before it looks whether the log is still the same.
    let mut tail = store.tail(store.tails().await.unwrap()).await.unwrap();
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(3) {
        assert!(tail.next().await.unwrap().is_empty());
    }
    let () = cmd("CONFIG")
        .arg(&["SET", "maxmemory", "0"])
        .query_async(&mut past)
        .await
        .unwrap();
    let appended = store.append(&event(&key, "after")).await.unwrap();
    assert!(matches!(appended, Appended::New { .. }));
    let page = store.read(partition, from, 10).await.unwrap();
    assert_eq!(raw_of(&page.entries[0]), "raw after");
    loop {
        if let [entry] = &tail.next().await.unwrap()[..] {
            assert_eq!(raw_of(entry), "raw after");
            break;
        }
    }
}
