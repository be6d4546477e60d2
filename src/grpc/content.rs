//! The bytes of a file that a caller streams: as many as were announced, in pieces that are not too large.

use std::time::Duration;

use bytes::Bytes;
use tokio::time::timeout;
use tonic::{Code, Status};

use super::framing::MESSAGE_BYTES_MAX;
use crate::error::Error;

/// The largest piece, in bytes.
pub(super) const CHUNK_BYTES_MAX: usize = 1 << 20;
/// The part of a stream that is such a piece.
pub(super) const CHUNK: &str = "chunk";

/// How many bytes were announced, and how many came.
#[derive(Debug)]
pub(super) struct Count {
    field: &'static str,
    announced: u64,
    seen: u64,
}

impl Count {
    /// `announced` is what the request says in `field`.
    pub(super) fn new(field: &'static str, announced: u64) -> Self {
        Self {
            field,
            announced,
            seen: 0,
        }
    }

    /// Counts a piece that came.
    pub(super) fn take(&mut self, chunk: &Bytes) -> Result<(), Error> {
        if chunk.len() > CHUNK_BYTES_MAX {
            return Err(too_large(&format!("is {} bytes long", chunk.len())));
        }
        self.seen = self.seen.saturating_add(chunk.len() as u64);
        if self.seen > self.announced {
            return Err(Error::invalid(
                self.field,
                format!("says {} bytes, but more came", self.announced),
            ));
        }
        Ok(())
    }

    /// Whether all came.
    pub(super) fn is_complete(&self) -> bool {
        self.seen == self.announced
    }

    /// The content ends here.
    pub(super) fn end(&self) -> Result<(), Error> {
        if self.is_complete() {
            return Ok(());
        }
        Err(Error::invalid(
            self.field,
            format!("says {} bytes, but {} came", self.announced, self.seen),
        ))
    }
}

fn too_large(is: &str) -> Error {
    Error::invalid(
        CHUNK,
        format!("{is}; at most {CHUNK_BYTES_MAX} bytes are allowed"),
    )
}

/// How long a stream may be open before its first message is here.
pub(super) const START_WAIT: Duration = Duration::from_secs(60);

/// What a caller's stream brings, if it comes in time. Who sends nothing, or next to nothing, and sets no deadline must not keep
/// a stream open for ever.
pub(super) async fn within<T>(
    limit: Duration,
    coming: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    timeout(limit, coming).await.unwrap_or(Err(Error::CallerGone))
}

/// Why no more comes from a caller, where `due` was the next part.
pub(super) fn broken(due: &str, status: &Status) -> Error {
    match status.code() {
        // The limit for a message of any kind, which a message that is not too long cannot exceed. Nobody has read the message,
        // so what was due says best what it is.
        Code::OutOfRange if due == CHUNK => too_large("is longer than a message may be"),
        Code::OutOfRange => Error::invalid(
            due,
            format!("is longer than a message may be; at most {MESSAGE_BYTES_MAX} bytes are allowed"),
        ),
        _ => Error::CallerGone,
    }
}
