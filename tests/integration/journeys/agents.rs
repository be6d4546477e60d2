//! Agents' names: from the operator's file or service to events, sessions and answers, on good days and bad.

use std::time::{Duration, Instant};

use chatbridge::grpc::proto::{
    AgentEvent, AgentEventsRequest, AuthorType, GetSessionRequest, ListMessagesRequest, MemberChange,
    Participant, agent_event::Body,
};
use serde_json::json;
use tokio::net::TcpListener;
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{method, path},
};

use super::World;
use crate::support::{
    service::{Service, eventually},
    vendor::Webhook,
};

/// A second, which is how long a lookup may hold up a webhook, and room for a machine that is busy.
const PROMPT: Duration = Duration::from_secs(3);

fn joined(world: &World, agent: &str) -> Webhook {
    let data = json!({ "memberType": "agent", "change": "joined", "id": agent });
    world.vendor.event("conv-1", "MEMBERS_CHANGED", &data)
}

fn writes(world: &World, sender: &str, kind: &str) -> Webhook {
    let data = json!({ "isEcho": false, "sender": { "id": sender, "type": kind }, "text": "hello" });
    world.vendor.event("conv-1", "MESSAGE", &data)
}

/// Who an event is about or from.
fn participant(event: &AgentEvent) -> Participant {
    match event.body.clone().unwrap() {
        Body::MemberChanged(changed) => changed.member.unwrap(),
        Body::Message(message) => message.sender.unwrap(),
        other => panic!("nobody in {other:?}"),
    }
}

async fn members(service: &Service) -> Vec<Participant> {
    let request = GetSessionRequest {
        conversation_id: "conv-1".into(),
        ..GetSessionRequest::default()
    };
    let mut sessions = service.sessions().await;
    let answer = sessions.get_session(request).await.unwrap().into_inner();
    answer.session.unwrap().members
}

async fn directory() -> MockServer {
    let server = MockServer::start().await;
    Mock::given(method("GET"))
        .and(path("/people/maria%201"))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({ "name": " María López " })))
        .expect(1)
        .mount(&server)
        .await;
    Mock::given(method("GET"))
        .and(path("/people/ivan"))
        .respond_with(ResponseTemplate::new(404))
        .expect(1)
        .mount(&server)
        .await;
    server
}

#[tokio::test]
async fn an_agent_who_joins_and_writes_has_a_name_on_events_and_in_the_session() {
    let world = World::new().await;
    let people = directory().await;
    let url = format!("{}/people/{{id}}", people.uri());
    let service = world.serve_with(&[("agent_names_url", &url)]).await;
    let mut events = service.events(AgentEventsRequest::default()).await;
    for webhook in [
        joined(&world, "maria 1"),
        writes(&world, "maria 1", "agent"),
        writes(&world, "maria 1", "user"),
        joined(&world, "ivan"),
        writes(&world, "ivan", "agent"),
    ] {
        assert_eq!(world.vendor.deliver(&service.webhook, &webhook).await, 204);
    }

    let member = events.event().await;
    let Some(Body::MemberChanged(changed)) = &member.body else {
        panic!("another event: {member:?}");
    };
    assert_eq!(changed.change(), MemberChange::Joined);
    assert_eq!(
        participant(&member),
        Participant {
            id: "maria 1".into(),
            r#type: AuthorType::Agent.into(),
            name: "María López".into(),
            ..Participant::default()
        }
    );
    assert_eq!(participant(&events.event().await).name, "María López");
    // A customer is nobody whom the directory knows, whatever their identifier; and Ivan is not in it.
    for _ in 0..3 {
        assert_eq!(participant(&events.event().await).name, "");
    }
    let members = members(&service).await;
    let named: Vec<_> = members.iter().map(|m| (m.id.as_str(), m.name.as_str())).collect();
    assert_eq!(named, [("maria 1", "María López"), ("ivan", "")]);

    let lookups = "chatbridge_agent_name_lookups_total{outcome=";
    assert!((service.metric(&format!("{lookups}\"found\"")).await - 1.0).abs() < 0.1);
    assert!((service.metric(&format!("{lookups}\"unknown\"")).await - 1.0).abs() < 0.1);
    people.verify().await;
}

