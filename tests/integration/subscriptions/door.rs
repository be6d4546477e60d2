//! A replica's way to the store of subscriptions, on which much may go wrong.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use chatbridge::{
    event::TenantId,
    store::{
        StoreError,
        subscription::{
            Committed, Defined, Enrolled, Member, Roster, Slot, SlotAnswer, SlotOp, Slots, SubscriptionKey,
            SubscriptionStore,
        },
    },
};

/// What goes wrong with everything, until it is set right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    None,
    /// Nothing gets through.
    Cut,
    /// The store does what slots are asked for, and the answer is lost.
    LoseSlots,
    /// The store enrols, and the answer is lost.
    LoseEnrol,
    /// The store does what slots are asked for, and the answer takes very long.
    HoldSlots,
    /// The roster is full.
    Full,
    /// Whoever asks for slots dies of it.
    Panic,
    /// A planted mistake: who is cut off is told that its leases go on, and that its commits were taken.
    Pretend,
    /// A planted mistake: a commit of an old generation is accepted.
    TakeOldCommits,
}

/// Sees what is asked and answered.
pub(super) trait Witness: Send + Sync {
    /// The store's time, Unix milliseconds, is asked before and after.
    fn asks(&self, member: &str, op: &(u16, SlotOp));
    fn answered(&self, member: &str, op: &(u16, SlotOp), answer: &SlotAnswer, before: u64, after: u64);
}

pub(super) struct Door {
    store: Arc<dyn SubscriptionStore>,
    clock: Arc<dyn chatbridge::store::Store>,
    witness: Option<Arc<dyn Witness>>,
    fault: Mutex<Fault>,
    is_dead: AtomicBool,
    /// Of a hundred answers, so many are lost by chance.
    loses: AtomicU32,
    /// What each member was answered last.
    rosters: Mutex<HashMap<String, Roster>>,
    pub(super) enrols: AtomicUsize,
    pub(super) asked: AtomicUsize,
}

fn unavailable() -> StoreError {
    StoreError::Unavailable("the door".into())
}

impl Door {
    pub(super) fn new(
        store: Arc<dyn SubscriptionStore>,
        clock: Arc<dyn chatbridge::store::Store>,
        witness: Option<Arc<dyn Witness>>,
    ) -> Arc<Self> {
        Arc::new(Self {
            store,
            clock,
            witness,
            fault: Mutex::new(Fault::None),
            is_dead: AtomicBool::new(false),
            loses: AtomicU32::new(0),
            rosters: Mutex::default(),
            enrols: AtomicUsize::new(0),
            asked: AtomicUsize::new(0),
        })
    }

    pub(super) fn set(&self, fault: Fault) {
        *self.fault.lock().unwrap() = fault;
    }

    /// Nothing gets through any more, whatever is set.
    pub(super) fn die(&self) {
        self.is_dead.store(true, Ordering::SeqCst);
    }

    pub(super) fn lose(&self, percent: u32) {
        self.loses.store(percent, Ordering::SeqCst);
    }

    fn fault(&self) -> Fault {
        if self.is_dead.load(Ordering::SeqCst) {
            return Fault::Cut;
        }
        *self.fault.lock().unwrap()
    }

    fn check(&self) -> Result<(), StoreError> {
        match self.fault() {
            Fault::Cut => Err(unavailable()),
            _ => Ok(()),
        }
    }

    /// After the store did what it was asked.
    fn answer<T>(&self, answer: T) -> Result<T, StoreError> {
        if rand::random_range(0..100) < self.loses.load(Ordering::SeqCst) {
            return Err(unavailable());
        }
        Ok(answer)
    }
}

#[async_trait]
impl SubscriptionStore for Door {
    async fn define(&self, tenant: &TenantId, name: &str, definition: &Bytes) -> Result<Defined, StoreError> {
        self.store.define(tenant, name, definition).await
    }

