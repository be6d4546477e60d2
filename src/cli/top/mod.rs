//! `chatbridge top`: what replicas do, for a person who looks, and for scripts.

mod page;
mod reading;
mod screen;
mod table;

use std::{
    io::{self, IsTerminal as _, Write as _},
    process::ExitCode,
    time::Duration,
};

use serde::Serialize;

use self::{
    page::page,
    reading::{AdminUrl, Reader, Reading},
    screen::Screen,
};
use super::start::{fail, stop_on_signals};

/// How often it looks.
const EVERY: Duration = Duration::from_secs(1);
/// The version of what `--json` prints.
const FORMAT: u32 = 1;

/// Options of `top`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Admin port of a replica, such as http://127.0.0.1:9090; may be given several times. With dns:///HOST:PORT each address of
    /// the name is one, as of a headless service
    #[arg(
        long = "admin",
        value_name = "URL",
        env = "CHATBRIDGE_ADMIN",
        value_delimiter = ',',
        default_value = "http://127.0.0.1:9090"
    )]
    admin: Vec<AdminUrl>,
    /// Print once and end; so it does where standard output is no terminal
    #[arg(long)]
    once: bool,
    /// Print once, as one JSON object
    #[arg(long)]
    json: bool,
    /// Lines of each table at the most
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=20))]
    rows: u16,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Document<'a> {
    format: u32,
    replicas: &'a [Reading],
}

pub(super) async fn run(args: Args) -> ExitCode {
    let mut reader = match Reader::new(args.admin.clone()) {
        Ok(reader) => reader,
        Err(problem) => return fail(&problem, 2),
    };
    if args.once || args.json || !io::stdout().is_terminal() {
        return print(&args, &reader.read().await);
    }
    match watch(&args, &mut reader).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&format!("the terminal cannot be written to: {error}"), 1),
    }
}

/// Prints once. The exit code is 1 where no replica answered.
fn print(args: &Args, replicas: &[Reading]) -> ExitCode {
    let text = if args.json {
        let document = Document {
            format: FORMAT,
            replicas,
        };
        serde_json::to_string_pretty(&document).unwrap_or_default() + "\n"
    } else {
        page(replicas, &[], usize::from(args.rows)).join("\n") + "\n"
    };
    let code = ExitCode::from(u8::from(replicas.iter().all(|reading| reading.status.is_none())));
    match io::stdout().write_all(text.as_bytes()) {
        Ok(()) => code,
        // Whoever read it has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => code,
        Err(error) => fail(&format!("standard output cannot be written to: {error}"), 2),
    }
}

/// Shows it until Ctrl-C, or SIGTERM.
async fn watch(args: &Args, reader: &mut Reader) -> io::Result<()> {
    let stop = stop_on_signals()?;
    let mut screen = Screen::open()?;
    let mut before: Vec<Reading> = Vec::new();
    let mut due = tokio::time::interval(EVERY);
    due.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        let replicas = stop.run_until_cancelled(async {
            due.tick().await;
            reader.read().await
        });
        let Some(replicas) = replicas.await else {
            return Ok(());
        };
        screen.show(&page(&replicas, &before, usize::from(args.rows)))?;
        before = replicas;
    }
}
