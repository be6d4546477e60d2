//! Members that come, go, die with their replica, are cut off for a while, do not hear what became of what they asked, and
//! commit late, elsewhere or never, over either store. Whatever happens:
//!
//! - an event is delivered until somebody has committed it, and not to a later owner afterwards;
//! - the events of a conversation come in order to whoever holds its share;
//! - a share is one member's at a time by the store's clock, and is delivered for no longer than its lease.
//!
//! Planted mistakes show that these are looked for.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use chatbridge::{
    error::Error,
    fanout::{Delivery, GapPolicy, Hub},
    grpc::proto::AgentEvent,
    store::{Cursor, Store},
    subscription::{Ended, Kind as Type, SubscriptionStream, Subscriptions, Told},
};
use prost::Message as _;
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng, seq::IndexedRandom as _};
use rstest::rstest;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::{
    door::{Door, Fault},
    gaps::{definition, reading},
    ledger::Ledger,
};
use crate::store::fixture::{Fixture, Kind, conversation, event, eventually, tenant};

pub(super) const LEASE_MS: u64 = 1_000;
const CONVERSATIONS: usize = 24;

/// What all share.
#[derive(Clone)]
struct World {
    ledger: Arc<Mutex<Ledger>>,
    clock: Arc<dyn Store>,
    /// The subscriptions of each replica: commits may go to any.
    replicas: Arc<Mutex<Vec<Subscriptions>>>,
}

/// A replica.
struct Replica {
    door: Arc<Door>,
    subscriptions: Subscriptions,
    stop: CancellationToken,
    members: Vec<JoinHandle<()>>,
}

impl Replica {
    fn new(f: &Fixture, world: &World, number: usize) -> Self {
        let hub = Hub::new(f.store.clone());
        let stop = CancellationToken::new();
        tokio::spawn(Arc::clone(&hub).run(stop.clone()));
        let door = Door::new(
            f.subscriptions.clone(),
            f.store.clone(),
            Some(world.ledger.clone()),
        );
        let subscriptions = Subscriptions::new(hub, door.clone());
        let mut known = world.replicas.lock().unwrap();
        match known.get_mut(number) {
            Some(former) => *former = subscriptions.clone(),
            None => known.push(subscriptions.clone()),
        }
        Self {
            door,
            subscriptions,
            stop,
            members: Vec::new(),
        }
    }

    /// Dies: its members can give nothing back.
    fn die(&mut self) {
        self.door.die();
        for member in self.members.drain(..) {
            member.abort();
        }
        self.stop.cancel();
    }

    /// Is cut off from the store, or worse, and comes back.
    fn suffer(&self, fault: Fault, lasts: Duration) {
        let door = Arc::clone(&self.door);
        door.set(fault);
        tokio::spawn(async move {
            tokio::time::sleep(lasts).await;
            door.set(Fault::None);
        });
    }

