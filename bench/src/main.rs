//! What Chatbridge adds to a call, as ratios against floors that are measured in the same run.
//!
//! Each part runs in a process of its own on loopback: Redis, an upstream, the service, and this program, which drives them. All
//! share the machine's cores, so what the service and Redis compute is missing to the upstream and to the driver; a ratio of
//! throughputs says something of the service only where the upstream waits instead of computing. `bench/README.md` tells how
//! to read the rows.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command line prints")]

mod load;
mod parts;
mod report;
mod send;
mod transfer;
mod upstream;

use std::{error::Error, process::ExitCode, time::Duration};

use parts::Stage;
use report::Report;
use send::Upstream;

/// What any step may fail with.
type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// How long the slow upstream takes: less than any call over the internet.
const UPSTREAM_DELAY: Duration = Duration::from_millis(20);

#[tokio::main]
async fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["upstream", ready, delay_ms] => upstream::serve(ready, delay_ms).await,
        [] => run(1.0, &["send", "transfer"]).await,
        ["--quick"] => run(0.1, &["send", "transfer"]).await,
        [part @ ("send" | "transfer")] => run(1.0, &[part]).await,
        _ => Err("usage: chatbridge-bench [--quick | send | transfer]".into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("chatbridge-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(effort: f64, parts: &[&str]) -> Result<()> {
    let mut report = Report::default();
    let stage = Stage::with_sandbox().await?;
    if parts.contains(&"transfer") {
        transfer::measure(&stage, effort, &mut report).await?;
    }
    if parts.contains(&"send") {
        send::measure(&stage, Upstream::Sandbox, effort, &mut report).await?;
        drop(stage);
        let stage = Stage::with_delay(UPSTREAM_DELAY).await?;
        send::measure(&stage, Upstream::Waits(UPSTREAM_DELAY), effort, &mut report).await?;
    }
    report.print();
    Ok(())
}
