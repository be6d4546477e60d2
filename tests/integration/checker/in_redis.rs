//! A run on a real Redis: writers, readers and what goes wrong are tasks that run at once. A seed repeats what each of them
//! chooses, but not how they interleave, nor what the network and the clock do meanwhile.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use chatbridge::store::{
    Append, Retention, Store as _,
    redis::{Claims, RedisSettings, RedisStore, RedisTls},
    seal::KeyRing,
};
use futures_util::future::{join_all, try_join_all};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng, seq::IndexedRandom as _};
use tokio::{
    sync::RwLock,
    time::{Instant, sleep},
};

use super::{
    CONNECTS, Mutant, QUEUE, RECOVERS_WITHIN, Report,
    bad_luck::Plan,
    judge::settle,
    offers::Offers,
    plan::{Cast, Sent, Writer, next_stream},
    reader::Reader,
    replica::Replica,
    truth::{Loss, Truth},
    violation::{Checked, violation},
};
use crate::{store::fixture::MASTER_KEY, support::redis::RedisServer};

const PARTITIONS: u16 = 4;
const WRITERS: usize = 16;
const READERS: usize = 8;
const REPLICAS: usize = 3;
const PREFIX: &str = "checker";
const JOIN_WAIT: Duration = Duration::from_secs(1);
/// How long after its answer was not there a delivery comes again.
const AGAIN_AFTER: Duration = Duration::from_millis(20);
/// How long a reader is listened to after it has got all.
const QUIET: Duration = Duration::from_millis(30);

pub(super) struct Run {
    pub(super) server: RedisServer,
    pub(super) replicas: Vec<Replica>,
    /// How many of them claim an event's id apart from the append.
    apart: usize,
    /// Whether contents are encrypted.
    sealed: bool,
    /// Whether conversations are erased: what may be left out would hide how a planted fault left it out.
    pub(super) erases: bool,
    /// Past all that is under test.
    auditor: RedisStore,
    pub(super) cast: Cast,
    pub(super) offers: Offers,
    /// Held while an event is offered, until it is answered; and by whoever takes something away from the log.
    pub(super) gate: RwLock<()>,
    pub(super) steps: AtomicU64,
    pub(super) budget: u64,
    appends: AtomicU64,
    forgeries: AtomicU64,
    streams: AtomicU64,
    long_stalls: AtomicU64,
    pub(super) over: AtomicBool,
}

/// Runs about so many steps, or fails at the first broken promise. With `losses` the log is trimmed, wiped and rewound.
pub(super) async fn run(seed: u64, budget: u64, losses: bool, mutant: Option<&Mutant>) -> Checked<Report> {
    let mut chance = StdRng::seed_from_u64(seed);
    let limit = mutant.map_or(RECOVERS_WITHIN, Mutant::limit);
    // Worlds in a row have every mixture of replicas, whatever the first seed was.
    let apart = usize::try_from(seed % (REPLICAS as u64 + 1)).expect("a few");
    let run = Run::new(&mut chance, budget, apart, mutant).await;
    let mut seeds = || StdRng::seed_from_u64(chance.random());
    let writers = (0..WRITERS).map(|n| (n, seeds())).collect::<Vec<_>>();
    let readers = (0..READERS).map(|n| (n, seeds())).collect::<Vec<_>>();
    let (mut luck, mut last) = (seeds(), seeds());
    let plan = losses.then(|| Plan::new(seed, budget));
    let write = async {
        let written = try_join_all(writers.into_iter().map(|(n, chance)| run.write(n, chance))).await;
        run.over.store(true, Ordering::SeqCst);
        written
    };
    let read = join_all(readers.into_iter().map(|(n, chance)| run.read(n, chance)));
    let (written, mut readers, spoiled) = tokio::join!(write, read, run.spoil(&mut luck, plan));
    written?;
    let (mut truth, mut report) = spoiled?;
    run.end(&mut readers, &mut truth, &mut last, limit).await?;
    report.steps = run.steps.load(Ordering::SeqCst);
    report.appends = run.appends.load(Ordering::SeqCst);
    report.forgeries = run.forgeries.load(Ordering::SeqCst);
    report.streams = run.streams.load(Ordering::SeqCst);
    report.long_stalls = run.long_stalls.load(Ordering::SeqCst);
    report.duplicates = run.offers.duplicates();
    report.reorders = truth.reorders;
    report.claim_apart = run.apart as u64;
    report.claim_with_append = (REPLICAS - run.apart) as u64;
    report.count(&readers);
    Ok(report)
}

