//! Why a call failed: one enum, with a stable reason for each case. `grpc::status` maps it to gRPC in one place.

use std::time::Duration;

use crate::{
    access::Denied,
    gateway::UpstreamError,
    store::{
        StoreError,
        cursor::CursorError,
        entry::Unreadable,
        subscription::{MEMBERS_MAX, SUBSCRIPTIONS_MAX},
    },
};

/// The most mistakes that one error names. A request of 4 MiB can hold millions of them, each of which would take more
/// memory than it cost to send.
pub const VIOLATIONS_MAX: usize = 16;

/// What is wrong with one field of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Path of the field in the request, as in the contract: `user.additional_properties[3].key`.
    pub field: String,
    /// What is wrong and what is expected, as a sentence.
    pub problem: String,
}

impl Violation {
    /// A violation.
    pub fn new(field: impl Into<String>, problem: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            problem: problem.into(),
        }
    }
}

/// Why a call failed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// Fields of the request are wrong.
    #[error("the request is invalid: {}", list(.0))]
    Invalid(Vec<Violation>),
    /// The caller may not.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The tenant's conversations may not be on this channel.
    #[error("channel {0:?} is not among those that this tenant may use: name another, or ask the operator")]
    ChannelDenied(String),
    /// No such tenant is configured.
    #[error("tenant {0:?} is not configured here: name one that is, or leave it empty")]
    UnknownTenant(String),
    /// Chatbridge knows no such conversation.
    #[error(
        "no session is known for conversation {0:?}: check the identifier, or ask 8x8 with GetConversation"
    )]
    UnknownSession(String),
    /// The `request_id` was used for another request.
    #[error("this request_id was used for a different request: use a new UUID for each new request")]
    RequestIdReused {
        /// Path of the `request_id` in the request.
        field: &'static str,
    },
    /// The same call is running.
    #[error("a call with this request_id is still running: repeat it later to get its answer")]
    RequestInFlight,
    /// A cursor that is not ours.
    #[error("the cursor is invalid: {0}: send it back as it was received, or start without one")]
    CursorInvalid(#[from] CursorError),
    /// Events behind the cursor are gone, and the caller asked to fail then.
    #[error(
        "events after the start of this stream are gone: start at a later cursor, or choose a gap_policy that goes on"
    )]
    CursorGap,
    /// There is no such subscription.
    #[error("the tenant has no subscription {0:?}: create it, or check the name")]
    UnknownSubscription(String),
    /// There is one of this name with another definition.
    #[error("subscription {0:?} exists with another definition: delete it first, or choose another name")]
    SubscriptionExists(String),
    /// The tenant has as many subscriptions as it may.
    #[error("the tenant has {SUBSCRIPTIONS_MAX} subscriptions, which is the most: delete one")]
    TooManySubscriptions,
    /// The subscription has as many members as it may.
    #[error("the subscription has {MEMBERS_MAX} members, which is the most: end another stream of it first")]
    TooManyMembers,
    /// Somebody else has what the cursor belongs to.
    #[error(
        "another stream has taken over what this cursor belongs to, and gets these events again: go on with the next response"
    )]
    CursorSuperseded,
    /// An agent has the conversation, so it cannot be routed any more.
    #[error("an agent has this conversation already: ask the agent to transfer it")]
    ConversationWithAgent,
    /// The conversation is idle, so there is nothing to route.
    #[error("this conversation has ended: a new message reopens it")]
    ConversationEnded,
    /// Another caller's creation of the same conversation did not end in time.
    #[error("another caller is still creating this conversation: repeat the call")]
    WaitTimedOut,
    /// A hand-over failed after its conversation had been created.
    #[error("conversation {conversation:?} exists, but its files were not all handed over: {problem}")]
    HandOverBroken {
        /// The conversation.
        conversation: String,
        /// What went wrong then.
        problem: Box<Error>,
    },
    /// The caller's stream broke before it was complete, or nothing came on it for too long.
    #[error("the stream of the call broke off or stood still before it was complete: repeat the call")]
    CallerGone,
    /// The store is down.
    #[error("the session store is unavailable; nothing was sent: repeat the call")]
    StoreUnavailable,
    /// The store holds something that cannot be read.
    #[error("the session store holds something that this version cannot read")]
    StoreCorrupt,
    /// What the store holds is encrypted, and its key is not to be had; with the reason, which names no more than keys.
    #[error("{0}: nothing is lost, and it can be read once the key is there")]
    KeyMissing(String),
    /// What the store holds was written by another version; with the reason.
    #[error("{0}; nothing is lost: connect again")]
    FormatUnknown(String),
    /// No stream has this name, or it may not be changed.
    #[error(
        "there is no stream of this name that may be changed: it has ended, or was not opened as changeable"
    )]
    UnknownStream,
    /// There are as many streams, or conversations on one, as there may be.
    #[error("{problem}")]
    StreamLimit {
        /// Of what there are too many, and what to do.
        problem: &'static str,
        /// When trying again may help.
        retry_after: Option<Duration>,
    },
    /// The service is stopping.
    #[error("the service is stopping: connect again")]
    Draining,
    /// The vendor refused, failed or did not answer.
    #[error("{0}")]
    Upstream(#[from] UpstreamError),
}

impl Error {
    /// Of a `request_id` where most requests have it; `grpc::fields` knows which have it elsewhere.
    pub const REQUEST_ID_REUSED: Self = Self::RequestIdReused { field: "request_id" };

    /// One wrong field.
    pub fn invalid(field: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Invalid(vec![Violation::new(field, problem)])
    }

