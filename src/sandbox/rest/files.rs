//! The bytes of attachments: with the API key, and at the addresses that events carry.

use std::{io, sync::Arc};

use axum::{
    body::Body,
    extract::{Path, Query, State, rejection::QueryRejection},
    http::{HeaderName, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use tokio_util::io::ReaderStream;

use super::{
    attachments,
    problem::{Fault, Problem},
};
use crate::sandbox::{Inner, floor::content::Attachment, now_ms};

/// How much is read from the disk at once: each time another thread is asked for it.
const CHUNK_BYTES: usize = 256 << 10;
/// The vendor describes no other type here; details and addresses have the file's own.
const ANY_TYPE: &str = "application/octet-stream";

#[derive(Debug, Deserialize)]
pub(super) struct Pass {
    expires: i64,
    signature: String,
}

/// Sends a file.
pub(super) async fn content(
    State(inner): State<Arc<Inner>>,
    Path((id, attachment_id)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let found = attachments::find(&inner, &id, &attachment_id)?;
    send(&found, ANY_TYPE).await
}

/// Sends a file to whoever has its address, as long as that works.
pub(super) async fn fetch(
    State(inner): State<Arc<Inner>>,
    Path((id, attachment_id)): Path<(String, String)>,
    pass: Result<Query<Pass>, QueryRejection>,
) -> Result<Response, Problem> {
    let admitted = pass.is_ok_and(|Query(pass)| {
        inner
            .links
            .admits(&id, &attachment_id, pass.expires, &pass.signature, now_ms())
    });
    if !admitted {
        return Err(Problem::forbidden("This address is wrong or has expired."));
    }
    let found = attachments::find(&inner, &id, &attachment_id)?;
    send(&found, &found.media_type).await
}

async fn send(attachment: &Attachment, media_type: &str) -> Result<Response, Problem> {
    let file = attachment.file.open().await.map_err(|why| lost(&why))?;
    let headers: [(HeaderName, String); 4] = [
        (header::CONTENT_TYPE, media_type.to_owned()),
        (header::CONTENT_LENGTH, attachment.file.size().to_string()),
        (header::CONTENT_DISPOSITION, disposition(&attachment.name)),
        // A browser that shows the sandbox's pages must not take a file for one of them.
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
    ];
    let body = Body::from_stream(ReaderStream::with_capacity(file, CHUNK_BYTES));
    Ok((StatusCode::OK, headers, body).into_response())
}

fn lost(why: &io::Error) -> Problem {
    tracing::warn!(%why, "the sandbox cannot read a file that it keeps");
    let fault = Fault::new("internal_error", "The sandbox cannot read this file any more.");
    Problem::general(StatusCode::INTERNAL_SERVER_ERROR, &fault)
}

/// The name twice, as RFC 6266 has it: for readers of ASCII, and whole.
fn disposition(name: &str) -> String {
    let plain: String = name
        .chars()
        .map(|c| match c {
            '"' | '\\' | '%' => '_',
            c if c.is_ascii_graphic() || c == ' ' => c,
            _ => '_',
        })
        .collect();
    let whole = utf8_percent_encode(name, NON_ALPHANUMERIC);
    format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{whole}")
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("a b.png", r#"attachment; filename="a b.png"; filename*=UTF-8''a%20b%2Epng"#)]
    #[case(
        "Grüße.pdf",
        r#"attachment; filename="Gr__e.pdf"; filename*=UTF-8''Gr%C3%BC%C3%9Fe%2Epdf"#
    )]
    #[case(r#"a"b%20"#, r#"attachment; filename="a_b_20"; filename*=UTF-8''a%22b%2520"#)]
    fn a_name_is_safe_in_a_header(#[case] name: &str, #[case] expected: &str) {
        assert_eq!(disposition(name), expected);
        assert!(axum::http::HeaderValue::from_str(expected).is_ok());
    }
}
