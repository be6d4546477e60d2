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
    let ours = Running::start(System::Chatbridge, &bench.vendor).await?;
    fill(bench, &ours, 0..events, CONVERSATIONS).await?;
    let floor = Running::start(System::Floor, &bench.vendor).await?;
    let mut rates = Measured::new();
    let mut bytes = 0;
    // The first round only shows how large the messages are, so that the floor has its own ready.
    for round in 0..=bench.rounds() {
        for running in [&ours, &floor] {
            let mut listeners = Listeners::none()?;
            let begun = Instant::now();
            listeners.join(&running.earliest_door(events, bytes), 1).await?;
            let last = listeners.heard.reaches(events, REPLAYS_WITHIN).await?;
            let rate = events as f64 / last.duration_since(begun).as_secs_f64();
            if round > 0 {
                rates.entry(running.system).or_default().push(rate);
            }
            running.all_heard(&listeners.heard, events).await?;
            bytes = listeners.heard.bytes_each();
        }
    }
    let [median, of_floor] = [
        rates[&System::Chatbridge].median() / 1e3,
        rates[&System::Chatbridge].over(&rates[&System::Floor]).median(),
    ];
    let goal = Verdict::at_least("thousand a second", median, 100.0);
    let ratio = Verdict::note(format!("{of_floor:.2} of the floor, a bare tonic stream"));
    let what = format!(
        "events a second to one subscriber that reads {events} from the earliest; floor: as many messages that are ready, of as many \
         bytes each"
    );
    bench.table.row(&what, 0, &rates, &[goal, ratio]);
    Ok(())
}
