//! Files of conversations.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use aws_lc_rs::digest::{Context, SHA256};
use bytes::Bytes;
use futures_util::{
    Stream, StreamExt,
    stream::{self, BoxStream},
};
use serde::{Deserialize, Serialize};

use super::{
    Conversations,
    calls::RequestId,
    echo::hex,
    idempotency::{Guard, Plan, Started},
    reconcile::ledger_of_upload,
};
use crate::{
    error::Error,
    event::ConversationKey,
    gateway::{Download, Listed, NewAttachment, PageQuery, StoredAttachment, UploadError},
    tenant::Tenant,
};

/// How much longer than its transfer an upload may be under way before it counts as abandoned.
const LEASE_MARGIN: Duration = Duration::from_secs(60);

/// Answer to an upload. Kept as JSON for repeats.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Uploaded {
    attachment: StoredAttachment,
    /// SHA-256 of the content; `None` where nobody saw it to its end.
    sha256: Option<String>,
}

impl Uploaded {
    /// A file that was found: nobody knows its content.
    pub(super) fn unseen(attachment: StoredAttachment) -> Self {
        Self {
            attachment,
            sha256: None,
        }
    }
}

/// Why an upload failed.
pub(super) enum UploadFailure {
    /// Its content broke off, or is not what was announced.
    Content(Error),
    /// Anything else.
    Other(Error),
}

impl From<UploadFailure> for Error {
    fn from(failure: UploadFailure) -> Self {
        match failure {
            UploadFailure::Content(error) | UploadFailure::Other(error) => error,
        }
    }
}

impl From<Error> for UploadFailure {
    fn from(error: Error) -> Self {
        Self::Other(error)
    }
}

impl Conversations {
    /// Uploads a file, once for each `request_id`. `request.digest` is of everything but the content; `content` yields exactly
    /// `new.size_bytes` bytes, or an error, which is passed on. Larger than the tenant's limit: [`Error::Invalid`].
    pub async fn upload(
        &self,
        tenant: &Tenant,
        id: &str,
        request: &RequestId,
        new: &NewAttachment,
        content: impl Stream<Item = Result<Bytes, Error>> + Send + 'static,
    ) -> Result<StoredAttachment, Error> {
        Ok(self.try_upload(tenant, id, request, new, content.boxed()).await?)
    }

    /// As [`Conversations::upload`], telling a failure of the content from others.
    pub(super) async fn try_upload(
        &self,
        tenant: &Tenant,
        id: &str,
        request: &RequestId,
        new: &NewAttachment,
        content: BoxStream<'static, Result<Bytes, Error>>,
    ) -> Result<StoredAttachment, UploadFailure> {
        check_size(tenant, new)?;
        let key = ConversationKey::new(tenant.id.clone(), id);
        let ledger = ledger_of_upload(&key, new);
        let plan = Plan {
            method: "UploadAttachment",
            request,
            lease: tenant.gateway.transfer_timeout() + LEASE_MARGIN,
            // The repeat says again what a later look needs.
            mark: serde_json::Value::Null,
            ledger: Some(ledger.clone()),
            echo: None,
        };
        // Only a repeat with the same id is ever compared.
        let (content, hash) = measured(content, new.size_bytes, !request.id.is_empty());
        let mut guard = match Guard::begin(&self.store, tenant, plan).await? {
            Started::New(guard) => guard,
            Started::Done(first) => {
                let limit = tenant.gateway.transfer_timeout();
                return same_content(first, content, &hash, limit).await;
            }
            // Whether this repeat has the first call's content cannot be known, neither where the file is found nor where it is
            // not: so nothing of it is read.
            Started::Unknown(doubt) => {
                let found = self.reconcile_upload(tenant, &ledger, new, doubt).await?;
                return Ok(found.attachment);
            }
        };
        guard.carries(&hash);
        self.continue_trace(tenant, id).await;
        let gateway = guard.watched(&tenant.gateway);
        let outcome = gateway.upload_attachment(&tenant.id, id, new, content).await;
        let attachment = match outcome {
            Ok(attachment) => attachment,
            Err(UploadError::Content(error)) => {
                guard.not_sent().await;
                return Err(UploadFailure::Content(error));
            }
            // The content is measured on its way, so that this cannot be; if it were, nothing was stored.
            Err(UploadError::Length { expected, got }) => {
                guard.not_sent().await;
                let problem = format!("the chunks hold {got} bytes; start.size_bytes is {expected}");
                return Err(UploadFailure::Content(Error::invalid("chunk", problem)));
            }
            Err(UploadError::Starved) => {
                guard.not_sent().await;
                return Err(UploadFailure::Other(Error::CallerGone));
            }
            Err(UploadError::Upstream(error)) => return Ok(guard.watch(Err(error)).await?),
        };
        let answer = Uploaded {
            attachment,
            sha256: hash.get().cloned(),
        };
        guard.done(&answer, &answer.attachment.id).await;
        Ok(answer.attachment)
    }

