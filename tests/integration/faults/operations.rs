//! One operation of each kind, with something of its own to work on.

use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};
use tonic::{Code, Status};

use crate::support::{
    dynamic::call,
    proxy::Seen,
    service::eventually,
    stage::{CHANNEL, QUEUE, Stage},
};

/// A kind of operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Read,
    Put,
    PutAssignment,
    Create,
    Send,
    Upload,
}

impl Kind {
    /// Whether it may be sent again without doing anything twice.
    pub(super) fn is_safe(self) -> bool {
        matches!(self, Self::Read | Self::Put)
    }

    /// Whether its success is all in the status.
    pub(super) fn needs_no_answer(self) -> bool {
        matches!(self, Self::Put | Self::PutAssignment | Self::Send)
    }

    /// Whether there is one thing more upstream once it happened.
    pub(super) fn makes_something(self) -> bool {
        self.has_request_id()
    }

    pub(super) fn has_request_id(self) -> bool {
        matches!(self, Self::Create | Self::Send | Self::Upload)
    }

    /// Whether a request is the operation itself, and not a look at what became of it.
    pub(super) fn is_its_request(self, seen: &Seen) -> bool {
        let end = seen.path().rsplit('/').next().unwrap_or_default();
        match self {
            Self::Read => seen.method == "GET" && !seen.path().contains("/jwk/"),
            Self::Put | Self::PutAssignment => seen.method == "PUT",
            Self::Create => seen.method == "POST" && end == "conversations",
            Self::Send => seen.method == "POST" && end == "messages",
            Self::Upload => seen.method == "POST" && end == "attachments",
        }
    }
}

/// A call that can be made again and again.
pub(super) struct Subject {
    kind: Kind,
    conversation: String,
    rpc: &'static str,
    requests: Vec<Value>,
}

static NEXT: AtomicU32 = AtomicU32::new(1);

impl Subject {
    pub(super) async fn prepare(stage: &Stage, kind: Kind) -> Self {
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        let conversation = if kind == Kind::Create {
            String::new()
        } else {
            conversation(stage, n).await
        };
        let id = uuid::Uuid::new_v4().to_string();
        let (rpc, requests) = match kind {
            Kind::Read => (
                "ConversationService/GetConversation",
                vec![json!({ "conversationId": conversation })],
            ),
            Kind::Put | Kind::PutAssignment => {
                let mut new = json!({
                    "conversationId": conversation, "channelId": CHANNEL, "user": { "userId": format!("put-{n}") },
                });
                if kind == Kind::PutAssignment {
                    new["assignment"] = json!({ "type": "ASSIGNMENT_TYPE_QUEUE", "id": QUEUE });
                }
                (
                    "ConversationService/ReplaceConversation",
                    vec![json!({ "conversation": new })],
                )
            }
            Kind::Create => (
                "ConversationService/CreateConversation",
                vec![json!({
                    "requestId": id, "channelId": CHANNEL,
                    "user": { "userId": format!("made-{n}"), "additionalProperties": [{ "key": "n", "value": n.to_string() }] },
                })],
            ),
            Kind::Send => (
                "ConversationService/SendMessage",
                vec![json!({
                    "conversationId": conversation, "requestId": id,
                    "message": { "authorType": "AUTHOR_TYPE_BOT", "text": format!("message {n}") },
                })],
            ),
            Kind::Upload => (
                "AttachmentService/UploadAttachment",
                vec![
                    json!({ "start": {
                        "conversationId": conversation, "requestId": id, "fileName": format!("file-{n}.txt"),
                        "mediaType": "text/plain", "sizeBytes": "5", "authorType": "AUTHOR_TYPE_BOT",
                    } }),
                    json!({ "chunk": "aGVsbG8=" }),
                ],
            ),
        };
        Self {
            kind,
            conversation,
            rpc,
            requests,
        }
    }

    /// Makes the call.
    pub(super) async fn call(&self, stage: &Stage) -> Result<(), Status> {
        call(&stage.channel, self.rpc, &self.requests).await.map(drop)
    }

    /// Makes the call until it is known what became of it.
    pub(super) async fn call_until_known(&self, stage: &Stage) -> Result<(), Status> {
        eventually("it is known what became of the call", async || {
            match self.call(stage).await {
                Err(status) if matches!(status.code(), Code::Unknown | Code::Aborted) => None,
                other => Some(other),
            }
        })
        .await
    }

    /// How many there are upstream of what it makes.
    pub(super) async fn count(&self, stage: &Stage) -> u64 {
        let of = &self.conversation;
        match self.kind {
            Kind::Create => stage.count("/conversations").await,
            Kind::Send => stage.count(&format!("/conversations/{of}/messages")).await,
            Kind::Upload => stage.count(&format!("/conversations/{of}/attachments")).await,
            Kind::Read | Kind::Put | Kind::PutAssignment => 0,
        }
    }
}

/// A conversation of its own.
async fn conversation(stage: &Stage, n: u32) -> String {
    let request = json!({ "channelId": CHANNEL, "user": { "userId": format!("has-{n}") } });
    let created = call(
        &stage.channel,
        "ConversationService/CreateConversation",
        &[request],
    )
    .await;
    created.unwrap()[0]["conversationId"].as_str().unwrap().to_owned()
}
