//! A closed loop: so many calls in flight, so many in all, each timed.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use futures_util::future::try_join_all;
use hdrhistogram::Histogram;

use crate::Result;

/// The longest time that is told apart, in microseconds.
const LONGEST_US: u64 = 60_000_000;

/// What a loop measured.
pub(crate) struct Run {
    pub(crate) p50: Duration,
    pub(crate) p99: Duration,
    pub(crate) per_second: f64,
}

/// Makes `calls` calls, `in_flight` at a time. A tenth of them are made before, unmeasured.
pub(crate) async fn closed_loop(
    in_flight: usize,
    calls: usize,
    call: impl AsyncFn() -> Result<()>,
) -> Result<Run> {
    spin(in_flight, calls / 10, &call).await?;
    let begun = Instant::now();
    let times = spin(in_flight, calls, &call).await?;
    let took = begun.elapsed();
    Ok(Run {
        p50: Duration::from_micros(times.value_at_quantile(0.5)),
        p99: Duration::from_micros(times.value_at_quantile(0.99)),
        per_second: calls as f64 / took.as_secs_f64(),
    })
}

async fn spin(in_flight: usize, calls: usize, call: &impl AsyncFn() -> Result<()>) -> Result<Histogram<u64>> {
    let left = AtomicUsize::new(calls);
    let worker = async || -> Result<Histogram<u64>> {
        let mut times = Histogram::new_with_max(LONGEST_US, 3)?;
        while left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1))
            .is_ok()
        {
            let begun = Instant::now();
            call().await?;
            times.saturating_record(u64::try_from(begun.elapsed().as_micros())?);
        }
        Ok(times)
    };
    let mut all = Histogram::new_with_max(LONGEST_US, 3)?;
    for times in try_join_all((0..in_flight).map(|_| worker())).await? {
        all.add(times)?;
    }
    Ok(all)
}

/// The middle one.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
