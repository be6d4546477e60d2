//! The state of the circuit breaker, without clock and chance: both are given.

use std::time::Duration;

use tokio::time::Instant;

use crate::gateway::failure::Sign;

/// Over how many seconds failures are counted.
const WINDOW: usize = 10;
/// How many requests there must have been, and which share of them must have failed, as one in so many.
const REQUESTS_MIN: u32 = 10;
const FAILED_SHARE: u32 = 2;
/// The longest time for which the vendor is left alone, unless the setting is longer.
const OPEN_MAX: Duration = Duration::from_secs(60);
/// How far that time varies, so that replicas do not come back at once.
const JITTER: f64 = 0.1;
/// What others are told to wait while a probe is under way.
const PROBE_WAIT: Duration = Duration::from_secs(1);

/// Closed, open, or half open: trying again with one request at a time.
#[derive(Debug)]
pub(super) struct Circuit {
    open_for: Duration,
    /// After which time a probe is not waited for any longer: a file may be under way for long, and its caller may even hold
    /// it back.
    probe_for: Duration,
    phase: Phase,
    /// Counts the phases, so that a request that began in an earlier one says nothing of this one.
    generation: u64,
    window: Window,
}

#[derive(Debug, Clone, Copy)]
enum Phase {
    Closed,
    /// `times`: how often in a row it was opened.
    Open {
        until: Instant,
        times: u32,
    },
    HalfOpen {
        /// When the probe that is under way began.
        probing_since: Option<Instant>,
        times: u32,
    },
}

/// The right to make one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Admission(u64);

/// A change that operators should know of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// The vendor keeps failing and is left alone.
    Opened(Duration),
    /// It still fails.
    Reopened(Duration),
    /// It works again.
    Closed,
}

/// How a circuit breaker is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CircuitStatus {
    /// For how long calls are still refused; `None`: it is closed. Zero: it tries again with one request at a time.
    pub open_for: Option<Duration>,
    /// How many requests ended in the last ten seconds; a circuit that closes begins to count anew.
    pub requests: u32,
    /// Those of them that say that the vendor fails.
    pub failed: u32,
}

impl Circuit {
    pub(super) fn status(&self, now: Instant) -> CircuitStatus {
        let (requests, failed) = self.window.sums(now);
        CircuitStatus {
            open_for: match self.phase {
                Phase::Closed => None,
                Phase::Open { .. } | Phase::HalfOpen { .. } => Some(self.left(now).unwrap_or_default()),
            },
            requests,
            failed,
        }
    }

    pub(super) fn new(open_for: Duration, probe_for: Duration, now: Instant) -> Self {
        Self {
            open_for,
            probe_for,
            phase: Phase::Closed,
            generation: 0,
            window: Window::new(now),
        }
    }

    /// How long to wait, where it is open and it is too early for a probe.
    pub(super) fn left(&self, now: Instant) -> Option<Duration> {
        match self.phase {
            Phase::Open { until, .. } => Some(until.saturating_duration_since(now)).filter(|d| !d.is_zero()),
            _ => None,
        }
    }

    /// Lets a request through, or says how long to wait.
    pub(super) fn admit(&mut self, now: Instant) -> Result<Admission, Duration> {
        if let Some(left) = self.left(now) {
            return Err(left);
        }
        match self.phase {
            Phase::Closed => {}
            Phase::HalfOpen {
                probing_since: Some(since),
                ..
            } if now.saturating_duration_since(since) < self.probe_for => return Err(PROBE_WAIT),
            // A phase for each probe: one that is not waited for any longer says nothing of the next.
            Phase::Open { times, .. } | Phase::HalfOpen { times, .. } => self.enter(Phase::HalfOpen {
                probing_since: Some(now),
                times,
            }),
        }
        Ok(Admission(self.generation))
    }

    /// A request is over. `chance` is from -1 to 1.
    pub(super) fn settle(
        &mut self,
        admission: Admission,
        sign: Sign,
        now: Instant,
        chance: f64,
    ) -> Option<Change> {
        if admission.0 != self.generation {
            return None;
        }
        match (&mut self.phase, sign) {
            (Phase::HalfOpen { probing_since, .. }, Sign::Nothing) => {
                *probing_since = None;
                None
            }
            (Phase::HalfOpen { .. }, Sign::Well) => {
                self.window = Window::new(now);
                self.enter(Phase::Closed);
                Some(Change::Closed)
            }
            (Phase::HalfOpen { times, .. }, Sign::Ill) => {
                let times = times.saturating_add(1);
                Some(Change::Reopened(self.open(now, times, chance)))
            }
            (Phase::Closed, Sign::Well | Sign::Ill) => {
                self.window.count(now, sign);
                let is_bad = self.window.is_bad(now);
                is_bad.then(|| Change::Opened(self.open(now, 0, chance)))
            }
            (Phase::Closed, Sign::Nothing) | (Phase::Open { .. }, _) => None,
        }
    }

