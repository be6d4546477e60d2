//! How receivers behave, once not all of them are well.

use std::fmt;

use axum::http::StatusCode;

/// How a receiver behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It takes what comes, at once.
    Good,
    /// It takes its time for each event.
    Slow,
    /// It answers with this for a while, and is good again after that.
    Failing(StatusCode),
    /// Its connections are refused until the end.
    Refusing,
    /// It never answers until the end.
    Silent,
}

/// How the failing ones answer: with an error of the event's, of the server's, of too much at once, and with a redirect.
const FAILURES: [StatusCode; 4] = [
    StatusCode::INTERNAL_SERVER_ERROR,
    StatusCode::SERVICE_UNAVAILABLE,
    StatusCode::TOO_MANY_REQUESTS,
    StatusCode::FOUND,
];

impl Kind {
    /// How the receiver of this number behaves. Of each twenty one is dead, one fails, and two are slow.
    pub fn of(number: usize) -> Self {
        let round = number / 20;
        match number % 20 {
            3 if round.is_multiple_of(2) => Self::Refusing,
            3 => Self::Silent,
            8 => Self::Failing(FAILURES[round % FAILURES.len()]),
            13 | 18 => Self::Slow,
            _ => Self::Good,
        }
    }

    /// Whether nothing is heard of it until the end.
    pub fn is_dead(self) -> bool {
        matches!(self, Self::Refusing | Self::Silent)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Good => "good",
            Self::Slow => "slow",
            Self::Failing(_) => "failing",
            Self::Refusing | Self::Silent => "dead",
        })
    }
}
