//! Bodies with everything in them, and what is left out of them.

use chatbridge::{
    event::{
        Assignment, AssignmentKind, Attachment, AuthorType, Card, ExternalProvider, Message, Participant,
        User,
    },
    gateway::{
        Channel, ConversationPatch, ConversationReplacement, NewConversation, PostAgentAssignment, UserPatch,
        Webhook,
    },
};
use rstest::rstest;
use serde_json::{Value, json};

use super::{
    message,
    operation::{channel, post_agent_assignment, webhook},
    queue,
    requests::{body, only_request, server},
    tenant,
};

#[tokio::test]
async fn a_creation_carries_everything() {
    let (server, gateway) = server().await;
    let new = NewConversation {
        channel_id: "25".into(),
        user: full_user(),
        assignment: Some(script()),
        history: vec![message(AuthorType::User, "Hello"), full_message()],
    };
    gateway.create_conversation(&tenant(), &new).await.unwrap();
    let expected = json!({
        "channelId": "25",
        "user": full_user_sent(),
        "assignment": {"type": "script", "id": "7"},
        "history": {"messages": [{"authorType": "user", "text": "Hello"}, full_message_sent()]}
    });
    assert_eq!(body(&only_request(&server).await), expected);
}

#[tokio::test]
async fn a_replacement_carries_everything() {
    let (server, gateway) = server().await;
    let new = ConversationReplacement {
        channel_id: "25".into(),
        user: full_user(),
        assignment: Some(script()),
    };
    gateway.replace_conversation(&tenant(), "c1", &new).await.unwrap();
    let expected = json!({
        "channelId": "25", "user": full_user_sent(), "assignment": {"type": "script", "id": "7"}
    });
    assert_eq!(body(&only_request(&server).await), expected);
}

fn script() -> Assignment {
    Assignment {
        kind: Some(AssignmentKind::Script),
        id: "7".into(),
        resource_id: "not sent".into(),
    }
}

fn full_user() -> User {
    User {
        name: "Ada".into(),
        user_id: "u-1".into(),
        email: "ada@example.org".into(),
        phone: "+44 1".into(),
        company: "Engines".into(),
        case_id: "case-9".into(),
        language: "zh-CN".into(),
        additional_properties: vec![("b".into(), "2".into()), ("a".into(), String::new())],
        ip_address: "192.0.2.1".into(),
        timezone_offset: "60".into(),
    }
}

fn full_user_sent() -> Value {
    json!({
        "name": "Ada", "userId": "u-1", "email": "ada@example.org", "phone": "+44 1", "company": "Engines",
        "caseId": "case-9", "language": "zh-CN",
        "additionalProperties": [{"key": "b", "value": "2"}, {"key": "a", "value": ""}]
    })
}

fn full_message() -> Message {
    Message {
        id: "not sent".into(),
        author: Participant {
            name: "not sent".into(),
            ..Participant::new("not sent", Some(AuthorType::Bot))
        },
        text: "Which one? \u{1f600}".into(),
        created_ms: Some(1),
        attachments: vec![Attachment {
            id: "att-1".into(),
            media_type: "not sent".into(),
            file_name: "not sent".into(),
            pre_signed_url: "not sent".into(),
        }],
        cards: vec![Card {
            id: "not sent".into(),
            content_type: "application/8x8.quick.replies".into(),
            content: json!({"options": [{"title": "one", "data": {"postback": "1"}}]}),
            action_submitted: true,
            action_executed: true,
        }],
        external_provider: None,
        echo: true,
    }
}

fn full_message_sent() -> Value {
    json!({
        "authorType": "bot",
        "text": "Which one? \u{1f600}",
        "attachments": [{"id": "att-1"}],
        "cards": [{
            "contentType": "application/8x8.quick.replies",
            "content": {"options": [{"title": "one", "data": {"postback": "1"}}]}
        }]
    })
}

#[tokio::test]
async fn a_message_carries_everything() {
    let (server, gateway) = server().await;
    gateway
        .send_message(&tenant(), "c1", &full_message())
        .await
        .unwrap();
    assert_eq!(body(&only_request(&server).await), full_message_sent());
}

#[tokio::test]
async fn a_message_held_elsewhere_has_no_text() {
    let (server, gateway) = server().await;
    let held = Message {
        external_provider: Some(ExternalProvider {
            name: "X".into(),
            external_message_id: "123".into(),
        }),
        ..message(AuthorType::User, "")
    };
    gateway.send_message(&tenant(), "c1", &held).await.unwrap();
    let expected =
        json!({"authorType": "user", "externalProvider": {"name": "X", "externalMessageId": "123"}});
    assert_eq!(body(&only_request(&server).await), expected);
}

#[rstest]
#[case(UserPatch::default(), None, json!({"user": {}}))]
#[case(
    UserPatch { email: Some(String::new()), additional_properties: Some(Vec::new()), ..UserPatch::default() },
    Some(queue("100")),
    json!({"user": {"email": "", "additionalProperties": []}, "assignment": {"type": "queue", "id": "100"}})
)]
#[case(
    UserPatch {
        name: Some("n".into()), user_id: Some("u".into()), email: Some("e".into()), phone: Some("p".into()),
        company: Some("c".into()), case_id: Some("k".into()), language: Some("en".into()),
        additional_properties: Some(vec![("a".into(), "b".into())]),
    },
    None,
    json!({"user": {"name": "n", "userId": "u", "email": "e", "phone": "p", "company": "c", "caseId": "k",
        "language": "en", "additionalProperties": [{"key": "a", "value": "b"}]}})
)]
#[tokio::test]
async fn a_patch_names_only_what_changes(
    #[case] user: UserPatch,
    #[case] assignment: Option<Assignment>,
    #[case] expected: Value,
) {
    let (server, gateway) = server().await;
    let patch = ConversationPatch {
        user: Some(user),
        assignment,
    };
    gateway.patch_conversation(&tenant(), "c1", &patch).await.unwrap();
    assert_eq!(body(&only_request(&server).await), expected);
}

