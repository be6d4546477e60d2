//! The ledger of what was sent, and customers' conversations.

use super::shelf::Shelf;
use crate::{
    event::ConversationKey,
    store::{
        Announcement, Concluded, Customer, CustomerKey, Ledger, LedgerEntry, LedgerKey, LedgerState,
        ledger::{MEMBERS_MAX, kept_ms},
    },
};

/// All ledgers.
#[derive(Clone, Default)]
pub(super) struct Ledgers(Shelf<LedgerKey, Entries>);

/// One ledger.
#[derive(Clone, Default)]
struct Entries {
    /// In the order of time.
    all: Vec<LedgerEntry>,
    /// When some were last given up because there were too many.
    cut_ms: Option<u64>,
}

impl Ledgers {
    pub(super) fn sweep(&mut self, now: u64) {
        self.0.sweep(now);
    }

    /// Forgets what was sent in a conversation.
    pub(super) fn erase(&mut self, key: &ConversationKey) {
        self.0.retain(|ledger| ledger.key != *key);
    }

    pub(super) fn announce(&mut self, announcement: &Announcement, now: u64, retention_ms: u64) {
        let kept_ms = kept_ms(retention_ms);
        let ledger = self.0.renew(announcement.ledger.clone(), now, kept_ms);
        let entries = &mut ledger.all;
        entries.retain(|entry| entry.announced_ms >= now.saturating_sub(kept_ms));
        let token = &announcement.token;
        if find(entries, token, |state| *state == LedgerState::Sending).is_none() {
            enter(entries, token, now, LedgerState::Sending);
        }
        if entries.len() > MEMBERS_MAX {
            entries.drain(..entries.len() - MEMBERS_MAX);
            ledger.cut_ms = Some(now);
        }
    }

    pub(super) fn conclude(
        &mut self,
        announcement: &Announcement,
        concluded: &Concluded,
        now: u64,
        retention_ms: u64,
    ) {
        let ledger = self
            .0
            .renew(announcement.ledger.clone(), now, kept_ms(retention_ms));
        let entries = &mut ledger.all;
        let token = &announcement.token;
        let sending = find(entries, token, |state| *state == LedgerState::Sending);
        match (concluded, sending) {
            (Concluded::Withdrawn, Some(at)) => drop(entries.remove(at)),
            (Concluded::Unknown, Some(at)) => entries[at].state = LedgerState::Unknown,
            (Concluded::Withdrawn | Concluded::Unknown, None) => {}
            (Concluded::Accepted(result), at) => {
                let accepted = LedgerState::Accepted(result.clone());
                let open = at.or_else(|| find(entries, token, |state| *state == LedgerState::Unknown));
                match open {
                    Some(at) => entries[at].state = accepted,
                    // What happened must be known, though its announcement was lost.
                    None if find(entries, token, |state| *state == accepted).is_none() => {
                        enter(entries, token, now, accepted);
                    }
                    None => {}
                }
            }
        }
    }

    pub(super) fn note_accepted(
        &mut self,
        at_ms: u64,
        operations: &[(LedgerKey, String)],
        now: u64,
        retention_ms: u64,
    ) {
        for (ledger, token) in operations {
            let entries = &mut self.0.renew(ledger.clone(), now, kept_ms(retention_ms)).all;
            let accepted = LedgerState::Accepted(String::new());
            if find(entries, token, |state| *state == accepted).is_none() {
                enter(entries, token, at_ms, accepted);
            }
        }
    }

    pub(super) fn read(&self, ledger: &LedgerKey, now: u64, retention_ms: u64) -> Ledger {
        let since = now.saturating_sub(kept_ms(retention_ms));
        let Some(ledger) = self.0.get(ledger, now) else {
            return Ledger::new(Vec::new(), false, now, retention_ms);
        };
        let kept = ledger.all.iter().filter(|entry| entry.announced_ms >= since);
        let is_cut = ledger.cut_ms.is_some_and(|ms| ms >= since);
        Ledger::new(kept.cloned().collect(), is_cut, now, retention_ms)
    }
}

fn find(entries: &[LedgerEntry], token: &str, state: impl Fn(&LedgerState) -> bool) -> Option<usize> {
    entries
        .iter()
        .position(|entry| entry.token == token && state(&entry.state))
}

/// Enters in the order of time.
fn enter(entries: &mut Vec<LedgerEntry>, token: &str, announced_ms: u64, state: LedgerState) {
    let at = entries.partition_point(|entry| entry.announced_ms <= announced_ms);
    let entry = LedgerEntry {
        token: token.to_owned(),
        announced_ms,
        state,
    };
    entries.insert(at, entry);
}

/// Customers' conversations.
#[derive(Clone, Default)]
pub(super) struct Customers(Shelf<CustomerKey, Known>);

#[derive(Clone)]
enum Known {
    Attempt(String),
    Conversation { id: String, since_ms: u64 },
}

impl Customers {
    pub(super) fn sweep(&mut self, now: u64) {
        self.0.sweep(now);
    }

    /// An attempt lives for `attempt_ms`, a conversation for `session_ms`.
    pub(super) fn find(
        &mut self,
        key: &CustomerKey,
        attempt: &str,
        now: u64,
        attempt_ms: u64,
        session_ms: u64,
    ) -> Customer {
        match self.0.get(key, now).cloned() {
            Some(Known::Attempt(known)) => {
                // It must not be forgotten while somebody makes it.
                let kept = Known::Attempt(known.clone());
                self.0.put(key.clone(), kept, now + attempt_ms);
                Customer::Attempt(known)
            }
            Some(Known::Conversation { id, since_ms }) => {
                let known = Known::Conversation {
                    id: id.clone(),
                    since_ms,
                };
                self.0.put(key.clone(), known, now + session_ms);
                Customer::Conversation {
                    id,
                    age_ms: now.saturating_sub(since_ms),
                }
            }
            None => {
                let known = Known::Attempt(attempt.to_owned());
                self.0.put(key.clone(), known, now + attempt_ms);
                Customer::Attempt(attempt.to_owned())
            }
        }
    }

    pub(super) fn bind(
        &mut self,
        key: &CustomerKey,
        conversation: &str,
        attempt: Option<&str>,
        now: u64,
        session_ms: u64,
    ) {
        let other = match (attempt, self.0.get(key, now)) {
            (Some(attempt), Some(Known::Attempt(known))) => known != attempt,
            (Some(_), Some(Known::Conversation { .. })) => true,
            _ => false,
        };
        if !other {
            let known = Known::Conversation {
                id: conversation.to_owned(),
                since_ms: now,
            };
            self.0.put(key.clone(), known, now + session_ms);
        }
    }

    pub(super) fn release(&mut self, key: &CustomerKey, conversation: &str, now: u64) {
        if matches!(self.0.get(key, now), Some(Known::Conversation { id, .. }) if id == conversation) {
            self.0.remove(key);
        }
    }
}