/// Connects to the log with settings that leave it as it is.
async fn connect(server: &RedisServer, retention: Retention, claims: Claims, sealed: bool) -> RedisStore {
    let settings = RedisSettings {
        url: server.url().into(),
        tls: RedisTls::default(),
        prefix: PREFIX.into(),
        partitions: PARTITIONS,
        retention,
        wait: None,
        claims: Some(claims),
        master_keys: sealed.then(|| KeyRing::fixed(MASTER_KEY).expect("a key")),
    };
    RedisStore::connect(settings).await.expect("a store")
}

impl Run {
    async fn new(chance: &mut StdRng, budget: u64, apart: usize, mutant: Option<&Mutant>) -> Self {
        let sealed = chance.random();
        let server = RedisServer::start();
        let mut replicas = Vec::new();
        for number in 0..REPLICAS {
            let claims = match number < apart {
                true => Claims::Apart,
                false => Claims::WithAppend,
            };
            let store = connect(&server, Retention::default(), claims, sealed).await;
            replicas.push(Replica::start(Arc::new(store), chance, mutant));
        }
        let auditor = connect(&server, Retention::default(), Claims::default(), sealed).await;
        Self {
            sealed,
            erases: mutant.is_none(),
            server,
            replicas,
            apart,
            auditor,
            cast: Cast::new(chance),
            offers: Offers::default(),
            gate: RwLock::new(()),
            steps: AtomicU64::new(0),
            budget,
            appends: AtomicU64::new(0),
            forgeries: AtomicU64::new(0),
            streams: AtomicU64::new(0),
            long_stalls: AtomicU64::new(0),
            over: AtomicBool::new(false),
        }
    }

    pub(super) fn replica(&self, chance: &mut StdRng) -> &Replica {
        self.replicas.choose(chance).expect("there are some")
    }

    fn step(&self) -> u64 {
        self.steps.fetch_add(1, Ordering::SeqCst)
    }

    async fn write(&self, number: usize, mut chance: StdRng) -> Checked {
        let mut writer = Writer::new(number);
        while self.step() < self.budget && !self.over.load(Ordering::SeqCst) {
            let _held = self.gate.read().await;
            let known = |event: &Append| self.offers.is_accepted(event);
            let sent = writer.next(&self.cast, &mut chance, known);
            match sent {
                Sent::Genuine(event, raw) => {
                    // Two deliveries at the same time, at two replicas.
                    let at_once = if chance.random_ratio(1, 8) { 2 } else { 1 };
                    let tries = (0..at_once).map(|_| self.offer(&event, &raw, self.replica(&mut chance)));
                    try_join_all(tries.collect::<Vec<_>>()).await?;
                    self.appends.fetch_add(1, Ordering::SeqCst);
                }
                Sent::Forged(event) => {
                    self.offer_forged(&event, self.replica(&mut chance)).await?;
                    self.forgeries.fetch_add(1, Ordering::SeqCst);
                }
            }
        }
        Ok(())
    }

    /// Delivers until there is an answer, as 8x8 does.
    async fn offer(&self, event: &Append, raw: &[u8], replica: &Replica) -> Checked {
        let deadline = Instant::now() + RECOVERS_WITHIN;
        while Instant::now() < deadline {
            self.offers.offering(event, raw);
            let answer = replica.store.append(event).await;
            if self.offers.answered(event, answer)? {
                return Ok(());
            }
            sleep(AGAIN_AFTER).await;
        }
        violation!(
            Failed,
            "{:?} was not taken in {RECOVERS_WITHIN:?}",
            event.event_id
        )
    }

