//! What clients of v2 hear when the vendor or the store fails: v2's shapes, and never more than is known.

use reqwest::Method;
use rstest::rstest;
use serde_json::json;

use super::{Facade, checked, schemas};
use crate::support::{proxy::Fault, stage::CHANNEL};

#[rstest]
#[case::key_refused(401, 500)]
#[case::forbidden(403, 500)]
#[case::conflict(409, 409)]
#[case::rate(429, 429)]
#[case::broken(500, 503)]
#[case::away(503, 503)]
#[case::teapot(418, 500)]
#[tokio::test]
async fn the_vendors_failures_become_v2s(#[case] upstream: u16, #[case] expected: u16) {
    let facade = Facade::new().await;
    facade.stage.proxy.rule(move |seen| {
        let body = r#"{"message": "x-api-key refused", "errors": [], "referenceId": "ref-7"}"#;
        seen.path().ends_with("/participants").then(|| Fault::Answer {
            status: upstream,
            headers: "content-type: application/problem+json\r\n",
            body: body.to_owned(),
        })
    });
    let answer = facade
        .request(Method::GET, "/conversations/c/participants")
        .send()
        .await
        .unwrap();
    let check = if expected < 500 { schemas::problem } else { schemas::failure };
    let body = checked(answer, expected, check).await;
    if expected >= 500 {
        assert!(!body.to_string().contains("api-key"), "{body}");
        assert_eq!(body["referenceId"], "ref-7");
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
    assert!(said["message"].as_str().unwrap().contains("may or may not"), "{said}");
}

#[tokio::test]
async fn a_request_that_takes_too_long_is_ended() {
    let facade = Facade::with(
        &[("call_time_max_ms", "1000")],
        &super::client(super::CLIENT, &[super::SECRET], ""),
    )
    .await;
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
    // The webhook is taken away while the channel is made.
    let url = facade.url(&format!("/web-hooks/{webhook}"));
    let (token, http) = (facade.token.clone(), facade.http.clone());
    let (begun, mut seen) = tokio::sync::mpsc::unbounded_channel();
    facade.stage.proxy.rule(move |it| {
        if it.method == "POST" && it.path().ends_with("/channels") {
            let _ = begun.send(());
            return Some(Fault::Drip);
        }
        None
    });
    let routing = json!({ "type": "queue", "id": "100" });
    let body = json!({ "name": "App", "webHookId": webhook, "routingOptions": routing });
    let making = facade.post("/channels", &body, 400, schemas::validation);
    let removing = async {
        seen.recv().await.unwrap();
        let removed = http.delete(url).bearer_auth(token).send().await.unwrap();
        assert_eq!(removed.status(), 204);
        facade.stage.proxy.calm();
    };
    tokio::join!(making, removing);
    assert_eq!(facade.stage.count("/channels").await, before);
}
