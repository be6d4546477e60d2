//! Whose events and data somebody sees.

use chatbridge::grpc::proto::{
    agent_event::Body, agent_events_request::Start, agent_events_response::Payload,
    conversation_service_client::ConversationServiceClient, session_service_client::SessionServiceClient, *,
};
use tonic::{Code, Streaming};
use wiremock::{
    Mock, ResponseTemplate,
    matchers::{header, method, path},
};

use super::{ACME, GLOBEX, World, by, caller, caller_with, reason, stream};
use crate::support::service::{PATIENCE, Service};

/// Says something in a conversation of a tenant.
async fn say(world: &World, service: &Service, tenant: &str, conversation: &str, text: &str) {
    let webhook = world.vendor.message(conversation, text);
    let status = world.vendor.deliver_of(tenant, &service.webhook, &webhook).await;
    assert_eq!(status, 204);
}

/// The texts that come, up to the one that is awaited, and the cursor behind it.
async fn texts_until(stream: &mut Streaming<AgentEventsResponse>, last: &str) -> (Vec<String>, bytes::Bytes) {
    let mut texts = Vec::new();
    loop {
        let response = tokio::time::timeout(PATIENCE, stream.message())
            .await
            .expect("an event");
        let response = response.unwrap().expect("an open stream");
        if let Some(Payload::Event(event)) = response.payload
            && let Some(Body::Message(message)) = event.body
        {
            texts.push(format!("{}: {}", event.tenant, message.text));
            if message.text == last {
                return (texts, response.cursor);
            }
        }
    }
}

fn earliest(tenant: &str) -> AgentEventsRequest {
    AgentEventsRequest {
        tenant: tenant.to_owned(),
        start: Some(Start::Position(StartPosition::Earliest.into())),
        ..AgentEventsRequest::default()
    }
}

#[tokio::test]
async fn no_stream_yields_another_tenant_s_event() {
    let world = World::new().await;
    let tables = world.tenants() + &caller("a", "reader", ACME) + &caller("g", "reader", GLOBEX);
    let service = world.serve(&tables).await;
    // Both have a conversation of the same name, and one of their own.
    for (tenant, own) in [(ACME, "acme-1"), (GLOBEX, "globex-1")] {
        for conversation in ["same", own] {
            say(
                &world,
                &service,
                tenant,
                conversation,
                &format!("{tenant} in {conversation}"),
            )
            .await;
        }
        say(&world, &service, tenant, "same", "last").await;
    }
    let mut of_globex = stream(&service, "g", earliest("")).await.unwrap();
    let (texts, cursor_of_globex) = texts_until(&mut of_globex, "last").await;
    assert_eq!(texts.len(), 3);
    assert!(texts.iter().all(|text| text.starts_with("globex")), "{texts:?}");

    let mut by_name = earliest("");
    by_name.conversation_ids = vec!["globex-1".into(), "same".into()];
    // A cursor that another tenant got, from before everything that there is.
    let mut of_another = stream(&service, "g", AgentEventsRequest::default())
        .await
        .unwrap();
    say(&world, &service, GLOBEX, "globex-1", "a later one").await;
    let (_, later) = texts_until(&mut of_another, "a later one").await;
    for request in [
        earliest(""),
        by_name,
        AgentEventsRequest {
            start: Some(Start::Cursor(cursor_of_globex)),
            ..AgentEventsRequest::default()
        },
        AgentEventsRequest {
            start: Some(Start::Cursor(later)),
            ..AgentEventsRequest::default()
        },
    ] {
        let mut of_acme = stream(&service, "a", request).await.unwrap();
        say(&world, &service, GLOBEX, "same", "not for acme").await;
        say(&world, &service, ACME, "same", "for acme").await;
        let (texts, _) = texts_until(&mut of_acme, "for acme").await;
        assert!(texts.iter().all(|text| text.starts_with("acme: ")), "{texts:?}");
    }
    for (token, tenant) in [("a", GLOBEX), ("g", ACME), ("a", "nobody")] {
        let refused = stream(&service, token, earliest(tenant)).await.unwrap_err();
        assert_eq!(
            (refused.code(), &*reason(&refused)),
            (Code::PermissionDenied, "TENANT_DENIED")
        );
    }
}

