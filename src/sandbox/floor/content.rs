//! What is said in a conversation, and the files that go with it.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::conversation::Author;
use crate::sandbox::files::StoredFile;

/// Cards that can be submitted and executed.
pub(crate) const ADAPTIVE_CARD: &str = "application/vnd.microsoft.card.adaptive";

/// What a message takes besides what is said in it.
const MESSAGE_BYTES: usize = 256;

/// What somebody writes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Content {
    pub(crate) text: String,
    pub(crate) attachments: Vec<Arc<Attachment>>,
    pub(crate) cards: Vec<Card>,
    pub(crate) external: Option<External>,
}

impl Content {
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            ..Self::default()
        }
    }

    /// How many bytes it takes, roughly. It never changes.
    pub(crate) fn bytes(&self) -> usize {
        let cards = self.cards.iter().map(|it| it.bytes);
        MESSAGE_BYTES + self.text.len() + cards.sum::<usize>()
    }
}

/// A rich card.
#[derive(Debug, Clone)]
pub(crate) struct Card {
    pub(crate) id: String,
    pub(crate) content_type: String,
    pub(crate) content: Value,
    /// How many bytes the content has as JSON.
    pub(crate) bytes: usize,
    /// Whether the customer submitted it.
    pub(crate) submitted: bool,
    /// Whether its action was executed.
    pub(crate) executed: bool,
}

/// What is done with an adaptive card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CardAction {
    Submit,
    Execute,
}

impl CardAction {
    /// Its name in adaptive cards.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Submit => "Action.Submit",
            Self::Execute => "Action.Execute",
        }
    }
}

/// What the customer filled in on a card, by the ids of its fields.
pub(crate) type Values = BTreeMap<String, String>;

/// A message whose text another service holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct External {
    pub(crate) name: String,
    pub(crate) message_id: String,
}

/// A file of a conversation.
#[derive(Debug)]
pub(crate) struct Attachment {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) media_type: String,
    /// On whose behalf it was uploaded.
    pub(crate) author: Author,
    pub(crate) created_ms: i64,
    pub(crate) file: StoredFile,
}

/// A message as it is kept.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) id: String,
    pub(crate) author: Author,
    pub(crate) content: Content,
    pub(crate) created_ms: i64,
    /// Whether it was said to the bot before the conversation existed.
    pub(crate) history: bool,
}
