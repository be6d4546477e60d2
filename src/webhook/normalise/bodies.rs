//! The body of each kind of event.
//!
//! The vendor's current envelope keeps what is specific in `data`; the older one keeps it beside `eventType`. The two
//! are told apart by whether `data` is there.

use serde_json::Value;

use super::super::read::{Members, Read, scalar};
use crate::event::{
    Assignment, AssignmentKind, Attachment, AuthorType, Card, ConversationUpdated, EventBody, MemberChange,
    Message, Participant, UpstreamState, User,
};

/// The vendor's check of a webhook's address.
pub(super) const VERIFY: &str = "WEB_HOOK_VERIFY";

/// Reads the body of an event of the vendor's kind `vendor_type`. A kind that is not known is no problem.
pub(super) fn read(vendor_type: &str, envelope: &Members<'_>) -> Read<EventBody> {
    let data = envelope.object("data");
    let flat = || data.clone().map(|data| data.unwrap_or_else(|| envelope.clone()));
    match vendor_type {
        "CONVERSATION_UPDATE" => updated(&flat()?),
        "QUEUED" => queued(&flat()?),
        "MEMBERS_CHANGED" => member_changed(&flat()?),
        "AGENT_JOINED" => agent_changed(&flat()?, MemberChange::Joined),
        "AGENT_LEFT" => agent_changed(&flat()?, MemberChange::Left),
        "TRANSFER" => Ok(EventBody::Transferred),
        "MESSAGE" => message(&flat()?),
        "TEXT" => agent_text(&flat()?),
        "ACTIVITY" => activity(&flat()?),
        VERIFY => Ok(EventBody::WebhookVerified {
            notification_version: envelope.text("notificationVersion")?,
        }),
        _ => Ok(EventBody::Unknown {
            problem: String::new(),
        }),
    }
}

fn updated(data: &Members<'_>) -> Read<EventBody> {
    let state = match data.text("state")?.to_ascii_lowercase().as_str() {
        "created" => Some(UpstreamState::Created),
        "active" => Some(UpstreamState::Active),
        "idle" => Some(UpstreamState::Idle),
        _ => None,
    };
    Ok(EventBody::ConversationUpdated(ConversationUpdated {
        state,
        assignment: data.object("assignment")?.as_ref().map(assignment).transpose()?,
        user: data.object("user")?.as_ref().map(user).transpose()?,
        msisdn: data.text("msisdn")?,
        channel_type: data.text("channel")?,
    }))
}

fn assignment(members: &Members<'_>) -> Read<Assignment> {
    let kind = match members.text("type")?.to_ascii_lowercase().as_str() {
        "queue" => Some(AssignmentKind::Queue),
        "script" => Some(AssignmentKind::Script),
        "agent" => Some(AssignmentKind::Agent),
        _ => None,
    };
    Ok(Assignment {
        kind,
        id: members.text("id")?,
        resource_id: members.text("resourceId")?,
    })
}

fn user(members: &Members<'_>) -> Read<User> {
    let mut additional_properties = Vec::new();
    for property in members.objects("additionalProperties")? {
        // A value that is no scalar is kept as the JSON that it is.
        let value = match property.get("value") {
            None => String::new(),
            Some(value) => scalar(value).unwrap_or_else(|| value.to_string()),
        };
        additional_properties.push((property.text("key")?, value));
    }
    Ok(User {
        name: members.text("name")?,
        user_id: members.text("userId")?,
        email: members.text("email")?,
        phone: members.text("phone")?,
        company: members.text("company")?,
        case_id: members.text("caseId")?,
        language: members.text("language")?,
        additional_properties,
        ip_address: members.first_text(&["ipaddress", "ipAddress"])?,
        timezone_offset: members.text("timezoneOffset")?,
    })
}

fn queued(data: &Members<'_>) -> Read<EventBody> {
    Ok(EventBody::Queued {
        queue_id: data.text("queueId")?,
        queue_name: data.text("queueName")?,
    })
}

fn member_changed(data: &Members<'_>) -> Read<EventBody> {
    let change = match data.text("change")?.to_ascii_lowercase().as_str() {
        "joined" => MemberChange::Joined,
        "left" => MemberChange::Left,
        "" => return Err(data.missing("change")),
        _ => return Err(data.problem("change", "is neither joined nor left")),
    };
    let mut member = Participant::new(data.text("id")?, AuthorType::parse(&data.text("memberType")?));
    member.name = data.text("name")?;
    Ok(EventBody::MemberChanged { member, change })
}

