//! `chatbridge sandbox`, and what is done with a sandbox from a terminal.

#![allow(clippy::print_stdout, reason = "a command line prints")]

pub(super) mod centre;
mod control;
mod fault;
mod run;
mod scenario;

use std::{collections::BTreeMap, io, net::SocketAddr, path::PathBuf, process::ExitCode};

use url::Url;

use self::centre::CentreArgs;
use super::start::{bind_sandbox, fail, stop_on_signals, write_ready};
use crate::sandbox::{self, Pace, SandboxSettings};

/// Options of `sandbox`.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: ServeArgs,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Play scenarios: what customers and agents do, and what must come of it.
    Run(run::Args),
    /// Let things go wrong in a sandbox that runs.
    Fault(fault::Args),
}

#[derive(Debug, clap::Args)]
struct ServeArgs {
    /// Address to listen on.
    #[arg(long, env = "CHATBRIDGE_SANDBOX_LISTEN", default_value = "127.0.0.1:8088")]
    listen: SocketAddr,
    /// Where to send webhooks; without it, none are sent until one is set through the control API.
    #[arg(long)]
    webhook: Option<Url>,
    /// How long the agents take: `human`, `instant`, or a factor from 0 (at once) over 1 (as people) to 100.
    #[arg(long, default_value = "human")]
    pace: Pace,
    /// Makes the agents' choices repeatable.
    #[arg(long)]
    seed: Option<u64>,
    #[command(flatten)]
    centre: CentreArgs,
    /// Write the address that is listened on to this file, as JSON.
    #[arg(long)]
    ready_file: Option<PathBuf>,
}

impl Args {
    /// What is logged unless told otherwise: a sandbox says what it does, and the rest prints for a person.
    pub(super) fn default_log(&self) -> &'static str {
        match self.command {
            None => "info",
            Some(_) => "error",
        }
    }
}

pub(super) async fn run(args: Args) -> ExitCode {
    match args.command {
        None => run_sandbox(args.serve).await,
        Some(Command::Run(args)) => run::run(args).await,
        Some(Command::Fault(args)) => fault::run(args).await,
    }
}

async fn run_sandbox(args: ServeArgs) -> ExitCode {
    match serve(args).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&format!("the sandbox cannot run: {error}"), code(&error)),
    }
}

/// The exit code of a sandbox that failed: 2 where what it was given is wrong.
pub(super) fn code(error: &io::Error) -> u8 {
    match error.kind() {
        io::ErrorKind::InvalidInput => 2,
        _ => 1,
    }
}

async fn serve(args: ServeArgs) -> io::Result<()> {
    if !args.listen.ip().is_loopback() {
        let problem = "it has a published key and no other protection, so it listens on loopback only";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, problem));
    }
    let listener = bind_sandbox(args.listen).await?;
    let address = listener.local_addr()?;
    let mut settings = SandboxSettings {
        webhook: args.webhook,
        pace: args.pace,
        seed: args.seed,
        ..SandboxSettings::default()
    };
    args.centre.apply(&mut settings)?;
    let title = format!(
        "Chat Gateway (sandbox)  http://{address}   tenant: {}   x-api-key: {}",
        settings.tenant, settings.api_key
    );
    let opened = sandbox::open(settings, listener).await?;
    println!("{title}");
    write_ready(
        args.ready_file.as_deref(),
        &BTreeMap::from([("sandbox", address.to_string())]),
    )?;
    opened.serve(stop_on_signals()?).await
}
