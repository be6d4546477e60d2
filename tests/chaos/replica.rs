//! A replica of the service, behind links that keep their addresses while it comes and goes.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use serde_json::Value;

use crate::{
    Result,
    clock::Clock,
    link::Link,
    process::{PATIENCE, Process, command, until},
    subscriber::HEARTBEAT_MS,
    vendor::{PARTITIONS, TENANT},
};

/// Nobody listens at the discard port, so that a connection is refused at once.
const NOWHERE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 9);

/// What all replicas of a scenario have in common.
#[derive(Clone)]
pub struct Common {
    pub redis_url: String,
    pub vendor_url: String,
    /// Settings beyond those that the run needs, by name without prefix.
    pub settings: Vec<(&'static str, String)>,
    pub logs: PathBuf,
}

/// A replica, which may be down.
pub struct Replica {
    /// To its webhook door.
    pub webhook: Link,
    /// To its gRPC port.
    pub grpc: Link,
    name: String,
    common: Common,
    clock: Option<Clock>,
    process: Option<Process>,
    admin: Option<SocketAddr>,
}

impl Replica {
    /// Opens its links, and starts nothing.
    pub async fn prepare(name: &str, common: &Common, clock: Option<&Clock>) -> Result<Self> {
        Ok(Self {
            webhook: Link::open(NOWHERE).await?,
            grpc: Link::open(NOWHERE).await?,
            name: name.to_owned(),
            common: common.clone(),
            clock: clock.cloned(),
            process: None,
            admin: None,
        })
    }

    /// Where it finds the vendor's keys, from its next start on.
    pub fn vendor_at(&mut self, url: &str) {
        url.clone_into(&mut self.common.vendor_url);
    }

    /// Starts it and waits until it listens.
    pub async fn start(&mut self) -> Result<()> {
        let ready = self.common.logs.join(format!("{}.ready.json", self.name));
        let _ = std::fs::remove_file(&ready);
        let command = self.command(&ready);
        let mut process = Process::start(&self.name, command, &self.common.logs)?;
        let name = &self.name;
        let text = until(&format!("{name} listens"), PATIENCE, async || {
            if process.ended().is_some() {
                return Some(String::new());
            }
            std::fs::read_to_string(&ready).ok()
        })
        .await?;
        process.must_run()?;
        let addresses: Value = serde_json::from_str(&text)?;
        let address = |name: &str| -> Result<SocketAddr> {
            let text = addresses[name]
                .as_str()
                .ok_or("the ready file names no address")?;
            Ok(text.parse()?)
        };
        self.webhook.lead_to(address("webhook")?);
        self.grpc.lead_to(address("grpc")?);
        self.admin = Some(address("admin")?);
        self.process = Some(process);
        Ok(())
    }

    fn command(&self, ready: &Path) -> Command {
        let mut command = command(env!("CARGO_BIN_EXE_chatbridge"));
        command
            .env_clear()
            .args(["serve", "--ready-file"])
            .arg(ready)
            .env("CHATBRIDGE_LOG", "info")
            .env("CHATBRIDGE_PARTITIONS", PARTITIONS.to_string())
            .env("CHATBRIDGE_GATEWAY_URL", &self.common.vendor_url)
            .env("CHATBRIDGE_TENANT", TENANT)
            .env("CHATBRIDGE_API_KEY", "key")
            .env("CHATBRIDGE_REDIS_URL", &self.common.redis_url)
            .env("CHATBRIDGE_HEARTBEAT_MS", HEARTBEAT_MS.to_string());
        for port in ["GRPC", "WEBHOOK", "ADMIN"] {
            command.env(format!("CHATBRIDGE_{port}_LISTEN"), "127.0.0.1:0");
        }
        for (name, value) in &self.common.settings {
            command.env(format!("CHATBRIDGE_{}", name.to_ascii_uppercase()), value);
        }
        if let Some(clock) = &self.clock {
            clock.rule(&mut command);
        }
        command
    }

    /// Ends it without any warning (SIGKILL).
    pub fn kill(&mut self) {
        self.process = None;
    }

    /// Asks it to stop (SIGTERM), and waits for that.
    pub async fn terminate(&mut self) -> Result<()> {
        let mut process = self.process.take().ok_or("it is down")?;
        let status = process.terminate().await?;
        if status.success() {
            Ok(())
        } else {
            Err(format!("{} answered SIGTERM with {status}", self.name).into())
        }
    }

    /// Fails where it ended although nobody ended it.
    pub fn must_run(&mut self) -> Result<()> {
        self.process.as_mut().map_or(Ok(()), Process::must_run)
    }

    /// Whether its log says that something in it panicked.
    pub fn panicked(&self) -> bool {
        let log = std::fs::read_to_string(crate::process::log_file(&self.common.logs, &self.name));
        log.is_ok_and(|text| text.contains("panicked at"))
    }

    /// A metric, summed over its labels; 0 where it is not there.
    pub async fn metric(&self, line_start: &str) -> Result<f64> {
        let admin = self.admin.ok_or("it is down")?;
        let client = reqwest::Client::builder()
            .no_proxy()
            .timeout(Duration::from_secs(5))
            .build()?;
        let text = client
            .get(format!("http://{admin}/metrics"))
            .send()
            .await?
            .text()
            .await?;
        let values = text.lines().filter(|line| line.starts_with(line_start));
        Ok(values
            .filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok())
            .sum())
    }
}
