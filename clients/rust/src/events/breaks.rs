//! What a break is, and what is said of one.

use std::time::Duration;

use tonic::Code;

use crate::{
    Error, StatusError,
    status::Origin,
    v1::{AgentEventsRequest, GapPolicy},
};

/// Whether a stream is to fail where events are gone.
pub(super) fn fails_at_gaps(request: &AgentEventsRequest) -> bool {
    matches!(request.gap_policy(), GapPolicy::Fail | GapPolicy::Unspecified)
}

/// Whether another connection may do what failed so.
pub(super) fn passes(error: &Error) -> bool {
    error.status().is_some_and(|status| match status.code {
        Code::Unavailable => true,
        Code::ResourceExhausted => status.retry_after.is_some(),
        Code::Unknown | Code::Internal | Code::Cancelled | Code::DeadlineExceeded => {
            status.origin != Origin::Chatbridge
        }
        _ => false,
    })
}

/// What a server says after a gap that fails.
pub(super) fn gap() -> Error {
    let mut error = StatusError::new(
        Code::OutOfRange,
        "events after the start are gone",
        Origin::Chatbridge,
    );
    error.reason = "CURSOR_GAP".to_owned();
    error.into()
}

pub(super) fn silent(limit: Duration) -> Error {
    Error::unavailable(format!("nothing came for {limit:?}"))
}

pub(super) fn unexplained() -> Error {
    StatusError::new(
        Code::Unavailable,
        "the server closed the stream without saying why",
        Origin::Other,
    )
    .into()
}
