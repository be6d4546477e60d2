use std::{fmt, sync::Arc, time::Duration};

use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    ClientBuilder, Error,
    builder::Settings,
    connection::{Connection, Pool},
};

/// A client of Chatbridge. Clones share its connections, and may be used from any task.
///
/// Each call has a deadline, and is made again where that is safe; a `request_id` that is empty is filled in once, before the first
/// attempt. A `tenant` that is empty is the client's, where it has one.
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
    timeout: Duration,
    transfer_timeout: Duration,
}

struct Shared {
    settings: Settings,
    pool: Arc<Pool>,
    closed: CancellationToken,
    tasks: TaskTracker,
}

impl Client {
    /// Connects to a target: `http://HOST:PORT` (cleartext), `https://HOST:PORT` (TLS with the system's authorities), or one that
    /// [`ClientBuilder::new`] takes.
    pub async fn connect(target: impl Into<String>) -> Result<Self, Error> {
        Self::builder(target).connect().await
    }

    /// Says more about the client before it connects.
    pub fn builder(target: impl Into<String>) -> ClientBuilder {
        ClientBuilder::new(target)
    }

    pub(crate) fn new(
        settings: Settings,
        pool: Arc<Pool>,
        closed: CancellationToken,
        tasks: TaskTracker,
    ) -> Self {
        let (timeout, transfer_timeout) = (settings.timeout, settings.transfer_timeout);
        let shared = Arc::new(Shared {
            settings,
            pool,
            closed,
            tasks,
        });
        Self {
            shared,
            timeout,
            transfer_timeout,
        }
    }

    /// The same client with another deadline for each call, also for those that carry files.
    #[must_use]
    pub fn with_timeout(&self, timeout: Duration) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            timeout,
            transfer_timeout: timeout,
        }
    }

    /// Ends the streams and calls of this client and all its clones, and waits until nothing of them is left.
    pub async fn close(&self) {
        self.shared.closed.cancel();
        self.shared.tasks.close();
        self.shared.tasks.wait().await;
        self.shared.pool.clear();
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.shared.settings
    }

    pub(crate) fn closed(&self) -> &CancellationToken {
        &self.shared.closed
    }

    pub(crate) fn tasks(&self) -> &TaskTracker {
        &self.shared.tasks
    }

    pub(crate) fn timeout(&self) -> Duration {
        self.timeout
    }

    pub(crate) fn transfer_timeout(&self) -> Duration {
        self.transfer_timeout
    }

    pub(crate) async fn pick(&self) -> Result<Connection, Error> {
        self.shared.pool.pick().await
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("settings", self.settings())
            .finish_non_exhaustive()
    }
}
