//! What became of a request, and what that means for whoever asked.

use super::{UpstreamErrorKind, failure::Sign};

/// Whether an operation may be sent again without doing anything twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Repeat {
    /// Reads, and writes that set absolute values.
    Safe,
    /// Everything that has an effect each time: creating, sending, assigning.
    Unsafe,
}

/// What became of a request that did not succeed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It could not even be put together.
    NotBuilt,
    /// No connection: not a byte of it left.
    NeverSent,
    /// The connection broke before the answer was complete.
    Lost,
    /// The answer was not complete within our own time limit.
    TimedOut,
    /// The connection broke while the body was still being sent: nothing can have come of half a body.
    CutShort,
    /// Time ran out while the body was still being sent.
    Stalled,
    /// An answer with a status that is not a success.
    Status(u16),
    /// A success whose body is not what the vendor documents, or is too large.
    Undecodable,
}

impl Outcome {
    /// What it says of the vendor's health: failures of its own and of the way to it count, refusals do not.
    pub(super) fn sign(self) -> Sign {
        match self {
            Self::NotBuilt => Sign::Nothing,
            Self::NeverSent | Self::Lost | Self::TimedOut | Self::CutShort | Self::Stalled => Sign::Ill,
            Self::Status(500..) => Sign::Ill,
            Self::Status(_) | Self::Undecodable => Sign::Well,
        }
    }

    /// Whether the operation may have taken effect all the same.
    pub(super) fn may_have_happened(self) -> bool {
        match self {
            Self::NotBuilt | Self::NeverSent | Self::CutShort | Self::Stalled => false,
            Self::Lost | Self::TimedOut | Self::Undecodable => true,
            Self::Status(status) => matches!(status, 303 | 408 | 500..),
        }
    }
}

