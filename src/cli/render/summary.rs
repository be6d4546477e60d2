//! What happened, in a few words.

use std::{borrow::Cow, fmt::Write as _};

use prost_types::value::Kind;
use serde_json::Value;

use super::escape;
use crate::grpc::proto::{
    AgentEvent, Assignment, AssignmentType, Attachment, AuthorType, Card, ConversationState,
    ConversationUpdated, EventKind, MemberChange, MessageEvent, Participant, agent_event::Body,
};

/// The most of one text that a line shows, in characters: a line is to be read.
const LONGEST_TEXT: usize = 2000;

/// What happened, on one line, with nothing in it that steers a terminal. No pre-signed URL is shown: it is a secret.
pub(crate) fn summary(event: &AgentEvent) -> String {
    let mut words = match &event.body {
        Some(body) => body_words(body, event),
        None => format!(
            "an event of kind {}, which this version does not know",
            event.kind
        ),
    };
    if event.synthetic {
        words.push_str(" (learned by asking the vendor)");
    }
    words
}

fn body_words(body: &Body, event: &AgentEvent) -> String {
    match body {
        Body::ConversationUpdated(update) => update_words(update),
        Body::Queued(queued) => format!(
            "queued in {} ({})",
            text(&queued.queue_name),
            text(&queued.queue_id)
        ),
        Body::MemberChanged(changed) => {
            let who = participant(changed.member.as_ref());
            match changed.change() {
                MemberChange::Joined => format!("{who} joined"),
                MemberChange::Left => format!("{who} left"),
                MemberChange::Unspecified => format!("{who} changed"),
            }
        }
        Body::Transferred(_) => "transferred to another queue".to_owned(),
        Body::Message(message) => message_words(message, event),
        Body::Typing(typing) if typing.participant_ids.is_empty() => "nobody types any more".to_owned(),
        Body::Typing(typing) => {
            let ids: Vec<_> = typing.participant_ids.iter().map(|id| text(id)).collect();
            format!("typing: {}", ids.join(", "))
        }
        Body::CardAction(action) => {
            format!(
                "card action {} {}",
                text(&action.r#type),
                json(action.data.as_ref())
            )
        }
        Body::QuickReply(reply) => {
            format!(
                "quick reply {} {}",
                text(&reply.title),
                json(reply.payload.as_ref())
            )
        }
        Body::ReadReceipt(read) => {
            let receipts: Vec<_> = read.receipts.iter().map(|r| json(Some(r))).collect();
            format!("read: {}", receipts.join(", "))
        }
        Body::Activity(activity) => {
            format!(
                "activity {} {}",
                text(&activity.name),
                json(activity.value.as_ref())
            )
        }
        Body::WebhookVerified(verified) => {
            format!(
                "the vendor checked the webhook ({})",
                text(&verified.notification_version)
            )
        }
        Body::Unknown(unknown) if unknown.problem.is_empty() => {
            format!(
                "{}, a kind that the server does not know",
                text(&event.vendor_event_type)
            )
        }
        Body::Unknown(unknown) => format!(
            "an event that the server could not read: {}",
            text(&unknown.problem)
        ),
    }
}

fn update_words(update: &ConversationUpdated) -> String {
    let state = match update.state() {
        ConversationState::Created => "conversation created",
        ConversationState::Active => "conversation active",
        ConversationState::Idle => "conversation idle",
        ConversationState::Unspecified => "conversation changed",
    };
    let mut words = state.to_owned();
    if let Some(assignment) = &update.assignment {
        words.push_str(&format!(", {}", assignment_words(assignment)));
    }
    if let Some(user) = update
        .user
        .as_ref()
        .filter(|u| !u.name.is_empty() || !u.user_id.is_empty())
    {
        let name = if user.name.is_empty() {
            &user.user_id
        } else {
            &user.name
        };
        words.push_str(&format!(", customer {}", text(name)));
    }
    words
}

fn assignment_words(assignment: &Assignment) -> String {
    let kind = match assignment.r#type() {
        AssignmentType::Queue => "in queue",
        AssignmentType::Script => "in script",
        AssignmentType::Agent => "with agent",
        AssignmentType::Unspecified => "assigned to",
    };
    format!("{kind} {}", text(&assignment.id))
}

