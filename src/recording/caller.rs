//! Makes the calls of a recording anew, to a sandbox.
//!
//! What a call is about has another identifier there than it had: conversations, messages, cards and files are known by what was
//! answered when they were made, then and now. A recording names channels, queues and webhooks of somebody else's tenant; the
//! sandbox's own take their places.

use std::{
    collections::{BTreeSet, HashMap},
    time::Duration,
};

use reqwest::{Client, Method};
use serde_json::{Map, Value};
use url::Url;

use super::Call;
use crate::json;

/// How long the sandbox may take for a call.
const ANSWERED_WITHIN: Duration = Duration::from_secs(30);
/// What every sandbox has.
const TENANT: &str = "sandbox";
const API_KEY: &str = "sandbox-key";
const CHANNEL: &str = "sandbox-chat";
const WEBHOOK: &str = "sandbox-webhook";
const SCRIPT: &str = "bot";
/// Where the vendor's API is.
const GATEWAY: &str = "/chat-gateway/v1";
const CARDS: &str = "/api/v1/tenant";

/// Why no calls can be made.
#[derive(Debug, thiserror::Error)]
pub enum CallerError {
    /// No client can be made.
    #[error("the HTTP client cannot be made: {0}")]
    Client(#[from] reqwest::Error),
    /// There is no sandbox.
    #[error(
        "there is no sandbox at {0}: start `chatbridge sandbox` or `chatbridge dev`, or correct the address"
    )]
    NoSandbox(Url),
}

/// What came of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was answered as when it was recorded: done, or refused.
    AsRecorded,
    /// It was answered otherwise.
    Differs,
    /// It was not made, and why.
    LeftOut(&'static str),
}

/// A call that was made anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// Its method.
    pub method: String,
    /// Its path, with the identifiers of the sandbox.
    pub path: String,
    /// What the sandbox answered; `None`: nothing, or it was not asked.
    pub status: Option<u16>,
    /// What came of it.
    pub outcome: Outcome,
}

/// Makes calls, one after the other.
#[derive(Debug)]
pub struct Caller {
    client: Client,
    base: Url,
    /// The sandbox's identifiers by those of the recording.
    ids: HashMap<String, String>,
    channels: BTreeSet<String>,
    queues: Vec<String>,
}

impl Caller {
    /// Makes calls to the sandbox at `base`, if there is one.
    pub async fn new(base: Url) -> Result<Self, CallerError> {
        // It is on this machine: a proxy of the environment is not meant for it.
        let client = Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(ANSWERED_WITHIN)
            .build()?;
        let mut caller = Self {
            client,
            base,
            ids: HashMap::new(),
            channels: BTreeSet::new(),
            queues: Vec::new(),
        };
        // Only a sandbox has these: what is played here must never reach somebody's real customers.
        let queues = caller.send(Method::GET, "/sandbox/v1/queues", None).await;
        let (_, queues) = queues.ok_or_else(|| CallerError::NoSandbox(caller.base.clone()))?;
        caller.queues = ids(&queues["queues"]);
        if caller.queues.is_empty() {
            return Err(CallerError::NoSandbox(caller.base));
        }
        let channels = caller
            .send(Method::GET, "/chat-gateway/v1/channels?size=100", None)
            .await;
        let channels = channels.map(|(_, all)| ids(&all["_embedded"]["channels"]));
        caller.channels = channels.into_iter().flatten().collect();
        Ok(caller)
    }

    /// Makes a call.
    pub async fn make(&mut self, call: &Call) -> Made {
        let path = self.path(&call.path);
        let mut made = Made {
            method: call.method.clone(),
            path,
            status: None,
            outcome: Outcome::AsRecorded,
        };
        if let Some(why) = left_out(call) {
            made.outcome = Outcome::LeftOut(why);
            return made;
        }
        let Ok(method) = call.method.parse::<Method>() else {
            made.outcome = Outcome::LeftOut("its method is not one of HTTP");
            return made;
        };
        let body = (!call.request.is_null()).then(|| self.body(call));
        let answered = self.send(method, &made.path, body.as_ref()).await;
        if let Some((_, answer)) = &answered {
            learn(&mut self.ids, &call.response, answer);
        }
        made.status = answered.map(|(status, _)| status);
        // Of a call that was never answered, nobody knows how it should be.
        let is_same = call.status == 0 || made.status.is_some_and(|it| it / 100 == call.status / 100);
        if !is_same {
            made.outcome = Outcome::Differs;
        }
        made
    }

