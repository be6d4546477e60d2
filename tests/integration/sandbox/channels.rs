//! Channels, through the vendor's API, and where their events go.

use reqwest::Method;
use rstest::rstest;
use serde_json::{Value, json};

use super::{api::refusal, hook::Hook, world::World};

fn channel(webhook: &str) -> Value {
    json!({"name": "Shop", "type": "ChatAPI", "webHookId": webhook, "routingOptions": {"type": "queue", "id": "200"}})
}

async fn webhook(world: &World, uri: &str) -> String {
    let body = json!({"name": "Shop", "uri": uri, "notificationVersion": "Chat Gateway v1.0"});
    let made = world.call(Method::POST, "/webhooks", &body, 200).await;
    made["id"].as_str().unwrap().to_owned()
}

async fn greets(hook: &Hook, conversation: &str) {
    let id = conversation.to_owned();
    hook.until("a greeting", move |all| {
        all.iter()
            .any(|it| it.conversation() == Some(&id) && it.gist() == "typing []")
    })
    .await;
}

#[tokio::test]
async fn a_channel_lives_from_its_creation_to_its_deletion() {
    let world = World::start().await;
    let made = world
        .call(Method::POST, "/channels", &channel("sandbox-webhook"), 200)
        .await;
    let id = made["id"].as_str().unwrap();
    let path = format!("/channels/{id}");
    let mut expected = channel("sandbox-webhook");
    expected["id"] = json!(id);
    assert_eq!(made, expected);
    assert_eq!(world.get(&path).await, expected);
    let list = world.get("/channels?filter=routingOptions.id==200").await;
    assert_eq!(list["_embedded"]["channels"], json!([expected]));

    let new = json!({"name": "Small", "webHookId": "sandbox-webhook", "routingOptions": {"type": "queue", "id": "100"}});
    let replaced = world.call(Method::PUT, &path, &new, 200).await;
    let mut expected = new.clone();
    expected["id"] = json!(id);
    expected["type"] = json!("ChatAPI");
    assert_eq!(replaced, expected);

    let deleted = world.rest(Method::DELETE, &path, None).await;
    assert_eq!(deleted.status(), 204);
    for (method, body) in [
        (Method::GET, None),
        (Method::PUT, Some(&new)),
        (Method::DELETE, None),
    ] {
        let (status, body) = refusal(world.rest(method, &path, body).await).await;
        assert_eq!(status, 404);
        assert!(body["errors"][0].is_string(), "{body}");
    }
}

fn with(field: &str, value: Value) -> Value {
    let mut body = channel("sandbox-webhook");
    body[field] = value;
    body
}

#[rstest]
#[case(with("name", json!("")), "invalid_name", "name")]
#[case(with("name", json!("x".repeat(256))), "invalid_name", "name")]
#[case(with("type", json!("WhatsApp")), "invalid_channel_type", "type")]
#[case(with("webHookId", json!("none")), "invalid_webhook", "webHookId")]
#[case(with("routingOptions", json!({"type": "script", "id": "100"})), "invalid_routing_type", "routingOptions.type")]
#[case(with("routingOptions", json!({"id": "100"})), "invalid_routing_type", "routingOptions.type")]
#[case(with("routingOptions", json!({"type": "queue", "id": "112"})), "invalid_queue", "routingOptions.id")]
#[case(with("routingOptions", json!({"type": "queue"})), "invalid_queue", "routingOptions.id")]
#[case(json!({"name": "x", "webHookId": "sandbox-webhook"}), "missing_field", "routingOptions")]
#[tokio::test]
async fn creating_and_replacing_refuse_fields(#[case] body: Value, #[case] code: &str, #[case] field: &str) {
    let world = World::start().await;
    for (method, path) in [
        (Method::POST, "/channels"),
        (Method::PUT, "/channels/sandbox-chat"),
    ] {
        let (status, body) = refusal(world.rest(method, path, Some(&body)).await).await;
        assert_eq!(status, 400);
        assert_eq!(
            (&body["errors"][0]["code"], &body["validations"][0]["field"]),
            (&json!(code), &json!(field))
        );
    }
    assert_eq!(world.get("/channels").await["page"]["totalElements"], 2);
    assert_eq!(world.get("/channels/sandbox-chat").await["name"], "Sandbox chat");
}

