//! The commands of the program, as people and scripts use them.

use std::process::Stdio;

use serde_json::Value;
use tokio::{
    io::AsyncWriteExt as _,
    process::{Child, Command},
};

use crate::support::service::{eventually, program};

/// `chatbridge dev` on free ports, with agents who take no time.
struct Dev {
    _child: Child,
    server: String,
    dir: tempfile::TempDir,
}

impl Dev {
    async fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let ready = dir.path().join("ready.json");
        let mut command = program();
        command
            .args(["dev", "--pace", "instant", "--ready-file"])
            .arg(&ready);
        for port in ["GRPC", "WEBHOOK", "ADMIN", "SANDBOX"] {
            command.env(format!("CHATBRIDGE_{port}_LISTEN"), "127.0.0.1:0");
        }
        let child = command.stdout(Stdio::null()).spawn().unwrap();
        let text = eventually("it listens", async || std::fs::read_to_string(&ready).ok()).await;
        let addresses: Value = serde_json::from_str(&text).unwrap();
        let server = format!("http://{}", addresses["grpc"].as_str().unwrap());
        let ready = format!("http://{}/readyz", addresses["admin"].as_str().unwrap());
        eventually("it is ready", async || {
            reqwest::get(&ready)
                .await
                .ok()
                .filter(|a| a.status().is_success())
                .map(drop)
        })
        .await;
        Self {
            _child: child,
            server,
            dir,
        }
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = program();
        command.args(args).env("CHATBRIDGE_SERVER", &self.server);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs a command with this input, and answers what it printed.
    async fn run(&self, args: &[&str], input: &str) -> String {
        let mut child = self.command(args).stdin(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(input.as_bytes()).await.unwrap();
        drop(stdin);
        let output = child.wait_with_output().await.unwrap();
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{args:?}: {:?}\n{errors}", output.status);
        String::from_utf8(output.stdout).unwrap()
    }
}

fn texts(lines: &str) -> Vec<String> {
    lines
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter_map(|response| Some(response["event"]["message"]["text"].as_str()?.to_owned()))
        .collect()
}

#[tokio::test]
async fn a_customer_chats_from_a_script_and_tail_shows_it_and_resumes() {
    let dev = Dev::start().await;
    let talk = dev
        .run(
            &["chat", "--name", "Ada", "--context", "orderId=A-1042"],
            // The last line waits for an answer, which only the second agent gives.
            "My kettle leaks.\nI want a refund.\nWho is there now?\n",
        )
        .await;
    for part in ["Ada", "A-1042", "maria", "Returns", "ivan"] {
        assert!(talk.contains(part), "{part} is missing in:\n{talk}");
    }

    let file = dev.dir.path().join("cursor");
    let file = file.to_str().unwrap();
    let tail = [
        "tail",
        "--from",
        "earliest",
        "--kind",
        "message",
        "--output",
        "json",
        "--cursor-file",
        file,
    ];
    let first = dev.run(&[&tail[..], &["--limit", "1"]].concat(), "").await;
    let second = dev.run(&[&tail[..], &["--limit", "1"]].concat(), "").await;
    let all = dev
        .run(
            &[
                "tail", "--from", "earliest", "--kind", "message", "--output", "json", "--limit", "2",
            ],
            "",
        )
        .await;
    assert_eq!(
        [texts(&first), texts(&second)].concat(),
        texts(&all),
        "it went on where it had stopped"
    );
    assert!(texts(&first)[0].contains("Ada"), "{first}");
}

#[tokio::test]
async fn the_demo_proves_both_conversations() {
    let output = program().args(["demo", "--pace", "0"]).output().await.unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{text}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(
        text.contains("2 conversations") && text.contains("in order"),
        "{text}"
    );
}

#[tokio::test]
async fn a_service_that_is_not_there_is_told_in_a_sentence() {
    let output = program()
        .args(["chat", "--server", "http://127.0.0.1:9"])
        .output()
        .await
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        text.contains("127.0.0.1:9") && text.contains("chatbridge dev"),
        "{text}"
    );
}

#[tokio::test]
async fn a_probe_asks_for_health_and_hears_of_what_is_not_served() {
    let dev = Dev::start().await;
    assert_eq!(dev.run(&["health"], "").await, "SERVING\n");
    let admin = std::fs::read_to_string(dev.dir.path().join("ready.json")).unwrap();
    let admin: Value = serde_json::from_str(&admin).unwrap();
    let admin = format!("--server=http://{}", admin["admin"].as_str().unwrap());
    let all_served = "--service=chatbridge.v1.AgentEventService";
    assert_eq!(dev.run(&["health", &admin, all_served], "").await, "SERVING\n");

    for (args, sentence) in [
        (["health", "--service=no.such.Service"], "ask for its health"),
        (["health", "--server=http://127.0.0.1:1"], "127.0.0.1:1"),
    ] {
        let output = dev.command(&args).output().await.unwrap();
        assert_eq!(output.status.code(), Some(1), "{args:?}");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(errors.contains(sentence), "{args:?}: {errors}");
    }
}
