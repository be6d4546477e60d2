//! Full replaces and interactions.

use reqwest::Method;
use rstest::rstest;
use serde_json::{Value, json};

use super::{GREETED, api::refusal, greeted, world::World};

#[tokio::test]
async fn a_replace_leaves_nothing_of_the_old_customer_and_moves_the_conversation() {
    let world = World::start().await;
    let old = json!({"name": "Anna", "email": "a@example.com", "additionalProperties": [{"key": "k", "value": "v"}]});
    let id = world.create(json!({"user": old})).await;
    world.expect(&id, 0, &GREETED).await;
    let path = format!("/conversations/{id}");
    let user = json!({"name": "Ben", "phone": "+49 30 1"});
    let body =
        json!({"channelId": "sandbox-chat", "user": user, "assignment": {"type": "queue", "id": "200"}});
    let answer = world.call(Method::PUT, &path, &body, 202).await;
    let expected = json!({
        "id": id,
        "channelId": "sandbox-chat",
        "state": "active",
        "user": user,
        "assignment": {"type": "agent", "id": "maria"},
    });
    assert_eq!(answer, expected, "the assignment is still on its way");
    world
        .expect(
            &id,
            8,
            &[
                "active agent maria",
                "agent maria left",
                "active queue 200",
                "QUEUED 200 Returns",
                "active agent ivan",
                "agent ivan joined",
                "typing [\"ivan\"]",
                "ivan: Hello Ben…",
                "typing []",
            ],
        )
        .await;
    assert_eq!(world.deliveries(&id)[8].body["data"]["user"], user);

    let body = json!({"channelId": "sandbox-chat", "user": {}});
    let answer = world.call(Method::PUT, &path, &body, 202).await;
    assert_eq!(
        (&answer["user"], &answer["assignment"]["id"]),
        (&json!({}), &json!("ivan")),
        "without an assignment it stays where it is"
    );
}

#[rstest]
#[case(json!({"user": {}}), "missing_field", "channelId")]
#[case(json!({"channelId": "sandbox-chat"}), "missing_field", "user")]
#[case(json!({"channelId": "nowhere", "user": {}}), "invalid_channel", "channelId")]
#[case(json!({"channelId": "sandbox-widget", "user": {}}), "invalid_channel", "channelId")]
#[case(json!({"channelId": "sandbox-chat", "user": {"language": ""}}), "invalid_language", "user.language")]
#[case(json!({"channelId": "sandbox-chat", "user": {}, "assignment": {"id": "112"}}), "invalid_queue", "assignment.id")]
#[tokio::test]
async fn a_replace_refuses_fields(#[case] body: Value, #[case] code: &str, #[case] field: &str) {
    let world = World::start().await;
    let id = greeted(&world).await;
    let path = format!("/conversations/{id}");
    let (status, body) = refusal(world.rest(Method::PUT, &path, Some(&body)).await).await;
    assert_eq!(status, 400);
    assert_eq!(
        (&body["errors"][0]["code"], &body["validations"][0]["field"]),
        (&json!(code), &json!(field))
    );
    assert_eq!(world.get(&path).await["user"], json!({"name": "Anna"}));
}

#[tokio::test]
async fn a_replace_needs_a_conversation_and_no_other_fields() {
    let world = World::start().await;
    let body = json!({"channelId": "sandbox-chat", "user": {}});
    let answer = world.rest(Method::PUT, "/conversations/none", Some(&body)).await;
    let (status, body) = refusal(answer).await;
    assert_eq!(status, 404);
    assert!(body["errors"][0].is_string());
    let id = world.create(json!({})).await;
    let body = json!({"channelId": "sandbox-chat", "user": {}, "history": {"messages": []}});
    let answer = world
        .rest(Method::PUT, &format!("/conversations/{id}"), Some(&body))
        .await;
    let (status, body) = refusal(answer).await;
    assert_eq!(
        (status, &body["errors"][0]["code"]),
        (400, &json!("invalid_json_object"))
    );
}

#[tokio::test]
async fn an_interaction_begins_with_activity_and_ends_with_it() {
    let world = World::start().await;
    let id = greeted(&world).await;
    let path = format!("/conversations/{id}/interactions");
    let list = world.get(&path).await;
    let first = &list["_embedded"]["interactions"][0];
    assert!(first["id"].as_str().unwrap().starts_with("int-"), "{first}");
    let start: jiff::Timestamp = first["startTime"].as_str().unwrap().parse().unwrap();
    assert_eq!(first.get("endTime"), None, "it goes on");
    assert_eq!(list["page"]["totalElements"], 1);
    assert_eq!(list["_links"]["self"]["href"], format!("/chat-gateway/v1{path}"));

    for expected in [1, 2] {
        world.send(&id, "user", "bye").await;
        world
            .until("it is idle", |all| {
                all.iter().filter(|it| it.gist() == "idle - -").count() == expected
            })
            .await;
        let list = world.get(&path).await;
        let all = list["_embedded"]["interactions"].as_array().unwrap();
        assert_eq!(all.len(), expected);
        let ended = |it: &Value| {
            let end: jiff::Timestamp = it["endTime"].as_str().unwrap().parse().unwrap();
            end >= start
        };
        assert!(all.iter().all(ended), "{all:?}");
    }
    let answer = world
        .rest(Method::GET, "/conversations/none/interactions", None)
        .await;
    assert_eq!(refusal(answer).await.0, 404);
}

#[tokio::test]
async fn an_interaction_outlives_transfers() {
    let world = World::start().await;
    let id = greeted(&world).await;
    world
        .drive(&id, json!({"action": "transfer", "queueId": "200"}))
        .await;
    world
        .until("ivan joins", |all| {
            all.iter().any(|it| it.gist() == "agent ivan joined")
        })
        .await;
    let list = world.get(&format!("/conversations/{id}/interactions")).await;
    assert_eq!(list["page"]["totalElements"], 1);
}

#[tokio::test]
async fn every_path_takes_only_its_methods() {
    let world = World::start().await;
    let id = world.create(json!({})).await;
    let one = |below: &str| format!("/conversations/{id}{below}");
    for (method, path) in [
        (Method::PUT, one("/interactions")),
        (Method::GET, one("/post-agent-assignment")),
        (Method::GET, one("/thinking")),
        (Method::PUT, one("/read-receipt")),
        (Method::DELETE, one("/attachments")),
        (Method::PUT, one("/attachments/a")),
        (Method::POST, one("/attachments/a/content")),
        (Method::POST, one("/messages/m/cards")),
        (Method::PATCH, "/webhooks".to_owned()),
        (Method::GET, "/webhooks/verify".to_owned()),
        (Method::PATCH, "/webhooks/w".to_owned()),
        (Method::DELETE, "/channels".to_owned()),
        (Method::POST, "/channels/c".to_owned()),
    ] {
        let answer = world.rest(method.clone(), &path, None).await;
        let (status, body) = refusal(answer).await;
        assert_eq!(
            (status, &body["errors"][0]["code"]),
            (405, &json!("method_not_allowed")),
            "{method} {path}"
        );
    }
}