    async fn definition(&self, tenant: &TenantId, name: &str) -> Result<Option<Bytes>, StoreError> {
        self.check()?;
        self.store.definition(tenant, name).await
    }

    async fn definitions(
        &self,
        tenant: &TenantId,
        behind: &str,
        limit: usize,
    ) -> Result<Vec<(String, Bytes)>, StoreError> {
        self.store.definitions(tenant, behind, limit).await
    }

    async fn undefine(&self, key: &SubscriptionKey, definition: &Bytes) -> Result<bool, StoreError> {
        self.store.undefine(key, definition).await
    }

    async fn slots(
        &self,
        key: &SubscriptionKey,
        slots: Slots,
        member: &str,
        lease_ms: u64,
        ops: &[(u16, SlotOp)],
    ) -> Result<Option<Vec<SlotAnswer>>, StoreError> {
        self.check()?;
        self.asked.fetch_add(1, Ordering::SeqCst);
        match self.fault() {
            Fault::Panic => panic!("as was asked for"),
            Fault::Pretend => {
                let pretended = ops.iter().map(|(_, op)| match op {
                    SlotOp::Hold { .. } => SlotAnswer::Done(0),
                    _ => SlotAnswer::Busy,
                });
                return Ok(Some(pretended.collect()));
            }
            _ => {}
        }
        let before = self.clock.now_ms().await?;
        for op in ops {
            self.witness.iter().for_each(|witness| witness.asks(member, op));
        }
        let answers = self.store.slots(key, slots, member, lease_ms, ops).await?;
        let after = self.clock.now_ms().await?;
        for (op, answer) in ops.iter().zip(answers.iter().flatten()) {
            self.witness
                .iter()
                .for_each(|witness| witness.answered(member, op, answer, before, after));
        }
        while self.fault() == Fault::HoldSlots {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        match self.fault() {
            Fault::LoseSlots => Err(unavailable()),
            _ => self.answer(answers),
        }
    }

    async fn read_slots(&self, key: &SubscriptionKey, slots: Slots) -> Result<Vec<(u16, Slot)>, StoreError> {
        self.store.read_slots(key, slots).await
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
        self.check()?;
        if self.fault() == Fault::Pretend {
            return Ok(Committed::Moved);
        }
        let commit = |generation, seq| self.store.commit(key, slots, slot, generation, seq, position);
        let mut committed = commit(generation, seq).await?;
        if self.fault() == Fault::TakeOldCommits && committed == Committed::Superseded {
            let known = self.store.read_slots(key, slots).await?;
            if let Some((_, known)) = known.iter().find(|(number, _)| *number == slot) {
                committed = commit(known.generation, known.seq + 1).await?;
            }
        }
        self.answer(committed)
    }

    async fn enrol(
        &self,
        key: &SubscriptionKey,
        member: &Member,
        oldest_age_ms: Option<u64>,
        lease_ms: u64,
    ) -> Result<Enrolled, StoreError> {
        self.check()?;
        self.enrols.fetch_add(1, Ordering::SeqCst);
        match self.fault() {
            Fault::Full => return Ok(Enrolled::Full),
            Fault::Pretend => {
                let known = self.rosters.lock().unwrap().get(&member.id).cloned();
                return known.map(Enrolled::Member).ok_or_else(unavailable);
            }
            _ => {}
        }
        let enrolled = self.store.enrol(key, member, oldest_age_ms, lease_ms).await?;
        if let Enrolled::Member(roster) = &enrolled {
            let mut rosters = self.rosters.lock().unwrap();
            rosters.insert(member.id.clone(), roster.clone());
        }
        match self.fault() {
            Fault::LoseEnrol => Err(unavailable()),
            _ => self.answer(enrolled),
        }
    }

    async fn strike(&self, key: &SubscriptionKey, member: &str) -> Result<(), StoreError> {
        self.check()?;
        self.store.strike(key, member).await
    }

    async fn roster(&self, key: &SubscriptionKey) -> Result<Roster, StoreError> {
        self.store.roster(key).await
    }
}
