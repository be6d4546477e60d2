//! Thinking and read receipts.

use reqwest::Method;
use rstest::rstest;
use serde_json::{Value, json};

use super::{
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
