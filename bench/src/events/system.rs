//! What is measured: the service, the floor and the peers, each with a Redis of its own, in a directory of its own.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::Path,
    process::Command,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{Router, routing::get};
use bytes::Bytes;
use serde_json::Value;
use tempfile::TempDir;
use tokio::{net::TcpListener, task::AbortHandle};

use super::{
    centrifugo, floor,
    heard::Heard,
    listen::Door,
    nchan,
    process::Process,
    redis::Redis,
    webhook::{Form, Signer},
};
use crate::{
    Result,
    parts::{API_KEY, TENANT},
};

const AGENT_EVENTS: &str = "/chatbridge.v1.AgentEventService/AgentEvents";
/// `AgentEventsRequest { position: EARLIEST }`.
const FROM_EARLIEST: &[u8] = &[7 << 3, 2];

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum System {
    Chatbridge,
    Floor,
    Nchan,
    Centrifugo,
}

impl System {
    /// How events are posted to it.
    pub(crate) fn form(self) -> Form {
        match self {
            Self::Chatbridge | Self::Floor => Form::Signed,
            Self::Nchan => Form::Nchan,
            Self::Centrifugo => Form::Centrifugo,
        }
    }
}

/// What all runs share: the key, and where it can be had.
pub(crate) struct Vendor {
    pub(crate) signer: Signer,
    url: String,
    server: AbortHandle,
    pub(crate) losses: Arc<Losses>,
}

/// What peers did not bring to their subscribers: for each, how many deliveries came of how many, where they were not all.
#[derive(Default)]
pub(crate) struct Losses(Mutex<BTreeMap<System, (u64, u64, u64)>>);

impl Losses {
    fn note(&self, system: System, came: u64, due: u64) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (times, all_came, all_due) = all.entry(system).or_default();
        (*times, *all_came, *all_due) = (*times + 1, *all_came + came, *all_due + due);
    }

    /// In words.
    pub(crate) fn told(&self) -> Vec<String> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let told = all.iter().map(|(system, (times, came, due))| {
            format!(
                "{system:?} did not bring every event to every subscriber once in {times} measurements: there {came} came of {due}. \
                 Its figures are of those that came."
            )
        });
        told.collect()
    }
}

impl Vendor {
    /// An upstream that knows one key.
    pub(crate) async fn open() -> Result<Self> {
        let signer = Signer::new();
        let jwk = signer.jwk();
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let answer = get(move || async move { ([("content-type", "application/json")], jwk) });
        let app = Router::new().route("/chat-gateway/v1/jwk/{kid}/public", answer);
        let server = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, app).await {
                eprintln!("the upstream failed: {error}");
            }
        });
        Ok(Self {
            signer,
            url,
            server: server.abort_handle(),
            losses: Arc::default(),
        })
    }
}

impl Drop for Vendor {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// A system that runs.
pub(crate) struct Running {
    pub(crate) system: System,
    /// Where events are posted: one address for each replica.
    pub(crate) posts: Vec<SocketAddr>,
    /// Where subscribers come: likewise.
    pub(crate) doors: Vec<Door>,
    /// Its servers, one for each replica.
    pub(crate) servers: Vec<Process>,
    pub(crate) redis: Redis,
    losses: Arc<Losses>,
    _dir: TempDir,
}

impl Running {
    /// Starts a system with one replica.
    pub(crate) async fn start(system: System, vendor: &Vendor) -> Result<Self> {
        Self::start_replicas(system, vendor, 1).await
    }

    /// Starts a system; only the service has more than one replica here.
    pub(crate) async fn start_replicas(system: System, vendor: &Vendor, replicas: usize) -> Result<Self> {
        let dir = TempDir::new()?;
        let redis = Redis::start(dir.path()).await?;
        let mut running = Self {
            system,
            posts: Vec::new(),
            doors: Vec::new(),
            servers: Vec::new(),
            redis,
            losses: Arc::clone(&vendor.losses),
            _dir: dir,
        };
        for i in 0..replicas {
            running.add(vendor, i).await?;
        }
        Ok(running)
    }

