//! How many signed webhooks a second are accepted, while one subscriber hears them all.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use super::{
    Bench,
    drive::{Until, closed_loop},
    listen::Listeners,
    system::{Running, System},
    table::{Measured, Verdict},
    webhook::{Batch, Form},
};
use crate::Result;

const IN_FLIGHT: [usize; 3] = [1, 16, 64];
pub(crate) const CONVERSATIONS: u64 = 100;
/// More than any system takes within the time, which is seen to.
const EVENTS: u64 = 200_000;
/// Before each measurement, unmeasured.
const WARM_UP: Duration = Duration::from_millis(200);

/// A round of one system: for each number in flight, how many a second, and microseconds of processor time of the server and of Redis
/// for each event.
type Round = [(f64, f64, f64); IN_FLIGHT.len()];

pub(crate) async fn measure(bench: &mut Bench) -> Result<()> {
    let mut batches: BTreeMap<Form, Arc<Batch>> = BTreeMap::new();
    for system in bench.all() {
        let events = bench.pick(EVENTS, EVENTS / 3);
        let form = system.form();
        batches
            .entry(form)
            .or_insert_with(|| bench.batch(form, events, CONVERSATIONS));
    }
    let mut rates: [Measured; IN_FLIGHT.len()] = Default::default();
    let (mut servers, mut redis) = (Measured::new(), Measured::new());
    for _ in 0..bench.rounds() {
        for system in bench.all() {
            let measured = round(bench, system, &batches[&system.form()]).await;
            let Some(round) = bench.unless_peer(system, measured)? else {
                continue;
            };
            for (rates, (rate, ..)) in rates.iter_mut().zip(round) {
                rates.entry(system).or_default().push(rate);
            }
            let [.., (_, server_us, redis_us)] = round;
            servers.entry(system).or_default().push(server_us);
            redis.entry(system).or_default().push(redis_us);
        }
    }
    for (in_flight, measured) in IN_FLIGHT.into_iter().zip(&rates) {
        let floor = measured[&System::Chatbridge]
            .over(&measured[&System::Floor])
            .median();
        let mut verdicts = vec![match in_flight {
            1 => Verdict::at_least("of the floor", floor, 0.8),
            64 => Verdict::at_least("of the floor", floor, 0.6),
            _ => Verdict::note(format!("{floor:.2} of the floor")),
        }];
        if let Some(nchan) = measured.get(&System::Nchan) {
            let times = measured[&System::Chatbridge].over(nchan).median();
            verdicts.push(match in_flight {
                64 => Verdict::at_least("× Nchan", times, 1.5),
                _ => Verdict::note(format!("{times:.2} × Nchan")),
            });
        }
        let what = format!("events accepted a second, {in_flight} in flight, one subscriber");
        bench.table.row(&what, 0, measured, &verdicts);
    }
    let note = [Verdict::note("of all cores".to_owned())];
    let what = "µs of processor time of the server for an event, 64 in flight";
    bench.table.row(what, 1, &servers, &note);
    let what = "µs of processor time of Redis for an event, 64 in flight";
    bench.table.row(what, 1, &redis, &note);
    Ok(())
}

async fn round(bench: &Bench, system: System, batch: &Arc<Batch>) -> Result<Round> {
    let time = bench.seconds(2.0);
    let running = Running::start(system, &bench.vendor).await?;
    let listeners = Listeners::at(&running.doors[0], 1).await?;
    let mut next = 0;
    let mut round = Round::default();
    for (in_flight, (rate, server_us, redis_us)) in IN_FLIGHT.into_iter().zip(&mut round) {
        let warm = closed_loop(
            &running.posts,
            batch,
            next..batch.len(),
            in_flight,
            Until::After(WARM_UP),
        )
        .await?;
        next += warm.accepted;
        let (server_before, redis_before) = running.cpu()?;
        let run = closed_loop(
            &running.posts,
            batch,
            next..batch.len(),
            in_flight,
            Until::After(time),
        )
        .await?;
        let (server_after, redis_after) = running.cpu()?;
        next += run.accepted;
        let each = 1e6 / run.accepted as f64;
        *rate = run.per_second;
        *server_us = (server_after - server_before) * each;
        *redis_us = (redis_after - redis_before) * each;
    }
    running.all_heard(&listeners.heard, next as u64).await?;
    Ok(round)
}
