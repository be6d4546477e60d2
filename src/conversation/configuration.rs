//! A tenant's webhooks, channels and signing keys, as the vendor keeps them.

use super::{Conversations, calls::RequestId};
use crate::{
    error::Error,
    gateway::{Channel, Listed, PageQuery, Webhook},
    tenant::Tenant,
};

impl Conversations {
    /// Creates a webhook, once for each `request_id`.
    pub async fn create_webhook(
        &self,
        _tenant: &Tenant,
        _request: &RequestId,
        _new: &Webhook,
    ) -> Result<Webhook, Error> {
        Err(Error::StoreCorrupt)
    }

    /// Creates a channel, once for each `request_id`.
    pub async fn create_channel(
        &self,
        _tenant: &Tenant,
        _request: &RequestId,
        _new: &Channel,
    ) -> Result<Channel, Error> {
        Err(Error::StoreCorrupt)
    }

    /// Lists webhooks.
    pub async fn webhooks(&self, tenant: &Tenant, page: &PageQuery) -> Result<Listed<Webhook>, Error> {
        Ok(tenant.gateway.webhooks(&tenant.id, page).await?)
    }

    /// Reads a webhook.
    pub async fn webhook(&self, tenant: &Tenant, id: &str) -> Result<Webhook, Error> {
        Ok(tenant.gateway.webhook(&tenant.id, id).await?)
    }

    /// Replaces a webhook, which its `id` names.
    pub async fn replace_webhook(&self, tenant: &Tenant, new: &Webhook) -> Result<Webhook, Error> {
        Ok(tenant.gateway.replace_webhook(&tenant.id, new).await?)
    }

    /// Deletes a webhook.
    pub async fn delete_webhook(&self, tenant: &Tenant, id: &str) -> Result<(), Error> {
        Ok(tenant.gateway.delete_webhook(&tenant.id, id).await?)
    }

    /// Lists channels.
    pub async fn channels(&self, tenant: &Tenant, page: &PageQuery) -> Result<Listed<Channel>, Error> {
        Ok(tenant.gateway.channels(&tenant.id, page).await?)
    }

    /// Reads a channel.
    pub async fn channel(&self, tenant: &Tenant, id: &str) -> Result<Channel, Error> {
        Ok(tenant.gateway.channel(&tenant.id, id).await?)
    }

    /// Replaces a channel, which its `id` names.
    pub async fn replace_channel(&self, tenant: &Tenant, new: &Channel) -> Result<Channel, Error> {
        Ok(tenant.gateway.replace_channel(&tenant.id, new).await?)
    }

    /// Deletes a channel.
    pub async fn delete_channel(&self, tenant: &Tenant, id: &str) -> Result<(), Error> {
        Ok(tenant.gateway.delete_channel(&tenant.id, id).await?)
    }

    /// Has the vendor try a URL.
    pub async fn verify_webhook(&self, tenant: &Tenant, webhook: &Webhook) -> Result<(), Error> {
        Ok(tenant.gateway.verify_webhook(&tenant.id, webhook).await?)
    }

    /// Reads a public key, as the text of a JSON object.
    pub async fn signing_key(&self, tenant: &Tenant, kid: &str) -> Result<String, Error> {
        Ok(tenant.gateway.signing_key(&tenant.id, kid).await?)
    }
}
