//! Calls that go wrong because somebody asked for it.

use std::{io, sync::Arc};

use axum::{
    body::Body,
    extract::{Request, State},
    http::{StatusCode, Uri},
    middleware::Next,
    response::{IntoResponse as _, Response},
};

use super::problem::Problem;
use crate::sandbox::Inner;

/// What was done to a call. It goes along with the answer, for the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Done {
    Late,
    Refused,
    Lost,
}

impl Done {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Late => "latency",
            Self::Refused => "status",
            Self::Lost => "lostAnswer",
        }
    }
}

/// Lets a call go wrong where a fault says so.
pub(super) async fn inject(
    State((inner, prefix)): State<(Arc<Inner>, &'static str)>,
    uri: Uri,
    request: Request,
    next: Next,
) -> Response {
    let path = format!("{prefix}{}", uri.path());
    let fault = inner
        .dispatcher
        .faults()
        .on_call(request.method().as_str(), &path);
    if let Some(latency) = fault.latency {
        tokio::time::sleep(latency).await;
    }
    if let Some((status, retry_after)) = fault.status {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        return marked(
            Problem::on_purpose(status, retry_after).into_response(),
            Done::Refused,
        );
    }
    let response = next.run(request).await;
    match (fault.lost, fault.latency) {
        (true, _) => marked(lost(), Done::Lost),
        (_, Some(_)) => marked(response, Done::Late),
        _ => response,
    }
}

/// An answer whose sending fails at its first byte, so that the connection ends and nothing of it was sent.
fn lost() -> Response {
    let broken =
        futures_util::stream::once(async { Err::<bytes::Bytes, _>(io::Error::other("lost on purpose")) });
    Body::from_stream(broken).into_response()
}

fn marked(mut response: Response, done: Done) -> Response {
    response.extensions_mut().insert(done);
    response
}