fn message_words(message: &MessageEvent, event: &AgentEvent) -> String {
    let mut words = participant(message.sender.as_ref());
    if event.echo {
        words.push_str(" (echo)");
    }
    words.push(':');
    if !message.text.is_empty() {
        let _ = write!(words, " {}", text(&message.text));
    }
    words.push_str(&extras(&message.attachments, &message.cards));
    words
}

/// Files and cards of a message, in brackets; empty where there are none.
pub(crate) fn extras(attachments: &[Attachment], cards: &[Card]) -> String {
    let files = attachments.iter().map(|file| {
        let name = if file.file_name.is_empty() {
            &file.id
        } else {
            &file.file_name
        };
        format!(" [file {}]", text(name))
    });
    let cards = cards
        .iter()
        .map(|card| format!(" [card {}]", text(&card.content_type)));
    files.chain(cards).collect()
}

/// Who it is: kind and identifier, or name where there is one.
pub(crate) fn participant(who: Option<&Participant>) -> String {
    let Some(who) = who else {
        return "somebody".to_owned();
    };
    let kind = match who.r#type() {
        AuthorType::User => "user",
        AuthorType::Bot => "bot",
        AuthorType::Agent => "agent",
        AuthorType::System => "system",
        AuthorType::Unspecified => "participant",
    };
    let name = if who.name.is_empty() { &who.id } else { &who.name };
    // The vendor often writes `user` for both.
    match name.as_str() {
        "" => kind.to_owned(),
        name if name == kind => kind.to_owned(),
        name => format!("{kind} {}", text(name)),
    }
}

/// Text from others for a line: harmless, and not without end.
pub(crate) fn text(given: &str) -> Cow<'_, str> {
    match given.char_indices().nth(LONGEST_TEXT) {
        None => escape(given),
        Some((end, _)) => {
            let more = given[end..].chars().count();
            Cow::Owned(format!("{}… ({more} more characters)", escape(&given[..end])))
        }
    }
}

fn json(value: Option<&prost_types::Value>) -> String {
    value.map_or_else(String::new, |v| text(&to_json(v).to_string()).into_owned())
}

/// Protobuf's free-form JSON as JSON.
fn to_json(value: &prost_types::Value) -> Value {
    match &value.kind {
        None | Some(Kind::NullValue(_)) => Value::Null,
        Some(Kind::BoolValue(b)) => Value::from(*b),
        Some(Kind::NumberValue(n)) => number(*n),
        Some(Kind::StringValue(s)) => Value::from(s.as_str()),
        Some(Kind::ListValue(list)) => list.values.iter().map(to_json).collect(),
        Some(Kind::StructValue(object)) => {
            let fields = object.fields.iter().map(|(key, v)| (key.clone(), to_json(v)));
            Value::Object(fields.collect())
        }
    }
}

/// A whole number without a decimal point, as the vendor wrote it.
fn number(n: f64) -> Value {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if n.fract() == 0.0 && n.abs() <= EXACT {
        #[allow(
            clippy::cast_possible_truncation,
            reason = "whole and within range, as just checked"
        )]
        return Value::from(n as i64);
    }
    Value::from(n)
}

/// A kind as the command line writes it: `member-changed`.
pub(crate) fn kind_name(kind: EventKind) -> String {
    let name = kind.as_str_name();
    name.strip_prefix("EVENT_KIND_")
        .unwrap_or(name)
        .to_lowercase()
        .replace('_', "-")
}

/// All kinds that an event can have, as the command line writes them.
pub(crate) fn kind_names() -> Vec<String> {
    (1..)
        .map_while(|number| EventKind::try_from(number).ok())
        .map(kind_name)
        .collect()
}

