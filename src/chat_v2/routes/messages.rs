//! `/conversations/{id}/messages`.

use std::collections::{HashMap, HashSet};

use axum::{
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use serde_json::json;

use super::{conversations::KIND, json as answer};
use crate::{
    chat_v2::{
        door::Call,
        problem::{About, Problem},
        read::object,
        translate::message,
    },
    event::Message,
    gateway::PageQuery,
};

/// How messages are read, and how many pages of them at most: v2 has no pages for them.
const READ_SIZE: u32 = 100;
const READ_PAGES_MAX: u32 = 50;

/// Lists the messages of a conversation, the oldest first; of very long ones, the newest.
pub(super) async fn list(call: Call) -> Result<Response, Problem> {
    let about = call.id("conversation", KIND)?;
    let calls = &call.v2.calls;
    let (interactions, messages) = tokio::try_join!(
        async {
            let listed = calls.interactions(&call.tenant, about.id).await;
            listed.map_err(|error| Problem::of(error, about))
        },
        read_all(&call, about)
    )?;
    let names = file_names(&call, about, &messages).await?;
    let only = call.query.get("interaction-id");
    let written = message::write_all(&messages, &interactions.items, &names, only);
    let body = json!({ "messages": written, "participants": message::authors(&messages) });
    Ok(answer(StatusCode::OK, &body))
}

/// From the newest on: what comes meanwhile moves messages to later pages, so that some are read twice and none is missed.
async fn read_all(call: &Call, about: About<'_>) -> Result<Vec<Message>, Problem> {
    let mut query = PageQuery {
        size: READ_SIZE,
        page: 0,
        sort: "createdAt:desc".to_owned(),
        filter: String::new(),
    };
    let mut seen = HashSet::new();
    let mut all = Vec::new();
    while query.page < READ_PAGES_MAX {
        let listed = call.v2.calls.messages(&call.tenant, about.id, &query).await;
        let listed = listed.map_err(|error| Problem::of(error, about))?;
        let is_last = listed.is_last(&query);
        let new = listed
            .items
            .into_iter()
            .filter(|it| it.id.is_empty() || seen.insert(it.id.clone()));
        all.extend(new);
        if is_last {
            break;
        }
        query.page += 1;
    }
    all.reverse();
    Ok(all)
}

/// Names of the files that messages refer to by their identifiers alone.
async fn file_names(
    call: &Call,
    about: About<'_>,
    messages: &[Message],
) -> Result<HashMap<String, String>, Problem> {
    let mut files = messages.iter().flat_map(|it| &it.attachments);
    if !files.any(|file| file.file_name.is_empty()) {
        return Ok(HashMap::new());
    }
    let query = PageQuery {
        size: READ_SIZE,
        ..PageQuery::default()
    };
    let listed = call.v2.calls.attachments(&call.tenant, about.id, &query).await;
    let listed = listed.map_err(|error| Problem::of(error, about))?;
    Ok(listed
        .items
        .into_iter()
        .map(|file| (file.id, file.file_name))
        .collect())
}

/// Sends a message.
pub(super) async fn send(call: Call) -> Result<Response, Problem> {
    let about = call.id("conversation", KIND)?;
    let message = message::read(&object(&call.body)?)?;
    let calls = &call.v2.calls;
    let sent = calls
        .send(&call.tenant, about.id, &call.request_id(), &message)
        .await;
    sent.map_err(|error| Problem::of(error, about))?;
    Ok(StatusCode::ACCEPTED.into_response())
}
