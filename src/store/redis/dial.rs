//! Where a connection leads: to a server of a known address, or to the master that Sentinels name when it is made.

use std::{sync::Arc, time::Duration};

use ::redis::{AsyncConnectionConfig, aio::MultiplexedConnection};

use super::{sentinel::Sentinels, tls::Target};
use crate::store::StoreError;

/// How long connecting to a server may take, handshake included.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// Where connections lead.
#[derive(Clone)]
pub(super) enum Dial {
    /// To one server.
    Server(Box<Target>),
    /// To the master of the day.
    Master(Arc<Sentinels>),
}

impl Dial {
    /// Counts up whenever connections made before lead to the wrong server.
    pub(super) fn generation(&self) -> u64 {
        match self {
            Self::Server(_) => 0,
            Self::Master(sentinels) => sentinels.generation(),
        }
    }

    /// Makes a connection, and says of which generation it is. `config` says how long an answer may take; connecting takes
    /// two seconds, and while a master is deposed three, at the most.
    pub(super) async fn open(
        &self,
        config: AsyncConnectionConfig,
    ) -> Result<(MultiplexedConnection, u64), StoreError> {
        let config = config.set_connection_timeout(Some(CONNECT_TIMEOUT));
        match self {
            Self::Server(server) => server.connect(&config).await.map(|connection| (connection, 0)),
            // Boxed, because Sentinels are asked over links of their own.
            Self::Master(sentinels) => Box::pin(sentinels.open(config)).await,
        }
    }
}
