//! Outboxes of webhooks of Chat API v2.

use std::collections::{BTreeMap, HashMap, VecDeque};

use async_trait::async_trait;

use super::MemoryStore;
use crate::{
    event::{ConversationKey, EntryId, TenantId},
    store::{
        StoreError,
        outbox::{
            Claim, Claimed, DEAD_LETTERS_MAX, DeadLetter, DeadReason, Due, Enqueued, OutboxState,
            OutboxStore, Settlement, UNROUTED, Waiting,
        },
    },
};

/// How far apart the tokens of claims are: claims that follow one another by settling are numbered in between.
const TOKENS_APART: u64 = 1 << 20;

/// Those of all tenants.
#[derive(Clone, Default)]
pub(super) struct Outboxes {
    tenants: HashMap<TenantId, BTreeMap<u64, Outbox>>,
    last_token: u64,
}

/// A place in the log as events of a conversation are ordered: time, number, epoch.
type Place = (u64, u64, u64);

fn place(entry: EntryId) -> Place {
    (entry.ms, entry.n, entry.epoch)
}

/// One of a tenant.
#[derive(Clone, Default)]
struct Outbox {
    /// Only conversations of which something waits, or which are claimed.
    conversations: BTreeMap<String, Conversation>,
    /// The newest last.
    dead: VecDeque<DeadLetter>,
    streak: u32,
    failing_since_ms: u64,
    paused_until_ms: u64,
    /// Whether as many were claimed as may be while others were due.
    is_full: bool,
}

#[derive(Clone, Default)]
struct Conversation {
    /// How often sending each has failed.
    events: BTreeMap<Place, u32>,
    /// When it may be claimed, Unix milliseconds.
    due_ms: u64,
    claim: Option<Lease>,
}

#[derive(Clone, Copy)]
struct Lease {
    token: u64,
    ends_ms: u64,
}

impl Conversation {
    fn lease(&self, now: u64) -> Option<Lease> {
        self.claim.filter(|lease| lease.ends_ms > now)
    }
}

impl Outbox {
    fn waiting(&self) -> usize {
        self.conversations.values().map(|it| it.events.len()).sum()
    }

    fn claimed(&self, now: u64) -> usize {
        let claimed = self.conversations.values();
        claimed.filter(|it| it.lease(now).is_some()).count()
    }

    fn has(&self, event: &Waiting) -> bool {
        let conversation = self.conversations.get(&event.conversation);
        conversation.is_some_and(|it| it.events.contains_key(&place(event.entry)))
    }

    fn has_any_of(&self, conversation: &str) -> bool {
        let conversation = self.conversations.get(conversation);
        conversation.is_some_and(|it| !it.events.is_empty())
    }

    fn put(&mut self, event: &Waiting, now: u64) {
        let fresh = || Conversation {
            due_ms: now,
            ..Conversation::default()
        };
        let conversation = self.conversations.entry(event.conversation.clone());
        conversation
            .or_insert_with(fresh)
            .events
            .entry(place(event.entry))
            .or_default();
    }

    fn bury(&mut self, letter: DeadLetter) {
        let is_same = |it: &DeadLetter| {
            (&it.event, it.reason, it.tries) == (&letter.event, letter.reason, letter.tries)
        };
        if self.dead.iter().any(is_same) {
            return;
        }
        self.dead.push_back(letter);
        while self.dead.len() > DEAD_LETTERS_MAX {
            self.dead.pop_front();
        }
    }

    /// Takes an event off; whether it waited.
    fn take_off(&mut self, event: &Waiting) -> bool {
        let conversation = self.conversations.get_mut(&event.conversation);
        conversation.is_some_and(|it| it.events.remove(&place(event.entry)).is_some())
    }

    fn token(&self, conversation: &str, now: u64) -> Option<u64> {
        let lease = self.conversations.get(conversation)?.lease(now)?;
        Some(lease.token)
    }

    /// Ends a claim; the conversation is due then, if anything of it waits.
    fn put_back(&mut self, conversation: &str, due_ms: u64) {
        self.is_full = false;
        if !self.has_any_of(conversation) {
            self.conversations.remove(conversation);
        } else if let Some(it) = self.conversations.get_mut(conversation) {
            (it.claim, it.due_ms) = (None, due_ms);
        }
    }

