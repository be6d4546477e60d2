//! What more replicas cost: each reads the whole log, and each has a subscriber to all of it.

use std::time::Duration;

use super::{
    Bench,
    drive::{Until, closed_loop},
    listen::Listeners,
    system::{Running, System},
    table::{Measured, Samples, Verdict},
    webhook::Form,
    webhooks::CONVERSATIONS,
};
use crate::Result;

const MOST: usize = 4;
const IN_FLIGHT: usize = 64;
const WARM_UP: Duration = Duration::from_millis(200);

pub(crate) async fn measure(bench: &mut Bench) -> Result<()> {
    let batch = bench.batch(Form::Signed, bench.pick(100_000, 40_000), CONVERSATIONS);
    let time = bench.seconds(2.0);
    let mut rates = vec![Samples::default(); MOST];
    let mut costs = vec![(Samples::default(), Samples::default()); MOST];
    for _ in 0..bench.rounds() {
        for replicas in 1..=MOST {
            let running = Running::start_replicas(System::Chatbridge, &bench.vendor, replicas).await?;
            let mut listeners = Listeners::none()?;
            for door in &running.doors {
                listeners.join(door, 1).await?;
            }
            let warm = closed_loop(
                &running.posts,
                &batch,
                0..batch.len(),
                IN_FLIGHT,
                Until::After(WARM_UP),
            )
            .await?;
            let (servers_before, redis_before) = running.cpu()?;
            let range = warm.accepted..batch.len();
            let run = closed_loop(&running.posts, &batch, range, IN_FLIGHT, Until::After(time)).await?;
            let all = warm.accepted + run.accepted;
            running.all_heard(&listeners.heard, all as u64).await?;
            let (servers_after, redis_after) = running.cpu()?;
            let each = 1e6 / run.accepted as f64;
            rates[replicas - 1].push(run.per_second);
            costs[replicas - 1]
                .0
                .push((servers_after - servers_before) * each);
            costs[replicas - 1].1.push((redis_after - redis_before) * each);
        }
    }
    for (i, samples) in rates.iter().enumerate() {
        let ratio = samples.over(&rates[0]).median();
        let (servers, redis) = (costs[i].0.median(), costs[i].1.median());
        let verdicts = [
            Verdict::note(format!("{ratio:.2} of the rate with one")),
            Verdict::note(format!(
                "servers {servers:.0} µs and Redis {redis:.0} µs of processor for an event"
            )),
        ];
        let what = match i {
            0 => format!("events accepted a second, {IN_FLIGHT} in flight, 1 replica with a subscriber"),
            _ => format!(
                "events accepted a second, {IN_FLIGHT} in flight, {} replicas, a subscriber at each",
                i + 1
            ),
        };
        let measured = Measured::from([(System::Chatbridge, samples.clone())]);
        bench.table.row(&what, 0, &measured, &verdicts);
    }
    Ok(())
}
