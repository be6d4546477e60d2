//! Takes out what people said and who they are. What is not known to be harmless is taken out: only the words of the protocol and
//! the vendor's identifiers stay.

use std::collections::HashMap;

use serde_json::{Map, Value};

/// Members whose texts are words of the protocol or identifiers that the vendor made up.
const KEPT: [&str; 22] = [
    "eventType",
    "conversationId",
    "createdAt",
    "state",
    "type",
    "resourceId",
    "queueId",
    "memberType",
    "change",
    "channel",
    "channelId",
    "webHookId",
    "contentType",
    "notificationVersion",
    "version",
    "messageType",
    "authorType",
    "language",
    "interactionId",
    "messageId",
    "cardId",
    "agentId",
];
/// Members whose numbers say nothing of a person.
const NUMBERS: [&str; 13] = [
    "timestamp",
    "createdAt",
    "startedAt",
    "endedAt",
    "size",
    "number",
    "totalElements",
    "totalPages",
    "sizeInBytes",
    "readAt",
    "maxThinkingTimeSeconds",
    "maxTotalMinutes",
    "userTimeoutInMinutes",
];
/// Names of activities; any other may be anything.
const ACTIVITIES: [&str; 4] = [
    "typing",
    "adaptiveCard/action",
    "quickReply/action",
    "read-receipts",
];
/// Kinds of actions, in the value of an activity.
const ACTIONS: [&str; 3] = ["Action.Submit", "Action.Execute", "postback"];
/// Members of an event's `data`. What else is in something of this name is a card's.
const OF_DATA: [&str; 16] = [
    "state",
    "assignment",
    "user",
    "channel",
    "queueId",
    "queueName",
    "memberType",
    "change",
    "id",
    "isEcho",
    "sender",
    "text",
    "attachments",
    "cards",
    "name",
    "value",
];
/// The longest identifier that is kept, in bytes.
const IDENTIFIER_MAX: usize = 128;

/// Takes out what people said. The same text becomes the same stand-in throughout, so that an echo still fits what was sent; what
/// stands for what is nowhere written.
#[derive(Debug, Default)]
pub struct Redactor {
    stand_ins: HashMap<String, usize>,
}

/// Where in a body something stands.
#[derive(Debug, Clone, Copy, Default)]
struct Place {
    /// In what is said of the customer.
    of_user: bool,
    /// In a card or an action, where nothing is a word of the protocol, whatever it is called.
    foreign: bool,
}

impl Redactor {
    /// What may be kept of a body.
    pub fn redact(&mut self, body: &Value) -> Value {
        self.value("", body, Place::default())
    }

    fn value(&mut self, member: &str, value: &Value, place: Place) -> Value {
        match value {
            Value::Null | Value::Bool(_) => value.clone(),
            Value::Number(_) if NUMBERS.contains(&member) && !place.foreign => value.clone(),
            Value::Number(_) => Value::from(0),
            Value::String(text) => Value::from(self.text(member, text, place)),
            Value::Array(items) => {
                let items = items.iter().map(|item| self.value(member, item, place));
                Value::Array(items.collect())
            }
            Value::Object(members) => Value::Object(self.object(member, members, place)),
        }
    }

    fn object(&mut self, within: &str, members: &Map<String, Value>, place: Place) -> Map<String, Value> {
        let of_user = is_of_user(within, members);
        let redacted = members.iter().map(|(name, value)| {
            let kept = if is_identifier(name) {
                name.clone()
            } else {
                self.stand_in(name)
            };
            let is_action = within == "value" && name == "type" && !place.foreign;
            if is_action && value.as_str().is_some_and(|kind| ACTIONS.contains(&kind)) {
                return (kept, value.clone());
            }
            let foreign = place.foreign
                || matches!(within, "content" | "value")
                || (within == "data" && !OF_DATA.contains(&name.as_str()));
            (kept, self.value(name, value, Place { of_user, foreign }))
        });
        redacted.collect()
    }

    fn text(&mut self, member: &str, text: &str, place: Place) -> String {
        let Place { of_user, foreign } = place;
        let is_kept = match member {
            _ if foreign => false,
            "id" => !of_user,
            "name" => ACTIVITIES.contains(&text),
            _ => KEPT.contains(&member) && !(of_user && member.ends_with("Id")),
        };
        if text.is_empty() || (is_kept && is_identifier(text)) {
            return text.to_owned();
        }
        self.stand_in(text)
    }

    fn stand_in(&mut self, text: &str) -> String {
        let next = self.stand_ins.len() + 1;
        let number = self.stand_ins.entry(text.to_owned()).or_insert(next);
        format!("text-{number}")
    }
}

