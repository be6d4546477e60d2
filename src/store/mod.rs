//! Where sessions, the event log and idempotency records live: Redis, or memory for a first look, behind one trait.
//!
//! Both keep the same promises (`tests/integration/store` holds them to it); only what is in memory does not survive the
//! process.
//!
//! The log is cut into partitions; a conversation's events are all in one. An entry holds the event encoded when it was
//! accepted, in two parts (a head that routing reads, and the customer's content), and what only the log knows: its
//! place, its sequence within the conversation and the session's state after it.

pub mod chat_v2;
pub mod cursor;
pub mod entry;
pub mod facts;
mod gap;
pub mod janitor;
pub mod ledger;
pub mod memory;
pub mod outbox;
pub mod partition;
pub mod redis;
pub mod seal;
pub mod streams;
pub mod subscription;
mod times;

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;

pub use cursor::Cursor;
pub use entry::Entry;
pub use facts::StoreFacts;
pub use ledger::{
    Announcement, AwaitedEcho, Concluded, Customer, CustomerKey, Ledger, LedgerEntry, LedgerKey, LedgerKind,
    LedgerState,
};
pub use streams::{ChangedStreams, StreamChange, StreamChanged, StreamKey, StreamRecords};

use crate::{
    conversation::{Passage, Session, SessionChange, SessionState},
    event::{ConversationKey, EntryId, Position, TenantId},
};

/// A store that anybody may share.
pub type SharedStore = Arc<dyn Store>;

/// How long things are kept, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Entries of the log and the index of a conversation's history.
    pub log_ms: u64,
    /// How many bytes the log may hold, which its partitions share evenly; 0: any number. It counts what events take in the
    /// store, without the store's own overhead. A partition's newest entry stays, however large.
    pub log_bytes: u64,
    /// Claims and marks by which a repeated delivery is known. Longer than the vendor could go on retrying.
    pub dedupe_ms: u64,
    /// Sessions, counted from their last activity.
    pub session_ms: u64,
    /// Idempotency records, the ledger of sends, and sends whose echo has not come.
    pub idempotency_ms: u64,
}

impl Default for Retention {
    fn default() -> Self {
        const HOUR_MS: u64 = 3_600_000;
        Self {
            log_ms: 72 * HOUR_MS,
            log_bytes: 0,
            dedupe_ms: 168 * HOUR_MS,
            session_ms: 720 * HOUR_MS,
            idempotency_ms: 24 * HOUR_MS,
        }
    }
}

impl Retention {
    /// How many bytes one of `partitions` may hold; 0: any number.
    fn partition_bytes(&self, partitions: u16) -> u64 {
        self.log_bytes.div_ceil(u64::from(partitions.max(1)))
    }
}

/// How long the trace of a call is known, in milliseconds. What happens later than that is hardly its doing.
pub const TRACE_MS: u64 = 3_600_000;

/// How many bytes of entries a page has at the most, unless its first entry alone is larger. So whoever reads the log
/// holds a bounded part of it, however large its events are.
pub const PAGE_BYTES: usize = 1 << 20;

/// Why a store did not do what it was asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// It cannot be reached, or cannot take writes now. What was asked may or may not have happened; everything in this
    /// trait may be repeated.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
    /// What it holds is not what this version writes.
    #[error("the store holds something that this version cannot read: {0}")]
    Corrupt(String),
    /// It was set up with other settings; start refuses.
    #[error("{0}")]
    Mismatch(String),
    /// What was asked for is encrypted, and its key is not to be had. Nothing is lost: with the key it can be read.
    #[error("{0}")]
    Sealed(String),
}

/// An event to be appended. The store understands nothing of `head`, `content` and `trace`.
#[derive(Debug, Clone)]
pub struct Append {
    /// The conversation.
    pub key: ConversationKey,
    /// The vendor's identifier of the event.
    pub event_id: String,
    /// SHA-256 of the body as received: what tells a repeated delivery from a forgery.
    pub digest: [u8; 32],
    /// Encoded `AgentEvent` with what routing needs (fields 1 to 9, 14).
    pub head: Bytes,
    /// Customer content, as `entry::encode_content` makes it.
    pub content: Bytes,
    /// What it changes in the session.
    pub change: SessionChange,
    /// For an echo: the fingerprint under which its send was announced.
    pub echo: Option<String>,
    /// When to look again if the session is wrapping up after it, in milliseconds from now.
    pub settle_after_ms: u64,
}

/// What became of an append.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Appended {
    /// It is in the log.
    New {
        /// Its place.
        id: EntryId,
        /// Its sequence within the conversation.
        sequence: u64,
        /// The session's state after it.
        state: SessionState,
        /// How far the log's clock is ahead of the store's, in milliseconds: the store's clock stepped back by that much.
        clock_behind_ms: u64,
        /// How the contact went on by it; `None` where the event says nothing of that.
        passage: Option<Passage>,
    },
    /// It was in the log already.
    Duplicate,
    /// Its id is known with another body: a forgery. Nothing was stored.
    Forged,
}

