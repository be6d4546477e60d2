//! Connections that nobody uses for a while are asked whether they are still there.
#![cfg(target_os = "linux")]

use std::time::Duration;

use chatbridge::store::{
    Retention, Store as _,
    redis::{RedisSettings, RedisStore, Wait},
};

use super::fixture::{conversation, event, eventually, settings};
use crate::support::redis::RedisServer;

/// Of the connections to a port, by what the kernel says: how many there are, and for how many it will ask.
fn connections(port: u16) -> (usize, usize) {
    const ESTABLISHED: &str = "01";
    const KEEPALIVE: &str = "02:";
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let to_port = format!(":{port:04X}");
    let lines = table
        .lines()
        .map(|line| line.split_ascii_whitespace().collect::<Vec<_>>());
    let ours: Vec<_> = lines
        .filter(|parts| parts.len() > 5 && parts[2].ends_with(&to_port) && parts[3] == ESTABLISHED)
        .collect();
    let asked = ours
        .iter()
        .filter(|parts| parts[5].starts_with(KEEPALIVE))
        .count();
    (ours.len(), asked)
}

#[tokio::test]
async fn idle_connections_are_asked_whether_they_are_there() {
    let server = RedisServer::start();
    let port = server.url().rsplit(':').next().unwrap().parse().unwrap();
    let wait = Wait {
        replicas: 1,
        within: Duration::from_millis(1),
    };
    let store = RedisStore::connect(RedisSettings {
        wait: Some(wait),
        ..settings(&server, "test", Retention::default())
    });
    let store = store.await.unwrap();
    // The connections of each kind: what is urgent, reads, the live feed, and those that wait for replicas.
    let _feed = store.tail(store.tails().await.unwrap()).await.unwrap();
    store.session(&conversation("c")).await.unwrap();
    assert!(store.append(&event(&conversation("c"), "e")).await.is_err());
    let all = eventually("their being idle", async || {
        let (all, asked) = connections(port);
        (all == asked && all >= 4).then_some(all)
    })
    .await;
    assert!(all >= 4, "{all}");
}