    /// Downloads a file.
    pub async fn download(&self, tenant: &Tenant, id: &str, attachment: &str) -> Result<Download, Error> {
        Ok(tenant
            .gateway
            .download_attachment(&tenant.id, id, attachment)
            .await?)
    }

    /// Reads a file's details from the vendor.
    pub async fn attachment(
        &self,
        tenant: &Tenant,
        id: &str,
        attachment: &str,
    ) -> Result<StoredAttachment, Error> {
        Ok(tenant.gateway.attachment(&tenant.id, id, attachment).await?)
    }

    /// Lists a conversation's files from the vendor.
    pub async fn attachments(
        &self,
        tenant: &Tenant,
        id: &str,
        page: &PageQuery,
    ) -> Result<Listed<StoredAttachment>, Error> {
        Ok(tenant.gateway.attachments(&tenant.id, id, page).await?)
    }
}

fn check_size(tenant: &Tenant, new: &NewAttachment) -> Result<(), Error> {
    let (size, limit) = (new.size_bytes, tenant.attachment_max_bytes);
    if size <= limit {
        return Ok(());
    }
    Err(Error::invalid(
        "start.size_bytes",
        format!("is {size}, and files of at most {limit} bytes are taken"),
    ))
}

/// The first call's answer, if the repeat has the same content. It is read to its end, no further than its size, and no longer
/// than an upload may take.
async fn same_content(
    first: Uploaded,
    mut content: BoxStream<'static, Result<Bytes, Error>>,
    hash: &OnceLock<String>,
    limit: Duration,
) -> Result<StoredAttachment, UploadFailure> {
    let Some(known) = first.sha256 else {
        return Ok(first.attachment);
    };
    let reading = async {
        while let Some(chunk) = content.next().await {
            chunk?;
        }
        Ok(())
    };
    let read = tokio::time::timeout(limit, reading).await;
    read.unwrap_or(Err(Error::CallerGone))
        .map_err(UploadFailure::Content)?;
    if hash.get() == Some(&known) {
        Ok(first.attachment)
    } else {
        Err(UploadFailure::Other(Error::REQUEST_ID_REUSED))
    }
}

/// A content that is being measured.
struct Measured {
    content: BoxStream<'static, Result<Bytes, Error>>,
    size: u64,
    seen: u64,
    /// `None` where nobody will compare.
    context: Option<Context>,
    /// The last bytes, held back until it is certain that none follow: with them the vendor would have a whole file.
    last: Option<Bytes>,
    is_whole: bool,
    /// Set when it is whole, or by whoever gives it up before.
    hash: Arc<OnceLock<String>>,
}

/// A content that ends with an error unless it has `size` bytes, and the place where its SHA-256 will be once it has ended; an
/// empty text unless it is `hashed`.
fn measured(
    content: BoxStream<'static, Result<Bytes, Error>>,
    size: u64,
    hashed: bool,
) -> (BoxStream<'static, Result<Bytes, Error>>, Arc<OnceLock<String>>) {
    let hash = Arc::new(OnceLock::new());
    let measured = Measured {
        content,
        size,
        seen: 0,
        context: hashed.then(|| Context::new(&SHA256)),
        last: None,
        is_whole: false,
        hash: Arc::clone(&hash),
    };
    let chunks = stream::unfold(Some(measured), |measured| async {
        let mut measured = measured?;
        match measured.next().await {
            Some(Ok(chunk)) => Some((Ok(chunk), Some(measured))),
            Some(Err(error)) => Some((Err(error), None)),
            None => None,
        }
    });
    (chunks.boxed(), hash)
}

impl Measured {
    async fn next(&mut self) -> Option<Result<Bytes, Error>> {
        while let Some(chunk) = self.content.next().await {
            let chunk = match chunk {
                Ok(chunk) if chunk.is_empty() => continue,
                Ok(chunk) => chunk,
                Err(error) => return Some(Err(error)),
            };
            self.seen = self.seen.saturating_add(chunk.len() as u64);
            if self.seen > self.size {
                return Some(Err(self.wrong("more")));
            }
            if let Some(context) = &mut self.context {
                context.update(&chunk);
            }
            if self.seen < self.size {
                return Some(Ok(chunk));
            }
            self.last = Some(chunk);
        }
        if self.seen < self.size {
            return Some(Err(self.wrong("fewer")));
        }
        if !std::mem::replace(&mut self.is_whole, true) {
            let hash = self.context.take().map(|c| hex(c.finish().as_ref()));
            if self.hash.set(hash.unwrap_or_default()).is_err() {
                // Whoever gave it up has recorded that nothing came of it.
                return Some(Err(Error::CallerGone));
            }
        }
        self.last.take().map(Ok)
    }

