//! JSON that others wrote, read as what it says.
//!
//! serde_json takes an object whose first key is one of its private names for something else, where any crate of the build has
//! turned on its `raw_value` (axum does) or `arbitrary_precision`: such a key in what a customer wrote would make the whole body
//! unreadable, or another body. Here an object is an object, whatever its keys are called.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Number, Value};

/// Reads a whole text as one value. Errors are serde_json's: that it is not JSON, is nested more than 127 deep, or holds a number
/// that no double can be near to.
pub fn from_slice(text: &[u8]) -> serde_json::Result<Value> {
    serde_json::from_slice(text).map(|Plain(value)| value)
}

/// As [`from_slice`].
pub fn from_str(text: &str) -> serde_json::Result<Value> {
    serde_json::from_str(text).map(|Plain(value)| value)
}

/// A value inside of something else, for `deserialize_with`.
pub fn value<'de, D: Deserializer<'de>>(from: D) -> Result<Value, D::Error> {
    Plain::deserialize(from).map(|Plain(value)| value)
}

/// A value that was read as what it says.
#[derive(Debug, Clone, PartialEq)]
pub struct Plain(pub Value);

impl<'de> Deserialize<'de> for Plain {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(PlainVisitor).map(Self)
    }
}

struct PlainVisitor;

impl<'de> Visitor<'de> for PlainVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Plain(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some((key, Plain(value))) = entries.next_entry()? {
            object.insert(key, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    const RAW: &str = "$serde_json::private::RawValue";
    const NUMBER: &str = "$serde_json::private::Number";

    #[rstest]
    #[case(json!({ RAW: "no JSON" }))]
    #[case(json!({ RAW: "[1]" }))]
    #[case(json!({ RAW: 7 }))]
    #[case(json!({ NUMBER: "1" }))]
    #[case(json!([{ "a": { RAW: "{\"b\":1}" } }, { "a": 1, RAW: "" }]))]
    fn private_names_are_names(#[case] value: Value) {
        let text = value.to_string();
        assert_eq!(from_str(&text).unwrap(), value);
        assert_eq!(from_slice(text.as_bytes()).unwrap(), value);
    }

    #[rstest]
    #[case("", false)]
    #[case("[1] 2", false)]
    #[case("{\"a\":1e999}", false)]
    #[case("{\"a\":1,\"a\":[null,true,-1,0.5,\"x\"]}", true)]
    fn it_is_as_strict_as_the_library(#[case] text: &str, #[case] is_json: bool) {
        assert_eq!(from_str(text).is_ok(), is_json);
        let deep = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(from_str(&deep(127)).is_ok() && from_str(&deep(128)).is_err());
    }

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec((".{0,8}", inner), 0..4)
                    .prop_map(|entries| Value::Object(entries.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(value in values()) {
            let text = value.to_string();
            prop_assert_eq!(from_str(&text).unwrap(), value);
        }
    }
}
