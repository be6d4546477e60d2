//! The agents: who is there, what each can do, and who gets the next conversation.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::setup::{AgentSetup, Queue};

/// What an agent does while nobody is signed in as this agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Behaviour {
    /// Accepts and answers by the script.
    #[default]
    Script,
    /// Is offered conversations and lets each ring until its time is up.
    NeverAccepts,
    /// Is not there.
    Absent,
}

/// What a person who is signed in has said of themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Availability {
    #[default]
    Available,
    /// There, and offered nothing.
    Break,
    /// Offered nothing; what was taken goes on.
    Offline,
}

/// An agent.
#[derive(Debug, Clone)]
pub(crate) struct Agent {
    pub(crate) setup: AgentSetup,
    /// Whether a person is this agent.
    pub(crate) signed_in: bool,
    pub(crate) availability: Availability,
    /// Whether a fault keeps the script from accepting.
    pub(crate) blocked: bool,
    /// Conversations that are offered to, taken by, or written up by this agent.
    pub(crate) conversations: BTreeSet<String>,
    /// Which offer was the last: who waits longest is offered the next.
    last_offer: u64,
}

impl Agent {
    fn new(setup: AgentSetup) -> Self {
        Self {
            setup,
            signed_in: false,
            availability: Availability::default(),
            blocked: false,
            conversations: BTreeSet::new(),
            last_offer: 0,
        }
    }

    /// Whether nobody but the script says what this agent does.
    pub(crate) fn follows_script(&self) -> bool {
        !self.signed_in && self.setup.behaviour == Behaviour::Script
    }

    /// Whether the script accepts what is offered.
    pub(crate) fn accepts_by_script(&self) -> bool {
        self.follows_script() && !self.blocked
    }

    /// Whether another conversation can be offered.
    fn takes_offers(&self) -> bool {
        let there = match self.signed_in {
            true => self.availability == Availability::Available,
            false => self.setup.behaviour != Behaviour::Absent,
        };
        let taken = self.conversations.len();
        there && self.setup.capacity.is_none_or(|most| taken < most as usize)
    }

    fn speaks(&self, language: &str) -> bool {
        self.setup.languages.iter().any(|it| it == language)
    }

    pub(crate) fn to_json(&self) -> Value {
        json!({
            "id": self.setup.id,
            "name": self.setup.name,
            "skills": self.setup.skills,
            "languages": self.setup.languages,
            "capacity": self.setup.capacity,
            "behaviour": self.setup.behaviour,
            "neverAccepts": self.blocked || self.setup.behaviour == Behaviour::NeverAccepts,
            "signedIn": self.signed_in,
            "availability": self.signed_in.then_some(self.availability),
            "takesOffers": self.takes_offers(),
            "conversations": self.conversations,
        })
    }
}

/// All agents, in the order of their set-up.
#[derive(Debug, Default)]
pub(crate) struct Roster {
    agents: Vec<Agent>,
    offers: u64,
    /// Whether somebody may be offered more than before.
    freed: bool,
    changed: BTreeSet<String>,
}

impl Roster {
    pub(crate) fn new(agents: &[AgentSetup]) -> Self {
        Self {
            agents: agents.iter().cloned().map(Agent::new).collect(),
            ..Self::default()
        }
    }

