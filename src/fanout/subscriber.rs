//! One subscriber: its filter, its place in each partition, and how it gets from the log to the live feed.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet, VecDeque},
    sync::Arc,
    time::Duration,
};

use tracing::debug;

use super::hub::{Hub, Joined};
use crate::{
    error::Error,
    event::{ConversationKey, EntryId, Position, TenantId},
    store::{Cursor, Entry, Gap, Page, StoreError, partition},
};

/// How many entries are read from the log at a time.
const PAGE: usize = 256;
const RETRY: Duration = Duration::from_millis(500);

/// Which entries a subscriber wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// Of this tenant.
    pub tenant: TenantId,
    /// Of these conversations; empty: all.
    pub conversations: BTreeSet<String>,
    /// Of these kinds, as numbers of `EventKind`; empty: all.
    pub kinds: HashSet<i32>,
    /// Whether echoes are wanted.
    pub echoes: bool,
}

impl Filter {
    fn accepts(&self, entry: &Entry) -> bool {
        entry.key.tenant == self.tenant
            && (self.conversations.is_empty() || self.conversations.contains(&entry.key.conversation))
            && (self.kinds.is_empty() || self.kinds.contains(&entry.kind))
            && (self.echoes || !entry.echo)
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = ConversationKey> {
        self.conversations
            .iter()
            .map(|id| ConversationKey::new(self.tenant.clone(), id.clone()))
    }

    /// The partitions that matter. For each, its only conversation where there is just one, which is then read through
    /// its index.
    fn partitions(&self, partitions: u16) -> BTreeMap<u16, Option<ConversationKey>> {
        if self.conversations.is_empty() {
            return (0..partitions).map(|p| (p, None)).collect();
        }
        let mut found: BTreeMap<u16, Option<ConversationKey>> = BTreeMap::new();
        for key in self.keys() {
            found
                .entry(partition::of(&key, partitions))
                .and_modify(|only| *only = None)
                .or_insert(Some(key));
        }
        found
    }
}

/// Where a subscriber starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    /// With what comes after it joined.
    Latest,
    /// With the oldest entry that is left.
    Earliest,
    /// With entries logged at this time or later, Unix milliseconds.
    Time(u64),
    /// Behind a cursor.
    Cursor(Cursor),
}

/// What to do where entries are gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GapPolicy {
    /// Tell, then fail.
    Fail,
    /// Tell, then go on with the oldest that is left.
    Earliest,
    /// Tell, then go on, in the part of the log that has the gap, with what comes now.
    Latest,
}

/// What a subscriber gets.
#[derive(Debug, Clone)]
pub enum Delivery {
    /// An entry.
    Entry(Arc<Entry>),
    /// Entries are gone; and the log's time at the last place before them, Unix milliseconds, where it is known.
    Gap(Gap, Option<u64>),
}

/// One subscriber.
pub struct Subscriber {
    hub: Arc<Hub>,
    filter: Arc<Filter>,
    policy: GapPolicy,
    sources: BTreeMap<u16, Option<ConversationKey>>,
    /// Where each partition is read on: behind what was delivered.
    positions: BTreeMap<u16, Position>,
    /// Time that stands for partitions whose place is not known yet, and for those that the filter leaves out.
    time_ms: u64,
    phase: Phase,
    failed: bool,
}

enum Phase {
    Detached,
    CatchingUp(CatchUp),
    Live(Joined),
}

/// Reading the log up to the live feed.
struct CatchUp {
    joined: Joined,
    /// Partitions that are still behind.
    behind: VecDeque<u16>,
    /// Entries of the first of them that were read and not delivered yet.
    read: VecDeque<Entry>,
    /// Where to read on once they are delivered, and whether that is the end.
    next: Option<(EntryId, bool)>,
}

impl Subscriber {
    /// A subscriber that has not joined yet.
    pub fn new(hub: Arc<Hub>, filter: Filter, start: Start, policy: GapPolicy) -> Self {
        let partitions = hub.store().partitions();
        let sources = filter.partitions(partitions);
        let at = |position: &dyn Fn(u16) -> Position| sources.keys().map(|p| (*p, position(*p))).collect();
        let (positions, time_ms) = match start {
            Start::Latest => (BTreeMap::new(), 0),
            Start::Earliest => (at(&|_| Position::Earliest), 0),
            Start::Time(ms) => (at(&|_| Position::Since(ms)), ms),
            Start::Cursor(cursor) => (at(&|p| cursor.position(p, partitions)), cursor.time_ms),
        };
        Self {
            hub,
            filter: Arc::new(filter),
            policy,
            sources,
            positions,
            time_ms,
            phase: Phase::Detached,
            failed: false,
        }
    }

