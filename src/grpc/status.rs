//! The one mapping of errors to gRPC: code, `ErrorInfo`, field violations and retry hint.

use std::collections::HashMap;

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, StatusExt};

use crate::{
    access::Denied,
    error::{Error, Violation},
    gateway::UpstreamErrorKind,
    grpc::check::ID_BYTES_MAX,
};

/// `ErrorInfo.domain` of every error of ours.
pub const DOMAIN: &str = "chatbridge";

/// The longest message of a status, in bytes. A status travels in headers, and a client that finds them too large reports
/// a broken connection instead of the error; the message is in them twice, and the details grow by a third.
const MESSAGE_MAX: usize = 1024;
/// How long all violations together may be, in bytes.
const VIOLATIONS_BYTES_MAX: usize = 1536;
const FIELD_MAX: usize = 128;
const PROBLEM_MAX: usize = 512;

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        let code = code(&error);
        let mut details = ErrorDetails::new();
        details.set_error_info(error.reason(), DOMAIN, metadata(&error));
        if let Some(after) = error.retry_after() {
            details.set_retry_info(Some(after));
        }
        let violations = violations(&error);
        if !violations.is_empty() {
            details.set_bad_request(violations);
        }
        Self::with_error_details(code, cut(&error.to_string(), MESSAGE_MAX), details)
    }
}

fn code(error: &Error) -> Code {
    match error {
        Error::Invalid(_) | Error::RequestIdReused { .. } | Error::CursorInvalid(_) => Code::InvalidArgument,
        Error::Denied(denied) => match denied {
            Denied::Missing | Denied::Malformed | Denied::Invalid | Denied::Expired => Code::Unauthenticated,
            Denied::NoGrant | Denied::Role { .. } | Denied::Tenant => Code::PermissionDenied,
            Denied::Unverifiable => Code::Unavailable,
            Denied::TooManyCalls { .. } => Code::ResourceExhausted,
        },
        Error::ChannelDenied(_) => Code::PermissionDenied,
        Error::UnknownTenant(_)
        | Error::UnknownSession(_)
        | Error::UnknownStream
        | Error::UnknownSubscription(_) => Code::NotFound,
        Error::RequestInFlight | Error::CursorSuperseded => Code::Aborted,
        Error::SubscriptionExists(_) => Code::AlreadyExists,
        Error::TooManySubscriptions | Error::TooManyMembers => Code::ResourceExhausted,
        Error::CursorGap => Code::OutOfRange,
        Error::ConversationWithAgent | Error::ConversationEnded | Error::KeyMissing(_) => {
            Code::FailedPrecondition
        }
        Error::WaitTimedOut => Code::DeadlineExceeded,
        Error::HandOverBroken { problem, .. } => code(problem),
        Error::CallerGone => Code::Cancelled,
        Error::StreamLimit { .. } => Code::ResourceExhausted,
        Error::StoreUnavailable | Error::FormatUnknown(_) | Error::Draining => Code::Unavailable,
        Error::StoreCorrupt => Code::Internal,
        Error::Upstream(error) => match error.kind {
            UpstreamErrorKind::Invalid => Code::InvalidArgument,
            UpstreamErrorKind::Credentials => Code::FailedPrecondition,
            UpstreamErrorKind::NotFound => Code::NotFound,
            UpstreamErrorKind::Conflict => Code::Aborted,
            UpstreamErrorKind::RateLimited | UpstreamErrorKind::Throttled => Code::ResourceExhausted,
            UpstreamErrorKind::Timeout => Code::DeadlineExceeded,
            UpstreamErrorKind::Unavailable | UpstreamErrorKind::CircuitOpen => Code::Unavailable,
            // Clients repeat UNAVAILABLE by themselves, and this must not be repeated.
            UpstreamErrorKind::OutcomeUnknown => Code::Unknown,
            UpstreamErrorKind::Unexpected => Code::Internal,
        },
    }
}

