//! Calls out: what reaches the vendor, what comes back, and what a repeated call does.

use std::time::Duration;

use chatbridge::grpc::proto::{
    self, AgentEventsRequest, Assignment, AssignmentType, AuthorType, CreateConversationRequest,
    MessageInput, Property, SendMessageRequest, UpdateConversationRequest, User, agent_events_request::Start,
};
use serde_json::{Value, json};
use tonic::Code;
use tonic_types::StatusExt as _;
use wiremock::{
    Mock, ResponseTemplate,
    matchers::{method, path},
};

use super::World;
use crate::support::vendor::Vendor;

/// A request that the service finds in order.
pub(super) fn create(user_id: &str) -> CreateConversationRequest {
    CreateConversationRequest {
        channel_id: "ch".into(),
        user: Some(User {
            user_id: user_id.into(),
            ..User::default()
        }),
        ..CreateConversationRequest::default()
    }
}

/// Makes the vendor accept every new conversation as `conv-1`.
pub(super) async fn accept_creates(vendor: &Vendor) {
    let answer = json!({ "conversationId": "conv-1", "createdAt": "2026-01-30T08:30:00Z" });
    Mock::given(method("POST"))
        .and(path("/chat-gateway/v1/conversations"))
        .respond_with(ResponseTemplate::new(202).set_body_json(answer))
        .mount(&vendor.server)
        .await;
}

async fn requests(vendor: &Vendor, verb: &str, at: &str) -> Vec<Value> {
    let all = vendor.server.received_requests().await.unwrap();
    all.iter()
        .filter(|r| r.method.as_str() == verb && r.url.path() == at)
        .map(|r| serde_json::from_slice(&r.body).unwrap_or_default())
        .collect()
}

fn message(text: &str, id: &str) -> SendMessageRequest {
    SendMessageRequest {
        conversation_id: "conv-1".into(),
        request_id: id.into(),
        message: Some(MessageInput {
            author_type: AuthorType::Bot.into(),
            text: text.into(),
            ..MessageInput::default()
        }),
        ..SendMessageRequest::default()
    }
}

const ID: &str = "6f1c2c7e-1d2f-4c3a-9a55-0e8b3c7f4d21";

#[tokio::test]
async fn a_conversation_is_created_with_all_it_was_given_and_its_cursor_misses_nothing() {
    let world = World::new().await;
    accept_creates(&world.vendor).await;
    let service = world.serve().await;
    let mut request = create("cust-1");
    request.labels.insert("team".into(), "web".into());
    request.assignment = Some(Assignment {
        r#type: AssignmentType::Queue.into(),
        id: "100".into(),
        ..Assignment::default()
    });
    request.history = vec![MessageInput {
        author_type: AuthorType::User.into(),
        text: "my kettle leaks".into(),
        ..MessageInput::default()
    }];
    request.user.as_mut().unwrap().additional_properties = vec![Property {
        key: "orderId".into(),
        value: "A-1042".into(),
    }];
    let created = service
        .conversations()
        .await
        .create_conversation(request)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(created.conversation_id, "conv-1");
    assert_eq!(created.create_time.unwrap().to_string(), "2026-01-30T08:30:00Z");

    let sent = requests(&world.vendor, "POST", "/chat-gateway/v1/conversations").await;
    let expected = json!({
        "channelId": "ch",
        "assignment": { "type": "queue", "id": "100" },
        "user": { "userId": "cust-1", "additionalProperties": [{ "key": "orderId", "value": "A-1042" }] },
        "history": { "messages": [{ "authorType": "user", "text": "my kettle leaks" }] },
    });
    assert_eq!(sent, [expected]);

    // What happened between the call and the subscription is not missed.
    world
        .vendor
        .deliver(&service.webhook, &world.vendor.message("conv-1", "already"))
        .await;
    let request = AgentEventsRequest {
        conversation_ids: vec!["conv-1".into()],
        start: Some(Start::Cursor(created.cursor)),
        ..AgentEventsRequest::default()
    };
    assert_eq!(service.events(request).await.event().await.sequence, 1);

    let asked = proto::GetSessionRequest {
        conversation_id: "conv-1".into(),
        ..Default::default()
    };
    let session = service
        .sessions()
        .await
        .get_session(asked)
        .await
        .unwrap()
        .into_inner()
        .session
        .unwrap();
    assert_eq!(
        (session.channel_id.as_str(), session.labels["team"].as_str()),
        ("ch", "web")
    );
    assert_eq!(session.user.unwrap().user_id, "cust-1");
}

