//! The agent's desk: what an agent sees, and an agent driven by hand.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Input, Refusal};
use crate::sandbox::{
    Inner,
    floor::{
        DeskError, Floor,
        content::{Attachment, Message},
        conversation::{Conversation, Transaction},
        post_agent::PostAgent,
    },
    iso,
    links::Links,
    now_ms,
};

#[derive(Debug, Deserialize)]
#[serde(
    tag = "action",
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub(super) enum Action {
    Say {
        text: String,
        /// Files of the conversation that go with it.
        #[serde(default)]
        attachments: Vec<String>,
    },
    Typing,
    Transfer {
        queue_id: String,
    },
    Leave,
}

/// How many conversations are listed at most: the latest.
const LISTED: usize = 1_000;

/// Lists conversations in short, the latest first.
pub(super) async fn list(State(inner): State<Arc<Inner>>) -> Json<Value> {
    let all: Vec<Value> = inner.floor(|floor| {
        let mut all: Vec<&Conversation> = floor.conversations().collect();
        all.sort_by_key(|it| std::cmp::Reverse(it.number));
        all.iter().take(LISTED).map(|it| it.summary()).collect()
    });
    Json(json!({"conversations": all}))
}

/// Shows all that an agent would see.
pub(super) async fn show(
    State(inner): State<Arc<Inner>>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Refusal> {
    let seen = inner.floor(|floor| {
        let found = floor.conversation(&id);
        found.map(|it| to_json(it, floor, &inner.links))
    });
    seen.map(Json).ok_or_else(Refusal::no_conversation)
}

/// Lets the agent do something. From then on the agents of this conversation do nothing by themselves but accept it and
/// write it up.
pub(super) async fn drive(
    State(inner): State<Arc<Inner>>,
    Path(id): Path<String>,
    Input(action): Input<Action>,
) -> Result<StatusCode, Refusal> {
    let done = inner.floor(|floor| {
        floor
            .act(&id, |scene| {
                Ok(match action {
                    Action::Say { text, attachments } => {
                        scene.hand_say(super::content(scene.conversation, text, &attachments)?)
                    }
                    Action::Typing => scene.hand_type(),
                    Action::Transfer { queue_id } => scene.hand_transfer(&queue_id),
                    Action::Leave => scene.hand_leave(),
                })
            })
            .ok_or_else(Refusal::no_conversation)?
    })?;
    match done {
        Ok(()) => Ok(StatusCode::ACCEPTED),
        Err(why @ DeskError::UnknownQueue) => Err(Refusal::new(StatusCode::BAD_REQUEST, why.to_string())),
        Err(why @ DeskError::NoAgent) => Err(Refusal::new(StatusCode::CONFLICT, why.to_string())),
    }
}

fn to_json(conversation: &Conversation, floor: &Floor, links: &Links) -> Value {
    let queue = conversation
        .last_queue
        .as_deref()
        .and_then(|id| floor.house.queue(id));
    let members = conversation.members.iter();
    let members: Vec<Value> = members
        .map(|it| json!({"id": it.who.id(), "type": it.who.kind(), "present": it.present}))
        .collect();
    let indicators = &conversation.indicators;
    let read = indicators.read.iter();
    let read: Vec<Value> = read
        .map(|it| json!({"authorType": it.who.kind(), "readAt": it.read_ms, "at": iso(it.at_ms)}))
        .collect();
    let attachments = conversation.attachments.iter();
    let now = now_ms();
    let attachments: Vec<Value> = attachments
        .map(|it| {
            let mut shown = attachment(it);
            shown["url"] = Value::from(links.to(&conversation.id, &it.id, now));
            shown
        })
        .collect();
    let transactions = conversation.transactions.iter();
    let transactions: Vec<Value> = transactions.map(transaction).collect();
    let transcript: Vec<Value> = conversation.messages.iter().map(line).collect();
    let summary = conversation.summary();
    json!({
        "conversationId": conversation.id,
        "channelId": conversation.channel_id,
        "channelType": conversation.channel_type.as_str(),
        "createdAt": iso(conversation.created_ms),
        "state": conversation.state.as_str(),
        "assignment": conversation.assignment.as_ref().map(|it| it.to_json()),
        "queue": queue.map(|it| json!({"id": it.id, "name": it.name})),
        "agent": conversation.agent,
        "scripted": conversation.scripted,
        "user": conversation.user,
        "context": conversation.user.additional_properties.as_deref().unwrap_or_default(),
        "customer": floor.house.setup.customer(&conversation.user),
        "members": members,
        "agentTyping": conversation.agent_typing,
        "offer": summary["offer"],
        "wrapUp": summary["wrapUp"],
        "transactions": transactions,
        "typing": indicators.typing.as_ref().map(|(who, at_ms)| {
            json!({"authorType": who.kind(), "at": iso(*at_ms)})
        }),
        "thinking": indicators.thinking.map(|it| {
            json!({"authorType": "bot", "at": iso(it.at_ms), "maxThinkingTimeSeconds": it.max_seconds})
        }),
        "readReceipts": read,
        "postAgentAssignment": conversation.post_agent.as_ref().map(post_agent),
        "attachments": attachments,
        "transcript": transcript,
    })
}

fn transaction(it: &Transaction) -> Value {
    json!({"agentId": it.agent, "code": it.code, "note": it.note, "at": iso(it.at_ms)})
}

fn post_agent(it: &PostAgent) -> Value {
    json!({
        "type": "webhook",
        "id": it.webhook_id,
        "notifyChannelWebhookIfExists": it.notify_channel,
        "maxTotalMinutes": it.max_total_minutes,
        "userTimeoutInMinutes": it.user_timeout_minutes,
        "withBot": it.with_bot.is_some(),
    })
}

fn attachment(it: &Attachment) -> Value {
    json!({
        "id": it.id,
        "filename": it.name,
        "type": it.media_type,
        "sizeInBytes": it.file.size(),
        "authorType": it.author.kind(),
        "createdAt": iso(it.created_ms),
    })
}

fn line(message: &Message) -> Value {
    let content = &message.content;
    let cards: Vec<Value> = content
        .cards
        .iter()
        .map(|card| {
            json!({
                "id": card.id,
                "contentType": card.content_type,
                "content": card.content,
                "actionSubmitted": card.submitted,
                "actionExecuted": card.executed,
            })
        })
        .collect();
    let attachments = content.attachments.iter();
    let attachments: Vec<Value> = attachments
        .map(|it| json!({"id": it.id, "filename": it.name}))
        .collect();
    json!({
        "id": message.id,
        "authorType": message.author.kind(),
        "authorId": message.author.id(),
        "text": content.text,
        "attachments": attachments,
        "cards": cards,
        "externalMessageId": content.external.as_ref().map(|it| it.message_id.as_str()),
        "createdAt": iso(message.created_ms),
        "history": message.history,
    })
}
