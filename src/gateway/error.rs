//! How the vendor's failures are told apart.

use std::time::Duration;

use crate::error::Violation;

/// The vendor refused, failed or did not answer.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{}{}", .kind.sentence(), detail(.message))]
pub struct UpstreamError {
    /// What happened.
    pub kind: UpstreamErrorKind,
    /// The HTTP status, where there was an answer.
    pub status: Option<u16>,
    /// The vendor's own words; may be empty, and may repeat what the caller sent: never to be logged.
    pub message: String,
    /// What vendor support asks for.
    pub reference_id: Option<String>,
    /// How long the vendor asks to wait.
    pub retry_after: Option<Duration>,
    /// Fields that the vendor named, in the vendor's names.
    pub violations: Vec<Violation>,
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
    /// 400, 413, 415, 422: the vendor finds the request wrong.
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
    /// 5xx or unreachable, on what is safe to repeat; or the request provably never left.
    Unavailable,
    /// It may have happened: the answer to something that is not safe to repeat was lost or says nothing about it.
    OutcomeUnknown,
    /// Redirects, 405, an answer that is not what the vendor documents.
    Unexpected,
}

impl UpstreamErrorKind {
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
            Self::Unexpected => "UPSTREAM_UNEXPECTED",
        }
    }

    /// Whether the operation provably did not happen.
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
            Self::Timeout => "8x8 did not answer in time",
            Self::Unavailable => "8x8 cannot be reached or fails; nothing happened: repeat the call",
            Self::OutcomeUnknown => {
                "8x8's answer was lost, so it may or may not have happened: look before sending it again"
            }
            Self::Unexpected => "8x8 answered in a way that it does not document",
        }
    }
}

fn detail(message: &str) -> String {
    if message.is_empty() {
        String::new()
    } else {
        format!(" ({message})")
    }
}
