//! The paths of v2, one file for each resource.

mod channels;
mod conversations;
mod keys;
mod messages;
mod oauth;
mod webhooks;

use std::{collections::HashMap, sync::Arc};

use axum::{
    Router,
    extract::{Path, Request, State, rejection::PathRejection},
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::{delete, get, post},
};
use serde_json::Value;

use super::{
    ChatV2,
    door::{guarded, none, open},
    operation as op,
    problem::Problem,
};

/// What stands in the path.
type Params = Result<Path<HashMap<String, String>>, PathRejection>;

/// What the router calls for an operation that needs a token.
macro_rules! with_token {
    ($operation:expr, $answer:path) => {
        |state: State<Arc<ChatV2>>, path: Params, request: Request| {
            guarded(&$operation, state, path, request, $answer)
        }
    };
}

/// All paths. It has a fallback of its own, so it cannot be merged with another router that has one.
pub fn router(v2: Arc<ChatV2>) -> Router {
    let at = |below: &str| format!("/vcc/{{region}}/chat/v2/tenant/{{tenant}}{below}");
    let one = |below: &str| at(&format!("/conversations/{{conversation}}{below}"));
    Router::new()
        .route(
            "/oauth/v2/token",
            post(|state: State<Arc<ChatV2>>, request: Request| {
                open(&op::TOKEN, state, request, oauth::create)
            }),
        )
        .route(
            "/vcc/{region}/chat/v2/jwk/{jwk}/public",
            get(|state: State<Arc<ChatV2>>, path: Params, request: Request| {
                open(&op::JWK, state, request, |v2, _| keys::show(v2, path))
            }),
        )
        .route(
            &at("/web-hooks"),
            get(with_token!(op::LIST_WEBHOOKS, webhooks::list))
                .post(with_token!(op::CREATE_WEBHOOK, webhooks::create)),
        )
        .route(
            &at("/web-hooks/verify"),
            post(with_token!(op::VERIFY_WEBHOOK, webhooks::verify)),
        )
        .route(
            &at("/web-hooks/{webhook}"),
            get(with_token!(op::GET_WEBHOOK, webhooks::show))
                .put(with_token!(op::UPDATE_WEBHOOK, webhooks::update))
                .delete(with_token!(op::DELETE_WEBHOOK, webhooks::delete)),
        )
        .route(
            &at("/channels"),
            get(with_token!(op::LIST_CHANNELS, channels::list))
                .post(with_token!(op::CREATE_CHANNEL, channels::create)),
        )
        .route(
            &at("/channels/{channel}"),
            get(with_token!(op::GET_CHANNEL, channels::show))
                .put(with_token!(op::UPDATE_CHANNEL, channels::update))
                .delete(with_token!(op::DELETE_CHANNEL, channels::delete)),
        )
        .route(
            &at("/conversations"),
            get(with_token!(op::LIST_CONVERSATIONS, conversations::list))
                .post(with_token!(op::CREATE_CONVERSATION, conversations::create)),
        )
        .route(
            &one(""),
            get(with_token!(op::GET_CONVERSATION, conversations::show)),
        )
        .route(
            &one("/participants"),
            get(with_token!(op::LIST_PARTICIPANTS, conversations::participants)),
        )
        .route(
            &one("/participants/customer"),
            delete(with_token!(op::CUSTOMER_LEAVES, conversations::leave)),
        )
        .route(
            &one("/messages"),
            get(with_token!(op::LIST_MESSAGES, messages::list))
                .post(with_token!(op::SEND_MESSAGE, messages::send)),
        )
        .method_not_allowed_fallback(|| async { none(Problem::wrong_method()) })
        .fallback(|| async { none(Problem::no_path()) })
        .with_state(v2)
}

/// An answer with a body.
fn json(status: StatusCode, body: &Value) -> Response {
    (
        status,
        [(header::CONTENT_TYPE, "application/json")],
        body.to_string(),
    )
        .into_response()
}

/// An answer with a body that has a version, which `If-Match` may ask for.
fn versioned(body: &Value, revision: u64) -> Response {
    let mut response = json(StatusCode::OK, body);
    if let Ok(tag) = format!("\"{revision}\"").parse() {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}
