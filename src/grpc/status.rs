//! The one mapping of errors to gRPC: code, `ErrorInfo`, field violations and retry hint.

use std::collections::HashMap;

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, StatusExt};

use crate::{
    error::{Error, Violation},
    gateway::UpstreamErrorKind,
};

/// `ErrorInfo.domain` of every error of ours.
pub const DOMAIN: &str = "chatbridge";

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
        Self::with_error_details(code, error.to_string(), details)
    }
}

fn code(error: &Error) -> Code {
    match error {
        Error::Invalid(_) | Error::RequestIdReused | Error::CursorInvalid(_) => Code::InvalidArgument,
        Error::UnknownTenant(_) | Error::UnknownSession(_) => Code::NotFound,
        Error::RequestInFlight => Code::Aborted,
        Error::CursorGap => Code::OutOfRange,
        Error::StoreUnavailable | Error::Draining => Code::Unavailable,
        Error::StoreLost => Code::Unknown,
        Error::StoreCorrupt => Code::Internal,
        Error::Upstream(error) => match error.kind {
            UpstreamErrorKind::Invalid => Code::InvalidArgument,
            UpstreamErrorKind::Credentials => Code::FailedPrecondition,
            UpstreamErrorKind::NotFound => Code::NotFound,
            UpstreamErrorKind::Conflict => Code::Aborted,
            UpstreamErrorKind::RateLimited => Code::ResourceExhausted,
            UpstreamErrorKind::Timeout => Code::DeadlineExceeded,
            UpstreamErrorKind::Unavailable => Code::Unavailable,
            // Clients repeat UNAVAILABLE by themselves, and this must not be repeated.
            UpstreamErrorKind::OutcomeUnknown => Code::Unknown,
            UpstreamErrorKind::Unexpected => Code::Internal,
        },
    }
}

fn metadata(error: &Error) -> HashMap<String, String> {
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
        violations
            .iter()
            .map(|v| FieldViolation::new(&v.field, &v.problem))
            .collect()
    };
    match error {
        Error::Invalid(violations) => of(violations),
        Error::Upstream(error) => of(&error.violations),
        Error::CursorInvalid(problem) => vec![FieldViolation::new("cursor", problem.to_string())],
        Error::RequestIdReused => vec![FieldViolation::new("request_id", error.to_string())],
        _ => Vec::new(),
    }
}
