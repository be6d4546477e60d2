//! `/conversations/{id}/messages`.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    http::{StatusCode, Uri},
    response::Response,
};
use serde_json::{Value, json};

use super::{
    Body, cards, hal,
    page::{PageRequest, Rules},
    problem::Problem,
    validate::{self, Findings, MessageBody},
};
use crate::sandbox::{
    Inner,
    floor::{
        Via,
        content::Message,
        conversation::{Author, Conversation},
    },
    iso,
};

const RULES: Rules = Rules {
    sort: &["createdAt"],
    ascending: false,
    filter: &[],
};

/// Sends a message: 202 without a body, whatever becomes of it.
pub(super) async fn send(
    State(inner): State<Arc<Inner>>,
    Path(id): Path<String>,
    Body(body): Body<MessageBody>,
) -> Result<StatusCode, Problem> {
    inner.floor(|floor| {
        let conversation = floor
            .conversation(&id)
            .ok_or_else(|| Problem::no_conversation(&id))?;
        let mut findings = Findings::default();
        let message = validate::message(body, &conversation.attachments, "", &mut findings);
        if let Some(first) = findings.0.first() {
            return Err(Problem::bad_request(&first.fault));
        }
        floor.act(&id, |scene| match message {
            Some((Author::User, content)) => scene.customer_writes(content, Via::Api),
            Some((_, content)) => scene.bot_writes(content),
            None => {}
        });
        Ok(StatusCode::ACCEPTED)
    })
}

/// Lists the messages of a conversation, the history that it began with included.
pub(super) async fn list(
    State(inner): State<Arc<Inner>>,
    Path(id): Path<String>,
    uri: Uri,
) -> Result<Response, Problem> {
    let page = PageRequest::read(&uri, &RULES)?;
    inner.floor(|floor| {
        let conversation = floor
            .conversation(&id)
            .ok_or_else(|| Problem::no_conversation(&id))?;
        let items: Vec<&Message> = conversation.messages.iter().collect();
        Ok(page.answer(&uri, "messages", items, |it| to_json(it, conversation)))
    })
}

/// Shows a message.
pub(super) async fn show(
    State(inner): State<Arc<Inner>>,
    Path((id, message_id)): Path<(String, String)>,
) -> Result<Response, Problem> {
    inner.floor(|floor| {
        let conversation = floor
            .conversation(&id)
            .ok_or_else(|| Problem::no_conversation(&id))?;
        let found = conversation.messages.iter().find(|it| it.id == message_id);
        let found = found.ok_or_else(|| Problem::no_message(&id, &message_id))?;
        Ok(hal(StatusCode::OK, &to_json(found, conversation)))
    })
}

fn to_json(message: &Message, conversation: &Conversation) -> Value {
    let content = &message.content;
    let attachments: Vec<Value> = content
        .attachments
        .iter()
        .map(|it| json!({"id": it.id}))
        .collect();
    let cards: Vec<Value> = content.cards.iter().map(cards::to_json).collect();
    let mut it = json!({
        "id": message.id,
        "text": content.text,
        "createdAt": iso(message.created_ms),
        "author": {
            "id": message.author.id(),
            "type": message.author.kind(),
            "removed": !conversation.is_present(&message.author),
        },
        "attachments": attachments,
        "cards": cards,
    });
    if let Some(external) = &content.external {
        it["externalProvider"] = json!({"name": external.name, "externalMessageId": external.message_id});
    }
    it
}
