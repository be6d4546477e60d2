//! The life of a stream: filters, starts, gaps, slow readers, the store's bad day, the service's end.

mod changes;
mod drain;
mod life;
mod limits;
mod redis_away;
mod slow;
mod versions;
mod watched;

use chatbridge::grpc::proto::{
    AgentEventsRequest, EndingReason, EventKind, GapPolicy, GapReason, ReconnectAdvice, SessionState,
    StartPosition, agent_event::Body, agent_events_request::Start, agent_events_response::Payload,
};
use serde_json::json;
use tonic::Code;
use tonic_types::StatusExt as _;

use super::{World, settings};
use crate::support::{
    redis::{RedisServer, unique_prefix},
    service::{Events, Service, eventually},
    vendor::Vendor,
};

async fn texts(events: &mut Events, count: usize) -> Vec<String> {
    let mut texts = Vec::new();
    for _ in 0..count {
        if let Some(Body::Message(message)) = events.event().await.body {
            texts.push(message.text);
        }
    }
    texts
}

#[tokio::test]
async fn filters_choose_by_conversation_kind_and_echo() {
    let world = World::new().await;
    let service = world.serve().await;
    let of = |ids: &[&str]| AgentEventsRequest {
        conversation_ids: ids.iter().map(|id| (*id).to_owned()).collect(),
        ..AgentEventsRequest::default()
    };
    let mut one = service.events(of(&["one"])).await;
    let mut both = service.events(of(&["one", "two"])).await;
    let mut queued = service
        .events(AgentEventsRequest {
            kinds: vec![EventKind::Queued.into()],
            ..AgentEventsRequest::default()
        })
        .await;
    let with_echoes = AgentEventsRequest {
        include_echoes: true,
        include_raw: true,
        ..AgentEventsRequest::default()
    };
    let mut all = service.events(with_echoes).await;

    let echo = json!({ "isEcho": true, "sender": { "id": "bot", "type": "bot" }, "text": "echo" });
    let webhooks = [
        world.vendor.message("one", "1"),
        world.vendor.event("one", "MESSAGE", &echo),
        world.vendor.message("three", "3"),
        world
            .vendor
            .event("three", "QUEUED", &json!({ "queueId": "7", "queueName": "q" })),
        world.vendor.message("two", "2"),
        world.vendor.message("one", "end"),
        world.vendor.message("two", "end"),
    ];
    for webhook in &webhooks {
        assert_eq!(world.vendor.deliver(&service.webhook, webhook).await, 204);
    }

    assert_eq!(texts(&mut one, 2).await, ["1", "end"]);
    let mut heard = texts(&mut both, 4).await;
    heard.sort();
    assert_eq!(heard, ["1", "2", "end", "end"]);
    assert_eq!(queued.event().await.conversation_id, "three");
    let mut seen = Vec::new();
    for _ in 0..webhooks.len() {
        let event = all.event().await;
        let sent = webhooks.iter().find(|w| w.event_id == event.event_id).unwrap();
        assert_eq!(
            event.raw_json,
            sent.body.as_bytes(),
            "the body as it was received"
        );
        seen.push(event.event_id);
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), webhooks.len());
}

#[tokio::test]
async fn a_stream_starts_at_the_earliest_the_latest_or_a_time() {
    let world = World::new().await;
    let service = world.serve().await;
    let from = |start: Start| AgentEventsRequest {
        start: Some(start),
        ..AgentEventsRequest::default()
    };
    let before = from(Start::Time(std::time::SystemTime::now().into()));
    let mut live = service.events(AgentEventsRequest::default()).await;
    for text in ["a", "b"] {
        world
            .vendor
            .deliver(&service.webhook, &world.vendor.message("c", text))
            .await;
    }
    // From here on the replica has read them: until then, the latest may be before them.
    assert_eq!(texts(&mut live, 2).await, ["a", "b"]);
    let mut latest = service
        .events(from(Start::Position(StartPosition::Latest.into())))
        .await;
    world
        .vendor
        .deliver(&service.webhook, &world.vendor.message("c", "c"))
        .await;

    let mut earliest = service
        .events(from(Start::Position(StartPosition::Earliest.into())))
        .await;
    assert_eq!(texts(&mut earliest, 3).await, ["a", "b", "c"]);
    assert_eq!(texts(&mut latest, 1).await, ["c"]);
    let mut timed = service.events(before).await;
    assert_eq!(texts(&mut timed, 3).await, ["a", "b", "c"]);
    let future =
        prost_types::Timestamp::from(std::time::SystemTime::now() + std::time::Duration::from_secs(3600));
    let mut none_yet = service.events(from(Start::Time(future))).await;
    assert!(matches!(none_yet.next().await, Ok(Payload::Heartbeat(_))));
}

