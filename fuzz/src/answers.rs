//! The vendor's answers, read as each of them, and its errors. Input: a body.
//!
//! What is taken can be given to clients, its meaning does not depend on how the JSON is written, and what is wrong with an
//! answer is said without a word of it.

use std::time::Duration;

use chatbridge::{
    event::{Message, TenantId},
    gateway::{
        Listed,
        fuzzing::{Answers, answers, problem, retry_after},
    },
    grpc::convert,
    grpc::proto,
};
use prost::Message as _;

use crate::rewritten;

/// The years 1 to 9999, Unix milliseconds: what a `Timestamp` of protobuf can say.
const TIMES_MS: std::ops::RangeInclusive<i64> = -62_135_596_800_000..=253_402_300_799_999;

/// Checks one input.
pub fn check(input: &[u8]) {
    let read = answers(input);
    silent(&read);
    identified(&read);
    in_time(&read);
    convertible(&read);
    if let Some(again) = rewritten(input) {
        same(&read, &answers(&again));
    }
    refusal(input);
}

/// An error names a place and nothing that is there.
fn silent(read: &Answers) {
    let problems = [
        read.created.as_ref().err(),
        read.conversation.as_ref().err(),
        read.conversations.as_ref().err(),
        read.interactions.as_ref().err(),
        read.participants.as_ref().err(),
        read.message.as_ref().err(),
        read.messages.as_ref().err(),
        read.cards.as_ref().err(),
        read.attachment.as_ref().err(),
        read.attachments.as_ref().err(),
        read.webhook.as_ref().err(),
        read.webhooks.as_ref().err(),
        read.channel.as_ref().err(),
        read.channels.as_ref().err(),
    ];
    for problem in problems.into_iter().flatten() {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || ", ".contains(c);
        assert!(problem.starts_with("the answer "), "{problem}");
        assert!(problem.len() < 120 && problem.chars().all(is_plain), "{problem}");
    }
}

/// What is asked for by its identifier has one.
fn identified(read: &Answers) {
    fn of<'a, T>(
        one: &'a Result<T, String>,
        list: &'a Result<Listed<T>, String>,
    ) -> impl Iterator<Item = &'a T> {
        one.iter().chain(list.iter().flat_map(|list| &list.items))
    }
    assert!(
        read.created
            .iter()
            .all(|created| !created.conversation.is_empty())
    );
    assert!(of(&read.conversation, &read.conversations).all(|it| !it.id.is_empty()));
    assert!(of(&read.attachment, &read.attachments).all(|it| !it.id.is_empty()));
    assert!(of(&read.webhook, &read.webhooks).all(|it| !it.id.is_empty()));
    assert!(of(&read.channel, &read.channels).all(|it| !it.id.is_empty()));
    assert!(
        read.interactions
            .iter()
            .flat_map(|it| &it.items)
            .all(|it| !it.id.is_empty())
    );
    assert!(read.message.iter().all(|message| !message.id.is_empty()));
}

/// Times are such that a client can read them.
fn in_time(read: &Answers) {
    let created = read.created.iter().map(|it| it.created_ms);
    let interactions = read.interactions.iter().flat_map(|it| &it.items);
    let messages = messages(read).map(|it| it.created_ms);
    let attachments = read
        .attachments
        .iter()
        .flat_map(|it| &it.items)
        .chain(&read.attachment);
    let times = created
        .chain(interactions.flat_map(|it| [it.started_ms, it.ended_ms]))
        .chain(messages)
        .chain(attachments.map(|it| it.created_ms));
    for time in times.flatten() {
        assert!(TIMES_MS.contains(&time), "{time}");
    }
}

fn messages(read: &Answers) -> impl Iterator<Item = &Message> {
    read.message
        .iter()
        .chain(read.messages.iter().flat_map(|list| &list.items))
}

/// Clients can decode it.
fn convertible(read: &Answers) {
    for message in messages(read) {
        let encoded = convert::message(message).encode_to_vec();
        let decoded = proto::Message::decode(&encoded[..]).expect("clients can decode it");
        assert_eq!(decoded.text, message.text);
    }
    let tenant = TenantId::new("tenant01");
    let conversations = read.conversations.iter().flat_map(|list| &list.items);
    for conversation in read.conversation.iter().chain(conversations) {
        let encoded = convert::conversation(&tenant, conversation).encode_to_vec();
        let decoded = proto::Conversation::decode(&encoded[..]).expect("clients can decode it");
        assert_eq!(decoded.conversation_id, conversation.id);
    }
}

/// What was read of one thing is read of it again. A member that is there twice is the last one where it was written anew,
/// and an error before.
fn same(read: &Answers, again: &Answers) {
    fn is_same<T: PartialEq>(read: &Result<T, String>, again: &Result<T, String>) -> bool {
        read.is_err() || read == again
    }
    assert!(is_same(&read.created, &again.created));
    assert!(is_same(&read.conversation, &again.conversation));
    assert!(is_same(&read.message, &again.message));
    assert!(is_same(&read.attachment, &again.attachment));
    assert!(is_same(&read.webhook, &again.webhook));
    assert!(is_same(&read.channel, &again.channel));
}

/// Whatever is answered with an error status is read, within bounds.
fn refusal(input: &[u8]) {
    let (message, reference, violations) = problem(input);
    let fields = violations.iter().flat_map(|v| [&v.field, &v.problem]);
    for text in fields.chain(&reference).chain([&message]) {
        assert!(text.len() <= 1024 && !text.contains(char::is_control));
    }
    assert!(violations.len() <= 32 && violations.iter().all(|v| !v.field.is_empty()));
    if let Some(wait) = std::str::from_utf8(input).ok().and_then(retry_after) {
        assert!(wait <= Duration::from_secs(3600));
    }
}
