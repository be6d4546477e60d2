//! Trims the log, whether anything is appended to it or not: what a retention promises to let go of must not stay because a
//! partition has gone quiet.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::debug;

use super::SharedStore;

/// How often the log is trimmed.
pub const EVERY: Duration = Duration::from_secs(60);

/// Trims the log about once every `every`, until `shutdown`. Replicas that share a log take turns.
pub async fn run(store: SharedStore, every: Duration, shutdown: CancellationToken) {
    // Shorter than the time between two looks: whoever trimmed last may do it again.
    let lease_ms = u64::try_from(every.as_millis()).unwrap_or(u64::MAX) / 10 * 9;
    while shutdown
        .run_until_cancelled(tokio::time::sleep(every))
        .await
        .is_some()
    {
        match shutdown.run_until_cancelled(store.tidy(lease_ms)).await {
            Some(Err(error)) => debug!(%error, "the log could not be trimmed"),
            Some(Ok(_)) => {}
            None => return,
        }
    }
}
