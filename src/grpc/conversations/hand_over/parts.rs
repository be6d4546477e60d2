//! The parts of a hand-over's stream, in the order in which they must come.

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};
use tokio::sync::mpsc;
use tonic::Status;

use crate::{
    error::Error,
    grpc::{
        content::{CHUNK, Count, broken},
        proto::{HandOver, HandOverConversationRequest, HandOverFile, hand_over_conversation_request::Part},
    },
};

/// A stream that is read part by part.
pub(super) struct Parts<S>(S);

impl<S> Parts<S>
where
    S: Stream<Item = Result<HandOverConversationRequest, Status>> + Unpin,
{
    pub(super) fn new(stream: S) -> Self {
        Self(stream)
    }

    /// The conversation, which comes first.
    pub(super) async fn start(&mut self) -> Result<HandOver, Error> {
        match self.next("start").await? {
            Some(Part::Start(start)) => Ok(start),
            _ => Err(Error::invalid("start", "is required: the stream begins with it")),
        }
    }

    /// The next file; `None`: there is none.
    pub(super) async fn file(&mut self) -> Result<Option<HandOverFile>, Error> {
        match self.next("file").await? {
            None => Ok(None),
            Some(Part::File(file)) => Ok(Some(file)),
            Some(Part::Start(_)) => Err(second_start()),
            Some(Part::Chunk(_)) => Err(Error::invalid(
                CHUNK,
                "belongs to no file: none has begun, or the last one has all its bytes",
            )),
        }
    }

    /// Passes the pieces of a file on until it is complete. Where nobody takes them any more, they are passed over. A mistake in
    /// the stream is told to both sides.
    pub(super) async fn pump(
        &mut self,
        mut count: Count,
        to: mpsc::Sender<Result<Bytes, Error>>,
    ) -> Result<(), Error> {
        while !count.is_complete() {
            match self.piece(&mut count).await {
                Ok(chunk) => drop(to.send(Ok(chunk)).await),
                Err(error) => {
                    drop(to.send(Err(error.clone())).await);
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    async fn piece(&mut self, count: &mut Count) -> Result<Bytes, Error> {
        match self.next(CHUNK).await? {
            Some(Part::Chunk(chunk)) => {
                count.take(&chunk)?;
                Ok(chunk)
            }
            Some(Part::Start(_)) => Err(second_start()),
            // It is not complete, or nobody would ask for more.
            Some(Part::File(_)) | None => Err(count.end().err().unwrap_or(Error::CallerGone)),
        }
    }

    /// The next part that says something, of which `due` should come; `None`: the stream has ended.
    async fn next(&mut self, due: &str) -> Result<Option<Part>, Error> {
        loop {
            let Some(request) = self.0.next().await else {
                return Ok(None);
            };
            match request.map_err(|status| broken(due, &status))?.part {
                Some(Part::Chunk(chunk)) if chunk.is_empty() => {}
                Some(part) => return Ok(Some(part)),
                None => {
                    return Err(Error::invalid("part", "is required: `start`, `file` or `chunk`"));
                }
            }
        }
    }
}

fn second_start() -> Error {
    Error::invalid("start", "is there twice: the stream begins with it, and has one")
}
