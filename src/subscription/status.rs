//! How a subscription is doing: its members, how far it is behind, and whether anybody gets on.

use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError},
    time::Duration,
};

use futures_util::future;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use super::{
    Kind, Subscriptions,
    behind::Places,
    definition::Subscription,
    judge::{State, judge, stalls_after_ms},
};
use crate::{
    error::Error,
    event::{Position, TenantId},
    store::{
        partition,
        subscription::{Member, Slot, Slots, SubscriptionKey},
    },
    tenant::Tenants,
};

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

/// How a subscription was doing when it was last looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Whose it is.
    pub tenant: TenantId,
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// How it was doing.
    pub status: Status,
}

impl Subscriptions {
    /// The subscriptions as they were last looked at, which is done every 15 s; the first 100 of each tenant.
    pub fn seen(&self) -> Arc<[Seen]> {
        Arc::clone(&self.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }

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
        let looks = (quiet_ms > stalls_after_ms(subscription)).then_some(committed_ms);
        let places = self.places(tenant, subscription, &slots)?;
        let behind = places
            .iter()
            .map(|places| self.behind(tenant, subscription, places, looks));
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

    /// Keeps the metrics of these tenants' subscriptions up to date until `shutdown`.
    pub async fn watch(self, tenants: Tenants, shutdown: CancellationToken) {
        loop {
            match self.survey(&tenants.ids()).await {
                Ok(all) => {
                    show(&all);
                    *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = all.into();
                }
                // What was seen last is nearer to the truth than nothing.
                Err(error) => debug!(%error, "subscriptions cannot be looked at now"),
            }
            let pause = shutdown.run_until_cancelled(tokio::time::sleep(WATCH_EVERY));
            if pause.await.is_none() {
                break;
            }
        }
    }

    /// How the subscriptions of these tenants are doing. One that cannot be read hides no other.
    async fn survey(&self, tenants: &[TenantId]) -> Result<Vec<Seen>, Error> {
        let mut all = Vec::new();
        for tenant in tenants {
            for (name, kept) in self.store.definitions(tenant, "", WATCHED_MAX).await? {
                let status = async {
                    let subscription = Subscription::decode(&kept)?;
                    Ok(Seen {
                        tenant: tenant.clone(),
                        name: name.clone(),
                        kind: subscription.definition.kind,
                        status: self.status(tenant, &name, &subscription).await?,
                    })
                };
                match status.await {
                    Ok(status) => all.push(status),
                    Err(error @ Error::StoreCorrupt) => {
                        warn!(%tenant, name, %error, "a subscription cannot be looked at");
                    }
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(all)
    }
}

fn show(all: &[Seen]) {
    for (state, name) in [
        (State::Active, "active"),
        (State::Idle, "idle"),
        (State::Stalled, "stalled"),
    ] {
        let count = all.iter().filter(|seen| seen.status.state == state).count();
        metrics::gauge!("chatbridge_subscriptions", "state" => name).set(count as f64);
    }
    let lag = all.iter().map(|seen| seen.status.lag_at_most).max().unwrap_or(0);
    metrics::gauge!("chatbridge_subscription_lag_max").set(lag as f64);
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;

    use super::*;
    use crate::{
        fanout::Hub,
        store::{Retention, memory::MemoryStore, subscription::SubscriptionStore as _},
        subscription::{Definition, StartAt},
    };

    #[tokio::test]
    async fn one_that_cannot_be_read_hides_no_other() {
        let store = Arc::new(MemoryStore::new(4, Retention::default()));
        let subscriptions = Subscriptions::new(Hub::new(store.clone()), store.clone());
        let tenant = TenantId::new("t");
        let definition = Definition {
            kind: Kind::Durable,
            conversations: [].into(),
            kinds: [].into(),
            echoes: false,
            start: StartAt::Latest,
            lease_ms: 1000,
        };
        for name in ["a", "c"] {
            subscriptions
                .create(&tenant, name, definition.clone())
                .await
                .unwrap();
        }
        let nonsense = Bytes::from_static(b"{}");
        store.define(&tenant, "b", &nonsense).await.unwrap();
        assert_eq!(subscriptions.survey(&[tenant]).await.unwrap().len(), 2);
    }
}
