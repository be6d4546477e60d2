//! Whether a stream leaves nothing out and tells nothing twice. Pure.

use std::collections::{HashMap, HashSet};

use crate::{cli::render::summary, grpc::proto::AgentEvent};

/// What is wrong with the order of a stream.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Disorder {
    /// An event came twice.
    #[error("event {id} came twice: {what}")]
    Twice {
        /// The vendor's identifier.
        id: String,
        /// What happened.
        what: String,
    },
    /// The sequence of a conversation has a hole or steps back.
    #[error("sequence {expected} was expected, and {came} came: {what}")]
    Sequence {
        /// One more than the last.
        expected: u64,
        /// What came.
        came: u64,
        /// What happened.
        what: String,
    },
}

/// Follows a stream without a filter from before its conversations began.
#[derive(Debug, Default)]
pub(super) struct Order {
    last: HashMap<String, u64>,
    ids: HashSet<String>,
    /// The events so far of each conversation, by the vendor's identifier.
    told: HashMap<String, Vec<String>>,
}

impl Order {
    /// Takes the next event. Those of no conversation are left out: some came before the stream began.
    pub(super) fn see(&mut self, event: &AgentEvent) -> Result<(), Disorder> {
        if event.conversation_id.is_empty() {
            return Ok(());
        }
        if !self.ids.insert(event.event_id.clone()) {
            return Err(Disorder::Twice {
                id: event.event_id.clone(),
                what: summary(event),
            });
        }
        let last = self.last.entry(event.conversation_id.clone()).or_default();
        if event.sequence != *last + 1 {
            return Err(Disorder::Sequence {
                expected: *last + 1,
                came: event.sequence,
                what: summary(event),
            });
        }
        *last = event.sequence;
        self.told
            .entry(event.conversation_id.clone())
            .or_default()
            .push(event.event_id.clone());
        Ok(())
    }

    /// The events so far of a conversation, by the vendor's identifier.
    pub(super) fn told(&self, conversation: &str) -> &[String] {
        self.told.get(conversation).map_or(&[], Vec::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::connect::fake::{agent_event, queued};

    fn event(conversation: &str, sequence: u64) -> AgentEvent {
        agent_event(conversation, sequence, queued("Q"))
    }

    fn see(events: &[AgentEvent]) -> Result<Order, String> {
        let mut order = Order::default();
        events
            .iter()
            .try_for_each(|e| order.see(e))
            .map_err(|disorder| disorder.to_string())?;
        Ok(order)
    }

    #[test]
    fn each_conversation_counts_for_itself() {
        let order = see(&[event("a", 1), event("b", 1), event("a", 2), event("b", 2)]).unwrap();
        assert_eq!(order.told("a"), ["a-1", "a-2"]);
        assert!(order.told("c").is_empty());
    }

    #[test]
    fn holes_steps_back_and_late_beginnings_are_noticed() {
        let problem = |events: &[AgentEvent]| see(events).unwrap_err();
        assert!(problem(&[event("a", 1), event("a", 3)]).starts_with("sequence 2 was expected, and 3 came"));
        assert!(problem(&[event("a", 2)]).starts_with("sequence 1 was expected, and 2 came"));
        let mut back = event("a", 1);
        back.event_id = "another".to_owned();
        assert!(problem(&[event("a", 1), back]).starts_with("sequence 2 was expected, and 1 came"));
    }

    #[test]
    fn an_event_that_comes_twice_is_noticed_whatever_its_number() {
        let mut again = event("a", 2);
        again.event_id = "a-1".to_owned();
        assert_eq!(
            see(&[event("a", 1), again]).unwrap_err(),
            "event a-1 came twice: queued in Q (100)"
        );
    }

    #[test]
    fn events_of_no_conversation_are_not_counted() {
        see(&[event("", 7), event("", 9)]).unwrap();
    }
}
