// Generated from the contract by `scripts/clients/rust.sh generate`. Do not edit.

//! The methods of the contract.

use futures_util::Stream;

use crate::{
    Client, Error,
    call::{Idempotency, Method, Prepare, identify, scope},
    pages::pages,
    v1,
};

pub(crate) const AGENT_EVENTS: Method = Method {
    path: "/chatbridge.v1.AgentEventService/AgentEvents",
    idempotency: Idempotency::Unknown,
};
pub(crate) const CHANGE_AGENT_EVENTS: Method = Method {
    path: "/chatbridge.v1.AgentEventService/ChangeAgentEvents",
    idempotency: Idempotency::Unknown,
};
pub(crate) const COMMIT_CURSOR: Method = Method {
    path: "/chatbridge.v1.AgentEventService/CommitCursor",
    idempotency: Idempotency::Idempotent,
};
pub(crate) const UPLOAD_ATTACHMENT: Method = Method {
    path: "/chatbridge.v1.AttachmentService/UploadAttachment",
    idempotency: Idempotency::Idempotent,
};
pub(crate) const DOWNLOAD_ATTACHMENT: Method = Method {
    path: "/chatbridge.v1.AttachmentService/DownloadAttachment",
    idempotency: Idempotency::NoSideEffects,
};
pub(crate) const GET_ATTACHMENT: Method = Method {
    path: "/chatbridge.v1.AttachmentService/GetAttachment",
    idempotency: Idempotency::NoSideEffects,
};
pub(crate) const LIST_ATTACHMENTS: Method = Method {
    path: "/chatbridge.v1.AttachmentService/ListAttachments",
    idempotency: Idempotency::NoSideEffects,
};
pub(crate) const LIST_WEBHOOKS: Method = Method {
    path: "/chatbridge.v1.ConfigurationService/ListWebhooks",
    idempotency: Idempotency::NoSideEffects,
};
pub(crate) const CREATE_WEBHOOK: Method = Method {
    path: "/chatbridge.v1.ConfigurationService/CreateWebhook",
    idempotency: Idempotency::Idempotent,
};
pub(crate) const GET_WEBHOOK: Method = Method {
    path: "/chatbridge.v1.ConfigurationService/GetWebhook",
    idempotency: Idempotency::NoSideEffects,
};
pub(crate) const REPLACE_WEBHOOK: Method = Method {
    path: "/chatbridge.v1.ConfigurationService/ReplaceWebhook",
    idempotency: Idempotency::Idempotent,
};
pub(crate) const DELETE_WEBHOOK: Method = Method {
    path: "/chatbridge.v1.ConfigurationService/DeleteWebhook",
    idempotency: Idempotency::Idempotent,
};
pub(crate) const VERIFY_WEBHOOK: Method = Method {
    path: "/chatbridge.v1.ConfigurationService/VerifyWebhook",
    idempotency: Idempotency::Idempotent,
};
pub(crate) const LIST_CHANNELS: Method = Method {
    path: "/chatbridge.v1.ConfigurationService/ListChannels",
    idempotency: Idempotency::NoSideEffects,
};
pub(crate) const CREATE_CHANNEL: Method = Method {
    path: "/chatbridge.v1.ConfigurationService/CreateChannel",
    idempotency: Idempotency::Idempotent,
};
pub(crate) const GET_CHANNEL: Method = Method {
    path: "/chatbridge.v1.ConfigurationService/GetChannel",
    idempotency: Idempotency::NoSideEffects,
};
pub(crate) const REPLACE_CHANNEL: Method = Method {
    path: "/chatbridge.v1.ConfigurationService/ReplaceChannel",
    idempotency: Idempotency::Idempotent,
};
pub(crate) const DELETE_CHANNEL: Method = Method {
    path: "/chatbridge.v1.ConfigurationService/DeleteChannel",
    idempotency: Idempotency::Idempotent,
};
pub(crate) const GET_SIGNING_KEY: Method = Method {
    path: "/chatbridge.v1.ConfigurationService/GetSigningKey",
    idempotency: Idempotency::NoSideEffects,
};
pub(crate) const HAND_OVER_CONVERSATION: Method = Method {
    path: "/chatbridge.v1.ConversationService/HandOverConversation",
    idempotency: Idempotency::Idempotent,
};
pub(crate) const FIND_OR_CREATE_CONVERSATION: Method = Method {
    path: "/chatbridge.v1.ConversationService/FindOrCreateConversation",
    idempotency: Idempotency::Idempotent,
};
pub(crate) const CREATE_CONVERSATION: Method = Method {
    path: "/chatbridge.v1.ConversationService/CreateConversation",
    idempotency: Idempotency::Idempotent,
};
pub(crate) const GET_CONVERSATION: Method = Method {
    path: "/chatbridge.v1.ConversationService/GetConversation",
    idempotency: Idempotency::NoSideEffects,
};
pub(crate) const LIST_CONVERSATIONS: Method = Method {
    path: "/chatbridge.v1.ConversationService/ListConversations",
    idempotency: Idempotency::NoSideEffects,
};
pub(crate) const UPDATE_CONVERSATION: Method = Method {
    path: "/chatbridge.v1.ConversationService/UpdateConversation",
    idempotency: Idempotency::Unknown,
};
pub(crate) const REPLACE_CONVERSATION: Method = Method {
    path: "/chatbridge.v1.ConversationService/ReplaceConversation",
    idempotency: Idempotency::Unknown,
};
pub(crate) const TRANSFER_CONVERSATION: Method = Method {
    path: "/chatbridge.v1.ConversationService/TransferConversation",
    idempotency: Idempotency::Unknown,
};
pub(crate) const LIST_INTERACTIONS: Method = Method {
    path: "/chatbridge.v1.ConversationService/ListInteractions",
    idempotency: Idempotency::NoSideEffects,
};
pub(crate) const CREATE_POST_AGENT_ASSIGNMENT: Method = Method {
    path: "/chatbridge.v1.ConversationService/CreatePostAgentAssignment",
    idempotency: Idempotency::Unknown,
};
pub(crate) const END_CONVERSATION: Method = Method {
    path: "/chatbridge.v1.ConversationService/EndConversation",
    idempotency: Idempotency::Idempotent,
};
pub(crate) const SEND_MESSAGE: Method = Method {
    path: "/chatbridge.v1.ConversationService/SendMessage",
    idempotency: Idempotency::Idempotent,
};
pub(crate) const GET_MESSAGE: Method = Method {
    path: "/chatbridge.v1.ConversationService/GetMessage",
    idempotency: Idempotency::NoSideEffects,
};
pub(crate) const LIST_MESSAGES: Method = Method {
    path: "/chatbridge.v1.ConversationService/ListMessages",
    idempotency: Idempotency::NoSideEffects,
};
pub(crate) const LIST_CARDS: Method = Method {
    path: "/chatbridge.v1.ConversationService/ListCards",
    idempotency: Idempotency::NoSideEffects,
};
pub(crate) const SUBMIT_CARD_ACTION: Method = Method {
    path: "/chatbridge.v1.ConversationService/SubmitCardAction",
    idempotency: Idempotency::Unknown,
};
pub(crate) const EXECUTE_CARD_ACTION: Method = Method {
    path: "/chatbridge.v1.ConversationService/ExecuteCardAction",
    idempotency: Idempotency::Unknown,
};
pub(crate) const SEND_TYPING_INDICATOR: Method = Method {
    path: "/chatbridge.v1.ConversationService/SendTypingIndicator",
    idempotency: Idempotency::Idempotent,
};
pub(crate) const SEND_THINKING_INDICATOR: Method = Method {
    path: "/chatbridge.v1.ConversationService/SendThinkingIndicator",
    idempotency: Idempotency::Idempotent,
};
pub(crate) const SEND_READ_RECEIPT: Method = Method {
    path: "/chatbridge.v1.ConversationService/SendReadReceipt",
    idempotency: Idempotency::Idempotent,
};
pub(crate) const LIST_PARTICIPANTS: Method = Method {
    path: "/chatbridge.v1.ConversationService/ListParticipants",
    idempotency: Idempotency::NoSideEffects,
};
pub(crate) const GET_SESSION: Method = Method {
    path: "/chatbridge.v1.SessionService/GetSession",
    idempotency: Idempotency::NoSideEffects,
};
pub(crate) const LIST_SESSIONS: Method = Method {
    path: "/chatbridge.v1.SessionService/ListSessions",
    idempotency: Idempotency::NoSideEffects,
};
pub(crate) const ERASE_CONVERSATION: Method = Method {
    path: "/chatbridge.v1.SessionService/EraseConversation",
    idempotency: Idempotency::Idempotent,
};
pub(crate) const CREATE_SUBSCRIPTION: Method = Method {
    path: "/chatbridge.v1.SubscriptionService/CreateSubscription",
    idempotency: Idempotency::Idempotent,
};
pub(crate) const GET_SUBSCRIPTION: Method = Method {
    path: "/chatbridge.v1.SubscriptionService/GetSubscription",
    idempotency: Idempotency::NoSideEffects,
};
pub(crate) const LIST_SUBSCRIPTIONS: Method = Method {
    path: "/chatbridge.v1.SubscriptionService/ListSubscriptions",
    idempotency: Idempotency::NoSideEffects,
};
pub(crate) const DELETE_SUBSCRIPTION: Method = Method {
    path: "/chatbridge.v1.SubscriptionService/DeleteSubscription",
    idempotency: Idempotency::Unknown,
};

