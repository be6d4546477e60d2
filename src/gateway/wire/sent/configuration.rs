//! Webhooks and channels.

use serde::Serialize;

use crate::gateway;

/// The only type of channel that the vendor lets us create.
const CHANNEL_TYPE: &str = "ChatAPI";

/// Body of "create" and "replace a webhook".
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::gateway) struct Webhook<'a> {
    name: &'a str,
    uri: &'a str,
    version: &'a str,
    /// The vendor describes the field above and requires this one.
    notification_version: &'a str,
}

impl<'a> Webhook<'a> {
    pub(in crate::gateway) fn new(webhook: &'a gateway::Webhook) -> Self {
        let version = version(webhook);
        Self {
            name: &webhook.name,
            uri: &webhook.uri,
            version,
            notification_version: version,
        }
    }
}

/// Body of "verify a webhook".
#[derive(Serialize)]
pub(in crate::gateway) struct WebhookToVerify<'a> {
    version: &'a str,
    uri: &'a str,
}

impl<'a> WebhookToVerify<'a> {
    pub(in crate::gateway) fn new(webhook: &'a gateway::Webhook) -> Self {
        Self {
            version: version(webhook),
            uri: &webhook.uri,
        }
    }
}

fn version(webhook: &gateway::Webhook) -> &str {
    or(&webhook.version, gateway::EVENT_VERSION)
}

/// Body of "create" and "replace a channel".
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::gateway) struct Channel<'a> {
    name: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    web_hook_id: &'a str,
    routing_options: RoutingOptions<'a>,
}

#[derive(Serialize)]
struct RoutingOptions<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    id: &'a str,
}

impl<'a> Channel<'a> {
    pub(in crate::gateway) fn new(channel: &'a gateway::Channel) -> Self {
        Self {
            name: &channel.name,
            kind: or(&channel.kind, CHANNEL_TYPE),
            web_hook_id: &channel.webhook_id,
            routing_options: RoutingOptions {
                kind: "queue",
                id: &channel.queue_id,
            },
        }
    }
}

fn or<'a>(text: &'a str, otherwise: &'a str) -> &'a str {
    if text.is_empty() { otherwise } else { text }
}
