//! What the REST API accepts and how it refuses.

use std::collections::BTreeSet;

use reqwest::{Method, Response};
use rstest::rstest;
use serde_json::{Value, json};

use super::world::World;

/// The status and body of a refusal, which must say that it is one.
pub(super) async fn refusal(answer: Response) -> (u16, Value) {
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
    let status = answer.status().as_u16();
    let body: Value = answer.json().await.unwrap();
    assert!(body["message"].as_str().unwrap().ends_with('.'), "{body}");
    (status, body)
}

pub(super) fn is_reference(value: &Value) -> bool {
    value.as_str().is_some_and(|it| it.len() == 32)
}

#[tokio::test]
async fn who_shows_no_key_or_names_another_tenant_is_refused() {
    let world = World::start().await;
    let ask = |key: Option<&'static str>, tenant: Option<&'static str>| {
        let mut request = world.request(Method::GET, "/chat-gateway/v1/conversations");
        if let Some(key) = key {
            request = request.header("x-api-key", key);
        }
        if let Some(tenant) = tenant {
            request = request.header("X-8x8-Tenant", tenant);
        }
        async { request.send().await.unwrap() }
    };
    for key in [None, Some("wrong"), Some("sandbox-key2")] {
        let (status, body) = refusal(ask(key, None).await).await;
        assert_eq!(
            (status, &body["errors"][0]["code"]),
            (401, &json!("access_denied"))
        );
        assert!(is_reference(&body["referenceId"]));
    }
    let (status, body) = refusal(ask(Some("sandbox-key"), Some("other")).await).await;
    assert_eq!(status, 403);
    assert!(body["errors"][0].is_string());
    assert_eq!(ask(Some("sandbox-key"), Some("sandbox")).await.status(), 200);
}

#[tokio::test]
async fn a_key_needs_no_credentials() {
    let world = World::start().await;
    let answer = world
        .request(Method::GET, "/chat-gateway/v1/jwk/none/public")
        .send()
        .await
        .unwrap();
    let (status, body) = refusal(answer).await;
    assert_eq!(status, 404);
    assert!(body["errors"][0].is_string());
}

fn with(field: &str, value: Value) -> Value {
    let mut body = json!({"channelId": "sandbox-chat", "user": {}});
    body[field] = value;
    body
}

fn with_message(message: Value) -> Value {
    with(
        "history",
        json!({"messages": [{"authorType": "bot", "text": "fine"}, message]}),
    )
}

