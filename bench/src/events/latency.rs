//! From when an event should have been posted to when its subscriber has it, at a steady rate.

use super::{
    Bench,
    drive::open_loop,
    listen::Listeners,
    system::{Running, System},
    table::{Measured, Verdict},
    webhooks::CONVERSATIONS,
};
use crate::Result;

const PER_SECOND: f64 = 1000.0;

const QUANTILES: [(&str, f64); 3] = [("p50", 0.5), ("p99", 0.99), ("longest", 1.0)];

pub(crate) async fn measure(bench: &mut Bench) -> Result<()> {
    let mut quantiles: [Measured; QUANTILES.len()] = Default::default();
    let mut late = Measured::new();
    for _ in 0..bench.rounds() {
        for system in bench.all() {
            let measured = round(bench, system).await;
            let Some((times_ms, late_ms)) = bench.unless_peer(system, measured)? else {
                continue;
            };
            late.entry(system).or_default().push(late_ms);
            for (measured, ms) in quantiles.iter_mut().zip(times_ms) {
                measured.entry(system).or_default().push(ms);
            }
        }
    }
    for ((name, _), measured) in QUANTILES.iter().zip(&quantiles) {
        let [ours, floor] = [System::Chatbridge, System::Floor].map(|system| measured[&system].median());
        let verdict = match *name {
            "p99" => Verdict::at_most(
                "ms, against twice the floor's or 1 ms more",
                ours,
                (2.0 * floor).max(floor + 1.0),
            )
            .unless_driver_bound(measured, &late, &[System::Chatbridge, System::Floor]),
            _ => Verdict::note(format!("{:.2} × the floor's", ours / floor)),
        };
        let what = format!("ms from POST to subscriber, {name}, {PER_SECOND:.0} a second");
        bench.table.row(&what, 3, measured, &[verdict]);
    }
    let what = format!("ms late in posting an event, p99, {PER_SECOND:.0} a second");
    let note = Verdict::note("of the driver, which counts as part of the times".to_owned());
    bench.table.row(&what, 3, &late, &[note]);
    Ok(())
}

/// The quantiles in milliseconds, and how late the driver was for 99 of 100 events at the most.
async fn round(bench: &Bench, system: System) -> Result<([f64; QUANTILES.len()], f64)> {
    let count = (PER_SECOND * bench.seconds(5.0).as_secs_f64()) as usize;
    // The first events pay for connections and caches.
    let warm_up = count / 10;
    let batch = bench.batch(system.form(), (warm_up + count) as u64, CONVERSATIONS);
    let running = Running::start(system, &bench.vendor).await?;
    let listeners = Listeners::at(&running.doors[0], 1).await?;
    let heard = &listeners.heard;
    let mut late_ms = 0.0;
    for range in [0..warm_up, warm_up..warm_up + count] {
        let end = range.end as u64;
        let late = open_loop(running.posts[0], &batch, range, PER_SECOND, heard).await?;
        late_ms = late.value_at_quantile(0.99) as f64 / 1e6;
        running.all_heard(heard, end).await?;
    }
    let times = heard.times()?;
    let ms = QUANTILES.map(|(_, quantile)| times.value_at_quantile(quantile) as f64 / 1e6);
    Ok((ms, late_ms))
}
