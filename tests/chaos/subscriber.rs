//! A subscriber as the docs ask for: it goes on from its last cursor after every break, obeys `ending`, and takes a
//! stream that is silent for too long as dead. It writes down whatever should not be.

use std::{
    collections::{BTreeMap, HashMap},
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use bytes::Bytes;
use chatbridge::{
    event::{ConversationKey, TenantId},
    grpc::proto::{
        AgentEvent, AgentEventsRequest, AgentEventsResponse, EndingReason, GapPolicy, GapReason,
        StartPosition, agent_event_service_client::AgentEventServiceClient, agent_events_request::Start,
        agent_events_response::Payload,
    },
    store::{Cursor, partition},
};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use tokio::{task::JoinHandle, time::sleep};
use tonic::{Code, Status, transport::Endpoint};

use crate::{
    machine::Stalls,
    vendor::{PARTITIONS, TENANT},
};

/// What the replicas are told to send at least, in milliseconds.
pub const HEARTBEAT_MS: u64 = 1000;

/// After so much silence a stream is taken for dead, unless the machine itself stalled.
const DEAD_AFTER: Duration = Duration::from_secs(6);

/// The partition of a conversation.
pub fn partition_of(conversation: &str) -> u16 {
    partition::of(
        &ConversationKey::new(TenantId::new(TENANT), conversation),
        PARTITIONS,
    )
}

/// How it behaves.
#[derive(Debug, Clone)]
pub struct Habit {
    /// Only these conversations; empty: all.
    pub conversations: Vec<String>,
    /// It hangs up by itself after about so long, again and again.
    pub hangs_up: Option<Duration>,
    /// The door that it prefers.
    pub door: usize,
}

/// A gap that was told.
#[derive(Debug, Clone)]
pub struct Told {
    pub at: Instant,
    pub reason: GapReason,
    /// The partitions in which it moved the cursor.
    pub partitions: Vec<u16>,
}

/// What it saw.
#[derive(Default)]
pub struct Seen {
    /// Events, and when each came first, in which partition.
    pub events: HashMap<String, (Instant, u16)>,
    /// How often events came.
    pub received: u64,
    /// Events that came again although no gap was told in between.
    pub doubled: u64,
    /// Events that came again behind a gap, where the stream went on from the oldest event that is left.
    pub repeated: u64,
    pub gaps: Vec<Told>,
    /// Which event has a place in a conversation, by session epoch and sequence. A gap takes back what it may have taken.
    pub places: HashMap<(String, u64, u64), String>,
    pub streams: u64,
    pub endings: u64,
    pub heartbeats: u64,
    /// The longest time without a response on a stream that was open, and when it was over.
    pub silences: Vec<(Instant, Duration)>,
    /// What breaks a promise, in words.
    pub wrong: Vec<String>,
}

/// A subscriber that runs until it is dropped.
pub struct Subscriber {
    pub habit: Habit,
    seen: Arc<Mutex<Seen>>,
    task: JoinHandle<()>,
}

impl Subscriber {
    pub fn start(habit: Habit, doors: Vec<SocketAddr>, stalls: &Stalls, seed: u64) -> Self {
        let seen = Arc::<Mutex<Seen>>::default();
        let reader = Reader {
            habit: habit.clone(),
            doors,
            stalls: stalls.clone(),
            seen: Arc::clone(&seen),
            cursor: None,
            came: HashMap::new(),
            eras: BTreeMap::new(),
            next: HashMap::new(),
            dice: StdRng::seed_from_u64(seed),
        };
        let task = tokio::spawn(reader.run());
        Self { habit, seen, task }
    }

    /// The acknowledged events of its conversations that it has not seen.
    pub fn missing(&self, acknowledged: &HashMap<String, String>) -> Vec<String> {
        let seen = self.seen();
        let wanted = &self.habit.conversations;
        let missing = acknowledged.iter().filter(|(event, conversation)| {
            (wanted.is_empty() || wanted.contains(conversation)) && !seen.events.contains_key(*event)
        });
        missing.map(|(event, _)| event.clone()).collect()
    }

    pub fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Reader {
    habit: Habit,
    doors: Vec<SocketAddr>,
    stalls: Stalls,
    seen: Arc<Mutex<Seen>>,
    cursor: Option<Bytes>,
    /// Events, and the era of its partition in which each came last.
    came: HashMap<String, u32>,
    /// How many gaps each partition had: each begins a new era of it, and of no other.
    eras: BTreeMap<u16, u32>,
    /// What comes next in a conversation: session epoch and sequence.
    next: HashMap<String, (u64, u64)>,
    dice: StdRng,
}

impl Reader {
    fn note(&self, what: impl FnOnce(&mut Seen)) {
        what(&mut self.seen.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn wrong(&self, what: String) {
        self.note(|seen| seen.wrong.push(what));
    }

    async fn run(mut self) {
        let mut door = self.habit.door;
        loop {
            let address = self.doors[door % self.doors.len()];
            if let Err(status) = self.follow(address).await {
                self.judge(&status);
                door += 1;
                sleep(Duration::from_millis(self.dice.random_range(50..250))).await;
            }
        }
    }

    /// Only what a client is told to expect may end a stream.
    fn judge(&self, status: &Status) {
        let expected = match status.code() {
            Code::Unavailable | Code::Cancelled | Code::Unknown | Code::DeadlineExceeded => true,
            // A connection that broke in the middle of a frame.
            Code::Internal => !status.message().contains("STORE") && !status.message().contains("log"),
            _ => false,
        };
        if !expected {
            self.wrong(format!("a stream ended with {status}"));
        }
    }

    /// Follows one stream to its end.
    async fn follow(&mut self, address: SocketAddr) -> Result<(), Status> {
        let unreachable = |error: tonic::transport::Error| Status::unavailable(error.to_string());
        let channel = Endpoint::from_shared(format!("http://{address}"))
            .map_err(unreachable)?
            .connect_timeout(Duration::from_secs(1))
            .tcp_nodelay(true)
            .connect()
            .await
            .map_err(unreachable)?;
        let start = match &self.cursor {
            Some(cursor) => Start::Cursor(cursor.clone()),
            None => Start::Position(StartPosition::Earliest.into()),
        };
        let request = AgentEventsRequest {
            conversation_ids: self.habit.conversations.clone(),
            start: Some(start),
            gap_policy: GapPolicy::Earliest.into(),
            ..AgentEventsRequest::default()
        };
        let mut client = AgentEventServiceClient::new(channel);
        let opened = self
            .within_patience(Instant::now(), client.agent_events(request))
            .await;
        let mut stream = opened
            .ok_or_else(|| Status::deadline_exceeded("the stream does not open"))??
            .into_inner();
        self.note(|seen| seen.streams += 1);
        let hangs_up = self
            .habit
            .hangs_up
            .map(|mean| Instant::now() + mean.mul_f64(self.dice.random_range(0.2..1.8)));
        let mut last = Instant::now();
        let mut first = true;
        loop {
            if hangs_up.is_some_and(|at| Instant::now() > at) {
                return Ok(());
            }
            let answer = self.within_patience(last, stream.message()).await;
            let now = Instant::now();
            let silence = now - last;
            last = now;
            if silence > Duration::from_millis(HEARTBEAT_MS + HEARTBEAT_MS / 2) {
                self.note(|seen| seen.silences.push((now, silence)));
            }
            let response = answer
                .ok_or_else(|| Status::deadline_exceeded("the stream is silent"))??
                .ok_or_else(|| Status::unavailable("the stream ended without an ending"))?;
            let heartbeat = matches!(response.payload, Some(Payload::Heartbeat(_)));
            if std::mem::take(&mut first) && !heartbeat && !matches!(response.payload, Some(Payload::Gap(_)))
            {
                self.wrong("a stream began with something else than a heartbeat".to_owned());
            }
            if self.take(response) {
                return Ok(());
            }
        }
    }

    /// Waits until a stream is dead, or for what comes on it: a machine that keeps us waiting keeps the service waiting too.
    async fn within_patience<T>(&self, last: Instant, next: impl Future<Output = T>) -> Option<T> {
        tokio::pin!(next);
        loop {
            let left = (DEAD_AFTER + self.stalls.slack()).saturating_sub(last.elapsed());
            match tokio::time::timeout(left, &mut next).await {
                Ok(came) => return Some(came),
                Err(_) if last.elapsed() < DEAD_AFTER + self.stalls.slack() => {}
                Err(_) => return None,
            }
        }
    }

    /// Takes in a response; whether the stream is over by it.
    fn take(&mut self, response: AgentEventsResponse) -> bool {
        let mut over = false;
        match response.payload {
            Some(Payload::Event(event)) => self.take_event(&event),
            Some(Payload::Heartbeat(_)) => self.note(|seen| seen.heartbeats += 1),
            Some(Payload::Gap(gap)) => self.take_gap(gap.reason(), &response.cursor),
            Some(Payload::Ending(ending)) => {
                over = true;
                self.note(|seen| seen.endings += 1);
                if ending.reason() != EndingReason::Draining && ending.reason() != EndingReason::MaxAge {
                    self.wrong(format!("a stream was ended as {:?}", ending.reason()));
                }
            }
            Some(Payload::Changed(_)) => self.wrong("a change that nobody made".to_owned()),
            None => self.wrong("a response without anything".to_owned()),
        }
        if response.cursor.is_empty() {
            self.wrong("a response without a cursor".to_owned());
        } else {
            self.cursor = Some(response.cursor);
        }
        over
    }

    /// Only where the gap moved the cursor may anything be missing, or come again.
    fn take_gap(&mut self, reason: GapReason, cursor: &[u8]) {
        let before = self.cursor.as_deref().map(Cursor::decode).transpose();
        let (Ok(before), Ok(after)) = (before, Cursor::decode(cursor)) else {
            self.wrong("a gap came with a cursor that is none".to_owned());
            return;
        };
        let place = |cursor: &Cursor, p| cursor.position(p, PARTITIONS);
        let moved = |p: &u16| {
            let before = before.as_ref();
            before.is_none_or(|before| place(before, *p) != place(&after, *p))
        };
        let partitions: Vec<u16> = (0..PARTITIONS).filter(moved).collect();
        if partitions.is_empty() {
            self.wrong(format!("a gap ({reason:?}) did not move the cursor"));
        }
        self.next
            .retain(|conversation, _| !partitions.contains(&partition_of(conversation)));
        for p in &partitions {
            *self.eras.entry(*p).or_default() += 1;
        }
        let at = Instant::now();
        self.note(|seen| {
            // A log that was rewound gives places out again.
            let kept = |conversation: &str| !partitions.contains(&partition_of(conversation));
            seen.places.retain(|(conversation, ..), _| kept(conversation));
            seen.gaps.push(Told {
                at,
                reason,
                partitions,
            });
        });
    }

    fn take_event(&mut self, event: &AgentEvent) {
        let (conversation, id) = (&event.conversation_id, &event.event_id);
        let partition = partition_of(conversation);
        let era = self.eras.get(&partition).copied().unwrap_or_default();
        let before = self.came.insert(id.clone(), era);
        self.note(|seen| {
            seen.received += 1;
            match before {
                None => drop(seen.events.insert(id.clone(), (Instant::now(), partition))),
                Some(before) if before == era => {
                    seen.doubled += 1;
                    seen.wrong.push(format!("{id} of {conversation} came twice"));
                }
                Some(_) => seen.repeated += 1,
            }
        });
        let here = (event.session_epoch, event.sequence);
        // Behind a gap, what is left of a conversation may begin anywhere, and in another session; else nowhere but where the
        // one before ended.
        let next = match self.next.get(conversation) {
            Some(next) => Some(*next),
            None if era == 0 => Some((event.session_epoch, 1)),
            None => None,
        };
        if let Some(next) = next
            && next != here
        {
            let session = if next.0 == here.0 {
                ""
            } else {
                " of another session"
            };
            self.wrong(format!(
                "in {conversation}, {} was to come next, and {}{session} came ({id})",
                next.1, here.1
            ));
        }
        self.next.insert(conversation.clone(), (here.0, here.1 + 1));
        let place = (conversation.clone(), here.0, here.1);
        self.note(|seen| drop(seen.places.insert(place, id.clone())));
    }
}
