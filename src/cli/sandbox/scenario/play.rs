//! Plays a scenario in a sandbox.

use std::{collections::BTreeSet, time::Duration};

use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{Begin, Expect, Line, Scenario, Step, text};
use crate::cli::sandbox::control::{Control, ControlError};

/// How often a conversation is looked at while something is expected.
const LOOK: Duration = Duration::from_millis(25);

/// What did not go as it was written.
#[derive(Debug)]
pub(in crate::cli::sandbox) struct Failure {
    /// Which step: 0 is the beginning.
    pub(in crate::cli::sandbox) step: usize,
    pub(in crate::cli::sandbox) title: String,
    pub(in crate::cli::sandbox) why: String,
}

/// Plays it to its end or its first failure, and leaves no fault and nobody signed in behind.
pub(in crate::cli::sandbox) async fn play(scenario: &Scenario, control: &Control) -> Result<(), Failure> {
    let mut player = Player {
        control,
        within_ms: scenario.within_ms,
        widget: matches!(scenario.begin, Begin::Widget(_)),
        conversation: String::new(),
        heard: 0,
        signed_in: BTreeSet::new(),
        faults: Vec::new(),
    };
    let played = player.all(scenario).await;
    let tidied = player.tidy().await;
    played?;
    tidied.map_err(|why| Failure {
        step: scenario.steps.len(),
        title: "the end".to_owned(),
        why: why.to_string(),
    })
}

struct Player<'a> {
    control: &'a Control,
    within_ms: u64,
    /// Whether the customer is in the widget, and not behind the REST API.
    widget: bool,
    conversation: String,
    /// How many messages lie before those that are still expected.
    heard: usize,
    signed_in: BTreeSet<String>,
    faults: Vec<u64>,
}

