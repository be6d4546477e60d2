//! A master, two replicas, three Sentinels.

use std::{net::SocketAddr, path::Path, time::Duration};

use super::node::{Disk, Node};
use crate::{
    Result,
    process::{PATIENCE, Process, command, free_port, until},
};

/// What the Sentinels call the master.
pub const NAME: &str = "chat";

/// The Sentinels, and the servers that they watch.
pub struct Sentinels {
    pub nodes: Vec<Node>,
    /// Whether a master takes writes only where both replicas are there.
    pub guarded: bool,
    ports: Vec<u16>,
    processes: Vec<Process>,
}

impl Sentinels {
    pub(super) async fn start(folder: &Path, guarded: bool) -> Result<Self> {
        let mut nodes = Vec::new();
        for number in 0..3 {
            nodes.push(Node::prepare(&format!("redis-{number}"), folder, Disk::EverySecond, None).await?);
        }
        let first = nodes[0].link.address();
        for (number, node) in nodes.iter_mut().enumerate() {
            // Everybody learns the link's address, so that nobody passes by it.
            let announced = node.link.address().port().to_string();
            let mut args = vec![
                "--replica-announce-ip",
                "127.0.0.1",
                "--replica-announce-port",
                &announced,
            ];
            args.extend(["--repl-diskless-sync-delay", "0", "--repl-timeout", "10"]);
            if guarded {
                args.extend(["--min-replicas-to-write", "2", "--min-replicas-max-lag", "3"]);
            }
            let master = format!("127.0.0.1 {}", first.port());
            if number > 0 {
                args.extend(["--replicaof", &master]);
            }
            node.start(&args)?;
        }
        let mut set = Self {
            nodes,
            guarded,
            ports: Vec::new(),
            processes: Vec::new(),
        };
        for node in &set.nodes {
            node.answers(PATIENCE).await?;
        }
        set.replicated(PATIENCE).await?;
        for number in 0..3 {
            set.add_sentinel(number, first, folder)?;
        }
        until(
            "the Sentinels know each other and the replicas",
            PATIENCE,
            async || {
                for port in &set.ports {
                    let known = sentinel_knows(*port).await?;
                    (known == (2, 2)).then_some(())?;
                }
                Some(())
            },
        )
        .await?;
        Ok(set)
    }

    fn add_sentinel(&mut self, number: usize, master: SocketAddr, folder: &Path) -> Result<()> {
        let port = free_port()?;
        let name = format!("sentinel-{number}");
        let own = folder.join(&name);
        std::fs::create_dir_all(&own)?;
        let file = own.join("sentinel.conf");
        let text = format!(
            "port {port}\nbind 127.0.0.1\ndir {}\n\
             sentinel monitor {NAME} 127.0.0.1 {} 2\n\
             sentinel down-after-milliseconds {NAME} 1500\n\
             sentinel failover-timeout {NAME} 6000\n\
             sentinel parallel-syncs {NAME} 2\n",
            own.display(),
            master.port()
        );
        std::fs::write(&file, text)?;
        let mut command = command("redis-server");
        command.arg(&file).arg("--sentinel");
        self.processes.push(Process::start(&name, command, folder)?);
        self.ports.push(port);
        Ok(())
    }

    /// Addresses of the Sentinels.
    pub fn sentinels(&self) -> Vec<SocketAddr> {
        self.ports
            .iter()
            .map(|port| SocketAddr::from(([127, 0, 0, 1], *port)))
            .collect()
    }

    /// Waits for exactly one master that runs, with all other servers that run as its connected replicas; answers which.
    pub async fn replicated(&self, patience: Duration) -> Result<usize> {
        until(
            "there is one master, and the rest follows it",
            patience,
            async || {
                let mut masters = Vec::new();
                let up: Vec<usize> = (0..self.nodes.len()).filter(|n| self.nodes[*n].is_up()).collect();
                for number in &up {
                    let info: redis::InfoDict =
                        self.nodes[*number].ask(&["INFO", "replication"]).await.ok()?;
                    let online = (0..up.len())
                        .filter_map(|n| info.get::<String>(&format!("slave{n}")))
                        .filter(|line| line.contains("state=online"))
                        .count();
                    if info.get::<String>("role")? == "master" {
                        masters.push((*number, online));
                    }
                }
                match masters[..] {
                    [(number, online)] if online + 1 == up.len() => Some(number),
                    _ => None,
                }
            },
        )
        .await
    }

    /// Waits until another server than this one is master.
    pub async fn another_master(&self, old: usize, patience: Duration) -> Result<usize> {
        until("another server becomes master", patience, async || {
            for (number, node) in self.nodes.iter().enumerate() {
                if number != old && node.is_up() && node.role().await.as_deref() == Some("master") {
                    return Some(number);
                }
            }
            None
        })
        .await
    }
}

/// How many replicas and how many other Sentinels one knows.
async fn sentinel_knows(port: u16) -> Option<(u32, u32)> {
    let client = redis::Client::open(("127.0.0.1", port)).ok()?;
    let mut connection = client.get_multiplexed_async_connection().await.ok()?;
    let master: std::collections::HashMap<String, String> = redis::cmd("SENTINEL")
        .arg("MASTER")
        .arg(NAME)
        .query_async(&mut connection)
        .await
        .ok()?;
    let number = |name: &str| master.get(name)?.parse().ok();
    Some((number("num-slaves")?, number("num-other-sentinels")?))
}
