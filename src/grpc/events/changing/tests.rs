//! Streams that look for their changes while the store is silent, or fails.

use std::future::{pending, poll_fn, ready};

use tokio_util::sync::CancellationToken;

use super::*;
use crate::{
    fanout::{Filter, GapPolicy, Hub, Start},
    grpc::{
        events::{
            packed::Packed,
            rights::Rights,
            stream::{EventStream, StreamSettings},
        },
        gate::{Gate, Limits},
        proto::{AgentEventsResponse, agent_events_response::Payload},
        source::Source,
    },
    store::{Retention, StreamChange, memory::MemoryStore},
};

const DAY: Duration = Duration::from_secs(86_400);

struct House {
    store: SharedStore,
    hub: Arc<Hub>,
    bells: Arc<Bells>,
}

impl House {
    fn new() -> Self {
        let store: SharedStore = Arc::new(MemoryStore::new(4, Retention::default()));
        Self {
            hub: Hub::new(Arc::clone(&store)),
            store,
            bells: Arc::default(),
        }
    }

    async fn changeable(&self) -> Changeable {
        Changeable::open(TenantId::new("t"), Arc::clone(&self.store), &self.bells, &[])
            .await
            .unwrap()
    }

    fn subscriber(&self) -> Subscriber {
        let filter = Filter {
            tenant: TenantId::new("t"),
            conversations: [].into(),
            share: None,
            kinds: [].into(),
            echoes: true,
        };
        Subscriber::changeable(Arc::clone(&self.hub), filter, Start::Latest, GapPolicy::Fail)
    }
}

fn stream(subscriber: Subscriber, changeable: Changeable) -> EventStream {
    let settings = StreamSettings {
        heartbeat: DAY,
        max_age: DAY * 2,
        drain_spread: Duration::ZERO,
        lag_max: 0,
    };
    let admitted = Gate::new(Limits::default()).admit(None).unwrap();
    let source = Source::Plain(Box::new(subscriber));
    EventStream::new(
        source,
        false,
        Arc::new(settings),
        Arc::default(),
        Rights::fixed(),
        admitted,
    )
    .with_changes(changeable)
}

/// The next response.
async fn next(stream: &mut EventStream) -> Payload {
    let mut out = Packed::default();
    let polled = poll_fn(|context| stream.poll_response(context, &mut out)).await;
    polled.unwrap().unwrap();
    // Behind what gRPC puts before a message.
    let response = AgentEventsResponse::decode(out.take().slice(5..)).unwrap();
    response.payload.unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_look_that_the_store_does_not_answer_costs_no_polls() {
    let house = House::new();
    let mut changeable = house.changeable().await;
    changeable.looking = Some(Box::pin(pending()));
    tokio::time::advance(LOOK_EVERY * 2).await;
    let mut stream = stream(house.subscriber(), changeable);
    assert!(matches!(next(&mut stream).await, Payload::Heartbeat(_)));
    let mut polls = 0;
    let polled = poll_fn(|context| {
        polls += 1;
        assert!(polls < 10, "it is polled again and again");
        stream.poll_response(context, &mut Packed::default())
    });
    let polled = tokio::time::timeout(Duration::from_secs(60), polled).await;
    assert!(polled.is_err(), "nothing came");
}

#[tokio::test(start_paused = true)]
async fn a_change_whose_look_failed_is_looked_for_again_soon() {
    let house = House::new();
    tokio::spawn(Arc::clone(&house.hub).run(CancellationToken::new()));
    let mut subscriber = house.subscriber();
    subscriber.join(Duration::from_secs(1)).await.unwrap();
    let mut changeable = house.changeable().await;
    let request = ChangeAgentEventsRequest {
        stream_id: changeable.id().to_owned(),
        add_conversation_ids: vec!["c".to_owned()],
        ..ChangeAgentEventsRequest::default()
    };
    let change = StreamChange {
        add: request.add_conversation_ids.clone(),
        remove: Vec::new(),
        record: request.encode_to_vec().into(),
    };
    house
        .store
        .streams()
        .change(&changeable.stream, &change)
        .await
        .unwrap();
    changeable.rang = true;
    changeable.looking = Some(Box::pin(ready(Err(StoreError::Unavailable(
        "for a moment".into(),
    )))));

    let started = Instant::now();
    let mut stream = stream(subscriber, changeable);
    assert!(matches!(next(&mut stream).await, Payload::Heartbeat(_)));
    assert!(matches!(next(&mut stream).await, Payload::Changed(_)));
    assert!(started.elapsed() < LOOK_EVERY / 3, "{:?}", started.elapsed());
}
