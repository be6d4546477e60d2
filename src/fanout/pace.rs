//! When a subscriber is too slow.
//!
//! Being behind is not being slow: whoever starts at the oldest event is millions behind and may be the quickest of all. So
//! what counts is whether it gains. A subscriber is too slow when it is further behind than it may be and has not come
//! closer to the end of the log than ever before for [`PATIENCE`]. It is looked at once it has taken a page, so that who did not
//! read at all is judged when it does again; and while it takes the live feed it is not behind.

use std::time::Duration;

use tokio::time::Instant;

/// For how long a subscriber that is too far behind may fail to gain.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// How a subscriber gets on with reading the log.
#[derive(Default)]
pub(super) struct Pace {
    /// How many entries it may be behind; 0: any number.
    pub(super) lag_max: u64,
    /// The closest that it came, and when.
    best: Option<(u64, Instant)>,
}

impl Pace {
    /// It is not behind.
    pub(super) fn caught_up(&mut self) {
        self.best = None;
    }

    /// It is as many entries behind as that; whether it is too slow.
    pub(super) fn is_too_slow(&mut self, lag: u64, now: Instant) -> bool {
        match self.best {
            Some((best, at)) if lag >= best => {
                self.lag_max > 0 && lag > self.lag_max && now.duration_since(at) >= PATIENCE
            }
            _ => {
                self.best = Some((lag, now));
                false
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::gains_from_far_behind(&[1_000_000, 900_000, 800_000, 700_000], false)]
    #[case::gains_with_setbacks(&[1_000_000, 900_000, 950_000, 890_000, 940_000], false)]
    #[case::falls_behind(&[500, 5_000, 6_000, 7_000], true)]
    #[case::stays_behind(&[5_000, 5_000, 5_000], true)]
    #[case::falls_behind_within_the_limit(&[10, 100, 200, 300], false)]
    fn it_is_slow_where_it_does_not_gain(#[case] lags: &[u64], #[case] expected: bool) {
        let mut pace = Pace {
            lag_max: 1_000,
            ..Pace::default()
        };
        let start = Instant::now();
        let slow = (0_u32..)
            .zip(lags)
            .any(|(i, lag)| pace.is_too_slow(*lag, start + PATIENCE * 3 / 4 * i));
        assert_eq!(slow, expected);
    }

    #[test]
    fn without_a_limit_nobody_is() {
        let mut pace = Pace::default();
        let start = Instant::now();
        assert!(!(0_u32..9).any(|i| pace.is_too_slow(u64::MAX, start + PATIENCE * i)));
    }

    #[test]
    fn who_caught_up_begins_anew() {
        let mut pace = Pace {
            lag_max: 10,
            ..Pace::default()
        };
        let start = Instant::now();
        assert!(!pace.is_too_slow(20, start));
        pace.caught_up();
        assert!(!pace.is_too_slow(50, start + PATIENCE * 2));
        assert!(pace.is_too_slow(50, start + PATIENCE * 3));
    }
}
