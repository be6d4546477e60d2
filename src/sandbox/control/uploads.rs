//! Files of agents, and of customers in the widget.

use std::sync::Arc;

use axum::{
    Json,
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
};
use futures_util::StreamExt as _;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use super::{Refusal, agents, widget};
use crate::sandbox::{
    Inner,
    files::{FileError, StoredFile},
    floor::{content::Attachment, conversation::Author},
    new_id, now_ms,
    rest::validate::is_filename,
};

/// The name of the file, percent-encoded. No web page of another site can send such a header unasked.
const NAME: &str = "x-sandbox-filename";

/// Adds a file of an agent who is there. The body is the file.
pub(super) async fn by_agent(
    State(inner): State<Arc<Inner>>,
    Path((agent, id)): Path<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<Value>), Refusal> {
    inner.floor(|floor| {
        let known = floor.roster.get(&agent).ok_or_else(agents::unknown)?;
        let conversation = floor.conversation(&id).ok_or_else(Refusal::no_conversation)?;
        let there = known.signed_in && conversation.agent.as_deref() == Some(&agent);
        let why = "this agent is not in this conversation: accept it first";
        there
            .then_some(())
            .ok_or_else(|| Refusal::new(StatusCode::CONFLICT, why))
    })?;
    add(&inner, &id, Author::Agent(agent), &headers, body).await
}

/// Adds a file of the customer in the widget. The body is the file.
pub(super) async fn by_customer(
    State(inner): State<Arc<Inner>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<Value>), Refusal> {
    inner.floor(|floor| widget::in_widget(floor, &id))?;
    add(&inner, &id, Author::User, &headers, body).await
}

async fn add(
    inner: &Inner,
    id: &str,
    author: Author,
    headers: &HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<Value>), Refusal> {
    let bad = |why: &str| Refusal::new(StatusCode::BAD_REQUEST, why);
    let text = |name: &str| headers.get(name).and_then(|it| it.to_str().ok());
    let name = text(NAME).map(|it| percent_decode_str(it).decode_utf8_lossy().into_owned());
    let name = name.filter(|it| is_filename(it)).ok_or_else(|| {
        bad("The header x-sandbox-filename needs a percent-encoded name of at most 255 bytes, without slashes and control characters.")
    })?;
    let media_type = text("content-type")
        .unwrap_or("application/octet-stream")
        .to_owned();
    let file = store(inner, body).await?;
    let attachment = Arc::new(Attachment {
        id: new_id(),
        name,
        media_type,
        author,
        created_ms: now_ms(),
        file,
    });
    let shown =
        json!({"id": attachment.id, "filename": attachment.name, "sizeInBytes": attachment.file.size()});
    let added = inner.floor(|floor| floor.act(id, |scene| scene.conversation.attachments.push(attachment)));
    added.ok_or_else(Refusal::no_conversation)?;
    Ok((StatusCode::CREATED, Json(shown)))
}

async fn store(inner: &Inner, body: Body) -> Result<StoredFile, Refusal> {
    let unkept = |why: FileError| {
        let status = match why {
            FileError::TooLarge(_) | FileError::Full(_) => StatusCode::PAYLOAD_TOO_LARGE,
            FileError::Disk(_) => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Refusal::new(status, why.to_string())
    };
    let mut upload = inner.files.begin().await.map_err(unkept)?;
    let mut parts = body.into_data_stream();
    while let Some(part) = parts.next().await {
        let broken = |_| Refusal::new(StatusCode::BAD_REQUEST, "The file broke off.");
        upload.write(&part.map_err(broken)?).await.map_err(unkept)?;
    }
    let file = upload.finish().await.map_err(unkept)?;
    match file.size() {
        0 => Err(Refusal::new(
            StatusCode::BAD_REQUEST,
            "The file must not be empty.",
        )),
        _ => Ok(file),
    }
}
