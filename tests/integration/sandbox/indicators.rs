//! Thinking and read receipts.

use reqwest::Method;
use rstest::rstest;
use serde_json::{Value, json};

use super::{
    agents::{set_up, sign_in, sit},
    api::{is_reference, refusal},
    world::World,
};

#[tokio::test]
async fn the_agent_sees_that_the_bot_thinks_until_it_answers() {
    let world = World::start().await;
    let id = world
        .create(json!({"assignment": {"type": "script", "id": "bot"}}))
        .await;
    let path = format!("/conversations/{id}/thinking");
    let answer = world.rest(Method::POST, &path, None).await;
    assert_eq!(
        (answer.status().as_u16(), answer.text().await.unwrap().as_str()),
        (204, "")
    );
    let seen = |desk: Value| {
        let it = desk["thinking"].clone();
        (it["authorType"].clone(), it["maxThinkingTimeSeconds"].clone())
    };
    assert_eq!(seen(world.desk(&id).await), (json!("bot"), json!(60)));
    for (body, seconds) in [
        (json!({}), 60),
        (json!({"authorType": "bot"}), 60),
        (json!({"maxThinkingTimeSeconds": 1}), 1),
        (json!({"authorType": "bot", "maxThinkingTimeSeconds": 600}), 600),
    ] {
        world.call(Method::POST, &path, &body, 204).await;
        assert_eq!(seen(world.desk(&id).await), (json!("bot"), json!(seconds)));
    }
    world.send(&id, "bot", "Here it is").await;
    assert_eq!(world.desk(&id).await["thinking"], Value::Null);
    world
        .expect(
            &id,
            0,
            &["created - -", "active script bot", "bot (echo): Here it is"],
        )
        .await;
}

