//! Doors for fuzz targets: what of this module is private and takes what the vendor wrote.

use std::time::Duration;

use jiff::Timestamp;

use super::{
    Channel, Conversation, Created, Interaction, Listed, StoredAttachment, Webhook,
    problem::{self, Problem},
    transfer::disposition,
    wire::received,
};
use crate::{
    error::Violation,
    event::{Card, Message, Participant},
};

/// One body, read as each of the vendor's answers.
#[derive(Debug, PartialEq)]
#[allow(missing_docs, reason = "the operations' names")]
pub struct Answers {
    pub created: Result<Created, String>,
    pub conversation: Result<Conversation, String>,
    pub conversations: Result<Listed<Conversation>, String>,
    pub interactions: Result<Listed<Interaction>, String>,
    pub participants: Result<Listed<Participant>, String>,
    pub message: Result<Message, String>,
    pub messages: Result<Listed<Message>, String>,
    pub cards: Result<Listed<Card>, String>,
    pub attachment: Result<StoredAttachment, String>,
    pub attachments: Result<Listed<StoredAttachment>, String>,
    pub webhook: Result<Webhook, String>,
    pub webhooks: Result<Listed<Webhook>, String>,
    pub channel: Result<Channel, String>,
    pub channels: Result<Listed<Channel>, String>,
}

/// Reads a body as each of the vendor's answers.
pub fn answers(body: &[u8]) -> Answers {
    Answers {
        created: received::created(body),
        conversation: received::conversation(body),
        conversations: received::conversations(body),
        interactions: received::interactions(body),
        participants: received::participants(body),
        message: received::message(body),
        messages: received::messages(body),
        cards: received::cards(body),
        attachment: received::attachment(body),
        attachments: received::attachments(body),
        webhook: received::webhook(body),
        webhooks: received::webhooks(body),
        channel: received::channel(body),
        channels: received::channels(body),
    }
}

/// Reads the answer that holds a signing key, as the key's JSON text.
pub fn signing_key(body: &[u8]) -> Result<String, String> {
    received::signing_key(body)
}

/// What an error body says: message, reference and violations.
pub fn problem(body: &[u8]) -> (String, Option<String>, Vec<Violation>) {
    let Problem {
        message,
        reference_id,
        violations,
    } = Problem::parse(body);
    (message, reference_id, violations)
}

/// How long a `Retry-After` header asks to wait, as read in 1970.
pub fn retry_after(header: &str) -> Option<Duration> {
    problem::retry_after(header, Timestamp::UNIX_EPOCH)
}

/// The file name in a `Content-Disposition` header.
pub fn file_name(header: &[u8]) -> Option<String> {
    disposition::file_name(header)
}
