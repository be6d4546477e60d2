//! What is sent. A field that is not given is left out, for the vendor takes an empty one at its word.

mod configuration;
mod conversation;
mod indicators;
mod message;

use crate::{
    event::AuthorType,
    gateway::{UpstreamError, UpstreamErrorKind},
};

pub(in crate::gateway) use configuration::{Channel, Webhook, WebhookToVerify};
pub(in crate::gateway) use conversation::{NewConversation, Patch, PostAgentAssignment, Replacement};
pub(in crate::gateway) use indicators::{ReadReceipt, Thinking, Typing, UserLeaves};
pub(in crate::gateway) use message::{CardAction, Message};

/// The vendor lets us speak as the customer and as the bot only.
fn author_word(author: Option<AuthorType>) -> Result<&'static str, UpstreamError> {
    match author {
        Some(kind @ (AuthorType::User | AuthorType::Bot)) => Ok(kind.as_str()),
        _ => Err(refuse("the author must be the user or the bot")),
    }
}

fn refuse(problem: &str) -> UpstreamError {
    UpstreamError::new(UpstreamErrorKind::Invalid, problem)
}
