//! What is received. Unknown fields are ignored, unknown words read as `None`, missing and null fields as not given.

use jiff::Timestamp;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use super::lenient::{count, flag, or_default, text};
use crate::{
    event::{self, AssignmentKind, AuthorType, UpstreamState},
    gateway,
};

/// Reads an answer that must be a JSON object. The error says where it is wrong, and nothing of what it holds.
fn object<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    match body.trim_ascii_start().first() {
        None => return Err("the answer is empty where a JSON object was expected".to_owned()),
        Some(b'{') => {}
        Some(_) => return Err("the answer is not a JSON object".to_owned()),
    }
    serde_json::from_slice(body).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        format!("the answer is not the documented JSON at line {line}, column {column}")
    })
}

/// Answer of "create a conversation".
pub(in crate::gateway) fn created(body: &[u8]) -> Result<gateway::Created, String> {
    #[derive(Default, Deserialize)]
    #[serde(default, rename_all = "camelCase")]
    struct Created {
        #[serde(deserialize_with = "text")]
        conversation_id: String,
        #[serde(deserialize_with = "text")]
        id: String,
        #[serde(deserialize_with = "text")]
        created_at: String,
    }
    let created: Created = object(body)?;
    let conversation = first(created.conversation_id, created.id);
    if conversation.is_empty() {
        return Err("the answer names no conversation".to_owned());
    }
    Ok(gateway::Created {
        conversation,
        created_ms: unix_ms(&created.created_at),
    })
}

/// Answer of "get a conversation".
pub(in crate::gateway) fn conversation(body: &[u8]) -> Result<gateway::Conversation, String> {
    object::<Conversation>(body)?.read()
}

/// Answer of "list conversations".
pub(in crate::gateway) fn conversations(
    body: &[u8],
) -> Result<gateway::Listed<gateway::Conversation>, String> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Embedded {
        #[serde(deserialize_with = "or_default")]
        conversations: Vec<Conversation>,
    }
    let list: List<Embedded> = object(body)?;
    let items = list
        .embedded
        .conversations
        .into_iter()
        .map(Conversation::read)
        .collect::<Result<_, _>>()?;
    Ok(list.page.of(items))
}

/// Answer of "list messages".
pub(in crate::gateway) fn messages(body: &[u8]) -> Result<gateway::Listed<event::Message>, String> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Embedded {
        #[serde(deserialize_with = "or_default")]
        messages: Vec<Message>,
    }
    let list: List<Embedded> = object(body)?;
    let items = list.embedded.messages.into_iter().map(Message::read).collect();
    Ok(list.page.of(items))
}

/// Answer of "public signing key": an object, or a JSON string that holds one. Answers the object's text.
pub(in crate::gateway) fn signing_key(body: &[u8]) -> Result<String, String> {
    let problem = |_| "the answer is neither a key nor a text that holds one".to_owned();
    let key = match serde_json::from_slice(body).map_err(problem)? {
        Value::String(text) => serde_json::from_str(&text).map_err(problem)?,
        other => other,
    };
    match key {
        Value::Object(_) => Ok(key.to_string()),
        _ => Err("the answer is not a key".to_owned()),
    }
}

/// A page of a list. The vendor leaves `_embedded` out where the page is empty.
#[derive(Deserialize)]
struct List<E: Default + DeserializeOwned> {
    #[serde(
        default,
        rename = "_embedded",
        deserialize_with = "or_default",
        bound = "E: Default + DeserializeOwned"
    )]
    embedded: E,
    #[serde(default, deserialize_with = "or_default")]
    page: PageInfo,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct PageInfo {
    #[serde(deserialize_with = "count")]
    total_elements: Option<u32>,
    #[serde(deserialize_with = "count")]
    total_pages: Option<u32>,
}

