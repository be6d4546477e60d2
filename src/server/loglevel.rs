//! `/loglevel` of the port for operators: what is logged, and by what else for a while.
//!
//! It is plain HTTP for whoever reaches the port, like the metrics. So it can do no more than make the log longer or shorter, for
//! a day at the most: at no level does the log hold a text or a secret, and libraries are never heard below `info`.

use std::time::Duration;

use axum::{
    Json, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Query, rejection::QueryRejection},
    http::{HeaderMap, StatusCode, header::ORIGIN},
    response::{IntoResponse as _, Response},
    routing::get,
};
use tracing::info;

use crate::telemetry::logs::{self, Filter};

/// For how long another filter holds, in seconds, unless it is said, and at the most.
const SECONDS: u64 = 900;
const SECONDS_MAX: u64 = 86_400;
/// The longest body, in bytes.
const BODY_MAX: usize = 2048;

/// How long another filter is to hold.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Lasting {
    #[serde(default = "seconds")]
    seconds: u64,
}

fn seconds() -> u64 {
    SECONDS
}

/// The route.
pub(super) fn router() -> Router {
    Router::new()
        .route("/loglevel", get(show).put(change).delete(reset))
        .layer(DefaultBodyLimit::max(BODY_MAX))
}

async fn show() -> Response {
    match logs::in_force() {
        Some(in_force) => Json(in_force).into_response(),
        None => refuse(
            StatusCode::NOT_FOUND,
            "this program's log is not one that can be changed",
        ),
    }
}

async fn change(
    lasting: Result<Query<Lasting>, QueryRejection>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if let Some(refused) = of_a_page(&headers) {
        return refused;
    }
    let seconds = match lasting {
        Ok(Query(Lasting { seconds })) if (1..=SECONDS_MAX).contains(&seconds) => seconds,
        _ => {
            let problem = format!("the query may only be seconds=N, with N from 1 to {SECONDS_MAX}");
            return refuse(StatusCode::BAD_REQUEST, &problem);
        }
    };
    let filter = match std::str::from_utf8(&body).map(str::parse::<Filter>) {
        Ok(Ok(filter)) => filter,
        Ok(Err(problem)) => {
            return refuse(
                StatusCode::BAD_REQUEST,
                &format!("the body is no filter: {problem}"),
            );
        }
        Err(_) => return refuse(StatusCode::BAD_REQUEST, "the body is no filter: it is not UTF-8"),
    };
    info!(%filter, seconds, "what is logged is changed for a while");
    logs::change(Some((filter, Duration::from_secs(seconds))));
    show().await
}

async fn reset(headers: HeaderMap) -> Response {
    if let Some(refused) = of_a_page(&headers) {
        return refused;
    }
    logs::change(None);
    info!("what is logged is as configured again");
    show().await
}

/// Only browsers say where a request comes from, and no page has any business here.
fn of_a_page(headers: &HeaderMap) -> Option<Response> {
    headers
        .contains_key(ORIGIN)
        .then(|| refuse(StatusCode::FORBIDDEN, "pages may not change what is logged"))
}

fn refuse(status: StatusCode, problem: &str) -> Response {
    (status, format!("{problem}\n")).into_response()
}
