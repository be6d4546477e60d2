//! Conversations are added to a subscriber and taken off it, at any time and with any start.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU64, Ordering},
};

use futures_util::FutureExt as _;

use super::*;

/// Which sequence comes next of a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Is(u64),
    /// One that is not greater.
    UpTo(u64),
}

/// A changeable subscriber, and what it is to get.
struct Follower {
    subscriber: Subscriber,
    /// For each conversation that it has, what comes next.
    expected: BTreeMap<String, Next>,
    revision: u64,
}

impl House {
    fn changeable(&self, conversations: &[String], start: Start) -> Subscriber {
        let filter = Filter {
            tenant: TenantId::new("t"),
            conversations: conversations.iter().cloned().collect(),
            share: None,
            kinds: [].into(),
            echoes: true,
        };
        Subscriber::changeable(Arc::clone(&self.hub), filter, start, GapPolicy::Fail)
    }

    async fn follow(&self, conversations: &[String], start: Start) -> Subscriber {
        let mut subscriber = self.changeable(conversations, start);
        subscriber.join(SOON).await.unwrap();
        subscriber
    }

    /// The cursor of somebody who has read that many entries of a conversation.
    async fn cursor_behind(&self, conversation: &str, count: u64) -> Cursor {
        let mut reader = self
            .subscribe(&[conversation], Start::Earliest, GapPolicy::Fail)
            .await;
        for _ in 0..count {
            next(&mut reader).await;
        }
        reader.cursor()
    }
}

fn added(conversation: &str, start: Start) -> Added {
    Added {
        conversation: conversation.to_owned(),
        start,
    }
}

impl Follower {
    fn note(&mut self, entry: &crate::store::Entry) {
        let event: crate::grpc::proto::AgentEvent = prost::Message::decode(entry.event.clone()).unwrap();
        let expected = self.expected.get_mut(&event.conversation_id);
        let expected = expected.unwrap_or_else(|| panic!("{} was taken off", event.conversation_id));
        let fits = match *expected {
            Next::Is(sequence) => event.sequence == sequence,
            Next::UpTo(sequence) => event.sequence <= sequence,
        };
        let (conversation, sequence) = (event.conversation_id, event.sequence);
        assert!(fits, "{sequence} of {conversation} instead of {expected:?}");
        *expected = Next::Is(sequence + 1);
    }

    /// The next delivery; whether it told of a change.
    async fn step(&mut self) -> bool {
        let delivery = tokio::time::timeout(SOON, self.subscriber.next()).await;
        match delivery.expect("a delivery").unwrap() {
            Delivery::Entry(entry) => self.note(&entry),
            Delivery::Changed(revision) => {
                assert_eq!(revision, self.revision);
                return true;
            }
            other => panic!("{other:?}"),
        }
        false
    }

    /// Changes it, and waits until that holds.
    async fn change(&mut self, remove: &[String], add: &[(String, Start, Next)]) {
        self.revision += 1;
        self.subscriber.change(Change {
            revision: self.revision,
            remove: remove.to_vec(),
            add: add.iter().map(|(c, start, _)| added(c, start.clone())).collect(),
        });
        // What comes before the change was told may be of those that are being added already: they come in pieces.
        let before = self.expected.clone();
        for (conversation, _, first) in add {
            if remove.contains(conversation) || !before.contains_key(conversation) {
                // Of one that is in both, what comes may still be of before.
                let first = if before.contains_key(conversation) {
                    Next::UpTo(u64::MAX)
                } else {
                    *first
                };
                self.expected.insert(conversation.clone(), first);
            }
        }
        while !self.step().await {}
        for conversation in remove {
            if !add.iter().any(|(added, _, _)| added == conversation) {
                self.expected.remove(conversation);
            }
        }
    }

    fn conversations(&self) -> Vec<String> {
        self.expected.keys().cloned().collect()
    }
}

