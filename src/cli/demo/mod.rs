//! `chatbridge demo`: the service and the sandbox in this process, and two conversations played from end to end over real
//! gRPC, with every event checked.

mod expect;
mod journeys;
mod order;
mod stage;

use std::{io::Write, process::ExitCode, time::Duration};

use tokio::time::Instant;
use url::Url;

use self::{
    expect::{Expectations, Step},
    order::Order,
    stage::{Heard, Stage},
};
use crate::{
    cli::{
        connect::CliError,
        dev::{self, DevSettings},
        render::{Style, summary},
    },
    grpc::proto::{AgentEvent, AgentEventsRequest, StartPosition, agent_events_request::Start},
    sandbox::Pace,
};

/// How long each step may take at a pace of people or faster.
const PATIENCE: Duration = Duration::from_secs(30);

/// Plays two conversations from end to end and checks every event.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// How long the agents take: `human`, `instant`, or a factor from 0 (at once) over 1 (as people) to 100.
    #[arg(long, default_value = "0.3", allow_negative_numbers = true)]
    pace: Pace,
}

/// Plays and exits with 0 only if everything came, in order, once.
pub async fn run(args: Args) -> ExitCode {
    let ended = tokio::select! {
        ended = start_and_play(&args) => ended.map(|()| ExitCode::SUCCESS),
        // What a shell reports for a program that Ctrl-C ended: nothing was proved.
        _ = tokio::signal::ctrl_c() => Ok(ExitCode::from(130)),
    };
    CliError::exit(ended)
}

async fn start_and_play(args: &Args) -> Result<(), CliError> {
    let patience = args.pace.stretch(PATIENCE);
    let running = dev::start(DevSettings::on_free_ports(args.pace))
        .await
        .map_err(|error| CliError::Failed(error.to_string()))?;
    let (mut out, style) = (std::io::stdout(), Style::of_stdout());
    let played = play(&running.grpc_url, &running.sandbox_url, patience, style, &mut out).await;
    running.stop().await;
    played
}

/// Plays both journeys against a service and its sandbox.
async fn play(
    grpc_url: &str,
    sandbox_url: &Url,
    patience: Duration,
    style: Style,
    out: &mut dyn Write,
) -> Result<(), CliError> {
    let mut stage = Stage::new(grpc_url, sandbox_url.clone(), patience, style, out).await?;
    let everything = AgentEventsRequest {
        include_echoes: true,
        start: Some(Start::Position(StartPosition::Latest.into())),
        ..AgentEventsRequest::default()
    };
    // The bot's one stream: open before anything happens, and over every conversation, also those begun elsewhere.
    let mut bot = Listener::new(stage.hear(everything).await?);

    stage.announce("1. A shop's bot hands over a customer with a damaged kettle")?;
    let retail = retail(&mut stage)
        .await
        .map_err(|error| in_journey("retail", error))?;
    bot.agrees_with(&retail, stage.patience).await?;
    stage.announce("2. A customer begins in the vendor's widget")?;
    let widget = widget(&mut stage, &mut bot)
        .await
        .map_err(|error| in_journey("widget", error))?;

    let events = bot.order.told(&retail.conversation).len() + bot.order.told(&widget).len();
    let seconds = stage.elapsed().as_secs_f64();
    stage.announce(&format!(
        "2 conversations, {events} events, in order, {seconds:.1} s"
    ))
}

fn in_journey(journey: &str, error: CliError) -> CliError {
    match error {
        CliError::Failed(sentence) => CliError::Failed(format!("{journey} journey: {sentence}")),
        other => other,
    }
}

/// A journey that was played on a stream of its own.
struct Played {
    conversation: String,
    events: Vec<String>,
}

