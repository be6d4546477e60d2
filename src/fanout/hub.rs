//! The hub: tails the log and hands entries to subscribers.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use super::subscriber::Filter;
use crate::{
    event::{ConversationKey, EntryId, TenantId},
    store::{Entry, SharedStore, StoreError},
};

/// How many entries may wait for one subscriber before it is detached from the live feed.
const QUEUE: usize = 256;
const RETRY_MIN: Duration = Duration::from_millis(100);
const RETRY_MAX: Duration = Duration::from_secs(2);

/// Hands entries of the log to subscribers.
pub struct Hub {
    store: SharedStore,
    registry: Mutex<Registry>,
    live: watch::Sender<bool>,
}

#[derive(Default)]
struct Registry {
    /// How far the live feed has come in each partition; empty while there is none.
    reached: Vec<EntryId>,
    next_id: u64,
    queues: HashMap<u64, mpsc::Sender<Arc<Entry>>>,
    by_conversation: HashMap<ConversationKey, Vec<u64>>,
    by_tenant: HashMap<TenantId, Vec<u64>>,
}

/// A place in the live feed.
pub(super) struct Joined {
    hub: Arc<Hub>,
    id: u64,
    filter: Arc<Filter>,
    /// Entries behind `reached`; ends when the subscriber is detached.
    pub(super) queue: mpsc::Receiver<Arc<Entry>>,
    /// How far the live feed had come in each partition.
    pub(super) reached: Vec<EntryId>,
}

impl Drop for Joined {
    fn drop(&mut self) {
        self.hub.leave(self.id, &self.filter);
    }
}

impl Hub {
    /// A hub over a store. It hands out nothing until [`Hub::run`] runs.
    pub fn new(store: SharedStore) -> Arc<Self> {
        Arc::new(Self {
            store,
            registry: Mutex::default(),
            live: watch::Sender::new(false),
        })
    }

    /// The store.
    pub fn store(&self) -> &SharedStore {
        &self.store
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
            self.live.send_replace(true);
        }
        info!("the live feed runs");
        loop {
            let entries = tail.next().await?;
            self.dispatch(entries);
        }
    }

    fn dispatch(&self, entries: Vec<Entry>) {
        let mut registry = self.registry();
        for entry in entries {
            registry.dispatch(&Arc::new(entry));
        }
    }

    /// Takes a place in the live feed; `None` while there is none.
    pub(super) fn join(self: &Arc<Self>, filter: &Arc<Filter>) -> Option<Joined> {
        let mut registry = self.registry();
        if registry.reached.is_empty() {
            return None;
        }
        let (sender, queue) = mpsc::channel(QUEUE);
        let id = registry.next_id;
        registry.next_id += 1;
        registry.queues.insert(id, sender);
        registry.enlist(id, filter);
        Some(Joined {
            hub: Arc::clone(self),
            id,
            filter: Arc::clone(filter),
            queue,
            reached: registry.reached.clone(),
        })
    }

    /// How far the live feed has come; `None` while there is none.
    pub(super) fn reached(&self) -> Option<Vec<EntryId>> {
        let registry = self.registry();
        (!registry.reached.is_empty()).then(|| registry.reached.clone())
    }

    fn leave(&self, id: u64, filter: &Filter) {
        let mut registry = self.registry();
        registry.queues.remove(&id);
        registry.delist(id, filter);
    }

    /// Ends the live feed for everybody, and says whether there was one. What `live` tells and what the registry holds change
    /// together, so that nobody who is told of a feed finds none.
    fn detach_all(&self) -> bool {
        let mut registry = self.registry();
        registry.reached.clear();
        registry.queues.clear();
        self.live.send_replace(false)
    }

    fn registry(&self) -> MutexGuard<'_, Registry> {
        // Nothing that holds the lock leaves the registry half changed.
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Registry {
    fn enlist(&mut self, id: u64, filter: &Filter) {
        if filter.conversations.is_empty() {
            self.by_tenant.entry(filter.tenant.clone()).or_default().push(id);
        }
        for key in filter.keys() {
            self.by_conversation.entry(key).or_default().push(id);
        }
    }

    fn delist(&mut self, id: u64, filter: &Filter) {
        fn remove<K: std::hash::Hash + Eq>(map: &mut HashMap<K, Vec<u64>>, key: &K, id: u64) {
            if let Some(ids) = map.get_mut(key) {
                ids.retain(|i| *i != id);
                if ids.is_empty() {
                    map.remove(key);
                }
            }
        }
        if filter.conversations.is_empty() {
            remove(&mut self.by_tenant, &filter.tenant, id);
        }
        for key in filter.keys() {
            remove(&mut self.by_conversation, &key, id);
        }
    }

    fn dispatch(&mut self, entry: &Arc<Entry>) {
        if let Some(reached) = self.reached.get_mut(usize::from(entry.partition)) {
            *reached = entry.id;
        }
        let of_conversation = self.by_conversation.get(&entry.key);
        let of_tenant = self.by_tenant.get(&entry.key.tenant);
        for id in of_conversation.into_iter().chain(of_tenant).flatten() {
            let Some(queue) = self.queues.get(id) else {
                continue;
            };
            if queue.try_send(Arc::clone(entry)).is_err() {
                // Full: without its sender the subscriber empties the queue and then reads the log.
                self.queues.remove(id);
                metrics::counter!("chatbridge_subscribers_detached_total").increment(1);
            }
        }
    }
}