    fn open(&mut self, now: Instant, times: u32, chance: f64) -> Duration {
        let longest = OPEN_MAX.max(self.open_for);
        let wait = self
            .open_for
            .saturating_mul(2_u32.saturating_pow(times))
            .min(longest)
            .mul_f64(1.0 + JITTER * chance.clamp(-1.0, 1.0));
        self.enter(Phase::Open {
            until: now + wait,
            times,
        });
        wait
    }

    fn enter(&mut self, phase: Phase) {
        self.phase = phase;
        self.generation += 1;
    }
}

/// How many requests went well and how many failed, second by second.
#[derive(Debug)]
struct Window {
    start: Instant,
    seconds: [Second; WINDOW],
}

#[derive(Debug, Default, Clone, Copy)]
struct Second {
    number: u64,
    all: u32,
    failed: u32,
}

impl Window {
    fn new(start: Instant) -> Self {
        Self {
            start,
            seconds: [Second::default(); WINDOW],
        }
    }

    fn count(&mut self, now: Instant, sign: Sign) {
        let number = self.number(now);
        let second = &mut self.seconds[(number % WINDOW as u64) as usize];
        if second.number != number {
            *second = Second {
                number,
                ..Second::default()
            };
        }
        second.all = second.all.saturating_add(1);
        second.failed = second.failed.saturating_add(u32::from(sign == Sign::Ill));
    }

    /// How many requests there were lately, and how many of them failed.
    fn sums(&self, now: Instant) -> (u32, u32) {
        let number = self.number(now);
        let recent = self
            .seconds
            .iter()
            .filter(|second| second.number + WINDOW as u64 > number);
        recent.fold((0_u32, 0_u32), |(all, failed), second| {
            (
                all.saturating_add(second.all),
                failed.saturating_add(second.failed),
            )
        })
    }

    fn is_bad(&self, now: Instant) -> bool {
        let (all, failed) = self.sums(now);
        all >= REQUESTS_MIN && failed >= all.div_ceil(FAILED_SHARE)
    }