#[tokio::test]
async fn heartbeats_move_the_cursor_over_what_does_not_match() {
    let world = World::new().await;
    let service = world.serve().await;
    let only_queued = || AgentEventsRequest {
        kinds: vec![EventKind::Queued.into()],
        ..AgentEventsRequest::default()
    };
    let mut events = service.events(only_queued()).await;
    let before = events.cursor.clone();
    world
        .vendor
        .deliver(&service.webhook, &world.vendor.message("c", "unmatched"))
        .await;
    eventually("the cursor moves", async || {
        let beat = match events.next().await {
            Ok(Payload::Heartbeat(beat)) => beat,
            other => panic!("a heartbeat and not {other:?}"),
        };
        // What is set for this service: by it clients know a dead connection from a quiet one.
        let told = beat.interval.map(std::time::Duration::try_from);
        assert_eq!(told, Some(Ok(std::time::Duration::from_millis(200))));
        (events.cursor != before).then_some(())
    })
    .await;

    // Resumed without the filter, the stream no longer has the event that was moved over.
    let resumed = AgentEventsRequest {
        start: Some(Start::Cursor(events.cursor.clone())),
        ..AgentEventsRequest::default()
    };
    let mut resumed = service.events(resumed).await;
    world
        .vendor
        .deliver(&service.webhook, &world.vendor.message("c", "next"))
        .await;
    assert_eq!(texts(&mut resumed, 1).await, ["next"]);
}

#[tokio::test]
async fn a_reader_that_stops_is_detached_and_still_gets_everything_in_order() {
    let world = World::new().await;
    let service = world.serve().await;
    let mut slow = service.events(AgentEventsRequest::default()).await;
    let mut quick = service.events(AgentEventsRequest::default()).await;

    // More than the network's and the service's buffers hold: bodies of 8 KiB against windows of some 64 KiB.
    let padding = "x".repeat(8192);
    let count = 600;
    for n in 0..count {
        let webhook = world.vendor.message("c", &format!("{n} {padding}"));
        assert_eq!(world.vendor.deliver(&service.webhook, &webhook).await, 204);
        // The quick one is not held up by the other.
        assert!(texts(&mut quick, 1).await[0].starts_with(&format!("{n} ")));
    }
    assert!(
        service.metric("chatbridge_subscribers_detached_total").await >= 1.0,
        "the slow one was detached"
    );
    for n in 0..count {
        let event = slow.event().await;
        assert_eq!(event.sequence, n + 1);
    }
    // It is live again.
    world
        .vendor
        .deliver(&service.webhook, &world.vendor.message("c", "live"))
        .await;
    assert_eq!(texts(&mut slow, 1).await, ["live"]);
}

