//! People who are agents: offers, what they do in a conversation, and how they end it.

use reqwest::Method;
use serde_json::{Value, json};

use super::{GREETED, greeted, world::World};

/// What Maria or Ivan does once somebody is signed in.
pub(super) async fn sit(world: &World, agent: &str, conversation: &str, action: Value, status: u16) -> Value {
    let path = format!("/agents/{agent}/conversations/{conversation}");
    world.control(Method::POST, &path, Some(action), status).await
}

pub(super) async fn sign_in(world: &World, agent: &str) {
    let path = format!("/agents/{agent}/sign-in");
    world.control(Method::POST, &path, Some(json!({})), 200).await;
}

pub(super) async fn set_up(world: &World, setup: Value) {
    world.control(Method::PUT, "/setup", Some(setup), 204).await;
}

fn agent(id: &str, skill: &str) -> Value {
    json!({"id": id, "name": id, "skills": [skill], "languages": ["en"], "behaviour": "absent"})
}

/// Whom a conversation is offered to.
async fn offered_to(world: &World, id: &str) -> Option<String> {
    let offer = &world.desk(id).await["offer"];
    offer["agentId"].as_str().map(str::to_owned)
}

const QUEUED: [&str; 3] = ["created - -", "active queue 100", "QUEUED 100 Orders"];

#[tokio::test]
async fn a_person_accepts_talks_leaves_and_writes_it_up() {
    let world = World::start().await;
    sign_in(&world, "maria").await;
    let user = json!({"name": "Anna", "userId": "anna-1"});
    let id = world.create(json!({"user": user})).await;
    world.expect(&id, 0, &QUEUED).await;
    assert_eq!(offered_to(&world, &id).await.as_deref(), Some("maria"));
    sit(
        &world,
        "maria",
        &id,
        json!({"action": "say", "text": "Too soon"}),
        409,
    )
    .await;
    sit(&world, "ivan", &id, json!({"action": "accept"}), 409).await;
    sit(&world, "maria", &id, json!({"action": "accept"}), 202).await;
    world
        .expect(&id, 3, &["active agent maria", "agent maria joined"])
        .await;
    assert_eq!(world.desk(&id).await["customer"]["name"], "Anna Berg");

    // She says nothing by herself.
    world.send(&id, "user", "Where is it?").await;
    sit(&world, "maria", &id, json!({"action": "typing"}), 202).await;
    sit(
        &world,
        "maria",
        &id,
        json!({"action": "typing", "stopped": true}),
        202,
    )
    .await;
    sit(
        &world,
        "maria",
        &id,
        json!({"action": "say", "prepared": "greeting"}),
        202,
    )
    .await;
    world
        .expect(
            &id,
            5,
            &[
                "typing [\"maria\"]",
                "typing []",
                "maria: Hello Anna, this is Maria from Orders. How can I help you?",
            ],
        )
        .await;
    sit(&world, "maria", &id, json!({"action": "leave"}), 202).await;
    world.expect(&id, 8, &["agent maria left"]).await;
    let seen = world.desk(&id).await;
    assert_eq!(
        (&seen["state"], &seen["wrapUp"]["agentId"]),
        (&json!("active"), &json!("maria"))
    );
    let none = json!({"action": "wrapUp", "code": "none"});
    sit(&world, "maria", &id, none, 400).await;
    let code = json!({"action": "wrapUp", "code": "resolved", "note": "Told her."});
    sit(&world, "maria", &id, code.clone(), 202).await;
    world.expect(&id, 9, &["idle - -"]).await;
    sit(&world, "maria", &id, code, 409).await;
    let seen = world.desk(&id).await;
    let written = &seen["transactions"][0];
    assert_eq!(
        (&written["agentId"], &written["code"], &written["note"]),
        (&json!("maria"), &json!("resolved"), &json!("Told her."))
    );
    let agents = world.control(Method::GET, "/agents/maria", None, 200).await;
    assert_eq!(agents["conversations"], json!([]));
}

