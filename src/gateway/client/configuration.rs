//! Webhooks, channels and signing keys.

use super::{Gateway, json, nothing};
use crate::{
    event::TenantId,
    gateway::{
        Channel, Listed, PageQuery, UpstreamError, Webhook,
        operation::{self, Operation},
        wire::{received, sent},
    },
};

impl Gateway {
    /// Lists webhooks: `GET /webhooks`, 200.
    pub async fn webhooks(
        &self,
        tenant: &TenantId,
        page: &PageQuery,
    ) -> Result<Listed<Webhook>, UpstreamError> {
        let call = self
            .prepare(&operation::LIST_WEBHOOKS, tenant, &["webhooks"])?
            .page(page);
        self.send(call, received::webhooks).await
    }

    /// Creates a webhook: `POST /webhooks`, 200. Not safe to repeat.
    pub async fn create_webhook(&self, tenant: &TenantId, new: &Webhook) -> Result<Webhook, UpstreamError> {
        let body = json(&sent::Webhook::new(new))?;
        let call = self
            .prepare(&operation::CREATE_WEBHOOK, tenant, &["webhooks"])?
            .body(body);
        self.send(call, received::webhook).await
    }

    /// Reads a webhook: `GET /webhooks/{id}`, 200.
    pub async fn webhook(&self, tenant: &TenantId, id: &str) -> Result<Webhook, UpstreamError> {
        let call = self.prepare(&operation::GET_WEBHOOK, tenant, &["webhooks", id])?;
        self.send(call, received::webhook).await
    }

    /// Replaces a webhook, which its `id` names: `PUT /webhooks/{id}`, 200.
    pub async fn replace_webhook(&self, tenant: &TenantId, new: &Webhook) -> Result<Webhook, UpstreamError> {
        let body = json(&sent::Webhook::new(new))?;
        let call = self
            .prepare(&operation::REPLACE_WEBHOOK, tenant, &["webhooks", &new.id])?
            .body(body);
        self.send(call, received::webhook).await
    }

    /// Deletes a webhook: `DELETE /webhooks/{id}`, 204. Where a first attempt's answer was lost, a repeat that finds nothing is
    /// success.
    pub async fn delete_webhook(&self, tenant: &TenantId, id: &str) -> Result<(), UpstreamError> {
        let call = self.prepare(&operation::DELETE_WEBHOOK, tenant, &["webhooks", id])?;
        self.send(call, nothing).await
    }

    /// Has the vendor try a URL: `POST /webhooks/verify`, 204. Not safe to repeat, as a POST. Of `webhook`, `uri` and `version`
    /// are sent.
    pub async fn verify_webhook(&self, tenant: &TenantId, webhook: &Webhook) -> Result<(), UpstreamError> {
        let body = json(&sent::WebhookToVerify::new(webhook))?;
        let call = self
            .prepare(&operation::VERIFY_WEBHOOK, tenant, &["webhooks", "verify"])?
            .body(body);
        self.send(call, nothing).await
    }

    /// Lists channels: `GET /channels`, 200.
    pub async fn channels(
        &self,
        tenant: &TenantId,
        page: &PageQuery,
    ) -> Result<Listed<Channel>, UpstreamError> {
        let call = self
            .prepare(&operation::LIST_CHANNELS, tenant, &["channels"])?
            .page(page);
        self.send(call, received::channels).await
    }

    /// Creates a channel: `POST /channels`, 200. Not safe to repeat.
    pub async fn create_channel(&self, tenant: &TenantId, new: &Channel) -> Result<Channel, UpstreamError> {
        let body = json(&sent::Channel::new(new))?;
        let call = self
            .prepare(&operation::CREATE_CHANNEL, tenant, &["channels"])?
            .body(body);
        self.send(call, received::channel).await
    }

    /// Reads a channel: `GET /channels/{id}`, 200.
    pub async fn channel(&self, tenant: &TenantId, id: &str) -> Result<Channel, UpstreamError> {
        let call = self.prepare(&operation::GET_CHANNEL, tenant, &["channels", id])?;
        self.send(call, received::channel).await
    }

    /// Replaces a channel, which its `id` names: `PUT /channels/{id}`, 200.
    pub async fn replace_channel(&self, tenant: &TenantId, new: &Channel) -> Result<Channel, UpstreamError> {
        let body = json(&sent::Channel::new(new))?;
        let call = self
            .prepare(&operation::REPLACE_CHANNEL, tenant, &["channels", &new.id])?
            .body(body);
        self.send(call, received::channel).await
    }

    /// Deletes a channel: `DELETE /channels/{id}`, 204. Where a first attempt's answer was lost, a repeat that finds nothing is
    /// success.
    pub async fn delete_channel(&self, tenant: &TenantId, id: &str) -> Result<(), UpstreamError> {
        let call = self.prepare(&operation::DELETE_CHANNEL, tenant, &["channels", id])?;
        self.send(call, nothing).await
    }

    /// The JWK of a public key, as the text of a JSON object: `GET /jwk/{kid}/public`, 200. The vendor's answer is that object, or
    /// a JSON string that holds it.
    pub async fn signing_key(&self, tenant: &TenantId, kid: &str) -> Result<String, UpstreamError> {
        self.key(&operation::SIGNING_KEY, tenant, kid).await
    }

    /// As [`Gateway::signing_key`], for whoever verifies webhooks: past the limits, pauses and circuit breaker of all other calls,
    /// and with a budget of repeats of its own.
    pub async fn verification_key(&self, tenant: &TenantId, kid: &str) -> Result<String, UpstreamError> {
        self.key(&operation::VERIFICATION_KEY, tenant, kid).await
    }

    async fn key(
        &self,
        operation: &'static Operation,
        tenant: &TenantId,
        kid: &str,
    ) -> Result<String, UpstreamError> {
        let call = self.prepare(operation, tenant, &["jwk", kid, "public"])?;
        self.send(call, received::signing_key).await
    }
}
