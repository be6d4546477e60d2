//! A run on the store in memory: one thread, a clock that only the run moves, and every choice drawn from one seed. So a
//! seed gives the same run again.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use chatbridge::store::{
    Append, Retention, Store,
    memory::{Checkpoint, MemoryStore},
};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng, seq::IndexedRandom as _};

use super::{
    CONNECTS, Mutant, QUEUE, RECOVERS_WITHIN, Report,
    judge::settle,
    offers::Offers,
    plan::{Cast, Sent, Writer, next_stream},
    reader::Reader,
    replica::Replica,
    truth::{Loss, Truth},
    violation::{Checked, violation},
};

/// How long a disconnected reader waits for the live feed.
const JOIN_WAIT: Duration = Duration::from_millis(300);
/// How long, in the run's own time, what a reader must get may stop coming; and how long it is listened to afterwards.
const TIMES: (Duration, Duration) = (RECOVERS_WITHIN, Duration::from_secs(3));

struct Run {
    chance: StdRng,
    clock: Arc<AtomicU64>,
    memory: Arc<MemoryStore>,
    replicas: Vec<Replica>,
    cast: Cast,
    writers: Vec<Writer>,
    readers: Vec<Reader>,
    /// Up to which step each reader does nothing, and how much was appended when it stopped.
    stalled: Vec<(u64, u64)>,
    offers: Offers,
    truth: Truth,
    checkpoint: Option<Checkpoint>,
    retention: Retention,
    losses: bool,
    /// Whether conversations are erased: what may be left out would hide how a planted fault left it out.
    erases: bool,
    step: u64,
    report: Report,
}

/// How likely each kind of step is for a while.
struct Mood {
    append: u32,
    read: u32,
    come_and_go: u32,
    bad_luck: u32,
}

/// Runs so many steps, or fails at the first broken promise.
pub(super) async fn run(seed: u64, steps: u64, mutant: Option<&Mutant>) -> Checked<Report> {
    let mut run = Run::new(seed, mutant);
    while run.step < steps {
        let mood = run.mood();
        for _ in 0..run.chance.random_range(100..600) {
            run.one(&mood).await?;
        }
    }
    run.end().await?;
    Ok(run.report)
}

impl Run {
    fn new(seed: u64, mutant: Option<&Mutant>) -> Self {
        let mut chance = StdRng::seed_from_u64(seed);
        let clock = Arc::new(AtomicU64::new(1_800_000_000_000));
        let retention = Retention {
            log_ms: 600_000,
            ..Retention::default()
        };
        let partitions = *[1, 2, 4, 8].choose(&mut chance).expect("there are some");
        let told = Arc::clone(&clock);
        let memory = Arc::new(MemoryStore::with_clock(partitions, retention, move || {
            told.load(Ordering::SeqCst)
        }));
        let replicas = chance.random_range(2..4);
        let replicas = (0..replicas)
            .map(|_| Replica::start(Arc::clone(&memory) as Arc<dyn Store>, &mut chance, mutant))
            .collect();
        let cast = Cast::new(&mut chance);
        let readers: Vec<Reader> = (0..chance.random_range(3..12))
            .map(|n| Reader::new(n, mutant.and_then(Mutant::trick)))
            .collect();
        Self {
            cast,
            clock,
            memory,
            replicas,
            writers: (0..3).map(Writer::new).collect(),
            stalled: vec![(0, 0); readers.len()],
            readers,
            offers: Offers::default(),
            truth: Truth::default(),
            checkpoint: None,
            retention,
            losses: chance.random::<bool>() && mutant.is_none_or(Mutant::needs_losses),
            erases: mutant.is_none(),
            step: 0,
            report: Report::default(),
            chance,
        }
    }

    fn mood(&mut self) -> Mood {
        let mut some = |most| self.chance.random_range(1..=most);
        Mood {
            append: some(90),
            read: some(60),
            come_and_go: some(6),
            bad_luck: some(2),
        }
    }

    async fn one(&mut self, mood: &Mood) -> Checked {
        self.step += 1;
        let Mood {
            append,
            read,
            come_and_go,
            bad_luck,
        } = *mood;
        let mut pick = self
            .chance
            .random_range(0..append + read + come_and_go + bad_luck + 10);
        let mut is = |weight: u32| {
            let hit = pick < weight;
            pick = pick.wrapping_sub(weight);
            hit
        };
        if is(append) {
            self.append().await?;
        } else if is(read) {
            self.read();
        } else if is(come_and_go) {
            self.come_and_go().await;
        } else if is(bad_luck) {
            self.bad_luck().await?;
        } else {
            self.pass_time().await;
        }
        Ok(())
    }

    fn tick(&mut self, ms: u64) {
        self.clock.fetch_add(ms, Ordering::SeqCst);
    }

    /// The feeds run only here and where a reader waits.
    async fn pass_time(&mut self) {
        match self.chance.random_range(0..20) {
            0 => {
                let ms = self.chance.random_range(1..600);
                self.tick(ms);
                tokio::time::sleep(Duration::from_millis(ms)).await;
            }
            1..6 => {
                let ms = self.chance.random_range(0..4);
                self.tick(ms);
            }
            _ => tokio::task::yield_now().await,
        }
    }

    async fn append(&mut self) -> Checked {
        let writer = self.chance.random_range(0..self.writers.len());
        let offers = &self.offers;
        let known = |event: &Append| offers.is_accepted(event);
        let sent = self.writers[writer].next(&self.cast, &mut self.chance, known);
        let replica = self.replicas.choose(&mut self.chance).expect("there are some");
        match sent {
            Sent::Genuine(event, raw) => {
                offers.offering(&event, &raw);
                offers.answered(&event, replica.store.append(&event).await)?;
                self.report.appends += 1;
            }
            Sent::Forged(event) => {
                offers.answered_forgery(&event, replica.store.append(&event).await)?;
                self.report.forgeries += 1;
            }
        }
        Ok(())
    }

