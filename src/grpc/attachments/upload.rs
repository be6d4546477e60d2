//! A file from a caller to the vendor, piece by piece: the caller sends no faster than the vendor takes.

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, stream};
use tonic::{Request, Status};

use crate::{
    conversation::Conversations,
    error::Error,
    grpc::{
        asker::Asker,
        call::request_id,
        check::Check,
        content::{CHUNK, Count, START_WAIT, broken, within},
        convert,
        proto::{self, UploadAttachmentRequest, UploadAttachmentStart, upload_attachment_request::Part},
    },
};

pub(super) async fn upload<S>(
    calls: &Conversations,
    request: Request<S>,
) -> Result<proto::UploadAttachmentResponse, Error>
where
    S: Stream<Item = Result<UploadAttachmentRequest, Status>> + Unpin + Send + 'static,
{
    let asker = Asker::before(&request);
    let mut parts = request.into_inner();
    let mut start = within(START_WAIT, first(&mut parts)).await?;
    asker.says(&start);
    start.request_id.make_ascii_lowercase();
    let tenant = asker.tenant(calls, &start.tenant);
    let mut check = Check::default();
    check.identifier("start.conversation_id", &start.conversation_id);
    let id = request_id(&mut check, "start.request_id", &start.request_id, &asker, &start);
    let bytes_max = tenant.as_ref().map_or(u64::MAX, |t| t.attachment_max_bytes);
    let new = convert::new_attachment(&mut check, &start, bytes_max);
    let tenant = check.of_tenant_at("start.tenant", tenant)?;
    let content = content(parts, Count::new("start.size_bytes", new.size_bytes));
    let stored = calls
        .upload(&tenant, &start.conversation_id, &id, &new, content)
        .await?;
    Ok(proto::UploadAttachmentResponse {
        attachment: Some(convert::stored_attachment(&stored)),
    })
}

/// What is to be uploaded, which comes first.
async fn first<S>(parts: &mut S) -> Result<UploadAttachmentStart, Error>
where
    S: Stream<Item = Result<UploadAttachmentRequest, Status>> + Unpin,
{
    match parts
        .next()
        .await
        .transpose()
        .map_err(|status| broken("start", &status))?
        .and_then(|r| r.part)
    {
        Some(Part::Start(start)) => Ok(start),
        _ => Err(Error::invalid("start", "is required: the stream begins with it")),
    }
}

/// The file's bytes. It ends when the caller's stream does, so that what is too much is seen before the vendor has a whole file.
fn content<S>(parts: S, count: Count) -> impl Stream<Item = Result<Bytes, Error>> + Send + 'static
where
    S: Stream<Item = Result<UploadAttachmentRequest, Status>> + Unpin + Send + 'static,
{
    let pieces = stream::unfold(Some((parts, count)), |state| async {
        let (mut parts, mut count) = state?;
        match piece(&mut parts, &mut count).await {
            Ok(Some(chunk)) => Some((Ok(chunk), Some((parts, count)))),
            Ok(None) => None,
            Err(error) => Some((Err(error), None)),
        }
    });
    // Whoever asks once more than there is gets the end again.
    pieces.fuse()
}

