use prost_reflect::{DescriptorPool, Kind, MessageDescriptor};
use rstest::rstest;

use super::{names::Names, *};
use crate::{gateway::UpstreamErrorKind, grpc::proto};

const HAND_OVER: Rpc = Rpc::HandOverConversation { shortened: false };
const SHORTENED: Rpc = Rpc::HandOverConversation { shortened: true };

/// All RPCs but the hand-over, which has two kinds of transcripts.
const ALL: [Rpc; 36] = [
    Rpc::FindOrCreateConversation,
    Rpc::CreateConversation,
    Rpc::GetConversation,
    Rpc::ListConversations,
    Rpc::UpdateConversation,
    Rpc::ReplaceConversation,
    Rpc::TransferConversation,
    Rpc::ListInteractions,
    Rpc::CreatePostAgentAssignment,
    Rpc::EndConversation,
    Rpc::SendMessage,
    Rpc::GetMessage,
    Rpc::ListMessages,
    Rpc::ListCards,
    Rpc::SubmitCardAction,
    Rpc::ExecuteCardAction,
    Rpc::SendTypingIndicator,
    Rpc::SendThinkingIndicator,
    Rpc::SendReadReceipt,
    Rpc::ListParticipants,
    Rpc::UploadAttachment,
    Rpc::DownloadAttachment,
    Rpc::GetAttachment,
    Rpc::ListAttachments,
    Rpc::ListWebhooks,
    Rpc::CreateWebhook,
    Rpc::GetWebhook,
    Rpc::ReplaceWebhook,
    Rpc::DeleteWebhook,
    Rpc::VerifyWebhook,
    Rpc::ListChannels,
    Rpc::CreateChannel,
    Rpc::GetChannel,
    Rpc::ReplaceChannel,
    Rpc::DeleteChannel,
    Rpc::GetSigningKey,
];

#[rstest]
#[case(Rpc::CreateConversation, "channelId", "channel_id")]
#[case(Rpc::CreateConversation, "user.userId", "user.user_id")]
#[case(
    Rpc::CreateConversation,
    "user.additionalProperties[3].key",
    "user.additional_properties[3].key"
)]
#[case(
    Rpc::CreateConversation,
    "user.additionalProperties",
    "user.additional_properties"
)]
#[case(Rpc::CreateConversation, "history.messages[2].text", "history[2].text")]
#[case(Rpc::CreateConversation, "history.messages", "history")]
#[case(Rpc::CreateConversation, "history", "history")]
#[case(
    Rpc::CreateConversation,
    "history.messages[2].cards[0].contentType",
    "history[2].cards[0].content_type"
)]
#[case(
    Rpc::FindOrCreateConversation,
    "history.messages[0].attachments[1].id",
    "history[0].attachments[1].id"
)]
#[case(
    Rpc::CreateConversation,
    "history.messages[0].cards[1].content.body[3].text",
    "history[0].cards[1].content.body[3].text"
)]
#[case(HAND_OVER, "user.caseId", "start.user.case_id")]
#[case(HAND_OVER, "history.messages[7].authorType", "start.history[7].author_type")]
#[case(SHORTENED, "history.messages[7].authorType", "start.history.author_type")]
#[case(SHORTENED, "history.messages[7].cards[2].id", "start.history.cards[2].id")]
#[case(
    SHORTENED,
    "user.additionalProperties[3].key",
    "start.user.additional_properties[3].key"
)]
#[case(Rpc::UpdateConversation, "user.userId", "conversation.user.user_id")]
#[case(Rpc::UpdateConversation, "conversationId", "conversation_id")]
#[case(Rpc::ReplaceConversation, "conversationId", "conversation.conversation_id")]
#[case(Rpc::ReplaceConversation, "assignment.id", "conversation.assignment.id")]
#[case(Rpc::ReplaceConversation, "channelId", "conversation.channel_id")]
#[case(Rpc::TransferConversation, "assignment.type", "assignment.type")]
#[case(Rpc::SendMessage, "text", "message.text")]
#[case(Rpc::SendMessage, "authorType", "message.author_type")]
#[case(Rpc::SendMessage, "attachments[0].id", "message.attachments[0].id")]
#[case(
    Rpc::SendMessage,
    "externalProvider.externalMessageId",
    "message.external_provider.external_message_id"
)]
#[case(Rpc::SendTypingIndicator, "authorType", "author_type")]
#[case(Rpc::SendReadReceipt, "readAt", "read_time")]
#[case(Rpc::SendThinkingIndicator, "maxThinkingTimeSeconds", "max_thinking_seconds")]
#[case(
    Rpc::CreatePostAgentAssignment,
    "configuration.maxTotalMinutes",
    "max_total_minutes"
)]
#[case(
    Rpc::CreatePostAgentAssignment,
    "notifyChannelWebhookIfExists",
    "notify_channel_webhook"
)]
#[case(Rpc::CreatePostAgentAssignment, "id", "webhook_id")]
#[case(Rpc::CreateWebhook, "uri", "webhook.uri")]
#[case(Rpc::ReplaceWebhook, "notificationVersion", "webhook.version")]
#[case(Rpc::VerifyWebhook, "uri", "uri")]
#[case(Rpc::CreateChannel, "webHookId", "channel.webhook_id")]
#[case(Rpc::ReplaceChannel, "routingOptions.id", "channel.queue_id")]
#[case(Rpc::UploadAttachment, "authorType", "start.author_type")]
#[case(Rpc::ListConversations, "size", "page_size")]
#[case(Rpc::ListConversations, "filter", "filter")]
#[case(Rpc::ListMessages, "sort", "order_by")]
#[case(Rpc::ListChannels, "page", "page_token")]
#[case(Rpc::SubmitCardAction, "cardId", "card_id")]
#[case(Rpc::GetMessage, "messageId", "message_id")]
#[case(Rpc::GetSigningKey, "jwkId", "key_id")]
#[case(Rpc::EndConversation, "X-8x8-Tenant", "tenant")]
fn names_are_those_of_the_callers_own_request(#[case] rpc: Rpc, #[case] vendor: &str, #[case] ours: &str) {
    assert_eq!(translate(rpc, vendor), ours);
}