    /// Claims a conversation; lets go of one of which nothing waits.
    fn take(&mut self, conversation: &str, token: u64, ends_ms: u64) -> Option<Claim> {
        if !self.has_any_of(conversation) {
            self.put_back(conversation, 0);
            return None;
        }
        let it = self.conversations.get_mut(conversation)?;
        (it.claim, it.due_ms) = (Some(Lease { token, ends_ms }), ends_ms);
        let (&(ms, n, epoch), &tries) = it.events.first_key_value()?;
        Some(Claim {
            event: Waiting {
                conversation: conversation.to_owned(),
                entry: EntryId { epoch, ms, n },
            },
            tries,
            token,
        })
    }

    fn claim(&mut self, most: usize, token: u64, ends_ms: u64, now: u64) -> Vec<Claim> {
        for it in self.conversations.values_mut() {
            it.claim = it.lease(now);
        }
        if self.paused_until_ms > now {
            return Vec::new();
        }
        let most = if self.streak > 0 { most.min(1) } else { most };
        let due = self.conversations.iter().filter(|(_, it)| it.due_ms <= now);
        let mut due: Vec<(u64, String)> = due.map(|(name, it)| (it.due_ms, name.clone())).collect();
        due.sort();
        let (mut free, mut claims) = (most.saturating_sub(self.claimed(now)), Vec::new());
        let mut due = due.into_iter().peekable();
        while free > 0
            && let Some((_, conversation)) = due.next()
        {
            let claim = self.take(&conversation, token, ends_ms);
            free -= usize::from(claim.is_some());
            claims.extend(claim);
        }
        self.is_full = free == 0 && due.peek().is_some();
        claims
    }

    /// What is next of a conversation whose claim is settled, unless the webhook is to be sent nothing now.
    fn go_on(&mut self, conversation: &str, token: u64, ends_ms: u64, now: u64) -> Option<Claim> {
        if self.paused_until_ms > now || (self.streak > 0 && self.claimed(now) > 1) {
            self.put_back(conversation, now);
            return None;
        }
        self.take(conversation, token, ends_ms)
    }

    fn fail(&mut self, event: &Waiting, waits_ms: u64, pause_ms: u64, streak: u32, now: u64) {
        let conversation = self.conversations.get_mut(&event.conversation);
        if let Some(tries) = conversation.and_then(|it| it.events.get_mut(&place(event.entry))) {
            *tries += 1;
        }
        self.put_back(&event.conversation, now.saturating_add(waits_ms));
        self.streak = streak;
        match (streak, self.failing_since_ms) {
            (0, _) => self.failing_since_ms = 0,
            (_, 0) => self.failing_since_ms = now,
            _ => {}
        }
        if pause_ms > 0 {
            self.paused_until_ms = self.paused_until_ms.max(now.saturating_add(pause_ms));
        }
    }

    fn settle(&mut self, claim: &Claim, settlement: Settlement, ends_ms: u64, now: u64) -> Option<Claim> {
        let (event, name, following) = (&claim.event, &claim.event.conversation, claim.token + 1);
        let token = self.token(name, now);
        if token != Some(claim.token) {
            if matches!(settlement, Settlement::Delivered | Settlement::Dropped) {
                self.take_off(event);
            }
            // Settled already, and the answer was lost.
            if token == Some(following) && !matches!(settlement, Settlement::Failed { .. }) {
                return self.take(name, following, ends_ms);
            }
            if token.is_none() && !self.has_any_of(name) {
                self.put_back(name, now);
            }
            return None;
        }
        match settlement {
            Settlement::Failed {
                conversation_ms,
                webhook_ms,
                streak,
            } => {
                self.fail(event, conversation_ms, webhook_ms, streak, now);
                return None;
            }
            Settlement::Delivered => {
                self.take_off(event);
                // Where it failed so far, more may be claimed at once from here on.
                self.is_full &= self.streak == 0 && self.paused_until_ms == 0;
                (self.streak, self.failing_since_ms, self.paused_until_ms) = (0, 0, 0);
            }
            Settlement::Dropped => drop(self.take_off(event)),
            Settlement::Dead(reason) => {
                if self.take_off(event) {
                    self.bury(dead(event, reason, claim.tries, now));
                }
            }
        }
        self.go_on(name, following, ends_ms, now)
    }