/// The next piece; `None`: the file is complete.
async fn piece<S>(parts: &mut S, count: &mut Count) -> Result<Option<Bytes>, Error>
where
    S: Stream<Item = Result<UploadAttachmentRequest, Status>> + Unpin,
{
    loop {
        let Some(request) = parts.next().await else {
            return count.end().map(|()| None);
        };
        match request.map_err(|status| broken(CHUNK, &status))?.part {
            Some(Part::Chunk(chunk)) if chunk.is_empty() => {}
            Some(Part::Chunk(chunk)) => {
                count.take(&chunk)?;
                return Ok(Some(chunk));
            }
            Some(Part::Start(_)) => {
                return Err(Error::invalid(
                    "start",
                    "is there twice: the stream begins with it, and has one",
                ));
            }
            None => return Err(Error::invalid("part", "is required: `start` or `chunk`")),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::grpc::content::CHUNK_BYTES_MAX;

    fn chunk(bytes: &'static [u8]) -> Result<UploadAttachmentRequest, Status> {
        part(Part::Chunk(Bytes::from_static(bytes)))
    }

    #[allow(clippy::unnecessary_wraps, reason = "an item of a stream")]
    fn part(part: Part) -> Result<UploadAttachmentRequest, Status> {
        Ok(UploadAttachmentRequest { part: Some(part) })
    }

    fn start() -> Result<UploadAttachmentRequest, Status> {
        part(Part::Start(UploadAttachmentStart::default()))
    }

    async fn read(
        announced: u64,
        parts: Vec<Result<UploadAttachmentRequest, Status>>,
    ) -> (Vec<u8>, Option<Error>) {
        let mut bytes = Vec::new();
        let mut content = std::pin::pin!(content(
            stream::iter(parts),
            Count::new("start.size_bytes", announced)
        ));
        while let Some(piece) = content.next().await {
            match piece {
                Ok(piece) => bytes.extend_from_slice(&piece),
                Err(error) => {
                    assert!(content.next().await.is_none(), "an error is the end");
                    return (bytes, Some(error));
                }
            }
        }
        (bytes, None)
    }

    #[tokio::test]
    async fn the_pieces_come_in_their_order_without_the_empty_ones() {
        let parts = vec![chunk(b"ab"), chunk(b""), chunk(b"c"), chunk(b"")];
        let (bytes, error) = read(3, parts).await;
        assert_eq!(bytes, b"abc");
        assert!(error.is_none(), "{error:?}");
    }

    #[tokio::test]
    async fn the_end_may_be_asked_for_again() {
        let pieces = content(
            stream::iter(vec![chunk("a".as_bytes())]),
            Count::new("start.size_bytes", 1),
        );
        let mut pieces = std::pin::pin!(pieces);
        assert!(pieces.next().await.is_some());
        assert!(pieces.next().await.is_none() && pieces.next().await.is_none());
    }

    #[rstest]
    #[case::too_few(vec![chunk(b"ab")], b"ab", "start.size_bytes: says 3 bytes, but 2 came")]
    #[case::none(vec![], b"", "start.size_bytes: says 3 bytes, but 0 came")]
    #[case::too_many(vec![chunk(b"ab"), chunk(b"cd")], b"ab", "start.size_bytes: says 3 bytes, but more came")]
    #[case::more_behind_all(vec![chunk(b"abc"), chunk(b"d")], b"abc", "more came")]
    #[case::a_second_start(vec![chunk(b"ab"), start()], b"ab", "start: is there twice")]
    #[case::nothing_said(vec![Ok(UploadAttachmentRequest { part: None })], b"", "part: is required")]
    #[case::an_endless_message(vec![chunk(b"a"), Err(Status::out_of_range(""))], b"a", "chunk: is longer")]
    #[case::a_caller_who_is_gone(vec![chunk(b"a"), Err(Status::unknown("h2"))], b"a", "broke off")]
    #[tokio::test]
    async fn what_breaks_the_rules_ends_the_content(
        #[case] parts: Vec<Result<UploadAttachmentRequest, Status>>,
        #[case] before: &[u8],
        #[case] problem: &str,
    ) {
        let (bytes, error) = read(3, parts).await;
        assert_eq!(bytes, before);
        let error = error.unwrap().to_string();
        assert!(error.contains(problem), "{error}");
    }

    #[tokio::test]
    async fn a_piece_has_its_limit() {
        let piece = |bytes: usize| part(Part::Chunk(vec![0; bytes].into()));
        let (bytes, error) = read(CHUNK_BYTES_MAX as u64, vec![piece(CHUNK_BYTES_MAX)]).await;
        assert_eq!(bytes.len(), CHUNK_BYTES_MAX);
        assert!(error.is_none());
        let (bytes, error) = read(u64::MAX, vec![piece(CHUNK_BYTES_MAX + 1)]).await;
        assert!(bytes.is_empty());
        assert!(matches!(error, Some(Error::Invalid(named)) if named[0].field == "chunk"));
    }

    #[tokio::test]
    async fn a_start_is_not_waited_for_for_ever() {
        let mut silent = stream::pending();
        let gone = within(std::time::Duration::from_millis(50), first(&mut silent)).await;
        assert!(matches!(gone, Err(Error::CallerGone)));
    }

    #[rstest]
    #[case::an_empty_stream(vec![])]
    #[case::bytes(vec![chunk(b"a"), start()])]
    #[case::nothing_said(vec![Ok(UploadAttachmentRequest { part: None })])]
    #[tokio::test]
    async fn a_stream_begins_with_its_start(#[case] parts: Vec<Result<UploadAttachmentRequest, Status>>) {
        let refused = first(&mut stream::iter(parts)).await.unwrap_err();
        assert!(matches!(refused, Error::Invalid(named) if named[0].field == "start"));
    }
}