    /// Which second it is.
    fn number(&self, now: Instant) -> u64 {
        now.saturating_duration_since(self.start).as_secs()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const OPEN_FOR: Duration = Duration::from_secs(5);
    const PROBE_FOR: Duration = Duration::from_secs(10);

    fn circuit() -> (Circuit, Instant) {
        let now = Instant::now();
        (Circuit::new(OPEN_FOR, PROBE_FOR, now), now)
    }

    fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// One request that ends at once.
    fn request(circuit: &mut Circuit, sign: Sign, now: Instant) -> Option<Change> {
        let admission = circuit.admit(now).unwrap();
        circuit.settle(admission, sign, now, 0.0)
    }

    /// A circuit that has just been opened.
    fn opened() -> (Circuit, Instant) {
        let (mut circuit, now) = circuit();
        for _ in 0..9 {
            assert_eq!(request(&mut circuit, Sign::Ill, now), None);
        }
        assert_eq!(
            request(&mut circuit, Sign::Ill, now),
            Some(Change::Opened(OPEN_FOR))
        );
        (circuit, now)
    }

    #[test]
    fn ten_failures_open_it_and_nine_do_not() {
        let (circuit, now) = opened();
        assert_eq!(circuit.left(now + secs(4)), Some(secs(1)));
        assert_eq!(circuit.left(now + secs(5)), None);
    }

    #[test]
    fn fewer_than_half_do_not_open_it() {
        let (mut circuit, now) = circuit();
        for _ in 0..50 {
            assert_eq!(request(&mut circuit, Sign::Well, now), None);
            assert_eq!(request(&mut circuit, Sign::Well, now), None);
            assert_eq!(request(&mut circuit, Sign::Ill, now), None);
        }
    }

    #[test]
    fn half_open_it() {
        let (mut circuit, now) = circuit();
        for _ in 0..5 {
            assert_eq!(request(&mut circuit, Sign::Well, now), None);
        }
        for _ in 0..4 {
            assert_eq!(request(&mut circuit, Sign::Ill, now), None);
        }
        assert!(matches!(
            request(&mut circuit, Sign::Ill, now),
            Some(Change::Opened(_))
        ));
    }

    #[test]
    fn what_says_nothing_is_not_counted() {
        let (mut circuit, now) = circuit();
        for _ in 0..100 {
            assert_eq!(request(&mut circuit, Sign::Nothing, now), None);
        }
        for _ in 0..9 {
            assert_eq!(request(&mut circuit, Sign::Ill, now), None);
        }
    }

    #[test]
    fn failures_are_forgotten_after_ten_seconds() {
        let (mut circuit, now) = circuit();
        for second in 0..100 {
            // Nine within any ten seconds at the most.
            if second % 10 != 9 {
                assert_eq!(
                    request(&mut circuit, Sign::Ill, now + secs(second)),
                    None,
                    "{second}"
                );
            }
        }
    }

    #[test]
    fn one_probe_at_a_time_and_a_success_closes_it() {
        let (mut circuit, now) = opened();
        assert_eq!(circuit.admit(now), Err(OPEN_FOR));
        let later = now + OPEN_FOR;
        let probe = circuit.admit(later).unwrap();
        assert_eq!(circuit.admit(later), Err(PROBE_WAIT));
        assert_eq!(
            circuit.settle(probe, Sign::Well, later, 0.0),
            Some(Change::Closed)
        );
        // What failed before is forgotten.
        for _ in 0..9 {
            assert_eq!(request(&mut circuit, Sign::Ill, later), None);
        }
    }

    #[test]
    fn a_probe_that_ends_without_a_word_makes_room_for_another() {
        let (mut circuit, now) = opened();
        let later = now + OPEN_FOR;
        let probe = circuit.admit(later).unwrap();
        assert_eq!(circuit.settle(probe, Sign::Nothing, later, 0.0), None);
        let probe = circuit.admit(later).unwrap();
        assert_eq!(
            circuit.settle(probe, Sign::Well, later, 0.0),
            Some(Change::Closed)
        );
    }

    #[test]
    fn a_probe_that_does_not_end_is_not_waited_for() {
        let (mut circuit, now) = opened();
        let first = now + OPEN_FOR;
        let slow = circuit.admit(first).unwrap();
        assert_eq!(circuit.admit(first + PROBE_FOR - secs(1)), Err(PROBE_WAIT));
        let second = first + PROBE_FOR;
        let probe = circuit.admit(second).unwrap();
        // Still one at a time, and the slow one, however it ends, says nothing any more.
        for sign in [Sign::Nothing, Sign::Well, Sign::Ill] {
            assert_eq!(circuit.settle(slow, sign, second, 0.0), None);
            assert_eq!(circuit.admit(second), Err(PROBE_WAIT));
        }
        assert_eq!(
            circuit.settle(probe, Sign::Well, second, 0.0),
            Some(Change::Closed)
        );
    }

    #[test]
    fn failed_probes_double_the_wait_up_to_a_minute() {
        let (mut circuit, mut now) = opened();
        let mut wait = OPEN_FOR;
        for expected in [10, 20, 40, 60, 60, 60] {
            now += wait;
            let change = request(&mut circuit, Sign::Ill, now);
            wait = secs(expected);
            assert_eq!(change, Some(Change::Reopened(wait)));
        }
    }

    #[test]
    fn what_began_earlier_says_nothing_of_now() {
        let (mut circuit, now) = circuit();
        let early = circuit.admit(now).unwrap();
        for _ in 0..10 {
            request(&mut circuit, Sign::Ill, now);
        }
        assert_eq!(circuit.settle(early, Sign::Well, now, 0.0), None);
        let later = now + OPEN_FOR;
        let probe = circuit.admit(later).unwrap();
        assert_eq!(circuit.settle(early, Sign::Well, later, 0.0), None);
        assert_eq!(circuit.settle(early, Sign::Nothing, later, 0.0), None);
        assert_eq!(circuit.admit(later), Err(PROBE_WAIT));
        assert!(matches!(
            circuit.settle(probe, Sign::Ill, later, 0.0),
            Some(Change::Reopened(_))
        ));
    }

    #[test]
    fn the_wait_varies_by_a_tenth() {
        for (chance, millis) in [(-1.0, 4500), (0.0, 5000), (1.0, 5500)] {
            let (mut circuit, now) = circuit();
            assert_eq!(circuit.open(now, 0, chance), Duration::from_millis(millis));
        }
    }

    #[test]
    fn a_setting_of_more_than_a_minute_is_kept() {
        let now = Instant::now();
        let mut circuit = Circuit::new(secs(600), PROBE_FOR, now);
        assert_eq!(circuit.open(now, 0, 0.0), secs(600));
        assert_eq!(circuit.open(now, 7, 0.0), secs(600));
    }

    proptest! {
        /// Whatever happens: at most one probe at a time, and who is refused is told a wait that ends.
        #[test]
        fn any_history_keeps_the_rules(steps in prop::collection::vec((0_u64..4000, 0_u8..4), 1..400)) {
            let (mut circuit, mut now) = circuit();
            let mut out: Vec<Admission> = Vec::new();
            for (millis, step) in steps {
                now += Duration::from_millis(millis);
                let sign = match step {
                    0 => Sign::Well,
                    1 => Sign::Ill,
                    _ => Sign::Nothing,
                };
                if step == 3 {
                    match circuit.admit(now) {
                        Ok(admission) => out.push(admission),
                        Err(wait) => prop_assert!(!wait.is_zero() && wait <= secs(66)),
                    }
                } else if let Some(admission) = out.pop() {
                    circuit.settle(admission, sign, now, 0.5);
                }
                let current = out.iter().filter(|a| a.0 == circuit.generation).count();
                match circuit.phase {
                    Phase::Closed => {}
                    Phase::Open { .. } => prop_assert_eq!(current, 0),
                    Phase::HalfOpen { probing_since, .. } => prop_assert_eq!(current, usize::from(probing_since.is_some())),
                }
            }
        }
    }
}