#[tokio::test]
async fn what_is_declined_is_offered_to_the_next_and_at_last_to_whoever_signs_in() {
    let world = World::start().await;
    set_up(
        &world,
        json!({"agents": [agent("ann", "orders"), agent("bob", "orders"), agent("cy", "returns")]}),
    )
    .await;
    let id = world.create(json!({})).await;
    world.expect(&id, 0, &QUEUED).await;
    assert_eq!(offered_to(&world, &id).await, None, "nobody is there");
    for name in ["cy", "bob", "ann"] {
        sign_in(&world, name).await;
    }
    assert_eq!(
        offered_to(&world, &id).await.as_deref(),
        Some("bob"),
        "he was there first"
    );
    sit(&world, "bob", &id, json!({"action": "decline"}), 202).await;
    assert_eq!(offered_to(&world, &id).await.as_deref(), Some("ann"));
    sit(&world, "ann", &id, json!({"action": "decline"}), 202).await;
    assert_eq!(offered_to(&world, &id).await, None, "nobody wants it");
    let queues = world.control(Method::GET, "/queues", None, 200).await;
    assert_eq!(queues["queues"][0]["waiting"], 1);
    let again = json!({"availability": "available"});
    world
        .control(Method::POST, "/agents/ann/sign-in", Some(again), 200)
        .await;
    sit(&world, "ann", &id, json!({"action": "accept"}), 202).await;
    world
        .expect(&id, 3, &["active agent ann", "agent ann joined"])
        .await;
}

#[tokio::test]
async fn an_offer_that_nobody_answers_goes_on_in_time() {
    let world = World::start().await;
    let silent = json!({"id": "ann", "name": "Ann", "skills": ["orders"], "behaviour": "neverAccepts"});
    set_up(
        &world,
        json!({"agents": [silent, agent("bob", "orders")], "offerSeconds": 1}),
    )
    .await;
    let id = world.create(json!({})).await;
    world.expect(&id, 0, &QUEUED).await;
    assert_eq!(offered_to(&world, &id).await.as_deref(), Some("ann"));
    sign_in(&world, "bob").await;
    world
        .seen(&id, "it is offered to bob", |it| it["offer"]["agentId"] == "bob")
        .await;
    world
        .seen(&id, "he is too late, and she is asked again", |it| {
            it["offer"]["agentId"] == "ann"
        })
        .await;
}

#[tokio::test]
async fn who_has_no_room_is_offered_nothing_until_something_is_written_up() {
    let world = World::start().await;
    let mut one_at_a_time = agent("ann", "orders");
    one_at_a_time["capacity"] = json!(1);
    set_up(&world, json!({"agents": [one_at_a_time]})).await;
    sign_in(&world, "ann").await;
    let (first, second) = (world.create(json!({})).await, world.create(json!({})).await);
    world.expect(&second, 0, &QUEUED).await;
    world.expect(&first, 0, &QUEUED).await;
    let (busy, waits) = match offered_to(&world, &first).await {
        Some(_) => (first, second),
        None => (second, first),
    };
    assert_eq!(offered_to(&world, &waits).await, None);
    sit(&world, "ann", &busy, json!({"action": "accept"}), 202).await;
    sit(&world, "ann", &busy, json!({"action": "leave"}), 202).await;
    assert_eq!(offered_to(&world, &waits).await, None, "she still writes it up");
    sit(&world, "ann", &busy, json!({"action": "wrapUp"}), 202).await;
    assert_eq!(offered_to(&world, &waits).await.as_deref(), Some("ann"));
}

#[tokio::test]
async fn a_language_finds_who_speaks_it() {
    let world = World::start().await;
    let mut german = agent("bob", "orders");
    german["languages"] = json!(["de"]);
    set_up(&world, json!({"agents": [agent("ann", "orders"), german]})).await;
    for name in ["ann", "bob"] {
        sign_in(&world, name).await;
    }
    for (language, name) in [("de", "bob"), ("en", "ann"), ("de", "bob")] {
        let id = world.create(json!({"user": {"language": language}})).await;
        world.expect(&id, 0, &QUEUED).await;
        assert_eq!(offered_to(&world, &id).await.as_deref(), Some(name), "{language}");
    }
}

