//! A server for tests that answers as it was told, over real gRPC.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream::BoxStream};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Notify, mpsc},
    task::JoinHandle,
};
use tokio_stream::wrappers::{TcpListenerStream, UnboundedReceiverStream};
use tonic::{Request, Response, Status, transport::server::Router};

use crate::grpc::proto::{
    agent_event::Body, agent_event_service_server::*, agent_events_response::Payload,
    conversation_service_server::*, *,
};

/// What one stream does: its responses, then how it goes on.
pub(crate) struct Script {
    pub(crate) opens: Result<Vec<AgentEventsResponse>, Status>,
    pub(crate) then: Then,
}

/// How a stream goes on after its responses.
pub(crate) enum Then {
    /// It stays open and silent.
    Hangs,
    /// It ends without a word.
    Closes,
    /// It ends with a status.
    Fails(Status),
    /// It sends what comes later.
    Feeds(mpsc::UnboundedReceiver<AgentEventsResponse>),
}

impl Script {
    pub(crate) fn new(responses: Vec<AgentEventsResponse>, then: Then) -> Self {
        Self {
            opens: Ok(responses),
            then,
        }
    }

    pub(crate) fn refused(status: Status) -> Self {
        Self {
            opens: Err(status),
            then: Then::Closes,
        }
    }
}

/// What the server was asked.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Asked {
    Created(CreateConversationRequest),
    Sent(SendMessageRequest),
    Typed,
    Updated(UpdateConversationRequest),
    Ended,
}

type Hook = Box<dyn Fn(&Asked) -> Result<(), Status> + Send + Sync>;

#[derive(Default)]
struct Inner {
    scripts: Mutex<VecDeque<Script>>,
    opened: Mutex<Vec<AgentEventsRequest>>,
    asked: Mutex<Vec<Asked>>,
    changed: Notify,
    hook: Mutex<Option<Hook>>,
}

/// A server that plays one script for each stream that is opened.
#[derive(Clone, Default)]
pub(crate) struct Fake(Arc<Inner>);

impl Fake {
    pub(crate) fn new(scripts: Vec<Script>) -> Self {
        let fake = Self::default();
        *fake.0.scripts.lock().unwrap() = scripts.into();
        fake
    }

    /// Has `hook` called with every call; its error is the call's answer.
    pub(crate) fn on_call(self, hook: impl Fn(&Asked) -> Result<(), Status> + Send + Sync + 'static) -> Self {
        *self.0.hook.lock().unwrap() = Some(Box::new(hook));
        self
    }

    /// Serves on a free port; aborting the task stops it. Its address comes with it.
    pub(crate) async fn serve(&self) -> (String, JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        (
            format!("http://{address}"),
            tokio::spawn(self.clone().run(listener)),
        )
    }

    async fn run(self, listener: TcpListener) {
        self.router()
            .serve_with_incoming(TcpListenerStream::new(listener))
            .await
            .unwrap();
    }

    fn router(&self) -> Router {
        tonic::transport::Server::builder()
            .add_service(AgentEventServiceServer::new(self.clone()))
            .add_service(ConversationServiceServer::new(self.clone()))
    }

    /// The requests of the streams that were opened so far.
    pub(crate) fn opened(&self) -> Vec<AgentEventsRequest> {
        self.0.opened.lock().unwrap().clone()
    }

    /// The calls so far, without typing indicators.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.0
            .asked
            .lock()
            .unwrap()
            .iter()
            .filter(|a| **a != Asked::Typed)
            .cloned()
            .collect()
    }

    fn ask(&self, asked: Asked) -> Result<(), Status> {
        let answer = self
            .0
            .hook
            .lock()
            .unwrap()
            .as_ref()
            .map_or(Ok(()), |hook| hook(&asked));
        self.0.asked.lock().unwrap().push(asked);
        self.0.changed.notify_waiters();
        answer
    }
}

/// A pipe to `target` that can be cut as a broken network cuts it.
pub(crate) async fn cuttable(target: &str) -> (String, JoinHandle<()>) {
    let target: SocketAddr = target.trim_start_matches("http://").parse().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let task = tokio::spawn(async move {
        let mut pipes = tokio::task::JoinSet::new();
        while let Ok((mut near, _)) = listener.accept().await {
            pipes.spawn(async move {
                let mut far = TcpStream::connect(target).await.unwrap();
                tokio::io::copy_bidirectional(&mut near, &mut far).await.ok();
            });
        }
    });
    (url, task)
}

pub(crate) fn heartbeat(cursor: &'static str) -> AgentEventsResponse {
    AgentEventsResponse {
        share: 0,
        cursor: Bytes::from_static(cursor.as_bytes()),
        payload: Some(Payload::Heartbeat(Heartbeat::default())),
    }
}

