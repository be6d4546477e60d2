//! Webhooks, channels and signing keys.

use serde::Deserialize;
use serde_json::Value;

use super::{Item, first, identifier, list, one};
use crate::{
    gateway::{
        self,
        wire::lenient::{or_default, text},
    },
    json,
};

/// Answer of "get", "create" and "replace a webhook".
pub(in crate::gateway) fn webhook(body: &[u8]) -> Result<gateway::Webhook, String> {
    one::<Webhook>(body)
}

/// Answer of "list webhooks".
pub(in crate::gateway) fn webhooks(body: &[u8]) -> Result<gateway::Listed<gateway::Webhook>, String> {
    list::<Webhook>(body)
}

/// Answer of "get", "create" and "replace a channel".
pub(in crate::gateway) fn channel(body: &[u8]) -> Result<gateway::Channel, String> {
    one::<Channel>(body)
}

/// Answer of "list channels".
pub(in crate::gateway) fn channels(body: &[u8]) -> Result<gateway::Listed<gateway::Channel>, String> {
    list::<Channel>(body)
}

/// Answer of "public signing key": an object, or a JSON string that holds one. Answers the object's text.
pub(in crate::gateway) fn signing_key(body: &[u8]) -> Result<String, String> {
    let problem = |_| "the answer is neither a key nor a text that holds one".to_owned();
    let key = match json::from_slice(body).map_err(problem)? {
        Value::String(text) => json::from_str(&text).map_err(problem)?,
        other => other,
    };
    match key {
        Value::Object(_) => Ok(key.to_string()),
        _ => Err("the answer is not a key".to_owned()),
    }
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Webhook {
    #[serde(deserialize_with = "text")]
    id: String,
    #[serde(deserialize_with = "text")]
    name: String,
    #[serde(deserialize_with = "text")]
    uri: String,
    #[serde(deserialize_with = "text")]
    version: String,
    #[serde(deserialize_with = "text")]
    notification_version: String,
}

impl Item for Webhook {
    const LIST: &'static str = "webhooks";
    type Read = gateway::Webhook;

    fn read(self) -> Result<gateway::Webhook, String> {
        Ok(gateway::Webhook {
            id: identifier(self.id, "a webhook")?,
            name: self.name,
            uri: self.uri,
            version: first(self.version, self.notification_version),
        })
    }
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Channel {
    #[serde(deserialize_with = "text")]
    id: String,
    #[serde(deserialize_with = "text")]
    name: String,
    #[serde(rename = "type", deserialize_with = "text")]
    kind: String,
    #[serde(deserialize_with = "text")]
    web_hook_id: String,
    #[serde(deserialize_with = "or_default")]
    routing_options: RoutingOptions,
}

/// Queues are the only way of routing there is.
#[derive(Default, Deserialize)]
#[serde(default)]
struct RoutingOptions {
    #[serde(deserialize_with = "text")]
    id: String,
}

impl Item for Channel {
    const LIST: &'static str = "channels";
    type Read = gateway::Channel;

    fn read(self) -> Result<gateway::Channel, String> {
        Ok(gateway::Channel {
            id: identifier(self.id, "a channel")?,
            name: self.name,
            kind: self.kind,
            webhook_id: self.web_hook_id,
            queue_id: self.routing_options.id,
        })
    }
}
