//! One event to many subscribers, and a steady rate to up to a thousand.

use std::time::{Duration, Instant};

use super::{
    Bench,
    drive::{Until, closed_loop, open_loop},
    idle::within,
    listen::Listeners,
    system::{Running, System},
    table::{Measured, Verdict},
};
use crate::Result;

const MANY: [usize; 2] = [1_000, 10_000];
const STEADY: [usize; 3] = [1, 100, 1_000];
const PER_SECOND: f64 = 100.0;
const ARRIVES_WITHIN: Duration = Duration::from_secs(20);
/// So that the streams' opening is over.
const SETTLES: Duration = Duration::from_millis(500);

pub(crate) async fn measure(bench: &mut Bench, files: u64) -> Result<()> {
    for count in MANY {
        one_event(bench, within(count, files)).await?;
    }
    for count in STEADY {
        steady(bench, count).await?;
    }
    Ok(())
}

async fn one_event(bench: &mut Bench, subscribers: usize) -> Result<()> {
    let (mut times, mut rates) = (Measured::new(), Measured::new());
    for _ in 0..bench.pick(3, 1) {
        for system in bench.all() {
            let measured = events(bench, system, subscribers).await;
            for took in bench.unless_peer(system, measured)?.into_iter().flatten() {
                times.entry(system).or_default().push(took * 1e3);
                rates.entry(system).or_default().push(subscribers as f64 / took);
            }
        }
    }
    let ratio = |measured: &Measured| {
        let ratio = measured[&System::Chatbridge].median() / measured[&System::Floor].median();
        [Verdict::note(format!("{ratio:.2} × the floor's"))]
    };
    let what = format!("ms until the last of {subscribers} subscribers has an event");
    bench.table.row(&what, 1, &times, &ratio(&times));
    let what = format!("deliveries a second of one event to {subscribers} subscribers");
    bench.table.row(&what, 0, &rates, &ratio(&rates));
    Ok(())
}

/// Posts events one by one, each once all have the one before, and answers for each the seconds until the last has it.
async fn events(bench: &Bench, system: System, subscribers: usize) -> Result<Vec<f64>> {
    let events = bench.pick(10, 4);
    let batch = bench.batch(system.form(), events + 1, 1);
    let running = Running::start(system, &bench.vendor).await?;
    let listeners = Listeners::at(&running.doors[0], subscribers).await?;
    tokio::time::sleep(SETTLES).await;
    let mut times = Vec::new();
    for i in 0..batch.len() {
        let begun = Instant::now();
        closed_loop(
            &running.posts,
            &batch,
            i..i + 1,
            1,
            Until::AllPosted(ARRIVES_WITHIN),
        )
        .await?;
        let all = (i + 1) * subscribers;
        let last = listeners.heard.reaches(all as u64, ARRIVES_WITHIN).await?;
        times.push(last.duration_since(begun).as_secs_f64());
    }
    running.all_heard(&listeners.heard, batch.len() as u64).await?;
    // The first pays for what comes but once.
    times.remove(0);
    Ok(times)
}

async fn steady(bench: &mut Bench, subscribers: usize) -> Result<()> {
    let (mut p50, mut p99, mut cpu) = (Measured::new(), Measured::new(), Measured::new());
    let mut late = Measured::new();
    for _ in 0..3 {
        for system in bench.all() {
            let measured = steadily(bench, system, subscribers).await;
            if let Some((median, high, each, late_ms)) = bench.unless_peer(system, measured)? {
                late.entry(system).or_default().push(late_ms);
                p50.entry(system).or_default().push(median);
                p99.entry(system).or_default().push(high);
                cpu.entry(system).or_default().push(each);
            }
        }
    }
    let what = |quantile| {
        format!(
            "ms from POST to subscriber, {quantile}, {PER_SECOND:.0} a second to {subscribers} subscribers"
        )
    };
    let ratio = p50[&System::Chatbridge].median() / p50[&System::Floor].median();
    let note = Verdict::note(format!("{ratio:.2} × the floor's"));
    bench.table.row(&what("p50"), 2, &p50, &[note]);
    let goal = Verdict::at_most("ms", p99[&System::Chatbridge].median(), 20.0);
    let goal = goal.unless_driver_bound(&p99, &late, &[System::Chatbridge]);
    bench.table.row(&what("p99"), 2, &p99, &[goal]);
    if subscribers < STEADY[2] {
        // Too little to be told in hundredths of a second.
        return Ok(());
    }
    let ratio = cpu[&System::Chatbridge].median() / cpu[&System::Floor].median();
    let note = Verdict::note(format!("{ratio:.2} × the floor's"));
    let what = format!(
        "µs of processor time of the server for a delivery, {PER_SECOND:.0} a second to {subscribers}"
    );
    bench.table.row(&what, 2, &cpu, &[note]);
    Ok(())
}

/// Half of the events and 99 of 100 took no longer than so many milliseconds; microseconds of processor time for a delivery; and how
/// late 99 of 100 were posted at the most, in milliseconds.
async fn steadily(bench: &Bench, system: System, subscribers: usize) -> Result<(f64, f64, f64, f64)> {
    let count = (PER_SECOND * bench.seconds(4.0).as_secs_f64()) as usize;
    let warm_up = count / 10;
    let batch = bench.batch(system.form(), (warm_up + count) as u64, 10);
    let running = Running::start(system, &bench.vendor).await?;
    let listeners = Listeners::at(&running.doors[0], subscribers).await?;
    let heard = &listeners.heard;
    let (mut seconds, mut late) = (0.0, 0.0);
    for range in [0..warm_up, warm_up..warm_up + count] {
        let end = range.end;
        let (before, _) = running.cpu()?;
        let lateness = open_loop(running.posts[0], &batch, range, PER_SECOND, heard).await?;
        late = lateness.value_at_quantile(0.99) as f64 / 1e6;
        running.all_heard(heard, end as u64).await?;
        seconds = running.cpu()?.0 - before;
    }
    let times = heard.times()?;
    let ms = |quantile| times.value_at_quantile(quantile) as f64 / 1e6;
    let each = seconds * 1e6 / (count * subscribers) as f64;
    Ok((ms(0.5), ms(0.99), each, late))
}
