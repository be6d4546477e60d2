//! The processes: each on a free loopback port, ended when dropped.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use serde_json::Value;
use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::Result;

/// The key and tenant of the sandbox; other upstreams ask for neither.
pub(crate) const API_KEY: &str = "sandbox-key";
pub(crate) const TENANT: &str = "sandbox";

const STARTS_WITHIN: Duration = Duration::from_secs(30);

/// An upstream, Redis and the service.
pub(crate) struct Stage {
    /// Base URL of the upstream.
    pub(crate) upstream: String,
    /// Base URL of the upstream by way of a process that passes bytes on, where there is one.
    pub(crate) relay: Option<String>,
    /// URL of the service's gRPC port.
    pub(crate) grpc: String,
    /// URL of Redis.
    pub(crate) redis: String,
    /// A conversation that takes messages.
    pub(crate) conversation: String,
    _processes: Vec<Child>,
    _dir: TempDir,
}

impl Stage {
    /// With the sandbox upstream, and a conversation that waits in a queue.
    pub(crate) async fn with_sandbox() -> Result<Self> {
        let dir = TempDir::new()?;
        let ready = dir.path().join("sandbox.json");
        let mut sandbox = chatbridge()?;
        sandbox
            // It is killed, and what it keeps of files must go with the stage.
            .env("TMPDIR", dir.path())
            .args([
                "sandbox",
                "--listen",
                "127.0.0.1:0",
                "--pace",
                "100",
                "--ready-file",
            ])
            .arg(&ready);
        let sandbox = sandbox.spawn()?;
        let upstream = format!("http://{}", address(&ready, "sandbox").await?);
        let conversation = open_conversation(&upstream).await?;
        let ready = dir.path().join("relay.json");
        let relay = Command::new(std::env::current_exe()?)
            .arg("relay")
            .arg(&ready)
            .arg(upstream.trim_start_matches("http://"))
            .kill_on_drop(true)
            .spawn()?;
        let relayed = format!("http://{}", address(&ready, "relay").await?);
        let mut stage = Self::complete(dir, vec![sandbox, relay], upstream, conversation).await?;
        stage.relay = Some(relayed);
        Ok(stage)
    }

    /// With an upstream that accepts every message after a while, and moves a file of so many bytes so fast.
    pub(crate) async fn with_waits(delay: Duration, file_bytes: usize, per_second: f64) -> Result<Self> {
        let dir = TempDir::new()?;
        let ready = dir.path().join("upstream.json");
        let upstream = Command::new(std::env::current_exe()?)
            .arg("upstream")
            .arg(&ready)
            .arg(delay.as_millis().to_string())
            .arg(file_bytes.to_string())
            .arg(per_second.to_string())
            .kill_on_drop(true)
            .spawn()?;
        let url = format!("http://{}", address(&ready, "upstream").await?);
        Self::complete(dir, vec![upstream], url, "conversation".to_owned()).await
    }

    async fn complete(
        dir: TempDir,
        mut processes: Vec<Child>,
        upstream: String,
        conversation: String,
    ) -> Result<Self> {
        let (redis, url) = redis_server(dir.path()).await?;
        processes.push(redis);
        let ready = dir.path().join("service.json");
        let service = chatbridge()?
            .args(["serve", "--ready-file"])
            .arg(&ready)
            .env("CHATBRIDGE_GATEWAY_URL", &upstream)
            .env("CHATBRIDGE_TENANT", TENANT)
            .env("CHATBRIDGE_API_KEY", API_KEY)
            .env("CHATBRIDGE_REDIS_URL", &url)
            .env("CHATBRIDGE_GRPC_LISTEN", "127.0.0.1:0")
            .env("CHATBRIDGE_WEBHOOK_LISTEN", "127.0.0.1:0")
            .env("CHATBRIDGE_ADMIN_LISTEN", "127.0.0.1:0")
            .spawn()?;
        processes.push(service);
        let grpc = format!("http://{}", address(&ready, "grpc").await?);
        Ok(Self {
            upstream,
            relay: None,
            grpc,
            redis: url,
            conversation,
            _processes: processes,
            _dir: dir,
        })
    }
}

/// The program under test: built beside this one.
fn chatbridge() -> Result<Command> {
    let program = std::env::current_exe()?.with_file_name("chatbridge");
    if !program.exists() {
        return Err("the chatbridge program is not built beside this one; run: make bench".into());
    }
    let mut command = Command::new(program);
    command
        .env_clear()
        .env("CHATBRIDGE_LOG", "error")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .kill_on_drop(true);
    Ok(command)
}

async fn redis_server(dir: &Path) -> Result<(Child, String)> {
    let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let child = Command::new("redis-server")
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", ""])
        .args(["--appendonly", "no", "--dir"])
        .arg(dir)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| {
            format!("redis-server cannot be started ({error}); install it: apt-get install redis-server")
        })?;
    let url = format!("redis://127.0.0.1:{port}");
    let client = redis::Client::open(url.as_str())?;
    let begun = Instant::now();
    while client.get_multiplexed_async_connection().await.is_err() {
        if begun.elapsed() > STARTS_WITHIN {
            return Err("redis-server does not answer".into());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok((child, url))
}

/// Waits for a ready file, and reads an address in it.
async fn address(ready: &PathBuf, name: &str) -> Result<String> {
    let begun = Instant::now();
    loop {
        if let Ok(text) = std::fs::read_to_string(ready) {
            let addresses: Value = serde_json::from_str(&text)?;
            return Ok(addresses[name]
                .as_str()
                .ok_or("the ready file names no address")?
                .to_owned());
        }
        if begun.elapsed() > STARTS_WITHIN {
            return Err(format!("{name} did not start").into());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn open_conversation(upstream: &str) -> Result<String> {
    let client = reqwest::Client::builder().no_proxy().build()?;
    let channels: Value = client
        .get(format!("{upstream}/chat-gateway/v1/channels"))
        .header("x-api-key", API_KEY)
        .send()
        .await?
        .error_for_status()?
        .json()
        .await?;
    let channels = channels["_embedded"]["channels"]
        .as_array()
        .ok_or("no channels")?;
    let channel = channels
        .iter()
        .find(|channel| channel["type"] == "ChatAPI")
        .ok_or("the sandbox has no channel for the API")?;
    let created: Value = client
        .post(format!("{upstream}/chat-gateway/v1/conversations"))
        .header("x-api-key", API_KEY)
        .json(&serde_json::json!({ "channelId": channel["id"], "user": { "userId": "bench" } }))
        .send()
        .await?
        .error_for_status()?
        .json()
        .await?;
    Ok(created["conversationId"]
        .as_str()
        .ok_or("no conversation")?
        .to_owned())
}
