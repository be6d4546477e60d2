//! Channels: 8x8's, with the client's own webhook.

use reqwest::Method;
use serde_json::{Value, json};

use super::{CLIENT, Facade, SECRET, WEBHOOK, checked, client, schemas};
use crate::support::stage::{CHANNEL, OTHER_QUEUE, QUEUE};

fn channel(name: &str, webhook: &str, queue: &str) -> Value {
    json!({ "name": name, "webHookId": webhook, "routingOptions": { "type": "queue", "id": queue }, "more": 1 })
}

#[tokio::test]
async fn channels_are_created_shown_replaced_and_taken_away() {
    let facade = Facade::new().await;
    let (first, second) = (facade.webhook().await, facade.webhook().await);
    let created = facade
        .post("/channels", &channel("App", &first, QUEUE), 200, schemas::channel)
        .await;
    let id = created["id"].as_str().unwrap();
    let path = format!("/channels/{id}");
    assert_eq!(
        (&created["name"], &created["webHookId"]),
        (&json!("App"), &json!(first))
    );
    assert_eq!(created["routingOptions"], json!({ "type": "queue", "id": QUEUE }));
    assert_eq!(facade.get(&path, schemas::channel).await, created);
    // To 8x8 it is a channel whose webhook is the service's own.
    let upstream = facade.stage.upstream(&path).await;
    assert_eq!(
        (&upstream["webHookId"], &upstream["type"]),
        (&json!(WEBHOOK), &json!("ChatAPI"))
    );

    let body = channel("Application", &second, OTHER_QUEUE);
    let replaced = facade.put(&path, &body, 200, schemas::channel).await;
    assert_eq!(replaced["webHookId"], json!(second));
    assert_eq!(facade.get(&path, schemas::channel).await, replaced);
    let upstream = facade.stage.upstream(&path).await;
    assert_eq!(upstream["routingOptions"]["id"], OTHER_QUEUE);
    assert_eq!(upstream["webHookId"], WEBHOOK);

    facade.delete(&path, 204, schemas::nothing).await;
    facade.get_with(&path, 404, schemas::problem).await;
    facade.put(&path, &body, 404, schemas::problem).await;
    facade.delete(&path, 404, schemas::problem).await;
}

#[tokio::test]
async fn they_are_listed_in_pages_with_those_that_others_made() {
    let facade = Facade::new().await;
    let webhook = facade.webhook().await;
    for n in 0..3 {
        let body = channel(&format!("App {n}"), &webhook, QUEUE);
        facade.post("/channels", &body, 200, schemas::channel).await;
    }
    let all = facade.get("/channels?sort=name", schemas::channels).await;
    let data = all["data"].as_array().unwrap();
    let names: Vec<&str> = data.iter().map(|it| it["name"].as_str().unwrap()).collect();
    assert!(names.is_sorted(), "{names:?}");
    let sandbox = data.iter().find(|it| it["id"] == CHANNEL).unwrap();
    assert_eq!(sandbox["webHookId"], "", "no client of v2 made it");
    // The sandbox has channels of other types, which v2 did not know.
    let upstream = facade.stage.upstream("/channels?size=100").await;
    let upstream = upstream["_embedded"]["channels"].as_array().unwrap();
    let of_the_api = upstream.iter().filter(|it| it["type"] == "ChatAPI").count();
    assert_eq!(data.len(), of_the_api);
    if let Some(other) = upstream.iter().find(|it| it["type"] != "ChatAPI") {
        let path = format!("/channels/{}", other["id"].as_str().unwrap());
        facade.get_with(&path, 404, schemas::problem).await;
        facade.delete(&path, 404, schemas::problem).await;
    }

    let one = facade
        .get("/channels?filter=name==App%201", schemas::channels)
        .await;
    assert_eq!(one["page"]["elementCount"], 1, "{one}");
    let page = facade.get("/channels?size=2&page=1", schemas::channels).await;
    assert_eq!(page["page"]["pageIndex"], 1);
    for bad in ["filter=name==", "filter=webHookId==1", "sort=a%20b", "size=0"] {
        facade
            .get_with(&format!("/channels?{bad}"), 400, schemas::problem)
            .await;
    }
}

#[tokio::test]
async fn if_match_counts_the_changes_made_here() {
    let facade = Facade::new().await;
    let webhook = facade.webhook().await;
    let created = facade
        .post(
            "/channels",
            &channel("App", &webhook, QUEUE),
            200,
            schemas::channel,
        )
        .await;
    let path = format!("/channels/{}", created["id"].as_str().unwrap());
    let put = |version: &'static str| {
        let request = facade.request(Method::PUT, &path).header("if-match", version);
        request.json(&channel("x", &webhook, QUEUE)).send()
    };
    checked(put("1").await.unwrap(), 200, schemas::channel).await;
    checked(put("1").await.unwrap(), 412, schemas::problem).await;
    checked(put("2").await.unwrap(), 200, schemas::channel).await;
}

#[tokio::test]
async fn what_is_no_channel_is_refused_field_by_field() {
    let facade = Facade::new().await;
    facade.webhook().await;
    let before = facade.stage.count("/channels").await;
    let cases = [
        (json!({}), vec!["name", "webHookId", "routingOptions"]),
        (
            json!({ "name": "a", "webHookId": "77", "routingOptions": { "type": "queue", "id": "100" } }),
            vec!["webHookId"],
        ),
        (
            json!({ "name": "a", "webHookId": "sandbox-webhook", "routingOptions": { "id": "100" } }),
            vec!["webHookId"],
        ),
        (
            json!({ "name": "a", "webHookId": "1", "routingOptions": { "type": "queue", "id": "no-queue" } }),
            vec!["routingOptions.id"],
        ),
        (
            json!({ "name": "a", "webHookId": "1", "routingOptions": { "type": "agent", "id": "100" } }),
            vec!["routingOptions.type"],
        ),
    ];
    for (body, fields) in cases {
        let said = facade.post("/channels", &body, 400, schemas::validation).await;
        let all = said["validations"].as_array().unwrap();
        let named: Vec<&str> = all.iter().map(|it| it["field"].as_str().unwrap()).collect();
        assert_eq!(named, fields, "{said}");
    }
    assert_eq!(facade.stage.count("/channels").await, before);
}

#[tokio::test]
async fn without_a_way_for_events_no_channel_is_made() {
    let facade = Facade::with(&[("webhook_id", "")], &client(CLIENT, &[SECRET], "")).await;
    let webhook = facade.webhook().await;
    let before = facade.stage.count("/channels").await;
    let body = channel("App", &webhook, QUEUE);
    facade.post("/channels", &body, 500, schemas::failure).await;
    assert_eq!(facade.stage.count("/channels").await, before);
}
