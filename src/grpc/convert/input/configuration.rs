//! Webhooks and channels to set.

use crate::{
    gateway::{Channel, EVENT_VERSION, Webhook},
    grpc::{
        check::{Check, ID_BYTES_MAX},
        proto,
    },
};

const VERSION_BYTES_MAX: usize = 64;
const CHANNEL_NAME_BYTES_MAX: usize = 255;
const CHANNEL_TYPE_BYTES_MAX: usize = 25;
/// The type of the channels that callers of the vendor's API make.
const CHANNEL_TYPE_DEFAULT: &str = "ChatAPI";

/// Whether something is made or replaced: what is replaced is named by its identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::grpc) enum Purpose {
    Create,
    Replace,
}

/// A webhook that must be given.
pub(in crate::grpc) fn webhook(
    check: &mut Check,
    purpose: Purpose,
    given: Option<&proto::Webhook>,
) -> Webhook {
    let Some(given) = given else {
        check.fail("webhook", "is required");
        return Webhook::default();
    };
    let id = identifier(check, purpose, "webhook.id", &given.id);
    check.required("webhook.name", &given.name, ID_BYTES_MAX);
    check.uri("webhook.uri", &given.uri);
    Webhook {
        id,
        name: given.name.clone(),
        uri: given.uri.clone(),
        version: version(check, "webhook.version", &given.version),
    }
}

/// A URL to verify.
pub(in crate::grpc) fn webhook_to_verify(
    check: &mut Check,
    request: &proto::VerifyWebhookRequest,
) -> Webhook {
    check.uri("uri", &request.uri);
    Webhook {
        uri: request.uri.clone(),
        version: version(check, "version", &request.version),
        ..Webhook::default()
    }
}

/// A channel that must be given.
pub(in crate::grpc) fn channel(
    check: &mut Check,
    purpose: Purpose,
    given: Option<&proto::Channel>,
) -> Channel {
    let Some(given) = given else {
        check.fail("channel", "is required");
        return Channel::default();
    };
    let id = identifier(check, purpose, "channel.id", &given.id);
    check.required("channel.name", &given.name, CHANNEL_NAME_BYTES_MAX);
    check.max("channel.type", &given.r#type, CHANNEL_TYPE_BYTES_MAX);
    check.identifier("channel.webhook_id", &given.webhook_id);
    check.identifier("channel.queue_id", &given.queue_id);
    Channel {
        id,
        name: given.name.clone(),
        kind: default(&given.r#type, CHANNEL_TYPE_DEFAULT),
        webhook_id: given.webhook_id.clone(),
        queue_id: given.queue_id.clone(),
    }
}

fn identifier(check: &mut Check, purpose: Purpose, field: &str, id: &str) -> String {
    if purpose == Purpose::Create {
        return String::new();
    }
    check.identifier(field, id);
    id.to_owned()
}

fn version(check: &mut Check, field: &str, version: &str) -> String {
    check.max(field, version, VERSION_BYTES_MAX);
    default(version, EVENT_VERSION)
}

fn default(given: &str, default: &str) -> String {
    let value = if given.is_empty() { default } else { given };
    value.to_owned()
}
