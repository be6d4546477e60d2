//! Handing a customer over in one go: conversation, transcript of any length, context, files.

use std::collections::BTreeMap;

use bytes::Bytes;
use futures_util::Stream;

use super::{
    Conversations,
    calls::{CreatedConversation, RequestId},
};
use crate::{
    error::Error,
    gateway::{NewAttachment, NewConversation, StoredAttachment},
    tenant::Tenant,
};

/// What becomes of a transcript that is longer than the vendor takes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum TranscriptPolicy {
    /// The oldest messages are left out.
    #[default]
    KeepLatest,
    /// The oldest messages are condensed into one.
    Summarise,
    /// The hand-over fails.
    Fail,
}

/// A conversation to hand over.
#[derive(Debug, Clone)]
pub struct HandOver {
    /// The conversation; its history may be longer than the vendor takes.
    pub new: NewConversation,
    /// The caller's labels.
    pub labels: BTreeMap<String, String>,
    /// What becomes of a long transcript.
    pub policy: TranscriptPolicy,
    /// The note in place of what was left out, with `{count}`; empty: ours.
    pub note: String,
}

/// A hand-over whose conversation exists: files may follow.
pub struct HandedOver {
    /// The conversation.
    pub created: CreatedConversation,
    /// How many messages of the transcript the agent does not see at all.
    pub omitted: u32,
    /// How many messages of the transcript were condensed.
    pub summarised: u32,
}

/// What became of a file.
#[derive(Debug)]
pub struct FileOutcome {
    /// The file as the vendor has it, if it was uploaded.
    pub attachment: Option<StoredAttachment>,
    /// Whether the message that shows it was accepted.
    pub message_accepted: bool,
    /// What went wrong.
    pub error: Option<Error>,
}

impl Conversations {
    /// Creates the conversation of a hand-over.
    pub async fn hand_over(
        &self,
        _tenant: &Tenant,
        _request: &RequestId,
        _hand_over: HandOver,
    ) -> Result<HandedOver, Error> {
        Err(Error::StoreCorrupt)
    }

    /// Uploads the `n`th file of a hand-over and shows it to the agent, with `text`. An error of `content` fails the whole
    /// hand-over; whatever else goes wrong is part of the outcome.
    #[allow(clippy::too_many_arguments, reason = "each is another thing")]
    pub async fn hand_over_file(
        &self,
        _tenant: &Tenant,
        _request: &RequestId,
        _handed: &HandedOver,
        _n: usize,
        _new: &NewAttachment,
        _text: &str,
        _content: impl Stream<Item = Result<Bytes, Error>> + Send + 'static,
    ) -> Result<FileOutcome, Error> {
        Err(Error::StoreCorrupt)
    }
}
