//! Calls as bots make them, by the client library, one after another all the time. What the library does not repeat by itself, or not to
//! a good end, is a failure.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chatbridge_client::{
    Client, Error,
    v1::{
        AgentEventsRequest, Assignment, CreateConversationRequest, GetConversationRequest, GetSessionRequest,
        MessageInput, SendMessageRequest, User, agent_events_request::Start, agent_events_response::Payload,
    },
};
use futures_util::StreamExt as _;
use tokio::time::sleep;
use tokio_util::{
    sync::CancellationToken,
    task::{AbortOnDropHandle, TaskTracker},
};

use crate::Result;

/// The sandbox's own tenant, channel and queue.
pub const TENANT: &str = "sandbox";
const CHANNEL: &str = "sandbox-chat";
const QUEUE: &str = "100";
/// How long a bot waits between two calls.
const BETWEEN: Duration = Duration::from_millis(100);

/// What became of the calls.
#[derive(Default)]
pub struct Tally {
    pub calls: u64,
    pub failed: Vec<String>,
    /// Messages that were accepted, by their `request_id`: how often an echo of each came.
    pub sent: HashMap<String, u32>,
}

/// Bots that talk.
pub struct Bots {
    tally: Arc<Mutex<Tally>>,
    stop: CancellationToken,
    tasks: TaskTracker,
    _echoes: Vec<AbortOnDropHandle<()>>,
}

impl Bots {
    /// Starts so many, each with a client and a conversation of its own.
    pub async fn start(balancer: SocketAddr, count: usize) -> Result<Self> {
        let tally = Arc::<Mutex<Tally>>::default();
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        let mut echoes = Vec::new();
        for _ in 0..count {
            let client = Client::builder(format!("http://{balancer}"))
                .tenant(TENANT)
                .connect_lazy()?;
            let chat = client
                .create_conversation(CreateConversationRequest {
                    channel_id: CHANNEL.to_owned(),
                    user: Some(User {
                        name: "Ada".to_owned(),
                        ..User::default()
                    }),
                    assignment: Some(Assignment::to_queue(QUEUE)),
                    ..CreateConversationRequest::default()
                })
                .await?;
            let heard = listen(
                client.clone(),
                chat.conversation_id.clone(),
                chat.cursor.to_vec(),
                Arc::clone(&tally),
            );
            echoes.push(AbortOnDropHandle::new(tokio::spawn(heard)));
            let bot = talk(client, chat.conversation_id, Arc::clone(&tally), stop.clone());
            tasks.spawn(bot);
        }
        Ok(Self {
            tally,
            stop,
            tasks,
            _echoes: echoes,
        })
    }

    pub fn tally(&self) -> MutexGuard<'_, Tally> {
        locked(&self.tally)
    }

    /// Lets each end the call that it makes, and make no other.
    pub async fn stop(&self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

fn locked(tally: &Mutex<Tally>) -> MutexGuard<'_, Tally> {
    tally.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn talk(client: Client, conversation_id: String, tally: Arc<Mutex<Tally>>, stop: CancellationToken) {
    for round in 0_u64.. {
        if stop.is_cancelled() {
            return;
        }
        let called = match round % 3 {
            0 => send(&client, &conversation_id, round, &tally).await,
            1 => {
                let request = GetConversationRequest {
                    conversation_id: conversation_id.clone(),
                    ..GetConversationRequest::default()
                };
                client.get_conversation(request).await.map(drop)
            }
            _ => {
                let request = GetSessionRequest {
                    conversation_id: conversation_id.clone(),
                    ..GetSessionRequest::default()
                };
                client.get_session(request).await.map(drop)
            }
        };
        note(&tally, called, round);
        sleep(BETWEEN).await;
    }
}

fn note(tally: &Mutex<Tally>, called: std::result::Result<(), Error>, round: u64) {
    let mut tally = locked(tally);
    tally.calls += 1;
    if let Err(error) = called {
        tally.failed.push(format!("call {round} of a bot: {error}"));
    }
}

async fn send(
    client: &Client,
    conversation_id: &str,
    round: u64,
    tally: &Mutex<Tally>,
) -> std::result::Result<(), Error> {
    let request_id = uuid::Uuid::new_v4().to_string();
    let request = SendMessageRequest {
        conversation_id: conversation_id.to_owned(),
        request_id: request_id.clone(),
        message: Some(MessageInput::from_bot(format!(
            "Line {round}, which is said once."
        ))),
        ..SendMessageRequest::default()
    };
    client.send_message(request).await?;
    // Its echo may have come already.
    locked(tally).sent.entry(request_id).or_default();
    Ok(())
}

/// Counts the echoes of what a bot sends.
async fn listen(client: Client, conversation_id: String, cursor: Vec<u8>, tally: Arc<Mutex<Tally>>) {
    let mut events = client.agent_events(AgentEventsRequest {
        conversation_ids: vec![conversation_id],
        include_echoes: true,
        start: Some(Start::Cursor(cursor.into())),
        ..AgentEventsRequest::default()
    });
    while let Some(next) = events.next().await {
        match next.map(|response| response.payload) {
            Ok(Some(Payload::Event(event))) if event.echo && !event.request_id.is_empty() => {
                *locked(&tally).sent.entry(event.request_id).or_default() += 1;
            }
            Ok(_) => {}
            Err(error) => {
                locked(&tally)
                    .failed
                    .push(format!("the stream of a bot: {error}"));
                return;
            }
        }
    }
}
