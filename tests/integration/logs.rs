//! The log of a service that runs: what is in it, what never is, and how it is changed meanwhile.

use std::{
    process::Stdio,
    sync::{Arc, Mutex},
};

use chatbridge::grpc::proto::{conversation_service_client::ConversationServiceClient, *};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::Child,
};
use tonic::Request;
use wiremock::{
    Mock, ResponseTemplate,
    matchers::{method, path},
};

use crate::support::{
    service::{eventually, program},
    vendor::{TENANT, Vendor, Webhook},
};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PATH_SECRET: &str = "zq-path-secret-0001";
/// What customers and agents say and are called, and what proves who somebody is. `zq` is in nothing else.
const NEVER: &str = "zq";

/// A service whose log is read as it comes.
struct Logged {
    _child: Child,
    lines: Arc<Mutex<Vec<String>>>,
    grpc: String,
    webhook: String,
    admin: String,
}

impl Logged {
    async fn start(vendor: &Vendor, log: &str, more: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let ready = dir.path().join("ready.json");
        let mut command = program();
        command.args(["serve", "--ready-file"]).arg(&ready);
        let vendor = vendor.server.uri();
        let mut settings = vec![
            ("LOG", log),
            ("LOG_FORMAT", "json"),
            ("GATEWAY_URL", &vendor),
            ("TENANT", TENANT),
            ("API_KEY", "zq-key"),
            ("REDIS_URL", "memory:"),
            ("GRPC_LISTEN", "127.0.0.1:0"),
            ("WEBHOOK_LISTEN", "127.0.0.1:0"),
            ("ADMIN_LISTEN", "127.0.0.1:0"),
        ];
        settings.extend_from_slice(more);
        for (name, value) in settings {
            command.env(format!("CHATBRIDGE_{name}"), value);
        }
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap()).lines();
        let lines: Arc<Mutex<Vec<String>>> = Arc::default();
        let kept = Arc::clone(&lines);
        tokio::spawn(async move {
            while let Ok(Some(line)) = stderr.next_line().await {
                kept.lock().unwrap().push(line);
            }
        });
        let text = eventually("the service listens", async || {
            std::fs::read_to_string(&ready).ok()
        })
        .await;
        let addresses: Value = serde_json::from_str(&text).unwrap();
        let address = |name: &str| addresses[name].as_str().unwrap().to_owned();
        Self {
            _child: child,
            lines,
            grpc: format!("http://{}", address("grpc")),
            webhook: address("webhook"),
            admin: format!("http://{}", address("admin")),
        }
    }

    async fn client(&self) -> ConversationServiceClient<tonic::transport::Channel> {
        ConversationServiceClient::connect(self.grpc.clone())
            .await
            .unwrap()
    }

    /// The lines up to now, each of which is JSON.
    fn lines(&self) -> Vec<Value> {
        let lines = self.lines.lock().unwrap();
        let parsed = lines.iter().map(|line| {
            serde_json::from_str(line).unwrap_or_else(|error| panic!("not JSON ({error}): {line}"))
        });
        parsed.collect()
    }

    /// Waits for a line that says this.
    async fn line(&self, wanted: impl Fn(&Value) -> bool) -> Value {
        eventually("the line comes", async || self.lines().into_iter().find(&wanted)).await
    }

    async fn loglevel(&self, method: &str, query: &str, body: &str) -> (u16, String) {
        let url = format!("{}/loglevel{query}", self.admin);
        let request = reqwest::Client::new().request(method.parse().unwrap(), url);
        let answer = request.body(body.to_owned()).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }
}

fn says(line: &Value, message: &str) -> bool {
    line["message"] == message
}

fn by<T>(token: &str, message: T) -> Request<T> {
    let mut request = Request::new(message);
    let metadata = request.metadata_mut();
    metadata.insert("authorization", format!("Bearer {token}").parse().unwrap());
    metadata.insert(
        "traceparent",
        format!("00-{TRACE}-00f067aa0ba902b7-01").parse().unwrap(),
    );
    request
}

fn send(conversation: &str) -> SendMessageRequest {
    SendMessageRequest {
        conversation_id: conversation.into(),
        message: Some(MessageInput {
            author_type: AuthorType::User.into(),
            text: "zq my card is broken".into(),
            ..MessageInput::default()
        }),
        ..SendMessageRequest::default()
    }
}

/// A vendor that takes conversations and messages, and refuses some with the customer's own words.
async fn vendor() -> Vendor {
    let vendor = Vendor::start().await;
    let answers = [
        (
            "/conversations",
            202,
            json!({ "conversationId": "c-1", "createdAt": 1 }),
        ),
        ("/conversations/c-1/messages", 202, json!({})),
        (
            "/conversations/c-2/messages",
            400,
            json!({ "message": "zq my card is broken is not allowed", "errors": ["zq ada@example.org"], "referenceId": "ref-1" }),
        ),
    ];
    for (end, status, body) in answers {
        Mock::given(method("POST"))
            .and(path(format!("/chat-gateway/v1{end}")))
            .respond_with(ResponseTemplate::new(status).set_body_json(body))
            .mount(&vendor.server)
            .await;
    }
    vendor
}

