//! Which field of the vendor's is which of ours, for each RPC.

use super::Rpc;

/// A field of the vendor's. Both names are paths from where they stand.
#[derive(Debug)]
pub(super) struct Name {
    pub(super) vendor: &'static str,
    pub(super) ours: &'static str,
    pub(super) part: Part,
}

/// What a field holds.
#[derive(Debug)]
pub(super) enum Part {
    /// A value.
    Value,
    /// Fields, or a list of things that have them.
    Fields(Names),
    /// A list that was shortened on the way, so that an index of the vendor's means nothing to the caller.
    Shortened(Names),
}

/// Names in pieces, which several RPCs share.
pub(super) type Names = &'static [&'static [Name]];

impl Part {
    pub(super) fn names(&self) -> Names {
        match self {
            Self::Value => &[],
            Self::Fields(names) | Self::Shortened(names) => names,
        }
    }

    pub(super) fn is_shortened(&self) -> bool {
        matches!(self, Self::Shortened(_))
    }
}

const fn value(vendor: &'static str, ours: &'static str) -> Name {
    Name {
        vendor,
        ours,
        part: Part::Value,
    }
}

const fn fields(vendor: &'static str, ours: &'static str, names: Names) -> Name {
    Name {
        vendor,
        ours,
        part: Part::Fields(names),
    }
}

/// What the vendor may find wrong with a request of this RPC.
pub(super) fn of(rpc: Rpc) -> Names {
    match rpc {
        Rpc::HandOverConversation { shortened: false } => &[HAND_OVER, HAND_OVER_HISTORY],
        Rpc::HandOverConversation { shortened: true } => &[HAND_OVER, HAND_OVER_SHORTENED],
        Rpc::FindOrCreateConversation | Rpc::CreateConversation => &[TENANT, CREATE],
        Rpc::ListConversations | Rpc::ListWebhooks | Rpc::ListChannels => &[TENANT, PAGE, FILTER],
        Rpc::GetConversation | Rpc::EndConversation => &[TENANT, CONVERSATION],
        Rpc::UpdateConversation => &[TENANT, CONVERSATION, CHANGE],
        Rpc::ReplaceConversation => &[TENANT, CHANGE, REPLACE],
        Rpc::TransferConversation => &[TENANT, CONVERSATION, TRANSFER],
        Rpc::ListInteractions | Rpc::ListParticipants => &[TENANT, CONVERSATION, WHOLE],
        Rpc::CreatePostAgentAssignment => &[TENANT, CONVERSATION, POST_AGENT],
        Rpc::SendMessage => &[TENANT, CONVERSATION, SEND],
        Rpc::GetMessage => &[TENANT, CONVERSATION, MESSAGE_ID],
        Rpc::ListMessages => &[TENANT, CONVERSATION, PAGE],
        Rpc::ListCards => &[TENANT, CONVERSATION, MESSAGE_ID, PAGE],
        Rpc::SubmitCardAction | Rpc::ExecuteCardAction => &[TENANT, CONVERSATION, CARD_ACTION],
        Rpc::SendTypingIndicator => &[TENANT, CONVERSATION, AUTHOR],
        Rpc::SendThinkingIndicator => &[TENANT, CONVERSATION, THINKING],
        Rpc::SendReadReceipt => &[TENANT, CONVERSATION, AUTHOR, RECEIPT],
        Rpc::UploadAttachment => &[UPLOAD],
        Rpc::DownloadAttachment | Rpc::GetAttachment => &[TENANT, CONVERSATION, ATTACHMENT_ID],
        Rpc::ListAttachments => &[TENANT, CONVERSATION, PAGE, FILTER],
        Rpc::CreateWebhook | Rpc::ReplaceWebhook => &[TENANT, WEBHOOK],
        Rpc::GetWebhook | Rpc::DeleteWebhook => &[TENANT, WEBHOOK_ID],
        Rpc::VerifyWebhook => &[TENANT, VERIFY],
        Rpc::CreateChannel | Rpc::ReplaceChannel => &[TENANT, CHANNEL],
        Rpc::GetChannel | Rpc::DeleteChannel => &[TENANT, CHANNEL_ID],
        Rpc::GetSigningKey => &[TENANT, KEY_ID],
    }
}

const TENANT: &[Name] = &[value("X-8x8-Tenant", "tenant"), value("tenantId", "tenant")];
const CONVERSATION: &[Name] = &[value("conversationId", "conversation_id")];
const MESSAGE_ID: &[Name] = &[value("messageId", "message_id")];
const ATTACHMENT_ID: &[Name] = &[value("attachmentId", "attachment_id")];
const WEBHOOK_ID: &[Name] = &[value("webhookId", "webhook_id"), value("webHookId", "webhook_id")];
const CHANNEL_ID: &[Name] = &[value("channelId", "channel_id")];
const KEY_ID: &[Name] = &[value("jwkId", "key_id"), value("kid", "key_id")];
const AUTHOR: &[Name] = &[value("authorType", "author_type")];

