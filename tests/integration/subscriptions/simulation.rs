//! Members that come, go, die with their replica, and commit late or never, over either store. Whatever happens:
//!
//! - an event is delivered until somebody has committed it, and not to a later owner afterwards;
//! - the events of a conversation come in order to whoever holds its share;
//! - a share is one member's at a time by the store's clock.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use chatbridge::{
    error::Error,
    event::TenantId,
    fanout::{Delivery, GapPolicy, Hub},
    grpc::proto::AgentEvent,
    store::{
        Cursor, StoreError,
        subscription::{
            Committed, Defined, Enrolled, Member, Roster, Slot, SlotAnswer, SlotOp, Slots, SubscriptionKey,
            SubscriptionStore,
        },
    },
    subscription::{Ended, Kind as Type, SubscriptionStream, Subscriptions, Told},
};
use prost::Message as _;
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use rstest::rstest;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::gaps::{definition, reading};
use crate::store::fixture::{Fixture, Kind, conversation, event, eventually, tenant};

const LEASE_MS: u64 = 1_000;
const CONVERSATIONS: usize = 24;

/// A share, and a generation of its owners.
type Tenure = (u16, u64);

/// What was seen.
#[derive(Default)]
struct Ledger {
    /// By tenure: deliveries in their order, as number, conversation, sequence and member.
    delivered: BTreeMap<Tenure, Vec<(u64, String, u64, u64)>>,
    /// By tenure: the number up to which somebody set out to commit. Who is cut off then does not hear that it was done.
    tried: BTreeMap<Tenure, u64>,
    /// By tenure: the number up to which was committed.
    committed: BTreeMap<Tenure, u64>,
    /// Of each conversation: how many events it has.
    appended: HashMap<String, u64>,
    /// By share: the last owner, its generation, and until when its lease lasts at the least, Unix ms.
    leases: HashMap<u16, (String, u64, u64)>,
    /// What must not happen.
    wrong: Vec<String>,
    doubled: usize,
}

/// A replica's way to the store, which may be cut as when the replica dies.
struct Door {
    store: Arc<dyn SubscriptionStore>,
    clock: Arc<dyn chatbridge::store::Store>,
    ledger: Arc<Mutex<Ledger>>,
    is_cut: AtomicBool,
}

impl Door {
    fn check(&self) -> Result<(), StoreError> {
        if self.is_cut.load(Ordering::SeqCst) {
            return Err(StoreError::Unavailable("the replica is dead".into()));
        }
        Ok(())
    }

    /// Notes what is about to be given back: whoever takes it next may hear of that earlier.
    fn note_release(&self, (share, op): &(u16, SlotOp)) {
        let mut ledger = self.ledger.lock().unwrap();
        if let SlotOp::Release { generation } = op
            && ledger
                .leases
                .get(share)
                .is_some_and(|(_, known, _)| known == generation)
        {
            ledger.leases.insert(*share, (String::new(), *generation, 0));
        }
    }

    /// Notes what became of wishes that were made at `before` or later and answered at `after`.
    fn note(&self, member: &str, op: &(u16, SlotOp), answer: &SlotAnswer, before: u64, after: u64) {
        let mut ledger = self.ledger.lock().unwrap();
        let (share, op) = op;
        let known = ledger.leases.get(share).cloned();
        match (op, answer) {
            (SlotOp::Take, SlotAnswer::Taken { generation, .. }) => {
                if let Some((owner, known, until)) = known
                    && *generation > known
                {
                    // At the time of the taking, which is no later than `after`, the former lease must have been over.
                    if !owner.is_empty() && owner != member && after < until {
                        ledger
                            .wrong
                            .push(format!("share {share} was taken {} ms too early", until - after));
                    }
                    if owner == member && *generation == known {
                        ledger.wrong.push(format!("share {share} has no new generation"));
                    }
                }
                ledger
                    .leases
                    .insert(*share, (member.to_owned(), *generation, before + LEASE_MS));
            }
            (SlotOp::Hold { generation }, SlotAnswer::Done(_)) => {
                let until = before + LEASE_MS;
                match known {
                    Some((_, known, _)) if known > *generation => {}
                    _ => {
                        ledger
                            .leases
                            .insert(*share, (member.to_owned(), *generation, until));
                    }
                }
            }
            _ => {}
        }
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
        let before = self.clock.now_ms().await?;
        for op in ops {
            self.note_release(op);
        }
        let answers = self.store.slots(key, slots, member, lease_ms, ops).await?;
        let after = self.clock.now_ms().await?;
        for (op, answer) in ops.iter().zip(answers.iter().flatten()) {
            self.note(member, op, answer, before, after);
        }
        Ok(answers)
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
        self.store
            .commit(key, slots, slot, generation, seq, position)
            .await
    }