#[tokio::test]
async fn a_conversation_is_transferred_to_a_queue_and_to_an_agent() {
    let world = World::start().await;
    sign_in(&world, "maria").await;
    let id = world.create(json!({})).await;
    world.expect(&id, 0, &QUEUED).await;
    sit(&world, "maria", &id, json!({"action": "accept"}), 202).await;
    world
        .expect(&id, 3, &["active agent maria", "agent maria joined"])
        .await;
    let refused = [
        json!({}),
        json!({"queueId": "300"}),
        json!({"agentId": "maria"}),
        json!({"queueId": "100", "agentId": "ivan"}),
    ];
    for mut to in refused {
        to["action"] = json!("transfer");
        sit(&world, "maria", &id, to, 400).await;
    }
    let to_agent = json!({"action": "transfer", "agentId": "ivan"});
    sit(&world, "maria", &id, to_agent, 202).await;
    let to_ivan = [
        "TRANSFER",
        "agent maria left",
        "active queue 100",
        "active agent ivan",
        "agent ivan joined",
        "typing [\"ivan\"]",
        "ivan: Hello Anna, this is Ivan from Orders. …",
        "typing []",
    ];
    world.expect(&id, 5, &to_ivan).await;

    sign_in(&world, "ivan").await;
    let back = json!({"action": "transfer", "agentId": "maria"});
    sit(&world, "ivan", &id, back, 202).await;
    sit(&world, "maria", &id, json!({"action": "decline"}), 202).await;
    // Now it waits in the queue, where only she would serve.
    world
        .expect(
            &id,
            13,
            &[
                "TRANSFER",
                "agent ivan left",
                "active queue 100",
                "QUEUED 100 Orders",
            ],
        )
        .await;
    sign_in(&world, "maria").await;
    sit(&world, "maria", &id, json!({"action": "accept"}), 202).await;
    let to_queue = json!({"action": "transfer", "queueId": "200"});
    sit(&world, "maria", &id, to_queue, 202).await;
    world
        .expect(
            &id,
            17,
            &[
                "active agent maria",
                "agent maria joined",
                "TRANSFER",
                "agent maria left",
                "active queue 200",
                "QUEUED 200 Returns",
            ],
        )
        .await;
    assert_eq!(offered_to(&world, &id).await.as_deref(), Some("ivan"));
}

#[tokio::test]
async fn cards_and_files_go_both_ways() {
    let world = World::start().await;
    sign_in(&world, "maria").await;
    let begun = json!({"user": {"name": "Ben"}, "text": "Hi"});
    let begun = world
        .control(Method::POST, "/widget/conversations", Some(begun), 201)
        .await;
    let id = begun["conversationId"].as_str().unwrap();
    let patch = json!({"assignment": {"type": "queue", "id": "100"}});
    world
        .call(Method::PATCH, &format!("/conversations/{id}"), &patch, 202)
        .await;
    world
        .seen(id, "it is offered", |it| it["offer"]["agentId"] == "maria")
        .await;
    let agents_files = format!("/agents/maria/conversations/{id}/files");
    assert_eq!(
        upload(&world, &agents_files, "a.txt").await.0,
        409,
        "she is not there yet"
    );
    sit(&world, "maria", id, json!({"action": "accept"}), 202).await;
    let (status, file) = upload(&world, &agents_files, "Gr%C3%BC%C3%9Fe.txt").await;
    assert_eq!((status, &file["filename"]), (201, &json!("Grüße.txt")));
    let card = json!({"contentType": "application/vnd.microsoft.card.adaptive", "content": {"type": "AdaptiveCard"}});
    let say = json!({"action": "say", "attachments": [file["id"]], "cards": [card]});
    sit(&world, "maria", id, say, 202).await;
    let is_hers = |it: &super::hook::Delivery| it.body["data"]["sender"]["type"] == "agent";
    world.until("her message", |all| all.iter().any(is_hers)).await;
    let said = world.deliveries(id).into_iter().find(is_hers).unwrap();
    assert_eq!(said.body["data"]["cards"][0]["content"]["type"], "AdaptiveCard");
    let url = said.body["data"]["attachments"][0]["preSignedUrl"]
        .as_str()
        .unwrap();
    assert_eq!(reqwest::get(url).await.unwrap().text().await.unwrap(), "content");

    let (_, file) = upload(&world, &format!("/widget/conversations/{id}/files"), "b.txt").await;
    let path = format!("/widget/conversations/{id}/messages");
    let written = json!({"text": "Look", "attachments": [file["id"]]});
    world.control(Method::POST, &path, Some(written), 202).await;
    let seen = world.desk(id).await;
    let url = seen["attachments"][1]["url"].as_str().unwrap();
    assert_eq!(reqwest::get(url).await.unwrap().text().await.unwrap(), "content");
    assert_eq!(upload(&world, &agents_files, "..%2Fx").await.0, 400);
    for wrong in [
        json!({"action": "say"}),
        json!({"action": "say", "cards": [{"contentType": "x", "content": {}}]}),
    ] {
        sit(&world, "maria", id, wrong, 400).await;
    }
}

