//! Conversations: what v2 creates, how it shows them, and its words for where they stand.

use std::str::FromStr;

use serde_json::{Value, json};

use super::{customer, iso, message};
use crate::{
    chat_v2::{
        problem::{Problem, Wrong},
        read::{Findings, ID_BYTES_MAX, Object},
    },
    conversation::calls::CreatedConversation,
    event::{AssignmentKind, Message, Participant, UpstreamState},
    gateway::{Conversation, Interaction, NewConversation},
};

/// The most messages that v2 took as history.
const HISTORY_MAX: usize = 200;

/// Reads what is to be created. v2's description requires a `user` that it does not have: it is the `customer`.
pub(in crate::chat_v2) fn read(body: &Object) -> Result<NewConversation, Problem> {
    let mut findings = Findings::default();
    let channel_id = findings.required(body, "", "channelId", ID_BYTES_MAX);
    if !channel_id.is_empty() {
        findings.identifier("channelId", &channel_id);
    }
    let user = match findings.object(body, "", "customer") {
        Some(given) => customer::read(&mut findings, given),
        None => {
            if body.get("customer").is_none_or(Value::is_null) {
                findings.add(Wrong::new("customer", "missing_field", "May not be empty."));
            }
            crate::event::User::default()
        }
    };
    let history = match findings.object(body, "", "history") {
        Some(history) => read_history(&mut findings, history),
        None => Vec::new(),
    };
    findings.done(NewConversation {
        channel_id,
        user,
        assignment: None,
        history,
    })
}

fn read_history(findings: &mut Findings, history: &Object) -> Vec<Message> {
    let messages = match history.get("messages") {
        Some(Value::Array(messages)) => messages.as_slice(),
        Some(Value::Null) | None => &[],
        Some(_) => {
            findings.add(Wrong::new("history.messages", "invalid_type", "must be a list."));
            &[]
        }
    };
    if messages.len() > HISTORY_MAX {
        let problem = format!(
            "has {} messages; at most {HISTORY_MAX} are allowed.",
            messages.len()
        );
        findings.add(Wrong::new("history.messages", "too_many_messages", problem));
        return Vec::new();
    }
    let read = messages.iter().enumerate().filter_map(|(n, given)| {
        let at = format!("history.messages[{n}].");
        let Some(given) = given.as_object() else {
            let field = at.trim_end_matches('.');
            findings.add(Wrong::new(field, "invalid_type", "must be an object."));
            return None;
        };
        Some(message::read_part(findings, given, &at, "type"))
    });
    read.collect()
}

/// The answer to a creation.
pub(in crate::chat_v2) fn created(created: &CreatedConversation, now_ms: i64) -> Value {
    json!({
        "conversationId": created.conversation,
        "timestamp": created.created_ms.unwrap_or(now_ms),
    })
}

/// A conversation as v2 shows it, with its interactions, the first one first.
pub(in crate::chat_v2) fn write(conversation: &Conversation, interactions: &[Interaction]) -> Value {
    let mut it = json!({
        "id": conversation.id,
        "channelId": conversation.channel_id,
        "customer": customer::write(&conversation.user),
        "interactions": interactions.iter().map(interaction).collect::<Vec<_>>(),
    });
    let first = interactions.iter().filter_map(|one| one.started_ms).min();
    if let Some(started) = iso(first) {
        it["startTime"] = started.into();
    }
    it
}

fn interaction(interaction: &Interaction) -> Value {
    let mut it = json!({ "id": interaction.id });
    if let Some(started) = iso(interaction.started_ms) {
        it["startTime"] = started.into();
    }
    if let Some(ended) = iso(interaction.ended_ms) {
        it["endTime"] = ended.into();
    }
    it
}

/// Everybody who took part, those who have left included.
pub(in crate::chat_v2) fn participants(all: &[Participant]) -> Value {
    json!({ "participants": all.iter().map(participant).collect::<Vec<_>>() })
}

/// Somebody who takes part.
pub(in crate::chat_v2) fn participant(participant: &Participant) -> Value {
    let kind = participant.kind.map_or("system", |kind| kind.as_str());
    let mut it = json!({ "id": participant.id, "type": kind });
    if !participant.language.is_empty() {
        it["language"] = participant.language.as_str().into();
    }
    it
}

/// Where a conversation stands, in v2's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::chat_v2) enum Status {
    /// Wherever.
    #[default]
    All,
    /// It was accepted, and waits for nobody yet.
    Created,
    /// It waits for an agent.
    Pending,
    /// An agent has it.
    Handling,
    /// It has ended. A message begins it anew.
    Deleted,
}

impl FromStr for Status {
    type Err = Problem;

    fn from_str(word: &str) -> Result<Self, Problem> {
        match word.to_ascii_lowercase().as_str() {
            "all" => Ok(Self::All),
            "created" => Ok(Self::Created),
            "pending" => Ok(Self::Pending),
            "handling" => Ok(Self::Handling),
            "deleted" => Ok(Self::Deleted),
            _ => {
                let problem = "must be all, created, pending, handling or deleted.";
                let wrong = Wrong::new("status", "invalid_status", problem).with(word);
                Err(Problem::wrong(vec![wrong]))
            }
        }
    }
}

