//! Events to protobuf: once, when they are accepted.

use bytes::Bytes;
use prost::Message as _;

use super::{
    json::to_protobuf,
    output::{assignment, attachment, card, participant, state, timestamp, user},
};
use crate::{
    event::{ConversationUpdated, Event, EventBody, MemberChange, Message},
    grpc::proto::{self, AgentEvent, agent_event::Body},
};

/// Encodes an event as the two parts that the log keeps: the head, which routing reads, and the body. Concatenated, and
/// with what the log adds, they are one encoded `AgentEvent`.
pub fn encode_event(event: &Event) -> (Bytes, Bytes) {
    let head = AgentEvent {
        tenant: event.key.tenant.to_string(),
        conversation_id: event.key.conversation.clone(),
        event_id: event.id.clone(),
        kind: event.body.kind() as i32,
        occurred_time: Some(timestamp(event.occurred_ms)),
        received_time: Some(timestamp(event.received_ms)),
        vendor_event_type: event.vendor_type.clone(),
        echo: event.is_echo(),
        synthetic: event.synthetic,
        traceparent: event.traceparent.clone().unwrap_or_default(),
        ..AgentEvent::default()
    };
    let body = AgentEvent {
        body: Some(body(&event.body)),
        ..AgentEvent::default()
    };
    (head.encode_to_vec().into(), body.encode_to_vec().into())
}

fn body(body: &EventBody) -> Body {
    match body {
        EventBody::ConversationUpdated(update) => Body::ConversationUpdated(updated(update)),
        EventBody::Queued { queue_id, queue_name } => Body::Queued(proto::Queued {
            queue_id: queue_id.clone(),
            queue_name: queue_name.clone(),
        }),
        EventBody::MemberChanged { member, change } => Body::MemberChanged(proto::MemberChanged {
            member: Some(participant(member)),
            change: match change {
                MemberChange::Joined => proto::MemberChange::Joined,
                MemberChange::Left => proto::MemberChange::Left,
            }
            .into(),
        }),
        EventBody::Transferred => Body::Transferred(proto::Transferred {}),
        EventBody::Message(message) => Body::Message(message_event(message)),
        EventBody::Typing { participant_ids } => Body::Typing(proto::Typing {
            participant_ids: participant_ids.clone(),
        }),
        EventBody::CardAction { action_type, data } => Body::CardAction(proto::CardAction {
            r#type: action_type.clone(),
            data: Some(to_protobuf(data)),
        }),
        EventBody::QuickReply {
            action_type,
            title,
            payload,
        } => Body::QuickReply(proto::QuickReply {
            r#type: action_type.clone(),
            title: title.clone(),
            payload: Some(to_protobuf(payload)),
        }),
        EventBody::ReadReceipt(receipts) => Body::ReadReceipt(proto::ReadReceipt {
            receipts: receipts.iter().map(to_protobuf).collect(),
        }),
        EventBody::Activity { name, value } => Body::Activity(proto::Activity {
            name: name.clone(),
            value: Some(to_protobuf(value)),
        }),
        EventBody::WebhookVerified { notification_version } => {
            Body::WebhookVerified(proto::WebhookVerified {
                notification_version: notification_version.clone(),
            })
        }
        EventBody::Unknown { problem } => Body::Unknown(proto::Unknown {
            problem: problem.clone(),
        }),
    }
}

fn updated(update: &ConversationUpdated) -> proto::ConversationUpdated {
    proto::ConversationUpdated {
        state: state(update.state).into(),
        assignment: update.assignment.as_ref().map(assignment),
        user: update.user.as_ref().map(user),
        msisdn: update.msisdn.clone(),
        channel_type: update.channel_type.clone(),
    }
}

fn message_event(message: &Message) -> proto::MessageEvent {
    proto::MessageEvent {
        sender: Some(participant(&message.author)),
        text: message.text.clone(),
        attachments: message.attachments.iter().map(attachment).collect(),
        cards: message.cards.iter().map(card).collect(),
    }
}
