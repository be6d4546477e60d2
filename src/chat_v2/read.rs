//! Reads what clients of v2 send, as forgivingly as v2 did: fields that it does not know are passed over, and a number where a text
//! belongs is that number's text. What is wrong is collected, so that one answer names all of it.

use serde_json::{Map, Value};

use super::problem::{Problem, Wrong};
use crate::json;

/// The longest identifier or name, in bytes, as for other callers.
pub(super) const ID_BYTES_MAX: usize = 256;

/// A JSON object of somebody else's.
pub(super) type Object = Map<String, Value>;

/// Reads a body that must be an object.
pub(super) fn object(body: &[u8]) -> Result<Object, Problem> {
    match json::from_slice(body) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(Problem::one(
            "",
            "invalid_json",
            "The body must be a JSON object.",
        )),
        Err(_) => Err(Problem::one("", "invalid_json", "The body is not JSON.")),
    }
}

/// What is wrong so far.
#[derive(Debug, Default)]
pub(super) struct Findings(Vec<Wrong>);

impl Findings {
    pub(super) fn add(&mut self, wrong: Wrong) {
        self.0.push(wrong);
    }

    /// What passed, or all that is wrong.
    pub(super) fn done<T>(self, value: T) -> Result<T, Problem> {
        match self.0.is_empty() {
            true => Ok(value),
            false => Err(Problem::wrong(self.0)),
        }
    }

    /// A text, or a number or a boolean as its text; `None` where it is not given, or wrong. `at` is what stands before its name.
    pub(super) fn text(&mut self, object: &Object, at: &str, name: &str, bytes_max: usize) -> Option<String> {
        let text = match object.get(name)? {
            Value::Null => return None,
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Bool(flag) => flag.to_string(),
            Value::Array(_) | Value::Object(_) => {
                self.add(Wrong::new(
                    format!("{at}{name}"),
                    "invalid_type",
                    "must be a text.",
                ));
                return None;
            }
        };
        if text.len() > bytes_max {
            let problem = format!("is {} bytes long; at most {bytes_max} are allowed.", text.len());
            self.add(Wrong::new(format!("{at}{name}"), "too_long", problem).with(&text));
            return None;
        }
        Some(text)
    }

    /// The same of one that must be there and not be empty.
    pub(super) fn required(&mut self, object: &Object, at: &str, name: &str, bytes_max: usize) -> String {
        let before = self.0.len();
        let text = self.text(object, at, name, bytes_max).unwrap_or_default();
        if text.is_empty() && self.0.len() == before {
            self.add(Wrong::new(
                format!("{at}{name}"),
                "missing_field",
                "May not be empty.",
            ));
        }
        text
    }

    /// An object, if one is given.
    pub(super) fn object<'a>(&mut self, object: &'a Object, at: &str, name: &str) -> Option<&'a Object> {
        match object.get(name)? {
            Value::Object(inner) => Some(inner),
            Value::Null => None,
            _ => {
                self.add(Wrong::new(
                    format!("{at}{name}"),
                    "invalid_type",
                    "must be an object.",
                ));
                None
            }
        }
    }

    /// An identifier: it becomes one segment of a path.
    pub(super) fn identifier(&mut self, field: &str, id: &str) {
        if is_identifier(id) {
            return;
        }
        self.add(Wrong::new(field, "invalid_identifier", "is not an identifier.").with(id));
    }
}

/// Whether a text can be an identifier of the vendor's. Nothing of any other text can be found.
pub(super) fn is_identifier(id: &str) -> bool {
    let is_plain = !id.chars().any(char::is_control);
    !id.is_empty() && id.len() <= ID_BYTES_MAX && is_plain && !matches!(id, "." | "..")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    fn read(value: &Value, name: &str) -> (Option<String>, usize) {
        let mut findings = Findings::default();
        let text = findings.text(value.as_object().unwrap(), "", name, 8);
        (text, findings.0.len())
    }

    #[rstest]
    #[case(json!({ "a": "x" }), Some("x"), 0)]
    #[case(json!({ "a": 25 }), Some("25"), 0)]
    #[case(json!({ "a": true }), Some("true"), 0)]
    #[case(json!({ "a": null }), None, 0)]
    #[case(json!({}), None, 0)]
    #[case(json!({ "a": [] }), None, 1)]
    #[case(json!({ "a": {} }), None, 1)]
    #[case(json!({ "a": "123456789" }), None, 1)]
    fn texts_are_read_forgivingly(#[case] value: Value, #[case] text: Option<&str>, #[case] wrong: usize) {
        assert_eq!(read(&value, "a"), (text.map(str::to_owned), wrong));
    }

    #[rstest]
    #[case(b"{}", true)]
    #[case(b"[]", false)]
    #[case(b"", false)]
    #[case(b"\xff", false)]
    #[case(b"{\"a\":1} x", false)]
    fn a_body_is_one_object(#[case] body: &[u8], #[case] is_one: bool) {
        assert_eq!(object(body).is_ok(), is_one);
    }
}
