//! How long agents take.

use std::{str::FromStr, time::Duration};

/// How long agents take, relative to people: 0 is no time at all, 1 is about two seconds to accept a conversation and
/// a second to type a line, and larger is slower.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pace(f64);

impl Pace {
    const SLOWEST: f64 = 100.0;

    /// No waiting: what is to happen happens at once, in the same order.
    pub const fn instant() -> Self {
        Self(0.0)
    }

    /// As people do.
    pub const fn human() -> Self {
        Self(1.0)
    }

    /// `factor` times as slow as people, from 0 to 100.
    pub fn scaled(factor: f64) -> Result<Self, PaceError> {
        if (0.0..=Self::SLOWEST).contains(&factor) {
            Ok(Self(factor))
        } else {
            Err(PaceError)
        }
    }

    /// A limit that fits people, made longer where this pace is slower than theirs.
    pub fn stretch(self, limit: Duration) -> Duration {
        limit.mul_f64(self.0.max(1.0))
    }

    /// What `human` becomes at this pace. `luck`, from 0 to 1, moves it by a quarter either way.
    pub(super) fn of(self, human: Duration, luck: f64) -> Duration {
        human.mul_f64(self.0 * (0.75 + luck.clamp(0.0, 1.0) / 2.0))
    }
}

/// Not a pace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a pace is `instant`, `human`, or a number from 0 (instant) over 1 (human) to 100 (a hundred times slower)"
)]
pub struct PaceError;

impl FromStr for Pace {
    type Err = PaceError;

    fn from_str(text: &str) -> Result<Self, PaceError> {
        match text {
            "instant" => Ok(Self::instant()),
            "human" => Ok(Self::human()),
            number => Self::scaled(number.parse().map_err(|_| PaceError)?),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pace_is_read_from_words_and_numbers_and_nothing_else() {
        assert_eq!("instant".parse(), Ok(Pace::instant()));
        assert_eq!("human".parse(), Ok(Pace::human()));
        assert_eq!("0.5".parse(), Pace::scaled(0.5));
        for wrong in ["", "fast", "-1", "NaN", "inf", "101"] {
            assert_eq!(wrong.parse::<Pace>(), Err(PaceError), "{wrong}");
        }
    }

    #[test]
    fn instant_takes_no_time_and_luck_moves_the_rest_by_a_quarter() {
        let second = Duration::from_secs(1);
        assert_eq!(Pace::instant().of(second, 1.0), Duration::ZERO);
        assert_eq!(Pace::human().of(second, 0.0), Duration::from_millis(750));
        assert_eq!(Pace::human().of(second, 1.0), Duration::from_millis(1250));
        assert_eq!(Pace::instant().stretch(second), second);
        assert_eq!(Pace(3.0).stretch(second), 3 * second);
    }
}
