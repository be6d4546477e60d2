//! A message as the vendor keeps it.

use serde::Deserialize;
use serde_json::Value;

use super::{
    lenient::{flag, or_default, text},
    received::{first, unix_ms},
};
use crate::event::{self, AuthorType};

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Message {
    #[serde(deserialize_with = "text")]
    id: String,
    #[serde(deserialize_with = "or_default")]
    author: Author,
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

impl Message {
    pub(super) fn read(self) -> event::Message {
        event::Message {
            id: self.id,
            author: self.author.read(),
            text: self.text,
            created_ms: unix_ms(&self.created_at),
            attachments: self.attachments.into_iter().map(Attachment::read).collect(),
            cards: self.cards.into_iter().map(Card::read).collect(),
            external_provider: self.external_provider.map(ExternalProvider::read),
            echo: false,
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Author {
    #[serde(deserialize_with = "text")]
    id: String,
    #[serde(rename = "type", deserialize_with = "text")]
    kind: String,
    #[serde(deserialize_with = "text")]
    name: String,
    #[serde(deserialize_with = "flag")]
    removed: bool,
    #[serde(deserialize_with = "text")]
    language: String,
}

impl Author {
    fn read(self) -> event::Participant {
        event::Participant {
            kind: AuthorType::parse(&self.kind),
            id: self.id,
            name: self.name,
            removed: self.removed,
            language: self.language,
        }
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
    content: Value,
    #[serde(deserialize_with = "flag")]
    action_submitted: bool,
    #[serde(deserialize_with = "flag")]
    action_executed: bool,
}

impl Card {
    fn read(self) -> event::Card {
        event::Card {
            id: self.id,
            content_type: self.content_type,
            content: self.content,
            action_submitted: self.action_submitted,
            action_executed: self.action_executed,
        }
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