#[tokio::test]
async fn the_agent_sees_who_has_read_what() {
    let world = World::start().await;
    let id = world.create(json!({})).await;
    let path = format!("/conversations/{id}/read-receipt");
    for (author, at) in [("user", 1_770_200_431_963_i64), ("bot", 5), ("user", 7)] {
        let body = json!({"authorType": author, "readAt": at});
        world.call(Method::POST, &path, &body, 204).await;
    }
    let desk = world.desk(&id).await;
    let seen: Vec<(&Value, &Value)> = desk["readReceipts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (&it["authorType"], &it["readAt"]))
        .collect();
    assert_eq!(seen, [(&json!("bot"), &json!(5)), (&json!("user"), &json!(7))]);
}

#[rstest]
#[case("thinking", json!({"authorType": "user"}))]
#[case("thinking", json!({"maxThinkingTimeSeconds": 0}))]
#[case("thinking", json!({"maxThinkingTimeSeconds": 601}))]
#[case("thinking", json!({"maxThinkingTimeSeconds": -5}))]
#[case("read-receipt", json!({"readAt": 1}))]
#[case("read-receipt", json!({"authorType": "agent", "readAt": 1}))]
#[case("read-receipt", json!({"authorType": "bot"}))]
#[case("read-receipt", json!({"authorType": "bot", "readAt": -1}))]
#[tokio::test]
async fn indicators_refuse_in_their_own_shape(#[case] indicator: &str, #[case] body: Value) {
    let world = World::start().await;
    let id = world.create(json!({})).await;
    let path = format!("/conversations/{id}/{indicator}");
    let (status, body) = refusal(world.rest(Method::POST, &path, Some(&body)).await).await;
    assert_eq!(
        (status, &body["errors"][0]["code"]),
        (400, &json!("invalid_parameter"))
    );
    assert!(is_reference(&body["referenceId"]));
}

#[rstest]
#[case("thinking", json!({"maxThinkingTimeSeconds": "60"}))]
#[case("thinking", json!({"maxThinkingTimeSeconds": 1.5}))]
#[case("thinking", json!({"authorType": null}))]
#[case("thinking", json!([]))]
#[case("read-receipt", json!({"authorType": "bot", "readAt": "5"}))]
#[case("read-receipt", json!({"authorType": "bot", "readAt": 5, "x": 1}))]
#[tokio::test]
async fn what_is_not_of_its_type_cannot_be_read(#[case] indicator: &str, #[case] body: Value) {
    let world = World::start().await;
    let id = world.create(json!({})).await;
    let path = format!("/conversations/{id}/{indicator}");
    let (status, body) = refusal(world.rest(Method::POST, &path, Some(&body)).await).await;
    assert_eq!(
        (status, &body["errors"][0]["code"]),
        (400, &json!("invalid_json_object"))
    );
}

#[tokio::test]
async fn indicators_need_a_conversation_and_customers_of_the_widget_speak_for_themselves() {
    let world = World::start().await;
    for (indicator, body) in [
        ("thinking", json!({})),
        ("read-receipt", json!({"authorType": "bot", "readAt": 1})),
    ] {
        let path = format!("/conversations/none/{indicator}");
        let (status, body) = refusal(world.rest(Method::POST, &path, Some(&body)).await).await;
        assert_eq!(
            (status, &body["errors"][0]["code"]),
            (404, &json!("resource_not_found"))
        );
    }
    let begun = world
        .control(
            Method::POST,
            "/widget/conversations",
            Some(json!({"text": "Hi"})),
            201,
        )
        .await;
    let path = format!(
        "/conversations/{}/read-receipt",
        begun["conversationId"].as_str().unwrap()
    );
    let body = json!({"authorType": "user", "readAt": 1});
    let (status, _) = refusal(world.rest(Method::POST, &path, Some(&body)).await).await;
    assert_eq!(status, 400);
    let body = json!({"authorType": "bot", "readAt": 1});
    world.call(Method::POST, &path, &body, 204).await;
}

#[tokio::test]
async fn the_widget_and_a_person_at_the_desk_show_that_they_have_read() {
    let world = World::start().await;
    let ann = json!({"id": "ann", "name": "Ann", "skills": ["orders"], "behaviour": "absent"});
    set_up(&world, json!({"agents": [ann]})).await;
    sign_in(&world, "ann").await;
    let begun = json!({"text": "Hi"});
    let begun = world
        .control(Method::POST, "/widget/conversations", Some(begun), 201)
        .await;
    let id = begun["conversationId"].as_str().unwrap();
    let read = json!({"action": "read"});
    sit(&world, "ann", id, read.clone(), 409).await;
    let patch = json!({"assignment": {"type": "queue", "id": "100"}});
    world
        .call(Method::PATCH, &format!("/conversations/{id}"), &patch, 202)
        .await;
    world
        .seen(id, "it is offered", |it| it["offer"]["agentId"] == "ann")
        .await;
    sit(&world, "ann", id, json!({"action": "accept"}), 202).await;
    let events = [
        "created - -",
        "active script bot",
        "user user joined",
        "user: Hi",
        "active queue 100",
        "QUEUED 100 Orders",
        "active agent ann",
        "agent ann joined",
    ];
    world.expect(id, 0, &events).await;
    sit(&world, "ann", id, read, 202).await;
    let path = format!("/widget/conversations/{id}/read");
    world.control(Method::POST, &path, None, 202).await;
    let seen = world.desk(id).await;
    let shown = seen["readReceipts"].as_array().unwrap();
    let who: Vec<&Value> = shown.iter().map(|it| &it["authorType"]).collect();
    assert_eq!(who, ["agent", "user"]);
    assert!(
        shown
            .iter()
            .all(|it| it["readAt"].as_i64() > Some(1_700_000_000_000))
    );
    // No event tells of it: the next one is of what is said.
    sit(&world, "ann", id, json!({"action": "say", "text": "Hello"}), 202).await;
    world.expect(id, 8, &["ann: Hello"]).await;

    let api = world.create(json!({})).await;
    let path = format!("/widget/conversations/{api}/read");
    world.control(Method::POST, &path, None, 409).await;
}
