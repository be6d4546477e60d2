//! Domain to protobuf, for answers.

use prost_types::{Struct, Timestamp, value::Kind};

use super::json::to_protobuf;
use crate::{
    conversation::Session,
    error::Error,
    event::{
        Assignment, AssignmentKind, Attachment, AuthorType, Card, ExternalProvider, Message, Participant,
        TenantId, UpstreamState, User,
    },
    gateway::{
        Channel, Conversation, Interaction, StoredAttachment, UpstreamError, UpstreamErrorKind, Webhook,
    },
    grpc::proto,
};

/// A time from Unix milliseconds.
pub fn timestamp(ms: i64) -> Timestamp {
    let nanos = ms.rem_euclid(1000) * 1_000_000;
    Timestamp {
        seconds: ms.div_euclid(1000),
        nanos: i32::try_from(nanos).unwrap_or(0),
    }
}

pub(super) fn author_type(kind: Option<AuthorType>) -> proto::AuthorType {
    match kind {
        None => proto::AuthorType::Unspecified,
        Some(AuthorType::User) => proto::AuthorType::User,
        Some(AuthorType::Bot) => proto::AuthorType::Bot,
        Some(AuthorType::Agent) => proto::AuthorType::Agent,
        Some(AuthorType::System) => proto::AuthorType::System,
    }
}

pub(super) fn state(state: Option<UpstreamState>) -> proto::ConversationState {
    match state {
        None => proto::ConversationState::Unspecified,
        Some(UpstreamState::Created) => proto::ConversationState::Created,
        Some(UpstreamState::Active) => proto::ConversationState::Active,
        Some(UpstreamState::Idle) => proto::ConversationState::Idle,
    }
}

pub(super) fn assignment(assignment: &Assignment) -> proto::Assignment {
    let kind = match assignment.kind {
        None => proto::AssignmentType::Unspecified,
        Some(AssignmentKind::Queue) => proto::AssignmentType::Queue,
        Some(AssignmentKind::Script) => proto::AssignmentType::Script,
        Some(AssignmentKind::Agent) => proto::AssignmentType::Agent,
    };
    proto::Assignment {
        r#type: kind.into(),
        id: assignment.id.clone(),
        resource_id: assignment.resource_id.clone(),
    }
}

pub(super) fn user(user: &User) -> proto::User {
    proto::User {
        name: user.name.clone(),
        user_id: user.user_id.clone(),
        email: user.email.clone(),
        phone: user.phone.clone(),
        company: user.company.clone(),
        case_id: user.case_id.clone(),
        language: user.language.clone(),
        additional_properties: user
            .additional_properties
            .iter()
            .map(|(key, value)| proto::Property {
                key: key.clone(),
                value: value.clone(),
            })
            .collect(),
        ip_address: user.ip_address.clone(),
        timezone_offset: user.timezone_offset.clone(),
    }
}

/// Somebody who takes part.
pub(in crate::grpc) fn participant(participant: &Participant) -> proto::Participant {
    proto::Participant {
        id: participant.id.clone(),
        r#type: author_type(participant.kind).into(),
        name: participant.name.clone(),
        removed: participant.removed,
        language: participant.language.clone(),
    }
}

pub(super) fn attachment(attachment: &Attachment) -> proto::Attachment {
    proto::Attachment {
        id: attachment.id.clone(),
        r#type: attachment.media_type.clone(),
        file_name: attachment.file_name.clone(),
        pre_signed_url: attachment.pre_signed_url.clone(),
        ..Default::default()
    }
}

/// A card.
pub(in crate::grpc) fn card(card: &Card) -> proto::Card {
    proto::Card {
        id: card.id.clone(),
        content_type: card.content_type.clone(),
        content: Some(to_protobuf(&card.content)),
        action_submitted: card.action_submitted,
        action_executed: card.action_executed,
    }
}

fn external_provider(provider: &ExternalProvider) -> proto::ExternalProvider {
    proto::ExternalProvider {
        name: provider.name.clone(),
        external_message_id: provider.external_message_id.clone(),
    }
}

