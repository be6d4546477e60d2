//! Which failures are met by sending the request again, and when.

use std::{sync::Arc, time::Duration};

use reqwest::Method;
use tokio::time::{Sleep, sleep_until};
use tower::{
    retry::{
        Policy,
        backoff::{Backoff, ExponentialBackoff, ExponentialBackoffMaker, InvalidBackoff, MakeBackoff},
        budget::{Budget, TpsBudget},
    },
    util::rng::Rng,
};

use super::limits::PATIENCE;
use crate::gateway::{
    UpstreamError, UpstreamErrorKind, call::Call, exchange::Answer, failure::Failure, outcome::Repeat, record,
};

const BACKOFF_MIN: Duration = Duration::from_millis(50);
const BACKOFF_MAX: Duration = Duration::from_secs(1);
/// Each wait is up to twice as long, at random.
const BACKOFF_JITTER: f64 = 1.0;

/// Repeats may be a fifth of what succeeds, and five a second in any case: a vendor that fails everywhere is not asked three
/// times as much.
const BUDGET_TIME: Duration = Duration::from_secs(10);
const BUDGET_PER_SECOND: u32 = 5;
const BUDGET_SHARE: f32 = 0.2;

/// Repeats what provably did not happen or does no harm twice. Each call has a clone; clones share the budget.
#[derive(Clone)]
pub(super) struct Retries {
    budget: Arc<TpsBudget>,
    attempts_left: u32,
    backoff: ExponentialBackoff<Chance>,
    /// How the attempt before ended.
    previous: Option<UpstreamError>,
    /// Whether an attempt may have taken effect although it failed.
    may_have_happened: bool,
}

impl Retries {
    pub(super) fn new(attempts: u32) -> Result<Self, InvalidBackoff> {
        let mut backoff = ExponentialBackoffMaker::new(BACKOFF_MIN, BACKOFF_MAX, BACKOFF_JITTER, Chance)?;
        Ok(Self {
            budget: Arc::new(TpsBudget::new(BUDGET_TIME, BUDGET_PER_SECOND, BUDGET_SHARE)),
            attempts_left: attempts.saturating_sub(1),
            backoff: backoff.make_backoff(),
            previous: None,
            may_have_happened: false,
        })
    }

    /// When to send it again; `None`: not at all.
    fn again_at(&mut self, call: &Call, failure: &Failure) -> Option<Sleep> {
        if self.attempts_left == 0 || !is_harmless(call.operation.repeat, failure.error.kind) {
            return None;
        }
        let pause = self.backoff.next_backoff();
        let asked = failure.error.retry_after.unwrap_or_default();
        if asked > PATIENCE {
            return None;
        }
        let at = pause.deadline() + asked;
        if call.deadline.is_some_and(|deadline| at >= deadline) || !self.budget.withdraw() {
            return None;
        }
        self.attempts_left -= 1;
        Some(sleep_until(at))
    }
}

/// Whether to send it again does no harm. What an unsafe operation reports as unavailable never left.
fn is_harmless(repeat: Repeat, kind: UpstreamErrorKind) -> bool {
    match kind {
        UpstreamErrorKind::Unavailable | UpstreamErrorKind::RateLimited => true,
        UpstreamErrorKind::Timeout => repeat == Repeat::Safe,
        _ => false,
    }
}

impl Policy<Call, Answer, Failure> for Retries {
    type Future = Sleep;

    fn retry(&mut self, call: &mut Call, result: &mut Result<Answer, Failure>) -> Option<Sleep> {
        let failure = match result {
            Ok(_) => {
                self.budget.deposit();
                return None;
            }
            Err(failure) => failure,
        };
        if failure.is_withheld {
            // That this attempt was turned away matters less than why there was to be another.
            if let Some(previous) = self.previous.take() {
                failure.error = previous;
                failure.is_withheld = false;
            }
            return None;
        }
        let is_gone = call.operation.method == Method::DELETE
            && failure.error.kind == UpstreamErrorKind::NotFound
            && self.may_have_happened;
        if is_gone {
            *result = Ok(Answer::FoundDone);
            return None;
        }
        self.may_have_happened |= failure.may_have_happened;
        let pause = self.again_at(call, failure)?;
        self.previous = Some(failure.error.clone());
        record::retried(call.operation.name);
        Some(pause)
    }