impl Status {
    /// The vendor's word for a state that holds all of these, and perhaps others.
    pub(in crate::chat_v2) fn upstream(self) -> Option<&'static str> {
        match self {
            Self::All => None,
            Self::Created => Some("created"),
            Self::Pending | Self::Handling => Some("active"),
            Self::Deleted => Some("idle"),
        }
    }

    /// Whether the vendor's word for the state says as much.
    pub(in crate::chat_v2) fn is_upstreams(self) -> bool {
        !matches!(self, Self::Pending | Self::Handling)
    }

    /// Whether a conversation stands there.
    pub(in crate::chat_v2) fn fits(self, conversation: &Conversation) -> bool {
        self == Self::All || Self::of(conversation) == Some(self)
    }

    /// Where a conversation stands; `None` where the vendor has a new word for it.
    fn of(conversation: &Conversation) -> Option<Self> {
        let kind = conversation.assignment.as_ref().and_then(|it| it.kind);
        Some(match conversation.state? {
            UpstreamState::Created => Self::Created,
            UpstreamState::Active if kind == Some(AssignmentKind::Agent) => Self::Handling,
            UpstreamState::Active => Self::Pending,
            UpstreamState::Idle => Self::Deleted,
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;
    use crate::event::{Assignment, AuthorType, User};

    fn conversation(state: Option<UpstreamState>, kind: Option<AssignmentKind>) -> Conversation {
        Conversation {
            id: "c".into(),
            channel_id: "25".into(),
            state,
            assignment: kind.map(|kind| Assignment {
                kind: Some(kind),
                id: "100".into(),
                resource_id: String::new(),
            }),
            user: User::default(),
        }
    }

    #[rstest]
    #[case(UpstreamState::Created, None, Status::Created)]
    #[case(UpstreamState::Created, Some(AssignmentKind::Queue), Status::Created)]
    #[case(UpstreamState::Active, Some(AssignmentKind::Queue), Status::Pending)]
    #[case(UpstreamState::Active, Some(AssignmentKind::Script), Status::Pending)]
    #[case(UpstreamState::Active, None, Status::Pending)]
    #[case(UpstreamState::Active, Some(AssignmentKind::Agent), Status::Handling)]
    #[case(UpstreamState::Idle, Some(AssignmentKind::Agent), Status::Deleted)]
    fn states_have_a_word_of_v2(
        #[case] state: UpstreamState,
        #[case] kind: Option<AssignmentKind>,
        #[case] expected: Status,
    ) {
        let it = conversation(Some(state), kind);
        let all = [
            Status::Created,
            Status::Pending,
            Status::Handling,
            Status::Deleted,
        ];
        let fitting: Vec<Status> = all.into_iter().filter(|status| status.fits(&it)).collect();
        assert_eq!(fitting, [expected]);
        assert!(Status::All.fits(&it));
    }

    #[test]
    fn a_state_with_a_new_word_is_only_among_all() {
        let it = conversation(None, None);
        assert!(Status::All.fits(&it) && !Status::Pending.fits(&it));
    }

    #[test]
    fn a_creation_with_history_is_read() {
        let body = json!({
            "channelId": 25,
            "customer": { "name": "Ada" },
            "history": { "messages": [
                { "text": "Hello", "type": "bot", "unknown": 1 }, { "text": "A person, please." },
            ] },
            "someField": {},
        });
        let new = read(body.as_object().unwrap()).unwrap();
        assert_eq!((new.channel_id.as_str(), new.user.name.as_str()), ("25", "Ada"));
        let said: Vec<_> = new
            .history
            .iter()
            .map(|m| (m.author.kind, m.text.as_str()))
            .collect();
        assert_eq!(
            said,
            [
                (Some(AuthorType::Bot), "Hello"),
                (Some(AuthorType::User), "A person, please."),
            ]
        );
    }

    #[rstest]
    #[case(json!({}))]
    #[case(json!({ "channelId": "25" }))]
    #[case(json!({ "channelId": "25", "customer": "Ada" }))]
    #[case(json!({ "channelId": "25", "customer": null }))]
    #[case(json!({ "channelId": "..", "customer": {} }))]
    #[case(json!({ "channelId": "25", "customer": {}, "history": { "messages": "x" } }))]
    #[case(json!({ "channelId": "25", "customer": {}, "history": { "messages": ["x"] } }))]
    #[case(json!({ "channelId": "25", "customer": {}, "history": { "messages": [{ "type": "bot" }] } }))]
    #[case(json!({ "channelId": "25", "customer": {}, "history": { "messages": [{ "text": "x", "type": "agent" }] } }))]
    #[case(json!({ "channelId": "25", "customer": {}, "history": { "messages": vec![json!({ "text": "x" }); 201] } }))]
    fn what_cannot_be_created_is_refused(#[case] body: Value) {
        let problem = read(body.as_object().unwrap()).unwrap_err();
        assert_eq!(problem.status(), 400);
    }

    #[test]
    fn it_begins_with_its_first_interaction() {
        let interactions = [
            Interaction {
                id: "int-2".into(),
                started_ms: Some(2000),
                ended_ms: None,
            },
            Interaction {
                id: "int-1".into(),
                started_ms: Some(1000),
                ended_ms: Some(1500),
            },
        ];
        let it = write(&conversation(None, None), &interactions);
        assert_eq!(it["startTime"], "1970-01-01T00:00:01.000Z");
        assert_eq!(it["interactions"][1]["endTime"], "1970-01-01T00:00:01.500Z");
        assert!(it["interactions"][0].get("endTime").is_none());
        assert!(write(&conversation(None, None), &[]).get("startTime").is_none());
    }

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            ".{0,8}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            let names = "channelId|customer|history|messages|text|type|[a-z]{1,4}";
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map(names, inner, 0..4)
                    .prop_map(|entries| Value::Object(entries.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn whatever_is_sent_is_read_or_refused(entries in prop::collection::btree_map("channelId|customer|history|x", values(), 0..4)) {
            let body: Object = entries.into_iter().collect();
            match read(&body) {
                Ok(new) => prop_assert!(!new.channel_id.is_empty()),
                Err(problem) => prop_assert_eq!(problem.status().as_u16(), 400),
            }
        }
    }
}