impl Prepare for v1::ChangeAgentEventsRequest {
    fn prepare(&mut self, tenant: &str) {
        scope(&mut self.tenant, tenant);
    }
}

impl Prepare for v1::CommitCursorRequest {
    fn prepare(&mut self, tenant: &str) {
        scope(&mut self.tenant, tenant);
    }
}

impl Prepare for v1::GetAttachmentRequest {
    fn prepare(&mut self, tenant: &str) {
        scope(&mut self.tenant, tenant);
    }
}

impl Prepare for v1::ListAttachmentsRequest {
    fn prepare(&mut self, tenant: &str) {
        scope(&mut self.tenant, tenant);
    }
}

impl Prepare for v1::ListWebhooksRequest {
    fn prepare(&mut self, tenant: &str) {
        scope(&mut self.tenant, tenant);
    }
}

impl Prepare for v1::CreateWebhookRequest {
    fn prepare(&mut self, tenant: &str) {
        scope(&mut self.tenant, tenant);
        identify(&mut self.request_id);
    }
}

impl Prepare for v1::GetWebhookRequest {
    fn prepare(&mut self, tenant: &str) {
        scope(&mut self.tenant, tenant);
    }
}

impl Prepare for v1::ReplaceWebhookRequest {
    fn prepare(&mut self, tenant: &str) {
        scope(&mut self.tenant, tenant);
    }
}