    fn read(&mut self) {
        let reader = self.chance.random_range(0..self.readers.len());
        let (until, appended) = self.stalled[reader];
        if until > self.step {
            return;
        }
        if until > 0 && self.report.appends - appended > QUEUE {
            self.report.long_stalls += 1;
        }
        self.stalled[reader] = (0, 0);
        match self.chance.random_range(0..200) {
            0..3 => {
                let until = self.step + self.chance.random_range(100..1500);
                self.stalled[reader] = (until, self.report.appends);
            }
            3..12 => self.readers[reader].beat(),
            _ => {
                for _ in 0..self.chance.random_range(1..30) {
                    if !self.readers[reader].poll() {
                        break;
                    }
                    // Each delivery is a step of its own.
                    self.step += 1;
                    if self.chance.random_ratio(1, 4) {
                        self.readers[reader].mark(&self.offers);
                    }
                }
            }
        }
    }

    async fn come_and_go(&mut self) {
        let reader = self.chance.random_range(0..self.readers.len());
        if self.readers[reader].is_open() {
            self.readers[reader].leave(&self.offers);
        } else {
            self.connect(reader).await;
        }
    }

    async fn connect(&mut self, reader: usize) {
        let now = self.clock.load(Ordering::SeqCst);
        let times: Vec<u64> = (0..4).map(|_| now - self.chance.random_range(0..2000)).collect();
        let asked = next_stream(&self.readers[reader], &self.cast, &times, &mut self.chance);
        let replica = self.replicas.choose(&mut self.chance).expect("there are some");
        if self.readers[reader]
            .connect(replica, asked, JOIN_WAIT, &self.offers)
            .await
        {
            self.report.streams += 1;
        }
    }

    async fn bad_luck(&mut self) -> Checked {
        let replica = self.chance.random_range(0..self.replicas.len());
        match self.chance.random_range(0..12) {
            0..5 => {
                let closed = self.chance.random_range(0..3);
                self.replicas[replica].weather.break_feed(closed);
                self.report.breaks += 1;
            }
            5..8 => {
                let failing = *[0, 0, 100, 500].choose(&mut self.chance).expect("there are some");
                self.replicas[replica].weather.fail_reads(failing);
            }
            n if self.losses => self.lose(n).await?,
            n => {
                if n % 2 == 0 {
                    self.erase().await?;
                }
            }
        }
        Ok(())
    }

    /// A conversation is erased, on whichever replica. Not where the log may go back: it would be there again then.
    async fn erase(&mut self) -> Checked {
        if self.checkpoint.is_some() || !self.erases {
            return Ok(());
        }
        self.audit(None).await?;
        let key = self
            .cast
            .keys
            .choose(&mut self.chance)
            .expect("there are some")
            .clone();
        let replica = self.replicas.choose(&mut self.chance).expect("there are some");
        let erased = replica.store.erase(&key).await.expect("it is erased").entries;
        let expected = if key.conversation.is_empty() {
            0
        } else {
            self.truth.erase(&key)
        };
        if erased != expected {
            return violation!(
                NotInLog,
                "of {key:?} {erased} entries were erased, and it had {expected}"
            );
        }
        self.report.erased += erased;
        self.audit(None).await
    }

    async fn audit(&mut self, loss: Option<Loss>) -> Checked {
        self.truth.audit(&*self.memory, &self.offers, loss).await
    }

    /// The log loses something.
    async fn lose(&mut self, how: u32) -> Checked {
        self.audit(None).await?;
        match how {
            // A log that is both trimmed and rewound would leave open which of its partitions a gap was told of.
            8 if self.report.rewinds == 0 && self.checkpoint.is_none() => {
                let ms = self.retention.log_ms * self.chance.random_range(1..5) / 3;
                self.tick(ms);
                // What is old goes with the next append.
                self.truth.trims = true;
                self.append().await?;
                self.audit(None).await?;
                self.report.trims += 1;
            }
            9 => {
                self.memory.wipe();
                self.checkpoint = None;
                self.audit(Some(Loss::Wiped)).await?;
                self.report.wipes += 1;
            }
            8 => self.erase().await?,
            _ => self.fail_over().await?,
        }
        Ok(())
    }

    /// Notes where a replica of the log is, or fails over to it.
    async fn fail_over(&mut self) -> Checked {
        match self.checkpoint.take() {
            None if self.truth.trims => Ok(()),
            None => {
                self.checkpoint = Some(self.memory.checkpoint());
                Ok(())
            }
            Some(checkpoint) => {
                // It takes longer than the millisecond of the last entry.
                self.tick(1);
                self.memory.restore(checkpoint);
                self.report.rewinds += 1;
                self.audit(Some(Loss::Rewound)).await
            }
        }
    }

    /// Everything is well again, and everybody must get everything.
    async fn end(&mut self) -> Checked {
        for replica in &self.replicas {
            replica.weather.clear();
        }
        for reader in 0..self.readers.len() {
            for _ in 0..CONNECTS {
                if !self.readers[reader].is_open() {
                    self.connect(reader).await;
                }
            }
            if !self.readers[reader].is_open() {
                return violation!(Failed, "reader {reader} finds no live feed any more");
            }
        }
        self.audit(None).await?;
        let partitions = self.memory.partitions();
        settle(&mut self.readers, &self.truth, partitions, TIMES, &self.offers).await?;
        self.report.count(&self.readers);
        self.report.steps = self.step;
        self.report.duplicates = self.offers.duplicates();
        self.report.reorders = self.truth.reorders;
        Ok(())
    }
}
