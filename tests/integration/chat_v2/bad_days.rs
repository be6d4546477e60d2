//! What clients of v2 hear when the vendor or the store fails: v2's shapes, and never more than is known.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
};

use reqwest::Method;
use serde_json::json;

use super::{CLIENT, Facade, SECRET, checked, client, schemas};
use crate::support::{proxy::Fault, service::PATIENCE, stage::CHANNEL};

#[tokio::test]
async fn the_vendors_failures_become_v2s() {
    // So that no failure keeps the next request from being made.
    let settings = [("gateway_circuit_open_ms", "0"), ("gateway_attempts", "1")];
    let facade = Facade::with(&settings, &client(CLIENT, &[SECRET], "")).await;
    // The one that may ask for a pause is the last.
    let cases = [
        (401, 500),
        (403, 500),
        (409, 409),
        (500, 503),
        (503, 503),
        (418, 500),
        (429, 429),
    ];
    for (upstream, expected) in cases {
        facade.stage.proxy.rule(move |seen| {
            let body = r#"{"message": "x-api-key refused", "errors": [], "referenceId": "ref-7"}"#;
            seen.path().ends_with("/participants").then(|| Fault::Answer {
                status: upstream,
                headers: "content-type: application/problem+json\r\n",
                body: body.to_owned(),
            })
        });
        let path = "/conversations/c/participants";
        let answer = facade.request(Method::GET, path).send().await.unwrap();
        let check = if expected < 500 {
            schemas::problem
        } else {
            schemas::failure
        };
        let body = checked(answer, expected, check).await;
        if expected >= 500 {
            assert!(!body.to_string().contains("api-key"), "{body}");
            assert_eq!(body["referenceId"], "ref-7");
        }
    }
}

#[tokio::test]
async fn a_creation_whose_answer_is_lost_is_not_said_to_have_failed() {
    let facade = Facade::new().await;
    facade.stage.proxy.rule(|seen| {
        (seen.method == "POST" && seen.path().ends_with("/conversations")).then_some(Fault::ResetAfter)
    });
    let body = json!({ "channelId": CHANNEL, "customer": { "name": "Ada" } });
    let said = facade.post("/conversations", &body, 500, schemas::failure).await;
    assert!(
        said["message"].as_str().unwrap().contains("may or may not"),
        "{said}"
    );
}

#[tokio::test]
async fn a_request_that_takes_too_long_is_ended() {
    let facade = Facade::with(&[("call_time_max_ms", "1000")], &client(CLIENT, &[SECRET], "")).await;
    facade
        .stage
        .proxy
        .rule(|seen| seen.path().contains("/conversations").then_some(Fault::Hold));
    facade
        .get_with("/conversations/c/participants", 504, schemas::failure)
        .await;
}

#[tokio::test]
async fn a_channel_that_cannot_be_bound_does_not_stay() {
    let facade = Facade::new().await;
    let webhook = facade.webhook().await;
    let before = facade.stage.count("/channels").await;
    // The webhook is taken away while the channel is made: 8x8 has it by then, and our store has not.
    let (address, token) = (
        facade.base.strip_prefix("http://").unwrap().to_owned(),
        facade.token.clone(),
    );
    let path = format!("/vcc/us/chat/v2/tenant/sandbox/web-hooks/{webhook}");
    facade.stage.proxy.rule(move |it| {
        if it.method == "POST" && it.path().ends_with("/channels") {
            let said = delete_at_once(&address, &path, &token);
            assert!(said.starts_with("HTTP/1.1 204 "), "{said}");
        }
        None
    });
    let routing = json!({ "type": "queue", "id": "100" });
    let body = json!({ "name": "App", "webHookId": webhook, "routingOptions": routing });
    let said = facade.post("/channels", &body, 400, schemas::validation).await;
    assert_eq!(said["validations"][0]["field"], "webHookId");
    assert_eq!(facade.stage.count("/channels").await, before);
}

/// Waits on this very thread, since a proxy's rule cannot wait otherwise. The service is a process of its own.
fn delete_at_once(address: &str, path: &str, token: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let request = format!(
        "DELETE {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}
