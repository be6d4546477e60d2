//! Messages to send, alone or as a transcript.

use crate::{
    event::{Attachment, Card, ExternalProvider, Message, Participant},
    grpc::{
        check::{Check, ID_BYTES_MAX},
        convert::json::to_json,
        proto,
    },
};

const TEXT_BYTES_MAX: usize = 65_536;
const PARTS_MAX: usize = 20;
const PROVIDER_BYTES_MAX: usize = 64;

/// A message that must be given.
pub(in crate::grpc) fn message_to_send(check: &mut Check, input: Option<&proto::MessageInput>) -> Message {
    if input.is_none() {
        check.fail("message", "is required");
        return nothing();
    }
    input.map_or_else(nothing, |input| message(check, "message", input))
}

fn nothing() -> Message {
    Message {
        id: String::new(),
        author: Participant::new("", None),
        text: String::new(),
        created_ms: None,
        attachments: Vec::new(),
        cards: Vec::new(),
        external_provider: None,
        echo: false,
    }
}

/// A transcript of at most `count_max` messages.
pub(super) fn history(
    check: &mut Check,
    field: &str,
    inputs: &[proto::MessageInput],
    count_max: usize,
) -> Vec<Message> {
    check.count(field, inputs.len(), count_max);
    // Of a list that is too long, no more is read: the request fails in any case.
    inputs
        .iter()
        .take(count_max)
        .enumerate()
        .map(|(i, input)| message(check, &format!("{field}[{i}]"), input))
        .collect()
}

fn message(check: &mut Check, field: &str, input: &proto::MessageInput) -> Message {
    let author = check.author(&format!("{field}.author_type"), input.author_type);
    text(check, &format!("{field}.text"), &input.text);
    check.count(
        &format!("{field}.attachments"),
        input.attachments.len(),
        PARTS_MAX,
    );
    check.count(&format!("{field}.cards"), input.cards.len(), PARTS_MAX);
    let is_empty = input.text.is_empty() && input.attachments.is_empty() && input.cards.is_empty();
    match &input.external_provider {
        Some(_) if !input.text.is_empty() => {
            check.fail(field, "has both text and external_provider: give one of them");
        }
        None if is_empty => check.fail(
            field,
            "is empty: give text, attachments, cards or external_provider",
        ),
        _ => {}
    }
    let provider = input.external_provider.as_ref();
    Message {
        author: Participant::new("", Some(author)),
        text: input.text.clone(),
        attachments: attachments(check, field, &input.attachments),
        cards: cards(check, field, &input.cards),
        external_provider: provider.map(|provider| external_provider(check, field, provider)),
        ..nothing()
    }
}

/// A text.
pub(super) fn text(check: &mut Check, field: &str, text: &str) {
    check.max(field, text, TEXT_BYTES_MAX);
}

fn external_provider(check: &mut Check, field: &str, provider: &proto::ExternalProvider) -> ExternalProvider {
    let at = format!("{field}.external_provider");
    let id = &provider.external_message_id;
    check.required(&format!("{at}.name"), &provider.name, PROVIDER_BYTES_MAX);
    check.required(&format!("{at}.external_message_id"), id, ID_BYTES_MAX);
    ExternalProvider {
        name: provider.name.clone(),
        external_message_id: id.clone(),
    }
}

fn attachments(check: &mut Check, field: &str, attachments: &[proto::Attachment]) -> Vec<Attachment> {
    let attachments = &attachments[..attachments.len().min(PARTS_MAX)];
    for (i, attachment) in attachments.iter().enumerate() {
        check.attachment_identifier(&format!("{field}.attachments[{i}].id"), &attachment.id);
    }
    attachments
        .iter()
        .map(|a| Attachment {
            id: a.id.clone(),
            ..Attachment::default()
        })
        .collect()
}

fn cards(check: &mut Check, field: &str, cards: &[proto::Card]) -> Vec<Card> {
    let mut read = Vec::new();
    for (i, card) in cards.iter().take(PARTS_MAX).enumerate() {
        let at = format!("{field}.cards[{i}]");
        check.required(&format!("{at}.content_type"), &card.content_type, ID_BYTES_MAX);
        let content = card.content.as_ref().map(to_json).unwrap_or_default();
        if !content.is_object() {
            check.fail(&format!("{at}.content"), "must be a JSON object");
        }
        read.push(Card {
            id: String::new(),
            content_type: card.content_type.clone(),
            content,
            action_submitted: false,
            action_executed: false,
        });
    }
    read
}
