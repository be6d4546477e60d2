//! The faults, and what each means for each kind of operation.

use tonic::Code;

use super::{ATTEMPTS, operations::Kind};
use crate::support::proxy::Fault;

/// One thing that goes wrong.
pub(super) struct Case {
    pub(super) name: String,
    pub(super) fault: Fault,
    class: Class,
}

/// What the caller hears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    Ok,
    Fails(Code, String),
}

/// What a case should lead to.
pub(super) struct Expectation {
    pub(super) outcome: Outcome,
    pub(super) requests: usize,
    pub(super) exists: u64,
}

/// How a fault is to be taken.
#[derive(Clone, Copy)]
enum Class {
    /// Refused, for good.
    Refused(Code, &'static str),
    /// Refused for now: nothing happened, whatever it was.
    RefusedForNow,
    /// It may have happened or not; here it did not.
    MayHaveHappened(Code, &'static str),
    /// It happened, and the answer is lost.
    AnswerLost(Code, &'static str, usize),
}

/// `errors` and `validations` in the shapes that the vendor uses.
const BODIES: [(&str, &str); 10] = [
    ("nothing", ""),
    ("a message", r#"{"message": "Internal error."}"#),
    (
        "a list of objects",
        r#"{"message": "Refused.", "errors": [{"code": "invalid_queue", "message": "Queue 112 is invalid."}]}"#,
    ),
    (
        "a list of texts",
        r#"{"message": "Refused.", "errors": ["<<name>>: May not be empty."], "validations": ["<<name>>: May not be empty."]}"#,
    ),
    (
        "one object",
        r#"{"message": "Refused.", "errors": {"code": "invalid_json_object", "message": "No."}, "referenceId": "98e9"}"#,
    ),
    (
        "validations",
        r#"{"message": "Refused.", "validations": [{"field": "webHookId", "value": "45", "code": "c", "message": "No."}]}"#,
    ),
    ("OAuth's", r#"{"ErrorCode": "invalid_request", "Error": "No."}"#),
    ("a JSON text", r#""Internal server error.""#),
    ("a page", "<html><body>502 Bad Gateway</body></html>"),
    ("half of one", r#"{"message": "Interna"#),
];

fn class_of(status: u16) -> Class {
    let unavailable = Class::MayHaveHappened(Code::Unavailable, "UPSTREAM_UNAVAILABLE");
    match status {
        400 | 413 | 415 | 422 => Class::Refused(Code::InvalidArgument, "UPSTREAM_INVALID"),
        401 | 403 => Class::Refused(Code::FailedPrecondition, "UPSTREAM_CREDENTIALS"),
        404 => Class::Refused(Code::NotFound, "UPSTREAM_NOT_FOUND"),
        408 => Class::MayHaveHappened(Code::DeadlineExceeded, "UPSTREAM_TIMEOUT"),
        409 => Class::Refused(Code::Aborted, "UPSTREAM_CONFLICT"),
        429 => Class::RefusedForNow,
        500.. => unavailable,
        _ => Class::Refused(Code::Internal, "UPSTREAM_UNEXPECTED"),
    }
}

/// All cases.
pub(super) fn cases() -> Vec<Case> {
    let answer = |name: String, status: u16, body: &str| Case {
        name,
        fault: Fault::Answer {
            status,
            headers: "",
            body: body.to_owned(),
        },
        class: class_of(status),
    };
    let statuses = (400..=504).chain([301, 302, 307, 308]);
    let mut all: Vec<Case> = statuses
        .map(|status| answer(format!("{status}"), status, r#"{"message": "No."}"#))
        .collect();
    for status in [400, 503] {
        all.extend(BODIES.map(|(shape, body)| answer(format!("{status} with {shape}"), status, body)));
    }
    let lost = |code, reason, requests| Class::AnswerLost(code, reason, requests);
    let unavailable = lost(Code::Unavailable, "UPSTREAM_UNAVAILABLE", ATTEMPTS);
    let late = lost(Code::DeadlineExceeded, "UPSTREAM_TIMEOUT", ATTEMPTS);
    let odd = lost(Code::Internal, "UPSTREAM_UNEXPECTED", 1);
    let named = [
        (
            "reset before the work",
            Fault::ResetBefore,
            Class::MayHaveHappened(Code::Unavailable, "UPSTREAM_UNAVAILABLE"),
        ),
        ("reset after the work", Fault::ResetAfter, unavailable),
        ("half an answer", Fault::HalfAnswer, unavailable),
        ("50 MB", Fault::Flood(50_000_000), odd),
        ("1 byte a second", Fault::Drip, late),
        ("an empty answer", Fault::Body(""), odd),
        ("an answer that is no JSON", Fault::Body("It worked!"), odd),
        ("an answer of another shape", Fault::Body("[1, 2]"), odd),
    ];
    all.extend(named.map(|(name, fault, class)| Case {
        name: name.to_owned(),
        fault,
        class,
    }));
    all
}

impl Case {
    pub(super) fn expected(&self, kind: Kind) -> Expectation {
        let fails = |code, reason: &str| Outcome::Fails(code, reason.to_owned());
        let unknown = fails(Code::Unknown, "UPSTREAM_OUTCOME_UNKNOWN");
        // An upload's body is a stream, which cannot be sent again.
        let attempts = if kind == Kind::Upload { 1 } else { ATTEMPTS };
        let (outcome, requests, exists) = match self.class {
            Class::Refused(code, reason) => (fails(code, reason), 1, 0),
            Class::RefusedForNow => (
                fails(Code::ResourceExhausted, "UPSTREAM_RATE_LIMITED"),
                attempts,
                0,
            ),
            Class::MayHaveHappened(code, reason) if kind.is_safe() => (fails(code, reason), attempts, 0),
            Class::MayHaveHappened(..) => (unknown, 1, 0),
            // The answer holds nothing that is needed, so that its status is all there is to lose.
            Class::AnswerLost(..) if kind.needs_no_answer() && !matches!(self.fault, Fault::ResetAfter) => {
                (Outcome::Ok, 1, 1)
            }
            Class::AnswerLost(code, reason, requests) if kind.is_safe() => (fails(code, reason), requests, 1),
            Class::AnswerLost(..) => (unknown, 1, 1),
        };
        Expectation {
            outcome,
            requests,
            exists: if kind.makes_something() { exists } else { 0 },
        }
    }
}