const WHOLE: &[Name] = &[value("size", "page_size"), value("page", "page_token")];
const PAGE: &[Name] = &[
    value("size", "page_size"),
    value("page", "page_token"),
    value("sort", "order_by"),
];
const FILTER: &[Name] = &[value("filter", "filter")];

const USER: &[Name] = &[
    value("name", "name"),
    value("userId", "user_id"),
    value("email", "email"),
    value("phone", "phone"),
    value("company", "company"),
    value("caseId", "case_id"),
    value("language", "language"),
    fields("additionalProperties", "additional_properties", &[PROPERTY]),
];
const PROPERTY: &[Name] = &[value("key", "key"), value("value", "value")];
const ASSIGNMENT: &[Name] = &[value("type", "type"), value("id", "id")];

const MESSAGE: &[Name] = &[
    value("authorType", "author_type"),
    value("text", "text"),
    fields("attachments", "attachments", &[ATTACHMENT]),
    fields("cards", "cards", &[CARD]),
    fields("externalProvider", "external_provider", &[PROVIDER]),
];
const ATTACHMENT: &[Name] = &[value("id", "id")];
const CARD: &[Name] = &[
    value("id", "id"),
    value("contentType", "content_type"),
    value("content", "content"),
];
const PROVIDER: &[Name] = &[
    value("name", "name"),
    value("externalMessageId", "external_message_id"),
];

const CREATE: &[Name] = &[
    value("channelId", "channel_id"),
    fields("user", "user", &[USER]),
    fields("assignment", "assignment", &[ASSIGNMENT]),
    value("history", "history"),
    fields("history.messages", "history", &[MESSAGE]),
];
const HAND_OVER: &[Name] = &[
    value("X-8x8-Tenant", "start.tenant"),
    value("tenantId", "start.tenant"),
    value("channelId", "start.channel_id"),
    fields("user", "start.user", &[USER]),
    fields("assignment", "start.assignment", &[ASSIGNMENT]),
    value("history", "start.history"),
];
const HAND_OVER_HISTORY: &[Name] = &[fields("history.messages", "start.history", &[MESSAGE])];
const HAND_OVER_SHORTENED: &[Name] = &[Name {
    vendor: "history.messages",
    ours: "start.history",
    part: Part::Shortened(&[MESSAGE]),
}];

const CHANGE: &[Name] = &[
    fields("user", "conversation.user", &[USER]),
    fields("assignment", "conversation.assignment", &[ASSIGNMENT]),
];
const REPLACE: &[Name] = &[
    value("conversationId", "conversation.conversation_id"),
    value("channelId", "conversation.channel_id"),
];
const TRANSFER: &[Name] = &[fields("assignment", "assignment", &[ASSIGNMENT])];

const POST_AGENT: &[Name] = &[
    value("id", "webhook_id"),
    value("webhookId", "webhook_id"),
    value("webHookId", "webhook_id"),
    value(
        "configuration.notifyChannelWebhookIfExists",
        "notify_channel_webhook",
    ),
    value("configuration.maxTotalMinutes", "max_total_minutes"),
    value("configuration.userTimeoutInMinutes", "user_timeout_minutes"),
    value("notifyChannelWebhookIfExists", "notify_channel_webhook"),
    value("maxTotalMinutes", "max_total_minutes"),
    value("userTimeoutInMinutes", "user_timeout_minutes"),
];
const SEND: &[Name] = &[
    value("authorType", "message.author_type"),
    value("text", "message.text"),
    fields("attachments", "message.attachments", &[ATTACHMENT]),
    fields("cards", "message.cards", &[CARD]),
    fields("externalProvider", "message.external_provider", &[PROVIDER]),
];
const CARD_ACTION: &[Name] = &[value("cardId", "card_id"), value("name", "name")];
const THINKING: &[Name] = &[value("maxThinkingTimeSeconds", "max_thinking_seconds")];
const RECEIPT: &[Name] = &[value("readAt", "read_time")];

const UPLOAD: &[Name] = &[
    value("X-8x8-Tenant", "start.tenant"),
    value("tenantId", "start.tenant"),
    value("conversationId", "start.conversation_id"),
    value("authorType", "start.author_type"),
    value("filename", "start.file_name"),
    value("sizeInBytes", "start.size_bytes"),
    value("attachment", "chunk"),
];

const WEBHOOK: &[Name] = &[
    value("id", "webhook.id"),
    value("webhookId", "webhook.id"),
    value("webHookId", "webhook.id"),
    value("name", "webhook.name"),
    value("uri", "webhook.uri"),
    value("version", "webhook.version"),
    value("notificationVersion", "webhook.version"),
];
const VERIFY: &[Name] = &[
    value("uri", "uri"),
    value("version", "version"),
    value("notificationVersion", "version"),
];
const CHANNEL: &[Name] = &[
    value("id", "channel.id"),
    value("channelId", "channel.id"),
    value("name", "channel.name"),
    value("type", "channel.type"),
    value("webHookId", "channel.webhook_id"),
    value("webhookId", "channel.webhook_id"),
    value("routingOptions", "channel.queue_id"),
    value("routingOptions.id", "channel.queue_id"),
    value("routingOptions.type", "channel.queue_id"),
];
