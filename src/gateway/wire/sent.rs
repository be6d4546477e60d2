//! What is sent. A field that is not given is left out, for the vendor takes an empty one at its word.

use serde::Serialize;
use serde_json::Value;

use crate::{
    event::{self, AssignmentKind, AuthorType},
    gateway::{self, UpstreamError, UpstreamErrorKind},
};

/// Body of "create a conversation".
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::gateway) struct NewConversation<'a> {
    channel_id: &'a str,
    user: User<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    assignment: Option<Assignment<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    history: Option<History<'a>>,
}

impl<'a> NewConversation<'a> {
    pub(in crate::gateway) fn new(new: &'a gateway::NewConversation) -> Result<Self, UpstreamError> {
        let messages = new
            .history
            .iter()
            .map(Message::new)
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            channel_id: &new.channel_id,
            user: User::new(&new.user),
            assignment: new.assignment.as_ref().map(Assignment::new).transpose()?,
            history: (!messages.is_empty()).then_some(History { messages }),
        })
    }
}

#[derive(Serialize)]
struct History<'a> {
    messages: Vec<Message<'a>>,
}

/// Body of "patch a conversation".
#[derive(Serialize)]
pub(in crate::gateway) struct Patch<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<User<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    assignment: Option<Assignment<'a>>,
}

impl<'a> Patch<'a> {
    pub(in crate::gateway) fn new(patch: &'a gateway::ConversationPatch) -> Result<Self, UpstreamError> {
        if patch.user.is_none() && patch.assignment.is_none() {
            return Err(refuse("the change names nothing to change"));
        }
        Ok(Self {
            user: patch.user.as_ref().map(User::changed),
            assignment: patch.assignment.as_ref().map(Assignment::new).transpose()?,
        })
    }
}

/// Body of "the user leaves".
#[derive(Serialize)]
pub(in crate::gateway) struct UserLeaves {
    pub(in crate::gateway) removed: bool,
}

/// Body of the typing indicator.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::gateway) struct Typing {
    author_type: &'static str,
}

impl Typing {
    pub(in crate::gateway) fn new(author: AuthorType) -> Result<Self, UpstreamError> {
        Ok(Self {
            author_type: author_word(Some(author))?,
        })
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct User<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    company: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    case_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    additional_properties: Option<Vec<Property<'a>>>,
}

impl<'a> User<'a> {
    /// The customer of a new conversation. Address and time zone are the vendor's to say.
    fn new(user: &'a event::User) -> Self {
        fn given(text: &str) -> Option<&str> {
            (!text.is_empty()).then_some(text)
        }
        let properties = &user.additional_properties;
        Self {
            name: given(&user.name),
            user_id: given(&user.user_id),
            email: given(&user.email),
            phone: given(&user.phone),
            company: given(&user.company),
            case_id: given(&user.case_id),
            language: given(&user.language),
            additional_properties: (!properties.is_empty()).then(|| Property::list(properties)),
        }
    }

    /// The fields of the customer that change, the empty ones included: those are cleared.
    fn changed(patch: &'a gateway::UserPatch) -> Self {
        Self {
            name: patch.name.as_deref(),
            user_id: patch.user_id.as_deref(),
            email: patch.email.as_deref(),
            phone: patch.phone.as_deref(),
            company: patch.company.as_deref(),
            case_id: patch.case_id.as_deref(),
            language: patch.language.as_deref(),
            additional_properties: patch.additional_properties.as_deref().map(Property::list),
        }
    }
}

#[derive(Serialize)]
struct Property<'a> {
    key: &'a str,
    value: &'a str,
}

impl<'a> Property<'a> {
    fn list(pairs: &'a [(String, String)]) -> Vec<Self> {
        pairs.iter().map(|(key, value)| Self { key, value }).collect()
    }
}

#[derive(Serialize)]
struct Assignment<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    id: &'a str,
}

impl<'a> Assignment<'a> {
    fn new(assignment: &'a event::Assignment) -> Result<Self, UpstreamError> {
        let kind = match assignment.kind {
            Some(AssignmentKind::Queue) => "queue",
            Some(AssignmentKind::Script) => "script",
            Some(AssignmentKind::Agent) | None => {
                return Err(refuse(
                    "a conversation can be assigned to a queue or a script only",
                ));
            }
        };
        Ok(Self {
            kind,
            id: &assignment.id,
        })
    }
}

/// Body of "send a message", and a message of the history.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::gateway) struct Message<'a> {
    author_type: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    text: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    attachments: Vec<AttachmentId<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cards: Vec<Card<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    external_provider: Option<ExternalProvider<'a>>,
}

impl<'a> Message<'a> {
    pub(in crate::gateway) fn new(message: &'a event::Message) -> Result<Self, UpstreamError> {
        Ok(Self {
            author_type: author_word(message.author.kind)?,
            text: &message.text,
            attachments: message
                .attachments
                .iter()
                .map(|a| AttachmentId { id: &a.id })
                .collect(),
            cards: message.cards.iter().map(Card::new).collect(),
            external_provider: message.external_provider.as_ref().map(ExternalProvider::new),
        })
    }
}

#[derive(Serialize)]
struct AttachmentId<'a> {
    id: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Card<'a> {
    content_type: &'a str,
    content: &'a Value,
}

impl<'a> Card<'a> {
    fn new(card: &'a event::Card) -> Self {
        Self {
            content_type: &card.content_type,
            content: &card.content,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ExternalProvider<'a> {
    name: &'a str,
    external_message_id: &'a str,
}

impl<'a> ExternalProvider<'a> {
    fn new(provider: &'a event::ExternalProvider) -> Self {
        Self {
            name: &provider.name,
            external_message_id: &provider.external_message_id,
        }
    }
}

/// The vendor lets us speak as the customer and as the bot only.
fn author_word(author: Option<AuthorType>) -> Result<&'static str, UpstreamError> {
    match author {
        Some(kind @ (AuthorType::User | AuthorType::Bot)) => Ok(kind.as_str()),
        _ => Err(refuse("the author must be the user or the bot")),
    }
}

fn refuse(problem: &str) -> UpstreamError {
    UpstreamError::new(UpstreamErrorKind::Invalid, problem)
}
