//! Files: streamed up and down, never held as a whole.

use std::fmt;

use bytes::Bytes;
use futures_util::stream::{BoxStream, Stream};

use super::{Gateway, NewAttachment, StoredAttachment, UpstreamError, UpstreamErrorKind};
use crate::event::TenantId;

/// A file that is being downloaded.
pub struct Download {
    /// What the vendor's answer says of it; `id` as it was asked for.
    pub attachment: StoredAttachment,
    /// Its bytes. After an error it ends; without one, the file is complete.
    pub content: BoxStream<'static, Result<Bytes, UpstreamError>>,
}

impl fmt::Debug for Download {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Download").finish_non_exhaustive()
    }
}

/// Why an upload failed.
#[derive(Debug)]
pub enum UploadError<E> {
    /// The content failed before it was complete, so the vendor stored nothing.
    Content(E),
    /// The vendor refused, failed or did not answer.
    Upstream(UpstreamError),
}

impl Gateway {
    /// Uploads a file: `POST /conversations/{id}/attachments`, 200, multipart with the parts `attachment` and `authorType`. Not
    /// safe to repeat. `content` must yield exactly `new.size_bytes` bytes.
    pub async fn upload_attachment<E: Send + 'static>(
        &self,
        _tenant: &TenantId,
        _conversation: &str,
        _new: &NewAttachment,
        _content: impl Stream<Item = Result<Bytes, E>> + Send + 'static,
    ) -> Result<StoredAttachment, UploadError<E>> {
        Err(UploadError::Upstream(unbuilt()))
    }

    /// Downloads a file: `GET /conversations/{id}/attachments/{attachmentId}/content`, 200.
    pub async fn download_attachment(
        &self,
        _tenant: &TenantId,
        _conversation: &str,
        _attachment: &str,
    ) -> Result<Download, UpstreamError> {
        Err(unbuilt())
    }
}

fn unbuilt() -> UpstreamError {
    UpstreamError::new(UpstreamErrorKind::Unexpected, "not built yet")
}
