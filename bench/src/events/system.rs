//! What is measured: the service, the floor and the peers, each with a Redis of its own, in a directory of its own.

use std::{
    net::SocketAddr,
    path::Path,
    process::Command,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{Router, routing::get};
use bytes::Bytes;
use serde_json::Value;
use tempfile::TempDir;
use tokio::{net::TcpListener, task::AbortHandle};

use super::{
    centrifugo, floor,
    listen::{Door, Heard},
    nchan,
    process::{Process, STARTS_WITHIN, free_address},
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

    /// The door of one who wants all that the log holds; of the service alone.
    pub(crate) fn earliest_door(&self) -> Door {
        match &self.doors[0] {
            Door::Grpc(address, path, _) => Door::Grpc(*address, path, Bytes::from_static(FROM_EARLIEST)),
            other => other.clone(),
        }
    }

    /// Waits until subscribers have heard so many events. Of ours and the floor's, each must come; a peer may drop some under load,
    /// which is its own affair.
    pub(crate) async fn all_heard(&self, heard: &Heard, count: u64) -> Result<()> {
        let ours = matches!(self.system, System::Chatbridge | System::Floor);
        let within = Duration::from_secs(if ours { 20 } else { 5 });
        match heard.reaches(count, within).await {
            Ok(_) if heard.count() == count || !ours => Ok(()),
            Ok(_) => Err(format!(
                "{:?}: {} events were heard of {count}",
                self.system,
                heard.count()
            )
            .into()),
            Err(error) if ours => Err(format!("{:?}: {error}", self.system).into()),
            Err(error) => {
                eprintln!("{:?}: {error}", self.system);
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

/// A Redis without persistence, as all systems here have it.
pub(crate) struct Redis {
    pub(crate) url: String,
    pub(crate) client: Arc<redis::Client>,
    pub(crate) process: Process,
}

impl Redis {
    /// Starts one that keeps its files in `dir`.
    pub(crate) async fn start(dir: &Path) -> Result<Self> {
        let address = free_address()?;
        let mut command = Command::new("redis-server");
        command
            .args(["--port", &address.port().to_string(), "--bind", "127.0.0.1"])
            .args(["--save", "", "--appendonly", "no", "--dir"])
            .arg(dir);
        let process = Process::start("redis-server", &mut command)?;
        let url = format!("redis://{address}");
        let client = Arc::new(redis::Client::open(url.as_str())?);
        let begun = Instant::now();
        while client.get_multiplexed_async_connection().await.is_err() {
            if begun.elapsed() > STARTS_WITHIN {
                return Err("redis-server does not answer".into());
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(Self { url, client, process })
    }

    /// Calls and microseconds of each command since the last reset.
    pub(crate) async fn statistics(&self) -> Result<Vec<(String, f64, f64)>> {
        let mut connection = self.client.get_multiplexed_async_connection().await?;
        let text: String = redis::cmd("INFO")
            .arg("commandstats")
            .query_async(&mut connection)
            .await?;
        let commands = text.lines().filter_map(|line| line.strip_prefix("cmdstat_"));
        let read = commands.filter_map(|line| {
            let (name, rest) = line.split_once(':')?;
            let field = |wanted: &str| {
                let mut fields = rest.split(',').filter_map(|field| field.split_once('='));
                fields.find_map(|(name, value)| (name == wanted).then(|| value.parse().ok())?)
            };
            Some((name.to_owned(), field("calls")?, field("usec")?))
        });
        Ok(read.collect())
    }

    /// Starts the statistics anew.
    pub(crate) async fn reset_statistics(&self) -> Result<()> {
        let mut connection = self.client.get_multiplexed_async_connection().await?;
        Ok(redis::cmd("CONFIG")
            .arg("RESETSTAT")
            .exec_async(&mut connection)
            .await?)
    }
}
