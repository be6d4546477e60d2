//! gRPC's framing by hand, for the calls that carry so much that a copy of it counts.
//!
//! tonic copies what comes into a buffer before it decodes, and what goes out into another. Here a message that came in one piece is
//! decoded where it lies, and what goes out is sent as it is.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::{BufMut as _, Bytes, BytesMut};
use futures_util::Stream;
use http::{HeaderMap, HeaderValue, header::CONTENT_TYPE};
use http_body::{Body as HttpBody, Frame};
use prost::Message;
use tonic::{Status, body::Body, codegen::StdError, metadata::MetadataMap};

/// What gRPC puts before each message: whether it is compressed, and its length.
pub(super) const HEADER_BYTES: usize = 5;
/// The largest message of any kind, in bytes: what tonic decodes unless told otherwise.
pub(super) const MESSAGE_BYTES_MAX: usize = 4 << 20;

/// Messages as they come.
pub(super) struct Messages<B, M> {
    body: Pin<Box<B>>,
    /// What came last and was not used yet.
    last: Bytes,
    /// The beginning of something that did not come in one piece.
    begun: BytesMut,
    /// The length of the message whose header was read.
    due: Option<usize>,
    is_over: bool,
    message: std::marker::PhantomData<fn() -> M>,
}

impl<B, M> Messages<B, M>
where
    B: HttpBody<Data = Bytes>,
    B::Error: Into<StdError>,
    M: Message + Default,
{
    /// The messages of a request.
    pub(super) fn new(headers: &HeaderMap, body: B) -> Result<Self, Status> {
        if headers.get("grpc-encoding").is_some_and(|it| it != "identity") {
            return Err(Status::unimplemented("requests cannot be compressed here"));
        }
        Ok(Self {
            body: Box::pin(body),
            last: Bytes::new(),
            begun: BytesMut::new(),
            due: None,
            is_over: false,
            message: std::marker::PhantomData,
        })
    }

    /// The next so many bytes, once they are here.
    fn take(&mut self, bytes: usize) -> Option<Bytes> {
        if self.begun.is_empty() && self.last.len() >= bytes {
            return Some(self.last.split_to(bytes));
        }
        let more = (bytes - self.begun.len()).min(self.last.len());
        if self.begun.is_empty() && more > 0 {
            self.begun.reserve(bytes);
        }
        self.begun.extend_from_slice(&self.last.split_to(more));
        (self.begun.len() == bytes).then(|| std::mem::take(&mut self.begun).freeze())
    }

    /// The next message, if all of it is here.
    fn ready(&mut self) -> Result<Option<M>, Status> {
        let due = match self.due {
            Some(due) => due,
            None => {
                let Some(header) = self.take(HEADER_BYTES) else {
                    return Ok(None);
                };
                *self.due.insert(length(&header)?)
            }
        };
        let Some(message) = self.take(due) else {
            return Ok(None);
        };
        self.due = None;
        let decoded = M::decode(message).map_err(|_| Status::internal("a message cannot be decoded"))?;
        Ok(Some(decoded))
    }

    fn is_between_messages(&self) -> bool {
        self.due.is_none() && self.begun.is_empty() && self.last.is_empty()
    }

    fn poll_message(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<M, Status>>> {
        loop {
            if let Some(message) = self.ready().transpose() {
                return Poll::Ready(Some(message));
            }
            let frame = std::task::ready!(self.body.as_mut().poll_frame(context));
            match frame {
                Some(Ok(frame)) => {
                    // Trailers of a request have no meaning.
                    if let Ok(data) = frame.into_data() {
                        self.last = data;
                    }
                }
                Some(Err(error)) => return Poll::Ready(Some(Err(Status::from_error(error.into())))),
                None if self.is_between_messages() => return Poll::Ready(None),
                None => return Poll::Ready(Some(Err(Status::internal("the last message is not whole")))),
            }
        }
    }
}

/// The length of the message behind this header.
fn length(header: &[u8]) -> Result<usize, Status> {
    let &[compressed, a, b, c, d] = header else {
        return Err(Status::internal("a message without a header"));
    };
    if compressed != 0 {
        return Err(Status::internal(
            "a message is marked as compressed, and the call says nothing of it",
        ));
    }
    let length = u32::from_be_bytes([a, b, c, d]) as usize;
    if length > MESSAGE_BYTES_MAX {
        return Err(Status::out_of_range(format!(
            "a message has {length} bytes; at most {MESSAGE_BYTES_MAX} are allowed"
        )));
    }
    Ok(length)
}

impl<B, M> Stream for Messages<B, M>
where
    B: HttpBody<Data = Bytes>,
    B::Error: Into<StdError>,
    M: Message + Default,
{
    type Item = Result<M, Status>;

    /// Nothing comes after an error.
    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.is_over {
            return Poll::Ready(None);
        }
        let message = std::task::ready!(self.poll_message(context));
        self.is_over = !matches!(message, Some(Ok(_)));
        Poll::Ready(message)
    }
}