impl PageInfo {
    /// Without counts, the page is taken for the only one.
    fn of<T>(&self, items: Vec<T>) -> gateway::Listed<T> {
        let here = u32::try_from(items.len()).unwrap_or(u32::MAX);
        gateway::Listed {
            total: self.total_elements.unwrap_or(here),
            total_pages: self.total_pages.unwrap_or(here.min(1)),
            items,
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Conversation {
    #[serde(deserialize_with = "text")]
    id: String,
    #[serde(deserialize_with = "text")]
    channel_id: String,
    #[serde(deserialize_with = "text")]
    state: String,
    assignment: Option<Assignment>,
    #[serde(deserialize_with = "or_default")]
    user: User,
}

impl Conversation {
    fn read(self) -> Result<gateway::Conversation, String> {
        if self.id.is_empty() {
            return Err("the answer holds a conversation without an identifier".to_owned());
        }
        Ok(gateway::Conversation {
            id: self.id,
            channel_id: self.channel_id,
            state: state(&self.state),
            assignment: self.assignment.and_then(Assignment::read),
            user: self.user.read(),
        })
    }
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Assignment {
    #[serde(rename = "type", deserialize_with = "text")]
    kind: String,
    #[serde(deserialize_with = "text")]
    id: String,
    #[serde(deserialize_with = "text")]
    resource_id: String,
}

impl Assignment {
    /// An assignment that says nothing is none.
    fn read(self) -> Option<event::Assignment> {
        if self.kind.is_empty() && self.id.is_empty() && self.resource_id.is_empty() {
            return None;
        }
        Some(event::Assignment {
            kind: assignment_kind(&self.kind),
            id: self.id,
            resource_id: self.resource_id,
        })
    }
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct User {
    #[serde(deserialize_with = "text")]
    name: String,
    #[serde(deserialize_with = "text")]
    user_id: String,
    #[serde(deserialize_with = "text")]
    email: String,
    #[serde(deserialize_with = "text")]
    phone: String,
    #[serde(deserialize_with = "text")]
    company: String,
    #[serde(deserialize_with = "text")]
    case_id: String,
    #[serde(deserialize_with = "text")]
    language: String,
    #[serde(deserialize_with = "or_default")]
    additional_properties: Vec<Property>,
    #[serde(deserialize_with = "text")]
    ipaddress: String,
    #[serde(deserialize_with = "text")]
    timezone_offset: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Property {
    #[serde(deserialize_with = "text")]
    key: String,
    #[serde(deserialize_with = "text")]
    value: String,
}

impl User {
    fn read(self) -> event::User {
        event::User {
            name: self.name,
            user_id: self.user_id,
            email: self.email,
            phone: self.phone,
            company: self.company,
            case_id: self.case_id,
            language: self.language,
            additional_properties: self
                .additional_properties
                .into_iter()
                .map(|p| (p.key, p.value))
                .collect(),
            ip_address: self.ipaddress,
            timezone_offset: self.timezone_offset,
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Message {
    #[serde(deserialize_with = "text")]
    id: String,
    #[serde(deserialize_with = "or_default")]
    author: Author,
    #[serde(deserialize_with = "text")]
    text: String,
    #[serde(deserialize_with = "text")]
    created_at: String,
    #[serde(deserialize_with = "or_default")]
    attachments: Vec<Attachment>,
    #[serde(deserialize_with = "or_default")]
    cards: Vec<Card>,
    external_provider: Option<ExternalProvider>,
}

impl Message {
    fn read(self) -> event::Message {
        event::Message {
            id: self.id,
            author: self.author.read(),
            text: self.text,
            created_ms: unix_ms(&self.created_at),
            attachments: self.attachments.into_iter().map(Attachment::read).collect(),
            cards: self.cards.into_iter().map(Card::read).collect(),
            external_provider: self.external_provider.map(ExternalProvider::read),
            echo: false,
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Author {
    #[serde(deserialize_with = "text")]
    id: String,
    #[serde(rename = "type", deserialize_with = "text")]
    kind: String,
    #[serde(deserialize_with = "text")]
    name: String,
    #[serde(deserialize_with = "flag")]
    removed: bool,
    #[serde(deserialize_with = "text")]
    language: String,
}

impl Author {
    fn read(self) -> event::Participant {
        event::Participant {
            kind: AuthorType::parse(&self.kind),
            id: self.id,
            name: self.name,
            removed: self.removed,
            language: self.language,
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Attachment {
    #[serde(deserialize_with = "text")]
    id: String,
    #[serde(rename = "type", deserialize_with = "text")]
    media_type: String,
    #[serde(deserialize_with = "text")]
    filename: String,
    #[serde(deserialize_with = "text")]
    file_name: String,
    #[serde(deserialize_with = "text")]
    pre_signed_url: String,
}

impl Attachment {
    fn read(self) -> event::Attachment {
        event::Attachment {
            id: self.id,
            media_type: self.media_type,
            file_name: first(self.filename, self.file_name),
            pre_signed_url: self.pre_signed_url,
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Card {
    #[serde(deserialize_with = "text")]
    id: String,
    #[serde(deserialize_with = "text")]
    content_type: String,
    content: Value,
    #[serde(deserialize_with = "flag")]
    action_submitted: bool,
    #[serde(deserialize_with = "flag")]
    action_executed: bool,
}

impl Card {
    fn read(self) -> event::Card {
        event::Card {
            id: self.id,
            content_type: self.content_type,
            content: self.content,
            action_submitted: self.action_submitted,
            action_executed: self.action_executed,
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ExternalProvider {
    #[serde(deserialize_with = "text")]
    name: String,
    #[serde(deserialize_with = "text")]
    external_message_id: String,
}

impl ExternalProvider {
    fn read(self) -> event::ExternalProvider {
        event::ExternalProvider {
            name: self.name,
            external_message_id: self.external_message_id,
        }
    }
}

fn first(one: String, other: String) -> String {
    if one.is_empty() { other } else { one }
}

fn state(word: &str) -> Option<UpstreamState> {
    match word.to_ascii_lowercase().as_str() {
        "created" => Some(UpstreamState::Created),
        "active" => Some(UpstreamState::Active),
        "idle" => Some(UpstreamState::Idle),
        _ => None,
    }
}

fn assignment_kind(word: &str) -> Option<AssignmentKind> {
    match word.to_ascii_lowercase().as_str() {
        "queue" => Some(AssignmentKind::Queue),
        "script" => Some(AssignmentKind::Script),
        "agent" => Some(AssignmentKind::Agent),
        _ => None,
    }
}

/// ISO 8601 with an offset to Unix milliseconds. A time without an offset names no moment, so it is not read.
fn unix_ms(text: &str) -> Option<i64> {
    text.trim().parse::<Timestamp>().ok().map(|t| t.as_millisecond())
}
