use rstest::rstest;

use super::*;
use crate::{
    conversation::hand_over::TranscriptPolicy,
    error::{Error, VIOLATIONS_MAX, Violation},
    event::AssignmentKind,
    gateway::EVENT_VERSION,
    grpc::{check::Check, proto},
};

/// What is found wrong, each as its field and the problem.
fn violations<T>(of: impl FnOnce(&mut Check) -> T) -> Vec<Violation> {
    let mut check = Check::default();
    of(&mut check);
    match check.done(()) {
        Ok(()) => Vec::new(),
        Err(Error::Invalid(violations)) => violations,
        Err(other) => panic!("{other}"),
    }
}

fn fields<T>(of: impl FnOnce(&mut Check) -> T) -> Vec<String> {
    violations(of).into_iter().map(|v| v.field).collect()
}

fn a_user() -> Option<proto::User> {
    Some(proto::User {
        user_id: "cust-1".into(),
        ..Default::default()
    })
}

fn a_queue() -> Option<proto::Assignment> {
    Some(proto::Assignment {
        r#type: proto::AssignmentType::Queue.into(),
        id: "100".into(),
        ..Default::default()
    })
}

fn a_message(text: &str) -> proto::MessageInput {
    proto::MessageInput {
        author_type: proto::AuthorType::User.into(),
        text: text.into(),
        ..Default::default()
    }
}

#[test]
fn a_mask_that_names_a_field_over_and_over_is_refused_before_it_costs() {
    let request = proto::UpdateConversationRequest {
        update_mask: Some(prost_types::FieldMask {
            paths: vec!["user.additional_properties".into(); 10_000],
        }),
        ..Default::default()
    };
    assert_eq!(fields(|check| patch(check, &request))[0], "update_mask");
}

#[test]
fn a_request_of_nothing_but_mistakes_makes_a_short_list() {
    let request = proto::CreateConversationRequest {
        history: vec![proto::MessageInput::default(); 100_000],
        ..Default::default()
    };
    assert_eq!(
        violations(|check| new_conversation(check, &request)).len(),
        VIOLATIONS_MAX
    );
    let input = proto::MessageInput {
        cards: vec![proto::Card::default(); 100_000],
        attachments: vec![proto::Attachment::default(); 100_000],
        ..Default::default()
    };
    assert_eq!(
        violations(|check| message_to_send(check, Some(&input))).len(),
        VIOLATIONS_MAX
    );
    let many = (0..100_000)
        .map(|n| (format!("{n:065}"), String::new()))
        .collect();
    assert_eq!(
        violations(|check| labels(check, "labels", &many)).len(),
        VIOLATIONS_MAX
    );
}

#[test]
fn a_label_says_whether_its_key_or_its_value_is_too_long() {
    let one = |key: &str, value: &str| [(key.to_owned(), value.to_owned())].into();
    for (given, said) in [
        (
            one(&"k".repeat(65), ""),
            vec![("labels", "has a key of 65 bytes; at most 64 are allowed")],
        ),
        (
            one("team", &"v".repeat(257)),
            vec![("labels[\"team\"]", "is 257 bytes long; at most 256 are allowed")],
        ),
        (one(&"k".repeat(64), &"v".repeat(256)), vec![]),
    ] {
        let found = violations(|check| labels(check, "labels", &given));
        let found: Vec<(&str, &str)> = found
            .iter()
            .map(|v| (v.field.as_str(), v.problem.as_str()))
            .collect();
        assert_eq!(found, said);
    }
}

#[test]
fn context_that_has_no_room_is_named_by_its_keys() {
    let pairs = |count: usize| {
        let pair = |n: usize| proto::Property {
            key: format!("key-{n}"),
            value: String::new(),
        };
        proto::CreateConversationRequest {
            channel_id: "ch".into(),
            user: Some(proto::User {
                additional_properties: (0..count).map(pair).collect(),
                ..Default::default()
            }),
            ..Default::default()
        }
    };
    assert!(violations(|check| new_conversation(check, &pairs(30))).is_empty());
    let named = violations(|check| new_conversation(check, &pairs(32)));
    let expected = [(30, "key-30"), (31, "key-31")];
    assert_eq!(named.len(), expected.len());
    for (violation, (index, key)) in named.iter().zip(expected) {
        assert_eq!(violation.field, format!("user.additional_properties[{index}]"));
        assert!(violation.problem.contains(key), "{}", violation.problem);
    }
    let named = violations(|check| new_conversation(check, &pairs(100_000)));
    assert_eq!(named.len(), VIOLATIONS_MAX);
}

