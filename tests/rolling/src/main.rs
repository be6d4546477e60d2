//! A rolling restart, upgrade and rollback under load, by the chart's own numbers; see README.md beside this file.

#![allow(
    clippy::print_stdout,
    unreachable_pub,
    reason = "it reports to whoever started it, and nobody depends on it"
)]

mod balancer;
mod calls;
mod chart;
mod deployment;
#[allow(dead_code, reason = "the fault run uses more of it")]
#[path = "../../chaos/ledger.rs"]
mod ledger;
mod options;
mod pod;
#[allow(dead_code, reason = "the fault run uses more of it")]
#[path = "../../chaos/process.rs"]
mod process;
mod streams;
mod upgrade;
#[allow(dead_code, reason = "the fault run uses more of it")]
#[path = "../../chaos/vendor.rs"]
mod vendor;
mod world;

use std::{path::Path, process::ExitCode};

use tokio::signal::unix::{SignalKind, signal};

use crate::{
    chart::Values,
    options::Options,
    world::{Verdict, World},
};

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
            println!("rolling: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: &Options) -> Result<bool> {
    let values = Values::read(&options.values)?;
    let folder = tempfile::Builder::new().prefix("chatbridge-rolling-").tempdir()?;
    let played = play(options, values, folder.path()).await;
    let is_kept = match &played {
        Ok(verdict) => {
            for line in &verdict.lines {
                println!("rolling: {line}");
            }
            for broken in verdict.broken.iter().take(BROKEN_MAX) {
                println!("rolling: BROKEN: {broken}");
            }
            let count = verdict.broken.len();
            println!(
                "rolling: {}, seed {}",
                if count == 0 {
                    "kept".to_owned()
                } else {
                    format!("{count} BROKEN")
                },
                options.seed
            );
            count == 0
        }
        Err(_) => false,
    };
    if !is_kept || options.keep {
        println!(
            "rolling: the logs of all processes are in {}",
            folder.keep().display()
        );
    }
    played.map(|_| is_kept)
}

async fn play(options: &Options, values: Values, logs: &Path) -> Result<Verdict> {
    let mut world = World::start(options, values, logs).await?;
    world.run_for(3).await;
    let mut more = Vec::new();
    if options.upgrade {
        more.push(upgrade::forth_and_back(&mut world, options).await?);
    } else {
        world
            .deployment
            .roll("restart", &options.program, async || Ok(()))
            .await?;
    }
    world.run_for(3).await;
    world.finish(more).await
}
