//! Protobuf to domain, for requests: everything is checked here, and every mistake is named.

use std::collections::{BTreeMap, BTreeSet};

use super::json::to_json;
use crate::{
    error::{Error, VIOLATIONS_MAX, Violation},
    event::{
        Assignment, AssignmentKind, Attachment, AuthorType, Card, ExternalProvider, Message, Participant,
        User,
    },
    gateway::{ConversationPatch, NewConversation, UserPatch},
    grpc::proto,
};

/// Tags that route to agents who speak the language (source: Chat Gateway v1, `Language`).
const LANGUAGES: [&str; 22] = [
    "en", "ru", "de", "ja", "es", "fr", "pt", "it", "pl", "hr", "nl", "ar", "da", "ko", "no", "sv", "vi",
    "cy", "th", "zh-CN", "zh-TW", "",
];
const MAX_ID_BYTES: usize = 256;
const MAX_TEXT_BYTES: usize = 65_536;
const MAX_HISTORY: usize = 200;
const MAX_PROPERTIES: usize = 30;
const MAX_PARTS: usize = 20;
const MAX_LABELS: usize = 32;
/// More than there are fields to change.
const MAX_PATHS: usize = 32;

/// Collects what is wrong with a request.
#[derive(Default)]
struct Check(Vec<Violation>);

impl Check {
    fn fail(&mut self, field: &str, problem: impl Into<String>) {
        if self.0.len() < VIOLATIONS_MAX {
            self.0.push(Violation::new(field, problem));
        }
    }

    fn max(&mut self, field: &str, value: &str, bytes_max: usize) {
        if value.len() > bytes_max {
            self.fail(
                field,
                format!("is {} bytes long; at most {bytes_max} are allowed", value.len()),
            );
        }
    }

    fn required(&mut self, field: &str, value: &str, bytes_max: usize) {
        if value.is_empty() {
            self.fail(field, "is required");
        }
        self.max(field, value, bytes_max);
    }

    fn count(&mut self, field: &str, count: usize, count_max: usize) {
        if count > count_max {
            self.fail(
                field,
                format!("has {count} items; at most {count_max} are allowed"),
            );
        }
    }

    fn done<T>(self, value: T) -> Result<T, Error> {
        if self.0.is_empty() {
            Ok(value)
        } else {
            Err(Error::Invalid(self.0))
        }
    }
}

/// Checks a conversation id.
pub fn valid_conversation_id(id: &str) -> Result<(), Error> {
    let mut check = Check::default();
    check.required("conversation_id", id, MAX_ID_BYTES);
    if id.chars().any(char::is_control) {
        check.fail("conversation_id", "has control characters");
    }
    check.done(())
}

/// Checks a `request_id`, which may be empty.
pub fn valid_request_id(id: &str) -> Result<(), Error> {
    if id.is_empty() || uuid::Uuid::try_parse(id).is_ok() {
        return Ok(());
    }
    Err(Error::invalid(
        "request_id",
        "is not a UUID, such as 6f1c2c7e-1d2f-4c3a-9a55-0e8b3c7f4d21",
    ))
}

/// Checks labels.
pub fn valid_labels(labels: BTreeMap<String, String>) -> Result<BTreeMap<String, String>, Error> {
    let mut check = Check::default();
    check.count("labels", labels.len(), MAX_LABELS);
    for (key, value) in labels.iter().take(MAX_LABELS) {
        if key.is_empty() {
            check.fail("labels", "has an empty key");
        }
        check.max("labels", key, 64);
        check.max(&format!("labels[{key:?}]"), value, 256);
    }
    check.done(labels)
}

/// What `CreateConversation` asks for.
pub fn new_conversation(request: &proto::CreateConversationRequest) -> Result<NewConversation, Error> {
    let mut check = Check::default();
    check.required("channel_id", &request.channel_id, MAX_ID_BYTES);
    let user = match &request.user {
        Some(given) => user(&mut check, "user", given),
        None => {
            check.fail("user", "is required");
            User::default()
        }
    };
    let assignment = request
        .assignment
        .as_ref()
        .and_then(|a| assignment(&mut check, "assignment", a));
    check.count("history", request.history.len(), MAX_HISTORY);
    // Of a list that is too long, no more is read: the request fails in any case.
    let history = request
        .history
        .iter()
        .take(MAX_HISTORY)
        .enumerate()
        .map(|(i, m)| message(&mut check, &format!("history[{i}]"), m))
        .collect();
    check.done(NewConversation {
        channel_id: request.channel_id.clone(),
        user,
        assignment,
        history,
    })
}

/// The message that `SendMessage` sends.
pub fn message_to_send(input: Option<&proto::MessageInput>) -> Result<Message, Error> {
    let mut check = Check::default();
    let Some(input) = input else {
        return Err(Error::invalid("message", "is required"));
    };
    let message = message(&mut check, "message", input);
    check.done(message)
}

