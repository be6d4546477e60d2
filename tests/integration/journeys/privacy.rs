//! Conversations are erased and master keys changed while services run.

use std::{collections::BTreeSet, path::Path, time::Duration};

use chatbridge::grpc::proto::{
    AgentEvent, AgentEventsRequest, EraseConversationRequest, GetSessionRequest, StartPosition,
    agent_event::Body, agent_events_request::Start,
};
use rstest::rstest;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use super::World;
use crate::support::service::{Events, Service};

const A: &str = "a:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
const B: &str = "b:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";

fn from(start: Start) -> AgentEventsRequest {
    AgentEventsRequest {
        start: Some(start),
        ..AgentEventsRequest::default()
    }
}

fn earliest() -> AgentEventsRequest {
    from(Start::Position(StartPosition::Earliest.into()))
}

fn text(event: &AgentEvent) -> String {
    match &event.body {
        Some(Body::Message(message)) => message.text.clone(),
        other => panic!("a message was awaited, and there came {other:?}"),
    }
}

/// So many events, each as `TEXT@CONVERSATION`.
async fn hear(events: &mut Events, count: usize) -> Vec<String> {
    let mut heard = Vec::new();
    while heard.len() < count {
        let event = events.event().await;
        heard.push(format!("{}@{}", text(&event), event.conversation_id));
    }
    heard
}

async fn erase(service: &Service, conversation: &str) -> Result<u64, Status> {
    let request = EraseConversationRequest {
        tenant: String::new(),
        conversation_id: conversation.into(),
    };
    let answer = service.sessions().await.erase_conversation(request).await?;
    Ok(answer.into_inner().erased_events)
}

async fn session(service: &Service, conversation: &str) -> Result<(u64, u64), Status> {
    let request = GetSessionRequest {
        tenant: String::new(),
        conversation_id: conversation.into(),
    };
    let answer = service.sessions().await.get_session(request).await?.into_inner();
    let session = answer.session.unwrap();
    Ok((session.session_epoch, session.last_sequence))
}

fn reason(status: &Status) -> String {
    status
        .get_details_error_info()
        .map(|info| info.reason)
        .unwrap_or_default()
}

#[rstest]
#[case::in_the_clear("")]
#[case::encrypted(A)]
#[tokio::test]
async fn an_erased_conversation_is_gone_for_everybody_and_nobody_hears_of_a_gap(#[case] keys: &str) {
    let world = World::new().await;
    // All conversations in one order.
    let settings = [("master_keys", keys), ("partitions", "1")];
    let (a, b) = tokio::join!(world.serve_with(&settings), world.serve_with(&settings));
    let mut live = b.events(AgentEventsRequest::default()).await;
    let mut webhooks = Vec::new();
    for n in 0..12 {
        let conversation = if n % 3 == 0 { "kept" } else { "erased" };
        let webhook = world.vendor.message(conversation, &format!("m{n}"));
        assert_eq!(world.vendor.deliver(&a.webhook, &webhook).await, 204);
        webhooks.push(webhook);
    }
    let mut cursors = Vec::new();
    for _ in 0..12 {
        live.event().await;
        cursors.push(live.cursor.clone());
    }
    let (epoch, sequence) = session(&a, "erased").await.unwrap();
    assert_eq!(sequence, 8);

    assert_eq!(erase(&a, "erased").await.unwrap(), 8);
    assert_eq!(erase(&b, "erased").await.unwrap(), 0);
    assert_eq!(
        reason(&session(&b, "erased").await.unwrap_err()),
        "SESSION_UNKNOWN"
    );
    assert_eq!(erase(&b, "").await.unwrap_err().code(), Code::InvalidArgument);

    // The vendor delivers again what was erased, on whichever replica.
    for (webhook, door) in webhooks.iter().zip([&a, &b].iter().cycle()) {
        assert_eq!(world.vendor.deliver(&door.webhook, webhook).await, 204);
    }
    let anew = world.vendor.message("erased", "anew");
    assert_eq!(world.vendor.deliver(&b.webhook, &anew).await, 204);
    let event = live.event().await;
    assert_eq!((text(&event).as_str(), event.sequence), ("anew", 1));
    assert!(event.session_epoch > epoch);

    let kept: Vec<String> = [0, 3, 6, 9].map(|n| format!("m{n}@kept")).into();
    let all = |seen: usize| {
        let left = kept
            .iter()
            .filter(|text| (seen..12).any(|n| **text == format!("m{n}@kept")));
        left.cloned()
            .chain(["anew@erased".to_owned()])
            .collect::<Vec<_>>()
    };
    let mut replay = a.events(earliest()).await;
    assert_eq!(hear(&mut replay, 5).await, all(0));
    for (seen, cursor) in cursors.into_iter().enumerate() {
        let mut resumed = b.events(from(Start::Cursor(cursor))).await;
        let expected = all(seen + 1);
        assert_eq!(
            hear(&mut resumed, expected.len()).await,
            expected,
            "behind m{seen}"
        );
    }
    for service in [&a, &b] {
        assert!(service.metric("chatbridge_gaps_total").await < 1.0);
        assert!(service.metric("chatbridge_feed_breaks_total").await < 1.0);
    }
}