/// An agent of the older events.
fn agent(data: &Members<'_>) -> Read<Participant> {
    let mut agent = Participant::new(data.text("agentId")?, Some(AuthorType::Agent));
    agent.name = data.text("agentName")?;
    Ok(agent)
}

fn agent_changed(data: &Members<'_>, change: MemberChange) -> Read<EventBody> {
    let member = agent(data)?;
    Ok(EventBody::MemberChanged { member, change })
}

fn agent_text(data: &Members<'_>) -> Read<EventBody> {
    let mut author = agent(data)?;
    let is_system = data.text("messageType")?.eq_ignore_ascii_case("SYSTEM");
    if author.id.is_empty() && is_system {
        author.kind = Some(AuthorType::System);
    }
    Ok(EventBody::Message(Message {
        text: data.first_text(&["message", "text"])?,
        ..bare(author)
    }))
}

fn message(data: &Members<'_>) -> Read<EventBody> {
    let author = match data.object("sender")? {
        None => Participant::new("", None),
        Some(sender) => {
            let mut author = Participant::new(sender.text("id")?, AuthorType::parse(&sender.text("type")?));
            author.name = sender.text("name")?;
            author
        }
    };
    let attachments = data.objects("attachments")?;
    let cards = data.objects("cards")?;
    Ok(EventBody::Message(Message {
        text: data.text("text")?,
        attachments: attachments.iter().map(attachment).collect::<Read<_>>()?,
        cards: cards.iter().map(card).collect::<Read<_>>()?,
        echo: data.flag("isEcho")?,
        ..bare(author)
    }))
}

/// A message without content.
fn bare(author: Participant) -> Message {
    Message {
        id: String::new(),
        author,
        text: String::new(),
        created_ms: None,
        attachments: Vec::new(),
        cards: Vec::new(),
        external_provider: None,
        echo: false,
    }
}

fn attachment(members: &Members<'_>) -> Read<Attachment> {
    Ok(Attachment {
        id: members.text("id")?,
        media_type: members.text("type")?,
        file_name: members.text("fileName")?,
        pre_signed_url: members.text("preSignedUrl")?,
    })
}

fn card(members: &Members<'_>) -> Read<Card> {
    Ok(Card {
        id: members.text("id")?,
        content_type: members.text("contentType")?,
        content: members.value("content"),
        action_submitted: members.flag("actionSubmitted")?,
        action_executed: members.flag("actionExecuted")?,
    })
}

fn activity(data: &Members<'_>) -> Read<EventBody> {
    let name = data.text("name")?;
    match name.as_str() {
        "" => Err(data.missing("name")),
        "typing" => typing(data),
        "adaptiveCard/action" => {
            let value = data.object("value")?.ok_or_else(|| data.missing("value"))?;
            Ok(EventBody::CardAction {
                action_type: value.text("type")?,
                data: value.value("data"),
            })
        }
        "quickReply/action" => quick_reply(data),
        "read-receipts" => match data.get("value") {
            Some(Value::Array(receipts)) => Ok(EventBody::ReadReceipt(receipts.clone())),
            Some(receipt @ Value::Object(_)) => Ok(EventBody::ReadReceipt(vec![receipt.clone()])),
            Some(other) => Err(data.expected("value", other, "a list")),
            None => Err(data.missing("value")),
        },
        _ => Ok(EventBody::Activity {
            name,
            value: data.value("value"),
        }),
    }
}

fn typing(data: &Members<'_>) -> Read<EventBody> {
    let value = data.object("value")?.ok_or_else(|| data.missing("value"))?;
    // No list is not the same as an empty one, which says that everybody stopped.
    if value.get("users").is_none() {
        return Err(value.missing("users"));
    }
    let mut participant_ids = Vec::new();
    for (i, who) in value.list("users")?.iter().enumerate() {
        let id = match who {
            Value::Object(user) => user.get("id").and_then(scalar),
            other => scalar(other),
        };
        let expected = || {
            value.expected(
                &format!("users[{i}]"),
                who,
                "an identifier, or an object with one,",
            )
        };
        participant_ids.push(id.ok_or_else(expected)?);
    }
    Ok(EventBody::Typing { participant_ids })
}

fn quick_reply(data: &Members<'_>) -> Read<EventBody> {
    let value = data.object("value")?.ok_or_else(|| data.missing("value"))?;
    let action_type = value.text("type")?;
    let (title, payload) = match value.object("data")? {
        Some(chosen) => (chosen.text("title")?, chosen.value("payload")),
        None => (String::new(), Value::Null),
    };
    Ok(EventBody::QuickReply {
        action_type,
        title,
        payload,
    })
}
