//! A file from the vendor to a caller, piece by piece: the vendor is read no faster than the caller takes.

use std::pin::Pin;

use bytes::{Bytes, BytesMut};
use futures_util::{FutureExt as _, Stream, StreamExt as _, stream};
use tonic::{Request, Status};

use crate::{
    conversation::Conversations,
    error::Error,
    gateway::UpstreamError,
    grpc::{
        call::status,
        check::Check,
        convert, deadline,
        fields::Rpc,
        proto::{self, DownloadAttachmentResponse, download_attachment_response::Part},
    },
};

/// The largest piece, in bytes.
const CHUNK_BYTES_MAX: usize = 256 << 10;
/// Pieces that are smaller are joined with what is there already: each costs a message.
const CHUNK_BYTES_MIN: usize = 64 << 10;

type Responses = Pin<Box<dyn Stream<Item = Result<DownloadAttachmentResponse, Status>> + Send>>;

pub(super) async fn download(
    calls: &Conversations,
    request: Request<proto::DownloadAttachmentRequest>,
) -> Result<Responses, Error> {
    let deadline = deadline::of(&request);
    let request = request.into_inner();
    let mut check = Check::default();
    check.identifier("conversation_id", &request.conversation_id);
    check.attachment_identifier("attachment_id", &request.attachment_id);
    let tenant = check.of_tenant(calls.tenant(&request.tenant, deadline))?;
    let download = calls
        .download(&tenant, &request.conversation_id, &request.attachment_id)
        .await?;
    let start = Part::Start(convert::stored_attachment(&download.attachment));
    let chunks = pieces(download.content).map(|piece| {
        piece
            .map(|bytes| respond(Part::Chunk(bytes)))
            .map_err(|error| status(Rpc::DownloadAttachment, error.into()))
    });
    Ok(Box::pin(stream::iter([Ok(respond(start))]).chain(chunks)))
}

fn respond(part: Part) -> DownloadAttachmentResponse {
    DownloadAttachmentResponse { part: Some(part) }
}

/// Content in pieces that are neither empty nor too large.
fn pieces<S>(content: S) -> impl Stream<Item = Result<Bytes, UpstreamError>> + Send
where
    S: Stream<Item = Result<Bytes, UpstreamError>> + Unpin + Send,
{
    let pieces = Pieces {
        content: content.fuse(),
        ready: Bytes::new(),
        failed: None,
    };
    stream::unfold(pieces, |mut pieces| async {
        pieces.next().await.map(|piece| (piece, pieces))
    })
}

struct Pieces<S> {
    content: stream::Fuse<S>,
    /// What came and was not passed on yet.
    ready: Bytes,
    /// What comes behind that.
    failed: Option<UpstreamError>,
}

impl<S: Stream<Item = Result<Bytes, UpstreamError>> + Unpin> Pieces<S> {
    async fn next(&mut self) -> Option<Result<Bytes, UpstreamError>> {
        while self.ready.is_empty() {
            if let Some(error) = self.failed.take() {
                return Some(Err(error));
            }
            match self.content.next().await? {
                Ok(bytes) => self.ready = bytes,
                Err(error) => return Some(Err(error)),
            }
        }
        if self.ready.len() < CHUNK_BYTES_MIN && self.failed.is_none() {
            self.join();
        }
        let len = self.ready.len().min(CHUNK_BYTES_MAX);
        Some(Ok(self.ready.split_to(len)))
    }

    /// Adds what is there without waiting.
    fn join(&mut self) {
        let mut joined = BytesMut::new();
        while joined.len().max(self.ready.len()) < CHUNK_BYTES_MIN {
            match self.content.next().now_or_never() {
                Some(Some(Ok(bytes))) => {
                    if joined.is_empty() {
                        joined.extend_from_slice(&self.ready);
                    }
                    joined.extend_from_slice(&bytes);
                }
                Some(Some(Err(error))) => {
                    self.failed = Some(error);
                    break;
                }
                Some(None) | None => break,
            }
        }
        if !joined.is_empty() {
            self.ready = joined.freeze();
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::gateway::UpstreamErrorKind;

    fn failure() -> UpstreamError {
        UpstreamError::new(UpstreamErrorKind::Unavailable, "gone")
    }

    async fn read(
        content: impl Stream<Item = Result<Bytes, UpstreamError>> + Unpin + Send,
    ) -> (Vec<Bytes>, Option<UpstreamError>) {
        let mut got = Vec::new();
        let mut pieces = std::pin::pin!(pieces(content));
        while let Some(piece) = pieces.next().await {
            match piece {
                Ok(piece) => got.push(piece),
                Err(error) => {
                    assert!(pieces.next().await.is_none(), "an error is the end");
                    return (got, Some(error));
                }
            }
        }
        (got, None)
    }

    fn of(sizes: &[usize]) -> Vec<Result<Bytes, UpstreamError>> {
        sizes.iter().map(|size| Ok(vec![7; *size].into())).collect()
    }

    #[tokio::test]
    async fn large_pieces_are_split_and_small_ones_joined() {
        let (got, _) = read(stream::iter(of(&[600 << 10]))).await;
        let sizes: Vec<usize> = got.iter().map(Bytes::len).collect();
        assert_eq!(sizes, [256 << 10, 256 << 10, 88 << 10]);
        let (got, _) = read(stream::iter(of(&[1; 1000]))).await;
        assert_eq!(got.len(), 1, "a thousand single bytes are one piece");
    }

    #[tokio::test]
    async fn what_is_there_is_not_held_back_for_what_is_not() {
        let (to, from) = tokio::sync::mpsc::channel(4);
        let mut pieces = Box::pin(pieces(tokio_stream::wrappers::ReceiverStream::new(from)));
        to.send(Ok(Bytes::from_static(b"a"))).await.unwrap();
        assert_eq!(pieces.next().await.unwrap().unwrap(), "a");
        to.send(Ok(Bytes::from_static(b"b"))).await.unwrap();
        to.send(Ok(Bytes::from_static(b"c"))).await.unwrap();
        assert_eq!(pieces.next().await.unwrap().unwrap(), "bc");
        drop(to);
        assert!(pieces.next().await.is_none());
    }

    #[tokio::test]
    async fn what_came_before_a_failure_is_passed_on() {
        let mut content = of(&[10, 0, 5]);
        content.push(Err(failure()));
        let (got, error) = read(stream::iter(content)).await;
        assert_eq!(got.iter().map(Bytes::len).sum::<usize>(), 15);
        assert_eq!(error, Some(failure()));
    }

    proptest! {
        #[test]
        fn no_byte_is_lost_or_added(sizes in prop::collection::vec(0_usize..300_000, 0..12), fails: bool) {
            let mut content: Vec<Result<Bytes, UpstreamError>> = sizes
                .iter()
                .enumerate()
                .map(|(n, size)| Ok(vec![u8::try_from(n).unwrap(); *size].into()))
                .collect();
            let expected: Vec<u8> = content.iter().flatten().flatten().copied().collect();
            if fails {
                content.push(Err(failure()));
            }
            let (got, error) = read(stream::iter(content)).now_or_never().unwrap();
            prop_assert!(got.iter().all(|piece| !piece.is_empty() && piece.len() <= CHUNK_BYTES_MAX));
            prop_assert_eq!(got.concat(), expected);
            prop_assert_eq!(error.is_some(), fails);
        }
    }
}