impl Prepare for v1::DeleteWebhookRequest {
    fn prepare(&mut self, tenant: &str) {
        scope(&mut self.tenant, tenant);
    }
}

impl Prepare for v1::VerifyWebhookRequest {
    fn prepare(&mut self, tenant: &str) {
        scope(&mut self.tenant, tenant);
    }
}

impl Prepare for v1::ListChannelsRequest {
    fn prepare(&mut self, tenant: &str) {
        scope(&mut self.tenant, tenant);
    }
}

impl Prepare for v1::CreateChannelRequest {
    fn prepare(&mut self, tenant: &str) {
        scope(&mut self.tenant, tenant);
        identify(&mut self.request_id);
    }
}

impl Prepare for v1::GetChannelRequest {
    fn prepare(&mut self, tenant: &str) {
        scope(&mut self.tenant, tenant);
    }
}

impl Prepare for v1::ReplaceChannelRequest {
    fn prepare(&mut self, tenant: &str) {
        scope(&mut self.tenant, tenant);
    }
}

impl Prepare for v1::DeleteChannelRequest {
    fn prepare(&mut self, tenant: &str) {
        scope(&mut self.tenant, tenant);
    }
}

impl Prepare for v1::GetSigningKeyRequest {
    fn prepare(&mut self, tenant: &str) {
        scope(&mut self.tenant, tenant);
    }
}

impl Prepare for v1::FindOrCreateConversationRequest {
    fn prepare(&mut self, tenant: &str) {
        scope(&mut self.tenant, tenant);
    }
}

impl Prepare for v1::CreateConversationRequest {
    fn prepare(&mut self, tenant: &str) {
        scope(&mut self.tenant, tenant);
        identify(&mut self.request_id);
    }
}

impl Prepare for v1::GetConversationRequest {
    fn prepare(&mut self, tenant: &str) {
        scope(&mut self.tenant, tenant);
    }
}

impl Prepare for v1::ListConversationsRequest {
    fn prepare(&mut self, tenant: &str) {
        scope(&mut self.tenant, tenant);
    }
}

impl Prepare for v1::UpdateConversationRequest {
    fn prepare(&mut self, tenant: &str) {
        scope(&mut self.tenant, tenant);
    }
}

impl Prepare for v1::ReplaceConversationRequest {
    fn prepare(&mut self, tenant: &str) {
        scope(&mut self.tenant, tenant);
    }
}

impl Prepare for v1::TransferConversationRequest {
    fn prepare(&mut self, tenant: &str) {
        scope(&mut self.tenant, tenant);
    }
}

impl Prepare for v1::ListInteractionsRequest {
    fn prepare(&mut self, tenant: &str) {
        scope(&mut self.tenant, tenant);
    }
}

impl Prepare for v1::CreatePostAgentAssignmentRequest {
    fn prepare(&mut self, tenant: &str) {
        scope(&mut self.tenant, tenant);
    }
}

impl Prepare for v1::EndConversationRequest {
    fn prepare(&mut self, tenant: &str) {
        scope(&mut self.tenant, tenant);
    }
}

impl Prepare for v1::SendMessageRequest {
    fn prepare(&mut self, tenant: &str) {
        scope(&mut self.tenant, tenant);
        identify(&mut self.request_id);
    }
}

impl Prepare for v1::GetMessageRequest {
    fn prepare(&mut self, tenant: &str) {
        scope(&mut self.tenant, tenant);
    }
}

impl Prepare for v1::ListMessagesRequest {
    fn prepare(&mut self, tenant: &str) {
        scope(&mut self.tenant, tenant);
    }
}

impl Prepare for v1::ListCardsRequest {
    fn prepare(&mut self, tenant: &str) {
        scope(&mut self.tenant, tenant);
    }
}

impl Prepare for v1::SubmitCardActionRequest {
    fn prepare(&mut self, tenant: &str) {
        scope(&mut self.tenant, tenant);
    }
}

impl Prepare for v1::ExecuteCardActionRequest {
    fn prepare(&mut self, tenant: &str) {
        scope(&mut self.tenant, tenant);
    }
}

impl Prepare for v1::SendTypingIndicatorRequest {
    fn prepare(&mut self, tenant: &str) {
        scope(&mut self.tenant, tenant);
    }
}

impl Prepare for v1::SendThinkingIndicatorRequest {
    fn prepare(&mut self, tenant: &str) {
        scope(&mut self.tenant, tenant);
    }
}

impl Prepare for v1::SendReadReceiptRequest {
    fn prepare(&mut self, tenant: &str) {
        scope(&mut self.tenant, tenant);
    }
}