#[rstest]
#[case::nothing(proto::MessageInput::default(), &["message.author_type", "message"])]
#[case::text(a_message("hello"), &[])]
#[case::empty(a_message(""), &["message"])]
#[case::too_long(a_message(&"x".repeat(65_537)), &["message.text"])]
#[case::both(
    proto::MessageInput {
        external_provider: Some(proto::ExternalProvider {
            name: "X".into(),
            external_message_id: "1".into(),
        }),
        ..a_message("hello")
    },
    &["message"]
)]
#[case::a_provider_of_nothing(
    proto::MessageInput { external_provider: Some(proto::ExternalProvider::default()), ..a_message("") },
    &["message.external_provider.name", "message.external_provider.external_message_id"]
)]
#[case::an_agent(
    proto::MessageInput { author_type: proto::AuthorType::Agent.into(), ..a_message("hello") },
    &["message.author_type"]
)]
#[case::a_file_of_no_name(
    proto::MessageInput { attachments: vec![proto::Attachment::default()], ..a_message("") },
    &["message.attachments[0].id"]
)]
#[case::a_card_that_is_none(
    proto::MessageInput { cards: vec![proto::Card::default()], ..a_message("") },
    &["message.cards[0].content_type", "message.cards[0].content"]
)]
fn messages(#[case] input: proto::MessageInput, #[case] wrong: &[&str]) {
    assert_eq!(fields(|check| message_to_send(check, Some(&input))), wrong);
}

#[test]
fn a_message_must_be_there() {
    assert_eq!(fields(|check| message_to_send(check, None)), ["message"]);
}

#[test]
fn who_is_to_be_found_needs_an_identifier() {
    let mut request = proto::FindOrCreateConversationRequest {
        channel_id: "ch".into(),
        user: Some(proto::User::default()),
        ..Default::default()
    };
    assert_eq!(
        fields(|check| wanted_conversation(check, &request)),
        ["user.user_id"]
    );
    request.user = None;
    assert_eq!(fields(|check| wanted_conversation(check, &request)), ["user"]);
    request.user = a_user();
    assert!(fields(|check| wanted_conversation(check, &request)).is_empty());
}

#[rstest]
#[case(0, 5000, &[])]
#[case(1, 5000, &[])]
#[case(2, 5000, &[])]
#[case(3, 200, &[])]
#[case(3, 201, &["start.history"])]
#[case(0, 5001, &["start.history"])]
#[case(4, 1, &["start.transcript_policy"])]
fn transcripts_are_as_long_as_their_policy_allows(
    #[case] policy: i32,
    #[case] messages: usize,
    #[case] wrong: &[&str],
) {
    let start = proto::HandOver {
        channel_id: "ch".into(),
        user: a_user(),
        history: vec![a_message("hello"); messages],
        transcript_policy: policy,
        ..Default::default()
    };
    assert_eq!(fields(|check| hand_over(check, &start)), wrong);
}

