//! `/conversations` and `/conversations/{id}`.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    http::{StatusCode, Uri},
    response::Response,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Body, hal,
    page::{PageRequest, Rules},
    problem::Problem,
    validate::{self, AssignmentBody, Findings, MessageBody},
};
use crate::sandbox::{
    Inner,
    floor::{
        NewConversation,
        conversation::Conversation,
        house::{Channel, ChannelType, House},
        user::User,
    },
    iso,
    strict::{object, objects, present},
};

const HISTORY: usize = 200;
const RULES: Rules = Rules {
    sort: &["id", "createdAt"],
    ascending: true,
    filter: &["id", "state", "channelId"],
};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct CreateBody {
    #[serde(default, deserialize_with = "present")]
    channel_id: Option<String>,
    #[serde(default, deserialize_with = "object")]
    user: Option<User>,
    #[serde(default, deserialize_with = "object")]
    assignment: Option<AssignmentBody>,
    #[serde(default, deserialize_with = "object")]
    history: Option<HistoryBody>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct HistoryBody {
    #[serde(default, deserialize_with = "objects")]
    messages: Option<Vec<MessageBody>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PatchBody {
    #[serde(default, deserialize_with = "object")]
    user: Option<User>,
    #[serde(default, deserialize_with = "object")]
    assignment: Option<AssignmentBody>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ReplaceBody {
    #[serde(default, deserialize_with = "present")]
    channel_id: Option<String>,
    #[serde(default, deserialize_with = "object")]
    user: Option<User>,
    #[serde(default, deserialize_with = "object")]
    assignment: Option<AssignmentBody>,
}

/// Creates a conversation: 202, since its interaction follows.
pub(super) async fn create(
    State(inner): State<Arc<Inner>>,
    Body(body): Body<CreateBody>,
) -> Result<Response, Problem> {
    let (id, created_ms) = inner.floor(|floor| {
        let (channel, new) = check(body, &floor.house).map_err(|wrong| Problem::validation(&wrong.0))?;
        floor.create(&channel, new).map_err(Problem::full)
    })?;
    Ok(hal(
        StatusCode::ACCEPTED,
        &json!({"conversationId": id, "createdAt": iso(created_ms)}),
    ))
}

fn check(body: CreateBody, house: &House) -> Result<(Channel, NewConversation), Findings> {
    let mut findings = Findings::default();
    let channel = channel(body.channel_id.as_deref(), house, &mut findings);
    if let Some(channel) = channel.filter(|it| it.kind != ChannelType::ChatApi) {
        let why = "Conversations of this channel begin in the widget, not by the API.";
        findings.add("channelId", Some(&channel.id), "invalid_channel", why);
    }
    required_user(body.user.as_ref(), &mut findings);
    let assignment = body
        .assignment
        .and_then(|it| validate::assignment(&it, house, &mut findings));
    let said = body.history.map(|it| {
        if it.messages.is_none() {
            findings.add(
                "history.messages",
                None,
                "missing_field",
                "A history needs messages.",
            );
        }
        it.messages.unwrap_or_default()
    });
    let said = said.unwrap_or_default();
    if said.len() > HISTORY {
        let why = format!(
            "A history may hold at most {HISTORY} messages; it has {}.",
            said.len()
        );
        findings.add("history.messages", None, "too_many_messages", &why);
    }
    let history = said
        .into_iter()
        .enumerate()
        .filter_map(|(n, it)| validate::message(it, &[], &format!("history.messages[{n}]."), &mut findings))
        .collect();
    match (channel, body.user) {
        (Some(channel), Some(user)) if findings.0.is_empty() => Ok((
            channel.clone(),
            NewConversation {
                user,
                assignment,
                history,
            },
        )),
        _ => Err(findings),
    }
}

fn required_user(user: Option<&User>, findings: &mut Findings) {
    match user {
        Some(user) => validate::user(user, false, findings),
        None => findings.add("user", None, "missing_field", "The user is required."),
    }
}

fn channel<'a>(id: Option<&str>, house: &'a House, findings: &mut Findings) -> Option<&'a Channel> {
    let Some(id) = id.filter(|id| !id.is_empty()) else {
        findings.add("channelId", None, "missing_field", "The channelId is required.");
        return None;
    };
    let channel = house.channel(id);
    if channel.is_none() {
        let why = format!("There is no channel {id}.");
        findings.add("channelId", Some(id), "invalid_channel", &why);
    }
    channel
}

/// Lists conversations.
pub(super) async fn list(State(inner): State<Arc<Inner>>, uri: Uri) -> Result<Response, Problem> {
    let page = PageRequest::read(&uri, &RULES)?;
    Ok(inner.floor(|floor| {
        let admitted = |it: &&Conversation| {
            page.admits(|field| match field {
                "id" => &it.id,
                "state" => it.state.as_str(),
                _ => &it.channel_id,
            })
        };
        let mut items: Vec<&Conversation> = floor.conversations().filter(admitted).collect();
        if page.sort == "createdAt" {
            items.sort_by_key(|it| (it.created_ms, it.number));
        }
        page.answer(&uri, "conversations", items, |it| to_json(it))
    }))
}

/// Shows a conversation.
pub(super) async fn show(
    State(inner): State<Arc<Inner>>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let found = inner.floor(|floor| floor.conversation(&id).map(to_json));
    let body = found.ok_or_else(|| Problem::no_conversation(&id))?;
    Ok(hal(StatusCode::OK, &body))
}

/// Changes customer and assignment: 202, and what became of the assignment is told by events.
pub(super) async fn patch(
    State(inner): State<Arc<Inner>>,
    Path(id): Path<String>,
    Body(body): Body<PatchBody>,
) -> Result<Response, Problem> {
    let answer = inner.floor(|floor| {
        if floor.conversation(&id).is_none() {
            return Err(Problem::no_conversation(&id));
        }
        let mut findings = Findings::default();
        if let Some(user) = &body.user {
            validate::user(user, true, &mut findings);
        }
        let to = body.assignment.as_ref();
        let to = to.and_then(|it| validate::assignment(it, &floor.house, &mut findings));
        if body.user.is_none() && body.assignment.is_none() {
            let why = "There is nothing to change: give user, assignment or both.";
            findings.add("user", None, "missing_field", why);
        }
        if !findings.0.is_empty() {
            return Err(Problem::validation(&findings.0));
        }
        let patched = floor.act(&id, |scene| {
            if let Some(user) = body.user {
                scene.patch_user(user);
            }
            if let Some(to) = to {
                scene.request_route(to);
            }
            to_json(scene.conversation)
        });
        patched.ok_or_else(|| Problem::no_conversation(&id))
    })?;
    Ok(hal(StatusCode::ACCEPTED, &answer))
}

/// Replaces channel, customer and, where one is given, the assignment: 202, and what became of it is told by events.
pub(super) async fn replace(
    State(inner): State<Arc<Inner>>,
    Path(id): Path<String>,
    Body(body): Body<ReplaceBody>,
) -> Result<Response, Problem> {
    let answer = inner.floor(|floor| {
        let conversation = floor
            .conversation(&id)
            .ok_or_else(|| Problem::no_conversation(&id))?;
        let mut findings = Findings::default();
        let channel = channel(body.channel_id.as_deref(), &floor.house, &mut findings);
        if let Some(channel) = channel.filter(|it| it.kind != conversation.channel_type) {
            let why = "A conversation stays in channels of its kind.";
            findings.add("channelId", Some(&channel.id), "invalid_channel", why);
        }
        required_user(body.user.as_ref(), &mut findings);
        let to = body.assignment.as_ref();
        let to = to.and_then(|it| validate::assignment(it, &floor.house, &mut findings));
        let channel_id = channel.map(|it| it.id.clone());
        let (Some(channel_id), Some(user), true) = (channel_id, body.user, findings.0.is_empty()) else {
            return Err(Problem::validation(&findings.0));
        };
        let replaced = floor.act(&id, |scene| {
            scene.conversation.channel_id = channel_id;
            scene.replace_user(user);
            if let Some(to) = to {
                scene.request_route(to);
            }
            to_json(scene.conversation)
        });
        replaced.ok_or_else(|| Problem::no_conversation(&id))
    })?;
    Ok(hal(StatusCode::ACCEPTED, &answer))
}

fn to_json(conversation: &Conversation) -> Value {
    let mut it = json!({
        "id": conversation.id,
        "channelId": conversation.channel_id,
        "state": conversation.state.as_str(),
        "user": conversation.user,
    });
    if let Some(assignment) = &conversation.assignment {
        it["assignment"] = assignment.to_json();
    }
    it
}
