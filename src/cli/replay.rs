//! `chatbridge replay`.

#![allow(clippy::print_stdout, reason = "a command line prints")]

use std::{fs::File, io::BufReader, net::SocketAddr, path::PathBuf, process::ExitCode, time::Duration};

use tokio::{
    net::TcpListener,
    sync::mpsc::{UnboundedReceiver, unbounded_channel},
    time::Instant,
};
use tokio_util::sync::CancellationToken;
use url::Url;

use super::{
    render::escape,
    start::{fail, stop_on_signals},
};
use crate::recording::{Call, Caller, Entry, Outcome, Recording, Stage};

/// Options of `replay`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The recording.
    file: PathBuf,
    /// Make the recorded calls to the sandbox that runs there, in place of sending the webhooks to a service.
    #[arg(long, conflicts_with_all = ["listen", "webhook_url", "stay"])]
    sandbox: Option<Url>,
    /// Address to stand in for 8x8: the service's gateway_url, from which it fetches the key that webhooks are signed with here.
    #[arg(long, default_value = "127.0.0.1:8088")]
    listen: SocketAddr,
    /// The service's webhook door.
    #[arg(long, default_value = "http://127.0.0.1:8080/webhooks/8x8")]
    webhook_url: Url,
    /// How many times faster than it was recorded; 0: without any pause.
    #[arg(long, default_value_t = 1.0, value_parser = speed)]
    speed: f64,
    /// Wait for Enter before each webhook or call, whatever the speed.
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
    let (played, what) = match &args.sandbox {
        Some(sandbox) => (call(&args, sandbox).await, "call(s) were not answered"),
        None => (replay(&args).await, "webhook(s) were not taken"),
    };
    match played {
        Ok(0) => ExitCode::SUCCESS,
        Ok(differing) => fail(&format!("{differing} {what} as they were when recorded"), 1),
        Err((problem, code)) => fail(&problem, code),
    }
}

fn read(args: &Args) -> Result<Recording, (String, u8)> {
    let shown = args.file.display();
    let file = File::open(&args.file).map_err(|error| (format!("{shown}: cannot be read: {error}"), 2))?;
    Recording::read(BufReader::new(file)).map_err(|error| (format!("{shown}: {error}"), 2))
}

fn failed(error: &std::io::Error) -> (String, u8) {
    (format!("the replay failed: {error}"), 1)
}

async fn replay(args: &Args) -> Result<usize, (String, u8)> {
    let stage = Stage::new(read(args)?).map_err(|error| (error.to_string(), 1))?;
    let listener = TcpListener::bind(args.listen).await.map_err(|error| {
        let problem = format!(
            "cannot listen on {}: {error}; choose another with --listen",
            args.listen
        );
        (problem, 2)
    })?;
    println!(
        "stands in for 8x8 at http://{}",
        listener.local_addr().map_err(|error| failed(&error))?
    );
    let stop = stop_on_signals().map_err(|error| failed(&error))?;
    let serving = tokio::spawn(stage.clone().serve(listener, stop.clone()));
    let differing = play(args, &stage, &stop).await;
    if args.stay && !stop.is_cancelled() {
        println!("all was sent; calls are answered until Ctrl-C");
        stop.cancelled().await;
    }
    stop.cancel();
    serving
        .await
        .map_err(std::io::Error::other)
        .flatten()
        .map_err(|error| failed(&error))?;
    Ok(differing)
}

/// Sends the webhooks, and answers how many were not taken that had been.
async fn play(args: &Args, stage: &Stage, stop: &CancellationToken) -> usize {
    let first_ms = stage.webhooks().first().map_or(0, |hook| hook.at_ms);
    let mut pacer = Pacer::new(args, first_ms);
    let mut differing = 0;
    for hook in stage.webhooks() {
        let next = hook.body["eventType"].as_str().unwrap_or_default();
        let turn = pacer.turn(hook.at_ms, next);
        if stop.run_until_cancelled(turn).await != Some(true) {
            break;
        }
        let played = stage.play(hook, &args.webhook_url).await;
        println!(
            "{:<20} {} {}",
            escape(&played.event_type),
            escape(&played.event),
            shown(played.status)
        );
        differing += usize::from(!played.is_as_recorded);
    }
    differing
}

fn shown(status: Option<u16>) -> String {
    status.map_or("no answer".to_owned(), |status| status.to_string())
}

/// Makes the calls, and answers how many were not answered as they had been.
async fn call(args: &Args, sandbox: &Url) -> Result<usize, (String, u8)> {
    let calls: Vec<Call> = read(args)?.entries.into_iter().filter_map(call_of).collect();
    let stop = stop_on_signals().map_err(|error| failed(&error))?;
    let mut caller = Caller::new(sandbox.clone())
        .await
        .map_err(|error| (error.to_string(), 2))?;
    let mut pacer = Pacer::new(args, calls.first().map_or(0, |call| call.at_ms));
    let mut differing = 0;
    for call in &calls {
        let next = format!("{} {}", call.method, call.path);
        let turn = pacer.turn(call.at_ms, &next);
        if stop.run_until_cancelled(turn).await != Some(true) {
            break;
        }
        let made = caller.make(call).await;
        let outcome = match made.outcome {
            Outcome::AsRecorded => shown(made.status),
            Outcome::Differs => format!("{}, and was {}", shown(made.status), call.status),
            Outcome::LeftOut(why) => format!("left out: {why}"),
        };
        println!("{:<6} {} {outcome}", escape(&made.method), escape(&made.path));
        differing += usize::from(made.outcome == Outcome::Differs);
    }
    Ok(differing)
}

fn call_of(entry: Entry) -> Option<Call> {
    match entry {
        Entry::Call(call) => Some(call),
        Entry::Webhook(_) => None,
    }
}

/// Says when it is whose turn.
struct Pacer {
    began: Instant,
    first_ms: u64,
    speed: f64,
    /// A line for each Enter, where it is waited for.
    enters: Option<UnboundedReceiver<()>>,
}

/// A message for each line of the input. From a thread of its own: a read of a terminal cannot be called off, and the end of the
/// program should not wait for it.
fn enters() -> UnboundedReceiver<()> {
    let (enter, enters) = unbounded_channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lines() {
            if line.is_err() || enter.send(()).is_err() {
                break;
            }
        }
    });
    enters
}

impl Pacer {
    fn new(args: &Args, first_ms: u64) -> Self {
        Self {
            began: Instant::now(),
            first_ms,
            speed: args.speed,
            enters: args.step.then(enters),
        }
    }

    /// Waits until it is the turn of what was recorded at this time; false where it never comes.
    async fn turn(&mut self, at_ms: u64, next: &str) -> bool {
        if let Some(enters) = &mut self.enters {
            println!("next: {} (Enter)", escape(next));
            return enters.recv().await.is_some();
        }
        if self.speed > 0.0 {
            let after_ms = at_ms.saturating_sub(self.first_ms) as f64 / self.speed;
            tokio::time::sleep_until(self.began + Duration::from_secs_f64(after_ms / 1000.0)).await;
        }
        true
    }
}
