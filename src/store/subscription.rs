//! What a store keeps of named subscriptions: definitions, who their members are, and *slots*.
//!
//! A slot is a place in the log with an owner: a durable subscription has one, a shared one has one for each share. Who takes
//! a slot gets a new generation, and only a commit of the slot's generation moves its place: so a member that lost a slot
//! and does not know it yet does no harm. The store's own clock judges leases.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;

use super::StoreError;
use crate::event::TenantId;

/// What keeps subscriptions, for anybody to share.
pub type SharedSubscriptions = Arc<dyn SubscriptionStore>;

/// The most subscriptions of a tenant.
pub const SUBSCRIPTIONS_MAX: usize = 1000;

/// The most members of a subscription: each has at least one share then.
pub const MEMBERS_MAX: usize = super::partition::SHARES as usize;

/// The longest lease, in milliseconds.
pub const LEASE_MAX_MS: u64 = 600_000;

/// How far ahead a lease may end. One that seems to end later was given before the store's clock stepped back, and is over:
/// a dead member would keep its shares until that time comes again. More than the longest lease, so that a clock that is put
/// right by less than a minute takes nothing from anybody.
pub const LEASE_END_MAX_MS: u64 = LEASE_MAX_MS + 60_000;

/// For how long a deleted subscription is known to be gone, in milliseconds: longer than any lease, so that no stream of it
/// makes its slots anew.
pub const GONE_MS: u64 = 3_600_000;

/// A subscription, told from another one that had its name before.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SubscriptionKey {
    /// The tenant.
    pub tenant: TenantId,
    /// Its name.
    pub name: String,
    /// Drawn when it was created.
    pub uid: u64,
}

/// What became of a definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Defined {
    /// It is kept.
    New,
    /// There is one of this name: what is kept of it.
    Exists(Bytes),
    /// The tenant has [`SUBSCRIPTIONS_MAX`].
    Full,
}

/// Which slots of a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Slots {
    /// The only one of a durable subscription, number 0.
    Durable,
    /// Those of a shared subscription's shares that lie in this partition, by the number of the share.
    Shares(u16),
}

/// A place in the log with an owner. A slot that nobody took yet is the default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Slot {
    /// The member that has it; empty: nobody.
    pub owner: String,
    /// Grows with each owner.
    pub generation: u64,
    /// Until when it is the owner's, Unix milliseconds of the store's clock.
    pub leased_until_ms: u64,
    /// Number of the delivery up to which was committed; the deliveries of each generation count from 1.
    pub seq: u64,
    /// The place, as an encoded cursor; empty: where the subscription starts.
    pub position: Bytes,
    /// When a member last committed, Unix milliseconds of the store's clock; 0: never.
    pub committed_ms: u64,
}

/// What a member does with a slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SlotOp {
    /// Keeps it for another lease.
    Hold {
        /// Generation under which it is held.
        generation: u64,
    },
    /// Takes it if it is free: nobody has it, or its lease is over.
    Take,
    /// Takes it, whoever has it.
    TakeOver,
    /// Gives it back.
    Release {
        /// Generation under which it is held.
        generation: u64,
    },
    /// Gives it back under whatever generation: the answer to a [`SlotOp::Take`] was lost.
    Leave,
    /// Moves its place, where nothing was delivered on the way that is not committed.
    Advance {
        /// Generation under which it is held.
        generation: u64,
        /// Number of the place.
        seq: u64,
        /// The place, as an encoded cursor.
        position: Bytes,
    },
}

/// What became of that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SlotAnswer {
    /// Held, given back or moved. The number up to which was committed.
    Done(u64),
    /// Taken, under a new generation.
    Taken {
        /// The generation.
        generation: u64,
        /// The place; empty: where the subscription starts.
        position: Bytes,
    },
    /// Another has it. To one who wanted to keep it: it is lost.
    Busy,
}

/// A member.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Member {
    /// Its identifier: visible ASCII characters without a colon.
    pub id: String,
    /// What the client calls it.
    pub name: String,
    /// Since when, Unix milliseconds of the store's clock; set by the store.
    pub since_ms: u64,
    /// How many shares it holds.
    pub shares: u16,
    /// Since when it has kept its oldest event that is not committed, Unix milliseconds of the store's clock; 0: there is none.
    pub oldest_ms: u64,
}

/// The members that are alive, the oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Roster {
    /// The store's time, Unix milliseconds.
    pub now_ms: u64,
    /// The members.
    pub members: Vec<Member>,
}

/// Whether a member is on the roster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Enrolled {
    /// It is, with these.
    Member(Roster),
    /// There are [`MEMBERS_MAX`] others.
    Full,
    /// The subscription was deleted.
    Gone,
}

/// What became of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Committed {
    /// The place moved.
    Moved,
    /// As much was committed before.
    Before,
    /// The slot has another generation by now.
    Superseded,
    /// There is no such slot.
    Unknown,
}

