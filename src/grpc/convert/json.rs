//! Free-form JSON, as protobuf's `Value`.

use prost_types::{ListValue, Struct, Value, value::Kind};

/// How deep free-form JSON may be nested. Decoders of protobuf give up at 100 nested messages, and an object takes three of
/// them for each level: one event that is deeper would end every stream that reads it, again and again.
const DEPTH_MAX: usize = 30;

/// Domain to protobuf. Numbers become doubles, as `google.protobuf.Value` has it; what is nested too deep becomes its text.
pub fn to_protobuf(json: &serde_json::Value) -> Value {
    within(json, DEPTH_MAX)
}

/// The same for a value that may hold `depth` levels of lists and objects.
fn within(json: &serde_json::Value, depth: usize) -> Value {
    use serde_json::Value as Json;
    let kind = match json {
        Json::Array(_) | Json::Object(_) if depth == 0 => Kind::StringValue(json.to_string()),
        Json::Null => Kind::NullValue(0),
        Json::Bool(b) => Kind::BoolValue(*b),
        Json::Number(n) => Kind::NumberValue(n.as_f64().unwrap_or_default()),
        Json::String(s) => Kind::StringValue(s.clone()),
        Json::Array(items) => Kind::ListValue(ListValue {
            values: items.iter().map(|item| within(item, depth - 1)).collect(),
        }),
        Json::Object(fields) => Kind::StructValue(Struct {
            fields: fields
                .iter()
                .map(|(k, v)| (k.clone(), within(v, depth - 1)))
                .collect(),
        }),
    };
    Value { kind: Some(kind) }
}

/// Protobuf to domain. Whole numbers that a double holds exactly are written without a fraction; not a number and
/// infinities, which JSON does not have, become null.
pub fn to_json(value: &Value) -> serde_json::Value {
    use serde_json::Value as Json;
    match &value.kind {
        None | Some(Kind::NullValue(_)) => Json::Null,
        Some(Kind::BoolValue(b)) => Json::Bool(*b),
        Some(Kind::NumberValue(n)) => number(*n),
        Some(Kind::StringValue(s)) => Json::String(s.clone()),
        Some(Kind::ListValue(list)) => Json::Array(list.values.iter().map(to_json).collect()),
        Some(Kind::StructValue(fields)) => Json::Object(
            fields
                .fields
                .iter()
                .map(|(k, v)| (k.clone(), to_json(v)))
                .collect(),
        ),
    }
}

#[allow(clippy::cast_possible_truncation, reason = "checked to be exact")]
fn number(n: f64) -> serde_json::Value {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if n.fract() == 0.0 && n.abs() <= EXACT {
        serde_json::Value::from(n as i64)
    } else {
        serde_json::Number::from_f64(n).map_or(serde_json::Value::Null, serde_json::Value::Number)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use prost::Message as _;
    use rstest::rstest;

    use super::*;
    use crate::grpc::proto::{
        AgentEvent, AgentEventsResponse, Card, MessageEvent, agent_event::Body,
        agent_events_response::Payload,
    };

    fn nested(open: &str, leaf: &str, close: &str, depth: usize) -> serde_json::Value {
        let text = format!("{}{leaf}{}", open.repeat(depth), close.repeat(depth));
        serde_json::from_str(&text).unwrap()
    }

    #[rstest]
    #[case("{\"a\":", "}")]
    #[case("[", "]")]
    #[case("[{\"a\":", "}]")]
    fn whatever_is_nested_can_be_decoded_by_clients(#[case] open: &str, #[case] close: &str) {
        let deepest = 127 / open.matches(['[', '{']).count();
        let card = Card {
            content: Some(to_protobuf(&nested(open, "1", close, deepest))),
            ..Card::default()
        };
        let message = MessageEvent {
            cards: vec![card],
            ..MessageEvent::default()
        };
        let event = AgentEvent {
            body: Some(Body::Message(message)),
            ..AgentEvent::default()
        };
        let response = AgentEventsResponse {
            share: 0,
            cursor: bytes::Bytes::new(),
            payload: Some(Payload::Event(event)),
        };
        let bytes = response.encode_to_vec();
        assert_eq!(AgentEventsResponse::decode(&bytes[..]).unwrap(), response);
    }

    #[test]
    fn what_is_too_deep_is_given_as_its_text() {
        let kept = nested("[", "{\"a\":1}", "]", DEPTH_MAX - 1);
        assert_eq!(to_json(&to_protobuf(&kept)), kept);
        let cut = nested("[", "{\"a\":1}", "]", DEPTH_MAX);
        let expected = nested("[", r#""{\"a\":1}""#, "]", DEPTH_MAX);
        assert_eq!(to_json(&to_protobuf(&cut)), expected);
    }

    fn any_json() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(serde_json::Value::from),
            (-1_000_000_000_i64..1_000_000_000).prop_map(serde_json::Value::from),
            ".*".prop_map(serde_json::Value::from),
        ];
        leaf.prop_recursive(4, 32, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(serde_json::Value::from),
                prop::collection::hash_map(".*", inner, 0..6)
                    .prop_map(|m| serde_json::Value::Object(m.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn json_survives_the_way_there_and_back(json in any_json()) {
            prop_assert_eq!(to_json(&to_protobuf(&json)), json);
        }
    }
}
