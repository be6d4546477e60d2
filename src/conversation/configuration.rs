//! A tenant's webhooks, channels and signing keys, as the vendor keeps them.

use serde::{Deserialize, Serialize};

use super::{
    Conversations,
    calls::RequestId,
    idempotency::{Guard, Plan, Started, lease, still_unknown},
};
use crate::{
    error::Error,
    gateway::{Channel, Listed, PageQuery, Webhook},
    tenant::Tenant,
};

/// What is kept of a webhook for repeats. Its address may hold a secret, and the repeat says it again.
#[derive(Serialize, Deserialize)]
struct CreatedWebhook {
    id: String,
    name: String,
    version: String,
}

/// What is kept of a channel for repeats.
#[derive(Serialize, Deserialize)]
struct CreatedChannel {
    id: String,
    name: String,
    kind: String,
    webhook_id: String,
    queue_id: String,
}

/// A creation that is not announced: names need not be unique, so nobody could tell afterwards whose a thing is.
fn plan<'a>(method: &'static str, tenant: &Tenant, request: &'a RequestId) -> Plan<'a> {
    Plan {
        method,
        request,
        lease: lease(tenant.gateway.timeout()),
        mark: serde_json::Value::Null,
        ledger: None,
        echo: None,
    }
}

impl Conversations {
    /// Lists webhooks.
    pub async fn webhooks(&self, tenant: &Tenant, page: &PageQuery) -> Result<Listed<Webhook>, Error> {
        Ok(tenant.gateway.webhooks(&tenant.id, page).await?)
    }

    /// Creates a webhook, once for each `request_id`.
    pub async fn create_webhook(
        &self,
        tenant: &Tenant,
        request: &RequestId,
        new: &Webhook,
    ) -> Result<Webhook, Error> {
        let plan = plan("CreateWebhook", tenant, request);
        let mut guard = match Guard::begin::<CreatedWebhook>(&self.store, tenant, plan).await? {
            Started::New(guard) => guard,
            Started::Done(first) => {
                return Ok(Webhook {
                    id: first.id,
                    name: first.name,
                    uri: new.uri.clone(),
                    version: first.version,
                });
            }
            Started::Unknown(_) => return Err(still_unknown("list the webhooks to see what became of it")),
        };
        let gateway = guard.watched(&tenant.gateway);
        let created = gateway.create_webhook(&tenant.id, new).await;
        let created = guard.watch(created).await?;
        let kept = CreatedWebhook {
            id: created.id.clone(),
            name: created.name.clone(),
            version: created.version.clone(),
        };
        guard.done(&kept, &kept.id).await;
        Ok(created)
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

    /// Has the vendor try an address; `uri` and `version` of `webhook` count.
    pub async fn verify_webhook(&self, tenant: &Tenant, webhook: &Webhook) -> Result<(), Error> {
        Ok(tenant.gateway.verify_webhook(&tenant.id, webhook).await?)
    }

    /// Lists channels.
    pub async fn channels(&self, tenant: &Tenant, page: &PageQuery) -> Result<Listed<Channel>, Error> {
        Ok(tenant.gateway.channels(&tenant.id, page).await?)
    }

    /// Creates a channel, once for each `request_id`.
    pub async fn create_channel(
        &self,
        tenant: &Tenant,
        request: &RequestId,
        new: &Channel,
    ) -> Result<Channel, Error> {
        let plan = plan("CreateChannel", tenant, request);
        let mut guard = match Guard::begin::<CreatedChannel>(&self.store, tenant, plan).await? {
            Started::New(guard) => guard,
            Started::Done(first) => {
                return Ok(Channel {
                    id: first.id,
                    name: first.name,
                    kind: first.kind,
                    webhook_id: first.webhook_id,
                    queue_id: first.queue_id,
                });
            }
            Started::Unknown(_) => return Err(still_unknown("list the channels to see what became of it")),
        };
        let gateway = guard.watched(&tenant.gateway);
        let created = gateway.create_channel(&tenant.id, new).await;
        let created = guard.watch(created).await?;
        let kept = CreatedChannel {
            id: created.id.clone(),
            name: created.name.clone(),
            kind: created.kind.clone(),
            webhook_id: created.webhook_id.clone(),
            queue_id: created.queue_id.clone(),
        };
        guard.done(&kept, &kept.id).await;
        Ok(created)
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

    /// The JWK of a public key, as the text of a JSON object.
    pub async fn signing_key(&self, tenant: &Tenant, kid: &str) -> Result<String, Error> {
        Ok(tenant.gateway.signing_key(&tenant.id, kid).await?)
    }
}
