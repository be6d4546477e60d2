//! What is written down of calls.

use std::process::Stdio;

use chatbridge::grpc::proto::{conversation_service_client::ConversationServiceClient, *};
use serde_json::{Value, json};
use tokio::io::AsyncReadExt as _;
use wiremock::{
    Mock, ResponseTemplate,
    matchers::{method, path},
};

use super::{ACME, World, by, caller};
use crate::support::service::{eventually, program};

const SECRETS: [&str; 6] = [
    "t0ken-of-a",
    "k3y-1",
    "Ada Lovelace",
    "ada@example.org",
    "My card is broken",
    "wr0ng",
];

/// Runs a service with all logs in JSON, calls it, and answers the lines that it logged.
async fn logged(world: &World) -> Vec<Value> {
    let ready = world.file.with_extension("ready");
    let mut child = program()
        .args(["serve", "--ready-file"])
        .arg(&ready)
        .env("CHATBRIDGE_CONFIG", &world.file)
        .env("CHATBRIDGE_REDIS_URL", "memory:")
        .env("CHATBRIDGE_GRPC_LISTEN", "127.0.0.1:0")
        .env("CHATBRIDGE_WEBHOOK_LISTEN", "127.0.0.1:0")
        .env("CHATBRIDGE_ADMIN_LISTEN", "127.0.0.1:0")
        .env("CHATBRIDGE_LOG", "debug,h2=info,hyper=info,hyper_util=info")
        .env("CHATBRIDGE_LOG_FORMAT", "json")
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let text = eventually("the service listens", async || {
        std::fs::read_to_string(&ready).ok()
    })
    .await;
    let addresses: Value = serde_json::from_str(&text).unwrap();
    let grpc = format!("http://{}", addresses["grpc"].as_str().unwrap());
    let mut client = ConversationServiceClient::connect(grpc).await.unwrap();
    let create = CreateConversationRequest {
        channel_id: "web".into(),
        user: Some(User {
            user_id: "u-1".into(),
            name: "Ada Lovelace".into(),
            email: "ada@example.org".into(),
            ..User::default()
        }),
        ..CreateConversationRequest::default()
    };
    client
        .create_conversation(by("t0ken-of-a", create.clone()))
        .await
        .unwrap();
    let send = SendMessageRequest {
        conversation_id: "c-1".into(),
        message: Some(MessageInput {
            author_type: AuthorType::User.into(),
            text: "My card is broken".into(),
            ..MessageInput::default()
        }),
        ..SendMessageRequest::default()
    };
    // Whatever becomes of it.
    let _ = client.send_message(by("t0ken-of-a", send)).await;
    client
        .create_conversation(by("wr0ng", create.clone()))
        .await
        .unwrap_err();
    client
        .create_conversation(by("reader", create))
        .await
        .unwrap_err();
    let mut stderr = child.stderr.take().unwrap();
    child.start_kill().unwrap();
    let mut text = String::new();
    stderr.read_to_string(&mut text).await.unwrap();
    for secret in SECRETS {
        assert!(!text.contains(secret), "{secret} is in the log:\n{text}");
    }
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[tokio::test]
async fn the_audit_log_says_who_did_what_and_nothing_that_a_customer_said() {
    let world = World::new().await;
    let answer = ResponseTemplate::new(202).set_body_json(json!({ "conversationId": "c-1", "createdAt": 1 }));
    Mock::given(method("POST"))
        .and(path("/chat-gateway/v1/conversations"))
        .respond_with(answer)
        .mount(&world.vendor.server)
        .await;
    let somebody = super::caller_with("orders-bot", "caller", ACME, &["t0ken-of-a"], "");
    world.write(&(world.tenant(ACME, "k3y-1") + &somebody + &caller("reader", "reader", ACME)));
    let lines = logged(&world).await;
    let audit: Vec<&Value> = lines
        .iter()
        .filter(|line| line["target"] == "chatbridge::audit")
        .collect();
    let [created, sent, unknown, reader] = &audit[..] else {
        panic!("{audit:#?}")
    };
    assert_eq!(
        created["method"],
        "chatbridge.v1.ConversationService/CreateConversation"
    );
    assert_eq!(
        (&created["caller"], &created["role"]),
        (&json!("orders-bot"), &json!("caller"))
    );
    assert_eq!(
        (&created["tenant"], &created["outcome"]),
        (&json!(ACME), &json!("Ok"))
    );
    assert_eq!(created["address"], "127.0.0.1");
    assert_eq!(
        (&created["conversation"], &created["about"]),
        (&json!("c-1"), &json!("channel_id=\"web\""))
    );
    assert_eq!(sent["method"], "chatbridge.v1.ConversationService/SendMessage");
    assert_eq!(sent["conversation"], "c-1");
    assert_eq!(
        (&unknown["outcome"], &unknown["reason"]),
        (&json!("denied"), &json!("CREDENTIALS_INVALID"))
    );
    assert_eq!(
        (&reader["caller"], &reader["reason"]),
        (&json!("reader"), &json!("ROLE_DENIED"))
    );
}
