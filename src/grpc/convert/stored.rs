//! Events as the log keeps them, back to what they say.

use prost::Message as _;

use super::json::to_json;
use crate::{
    event::{
        Attachment, AuthorType, Card, ConversationKey, Event, EventBody, MemberChange, Message, Participant,
        TenantId,
    },
    grpc::proto::{self, AgentEvent, agent_event::Body},
};

/// Reads an encoded `AgentEvent`. `None` where it is not one, or of a kind that tells nothing of agents, queues and messages: nobody
/// asks for those.
pub fn decode_event(encoded: &[u8]) -> Option<Event> {
    let event = AgentEvent::decode(encoded).ok()?;
    let body = match event.body? {
        Body::Queued(queued) => EventBody::Queued {
            queue_id: queued.queue_id,
            queue_name: queued.queue_name,
        },
        Body::MemberChanged(changed) => EventBody::MemberChanged {
            change: match changed.change() {
                proto::MemberChange::Joined => MemberChange::Joined,
                proto::MemberChange::Left => MemberChange::Left,
                proto::MemberChange::Unspecified => return None,
            },
            member: participant(changed.member.unwrap_or_default()),
        },
        Body::Transferred(_) => EventBody::Transferred,
        Body::Message(message) => EventBody::Message(self::message(message, event.echo)),
        _ => return None,
    };
    Some(Event {
        key: ConversationKey::new(TenantId::new(event.tenant), event.conversation_id),
        id: event.event_id,
        occurred_ms: event.occurred_time.map_or(0, milliseconds),
        received_ms: event.received_time.map_or(0, milliseconds),
        vendor_type: event.vendor_event_type,
        synthetic: event.synthetic,
        body,
        traceparent: Some(event.traceparent).filter(|it| !it.is_empty()),
    })
}

fn milliseconds(time: prost_types::Timestamp) -> i64 {
    time.seconds * 1000 + i64::from(time.nanos) / 1_000_000
}

fn participant(it: proto::Participant) -> Participant {
    let kind = match it.r#type() {
        proto::AuthorType::User => Some(AuthorType::User),
        proto::AuthorType::Bot => Some(AuthorType::Bot),
        proto::AuthorType::Agent => Some(AuthorType::Agent),
        proto::AuthorType::System => Some(AuthorType::System),
        proto::AuthorType::Unspecified => None,
    };
    Participant {
        id: it.id,
        kind,
        name: it.name,
        removed: it.removed,
        language: it.language,
    }
}

fn message(it: proto::MessageEvent, echo: bool) -> Message {
    let attachment = |it: proto::Attachment| Attachment {
        id: it.id,
        media_type: it.r#type,
        file_name: it.file_name,
        pre_signed_url: it.pre_signed_url,
    };
    let card = |it: proto::Card| Card {
        id: it.id,
        content_type: it.content_type,
        content: it.content.as_ref().map(to_json).unwrap_or_default(),
        action_submitted: it.action_submitted,
        action_executed: it.action_executed,
    };
    Message {
        id: String::new(),
        author: participant(it.sender.unwrap_or_default()),
        text: it.text,
        created_ms: None,
        attachments: it.attachments.into_iter().map(attachment).collect(),
        cards: it.cards.into_iter().map(card).collect(),
        external_provider: None,
        echo,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{event::ConversationUpdated, grpc::convert::encode_event};

    fn agent() -> Participant {
        Participant {
            name: "Ana".into(),
            language: "en".into(),
            ..Participant::new("agent-1", Some(AuthorType::Agent))
        }
    }

    fn event(body: EventBody) -> Event {
        Event {
            key: ConversationKey::new(TenantId::new("acme"), "c1"),
            id: "e1".into(),
            occurred_ms: 1_700_000_000_123,
            received_ms: 1_700_000_000_456,
            vendor_type: "WORD".into(),
            synthetic: true,
            body,
            traceparent: Some("00-11111111111111111111111111111111-2222222222222222-01".into()),
        }
    }

    fn there_and_back(event: &Event) -> Option<Event> {
        let (head, body) = encode_event(event);
        decode_event(&[head, body].concat())
    }

    #[test]
    fn what_the_log_keeps_is_read_back() {
        let message = Message {
            id: String::new(),
            author: agent(),
            text: "Hello".into(),
            created_ms: None,
            attachments: vec![Attachment {
                id: "a1".into(),
                media_type: "image/png".into(),
                file_name: "photo.png".into(),
                pre_signed_url: "https://files.example/1".into(),
            }],
            cards: vec![Card {
                id: String::new(),
                content_type: "application/8x8.quick.replies".into(),
                content: json!({ "title": "Size?", "quickReplies": [1.5, null, true] }),
                action_submitted: true,
                action_executed: false,
            }],
            external_provider: None,
            echo: true,
        };
        let bodies = [
            EventBody::Queued {
                queue_id: "q1".into(),
                queue_name: "Sales".into(),
            },
            EventBody::MemberChanged {
                member: agent(),
                change: MemberChange::Left,
            },
            EventBody::MemberChanged {
                member: Participant::new("user", Some(AuthorType::User)),
                change: MemberChange::Joined,
            },
            EventBody::Transferred,
            EventBody::Message(message),
        ];
        for body in bodies {
            let event = event(body);
            assert_eq!(there_and_back(&event).as_ref(), Some(&event));
        }
    }

    #[test]
    fn of_other_kinds_nothing_is_read_back() {
        let updated = EventBody::ConversationUpdated(ConversationUpdated::default());
        assert_eq!(there_and_back(&event(updated)), None);
        assert_eq!(decode_event(b"\xff\xff"), None);
        assert_eq!(decode_event(b""), None);
    }
}
