//! What writers write and readers ask for, at random.

use std::collections::BTreeSet;

use bytes::Bytes;
use chatbridge::{
    conversation::SessionChange,
    event::{AuthorType, ConversationKey, Event, EventBody, MemberChange, Message, Participant, TenantId},
    grpc::convert::encode_event,
    store::{Append, entry::encode_content},
};
use rand::{RngExt as _, rngs::StdRng, seq::IndexedRandom as _};

use super::reader::{Begin, Policy, Reader, Wanted};

/// How many deliveries of the past a writer may repeat.
const REMEMBERED: usize = 64;

/// What a writer sends.
pub(super) enum Sent {
    /// An event, new or again.
    Genuine(Append, Vec<u8>),
    /// Another body under an event's id.
    Forged(Append),
}

/// Tenants and conversations of a run.
#[derive(Clone)]
pub(super) struct Cast {
    pub(super) keys: Vec<ConversationKey>,
}

impl Cast {
    pub(super) fn new(chance: &mut StdRng) -> Self {
        let mut keys = Vec::new();
        for tenant in ["t:1", "t2"] {
            // The empty one is for events that belong to none.
            keys.push(ConversationKey::new(TenantId::new(tenant), ""));
            let conversations = chance.random_range(1..10);
            let named = |i| ConversationKey::new(TenantId::new(tenant), format!("c{i}"));
            keys.extend((0..conversations).map(named));
        }
        Self { keys }
    }

    fn of(&self, tenant: &TenantId) -> Vec<String> {
        let keys = self.keys.iter().filter(|key| key.tenant == *tenant);
        keys.map(|key| key.conversation.clone()).collect()
    }

    /// What a stream asks for.
    pub(super) fn wanted(&self, chance: &mut StdRng) -> Wanted {
        let tenant = self.keys.choose(chance).expect("there are some").tenant.clone();
        let all: Vec<String> = self.of(&tenant).into_iter().filter(|c| !c.is_empty()).collect();
        let many = match chance.random_range(0..10) {
            0..4 => 0,
            4..6 => 1,
            _ => chance.random_range(2..6),
        };
        let conversations = (0..many).filter_map(|_| all.choose(chance).cloned()).collect();
        let kinds = if chance.random_ratio(3, 4) {
            BTreeSet::new()
        } else {
            (3..=6).filter(|_| chance.random_bool(0.5)).collect()
        };
        Wanted {
            tenant,
            conversations,
            kinds,
            echoes: chance.random_ratio(2, 3),
        }
    }

    /// What the same client asks for when it comes back.
    pub(super) fn wanted_again(&self, before: &Wanted, chance: &mut StdRng) -> Wanted {
        let mut wanted = before.clone();
        match chance.random_range(0..10) {
            0..6 => {}
            6 => wanted.echoes = !wanted.echoes,
            7 => wanted.conversations = BTreeSet::new(),
            8 => {
                wanted.conversations.pop_first();
            }
            _ => {
                let tenant = before.tenant.clone();
                wanted = Wanted {
                    tenant,
                    ..self.wanted(chance)
                };
                let all = self.of(&wanted.tenant);
                wanted.conversations.retain(|c| all.contains(c));
            }
        }
        wanted
    }
}

/// What the next stream of a reader asks for. `times` are times from which one may start.
pub(super) fn next_stream(
    reader: &Reader,
    cast: &Cast,
    times: &[u64],
    chance: &mut StdRng,
) -> (Wanted, Begin, Policy) {
    let policy = *[Policy::Fail, Policy::Earliest, Policy::Earliest, Policy::Latest]
        .choose(chance)
        .expect("there are some");
    let resumed = reader.last_mark().filter(|_| chance.random_ratio(9, 10));
    if let (Some(stream), Some(Begin::Mark { stream: of, mark })) = (reader.stream(), resumed) {
        // A client that died had perhaps not noted its last cursors.
        let back = if chance.random_ratio(1, 5) {
            chance.random_range(0..4)
        } else {
            0
        };
        let begin = Begin::Mark {
            stream: of,
            mark: mark.saturating_sub(back),
        };
        return (cast.wanted_again(&stream.wanted, chance), begin, policy);
    }
    let begin = match (chance.random_range(0..4), times.choose(chance)) {
        (0, _) => Begin::Latest,
        (1, Some(ms)) => Begin::Time(*ms),
        _ => Begin::Earliest,
    };
    (cast.wanted(chance), begin, policy)
}

