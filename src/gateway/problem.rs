//! What the vendor says when it refuses: error bodies in all the shapes it uses, read without ever failing.
//!
//! Known shapes: `message`, with `errors` as a list of objects, a list of strings or one object; `validations` as a list of
//! objects or of strings that start with the field's name; `referenceId`; `ErrorCode` with `Error`; `title` with `detail`
//! (RFC 9457); a JSON string; plain text; the HTML page of a proxy; nothing.

use std::time::Duration;

use jiff::{Timestamp, fmt::rfc2822::DateTimeParser};
use serde_json::{Map, Value};

use crate::{error::Violation, json};

const MESSAGE_LIMIT: usize = 1024;
const FIELD_LIMIT: usize = 128;
const PROBLEM_LIMIT: usize = 512;
const REFERENCE_LIMIT: usize = 128;
const VIOLATION_LIMIT: usize = 32;

/// The longest wait that is passed on: a mistyped header must not park a caller for a day.
const RETRY_AFTER_LIMIT: Duration = Duration::from_secs(3600);

/// What an error body says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Problem {
    /// At most 1 KiB, without control characters; may be empty.
    pub(super) message: String,
    /// What vendor support asks for.
    pub(super) reference_id: Option<String>,
    /// Fields that are wrong, in the vendor's names; never with the value that was sent.
    pub(super) violations: Vec<Violation>,
}

impl Problem {
    /// Reads an error body, complete or not.
    pub(super) fn parse(body: &[u8]) -> Self {
        match json::from_slice(body) {
            Ok(Value::Object(object)) => Self::from_object(&object),
            Ok(Value::String(text)) => Self::from_text(&text),
            _ => Self::from_text(&String::from_utf8_lossy(body)),
        }
    }

    fn from_text(text: &str) -> Self {
        let message = if text.trim_start().starts_with('<') {
            "the answer is a page of HTML or XML, perhaps of a proxy on the way".to_owned()
        } else {
            clean(text, MESSAGE_LIMIT)
        };
        Self {
            message,
            ..Self::default()
        }
    }

    fn from_object(object: &Map<String, Value>) -> Self {
        let mut words = Words::default();
        for key in [
            "message",
            "title",
            "detail",
            "Error",
            "error",
            "error_description",
        ] {
            words.add(text(object.get(key)));
        }
        let mut violations = Vec::new();
        for validation in listed(object.get("validations")) {
            match violation(validation) {
                Some(found) => push(&mut violations, found),
                None => words.add(said(validation)),
            }
        }
        for error in listed(object.get("errors")) {
            // Where a list of strings names fields, it is the list of validations once more.
            match error.as_str().and_then(named) {
                Some(found) => push(&mut violations, found),
                None => words.add(said(error)),
            }
        }
        if words.0.is_empty() {
            words.add(text(object.get("ErrorCode")));
        }
        let reference_id = clean(&scalar(object.get("referenceId")), REFERENCE_LIMIT);
        Self {
            message: clean(&words.0.join("; "), MESSAGE_LIMIT),
            reference_id: (!reference_id.is_empty()).then_some(reference_id),
            violations,
        }
    }
}

/// What was said, each thing once.
#[derive(Default)]
struct Words(Vec<String>);

impl Words {
    fn add(&mut self, word: &str) {
        let word = word.trim();
        // Each new word is compared with all before, and the message is short anyway.
        if !word.is_empty() && self.0.len() < VIOLATION_LIMIT && !self.0.iter().any(|w| w == word) {
            self.0.push(word.to_owned());
        }
    }
}

fn push(violations: &mut Vec<Violation>, found: Violation) {
    if violations.len() < VIOLATION_LIMIT && !violations.contains(&found) {
        violations.push(found);
    }
}

/// A list's items; a single value stands for a list of one.
fn listed(value: Option<&Value>) -> &[Value] {
    match value {
        None | Some(Value::Null) => &[],
        Some(Value::Array(items)) => items,
        Some(one) => std::slice::from_ref(one),
    }
}

fn text(value: Option<&Value>) -> &str {
    value.and_then(Value::as_str).unwrap_or_default()
}

fn scalar(value: Option<&Value>) -> String {
    match value {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    }
}

/// The words of a string or of an object with a message or at least a code.
fn said(value: &Value) -> &str {
    match value.as_str() {
        Some(text) => text,
        None => Some(text(value.get("message")))
            .filter(|message| !message.is_empty())
            .unwrap_or_else(|| text(value.get("code"))),
    }
}

/// A violation from an object that names its field, or from a string that starts with its name.
fn violation(value: &Value) -> Option<Violation> {
    if let Some(text) = value.as_str() {
        return named(text);
    }
    let field = clean(text(value.get("field")), FIELD_LIMIT);
    (!field.is_empty()).then(|| Violation::new(field, clean(said(value), PROBLEM_LIMIT)))
}

