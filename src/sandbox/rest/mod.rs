//! The vendor's REST API, one file for each resource.

mod attachments;
mod body;
mod cards;
mod channels;
mod conversations;
mod faulty;
mod files;
mod indicators;
mod interactions;
mod keys;
mod messages;
mod page;
mod participants;
mod post_agent;
pub(crate) mod problem;
mod shapes;
mod upload;
pub(crate) mod validate;
mod webhooks;

use std::{sync::Arc, time::Instant};

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request, State},
    http::{HeaderMap, StatusCode, Uri},
    middleware::{Next, from_fn, from_fn_with_state},
    response::{IntoResponse as _, Response},
    routing::{get, patch, post, put},
};

pub(crate) use self::body::Body;
use self::{
    faulty::Done,
    problem::{Fault, Problem},
};
use super::{Inner, delivery::Call};

/// The largest JSON body that is read, in bytes. The vendor names no limit; this one holds a full history with room to spare.
const BODY_BYTES: usize = 8 << 20;

/// Where the vendor's API begins. Handlers see paths without it.
const PREFIX: &str = "/chat-gateway/v1";
/// Where the actions of cards are, which the vendor has elsewhere.
const CARDS_PREFIX: &str = "/api/v1";
const FILES_PREFIX: &str = "/files";

const OTHER_TENANT: &str = "The X-8x8-Tenant header names a tenant that is not this customer's.";

/// All that the vendor serves.
pub(crate) fn router(inner: &Arc<Inner>) -> Router<Arc<Inner>> {
    let recorded = |router: Router<Arc<Inner>>, prefix| {
        router
            .layer(from_fn_with_state((Arc::clone(inner), prefix), faulty::inject))
            .layer(from_fn(shapes::apply))
            .layer(from_fn_with_state((Arc::clone(inner), prefix), record))
    };
    let guarded = |router: Router<Arc<Inner>>| router.layer(from_fn_with_state(Arc::clone(inner), admit));
    // The key endpoint asks for no credentials: a receiver of webhooks has none. Nor do the addresses of attachments,
    // which are secrets themselves.
    let gateway = guarded(gateway()).route("/jwk/{kid}/public", get(keys::show));
    let files = Router::new()
        .route("/{id}/{attachment_id}", get(files::fetch))
        .fallback(unknown_path)
        .method_not_allowed_fallback(wrong_method);
    Router::new()
        .nest(PREFIX, recorded(gateway, PREFIX))
        .nest(CARDS_PREFIX, recorded(guarded(card_actions()), CARDS_PREFIX))
        .nest(FILES_PREFIX, recorded(files, FILES_PREFIX))
        .layer(DefaultBodyLimit::max(BODY_BYTES))
}

fn gateway() -> Router<Arc<Inner>> {
    configuration()
        .merge(conversations())
        .fallback(unknown_path)
        .method_not_allowed_fallback(wrong_method)
}

fn configuration() -> Router<Arc<Inner>> {
    Router::new()
        .route("/webhooks", get(webhooks::list).post(webhooks::create))
        .route("/webhooks/verify", post(webhooks::verify))
        .route(
            "/webhooks/{webhook_id}",
            get(webhooks::show)
                .put(webhooks::replace)
                .delete(webhooks::delete),
        )
        .route("/channels", get(channels::list).post(channels::create))
        .route(
            "/channels/{channel_id}",
            get(channels::show)
                .put(channels::replace)
                .delete(channels::delete),
        )
}

fn conversations() -> Router<Arc<Inner>> {
    let one = |below: &str| format!("/conversations/{{id}}{below}");
    Router::new()
        .route(
            "/conversations",
            get(conversations::list).post(conversations::create),
        )
        .route(
            &one(""),
            get(conversations::show)
                .put(conversations::replace)
                .patch(conversations::patch),
        )
        .route(&one("/interactions"), get(interactions::list))
        .route(&one("/post-agent-assignment"), post(post_agent::create))
        .route(&one("/typing"), post(indicators::typing))
        .route(&one("/thinking"), post(indicators::thinking))
        .route(&one("/read-receipt"), post(indicators::read_receipt))
        .route(&one("/participants"), get(participants::list))
        .route(&one("/participants/user"), patch(participants::patch_user))
        .route(&one("/messages"), get(messages::list).post(messages::send))
        .route(&one("/messages/{message_id}"), get(messages::show))
        .route(&one("/messages/{message_id}/cards"), get(cards::list))
        .route(
            &one("/attachments"),
            get(attachments::list)
                .post(upload::add)
                .layer(DefaultBodyLimit::max(upload::BODY_BYTES)),
        )
        .route(&one("/attachments/{attachment_id}"), get(attachments::show))
        .route(&one("/attachments/{attachment_id}/content"), get(files::content))
}

fn card_actions() -> Router<Arc<Inner>> {
    let card = "/tenant/{tenant}/conversations/{id}/cards/{card_id}";
    Router::new()
        .route(&format!("{card}/action-submit"), put(cards::submit))
        .route(&format!("{card}/action-execute"), put(cards::execute))
        .fallback(unknown_path)
        .method_not_allowed_fallback(wrong_method)
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
        Some(tenant) if tenant.as_bytes() != inner.tenant.as_bytes() => Err(Problem::forbidden(OTHER_TENANT)),
        _ => Ok(next.run(request).await),
    }
}

/// Writes the call into the delivery log.
async fn record(
    State((inner, prefix)): State<(Arc<Inner>, &'static str)>,
    uri: Uri,
    request: Request,
    next: Next,
) -> Response {
    let method = request.method().clone();
    let traceparent = request.headers().get("traceparent").cloned();
    let begun = Instant::now();
    let response = next.run(request).await;
    let done = response.extensions().get::<Done>().copied();
    inner.dispatcher.called(&Call {
        method: method.as_str(),
        path: &format!("{prefix}{}", uri.path()),
        status: (done != Some(Done::Lost)).then(|| response.status().as_u16()),
        duration: begun.elapsed(),
        fault: done.map(Done::as_str),
        traceparent: traceparent.as_ref().and_then(|value| value.to_str().ok()),
    });
    response
}

async fn unknown_path() -> Problem {
    Problem::not_found("The Chat Gateway has no such path.")
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
