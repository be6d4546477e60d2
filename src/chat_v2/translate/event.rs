//! What webhooks of v2 are told: flat events, of which v2 had five kinds.

use std::collections::HashMap;

use serde::Serialize;

use super::message::readable;
use crate::event::{AuthorType, Event, EventBody, EventKind, MemberChange, Participant};

/// The kinds of our events that v2 may have had a word for.
pub(in crate::chat_v2) const KINDS: [EventKind; 4] = [
    EventKind::Queued,
    EventKind::MemberChanged,
    EventKind::Transferred,
    EventKind::Message,
];

/// Source: v2's reference of webhook events. Fields that a kind does not have are left out.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Flat<'a> {
    event_type: &'static str,
    message_type: &'static str,
    conversation_id: &'a str,
    /// Unix milliseconds.
    timestamp: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    queue_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    queue_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    agent_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    agent_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

/// What v2 told of an event, as JSON; `None` where it told nothing: of what customers and bots do, of typing, of cards.
pub(in crate::chat_v2) fn write(event: &Event) -> Option<String> {
    if event.key.conversation.is_empty() || event.is_echo() {
        return None;
    }
    let mut flat = Flat {
        event_type: "",
        message_type: "SYSTEM",
        conversation_id: &event.key.conversation,
        timestamp: event.occurred_ms,
        queue_id: None,
        queue_name: None,
        agent_id: None,
        agent_name: None,
        message: None,
    };
    match &event.body {
        EventBody::Queued { queue_id, queue_name } => {
            flat.event_type = "QUEUED";
            flat.queue_id = Some(queue_id);
            flat.queue_name = Some(queue_name);
        }
        EventBody::MemberChanged { member, change } => {
            flat.event_type = match change {
                MemberChange::Joined => "AGENT_JOINED",
                MemberChange::Left => "AGENT_LEFT",
            };
            flat.by(member)?;
        }
        EventBody::Transferred => flat.event_type = "TRANSFER",
        EventBody::Message(message) => {
            flat.event_type = "TEXT";
            flat.message_type = "AGENT";
            flat.by(&message.author)?;
            flat.message = Some(readable(message, &HashMap::new()));
        }
        _ => return None,
    }
    serde_json::to_string(&flat).ok()
}

impl<'a> Flat<'a> {
    /// Names the agent; `None` where it is none. Without a lookup of names the name is empty: an identifier in its place would be
    /// shown to customers.
    fn by(&mut self, participant: &'a Participant) -> Option<()> {
        (participant.kind == Some(AuthorType::Agent)).then_some(())?;
        self.agent_id = Some(&participant.id);
        self.agent_name = Some(&participant.name);
        Some(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::event::{Attachment, Card, ConversationKey, ConversationUpdated, Message, TenantId};

    fn event(body: EventBody) -> Event {
        Event {
            key: ConversationKey::new(TenantId::new("acme"), "c1"),
            id: "e1".into(),
            occurred_ms: 1_629_804_577_002,
            received_ms: 0,
            vendor_type: String::new(),
            synthetic: false,
            body,
            traceparent: None,
        }
    }

    fn participant(kind: AuthorType) -> Participant {
        Participant {
            name: "Ana, B.".into(),
            ..Participant::new("p1", Some(kind))
        }
    }

    fn member(kind: AuthorType, change: MemberChange) -> EventBody {
        EventBody::MemberChanged {
            member: participant(kind),
            change,
        }
    }

    fn message(kind: AuthorType, echo: bool) -> Message {
        Message {
            id: String::new(),
            author: participant(kind),
            text: "It's \"here\"".into(),
            created_ms: None,
            attachments: Vec::new(),
            cards: Vec::new(),
            external_provider: None,
            echo,
        }
    }

    fn queued() -> EventBody {
        EventBody::Queued {
            queue_id: "q1".into(),
            queue_name: "Sales".into(),
        }
    }

    #[test]
    fn each_kind_of_v2s_is_written_as_v2_wrote_it() {
        let start = r#""conversationId":"c1","timestamp":1629804577002"#;
        let agent = r#""agentId":"p1","agentName":"Ana, B.""#;
        let cases = [
            (
                queued(),
                format!(
                    r#"{{"eventType":"QUEUED","messageType":"SYSTEM",{start},"queueId":"q1","queueName":"Sales"}}"#
                ),
            ),
            (
                member(AuthorType::Agent, MemberChange::Joined),
                format!(r#"{{"eventType":"AGENT_JOINED","messageType":"SYSTEM",{start},{agent}}}"#),
            ),
            (
                member(AuthorType::Agent, MemberChange::Left),
                format!(r#"{{"eventType":"AGENT_LEFT","messageType":"SYSTEM",{start},{agent}}}"#),
            ),
            (
                EventBody::Transferred,
                format!(r#"{{"eventType":"TRANSFER","messageType":"SYSTEM",{start}}}"#),
            ),
            (
                EventBody::Message(message(AuthorType::Agent, false)),
                format!(
                    r#"{{"eventType":"TEXT","messageType":"AGENT",{start},{agent},"message":"It's \"here\""}}"#
                ),
            ),
        ];
        for (body, expected) in cases {
            assert_eq!(write(&event(body)).unwrap(), expected);
        }
    }

    #[test]
    fn of_all_else_v2_told_nothing() {
        let none = [
            member(AuthorType::User, MemberChange::Joined),
            member(AuthorType::Bot, MemberChange::Left),
            EventBody::Message(message(AuthorType::User, false)),
            EventBody::Message(message(AuthorType::System, false)),
            EventBody::Message(message(AuthorType::Agent, true)),
            EventBody::ConversationUpdated(ConversationUpdated::default()),
            EventBody::Typing {
                participant_ids: vec!["p1".into()],
            },
        ];
        for body in none {
            assert_eq!(write(&event(body)), None);
        }
        let mut without_conversation = event(queued());
        without_conversation.key.conversation.clear();
        assert_eq!(write(&without_conversation), None);
    }

    #[test]
    fn files_and_cards_are_told_of_in_words() {
        let mut it = message(AuthorType::Agent, false);
        it.attachments = vec![Attachment {
            id: "a1".into(),
            file_name: "bill.pdf".into(),
            pre_signed_url: "https://files.example/1".into(),
            ..Attachment::default()
        }];
        it.cards = vec![Card {
            id: String::new(),
            content_type: "Buttons".into(),
            content: json!({ "title": "Size?" }),
            action_submitted: false,
            action_executed: false,
        }];
        let written: serde_json::Value =
            serde_json::from_str(&write(&event(EventBody::Message(it))).unwrap()).unwrap();
        assert_eq!(
            written["message"],
            "It's \"here\"\n[File: bill.pdf] https://files.example/1\n[Card: Size?]"
        );
    }
}
