//! What we hold back ourselves: a rate, pauses that the vendor asks for, and how many requests are under way at once.
//!
//! A call waits for its turn, but not past its deadline and never for long: whoever would wait longer is told at once when to
//! come back.

use std::{
    num::NonZeroU32,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use governor::{
    DefaultDirectRateLimiter, Quota,
    clock::{Clock as _, DefaultClock},
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, sleep_until, timeout_at},
};
use tower::ServiceExt;

use super::{
    around::{Around, Inner},
    breaker::Breaker,
};
use crate::gateway::{UpstreamErrorKind, call::Call, exchange::Answer, failure::Failure};

/// How long a call waits for its turn at most.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// After which time a place among the requests under way may have become free.
const PLACE_RETRY: Duration = Duration::from_secs(1);

/// Until when a call may wait here.
fn until(call: &Call, now: Instant) -> Instant {
    let patience = now + PATIENCE;
    call.deadline.map_or(patience, |deadline| deadline.min(patience))
}

fn throttled(problem: &str, retry_after: Duration) -> Failure {
    Failure::withheld(UpstreamErrorKind::Throttled, problem, Some(retry_after))
}

/// Rate and pauses.
pub(super) struct Gate {
    rate: Option<Rate>,
    pause: Arc<Pause>,
    breaker: Option<Arc<Breaker>>,
}

impl Gate {
    /// While `breaker` is open nobody waits for a turn that would be in vain.
    pub(super) fn new(rate: Option<NonZeroU32>, pause: Arc<Pause>, breaker: Option<Arc<Breaker>>) -> Self {
        Self {
            rate: rate.map(Rate::new),
            pause,
            breaker,
        }
    }

    async fn pass(&self, until: Instant) -> Result<(), Failure> {
        loop {
            if let Some(breaker) = &self.breaker {
                breaker.peek()?;
            }
            self.pause.pass(until).await?;
            if let Some(rate) = &self.rate {
                rate.pass(until).await?;
            }
            // A pause may have begun while the call waited for its turn.
            if self.pause.left(Instant::now()).is_none() {
                return Ok(());
            }
        }
    }
}

impl Around for Gate {
    async fn around<S: Inner>(&self, call: Call, inner: S) -> Result<Answer, Failure> {
        self.pass(until(&call, Instant::now())).await?;
        inner.oneshot(call).await
    }
}

/// A pause that the vendor asked for.
#[derive(Default)]
pub(super) struct Pause(Mutex<Option<Instant>>);

impl Pause {
    /// Pauses until `end`, unless it already does for longer.
    fn begin(&self, end: Instant) {
        let mut pause = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        // Of the many refusals that make one pause, the first is worth a line.
        if pause.is_none_or(|end| end <= now) {
            let wait_ms = u64::try_from(end.saturating_duration_since(now).as_millis()).unwrap_or(u64::MAX);
            tracing::warn!(
                wait_ms,
                "the Chat Gateway limits the rate of calls and asked for a pause"
            );
        }
        *pause = (*pause).max(Some(end));
    }

    /// How much of the pause is left.
    fn left(&self, now: Instant) -> Option<Duration> {
        let pause = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        pause
            .map(|end| end.saturating_duration_since(now))
            .filter(|left| !left.is_zero())
    }

    async fn pass(&self, until: Instant) -> Result<(), Failure> {
        loop {
            let now = Instant::now();
            let Some(left) = self.left(now) else {
                return Ok(());
            };
            if now + left >= until {
                return Err(throttled("8x8 asked for a pause, which is not over", left));
            }
            sleep_until(now + left).await;
        }
    }
}

/// So many calls a second, in the order in which they came; a second's worth of them at once.
struct Rate {
    limiter: DefaultDirectRateLimiter,
    clock: DefaultClock,
    period: Duration,
    turn: tokio::sync::Mutex<()>,
    waiting: AtomicU32,
}

impl Rate {
    fn new(per_second: NonZeroU32) -> Self {
        Self {
            limiter: DefaultDirectRateLimiter::direct(Quota::per_second(per_second)),
            clock: DefaultClock::default(),
            period: Duration::from_secs(1) / per_second.get(),
            turn: tokio::sync::Mutex::new(()),
            waiting: AtomicU32::new(0),
        }
    }

    async fn pass(&self, until: Instant) -> Result<(), Failure> {
        let queued = Queued::join(&self.waiting);
        let refused = |wait| throttled("the rate of calls to 8x8 that is set is used up", wait);
        let at_least = self.period * queued.ahead;
        if Instant::now() + at_least >= until {
            return Err(refused(at_least));
        }
        let turn = timeout_at(until, self.turn.lock()).await;
        let _turn = turn.map_err(|_| refused(self.period))?;
        while let Err(not_yet) = self.limiter.check() {
            let wait = not_yet.wait_time_from(self.clock.now());
            let at = Instant::now() + wait;
            if at >= until {
                return Err(refused(wait));
            }
            sleep_until(at).await;
        }
        Ok(())
    }
}

/// A place in the queue for a turn.
struct Queued<'a> {
    waiting: &'a AtomicU32,
    ahead: u32,
}

impl<'a> Queued<'a> {
    fn join(waiting: &'a AtomicU32) -> Self {
        let ahead = waiting.fetch_add(1, Ordering::Relaxed);
        Self { waiting, ahead }
    }
}

