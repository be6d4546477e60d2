//! How answers are read, field by field.

mod configuration;
mod parts;

use chatbridge::{
    event::{
        Assignment, AssignmentKind, Attachment, AuthorType, Card, ExternalProvider, Message, Participant,
        UpstreamState, User,
    },
    gateway::{Conversation, ConversationPatch, Created, Gateway, Listed, PageQuery},
};
use rstest::rstest;
use serde_json::{Value, json};
use wiremock::{MockServer, ResponseTemplate};

use super::{Op, answering, gateway, new_conversation, operation::replacement, queue, tenant};

async fn hal(status: u16, body: &Value) -> (MockServer, Gateway) {
    let answer = ResponseTemplate::new(status).set_body_raw(body.to_string(), "application/hal+json");
    let server = answering(answer).await;
    let gateway = gateway(&server.uri());
    (server, gateway)
}

#[tokio::test]
async fn a_created_conversation() {
    let body = json!({"conversationId": "ID-0", "createdAt": "2021-01-30T08:30:00Z", "_links": {}});
    let (_server, gateway) = hal(202, &body).await;
    let created = gateway.create_conversation(&tenant(), &new_conversation()).await;
    let expected = Created {
        conversation: "ID-0".into(),
        created_ms: Some(1_611_995_400_000),
    };
    assert_eq!(created.unwrap(), expected);
}

#[tokio::test]
async fn a_created_conversation_without_a_time() {
    let (_server, gateway) = hal(202, &json!({"conversationId": "ID-0", "createdAt": "soon"})).await;
    let created = gateway.create_conversation(&tenant(), &new_conversation()).await;
    assert_eq!(created.unwrap().created_ms, None);
}

fn conversation_body() -> Value {
    json!({
        "id": "c1", "channelId": "25", "state": "active",
        "assignment": {"type": "agent", "id": "agent-7", "resourceId": "r"},
        "user": {
            "name": "Ada", "userId": "u-1", "email": "ada@example.org", "phone": "+44 1", "company": "Engines",
            "caseId": "case-9", "language": "en", "ipaddress": "192.0.2.1", "timezoneOffset": "60",
            "customerId": "ignored", "additionalProperties": [{"key": "b", "value": "2"}, {"key": "a", "value": "1"}]
        },
        "_links": {"self": {"href": "/conversations/c1"}}
    })
}

fn conversation() -> Conversation {
    Conversation {
        id: "c1".into(),
        channel_id: "25".into(),
        state: Some(UpstreamState::Active),
        assignment: Some(Assignment {
            kind: Some(AssignmentKind::Agent),
            id: "agent-7".into(),
            resource_id: "r".into(),
        }),
        user: User {
            name: "Ada".into(),
            user_id: "u-1".into(),
            email: "ada@example.org".into(),
            phone: "+44 1".into(),
            company: "Engines".into(),
            case_id: "case-9".into(),
            language: "en".into(),
            additional_properties: vec![("b".into(), "2".into()), ("a".into(), "1".into())],
            ip_address: "192.0.2.1".into(),
            timezone_offset: "60".into(),
        },
    }
}

#[tokio::test]
async fn a_conversation() {
    let (_server, gateway) = hal(200, &conversation_body()).await;
    assert_eq!(
        gateway.conversation(&tenant(), "c1").await.unwrap(),
        conversation()
    );
}

/// Both answer the conversation, whether they change the assignment or not.
#[tokio::test]
async fn a_patched_or_replaced_conversation() {
    let (_server, gateway) = hal(202, &conversation_body()).await;
    let patch = ConversationPatch {
        user: None,
        assignment: Some(queue("100")),
    };
    let patched = gateway.patch_conversation(&tenant(), "c1", &patch).await;
    assert_eq!(patched.unwrap(), Some(conversation()));
    for assigns in [false, true] {
        let new = replacement(assigns);
        let replaced = gateway.replace_conversation(&tenant(), "c1", &new).await;
        assert_eq!(replaced.unwrap(), Some(conversation()));
    }
}

#[rstest]
#[case::empty("".to_owned())]
#[case::no_json("<html>".to_owned())]
#[case::no_object("[]".to_owned())]
#[case::no_identifier("{}".to_owned())]
#[case::wrong_types(r#"{"id": "c1", "user": 7}"#.to_owned())]
#[case::cut(r#"{"id": "c1""#.to_owned())]
#[case::too_large(json!({"id": "c1", "user": {"name": "a".repeat(70_000)}}).to_string())]
#[tokio::test]
async fn a_patched_or_replaced_conversation_that_cannot_be_read(#[case] body: String) {
    let server = answering(ResponseTemplate::new(202).set_body_string(body)).await;
    let gateway = gateway(&server.uri());
    let patch = ConversationPatch {
        user: None,
        assignment: Some(queue("100")),
    };
    let patched = gateway.patch_conversation(&tenant(), "c1", &patch).await;
    assert_eq!(patched.unwrap(), None);
    let new = replacement(true);
    let replaced = gateway.replace_conversation(&tenant(), "c1", &new).await;
    assert_eq!(replaced.unwrap(), None);
}

