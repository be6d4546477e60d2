//! Conversations to create, to hand over and to change.

use std::collections::BTreeMap;

use super::{
    message::history,
    user::{required_user, unknown, user_patch},
};
use crate::{
    conversation::hand_over::{HandOver, TranscriptPolicy},
    event::{Assignment, AssignmentKind},
    gateway::{ConversationPatch, ConversationReplacement, NewConversation, PostAgentAssignment},
    grpc::{check::Check, proto},
};

/// The most messages that the vendor takes as history.
pub(in crate::grpc) const HISTORY_MAX: usize = 200;
/// The longest transcript that is handed over.
const TRANSCRIPT_MAX: usize = 5000;
const NOTE_BYTES_MAX: usize = 1024;
const LABELS_MAX: usize = 32;
const LABEL_KEY_BYTES_MAX: usize = 64;
/// More than there are fields to change.
const PATHS_MAX: usize = 32;

/// Labels.
pub(in crate::grpc) fn labels(check: &mut Check, field: &str, labels: &BTreeMap<String, String>) {
    check.count(field, labels.len(), LABELS_MAX);
    for (key, value) in labels.iter().take(LABELS_MAX) {
        if key.is_empty() {
            check.fail(field, "has an empty key");
        }
        if key.len() > LABEL_KEY_BYTES_MAX {
            check.fail(
                field,
                format!(
                    "has a key of {} bytes; at most {LABEL_KEY_BYTES_MAX} are allowed",
                    key.len()
                ),
            );
        }
        let shown = &key[..key.floor_char_boundary(LABEL_KEY_BYTES_MAX)];
        check.max(&format!("{field}[{shown:?}]"), value, 256);
    }
}

/// What `CreateConversation` asks for.
pub(in crate::grpc) fn new_conversation(
    check: &mut Check,
    request: &proto::CreateConversationRequest,
) -> NewConversation {
    check.identifier("channel_id", &request.channel_id);
    NewConversation {
        channel_id: request.channel_id.clone(),
        user: required_user(check, "user", request.user.as_ref()),
        assignment: assignment(check, "assignment", request.assignment.as_ref()),
        history: history(check, "history", &request.history, HISTORY_MAX),
    }
}

/// What `FindOrCreateConversation` asks for.
pub(in crate::grpc) fn wanted_conversation(
    check: &mut Check,
    request: &proto::FindOrCreateConversationRequest,
) -> NewConversation {
    check.identifier("channel_id", &request.channel_id);
    let user = required_user(check, "user", request.user.as_ref());
    if request.user.is_some() && user.user_id.is_empty() {
        check.fail("user.user_id", "is required: the conversation is found by it");
    }
    NewConversation {
        channel_id: request.channel_id.clone(),
        user,
        assignment: assignment(check, "assignment", request.assignment.as_ref()),
        history: history(check, "history", &request.history, HISTORY_MAX),
    }
}

/// What `HandOverConversation` begins with.
pub(in crate::grpc) fn hand_over(check: &mut Check, start: &proto::HandOver) -> HandOver {
    check.identifier("start.channel_id", &start.channel_id);
    let user = required_user(check, "start.user", start.user.as_ref());
    let assignment = assignment(check, "start.assignment", start.assignment.as_ref());
    let history = history(check, "start.history", &start.history, TRANSCRIPT_MAX);
    labels(check, "start.labels", &start.labels);
    check.max("start.omission_note", &start.omission_note, NOTE_BYTES_MAX);
    HandOver {
        new: NewConversation {
            channel_id: start.channel_id.clone(),
            user,
            assignment,
            history,
        },
        labels: start.labels.clone(),
        policy: transcript_policy(check, start),
        note: start.omission_note.clone(),
    }
}

fn transcript_policy(check: &mut Check, start: &proto::HandOver) -> TranscriptPolicy {
    let policy = match proto::TranscriptPolicy::try_from(start.transcript_policy) {
        Ok(proto::TranscriptPolicy::Summarise) => TranscriptPolicy::Summarise,
        Ok(proto::TranscriptPolicy::Fail) => TranscriptPolicy::Fail,
        Ok(proto::TranscriptPolicy::Unspecified | proto::TranscriptPolicy::KeepLatest) => {
            TranscriptPolicy::KeepLatest
        }
        Err(_) => {
            let known = "is not a policy: KEEP_LATEST, SUMMARISE or FAIL";
            check.fail("start.transcript_policy", known);
            TranscriptPolicy::KeepLatest
        }
    };
    if policy == TranscriptPolicy::Fail {
        check.count("start.history", start.history.len(), HISTORY_MAX);
    }
    policy
}

