//! How a conversation that waits finds its agent: it is offered, accepted or not, and joined.

use std::time::Duration;

use tokio::time::Instant;

use serde_json::json;

use super::{DeskError, Scene};
use crate::sandbox::{
    floor::{
        agenda::Step,
        conversation::{Assignment, Author, Offer, State},
        notice::Notice,
        script,
        setup::Queue,
    },
    now_ms,
};

impl Scene<'_> {
    /// The queue that it waits in.
    fn waits_in(&self) -> Option<&Queue> {
        let active = self.conversation.state == State::Active && self.conversation.agent.is_none();
        match &self.conversation.assignment {
            Some(Assignment::Queue(id)) if active => self.house.queue(id),
            _ => None,
        }
    }

    /// Offers a conversation that waits to whoever is next, unless it is offered already.
    pub(crate) fn seek(&mut self) {
        // A move is under way, which would take the offer back.
        let moves = self
            .conversation
            .plan
            .iter()
            .any(|it| matches!(it, Step::Route(_)));
        if self.conversation.offer.is_some() || moves {
            return;
        }
        let Some(queue) = self.waits_in() else {
            return;
        };
        let language = self.conversation.user.language.as_deref();
        let chosen = self
            .roster
            .choose(queue, language, &self.conversation.passed_over);
        match chosen.map(|it| it.setup.id.clone()) {
            Some(agent) => self.offer_to(agent, false),
            None => self.ask_again_later(),
        }
    }

    /// Asks an agent.
    pub(super) fn offer_to(&mut self, agent: String, transferred: bool) {
        self.roster.take(&agent, &self.conversation.id);
        self.tell_offer(&agent, "offered");
        self.conversation.offer = Some(Offer {
            agent,
            since_ms: now_ms(),
            transferred,
        });
        self.expect_answer();
    }

    /// Plans what comes of an offer: that the agent accepts by the script, or that the time for it ends.
    pub(crate) fn expect_answer(&mut self) {
        let Some(offer) = &self.conversation.offer else {
            return;
        };
        let accepts = self
            .roster
            .get(&offer.agent)
            .is_some_and(|it| it.accepts_by_script());
        let next = match accepts {
            true => Step::Accept,
            false => self.offer_deadline(),
        };
        self.conversation
            .replan(|step| !matches!(step, Step::OfferEnds(_) | Step::Accept));
        self.conversation.plan.push_back(next);
    }

    fn offer_deadline(&self) -> Step {
        let seconds = u64::from(self.house.setup.offer_seconds);
        Step::OfferEnds(Instant::now() + Duration::from_secs(seconds))
    }

    /// Everybody who could take it has not: they are asked again after as long as an offer lasts.
    fn ask_again_later(&mut self) {
        let planned = |step: &Step| matches!(step, Step::OfferEnds(_));
        if !self.conversation.passed_over.is_empty() && !self.conversation.plan.iter().any(planned) {
            let again = self.offer_deadline();
            self.conversation.plan.push_back(again);
        }
    }

    /// The time for an answer is over.
    pub(super) fn offer_ends(&mut self) {
        match self.conversation.offer.as_ref().map(|it| it.agent.clone()) {
            Some(agent) => self.not_taken(&agent, "timedOut"),
            None => self.conversation.passed_over.clear(),
        }
    }

    /// The agent who was asked does not take it.
    pub(super) fn not_taken(&mut self, agent: &str, how: &str) {
        let Some(offer) = self.conversation.offer.take() else {
            return;
        };
        self.roster.release(agent, &self.conversation.id);
        self.conversation
            .replan(|step| !matches!(step, Step::OfferEnds(_) | Step::Accept));
        self.conversation.passed_over.push(agent.to_owned());
        self.tell_offer(agent, how);
        // A transfer to one agent that is not taken becomes one to the queue.
        let house = self.house;
        let queue = self.conversation.last_queue.as_deref();
        if let Some(queue) = queue.and_then(|id| house.queue(id)).filter(|_| offer.transferred) {
            self.tell(&Notice::Queued(queue));
        }
    }

    /// Takes an offer back.
    pub(super) fn withdraw_offer(&mut self) {
        if let Some(offer) = self.conversation.offer.take() {
            self.roster.release(&offer.agent, &self.conversation.id);
            self.conversation
                .replan(|step| !matches!(step, Step::OfferEnds(_) | Step::Accept));
            self.tell_offer(&offer.agent, "withdrawn");
        }
    }

    /// The agent who was asked takes it.
    pub(super) fn accept_offer(&mut self) {
        if let Some(offer) = self.conversation.offer.take() {
            self.tell_offer(&offer.agent, "accepted");
            self.join(&offer.agent);
        }
    }

    /// Has an agent join for whom somebody acts by hand: who was asked, or anybody of the queue.
    pub(super) fn join_by_hand(&mut self) -> Result<(), DeskError> {
        if self.conversation.offer.is_some() {
            self.accept_offer();
            return Ok(());
        }
        let queue = self.waits_in().ok_or(DeskError::NoAgent)?;
        let agent = self.roster.serving(queue).next().ok_or(DeskError::NoAgent)?;
        let agent = agent.setup.id.clone();
        self.join(&agent);
        Ok(())
    }

    fn join(&mut self, agent: &str) {
        self.roster.take(agent, &self.conversation.id);
        self.conversation.passed_over.clear();
        self.conversation
            .replan(|step| !matches!(step, Step::OfferEnds(_) | Step::Accept));
        self.conversation.agent = Some(agent.to_owned());
        self.conversation.assignment = Some(Assignment::Agent(agent.to_owned()));
        self.tell(&Notice::Updated);
        let author = Author::Agent(agent.to_owned());
        self.conversation.note(&author, true);
        self.tell(&Notice::Joined(author));
        if !self.roster.follows_script(agent) {
            // A person has read it all, and answers what they like.
            return self.conversation.inbox.clear();
        }
        let queue = self.conversation.last_queue.as_deref();
        let queue = queue.and_then(|id| self.house.queue(id));
        let name = self.roster.get(agent).map(|it| it.setup.name.as_str());
        if let (true, Some(queue), Some(name)) = (self.conversation.scripted, queue, name) {
            let greeting = script::greeting(name, queue, &self.conversation.user);
            self.conversation.plan.extend([Step::Type, Step::Say(greeting)]);
        }
    }

    /// A person is the agent from now on, who follows no script.
    pub(crate) fn person_comes(&mut self) {
        if self.conversation.agent.is_some() {
            self.conversation.inbox.clear();
            self.conversation.replan(|step| !step.is_scripted());
            self.show_typing(false);
        }
        self.expect_answer();
    }

    /// The person is gone: what was offered goes elsewhere, and what waits to be written up is done.
    pub(crate) fn person_goes(&mut self) {
        self.show_typing(false);
        self.withdraw_offer();
        if self.conversation.wrap_up.is_some() {
            self.wrap_up_ends();
        }
        let agent = self.conversation.agent.as_deref();
        let stays = agent.is_none_or(|it| self.roster.follows_script(it));
        if !stays {
            // Nobody is there to go on.
            self.leave();
        }
    }

    /// Goes on after it was loaded: the times that run begin anew.
    pub(crate) fn resume(&mut self) {
        self.expect_answer();
        if let Some(it) = self.conversation.wrap_up.take() {
            self.begin_wrap_up(it.agent);
        }
        self.set_clock();
    }

    fn tell_offer(&self, agent: &str, state: &str) {
        let seconds = self.house.setup.offer_seconds;
        self.out.feed.push("offer", || {
            json!({"conversationId": self.conversation.id, "agentId": agent, "state": state, "offerSeconds": seconds})
        });
    }
}
