//! One address, and the connection to it.

use std::{
    error::Error as StdError,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::time::Instant;
use tonic::transport::{Channel, Endpoint};

use crate::Backoff;

pub(crate) struct Peer {
    /// Where it was looked up; `None`: the target is connected to as it is.
    pub(super) address: Option<SocketAddr>,
    endpoint: Endpoint,
    progress: Mutex<Progress>,
}

struct Progress {
    state: State,
    failures: u32,
    generation: u64,
}

pub(super) enum State {
    Idle,
    Connecting,
    Ready { channel: Channel, generation: u64 },
    Failed { until: Instant, problem: String },
}

impl Peer {
    pub(super) fn new(endpoint: Endpoint, address: Option<SocketAddr>) -> Self {
        let progress = Progress {
            state: State::Idle,
            failures: 0,
            generation: 0,
        };
        Self {
            address,
            endpoint,
            progress: Mutex::new(progress),
        }
    }

    /// Whether it is time to connect, which the caller then does.
    pub(super) fn begin(&self) -> bool {
        let mut progress = self.progress();
        let due = match progress.state {
            State::Idle => true,
            State::Failed { until, .. } => until <= Instant::now(),
            State::Connecting | State::Ready { .. } => false,
        };
        if due {
            progress.state = State::Connecting;
        }
        due
    }

    pub(super) async fn connect(&self, backoff: &Backoff) {
        let made = self.endpoint.connect().await;
        let mut progress = self.progress();
        let problem = match made {
            Ok(channel) => {
                progress.failures = 0;
                progress.generation += 1;
                progress.state = State::Ready {
                    channel,
                    generation: progress.generation,
                };
                return;
            }
            Err(error) => told(&error),
        };
        let until = Instant::now() + backoff.delay(progress.failures);
        progress.failures = progress.failures.saturating_add(1);
        progress.state = State::Failed { until, problem };
    }

    pub(super) fn is_failing(&self) -> bool {
        matches!(self.progress().state, State::Failed { .. })
    }

    pub(super) fn state(&self) -> impl std::ops::Deref<Target = State> + '_ {
        struct Guard<'a>(MutexGuard<'a, Progress>);
        impl std::ops::Deref for Guard<'_> {
            type Target = State;
            fn deref(&self) -> &State {
                &self.0.state
            }
        }
        Guard(self.progress())
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An error with its causes: the first alone says no more than "transport error".
fn told(error: &tonic::transport::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

/// A connection that is there, or was when it was picked.
pub(crate) struct Connection {
    channel: Channel,
    peer: Arc<Peer>,
    generation: u64,
}

impl Connection {
    pub(super) fn new(channel: Channel, peer: Arc<Peer>, generation: u64) -> Self {
        Self {
            channel,
            peer,
            generation,
        }
    }

    pub(crate) fn channel(&self) -> Channel {
        self.channel.clone()
    }

    /// Makes whoever comes next connect anew. Calls that are under way over this connection go on, if they can.
    pub(crate) fn give_up(&self) {
        let mut progress = self.peer.progress();
        if matches!(progress.state, State::Ready { generation, .. } if generation == self.generation) {
            progress.state = State::Idle;
        }
    }
}
