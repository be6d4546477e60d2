//! An agent who is driven by hand.

use super::Scene;
use crate::sandbox::floor::{
    content::Content,
    conversation::{Assignment, State},
};

/// Why somebody cannot drive the agent that way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DeskError {
    #[error("no agent is in this conversation and none is about to join: it waits in no queue")]
    NoAgent,
    #[error("there is no queue with this queueId")]
    UnknownQueue,
}

impl Scene<'_> {
    /// Turns the script off, and has an agent join who was about to.
    fn by_hand(&mut self) -> Result<(), DeskError> {
        if self.conversation.agent.is_none() {
            let waits = matches!(self.conversation.assignment, Some(Assignment::Queue(_)));
            if self.conversation.state != State::Active || !waits {
                return Err(DeskError::NoAgent);
            }
        }
        self.conversation.scripted = false;
        self.conversation.inbox.clear();
        self.conversation.replan(|step| !step.is_scripted());
        if self.conversation.agent.is_none() {
            self.join_by_hand()?;
        }
        Ok(())
    }

    /// Somebody lets the agent say something.
    pub(crate) fn hand_say(&mut self, content: Content) -> Result<(), DeskError> {
        self.by_hand()?;
        self.say(content);
        Ok(())
    }

    /// Somebody lets the agent type.
    pub(crate) fn hand_type(&mut self) -> Result<(), DeskError> {
        self.by_hand()?;
        self.show_typing(true);
        Ok(())
    }

    /// Somebody lets the agent pass it on.
    pub(crate) fn hand_transfer(&mut self, queue_id: &str) -> Result<(), DeskError> {
        if self.house.queue(queue_id).is_none() {
            return Err(DeskError::UnknownQueue);
        }
        self.by_hand()?;
        self.transfer(queue_id);
        Ok(())
    }

    /// Somebody lets the agent leave.
    pub(crate) fn hand_leave(&mut self) -> Result<(), DeskError> {
        self.by_hand()?;
        self.leave();
        Ok(())
    }
}
