//! Channels: v2 names the webhook that hears of one, which is none of 8x8's.

use serde_json::{Value, json};

use crate::{
    chat_v2::{
        problem::{Problem, Wrong},
        read::{Findings, ID_BYTES_MAX, Object},
    },
    gateway::Channel,
};

/// The type of the channels that v2 knew.
const CHAT_API: &str = "ChatAPI";
/// The longest name, in characters.
const NAME_MAX: usize = 255;

/// A channel to create or to replace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::chat_v2) struct NewChannel {
    pub(in crate::chat_v2) name: String,
    /// The queue that its conversations go to.
    pub(in crate::chat_v2) queue_id: String,
    /// The client's webhook, as it was given.
    pub(in crate::chat_v2) webhook: String,
}

/// Reads a channel.
pub(in crate::chat_v2) fn read(body: &Object) -> Result<NewChannel, Problem> {
    let mut findings = Findings::default();
    let name = findings.required(body, "", "name", 4 * NAME_MAX);
    if name.chars().count() > NAME_MAX {
        let problem = format!("has more than {NAME_MAX} characters.");
        findings.add(Wrong::new("name", "too_long", problem));
    }
    let webhook = findings.required(body, "", "webHookId", ID_BYTES_MAX);
    let mut queue_id = String::new();
    match findings.object(body, "", "routingOptions") {
        Some(routing) => {
            const AT: &str = "routingOptions.";
            let kind = findings.text(routing, AT, "type", ID_BYTES_MAX);
            if let Some(other) = kind.filter(|kind| kind != "queue") {
                let wrong = Wrong::new("routingOptions.type", "invalid_routing", "must be queue.");
                findings.add(wrong.with(&other));
            }
            queue_id = findings.required(routing, AT, "id", ID_BYTES_MAX);
        }
        None if body.get("routingOptions").is_none_or(Value::is_null) => {
            findings.add(Wrong::new("routingOptions", "missing_field", "May not be empty."));
        }
        None => {}
    }
    findings.done(NewChannel {
        name,
        queue_id,
        webhook,
    })
}

impl NewChannel {
    /// As 8x8 gets it, with its webhook that delivers to us.
    pub(in crate::chat_v2) fn upstream(self, id: &str, webhook: &str) -> Channel {
        Channel {
            id: id.to_owned(),
            name: self.name,
            kind: CHAT_API.to_owned(),
            webhook_id: webhook.to_owned(),
            queue_id: self.queue_id,
        }
    }
}

/// Whether v2 knew of such channels. An empty type is one that the vendor did not tell.
pub(in crate::chat_v2) fn is_v2s(channel: &Channel) -> bool {
    channel.kind.is_empty() || channel.kind.eq_ignore_ascii_case(CHAT_API)
}

/// A channel as v2 shows it. One that goes to none of v2's webhooks has an empty `webHookId`.
pub(in crate::chat_v2) fn write(channel: &Channel, webhook: Option<u64>) -> Value {
    json!({
        "id": channel.id,
        "name": channel.name,
        "webHookId": webhook.map(|id| id.to_string()).unwrap_or_default(),
        "routingOptions": { "type": "queue", "id": channel.queue_id },
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use rstest::rstest;

    use super::*;

    #[test]
    fn a_channel_is_read_and_written() {
        let body = json!({
            "name": "App", "webHookId": 3, "routingOptions": { "id": "100" }, "more": true,
        });
        let new = read(body.as_object().unwrap()).unwrap();
        assert_eq!(new.webhook, "3");
        let channel = new.upstream("25", "theirs");
        assert_eq!(channel.webhook_id, "theirs");
        let expected = json!({
            "id": "25", "name": "App", "webHookId": "3", "routingOptions": { "type": "queue", "id": "100" },
        });
        assert_eq!(write(&channel, Some(3)), expected);
        assert_eq!(write(&channel, None)["webHookId"], "");
    }

    #[rstest]
    #[case(json!({}), 3)]
    #[case(json!({ "name": "", "webHookId": "1", "routingOptions": {} }), 2)]
    #[case(json!({ "name": "a".repeat(256), "webHookId": "1", "routingOptions": { "id": "1" } }), 1)]
    #[case(json!({ "name": "a", "webHookId": "1", "routingOptions": { "type": "script", "id": "1" } }), 1)]
    #[case(json!({ "name": "a", "webHookId": "1", "routingOptions": "queue" }), 1)]
    fn all_that_is_wrong_is_named(#[case] body: Value, #[case] wrong: usize) {
        use crate::chat_v2::operation::CREATE_CHANNEL;
        let problem = read(body.as_object().unwrap()).unwrap_err();
        let answer = problem.body_for_tests(&CREATE_CHANNEL);
        assert_eq!(answer["validations"].as_array().unwrap().len(), wrong, "{answer}");
    }

    #[rstest]
    #[case("ChatAPI", true)]
    #[case("", true)]
    #[case("WhatsApp", false)]
    fn only_channels_of_the_api_are_v2s(#[case] kind: &str, #[case] expected: bool) {
        let channel = Channel {
            kind: kind.into(),
            ..Channel::default()
        };
        assert_eq!(is_v2s(&channel), expected);
    }
}