    async fn enrol(
        &self,
        key: &SubscriptionKey,
        member: &Member,
        oldest_age_ms: Option<u64>,
        lease_ms: u64,
    ) -> Result<Enrolled, StoreError> {
        self.check()?;
        self.store.enrol(key, member, oldest_age_ms, lease_ms).await
    }

    async fn strike(&self, key: &SubscriptionKey, member: &str) -> Result<(), StoreError> {
        self.check()?;
        self.store.strike(key, member).await
    }

    async fn roster(&self, key: &SubscriptionKey) -> Result<Roster, StoreError> {
        self.store.roster(key).await
    }
}

/// A replica.
struct Replica {
    door: Arc<Door>,
    subscriptions: Subscriptions,
    stop: CancellationToken,
    members: Vec<JoinHandle<()>>,
}

impl Replica {
    fn new(f: &Fixture, ledger: &Arc<Mutex<Ledger>>) -> Self {
        let hub = Hub::new(f.store.clone());
        let stop = CancellationToken::new();
        tokio::spawn(Arc::clone(&hub).run(stop.clone()));
        let door = Arc::new(Door {
            store: f.subscriptions.clone(),
            clock: f.store.clone(),
            ledger: Arc::clone(ledger),
            is_cut: AtomicBool::new(false),
        });
        let subscriptions = Subscriptions::new(hub, door.clone());
        Self {
            door,
            subscriptions,
            stop,
            members: Vec::new(),
        }
    }

    /// Dies: its members can give nothing back.
    fn die(&mut self) {
        self.door.is_cut.store(true, Ordering::SeqCst);
        for member in self.members.drain(..) {
            member.abort();
        }
        self.stop.cancel();
    }

    fn join(&mut self, ledger: &Arc<Mutex<Ledger>>, habit: Habit, seed: u64) {
        let (subscriptions, ledger) = (self.subscriptions.clone(), Arc::clone(ledger));
        self.members.push(tokio::spawn(async move {
            let mut random = StdRng::seed_from_u64(seed);
            loop {
                let opened = subscriptions.open(&tenant(), "s", reading(GapPolicy::Fail)).await;
                match opened {
                    Ok(stream) => be_member(stream, &subscriptions, &ledger, habit, &mut random).await,
                    Err(Error::StoreUnavailable) => tokio::time::sleep(Duration::from_millis(50)).await,
                    Err(error) => panic!("{error:?}"),
                }
            }
        }));
    }
}

/// How a member commits.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Habit {
    AtOnce,
    Late,
    Never,
}

static NEXT_MEMBER: AtomicU64 = AtomicU64::new(0);

/// Reads until the stream is over.
async fn be_member(
    mut stream: SubscriptionStream,
    subscriptions: &Subscriptions,
    ledger: &Arc<Mutex<Ledger>>,
    habit: Habit,
    random: &mut StdRng,
) {
    let member = NEXT_MEMBER.fetch_add(1, Ordering::Relaxed);
    loop {
        let entry = match stream.next().await {
            Ok(Told::Delivery(Delivery::Entry(entry))) => entry,
            Ok(Told::Delivery(Delivery::Gap(gap, _))) => {
                ledger.lock().unwrap().wrong.push(format!("{gap:?}"));
                continue;
            }
            Ok(Told::Delivery(other)) => panic!("{other:?}"),
            Ok(Told::Ended(Ended::TooSlow)) => return,
            Ok(Told::Ended(other)) => panic!("{other:?}"),
            Err(Error::StoreUnavailable) => return,
            Err(error) => panic!("{error:?}"),
        };
        let cursor = stream.cursor();
        let mark = Cursor::decode_marked(&cursor).unwrap().1.unwrap();
        let tenure = (mark.share.unwrap(), mark.generation);
        let event = AgentEvent::decode(entry.event.clone()).unwrap();
        let delivery = (mark.seq, event.conversation_id, event.sequence, member);
        ledger
            .lock()
            .unwrap()
            .delivered
            .entry(tenure)
            .or_default()
            .push(delivery);
        if habit == Habit::Never {
            continue;
        }
        if habit == Habit::Late && random.random_bool(0.1) {
            tokio::time::sleep(Duration::from_millis(random.random_range(0..400))).await;
        }
        {
            let mut ledger = ledger.lock().unwrap();
            let known = ledger.tried.entry(tenure).or_default();
            *known = mark.seq.max(*known);
        }
        match subscriptions.commit(&tenant(), "s", &cursor).await {
            Ok(_) => {
                let mut ledger = ledger.lock().unwrap();
                let known = ledger.committed.entry(tenure).or_default();
                *known = mark.seq.max(*known);
            }
            Err(Error::CursorSuperseded | Error::StoreUnavailable) => {}
            Err(error) => panic!("{error:?}"),
        }
    }
}

