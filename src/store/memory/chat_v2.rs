//! Webhooks of Chat API v2, and the channels that go to them.

use std::collections::{BTreeMap, HashMap};

use async_trait::async_trait;
use bytes::Bytes;

use super::MemoryStore;
use crate::{
    event::TenantId,
    store::{
        StoreError,
        chat_v2::{ChannelRecord, ChatV2Store, Removed, Replaced, WEBHOOKS_MAX, WebhookRecord},
    },
};

/// Those of all tenants.
#[derive(Clone, Default)]
pub(super) struct ChatV2(HashMap<TenantId, Known>);

/// Those of a tenant.
#[derive(Clone, Default)]
struct Known {
    last_id: u64,
    webhooks: BTreeMap<u64, WebhookRecord>,
    channels: BTreeMap<String, ChannelRecord>,
}

impl MemoryStore {
    fn chat_v2<T: Default>(&self, tenant: &TenantId, look: impl FnOnce(&Known) -> T) -> T {
        self.shared
            .lock()
            .chat_v2
            .0
            .get(tenant)
            .map(look)
            .unwrap_or_default()
    }

    fn change_chat_v2<T>(&self, tenant: &TenantId, change: impl FnOnce(&mut Known) -> T) -> T {
        let mut state = self.shared.lock();
        change(state.chat_v2.0.entry(tenant.clone()).or_default())
    }
}

#[async_trait]
impl ChatV2Store for MemoryStore {
    async fn webhooks(&self, tenant: &TenantId) -> Result<Vec<WebhookRecord>, StoreError> {
        Ok(self.chat_v2(tenant, |known| known.webhooks.values().cloned().collect()))
    }

    async fn webhook(&self, tenant: &TenantId, id: u64) -> Result<Option<WebhookRecord>, StoreError> {
        Ok(self.chat_v2(tenant, |known| known.webhooks.get(&id).cloned()))
    }

    async fn add_webhook(
        &self,
        tenant: &TenantId,
        definition: &Bytes,
    ) -> Result<Option<WebhookRecord>, StoreError> {
        Ok(self.change_chat_v2(tenant, |known| {
            if known.webhooks.len() >= WEBHOOKS_MAX {
                return None;
            }
            known.last_id += 1;
            let record = WebhookRecord {
                id: known.last_id,
                revision: 1,
                definition: definition.clone(),
            };
            known.webhooks.insert(record.id, record.clone());
            Some(record)
        }))
    }

    async fn replace_webhook(
        &self,
        tenant: &TenantId,
        id: u64,
        expected: Option<u64>,
        definition: &Bytes,
    ) -> Result<Replaced, StoreError> {
        Ok(self.change_chat_v2(tenant, |known| {
            let Some(record) = known.webhooks.get_mut(&id) else {
                return Replaced::Unknown;
            };
            if expected.is_some_and(|expected| expected != record.revision) {
                return Replaced::Changed;
            }
            record.revision += 1;
            record.definition = definition.clone();
            Replaced::Done(record.revision)
        }))
    }

    async fn remove_webhook(&self, tenant: &TenantId, id: u64) -> Result<Removed, StoreError> {
        Ok(self.change_chat_v2(tenant, |known| {
            if !known.webhooks.contains_key(&id) {
                return Removed::Unknown;
            }
            let user = known.channels.iter().find(|(_, channel)| channel.webhook == id);
            if let Some((channel, _)) = user {
                return Removed::InUse(channel.clone());
            }
            known.webhooks.remove(&id);
            Removed::Done
        }))
    }

    async fn bind_channel(
        &self,
        tenant: &TenantId,
        channel: &str,
        webhook: u64,
    ) -> Result<Option<ChannelRecord>, StoreError> {
        Ok(self.change_chat_v2(tenant, |known| {
            if !known.webhooks.contains_key(&webhook) {
                return None;
            }
            let revision = known.channels.get(channel).map_or(0, |known| known.revision) + 1;
            let record = ChannelRecord { webhook, revision };
            known.channels.insert(channel.to_owned(), record);
            Some(record)
        }))
    }

    async fn release_channel(&self, tenant: &TenantId, channel: &str) -> Result<(), StoreError> {
        self.change_chat_v2(tenant, |known| known.channels.remove(channel));
        Ok(())
    }

    async fn channel(&self, tenant: &TenantId, channel: &str) -> Result<Option<ChannelRecord>, StoreError> {
        Ok(self.chat_v2(tenant, |known| known.channels.get(channel).copied()))
    }

    async fn channels(&self, tenant: &TenantId) -> Result<BTreeMap<String, ChannelRecord>, StoreError> {
        Ok(self.chat_v2(tenant, |known| known.channels.clone()))
    }
}