impl Prepare for v1::ListParticipantsRequest {
    fn prepare(&mut self, tenant: &str) {
        scope(&mut self.tenant, tenant);
    }
}

impl Prepare for v1::GetSessionRequest {
    fn prepare(&mut self, tenant: &str) {
        scope(&mut self.tenant, tenant);
    }
}

impl Prepare for v1::ListSessionsRequest {
    fn prepare(&mut self, tenant: &str) {
        scope(&mut self.tenant, tenant);
    }
}

impl Prepare for v1::EraseConversationRequest {
    fn prepare(&mut self, tenant: &str) {
        scope(&mut self.tenant, tenant);
    }
}

impl Prepare for v1::CreateSubscriptionRequest {
    fn prepare(&mut self, tenant: &str) {
        scope(&mut self.tenant, tenant);
    }
}

impl Prepare for v1::GetSubscriptionRequest {
    fn prepare(&mut self, tenant: &str) {
        scope(&mut self.tenant, tenant);
    }
}

impl Prepare for v1::ListSubscriptionsRequest {
    fn prepare(&mut self, tenant: &str) {
        scope(&mut self.tenant, tenant);
    }
}

impl Prepare for v1::DeleteSubscriptionRequest {
    fn prepare(&mut self, tenant: &str) {
        scope(&mut self.tenant, tenant);
    }
}

impl Client {
    /// Adds conversations to an open stream and takes others off. The stream must have been opened as `changeable`; it may be
    /// on any replica. What was accepted is told on the stream, within moments, by a `changed` with the same `revision`: from
    /// there on the change holds. If Redis loses its data, a change that was accepted but not told may be lost with it: where no
    /// `changed` comes within 30 s, make the call again. A stream that is opened anew has the conversations of its request.
    ///
    /// Errors: INVALID_ARGUMENT (`CURSOR_INVALID` or a field), NOT_FOUND (`TENANT_UNKNOWN`; `STREAM_UNKNOWN`: there is no such
    /// stream any more, or it is not changeable), RESOURCE_EXHAUSTED (`STREAM_LIMIT`: the stream would have more than 1000
    /// conversations, or 1000 changes wait for it), UNAVAILABLE (`STORE_UNAVAILABLE`; repeating is harmless).
    pub async fn change_agent_events(
        &self,
        request: v1::ChangeAgentEventsRequest,
    ) -> Result<v1::ChangeAgentEventsResponse, Error> {
        self.unary(&CHANGE_AGENT_EVENTS, request).await
    }

    /// Says that the events of a named subscription were processed up to a cursor, which moves its place in the log. A cursor
    /// before what was committed already changes nothing.
    ///
    /// Errors: INVALID_ARGUMENT (`CURSOR_INVALID` or a field), NOT_FOUND (`SUBSCRIPTION_UNKNOWN` or `TENANT_UNKNOWN`), ABORTED
    /// (`CURSOR_SUPERSEDED`: another stream has taken over what the cursor belongs to, and gets these events again), UNAVAILABLE
    /// (`STORE_UNAVAILABLE`: repeat), INTERNAL (`STORE_CORRUPT`).
    pub async fn commit_cursor(
        &self,
        request: v1::CommitCursorRequest,
    ) -> Result<v1::CommitCursorResponse, Error> {
        self.unary(&COMMIT_CURSOR, request).await
    }

    /// Reads a file's details.
    pub async fn get_attachment(
        &self,
        request: v1::GetAttachmentRequest,
    ) -> Result<v1::GetAttachmentResponse, Error> {
        self.unary(&GET_ATTACHMENT, request).await
    }

    /// Lists a conversation's files as the vendor has them.
    pub async fn list_attachments(
        &self,
        request: v1::ListAttachmentsRequest,
    ) -> Result<v1::ListAttachmentsResponse, Error> {
        self.unary(&LIST_ATTACHMENTS, request).await
    }

    /// Every item of [`Client::list_attachments`], page after page, from the page of the request on.
    pub fn iterate_attachments(
        &self,
        request: v1::ListAttachmentsRequest,
    ) -> impl Stream<Item = Result<v1::Attachment, Error>> + Send + use<> {
        let client = self.clone();
        pages(request, move |mut request| {
            let client = client.clone();
            async move {
                let page = client.list_attachments(request.clone()).await?;
                request.page_token = page.next_page_token;
                Ok((
                    page.attachments,
                    (!request.page_token.is_empty()).then_some(request),
                ))
            }
        })
    }

    /// Lists a tenant's webhooks.
    pub async fn list_webhooks(
        &self,
        request: v1::ListWebhooksRequest,
    ) -> Result<v1::ListWebhooksResponse, Error> {
        self.unary(&LIST_WEBHOOKS, request).await
    }

    /// Every item of [`Client::list_webhooks`], page after page, from the page of the request on.
    pub fn iterate_webhooks(
        &self,
        request: v1::ListWebhooksRequest,
    ) -> impl Stream<Item = Result<v1::Webhook, Error>> + Send + use<> {
        let client = self.clone();
        pages(request, move |mut request| {
            let client = client.clone();
            async move {
                let page = client.list_webhooks(request.clone()).await?;
                request.page_token = page.next_page_token;
                Ok((page.webhooks, (!request.page_token.is_empty()).then_some(request)))
            }
        })
    }

