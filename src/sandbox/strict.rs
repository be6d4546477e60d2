//! Reads JSON as strictly as the vendor describes it. Left to itself, serde takes null for a missing field and a list for
//! an object's fields in their order; the vendor's description has neither.

use serde::{Deserialize, Deserializer, de::DeserializeOwned, de::Error as _};
use serde_json::{Map, Value};

/// A field that may be missing but not null.
pub(crate) fn present<'de, D, T>(from: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(from).map(Some)
}

/// As [`present`], and an object.
pub(crate) fn object<'de, D, T>(from: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    read(Map::deserialize(from)?).map(Some).map_err(D::Error::custom)
}

/// As [`present`], and a list of objects.
pub(crate) fn objects<'de, D, T>(from: D) -> Result<Option<Vec<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    let all = Vec::<Map<String, Value>>::deserialize(from)?;
    let read: Result<Vec<T>, _> = all.into_iter().map(read).collect();
    read.map(Some).map_err(D::Error::custom)
}

/// A whole body, which must be an object.
pub(crate) fn body<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, serde_json::Error> {
    read(serde_json::from_slice(bytes)?)
}

fn read<T: DeserializeOwned>(object: Map<String, Value>) -> Result<T, serde_json::Error> {
    serde_json::from_value(Value::Object(object))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Outer {
        #[serde(default, deserialize_with = "object")]
        one: Option<Inner>,
        #[serde(default, deserialize_with = "objects")]
        many: Option<Vec<Inner>>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        #[serde(default, deserialize_with = "present")]
        name: Option<String>,
    }

    #[test]
    fn only_objects_are_objects_and_nothing_is_null() {
        let it: Outer = body(br#"{"one": {"name": "a"}, "many": [{}, {"name": "b"}]}"#).unwrap();
        assert_eq!(it.one.unwrap().name.as_deref(), Some("a"));
        assert_eq!(it.many.unwrap()[1].name.as_deref(), Some("b"));
        for wrong in [
            r#"[]"#,
            r#"[{"name": "a"}]"#,
            r#"{"one": ["a"]}"#,
            r#"{"one": null}"#,
            r#"{"one": {"name": null}}"#,
            r#"{"many": {}}"#,
            r#"{"many": [["a"]]}"#,
            r#"{"many": [null]}"#,
            r#"{"other": 1}"#,
            r#"{"one": {}} x"#,
        ] {
            assert!(body::<Outer>(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }
}
