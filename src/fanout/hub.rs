//! The hub: tails the log and hands entries to subscribers.

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::{Semaphore, watch},
    time::Instant,
};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use super::{
    filter::{Scope, Wanted},
    inbox::{Dispatched, Inbox, QUEUE},
    places::Reached,
};
use crate::{
    event::{ConversationKey, EntryId, Position, TenantId},
    store::{Entry, Page, SharedStore, StoreError, partition},
};

const RETRY_MIN: Duration = Duration::from_millis(100);
const RETRY_MAX: Duration = Duration::from_millis(500);
const METRICS_EVERY: Duration = Duration::from_secs(1);
/// For so many of these the time of a lag is known.
const HISTORY: usize = 900;

/// How many pages are read from the log at once, for all subscribers: after an outage all of them read.
const READS: usize = 32;

/// Hands entries of the log to subscribers.
pub struct Hub {
    store: SharedStore,
    registry: Mutex<Registry>,
    live: watch::Sender<bool>,
    next_id: AtomicU64,
    /// Whoever reads a page of the log holds one.
    reads: Semaphore,
}

#[derive(Default)]
struct Registry {
    /// How far the live feed has come in each partition; empty while there is none.
    reached: Vec<EntryId>,
    /// The same, to be shared; made when it is asked for.
    shared: Option<Arc<Reached>>,
    /// Entries that the feed has handed out, ever.
    dispatched: u64,
    /// How many that were, second by second, the newest last: what tells the time of a lag.
    history: VecDeque<(Instant, u64)>,
    // The inboxes of each list are sorted by their numbers.
    by_conversation: HashMap<ConversationKey, Vec<Arc<Inbox>>>,
    by_tenant: HashMap<TenantId, Vec<Arc<Inbox>>>,
    by_share: HashMap<(TenantId, u16), Vec<Arc<Inbox>>>,
    /// Subscribers that read the log, by their numbers.
    behind: HashMap<u64, Behind>,
}

/// How far a subscriber was behind, and how much had been handed out then.
struct Behind {
    lag: u64,
    dispatched: u64,
}

/// How far a subscriber is behind the live feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lag {
    /// Entries of the log, at the most.
    pub entries: u64,
    /// For how long the oldest of them has been in the log, to a second; `None`: longer than this replica remembers.
    pub time: Option<Duration>,
}

/// How the live feed is doing.
#[derive(Debug, Clone, Default)]
pub struct Progress {
    /// Whether there is one now.
    pub is_live: bool,
    /// Entries that it has handed out since this replica started.
    pub dispatched: u64,
    /// Subscribers that read the log, by their numbers. All others take the live feed.
    pub behind: HashMap<u64, Lag>,
}

/// A place in the live feed.
pub(super) struct Joined {
    hub: Arc<Hub>,
    /// Entries behind `reached`; closed when the subscriber is detached.
    pub(super) inbox: Arc<Inbox>,
    /// How far the live feed had come in each partition.
    pub(super) reached: Arc<Reached>,
}

impl Drop for Joined {
    fn drop(&mut self) {
        self.hub.registry().delist(&self.inbox);
    }
}

impl Hub {
    /// A hub over a store. It hands out nothing until [`Hub::run`] runs.
    pub fn new(store: SharedStore) -> Arc<Self> {
        Arc::new(Self {
            store,
            registry: Mutex::default(),
            live: watch::Sender::new(false),
            next_id: AtomicU64::new(0),
            reads: Semaphore::new(READS),
        })
    }

    /// The store.
    pub fn store(&self) -> &SharedStore {
        &self.store
    }

    /// Reads a page of a partition, or of one conversation in it, when its turn comes.
    pub(crate) async fn read(
        &self,
        partition: u16,
        only: Option<&ConversationKey>,
        from: Position,
        limit: usize,
    ) -> Result<Page, StoreError> {
        let _turn = self.reads.acquire().await;
        match only {
            Some(key) => self.store.read_conversation(key, from, limit).await,
            None => self.store.read(partition, from, limit).await,
        }
    }

