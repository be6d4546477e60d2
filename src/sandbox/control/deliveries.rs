//! What came and went, and faults on the way.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, Query, State},
    http::StatusCode,
};
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use super::{Input, Refusal};
use crate::sandbox::{Inner, delivery::Record};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Which {
    #[serde(default)]
    conversation_id: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WebhookBody {
    /// Null: none.
    url: Option<String>,
}

/// Lists records, oldest first; those of one conversation where one is named.
pub(super) async fn list(State(inner): State<Arc<Inner>>, Query(which): Query<Which>) -> Json<Value> {
    let asked = which.conversation_id.as_deref();
    let records: Vec<Record> = inner.dispatcher.log(|log| {
        log.records()
            .filter(|it| asked.is_none() || it.conversation_id.as_deref() == asked)
            .cloned()
            .collect()
    });
    Json(json!({"deliveries": records}))
}

/// Shows the record of an event, and what was sent.
pub(super) async fn show(
    State(inner): State<Arc<Inner>>,
    Path(event_id): Path<String>,
) -> Result<Json<Value>, Refusal> {
    let shown = inner.dispatcher.log(|log| {
        let record = log.find(&event_id)?;
        let mut shown = record.to_json();
        shown["body"] = Value::from(String::from_utf8_lossy(&record.body));
        Some(shown)
    });
    let unknown = || Refusal::new(StatusCode::NOT_FOUND, "The log has no such event.");
    shown.map(Json).ok_or_else(unknown)
}

/// Sends an event again although it was delivered, as networks do.
pub(super) async fn redeliver(
    State(inner): State<Arc<Inner>>,
    Path(event_id): Path<String>,
) -> Result<StatusCode, Refusal> {
    if inner.dispatcher.redeliver(&event_id) {
        return Ok(StatusCode::ACCEPTED);
    }
    Err(Refusal::new(StatusCode::NOT_FOUND, "The log has no such event."))
}

/// Sets where events go from now on.
pub(super) async fn set_webhook(
    State(inner): State<Arc<Inner>>,
    Input(body): Input<WebhookBody>,
) -> Result<StatusCode, Refusal> {
    let wrong = |why: String| Refusal::new(StatusCode::BAD_REQUEST, why);
    let url = body.url.map(|text| Url::parse(&text)).transpose();
    let url = url.map_err(|why| wrong(format!("The url cannot be read: {why}.")))?;
    inner
        .dispatcher
        .set_webhook(url)
        .map_err(|why| wrong(why.to_string()))?;
    Ok(StatusCode::NO_CONTENT)
}
