//! The sandbox over real HTTP.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::needless_pass_by_value,
    reason = "helpers of tests are tests"
)]

mod after_agent;
mod agents;
mod api;
mod attachments;
mod cards;
mod changes;
mod channels;
mod commands;
mod delivery;
mod feed;
mod hook;
mod house;
mod indicators;
mod pages;
mod shapes;
mod state;
mod survival;
mod translations;
mod uploads;
mod webhooks;
mod world;

use chatbridge::sandbox::{Pace, Sandbox, SandboxError, SandboxSettings, serve};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::{
    io::AsyncWriteExt as _,
    net::{TcpListener, TcpStream},
};
use tokio_util::sync::CancellationToken;

use self::world::World;

/// What happens until Maria has greeted Anna.
const GREETED: [&str; 8] = [
    "created - -",
    "active queue 100",
    "QUEUED 100 Orders",
    "active agent maria",
    "agent maria joined",
    "typing [\"maria\"]",
    "maria: Hello Anna, this is Maria from Orders. …",
    "typing []",
];

/// What happens from a goodbye on.
const GOODBYE: [&str; 5] = [
    "typing [\"maria\"]",
    "maria: You are welcome. Goodbye!",
    "typing []",
    "agent maria left",
    "idle - -",
];

async fn greeted(world: &World) -> String {
    let id = world.create(json!({})).await;
    world.expect(&id, 0, &GREETED).await;
    id
}

#[tokio::test]
async fn a_conversation_from_beginning_to_end() {
    let world = World::start().await;
    let user = json!({"name": "Anna", "email": "anna@example.com", "language": "zh-CN",
        "additionalProperties": [{"key": "orderId", "value": "4711"}]});
    let history =
        json!([{"authorType": "user", "text": "Where is it?"}, {"authorType": "bot", "text": "I will ask."}]);
    let id = world
        .create(json!({"user": user, "history": {"messages": history}}))
        .await;
    world.expect(&id, 0, &GREETED).await;
    let greeting = world.deliveries(&id)[6].gist();
    assert!(greeting.contains("order 4711"), "{greeting}");

    world.send(&id, "user", "Is it blue?").await;
    world
        .expect(&id, 8, &["typing [\"maria\"]", "maria: …", "typing []"])
        .await;
    assert!(world.deliveries(&id)[9].gist().contains("“Is it blue?”"));
    world.send(&id, "bot", "I am here too.").await;
    world.expect(&id, 11, &["bot (echo): I am here too."]).await;
    world.send(&id, "user", "OK, thanks!").await;
    world.expect(&id, 12, &GOODBYE).await;

    let mut ids = std::collections::HashSet::new();
    let mut last = 0;
    for delivery in world.deliveries(&id) {
        world.verify(&delivery).await;
        assert!(
            ids.insert(delivery.event_id().to_owned()),
            "an event id came twice"
        );
        assert_eq!(delivery.retry(), 0);
        let at = delivery.body["timestamp"].as_i64().unwrap();
        assert!(at >= last, "time ran backwards");
        last = at;
    }
    let first = &world.deliveries(&id)[0].body["data"];
    assert_eq!((&first["user"], &first["channel"]), (&user, &json!("ChatAPI")));

    let seen = world
        .control(Method::GET, &format!("/conversations/{id}"), None, 200)
        .await;
    assert_eq!(seen["context"], user["additionalProperties"]);
    assert_eq!(seen["state"], "idle");
    let line = |n: usize| {
        let it = &seen["transcript"][n];
        (
            it["authorType"].as_str().unwrap(),
            it["text"].as_str().unwrap(),
            it["history"].as_bool().unwrap(),
        )
    };
    assert_eq!(line(0), ("user", "Where is it?", true));
    assert_eq!(line(1), ("bot", "I will ask.", true));
    assert_eq!(line(3), ("user", "Is it blue?", false));
    assert_eq!(seen["transcript"].as_array().unwrap().len(), 8);
}

#[tokio::test]
async fn what_the_customer_says_before_somebody_joins_is_answered_after_the_greeting() {
    let world = World::start_with("0.1".parse().unwrap(), |_| 200).await;
    let id = world.create(json!({})).await;
    world.send(&id, "user", "First").await;
    world.send(&id, "user", "Second").await;
    let answer = ["typing [\"maria\"]", "maria: …", "typing []"];
    world
        .expect(&id, 0, &[&GREETED[..], &answer, &answer].concat())
        .await;
    assert!(world.deliveries(&id)[9].gist().contains("“First”"));
    assert!(world.deliveries(&id)[12].gist().contains("“Second”"));
}