    /// Creates a webhook.
    ///
    /// Idempotent with `request_id`, as `ConversationService.CreateConversation` is, but that a lost answer stays unknown
    /// (UNKNOWN, `UPSTREAM_OUTCOME_UNKNOWN`): list, and see whether it is there.
    pub async fn create_webhook(
        &self,
        request: v1::CreateWebhookRequest,
    ) -> Result<v1::CreateWebhookResponse, Error> {
        self.unary(&CREATE_WEBHOOK, request).await
    }

    /// Reads a webhook.
    pub async fn get_webhook(&self, request: v1::GetWebhookRequest) -> Result<v1::GetWebhookResponse, Error> {
        self.unary(&GET_WEBHOOK, request).await
    }

    /// Replaces a webhook as a whole.
    pub async fn replace_webhook(
        &self,
        request: v1::ReplaceWebhookRequest,
    ) -> Result<v1::ReplaceWebhookResponse, Error> {
        self.unary(&REPLACE_WEBHOOK, request).await
    }

    /// Deletes a webhook. One that a channel uses the vendor may refuse to delete: ABORTED (`UPSTREAM_CONFLICT`).
    ///
    /// Safe to repeat, and repeated: where a first attempt's answer was lost, the repeat finds nothing, which is success.
    pub async fn delete_webhook(
        &self,
        request: v1::DeleteWebhookRequest,
    ) -> Result<v1::DeleteWebhookResponse, Error> {
        self.unary(&DELETE_WEBHOOK, request).await
    }

    /// Has the vendor send a verification to a URL, which must be answered with 2xx.
    ///
    /// Never repeated by Chatbridge: where the answer is lost, UNKNOWN (`UPSTREAM_OUTCOME_UNKNOWN`), and trying once more
    /// does no harm. INVALID_ARGUMENT (`UPSTREAM_INVALID`) where the URL does not answer as it must.
    pub async fn verify_webhook(
        &self,
        request: v1::VerifyWebhookRequest,
    ) -> Result<v1::VerifyWebhookResponse, Error> {
        self.unary(&VERIFY_WEBHOOK, request).await
    }

    /// Lists a tenant's channels.
    pub async fn list_channels(
        &self,
        request: v1::ListChannelsRequest,
    ) -> Result<v1::ListChannelsResponse, Error> {
        self.unary(&LIST_CHANNELS, request).await
    }

    /// Every item of [`Client::list_channels`], page after page, from the page of the request on.
    pub fn iterate_channels(
        &self,
        request: v1::ListChannelsRequest,
    ) -> impl Stream<Item = Result<v1::Channel, Error>> + Send + use<> {
        let client = self.clone();
        pages(request, move |mut request| {
            let client = client.clone();
            async move {
                let page = client.list_channels(request.clone()).await?;
                request.page_token = page.next_page_token;
                Ok((page.channels, (!request.page_token.is_empty()).then_some(request)))
            }
        })
    }

    /// Creates a channel.
    ///
    /// As `CreateWebhook`.
    pub async fn create_channel(
        &self,
        request: v1::CreateChannelRequest,
    ) -> Result<v1::CreateChannelResponse, Error> {
        self.unary(&CREATE_CHANNEL, request).await
    }

    /// Reads a channel.
    pub async fn get_channel(&self, request: v1::GetChannelRequest) -> Result<v1::GetChannelResponse, Error> {
        self.unary(&GET_CHANNEL, request).await
    }

    /// Replaces a channel as a whole.
    pub async fn replace_channel(
        &self,
        request: v1::ReplaceChannelRequest,
    ) -> Result<v1::ReplaceChannelResponse, Error> {
        self.unary(&REPLACE_CHANNEL, request).await
    }

    /// Deletes a channel.
    ///
    /// Safe to repeat, and repeated: where a first attempt's answer was lost, the repeat finds nothing, which is success.
    pub async fn delete_channel(
        &self,
        request: v1::DeleteChannelRequest,
    ) -> Result<v1::DeleteChannelResponse, Error> {
        self.unary(&DELETE_CHANNEL, request).await
    }

    /// Reads a public key with which the vendor signs webhooks.
    pub async fn get_signing_key(
        &self,
        request: v1::GetSigningKeyRequest,
    ) -> Result<v1::GetSigningKeyResponse, Error> {
        self.unary(&GET_SIGNING_KEY, request).await
    }

    /// Finds the conversation of a customer on a channel, or creates it.
    ///
    /// However many callers ask at once, on however many replicas, there is one conversation for each tenant, channel and
    /// `user.user_id`; all of them get it. What is found may be idle: a message reopens it. Only conversations made by
    /// Chatbridge's own calls are found, the latest of them, for as long as a session is kept, counted from when they were
    /// last found. What is found is answered as it is: `user`, `assignment`, `history` and `labels` apply to a new one only.
    ///
    /// UNKNOWN (`UPSTREAM_OUTCOME_UNKNOWN`) while it is unknown whether an earlier creation happened: repeat later.
    /// DEADLINE_EXCEEDED (`WAIT_TIMED_OUT`) where another caller's creation did not end before the deadline, or within 10 s
    /// where there is none: repeat.
    pub async fn find_or_create_conversation(
        &self,
        request: v1::FindOrCreateConversationRequest,
    ) -> Result<v1::FindOrCreateConversationResponse, Error> {
        self.unary(&FIND_OR_CREATE_CONVERSATION, request).await
    }

