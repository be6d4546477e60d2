//! The vendor's REST API, one file for each resource.

mod body;
mod channels;
mod conversations;
mod indicators;
mod keys;
mod messages;
mod page;
mod participants;
mod problem;
mod validate;

use std::{sync::Arc, time::Instant};

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request, State},
    http::{HeaderMap, StatusCode, Uri},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse as _, Response},
    routing::{get, patch, post},
};

pub(crate) use self::body::Body;
use self::problem::{Fault, Problem};
use super::Inner;

/// The largest body that is read, in bytes. The vendor names no limit; this one holds a full history with room to spare.
const BODY_BYTES: usize = 8 << 20;

/// Where the vendor's API begins. Handlers see paths without it.
pub(crate) const PREFIX: &str = "/chat-gateway/v1";

/// The routes below [`PREFIX`].
pub(crate) fn router(inner: &Arc<Inner>) -> Router<Arc<Inner>> {
    Router::new()
        .route("/channels", get(channels::list))
        .route("/channels/{channel_id}", get(channels::show))
        .route(
            "/conversations",
            get(conversations::list).post(conversations::create),
        )
        .route(
            "/conversations/{id}",
            get(conversations::show).patch(conversations::patch),
        )
        .route("/conversations/{id}/participants", get(participants::list))
        .route(
            "/conversations/{id}/participants/user",
            patch(participants::patch_user),
        )
        .route(
            "/conversations/{id}/messages",
            get(messages::list).post(messages::send),
        )
        .route("/conversations/{id}/messages/{message_id}", get(messages::show))
        .route("/conversations/{id}/typing", post(indicators::typing))
        .fallback(unknown_path)
        .method_not_allowed_fallback(wrong_method)
        .layer(from_fn_with_state(Arc::clone(inner), admit))
        // The key endpoint asks for no credentials: a receiver of webhooks has none.
        .route("/jwk/{kid}/public", get(keys::show))
        .layer(DefaultBodyLimit::max(BODY_BYTES))
        .layer(from_fn_with_state(Arc::clone(inner), record))
}

/// Lets in who shows the key and names no other tenant.
async fn admit(
    State(inner): State<Arc<Inner>>,
    headers: HeaderMap,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let given = headers.get("x-api-key").map(|key| key.as_bytes());
    if given != Some(inner.api_key.as_bytes()) {
        return Err(Problem::unauthorized());
    }
    match headers.get("x-8x8-tenant") {
        Some(tenant) if tenant.as_bytes() != inner.tenant.as_bytes() => Err(Problem::forbidden()),
        _ => Ok(next.run(request).await),
    }
}

/// Writes the call into the delivery log.
async fn record(State(inner): State<Arc<Inner>>, uri: Uri, request: Request, next: Next) -> Response {
    let method = request.method().clone();
    let begun = Instant::now();
    let response = next.run(request).await;
    let status = response.status().as_u16();
    let path = format!("{PREFIX}{}", uri.path());
    inner
        .dispatcher
        .log(|log| log.called(method.as_str(), &path, status, begun.elapsed()));
    response
}

async fn unknown_path() -> Problem {
    Problem::not_found("The Chat Gateway has no such path, or this sandbox does not play it yet.")
}

async fn wrong_method() -> Problem {
    Problem::general(
        StatusCode::METHOD_NOT_ALLOWED,
        &Fault::new("method_not_allowed", "This path does not take this method."),
    )
}

/// An answer in HAL.
fn hal(status: StatusCode, body: &serde_json::Value) -> Response {
    (
        status,
        [("content-type", "application/hal+json")],
        body.to_string(),
    )
        .into_response()
}
