//! The floor: all conversations, and the agents who work on them.

mod agenda;
pub(crate) mod content;
pub(crate) mod conversation;
pub(crate) mod house;
mod indicators;
mod notice;
pub(crate) mod post_agent;
pub(crate) mod roster;
pub(crate) mod saved;
mod scene;
mod script;
pub(crate) mod setup;
mod staff;
#[cfg(test)]
mod tests;
pub(crate) mod user;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use tokio::time::Instant;

pub(crate) use self::scene::{CardError, DeskError, SeatError, To, Via};
use self::{
    agenda::Agenda,
    content::Content,
    conversation::{Assignment, Author, Conversation, State},
    house::{Channel, House},
    notice::Outlet,
    roster::Roster,
    scene::Scene,
    user::User,
};
use super::{Pace, delivery::Dispatcher, feed::Feed, links::Links, new_id, now_ms};

/// How many conversations a floor holds. Past that, the one that was idle first makes room.
const CONVERSATIONS: usize = 10_000;
/// How many bytes of texts, cards and customers' data a floor keeps, roughly. Past that, idle conversations make room, and without
/// any the oldest messages of the one that grows.
const KEPT_BYTES: usize = 512 << 20;
/// How many steps the driver does before others may have the floor.
const BATCH: usize = 256;

/// A conversation that the REST API begins. All of it was checked.
#[derive(Debug)]
pub(crate) struct NewConversation {
    pub(crate) user: User,
    /// `None`: the channel's default queue.
    pub(crate) assignment: Option<Assignment>,
    pub(crate) history: Vec<(Author, Content)>,
}

/// There are as many conversations as the floor holds, or they are as large, and none is idle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the sandbox holds 10000 conversations, or 512 MiB of them, and none of them is idle: end some")]
pub(crate) struct Full;

/// All conversations, and the agents who work on them.
pub(crate) struct Floor {
    pub(crate) house: House,
    pub(crate) roster: Roster,
    conversations: BTreeMap<String, Conversation>,
    created: u64,
    /// Conversations that wait and are offered to nobody, longest first.
    unoffered: BTreeSet<(u64, String)>,
    waited: u64,
    kept_bytes: usize,
    most_bytes: usize,
    agenda: Agenda,
    dispatcher: Dispatcher,
    links: Arc<Links>,
    feed: Arc<Feed>,
    pace: Pace,
    random: StdRng,
}

impl Floor {
    pub(crate) fn new(
        house: House,
        dispatcher: Dispatcher,
        links: Arc<Links>,
        pace: Pace,
        seed: Option<u64>,
    ) -> Self {
        Self {
            roster: Roster::new(&house.setup.agents),
            house,
            conversations: BTreeMap::new(),
            created: 0,
            unoffered: BTreeSet::new(),
            waited: 0,
            kept_bytes: 0,
            most_bytes: KEPT_BYTES,
            agenda: Agenda::default(),
            feed: Arc::clone(dispatcher.feed()),
            dispatcher,
            links,
            pace,
            random: StdRng::seed_from_u64(seed.unwrap_or_else(rand::random)),
        }
    }

    /// A conversation.
    pub(crate) fn conversation(&self, id: &str) -> Option<&Conversation> {
        self.conversations.get(id)
    }

    /// All conversations, by identifier.
    pub(crate) fn conversations(&self) -> impl Iterator<Item = &Conversation> {
        self.conversations.values()
    }

    /// Begins a conversation as the REST API does. Identifier and time of creation, Unix milliseconds.
    pub(crate) fn create(&mut self, channel: &Channel, new: NewConversation) -> Result<(String, i64), Full> {
        let first = new
            .assignment
            .unwrap_or_else(|| Assignment::Queue(channel.default_queue.clone()));
        let (id, created_ms) = self.insert(channel, new.user)?;
        self.act(&id, |scene| {
            scene.conversation.note(&Author::User, true);
            for (author, content) in new.history {
                scene.conversation.keep(author, content, true);
            }
            scene.open(first);
        });
        Ok((id, created_ms))
    }

    /// Begins a conversation as the vendor's widget does. Its identifier.
    pub(crate) fn create_in_widget(
        &mut self,
        channel: &Channel,
        user: User,
        text: String,
    ) -> Result<String, Full> {
        let (id, _) = self.insert(channel, user)?;
        self.act(&id, |scene| scene.open_in_widget(text));
        Ok(id)
    }

    fn insert(&mut self, channel: &Channel, user: User) -> Result<(String, i64), Full> {
        self.make_room()?;
        self.created += 1;
        let created_ms = now_ms();
        let conversation = Conversation {
            id: new_id(),
            number: self.created,
            channel_id: channel.id.clone(),
            channel_type: channel.kind,
            created_ms,
            state: State::Created,
            assignment: None,
            user,
            messages: Default::default(),
            message_bytes: 0,
            counted_bytes: 0,
            attachments: Vec::new(),
            interactions: Default::default(),
            members: Vec::new(),
            agent: None,
            last_queue: None,
            scripted: true,
            agent_typing: false,
            indicators: Default::default(),
            post_agent: None,
            inbox: Default::default(),
            waits: None,
            offer: None,
            passed_over: Vec::new(),
            wrap_up: None,
            transactions: Default::default(),
            plan: Default::default(),
            ticket: None,
            last_event_ms: created_ms,
        };
        let id = conversation.id.clone();
        self.conversations.insert(id.clone(), conversation);
        Ok((id, created_ms))
    }