    /// Starts a conversation, with the transcript and the context that the agent should see.
    ///
    /// The vendor accepts at once and routes later: await the outcome on `AgentEvents`, from the cursor in the answer.
    /// Idempotent with `request_id`: ABORTED (`REQUEST_IN_FLIGHT`) while the first call with it runs, INVALID_ARGUMENT
    /// (`REQUEST_ID_REUSED`) where the request differs. Never sent twice: where the answer is lost, UNKNOWN
    /// (`UPSTREAM_OUTCOME_UNKNOWN`), and a repeat with the same `request_id` looks for what became of it.
    pub async fn create_conversation(
        &self,
        request: v1::CreateConversationRequest,
    ) -> Result<v1::CreateConversationResponse, Error> {
        self.unary(&CREATE_CONVERSATION, request).await
    }

    /// Reads a conversation from the vendor.
    pub async fn get_conversation(
        &self,
        request: v1::GetConversationRequest,
    ) -> Result<v1::GetConversationResponse, Error> {
        self.unary(&GET_CONVERSATION, request).await
    }

    /// Lists a tenant's conversations as the vendor has them.
    pub async fn list_conversations(
        &self,
        request: v1::ListConversationsRequest,
    ) -> Result<v1::ListConversationsResponse, Error> {
        self.unary(&LIST_CONVERSATIONS, request).await
    }

    /// Every item of [`Client::list_conversations`], page after page, from the page of the request on.
    pub fn iterate_conversations(
        &self,
        request: v1::ListConversationsRequest,
    ) -> impl Stream<Item = Result<v1::Conversation, Error>> + Send + use<> {
        let client = self.clone();
        pages(request, move |mut request| {
            let client = client.clone();
            async move {
                let page = client.list_conversations(request.clone()).await?;
                request.page_token = page.next_page_token;
                Ok((
                    page.conversations,
                    (!request.page_token.is_empty()).then_some(request),
                ))
            }
        })
    }

    /// Changes the customer's data or the assignment.
    ///
    /// The vendor accepts at once and acts later: the event tells the outcome. While a customer waits in a queue, the agent
    /// sees the changed data as soon as they join. With an assignment it is not repeated by Chatbridge: where the answer is
    /// lost, UNKNOWN (`UPSTREAM_OUTCOME_UNKNOWN`).
    pub async fn update_conversation(
        &self,
        request: v1::UpdateConversationRequest,
    ) -> Result<v1::UpdateConversationResponse, Error> {
        self.unary(&UPDATE_CONVERSATION, request).await
    }

    /// Replaces channel, customer and assignment as a whole: what is not given is cleared, as far as the vendor clears it.
    ///
    /// As `UpdateConversation` otherwise.
    pub async fn replace_conversation(
        &self,
        request: v1::ReplaceConversationRequest,
    ) -> Result<v1::ReplaceConversationResponse, Error> {
        self.unary(&REPLACE_CONVERSATION, request).await
    }

    /// Routes a conversation to another queue or script while no agent has it.
    ///
    /// FAILED_PRECONDITION (`CONVERSATION_WITH_AGENT`) where the vendor reports that an agent has it, and FAILED_PRECONDITION
    /// (`CONVERSATION_ENDED`) where it is idle. An agent who accepts between the check and the change is not excluded: the
    /// events tell. Errors otherwise as of `UpdateConversation` with an assignment.
    pub async fn transfer_conversation(
        &self,
        request: v1::TransferConversationRequest,
    ) -> Result<v1::TransferConversationResponse, Error> {
        self.unary(&TRANSFER_CONVERSATION, request).await
    }

    /// Lists a conversation's interactions, as the vendor has them.
    ///
    /// The vendor has no pages here: each call reads all and answers the part asked for.
    pub async fn list_interactions(
        &self,
        request: v1::ListInteractionsRequest,
    ) -> Result<v1::ListInteractionsResponse, Error> {
        self.unary(&LIST_INTERACTIONS, request).await
    }

    /// Every item of [`Client::list_interactions`], page after page, from the page of the request on.
    pub fn iterate_interactions(
        &self,
        request: v1::ListInteractionsRequest,
    ) -> impl Stream<Item = Result<v1::Interaction, Error>> + Send + use<> {
        let client = self.clone();
        pages(request, move |mut request| {
            let client = client.clone();
            async move {
                let page = client.list_interactions(request.clone()).await?;
                request.page_token = page.next_page_token;
                Ok((
                    page.interactions,
                    (!request.page_token.is_empty()).then_some(request),
                ))
            }
        })
    }

