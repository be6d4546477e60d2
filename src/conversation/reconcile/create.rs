//! What became of a conversation.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{SKEW_MS, Standing, could_not_look, given::Given, is_accepted, open, standing};
use crate::{
    conversation::{
        Conversations, Session,
        calls::CreatedConversation,
        creation::Aftermath,
        echo::{Fingerprint, sent_fingerprint},
        idempotency::{Doubt, still_unknown},
    },
    error::Error,
    event::{ConversationKey, User},
    gateway::{Conversation, NewConversation},
    store::{Cursor, LedgerKey, LedgerKind},
    tenant::Tenant,
};

/// How many sessions are looked through at most, in pages, and how many of them the vendor is asked about.
const SESSIONS_MAX: usize = 1_000;
const SESSIONS_PAGE: usize = 200;
const CANDIDATES_MAX: usize = 20;

/// What is noted of a creation, to find its conversation later and to answer as the first call would have.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::conversation) struct CreateMark {
    pub(in crate::conversation) cursor_ms: u64,
    partitions: u16,
    pub(in crate::conversation) channel_id: String,
    pub(in crate::conversation) labels: BTreeMap<String, String>,
    user: Given,
    /// Fingerprints of the transcript's messages.
    pub(in crate::conversation) history: Vec<String>,
}

impl CreateMark {
    pub(in crate::conversation) fn new(
        cursor: &Cursor,
        new: &NewConversation,
        labels: &BTreeMap<String, String>,
    ) -> Self {
        Self {
            cursor_ms: cursor.time_ms,
            partitions: cursor.partitions,
            channel_id: new.channel_id.clone(),
            labels: labels.clone(),
            user: Given::of(&new.user),
            history: new.history.iter().map(sent_fingerprint).collect(),
        }
    }

    fn is_of(&self, conversation: &Conversation) -> bool {
        conversation.channel_id == self.channel_id && self.user.is_of(&conversation.user)
    }

    /// Whether a conversation that this session is of may have come of the creation. One whose channel the session knows was
    /// told by a call that succeeded; events tell no channel.
    fn may_be_of(&self, session: &Session) -> bool {
        session.epoch >= self.cursor_ms.saturating_sub(SKEW_MS) && session.channel_id.is_empty()
    }
}

/// Where a creation is announced: with all others whose conversations could be taken for its own. Those are all of the same
/// customer on the channel; of a customer without identifier, all that are told the same.
pub(in crate::conversation) fn ledger_of_create(tenant: &Tenant, new: &NewConversation) -> LedgerKey {
    let mut print = Fingerprint::default();
    print.text(&new.channel_id);
    print.text(&new.user.user_id);
    if new.user.user_id.is_empty() {
        let told = User {
            ip_address: String::new(),
            timezone_offset: String::new(),
            ..new.user.clone()
        };
        // Strings and lists of strings always serialise.
        print.text(&serde_json::to_string(&Given::of(&told)).unwrap_or_default());
    }
    LedgerKey {
        key: ConversationKey::new(tenant.id.clone(), ""),
        kind: LedgerKind::Create,
        print: print.finish(),
    }
}

impl Conversations {
    /// Answers as the first call would have, where exactly one conversation can have come of it.
    pub(in crate::conversation) async fn reconcile_create(
        &self,
        tenant: &Tenant,
        key: &LedgerKey,
        user: &User,
        after: &Aftermath,
        doubt: Doubt,
    ) -> Result<CreatedConversation, Error> {
        let mark: CreateMark = doubt.mark()?;
        let before = self.store.ledger(key).await?;
        let answer = |id: &str| CreatedConversation {
            tenant: tenant.id.to_string(),
            conversation: id.to_owned(),
            created_ms: None,
            cursor: Cursor::at_time(mark.cursor_ms, mark.partitions).encode(),
        };
        match standing(&before, doubt.token()) {
            Standing::Accepted(id) => {
                // What failed to be recorded may not be all that failed.
                self.note_made(id, user, &mark, after).await;
                return Ok(doubt.happened(answer(id), id).await);
            }
            Standing::Open if before.complete && open(&before) == 1 => {}
            Standing::Open => {
                return Err(still_unknown(
                    "other conversations are being created for the same customer",
                ));
            }
            Standing::Absent => return Err(still_unknown("nothing more is known of it")),
        }
        let (found, seen) = match self
            .candidates(tenant, &mark, |id| is_accepted(&before, id))
            .await
        {
            Ok(Some(found)) => found,
            Ok(None) => {
                return Err(still_unknown(
                    "since then there are more conversations than can be looked through",
                ));
            }
            Err(error) => return Err(still_unknown(&could_not_look(&error))),
        };
        if self.store.ledger(key).await? != before {
            return Err(still_unknown(
                "another conversation is being created for the same customer",
            ));
        }
        let [conversation] = &found[..] else {
            let found = found.len();
            return Err(still_unknown(&format!(
                "of {seen} conversations that began since, {found} match, which does not tell"
            )));
        };
        self.note_made(&conversation.id, &conversation.user, &mark, after)
            .await;
        let answer = answer(&conversation.id);
        Ok(doubt.happened(answer, &conversation.id).await)
    }

    /// Conversations that began since the mark, that no call is known to have made, and that are as it says; and how many were
    /// asked about. `None`: too many to tell.
    async fn candidates(
        &self,
        tenant: &Tenant,
        mark: &CreateMark,
        is_accepted: impl Fn(&str) -> bool,
    ) -> Result<Option<(Vec<Conversation>, usize)>, Error> {
        let Some(ids) = self.unclaimed(tenant, mark, is_accepted).await? else {
            return Ok(None);
        };
        let mut found = Vec::new();
        for id in &ids {
            let conversation = tenant.gateway.conversation(&tenant.id, id).await?;
            found.extend(Some(conversation).filter(|c| mark.is_of(c)));
        }
        Ok(Some((found, ids.len())))
    }

    async fn unclaimed(
        &self,
        tenant: &Tenant,
        mark: &CreateMark,
        is_accepted: impl Fn(&str) -> bool,
    ) -> Result<Option<Vec<String>>, Error> {
        let mut ids = Vec::new();
        let (mut after, mut looked_at) = (None, 0);
        loop {
            let page = self
                .store
                .sessions(&tenant.id, after.as_ref(), SESSIONS_PAGE)
                .await?;
            let Some((last, _)) = page.last() else {
                return Ok(Some(ids));
            };
            // A session is never active before it begins, and they come by activity.
            let is_enough = last.active_ms < mark.cursor_ms.saturating_sub(SKEW_MS);
            after = Some(last.clone());
            looked_at += page.len();
            let sessions = page.into_iter().filter_map(|(_, session)| session);
            let may_be = sessions.filter(|s| mark.may_be_of(s) && !is_accepted(&s.key.conversation));
            ids.extend(may_be.map(|session| session.key.conversation));
            if ids.len() > CANDIDATES_MAX {
                return Ok(None);
            }
            if is_enough {
                return Ok(Some(ids));
            }
            if looked_at >= SESSIONS_MAX {
                return Ok(None);
            }
        }
    }
}
