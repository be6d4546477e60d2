//! A cluster that cannot be reached, or of which a part is on the move.

use std::time::{Duration, Instant};

use chatbridge::{
    event::Position,
    store::{Appended, Store as _, StoreError},
};
use tokio::task::JoinSet;

use super::{
    failover::{conversations, log, move_slot, store},
    fixture::{PARTITIONS, event, eventually, raw_of},
};
use crate::support::topologies::{Paused, Process, RedisCluster};

/// Within which time a webhook must be answered.
const ANSWERED_WITHIN: Duration = Duration::from_secs(3);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cut_to_all_nodes_fails_fast_and_is_got_over() {
    let cluster = RedisCluster::start_patient();
    let store = store(&cluster.url(), false).await;
    let keys = conversations();
    for key in &keys {
        let before = event(key, &format!("before {}", key.conversation));
        store.append(&before).await.unwrap();
    }
    let paused: Vec<Paused> = cluster.nodes.iter().map(Process::pause).collect();
    let cut = Instant::now();
    let mut senders = JoinSet::new();
    for sender in 0..60 {
        let (store, key) = (store.clone(), keys[sender % keys.len()].clone());
        senders.spawn(async move {
            let mut slowest = Duration::ZERO;
            let meanwhile = event(&key, &format!("meanwhile {sender}"));
            while cut.elapsed() < Duration::from_secs(8) {
                let start = Instant::now();
                let answer = store.append(&meanwhile).await;
                assert!(matches!(answer, Err(StoreError::Unavailable(_))), "{answer:?}");
                slowest = slowest.max(start.elapsed());
                // As 8x8 does, but sooner.
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            slowest
        });
    }
    let slowest = senders.join_all().await.into_iter().max().unwrap();
    assert!(slowest < ANSWERED_WITHIN, "one took {slowest:?}");

    drop(paused);
    for sender in 0..60 {
        let meanwhile = event(&keys[sender % keys.len()], &format!("meanwhile {sender}"));
        eventually("getting over it", async || store.append(&meanwhile).await.ok()).await;
    }
    let log = eventually("the whole log", async || log(&store).await.ok()).await;
    assert_eq!(log.len(), 60 + keys.len(), "each is there once");
    store.tail(store.tails().await.unwrap()).await.unwrap();
}

#[tokio::test]
async fn the_time_is_any_nodes() {
    let cluster = RedisCluster::start_patient();
    let store = store(&cluster.url(), false).await;
    for node in cluster.masters() {
        let paused = node.pause();
        let start = Instant::now();
        store.now_ms().await.unwrap();
        assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
        drop(paused);
    }
}

#[tokio::test]
async fn streams_go_on_while_a_slot_of_the_log_is_on_its_way() {
    let cluster = RedisCluster::start();
    let store = store(&cluster.url(), false).await;
    let keys = conversations();
    for key in &keys {
        store
            .append(&event(key, &format!("before {}", key.conversation)))
            .await
            .unwrap();
    }
    let tag = chatbridge::store::partition::hash_tag(1, PARTITIONS);
    let key = format!("test:{{{tag}}}:log");
    let masters = cluster.masters();
    let from = cluster.master_of(&key);
    let to = masters
        .iter()
        .find(|node| node.port != from.port)
        .expect("there are three");
    let meanwhile = async || {
        let mut tail = store.tail(store.tails().await.unwrap()).await.unwrap();
        let page = store.read(1, Position::Earliest, 10).await.unwrap();
        assert_eq!(page.entries.len(), 1);
        let appended = store.append(&event(&keys[0], "elsewhere")).await.unwrap();
        assert!(matches!(appended, Appended::New { .. }));
        // For longer than it waits before it looks whether the log is still the same.
        let (start, mut seen) = (Instant::now(), Vec::new());
        while start.elapsed() < Duration::from_secs(5) {
            seen.extend(tail.next().await.unwrap().iter().map(raw_of));
        }
        assert_eq!(seen, ["raw elsewhere"]);
    };
    move_slot(&masters, from, to, &key, meanwhile).await;
    eventually("the slot's arrival", async || {
        store.append(&event(&keys[1], "after")).await.ok()
    })
    .await;
}