/// Keeps named subscriptions. Every method may be repeated after [`StoreError::Unavailable`].
#[async_trait]
pub trait SubscriptionStore: Send + Sync + 'static {
    /// Keeps a definition under a name that is free.
    async fn define(&self, tenant: &TenantId, name: &str, definition: &Bytes) -> Result<Defined, StoreError>;

    /// A definition.
    async fn definition(&self, tenant: &TenantId, name: &str) -> Result<Option<Bytes>, StoreError>;

    /// A tenant's definitions behind a name, in the order of their names, at most `limit`.
    async fn definitions(
        &self,
        tenant: &TenantId,
        behind: &str,
        limit: usize,
    ) -> Result<Vec<(String, Bytes)>, StoreError>;

    /// Deletes all that is kept of a subscription, and then its definition, if this is it; whether it was. In this order, so
    /// that what was cut off in the middle can be repeated.
    async fn undefine(&self, key: &SubscriptionKey, definition: &Bytes) -> Result<bool, StoreError>;

    /// Does what a member wants with slots, in this order, all at one instant. `None`: the subscription was deleted.
    async fn slots(
        &self,
        key: &SubscriptionKey,
        slots: Slots,
        member: &str,
        lease_ms: u64,
        ops: &[(u16, SlotOp)],
    ) -> Result<Option<Vec<SlotAnswer>>, StoreError>;

    /// The slots that were ever taken, by number.
    async fn read_slots(&self, key: &SubscriptionKey, slots: Slots) -> Result<Vec<(u16, Slot)>, StoreError>;

    /// Moves a slot's place, unless it has another generation or is as far.
    async fn commit(
        &self,
        key: &SubscriptionKey,
        slots: Slots,
        slot: u16,
        generation: u64,
        seq: u64,
        position: &Bytes,
    ) -> Result<Committed, StoreError>;

    /// Puts a member on the roster for as long as a lease, or keeps it there. `oldest_age_ms`: for how long it has kept its
    /// oldest event that is not committed.
    async fn enrol(
        &self,
        key: &SubscriptionKey,
        member: &Member,
        oldest_age_ms: Option<u64>,
        lease_ms: u64,
    ) -> Result<Enrolled, StoreError>;

    /// Takes a member from the roster.
    async fn strike(&self, key: &SubscriptionKey, member: &str) -> Result<(), StoreError>;

    /// The roster.
    async fn roster(&self, key: &SubscriptionKey) -> Result<Roster, StoreError>;
}

/// Whether a lease is over that ends then, by the store's clock. `slots.lua` and `members.lua` do the same.
pub(super) fn is_lease_over(ends_ms: u64, now: u64) -> bool {
    ends_ms <= now || ends_ms > now.saturating_add(LEASE_END_MAX_MS)
}

impl Slot {
    /// Does what a member wants; `slots.lua` does the same, and one suite holds both to it.
    pub(super) fn apply(&mut self, op: &SlotOp, member: &str, lease_ms: u64, now: u64) -> SlotAnswer {
        let held = |slot: &Self, generation: u64| slot.owner == member && slot.generation == generation;
        match op {
            SlotOp::Hold { generation } if held(self, *generation) => {
                self.leased_until_ms = now + lease_ms;
                SlotAnswer::Done(self.seq)
            }
            SlotOp::Release { generation } if held(self, *generation) => {
                self.owner.clear();
                SlotAnswer::Done(self.seq)
            }
            SlotOp::Advance {
                generation,
                seq,
                position,
            } if held(self, *generation) => {
                if *seq > self.seq {
                    self.seq = *seq;
                    self.position = position.clone();
                }
                SlotAnswer::Done(self.seq)
            }
            SlotOp::Leave if self.owner == member => {
                self.owner.clear();
                SlotAnswer::Done(self.seq)
            }
            SlotOp::Take
                if !self.owner.is_empty()
                    && self.owner != member
                    && !is_lease_over(self.leased_until_ms, now) =>
            {
                SlotAnswer::Busy
            }
            SlotOp::Take | SlotOp::TakeOver => {
                // Never a number that was given before a fail-over lost it: time has passed since.
                self.generation = (self.generation + 1).max(now);
                self.owner = member.to_owned();
                self.leased_until_ms = now + lease_ms;
                self.seq = 0;
                SlotAnswer::Taken {
                    generation: self.generation,
                    position: self.position.clone(),
                }
            }
            SlotOp::Hold { .. } | SlotOp::Release { .. } | SlotOp::Leave | SlotOp::Advance { .. } => {
                SlotAnswer::Busy
            }
        }
    }

    /// Moves the place; `commit.lua` does the same.
    pub(super) fn commit(&mut self, generation: u64, seq: u64, position: &Bytes, now: u64) -> Committed {
        if self.generation != generation {
            return Committed::Superseded;
        }
        if seq <= self.seq {
            return Committed::Before;
        }
        self.seq = seq;
        self.position = position.clone();
        self.committed_ms = now;
        Committed::Moved
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(slot: &mut Slot, member: &str, now: u64) -> bool {
        let answer = slot.apply(&SlotOp::Take, member, LEASE_MAX_MS, now);
        matches!(answer, SlotAnswer::Taken { .. })
    }

    #[test]
    fn a_clock_that_steps_back_does_not_lengthen_a_lease() {
        let now = 10_000_000;
        let mut slot = Slot::default();
        assert!(taken(&mut slot, "dead", now));
        assert!(!taken(&mut slot, "other", now));
        assert!(!taken(&mut slot, "other", now - 60_000), "put right by a little");
        assert!(taken(&mut slot, "other", now - 60_001));
    }

    #[test]
    fn who_never_heard_its_generation_can_give_back_what_is_its_own() {
        let mut slot = Slot::default();
        assert!(taken(&mut slot, "a", 1000));
        assert_eq!(slot.apply(&SlotOp::Leave, "b", 1, 1000), SlotAnswer::Busy);
        assert!(!taken(&mut slot, "b", 1001));
        assert_eq!(slot.apply(&SlotOp::Leave, "a", 1, 1000), SlotAnswer::Done(0));
        assert!(taken(&mut slot, "b", 1001));
    }
}
