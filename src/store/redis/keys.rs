//! Names of the keys; the table is at the head of the module above.

use std::borrow::Cow;

use aws_lc_rs::digest::{Context, SHA256};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};

use crate::{
    event::{ConversationKey, TenantId},
    store::{
        CustomerKey, IdempotencyKey, LedgerKey, StoreError, StreamKey, partition,
        subscription::{Slots, SubscriptionKey},
    },
};

/// Names of the keys of one log.
#[derive(Debug, Clone)]
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

    /// A key of a partition. Each append makes several, so they are put together in one piece.
    fn in_partition(&self, partition: u16, parts: &[&str]) -> String {
        let start = self
            .partitions
            .get(usize::from(partition))
            .map_or("", String::as_str);
        let bytes = start.len() + parts.iter().map(|part| part.len()).sum::<usize>();
        let mut key = String::with_capacity(bytes);
        key.push_str(start);
        for part in parts {
            key.push_str(part);
        }
        key
    }

    pub(super) fn schema(&self) -> String {
        format!("{}:schema", self.prefix)
    }

    /// In the slot of the schema, beside which it is written.
    pub(super) fn probe(&self) -> String {
        format!("{{{}}}:probe", self.schema())
    }

    /// One key to probe with in each partition.
    pub(super) fn probes(&self) -> impl Iterator<Item = String> {
        (0..self.partitions()).map(|partition| self.in_partition(partition, &["probe"]))
    }

    /// The one to probe with in the partition of a conversation.
    pub(super) fn probe_beside(&self, key: &ConversationKey) -> String {
        self.in_partition(self.partition(key), &["probe"])
    }

    pub(super) fn claim(&self, event: &str) -> String {
        format!("{}:claim:{event}", self.prefix)
    }

    pub(super) fn janitor(&self) -> String {
        format!("{}:janitor", self.prefix)
    }

    pub(super) fn idempotency(&self, key: &IdempotencyKey) -> String {
        self.by_print(&call_print(key))
    }

    /// The record of a call by what [`call_print`] made of it.
    pub(super) fn by_print(&self, call: &str) -> String {
        format!("{}:{call}", self.prefix)
    }

    pub(super) fn log(&self, partition: u16) -> String {
        self.in_partition(partition, &["log"])
    }

    pub(super) fn meta(&self, partition: u16) -> String {
        self.in_partition(partition, &["meta"])
    }

    pub(super) fn seen(&self, partition: u16, event: &str) -> String {
        self.in_partition(partition, &["seen:", event])
    }

    /// What the session keys of a partition start with; a conversation's name follows.
    pub(super) fn session_start(&self, partition: u16) -> String {
        self.in_partition(partition, &["session:"])
    }

    pub(super) fn session(&self, partition: u16, key: &ConversationKey) -> String {
        self.in_partition(partition, &["session:", &escaped(key), ":", &key.conversation])
    }

    pub(super) fn index(&self, partition: u16, key: &ConversationKey) -> String {
        self.in_partition(partition, &["index:", &escaped(key), ":", &key.conversation])
    }

    pub(super) fn sessions(&self, partition: u16, tenant: &TenantId) -> String {
        self.in_partition(partition, &["sessions:", tenant.as_str()])
    }

    pub(super) fn unsettled(&self, partition: u16) -> String {
        self.in_partition(partition, &["unsettled"])
    }

    pub(super) fn customer(&self, key: &CustomerKey) -> String {
        let hash = hash(&[key.tenant.as_str(), &key.channel_id, &key.user_id]);
        format!("{}:customer:{hash}", self.prefix)
    }

    pub(super) fn ledger(&self, ledger: &LedgerKey) -> String {
        let partition = self.partition(&ledger.key);
        self.in_partition(partition, &[&ledger_print(ledger), ":", &name(&ledger.key)])
    }

    /// Erasing a conversation leaves it to expire: neither name nor value tells whose it was.
    pub(super) fn trace(&self, key: &ConversationKey) -> String {
        let hash = hash(&[key.tenant.as_str(), &key.conversation]);
        self.in_partition(self.partition(key), &["trace:", &hash])
    }

    /// By what ledgers and echoes of a conversation are found again.
    pub(super) fn prints(&self, partition: u16, key: &ConversationKey) -> String {
        self.in_partition(partition, &["prints:", &name(key)])
    }

    /// What all keys of a partition start with.
    pub(super) fn start(&self, partition: u16) -> String {
        self.in_partition(partition, &[])
    }

    pub(super) fn data_keys(&self, partition: u16, key: &ConversationKey) -> String {
        self.in_partition(partition, &["keys:", &name(key)])
    }

    pub(super) fn master_keys(&self, partition: u16) -> String {
        self.in_partition(partition, &["masters"])
    }

    /// What the notes of a partition start with of whose data keys a master key wraps; its name follows.
    pub(super) fn wrapped_start(&self, partition: u16) -> String {
        self.in_partition(partition, &["wrapped:"])
    }

    pub(super) fn wrapped(&self, partition: u16, master: &str) -> String {
        self.in_partition(partition, &["wrapped:", master])
    }

    pub(super) fn erased(&self, partition: u16) -> String {
        self.in_partition(partition, &["erased"])
    }

    /// Entries of a conversation that are to be erased.
    pub(super) fn to_erase(&self, partition: u16, key: &ConversationKey) -> String {
        self.in_partition(partition, &["erase:", &name(key)])
    }

    /// Conversations that are being erased.
    pub(super) fn being_erased(&self, partition: u16) -> String {
        self.in_partition(partition, &["erasing"])
    }

    pub(super) fn stream(&self, stream: &StreamKey) -> String {
        let hash = hash(&[stream.tenant.as_str(), &stream.id]);
        format!("{}:stream:{hash}", self.prefix)
    }

    pub(super) fn changed_streams(&self) -> String {
        format!("{}:streams", self.prefix)
    }

    pub(super) fn subscriptions(&self, tenant: &TenantId) -> String {
        format!("{}:subscriptions:{tenant}", self.prefix)
    }

    /// What is kept of a tenant for clients of Chat API v2.
    pub(super) fn chat_v2(&self, tenant: &TenantId) -> String {
        format!("{}:chat-v2:{tenant}", self.prefix)
    }

    /// A tenant's outboxes that have anything. All keys of them share its hash tag.
    pub(super) fn outboxes(&self, tenant: &TenantId) -> String {
        self.of_outboxes(tenant, "webhooks")
    }

    /// The one to probe with beside a tenant's outboxes.
    pub(super) fn outbox_probe(&self, tenant: &TenantId) -> String {
        self.of_outboxes(tenant, "probe")
    }

    /// The keys of an outbox, as `outbox/part.lua` reads them.
    pub(super) fn outbox(&self, tenant: &TenantId, webhook: u64) -> [String; 6] {
        ["waiting", "due", "claimed", "notes", "state", "dead"]
            .map(|what| self.of_outboxes(tenant, &format!("{webhook}:{what}")))
    }

    fn of_outboxes(&self, tenant: &TenantId, what: &str) -> String {
        format!("{}:{{outbox:{tenant}}}:{what}", self.prefix)
    }

    pub(super) fn members(&self, key: &SubscriptionKey) -> String {
        format!("{}:members:{}", self.prefix, subscription(key))
    }

    pub(super) fn slots(&self, key: &SubscriptionKey, slots: Slots) -> String {
        match slots {
            Slots::Durable => format!("{}:durable:{}", self.prefix, subscription(key)),
            Slots::Shares(partition) => self.in_partition(partition, &["shares:", &subscription(key)]),
        }
    }

    pub(super) fn echo(&self, partition: u16, key: &ConversationKey, fingerprint: &str) -> String {
        self.in_partition(partition, &[&echo_print(fingerprint), ":", &name(key)])
    }
}