    fn wrong(&self, how: &str) -> Error {
        let size = self.size;
        Error::invalid(
            "chunk",
            format!("there are {how} bytes than the {size} of size_bytes"),
        )
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    type Chunks = Vec<Result<&'static [u8], ()>>;

    async fn measure(chunks: Chunks, size: u64) -> (Vec<u8>, Option<Error>, Option<String>) {
        let chunks = chunks
            .into_iter()
            .map(|chunk| chunk.map(Bytes::from_static).map_err(|()| Error::Draining));
        let (mut content, hash) = measured(stream::iter(chunks).boxed(), size, true);
        let mut bytes = Vec::new();
        while let Some(chunk) = content.next().await {
            match chunk {
                Ok(chunk) => bytes.extend_from_slice(&chunk),
                Err(error) => {
                    assert!(content.next().await.is_none(), "an error ends it");
                    return (bytes, Some(error), hash.get().cloned());
                }
            }
        }
        (bytes, None, hash.get().cloned())
    }

    #[tokio::test]
    async fn a_content_of_the_right_size_passes_and_is_hashed() {
        let chunks: Chunks = vec![Ok(b"ab"), Ok(b""), Ok(b"c"), Ok(b"")];
        let (bytes, error, hash) = measure(chunks, 3).await;
        assert!(error.is_none());
        assert_eq!(bytes, b"abc");
        assert_eq!(
            hash.as_deref(),
            Some("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        );
    }

    #[tokio::test]
    async fn a_repeat_that_never_ends_is_not_waited_for() {
        let known = Uploaded {
            sha256: Some("00".to_owned()),
            ..Uploaded::unseen(StoredAttachment::default())
        };
        let endless = stream::iter([Ok(Bytes::from_static(b"a"))]).chain(stream::pending());
        let (content, hash) = measured(endless.boxed(), 3, true);
        let gone = same_content(known, content, &hash, Duration::from_millis(50)).await;
        assert!(matches!(gone, Err(UploadFailure::Content(Error::CallerGone))));
    }

    #[rstest]
    #[case::fewer(vec![Ok(&b"ab"[..])], "fewer")]
    #[case::none(vec![], "fewer")]
    #[case::more(vec![Ok(&b"abc"[..]), Ok(b"d")], "more")]
    #[case::more_at_once(vec![Ok(&b"abcd"[..])], "more")]
    #[tokio::test]
    async fn another_size_is_refused_before_the_file_is_whole(#[case] chunks: Chunks, #[case] how: &str) {
        let (bytes, error, hash) = measure(chunks, 3).await;
        let error = error.unwrap();
        assert!(error.to_string().contains(how), "{error}");
        assert!(bytes.len() < 3, "the last bytes never pass");
        assert_eq!(hash, None);
    }

    #[tokio::test]
    async fn an_error_of_the_content_passes_even_behind_the_last_byte() {
        for chunks in [vec![Ok(&b"ab"[..]), Err(())], vec![Ok(&b"abc"[..]), Err(())]] {
            let (bytes, error, hash) = measure(chunks, 3).await;
            assert!(matches!(error, Some(Error::Draining)));
            assert!(bytes.len() < 3);
            assert_eq!(hash, None);
        }
    }

    #[tokio::test]
    async fn a_content_that_was_given_up_never_becomes_whole() {
        let chunks: [Result<Bytes, Error>; 2] = [b"ab", b"cd"].map(|chunk| Ok(Bytes::from_static(chunk)));
        let (mut content, hash) = measured(stream::iter(chunks).boxed(), 4, true);
        assert!(content.next().await.unwrap().is_ok());
        hash.set(String::new()).unwrap();
        assert!(matches!(content.next().await, Some(Err(Error::CallerGone))));
        assert!(content.next().await.is_none());
    }

    proptest! {
        #[test]
        fn no_cut_changes_the_content(cuts in proptest::collection::vec(0_usize..8, 0..8), size in 0_u64..30) {
            let total: usize = cuts.iter().sum();
            let chunks: Chunks = cuts.iter().map(|n| Ok(&[7_u8; 8][..*n])).collect();
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let (bytes, error, hash) = runtime.block_on(measure(chunks, size));
            prop_assert_eq!(error.is_none(), total as u64 == size);
            prop_assert_eq!(hash.is_some(), total as u64 == size);
            prop_assert!(bytes.len() as u64 <= size);
            prop_assert!(error.is_none() == (bytes.len() as u64 == size) || size == 0);
        }
    }
}