/// Who types.
pub fn sendable_author(number: i32) -> Result<AuthorType, Error> {
    let mut check = Check::default();
    let author = author(&mut check, "author_type", number);
    check.done(author.unwrap_or(AuthorType::User))
}

/// What `UpdateConversation` changes.
pub fn patch(request: &proto::UpdateConversationRequest) -> Result<ConversationPatch, Error> {
    let mut check = Check::default();
    let paths = request.update_mask.as_ref().map_or(&[][..], |m| &m.paths[..]);
    if paths.is_empty() {
        check.fail(
            "update_mask",
            "is required: name `user`, `assignment`, or a field such as `user.language`",
        );
    }
    check.count("update_mask", paths.len(), MAX_PATHS);
    let conversation = request.conversation.clone().unwrap_or_default();
    let mut patch = ConversationPatch::default();
    let given = user(
        &mut check,
        "conversation.user",
        &conversation.user.unwrap_or_default(),
    );
    // Each path may copy what it names.
    for path in paths.iter().take(MAX_PATHS) {
        match path.as_str() {
            "assignment" => match &conversation.assignment {
                Some(a) => patch.assignment = assignment(&mut check, "conversation.assignment", a),
                None => check.fail(
                    "conversation.assignment",
                    "is required, because update_mask names it",
                ),
            },
            "user" => patch.user = Some(whole_user(&given)),
            other => match other.strip_prefix("user.") {
                Some(field) => user_field(&mut check, patch.user.get_or_insert_default(), field, &given),
                None => check.fail(
                    "update_mask",
                    format!("{other:?} is not a field that can be changed"),
                ),
            },
        }
    }
    check.done(patch)
}

/// Under a mask of `user`, fields that are empty were not given: the vendor keeps what it has.
fn whole_user(user: &User) -> UserPatch {
    let given = |value: &String| (!value.is_empty()).then(|| value.clone());
    UserPatch {
        name: given(&user.name),
        user_id: given(&user.user_id),
        email: given(&user.email),
        phone: given(&user.phone),
        company: given(&user.company),
        case_id: given(&user.case_id),
        language: given(&user.language),
        additional_properties: (!user.additional_properties.is_empty())
            .then(|| user.additional_properties.clone()),
    }
}

fn user_field(check: &mut Check, patch: &mut UserPatch, field: &str, user: &User) {
    match field {
        "name" => patch.name = Some(user.name.clone()),
        "user_id" => patch.user_id = Some(user.user_id.clone()),
        "email" => patch.email = Some(user.email.clone()),
        "phone" => patch.phone = Some(user.phone.clone()),
        "company" => patch.company = Some(user.company.clone()),
        "case_id" => patch.case_id = Some(user.case_id.clone()),
        "language" => patch.language = Some(user.language.clone()),
        "additional_properties" => patch.additional_properties = Some(user.additional_properties.clone()),
        other => check.fail(
            "update_mask",
            format!("\"user.{other}\" is not a field that can be changed"),
        ),
    }
}

fn user(check: &mut Check, field: &str, user: &proto::User) -> User {
    let limits = [
        ("name", &user.name, MAX_ID_BYTES),
        ("user_id", &user.user_id, MAX_ID_BYTES),
        ("email", &user.email, 320),
        ("phone", &user.phone, 64),
        ("company", &user.company, MAX_ID_BYTES),
        ("case_id", &user.case_id, MAX_ID_BYTES),
    ];
    for (name, value, bytes_max) in limits {
        check.max(&format!("{field}.{name}"), value, bytes_max);
    }
    if !LANGUAGES.contains(&user.language.as_str()) {
        let known = LANGUAGES[..LANGUAGES.len() - 1].join(" ");
        check.fail(
            &format!("{field}.language"),
            format!("is not one of the vendor's tags: {known}"),
        );
    }
    User {
        name: user.name.clone(),
        user_id: user.user_id.clone(),
        email: user.email.clone(),
        phone: user.phone.clone(),
        company: user.company.clone(),
        case_id: user.case_id.clone(),
        language: user.language.clone(),
        additional_properties: properties(
            check,
            &format!("{field}.additional_properties"),
            &user.additional_properties,
        ),
        ip_address: String::new(),
        timezone_offset: String::new(),
    }
}

fn properties(check: &mut Check, field: &str, pairs: &[proto::Property]) -> Vec<(String, String)> {
    check.count(field, pairs.len(), MAX_PROPERTIES);
    let mut seen = BTreeSet::new();
    let pairs = &pairs[..pairs.len().min(MAX_PROPERTIES)];
    for (i, pair) in pairs.iter().enumerate() {
        check.required(&format!("{field}[{i}].key"), &pair.key, MAX_ID_BYTES);
        check.max(&format!("{field}[{i}].value"), &pair.value, 4096);
        if !seen.insert(&pair.key) {
            check.fail(&format!("{field}[{i}].key"), "is there twice");
        }
    }
    pairs.iter().map(|p| (p.key.clone(), p.value.clone())).collect()
}