    /// When there is something to do.
    fn due_ms(&self) -> Option<u64> {
        let due = self.conversations.values().map(|it| it.due_ms).min();
        let Some(due) = due else {
            // Then it is seen to that nothing is left of it.
            let is_paused = self.dead.is_empty() && self.paused_until_ms > 0;
            return is_paused.then_some(self.paused_until_ms);
        };
        let claims = self.conversations.values().filter_map(|it| it.claim);
        let lease_ms = claims.map(|lease| lease.ends_ms).min();
        let lease_ms = lease_ms.filter(|_| self.is_full).unwrap_or_default();
        Some(due.max(self.paused_until_ms).max(lease_ms))
    }

    fn is_empty(&self, now: u64) -> bool {
        self.conversations.is_empty() && self.dead.is_empty() && self.paused_until_ms <= now
    }

    fn revive(&mut self, now: u64) -> u64 {
        self.paused_until_ms = 0;
        let (kept, revived): (VecDeque<_>, VecDeque<_>) = std::mem::take(&mut self.dead)
            .into_iter()
            .partition(|letter| letter.reason == DeadReason::Trimmed);
        self.dead = kept;
        let mut count = 0;
        for letter in revived {
            count += u64::from(!self.has(&letter.event));
            self.put(&letter.event, now);
            let conversation = self.conversations.get_mut(&letter.event.conversation);
            conversation.and_then(|it| it.events.insert(place(letter.event.entry), 0));
        }
        count
    }

    fn state(&self, webhook: u64, now: u64) -> OutboxState {
        OutboxState {
            webhook,
            waiting: self.waiting() as u64,
            claimed: self.claimed(now) as u64,
            dead: self.dead.len() as u64,
            streak: self.streak,
            failing_since_ms: self.failing_since_ms,
            paused_until_ms: Some(self.paused_until_ms)
                .filter(|ms| *ms > now)
                .unwrap_or_default(),
        }
    }
}

fn dead(event: &Waiting, reason: DeadReason, tries: u32, now: u64) -> DeadLetter {
    DeadLetter {
        event: event.clone(),
        reason,
        tries,
        dead_ms: now,
    }
}

/// Lets go of an outbox that has nothing any more.
fn let_go(all: &mut BTreeMap<u64, Outbox>, webhook: u64, now: u64) {
    if all.get(&webhook).is_some_and(|outbox| outbox.is_empty(now)) {
        all.remove(&webhook);
    }
}

impl Outboxes {
    /// Takes a conversation out of all outboxes of its tenant.
    pub(super) fn erase(&mut self, key: &ConversationKey, now: u64) {
        let Some(outboxes) = self.tenants.get_mut(&key.tenant) else {
            return;
        };
        for outbox in outboxes.values_mut() {
            if outbox.conversations.remove(&key.conversation).is_some() {
                outbox.is_full = false;
            }
            outbox
                .dead
                .retain(|letter| letter.event.conversation != key.conversation);
        }
        outboxes.retain(|_, outbox| !outbox.is_empty(now));
    }

    fn next_token(&mut self, now: u64) -> u64 {
        // Later ones are greater even where a fail-over forgets the last.
        let at_least = now.saturating_mul(TOKENS_APART);
        self.last_token = at_least.max(self.last_token.saturating_add(TOKENS_APART));
        self.last_token
    }
}

impl MemoryStore {
    fn outboxes<T>(
        &self,
        tenant: &TenantId,
        change: impl FnOnce(&mut BTreeMap<u64, Outbox>, u64, u64) -> T,
    ) -> T {
        let mut state = self.shared.lock();
        let now = self.now();
        let token = state.outboxes.next_token(now);
        let outboxes = state.outboxes.tenants.entry(tenant.clone()).or_default();
        change(outboxes, now, token)
    }

    fn outbox<T>(
        &self,
        tenant: &TenantId,
        webhook: u64,
        change: impl FnOnce(&mut Outbox, u64, u64) -> T,
    ) -> T {
        self.outboxes(tenant, |all, now, token| {
            let answer = change(all.entry(webhook).or_default(), now, token);
            let_go(all, webhook, now);
            answer
        })
    }
}

