//! Every operation of the Chat Gateway, called through gRPC against the sandbox: what went over the wire, and what came back.

mod fields;
mod table;

use std::collections::{BTreeMap, BTreeSet};

use chatbridge::sandbox::Pace;
use serde_json::{Value, json};

use self::table::{Body, Expected, Row};
use crate::support::{
    dynamic::{self, call},
    proxy::Seen,
    service::eventually,
    stage::{CHANNEL, KEY, QUEUE, Stage, TENANT},
};

/// The operations that the vendor documents, ours to be complete.
const OPERATIONS: [&str; 34] = [
    "GET /chat-gateway/v1/webhooks",
    "POST /chat-gateway/v1/webhooks",
    "GET /chat-gateway/v1/webhooks/{}",
    "PUT /chat-gateway/v1/webhooks/{}",
    "DELETE /chat-gateway/v1/webhooks/{}",
    "POST /chat-gateway/v1/webhooks/verify",
    "GET /chat-gateway/v1/jwk/{}/public",
    "GET /chat-gateway/v1/channels",
    "POST /chat-gateway/v1/channels",
    "GET /chat-gateway/v1/channels/{}",
    "PUT /chat-gateway/v1/channels/{}",
    "DELETE /chat-gateway/v1/channels/{}",
    "GET /chat-gateway/v1/conversations",
    "POST /chat-gateway/v1/conversations",
    "GET /chat-gateway/v1/conversations/{}",
    "PUT /chat-gateway/v1/conversations/{}",
    "PATCH /chat-gateway/v1/conversations/{}",
    "GET /chat-gateway/v1/conversations/{}/interactions",
    "POST /chat-gateway/v1/conversations/{}/post-agent-assignment",
    "POST /chat-gateway/v1/conversations/{}/typing",
    "POST /chat-gateway/v1/conversations/{}/thinking",
    "POST /chat-gateway/v1/conversations/{}/read-receipt",
    "GET /chat-gateway/v1/conversations/{}/participants",
    "PATCH /chat-gateway/v1/conversations/{}/participants/user",
    "GET /chat-gateway/v1/conversations/{}/messages",
    "POST /chat-gateway/v1/conversations/{}/messages",
    "GET /chat-gateway/v1/conversations/{}/messages/{}",
    "GET /chat-gateway/v1/conversations/{}/messages/{}/cards",
    "GET /chat-gateway/v1/conversations/{}/attachments",
    "POST /chat-gateway/v1/conversations/{}/attachments",
    "GET /chat-gateway/v1/conversations/{}/attachments/{}",
    "GET /chat-gateway/v1/conversations/{}/attachments/{}/content",
    "PUT /api/v1/tenant/{}/conversations/{}/cards/{}/action-submit",
    "PUT /api/v1/tenant/{}/conversations/{}/cards/{}/action-execute",
];

/// What the rows refer to by name: `<conversation>`, and what earlier rows kept.
type Names = BTreeMap<String, String>;

/// Puts names in, everywhere in a value.
fn named(value: &Value, names: &Names) -> Value {
    match value {
        Value::String(text) => Value::String(with_names(text, names)),
        Value::Array(items) => items.iter().map(|item| named(item, names)).collect(),
        Value::Object(fields) => fields.iter().map(|(k, v)| (k.clone(), named(v, names))).collect(),
        other => other.clone(),
    }
}

fn with_names(text: &str, names: &Names) -> String {
    let mut text = text.to_owned();
    for (name, value) in names {
        text = text.replace(&format!("<{name}>"), value);
    }
    assert!(!text.contains('<'), "{text} has a name that no row kept");
    text
}