fn assignment(check: &mut Check, field: &str, assignment: &proto::Assignment) -> Option<Assignment> {
    check.required(&format!("{field}.id"), &assignment.id, MAX_ID_BYTES);
    let kind = match assignment.r#type() {
        proto::AssignmentType::Queue => Some(AssignmentKind::Queue),
        proto::AssignmentType::Script => Some(AssignmentKind::Script),
        proto::AssignmentType::Agent => {
            check.fail(
                &format!("{field}.type"),
                "cannot be AGENT: assign a queue or a script",
            );
            None
        }
        proto::AssignmentType::Unspecified => {
            check.fail(&format!("{field}.type"), "is required: QUEUE or SCRIPT");
            None
        }
    };
    kind.map(|kind| Assignment {
        kind: Some(kind),
        id: assignment.id.clone(),
        resource_id: String::new(),
    })
}

fn author(check: &mut Check, field: &str, number: i32) -> Option<AuthorType> {
    match proto::AuthorType::try_from(number) {
        Ok(proto::AuthorType::User) => Some(AuthorType::User),
        Ok(proto::AuthorType::Bot) => Some(AuthorType::Bot),
        Ok(proto::AuthorType::Unspecified) => {
            check.fail(field, "is required: USER or BOT");
            None
        }
        _ => {
            check.fail(field, "may be USER or BOT only");
            None
        }
    }
}

fn message(check: &mut Check, field: &str, input: &proto::MessageInput) -> Message {
    let kind = author(check, &format!("{field}.author_type"), input.author_type);
    check.max(&format!("{field}.text"), &input.text, MAX_TEXT_BYTES);
    check.count(
        &format!("{field}.attachments"),
        input.attachments.len(),
        MAX_PARTS,
    );
    check.count(&format!("{field}.cards"), input.cards.len(), MAX_PARTS);
    let nothing = input.text.is_empty() && input.attachments.is_empty() && input.cards.is_empty();
    match &input.external_provider {
        Some(_) if !input.text.is_empty() => {
            check.fail(field, "has both text and external_provider: give one of them");
        }
        None if nothing => check.fail(
            field,
            "is empty: give text, attachments, cards or external_provider",
        ),
        _ => {}
    }
    let external_provider = input.external_provider.as_ref().map(|provider| {
        check.required(&format!("{field}.external_provider.name"), &provider.name, 64);
        let id = &provider.external_message_id;
        check.required(
            &format!("{field}.external_provider.external_message_id"),
            id,
            MAX_ID_BYTES,
        );
        ExternalProvider {
            name: provider.name.clone(),
            external_message_id: id.clone(),
        }
    });
    Message {
        id: String::new(),
        author: Participant::new("", kind),
        text: input.text.clone(),
        created_ms: None,
        attachments: attachments(check, field, &input.attachments),
        cards: cards(check, field, &input.cards),
        external_provider,
        echo: false,
    }
}

fn attachments(check: &mut Check, field: &str, attachments: &[proto::Attachment]) -> Vec<Attachment> {
    let attachments = &attachments[..attachments.len().min(MAX_PARTS)];
    for (i, attachment) in attachments.iter().enumerate() {
        check.required(&format!("{field}.attachments[{i}].id"), &attachment.id, 1024);
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
    for (i, card) in cards.iter().take(MAX_PARTS).enumerate() {
        let at = format!("{field}.cards[{i}]");
        check.required(&format!("{at}.content_type"), &card.content_type, MAX_ID_BYTES);
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

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::error::VIOLATIONS_MAX;

    fn violations<T: std::fmt::Debug>(checked: Result<T, Error>) -> Vec<Violation> {
        match checked.unwrap_err() {
            Error::Invalid(violations) => violations,
            other => panic!("{other}"),
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
        assert_eq!(violations(patch(&request))[0].field, "update_mask");
    }

    #[test]
    fn a_request_of_nothing_but_mistakes_makes_a_short_list() {
        let request = proto::CreateConversationRequest {
            history: vec![proto::MessageInput::default(); 100_000],
            ..Default::default()
        };
        assert_eq!(violations(new_conversation(&request)).len(), VIOLATIONS_MAX);
        let input = proto::MessageInput {
            cards: vec![proto::Card::default(); 100_000],
            attachments: vec![proto::Attachment::default(); 100_000],
            ..Default::default()
        };
        assert_eq!(violations(message_to_send(Some(&input))).len(), VIOLATIONS_MAX);
        let labels = (0..100_000)
            .map(|n| (format!("{n:065}"), String::new()))
            .collect();
        assert_eq!(violations(valid_labels(labels)).len(), VIOLATIONS_MAX);
    }
}
