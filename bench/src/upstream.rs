//! An upstream that accepts every message after a while, so that it waits rather than computes.

use std::{path::PathBuf, time::Duration};

use axum::{Router, http::StatusCode, routing::post};

use crate::Result;

/// Serves until it is killed.
pub(crate) async fn serve(ready: &str, delay_ms: &str) -> Result<()> {
    let delay = Duration::from_millis(delay_ms.parse()?);
    let accept = move |_: bytes::Bytes| async move {
        tokio::time::sleep(delay).await;
        StatusCode::ACCEPTED
    };
    let app = Router::new().route("/chat-gateway/v1/conversations/{id}/messages", post(accept));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let ready = PathBuf::from(ready);
    let part = ready.with_extension("part");
    std::fs::write(
        &part,
        serde_json::json!({ "upstream": listener.local_addr()? }).to_string(),
    )?;
    std::fs::rename(part, ready)?;
    axum::serve(listener, app).await?;
    Ok(())
}
