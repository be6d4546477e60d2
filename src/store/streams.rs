//! Streams whose conversations may be changed by a call, which may come to another replica than the stream.
//!
//! The store keeps, for as long as the stream renews it, which conversations it has and the changes that it has not taken up
//! yet. A change is put there by whoever got the call; the stream looks for changes now and then, and at once where it is
//! told that there are some ([`StreamRecords::changed`]).

use async_trait::async_trait;
use bytes::Bytes;

use super::StoreError;
use crate::event::TenantId;

/// The most conversations that a changeable stream may have.
pub const CONVERSATIONS_MAX: usize = 1000;

/// The most changes that may wait for a stream.
pub const CHANGES_MAX: usize = 1000;

/// A stream that may be changed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct StreamKey {
    /// Its tenant.
    pub tenant: TenantId,
    /// Its name, which cannot be guessed.
    pub id: String,
}

/// A change of a stream's conversations. No conversation is named twice in a list; what is removed is removed first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StreamChange {
    /// Conversations that are added.
    pub add: Vec<String>,
    /// Conversations that are taken off.
    pub remove: Vec<String>,
    /// The change as the stream reads it. The store understands nothing of it.
    pub record: Bytes,
}

/// What became of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StreamChanged {
    /// It was taken, under this number: 1, 2, 3 and so on.
    Taken(u64),
    /// There is no such stream.
    Unknown,
    /// The stream would have more than [`CONVERSATIONS_MAX`] conversations.
    TooManyConversations,
    /// [`CHANGES_MAX`] changes wait for the stream already.
    TooManyChanges,
}

/// Which streams were changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChangedStreams {
    /// Names of the streams.
    pub ids: Vec<String>,
    /// Up to where that was read.
    pub mark: String,
}

/// Records of streams that may be changed. What [`super::Store`] says of its methods holds for these too.
#[async_trait]
pub trait StreamRecords: Send + Sync {
    /// Notes a stream with the number of its last change and its conversations, for `ttl_ms`. One that is known is left as it
    /// is.
    async fn open(
        &self,
        stream: &StreamKey,
        revision: u64,
        conversations: &[String],
        ttl_ms: u64,
    ) -> Result<(), StoreError>;

    /// Puts a change where its stream finds it. Made twice, it does no more than made once, but takes two numbers.
    async fn change(&self, stream: &StreamKey, change: &StreamChange) -> Result<StreamChanged, StoreError>;

    /// Renews a stream for `ttl_ms`, lets go of changes up to the one of number `applied`, and answers those that wait, with
    /// their numbers. `None` where the stream is not known.
    async fn waiting(
        &self,
        stream: &StreamKey,
        applied: u64,
        ttl_ms: u64,
    ) -> Result<Option<Vec<(u64, Bytes)>>, StoreError>;

    /// Forgets a stream.
    async fn close(&self, stream: &StreamKey) -> Result<(), StoreError>;

    /// Names of streams that were changed since `mark`, which was answered before. Without one, only the mark of now. It is a
    /// hint: changes may be missing, since not all are kept.
    async fn changed(&self, mark: Option<&str>) -> Result<ChangedStreams, StoreError>;
}
