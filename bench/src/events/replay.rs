//! How fast one subscriber gets what the log holds.

use std::time::{Duration, Instant};

use super::{
    Bench,
    conversations::fill,
    listen::Listeners,
    system::{Running, System},
    table::{Measured, Verdict},
};
use crate::Result;

const EVENTS: u64 = 300_000;
const CONVERSATIONS: u64 = 1_000;
const REPLAYS_WITHIN: Duration = Duration::from_secs(60);

pub(crate) async fn measure(bench: &mut Bench) -> Result<()> {
    let events = bench.pick(EVENTS, EVENTS / 5);
    let running = Running::start(System::Chatbridge, &bench.vendor).await?;
    fill(bench, &running, 0..events, CONVERSATIONS).await?;
    let mut rates = Measured::new();
    for _ in 0..bench.rounds() {
        let mut listeners = Listeners::none()?;
        let begun = Instant::now();
        listeners.join(&running.earliest_door(), 1).await?;
        let last = listeners.heard.reaches(events, REPLAYS_WITHIN).await?;
        let rate = events as f64 / last.duration_since(begun).as_secs_f64();
        rates.entry(System::Chatbridge).or_default().push(rate);
    }
    let goal = Verdict::at_least(
        "thousand a second",
        rates[&System::Chatbridge].median() / 1e3,
        100.0,
    );
    let what = format!("events a second to one subscriber that reads {events} from the earliest");
    bench.table.row(&what, 0, &rates, &[goal]);
    Ok(())
}
