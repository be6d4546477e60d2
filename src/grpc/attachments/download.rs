//! A file from the vendor to a caller, piece by piece: the vendor is read no faster than the caller takes.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Bytes, BytesMut};
use futures_util::{
    Stream, StreamExt as _,
    stream::{self, BoxStream},
};
use http_body::{Body, Frame};
use prost::encoding::{self, WireType};
use tonic::{Request, Status};

use crate::{
    conversation::Conversations,
    error::Error,
    gateway::{Download, UpstreamError},
    grpc::{
        asker::Asker,
        call::status,
        check::Check,
        convert,
        fields::Rpc,
        framing,
        proto::{self, DownloadAttachmentResponse, download_attachment_response::Part},
    },
};

/// The largest piece, in bytes.
const CHUNK_BYTES_MAX: usize = 256 << 10;
/// Pieces that are smaller are joined with what is there already: each costs a message, and a message more than such a copy.
const CHUNK_BYTES_MIN: usize = 16 << 10;

/// Field number of the next bytes in `chatbridge.v1.DownloadAttachmentResponse`.
const CHUNK: u32 = 2;

pub(super) async fn download(
    calls: &Conversations,
    request: Request<proto::DownloadAttachmentRequest>,
) -> Result<Download, Error> {
    let asker = Asker::of(&request);
    let request = request.into_inner();
    let mut check = Check::default();
    check.identifier("conversation_id", &request.conversation_id);
    check.attachment_identifier("attachment_id", &request.attachment_id);
    let tenant = check.of_tenant(asker.tenant(calls, &request.tenant))?;
    calls
        .download(&tenant, &request.conversation_id, &request.attachment_id)
        .await
}

/// A file as the body of its HTTP response. Its bytes are sent as they came.
pub(super) struct DownloadBody {
    pieces: Pieces<BoxStream<'static, Result<Bytes, UpstreamError>>>,
    /// What comes before the next piece.
    next: Option<Bytes>,
    is_over: bool,
}

impl DownloadBody {
    pub(super) fn new(download: Download) -> Self {
        let start = DownloadAttachmentResponse {
            part: Some(Part::Start(convert::stored_attachment(&download.attachment))),
        };
        Self {
            pieces: Pieces::new(download.content),
            next: Some(framing::framed(&start)),
            is_over: false,
        }
    }
}

/// What goes before a piece: the header of its message, and its field's key and length.
fn prefix(piece: &Bytes) -> Bytes {
    let field = encoding::key_len(CHUNK) + encoding::encoded_len_varint(piece.len() as u64);
    let mut out = Vec::with_capacity(framing::HEADER_BYTES + field);
    framing::put_header(field + piece.len(), &mut out);
    encoding::encode_key(CHUNK, WireType::LengthDelimited, &mut out);
    encoding::encode_varint(piece.len() as u64, &mut out);
    out.into()
}

impl Body for DownloadBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let this = &mut *self;
        if let Some(next) = this.next.take() {
            return Poll::Ready(Some(Ok(Frame::data(next))));
        }
        if this.is_over {
            return Poll::Ready(None);
        }
        let status = match ready!(this.pieces.poll_next(context)) {
            Some(Ok(piece)) => {
                let prefix = prefix(&piece);
                this.next = Some(piece);
                return Poll::Ready(Some(Ok(Frame::data(prefix))));
            }
            Some(Err(error)) => status(Rpc::DownloadAttachment, error.into()),
            None => Status::ok(""),
        };
        this.is_over = true;
        Poll::Ready(Some(Ok(framing::trailers(&status))))
    }

    fn is_end_stream(&self) -> bool {
        self.is_over && self.next.is_none()
    }
}

/// Content in pieces that are neither empty nor too large.
struct Pieces<S> {
    content: stream::Fuse<S>,
    /// What came and was not passed on yet.
    ready: Bytes,
    /// What comes behind that.
    failed: Option<UpstreamError>,
}

impl<S: Stream<Item = Result<Bytes, UpstreamError>> + Unpin> Pieces<S> {
    fn new(content: S) -> Self {
        Self {
            content: content.fuse(),
            ready: Bytes::new(),
            failed: None,
        }
    }

    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, UpstreamError>>> {
        while self.ready.is_empty() {
            if let Some(error) = self.failed.take() {
                return Poll::Ready(Some(Err(error)));
            }
            match ready!(self.content.poll_next_unpin(context)) {
                Some(Ok(bytes)) => self.ready = bytes,
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            }
        }
        if self.ready.len() < CHUNK_BYTES_MIN && self.failed.is_none() {
            self.join(context);
        }
        let len = self.ready.len().min(CHUNK_BYTES_MAX);
        Poll::Ready(Some(Ok(self.ready.split_to(len))))
    }

    /// Adds what is there without waiting.
    fn join(&mut self, context: &mut Context<'_>) {
        let mut joined = BytesMut::new();
        while joined.len().max(self.ready.len()) < CHUNK_BYTES_MIN {
            match self.content.poll_next_unpin(context) {
                Poll::Ready(Some(Ok(bytes))) => {
                    if joined.is_empty() {
                        joined.extend_from_slice(&self.ready);
                    }
                    joined.extend_from_slice(&bytes);
                }
                Poll::Ready(Some(Err(error))) => {
                    self.failed = Some(error);
                    break;
                }
                Poll::Ready(None) | Poll::Pending => break,
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
    use std::future::poll_fn;

    use futures_util::FutureExt as _;
    use proptest::prelude::*;
    use prost::Message as _;

    use super::*;
    use crate::gateway::UpstreamErrorKind;

    #[test]
    fn a_piece_with_its_prefix_is_a_framed_message() {
        for bytes in [1, 127, 128, 70_000, CHUNK_BYTES_MAX] {
            let piece = Bytes::from(vec![7; bytes]);
            let message = DownloadAttachmentResponse {
                part: Some(Part::Chunk(piece.clone())),
            };
            let framed = [prefix(&piece), piece].concat();
            assert_eq!(framed, framing::framed(&message));
            let decoded = DownloadAttachmentResponse::decode(&framed[framing::HEADER_BYTES..]);
            assert_eq!(decoded.unwrap(), message);
        }
    }

    fn failure() -> UpstreamError {
        UpstreamError::new(UpstreamErrorKind::Unavailable, "gone")
    }

    async fn next<S>(pieces: &mut Pieces<S>) -> Option<Result<Bytes, UpstreamError>>
    where
        S: Stream<Item = Result<Bytes, UpstreamError>> + Unpin,
    {
        poll_fn(|context| pieces.poll_next(context)).await
    }

    async fn read(
        content: impl Stream<Item = Result<Bytes, UpstreamError>> + Unpin + Send,
    ) -> (Vec<Bytes>, Option<UpstreamError>) {
        let mut got = Vec::new();
        let mut pieces = Pieces::new(content);
        while let Some(piece) = next(&mut pieces).await {
            match piece {
                Ok(piece) => got.push(piece),
                Err(error) => {
                    assert!(next(&mut pieces).await.is_none(), "an error is the end");
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
        let mut pieces = Pieces::new(tokio_stream::wrappers::ReceiverStream::new(from));
        to.send(Ok(Bytes::from_static(b"a"))).await.unwrap();
        assert_eq!(next(&mut pieces).await.unwrap().unwrap(), "a");
        to.send(Ok(Bytes::from_static(b"b"))).await.unwrap();
        to.send(Ok(Bytes::from_static(b"c"))).await.unwrap();
        assert_eq!(next(&mut pieces).await.unwrap().unwrap(), "bc");
        drop(to);
        assert!(next(&mut pieces).await.is_none());
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