/// Entries of one partition, and what went missing before them.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// In the order of the log.
    pub entries: Vec<Entry>,
    /// Set where entries behind the position asked for are gone. `entries` then starts with the oldest that is left.
    pub gap: Option<Gap>,
    /// The place just before the oldest entry of the partition that is left, whoever's it is: where a gap ends.
    pub before_oldest: EntryId,
    /// The partition's tail, as it was when read.
    pub tail: EntryId,
    /// Where to read on: behind the last of `entries`; without entries, the partition's tail as it was when read.
    pub next: EntryId,
    /// Whether the partition's tail, as it was when read, has been reached.
    pub at_tail: bool,
}

/// Entries that are gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    /// Why.
    pub reason: GapReason,
    /// How many entries of the partition at the most; 0: unknown.
    pub missed_at_most: u64,
}

/// Why entries are gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GapReason {
    /// They were older than the log keeps, or beyond its size.
    Trimmed,
    /// The log was wiped and began anew: another epoch, or none.
    Wiped,
    /// The log lost its newest entries: it has none with this id, and counts on from before it.
    Rewound,
}

/// A live feed of all partitions, on means of its own.
#[async_trait]
pub trait Tail: Send {
    /// Waits for entries behind the positions handed to [`Store::tail`]. An empty answer means that nothing came for a
    /// while, which also proves that the feed is alive (at least every 5 s). Entries of one partition come in its order.
    ///
    /// A caller may give up waiting and call again: nothing is lost by that.
    ///
    /// After an error the feed is over: the caller asks for the tails anew, reads what it missed, and opens another.
    async fn next(&mut self) -> Result<Vec<Entry>, StoreError>;
}

/// A call that may be repeated with the same `request_id`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct IdempotencyKey {
    /// The tenant.
    pub tenant: TenantId,
    /// Who calls; empty while callers are not told apart.
    pub caller: String,
    /// The method.
    pub method: &'static str,
    /// The caller's UUID.
    pub request_id: String,
}

/// What is known of a call when it begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begun {
    /// Nothing: it is now recorded as being sent, and the caller of this goes on.
    New,
    /// The same call is being sent by somebody else right now.
    InFlight,
    /// It was done: its answer.
    Done(Bytes),
    /// It was begun, and whether it happened is not known: its mark, which is empty where the conversation was erased since. Nobody
    /// may simply send it again.
    Unknown(Bytes),
    /// The `request_id` was used for another request.
    Reused,
}

/// How a call ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finished {
    /// It happened: its answer is kept.
    Done(Bytes),
    /// It provably did not happen: the record goes, and a repeat is a new call.
    NotSent,
    /// It may have happened.
    Unknown,
}

/// What erasing a conversation did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Erased {
    /// How many entries of the log went.
    pub entries: u64,
}

/// A place in the list of sessions, which is ordered by last activity, the newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionMark {
    /// Store time of its last activity, Unix milliseconds.
    pub active_ms: u64,
    /// The conversation.
    pub conversation: String,
}

