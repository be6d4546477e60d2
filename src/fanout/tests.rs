//! The seam between the log and the live feed, over the in-memory store: whatever a subscriber does and whatever happens
//! to the feed, it gets every matching entry once and each conversation's in order.

use std::{collections::HashMap, sync::Arc, time::Duration};

use proptest::prelude::*;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::{
    conversation::SessionChange,
    event::{ConversationKey, Event, EventBody, Position, TenantId},
    grpc::convert::encode_event,
    store::{
        Append, Appended, Cursor, GapReason, Retention, SharedStore, entry::encode_content,
        memory::MemoryStore, partition,
    },
};

mod changes;
mod edges;
mod gone;

const PARTITIONS: u16 = 4;
const SOON: Duration = Duration::from_secs(10);

struct House {
    store: SharedStore,
    memory: Arc<MemoryStore>,
    hub: Arc<Hub>,
    stop: CancellationToken,
    feed: Option<tokio::task::JoinHandle<()>>,
    next_event: u64,
    /// When the entries of each conversation were logged.
    logged: HashMap<String, Vec<u64>>,
}

impl House {
    fn new() -> Self {
        Self::over(MemoryStore::new(PARTITIONS, Retention::default()))
    }

    fn over(memory: MemoryStore) -> Self {
        let memory = Arc::new(memory);
        let store: SharedStore = Arc::clone(&memory) as SharedStore;
        let hub = Hub::new(Arc::clone(&store));
        let mut house = Self {
            store,
            memory,
            hub,
            stop: CancellationToken::new(),
            feed: None,
            next_event: 0,
            logged: HashMap::new(),
        };
        house.feed();
        house
    }

    fn feed(&mut self) {
        self.stop = CancellationToken::new();
        self.feed = Some(tokio::spawn(Arc::clone(&self.hub).run(self.stop.clone())));
    }

    async fn break_feed(&mut self) {
        self.stop.cancel();
        if let Some(feed) = self.feed.take() {
            feed.await.unwrap();
        }
        self.feed();
    }

