//! Streams as customers' bots hold them: by the client library, which resumes by itself. What comes is held against what was sent.

use std::{
    collections::{HashMap, HashSet},
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

pub use chatbridge_client::v1::agent_events_request::Start;
use chatbridge_client::{
    Client,
    v1::{
        AgentEvent, AgentEventsRequest, GapPolicy, StartPosition, agent_event::Body,
        agent_events_response::Payload,
    },
};
use futures_util::StreamExt as _;
use tokio_util::task::AbortOnDropHandle;

use crate::{Result, vendor::TENANT};

/// How many streams share a client, and so a connection.
const STREAMS_OF_A_CLIENT: usize = 20;
/// How many words of trouble a stream keeps.
const WORDS: usize = 3;

/// What a stream got.
#[derive(Default)]
pub struct Got {
    /// Of each conversation: session epoch, and the sequence of its last event.
    pub last: HashMap<String, (u64, u64)>,
    /// All events, where they are kept.
    pub events: HashSet<String>,
    pub received: u64,
    pub endings: u64,
    /// The cursor of its last response.
    pub cursor: Vec<u8>,
    /// What breaks the promise, in words.
    pub wrong: Vec<String>,
}

impl Got {
    fn wrong(&mut self, what: String) {
        if self.wrong.len() < WORDS {
            self.wrong.push(what);
        }
    }

    fn take(&mut self, event: &AgentEvent, keeps: bool) {
        self.received += 1;
        if let Some(what) = misread(event) {
            self.wrong(what);
        }
        let id = &event.conversation_id;
        let before = self
            .last
            .insert(id.clone(), (event.session_epoch, event.sequence));
        // Each conversation is followed from its first event on, and its session outlives the run.
        let is_next = match before {
            None => event.sequence == 1,
            Some((epoch, last)) => (event.session_epoch, event.sequence) == (epoch, last + 1),
        };
        if !is_next {
            let after = before.map_or(0, |(_, last)| last);
            self.wrong(format!("in {id}, {} came after {after}", event.sequence));
        }
        if keeps {
            self.events.insert(event.event_id.clone());
        }
    }
}

/// What is wrong with an event's content: it says its own number.
fn misread(event: &AgentEvent) -> Option<String> {
    let number = event.event_id.strip_prefix("evt-").unwrap_or_default();
    let text = match &event.body {
        Some(Body::Message(message)) => message.text.as_str(),
        _ => "",
    };
    let is_own = text
        .strip_prefix("Message ")
        .and_then(|rest| rest.split(' ').next())
        == Some(number);
    (!is_own || number.is_empty()).then(|| format!("{} was misread as {text:?}", event.event_id))
}

/// Where a stream starts.
pub fn earliest() -> Start {
    Start::Position(StartPosition::Earliest.into())
}

/// A stream that is read until this is dropped.
pub struct Reader {
    pub conversations: Vec<String>,
    got: Arc<Mutex<Got>>,
    _task: AbortOnDropHandle<()>,
}

impl Reader {
    /// Reads these conversations, or all, from a start on; `before` is what was got before it. `keeps`: which events came.
    pub fn open(client: &Client, conversations: Vec<String>, start: Start, keeps: bool, before: Got) -> Self {
        let got = Arc::new(Mutex::new(before));
        let mut events = client.agent_events(AgentEventsRequest {
            conversation_ids: conversations.clone(),
            start: Some(start),
            gap_policy: GapPolicy::Earliest.into(),
            ..AgentEventsRequest::default()
        });
        let own = Arc::clone(&got);
        let task = tokio::spawn(async move {
            while let Some(next) = events.next().await {
                let mut got = own.lock().unwrap_or_else(PoisonError::into_inner);
                let response = match next {
                    Ok(response) => response,
                    Err(error) => {
                        got.wrong(format!("the client gave its stream up: {error}"));
                        return;
                    }
                };
                got.cursor = response.cursor.to_vec();
                match response.payload {
                    Some(Payload::Event(event)) => got.take(&event, keeps),
                    Some(Payload::Gap(gap)) => got.wrong(format!("a gap was told: {:?}", gap.reason())),
                    Some(Payload::Ending(_)) => got.endings += 1,
                    _ => {}
                }
            }
            own.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .wrong("the stream ended for good".to_owned());
        });
        Self {
            conversations,
            got,
            _task: AbortOnDropHandle::new(task),
        }
    }

    pub fn got(&self) -> MutexGuard<'_, Got> {
        self.got.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends it, and hands over what it got.
    pub fn close(self) -> Got {
        std::mem::take(&mut *self.got())
    }
}

/// A client for the load's tenant.
pub fn client(balancer: SocketAddr) -> Result<Client> {
    Ok(Client::builder(format!("http://{balancer}"))
        .tenant(TENANT)
        .connect_lazy()?)
}

/// Opens so many streams, each of two of the conversations.
pub fn open(balancer: SocketAddr, count: usize, conversations: &[String]) -> Result<Vec<Reader>> {
    let mut readers = Vec::with_capacity(count);
    let mut shared = client(balancer)?;
    for number in 0..count {
        if number % STREAMS_OF_A_CLIENT == 0 {
            shared = client(balancer)?;
        }
        let pair = [number, number / conversations.len() + number + 1];
        let mut own: Vec<String> = pair
            .map(|at| conversations[at % conversations.len()].clone())
            .into();
        own.dedup();
        readers.push(Reader::open(&shared, own, earliest(), false, Got::default()));
    }
    Ok(readers)
}