/// What the names of the records of calls start with.
pub(super) const CALL_PRINT: &str = "idem:";

/// The name of the record of a call.
pub(super) fn call_print(key: &IdempotencyKey) -> String {
    let hash = hash(&[key.tenant.as_str(), &key.caller, key.method, &key.request_id]);
    format!("{CALL_PRINT}{hash}")
}

/// What the name of a ledger starts with within its partition.
pub(super) fn ledger_print(ledger: &LedgerKey) -> String {
    format!("ledger:{}", hash(&[ledger.kind.name(), &ledger.print]))
}

/// What the name of a list of awaited echoes starts with within its partition.
pub(super) fn echo_print(fingerprint: &str) -> String {
    format!("echo:{}", hash(&[fingerprint]))
}

/// The slot of a key in a cluster: that of its hash tag, where it has one.
pub(super) fn slot_of(key: &[u8]) -> u16 {
    let tag = |key: &[u8]| {
        let from = key.iter().position(|c| *c == b'{')? + 1;
        let length = key
            .get(from..)?
            .iter()
            .position(|c| *c == b'}')
            .filter(|length| *length > 0)?;
        key.get(from..from + length).map(<[u8]>::to_vec)
    };
    match tag(key) {
        Some(tag) => partition::slot(&tag),
        None => partition::slot(key),
    }
}

fn subscription(key: &SubscriptionKey) -> String {
    hash(&[key.tenant.as_str(), &key.name, &key.uid.to_string()])
}

/// A conversation's name within a key: `TENANT:CONVERSATION`.
pub(super) fn name(key: &ConversationKey) -> String {
    format!("{}:{}", escaped(key), key.conversation)
}

/// A conversation's tenant, so that the first colon of a name ends it.
fn escaped(key: &ConversationKey) -> Cow<'_, str> {
    let tenant = key.tenant.as_str();
    if tenant.contains(['%', ':']) {
        tenant.replace('%', "%25").replace(':', "%3A").into()
    } else {
        tenant.into()
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
    fn the_slot_of_a_key_is_that_of_its_tag() {
        for (key, as_if) in [
            ("{foo}bar", "foo"),
            ("a{foo}{bar}", "foo"),
            ("{}foo", "{}foo"),
            ("foo{", "foo{"),
        ] {
            assert_eq!(
                slot_of(key.as_bytes()),
                partition::slot(as_if.as_bytes()),
                "{key}"
            );
        }
        assert_eq!(slot_of(b"foo"), 12_182);
    }

    #[test]
    fn keys_of_a_tenants_outboxes_share_a_slot_and_are_nobody_elses() {
        let keys = Keys::new("chatbridge".into(), 16).unwrap();
        let tenants = ["a", "a}", "a}:1", "{a", "a}:webhooks", ""].map(TenantId::new);
        let mut all = std::collections::BTreeSet::new();
        for tenant in &tenants {
            let index = keys.outboxes(tenant);
            let names = [0, 1, 11].map(|webhook| keys.outbox(tenant, webhook));
            let names = names.into_iter().flatten().chain([keys.outbox_probe(tenant)]);
            for name in names.chain([index.clone()]) {
                assert_eq!(slot_of(name.as_bytes()), slot_of(index.as_bytes()), "{name}");
                assert!(all.insert(name.clone()), "{name} twice");
            }
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
