//! `chatbridge sandbox run`: plays scenarios, and says by exit code and report what came of them.

#![allow(clippy::print_stdout, reason = "a command line prints")]

use std::{
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitCode,
    time::{Duration, Instant},
};

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use tokio_util::sync::CancellationToken;
use url::Url;

use super::{
    super::start::{bind_sandbox, fail},
    control::{Control, ControlError},
    scenario::{Failure, Scenario, play},
};
use crate::sandbox::{self, Pace, SandboxSettings};

/// Options of `sandbox run`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Scenarios, as YAML files. They are played one after the other.
    #[arg(required = true)]
    scenarios: Vec<PathBuf>,
    /// The sandbox to play them in; without it, each has one of its own.
    #[arg(long, conflicts_with_all = ["webhook", "listen", "pace", "seed"])]
    sandbox: Option<Url>,
    /// Where sandboxes of their own send webhooks.
    #[arg(long)]
    webhook: Option<Url>,
    /// Where sandboxes of their own listen; port 0 is any that is free.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// How long scripted agents of such sandboxes take.
    #[arg(long, default_value = "instant")]
    pace: Pace,
    /// Makes the choices of such agents repeatable.
    #[arg(long)]
    seed: Option<u64>,
    /// Write a report in JUnit's XML to this file.
    #[arg(long)]
    junit: Option<PathBuf>,
}

/// What came of one scenario.
struct Outcome {
    file: PathBuf,
    name: String,
    took: Duration,
    failure: Option<Failure>,
}

/// What keeps scenarios from being played at all.
#[derive(Debug, thiserror::Error)]
enum RunError {
    #[error("the scenario {file} cannot be read: {why}")]
    Unreadable { file: String, why: String },
    #[error("the sandbox cannot run: {0}")]
    Sandbox(#[from] io::Error),
    #[error("{0}")]
    Control(#[from] ControlError),
    #[error("the report cannot be written to {file}: {why}")]
    Report { file: String, why: String },
}

/// 0: all went as written; 1: some did not; 2: they could not be played.
pub(super) async fn run(args: Args) -> ExitCode {
    match outcomes(&args).await {
        Ok(all) if all.iter().all(|it| it.failure.is_none()) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::from(1),
        Err(error) => fail(&error.to_string(), 2),
    }
}

async fn outcomes(args: &Args) -> Result<Vec<Outcome>, RunError> {
    // All are read first: a slip in the last should not be found after the others have been played.
    let mut scenarios = Vec::new();
    for file in &args.scenarios {
        scenarios.push((file.clone(), read(file)?));
    }
    let mut all = Vec::new();
    for (file, scenario) in scenarios {
        let begun = Instant::now();
        let failure = in_sandbox(args, &scenario).await?;
        let outcome = Outcome {
            file,
            name: scenario.name,
            took: begun.elapsed(),
            failure,
        };
        tell(&outcome);
        all.push(outcome);
    }
    if let Some(file) = &args.junit {
        write_report(file, &all)?;
    }
    Ok(all)
}

fn read(file: &Path) -> Result<Scenario, RunError> {
    let unreadable = |why: String| RunError::Unreadable {
        file: file.display().to_string(),
        why,
    };
    let text = std::fs::read_to_string(file).map_err(|error| unreadable(error.to_string()))?;
    Scenario::read(&text).map_err(unreadable)
}

async fn in_sandbox(args: &Args, scenario: &Scenario) -> Result<Option<Failure>, RunError> {
    if let Some(base) = &args.sandbox {
        let control = Control::new(base.clone())?;
        return Ok(play(scenario, &control).await.err());
    }
    let listener = bind_sandbox(args.listen).await?;
    let base = Url::parse(&format!("http://{}", listener.local_addr()?)).map_err(io::Error::other)?;
    let settings = SandboxSettings {
        webhook: args.webhook.clone(),
        pace: args.pace,
        seed: args.seed,
        ..SandboxSettings::default()
    };
    let stop = CancellationToken::new();
    let served = tokio::spawn(sandbox::serve(settings, listener, stop.clone()));
    let played = match Control::new(base) {
        Ok(control) => Ok(play(scenario, &control).await.err()),
        Err(error) => Err(RunError::from(error)),
    };
    stop.cancel();
    served.await.map_err(io::Error::other)??;
    played
}

fn tell(outcome: &Outcome) {
    let seconds = outcome.took.as_secs_f64();
    match &outcome.failure {
        None => println!("ok    {} ({seconds:.1} s)", outcome.name),
        Some(it) => println!(
            "FAIL  {} ({seconds:.1} s)\n      step {}, {}: {}",
            outcome.name, it.step, it.title, it.why
        ),
    }
}

fn write_report(file: &Path, all: &[Outcome]) -> Result<(), RunError> {
    let mut suite = TestSuite::new("chatbridge sandbox");
    for outcome in all {
        let status = match &outcome.failure {
            None => TestCaseStatus::success(),
            Some(it) => {
                let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
                status.set_message(format!("step {}, {}: {}", it.step, it.title, it.why));
                status
            }
        };
        let mut case = TestCase::new(outcome.name.as_str(), status);
        case.set_classname(outcome.file.display().to_string());
        case.set_time(outcome.took);
        suite.add_test_case(case);
    }
    let mut report = Report::new("chatbridge sandbox run");
    report.add_test_suite(suite);
    let failed = |why: String| RunError::Report {
        file: file.display().to_string(),
        why,
    };
    let text = report.to_string().map_err(|why| failed(why.to_string()))?;
    std::fs::write(file, text).map_err(|why| failed(why.to_string()))
}
