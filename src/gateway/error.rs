//! How the vendor's failures are told apart.

use std::{fmt, time::Duration};

use crate::error::Violation;

/// The vendor refused, failed or did not answer; or the request was refused here before it was sent.
///
/// `Display` is a sentence for the caller and holds `message`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpstreamError {
    /// What happened.
    pub kind: UpstreamErrorKind,
    /// The HTTP status, where there was an answer. `None` with [`UpstreamErrorKind::Invalid`]: nothing was sent.
    pub status: Option<u16>,
    /// The vendor's own words, or why there are none; at most 1 KiB, without control characters. It may be empty, and may
    /// repeat what the caller sent: never to be logged.
    pub message: String,
    /// What vendor support asks for; at most 128 bytes.
    pub reference_id: Option<String>,
    /// How long to wait: as the vendor asks, at most an hour, with [`UpstreamErrorKind::RateLimited`] and
    /// [`UpstreamErrorKind::Unavailable`]; as we know, with [`UpstreamErrorKind::Throttled`] and
    /// [`UpstreamErrorKind::CircuitOpen`].
    pub retry_after: Option<Duration>,
    /// Fields that the vendor named, in the vendor's names; at most 32.
    pub violations: Vec<Violation>,
}

impl std::error::Error for UpstreamError {}

impl fmt::Display for UpstreamError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sentence = match (self.kind, self.status) {
            (UpstreamErrorKind::Invalid, None) => "the request cannot be sent to 8x8",
            (kind, _) => kind.sentence(),
        };
        f.write_str(sentence)?;
        if !self.message.is_empty() {
            write!(f, " ({})", self.message)?;
        }
        Ok(())
    }
}

impl UpstreamError {
    /// An error of which nothing more is known.
    pub fn new(kind: UpstreamErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            status: None,
            message: message.into(),
            reference_id: None,
            retry_after: None,
            violations: Vec::new(),
        }
    }
}

/// What happened upstream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UpstreamErrorKind {
    /// 400, 413, 415, 422: the vendor finds the request wrong; or it cannot be sent at all (no status).
    Invalid,
    /// 401, 403: the vendor refuses our key or tenant.
    Credentials,
    /// 404.
    NotFound,
    /// 409.
    Conflict,
    /// 429.
    RateLimited,
    /// 408, or our own time limit, on what is safe to repeat.
    Timeout,
    /// Fails (5xx) or cannot be reached, for an operation that may be repeated; or the request provably never left.
    Unavailable,
    /// It may have happened: the answer to something that is not safe to repeat was lost or says nothing about it.
    OutcomeUnknown,
    /// Our own limits for the tenant are used up: nothing was sent.
    Throttled,
    /// The vendor has been failing, and is left alone for a while: nothing was sent.
    CircuitOpen,
    /// Redirects, 405, other statuses; on what is safe to repeat, a success that is not what the vendor documents.
    Unexpected,
}

impl UpstreamErrorKind {
    /// All kinds.
    pub const ALL: [Self; 11] = [
        Self::Invalid,
        Self::Credentials,
        Self::NotFound,
        Self::Conflict,
        Self::RateLimited,
        Self::Timeout,
        Self::Unavailable,
        Self::OutcomeUnknown,
        Self::Throttled,
        Self::CircuitOpen,
        Self::Unexpected,
    ];

    /// The stable reason that callers may rely on.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Invalid => "UPSTREAM_INVALID",
            Self::Credentials => "UPSTREAM_CREDENTIALS",
            Self::NotFound => "UPSTREAM_NOT_FOUND",
            Self::Conflict => "UPSTREAM_CONFLICT",
            Self::RateLimited => "UPSTREAM_RATE_LIMITED",
            Self::Timeout => "UPSTREAM_TIMEOUT",
            Self::Unavailable => "UPSTREAM_UNAVAILABLE",
            Self::OutcomeUnknown => "UPSTREAM_OUTCOME_UNKNOWN",
            Self::Throttled => "UPSTREAM_THROTTLED",
            Self::CircuitOpen => "UPSTREAM_CIRCUIT_OPEN",
            Self::Unexpected => "UPSTREAM_UNEXPECTED",
        }
    }

    /// The word in metrics and logs.
    pub fn label(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::Credentials => "credentials",
            Self::NotFound => "not_found",
            Self::Conflict => "conflict",
            Self::RateLimited => "rate_limited",
            Self::Timeout => "timeout",
            Self::Unavailable => "unavailable",
            Self::OutcomeUnknown => "outcome_unknown",
            Self::Throttled => "throttled",
            Self::CircuitOpen => "circuit_open",
            Self::Unexpected => "unexpected",
        }
    }

    /// Whether the operation provably did not happen, or may at least be repeated without doing anything twice.
    pub fn is_certain(self) -> bool {
        !matches!(self, Self::OutcomeUnknown)
    }

    fn sentence(self) -> &'static str {
        match self {
            Self::Invalid => "8x8 finds the request wrong",
            Self::Credentials => {
                "8x8 refuses the API key or the tenant: check CHATBRIDGE_API_KEY and CHATBRIDGE_TENANT"
            }
            Self::NotFound => "8x8 knows no such thing",
            Self::Conflict => "8x8 saw a conflict with another change: read again, then repeat",
            Self::RateLimited => "8x8 limits the rate of calls: wait before repeating",
            Self::Timeout => "8x8 did not answer in time: the call may safely be repeated",
            Self::Unavailable => "8x8 cannot be reached or fails: the call may safely be repeated",
            Self::OutcomeUnknown => {
                "8x8's answer was lost, so it may or may not have happened: look before sending it again"
            }
            Self::Throttled => {
                "Chatbridge's own limits for calls to 8x8 are used up; nothing was sent: wait before repeating"
            }
            Self::CircuitOpen => {
                "8x8 has been failing and is left alone for a while; nothing was sent: wait before repeating"
            }
            Self::Unexpected => "8x8 answered in a way that it does not document",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sentence_says_who_refused() {
        let mut error = UpstreamError::new(UpstreamErrorKind::Invalid, "an identifier is empty");
        assert_eq!(
            error.to_string(),
            "the request cannot be sent to 8x8 (an identifier is empty)"
        );
        error.status = Some(400);
        error.message.clear();
        assert_eq!(error.to_string(), "8x8 finds the request wrong");
    }
}
