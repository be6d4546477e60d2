//! Calls whose request is a stream, because it has files.

use std::io;

use futures_util::{
    Stream, StreamExt as _, future,
    future::Either,
    stream::{self, BoxStream},
};
use http::uri::PathAndQuery;
use prost::Message;
use tokio::sync::oneshot;
use tonic::Status;
use tonic_prost::ProstCodec;

use crate::{
    Client, Content, Error,
    call::{Deadline, Method, identify, scope},
    methods::{HAND_OVER_CONVERSATION, UPLOAD_ATTACHMENT},
    v1::{
        HandOver, HandOverConversationRequest, HandOverConversationResponse, HandOverFile,
        UploadAttachmentRequest, UploadAttachmentResponse, UploadAttachmentStart,
        hand_over_conversation_request, upload_attachment_request::Part,
    },
};

impl Client {
    /// Uploads a file into a conversation, to be shown by a message that refers to it.
    ///
    /// A `request_id` that is empty is filled in; so are the file's name and size where `content` knows them. The call is not
    /// repeated; with a `request_id` of the caller's own it can be. What `content` fails with ends the call, as [`Error::File`].
    pub async fn upload_attachment(
        &self,
        mut start: UploadAttachmentStart,
        content: Content,
    ) -> Result<UploadAttachmentResponse, Error> {
        scope(&mut start.tenant, &self.settings().tenant);
        identify(&mut start.request_id);
        let bytes = content
            .open(&mut start.file_name, &mut start.size_bytes)
            .await
            .map_err(Error::File)?;
        let start = UploadAttachmentRequest {
            part: Some(Part::Start(start)),
        };
        let chunks = bytes.map(|piece| {
            piece.map(|piece| UploadAttachmentRequest {
                part: Some(Part::Chunk(piece)),
            })
        });
        self.streamed(
            &UPLOAD_ATTACHMENT,
            stream::iter([Ok(start)]).chain(chunks).boxed(),
        )
        .await
    }

    /// Hands a customer over to the agents: creates a conversation with what was said so far, and with files.
    ///
    /// A `request_id` that is empty is filled in; so are the files' names and sizes where their content knows them. What becomes of
    /// each file is in the response. The call is not repeated; with a `request_id` of the caller's own it can be.
    pub async fn hand_over_conversation(
        &self,
        mut start: HandOver,
        files: Vec<(HandOverFile, Content)>,
    ) -> Result<HandOverConversationResponse, Error> {
        scope(&mut start.tenant, &self.settings().tenant);
        identify(&mut start.request_id);
        // A file is opened when its turn comes; one that is not there fails the call before anything of it is sent.
        let files = stream::iter(files)
            .flat_map(|(file, content)| stream::once(hand_over_file(file, content)).flatten());
        let start = hand_over_part(hand_over_conversation_request::Part::Start(start));
        self.streamed(
            &HAND_OVER_CONVERSATION,
            stream::iter([Ok(start)]).chain(files).boxed(),
        )
        .await
    }

    async fn streamed<Q, S>(
        &self,
        method: &'static Method,
        messages: BoxStream<'static, io::Result<Q>>,
    ) -> Result<S, Error>
    where
        Q: Message + Send + 'static,
        S: Message + Default + 'static,
    {
        let deadline = Deadline::after(self.transfer_timeout());
        self.bounded(method, deadline, Box::pin(self.send(method, messages, deadline)))
            .await
    }

    async fn send<Q, S>(
        &self,
        method: &'static Method,
        messages: BoxStream<'static, io::Result<Q>>,
        deadline: Deadline,
    ) -> Result<S, Error>
    where
        Q: Message + Send + 'static,
        S: Message + Default + 'static,
    {
        let connection = self.pick().await?;
        let (messages, problem) = until_problem(messages);
        let mut request = self.request(messages).await?;
        request.set_timeout(deadline.left());
        let mut grpc = self.grpc(&connection);
        let answer = async {
            grpc.ready()
                .await
                .map_err(|error| Status::from_error(error.into()))?;
            let path = PathAndQuery::from_static(method.path);
            grpc.client_streaming(request, path, ProstCodec::<Q, S>::default())
                .await
        };
        tokio::select! {
            biased;
            // Leaving the call here cancels it, so that the server does not take the beginning for the whole.
            Ok(problem) = problem => Err(Error::File(problem)),
            answer = answer => match answer {
                Ok(response) => Ok(response.into_inner()),
                Err(status) => Err(self.failed(&connection, &status, method)),
            },
        }
    }
}

async fn hand_over_file(
    mut file: HandOverFile,
    content: Content,
) -> BoxStream<'static, io::Result<HandOverConversationRequest>> {
    use hand_over_conversation_request::Part;

    match content.open(&mut file.file_name, &mut file.size_bytes).await {
        Ok(bytes) => {
            let begin = stream::iter([Ok(hand_over_part(Part::File(file)))]);
            begin
                .chain(bytes.map(|piece| piece.map(|piece| hand_over_part(Part::Chunk(piece)))))
                .boxed()
        }
        Err(error) => stream::iter([Err(error)]).boxed(),
    }
}

fn hand_over_part(part: hand_over_conversation_request::Part) -> HandOverConversationRequest {
    HandOverConversationRequest { part: Some(part) }
}

/// The messages up to the first problem, which is told aside: then no more come, but the stream does not end.
fn until_problem<Q: Send + 'static>(
    messages: BoxStream<'static, io::Result<Q>>,
) -> (
    impl Stream<Item = Q> + Send + 'static,
    oneshot::Receiver<io::Error>,
) {
    let (tell, problem) = oneshot::channel();
    let mut tell = Some(tell);
    let messages = messages.then(move |message| match message {
        Ok(message) => Either::Left(future::ready(message)),
        Err(error) => {
            if let Some(tell) = tell.take() {
                let _ = tell.send(error);
            }
            Either::Right(future::pending())
        }
    });
    (messages, problem)
}
