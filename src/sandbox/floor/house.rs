//! What a tenant has: channels, and the contact centre behind them.

use serde::{Deserialize, Serialize};

use super::setup::{Queue, Setup};
use crate::sandbox::delivery::DEFAULT_WEBHOOK;

/// How many channels there may be.
const CHANNELS: usize = 1_000;

/// The kind of a channel, in the vendor's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum ChannelType {
    /// Conversations begin by the REST API.
    ChatApi,
    /// Conversations begin in the vendor's own widget.
    WebChat,
}

impl ChannelType {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::ChatApi => "ChatAPI",
            Self::WebChat => "WebChat",
        }
    }
}

/// Where customers come from.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Channel {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) kind: ChannelType,
    /// The queue of a conversation that names no assignment.
    pub(crate) default_queue: String,
    /// The webhook that hears its events.
    pub(crate) webhook_id: String,
}

/// All of it.
#[derive(Debug, Clone)]
pub(crate) struct House {
    channels: Vec<Channel>,
    pub(crate) setup: Setup,
}

/// The channels that every sandbox has. They belong to the set-up: where their queue goes, they take its first.
const OWN_CHANNELS: [&str; 2] = ["sandbox-chat", "sandbox-widget"];

/// The script that holds a conversation of the widget before somebody asks for an agent.
pub(crate) const BOT_SCRIPT: &str = "bot";

impl House {
    /// The house that every sandbox begins with.
    pub(crate) fn new() -> Self {
        let channel = |id: &str, name: &str, kind| Channel {
            id: id.to_owned(),
            name: name.to_owned(),
            kind,
            default_queue: "100".to_owned(),
            webhook_id: DEFAULT_WEBHOOK.to_owned(),
        };
        Self {
            channels: vec![
                channel(OWN_CHANNELS[0], "Sandbox chat", ChannelType::ChatApi),
                channel(OWN_CHANNELS[1], "Sandbox widget", ChannelType::WebChat),
            ],
            setup: Setup::default(),
        }
    }

    /// All channels.
    pub(crate) fn channels(&self) -> impl Iterator<Item = &Channel> {
        self.channels.iter()
    }

    /// Takes a set-up that was checked. Answers the channel whose default queue it has not, and takes nothing then.
    pub(crate) fn set_up(&mut self, setup: Setup) -> Result<(), Channel> {
        let has = |id: &str| setup.queues.iter().any(|it| it.id == id);
        let is_own = |it: &Channel| OWN_CHANNELS.contains(&it.id.as_str());
        if let Some(stray) = self
            .channels
            .iter()
            .find(|it| !has(&it.default_queue) && !is_own(it))
        {
            return Err(stray.clone());
        }
        if let Some(first) = setup.queues.first() {
            let strays = self.channels.iter_mut().filter(|it| !has(&it.default_queue));
            strays.for_each(|it| it.default_queue.clone_from(&first.id));
        }
        self.setup = setup;
        Ok(())
    }

    /// Takes these channels in place of those that were there.
    pub(crate) fn set_channels(&mut self, channels: Vec<Channel>) {
        self.channels = channels;
    }

    /// Adds a channel; `false` if there are as many as there may be.
    pub(crate) fn add_channel(&mut self, channel: Channel) -> bool {
        let room = self.channels.len() < CHANNELS;
        if room {
            self.channels.push(channel);
        }
        room
    }

    /// Puts `channel` in the place of the one with its identifier.
    pub(crate) fn replace_channel(&mut self, channel: Channel) {
        if let Some(place) = self.channels.iter_mut().find(|c| c.id == channel.id) {
            *place = channel;
        }
    }

    pub(crate) fn remove_channel(&mut self, id: &str) {
        self.channels.retain(|c| c.id != id);
    }

    pub(crate) fn channel(&self, id: &str) -> Option<&Channel> {
        self.channels.iter().find(|c| c.id == id)
    }

    pub(crate) fn queue(&self, id: &str) -> Option<&Queue> {
        self.setup.queues.iter().find(|q| q.id == id)
    }

    /// The queue for whatever has no other.
    pub(crate) fn first_queue(&self) -> Option<&Queue> {
        self.setup.queues.first()
    }

    pub(crate) fn has_script(&self, id: &str) -> bool {
        id == BOT_SCRIPT
    }
}
