//! Which shape an error answer has: the vendor describes it for each operation and status.

use axum::{
    extract::{MatchedPath, Request},
    http::{Method, StatusCode},
    middleware::Next,
    response::Response,
};

use super::{
    PREFIX,
    faulty::Done,
    problem::{Fault, Problem, Shape},
};

/// Puts errors in the shape of their operation, those of the framework (a path that is no text, say) included.
pub(super) async fn apply(request: Request, next: Next) -> Response {
    let method = request.method().clone();
    let path = request.extensions().get::<MatchedPath>().cloned();
    let mut response = next.run(request).await;
    let status = response.status();
    let problem = match response.extensions_mut().remove::<Problem>() {
        Some(problem) => problem,
        None if status.is_client_error() => {
            let fault = Fault::new("invalid_request", "The address of the request cannot be read.");
            Problem::general(status, &fault)
        }
        None => return response,
    };
    let path = path.as_ref().map_or("", MatchedPath::as_str);
    let mut shaped = problem.answer(shape(&method, path, status));
    if let Some(done) = response.extensions().get::<Done>() {
        // The log is to say that this error was asked for.
        shaped.extensions_mut().insert(*done);
    }
    shaped
}

fn shape(method: &Method, path: &str, status: StatusCode) -> Shape {
    let path = path.strip_prefix(PREFIX).unwrap_or(path);
    let posts = method == Method::POST;
    match status {
        StatusCode::UNAUTHORIZED => Shape::Traced,
        StatusCode::FORBIDDEN => match path {
            "/channels" | "/conversations/{id}/attachments" if posts => Shape::Objects,
            _ => Shape::Strings,
        },
        StatusCode::NOT_FOUND => match path {
            "/conversations/{id}/messages" if posts => Shape::Strings,
            "/webhooks/{webhook_id}"
            | "/jwk/{kid}/public"
            | "/channels/{channel_id}"
            | "/conversations/{id}"
            | "/conversations/{id}/interactions"
            | "/conversations/{id}/participants/user"
            | "/conversations/{id}/messages/{message_id}"
            | "/conversations/{id}/attachments"
            | "/conversations/{id}/attachments/{attachment_id}"
            | "/conversations/{id}/attachments/{attachment_id}/content" => Shape::Strings,
            _ => Shape::Objects,
        },
        StatusCode::BAD_REQUEST if posts => match path {
            "/conversations/{id}/messages" => Shape::One,
            "/conversations/{id}/post-agent-assignment"
            | "/conversations/{id}/typing"
            | "/conversations/{id}/thinking"
            | "/conversations/{id}/read-receipt" => Shape::Traced,
            _ => Shape::Objects,
        },
        _ => Shape::Objects,
    }
}