    /// Asks that the conversation be handed back to a bot once the agent has left.
    ///
    /// Never repeated by Chatbridge: UNKNOWN (`UPSTREAM_OUTCOME_UNKNOWN`) where the answer is lost.
    pub async fn create_post_agent_assignment(
        &self,
        request: v1::CreatePostAgentAssignmentRequest,
    ) -> Result<v1::CreatePostAgentAssignmentResponse, Error> {
        self.unary(&CREATE_POST_AGENT_ASSIGNMENT, request).await
    }

    /// Ends the current interaction on the customer's behalf.
    ///
    /// The conversation becomes idle; a new message starts another interaction in it. Repeated by Chatbridge, and safe to
    /// repeat.
    pub async fn end_conversation(
        &self,
        request: v1::EndConversationRequest,
    ) -> Result<v1::EndConversationResponse, Error> {
        self.unary(&END_CONVERSATION, request).await
    }

    /// Sends a message as the customer or as the bot.
    ///
    /// The vendor accepts without an identifier; its echo on `AgentEvents` carries the `request_id`. Idempotent with
    /// `request_id`, as `CreateConversation` is.
    pub async fn send_message(
        &self,
        request: v1::SendMessageRequest,
    ) -> Result<v1::SendMessageResponse, Error> {
        self.unary(&SEND_MESSAGE, request).await
    }

    /// Reads one message.
    pub async fn get_message(&self, request: v1::GetMessageRequest) -> Result<v1::GetMessageResponse, Error> {
        self.unary(&GET_MESSAGE, request).await
    }

    /// Lists a conversation's messages as the vendor has them.
    pub async fn list_messages(
        &self,
        request: v1::ListMessagesRequest,
    ) -> Result<v1::ListMessagesResponse, Error> {
        self.unary(&LIST_MESSAGES, request).await
    }

    /// Every item of [`Client::list_messages`], page after page, from the page of the request on.
    pub fn iterate_messages(
        &self,
        request: v1::ListMessagesRequest,
    ) -> impl Stream<Item = Result<v1::Message, Error>> + Send + use<> {
        let client = self.clone();
        pages(request, move |mut request| {
            let client = client.clone();
            async move {
                let page = client.list_messages(request.clone()).await?;
                request.page_token = page.next_page_token;
                Ok((page.messages, (!request.page_token.is_empty()).then_some(request)))
            }
        })
    }

    /// Lists the cards of a message.
    pub async fn list_cards(&self, request: v1::ListCardsRequest) -> Result<v1::ListCardsResponse, Error> {
        self.unary(&LIST_CARDS, request).await
    }

    /// Every item of [`Client::list_cards`], page after page, from the page of the request on.
    pub fn iterate_cards(
        &self,
        request: v1::ListCardsRequest,
    ) -> impl Stream<Item = Result<v1::Card, Error>> + Send + use<> {
        let client = self.clone();
        pages(request, move |mut request| {
            let client = client.clone();
            async move {
                let page = client.list_cards(request.clone()).await?;
                request.page_token = page.next_page_token;
                Ok((page.cards, (!request.page_token.is_empty()).then_some(request)))
            }
        })
    }

    /// Tells the vendor that the customer submitted an adaptive card (`Action.Submit`).
    ///
    /// Never repeated by Chatbridge: UNKNOWN (`UPSTREAM_OUTCOME_UNKNOWN`) where the answer is lost.
    pub async fn submit_card_action(
        &self,
        request: v1::SubmitCardActionRequest,
    ) -> Result<v1::SubmitCardActionResponse, Error> {
        self.unary(&SUBMIT_CARD_ACTION, request).await
    }

    /// Tells the vendor that an adaptive card's action was executed (`Action.Execute`).
    ///
    /// Never repeated by Chatbridge: UNKNOWN (`UPSTREAM_OUTCOME_UNKNOWN`) where the answer is lost.
    pub async fn execute_card_action(
        &self,
        request: v1::ExecuteCardActionRequest,
    ) -> Result<v1::ExecuteCardActionResponse, Error> {
        self.unary(&EXECUTE_CARD_ACTION, request).await
    }

    /// Shows the agent that the customer or the bot is typing.
    ///
    /// Never repeated by Chatbridge, nor are the two below: where the answer is lost, UNKNOWN (`UPSTREAM_OUTCOME_UNKNOWN`),
    /// and the next one shows the same.
    pub async fn send_typing_indicator(
        &self,
        request: v1::SendTypingIndicatorRequest,
    ) -> Result<v1::SendTypingIndicatorResponse, Error> {
        self.unary(&SEND_TYPING_INDICATOR, request).await
    }

    /// Shows the agent that the bot is working on an answer.
    pub async fn send_thinking_indicator(
        &self,
        request: v1::SendThinkingIndicatorRequest,
    ) -> Result<v1::SendThinkingIndicatorResponse, Error> {
        self.unary(&SEND_THINKING_INDICATOR, request).await
    }

    /// Tells the agent up to when the customer or the bot has read.
    pub async fn send_read_receipt(
        &self,
        request: v1::SendReadReceiptRequest,
    ) -> Result<v1::SendReadReceiptResponse, Error> {
        self.unary(&SEND_READ_RECEIPT, request).await
    }

    /// Lists everybody who took part in a conversation.
    ///
    /// The vendor has no pages here: each call reads all and answers the part asked for.
    pub async fn list_participants(
        &self,
        request: v1::ListParticipantsRequest,
    ) -> Result<v1::ListParticipantsResponse, Error> {
        self.unary(&LIST_PARTICIPANTS, request).await
    }