    fn join(&mut self, world: &World, habit: Habit, seed: u64) {
        let (subscriptions, world) = (self.subscriptions.clone(), world.clone());
        self.members.push(tokio::spawn(async move {
            let mut random = StdRng::seed_from_u64(seed);
            loop {
                let opened = subscriptions.open(&tenant(), "s", reading(GapPolicy::Fail)).await;
                match opened {
                    Ok(stream) => be_member(stream, &subscriptions, &world, habit, &mut random).await,
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
    /// When its shares are another's by then.
    TooLate,
    /// By another replica as often as by its own.
    Anywhere,
    Never,
}

static NEXT_MEMBER: AtomicU64 = AtomicU64::new(0);

/// Reads until the stream is over.
async fn be_member(
    mut stream: SubscriptionStream,
    subscriptions: &Subscriptions,
    world: &World,
    habit: Habit,
    random: &mut StdRng,
) {
    let member = NEXT_MEMBER.fetch_add(1, Ordering::Relaxed);
    let ledger = || world.ledger.lock().unwrap();
    loop {
        // A lower bound for when it came, so that what is noted late is not called late.
        let asked_ms = world.clock.now_ms().await;
        let entry = match stream.next().await {
            Ok(Told::Delivery(Delivery::Entry(entry))) => entry,
            Ok(Told::Delivery(Delivery::Gap(gap, _))) => {
                ledger().wrong.push(format!("{gap:?}"));
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
        ledger().deliver(tenure, delivery, asked_ms.unwrap());
        if habit == Habit::Never {
            continue;
        }
        if habit == Habit::Late && random.random_bool(0.1) {
            tokio::time::sleep(Duration::from_millis(random.random_range(0..400))).await;
        }
        if habit == Habit::TooLate {
            tokio::time::sleep(Duration::from_millis(random.random_range(1500..2500))).await;
        }
        {
            let mut ledger = ledger();
            let known = ledger.tried.entry(tenure).or_default();
            *known = mark.seq.max(*known);
        }
        let elsewhere = world.replicas.lock().unwrap().choose(random).cloned();
        let with = elsewhere.filter(|_| habit == Habit::Anywhere);
        let with = with.as_ref().unwrap_or(subscriptions);
        match with.commit(&tenant(), "s", &cursor).await {
            Ok(_) => {
                let mut ledger = ledger();
                let known = ledger.committed.entry(tenure).or_default();
                *known = mark.seq.max(*known);
            }
            Err(Error::CursorSuperseded | Error::StoreUnavailable) => {}
            Err(error) => panic!("{error:?}"),
        }
    }
}

/// What a run is like.
struct Run {
    f: Fixture,
    world: World,
    replicas: Vec<Replica>,
    random: StdRng,
    events: u64,
    deaths: usize,
    cuts: usize,
}

impl Run {
    async fn new(kind: Kind, seed: u64) -> Self {
        let f = Fixture::new(kind).await;
        let world = World {
            ledger: Arc::default(),
            clock: f.store.clone(),
            replicas: Arc::default(),
        };
        let replicas: Vec<Replica> = (0..2_usize).map(|n| Replica::new(&f, &world, n)).collect();
        let shared = definition(Type::Shared, LEASE_MS);
        let created = replicas[0].subscriptions.create(&tenant(), "s", shared).await;
        created.unwrap();
        Self {
            f,
            world,
            replicas,
            random: StdRng::seed_from_u64(seed),
            events: 0,
            deaths: 0,
            cuts: 0,
        }
    }

    async fn say(&mut self) {
        for _ in 0..self.random.random_range(1..30) {
            let name = format!("c{}", self.random.random_range(0..CONVERSATIONS));
            self.events += 1;
            let event = event(&conversation(&name), &format!("e{}", self.events));
            self.f.append(&event).await;
            let mut ledger = self.world.ledger.lock().unwrap();
            *ledger.appended.entry(name).or_default() += 1;
        }
    }

    /// Something happens to one of the replicas.
    fn happen(&mut self, step: usize) {
        let number = self.random.random_range(0..self.replicas.len());
        let replica = &mut self.replicas[number];
        let habit = match self.random.random_range(0..12) {
            0 => Habit::Never,
            1 => Habit::TooLate,
            2..4 => Habit::Late,
            4..8 => Habit::Anywhere,
            _ => Habit::AtOnce,
        };
        match self.random.random_range(0..12) {
            0..4 if replica.members.len() < 4 => {
                replica.join(&self.world, habit, self.random.random());
            }
            4..6 if !replica.members.is_empty() => {
                let which = self.random.random_range(0..replica.members.len());
                replica.members.swap_remove(which).abort();
            }
            6 if step.is_multiple_of(7) || self.deaths < 2 => {
                replica.die();
                self.replicas[number] = Replica::new(&self.f, &self.world, number);
                self.deaths += 1;
            }
            7 | 8 => {
                let lasts = Duration::from_millis(self.random.random_range(100..2 * LEASE_MS));
                replica.suffer(Fault::Cut, lasts);
                self.cuts += 1;
            }
            9 => replica.door.lose(self.random.random_range(0..40)),
            _ => {}
        }
    }

    async fn pause(&mut self) {
        tokio::time::sleep(Duration::from_millis(self.random.random_range(0..200))).await;
    }

    /// All is well again, and those who never commit go.
    async fn end_well(&mut self) {
        for (number, replica) in self.replicas.iter_mut().enumerate() {
            for member in replica.members.drain(..) {
                member.abort();
            }
            replica.door.set(Fault::None);
            replica.door.lose(0);
            let habit = [Habit::AtOnce, Habit::Anywhere][number];
            replica.join(&self.world, habit, 0);
        }
        // As the store says: who was cut off, or whose answer was lost, does not know what was committed.
        eventually("all events are committed", async || {
            let (_, status) = self.replicas[0].subscriptions.get(&tenant(), "s").await.ok()?;
            (status.lag_at_most == 0).then_some(())
        })
        .await;
        let open = self.world.ledger.lock().unwrap().open();
        assert!(open.is_empty(), "nobody set out to commit {open:?}");
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_happens_nothing_is_lost_and_nobody_gets_what_is_anothers(
    #[values(Kind::Memory, Kind::Redis)] kind: Kind,
    #[values(1, 2)] seed: u64,
) {
    let mut run = Run::new(kind, seed).await;
    for step in 0..60 {
        run.say().await;
        run.happen(step);
        run.pause().await;
    }
    run.end_well().await;
    let mut ledger = run.world.ledger.lock().unwrap();
    ledger.judge();
    let wrong = &ledger.wrong;
    assert!(wrong.is_empty(), "{:#?}", &wrong[..wrong.len().min(20)]);
    assert!(
        run.deaths > 0 && run.cuts > 0 && ledger.doubled > 0,
        "too little happened"
    );
    let tenures = ledger.delivered.len();
    assert!(tenures > CONVERSATIONS, "shares changed hands: {tenures}");
}

#[rstest]
#[case::an_owner_that_goes_on_after_its_lease(Fault::Pretend, "after its lease")]
#[case::a_commit_of_a_former_owner_that_is_taken(Fault::TakeOldCommits, "came, not")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_planted_mistake_is_found(#[case] mistake: Fault, #[case] wrong: &str) {
    let mut run = Run::new(Kind::Memory, 1).await;
    if mistake == Fault::TakeOldCommits {
        for replica in &run.replicas {
            replica.door.set(mistake);
        }
        run.replicas[0].join(&run.world, Habit::TooLate, 1);
    } else {
        run.replicas[0].join(&run.world, Habit::AtOnce, 1);
    }
    run.replicas[1].join(&run.world, Habit::AtOnce, 2);
    for step in 0..200 {
        run.say().await;
        if mistake == Fault::Pretend && step % 50 == 10 {
            run.replicas[0].suffer(mistake, Duration::from_millis(3 * LEASE_MS));
        }
        run.pause().await;
        let mut ledger = run.world.ledger.lock().unwrap();
        ledger.judge();
        if ledger.wrong.iter().any(|found| found.contains(wrong)) {
            return;
        }
        ledger.wrong.clear();
    }
    panic!("it was not found");
}
