//! Files: streamed up and down, never held as a whole.

mod arriving;
mod content;
pub(super) mod disposition;

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use futures_util::{Stream, stream::BoxStream};
use reqwest::{
    Body,
    multipart::{Form, Part},
};

use self::content::{Content, Fault};
pub(super) use self::{arriving::Arriving, content::Progress};
use super::{
    Gateway, NewAttachment, StoredAttachment, UpstreamError, UpstreamErrorKind, operation, wire::received,
};
use crate::event::{AuthorType, TenantId};

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
    /// The content did not have the size that was announced, so the vendor stored nothing.
    Length {
        /// What was announced, in bytes.
        expected: u64,
        /// What came, in bytes; where it is more than was announced, what had come by then.
        got: u64,
    },
    /// The content stopped coming before it was complete, so the vendor stored nothing.
    Starved,
    /// The vendor refused, failed or did not answer.
    Upstream(UpstreamError),
}

impl<E> From<UpstreamError> for UploadError<E> {
    fn from(error: UpstreamError) -> Self {
        Self::Upstream(error)
    }
}

impl Gateway {
    /// Uploads a file: `POST /conversations/{id}/attachments`, 200, multipart with the parts `authorType` and `attachment`. Not
    /// safe to repeat. `content` must yield exactly `new.size_bytes` bytes.
    ///
    /// The request is complete only once `content` ended as it should. Whatever ends it before leaves nothing behind, so only
    /// the loss of the answer itself is [`UpstreamErrorKind::OutcomeUnknown`].
    pub async fn upload_attachment<E: Send + 'static>(
        &self,
        tenant: &TenantId,
        conversation: &str,
        new: &NewAttachment,
        content: impl Stream<Item = Result<Bytes, E>> + Send + 'static,
    ) -> Result<StoredAttachment, UploadError<E>> {
        let progress = Progress::new();
        // However this ends, the rest of the content is not read.
        let _abandon = progress.abandon_on_drop();
        let fault = Arc::new(Mutex::new(None));
        let content = Content::new(content, new.size_bytes, Arc::clone(&progress), Arc::clone(&fault));
        let form = form(new, Body::wrap_stream(content))?;
        let path = ["conversations", conversation, "attachments"];
        let call = self
            .prepare(&operation::UPLOAD, tenant, &path)?
            .file(form, Arc::clone(&progress));
        let result = self.send(call, received::attachment).await;
        let fault = fault.lock().unwrap_or_else(PoisonError::into_inner).take();
        match result {
            Ok(stored) if progress.is_whole() => Ok(stored),
            // Refused while the content was still coming.
            Err(error) if error.status.is_some() => Err(error.into()),
            result => match (fault, result) {
                (Some(Fault::Content(error)), _) => Err(UploadError::Content(error)),
                (Some(Fault::Length { expected, got }), _) => Err(UploadError::Length { expected, got }),
                (None, Err(_)) if progress.is_silent() => Err(UploadError::Starved),
                (None, Err(error)) => Err(error.into()),
                (None, Ok(_)) => Err(too_early().into()),
            },
        }
    }

    /// Downloads a file: `GET /conversations/{id}/attachments/{attachmentId}/content`, 200.
    ///
    /// An answer that breaks off, or in which nothing moves for too long, ends with an error of kind
    /// [`UpstreamErrorKind::Unavailable`]; one for which there is no more time with [`UpstreamErrorKind::Timeout`].
    pub async fn download_attachment(
        &self,
        tenant: &TenantId,
        conversation: &str,
        attachment: &str,
    ) -> Result<Download, UpstreamError> {
        let path = [
            "conversations",
            conversation,
            "attachments",
            attachment,
            "content",
        ];
        let call = self.prepare(&operation::DOWNLOAD, tenant, &path)?.for_file();
        let arriving = self.call(call).await?.into_file()?;
        Ok(Download {
            attachment: arriving.describe(attachment),
            content: arriving.into_stream(),
        })
    }
}

/// The body of an upload. Who wrote it goes first, so that it is known when the file comes.
fn form(new: &NewAttachment, content: Body) -> Result<Form, UpstreamError> {
    let refuse = |problem: &str| UpstreamError::new(UpstreamErrorKind::Invalid, problem);
    if !matches!(new.author, AuthorType::User | AuthorType::Bot) {
        return Err(refuse("a file is from the user or from the bot"));
    }
    // It becomes part of a header.
    if new.file_name.is_empty() || new.file_name.chars().any(char::is_control) {
        return Err(refuse(
            "the name of a file must not be empty or hold control characters",
        ));
    }
    let part = Part::stream_with_length(content, new.size_bytes)
        .file_name(new.file_name.clone())
        .mime_str(&new.media_type)
        .map_err(|_| refuse("the type of a file must be a media type such as image/png"))?;
    Ok(Form::new()
        .text("authorType", new.author.as_str())
        .part("attachment", part))
}

fn too_early() -> UpstreamError {
    UpstreamError::new(
        UpstreamErrorKind::OutcomeUnknown,
        "the answer came before the file was sent whole",
    )
}