#[test]
fn a_hand_over_is_read_with_all_its_mistakes() {
    let start = proto::HandOver {
        channel_id: "..".into(),
        assignment: Some(proto::Assignment::default()),
        history: vec![proto::MessageInput::default()],
        labels: [(String::new(), String::new())].into(),
        omission_note: "x".repeat(1025),
        ..Default::default()
    };
    assert_eq!(
        fields(|check| hand_over(check, &start)),
        [
            "start.channel_id",
            "start.user",
            "start.assignment.id",
            "start.assignment.type",
            "start.history[0].author_type",
            "start.history[0]",
            "start.labels",
            "start.omission_note",
        ]
    );
    let start = proto::HandOver {
        channel_id: "ch".into(),
        user: a_user(),
        assignment: a_queue(),
        history: vec![a_message("hello")],
        labels: [("team".to_owned(), "web".to_owned())].into(),
        transcript_policy: proto::TranscriptPolicy::Summarise.into(),
        omission_note: "{count} weggelassen".into(),
        ..Default::default()
    };
    let read = hand_over(&mut Check::default(), &start);
    assert_eq!(read.policy, TranscriptPolicy::Summarise);
    assert_eq!(read.new.assignment.unwrap().kind, Some(AssignmentKind::Queue));
    assert_eq!(
        (read.new.history.len(), read.note.as_str()),
        (1, "{count} weggelassen")
    );
    assert_eq!(read.labels["team"], "web");
}

fn update(paths: &[&str], conversation: proto::Conversation) -> proto::UpdateConversationRequest {
    proto::UpdateConversationRequest {
        conversation: Some(conversation),
        update_mask: Some(prost_types::FieldMask {
            paths: paths.iter().map(|&path| path.to_owned()).collect(),
        }),
        ..Default::default()
    }
}

#[rstest]
#[case(&[], &["update_mask"])]
#[case(&["state"], &["update_mask"])]
#[case(&["user."], &["update_mask"])]
#[case(&["user.nickname"], &["update_mask"])]
#[case(&["assignment"], &["conversation.assignment"])]
#[case(&["user"], &["conversation.user"])]
#[case(&["user.language"], &[])]
fn a_mask_names_what_there_is(#[case] paths: &[&str], #[case] wrong: &[&str]) {
    let request = update(paths, proto::Conversation::default());
    assert_eq!(fields(|check| patch(check, &request)), wrong);
}

#[test]
fn of_a_change_only_what_the_mask_names_is_read() {
    let conversation = proto::Conversation {
        user: Some(proto::User {
            name: "Ann".into(),
            language: "xx".into(),
            ..Default::default()
        }),
        assignment: Some(proto::Assignment::default()),
        ..Default::default()
    };
    let mut check = Check::default();
    let read = patch(
        &mut check,
        &update(&["user.name", "user.phone"], conversation.clone()),
    );
    check.done(()).unwrap();
    let user = read.user.unwrap();
    assert_eq!(
        (user.name.as_deref(), user.phone.as_deref()),
        (Some("Ann"), Some(""))
    );
    assert_eq!((user.language, read.assignment), (None, None));
    assert_eq!(
        fields(|check| patch(check, &update(&["user", "assignment"], conversation))),
        [
            "conversation.assignment.id",
            "conversation.assignment.type",
            "conversation.user.language",
        ]
    );
}

#[test]
fn a_field_that_is_named_beside_the_whole_customer_is_cleared() {
    let conversation = proto::Conversation {
        user: Some(proto::User {
            name: "Ann".into(),
            ..Default::default()
        }),
        ..Default::default()
    };
    for paths in [["user", "user.email"], ["user.email", "user"]] {
        let read = patch(&mut Check::default(), &update(&paths, conversation.clone()));
        let user = read.user.unwrap();
        assert_eq!(
            (user.name.as_deref(), user.email.as_deref(), user.phone),
            (Some("Ann"), Some(""), None)
        );
    }
}

#[test]
fn a_replacement_needs_its_conversation_channel_and_user() {
    assert_eq!(fields(|check| replacement(check, None)), ["conversation"]);
    let mut given = proto::Conversation::default();
    assert_eq!(
        fields(|check| replacement(check, Some(&given))),
        [
            "conversation.conversation_id",
            "conversation.channel_id",
            "conversation.user",
        ]
    );
    given.conversation_id = "c".into();
    given.channel_id = "ch".into();
    given.user = a_user();
    assert!(fields(|check| replacement(check, Some(&given))).is_empty());
    given.assignment = Some(proto::Assignment {
        r#type: 99,
        id: "1".into(),
        ..Default::default()
    });
    assert_eq!(
        fields(|check| replacement(check, Some(&given))),
        ["conversation.assignment.type"]
    );
}

