//! What became of a file.

use super::{Standing, could_not_look, is_accepted, open, read_all, since_ms, standing};
use crate::{
    conversation::{
        Conversations,
        attachments::Uploaded,
        echo::Fingerprint,
        idempotency::{Doubt, still_unknown},
    },
    error::Error,
    event::ConversationKey,
    gateway::{NewAttachment, StoredAttachment},
    store::{Ledger, LedgerKey, LedgerKind},
    tenant::Tenant,
};

/// Where an upload is announced: with all others of the same name and size. The vendor tells no author of a file, so the
/// author tells none apart.
pub(in crate::conversation) fn ledger_of_upload(key: &ConversationKey, new: &NewAttachment) -> LedgerKey {
    let mut print = Fingerprint::default();
    print.text(&new.file_name);
    print.text(&new.size_bytes.to_string());
    LedgerKey {
        key: key.clone(),
        kind: LedgerKind::Upload,
        print: print.finish(),
    }
}

impl Conversations {
    /// Answers as the first call would have, where exactly one file can have come of it. Its content cannot be compared: it was
    /// not read to its end, or its hash was lost with the answer.
    pub(in crate::conversation) async fn reconcile_upload(
        &self,
        tenant: &Tenant,
        key: &LedgerKey,
        new: &NewAttachment,
        doubt: Doubt,
    ) -> Result<Uploaded, Error> {
        let conversation = &key.key.conversation;
        let before = self.store.ledger(key).await?;
        match standing(&before, doubt.token()) {
            Standing::Accepted(id) => {
                let attachment = match tenant.gateway.attachment(&tenant.id, conversation, id).await {
                    Ok(attachment) => attachment,
                    Err(error) => return Err(still_unknown(&could_not_look(&error.into()))),
                };
                return Ok(doubt.happened(Uploaded::unseen(attachment), id).await);
            }
            Standing::Open if before.complete && open(&before) == 1 => {}
            Standing::Open => {
                return Err(still_unknown(
                    "other files of this name and size are on their way",
                ));
            }
            Standing::Absent => return Err(still_unknown("nothing more is known of it")),
        }
        let listed = read_all(
            "",
            |page| async move { tenant.gateway.attachments(&tenant.id, conversation, &page).await },
            |_| false,
        );
        let listed = match listed.await {
            Ok(Some(listed)) => listed,
            Ok(None) => {
                return Err(still_unknown(
                    "the conversation has more files than can be looked through",
                ));
            }
            Err(error) => return Err(still_unknown(&could_not_look(&error.into()))),
        };
        let found = matches(&listed, new, &before);
        if self.store.ledger(key).await? != before {
            return Err(still_unknown("another file of this name and size is on its way"));
        }
        match &found[..] {
            [only] if only.size_bytes.is_some() && only.created_ms.is_some() => {
                let attachment = (*only).clone();
                let id = attachment.id.clone();
                Ok(doubt.happened(Uploaded::unseen(attachment), &id).await)
            }
            _ => Err(still_unknown(&format!(
                "8x8 shows {} files of this name and size, which does not tell",
                found.len()
            ))),
        }
    }
}

/// Files of this name and size since the ledger begins that are not known as another's. One whose size is not told may be
/// of this size, and one whose time is not told of this time.
fn matches<'a>(
    listed: &'a [StoredAttachment],
    new: &NewAttachment,
    ledger: &Ledger,
) -> Vec<&'a StoredAttachment> {
    let since_ms = since_ms(ledger);
    listed
        .iter()
        .filter(|file| file.file_name == new.file_name)
        .filter(|file| file.size_bytes.is_none_or(|size| size == new.size_bytes))
        .filter(|file| file.created_ms.is_none_or(|ms| ms >= since_ms))
        .filter(|file| !is_accepted(ledger, &file.id))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        conversation::reconcile::tests::ledger,
        event::AuthorType,
        store::LedgerState::{Accepted, Unknown},
    };

    fn file(id: &str, name: &str, size_bytes: Option<u64>, created_ms: Option<i64>) -> StoredAttachment {
        StoredAttachment {
            id: id.into(),
            file_name: name.into(),
            media_type: String::new(),
            size_bytes,
            created_ms,
        }
    }

    #[test]
    fn only_what_can_have_come_of_the_upload_matches() {
        let new = NewAttachment {
            file_name: "a.pdf".into(),
            media_type: String::new(),
            size_bytes: 10,
            author: AuthorType::User,
        };
        let ledger = ledger(&[("x", 100_000, Accepted("known".into())), ("y", 100_001, Unknown)]);
        let listed = [
            file("known", "a.pdf", Some(10), Some(100_000)),
            file("old", "a.pdf", Some(10), Some(39_999)),
            file("larger", "a.pdf", Some(11), Some(100_000)),
            file("other", "b.pdf", Some(10), Some(100_000)),
            file("match", "a.pdf", Some(10), Some(40_000)),
            file("timeless", "a.pdf", Some(10), None),
            file("sizeless", "a.pdf", None, Some(100_000)),
        ];
        let ids: Vec<_> = matches(&listed, &new, &ledger)
            .iter()
            .map(|f| f.id.as_str())
            .collect();
        assert_eq!(ids, ["match", "timeless", "sizeless"]);
    }
}
