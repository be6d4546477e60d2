//! What goes over the wire, to the letter.

use chatbridge::{
    event::{
        Assignment, AssignmentKind, Attachment, AuthorType, Card, ExternalProvider, Message, Participant,
        User,
    },
    gateway::{ConversationPatch, Gateway, NewConversation, PageQuery, UpstreamErrorKind, UserPatch},
};
use rstest::rstest;
use serde_json::{Value, json};
use wiremock::{MockServer, Request, ResponseTemplate};

use super::{KEY, Op, answering, gateway, message, new_conversation, queue, tenant};

/// A server whose one answer suits every operation.
async fn server() -> (MockServer, Gateway) {
    let answer = json!({"id": "c1", "conversationId": "c1"});
    let server = answering(ResponseTemplate::new(200).set_body_json(answer)).await;
    let gateway = gateway(&server.uri());
    (server, gateway)
}

async fn only_request(server: &MockServer) -> Request {
    let mut requests = server.received_requests().await.unwrap();
    assert_eq!(requests.len(), 1);
    requests.remove(0)
}

fn body(request: &Request) -> Value {
    serde_json::from_slice(&request.body).unwrap()
}

#[rstest]
#[case(Op::Create, "POST", "conversations")]
#[case(Op::Get, "GET", "conversations/c1")]
#[case(Op::List, "GET", "conversations")]
#[case(Op::PatchUser, "PATCH", "conversations/c1")]
#[case(Op::PatchAssignment, "PATCH", "conversations/c1")]
#[case(Op::End, "PATCH", "conversations/c1/participants/user")]
#[case(Op::Send, "POST", "conversations/c1/messages")]
#[case(Op::Messages, "GET", "conversations/c1/messages")]
#[case(Op::Typing, "POST", "conversations/c1/typing")]
#[case(Op::Key, "GET", "jwk/c1/public")]
#[tokio::test]
async fn method_path_and_headers(#[case] op: Op, #[case] method: &str, #[case] path: &str) {
    let (server, gateway) = server().await;
    op.call(&gateway, "c1").await.unwrap();

    let request = only_request(&server).await;
    assert_eq!(request.method.as_str(), method);
    assert_eq!(request.url.path(), format!("/chat-gateway/v1/{path}"));
    assert_eq!(request.url.query(), None);

    let header = |name: &str| request.headers[name].to_str().unwrap();
    assert_eq!(header("x-api-key"), KEY);
    assert_eq!(header("x-8x8-tenant"), "tenant01");
    assert_eq!(
        header("accept"),
        "application/hal+json, application/json, application/problem+json"
    );
    assert_eq!(
        header("user-agent"),
        concat!("chatbridge/", env!("CARGO_PKG_VERSION"))
    );
    let mut names: Vec<&str> = request.headers.keys().map(|name| name.as_str()).collect();
    names.sort_unstable();
    if method == "GET" {
        assert!(request.body.is_empty());
        assert_eq!(
            names,
            ["accept", "host", "user-agent", "x-8x8-tenant", "x-api-key"]
        );
    } else {
        assert_eq!(header("content-type"), "application/json");
        let with_body = [
            "accept",
            "content-length",
            "content-type",
            "host",
            "user-agent",
            "x-8x8-tenant",
            "x-api-key",
        ];
        assert_eq!(names, with_body);
    }
}

#[tokio::test]
async fn a_base_url_may_have_a_path() {
    let (server, _) = server().await;
    let gateway = gateway(&format!("{}/proxy/8x8/", server.uri()));
    Op::Get.call(&gateway, "c1").await.unwrap();
    let path = "/proxy/8x8/chat-gateway/v1/conversations/c1";
    assert_eq!(only_request(&server).await.url.path(), path);
}

#[tokio::test]
async fn a_creation_leaves_out_what_is_not_given() {
    let (server, gateway) = server().await;
    gateway
        .create_conversation(&tenant(), &new_conversation())
        .await
        .unwrap();
    assert_eq!(
        body(&only_request(&server).await),
        json!({"channelId": "25", "user": {}})
    );
}