/// The caller's way: create, and listen from the cursor that the answer holds.
async fn retail(stage: &mut Stage<'_>) -> Result<Played, CliError> {
    stage.tell("CreateConversation with the bot's transcript and the order, for queue 100")?;
    let created = stage.create(journeys::retail_request("")).await?;
    let request = AgentEventsRequest {
        tenant: created.tenant.clone(),
        conversation_ids: vec![created.conversation_id.clone()],
        include_echoes: true,
        start: Some(Start::Cursor(created.cursor)),
        ..AgentEventsRequest::default()
    };
    let mut own = Listener::new(stage.hear(request).await?);
    follow(
        stage,
        &mut own,
        &created.conversation_id,
        journeys::retail_steps(),
    )
    .await?;
    let events = own.order.told(&created.conversation_id).to_vec();
    Ok(Played {
        conversation: created.conversation_id,
        events,
    })
}

/// The bot's way: it hears of the conversation on the stream that it holds.
async fn widget(stage: &mut Stage<'_>, bot: &mut Listener) -> Result<String, CliError> {
    stage.tell("the customer writes in the widget")?;
    let conversation = stage.create_in_widget().await?;
    follow(stage, bot, &conversation, journeys::widget_steps()).await?;
    Ok(conversation)
}

/// Plays one journey: hears what comes, and does what each step asks for.
async fn follow(
    stage: &mut Stage<'_>,
    listener: &mut Listener,
    conversation: &str,
    steps: Vec<Step>,
) -> Result<(), CliError> {
    let mut expectations = Expectations::new(steps);
    let mut since = Vec::new();
    let mut until = Instant::now() + stage.patience;
    while let Some(label) = expectations.awaited().map(|step| step.label) {
        let Some(event) = listener.next_of(conversation, until).await? else {
            return Err(missing(label, &since, stage.patience));
        };
        let step = match expectations.see(&event) {
            Ok(step) => step.cloned(),
            Err(unexpected) => {
                stage.show(&event, false)?;
                return Err(CliError::Failed(unexpected.to_string()));
            }
        };
        stage.show(&event, step.is_some())?;
        let Some(step) = step else {
            since.push(summary(&event));
            continue;
        };
        if let Some(act) = &step.then {
            stage.act(act, &event.tenant, conversation).await?;
        }
        since.clear();
        until = Instant::now() + stage.patience;
    }
    Ok(())
}

fn missing(label: &str, since: &[String], patience: Duration) -> CliError {
    let came = if since.is_empty() {
        "nothing".to_owned()
    } else {
        since.join("; ")
    };
    let seconds = patience.as_secs_f64();
    CliError::Failed(format!(
        "expected: {label}; what came instead within {seconds} s: {came}"
    ))
}

/// A stream whose order is checked whoever listens.
struct Listener {
    heard: Heard,
    order: Order,
}

impl Listener {
    fn new(heard: Heard) -> Self {
        Self {
            heard,
            order: Order::default(),
        }
    }

    /// The next event of this conversation; none where none comes in time. Those of others are checked and passed over.
    async fn next_of(&mut self, conversation: &str, until: Instant) -> Result<Option<AgentEvent>, CliError> {
        while let Some(event) = self.heard.next(until).await? {
            self.order
                .see(&event)
                .map_err(|disorder| CliError::Failed(disorder.to_string()))?;
            if event.conversation_id == conversation {
                return Ok(Some(event));
            }
        }
        Ok(None)
    }

    /// Whether this stream, which is over all conversations, tells a journey as the journey's own stream did.
    async fn agrees_with(&mut self, played: &Played, patience: Duration) -> Result<(), CliError> {
        let until = Instant::now() + patience;
        while self.order.told(&played.conversation).len() < played.events.len() {
            if self.next_of(&played.conversation, until).await?.is_none() {
                break;
            }
        }
        let told = self.order.told(&played.conversation);
        if told == played.events {
            return Ok(());
        }
        Err(CliError::Failed(format!(
            "expected: the stream over all conversations tells the retail journey as its own stream did, in {} events; \
             what came instead: {} events, or others",
            played.events.len(),
            told.len(),
        )))
    }
}

#[cfg(test)]
mod tests;