    /// Takes its place in the live feed, so that nothing from now on can be missed. Waits for the feed at most `wait`.
    pub async fn join(&mut self, wait: Duration) -> Result<(), Error> {
        self.start_no_later_than_now().await?;
        let mut live = self.hub.live();
        let joined = tokio::time::timeout(wait, async {
            loop {
                if let Some(joined) = self.hub.join(&self.filter) {
                    return Some(joined);
                }
                live.wait_for(|live| *live).await.ok()?;
            }
        });
        let joined = joined.await.ok().flatten().ok_or(Error::StoreUnavailable)?;
        self.begin(joined);
        Ok(())
    }

    /// Entries that come next are logged before a time that lies ahead: a cursor with such a time would hide them from a
    /// resume.
    async fn start_no_later_than_now(&mut self) -> Result<(), Error> {
        let is_time = |position: &Position| matches!(position, Position::Since(_));
        if !self.positions.values().any(is_time) {
            return Ok(());
        }
        let now_ms = self.hub.store().now_ms().await?;
        self.time_ms = self.time_ms.min(now_ms);
        for position in self.positions.values_mut() {
            if let Position::Since(ms) = position {
                *ms = (*ms).min(now_ms);
            }
        }
        Ok(())
    }

    fn begin(&mut self, joined: Joined) {
        if self.positions.is_empty() {
            // The time of a start at the latest: nothing of what the log holds by now is behind it.
            self.time_ms = joined.reached.iter().map(|id| id.ms).max().unwrap_or(0);
        }
        for partition in self.sources.keys() {
            // A subscriber that starts at the latest has no place before it joined.
            let reached = joined.reached[usize::from(*partition)];
            self.positions
                .entry(*partition)
                .or_insert(Position::After(reached));
        }
        let behind = |p: &u16| self.positions[p] != Position::After(joined.reached[usize::from(*p)]);
        self.phase = Phase::CatchingUp(CatchUp {
            behind: self.sources.keys().copied().filter(behind).collect(),
            joined,
            read: VecDeque::new(),
            next: None,
        });
    }

    /// Waits for what comes next. May be dropped while it waits and called again: nothing is lost.
    ///
    /// After a gap under [`GapPolicy::Fail`] it fails with [`Error::CursorGap`].
    pub async fn next(&mut self) -> Result<Delivery, Error> {
        loop {
            if self.failed {
                return Err(Error::CursorGap);
            }
            let delivery = match &mut self.phase {
                Phase::Detached => {
                    self.rejoin().await;
                    None
                }
                Phase::CatchingUp(_) => self.catch_up().await?,
                Phase::Live(joined) => match joined.queue.recv().await {
                    Some(entry) => self.pass_live(entry),
                    None => {
                        self.phase = Phase::Detached;
                        None
                    }
                },
            };
            if let Some(delivery) = delivery {
                return Ok(delivery);
            }
        }
    }

    async fn rejoin(&mut self) {
        let mut live = self.hub.live();
        if let Some(joined) = self.hub.join(&self.filter) {
            self.begin(joined);
        } else if live.wait_for(|live| *live).await.is_err() {
            // The hub is gone: the service is stopping, and the stream's own end is near.
            std::future::pending::<()>().await;
        }
    }

    /// Leaves out what was seen before the seam.
    fn pass_live(&mut self, entry: Arc<Entry>) -> Option<Delivery> {
        if let Some(Position::After(at)) = self.positions.get(&entry.partition)
            && at.epoch == entry.id.epoch
            && entry.id.order() <= at.order()
        {
            return None;
        }
        self.advance(entry.partition, entry.id);
        self.filter.accepts(&entry).then_some(Delivery::Entry(entry))
    }

    fn advance(&mut self, partition: u16, to: EntryId) {
        self.positions.insert(partition, Position::After(to));
    }

