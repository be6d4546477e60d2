//! Names of the keys; the table is at the head of the module above.

use aws_lc_rs::digest::{Context, SHA256};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};

use crate::{
    event::{ConversationKey, TenantId},
    store::{CustomerKey, IdempotencyKey, LedgerKey, StoreError, partition},
};

/// Names of the keys of one log.
#[derive(Debug)]
pub(super) struct Keys {
    prefix: String,
    /// What the keys of each partition start with.
    partitions: Vec<String>,
}

impl Keys {
    /// Names under a prefix. The prefix may hold no braces, which would change where the keys of a partition lie.
    pub(super) fn new(prefix: String, partitions: u16) -> Result<Self, StoreError> {
        let plain = |c: char| c.is_ascii_graphic() && !matches!(c, '{' | '}');
        if prefix.is_empty() || prefix.len() > 64 || !prefix.chars().all(plain) {
            return Err(StoreError::Mismatch(
                "the Redis key prefix must be 1 to 64 visible ASCII characters without braces".into(),
            ));
        }
        if !(1..=partition::MAX_PARTITIONS).contains(&partitions) {
            return Err(StoreError::Mismatch(format!(
                "the number of partitions must be from 1 to {}, and is {partitions}",
                partition::MAX_PARTITIONS
            )));
        }
        let of = |p| format!("{prefix}:{{{}}}:", partition::hash_tag(p, partitions));
        Ok(Self {
            partitions: (0..partitions).map(of).collect(),
            prefix,
        })
    }

    /// How many partitions there are.
    pub(super) fn partitions(&self) -> u16 {
        u16::try_from(self.partitions.len()).unwrap_or(u16::MAX)
    }

    /// The partition of a conversation.
    pub(super) fn partition(&self, key: &ConversationKey) -> u16 {
        partition::of(key, self.partitions())
    }

    fn in_partition(&self, partition: u16, name: &str) -> String {
        let start = self.partitions.get(usize::from(partition));
        format!("{}{name}", start.map_or("", String::as_str))
    }

    pub(super) fn schema(&self) -> String {
        format!("{}:schema", self.prefix)
    }

    pub(super) fn probe(&self) -> String {
        format!("{}:probe", self.prefix)
    }

    pub(super) fn claim(&self, event: &str) -> String {
        format!("{}:claim:{event}", self.prefix)
    }

    pub(super) fn idempotency(&self, key: &IdempotencyKey) -> String {
        let hash = hash(&[key.tenant.as_str(), &key.caller, key.method, &key.request_id]);
        format!("{}:idem:{hash}", self.prefix)
    }

    pub(super) fn log(&self, partition: u16) -> String {
        self.in_partition(partition, "log")
    }

    pub(super) fn meta(&self, partition: u16) -> String {
        self.in_partition(partition, "meta")
    }

    pub(super) fn seen(&self, partition: u16, event: &str) -> String {
        self.in_partition(partition, &format!("seen:{event}"))
    }

    /// What the session keys of a partition start with; a conversation's name follows.
    pub(super) fn session_start(&self, partition: u16) -> String {
        self.in_partition(partition, "session:")
    }

    pub(super) fn session(&self, partition: u16, key: &ConversationKey) -> String {
        self.in_partition(partition, &format!("session:{}", name(key)))
    }

    pub(super) fn index(&self, partition: u16, key: &ConversationKey) -> String {
        self.in_partition(partition, &format!("index:{}", name(key)))
    }

    pub(super) fn sessions(&self, partition: u16, tenant: &TenantId) -> String {
        self.in_partition(partition, &format!("sessions:{tenant}"))
    }

    pub(super) fn unsettled(&self, partition: u16) -> String {
        self.in_partition(partition, "unsettled")
    }

    pub(super) fn customer(&self, key: &CustomerKey) -> String {
        let hash = hash(&[key.tenant.as_str(), &key.channel_id, &key.user_id]);
        format!("{}:customer:{hash}", self.prefix)
    }

    pub(super) fn ledger(&self, ledger: &LedgerKey) -> String {
        let hash = hash(&[ledger.kind.name(), &ledger.print]);
        let partition = self.partition(&ledger.key);
        self.in_partition(partition, &format!("ledger:{hash}:{}", name(&ledger.key)))
    }

    pub(super) fn echo(&self, partition: u16, key: &ConversationKey, fingerprint: &str) -> String {
        self.in_partition(partition, &format!("echo:{}:{}", hash(&[fingerprint]), name(key)))
    }
}

/// A conversation's name within a key: `TENANT:CONVERSATION`.
pub(super) fn name(key: &ConversationKey) -> String {
    let tenant = key.tenant.as_str();
    if tenant.contains(['%', ':']) {
        let escaped = tenant.replace('%', "%25").replace(':', "%3A");
        format!("{escaped}:{}", key.conversation)
    } else {
        format!("{tenant}:{}", key.conversation)
    }
}

/// Reads what [`name`] made.
pub(super) fn parse_name(name: &str) -> Option<ConversationKey> {
    let (tenant, conversation) = name.split_once(':')?;
    let tenant = tenant.replace("%3A", ":").replace("%25", "%");
    Some(ConversationKey::new(TenantId::new(tenant), conversation))
}

/// 144 bits of a hash over parts of any length, as 24 characters.
pub(super) fn hash(parts: &[&str]) -> String {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part.as_bytes());
    }
    BASE64_URL_SAFE_NO_PAD.encode(&context.finish().as_ref()[..18])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_name_is_read_back(tenant in "[a-z:%25A]{0,8}", conversation in ".{0,8}") {
            let key = ConversationKey::new(TenantId::new(tenant), conversation);
            prop_assert_eq!(parse_name(&name(&key)), Some(key));
        }
    }

    #[test]
    fn hashes_tell_where_parts_end() {
        assert_ne!(hash(&["ab", "c"]), hash(&["a", "bc"]));
        assert_eq!(hash(&["ab", "c"]).len(), 24);
    }

    #[test]
    fn bad_settings_are_refused_with_a_sentence() {
        for (prefix, partitions) in [("", 16), ("a b", 16), ("a{b}", 16), ("a", 0), ("a", 129)] {
            assert!(matches!(
                Keys::new(prefix.into(), partitions),
                Err(StoreError::Mismatch(_))
            ));
        }
    }

    #[test]
    fn keys_of_a_partition_share_its_tag() {
        let keys = Keys::new("chatbridge".into(), 16).unwrap();
        assert_eq!(
            keys.log(0),
            format!("chatbridge:{{{}}}:log", partition::hash_tag(0, 16))
        );
    }
}
