//! A conversation and what belongs to it, as data.

use std::{collections::VecDeque, sync::Arc};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    agenda::Step,
    content::{Attachment, Card, Content, Message},
    house::ChannelType,
    indicators::Indicators,
    post_agent::PostAgent,
    script::Unanswered,
    user::User,
};

/// How many messages and interactions a conversation keeps; the oldest go first.
const MESSAGES_KEPT: usize = 1_000;
const INTERACTIONS_KEPT: usize = 1_000;
const TRANSACTIONS_KEPT: usize = 1_000;

/// Where a conversation stands, in the vendor's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum State {
    Created,
    Active,
    Idle,
}

impl State {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Active => "active",
            Self::Idle => "idle",
        }
    }
}

/// What a conversation is assigned to, by identifier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Assignment {
    Queue(String),
    Script(String),
    Agent(String),
}

impl Assignment {
    pub(crate) fn to_json(&self) -> Value {
        let (kind, id) = match self {
            Self::Queue(id) => ("queue", id),
            Self::Script(id) => ("script", id),
            Self::Agent(id) => ("agent", id),
        };
        json!({"type": kind, "id": id})
    }
}

/// Who wrote a message or takes part. Customer and bot have no other identifier than these words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Author {
    User,
    Bot,
    Agent(String),
}

impl Author {
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Bot => "bot",
            Self::Agent(_) => "agent",
        }
    }

    pub(crate) fn id(&self) -> &str {
        match self {
            Self::Agent(id) => id,
            other => other.kind(),
        }
    }
}

/// Somebody who takes or took part.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Member {
    pub(crate) who: Author,
    pub(crate) present: bool,
}

/// A stretch of time in which a conversation was active.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Interaction {
    pub(crate) id: String,
    pub(crate) start_ms: i64,
    /// `None`: it goes on.
    pub(crate) end_ms: Option<i64>,
}

/// An agent is asked to take a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Offer {
    pub(crate) agent: String,
    pub(crate) since_ms: i64,
    /// Whether it comes from a transfer to this agent, and not from a queue.
    pub(crate) transferred: bool,
}

/// A person who has left a conversation has yet to say what it was about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct WrapUp {
    pub(crate) agent: String,
    pub(crate) since_ms: i64,
}

/// What an agent wrote of an interaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Transaction {
    pub(crate) agent: String,
    /// `None`: the time was over before the agent named one.
    pub(crate) code: Option<String>,
    pub(crate) note: String,
    pub(crate) at_ms: i64,
}

/// A conversation.
#[derive(Debug)]
pub(crate) struct Conversation {
    pub(crate) id: String,
    /// Place in the order of creation, which breaks ties within a millisecond.
    pub(crate) number: u64,
    pub(crate) channel_id: String,
    pub(crate) channel_type: ChannelType,
    pub(crate) created_ms: i64,
    pub(crate) state: State,
    pub(crate) assignment: Option<Assignment>,
    pub(crate) user: User,
    pub(crate) messages: VecDeque<Message>,
    /// How many bytes those have, roughly.
    pub(crate) message_bytes: usize,
    /// How many bytes of this conversation the floor has counted.
    pub(crate) counted_bytes: usize,
    pub(crate) attachments: Vec<Arc<Attachment>>,
    pub(crate) interactions: VecDeque<Interaction>,
    pub(crate) members: Vec<Member>,
    /// The agent who is there now.
    pub(crate) agent: Option<String>,
    /// The queue in which it was last, where a new message takes it again.
    pub(crate) last_queue: Option<String>,
    /// Whether agents follow the script; once driven by hand, they stay silent by themselves.
    pub(crate) scripted: bool,
    /// Whether the agent is shown as typing.
    pub(crate) agent_typing: bool,
    /// What the agent is shown of the other side.
    pub(crate) indicators: Indicators,
    /// Who takes it over after the agent.
    pub(crate) post_agent: Option<PostAgent>,
    /// What the agent has yet to answer.
    pub(crate) inbox: VecDeque<Unanswered>,
    /// Its place among those that wait in queues, while it does.
    pub(crate) waits: Option<u64>,
    /// To whom it is offered.
    pub(crate) offer: Option<Offer>,
    /// Who was offered it and did not take it, since it came into its queue.
    pub(crate) passed_over: Vec<String>,
    /// Who writes it up.
    pub(crate) wrap_up: Option<WrapUp>,
    /// What agents wrote when they wrote it up, oldest first.
    pub(crate) transactions: VecDeque<Transaction>,
    /// What is to happen next, in this order.
    pub(crate) plan: VecDeque<Step>,
    /// The agenda's entry for the first step of the plan.
    pub(crate) ticket: Option<u64>,
    /// The time of its last event, which no later event may precede.
    pub(crate) last_event_ms: i64,
}

