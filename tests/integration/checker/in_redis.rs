//! A run on a real Redis: writers, readers and what goes wrong are tasks that run at once. A seed repeats what each of them
//! chooses, but not how they interleave, nor what the network and the clock do meanwhile.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use chatbridge::store::{Append, Retention, partition::hash_tag, redis::RedisSettings, redis::RedisStore};
use futures_util::future::{join_all, try_join_all};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng, seq::IndexedRandom as _};
use redis::Pipeline;
use tokio::{sync::RwLock, time::sleep};

use super::{
    Mutant, Report,
    judge::settle,
    offers::Offers,
    plan::{Cast, Sent, Writer, next_stream},
    reader::Reader,
    replica::Replica,
    truth::{Loss, Truth},
    violation::{Checked, Violation},
};
use crate::support::redis::RedisServer;

const PARTITIONS: u16 = 4;
const WRITERS: usize = 16;
const READERS: usize = 8;
const REPLICAS: usize = 3;
const PREFIX: &str = "checker";
const JOIN_WAIT: Duration = Duration::from_secs(1);
/// How long a reader may take to get what it must get; with a planted fault it never may.
const LIMIT: Duration = Duration::from_secs(60);
const LIMIT_WITH_FAULT: Duration = Duration::from_secs(5);
/// How long it is listened to afterwards.
const QUIET: Duration = Duration::from_millis(30);

struct Run {
    server: RedisServer,
    replicas: Vec<Replica>,
    /// Past all that is under test.
    auditor: RedisStore,
    cast: Cast,
    offers: Offers,
    /// Held while an event is offered, until it is answered; and by whoever takes something away from the log.
    gate: RwLock<()>,
    steps: AtomicU64,
    budget: u64,
    appends: AtomicU64,
    forgeries: AtomicU64,
    streams: AtomicU64,
    long_stalls: AtomicU64,
    over: AtomicBool,
}

/// Runs about so many steps, or fails at the first broken promise. With `losses` the log is trimmed, wiped and rewound.
pub(super) async fn run(seed: u64, budget: u64, losses: bool, mutant: Option<&Mutant>) -> Checked<Report> {
    let mut chance = StdRng::seed_from_u64(seed);
    let limit = mutant.map_or(LIMIT, |_| LIMIT_WITH_FAULT);
    let run = Run::new(&mut chance, budget, mutant).await;
    let mut seeds = || StdRng::seed_from_u64(chance.random());
    let writers = (0..WRITERS).map(|n| (n, seeds())).collect::<Vec<_>>();
    let readers = (0..READERS).map(|n| (n, seeds())).collect::<Vec<_>>();
    let (mut luck, mut last) = (seeds(), seeds());
    let write = async {
        let written = try_join_all(writers.into_iter().map(|(n, chance)| run.write(n, chance))).await;
        run.over.store(true, Ordering::SeqCst);
        written
    };
    let read = join_all(readers.into_iter().map(|(n, chance)| run.read(n, chance)));
    let (written, mut readers, spoiled) = tokio::join!(write, read, run.spoil(&mut luck, losses));
    written?;
    let (mut truth, mut report) = spoiled?;
    run.end(&mut readers, &mut truth, &mut last, limit).await?;
    report.steps = run.steps.load(Ordering::SeqCst);
    report.appends = run.appends.load(Ordering::SeqCst);
    report.forgeries = run.forgeries.load(Ordering::SeqCst);
    report.streams = run.streams.load(Ordering::SeqCst);
    report.long_stalls = run.long_stalls.load(Ordering::SeqCst);
    report.count(&readers);
    Ok(report)
}