fn metadata(error: &Error) -> HashMap<String, String> {
    if let Error::HandOverBroken {
        conversation,
        problem,
    } = error
    {
        let mut of_problem = metadata(problem);
        // A longer one than any call of ours takes is of no use.
        of_problem.insert("conversation_id".to_owned(), cut(conversation, ID_BYTES_MAX));
        return of_problem;
    }
    let Error::Upstream(error) = error else {
        return HashMap::new();
    };
    let status = error.status.map(|s| ("http_status".to_owned(), s.to_string()));
    let reference = error
        .reference_id
        .clone()
        .map(|id| ("reference_id".to_owned(), id));
    status.into_iter().chain(reference).collect()
}

fn violations(error: &Error) -> Vec<FieldViolation> {
    let of = |violations: &[Violation]| {
        let mut room = VIOLATIONS_BYTES_MAX;
        let cut = violations
            .iter()
            .map(|v| FieldViolation::new(cut(&v.field, FIELD_MAX), cut(&v.problem, PROBLEM_MAX)));
        cut.take_while(|v| {
            let left = room.checked_sub(v.field.len() + v.description.len());
            room = left.unwrap_or(0);
            left.is_some()
        })
        .collect()
    };
    match error {
        Error::HandOverBroken { problem, .. } => self::violations(problem),
        Error::Invalid(violations) => of(violations),
        Error::Upstream(error) => of(&error.violations),
        Error::CursorInvalid(problem) => vec![FieldViolation::new("cursor", problem.to_string())],
        Error::RequestIdReused { field } => vec![FieldViolation::new(*field, error.to_string())],
        _ => Vec::new(),
    }
}

/// At most `max` bytes of a text, cut between characters.
fn cut(text: &str, max: usize) -> String {
    const MARK: &str = "…";
    if text.len() <= max {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(max - MARK.len());
    format!("{}{MARK}", &text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::UpstreamError;

    /// What clients take at the least: gRPC's own default for all headers of an answer.
    const HEADERS_MAX: usize = 8 * 1024;
    /// What the server adds: the HTTP status and the date.
    const OTHER_HEADERS: usize = 128;

    fn header_bytes(status: &Status) -> usize {
        let headers = status.clone().into_http::<()>().headers().clone();
        headers
            .iter()
            .map(|(name, value)| name.as_str().len() + value.len() + 32)
            .sum()
    }

    /// As much as there can be of everything, in letters that take the most room in a header.
    fn broken_hand_over() -> Error {
        Error::HandOverBroken {
            conversation: "\u{e9}".repeat(512),
            problem: Box::new(Error::Upstream(UpstreamError {
                status: Some(422),
                reference_id: Some("r".repeat(128)),
                retry_after: Some(std::time::Duration::from_millis(1_234)),
                violations: vec![Violation::new("f".repeat(20), "\u{e9}".repeat(20)); 32],
                ..UpstreamError::new(UpstreamErrorKind::Invalid, "\u{e9}".repeat(512))
            })),
        }
    }

    #[rstest::rstest]
    #[case::a_tenant_without_end(Error::UnknownTenant("\u{e9}".repeat(1 << 20)))]
    #[case::many_mistakes(Error::Invalid(vec![Violation::new("f".repeat(4096), "\u{e9}".repeat(4096)); 200]))]
    #[case::a_wordy_vendor(Error::Upstream(UpstreamError {
        violations: vec![Violation::new("f".repeat(128), "p".repeat(512)); 32],
        ..UpstreamError::new(UpstreamErrorKind::Invalid, "m".repeat(1024))
    }))]
    #[case::a_hand_over_that_broke(broken_hand_over())]
    fn every_error_fits_into_the_headers_of_an_answer(#[case] error: Error) {
        let reason = error.reason();
        let status = Status::from(error);
        assert!(
            header_bytes(&status) <= HEADERS_MAX - OTHER_HEADERS,
            "{} bytes",
            header_bytes(&status)
        );
        assert_eq!(
            status.get_details_error_info().map(|info| info.reason).as_deref(),
            Some(reason)
        );
    }
}
