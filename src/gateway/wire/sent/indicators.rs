//! Signs of life: typing, thinking, read, gone.

use serde::Serialize;

use super::author_word;
use crate::{event::AuthorType, gateway::UpstreamError};

/// Body of "the user leaves".
#[derive(Serialize)]
pub(in crate::gateway) struct UserLeaves {
    pub(in crate::gateway) removed: bool,
}

/// Body of the typing indicator.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::gateway) struct Typing {
    author_type: &'static str,
}

impl Typing {
    pub(in crate::gateway) fn new(author: AuthorType) -> Result<Self, UpstreamError> {
        Ok(Self {
            author_type: author_word(Some(author))?,
        })
    }
}

/// Body of the thinking indicator.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::gateway) struct Thinking {
    author_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_thinking_time_seconds: Option<u32>,
}

impl Thinking {
    /// Nobody but the bot thinks.
    pub(in crate::gateway) fn new(max_seconds: Option<u32>) -> Self {
        Self {
            author_type: AuthorType::Bot.as_str(),
            max_thinking_time_seconds: max_seconds,
        }
    }
}

/// Body of the read receipt.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::gateway) struct ReadReceipt {
    author_type: &'static str,
    read_at: i64,
}

impl ReadReceipt {
    pub(in crate::gateway) fn new(author: AuthorType, read_ms: i64) -> Result<Self, UpstreamError> {
        Ok(Self {
            author_type: author_word(Some(author))?,
            read_at: read_ms,
        })
    }
}