/// Posts a webhook by the secret path, genuine or not, and answers the status.
async fn deliver(vendor: &Vendor, service: &Logged, webhook: &Webhook, is_genuine: bool) -> u16 {
    let mut signed = vendor.signed(webhook);
    if !is_genuine {
        signed.headers[3].1 += "0";
    }
    let url = format!("http://{}/webhooks/8x8/{PATH_SECRET}", service.webhook);
    signed.post(&reqwest::Client::new(), &url).await.unwrap()
}

#[tokio::test]
async fn at_its_finest_the_log_is_json_and_tells_no_texts_names_or_secrets() {
    let vendor = vendor().await;
    // SHA-256 of `zq-token`.
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, b"zq-token");
    let digest: String = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    let more = [
        ("TOKEN_SHA256", digest.as_str()),
        ("WEBHOOK_PATH_SECRET", PATH_SECRET),
        // Nobody is there.
        ("OTLP_ENDPOINT", "http://127.0.0.1:1"),
        ("OTLP_HEADERS", "authorization=zq-otlp"),
        ("TRACE_UPSTREAM", "true"),
    ];
    let service = Logged::start(&vendor, "trace,h2=trace,hyper=trace,tonic=trace", &more).await;
    let mut client = service.client().await;
    let create = CreateConversationRequest {
        channel_id: "web".into(),
        user: Some(User {
            user_id: "u-1".into(),
            name: "zq Ada".into(),
            email: "zq@example.org".into(),
            ..User::default()
        }),
        ..CreateConversationRequest::default()
    };
    client
        .create_conversation(by("zq-token", create.clone()))
        .await
        .unwrap();
    client.send_message(by("zq-token", send("c-1"))).await.unwrap();
    client
        .send_message(by("zq-token", send("c-2")))
        .await
        .unwrap_err();
    client
        .create_conversation(by("zq-wrong", create))
        .await
        .unwrap_err();
    let mut events = agent_event_service_client::AgentEventServiceClient::connect(service.grpc.clone())
        .await
        .unwrap();
    let stream = events.agent_events(by("zq-token", AgentEventsRequest::default()));
    let stream = stream.await.unwrap();

    let genuine = vendor.message("c-1", "zq what is its number?");
    let mut forged = genuine.clone();
    forged.body = forged.body.replace("number", "colour");
    let mut broken = vendor.message("c-1", "zq");
    broken.body = "{\"zq\": ".into();
    assert_eq!(deliver(&vendor, &service, &genuine, true).await, 204);
    assert_eq!(deliver(&vendor, &service, &genuine, true).await, 204);
    assert_eq!(deliver(&vendor, &service, &forged, true).await, 204);
    assert_eq!(deliver(&vendor, &service, &broken, true).await, 204);
    assert_ne!(deliver(&vendor, &service, &genuine, false).await, 204);
    let url = format!("http://{}/webhooks/8x8/zq-guessed-secret", service.webhook);
    let signed = vendor.signed(&genuine);
    assert_eq!(signed.post(&reqwest::Client::new(), &url).await.unwrap(), 404);
    drop(stream);

    // Each thing once, with all that identifies it.
    let taken = service
        .line(|line| says(line, "webhook taken") && line["result"] == "accepted")
        .await;
    let known = ["tenant", "conversation", "event"].map(|name| taken[name].as_str().unwrap().to_owned());
    assert_eq!(
        known,
        [TENANT.to_owned(), "c-1".to_owned(), genuine.event_id.clone()]
    );
    assert_eq!(taken["trace_id"], TRACE, "it follows the message that was sent");
    let sent = service
        .line(|line| {
            says(line, "call")
                && line["conversation"] == "c-1"
                && line["method"] == "chatbridge.v1.ConversationService/SendMessage"
        })
        .await;
    assert_eq!(
        (&sent["trace_id"], &sent["tenant"]),
        (&json!(TRACE), &json!(TENANT))
    );
    let request = service
        .line(|line| says(line, "a request to the Chat Gateway ended") && line["conversation"] == "c-2")
        .await;
    assert_eq!(
        (&request["reference_id"], &request["trace_id"]),
        (&json!("ref-1"), &json!(TRACE))
    );
    let refused = service
        .line(|line| says(line, "webhook refused") && line["level"] == "WARN")
        .await;
    assert_eq!(refused["event"], genuine.event_id);
    service
        .line(|line| {
            line["message"]
                .as_str()
                .is_some_and(|text| text.starts_with("webhook with the id"))
        })
        .await;
    service
        .line(|line| {
            line["message"]
                .as_str()
                .is_some_and(|text| text.starts_with("traces cannot be exported"))
        })
        .await;

    let lines = service.lines();
    for line in &lines {
        for name in ["timestamp", "level", "target", "message"] {
            assert!(line[name].is_string(), "{name} in {line}");
        }
        assert!(!line.to_string().to_ascii_lowercase().contains(NEVER), "{line}");
    }
    let count = |wanted: &dyn Fn(&Value) -> bool| lines.iter().filter(|line| wanted(line)).count();
    assert_eq!(
        count(&|line| line["target"].as_str().unwrap().starts_with("h2")),
        0
    );
    assert_eq!(
        count(&|line| says(line, "webhook taken")
            && line["result"] == "accepted"
            && line["event"] == genuine.event_id.as_str()),
        1
    );
    assert_eq!(
        count(&|line| says(line, "webhook taken") && line["result"] == "duplicate"),
        1
    );
    assert_eq!(
        count(&|line| line["conversation"] == "c-2" && line["method"].is_string()),
        1
    );
    assert_eq!(
        count(&|line| line["message"]
            .as_str()
            .unwrap()
            .starts_with("traces cannot be exported")),
        1
    );
}

