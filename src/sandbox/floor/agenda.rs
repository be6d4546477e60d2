//! What is to happen, and when.
//!
//! Each conversation plans its own steps in order and has at most one entry here, for the first of them. One driver runs
//! what is due: no task for each conversation, and nothing to cancel but an entry that its conversation has forgotten.

use std::{cmp::Reverse, collections::BinaryHeap, time::Duration};

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::conversation::Assignment;

/// Something that happens in a conversation after a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Step {
    /// The interaction begins.
    Activate(Assignment),
    /// It moves to another assignment.
    Route(Assignment),
    /// The agent to whom it is offered accepts it, by the script.
    Accept,
    /// The agent begins to type.
    Type,
    /// The agent says something.
    Say(String),
    /// The agent passes it on to a queue.
    Transfer(String),
    /// The agent leaves.
    Leave,
    /// The agent, gone already, has written it up.
    Finish,
    /// The bot, which had it after the agent, has had its time. A clock says when, not the pace of people.
    #[serde(skip)]
    TimeOut(Instant),
    /// A person has had their time to accept it; or those who did not are asked once more.
    #[serde(skip)]
    OfferEnds(Instant),
    /// A person has had their time to write it up.
    #[serde(skip)]
    WrapUpEnds(Instant),
}

impl Step {
    /// When it is due, where a clock says so.
    pub(crate) fn fixed(&self) -> Option<Instant> {
        match self {
            Self::TimeOut(due) | Self::OfferEnds(due) | Self::WrapUpEnds(due) => Some(*due),
            _ => None,
        }
    }

    /// How long a person takes before it.
    pub(crate) fn human_delay(&self) -> Duration {
        Duration::from_millis(match self {
            Self::Route(_) | Self::TimeOut(_) | Self::OfferEnds(_) | Self::WrapUpEnds(_) => 0,
            Self::Activate(_) => 150,
            Self::Accept => 1_500,
            Self::Type | Self::Transfer(_) | Self::Leave => 500,
            Self::Say(_) => 1_000,
            Self::Finish => 1_500,
        })
    }

    /// Whether it is part of a saved state. The others follow from the rest of it.
    pub(crate) fn is_saved(&self) -> bool {
        self.fixed().is_none() && *self != Self::Accept
    }

    /// Whether it is the script's, as against something that happens on every floor.
    pub(crate) fn is_scripted(&self) -> bool {
        matches!(self, Self::Type | Self::Say(_) | Self::Transfer(_) | Self::Leave)
    }
}

/// Entries by time; those of one time in the order in which they were made.
#[derive(Debug, Default)]
pub(crate) struct Agenda {
    entries: BinaryHeap<Reverse<(Instant, u64, String)>>,
    tickets: u64,
}

impl Agenda {
    /// Enters a conversation at `due`; the answer tells this entry from its others.
    pub(crate) fn enter(&mut self, due: Instant, conversation: &str) -> u64 {
        self.tickets += 1;
        self.entries
            .push(Reverse((due, self.tickets, conversation.to_owned())));
        self.tickets
    }

    /// Takes the first entry that is due: conversation and ticket.
    pub(crate) fn take_due(&mut self, now: Instant) -> Option<(String, u64)> {
        self.next_due().filter(|due| *due <= now)?;
        self.entries.pop().map(|Reverse((_, ticket, id))| (id, ticket))
    }

    /// When the next entry is due.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        self.entries.peek().map(|Reverse((due, ..))| *due)
    }
}
