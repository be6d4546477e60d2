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

/// What a trigger says of the state, for each current one by number: the next state, or nothing.
///
/// Saying that the state is what it is already differs from saying nothing: what is said moves the state's time on, so that
/// what arrives late cannot override it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row([Option<SessionState>; 7]);

impl Row {
    /// The row of a trigger.
    pub fn of(trigger: Trigger) -> Self {
        const NOTHING: [Option<SessionState>; 7] = [None; 7];
        let but = |exceptions: &[(SessionState, Option<SessionState>)], otherwise| {
            let mut row = [otherwise; 7];
            for (current, next) in exceptions {
                row[*current as usize] = *next;
            }
            row
        };
        Self(match trigger {
            Trigger::Nothing => NOTHING,
            Trigger::Exists => but(&[(Unknown, Some(Created))], None),
            Trigger::Opened => but(&[(Unknown, Some(Created)), (Idle, Some(Created))], None),
            Trigger::Queued => [Some(Queued); 7],
            Trigger::Scripted => but(&[(WithAgent, None)], Some(Created)),
            // Around a transfer the vendor may still name the agent who is leaving: only a join ends those two states.
            Trigger::AssignedToAgent => but(&[(WrappingUp, None), (Transferring, None)], Some(WithAgent)),
            Trigger::AgentJoined => [Some(WithAgent); 7],
            Trigger::LastAgentLeft => but(
                &[
                    (Unknown, Some(WrappingUp)),
                    (WithAgent, Some(WrappingUp)),
                    (WrappingUp, Some(WrappingUp)),
                ],
                None,
            ),
            Trigger::Transferred => but(&[(Idle, None)], Some(Transferring)),
            Trigger::Ended => [Some(Idle); 7],
        })
    }

    /// What it says where the state is `current`; `None`: nothing.
    pub fn next(self, current: SessionState) -> Option<SessionState> {
        self.0[current as usize]
    }

    /// The row as digits, with a hyphen for nothing: the form in which a store's script takes it.
    pub fn digits(self) -> String {
        self.0
            .iter()
            .map(|next| next.map_or('-', |s| char::from(b'0' + s as u8)))
            .collect()
    }
}

/// What the presence of agents has to do with a change of state. The numbers are those of the stores' scripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Agents {
    /// Nothing.
    Ignored = 0,
    /// The row applies only if none is there: one who leaves while another stays ends nothing.
    MustBeGone = 1,
    /// One who is there ends wrapping up, however late the news of the joining came.
    EndWrapUp = 2,
}

impl Agents {
    /// What it is for a trigger.
    pub fn of(trigger: Trigger) -> Self {
        match trigger {
            Trigger::LastAgentLeft => Self::MustBeGone,
            Trigger::AgentJoined => Self::EndWrapUp,
            _ => Self::Ignored,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_and_rows_say_the_same() {
        for trigger in Trigger::ALL {
            let row = Row::of(trigger);
            for (digit, current) in row.digits().chars().zip(SessionState::ALL) {
                let read = digit
                    .to_digit(10)
                    .and_then(|n| SessionState::from_number(n as u8));
                assert_eq!(read, row.next(current), "{trigger:?}");
                assert_eq!(read.is_none(), digit == '-', "{trigger:?}");
            }
        }
    }

    #[test]
    fn only_an_opening_or_a_queue_or_an_agent_leaves_idle() {
        for trigger in Trigger::ALL {
            let next = Row::of(trigger).next(Idle).unwrap_or(Idle);
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
