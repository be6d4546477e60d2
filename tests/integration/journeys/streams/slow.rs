//! Streams that do not read, or too slowly.

use std::{sync::Arc, time::Duration};

use chatbridge::grpc::proto::agent_event_service_client::AgentEventServiceClient;
use chatbridge::{
    conversation::SessionChange,
    event::{ConversationKey, Event, EventBody, Message, Participant, TenantId},
    grpc::convert::encode_event,
    store::{
        Append, Retention, Store as _,
        entry::encode_content,
        redis::{RedisSettings, RedisStore, RedisTls},
    },
};
use futures_util::{StreamExt as _, stream};

use super::*;
use crate::support::vendor::TENANT;

/// Appends to a world's log directly: many times as fast as by webhooks.
pub(super) struct Writer(Arc<RedisStore>);

impl Writer {
    pub(super) async fn of(world: &World) -> Self {
        let settings = RedisSettings {
            url: world.redis_url.clone().into(),
            tls: RedisTls::default(),
            prefix: world.prefix.clone(),
            partitions: 16,
            retention: Retention::default(),
            wait: None,
            claims: None,
            master_keys: None,
        };
        Self(Arc::new(RedisStore::connect(settings).await.unwrap()))
    }

    /// Appends more than is sent ahead to a client that does not read.
    pub(super) async fn fill(&self) {
        let append = |number| self.append(format!("c{}", number % 8), number, 8192);
        stream::iter(0..1500).for_each_concurrent(32, append).await;
    }

    async fn append(&self, conversation: String, number: usize, bytes: usize) {
        let text = format!("{number} {}", "x".repeat(bytes));
        let event = Event {
            key: ConversationKey::new(TenantId::new(TENANT), conversation),
            id: format!("direct-{number}"),
            occurred_ms: 1,
            received_ms: 1,
            vendor_type: "MESSAGE".into(),
            synthetic: false,
            body: EventBody::Message(Message {
                id: String::new(),
                author: Participant::new("agent", None),
                text,
                created_ms: None,
                attachments: Vec::new(),
                cards: Vec::new(),
                external_provider: None,
                echo: false,
            }),
            traceparent: None,
        };
        let (head, body) = encode_event(&event);
        let append = Append {
            key: event.key.clone(),
            event_id: event.id.clone(),
            digest: [0; 32],
            head,
            content: encode_content(body, bytes::Bytes::new()),
            change: SessionChange::by_event(&event),
            echo: None,
            settle_after_ms: 1000,
        };
        self.0.append(&append).await.unwrap();
    }
}

