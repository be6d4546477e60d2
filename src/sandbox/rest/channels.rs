//! `/channels`.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    http::{StatusCode, Uri},
    response::Response,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Body, hal,
    page::{PageRequest, Rules},
    problem::{Fault, Problem},
    validate::Findings,
};
use crate::sandbox::{
    Inner,
    floor::{
        Floor,
        house::{Channel, ChannelType},
    },
    new_id,
    strict::{object, present},
};

const NAME_CHARACTERS: usize = 255;
const RULES: Rules = Rules {
    sort: &["id", "name"],
    ascending: true,
    filter: &["id", "name", "type", "webHookId", "routingOptions.id"],
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ChannelBody {
    #[serde(default, deserialize_with = "present")]
    name: Option<String>,
    #[serde(default, deserialize_with = "present", rename = "type")]
    kind: Option<String>,
    #[serde(default, deserialize_with = "present", rename = "webHookId")]
    webhook_id: Option<String>,
    #[serde(default, deserialize_with = "object", rename = "routingOptions")]
    routing: Option<RoutingBody>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RoutingBody {
    #[serde(default, deserialize_with = "present", rename = "type")]
    kind: Option<String>,
    #[serde(default, deserialize_with = "present")]
    id: Option<String>,
}

/// Lists channels.
pub(super) async fn list(State(inner): State<Arc<Inner>>, uri: Uri) -> Result<Response, Problem> {
    let page = PageRequest::read(&uri, &RULES)?;
    Ok(inner.floor(|floor| {
        let admitted = |it: &&Channel| {
            page.admits(|field| match field {
                "id" => &it.id,
                "name" => &it.name,
                "type" => it.kind.as_str(),
                "webHookId" => &it.webhook_id,
                _ => &it.default_queue,
            })
        };
        let mut items: Vec<&Channel> = floor.house.channels().filter(admitted).collect();
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
    let body = found.ok_or_else(|| none(&id))?;
    Ok(hal(StatusCode::OK, &body))
}

/// Registers a channel.
pub(super) async fn create(
    State(inner): State<Arc<Inner>>,
    Body(body): Body<ChannelBody>,
) -> Result<Response, Problem> {
    let answer = inner.floor(|floor| {
        let new = check(body, new_id(), floor, &inner)?;
        let answer = to_json(&new);
        if !floor.house.add_channel(new) {
            let why = "The sandbox holds 1000 channels: delete some.";
            return Err(Problem::too_many("too_many_channels", why));
        }
        Ok(answer)
    })?;
    Ok(hal(StatusCode::OK, &answer))
}

/// Replaces a channel. Its conversations follow: their next event goes to the new webhook.
pub(super) async fn replace(
    State(inner): State<Arc<Inner>>,
    Path(id): Path<String>,
    Body(body): Body<ChannelBody>,
) -> Result<Response, Problem> {
    let answer = inner.floor(|floor| {
        own(floor, &id)?;
        let new = check(body, id, floor, &inner)?;
        let answer = to_json(&new);
        floor.house.replace_channel(new);
        Ok(answer)
    })?;
    Ok(hal(StatusCode::OK, &answer))
}

/// Deletes a channel. Its conversations stay.
pub(super) async fn delete(
    State(inner): State<Arc<Inner>>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    inner.floor(|floor| {
        own(floor, &id)?;
        floor.house.remove_channel(&id);
        Ok(StatusCode::NO_CONTENT)
    })
}

/// Only channels of the API are changed by the API.
fn own(floor: &Floor, id: &str) -> Result<(), Problem> {
    let channel = floor.house.channel(id).ok_or_else(|| none(id))?;
    if channel.kind == ChannelType::ChatApi {
        return Ok(());
    }
    let fault = Fault::new(
        "invalid_channel_type",
        "Only ChatAPI channels can be changed or deleted here.",
    );
    Err(Problem::general(StatusCode::BAD_REQUEST, &fault))
}

fn check(body: ChannelBody, id: String, floor: &Floor, inner: &Inner) -> Result<Channel, Problem> {
    let mut findings = Findings::default();
    let name = body.name.unwrap_or_default();
    if name.is_empty() || name.chars().count() > NAME_CHARACTERS {
        let why = format!("The name is required and may have at most {NAME_CHARACTERS} characters.");
        findings.add("name", None, "invalid_name", &why);
    }
    if let Some(other) = body
        .kind
        .as_deref()
        .filter(|it| *it != ChannelType::ChatApi.as_str())
    {
        let why = "The type of a channel that is made here must be ChatAPI.";
        findings.add("type", Some(other), "invalid_channel_type", why);
    }
    let webhook_id = body.webhook_id.unwrap_or_default();
    if inner.dispatcher.webhooks(|all| all.get(&webhook_id).is_none()) {
        let why = "The webHookId is required and must be that of a webhook.";
        findings.add("webHookId", Some(&webhook_id), "invalid_webhook", why);
    }
    let default_queue = queue(body.routing, floor, &mut findings);
    match default_queue {
        Some(default_queue) if findings.0.is_empty() => Ok(Channel {
            id,
            name,
            kind: ChannelType::ChatApi,
            default_queue,
            webhook_id,
        }),
        _ => Err(Problem::validation(&findings.0)),
    }
}

fn queue(routing: Option<RoutingBody>, floor: &Floor, findings: &mut Findings) -> Option<String> {
    let Some(routing) = routing else {
        let why = "The routingOptions are required.";
        findings.add("routingOptions", None, "missing_field", why);
        return None;
    };
    if routing.kind.as_deref() != Some("queue") {
        let why = "The type of the routingOptions is required and must be queue.";
        let given = routing.kind.as_deref();
        findings.add("routingOptions.type", given, "invalid_routing_type", why);
    }
    let id = routing.id.unwrap_or_default();
    if floor.house.queue(&id).is_none() {
        let why = "The id of the routingOptions is required and must be that of a queue.";
        findings.add("routingOptions.id", Some(&id), "invalid_queue", why);
    }
    Some(id)
}

fn none(id: &str) -> Problem {
    Problem::not_found(&format!("There is no channel {id}."))
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
