//! The outermost layer: the caller's deadline, which bounds all that follows.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;
use tower::ServiceExt;

use super::around::{Around, Inner};
use crate::gateway::{UpstreamErrorKind, call::Call, exchange::Answer, failure::Failure, record};

/// How much of the caller's time is kept back, so that our error, which says what happened, comes before the plain one of
/// whoever enforces the deadline: a fiftieth, within these bounds.
const MARGIN_SHARE: u32 = 50;
const MARGIN_MIN: Duration = Duration::from_millis(10);
const MARGIN_MAX: Duration = Duration::from_millis(100);

/// Refuses what has no time left, and counts what the layers below turn away.
pub(super) struct Deadline;

impl Around for Deadline {
    async fn around<S: Inner>(&self, mut call: Call, inner: S) -> Result<Answer, Failure> {
        let (operation, about) = (call.operation.name, Arc::clone(&call.about));
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
            record::withheld(operation, &about, &failure.error);
        }
        result
    }
}

/// By when we must be done.
fn ours(callers: Option<Instant>, now: Instant) -> Result<Option<Instant>, Failure> {
    let Some(deadline) = callers else {
        return Ok(None);
    };
    let left = deadline.saturating_duration_since(now);
    let margin = (left / MARGIN_SHARE).clamp(MARGIN_MIN, MARGIN_MAX);
    if left <= margin {
        return Err(no_time_left());
    }
    Ok(Some(now + (left - margin)))
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
        let millis = Duration::from_millis;
        assert_eq!(ours(None, now).unwrap(), None);
        for (left, ours_left) in [(11, 1), (100, 90), (1000, 980), (5000, 4900), (60_000, 59_900)] {
            let ours = ours(Some(now + millis(left)), now).unwrap();
            assert_eq!(ours, Some(now + millis(ours_left)), "{left}");
        }
    }

    #[test]
    fn what_has_no_time_left_is_certainly_not_sent() {
        let now = Instant::now();
        let earlier = now.checked_sub(MARGIN_MIN).unwrap();
        for deadline in [earlier, now, now + MARGIN_MIN] {
            let failure = ours(Some(deadline), now).unwrap_err();
            assert_eq!(failure.error.kind, UpstreamErrorKind::Timeout);
            assert!(failure.is_withheld && !failure.may_have_happened);
        }
    }
}
