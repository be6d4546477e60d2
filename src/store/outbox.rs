//! What a store keeps of events that are still to be sent to webhooks of Chat API v2: where they lie in the log, and nothing of
//! what they say.
//!
//! Each webhook has an outbox. In it events wait by conversation, each conversation's in the order of the log. Whoever sends
//! *claims* a conversation for a lease and gets its first event; no other can have that conversation until the claim is settled or
//! the lease is over. So a conversation's events are sent one after another, by whichever replica, and one that dies delays its
//! conversations by a lease.

use std::{fmt, sync::Arc};

use async_trait::async_trait;

use super::StoreError;
use crate::event::{EntryId, TenantId};

/// What keeps outboxes, for anybody to share.
pub type SharedOutbox = Arc<dyn OutboxStore>;

/// The outbox of events of which it is not known yet to which webhook they go: webhooks count from 1.
pub const UNROUTED: u64 = 0;

/// The most dead letters of a webhook. The oldest make room.
pub const DEAD_LETTERS_MAX: usize = 1000;

/// An event in an outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// Its conversation.
    pub conversation: String,
    /// Its entry in the log, in the conversation's partition.
    pub entry: EntryId,
}

/// What became of putting an event into an outbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Enqueued {
    /// It waits, perhaps since before.
    Waits,
    /// The outbox is full: it is a dead letter.
    Full,
}

/// The first event of a conversation, for as long as a lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The event.
    pub event: Waiting,
    /// How often sending it has failed.
    pub tries: u32,
    /// What tells this claim from others of the conversation.
    pub token: u64,
}

/// What was claimed of an outbox.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Claimed {
    /// One event of each of these conversations.
    pub claims: Vec<Claim>,
    /// How often in a row sending to this webhook has failed.
    pub streak: u32,
}

/// Which outboxes have something to send.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Due {
    /// Webhooks, the one that waits for longest first.
    pub webhooks: Vec<u64>,
    /// How long until one that is not among them is due, in milliseconds; `None`: no other has anything.
    pub next_in_ms: Option<u64>,
}

/// What became of a claimed event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settlement {
    /// It was delivered.
    Delivered,
    /// It need not be delivered any more.
    Dropped,
    /// It cannot be delivered, and is a dead letter.
    Dead(DeadReason),
    /// It is to be sent again.
    Failed {
        /// For how long its conversation waits, in milliseconds.
        conversation_ms: u64,
        /// For how long nothing is sent to its webhook, in milliseconds; 0: others of its conversations go on.
        webhook_ms: u64,
        /// How often in a row sending to the webhook has failed, with this time.
        streak: u32,
    },
}

/// Why an event is a dead letter. The words are stored, and are values of a metric: never change one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeadReason {
    /// It was answered otherwise than with 2xx, as often as is tried.
    Refused,
    /// Nobody took it for as long as is tried.
    Expired,
    /// The log does not have it any more.
    Trimmed,
    /// Too many others were waiting.
    Full,
}

impl DeadReason {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Refused, Self::Expired, Self::Trimmed, Self::Full];

    /// Its word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Expired => "expired",
            Self::Trimmed => "trimmed",
            Self::Full => "full",
        }
    }

    /// Reads a word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == word)
    }
}

impl fmt::Display for DeadReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An event that is sent no more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// The event.
    pub event: Waiting,
    /// Why.
    pub reason: DeadReason,
    /// How often sending it had failed.
    pub tries: u32,
    /// Since when, Unix milliseconds of the store's clock.
    pub dead_ms: u64,
}

/// How an outbox is doing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OutboxState {
    /// The webhook; [`UNROUTED`].
    pub webhook: u64,
    /// How many events wait, those included that are being sent.
    pub waiting: u64,
    /// How many conversations are being sent to it.
    pub claimed: u64,
    /// How many dead letters there are, at most [`DEAD_LETTERS_MAX`].
    pub dead: u64,
    /// How often in a row sending to it has failed.
    pub streak: u32,
    /// Since when it has been failing, Unix milliseconds of the store's clock; 0: it has not.
    pub failing_since_ms: u64,
    /// Until when nothing is sent to it, Unix milliseconds of the store's clock; 0: it is not held up.
    pub paused_until_ms: u64,
}

/// Keeps outboxes. Every method may be repeated after [`StoreError::Unavailable`]; the store's own clock judges leases and pauses.
#[async_trait]
pub trait OutboxStore: Send + Sync + 'static {
    /// Puts an event into a webhook's outbox, unless `most` wait there: then it is a dead letter of it. While others of its
    /// conversation wait in [`UNROUTED`] it goes there, behind them. One that is there already stays where it is. Durable as
    /// appending to the log is.
    async fn enqueue(
        &self,
        tenant: &TenantId,
        webhook: u64,
        event: &Waiting,
        most: u64,
    ) -> Result<Enqueued, StoreError>;

    /// Outboxes that have something to send, at most `limit`.
    async fn due(&self, tenant: &TenantId, limit: usize) -> Result<Due, StoreError>;

    /// Claims conversations of an outbox for a lease: so many that at most `most` are claimed of it by anybody; at most one while
    /// the webhook has been failing. Those that have waited for longest come first.
    async fn claim(
        &self,
        tenant: &TenantId,
        webhook: u64,
        most: usize,
        lease_ms: u64,
    ) -> Result<Claimed, StoreError>;

    /// Says what became of a claimed event. Where it is done with, and its conversation has another that is due, answers that
    /// one, claimed for another lease. What is delivered or dropped is taken off even where the claim was lost meanwhile; of all
    /// else nothing happens then. [`Settlement::Delivered`] ends the webhook's failing and its pause.
    async fn settle(
        &self,
        tenant: &TenantId,
        webhook: u64,
        claim: &Claim,
        settlement: Settlement,
        lease_ms: u64,
    ) -> Result<Option<Claim>, StoreError>;

    /// Moves all that waits of a claimed conversation from [`UNROUTED`] to a webhook's outbox, where it is due at once; whether it
    /// did: the claim may be lost.
    async fn route(&self, tenant: &TenantId, claim: &Claim, to: u64) -> Result<bool, StoreError>;

    /// How a tenant's outboxes are doing, by webhook: all that have events, dead letters, or a pause.
    async fn outboxes(&self, tenant: &TenantId) -> Result<Vec<OutboxState>, StoreError>;

    /// A webhook's dead letters, the newest first, at most `limit`.
    async fn dead_letters(
        &self,
        tenant: &TenantId,
        webhook: u64,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, StoreError>;

    /// Puts a webhook's dead letters back into its outbox, as if they had never been sent, but for those that the log does not
    /// have any more; ends its pause. Answers how many it put back.
    async fn revive(&self, tenant: &TenantId, webhook: u64) -> Result<u64, StoreError>;

    /// Deletes a webhook's outbox with its dead letters. Answers how many events waited.
    async fn discard(&self, tenant: &TenantId, webhook: u64) -> Result<u64, StoreError>;
}
