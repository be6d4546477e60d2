//! The table of legal state changes. It lives here alone: both stores apply the row that they are handed.

use super::state::SessionState::{Created, Idle, Queued, Transferring, Unknown, WithAgent, WrappingUp};

/// Where a conversation stands. The numbers are those of `chatbridge.v1.SessionState` and are stored: never change one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[repr(u8)]
pub enum SessionState {
    /// Nothing is known yet.
    #[default]
    Unknown = 0,
    /// It exists; no queue and no agent.
    Created = 1,
    /// It waits in a queue.
    Queued = 2,
    /// An agent is there.
    WithAgent = 3,
    /// The agent left; whether that was the end is not known yet.
    WrappingUp = 4,
    /// An agent sent it on.
    Transferring = 5,
    /// The interaction ended.
    Idle = 6,
}

impl SessionState {
    /// All states, in the order of their numbers.
    pub const ALL: [Self; 7] = [
        Unknown,
        Created,
        Queued,
        WithAgent,
        WrappingUp,
        Transferring,
        Idle,
    ];

    /// The state with this number.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }
}

/// What an event or a call means for the state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Trigger {
    /// It exists, and nothing more is said.
    Exists,
    /// The vendor says created or active, or somebody but an agent wrote.
    Opened,
    /// It was put in a queue.
    Queued,
    /// It was given to a script.
    Scripted,
    /// The vendor reports an agent as its assignment.
    AssignedToAgent,
    /// An agent joined.
    AgentJoined,
    /// The last agent who was there left.
    LastAgentLeft,
    /// An agent sent it on.
    Transferred,
    /// The vendor says idle.
    Ended,
    /// It has no state: the tenant's pseudo-conversation.
    Nothing,
}

impl Trigger {
    /// All triggers.
    pub const ALL: [Self; 10] = [
        Self::Exists,
        Self::Opened,
        Self::Queued,
        Self::Scripted,
        Self::AssignedToAgent,
        Self::AgentJoined,
        Self::LastAgentLeft,
        Self::Transferred,
        Self::Ended,
        Self::Nothing,
    ];
}

/// The next state for each current one, by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row([SessionState; 7]);

impl Row {
    /// The row of a trigger.
    pub fn of(trigger: Trigger) -> Self {
        // The columns are the current state, in the order of its numbers.
        // Unknown, Created, Queued, WithAgent, WrappingUp, Transferring, Idle
        Self(match trigger {
            Trigger::Nothing => SessionState::ALL,
            Trigger::Exists => [
                Created,
                Created,
                Queued,
                WithAgent,
                WrappingUp,
                Transferring,
                Idle,
            ],
            Trigger::Opened => [
                Created,
                Created,
                Queued,
                WithAgent,
                WrappingUp,
                Transferring,
                Created,
            ],
            Trigger::Queued => [Queued; 7],
            Trigger::Scripted => [Created, Created, Created, WithAgent, Created, Created, Created],
            // Around a transfer the vendor may still name the agent who is leaving: only a join ends those two states.
            Trigger::AssignedToAgent => [
                WithAgent,
                WithAgent,
                WithAgent,
                WithAgent,
                WrappingUp,
                Transferring,
                WithAgent,
            ],
            Trigger::AgentJoined => [WithAgent; 7],
            Trigger::LastAgentLeft => [
                WrappingUp,
                Created,
                Queued,
                WrappingUp,
                WrappingUp,
                Transferring,
                Idle,
            ],
            Trigger::Transferred => [
                Transferring,
                Transferring,
                Transferring,
                Transferring,
                Transferring,
                Transferring,
                Idle,
            ],
            Trigger::Ended => [Idle; 7],
        })
    }

    /// The state after `current`.
    pub fn next(self, current: SessionState) -> SessionState {
        self.0[current as usize]
    }

    /// The row as digits, the form in which a store's script takes it.
    pub fn digits(self) -> String {
        self.0.iter().map(|s| char::from(b'0' + *s as u8)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_and_rows_say_the_same() {
        for trigger in Trigger::ALL {
            let row = Row::of(trigger);
            for (digit, current) in row.digits().bytes().zip(SessionState::ALL) {
                assert_eq!(
                    SessionState::from_number(digit - b'0'),
                    Some(row.next(current)),
                    "{trigger:?}"
                );
            }
        }
    }

    #[test]
    fn only_an_opening_or_a_queue_or_an_agent_leaves_idle() {
        for trigger in Trigger::ALL {
            let next = Row::of(trigger).next(Idle);
            let reopens = matches!(
                trigger,
                Trigger::Opened
                    | Trigger::Queued
                    | Trigger::Scripted
                    | Trigger::AssignedToAgent
                    | Trigger::AgentJoined
            );
            assert_eq!(next != Idle, reopens, "{trigger:?} leads from idle to {next:?}");
        }
    }

    #[test]
    fn numbers_are_the_contracts() {
        use crate::grpc::proto;
        for state in SessionState::ALL {
            let word = proto::SessionState::try_from(state as i32).unwrap().as_str_name();
            let ours = format!("{state:?}").to_ascii_uppercase();
            assert!(
                word.replace("SESSION_STATE_", "").replace('_', "") == ours || state == Unknown,
                "{word} is not {ours}"
            );
        }
    }
}