    /// Whether the live feed runs; changes are told.
    pub fn live(&self) -> watch::Receiver<bool> {
        self.live.subscribe()
    }

    /// Tails the log until `shutdown`, and opens the feed anew whenever it breaks.
    pub async fn run(self: Arc<Self>, shutdown: CancellationToken) {
        let mut retry = RETRY_MIN;
        while !shutdown.is_cancelled() {
            let fed = tokio::select! {
                () = shutdown.cancelled() => break,
                fed = self.feed() => fed,
                () = self.measure() => break,
            };
            let was_live = self.detach_all();
            match fed {
                Err(error) if was_live => {
                    warn!(%error, "the live feed broke; subscribers wait and then read what they missed");
                    metrics::counter!("chatbridge_feed_breaks_total").increment(1);
                    retry = RETRY_MIN;
                }
                // What cannot be opened was told when it broke.
                Err(error) => debug!(%error, "the live feed cannot be opened yet"),
                Ok(()) => {}
            }
            shutdown.run_until_cancelled(tokio::time::sleep(retry)).await;
            retry = (retry * 2).min(RETRY_MAX);
        }
        self.detach_all();
    }

    /// One life of the feed.
    async fn feed(&self) -> Result<(), StoreError> {
        let tails = self.store.tails().await?;
        let mut tail = self.store.tail(tails.clone()).await?;
        {
            let mut registry = self.registry();
            registry.reached = tails;
            registry.shared = None;
            self.live.send_replace(true);
        }
        info!("the live feed runs");
        loop {
            let entries = tail.next().await?;
            self.dispatch(entries);
        }
    }

    /// Says how many subscribers read the log, and how far behind the slowest is.
    async fn measure(&self) {
        loop {
            let (count, lag) = {
                let mut registry = self.registry();
                registry.remember(Instant::now());
                registry.slowest()
            };
            metrics::gauge!("chatbridge_subscribers_behind").set(count as f64);
            metrics::gauge!("chatbridge_subscriber_lag_max").set(lag as f64);
            tokio::time::sleep(METRICS_EVERY).await;
        }
    }

    fn dispatch(&self, entries: Vec<Entry>) {
        for entry in entries {
            // Whoever joins or leaves need not wait until all are handed out.
            self.registry().dispatch(entry);
        }
    }

    /// A number for a subscriber.
    pub(super) fn number(&self) -> u64 {
        self.next_id.fetch_add(1, Ordering::Relaxed)
    }

    /// Takes a place in the live feed; `None` while there is none.
    pub(super) fn join(self: &Arc<Self>, id: u64, wanted: &Arc<Wanted>) -> Option<Joined> {
        let mut registry = self.registry();
        let reached = registry.reached()?;
        let inbox = Arc::new(Inbox::new(id, Arc::clone(wanted)));
        registry.enlist(&inbox);
        Some(Joined {
            hub: Arc::clone(self),
            inbox,
            reached,
        })
    }

    /// How far the live feed has come; `None` while there is none.
    pub(super) fn reached(&self) -> Option<Arc<Reached>> {
        self.registry().reached()
    }

    /// Notes that a subscriber reads the log, and how far behind it is.
    pub(super) fn note_behind(&self, id: u64, lag: u64) {
        let mut registry = self.registry();
        let dispatched = registry.dispatched;
        registry.behind.insert(id, Behind { lag, dispatched });
    }

    /// How many entries of the log a subscriber is behind, at the most; 0 where it takes the live feed.
    pub fn lag(&self, id: u64) -> u64 {
        let registry = self.registry();
        registry.behind.get(&id).map_or(0, |behind| registry.lag(behind))
    }

