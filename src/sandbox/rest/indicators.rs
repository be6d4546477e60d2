//! What is shown but not said: `/conversations/{id}/typing`, `thinking` and `read-receipt`.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    http::StatusCode,
};
use serde::Deserialize;

use super::{
    Body,
    body::Optional,
    problem::Problem,
    validate::{self, Findings},
};
use crate::sandbox::{
    Inner,
    floor::{conversation::Author, house::ChannelType},
    strict::present,
};

const THINKING_SECONDS: i32 = 60;
const THINKING_SECONDS_MAX: i32 = 600;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct TypingBody {
    #[serde(default, deserialize_with = "present")]
    author_type: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ThinkingBody {
    #[serde(default, deserialize_with = "present")]
    author_type: Option<String>,
    #[serde(default, deserialize_with = "present")]
    max_thinking_time_seconds: Option<i32>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ReadReceiptBody {
    #[serde(default, deserialize_with = "present")]
    author_type: Option<String>,
    #[serde(default, deserialize_with = "present")]
    read_at: Option<i64>,
}

/// Shows the agent that customer or bot types.
pub(super) async fn typing(
    State(inner): State<Arc<Inner>>,
    Path(id): Path<String>,
    Body(body): Body<TypingBody>,
) -> Result<StatusCode, Problem> {
    let who = author(body.author_type.as_deref())?;
    let shown = inner.floor(|floor| floor.act(&id, |scene| scene.conversation.indicators.types(who)));
    shown
        .map(|()| StatusCode::NO_CONTENT)
        .ok_or_else(|| Problem::no_conversation(&id))
}

/// Shows the agent that the bot works on an answer. The body may be left out.
pub(super) async fn thinking(
    State(inner): State<Arc<Inner>>,
    Path(id): Path<String>,
    Optional(body): Optional<ThinkingBody>,
) -> Result<StatusCode, Problem> {
    if body.author_type.is_some_and(|word| word != "bot") {
        return Err(Problem::invalid_parameter("The authorType must be bot."));
    }
    let seconds = body.max_thinking_time_seconds.unwrap_or(THINKING_SECONDS);
    let seconds = u32::try_from(seconds).ok();
    let seconds = seconds.filter(|it| (1..=THINKING_SECONDS_MAX.unsigned_abs()).contains(it));
    let Some(seconds) = seconds else {
        let why = format!("The maxThinkingTimeSeconds must be from 1 to {THINKING_SECONDS_MAX}.");
        return Err(Problem::invalid_parameter(&why));
    };
    let shown = inner.floor(|floor| floor.act(&id, |scene| scene.conversation.indicators.thinks(seconds)));
    shown
        .map(|()| StatusCode::NO_CONTENT)
        .ok_or_else(|| Problem::no_conversation(&id))
}

/// Shows the agent up to when customer or bot has read.
pub(super) async fn read_receipt(
    State(inner): State<Arc<Inner>>,
    Path(id): Path<String>,
    Body(body): Body<ReadReceiptBody>,
) -> Result<StatusCode, Problem> {
    let who = author(body.author_type.as_deref())?;
    let read_ms = body.read_at.filter(|it| *it >= 0).ok_or_else(|| {
        Problem::invalid_parameter("The readAt is required: Unix milliseconds, and not before 1970.")
    })?;
    inner.floor(|floor| {
        let conversation = floor
            .conversation(&id)
            .ok_or_else(|| Problem::no_conversation(&id))?;
        if who == Author::User && conversation.channel_type != ChannelType::ChatApi {
            return Err(Problem::invalid_parameter(
                "The authorType user is for conversations of ChatAPI channels only.",
            ));
        }
        floor.act(&id, |scene| {
            scene.conversation.indicators.has_read(who, read_ms);
        });
        Ok(StatusCode::NO_CONTENT)
    })
}

fn author(word: Option<&str>) -> Result<Author, Problem> {
    validate::author(word, "authorType", &mut Findings::default())
        .ok_or_else(|| Problem::invalid_parameter("The authorType must be user or bot."))
}
