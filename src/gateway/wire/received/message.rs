//! Messages and their cards.

use serde::Deserialize;
use serde_json::Value;

use super::{Item, conversation::Participant, first, identifier, list, one, unix_ms};
use crate::{
    event,
    gateway::{
        self,
        wire::lenient::{flag, or_default, text},
    },
    json,
};

/// Answer of "get a message". It was asked for by its identifier, so an answer without one is about something else.
pub(in crate::gateway) fn message(body: &[u8]) -> Result<event::Message, String> {
    let message = one::<Message>(body)?;
    Ok(event::Message {
        id: identifier(message.id, "a message")?,
        ..message
    })
}

/// Answer of "list messages".
pub(in crate::gateway) fn messages(body: &[u8]) -> Result<gateway::Listed<event::Message>, String> {
    list::<Message>(body)
}

/// Answer of "list the cards of a message".
pub(in crate::gateway) fn cards(body: &[u8]) -> Result<gateway::Listed<event::Card>, String> {
    list::<Card>(body)
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Message {
    #[serde(deserialize_with = "text")]
    id: String,
    #[serde(deserialize_with = "or_default")]
    author: Participant,
    #[serde(deserialize_with = "text")]
    text: String,
    #[serde(deserialize_with = "text")]
    created_at: String,
    #[serde(deserialize_with = "or_default")]
    attachments: Vec<Attachment>,
    #[serde(deserialize_with = "or_default")]
    cards: Vec<Card>,
    external_provider: Option<ExternalProvider>,
}

impl Item for Message {
    const LIST: &'static str = "messages";
    type Read = event::Message;

    fn read(self) -> Result<event::Message, String> {
        Ok(event::Message {
            id: self.id,
            author: self.author.known(),
            text: self.text,
            created_ms: unix_ms(&self.created_at),
            attachments: self.attachments.into_iter().map(Attachment::read).collect(),
            cards: self.cards.into_iter().map(Card::known).collect(),
            external_provider: self.external_provider.map(ExternalProvider::read),
            echo: false,
        })
    }
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Attachment {
    #[serde(deserialize_with = "text")]
    id: String,
    #[serde(rename = "type", deserialize_with = "text")]
    media_type: String,
    #[serde(deserialize_with = "text")]
    filename: String,
    #[serde(deserialize_with = "text")]
    file_name: String,
    #[serde(deserialize_with = "text")]
    pre_signed_url: String,
}

impl Attachment {
    fn read(self) -> event::Attachment {
        event::Attachment {
            id: self.id,
            media_type: self.media_type,
            file_name: first(self.filename, self.file_name),
            pre_signed_url: self.pre_signed_url,
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Card {
    #[serde(deserialize_with = "text")]
    id: String,
    #[serde(deserialize_with = "text")]
    content_type: String,
    #[serde(deserialize_with = "json::value")]
    content: Value,
    #[serde(deserialize_with = "flag")]
    action_submitted: bool,
    #[serde(deserialize_with = "flag")]
    action_executed: bool,
}

impl Card {
    fn known(self) -> event::Card {
        event::Card {
            id: self.id,
            content_type: self.content_type,
            content: self.content,
            action_submitted: self.action_submitted,
            action_executed: self.action_executed,
        }
    }
}

impl Item for Card {
    const LIST: &'static str = "cards";
    type Read = event::Card;

    /// Only adaptive cards need an identifier, for their actions.
    fn read(self) -> Result<event::Card, String> {
        Ok(self.known())
    }
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ExternalProvider {
    #[serde(deserialize_with = "text")]
    name: String,
    #[serde(deserialize_with = "text")]
    external_message_id: String,
}

impl ExternalProvider {
    fn read(self) -> event::ExternalProvider {
        event::ExternalProvider {
            name: self.name,
            external_message_id: self.external_message_id,
        }
    }
}
