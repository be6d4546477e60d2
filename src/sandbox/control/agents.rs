//! Who the agents are, and people who sign in as one.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Input, Refusal};
use crate::sandbox::{
    Inner,
    floor::roster::{Agent, Availability},
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SignInBody {
    #[serde(default)]
    availability: Availability,
}

/// `{}`: a body that says it is JSON, as no web page can send unasked.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NoFields {}

/// Lists the agents.
pub(super) async fn list(State(inner): State<Arc<Inner>>) -> Json<Value> {
    let all: Vec<Value> = inner.floor(|floor| floor.roster.all().map(Agent::to_json).collect());
    Json(json!({"agents": all}))
}

/// Shows an agent.
pub(super) async fn show(
    State(inner): State<Arc<Inner>>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Refusal> {
    let found = inner.floor(|floor| floor.roster.get(&id).map(Agent::to_json));
    found.map(Json).ok_or_else(unknown)
}

/// Lets a person be the agent, or changes whether they are available. From then on the agent follows no script.
pub(super) async fn sign_in(
    State(inner): State<Arc<Inner>>,
    Path(id): Path<String>,
    Input(body): Input<SignInBody>,
) -> Result<Json<Value>, Refusal> {
    let signed_in = inner.floor(|floor| {
        let known = floor.sign_in(&id, body.availability);
        floor.roster.get(&id).filter(|_| known).map(Agent::to_json)
    });
    signed_in.map(Json).ok_or_else(unknown)
}

/// Lets the agent do again what the set-up says.
pub(super) async fn sign_out(
    State(inner): State<Arc<Inner>>,
    Path(id): Path<String>,
    Input(NoFields {}): Input<NoFields>,
) -> Result<StatusCode, Refusal> {
    match inner.floor(|floor| floor.sign_out(&id)) {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(unknown()),
    }
}

pub(super) fn unknown() -> Refusal {
    Refusal::new(StatusCode::NOT_FOUND, "There is no such agent.")
}
