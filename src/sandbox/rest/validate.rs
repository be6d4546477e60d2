//! What the vendor's description demands beyond the shape. Stricter than needed where it is vague, so that what passes
//! here passes there.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::problem::{Fault, Finding};
use crate::sandbox::{
    floor::{
        content::{ADAPTIVE_CARD, Attachment, Card, Content, External},
        conversation::{Assignment, Author},
        house::House,
        user::User,
    },
    new_id,
    strict::{object, objects, present},
};

const PROPERTIES: usize = 30;
const LANGUAGES: [&str; 21] = [
    "en", "ru", "de", "ja", "es", "fr", "pt", "it", "pl", "hr", "nl", "ar", "da", "ko", "no", "sv", "vi",
    "cy", "th", "zh-CN", "zh-TW",
];
const CARD_TYPES: [&str; 8] = [
    ADAPTIVE_CARD,
    "application/8x8.quick.replies",
    "Interactive",
    "Location",
    "Template",
    "Suggestions",
    "Buttons",
    "Carousel",
];

/// A message as it is sent, alone or in a history.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct MessageBody {
    #[serde(default, deserialize_with = "present")]
    author_type: Option<String>,
    #[serde(default, deserialize_with = "present")]
    text: Option<String>,
    #[serde(default, deserialize_with = "objects")]
    attachments: Option<Vec<AttachmentBody>>,
    #[serde(default, deserialize_with = "objects")]
    cards: Option<Vec<CardBody>>,
    #[serde(default, deserialize_with = "object")]
    external_provider: Option<ExternalBody>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AttachmentBody {
    id: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct CardBody {
    #[serde(default, deserialize_with = "present")]
    id: Option<String>,
    #[serde(default, deserialize_with = "present")]
    content_type: Option<String>,
    content: Map<String, Value>,
    // The description has these two on the way in as well; nothing follows from them.
    #[serde(default, deserialize_with = "present")]
    #[expect(dead_code, reason = "read so that it is accepted")]
    action_submitted: Option<bool>,
    #[serde(default, deserialize_with = "present")]
    #[expect(dead_code, reason = "read so that it is accepted")]
    action_executed: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ExternalBody {
    name: String,
    external_message_id: String,
}

/// What a conversation is to be assigned to.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AssignmentBody {
    #[serde(default, deserialize_with = "present", rename = "type")]
    kind: Option<String>,
    #[serde(default, deserialize_with = "present")]
    id: Option<String>,
}

/// A kind of file name that is safe wherever it is written.
pub(crate) fn is_filename(name: &str) -> bool {
    let is_plain = |c: char| !c.is_control() && !matches!(c, '/' | '\\');
    !name.is_empty() && name.len() <= 255 && name.chars().all(is_plain)
}

/// What was found wrong so far.
#[derive(Debug, Default)]
pub(crate) struct Findings(pub(crate) Vec<Finding>);

impl Findings {
    pub(crate) fn add(
        &mut self,
        field: impl Into<String>,
        value: Option<&str>,
        code: &'static str,
        why: &str,
    ) {
        self.0.push(Finding {
            field: field.into(),
            value: value.map(str::to_owned),
            fault: Fault::new(code, why),
        });
    }
}

/// Checks a customer. An empty value stands for none in a patch alone.
pub(crate) fn user(user: &User, patch: bool, findings: &mut Findings) {
    let given = |field: &Option<String>| field.clone().filter(|text| !(patch && text.is_empty()));
    if let Some(language) = given(&user.language)
        && !LANGUAGES.contains(&language.as_str())
    {
        let why = format!("The language must be one of {}.", LANGUAGES.join(", "));
        findings.add("user.language", Some(&language), "invalid_language", &why);
    }
    if let Some(email) = given(&user.email)
        && !is_email(&email)
    {
        let why = "The email must look like name@example.com.";
        findings.add("user.email", Some(&email), "invalid_email", why);
    }
    let pairs = user.additional_properties.as_deref().unwrap_or_default();
    if pairs.len() > PROPERTIES {
        let why = format!(
            "There may be at most {PROPERTIES} additional properties; there are {}.",
            pairs.len()
        );
        findings.add("user.additionalProperties", None, "too_many_properties", &why);
    }
    for (n, _) in pairs.iter().enumerate().filter(|(_, pair)| pair.key.is_empty()) {
        let field = format!("user.additionalProperties[{n}].key");
        findings.add(field, None, "empty_key", "An additional property needs a key.");
    }
}

fn is_email(text: &str) -> bool {
    let split = text.split_once('@');
    let whole =
        split.is_some_and(|(name, domain)| !name.is_empty() && !domain.is_empty() && !domain.contains('@'));
    whole && !text.contains(char::is_whitespace)
}

/// Checks an assignment: only queues and scripts can be asked for, and they must exist.
pub(crate) fn assignment(
    body: &AssignmentBody,
    house: &House,
    findings: &mut Findings,
) -> Option<Assignment> {
    let Some(id) = body.id.as_deref().filter(|id| !id.is_empty()) else {
        findings.add(
            "assignment.id",
            None,
            "missing_field",
            "An assignment needs an id.",
        );
        return None;
    };
    match body.kind.as_deref().unwrap_or("queue") {
        "queue" if house.queue(id).is_some() => Some(Assignment::Queue(id.to_owned())),
        "queue" => {
            let why = format!("There is no queue {id}.");
            findings.add("assignment.id", Some(id), "invalid_queue", &why);
            None
        }
        "script" if house.has_script(id) => Some(Assignment::Script(id.to_owned())),
        "script" => {
            let why = format!("There is no script {id}.");
            findings.add("assignment.id", Some(id), "invalid_script", &why);
            None
        }
        other => {
            let why = "The type of an assignment must be queue or script.";
            findings.add("assignment.type", Some(other), "invalid_assignment_type", why);
            None
        }
    }
}

/// Who wants to be taken as the author: `user` or `bot`.
pub(crate) fn author(word: Option<&str>, field: &str, findings: &mut Findings) -> Option<Author> {
    match word {
        Some("user") => Some(Author::User),
        Some("bot") => Some(Author::Bot),
        Some(other) => {
            let why = "The authorType must be user or bot.";
            findings.add(field, Some(other), "invalid_author_type", why);
            None
        }
        None => {
            findings.add(field, None, "missing_field", "The authorType is required.");
            None
        }
    }
}

/// Checks a message that may refer to `files`; `at` stands before its fields' names (`history.messages[3].`, or nothing).
pub(crate) fn message(
    body: MessageBody,
    files: &[Arc<Attachment>],
    at: &str,
    findings: &mut Findings,
) -> Option<(Author, Content)> {
    let before = findings.0.len();
    let author = author(body.author_type.as_deref(), &format!("{at}authorType"), findings);
    let mut attachments = Vec::new();
    for (n, attachment) in body.attachments.iter().flatten().enumerate() {
        if let Some(found) = files.iter().find(|it| it.id == attachment.id) {
            attachments.push(Arc::clone(found));
            continue;
        }
        let why = "There is no attachment with this id in this conversation.";
        let field = format!("{at}attachments[{n}].id");
        findings.add(field, Some(&attachment.id), "invalid_attachment", why);
    }
    text_or_provider(&body, at, findings);
    let cards = body.cards.into_iter().flatten().enumerate();
    let cards = cards
        .map(|(n, it)| card(it, &format!("{at}cards[{n}]"), findings))
        .collect();
    let content = Content {
        text: body.text.unwrap_or_default(),
        attachments,
        cards,
        external: body.external_provider.map(|it| External {
            name: it.name,
            message_id: it.external_message_id,
        }),
    };
    author
        .filter(|_| findings.0.len() == before)
        .map(|it| (it, content))
}

fn text_or_provider(body: &MessageBody, at: &str, findings: &mut Findings) {
    match (&body.text, &body.external_provider) {
        (Some(_), Some(_)) => {
            let why = "A message has either text or externalProvider, never both.";
            findings.add(format!("{at}externalProvider"), None, "text_and_provider", why);
        }
        (None, None) => {
            let why = "A message needs text or externalProvider.";
            findings.add(format!("{at}text"), None, "missing_field", why);
        }
        (Some(text), None) if text.is_empty() && is_bare(body) => {
            let why = "The text may be empty only beside cards or attachments.";
            findings.add(format!("{at}text"), None, "empty_text", why);
        }
        (None, Some(provider)) => {
            if provider.name != "X" {
                let field = format!("{at}externalProvider.name");
                findings.add(
                    field,
                    Some(&provider.name),
                    "invalid_provider",
                    "The only provider is X.",
                );
            }
            if provider.external_message_id.is_empty() {
                let field = format!("{at}externalProvider.externalMessageId");
                findings.add(
                    field,
                    None,
                    "missing_field",
                    "The externalMessageId must not be empty.",
                );
            }
        }
        (Some(_), None) => {}
    }
}

fn is_bare(body: &MessageBody) -> bool {
    body.cards.iter().flatten().next().is_none() && body.attachments.iter().flatten().next().is_none()
}

/// Checks a card; `at` is its place in the body.
pub(crate) fn card(body: CardBody, at: &str, findings: &mut Findings) -> Card {
    let content_type = body.content_type.unwrap_or_else(|| ADAPTIVE_CARD.to_owned());
    if !CARD_TYPES.contains(&content_type.as_str()) {
        let why = format!(
            "The contentType of a card must be one of {}.",
            CARD_TYPES.join(", ")
        );
        findings.add(
            format!("{at}.contentType"),
            Some(&content_type),
            "invalid_card_type",
            &why,
        );
    }
    let content = Value::Object(body.content);
    Card {
        id: body.id.unwrap_or_else(new_id),
        content_type,
        bytes: content.to_string().len(),
        content,
        submitted: false,
        executed: false,
    }
}