#[tokio::test]
async fn a_return_is_passed_on_to_ivan() {
    let world = World::start().await;
    let id = greeted(&world).await;
    world.send(&id, "user", "I want to return it").await;
    world
        .expect(
            &id,
            8,
            &[
                "typing [\"maria\"]",
                "maria: A colleague knows more about that than I do. I am passing you on.",
                "typing []",
                "TRANSFER",
                "agent maria left",
                "active queue 200",
                "QUEUED 200 Returns",
                "active agent ivan",
                "agent ivan joined",
                "typing [\"ivan\"]",
                "ivan: Hello Anna, this is Ivan from Returns. …",
                "typing []",
            ],
        )
        .await;
    assert_eq!(
        world.get(&format!("/conversations/{id}")).await["assignment"],
        json!({"type": "agent", "id": "ivan"})
    );
}

#[tokio::test]
async fn a_message_to_an_idle_conversation_queues_it_where_it_was_last() {
    let world = World::start().await;
    let id = world
        .create(json!({"assignment": {"type": "queue", "id": "200"}}))
        .await;
    world
        .until("ivan greets", |all| all.iter().any(|it| it.gist() == "typing []"))
        .await;
    world.send(&id, "user", "bye").await;
    world.expect(&id, 12, &["idle - -"]).await;

    world.send(&id, "bot", "One more thing").await;
    let again = [
        "active queue 200",
        "QUEUED 200 Returns",
        "bot (echo): One more thing",
        "active agent ivan",
    ];
    world
        .expect(
            &id,
            13,
            &[
                &again[..],
                &[
                    "agent ivan joined",
                    "typing [\"ivan\"]",
                    "ivan: Hello…",
                    "typing []",
                ],
            ]
            .concat(),
        )
        .await;
}

#[tokio::test]
async fn the_customer_leaves_and_comes_back() {
    let world = World::start().await;
    let id = greeted(&world).await;
    let path = format!("/conversations/{id}/participants/user");
    for _ in 0..2 {
        let answer = world
            .rest(Method::PATCH, &path, Some(&json!({"removed": true})))
            .await;
        assert_eq!(answer.status(), 204);
    }
    world
        .expect(&id, 8, &["user user left", "agent maria left", "idle - -"])
        .await;
    let people = world.get(&format!("/conversations/{id}/participants")).await;
    let gone: Vec<&Value> = people["_embedded"]["participants"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["removed"])
        .collect();
    assert_eq!(gone, [true, true]);

    world.send(&id, "user", "Hello?").await;
    world
        .expect(
            &id,
            11,
            &[
                "active queue 100",
                "QUEUED 100 Orders",
                "user user joined",
                "active agent maria",
                "agent maria joined",
                "typing [\"maria\"]",
                "maria: Hello Anna…",
                "typing []",
                "typing [\"maria\"]",
                "maria: …",
                "typing []",
            ],
        )
        .await;
}

#[tokio::test]
async fn a_patch_merges_the_user_and_moves_the_conversation() {
    let world = World::start().await;
    let id = greeted(&world).await;
    let path = format!("/conversations/{id}");
    let patch = json!({"user": {"email": "a@example.com", "name": ""}, "assignment": {"id": "200"}});
    let answer = world.rest(Method::PATCH, &path, Some(&patch)).await;
    assert_eq!(answer.status(), 202);
    let answer: Value = answer.json().await.unwrap();
    assert_eq!(answer["user"], json!({"email": "a@example.com"}));
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
                "ivan: Hello there…",
                "typing []",
            ],
        )
        .await;
    let patch = json!({"assignment": {"type": "script", "id": "bot"}});
    assert_eq!(world.rest(Method::PATCH, &path, Some(&patch)).await.status(), 202);
    world
        .expect(&id, 17, &["agent ivan left", "active script bot"])
        .await;
}

#[tokio::test]
async fn a_conversation_of_the_widget_stays_with_the_bot_until_it_is_assigned() {
    let world = World::start().await;
    let begun = world
        .control(
            Method::POST,
            "/widget/conversations",
            Some(json!({"user": {"name": "Ben"}, "text": "Hi"})),
            201,
        )
        .await;
    let id = begun["conversationId"].as_str().unwrap();
    world
        .expect(
            id,
            0,
            &["created - -", "active script bot", "user user joined", "user: Hi"],
        )
        .await;
    assert_eq!(world.deliveries(id)[1].body["data"]["channel"], "WebChat");
    world.send(id, "bot", "Hello Ben").await;
    world
        .control(
            Method::POST,
            &format!("/widget/conversations/{id}/messages"),
            Some(json!({"text": "A person, please"})),
            202,
        )
        .await;
    world
        .expect(id, 4, &["bot (echo): Hello Ben", "user: A person, please"])
        .await;

    let patch = json!({"assignment": {"type": "queue", "id": "100"}});
    world
        .rest(Method::PATCH, &format!("/conversations/{id}"), Some(&patch))
        .await;
    world
        .expect(
            id,
            6,
            &[
                "active queue 100",
                "QUEUED 100 Orders",
                "active agent maria",
                "agent maria joined",
                "typing [\"maria\"]",
                "maria: Hello Ben…",
                "typing []",
            ],
        )
        .await;
    world
        .control(
            Method::POST,
            &format!("/widget/conversations/{id}/leave"),
            None,
            202,
        )
        .await;
    world
        .expect(id, 13, &["user user left", "agent maria left", "idle - -"])
        .await;
}

