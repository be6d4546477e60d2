//! How a subscription is doing: its members, how far it is behind, and whether anybody gets on.

use std::{collections::BTreeMap, time::Duration};

use futures_util::future;
use tokio_util::sync::CancellationToken;
use tracing::debug;

use super::{
    Kind, Subscriptions,
    definition::Subscription,
    judge::{State, judge, stalls_after_ms},
};
use crate::{
    error::Error,
    event::{Position, TenantId},
    store::{
        Entry, partition,
        subscription::{Member, Slot, Slots, SubscriptionKey},
    },
};

/// How many entries of a partition are looked through for one that waits.
const LOOK: usize = 256;
/// How often the metrics are brought up to date, and for how many subscriptions of a tenant.
const WATCH_EVERY: Duration = Duration::from_secs(15);
const WATCHED_MAX: usize = 100;

/// How a subscription is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Judged as a whole.
    pub state: State,
    /// The streams that read it, the oldest first.
    pub members: Vec<Member>,
    /// How many entries lie behind what was committed, at the most.
    pub lag_at_most: u64,
    /// When something was last committed, Unix milliseconds; 0: never.
    pub committed_ms: u64,
}

/// Places of a subscription in one partition.
struct Places {
    partition: u16,
    /// By share; of a durable subscription one, under no share.
    places: BTreeMap<Option<u16>, Position>,
}

/// What lies behind them.
#[derive(Default)]
struct Behind {
    lag: u64,
    /// When the oldest entry that waits was logged, Unix milliseconds.
    waiting_since_ms: Option<u64>,
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

impl Subscriptions {
    pub(super) async fn status(
        &self,
        tenant: &TenantId,
        name: &str,
        subscription: &Subscription,
    ) -> Result<Status, Error> {
        let key = subscription.key(tenant, name);
        let (slots, roster) =
            future::try_join(self.all_slots(&key, subscription), self.store.roster(&key)).await?;
        let committed_ms = slots.values().map(|slot| slot.committed_ms).max().unwrap_or(0);
        let quiet_ms = roster
            .now_ms
            .saturating_sub(committed_ms.max(subscription.created_ms));
        // Only where nobody has committed for long it matters what waits.
        let limit = if quiet_ms > stalls_after_ms(subscription) {
            LOOK
        } else {
            1
        };
        let places = self.places(tenant, subscription, &slots)?;
        let behind = places
            .iter()
            .map(|places| self.behind(tenant, subscription, places, limit));
        let behind = future::try_join_all(behind).await?;
        let waiting = behind.iter().filter_map(|behind| behind.waiting_since_ms).min();
        let mut members = roster.members;
        if subscription.definition.kind == Kind::Durable {
            // Whoever was taken over may not know it yet.
            members.retain(|member| slots.values().any(|slot| slot.owner == member.id));
        }
        Ok(Status {
            state: judge(subscription, roster.now_ms, members.len(), waiting, committed_ms),
            members,
            lag_at_most: behind.iter().map(|behind| behind.lag).sum(),
            committed_ms,
        })
    }

    async fn all_slots(
        &self,
        key: &SubscriptionKey,
        subscription: &Subscription,
    ) -> Result<BTreeMap<u16, Slot>, crate::store::StoreError> {
        let kinds: Vec<Slots> = match subscription.definition.kind {
            Kind::Durable => vec![Slots::Durable],
            Kind::Shared => (0..self.hub.store().partitions()).map(Slots::Shares).collect(),
        };
        let read = kinds.into_iter().map(|slots| self.store.read_slots(key, slots));
        Ok(future::try_join_all(read).await?.into_iter().flatten().collect())
    }

    fn places(
        &self,
        tenant: &TenantId,
        subscription: &Subscription,
        slots: &BTreeMap<u16, Slot>,
    ) -> Result<Vec<Places>, Error> {
        let partitions = self.hub.store().partitions();
        let mut by_partition: BTreeMap<u16, BTreeMap<Option<u16>, Position>> = BTreeMap::new();
        let place = |slot: u16| {
            let position = slots.get(&slot).map_or([].as_slice(), |slot| &slot.position);
            subscription.place(position)
        };
        match subscription.definition.kind {
            Kind::Durable => {
                let cursor = place(0)?;
                for partition in subscription.read_partitions(tenant, partitions) {
                    let place = cursor.position(partition, partitions);
                    by_partition.entry(partition).or_default().insert(None, place);
                }
            }
            Kind::Shared => {
                for share in 0..partition::SHARES {
                    let partition = partition::of_share(share, partitions);
                    let place = place(share)?.position(partition, partitions);
                    by_partition
                        .entry(partition)
                        .or_default()
                        .insert(Some(share), place);
                }
            }
        }
        let places = by_partition
            .into_iter()
            .map(|(partition, places)| Places { partition, places });
        Ok(places.collect())
    }

    async fn behind(
        &self,
        tenant: &TenantId,
        subscription: &Subscription,
        places: &Places,
        limit: usize,
    ) -> Result<Behind, Error> {
        let store = self.hub.store();
        let partitions = store.partitions();
        let page = store.read(places.partition, places.from(), limit).await?;
        let lag = page
            .entries
            .first()
            .map_or(0, |first| page.tail.n.saturating_sub(first.id.n) + 1);
        let filter = subscription.filter(tenant, None);
        let mut waiting = page
            .entries
            .iter()
            .filter(|entry| filter.accepts(entry, partitions) && places.admits(entry, partitions))
            .map(|entry| entry.id.ms);
        let first = waiting.next();
        // Where all that was looked at is of no interest, and more follows, something of interest may.
        let unseen = page
            .entries
            .last()
            .filter(|_| !page.at_tail)
            .map(|last| last.id.ms);
        Ok(Behind {
            lag,
            waiting_since_ms: first.or(unseen),
        })
    }

    /// Keeps the metrics of these tenants' subscriptions up to date until `shutdown`.
    pub async fn watch(self, tenants: Vec<TenantId>, shutdown: CancellationToken) {
        while shutdown
            .run_until_cancelled(tokio::time::sleep(WATCH_EVERY))
            .await
            .is_some()
        {
            let mut all = Vec::new();
            for tenant in &tenants {
                match self.list(tenant, "", WATCHED_MAX).await {
                    Ok(listed) => all.extend(listed.into_iter().map(|(_, _, status)| status)),
                    Err(error) => debug!(%error, "subscriptions cannot be looked at now"),
                }
            }
            for (state, name) in [
                (State::Active, "active"),
                (State::Idle, "idle"),
                (State::Stalled, "stalled"),
            ] {
                let count = all.iter().filter(|status| status.state == state).count();
                metrics::gauge!("chatbridge_subscriptions", "state" => name).set(count as f64);
            }
            let lag = all.iter().map(|status| status.lag_at_most).max().unwrap_or(0);
            metrics::gauge!("chatbridge_subscription_lag_max").set(lag as f64);
        }
    }
}
