//! How much of a replica each caller uses.

use std::{
    collections::HashMap,
    num::NonZeroU32,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter, clock::Clock as _, clock::DefaultClock};

use super::CallerLimits;

/// How many callers are remembered before those that do nothing are forgotten: an issuer may name any number.
const REMEMBERED: usize = 10_000;

/// What one caller uses.
#[derive(Debug, Default)]
pub(super) struct Usage {
    rate: Option<(NonZeroU32, DefaultDirectRateLimiter)>,
    streams: AtomicUsize,
}

impl Usage {
    fn new(limits: CallerLimits) -> Self {
        Self {
            rate: limits
                .calls_per_second
                .map(|calls| (calls, RateLimiter::direct(Quota::per_second(calls)))),
            streams: AtomicUsize::new(0),
        }
    }

    /// Counts a call, or says when it may be made.
    pub(super) fn call(&self) -> Result<(), Duration> {
        let Some((_, limiter)) = &self.rate else {
            return Ok(());
        };
        limiter
            .check()
            .map_err(|not_until| not_until.wait_time_from(DefaultClock::default().now()))
    }

    /// Counts a stream, unless there are `most` (0: any number).
    pub(super) fn open_stream(self: &Arc<Self>, most: usize) -> Option<StreamPlace> {
        let counted = self
            .streams
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |open| {
                (most == 0 || open < most).then_some(open + 1)
            });
        counted.is_ok().then(|| StreamPlace(Arc::clone(self)))
    }
}

/// A stream that is counted, until this is dropped.
#[derive(Debug)]
pub struct StreamPlace(Arc<Usage>);

impl Drop for StreamPlace {
    fn drop(&mut self) {
        self.0.streams.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What all callers use, by name.
#[derive(Debug, Default)]
pub(super) struct Ledger(Mutex<HashMap<String, Arc<Usage>>>);

impl Ledger {
    /// What a caller uses. With another rate than before it begins anew, and only the streams that are open go on counting where
    /// they were counted.
    pub(super) fn of(&self, name: &str, limits: CallerLimits) -> Arc<Usage> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(usage) = known.get(name)
            && usage.rate.as_ref().map(|(calls, _)| *calls) == limits.calls_per_second
        {
            return Arc::clone(usage);
        }
        if known.len() >= REMEMBERED {
            known.retain(|_, usage| Arc::strong_count(usage) > 1);
        }
        let usage = Arc::new(Usage::new(limits));
        known.insert(name.to_owned(), Arc::clone(&usage));
        usage
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(calls: u32, streams: usize) -> CallerLimits {
        CallerLimits {
            calls_per_second: NonZeroU32::new(calls),
            streams,
        }
    }

    #[test]
    fn calls_are_counted_by_name() {
        let ledger = Ledger::default();
        let first = ledger.of("a", limits(3, 0));
        assert!((0..3).all(|_| first.call().is_ok()));
        let wait = ledger.of("a", limits(3, 0)).call().unwrap_err();
        assert!(wait <= Duration::from_millis(334), "{wait:?}");
        assert!(ledger.of("b", limits(3, 0)).call().is_ok(), "another caller");
        assert!(
            ledger.of("a", limits(4, 0)).call().is_ok(),
            "another rate begins anew"
        );
        assert!(
            (0..1000).all(|_| ledger.of("c", limits(0, 0)).call().is_ok()),
            "no limit"
        );
    }

    #[test]
    fn streams_are_counted_until_they_end() {
        let usage = Ledger::default().of("a", limits(0, 2));
        let first = usage.open_stream(2).unwrap();
        let _second = usage.open_stream(2).unwrap();
        assert!(usage.open_stream(2).is_none());
        drop(first);
        assert!(usage.open_stream(2).is_some());
        assert!(
            (0..10)
                .map(|_| usage.open_stream(0))
                .collect::<Vec<_>>()
                .iter()
                .all(Option::is_some)
        );
    }

    #[test]
    fn those_who_do_nothing_are_forgotten_once_there_are_many() {
        let ledger = Ledger::default();
        let busy = ledger.of("busy", limits(1, 0));
        assert!(busy.call().is_ok());
        for n in 0..2 * REMEMBERED {
            ledger.of(&n.to_string(), limits(1, 0));
        }
        assert!(ledger.0.lock().unwrap().len() <= REMEMBERED + 1);
        assert!(
            ledger.of("busy", limits(1, 0)).call().is_err(),
            "whoever is busy is not"
        );
    }
}
