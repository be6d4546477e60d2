//! Follows all conversations, and goes on where it stopped: its cursor is in a file. `worker FILE` runs until SIGTERM or SIGINT.

use std::{env, io::Write as _, path::PathBuf};

use bytes::Bytes;
use chatbridge_client::{BoxError, Client, CursorHooks, StreamOptions, v1};
use futures_util::TryStreamExt as _;
use tokio::{
    fs, io,
    signal::unix::{SignalKind, signal},
};
use v1::{StartPosition, agent_events_request::Start, agent_events_response::Payload};

/// A cursor in a file, which is replaced as a whole.
struct CursorFile(PathBuf);

impl CursorHooks for CursorFile {
    async fn load(&self) -> Result<Option<Bytes>, BoxError> {
        match fs::read(&self.0).await {
            Ok(cursor) => Ok(Some(cursor.into())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    async fn save(&self, cursor: Bytes) -> Result<(), BoxError> {
        let new = self.0.with_extension("new");
        fs::write(&new, cursor).await?;
        Ok(fs::rename(&new, &self.0).await?)
    }
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let file = env::args_os().nth(1).ok_or("usage: worker FILE")?;
    let target = env::var("CHATBRIDGE_TARGET").unwrap_or_else(|_| "127.0.0.1:50051".to_owned());
    let mut builder = Client::builder(target).cleartext();
    if let Ok(token) = env::var("CHATBRIDGE_TOKEN") {
        builder = builder.token(token);
    }
    let client = builder.connect_lazy()?;
    let (mut terminated, mut interrupted) =
        (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);

    // From the beginning, where there is no file yet.
    let start = Some(Start::Position(StartPosition::Earliest.into()));
    let request = v1::AgentEventsRequest {
        start,
        ..Default::default()
    };
    let mut events = client.agent_events_with(
        request,
        StreamOptions::default().cursor_hooks(CursorFile(file.into())),
    );
    let mut out = std::io::stdout();
    loop {
        // Asking for the next response says that the one before was processed: its cursor is saved then.
        let response = tokio::select! {
            response = events.try_next() => response?,
            _ = terminated.recv() => break,
            _ = interrupted.recv() => break,
        };
        match response.and_then(|response| response.payload) {
            Some(Payload::Event(event)) => {
                let kind = event.kind().as_str_name();
                let kind = kind.strip_prefix("EVENT_KIND_").unwrap_or(kind);
                // Some events belong to no conversation.
                let conversation = Some(&*event.conversation_id)
                    .filter(|id| !id.is_empty())
                    .unwrap_or("-");
                writeln!(out, "{conversation} {} {kind}", event.sequence)?;
                out.flush()?;
            }
            Some(_) => {}
            None => break,
        }
    }
    events.close().await?;
    client.close().await;
    Ok(())
}