    /// Takes these agents in place of those who were there. Who stays goes on as before.
    pub(crate) fn replace(&mut self, agents: &[AgentSetup]) {
        let mut before = std::mem::take(&mut self.agents);
        for setup in agents {
            let known = before.iter().position(|it| it.setup.id == setup.id);
            let agent = match known {
                Some(at) => Agent {
                    setup: setup.clone(),
                    ..before.swap_remove(at)
                },
                None => Agent::new(setup.clone()),
            };
            self.changed.insert(setup.id.clone());
            self.agents.push(agent);
        }
        self.freed = true;
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Agent> {
        self.agents.iter()
    }

    pub(crate) fn get(&self, id: &str) -> Option<&Agent> {
        self.agents.iter().find(|it| it.setup.id == id)
    }

    /// Changes an agent; `None` if there is no such agent.
    pub(crate) fn change<T>(&mut self, id: &str, change: impl FnOnce(&mut Agent) -> T) -> Option<T> {
        let changed = self.agents.iter_mut().find(|it| it.setup.id == id).map(change);
        if changed.is_some() {
            self.freed = true;
            self.changed.insert(id.to_owned());
        }
        changed
    }

    pub(crate) fn follows_script(&self, id: &str) -> bool {
        self.get(id).is_some_and(Agent::follows_script)
    }

    /// Who is offered the next conversation of `queue`: of those who have its skill and room, who speaks the customer's
    /// language goes first, then who has gone without an offer for longest.
    pub(crate) fn choose(
        &self,
        queue: &Queue,
        language: Option<&str>,
        passed_over: &[String],
    ) -> Option<&Agent> {
        let fit = self.serving(queue).filter(|it| it.takes_offers());
        let fit = fit.filter(|it| !passed_over.contains(&it.setup.id));
        fit.min_by_key(|it| (language.is_some_and(|wanted| !it.speaks(wanted)), it.last_offer))
    }

    /// Whether anybody could be offered anything.
    pub(crate) fn has_room(&self) -> bool {
        self.agents.iter().any(Agent::takes_offers)
    }

    /// Who has the queue's skill, there or not.
    pub(crate) fn serving(&self, queue: &Queue) -> impl Iterator<Item = &Agent> {
        self.agents
            .iter()
            .filter(|it| it.setup.skills.contains(&queue.skill))
    }

    /// Counts a conversation as the agent's.
    pub(crate) fn take(&mut self, id: &str, conversation: &str) {
        self.offers += 1;
        let offers = self.offers;
        if let Some(agent) = self.agents.iter_mut().find(|it| it.setup.id == id) {
            agent.last_offer = offers;
            agent.conversations.insert(conversation.to_owned());
            self.changed.insert(id.to_owned());
        }
    }

    /// Counts it so no longer.
    pub(crate) fn release(&mut self, id: &str, conversation: &str) {
        let agent = self.agents.iter_mut().find(|it| it.setup.id == id);
        if agent.is_some_and(|it| it.conversations.remove(conversation)) {
            self.freed = true;
            self.changed.insert(id.to_owned());
        }
    }

    /// Forgets a conversation that is gone.
    pub(crate) fn forget(&mut self, conversation: &str) {
        for id in self
            .agents
            .iter()
            .map(|it| it.setup.id.clone())
            .collect::<Vec<_>>()
        {
            self.release(&id, conversation);
        }
    }

    /// Whether somebody got room since this was last asked.
    pub(crate) fn take_freed(&mut self) -> bool {
        std::mem::take(&mut self.freed)
    }

    /// Who changed since this was last asked.
    pub(crate) fn take_changed(&mut self) -> BTreeSet<String> {
        std::mem::take(&mut self.changed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::floor::setup::Setup;

    fn agent(id: &str, skill: &str, languages: &[&str], capacity: Option<u32>) -> AgentSetup {
        AgentSetup {
            id: id.to_owned(),
            name: id.to_owned(),
            skills: vec![skill.to_owned()],
            languages: languages.iter().map(|it| (*it).to_owned()).collect(),
            capacity,
            behaviour: Behaviour::Script,
        }
    }

    fn chosen(roster: &Roster, language: Option<&str>, passed_over: &[&str]) -> Option<String> {
        let setup = Setup::default();
        let over: Vec<String> = passed_over.iter().map(|it| (*it).to_owned()).collect();
        let chosen = roster.choose(&setup.queues[0], language, &over);
        chosen.map(|it| it.setup.id.clone())
    }

    #[test]
    fn skill_and_room_are_needed_language_and_a_long_wait_are_preferred() {
        let mut roster = Roster::new(&[
            agent("other", "returns", &["de"], None),
            agent("ann", "orders", &["en"], Some(1)),
            agent("bob", "orders", &["en", "de"], None),
        ]);
        assert_eq!(chosen(&roster, Some("en"), &[]).as_deref(), Some("ann"));
        assert_eq!(chosen(&roster, Some("de"), &[]).as_deref(), Some("bob"));
        assert_eq!(
            chosen(&roster, Some("fr"), &[]).as_deref(),
            Some("ann"),
            "better than nobody"
        );
        roster.take("ann", "c1");
        assert_eq!(
            chosen(&roster, Some("en"), &[]).as_deref(),
            Some("bob"),
            "she has no room"
        );
        roster.release("ann", "c1");
        assert_eq!(
            chosen(&roster, None, &[]).as_deref(),
            Some("bob"),
            "he waits longer"
        );
        assert_eq!(chosen(&roster, None, &["bob"]).as_deref(), Some("ann"));
        assert_eq!(chosen(&roster, None, &["bob", "ann"]), None);
    }

    #[test]
    fn who_is_absent_or_on_a_break_is_offered_nothing() {
        let mut roster = Roster::new(&[agent("ann", "orders", &[], None)]);
        roster.change("ann", |it| it.setup.behaviour = Behaviour::Absent);
        assert_eq!(chosen(&roster, None, &[]), None);
        roster.change("ann", |it| it.signed_in = true);
        assert_eq!(chosen(&roster, None, &[]).as_deref(), Some("ann"));
        for away in [Availability::Break, Availability::Offline] {
            roster.change("ann", |it| it.availability = away);
            assert_eq!(chosen(&roster, None, &[]), None);
        }
        assert!(roster.take_freed() && !roster.take_freed());
        assert_eq!(roster.change("bob", |_| ()), None);
    }
}
