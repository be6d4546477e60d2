//! Every operation of the client that does not stream a file, with its smallest request.

use chatbridge::{
    event::{AuthorType, User},
    gateway::{
        Channel, ConversationPatch, ConversationReplacement, Gateway, PageQuery, PostAgentAssignment,
        UpstreamError, UserPatch, Webhook,
    },
};

use super::{message, new_conversation, queue, tenant};

/// An operation. What it answers does not matter here; `table` says what it sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Op {
    Webhooks,
    CreateWebhook,
    Webhook,
    ReplaceWebhook,
    DeleteWebhook,
    VerifyWebhook,
    Key,
    Channels,
    CreateChannel,
    Channel,
    ReplaceChannel,
    DeleteChannel,
    Create,
    Get,
    List,
    PatchUser,
    PatchAssignment,
    ReplaceUser,
    ReplaceAssignment,
    Interactions,
    PostAgentAssignment,
    End,
    Participants,
    Typing,
    Thinking,
    ReadReceipt,
    Send,
    Message,
    Messages,
    Cards,
    SubmitCardAction,
    ExecuteCardAction,
    Attachment,
    Attachments,
}

impl Op {
    pub(super) const ALL: [Self; 34] = [
        Self::Webhooks,
        Self::CreateWebhook,
        Self::Webhook,
        Self::ReplaceWebhook,
        Self::DeleteWebhook,
        Self::VerifyWebhook,
        Self::Key,
        Self::Channels,
        Self::CreateChannel,
        Self::Channel,
        Self::ReplaceChannel,
        Self::DeleteChannel,
        Self::Create,
        Self::Get,
        Self::List,
        Self::PatchUser,
        Self::PatchAssignment,
        Self::ReplaceUser,
        Self::ReplaceAssignment,
        Self::Interactions,
        Self::PostAgentAssignment,
        Self::End,
        Self::Participants,
        Self::Typing,
        Self::Thinking,
        Self::ReadReceipt,
        Self::Send,
        Self::Message,
        Self::Messages,
        Self::Cards,
        Self::SubmitCardAction,
        Self::ExecuteCardAction,
        Self::Attachment,
        Self::Attachments,
    ];

    /// Makes the call. Where a path has two identifiers, the inner one is `x1`.
    pub(super) async fn call(self, gateway: &Gateway, id: &str) -> Result<(), UpstreamError> {
        self.call_with(gateway, id, "x1").await
    }

    /// Makes the call with both identifiers of a path.
    pub(super) async fn call_with(
        self,
        gateway: &Gateway,
        id: &str,
        inner: &str,
    ) -> Result<(), UpstreamError> {
        let tenant = &tenant();
        let page = &PageQuery::default();
        match self {
            Self::Webhooks => gateway.webhooks(tenant, page).await.map(drop),
            Self::CreateWebhook => gateway.create_webhook(tenant, &webhook("")).await.map(drop),
            Self::Webhook => gateway.webhook(tenant, id).await.map(drop),
            Self::ReplaceWebhook => gateway.replace_webhook(tenant, &webhook(id)).await.map(drop),
            Self::DeleteWebhook => gateway.delete_webhook(tenant, id).await,
            Self::VerifyWebhook => gateway.verify_webhook(tenant, &webhook("")).await,
            Self::Key => gateway.signing_key(tenant, id).await.map(drop),
            Self::Channels => gateway.channels(tenant, page).await.map(drop),
            Self::CreateChannel => gateway.create_channel(tenant, &channel("")).await.map(drop),
            Self::Channel => gateway.channel(tenant, id).await.map(drop),
            Self::ReplaceChannel => gateway.replace_channel(tenant, &channel(id)).await.map(drop),
            Self::DeleteChannel => gateway.delete_channel(tenant, id).await,
            Self::Create => {
                let new = new_conversation();
                gateway.create_conversation(tenant, &new).await.map(drop)
            }
            Self::Get => gateway.conversation(tenant, id).await.map(drop),
            Self::List => gateway.conversations(tenant, page).await.map(drop),
            Self::PatchUser | Self::PatchAssignment => {
                let patch = patch(self == Self::PatchAssignment);
                gateway.patch_conversation(tenant, id, &patch).await.map(drop)
            }
            Self::ReplaceUser | Self::ReplaceAssignment => {
                let new = replacement(self == Self::ReplaceAssignment);
                gateway.replace_conversation(tenant, id, &new).await.map(drop)
            }
            Self::Interactions => gateway.interactions(tenant, id).await.map(drop),
            Self::PostAgentAssignment => {
                let assignment = post_agent_assignment();
                gateway.post_agent_assignment(tenant, id, &assignment).await
            }
            Self::End => gateway.end_conversation(tenant, id).await,
            Self::Participants => gateway.participants(tenant, id).await.map(drop),
            Self::Typing => gateway.send_typing(tenant, id, AuthorType::Bot).await,
            Self::Thinking => gateway.send_thinking(tenant, id, None).await,
            Self::ReadReceipt => {
                let author = AuthorType::User;
                gateway.send_read_receipt(tenant, id, author, READ_MS).await
            }
            Self::Send => {
                let message = message(AuthorType::User, "words of a customer");
                gateway.send_message(tenant, id, &message).await
            }
            Self::Message => gateway.message(tenant, id, inner).await.map(drop),
            Self::Messages => gateway.messages(tenant, id, page).await.map(drop),
            Self::Cards => gateway.cards(tenant, id, inner, page).await.map(drop),
            Self::SubmitCardAction => gateway.submit_card_action(tenant, id, inner, "").await,
            Self::ExecuteCardAction => gateway.execute_card_action(tenant, id, inner, "").await,
            Self::Attachment => gateway.attachment(tenant, id, inner).await.map(drop),
            Self::Attachments => gateway.attachments(tenant, id, page).await.map(drop),
        }
    }
}

pub(super) const READ_MS: i64 = 1_770_200_431_963;

pub(super) fn webhook(id: &str) -> Webhook {
    Webhook {
        id: id.to_owned(),
        name: "Bridge".into(),
        uri: "https://example.org/webhooks".into(),
        version: String::new(),
    }
}

pub(super) fn channel(id: &str) -> Channel {
    Channel {
        id: id.to_owned(),
        name: "Web".into(),
        kind: String::new(),
        webhook_id: "12".into(),
        queue_id: "101".into(),
    }
}

pub(super) fn post_agent_assignment() -> PostAgentAssignment {
    PostAgentAssignment {
        webhook_id: "12".into(),
        notify_channel_webhook: None,
        max_total_minutes: None,
        user_timeout_minutes: None,
    }
}

fn patch(assigns: bool) -> ConversationPatch {
    let user = UserPatch {
        name: Some("Ada".into()),
        ..UserPatch::default()
    };
    ConversationPatch {
        user: Some(user),
        assignment: assigns.then(|| queue("100")),
    }
}

pub(super) fn replacement(assigns: bool) -> ConversationReplacement {
    ConversationReplacement {
        channel_id: "25".into(),
        user: User::default(),
        assignment: assigns.then(|| queue("100")),
    }
}
