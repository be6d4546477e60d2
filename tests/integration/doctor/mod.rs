//! `chatbridge doctor`: each fault that is planted is found, by its id and with its remedy; where all is well nothing is.

mod faults_of_callers;
mod faults_of_chat_v2;
mod faults_of_redis;
mod faults_of_settings;
mod faults_upstream;
mod healthy;
mod requests;

use std::sync::{Arc, Mutex, PoisonError, Weak};

use chatbridge::sandbox::{Pace, SandboxSettings, serve};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::support::{
    redis::{RedisServer, unique_prefix},
    service::{PATIENCE, program},
    stage::{CHANNEL, KEY, TENANT},
};

/// A Redis as it should be, which the tests here share.
fn healthy_redis() -> Arc<RedisServer> {
    static SHARED: Mutex<Weak<RedisServer>> = Mutex::new(Weak::new());
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    shared.upgrade().unwrap_or_else(|| {
        let server = Arc::new(RedisServer::start_with(&["--appendonly", "yes"]));
        *shared = Arc::downgrade(&server);
        server
    })
}

/// A configuration before a sandbox and a Redis, in which nothing is wrong until a test sees to it.
struct Patient {
    sandbox: String,
    settings: Vec<(String, String)>,
    http: reqwest::Client,
    _redis: Arc<RedisServer>,
    _stop: DropGuard,
}

impl Patient {
    async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let sandbox = format!("http://{}", listener.local_addr().unwrap());
        let stop = CancellationToken::new();
        let settings = SandboxSettings {
            pace: Pace::instant(),
            ..SandboxSettings::default()
        };
        tokio::spawn(serve(settings, listener, stop.clone()));
        let redis = healthy_redis();
        let mut patient = Self {
            settings: Vec::new(),
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            _redis: Arc::clone(&redis),
            _stop: stop.drop_guard(),
            sandbox: sandbox.clone(),
        };
        patient
            .set("gateway_url", &sandbox)
            .set("tenant", TENANT)
            .set("api_key", KEY)
            .set("redis_url", &redis.url())
            .set("redis_prefix", &unique_prefix());
        for port in ["grpc", "webhook", "admin"] {
            patient.set(&format!("{port}_listen"), "127.0.0.1:0");
        }
        patient.webhook("http://127.0.0.1:9/webhooks/8x8").await;
        patient
    }

    /// Changes a setting; an empty one is not set.
    fn set(&mut self, name: &str, value: &str) -> &mut Self {
        self.settings.retain(|(known, _)| known != name);
        self.settings.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Changes the address of the sandbox's own webhook.
    async fn webhook(&self, url: &str) {
        let address = format!("{}/sandbox/v1/webhook", self.sandbox);
        let answer = self.http.put(address).json(&json!({ "url": url })).send().await;
        assert_eq!(answer.unwrap().status(), 204);
    }

    /// Asks the sandbox's Chat Gateway.
    async fn upstream(&self, method: &str, path: &str, body: Option<Value>) -> Value {
        let url = format!("{}/chat-gateway/v1{path}", self.sandbox);
        let mut request = self
            .http
            .request(method.parse().unwrap(), url)
            .header("x-api-key", KEY);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.unwrap();
        assert!(
            answer.status().is_success(),
            "{method} {path}: {}",
            answer.status()
        );
        answer.json().await.unwrap_or_default()
    }

    /// Lets the channel of the sandbox use another webhook, at this address.
    async fn other_webhook(&self, uri: &str) {
        let new = json!({ "name": "other", "uri": uri, "notificationVersion": "Chat Gateway v1.0" });
        let webhook = self.upstream("POST", "/webhooks", Some(new)).await;
        let channel = json!({
            "name": "chat", "type": "ChatAPI", "webHookId": webhook["id"],
            "routingOptions": { "type": "queue", "id": "100" },
        });
        let path = format!("/channels/{CHANNEL}");
        self.upstream("PUT", &path, Some(channel)).await;
    }

    async fn examine(&self, args: &[&str]) -> Diagnosis {
        examine_unhurried(&self.settings, args).await
    }

    /// With what is found of Redis's latency, however busy the machine is.
    async fn examine_with_latency(&self) -> Diagnosis {
        examine(&self.settings, &[]).await
    }
}

