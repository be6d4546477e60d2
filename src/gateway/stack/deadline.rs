//! The outermost layer: the caller's deadline, which bounds all that follows.

use std::time::Duration;

use tokio::time::Instant;
use tower::ServiceExt;

use super::around::{Around, Inner};
use crate::gateway::{UpstreamErrorKind, call::Call, exchange::Answer, failure::Failure, record};

/// How much of the caller's time is kept back, so that our error, which says what happened, comes before the plain one of
/// whoever enforces the deadline.
const MARGIN: Duration = Duration::from_millis(10);

/// Refuses what has no time left, and counts what the layers below turn away.
pub(super) struct Deadline;

impl Around for Deadline {
    async fn around<S: Inner>(&self, mut call: Call, inner: S) -> Result<Answer, Failure> {
        let operation = call.operation.name;
        let result = match ours(call.deadline, Instant::now()) {
            Ok(deadline) => {
                call.deadline = deadline;
                inner.oneshot(call).await
            }
            Err(failure) => Err(failure),
        };
        if let Err(failure) = &result
            && failure.is_withheld
        {
            record::withheld(operation, &failure.error);
        }
        result
    }
}

/// By when we must be done.
fn ours(callers: Option<Instant>, now: Instant) -> Result<Option<Instant>, Failure> {
    match callers {
        None => Ok(None),
        Some(deadline) => match deadline.checked_sub(MARGIN) {
            Some(ours) if ours > now => Ok(Some(ours)),
            _ => Err(no_time_left()),
        },
    }
}

/// The deadline passed before anything was sent.
pub(in crate::gateway) fn no_time_left() -> Failure {
    Failure::withheld(
        UpstreamErrorKind::Timeout,
        "the deadline of the call left no time to send it",
        None,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_little_is_kept_back() {
        let now = Instant::now();
        let second = Duration::from_secs(1);
        assert_eq!(ours(None, now).unwrap(), None);
        assert_eq!(
            ours(Some(now + second), now).unwrap(),
            Some(now + second - MARGIN)
        );
    }

    #[test]
    fn what_has_no_time_left_is_certainly_not_sent() {
        let now = Instant::now();
        for left in [Duration::ZERO, MARGIN] {
            let failure = ours(Some(now + left), now).unwrap_err();
            assert_eq!(failure.error.kind, UpstreamErrorKind::Timeout);
            assert!(failure.is_withheld && !failure.may_have_happened);
        }
    }
}
