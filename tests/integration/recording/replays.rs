//! `chatbridge replay`: step by step, for longer than the recording, and into a sandbox.

use std::{fs, path::Path, process::Stdio};

use chatbridge::sandbox::{Pace, SandboxSettings, serve};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout},
    time::timeout,
};
use tokio_util::sync::CancellationToken;
use wiremock::{Mock, MockServer, ResponseTemplate, matchers::any};

use super::listen;
use crate::support::service::{PATIENCE, eventually, program};

/// Two webhooks and a call between them.
fn small(file: &Path) {
    let head = json!({"chatbridgeRecording": 1, "startedAt": "2026-03-01T12:00:00Z"});
    let hook = |at_ms: u64, event: &str, kind: &str| {
        json!({"kind": "webhook", "atMs": at_ms, "tenant": "acme", "customer": "c-1", "event": event, "retry": 0,
            "status": 204, "body": {"eventType": kind, "conversationId": "conv-1"}})
    };
    let call = json!({"kind": "call", "atMs": 5, "method": "GET", "path": "/chat-gateway/v1/conversations/conv-1",
        "status": 200, "response": {"conversationId": "conv-1", "state": "active"}});
    let lines = [
        head,
        hook(0, "e-1", "QUEUED"),
        call,
        hook(3_600_000, "e-2", "TRANSFER"),
    ];
    fs::write(file, lines.map(|it| format!("{it}\n")).concat()).unwrap();
}

/// A door that takes everything.
async fn door() -> MockServer {
    let door = MockServer::start().await;
    Mock::given(any())
        .respond_with(ResponseTemplate::new(204))
        .mount(&door)
        .await;
    door
}

async fn taken(door: &MockServer) -> usize {
    door.received_requests().await.unwrap().len()
}

