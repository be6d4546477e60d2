//! The command line. Its commands are clients of the service, or start it; nothing here knows more than a user could.

pub mod chat;
pub mod connect;
mod dead_letters;
pub mod demo;
pub mod dev;
mod doctor;
mod entry_format;
mod health;
mod record;
pub mod render;
mod replay;
mod sandbox;
mod serve;
mod start;
pub mod tail;
mod token;
mod top;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::telemetry::logs::{self, LogFormat};

/// Puts customers of your own app or bot in touch with agents of an 8x8 contact centre, over gRPC.
#[derive(Debug, Parser)]
#[command(name = "chatbridge", version, max_term_width = 110)]
pub struct Cli {
    /// How log lines are written (to standard error).
    #[arg(
        long,
        global = true,
        env = "CHATBRIDGE_LOG_FORMAT",
        value_enum,
        default_value = "text"
    )]
    log_format: LogFormat,
    /// What is logged, such as `info` or `warn,chatbridge=debug`.
    #[arg(long, global = true, env = "CHATBRIDGE_LOG")]
    log: Option<String>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the service.
    Serve(serve::Args),
    /// Run a Chat Gateway on this machine, with scripted agents.
    Sandbox(Box<sandbox::Args>),
    /// Run the service and the sandbox, wired together; nothing else is needed.
    Dev(dev::Args),
    /// Be a customer: start a conversation from this terminal.
    Chat(chat::Args),
    /// Show events as they come.
    Tail(tail::Args),
    /// Show what replicas do: sessions, streams and their lag, subscriptions, webhooks.
    Top(top::Args),
    /// Make a token for a caller, and the hash by which the service knows it.
    Token(token::Args),
    /// Check settings, Redis, 8x8's side and certificates, and say what to do; or explain why a webhook was refused.
    Doctor(doctor::Args),
    /// Show or change in which format events are stored, before and after an upgrade.
    EntryFormat(entry_format::Args),
    /// Show what waits for webhooks of Chat API v2 and what was given up, or send that again.
    DeadLetters(dead_letters::Args),
    /// Ask a service for its health, as a probe does.
    Health(health::Args),
    /// Record webhooks and calls between 8x8 and a service, without what people said.
    Record(record::Args),
    /// Play a recording to a service, in 8x8's place.
    Replay(replay::Args),
    /// Play two conversations end to end and check every event.
    Demo(demo::Args),
}

impl Command {
    /// Programs that print for a person log only what is wrong, unless told otherwise.
    fn default_log(&self) -> &'static str {
        match self {
            Self::Serve(_) => "info",
            Self::Sandbox(args) => args.default_log(),
            Self::Dev(_) | Self::Chat(_) | Self::Tail(_) | Self::Record(_) | Self::Replay(_) => "warn",
            Self::Demo(_)
            | Self::Token(_)
            | Self::Doctor(_)
            | Self::Health(_)
            | Self::Top(_)
            | Self::EntryFormat(_)
            | Self::DeadLetters(_) => "error",
        }
    }
}

/// Runs a command line to its end.
pub async fn run(cli: Cli) -> ExitCode {
    let filter = cli.log.as_deref().unwrap_or(cli.command.default_log());
    if let Err(problem) = logs::init(cli.log_format, filter) {
        return start::fail(&problem, 2);
    }
    match cli.command {
        Command::Serve(args) => serve::run(args).await,
        Command::Sandbox(args) => sandbox::run(*args).await,
        Command::Dev(args) => dev::run(args).await,
        Command::Chat(args) => chat::run(args).await,
        Command::Tail(args) => tail::run(args).await,
        Command::Top(args) => top::run(args).await,
        Command::Token(args) => token::run(&args),
        Command::Doctor(args) => doctor::run(args).await,
        Command::EntryFormat(args) => entry_format::run(args).await,
        Command::DeadLetters(args) => dead_letters::run(args).await,
        Command::Health(args) => health::run(args).await,
        Command::Record(args) => record::run(args).await,
        Command::Replay(args) => replay::run(args).await,
        Command::Demo(args) => demo::run(args).await,
    }
}
