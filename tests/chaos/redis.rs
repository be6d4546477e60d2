//! Real Redis servers in the three ways in which they are run, each server behind a link of its own.

mod cluster;
mod node;
mod sentinel;

use std::{net::SocketAddr, path::Path};

pub use cluster::Cluster;
pub use node::{Disk, Node};
pub use sentinel::Sentinels;

use crate::{Result, clock::Clock, process::PATIENCE};

/// How Redis is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Topology {
    Standalone(Disk),
    /// A master with two replicas and three Sentinels; whether a write needs a replica (`min-replicas-to-write`).
    Sentinel {
        guarded: bool,
    },
    /// Three masters with a replica each; guarded as above.
    Cluster {
        guarded: bool,
    },
}

/// What runs.
pub enum Redis {
    Standalone(Box<Node>),
    Sentinels(Sentinels),
    Cluster(Cluster),
}

impl Redis {
    /// Starts it, and waits until it takes writes.
    pub async fn start(topology: Topology, folder: &Path, clock: Option<&Clock>) -> Result<Self> {
        Ok(match topology {
            Topology::Standalone(disk) => {
                let mut node = Node::prepare("redis", folder, disk, clock).await?;
                node.start(&[])?;
                node.answers(PATIENCE).await?;
                Self::Standalone(Box::new(node))
            }
            Topology::Sentinel { guarded } => Self::Sentinels(Sentinels::start(folder, guarded).await?),
            Topology::Cluster { guarded } => Self::Cluster(Cluster::start(folder, guarded).await?),
        })
    }

    /// The setting `redis_url`.
    pub fn url(&self) -> String {
        let list = |addresses: Vec<SocketAddr>| {
            let all: Vec<String> = addresses.iter().map(ToString::to_string).collect();
            all.join(",")
        };
        match self {
            Self::Standalone(node) => format!("redis://{}", node.link.address()),
            Self::Sentinels(set) => format!("redis+sentinel://{}/{}", list(set.sentinels()), sentinel::NAME),
            Self::Cluster(cluster) => format!("redis+cluster://{}", list(cluster.addresses())),
        }
    }

    /// The only server, where there is one.
    pub fn node(&mut self) -> Result<&mut Node> {
        match self {
            Self::Standalone(node) => Ok(node),
            _ => Err("this scenario is one for a single server".into()),
        }
    }

    pub fn sentinels(&mut self) -> Result<&mut Sentinels> {
        match self {
            Self::Sentinels(set) => Ok(set),
            _ => Err("this scenario is one for Sentinel".into()),
        }
    }

    pub fn cluster(&mut self) -> Result<&mut Cluster> {
        match self {
            Self::Cluster(cluster) => Ok(cluster),
            _ => Err("this scenario is one for Cluster".into()),
        }
    }

    /// Fails where a server ended that nobody ended.
    pub fn must_run(&mut self) -> Result<()> {
        match self {
            Self::Standalone(node) => node.must_run(),
            Self::Sentinels(set) => set.nodes.iter_mut().try_for_each(Node::must_run),
            Self::Cluster(cluster) => cluster.nodes.iter_mut().try_for_each(Node::must_run),
        }
    }
}