#[tokio::test]
async fn a_customer_in_the_widget_uses_cards_and_quick_replies() {
    let world = World::start().await;
    let begun = world
        .control(
            Method::POST,
            "/widget/conversations",
            Some(json!({"text": "Hi"})),
            201,
        )
        .await;
    let id = begun["conversationId"].as_str().unwrap();
    let cards =
        json!([{"id": "form", "content": {}}, {"id": "other", "contentType": "Buttons", "content": {}}]);
    let message = json!({"authorType": "bot", "text": "Choose", "cards": cards});
    let path = format!("/conversations/{id}/messages");
    world.call(Method::POST, &path, &message, 202).await;
    let act = format!("/widget/conversations/{id}/actions");
    let submit = |card: &str| json!({"action": "submitCard", "cardId": card, "name": "size"});
    world.control(Method::POST, &act, Some(submit("form")), 202).await;
    world
        .control(Method::POST, &act, Some(submit("other")), 409)
        .await;
    world.control(Method::POST, &act, Some(submit("none")), 404).await;
    let reply = json!({"action": "quickReply", "title": "Yes", "payload": "yes!"});
    world.control(Method::POST, &act, Some(reply), 202).await;
    let typing = format!("/widget/conversations/{id}/typing");
    world.control(Method::POST, &typing, None, 202).await;
    world
        .until("both actions", |all| {
            all.iter().filter(|it| it.body["eventType"] == "ACTIVITY").count() == 2
        })
        .await;
    let got = world.deliveries(id);
    let activities: Vec<&Value> = got
        .iter()
        .filter(|it| it.body["eventType"] == "ACTIVITY")
        .map(|it| &it.body["data"])
        .collect();
    assert_eq!(
        activities,
        [
            &json!({"name": "adaptiveCard/action",
                "value": {"type": "Action.Submit", "data": {"cardId": "form", "name": "size"}}}),
            &json!({"name": "quickReply/action",
                "value": {"type": "postback", "data": {"title": "Yes", "payload": "yes!"}}}),
        ]
    );
    let seen = world.desk(id).await;
    assert_eq!(seen["typing"]["authorType"], "user");
    assert_eq!(seen["transcript"][1]["cards"][0]["actionSubmitted"], true);
}

async fn upload(world: &World, path: &str, name: &str) -> (u16, Value) {
    let request = world.request(Method::POST, &format!("/sandbox/v1{path}"));
    let request = request
        .header("x-sandbox-filename", name)
        .header("content-type", "text/plain");
    let answer = request.body("content").send().await.unwrap();
    let status = answer.status().as_u16();
    (status, answer.json().await.unwrap())
}

#[tokio::test]
async fn an_agent_goes_on_by_the_script_once_the_person_is_gone() {
    let world = World::start().await;
    let id = greeted(&world).await;
    sign_in(&world, "maria").await;
    world.send(&id, "user", "Is a person there?").await;
    sit(
        &world,
        "maria",
        &id,
        json!({"action": "say", "text": "Yes."}),
        202,
    )
    .await;
    world.expect(&id, GREETED.len(), &["maria: Yes."]).await;
    world
        .control(Method::POST, "/agents/maria/sign-out", Some(json!({})), 204)
        .await;
    world.send(&id, "user", "And now?").await;
    world
        .expect(
            &id,
            GREETED.len() + 1,
            &["typing [\"maria\"]", "maria: …", "typing []"],
        )
        .await;
    assert!(
        world.deliveries(&id)[GREETED.len() + 2]
            .gist()
            .contains("“And now?”")
    );
}

#[tokio::test]
async fn who_leaves_without_a_person_behind_them_ends_the_conversation() {
    let world = World::start().await;
    set_up(&world, json!({"agents": [agent("ann", "orders")]})).await;
    sign_in(&world, "ann").await;
    let id = world.create(json!({})).await;
    world.expect(&id, 0, &QUEUED).await;
    sit(&world, "ann", &id, json!({"action": "accept"}), 202).await;
    world
        .control(Method::POST, "/agents/ann/sign-out", Some(json!({})), 204)
        .await;
    world
        .expect(
            &id,
            3,
            &[
                "active agent ann",
                "agent ann joined",
                "agent ann left",
                "idle - -",
            ],
        )
        .await;
}

