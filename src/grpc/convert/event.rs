//! Events to protobuf: once, when they are accepted.

use bytes::Bytes;
use prost::Message as _;

use super::{
    json::to_protobuf,
    output::{assignment, attachment, card, participant, state, timestamp, user},
};
use crate::{
    event::{ConversationUpdated, Event, EventBody, EventKind, MemberChange, Message},
    grpc::proto::{self, AgentEvent, agent_event::Body},
};

/// The longest body of an event, encoded. Clients of gRPC refuse messages of more than 4 MiB unless told otherwise, and a
/// stream that meets one fails at the same place for ever. The rest is for the head, the cursor and a raw body of 1 MiB.
const BODY_BYTES_MAX: usize = (3 << 20) - (64 << 10);

/// Encodes an event as the two parts that the log keeps: the head, which routing reads, and the body. Concatenated, and
/// with what the log adds, they are one encoded `AgentEvent`. An event that is too large for clients becomes one of the kind
/// unknown, which says so.
pub fn encode_event(event: &Event) -> (Bytes, Bytes) {
    let encoded = encode_body(&event.body);
    if encoded.len() <= BODY_BYTES_MAX {
        return (encode_head(event, event.body.kind()), encoded);
    }
    let problem = format!(
        "The event is too large: {} bytes once encoded, of at most {BODY_BYTES_MAX}.",
        encoded.len()
    );
    let unknown = EventBody::Unknown { problem };
    (encode_head(event, unknown.kind()), encode_body(&unknown))
}

fn encode_body(of: &EventBody) -> Bytes {
    let event = AgentEvent {
        body: Some(body(of)),
        ..AgentEvent::default()
    };
    event.encode_to_vec().into()
}

fn encode_head(event: &Event, kind: EventKind) -> Bytes {
    let head = AgentEvent {
        tenant: event.key.tenant.to_string(),
        conversation_id: event.key.conversation.clone(),
        event_id: event.id.clone(),
        kind: kind as i32,
        occurred_time: Some(timestamp(event.occurred_ms)),
        received_time: Some(timestamp(event.received_ms)),
        vendor_event_type: event.vendor_type.clone(),
        echo: event.is_echo(),
        synthetic: event.synthetic,
        traceparent: event.traceparent.clone().unwrap_or_default(),
        ..AgentEvent::default()
    };
    head.encode_to_vec().into()
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::event::{Card, ConversationKey, Participant, TenantId};

    fn event(content: serde_json::Value) -> Event {
        let card = Card {
            id: String::new(),
            content_type: "Carousel".into(),
            content,
            action_submitted: false,
            action_executed: false,
        };
        let message = Message {
            id: String::new(),
            author: Participant::new("bot", None),
            text: "Hello".into(),
            created_ms: None,
            attachments: Vec::new(),
            cards: vec![card],
            external_provider: None,
            echo: true,
        };
        Event {
            key: ConversationKey::new(TenantId::new("t"), "c"),
            id: "e".into(),
            occurred_ms: 1,
            received_ms: 2,
            vendor_type: "MESSAGE".into(),
            synthetic: false,
            body: EventBody::Message(message),
            traceparent: None,
        }
    }

    #[test]
    fn an_event_that_clients_could_not_receive_is_told_as_unknown() {
        // A number of two bytes becomes eleven.
        let (head, body) = encode_event(&event(json!(vec![0; 500_000])));
        assert!(head.len() + body.len() <= BODY_BYTES_MAX, "{} bytes", body.len());
        let head = AgentEvent::decode(head).unwrap();
        assert_eq!(head.kind(), proto::EventKind::Unknown);
        assert!(head.echo, "whoever wants no echoes gets none");
        let Some(Body::Unknown(unknown)) = AgentEvent::decode(body).unwrap().body else {
            panic!("another body");
        };
        assert!(unknown.problem.contains("too large"), "{}", unknown.problem);
    }

    #[test]
    fn a_large_event_is_carried() {
        let (head, body) = encode_event(&event(json!(vec![0; 250_000])));
        assert_eq!(
            AgentEvent::decode(head).unwrap().kind(),
            proto::EventKind::Message
        );
        assert!(matches!(
            AgentEvent::decode(body).unwrap().body,
            Some(Body::Message(_))
        ));
    }
}