    async fn append(&mut self, conversation: &str) -> (String, u64) {
        self.next_event += 1;
        let event = Event {
            key: ConversationKey::new(TenantId::new("t"), conversation),
            id: format!("e{}", self.next_event),
            occurred_ms: 1,
            received_ms: 1,
            vendor_type: String::new(),
            synthetic: false,
            body: EventBody::Transferred,
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
        match self.store.append(&append).await.unwrap() {
            Appended::New { id, sequence, .. } => {
                self.logged
                    .entry(conversation.to_owned())
                    .or_default()
                    .push(id.ms);
                (conversation.to_owned(), sequence)
            }
            other => panic!("{other:?}"),
        }
    }

    /// Waits until the feed has handed out all that was appended.
    async fn all_handed_out(&self) {
        let tails = self.store.tails().await.unwrap();
        let is_all =
            |reached: Arc<places::Reached>| (0..).zip(&tails).all(|(p, tail)| reached.at(p) == *tail);
        let waiting = async {
            while !self.hub.reached().is_some_and(is_all) {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(SOON, waiting).await.expect("the feed comes");
    }

    async fn subscribe(&self, conversations: &[&str], start: Start, policy: GapPolicy) -> Subscriber {
        let filter = Filter {
            tenant: TenantId::new("t"),
            conversations: conversations.iter().map(|c| (*c).to_owned()).collect(),
            share: None,
            kinds: [].into(),
            echoes: true,
        };
        self.subscribe_with(filter, start, policy).await
    }

    async fn subscribe_with(&self, filter: Filter, start: Start, policy: GapPolicy) -> Subscriber {
        let mut subscriber = Subscriber::new(Arc::clone(&self.hub), filter, start, policy);
        subscriber.join(SOON).await.unwrap();
        subscriber
    }
}

impl Drop for House {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// The next entry's conversation and sequence.
async fn next(subscriber: &mut Subscriber) -> (String, u64) {
    let delivery = tokio::time::timeout(SOON, subscriber.next())
        .await
        .expect("a delivery");
    match delivery.unwrap() {
        Delivery::Entry(entry) => {
            let event: crate::grpc::proto::AgentEvent = prost::Message::decode(entry.event.clone()).unwrap();
            (event.conversation_id, event.sequence)
        }
        other => panic!("{other:?}"),
    }
}

/// What a stream has had: the next sequence of each conversation must be the one behind the last.
#[derive(Default)]
struct Ledger(HashMap<String, u64>);

impl Ledger {
    fn note(&mut self, (conversation, sequence): (String, u64)) {
        let last = self.0.entry(conversation.clone()).or_default();
        assert_eq!(sequence, *last + 1, "of {conversation}");
        *last = sequence;
    }
}

#[derive(Debug, Clone)]
enum Step {
    /// Append to this conversation, as many entries.
    Append(u8, u16),
    /// Read as many entries, at most as many as there are.
    Read(u16),
    /// Go away, and come back with the last cursor.
    Resume,
    /// The cursor goes through its bytes, and a heartbeat passes.
    Beat,
    /// The live feed breaks and comes back.
    Break,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0_u8..6, 1_u16..40).prop_map(|(c, n)| Step::Append(c, n)),
        1 => (0_u8..6, 250_u16..400).prop_map(|(c, n)| Step::Append(c, n)),
        4 => (1_u16..300).prop_map(Step::Read),
        1 => Just(Step::Resume),
        1 => Just(Step::Beat),
        1 => Just(Step::Break),
    ];
    prop::collection::vec(step, 1..25)
}

async fn play(steps: Vec<Step>, filter: &[&str]) {
    let mut house = House::new();
    let mut subscriber = house.subscribe(filter, Start::Earliest, GapPolicy::Fail).await;
    let (mut ledger, mut outstanding) = (Ledger::default(), 0_u64);
    for step in steps {
        match step {
            Step::Append(conversation, count) => {
                for _ in 0..count {
                    let (conversation, _) = house.append(&format!("c{conversation}")).await;
                    outstanding += u64::from(filter.is_empty() || filter.contains(&conversation.as_str()));
                }
            }
            Step::Read(count) => {
                for _ in 0..outstanding.min(count.into()) {
                    ledger.note(next(&mut subscriber).await);
                    outstanding -= 1;
                }
            }
            Step::Resume => {
                let cursor = Cursor::decode(&subscriber.encoded_cursor()).unwrap();
                assert_eq!(cursor.positions, subscriber.cursor().positions);
                drop(subscriber);
                subscriber = house
                    .subscribe(filter, Start::Cursor(cursor), GapPolicy::Fail)
                    .await;
            }
            Step::Beat => {
                if let Some(Delivery::Entry(entry)) = subscriber.skip_unmatched() {
                    let event: crate::grpc::proto::AgentEvent =
                        prost::Message::decode(entry.event.clone()).unwrap();
                    ledger.note((event.conversation_id, event.sequence));
                    outstanding -= 1;
                }
            }
            Step::Break => {
                house.break_feed().await;
            }
        }
    }
    for _ in 0..outstanding {
        ledger.note(next(&mut subscriber).await);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_missed_doubled_or_reordered(steps in steps(), narrow in any::<bool>()) {
        let filter: &[&str] = if narrow { &["c1", "c2", "c3"] } else { &[] };
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(play(steps, filter));
    }
}

#[tokio::test]
async fn the_latest_is_what_comes_after_the_joining() {
    let mut house = House::new();
    house.append("a").await;
    let mut subscriber = house.subscribe(&[], Start::Latest, GapPolicy::Fail).await;
    let second = house.append("a").await;
    assert_eq!(next(&mut subscriber).await, second);
}

#[tokio::test]
async fn a_filter_that_grew_reads_its_new_partitions_from_the_cursors_time_on() {
    let mut house = House::new();
    let mut narrow = house.subscribe(&["a"], Start::Latest, GapPolicy::Fail).await;
    let first = house.append("a").await;
    assert_eq!(next(&mut narrow).await, first);
    let cursor = narrow.cursor();
    let mut expected = Vec::new();
    for conversation in ["b", "c", "d", "e", "f"] {
        expected.push(house.append(conversation).await);
    }
    let mut wide = house.subscribe(&[], Start::Cursor(cursor), GapPolicy::Fail).await;
    let mut seen = Vec::new();
    for _ in &expected {
        seen.push(next(&mut wide).await);
    }
    seen.sort();
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn a_share_gets_the_entries_of_its_conversations_from_the_log_and_live() {
    let mut house = House::new();
    let conversations: Vec<String> = (0..40).map(|i| format!("c{i}")).collect();
    let share = |name: &str| partition::share(&ConversationKey::new(TenantId::new("t"), name), PARTITIONS);
    let wanted = share("c0");
    for name in &conversations {
        house.append(name).await;
    }
    let filter = Filter {
        tenant: TenantId::new("t"),
        conversations: [].into(),
        share: Some([wanted].into()),
        kinds: [].into(),
        echoes: true,
    };
    let mut subscriber = house
        .subscribe_with(filter, Start::Earliest, GapPolicy::Fail)
        .await;
    let of_share = || conversations.iter().filter(|name| share(name) == wanted);
    for name in of_share() {
        assert_eq!(next(&mut subscriber).await, (name.clone(), 1));
    }
    for name in &conversations {
        house.append(name).await;
    }
    for name in of_share() {
        assert_eq!(next(&mut subscriber).await, (name.clone(), 2));
    }
}

#[tokio::test]
async fn a_wiped_log_is_a_gap_for_each_policy() {
    for policy in [GapPolicy::Fail, GapPolicy::Earliest, GapPolicy::Latest] {
        let mut house = House::new();
        let mut subscriber = house.subscribe(&["a"], Start::Earliest, policy).await;
        let first = house.append("a").await;
        assert_eq!(next(&mut subscriber).await, first);
        let cursor = subscriber.cursor();
        drop(subscriber);
        house.memory.wipe();
        let after = house.append("a").await;
        let mut live = house.hub.live();
        live.wait_for(|live| *live).await.unwrap();

        let mut subscriber = house.subscribe(&["a"], Start::Cursor(cursor), policy).await;
        let delivery = tokio::time::timeout(SOON, subscriber.next())
            .await
            .unwrap()
            .unwrap();
        assert!(
            matches!(delivery, Delivery::Gap(gap, Some(_)) if gap.reason == GapReason::Wiped),
            "{delivery:?}"
        );
        match policy {
            GapPolicy::Fail => assert!(subscriber.next().await.is_err()),
            GapPolicy::Earliest => assert_eq!(next(&mut subscriber).await, after),
            GapPolicy::Latest => {
                let newest = house.append("a").await;
                let mut got = next(&mut subscriber).await;
                // The feed may have joined before the wiped log was written anew.
                if got == after {
                    got = next(&mut subscriber).await;
                }
                assert_eq!(got, newest);
            }
        }
    }
}