/// As [`examine`], on a machine that may be too busy to answer fast: that is looked at by a test of its own.
async fn examine_unhurried(settings: &[(String, String)], args: &[&str]) -> Diagnosis {
    let mut found = examine(settings, args).await;
    let is_slow = |it: &Value| it["id"] == "redis.latency" && it["severity"] != "ok";
    if found.findings.iter().any(is_slow) {
        found.findings.retain(|it| !is_slow(it));
        let has = |severity: &str| found.findings.iter().any(|it| it["severity"] == severity);
        found.code = match (has("error"), has("warning")) {
            (true, _) => 2,
            (_, true) => 1,
            _ => 0,
        };
    }
    found
}

/// What the program said, and how it ended.
#[derive(Debug)]
struct Diagnosis {
    code: i32,
    findings: Vec<Value>,
}

/// Runs the program with these settings.
async fn examine(settings: &[(String, String)], args: &[&str]) -> Diagnosis {
    let mut command = program();
    command.args(["doctor", "--json"]).args(args);
    for (name, value) in settings {
        command.env(format!("CHATBRIDGE_{}", name.to_ascii_uppercase()), value);
    }
    let output = tokio::time::timeout(PATIENCE * 2, command.output()).await;
    let output = output.expect("it ends").unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    let document: Value = serde_json::from_str(&printed)
        .unwrap_or_else(|_| panic!("{printed}{}", String::from_utf8_lossy(&output.stderr)));
    assert_eq!(document["format"], 1);
    Diagnosis {
        code: output.status.code().unwrap(),
        findings: document["findings"].as_array().unwrap().clone(),
    }
}

impl Diagnosis {
    /// What was found by a check, whatever it was.
    fn of(&self, id: &str) -> Vec<&Value> {
        self.findings
            .iter()
            .filter(|finding| finding["id"] == id)
            .collect()
    }

    /// All that is wrong.
    fn wrong(&self) -> Vec<&Value> {
        let is_wrong = |finding: &&Value| matches!(finding["severity"].as_str(), Some("warning" | "error"));
        self.findings.iter().filter(is_wrong).collect()
    }

    /// Expects an error of this id whose sentence and remedy say this.
    fn error(&self, id: &str, sentence: &str, remedy: &str) -> &Self {
        assert_eq!(self.code, 2, "{:#?}", self.wrong());
        self.has(id, "error", sentence, remedy)
    }

    /// Expects a warning of this id, and nothing worse.
    fn warning(&self, id: &str, sentence: &str, remedy: &str) -> &Self {
        assert_eq!(self.code, 1, "{:#?}", self.wrong());
        self.has(id, "warning", sentence, remedy)
    }

    fn has(&self, id: &str, severity: &str, sentence: &str, remedy: &str) -> &Self {
        let says = |finding: &&&Value, member: &str, text: &str| {
            finding[member].as_str().is_some_and(|said| said.contains(text))
        };
        let found = self.of(id);
        let fitting = found.iter().find(|finding| {
            finding["severity"] == severity
                && says(finding, "sentence", sentence)
                && says(finding, "remedy", remedy)
        });
        assert!(
            fitting.is_some(),
            "no {severity} {id} that says {sentence:?} and {remedy:?}: {:#?}",
            self.wrong()
        );
        self
    }

    /// Expects that nothing is wrong but what these checks found.
    fn only(&self, ids: &[&str]) {
        let others: Vec<_> = self
            .wrong()
            .into_iter()
            .filter(|finding| !ids.iter().any(|id| finding["id"] == *id))
            .collect();
        assert!(others.is_empty(), "{others:#?}");
    }
}
