//! One shared connection to Redis that fails fast and comes back by itself.
//!
//! redis-rs has a connection manager, which keeps a connection that has gone silent and makes callers wait for its
//! back-off. Here a connection is given up when an answer is late, the next command connects anew, and all who wait for
//! that share one attempt and its outcome.

use std::{
    sync::{Arc, PoisonError, RwLock, Weak},
    time::{Duration, Instant},
};

use ::redis::{
    AsyncConnectionConfig, Cmd, Pipeline, PushInfo, PushKind, RedisError, RedisResult, Value,
    aio::{MultiplexedConnection, SendError},
    cmd,
};
use tokio::sync::Mutex;

use super::{
    dial::Dial,
    error::{Failed, ends_connection, server_code},
    scripts::Script,
};
use crate::store::StoreError;

/// How long an answer may take. A command whose answer is late may still be applied.
pub(super) const RESPONSE_TIMEOUT: Duration = Duration::from_secs(2);

/// How long a request may take, with connecting and all that is asked on its way.
pub(super) const WITHIN: Duration = Duration::from_millis(2500);

/// For how long a failure to connect answers for all who ask.
const FAILURE_HOLDS: Duration = Duration::from_millis(100);

/// How young a connection is not given up, so that a server that refuses everything is not flooded with connections.
const YOUNG: Duration = Duration::from_millis(500);

/// Commands that may wait to be written to the connection.
const QUEUE: usize = 1024;

/// What is asked of a server.
pub(super) enum Request<'a> {
    /// One command.
    Command(&'a Cmd),
    /// Commands in one round trip.
    Pipeline(&'a Pipeline),
    /// The command that runs a script, which is loaded where the server does not know it.
    Script(&'a Script, &'a Cmd),
    /// Commands in one round trip, of which some run this script.
    Scripts(&'a Script, &'a Pipeline),
}

impl Request<'_> {
    /// Sends it; `asking`: to a node that a slot is being moved to.
    pub(super) async fn send(
        &self,
        connection: &mut MultiplexedConnection,
        asking: bool,
    ) -> RedisResult<Value> {
        let answer = self.send_once(connection, asking).await;
        match self {
            Self::Script(script, _) | Self::Scripts(script, _)
                if answer.as_ref().is_err_and(is_unknown_script) =>
            {
                script.load().query_async::<()>(connection).await?;
                self.send_once(connection, asking).await
            }
            _ => answer,
        }
    }

    async fn send_once(&self, connection: &mut MultiplexedConnection, asking: bool) -> RedisResult<Value> {
        match self {
            Self::Command(command) | Self::Script(_, command) if asking => {
                let mut pipeline = Pipeline::new();
                pipeline.add_command((*command).clone());
                let answers = with_leave(&pipeline).query_async(connection).await;
                answers.map(last)
            }
            Self::Command(command) | Self::Script(_, command) => command.query_async(connection).await,
            Self::Pipeline(pipeline) | Self::Scripts(_, pipeline) if asking => {
                let answers = with_leave(pipeline).query_async(connection).await;
                if pipeline.is_transaction() {
                    answers.map(last)
                } else {
                    answers
                }
            }
            Self::Pipeline(pipeline) | Self::Scripts(_, pipeline) => pipeline.query_async(connection).await,
        }
    }
}

/// Each command needs the leave of a node that its slot is being moved to, right before it on a connection that others use
/// too.
fn with_leave(pipeline: &Pipeline) -> Pipeline {
    let mut commands = Pipeline::new();
    if !pipeline.is_transaction() {
        for command in pipeline.cmd_iter() {
            commands.cmd("ASKING").ignore().add_command(command.clone());
        }
        return commands;
    }
    // The leave holds for a whole transaction that is begun with it.
    commands.cmd("ASKING").ignore().cmd("MULTI").ignore();
    for command in pipeline.cmd_iter() {
        commands.add_command(command.clone()).ignore();
    }
    commands.add_command(cmd("EXEC"));
    commands
}

fn last(answers: Value) -> Value {
    match answers {
        Value::Array(mut answers) => answers.pop().unwrap_or_default(),
        other => other,
    }
}

#[derive(Clone)]
struct Live {
    connection: MultiplexedConnection,
    number: u64,
    since: Instant,
    /// Of the dial when it was made.
    generation: u64,
}

#[derive(Default)]
struct Slot {
    live: Option<Live>,
    made: u64,
}

/// One shared connection.
pub(super) struct Link {
    dial: Dial,
    response_timeout: Duration,
    slot: Arc<RwLock<Slot>>,
    /// Held while connecting; the last failure.
    connecting: Mutex<Option<(Instant, StoreError)>>,
}

impl Link {
    /// A link that connects when it is first used.
    pub(super) fn new(dial: Dial, response_timeout: Duration) -> Self {
        Self {
            dial,
            response_timeout,
            slot: Arc::default(),
            connecting: Mutex::new(None),
        }
    }