/// Sessions, event log, idempotency records, the ledger of what was sent, and customers' conversations.
///
/// Every method may be repeated after [`StoreError::Unavailable`], fails within a few seconds when the store is down, and
/// works again by itself when it is back.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// How many partitions the log has: fixed when the store was first used.
    fn partitions(&self) -> u16;

    /// The store's time, Unix milliseconds.
    async fn now_ms(&self) -> Result<u64, StoreError>;

    /// Appends an event once: claims its id for its body, then dedupes, numbers, appends, indexes and changes the session
    /// in one step.
    async fn append(&self, event: &Append) -> Result<Appended, StoreError>;

    /// The last entry of every partition, in the order of the partitions; [`EntryId::default`] for one never written.
    async fn tails(&self) -> Result<Vec<EntryId>, StoreError>;

    /// Reads a partition from a position on: at most `limit` entries, and at most [`PAGE_BYTES`] of them.
    async fn read(&self, partition: u16, from: Position, limit: usize) -> Result<Page, StoreError>;

    /// Reads one conversation's entries from a position in its partition on, as many as [`Store::read`] does, through the
    /// index.
    /// `gap` is judged for the whole partition, as [`Store::read`] does.
    async fn read_conversation(
        &self,
        key: &ConversationKey,
        from: Position,
        limit: usize,
    ) -> Result<Page, StoreError>;

    /// Opens a live feed behind these positions, one for each partition.
    async fn tail(&self, behind: Vec<EntryId>) -> Result<Box<dyn Tail>, StoreError>;

    /// Reads a session.
    async fn session(&self, key: &ConversationKey) -> Result<Option<Session>, StoreError>;

    /// Changes a session, or begins it, without an event.
    async fn change_session(&self, key: &ConversationKey, change: &SessionChange) -> Result<(), StoreError>;

    /// A tenant's sessions behind `after`, the last active first, at most `limit`. The marks tell where to go on; a session
    /// that expired meanwhile is left out, so fewer than `limit` do not mean the end: only an empty answer does.
    async fn sessions(
        &self,
        tenant: &TenantId,
        after: Option<&SessionMark>,
        limit: usize,
    ) -> Result<Vec<(SessionMark, Option<Session>)>, StoreError>;

    /// Records that a call is about to be sent. `digest` is of the request, `mark` what a later look needs to find it
    /// upstream. A record that is `sending` for longer than `lease_ms` was abandoned: [`Begun::Unknown`]. `nonce` is of this
    /// very call: begun again with it, because the first answer was lost, the call is still [`Begun::New`].
    async fn begin(
        &self,
        key: &IdempotencyKey,
        digest: &[u8; 32],
        mark: &[u8],
        nonce: u64,
        lease_ms: u64,
    ) -> Result<Begun, StoreError>;

    /// Records how a call ended. [`Finished::NotSent`] counts only from the call that [`Store::begin`] answered with `New`,
    /// known by its `nonce`.
    async fn finish(&self, key: &IdempotencyKey, nonce: u64, finished: &Finished) -> Result<(), StoreError>;

    /// Enters an operation in its ledger before it leaves. Where it will have an echo, the first one with its fingerprint gets
    /// its `request_id`, after those that were announced before.
    async fn announce(&self, announcement: &Announcement) -> Result<(), StoreError>;

    /// Enters what became of an operation that was announced.
    async fn conclude(&self, announcement: &Announcement, concluded: &Concluded) -> Result<(), StoreError>;

    /// Enters operations of one conversation that happened by another way, each with its token, as announced at `at_ms`.
    async fn note_accepted(&self, at_ms: u64, operations: &[(LedgerKey, String)]) -> Result<(), StoreError>;

    /// Reads a ledger.
    async fn ledger(&self, ledger: &LedgerKey) -> Result<Ledger, StoreError>;

    /// A customer's conversation, which is kept for as long as a session from now on, or the attempt to create it: `attempt`,
    /// where nothing was known.
    async fn customer(&self, key: &CustomerKey, attempt: &str) -> Result<Customer, StoreError>;

    /// Notes a customer's conversation. With `attempt` only where nothing else but that attempt is known.
    async fn bind_customer(
        &self,
        key: &CustomerKey,
        conversation: &str,
        attempt: Option<&str>,
    ) -> Result<(), StoreError>;

    /// Forgets a customer's conversation, unless another is known by now.
    async fn release_customer(&self, key: &CustomerKey, conversation: &str) -> Result<(), StoreError>;

    /// Erases a conversation: its entries, its session, what was sent in it, answers that tell what is in it, whose it is, and its
    /// data key. Readers are told of no
    /// gap. What stays are hashes: marks by which repeated deliveries are known, so that none of them brings anything back.
    /// Whatever comes for the conversation afterwards begins it anew. Erased again, or after it failed half-way, it does what is
    /// left to do. A conversation without an identifier is none, and nothing of it is erased.
    async fn erase(&self, key: &ConversationKey) -> Result<Erased, StoreError>;

    /// Conversations that have been wrapping up for as long as their last append asked, at most `limit`. Each is handed
    /// to one caller and comes again after `lease_ms` if it is still wrapping up then.
    async fn unsettled(&self, lease_ms: u64, limit: usize) -> Result<Vec<ConversationKey>, StoreError>;

    /// Lets go of what the log keeps no longer, also where nothing is appended any more; ends erasures that broke off, and wraps
    /// data keys by the first master key. To be called about once every
    /// `every_ms` on each replica; one of them does it, and the others are answered `false`.
    async fn tidy(&self, every_ms: u64) -> Result<bool, StoreError>;

    /// Notes in which trace the last call about a conversation was made, for [`TRACE_MS`]: the trace that what the vendor tells
    /// next belongs to. Nothing depends on it.
    async fn note_trace(&self, _key: &ConversationKey, _traceparent: &str) -> Result<(), StoreError> {
        Ok(())
    }

    /// The trace that was noted last.
    async fn trace(&self, _key: &ConversationKey) -> Result<Option<String>, StoreError> {
        Ok(None)
    }

    /// Records of streams that may be changed.
    fn streams(&self) -> &dyn StreamRecords;

    /// The version of the stored format in which entries are written now.
    fn entry_format(&self) -> u16 {
        entry::format::BEGINS
    }

    /// Asks the store whether it is there and takes writes.
    async fn ping(&self) -> Result<(), StoreError>;

    /// What the servers say of themselves that keep it; `None` where there are none.
    async fn facts(&self) -> Result<Option<StoreFacts>, StoreError> {
        Ok(None)
    }
}