#[rstest]
#[case(json!("created"), Some(UpstreamState::Created))]
#[case(json!("IDLE"), Some(UpstreamState::Idle))]
#[case(json!("asleep"), None)]
#[case(json!(null), None)]
#[tokio::test]
async fn a_state(#[case] state: Value, #[case] expected: Option<UpstreamState>) {
    let (_server, gateway) = hal(200, &json!({"id": "c1", "state": state})).await;
    assert_eq!(
        gateway.conversation(&tenant(), "c1").await.unwrap().state,
        expected
    );
}

#[tokio::test]
async fn a_list_of_conversations() {
    let body = json!({
        "_embedded": {"conversations": [conversation_body(), {"id": "c2"}]},
        "page": {"size": 2, "number": 0, "totalElements": 41, "totalPages": "21"}
    });
    let (_server, gateway) = hal(200, &body).await;
    let listed = gateway
        .conversations(&tenant(), &PageQuery::default())
        .await
        .unwrap();
    assert_eq!((listed.total, listed.total_pages), (41, Some(21)));
    assert_eq!(listed.items.len(), 2);
    assert_eq!(listed.items[0], conversation());
    assert_eq!((listed.items[1].id.as_str(), listed.items[1].state), ("c2", None));
}

#[tokio::test]
async fn an_empty_list_has_no_embedded() {
    let (_server, gateway) = hal(200, &json!({"page": {"totalElements": 0, "totalPages": 0}})).await;
    let expected = Listed {
        items: Vec::new(),
        total: 0,
        total_pages: Some(0),
    };
    let messages = gateway.messages(&tenant(), "c1", &PageQuery::default()).await;
    assert_eq!(messages.unwrap(), expected);
}

#[tokio::test]
async fn a_list_of_messages() {
    let body = json!({
        "_embedded": {"messages": [
            {
                "id": "m2", "text": "Look", "createdAt": "2021-01-30T08:30:00.250Z",
                "author": {"id": "agent-7", "type": "agent", "removed": true, "language": "de", "name": "Eve"},
                "attachments": [
                    {"id": "a1", "filename": "a.pdf", "type": "application/pdf", "size": "12"},
                    {"id": "a2", "fileName": "b.pdf", "sizeInBytes": 12, "preSignedUrl": "https://example.org/b"}
                ],
                "cards": [{
                    "id": "k1", "contentType": "Carousel", "content": {"n": [1, null]},
                    "actionSubmitted": true, "actionExecuted": "true"
                }]
            },
            {"id": "m1", "text": null, "author": {"type": "ghost"},
                "externalProvider": {"name": "X", "externalMessageId": 123}}
        ]},
        "page": {"size": 20, "number": 0, "totalElements": 2, "totalPages": 1}
    });
    let (_server, gateway) = hal(200, &body).await;
    let listed = gateway
        .messages(&tenant(), "c1", &PageQuery::default())
        .await
        .unwrap();
    let rich = Message {
        id: "m2".into(),
        author: Participant {
            id: "agent-7".into(),
            kind: Some(AuthorType::Agent),
            name: "Eve".into(),
            removed: true,
            language: "de".into(),
        },
        text: "Look".into(),
        created_ms: Some(1_611_995_400_250),
        attachments: vec![
            Attachment {
                id: "a1".into(),
                media_type: "application/pdf".into(),
                file_name: "a.pdf".into(),
                pre_signed_url: String::new(),
            },
            Attachment {
                id: "a2".into(),
                media_type: String::new(),
                file_name: "b.pdf".into(),
                pre_signed_url: "https://example.org/b".into(),
            },
        ],
        cards: vec![Card {
            id: "k1".into(),
            content_type: "Carousel".into(),
            content: json!({"n": [1, null]}),
            action_submitted: true,
            action_executed: true,
        }],
        external_provider: None,
        echo: false,
    };
    let poor = Message {
        id: "m1".into(),
        author: Participant::new("", None),
        text: String::new(),
        created_ms: None,
        attachments: Vec::new(),
        cards: Vec::new(),
        external_provider: Some(ExternalProvider {
            name: "X".into(),
            external_message_id: "123".into(),
        }),
        echo: false,
    };
    let expected = Listed {
        items: vec![rich, poor],
        total: 2,
        total_pages: Some(1),
    };
    assert_eq!(listed, expected);
}

#[rstest]
#[case(json!({"kty": "RSA", "kid": "k"}))]
#[case(json!(r#"{"kty": "RSA", "kid": "k"}"#))]
#[tokio::test]
async fn a_signing_key_is_an_object_or_its_text(#[case] body: Value) {
    let (_server, gateway) = hal(200, &body).await;
    let key = gateway.signing_key(&tenant(), "k").await.unwrap();
    let read: Value = serde_json::from_str(&key).unwrap();
    assert_eq!(read, json!({"kty": "RSA", "kid": "k"}));
}

#[rstest]
#[tokio::test]
async fn a_success_without_a_body_does_where_none_is_needed(#[values(200, 201, 202, 204)] status: u16) {
    let server = answering(ResponseTemplate::new(status)).await;
    let gateway = gateway(&server.uri());
    for op in Op::ALL.into_iter().filter(|op| !op.is_answered()) {
        op.call(&gateway, "c1").await.unwrap();
    }
}

#[tokio::test]
async fn a_body_that_nobody_needs_is_not_judged() {
    let server = answering(ResponseTemplate::new(202).set_body_string("<html>")).await;
    let gateway = gateway(&server.uri());
    for op in Op::ALL.into_iter().filter(|op| !op.is_answered()) {
        op.call(&gateway, "c1").await.unwrap();
    }
}
