//! The public keys by which receivers know what is signed.

use std::sync::Arc;

use axum::{extract::Path, http::StatusCode, response::Response};

use super::{Params, json};
use crate::chat_v2::{ChatV2, door::check_region, problem::Problem};

/// Shows a public key, to anybody.
pub(super) async fn show(v2: Arc<ChatV2>, path: Params) -> Result<(Response, String), Problem> {
    let Ok(Path(params)) = path else {
        return Err(Problem::no_path());
    };
    check_region(&params)?;
    let id = params.get("jwk").map_or("", String::as_str);
    let keys = v2.settings.signing_keys.as_ref();
    let jwk = keys
        .and_then(|keys| keys.jwk(id))
        .ok_or_else(|| Problem::no_key(id))?;
    Ok((json(StatusCode::OK, jwk), String::new()))
}
