//! Cards of messages, and what is done with them.

use reqwest::{Method, Response};
use serde_json::{Value, json};

use super::{api::refusal, world::World};

const ADAPTIVE: &str = "application/vnd.microsoft.card.adaptive";

async fn act(world: &World, tenant: &str, conversation: &str, card: &str, action: &str) -> Response {
    let path = format!("/api/v1/tenant/{tenant}/conversations/{conversation}/cards/{card}/action-{action}");
    let request = world
        .request(Method::PUT, &path)
        .header("x-api-key", "sandbox-key");
    request.json(&json!({"name": "8x8"})).send().await.unwrap()
}

/// A conversation with the bot, and the identifier of a message with three cards.
async fn with_cards(world: &World) -> (String, String) {
    let id = world
        .create(json!({"assignment": {"type": "script", "id": "bot"}}))
        .await;
    let cards = json!([
        {"id": "first", "contentType": ADAPTIVE, "content": {"type": "AdaptiveCard"}},
        {"contentType": "application/8x8.quick.replies", "content": {"options": []}},
        {"id": "third", "content": {"type": "AdaptiveCard", "version": "1.3"}},
    ]);
    let path = format!("/conversations/{id}/messages");
    let body = json!({"authorType": "bot", "text": "Choose", "cards": cards});
    assert_eq!(world.rest(Method::POST, &path, Some(&body)).await.status(), 202);
    let list = world.get(&path).await;
    let message = list["_embedded"]["messages"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    world
        .expect(
            &id,
            0,
            &["created - -", "active script bot", "bot (echo): Choose"],
        )
        .await;
    (id, message)
}

#[tokio::test]
async fn the_cards_of_a_message_are_listed_by_pages() {
    let world = World::start().await;
    let (id, message) = with_cards(&world).await;
    let path = format!("/conversations/{id}/messages/{message}/cards");
    let list = world
        .get(&format!("{path}?sort=createdAt:asc&size=2&page=1"))
        .await;
    assert_eq!(
        list["_embedded"]["cards"],
        json!([{
            "id": "third",
            "contentType": ADAPTIVE,
            "content": {"type": "AdaptiveCard", "version": "1.3"},
            "actionSubmitted": false,
            "actionExecuted": false,
        }])
    );
    assert_eq!(
        list["page"],
        json!({"size": 2, "number": 1, "totalElements": 3, "totalPages": 2})
    );
    let list = world.get(&path).await;
    assert_eq!(list["_embedded"]["cards"][0]["id"], "third", "the last one first");
    for (path, expected) in [
        (format!("{path}?sort=id:asc"), 400),
        (format!("{path}?filter=id==first"), 400),
        (format!("/conversations/{id}/messages/none/cards"), 404),
        ("/conversations/none/messages/none/cards".to_owned(), 404),
    ] {
        let (status, _) = refusal(world.rest(Method::GET, &path, None).await).await;
        assert_eq!(status, expected, "{path}");
    }
}

#[tokio::test]
async fn an_action_marks_the_card_and_is_told() {
    let world = World::start().await;
    let (id, message) = with_cards(&world).await;
    let path = format!("/conversations/{id}/messages/{message}/cards?sort=createdAt:asc");
    for (n, (action, kind, flag)) in [
        ("submit", "Action.Submit", "actionSubmitted"),
        ("execute", "Action.Execute", "actionExecuted"),
    ]
    .into_iter()
    .enumerate()
    {
        let answer = act(&world, "sandbox", &id, "first", action).await;
        assert_eq!(
            (answer.status().as_u16(), answer.text().await.unwrap().as_str()),
            (204, "")
        );
        world
            .until("the activity", |all| {
                all.iter().filter(|it| it.body["eventType"] == "ACTIVITY").count() == n + 1
            })
            .await;
        let told = world.deliveries(&id).remove(3 + n);
        world.verify(&told).await;
        assert_eq!(
            told.body["data"],
            json!({"name": "adaptiveCard/action", "value": {"type": kind, "data": {"cardId": "first", "name": "8x8"}}})
        );
        let list = world.get(&path).await;
        let cards = &list["_embedded"]["cards"];
        assert_eq!((&cards[0][flag], &cards[2][flag]), (&json!(true), &json!(false)));
    }
    let shown = world
        .get(&format!("/conversations/{id}/messages/{message}"))
        .await;
    assert_eq!(shown["cards"][0]["actionExecuted"], true);
    let log = world
        .control(
            Method::GET,
            &format!("/deliveries?conversationId={id}"),
            None,
            200,
        )
        .await;
    let path = format!("/api/v1/tenant/sandbox/conversations/{id}/cards/first/action-submit");
    assert!(
        log["deliveries"]
            .as_array()
            .unwrap()
            .iter()
            .any(|it| it["path"] == path)
    );
}

#[tokio::test]
async fn actions_are_refused_where_they_make_no_sense() {
    let world = World::start().await;
    let (id, message) = with_cards(&world).await;
    for (conversation, card) in [(id.as_str(), "none"), ("none", "first")] {
        let (status, body) = refusal(act(&world, "sandbox", conversation, card, "submit").await).await;
        assert_eq!(
            (status, &body["errors"][0]["code"]),
            (404, &json!("resource_not_found"))
        );
    }
    let (status, body) = refusal(act(&world, "other", &id, "first", "submit").await).await;
    assert_eq!(status, 403);
    assert!(body["errors"][0].is_string());
    let list = world
        .get(&format!("/conversations/{id}/messages/{message}/cards"))
        .await;
    let quick = list["_embedded"]["cards"][1]["id"].as_str().unwrap();
    let (status, body) = refusal(act(&world, "sandbox", &id, quick, "execute").await).await;
    assert_eq!(
        (status, &body["errors"][0]["code"]),
        (400, &json!("invalid_card_type"))
    );

    let path = format!("/api/v1/tenant/sandbox/conversations/{id}/cards/first/action-submit");
    let ask = |method: Method, key: &'static str, body: Value| {
        let request = world.request(method, &path).header("x-api-key", key);
        async move { refusal(request.json(&body).send().await.unwrap()).await.0 }
    };
    assert_eq!(ask(Method::PUT, "wrong", json!({})).await, 401);
    assert_eq!(ask(Method::POST, "sandbox-key", json!({})).await, 405);
    assert_eq!(ask(Method::PUT, "sandbox-key", json!({"name": 1})).await, 400);
    let nowhere = world
        .request(Method::PUT, "/api/v1/tenant/sandbox/nothing")
        .header("x-api-key", "sandbox-key");
    assert_eq!(refusal(nowhere.send().await.unwrap()).await.0, 404);
    assert_eq!(world.deliveries(&id).len(), 3, "nothing was told");
}