/// Times as Unix milliseconds, however they are written, and without what is ours alone: the cursor and our own clock.
fn normal(value: &Value) -> Value {
    match value {
        Value::String(text) => match text.parse::<jiff::Timestamp>() {
            Ok(time) => time.as_millisecond().into(),
            Err(_) => value.clone(),
        },
        Value::Array(items) => items.iter().map(normal).collect(),
        Value::Object(fields) => fields
            .iter()
            .filter(|(name, _)| !["cursor", "nextPageToken", "acceptTime"].contains(&name.as_str()))
            .map(|(k, v)| (k.clone(), normal(v)))
            .collect(),
        other => other.clone(),
    }
}

/// `POST /conversations/abc/messages` as the table of operations writes it.
fn operation_of(seen: &Seen) -> Option<&'static str> {
    let matches = |operation: &&'static str| {
        let (method, path) = operation.split_once(' ').unwrap();
        let (wanted, given): (Vec<_>, Vec<_>) = (path.split('/').collect(), seen.path().split('/').collect());
        method == seen.method
            && wanted.len() == given.len()
            && wanted.iter().zip(&given).all(|(w, g)| w == g || *w == "{}")
    };
    // A literal segment wins over a placeholder: `/webhooks/verify`.
    let mut all: Vec<_> = OPERATIONS.iter().copied().filter(|o| matches(o)).collect();
    all.sort_by_key(|o| o.matches("{}").count());
    all.first().copied()
}

fn check_request(row: &Row, expected: &Expected, seen: &Seen, names: &Names) {
    let rpc = row.rpc;
    let (method, target) = expected.line.split_once(' ').unwrap();
    assert_eq!(
        format!("{} {}", seen.method, seen.target),
        format!("{method} {}", with_names(target, names)),
        "{rpc}"
    );
    assert_eq!(seen.header("x-api-key"), Some(KEY), "{rpc}");
    assert_eq!(seen.header("x-8x8-tenant"), Some(TENANT), "{rpc}");
    let agent = seen.header("user-agent").unwrap_or_default();
    assert!(agent.starts_with("chatbridge/"), "{rpc}: {agent}");
    match &expected.body {
        Body::Nothing => {
            assert!(seen.body.is_empty(), "{rpc} sent a body");
            assert_eq!(seen.header("content-type"), None, "{rpc}");
        }
        Body::Json(json) => {
            assert_eq!(seen.header("content-type"), Some("application/json"), "{rpc}");
            assert_eq!(seen.json(), named(json, names), "{rpc}");
        }
        Body::File {
            author,
            file_name,
            media_type,
            content,
        } => {
            let kind = seen.header("content-type").unwrap_or_default();
            assert!(
                kind.starts_with("multipart/form-data; boundary="),
                "{rpc}: {kind}"
            );
            let text = String::from_utf8_lossy(&seen.body).to_ascii_lowercase();
            for part in [
                format!("name=\"authortype\"\r\n\r\n{author}\r\n"),
                format!("name=\"attachment\"; filename=\"{file_name}\"\r\n"),
                format!("content-type: {media_type}\r\n"),
                format!("\r\n\r\n{content}\r\n--"),
            ] {
                assert!(text.contains(&part), "{rpc}: {part:?} is not in {text:?}");
            }
        }
    }
}

