//! The pages for people: the agent's desk, the customer in the widget, and the wire. They are part of the program and use the
//! control API; there is no build step, and nothing in them comes from elsewhere.

use std::sync::Arc;

use axum::{
    Router,
    extract::Path,
    http::{HeaderName, StatusCode, header},
    response::{IntoResponse as _, Redirect, Response},
    routing::get,
};

use super::Inner;

/// Scripts, styles, pictures and calls of this sandbox only, nothing inline, and in nobody's frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

/// What the pages are made of: name, media type, content.
const PARTS: [(&str, &str, &str); 15] = [
    ("api.js", SCRIPT, include_str!("pages/api.js")),
    ("card.js", SCRIPT, include_str!("pages/card.js")),
    ("composer.js", SCRIPT, include_str!("pages/composer.js")),
    ("customer.js", SCRIPT, include_str!("pages/customer.js")),
    ("desk.js", SCRIPT, include_str!("pages/desk.js")),
    ("dom.js", SCRIPT, include_str!("pages/dom.js")),
    ("faults.js", SCRIPT, include_str!("pages/faults.js")),
    ("icon.svg", SVG, include_str!("pages/icon.svg")),
    ("names.js", SCRIPT, include_str!("pages/names.js")),
    ("page.js", SCRIPT, include_str!("pages/page.js")),
    ("person.js", SCRIPT, include_str!("pages/person.js")),
    ("style.css", CSS, include_str!("pages/style.css")),
    ("talk.js", SCRIPT, include_str!("pages/talk.js")),
    ("translation.js", SCRIPT, include_str!("pages/translation.js")),
    ("wire.js", SCRIPT, include_str!("pages/wire.js")),
];

/// `/desk`, `/customer`, `/wire`, and what they are made of below `/pages`.
pub(crate) fn router() -> Router<Arc<Inner>> {
    Router::new()
        .route("/", get(async || Redirect::temporary("/desk")))
        .route(
            "/desk",
            get(async || answer(HTML, include_str!("pages/desk.html"))),
        )
        .route(
            "/customer",
            get(async || answer(HTML, include_str!("pages/customer.html"))),
        )
        .route(
            "/wire",
            get(async || answer(HTML, include_str!("pages/wire.html"))),
        )
        .route("/pages/{name}", get(part))
}

async fn part(Path(name): Path<String>) -> Response {
    match PARTS.iter().find(|(it, ..)| *it == name) {
        Some(&(_, media_type, content)) => answer(media_type, content),
        None => (StatusCode::NOT_FOUND, "The sandbox's pages have no such part.").into_response(),
    }
}

fn answer(media_type: &'static str, content: &'static str) -> Response {
    let headers: [(HeaderName, &str); 5] = [
        (header::CONTENT_TYPE, media_type),
        // Another version of the program may answer here next time.
        (header::CACHE_CONTROL, "no-cache"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    (headers, content).into_response()
}
