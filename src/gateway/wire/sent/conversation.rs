//! Conversations.

use serde::Serialize;

use super::{Message, refuse};
use crate::{
    event::{self, AssignmentKind},
    gateway::{self, UpstreamError},
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

/// Body of "replace a conversation".
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::gateway) struct Replacement<'a> {
    channel_id: &'a str,
    user: User<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    assignment: Option<Assignment<'a>>,
}

impl<'a> Replacement<'a> {
    pub(in crate::gateway) fn new(new: &'a gateway::ConversationReplacement) -> Result<Self, UpstreamError> {
        Ok(Self {
            channel_id: &new.channel_id,
            user: User::new(&new.user),
            assignment: new.assignment.as_ref().map(Assignment::new).transpose()?,
        })
    }
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

/// Body of "post-agent assignment".
#[derive(Serialize)]
pub(in crate::gateway) struct PostAgentAssignment<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    id: &'a str,
    #[serde(skip_serializing_if = "PostAgentConfiguration::is_empty")]
    configuration: PostAgentConfiguration,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PostAgentConfiguration {
    /// The vendor wants this boolean as a text.
    #[serde(skip_serializing_if = "Option::is_none")]
    notify_channel_webhook_if_exists: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_total_minutes: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_timeout_in_minutes: Option<u32>,
}

impl<'a> PostAgentAssignment<'a> {
    pub(in crate::gateway) fn new(new: &'a gateway::PostAgentAssignment) -> Self {
        Self {
            kind: "webhook",
            id: &new.webhook_id,
            configuration: PostAgentConfiguration {
                notify_channel_webhook_if_exists: new
                    .notify_channel_webhook
                    .map(|notify| if notify { "true" } else { "false" }),
                max_total_minutes: new.max_total_minutes,
                user_timeout_in_minutes: new.user_timeout_minutes,
            },
        }
    }
}

impl PostAgentConfiguration {
    fn is_empty(&self) -> bool {
        self.notify_channel_webhook_if_exists.is_none()
            && self.max_total_minutes.is_none()
            && self.user_timeout_in_minutes.is_none()
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