#[tokio::test]
async fn what_is_logged_is_changed_while_the_service_runs_and_changes_back() {
    let vendor = vendor().await;
    let service = Logged::start(&vendor, "info", &[]).await;
    let deliver = async |text: &str| {
        let webhook = vendor.message("c-1", text);
        assert_eq!(vendor.deliver(&service.webhook, &webhook).await, 204);
        webhook.event_id
    };
    let is_of = |line: &Value, event: &str| says(line, "webhook taken") && line["event"] == event;
    let before = deliver("hello").await;
    let (status, answer) = service
        .loglevel("PUT", "", "warn,chatbridge::webhook=debug")
        .await;
    assert_eq!(status, 200, "{answer}");
    let answer: Value = serde_json::from_str(&answer).unwrap();
    assert_eq!(answer["filter"], "warn,chatbridge::webhook=debug");
    assert_eq!(answer["configured"], "info");
    assert!((1..=900).contains(&answer["seconds_left"].as_u64().unwrap()));
    let during = deliver("hello").await;
    service.line(|line| is_of(line, &during)).await;
    assert!(!service.lines().iter().any(|line| is_of(line, &before)));

    // What is wrong is refused with a sentence, and changes nothing.
    for (query, body, status, part) in [
        (
            "",
            "chatbridge=loud",
            400,
            "\"chatbridge=loud\" is neither a level nor TARGET=LEVEL",
        ),
        ("", "", 400, "it is empty"),
        ("?seconds=0", "info", 400, "from 1 to 86400"),
        ("?minutes=5", "info", 400, "seconds=N"),
        ("", &"x".repeat(3000), 413, ""),
    ] {
        let (answered, text) = service.loglevel("PUT", query, body).await;
        assert_eq!(answered, status, "{text}");
        assert!(text.contains(part), "{text}");
    }
    let page = reqwest::Client::new().put(format!("{}/loglevel", service.admin));
    let page = page
        .header("origin", "http://evil.example")
        .body("trace")
        .send()
        .await
        .unwrap();
    assert_eq!(page.status().as_u16(), 403);
    let (_, answer) = service.loglevel("GET", "", "").await;
    assert!(answer.contains("warn,chatbridge::webhook=debug"), "{answer}");

    let (status, answer) = service.loglevel("DELETE", "", "").await;
    assert_eq!(
        (status, answer.as_str()),
        (200, r#"{"filter":"info","configured":"info"}"#)
    );
    let after = deliver("hello").await;
    // And by itself, once its time is over.
    let (status, _) = service.loglevel("PUT", "?seconds=1", "debug").await;
    assert_eq!(status, 200);
    service
        .line(|line| says(line, "what is logged is as configured again") && line["filter"] == "info")
        .await;
    let (_, answer) = service.loglevel("GET", "", "").await;
    assert_eq!(answer, r#"{"filter":"info","configured":"info"}"#);
    let last = deliver("hello").await;
    // A line that certainly comes, so that those before it have come.
    service.loglevel("PUT", "", "info").await;
    service
        .line(|line| says(line, "what is logged is changed for a while") && line["filter"] == "info")
        .await;
    let lines = service.lines();
    assert!(!lines.iter().any(|line| is_of(line, &after) || is_of(line, &last)));
}

#[tokio::test]
async fn a_wrong_filter_is_refused_at_the_start() {
    let mut command = program();
    command.args(["serve"]).env("CHATBRIDGE_LOG", "chatbridge=loud");
    let output = command.output().await.unwrap();
    assert_eq!(output.status.code(), Some(2));
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(
        text.contains("the log filter: \"chatbridge=loud\" is neither"),
        "{text}"
    );
}
