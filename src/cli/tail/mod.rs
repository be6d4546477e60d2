//! `chatbridge tail`: prints events as they come, and resumes where it was.

mod cursor_file;
mod from;

use std::{io::Write, path::PathBuf, process::ExitCode};

use clap::ValueEnum;

use self::{cursor_file::CursorFile, from::StartFrom};
use crate::{
    cli::{
        connect::{CliError, Follow, Followed, ServerArgs, is_fatal_gap},
        render::{JsonLines, Style, escape, kind_named, line},
    },
    grpc::proto::{
        AgentEventsRequest, AgentEventsResponse, EventKind, GapPolicy, agent_events_request::Start,
        agent_events_response::Payload,
    },
};

/// Prints events as they come.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    server: ServerArgs,
    /// Only this conversation; may be given several times
    #[arg(long = "conversation", value_name = "ID")]
    conversations: Vec<String>,
    /// Only this kind of event, such as message or member-changed; may be given several times
    #[arg(long = "kind", value_name = "KIND", value_parser = kind_named)]
    kinds: Vec<EventKind>,
    /// Also the echoes of the bot's own messages
    #[arg(long)]
    echoes: bool,
    /// Also each webhook's body as it was received
    #[arg(long)]
    raw: bool,
    /// Where to start: latest, earliest, a time such as 2026-01-31T12:00:00Z, or a cursor in base64
    #[arg(
        long,
        value_name = "START",
        default_value = "latest",
        allow_hyphen_values = true
    )]
    from: StartFrom,
    /// Keeps the place in this file: where it exists, its cursor goes before --from
    #[arg(long, value_name = "PATH")]
    cursor_file: Option<PathBuf>,
    /// What to do where events since the start are gone
    #[arg(long, value_enum, default_value_t = OnGap::Earliest)]
    on_gap: OnGap,
    /// How events are printed; json is one object on a line, as protobuf's JSON mapping has it
    #[arg(long, value_enum, default_value_t = Output::Human)]
    output: Output,
    /// Also heartbeats
    #[arg(long)]
    heartbeats: bool,
    /// Ends after so many events
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum OnGap {
    /// Say so and fail
    Fail,
    /// Say so and go on from the oldest event that is left
    Earliest,
    /// Say so and go on with what comes from now on
    Latest,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Output {
    Human,
    Json,
}

/// Runs until `--limit`, Ctrl-C, or something that a reconnect does not cure.
pub async fn run(args: Args) -> ExitCode {
    let style = Style::of_stdout();
    // Between two waits a response is printed and its cursor kept, so to end in a wait loses nothing.
    let (mut out, mut notices) = (std::io::stdout(), std::io::stderr());
    let ended = tokio::select! {
        ended = tail(&args, style, &mut out, &mut notices) => ended,
        _ = tokio::signal::ctrl_c() => Ok(()),
    };
    CliError::exit(ended.map(|()| ExitCode::SUCCESS))
}

async fn tail(
    args: &Args,
    style: Style,
    out: &mut impl Write,
    notices: &mut impl Write,
) -> Result<(), CliError> {
    let cursor_file = args.cursor_file.clone().map(CursorFile::new);
    let kept = match &cursor_file {
        Some(file) => file.read()?,
        None => None,
    };
    let start = kept.map_or_else(|| args.from.start(), Start::Cursor);
    let mut follow = Follow::new(args.server.server()?, request(args, start));
    let mut printer = Printer::new(args, style)?;
    loop {
        let response = match follow.next().await? {
            Followed::Response(response) => response,
            Followed::Interrupted { why, wait } => {
                // Whoever closed standard error wants no notices; that is no reason to stop.
                let _ = writeln!(notices, "{why}; connecting again in {:.1} s", wait.as_secs_f64());
                continue;
            }
        };
        printer.print(&response, out)?;
        if let Some(file) = &cursor_file
            && !is_fatal_gap(&response, args.on_gap.policy())
        {
            file.write(&response.cursor)?;
        }
        if printer.left == Some(0) {
            return Ok(());
        }
    }
}

fn request(args: &Args, start: Start) -> AgentEventsRequest {
    AgentEventsRequest {
        tenant: args.server.tenant.clone(),
        conversation_ids: args.conversations.clone(),
        kinds: args.kinds.iter().map(|kind| i32::from(*kind)).collect(),
        include_echoes: args.echoes,
        include_raw: args.raw,
        gap_policy: args.on_gap.policy().into(),
        start: Some(start),
        ..AgentEventsRequest::default()
    }
}

impl OnGap {
    fn policy(self) -> GapPolicy {
        match self {
            Self::Fail => GapPolicy::Fail,
            Self::Earliest => GapPolicy::Earliest,
            Self::Latest => GapPolicy::Latest,
        }
    }
}

struct Printer {
    style: Style,
    json: Option<JsonLines>,
    heartbeats: bool,
    /// Events until the limit.
    left: Option<u64>,
}

impl Printer {
    fn new(args: &Args, style: Style) -> Result<Self, CliError> {
        let json = match args.output {
            Output::Json => Some(JsonLines::new()?),
            Output::Human => None,
        };
        Ok(Self {
            style,
            json,
            heartbeats: args.heartbeats,
            left: args.limit,
        })
    }

    fn print(&mut self, response: &AgentEventsResponse, out: &mut impl Write) -> Result<(), CliError> {
        let silent = match response.payload {
            Some(Payload::Heartbeat(_)) => !self.heartbeats,
            // Standard error tells people of the break that follows.
            Some(Payload::Ending(_)) => self.json.is_none(),
            _ => false,
        };
        if silent {
            return Ok(());
        }
        match &self.json {
            Some(json) => writeln!(out, "{}", json.line(response)?)?,
            None => writeln!(out, "{}", line(response, self.style))?,
        }
        if let Some(Payload::Event(event)) = &response.payload {
            if self.json.is_none() && !event.raw_json.is_empty() {
                writeln!(out, "    {}", escape(&String::from_utf8_lossy(&event.raw_json)))?;
            }
            self.left = self.left.map(|left| left.saturating_sub(1));
        }
        out.flush()?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
