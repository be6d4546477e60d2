//! Three masters with a replica each.

use std::{net::SocketAddr, path::Path, time::Duration};

use super::node::{Disk, Node};
use crate::{
    Result,
    process::{PATIENCE, free_port, until},
};

const MASTERS: usize = 3;
const SLOTS: usize = 16_384;

/// A cluster. Its first three nodes begin as masters, and node `n + 3` as the replica of node `n`.
pub struct Cluster {
    pub nodes: Vec<Node>,
    /// Whether a master takes writes only where a replica is there.
    pub guarded: bool,
}

impl Cluster {
    pub(super) async fn start(folder: &Path, guarded: bool) -> Result<Self> {
        let mut nodes = Vec::new();
        let mut buses = Vec::new();
        for number in 0..2 * MASTERS {
            let mut node = Node::prepare(&format!("redis-{number}"), folder, Disk::EverySecond, None).await?;
            let bus = free_port()?.to_string();
            // Clients and replicas learn the link's address; the nodes' own talk passes by it.
            let announced = node.link.address().port().to_string();
            let mut args = vec!["--cluster-enabled", "yes", "--cluster-node-timeout", "2000"];
            args.extend(["--cluster-port", &bus, "--cluster-announce-bus-port", &bus]);
            args.extend([
                "--cluster-announce-ip",
                "127.0.0.1",
                "--cluster-announce-port",
                &announced,
            ]);
            args.extend(["--repl-diskless-sync-delay", "0", "--repl-timeout", "10"]);
            if guarded {
                args.extend(["--min-replicas-to-write", "1", "--min-replicas-max-lag", "3"]);
            }
            node.start(&args)?;
            nodes.push(node);
            buses.push(bus);
        }
        for node in &nodes {
            node.answers(PATIENCE).await?;
        }
        let cluster = Self { nodes, guarded };
        cluster.join(&buses).await?;
        Ok(cluster)
    }

    /// Makes one cluster of the nodes.
    async fn join(&self, buses: &[String]) -> Result<()> {
        for (number, node) in self.nodes.iter().enumerate() {
            // An epoch of its own each, so that no two quarrel about slots.
            let epoch = (number + 1).to_string();
            let () = node.ask(&["CLUSTER", "SET-CONFIG-EPOCH", &epoch]).await?;
            if number < MASTERS {
                let first = (number * SLOTS / MASTERS).to_string();
                let last = ((number + 1) * SLOTS / MASTERS - 1).to_string();
                let () = node.ask(&["CLUSTER", "ADDSLOTSRANGE", &first, &last]).await?;
            }
        }
        for (node, bus) in self.nodes.iter().zip(buses).skip(1) {
            let port = node.port().to_string();
            let () = self.nodes[0]
                .ask(&["CLUSTER", "MEET", "127.0.0.1", &port, bus])
                .await?;
        }
        until("the nodes know each other", PATIENCE, async || {
            for node in &self.nodes {
                let table: String = node.ask(&["CLUSTER", "NODES"]).await.ok()?;
                let known = table.lines().filter(|line| !line.contains("handshake")).count();
                (known == self.nodes.len()).then_some(())?;
            }
            Some(())
        })
        .await?;
        for number in MASTERS..2 * MASTERS {
            let master: String = self.nodes[number - MASTERS].ask(&["CLUSTER", "MYID"]).await?;
            until("a replica knows its master", PATIENCE, async || {
                self.nodes[number]
                    .ask::<()>(&["CLUSTER", "REPLICATE", &master])
                    .await
                    .ok()
            })
            .await?;
        }
        self.whole(PATIENCE).await
    }

    /// Waits until all slots are served, by every node's account, and each node that runs has its link up.
    pub async fn whole(&self, patience: Duration) -> Result<()> {
        until("the cluster is whole", patience, async || {
            for node in self.nodes.iter().filter(|node| node.is_up()) {
                let state: String = node.ask(&["CLUSTER", "INFO"]).await.ok()?;
                state.contains("cluster_state:ok").then_some(())?;
                let info: redis::InfoDict = node.ask(&["INFO", "replication"]).await.ok()?;
                if info.get::<String>("role")? == "slave" {
                    (info.get::<String>("master_link_status")? == "up").then_some(())?;
                }
            }
            Some(())
        })
        .await
    }

    /// Waits until this node is a master.
    pub async fn becomes_master(&self, number: usize, patience: Duration) -> Result<()> {
        until("the replica takes over", patience, async || {
            (self.nodes[number].role().await? == "master").then_some(())
        })
        .await
    }

    /// Addresses of the nodes' links.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.nodes.iter().map(|node| node.link.address()).collect()
    }
}
