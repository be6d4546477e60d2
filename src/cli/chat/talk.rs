//! The talk itself: what comes is shown, what is typed is sent, each in its turn.

use std::{io::Write, time::Duration};

use tokio::{
    sync::mpsc,
    time::{Instant, sleep, sleep_until},
};
use tonic::Code;
use uuid::Uuid;

use super::{
    input::Input,
    screen::{Meaning, lines, meaning},
};
use crate::{
    cli::{
        connect::{CliError, Connection, Follow, Followed, Server, call},
        render::{Style, line},
    },
    grpc::proto::{
        AgentEventsRequest, AgentEventsResponse, AuthorType, CreateConversationResponse,
        EndConversationRequest, GapPolicy, MessageInput, SendMessageRequest, SendTypingIndicatorRequest,
        agent_events_request::Start, agent_events_response::Payload,
        conversation_service_client::ConversationServiceClient,
    },
};

/// How long a script lets an agent who has joined greet: most do, and would be talked over.
const GREETING: Duration = Duration::from_secs(5);

/// How often a message is offered while nothing can have happened to it.
const ATTEMPTS: u32 = 4;

/// How the talk ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Left {
    /// The conversation is idle.
    Idle,
    /// The customer left it open.
    Quit,
    /// The customer broke off.
    Interrupted,
}

/// Where and how a talk is held.
pub(super) struct Talk<'a> {
    pub(super) style: Style,
    /// Whether lines come from a file, which does not look whether anybody is there: each waits for its turn.
    pub(super) scripted: bool,
    /// How long a script waits for an agent and for an answer, and anybody for the end.
    pub(super) patience: Duration,
    pub(super) out: &'a mut dyn Write,
    pub(super) notices: &'a mut dyn Write,
}

/// What the talk waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// For an agent, before a script's first line.
    Agent(Instant),
    /// For that agent's first words.
    Greeting(Instant),
    /// For the customer's next line.
    Line,
    /// For an agent's answer to a script's line.
    Answer(Instant),
    /// For the end.
    End(Instant),
}

impl Phase {
    fn until(self) -> Option<Instant> {
        match self {
            Self::Agent(until) | Self::Greeting(until) | Self::Answer(until) | Self::End(until) => {
                Some(until)
            }
            Self::Line => None,
        }
    }

    fn after(self, meaning: Meaning, greeting: Duration) -> Self {
        match (self, meaning) {
            (Self::Agent(_), Meaning::AgentJoined) => Self::Greeting(Instant::now() + greeting),
            (Self::Agent(_) | Self::Greeting(_) | Self::Answer(_), Meaning::AgentWrote) => Self::Line,
            _ => self,
        }
    }
}