#[tokio::test]
async fn an_agent_can_be_driven_by_hand() {
    let world = World::start().await;
    let id = greeted(&world).await;
    let agent = format!("/conversations/{id}/agent");
    let drive = |action: Value, status| world.control(Method::POST, &agent, Some(action), status);
    drive(json!({"action": "typing"}), 202).await;
    drive(json!({"action": "say", "text": "By hand"}), 202).await;
    world
        .expect(&id, 8, &["typing [\"maria\"]", "maria: By hand", "typing []"])
        .await;
    world.send(&id, "user", "thanks, bye").await;
    drive(json!({"action": "transfer", "queueId": "200"}), 202).await;
    world
        .expect(
            &id,
            11,
            &[
                "TRANSFER",
                "agent maria left",
                "active queue 200",
                "QUEUED 200 Returns",
                "active agent ivan",
                "agent ivan joined",
            ],
        )
        .await;
    drive(json!({"action": "leave"}), 202).await;
    world.expect(&id, 17, &["agent ivan left", "idle - -"]).await;

    drive(json!({"action": "say", "text": "Too late"}), 409).await;
    drive(json!({"action": "transfer", "queueId": "300"}), 400).await;
    drive(json!({"action": "dance"}), 422).await;
    world
        .control(
            Method::POST,
            "/conversations/none/agent",
            Some(json!({"action": "leave"})),
            404,
        )
        .await;
    world
        .control(
            Method::POST,
            &format!("/widget/conversations/{id}/leave"),
            None,
            409,
        )
        .await;
}

#[tokio::test]
async fn the_agent_sees_who_types() {
    let world = World::start().await;
    let id = world.create(json!({})).await;
    let answer = world
        .rest(
            Method::POST,
            &format!("/conversations/{id}/typing"),
            Some(&json!({"authorType": "bot"})),
        )
        .await;
    assert_eq!(answer.status(), 204);
    let seen = world
        .control(Method::GET, &format!("/conversations/{id}"), None, 200)
        .await;
    assert_eq!(seen["typing"]["authorType"], "bot");
}

#[tokio::test]
async fn it_serves_on_loopback_only() {
    let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let refused = serve(SandboxSettings::default(), listener, CancellationToken::new())
        .await
        .unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::InvalidInput);
    assert!(refused.to_string().contains("loopback"), "{refused}");
}

#[tokio::test]
async fn a_stop_does_not_wait_for_agents_or_retries() {
    let mut world = World::start_with(Pace::scaled(100.0).unwrap(), |_| 503).await;
    let id = world.create(json!({})).await;
    world
        .until("a refused delivery", |all| {
            all.iter().any(|it| it.conversation() == Some(&id))
        })
        .await;
    world.stop.cancel();
    let served = tokio::time::timeout(std::time::Duration::from_secs(10), world.served.take().unwrap());
    served.await.expect("it stops in time").unwrap().unwrap();
}

#[tokio::test]
async fn a_stop_does_not_wait_for_an_upload_that_stands_still() {
    let mut world = World::start().await;
    let id = world.create(json!({})).await;
    let mut stuck = TcpStream::connect(world.base.trim_start_matches("http://"))
        .await
        .unwrap();
    let half = format!(
        "POST /chat-gateway/v1/conversations/{id}/attachments HTTP/1.1\r\nhost: localhost\r\nx-api-key: sandbox-key\r\n\
         content-type: multipart/form-data; boundary=b\r\ncontent-length: 1000\r\n\r\n--b\r\n"
    );
    stuck.write_all(half.as_bytes()).await.unwrap();
    world.get(&format!("/conversations/{id}")).await;
    world.stop.cancel();
    let served = tokio::time::timeout(std::time::Duration::from_secs(10), world.served.take().unwrap());
    served.await.expect("it stops in time").unwrap().unwrap();
}

#[test]
fn it_needs_a_runtime() {
    let made = Sandbox::new(SandboxSettings::default());
    assert!(matches!(made, Err(SandboxError::NoRuntime)));
}

#[tokio::test]
async fn it_refuses_a_webhook_that_cannot_be_posted_to() {
    let settings = SandboxSettings {
        webhook: Some("file:///secret".parse().unwrap()),
        ..SandboxSettings::default()
    };
    let refused = Sandbox::new(settings).map(drop).unwrap_err().to_string();
    assert!(
        refused.contains("http://") && !refused.contains("secret"),
        "{refused}"
    );
}