/// Reads events until each of eight conversations has had as many as that, in order and without a hole.
async fn read_all(events: &mut Events, count: u64) {
    let mut next = [1; 8];
    while next.iter().any(|n| *n <= count) {
        let event = events.event().await;
        let conversation: usize = event.conversation_id[1..].parse().unwrap();
        assert_eq!(event.sequence, next[conversation], "of {}", event.conversation_id);
        next[conversation] += 1;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn streams_that_do_not_read_cost_bounded_memory_and_delay_nobody() {
    const STALLED: u64 = 200;
    const EVENTS: u64 = 20_000;
    let world = World::new().await;
    let service = world.serve().await;
    let writer = Writer::of(&world).await;
    let mut quick = service.events(AgentEventsRequest::default()).await;
    let open = |_| service.events(AgentEventsRequest::default());
    let mut stalled: Vec<Events> = stream::iter(0..STALLED)
        .map(open)
        .buffer_unordered(16)
        .collect()
        .await;
    let (before, _) = service.memory();

    let writing = tokio::spawn(async move {
        let append = |number: u64| {
            let number = usize::try_from(number).unwrap();
            writer.append(format!("c{}", number % 8), number, 2048)
        };
        stream::iter(0..EVENTS).for_each_concurrent(32, append).await;
    });
    read_all(&mut quick, EVENTS / 8).await;
    writing.await.unwrap();

    let (after, highest) = service.memory();
    let each = highest.saturating_sub(before) / STALLED;
    println!("{before} bytes before, {after} after, {highest} at the most: {each} for each that stalled");
    // What HTTP/2 holds for a stream is 400 KiB at the most; all that was logged meanwhile is 40 MiB, for each.
    assert!(each < 640 * 1024, "{each} bytes for each stream that stalled");
    eventually("they are told apart from the quick one", async || {
        let behind = service.metric("chatbridge_subscribers_behind").await;
        ((behind - STALLED as f64).abs() < 0.5).then_some(())
    })
    .await;
    assert!(service.metric("chatbridge_subscriber_lag_max").await > EVENTS as f64 / 2.0);

    read_all(stalled.last_mut().unwrap(), EVENTS / 8).await;

    // Whoever reads is not too slow, however far behind it is.
    let strict = world.serve_with(&[("stream_lag_max_events", "100")]).await;
    let from_the_earliest = AgentEventsRequest {
        start: Some(Start::Position(StartPosition::Earliest.into())),
        ..AgentEventsRequest::default()
    };
    read_all(&mut strict.events(from_the_earliest).await, EVENTS / 8).await;
}

#[tokio::test]
async fn a_stream_whose_client_answers_and_never_reads_is_over_in_the_end() {
    let world = World::new().await;
    Writer::of(&world).await.fill().await;
    let from_the_earliest = || AgentEventsRequest {
        start: Some(Start::Position(StartPosition::Earliest.into())),
        ..AgentEventsRequest::default()
    };
    for because in [("stream_max_age_seconds", "1"), ("stream_lag_max_events", "100")] {
        let keepalive = [("keepalive_ms", "300"), ("keepalive_timeout_ms", "200")];
        let service = world
            .serve_with(&[keepalive[0], keepalive[1], ("streams_max", "1"), because])
            .await;
        let mut unread = service.events(from_the_earliest()).await;
        let mut client = AgentEventServiceClient::new(service.channel().await);
        eventually("there is room for another", async || {
            client.agent_events(AgentEventsRequest::default()).await.ok()
        })
        .await;
        let ended = service
            .metric(r#"chatbridge_stream_endings_total{reason="unread"}"#)
            .await;
        assert!((ended - 1.0).abs() < f64::EPSILON, "{because:?}");
        // Its client reads what was sent ahead, and goes on from the cursor.
        while let Ok(payload) = unread.next().await {
            assert!(matches!(payload, Payload::Event(_)), "{payload:?}");
        }
    }
}

#[tokio::test]
async fn a_stream_that_falls_behind_for_good_is_ended_and_may_come_back() {
    let world = World::new().await;
    let service = world.serve_with(&[("stream_lag_max_events", "500")]).await;
    let writer = Writer::of(&world).await;
    let mut slow = service.events(AgentEventsRequest::default()).await;

    let stop = tokio_util::sync::CancellationToken::new();
    let writing = async {
        for number in 0.. {
            if stop.is_cancelled() {
                return number;
            }
            writer.append("c".into(), number, 8192).await;
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        unreachable!()
    };
    let reading = async {
        let mut last = 0;
        let ending = loop {
            match slow.next().await.unwrap() {
                Payload::Event(event) => {
                    assert_eq!(event.sequence, last + 1);
                    last = event.sequence;
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                Payload::Heartbeat(_) => {}
                Payload::Ending(ending) => break ending,
                other => panic!("there came {other:?}"),
            }
        };
        stop.cancel();
        (last, ending)
    };
    let (written, (last, ending)) = tokio::join!(writing, reading);
    assert_eq!(ending.reason(), EndingReason::TooSlow);
    assert_eq!(ending.reconnect(), ReconnectAdvice::Later);
    assert!(ending.retry_after.is_some());
    let ended = service
        .metric(r#"chatbridge_stream_endings_total{reason="too_slow"}"#)
        .await;
    assert!((ended - 1.0).abs() < f64::EPSILON);

    // Its cursor leads on, and a reader that is quick enough catches up.
    let resumed = AgentEventsRequest {
        start: Some(Start::Cursor(slow.cursor.clone())),
        ..AgentEventsRequest::default()
    };
    let mut resumed = service.events(resumed).await;
    for sequence in last + 1..=written as u64 {
        assert_eq!(resumed.event().await.sequence, sequence);
    }
}
