//! What follows the agent.

use reqwest::Method;
use rstest::rstest;
use serde_json::{Value, json};

use super::{
    api::{is_reference, refusal},
    greeted,
    world::World,
};

async fn webhook(world: &World, uri: &str) -> String {
    let body = json!({"name": "Survey", "uri": uri, "notificationVersion": "Chat Gateway v1.0"});
    let made = world.call(Method::POST, "/webhooks", &body, 200).await;
    made["id"].as_str().unwrap().to_owned()
}

async fn assign(world: &World, conversation: &str, body: &Value) {
    let path = format!("/conversations/{conversation}/post-agent-assignment");
    world.call(Method::POST, &path, body, 201).await;
}

#[tokio::test]
async fn after_the_agent_the_bot_has_the_conversation_again() {
    let world = World::start().await;
    let id = greeted(&world).await;
    let body = json!({"type": "webhook", "id": "sandbox-webhook",
        "configuration": {"notifyChannelWebhookIfExists": "false", "maxTotalMinutes": "300", "userTimeoutInMinutes": 10}});
    assign(&world, &id, &body).await;
    let expected = |with_bot: bool| {
        json!({"type": "webhook", "id": "sandbox-webhook", "notifyChannelWebhookIfExists": false,
            "maxTotalMinutes": 300, "userTimeoutInMinutes": 10, "withBot": with_bot})
    };
    assert_eq!(world.desk(&id).await["postAgentAssignment"], expected(false));
    world.drive(&id, json!({"action": "leave"})).await;
    world.expect(&id, 8, &["agent maria left", "active - -"]).await;
    assert_eq!(world.desk(&id).await["postAgentAssignment"], expected(true));
    let shown = world.get(&format!("/conversations/{id}")).await;
    assert_eq!(
        (&shown["state"], shown.get("assignment")),
        (&json!("active"), None)
    );

    world.send(&id, "bot", "How was it?").await;
    world.send(&id, "user", "Fine, thanks").await;
    world.expect(&id, 10, &["bot (echo): How was it?"]).await;

    let patch = json!({"assignment": {"type": "queue", "id": "200"}});
    world
        .call(Method::PATCH, &format!("/conversations/{id}"), &patch, 202)
        .await;
    world
        .expect(
            &id,
            11,
            &[
                "active queue 200",
                "QUEUED 200 Returns",
                "active agent ivan",
                "agent ivan joined",
            ],
        )
        .await;
    let left = json!({"removed": true});
    let path = format!("/conversations/{id}/participants/user");
    world.call(Method::PATCH, &path, &left, 204).await;
    world
        .expect(&id, 15, &["user user left", "agent ivan left", "idle - -"])
        .await;
    assert_eq!(world.desk(&id).await["postAgentAssignment"], Value::Null);
}

#[rstest]
#[case("true", &["agent maria left", "active - -", "bot (echo): Hello again", "user user left", "idle - -"])]
#[case("false", &["agent maria left"])]
#[tokio::test]
async fn the_webhook_that_takes_over_hears_what_follows(#[case] notify: &str, #[case] channel: &[&str]) {
    let world = World::start().await;
    let hook = world.hook(200).await;
    let id = greeted(&world).await;
    let body = json!({"type": "webhook", "id": webhook(&world, &hook.url).await,
        "configuration": {"notifyChannelWebhookIfExists": notify}});
    assign(&world, &id, &body).await;
    world.drive(&id, json!({"action": "leave"})).await;
    hook.until("the hand-back", |all| all.len() == 1).await;
    world.send(&id, "bot", "Hello again").await;
    let left = json!({"removed": true});
    let path = format!("/conversations/{id}/participants/user");
    world.call(Method::PATCH, &path, &left, 204).await;
    hook.until("the end", |all| all.len() == 4).await;
    assert_eq!(
        hook.gists(),
        [
            "active - -",
            "bot (echo): Hello again",
            "user user left",
            "idle - -"
        ]
    );
    for delivery in hook.all() {
        world.verify(&delivery).await;
    }
    world.expect(&id, 8, channel).await;

    // Another interaction is the channel's own again.
    world.send(&id, "user", "Hello?").await;
    world
        .expect(
            &id,
            8 + channel.len(),
            &[
                "active queue 100",
                "QUEUED 100 Orders",
                "user user joined",
                "active agent maria",
                "agent maria joined",
            ],
        )
        .await;
    assert_eq!(hook.all().len(), 4);
}