#[tokio::test]
async fn a_repeated_call_gets_the_first_answer_and_another_one_is_refused() {
    let world = World::new().await;
    accept_creates(&world.vendor).await;
    let (a, b) = tokio::join!(world.serve(), world.serve());
    let mut request = create("cust-1");
    request.request_id = ID.into();
    request.labels.extend([
        ("a".into(), "1".into()),
        ("b".into(), "2".into()),
        ("c".into(), "3".into()),
    ]);
    let first = a
        .conversations()
        .await
        .create_conversation(request.clone())
        .await
        .unwrap()
        .into_inner();
    let again = b
        .conversations()
        .await
        .create_conversation(request.clone())
        .await
        .unwrap()
        .into_inner();
    assert_eq!(first, again);
    assert_eq!(
        requests(&world.vendor, "POST", "/chat-gateway/v1/conversations")
            .await
            .len(),
        1
    );

    request.channel_id = "another".into();
    let refused = b
        .conversations()
        .await
        .create_conversation(request)
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert_eq!(
        refused.get_details_error_info().unwrap().reason,
        "REQUEST_ID_REUSED"
    );
}

#[tokio::test]
async fn a_repeat_while_the_first_runs_is_aborted_and_never_sent_twice() {
    let world = World::new().await;
    let slow = ResponseTemplate::new(202).set_delay(Duration::from_millis(800));
    let at = "/chat-gateway/v1/conversations/conv-1/messages";
    Mock::given(path(at))
        .respond_with(slow)
        .mount(&world.vendor.server)
        .await;
    let service = world.serve().await;
    let mut client = service.conversations().await;
    let first = tokio::spawn(async move { client.send_message(message("hello", ID)).await });
    crate::support::service::eventually("the first is under way", async || {
        (!requests(&world.vendor, "POST", at).await.is_empty()).then_some(())
    })
    .await;
    let status = service
        .conversations()
        .await
        .send_message(message("hello", ID))
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::Aborted);
    assert_eq!(
        status.get_details_error_info().unwrap().reason,
        "REQUEST_IN_FLIGHT"
    );
    assert!(first.await.unwrap().is_ok());
    assert_eq!(requests(&world.vendor, "POST", at).await.len(), 1);
}

#[tokio::test]
async fn an_answer_that_was_lost_is_unknown_and_stays_so_on_repeat() {
    let world = World::new().await;
    let at = "/chat-gateway/v1/conversations/conv-1/messages";
    Mock::given(path(at))
        .respond_with(ResponseTemplate::new(502))
        .mount(&world.vendor.server)
        .await;
    let service = world.serve().await;
    for _ in 0..2 {
        let status = service
            .conversations()
            .await
            .send_message(message("hello", ID))
            .await
            .unwrap_err();
        assert_eq!(
            status.code(),
            Code::Unknown,
            "never UNAVAILABLE, which clients repeat by themselves"
        );
        assert_eq!(
            status.get_details_error_info().unwrap().reason,
            "UPSTREAM_OUTCOME_UNKNOWN"
        );
    }
    assert_eq!(
        requests(&world.vendor, "POST", at).await.len(),
        1,
        "the repeat sent nothing"
    );
}

#[tokio::test]
async fn an_echo_carries_the_request_id_of_its_send() {
    let world = World::new().await;
    let at = "/chat-gateway/v1/conversations/conv-1/messages";
    Mock::given(path(at))
        .respond_with(ResponseTemplate::new(202))
        .mount(&world.vendor.server)
        .await;
    let service = world.serve().await;
    let mut events = service
        .events(AgentEventsRequest {
            include_echoes: true,
            ..AgentEventsRequest::default()
        })
        .await;
    service
        .conversations()
        .await
        .send_message(message("hello", ID))
        .await
        .unwrap();
    let echo = json!({ "isEcho": true, "sender": { "id": "bot", "type": "bot" }, "text": "hello" });
    for _ in 0..2 {
        let webhook = world.vendor.event("conv-1", "MESSAGE", &echo);
        world.vendor.deliver(&service.webhook, &webhook).await;
    }
    assert_eq!(events.event().await.request_id, ID);
    assert_eq!(events.event().await.request_id, "", "one send has one echo");
}

