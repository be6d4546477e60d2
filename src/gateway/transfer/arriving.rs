//! A file that arrives: what its answer says of it, and its bytes as they come.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::{
    StreamExt,
    stream::{self, BoxStream},
};
use reqwest::{
    Response,
    header::{CONTENT_DISPOSITION, CONTENT_TYPE},
};
use tokio::{
    sync::{OwnedSemaphorePermit, oneshot},
    time::{Instant, timeout_at},
};

use super::disposition;
use crate::gateway::{
    StoredAttachment, UpstreamError, UpstreamErrorKind, exchange::innermost, record::Record,
};

/// The longest media type that is passed on, in bytes.
const MEDIA_TYPE_LIMIT: usize = 256;

/// The answer with a file, of which only the head is here.
pub(in crate::gateway) struct Arriving {
    response: Response,
    record: Record,
    patience: Duration,
    until: Instant,
    /// Its place among the requests under way; dropped when the file is over.
    _place: Option<oneshot::Sender<()>>,
}

impl Arriving {
    /// Nothing may be at rest for longer than `patience`, and all must be here by `until`.
    pub(in crate::gateway) fn new(
        response: Response,
        record: Record,
        permit: Option<Arc<OwnedSemaphorePermit>>,
        patience: Duration,
        until: Instant,
    ) -> Self {
        Self {
            response,
            record,
            patience,
            until,
            _place: permit.map(|permit| hold(permit, until)),
        }
    }

    /// What the answer says of the file.
    pub(super) fn describe(&self, id: &str) -> StoredAttachment {
        let headers = self.response.headers();
        let file_name = headers
            .get(CONTENT_DISPOSITION)
            .and_then(|value| disposition::file_name(value.as_bytes()));
        let media_type = headers
            .get(CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .map(str::trim)
            .filter(|text| text.len() <= MEDIA_TYPE_LIMIT);
        StoredAttachment {
            id: id.to_owned(),
            file_name: file_name.unwrap_or_default(),
            media_type: media_type.unwrap_or_default().to_owned(),
            size_bytes: self.response.content_length(),
            created_ms: None,
        }
    }

    /// Its bytes. Nothing is read before it is asked for, beyond what is under way in the transport.
    pub(super) fn into_stream(self) -> BoxStream<'static, Result<Bytes, UpstreamError>> {
        let chunks = stream::unfold(Some(self), |arriving| async {
            let mut arriving = arriving?;
            match arriving.next().await {
                Ok(Some(chunk)) => Some((Ok(chunk), Some(arriving))),
                Ok(None) => {
                    let status = arriving.response.status().as_u16();
                    arriving.record.succeeded(status);
                    None
                }
                Err(error) => {
                    arriving.record.failed(&error);
                    Some((Err(error), None))
                }
            }
        });
        chunks.boxed()
    }

    async fn next(&mut self) -> Result<Option<Bytes>, UpstreamError> {
        let stalled = Instant::now() + self.patience;
        let by = stalled.min(self.until);
        loop {
            match timeout_at(by, self.response.chunk()).await {
                Ok(Ok(Some(chunk))) if chunk.is_empty() => {}
                Ok(Ok(chunk)) => return Ok(chunk),
                Ok(Err(error)) => {
                    let problem = format!("the file broke off: {}", innermost(error));
                    return Err(self.failed(UpstreamErrorKind::Unavailable, problem));
                }
                Err(_) if by == self.until => {
                    let problem = "the file was not here whole within the time limit".to_owned();
                    return Err(self.failed(UpstreamErrorKind::Timeout, problem));
                }
                Err(_) => {
                    let problem = "the file stopped arriving".to_owned();
                    return Err(self.failed(UpstreamErrorKind::Unavailable, problem));
                }
            }
        }
    }

    fn failed(&self, kind: UpstreamErrorKind, problem: String) -> UpstreamError {
        UpstreamError {
            status: Some(self.response.status().as_u16()),
            ..UpstreamError::new(kind, problem)
        }
    }
}

/// Holds a permit until the sender is dropped, and no longer than `until`: a reader who stopped reading, so that nothing here is
/// polled any more, must not take up a place for ever.
fn hold(permit: Arc<OwnedSemaphorePermit>, until: Instant) -> oneshot::Sender<()> {
    let (place, dropped) = oneshot::channel();
    tokio::spawn(async move {
        // However this ends, the place is free.
        let _ = timeout_at(until, dropped).await;
        drop(permit);
    });
    place
}