/// Reads a kind: `member-changed`, also with underscores, in capitals, or as the contract has it.
pub(crate) fn kind_named(name: &str) -> Result<EventKind, String> {
    let wanted = name.trim().to_lowercase().replace('_', "-");
    let wanted = wanted.strip_prefix("event-kind-").unwrap_or(&wanted);
    (1..)
        .map_while(|number| EventKind::try_from(number).ok())
        .find(|kind| kind_name(*kind) == wanted)
        .ok_or_else(|| {
            format!(
                "no kind of event is called that: expected one of {}",
                kind_names().join(", ")
            )
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        cli::connect::fake::{agent_event, becomes, member, queued, says},
        grpc::proto::{Activity, Typing, Unknown},
    };

    fn of(body: Body) -> String {
        summary(&agent_event("c-1", 1, body))
    }

    #[test]
    fn each_kind_has_its_words() {
        assert_eq!(of(queued("Orders")), "queued in Orders (100)");
        assert_eq!(of(member("maria", MemberChange::Joined)), "agent maria joined");
        assert_eq!(of(member("maria", MemberChange::Left)), "agent maria left");
        assert_eq!(of(becomes(ConversationState::Idle)), "conversation idle");
        assert_eq!(of(says("user", AuthorType::User, "Hi")), "user: Hi");
        assert_eq!(of(Body::Typing(Typing::default())), "nobody types any more");
        let problem = Body::Unknown(Unknown {
            problem: "no eventType".to_owned(),
        });
        assert_eq!(
            of(problem),
            "an event that the server could not read: no eventType"
        );
    }

    #[test]
    fn an_update_names_assignment_and_customer() {
        let update = ConversationUpdated {
            state: ConversationState::Active.into(),
            assignment: Some(Assignment {
                r#type: AssignmentType::Agent.into(),
                id: "maria".to_owned(),
                resource_id: String::new(),
            }),
            user: Some(crate::grpc::proto::User {
                name: "Ada\n".to_owned(),
                ..Default::default()
            }),
            ..ConversationUpdated::default()
        };
        assert_eq!(
            of(Body::ConversationUpdated(update)),
            "conversation active, with agent maria, customer Ada\\n"
        );
    }

    #[test]
    fn a_message_shows_files_by_name_and_never_where_to_fetch_them() {
        let file = Attachment {
            id: "f1".to_owned(),
            file_name: "kettle.jpg".to_owned(),
            pre_signed_url: "https://example.com/secret".to_owned(),
            ..Attachment::default()
        };
        let card = Card {
            content_type: "Carousel".to_owned(),
            ..Card::default()
        };
        let message = MessageEvent {
            sender: None,
            text: String::new(),
            attachments: vec![file],
            cards: vec![card],
        };
        assert_eq!(
            of(Body::Message(message)),
            "somebody: [file kettle.jpg] [card Carousel]"
        );
    }

    #[test]
    fn free_form_json_is_shown_as_json() {
        let field = |kind| prost_types::Value { kind: Some(kind) };
        let fields = [
            ("n".to_owned(), field(Kind::NumberValue(3.0))),
            ("b".to_owned(), field(Kind::BoolValue(true))),
        ];
        let value = field(Kind::StructValue(prost_types::Struct {
            fields: fields.into(),
        }));
        let activity = Activity {
            name: "poll".to_owned(),
            value: Some(value),
        };
        assert_eq!(of(Body::Activity(activity)), r#"activity poll {"b":true,"n":3}"#);
    }

    #[test]
    fn an_event_without_a_body_that_we_know_is_still_a_line() {
        let mut event = agent_event("c-1", 1, queued("Q"));
        (event.body, event.kind) = (None, 99);
        assert_eq!(
            summary(&event),
            "an event of kind 99, which this version does not know"
        );
    }

    #[test]
    fn long_text_is_cut_between_characters() {
        let long = "é".repeat(LONGEST_TEXT + 5);
        assert_eq!(
            text(&long),
            format!("{}… (5 more characters)", "é".repeat(LONGEST_TEXT))
        );
    }

    #[test]
    fn kinds_are_read_as_they_are_written() {
        let names = kind_names();
        assert_eq!(names.len(), 12);
        for name in names {
            assert_eq!(kind_name(kind_named(&name).unwrap()), name);
        }
        assert_eq!(kind_named("EVENT_KIND_MESSAGE").unwrap(), EventKind::Message);
        assert!(kind_named("unspecified").is_err());
    }
}
