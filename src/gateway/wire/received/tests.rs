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
