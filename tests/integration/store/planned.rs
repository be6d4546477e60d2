//! Fail-overs that somebody asked for: nothing that was acknowledged is lost, and streams go on.

use std::{sync::Arc, time::Duration};

use chatbridge::store::redis::{RedisSettings, RedisStore, Wait};
use redis::cmd;

use super::{
    failover::{live_through, settings, store},
    fixture::eventually,
};
use crate::support::topologies::{MASTER, RedisCluster, SentinelSet};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sentinels_hand_over_to_a_replica() {
    let set = SentinelSet::start();
    // The one that is promoted leaves the old master with one replica, whose word must not do.
    let wait = Some(Wait {
        replicas: 2,
        within: Duration::from_millis(500),
    });
    let store = RedisStore::connect(RedisSettings {
        wait,
        ..settings(&set.url(), true)
    });
    let happening = async || {
        let before = set.master().port;
        eventually("a fail-over that begins", async || {
            set.sentinels[0].ask::<String>(cmd("SENTINEL").arg("FAILOVER").arg(MASTER))
        })
        .await;
        eventually("another master", async || {
            let named: Option<(String, u16)> =
                set.sentinels[1].ask(cmd("SENTINEL").arg("GET-MASTER-ADDR-BY-NAME").arg(MASTER));
            named.filter(|(_, port)| *port != before)
        })
        .await;
    };
    live_through(Arc::new(store.await.unwrap()), happening, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_of_a_cluster_hands_over_to_its_replica() {
    let cluster = RedisCluster::start();
    let store = store(&cluster.url(), false).await;
    let happening = async || {
        for replica in cluster.replicas() {
            eventually("its taking over", async || {
                // Given up after five seconds, which a busy machine may need to have the replica level with its master.
                replica.ask::<String>(cmd("CLUSTER").arg("FAILOVER"))?;
                for _ in 0..60 {
                    if cluster.masters().iter().any(|node| node.port == replica.port) {
                        return Some(());
                    }
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
                None
            })
            .await;
        }
    };
    live_through(store, happening, 1).await;
}
