//! A replica of the service, behind balancers that keep their addresses while it comes and goes.

use std::{collections::HashMap, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use tokio::time::sleep;
use tokio_util::task::AbortOnDropHandle;

use crate::{
    Result,
    balancer::Balancer,
    memory::Memory,
    process::{PATIENCE, Process, command, log_file, until},
};

/// What all replicas have in common.
pub struct Common {
    pub program: PathBuf,
    pub config: PathBuf,
    pub redis_url: String,
    pub logs: PathBuf,
    /// What they log.
    pub log: String,
    /// To the webhook doors.
    pub webhook: Balancer,
    /// To the ports for Chat API v2.
    pub chat_v2: Balancer,
    pub memory: Memory,
}

#[derive(Clone, Copy)]
struct Ports {
    grpc: SocketAddr,
    webhook: SocketAddr,
    admin: SocketAddr,
    chat_v2: SocketAddr,
}

/// A replica that runs.
pub struct Replica {
    pub name: String,
    common: Arc<Common>,
    process: Process,
    ports: Ports,
    _watch: AbortOnDropHandle<()>,
}

impl Replica {
    /// Starts one, and answers once the balancers send connections to it.
    pub async fn start(name: &str, common: &Arc<Common>) -> Result<Self> {
        let ready = common.logs.join(format!("{name}.ready.json"));
        let mut command = command(&common.program);
        command
            .env_clear()
            .args(["serve", "--ready-file"])
            .arg(&ready)
            .arg("--config")
            .arg(&common.config)
            .env("CHATBRIDGE_LOG", &common.log)
            .env("CHATBRIDGE_REDIS_URL", &common.redis_url);
        for port in ["GRPC", "WEBHOOK", "ADMIN", "CHAT_V2"] {
            command.env(format!("CHATBRIDGE_{port}_LISTEN"), "127.0.0.1:0");
        }
        let mut process = Process::start(name, command, &common.logs)?;
        let watch = common.memory.watch(name, process.id());
        let text = until(&format!("{name} listens"), PATIENCE, async || {
            if process.ended().is_some() {
                return Some(String::new());
            }
            std::fs::read_to_string(&ready).ok()
        })
        .await?;
        process.must_run()?;
        let addresses: HashMap<String, String> = serde_json::from_str(&text)?;
        let address = |name: &str| -> Result<SocketAddr> {
            let text = addresses
                .get(name)
                .ok_or_else(|| format!("the ready file names no {name}"))?;
            Ok(text.parse()?)
        };
        let ports = Ports {
            grpc: address("grpc")?,
            webhook: address("webhook")?,
            admin: address("admin")?,
            chat_v2: address("chat_v2")?,
        };
        common.webhook.add(ports.webhook);
        common.chat_v2.add(ports.chat_v2);
        Ok(Self {
            name: name.to_owned(),
            common: Arc::clone(common),
            process,
            ports,
            _watch: watch,
        })
    }

    /// Its gRPC port.
    pub fn grpc(&self) -> SocketAddr {
        self.ports.grpc
    }

    /// Ends it without any warning (SIGKILL); the balancers hear of it only then.
    pub fn kill(mut self) {
        self.process.kill();
        self.leave();
    }

    /// Takes it out of the balancers, asks it to stop (SIGTERM), and waits for that.
    pub async fn terminate(mut self) -> Result<()> {
        self.leave();
        sleep(Duration::from_secs(1)).await;
        let status = self.process.terminate().await?;
        if status.success() {
            Ok(())
        } else {
            Err(format!("{} answered SIGTERM with {status}", self.name).into())
        }
    }

    fn leave(&self) {
        self.common.webhook.remove(self.ports.webhook);
        self.common.chat_v2.remove(self.ports.chat_v2);
    }

    /// Fails where it ended although nobody ended it.
    pub fn must_run(&mut self) -> Result<()> {
        self.process.must_run()
    }

    /// What it counts and measures, by name with labels.
    pub async fn metrics(&self) -> Result<HashMap<String, f64>> {
        let client = reqwest::Client::builder()
            .no_proxy()
            .timeout(Duration::from_secs(10))
            .build()?;
        let text = client
            .get(format!("http://{}/metrics", self.ports.admin))
            .send()
            .await?
            .text()
            .await?;
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        Ok(lines
            .filter_map(|line| {
                let (name, value) = line.rsplit_once(' ')?;
                Some((name.to_owned(), value.parse().ok()?))
            })
            .collect())
    }
}

/// Whether the log of a replica says that something in it panicked.
pub fn panicked(common: &Common, name: &str) -> bool {
    let log = std::fs::read_to_string(log_file(&common.logs, name));
    log.is_ok_and(|text| text.contains("panicked at"))
}
