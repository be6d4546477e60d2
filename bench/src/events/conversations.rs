//! What many live conversations cost, and what time does.

use std::{
    ops::Range,
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    Bench,
    drive::{Until, closed_loop},
    system::{Running, System},
    table::{Measured, Samples, Verdict},
    webhook::Form,
};
use crate::Result;

const LEVELS: [u64; 6] = [1, 10, 100, 1_000, 10_000, 100_000];
const IN_FLIGHT: usize = 64;
/// Signed and sent at a time.
const CHUNK: u64 = 50_000;
/// Conversations of the long run.
const STEADY: u64 = 10_000;
const ALL: Until = Until::AllPosted(Duration::from_secs(600));
/// Flat: of the rate with the fewest, at least so much; and of the script's time, at most that the other way round.
const FLAT: f64 = 0.9;

/// Posts events, each once.
pub(crate) async fn fill(
    bench: &Bench,
    running: &Running,
    ids: Range<u64>,
    conversations: u64,
) -> Result<()> {
    let mut next = ids.start;
    while next < ids.end {
        let end = ids.end.min(next + CHUNK);
        let batch = Arc::new(bench.vendor.signer.batch(Form::Signed, next..end, conversations));
        closed_loop(&running.posts, &batch, 0..batch.len(), IN_FLIGHT, ALL).await?;
        next = end;
    }
    Ok(())
}

/// One number of conversations.
struct Level {
    conversations: u64,
    running: Running,
    next: u64,
    rates: Samples,
    redis_us: Samples,
}

pub(crate) async fn measure(bench: &mut Bench) -> Result<()> {
    let mut levels = Vec::new();
    for conversations in LEVELS {
        let running = Running::start(System::Chatbridge, &bench.vendor).await?;
        fill(bench, &running, 0..conversations.max(1_000), conversations).await?;
        levels.push(Level {
            next: conversations.max(1_000),
            conversations,
            running,
            rates: Samples::default(),
            redis_us: Samples::default(),
        });
    }
    let events = bench.pick(20_000, 5_000);
    for _ in 0..bench.rounds() {
        for level in &mut levels {
            let ids = level.next..level.next + events;
            level.next = ids.end;
            let batch = Arc::new(bench.vendor.signer.batch(Form::Signed, ids, level.conversations));
            level.running.redis.reset_statistics().await?;
            let run = closed_loop(&level.running.posts, &batch, 0..batch.len(), IN_FLIGHT, ALL).await?;
            level.rates.push(run.per_second);
            level.redis_us.push(level.running.redis.script_us().await?);
        }
    }
    let (first_rates, first_us) = (levels[0].rates.clone(), levels[0].redis_us.clone());
    for level in &levels {
        let n = level.conversations;
        let ratio = level.rates.over(&first_rates).median();
        let us = level.redis_us.over(&first_us).median();
        let script = format!("script {:.1} µs", level.redis_us.median());
        let verdicts = if n == LEVELS[0] {
            vec![Verdict::note(script)]
        } else {
            vec![
                Verdict::at_least(&format!("of the rate with {}", LEVELS[0]), ratio, FLAT),
                Verdict::note(script),
                Verdict::at_most("× that of the script", us, 1.0 / FLAT),
            ]
        };
        let measured = Measured::from([(System::Chatbridge, level.rates.clone())]);
        let what = format!("events accepted a second, {IN_FLIGHT} in flight, {n} conversations");
        bench.table.row(&what, 0, &measured, &verdicts);
    }
    drop(levels);
    steady(bench).await
}

/// Whether ingest slows down as the log grows.
async fn steady(bench: &mut Bench) -> Result<()> {
    let running = Running::start(System::Chatbridge, &bench.vendor).await?;
    fill(bench, &running, 0..STEADY, STEADY).await?;
    let time = Duration::from_secs(bench.pick(120, 15));
    let chunk = bench.pick(CHUNK, CHUNK / 5);
    let (mut next, mut rates, mut script_us) = (STEADY, Vec::new(), Vec::new());
    // Signing goes on between the measurements, so that it takes nothing from them.
    let mut sending = Duration::ZERO;
    while sending < time {
        let batch = bench
            .vendor
            .signer
            .batch(Form::Signed, next..next + chunk, STEADY);
        let batch = Arc::new(batch);
        next += chunk;
        running.redis.reset_statistics().await?;
        let begun = Instant::now();
        let run = closed_loop(&running.posts, &batch, 0..batch.len(), IN_FLIGHT, ALL).await?;
        sending += begun.elapsed();
        rates.push(run.per_second);
        script_us.push(running.redis.script_us().await?);
    }
    let mut all = Samples::default();
    rates.iter().for_each(|rate| all.push(*rate));
    let third = rates.len().div_ceil(3);
    let mean = |rates: &[f64]| rates.iter().sum::<f64>() / rates.len() as f64;
    let grown = |all: &[f64]| mean(&all[all.len() - third..]) / mean(&all[..third]);
    let verdicts = [
        Verdict::at_least("of the first third's rate in the last", grown(&rates), FLAT),
        Verdict::note(format!("script {:.1} µs", mean(&script_us))),
        Verdict::at_most(
            "× that of the first third in the last",
            grown(&script_us),
            1.0 / FLAT,
        ),
    ];
    let measured = Measured::from([(System::Chatbridge, all)]);
    let what = format!(
        "events accepted a second over {:.0} s, {IN_FLIGHT} in flight, {STEADY} conversations, {} events",
        sending.as_secs_f64(),
        next - STEADY
    );
    bench.table.row(&what, 0, &measured, &verdicts);
    Ok(())
}
