//! `chatbridge sandbox fault`: faults of a running sandbox.

#![allow(clippy::print_stdout, reason = "a command line prints")]

use std::process::ExitCode;

use clap::ValueEnum;
use reqwest::Method;
use serde_json::{Map, Value, json};
use url::Url;

use super::{
    super::start::fail,
    control::{Control, ControlError},
};

/// Options of `sandbox fault`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The sandbox.
    #[arg(long, global = true, default_value = "http://127.0.0.1:8088")]
    sandbox: Url,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Set a fault.
    Add(Plan),
    /// List the faults that are set.
    List,
    /// End one fault.
    End {
        /// Its number, as `list` shows it.
        id: u64,
    },
    /// End all faults.
    Clear,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    /// Calls are kept waiting for --ms.
    Latency,
    /// Calls are not done, and answered with --status (and --retry-after).
    Status,
    /// Calls are done, and the connection ends without an answer.
    LostAnswer,
    /// Webhooks are sent --copies times more.
    Duplicate,
    /// Webhooks are sent --ms later.
    Delay,
    /// Webhooks are overtaken by the next one of their conversation, if it comes within --ms.
    Reorder,
    /// A forgery goes before each webhook; --forgery says how.
    Forge,
    /// Webhooks are never sent.
    Drop,
    /// At once: webhooks are signed with a new key.
    RotateKey,
    /// The agent --agent accepts nothing by the script.
    NeverAccepts,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Forgery {
    /// Another body under a true signature.
    Body,
    /// Signed by another key under the true key's identifier.
    Key,
    /// Signed by a key that nobody gave out.
    Kid,
    /// An hour old.
    Stale,
    /// Another tenant's.
    Tenant,
}

/// What is to go wrong.
#[derive(Debug, clap::Args)]
struct Plan {
    kind: Kind,
    /// How often it happens; without it, until it is ended.
    #[arg(long)]
    times: Option<u32>,
    /// Milliseconds.
    #[arg(long)]
    ms: Option<u64>,
    /// From 400 to 599.
    #[arg(long)]
    status: Option<u16>,
    /// Seconds after which to come back, in the header Retry-After.
    #[arg(long)]
    retry_after: Option<u32>,
    /// From 1 to 100.
    #[arg(long)]
    copies: Option<u32>,
    #[arg(long)]
    forgery: Option<Forgery>,
    /// Old public keys can be had no longer.
    #[arg(long)]
    forget_old: bool,
    /// An agent's id.
    #[arg(long)]
    agent: Option<String>,
    /// Only calls with this method.
    #[arg(long)]
    method: Option<String>,
    /// Only calls whose path has this in it.
    #[arg(long)]
    path: Option<String>,
    /// Only webhooks of this type, such as MESSAGE.
    #[arg(long)]
    event_type: Option<String>,
    /// Only what belongs to this conversation.
    #[arg(long)]
    conversation: Option<String>,
}

impl Plan {
    /// As the control API takes it, which also checks what belongs to what.
    fn to_json(&self) -> Value {
        let forgery = self.forgery.and_then(|it| it.to_possible_value());
        let fields = [
            ("kind", Some(json!(camel(self.kind)))),
            ("times", self.times.map(Value::from)),
            ("ms", self.ms.map(Value::from)),
            ("status", self.status.map(Value::from)),
            ("retryAfterSeconds", self.retry_after.map(Value::from)),
            ("copies", self.copies.map(Value::from)),
            ("forgery", forgery.map(|it| json!(it.get_name()))),
            ("keepOld", self.forget_old.then_some(json!(false))),
            ("agent", self.agent.as_deref().map(Value::from)),
            ("method", self.method.as_deref().map(Value::from)),
            ("path", self.path.as_deref().map(Value::from)),
            ("eventType", self.event_type.as_deref().map(Value::from)),
            ("conversationId", self.conversation.as_deref().map(Value::from)),
        ];
        let given = fields
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value?)));
        Value::Object(given.collect::<Map<_, _>>())
    }
}

fn camel(kind: Kind) -> &'static str {
    match kind {
        Kind::Latency => "latency",
        Kind::Status => "status",
        Kind::LostAnswer => "lostAnswer",
        Kind::Duplicate => "duplicate",
        Kind::Delay => "delay",
        Kind::Reorder => "reorder",
        Kind::Forge => "forge",
        Kind::Drop => "drop",
        Kind::RotateKey => "rotateKey",
        Kind::NeverAccepts => "neverAccepts",
    }
}

pub(super) async fn run(args: Args) -> ExitCode {
    match done(args).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error @ ControlError::Refused { .. }) => fail(&error.to_string(), 2),
        Err(error) => fail(&error.to_string(), 1),
    }
}

async fn done(args: Args) -> Result<(), ControlError> {
    let control = Control::new(args.sandbox)?;
    match args.what {
        What::Add(plan) => {
            let set = control
                .ask(Method::POST, "/faults", Some(&plan.to_json()))
                .await?;
            println!("{set}");
        }
        What::List => {
            let all = control.ask(Method::GET, "/faults", None).await?;
            for fault in all["faults"].as_array().into_iter().flatten() {
                println!("{fault}");
            }
        }
        What::End { id } => {
            control
                .ask(Method::DELETE, &format!("/faults/{id}"), None)
                .await?;
        }
        What::Clear => {
            control.ask(Method::DELETE, "/faults", None).await?;
        }
    }
    Ok(())
}