impl Conversation {
    /// Keeps a message and says where to find it.
    pub(crate) fn keep(&mut self, author: Author, content: Content, history: bool) -> Message {
        self.note(&author, true);
        let message = Message {
            id: crate::sandbox::new_id(),
            author,
            content,
            created_ms: crate::sandbox::now_ms(),
            history,
        };
        if self.messages.len() >= MESSAGES_KEPT {
            self.forget_messages(1);
        }
        self.message_bytes += message.content.bytes();
        self.messages.push_back(message.clone());
        message
    }

    /// Forgets the oldest messages, as many as have these bytes, but never the last.
    pub(crate) fn forget_messages(&mut self, bytes: usize) {
        let enough = self.message_bytes.saturating_sub(bytes);
        while self.message_bytes > enough && self.messages.len() > 1 {
            let oldest = self.messages.pop_front();
            self.message_bytes -= oldest.map_or(0, |it| it.content.bytes());
        }
    }

    /// Notes that an interaction begins.
    pub(crate) fn begin_interaction(&mut self, tenant: &str) {
        let start_ms = crate::sandbox::now_ms();
        if self.interactions.len() >= INTERACTIONS_KEPT {
            self.interactions.pop_front();
        }
        self.interactions.push_back(Interaction {
            id: format!("int-{start_ms:x}-{}-chat-00-{tenant}", crate::sandbox::new_id()),
            start_ms,
            end_ms: None,
        });
    }

    /// Notes that the interaction has ended, if there was one.
    pub(crate) fn end_interaction(&mut self) {
        if let Some(last) = self.interactions.back_mut() {
            let now = crate::sandbox::now_ms();
            last.end_ms.get_or_insert(now.max(last.start_ms));
        }
    }

    /// Keeps what an agent wrote of it.
    pub(crate) fn write_up(&mut self, agent: &str, code: Option<String>, note: String) {
        if self.transactions.len() >= TRANSACTIONS_KEPT {
            self.transactions.pop_front();
        }
        self.transactions.push_back(Transaction {
            agent: agent.to_owned(),
            code,
            note,
            at_ms: crate::sandbox::now_ms(),
        });
    }

    /// How it is now, without what was said.
    pub(crate) fn summary(&self) -> Value {
        json!({
            "conversationId": self.id,
            "channelId": self.channel_id,
            "state": self.state.as_str(),
            "assignment": self.assignment.as_ref().map(Assignment::to_json),
            "queueId": self.last_queue,
            "agentId": self.agent,
            "offer": self.offer.as_ref().map(|it| json!({
                "agentId": it.agent,
                "since": crate::sandbox::iso(it.since_ms),
                "transferred": it.transferred,
            })),
            "wrapUp": self.wrap_up.as_ref().map(|it| json!({
                "agentId": it.agent,
                "since": crate::sandbox::iso(it.since_ms),
            })),
            "user": {"name": self.user.name, "userId": self.user.user_id},
            "messages": self.messages.len(),
            "createdAt": crate::sandbox::iso(self.created_ms),
            "lastEventAt": crate::sandbox::iso(self.last_event_ms),
        })
    }

    /// Whether it waits for an agent in this queue.
    pub(crate) fn waits_in(&self, queue: &str) -> bool {
        self.agent.is_none() && matches!(&self.assignment, Some(Assignment::Queue(id)) if id == queue)
    }

    /// The file under this identifier.
    pub(crate) fn attachment(&self, id: &str) -> Option<&Arc<Attachment>> {
        self.attachments.iter().find(|it| it.id == id)
    }

    /// The card under this identifier.
    pub(crate) fn card_mut(&mut self, id: &str) -> Option<&mut Card> {
        let cards = self.messages.iter_mut().flat_map(|it| &mut it.content.cards);
        cards.into_iter().find(|it| it.id == id)
    }

    /// Whether what the customer writes is for the bot and not for an agent.
    pub(crate) fn is_with_bot(&self) -> bool {
        let handed_back = self.post_agent.as_ref().is_some_and(|it| it.with_bot.is_some());
        handed_back || matches!(self.assignment, Some(Assignment::Script(_)))
    }

    /// Notes that somebody is there or gone; says whether that is news.
    pub(crate) fn note(&mut self, who: &Author, present: bool) -> bool {
        if let Some(member) = self.members.iter_mut().find(|m| m.who == *who) {
            return std::mem::replace(&mut member.present, present) != present;
        }
        self.members.push(Member {
            who: who.clone(),
            present,
        });
        present
    }

    pub(crate) fn is_present(&self, who: &Author) -> bool {
        self.members.iter().any(|m| m.who == *who && m.present)
    }

    /// Forgets planned steps that `keep` does not name. The agenda takes the first of the rest anew.
    pub(crate) fn replan(&mut self, keep: impl Fn(&Step) -> bool) {
        self.plan.retain(keep);
        self.ticket = None;
    }
}