    /// The stable reason that callers may rely on.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "INVALID_FIELD",
            Self::Denied(denied) => denied.reason(),
            Self::ChannelDenied(_) => "CHANNEL_DENIED",
            Self::UnknownTenant(_) => "TENANT_UNKNOWN",
            Self::UnknownSession(_) => "SESSION_UNKNOWN",
            Self::RequestIdReused { .. } => "REQUEST_ID_REUSED",
            Self::RequestInFlight => "REQUEST_IN_FLIGHT",
            Self::CursorInvalid(_) => "CURSOR_INVALID",
            Self::CursorGap => "CURSOR_GAP",
            Self::UnknownSubscription(_) => "SUBSCRIPTION_UNKNOWN",
            Self::SubscriptionExists(_) => "SUBSCRIPTION_EXISTS",
            Self::TooManySubscriptions | Self::TooManyMembers => "SUBSCRIPTION_LIMIT",
            Self::CursorSuperseded => "CURSOR_SUPERSEDED",
            Self::ConversationWithAgent => "CONVERSATION_WITH_AGENT",
            Self::ConversationEnded => "CONVERSATION_ENDED",
            Self::WaitTimedOut => "WAIT_TIMED_OUT",
            Self::HandOverBroken { problem, .. } => problem.reason(),
            Self::CallerGone => "CALLER_GONE",
            Self::StoreUnavailable => "STORE_UNAVAILABLE",
            Self::StoreCorrupt => "STORE_CORRUPT",
            Self::KeyMissing(_) => "KEY_MISSING",
            Self::FormatUnknown(_) => "FORMAT_UNKNOWN",
            Self::UnknownStream => "STREAM_UNKNOWN",
            Self::StreamLimit { .. } => "STREAM_LIMIT",
            Self::Draining => "DRAINING",
            Self::Upstream(error) => error.kind.reason(),
        }
    }

    /// How long to wait before a repeat, where somebody said.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Upstream(error) => error.retry_after,
            Self::HandOverBroken { problem, .. } => problem.retry_after(),
            Self::StreamLimit { retry_after, .. } => *retry_after,
            Self::Denied(Denied::TooManyCalls { retry_after }) => Some(*retry_after),
            Self::Denied(Denied::Unverifiable) | Self::FormatUnknown(_) => Some(Duration::from_secs(2)),
            Self::StoreUnavailable | Self::RequestInFlight | Self::Draining => Some(Duration::from_secs(1)),
            _ => None,
        }
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) => Self::StoreUnavailable,
            StoreError::Corrupt(_) | StoreError::Mismatch(_) => Self::StoreCorrupt,
            StoreError::Sealed(why) => Self::KeyMissing(why),
        }
    }
}

impl From<&Unreadable> for Error {
    fn from(unreadable: &Unreadable) -> Self {
        match unreadable {
            Unreadable::KeyMissing(why) => Self::KeyMissing(why.to_string()),
            Unreadable::UnknownFormat(why) => Self::FormatUnknown(why.to_string()),
        }
    }
}

fn list(violations: &[Violation]) -> String {
    let each: Vec<String> = violations
        .iter()
        .map(|v| format!("{}: {}", v.field, v.problem))
        .collect();
    each.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::UpstreamErrorKind;

    #[test]
    fn the_documentation_lists_every_reason_with_its_code() {
        let page = include_str!("../docs/errors.md");
        let upstream = UpstreamErrorKind::ALL.map(|kind| Error::Upstream(UpstreamError::new(kind, "")));
        let own = [
            Error::Invalid(vec![]),
            Error::Denied(Denied::Missing),
            Error::Denied(Denied::Malformed),
            Error::Denied(Denied::Invalid),
            Error::Denied(Denied::Expired),
            Error::Denied(Denied::Unverifiable),
            Error::Denied(Denied::NoGrant),
            Error::Denied(Denied::Role {
                needed: crate::access::Role::Admin,
                has: crate::access::Role::Reader,
            }),
            Error::Denied(Denied::Tenant),
            Error::Denied(Denied::TooManyCalls {
                retry_after: Duration::ZERO,
            }),
            Error::ChannelDenied(String::new()),
            Error::UnknownTenant(String::new()),
            Error::UnknownSession(String::new()),
            Error::REQUEST_ID_REUSED,
            Error::RequestInFlight,
            Error::CursorInvalid(crate::store::Cursor::decode(b"").unwrap_err()),
            Error::CursorGap,
            Error::UnknownSubscription(String::new()),
            Error::SubscriptionExists(String::new()),
            Error::TooManySubscriptions,
            Error::TooManyMembers,
            Error::CursorSuperseded,
            Error::ConversationWithAgent,
            Error::ConversationEnded,
            Error::WaitTimedOut,
            Error::CallerGone,
            Error::StoreUnavailable,
            Error::StoreCorrupt,
            Error::KeyMissing(String::new()),
            Error::FormatUnknown(String::new()),
            Error::Draining,
        ];
        for error in own.into_iter().chain(upstream) {
            let reason = error.reason();
            let code = tonic::Status::from(error).code();
            let name: String = format!("{code:?}")
                .char_indices()
                .flat_map(|(i, c)| {
                    (i > 0 && c.is_uppercase())
                        .then_some('_')
                        .into_iter()
                        .chain(c.to_uppercase())
                })
                .collect();
            let row = format!("| `{reason}` | {name} |");
            assert!(
                page.contains(&row),
                "docs/errors.md lacks a row that begins: {row}"
            );
        }
    }
}
