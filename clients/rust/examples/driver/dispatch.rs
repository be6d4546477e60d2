// Generated from the contract by `scripts/clients/rust.sh generate`. Do not edit.

//! The client's methods by their names in the contract.

use bytes::Bytes;
use chatbridge_client::{Client, Error};
use futures_util::TryStreamExt as _;
use prost::Message as _;

use crate::answer::{Wrong, decode};

/// Makes a call by the client's own method.
pub(crate) async fn call(
    client: &Client,
    method: &str,
    request: Bytes,
) -> Result<Result<Vec<u8>, Error>, Wrong> {
    Ok(match method {
        "chatbridge.v1.AgentEventService/ChangeAgentEvents" => client
            .change_agent_events(decode(request)?)
            .await
            .map(|response| response.encode_to_vec()),
        "chatbridge.v1.AgentEventService/CommitCursor" => client
            .commit_cursor(decode(request)?)
            .await
            .map(|response| response.encode_to_vec()),
        "chatbridge.v1.AttachmentService/GetAttachment" => client
            .get_attachment(decode(request)?)
            .await
            .map(|response| response.encode_to_vec()),
        "chatbridge.v1.AttachmentService/ListAttachments" => client
            .list_attachments(decode(request)?)
            .await
            .map(|response| response.encode_to_vec()),
        "chatbridge.v1.ConfigurationService/ListWebhooks" => client
            .list_webhooks(decode(request)?)
            .await
            .map(|response| response.encode_to_vec()),
        "chatbridge.v1.ConfigurationService/CreateWebhook" => client
            .create_webhook(decode(request)?)
            .await
            .map(|response| response.encode_to_vec()),
        "chatbridge.v1.ConfigurationService/GetWebhook" => client
            .get_webhook(decode(request)?)
            .await
            .map(|response| response.encode_to_vec()),
        "chatbridge.v1.ConfigurationService/ReplaceWebhook" => client
            .replace_webhook(decode(request)?)
            .await
            .map(|response| response.encode_to_vec()),
        "chatbridge.v1.ConfigurationService/DeleteWebhook" => client
            .delete_webhook(decode(request)?)
            .await
            .map(|response| response.encode_to_vec()),
        "chatbridge.v1.ConfigurationService/VerifyWebhook" => client
            .verify_webhook(decode(request)?)
            .await
            .map(|response| response.encode_to_vec()),
        "chatbridge.v1.ConfigurationService/ListChannels" => client
            .list_channels(decode(request)?)
            .await
            .map(|response| response.encode_to_vec()),
        "chatbridge.v1.ConfigurationService/CreateChannel" => client
            .create_channel(decode(request)?)
            .await
            .map(|response| response.encode_to_vec()),
        "chatbridge.v1.ConfigurationService/GetChannel" => client
            .get_channel(decode(request)?)
            .await
            .map(|response| response.encode_to_vec()),
        "chatbridge.v1.ConfigurationService/ReplaceChannel" => client
            .replace_channel(decode(request)?)
            .await
            .map(|response| response.encode_to_vec()),
        "chatbridge.v1.ConfigurationService/DeleteChannel" => client
            .delete_channel(decode(request)?)
            .await
            .map(|response| response.encode_to_vec()),
        "chatbridge.v1.ConfigurationService/GetSigningKey" => client
            .get_signing_key(decode(request)?)
            .await
            .map(|response| response.encode_to_vec()),
        "chatbridge.v1.ConversationService/FindOrCreateConversation" => client
            .find_or_create_conversation(decode(request)?)
            .await
            .map(|response| response.encode_to_vec()),
        "chatbridge.v1.ConversationService/CreateConversation" => client
            .create_conversation(decode(request)?)
            .await
            .map(|response| response.encode_to_vec()),
        "chatbridge.v1.ConversationService/GetConversation" => client
            .get_conversation(decode(request)?)
            .await
            .map(|response| response.encode_to_vec()),
        "chatbridge.v1.ConversationService/ListConversations" => client
            .list_conversations(decode(request)?)
            .await
            .map(|response| response.encode_to_vec()),
        "chatbridge.v1.ConversationService/UpdateConversation" => client
            .update_conversation(decode(request)?)
            .await
            .map(|response| response.encode_to_vec()),
        "chatbridge.v1.ConversationService/ReplaceConversation" => client
            .replace_conversation(decode(request)?)
            .await
            .map(|response| response.encode_to_vec()),
        "chatbridge.v1.ConversationService/TransferConversation" => client
            .transfer_conversation(decode(request)?)
            .await
            .map(|response| response.encode_to_vec()),
        "chatbridge.v1.ConversationService/ListInteractions" => client
            .list_interactions(decode(request)?)
            .await
            .map(|response| response.encode_to_vec()),
        "chatbridge.v1.ConversationService/CreatePostAgentAssignment" => client
            .create_post_agent_assignment(decode(request)?)
            .await
            .map(|response| response.encode_to_vec()),
        "chatbridge.v1.ConversationService/EndConversation" => client
            .end_conversation(decode(request)?)
            .await
            .map(|response| response.encode_to_vec()),
        "chatbridge.v1.ConversationService/SendMessage" => client
            .send_message(decode(request)?)
            .await
            .map(|response| response.encode_to_vec()),
        "chatbridge.v1.ConversationService/GetMessage" => client
            .get_message(decode(request)?)
            .await
            .map(|response| response.encode_to_vec()),
        "chatbridge.v1.ConversationService/ListMessages" => client
            .list_messages(decode(request)?)
            .await
            .map(|response| response.encode_to_vec()),
        "chatbridge.v1.ConversationService/ListCards" => client
            .list_cards(decode(request)?)
            .await
            .map(|response| response.encode_to_vec()),
        "chatbridge.v1.ConversationService/SubmitCardAction" => client
            .submit_card_action(decode(request)?)
            .await
            .map(|response| response.encode_to_vec()),
        "chatbridge.v1.ConversationService/ExecuteCardAction" => client
            .execute_card_action(decode(request)?)
            .await
            .map(|response| response.encode_to_vec()),
        "chatbridge.v1.ConversationService/SendTypingIndicator" => client
            .send_typing_indicator(decode(request)?)
            .await
            .map(|response| response.encode_to_vec()),
        "chatbridge.v1.ConversationService/SendThinkingIndicator" => client
            .send_thinking_indicator(decode(request)?)
            .await
            .map(|response| response.encode_to_vec()),
        "chatbridge.v1.ConversationService/SendReadReceipt" => client
            .send_read_receipt(decode(request)?)
            .await
            .map(|response| response.encode_to_vec()),
        "chatbridge.v1.ConversationService/ListParticipants" => client
            .list_participants(decode(request)?)
            .await
            .map(|response| response.encode_to_vec()),
        "chatbridge.v1.SessionService/GetSession" => client
            .get_session(decode(request)?)
            .await
            .map(|response| response.encode_to_vec()),
        "chatbridge.v1.SessionService/ListSessions" => client
            .list_sessions(decode(request)?)
            .await
            .map(|response| response.encode_to_vec()),
        "chatbridge.v1.SessionService/EraseConversation" => client
            .erase_conversation(decode(request)?)
            .await
            .map(|response| response.encode_to_vec()),
        "chatbridge.v1.SubscriptionService/CreateSubscription" => client
            .create_subscription(decode(request)?)
            .await
            .map(|response| response.encode_to_vec()),
        "chatbridge.v1.SubscriptionService/GetSubscription" => client
            .get_subscription(decode(request)?)
            .await
            .map(|response| response.encode_to_vec()),
        "chatbridge.v1.SubscriptionService/ListSubscriptions" => client
            .list_subscriptions(decode(request)?)
            .await
            .map(|response| response.encode_to_vec()),
        "chatbridge.v1.SubscriptionService/DeleteSubscription" => client
            .delete_subscription(decode(request)?)
            .await
            .map(|response| response.encode_to_vec()),
        _ => return Err(Wrong::unknown(method)),
    })
}

