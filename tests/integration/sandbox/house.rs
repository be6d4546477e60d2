//! What the contact centre is set up with, and what is asked of it while people work.

use chatbridge::sandbox::Pace;
use reqwest::Method;
use serde_json::{Value, json};

use super::{
    GREETED,
    agents::{set_up, sign_in, sit},
    greeted,
    world::World,
};

async fn available(world: &World, agent: &str, availability: &str) -> Value {
    let path = format!("/agents/{agent}/sign-in");
    let body = json!({"availability": availability});
    world.control(Method::POST, &path, Some(body), 200).await
}

#[tokio::test]
async fn who_is_on_a_break_or_offline_is_offered_nothing_until_they_are_back() {
    let world = World::start().await;
    for away in ["break", "offline"] {
        let maria = available(&world, "maria", away).await;
        assert_eq!(
            (&maria["availability"], &maria["takesOffers"]),
            (&json!(away), &json!(false))
        );
        let id = world.create(json!({})).await;
        world
            .seen(&id, "it waits", |it| it["assignment"]["id"] == "100")
            .await;
        assert_eq!(world.desk(&id).await["offer"], Value::Null, "{away}");
        available(&world, "maria", "available").await;
        let seen = world.desk(&id).await;
        assert_eq!(seen["offer"]["agentId"], "maria", "she is asked at once");
        sit(&world, "maria", &id, json!({"action": "accept"}), 202).await;
        sit(&world, "maria", &id, json!({"action": "wrapUp"}), 202).await;
    }
    let wrong = Some(json!({"availability": "asleep"}));
    world
        .control(Method::POST, "/agents/maria/sign-in", wrong, 422)
        .await;
}

#[tokio::test]
async fn what_nobody_writes_up_in_time_is_over_without_a_code() {
    let world = World::start().await;
    set_up(&world, json!({"wrapUpSeconds": 1})).await;
    sign_in(&world, "maria").await;
    let id = world.create(json!({})).await;
    world
        .seen(&id, "it is offered", |it| it["offer"]["agentId"] == "maria")
        .await;
    sit(&world, "maria", &id, json!({"action": "accept"}), 202).await;
    sit(&world, "maria", &id, json!({"action": "leave"}), 202).await;
    let seen = world.seen(&id, "it is over", |it| it["state"] == "idle").await;
    let written = &seen["transactions"][0];
    assert_eq!(
        (&written["agentId"], &written["code"]),
        (&json!("maria"), &Value::Null)
    );
    assert_eq!(seen["wrapUp"], Value::Null);
    let late = json!({"action": "wrapUp", "code": "resolved"});
    sit(&world, "maria", &id, late, 409).await;
}

#[tokio::test]
async fn prepared_responses_have_the_names_of_their_conversation() {
    let world = World::start().await;
    let responses =
        json!([{"id": "hello", "title": "Hello", "text": "{customer}, {agent}, {queue}, {other}"}]);
    set_up(&world, json!({"preparedResponses": responses})).await;
    sign_in(&world, "maria").await;
    let id = world.create(json!({"user": {"name": "{agent} Berg"}})).await;
    world
        .seen(&id, "it is offered", |it| it["offer"]["agentId"] == "maria")
        .await;
    sit(&world, "maria", &id, json!({"action": "accept"}), 202).await;
    let path = format!("/agents/maria/conversations/{id}/prepared-responses");
    let all = world.control(Method::GET, &path, None, 200).await;
    let all = all["preparedResponses"].as_array().unwrap();
    assert_eq!(all.len(), 1);
    // What a customer is called is no instruction.
    assert_eq!(
        (&all[0]["title"], &all[0]["text"]),
        (&json!("Hello"), &json!("{agent} Berg, Maria, Orders, {other}"))
    );
    let none = json!({"action": "say", "prepared": "none"});
    sit(&world, "maria", &id, none, 400).await;
    let both = json!({"action": "say", "prepared": "hello", "text": "Hello"});
    sit(&world, "maria", &id, both, 400).await;
}

