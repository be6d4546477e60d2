//! The operations of v2: what each is called in logs and metrics, and which scope it needs.

use super::policy::ApiScope;

/// How an operation tells which fields of a request are wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// One sentence for each.
    Sentences,
    /// An object for each, with field, value and code.
    Objects,
}

/// An operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Operation {
    /// Its name in logs and metrics.
    pub(super) name: &'static str,
    /// `None`: anybody may.
    pub(super) scope: Option<ApiScope>,
    /// Whether it changes something.
    pub(super) changes: bool,
    /// How its 400 is written.
    pub(super) shape: Shape,
}

const fn reads(name: &'static str, scope: ApiScope) -> Operation {
    Operation {
        name,
        scope: Some(scope),
        changes: false,
        shape: Shape::Sentences,
    }
}

const fn writes(name: &'static str, scope: ApiScope) -> Operation {
    Operation {
        name,
        scope: Some(scope),
        changes: true,
        shape: Shape::Sentences,
    }
}

pub(super) const TOKEN: Operation = Operation {
    name: "create_access_token",
    scope: None,
    changes: true,
    shape: Shape::Sentences,
};
pub(super) const JWK: Operation = Operation {
    name: "get_jwk",
    scope: None,
    changes: false,
    shape: Shape::Sentences,
};
/// Whatever is asked for that there is not.
pub(super) const NONE: Operation = Operation {
    name: "none",
    scope: None,
    changes: false,
    shape: Shape::Sentences,
};
pub(super) const LIST_WEBHOOKS: Operation = reads("list_webhooks", ApiScope::WebhooksRead);
pub(super) const CREATE_WEBHOOK: Operation = writes("create_webhook", ApiScope::WebhooksWrite);
pub(super) const GET_WEBHOOK: Operation = reads("get_webhook", ApiScope::WebhooksRead);
pub(super) const UPDATE_WEBHOOK: Operation = writes("update_webhook", ApiScope::WebhooksWrite);
pub(super) const DELETE_WEBHOOK: Operation = writes("delete_webhook", ApiScope::WebhooksWrite);
/// v2 asks only for reading. It sends a request all the same.
pub(super) const VERIFY_WEBHOOK: Operation = writes("verify_webhook", ApiScope::WebhooksRead);
pub(super) const LIST_CHANNELS: Operation = reads("list_channels", ApiScope::ChannelsRead);
pub(super) const CREATE_CHANNEL: Operation = Operation {
    shape: Shape::Objects,
    ..writes("create_channel", ApiScope::ChannelsWrite)
};
pub(super) const GET_CHANNEL: Operation = reads("get_channel", ApiScope::ChannelsRead);
pub(super) const UPDATE_CHANNEL: Operation = writes("update_channel", ApiScope::ChannelsWrite);
pub(super) const DELETE_CHANNEL: Operation = writes("delete_channel", ApiScope::ChannelsWrite);
pub(super) const LIST_CONVERSATIONS: Operation = reads("list_conversations", ApiScope::ConversationsRead);
pub(super) const CREATE_CONVERSATION: Operation = writes("create_conversation", ApiScope::ConversationsWrite);
pub(super) const GET_CONVERSATION: Operation = reads("get_conversation", ApiScope::ConversationsRead);
pub(super) const LIST_PARTICIPANTS: Operation = reads("list_participants", ApiScope::ConversationsRead);
pub(super) const CUSTOMER_LEAVES: Operation = writes("customer_leaves", ApiScope::ConversationsWrite);
pub(super) const LIST_MESSAGES: Operation = reads("list_messages", ApiScope::ConversationsRead);
pub(super) const SEND_MESSAGE: Operation = writes("send_message", ApiScope::ConversationsWrite);
