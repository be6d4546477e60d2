//! The one door to 8x8's Chat Gateway: its REST operations as typed calls.
//!
//! One call is one request: nothing is resent here. An error says whether the operation may be repeated: what provably did not
//! happen or does no harm twice is told from what may have happened.
//!
//! `connection` says how the vendor is reached. A call goes through `path` (its address), `wire` (its body), `exchange` (the request, within bounds of time and memory),
//! `outcome` (what a failure means) and `problem` (what the vendor says about it); `record` counts and logs it.

mod client;
mod connection;
mod error;
mod exchange;
mod operation;
mod outcome;
mod path;
mod problem;
mod record;
mod wire;

pub use client::{Gateway, GatewaySettings};
pub use error::{UpstreamError, UpstreamErrorKind};

use crate::event::{Assignment, Message, UpstreamState, User};

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
    /// How many pages there are in all; where the vendor does not say, 1, or 0 where none are here.
    pub total_pages: u32,
}