    /// Asks; `asking`: of a node that the slot is being moved to.
    pub(super) async fn run(&self, request: &Request<'_>, asking: bool) -> Result<Value, Failed> {
        let mut live = match self.current() {
            Some(live) => live,
            // Rare, and of a size that each request would carry.
            None => Box::pin(self.live()).await.map_err(Failed::Unsent)?,
        };
        let answer = request.send(&mut live.connection, asking).await;
        self.judge(&live, answer)
    }

    /// Leaves the connection: it leads to a server that is not the right one any more.
    pub(super) fn leave(&self) {
        if let Some(live) = self.current().filter(|live| live.since.elapsed() > YOUNG) {
            give_up(&self.slot, live.number);
        }
    }

    fn judge<T>(&self, live: &Live, answer: RedisResult<T>) -> Result<T, Failed> {
        answer.map_err(|error| {
            if ends_connection(&error) && (error.is_io_error() || live.since.elapsed() > YOUNG) {
                give_up(&self.slot, live.number);
            }
            Failed::Answer(error)
        })
    }

    fn current(&self) -> Option<Live> {
        let slot = self.slot.read().unwrap_or_else(PoisonError::into_inner);
        let right = |live: &&Live| live.generation == self.dial.generation();
        slot.live.as_ref().filter(right).cloned()
    }

    async fn live(&self) -> Result<Live, StoreError> {
        if let Some(live) = self.current() {
            return Ok(live);
        }
        let asked = Instant::now();
        let mut failure = self.connecting.lock().await;
        if let Some(live) = self.current() {
            return Ok(live);
        }
        // An attempt that failed while we waited was ours too, however late we hear of it: on a busy machine those who
        // wait would otherwise make one attempt after another.
        if let Some((at, error)) = &*failure
            && (*at >= asked || at.elapsed() < FAILURE_HOLDS)
        {
            return Err(error.clone());
        }
        match self.connect().await {
            Ok(live) => {
                *failure = None;
                Ok(live)
            }
            Err(error) => {
                *failure = Some((Instant::now(), error.clone()));
                Err(error)
            }
        }
    }

    async fn connect(&self) -> Result<Live, StoreError> {
        let number = {
            let mut slot = self.slot.write().unwrap_or_else(PoisonError::into_inner);
            slot.made += 1;
            slot.made
        };
        let config = AsyncConnectionConfig::new()
            .set_response_timeout(Some(self.response_timeout))
            .set_pipeline_buffer_size(QUEUE)
            .set_push_sender(when_lost(Arc::downgrade(&self.slot), number));
        let (connection, generation) = self.dial.open(config).await?;
        let live = Live {
            connection,
            number,
            since: Instant::now(),
            generation,
        };
        self.slot.write().unwrap_or_else(PoisonError::into_inner).live = Some(live.clone());
        Ok(live)
    }
}

/// Gives a connection up as soon as it is lost, so that the next command does not have to find out by failing.
fn when_lost(
    slot: Weak<RwLock<Slot>>,
    number: u64,
) -> impl Fn(PushInfo) -> Result<(), SendError> + Send + Sync + 'static {
    move |push| {
        if push.kind == PushKind::Disconnection
            && let Some(slot) = slot.upgrade()
        {
            give_up(&slot, number);
        }
        Ok(())
    }
}

fn give_up(slot: &RwLock<Slot>, number: u64) {
    let mut slot = slot.write().unwrap_or_else(PoisonError::into_inner);
    if slot.live.as_ref().is_some_and(|live| live.number == number) {
        slot.live = None;
    }
}

pub(super) fn is_unknown_script(error: &RedisError) -> bool {
    server_code(error).as_deref() == Some("NOSCRIPT")
}

#[cfg(test)]
mod tests {
    use std::{
        net::TcpListener,
        sync::atomic::{AtomicUsize, Ordering},
    };

    use super::{super::tls::Target, *};

    #[tokio::test]
    async fn whoever_waits_for_an_attempt_shares_its_outcome_however_late_it_is_heard() {
        // It accepts, and says nothing.
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let attempts = Arc::new(AtomicUsize::new(0));
        let counted = attempts.clone();
        std::thread::spawn(move || {
            let mut held = Vec::new();
            while let Ok((stream, _)) = listener.accept() {
                counted.fetch_add(1, Ordering::Relaxed);
                held.push(stream);
            }
        });
        let client = ::redis::Client::open(format!("redis://{address}/?protocol=resp3")).unwrap();
        let link = Arc::new(Link::new(
            Dial::Server(Box::new(Target::new(client, None))),
            Duration::from_secs(2),
        ));
        let waiting: Vec<_> = (0..4)
            .map(|_| {
                let link = link.clone();
                tokio::spawn(async move {
                    let ping = cmd("PING");
                    let answer = link.run(&Request::Command(&ping), false).await;
                    // The machine is busy with something else, so whoever comes next hears late.
                    std::thread::sleep(FAILURE_HOLDS * 2);
                    answer.is_err()
                })
            })
            .collect();
        for failed in waiting {
            assert!(failed.await.unwrap());
        }
        assert_eq!(attempts.load(Ordering::Relaxed), 1, "one attempt for all");
    }
}
