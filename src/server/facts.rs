//! Asks the store's servers now and then what they say of themselves, and shows it.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::debug;

use crate::store::SharedStore;

const EVERY: Duration = Duration::from_secs(15);

/// Shows it until `shutdown`. While they cannot be asked it stays as it was; that the store is away is told elsewhere.
pub(super) async fn watch(store: SharedStore, shutdown: CancellationToken) {
    loop {
        match shutdown.run_until_cancelled(store.facts()).await {
            Some(Ok(Some(facts))) => facts.show(),
            Some(Err(error)) => debug!(%error, "the store's servers do not say how they are"),
            // There are none.
            Some(Ok(None)) => return shutdown.cancelled().await,
            None => return,
        }
        shutdown.run_until_cancelled(tokio::time::sleep(EVERY)).await;
    }
}
