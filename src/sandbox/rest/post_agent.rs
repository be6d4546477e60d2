//! `/conversations/{id}/post-agent-assignment`.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    http::StatusCode,
};
use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::Value;

use super::{Body, problem::Problem};
use crate::sandbox::{
    Inner,
    floor::post_agent::PostAgent,
    strict::{object, present},
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateBody {
    #[serde(default, deserialize_with = "present", rename = "type")]
    kind: Option<String>,
    #[serde(default, deserialize_with = "present")]
    id: Option<String>,
    #[serde(default, deserialize_with = "object")]
    configuration: Option<ConfigurationBody>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ConfigurationBody {
    /// A string in the vendor's description.
    #[serde(default, deserialize_with = "present")]
    notify_channel_webhook_if_exists: Option<String>,
    #[serde(default, deserialize_with = "minutes")]
    max_total_minutes: Option<i32>,
    #[serde(default, deserialize_with = "minutes")]
    user_timeout_in_minutes: Option<i32>,
}

/// Says who takes the conversation over once its agent has left: 201.
pub(super) async fn create(
    State(inner): State<Arc<Inner>>,
    Path(id): Path<String>,
    Body(body): Body<CreateBody>,
) -> Result<StatusCode, Problem> {
    inner.floor(|floor| {
        if floor.conversation(&id).is_none() {
            return Err(Problem::no_conversation(&id));
        }
        let new = check(body, &inner).map_err(|why| Problem::invalid_parameter(&why))?;
        floor.act(&id, |scene| scene.assign_after_agent(new));
        Ok(StatusCode::CREATED)
    })
}

fn check(body: CreateBody, inner: &Inner) -> Result<PostAgent, String> {
    if body.kind.as_deref() != Some("webhook") {
        return Err("The type is required and must be webhook.".to_owned());
    }
    let webhook_id = body.id.ok_or("The id is required: that of a webhook.")?;
    if inner.dispatcher.webhooks(|all| all.get(&webhook_id).is_none()) {
        return Err(format!("There is no webhook {webhook_id}."));
    }
    let configuration = body.configuration.unwrap_or_default();
    let notify_channel = match configuration.notify_channel_webhook_if_exists.as_deref() {
        None | Some("false") => false,
        Some("true") => true,
        Some(_) => return Err("The notifyChannelWebhookIfExists must be \"true\" or \"false\".".to_owned()),
    };
    Ok(PostAgent {
        webhook_id,
        notify_channel,
        max_total_minutes: within("maxTotalMinutes", configuration.max_total_minutes, 20, 600)?,
        user_timeout_minutes: within(
            "userTimeoutInMinutes",
            configuration.user_timeout_in_minutes,
            10,
            300,
        )?,
        with_bot: None,
    })
}

fn within(name: &str, minutes: Option<i32>, least: u32, most: u32) -> Result<Option<u32>, String> {
    let Some(minutes) = minutes else {
        return Ok(None);
    };
    let read = u32::try_from(minutes).ok();
    let read = read.filter(|it| (least..=most).contains(it));
    read.map(Some)
        .ok_or_else(|| format!("The {name} must be from {least} to {most}."))
}

/// A whole number, or a string that holds one: that is how integrators send it.
fn minutes<'de, D: Deserializer<'de>>(from: D) -> Result<Option<i32>, D::Error> {
    let read = match Value::deserialize(from)? {
        Value::Number(number) => number.as_i64().and_then(|it| i32::try_from(it).ok()),
        Value::String(text) if text.bytes().all(|it| it.is_ascii_digit()) => text.parse().ok(),
        _ => None,
    };
    read.map(Some)
        .ok_or_else(|| D::Error::custom("minutes must be a whole number, or a string that holds one"))
}