#[tokio::test]
async fn each_tenant_s_calls_go_out_with_its_own_key() {
    let world = World::new().await;
    let more = "channels = [\"web\"]\n";
    let tables = world.tenant(ACME, "k3y-1")
        + more
        + &world.tenant(GLOBEX, "k3y-2")
        + &caller_with("both", "caller", "*", &["both"], "")
        + &caller("a", "caller", ACME);
    for (tenant, key) in [(ACME, "k3y-1"), (GLOBEX, "k3y-2")] {
        let answer = ResponseTemplate::new(202)
            .set_body_json(serde_json::json!({ "conversationId": format!("c-{tenant}"), "createdAt": 1 }));
        Mock::given(method("POST"))
            .and(path("/chat-gateway/v1/conversations"))
            .and(header("x-api-key", key))
            .and(header("x-8x8-tenant", tenant))
            .respond_with(answer)
            .mount(&world.vendor.server)
            .await;
    }
    let service = world.serve(&tables).await;
    let mut client = ConversationServiceClient::new(service.channel().await);
    let request = |tenant: &str, channel: &str| CreateConversationRequest {
        tenant: tenant.into(),
        channel_id: channel.into(),
        user: Some(User {
            user_id: "u".into(),
            ..User::default()
        }),
        ..CreateConversationRequest::default()
    };
    for tenant in [ACME, GLOBEX] {
        let created = client
            .create_conversation(by("both", request(tenant, "web")))
            .await;
        assert_eq!(
            created.unwrap().into_inner().conversation_id,
            format!("c-{tenant}")
        );
    }
    let created = client
        .create_conversation(by("a", request("", "web")))
        .await
        .unwrap();
    assert_eq!(
        created.into_inner().tenant,
        ACME,
        "a caller with one tenant need not name it"
    );
    let refused = client
        .create_conversation(by("both", request("", "web")))
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument, "one with several must");
    let refused = client
        .create_conversation(by("a", request(ACME, "app")))
        .await
        .unwrap_err();
    assert_eq!(
        (refused.code(), &*reason(&refused)),
        (Code::PermissionDenied, "CHANNEL_DENIED")
    );
    assert!(
        client
            .create_conversation(by("both", request(GLOBEX, "app")))
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn sessions_are_their_tenant_s() {
    let world = World::new().await;
    let tables = world.tenants() + &caller("a", "reader", ACME) + &caller("g", "reader", GLOBEX);
    let service = world.serve(&tables).await;
    say(&world, &service, GLOBEX, "theirs", "hello").await;
    let mut sessions = SessionServiceClient::new(service.channel().await);
    let request = GetSessionRequest {
        conversation_id: "theirs".into(),
        ..GetSessionRequest::default()
    };
    assert!(sessions.get_session(by("g", request.clone())).await.is_ok());
    let missing = sessions.get_session(by("a", request)).await.unwrap_err();
    assert_eq!(missing.code(), Code::NotFound);
    let listed = sessions
        .list_sessions(by("a", ListSessionsRequest::default()))
        .await
        .unwrap();
    assert!(listed.into_inner().sessions.is_empty());
}

#[tokio::test]
async fn a_webhook_of_a_tenant_that_is_not_served_is_refused() {
    let world = World::new().await;
    let service = world
        .serve(&(world.tenants() + &caller("a", "reader", ACME)))
        .await;
    let webhook = world.vendor.message("c", "hello");
    assert_eq!(
        world
            .vendor
            .deliver_of("initech", &service.webhook, &webhook)
            .await,
        403
    );
    assert_eq!(
        world.vendor.deliver_of(ACME, &service.webhook, &webhook).await,
        204
    );
}

#[tokio::test]
async fn a_caller_s_calls_and_streams_are_limited() {
    let world = World::new().await;
    let limited = caller_with(
        "slow",
        "reader",
        ACME,
        &["slow"],
        "calls_per_second = 5\nstreams_max = 1",
    );
    let service = world
        .serve(&(world.tenants() + &limited + &caller("other", "reader", ACME)))
        .await;
    let open = stream(&service, "slow", AgentEventsRequest::default())
        .await
        .unwrap();
    let refused = stream(&service, "slow", AgentEventsRequest::default())
        .await
        .unwrap_err();
    assert_eq!(
        (refused.code(), &*reason(&refused)),
        (Code::ResourceExhausted, "STREAM_LIMIT")
    );
    assert!(
        stream(&service, "other", AgentEventsRequest::default())
            .await
            .is_ok()
    );
    drop(open);
    let mut sessions = SessionServiceClient::new(service.channel().await);
    let mut refusals = 0;
    for _ in 0..50 {
        match sessions
            .list_sessions(by("slow", ListSessionsRequest::default()))
            .await
        {
            Ok(_) => {}
            Err(status) => {
                assert_eq!(
                    (status.code(), &*reason(&status)),
                    (Code::ResourceExhausted, "CALLER_RATE_LIMITED")
                );
                use tonic_types::StatusExt as _;
                assert!(status.get_details_retry_info().is_some());
                refusals += 1;
            }
        }
        assert!(
            sessions
                .list_sessions(by("other", ListSessionsRequest::default()))
                .await
                .is_ok()
        );
    }
    assert!(refusals > 10, "{refusals} of 50 were refused");
}
