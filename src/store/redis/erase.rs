//! Erasing a conversation.
//!
//! First one script takes away all by which the conversation can be found or decrypted, and marks its entries; then they are
//! erased a few at a time, so that Redis is not kept from everything else. What broke off in between goes on when the
//! erasure is repeated, or when the janitor comes by. Whatever comes meanwhile is of the conversation's new beginning.

use ::redis::cmd;

use super::{
    RedisStore,
    durable::Write,
    keys::{CALL_PRINT, name, parse_name},
    scripts::{BEGIN_ERASURE, Call, ERASE_CALL, ERASE_ENTRIES},
};
use crate::{
    event::ConversationKey,
    store::{CustomerKey, Erased, Store as _, StoreError},
};

/// How many entries are erased in one step: Redis does nothing else meanwhile.
const STEP: u64 = 128;

/// How many erasures that broke off the janitor ends in one partition at a time.
const BROKEN_OFF: usize = 64;

/// How long, once all entries are erased, one knows that their data key was: longer than anybody takes to read a page, in
/// milliseconds.
const KNOWN_FOR_MS: u64 = 600_000;

/// How long the key lives that is written last, in milliseconds.
const PROBE_MS: u64 = 10_000;

impl RedisStore {
    pub(super) async fn erase_conversation(&self, key: &ConversationKey) -> Result<Erased, StoreError> {
        if key.conversation.is_empty() {
            return Ok(Erased::default());
        }
        // While the session still says whose it is.
        self.release_customer_of(key).await?;
        self.erase_calls(key).await?;
        self.begin_erasure(key).await?;
        if let Some(vault) = &self.vault {
            vault.forget(key);
        }
        let entries = self.erase_marked(key).await?;
        self.confirm(key).await?;
        Ok(Erased { entries })
    }

    async fn release_customer_of(&self, key: &ConversationKey) -> Result<(), StoreError> {
        let session = match self.session(key).await {
            Ok(session) => session,
            Err(error @ StoreError::Unavailable(_)) => return Err(error),
            // Nobody can read whose it is, which must not keep anybody from erasing it. It then expires.
            Err(error) => {
                tracing::warn!(tenant = %key.tenant, conversation = %key.conversation, %error,
                    "a conversation is erased of which nobody can tell whose it is");
                None
            }
        };
        match session.as_ref().and_then(CustomerKey::of) {
            Some(customer) => self.forget_customer(&customer, &key.conversation).await,
            None => Ok(()),
        }
    }

    /// Erases answers that tell what is in the conversation. Each lies in a slot of its own, so this is not one step with the rest; it
    /// comes first, while they are still listed.
    async fn erase_calls(&self, key: &ConversationKey) -> Result<(), StoreError> {
        let prints = self.keys.prints(self.keys.partition(key), key);
        let listed: Vec<String> = self
            .link
            .command(cmd("ZRANGE").arg(prints).arg(0).arg(-1))
            .await?;
        for call in listed.iter().filter(|print| print.starts_with(CALL_PRINT)) {
            let record = Call::new([self.keys.by_print(call)]);
            self.link.script::<()>(&ERASE_CALL, record).await?;
        }
        Ok(())
    }

    async fn begin_erasure(&self, key: &ConversationKey) -> Result<(), StoreError> {
        let (keys, partition) = (&self.keys, self.keys.partition(key));
        let call = Call::new([
            keys.data_keys(partition, key),
            keys.session(partition, key),
            keys.index(partition, key),
            keys.sessions(partition, &key.tenant),
            keys.unsettled(partition),
            keys.prints(partition, key),
            keys.to_erase(partition, key),
            keys.being_erased(partition),
        ])
        .arg(&key.conversation)
        .arg(name(key))
        .arg(self.erasures_known_ms())
        .arg(keys.start(partition));
        self.link.script::<u64>(&BEGIN_ERASURE, call).await.map(drop)
    }

    /// Erases the entries that were marked, and what waits of them to be sent; answers how many entries there were. The latter first,
    /// while an erasure that breaks off is still known, and again when nobody can read an entry any more and put it there.
    async fn erase_marked(&self, key: &ConversationKey) -> Result<u64, StoreError> {
        self.erase_from_outboxes(key).await?;
        let entries = self.erase_entries(key).await?;
        self.erase_from_outboxes(key).await?;
        Ok(entries)
    }

    /// Erases the entries that were marked; answers how many there were.
    async fn erase_entries(&self, key: &ConversationKey) -> Result<u64, StoreError> {
        let (keys, partition) = (&self.keys, self.keys.partition(key));
        let mut entries = 0;
        loop {
            let call = Call::new([
                keys.log(partition),
                keys.meta(partition),
                keys.erased(partition),
                keys.to_erase(partition, key),
                keys.being_erased(partition),
                keys.data_keys(partition, key),
            ])
            .arg(name(key))
            .arg(STEP)
            .arg(KNOWN_FOR_MS);
            let (erased, left): (u64, u64) = self.link.script(&ERASE_ENTRIES, call).await?;
            entries += erased;
            if left == 0 {
                return Ok(entries);
            }
        }
    }

    /// Waits until the erasure is on as many replicas as an append must be. `WAIT` tells of the last write of its connection, and
    /// of all before it.
    async fn confirm(&self, key: &ConversationKey) -> Result<(), StoreError> {
        if self.wait.is_none() {
            return Ok(());
        }
        let probe = self.keys.probe_beside(key);
        let last = Write::command(cmd("SET").arg(probe).arg("").arg("PX").arg(PROBE_MS));
        self.topology.write(vec![vec![last]]).await.map(drop)
    }

    /// Ends erasures that broke off, in all partitions.
    pub(super) async fn end_erasures(&self) -> Result<(), StoreError> {
        for partition in 0..self.keys.partitions() {
            let mut some = cmd("SRANDMEMBER");
            some.arg(self.keys.being_erased(partition)).arg(BROKEN_OFF);
            let names: Vec<String> = self.link.command(&some).await?;
            for key in names.iter().filter_map(|name| parse_name(name)) {
                self.erase_marked(&key).await?;
            }
        }
        Ok(())
    }
}
