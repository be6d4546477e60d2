//! Handing a customer over in one go: conversation, transcript of any length, context, files.

use std::collections::BTreeMap;

use aws_lc_rs::digest::{Context, SHA256};
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use uuid::Uuid;

use super::{
    Conversations,
    attachments::UploadFailure,
    calls::{CreatedConversation, RequestId},
    transcript,
};
use crate::{
    error::Error,
    event::{Attachment, Message, Participant},
    gateway::{NewAttachment, NewConversation, StoredAttachment},
    tenant::Tenant,
};

/// What becomes of a transcript that is longer than the vendor takes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum TranscriptPolicy {
    /// The oldest messages are left out.
    #[default]
    KeepLatest,
    /// The oldest messages are condensed into one.
    Summarise,
    /// The hand-over fails.
    Fail,
}

/// A conversation to hand over.
#[derive(Debug, Clone)]
pub struct HandOver {
    /// The conversation; its history may be longer than the vendor takes.
    pub new: NewConversation,
    /// The caller's labels.
    pub labels: BTreeMap<String, String>,
    /// What becomes of a long transcript.
    pub policy: TranscriptPolicy,
    /// The note in place of what was left out, with `{count}`; empty: ours.
    pub note: String,
}

/// A hand-over whose conversation exists: files may follow.
pub struct HandedOver {
    /// The conversation.
    pub created: CreatedConversation,
    /// How many messages of the transcript the agent does not see at all.
    pub omitted: u32,
    /// How many messages of the transcript were condensed.
    pub summarised: u32,
}

/// What became of a file.
#[derive(Debug)]
pub struct FileOutcome {
    /// The file as the vendor has it, if it was uploaded.
    pub attachment: Option<StoredAttachment>,
    /// Whether the message that shows it was accepted.
    pub message_accepted: bool,
    /// What went wrong.
    pub error: Option<Error>,
}

impl Conversations {
    /// Creates the conversation of a hand-over, once for each `request_id`.
    pub async fn hand_over(
        &self,
        tenant: &Tenant,
        request: &RequestId,
        hand_over: HandOver,
    ) -> Result<HandedOver, Error> {
        let HandOver {
            mut new,
            labels,
            policy,
            note,
        } = hand_over;
        let fitted = transcript::fit(std::mem::take(&mut new.history), policy, &note)?;
        new.history = fitted.messages;
        let request = RequestId {
            id: derived(&request.id, "create"),
            digest: request.digest,
        };
        Ok(HandedOver {
            created: self.create(tenant, &request, &new, &labels).await?,
            omitted: fitted.omitted,
            summarised: fitted.summarised,
        })
    }

    /// Uploads the `n`th file of a hand-over and shows it to the agent, with `text`. An error of `content` fails the whole
    /// hand-over; whatever else goes wrong is part of the outcome.
    #[allow(clippy::too_many_arguments, reason = "each is another thing")]
    pub async fn hand_over_file(
        &self,
        tenant: &Tenant,
        request: &RequestId,
        handed: &HandedOver,
        n: usize,
        new: &NewAttachment,
        text: &str,
        content: impl Stream<Item = Result<Bytes, Error>> + Send + 'static,
    ) -> Result<FileOutcome, Error> {
        let conversation = &handed.created.conversation;
        let digest = digest_of(request, n, new, text);
        let part = |name: &str| RequestId {
            id: derived(&request.id, &format!("{name} {n}")),
            digest,
        };
        let uploaded = self
            .try_upload(tenant, conversation, &part("upload"), new, content.boxed())
            .await;
        let attachment = match uploaded {
            Ok(attachment) => attachment,
            Err(UploadFailure::Content(problem)) => {
                return Err(Error::HandOverBroken {
                    conversation: conversation.clone(),
                    problem: Box::new(problem),
                });
            }
            Err(UploadFailure::Other(error)) => {
                return Ok(FileOutcome {
                    attachment: None,
                    message_accepted: false,
                    error: Some(error),
                });
            }
        };
        let message = showing(&attachment, new, text);
        let sent = self.send(tenant, conversation, &part("message"), &message).await;
        Ok(FileOutcome {
            attachment: Some(attachment),
            message_accepted: sent.is_ok(),
            error: sent.err(),
        })
    }
}

/// A message that shows a file.
fn showing(attachment: &StoredAttachment, new: &NewAttachment, text: &str) -> Message {
    Message {
        id: String::new(),
        author: Participant::new("", Some(new.author)),
        text: text.to_owned(),
        created_ms: None,
        attachments: vec![Attachment {
            id: attachment.id.clone(),
            media_type: new.media_type.clone(),
            file_name: new.file_name.clone(),
            pre_signed_url: String::new(),
        }],
        cards: Vec::new(),
        external_provider: None,
        echo: false,
    }
}

/// The identifier of one step of a hand-over, the same at each repeat; empty where the hand-over has none.
fn derived(request_id: &str, step: &str) -> String {
    if request_id.is_empty() {
        return String::new();
    }
    let namespace = Uuid::parse_str(request_id)
        .unwrap_or_else(|_| Uuid::new_v5(&Uuid::NAMESPACE_OID, request_id.as_bytes()));
    Uuid::new_v5(&namespace, step.as_bytes()).to_string()
}

/// What is known of a step when it begins: the hand-over, and the file but its content.
fn digest_of(request: &RequestId, n: usize, new: &NewAttachment, text: &str) -> [u8; 32] {
    let mut hash = Context::new(&SHA256);
    hash.update(&request.digest);
    let numbers = format!("{n} {}", new.size_bytes);
    let parts = [
        &numbers,
        new.author.as_str(),
        &new.file_name,
        &new.media_type,
        text,
    ];
    for part in parts {
        hash.update(&(part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    let mut digest = [0; 32];
    digest.copy_from_slice(hash.finish().as_ref());
    digest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::AuthorType;

    const ID: &str = "6f1c2c7e-1d2f-4c3a-9a55-0e8b3c7f4d21";

    #[test]
    fn each_step_has_an_identifier_of_its_own_and_the_same_at_each_repeat() {
        assert_eq!(derived(ID, "create"), derived(&ID.to_ascii_uppercase(), "create"));
        assert!(Uuid::parse_str(&derived(ID, "upload 1")).is_ok());
        let steps = ["create", "upload 1", "upload 2", "message 1"];
        for (i, a) in steps.iter().enumerate() {
            for b in &steps[i + 1..] {
                assert_ne!(derived(ID, a), derived(ID, b));
            }
        }
        assert_eq!(derived("", "create"), "");
    }

    #[test]
    fn another_file_under_the_same_number_is_another_request() {
        let request = RequestId {
            id: ID.into(),
            digest: [1; 32],
        };
        let file = NewAttachment {
            file_name: "a".into(),
            media_type: "b".into(),
            size_bytes: 1,
            author: AuthorType::User,
        };
        let mut other = file.clone();
        other.file_name = "ab".into();
        other.media_type = String::new();
        let digest = digest_of(&request, 0, &file, "");
        assert_eq!(digest, digest_of(&request, 0, &file, ""));
        assert_ne!(digest, digest_of(&request, 0, &other, ""));
        assert_ne!(digest, digest_of(&request, 1, &file, ""));
        assert_ne!(digest, digest_of(&request, 0, &file, "text"));
    }
}