pub(crate) fn event(cursor: &'static str, sequence: u64, body: Body) -> AgentEventsResponse {
    AgentEventsResponse {
        share: 0,
        cursor: Bytes::from_static(cursor.as_bytes()),
        payload: Some(Payload::Event(agent_event("c-1", sequence, body))),
    }
}

pub(crate) fn ending(
    cursor: &'static str,
    reason: EndingReason,
    reconnect: ReconnectAdvice,
) -> AgentEventsResponse {
    let ending = Ending {
        reason: reason.into(),
        reconnect: reconnect.into(),
        retry_after: None,
    };
    AgentEventsResponse {
        share: 0,
        cursor: Bytes::from_static(cursor.as_bytes()),
        payload: Some(Payload::Ending(ending)),
    }
}

pub(crate) fn agent_event(conversation: &str, sequence: u64, body: Body) -> AgentEvent {
    AgentEvent {
        tenant: "t".to_owned(),
        conversation_id: conversation.to_owned(),
        event_id: format!("{conversation}-{sequence}"),
        kind: kind_of(&body).into(),
        sequence,
        state: SessionState::WithAgent.into(),
        body: Some(body),
        ..AgentEvent::default()
    }
}

fn kind_of(body: &Body) -> EventKind {
    match body {
        Body::ConversationUpdated(_) => EventKind::ConversationUpdated,
        Body::Queued(_) => EventKind::Queued,
        Body::MemberChanged(_) => EventKind::MemberChanged,
        Body::Transferred(_) => EventKind::Transferred,
        Body::Message(_) => EventKind::Message,
        Body::Typing(_) => EventKind::Typing,
        Body::CardAction(_) => EventKind::CardAction,
        Body::QuickReply(_) => EventKind::QuickReply,
        Body::ReadReceipt(_) => EventKind::ReadReceipt,
        Body::Activity(_) => EventKind::Activity,
        Body::WebhookVerified(_) => EventKind::WebhookVerified,
        Body::Unknown(_) => EventKind::Unknown,
    }
}

pub(crate) fn participant(id: &str, kind: AuthorType) -> Participant {
    Participant {
        id: id.to_owned(),
        r#type: kind.into(),
        ..Participant::default()
    }
}

pub(crate) fn queued(name: &str) -> Body {
    Body::Queued(Queued {
        queue_id: "100".to_owned(),
        queue_name: name.to_owned(),
    })
}

pub(crate) fn member(id: &str, change: MemberChange) -> Body {
    let member = Some(participant(id, AuthorType::Agent));
    Body::MemberChanged(MemberChanged {
        member,
        change: change.into(),
    })
}

pub(crate) fn says(id: &str, kind: AuthorType, text: &str) -> Body {
    let sender = Some(participant(id, kind));
    Body::Message(MessageEvent {
        sender,
        text: text.to_owned(),
        ..MessageEvent::default()
    })
}

pub(crate) fn becomes(state: ConversationState) -> Body {
    Body::ConversationUpdated(ConversationUpdated {
        state: state.into(),
        ..ConversationUpdated::default()
    })
}

#[async_trait]
impl AgentEventService for Fake {
    async fn commit_cursor(
        &self,
        _: Request<CommitCursorRequest>,
    ) -> Result<Response<CommitCursorResponse>, Status> {
        Err(Status::unimplemented("no test commits"))
    }

    type AgentEventsStream = BoxStream<'static, Result<AgentEventsResponse, Status>>;

    async fn agent_events(
        &self,
        request: Request<AgentEventsRequest>,
    ) -> Result<Response<Self::AgentEventsStream>, Status> {
        self.0.opened.lock().unwrap().push(request.into_inner());
        let script = self.0.scripts.lock().unwrap().pop_front();
        let script = script.unwrap_or_else(|| Script::refused(Status::internal("no script is left")));
        let first = futures_util::stream::iter(script.opens?.into_iter().map(Ok));
        Ok(Response::new(match script.then {
            Then::Hangs => first.chain(futures_util::stream::pending()).boxed(),
            Then::Closes => first.boxed(),
            Then::Fails(status) => first.chain(futures_util::stream::iter([Err(status)])).boxed(),
            Then::Feeds(later) => first.chain(UnboundedReceiverStream::new(later).map(Ok)).boxed(),
        }))
    }

    async fn change_agent_events(
        &self,
        _: Request<ChangeAgentEventsRequest>,
    ) -> Result<Response<ChangeAgentEventsResponse>, Status> {
        Err(Status::unimplemented("the command line changes no streams"))
    }
}

