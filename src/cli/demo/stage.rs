//! Where the journeys are played: calls over real gRPC, streams, the widget over HTTP, and what is printed.

use std::{io::Write, time::Duration};

use prost_types::FieldMask;
use serde::Deserialize;
use serde_json::json;
use tokio::{
    sync::mpsc,
    task::JoinHandle,
    time::{Instant, timeout_at},
};
use tonic::Streaming;
use url::Url;

use super::{
    expect::Act,
    journeys::{message, queue, widget_request},
};
use crate::{
    cli::{
        connect::{CliError, Connection, Server, call},
        render::{Style, line, summary},
    },
    grpc::proto::{
        AgentEvent, AgentEventsRequest, AgentEventsResponse, AuthorType, Conversation,
        CreateConversationRequest, CreateConversationResponse, EndConversationRequest, MessageInput,
        SendMessageRequest, UpdateConversationRequest, agent_event_service_client::AgentEventServiceClient,
        agent_events_response::Payload, conversation_service_client::ConversationServiceClient,
    },
};

/// The calls of a caller, and the widget.
pub(super) struct Stage<'a> {
    server: Server,
    channel: Connection,
    http: reqwest::Client,
    sandbox: Url,
    /// How long each thing may take to come.
    pub(super) patience: Duration,
    style: Style,
    out: &'a mut dyn Write,
    began: Instant,
}

impl<'a> Stage<'a> {
    pub(super) async fn new(
        grpc_url: &str,
        sandbox: Url,
        patience: Duration,
        style: Style,
        out: &'a mut dyn Write,
    ) -> Result<Self, CliError> {
        let server = Server::new(grpc_url)?;
        let channel = server.connect().await?;
        let http = reqwest::Client::builder()
            .timeout(patience)
            .build()
            .map_err(|error| CliError::Failed(format!("no HTTP client can be made: {error}")))?;
        Ok(Self {
            server,
            channel,
            http,
            sandbox,
            patience,
            style,
            out,
            began: Instant::now(),
        })
    }

    /// How long it has been played.
    pub(super) fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// Prints a heading.
    pub(super) fn announce(&mut self, words: &str) -> Result<(), CliError> {
        writeln!(self.out, "\n{}", self.style.bold(words))?;
        Ok(())
    }

    /// Prints something that we do.
    pub(super) fn tell(&mut self, words: &str) -> Result<(), CliError> {
        let at = self.elapsed().as_secs_f64();
        writeln!(
            self.out,
            "{}",
            self.style.place(&format!("{at:7.2} s      → {words}"))
        )?;
        Ok(())
    }

    /// Prints an event, and whether it is one of those that were awaited.
    pub(super) fn show(&mut self, event: &AgentEvent, awaited: bool) -> Result<(), CliError> {
        let at = self.elapsed().as_secs_f64();
        let mark = if awaited { '✓' } else { ' ' };
        let words = format!("{at:7.2} s  {mark} #{:<2} {}", event.sequence, summary(event));
        let words = if awaited { words } else { self.style.dim(&words) };
        writeln!(self.out, "{words}")?;
        self.out.flush()?;
        Ok(())
    }

    /// Opens a stream and waits until its first response says that it holds.
    pub(super) async fn hear(&self, request: AgentEventsRequest) -> Result<Heard, CliError> {
        let mut client = AgentEventServiceClient::new(self.channel.clone());
        let opened = async {
            let mut stream = client.agent_events(request).await?.into_inner();
            let first = stream.message().await?;
            Ok((stream, first))
        };
        let (stream, first) = timeout_at(Instant::now() + self.patience, opened)
            .await
            .map_err(|_| self.late("the first response of a stream"))?
            .map_err(|status| CliError::call("open the stream", self.server.url(), &status))?;
        match first.as_ref().and_then(|response| response.payload.as_ref()) {
            Some(Payload::Heartbeat(_)) => Ok(Heard::from(stream)),
            _ => Err(CliError::Failed(
                "expected a heartbeat as the first response of a stream".to_owned(),
            )),
        }
    }

    /// Starts a conversation as a caller does.
    pub(super) async fn create(
        &mut self,
        request: CreateConversationRequest,
    ) -> Result<CreateConversationResponse, CliError> {
        let created = self.conversations().create_conversation(call(request)).await;
        Ok(created
            .map_err(|status| self.failed("create the conversation", &status))?
            .into_inner())
    }

