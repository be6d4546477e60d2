//! What a subscriber costs that hears nothing.

use std::time::Duration;

use super::{
    Bench,
    listen::{Listeners, STREAMS_PER_CONNECTION},
    system::{Running, System},
    table::{Measured, Verdict},
};
use crate::Result;

const SUBSCRIBERS: usize = 10_000;
/// Descriptors that are needed for other things than subscribers.
const SPARE: u64 = 500;
const SETTLES: Duration = Duration::from_secs(2);

/// So many, or as many as may be open at once where each has a connection of its own.
pub(crate) fn within(count: usize, files: u64) -> usize {
    count.min(usize::try_from(files.saturating_sub(SPARE)).unwrap_or(count))
}

pub(crate) async fn measure(bench: &mut Bench, files: u64) -> Result<()> {
    let subscribers = within(SUBSCRIBERS, files);
    let mut kib = Measured::new();
    for _ in 0..bench.pick(3, 1) {
        for system in bench.all() {
            let measured = memory(bench, system, subscribers).await;
            if let Some(each) = bench.unless_peer(system, measured)? {
                kib.entry(system).or_default().push(each);
            }
        }
    }
    let goal = Verdict::at_most("KiB", kib[&System::Chatbridge].median(), 12.8);
    let ratio = kib[&System::Chatbridge].median() / kib[&System::Floor].median();
    let ratio = Verdict::note(format!("{ratio:.2} × the floor's"));
    let what = format!("KiB of memory for an idle subscriber of {subscribers}");
    bench.table.row(&what, 2, &kib, &[goal, ratio]);
    bench.table.note(format!(
        "Subscribers over gRPC share connections, {STREAMS_PER_CONNECTION} streams on each; Nchan's have one each. Memory is that of the \
         server's processes (`Pss`), without Redis and without what the kernel keeps for a connection."
    ));
    Ok(())
}

/// KiB for each of so many subscribers more.
async fn memory(bench: &Bench, system: System, subscribers: usize) -> Result<f64> {
    let running = Running::start(system, &bench.vendor).await?;
    let mut listeners = Listeners::at(&running.doors[0], 1).await?;
    tokio::time::sleep(SETTLES).await;
    let before = running.servers[0].memory()?;
    listeners.join(&running.doors[0], subscribers).await?;
    tokio::time::sleep(SETTLES).await;
    let after = running.servers[0].memory()?;
    Ok(after.saturating_sub(before) as f64 / 1024.0 / subscribers as f64)
}
