//! What is received. Unknown fields are ignored, unknown words read as `None`, missing and null fields as not given.

use jiff::Timestamp;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use super::{
    lenient::{count, or_default, text},
    message::Message,
};
use crate::{
    event::{self, AssignmentKind, UpstreamState},
    gateway,
};

/// Reads an answer that must be a JSON object. The error says where it is wrong, and nothing of what it holds.
fn object<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    match body.trim_ascii_start().first() {
        None => return Err("the answer is empty where a JSON object was expected".to_owned()),
        Some(b'{') => {}
        Some(_) => return Err("the answer is not a JSON object".to_owned()),
    }
    serde_json::from_slice(body).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        format!("the answer is not the documented JSON at line {line}, column {column}")
    })
}

/// Answer of "create a conversation".
pub(in crate::gateway) fn created(body: &[u8]) -> Result<gateway::Created, String> {
    #[derive(Default, Deserialize)]
    #[serde(default, rename_all = "camelCase")]
    struct Created {
        #[serde(deserialize_with = "text")]
        conversation_id: String,
        #[serde(deserialize_with = "text")]
        id: String,
        #[serde(deserialize_with = "text")]
        created_at: String,
    }
    let created: Created = object(body)?;
    let conversation = first(created.conversation_id, created.id);
    if conversation.is_empty() {
        return Err("the answer names no conversation".to_owned());
    }
    Ok(gateway::Created {
        conversation,
        created_ms: unix_ms(&created.created_at),
    })
}

/// Answer of "get a conversation".
pub(in crate::gateway) fn conversation(body: &[u8]) -> Result<gateway::Conversation, String> {
    object::<Conversation>(body)?.read()
}

/// Answer of "list conversations".
pub(in crate::gateway) fn conversations(
    body: &[u8],
) -> Result<gateway::Listed<gateway::Conversation>, String> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Embedded {
        #[serde(deserialize_with = "or_default")]
        conversations: Vec<Conversation>,
    }
    let list: List<Embedded> = object(body)?;
    let items = list
        .embedded
        .conversations
        .into_iter()
        .map(Conversation::read)
        .collect::<Result<_, _>>()?;
    Ok(list.page.of(items))
}

/// Answer of "list messages".
pub(in crate::gateway) fn messages(body: &[u8]) -> Result<gateway::Listed<event::Message>, String> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Embedded {
        #[serde(deserialize_with = "or_default")]
        messages: Vec<Message>,
    }
    let list: List<Embedded> = object(body)?;
    let items = list.embedded.messages.into_iter().map(Message::read).collect();
    Ok(list.page.of(items))
}

/// Answer of "public signing key": an object, or a JSON string that holds one. Answers the object's text.
pub(in crate::gateway) fn signing_key(body: &[u8]) -> Result<String, String> {
    let problem = |_| "the answer is neither a key nor a text that holds one".to_owned();
    let key = match serde_json::from_slice(body).map_err(problem)? {
        Value::String(text) => serde_json::from_str(&text).map_err(problem)?,
        other => other,
    };
    match key {
        Value::Object(_) => Ok(key.to_string()),
        _ => Err("the answer is not a key".to_owned()),
    }
}

/// A page of a list. The vendor leaves `_embedded` out where the page is empty.
#[derive(Deserialize)]
struct List<E: Default + DeserializeOwned> {
    #[serde(
        default,
        rename = "_embedded",
        deserialize_with = "or_default",
        bound = "E: Default + DeserializeOwned"
    )]
    embedded: E,
    #[serde(default, deserialize_with = "or_default")]
    page: PageInfo,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct PageInfo {
    #[serde(deserialize_with = "count")]
    total_elements: Option<u32>,
    #[serde(deserialize_with = "count")]
    total_pages: Option<u32>,
}