/// A writer.
pub(super) struct Writer {
    name: usize,
    sent: u64,
    past: Vec<(Append, Vec<u8>)>,
}

impl Writer {
    pub(super) fn new(name: usize) -> Self {
        Self {
            name,
            sent: 0,
            past: Vec::new(),
        }
    }

    /// The next thing to send. A forgery is of an event of the past for which `known` says so.
    pub(super) fn next(&mut self, cast: &Cast, chance: &mut StdRng, known: impl Fn(&Append) -> bool) -> Sent {
        let again = self.past.choose(chance).filter(|_| chance.random_ratio(1, 5));
        match again {
            Some((event, _)) if chance.random_ratio(1, 4) && known(event) => {
                Sent::Forged(forge(event, cast, chance))
            }
            Some((event, raw)) => Sent::Genuine(event.clone(), raw.clone()),
            None => {
                let (event, raw) = self.make(cast, chance);
                if self.past.len() == REMEMBERED {
                    self.past.swap_remove(chance.random_range(0..REMEMBERED));
                }
                self.past.push((event.clone(), raw.clone()));
                Sent::Genuine(event, raw)
            }
        }
    }

    fn make(&mut self, cast: &Cast, chance: &mut StdRng) -> (Append, Vec<u8>) {
        self.sent += 1;
        // The first conversations are the busiest.
        let pick = chance
            .random_range(0..cast.keys.len())
            .min(chance.random_range(0..cast.keys.len()));
        let id = format!("w{}-{}", self.name, self.sent);
        let raw = format!("{{\"eventId\":\"{id}\",\"genuine\":true}}").into_bytes();
        let event = Event {
            key: cast.keys[pick].clone(),
            id,
            // Webhooks come in any order.
            occurred_ms: 1_700_000_000_000 + chance.random_range(0..100_000),
            received_ms: 1_700_000_100_000,
            vendor_type: String::new(),
            synthetic: false,
            body: body(chance),
            traceparent: None,
        };
        (append(&event, &raw, chance), raw)
    }
}

fn append(event: &Event, raw: &[u8], chance: &mut StdRng) -> Append {
    let (head, body) = encode_event(event);
    Append {
        key: event.key.clone(),
        event_id: event.id.clone(),
        digest: chance.random(),
        head,
        content: encode_content(body, Bytes::copy_from_slice(raw)),
        change: SessionChange::by_event(event),
        echo: None,
        settle_after_ms: 60_000,
    }
}

fn body(chance: &mut StdRng) -> EventBody {
    let agent = Participant::new("a", Some(AuthorType::Agent));
    match chance.random_range(0..8) {
        0 => EventBody::Transferred,
        1 => EventBody::Typing {
            participant_ids: vec!["a".into()],
        },
        2 => EventBody::MemberChanged {
            member: agent,
            change: if chance.random() {
                MemberChange::Joined
            } else {
                MemberChange::Left
            },
        },
        _ => EventBody::Message(Message {
            id: String::new(),
            author: agent,
            text: "x".repeat(chance.random_range(0..40)),
            created_ms: None,
            attachments: Vec::new(),
            cards: Vec::new(),
            external_provider: None,
            echo: chance.random_ratio(1, 4),
        }),
    }
}

/// Another body under the same id, perhaps of another conversation.
fn forge(event: &Append, cast: &Cast, chance: &mut StdRng) -> Append {
    let mut forged = event.clone();
    forged.digest = chance.random();
    let other = cast.keys.choose(chance).expect("there are some");
    if other.tenant == event.key.tenant {
        forged.key = other.clone();
    }
    forged.content = encode_content(Bytes::new(), Bytes::from_static(b"forged"));
    forged
}