/// A message of a list.
pub fn message(message: &Message) -> proto::Message {
    proto::Message {
        id: message.id.clone(),
        author: Some(participant(&message.author)),
        text: message.text.clone(),
        create_time: message.created_ms.map(timestamp),
        attachments: message.attachments.iter().map(attachment).collect(),
        cards: message.cards.iter().map(card).collect(),
        external_provider: message.external_provider.as_ref().map(external_provider),
    }
}

/// A conversation as the vendor reports it.
pub fn conversation(tenant: &TenantId, conversation: &Conversation) -> proto::Conversation {
    proto::Conversation {
        tenant: tenant.to_string(),
        conversation_id: conversation.id.clone(),
        channel_id: conversation.channel_id.clone(),
        state: state(conversation.state).into(),
        assignment: conversation.assignment.as_ref().map(assignment),
        user: Some(user(&conversation.user)),
    }
}

/// An engagement within a conversation.
pub(in crate::grpc) fn interaction(interaction: &Interaction) -> proto::Interaction {
    proto::Interaction {
        id: interaction.id.clone(),
        start_time: interaction.started_ms.map(timestamp),
        end_time: interaction.ended_ms.map(timestamp),
    }
}

/// A file as the vendor keeps it.
pub(in crate::grpc) fn stored_attachment(stored: &StoredAttachment) -> proto::Attachment {
    proto::Attachment {
        id: stored.id.clone(),
        r#type: stored.media_type.clone(),
        file_name: stored.file_name.clone(),
        pre_signed_url: String::new(),
        size_bytes: stored
            .size_bytes
            .map_or(0, |bytes| i64::try_from(bytes).unwrap_or(i64::MAX)),
        create_time: stored.created_ms.map(timestamp),
    }
}

/// A webhook as the vendor keeps it.
pub(in crate::grpc) fn configured_webhook(webhook: &Webhook) -> proto::Webhook {
    proto::Webhook {
        id: webhook.id.clone(),
        name: webhook.name.clone(),
        uri: webhook.uri.clone(),
        version: webhook.version.clone(),
    }
}

/// A channel as the vendor keeps it.
pub(in crate::grpc) fn configured_channel(channel: &Channel) -> proto::Channel {
    proto::Channel {
        id: channel.id.clone(),
        name: channel.name.clone(),
        r#type: channel.kind.clone(),
        webhook_id: channel.webhook_id.clone(),
        queue_id: channel.queue_id.clone(),
    }
}

/// A key that the vendor gave as the text of a JSON object.
pub(in crate::grpc) fn jwk(text: &str) -> Result<Struct, Error> {
    let key = crate::json::from_str(text).unwrap_or_default();
    match to_protobuf(&key).kind {
        Some(Kind::StructValue(jwk)) => Ok(jwk),
        _ => Err(Error::Upstream(UpstreamError::new(
            UpstreamErrorKind::Unexpected,
            "the key is not a JSON object",
        ))),
    }
}

/// A session.
pub fn session(session: &Session) -> proto::Session {
    proto::Session {
        tenant: session.key.tenant.to_string(),
        conversation_id: session.key.conversation.clone(),
        channel_id: session.channel_id.clone(),
        channel_type: session.channel_type.clone(),
        state: session.state as i32,
        queue_id: session.queue_id.clone(),
        queue_name: session.queue_name.clone(),
        agent_id: session.agent_id.clone(),
        members: session.members.iter().map(participant).collect(),
        user: Some(user(&session.user)),
        labels: session.labels.clone(),
        create_time: Some(timestamp(session.epoch.cast_signed())),
        last_activity_time: Some(timestamp(session.active_ms)),
        last_sequence: session.sequence,
        session_epoch: session.epoch,
        queued_time: session.queued_ms.map(timestamp),
        agent_joined_time: session.joined_ms.map(timestamp),
        first_response_time: session.responded_ms.map(timestamp),
        ended_time: session.ended_ms().map(timestamp),
    }
}
