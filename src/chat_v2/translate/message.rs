//! Messages: v2 has texts alone, each within an interaction.

use std::{collections::HashMap, fmt::Write as _};

use serde_json::{Value, json};

use super::conversation::participant;
use crate::{
    chat_v2::{
        problem::{Problem, Wrong},
        read::{Findings, Object},
    },
    event::{AuthorType, Card, Message, Participant},
    gateway::Interaction,
};

/// The longest text, in bytes, as for other callers.
const TEXT_BYTES_MAX: usize = 65_536;
/// How much of a card is told in words, in characters.
const CARD_TEXT_MAX: usize = 300;

/// Reads what is to be sent.
pub(in crate::chat_v2) fn read(body: &Object) -> Result<Message, Problem> {
    let mut findings = Findings::default();
    let message = read_part(&mut findings, body, "", "authorType");
    findings.done(message)
}

/// Reads a message whose author is in the field `author`: the customer, unless it says so.
pub(super) fn read_part(findings: &mut Findings, given: &Object, at: &str, author: &str) -> Message {
    let text = findings.required(given, at, "text", TEXT_BYTES_MAX);
    let word = findings.text(given, at, author, 64).unwrap_or_default();
    let kind = match AuthorType::parse(&word) {
        Some(kind @ (AuthorType::User | AuthorType::Bot)) => kind,
        None if word.is_empty() => AuthorType::User,
        _ => {
            let wrong = Wrong::new(format!("{at}{author}"), "invalid_author", "must be user or bot.");
            findings.add(wrong.with(&word));
            AuthorType::User
        }
    };
    Message {
        id: String::new(),
        author: Participant::new("", Some(kind)),
        text,
        created_ms: None,
        attachments: Vec::new(),
        cards: Vec::new(),
        external_provider: None,
        echo: false,
    }
}

/// What v2 shows of the messages of a conversation, the oldest first. With `only`, of those of one interaction.
pub(in crate::chat_v2) fn write_all(
    messages: &[Message],
    interactions: &[Interaction],
    file_names: &HashMap<String, String>,
    only: Option<&str>,
) -> Vec<Value> {
    let interactions = in_order(interactions);
    let placed = messages.iter().map(|message| {
        let interaction = interaction_at(message.created_ms, &interactions);
        (message, interaction)
    });
    placed
        .filter(|(_, interaction)| only.is_none_or(|only| only == *interaction))
        .map(|(message, interaction)| write(message, interaction, file_names))
        .collect()
}

/// Everybody who wrote one of these messages, once.
pub(in crate::chat_v2) fn authors(messages: &[Message]) -> Vec<Value> {
    let mut seen: Vec<(&str, Option<AuthorType>)> = Vec::new();
    let mut authors = Vec::new();
    for Message { author, .. } in messages {
        let key = (author.id.as_str(), author.kind);
        if !seen.contains(&key) {
            seen.push(key);
            authors.push(participant(author));
        }
    }
    authors
}

/// v2's description has `authorType` and `participantId`, and requires the same as `type` and `senderId`: all four are there.
fn write(message: &Message, interaction: &str, file_names: &HashMap<String, String>) -> Value {
    let kind = message.author.kind.map_or("system", AuthorType::as_str);
    let text = readable(message, file_names);
    json!({
        "interactionId": interaction,
        "originalText": text,
        // Nobody translates any more. Clients that show this one still show something.
        "translatedText": text,
        "authorType": kind,
        "type": kind,
        "participantId": message.author.id,
        "senderId": message.author.id,
    })
}

fn in_order(interactions: &[Interaction]) -> Vec<&Interaction> {
    let mut all: Vec<&Interaction> = interactions.iter().collect();
    all.sort_by_key(|one| one.started_ms);
    all
}