#[tokio::test]
async fn a_message_to_an_agent_who_is_leaving_is_the_bots() {
    let world = World::start_with("0.1".parse().unwrap(), |_| 200).await;
    let id = greeted(&world).await;
    assign(&world, &id, &json!({"type": "webhook", "id": "sandbox-webhook"})).await;
    world.send(&id, "user", "bye").await;
    world
        .until("maria leaves", |all| {
            all.iter().any(|it| it.gist() == "agent maria left")
        })
        .await;
    world.send(&id, "user", "One more thing").await;
    world
        .until("the hand-back", |all| {
            all.iter().any(|it| it.gist() == "active - -")
        })
        .await;
    world.send(&id, "bot", "I am listening").await;
    world
        .until("the bot's answer", |all| {
            all.iter().any(|it| it.gist() == "bot (echo): I am listening")
        })
        .await;
    let last = world
        .deliveries(&id)
        .iter()
        .rev()
        .take(2)
        .map(|it| it.gist())
        .collect::<Vec<_>>();
    assert_eq!(last, ["bot (echo): I am listening", "active - -"]);
}

fn with(configuration: Value) -> Value {
    json!({"type": "webhook", "id": "sandbox-webhook", "configuration": configuration})
}

#[rstest]
#[case(json!({"id": "sandbox-webhook"}), "invalid_parameter")]
#[case(json!({"type": "queue", "id": "100"}), "invalid_parameter")]
#[case(json!({"type": "webhook"}), "invalid_parameter")]
#[case(json!({"type": "webhook", "id": "none"}), "invalid_parameter")]
#[case(with(json!({"maxTotalMinutes": 19})), "invalid_parameter")]
#[case(with(json!({"maxTotalMinutes": "601"})), "invalid_parameter")]
#[case(with(json!({"userTimeoutInMinutes": 9})), "invalid_parameter")]
#[case(with(json!({"userTimeoutInMinutes": "301"})), "invalid_parameter")]
#[case(with(json!({"notifyChannelWebhookIfExists": "yes"})), "invalid_parameter")]
#[case(with(json!({"notifyChannelWebhookIfExists": true})), "invalid_json_object")]
#[case(with(json!({"maxTotalMinutes": "1e2"})), "invalid_json_object")]
#[case(with(json!({"maxTotalMinutes": ""})), "invalid_json_object")]
#[case(with(json!({"maxTotalMinutes": 20.5})), "invalid_json_object")]
#[case(with(json!({"maxTotalMinutes": null})), "invalid_json_object")]
#[case(with(json!({"minutes": 20})), "invalid_json_object")]
#[tokio::test]
async fn what_is_asked_for_is_checked(#[case] body: Value, #[case] code: &str) {
    let world = World::start().await;
    let id = world.create(json!({})).await;
    let path = format!("/conversations/{id}/post-agent-assignment");
    let (status, body) = refusal(world.rest(Method::POST, &path, Some(&body)).await).await;
    assert_eq!((status, &body["errors"][0]["code"]), (400, &json!(code)));
    assert!(is_reference(&body["referenceId"]));
    assert_eq!(world.desk(&id).await["postAgentAssignment"], Value::Null);
}

#[tokio::test]
async fn it_needs_a_conversation_and_takes_the_limits() {
    let world = World::start().await;
    let body = with(json!({"maxTotalMinutes": 20, "userTimeoutInMinutes": "300"}));
    let answer = world
        .rest(
            Method::POST,
            "/conversations/none/post-agent-assignment",
            Some(&body),
        )
        .await;
    let (status, answer) = refusal(answer).await;
    assert_eq!(
        (status, &answer["errors"][0]["code"]),
        (404, &json!("resource_not_found"))
    );
    let id = world.create(json!({})).await;
    assign(&world, &id, &body).await;
    let body = with(json!({"maxTotalMinutes": "600", "userTimeoutInMinutes": 10}));
    assign(&world, &id, &body).await;
    assert_eq!(
        world.desk(&id).await["postAgentAssignment"]["maxTotalMinutes"],
        600,
        "the later one holds"
    );
}
