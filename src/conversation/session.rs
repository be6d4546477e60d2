//! A session: what is known of a conversation, read from the fields that a store keeps.
//!
//! The fields are the stored format, the same in memory and in a Redis hash (so the two stores can be compared):
//!
//! | field | value |
//! | --- | --- |
//! | `epoch` | store time at which the session began, Unix ms |
//! | `seq` | sequence of its last event |
//! | `active` | store time of its last event or call, Unix ms |
//! | `state`, `state@` | number of the state; when the change to it occurred, Unix ms (0: a call) |
//! | a name of [`Field`], the same with `@` | value; when the change occurred, Unix ms |
//! | a name of [`Milestone`] | Unix ms |
//! | `m:TYPE:ID` | `MS:PRESENT:NAME`: when it occurred, 1 or 0, name |

use std::collections::BTreeMap;

use super::{
    change::{Field, FieldChange, Milestone, SessionChange},
    state::SessionState,
};
use crate::event::{AuthorType, ConversationKey, Participant, User};

/// The stored fields of a session.
pub type Fields = BTreeMap<String, String>;

/// What is known of a conversation.
#[derive(Debug, Clone, PartialEq)]
#[allow(
    missing_docs,
    reason = "documented in the contract's Session; times are Unix milliseconds"
)]
pub struct Session {
    pub key: ConversationKey,
    pub channel_id: String,
    pub channel_type: String,
    pub state: SessionState,
    /// When the change to `state` occurred; 0 where a call made it.
    pub state_ms: i64,
    pub queue_id: String,
    pub queue_name: String,
    pub agent_id: String,
    pub members: Vec<Participant>,
    pub user: User,
    pub labels: BTreeMap<String, String>,
    pub active_ms: i64,
    pub sequence: u64,
    pub epoch: u64,
    pub queued_ms: Option<i64>,
    pub joined_ms: Option<i64>,
    pub responded_ms: Option<i64>,
}

impl Session {
    /// Reads stored fields. Fields that are missing or cannot be read count as not given: they were written by us, and a
    /// newer version may have added some.
    pub fn from_fields(key: ConversationKey, fields: &Fields) -> Self {
        let text = |name: &str| fields.get(name).cloned().unwrap_or_default();
        let number = |name: &str| fields.get(name).and_then(|v| v.parse::<i64>().ok());
        let (members, agent_id) = members(fields);
        Self {
            key,
            channel_id: text(Field::ChannelId.name()),
            channel_type: text(Field::ChannelType.name()),
            state: state(fields),
            state_ms: number("state@").unwrap_or(0),
            queue_id: text(Field::QueueId.name()),
            queue_name: text(Field::QueueName.name()),
            agent_id,
            members,
            user: serde_json::from_str(&text(Field::User.name())).unwrap_or_default(),
            labels: serde_json::from_str(&text(Field::Labels.name())).unwrap_or_default(),
            active_ms: number("active").unwrap_or(0),
            sequence: number("seq").unwrap_or(0).unsigned_abs(),
            epoch: number("epoch").unwrap_or(0).unsigned_abs(),
            queued_ms: number(Milestone::Queued.name()),
            joined_ms: number(Milestone::AgentJoined.name()),
            responded_ms: number(Milestone::FirstResponse.name()),
        }
    }

    /// When it became idle, Unix milliseconds; `None` where it is not.
    pub fn ended_ms(&self) -> Option<i64> {
        (self.state == SessionState::Idle).then_some(self.state_ms)
    }
}

fn state(fields: &Fields) -> SessionState {
    fields
        .get("state")
        .and_then(|v| v.parse().ok())
        .and_then(SessionState::from_number)
        .unwrap_or_default()
}

struct Member<'a> {
    kind: &'a str,
    id: &'a str,
    at_ms: i64,
    present: bool,
    name: &'a str,
}

