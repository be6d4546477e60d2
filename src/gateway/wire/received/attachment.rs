//! Files of a conversation.

use serde::Deserialize;

use super::{Item, first, identifier, list, one, unix_ms};
use crate::gateway::{
    self,
    wire::lenient::{size, text},
};

/// Answer of "get an attachment", and of "add" one.
pub(in crate::gateway) fn attachment(body: &[u8]) -> Result<gateway::StoredAttachment, String> {
    one::<Attachment>(body)
}

/// Answer of "list attachments".
pub(in crate::gateway) fn attachments(
    body: &[u8],
) -> Result<gateway::Listed<gateway::StoredAttachment>, String> {
    list::<Attachment>(body)
}

/// The vendor describes `filename` and `sizeInBytes`, requires `size`, and writes `fileName` on events.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Attachment {
    #[serde(deserialize_with = "text")]
    id: String,
    #[serde(deserialize_with = "text")]
    filename: String,
    #[serde(deserialize_with = "text")]
    file_name: String,
    #[serde(rename = "type", deserialize_with = "text")]
    media_type: String,
    #[serde(deserialize_with = "size")]
    size_in_bytes: Option<u64>,
    #[serde(deserialize_with = "size")]
    size: Option<u64>,
    #[serde(deserialize_with = "text")]
    created_at: String,
}

impl Item for Attachment {
    const LIST: &'static str = "attachments";
    type Read = gateway::StoredAttachment;

    fn read(self) -> Result<gateway::StoredAttachment, String> {
        Ok(gateway::StoredAttachment {
            id: identifier(self.id, "an attachment")?,
            file_name: first(self.filename, self.file_name),
            media_type: self.media_type,
            size_bytes: self.size_in_bytes.or(self.size),
            created_ms: unix_ms(&self.created_at),
        })
    }
}
