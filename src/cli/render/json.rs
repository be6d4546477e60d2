//! Responses as canonical protobuf JSON, one object on a line.

use prost::Message as _;
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor};

use super::escape::steers;
use crate::{
    cli::connect::CliError,
    grpc::proto::{AgentEventsResponse, DESCRIPTORS},
};

const RESPONSE: &str = "chatbridge.v1.AgentEventsResponse";

/// Writes responses as the protobuf JSON mapping defines it.
#[derive(Debug)]
pub(crate) struct JsonLines {
    response: MessageDescriptor,
}

impl JsonLines {
    /// Reads the contract's descriptors.
    pub(crate) fn new() -> Result<Self, CliError> {
        let response = DescriptorPool::decode(DESCRIPTORS)
            .ok()
            .and_then(|pool| pool.get_message_by_name(RESPONSE));
        match response {
            Some(response) => Ok(Self { response }),
            None => Err(CliError::Failed(format!(
                "this build has no descriptor of {RESPONSE}"
            ))),
        }
    }

    /// A response as one line, without the line's end.
    pub(crate) fn line(&self, response: &AgentEventsResponse) -> Result<String, CliError> {
        let written = DynamicMessage::decode(self.response.clone(), response.encode_to_vec().as_slice())
            .map_err(|error| error.to_string())
            .and_then(|message| serde_json::to_string(&message).map_err(|error| error.to_string()));
        match written {
            Ok(line) => Ok(harmless(&line)),
            // As a number out of range in free-form JSON: the line would not be JSON.
            Err(error) => Err(CliError::Failed(format!(
                "a response cannot be written as JSON: {error}"
            ))),
        }
    }
}

/// Escapes what steers a terminal and JSON lets through (DEL, C1, direction marks). Such characters are only ever inside
/// strings, where `\uXXXX` means the same.
fn harmless(line: &str) -> String {
    let mut shown = String::with_capacity(line.len());
    for c in line.chars() {
        match steers(c) {
            true => shown.push_str(&format!("\\u{:04x}", u32::from(c))),
            false => shown.push(c),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{
        cli::connect::fake::{agent_event, heartbeat, says},
        grpc::proto::{AuthorType, agent_events_response::Payload},
    };

    fn parsed(response: &AgentEventsResponse) -> (String, Value) {
        let line = JsonLines::new().unwrap().line(response).unwrap();
        let value = serde_json::from_str(&line).unwrap();
        (line, value)
    }

    #[test]
    fn an_event_follows_the_protobuf_json_mapping() {
        let mut event = agent_event("c-1", 3, says("maria", AuthorType::Agent, "Hi"));
        event.occurred_time = Some(prost_types::Timestamp {
            seconds: 1_700_000_000,
            nanos: 5_000_000,
        });
        event.raw_json = bytes::Bytes::from_static(b"{}");
        let response = AgentEventsResponse {
            share: 0,
            cursor: bytes::Bytes::from_static(&[0xfb, 0xff]),
            payload: Some(Payload::Event(event)),
        };
        let (_, value) = parsed(&response);
        assert_eq!(
            value,
            json!({
                "cursor": "+/8=",
                "event": {
                    "tenant": "t",
                    "conversationId": "c-1",
                    "eventId": "c-1-3",
                    "kind": "EVENT_KIND_MESSAGE",
                    "occurredTime": "2023-11-14T22:13:20.005Z",
                    "sequence": "3",
                    "state": "SESSION_STATE_WITH_AGENT",
                    "rawJson": "e30=",
                    "message": {"sender": {"id": "maria", "type": "AUTHOR_TYPE_AGENT"}, "text": "Hi"},
                },
            })
        );
    }

    #[test]
    fn a_heartbeat_is_an_empty_object() {
        assert_eq!(
            parsed(&heartbeat("a")).1,
            json!({"cursor": "YQ==", "heartbeat": {}})
        );
    }

    #[test]
    fn text_cannot_drive_the_terminal_and_is_not_changed() {
        let hostile = "\u{1b}[2J\u{9b}31m\u{202e}\u{7f}\n";
        let event = agent_event("c-1", 1, says("maria", AuthorType::Agent, hostile));
        let response = AgentEventsResponse {
            share: 0,
            cursor: bytes::Bytes::new(),
            payload: Some(Payload::Event(event)),
        };
        let (line, value) = parsed(&response);
        assert!(!line.contains(steers), "{line:?}");
        assert_eq!(value["event"]["message"]["text"], hostile);
    }
}
