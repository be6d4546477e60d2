//! What failures of the use cases, of the store and of a body are to a client of v2.

use std::time::Duration;

use axum::http::StatusCode;

use super::{About, Problem, SHOWN_MAX, Wrong};
use crate::{
    access::Denied,
    error::{Error, Violation},
    gateway::{UpstreamError, UpstreamErrorKind},
    store::StoreError,
    webhook::Refusal,
};

impl Problem {
    /// What a use case's failure is to a client of v2.
    pub(in crate::chat_v2) fn of(error: Error, about: About<'_>) -> Self {
        match error {
            Error::Invalid(violations) => Self::wrong(violations.iter().map(in_v2s_names).collect()),
            Error::Upstream(error) => Self::upstream(&error, about),
            Error::ChannelDenied(channel) => Self::plain(
                StatusCode::FORBIDDEN,
                format!(
                    "Channel {} may not be used by this customer.",
                    channel.chars().take(SHOWN_MAX).collect::<String>()
                ),
            ),
            Error::UnknownTenant(_) | Error::Denied(Denied::Tenant) => {
                Self::plain(StatusCode::FORBIDDEN, "The tenant does not belong to customer.")
            }
            Error::Denied(Denied::TooManyCalls { retry_after }) => Self::too_many(Some(retry_after)),
            Error::RequestIdReused { .. } => Self::one(
                "Idempotency-Key",
                "reused_key",
                "was used for another request: use a new one for each new request.",
            ),
            Error::RequestInFlight => Self {
                retry_after: Some(Duration::from_secs(1)),
                ..Self::conflict("A request with this Idempotency-Key is being processed.")
            },
            Error::StoreUnavailable | Error::Draining => Self::unavailable(Some(Duration::from_secs(1))),
            other => {
                tracing::error!(reason = other.reason(), "a request of Chat API v2 failed");
                Self::plain(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "Could not process this request due to an internal error.",
                )
            }
        }
    }

    fn upstream(error: &UpstreamError, about: About<'_>) -> Self {
        let failed = |status, text: &str| Self::plain(status, text);
        let it = match error.kind {
            UpstreamErrorKind::Invalid if error.violations.is_empty() => {
                let message = match error.message.as_str() {
                    "" => "The request is not valid.",
                    said => said,
                };
                Self::wrong(vec![Wrong::new("", "invalid_request", message)])
            }
            UpstreamErrorKind::Invalid => Self::wrong(error.violations.iter().map(in_v2s_names).collect()),
            UpstreamErrorKind::NotFound => Self::not_found(about),
            UpstreamErrorKind::Conflict => Self::conflict(match error.message.as_str() {
                "" => "The request is in conflict with another change.",
                said => said,
            }),
            UpstreamErrorKind::RateLimited | UpstreamErrorKind::Throttled => {
                Self::too_many(error.retry_after)
            }
            UpstreamErrorKind::Timeout => failed(
                StatusCode::GATEWAY_TIMEOUT,
                "Could not process this request in time. It may be repeated.",
            ),
            UpstreamErrorKind::Unavailable | UpstreamErrorKind::CircuitOpen => {
                Self::unavailable(error.retry_after)
            }
            UpstreamErrorKind::OutcomeUnknown => failed(
                StatusCode::INTERNAL_SERVER_ERROR,
                "Could not process this request: it may or may not have taken effect. Look before sending it again.",
            ),
            UpstreamErrorKind::Credentials | UpstreamErrorKind::Unexpected => {
                tracing::error!(reason = error.kind.reason(), "a request of Chat API v2 failed");
                failed(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "Could not process this request due to an internal error.",
                )
            }
        };
        Self {
            reference: error.reference_id.clone(),
            ..it
        }
    }
}

/// A violation under the names that v2 has for the Chat Gateway's fields.
pub(super) fn in_v2s_names(violation: &Violation) -> Wrong {
    let field = match violation.field.strip_prefix("user") {
        Some("") => "customer".to_owned(),
        Some(".userId") => "customer.customerId".to_owned(),
        Some(rest) if rest.starts_with(".additionalProperties") => "customer".to_owned(),
        Some(rest) if rest.starts_with('.') => format!("customer{rest}"),
        _ => violation.field.replace(".authorType", ".type"),
    };
    Wrong::new(field, "invalid_value", violation.problem.clone())
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        Self::of(Error::from(error), About::TENANT)
    }
}

/// A body that could not be read.
impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let (status, text) = match refusal {
            Refusal::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "The body is too large."),
            Refusal::BodyTimeout => (StatusCode::REQUEST_TIMEOUT, "The body did not come in time."),
            Refusal::Crowded => return Self::unavailable(Some(Duration::from_secs(1))),
            _ => (StatusCode::BAD_REQUEST, "The body broke off."),
        };
        Self::plain(status, text)
    }
}
