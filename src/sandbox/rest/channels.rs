//! `/channels`, for reading.

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
use crate::sandbox::{Inner, floor::house::Channel};

const RULES: Rules = Rules {
    sort: &["id", "name"],
    ascending: true,
    filter: &["id", "name", "type"],
};

/// Lists channels.
pub(super) async fn list(State(inner): State<Arc<Inner>>, uri: Uri) -> Result<Response, Problem> {
    let page = PageRequest::read(&uri, &RULES)?;
    Ok(inner.floor(|floor| {
        let admitted = |it: &&Channel| {
            page.admits(|field| match field {
                "id" => &it.id,
                "name" => &it.name,
                _ => it.kind.as_str(),
            })
        };
        let mut items: Vec<&Channel> = floor.house.channels.iter().filter(admitted).collect();
        items.sort_by_key(|it| if page.sort == "name" { &it.name } else { &it.id });
        page.answer(&uri, "channels", items, |it| to_json(it))
    }))
}

/// Shows a channel.
pub(super) async fn show(
    State(inner): State<Arc<Inner>>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let found = inner.floor(|floor| floor.house.channel(&id).map(to_json));
    let body = found.ok_or_else(|| Problem::not_found(&format!("There is no channel {id}.")))?;
    Ok(hal(StatusCode::OK, &body))
}

fn to_json(channel: &Channel) -> Value {
    json!({
        "id": channel.id,
        "name": channel.name,
        "type": channel.kind.as_str(),
        "webHookId": channel.webhook_id,
        "routingOptions": {"type": "queue", "id": channel.default_queue},
    })
}