/// The one message of a request.
pub(super) async fn only<B, M>(headers: &HeaderMap, body: B) -> Result<M, Status>
where
    B: HttpBody<Data = Bytes>,
    B::Error: Into<StdError>,
    M: Message + Default,
{
    let mut messages = Messages::new(headers, body)?;
    let first = std::future::poll_fn(|context| Pin::new(&mut messages).poll_next(context)).await;
    first.unwrap_or_else(|| Err(Status::internal("the request has no message")))
}

/// What goes before a message of this length.
pub(super) fn put_header(message_bytes: usize, out: &mut impl bytes::BufMut) {
    out.put_u8(0);
    // Nothing that is sent comes near 4 GiB.
    out.put_u32(u32::try_from(message_bytes).unwrap_or(u32::MAX));
}

/// A message, framed.
pub(super) fn framed(message: &impl Message) -> Bytes {
    let bytes = message.encoded_len();
    let mut out = Vec::with_capacity(HEADER_BYTES + bytes);
    put_header(bytes, &mut out);
    out.put_slice(&message.encode_to_vec());
    out.into()
}

/// How a call ends.
pub(super) fn trailers(status: &Status) -> Frame<Bytes> {
    let mut trailers = HeaderMap::new();
    if status.add_header(&mut trailers).is_err() {
        // Its metadata is no header; there is none but what the library makes itself.
        let plain = Status::new(status.code(), "the error cannot be shown");
        let _ = plain.add_header(&mut trailers);
    }
    Frame::trailers(trailers)
}

/// A response with this body.
pub(super) fn response<B>(body: B) -> http::Response<Body>
where
    B: HttpBody<Data = Bytes, Error = Infallible> + Send + 'static,
{
    let mut response = http::Response::new(Body::new(body));
    let content_type = HeaderValue::from_static("application/grpc");
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    response
}

/// A response with one message.
pub(super) fn response_with(message: &impl Message) -> http::Response<Body> {
    response(Single {
        message: Some(framed(message)),
        is_over: false,
    })
}

/// One message and the end of its call.
struct Single {
    message: Option<Bytes>,
    is_over: bool,
}

impl HttpBody for Single {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if let Some(message) = self.message.take() {
            return Poll::Ready(Some(Ok(Frame::data(message))));
        }
        let is_over = std::mem::replace(&mut self.is_over, true);
        Poll::Ready((!is_over).then(|| Ok(trailers(&Status::ok("")))))
    }

    fn is_end_stream(&self) -> bool {
        self.is_over
    }
}