async fn run(stage: &Stage, row: &Row, names: &mut Names) {
    stage.proxy.take();
    let requests: Vec<Value> = row.requests.iter().map(|json| named(json, names)).collect();
    let answers = call(&stage.channel, row.rpc, &requests)
        .await
        .unwrap_or_else(|status| panic!("{}: {status:?}", row.rpc));
    let mut seen = stage.proxy.take();
    if !row.rpc.ends_with("/GetSigningKey") {
        // The webhook door fetches keys when it needs them.
        seen.retain(|s| !s.path().contains("/jwk/"));
    }
    let lines: Vec<String> = seen
        .iter()
        .map(|s| format!("{} {}", s.method, s.target))
        .collect();
    assert_eq!(seen.len(), row.upstream.len(), "{} made {lines:?}", row.rpc);

    for (name, pointer) in row.keeps {
        let kept = answers
            .iter()
            .find_map(|answer| answer.pointer(pointer)?.as_str());
        let kept = kept.unwrap_or_else(|| panic!("{}: no {pointer} in {answers:?}", row.rpc));
        names.insert((*name).to_owned(), kept.to_owned());
    }
    for (expected, seen) in row.upstream.iter().zip(&seen) {
        check_request(row, expected, seen, names);
    }
    if row.rpc.ends_with("/SendMessage") {
        assert!(answers[0]["acceptTime"].is_string(), "{answers:?}");
    }
    let from: Vec<Value> = seen
        .iter()
        .map(|s| {
            serde_json::from_slice(&s.answer)
                .unwrap_or_else(|_| Value::from(String::from_utf8_lossy(&s.answer).into_owned()))
        })
        .collect();
    let wanted: Vec<Value> = (row.answer)(&from, names);
    assert_eq!(
        answers.iter().map(normal).collect::<Vec<_>>(),
        wanted.iter().map(normal).collect::<Vec<_>>(),
        "{}: the answer's translation; 8x8 said {from:?}",
        row.rpc
    );
}

#[tokio::test]
async fn each_operation_goes_out_and_comes_back_field_by_field() {
    // Agents who take minutes: nothing changes but by the rows.
    let stage = Stage::start(Pace::scaled(30.0).unwrap(), &[]).await;
    let webhook = format!("http://{}/webhooks/8x8", stage.service.webhook);
    let mut names: Names = [
        ("tenant", TENANT),
        ("channel", CHANNEL),
        ("queue", QUEUE),
        ("webhook-url", &webhook),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    names.insert("kid".into(), signing_key(&stage).await);
    let mut covered = BTreeSet::new();
    for row in table::rows() {
        run(&stage, &row, &mut names).await;
        if row.rpc.ends_with("/CreateConversation") {
            let id = names["conversation"].clone();
            stage
                .until(&id, "it waits in its queue", |it| it["state"] == "active")
                .await;
        }
        covered.extend(row.upstream.iter().filter_map(|expected| {
            let (method, target) = expected.line.split_once(' ').unwrap();
            operation_of(&Seen {
                method: method.to_owned(),
                target: with_names(target, &names),
                headers: Vec::new(),
                body: Vec::new(),
                status: None,
                answer: Vec::new(),
                hung_up: false,
            })
        }));
    }
    let missing: Vec<_> = OPERATIONS.iter().filter(|o| !covered.contains(*o)).collect();
    assert!(missing.is_empty(), "no row makes {missing:?}");
}

/// The key that signed the sandbox's webhooks, as the service asked for it.
async fn signing_key(stage: &Stage) -> String {
    eventually("a webhook was verified", async || {
        let seen = stage.proxy.take();
        let key = seen.iter().find(|s| s.path().contains("/jwk/"))?;
        Some(key.path().split('/').nth_back(1)?.to_owned())
    })
    .await
}

#[test]
fn every_call_of_the_contract_that_asks_the_vendor_has_a_row() {
    let rows: BTreeSet<&str> = table::rows().iter().map(|row| row.rpc).collect();
    let mut missing = Vec::new();
    for service in dynamic::services() {
        // These answer from what Chatbridge knows, and never ask the vendor.
        if ["SessionService", "SubscriptionService", "AgentEventService"].contains(&service.name()) {
            continue;
        }
        for method in service.methods() {
            let name = format!("{}/{}", service.name(), method.name());
            if !rows.contains(name.as_str()) {
                missing.push(name);
            }
        }
    }
    assert!(missing.is_empty(), "the table has no row for {missing:?}");
}

#[test]
fn a_name_that_no_row_kept_is_noticed() {
    let names = Names::from([("a".to_owned(), "1".to_owned())]);
    assert_eq!(named(&json!({"x": ["<a>"]}), &names), json!({"x": ["1"]}));
    assert!(std::panic::catch_unwind(|| with_names("<b>", &names)).is_err());
}