#[tokio::test]
async fn a_directory_that_is_down_or_silent_holds_up_no_webhook_and_costs_only_the_name() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    for is_silent in [true, false] {
        let world = World::new().await;
        // Connections to a listener that accepts none are made, and nothing ever comes of them.
        let port = if is_silent { address.port() } else { 1 };
        let url = format!("http://127.0.0.1:{port}/people/{{id}}");
        let service = world.serve_with(&[("agent_names_url", &url)]).await;
        let mut events = service.events(AgentEventsRequest::default()).await;
        // So that the key is there already.
        let first = writes(&world, "cust-1", "user");
        assert_eq!(world.vendor.deliver(&service.webhook, &first).await, 204);
        events.event().await;

        for (n, webhook) in [joined(&world, "maria"), writes(&world, "maria", "agent")]
            .iter()
            .enumerate()
        {
            let begun = Instant::now();
            assert_eq!(world.vendor.deliver(&service.webhook, webhook).await, 204);
            assert!(begun.elapsed() < PROMPT, "{:?}", begun.elapsed());
            let event = events.event().await;
            assert_eq!((participant(&event).id.as_str(), n), ("maria", n));
            assert_eq!(participant(&event).name, "");
        }
        assert_eq!(members(&service).await[0].name, "");
        let outcome = if is_silent { "timeout" } else { "unavailable" };
        let failed = format!("chatbridge_agent_name_lookups_total{{outcome=\"{outcome}\"}}");
        eventually("the failure is counted, once for both", async || {
            ((service.metric(&failed).await - 1.0).abs() < 0.1).then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn a_file_of_names_is_followed_and_a_broken_one_changes_nothing() {
    let world = World::new().await;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("agents.json");
    std::fs::write(&file, r#"{"maria": "Maria"}"#).unwrap();
    let path = file.to_str().unwrap();
    let service = world.serve_with(&[("agent_names_file", path)]).await;
    let mut events = service.events(AgentEventsRequest::default()).await;
    let mut name_now = async || {
        let webhook = writes(&world, "maria", "agent");
        assert_eq!(world.vendor.deliver(&service.webhook, &webhook).await, 204);
        participant(&events.event().await).name
    };
    assert_eq!(name_now().await, "Maria");

    std::fs::write(&file, r#"{"maria": "Broken", oops}"#).unwrap();
    eventually("the broken file is refused", async || {
        let refused = "chatbridge_agent_name_lookups_total{outcome=\"unusable\"}";
        (service.metric(refused).await > 0.5).then_some(())
    })
    .await;
    assert_eq!(name_now().await, "Maria");

    std::fs::write(&file, r#"{"maria": "María López"}"#).unwrap();
    eventually("the new name is there", async || {
        (name_now().await == "María López").then_some(())
    })
    .await;
}

#[tokio::test]
async fn messages_that_are_listed_name_their_agents_too() {
    let world = World::new().await;
    let people = MockServer::start().await;
    Mock::given(method("GET"))
        .and(path("/people/maria"))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({ "name": "Maria" })))
        .expect(1)
        .mount(&people)
        .await;
    let message = |id: &str, author: serde_json::Value| json!({ "id": id, "author": author, "text": "hello", "createdAt": "2026-01-30T08:30:00Z" });
    let listed = json!({
        "_embedded": { "messages": [
            message("m1", json!({ "id": "maria", "type": "agent" })),
            message("m2", json!({ "id": "user", "type": "user", "name": "Ann" })),
            message("m3", json!({ "id": "maria", "type": "agent" })),
        ] },
        "page": { "size": 20, "number": 0, "totalElements": 3, "totalPages": 1 },
    });
    Mock::given(method("GET"))
        .and(path("/chat-gateway/v1/conversations/conv-1/messages"))
        .respond_with(ResponseTemplate::new(200).set_body_json(listed))
        .mount(&world.vendor.server)
        .await;
    let url = format!("{}/people/{{id}}", people.uri());
    let service = world.serve_with(&[("agent_names_url", &url)]).await;
    let request = ListMessagesRequest {
        conversation_id: "conv-1".into(),
        ..ListMessagesRequest::default()
    };
    let mut conversations = service.conversations().await;
    let answer = conversations.list_messages(request).await.unwrap().into_inner();
    let authors: Vec<_> = answer
        .messages
        .iter()
        .map(|m| m.author.as_ref().unwrap().name.as_str())
        .collect();
    assert_eq!(authors, ["Maria", "Ann", "Maria"]);
    people.verify().await;
}