/// A replay that runs.
struct Replay {
    child: Child,
    enter: Option<ChildStdin>,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Replay {
    fn start(file: &Path, args: &[&str]) -> Self {
        let mut replay = program();
        replay.arg("replay").arg(file).args(args);
        replay.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = replay.spawn().unwrap();
        Self {
            enter: child.stdin.take(),
            lines: BufReader::new(child.stdout.take().unwrap()).lines(),
            child,
        }
    }

    /// The next line that it prints.
    async fn says(&mut self) -> String {
        let line = timeout(PATIENCE, self.lines.next_line()).await;
        line.expect("it says something").unwrap().expect("it goes on")
    }

    async fn enter(&mut self) {
        let enter = self.enter.as_mut().unwrap();
        enter.write_all(b"\n").await.unwrap();
    }

    fn interrupt(&self) {
        let pid = i32::try_from(self.child.id().unwrap()).unwrap();
        kill(Pid::from_raw(pid), Signal::SIGINT).unwrap();
    }

    async fn ends(mut self) -> Option<i32> {
        let ended = timeout(PATIENCE, self.child.wait()).await;
        ended.expect("it ends").unwrap().code()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn step_by_step_nothing_is_sent_before_it_is_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("small.jsonl");
    small(&file);
    let door = door().await;
    let args = ["--step", "--listen", "127.0.0.1:0", "--webhook-url", &door.uri()];
    let mut replay = Replay::start(&file, &args);
    assert!(
        replay
            .says()
            .await
            .starts_with("stands in for 8x8 at http://127.0.0.1:")
    );
    assert_eq!(replay.says().await, "next: QUEUED (Enter)");
    assert_eq!(taken(&door).await, 0);
    replay.enter().await;
    assert_eq!(replay.says().await, format!("{:<20} e-1 204", "QUEUED"));
    // The hour between the two is not waited for.
    assert_eq!(replay.says().await, "next: TRANSFER (Enter)");
    assert_eq!(taken(&door).await, 1);
    replay.enter().await;
    assert_eq!(replay.says().await, format!("{:<20} e-2 204", "TRANSFER"));
    assert_eq!(replay.ends().await, Some(0));
    assert_eq!(taken(&door).await, 2);

    // Who stops in the middle is not made to press Enter first, and the end of the input is an end.
    let mut replay = Replay::start(&file, &args);
    replay.says().await;
    assert_eq!(replay.says().await, "next: QUEUED (Enter)");
    replay.interrupt();
    assert_eq!(replay.ends().await, Some(0));
    let mut replay = Replay::start(&file, &args);
    replay.enter = None;
    assert_eq!(replay.ends().await, Some(0));
    assert_eq!(taken(&door).await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_stays_goes_on_answering_calls() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("small.jsonl");
    small(&file);
    let door = door().await;
    let args = [
        "--stay",
        "--speed",
        "0",
        "--listen",
        "127.0.0.1:0",
        "--webhook-url",
        &door.uri(),
    ];
    let mut replay = Replay::start(&file, &args);
    let first = replay.says().await;
    let base = first.strip_prefix("stands in for 8x8 at ").unwrap().to_owned();
    while replay.says().await != "all was sent; calls are answered until Ctrl-C" {}
    assert_eq!(taken(&door).await, 2);
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    for _ in 0..2 {
        let url = format!("{base}/chat-gateway/v1/conversations/conv-1");
        let answer = http.get(url).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        let answer: Value = answer.json().await.unwrap();
        assert_eq!(answer["state"], "active");
    }
    replay.interrupt();
    assert_eq!(replay.ends().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn recorded_calls_are_made_to_a_sandbox() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("recording.jsonl");
    super::record(&file).await;
    let stop = CancellationToken::new();
    let _stop = stop.clone().drop_guard();
    let (listener, base) = listen().await;
    let settings = SandboxSettings {
        pace: Pace::instant(),
        ..SandboxSettings::default()
    };
    tokio::spawn(serve(settings, listener, stop));
    let replay = async |args: &[&str]| {
        let mut replay = program();
        replay
            .arg("replay")
            .arg(&file)
            .args(["--sandbox", &base])
            .args(args);
        let output = timeout(PATIENCE, replay.output()).await.unwrap().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    };
    let (code, out, err) = replay(&["--speed", "0"]).await;
    assert_eq!(code, Some(0), "{out}{err}");
    assert!(out.contains("POST   /chat-gateway/v1/conversations 202"), "{out}");

    // There is a conversation, with the customer whom the recording has no name of, and what they said.
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let get = async |path: String| -> Value {
        let url = format!("{base}/sandbox/v1{path}");
        http.get(url).send().await.unwrap().json().await.unwrap()
    };
    let all = get("/conversations".to_owned()).await;
    let all = all["conversations"].as_array().unwrap();
    assert_eq!(all.len(), 1, "{all:?}");
    let id = all[0]["conversationId"].as_str().unwrap();
    assert!(
        out.contains(&format!(
            "POST   /chat-gateway/v1/conversations/{id}/messages 202"
        )),
        "{out}"
    );
    eventually("an agent has answered", async || {
        let seen = get(format!("/conversations/{id}")).await;
        let name = seen["user"]["name"].as_str().unwrap_or_default().to_owned();
        assert!(name.starts_with("text-"), "{seen}");
        let said = |who: &str| {
            let lines = seen["transcript"].as_array().unwrap();
            lines.iter().any(|it| it["authorType"] == who)
        };
        (said("user") && said("agent")).then_some(())
    })
    .await;

    // Where the sandbox answers otherwise than it was, that is told.
    let fault = json!({"kind": "status", "status": 503, "method": "POST", "path": "/messages"});
    let set = http
        .post(format!("{base}/sandbox/v1/faults"))
        .json(&fault)
        .send()
        .await;
    assert_eq!(set.unwrap().status(), 201);
    let (code, out, err) = replay(&["--speed", "0"]).await;
    assert_eq!(code, Some(1), "{out}");
    assert!(out.contains("/messages 503, and was 202"), "{out}");
    assert!(
        err.contains("1 call(s) were not answered as they were when recorded"),
        "{err}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_are_made_to_nobody_but_a_sandbox() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("small.jsonl");
    small(&file);
    let other = door().await;
    let mut replay = program();
    replay.arg("replay").arg(&file).args(["--sandbox", &other.uri()]);
    let output = replay.output().await.unwrap();
    assert_eq!(output.status.code(), Some(2));
    let err = String::from_utf8(output.stderr).unwrap();
    assert!(err.contains("there is no sandbox at http://127.0.0.1:"), "{err}");
    assert_eq!(
        taken(&other).await,
        1,
        "it was asked for its queues and for nothing else"
    );
}
