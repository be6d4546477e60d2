//! What Chatbridge adds to a call, as ratios against floors that are measured in the same run.
//!
//! Each part runs in a process of its own on loopback: Redis, an upstream, the service, and this program, which drives them. All
//! share the machine's cores, so what the service and Redis compute is missing to the upstream and to the driver; a ratio of
//! throughputs says something of the service only where the upstream waits instead of computing. `bench/README.md` tells how
//! to read the rows.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command line prints")]

mod events;
mod load;
mod parts;
mod relay;
mod report;
mod send;
mod single;
mod transfer;
mod upstream;

use std::{error::Error, process::ExitCode, time::Duration};

use parts::Stage;
use report::Report;
use send::Upstream;
use tokio::signal::unix::{SignalKind, signal};

/// What any step may fail with.
type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// How long the slow upstream takes: less than any call over the internet.
const UPSTREAM_DELAY: Duration = Duration::from_millis(20);

/// The parts that measure calls. Those that measure events are in [`events::PARTS`].
const CALLS: [&str; 2] = ["send", "transfer"];

const USAGE: &str = "usage: chatbridge-bench [--quick] [PART...], where a part is one of send, transfer, webhooks, script, latency, \
                     fanout, idle, replay, conversations, replicas; none: all";

#[tokio::main]
async fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        // Processes that a run starts.
        ["relay", ready, to] => relay::serve(ready, to).await,
        ["upstream", ready, delay_ms, file_bytes, per_second] => {
            upstream::serve(ready, delay_ms, file_bytes, per_second).await
        }
        ["floor", ready, redis, jwk] => events::floor::serve(ready, redis, jwk).await,
        _ => tokio::select! {
            done = run(&words) => done,
            // What was started ends with what is dropped here.
            stopped = stopped() => stopped.and(Err("stopped".into())),
        },
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("chatbridge-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Waits for Ctrl-C or SIGTERM.
async fn stopped() -> Result<()> {
    let mut terminated = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted?,
        _ = terminated.recv() => {}
    }
    Ok(())
}

async fn run(words: &[&str]) -> Result<()> {
    let quick = words.contains(&"--quick");
    let named: Vec<&str> = words.iter().copied().filter(|word| *word != "--quick").collect();
    if named
        .iter()
        .any(|part| !CALLS.contains(part) && !events::PARTS.contains(part))
    {
        return Err(USAGE.into());
    }
    let wanted = |part: &&str| named.is_empty() || named.contains(part);
    let calls: Vec<&str> = CALLS.into_iter().filter(wanted).collect();
    let events: Vec<&str> = events::PARTS.into_iter().filter(wanted).collect();
    if !calls.is_empty() {
        measure_calls(if quick { 0.1 } else { 1.0 }, &calls).await?;
    }
    if !events.is_empty() {
        events::run(&events, quick).await?;
    }
    Ok(())
}

async fn measure_calls(effort: f64, parts: &[&str]) -> Result<()> {
    let mut report = Report::default();
    if parts.contains(&"transfer") {
        report = single::threaded(move || transfer::measure(effort, report)).await?;
    }
    if parts.contains(&"send") {
        let stage = Stage::with_sandbox().await?;
        send::measure(&stage, Upstream::Sandbox, effort, &mut report).await?;
        drop(stage);
        let stage = Stage::with_waits(UPSTREAM_DELAY, 0, 1.0).await?;
        send::measure(&stage, Upstream::Waits(UPSTREAM_DELAY), effort, &mut report).await?;
    }
    report.print();
    Ok(())
}
