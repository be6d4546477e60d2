//! What belongs to a conversation: interactions, participants, a message, its cards, files.

use chatbridge::{
    event::{AuthorType, Card, Message, Participant},
    gateway::{Interaction, PageQuery, StoredAttachment},
};
use serde_json::{Value, json};

use super::hal;
use crate::gateway::tenant;

#[tokio::test]
async fn interactions() {
    let body = json!({
        "_embedded": {"interactions": [
            {"id": "int-1", "startTime": "2020-08-05T11:55:00.592Z", "endTime": "2020-08-05T13:55:01+02:00"},
            {"id": "int-2", "startTime": "2020-08-05", "endTime": null}
        ]},
        "_links": {"self": {"href": "/"}}, "page": {"totalElements": 2, "totalPages": 1}
    });
    let (_server, gateway) = hal(200, &body).await;
    let listed = gateway.interactions(&tenant(), "c1").await.unwrap();
    let interaction = |id: &str, started_ms, ended_ms| Interaction {
        id: id.into(),
        started_ms,
        ended_ms,
    };
    let expected = [
        interaction("int-1", Some(1_596_628_500_592), Some(1_596_628_501_000)),
        interaction("int-2", Some(1_596_585_600_000), None),
    ];
    assert_eq!(listed.items, expected);
    assert_eq!((listed.total, listed.total_pages), (2, Some(1)));
}

#[tokio::test]
async fn participants() {
    let body = json!({
        "_embedded": {"participants": [
            {"id": "agent-7", "type": "agent", "removed": true, "language": "de", "name": "Eve"},
            {"id": 7, "type": "USER", "removed": null},
            {"type": "ghost", "removed": "true"}
        ]},
        "page": {"totalElements": 3, "totalPages": 1}
    });
    let (_server, gateway) = hal(200, &body).await;
    let listed = gateway.participants(&tenant(), "c1").await.unwrap();
    let agent = Participant {
        name: "Eve".into(),
        removed: true,
        language: "de".into(),
        ..Participant::new("agent-7", Some(AuthorType::Agent))
    };
    let ghost = Participant {
        removed: true,
        ..Participant::new("", None)
    };
    let user = Participant::new("7", Some(AuthorType::User));
    assert_eq!(listed.items, [agent, user, ghost]);
    assert_eq!((listed.total, listed.total_pages), (3, Some(1)));
}

fn card_body() -> Value {
    json!({
        "id": "k1", "contentType": "application/vnd.microsoft.card.adaptive",
        "content": {"type": "AdaptiveCard", "body": [null, 1.5]},
        "actionSubmitted": true, "actionExecuted": false
    })
}

fn card() -> Card {
    Card {
        id: "k1".into(),
        content_type: "application/vnd.microsoft.card.adaptive".into(),
        content: json!({"type": "AdaptiveCard", "body": [null, 1.5]}),
        action_submitted: true,
        action_executed: false,
    }
}

#[tokio::test]
async fn a_message() {
    let body = json!({
        "id": "m1", "text": "Look", "createdAt": "2021-01-30T08:30:00Z",
        "author": {"id": "bot-1", "type": "bot"}, "cards": [card_body()], "_links": {}
    });
    let (_server, gateway) = hal(200, &body).await;
    let expected = Message {
        id: "m1".into(),
        author: Participant::new("bot-1", Some(AuthorType::Bot)),
        text: "Look".into(),
        created_ms: Some(1_611_995_400_000),
        attachments: Vec::new(),
        cards: vec![card()],
        external_provider: None,
        echo: false,
    };
    let message = gateway.message(&tenant(), "c1", "m1").await.unwrap();
    assert_eq!(message, expected);
}

#[tokio::test]
async fn cards() {
    let body = json!({
        "_embedded": {"cards": [card_body(), {"contentType": "Carousel", "content": "text", "actionExecuted": "true"}, {}]},
        "page": {"size": 20, "number": 0, "totalElements": 23, "totalPages": 2}
    });
    let (_server, gateway) = hal(200, &body).await;
    let listed = gateway
        .cards(&tenant(), "c1", "m1", &PageQuery::default())
        .await
        .unwrap();
    let unknown = Card {
        id: String::new(),
        content_type: "Carousel".into(),
        content: json!("text"),
        action_submitted: false,
        action_executed: true,
    };
    let empty = Card {
        content_type: String::new(),
        content: Value::Null,
        action_executed: false,
        ..unknown.clone()
    };
    assert_eq!(listed.items, [card(), unknown, empty]);
    assert_eq!((listed.total, listed.total_pages), (23, Some(2)));
}

fn attachment_body() -> Value {
    json!({
        "id": "a1", "filename": "sample.docx", "type": "application/msword", "sizeInBytes": 4166,
        "createdAt": "2021-01-30T08:30:00Z", "_links": {}
    })
}

fn attachment() -> StoredAttachment {
    StoredAttachment {
        id: "a1".into(),
        file_name: "sample.docx".into(),
        media_type: "application/msword".into(),
        size_bytes: Some(4166),
        created_ms: Some(1_611_995_400_000),
    }
}

#[tokio::test]
async fn an_attachment() {
    let (_server, gateway) = hal(200, &attachment_body()).await;
    let read = gateway.attachment(&tenant(), "c1", "a1").await.unwrap();
    assert_eq!(read, attachment());
}

#[tokio::test]
async fn attachments() {
    let body = json!({
        "_embedded": {"attachments": [
            attachment_body(),
            {"id": "a2", "fileName": "b.pdf", "size": "12", "createdAt": "then"},
            {"id": 3}
        ]},
        "page": {"size": 3, "number": 0, "totalElements": 4, "totalPages": 2}
    });
    let (_server, gateway) = hal(200, &body).await;
    let listed = gateway
        .attachments(&tenant(), "c1", &PageQuery::default())
        .await
        .unwrap();
    let second = StoredAttachment {
        id: "a2".into(),
        file_name: "b.pdf".into(),
        size_bytes: Some(12),
        ..StoredAttachment::default()
    };
    let third = StoredAttachment {
        id: "3".into(),
        ..StoredAttachment::default()
    };
    assert_eq!(listed.items, [attachment(), second, third]);
    assert_eq!((listed.total, listed.total_pages), (4, Some(2)));
}
