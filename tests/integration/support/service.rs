//! The service as a process of its own, as an operator would run it.

use std::{
    process::Stdio,
    time::{Duration, Instant},
};

use chatbridge::grpc::proto::{
    AgentEvent, AgentEventsRequest, AgentEventsResponse, agent_event_service_client::AgentEventServiceClient,
    agent_events_response::Payload, conversation_service_client::ConversationServiceClient,
    session_service_client::SessionServiceClient,
};
use nix::{
    sys::signal::{self, Signal},
    unistd::Pid,
};
use tokio::process::{Child, Command};
use tonic::{Streaming, transport::Channel};

/// How long a condition may take to come true before the test fails.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A replica that runs. Killed when dropped.
pub struct Service {
    child: Child,
    pub grpc: String,
    pub webhook: String,
    pub admin: String,
    /// Where Chat API v2 is, if it is served.
    pub chat_v2: Option<String>,
    _dir: tempfile::TempDir,
}

/// The program, with none of the settings that the test's own environment may have.
pub fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chatbridge"));
    command
        .env_clear()
        .env("CHATBRIDGE_LOG", "error")
        .kill_on_drop(true)
        .stdin(Stdio::null());
    command
}

impl Service {
    /// Starts `serve` on free ports, with these settings (names without prefix, but for those of OpenTelemetry), and waits until it
    /// listens.
    pub async fn start(settings: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let ready = dir.path().join("ready.json");
        let mut command = program();
        command.args(["serve", "--ready-file"]).arg(&ready);
        for port in ["GRPC", "WEBHOOK", "ADMIN"] {
            command.env(format!("CHATBRIDGE_{port}_LISTEN"), "127.0.0.1:0");
        }
        for (name, value) in settings {
            match name.starts_with("OTEL_") {
                true => command.env(name, value),
                false => command.env(format!("CHATBRIDGE_{}", name.to_ascii_uppercase()), value),
            };
        }
        let child = command.spawn().unwrap();
        let text = eventually("the service listens", async || {
            std::fs::read_to_string(&ready).ok()
        })
        .await;
        let addresses: serde_json::Value = serde_json::from_str(&text).unwrap();
        let address = |name: &str| addresses[name].as_str().unwrap().to_owned();
        let service = Self {
            child,
            grpc: format!("http://{}", address("grpc")),
            webhook: address("webhook"),
            admin: format!("http://{}", address("admin")),
            chat_v2: addresses["chat_v2"].as_str().map(str::to_owned),
            _dir: dir,
        };
        let ready = format!("{}/readyz", service.admin);
        eventually("the service is ready", async || {
            reqwest::get(&ready)
                .await
                .ok()
                .filter(|a| a.status().is_success())
                .map(drop)
        })
        .await;
        service
    }

    /// The number of its process.
    pub fn pid(&self) -> u32 {
        self.child.id().unwrap()
    }

    /// Its memory in bytes: now, and the most it ever had.
    pub fn memory(&self) -> (u64, u64) {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id().unwrap())).unwrap();
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            let kib: u64 = line.trim().trim_end_matches(" kB").parse().unwrap();
            kib * 1024
        };
        (field("VmRSS:"), field("VmHWM:"))
    }

    /// Ends it without any warning.
    pub async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    /// Asks it to stop, as Kubernetes does, and answers its exit code.
    pub async fn terminate(mut self) -> Option<i32> {
        let pid = Pid::from_raw(self.child.id().unwrap().try_into().unwrap());
        signal::kill(pid, Signal::SIGTERM).unwrap();
        let status = tokio::time::timeout(PATIENCE, self.child.wait()).await;
        status.expect("it stops").unwrap().code()
    }

    pub async fn channel(&self) -> Channel {
        Channel::from_shared(self.grpc.clone())
            .unwrap()
            .connect()
            .await
            .unwrap()
    }

    pub async fn conversations(&self) -> ConversationServiceClient<Channel> {
        ConversationServiceClient::new(self.channel().await)
    }

    pub async fn sessions(&self) -> SessionServiceClient<Channel> {
        SessionServiceClient::new(self.channel().await)
    }

    /// Opens a stream; it holds once this returns.
    pub async fn events(&self, request: AgentEventsRequest) -> Events {
        let mut client = AgentEventServiceClient::new(self.channel().await);
        let stream = eventually("the stream opens", async || {
            match client.agent_events(request.clone()).await {
                Ok(answer) => Some(answer.into_inner()),
                Err(status) if status.code() == tonic::Code::Unavailable => None,
                Err(status) => panic!("the stream is refused: {status}"),
            }
        });
        let mut events = Events {
            stream: stream.await,
            cursor: bytes::Bytes::new(),
            stream_id: String::new(),
        };
        match events.next().await.unwrap() {
            Payload::Heartbeat(beat) => events.stream_id = beat.stream_id,
            first => panic!("a stream begins with a heartbeat, not with {first:?}"),
        }
        events
    }

    /// One metric's value, summed over its labels; 0 where it is not there yet.
    pub async fn metric(&self, line_start: &str) -> f64 {
        let text = reqwest::get(format!("{}/metrics", self.admin))
            .await
            .unwrap()
            .text()
            .await
            .unwrap();
        text.lines()
            .filter(|line| line.starts_with(line_start))
            .filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok())
            .sum()
    }
}

/// A stream, and the cursor of its last response.
pub struct Events {
    stream: Streaming<AgentEventsResponse>,
    pub cursor: bytes::Bytes,
    /// What its first heartbeat called it.
    pub stream_id: String,
}

impl Events {
    /// The next response; an error where the stream failed or ended.
    pub async fn next(&mut self) -> Result<Payload, tonic::Status> {
        let response = tokio::time::timeout(PATIENCE, self.stream.message())
            .await
            .expect("a response, at least a heartbeat")?
            .ok_or_else(|| tonic::Status::ok("the stream ended"))?;
        self.cursor = response.cursor;
        Ok(response.payload.expect("a payload"))
    }

    /// The next event, heartbeats left out.
    pub async fn event(&mut self) -> AgentEvent {
        let started = Instant::now();
        while started.elapsed() < PATIENCE {
            match self.next().await.expect("an event") {
                Payload::Event(event) => return event,
                Payload::Heartbeat(_) => {}
                other => panic!("an event was awaited, and there came {other:?}"),
            }
        }
        panic!("no event came, only heartbeats");
    }
}

/// Waits until something can be had.
pub async fn eventually<T>(what: &str, mut attempt: impl AsyncFnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(found) = attempt().await {
            return found;
        }
        assert!(
            started.elapsed() < PATIENCE,
            "waited {PATIENCE:?} in vain: {what}"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
