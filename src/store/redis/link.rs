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
    AsyncConnectionConfig, Client, Cmd, FromRedisValue, IntoConnectionInfo, Pipeline, ProtocolVersion,
    PushInfo, PushKind, RedisError, RedisResult,
    aio::{MultiplexedConnection, SendError},
};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Mutex;

use super::{
    error::{ends_connection, explain, server_code},
    scripts::{Call, Script},
};
use crate::store::StoreError;

/// How long connecting may take, handshake included.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// How long an answer may take. A command whose answer is late may still be applied.
pub(super) const RESPONSE_TIMEOUT: Duration = Duration::from_secs(2);

/// For how long a failure to connect answers for all who ask.
const FAILURE_HOLDS: Duration = Duration::from_millis(100);

/// How young a connection is not given up, so that a server that refuses everything is not flooded with connections.
const YOUNG: Duration = Duration::from_millis(500);

/// Commands that may wait to be written to the connection.
const QUEUE: usize = 1024;

/// Reads the URL of a Redis server.
pub(super) fn client(url: &SecretString) -> Result<Client, StoreError> {
    // It fails only where somebody has installed one before, which is as good.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let unreadable = |_: RedisError| {
        // The library's words may repeat parts of the URL, and it holds a password.
        StoreError::Mismatch(
            "the Redis URL cannot be read: expected redis://[user:password@]host[:port][/database], or rediss:// for TLS"
                .into(),
        )
    };
    let info = url.expose_secret().into_connection_info().map_err(unreadable)?;
    let tcp = info.tcp_settings().clone().set_nodelay(true);
    // RESP3, because only with it the library tells at once that a connection was lost.
    let settings = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
    Client::open(info.set_tcp_settings(tcp).set_redis_settings(settings)).map_err(unreadable)
}

#[derive(Clone)]
struct Live {
    connection: MultiplexedConnection,
    number: u64,
    since: Instant,
}

#[derive(Default)]
struct Slot {
    live: Option<Live>,
    made: u64,
}

/// One shared connection.
pub(super) struct Link {
    client: Client,
    slot: Arc<RwLock<Slot>>,
    /// Held while connecting; the last failure.
    connecting: Mutex<Option<(Instant, StoreError)>>,
}

impl Link {
    /// A link that connects when it is first used.
    pub(super) fn new(client: Client) -> Self {
        Self {
            client,
            slot: Arc::default(),
            connecting: Mutex::new(None),
        }
    }

    /// Runs one command.
    pub(super) async fn command<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, StoreError> {
        let mut live = self.live().await?;
        let answer = command.query_async(&mut live.connection).await;
        self.judge(&live, answer)
    }

    /// Runs commands in one round trip.
    pub(super) async fn pipeline<T: FromRedisValue>(&self, commands: &Pipeline) -> Result<T, StoreError> {
        let mut live = self.live().await?;
        let answer = commands.query_async(&mut live.connection).await;
        self.judge(&live, answer)
    }

    /// Runs a script, which is loaded where Redis does not know it.
    pub(super) async fn script<T: FromRedisValue>(
        &self,
        script: &Script,
        call: Call,
    ) -> Result<T, StoreError> {
        let command = script.command(&call);
        let mut live = self.live().await?;
        let mut answer = command.query_async(&mut live.connection).await;
        if answer.as_ref().is_err_and(is_unknown_script) {
            answer = match script.load().query_async::<()>(&mut live.connection).await {
                Ok(()) => command.query_async(&mut live.connection).await,
                Err(error) => Err(error),
            };
        }
        self.judge(&live, answer)
    }

    fn judge<T>(&self, live: &Live, answer: RedisResult<T>) -> Result<T, StoreError> {
        answer.map_err(|error| {
            if ends_connection(&error) && (error.is_io_error() || live.since.elapsed() > YOUNG) {
                give_up(&self.slot, live.number);
            }
            explain(&error)
        })
    }

    fn current(&self) -> Option<Live> {
        self.slot
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .live
            .clone()
    }

    async fn live(&self) -> Result<Live, StoreError> {
        if let Some(live) = self.current() {
            return Ok(live);
        }
        let mut failure = self.connecting.lock().await;
        if let Some(live) = self.current() {
            return Ok(live);
        }
        if let Some((at, error)) = &*failure
            && at.elapsed() < FAILURE_HOLDS
        {
            return Err(error.clone());
        }
        match self.connect().await {
            Ok(live) => {
                *failure = None;
                Ok(live)
            }
            Err(error) => {
                let error = explain(&error);
                *failure = Some((Instant::now(), error.clone()));
                Err(error)
            }
        }
    }

    async fn connect(&self) -> RedisResult<Live> {
        let number = {
            let mut slot = self.slot.write().unwrap_or_else(PoisonError::into_inner);
            slot.made += 1;
            slot.made
        };
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_TIMEOUT))
            .set_response_timeout(Some(RESPONSE_TIMEOUT))
            .set_pipeline_buffer_size(QUEUE)
            .set_push_sender(when_lost(Arc::downgrade(&self.slot), number));
        let connection = self
            .client
            .get_multiplexed_async_connection_with_config(&config)
            .await?;
        let live = Live {
            connection,
            number,
            since: Instant::now(),
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

fn is_unknown_script(error: &RedisError) -> bool {
    server_code(error).as_deref() == Some("NOSCRIPT")
}