#[tokio::test]
async fn the_vendors_failures_are_told_apart() {
    let world = World::new().await;
    let cases = [
        ("c400", 400, Code::InvalidArgument, "UPSTREAM_INVALID"),
        ("c401", 401, Code::FailedPrecondition, "UPSTREAM_CREDENTIALS"),
        ("c403", 403, Code::FailedPrecondition, "UPSTREAM_CREDENTIALS"),
        ("c404", 404, Code::NotFound, "UPSTREAM_NOT_FOUND"),
        ("c409", 409, Code::Aborted, "UPSTREAM_CONFLICT"),
        ("c500", 500, Code::Unavailable, "UPSTREAM_UNAVAILABLE"),
        ("c302", 302, Code::Internal, "UPSTREAM_UNEXPECTED"),
        // The last one, for it pauses whatever would follow.
        ("c429", 429, Code::ResourceExhausted, "UPSTREAM_RATE_LIMITED"),
    ];
    for (id, status, ..) in cases {
        let body =
            json!({ "message": "no", "errors": [{ "code": "x", "message": "y" }], "referenceId": "ref-7" });
        let answer = ResponseTemplate::new(status)
            .insert_header("retry-after", "7")
            .set_body_json(body);
        Mock::given(path(format!("/chat-gateway/v1/conversations/{id}")))
            .respond_with(answer)
            .mount(&world.vendor.server)
            .await;
    }
    let service = world.serve().await;
    let mut client = service.conversations().await;
    for (id, http, code, reason) in cases {
        let asked = proto::GetConversationRequest {
            conversation_id: id.into(),
            ..Default::default()
        };
        let status = client.get_conversation(asked).await.unwrap_err();
        assert_eq!(status.code(), code, "{http}: {status}");
        let info = status.get_details_error_info().unwrap();
        assert_eq!(
            (info.reason.as_str(), info.domain.as_str()),
            (reason, "chatbridge")
        );
        assert_eq!(info.metadata["reference_id"], "ref-7");
        if http == 429 {
            assert_eq!(
                status.get_details_retry_info().unwrap().retry_delay,
                Some(Duration::from_secs(7))
            );
        }
    }
    let buckets = "http_client_request_duration_seconds_bucket";
    assert!(
        service.metric(buckets).await > 0.0,
        "durations can be looked at as a histogram"
    );
}

#[tokio::test]
async fn the_callers_deadline_reaches_the_vendor_and_our_error_comes_first() {
    let world = World::new().await;
    Mock::given(path("/chat-gateway/v1/conversations/silent"))
        .respond_with(ResponseTemplate::new(200).set_delay(Duration::from_secs(60)))
        .mount(&world.vendor.server)
        .await;
    let service = world.serve().await;
    let client = service.conversations().await;
    // On a machine that is busy, the client's own clock may be faster for once.
    let reason = crate::support::service::eventually("our error comes first", async || {
        let mut asked = tonic::Request::new(proto::GetConversationRequest {
            conversation_id: "silent".into(),
            ..Default::default()
        });
        // Less than the time limit that is set for a request.
        asked.set_timeout(Duration::from_secs(1));
        let status = client.clone().get_conversation(asked).await.unwrap_err();
        assert_eq!(status.code(), Code::DeadlineExceeded, "{status}");
        status.get_details_error_info().map(|info| info.reason)
    })
    .await;
    assert_eq!(reason, "UPSTREAM_TIMEOUT");
}

#[tokio::test]
async fn with_the_vendor_down_calls_are_unavailable_and_nothing_is_recorded_as_sent() {
    let world = World::new().await;
    let nowhere = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    let service = world.serve_with(&[("gateway_url", &nowhere)]).await;
    let mut request = create("cust-1");
    request.request_id = ID.into();
    for _ in 0..2 {
        let status = service
            .conversations()
            .await
            .create_conversation(request.clone())
            .await
            .unwrap_err();
        assert_eq!(status.code(), Code::Unavailable, "{status}");
        assert_eq!(
            status.get_details_error_info().unwrap().reason,
            "UPSTREAM_UNAVAILABLE"
        );
    }
}

