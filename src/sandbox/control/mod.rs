//! The API of the sandbox itself, for people and tests: what customers, agents and networks do. No credentials.

mod agents;
mod deliveries;
mod desk;
mod faults;
mod feed;
mod seat;
mod setup;
mod state;
mod translations;
mod uploads;
mod widget;

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, FromRequest, Request, rejection::JsonRejection},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post, put},
};
use serde::de::DeserializeOwned;
use serde_json::json;

use super::{
    Inner,
    floor::{content::Content, conversation::Conversation},
    state::DOCUMENT_BYTES,
};

/// The routes below `/sandbox/v1`.
pub(crate) fn router() -> Router<Arc<Inner>> {
    Router::new()
        .route("/widget/conversations", post(widget::begin))
        .route("/widget/conversations/{id}/messages", post(widget::write))
        .route("/widget/conversations/{id}/typing", post(widget::typing))
        .route("/widget/conversations/{id}/read", post(widget::read))
        .route("/widget/conversations/{id}/actions", post(widget::act))
        .route("/widget/conversations/{id}/leave", post(widget::leave))
        .route("/conversations/{id}", get(desk::show))
        .route("/conversations/{id}/agent", post(desk::drive))
        .route("/conversations", get(desk::list))
        .merge(contact_centre())
        .merge(faults())
        .route("/feed", get(feed::follow))
        .route("/deliveries", get(deliveries::list))
        .route("/deliveries/{event_id}", get(deliveries::show))
        .route("/deliveries/{event_id}/redeliver", post(deliveries::redeliver))
        .route("/webhook", put(deliveries::set_webhook))
        .fallback(async || Refusal::new(StatusCode::NOT_FOUND, "The sandbox has no such path."))
        .method_not_allowed_fallback(async || {
            Refusal::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "This path does not take this method.",
            )
        })
}

fn contact_centre() -> Router<Arc<Inner>> {
    let in_widget = "/widget/conversations/{id}/files";
    let in_seat = "/agents/{agent_id}/conversations/{id}";
    Router::new()
        .route("/setup", get(setup::show).put(setup::replace))
        .route(
            "/state",
            get(state::save)
                .put(state::load)
                .layer(DefaultBodyLimit::max(DOCUMENT_BYTES)),
        )
        .route("/translator", get(translations::translator))
        .route("/translations", post(translations::translate))
        .route("/customers", get(setup::customer))
        .route("/queues", get(setup::queues))
        .route("/agents", get(agents::list))
        .route("/agents/{agent_id}", get(agents::show))
        .route("/agents/{agent_id}/sign-in", post(agents::sign_in))
        .route("/agents/{agent_id}/sign-out", post(agents::sign_out))
        .route(in_seat, post(seat::act))
        .route(&format!("{in_seat}/prepared-responses"), get(seat::prepared))
        .route(
            &format!("{in_seat}/files"),
            post(uploads::by_agent).layer(DefaultBodyLimit::disable()),
        )
        .route(
            in_widget,
            post(uploads::by_customer).layer(DefaultBodyLimit::disable()),
        )
}

fn faults() -> Router<Arc<Inner>> {
    Router::new()
        .route(
            "/faults",
            get(faults::list).post(faults::add).delete(faults::clear),
        )
        .route("/faults/{id}", axum::routing::delete(faults::remove))
}

/// Why something was not done: `{"error": SENTENCE}`.
#[derive(Debug)]
struct Refusal {
    status: StatusCode,
    why: String,
}

impl Refusal {
    fn new(status: StatusCode, why: impl Into<String>) -> Self {
        Self {
            status,
            why: why.into(),
        }
    }

    fn no_conversation() -> Self {
        Self::new(StatusCode::NOT_FOUND, "There is no such conversation.")
    }
}

/// What somebody writes with files of the conversation.
fn content(conversation: &Conversation, text: String, attachments: &[String]) -> Result<Content, Refusal> {
    let mut content = Content::text(text);
    for id in attachments {
        let found = conversation.attachment(id).cloned();
        content.attachments.push(found.ok_or_else(|| {
            Refusal::new(
                StatusCode::BAD_REQUEST,
                "There is no attachment with this id in this conversation.",
            )
        })?);
    }
    Ok(content)
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.status, Json(json!({"error": self.why}))).into_response()
    }
}

/// A JSON body. It must say that it is JSON, so that no web page can post one unasked.
struct Input<T>(T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Input<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        let read: Result<Json<T>, JsonRejection> = Json::from_request(request, state).await;
        read.map(|Json(it)| Self(it))
            .map_err(|wrong| Refusal::new(wrong.status(), wrong.body_text()))
    }
}