/// Tells the caller's cases apart.
///
/// What may have happened and is not safe to repeat is always [`UpstreamErrorKind::OutcomeUnknown`]: callers repeat
/// unavailability and time-outs by themselves.
pub(super) fn classify(outcome: Outcome, repeat: Repeat) -> UpstreamErrorKind {
    use UpstreamErrorKind as Kind;
    let unless_unsafe = |kind| match repeat {
        Repeat::Safe => kind,
        Repeat::Unsafe => Kind::OutcomeUnknown,
    };
    match outcome {
        Outcome::NotBuilt => Kind::Unexpected,
        Outcome::NeverSent | Outcome::CutShort => Kind::Unavailable,
        Outcome::Stalled => Kind::Timeout,
        Outcome::Lost => unless_unsafe(Kind::Unavailable),
        Outcome::TimedOut => unless_unsafe(Kind::Timeout),
        Outcome::Undecodable => unless_unsafe(Kind::Unexpected),
        Outcome::Status(status) => match status {
            400 | 413 | 415 | 422 => Kind::Invalid,
            401 | 403 => Kind::Credentials,
            404 => Kind::NotFound,
            408 => unless_unsafe(Kind::Timeout),
            409 => Kind::Conflict,
            429 => Kind::RateLimited,
            // "See Other" is how a server says that it did something: the result is elsewhere.
            303 => unless_unsafe(Kind::Unexpected),
            500.. => unless_unsafe(Kind::Unavailable),
            _ => Kind::Unexpected,
        },
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::{
        Outcome::{self, CutShort, Lost, NeverSent, NotBuilt, Stalled, Status, TimedOut, Undecodable},
        Repeat::{Safe, Unsafe},
        classify,
    };
    use crate::gateway::UpstreamErrorKind::{
        self, Conflict, Credentials, Invalid, NotFound, OutcomeUnknown, RateLimited, Timeout, Unavailable,
        Unexpected,
    };
    use crate::gateway::failure::Sign;

    #[rstest]
    #[case(NotBuilt, Unexpected, Unexpected)]
    #[case(NeverSent, Unavailable, Unavailable)]
    #[case(CutShort, Unavailable, Unavailable)]
    #[case(Stalled, Timeout, Timeout)]
    #[case(Lost, Unavailable, OutcomeUnknown)]
    #[case(TimedOut, Timeout, OutcomeUnknown)]
    #[case(Undecodable, Unexpected, OutcomeUnknown)]
    #[case(Status(100), Unexpected, Unexpected)]
    #[case(Status(301), Unexpected, Unexpected)]
    #[case(Status(303), Unexpected, OutcomeUnknown)]
    #[case(Status(304), Unexpected, Unexpected)]
    #[case(Status(308), Unexpected, Unexpected)]
    #[case(Status(400), Invalid, Invalid)]
    #[case(Status(401), Credentials, Credentials)]
    #[case(Status(402), Unexpected, Unexpected)]
    #[case(Status(403), Credentials, Credentials)]
    #[case(Status(404), NotFound, NotFound)]
    #[case(Status(405), Unexpected, Unexpected)]
    #[case(Status(406), Unexpected, Unexpected)]
    #[case(Status(408), Timeout, OutcomeUnknown)]
    #[case(Status(409), Conflict, Conflict)]
    #[case(Status(410), Unexpected, Unexpected)]
    #[case(Status(413), Invalid, Invalid)]
    #[case(Status(415), Invalid, Invalid)]
    #[case(Status(418), Unexpected, Unexpected)]
    #[case(Status(422), Invalid, Invalid)]
    #[case(Status(429), RateLimited, RateLimited)]
    #[case(Status(499), Unexpected, Unexpected)]
    #[case(Status(500), Unavailable, OutcomeUnknown)]
    #[case(Status(501), Unavailable, OutcomeUnknown)]
    #[case(Status(502), Unavailable, OutcomeUnknown)]
    #[case(Status(503), Unavailable, OutcomeUnknown)]
    #[case(Status(504), Unavailable, OutcomeUnknown)]
    #[case(Status(599), Unavailable, OutcomeUnknown)]
    #[case(Status(999), Unavailable, OutcomeUnknown)]
    fn each_outcome_has_its_kind(
        #[case] outcome: Outcome,
        #[case] if_safe: UpstreamErrorKind,
        #[case] if_unsafe: UpstreamErrorKind,
    ) {
        assert_eq!(classify(outcome, Safe), if_safe);
        assert_eq!(classify(outcome, Unsafe), if_unsafe);
    }

    #[test]
    fn what_is_unsafe_is_never_unavailable_once_it_may_have_left() {
        let answered = (100..=999).map(Status);
        for outcome in answered.chain([Lost, TimedOut, Undecodable]) {
            let kind = classify(outcome, Unsafe);
            assert!(
                !matches!(kind, Unavailable | Timeout),
                "{outcome:?} is reported as {kind:?}"
            );
        }
    }

    #[test]
    fn what_may_have_happened_is_what_is_unknown_when_unsafe() {
        let all = (100..=999).map(Status);
        for outcome in all.chain([
            NotBuilt,
            NeverSent,
            CutShort,
            Stalled,
            Lost,
            TimedOut,
            Undecodable,
        ]) {
            assert_eq!(
                outcome.may_have_happened(),
                classify(outcome, Unsafe) == OutcomeUnknown,
                "{outcome:?}"
            );
        }
    }

    #[rstest]
    #[case(Status(500), Sign::Ill)]
    #[case(Status(503), Sign::Ill)]
    #[case(NeverSent, Sign::Ill)]
    #[case(Lost, Sign::Ill)]
    #[case(TimedOut, Sign::Ill)]
    #[case(Status(408), Sign::Well)]
    #[case(Status(429), Sign::Well)]
    #[case(Status(404), Sign::Well)]
    #[case(Undecodable, Sign::Well)]
    #[case(NotBuilt, Sign::Nothing)]
    fn only_failures_are_signs_of_illness(#[case] outcome: Outcome, #[case] sign: Sign) {
        assert_eq!(outcome.sign(), sign);
    }
}
