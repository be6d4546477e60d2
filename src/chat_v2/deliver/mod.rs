//! Sends events to the webhooks that clients of v2 registered.
//!
//! On each replica and for each tenant there are a [`router`] and a [`courier`]. The router reads the log, from a durable place, and
//! puts events into outboxes ([`crate::store::outbox`]), one for each webhook: [`directory`] tells which. The courier sends what
//! is in the outboxes, and [`judge`] says what follows from a failure. Replicas need not know of each other: the store shares out
//! the log's conversations among routers, and the outboxes' among couriers.

mod courier;
mod directory;
mod judge;
mod router;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{sync::Notify, task::JoinSet};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use self::directory::Directory;
use super::{DEAD_LETTERS, FAILING, FAILING_SECONDS, SharedPolicy, WAITING, outgoing::Outgoing};
use crate::{
    event::TenantId,
    store::{
        SharedStore, StoreError,
        chat_v2::SharedChatV2,
        outbox::{DeadReason, OutboxState, SharedOutbox},
    },
    subscription::Subscriptions,
    tenant::Tenants,
};

/// How often it is looked for tenants that came or went.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How often outboxes are counted.
const COUNT_EVERY: Duration = Duration::from_secs(10);

/// Shows that nothing waits, until outboxes are counted.
pub(crate) fn show_nothing() {
    for gauge in [WAITING, FAILING, FAILING_SECONDS] {
        metrics::gauge!(gauge).set(0.0);
    }
}

/// How events are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sending {
    /// How long a receiver may take to answer.
    pub timeout: Duration,
    /// How often an event may be refused until it is a dead letter.
    pub attempts: u32,
    /// How old an event may be that is tried once more.
    pub retry_for: Duration,
    /// How many events may wait for one webhook.
    pub waiting_max: u64,
}

impl Default for Sending {
    /// As the settings have it.
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(10),
            attempts: 10,
            retry_for: Duration::from_hours(24),
            waiting_max: 100_000,
        }
    }
}

/// What all that send share.
struct Shared {
    store: SharedStore,
    outbox: SharedOutbox,
    chat_v2: SharedChatV2,
    subscriptions: Subscriptions,
    directory: Directory,
    outgoing: Arc<Outgoing>,
    sending: Sending,
    bells: Mutex<HashMap<TenantId, Arc<Notify>>>,
}

impl Shared {
    /// Tells a tenant's courier that there is something to send.
    fn bell(&self, tenant: &TenantId) {
        if let Some(bell) = self.bells().get(tenant) {
            bell.notify_one();
        }
    }

    fn bells(&self) -> std::sync::MutexGuard<'_, HashMap<TenantId, Arc<Notify>>> {
        self.bells.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sends events to webhooks.
pub struct Deliveries {
    shared: Arc<Shared>,
    tenants: Tenants,
    policy: SharedPolicy,
}

/// What a replica reads and keeps.
pub struct Kept {
    /// The log.
    pub store: SharedStore,
    /// Outboxes.
    pub outbox: SharedOutbox,
    /// Webhooks and channels.
    pub chat_v2: SharedChatV2,
    /// The place in the log.
    pub subscriptions: Subscriptions,
}

impl Deliveries {
    pub(super) fn new(
        kept: Kept,
        tenants: Tenants,
        policy: SharedPolicy,
        outgoing: Arc<Outgoing>,
        sending: Sending,
    ) -> Self {
        let Kept {
            store,
            outbox,
            chat_v2,
            subscriptions,
        } = kept;
        let directory = Directory::new(Arc::clone(&store), Arc::clone(&chat_v2), tenants.clone());
        Self {
            shared: Arc::new(Shared {
                store,
                outbox,
                chat_v2,
                subscriptions,
                directory,
                outgoing,
                sending,
                bells: Mutex::default(),
            }),
            tenants,
            policy,
        }
    }

    /// Sends the events of all tenants that clients of v2 may use, until it is told to stop; then ends what is under way.
    pub async fn run(self, stop: CancellationToken) {
        let mut tasks = JoinSet::new();
        let mut running: HashMap<TenantId, CancellationToken> = HashMap::new();
        let mut counted_at = None;
        loop {
            let wanted = self.wanted();
            running.retain(|tenant, stop| {
                let stays = wanted.contains(tenant);
                if !stays {
                    stop.cancel();
                    self.shared.bells().remove(tenant);
                }
                stays
            });
            for tenant in wanted {
                running
                    .entry(tenant)
                    .or_insert_with_key(|tenant| self.start(tenant, &stop, &mut tasks));
            }
            if counted_at.is_none_or(|at: tokio::time::Instant| at.elapsed() >= COUNT_EVERY) {
                counted_at = Some(tokio::time::Instant::now());
                if let Err(error) = self.count(running.keys()).await {
                    debug!(%error, "outboxes of webhooks cannot be counted now");
                }
            }
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                Some(Err(error)) = tasks.join_next() => {
                    warn!(%error, "sending to webhooks of Chat API v2 broke off and begins anew");
                    running.drain().for_each(|(_, stop)| stop.cancel());
                }
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
        while tasks.join_next().await.is_some() {}
    }

    fn start(
        &self,
        tenant: &TenantId,
        stop: &CancellationToken,
        tasks: &mut JoinSet<()>,
    ) -> CancellationToken {
        let (stop, bell) = (stop.child_token(), Arc::new(Notify::new()));
        self.shared.bells().insert(tenant.clone(), Arc::clone(&bell));
        tasks.spawn(router::run(
            Arc::clone(&self.shared),
            tenant.clone(),
            stop.clone(),
        ));
        tasks.spawn(courier::run(
            Arc::clone(&self.shared),
            tenant.clone(),
            bell,
            stop.clone(),
        ));
        stop
    }

    fn wanted(&self) -> Vec<TenantId> {
        let policy = self.policy.now();
        let is_used = |id: &TenantId| policy.clients.iter().any(|client| client.tenants.has(id));
        self.tenants.ids().into_iter().filter(is_used).collect()
    }

    async fn count(&self, tenants: impl Iterator<Item = &TenantId>) -> Result<(), StoreError> {
        let mut all: Vec<OutboxState> = Vec::new();
        for tenant in tenants {
            all.extend(self.shared.outbox.outboxes(tenant).await?);
        }
        let now_ms = self.shared.store.now_ms().await?;
        let waiting: u64 = all.iter().map(|outbox| outbox.waiting).sum();
        let failing = all.iter().filter(|outbox| outbox.failing_since_ms != 0);
        let longest_ms = failing
            .clone()
            .map(|outbox| now_ms.saturating_sub(outbox.failing_since_ms))
            .max();
        metrics::gauge!(WAITING).set(as_f64(waiting));
        metrics::gauge!(FAILING).set(as_f64(failing.count() as u64));
        metrics::gauge!(FAILING_SECONDS).set(as_f64(longest_ms.unwrap_or(0)) / 1000.0);
        Ok(())
    }
}

#[allow(clippy::cast_precision_loss, reason = "far below 2^52")]
fn as_f64(number: u64) -> f64 {
    number as f64
}

fn count_dead(reason: DeadReason) {
    metrics::counter!(DEAD_LETTERS, "reason" => reason.as_str()).increment(1);
}