#[tokio::test]
async fn every_wrong_field_is_named_at_once() {
    let world = World::new().await;
    let service = world.serve().await;
    let mut client = service.conversations().await;
    let mut request = create("x");
    request.request_id = "not-a-uuid".into();
    request.channel_id = String::new();
    request.labels.insert(String::new(), "x".into());
    let user = request.user.as_mut().unwrap();
    user.language = "xx".into();
    user.additional_properties = (0..31)
        .map(|n| Property {
            key: format!("k{n}"),
            value: String::new(),
        })
        .collect();
    request.assignment = Some(Assignment {
        r#type: AssignmentType::Agent.into(),
        ..Assignment::default()
    });
    request.history = vec![MessageInput {
        author_type: AuthorType::Agent.into(),
        ..MessageInput::default()
    }];
    let status = client.create_conversation(request).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    let named: Vec<String> = status
        .get_details_bad_request()
        .unwrap()
        .field_violations
        .into_iter()
        .map(|v| v.field)
        .collect();
    assert_eq!(
        named,
        [
            "request_id",
            "channel_id",
            "user.language",
            "user.additional_properties[30]",
            "assignment.id",
            "assignment.type",
            "history[0].author_type",
            "history[0]",
            "labels",
        ]
    );

    let request = UpdateConversationRequest {
        conversation_id: "c".into(),
        ..UpdateConversationRequest::default()
    };
    let status = client.update_conversation(request).await.unwrap_err();
    assert_eq!(
        status.get_details_bad_request().unwrap().field_violations[0].field,
        "update_mask"
    );
    assert!(
        world.vendor.server.received_requests().await.unwrap().is_empty(),
        "nothing went upstream"
    );
}

/// The answer's headers are limited by the client, so an error must not grow with the request.
#[tokio::test]
async fn a_request_with_more_mistakes_than_an_answer_can_hold_is_still_told_why() {
    let world = World::new().await;
    let service = world.serve().await;
    let mut client = service.conversations().await;
    let request = CreateConversationRequest {
        history: vec![MessageInput::default(); 300_000],
        ..create("x")
    };
    let status = client.create_conversation(request).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
    let status = client
        .create_conversation(CreateConversationRequest {
            tenant: "x".repeat(100_000),
            ..create("x")
        })
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::NotFound, "{status:?}");
}

#[tokio::test]
async fn a_patch_sends_what_the_mask_names_and_nothing_else() {
    let world = World::new().await;
    let at = "/chat-gateway/v1/conversations/c";
    Mock::given(method("PATCH"))
        .and(path(at))
        .respond_with(ResponseTemplate::new(202))
        .mount(&world.vendor.server)
        .await;
    let service = world.serve().await;
    let conversation = proto::Conversation {
        user: Some(User {
            name: "Ann".into(),
            language: "de".into(),
            ..User::default()
        }),
        assignment: Some(Assignment {
            r#type: AssignmentType::Queue.into(),
            id: "7".into(),
            ..Assignment::default()
        }),
        ..proto::Conversation::default()
    };
    let mut client = service.conversations().await;
    for paths in [
        vec!["user.language"],
        vec!["assignment"],
        vec!["user", "assignment"],
    ] {
        let request = UpdateConversationRequest {
            conversation_id: "c".into(),
            conversation: Some(conversation.clone()),
            update_mask: Some(prost_types::FieldMask {
                paths: paths.into_iter().map(str::to_owned).collect(),
            }),
            ..UpdateConversationRequest::default()
        };
        let answer = client.update_conversation(request).await.unwrap().into_inner();
        assert!(!answer.cursor.is_empty());
    }
    let assignment = json!({ "type": "queue", "id": "7" });
    assert_eq!(
        requests(&world.vendor, "PATCH", at).await,
        [
            json!({ "user": { "language": "de" } }),
            json!({ "assignment": assignment }),
            json!({ "user": { "name": "Ann", "language": "de" }, "assignment": assignment }),
        ]
    );
}