#[rstest]
#[case(json!({"user": {}}), "missing_field", "channelId")]
#[case(json!({"channelId": "sandbox-chat"}), "missing_field", "user")]
#[case(with("channelId", json!("nowhere")), "invalid_channel", "channelId")]
#[case(with("channelId", json!("sandbox-widget")), "invalid_channel", "channelId")]
#[case(with("user", json!({"language": "en-US"})), "invalid_language", "user.language")]
#[case(with("user", json!({"email": "nobody"})), "invalid_email", "user.email")]
#[case(with("user", json!({"additionalProperties": vec![json!({"key": "k", "value": "v"}); 31]})), "too_many_properties", "user.additionalProperties")]
#[case(with("user", json!({"additionalProperties": [{"key": "", "value": "v"}]})), "empty_key", "user.additionalProperties[0].key")]
#[case(with("assignment", json!({"type": "queue", "id": "112"})), "invalid_queue", "assignment.id")]
#[case(with("assignment", json!({"type": "script", "id": "x"})), "invalid_script", "assignment.id")]
#[case(with("assignment", json!({"type": "agent", "id": "maria"})), "invalid_assignment_type", "assignment.type")]
#[case(with("assignment", json!({"type": "queue"})), "missing_field", "assignment.id")]
#[case(with("history", json!({"messages": vec![json!({"authorType": "bot", "text": "x"}); 201]})), "too_many_messages", "history.messages")]
#[case(with("history", json!({})), "missing_field", "history.messages")]
#[case(with_message(json!({"text": "x"})), "missing_field", "history.messages[1].authorType")]
#[case(with_message(json!({"authorType": "agent", "text": "x"})), "invalid_author_type", "history.messages[1].authorType")]
#[case(with_message(json!({"authorType": "user"})), "missing_field", "history.messages[1].text")]
#[case(with_message(json!({"authorType": "user", "text": ""})), "empty_text", "history.messages[1].text")]
#[case(with_message(json!({"authorType": "user", "text": "x", "externalProvider": {"name": "X", "externalMessageId": "1"}})), "text_and_provider", "history.messages[1].externalProvider")]
#[case(with_message(json!({"authorType": "user", "externalProvider": {"name": "Y", "externalMessageId": "1"}})), "invalid_provider", "history.messages[1].externalProvider.name")]
#[case(with_message(json!({"authorType": "user", "text": "x", "attachments": [{"id": "a"}]})), "invalid_attachment", "history.messages[1].attachments[0].id")]
#[case(with_message(json!({"authorType": "user", "text": "x", "cards": [{"contentType": "text/html", "content": {}}]})), "invalid_card_type", "history.messages[1].cards[0].contentType")]
#[tokio::test]
async fn creating_refuses_fields(#[case] body: Value, #[case] code: &str, #[case] field: &str) {
    let world = World::start().await;
    let (status, body) = refusal(world.rest(Method::POST, "/conversations", Some(&body)).await).await;
    assert_eq!(status, 400);
    assert_eq!(
        (&body["errors"][0]["code"], &body["validations"][0]["field"]),
        (&json!(code), &json!(field))
    );
    assert_eq!(body["errors"].as_array().unwrap().len(), 1);
    let none = world.get("/conversations").await;
    assert_eq!(none["page"]["totalElements"], 0, "nothing was created");
}

#[tokio::test]
async fn what_is_allowed_at_most_is_allowed() {
    let world = World::start().await;
    world
        .create(json!({
            "user": {"additionalProperties": vec![json!({"key": "k", "value": "v"}); 30]},
            "history": {"messages": vec![json!({"authorType": "bot", "text": "x"}); 200]},
        }))
        .await;
}

#[rstest]
#[case("{", 400)]
#[case("[]", 400)]
#[case(r#"{"channelId": "sandbox-chat", "user": ["Anna"]}"#, 400)]
#[case(r#"{"channelId": 1, "user": {}}"#, 400)]
#[case(r#"{"channelId": null, "user": {}}"#, 400)]
#[case(r#"{"channelId": "sandbox-chat", "user": {}, "colour": "red"}"#, 400)]
#[tokio::test]
async fn what_cannot_be_read_is_refused(#[case] body: &'static str, #[case] status: u16) {
    let world = World::start().await;
    let request = world.request(Method::POST, "/chat-gateway/v1/conversations");
    let request = request
        .header("x-api-key", "sandbox-key")
        .header("content-type", "application/json")
        .body(body);
    let (got, body) = refusal(request.send().await.unwrap()).await;
    assert_eq!(
        (got, &body["errors"][0]["code"]),
        (status, &json!("invalid_json_object"))
    );
}

#[tokio::test]
async fn a_body_must_say_that_it_is_json_and_have_a_bearable_size() {
    let world = World::start().await;
    let post = |content_type: &'static str, body: Vec<u8>| {
        let request = world.request(Method::POST, "/chat-gateway/v1/conversations");
        let request = request
            .header("x-api-key", "sandbox-key")
            .header("content-type", content_type)
            .body(body);
        async { refusal(request.send().await.unwrap()).await.0 }
    };
    assert_eq!(post("text/plain", b"{}".to_vec()).await, 415);
    assert_eq!(post("application/json", vec![b' '; (8 << 20) + 1]).await, 413);
}