    fn make_room(&mut self) -> Result<(), Full> {
        if self.conversations.len() < CONVERSATIONS && self.kept_bytes < self.most_bytes {
            return Ok(());
        }
        self.forget_idle("").then_some(()).ok_or(Full)
    }

    /// Forgets the conversation that has been idle longest; `false` if none is, but for `spared`.
    fn forget_idle(&mut self, spared: &str) -> bool {
        let idle = self.conversations.values();
        let idle = idle.filter(|c| c.state == State::Idle && c.id != spared);
        let Some(first) = idle.min_by_key(|c| c.last_event_ms).map(|c| c.id.clone()) else {
            return false;
        };
        if let Some(forgotten) = self.conversations.remove(&first) {
            self.kept_bytes -= forgotten.counted_bytes;
            self.roster.forget(&forgotten.id);
        }
        true
    }

    /// Counts what a conversation keeps by now, and makes room where that is too much.
    fn count(&mut self, id: &str) {
        self.recount(id);
        while self.kept_bytes > self.most_bytes && self.forget_idle(id) {}
        let over = self.kept_bytes.saturating_sub(self.most_bytes);
        if over > 0
            && let Some(conversation) = self.conversations.get_mut(id)
        {
            conversation.forget_messages(over);
            self.recount(id);
        }
    }

    fn recount(&mut self, id: &str) {
        if let Some(conversation) = self.conversations.get_mut(id) {
            let now = conversation.message_bytes + conversation.user.bytes();
            self.kept_bytes = self.kept_bytes - conversation.counted_bytes + now;
            conversation.counted_bytes = now;
        }
    }

    /// Lets `what` happen in a conversation; `None` if there is no such conversation.
    pub(crate) fn act<T>(&mut self, id: &str, what: impl FnOnce(&mut Scene<'_>) -> T) -> Option<T> {
        let mut scene = Scene {
            conversation: self.conversations.get_mut(id)?,
            house: &self.house,
            roster: &mut self.roster,
            out: Outlet {
                house: &self.house,
                dispatcher: &self.dispatcher,
                links: &self.links,
                feed: &self.feed,
            },
            random: &mut self.random,
        };
        let result = what(&mut scene);
        scene.attend();
        scene.seek();
        self.note_waiting(id);
        self.count(id);
        self.enter_in_agenda(id);
        self.show(id);
        self.seat();
        Some(result)
    }

    fn note_waiting(&mut self, id: &str) {
        let Some(conversation) = self.conversations.get_mut(id) else {
            return;
        };
        let queued = matches!(conversation.assignment, Some(Assignment::Queue(_)));
        match (queued && conversation.agent.is_none(), conversation.waits) {
            (true, None) => {
                self.waited += 1;
                conversation.waits = Some(self.waited);
            }
            (false, Some(place)) => {
                conversation.waits = None;
                self.unoffered.remove(&(place, id.to_owned()));
            }
            _ => {}
        }
        if let Some(place) = conversation.waits {
            let entry = (place, id.to_owned());
            match conversation.offer {
                None => self.unoffered.insert(entry),
                Some(_) => self.unoffered.remove(&entry),
            };
        }
    }

    /// Shows on the feed how a conversation is now.
    fn show(&mut self, id: &str) {
        if let Some(conversation) = self.conversations.get(id) {
            self.feed.push("conversation", || conversation.summary());
        }
    }

    fn enter_in_agenda(&mut self, id: &str) {
        let Some(conversation) = self.conversations.get_mut(id) else {
            return;
        };
        if let (None, Some(step)) = (conversation.ticket, conversation.plan.front()) {
            let by_pace = self.pace.of(step.human_delay(), self.random.random());
            let due = step.fixed().unwrap_or_else(|| Instant::now() + by_pace);
            conversation.ticket = Some(self.agenda.enter(due, id));
        }
    }

    /// Does what is due by `now`, up to a batch, and says when the next step is due.
    pub(crate) fn run_due(&mut self, now: Instant) -> Option<Instant> {
        for _ in 0..BATCH {
            let Some((id, ticket)) = self.agenda.take_due(now) else {
                break;
            };
            let step = self.conversations.get_mut(&id).and_then(|conversation| {
                // An entry that its conversation has forgotten stands for a step that was planned away.
                (conversation.ticket == Some(ticket)).then(|| {
                    conversation.ticket = None;
                    conversation.plan.pop_front()
                })?
            });
            if let Some(step) = step {
                self.act(&id, |scene| scene.run(step));
            }
        }
        self.agenda.next_due()
    }
}
