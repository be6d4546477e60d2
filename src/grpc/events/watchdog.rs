//! Ends streams whose clients do not read.
//!
//! A stream is asked for more only when its client has room for more. One that answers pings but gives no room would keep its
//! stream for ever: neither its age nor its lag is looked at, and it could not be told. So somebody else looks, and cuts the
//! client's connection: one stream alone cannot be ended from outside.

use std::{
    cmp::Reverse,
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::time::Instant;
use tracing::info;

use crate::{
    event::TenantId,
    fanout::{Hub, Lag, PATIENCE},
    grpc::line::Line,
};

const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Ends streams whose clients do not read.
pub struct Watchdog {
    hub: Arc<Hub>,
    /// How long a stream may go unread once it should have ended, or fell behind.
    grace: Duration,
    /// How many entries a stream may be behind; 0: any number.
    lag_max: u64,
    next: AtomicU64,
    streams: Mutex<HashMap<u64, Seen>>,
}

/// What is known of a stream.
struct Seen {
    line: Line,
    polls: Arc<AtomicU64>,
    /// How often it had been asked for more when it was looked at, and since when that is so.
    last: u64,
    since: Instant,
    ends_at: Instant,
    /// The number of its subscriber, where it has a lag.
    subscriber: Option<u64>,
    opened: Instant,
    about: About,
}

/// What operators may know of a stream.
#[derive(Debug, Clone)]
pub struct About {
    /// The name of whoever called.
    pub caller: Box<str>,
    /// Whose events it has.
    pub tenant: TenantId,
    /// What it reads.
    pub reads: Reads,
}

/// What a stream reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reads {
    /// All conversations of its tenant.
    All,
    /// So many that were named when it was opened.
    Conversations(usize),
    /// A named subscription.
    Subscription(Box<str>),
}

/// An open stream, as it is now.
#[derive(Debug, Clone)]
pub struct OpenStream {
    /// What it is.
    pub about: About,
    /// How far it is behind; `None`: it takes the live feed, or is of a subscription, which has a lag of its own.
    pub lag: Option<Lag>,
    /// Since when it is open.
    pub age: Duration,
    /// For how long it was not asked for more: its client took nothing, or there was nothing, not even a heartbeat.
    pub unasked: Duration,
}

/// A stream that is watched, until this is dropped.
pub(super) struct Watched {
    watchdog: Weak<Watchdog>,
    id: u64,
    polls: Arc<AtomicU64>,
}

impl Watched {
    /// The stream was asked for more.
    pub(super) fn polled(&self) {
        self.polls.fetch_add(1, Ordering::Relaxed);
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        if let Some(watchdog) = self.watchdog.upgrade() {
            watchdog.streams().remove(&self.id);
        }
    }
}

impl Watchdog {
    /// One that cuts off whoever does not read for `grace` although its stream should have ended, or for that and the time in
    /// which a stream must gain although it is more than `lag_max` entries behind.
    pub fn new(hub: Arc<Hub>, grace: Duration, lag_max: u64) -> Arc<Self> {
        Arc::new(Self {
            hub,
            grace,
            lag_max,
            next: AtomicU64::new(0),
            streams: Mutex::default(),
        })
    }

    /// Watches. It never ends.
    pub async fn run(self: Arc<Self>) {
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            self.look(Instant::now());
        }
    }

    pub(super) fn watch(
        self: &Arc<Self>,
        line: Line,
        ends_at: Instant,
        subscriber: Option<u64>,
        about: About,
    ) -> Watched {
        let now = Instant::now();
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let polls = Arc::new(AtomicU64::new(0));
        let seen = Seen {
            line,
            polls: Arc::clone(&polls),
            last: 0,
            since: now,
            ends_at,
            subscriber,
            opened: now,
            about,
        };
        self.streams().insert(id, seen);
        Watched {
            watchdog: Arc::downgrade(self),
            id,
            polls,
        }
    }

    /// How many streams are open, and of them the `most` that are furthest behind, the slowest first; among equals the oldest.
    pub fn slowest(&self, most: usize) -> (usize, Vec<OpenStream>) {
        let behind = self.hub.progress().behind;
        let (streams, now) = (self.streams(), Instant::now());
        let lag = |seen: &Seen| seen.subscriber.and_then(|number| behind.get(&number).copied());
        let mut order: Vec<_> = streams
            .iter()
            .map(|(id, seen)| (Reverse(lag(seen).map(|lag| lag.entries)), *id))
            .collect();
        let count = order.len();
        if most < count {
            order.select_nth_unstable(most);
            order.truncate(most);
        }
        order.sort_unstable();
        let open = order.iter().filter_map(|(_, id)| streams.get(id));
        let open = open.map(|seen| OpenStream {
            about: seen.about.clone(),
            lag: lag(seen),
            age: now.saturating_duration_since(seen.opened),
            unasked: now.saturating_duration_since(seen.since),
        });
        (count, open.collect())
    }

    fn look(&self, now: Instant) {
        // Each once: what is cut is forgotten here at once, and its streams end soon.
        self.streams().retain(|_, seen| {
            let unread = self.is_unread(seen, now);
            if unread {
                let address = seen.line.address().map(tracing::field::display);
                info!(
                    address,
                    "a connection is cut whose client does not read its stream"
                );
                metrics::counter!("chatbridge_stream_endings_total", "reason" => "unread").increment(1);
                seen.line.cut();
            }
            !unread
        });
    }

    fn is_unread(&self, seen: &mut Seen, now: Instant) -> bool {
        let polls = seen.polls.load(Ordering::Relaxed);
        if polls != seen.last {
            (seen.last, seen.since) = (polls, now);
            return false;
        }
        if now >= seen.ends_at.max(seen.since) + self.grace {
            return true;
        }
        // One that takes the live feed is asked at each event, and at each heartbeat.
        self.lag_max > 0
            && now >= seen.since + PATIENCE + self.grace
            && seen
                .subscriber
                .is_some_and(|number| self.hub.lag(number) > self.lag_max)
    }

    fn streams(&self) -> MutexGuard<'_, HashMap<u64, Seen>> {
        // Nothing that holds the lock leaves the map half changed.
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