#[tokio::test]
async fn sending_refuses_in_its_own_shape() {
    let world = World::start().await;
    let id = world.create(json!({})).await;
    let path = format!("/conversations/{id}/messages");
    for (body, code) in [
        (json!({"authorType": "agent", "text": "x"}), "invalid_author_type"),
        (json!({"authorType": "user"}), "missing_field"),
        (
            json!({"authorType": "bot", "text": "x", "colour": "red"}),
            "invalid_json_object",
        ),
        (
            json!({"authorType": "bot", "text": "", "cards": [{"content": "x"}]}),
            "invalid_json_object",
        ),
    ] {
        let (status, body) = refusal(world.rest(Method::POST, &path, Some(&body)).await).await;
        assert_eq!((status, &body["errors"]["code"]), (400, &json!(code)));
        assert!(is_reference(&body["referenceId"]));
    }
    let (status, body) = refusal(
        world
            .rest(
                Method::POST,
                "/conversations/none/messages",
                Some(&json!({"authorType": "bot", "text": "x"})),
            )
            .await,
    )
    .await;
    assert_eq!(status, 404);
    assert!(body["errors"][0].is_string());
}

#[tokio::test]
async fn a_card_and_a_provider_come_back_as_they_were_sent() {
    let world = World::start().await;
    let id = world
        .create(json!({"assignment": {"type": "script", "id": "bot"}}))
        .await;
    let path = format!("/conversations/{id}/messages");
    let card = json!({"contentType": "application/8x8.quick.replies", "content": {"options": [{"title": "Yes", "data": null}]}});
    let message = json!({"authorType": "bot", "text": "", "cards": [card]});
    assert_eq!(
        world.rest(Method::POST, &path, Some(&message)).await.status(),
        202
    );
    world
        .expect(&id, 0, &["created - -", "active script bot", "bot (echo): "])
        .await;
    assert_eq!(world.deliveries(&id)[2].body["data"]["cards"], json!([card]));

    let external = json!({"name": "X", "externalMessageId": "123"});
    let message = json!({"authorType": "user", "externalProvider": external});
    assert_eq!(
        world.rest(Method::POST, &path, Some(&message)).await.status(),
        202
    );
    let listed = world.get(&format!("{path}?sort=createdAt:asc")).await;
    let listed = &listed["_embedded"]["messages"];
    assert_eq!(listed[0]["cards"][0]["content"], card["content"]);
    assert_eq!(listed[1]["externalProvider"], external);
    let one = world
        .get(&format!("{path}/{}", listed[0]["id"].as_str().unwrap()))
        .await;
    assert_eq!(one, listed[0]);
}

#[tokio::test]
async fn the_other_operations_refuse_too() {
    let world = World::start().await;
    let id = world.create(json!({})).await;
    let typing = json!({"authorType": "agent"});
    let (status, body) = refusal(
        world
            .rest(
                Method::POST,
                &format!("/conversations/{id}/typing"),
                Some(&typing),
            )
            .await,
    )
    .await;
    assert_eq!(
        (status, &body["errors"][0]["code"]),
        (400, &json!("invalid_parameter"))
    );
    assert!(is_reference(&body["referenceId"]));
    let typing = json!({"authorType": "bot"});
    let (status, body) = refusal(
        world
            .rest(Method::POST, "/conversations/none/typing", Some(&typing))
            .await,
    )
    .await;
    assert_eq!(
        (status, &body["errors"][0]["code"]),
        (404, &json!("resource_not_found"))
    );

    for (method, path, body, expected) in [
        (
            Method::PATCH,
            format!("/conversations/{id}"),
            Some(json!({})),
            400,
        ),
        (
            Method::PATCH,
            format!("/conversations/{id}"),
            Some(json!({"assignment": {"id": "112"}})),
            400,
        ),
        (
            Method::PATCH,
            format!("/conversations/{id}"),
            Some(json!({"user": {"language": "xx"}})),
            400,
        ),
        (
            Method::PATCH,
            "/conversations/none".to_owned(),
            Some(json!({"user": {}})),
            404,
        ),
        (
            Method::PATCH,
            format!("/conversations/{id}/participants/user"),
            Some(json!({"removed": false})),
            400,
        ),
        (
            Method::PATCH,
            "/conversations/none/participants/user".to_owned(),
            Some(json!({"removed": true})),
            404,
        ),
        (Method::GET, "/conversations/none".to_owned(), None, 404),
        (Method::GET, "/conversations/none/messages".to_owned(), None, 404),
        (
            Method::GET,
            format!("/conversations/{id}/messages/none"),
            None,
            404,
        ),
        (
            Method::GET,
            format!("/conversations/{id}/messages?sort=id:asc"),
            None,
            400,
        ),
        (Method::GET, "/conversations?size=0".to_owned(), None, 400),
        (Method::GET, "/conversations?filter=name==x".to_owned(), None, 400),
        (Method::GET, "/channels/none".to_owned(), None, 404),
        (Method::GET, "/nothing".to_owned(), None, 404),
        (Method::DELETE, format!("/conversations/{id}"), None, 405),
    ] {
        let (status, _) = refusal(world.rest(method.clone(), &path, body.as_ref()).await).await;
        assert_eq!(status, expected, "{method} {path}");
    }
}

