//! Two replicas on one Redis.

use chatbridge::grpc::proto::{AgentEventsRequest, agent_event::Body, agent_events_request::Start};
use serde_json::json;

use super::World;
use crate::support::{service::Events, vendor::TENANT};

fn from(cursor: &bytes::Bytes) -> AgentEventsRequest {
    AgentEventsRequest {
        start: Some(Start::Cursor(cursor.clone())),
        ..AgentEventsRequest::default()
    }
}

async fn text_of_next(events: &mut Events) -> (String, u64) {
    let event = events.event().await;
    match event.body {
        Some(Body::Message(message)) => (message.text, event.sequence),
        other => panic!("a message was awaited, and there came {other:?}"),
    }
}

#[tokio::test]
async fn a_webhook_to_one_is_heard_on_the_other_and_a_killed_one_loses_nothing() {
    let world = World::new().await;
    let (a, b) = tokio::join!(world.serve(), world.serve());
    let mut on_b = b.events(AgentEventsRequest::default()).await;

    let mut heard = Vec::new();
    for n in 1..=20 {
        let webhook = world.vendor.message("conv-1", &format!("m{n}"));
        assert_eq!(world.vendor.deliver(&a.webhook, &webhook).await, 204);
        if n <= 12 {
            heard.push(text_of_next(&mut on_b).await);
        }
    }
    let cursor = on_b.cursor.clone();
    b.kill().await;
    for n in 21..=40 {
        let webhook = world.vendor.message("conv-1", &format!("m{n}"));
        assert_eq!(world.vendor.deliver(&a.webhook, &webhook).await, 204);
    }

    let mut on_a = a.events(from(&cursor)).await;
    for _ in 13..=40 {
        heard.push(text_of_next(&mut on_a).await);
    }
    let expected: Vec<(String, u64)> = (1..=40).map(|n| (format!("m{n}"), n)).collect();
    assert_eq!(heard, expected, "every event once, in order, none missing");
    // And nothing comes twice behind them.
    let webhook = world.vendor.message("conv-1", "the last");
    world.vendor.deliver(&a.webhook, &webhook).await;
    assert_eq!(text_of_next(&mut on_a).await, ("the last".into(), 41));
}

#[tokio::test]
async fn an_event_delivered_again_and_to_both_at_once_is_in_the_log_once() {
    let world = World::new().await;
    let (a, b) = tokio::join!(world.serve(), world.serve());
    let mut events = b.events(AgentEventsRequest::default()).await;

    let twice = world.vendor.message("conv-1", "twice");
    assert_eq!(world.vendor.deliver(&a.webhook, &twice).await, 204);
    assert_eq!(world.vendor.deliver(&a.webhook, &twice).await, 204);

    let webhooks: Vec<_> = (0..30)
        .map(|n| world.vendor.message("conv-1", &format!("both {n}")))
        .collect();
    for webhook in &webhooks {
        let (on_a, on_b) = tokio::join!(
            world.vendor.deliver(&a.webhook, webhook),
            world.vendor.deliver(&b.webhook, webhook)
        );
        assert_eq!((on_a, on_b), (204, 204));
    }

    assert_eq!(text_of_next(&mut events).await, ("twice".into(), 1));
    for n in 0..30 {
        assert_eq!(text_of_next(&mut events).await, (format!("both {n}"), n + 2));
    }
    let duplicates = a.metric(r#"chatbridge_webhooks_total{result="duplicate"}"#).await
        + b.metric(r#"chatbridge_webhooks_total{result="duplicate"}"#).await;
    assert!((duplicates - 31.0).abs() < f64::EPSILON, "{duplicates}");
}

#[tokio::test]
async fn another_body_under_a_known_event_id_is_stored_nowhere() {
    let world = World::new().await;
    let (a, b) = tokio::join!(world.serve(), world.serve());
    let mut events = b.events(AgentEventsRequest::default()).await;

    let genuine = world.vendor.message("conv-1", "genuine");
    assert_eq!(world.vendor.deliver(&a.webhook, &genuine).await, 204);
    for conversation in ["conv-1", "conv-2", "conv-3", "conv-4", "conv-5", "conv-6"] {
        let mut forged = world.vendor.message(conversation, "forged");
        forged.event_id.clone_from(&genuine.event_id);
        // It is answered as any accepted one, so that a forger learns nothing.
        assert_eq!(world.vendor.deliver(&b.webhook, &forged).await, 204);
    }
    let after = world.vendor.message("conv-1", "after");
    world.vendor.deliver(&a.webhook, &after).await;

    assert_eq!(text_of_next(&mut events).await, ("genuine".into(), 1));
    assert_eq!(text_of_next(&mut events).await, ("after".into(), 2));
    let forged = b.metric(r#"chatbridge_webhooks_total{result="forged"}"#).await;
    assert!((forged - 6.0).abs() < f64::EPSILON, "{forged}");
    let mut sessions = a.sessions().await;
    let listed = sessions
        .list_sessions(chatbridge::grpc::proto::ListSessionsRequest::default())
        .await;
    let known: Vec<String> = listed
        .unwrap()
        .into_inner()
        .sessions
        .into_iter()
        .map(|s| s.conversation_id)
        .collect();
    assert_eq!(known, ["conv-1"]);
}

#[tokio::test]
async fn sessions_follow_events_whichever_replica_took_them() {
    let world = World::new().await;
    let (a, b) = tokio::join!(world.serve(), world.serve());
    let script = [
        (
            &a,
            "CONVERSATION_UPDATE",
            json!({ "state": "created", "channel": "ChatAPI" }),
        ),
        (&b, "QUEUED", json!({ "queueId": "100", "queueName": "Orders" })),
        (
            &a,
            "MEMBERS_CHANGED",
            json!({ "memberType": "agent", "change": "joined", "id": "maria" }),
        ),
        (&b, "TRANSFER", json!(null)),
        (
            &a,
            "MEMBERS_CHANGED",
            json!({ "memberType": "agent", "change": "left", "id": "maria" }),
        ),
    ];
    for (replica, kind, data) in &script {
        let webhook = world.vendor.event("conv-1", kind, data);
        assert_eq!(world.vendor.deliver(&replica.webhook, &webhook).await, 204);
    }
    let request = chatbridge::grpc::proto::GetSessionRequest {
        tenant: TENANT.into(),
        conversation_id: "conv-1".into(),
    };
    let session = b
        .sessions()
        .await
        .get_session(request)
        .await
        .unwrap()
        .into_inner()
        .session
        .unwrap();
    assert_eq!(
        session.state(),
        chatbridge::grpc::proto::SessionState::Transferring
    );
    assert_eq!(
        (session.queue_id.as_str(), session.queue_name.as_str()),
        ("100", "Orders")
    );
    assert_eq!((session.agent_id.as_str(), session.last_sequence), ("", 5));
    assert!(session.members[0].removed && session.agent_joined_time.is_some());
}