    /// Adds a replica, which is the number `i`.
    pub(crate) async fn add(&mut self, vendor: &Vendor, i: usize) -> Result<()> {
        let dir = self._dir.path();
        let (server, post, door) = match self.system {
            System::Chatbridge => {
                let ready = dir.join(format!("service-{i}.json"));
                let mut server =
                    Process::start("chatbridge", &mut service(&ready, vendor, &self.redis.url)?)?;
                let at = server.ready(&ready).await?;
                let door = Door::Grpc(address(&at, "grpc")?, AGENT_EVENTS, Bytes::new());
                (server, address(&at, "webhook")?, door)
            }
            System::Floor => {
                let ready = dir.join("floor.json");
                let mut command = Command::new(std::env::current_exe()?);
                command.arg("floor").arg(&ready).arg(&self.redis.url);
                let mut server = Process::start("the floor", command.arg(vendor.signer.jwk()))?;
                let at = server.ready(&ready).await?;
                let door = Door::Grpc(address(&at, "grpc")?, floor::LISTEN, Bytes::new());
                (server, address(&at, "webhook")?, door)
            }
            System::Nchan => nchan::start(dir, &self.redis.url).await?,
            System::Centrifugo => centrifugo::start(dir, &self.redis.url).await?,
        };
        self.posts.push(post);
        self.doors.push(door);
        self.servers.push(server);
        Ok(())
    }

    /// The door of one who wants all that the log holds; the floor, which has no log, has as many messages ready, of a size.
    pub(crate) fn earliest_door(&self, events: u64, bytes: u64) -> Door {
        match (&self.doors[0], self.system) {
            (Door::Grpc(address, path, _), System::Floor) => {
                Door::Grpc(*address, path, floor::replay(events, bytes))
            }
            (Door::Grpc(address, path, _), _) => {
                Door::Grpc(*address, path, Bytes::from_static(FROM_EARLIEST))
            }
            (other, _) => other.clone(),
        }
    }

    /// Waits until each subscriber has heard the first so many events, and each of them once. Ours and the floor's must; a
    /// peer may drop some under load, which is its own affair, and is told below the table.
    pub(crate) async fn all_heard(&self, heard: &Heard, events: u64) -> Result<()> {
        let ours = matches!(self.system, System::Chatbridge | System::Floor);
        let within = Duration::from_secs(if ours { 20 } else { 5 });
        let due = events * heard.subscribers();
        let reached = heard.reaches(due, within).await;
        let unserved = heard.unserved(events);
        match reached {
            Ok(_) if unserved == 0 => Ok(()),
            Err(error) if ours => Err(format!("{:?}: {error}", self.system).into()),
            Ok(_) if ours => Err(format!(
                "{:?}: {unserved} subscribers did not hear each of {events} events once",
                self.system
            )
            .into()),
            _ => {
                self.losses.note(self.system, heard.count(), due);
                Ok(())
            }
        }
    }

    /// Processor seconds of the servers and of Redis so far.
    pub(crate) fn cpu(&self) -> Result<(f64, f64)> {
        let servers = self.servers.iter().map(Process::cpu).sum::<Result<f64>>()?;
        Ok((servers, self.redis.process.cpu()?))
    }
}

fn address(addresses: &Value, name: &str) -> Result<SocketAddr> {
    let text = addresses[name]
        .as_str()
        .ok_or("the ready file lacks an address")?;
    Ok(text.parse()?)
}

/// The program under test: built beside this one.
fn service(ready: &Path, vendor: &Vendor, redis: &str) -> Result<Command> {
    let program = std::env::current_exe()?.with_file_name("chatbridge");
    if !program.exists() {
        return Err("the chatbridge program is not built beside this one; run: make bench".into());
    }
    let mut command = Command::new(program);
    command
        .env_clear()
        .args(["serve", "--ready-file"])
        .arg(ready)
        .env("CHATBRIDGE_LOG", "error")
        .env("CHATBRIDGE_GATEWAY_URL", &vendor.url)
        .env("CHATBRIDGE_TENANT", TENANT)
        .env("CHATBRIDGE_API_KEY", API_KEY)
        .env("CHATBRIDGE_REDIS_URL", redis)
        .env("CHATBRIDGE_GRPC_LISTEN", "127.0.0.1:0")
        .env("CHATBRIDGE_WEBHOOK_LISTEN", "127.0.0.1:0")
        .env("CHATBRIDGE_ADMIN_LISTEN", "127.0.0.1:0")
        // Deliveries are signed before a run.
        .env("CHATBRIDGE_WEBHOOK_FRESHNESS_SECONDS", "3600")
        .env("CHATBRIDGE_DRAIN_SPREAD_MS", "0")
        .env("CHATBRIDGE_DRAIN_DEADLINE_MS", "100");
    Ok(command)
}
