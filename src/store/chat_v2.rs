//! What a store keeps for clients of Chat API v2: the webhooks that they register, and which of them hears of a channel.
//!
//! The vendor has neither: its own webhooks are of another version of events, and deliver to us.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;

use super::StoreError;
use crate::event::TenantId;

/// What keeps them, for anybody to share.
pub type SharedChatV2 = Arc<dyn ChatV2Store>;

/// The most webhooks of a tenant.
pub const WEBHOOKS_MAX: usize = 1000;

/// A webhook that a client of v2 registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookRecord {
    /// Counts 1, 2, 3 over all that the tenant ever had.
    pub id: u64,
    /// Counts its changes, from 1.
    pub revision: u64,
    /// What it is. The store understands nothing of it.
    pub definition: Bytes,
}

/// A channel whose events go to a webhook of v2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChannelRecord {
    /// The webhook.
    pub webhook: u64,
    /// Counts the changes of the channel that were made by way of v2, from 1.
    pub revision: u64,
}

/// What became of a change to a webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Replaced {
    /// It is changed; its revision now.
    Done(u64),
    /// There is no such webhook.
    Unknown,
    /// It has another revision than was expected.
    Changed,
}

/// What became of taking a webhook away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Removed {
    /// It is gone.
    Done,
    /// There is no such webhook.
    Unknown,
    /// This channel goes to it, and perhaps others.
    InUse(String),
}

/// Webhooks of v2, and the channels that go to them. What [`super::Store`] says of its methods holds for these too, but for
/// [`ChatV2Store::add_webhook`]: called again, it may add another.
#[async_trait]
pub trait ChatV2Store: Send + Sync + 'static {
    /// A tenant's webhooks, the first registered first.
    async fn webhooks(&self, tenant: &TenantId) -> Result<Vec<WebhookRecord>, StoreError>;

    /// One of them.
    async fn webhook(&self, tenant: &TenantId, id: u64) -> Result<Option<WebhookRecord>, StoreError>;

    /// Adds a webhook; `None` where the tenant has [`WEBHOOKS_MAX`].
    async fn add_webhook(
        &self,
        tenant: &TenantId,
        definition: &Bytes,
    ) -> Result<Option<WebhookRecord>, StoreError>;

    /// Changes a webhook, where `expected` is given only if it has that revision.
    async fn replace_webhook(
        &self,
        tenant: &TenantId,
        id: u64,
        expected: Option<u64>,
        definition: &Bytes,
    ) -> Result<Replaced, StoreError>;

    /// Takes a webhook away, unless a channel goes to it.
    async fn remove_webhook(&self, tenant: &TenantId, id: u64) -> Result<Removed, StoreError>;

    /// Notes that a channel goes to a webhook, as a change of the channel; `None` where there is no such webhook.
    async fn bind_channel(
        &self,
        tenant: &TenantId,
        channel: &str,
        webhook: u64,
    ) -> Result<Option<ChannelRecord>, StoreError>;

    /// Forgets a channel.
    async fn release_channel(&self, tenant: &TenantId, channel: &str) -> Result<(), StoreError>;

    /// Where a channel goes.
    async fn channel(&self, tenant: &TenantId, channel: &str) -> Result<Option<ChannelRecord>, StoreError>;

    /// All channels of a tenant that go to a webhook, by their identifiers.
    async fn channels(&self, tenant: &TenantId) -> Result<BTreeMap<String, ChannelRecord>, StoreError>;
}
