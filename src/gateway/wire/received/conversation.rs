//! Conversations, and what belongs to them: interactions and participants.

use jiff::{civil::Date, tz::TimeZone};
use serde::Deserialize;

use super::{Item, TIMES_MS, first, identifier, list, object, one, unix_ms};
use crate::{
    event::{self, AssignmentKind, AuthorType, UpstreamState},
    gateway::{
        self,
        wire::lenient::{flag, or_default, text},
    },
};

/// Answer of "create a conversation".
pub(in crate::gateway) fn created(body: &[u8]) -> Result<gateway::Created, String> {
    #[derive(Default, Deserialize)]
    #[serde(default, rename_all = "camelCase")]
    struct Created {
        #[serde(deserialize_with = "text")]
        conversation_id: String,
        #[serde(deserialize_with = "text")]
        id: String,
        #[serde(deserialize_with = "text")]
        created_at: String,
    }
    let created: Created = object(body)?;
    let conversation = first(created.conversation_id, created.id);
    if conversation.is_empty() {
        return Err("the answer names no conversation".to_owned());
    }
    Ok(gateway::Created {
        conversation,
        created_ms: unix_ms(&created.created_at),
    })
}

/// Answer of "get a conversation".
pub(in crate::gateway) fn conversation(body: &[u8]) -> Result<gateway::Conversation, String> {
    one::<Conversation>(body)
}

/// Answer of "patch" and "replace a conversation": the status said that it is accepted, and no body takes that back.
#[allow(clippy::unnecessary_wraps, reason = "one of several readers")]
pub(in crate::gateway) fn conversation_if_any(body: &[u8]) -> Result<Option<gateway::Conversation>, String> {
    Ok(conversation(body).ok())
}

/// Answer of "list conversations".
pub(in crate::gateway) fn conversations(
    body: &[u8],
) -> Result<gateway::Listed<gateway::Conversation>, String> {
    list::<Conversation>(body)
}

/// Answer of "list interactions".
pub(in crate::gateway) fn interactions(body: &[u8]) -> Result<gateway::Listed<gateway::Interaction>, String> {
    list::<Interaction>(body)
}

/// Answer of "list participants".
pub(in crate::gateway) fn participants(body: &[u8]) -> Result<gateway::Listed<event::Participant>, String> {
    list::<Participant>(body)
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Conversation {
    #[serde(deserialize_with = "text")]
    id: String,
    #[serde(deserialize_with = "text")]
    channel_id: String,
    #[serde(deserialize_with = "text")]
    state: String,
    assignment: Option<Assignment>,
    #[serde(deserialize_with = "or_default")]
    user: User,
}

impl Item for Conversation {
    const LIST: &'static str = "conversations";
    type Read = gateway::Conversation;

    fn read(self) -> Result<gateway::Conversation, String> {
        Ok(gateway::Conversation {
            id: identifier(self.id, "a conversation")?,
            channel_id: self.channel_id,
            state: state(&self.state),
            assignment: self.assignment.and_then(Assignment::read),
            user: self.user.read(),
        })
    }
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Assignment {
    #[serde(rename = "type", deserialize_with = "text")]
    kind: String,
    #[serde(deserialize_with = "text")]
    id: String,
    #[serde(deserialize_with = "text")]
    resource_id: String,
}

impl Assignment {
    /// An assignment that says nothing is none.
    fn read(self) -> Option<event::Assignment> {
        if self.kind.is_empty() && self.id.is_empty() && self.resource_id.is_empty() {
            return None;
        }
        Some(event::Assignment {
            kind: assignment_kind(&self.kind),
            id: self.id,
            resource_id: self.resource_id,
        })
    }
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct User {
    #[serde(deserialize_with = "text")]
    name: String,
    #[serde(deserialize_with = "text")]
    user_id: String,
    #[serde(deserialize_with = "text")]
    email: String,
    #[serde(deserialize_with = "text")]
    phone: String,
    #[serde(deserialize_with = "text")]
    company: String,
    #[serde(deserialize_with = "text")]
    case_id: String,
    #[serde(deserialize_with = "text")]
    language: String,
    #[serde(deserialize_with = "or_default")]
    additional_properties: Vec<Property>,
    #[serde(deserialize_with = "text")]
    ipaddress: String,
    #[serde(deserialize_with = "text")]
    timezone_offset: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Property {
    #[serde(deserialize_with = "text")]
    key: String,
    #[serde(deserialize_with = "text")]
    value: String,
}

impl User {
    fn read(self) -> event::User {
        event::User {
            name: self.name,
            user_id: self.user_id,
            email: self.email,
            phone: self.phone,
            company: self.company,
            case_id: self.case_id,
            language: self.language,
            additional_properties: self
                .additional_properties
                .into_iter()
                .map(|p| (p.key, p.value))
                .collect(),
            ip_address: self.ipaddress,
            timezone_offset: self.timezone_offset,
        }
    }
}

fn state(word: &str) -> Option<UpstreamState> {
    match word.to_ascii_lowercase().as_str() {
        "created" => Some(UpstreamState::Created),
        "active" => Some(UpstreamState::Active),
        "idle" => Some(UpstreamState::Idle),
        _ => None,
    }
}

fn assignment_kind(word: &str) -> Option<AssignmentKind> {
    match word.to_ascii_lowercase().as_str() {
        "queue" => Some(AssignmentKind::Queue),
        "script" => Some(AssignmentKind::Script),
        "agent" => Some(AssignmentKind::Agent),
        _ => None,
    }
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Interaction {
    #[serde(deserialize_with = "text")]
    id: String,
    #[serde(deserialize_with = "text")]
    start_time: String,
    #[serde(deserialize_with = "text")]
    end_time: String,
}

impl Item for Interaction {
    const LIST: &'static str = "interactions";
    type Read = gateway::Interaction;

    fn read(self) -> Result<gateway::Interaction, String> {
        Ok(gateway::Interaction {
            id: identifier(self.id, "an interaction")?,
            started_ms: moment_or_day_ms(&self.start_time),
            ended_ms: moment_or_day_ms(&self.end_time),
        })
    }
}

/// The vendor's description says date, its example shows a time. A date alone is the beginning of that day in UTC.
fn moment_or_day_ms(text: &str) -> Option<i64> {
    unix_ms(text).or_else(|| {
        // Stricter than `parse`, which also takes a time that is none and drops it.
        let day = Date::strptime("%Y-%m-%d", text.trim()).ok()?;
        let midnight = day.to_zoned(TimeZone::UTC).ok()?.timestamp();
        Some(midnight.as_millisecond()).filter(|ms| TIMES_MS.contains(ms))
    })
}

/// Somebody who takes part, also as the author of a message.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Participant {
    #[serde(deserialize_with = "text")]
    id: String,
    #[serde(rename = "type", deserialize_with = "text")]
    kind: String,
    #[serde(deserialize_with = "text")]
    name: String,
    #[serde(deserialize_with = "flag")]
    removed: bool,
    #[serde(deserialize_with = "text")]
    language: String,
}

impl Participant {
    pub(super) fn known(self) -> event::Participant {
        event::Participant {
            kind: AuthorType::parse(&self.kind),
            id: self.id,
            name: self.name,
            removed: self.removed,
            language: self.language,
        }
    }
}

impl Item for Participant {
    const LIST: &'static str = "participants";
    type Read = event::Participant;

    /// Where the vendor gives no identifier, the type still tells who it is.
    fn read(self) -> Result<event::Participant, String> {
        Ok(self.known())
    }
}
