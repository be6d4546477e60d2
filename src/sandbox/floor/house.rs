//! What a tenant has set up: channels, queues and agents.

use crate::sandbox::delivery::DEFAULT_WEBHOOK;

/// How many channels there may be.
const CHANNELS: usize = 1_000;

/// The kind of a channel, in the vendor's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
#[derive(Debug, Clone)]
pub(crate) struct Channel {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) kind: ChannelType,
    /// The queue of a conversation that names no assignment.
    pub(crate) default_queue: String,
    /// The webhook that hears its events.
    pub(crate) webhook_id: String,
}

/// Where conversations wait for an agent.
#[derive(Debug, Clone)]
pub(crate) struct Queue {
    pub(crate) id: String,
    pub(crate) name: String,
    /// The agent who serves it.
    pub(crate) agent: Agent,
    /// What its agent passes on.
    pub(crate) passes_on: Option<PassOn>,
}

/// Somebody who answers.
#[derive(Debug, Clone)]
pub(crate) struct Agent {
    pub(crate) id: String,
    pub(crate) name: String,
}

/// A topic that belongs to another queue.
#[derive(Debug, Clone)]
pub(crate) struct PassOn {
    /// Beginnings of words that give the topic away, in lower case.
    pub(crate) stems: Vec<String>,
    /// The queue to which it belongs.
    pub(crate) queue_id: String,
}

/// All of it.
#[derive(Debug, Clone)]
pub(crate) struct House {
    channels: Vec<Channel>,
    queues: Vec<Queue>,
}

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
        let queue = |id: &str, name: &str, agent: (&str, &str), passes_on| Queue {
            id: id.to_owned(),
            name: name.to_owned(),
            agent: Agent {
                id: agent.0.to_owned(),
                name: agent.1.to_owned(),
            },
            passes_on,
        };
        let returns = PassOn {
            stems: vec!["return".to_owned(), "refund".to_owned()],
            queue_id: "200".to_owned(),
        };
        Self {
            channels: vec![
                channel("sandbox-chat", "Sandbox chat", ChannelType::ChatApi),
                channel("sandbox-widget", "Sandbox widget", ChannelType::WebChat),
            ],
            queues: vec![
                queue("100", "Orders", ("maria", "Maria"), Some(returns)),
                queue("200", "Returns", ("ivan", "Ivan"), None),
            ],
        }
    }

    /// All channels.
    pub(crate) fn channels(&self) -> impl Iterator<Item = &Channel> {
        self.channels.iter()
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
        self.queues.iter().find(|q| q.id == id)
    }

    /// The queue for whatever has no other.
    pub(crate) fn first_queue(&self) -> Option<&Queue> {
        self.queues.first()
    }

    pub(crate) fn has_script(&self, id: &str) -> bool {
        id == BOT_SCRIPT
    }
}