    /// Status and answer; `None`: there was no answer.
    async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Option<(u16, Value)> {
        let base = self.base.as_str().trim_end_matches('/');
        let request = self
            .client
            .request(method, format!("{base}{path}"))
            .header("x-api-key", API_KEY)
            .header("x-8x8-tenant", TENANT);
        let request = match body {
            Some(body) => request.json(body),
            None => request,
        };
        let answer = request.send().await.ok()?;
        let status = answer.status().as_u16();
        let bytes = answer.bytes().await.ok()?;
        Some((status, json::from_slice(&bytes).unwrap_or_default()))
    }

    fn path(&self, path: &str) -> String {
        let parts: Vec<&str> = path.split('/').collect();
        let is_tenant = |at: usize| path.starts_with(CARDS) && at == 4;
        let translated = parts.iter().enumerate().map(|(at, part)| match is_tenant(at) {
            true => TENANT,
            false => self.ids.get(*part).map_or(*part, String::as_str),
        });
        translated.collect::<Vec<_>>().join("/")
    }

    fn body(&self, call: &Call) -> Value {
        let mut body = self.translated("", &call.request);
        if let Some(channel) = body.get_mut("channelId")
            && !channel.as_str().is_some_and(|id| self.channels.contains(id))
        {
            *channel = Value::from(CHANNEL);
        }
        if let Some(Value::Object(assignment)) = body.get_mut("assignment") {
            self.assign(assignment);
        }
        // A stand-in is no address, which a sandbox asks for.
        if let Some(Value::String(email)) = body.get_mut("user").and_then(|it| it.get_mut("email"))
            && !email.is_empty()
            && !email.contains('@')
        {
            email.push_str("@example.com");
        }
        if call.path.ends_with("/post-agent-assignment")
            && let Some(id) = body.get_mut("id")
        {
            *id = Value::from(WEBHOOK);
        }
        body
    }

    /// Another tenant's queue becomes the first of the sandbox, and a script the one that it has.
    fn assign(&self, assignment: &mut Map<String, Value>) {
        let is_script = assignment.get("type").is_some_and(|it| it == "script");
        let Some(id) = assignment.get_mut("id") else {
            return;
        };
        if is_script {
            *id = Value::from(SCRIPT);
        } else if !id
            .as_str()
            .is_some_and(|id| self.queues.iter().any(|it| it == id))
        {
            *id = Value::from(self.queues.first().cloned());
        }
    }

    fn translated(&self, member: &str, value: &Value) -> Value {
        match value {
            Value::String(text) if is_id(member) => Value::from(self.ids.get(text).unwrap_or(text).as_str()),
            Value::Array(items) => Value::Array(items.iter().map(|it| self.translated(member, it)).collect()),
            Value::Object(members) => {
                let members = members.iter();
                let translated = members.map(|(name, value)| (name.clone(), self.translated(name, value)));
                Value::Object(translated.collect())
            }
            other => other.clone(),
        }
    }
}

/// Why a call is not made anew.
fn left_out(call: &Call) -> Option<&'static str> {
    if !call.path.starts_with(GATEWAY) && !call.path.starts_with(CARDS) {
        return Some("it is none of the Chat Gateway's");
    }
    if call.method == "GET" {
        return None;
    }
    let below = call.path.trim_start_matches(GATEWAY);
    if below.starts_with("/webhooks") || below.starts_with("/channels") {
        return Some("it would change the sandbox's webhooks and channels");
    }
    (call.method == "POST" && below.ends_with("/attachments")).then_some("a recording has no files")
}

fn is_id(member: &str) -> bool {
    member == "id" || member.ends_with("Id")
}

fn ids(list: &Value) -> Vec<String> {
    let items = list.as_array().into_iter().flatten();
    items
        .filter_map(|it| it["id"].as_str().map(str::to_owned))
        .collect()
}