impl Ledger {
    /// Events that nobody has committed yet, by conversation.
    fn open(&self) -> HashMap<String, u64> {
        let mut done: HashMap<&str, u64> = HashMap::new();
        for (tenure, delivered) in &self.delivered {
            let upto = self.committed.get(tenure).copied().unwrap_or(0);
            for (_, conversation, sequence, _) in delivered.iter().filter(|(seq, ..)| *seq <= upto) {
                let last = done.entry(conversation).or_default();
                *last = (*last).max(*sequence);
            }
        }
        let open = self.appended.iter().filter_map(|(conversation, count)| {
            let left = count - done.get(conversation.as_str()).copied().unwrap_or(0).min(*count);
            (left > 0).then(|| (conversation.clone(), left))
        });
        open.collect()
    }

    fn check(&mut self) {
        // What was committed for certain, and what may have been.
        let mut done: HashMap<String, (u64, u64)> = HashMap::new();
        let mut furthest: HashMap<String, u64> = HashMap::new();
        // Generations of a share are numbered in the order of its owners.
        for (tenure, delivered) in &self.delivered {
            let upto = self.committed.get(tenure).copied().unwrap_or(0);
            let mut last: HashMap<&str, u64> = HashMap::new();
            let owner = delivered.first().map(|(.., member)| *member);
            for (_, conversation, sequence, member) in delivered {
                if Some(*member) != owner {
                    self.wrong.push(format!("{tenure:?} went to two members"));
                }
                let (committed, tried) = done.get(conversation).copied().unwrap_or_default();
                let expected = match last.get(conversation.as_str()) {
                    Some(last) => last + 1..=last + 1,
                    None => committed + 1..=tried.max(committed) + 1,
                };
                if !expected.contains(sequence) {
                    self.wrong.push(format!(
                        "{tenure:?} {conversation}: {sequence} came, not {expected:?}"
                    ));
                }
                last.insert(conversation, *sequence);
                let far = furthest.entry(conversation.clone()).or_default();
                self.doubled += usize::from(*sequence <= *far);
                *far = (*far).max(*sequence);
            }
            let tried = self.tried.get(tenure).copied().unwrap_or(0);
            for (seq, conversation, sequence, _) in delivered.iter().filter(|(seq, ..)| *seq <= tried) {
                let of = done.entry(conversation.clone()).or_default();
                of.1 = *sequence;
                if *seq <= upto {
                    of.0 = *sequence;
                }
            }
        }
        assert!(
            self.wrong.is_empty(),
            "{:#?}",
            &self.wrong[..self.wrong.len().min(20)]
        );
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_happens_nothing_is_lost_and_nobody_gets_what_is_anothers(
    #[values(Kind::Memory, Kind::Redis)] kind: Kind,
    #[values(1, 2)] seed: u64,
) {
    let f = Fixture::new(kind).await;
    let ledger = Arc::<Mutex<Ledger>>::default();
    let mut random = StdRng::seed_from_u64(seed);
    let mut replicas = [Replica::new(&f, &ledger), Replica::new(&f, &ledger)];
    let shared = definition(Type::Shared, LEASE_MS);
    replicas[0]
        .subscriptions
        .create(&tenant(), "s", shared)
        .await
        .unwrap();

    let mut events = 0_u64;
    let mut deaths = 0;
    for step in 0..60 {
        for _ in 0..random.random_range(1..30) {
            let name = format!("c{}", random.random_range(0..CONVERSATIONS));
            events += 1;
            f.append(&event(&conversation(&name), &format!("e{events}")))
                .await;
            *ledger.lock().unwrap().appended.entry(name).or_default() += 1;
        }
        let replica = random.random_range(0..replicas.len());
        let habit = match random.random_range(0..10) {
            0 => Habit::Never,
            1..5 => Habit::Late,
            _ => Habit::AtOnce,
        };
        match random.random_range(0..10) {
            0..4 if replicas[replica].members.len() < 4 => {
                replicas[replica].join(&ledger, habit, random.random());
            }
            4..6 if !replicas[replica].members.is_empty() => {
                let which = random.random_range(0..replicas[replica].members.len());
                replicas[replica].members.swap_remove(which).abort();
            }
            6 if step % 7 == 0 || deaths < 2 => {
                replicas[replica].die();
                replicas[replica] = Replica::new(&f, &ledger);
                deaths += 1;
            }
            _ => {}
        }
        tokio::time::sleep(Duration::from_millis(random.random_range(0..200))).await;
    }
    // Those who never commit go; somebody who does is there.
    for replica in &mut replicas {
        for member in replica.members.drain(..) {
            member.abort();
        }
        replica.join(&ledger, Habit::AtOnce, 0);
    }
    eventually("all events are committed", async || {
        ledger.lock().unwrap().open().is_empty().then_some(())
    })
    .await;
    let mut ledger = ledger.lock().unwrap();
    ledger.check();
    assert!(deaths > 0 && ledger.doubled > 0, "too little happened");
    let tenures = ledger.delivered.len();
    assert!(tenures > CONVERSATIONS, "shares changed hands: {tenures}");
}
