//! Who works on the floor: how it is set up, who signs in, and who gets what waits.

use super::{
    Floor,
    conversation::Assignment,
    house::Channel,
    roster::Availability,
    scene::Scene,
    setup::{Setup, SetupError},
};

impl Floor {
    /// Offers what waits to those who have got room.
    pub(super) fn seat(&mut self) {
        while self.roster.take_freed() {
            for (_, id) in self.unoffered.clone() {
                if !self.roster.has_room() {
                    break;
                }
                self.act(&id, |_| ());
            }
        }
        for id in self.roster.take_changed() {
            if let Some(agent) = self.roster.get(&id) {
                self.feed.push("agent", || agent.to_json());
            }
        }
    }

    /// Sets the contact centre up anew. Agents who stay go on; nothing that is in use can go.
    pub(crate) fn set_up(&mut self, setup: Setup) -> Result<(), SetupError> {
        setup.check()?;
        let has_queue = |id: &str| setup.queues.iter().any(|it| it.id == id);
        let mut waiting = self.conversations.values();
        let stray = waiting.find_map(|it| match &it.assignment {
            Some(Assignment::Queue(queue)) if !has_queue(queue) => Some(queue),
            _ => None,
        });
        if let Some(queue) = stray {
            return Err(SetupError(format!(
                "A conversation waits in queue {queue}, so it must stay."
            )));
        }
        let stays = |id: &str| setup.agents.iter().any(|it| it.id == id);
        let stray = self
            .roster
            .all()
            .find(|it| !it.conversations.is_empty() && !stays(&it.setup.id));
        if let Some(agent) = stray {
            let why = format!("Agent {} has conversations, so they must stay.", agent.setup.id);
            return Err(SetupError(why));
        }
        let agents = setup.agents.clone();
        self.house.set_up(setup).map_err(|channel| {
            let Channel {
                id, default_queue, ..
            } = channel;
            SetupError(format!("Channel {id} needs queue {default_queue}, its default."))
        })?;
        self.roster.replace(&agents);
        self.seat();
        Ok(())
    }

    /// Lets a person be an agent. `false` if there is no such agent.
    pub(crate) fn sign_in(&mut self, agent: &str, availability: Availability) -> bool {
        let changed = self.roster.change(agent, |it| {
            it.availability = availability;
            !std::mem::replace(&mut it.signed_in, true)
        });
        match changed {
            Some(new) => {
                self.for_each_of(agent, |scene| {
                    if new {
                        scene.person_comes();
                    }
                });
                self.pass_over_no_longer(agent);
                true
            }
            None => false,
        }
    }

    /// Lets the agent do as they did before a person was there. `false` if there is no such agent.
    pub(crate) fn sign_out(&mut self, agent: &str) -> bool {
        let changed = self
            .roster
            .change(agent, |it| std::mem::replace(&mut it.signed_in, false));
        match changed {
            Some(was) => {
                self.for_each_of(agent, |scene| {
                    if was {
                        scene.person_goes();
                    }
                });
                self.pass_over_no_longer(agent);
                true
            }
            None => false,
        }
    }

    /// Keeps an agent's script from accepting what is offered, or lets it again. `false` if there is no such agent.
    pub(crate) fn block(&mut self, agent: &str, blocked: bool) -> bool {
        let found = self.roster.change(agent, |it| it.blocked = blocked).is_some();
        if found {
            self.for_each_of(agent, |scene| scene.expect_answer());
            self.pass_over_no_longer(agent);
        }
        found
    }

    fn for_each_of(&mut self, agent: &str, act: impl Fn(&mut Scene<'_>)) {
        let all = self.roster.get(agent).map(|it| it.conversations.clone());
        let mut all: Vec<String> = all.into_iter().flatten().collect();
        // Identifiers are never the same twice, and what happens is to be.
        all.sort_by_key(|id| self.conversations.get(id).map(|it| it.number));
        for id in all {
            self.act(&id, &act);
        }
    }

    /// Who says anew that they are there is asked anew.
    fn pass_over_no_longer(&mut self, agent: &str) {
        for (_, id) in self.unoffered.clone() {
            self.act(&id, |scene| {
                scene.conversation.passed_over.retain(|it| it != agent)
            });
        }
        self.seat();
    }
}