#[tokio::test]
async fn what_the_customer_fills_in_is_told() {
    let world = World::start().await;
    let begun = json!({"text": "Hi"});
    let begun = world
        .control(Method::POST, "/widget/conversations", Some(begun), 201)
        .await;
    let id = begun["conversationId"].as_str().unwrap();
    let content = json!({"type": "AdaptiveCard", "body": [
        {"type": "Container", "items": [{"type": "Input.Text", "id": "zip"}, {"type": "Input.Toggle", "id": "gift"}]},
        {"type": "TextBlock", "id": "title", "text": "Where to?"}]});
    let card =
        json!({"id": "form", "contentType": "application/vnd.microsoft.card.adaptive", "content": content});
    let message = json!({"authorType": "bot", "text": "", "cards": [card]});
    let sent = world
        .rest(
            Method::POST,
            &format!("/conversations/{id}/messages"),
            Some(&message),
        )
        .await;
    assert_eq!(sent.status(), 202);
    let card = world.desk(id).await["transcript"][1]["cards"][0]["id"].clone();
    let act = async |action: &str, values: Value, status| {
        let body = json!({"action": action, "cardId": card, "name": "ok", "values": values});
        let path = format!("/widget/conversations/{id}/actions");
        world.control(Method::POST, &path, Some(body), status).await
    };
    act("submitCard", json!({"zip": "10115", "gift": "true"}), 202).await;
    act("executeCard", json!({}), 202).await;
    let told = |world: &World| -> Vec<Value> {
        let all = world.deliveries(id).into_iter();
        let all = all.filter(|it| it.body["data"]["name"] == "adaptiveCard/action");
        all.map(|it| it.body["data"]["value"].clone()).collect()
    };
    world
        .until("both are told", |all| {
            let acted = all
                .iter()
                .filter(|it| it.body["data"]["name"] == "adaptiveCard/action");
            acted.count() == 2
        })
        .await;
    assert_eq!(
        told(&world),
        [
            json!({"type": "Action.Submit", "data": {"cardId": card, "name": "ok", "zip": "10115", "gift": "true"}}),
            json!({"type": "Action.Execute", "data": {"cardId": card, "name": "ok"}}),
        ]
    );
    let refused = act("submitCard", json!({"title": "x"}), 400).await;
    assert_eq!(refused["error"], "The card has no field with the id title.");
    act("submitCard", json!({"zip": 7}), 422).await;
    assert_eq!(told(&world).len(), 2);
}
