//! `/conversations/{id}/attachments` and `/conversations/{id}/attachments/{attachmentId}`, for reading.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    http::{StatusCode, Uri},
    response::Response,
};
use serde_json::{Value, json};

use super::{
    hal,
    page::{PageRequest, Rules},
    problem::Problem,
};
use crate::sandbox::{Inner, floor::content::Attachment, iso};

const RULES: Rules = Rules {
    sort: &["id", "createdAt", "filename", "sizeInBytes"],
    ascending: true,
    filter: &["id", "filename", "type"],
};

/// Lists the files of a conversation.
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
        let admitted = |it: &&Arc<Attachment>| {
            page.admits(|field| match field {
                "id" => &it.id,
                "filename" => &it.name,
                _ => &it.media_type,
            })
        };
        // They are kept in the order in which they came.
        let mut items: Vec<&Arc<Attachment>> = conversation.attachments.iter().filter(admitted).collect();
        match page.sort {
            "id" => items.sort_by_key(|it| &it.id),
            "filename" => items.sort_by_key(|it| &it.name),
            "sizeInBytes" => items.sort_by_key(|it| it.file.size()),
            _ => {}
        }
        Ok(page.answer(&uri, "attachments", items, |it| to_json(it)))
    })
}

/// Shows what is known of a file.
pub(super) async fn show(
    State(inner): State<Arc<Inner>>,
    Path((id, attachment_id)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let found = find(&inner, &id, &attachment_id)?;
    Ok(hal(StatusCode::OK, &to_json(&found)))
}

/// A file of a conversation.
pub(super) fn find(inner: &Inner, id: &str, attachment_id: &str) -> Result<Arc<Attachment>, Problem> {
    inner.floor(|floor| {
        let conversation = floor
            .conversation(id)
            .ok_or_else(|| Problem::no_conversation(id))?;
        let found = conversation.attachment(attachment_id).cloned();
        found.ok_or_else(|| {
            Problem::not_found(&format!(
                "There is no attachment {attachment_id} in conversation {id}."
            ))
        })
    })
}

pub(super) fn to_json(attachment: &Attachment) -> Value {
    let size = attachment.file.size();
    // The vendor's description has `sizeInBytes` and requires `size`.
    json!({
        "id": attachment.id,
        "filename": attachment.name,
        "sizeInBytes": size,
        "size": size,
        "type": attachment.media_type,
        "createdAt": iso(attachment.created_ms),
    })
}
