//! An entry of the log as it is stored, and as it is served.
//!
//! What is stored of an event is protobuf that was encoded once, when it was accepted. A message's encodings may be
//! concatenated (protobuf, Encoding, "Last One Wins"), so serving an entry is appending bytes: head, body, and the fields
//! that only the log knows. Nobody decodes and encodes again.

pub mod format;

use std::{fmt, ops::Deref, sync::Arc};

use bytes::{BufMut, Bytes, BytesMut};
use prost::Message;

use self::format::Content;
use super::{
    PAGE_BYTES, StoreError,
    seal::{DataKey, DataKeyId},
};
use crate::{
    conversation::SessionState,
    event::{ConversationKey, EntryId, TenantId},
};

/// What contents of entries are encrypted for.
const PURPOSE: &str = "entry";

/// An entry of the log.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its partition.
    pub partition: u16,
    /// Its place there.
    pub id: EntryId,
    /// The conversation.
    pub key: ConversationKey,
    /// Number of its `EventKind`.
    pub kind: i32,
    /// Whether it is an echo.
    pub echo: bool,
    /// The encoded `AgentEvent` without `raw_json`.
    pub event: Bytes,
    /// The webhook's body as received; empty for a synthetic event.
    pub raw: Bytes,
    /// Why its content cannot be read now, if so. `event` is then without content, and nobody may be served it.
    pub unreadable: Option<Unreadable>,
}

/// Why the content of an entry cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unreadable {
    /// It is encrypted, and its key is not to be had.
    KeyMissing(Arc<str>),
    /// It is in a format that this program does not read.
    UnknownFormat(Arc<str>),
}

impl Deref for Unreadable {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            Self::KeyMissing(why) | Self::UnknownFormat(why) => why,
        }
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

impl Entry {
    /// How many bytes it holds.
    pub fn bytes(&self) -> usize {
        self.event.len() + self.raw.len()
    }
}

/// The room that is left in a page.
#[derive(Debug)]
pub(super) struct Room {
    entries: usize,
    bytes: usize,
    is_empty: bool,
}

impl Room {
    /// An empty page of at most so many entries, and of [`PAGE_BYTES`].
    pub(super) fn new(entries: usize) -> Self {
        Self {
            entries,
            bytes: PAGE_BYTES,
            is_empty: true,
        }
    }

    /// Whether an entry has a place in it, which it takes. The first one has, however large.
    pub(super) fn takes(&mut self, entry: &Entry) -> bool {
        if self.entries == 0 || (!self.is_empty && entry.bytes() > self.bytes) {
            return false;
        }
        self.entries -= 1;
        self.bytes = self.bytes.saturating_sub(entry.bytes());
        self.is_empty = false;
        true
    }
}

/// What routing reads of an encoded `AgentEvent`; the tags are the contract's.
#[derive(Clone, PartialEq, Message)]
struct Routing {
    #[prost(string, tag = "1")]
    tenant: String,
    #[prost(string, tag = "2")]
    conversation_id: String,
    #[prost(int32, tag = "4")]
    kind: i32,
    #[prost(bool, tag = "8")]
    echo: bool,
}

/// What the log adds to an encoded `AgentEvent`; the tags are the contract's.
#[derive(Clone, PartialEq, Message)]
struct Added {
    #[prost(uint64, tag = "10")]
    sequence: u64,
    #[prost(uint64, tag = "11")]
    session_epoch: u64,
    #[prost(int32, tag = "12")]
    state: i32,
    #[prost(string, tag = "13")]
    request_id: String,
}

/// Makes the content blob from an encoded body and the webhook's own bytes.
pub fn encode_content(body: Bytes, raw: Bytes) -> Bytes {
    Content { body, raw }.encode_to_vec().into()
}

/// The parts of an entry as they lie in a store.
#[derive(Debug, Clone)]
pub struct Stored {
    /// Version of the format.
    pub format: String,
    /// Identifier of the key that `content` is encrypted under; empty: it is not.
    pub key_id: String,
    /// Encoded head.
    pub head: Bytes,
    /// Content blob.
    pub content: Bytes,
    /// Sequence within the conversation.
    pub sequence: u64,
    /// Epoch of the session.
    pub session_epoch: u64,
    /// State after it.
    pub state: SessionState,
    /// `request_id` of the send whose echo it is; may be empty.
    pub request_id: String,
}