    /// How the live feed is doing, and who is behind it. Costs as much as there are subscribers that are.
    pub fn progress(&self) -> Progress {
        let (registry, now) = (self.registry(), Instant::now());
        let lag = |behind: &Behind| {
            let entries = registry.lag(behind);
            Lag {
                entries,
                time: registry.lag_time(entries, now),
            }
        };
        Progress {
            is_live: !registry.reached.is_empty(),
            dispatched: registry.dispatched,
            behind: registry
                .behind
                .iter()
                .map(|(id, behind)| (*id, lag(behind)))
                .collect(),
        }
    }

    /// Notes that a subscriber does not read the log any more.
    pub(super) fn note_live(&self, id: u64) {
        self.registry().behind.remove(&id);
    }

    /// Ends the live feed for everybody, and says whether there was one. What `live` tells and what the registry holds change
    /// together, so that nobody who is told of a feed finds none.
    fn detach_all(&self) -> bool {
        let mut registry = self.registry();
        registry.reached.clear();
        registry.shared = None;
        registry.close_all();
        self.live.send_replace(false)
    }

    fn registry(&self) -> MutexGuard<'_, Registry> {
        // Nothing that holds the lock leaves the registry half changed.
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn insert(list: &mut Vec<Arc<Inbox>>, inbox: &Arc<Inbox>) {
    let index = list.partition_point(|other| other.id < inbox.id);
    list.insert(index, Arc::clone(inbox));
}

fn remove<K: std::hash::Hash + Eq>(map: &mut HashMap<K, Vec<Arc<Inbox>>>, key: &K, id: u64) {
    if let Some(list) = map.get_mut(key) {
        if let Ok(index) = list.binary_search_by_key(&id, |inbox| inbox.id) {
            list.remove(index);
        }
        if list.is_empty() {
            map.remove(key);
        }
    }
}

impl Registry {
    fn reached(&mut self) -> Option<Arc<Reached>> {
        if self.reached.is_empty() {
            return None;
        }
        let shared = self
            .shared
            .get_or_insert_with(|| Arc::new(Reached::new(&self.reached, self.dispatched)));
        Some(Arc::clone(shared))
    }

    fn enlist(&mut self, inbox: &Arc<Inbox>) {
        let tenant = &inbox.wanted.tenant;
        match &inbox.wanted.scope {
            Scope::All => insert(self.by_tenant.entry(tenant.clone()).or_default(), inbox),
            Scope::Shares(shares) => {
                for share in shares {
                    insert(self.by_share.entry((tenant.clone(), *share)).or_default(), inbox);
                }
            }
            Scope::Named(_) => {
                for key in inbox.wanted.keys() {
                    insert(self.by_conversation.entry(key).or_default(), inbox);
                }
            }
        }
    }

    fn delist(&mut self, inbox: &Inbox) {
        let tenant = &inbox.wanted.tenant;
        match &inbox.wanted.scope {
            Scope::All => remove(&mut self.by_tenant, tenant, inbox.id),
            Scope::Shares(shares) => {
                for share in shares {
                    remove(&mut self.by_share, &(tenant.clone(), *share), inbox.id);
                }
            }
            Scope::Named(_) => {
                for key in inbox.wanted.keys() {
                    remove(&mut self.by_conversation, &key, inbox.id);
                }
            }
        }
    }

    fn close_all(&self) {
        let lists = self.by_tenant.values().chain(self.by_conversation.values());
        for inbox in lists.chain(self.by_share.values()).flatten() {
            inbox.close();
        }
    }

