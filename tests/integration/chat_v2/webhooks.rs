//! Webhooks of v2: kept here, shown as v2 shows them, tried with one signed request.

use axum::{Router, extract::State, http::HeaderMap, routing::any};
use bytes::Bytes;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::mpsc};

use super::{
    Facade, checked, facade_that_signs,
    receiver::{Received, check_signature},
    schemas,
};
use crate::support::stage::{KEY, QUEUE};

const HOOK: &str = "https://app.example/hook?key=s3cret";

fn hook(name: &str) -> Value {
    json!({ "name": name, "uri": HOOK, "notificationVersion": "v2.0", "somethingNew": [1] })
}

#[tokio::test]
async fn webhooks_are_registered_shown_replaced_and_taken_away() {
    let facade = Facade::new().await;
    let created = facade
        .post("/web-hooks", &hook("one"), 200, schemas::webhook)
        .await;
    assert_eq!(
        created,
        json!({ "id": "1", "name": "one", "uri": HOOK, "version": "v2.0" })
    );
    assert_eq!(facade.get("/web-hooks/1", schemas::webhook).await, created);

    let body = json!({ "name": "uno", "uri": "https://app.example/other", "version": "v1.0" });
    let replaced = facade.put("/web-hooks/1", &body, 200, schemas::webhook).await;
    assert_eq!(
        (&replaced["name"], &replaced["version"]),
        (&json!("uno"), &json!("v1.0"))
    );
    assert_eq!(facade.get("/web-hooks/1", schemas::webhook).await, replaced);

    facade.delete("/web-hooks/1", 204, schemas::nothing).await;
    facade.get_with("/web-hooks/1", 404, schemas::problem).await;
    facade.put("/web-hooks/1", &body, 404, schemas::problem).await;
    facade.delete("/web-hooks/1", 404, schemas::problem).await;
    // Identifiers are never given twice.
    let next = facade
        .post("/web-hooks", &hook("two"), 200, schemas::webhook)
        .await;
    assert_eq!(next["id"], "2");
    // 8x8 hears nothing of them.
    assert!(
        facade
            .stage
            .proxy
            .take()
            .iter()
            .all(|seen| !seen.path().contains("webhooks"))
    );
}

#[tokio::test]
async fn they_are_listed_in_pages() {
    let facade = Facade::new().await;
    for n in 0..5 {
        facade
            .post("/web-hooks", &hook(&format!("hook {n}")), 200, schemas::webhook)
            .await;
    }
    let page = facade.get("/web-hooks?size=2&page=1", schemas::webhooks).await;
    let names: Vec<_> = page["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["name"])
        .collect();
    assert_eq!(names, ["hook 2", "hook 3"]);
    assert_eq!(
        page["page"],
        json!({ "pageSize": 2, "pageIndex": 1, "elementCount": 5, "pageCount": 3 })
    );
    let beyond = facade.get("/web-hooks?size=2&page=9", schemas::webhooks).await;
    assert_eq!(beyond["data"], json!([]));
    facade
        .get_with("/web-hooks?size=none", 400, schemas::problem)
        .await;
}

#[tokio::test]
async fn if_match_keeps_a_change_from_being_overwritten() {
    let facade = Facade::new().await;
    facade.webhook().await;
    let put = |version: &'static str| {
        let request = facade.request(Method::PUT, "/web-hooks/1");
        request.header("if-match", version).json(&hook("x")).send()
    };
    let shown = facade.request(Method::GET, "/web-hooks/1").send().await.unwrap();
    assert_eq!(shown.headers()["etag"], "\"1\"");
    let first = put("1").await.unwrap();
    assert_eq!(first.headers()["etag"], "\"2\"");
    checked(first, 200, schemas::webhook).await;
    checked(put("\"1\"").await.unwrap(), 412, schemas::problem).await;
    checked(put("\"2\"").await.unwrap(), 200, schemas::webhook).await;
    checked(put("*").await.unwrap(), 200, schemas::webhook).await;
    checked(put("newest").await.unwrap(), 400, schemas::problem).await;
}

#[tokio::test]
async fn what_is_no_webhook_is_refused() {
    let facade = Facade::new().await;
    let cases = [
        json!({}),
        json!({ "name": "", "uri": HOOK }),
        json!({ "name": "a".repeat(257), "uri": HOOK }),
        json!({ "name": "a", "uri": "not an address" }),
        json!({ "name": "a", "uri": "ftp://app.example" }),
        json!({ "name": "a", "uri": HOOK, "version": "v9" }),
        json!(["a"]),
    ];
    for body in cases {
        let said = facade.post("/web-hooks", &body, 400, schemas::problem).await;
        assert!(!said.to_string().contains("s3cret"), "{said}");
    }
    let listed = facade.get("/web-hooks", schemas::webhooks).await;
    assert_eq!(listed["page"]["elementCount"], 0);
}