#[tokio::test]
async fn a_creation_carries_everything() {
    let (server, gateway) = server().await;
    let new = NewConversation {
        channel_id: "25".into(),
        user: User {
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
        },
        assignment: Some(Assignment {
            kind: Some(AssignmentKind::Script),
            id: "7".into(),
            resource_id: "not sent".into(),
        }),
        history: vec![message(AuthorType::User, "Hello"), full_message()],
    };
    gateway.create_conversation(&tenant(), &new).await.unwrap();
    let expected = json!({
        "channelId": "25",
        "user": {
            "name": "Ada", "userId": "u-1", "email": "ada@example.org", "phone": "+44 1", "company": "Engines",
            "caseId": "case-9", "language": "zh-CN",
            "additionalProperties": [{"key": "b", "value": "2"}, {"key": "a", "value": ""}]
        },
        "assignment": {"type": "script", "id": "7"},
        "history": {"messages": [{"authorType": "user", "text": "Hello"}, full_message_sent()]}
    });
    assert_eq!(body(&only_request(&server).await), expected);
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
#[case(Op::End, json!({"removed": true}))]
#[case(Op::Typing, json!({"authorType": "bot"}))]
#[tokio::test]
async fn small_bodies(#[case] op: Op, #[case] expected: Value) {
    let (server, gateway) = server().await;
    op.call(&gateway, "c1").await.unwrap();
    assert_eq!(body(&only_request(&server).await), expected);
}

#[tokio::test]
async fn a_page_is_asked_for_in_the_vendors_terms() {
    let page = PageQuery {
        size: 100,
        page: 2,
        sort: "createdAt:asc".into(),
        filter: "name==A&B +C,(id==11)".into(),
    };
    let expected = "size=100&page=2&sort=createdAt%3Aasc&filter=name%3D%3DA%26B+%2BC%2C%28id%3D%3D11%29";
    let (one, gateway) = server().await;
    gateway.conversations(&tenant(), &page).await.unwrap();
    assert_eq!(only_request(&one).await.url.query(), Some(expected));

    let (two, gateway) = server().await;
    gateway.messages(&tenant(), "c1", &page).await.unwrap();
    assert_eq!(only_request(&two).await.url.query(), Some(expected));
}

#[rstest]
#[case("../x", "..%2Fx")]
#[case("a/b", "a%2Fb")]
#[case("a\\b", "a%5Cb")]
#[case("?size=1", "%3Fsize=1")]
#[case("#", "%23")]
#[case("%2f", "%252f")]
#[case("%2e%2e", "%252e%252e")]
#[case("ünï✓", "%C3%BCn%C3%AF%E2%9C%93")]
#[tokio::test]
async fn a_hostile_identifier_stays_in_its_segment(#[case] id: &str, #[case] segment: &str) {
    for op in Op::ALL
        .into_iter()
        .filter(|op| !matches!(op, Op::Create | Op::List))
    {
        let (server, gateway) = server().await;
        op.call(&gateway, id).await.unwrap();
        let request = only_request(&server).await;
        let path = request.url.path();
        let start = if op == Op::Key { "jwk" } else { "conversations" };
        let place = format!("/chat-gateway/v1/{start}/{segment}");
        assert!(
            path == place || path.starts_with(&format!("{place}/")),
            "{op:?}: {path}"
        );
        assert_eq!(request.url.query(), None);
    }
}

#[rstest]
#[case("")]
#[case(".")]
#[case("..")]
#[case(".\t.")]
#[case("a\r\nb")]
#[tokio::test]
async fn an_identifier_that_cannot_be_sent_is_refused(#[case] id: &str) {
    let (server, gateway) = server().await;
    for op in Op::ALL
        .into_iter()
        .filter(|op| !matches!(op, Op::Create | Op::List))
    {
        let error = op.call(&gateway, id).await.unwrap_err();
        assert_eq!(
            (error.kind, error.status),
            (UpstreamErrorKind::Invalid, None),
            "{op:?}"
        );
    }
    assert!(server.received_requests().await.unwrap().is_empty());
}

#[tokio::test]
async fn what_the_vendor_cannot_take_is_refused_before_it_is_sent() {
    let (server, gateway) = server().await;
    let tenant = tenant();
    let mut refused = Vec::new();
    for kind in [None, Some(AssignmentKind::Agent)] {
        let assignment = Some(Assignment { kind, ..queue("1") });
        let new = NewConversation {
            assignment: assignment.clone(),
            ..new_conversation()
        };
        refused.push(gateway.create_conversation(&tenant, &new).await.map(drop));
        let patch = ConversationPatch {
            user: None,
            assignment,
        };
        refused.push(gateway.patch_conversation(&tenant, "c1", &patch).await.map(drop));
    }
    for author in [AuthorType::Agent, AuthorType::System] {
        let message = message(author, "Hello");
        refused.push(gateway.send_message(&tenant, "c1", &message).await);
        refused.push(gateway.send_typing(&tenant, "c1", author).await);
        let new = NewConversation {
            history: vec![message],
            ..new_conversation()
        };
        refused.push(gateway.create_conversation(&tenant, &new).await.map(drop));
    }
    let nothing = ConversationPatch::default();
    refused.push(
        gateway
            .patch_conversation(&tenant, "c1", &nothing)
            .await
            .map(drop),
    );
    for tenant in ["", "a\nb", "ü"] {
        let tenant = chatbridge::event::TenantId::new(tenant);
        refused.push(gateway.conversation(&tenant, "c1").await.map(drop));
    }
    for result in refused {
        let error = result.unwrap_err();
        assert_eq!((error.kind, error.status), (UpstreamErrorKind::Invalid, None));
        assert!(!error.message.is_empty());
    }
    assert!(server.received_requests().await.unwrap().is_empty());
}