impl PageInfo {
    /// Without counts, the page is taken for the only one.
    fn of<T>(&self, items: Vec<T>) -> gateway::Listed<T> {
        let here = u32::try_from(items.len()).unwrap_or(u32::MAX);
        gateway::Listed {
            total: self.total_elements.unwrap_or(here),
            total_pages: self.total_pages.unwrap_or(here.min(1)),
            items,
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Conversation {
    #[serde(deserialize_with = "text")]
    id: String,
    #[serde(deserialize_with = "text")]
    channel_id: String,
    #[serde(deserialize_with = "text")]
    state: String,
    assignment: Option<Assignment>,
    #[serde(deserialize_with = "or_default")]
    user: User,
}

impl Conversation {
    fn read(self) -> Result<gateway::Conversation, String> {
        if self.id.is_empty() {
            return Err("the answer holds a conversation without an identifier".to_owned());
        }
        Ok(gateway::Conversation {
            id: self.id,
            channel_id: self.channel_id,
            state: state(&self.state),
            assignment: self.assignment.and_then(Assignment::read),
            user: self.user.read(),
        })
    }
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Assignment {
    #[serde(rename = "type", deserialize_with = "text")]
    kind: String,
    #[serde(deserialize_with = "text")]
    id: String,
    #[serde(deserialize_with = "text")]
    resource_id: String,
}

impl Assignment {
    /// An assignment that says nothing is none.
    fn read(self) -> Option<event::Assignment> {
        if self.kind.is_empty() && self.id.is_empty() && self.resource_id.is_empty() {
            return None;
        }
        Some(event::Assignment {
            kind: assignment_kind(&self.kind),
            id: self.id,
            resource_id: self.resource_id,
        })
    }
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct User {
    #[serde(deserialize_with = "text")]
    name: String,
    #[serde(deserialize_with = "text")]
    user_id: String,
    #[serde(deserialize_with = "text")]
    email: String,
    #[serde(deserialize_with = "text")]
    phone: String,
    #[serde(deserialize_with = "text")]
    company: String,
    #[serde(deserialize_with = "text")]
    case_id: String,
    #[serde(deserialize_with = "text")]
    language: String,
    #[serde(deserialize_with = "or_default")]
    additional_properties: Vec<Property>,
    #[serde(deserialize_with = "text")]
    ipaddress: String,
    #[serde(deserialize_with = "text")]
    timezone_offset: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Property {
    #[serde(deserialize_with = "text")]
    key: String,
    #[serde(deserialize_with = "text")]
    value: String,
}

impl User {
    fn read(self) -> event::User {
        event::User {
            name: self.name,
            user_id: self.user_id,
            email: self.email,
            phone: self.phone,
            company: self.company,
            case_id: self.case_id,
            language: self.language,
            additional_properties: self
                .additional_properties
                .into_iter()
                .map(|p| (p.key, p.value))
                .collect(),
            ip_address: self.ipaddress,
            timezone_offset: self.timezone_offset,
        }
    }
}

/// The first that was given, for fields that go by two names.
pub(super) fn first(one: String, other: String) -> String {
    if one.is_empty() { other } else { one }
}

fn state(word: &str) -> Option<UpstreamState> {
    match word.to_ascii_lowercase().as_str() {
        "created" => Some(UpstreamState::Created),
        "active" => Some(UpstreamState::Active),
        "idle" => Some(UpstreamState::Idle),
        _ => None,
    }
}

fn assignment_kind(word: &str) -> Option<AssignmentKind> {
    match word.to_ascii_lowercase().as_str() {
        "queue" => Some(AssignmentKind::Queue),
        "script" => Some(AssignmentKind::Script),
        "agent" => Some(AssignmentKind::Agent),
        _ => None,
    }
}

/// ISO 8601 with an offset to Unix milliseconds. A time without an offset names no moment, so it is not read.
pub(super) fn unix_ms(text: &str) -> Option<i64> {
    text.trim().parse::<Timestamp>().ok().map(|t| t.as_millisecond())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    fn bytes(value: &Value) -> Vec<u8> {
        value.to_string().into_bytes()
    }

    #[rstest]
    #[case("2021-01-30T08:30:00Z", Some(1_611_995_400_000))]
    #[case("2021-01-30T08:30:00.250Z", Some(1_611_995_400_250))]
    #[case("2021-01-30T09:30:00+01:00", Some(1_611_995_400_000))]
    #[case("2021-01-30T09:30:00+0100", Some(1_611_995_400_000))]
    #[case("2021-01-30T08:30:00.123456789Z", Some(1_611_995_400_123))]
    #[case("2021-01-30T08:30:00", None)]
    #[case("2021-01-30", None)]
    #[case("1611995400000", None)]
    #[case("yesterday", None)]
    #[case("", None)]
    fn times(#[case] text: &str, #[case] expected: Option<i64>) {
        assert_eq!(unix_ms(text), expected);
    }

    #[rstest]
    #[case(json!({}))]
    #[case(json!({"_embedded": null, "page": null}))]
    #[case(json!({"_embedded": {}}))]
    #[case(json!({"_embedded": {"messages": null, "conversations": null}}))]
    #[case(json!({"_embedded": {"messages": [], "conversations": []}, "page": {"totalElements": "0"}}))]
    fn an_empty_page_is_read(#[case] body: Value) {
        let list = messages(&bytes(&body)).unwrap();
        assert_eq!((list.items.len(), list.total, list.total_pages), (0, 0, 0));
        let list = conversations(&bytes(&body)).unwrap();
        assert_eq!((list.items.len(), list.total, list.total_pages), (0, 0, 0));
    }

    #[test]
    fn a_page_without_counts_is_the_only_one() {
        let body = json!({"_embedded": {"messages": [{"text": "a"}, {"text": "b"}]}});
        let list = messages(&bytes(&body)).unwrap();
        assert_eq!((list.items.len(), list.total, list.total_pages), (2, 2, 1));
    }

    #[test]
    fn unknown_words_and_types_are_survived() {
        let body = json!({
            "id": 7, "channelId": 25, "state": "HIBERNATING", "new": {"field": [1]},
            "assignment": {"type": "robot", "id": 100},
            "user": {"name": null, "phone": 40, "timezoneOffset": -120, "email": {"odd": 1},
                "additionalProperties": [{"key": "n", "value": 1.5}, {"key": "b", "value": true}]}
        });
        let read = conversation(&bytes(&body)).unwrap();
        assert_eq!((read.id.as_str(), read.channel_id.as_str()), ("7", "25"));
        assert_eq!(read.state, None);
        let assignment = read.assignment.unwrap();
        assert_eq!((assignment.kind, assignment.id.as_str()), (None, "100"));
        assert_eq!((read.user.name.as_str(), read.user.phone.as_str()), ("", "40"));
        assert_eq!(read.user.timezone_offset, "-120");
        assert_eq!(read.user.email, "");
        let properties = [("n", "1.5"), ("b", "true")].map(|(k, v)| (k.to_owned(), v.to_owned()));
        assert_eq!(read.user.additional_properties, properties);
    }

    #[rstest]
    #[case(json!({"id": "c", "assignment": {}}))]
    #[case(json!({"id": "c", "assignment": null}))]
    #[case(json!({"id": "c"}))]
    fn an_assignment_that_says_nothing_is_none(#[case] body: Value) {
        assert_eq!(conversation(&bytes(&body)).unwrap().assignment, None);
    }

    #[rstest]
    #[case(b"", "empty")]
    #[case(b" \n", "empty")]
    #[case(b"[]", "not a JSON object")]
    #[case(b"null", "not a JSON object")]
    #[case(b"<html>", "not a JSON object")]
    #[case(b"{", "line 1, column 1")]
    #[case(b"{}", "without an identifier")]
    #[case(b"{\"id\": \"c\", \"user\": \"secret\"}", "line 1")]
    fn what_is_no_conversation_is_refused(#[case] body: &[u8], #[case] says: &str) {
        let problem = conversation(body).unwrap_err();
        assert!(problem.contains(says), "{problem}");
        assert!(!problem.contains("secret"));
    }

    #[test]
    fn a_creation_without_an_identifier_is_refused() {
        assert!(created(b"{}").is_err());
        assert!(created(br#"{"conversationId": ""}"#).is_err());
        assert_eq!(created(br#"{"id": "c"}"#).unwrap().conversation, "c");
    }

    #[rstest]
    #[case(r#"{"kty":"RSA"}"#, Some(r#"{"kty":"RSA"}"#))]
    #[case(r#" "{\"kty\":\"RSA\"}" "#, Some(r#"{"kty":"RSA"}"#))]
    #[case(r#""RSA""#, None)]
    #[case("[1]", None)]
    #[case("7", None)]
    #[case("", None)]
    #[case(r#""\"{}\"""#, None)]
    fn keys(#[case] body: &str, #[case] expected: Option<&str>) {
        assert_eq!(signing_key(body.as_bytes()).ok().as_deref(), expected);
    }

    #[test]
    fn endless_depth_is_refused() {
        let deep = format!("{}1{}", "{\"user\":".repeat(100_000), "}".repeat(100_000));
        assert!(conversation(deep.as_bytes()).is_err());
        let cards = format!(
            "{{\"_embedded\":{{\"messages\":[{{\"cards\":[{{\"content\":{}{}}}]}}]}}}}",
            "[".repeat(100_000),
            "]".repeat(100_000)
        );
        assert!(messages(cards.as_bytes()).is_err());
    }

    #[test]
    fn a_cut_answer_is_never_taken_for_a_whole_one() {
        let whole = bytes(&json!({
            "id": "c", "conversationId": "c", "state": "idle", "user": {"additionalProperties": [{"key": "ü"}]},
            "_embedded": {"messages": [{"cards": [{"content": {"a": [1.5e3, "\u{1f600}"]}}]}], "conversations": [{"id": "c"}]},
            "page": {"totalElements": 1}
        }));
        for end in 0..whole.len() {
            let cut = &whole[..end];
            assert!(created(cut).is_err() && conversation(cut).is_err() && signing_key(cut).is_err());
            assert!(conversations(cut).is_err() && messages(cut).is_err());
        }
        assert!(created(&whole).is_ok() && conversation(&whole).is_ok() && signing_key(&whole).is_ok());
        assert!(conversations(&whole).is_ok() && messages(&whole).is_ok());
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(body in any::<Vec<u8>>(), text in any::<String>()) {
            for body in [body, text.into_bytes()] {
                let _ = (created(&body), conversation(&body), conversations(&body), messages(&body), signing_key(&body));
            }
        }
    }
}