/// `<<name>>: May not be empty.` or `user.name: May not be empty.`: a field is one word that starts in lower case.
fn named(text: &str) -> Option<Violation> {
    let (field, problem) = text.split_once(": ")?;
    let bare = field
        .strip_prefix("<<")
        .and_then(|f| f.strip_suffix(">>"))
        .unwrap_or(field);
    let is_name = bare.len() <= FIELD_LIMIT
        && bare.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && bare
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '[' | ']' | '-'));
    is_name.then(|| Violation::new(bare, clean(problem, PROBLEM_LIMIT)))
}

/// `text` without control characters (white space among them becomes a space), trimmed, at most `limit` bytes.
fn clean(text: &str, limit: usize) -> String {
    let mut out = String::new();
    let kept = text.trim().chars().filter_map(|c| match c {
        '\n' | '\r' | '\t' => Some(' '),
        c if c.is_control() => None,
        c => Some(c),
    });
    for c in kept {
        if out.len() + c.len_utf8() > limit {
            break;
        }
        out.push(c);
    }
    out
}

/// Reads a `Retry-After` header: seconds, or an HTTP date; at most an hour. A date that is over means now.
pub(super) fn retry_after(header: &str, now: Timestamp) -> Option<Duration> {
    let header = header.trim();
    if !header.is_empty() && header.bytes().all(|b| b.is_ascii_digit()) {
        // More digits than a number holds are a long wait, too.
        let seconds = header.parse().unwrap_or(u64::MAX);
        return Some(Duration::from_secs(seconds).min(RETRY_AFTER_LIMIT));
    }
    let at = http_date(header)?;
    let wait = Duration::try_from(at.duration_since(now)).unwrap_or_default();
    Some(wait.min(RETRY_AFTER_LIMIT))
}