fn put(path: &Path, text: &str) {
    let part = path.with_extension("part");
    std::fs::write(&part, text).unwrap();
    std::fs::rename(&part, path).unwrap();
}

#[tokio::test]
async fn master_keys_change_under_load_without_one_failed_call() {
    let world = World::new().await;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keys");
    put(&path, A);
    let settings = [("master_keys_file", path.to_str().unwrap())];
    let (a, b) = tokio::join!(world.serve_with(&settings), world.serve_with(&settings));
    let mut live = b.events(AgentEventsRequest::default()).await;
    let mut count = 0;
    let mut sent = async |for_ms: u64| {
        let until = tokio::time::Instant::now() + Duration::from_millis(for_ms);
        while tokio::time::Instant::now() < until {
            let conversation = format!("conv-{}", count % 50);
            let webhook = world.vendor.message(&conversation, &format!("m{count}"));
            let door = [&a, &b][count % 2];
            assert_eq!(world.vendor.deliver(&door.webhook, &webhook).await, 204);
            session([&b, &a][count % 2], &conversation)
                .await
                .expect("a session");
            count += 1;
        }
        count
    };
    sent(300).await;
    // A file with a mistake changes nothing.
    put(&path, "c:no key");
    sent(1500).await;
    for keys in [format!("{A}\n{B}"), format!("{B}\n{A}")] {
        put(&path, &keys);
        sent(2500).await;
    }
    let count = sent(100).await;
    let all: BTreeSet<String> = (0..count).map(|n| format!("m{n}@conv-{}", n % 50)).collect();
    let heard: BTreeSet<String> = hear(&mut live, count).await.into_iter().collect();
    assert_eq!(heard, all);
    let mut replay = a.events(earliest()).await;
    assert_eq!(
        hear(&mut replay, count)
            .await
            .into_iter()
            .collect::<BTreeSet<_>>(),
        all
    );

    // One that has the new key alone reads what was written under it, and says what is missing of the rest.
    let only_new = world.serve_with(&[("master_keys", B)]).await;
    let mut replay = only_new.events(earliest()).await;
    let failed = loop {
        match replay.next().await {
            Ok(_) => {}
            Err(status) => break status,
        }
    };
    assert_eq!(
        (failed.code(), reason(&failed)),
        (Code::FailedPrecondition, "KEY_MISSING".into())
    );
    assert!(failed.message().contains("master key \"a\""), "{failed}");
    let counted = only_new.metric("chatbridge_unreadable_contents_total{reason=\"no_master_key\"}");
    assert!(counted.await >= 1.0);
    // Given the old key it goes on from where it failed.
    let both = world.serve_with(&[("master_keys", &format!("{B},{A}"))]).await;
    let cursor = replay.cursor.clone();
    let mut again = both.events(from(Start::Cursor(cursor))).await;
    while text(&again.event().await) != format!("m{}", count - 1) {}
}
