//! `/conversations/{id}/interactions`.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    http::Uri,
    response::Response,
};
use serde_json::{Value, json};

use super::{page::PageRequest, problem::Problem};
use crate::sandbox::{Inner, floor::conversation::Interaction, iso};

/// Lists the stretches of time in which a conversation was active, the first one first. The vendor's description gives this
/// list no paging parameters: all are on one page.
pub(super) async fn list(
    State(inner): State<Arc<Inner>>,
    Path(id): Path<String>,
    uri: Uri,
) -> Result<Response, Problem> {
    inner.floor(|floor| {
        let conversation = floor
            .conversation(&id)
            .ok_or_else(|| Problem::no_conversation(&id))?;
        let items: Vec<&Interaction> = conversation.interactions.iter().collect();
        Ok(PageRequest::whole().answer(&uri, "interactions", items, |it| to_json(it)))
    })
}

fn to_json(interaction: &Interaction) -> Value {
    let mut it = json!({"id": interaction.id, "startTime": iso(interaction.start_ms)});
    if let Some(end_ms) = interaction.end_ms {
        it["endTime"] = Value::from(iso(end_ms));
    }
    it
}