/// The interaction that a time belongs to: the first one that had not ended by then. So the transcript from before belongs to the
/// first, and a message that begins a conversation anew to the one that it begins.
fn interaction_at<'a>(time_ms: Option<i64>, in_order: &[&'a Interaction]) -> &'a str {
    let next = in_order.iter().skip(1).map(|next| next.started_ms).chain([None]);
    let mut with_ends = in_order.iter().zip(next);
    let has_not_ended = |one: &Interaction, next: Option<i64>| match (one.ended_ms.or(next), time_ms) {
        (Some(end), Some(time)) => time <= end,
        (Some(_), None) => false,
        (None, _) => true,
    };
    let found = with_ends.find(|(one, next)| has_not_ended(one, *next));
    let last = in_order.last();
    found
        .map(|(one, _)| one)
        .or(last)
        .map_or("", |one| one.id.as_str())
}

/// All of a message as text: files and cards, which v2 does not have, are told of, with a link where there is one.
pub(super) fn readable(message: &Message, file_names: &HashMap<String, String>) -> String {
    let mut text = message.text.clone();
    let mut line = |added: String| {
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&added);
    };
    for file in &message.attachments {
        let known = file_names.get(&file.id).map_or("", String::as_str);
        let name = [file.file_name.as_str(), known, file.id.as_str()]
            .into_iter()
            .find(|name| !name.is_empty());
        let mut told = format!("[File: {}]", name.unwrap_or("without a name"));
        if !file.pre_signed_url.is_empty() {
            let _ = write!(told, " {}", file.pre_signed_url);
        }
        line(told);
    }
    for card in &message.cards {
        line(card_text(card));
    }
    if let Some(external) = &message.external_provider {
        line(format!(
            "[Message {} is held by {}]",
            external.external_message_id, external.name
        ));
    }
    text
}

/// What a card says: the texts in it, in their order, as far as they have room.
fn card_text(card: &Card) -> String {
    let mut told = String::new();
    collect_texts(&card.content, &mut told);
    let told: String = told.chars().take(CARD_TEXT_MAX).collect();
    match told.is_empty() {
        true => format!("[Card: {}]", card.content_type),
        false => format!("[Card: {told}]"),
    }
}

