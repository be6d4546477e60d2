use std::time::Duration;

/// Exponential backoff with full jitter, so that many clients of one server do not come back together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// The first wait is up to this long; each further one up to twice as long as the one before.
    pub initial: Duration,
    /// No wait is longer.
    pub maximum: Duration,
}

impl Backoff {
    pub(crate) const fn from_millis(initial: u64, maximum: u64) -> Self {
        Self {
            initial: Duration::from_millis(initial),
            maximum: Duration::from_millis(maximum),
        }
    }

    /// The longest that the wait before `attempt` may be, which counts from 0.
    pub fn ceiling(&self, attempt: u32) -> Duration {
        // The exponent is bounded as well, or a long outage would overflow.
        self.initial
            .saturating_mul(1 << attempt.min(30))
            .min(self.maximum)
    }

    /// The wait before `attempt`, which counts from 0: a random part of the ceiling.
    pub fn delay(&self, attempt: u32) -> Duration {
        self.ceiling(attempt).mul_f64(rand::random::<f64>())
    }
}
