//! Messages and their cards.

use serde::Serialize;
use serde_json::Value;

use super::author_word;
use crate::{event, gateway::UpstreamError};

/// Body of "send a message", and a message of the history.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::gateway) struct Message<'a> {
    author_type: &'static str,
    /// Required beside files and cards, too, if only as an empty one; never there beside an external provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    attachments: Vec<AttachmentId<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cards: Vec<Card<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    external_provider: Option<ExternalProvider<'a>>,
}

impl<'a> Message<'a> {
    pub(in crate::gateway) fn new(message: &'a event::Message) -> Result<Self, UpstreamError> {
        Ok(Self {
            author_type: author_word(message.author.kind)?,
            text: (message.external_provider.is_none() || !message.text.is_empty()).then_some(&*message.text),
            attachments: message
                .attachments
                .iter()
                .map(|a| AttachmentId { id: &a.id })
                .collect(),
            cards: message.cards.iter().map(Card::new).collect(),
            external_provider: message.external_provider.as_ref().map(ExternalProvider::new),
        })
    }
}

#[derive(Serialize)]
struct AttachmentId<'a> {
    id: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Card<'a> {
    content_type: &'a str,
    content: &'a Value,
}

impl<'a> Card<'a> {
    fn new(card: &'a event::Card) -> Self {
        Self {
            content_type: &card.content_type,
            content: &card.content,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ExternalProvider<'a> {
    name: &'a str,
    external_message_id: &'a str,
}

impl<'a> ExternalProvider<'a> {
    fn new(provider: &'a event::ExternalProvider) -> Self {
        Self {
            name: &provider.name,
            external_message_id: &provider.external_message_id,
        }
    }
}

/// Body of a card's action.
#[derive(Serialize)]
pub(in crate::gateway) struct CardAction<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(in crate::gateway) name: &'a str,
}
