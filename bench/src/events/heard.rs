//! What subscribers heard, and when.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;

use crate::Result;

/// The longest time that is told apart, in nanoseconds.
pub(crate) const LONGEST_NS: u64 = 60_000_000_000;
const SHARDS: usize = 8;

/// What one subscriber heard: how many events, and the sum of their numbers, which tells one that came twice from one that did
/// not come.
#[derive(Default)]
pub(crate) struct Own {
    count: AtomicU64,
    sum: AtomicU64,
}

/// What all subscribers together heard.
pub(crate) struct Heard {
    base: Instant,
    count: AtomicU64,
    /// What they take in bytes.
    bytes: AtomicU64,
    own: Mutex<Vec<Arc<Own>>>,
    last_ns: AtomicU64,
    first: AtomicU64,
    start_ns: AtomicU64,
    interval_ns: AtomicU64,
    /// Why the first stream that broke did.
    broke: Mutex<Option<String>>,
    times: [Mutex<Histogram<u64>>; SHARDS],
}

impl Heard {
    pub(crate) fn new() -> Result<Self> {
        let mut times = Vec::new();
        for _ in 0..SHARDS {
            times.push(Mutex::new(Histogram::new_with_max(LONGEST_NS, 3)?));
        }
        Ok(Self {
            base: Instant::now(),
            count: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            own: Mutex::default(),
            last_ns: AtomicU64::new(0),
            first: AtomicU64::new(u64::MAX),
            start_ns: AtomicU64::new(0),
            interval_ns: AtomicU64::new(0),
            broke: Mutex::new(None),
            times: times.try_into().map_err(|_| "shards")?,
        })
    }

    /// From now on times are taken: event `first` is due at `start`, and each further one an interval later.
    pub(crate) fn expect(&self, first: u64, start: Instant, interval: Duration) {
        for times in &self.times {
            times.lock().unwrap_or_else(PoisonError::into_inner).reset();
        }
        self.start_ns.store(nanos(start - self.base), Ordering::Relaxed);
        self.interval_ns.store(nanos(interval), Ordering::Relaxed);
        self.first.store(first, Ordering::Release);
    }

    /// The account of one more subscriber.
    pub(crate) fn own(&self) -> Arc<Own> {
        let own = Arc::<Own>::default();
        let mut all = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        all.push(Arc::clone(&own));
        own
    }

    /// A subscriber heard an event.
    pub(crate) fn hear(&self, event: u64, bytes: usize, (subscriber, own): (usize, &Own)) {
        own.count.fetch_add(1, Ordering::Relaxed);
        own.sum.fetch_add(event, Ordering::Relaxed);
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        let now = nanos(self.base.elapsed());
        let first = self.first.load(Ordering::Acquire);
        if let Some(n) = event.checked_sub(first) {
            let due = self.start_ns.load(Ordering::Relaxed) + n * self.interval_ns.load(Ordering::Relaxed);
            let mut times = self.times[subscriber % SHARDS]
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            times.saturating_record(now.saturating_sub(due));
        }
        self.last_ns.fetch_max(now, Ordering::Relaxed);
        self.count.fetch_add(1, Ordering::Release);
    }

    /// A stream broke.
    pub(crate) fn note_break(&self, why: &dyn std::fmt::Display) {
        let mut broke = self.broke.lock().unwrap_or_else(PoisonError::into_inner);
        broke.get_or_insert_with(|| why.to_string());
    }

    /// Fails where a stream broke.
    pub(crate) fn whole(&self) -> Result<()> {
        match &*self.broke.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(why) => Err(format!("a subscriber's stream broke: {why}").into()),
            None => Ok(()),
        }
    }

    /// How many events were heard, over all subscribers.
    pub(crate) fn count(&self) -> u64 {
        self.count.load(Ordering::Acquire)
    }

    /// How many bytes an event has on its way to a subscriber.
    pub(crate) fn bytes_each(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed) / self.count().max(1)
    }

    /// How many subscribers did not hear each of the first so many events once.
    pub(crate) fn unserved(&self, events: u64) -> usize {
        let all = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        let sum = events * events.saturating_sub(1) / 2;
        let served = |own: &Arc<Own>| {
            own.count.load(Ordering::Relaxed) == events && own.sum.load(Ordering::Relaxed) == sum
        };
        all.iter().filter(|own| !served(own)).count()
    }

    /// How many subscribers there are.
    pub(crate) fn subscribers(&self) -> u64 {
        self.own.lock().unwrap_or_else(PoisonError::into_inner).len() as u64
    }

    /// Waits until so many were heard, and answers when the last was.
    pub(crate) async fn reaches(&self, count: u64, within: Duration) -> Result<Instant> {
        let begun = Instant::now();
        while self.count() < count {
            self.whole()?;
            if begun.elapsed() > within {
                return Err(format!("subscribers heard {} events of {count}", self.count()).into());
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        Ok(self.base + Duration::from_nanos(self.last_ns.load(Ordering::Relaxed)))
    }

    /// The times since [`Heard::expect`].
    pub(crate) fn times(&self) -> Result<Histogram<u64>> {
        let mut all = Histogram::new_with_max(LONGEST_NS, 3)?;
        for times in &self.times {
            all.add(&*times.lock().unwrap_or_else(PoisonError::into_inner))?;
        }
        Ok(all)
    }
}

pub(crate) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
