//! What became of a message.

use std::collections::HashSet;

use super::{Standing, could_not_look, open, read_all, since_ms, standing};
use crate::{
    conversation::{
        Conversations,
        calls::SentMessage,
        echo,
        idempotency::{Doubt, still_unknown},
    },
    error::Error,
    event::{ConversationKey, Message},
    store::{Ledger, LedgerKey, LedgerKind},
    tenant::Tenant,
};

/// Where a message is announced.
pub(in crate::conversation) fn ledger_of_send(key: &ConversationKey, message: &Message) -> LedgerKey {
    ledger_of_sends(key, echo::sent_fingerprint(message))
}

/// Where messages of this fingerprint are announced.
pub(in crate::conversation) fn ledger_of_sends(key: &ConversationKey, print: String) -> LedgerKey {
    LedgerKey {
        key: key.clone(),
        kind: LedgerKind::Send,
        print,
    }
}

impl Conversations {
    /// Answers as the first call would have, where what the vendor lists proves that its message was accepted.
    pub(in crate::conversation) async fn reconcile_send(
        &self,
        tenant: &Tenant,
        key: &LedgerKey,
        doubt: Doubt,
    ) -> Result<SentMessage, Error> {
        let before = self.store.ledger(key).await?;
        let now_ms = jiff::Timestamp::now().as_millisecond();
        match standing(&before, doubt.token()) {
            Standing::Accepted(_) => {
                let at = announced_ms(&before, doubt.token()).unwrap_or(now_ms);
                return Ok(doubt.happened(SentMessage { accepted_ms: at }, "").await);
            }
            Standing::Open if before.complete => {}
            _ => {
                return Err(still_unknown(
                    "what else was sent at the time is not known any more",
                ));
            }
        }
        let since_ms = since_ms(&before);
        let conversation = &key.key.conversation;
        let listed = read_all(
            "createdAt:desc",
            |page| async move { tenant.gateway.messages(&tenant.id, conversation, &page).await },
            |page: &[Message]| page.iter().any(|m| m.created_ms.is_some_and(|ms| ms < since_ms)),
        );
        let listed = match listed.await {
            Ok(Some(listed)) => listed,
            Ok(None) => {
                return Err(still_unknown(
                    "since then there are more messages than can be looked through",
                ));
            }
            Err(error) => return Err(still_unknown(&could_not_look(&error.into()))),
        };
        let found = matches(&listed, &key.print, since_ms);
        if found.iter().any(|m| m.created_ms.is_none() || m.id.is_empty()) {
            return Err(still_unknown(
                "8x8 does not tell when the matching messages were made, or which is which",
            ));
        }
        // Somebody may have sent the same meanwhile, and theirs been counted as ours.
        if self.store.ledger(key).await? != before {
            return Err(still_unknown("the same is being sent at this moment"));
        }
        if !proves(&before, found.len()) {
            let (found, sent) = (found.len(), before.entries.len());
            return Err(still_unknown(&format!(
                "8x8 shows {found} matching messages for {sent} sends, which does not tell"
            )));
        }
        let announced_ms = announced_ms(&before, doubt.token()).unwrap_or(now_ms);
        let nearest = found
            .iter()
            .filter_map(|m| m.created_ms)
            .min_by_key(|ms| ms.abs_diff(announced_ms));
        let answer = SentMessage {
            accepted_ms: nearest.unwrap_or(now_ms),
        };
        Ok(doubt.happened(answer, "").await)
    }
}

fn announced_ms(ledger: &Ledger, token: &str) -> Option<i64> {
    let entry = ledger.entries.iter().find(|entry| entry.token == token)?;
    i64::try_from(entry.announced_ms).ok()
}

/// The messages of this fingerprint since then. Pages shift while they are read, so one may be listed twice.
fn matches<'a>(listed: &'a [Message], print: &str, since_ms: i64) -> Vec<&'a Message> {
    let mut seen = HashSet::new();
    listed
        .iter()
        .filter(|message| message.created_ms.is_none_or(|ms| ms >= since_ms))
        .filter(|message| echo::sent_fingerprint(message) == print)
        .filter(|message| message.id.is_empty() || seen.insert(message.id.as_str()))
        .collect()
}

/// Whether so many messages upstream prove that all of the ledger were accepted. Fewer may be because one was not, or is not to
/// be seen yet; more, because somebody else sent the same.
fn proves(ledger: &Ledger, found: usize) -> bool {
    open(ledger) > 0 && found == ledger.entries.len()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::{
        conversation::reconcile::tests::ledger,
        event::{AuthorType, Participant},
        store::LedgerState::{Accepted, Sending, Unknown},
    };

    fn message(id: &str, text: &str, created_ms: Option<i64>) -> Message {
        Message {
            id: id.into(),
            author: Participant::new("", Some(AuthorType::Bot)),
            text: text.into(),
            created_ms,
            attachments: Vec::new(),
            cards: Vec::new(),
            external_provider: None,
            echo: false,
        }
    }

    #[test]
    fn what_matches_is_counted_once_and_only_since_then() {
        let listed = [
            message("5", "hello", None),
            message("4", "hello ", Some(2_000)),
            message("4", "hello ", Some(2_000)),
            message("3", "other", Some(2_000)),
            message("2", "hello", Some(1_000)),
            message("1", "hello", Some(999)),
        ];
        let print = echo::sent_fingerprint(&listed[0]);
        let ids: Vec<_> = matches(&listed, &print, 1_000)
            .iter()
            .map(|m| m.id.as_str())
            .collect();
        assert_eq!(ids, ["5", "4", "2"]);
    }

    #[rstest]
    #[case(0, false)]
    #[case(2, false)]
    #[case(3, true)]
    #[case(4, false)]
    fn only_as_many_as_were_sent_prove_it(#[case] found: usize, #[case] proven: bool) {
        let ledger = ledger(&[
            ("a", 1, Accepted(String::new())),
            ("b", 2, Unknown),
            ("c", 3, Sending),
        ]);
        assert_eq!(proves(&ledger, found), proven);
    }
}
