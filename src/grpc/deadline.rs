//! How long the caller waits.

use tokio::time::Instant;
use tonic::Request;

/// When the caller stops waiting; `None`: it did not say.
pub(super) fn of<T>(_request: &Request<T>) -> Option<Instant> {
    None
}