#[tokio::test]
async fn the_set_up_is_shown_as_it_is_and_replaced_as_a_whole() {
    let world = World::start().await;
    let usual = world.control(Method::GET, "/setup", None, 200).await;
    assert_eq!(usual["queues"][0]["name"], "Orders");
    assert_eq!(usual["transactionCodes"].as_array().unwrap().len(), 4);
    let queues = json!([{"id": "7", "name": "Gardens", "skill": "roses"}]);
    let agents =
        json!([{"id": "kim", "name": "Kim", "skills": ["roses"], "languages": ["ko"], "capacity": 2}]);
    // Channels lead to queue 100 by default.
    let orders = json!({"id": "100", "name": "Orders", "skill": "orders"});
    let mut more = usual.clone();
    more["queues"] = json!([orders, queues[0]]);
    more["agents"] = agents.clone();
    set_up(&world, more).await;
    let shown = world.control(Method::GET, "/setup", None, 200).await;
    assert_eq!(shown["queues"][1]["name"], "Gardens");
    assert_eq!(
        (&shown["agents"][0]["languages"], &shown["agents"][0]["capacity"]),
        (&json!(["ko"]), &json!(2))
    );
    assert_eq!(shown["transactionCodes"], usual["transactionCodes"]);
    let id = world
        .create(json!({"assignment": {"type": "queue", "id": "7"}}))
        .await;
    world
        .seen(&id, "Kim has it, by the script", |it| it["agent"] == "kim")
        .await;
    let all = world.control(Method::GET, "/conversations", None, 200).await;
    assert_eq!(
        (
            &all["conversations"][0]["conversationId"],
            &all["conversations"][0]["agentId"]
        ),
        (&json!(id), &json!("kim"))
    );
}

#[tokio::test]
async fn what_the_bot_learns_while_the_customer_waits_is_seen_before_anybody_accepts() {
    let world = World::start().await;
    sign_in(&world, "maria").await;
    let id = world.create(json!({"user": {"name": "Anna"}})).await;
    world
        .seen(&id, "it is offered", |it| it["offer"]["agentId"] == "maria")
        .await;
    let context = json!([{"key": "orderId", "value": "4711"}]);
    let patch = json!({"user": {"email": "anna@example.com", "additionalProperties": context}});
    let path = format!("/conversations/{id}");
    world.call(Method::PATCH, &path, &patch, 202).await;
    let seen = world.desk(&id).await;
    assert_eq!(
        (&seen["user"]["email"], &seen["context"]),
        (&json!("anna@example.com"), &context)
    );
    assert_eq!(
        (&seen["customer"]["name"], &seen["offer"]["agentId"]),
        (&json!("Anna Berg"), &json!("maria"))
    );
}

/// What the agents say of five messages.
async fn words(seed: u64) -> Vec<String> {
    let world = World::start_seeded(Pace::instant(), seed, |_| 200).await;
    let id = greeted(&world).await;
    for n in 1..=5 {
        world.send(&id, "user", "Where is my parcel?").await;
        let came = GREETED.len() + 3 * n;
        world
            .until("the answer", |all| {
                let of_it = all.iter().filter(|it| it.conversation() == Some(id.as_str()));
                of_it.count() >= came
            })
            .await;
    }
    let all = world.deliveries(&id);
    let said = all.iter().map(|it| it.gist());
    said.filter(|it| it.starts_with("maria: ")).collect()
}

#[tokio::test]
async fn the_same_seed_chooses_the_same_words_and_others_choose_others() {
    let first = words(7).await;
    assert_eq!(first.len(), 6);
    assert_eq!(words(7).await, first);
    let mut others = Vec::new();
    for seed in 0..4 {
        others.push(words(seed).await);
    }
    assert!(others.iter().any(|it| *it != first), "{others:?}");
}
