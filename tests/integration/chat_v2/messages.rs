//! Messages.

use reqwest::Method;
use serde_json::{Value, json};

use super::{Facade, checked, schemas};

fn said(list: &Value) -> Vec<(String, String)> {
    let messages = list["messages"].as_array().unwrap();
    messages
        .iter()
        .map(|it| {
            let text = |name: &str| it[name].as_str().unwrap().to_owned();
            (text("authorType"), text("originalText"))
        })
        .collect()
}

#[tokio::test]
async fn both_sides_talk_and_an_ended_conversation_begins_anew() {
    let facade = Facade::new().await;
    let id = facade.started().await;
    let path = format!("/conversations/{id}/messages");
    let send = async |body: Value| facade.post(&path, &body, 202, schemas::nothing).await;
    send(json!({ "text": "Hello?" })).await;
    facade.agent_says(&id, "Hello.").await;
    send(json!({ "text": "One moment.", "authorType": "bot", "more": {} })).await;
    facade
        .delete(
            &format!("/conversations/{id}/participants/customer"),
            204,
            schemas::nothing,
        )
        .await;
    facade
        .stage
        .until(&id, "it is idle", |it| it["state"] == "idle")
        .await;
    send(json!({ "text": "One thing more." })).await;
    facade
        .stage
        .until(&id, "it waits again", |it| it["state"] == "active")
        .await;

    let all = facade.get(&path, schemas::messages).await;
    let expected = [
        ("user", "Hello?"),
        ("agent", "Hello."),
        ("bot", "One moment."),
        ("user", "One thing more."),
    ];
    let expected = expected.map(|(author, text)| (author.to_owned(), text.to_owned()));
    assert_eq!(said(&all), expected);
    let first = &all["messages"][0];
    assert_eq!(first["translatedText"], first["originalText"]);
    assert_eq!(first["senderId"], first["participantId"]);
    assert_eq!(all["participants"].as_array().unwrap().len(), 3, "{all}");

    let conversation = facade
        .get(&format!("/conversations/{id}"), schemas::conversation)
        .await;
    let interactions = conversation["interactions"].as_array().unwrap();
    assert_eq!(interactions.len(), 2);
    let mut found = Vec::new();
    for interaction in interactions {
        let interaction = interaction["id"].as_str().unwrap();
        let of_it = facade
            .get(&format!("{path}?interaction-id={interaction}"), schemas::messages)
            .await;
        let messages = of_it["messages"].as_array().unwrap();
        assert!(messages.iter().all(|it| it["interactionId"] == interaction));
        found.extend(said(&of_it));
    }
    assert_eq!(found, expected);
    let none = facade
        .get(&format!("{path}?interaction-id=other"), schemas::messages)
        .await;
    assert_eq!(none["messages"], json!([]));
}

#[tokio::test]
async fn a_long_conversation_is_read_whole() {
    let facade = Facade::new().await;
    let id = facade.started().await;
    let path = format!("/conversations/{id}/messages");
    for n in 0..130 {
        let body = json!({ "text": format!("line {n}"), "authorType": "bot" });
        facade.post(&path, &body, 202, schemas::nothing).await;
    }
    let all = facade.get(&path, schemas::messages).await;
    let texts: Vec<String> = said(&all).into_iter().map(|(_, text)| text).collect();
    let expected: Vec<String> = (0..130).map(|n| format!("line {n}")).collect();
    assert_eq!(texts, expected);
}

#[tokio::test]
async fn files_and_cards_of_others_are_told_of() {
    let facade = Facade::new().await;
    let id = facade.started().await;
    let upstream = format!("{}/chat-gateway/v1/conversations/{id}", facade.stage.sandbox);
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let form = reqwest::multipart::Form::new().text("authorType", "bot").part(
        "attachment",
        reqwest::multipart::Part::bytes(b"%PDF".to_vec())
            .file_name("bill.pdf")
            .mime_str("application/pdf")
            .unwrap(),
    );
    let key = crate::support::stage::KEY;
    let stored = http
        .post(format!("{upstream}/attachments"))
        .header("x-api-key", key);
    let stored: Value = stored.multipart(form).send().await.unwrap().json().await.unwrap();
    let card = json!({ "type": "AdaptiveCard", "body": [{ "type": "TextBlock", "text": "Which size?" }] });
    let message = json!({
        "authorType": "bot", "text": "", "attachments": [{ "id": stored["id"] }],
        "cards": [{ "contentType": "application/vnd.microsoft.card.adaptive", "content": card }],
    });
    let sent = http.post(format!("{upstream}/messages")).header("x-api-key", key);
    let sent = sent.json(&message).send().await.unwrap();
    assert!(sent.status().is_success(), "{}", sent.text().await.unwrap());

    let all = facade
        .get(&format!("/conversations/{id}/messages"), schemas::messages)
        .await;
    let (_, text) = said(&all).pop().unwrap();
    assert_eq!(text, "[File: bill.pdf]\n[Card: Which size?]");
}

#[tokio::test]
async fn what_is_no_message_is_refused() {
    let facade = Facade::new().await;
    let id = facade.started().await;
    let path = format!("/conversations/{id}/messages");
    let cases = [
        json!({}),
        json!({ "text": "" }),
        json!({ "text": ["x"] }),
        json!({ "text": "x", "authorType": "agent" }),
        json!({ "text": "x".repeat(70_000) }),
    ];
    for body in cases {
        facade.post(&path, &body, 400, schemas::problem).await;
    }
    assert_eq!(facade.get(&path, schemas::messages).await["messages"], json!([]));
}

#[tokio::test]
async fn a_repeat_with_its_key_says_nothing_again() {
    let facade = Facade::new().await;
    let id = facade.started().await;
    let path = format!("/conversations/{id}/messages");
    for _ in 0..2 {
        let request = facade.request(Method::POST, &path);
        let request = request.header("idempotency-key", "a0f04570-d330-11ea-87d0-0242ac130004");
        let answer = request.json(&json!({ "text": "Once." })).send().await.unwrap();
        checked(answer, 202, schemas::nothing).await;
    }
    assert_eq!(said(&facade.get(&path, schemas::messages).await).len(), 1);
}
