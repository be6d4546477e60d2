//! `/jwk/{kid}/public`.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
};
use serde_json::Value;

use super::problem::Problem;
use crate::sandbox::Inner;

/// Shows the public key that webhooks are verified with.
pub(super) async fn show(
    State(inner): State<Arc<Inner>>,
    Path(kid): Path<String>,
) -> Result<Json<Value>, Problem> {
    let found = inner.dispatcher.jwk(&kid);
    found
        .map(Json)
        .ok_or_else(|| Problem::not_found("There is no key with this id."))
}
