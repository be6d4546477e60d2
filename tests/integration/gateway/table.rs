//! What each operation is over the wire, as the vendor documents it.

use serde_json::{Value, json};

use super::operation::{Op, READ_MS};

/// What an operation is over the wire.
pub(super) struct Row {
    /// The word in metrics.
    pub(super) name: &'static str,
    pub(super) method: &'static str,
    /// The path below the base URL, with `{id}` and `{inner}` in the place of identifiers.
    pub(super) path: String,
    /// The body of the smallest request.
    pub(super) body: Option<Value>,
    /// Whether it may be sent twice.
    pub(super) is_safe: bool,
    /// Whether its answer is needed.
    pub(super) is_answered: bool,
}

impl Op {
    /// Whether it may be sent twice, as the design has it.
    pub(super) fn is_safe(self) -> bool {
        self.row().is_safe
    }

    /// Whether it needs an answer; for the others, the status says it all.
    pub(super) fn is_answered(self) -> bool {
        self.row().is_answered
    }

    /// Whether its path names something.
    pub(super) fn has_id(self) -> bool {
        self.row().path.contains("{id}")
    }

    /// Whether its path names something within something.
    pub(super) fn has_inner_id(self) -> bool {
        self.row().path.contains("{inner}")
    }

    pub(super) fn row(self) -> Row {
        match self {
            Self::Webhooks => read("list_webhooks", "webhooks"),
            Self::CreateWebhook => once("create_webhook", "webhooks", webhook()).answered(),
            Self::Webhook => read("get_webhook", "webhooks/{id}"),
            Self::ReplaceWebhook => put("replace_webhook", "webhooks/{id}", webhook()).answered(),
            Self::DeleteWebhook => delete("delete_webhook", "webhooks/{id}"),
            Self::VerifyWebhook => once(
                "verify_webhook",
                "webhooks/verify",
                json!({"version": "Chat Gateway v1.0", "uri": "https://example.org/webhooks"}),
            ),
            Self::Key => read("get_signing_key", "jwk/{id}/public"),
            Self::Channels => read("list_channels", "channels"),
            Self::CreateChannel => once("create_channel", "channels", channel()).answered(),
            Self::Channel => read("get_channel", "channels/{id}"),
            Self::ReplaceChannel => put("replace_channel", "channels/{id}", channel()).answered(),
            Self::DeleteChannel => delete("delete_channel", "channels/{id}"),
            Self::Create => {
                let body = json!({"channelId": "25", "user": {}});
                once("create_conversation", "conversations", body).answered()
            }
            Self::Get => read("get_conversation", "conversations/{id}"),
            Self::List => read("list_conversations", "conversations"),
            Self::PatchUser => patch(
                "patch_conversation",
                "conversations/{id}",
                json!({"user": {"name": "Ada"}}),
            ),
            Self::PatchAssignment => patch(
                "patch_conversation",
                "conversations/{id}",
                json!({"user": {"name": "Ada"}, "assignment": {"type": "queue", "id": "100"}}),
            )
            .not_twice(),
            Self::ReplaceUser => put(
                "replace_conversation",
                "conversations/{id}",
                json!({"channelId": "25", "user": {}}),
            ),
            Self::ReplaceAssignment => put(
                "replace_conversation",
                "conversations/{id}",
                json!({"channelId": "25", "user": {}, "assignment": {"type": "queue", "id": "100"}}),
            )
            .not_twice(),
            Self::Interactions => read("list_interactions", "conversations/{id}/interactions"),
            Self::PostAgentAssignment => once(
                "create_post_agent_assignment",
                "conversations/{id}/post-agent-assignment",
                json!({"type": "webhook", "id": "12"}),
            ),
            Self::End => patch(
                "end_conversation",
                "conversations/{id}/participants/user",
                json!({"removed": true}),
            ),
            Self::Participants => read("list_participants", "conversations/{id}/participants"),
            Self::Typing => once(
                "send_typing",
                "conversations/{id}/typing",
                json!({"authorType": "bot"}),
            ),
            Self::Thinking => once(
                "send_thinking",
                "conversations/{id}/thinking",
                json!({"authorType": "bot"}),
            ),
            Self::ReadReceipt => once(
                "send_read_receipt",
                "conversations/{id}/read-receipt",
                json!({"authorType": "user", "readAt": READ_MS}),
            ),
            Self::Send => once(
                "send_message",
                "conversations/{id}/messages",
                json!({"authorType": "user", "text": "words of a customer"}),
            ),
            Self::Message => read("get_message", "conversations/{id}/messages/{inner}"),
            Self::Messages => read("list_messages", "conversations/{id}/messages"),
            Self::Cards => read("list_cards", "conversations/{id}/messages/{inner}/cards"),
            Self::SubmitCardAction => card_action("submit_card_action", "action-submit"),
            Self::ExecuteCardAction => card_action("execute_card_action", "action-execute"),
            Self::Attachment => read("get_attachment", "conversations/{id}/attachments/{inner}"),
            Self::Attachments => read("list_attachments", "conversations/{id}/attachments"),
        }
    }
}

fn row(name: &'static str, method: &'static str, path: &str, body: Option<Value>) -> Row {
    Row {
        name,
        method,
        path: format!("/chat-gateway/v1/{path}"),
        body,
        is_safe: true,
        is_answered: false,
    }
}

fn read(name: &'static str, path: &str) -> Row {
    row(name, "GET", path, None).answered()
}

fn put(name: &'static str, path: &str, body: Value) -> Row {
    row(name, "PUT", path, Some(body))
}

fn patch(name: &'static str, path: &str, body: Value) -> Row {
    row(name, "PATCH", path, Some(body))
}

fn delete(name: &'static str, path: &str) -> Row {
    row(name, "DELETE", path, None)
}

fn once(name: &'static str, path: &str, body: Value) -> Row {
    row(name, "POST", path, Some(body)).not_twice()
}

fn card_action(name: &'static str, action: &str) -> Row {
    Row {
        path: format!("/api/v1/tenant/tenant01/conversations/{{id}}/cards/{{inner}}/{action}"),
        ..put(name, "", json!({})).not_twice()
    }
}

impl Row {
    fn answered(self) -> Self {
        Self {
            is_answered: true,
            ..self
        }
    }

    fn not_twice(self) -> Self {
        Self {
            is_safe: false,
            ..self
        }
    }
}

fn webhook() -> Value {
    json!({
        "name": "Bridge", "uri": "https://example.org/webhooks",
        "version": "Chat Gateway v1.0", "notificationVersion": "Chat Gateway v1.0"
    })
}

fn channel() -> Value {
    json!({
        "name": "Web", "type": "ChatAPI", "webHookId": "12", "routingOptions": {"type": "queue", "id": "101"}
    })
}