#[tokio::test]
async fn a_customer_who_leaves_leaves_the_writing_up() {
    let world = World::start().await;
    sign_in(&world, "maria").await;
    let id = world.create(json!({})).await;
    world.expect(&id, 0, &QUEUED).await;
    sit(&world, "maria", &id, json!({"action": "accept"}), 202).await;
    let left = json!({"removed": true});
    let path = format!("/conversations/{id}/participants/user");
    world.call(Method::PATCH, &path, &left, 204).await;
    world
        .expect(
            &id,
            3,
            &[
                "active agent maria",
                "agent maria joined",
                "user user left",
                "agent maria left",
                "idle - -",
            ],
        )
        .await;
    sit(
        &world,
        "maria",
        &id,
        json!({"action": "wrapUp", "code": "no-answer"}),
        202,
    )
    .await;
    let seen = world.desk(&id).await;
    assert_eq!(
        (&seen["state"], &seen["transactions"][0]["code"]),
        (&json!("idle"), &json!("no-answer"))
    );
    assert_eq!(world.deliveries(&id).len(), 8, "nobody outside hears of it");
}

#[tokio::test]
async fn the_channels_of_every_sandbox_follow_its_queues() {
    let world = World::start().await;
    let one = json!({"queues": [{"id": "7", "name": "Seven", "skill": "orders"}]});
    set_up(&world, one).await;
    let id = world.create(json!({})).await;
    world
        .seen(&id, "it is taken", |it| {
            it["queue"]["id"] == "7" && it["agent"] == "maria"
        })
        .await;
    let channel = world.get("/channels/sandbox-widget").await;
    assert_eq!(channel["routingOptions"]["id"], "7");
}

#[tokio::test]
async fn nothing_that_is_in_use_can_be_taken_away() {
    let world = World::start().await;
    let id = greeted(&world).await;
    let only_ivan = json!({"agents": [{"id": "ivan", "name": "Ivan", "skills": ["returns"]}]});
    let refused = world
        .control(Method::PUT, "/setup", Some(only_ivan.clone()), 400)
        .await;
    assert!(
        refused["error"]
            .as_str()
            .unwrap()
            .contains("Agent maria has conversations"),
        "{refused}"
    );
    let channel = json!({"name": "mine", "type": "ChatAPI", "webHookId": "sandbox-webhook",
        "routingOptions": {"type": "queue", "id": "200"}});
    world.call(Method::POST, "/channels", &channel, 200).await;
    let other_queue = json!({"queues": [{"id": "1", "name": "One", "skill": "x"}]});
    let refused = world.control(Method::PUT, "/setup", Some(other_queue), 400).await;
    assert!(
        refused["error"].as_str().unwrap().contains("needs queue 200"),
        "{refused}"
    );
    world.send(&id, "user", "bye").await;
    world.seen(&id, "it is over", |it| it["state"] == "idle").await;
    set_up(&world, only_ivan).await;
    let agents = world.control(Method::GET, "/agents", None, 200).await;
    assert_eq!(agents["agents"].as_array().unwrap().len(), 1);
    world
        .control(Method::PUT, "/setup", Some(json!({"agent": []})), 422)
        .await;
    world
        .control(Method::POST, "/agents/maria/sign-in", Some(json!({})), 404)
        .await;
}

#[tokio::test]
async fn customers_are_looked_up_by_user_id_or_email() {
    let world = World::start().await;
    let found = world
        .control(Method::GET, "/customers?email=ANNA@example.com", None, 200)
        .await;
    assert_eq!(
        (&found["userId"], &found["fields"][1]["value"]),
        (&json!("anna-1"), &json!("Gold"))
    );
    world
        .control(Method::GET, "/customers?userId=nobody", None, 404)
        .await;
    world.control(Method::GET, "/customers", None, 400).await;
    let setup = json!({"customers": [{"userId": "x", "name": "Xenia"}]});
    set_up(&world, setup).await;
    let id = world.create(json!({"user": {"userId": "y"}})).await;
    assert_eq!(world.desk(&id).await["customer"], Value::Null);
    // The bot learns who it is while the customer waits.
    let patch = json!({"user": {"userId": "x"}});
    world
        .call(Method::PATCH, &format!("/conversations/{id}"), &patch, 202)
        .await;
    assert_eq!(world.desk(&id).await["customer"]["name"], "Xenia");
}