#[async_trait]
impl ConversationService for Fake {
    async fn create_conversation(
        &self,
        request: Request<CreateConversationRequest>,
    ) -> Result<Response<CreateConversationResponse>, Status> {
        let request = request.into_inner();
        self.ask(Asked::Created(request))?;
        Ok(Response::new(CreateConversationResponse {
            tenant: "t".to_owned(),
            conversation_id: "c-1".to_owned(),
            create_time: None,
            cursor: Bytes::from_static(b"before"),
        }))
    }

    async fn send_message(
        &self,
        request: Request<SendMessageRequest>,
    ) -> Result<Response<SendMessageResponse>, Status> {
        self.ask(Asked::Sent(request.into_inner()))?;
        Ok(Response::new(SendMessageResponse { accept_time: None }))
    }

    async fn send_typing_indicator(
        &self,
        _: Request<SendTypingIndicatorRequest>,
    ) -> Result<Response<SendTypingIndicatorResponse>, Status> {
        self.ask(Asked::Typed)?;
        Ok(Response::new(SendTypingIndicatorResponse {}))
    }

    async fn update_conversation(
        &self,
        request: Request<UpdateConversationRequest>,
    ) -> Result<Response<UpdateConversationResponse>, Status> {
        self.ask(Asked::Updated(request.into_inner()))?;
        Ok(Response::new(UpdateConversationResponse::default()))
    }

    async fn end_conversation(
        &self,
        _: Request<EndConversationRequest>,
    ) -> Result<Response<EndConversationResponse>, Status> {
        self.ask(Asked::Ended)?;
        Ok(Response::new(EndConversationResponse {}))
    }

    async fn get_conversation(
        &self,
        _: Request<GetConversationRequest>,
    ) -> Result<Response<GetConversationResponse>, Status> {
        Err(unused())
    }

    async fn list_conversations(
        &self,
        _: Request<ListConversationsRequest>,
    ) -> Result<Response<ListConversationsResponse>, Status> {
        Err(unused())
    }

    async fn list_messages(
        &self,
        _: Request<ListMessagesRequest>,
    ) -> Result<Response<ListMessagesResponse>, Status> {
        Err(unused())
    }

    async fn hand_over_conversation(
        &self,
        _: Request<tonic::Streaming<HandOverConversationRequest>>,
    ) -> Result<Response<HandOverConversationResponse>, Status> {
        Err(unused())
    }

    async fn find_or_create_conversation(
        &self,
        _: Request<FindOrCreateConversationRequest>,
    ) -> Result<Response<FindOrCreateConversationResponse>, Status> {
        Err(unused())
    }

    async fn replace_conversation(
        &self,
        _: Request<ReplaceConversationRequest>,
    ) -> Result<Response<ReplaceConversationResponse>, Status> {
        Err(unused())
    }

    async fn transfer_conversation(
        &self,
        _: Request<TransferConversationRequest>,
    ) -> Result<Response<TransferConversationResponse>, Status> {
        Err(unused())
    }

    async fn list_interactions(
        &self,
        _: Request<ListInteractionsRequest>,
    ) -> Result<Response<ListInteractionsResponse>, Status> {
        Err(unused())
    }

    async fn create_post_agent_assignment(
        &self,
        _: Request<CreatePostAgentAssignmentRequest>,
    ) -> Result<Response<CreatePostAgentAssignmentResponse>, Status> {
        Err(unused())
    }

    async fn get_message(
        &self,
        _: Request<GetMessageRequest>,
    ) -> Result<Response<GetMessageResponse>, Status> {
        Err(unused())
    }

    async fn list_cards(&self, _: Request<ListCardsRequest>) -> Result<Response<ListCardsResponse>, Status> {
        Err(unused())
    }

    async fn submit_card_action(
        &self,
        _: Request<SubmitCardActionRequest>,
    ) -> Result<Response<SubmitCardActionResponse>, Status> {
        Err(unused())
    }

    async fn execute_card_action(
        &self,
        _: Request<ExecuteCardActionRequest>,
    ) -> Result<Response<ExecuteCardActionResponse>, Status> {
        Err(unused())
    }

    async fn send_thinking_indicator(
        &self,
        _: Request<SendThinkingIndicatorRequest>,
    ) -> Result<Response<SendThinkingIndicatorResponse>, Status> {
        Err(unused())
    }

    async fn send_read_receipt(
        &self,
        _: Request<SendReadReceiptRequest>,
    ) -> Result<Response<SendReadReceiptResponse>, Status> {
        Err(unused())
    }

    async fn list_participants(
        &self,
        _: Request<ListParticipantsRequest>,
    ) -> Result<Response<ListParticipantsResponse>, Status> {
        Err(unused())
    }
}

fn unused() -> Status {
    Status::unimplemented("no command calls this")
}