/// Encrypts the content of an event, bound to its head.
pub(super) fn seal_content(key: &DataKey, head: &[u8], content: &[u8]) -> Result<Bytes, StoreError> {
    let sealed = key.seal(PURPOSE, head, content);
    let sealed = sealed.ok_or_else(|| StoreError::Corrupt("an event could not be encrypted".into()))?;
    Ok(sealed.into())
}

fn unreadable(partition: u16, id: EntryId, what: &str) -> StoreError {
    StoreError::Corrupt(format!(
        "entry {}-{} of partition {partition} has {what}",
        id.ms, id.n
    ))
}

impl Stored {
    /// The version of its format; `None`: one that this program does not read.
    fn version(&self) -> Option<u16> {
        format::parse(&self.format).filter(|version| format::is_read(*version))
    }

    /// Which data key encrypted the content, and whose; `None`: it is not encrypted.
    pub(super) fn sealed(
        &self,
        partition: u16,
        id: EntryId,
    ) -> Result<Option<(ConversationKey, DataKeyId)>, StoreError> {
        if !self.is_sealed() {
            return Ok(None);
        }
        let key = DataKeyId::parse(&self.key_id)
            .ok_or_else(|| unreadable(partition, id, "a key's identifier that is none"))?;
        let routing = self.routing(partition, id)?;
        let of = ConversationKey::new(TenantId::new(routing.tenant), routing.conversation_id);
        Ok(Some((of, key)))
    }

    /// Whether its content is to be decrypted: not where it could not be read then.
    pub(super) fn is_sealed(&self) -> bool {
        !self.key_id.is_empty() && self.version().is_some()
    }

    /// Decrypts the content by its key.
    pub(super) fn open(&mut self, key: &DataKey, partition: u16, id: EntryId) -> Result<(), StoreError> {
        let opened = key.open(PURPOSE, &self.head, &self.content);
        let was_changed = "content that does not fit its key: it was changed, or is another's";
        self.content = opened
            .ok_or_else(|| unreadable(partition, id, was_changed))?
            .into();
        self.key_id.clear();
        Ok(())
    }

    fn routing(&self, partition: u16, id: EntryId) -> Result<Routing, StoreError> {
        Routing::decode(self.head.clone())
            .map_err(|_| unreadable(partition, id, "a head that is not protobuf"))
    }

    /// Puts an entry together whose content cannot be read.
    pub(super) fn into_unreadable(
        mut self,
        partition: u16,
        id: EntryId,
        why: Unreadable,
    ) -> Result<Entry, StoreError> {
        self.key_id.clear();
        self.content = Bytes::new();
        self.format = format::OLDEST.to_string();
        Ok(Entry {
            unreadable: Some(why),
            ..self.into_entry(partition, id)?
        })
    }