    /// Every item of [`Client::list_participants`], page after page, from the page of the request on.
    pub fn iterate_participants(
        &self,
        request: v1::ListParticipantsRequest,
    ) -> impl Stream<Item = Result<v1::Participant, Error>> + Send + use<> {
        let client = self.clone();
        pages(request, move |mut request| {
            let client = client.clone();
            async move {
                let page = client.list_participants(request.clone()).await?;
                request.page_token = page.next_page_token;
                Ok((
                    page.participants,
                    (!request.page_token.is_empty()).then_some(request),
                ))
            }
        })
    }

    /// Reads one session.
    pub async fn get_session(&self, request: v1::GetSessionRequest) -> Result<v1::GetSessionResponse, Error> {
        self.unary(&GET_SESSION, request).await
    }

    /// Lists a tenant's sessions, the last active first.
    ///
    /// A session that becomes active while pages are read moves to the front and may be missed or seen twice.
    pub async fn list_sessions(
        &self,
        request: v1::ListSessionsRequest,
    ) -> Result<v1::ListSessionsResponse, Error> {
        self.unary(&LIST_SESSIONS, request).await
    }

    /// Every item of [`Client::list_sessions`], page after page, from the page of the request on.
    pub fn iterate_sessions(
        &self,
        request: v1::ListSessionsRequest,
    ) -> impl Stream<Item = Result<v1::Session, Error>> + Send + use<> {
        let client = self.clone();
        pages(request, move |mut request| {
            let client = client.clone();
            async move {
                let page = client.list_sessions(request.clone()).await?;
                request.page_token = page.next_page_token;
                Ok((page.sessions, (!request.page_token.is_empty()).then_some(request)))
            }
        })
    }

    /// Erases what Chatbridge keeps of a conversation: its events with their raw JSON, its session with customer, labels and names,
    /// what was sent in it, and the key under which its contents are encrypted. It cannot be undone.
    ///
    /// The vendor's data are not touched: conversation, messages, files and customer stay with 8x8 until they are deleted there, and
    /// a conversation that goes on there goes on sending events. What comes after the call begins the conversation anew, with another
    /// `session_epoch` and sequences from 1.
    ///
    /// Streams are told of no gap: what was not delivered yet is left out. What was delivered before, or is on its way in that moment,
    /// is the clients' to erase. Late repeats of webhooks whose events were erased are still known, by hashes, and bring nothing back.
    ///
    /// May be repeated, and should be after an error: it does what is left to do. A conversation of which nothing is known is erased
    /// already. An erasure that broke off is ended within some minutes by itself.
    pub async fn erase_conversation(
        &self,
        request: v1::EraseConversationRequest,
    ) -> Result<v1::EraseConversationResponse, Error> {
        self.unary(&ERASE_CONVERSATION, request).await
    }

    /// Creates a subscription. Created again with the same definition, it is answered as it is; events that came meanwhile are
    /// not skipped.
    ///
    /// Errors, besides those above: ALREADY_EXISTS (`SUBSCRIPTION_EXISTS`: with another definition), RESOURCE_EXHAUSTED
    /// (`SUBSCRIPTION_LIMIT`: the tenant has 1000).
    pub async fn create_subscription(
        &self,
        request: v1::CreateSubscriptionRequest,
    ) -> Result<v1::CreateSubscriptionResponse, Error> {
        self.unary(&CREATE_SUBSCRIPTION, request).await
    }

    /// Reads a subscription with its members and how far behind it is.
    pub async fn get_subscription(
        &self,
        request: v1::GetSubscriptionRequest,
    ) -> Result<v1::GetSubscriptionResponse, Error> {
        self.unary(&GET_SUBSCRIPTION, request).await
    }

    /// Lists a tenant's subscriptions in the order of their names.
    pub async fn list_subscriptions(
        &self,
        request: v1::ListSubscriptionsRequest,
    ) -> Result<v1::ListSubscriptionsResponse, Error> {
        self.unary(&LIST_SUBSCRIPTIONS, request).await
    }

    /// Every item of [`Client::list_subscriptions`], page after page, from the page of the request on.
    pub fn iterate_subscriptions(
        &self,
        request: v1::ListSubscriptionsRequest,
    ) -> impl Stream<Item = Result<v1::Subscription, Error>> + Send + use<> {
        let client = self.clone();
        pages(request, move |mut request| {
            let client = client.clone();
            async move {
                let page = client.list_subscriptions(request.clone()).await?;
                request.page_token = page.next_page_token;
                Ok((
                    page.subscriptions,
                    (!request.page_token.is_empty()).then_some(request),
                ))
            }
        })
    }

    /// Deletes a subscription and its place in the log, and ends its streams with SUBSCRIPTION_DELETED. One that does not exist
    /// is NOT_FOUND.
    pub async fn delete_subscription(
        &self,
        request: v1::DeleteSubscriptionRequest,
    ) -> Result<v1::DeleteSubscriptionResponse, Error> {
        self.unary(&DELETE_SUBSCRIPTION, request).await
    }
}