/// Reads a whole list by the client's own iteration.
pub(crate) async fn iterate(
    client: &Client,
    method: &str,
    request: Bytes,
) -> Result<Result<Vec<Bytes>, Error>, Wrong> {
    Ok(match method {
        "chatbridge.v1.AttachmentService/ListAttachments" => {
            client
                .iterate_attachments(decode(request)?)
                .map_ok(|item| item.encode_to_vec().into())
                .try_collect()
                .await
        }
        "chatbridge.v1.ConfigurationService/ListWebhooks" => {
            client
                .iterate_webhooks(decode(request)?)
                .map_ok(|item| item.encode_to_vec().into())
                .try_collect()
                .await
        }
        "chatbridge.v1.ConfigurationService/ListChannels" => {
            client
                .iterate_channels(decode(request)?)
                .map_ok(|item| item.encode_to_vec().into())
                .try_collect()
                .await
        }
        "chatbridge.v1.ConversationService/ListConversations" => {
            client
                .iterate_conversations(decode(request)?)
                .map_ok(|item| item.encode_to_vec().into())
                .try_collect()
                .await
        }
        "chatbridge.v1.ConversationService/ListInteractions" => {
            client
                .iterate_interactions(decode(request)?)
                .map_ok(|item| item.encode_to_vec().into())
                .try_collect()
                .await
        }
        "chatbridge.v1.ConversationService/ListMessages" => {
            client
                .iterate_messages(decode(request)?)
                .map_ok(|item| item.encode_to_vec().into())
                .try_collect()
                .await
        }
        "chatbridge.v1.ConversationService/ListCards" => {
            client
                .iterate_cards(decode(request)?)
                .map_ok(|item| item.encode_to_vec().into())
                .try_collect()
                .await
        }
        "chatbridge.v1.ConversationService/ListParticipants" => {
            client
                .iterate_participants(decode(request)?)
                .map_ok(|item| item.encode_to_vec().into())
                .try_collect()
                .await
        }
        "chatbridge.v1.SessionService/ListSessions" => {
            client
                .iterate_sessions(decode(request)?)
                .map_ok(|item| item.encode_to_vec().into())
                .try_collect()
                .await
        }
        "chatbridge.v1.SubscriptionService/ListSubscriptions" => {
            client
                .iterate_subscriptions(decode(request)?)
                .map_ok(|item| item.encode_to_vec().into())
                .try_collect()
                .await
        }
        _ => return Err(Wrong::unknown(method)),
    })
}
