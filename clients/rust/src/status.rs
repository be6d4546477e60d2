//! What a server or the connection to it said.

use std::{collections::BTreeMap, error::Error as StdError, fmt, time::Duration};

use prost::Message;
use prost_types::Any;
use tonic::{Code, Status};
use tonic_types::pb::{BadRequest, ErrorInfo, RetryInfo};

use crate::call::Idempotency;

const DOMAIN: &str = "chatbridge";

/// What is wrong with one field of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldViolation {
    /// Path of the field in the request, such as `user.additional_properties[3].key`.
    pub field: String,
    /// What is wrong and what is expected.
    pub description: String,
}

/// A call or a stream failed: what the server said, or what became of the connection.
#[derive(Clone, Debug)]
pub struct StatusError {
    /// The gRPC status code.
    pub code: Code,
    /// A sentence that says what happened.
    pub message: String,
    /// The stable word for it, such as `UPSTREAM_RATE_LIMITED`; empty: there is none.
    pub reason: String,
    /// Further facts that the server gave.
    pub metadata: BTreeMap<String, String>,
    /// The fields that are wrong, where the code is INVALID_ARGUMENT.
    pub field_violations: Vec<FieldViolation>,
    /// How long to wait before a repeat; `None`: not said.
    pub retry_after: Option<Duration>,
    /// Whether it may have happened all the same: look before sending it again.
    pub outcome_unknown: bool,
    pub(crate) origin: Origin,
}

/// Where an error comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// From Chatbridge: there is an `ErrorInfo` of its domain.
    Chatbridge,
    /// From something else that answered, or from a limit of this client.
    Other,
    /// The connection broke. What was sent may have arrived.
    Broken,
    /// There was no connection, so nothing was sent.
    Unsent,
}

impl StatusError {
    pub(crate) fn new(code: Code, message: impl Into<String>, origin: Origin) -> Self {
        Self {
            code,
            message: message.into(),
            reason: String::new(),
            metadata: BTreeMap::new(),
            field_violations: Vec::new(),
            retry_after: None,
            outcome_unknown: false,
            origin,
        }
    }

    /// What a status and its details say, of a call that has these side effects.
    pub(crate) fn read(status: &Status, idempotency: Idempotency) -> Self {
        let (code, origin) = classify(status);
        let message = match status.message() {
            "" => "the server gave no description",
            said => said,
        };
        let mut error = Self::new(code, message, origin);
        // Details that cannot be read are left out: the code still counts.
        for detail in tonic_types::Status::decode(status.details())
            .unwrap_or_default()
            .details
        {
            error.note(&detail);
        }
        error.outcome_unknown = if error.origin == Origin::Chatbridge {
            error.reason == "UPSTREAM_OUTCOME_UNKNOWN"
        } else {
            code == Code::DeadlineExceeded && idempotency != Idempotency::NoSideEffects
        };
        error
    }

    /// That a call's time was over.
    pub(crate) fn deadline(limit: Duration, idempotency: Idempotency) -> Self {
        let status = Status::deadline_exceeded(format!("there was no answer within {limit:?}"));
        Self::read(&status, idempotency)
    }

    /// What the vendor's support asks for; empty: the vendor gave none.
    pub fn reference_id(&self) -> &str {
        self.metadata.get("reference_id").map_or("", String::as_str)
    }

    fn note(&mut self, detail: &Any) {
        match detail.type_url.rsplit('/').next() {
            Some("google.rpc.ErrorInfo") => {
                if let Ok(info) = ErrorInfo::decode(&*detail.value) {
                    if info.domain == DOMAIN {
                        self.origin = Origin::Chatbridge;
                    }
                    self.reason = info.reason;
                    self.metadata = info.metadata.into_iter().collect();
                }
            }
            Some("google.rpc.BadRequest") => {
                let request = BadRequest::decode(&*detail.value).unwrap_or_default();
                self.field_violations
                    .extend(
                        request
                            .field_violations
                            .into_iter()
                            .map(|violation| FieldViolation {
                                field: violation.field,
                                description: violation.description,
                            }),
                    );
            }
            Some("google.rpc.RetryInfo") => {
                let info = RetryInfo::decode(&*detail.value).unwrap_or_default();
                self.retry_after = info.retry_delay.map(duration);
            }
            _ => {}
        }
    }
}

/// A duration of the contract's; a negative one is none.
pub(crate) fn duration(told: prost_types::Duration) -> Duration {
    told.try_into().unwrap_or_default()
}

/// The code that gRPC has for what happened, where tonic's depends on how the connection broke.
fn classify(status: &Status) -> (Code, Origin) {
    let Some(source) = status.source() else {
        return (status.code(), Origin::Other);
    };
    for cause in chain(source) {
        if cause.is::<tonic::ConnectError>() {
            return (Code::Unavailable, Origin::Unsent);
        }
        if cause.is::<tonic::TimeoutExpired>() {
            return (Code::DeadlineExceeded, Origin::Other);
        }
        if let Some(reset) = cause
            .downcast_ref::<h2::Error>()
            .filter(|error| error.is_reset() && error.is_remote())
        {
            return (of_reset(reset.reason()), Origin::Other);
        }
    }
    (Code::Unavailable, Origin::Broken)
}

fn chain<'a>(first: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    let mut next = Some(first);
    std::iter::from_fn(move || {
        let error = next?;
        next = error.source();
        Some(error)
    })
}

/// What gRPC makes of a stream that the other side reset.
fn of_reset(reason: Option<h2::Reason>) -> Code {
    match reason {
        Some(h2::Reason::REFUSED_STREAM) => Code::Unavailable,
        Some(h2::Reason::CANCEL) => Code::Cancelled,
        Some(h2::Reason::ENHANCE_YOUR_CALM) => Code::ResourceExhausted,
        Some(h2::Reason::INADEQUATE_SECURITY) => Code::PermissionDenied,
        _ => Code::Internal,
    }
}

/// Code, reason, sentence and reference on one line.
impl fmt::Display for StatusError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(name(self.code))?;
        if !self.reason.is_empty() {
            write!(f, " ({})", self.reason)?;
        }
        write!(f, ": {}", self.message.replace(['\r', '\n'], " "))?;
        match self.reference_id() {
            "" => Ok(()),
            reference => write!(f, " [reference {reference}]"),
        }
    }
}

impl StdError for StatusError {}

/// The name of a code as gRPC writes it.
pub(crate) fn name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}
