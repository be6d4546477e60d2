//! A session: what is known of a conversation, read from the fields that a store keeps.
//!
//! The fields are the stored format, the same in memory and in a Redis hash (so the two stores can be compared):
//!
//! | field | value |
//! | --- | --- |
//! | `epoch` | store time at which the session began, Unix ms |
//! | `seq` | sequence of its last event |
//! | `active` | store time of its last event or call, Unix ms |
//! | `state` | number of the state |
//! | `state@` | when an event last said what it is, Unix ms (0: a call) |
//! | `since` | when the change to it occurred, Unix ms (0: a call) |
//! | a name of [`Field`], the same with `@` | value; when the change occurred, Unix ms |
//! | a name of [`Milestone`] | Unix ms |
//! | a name of [`contact::field`] | Unix ms, while the contact lasts |
//! | `m:TYPE:ID` | `MS:PRESENT:NAME`: when it occurred, 1 or 0, name |

use std::collections::BTreeMap;

use super::{
    change::{Field, FieldChange, Milestone, SessionChange},
    contact::{self, Passage},
    state::{Agents, SessionState},
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
    /// When an event last said what `state` is; 0 where only a call did.
    pub state_ms: i64,
    /// When the change to `state` occurred; 0 where a call made it.
    pub since_ms: i64,
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
            since_ms: number("since").unwrap_or(0),
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
        (self.state == SessionState::Idle).then_some(self.since_ms)
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

/// Applies a change to stored fields at store time `now_ms` and answers the state after it, and how the contact went on by it. The
/// Redis script does the same; a property test holds the two together.
pub fn apply(fields: &mut Fields, change: &SessionChange, now_ms: u64) -> (SessionState, Option<Passage>) {
    let number = |fields: &Fields, name| fields.get(name).and_then(|v: &String| v.parse::<i64>().ok());
    let (before, since_ms) = (state(fields), number(fields, "since"));
    let after = apply_fields_and_state(fields, change, now_ms);
    let is_response = change
        .fields
        .iter()
        .any(|field| matches!(field, FieldChange::Earliest(Milestone::FirstResponse, _)));
    let is_first_response =
        is_response && after != SessionState::Idle && !fields.contains_key(contact::field::RESPONDED);
    if after == before && !is_first_response {
        return (after, None);
    }
    let passage = Passage {
        before,
        after,
        since_ms,
        queued_ms: number(fields, contact::field::QUEUED),
        joined_ms: number(fields, contact::field::JOINED),
        is_first_response,
    };
    keep_contact(fields, &passage, change.at_ms);
    (after, Some(passage))
}

/// Notes how far the contact has come; one that ended is forgotten.
fn keep_contact(fields: &mut Fields, passage: &Passage, at_ms: i64) {
    use contact::field::{JOINED, QUEUED, RESPONDED};
    if passage.after == SessionState::Idle {
        for name in [QUEUED, JOINED, RESPONDED] {
            fields.remove(name);
        }
        return;
    }
    let first = match passage.after {
        SessionState::Queued => Some(QUEUED),
        SessionState::WithAgent => Some(JOINED),
        _ => None,
    };
    let response = passage.is_first_response.then_some(RESPONDED);
    for name in first.into_iter().chain(response) {
        fields.entry(name.into()).or_insert_with(|| at_ms.to_string());
    }
}

fn apply_fields_and_state(fields: &mut Fields, change: &SessionChange, now_ms: u64) -> SessionState {
    let at = change.at_ms;
    fields.entry("epoch".into()).or_insert_with(|| now_ms.to_string());
    fields.insert("active".into(), now_ms.to_string());
    for field in &change.fields {
        apply_field(fields, field, at);
    }
    let current = state(fields);
    let late = fields
        .get("state@")
        .and_then(|v| v.parse().ok())
        .is_some_and(|ms: i64| at < ms);
    match change.row.next(current) {
        Some(_) if !late && change.agents == Agents::MustBeGone && agent_present(fields) => current,
        Some(next) if !late => {
            fields.insert("state@".into(), at.to_string());
            set_state(fields, next, at)
        }
        _ if change.agents == Agents::EndWrapUp
            && current == SessionState::WrappingUp
            && agent_present(fields) =>
        {
            set_state(fields, SessionState::WithAgent, at)
        }
        _ => current,
    }
}

fn set_state(fields: &mut Fields, next: SessionState, at: i64) -> SessionState {
    if next != state(fields) {
        fields.insert("state".into(), (next as u8).to_string());
        fields.insert("since".into(), at.to_string());
    }
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
            let noted = fields.get(&field).and_then(|v| parse_member(&field, v));
            if noted.as_ref().is_none_or(|m| at >= m.at_ms) {
                let mut value = member_value(at, *present, who);
                // Whoever had a name keeps it when somebody tells of them without one.
                if who.name.is_empty() {
                    value += noted.map_or("", |m| m.name);
                }
                fields.insert(field, value);
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{super::state::SessionState, *};
    use crate::event::{
        Assignment, AssignmentKind, ConversationUpdated, Event, EventBody, MemberChange, TenantId,
        UpstreamState,
    };

    fn event(at_ms: i64, body: EventBody) -> SessionChange {
        SessionChange::by_event(&Event {
            key: ConversationKey::new(TenantId::new("t"), "c"),
            id: format!("e{at_ms}"),
            occurred_ms: at_ms,
            received_ms: at_ms,
            vendor_type: String::new(),
            synthetic: false,
            body,
            traceparent: None,
        })
    }

    fn queued(at_ms: i64, queue: &str) -> SessionChange {
        let (queue_id, queue_name) = (queue.to_owned(), format!("name of {queue}"));
        event(at_ms, EventBody::Queued { queue_id, queue_name })
    }

    fn member(at_ms: i64, agent: &str, change: MemberChange) -> SessionChange {
        named(at_ms, agent, "", change)
    }

    fn named(at_ms: i64, agent: &str, name: &str, change: MemberChange) -> SessionChange {
        let mut member = Participant::new(agent, Some(AuthorType::Agent));
        member.name = name.to_owned();
        event(at_ms, EventBody::MemberChanged { member, change })
    }

    fn joined(at_ms: i64, agent: &str) -> SessionChange {
        member(at_ms, agent, MemberChange::Joined)
    }

    fn left(at_ms: i64, agent: &str) -> SessionChange {
        member(at_ms, agent, MemberChange::Left)
    }

    fn transfer(at_ms: i64) -> SessionChange {
        event(at_ms, EventBody::Transferred)
    }

    fn update(at_ms: i64, state: UpstreamState, assigned: Option<AssignmentKind>) -> SessionChange {
        let assignment = assigned.map(|kind| Assignment {
            kind: Some(kind),
            id: "100".into(),
            resource_id: String::new(),
        });
        event(
            at_ms,
            EventBody::ConversationUpdated(ConversationUpdated {
                state: Some(state),
                assignment,
                ..ConversationUpdated::default()
            }),
        )
    }

    fn play(changes: &[SessionChange]) -> Session {
        let mut fields = Fields::new();
        for (now_ms, change) in (1_000..).zip(changes) {
            apply(&mut fields, change, now_ms);
        }
        Session::from_fields(ConversationKey::new(TenantId::new("t"), "c"), &fields)
    }

    #[test]
    fn a_conversation_goes_its_way_from_queue_to_end() {
        let way = [
            update(1, UpstreamState::Created, None),
            update(2, UpstreamState::Active, Some(AssignmentKind::Queue)),
            queued(3, "100"),
            update(4, UpstreamState::Active, Some(AssignmentKind::Agent)),
            joined(5, "maria"),
            left(9, "maria"),
            update(12, UpstreamState::Idle, None),
        ];
        let states: Vec<SessionState> = (1..=way.len()).map(|n| play(&way[..n]).state).collect();
        use SessionState::{Created, Idle, Queued, WithAgent, WrappingUp};
        assert_eq!(
            states,
            [Created, Queued, Queued, WithAgent, WithAgent, WrappingUp, Idle]
        );
        let session = play(&way);
        assert_eq!(session.queued_ms, Some(3));
        assert_eq!(session.joined_ms, Some(5));
        assert_eq!(session.ended_ms(), Some(12));
        assert_eq!(session.agent_id, "");
        assert_eq!(
            (session.queue_id.as_str(), session.queue_name.as_str()),
            ("100", "name of 100")
        );
    }

    #[test]
    fn a_transfer_may_come_before_or_after_the_agents_leaving() {
        let begin = [queued(1, "100"), joined(2, "maria")];
        for pair in [[transfer(3), left(4, "maria")], [left(3, "maria"), transfer(4)]] {
            let changes: Vec<_> = begin.iter().chain(&pair).cloned().collect();
            assert_eq!(play(&changes).state, SessionState::Transferring);
            let moved_on = [changes, vec![queued(5, "200"), joined(6, "ivan")]].concat();
            let session = play(&moved_on);
            assert_eq!(
                (session.state, session.agent_id.as_str()),
                (SessionState::WithAgent, "ivan")
            );
        }
    }

    #[test]
    fn the_last_agent_leaving_counts_and_not_the_first() {
        let session = play(&[joined(1, "maria"), joined(2, "ivan"), left(3, "maria")]);
        assert_eq!(
            (session.state, session.agent_id.as_str()),
            (SessionState::WithAgent, "ivan")
        );
        let session = play(&[
            joined(1, "maria"),
            joined(2, "ivan"),
            left(3, "maria"),
            left(4, "ivan"),
        ]);
        assert_eq!(session.state, SessionState::WrappingUp);
    }

    #[test]
    fn a_name_that_is_known_outlives_news_without_one() {
        let joined = named(1, "a1", "Maria: the 2nd", MemberChange::Joined);
        let session = play(&[joined.clone(), left(2, "a1")]);
        let member = &session.members[0];
        assert_eq!((member.name.as_str(), member.removed), ("Maria: the 2nd", true));
        let renamed = named(3, "a1", "Maria", MemberChange::Joined);
        assert_eq!(play(&[joined, left(2, "a1"), renamed]).members[0].name, "Maria");
    }

    #[test]
    fn what_only_confirms_a_state_still_outdates_what_comes_late() {
        let session = play(&[joined(5, "maria"), joined(20, "ivan"), queued(10, "100")]);
        assert_eq!(session.state, SessionState::WithAgent);
        let idle = |at| update(at, UpstreamState::Idle, None);
        let session = play(&[idle(5), idle(20), queued(10, "100")]);
        assert_eq!((session.state, session.ended_ms()), (SessionState::Idle, Some(5)));
    }

    #[test]
    fn an_agent_who_is_there_ends_wrapping_up_however_late_one_hears_of_it() {
        let session = play(&[joined(1, "maria"), left(10, "maria"), joined(5, "ivan")]);
        assert_eq!(
            (session.state, session.agent_id.as_str()),
            (SessionState::WithAgent, "ivan")
        );
        // But the news that the one who left had joined does not.
        let session = play(&[left(10, "maria"), joined(5, "maria")]);
        assert_eq!(
            (session.state, session.agent_id.as_str()),
            (SessionState::WrappingUp, "")
        );
    }

    #[test]
    fn what_a_call_tells_never_sets_a_later_state_back() {
        let user = User {
            name: "Ann".into(),
            ..User::default()
        };
        let created = SessionChange::by_creation("ch", &user, &BTreeMap::new());
        let session = play(&[queued(5, "100"), created.clone()]);
        assert_eq!(
            (session.state, session.channel_id.as_str()),
            (SessionState::Queued, "ch")
        );
        // And an event that occurred before the call by its own clock still counts.
        assert_eq!(play(&[created, queued(1, "100")]).state, SessionState::Queued);
    }

    #[test]
    fn a_message_reopens_an_idle_conversation_and_a_late_one_does_not() {
        let message = |at_ms| {
            event(
                at_ms,
                EventBody::Message(crate::event::Message {
                    id: String::new(),
                    author: Participant::new("u", Some(AuthorType::User)),
                    text: "hello".into(),
                    created_ms: None,
                    attachments: vec![],
                    cards: vec![],
                    external_provider: None,
                    echo: false,
                }),
            )
        };
        let idle = update(5, UpstreamState::Idle, None);
        assert_eq!(play(&[idle.clone(), message(4)]).state, SessionState::Idle);
        let reopened = play(&[idle, message(6)]);
        assert_eq!(
            (reopened.state, reopened.ended_ms()),
            (SessionState::Created, None)
        );
    }

    /// What each change told of the contact.
    fn passages(changes: &[SessionChange]) -> Vec<Option<Passage>> {
        let mut fields = Fields::new();
        changes
            .iter()
            .map(|change| apply(&mut fields, change, 1_000).1)
            .collect()
    }

    fn said(at_ms: i64, kind: AuthorType) -> SessionChange {
        let message = crate::event::Message {
            id: String::new(),
            author: Participant::new("p", Some(kind)),
            text: "hello".into(),
            created_ms: None,
            attachments: vec![],
            cards: vec![],
            external_provider: None,
            echo: false,
        };
        event(at_ms, EventBody::Message(message))
    }

    #[test]
    fn each_contact_of_a_conversation_is_measured_anew() {
        let contact = |from: i64| {
            [
                queued(from, "100"),
                joined(from + 5, "maria"),
                said(from + 7, AuthorType::Agent),
                said(from + 8, AuthorType::Agent),
                left(from + 20, "maria"),
                update(from + 22, UpstreamState::Idle, None),
            ]
        };
        let changes = [contact(100), contact(5_000)].concat();
        let told = passages(&changes);
        let moved = |before, after, since_ms, queued_ms, joined_ms| {
            Some(Passage {
                before,
                after,
                since_ms,
                queued_ms,
                joined_ms,
                is_first_response: false,
            })
        };
        use SessionState::{Idle, Queued, Unknown, WithAgent, WrappingUp};
        let expected = |from: i64, before, since_ms| {
            let (queued, joined) = (Some(from), Some(from + 5));
            let response = Passage {
                is_first_response: true,
                ..moved(WithAgent, WithAgent, joined, queued, joined).unwrap()
            };
            [
                moved(before, Queued, since_ms, None, None),
                moved(Queued, WithAgent, queued, queued, None),
                Some(response),
                None,
                moved(WithAgent, WrappingUp, joined, queued, joined),
                moved(WrappingUp, Idle, Some(from + 20), queued, joined),
            ]
        };
        let all = [expected(100, Unknown, None), expected(5_000, Idle, Some(122))].concat();
        assert_eq!(told, all);
    }

    #[test]
    fn a_second_queue_belongs_to_the_same_contact() {
        let changes = [
            queued(1, "100"),
            joined(2, "maria"),
            transfer(3),
            left(4, "maria"),
            queued(5, "200"),
            update(9, UpstreamState::Idle, None),
        ];
        let last = passages(&changes).pop().flatten().unwrap();
        assert_eq!((last.before, last.since_ms), (SessionState::Queued, Some(5)));
        assert_eq!((last.queued_ms, last.joined_ms), (Some(1), Some(2)));
    }

    proptest! {
        /// Whatever arrives in whatever order, a field ends as the change that occurred last left it.
        #[test]
        fn the_order_of_arrival_does_not_decide_fields(order in Just((1..=8_i64).collect::<Vec<_>>()).prop_shuffle()) {
            let changes: Vec<_> = order.iter().map(|at| queued(*at, &at.to_string())).collect();
            let session = play(&changes);
            prop_assert_eq!(session.queue_id, "8");
            prop_assert_eq!(session.queued_ms, Some(1));
        }

        #[test]
        fn members_end_as_they_last_were(order in Just(vec![0, 1, 2, 3]).prop_shuffle()) {
            let all = [joined(1, "maria"), left(2, "maria"), joined(3, "maria"), joined(4, "ivan")];
            let changes: Vec<_> = order.iter().map(|i| all[*i].clone()).collect();
            let session = play(&changes);
            prop_assert_eq!(session.agent_id, "ivan");
            prop_assert!(session.members.iter().all(|m| !m.removed));
        }
    }
}
