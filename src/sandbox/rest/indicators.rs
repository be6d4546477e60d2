//! What is shown but not said: `/conversations/{id}/typing`.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    http::StatusCode,
};
use serde::Deserialize;

use super::{
    Body,
    problem::Problem,
    validate::{self, Findings},
};
use crate::sandbox::{Inner, strict::present};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct TypingBody {
    #[serde(default, deserialize_with = "present")]
    author_type: Option<String>,
}

/// Shows the agent that customer or bot types.
pub(super) async fn typing(
    State(inner): State<Arc<Inner>>,
    Path(id): Path<String>,
    Body(body): Body<TypingBody>,
) -> Result<StatusCode, Problem> {
    let mut findings = Findings::default();
    let Some(who) = validate::author(body.author_type.as_deref(), "authorType", &mut findings) else {
        return Err(Problem::invalid_parameter("The authorType must be user or bot."));
    };
    let shown = inner.floor(|floor| floor.act(&id, |scene| scene.other_side_types(who)));
    shown
        .map(|()| StatusCode::NO_CONTENT)
        .ok_or_else(|| Problem::no_conversation_coded(&id))
}
