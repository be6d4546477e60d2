//! One `redis-server`.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use nix::sys::signal::Signal;
use redis::{FromRedisValue, aio::MultiplexedConnection};

use crate::{
    Result,
    clock::Clock,
    link::{Link, Weather},
    process::{Process, command, free_port, until},
};

/// What it keeps on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disk {
    /// Nothing: it starts empty.
    Nothing,
    /// An append-only file that is flushed every second.
    EverySecond,
    /// An append-only file that is flushed before each answer.
    Always,
}

/// A server, which may be down, and the link through which everybody but us reaches it.
pub struct Node {
    pub link: Link,
    name: String,
    port: u16,
    folder: PathBuf,
    logs: PathBuf,
    args: Vec<String>,
    clock: Option<Clock>,
    process: Option<Process>,
}

impl Node {
    /// Decides on port, folder and link, and starts nothing.
    pub async fn prepare(name: &str, folder: &Path, disk: Disk, clock: Option<&Clock>) -> Result<Self> {
        let port = free_port()?;
        let own = folder.join(name);
        std::fs::create_dir_all(&own)?;
        let mut args = vec!["--save", ""];
        args.extend(match disk {
            Disk::Nothing => &["--appendonly", "no"][..],
            Disk::EverySecond => &["--appendonly", "yes", "--appendfsync", "everysec"],
            Disk::Always => &["--appendonly", "yes", "--appendfsync", "always"],
        });
        Ok(Self {
            link: Link::open(SocketAddr::from(([127, 0, 0, 1], port))).await?,
            name: name.to_owned(),
            port,
            folder: own,
            logs: folder.to_owned(),
            args: args.into_iter().map(str::to_owned).collect(),
            clock: clock.cloned(),
            process: None,
        })
    }

    /// Its own port, past the link.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Starts it with more options, which it keeps for later starts.
    pub fn start(&mut self, more: &[&str]) -> Result<()> {
        self.args.extend(more.iter().map(|arg| (*arg).to_owned()));
        let mut command = command("redis-server");
        command
            .args(["--bind", "127.0.0.1", "--port", &self.port.to_string(), "--dir"])
            .arg(&self.folder)
            .args(&self.args);
        if let Some(clock) = &self.clock {
            clock.rule(&mut command);
        }
        let process = Process::start(&self.name, command, &self.logs)
            .map_err(|error| format!("{error}: install Debian's package redis-server"))?;
        self.process = Some(process);
        Ok(())
    }

    /// Ends it as a crash would (SIGKILL).
    pub fn kill(&mut self) {
        self.process = None;
    }

    /// Loses the whole machine: it dies, and what it had sent but nobody had received is gone too.
    pub fn lose(&mut self) {
        self.link.set(Weather::Cut);
        self.kill();
    }

    /// Starts it again after [`Node::lose`], with what it had on disk.
    pub fn bring_back(&mut self) -> Result<()> {
        self.link.set(Weather::Clear);
        self.start(&[])
    }

    /// Makes it silent: connections stay open and nothing is answered.
    pub fn pause(&self) -> Result<()> {
        self.process.as_ref().ok_or("it is down")?.signal(Signal::SIGSTOP)
    }

    /// Ends [`Node::pause`].
    pub fn resume(&self) -> Result<()> {
        self.process.as_ref().ok_or("it is down")?.signal(Signal::SIGCONT)
    }

    pub fn is_up(&self) -> bool {
        self.process.is_some()
    }

    pub fn must_run(&mut self) -> Result<()> {
        self.process.as_mut().map_or(Ok(()), Process::must_run)
    }

    /// Runs a command past the link.
    pub async fn ask<T: FromRedisValue>(&self, words: &[&str]) -> Result<T> {
        let mut connection = self.connect().await?;
        let mut command = redis::Cmd::new();
        for word in words {
            command.arg(word);
        }
        Ok(command.query_async(&mut connection).await?)
    }

    async fn connect(&self) -> Result<MultiplexedConnection> {
        let client = redis::Client::open(("127.0.0.1", self.port))?;
        let config = redis::AsyncConnectionConfig::new()
            .set_connection_timeout(Some(Duration::from_secs(1)))
            .set_response_timeout(Some(Duration::from_secs(2)));
        Ok(client
            .get_multiplexed_async_connection_with_config(&config)
            .await?)
    }

    /// Waits until this very process answers and is not loading any more.
    pub async fn answers(&self, patience: Duration) -> Result<()> {
        let id = self.process.as_ref().ok_or("it is down")?.id();
        until(&format!("{} answers", self.name), patience, async || {
            let info: redis::InfoDict = self.ask(&["INFO"]).await.ok()?;
            let ours = info.get("process_id") == Some(id) && info.get("loading") == Some(0_u8);
            ours.then_some(())
        })
        .await
    }

    /// Its part in replication: `master` or `slave`.
    pub async fn role(&self) -> Option<String> {
        let info: redis::InfoDict = self.ask(&["INFO", "replication"]).await.ok()?;
        info.get("role")
    }
}