    fn clone_request(&mut self, call: &Call) -> Option<Call> {
        // After the last attempt, too: what became of it may depend on those before.
        (self.attempts_left > 0 || self.previous.is_some())
            .then(|| call.again())
            .flatten()
    }
}

/// Chance for the back-off. Clones of the library's own would all wait alike.
#[derive(Debug, Clone)]
struct Chance;

impl Rng for Chance {
    fn next_u64(&mut self) -> u64 {
        rand::random()
    }
}

#[cfg(test)]
mod tests {
    use reqwest::{Request, Url};
    use rstest::rstest;
    use tokio::time::Instant;

    use super::*;
    use crate::gateway::{
        call::Transfer,
        operation::{self, DELETE_CHANNEL as DELETE, Operation},
        outcome::Outcome,
    };

    fn call(operation: &'static Operation) -> Call {
        let url = Url::parse("http://127.0.0.1:1/").unwrap();
        Call {
            operation,
            request: Request::new(operation.method.clone(), url),
            deadline: None,
            transfer: Transfer::None,
            permit: None,
            left: Arc::default(),
            about: Arc::default(),
            repeats: 0,
        }
    }

    fn failed(operation: &Operation, outcome: Outcome) -> Result<Answer, Failure> {
        let status = match outcome {
            Outcome::Status(status) => Some(status),
            _ => None,
        };
        Err(Failure::of(operation, outcome, status, String::new()))
    }

    fn asking(operation: &Operation, status: u16, wait: Duration) -> Result<Answer, Failure> {
        failed(operation, Outcome::Status(status)).map_err(|mut failure| {
            failure.error.retry_after = Some(wait);
            failure
        })
    }

    #[rstest]
    #[case(&operation::GET, Outcome::Status(503), true)]
    #[case(&operation::GET, Outcome::Status(408), true)]
    #[case(&operation::GET, Outcome::Status(429), true)]
    #[case(&operation::GET, Outcome::Lost, true)]
    #[case(&operation::GET, Outcome::TimedOut, true)]
    #[case(&operation::GET, Outcome::NeverSent, true)]
    #[case(&operation::GET, Outcome::Status(400), false)]
    #[case(&operation::GET, Outcome::Status(401), false)]
    #[case(&operation::GET, Outcome::Status(404), false)]
    #[case(&operation::GET, Outcome::Status(409), false)]
    #[case(&operation::GET, Outcome::Undecodable, false)]
    #[case(&operation::SEND, Outcome::NeverSent, true)]
    #[case(&operation::SEND, Outcome::Status(429), true)]
    #[case(&operation::SEND, Outcome::Status(503), false)]
    #[case(&operation::SEND, Outcome::Status(408), false)]
    #[case(&operation::SEND, Outcome::Lost, false)]
    #[case(&operation::SEND, Outcome::TimedOut, false)]
    #[case(&operation::SEND, Outcome::Undecodable, false)]
    #[tokio::test]
    async fn only_what_does_no_harm_is_repeated(
        #[case] operation: &'static Operation,
        #[case] outcome: Outcome,
        #[case] expected: bool,
    ) {
        let mut result = failed(operation, outcome);
        let again = Retries::new(3).unwrap().retry(&mut call(operation), &mut result);
        assert_eq!(again.is_some(), expected);
        assert!(result.is_err());
    }

    #[tokio::test]
    async fn waits_double_and_vary_and_end() {
        let mut policy = Retries::new(10).unwrap();
        let mut call = call(&operation::GET);
        for base in [50, 100, 200, 400, 800, 1000, 1000, 1000, 1000] {
            let before = Instant::now();
            let again = policy.retry(&mut call, &mut failed(&operation::GET, Outcome::Status(500)));
            let at = again.unwrap().deadline();
            let (least, most) = (base, (base * 2).min(1000));
            assert!(at >= before + Duration::from_millis(least), "{base}");
            assert!(at <= Instant::now() + Duration::from_millis(most), "{base}");
        }
        assert!(
            policy
                .retry(&mut call, &mut failed(&operation::GET, Outcome::Status(500)))
                .is_none()
        );
    }

