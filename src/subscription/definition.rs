//! What a subscription is, as it is kept.

use std::collections::BTreeSet;

use base64::{Engine, prelude::BASE64_STANDARD_NO_PAD};
use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::{
    event::{ConversationKey, TenantId},
    fanout::Filter,
    store::{Cursor, StoreError, partition, subscription::SubscriptionKey},
};

/// Who reads a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// One stream at a time.
    Durable,
    /// Several, which split the conversations among them.
    Shared,
}

/// Where a subscription was asked to start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StartAt {
    /// With what came after its creation.
    Latest,
    /// With the oldest entry of the log.
    Earliest,
    /// With entries logged at this time or later, Unix milliseconds.
    Time(u64),
    /// Behind this cursor, as it was given.
    Cursor(#[serde(with = "bytes_as_text")] Bytes),
}

/// What its creator said of a subscription.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Definition {
    /// Who reads it.
    pub kind: Kind,
    /// Only these conversations; empty: all.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub conversations: BTreeSet<String>,
    /// Only these kinds of events, as numbers of `EventKind`; empty: all.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub kinds: BTreeSet<i32>,
    /// Whether echoes are wanted.
    #[serde(default)]
    pub echoes: bool,
    /// Where it starts.
    pub start: StartAt,
    /// The lease of its members, in milliseconds.
    pub lease_ms: u64,
}

/// A subscription.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscription {
    /// What tells it from another that had its name before.
    pub uid: u64,
    /// When it was created, Unix milliseconds of the store's clock.
    pub created_ms: u64,
    /// Where it starts, as an encoded cursor: resolved when it was created.
    #[serde(with = "bytes_as_text")]
    pub from: Bytes,
    /// What its creator said.
    pub definition: Definition,
}

impl Subscription {
    /// As it is kept.
    pub(super) fn encode(&self) -> Result<Bytes, StoreError> {
        let encoded = serde_json::to_vec(self);
        Ok(encoded.map_err(|_| corrupt())?.into())
    }

    /// Reads what was kept.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, StoreError> {
        serde_json::from_slice(bytes).map_err(|_| corrupt())
    }

    /// Names what is kept of it.
    pub(super) fn key(&self, tenant: &TenantId, name: &str) -> SubscriptionKey {
        SubscriptionKey {
            tenant: tenant.clone(),
            name: name.to_owned(),
            uid: self.uid,
        }
    }

    /// A place that was kept for it; where none was, the one where it starts.
    pub(super) fn place(&self, position: &[u8]) -> Result<Cursor, StoreError> {
        let bytes = if position.is_empty() { &self.from } else { position };
        Cursor::decode(bytes).map_err(|_| corrupt())
    }

    /// The partitions that a durable subscription reads.
    pub(super) fn read_partitions(&self, tenant: &TenantId, partitions: u16) -> BTreeSet<u16> {
        if self.definition.conversations.is_empty() {
            return (0..partitions).collect();
        }
        let conversations = self.definition.conversations.iter();
        let keys = conversations.map(|id| ConversationKey::new(tenant.clone(), id));
        keys.map(|key| partition::of(&key, partitions)).collect()
    }

    /// What it wants of a tenant's events; of these shares alone.
    pub(super) fn filter(&self, tenant: &TenantId, shares: Option<BTreeSet<u16>>) -> Filter {
        Filter {
            tenant: tenant.clone(),
            conversations: self.definition.conversations.clone(),
            share: shares,
            kinds: self.definition.kinds.iter().copied().collect(),
            echoes: self.definition.echoes,
        }
    }
}

fn corrupt() -> StoreError {
    StoreError::Corrupt("the definition of a subscription, or its place, cannot be read".into())
}

/// Bytes in base 64, since JSON has none.
mod bytes_as_text {
    use serde::{Deserializer, Serializer, de::Error};

    use super::{BASE64_STANDARD_NO_PAD, Bytes, Deserialize, Engine};

    pub(super) fn serialize<S: Serializer>(bytes: &Bytes, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&BASE64_STANDARD_NO_PAD.encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Bytes, D::Error> {
        let text = String::deserialize(from)?;
        BASE64_STANDARD_NO_PAD
            .decode(text)
            .map(Bytes::from)
            .map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_kept_is_read_back() {
        let subscription = Subscription {
            uid: u64::MAX,
            created_ms: 5,
            from: Cursor::at_time(7, 16).encode().into(),
            definition: Definition {
                kind: Kind::Shared,
                conversations: BTreeSet::new(),
                kinds: [3, 5].into(),
                echoes: true,
                start: StartAt::Cursor(Bytes::from_static(b"\0\xff")),
                lease_ms: 30_000,
            },
        };
        let kept = subscription.encode().unwrap();
        assert_eq!(Subscription::decode(&kept).unwrap(), subscription);
        assert_eq!(subscription.place(b"").unwrap(), Cursor::at_time(7, 16));
        assert!(matches!(Subscription::decode(b"{}"), Err(StoreError::Corrupt(_))));
    }
}