fn collect_texts(value: &Value, told: &mut String) {
    /// Where cards of all kinds have what people read, and where they have their parts.
    const TEXTS: [&str; 4] = ["text", "title", "body", "label"];
    match value {
        Value::Object(object) => {
            for (name, inner) in object {
                match inner {
                    Value::String(text) if TEXTS.contains(&name.as_str()) && !text.is_empty() => {
                        if !told.is_empty() {
                            told.push_str(" | ");
                        }
                        told.push_str(text);
                    }
                    Value::Object(_) | Value::Array(_) => collect_texts(inner, told),
                    _ => {}
                }
            }
        }
        Value::Array(list) => list.iter().for_each(|inner| collect_texts(inner, told)),
        _ => {}
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;
    use crate::event::Attachment;

    fn message(text: &str, created_ms: Option<i64>) -> Message {
        Message {
            id: "m".into(),
            author: Participant::new("agent-1", Some(AuthorType::Agent)),
            text: text.into(),
            created_ms,
            attachments: Vec::new(),
            cards: Vec::new(),
            external_provider: None,
            echo: false,
        }
    }

    fn interaction(id: &str, started_ms: Option<i64>, ended_ms: Option<i64>) -> Interaction {
        Interaction {
            id: id.into(),
            started_ms,
            ended_ms,
        }
    }

    #[rstest]
    #[case(json!({ "text": "x" }), Some(AuthorType::User))]
    #[case(json!({ "text": "x", "authorType": "bot" }), Some(AuthorType::Bot))]
    #[case(json!({ "text": "x", "authorType": null, "more": [] }), Some(AuthorType::User))]
    #[case(json!({ "text": "x", "authorType": "agent" }), None)]
    #[case(json!({ "text": "x", "authorType": "nobody" }), None)]
    #[case(json!({ "text": "" }), None)]
    #[case(json!({ "text": { "x": 1 } }), None)]
    #[case(json!({}), None)]
    fn messages_are_read(#[case] body: Value, #[case] expected: Option<AuthorType>) {
        let read = read(body.as_object().unwrap());
        assert_eq!(read.ok().and_then(|message| message.author.kind), expected);
    }

    #[rstest]
    #[case(Some(500), "int-1")]
    #[case(Some(1000), "int-1")]
    #[case(Some(1500), "int-1")]
    #[case(Some(1700), "int-2")]
    #[case(Some(2000), "int-2")]
    #[case(Some(9000), "int-2")]
    #[case(None, "int-2")]
    fn a_message_belongs_to_the_interaction_of_its_time(#[case] time: Option<i64>, #[case] expected: &str) {
        let two = [
            interaction("int-2", Some(2000), None),
            interaction("int-1", Some(1000), Some(1500)),
        ];
        let written = write_all(&[message("x", time)], &two, &HashMap::new(), None);
        assert_eq!(written[0]["interactionId"], expected);
        let others = write_all(&[message("x", time)], &two, &HashMap::new(), Some("int-3"));
        assert!(others.is_empty());
    }

    #[test]
    fn an_interaction_that_nobody_ended_ends_where_the_next_begins() {
        let two = [
            interaction("int-1", Some(1000), None),
            interaction("int-2", Some(2000), None),
        ];
        let in_order = in_order(&two);
        let at = |time| interaction_at(Some(time), &in_order);
        assert_eq!([at(1), at(1999), at(2001)], ["int-1", "int-1", "int-2"]);
        assert_eq!(interaction_at(Some(1), &[]), "");
    }

    #[test]
    fn files_and_cards_are_told_of() {
        let mut it = message("Look:", None);
        it.attachments = vec![
            Attachment {
                id: "a1".into(),
                pre_signed_url: "https://files.example/1".into(),
                file_name: "photo.png".into(),
                ..Attachment::default()
            },
            Attachment {
                id: "a2".into(),
                ..Attachment::default()
            },
            Attachment::default(),
        ];
        it.cards = vec![Card {
            id: String::new(),
            content_type: "application/8x8.quick.replies".into(),
            content: json!({ "title": "Size?", "quickReplies": [{ "type": "postback", "data": { "title": "S" } }] }),
            action_submitted: false,
            action_executed: false,
        }];
        let names = HashMap::from([("a2".to_owned(), "bill.pdf".to_owned())]);
        assert_eq!(
            readable(&it, &names),
            "Look:\n[File: photo.png] https://files.example/1\n[File: bill.pdf]\n[File: without a name]\n[Card: S | Size?]"
        );
        it.cards[0].content = json!(7);
        assert!(readable(&it, &names).ends_with("[Card: application/8x8.quick.replies]"));
    }

    #[test]
    fn each_author_is_there_once() {
        let mut two = vec![message("a", None), message("b", None)];
        two[1].author = Participant::new("", Some(AuthorType::User));
        two.push(message("c", None));
        let authors = authors(&two);
        assert_eq!(
            authors,
            [
                json!({ "id": "agent-1", "type": "agent" }),
                json!({ "id": "", "type": "user" }),
            ]
        );
    }

    proptest! {
        /// However interactions and times lie, each message is in one interaction, and filtering by all of them loses none.
        #[test]
        fn interactions_share_out_all_messages(
            starts in prop::collection::vec(prop::option::of(0_i64..100), 1..6),
            times in prop::collection::vec(prop::option::of(0_i64..100), 0..20),
        ) {
            let interactions: Vec<Interaction> = starts.iter().enumerate()
                .map(|(n, start)| interaction(&format!("int-{n}"), *start, None)).collect();
            let messages: Vec<Message> = times.iter().map(|time| message("x", *time)).collect();
            let none = HashMap::new();
            let all = write_all(&messages, &interactions, &none, None);
            prop_assert_eq!(all.len(), messages.len());
            let parts: usize = interactions.iter()
                .map(|one| write_all(&messages, &interactions, &none, Some(&one.id)).len()).sum();
            prop_assert_eq!(parts, messages.len());
        }
    }
}
