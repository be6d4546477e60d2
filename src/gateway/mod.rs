//! The one door to 8x8's Chat Gateway: its REST operations as typed calls.
//!
//! An error says whether the operation may be repeated: what provably did not happen or does no harm twice is told from what
//! may have happened. What may be repeated is, a few times.
//!
//! `connection` says how the vendor is reached. `client` has the operations, `transfer` those that stream files. A call goes
//! through `path` (its address), `wire` (its body), `stack` (limits, circuit breaker, retries), `exchange` (one request, within
//! bounds of time and memory), `outcome` (what a failure means) and `problem` (what the vendor says about it); `failure` is what
//! the layers hear of that, and `record` counts and logs it.

mod call;
mod client;
mod connection;
mod error;
mod exchange;
mod failure;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod operation;
mod outcome;
mod path;
mod probe;
mod problem;
mod record;
mod stack;
mod transfer;
mod wire;

use std::{num::NonZeroU32, time::Duration};

pub use client::{Gateway, GatewaySettings};
pub(crate) use connection::is_loopback;
pub use error::{UpstreamError, UpstreamErrorKind};
pub use probe::Probe;
pub use stack::CircuitStatus;
pub use transfer::{Download, UploadError};

use crate::event::{Assignment, AuthorType, Message, UpstreamState, User};

/// The version of the vendor's events that this program reads.
pub const EVENT_VERSION: &str = "Chat Gateway v1.0";

/// How calls to the vendor are limited and repeated, for one tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resilience {
    /// How often a request that may be repeated is sent at most; 1: never again.
    pub attempts: u32,
    /// Requests a second at most; `None`: no limit.
    pub rate_per_second: Option<NonZeroU32>,
    /// Requests at once at most.
    pub in_flight: usize,
    /// How long the vendor is left alone once it keeps failing; zero: it never is.
    pub circuit_open: Duration,
}

impl Resilience {
    /// Neither limits nor repeats: one call is one request.
    pub const NONE: Self = Self {
        attempts: 1,
        rate_per_second: None,
        in_flight: usize::MAX >> 4,
        circuit_open: Duration::ZERO,
    };
}

/// A conversation to create.
#[derive(Debug, Clone, PartialEq)]
pub struct NewConversation {
    /// The channel.
    pub channel_id: String,
    /// The customer.
    pub user: User,
    /// Where to route it; `None`: the channel's own routing.
    pub assignment: Option<Assignment>,
    /// The transcript, oldest first.
    pub history: Vec<Message>,
}

/// A conversation that the vendor accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Created {
    /// The vendor's identifier.
    pub conversation: String,
    /// When the vendor recorded it, Unix milliseconds.
    pub created_ms: Option<i64>,
}

/// A conversation as the vendor reports it.
#[derive(Debug, Clone, PartialEq)]
pub struct Conversation {
    /// The vendor's identifier.
    pub id: String,
    /// Its channel.
    pub channel_id: String,
    /// Where it stands; `None` for a word that we do not know.
    pub state: Option<UpstreamState>,
    /// What it is assigned to.
    pub assignment: Option<Assignment>,
    /// The customer.
    pub user: User,
}

/// All of a conversation that can be set, to replace what it had.
#[derive(Debug, Clone, PartialEq)]
pub struct ConversationReplacement {
    /// The channel.
    pub channel_id: String,
    /// The customer.
    pub user: User,
    /// Where to route it; `None`: not given.
    pub assignment: Option<Assignment>,
}

/// One engagement within a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interaction {
    /// The vendor's identifier.
    pub id: String,
    /// When it began, Unix milliseconds.
    pub started_ms: Option<i64>,
    /// When it ended, Unix milliseconds.
    pub ended_ms: Option<i64>,
}

/// How a conversation is handed back once the agent has left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostAgentAssignment {
    /// The webhook that takes over.
    pub webhook_id: String,
    /// Whether the channel's own webhook hears of it; `None`: the vendor's default.
    pub notify_channel_webhook: Option<bool>,
    /// 20 to 600; `None`: the vendor's default.
    pub max_total_minutes: Option<u32>,
    /// 10 to 300; `None`: the vendor's default.
    pub user_timeout_minutes: Option<u32>,
}

/// Where the vendor sends events.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Webhook {
    /// The vendor's identifier; not sent.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Where events are posted to. It may hold a secret.
    pub uri: String,
    /// The version of the events; [`EVENT_VERSION`] is the only one known, and is sent where this is empty.
    pub version: String,
}

/// A channel of the contact centre.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Channel {
    /// The vendor's identifier; not sent.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The vendor's word for its type, such as `ChatAPI`, which is sent where this is empty.
    pub kind: String,
    /// The webhook that hears of its conversations.
    pub webhook_id: String,
    /// The queue that its conversations go to.
    pub queue_id: String,
}

/// A file to upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAttachment {
    /// Its name.
    pub file_name: String,
    /// Its media type.
    pub media_type: String,
    /// Its size in bytes.
    pub size_bytes: u64,
    /// On whose behalf: the user or the bot.
    pub author: AuthorType,
}

/// A file as the vendor keeps it.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct StoredAttachment {
    /// The vendor's identifier.
    pub id: String,
    /// Its name; empty: not given.
    pub file_name: String,
    /// Its type, in the vendor's words; empty: not given.
    pub media_type: String,
    /// Its size in bytes; `None`: not given.
    pub size_bytes: Option<u64>,
    /// When the vendor recorded it, Unix milliseconds.
    pub created_ms: Option<i64>,
}

/// What to change in a conversation. Absent parts stay as they are.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ConversationPatch {
    /// Fields of the customer.
    pub user: Option<UserPatch>,
    /// The new assignment.
    pub assignment: Option<Assignment>,
}

/// Fields of the customer to change. `None` stays as it is; an empty value clears it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields of User")]
pub struct UserPatch {
    pub name: Option<String>,
    pub user_id: Option<String>,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub company: Option<String>,
    pub case_id: Option<String>,
    pub language: Option<String>,
    pub additional_properties: Option<Vec<(String, String)>>,
}

/// Which page of a list, in the vendor's terms.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PageQuery {
    /// How many at most; 0: the vendor's default, 20.
    pub size: u32,
    /// Which page, from 0.
    pub page: u32,
    /// `field:asc` or `field:desc`; empty: the vendor's default, `id:asc`, for messages `createdAt:desc`.
    pub sort: String,
    /// FIQL; empty: all. Messages have none.
    pub filter: String,
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed<T> {
    /// The page.
    pub items: Vec<T>,
    /// How many there are in all; where the vendor does not say, how many are here.
    pub total: u32,
    /// How many pages there are in all; `None`: the vendor does not say.
    pub total_pages: Option<u32>,
}

impl<T> Listed<T> {
    /// Whether this is the last page. Where the vendor does not count, that is the first that is not full.
    pub fn is_last(&self, asked: &PageQuery) -> bool {
        match self.total_pages {
            Some(pages) => asked.page.saturating_add(1) >= pages,
            None => self.items.len() < asked.size as usize,
        }
    }
}