impl Talk<'_> {
    /// Talks until it is over.
    pub(super) async fn hold(
        mut self,
        server: Server,
        client: ConversationServiceClient<Connection>,
        created: CreateConversationResponse,
        mut input: mpsc::Receiver<String>,
    ) -> Result<Left, CliError> {
        let request = AgentEventsRequest {
            tenant: created.tenant.clone(),
            conversation_ids: vec![created.conversation_id.clone()],
            gap_policy: GapPolicy::Earliest.into(),
            start: Some(Start::Cursor(created.cursor.clone())),
            ..AgentEventsRequest::default()
        };
        let mut calls = Calls {
            url: server.url().to_owned(),
            client,
            created,
        };
        let mut follow = Follow::new(server, request);
        let id = &calls.created.conversation_id;
        let help = if self.scripted {
            ""
        } else {
            "; /end or Ctrl-D ends it, /quit leaves it open"
        };
        writeln!(
            self.out,
            "{}",
            self.style.dim(&format!("* conversation {id}{help}"))
        )?;

        let mut phase = if self.scripted {
            Phase::Agent(self.soon())
        } else {
            Phase::Line
        };
        loop {
            let until = phase.until();
            tokio::select! {
                followed = follow.next() => {
                    let meaning = self.show(followed?)?;
                    if meaning == Meaning::Idle {
                        return Ok(Left::Idle);
                    }
                    phase = phase.after(meaning, GREETING.min(self.patience));
                }
                line = input.recv(), if phase == Phase::Line => {
                    match line.map_or(Input::End, |line| Input::read(&line)) {
                        Input::Quit => return Ok(Left::Quit),
                        input => phase = self.act(input, &mut calls).await?,
                    }
                }
                () = sleep_until(until.unwrap_or_else(Instant::now)), if until.is_some() => {
                    phase = self.give_up(phase, &mut calls).await?;
                }
            }
        }
    }

    fn soon(&self) -> Instant {
        Instant::now() + self.patience
    }

    fn show(&mut self, followed: Followed) -> Result<Meaning, CliError> {
        let response = match followed {
            Followed::Response(response) => response,
            Followed::Interrupted { why, wait } => {
                self.notice(&format!("{why}; connecting again in {:.1} s", wait.as_secs_f64()));
                return Ok(Meaning::Other);
            }
        };
        let AgentEventsResponse {
            payload: Some(Payload::Event(event)),
            ..
        } = &*response
        else {
            if matches!(response.payload, Some(Payload::Gap(_))) {
                self.notice(&line(&response, Style::PLAIN));
            }
            return Ok(Meaning::Other);
        };
        for line in lines(event, self.style) {
            writeln!(self.out, "{line}")?;
        }
        self.out.flush()?;
        Ok(meaning(event))
    }

    /// Does what a line asks for; answers with what comes next.
    async fn act(&mut self, input: Input, calls: &mut Calls) -> Result<Phase, CliError> {
        match input {
            Input::Say(text) => self.say(text, calls).await,
            Input::End => {
                calls.end().await?;
                Ok(Phase::End(self.soon()))
            }
            Input::Mistyped(word) => {
                self.notice(&format!(
                    "there is no command {word}: /end ends the conversation, /quit leaves it"
                ));
                Ok(Phase::Line)
            }
            Input::Nothing | Input::Quit => Ok(Phase::Line),
        }
    }

    async fn say(&mut self, text: String, calls: &mut Calls) -> Result<Phase, CliError> {
        if self.scripted {
            writeln!(self.out, "{}", self.style.dim(&format!("> {text}")))?;
            calls.say(text).await?;
            return Ok(Phase::Answer(self.soon()));
        }
        // Somebody at a terminal reads what went wrong and decides.
        if let Err(error) = calls.say(text).await {
            self.notice(&error.to_string());
        }
        Ok(Phase::Line)
    }

    async fn give_up(&mut self, phase: Phase, calls: &mut Calls) -> Result<Phase, CliError> {
        let seconds = self.patience.as_secs_f64();
        match phase {
            Phase::Agent(_) => {
                calls.end().await?;
                Err(CliError::Failed(format!(
                    "no agent came within {seconds} s; the conversation was ended"
                )))
            }
            Phase::Answer(_) => {
                self.notice(&format!("no answer came within {seconds} s; going on"));
                Ok(Phase::Line)
            }
            Phase::End(_) => {
                let id = &calls.created.conversation_id;
                Err(CliError::Failed(format!(
                    "conversation {id} did not become idle within {seconds} s"
                )))
            }
            Phase::Greeting(_) | Phase::Line => Ok(Phase::Line),
        }
    }

    fn notice(&mut self, words: &str) {
        // Whoever closed standard error wants no notices; that is no reason to stop.
        let _ = writeln!(self.notices, "{words}");
    }
}

/// What a customer does.
struct Calls {
    url: String,
    client: ConversationServiceClient<Connection>,
    created: CreateConversationResponse,
}

impl Calls {
    /// Sends a message, and again while the server says that nothing happened; the `request_id` makes that safe.
    async fn say(&mut self, text: String) -> Result<(), CliError> {
        self.type_first().await;
        let request = SendMessageRequest {
            tenant: self.created.tenant.clone(),
            conversation_id: self.created.conversation_id.clone(),
            request_id: Uuid::new_v4().to_string(),
            message: Some(MessageInput {
                author_type: AuthorType::User.into(),
                text,
                ..MessageInput::default()
            }),
        };
        for attempt in 1.. {
            match self.client.send_message(call(request.clone())).await {
                Ok(_) => break,
                Err(status) if status.code() == Code::Unavailable && attempt < ATTEMPTS => {
                    sleep(Duration::from_millis(200) * attempt).await;
                }
                Err(status) => return Err(CliError::call("send the message", &self.url, &status)),
            }
        }
        Ok(())
    }

    /// Shows the agent that something is coming. A courtesy: that it fails is no reason not to send.
    async fn type_first(&mut self) {
        let request = SendTypingIndicatorRequest {
            tenant: self.created.tenant.clone(),
            conversation_id: self.created.conversation_id.clone(),
            author_type: AuthorType::User.into(),
        };
        let _ = self.client.send_typing_indicator(call(request)).await;
    }

    async fn end(&mut self) -> Result<(), CliError> {
        let request = EndConversationRequest {
            tenant: self.created.tenant.clone(),
            conversation_id: self.created.conversation_id.clone(),
        };
        match self.client.end_conversation(call(request)).await {
            Ok(_) => Ok(()),
            Err(status) => Err(CliError::call("end the conversation", &self.url, &status)),
        }
    }
}