#[async_trait]
impl OutboxStore for MemoryStore {
    async fn enqueue(
        &self,
        tenant: &TenantId,
        webhook: u64,
        event: &Waiting,
        most: u64,
    ) -> Result<Enqueued, StoreError> {
        Ok(self.outboxes(tenant, |all, now, _| {
            if all.get(&webhook).is_some_and(|outbox| outbox.has(event)) {
                return Enqueued::Waits;
            }
            let unrouted = all.get(&UNROUTED);
            let is_behind = unrouted.is_some_and(|outbox| outbox.has_any_of(&event.conversation));
            let outbox = all.entry(if is_behind { UNROUTED } else { webhook }).or_default();
            if !outbox.has(event) && outbox.waiting() as u64 >= most {
                outbox.bury(dead(event, DeadReason::Full, 0, now));
                return Enqueued::Full;
            }
            outbox.put(event, now);
            Enqueued::Waits
        }))
    }

    async fn due(&self, tenant: &TenantId, limit: usize) -> Result<Due, StoreError> {
        Ok(self.outboxes(tenant, |all, now, _| {
            let when = |(webhook, outbox): (&u64, &Outbox)| Some((outbox.due_ms()?, *webhook));
            let mut soonest: Vec<(u64, u64)> = all.iter().filter_map(when).collect();
            soonest.sort_unstable();
            let due = soonest.iter().take(limit).take_while(|(at_ms, _)| *at_ms <= now);
            let webhooks: Vec<u64> = due.map(|(_, webhook)| *webhook).collect();
            let next = soonest.get(webhooks.len());
            Due {
                next_in_ms: next.map(|(at_ms, _)| at_ms.saturating_sub(now)),
                webhooks,
            }
        }))
    }

    async fn claim(
        &self,
        tenant: &TenantId,
        webhook: u64,
        most: usize,
        lease_ms: u64,
    ) -> Result<Claimed, StoreError> {
        Ok(self.outbox(tenant, webhook, |outbox, now, token| {
            let claims = outbox.claim(most, token, now.saturating_add(lease_ms.max(1)), now);
            let streak = outbox.streak;
            Claimed { claims, streak }
        }))
    }

    async fn settle(
        &self,
        tenant: &TenantId,
        webhook: u64,
        claim: &Claim,
        settlement: Settlement,
        lease_ms: u64,
    ) -> Result<Option<Claim>, StoreError> {
        Ok(self.outbox(tenant, webhook, |outbox, now, _| {
            outbox.settle(claim, settlement, now.saturating_add(lease_ms.max(1)), now)
        }))
    }

    async fn route(&self, tenant: &TenantId, claim: &Claim, to: u64) -> Result<bool, StoreError> {
        let name = &claim.event.conversation;
        Ok(self.outboxes(tenant, |all, now, _| {
            let Some(from) = all.get_mut(&UNROUTED).filter(|_| to != UNROUTED) else {
                return false;
            };
            if from.token(name, now) != Some(claim.token) {
                return false;
            }
            from.is_full = false;
            let Some(moved) = from.conversations.remove(name) else {
                return false;
            };
            let_go(all, UNROUTED, now);
            let outbox = all.entry(to).or_default();
            for (ms, n, epoch) in moved.events.into_keys() {
                let entry = EntryId { epoch, ms, n };
                outbox.put(
                    &Waiting {
                        conversation: name.clone(),
                        entry,
                    },
                    now,
                );
            }
            true
        }))
    }

    async fn outboxes(&self, tenant: &TenantId) -> Result<Vec<OutboxState>, StoreError> {
        Ok(self.outboxes(tenant, |all, now, _| {
            let states = all.iter().map(|(webhook, outbox)| outbox.state(*webhook, now));
            let is_any = |it: &OutboxState| it.waiting + it.dead + it.paused_until_ms > 0;
            states.filter(is_any).collect()
        }))
    }

    async fn dead_letters(
        &self,
        tenant: &TenantId,
        webhook: u64,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, StoreError> {
        Ok(self.outboxes(tenant, |all, _, _| {
            let letters = all.get(&webhook).map(|outbox| outbox.dead.iter().rev());
            letters.into_iter().flatten().take(limit).cloned().collect()
        }))
    }

    async fn revive(&self, tenant: &TenantId, webhook: u64) -> Result<u64, StoreError> {
        Ok(self.outbox(tenant, webhook, |outbox, now, _| outbox.revive(now)))
    }

    async fn discard(&self, tenant: &TenantId, webhook: u64) -> Result<u64, StoreError> {
        Ok(self.outboxes(tenant, |all, _, _| {
            all.remove(&webhook).map_or(0, |outbox| outbox.waiting() as u64)
        }))
    }
}