    async fn catch_up(&mut self) -> Result<Option<Delivery>, Error> {
        let Phase::CatchingUp(catch_up) = &mut self.phase else {
            return Ok(None);
        };
        if let Some(entry) = catch_up.read.pop_front() {
            self.advance(entry.partition, entry.id);
            return Ok(self
                .filter
                .accepts(&entry)
                .then(|| Delivery::Entry(Arc::new(entry))));
        }
        let Some(partition) = catch_up.behind.front().copied() else {
            if let Phase::CatchingUp(done) = std::mem::replace(&mut self.phase, Phase::Detached) {
                self.phase = Phase::Live(done.joined);
            }
            return Ok(None);
        };
        if let Some((next, at_tail)) = catch_up.next.take() {
            if at_tail {
                catch_up.behind.pop_front();
            }
            self.advance(partition, next);
            return Ok(None);
        }
        let reached = catch_up.joined.reached[usize::from(partition)];
        let from = self.positions[&partition];
        match self.read(partition, from).await {
            Ok(page) if has_reached(&page, reached) => Ok(self.take(partition, from, page)),
            Ok(_) => {
                // Read from a replica that lags, or the feed has not noticed yet that its log is gone: between the two
                // entries would be lost or come twice. So it waits until they agree.
                debug!(partition, "the log and the live feed disagree");
                self.phase = Phase::Detached;
                tokio::time::sleep(RETRY).await;
                Ok(None)
            }
            Err(StoreError::Unavailable(error)) => {
                debug!(error, "the log cannot be read now");
                tokio::time::sleep(RETRY).await;
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn read(&self, partition: u16, from: Position) -> Result<Page, StoreError> {
        let store = self.hub.store();
        match &self.sources[&partition] {
            Some(key) => store.read_conversation(key, from, PAGE).await,
            None => store.read(partition, from, PAGE).await,
        }
    }

    /// Takes a page that was read, and tells of a gap before it.
    fn take(&mut self, partition: u16, from: Position, page: Page) -> Option<Delivery> {
        let Phase::CatchingUp(catch_up) = &mut self.phase else {
            return None;
        };
        let Some(gap) = page.gap else {
            catch_up.read = page.entries.into();
            catch_up.next = Some((page.next, page.at_tail));
            return None;
        };
        metrics::counter!("chatbridge_gaps_total").increment(1);
        let behind_gap = match self.policy {
            GapPolicy::Fail => {
                self.failed = true;
                None
            }
            // The page is read again from here, so that its entries and the place agree.
            GapPolicy::Earliest => Some(page.before_oldest),
            GapPolicy::Latest => {
                catch_up.behind.pop_front();
                Some(catch_up.joined.reached[usize::from(partition)])
            }
        };
        if let Some(id) = behind_gap {
            self.advance(partition, id);
        }
        let after_ms = match from {
            Position::After(id) => (id.ms > 0).then_some(id.ms),
            Position::Since(ms) => Some(ms),
            Position::Earliest => None,
        };
        Some(Delivery::Gap(gap, after_ms))
    }

    /// Moves over entries that did not match, as far as the live feed has come. Only what is delivered moves the cursor
    /// otherwise, and a filter that matches rarely would leave it behind for ever.
    ///
    /// Returns an entry where one was waiting after all.
    pub fn skip_unmatched(&mut self) -> Option<Delivery> {
        let Phase::Live(_) = &self.phase else { return None };
        // Asked first: whatever was handed out up to here is in the queue by now.
        let reached = self.hub.reached()?;
        loop {
            let Phase::Live(joined) = &mut self.phase else {
                return None;
            };
            match joined.queue.try_recv() {
                Ok(entry) => {
                    if let Some(delivery) = self.pass_live(entry) {
                        return Some(delivery);
                    }
                }
                Err(tokio::sync::mpsc::error::TryRecvError::Empty) => break,
                Err(tokio::sync::mpsc::error::TryRecvError::Disconnected) => {
                    self.phase = Phase::Detached;
                    return None;
                }
            }
        }
        let partitions: Vec<u16> = self.sources.keys().copied().collect();
        for partition in partitions {
            let to = reached[usize::from(partition)];
            let ahead = match self.positions[&partition] {
                // Of two epochs, the feed may be the one that has not noticed yet.
                Position::After(at) => at.epoch == 0 || (at.epoch == to.epoch && to.order() > at.order()),
                Position::Earliest | Position::Since(_) => true,
            };
            if ahead {
                self.advance(partition, to);
            }
        }
        None
    }

    /// The place behind what was delivered.
    pub fn cursor(&self) -> Cursor {
        let positions: Vec<(u16, EntryId)> = self
            .positions
            .iter()
            .filter_map(|(partition, position)| match position {
                Position::After(id) => Some((*partition, *id)),
                Position::Earliest | Position::Since(_) => None,
            })
            .collect();
        // Once every place is known, the time only serves a later stream whose filter has grown.
        let newest = positions.iter().map(|(_, id)| id.ms).max().unwrap_or(0);
        let resolved = positions.len() == self.sources.len();
        Cursor {
            time_ms: if resolved {
                newest.max(self.time_ms)
            } else {
                self.time_ms
            },
            partitions: self.hub.store().partitions(),
            positions,
        }
    }
}

/// Whether the log, as it was read, holds all that the live feed has handed out.
fn has_reached(page: &Page, reached: EntryId) -> bool {
    reached.epoch == 0 || (page.tail.epoch == reached.epoch && page.tail.order() >= reached.order())
}