fn parse_member<'a>(field: &'a str, value: &'a str) -> Option<Member<'a>> {
    let (kind, id) = field.strip_prefix("m:")?.split_once(':')?;
    let mut parts = value.splitn(3, ':');
    Some(Member {
        kind,
        id,
        at_ms: parts.next()?.parse().ok()?,
        present: parts.next()? == "1",
        name: parts.next().unwrap_or_default(),
    })
}

/// Everybody who joined, and the agent who joined last and is still there.
fn members(fields: &Fields) -> (Vec<Participant>, String) {
    let mut all: Vec<Member<'_>> = fields
        .range("m:".to_owned()..)
        .take_while(|(field, _)| field.starts_with("m:"))
        .filter_map(|(field, value)| parse_member(field, value))
        .collect();
    all.sort_by_key(|m| m.at_ms);
    let agent = all
        .iter()
        .rfind(|m| m.present && m.kind == AuthorType::Agent.as_str())
        .map(|m| m.id.to_owned())
        .unwrap_or_default();
    let members = all
        .into_iter()
        .map(|m| Participant {
            name: m.name.to_owned(),
            removed: !m.present,
            ..Participant::new(m.id, AuthorType::parse(m.kind))
        })
        .collect();
    (members, agent)
}

/// The stored field of a member.
pub fn member_field(who: &Participant) -> String {
    format!("m:{}:{}", who.kind.map_or("", AuthorType::as_str), who.id)
}

/// The stored value of a member.
pub fn member_value(at_ms: i64, present: bool, who: &Participant) -> String {
    format!("{at_ms}:{}:{}", u8::from(present), who.name)
}

/// Applies a change to stored fields at store time `now_ms` and answers the state after it. The Redis script does the
/// same; a property test holds the two together.
pub fn apply(fields: &mut Fields, change: &SessionChange, now_ms: u64) -> SessionState {
    let at = change.at_ms;
    fields.entry("epoch".into()).or_insert_with(|| now_ms.to_string());
    fields.insert("active".into(), now_ms.to_string());
    for field in &change.fields {
        apply_field(fields, field, at);
    }
    let current = state(fields);
    let changed_ms = fields.get("state@").and_then(|v| v.parse().ok());
    let blocked = change.unless_agents_present && agent_present(fields);
    let next = change.row.next(current);
    if blocked || next == current || changed_ms.is_some_and(|ms: i64| at < ms) {
        return current;
    }
    fields.insert("state".into(), (next as u8).to_string());
    fields.insert("state@".into(), at.to_string());
    next
}

fn apply_field(fields: &mut Fields, change: &FieldChange, at: i64) {
    let stamp = |fields: &Fields, name: &str| fields.get(name).and_then(|v| v.parse::<i64>().ok());
    match change {
        FieldChange::Latest(field, value) => {
            let stamp_name = format!("{}@", field.name());
            if stamp(fields, &stamp_name).is_none_or(|ms| at >= ms) {
                fields.insert(field.name().into(), value.clone());
                fields.insert(stamp_name, at.to_string());
            }
        }
        FieldChange::Earliest(milestone, ms) => {
            if stamp(fields, milestone.name()).is_none_or(|old| *ms < old) {
                fields.insert(milestone.name().into(), ms.to_string());
            }
        }
        FieldChange::Member { who, present } => {
            let field = member_field(who);
            let noted = fields
                .get(&field)
                .and_then(|v| parse_member(&field, v))
                .map(|m| m.at_ms);
            if noted.is_none_or(|ms| at >= ms) {
                fields.insert(field, member_value(at, *present, who));
            }
        }
    }
}

/// Whether an agent is there. One without an identifier (older events have none) counts too.
fn agent_present(fields: &Fields) -> bool {
    fields
        .range("m:agent:".to_owned()..)
        .take_while(|(field, _)| field.starts_with("m:agent:"))
        .any(|(field, value)| parse_member(field, value).is_some_and(|m| m.present))
}