    /// Starts a conversation as the vendor's widget does; answers with its identifier.
    pub(super) async fn create_in_widget(&mut self) -> Result<String, CliError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Created {
            conversation_id: String,
        }
        let created = self.post_to_widget("", &widget_request()).await?;
        let created: Created = created.json().await.map_err(|error| {
            CliError::Failed(format!(
                "the sandbox's widget answered without a conversationId: {error}"
            ))
        })?;
        Ok(created.conversation_id)
    }

    /// Does what a step asks for.
    pub(super) async fn act(&mut self, act: &Act, tenant: &str, conversation: &str) -> Result<(), CliError> {
        let (tenant, id) = (tenant.to_owned(), conversation.to_owned());
        match act {
            Act::Answer(text) => {
                self.tell(&format!("the customer answers: {text}"))?;
                let message = message(AuthorType::User, text);
                self.send(tenant, id, uuid::Uuid::new_v4().to_string(), message)
                    .await
            }
            Act::BotAnswers { text, request_id } => {
                self.tell(&format!("the bot answers: {text}"))?;
                self.send(tenant, id, request_id.clone(), message(AuthorType::Bot, text))
                    .await
            }
            Act::WidgetSays(text) => {
                self.tell(&format!("the customer writes in the widget: {text}"))?;
                self.post_to_widget(&format!("/{id}/messages"), &json!({"text": text}))
                    .await?;
                Ok(())
            }
            Act::HandOver(to) => {
                self.tell(&format!("the bot hands over to queue {to}"))?;
                self.hand_over(tenant, id, to).await
            }
            Act::End => {
                self.tell("the customer ends the conversation")?;
                let request = EndConversationRequest {
                    tenant,
                    conversation_id: id,
                };
                let ended = self.conversations().end_conversation(call(request)).await;
                ended.map_err(|status| self.failed("end the conversation", &status))?;
                Ok(())
            }
        }
    }

    async fn send(
        &mut self,
        tenant: String,
        conversation_id: String,
        request_id: String,
        message: MessageInput,
    ) -> Result<(), CliError> {
        let request = SendMessageRequest {
            tenant,
            conversation_id,
            request_id,
            message: Some(message),
        };
        let sent = self.conversations().send_message(call(request)).await;
        sent.map_err(|status| self.failed("send the message", &status))?;
        Ok(())
    }

    async fn hand_over(&mut self, tenant: String, conversation_id: String, to: &str) -> Result<(), CliError> {
        let request = UpdateConversationRequest {
            tenant,
            conversation_id,
            conversation: Some(Conversation {
                assignment: Some(queue(to)),
                ..Conversation::default()
            }),
            update_mask: Some(FieldMask {
                paths: vec!["assignment".to_owned()],
            }),
        };
        let updated = self.conversations().update_conversation(call(request)).await;
        updated.map_err(|status| self.failed("hand the conversation over", &status))?;
        Ok(())
    }

    async fn post_to_widget(
        &self,
        path: &str,
        body: &serde_json::Value,
    ) -> Result<reqwest::Response, CliError> {
        let base = self.sandbox.as_str().trim_end_matches('/');
        let url = format!("{base}/sandbox/v1/widget/conversations{path}");
        let answer = self
            .http
            .post(&url)
            .json(body)
            .send()
            .await
            .and_then(reqwest::Response::error_for_status);
        answer.map_err(|error| {
            CliError::Failed(format!("the sandbox's widget did not take a message: {error}"))
        })
    }

    fn conversations(&self) -> ConversationServiceClient<Connection> {
        ConversationServiceClient::new(self.channel.clone())
    }

    fn failed(&self, what: &str, status: &tonic::Status) -> CliError {
        CliError::call(what, self.server.url(), status)
    }

    fn late(&self, what: &str) -> CliError {
        CliError::Failed(format!(
            "expected: {what}; nothing came within {} s",
            self.patience.as_secs_f64()
        ))
    }
}

/// What a stream tells, read as it comes, so that it is never the slow subscriber.
pub(super) struct Heard {
    events: mpsc::UnboundedReceiver<Result<AgentEvent, String>>,
    reading: JoinHandle<()>,
}

impl Heard {
    fn from(mut stream: Streaming<AgentEventsResponse>) -> Self {
        let (tell, events) = mpsc::unbounded_channel();
        let reading = tokio::spawn(async move {
            loop {
                let told = match stream.message().await {
                    Ok(Some(response)) => read(response),
                    Ok(None) => Some(Err("the stream ended without saying why".to_owned())),
                    Err(status) => Some(Err(format!("the stream broke: {}", status.message()))),
                };
                let over = matches!(told, Some(Err(_)));
                if told.is_some_and(|told| tell.send(told).is_err()) || over {
                    return;
                }
            }
        });
        Self { events, reading }
    }

    /// The next event; none where none comes in time. A stream that breaks is a failure: here nobody reconnects.
    pub(super) async fn next(&mut self, until: Instant) -> Result<Option<AgentEvent>, CliError> {
        match timeout_at(until, self.events.recv()).await {
            Ok(Some(Ok(event))) => Ok(Some(event)),
            Ok(Some(Err(problem))) => Err(CliError::Failed(problem)),
            Ok(None) => Err(CliError::Failed("the stream is over".to_owned())),
            Err(_) => Ok(None),
        }
    }
}

impl Drop for Heard {
    fn drop(&mut self) {
        self.reading.abort();
    }
}

/// The event of a response; an error for what must not come in a demo; none for a heartbeat.
fn read(response: AgentEventsResponse) -> Option<Result<AgentEvent, String>> {
    match response.payload {
        Some(Payload::Event(event)) => Some(Ok(event)),
        Some(Payload::Heartbeat(_)) => None,
        _ => Some(Err(format!(
            "expected events only; what came instead: {}",
            line(&response, Style::PLAIN)
        ))),
    }
}