#[derive(Debug, Clone)]
enum Step {
    Append(u8, u16),
    /// Add these with a start: 0 latest, 1 earliest, 2 behind so many of theirs, 3 at the time of so many ticks ago, 4 at a
    /// cursor of that time.
    Add(Vec<u8>, u8, u16),
    Remove(Vec<u8>),
    Read(u16),
    Resume,
    /// A heartbeat, just when it has looked for what comes and has not got it yet.
    Beat,
    /// All that was appended is handed out.
    Catch,
    Break,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let some = || prop::collection::vec(0_u8..12, 1..9);
    let step = prop_oneof![
        4 => (0_u8..12, 1_u16..20).prop_map(|(c, n)| Step::Append(c, n)),
        1 => (0_u8..12, 250_u16..300).prop_map(|(c, n)| Step::Append(c, n)),
        4 => (some(), 0_u8..5, 0_u16..30).prop_map(|(c, start, n)| Step::Add(c, start, n)),
        2 => some().prop_map(Step::Remove),
        4 => (1_u16..60).prop_map(Step::Read),
        3 => Just(Step::Resume),
        3 => Just(Step::Beat),
        1 => Just(Step::Catch),
        1 => Just(Step::Break),
    ];
    prop::collection::vec(step, 1..30)
}

fn name(number: u8) -> String {
    format!("c{number}")
}

/// Up to where a follower has had everything.
fn outstanding(follower: &Follower, totals: &BTreeMap<String, u64>) -> u64 {
    let missing = |(conversation, next): (&String, &Next)| {
        let total = totals.get(conversation).copied().unwrap_or(0);
        let (Next::Is(next) | Next::UpTo(next)) = *next;
        (total + 1).saturating_sub(next)
    };
    follower.expected.iter().map(missing).sum()
}

/// A house whose clock only the test moves.
fn with_clock() -> (House, Arc<AtomicU64>) {
    let clock = Arc::new(AtomicU64::new(1_800_000_000_000));
    let told = Arc::clone(&clock);
    let now = move || told.load(Ordering::SeqCst);
    let store = MemoryStore::with_clock(PARTITIONS, Retention::default(), now);
    (House::over(store), clock)
}

/// A cursor as a call gives it out, that names a time alone.
fn at_time(time_ms: u64) -> Start {
    Start::Cursor(Cursor {
        time_ms,
        partitions: PARTITIONS,
        positions: Vec::new(),
        lanes: Vec::new(),
    })
}

