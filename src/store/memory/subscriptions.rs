//! Named subscriptions: definitions, slots and members.

use std::{
    collections::{BTreeMap, HashMap},
    ops::Bound,
};

use async_trait::async_trait;
use bytes::Bytes;

use super::{MemoryStore, shelf::Shelf};
use crate::{
    event::TenantId,
    store::{
        StoreError,
        subscription::{
            Committed, Defined, Enrolled, GONE_MS, MEMBERS_MAX, Member, Roster, SUBSCRIPTIONS_MAX, Slot,
            SlotAnswer, SlotOp, Slots, SubscriptionKey, SubscriptionStore, is_lease_over,
        },
    },
};

/// All subscriptions.
#[derive(Clone, Default)]
pub(super) struct Subscriptions {
    definitions: HashMap<TenantId, BTreeMap<String, Bytes>>,
    slots: HashMap<(SubscriptionKey, Slots), BTreeMap<u16, Slot>>,
    members: HashMap<SubscriptionKey, Shelf<String, Member>>,
    gone: Shelf<SubscriptionKey, ()>,
}

impl Subscriptions {
    pub(super) fn sweep(&mut self, now: u64) {
        self.gone.sweep(now);
        for members in self.members.values_mut() {
            members.sweep(now);
        }
    }

    fn is_gone(&self, key: &SubscriptionKey, now: u64) -> bool {
        self.gone.get(key, now).is_some()
    }

    fn undefine(&mut self, key: &SubscriptionKey, definition: &Bytes, now: u64) -> bool {
        let known = self.definitions.get_mut(&key.tenant);
        let was = known.is_some_and(|known| {
            let was = known.get(&key.name) == Some(definition);
            if was {
                known.remove(&key.name);
            }
            was
        });
        self.slots.retain(|(of, _), _| of != key);
        self.members.remove(key);
        self.gone.put(key.clone(), (), now + GONE_MS);
        was
    }

    fn roster(&self, key: &SubscriptionKey, now: u64) -> Roster {
        let known = self.members.get(key);
        let mut members: Vec<Member> = known
            .into_iter()
            .flat_map(Shelf::all)
            .filter(|(_, ends, _)| !is_lease_over(*ends, now))
            .map(|(.., member)| member.clone())
            .collect();
        members.sort_by(|a, b| (a.since_ms, &a.id).cmp(&(b.since_ms, &b.id)));
        Roster { now_ms: now, members }
    }

    fn enrol(
        &mut self,
        key: &SubscriptionKey,
        member: &Member,
        oldest_age_ms: Option<u64>,
        lease_ms: u64,
        now: u64,
    ) -> Enrolled {
        if self.is_gone(key, now) {
            return Enrolled::Gone;
        }
        let members = self.members.entry(key.clone()).or_default();
        let others = members
            .all()
            .filter(|(id, ends, _)| **id != member.id && !is_lease_over(*ends, now))
            .count();
        if others >= MEMBERS_MAX {
            return Enrolled::Full;
        }
        let member = Member {
            since_ms: members.get(&member.id, now).map_or(now, |known| known.since_ms),
            oldest_ms: oldest_age_ms.map_or(0, |age| now.saturating_sub(age)),
            ..member.clone()
        };
        members.put(member.id.clone(), member, now + lease_ms);
        Enrolled::Member(self.roster(key, now))
    }
}

#[async_trait]
impl SubscriptionStore for MemoryStore {
    async fn define(&self, tenant: &TenantId, name: &str, definition: &Bytes) -> Result<Defined, StoreError> {
        let mut state = self.shared.lock();
        let known = state.subscriptions.definitions.entry(tenant.clone()).or_default();
        if let Some(known) = known.get(name) {
            return Ok(Defined::Exists(known.clone()));
        }
        if known.len() >= SUBSCRIPTIONS_MAX {
            return Ok(Defined::Full);
        }
        known.insert(name.to_owned(), definition.clone());
        Ok(Defined::New)
    }

    async fn definition(&self, tenant: &TenantId, name: &str) -> Result<Option<Bytes>, StoreError> {
        let state = self.shared.lock();
        let known = state.subscriptions.definitions.get(tenant);
        Ok(known.and_then(|known| known.get(name)).cloned())
    }

    async fn definitions(
        &self,
        tenant: &TenantId,
        behind: &str,
        limit: usize,
    ) -> Result<Vec<(String, Bytes)>, StoreError> {
        let state = self.shared.lock();
        let known = state.subscriptions.definitions.get(tenant);
        let from = (Bound::Excluded(behind), Bound::Unbounded);
        let behind = known
            .into_iter()
            .flat_map(|known| known.range::<str, _>(from))
            .take(limit);
        Ok(behind
            .map(|(name, definition)| (name.clone(), definition.clone()))
            .collect())
    }

    async fn undefine(&self, key: &SubscriptionKey, definition: &Bytes) -> Result<bool, StoreError> {
        Ok(self
            .shared
            .lock()
            .subscriptions
            .undefine(key, definition, self.now()))
    }

    async fn slots(
        &self,
        key: &SubscriptionKey,
        slots: Slots,
        member: &str,
        lease_ms: u64,
        ops: &[(u16, SlotOp)],
    ) -> Result<Option<Vec<SlotAnswer>>, StoreError> {
        let mut state = self.shared.lock();
        let now = self.now();
        if state.subscriptions.is_gone(key, now) {
            return Ok(None);
        }
        let slots = state.subscriptions.slots.entry((key.clone(), slots)).or_default();
        let answers = ops.iter().map(|(number, op)| match op {
            SlotOp::Take | SlotOp::TakeOver => {
                slots.entry(*number).or_default().apply(op, member, lease_ms, now)
            }
            _ => match slots.get_mut(number) {
                Some(slot) => slot.apply(op, member, lease_ms, now),
                None => SlotAnswer::Busy,
            },
        });
        Ok(Some(answers.collect()))
    }

    async fn read_slots(&self, key: &SubscriptionKey, slots: Slots) -> Result<Vec<(u16, Slot)>, StoreError> {
        let state = self.shared.lock();
        let known = state.subscriptions.slots.get(&(key.clone(), slots));
        Ok(known
            .into_iter()
            .flatten()
            .map(|(number, slot)| (*number, slot.clone()))
            .collect())
    }

    async fn commit(
        &self,
        key: &SubscriptionKey,
        slots: Slots,
        slot: u16,
        generation: u64,
        seq: u64,
        position: &Bytes,
    ) -> Result<Committed, StoreError> {
        let mut state = self.shared.lock();
        let known = state.subscriptions.slots.get_mut(&(key.clone(), slots));
        Ok(known
            .and_then(|slots| slots.get_mut(&slot))
            .map_or(Committed::Unknown, |slot| {
                slot.commit(generation, seq, position, self.now())
            }))
    }

    async fn enrol(
        &self,
        key: &SubscriptionKey,
        member: &Member,
        oldest_age_ms: Option<u64>,
        lease_ms: u64,
    ) -> Result<Enrolled, StoreError> {
        let mut state = self.shared.lock();
        Ok(state
            .subscriptions
            .enrol(key, member, oldest_age_ms, lease_ms, self.now()))
    }

    async fn strike(&self, key: &SubscriptionKey, member: &str) -> Result<(), StoreError> {
        let mut state = self.shared.lock();
        if let Some(members) = state.subscriptions.members.get_mut(key) {
            members.remove(&member.to_owned());
        }
        Ok(())
    }

    async fn roster(&self, key: &SubscriptionKey) -> Result<Roster, StoreError> {
        Ok(self.shared.lock().subscriptions.roster(key, self.now()))
    }
}