#[tokio::test]
async fn pages_cover_a_list_once_in_either_direction() {
    let world = World::start().await;
    let mut created = Vec::new();
    for _ in 0..7 {
        created.push(
            world
                .create(json!({"assignment": {"type": "script", "id": "bot"}}))
                .await,
        );
    }
    let ids = |page: &Value| -> Vec<String> {
        let items = page["_embedded"]["conversations"].as_array().unwrap();
        items
            .iter()
            .map(|it| it["id"].as_str().unwrap().to_owned())
            .collect()
    };
    let mut seen = Vec::new();
    for number in 0..4 {
        let path = format!("/conversations?size=3&page={number}&sort=createdAt:desc");
        let page = world.get(&path).await;
        let expected = json!({"size": 3, "number": number, "totalElements": 7, "totalPages": 3});
        assert_eq!(page["page"], expected);
        assert_eq!(page["_links"]["self"]["href"], format!("/chat-gateway/v1{path}"));
        seen.extend(ids(&page));
    }
    seen.reverse();
    assert_eq!(seen, created);
    let by_id = ids(&world.get("/conversations").await);
    assert!(by_id.is_sorted());
    assert_eq!(by_id.iter().collect::<BTreeSet<_>>(), created.iter().collect());
    let one = world
        .get(&format!("/conversations?filter=id=={}", created[2]))
        .await;
    assert_eq!(ids(&one), [created[2].clone()]);
}

#[tokio::test]
async fn messages_come_newest_first_unless_asked_otherwise() {
    let world = World::start().await;
    let id = world
        .create(json!({"assignment": {"type": "script", "id": "bot"}}))
        .await;
    for n in 0..3 {
        world.send(&id, "bot", &n.to_string()).await;
    }
    for (query, expected) in [("", ["2", "1", "0"]), ("?sort=createdAt:asc", ["0", "1", "2"])] {
        let page = world.get(&format!("/conversations/{id}/messages{query}")).await;
        let messages = page["_embedded"]["messages"].as_array().unwrap();
        let texts: Vec<&str> = messages.iter().map(|it| it["text"].as_str().unwrap()).collect();
        assert_eq!(texts, expected);
        assert_eq!(
            messages[0]["author"],
            json!({"id": "bot", "type": "bot", "removed": false})
        );
    }
}

#[tokio::test]
async fn channels_can_be_read() {
    let world = World::start().await;
    let page = world.get("/channels?filter=type==WebChat").await;
    let channel = &page["_embedded"]["channels"][0];
    assert_eq!(
        (&channel["id"], &channel["type"]),
        (&json!("sandbox-widget"), &json!("WebChat"))
    );
    assert_eq!(&world.get("/channels/sandbox-widget").await, channel);
}