/// Learns from the same answer, then and now, what is called how. Lists of different lengths are not of the same things.
fn learn(known: &mut HashMap<String, String>, then: &Value, now: &Value) {
    match (then, now) {
        (Value::Object(then), Value::Object(now)) => {
            for (name, then) in then {
                match (then, now.get(name)) {
                    (Value::String(then), Some(Value::String(now))) if is_id(name) => {
                        known.insert(then.clone(), now.clone());
                    }
                    (then, Some(now)) => learn(known, then, now),
                    (_, None) => {}
                }
            }
        }
        (Value::Array(then), Value::Array(now)) if then.len() == now.len() => {
            let both = then.iter().zip(now);
            both.for_each(|(then, now)| learn(known, then, now));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    fn caller() -> Caller {
        Caller {
            client: Client::new(),
            base: Url::parse("http://127.0.0.1:9").expect("a URL"),
            ids: [("c-1", "here-1"), ("card-1", "here-2"), ("m-1", "here-3")]
                .map(|(then, now)| (then.to_owned(), now.to_owned()))
                .into(),
            channels: BTreeSet::from(["sandbox-chat".to_owned(), "mine".to_owned()]),
            queues: vec!["100".to_owned(), "200".to_owned()],
        }
    }

    fn call(method: &str, path: &str, request: Value) -> Call {
        Call {
            at_ms: 0,
            method: method.to_owned(),
            path: path.to_owned(),
            request,
            status: 202,
            response: Value::Null,
        }
    }

    #[test]
    fn a_path_gets_what_it_names_here() {
        let caller = caller();
        let path = "/api/v1/tenant/acme/conversations/c-1/cards/card-1/action-submit";
        assert_eq!(
            caller.path(path),
            "/api/v1/tenant/sandbox/conversations/here-1/cards/here-2/action-submit"
        );
        let path = "/chat-gateway/v1/conversations/c-9/messages";
        assert_eq!(caller.path(path), path, "what nobody knows stays");
    }

    #[rstest]
    #[case(json!({"channelId": "theirs", "assignment": {"type": "queue", "id": "9"}}),
        json!({"channelId": "sandbox-chat", "assignment": {"type": "queue", "id": "100"}}))]
    #[case(json!({"channelId": "mine", "assignment": {"type": "queue", "id": "200"}}),
        json!({"channelId": "mine", "assignment": {"type": "queue", "id": "200"}}))]
    #[case(json!({"assignment": {"type": "script", "id": "theirs"}, "text": "c-1"}),
        json!({"assignment": {"type": "script", "id": "bot"}, "text": "c-1"}))]
    #[case(json!({"user": {"email": "text-1", "name": "text-2"}}), json!({"user": {"email": "text-1@example.com", "name": "text-2"}}))]
    #[case(json!({"attachments": [{"id": "m-1"}], "externalProvider": {"messageId": "m-1"}}),
        json!({"attachments": [{"id": "here-3"}], "externalProvider": {"messageId": "here-3"}}))]
    fn a_body_gets_what_there_is_here(#[case] then: Value, #[case] now: Value) {
        let call = call("POST", "/chat-gateway/v1/conversations", then);
        assert_eq!(caller().body(&call), now);
    }

    #[rstest]
    #[case("GET", "/chat-gateway/v1/webhooks", false)]
    #[case("POST", "/chat-gateway/v1/webhooks/verify", true)]
    #[case("DELETE", "/chat-gateway/v1/channels/c", true)]
    #[case("POST", "/chat-gateway/v1/conversations/c/attachments", true)]
    #[case("POST", "/chat-gateway/v1/conversations", false)]
    #[case("POST", "/elsewhere", true)]
    fn what_cannot_or_should_not_be_made_is_left_out(
        #[case] method: &str,
        #[case] path: &str,
        #[case] out: bool,
    ) {
        assert_eq!(left_out(&call(method, path, Value::Null)).is_some(), out);
    }

    #[test]
    fn answers_say_what_is_called_how() {
        let mut known = HashMap::new();
        let then = json!({"conversationId": "a", "state": "x", "cards": [{"id": "b"}], "all": [{"id": "c"}]});
        let now = json!({"conversationId": "1", "state": "y", "cards": [{"id": "2"}], "all": []});
        learn(&mut known, &then, &now);
        let expected = [("a", "1"), ("b", "2")].map(|(then, now)| (then.to_owned(), now.to_owned()));
        assert_eq!(known, HashMap::from(expected));
    }
}