impl Drop for Queued<'_> {
    fn drop(&mut self) {
        self.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

/// So many requests at once. A place is free again when the answer is over, with its file where it is one.
pub(super) struct Concurrency {
    places: Arc<Semaphore>,
    pause: Arc<Pause>,
}

impl Concurrency {
    pub(super) fn new(in_flight: usize, pause: Arc<Pause>) -> Self {
        let places = Arc::new(Semaphore::new(in_flight.min(Semaphore::MAX_PERMITS)));
        Self { places, pause }
    }

    async fn place(&self, by: Instant) -> Result<OwnedSemaphorePermit, Failure> {
        loop {
            let place = timeout_at(by, Arc::clone(&self.places).acquire_owned()).await;
            let Ok(Ok(place)) = place else {
                return Err(throttled(
                    "as many calls to 8x8 as may be under way are under way",
                    PLACE_RETRY,
                ));
            };
            if self.pause.left(Instant::now()).is_none() {
                return Ok(place);
            }
            // A pause may have begun while the call waited for its place. Files that are under way already go on meanwhile.
            drop(place);
            self.pause.pass(by).await?;
        }
    }
}

impl Around for Concurrency {
    async fn around<S: Inner>(&self, mut call: Call, inner: S) -> Result<Answer, Failure> {
        let place = Arc::new(self.place(until(&call, Instant::now())).await?);
        call.permit = Some(Arc::clone(&place));
        let result = inner.oneshot(call).await;
        if let Err(Failure { error, .. }) = &result
            && error.kind == UpstreamErrorKind::RateLimited
            && let Some(wait) = error.retry_after
        {
            // Before the place is given back: whoever waits for it must find the pause.
            self.pause.begin(Instant::now() + wait);
        }
        drop(place);
        result
    }
}

#[cfg(test)]
mod tests {
    use futures_util::future::join_all;

    use super::*;

    fn rate(per_second: u32) -> Rate {
        Rate::new(NonZeroU32::new(per_second).unwrap())
    }

    fn in_secs(seconds: u64) -> Instant {
        Instant::now() + Duration::from_secs(seconds)
    }

    #[tokio::test]
    async fn a_seconds_worth_goes_at_once_and_the_rest_takes_turns() {
        let rate = rate(50);
        let started = Instant::now();
        for passed in join_all((0..60).map(|_| rate.pass(in_secs(5)))).await {
            passed.unwrap();
        }
        // Ten more than a second's worth, one every 20 ms.
        assert!(
            started.elapsed() >= Duration::from_millis(190),
            "{:?}",
            started.elapsed()
        );
        assert_eq!(rate.waiting.load(Ordering::Relaxed), 0);
    }

    #[tokio::test]
    async fn whoever_cannot_have_a_turn_in_time_is_told_when_to_come_back() {
        let rate = rate(1);
        rate.pass(in_secs(5)).await.unwrap();
        let started = Instant::now();
        let failure = rate
            .pass(Instant::now() + Duration::from_millis(500))
            .await
            .unwrap_err();
        assert!(started.elapsed() < Duration::from_millis(400));
        assert_eq!(failure.error.kind, UpstreamErrorKind::Throttled);
        let wait = failure.error.retry_after.unwrap();
        assert!(
            wait > Duration::from_millis(400) && wait <= Duration::from_secs(1),
            "{wait:?}"
        );
        assert!(failure.is_withheld);
    }

    #[tokio::test]
    async fn whoever_joins_a_queue_that_is_too_long_is_told_at_once() {
        let rate = rate(1);
        rate.pass(in_secs(5)).await.unwrap();
        let calls = join_all((0..20).map(|_| rate.pass(Instant::now() + Duration::from_millis(1500))));
        let started = Instant::now();
        let passed = calls.await.iter().filter(|passed| passed.is_ok()).count();
        assert_eq!(passed, 1);
        assert!(started.elapsed() < Duration::from_secs(4));
    }

    #[tokio::test]
    async fn who_gives_up_leaves_the_queue() {
        let rate = rate(1);
        rate.pass(in_secs(5)).await.unwrap();
        for _ in 0..100 {
            let given_up = tokio::time::timeout(Duration::from_millis(1), rate.pass(in_secs(5))).await;
            assert!(given_up.is_err());
        }
        assert_eq!(rate.waiting.load(Ordering::Relaxed), 0);
    }

    #[tokio::test]
    async fn a_pause_is_sat_out_where_it_fits() {
        let millis = Duration::from_millis;
        let pause = Pause::default();
        pause.pass(in_secs(1)).await.unwrap();
        let started = Instant::now();
        pause.begin(started + millis(300));
        // A shorter one does not end it.
        pause.begin(started + millis(100));
        let failure = pause.pass(started + millis(200)).await.unwrap_err();
        assert_eq!(failure.error.kind, UpstreamErrorKind::Throttled);
        let left = failure.error.retry_after.unwrap();
        assert!(left > millis(100) && left <= millis(300), "{left:?}");
        pause.pass(in_secs(5)).await.unwrap();
        assert!(started.elapsed() >= millis(300));
        assert_eq!(pause.left(Instant::now()), None);
    }
}