#[tokio::test]
async fn redis_gone_and_back_refuses_at_once_and_recovers_by_itself() {
    let redis = RedisServer::start_with(&["--appendonly", "yes", "--appendfsync", "always"]);
    let vendor = Vendor::start().await;
    let (vendor_url, redis_url, prefix) = (vendor.server.uri(), redis.url(), unique_prefix());
    let service = Service::start(&settings(&vendor_url, &redis_url, &prefix)).await;
    let mut events = service.events(AgentEventsRequest::default()).await;
    assert_eq!(
        vendor
            .deliver(&service.webhook, &vendor.message("c", "before"))
            .await,
        204
    );
    assert_eq!(texts(&mut events, 1).await, ["before"]);

    redis.stop();
    let held = vendor.message("c", "held");
    assert_eq!(
        vendor.deliver(&service.webhook, &held).await,
        503,
        "so that the vendor delivers it again"
    );
    let request = super::calls::create("cust-1");
    let refused = service
        .conversations()
        .await
        .create_conversation(request.clone())
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::Unavailable, "{refused}");
    assert_eq!(
        refused.get_details_error_info().unwrap().reason,
        "STORE_UNAVAILABLE"
    );
    assert!(
        matches!(events.next().await, Ok(Payload::Heartbeat(_))),
        "the stream stays open"
    );

    redis.restart();
    eventually("the webhook is taken again", async || {
        (vendor.deliver(&service.webhook, &held).await == 204).then_some(())
    })
    .await;
    assert_eq!(texts(&mut events, 1).await, ["held"], "on the same stream, once");
    vendor
        .deliver(&service.webhook, &vendor.message("c", "after"))
        .await;
    assert_eq!(texts(&mut events, 1).await, ["after"]);
    super::calls::accept_creates(&vendor).await;
    assert!(
        service
            .conversations()
            .await
            .create_conversation(request)
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn a_wiped_log_is_told_as_a_gap_and_the_caller_chooses() {
    let server = RedisServer::start_with(&["--appendonly", "yes", "--appendfsync", "always"]);
    let vendor = Vendor::start().await;
    let (vendor_url, redis_url, prefix) = (vendor.server.uri(), server.url(), unique_prefix());
    let service = Service::start(&settings(&vendor_url, &redis_url, &prefix)).await;
    let lenient = |cursor| AgentEventsRequest {
        start: cursor,
        gap_policy: GapPolicy::Earliest.into(),
        ..AgentEventsRequest::default()
    };
    let mut events = service.events(lenient(None)).await;
    vendor
        .deliver(&service.webhook, &vendor.message("c", "before"))
        .await;
    assert_eq!(texts(&mut events, 1).await, ["before"]);
    let cursor = events.cursor.clone();

    let mut direct = server.connection().await;
    redis::cmd("FLUSHALL")
        .query_async::<()>(&mut direct)
        .await
        .unwrap();
    let after = vendor.message("c", "after");
    assert_eq!(vendor.deliver(&service.webhook, &after).await, 204);

    // On the stream that was open all the while.
    let gap = loop {
        match events.next().await.unwrap() {
            Payload::Gap(gap) => break gap,
            Payload::Heartbeat(_) => {}
            other => panic!("a gap was awaited, and there came {other:?}"),
        }
    };
    assert_eq!(gap.reason(), GapReason::Wiped);
    assert_eq!(texts(&mut events, 1).await, ["after"]);

    // And to one that comes with the old cursor and wants no gap.
    let strict = AgentEventsRequest {
        start: Some(Start::Cursor(cursor)),
        ..AgentEventsRequest::default()
    };
    let mut refused = service.events(strict).await;
    assert!(matches!(refused.next().await, Ok(Payload::Gap(_))));
    let status = refused.next().await.unwrap_err();
    assert_eq!(status.code(), Code::OutOfRange);
    assert_eq!(status.get_details_error_info().unwrap().reason, "CURSOR_GAP");
}

#[tokio::test]
async fn a_stopping_service_ends_its_streams_with_a_cursor_and_exits_cleanly() {
    let world = World::new().await;
    let (a, b) = tokio::join!(world.serve(), world.serve());
    let mut events = a.events(AgentEventsRequest::default()).await;
    let terminated = tokio::spawn(a.terminate());
    let ending = loop {
        if let Payload::Ending(ending) = events.next().await.unwrap() {
            break ending;
        }
    };
    assert_eq!(ending.reason(), EndingReason::Draining);
    assert_eq!(ending.reconnect(), ReconnectAdvice::Now);
    assert_eq!(terminated.await.unwrap(), Some(0));

    world
        .vendor
        .deliver(&b.webhook, &world.vendor.message("c", "meanwhile"))
        .await;
    let resumed = AgentEventsRequest {
        start: Some(Start::Cursor(events.cursor.clone())),
        ..AgentEventsRequest::default()
    };
    assert_eq!(texts(&mut b.events(resumed).await, 1).await, ["meanwhile"]);
}

#[tokio::test]
async fn a_stream_ends_at_its_age_and_says_so() {
    let world = World::new().await;
    let service = world.serve_with(&[("stream_max_age_seconds", "1")]).await;
    let mut events = service.events(AgentEventsRequest::default()).await;
    let ending = loop {
        match events.next().await.unwrap() {
            Payload::Ending(ending) => break ending,
            Payload::Heartbeat(_) => {}
            other => panic!("an ending was awaited, and there came {other:?}"),
        }
    };
    assert_eq!(ending.reason(), EndingReason::MaxAge);
    assert_eq!(events.next().await.unwrap_err().message(), "the stream ended");
}

#[tokio::test]
async fn after_the_agent_left_in_silence_the_vendor_is_asked() {
    let world = World::new().await;
    let idle = json!({ "id": "c", "channelId": "ch", "state": "idle", "user": { "name": "n" } });
    wiremock::Mock::given(wiremock::matchers::path("/chat-gateway/v1/conversations/c"))
        .respond_with(wiremock::ResponseTemplate::new(200).set_body_json(idle))
        .expect(1)
        .mount(&world.vendor.server)
        .await;
    let (a, b) = tokio::join!(
        world.serve_with(&[("settle_after_ms", "300")]),
        world.serve_with(&[("settle_after_ms", "300")])
    );
    let mut events = b.events(AgentEventsRequest::default()).await;
    for change in ["joined", "left"] {
        let data = json!({ "memberType": "agent", "change": change, "id": "maria" });
        world
            .vendor
            .deliver(&a.webhook, &world.vendor.event("c", "MEMBERS_CHANGED", &data))
            .await;
    }
    assert_eq!(events.event().await.state(), SessionState::WithAgent);
    assert_eq!(events.event().await.state(), SessionState::WrappingUp);
    let settled = events.event().await;
    assert!(
        settled.synthetic && settled.event_id.starts_with("chatbridge:"),
        "{settled:?}"
    );
    assert_eq!((settled.state(), settled.sequence), (SessionState::Idle, 3));
}

#[tokio::test]
async fn a_conversation_that_the_vendor_no_longer_has_is_over() {
    let world = World::new().await;
    let service = world.serve_with(&[("settle_after_ms", "100")]).await;
    let mut events = service.events(AgentEventsRequest::default()).await;
    let data = json!({ "memberType": "agent", "change": "left", "id": "maria" });
    let left = world.vendor.event("c", "MEMBERS_CHANGED", &data);
    world.vendor.deliver(&service.webhook, &left).await;
    assert_eq!(events.event().await.state(), SessionState::WrappingUp);
    let settled = events.event().await;
    assert!(
        settled.synthetic && settled.state() == SessionState::Idle,
        "{settled:?}"
    );
}

#[tokio::test]
async fn bad_requests_are_named() {
    let world = World::new().await;
    let service = world.serve().await;
    let mut client = chatbridge::grpc::proto::agent_event_service_client::AgentEventServiceClient::new(
        service.channel().await,
    );
    let cases = [
        (
            AgentEventsRequest {
                kinds: vec![99],
                ..AgentEventsRequest::default()
            },
            "INVALID_FIELD",
            "kinds[0]",
        ),
        (
            AgentEventsRequest {
                conversation_ids: vec![String::new()],
                ..AgentEventsRequest::default()
            },
            "INVALID_FIELD",
            "conversation_ids[0]",
        ),
        (
            AgentEventsRequest {
                start: Some(Start::Cursor(bytes::Bytes::from_static(b"nonsense"))),
                ..AgentEventsRequest::default()
            },
            "CURSOR_INVALID",
            "cursor",
        ),
        (
            AgentEventsRequest {
                start: Some(Start::Time(prost_types::Timestamp {
                    seconds: -1,
                    nanos: 0,
                })),
                ..AgentEventsRequest::default()
            },
            "INVALID_FIELD",
            "time",
        ),
    ];
    for (request, reason, field) in cases {
        let status = client.agent_events(request).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument, "{status}");
        assert_eq!(status.get_details_error_info().unwrap().reason, reason);
        assert_eq!(
            status.get_details_bad_request().unwrap().field_violations[0].field,
            field
        );
    }
    let other = AgentEventsRequest {
        tenant: "other".into(),
        ..AgentEventsRequest::default()
    };
    assert_eq!(
        client.agent_events(other).await.unwrap_err().code(),
        Code::NotFound
    );
}