    #[tokio::test]
    async fn two_calls_do_not_wait_alike() {
        let base = Retries::new(3).unwrap();
        let now = Instant::now();
        let mut waits: Vec<u128> = (0..20)
            .map(|_| {
                let mut result = failed(&operation::GET, Outcome::Status(500));
                let again = base.clone().retry(&mut call(&operation::GET), &mut result);
                // Without what the test itself takes.
                (again.unwrap().deadline() - now).as_millis() / 5
            })
            .collect();
        waits.dedup();
        assert!(waits.len() > 5, "{waits:?}");
    }

    #[rstest]
    #[case(2, None, true)]
    #[case(5, None, true)]
    #[case(6, None, false)]
    #[case(2, Some(4), true)]
    #[case(2, Some(2), false)]
    #[tokio::test]
    async fn retry_after_is_obeyed_where_it_fits(
        #[case] asked: u64,
        #[case] deadline: Option<u64>,
        #[case] expected: bool,
    ) {
        let now = Instant::now();
        for status in [429, 503] {
            let mut call = call(&operation::GET);
            call.deadline = deadline.map(|seconds| now + Duration::from_secs(seconds));
            let mut result = asking(&operation::GET, status, Duration::from_secs(asked));
            let again = Retries::new(3).unwrap().retry(&mut call, &mut result);
            assert_eq!(again.is_some(), expected);
            if let Some(again) = again {
                assert!(again.deadline() >= now + Duration::from_secs(asked));
            } else {
                let wait = result.err().unwrap().error.retry_after;
                assert_eq!(wait, Some(Duration::from_secs(asked)));
            }
        }
    }

    #[tokio::test]
    async fn the_budget_bounds_what_all_calls_repeat() {
        let base = Retries::new(3).unwrap();
        let repeats = |calls: usize| {
            let granted = (0..calls).filter(|_| {
                let mut result = failed(&operation::GET, Outcome::Status(500));
                base.clone()
                    .retry(&mut call(&operation::GET), &mut result)
                    .is_some()
            });
            granted.count()
        };
        // Five a second over ten seconds.
        assert_eq!(repeats(1000), 50);
        for _ in 0..100 {
            assert!(
                base.clone()
                    .retry(&mut call(&operation::GET), &mut Ok(Answer::FoundDone))
                    .is_none()
            );
        }
        assert_eq!(repeats(1000), 20);
    }

    #[rstest]
    #[case(Outcome::TimedOut, true)]
    #[case(Outcome::Lost, true)]
    #[case(Outcome::Status(502), true)]
    // It was there after the first attempt, so somebody else took it away.
    #[case(Outcome::NeverSent, false)]
    #[case(Outcome::Status(429), false)]
    #[tokio::test]
    async fn a_deletion_that_may_have_happened_finds_nothing_left(
        #[case] first: Outcome,
        #[case] is_success: bool,
    ) {
        let mut policy = Retries::new(3).unwrap();
        let mut call = call(&DELETE);
        assert!(policy.retry(&mut call, &mut failed(&DELETE, first)).is_some());
        let mut second = failed(&DELETE, Outcome::Status(404));
        assert!(policy.retry(&mut call, &mut second).is_none());
        assert_eq!(second.is_ok(), is_success);
    }

    #[tokio::test]
    async fn a_deletion_of_what_never_was_fails() {
        let mut result = failed(&DELETE, Outcome::Status(404));
        assert!(
            Retries::new(3)
                .unwrap()
                .retry(&mut call(&DELETE), &mut result)
                .is_none()
        );
        assert!(result.is_err());
    }

    #[tokio::test]
    async fn a_repeat_that_was_turned_away_tells_of_the_attempt_before() {
        let mut policy = Retries::new(3).unwrap();
        let mut call = call(&operation::GET);
        assert!(
            policy
                .retry(&mut call, &mut failed(&operation::GET, Outcome::Status(502)))
                .is_some()
        );
        let mut second = Err(Failure::withheld(UpstreamErrorKind::CircuitOpen, "", None));
        assert!(policy.retry(&mut call, &mut second).is_none());
        let failure = second.err().unwrap();
        assert_eq!(failure.error.status, Some(502));
        assert!(!failure.is_withheld);
    }
}