#[rstest]
#[case(Rpc::EndConversation, "removed")]
#[case(Rpc::SendMessage, "textual")]
#[case(Rpc::SendMessage, "text[0")]
#[case(Rpc::SendMessage, "")]
#[case(Rpc::SendMessage, "..")]
#[case(Rpc::CreateConversation, "users.name")]
#[case(Rpc::ListMessages, "filter")]
fn what_is_not_known_stays_as_it_is(#[case] rpc: Rpc, #[case] vendor: &str) {
    assert_eq!(translate(rpc, vendor), vendor);
}

#[test]
fn what_is_new_below_a_known_name_keeps_its_own() {
    assert_eq!(translate(HAND_OVER, "user.nickName"), "start.user.nickName");
}

#[test]
fn a_hand_over_that_broke_is_translated_too() {
    let upstream = UpstreamError {
        violations: vec![Violation::new("user.userId", "no")],
        ..UpstreamError::new(UpstreamErrorKind::Invalid, "")
    };
    let broken = Error::HandOverBroken {
        conversation: "c".into(),
        problem: Box::new(Error::Upstream(upstream)),
    };
    let Error::HandOverBroken { problem, .. } = in_the_callers_names(HAND_OVER, broken) else {
        panic!("another error");
    };
    let Error::Upstream(error) = *problem else {
        panic!("another problem");
    };
    assert_eq!(error.violations[0].field, "start.user.user_id");
}

#[rstest]
#[case(HAND_OVER, "start.request_id")]
#[case(Rpc::UploadAttachment, "start.request_id")]
#[case(Rpc::CreateConversation, "request_id")]
#[case(Rpc::SendMessage, "request_id")]
#[case(Rpc::CreateWebhook, "request_id")]
fn a_reused_request_id_is_named_where_the_request_has_it(#[case] rpc: Rpc, #[case] path: &str) {
    let Error::RequestIdReused { field } = in_the_callers_names(rpc, Error::REQUEST_ID_REUSED) else {
        panic!("another error");
    };
    assert_eq!(field, path);
}

/// All our paths below these names.
fn paths(names: Names, above: &str) -> Vec<String> {
    let mut all = Vec::new();
    for name in names.iter().copied().flatten() {
        let path = format!("{above}{}", name.ours);
        all.extend(paths(name.part.names(), &format!("{path}.")));
        all.push(path);
    }
    all
}

fn has_field(message: &MessageDescriptor, path: &str) -> bool {
    let (first, behind) = path.split_once('.').unwrap_or((path, ""));
    let Some(field) = message.get_field_by_name(first) else {
        return false;
    };
    match field.kind() {
        _ if behind.is_empty() => true,
        Kind::Message(within) => has_field(&within, behind),
        _ => false,
    }
}

#[test]
fn every_translation_is_a_field_of_the_rpcs_request() {
    let pool = DescriptorPool::decode(proto::DESCRIPTORS).unwrap();
    for rpc in [HAND_OVER, SHORTENED].iter().chain(&ALL) {
        let debug = format!("{rpc:?}");
        let name = debug.split(' ').next().unwrap();
        let method = pool
            .services()
            .flat_map(|s| s.methods().collect::<Vec<_>>())
            .find(|m| m.name() == name);
        let request = method.unwrap_or_else(|| panic!("no RPC is named {name}")).input();
        for path in paths(names::of(*rpc), "") {
            assert!(has_field(&request, &path), "{name} has no field {path}");
        }
    }
}

#[test]
fn every_rpc_that_calls_the_vendor_has_its_names() {
    let pool = DescriptorPool::decode(proto::DESCRIPTORS).unwrap();
    let own = ["ConversationService", "AttachmentService", "ConfigurationService"];
    let methods = pool
        .services()
        .filter(|service| own.contains(&service.name()))
        .flat_map(|service| service.methods().collect::<Vec<_>>());
    for method in methods.filter(|method| method.name() != "HandOverConversation") {
        let is_known = ALL.iter().any(|rpc| format!("{rpc:?}") == method.name());
        assert!(is_known, "{} is missing", method.name());
    }
}