#[test]
fn a_transfer_needs_its_target() {
    assert_eq!(fields(|check| target(check, None)), ["assignment"]);
    let to = target(&mut Check::default(), a_queue().as_ref());
    assert_eq!((to.kind, to.id.as_str()), (Some(AssignmentKind::Queue), "100"));
}

#[test]
fn what_comes_after_the_agent_has_its_ranges() {
    let mut request = proto::CreatePostAgentAssignmentRequest {
        max_total_minutes: 19,
        user_timeout_minutes: 301,
        ..Default::default()
    };
    assert_eq!(
        fields(|check| post_agent_assignment(check, &request)),
        ["webhook_id", "max_total_minutes", "user_timeout_minutes"]
    );
    request.webhook_id = "w".into();
    request.notify_channel_webhook = Some(false);
    (request.max_total_minutes, request.user_timeout_minutes) = (20, 0);
    let mut check = Check::default();
    let read = post_agent_assignment(&mut check, &request);
    check.done(()).unwrap();
    assert_eq!(
        (
            read.max_total_minutes,
            read.user_timeout_minutes,
            read.notify_channel_webhook
        ),
        (Some(20), None, Some(false))
    );
}

#[test]
fn webhooks_and_channels_get_what_they_leave_out() {
    assert_eq!(fields(|check| webhook(check, Purpose::Create, None)), ["webhook"]);
    assert_eq!(fields(|check| channel(check, Purpose::Create, None)), ["channel"]);
    let mut given = proto::Webhook {
        id: "not read".into(),
        name: "n".into(),
        uri: "https://h/".into(),
        ..Default::default()
    };
    let mut check = Check::default();
    let read = webhook(&mut check, Purpose::Create, Some(&given));
    check.done(()).unwrap();
    assert_eq!((read.id.as_str(), read.version.as_str()), ("", EVENT_VERSION));
    given.id = String::new();
    assert_eq!(
        fields(|check| webhook(check, Purpose::Replace, Some(&given))),
        ["webhook.id"]
    );
    let empty = proto::Channel::default();
    assert_eq!(
        fields(|check| channel(check, Purpose::Replace, Some(&empty))),
        [
            "channel.id",
            "channel.name",
            "channel.webhook_id",
            "channel.queue_id"
        ]
    );
    let given = proto::Channel {
        name: "n".into(),
        webhook_id: "w".into(),
        queue_id: "q".into(),
        ..Default::default()
    };
    assert_eq!(
        channel(&mut Check::default(), Purpose::Create, Some(&given)).kind,
        "ChatAPI"
    );
    let request = proto::VerifyWebhookRequest {
        uri: "ftp://h".into(),
        version: "v".repeat(65),
        ..Default::default()
    };
    assert_eq!(
        fields(|check| webhook_to_verify(check, &request)),
        ["uri", "version"]
    );
}

#[test]
fn files_are_checked_alike_in_both_places() {
    let empty = proto::UploadAttachmentStart::default();
    assert_eq!(
        fields(|check| new_attachment(check, &empty, 10)),
        ["start.file_name", "start.size_bytes", "start.author_type"]
    );
    let file = proto::HandOverFile {
        file_name: "a/b".into(),
        media_type: "png".into(),
        size_bytes: 11,
        author_type: proto::AuthorType::System.into(),
        text: "x".repeat(65_537),
    };
    assert_eq!(
        fields(|check| handed_file(check, &file, 10)),
        [
            "file.file_name",
            "file.text",
            "file.media_type",
            "file.size_bytes",
            "file.author_type",
        ]
    );
    let file = proto::HandOverFile {
        file_name: "a.png".into(),
        size_bytes: 10,
        author_type: proto::AuthorType::Bot.into(),
        ..Default::default()
    };
    let mut check = Check::default();
    let read = handed_file(&mut check, &file, 10);
    check.done(()).unwrap();
    assert_eq!(
        (read.media_type.as_str(), read.size_bytes),
        ("application/octet-stream", 10)
    );
}