/// Reads an HTTP date, as in `Date`.
pub(super) fn http_date(text: &str) -> Option<Timestamp> {
    static PARSER: DateTimeParser = DateTimeParser::new().relaxed_weekday(true);
    PARSER.parse_timestamp(text.trim()).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    fn parsed(value: &Value) -> Problem {
        Problem::parse(value.to_string().as_bytes())
    }

    fn violations(pairs: &[(&str, &str)]) -> Vec<Violation> {
        pairs.iter().map(|(f, p)| Violation::new(*f, *p)).collect()
    }

    #[rstest]
    #[case::message_alone(json!({"message": "Internal error."}), "Internal error.", &[])]
    #[case::errors_are_objects(
        json!({"message": "Refused.", "errors": [{"code": "invalid_queue", "message": "No queue 112."}, {"code": "odd"}]}),
        "Refused.; No queue 112.; odd", &[]
    )]
    #[case::errors_are_strings(
        json!({"message": "Not yours.", "errors": ["Header X-8x8-Tenant does not match", "Not yours."]}),
        "Not yours.; Header X-8x8-Tenant does not match", &[]
    )]
    #[case::errors_are_one_object(
        json!({"message": "Bad author.", "errors": {"code": "invalid_json_object", "message": "Bad author."}}),
        "Bad author.", &[]
    )]
    #[case::validations_are_objects(
        json!({"message": "Wrong.", "errors": [], "validations": [
            {"field": "assignment.id", "value": "secret", "code": "invalid_queue", "message": "No queue 112."},
            {"value": "secret", "message": "Somewhere."}]}),
        "Wrong.; Somewhere.", &[("assignment.id", "No queue 112.")]
    )]
    #[case::validations_are_strings(
        json!({"message": "Constraint Violation", "errors": ["<<name>>: May not be empty."],
            "validations": ["<<name>>: May not be empty.", "user.email: is not an address", "No field: here"]}),
        "Constraint Violation; No field: here",
        &[("name", "May not be empty."), ("user.email", "is not an address")]
    )]
    #[case::oauth(json!({"ErrorCode": "invalid_request", "Error": "Unsupported"}), "Unsupported", &[])]
    #[case::oauth_code_alone(json!({"ErrorCode": "invalid_request"}), "invalid_request", &[])]
    #[case::problem_json(json!({"title": "Bad", "detail": "Very bad", "status": 400}), "Bad; Very bad", &[])]
    #[case::a_string(json!("Internal server error."), "Internal server error.", &[])]
    #[case::wrong_types(json!({"message": 7, "errors": null, "validations": 3}), "", &[])]
    #[case::an_empty_object(json!({}), "", &[])]
    fn every_shape_is_read(#[case] body: Value, #[case] message: &str, #[case] fields: &[(&str, &str)]) {
        let problem = parsed(&body);
        assert_eq!(problem.message, message);
        assert_eq!(problem.violations, violations(fields));
        assert_eq!(problem.reference_id, None);
    }

    #[test]
    fn a_body_of_nothing_but_errors_costs_little() {
        let errors: Vec<String> = (0..200_000).map(|n| format!("{n:06}")).collect();
        let before = std::time::Instant::now();
        let problem = parsed(&json!({ "errors": errors }));
        assert!(problem.message.starts_with("000000; 000001; "));
        assert!(
            before.elapsed() < Duration::from_secs(10),
            "{:?}",
            before.elapsed()
        );
    }

    #[rstest]
    #[case(json!("dacd0dd252723a2"), Some("dacd0dd252723a2"))]
    #[case(json!(42), Some("42"))]
    #[case(json!("a\r\nb\u{0}"), Some("a  b"))]
    #[case(json!(""), None)]
    #[case(json!(null), None)]
    #[case(json!([1]), None)]
    fn the_reference_is_kept(#[case] reference: Value, #[case] expected: Option<&str>) {
        let problem = parsed(&json!({"message": "x", "referenceId": reference}));
        assert_eq!(problem.reference_id.as_deref(), expected);
    }

    #[rstest]
    #[case(b"", "")]
    #[case(b"   \r\n", "")]
    #[case(b"no healthy upstream", "no healthy upstream")]
    #[case(b"two\nlines\x1b[31m", "two lines[31m")]
    #[case(
        b"<html><body>502</body></html>",
        "the answer is a page of HTML or XML, perhaps of a proxy on the way"
    )]
    #[case(b"{\"message\": \"cut o", "{\"message\": \"cut o")]
    #[case(b"\xff\xfe", "\u{fffd}\u{fffd}")]
    fn what_is_no_json_is_read(#[case] body: &[u8], #[case] message: &str) {
        assert_eq!(Problem::parse(body).message, message);
    }

    #[test]
    fn everything_is_bounded() {
        let many: Vec<Value> = (0..100)
            .map(|n| json!({"field": format!("{n}{}", "f".repeat(500)), "message": "ü".repeat(5000)}))
            .collect();
        let body = json!({"message": "ü".repeat(5000), "validations": many, "referenceId": "r".repeat(500)});
        let problem = parsed(&body);
        assert_eq!(problem.message.len(), MESSAGE_LIMIT);
        assert_eq!(problem.reference_id.unwrap().len(), REFERENCE_LIMIT);
        assert_eq!(problem.violations.len(), VIOLATION_LIMIT);
        for violation in problem.violations {
            assert_eq!(violation.field.len(), FIELD_LIMIT);
            assert_eq!(violation.problem.len(), PROBLEM_LIMIT);
        }
    }

    #[rstest]
    #[case("0", Some(0))]
    #[case(" 120 ", Some(120))]
    #[case("3600", Some(3600))]
    #[case("3601", Some(3600))]
    #[case("99999999999999999999999999", Some(3600))]
    #[case("Sun, 06 Nov 1994 08:49:37 GMT", Some(37))]
    #[case("Sun, 06 Nov 1994 08:48:00 GMT", Some(0))]
    #[case("Tue, 06 Nov 1994 08:49:37 GMT", Some(37))]
    #[case("Sat, 05 Nov 1994 08:49:37 GMT", Some(0))]
    #[case("Mon, 07 Nov 1994 08:49:37 GMT", Some(3600))]
    #[case("", None)]
    #[case("-1", None)]
    #[case("1.5", None)]
    #[case("soon", None)]
    fn retry_after_is_read(#[case] header: &str, #[case] seconds: Option<u64>) {
        let now = "1994-11-06T08:49:00Z".parse().unwrap();
        assert_eq!(retry_after(header, now), seconds.map(Duration::from_secs));
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
            Just(json!("<<a>>: b")),
        ];
        let key = prop_oneof![
            Just("message".to_owned()),
            Just("errors".to_owned()),
            Just("validations".to_owned()),
            Just("referenceId".to_owned()),
            Just("field".to_owned()),
            Just("code".to_owned()),
            any::<String>(),
        ];
        leaf.prop_recursive(4, 64, 8, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
                prop::collection::vec((key.clone(), inner), 0..8)
                    .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
            ]
        })
    }

    fn is_tame(problem: &Problem) -> bool {
        let texts = problem
            .violations
            .iter()
            .flat_map(|v| [&v.field, &v.problem])
            .chain(&problem.reference_id)
            .chain([&problem.message]);
        texts
            .into_iter()
            .all(|text| text.len() <= MESSAGE_LIMIT && !text.chars().any(char::is_control))
    }

    proptest! {
        #[test]
        fn any_bytes_are_tamed(body in any::<Vec<u8>>()) {
            prop_assert!(is_tame(&Problem::parse(&body)));
        }

        #[test]
        fn any_json_is_tamed(body in any_json()) {
            prop_assert!(is_tame(&parsed(&body)));
        }

        #[test]
        fn any_retry_after_is_bounded(header in any::<String>()) {
            if let Some(wait) = retry_after(&header, Timestamp::UNIX_EPOCH) {
                prop_assert!(wait <= RETRY_AFTER_LIMIT);
            }
        }
    }
}
