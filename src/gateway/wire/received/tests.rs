mod lists;

use lists::LISTS;
use proptest::prelude::*;
use rstest::rstest;
use serde_json::{Value, json};

use super::*;

type Reader = fn(&[u8]) -> Result<(), String>;

/// All that read one thing.
const OBJECTS: [(&str, Reader); 7] = [
    ("created", |body| created(body).map(drop)),
    ("conversation", |body| conversation(body).map(drop)),
    ("message", |body| message(body).map(drop)),
    ("webhook", |body| webhook(body).map(drop)),
    ("channel", |body| channel(body).map(drop)),
    ("attachment", |body| attachment(body).map(drop)),
    ("signing_key", |body| signing_key(body).map(drop)),
];

fn bytes(value: &Value) -> Vec<u8> {
    value.to_string().into_bytes()
}

#[rstest]
#[case("2021-01-30T08:30:00Z", Some(1_611_995_400_000))]
#[case("2021-01-30T08:30:00.250Z", Some(1_611_995_400_250))]
#[case("2021-01-30T09:30:00+01:00", Some(1_611_995_400_000))]
#[case("2021-01-30T09:30:00+0100", Some(1_611_995_400_000))]
#[case("2021-01-30T08:30:00.123456789Z", Some(1_611_995_400_123))]
#[case("2021-01-30T08:30:00", Some(1_611_995_400_000))]
#[case("2021-01-30 08:30:00.250", Some(1_611_995_400_250))]
#[case("0001-01-01T00:00:00Z", Some(-62_135_596_800_000))]
#[case("0000-12-31T23:59:59.999Z", None)]
#[case("-000044-03-15T12:00:00Z", None)]
#[case("2021-01-30", None)]
#[case("08:30:00", None)]
#[case("1611995400000", Some(1_611_995_400_000))]
#[case("1611995400", Some(1_611_995_400_000))]
#[case("1611995400.250000000", Some(1_611_995_400_250))]
#[case("0", None)]
#[case("-1", None)]
#[case("1e300", None)]
#[case("inf", None)]
#[case("nan", None)]
#[case("yesterday", None)]
#[case("", None)]
fn times(#[case] text: &str, #[case] expected: Option<i64>) {
    assert_eq!(unix_ms(text), expected);
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
fn what_is_not_the_thing_that_was_asked_for_is_refused() {
    for (name, read) in OBJECTS {
        for body in [
            "",
            " \n",
            "[]",
            "null",
            "7",
            "<html>",
            "{",
            "\"secret\"",
            "secret",
        ] {
            let problem = read(body.as_bytes()).unwrap_err();
            assert!(!problem.contains("secret"), "{name}: {problem}");
        }
        // Any object is a key here; whoever reads it judges it.
        if name == "signing_key" {
            continue;
        }
        for body in [
            "{}",
            r#"{"id": null, "name": "secret"}"#,
            r#"{"id": [], "text": "secret"}"#,
        ] {
            let problem = read(body.as_bytes()).unwrap_err();
            assert!(!problem.contains("secret"), "{name}: {problem}");
        }
        assert_eq!(read(br#"{"id": 7}"#), Ok(()), "{name}");
    }
    assert!(created(br#"{"conversationId": ""}"#).is_err());
    assert!(channel(br#"{"id": "a", "routingOptions": "secret"}"#).is_err());
    assert!(message(br#"{"id": "a", "cards": "secret"}"#).is_err());
}

#[rstest]
#[case(b"", None)]
#[case(b"<html>", None)]
#[case(b"{}", None)]
#[case(b"{\"id\": \"c\"", None)]
#[case(b"{\"id\": \"c\", \"user\": 7}", None)]
#[case(b"{\"id\": \"c\"}", Some("c"))]
fn a_conversation_that_nobody_needs_is_no_error(#[case] body: &[u8], #[case] expected: Option<&str>) {
    let read = conversation_if_any(body).unwrap();
    assert_eq!(read.as_ref().map(|c| c.id.as_str()), expected);
}

#[rstest]
#[case(json!("2020-08-05T11:55:00.592Z"), Some(1_596_628_500_592))]
#[case(json!("2020-08-05"), Some(1_596_585_600_000))]
#[case(json!(" 2020-08-05 "), Some(1_596_585_600_000))]
#[case(json!("2020-08-05T11:55:00"), Some(1_596_628_500_000))]
#[case(json!("2020-02-30"), None)]
#[case(json!("2020-08"), None)]
#[case(json!(1_596_628_500_592_i64), Some(1_596_628_500_592))]
#[case(json!(null), None)]
fn an_interaction_has_times_or_days(#[case] time: Value, #[case] expected: Option<i64>) {
    let body = json!({"_embedded": {"interactions": [{"id": "i", "startTime": time, "endTime": time}]}});
    let list = interactions(&bytes(&body)).unwrap();
    assert_eq!(
        (list.items[0].started_ms, list.items[0].ended_ms),
        (expected, expected)
    );
}

#[rstest]
#[case(json!({"version": "v", "notificationVersion": "n"}), "v")]
#[case(json!({"notificationVersion": "n"}), "n")]
#[case(json!({"version": null, "notificationVersion": "n"}), "n")]
#[case(json!({}), "")]
fn a_version_goes_by_two_names(#[case] mut body: Value, #[case] expected: &str) {
    body["id"] = json!(12);
    let read = webhook(&bytes(&body)).unwrap();
    assert_eq!((read.id.as_str(), read.version.as_str()), ("12", expected));
}

#[rstest]
#[case(json!({"filename": "a", "fileName": "b", "sizeInBytes": 1, "size": 2}), "a", Some(1))]
#[case(json!({"fileName": "b", "size": "2"}), "b", Some(2))]
#[case(json!({"filename": null, "fileName": "b", "sizeInBytes": null, "size": 2.0}), "b", Some(2))]
#[case(json!({"sizeInBytes": "4 KiB"}), "", None)]
#[case(json!({"sizeInBytes": 0, "size": 2}), "", Some(0))]
fn name_and_size_go_by_two_names(
    #[case] mut body: Value,
    #[case] file_name: &str,
    #[case] size_bytes: Option<u64>,
) {
    body["id"] = json!("a");
    let read = attachment(&bytes(&body)).unwrap();
    assert_eq!(
        (read.file_name.as_str(), read.size_bytes),
        (file_name, size_bytes)
    );
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
    let items =
        json!([{"id": "ü", "cards": [{"content": {"a": [1.5e3, "\u{1f600}"]}}], "user": {"name": "ü"}}]);
    let embedded: serde_json::Map<String, Value> = LISTS
        .into_iter()
        .map(|(name, _)| (name.to_owned(), items.clone()))
        .collect();
    let whole = bytes(&json!({
        "id": "c", "conversationId": "c", "state": "idle", "user": {"additionalProperties": [{"key": "ü"}]},
        "_embedded": embedded, "page": {"totalElements": 1}
    }));
    for end in 0..whole.len() {
        let cut = &whole[..end];
        assert!(OBJECTS.into_iter().all(|(_, read)| read(cut).is_err()), "{end}");
        assert!(LISTS.into_iter().all(|(_, read)| read(cut).is_err()), "{end}");
        assert_eq!(conversation_if_any(cut), Ok(None), "{end}");
    }
    assert!(OBJECTS.into_iter().all(|(_, read)| read(&whole).is_ok()));
    assert!(
        LISTS
            .into_iter()
            .all(|(_, read)| read(&whole) == Ok((1, 1, None)))
    );
}

#[test]
fn a_private_name_of_the_json_library_is_a_name() {
    let content = json!({ "$serde_json::private::RawValue": "no JSON" });
    let one = json!({ "id": "m1", "cards": [{ "content": content }] });
    assert_eq!(message(&bytes(&one)).unwrap().cards[0].content, content);
    let list = json!({ "data": [one] });
    assert_eq!(
        messages(&bytes(&list)).unwrap().items[0].cards[0].content,
        content
    );
    let key = signing_key(&bytes(&content)).unwrap();
    assert_eq!(key, content.to_string());
}

#[test]
fn a_key_with_a_number_of_many_digits_is_the_same_once_more() {
    let given = format!(r#"{{"kty":"RSA","more":{}}}"#, "6".repeat(42));
    let key = signing_key(given.as_bytes()).unwrap();
    assert_eq!(signing_key(key.as_bytes()).unwrap(), key);
}

proptest! {
    /// What was sent is looked for in what the vendor lists.
    #[test]
    fn numbers_are_read_as_they_were_written(number in proptest::num::f64::NORMAL | proptest::num::f64::SUBNORMAL) {
        let body = json!({ "id": "m1", "cards": [{ "content": number }] });
        let read = message(&bytes(&body)).unwrap();
        prop_assert_eq!(&read.cards[0].content, &json!(number));
    }

    #[test]
    fn any_bytes_are_survived(body in any::<Vec<u8>>(), text in any::<String>()) {
        for body in [body, text.into_bytes()] {
            for (_, read) in OBJECTS {
                let _ = read(&body);
            }
            for (_, read) in LISTS {
                let _ = read(&body);
            }
        }
    }
}
