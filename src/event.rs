//! What happens in a conversation, as plain types: events, and positions in the event log.
//!
//! Nothing here knows protobuf, Redis or HTTP. `webhook::normalise` makes events, `grpc::convert` encodes them.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A tenant of the vendor, as in the header `X-8x8-Tenant`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TenantId(String);

impl TenantId {
    /// Wraps the vendor's identifier; whether such a tenant is configured is the caller's question.
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// The vendor's identifier.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A conversation of a tenant. An empty `conversation` is the tenant's pseudo-conversation, which holds the events that
/// belong to none.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConversationKey {
    /// The tenant.
    pub tenant: TenantId,
    /// The vendor's identifier of the conversation; may be empty.
    pub conversation: String,
}

impl ConversationKey {
    /// The key of `conversation` under `tenant`.
    pub fn new(tenant: TenantId, conversation: impl Into<String>) -> Self {
        Self {
            tenant,
            conversation: conversation.into(),
        }
    }
}

/// The kind of an event. The numbers are those of `chatbridge.v1.EventKind` and are stored: never change one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
#[allow(missing_docs, reason = "documented with the bodies below")]
pub enum EventKind {
    ConversationUpdated = 1,
    Queued = 2,
    MemberChanged = 3,
    Transferred = 4,
    Message = 5,
    Typing = 6,
    CardAction = 7,
    QuickReply = 8,
    ReadReceipt = 9,
    Activity = 10,
    WebhookVerified = 11,
    Unknown = 12,
}

/// An accepted event before it is in the log: what the log adds (sequence, state after it) is not here.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// The conversation it belongs to.
    pub key: ConversationKey,
    /// The vendor's identifier, equal across deliveries; ours (`chatbridge:…`) on synthetic events.
    pub id: String,
    /// When it happened, Unix milliseconds by the vendor's clock.
    pub occurred_ms: i64,
    /// When it was received, Unix milliseconds by our clock.
    pub received_ms: i64,
    /// The vendor's word for its kind; empty where the body could not be read.
    pub vendor_type: String,
    /// Whether we made it from an answer of the vendor, because no webhook told.
    pub synthetic: bool,
    /// What happened.
    pub body: EventBody,
    /// W3C trace context under which it was received.
    pub traceparent: Option<String>,
}

impl Event {
    /// Whether it is the echo of a message that the bot sent.
    pub fn is_echo(&self) -> bool {
        matches!(&self.body, EventBody::Message(m) if m.echo)
    }
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum EventBody {
    /// State, assignment or customer changed.
    ConversationUpdated(ConversationUpdated),
    /// It waits in a queue.
    Queued {
        /// The vendor's identifier of the queue.
        queue_id: String,
        /// The queue's name.
        queue_name: String,
    },
    /// Somebody joined or left.
    MemberChanged {
        /// Who.
        member: Participant,
        /// What they did.
        change: MemberChange,
    },
    /// An agent sent it to another queue.
    Transferred,
    /// A message.
    Message(Message),
    /// Who types now; empty when everybody stopped.
    Typing {
        /// Their identifiers.
        participant_ids: Vec<String>,
    },
    /// Somebody used an adaptive card.
    CardAction {
        /// The vendor's word for the action.
        action_type: String,
        /// What the card sent.
        data: Value,
    },
    /// Somebody chose a quick reply.
    QuickReply {
        /// The vendor's word for the action.
        action_type: String,
        /// What the customer saw.
        title: String,
        /// What the option carries.
        payload: Value,
    },
    /// Somebody read messages: the receipts as the vendor writes them.
    ReadReceipt(Vec<Value>),
    /// An activity that only its channel defines.
    Activity {
        /// Its name.
        name: String,
        /// Its value.
        value: Value,
    },
    /// The vendor checked the webhook's address.
    WebhookVerified {
        /// The version of notifications that it will send.
        notification_version: String,
    },
    /// A kind that we do not know (no problem), or a body that we could not read (and why).
    Unknown {
        /// Why it could not be read, without any of its content; empty where only its kind is new.
        problem: String,
    },
}

impl EventBody {
    /// Its kind.
    pub fn kind(&self) -> EventKind {
        match self {
            Self::ConversationUpdated(_) => EventKind::ConversationUpdated,
            Self::Queued { .. } => EventKind::Queued,
            Self::MemberChanged { .. } => EventKind::MemberChanged,
            Self::Transferred => EventKind::Transferred,
            Self::Message(_) => EventKind::Message,
            Self::Typing { .. } => EventKind::Typing,
            Self::CardAction { .. } => EventKind::CardAction,
            Self::QuickReply { .. } => EventKind::QuickReply,
            Self::ReadReceipt(_) => EventKind::ReadReceipt,
            Self::Activity { .. } => EventKind::Activity,
            Self::WebhookVerified { .. } => EventKind::WebhookVerified,
            Self::Unknown { .. } => EventKind::Unknown,
        }
    }

