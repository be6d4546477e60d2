//! A person who is signed in as an agent: accepts or not, talks, passes on, writes up.

use std::time::Duration;

use tokio::time::Instant;

use super::Scene;
use crate::sandbox::{
    floor::{
        agenda::Step,
        content::Content,
        conversation::{Assignment, Author, State, WrapUp},
        notice::Notice,
    },
    now_ms,
};

/// Where a person sends a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum To {
    Queue(String),
    Agent(String),
}

/// Why an agent cannot do that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SeatError {
    #[error("nobody is signed in as this agent: sign in first")]
    NotSignedIn,
    #[error("this conversation is not offered to this agent (any more)")]
    NotOffered,
    #[error("this agent is not in this conversation: accept it first")]
    NotThere,
    #[error("this agent is not in this conversation and has not to write it up")]
    NothingToWriteUp,
    #[error("there is no queue with this queueId")]
    UnknownQueue,
    #[error("there is no other agent with this agentId")]
    UnknownAgent,
    #[error("there is no transaction code with this id")]
    UnknownCode,
    #[error("there is no prepared response with this id")]
    UnknownResponse,
}

impl Scene<'_> {
    fn signed_in(&self, agent: &str) -> Result<(), SeatError> {
        let found = self.roster.get(agent).filter(|it| it.signed_in);
        found.map(|_| ()).ok_or(SeatError::NotSignedIn)
    }

    fn seated(&self, agent: &str) -> Result<(), SeatError> {
        self.signed_in(agent)?;
        match self.conversation.agent.as_deref() == Some(agent) {
            true => Ok(()),
            false => Err(SeatError::NotThere),
        }
    }

    fn asked(&self, agent: &str) -> Result<(), SeatError> {
        self.signed_in(agent)?;
        let asked = self
            .conversation
            .offer
            .as_ref()
            .is_some_and(|it| it.agent == agent);
        asked.then_some(()).ok_or(SeatError::NotOffered)
    }

    /// Takes what is offered.
    pub(crate) fn seat_accept(&mut self, agent: &str) -> Result<(), SeatError> {
        self.asked(agent)?;
        self.accept_offer();
        Ok(())
    }

    /// Does not take what is offered; the next agent is asked.
    pub(crate) fn seat_decline(&mut self, agent: &str) -> Result<(), SeatError> {
        self.asked(agent)?;
        self.not_taken(agent, "declined");
        Ok(())
    }

    /// Says something.
    pub(crate) fn seat_say(&mut self, agent: &str, content: Content) -> Result<(), SeatError> {
        self.seated(agent)?;
        self.say(content);
        Ok(())
    }

    /// The text of a prepared response, with the names of this conversation in it.
    pub(crate) fn prepared(&self, agent: &str, id: &str) -> Result<String, SeatError> {
        let setup = &self.house.setup;
        let found = setup.prepared_responses.iter().find(|it| it.id == id);
        let text = &found.ok_or(SeatError::UnknownResponse)?.text;
        let queue = self.conversation.last_queue.as_deref();
        let queue = queue.and_then(|id| self.house.queue(id));
        let agent = self.roster.get(agent);
        let names = [
            (
                "{customer}",
                self.conversation.user.name.as_deref().unwrap_or("there"),
            ),
            ("{agent}", agent.map_or("", |it| it.setup.name.as_str())),
            ("{queue}", queue.map_or("", |it| it.name.as_str())),
        ];
        // A name may look like a placeholder: what was put in is not looked at again.
        let mut out = String::new();
        let mut rest = text.as_str();
        while let Some(at) = rest.find('{') {
            out.push_str(&rest[..at]);
            rest = &rest[at..];
            let (taken, put) = names
                .iter()
                .find(|(name, _)| rest.starts_with(name))
                .map_or((1, "{"), |(name, value)| (name.len(), *value));
            out.push_str(put);
            rest = &rest[taken..];
        }
        out.push_str(rest);
        Ok(out)
    }

    /// Is shown as typing, or no longer.
    pub(crate) fn seat_type(&mut self, agent: &str, typing: bool) -> Result<(), SeatError> {
        self.seated(agent)?;
        self.show_typing(typing);
        Ok(())
    }

    /// Has read all that was said. Nobody outside hears of it.
    pub(crate) fn seat_read(&mut self, agent: &str) -> Result<(), SeatError> {
        self.seated(agent)?;
        let who = Author::Agent(agent.to_owned());
        self.conversation.indicators.has_read(who, now_ms());
        Ok(())
    }

    /// Passes it on.
    pub(crate) fn seat_transfer(&mut self, agent: &str, to: &To) -> Result<(), SeatError> {
        let to_agent = match to {
            To::Queue(id) if self.house.queue(id).is_none() => return Err(SeatError::UnknownQueue),
            To::Agent(id) if id == agent || self.roster.get(id).is_none() => {
                return Err(SeatError::UnknownAgent);
            }
            To::Queue(_) => None,
            To::Agent(id) => Some(id.clone()),
        };
        self.seated(agent)?;
        match (to, to_agent) {
            (To::Queue(id), _) => self.transfer(id),
            (_, Some(id)) => self.transfer_to_agent(id),
            _ => {}
        }
        Ok(())
    }

    /// It is the queue's until the other agent takes it, as everything is that is offered; but it does not wait in the queue.
    fn transfer_to_agent(&mut self, agent: String) {
        self.tell(&Notice::Transferred);
        self.agent_leaves();
        self.conversation.replan(|_| false);
        self.conversation.passed_over.clear();
        self.conversation.assignment = self.conversation.last_queue.clone().map(Assignment::Queue);
        self.tell(&Notice::Updated);
        self.offer_to(agent, true);
    }

    /// Leaves; what it was about is still to be said.
    pub(crate) fn seat_leave(&mut self, agent: &str) -> Result<(), SeatError> {
        self.seated(agent)?;
        self.agent_leaves();
        self.begin_wrap_up(agent.to_owned());
        Ok(())
    }

    /// Says what it was about, which ends it; leaves first if need be.
    pub(crate) fn seat_wrap_up(
        &mut self,
        agent: &str,
        code: Option<String>,
        note: String,
    ) -> Result<(), SeatError> {
        self.signed_in(agent)?;
        let codes = &self.house.setup.transaction_codes;
        if code
            .as_ref()
            .is_some_and(|code| !codes.iter().any(|it| it.id == *code))
        {
            return Err(SeatError::UnknownCode);
        }
        let writes = self
            .conversation
            .wrap_up
            .as_ref()
            .is_some_and(|it| it.agent == agent);
        if !writes {
            self.seated(agent).map_err(|_| SeatError::NothingToWriteUp)?;
            self.agent_leaves();
        }
        self.conversation.write_up(agent, code, note);
        self.written_up();
        Ok(())
    }

    pub(super) fn begin_wrap_up(&mut self, agent: String) {
        self.roster.take(&agent, &self.conversation.id);
        let seconds = u64::from(self.house.setup.wrap_up_seconds);
        let due = Instant::now() + Duration::from_secs(seconds);
        self.conversation.plan.push_back(Step::WrapUpEnds(due));
        self.conversation.wrap_up = Some(WrapUp {
            agent,
            since_ms: now_ms(),
        });
    }

    /// The time for it is over.
    pub(super) fn wrap_up_ends(&mut self) {
        self.abandon_wrap_up();
        self.written_up();
    }

    fn written_up(&mut self) {
        self.end_wrap_up();
        // The customer may have ended it before.
        if self.conversation.state == State::Active {
            self.run(Step::Finish);
        }
    }

    /// It goes on, so nobody will say any more what it was about until then.
    pub(super) fn abandon_wrap_up(&mut self) {
        if let Some(agent) = self.conversation.wrap_up.as_ref().map(|it| it.agent.clone()) {
            self.conversation.write_up(&agent, None, String::new());
            self.end_wrap_up();
        }
    }

    fn end_wrap_up(&mut self) {
        if let Some(it) = self.conversation.wrap_up.take() {
            self.roster.release(&it.agent, &self.conversation.id);
            self.conversation
                .replan(|step| !matches!(step, Step::WrapUpEnds(_)));
        }
    }
}
