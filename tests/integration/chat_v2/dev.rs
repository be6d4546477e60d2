//! Chat API v2 beside a sandbox, for who tries it.

use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};

use super::receiver::Receiver;
use crate::support::{service::program, stage::QUEUE};

#[tokio::test]
async fn dev_serves_v2_to_a_client_that_it_names_and_sends_to_its_webhook() {
    let mut command = program();
    command.args(["dev", "--pace", "instant", "--chat-v2-listen", "127.0.0.1:0"]);
    for port in ["GRPC", "WEBHOOK", "ADMIN", "SANDBOX"] {
        command.env(format!("CHATBRIDGE_{port}_LISTEN"), "127.0.0.1:0");
    }
    let mut dev = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(dev.stdout.take().unwrap()).lines();
    let mut after = async |start: &str| loop {
        let line = lines.next_line().await.unwrap().expect("it goes on");
        if let Some(rest) = line.strip_prefix(start) {
            break rest.trim().to_owned();
        }
    };
    let base = after("Chat API v2 ").await;
    let secret = after("    client dev, secret ").await;

    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let token = http
        .post(format!("{base}/oauth/v2/token"))
        .basic_auth("dev", Some(&secret))
        .header("content-type", "application/x-www-form-urlencoded")
        .body("grant_type=client_credentials")
        .send()
        .await
        .unwrap();
    let token: Value = token.json().await.unwrap();
    let token = token["access_token"].as_str().unwrap();
    let post = async |path: &str, body: Value| -> Value {
        let url = format!("{base}/vcc/eu/chat/v2/tenant/sandbox{path}");
        let answer = http
            .post(url)
            .bearer_auth(token)
            .json(&body)
            .send()
            .await
            .unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert!(status.is_success(), "{status} {text}");
        serde_json::from_str(&text).unwrap_or_default()
    };

    let receiver = Receiver::new().await;
    let hook = json!({ "name": "App", "uri": receiver.uri, "version": "v2.0" });
    post("/web-hooks/verify", hook.clone()).await;
    let hook = post("/web-hooks", hook).await;
    let routing = json!({ "type": "queue", "id": QUEUE });
    let channel = json!({ "name": "App", "webHookId": hook["id"], "routingOptions": routing });
    let channel = post("/channels", channel).await;
    let conversation = json!({ "channelId": channel["id"], "customer": { "name": "Ada" } });
    let id = post("/conversations", conversation).await["conversationId"].clone();
    receiver
        .until_says(id.as_str().unwrap(), &["QUEUED", "AGENT_JOINED"])
        .await;
}