    /// Who did it, where a kind of event tells more of them than an identifier.
    pub fn participant_mut(&mut self) -> Option<&mut Participant> {
        match self {
            Self::MemberChanged { member, .. } => Some(member),
            Self::Message(message) => Some(&mut message.author),
            _ => None,
        }
    }
}

/// State, assignment or customer changed; absent parts were not named.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ConversationUpdated {
    /// The vendor's state.
    pub state: Option<UpstreamState>,
    /// The new assignment.
    pub assignment: Option<Assignment>,
    /// The customer.
    pub user: Option<User>,
    /// The customer's number on telephone channels.
    pub msisdn: String,
    /// The kind of channel, as the vendor writes it.
    pub channel_type: String,
}

/// The vendor's own state of a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the vendor's words")]
pub enum UpstreamState {
    Created,
    Active,
    Idle,
}

/// What a conversation is assigned to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// What `id` names; `None` for a word that we do not know.
    pub kind: Option<AssignmentKind>,
    /// The vendor's identifier.
    pub id: String,
    /// The vendor's `resourceId`; may be empty.
    pub resource_id: String,
}

/// What an assignment names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the vendor's words")]
pub enum AssignmentKind {
    Queue,
    Script,
    Agent,
}

/// Who takes part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the vendor's words")]
pub enum AuthorType {
    User,
    Bot,
    Agent,
    System,
}

impl AuthorType {
    /// The vendor's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Bot => "bot",
            Self::Agent => "agent",
            Self::System => "system",
        }
    }

    /// Reads the vendor's word, in any case; `None` for one that we do not know.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::User, Self::Bot, Self::Agent, Self::System]
            .into_iter()
            .find(|t| t.as_str().eq_ignore_ascii_case(word))
    }
}

/// Somebody who takes part in a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Participant {
    /// The vendor's identifier; may be empty.
    pub id: String,
    /// Who it is; `None` for a word that we do not know.
    pub kind: Option<AuthorType>,
    /// Name, where the vendor or the operator's lookup gave one.
    pub name: String,
    /// Whether it has left.
    pub removed: bool,
    /// Language tag; may be empty.
    pub language: String,
}

impl Participant {
    /// A participant of whom only identifier and kind are known.
    pub fn new(id: impl Into<String>, kind: Option<AuthorType>) -> Self {
        Self {
            id: id.into(),
            kind,
            name: String::new(),
            removed: false,
            language: String::new(),
        }
    }
}

/// What a member did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the vendor's words")]
pub enum MemberChange {
    Joined,
    Left,
}

/// A message of a conversation, sent or received. Events carry no `id` and no `created_ms`.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// The vendor's identifier; empty on events and on what we send.
    pub id: String,
    /// Who wrote it.
    pub author: Participant,
    /// The text; may be empty.
    pub text: String,
    /// When the vendor recorded it, Unix milliseconds.
    pub created_ms: Option<i64>,
    /// Files.
    pub attachments: Vec<Attachment>,
    /// Cards.
    pub cards: Vec<Card>,
    /// Set where the text is held by another service.
    pub external_provider: Option<ExternalProvider>,
    /// Whether it is the echo of a message that the bot sent.
    pub echo: bool,
}

/// A file of a conversation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attachment {
    /// The vendor's identifier.
    pub id: String,
    /// Media type, or the vendor's word for it.
    pub media_type: String,
    /// File name.
    pub file_name: String,
    /// A URL that lets anyone who has it read the file: a secret.
    pub pre_signed_url: String,
}

/// A rich card.
#[derive(Debug, Clone, PartialEq)]
pub struct Card {
    /// The vendor's identifier; empty on events.
    pub id: String,
    /// The vendor's content type.
    pub content_type: String,
    /// The card.
    pub content: Value,
    /// Whether the customer has submitted it.
    pub action_submitted: bool,
    /// Whether an agent has executed it.
    pub action_executed: bool,
}

/// A message held by another service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExternalProvider {
    /// The provider's name.
    pub name: String,
    /// The provider's identifier of the message.
    pub external_message_id: String,
}

/// The customer. Empty strings were not given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[allow(missing_docs, reason = "the contract documents each field")]
pub struct User {
    pub name: String,
    pub user_id: String,
    pub email: String,
    pub phone: String,
    pub company: String,
    pub case_id: String,
    pub language: String,
    /// Key and value, in the order in which the agent sees them.
    pub additional_properties: Vec<(String, String)>,
    pub ip_address: String,
    pub timezone_offset: String,
}

/// An entry's place in one partition of the log.
///
/// Within one epoch, `n` counts 1, 2, 3 over the partition's entries without a hole, and `ms` never falls: the pair is
/// also the Redis stream id `ms-n`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct EntryId {
    /// Drawn when the partition was first written; 0 where it never was.
    pub epoch: u64,
    /// The log's time, Unix milliseconds.
    pub ms: u64,
    /// Dense counter.
    pub n: u64,
}

impl EntryId {
    /// Order within one epoch.
    pub fn order(self) -> (u64, u64) {
        (self.ms, self.n)
    }
}

/// Where to read on in one partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Position {
    /// From the oldest entry that is left; nothing counts as a gap.
    Earliest,
    /// From the first entry whose time is at least this, Unix milliseconds.
    Since(u64),
    /// Behind this entry, which the reader has seen. `EntryId::default()` is the place before the first entry ever.
    After(EntryId),
}
