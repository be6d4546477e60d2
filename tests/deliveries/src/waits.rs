//! How long events waited.

use std::{fmt, time::Duration};

/// Times that were waited, in their order.
pub struct Waits(Vec<Duration>);

impl FromIterator<Duration> for Waits {
    fn from_iter<T: IntoIterator<Item = Duration>>(times: T) -> Self {
        let mut times: Vec<Duration> = times.into_iter().collect();
        times.sort_unstable();
        Self(times)
    }
}

impl Waits {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What so many of a hundred did not exceed; 0 without any.
    pub fn percentile(&self, hundredths: usize) -> Duration {
        let rank = (self.0.len() * hundredths).div_ceil(100).max(1);
        self.0.get(rank - 1).copied().unwrap_or_default()
    }
}

impl fmt::Display for Waits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = |hundredths| self.percentile(hundredths).as_secs_f64() * 1000.0;
        write!(
            f,
            "p50 {:.1} ms, p99 {:.1} ms, longest {:.0} ms ({} events)",
            ms(50),
            ms(99),
            ms(100),
            self.0.len()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_what_was_waited() {
        let waits: Waits = (1..=200).rev().map(Duration::from_millis).collect();
        assert_eq!(waits.percentile(50), Duration::from_millis(100));
        assert_eq!(waits.percentile(99), Duration::from_millis(198));
        assert_eq!(waits.percentile(100), Duration::from_millis(200));
        let none: Waits = std::iter::empty().collect();
        assert_eq!(none.percentile(99), Duration::ZERO);
    }
}
