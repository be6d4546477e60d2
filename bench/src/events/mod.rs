//! The way of an event: from the webhook through Redis to the subscriber. `bench/README.md` tells how to read the rows.

mod centrifugo;
mod conversations;
mod drive;
mod fanout;
pub(crate) mod floor;
mod heard;
mod idle;
mod latency;
mod listen;
mod nchan;
mod process;
mod redis;
mod replay;
mod replicas;
mod rsa;
mod script;
mod system;
mod table;
mod webhook;
mod webhooks;

use std::{sync::Arc, time::Duration};

use self::{
    drive::Until,
    listen::Listeners,
    process::STARTS_WITHIN,
    system::{Running, System, Vendor},
    table::Table,
    webhook::{Batch, Form},
};
use crate::Result;

/// The parts, in the order in which they run.
pub(crate) const PARTS: [&str; 8] = [
    "webhooks",
    "script",
    "latency",
    "fanout",
    "idle",
    "replay",
    "conversations",
    "replicas",
];

/// How long the first event through a peer may take.
const COMES_WITHIN: Duration = Duration::from_secs(5);

/// What the parts share.
pub(crate) struct Bench {
    vendor: Vendor,
    /// The peers that can be had.
    peers: Vec<System>,
    quick: bool,
    table: Table,
}

impl Bench {
    /// Of two, that for a full run or that for a quick one.
    fn pick<T>(&self, full: T, quick: T) -> T {
        if self.quick { quick } else { full }
    }

    fn rounds(&self) -> usize {
        self.pick(5, 3)
    }

    fn seconds(&self, full: f64) -> Duration {
        Duration::from_secs_f64(if self.quick { full / 4.0 } else { full })
    }

    /// The service, the floor, and the peers.
    fn all(&self) -> Vec<System> {
        let mut all = vec![System::Chatbridge, System::Floor];
        all.extend(&self.peers);
        all
    }

    /// What was measured of a system. A peer that fails is left out from then on, and the others go on.
    fn unless_peer<T>(&mut self, system: System, measured: Result<T>) -> Result<Option<T>> {
        match measured {
            Err(error) if self.peers.contains(&system) => {
                self.peers.retain(|peer| *peer != system);
                self.table
                    .note(format!("{system:?} is left out from where it failed: {error}."));
                Ok(None)
            }
            other => other.map(Some),
        }
    }

    fn batch(&self, form: Form, count: u64, conversations: u64) -> Arc<Batch> {
        Arc::new(self.vendor.signer.batch(form, 0..count, conversations))
    }
}

/// Runs parts, and prints the table.
pub(crate) async fn run(parts: &[&str], quick: bool) -> Result<()> {
    let files = process::raise_open_files()?;
    let mut bench = Bench {
        vendor: Vendor::open().await?,
        peers: Vec::new(),
        quick,
        table: Table::default(),
    };
    let nchan =
        nchan::version().map(|version| format!("Nchan: nginx {version}, with a worker for each core."));
    let centrifugo = centrifugo::version().map(|version| format!("Centrifugo: {version}."));
    for (peer, version) in [(System::Nchan, nchan), (System::Centrifugo, centrifugo)] {
        let had = match version {
            Ok(version) => try_out(&bench, peer).await.map(|()| version),
            Err(why) => Err(why.into()),
        };
        match had {
            Ok(version) => {
                bench.peers.push(peer);
                bench.table.note(version);
            }
            Err(why) => bench.table.note(format!("{peer:?} is left out: {why}.")),
        }
    }
    bench
        .table
        .note(format!("Open files a process may have: {files}."));
    let measured = measure(&mut bench, parts, files).await;
    // What was measured before an error is worth seeing, too.
    for told in bench.vendor.losses.told() {
        bench.table.note(told);
    }
    bench.table.print(parts, quick);
    measured
}

/// Whether an event comes through a peer, as it is set up here.
async fn try_out(bench: &Bench, peer: System) -> Result<()> {
    let running = Running::start(peer, &bench.vendor).await?;
    let listeners = Listeners::at(&running.doors[0], 1).await?;
    let batch = bench.batch(peer.form(), 1, 1);
    drive::closed_loop(&running.posts, &batch, 0..1, 1, Until::AllPosted(STARTS_WITHIN)).await?;
    listeners.heard.reaches(1, COMES_WITHIN).await?;
    Ok(())
}

async fn measure(bench: &mut Bench, parts: &[&str], files: u64) -> Result<()> {
    for part in PARTS.iter().filter(|part| parts.contains(part)) {
        let begun = std::time::Instant::now();
        match *part {
            "webhooks" => webhooks::measure(bench).await?,
            "script" => script::measure(bench).await?,
            "latency" => latency::measure(bench).await?,
            "fanout" => fanout::measure(bench, files).await?,
            "idle" => idle::measure(bench, files).await?,
            "replay" => replay::measure(bench).await?,
            "conversations" => conversations::measure(bench).await?,
            _ => replicas::measure(bench).await?,
        }
        eprintln!("{part} took {:.0} s", begun.elapsed().as_secs_f64());
    }
    Ok(())
}