/// A request as tonic's own servers have it.
pub(super) fn request<T>(parts: http::request::Parts, message: T) -> tonic::Request<T> {
    let metadata = MetadataMap::from_headers(parts.headers);
    tonic::Request::from_parts(metadata, parts.extensions, message)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use futures_util::{FutureExt as _, StreamExt as _};
    use proptest::prelude::*;
    use rstest::rstest;
    use tonic::Code;

    use super::*;
    use crate::grpc::proto::{UploadAttachmentRequest, upload_attachment_request::Part};

    /// A body that is all here.
    struct Here(std::vec::IntoIter<Result<Bytes, Status>>);

    impl HttpBody for Here {
        type Data = Bytes;
        type Error = Status;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
            Poll::Ready(self.0.next().map(|data| data.map(Frame::data)))
        }
    }

    fn messages(frames: Vec<Result<Bytes, Status>>) -> Messages<Here, UploadAttachmentRequest> {
        Messages::new(&HeaderMap::new(), Here(frames.into_iter())).unwrap()
    }

    fn chunk(bytes: Vec<u8>) -> UploadAttachmentRequest {
        UploadAttachmentRequest {
            part: Some(Part::Chunk(bytes.into())),
        }
    }

    /// Why the messages of this body end.
    fn end(body: &'static [u8]) -> Option<Code> {
        let mut messages = messages(vec![Ok(Bytes::from_static(body))]);
        loop {
            match messages.next().now_or_never().unwrap() {
                Some(Ok(_)) => {}
                Some(Err(status)) => {
                    assert!(
                        messages.next().now_or_never().unwrap().is_none(),
                        "an error is the end"
                    );
                    return Some(status.code());
                }
                None => return None,
            }
        }
    }

    proptest! {
        /// Wherever the body is cut into frames, the messages are the same.
        #[test]
        fn messages_come_as_they_were_sent(
            sizes in prop::collection::vec(0_usize..40, 0..8),
            cuts in prop::collection::vec(0_usize..400, 0..12),
        ) {
            let sent: Vec<_> = sizes.iter().map(|size| chunk(vec![7; *size])).collect();
            let mut rest = Bytes::from(sent.iter().map(framed).collect::<Vec<_>>().concat());
            let mut frames = Vec::new();
            for cut in cuts {
                frames.push(Ok(rest.split_to(cut.min(rest.len()))));
            }
            frames.push(Ok(rest));
            let got: Vec<_> = messages(frames).collect().now_or_never().unwrap();
            let got: Result<Vec<_>, _> = got.into_iter().collect();
            prop_assert_eq!(got.unwrap(), sent);
        }

        #[test]
        fn any_bytes_are_safe(frames in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..30), 0..6)) {
            let frames = frames.into_iter().map(|frame| Ok(frame.into())).collect();
            let _: Vec<_> = messages(frames).collect().now_or_never().unwrap();
        }
    }

    #[rstest]
    #[case::nothing(&[], None)]
    #[case::an_empty_message(&[0, 0, 0, 0, 0], None)]
    #[case::half_a_header(&[0, 0], Some(Code::Internal))]
    #[case::half_a_message(&[0, 0, 0, 0, 9, 1], Some(Code::Internal))]
    #[case::no_message_of_ours(&[0, 0, 0, 0, 1, 0xff], Some(Code::Internal))]
    #[case::compressed(&[1, 0, 0, 0, 0], Some(Code::Internal))]
    #[case::as_long_as_may_be(&[0, 0, 0x40, 0, 0], Some(Code::Internal))]
    #[case::longer(&[0, 0, 0x40, 0, 1], Some(Code::OutOfRange))]
    fn what_breaks_the_rules_ends_the_messages(#[case] body: &'static [u8], #[case] code: Option<Code>) {
        assert_eq!(end(body), code);
    }

    #[test]
    fn a_body_that_breaks_off_says_why() {
        let frames = vec![Ok(framed(&chunk(vec![1]))), Err(Status::cancelled("gone"))];
        let got: Vec<_> = messages(frames).collect().now_or_never().unwrap();
        assert!(matches!(&got[..], [Ok(_), Err(status)] if status.code() == Code::Cancelled));
    }

    #[test]
    fn compression_is_refused_before_anything_is_read() {
        let mut headers = HeaderMap::new();
        headers.insert("grpc-encoding", HeaderValue::from_static("gzip"));
        let refused = Messages::<_, UploadAttachmentRequest>::new(&headers, Here(Vec::new().into_iter()));
        assert_eq!(refused.err().unwrap().code(), Code::Unimplemented);
        headers.insert("grpc-encoding", HeaderValue::from_static("identity"));
        assert!(Messages::<_, UploadAttachmentRequest>::new(&headers, Here(Vec::new().into_iter())).is_ok());
    }
}
