//! Scenarios: what a customer and agents do, and what must come of it, as a YAML file.

mod expect;
mod play;

use serde::Deserialize;
use serde_json::Value;

pub(super) use self::play::{Failure, play};
use crate::json::Plain;

/// How long something that is expected may take, unless the file says otherwise.
const WITHIN_MS: u64 = 10_000;

/// A scenario as it is written.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Scenario {
    pub(super) name: String,
    /// How the contact centre is set up; left out, as it is.
    #[serde(default)]
    setup: Option<Plain>,
    begin: Begin,
    /// How long each expectation may take, unless it says so itself.
    #[serde(default = "within_ms")]
    within_ms: u64,
    steps: Vec<Step>,
}

fn within_ms() -> u64 {
    WITHIN_MS
}

/// How the conversation begins.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Begin {
    /// In the vendor's widget: the customer writes first, to the bot.
    Widget(Widget),
    /// By the REST API: the fields of a creation, as the vendor has them.
    Api(Plain),
    /// Whoever is tried begins it, for the customer with this user id.
    AwaitUser(String),
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Widget {
    #[serde(default)]
    user: Option<Plain>,
    text: String,
    #[serde(default)]
    channel_id: Option<String>,
}

/// One thing that somebody does or that must come about.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Step {
    CustomerSays(String),
    CustomerSendsFile(File),
    CustomerLeaves,
    AgentSignsIn(String),
    AgentSignsOut(String),
    AgentAccepts(String),
    AgentDeclines(String),
    AgentTypes(String),
    AgentSays(Said),
    AgentTransfers(Transfer),
    AgentLeaves(String),
    AgentWrapsUp(WrapUp),
    Expect(Box<Expect>),
    Fault(Plain),
    EndFaults,
    PauseMs(u64),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: String,
    /// What is in it.
    content: String,
    /// What is said with it.
    text: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    agent: String,
    #[serde(default)]
    text: Option<String>,
    /// A prepared response in place of a text.
    #[serde(default)]
    prepared: Option<String>,
    #[serde(default)]
    cards: Option<Plain>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Transfer {
    agent: String,
    #[serde(default)]
    to_queue: Option<String>,
    #[serde(default)]
    to_agent: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrapUp {
    agent: String,
    #[serde(default)]
    code: Option<String>,
    #[serde(default)]
    note: String,
}

/// What must come about. All that is named must hold at once; a message counts from the last one that was expected.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct Expect {
    message: Option<Line>,
    /// No such message may come for `forMs`.
    no_message: Option<Line>,
    for_ms: Option<u64>,
    state: Option<String>,
    /// The queue that it waits in.
    queue: Option<String>,
    offered_to: Option<String>,
    /// The agent who is there.
    agent: Option<String>,
    /// Fields of the customer.
    user: Option<Plain>,
    /// Pairs of the context that the agent sees.
    context: Option<Plain>,
    /// What the last agent said that it was about.
    transaction_code: Option<String>,
    within_ms: Option<u64>,
}

/// A message that is looked for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    /// `user`, `bot`, `agent`, or an agent's id.
    from: String,
    #[serde(default)]
    contains: Option<String>,
    /// The whole text.
    #[serde(default)]
    text: Option<String>,
}

impl Scenario {
    /// Reads a file's text. Errors say where in it.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        serde_saphyr::from_str(text).map_err(|error| error.to_string())
    }
}

impl Step {
    /// The step in a few words, as reports name it.
    fn title(&self) -> String {
        match self {
            Self::CustomerSays(_) => "customerSays".to_owned(),
            Self::CustomerSendsFile(file) => format!("customerSendsFile {}", file.name),
            Self::CustomerLeaves => "customerLeaves".to_owned(),
            Self::AgentSignsIn(agent) => format!("agentSignsIn {agent}"),
            Self::AgentSignsOut(agent) => format!("agentSignsOut {agent}"),
            Self::AgentAccepts(agent) => format!("agentAccepts {agent}"),
            Self::AgentDeclines(agent) => format!("agentDeclines {agent}"),
            Self::AgentTypes(agent) => format!("agentTypes {agent}"),
            Self::AgentSays(said) => format!("agentSays {}", said.agent),
            Self::AgentTransfers(it) => format!("agentTransfers {}", it.agent),
            Self::AgentLeaves(agent) => format!("agentLeaves {agent}"),
            Self::AgentWrapsUp(it) => format!("agentWrapsUp {}", it.agent),
            Self::Expect(_) => "expect".to_owned(),
            Self::Fault(_) => "fault".to_owned(),
            Self::EndFaults => "endFaults".to_owned(),
            Self::PauseMs(ms) => format!("pauseMs {ms}"),
        }
    }
}

/// A value's text, or nothing.
fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
