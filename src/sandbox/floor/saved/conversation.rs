//! A conversation as data.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::time::Instant;

use crate::{
    json,
    sandbox::{
        files::StoredFile,
        floor::{
            agenda::Step,
            content::{Attachment, Card, Content, External, Message},
            conversation::{
                Assignment, Author, Conversation, Interaction, Member, Offer, State, Transaction, WrapUp,
            },
            house::ChannelType,
            post_agent::{PostAgent, WithBot},
            script::Unanswered,
            user::User,
        },
    },
};

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct SavedConversation {
    pub(crate) id: String,
    pub(super) number: u64,
    channel_id: String,
    channel_type: ChannelType,
    created_ms: i64,
    state: State,
    pub(super) assignment: Option<Assignment>,
    user: User,
    messages: Vec<SavedMessage>,
    pub(super) files: Vec<SavedFile>,
    interactions: VecDeque<Interaction>,
    members: Vec<Member>,
    agent: Option<String>,
    last_queue: Option<String>,
    scripted: bool,
    agent_typing: bool,
    post_agent: Option<SavedPostAgent>,
    inbox: VecDeque<Unanswered>,
    pub(super) waits: Option<u64>,
    offer: Option<Offer>,
    passed_over: Vec<String>,
    wrap_up: Option<WrapUp>,
    transactions: VecDeque<Transaction>,
    plan: VecDeque<Step>,
    last_event_ms: i64,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SavedMessage {
    id: String,
    author: Author,
    text: String,
    /// Identifiers of files.
    files: Vec<String>,
    cards: Vec<SavedCard>,
    external: Option<External>,
    created_ms: i64,
    history: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SavedCard {
    id: String,
    content_type: String,
    #[serde(deserialize_with = "json::value")]
    content: Value,
    submitted: bool,
    executed: bool,
}

/// A file but for its bytes.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct SavedFile {
    pub(crate) id: String,
    name: String,
    media_type: String,
    author: Author,
    created_ms: i64,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SavedPostAgent {
    webhook_id: String,
    notify_channel: bool,
    max_total_minutes: Option<u32>,
    user_timeout_minutes: Option<u32>,
    with_bot: bool,
}

impl SavedConversation {
    pub(super) fn of(it: &Conversation) -> Self {
        Self {
            id: it.id.clone(),
            number: it.number,
            channel_id: it.channel_id.clone(),
            channel_type: it.channel_type,
            created_ms: it.created_ms,
            state: it.state,
            assignment: it.assignment.clone(),
            user: it.user.clone(),
            messages: it.messages.iter().map(SavedMessage::of).collect(),
            files: it.attachments.iter().map(|it| SavedFile::of(it)).collect(),
            interactions: it.interactions.clone(),
            members: it.members.clone(),
            agent: it.agent.clone(),
            last_queue: it.last_queue.clone(),
            scripted: it.scripted,
            agent_typing: it.agent_typing,
            post_agent: it.post_agent.as_ref().map(SavedPostAgent::of),
            inbox: it.inbox.clone(),
            waits: it.waits,
            offer: it.offer.clone(),
            passed_over: it.passed_over.clone(),
            wrap_up: it.wrap_up.clone(),
            transactions: it.transactions.clone(),
            // Those that a clock bounds, or that follow from an offer, are planned anew.
            plan: it.plan.iter().filter(|it| it.is_saved()).cloned().collect(),
            last_event_ms: it.last_event_ms,
        }
    }

    /// All agents who have to do with it.
    pub(super) fn agents(&self) -> impl Iterator<Item = &String> {
        let offered = self.offer.iter().map(|it| &it.agent);
        let writing = self.wrap_up.iter().map(|it| &it.agent);
        self.agent.iter().chain(offered).chain(writing)
    }

    /// The conversation, with its files out of `files`.
    pub(super) fn into_conversation(self, files: &mut HashMap<String, StoredFile>) -> Conversation {
        let attachments: Vec<Arc<Attachment>> = self
            .files
            .into_iter()
            .filter_map(|it| Some(Arc::new(it.with(files)?)))
            .collect();
        let messages: VecDeque<Message> = self
            .messages
            .into_iter()
            .map(|it| it.into_message(&attachments))
            .collect();
        Conversation {
            message_bytes: messages.iter().map(|it| it.content.bytes()).sum(),
            messages,
            attachments,
            counted_bytes: 0,
            id: self.id,
            number: self.number,
            channel_id: self.channel_id,
            channel_type: self.channel_type,
            created_ms: self.created_ms,
            state: self.state,
            assignment: self.assignment,
            user: self.user,
            interactions: self.interactions,
            members: self.members,
            agent: self.agent,
            last_queue: self.last_queue,
            scripted: self.scripted,
            agent_typing: self.agent_typing,
            indicators: Default::default(),
            post_agent: self.post_agent.map(SavedPostAgent::into_post_agent),
            inbox: self.inbox,
            waits: None,
            offer: self.offer,
            passed_over: self.passed_over,
            wrap_up: self.wrap_up,
            transactions: self.transactions,
            plan: self.plan,
            ticket: None,
            last_event_ms: self.last_event_ms,
        }
    }
}

impl SavedMessage {
    fn of(it: &Message) -> Self {
        let card = |it: &Card| SavedCard {
            id: it.id.clone(),
            content_type: it.content_type.clone(),
            content: it.content.clone(),
            submitted: it.submitted,
            executed: it.executed,
        };
        Self {
            id: it.id.clone(),
            author: it.author.clone(),
            text: it.content.text.clone(),
            files: it.content.attachments.iter().map(|it| it.id.clone()).collect(),
            cards: it.content.cards.iter().map(card).collect(),
            external: it.content.external.clone(),
            created_ms: it.created_ms,
            history: it.history,
        }
    }

    fn into_message(self, attachments: &[Arc<Attachment>]) -> Message {
        let file = |id: &String| attachments.iter().find(|it| it.id == *id).cloned();
        let card = |it: SavedCard| Card {
            bytes: it.content.to_string().len(),
            id: it.id,
            content_type: it.content_type,
            content: it.content,
            submitted: it.submitted,
            executed: it.executed,
        };
        Message {
            id: self.id,
            author: self.author,
            content: Content {
                text: self.text,
                attachments: self.files.iter().filter_map(file).collect(),
                cards: self.cards.into_iter().map(card).collect(),
                external: self.external,
            },
            created_ms: self.created_ms,
            history: self.history,
        }
    }
}

impl SavedFile {
    fn of(it: &Attachment) -> Self {
        Self {
            id: it.id.clone(),
            name: it.name.clone(),
            media_type: it.media_type.clone(),
            author: it.author.clone(),
            created_ms: it.created_ms,
        }
    }

    fn with(self, files: &mut HashMap<String, StoredFile>) -> Option<Attachment> {
        Some(Attachment {
            file: files.remove(&self.id)?,
            id: self.id,
            name: self.name,
            media_type: self.media_type,
            author: self.author,
            created_ms: self.created_ms,
        })
    }
}

impl SavedPostAgent {
    fn of(it: &PostAgent) -> Self {
        Self {
            webhook_id: it.webhook_id.clone(),
            notify_channel: it.notify_channel,
            max_total_minutes: it.max_total_minutes,
            user_timeout_minutes: it.user_timeout_minutes,
            with_bot: it.with_bot.is_some(),
        }
    }

    fn into_post_agent(self) -> PostAgent {
        PostAgent {
            webhook_id: self.webhook_id,
            notify_channel: self.notify_channel,
            max_total_minutes: self.max_total_minutes,
            user_timeout_minutes: self.user_timeout_minutes,
            with_bot: self.with_bot.then(|| WithBot {
                since: Instant::now(),
                unanswered_since: None,
            }),
        }
    }
}