async fn play(steps: Vec<Step>) {
    let (mut house, clock) = with_clock();
    let mut totals: BTreeMap<String, u64> = BTreeMap::new();
    let subscriber = house.follow(&[], Start::Latest).await;
    let mut follower = Follower {
        subscriber,
        expected: BTreeMap::new(),
        revision: 0,
    };
    for step in steps {
        clock.fetch_add(1, Ordering::SeqCst);
        match step {
            Step::Append(conversation, count) => {
                for _ in 0..count {
                    house.append(&name(conversation)).await;
                }
                *totals.entry(name(conversation)).or_default() += u64::from(count);
            }
            Step::Add(conversations, start, count) => {
                let mut adds = Vec::new();
                for conversation in conversations
                    .into_iter()
                    .collect::<std::collections::BTreeSet<_>>()
                {
                    let conversation = name(conversation);
                    let total = totals.get(&conversation).copied().unwrap_or(0);
                    let behind = u64::from(count).min(total);
                    let ms = clock.load(Ordering::SeqCst) - u64::from(count);
                    let before = house.logged.get(&conversation).into_iter().flatten();
                    let before = before.filter(|logged| **logged < ms).count() as u64;
                    let (start, first) = match start {
                        0 => (Start::Latest, Next::UpTo(total + 1)),
                        1 => (Start::Earliest, Next::Is(1)),
                        2 => {
                            let cursor = house.cursor_behind(&conversation, behind).await;
                            (Start::Cursor(cursor), Next::Is(behind + 1))
                        }
                        // What the feed has not handed out yet counts as now.
                        3 => (Start::Time(ms), Next::UpTo(before + 1)),
                        _ => (at_time(ms), Next::UpTo(before + 1)),
                    };
                    adds.push((conversation, start, first));
                }
                follower.change(&[], &adds).await;
            }
            Step::Remove(conversations) => {
                let names: Vec<String> = conversations.into_iter().map(name).collect();
                follower.change(&names, &[]).await;
            }
            Step::Read(count) => {
                for _ in 0..outstanding(&follower, &totals).min(count.into()) {
                    follower.step().await;
                }
            }
            Step::Resume => {
                let cursor = Cursor::decode(&follower.subscriber.encoded_cursor()).unwrap();
                assert_eq!(cursor, follower.subscriber.cursor());
                let conversations = follower.conversations();
                follower.subscriber = house.follow(&conversations, Start::Cursor(cursor)).await;
            }
            Step::Beat => {
                match follower.subscriber.next().now_or_never() {
                    Some(Ok(Delivery::Entry(entry))) => follower.note(&entry),
                    None => {}
                    other => panic!("{other:?}"),
                }
                if let Some(Delivery::Entry(entry)) = follower.subscriber.skip_unmatched() {
                    follower.note(&entry);
                }
            }
            Step::Catch => house.all_handed_out().await,
            Step::Break => house.break_feed().await,
        }
    }
    // Whoever started at the latest and had nothing yet has it from the next entry on.
    for conversation in follower.conversations() {
        house.append(&conversation).await;
        *totals.entry(conversation).or_default() += 1;
    }
    while follower
        .expected
        .iter()
        .any(|(conversation, next)| *next != Next::Is(totals[conversation] + 1))
    {
        follower.step().await;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_changed_nothing_is_missed_or_doubled(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(play(steps));
    }
}

#[tokio::test]
async fn a_lane_that_the_stream_has_come_to_is_not_read_again_by_who_resumes() {
    // The stream is at the beginning of a partition that was not written before, and the conversation starts ahead of it.
    let steps = vec![
        Step::Add(vec![8], 0, 0),
        Step::Append(10, 1),
        Step::Add(vec![10], 2, 1),
        Step::Append(10, 250),
        Step::Read(1),
        Step::Resume,
    ];
    for _ in 0..20 {
        play(steps.clone()).await;
    }
}

#[tokio::test]
async fn a_heartbeat_does_not_overtake_what_is_still_to_be_read_of_a_conversation() {
    // The stream begins live, and has a lane.
    let steps = vec![
        Step::Append(3, 4),
        Step::Catch,
        Step::Add(vec![3], 1, 0),
        Step::Resume,
        Step::Append(3, 1),
        Step::Catch,
        Step::Beat,
        Step::Read(5),
    ];
    play(steps).await;
}

#[tokio::test]
async fn a_start_at_a_time_behind_which_nothing_came_does_not_hold_a_change_up() {
    for resumes in [false, true] {
        for start in [3, 4] {
            let mut steps = vec![Step::Append(0, 1), Step::Append(1, 1), Step::Catch];
            steps.push(Step::Add((0..12).collect(), start, 0));
            if resumes {
                steps.extend([Step::Resume, Step::Remove(vec![0]), Step::Add(vec![0], start, 0)]);
            }
            play(steps).await;
        }
    }
}

#[tokio::test]
async fn a_cursor_with_times_that_are_to_come_does_not_hold_a_change_up() {
    let (mut house, clock) = with_clock();
    house.append("c0").await;
    house.all_handed_out().await;
    let names: Vec<String> = (0..6).map(name).collect();
    let mut cursor = house.changeable(&names, Start::Latest).cursor();
    let tails = house.store.tails().await.unwrap();
    cursor.positions = (0..).zip(tails).collect();
    let at = Position::Since(clock.fetch_add(1, Ordering::SeqCst) + 1);
    // As a service gave it out that let them wait.
    cursor.lanes = names[..5]
        .iter()
        .map(|conversation| crate::store::cursor::Lane {
            conversation: partition::fingerprint(&ConversationKey::new(TenantId::new("t"), conversation)),
            at,
        })
        .collect();
    let mut subscriber = house.follow(&names, Start::Cursor(cursor)).await;
    subscriber.change(Change {
        revision: 1,
        remove: Vec::new(),
        add: [added("c7", Start::Latest)].into(),
    });
    let changed = tokio::time::timeout(SOON, subscriber.next()).await;
    assert!(matches!(changed, Ok(Ok(Delivery::Changed(1)))), "{changed:?}");
    let first = house.append("c3").await;
    assert_eq!(next(&mut subscriber).await, first);
}

#[tokio::test]
async fn one_without_conversations_gets_nothing_until_some_are_added() {
    let mut house = House::new();
    house.append("a").await;
    let mut subscriber = house.follow(&[], Start::Earliest).await;
    let nothing = tokio::time::timeout(Duration::from_millis(50), subscriber.next()).await;
    assert!(nothing.is_err(), "{nothing:?}");
    subscriber.change(Change {
        revision: 1,
        remove: Vec::new(),
        add: [added("a", Start::Earliest)].into(),
    });
    let changed = subscriber.next().await.unwrap();
    assert!(matches!(changed, Delivery::Changed(1)), "{changed:?}");
    assert_eq!(next(&mut subscriber).await, ("a".to_owned(), 1));
}

#[tokio::test]
async fn a_cursor_from_amid_the_past_of_one_goes_on_there() {
    let mut house = House::new();
    // Both in one partition, and the stream's own place is behind all of it.
    let other = (0..)
        .map(|i| format!("n{i}"))
        .find(|c| {
            let partition = |c: &str| partition::of(&ConversationKey::new(TenantId::new("t"), c), PARTITIONS);
            partition(c) == partition("a")
        })
        .unwrap();
    for _ in 0..5 {
        house.append("a").await;
        house.append(&other).await;
    }
    let names = ["a".to_owned(), other.clone()];
    let mut subscriber = house.follow(&names[1..], Start::Earliest).await;
    for sequence in 1..=5 {
        assert_eq!(next(&mut subscriber).await, (other.clone(), sequence));
    }
    subscriber.change(Change {
        revision: 1,
        remove: Vec::new(),
        add: [added("a", Start::Earliest)].into(),
    });
    assert!(matches!(subscriber.next().await, Ok(Delivery::Changed(1))));
    for sequence in 1..=2 {
        assert_eq!(next(&mut subscriber).await, ("a".to_owned(), sequence));
    }
    let cursor = subscriber.cursor();
    assert_eq!(cursor.lanes.len(), 1);
    drop(subscriber);
    // A stream of everything has no lanes: it reads the partition from there on.
    let mut all = house
        .subscribe(&[], Start::Cursor(cursor.clone()), GapPolicy::Fail)
        .await;
    let mut of_a = Vec::new();
    while of_a.len() < 3 {
        let (conversation, sequence) = next(&mut all).await;
        if conversation == "a" {
            of_a.push(sequence);
        }
    }
    assert_eq!(of_a, [3, 4, 5]);
    let mut resumed = house.follow(&names, Start::Cursor(cursor)).await;
    for sequence in 3..=5 {
        assert_eq!(next(&mut resumed).await, ("a".to_owned(), sequence));
    }
    let (a, other) = (house.append("a").await, house.append(&other).await);
    assert_eq!(next(&mut resumed).await, a);
    assert_eq!(next(&mut resumed).await, other);
    assert!(resumed.cursor().lanes.is_empty());
}

#[tokio::test]
async fn a_start_that_is_gone_is_a_gap_of_the_streams_policy() {
    let mut house = House::new();
    house.append("a").await;
    let cursor = house.cursor_behind("a", 1).await;
    house.memory.wipe();
    let mut live = house.hub.live();
    house.break_feed().await;
    live.wait_for(|live| *live).await.unwrap();
    let mut subscriber = house.follow(&["b".to_owned()], Start::Latest).await;
    subscriber.change(Change {
        revision: 1,
        remove: Vec::new(),
        add: [added("a", Start::Cursor(cursor))].into(),
    });
    assert!(matches!(subscriber.next().await, Ok(Delivery::Changed(1))));
    let gap = subscriber.next().await.unwrap();
    assert!(
        matches!(gap, Delivery::Gap(gap, _) if gap.reason == GapReason::Wiped),
        "{gap:?}"
    );
    assert!(subscriber.next().await.is_err());
}
