//! Events to many webhooks of Chat API v2, some of them dead, slow or failing, while replicas are killed; see README.md beside this
//! file.

#![allow(
    clippy::print_stdout,
    unreachable_pub,
    reason = "it reports to whoever started it, and nobody depends on it"
)]

#[path = "../../rolling/src/balancer.rs"]
mod balancer;
mod cast;
mod client;
mod gateway;
#[allow(dead_code, reason = "the fault run uses more of it")]
#[path = "../../chaos/ledger.rs"]
mod ledger;
mod log;
#[allow(dead_code, reason = "the fault run uses more of it")]
#[path = "../../chaos/machine.rs"]
mod machine;
mod memory;
mod options;
mod order;
#[allow(dead_code, reason = "the fault run uses more of it")]
#[path = "../../chaos/process.rs"]
mod process;
mod receiver;
mod receivers;
mod replica;
mod servers;
mod signature;
#[allow(dead_code, reason = "the fault run uses more of it")]
#[path = "../../chaos/vendor.rs"]
mod vendor;
mod verdict;
mod waits;
mod world;

use std::{path::Path, process::ExitCode};

use tokio::signal::unix::{SignalKind, signal};

use crate::{options::Options, verdict::Verdict, world::World};

type Error = Box<dyn std::error::Error + Send + Sync>;
type Result<T> = std::result::Result<T, Error>;

/// How many lines of what was broken are told.
const BROKEN_MAX: usize = 20;

fn main() -> ExitCode {
    let kept = Options::read(std::env::args().skip(1)).and_then(|options| {
        let runtime = tokio::runtime::Runtime::new()?;
        // Whatever ends the run drops the world, and with it every process.
        runtime.block_on(async {
            let mut interrupt = signal(SignalKind::interrupt())?;
            let mut terminate = signal(SignalKind::terminate())?;
            let mut hangup = signal(SignalKind::hangup())?;
            tokio::select! {
                kept = run(&options) => kept,
                _ = interrupt.recv() => Err("interrupted".into()),
                _ = terminate.recv() => Err("terminated".into()),
                _ = hangup.recv() => Err("the terminal is gone".into()),
            }
        })
    });
    match kept {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            println!("deliveries: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: &Options) -> Result<bool> {
    let folder = tempfile::Builder::new()
        .prefix("chatbridge-deliveries-")
        .tempdir()?;
    let played = play(options, folder.path()).await;
    let is_kept = match &played {
        Ok(verdict) => {
            tell(verdict, options.seed);
            verdict.broken.is_empty()
        }
        Err(_) => false,
    };
    if !is_kept || options.keep {
        println!(
            "deliveries: the logs of all processes are in {}",
            folder.keep().display()
        );
    }
    played.map(|_| is_kept)
}

fn tell(verdict: &Verdict, seed: u64) {
    for line in &verdict.lines {
        println!("deliveries: {line}");
    }
    for broken in verdict.broken.iter().take(BROKEN_MAX) {
        println!("BROKEN: {broken}");
    }
    let count = verdict.broken.len();
    let word = if count == 0 {
        "kept".to_owned()
    } else {
        format!("{count} BROKEN")
    };
    println!("deliveries: {word}, seed {seed}");
}

async fn play(options: &Options, logs: &Path) -> Result<Verdict> {
    let mut world = World::start(options, logs).await?;
    world.healthy().await;
    world.troubled().await?;
    world.restarted().await?;
    world.finish().await
}
