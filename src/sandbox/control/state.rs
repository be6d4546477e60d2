//! All that a sandbox holds, to be saved and loaded.

use std::sync::Arc;

use axum::{Json, extract::State, http::StatusCode};

use super::{Input, Refusal};
use crate::sandbox::{
    Inner,
    state::{SavedState, StateError},
};

/// Shows all of it.
pub(super) async fn save(State(inner): State<Arc<Inner>>) -> Result<Json<SavedState>, Refusal> {
    inner.save().await.map(Json).map_err(|why| refusal(&why))
}

/// Takes it in place of what is here.
pub(super) async fn load(
    State(inner): State<Arc<Inner>>,
    Input(saved): Input<SavedState>,
) -> Result<StatusCode, Refusal> {
    let loaded = inner.load(saved).await;
    loaded
        .map(|()| StatusCode::NO_CONTENT)
        .map_err(|why| refusal(&why))
}

fn refusal(why: &StateError) -> Refusal {
    let status = match why {
        StateError::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        StateError::Wrong(_) => StatusCode::BAD_REQUEST,
        StateError::File(_) => StatusCode::PAYLOAD_TOO_LARGE,
        StateError::Disk(_) => StatusCode::INTERNAL_SERVER_ERROR,
    };
    Refusal::new(status, why.to_string())
}