/// Whether an object is about the customer, whose identifier may be a telephone number.
fn is_of_user(within: &str, members: &Map<String, Value>) -> bool {
    let says = |name: &str| {
        let said = members.get(name).and_then(Value::as_str);
        said.is_some_and(|said| said.eq_ignore_ascii_case("user"))
    };
    matches!(within, "user" | "users") || says("type") || says("memberType") || says("authorType")
}

fn is_identifier(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:/+$@".contains(&byte);
    // The one version of the events has a space.
    text == crate::gateway::EVENT_VERSION
        || ((1..=IDENTIFIER_MAX).contains(&text.len()) && text.bytes().all(is_plain) && !looks_personal(text))
}

/// Whether something is an address, or only digits as a telephone number is.
fn looks_personal(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    (text.contains('@') && text.contains('.'))
        || (digits >= 7 && text.bytes().all(|byte| !byte.is_ascii_alphabetic()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn the_protocol_stays_and_people_go() {
        let body = json!({
            "eventType": "MESSAGE", "conversationId": "conv-1", "timestamp": 1_700_000_000_000_i64,
            "data": {
                "isEcho": false, "sender": { "id": "+4915112345678", "type": "user" }, "text": "my card is 4111",
                "attachments": [{ "id": "a1", "type": "image/png", "preSignedUrl": "https://h/s3cret", "fileName": "me.png" }],
                "cards": [{ "contentType": "application/8x8.quick.replies", "content": { "type": "secret", "id": "word", "body": [{ "type": "deep", "timestamp": 4111 }] } }],
            },
        });
        let redacted = Redactor::default().redact(&body);
        assert_eq!(redacted["eventType"], "MESSAGE");
        assert_eq!(redacted["conversationId"], "conv-1");
        assert_eq!(redacted["timestamp"], body["timestamp"]);
        let data = &redacted["data"];
        assert_eq!(data["sender"]["type"], "user");
        assert_eq!(data["attachments"][0]["id"], "a1");
        assert_eq!(data["cards"][0]["contentType"], "application/8x8.quick.replies");
        let text = redacted.to_string();
        for gone in [
            "4915112345678",
            "4111",
            "s3cret",
            "me.png",
            "\"secret\"",
            "word",
            "deep",
        ] {
            assert!(!text.contains(gone), "{gone}: {text}");
        }
    }

    #[test]
    fn a_customer_in_a_call_goes_whatever_the_field() {
        let body = json!({
            "channelId": "c1", "assignment": { "type": "queue", "id": "100" },
            "user": { "name": "Anna", "userId": "anna7", "email": "a@b.example", "phone": "0151", "caseId": "case7", "language": "en",
                      "additionalProperties": [{ "key": "iban", "value": "DE02" }] },
            "history": { "messages": [{ "authorType": "user", "text": "typing" }] },
        });
        let redacted = Redactor::default().redact(&body);
        assert_eq!(redacted["assignment"], body["assignment"]);
        let text = redacted.to_string();
        for gone in [
            "Anna", "anna7", "a@b", "0151", "case7", "iban\"", "DE02", "typing",
        ] {
            assert!(!text.contains(gone), "{gone}: {text}");
        }
    }

    #[test]
    fn an_action_keeps_its_kind_alone() {
        let body = json!({
            "eventType": "ACTIVITY",
            "data": { "name": "quickReply/action", "value": { "type": "postback", "data": { "title": "Yes", "id": "yes" } } },
        });
        let redacted = Redactor::default().redact(&body);
        assert_eq!(redacted["data"]["name"], "quickReply/action");
        assert_eq!(redacted["data"]["value"]["type"], "postback");
        let inner = &redacted["data"]["value"]["data"];
        assert!(
            inner["title"].as_str().unwrap().starts_with("text-")
                && inner["id"].as_str().unwrap().starts_with("text-")
        );
    }

    #[test]
    fn the_same_text_has_the_same_stand_in() {
        let mut redactor = Redactor::default();
        let sent = redactor.redact(&json!({ "text": "hello" }));
        let other = redactor.redact(&json!({ "text": "goodbye" }));
        assert_eq!(
            redactor.redact(&json!({ "data": { "text": "hello" } }))["data"],
            sent
        );
        assert_ne!(sent, other);
    }

    proptest! {
        #[test]
        fn a_text_with_a_space_is_never_kept(
            member in prop::sample::select(KEPT.iter().chain(&["id", "name", "text", "value", "x"]).copied().collect::<Vec<_>>()),
            within in prop::sample::select(vec!["data", "user", "content", "value", "sender", "cards"]),
        ) {
            let marker = "MARK ER";
            let nested = json!({ (within): { (member): marker, (marker): { (member): [marker] } } });
            let redacted = Redactor::default().redact(&json!([nested, marker])).to_string();
            prop_assert!(!redacted.contains("MARK"), "{}", redacted);
        }
    }
}
