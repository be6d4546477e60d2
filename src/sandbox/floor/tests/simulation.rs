//! Agents and customers who do anything at any time, by chance, and what must hold all the while.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::Duration,
};

use serde_json::json;

use super::*;
use crate::sandbox::floor::{
    content::Content,
    roster::{Availability, Behaviour},
    setup::{AgentSetup, Setup},
};

const AGENTS: [&str; 4] = ["script", "ann", "bob", "never"];
const QUEUES: [&str; 2] = ["100", "200"];
const STEPS: u32 = 400;
/// Few, because each takes a key, which takes long.
const SEEDS: u64 = 12;

struct Simulation {
    floor: Floor,
    chance: StdRng,
    /// By order of creation: identifiers are never the same twice.
    ids: Vec<String>,
}

impl Simulation {
    fn new(seed: u64) -> Self {
        let mut floor = floor(usize::MAX);
        floor.pace = Pace::instant();
        floor.random = StdRng::seed_from_u64(seed);
        let agent = |id: &str, skills: &[&str], capacity, behaviour| AgentSetup {
            id: id.to_owned(),
            name: id.to_owned(),
            skills: skills.iter().map(|it| (*it).to_owned()).collect(),
            languages: vec!["en".to_owned()],
            capacity,
            behaviour,
        };
        let setup = Setup {
            agents: vec![
                agent("script", &["orders"], Some(3), Behaviour::Script),
                agent("ann", &["orders", "returns"], Some(2), Behaviour::Absent),
                agent("bob", &["returns"], None, Behaviour::Absent),
                agent("never", &["returns"], Some(1), Behaviour::NeverAccepts),
            ],
            ..Setup::default()
        };
        floor.set_up(setup).unwrap();
        Self {
            floor,
            chance: StdRng::seed_from_u64(seed),
            ids: Vec::new(),
        }
    }

    fn one_of<T: Clone>(&mut self, all: &[T]) -> Option<T> {
        (!all.is_empty()).then(|| all[self.chance.random_range(0..all.len())].clone())
    }

    async fn step(&mut self) {
        let what = self.chance.random_range(0..16);
        let agent = self.one_of(&AGENTS).unwrap();
        let ids = self.ids.clone();
        let Some(id) = self.one_of(&ids) else {
            return self.begin();
        };
        let floor = &mut self.floor;
        // Most of what is tried makes no sense at the time, and must be refused without a trace.
        match what {
            0 | 1 => self.begin(),
            2 => _ = floor.sign_in(agent, Availability::Available),
            3 => _ = floor.sign_in(agent, Availability::Break),
            4 => _ = floor.sign_out(agent),
            5 | 6 => _ = floor.act(&id, |it| it.seat_accept(agent)),
            7 => _ = floor.act(&id, |it| it.seat_decline(agent)),
            8 => _ = floor.act(&id, |it| it.seat_leave(agent)),
            9 => _ = floor.act(&id, |it| it.seat_wrap_up(agent, None, String::new())),
            10 => {
                let queue = To::Queue(self.one_of(&QUEUES).unwrap().to_owned());
                _ = self.floor.act(&id, |it| it.seat_transfer(agent, &queue));
            }
            11 => {
                let other = To::Agent(self.one_of(&AGENTS).unwrap().to_owned());
                _ = self.floor.act(&id, |it| it.seat_transfer(agent, &other));
            }
            12 => _ = floor.act(&id, |it| it.customer_writes(Content::text("bye"), Via::Api)),
            13 => _ = floor.act(&id, |it| it.customer_leaves()),
            14 => {
                let blocked = self.chance.random_range(0..2) == 0;
                self.floor.block(agent, blocked);
            }
            _ => {
                tokio::time::advance(Duration::from_secs(20)).await;
            }
        }
        self.floor.run_due(Instant::now());
    }

    fn begin(&mut self) {
        if self.ids.len() < 12 {
            let id = create(&mut self.floor).unwrap();
            self.ids.push(id);
        }
    }

    fn check(&self, context: &str) {
        let mut held: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
        for it in self.floor.conversations() {
            let who = [
                it.agent.as_deref(),
                it.offer.as_ref().map(|it| it.agent.as_str()),
                it.wrap_up.as_ref().map(|it| it.agent.as_str()),
            ];
            let who: Vec<&str> = who.into_iter().flatten().collect();
            assert!(
                who.len() <= 1,
                "{context}: {who:?} have to do with one conversation"
            );
            for agent in who {
                held.entry(agent).or_default().insert(it.id.clone());
            }
            let present = it.members.iter().filter(|m| m.present);
            let agents: Vec<&str> = present
                .map(|m| m.who.id())
                .filter(|id| AGENTS.contains(id))
                .collect();
            assert_eq!(
                agents,
                it.agent.as_deref().into_iter().collect::<Vec<_>>(),
                "{context}"
            );
            let waits = it.waits.is_some();
            assert!(
                waits || it.offer.is_none(),
                "{context}: what does not wait is offered"
            );
            if waits && it.offer.is_none() {
                self.check_unoffered(it, context);
            }
        }
        for agent in self.floor.roster.all() {
            let id = agent.setup.id.as_str();
            assert_eq!(
                agent.conversations,
                held.remove(id).unwrap_or_default(),
                "{context}: of {id}"
            );
        }
    }

    /// What waits and is offered to nobody could be offered to nobody.
    fn check_unoffered(&self, it: &Conversation, context: &str) {
        let moves = it.plan.iter().any(|step| matches!(step, agenda::Step::Route(_)));
        let Some(Assignment::Queue(queue)) = &it.assignment else {
            panic!("{context}: it waits nowhere");
        };
        let queue = self.floor.house.queue(queue).unwrap();
        let next = self.floor.roster.choose(queue, None, &it.passed_over);
        assert!(
            moves || next.is_none(),
            "{context}: {:?} has room",
            next.map(|it| &it.setup.id)
        );
    }

    /// Saves all and goes on with what was saved.
    fn reload(&mut self) {
        let (saved, files) = self.floor.save();
        assert!(files.is_empty());
        let text = serde_json::to_string(&saved).unwrap();
        self.floor
            .load(serde_json::from_str(&text).unwrap(), HashMap::new())
            .unwrap();
    }

    /// How everything is, without what differs each time.
    fn picture(&self) -> Vec<serde_json::Value> {
        let all = self.ids.iter().map(|id| self.floor.conversation(id).unwrap());
        all.map(|it| {
            let said = it
                .messages
                .iter()
                .map(|it| (it.author.id(), it.content.text.as_str()));
            json!([
                it.state,
                it.agent,
                it.passed_over,
                it.offer.as_ref().map(|it| &it.agent),
                said.collect::<Vec<_>>()
            ])
        })
        .collect()
    }
}

#[tokio::test(start_paused = true)]
async fn whatever_people_do_nobody_is_forgotten_and_nothing_counted_twice() {
    for seed in 0..SEEDS {
        let mut simulation = Simulation::new(seed);
        for step in 0..STEPS {
            simulation.step().await;
            simulation.check(&format!("seed {seed}, step {step}"));
            if step % 97 == 96 {
                simulation.reload();
                simulation.check(&format!("seed {seed}, step {step}, loaded"));
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_seed_makes_it_all_the_same_again() {
    let played = async |seed| {
        let mut simulation = Simulation::new(seed);
        for _ in 0..STEPS {
            simulation.step().await;
        }
        simulation.picture()
    };
    let first = played(7).await;
    assert_eq!(first, played(7).await);
    assert_ne!(first, played(8).await);
}
