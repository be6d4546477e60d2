//! A call that did not succeed, with what the layers must know of it beside the error.

use std::time::Duration;

use super::{UpstreamError, UpstreamErrorKind, operation::Operation, outcome::Outcome};

/// What an exchange says of the vendor's health.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    /// It works, even where it refuses.
    Well,
    /// It fails or is out of reach.
    Ill,
    /// Nothing: the caller gave it too little time, or broke off.
    Nothing,
}

/// Why a call did not succeed.
#[derive(Debug)]
pub(super) struct Failure {
    /// What the caller hears.
    pub(super) error: UpstreamError,
    /// What it says of the vendor.
    pub(super) sign: Sign,
    /// Whether the operation may have taken effect.
    pub(super) may_have_happened: bool,
    /// Whether it was turned away here: no request was made.
    pub(super) is_withheld: bool,
}

impl Failure {
    /// A request ended with `outcome`; `status` is there if an answer began.
    pub(super) fn of(operation: &Operation, outcome: Outcome, status: Option<u16>, problem: String) -> Self {
        let kind = super::outcome::classify(outcome, operation.repeat);
        Self::with(
            outcome,
            UpstreamError {
                status,
                ..UpstreamError::new(kind, problem)
            },
        )
    }

    /// A request ended with `outcome`, which is told as `error`.
    pub(super) fn with(outcome: Outcome, error: UpstreamError) -> Self {
        Self {
            error,
            sign: outcome.sign(),
            may_have_happened: outcome.may_have_happened(),
            is_withheld: false,
        }
    }

    /// No request was made.
    pub(super) fn withheld(kind: UpstreamErrorKind, problem: &str, retry_after: Option<Duration>) -> Self {
        Self {
            error: UpstreamError {
                retry_after,
                ..UpstreamError::new(kind, problem)
            },
            sign: Sign::Nothing,
            may_have_happened: false,
            is_withheld: true,
        }
    }

    /// The same where it says nothing of the vendor.
    pub(super) fn without_sign(self) -> Self {
        Self {
            sign: Sign::Nothing,
            ..self
        }
    }
}
