//! Reading JSON of others: strict about shapes, lenient about scalars, and silent about content.

use serde_json::{Map, Value};

/// Why something cannot be read, as a sentence that names members and types and nothing of the content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem(pub(super) String);

pub(super) type Read<T> = Result<T, Problem>;

/// The members of an object.
#[derive(Debug, Clone)]
pub(super) struct Members<'a> {
    map: &'a Map<String, Value>,
    /// Where the object is in the body, with a dot at its end; empty for the body itself.
    path: String,
}

impl<'a> Members<'a> {
    /// The members of the body itself.
    pub(super) fn of_body(map: &'a Map<String, Value>) -> Self {
        Self {
            map,
            path: String::new(),
        }
    }

    /// A member; null counts as absent.
    pub(super) fn get(&self, name: &str) -> Option<&'a Value> {
        self.map.get(name).filter(|value| !value.is_null())
    }

    /// A member as it is; null where it is absent.
    pub(super) fn value(&self, name: &str) -> Value {
        self.map.get(name).cloned().unwrap_or_default()
    }

    /// Text. Integrators write numbers for text and the reverse, so a number or a boolean is taken as it is written;
    /// empty where it is absent.
    pub(super) fn text(&self, name: &str) -> Read<String> {
        match self.get(name) {
            None => Ok(String::new()),
            Some(value) => scalar(value).ok_or_else(|| self.expected(name, value, "text")),
        }
    }

    /// The first of these texts that is not empty.
    pub(super) fn first_text(&self, names: &[&str]) -> Read<String> {
        for name in names {
            let text = self.text(name)?;
            if !text.is_empty() {
                return Ok(text);
            }
        }
        Ok(String::new())
    }

    /// A boolean, also as text or as 0 and 1; false where it is absent.
    pub(super) fn flag(&self, name: &str) -> Read<bool> {
        let Some(value) = self.get(name) else {
            return Ok(false);
        };
        match scalar(value).as_deref() {
            Some("true" | "True" | "TRUE" | "1") => Ok(true),
            Some("false" | "False" | "FALSE" | "0" | "") => Ok(false),
            _ => Err(self.expected(name, value, "true or false")),
        }
    }

    /// An object; `None` where it is absent.
    pub(super) fn object(&self, name: &str) -> Read<Option<Members<'a>>> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::Object(map)) => Ok(Some(Members {
                map,
                path: format!("{}{name}.", self.path),
            })),
            Some(other) => Err(self.expected(name, other, "an object")),
        }
    }

    /// A list; empty where it is absent.
    pub(super) fn list(&self, name: &str) -> Read<&'a [Value]> {
        match self.get(name) {
            None => Ok(&[]),
            Some(Value::Array(list)) => Ok(list),
            Some(other) => Err(self.expected(name, other, "a list")),
        }
    }

    /// A list of objects; empty where it is absent.
    pub(super) fn objects(&self, name: &str) -> Read<Vec<Members<'a>>> {
        let each = self.list(name)?.iter().enumerate().map(|(i, value)| match value {
            Value::Object(map) => Ok(Members {
                map,
                path: format!("{}{name}[{i}].", self.path),
            }),
            other => Err(self.expected(&format!("{name}[{i}]"), other, "an object")),
        });
        each.collect()
    }

    /// The problem that a member is not what it should be.
    pub(super) fn expected(&self, name: &str, found: &Value, expected: &str) -> Problem {
        let found = match found {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::String(_) => "text",
            Value::Array(_) => "a list",
            Value::Object(_) => "an object",
        };
        self.problem(name, &format!("is {found} where {expected} is expected"))
    }

    /// The problem that a member is missing.
    pub(super) fn missing(&self, name: &str) -> Problem {
        self.problem(name, "is missing")
    }

    /// A problem with a member. `what` is the rest of the sentence, and nothing of the content.
    pub(super) fn problem(&self, name: &str, what: &str) -> Problem {
        Problem(format!("The member `{}{name}` {what}.", self.path))
    }
}

/// A scalar as text.
pub(super) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}