    fn dispatch(&mut self, entry: Entry) {
        if let Some(reached) = self.reached.get_mut(usize::from(entry.partition)) {
            *reached = entry.id;
        }
        self.shared = None;
        self.dispatched += 1;
        let partitions = u16::try_from(self.reached.len()).unwrap_or(u16::MAX);
        let wanting = |inboxes: &&Arc<Inbox>| inboxes.wanted.takes(&entry);
        let of_tenant: Vec<_> = lookup(&self.by_tenant, &entry.key.tenant)
            .filter(wanting)
            .collect();
        // Where nobody shares, nothing is hashed.
        let share = (!self.by_share.is_empty())
            .then(|| (entry.key.tenant.clone(), partition::share(&entry.key, partitions)));
        let of_share = share.iter().flat_map(|share| lookup(&self.by_share, share));
        let others = lookup(&self.by_conversation, &entry.key).chain(of_share);
        let others: Vec<_> = others.filter(wanting).collect();
        if of_tenant.is_empty() && others.is_empty() {
            return;
        }
        let reached = (!of_tenant.is_empty())
            .then(|| Arc::new(Reached::new(&self.reached, self.dispatched).with(&entry)));
        let dispatched = Dispatched {
            reached: reached.clone(),
            entry: Arc::new(entry),
        };
        let dispatched = Arc::new(dispatched);
        let mut detached = Vec::new();
        for inbox in others.into_iter().chain(of_tenant) {
            // Full: its entries are let go, and the subscriber reads the log.
            if inbox.push(&dispatched) {
                detached.push(inbox.id);
            }
        }
        self.shared = reached;
        for id in detached {
            metrics::counter!("chatbridge_subscribers_detached_total").increment(1);
            let behind = Behind {
                lag: QUEUE as u64,
                dispatched: self.dispatched,
            };
            self.behind.insert(id, behind);
        }
    }

    /// How many read the log, and the lag of the slowest. One that was not heard of since has what came since before it.
    fn slowest(&self) -> (usize, u64) {
        let slowest = self.behind.values().map(|behind| self.lag(behind)).max();
        (self.behind.len(), slowest.unwrap_or(0))
    }

    fn lag(&self, behind: &Behind) -> u64 {
        behind.lag + (self.dispatched - behind.dispatched)
    }

    /// Notes how much was handed out by now.
    fn remember(&mut self, now: Instant) {
        if self.history.len() == HISTORY {
            self.history.pop_front();
        }
        self.history.push_back((now, self.dispatched));
    }

    /// How long ago the feed was where somebody is who is so many entries behind.
    fn lag_time(&self, entries: u64, now: Instant) -> Option<Duration> {
        let place = self.dispatched.checked_sub(entries)?;
        // The first look at which more had been handed out: by then, what comes next for them was there.
        let later = self
            .history
            .partition_point(|(_, dispatched)| *dispatched <= place);
        match self.history.get(later) {
            // It may have come at any time before that, if nobody looked yet then.
            Some((at, _)) => (later > 0).then(|| now.saturating_duration_since(*at)),
            None => Some(Duration::ZERO),
        }
    }
}

fn lookup<'a, K: std::hash::Hash + Eq>(
    map: &'a HashMap<K, Vec<Arc<Inbox>>>,
    key: &K,
) -> impl Iterator<Item = &'a Arc<Inbox>> {
    map.get(key).into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_a_lag_is_known_for_as_long_as_is_remembered() {
        let (start, second) = (Instant::now(), Duration::from_secs(1));
        let mut registry = Registry::default();
        for (number, dispatched) in (0..).zip([0, 10, 30]) {
            registry.dispatched = dispatched;
            registry.remember(start + second * number);
        }
        let now = start + second * 3;
        assert_eq!(registry.lag_time(0, now), Some(Duration::ZERO));
        assert_eq!(registry.lag_time(5, now), Some(second));
        assert_eq!(registry.lag_time(25, now), Some(second * 2));
        assert_eq!(registry.lag_time(30, now), Some(second * 2));
        assert_eq!(registry.lag_time(31, now), None, "from before the feed began");
        registry.dispatched = 31;
        assert_eq!(
            registry.lag_time(1, now),
            Some(Duration::ZERO),
            "of this very second"
        );
        for number in 3..=HISTORY as u32 {
            registry.remember(start + second * number);
        }
        assert_eq!(registry.history.len(), HISTORY);
        registry.remember(start + second * HISTORY as u32);
        assert_eq!(registry.lag_time(30, now), None, "longer ago than is remembered");
    }
}