#[tokio::test]
async fn an_assignment_is_patched_alone() {
    let (server, gateway) = server().await;
    let patch = ConversationPatch {
        user: None,
        assignment: Some(queue("100")),
    };
    gateway.patch_conversation(&tenant(), "c1", &patch).await.unwrap();
    let expected = json!({"assignment": {"type": "queue", "id": "100"}});
    assert_eq!(body(&only_request(&server).await), expected);
}

#[rstest]
#[case(None, None, None, json!({}))]
#[case(Some(true), None, None, json!({"notifyChannelWebhookIfExists": "true"}))]
#[case(Some(false), None, None, json!({"notifyChannelWebhookIfExists": "false"}))]
#[case(None, Some(20), None, json!({"maxTotalMinutes": 20}))]
#[case(None, None, Some(10), json!({"userTimeoutInMinutes": 10}))]
#[case(
    Some(true), Some(600), Some(300),
    json!({"notifyChannelWebhookIfExists": "true", "maxTotalMinutes": 600, "userTimeoutInMinutes": 300})
)]
#[tokio::test]
async fn a_post_agent_assignment_says_what_was_chosen(
    #[case] notify_channel_webhook: Option<bool>,
    #[case] max_total_minutes: Option<u32>,
    #[case] user_timeout_minutes: Option<u32>,
    #[case] configuration: Value,
) {
    let (server, gateway) = server().await;
    let assignment = PostAgentAssignment {
        notify_channel_webhook,
        max_total_minutes,
        user_timeout_minutes,
        ..post_agent_assignment()
    };
    gateway
        .post_agent_assignment(&tenant(), "c1", &assignment)
        .await
        .unwrap();
    let mut expected = json!({"type": "webhook", "id": "12"});
    if configuration != json!({}) {
        expected["configuration"] = configuration;
    }
    assert_eq!(body(&only_request(&server).await), expected);
}

#[tokio::test]
async fn thinking_may_have_an_end() {
    let (server, gateway) = server().await;
    gateway.send_thinking(&tenant(), "c1", Some(600)).await.unwrap();
    let expected = json!({"authorType": "bot", "maxThinkingTimeSeconds": 600});
    assert_eq!(body(&only_request(&server).await), expected);
}

#[tokio::test]
async fn the_bot_reads_too() {
    let (server, gateway) = server().await;
    gateway
        .send_read_receipt(&tenant(), "c1", AuthorType::Bot, 0)
        .await
        .unwrap();
    let expected = json!({"authorType": "bot", "readAt": 0});
    assert_eq!(body(&only_request(&server).await), expected);
}

#[rstest]
#[tokio::test]
async fn a_card_action_may_have_a_name(#[values(true, false)] submit: bool) {
    let (server, gateway) = server().await;
    let tenant = &tenant();
    if submit {
        gateway
            .submit_card_action(tenant, "c1", "k1", "8x8")
            .await
            .unwrap();
    } else {
        gateway
            .execute_card_action(tenant, "c1", "k1", "8x8")
            .await
            .unwrap();
    }
    assert_eq!(body(&only_request(&server).await), json!({"name": "8x8"}));
}

#[tokio::test]
async fn a_version_of_events_may_be_chosen() {
    let (server, gateway) = server().await;
    let chosen = Webhook {
        version: "v2.0".into(),
        ..webhook("12")
    };
    gateway.create_webhook(&tenant(), &chosen).await.unwrap();
    gateway.replace_webhook(&tenant(), &chosen).await.unwrap();
    gateway.verify_webhook(&tenant(), &chosen).await.unwrap();
    let whole = json!({
        "name": "Bridge", "uri": "https://example.org/webhooks", "version": "v2.0", "notificationVersion": "v2.0"
    });
    let verified = json!({"uri": "https://example.org/webhooks", "version": "v2.0"});
    let sent: Vec<Value> = server
        .received_requests()
        .await
        .unwrap()
        .iter()
        .map(body)
        .collect();
    assert_eq!(sent, [whole.clone(), whole, verified]);
}

#[tokio::test]
async fn a_type_of_channel_may_be_chosen() {
    let (server, gateway) = server().await;
    let chosen = Channel {
        kind: "WhatsApp".into(),
        ..channel("25")
    };
    gateway.create_channel(&tenant(), &chosen).await.unwrap();
    gateway.replace_channel(&tenant(), &chosen).await.unwrap();
    let expected = json!({
        "name": "Web", "type": "WhatsApp", "webHookId": "12", "routingOptions": {"type": "queue", "id": "101"}
    });
    let sent: Vec<Value> = server
        .received_requests()
        .await
        .unwrap()
        .iter()
        .map(body)
        .collect();
    assert_eq!(sent, [expected.clone(), expected]);
}