#[tokio::test]
async fn the_widgets_channel_is_not_the_apis_to_change() {
    let world = World::start().await;
    for (method, body) in [
        (Method::PUT, Some(channel("sandbox-webhook"))),
        (Method::DELETE, None),
    ] {
        let answer = world
            .rest(method, "/channels/sandbox-widget", body.as_ref())
            .await;
        let (status, body) = refusal(answer).await;
        assert_eq!(
            (status, &body["errors"][0]["code"]),
            (400, &json!("invalid_channel_type"))
        );
    }
}

#[tokio::test]
async fn the_events_of_a_channel_go_to_its_own_webhook() {
    let world = World::start().await;
    let hook = world.hook(200).await;
    let webhook = webhook(&world, &hook.url).await;
    let made = world
        .call(Method::POST, "/channels", &channel(&webhook), 200)
        .await;
    let channel_id = made["id"].as_str().unwrap();
    let id = world.create(json!({"channelId": channel_id})).await;
    greets(&hook, &id).await;
    let gists = hook.gists();
    assert_eq!(gists[1], "active queue 200", "the channel says which queue");
    for delivery in hook.all() {
        world.verify(&delivery).await;
    }
    assert!(world.deliveries(&id).is_empty(), "and nowhere else");

    // In use, it stays.
    let refused = world
        .rest(Method::DELETE, &format!("/webhooks/{webhook}"), None)
        .await;
    let (status, body) = refusal(refused).await;
    assert_eq!(
        (status, &body["errors"][0]["code"]),
        (409, &json!("webhook_in_use"))
    );

    // Without its channel, a conversation is the sandbox's own.
    let deleted = world
        .rest(Method::DELETE, &format!("/channels/{channel_id}"), None)
        .await;
    assert_eq!(deleted.status(), 204);
    let deleted = world
        .rest(Method::DELETE, &format!("/webhooks/{webhook}"), None)
        .await;
    assert_eq!(deleted.status(), 204);
    world.send(&id, "bot", "Still here").await;
    world.expect(&id, 0, &["bot (echo): Still here"]).await;
    assert_eq!(hook.gists().len(), gists.len());
}

#[tokio::test]
async fn a_webhook_that_refuses_holds_back_no_other() {
    let world = World::start().await;
    let refusing = world.hook(500).await;
    let webhook = webhook(&world, &refusing.url).await;
    let made = world
        .call(Method::POST, "/channels", &channel(&webhook), 200)
        .await;
    let stuck = world.create(json!({"channelId": made["id"]})).await;
    refusing
        .until("a second attempt", |all| all.iter().any(|it| it.retry() == 1))
        .await;
    let free = world.create(json!({})).await;
    world
        .until("the other one goes on", |all| {
            all.iter()
                .any(|it| it.conversation() == Some(&free) && it.gist() == "typing []")
        })
        .await;
    assert!(refusing.all().iter().all(|it| it.conversation() == Some(&stuck)));
    assert!(refusing.gists().iter().all(|it| it == "created - -"));
}

#[tokio::test]
async fn nothing_is_sent_to_another_machine_that_only_the_api_named() {
    let world = World::start().await;
    let webhook = webhook(&world, "https://bridge.invalid/hook").await;
    let made = world
        .call(Method::POST, "/channels", &channel(&webhook), 200)
        .await;
    let id = world.create(json!({"channelId": made["id"]})).await;
    let path = format!("/deliveries?conversationId={id}");
    let log = world.control(Method::GET, &path, None, 200).await;
    let first = &log["deliveries"][0];
    assert_eq!(
        (&first["outcome"], &first["webhookId"]),
        (&json!("noWebhook"), &json!(webhook))
    );
}
