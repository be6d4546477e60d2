//! The fault run: real processes under load, faults, and an account of what became of every event.
//!
//! Without arguments it runs its short form, which `cargo test` does. `--full` runs everything, in ten minutes at most;
//! see README.md beside this file.

#![allow(
    clippy::print_stdout,
    unreachable_pub,
    reason = "it reports to whoever started it, and nobody depends on it"
)]

mod back;
mod clock;
mod ledger;
mod link;
mod machine;
mod options;
mod process;
mod redis;
mod replica;
mod report;
mod scenario;
mod subscriber;
mod vendor;
mod verdict;
mod world;

use std::{
    path::Path,
    process::ExitCode,
    time::{Duration, Instant},
};

use tokio::{
    signal::unix::{SignalKind, signal},
    time::timeout,
};

use crate::{options::Options, report::Report, scenario::Scenario, verdict::Verdict, world::World};

type Error = Box<dyn std::error::Error + Send + Sync>;
type Result<T> = std::result::Result<T, Error>;

/// How long all of it may take.
const FULL_RUN: Duration = Duration::from_secs(10 * 60);

/// How long one scenario may take.
const SCENARIO: Duration = Duration::from_secs(120);

fn main() -> ExitCode {
    let options = match Options::read(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(problem) => {
            println!("{problem}");
            return ExitCode::FAILURE;
        }
    };
    let chosen: Vec<Scenario> = scenario::all()
        .into_iter()
        .filter(|s| options.chooses(s))
        .collect();
    if options.list {
        for scenario in &chosen {
            println!("{}: {}", scenario.name, scenario.about);
        }
        return ExitCode::SUCCESS;
    }
    match tokio::runtime::Runtime::new()
        .map_err(Error::from)
        .and_then(|runtime| {
            // Whatever ends the run drops the world that is running, and with it every process.
            runtime.block_on(async {
                let mut interrupt = signal(SignalKind::interrupt())?;
                let mut terminate = signal(SignalKind::terminate())?;
                let mut hangup = signal(SignalKind::hangup())?;
                let mut quit = signal(SignalKind::quit())?;
                tokio::select! {
                    kept = run(&options, &chosen) => kept,
                    _ = interrupt.recv() => Err("interrupted".into()),
                    _ = terminate.recv() => Err("terminated".into()),
                    _ = hangup.recv() => Err("the terminal is gone".into()),
                    _ = quit.recv() => Err("asked to quit".into()),
                }
            })
        }) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            println!("chaos: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the scenarios one after another; whether every promise was kept.
async fn run(options: &Options, chosen: &[Scenario]) -> Result<bool> {
    if chosen.is_empty() {
        return Ok(true);
    }
    let begun = Instant::now();
    let folder = tempfile::Builder::new().prefix("chatbridge-chaos-").tempdir()?;
    println!("chaos: {} scenarios, seed {}", chosen.len(), options.seed);
    let mut report = Report::default();
    let mut kept = true;
    for scenario in chosen {
        let left = FULL_RUN.saturating_sub(begun.elapsed());
        if left.is_zero() {
            println!("chaos: {} was not run: the ten minutes are over", scenario.name);
            report.add_failed(scenario);
            kept = false;
            continue;
        }
        let logs = folder.path().join(scenario.name);
        std::fs::create_dir_all(&logs)?;
        println!(
            "chaos: {:>3.0} s: {}: {}",
            begun.elapsed().as_secs_f64(),
            scenario.name,
            scenario.about
        );
        let verdict = timeout(left.min(SCENARIO), play(scenario, options, &logs)).await;
        match verdict.unwrap_or_else(|_| Err("it did not come to its end in time".into())) {
            Ok(verdict) => {
                for broken in &verdict.broken {
                    println!("chaos: {}: BROKEN: {broken}", scenario.name);
                }
                kept &= verdict.broken.is_empty();
                report.add(scenario, &verdict);
            }
            Err(error) => {
                println!("chaos: {}: FAILED: {error}", scenario.name);
                report.add_failed(scenario);
                kept = false;
            }
        }
    }
    println!("\n{}", report.table());
    if options.full {
        // As docs/delivery.md has it.
        println!("{}", report.told(options.seed));
    }
    println!(
        "chaos: {:.0} s, seed {}",
        begun.elapsed().as_secs_f64(),
        options.seed
    );
    if !kept || options.keep {
        println!(
            "chaos: the logs of all processes are in {}",
            folder.keep().display()
        );
    }
    Ok(kept)
}

async fn play(scenario: &Scenario, options: &Options, logs: &Path) -> Result<Verdict> {
    let mut world = World::start(scenario, options.seed, logs, !options.full).await?;
    (scenario.steps)(&mut world).await?;
    world.finish(scenario).await
}