#[tokio::test]
async fn a_webhook_that_a_channel_uses_stays() {
    let facade = Facade::new().await;
    let id = facade.webhook().await;
    let routing = json!({ "type": "queue", "id": QUEUE });
    let body = json!({ "name": "App", "webHookId": id, "routingOptions": routing });
    let channel = facade.post("/channels", &body, 200, schemas::channel).await;
    let path = format!("/web-hooks/{id}");
    facade.delete(&path, 409, schemas::problem).await;
    // Somebody else takes the channel away: to the client it is gone, and so it is to its webhook.
    let channel = format!("/channels/{}", channel["id"].as_str().unwrap());
    let upstream = format!("{}/chat-gateway/v1{channel}", facade.stage.sandbox);
    let gone = facade.http.delete(upstream).header("x-api-key", KEY).send().await;
    assert_eq!(gone.unwrap().status(), 204);
    facade.delete(&path, 409, schemas::problem).await;
    facade.delete(&channel, 404, schemas::problem).await;
    facade.delete(&path, 204, schemas::nothing).await;
}

/// Receives one kind of request, and tells of it.
async fn receiver(status: StatusCode) -> (String, mpsc::UnboundedReceiver<(HeaderMap, Bytes)>) {
    let (tell, told) = mpsc::unbounded_channel();
    let receive =
        async move |State(tell): State<mpsc::UnboundedSender<_>>, headers: HeaderMap, body: Bytes| {
            tell.send((headers, body)).unwrap();
            (status, [("location", "/elsewhere")])
        };
    let app = Router::new().route("/hook", any(receive)).with_state(tell);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("http://{}/hook", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    (uri, told)
}

#[tokio::test]
async fn a_webhook_is_verified_by_one_request_that_its_receiver_can_check() {
    let (facade, _key) = facade_that_signs(&[("chat_v2_webhook_allow", "127.0.0.0/8")]).await;
    let (uri, mut told) = receiver(StatusCode::NO_CONTENT).await;
    let body = json!({ "version": "v2.0", "uri": uri });
    facade
        .post("/web-hooks/verify", &body, 204, schemas::nothing)
        .await;
    let (headers, raw) = told.recv().await.unwrap();
    let received = Received {
        path: "/hook".to_owned(),
        body: serde_json::from_slice(&raw).unwrap(),
        headers,
        raw,
    };
    assert_eq!(received.body["eventType"], "WEB_HOOK_VERIFY");
    assert_eq!(received.body["notificationVersion"], "v2.0");
    check_signature(&facade, &received).await.unwrap();
}

#[tokio::test]
async fn a_receiver_that_does_not_answer_2xx_is_not_verified_and_redirects_are_not_followed() {
    let (facade, _key) = facade_that_signs(&[("chat_v2_webhook_allow", "127.0.0.0/8")]).await;
    for status in [
        StatusCode::INTERNAL_SERVER_ERROR,
        StatusCode::FOUND,
        StatusCode::TEMPORARY_REDIRECT,
    ] {
        let (uri, mut told) = receiver(status).await;
        let body = json!({ "version": "v2.0", "uri": uri });
        facade
            .post("/web-hooks/verify", &body, 400, schemas::problem)
            .await;
        told.recv().await.unwrap();
        assert!(told.try_recv().is_err(), "once");
    }
    let nobody = json!({ "version": "v2.0", "uri": "http://127.0.0.1:9/hook" });
    facade
        .post("/web-hooks/verify", &nobody, 400, schemas::problem)
        .await;
}

#[tokio::test]
async fn nothing_is_sent_to_private_addresses_unless_they_are_allowed() {
    let (facade, _key) = facade_that_signs(&[]).await;
    let (uri, mut told) = receiver(StatusCode::NO_CONTENT).await;
    let by_name = uri.replace("127.0.0.1", "localhost");
    for uri in [
        &uri,
        &by_name,
        "http://169.254.169.254/latest/meta-data/",
        "http://[::1]/",
    ] {
        let body = json!({ "version": "v2.0", "uri": uri });
        facade
            .post("/web-hooks/verify", &body, 400, schemas::problem)
            .await;
    }
    assert!(told.try_recv().is_err());
}

#[tokio::test]
async fn without_a_key_nothing_is_sent_and_no_key_is_shown() {
    let facade = Facade::new().await;
    let body = json!({ "version": "v2.0", "uri": HOOK });
    facade
        .post("/web-hooks/verify", &body, 501, schemas::failure)
        .await;
    facade
        .post("/web-hooks/verify", &json!({}), 400, schemas::problem)
        .await;
    let url = format!("{}/vcc/us/chat/v2/jwk/abc/public", facade.base);
    let body = checked(facade.http.get(url).send().await.unwrap(), 404, schemas::no_key).await;
    assert_eq!(body["resourceId"], "abc");
}
