//! Webhooks on a bad day.

use std::collections::HashSet;

use reqwest::Method;
use serde_json::{Value, json};

use super::{
    GREETED,
    hook::{Delivery, in_turn},
    world::World,
};

#[tokio::test]
async fn the_webhook_is_verified_at_the_start_and_whenever_it_is_set() {
    let world = World::start().await;
    world.until("a verification", |all| all.len() == 1).await;
    let first = world.all().remove(0);
    assert_eq!(
        first.body,
        json!({"eventType": "WEB_HOOK_VERIFY", "notificationVersion": "Chat Gateway v1.0"})
    );
    world.verify(&first).await;
    world
        .control(Method::PUT, "/webhook", Some(json!({"url": world.webhook})), 204)
        .await;
    world.until("another one", |all| all.len() == 2).await;
    for wrong in [json!({"url": "ftp://127.0.0.1/"}), json!({"url": "nowhere"})] {
        world.control(Method::PUT, "/webhook", Some(wrong), 400).await;
    }
}

#[tokio::test]
async fn an_event_is_repeated_until_2xx_and_holds_back_those_behind_it() {
    let world = World::start().await;
    world.until("the verification", |all| all.len() == 1).await;
    world.answer_with(in_turn(&[500, 302, 404, 204]));
    let id = world.create(json!({})).await;
    world
        .until("the greeting", |all| {
            all.iter().any(|it| it.gist() == "typing []")
        })
        .await;
    let got = world.deliveries(&id);
    for delivery in &got {
        world.verify(delivery).await;
    }
    let first: Vec<&Delivery> = got
        .iter()
        .take_while(|it| it.event_id() == got[0].event_id())
        .collect();
    let retries: Vec<u32> = first.iter().map(|it| it.retry()).collect();
    assert_eq!(retries, [0, 1, 2, 3]);
    let sent: HashSet<&str> = first
        .iter()
        .map(|it| it.header("x-8x8-transmission-time"))
        .collect();
    assert_eq!(sent.len(), 4, "each attempt has its own transmission time");
    assert!(first.iter().all(|it| it.raw == first[0].raw));
    let rest: HashSet<&str> = got[4..].iter().map(|it| it.event_id()).collect();
    assert_eq!(rest.len(), 7, "the others came once each, after it");

    let log = world
        .control(
            Method::GET,
            &format!("/deliveries?conversationId={id}"),
            None,
            200,
        )
        .await;
    let record = log["deliveries"]
        .as_array()
        .unwrap()
        .iter()
        .find(|it| it["direction"] == "out")
        .unwrap();
    let of = |name: &str| record[name].clone();
    assert_eq!(
        (
            of("eventId"),
            of("eventType"),
            of("outcome"),
            of("status"),
            of("retries")
        ),
        (
            json!(got[0].event_id()),
            json!("CONVERSATION_UPDATE"),
            json!("delivered"),
            json!(204),
            json!(3)
        )
    );
    assert!(of("durationMs").as_f64().unwrap() > 0.0);
}

#[tokio::test]
async fn one_conversation_does_not_hold_back_another() {
    let world = World::start().await;
    let stuck = world.create(json!({"user": {"company": "Stuck"}})).await;
    let id = stuck.clone();
    world.answer_with(move |it| if it.conversation() == Some(&id) { 500 } else { 200 });
    let free = world.create(json!({"user": {}})).await;
    let greets = |it: &Delivery| it.conversation() == Some(&free) && it.gist() == "typing []";
    world
        .until("the other one goes on", |all| all.iter().any(greets))
        .await;
}

#[tokio::test]
async fn many_conversations_at_once_are_each_in_order() {
    let world = World::start().await;
    world.answer_with(in_turn(&[500; 30]));
    let mut all = Vec::new();
    for _ in 0..60 {
        all.push(world.create(json!({"user": {"name": "Anna"}})).await);
    }
    let done = |all: &[Delivery]| {
        all.iter()
            .filter(|it| it.gist() == "typing []" && it.answer == 200)
            .count()
    };
    world.until("sixty greetings", |got| done(got) == 60).await;
    for id in all {
        let got = world.deliveries(&id);
        let taken: Vec<String> = got
            .iter()
            .filter(|it| it.answer == 200)
            .map(Delivery::gist)
            .collect();
        assert_eq!(taken.len(), GREETED.len());
        assert!(
            taken
                .iter()
                .zip(GREETED)
                .all(|(got, wanted)| got.starts_with(wanted.trim_end_matches('…'))),
            "{taken:#?}"
        );
    }
}

#[tokio::test]
async fn an_event_can_be_delivered_again() {
    let world = World::start().await;
    let id = world.create(json!({})).await;
    world
        .until("the greeting", |all| {
            all.iter().any(|it| it.gist() == "typing []")
        })
        .await;
    let first = world.deliveries(&id).remove(2);
    world
        .control(
            Method::POST,
            &format!("/deliveries/{}/redeliver", first.event_id()),
            None,
            202,
        )
        .await;
    world
        .until("a repeat", |all| all.iter().any(|it| it.retry() == 1))
        .await;
    let again = world.deliveries(&id).pop().unwrap();
    world.verify(&again).await;
    assert_eq!((again.event_id(), &again.raw), (first.event_id(), &first.raw));
    world
        .control(Method::POST, "/deliveries/none/redeliver", None, 404)
        .await;
}

#[tokio::test]
async fn without_a_webhook_events_are_only_logged() {
    let world = World::start().await;
    world
        .control(Method::PUT, "/webhook", Some(json!({"url": null})), 204)
        .await;
    let id = world.create(json!({})).await;
    let log = world
        .control(
            Method::GET,
            &format!("/deliveries?conversationId={id}"),
            None,
            200,
        )
        .await;
    let created: &Value = &log["deliveries"][0];
    assert_eq!(
        (&created["outcome"], &created["eventType"]),
        (&json!("noWebhook"), &json!("CONVERSATION_UPDATE"))
    );
    assert!(world.deliveries(&id).is_empty());
}

#[tokio::test]
async fn calls_are_in_the_log_too() {
    let world = World::start().await;
    let id = world.create(json!({})).await;
    world.send(&id, "bot", "Hello").await;
    let log = world
        .control(
            Method::GET,
            &format!("/deliveries?conversationId={id}"),
            None,
            200,
        )
        .await;
    let calls: Vec<&Value> = log["deliveries"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|it| it["direction"] == "in")
        .collect();
    assert_eq!(calls.len(), 1);
    assert_eq!(
        (&calls[0]["method"], &calls[0]["status"]),
        (&json!("POST"), &json!(202))
    );
    assert_eq!(
        calls[0]["path"],
        format!("/chat-gateway/v1/conversations/{id}/messages")
    );
    assert!(!log.to_string().contains("Hello"), "the log holds no content");
}
