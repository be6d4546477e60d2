//! The ledger: what was about to be sent to the vendor, and what became of it.
//!
//! The vendor knows no idempotency key. Where an answer was lost, what the vendor shows can only be compared with all that
//! was ever on its way there; so everything is announced, whether its caller gave a `request_id` or not.

use super::IdempotencyKey;
use crate::{
    conversation::Session,
    event::{ConversationKey, TenantId},
};

/// How many entries can be compared with what the vendor lists. Where there are more, a ledger is not complete.
pub const ENTRIES_MAX: usize = 500;

/// How many entries a ledger has at most: more than a reader takes. Beyond that the oldest are given up, and the ledger is not
/// complete for as long as it would have had them.
pub(super) const MEMBERS_MAX: usize = 2 * ENTRIES_MAX;

/// How many sends that say the same may await their echoes. Where echoes never come, the oldest are given up.
pub(super) const ECHOES_MAX: usize = 256;

/// What kind of operation. The name is stored: never change one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LedgerKind {
    /// A message.
    Send,
    /// A conversation.
    Create,
    /// A file.
    Upload,
}

impl LedgerKind {
    /// Its name in a store.
    pub fn name(self) -> &'static str {
        match self {
            Self::Send => "send",
            Self::Create => "create",
            Self::Upload => "upload",
        }
    }
}

/// Operations that cannot be told apart by what the vendor shows of them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LedgerKey {
    /// The conversation; for creations the tenant's pseudo-conversation.
    pub key: ConversationKey,
    /// What kind.
    pub kind: LedgerKind,
    /// A fingerprint of what they do.
    pub print: String,
}

/// One operation that is about to leave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announcement {
    /// Where it is entered.
    pub ledger: LedgerKey,
    /// What tells it from the others there: the `request_id`, or something random. It holds no NUL.
    pub token: String,
    /// The echo that it will have, if it has one.
    pub echo: Option<AwaitedEcho>,
    /// The record of the call, where its answer tells what is in the conversation: it is erased with the conversation.
    pub telling: Option<IdempotencyKey>,
}

/// An echo that is to come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwaitedEcho {
    /// What the message says.
    pub fingerprint: String,
    /// What the event of the echo is to carry; empty: the send had none, and only takes its own echo out of the way.
    pub request_id: String,
}

/// What became of an operation that was announced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Concluded {
    /// It happened; with the vendor's identifier of the result, empty where there is none.
    Accepted(String),
    /// It provably did not happen: the announcement goes, with its echo.
    Withdrawn,
    /// It may have happened.
    Unknown,
}

/// An operation in the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerEntry {
    /// What tells it from the others.
    pub token: String,
    /// When it was announced, Unix milliseconds by the store's clock.
    pub announced_ms: u64,
    /// Where it stands.
    pub state: LedgerState,
}

/// Where an announced operation stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LedgerState {
    /// It is on its way, or whoever sent it has died.
    Sending,
    /// It may have happened.
    Unknown,
    /// It happened; with the vendor's identifier of the result.
    Accepted(String),
}

/// All operations that cannot be told apart, the oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ledger {
    /// Those that are kept, at most twice [`ENTRIES_MAX`].
    pub entries: Vec<LedgerEntry>,
    /// Whether these are all: neither were there more, nor is the oldest so old that others near it may be forgotten.
    pub complete: bool,
}

impl Ledger {
    /// Judges entries that were read at `now_ms`; they are kept for [`kept_ms`] of `retention_ms`. `is_cut`: some were given up.
    pub(super) fn new(entries: Vec<LedgerEntry>, is_cut: bool, now_ms: u64, retention_ms: u64) -> Self {
        let edge_ms = now_ms.saturating_sub(retention_ms + retention_ms / 128);
        let complete = !is_cut
            && entries.len() <= ENTRIES_MAX
            && entries.first().is_none_or(|e| e.announced_ms >= edge_ms);
        Self { entries, complete }
    }
}

/// How long entries are kept: a little longer than the records of the calls that ask for them, so that what is forgotten
/// never lies close to what a reader compares.
pub(super) fn kept_ms(retention_ms: u64) -> u64 {
    retention_ms + retention_ms / 64
}

/// The customer of a channel, for whom there is to be one conversation.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CustomerKey {
    /// The tenant.
    pub tenant: TenantId,
    /// The channel.
    pub channel_id: String,
    /// The customer's identifier.
    pub user_id: String,
}

impl CustomerKey {
    /// The customer of a session; `None` where channel or customer are not known.
    pub fn of(session: &Session) -> Option<Self> {
        let (channel_id, user_id) = (&session.channel_id, &session.user.user_id);
        (!channel_id.is_empty() && !user_id.is_empty()).then(|| Self {
            tenant: session.key.tenant.clone(),
            channel_id: channel_id.clone(),
            user_id: user_id.clone(),
        })
    }
}

/// What is known of a customer's conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Customer {
    /// It is being created, by whoever and however many, under this identifier.
    Attempt(String),
    /// It exists.
    Conversation {
        /// The vendor's identifier.
        id: String,
        /// For how long it has been known, milliseconds.
        age_ms: u64,
    },
}
