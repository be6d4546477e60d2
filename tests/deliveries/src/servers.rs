//! What stands beside the replicas: Redis, and the sandbox.

use std::{collections::HashMap, net::SocketAddr, path::Path};

use serde_json::json;
use tokio::net::TcpStream;

use crate::{
    Result,
    process::{PATIENCE, Process, command, free_port, until},
};

/// Starts a Redis that keeps nothing on disk; its URL.
pub async fn redis(logs: &Path) -> Result<(Process, String)> {
    let port = free_port()?;
    let mut server = command("redis-server");
    server.args([
        "--bind",
        "127.0.0.1",
        "--save",
        "",
        "--appendonly",
        "no",
        "--port",
    ]);
    server.arg(port.to_string()).arg("--dir").arg(logs);
    let mut process = Process::start("redis", server, logs)
        .map_err(|error| format!("{error}: install Debian's package redis-server"))?;
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    until("Redis listens", PATIENCE, async || {
        TcpStream::connect(address).await.ok()
    })
    .await?;
    process.must_run()?;
    Ok((process, format!("redis://{address}")))
}

/// Starts the sandbox, in which no agent is there and whose events go to nobody: those of the load are all that there are. Answers
/// its base URL.
pub async fn sandbox(program: &Path, logs: &Path) -> Result<(Process, String)> {
    let ready = logs.join("sandbox.ready.json");
    let mut sandbox = command(program);
    sandbox.env_clear().env("CHATBRIDGE_LOG", "warn");
    // Nobody listens at the discard port; the webhook is taken away below.
    sandbox.args(["sandbox", "--listen", "127.0.0.1:0", "--pace", "1", "--seed", "7"]);
    sandbox
        .args(["--webhook", "http://127.0.0.1:9/", "--ready-file"])
        .arg(&ready);
    let process = Process::start("sandbox", sandbox, logs)?;
    let text = until("the sandbox listens", PATIENCE, async || {
        std::fs::read_to_string(&ready).ok()
    })
    .await?;
    let addresses: HashMap<String, String> = serde_json::from_str(&text)?;
    let address = addresses.get("sandbox").ok_or("the sandbox names no address")?;
    let url = format!("http://{}", address.trim_start_matches("http://"));
    let http = reqwest::Client::builder().no_proxy().build()?;
    let absent = json!({ "agents": [
        { "id": "maria", "name": "Maria", "skills": ["orders"], "behaviour": "absent" },
    ]});
    for (path, body) in [("webhook", json!({ "url": null })), ("setup", absent)] {
        let set = http.put(format!("{url}/sandbox/v1/{path}"));
        let set = set
            .header("content-type", "application/json")
            .body(body.to_string());
        let answer = set.send().await?;
        if !answer.status().is_success() {
            return Err(format!(
                "the sandbox answered {}: {}",
                answer.status(),
                answer.text().await?
            )
            .into());
        }
    }
    Ok((process, url))
}
