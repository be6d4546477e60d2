//! A stream of events as the body of its HTTP response.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Body, Frame};
use tonic::Status;

use super::{packed::Packed, stream::EventStream};
use crate::grpc::framing;

/// What is ready goes out together, and then the status.
///
/// In place of tonic's own body, which encodes each response anew for each stream, and keeps a buffer as large as the largest that
/// the stream ever sent.
pub(super) struct EventBody {
    events: EventStream,
    /// How the call ended, once it has.
    ended: Option<Status>,
    done: bool,
}

impl EventBody {
    pub(super) fn new(events: EventStream) -> Self {
        Self {
            events,
            ended: None,
            done: false,
        }
    }
}

impl Body for EventBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let this = &mut *self;
        if this.done {
            return Poll::Ready(None);
        }
        let mut packed = Packed::default();
        while this.ended.is_none() && !packed.is_full() {
            match this.events.poll_response(context, &mut packed) {
                Poll::Ready(Some(Ok(()))) => {}
                Poll::Ready(Some(Err(status))) => this.ended = Some(status),
                Poll::Ready(None) => this.ended = Some(Status::ok("")),
                Poll::Pending if packed.is_empty() => return Poll::Pending,
                Poll::Pending => break,
            }
        }
        if !packed.is_empty() {
            return Poll::Ready(Some(Ok(Frame::data(packed.take()))));
        }
        match this.ended.take() {
            Some(status) => {
                this.done = true;
                Poll::Ready(Some(Ok(framing::trailers(&status))))
            }
            None => Poll::Pending,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.done
    }
}