    async fn offer_forged(&self, event: &Append, replica: &Replica) -> Checked {
        let deadline = Instant::now() + RECOVERS_WITHIN;
        while Instant::now() < deadline {
            let answer = replica.store.append(event).await;
            if self.offers.answered_forgery(event, answer)? {
                return Ok(());
            }
            sleep(AGAIN_AFTER).await;
        }
        violation!(
            Failed,
            "a forgery of {:?} was not answered in {RECOVERS_WITHIN:?}",
            event.event_id
        )
    }

    async fn read(&self, number: usize, mut chance: StdRng) -> Reader {
        let mut reader = Reader::new(number, None);
        while !self.over.load(Ordering::SeqCst) {
            self.step();
            if !reader.is_open() {
                self.connect(&mut reader, &mut chance).await;
                continue;
            }
            match chance.random_range(0..100) {
                0..3 => {
                    reader.leave(&self.offers);
                    sleep(Duration::from_millis(chance.random_range(0..40))).await;
                }
                3..5 => self.stall(&mut chance).await,
                5..10 => reader.beat(),
                _ => {
                    for _ in 0..chance.random_range(1..60) {
                        if !reader.wait(Duration::from_millis(500)).await {
                            break;
                        }
                        self.step();
                        if chance.random_ratio(1, 4) {
                            reader.mark(&self.offers);
                        }
                    }
                }
            }
        }
        reader
    }

    /// Does nothing until more was appended than may wait for a subscriber.
    async fn stall(&self, chance: &mut StdRng) {
        let until = self.appends.load(Ordering::SeqCst) + chance.random_range(QUEUE + 1..1500);
        while self.appends.load(Ordering::SeqCst) < until {
            if self.over.load(Ordering::SeqCst) {
                return;
            }
            sleep(Duration::from_millis(5)).await;
        }
        self.long_stalls.fetch_add(1, Ordering::SeqCst);
    }

    async fn connect(&self, reader: &mut Reader, chance: &mut StdRng) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = u64::try_from(now.as_millis()).expect("a time");
        let times: Vec<u64> = (0..4).map(|_| now - chance.random_range(1..2000)).collect();
        let asked = next_stream(reader, &self.cast, &times, chance);
        let replica = self.replica(chance);
        if reader.connect(replica, asked, JOIN_WAIT, &self.offers).await {
            self.streams.fetch_add(1, Ordering::SeqCst);
        }
    }

    pub(super) async fn audit(&self, truth: &mut Truth, loss: Option<Loss>) -> Checked {
        truth.audit(&self.auditor, &self.offers, loss).await
    }

    /// Trims the log as the service does, by settings of which this line is the result: what is older goes.
    pub(super) async fn trim_before(&self, before_ms: u64) {
        for _ in 0..20 {
            let Ok(now) = self.auditor.now_ms().await else {
                continue;
            };
            let retention = Retention {
                log_ms: now.saturating_sub(before_ms).max(1),
                ..Retention::default()
            };
            let janitor = connect(&self.server, retention, Claims::default(), self.sealed).await;
            // Those of before had a lease of a millisecond.
            if janitor.tidy(1).await.is_ok_and(|mine| mine) {
                return;
            }
        }
        panic!("the log is not trimmed");
    }

    /// Everything is well again, and everybody must get everything.
    async fn end(
        &self,
        readers: &mut [Reader],
        truth: &mut Truth,
        chance: &mut StdRng,
        limit: Duration,
    ) -> Checked {
        for replica in &self.replicas {
            replica.weather.clear();
        }
        for reader in readers.iter_mut() {
            for _ in 0..CONNECTS {
                if !reader.is_open() {
                    self.connect(reader, chance).await;
                }
            }
            if !reader.is_open() {
                return violation!(Failed, "reader {} finds no live feed any more", reader.number);
            }
        }
        self.audit(truth, None).await?;
        settle(readers, truth, PARTITIONS, (limit, QUIET), &self.offers).await
    }
}
