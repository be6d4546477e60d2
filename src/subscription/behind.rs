//! What lies behind the places of a subscription, and since when something of it waits.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::{Subscriptions, definition::Subscription};
use crate::{
    error::Error,
    event::{ConversationKey, EntryId, Position, TenantId},
    store::{Entry, partition},
};

/// How many entries are read at a time in search of one that waits. Most often the first is one.
const PAGES: [usize; 10] = [1, 16, 64, 256, 256, 256, 256, 256, 256, 256];
/// How many partitions of subscriptions are known to have been looked through.
const LOOKS_MAX: usize = 20_000;

/// Places of a subscription in one partition.
pub(super) struct Places {
    pub(super) partition: u16,
    /// By share; of a durable subscription one, under no share.
    pub(super) places: BTreeMap<Option<u16>, Position>,
}

/// What lies behind them.
#[derive(Default)]
pub(super) struct Behind {
    pub(super) lag: u64,
    /// When the oldest entry that waits was logged, Unix milliseconds.
    pub(super) waiting_since_ms: Option<u64>,
}

/// Up to where partitions were looked through in vain, by subscription: what nobody reads is looked through once, not again
/// every time that somebody asks.
#[derive(Default)]
pub(super) struct Looks(Mutex<HashMap<(u64, u16), Look>>);

struct Look {
    /// It holds for this place and this time of the last commit.
    from: Position,
    committed_ms: u64,
    upto: EntryId,
}

impl Places {
    /// Whether an entry lies behind the place of its share.
    fn admits(&self, entry: &Entry, partitions: u16) -> bool {
        let of_share = || self.places.get(&Some(partition::share(&entry.key, partitions)));
        match self.places.get(&None).or_else(of_share) {
            None => false,
            Some(Position::Earliest) => true,
            Some(Position::Since(ms)) => entry.id.ms >= *ms,
            Some(Position::After(at)) => at.epoch != entry.id.epoch || entry.id.order() > at.order(),
        }
    }

    /// Places to read from so that nothing behind any of them is left out.
    fn from(&self) -> Position {
        let key = |position: &&Position| match position {
            Position::Earliest => (0, 0),
            Position::Since(ms) => (*ms, 0),
            Position::After(id) => id.order(),
        };
        self.places
            .values()
            .min_by_key(key)
            .copied()
            .unwrap_or(Position::Earliest)
    }
}

impl Looks {
    fn lock(&self) -> MutexGuard<'_, HashMap<(u64, u16), Look>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn upto(&self, key: (u64, u16), from: Position, committed_ms: u64) -> Option<Position> {
        let looks = self.lock();
        let known = looks.get(&key)?;
        let holds = (known.from, known.committed_ms) == (from, committed_ms);
        holds.then_some(Position::After(known.upto))
    }

    fn note(&self, key: (u64, u16), look: Look) {
        let mut looks = self.lock();
        if looks.len() >= LOOKS_MAX && !looks.contains_key(&key) {
            looks.clear();
        }
        looks.insert(key, look);
    }
}

impl Subscriptions {
    /// What lies behind places; what waits there only with `looks`, the time of the last commit.
    pub(super) async fn behind(
        &self,
        tenant: &TenantId,
        subscription: &Subscription,
        places: &Places,
        looks: Option<u64>,
    ) -> Result<Behind, Error> {
        let page = self.hub.read(places.partition, None, places.from(), 1).await?;
        let Some(first) = page.entries.first() else {
            return Ok(Behind::default());
        };
        let waiting_since_ms = match looks {
            Some(committed_ms) => self.waiting(tenant, subscription, places, committed_ms).await?,
            None => None,
        };
        Ok(Behind {
            lag: page.tail.n.saturating_sub(first.id.n) + 1,
            waiting_since_ms,
        })
    }

    /// When the first entry that waits was logged. Where many are of no interest, it may take several calls to come to one that
    /// is: until then nothing is known to wait.
    async fn waiting(
        &self,
        tenant: &TenantId,
        subscription: &Subscription,
        places: &Places,
        committed_ms: u64,
    ) -> Result<Option<u64>, Error> {
        let partitions = self.hub.store().partitions();
        let (partition, from) = (places.partition, places.from());
        let key = (subscription.uid, partition);
        let filter = subscription.filter(tenant, None);
        let only = only(tenant, subscription, partition, partitions);
        let mut at = self.looks.upto(key, from, committed_ms).unwrap_or(from);
        for size in PAGES {
            let page = self.hub.read(partition, only.as_ref(), at, size).await?;
            if page.gap.is_some() && at != from {
                // What was looked through is gone, or is not what it was.
                at = from;
                continue;
            }
            let waits =
                |entry: &&Entry| filter.accepts(entry, partitions) && places.admits(entry, partitions);
            if let Some(entry) = page.entries.iter().find(waits) {
                return Ok(Some(entry.id.ms));
            }
            let Some(last) = page.entries.last() else { break };
            at = Position::After(last.id);
            let upto = last.id;
            self.looks.note(
                key,
                Look {
                    from,
                    committed_ms,
                    upto,
                },
            );
            if page.at_tail {
                break;
            }
        }
        Ok(None)
    }
}

/// The only conversation that a subscription reads in a partition, where it is just one: it has an index.
fn only(
    tenant: &TenantId,
    subscription: &Subscription,
    partition: u16,
    partitions: u16,
) -> Option<ConversationKey> {
    let conversations = subscription.definition.conversations.iter();
    let mut here = conversations
        .map(|id| ConversationKey::new(tenant.clone(), id))
        .filter(|key| partition::of(key, partitions) == partition);
    let first = here.next();
    first.filter(|_| here.next().is_none())
}
