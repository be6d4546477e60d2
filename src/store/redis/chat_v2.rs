//! Webhooks of Chat API v2, and the channels that go to them.

use std::collections::{BTreeMap, HashMap};

use ::redis::{Value, cmd};
use async_trait::async_trait;
use bytes::Bytes;

use super::{
    RedisStore,
    scripts::{CHAT_V2, Call},
    wire,
};
use crate::{
    event::TenantId,
    store::{
        StoreError,
        chat_v2::{ChannelRecord, ChatV2Store, Removed, Replaced, WEBHOOKS_MAX, WebhookRecord},
    },
};

fn unreadable(what: &str) -> StoreError {
    StoreError::Corrupt(format!("{what} of Chat API v2 cannot be read"))
}

/// `REVISION:` and what is behind it.
fn record(value: &[u8]) -> Option<(u64, &[u8])> {
    let colon = value.iter().position(|byte| *byte == b':')?;
    let (revision, rest) = value.split_at(colon);
    Some((std::str::from_utf8(revision).ok()?.parse().ok()?, rest.get(1..)?))
}

fn webhook(id: u64, value: &[u8]) -> Result<WebhookRecord, StoreError> {
    let (revision, definition) = record(value).ok_or_else(|| unreadable("a webhook"))?;
    Ok(WebhookRecord {
        id,
        revision,
        definition: Bytes::copy_from_slice(definition),
    })
}

fn channel(value: &[u8]) -> Result<ChannelRecord, StoreError> {
    let read = || {
        let (revision, id) = record(value)?;
        let webhook = std::str::from_utf8(id).ok()?.parse().ok()?;
        Some(ChannelRecord { webhook, revision })
    };
    read().ok_or_else(|| unreadable("a channel"))
}

/// An answer of the script: a word, and what is behind it.
struct Said {
    word: String,
    more: Value,
}

impl RedisStore {
    async fn change_chat_v2(&self, call: Call) -> Result<Said, StoreError> {
        let mut answer = wire::array(self.link.script(&CHAT_V2, call).await?)?.into_iter();
        Ok(Said {
            word: wire::text(answer.next().unwrap_or_default())?,
            more: answer.next().unwrap_or_default(),
        })
    }

    fn chat_v2_call(&self, tenant: &TenantId, what: &str) -> Call {
        Call::new([self.keys.chat_v2(tenant)]).arg(what)
    }

    async fn chat_v2(&self, tenant: &TenantId) -> Result<HashMap<String, Vec<u8>>, StoreError> {
        self.reads
            .command(cmd("HGETALL").arg(self.keys.chat_v2(tenant)))
            .await
    }
}

#[async_trait]
impl ChatV2Store for RedisStore {
    async fn webhooks(&self, tenant: &TenantId) -> Result<Vec<WebhookRecord>, StoreError> {
        let fields = self.chat_v2(tenant).await?;
        let found = fields.iter().filter_map(|(field, value)| {
            let id = field.strip_prefix("w:")?.parse().ok()?;
            Some(webhook(id, value))
        });
        let mut webhooks: Vec<WebhookRecord> = found.collect::<Result<_, _>>()?;
        webhooks.sort_by_key(|webhook| webhook.id);
        Ok(webhooks)
    }

    async fn webhook(&self, tenant: &TenantId, id: u64) -> Result<Option<WebhookRecord>, StoreError> {
        let known: Option<Vec<u8>> = self
            .link
            .command(cmd("HGET").arg(self.keys.chat_v2(tenant)).arg(format!("w:{id}")))
            .await?;
        known.map(|value| webhook(id, &value)).transpose()
    }

    async fn add_webhook(
        &self,
        tenant: &TenantId,
        definition: &Bytes,
    ) -> Result<Option<WebhookRecord>, StoreError> {
        let call = self
            .chat_v2_call(tenant, "add")
            .arg(definition.as_ref())
            .arg(WEBHOOKS_MAX);
        let said = self.change_chat_v2(call).await?;
        match said.word.as_str() {
            "new" => Ok(Some(WebhookRecord {
                id: wire::number(&said.more)?,
                revision: 1,
                definition: definition.clone(),
            })),
            "full" => Ok(None),
            _ => Err(unreadable("a webhook")),
        }
    }

    async fn replace_webhook(
        &self,
        tenant: &TenantId,
        id: u64,
        expected: Option<u64>,
        definition: &Bytes,
    ) -> Result<Replaced, StoreError> {
        let expected = expected.map_or_else(String::new, |revision| revision.to_string());
        let call = self
            .chat_v2_call(tenant, "replace")
            .arg(id)
            .arg(expected)
            .arg(definition.as_ref());
        let said = self.change_chat_v2(call).await?;
        match said.word.as_str() {
            "done" => wire::number(&said.more).map(Replaced::Done),
            "unknown" => Ok(Replaced::Unknown),
            "changed" => Ok(Replaced::Changed),
            _ => Err(unreadable("a webhook")),
        }
    }

    async fn remove_webhook(&self, tenant: &TenantId, id: u64) -> Result<Removed, StoreError> {
        let said = self
            .change_chat_v2(self.chat_v2_call(tenant, "remove").arg(id))
            .await?;
        match said.word.as_str() {
            "done" => Ok(Removed::Done),
            "unknown" => Ok(Removed::Unknown),
            "used" => wire::text(said.more).map(Removed::InUse),
            _ => Err(unreadable("a webhook")),
        }
    }

    async fn bind_channel(
        &self,
        tenant: &TenantId,
        channel: &str,
        webhook: u64,
    ) -> Result<Option<ChannelRecord>, StoreError> {
        let call = self.chat_v2_call(tenant, "bind").arg(channel).arg(webhook);
        let said = self.change_chat_v2(call).await?;
        match said.word.as_str() {
            "done" => Ok(Some(ChannelRecord {
                webhook,
                revision: wire::number(&said.more)?,
            })),
            "unknown" => Ok(None),
            _ => Err(unreadable("a channel")),
        }
    }

    async fn release_channel(&self, tenant: &TenantId, channel: &str) -> Result<(), StoreError> {
        self.link
            .command(
                cmd("HDEL")
                    .arg(self.keys.chat_v2(tenant))
                    .arg(format!("c:{channel}")),
            )
            .await
    }

    async fn channel(&self, tenant: &TenantId, id: &str) -> Result<Option<ChannelRecord>, StoreError> {
        let known: Option<Vec<u8>> = self
            .link
            .command(cmd("HGET").arg(self.keys.chat_v2(tenant)).arg(format!("c:{id}")))
            .await?;
        known.map(|value| channel(&value)).transpose()
    }

    async fn channels(&self, tenant: &TenantId) -> Result<BTreeMap<String, ChannelRecord>, StoreError> {
        let fields = self.chat_v2(tenant).await?;
        let found = fields.iter().filter_map(|(field, value)| {
            let id = field.strip_prefix("c:")?;
            Some(channel(value).map(|record| (id.to_owned(), record)))
        });
        found.collect()
    }
}
