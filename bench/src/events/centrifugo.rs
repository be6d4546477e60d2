//! Centrifugo with its Redis engine: published over HTTP, with history, so that what is acknowledged is in Redis; heard on its
//! unidirectional gRPC stream.

use std::{fs, net::SocketAddr, path::Path, process::Command};

use bytes::Bytes;
use serde_json::json;

use super::{
    listen::Door,
    process::{Process, free_address},
    webhook::{CENTRIFUGO_KEY, CHANNEL},
};
use crate::Result;

const CONSUME: &str = "/centrifugal.centrifugo.unistream.CentrifugoUniStream/Consume";

fn program() -> Command {
    Command::new("centrifugo")
}

/// Its version, or why it cannot be had.
pub(crate) fn version() -> std::result::Result<String, String> {
    match program().arg("version").output() {
        Ok(told) if told.status.success() => Ok(String::from_utf8_lossy(&told.stdout).trim().to_owned()),
        Ok(told) => Err(format!("it does not run ({})", told.status)),
        Err(_) => Err("it is not installed (scripts/tools.sh bench installs it)".to_owned()),
    }
}

/// Starts it.
pub(crate) async fn start(dir: &Path, redis: &str) -> Result<(Process, SocketAddr, Door)> {
    let (http, grpc) = (free_address()?, free_address()?);
    let file = dir.join("centrifugo.json");
    let settings = json!({
        "http_server": { "address": http.ip(), "port": http.port().to_string() },
        "http_api": { "key": CENTRIFUGO_KEY },
        "uni_grpc": { "enabled": true, "address": grpc.ip(), "port": grpc.port() },
        "engine": { "type": "redis", "redis": { "address": redis } },
        "client": { "allow_anonymous_connect_without_token": true },
        "channel": { "without_namespace": {
            "history_size": 100_000,
            "history_ttl": "1h",
            "allow_subscribe_for_client": true,
            "allow_subscribe_for_anonymous": true,
        } },
        "log": { "level": "error" },
    });
    fs::write(&file, settings.to_string())?;
    let mut process = Process::start("centrifugo", program().arg("--config").arg(&file))?;
    process.listens(http).await?;
    process.listens(grpc).await?;
    Ok((process, http, Door::Grpc(grpc, CONSUME, subscribe())))
}

/// `ConnectRequest { subs: { CHANNEL: {} } }`.
fn subscribe() -> Bytes {
    let length = CHANNEL.len() as u8;
    let mut entry = vec![1 << 3 | 2, length];
    entry.extend_from_slice(CHANNEL.as_bytes());
    entry.extend_from_slice(&[2 << 3 | 2, 0]);
    let mut request = vec![3 << 3 | 2, entry.len() as u8];
    request.extend_from_slice(&entry);
    request.into()
}
