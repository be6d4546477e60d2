//! What an event or a call changes in a session, as data that both stores apply in the same way.
//!
//! A session is a set of named fields, each with its own rule against disorder, because webhooks may arrive in any order
//! and calls race with them.

use std::collections::BTreeMap;

use super::state::{Agents, Row, Trigger};
use crate::event::{
    AssignmentKind, AuthorType, Event, EventBody, MemberChange, Participant, UpstreamState, User,
};

/// A field that the change that occurred last decides. The name is stored: never change one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "documented in the contract's Session")]
pub enum Field {
    ChannelId,
    ChannelType,
    QueueId,
    QueueName,
    /// JSON of [`User`]: customer content.
    User,
    /// JSON of a map of strings: customer content.
    Labels,
}

impl Field {
    /// Its name in a store.
    pub fn name(self) -> &'static str {
        match self {
            Self::ChannelId => "channel_id",
            Self::ChannelType => "channel_type",
            Self::QueueId => "queue_id",
            Self::QueueName => "queue_name",
            Self::User => "user",
            Self::Labels => "labels",
        }
    }
}

/// A time of which the earliest is kept, Unix milliseconds. The name is stored: never change one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "documented in the contract's Session")]
pub enum Milestone {
    Queued,
    AgentJoined,
    FirstResponse,
}

impl Milestone {
    /// Its name in a store.
    pub fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued_ms",
            Self::AgentJoined => "joined_ms",
            Self::FirstResponse => "responded_ms",
        }
    }
}

/// One change of one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldChange {
    /// Sets a field unless a change that occurred later has set it.
    Latest(Field, String),
    /// Sets a time unless an earlier one is there.
    Earliest(Milestone, i64),
    /// Notes that somebody joined or left, unless something that occurred later was noted of them.
    Member {
        /// Who.
        who: Participant,
        /// Whether they are there now.
        present: bool,
    },
}

/// What an event or a call changes in a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionChange {
    /// When it occurred, Unix milliseconds by the vendor's clock. Calls use 0, so that whatever an event has said or will
    /// say stands.
    pub at_ms: i64,
    /// The next state for each current one; applied unless the state changed by something that occurred later.
    pub row: Row,
    /// What the presence of agents, once `fields` are applied, has to do with it.
    pub agents: Agents,
    /// Changes of fields, applied first and in this order.
    pub fields: Vec<FieldChange>,
}

impl SessionChange {
    fn new(at_ms: i64, trigger: Trigger) -> Self {
        Self {
            at_ms,
            row: Row::of(trigger),
            agents: Agents::of(trigger),
            fields: Vec::new(),
        }
    }

    fn set(&mut self, field: Field, value: &str) {
        if !value.is_empty() {
            self.fields.push(FieldChange::Latest(field, value.to_owned()));
        }
    }

    /// What creating a conversation by a call tells.
    pub fn by_creation(channel_id: &str, user: &User, labels: &BTreeMap<String, String>) -> Self {
        let mut change = Self::new(0, Trigger::Exists);
        change.set(Field::ChannelId, channel_id);
        change.set(Field::User, &json(user));
        if !labels.is_empty() {
            change.set(Field::Labels, &json(labels));
        }
        change
    }

    /// What a call that names a conversation tells: that it exists.
    pub fn by_call() -> Self {
        Self::new(0, Trigger::Exists)
    }

    /// What an event tells.
    pub fn by_event(event: &Event) -> Self {
        let at = event.occurred_ms;
        if event.key.conversation.is_empty() {
            return Self::new(at, Trigger::Nothing);
        }
        match &event.body {
            EventBody::ConversationUpdated(update) => Self::by_update(at, update),
            EventBody::Queued { queue_id, queue_name } => {
                let mut change = Self::new(at, Trigger::Queued);
                change.set(Field::QueueId, queue_id);
                change.set(Field::QueueName, queue_name);
                change.fields.push(FieldChange::Earliest(Milestone::Queued, at));
                change
            }
            EventBody::MemberChanged { member, change } => Self::by_member(at, member, *change),
            EventBody::Transferred => Self::new(at, Trigger::Transferred),
            EventBody::Message(message) => match message.author.kind {
                Some(AuthorType::Agent) if !message.echo => {
                    let mut change = Self::new(at, Trigger::Exists);
                    change
                        .fields
                        .push(FieldChange::Earliest(Milestone::FirstResponse, at));
                    change
                }
                Some(AuthorType::User | AuthorType::Bot) => Self::new(at, Trigger::Opened),
                _ => Self::new(at, Trigger::Exists),
            },
            _ => Self::new(at, Trigger::Exists),
        }
    }

    fn by_update(at: i64, update: &crate::event::ConversationUpdated) -> Self {
        let assigned = update.assignment.as_ref().and_then(|a| a.kind);
        let mut change = Self::new(
            at,
            match (update.state, assigned) {
                (Some(UpstreamState::Idle), _) => Trigger::Ended,
                (Some(UpstreamState::Active), Some(AssignmentKind::Queue)) => Trigger::Queued,
                (Some(UpstreamState::Active), Some(AssignmentKind::Script)) => Trigger::Scripted,
                (Some(UpstreamState::Active), Some(AssignmentKind::Agent)) => Trigger::AssignedToAgent,
                (Some(UpstreamState::Active | UpstreamState::Created), _) => Trigger::Opened,
                (None, _) => Trigger::Exists,
            },
        );
        change.set(Field::ChannelType, &update.channel_type);
        if let Some(assignment) = &update.assignment
            && assigned == Some(AssignmentKind::Queue)
        {
            change.set(Field::QueueId, &assignment.id);
        }
        if let Some(user) = &update.user {
            change.set(Field::User, &json(user));
        }
        change
    }

    fn by_member(at: i64, member: &Participant, what: MemberChange) -> Self {
        let joined = what == MemberChange::Joined;
        let mut change = Self::new(
            at,
            match (member.kind, joined) {
                (Some(AuthorType::Agent), true) => Trigger::AgentJoined,
                (Some(AuthorType::Agent), false) => Trigger::LastAgentLeft,
                _ => Trigger::Exists,
            },
        );
        if joined && member.kind == Some(AuthorType::Agent) {
            change
                .fields
                .push(FieldChange::Earliest(Milestone::AgentJoined, at));
        }
        change.fields.push(FieldChange::Member {
            who: member.clone(),
            present: joined,
        });
        change
    }
}

fn json(value: &impl serde::Serialize) -> String {
    // Strings and maps of strings always serialise.
    serde_json::to_string(value).unwrap_or_default()
}
