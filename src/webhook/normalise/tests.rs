#![allow(clippy::unwrap_used, reason = "tests")]

use bytes::Bytes;
use proptest::prelude::*;
use rstest::rstest;
use serde_json::json;

use super::*;
use crate::event::{AssignmentKind, AuthorType, EventKind, MemberChange, UpstreamState};

const SENT_MS: u64 = 1_629_804_577_105;

fn event(body: impl Into<Bytes>) -> Event {
    let delivery = Verified::unsigned("tenant01", "event-1", SENT_MS, body.into());
    normalise(
        &delivery,
        Received {
            at_ms: 7,
            traceparent: None,
        },
    )
}

fn of(value: &Value) -> Event {
    event(value.to_string())
}

fn data(event_type: &str, data: &Value) -> EventBody {
    let event = of(&json!({ "eventType": event_type, "conversationId": "c1", "timestamp": 5, "data": data }));
    assert_eq!(event.key.conversation, "c1");
    assert_eq!(event.vendor_type, event_type);
    assert_eq!(event.occurred_ms, 5);
    event.body
}

fn problem(event: &Event) -> &str {
    match &event.body {
        EventBody::Unknown { problem } => problem,
        other => panic!("expected an unknown event, found {other:?}"),
    }
}

#[test]
fn an_update_is_read_whole() {
    let body = data(
        "CONVERSATION_UPDATE",
        &json!({
            "state": "active",
            "assignment": { "id": 101, "type": "Queue", "resourceId": "r1" },
            "user": {
                "name": "Zoë", "userId": 17, "email": "zoe@example.com", "phone": "+1", "company": "C", "caseId": 9,
                "language": "fr", "ipaddress": "::1", "timezoneOffset": -120,
                "additionalProperties": [{ "key": "a", "value": "b" }, { "key": "n", "value": { "x": 1 } }, { "key": "e" }],
            },
            "msisdn": 15551234,
            "channel": "WhatsApp",
        }),
    );
    let EventBody::ConversationUpdated(update) = body else {
        panic!("{body:?}");
    };
    assert_eq!(update.state, Some(UpstreamState::Active));
    let assignment = update.assignment.unwrap();
    assert_eq!(assignment.kind, Some(AssignmentKind::Queue));
    assert_eq!(
        (assignment.id.as_str(), assignment.resource_id.as_str()),
        ("101", "r1")
    );
    let user = update.user.unwrap();
    assert_eq!((user.user_id.as_str(), user.case_id.as_str()), ("17", "9"));
    assert_eq!(
        (user.ip_address.as_str(), user.timezone_offset.as_str()),
        ("::1", "-120")
    );
    let properties = [("a", "b"), ("n", r#"{"x":1}"#), ("e", "")];
    assert_eq!(
        user.additional_properties,
        properties.map(|(k, v)| (k.to_owned(), v.to_owned()))
    );
    assert_eq!(
        (update.msisdn.as_str(), update.channel_type.as_str()),
        ("15551234", "WhatsApp")
    );
}

#[test]
fn an_update_that_names_little_leaves_the_rest_absent() {
    let body = data("CONVERSATION_UPDATE", &json!({ "state": "paused", "user": null }));
    let EventBody::ConversationUpdated(update) = body else {
        panic!("{body:?}");
    };
    assert_eq!((update.state, update.assignment, update.user), (None, None, None));
}

#[rstest]
#[case("agent", "joined", Some(AuthorType::Agent), MemberChange::Joined)]
#[case("user", "LEFT", Some(AuthorType::User), MemberChange::Left)]
#[case("supervisor", "left", None, MemberChange::Left)]
fn members_come_and_go(
    #[case] kind: &str,
    #[case] word: &str,
    #[case] expected: Option<AuthorType>,
    #[case] what: MemberChange,
) {
    let body = data(
        "MEMBERS_CHANGED",
        &json!({ "memberType": kind, "change": word, "id": "ag1" }),
    );
    let EventBody::MemberChanged { member, change } = body else {
        panic!("{body:?}");
    };
    assert_eq!((member.id.as_str(), member.kind, change), ("ag1", expected, what));
}

#[test]
fn a_message_is_read_whole() {
    let body = data(
        "MESSAGE",
        &json!({
            "isEcho": "true",
            "sender": { "id": 4, "type": "Bot" },
            "text": "nul \u{0} and \u{1f44b}",
            "attachments": [{ "id": "a1", "type": "image/png", "preSignedUrl": "https://files.invalid", "fileName": "a.png" }],
            "cards": [{ "contentType": "New.Kind", "content": [1, { "deep": null }] }],
        }),
    );
    let EventBody::Message(message) = body else {
        panic!("{body:?}");
    };
    assert!(message.echo);
    assert_eq!(
        (message.author.id.as_str(), message.author.kind),
        ("4", Some(AuthorType::Bot))
    );
    assert_eq!(message.text, "nul \u{0} and \u{1f44b}");
    assert_eq!(message.attachments[0].pre_signed_url, "https://files.invalid");
    assert_eq!(message.attachments[0].media_type, "image/png");
    assert_eq!(message.cards[0].content, json!([1, { "deep": null }]));
}

#[test]
fn activities_with_a_kind_of_their_own_are_told_apart() {
    let activity = |name: &str, value: Value| data("ACTIVITY", &json!({ "name": name, "value": value }));
    assert_eq!(
        activity(
            "typing",
            json!({ "users": ["ag1", { "id": 2, "type": "agent" }, 3] })
        ),
        EventBody::Typing {
            participant_ids: ["ag1", "2", "3"].map(str::to_owned).to_vec()
        }
    );
    assert_eq!(
        activity("typing", json!({ "users": [] })),
        EventBody::Typing {
            participant_ids: Vec::new()
        }
    );
    assert_eq!(
        activity(
            "adaptiveCard/action",
            json!({ "type": "Action.Submit", "data": { "x": 1 } })
        ),
        EventBody::CardAction {
            action_type: "Action.Submit".into(),
            data: json!({ "x": 1 })
        }
    );
    assert_eq!(
        activity(
            "quickReply/action",
            json!({ "type": "postback", "data": { "title": "Yes", "payload": [1] } })
        ),
        EventBody::QuickReply {
            action_type: "postback".into(),
            title: "Yes".into(),
            payload: json!([1])
        }
    );
    assert_eq!(
        activity("read-receipts", json!([{ "at": 1 }, "m2"])),
        EventBody::ReadReceipt(vec![json!({ "at": 1 }), json!("m2")])
    );
    assert_eq!(
        activity("channel/thing", json!(false)),
        EventBody::Activity {
            name: "channel/thing".into(),
            value: json!(false)
        }
    );
}

#[test]
fn the_older_flat_dialect_is_accepted() {
    let flat = |event_type: &str| {
        let event = of(&json!({
            "eventType": event_type, "messageType": "SYSTEM", "conversationId": "c1", "agentId": "ag1",
            "agentName": "A. Gent", "message": "Hello", "queueId": 101, "queueName": "Sales", "timestamp": "5",
        }));
        assert_eq!((event.key.conversation.as_str(), event.occurred_ms), ("c1", 5));
        event.body
    };
    for (event_type, expected) in [
        ("AGENT_JOINED", MemberChange::Joined),
        ("AGENT_LEFT", MemberChange::Left),
    ] {
        let EventBody::MemberChanged { member, change } = flat(event_type) else {
            panic!("{event_type}");
        };
        assert_eq!((member.id.as_str(), member.name.as_str()), ("ag1", "A. Gent"));
        assert_eq!((member.kind, change), (Some(AuthorType::Agent), expected));
    }
    let EventBody::Message(message) = flat("TEXT") else {
        panic!("TEXT");
    };
    assert_eq!(
        (message.text.as_str(), message.author.name.as_str()),
        ("Hello", "A. Gent")
    );
    assert_eq!(
        (message.author.kind, message.echo),
        (Some(AuthorType::Agent), false)
    );
    assert_eq!(
        flat("QUEUED"),
        EventBody::Queued {
            queue_id: "101".into(),
            queue_name: "Sales".into()
        }
    );
    assert_eq!(flat("TRANSFER"), EventBody::Transferred);
}

#[test]
fn an_object_with_a_private_name_of_the_json_library_is_an_object() {
    for text in ["no JSON", "[1]"] {
        let value = json!({ "$serde_json::private::RawValue": text });
        let body = data("ACTIVITY", &json!({ "name": "channel/thing", "value": value }));
        let name = "channel/thing".to_owned();
        assert_eq!(body, EventBody::Activity { name, value });
    }
}

#[test]
fn a_kind_that_is_new_is_no_problem() {
    let event = of(&json!({ "eventType": "SURVEY", "conversationId": "c1", "data": [1] }));
    assert_eq!(problem(&event), "");
    assert_eq!(
        (event.vendor_type.as_str(), event.key.conversation.as_str()),
        ("SURVEY", "c1")
    );
}

#[test]
fn the_check_of_the_address_belongs_to_no_conversation() {
    let event = of(&json!({ "eventType": "WEB_HOOK_VERIFY", "notificationVersion": "v2.0" }));
    assert_eq!(event.key.conversation, "");
    assert_eq!(
        event.body,
        EventBody::WebhookVerified {
            notification_version: "v2.0".into()
        }
    );
    assert_eq!(event.occurred_ms, i64::try_from(SENT_MS).unwrap());
}

#[rstest]
#[case(json!({ "conversationId": "c1" }), "The member `eventType` is missing.")]
#[case(json!({ "eventType": [], "conversationId": "c1" }), "The member `eventType` is a list where text is expected.")]
#[case(json!({ "eventType": "MESSAGE", "conversationId": "c1", "data": "x" }), "The member `data` is text where an object is expected.")]
#[case(json!({ "eventType": "MESSAGE", "conversationId": "c1", "data": { "text": {} } }), "The member `data.text` is an object where text is expected.")]
#[case(json!({ "eventType": "MESSAGE", "conversationId": "c1", "data": { "isEcho": "perhaps" } }), "The member `data.isEcho` is text where true or false is expected.")]
#[case(json!({ "eventType": "MESSAGE", "conversationId": "c1", "data": { "cards": [{}, 1] } }), "The member `data.cards[1]` is a number where an object is expected.")]
#[case(json!({ "eventType": "MEMBERS_CHANGED", "conversationId": "c1", "data": { "id": "a" } }), "The member `data.change` is missing.")]
#[case(json!({ "eventType": "MEMBERS_CHANGED", "conversationId": "c1", "data": { "change": "secret" } }), "The member `data.change` is neither joined nor left.")]
#[case(json!({ "eventType": "ACTIVITY", "conversationId": "c1", "data": { "value": 1 } }), "The member `data.name` is missing.")]
#[case(json!({ "eventType": "ACTIVITY", "conversationId": "c1", "data": { "name": "typing", "value": {} } }), "The member `data.value.users` is missing.")]
#[case(json!({ "eventType": "ACTIVITY", "conversationId": "c1", "data": { "name": "typing", "value": { "users": [{}] } } }), "The member `data.value.users[0]` is an object where an identifier, or an object with one, is expected.")]
#[case(json!({ "eventType": "ACTIVITY", "conversationId": "c1", "data": { "name": "read-receipts", "value": 1 } }), "The member `data.value` is a number where a list is expected.")]
fn a_shape_that_is_off_says_where_and_keeps_its_conversation(#[case] body: Value, #[case] expected: &str) {
    let event = of(&body);
    assert_eq!(problem(&event), expected);
    assert_eq!(event.key.conversation, "c1");
}

#[test]
fn bodies_that_are_not_json_keep_what_can_be_read() {
    let deep = format!(
        r#"{{"data":{}{},"eventType":"MESSAGE","conversationId":"c1"}}"#,
        "[".repeat(200),
        "]".repeat(200)
    );
    let cases: [(&[u8], &str); 6] = [
        (b"", ""),
        (b"\xff\xfe", ""),
        (b"{\"conversationId\":\"c1\",\"data\":{\"text\":\"sec", "c1"),
        (b"{\"conversationId\":\"c1\",\"data\":1e999}", "c1"),
        (b"{\"conversationId\":12} trailing", "12"),
        (deep.as_bytes(), "c1"),
    ];
    for (body, conversation) in cases {
        let event = event(Bytes::copy_from_slice(body));
        assert!(problem(&event).starts_with("The body is not JSON that can be read: it breaks at line "));
        assert!(!problem(&event).contains("sec"));
        assert_eq!(event.key.conversation, conversation);
    }
    for body in ["null", "[]", "\"MESSAGE\"", "3"] {
        assert_eq!(problem(&event(body)), "The body is not a JSON object.");
    }
}

#[test]
fn text_that_is_not_unicode_is_a_message_all_the_same() {
    for text in [&b"half \\ud83d"[..], b"byte \xff"] {
        let mut body = br#"{"eventType":"MESSAGE","conversationId":"c1","data":{"text":""#.to_vec();
        body.extend(text);
        body.extend(br#""}}"#);
        let event = event(body);
        assert_eq!(event.key.conversation, "c1");
        let EventBody::Message(message) = event.body else {
            panic!("{:?}", event.body);
        };
        assert!(message.text.ends_with(" \u{fffd}"), "{:?}", message.text);
    }
    let marked = event("\u{feff}{\"eventType\":\"TRANSFER\",\"conversationId\":\"c1\"}");
    assert_eq!(marked.body, EventBody::Transferred);
}

#[rstest]
#[case::too_long(json!("x".repeat(257)))]
#[case::nul(json!("c1\u{0}"))]
#[case::newline(json!("c1\n"))]
#[case::c1_control(json!("c1\u{85}"))]
#[case::replaced(json!("c1\u{fffd}"))]
#[case::a_list(json!(["c1"]))]
#[case::an_object(json!({ "id": "c1" }))]
fn conversation_ids_that_none_could_have_go_to_the_pseudo_conversation(#[case] id: Value) {
    let event = of(&json!({ "eventType": "TRANSFER", "conversationId": id }));
    assert_eq!(
        (event.key.conversation.as_str(), event.vendor_type.as_str()),
        ("", "TRANSFER")
    );
    assert!(problem(&event).starts_with("The member `conversationId` "));
}

#[rstest]
#[case::number(json!(5), Some(5))]
#[case::zero(json!(0), Some(0))]
#[case::text(json!(" 1629804577002 "), Some(1_629_804_577_002))]
#[case::float(json!(1_629_804_577_002.0), Some(1_629_804_577_002))]
#[case::negative(json!(-1), None)]
#[case::year_ten_thousand(json!(253_402_300_800_000_i64), None)]
#[case::two_days_after_its_own_transmission(json!(SENT_MS + 2 * 86_400_000), None)]
#[case::beyond_64_bits(json!(u64::MAX), None)]
#[case::huge_float(json!(1e300), None)]
#[case::a_date(json!("2021-08-24T11:29:37Z"), None)]
#[case::null(Value::Null, None)]
#[case::a_list(json!([5]), None)]
fn a_time_that_cannot_be_believed_is_the_transmissions(
    #[case] timestamp: Value,
    #[case] expected: Option<i64>,
) {
    let event = of(&json!({ "eventType": "TRANSFER", "conversationId": "c1", "timestamp": timestamp }));
    assert_eq!(
        event.occurred_ms,
        expected.unwrap_or(i64::try_from(SENT_MS).unwrap())
    );
    assert_eq!(event.body, EventBody::Transferred);
}

#[test]
fn only_the_check_itself_is_taken_for_the_check() {
    assert!(is_verification(br#"{"eventType":"WEB_HOOK_VERIFY"}"#));
    for body in [
        &br#"{"eventType":"MESSAGE"}"#[..],
        br#"["WEB_HOOK_VERIFY"]"#,
        br#"{"eventType":["WEB_HOOK_VERIFY"]}"#,
        br#"{"eventType":"WEB_HOOK_VERIFY""#,
        b"WEB_HOOK_VERIFY",
        b"",
    ] {
        assert!(!is_verification(body), "{}", String::from_utf8_lossy(body));
    }
}

fn json_values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        prop::sample::select(
            &[
                "joined",
                "typing",
                "read-receipts",
                "quickReply/action",
                "queue",
                "idle"
            ][..]
        )
        .prop_map(Value::from),
    ];
    let name = prop_oneof![
        any::<String>(),
        prop::sample::select(
            &[
                "name",
                "value",
                "users",
                "id",
                "type",
                "data",
                "sender",
                "text",
                "attachments",
                "cards",
                "change",
                "memberType",
                "state",
                "assignment",
                "user",
                "additionalProperties",
                "title",
                "payload",
                "isEcho",
            ][..]
        )
        .prop_map(str::to_owned),
    ];
    leaf.prop_recursive(5, 48, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::hash_map(name.clone(), inner, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn event_types() -> impl Strategy<Value = Value> {
    let known = [
        "CONVERSATION_UPDATE",
        "QUEUED",
        "MEMBERS_CHANGED",
        "TRANSFER",
        "MESSAGE",
        "ACTIVITY",
        "WEB_HOOK_VERIFY",
        "AGENT_JOINED",
        "AGENT_LEFT",
        "TEXT",
    ];
    prop_oneof![
        4 => prop::sample::select(known.to_vec()).prop_map(Value::from),
        1 => json_values(),
    ]
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(body in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert_eq!(event(body).body.kind(), EventKind::Unknown);
    }

    #[test]
    fn no_json_loses_its_conversation(
        event_type in event_types(), data in json_values(), timestamp in json_values(), id in "[!-~é😀]{1,60}",
        cut in any::<prop::sample::Index>(),
    ) {
        let body = json!({ "eventType": event_type, "data": data, "timestamp": timestamp, "conversationId": id });
        let made = of(&body);
        prop_assert_eq!(&made.key.conversation, &id);
        prop_assert!((0..=LAST_MS).contains(&made.occurred_ms));

        // Behind the conversation id, anything may be cut off.
        let head = format!("{{\"conversationId\":{},", Value::from(id.clone()));
        let text = format!("{head}{}", &body.to_string()[1..]);
        let bytes = text.into_bytes();
        let end = head.len() + cut.index(bytes.len() - head.len() + 1);
        prop_assert_eq!(event(Bytes::copy_from_slice(&bytes[..end])).key.conversation, id);
    }

    #[test]
    fn problems_repeat_nothing_of_the_content(event_type in event_types(), data in json_values()) {
        const MARK: &str = "q7Xz";
        let marked: Value = serde_json::from_str(&data.to_string().replace("\":\"", &format!("\":\"{MARK}"))).unwrap_or(data);
        let made = of(&json!({ "eventType": event_type, "conversationId": "c1", "data": marked }));
        if let EventBody::Unknown { problem } = made.body {
            prop_assert!(!problem.contains(MARK));
        }
    }
}