    /// Puts an entry together.
    pub fn into_entry(self, partition: u16, id: EntryId) -> Result<Entry, StoreError> {
        let unreadable = |what: &str| unreadable(partition, id, what);
        let Some(version) = self.version() else {
            let why = Unreadable::UnknownFormat(format::unknown(&self.format).into());
            return self.into_unreadable(partition, id, why);
        };
        if !self.key_id.is_empty() {
            return Err(unreadable("encrypted content, and no key is configured"));
        }
        let routing = self.routing(partition, id)?;
        let content = format::content_of(version, self.content)
            .ok_or_else(|| unreadable("content that is not protobuf"))?;
        let added = Added {
            sequence: self.sequence,
            session_epoch: self.session_epoch,
            state: self.state as i32,
            request_id: self.request_id,
        };
        let mut event = BytesMut::with_capacity(self.head.len() + content.body.len() + added.encoded_len());
        event.put(self.head);
        event.put(content.body);
        added
            .encode(&mut event)
            .map_err(|_| unreadable("fields that cannot be encoded"))?;
        Ok(Entry {
            partition,
            id,
            key: ConversationKey::new(TenantId::new(routing.tenant), routing.conversation_id),
            kind: routing.kind,
            echo: routing.echo,
            event: event.freeze(),
            raw: content.raw,
            unreadable: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use prost_types::Timestamp;

    use super::*;
    use crate::grpc::proto::{AgentEvent, EventKind, MessageEvent, agent_event};

    fn head(tenant: &str, conversation: &str, echo: bool) -> AgentEvent {
        AgentEvent {
            tenant: tenant.into(),
            conversation_id: conversation.into(),
            event_id: "event".into(),
            kind: EventKind::Message.into(),
            occurred_time: Some(Timestamp {
                seconds: 1,
                nanos: 2_000_000,
            }),
            received_time: Some(Timestamp::default()),
            vendor_event_type: "MESSAGE".into(),
            echo,
            synthetic: true,
            traceparent: "00-1-2-01".into(),
            ..AgentEvent::default()
        }
    }

    fn body(text: &str) -> Option<agent_event::Body> {
        Some(agent_event::Body::Message(MessageEvent {
            text: text.into(),
            ..MessageEvent::default()
        }))
    }

    fn stored(head: &AgentEvent, text: &str, raw: &[u8]) -> Stored {
        let body = AgentEvent {
            body: body(text),
            ..AgentEvent::default()
        };
        Stored {
            format: format::BEGINS.to_string(),
            key_id: String::new(),
            head: head.encode_to_vec().into(),
            content: encode_content(body.encode_to_vec().into(), raw.to_vec().into()),
            sequence: 7,
            session_epoch: 1_700_000_000_000,
            state: SessionState::WithAgent,
            request_id: "request".into(),
        }
    }

    const ID: EntryId = EntryId {
        epoch: 1,
        ms: 2,
        n: 3,
    };

    proptest! {
        #[test]
        fn what_is_served_is_the_contracts_event(
            tenant in ".{0,9}",
            conversation in ".{0,9}",
            text in ".{0,99}",
            raw in prop::collection::vec(any::<u8>(), 0..99),
            echo: bool,
        ) {
            let head = head(&tenant, &conversation, echo);
            let entry = stored(&head, &text, &raw).into_entry(5, ID).unwrap();
            prop_assert_eq!((entry.partition, entry.id, entry.echo), (5, ID, echo));
            prop_assert_eq!(entry.kind, i32::from(EventKind::Message));
            prop_assert_eq!(&entry.raw, &raw);
            prop_assert_eq!(&entry.key, &ConversationKey::new(TenantId::new(tenant), conversation));
            let served = AgentEvent::decode(entry.event).unwrap();
            let expected = AgentEvent {
                sequence: 7,
                session_epoch: 1_700_000_000_000,
                state: SessionState::WithAgent as i32,
                request_id: "request".into(),
                body: body(&text),
                ..head
            };
            prop_assert_eq!(served, expected);
        }

        #[test]
        fn damage_is_told_and_never_panics(
            head in prop::collection::vec(any::<u8>(), 0..40),
            content in prop::collection::vec(any::<u8>(), 0..40),
        ) {
            let damaged = Stored {
                head: head.into(),
                content: content.into(),
                ..stored(&AgentEvent::default(), "", b"")
            };
            let _ = damaged.into_entry(0, ID);
        }
    }

    #[test]
    fn what_another_version_wrote_is_never_read_as_something_else() {
        let head = head("tenant", "conversation", false);
        for format in ["0", "9", "", "1.0", "two"] {
            for key_id in ["", "1"] {
                let stored = Stored {
                    format: format.into(),
                    key_id: key_id.into(),
                    ..stored(&head, "text", b"raw")
                };
                assert!(!stored.is_sealed());
                let entry = stored.into_entry(5, ID).unwrap();
                assert_eq!((entry.id, entry.key.conversation.as_str()), (ID, "conversation"));
                let why = entry.unreadable.unwrap();
                assert!(
                    matches!(&why, Unreadable::UnknownFormat(why) if why.contains(&format!("{format:?}")))
                );
                assert_eq!(
                    (AgentEvent::decode(entry.event).unwrap().body, entry.raw.len()),
                    (None, 0)
                );
            }
        }
    }

    #[test]
    fn content_that_should_have_been_decrypted_is_refused_with_its_place() {
        let encrypted = Stored {
            key_id: "key".into(),
            ..stored(&AgentEvent::default(), "", b"")
        };
        let error = encrypted.into_entry(5, ID).unwrap_err();
        assert!(
            matches!(&error, StoreError::Corrupt(why) if why.contains("2-3 of partition 5")),
            "{error}"
        );
    }
}
