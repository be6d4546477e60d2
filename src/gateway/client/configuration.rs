//! Webhooks, channels and signing keys.

use super::{Gateway, unbuilt};
use crate::{
    event::TenantId,
    gateway::{Channel, Listed, PageQuery, UpstreamError, Webhook, operation, wire::received},
};

impl Gateway {
    /// Lists webhooks: `GET /webhooks`, 200.
    pub async fn webhooks(
        &self,
        _tenant: &TenantId,
        _page: &PageQuery,
    ) -> Result<Listed<Webhook>, UpstreamError> {
        unbuilt()
    }

    /// Creates a webhook: `POST /webhooks`, 200. Not safe to repeat.
    pub async fn create_webhook(&self, _tenant: &TenantId, _new: &Webhook) -> Result<Webhook, UpstreamError> {
        unbuilt()
    }

    /// Reads a webhook: `GET /webhooks/{id}`, 200.
    pub async fn webhook(&self, _tenant: &TenantId, _id: &str) -> Result<Webhook, UpstreamError> {
        unbuilt()
    }

    /// Replaces a webhook, which its `id` names: `PUT /webhooks/{id}`, 200.
    pub async fn replace_webhook(
        &self,
        _tenant: &TenantId,
        _new: &Webhook,
    ) -> Result<Webhook, UpstreamError> {
        unbuilt()
    }

    /// Deletes a webhook: `DELETE /webhooks/{id}`, 204. Where a first attempt's answer was lost, a repeat that finds nothing is
    /// success.
    pub async fn delete_webhook(&self, _tenant: &TenantId, _id: &str) -> Result<(), UpstreamError> {
        unbuilt()
    }

    /// Has the vendor try a URL: `POST /webhooks/verify`, 204. Not safe to repeat, as a POST. Of `webhook`, `uri` and `version`
    /// are sent.
    pub async fn verify_webhook(&self, _tenant: &TenantId, _webhook: &Webhook) -> Result<(), UpstreamError> {
        unbuilt()
    }

    /// Lists channels: `GET /channels`, 200.
    pub async fn channels(
        &self,
        _tenant: &TenantId,
        _page: &PageQuery,
    ) -> Result<Listed<Channel>, UpstreamError> {
        unbuilt()
    }

    /// Creates a channel: `POST /channels`, 200. Not safe to repeat.
    pub async fn create_channel(&self, _tenant: &TenantId, _new: &Channel) -> Result<Channel, UpstreamError> {
        unbuilt()
    }

    /// Reads a channel: `GET /channels/{id}`, 200.
    pub async fn channel(&self, _tenant: &TenantId, _id: &str) -> Result<Channel, UpstreamError> {
        unbuilt()
    }

    /// Replaces a channel, which its `id` names: `PUT /channels/{id}`, 200.
    pub async fn replace_channel(
        &self,
        _tenant: &TenantId,
        _new: &Channel,
    ) -> Result<Channel, UpstreamError> {
        unbuilt()
    }

    /// Deletes a channel: `DELETE /channels/{id}`, 204. Where a first attempt's answer was lost, a repeat that finds nothing is
    /// success.
    pub async fn delete_channel(&self, _tenant: &TenantId, _id: &str) -> Result<(), UpstreamError> {
        unbuilt()
    }

    /// The JWK of a public key, as the text of a JSON object: `GET /jwk/{kid}/public`, 200. The vendor's answer is that object, or
    /// a JSON string that holds it.
    pub async fn signing_key(&self, tenant: &TenantId, kid: &str) -> Result<String, UpstreamError> {
        let call = self.prepare(&operation::SIGNING_KEY, tenant, &["jwk", kid, "public"])?;
        self.send(call, received::signing_key).await
    }
}