/// What `UpdateConversation` changes.
pub(in crate::grpc) fn patch(
    check: &mut Check,
    request: &proto::UpdateConversationRequest,
) -> ConversationPatch {
    let paths = request.update_mask.as_ref().map_or(&[][..], |m| &m.paths[..]);
    if paths.is_empty() {
        check.fail(
            "update_mask",
            "is required: name `user`, `assignment`, or a field such as `user.language`",
        );
    }
    check.count("update_mask", paths.len(), PATHS_MAX);
    let conversation = request.conversation.clone().unwrap_or_default();
    let mut patch = ConversationPatch::default();
    let mut of_user = Vec::new();
    for path in paths.iter().take(PATHS_MAX) {
        match path.as_str() {
            "assignment" if conversation.assignment.is_none() => check.fail(
                "conversation.assignment",
                "is required, because update_mask names it",
            ),
            "assignment" if patch.assignment.is_none() => {
                let given = conversation.assignment.as_ref();
                patch.assignment = assignment(check, "conversation.assignment", given);
            }
            "assignment" => {}
            "user" => of_user.push(""),
            other => match other.strip_prefix("user.") {
                Some(field) if !field.is_empty() => of_user.push(field),
                _ => check.fail("update_mask", unknown(other)),
            },
        }
    }
    if !of_user.is_empty() {
        let given = conversation.user.unwrap_or_default();
        patch.user = Some(user_patch(check, &of_user, &given));
    }
    patch
}

/// What `ReplaceConversation` sets, and in which conversation.
pub(in crate::grpc) fn replacement(
    check: &mut Check,
    conversation: Option<&proto::Conversation>,
) -> ConversationReplacement {
    let absent = proto::Conversation::default();
    if conversation.is_none() {
        check.fail("conversation", "is required");
    }
    let given = conversation.unwrap_or(&absent);
    if conversation.is_some() {
        check.identifier("conversation.conversation_id", &given.conversation_id);
        check.identifier("conversation.channel_id", &given.channel_id);
    }
    let user = match conversation {
        Some(given) => required_user(check, "conversation.user", given.user.as_ref()),
        None => crate::event::User::default(),
    };
    ConversationReplacement {
        channel_id: given.channel_id.clone(),
        user,
        assignment: assignment(check, "conversation.assignment", given.assignment.as_ref()),
    }
}

/// Where to route a conversation; absent: not given, or not valid.
pub(super) fn assignment(
    check: &mut Check,
    field: &str,
    assignment: Option<&proto::Assignment>,
) -> Option<Assignment> {
    let assignment = assignment?;
    check.identifier(&format!("{field}.id"), &assignment.id);
    let field = format!("{field}.type");
    let kind = match proto::AssignmentType::try_from(assignment.r#type) {
        Ok(proto::AssignmentType::Queue) => Some(AssignmentKind::Queue),
        Ok(proto::AssignmentType::Script) => Some(AssignmentKind::Script),
        Ok(proto::AssignmentType::Agent) => {
            check.fail(&field, "cannot be AGENT: assign a queue or a script");
            None
        }
        Ok(proto::AssignmentType::Unspecified) => {
            check.fail(&field, "is required: QUEUE or SCRIPT");
            None
        }
        Err(_) => {
            check.fail(&field, "may be QUEUE or SCRIPT only");
            None
        }
    };
    kind.map(|kind| Assignment {
        kind: Some(kind),
        id: assignment.id.clone(),
        resource_id: String::new(),
    })
}

/// Where `TransferConversation` routes to.
pub(in crate::grpc) fn target(check: &mut Check, given: Option<&proto::Assignment>) -> Assignment {
    if given.is_none() {
        check.fail("assignment", "is required");
    }
    assignment(check, "assignment", given).unwrap_or(Assignment {
        kind: None,
        id: String::new(),
        resource_id: String::new(),
    })
}

/// What `CreatePostAgentAssignment` asks for.
pub(in crate::grpc) fn post_agent_assignment(
    check: &mut Check,
    request: &proto::CreatePostAgentAssignmentRequest,
) -> PostAgentAssignment {
    check.identifier("webhook_id", &request.webhook_id);
    PostAgentAssignment {
        webhook_id: request.webhook_id.clone(),
        notify_channel_webhook: request.notify_channel_webhook,
        max_total_minutes: check.range("max_total_minutes", request.max_total_minutes, &(20..=600)),
        user_timeout_minutes: check.range("user_timeout_minutes", request.user_timeout_minutes, &(10..=300)),
    }
}