impl Player<'_> {
    async fn all(&mut self, scenario: &Scenario) -> Result<(), Failure> {
        let at_begin = |why: String| Failure {
            step: 0,
            title: "begin".to_owned(),
            why,
        };
        if let Some(setup) = &scenario.setup {
            let set = self.control.ask(Method::PUT, "/setup", Some(&setup.0)).await;
            set.map_err(|why| at_begin(why.to_string()))?;
        }
        // Agents who sign in before the conversation begins are there for its first offer.
        let early = scenario.steps.iter().take_while(|it| it.may_precede()).count();
        for (n, step) in scenario.steps.iter().take(early).enumerate() {
            self.one(n, step).await?;
        }
        self.conversation = self.begin(&scenario.begin).await.map_err(at_begin)?;
        for (n, step) in scenario.steps.iter().enumerate().skip(early) {
            self.one(n, step).await?;
        }
        Ok(())
    }

    async fn one(&mut self, n: usize, step: &Step) -> Result<(), Failure> {
        self.step(step).await.map_err(|why| Failure {
            step: n + 1,
            title: step.title(),
            why,
        })
    }

    async fn begin(&mut self, begin: &Begin) -> Result<String, String> {
        match begin {
            Begin::Widget(it) => {
                let mut body = json!({"text": it.text});
                if let Some(user) = &it.user {
                    body["user"] = user.0.clone();
                }
                if let Some(channel) = &it.channel_id {
                    body["channelId"] = json!(channel);
                }
                let begun = self
                    .ask(Method::POST, "/widget/conversations", Some(&body))
                    .await?;
                Ok(text(&begun["conversationId"]).to_owned())
            }
            Begin::Api(creation) => {
                let mut body = creation.0.clone();
                if let Some(fields) = body.as_object_mut() {
                    fields.entry("channelId").or_insert(json!("sandbox-chat"));
                }
                let begun = self
                    .control
                    .call(Method::POST, "/conversations", Some(&body))
                    .await;
                let begun = begun.map_err(|why| why.to_string())?;
                Ok(text(&begun["conversationId"]).to_owned())
            }
            Begin::AwaitUser(user) => self.awaited(user).await,
        }
    }

    /// The conversation of a customer, once somebody has begun it.
    async fn awaited(&self, user: &str) -> Result<String, String> {
        let end = Instant::now() + Duration::from_millis(self.within_ms);
        loop {
            let all = self.ask(Method::GET, "/conversations", None).await?;
            let all = all["conversations"].as_array().into_iter().flatten();
            let mut of_user =
                all.filter(|it| text(&it["user"]["userId"]) == user && text(&it["state"]) != "idle");
            if let Some(found) = of_user.next() {
                return Ok(text(&found["conversationId"]).to_owned());
            }
            if Instant::now() >= end {
                return Err(format!(
                    "nobody began a conversation for the user {user} within {} ms",
                    self.within_ms
                ));
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    async fn step(&mut self, step: &Step) -> Result<(), String> {
        match step {
            Step::CustomerSays(said) => self.customer_says(said, None).await,
            Step::CustomerSendsFile(file) => {
                if !self.widget {
                    return Err(
                        "only a customer in the widget sends files here: begin with widget".to_owned(),
                    );
                }
                let path = format!("/widget/conversations/{}/files", self.conversation);
                let added = self.control.upload(&path, &file.name, file.content.clone()).await;
                let added = added.map_err(|why| why.to_string())?;
                self.customer_says(&file.text, Some(&added["id"])).await
            }
            Step::CustomerLeaves => self.customer_leaves().await,
            Step::AgentSignsIn(agent) => {
                let path = format!("/agents/{agent}/sign-in");
                self.ask(Method::POST, &path, Some(&json!({}))).await?;
                self.signed_in.insert(agent.clone());
                Ok(())
            }
            Step::AgentSignsOut(agent) => {
                self.signed_in.remove(agent);
                self.sign_out(agent).await.map_err(|why| why.to_string())
            }
            Step::AgentAccepts(agent) => {
                self.offered(agent).await?;
                self.sit(agent, json!({"action": "accept"})).await
            }
            Step::AgentDeclines(agent) => {
                self.offered(agent).await?;
                self.sit(agent, json!({"action": "decline"})).await
            }
            Step::AgentTypes(agent) => self.sit(agent, json!({"action": "typing"})).await,
            Step::AgentSays(it) => {
                let mut action = json!({"action": "say"});
                if let Some(said) = &it.text {
                    action["text"] = json!(said);
                }
                if let Some(prepared) = &it.prepared {
                    action["prepared"] = json!(prepared);
                }
                if let Some(cards) = &it.cards {
                    action["cards"] = cards.0.clone();
                }
                self.sit(&it.agent, action).await
            }
            Step::AgentTransfers(it) => {
                let action = match (&it.to_queue, &it.to_agent) {
                    (Some(queue), None) => json!({"action": "transfer", "queueId": queue}),
                    (None, Some(agent)) => json!({"action": "transfer", "agentId": agent}),
                    _ => return Err("give toQueue or toAgent, one of them".to_owned()),
                };
                self.sit(&it.agent, action).await
            }
            Step::AgentLeaves(agent) => self.sit(agent, json!({"action": "leave"})).await,
            Step::AgentWrapsUp(it) => {
                let mut action = json!({"action": "wrapUp", "note": it.note});
                if let Some(code) = &it.code {
                    action["code"] = json!(code);
                }
                self.sit(&it.agent, action).await
            }
            Step::Expect(expect) => self.expect(expect).await,
            Step::Fault(plan) => {
                let set = self.ask(Method::POST, "/faults", Some(&plan.0)).await?;
                self.faults.extend(set["id"].as_u64());
                Ok(())
            }
            Step::EndFaults => self.end_faults().await.map_err(|why| why.to_string()),
            Step::PauseMs(ms) => {
                tokio::time::sleep(Duration::from_millis(*ms)).await;
                Ok(())
            }
        }
    }

    async fn ask(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, String> {
        self.control
            .ask(method, path, body)
            .await
            .map_err(|why| why.to_string())
    }

    async fn sit(&self, agent: &str, action: Value) -> Result<(), String> {
        let path = format!("/agents/{agent}/conversations/{}", self.conversation);
        self.ask(Method::POST, &path, Some(&action)).await.map(drop)
    }

    async fn customer_says(&self, said: &str, file: Option<&Value>) -> Result<(), String> {
        if self.widget {
            let mut body = json!({"text": said});
            if let Some(file) = file {
                body["attachments"] = json!([file]);
            }
            let path = format!("/widget/conversations/{}/messages", self.conversation);
            return self.ask(Method::POST, &path, Some(&body)).await.map(drop);
        }
        let path = format!("/conversations/{}/messages", self.conversation);
        let body = json!({"authorType": "user", "text": said});
        let sent = self.control.call(Method::POST, &path, Some(&body)).await;
        sent.map(drop).map_err(|why| why.to_string())
    }

    async fn customer_leaves(&self) -> Result<(), String> {
        if self.widget {
            let path = format!("/widget/conversations/{}/leave", self.conversation);
            return self.ask(Method::POST, &path, None).await.map(drop);
        }
        let path = format!("/conversations/{}/participants/user", self.conversation);
        let left = self
            .control
            .call(Method::PATCH, &path, Some(&json!({"removed": true})))
            .await;
        left.map(drop).map_err(|why| why.to_string())
    }

    async fn seen(&self) -> Result<Value, String> {
        let path = format!("/conversations/{}", self.conversation);
        self.ask(Method::GET, &path, None).await
    }

    /// An agent who is to answer an offer waits for it as a person would.
    async fn offered(&mut self, agent: &str) -> Result<(), String> {
        let offered = Expect {
            offered_to: Some(agent.to_owned()),
            ..Expect::default()
        };
        self.expect(&offered).await
    }

    async fn expect(&mut self, expect: &Expect) -> Result<(), String> {
        if let Some(line) = &expect.no_message {
            self.never(line, expect.for_ms.unwrap_or(1_000)).await?;
        }
        let within_ms = expect.within_ms.unwrap_or(self.within_ms);
        let end = Instant::now() + Duration::from_millis(within_ms);
        loop {
            let seen = self.seen().await?;
            let unmet = expect.unmet(&seen, self.heard);
            if unmet.is_empty() {
                let found = expect.message.as_ref().and_then(|it| it.find(&seen, self.heard));
                self.heard = found.map_or(self.heard, |at| at + 1);
                return Ok(());
            }
            if Instant::now() >= end {
                return Err(format!("after {within_ms} ms: {}", unmet.join("; ")));
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    async fn never(&self, line: &Line, for_ms: u64) -> Result<(), String> {
        let end = Instant::now() + Duration::from_millis(for_ms);
        while Instant::now() < end {
            if line.find(&self.seen().await?, self.heard).is_some() {
                return Err(format!("{} came, which must not", line.describe()));
            }
            tokio::time::sleep(LOOK).await;
        }
        Ok(())
    }

    async fn sign_out(&self, agent: &str) -> Result<(), ControlError> {
        let path = format!("/agents/{agent}/sign-out");
        self.control
            .ask(Method::POST, &path, Some(&json!({})))
            .await
            .map(drop)
    }

    async fn end_faults(&mut self) -> Result<(), ControlError> {
        for id in std::mem::take(&mut self.faults) {
            self.control
                .ask(Method::DELETE, &format!("/faults/{id}"), None)
                .await?;
        }
        Ok(())
    }

    async fn tidy(&mut self) -> Result<(), ControlError> {
        self.end_faults().await?;
        for agent in std::mem::take(&mut self.signed_in) {
            self.sign_out(&agent).await?;
        }
        Ok(())
    }
}

impl Step {
    /// Whether it needs no conversation, so that it happens before one begins where it comes first.
    fn may_precede(&self) -> bool {
        matches!(self, Self::AgentSignsIn(_) | Self::Fault(_) | Self::PauseMs(_))
    }
}
