//! The floor as data: what is saved of it, and how it comes back.
//!
//! Saved is what was said and where everything stands. Times that run (offers, writing up, the bot's after the agent) begin anew
//! when it is loaded; what was under way to webhooks is not saved.

mod conversation;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use serde::{Deserialize, Serialize};

pub(crate) use self::conversation::SavedConversation;
use super::{
    Floor,
    content::Attachment,
    conversation::Assignment,
    house::Channel,
    roster::{Agent, Availability, Roster},
    setup::{Setup, SetupError},
};
use crate::sandbox::files::StoredFile;

/// The version of this form.
pub(crate) const VERSION: u32 = 1;

/// A floor.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct SavedFloor {
    pub(crate) version: u32,
    setup: Setup,
    channels: Vec<Channel>,
    agents: Vec<SavedAgent>,
    pub(crate) conversations: Vec<SavedConversation>,
}

/// Where an agent is.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SavedAgent {
    id: String,
    signed_in: bool,
    availability: Availability,
}

impl Floor {
    /// All that is saved but the bytes of files, which are in the attachments.
    pub(crate) fn save(&self) -> (SavedFloor, Vec<Arc<Attachment>>) {
        let agent = |it: &Agent| SavedAgent {
            id: it.setup.id.clone(),
            signed_in: it.signed_in,
            availability: it.availability,
        };
        let all = self.conversations.values();
        let files = all
            .clone()
            .flat_map(|it| it.attachments.iter().cloned())
            .collect();
        let saved = SavedFloor {
            version: VERSION,
            setup: self.house.setup.clone(),
            channels: self.house.channels().cloned().collect(),
            agents: self.roster.all().map(agent).collect(),
            conversations: all.map(SavedConversation::of).collect(),
        };
        (saved, files)
    }

    /// Takes what was saved in place of all that is here; `files` has the attachments' bytes, by identifier.
    pub(crate) fn load(
        &mut self,
        saved: SavedFloor,
        mut files: HashMap<String, StoredFile>,
    ) -> Result<(), SetupError> {
        saved.check(&files)?;
        self.house.setup = saved.setup;
        self.house.set_channels(saved.channels);
        self.roster = Roster::new(&self.house.setup.agents);
        for agent in &saved.agents {
            self.roster.change(&agent.id, |it| {
                it.signed_in = agent.signed_in;
                it.availability = agent.availability;
            });
        }
        self.conversations = BTreeMap::new();
        self.unoffered = BTreeSet::new();
        self.kept_bytes = 0;
        let mut waiting: Vec<(Option<u64>, u64, String)> = Vec::new();
        for it in saved.conversations {
            waiting.push((it.waits, it.number, it.id.clone()));
            self.created = self.created.max(it.number);
            let conversation = it.into_conversation(&mut files);
            let holders = [
                conversation.agent.as_ref(),
                conversation.wrap_up.as_ref().map(|it| &it.agent),
                conversation.offer.as_ref().map(|it| &it.agent),
            ];
            for agent in holders.into_iter().flatten() {
                self.roster.take(agent, &conversation.id);
            }
            self.conversations.insert(conversation.id.clone(), conversation);
        }
        // Who waited longest is first again. Nobody has room anew before all are seated.
        self.roster.take_freed();
        waiting.sort();
        for (_, _, id) in &waiting {
            self.recount(id);
            self.note_waiting(id);
        }
        for (_, _, id) in waiting {
            self.act(&id, |scene| scene.resume());
        }
        Ok(())
    }
}

impl SavedFloor {
    /// Checks that everything refers to what is there.
    fn check(&self, files: &HashMap<String, StoredFile>) -> Result<(), SetupError> {
        if self.version != VERSION {
            let why = format!(
                "This state has version {}, and this sandbox reads {VERSION}.",
                self.version
            );
            return Err(SetupError(why));
        }
        self.setup.check()?;
        let has_queue = |id: &str| self.setup.queues.iter().any(|it| it.id == id);
        if let Some(it) = self.channels.iter().find(|it| !has_queue(&it.default_queue)) {
            let why = format!(
                "Channel {} has the queue {}, which there is not.",
                it.id, it.default_queue
            );
            return Err(SetupError(why));
        }
        let mut ids = BTreeSet::new();
        for it in &self.conversations {
            let wrong = |what: String| Err(SetupError(format!("Conversation {}: {what}.", it.id)));
            if !ids.insert(&it.id) {
                return wrong("it is there twice".to_owned());
            }
            if let Some(Assignment::Queue(queue)) = &it.assignment
                && !has_queue(queue)
            {
                return wrong(format!("there is no queue {queue}"));
            }
            let known = |agent: &&String| self.setup.agents.iter().any(|it| it.id == **agent);
            if let Some(agent) = it.agents().find(|it| !known(it)) {
                return wrong(format!("there is no agent {agent}"));
            }
            if let Some(file) = it.files.iter().find(|it| !files.contains_key(&it.id)) {
                return wrong(format!("the bytes of file {} are missing", file.id));
            }
        }
        Ok(())
    }
}
