//! Which webhook hears of a conversation: it lies on a channel, and the channel goes to a webhook of v2, or to none.

use std::{sync::Arc, time::Duration};

use moka::sync::Cache;
use tokio::time::Instant;

use crate::{
    event::{ConversationKey, TenantId},
    gateway::{UpstreamError, UpstreamErrorKind},
    store::{SharedStore, StoreError, chat_v2::SharedChatV2},
    tenant::Tenants,
};

/// The only kind of channel that v2 knew, in the vendor's word.
const CHANNEL_TYPE: &str = "ChatAPI";
/// How long it is taken for true on which channel a conversation lies, and to which webhook a channel goes. That a channel goes to
/// none is never taken for true: a client may be about to say otherwise, and what it missed it would not get.
const LIES_FOR: Duration = Duration::from_mins(1);
const GOES_FOR: Duration = Duration::from_secs(1);
const CONVERSATIONS_MAX: u64 = 20_000;
const CHANNELS_MAX: u64 = 10_000;
/// How long the vendor may take to say on which channel a conversation lies.
const ASK_FOR: Duration = Duration::from_secs(10);

/// Where a conversation's events go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whereto {
    /// To this webhook.
    Webhook(u64),
    /// To none.
    Nowhere,
    /// Only the vendor knows.
    Unknown,
}

/// Why it cannot be told.
#[derive(Debug, thiserror::Error)]
pub(super) enum Untold {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("8x8 did not say on which channel the conversation lies")]
    Vendor(#[from] UpstreamError),
}

/// Tells it.
pub(super) struct Directory {
    store: SharedStore,
    chat_v2: SharedChatV2,
    tenants: Tenants,
    conversations: Cache<ConversationKey, Arc<str>>,
    channels: Cache<(TenantId, Arc<str>), u64>,
}

impl Directory {
    pub(super) fn new(store: SharedStore, chat_v2: SharedChatV2, tenants: Tenants) -> Self {
        Self {
            store,
            chat_v2,
            tenants,
            conversations: Cache::builder()
                .max_capacity(CONVERSATIONS_MAX)
                .time_to_live(LIES_FOR)
                .build(),
            channels: Cache::builder()
                .max_capacity(CHANNELS_MAX)
                .time_to_live(GOES_FOR)
                .build(),
        }
    }

    /// What can be told without the vendor.
    pub(super) async fn look(&self, key: &ConversationKey) -> Result<Whereto, StoreError> {
        if let Some(channel) = self.conversations.get(key) {
            return self.of_channel(&key.tenant, channel).await;
        }
        let Some(session) = self.store.session(key).await? else {
            return Ok(Whereto::Unknown);
        };
        if !session.channel_id.is_empty() {
            return self.lies_on(key, &session.channel_id).await;
        }
        let is_of_another_kind = !session.channel_type.is_empty() && session.channel_type != CHANNEL_TYPE;
        Ok(match is_of_another_kind {
            true => Whereto::Nowhere,
            false => Whereto::Unknown,
        })
    }

    /// The same, asking the vendor where nobody else knows. It never answers [`Whereto::Unknown`].
    pub(super) async fn ask(&self, key: &ConversationKey) -> Result<Whereto, Untold> {
        let known = self.look(key).await?;
        let Some(tenant) = self.tenants.get(key.tenant.as_str()) else {
            return Ok(Whereto::Nowhere);
        };
        if known != Whereto::Unknown {
            return Ok(known);
        }
        let tenant = tenant.within(Some(Instant::now() + ASK_FOR));
        match tenant.gateway.conversation(&key.tenant, &key.conversation).await {
            Ok(conversation) if conversation.channel_id.is_empty() => Ok(Whereto::Nowhere),
            Ok(conversation) => Ok(self.lies_on(key, &conversation.channel_id).await?),
            Err(error) if error.kind == UpstreamErrorKind::NotFound => Ok(Whereto::Nowhere),
            Err(error) => Err(error.into()),
        }
    }

    async fn lies_on(&self, key: &ConversationKey, channel: &str) -> Result<Whereto, StoreError> {
        let channel: Arc<str> = channel.into();
        self.conversations.insert(key.clone(), Arc::clone(&channel));
        self.of_channel(&key.tenant, channel).await
    }

    async fn of_channel(&self, tenant: &TenantId, channel: Arc<str>) -> Result<Whereto, StoreError> {
        let place = (tenant.clone(), channel);
        if let Some(webhook) = self.channels.get(&place) {
            return Ok(Whereto::Webhook(webhook));
        }
        let Some(record) = self.chat_v2.channel(tenant, &place.1).await? else {
            return Ok(Whereto::Nowhere);
        };
        self.channels.insert(place, record.webhook);
        Ok(Whereto::Webhook(record.webhook))
    }
}
