//! An upstream that waits rather than computes: it accepts every message after a while, and moves files as fast as a link would.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::Body,
    extract::State,
    http::{StatusCode, header::CONTENT_LENGTH},
    response::IntoResponse,
    routing::{get, post},
};
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};

use crate::{Result, events::floor::write_ready};

/// What moves at once, in bytes.
const CHUNK_BYTES: usize = 64 << 10;
/// The one file that it has, but for its size.
pub(crate) const FILE: &str = "file";

#[derive(Clone, Copy)]
struct Pace {
    /// How long a message takes.
    delay: Duration,
    /// Bytes of a file.
    file_bytes: u64,
    /// Bytes of a file in a second.
    per_second: f64,
}

impl Pace {
    /// Waits until so many bytes may have moved.
    async fn moved(&self, begun: Instant, bytes: u64) {
        let due = begun + Duration::from_secs_f64(bytes as f64 / self.per_second);
        tokio::time::sleep_until(due.into()).await;
    }
}

/// Serves until it is killed.
pub(crate) async fn serve(ready: &str, delay_ms: &str, file_bytes: &str, per_second: &str) -> Result<()> {
    let pace = Pace {
        delay: Duration::from_millis(delay_ms.parse()?),
        file_bytes: file_bytes.parse()?,
        per_second: per_second.parse()?,
    };
    let conversation = Router::new()
        .route("/messages", post(accept))
        .route("/attachments", post(take))
        .route("/attachments/{attachment}/content", get(give))
        .with_state(pace);
    let app = Router::new().nest("/chat-gateway/v1/conversations/{id}", conversation);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = serde_json::json!({ "upstream": listener.local_addr()? });
    write_ready(Path::new(ready), &address)?;
    axum::serve(listener, app).await?;
    Ok(())
}

async fn accept(State(pace): State<Pace>, _: Bytes) -> StatusCode {
    tokio::time::sleep(pace.delay).await;
    StatusCode::ACCEPTED
}

async fn take(State(pace): State<Pace>, body: Body) -> std::result::Result<String, StatusCode> {
    let begun = Instant::now();
    let mut seen = 0;
    let mut body = body.into_data_stream();
    while let Some(data) = body.next().await {
        seen += data.map_err(|_| StatusCode::BAD_REQUEST)?.len() as u64;
        pace.moved(begun, seen).await;
    }
    Ok(serde_json::json!({ "id": FILE, "filename": "file.bin", "size": pace.file_bytes }).to_string())
}

async fn give(State(pace): State<Pace>) -> impl IntoResponse {
    let begun = Instant::now();
    let chunk = Bytes::from(vec![0x5a; CHUNK_BYTES]);
    let content = stream::unfold(0, move |sent: u64| {
        let left = pace.file_bytes - sent;
        let next = chunk.slice(..CHUNK_BYTES.min(usize::try_from(left).unwrap_or(usize::MAX)));
        async move {
            pace.moved(begun, sent).await;
            let sent = sent + next.len() as u64;
            (left > 0).then_some((Ok::<_, std::io::Error>(next), sent))
        }
    });
    (
        [(CONTENT_LENGTH, pace.file_bytes.to_string())],
        Body::from_stream(content),
    )
}
