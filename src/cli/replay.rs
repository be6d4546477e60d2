//! `chatbridge replay`.

#![allow(clippy::print_stdout, reason = "a command line prints")]

use std::{fs::File, io::BufReader, net::SocketAddr, path::PathBuf, process::ExitCode, time::Duration};

use tokio::{
    io::{AsyncBufReadExt as _, Lines, Stdin},
    net::TcpListener,
    time::Instant,
};
use tokio_util::sync::CancellationToken;
use url::Url;

use super::{
    render::escape,
    start::{fail, stop_on_signals},
};
use crate::recording::{Hook, Recording, Stage};

/// Options of `replay`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The recording.
    file: PathBuf,
    /// Address to stand in for 8x8: the service's gateway_url, from which it fetches the key that webhooks are signed with here.
    #[arg(long, default_value = "127.0.0.1:8088")]
    listen: SocketAddr,
    /// The service's webhook door.
    #[arg(long, default_value = "http://127.0.0.1:8080/webhooks/8x8")]
    webhook_url: Url,
    /// How many times faster than it was recorded; 0: without any pause.
    #[arg(long, default_value_t = 1.0, value_parser = speed)]
    speed: f64,
    /// Wait for Enter before each webhook, whatever the speed.
    #[arg(long)]
    step: bool,
    /// Go on answering calls once all webhooks were sent, until Ctrl-C.
    #[arg(long)]
    stay: bool,
}

fn speed(text: &str) -> Result<f64, String> {
    let speed = text
        .parse()
        .ok()
        .filter(|speed: &f64| (0.0..=1e6).contains(speed));
    speed.ok_or_else(|| "a number from 0 to 1000000".to_owned())
}

pub(super) async fn run(args: Args) -> ExitCode {
    match replay(&args).await {
        Ok(0) => ExitCode::SUCCESS,
        Ok(differing) => fail(
            &format!("{differing} webhook(s) were not taken as they were when recorded"),
            1,
        ),
        Err((problem, code)) => fail(&problem, code),
    }
}

async fn replay(args: &Args) -> Result<usize, (String, u8)> {
    let shown = args.file.display();
    let file = File::open(&args.file).map_err(|error| (format!("{shown}: cannot be read: {error}"), 2))?;
    let recording =
        Recording::read(BufReader::new(file)).map_err(|error| (format!("{shown}: {error}"), 2))?;
    let stage = Stage::new(recording).map_err(|error| (error.to_string(), 1))?;
    let listener = TcpListener::bind(args.listen).await.map_err(|error| {
        let problem = format!(
            "cannot listen on {}: {error}; choose another with --listen",
            args.listen
        );
        (problem, 2)
    })?;
    let failed = |error: std::io::Error| (format!("the replay failed: {error}"), 1);
    let stop = stop_on_signals().map_err(failed)?;
    let serving = tokio::spawn(stage.clone().serve(listener, stop.clone()));
    let differing = play(args, &stage, &stop).await;
    if args.stay {
        stop.cancelled().await;
    }
    stop.cancel();
    serving
        .await
        .map_err(std::io::Error::other)
        .flatten()
        .map_err(failed)?;
    Ok(differing)
}

/// Sends the webhooks, and answers how many were not taken that had been.
async fn play(args: &Args, stage: &Stage, stop: &CancellationToken) -> usize {
    let began = Instant::now();
    let first_ms = stage.webhooks().first().map_or(0, |hook| hook.at_ms);
    let mut lines = tokio::io::BufReader::new(tokio::io::stdin()).lines();
    let mut differing = 0;
    for hook in stage.webhooks() {
        let turn = turn(args, hook, first_ms, began, &mut lines);
        if stop.run_until_cancelled(turn).await != Some(true) {
            break;
        }
        let played = stage.play(hook, &args.webhook_url).await;
        let status = played
            .status
            .map_or("no answer".to_owned(), |status| status.to_string());
        println!(
            "{:<20} {} {status}",
            escape(&played.event_type),
            escape(&played.event)
        );
        differing += usize::from(!played.is_as_recorded);
    }
    differing
}

/// Waits until a webhook's turn; false where it never comes.
async fn turn(
    args: &Args,
    hook: &Hook,
    first_ms: u64,
    began: Instant,
    lines: &mut Lines<tokio::io::BufReader<Stdin>>,
) -> bool {
    if args.step {
        let next = hook.body["eventType"].as_str().unwrap_or_default();
        println!("next: {} (Enter)", escape(next));
        return matches!(lines.next_line().await, Ok(Some(_)));
    }
    if args.speed > 0.0 {
        let after_ms = hook.at_ms.saturating_sub(first_ms) as f64 / args.speed;
        tokio::time::sleep_until(began + Duration::from_secs_f64(after_ms / 1000.0)).await;
    }
    true
}