impl Run {
    async fn new(chance: &mut StdRng, budget: u64, mutant: Option<&Mutant>) -> Self {
        let server = RedisServer::start();
        let connect = async || {
            let settings = RedisSettings {
                url: server.url().into(),
                prefix: PREFIX.into(),
                partitions: PARTITIONS,
                retention: Retention::default(),
                wait: None,
                claims: None,
            };
            RedisStore::connect(settings).await.expect("a store")
        };
        let mut replicas = Vec::new();
        for _ in 0..REPLICAS {
            replicas.push(Replica::start(Arc::new(connect().await), chance, mutant));
        }
        let auditor = connect().await;
        Self {
            server,
            replicas,
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

    fn replica(&self, chance: &mut StdRng) -> &Replica {
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
                    let replica = self.replica(&mut chance);
                    while !(self.offers).answered_forgery(&event, replica.store.append(&event).await)? {
                        sleep(Duration::from_millis(20)).await;
                    }
                    self.forgeries.fetch_add(1, Ordering::SeqCst);
                }
            }
        }
        Ok(())
    }

    /// Delivers until there is an answer, as 8x8 does.
    async fn offer(&self, event: &Append, raw: &[u8], replica: &Replica) -> Checked {
        loop {
            self.offers.offering(event, raw);
            let answer = replica.store.append(event).await;
            if self.offers.answered(event, answer)? {
                return Ok(());
            }
            sleep(Duration::from_millis(20)).await;
        }
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
        let until = self.appends.load(Ordering::SeqCst) + chance.random_range(100..1500);
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

    /// Everything goes wrong now and then, until the writers are done.
    async fn spoil(&self, chance: &mut StdRng, losses: bool) -> Checked<(Truth, Report)> {
        let spoiled = self.spoil_until_over(chance, losses).await;
        // Whoever waits for more to be appended must not wait for ever.
        self.over.store(true, Ordering::SeqCst);
        spoiled
    }

    async fn spoil_until_over(&self, chance: &mut StdRng, losses: bool) -> Checked<(Truth, Report)> {
        let (mut truth, mut report) = (Truth::default(), Report::default());
        let mut saved = false;
        while !self.over.load(Ordering::SeqCst) {
            sleep(Duration::from_millis(chance.random_range(10..120))).await;
            let replica = self.replica(chance);
            match chance.random_range(0..40) {
                0..16 => {
                    replica.weather.break_feed(chance.random_range(0..2));
                    report.breaks += 1;
                }
                16..24 => {
                    let failing = [0, 0, 50, 200].choose(chance).copied().unwrap_or(0);
                    replica.weather.fail_reads(failing);
                }
                24..34 => {
                    self.cut_connections().await;
                    report.breaks += 1;
                }
                34 => {
                    self.restart(&mut truth, true, saved).await?;
                    report.breaks += 1;
                }
                35 | 36 if losses && report.rewinds == 0 && !saved => {
                    self.trim(&mut truth, chance).await?;
                    report.trims += 1;
                }
                37 if losses => {
                    self.wipe(&mut truth).await?;
                    saved = false;
                    report.wipes += 1;
                }
                38 | 39 if losses && !truth.trims => {
                    if saved {
                        self.restart(&mut truth, false, true).await?;
                        report.rewinds += 1;
                    } else {
                        self.save(&mut truth).await?;
                    }
                    saved = !saved;
                }
                _ => {}
            }
        }
        Ok((truth, report))
    }

    async fn audit(&self, truth: &mut Truth, loss: Option<Loss>) -> Checked {
        truth.audit(&self.auditor, &self.offers, loss).await
    }

    /// Asks Redis past all that is under test; on a busy machine more than once.
    async fn insist(&self, ask: &Pipeline) {
        for _ in 0..20 {
            let mut connection = self.server.connection().await;
            if ask.exec_async(&mut connection).await.is_ok() {
                return;
            }
        }
        panic!("Redis does not do what it is asked");
    }

    async fn cut_connections(&self) {
        let mut kill = redis::pipe();
        kill.cmd("CLIENT")
            .arg(&["KILL", "TYPE", "normal", "SKIPME", "yes"]);
        self.insist(&kill).await;
    }

    /// Redis writes down what it holds.
    async fn save(&self, truth: &mut Truth) -> Checked {
        let _alone = self.gate.write().await;
        self.audit(truth, None).await?;
        self.write_down().await;
        Ok(())
    }

    async fn write_down(&self) {
        self.insist(redis::pipe().cmd("SAVE")).await;
    }

    /// Redis is killed and comes back with what it wrote down last: all, or what it held some time ago.
    async fn restart(&self, truth: &mut Truth, whole: bool, saved: bool) -> Checked {
        if whole && saved {
            // It would write over what is to come back later.
            return Ok(());
        }
        let _alone = self.gate.write().await;
        self.audit(truth, None).await?;
        if whole {
            self.write_down().await;
        }
        tokio::task::block_in_place(|| self.server.restart());
        self.audit(truth, (!whole).then_some(Loss::Rewound)).await
    }

    async fn wipe(&self, truth: &mut Truth) -> Checked {
        let _alone = self.gate.write().await;
        self.audit(truth, None).await?;
        self.insist(redis::pipe().cmd("FLUSHALL")).await;
        self.audit(truth, Some(Loss::Wiped)).await
    }

    /// What is older than a time goes, as it does when it is older than the log keeps.
    async fn trim(&self, truth: &mut Truth, chance: &mut StdRng) -> Checked {
        let _alone = self.gate.write().await;
        self.audit(truth, None).await?;
        truth.trims = true;
        for p in 0..PARTITIONS {
            let Some(before_ms) = truth.some_time(p, chance) else {
                continue;
            };
            let key = |what: &str| format!("{PREFIX}:{{{}}}:{what}", hash_tag(p, PARTITIONS));
            let mut trim = redis::pipe();
            trim.atomic();
            trim.cmd("XTRIM").arg(key("log")).arg("MINID").arg(before_ms);
            trim.cmd("HSET").arg(key("meta")).arg("trimmed").arg(before_ms);
            self.insist(&trim).await;
        }
        self.audit(truth, None).await
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
            for _ in 0..100 {
                if !reader.is_open() {
                    self.connect(reader, chance).await;
                }
            }
            if !reader.is_open() {
                let what = format!("reader {} finds no live feed any more", reader.number);
                return Err(Violation::new(super::violation::Kind::Failed, what));
            }
        }
        self.audit(truth, None).await?;
        settle(readers, truth, PARTITIONS, (limit, QUIET), &self.offers).await
    }
}
