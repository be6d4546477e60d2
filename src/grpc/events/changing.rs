//! Streams whose conversations change while they are open.
//!
//! A change may come to another replica than its stream. So it goes through the store; each replica that has such streams
//! asks the store a few times a second which streams were changed, and rings their bells. A stream whose bell rang looks for
//! its changes. It looks now and then without a bell, too, which renews its record, and finds what the bell has missed.

use std::{
    collections::HashMap,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use futures_util::task::AtomicWaker;
use prost::Message as _;
use tokio::{sync::Notify, time::Instant};
use tracing::debug;

use super::request;
use crate::{
    event::TenantId,
    fanout::{Change, Subscriber},
    grpc::proto::ChangeAgentEventsRequest,
    store::{SharedStore, StoreError, StreamKey},
};

/// How often the store is asked which streams were changed.
const ASK_EVERY: Duration = Duration::from_millis(100);
/// How long nobody asks, and a stream that was changed does not look, after that failed.
const ASK_AGAIN: Duration = Duration::from_secs(1);
/// How often a stream looks for changes by itself.
const LOOK_EVERY: Duration = Duration::from_secs(15);
/// For how long the store knows a stream that does not look.
const KNOWN_MS: u64 = 120_000;

/// The streams of this replica that may be changed.
#[derive(Default)]
pub struct Bells {
    bells: Mutex<HashMap<String, Arc<Bell>>>,
    /// Told when the first stream is there.
    first: Notify,
}

#[derive(Default)]
struct Bell {
    rang: AtomicBool,
    waker: AtomicWaker,
}

impl Bell {
    fn ring(&self) {
        self.rang.store(true, Ordering::Release);
        self.waker.wake();
    }
}

impl Bells {
    /// Asks the store which streams were changed, as long as there are any here. It never ends.
    pub async fn ask(self: Arc<Self>, store: SharedStore) {
        let mut mark = None;
        loop {
            if self.bells().is_empty() {
                mark = None;
                self.first.notified().await;
                continue;
            }
            match store.streams().changed(mark.as_deref()).await {
                Ok(changed) => {
                    if mark.is_none() {
                        // What was changed before is not told.
                        self.bells().values().for_each(|bell| bell.ring());
                    }
                    for id in &changed.ids {
                        self.ring(id);
                    }
                    mark = Some(changed.mark);
                    tokio::time::sleep(ASK_EVERY).await;
                }
                Err(error) => {
                    debug!(%error, "the store does not say which streams were changed");
                    mark = None;
                    tokio::time::sleep(ASK_AGAIN).await;
                }
            }
        }
    }

    /// Tells a stream that it was changed, if it is here.
    pub fn ring(&self, id: &str) {
        let bell = self.bells().get(id).map(Arc::clone);
        if let Some(bell) = bell {
            bell.ring();
        }
    }

    fn bells(&self) -> MutexGuard<'_, HashMap<String, Arc<Bell>>> {
        // Nothing that holds the lock leaves the map half changed.
        self.bells.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

type Found = Result<Option<Vec<(u64, Bytes)>>, StoreError>;

/// What a stream keeps that may be changed.
pub(super) struct Changeable {
    stream: StreamKey,
    store: SharedStore,
    bells: Weak<Bells>,
    bell: Arc<Bell>,
    /// The last change that the subscriber was handed, and the last that took effect.
    handed: u64,
    applied: u64,
    looking: Option<Pin<Box<dyn Future<Output = Found> + Send>>>,
    look_at: Instant,
    /// Whether the bell rang for the look that is under way.
    rang: bool,
}

impl Changeable {
    /// Makes a stream of these conversations known to the store.
    pub(super) async fn open(
        tenant: TenantId,
        store: SharedStore,
        bells: &Arc<Bells>,
        conversations: &[String],
    ) -> Result<Self, StoreError> {
        // 128 random bits.
        let id = uuid::Uuid::from_u128(rand::random()).simple().to_string();
        let stream = StreamKey { tenant, id };
        store.streams().open(&stream, 0, conversations, KNOWN_MS).await?;
        let bell = Arc::new(Bell::default());
        bells.bells().insert(stream.id.clone(), Arc::clone(&bell));
        bells.first.notify_one();
        Ok(Self {
            stream,
            store,
            bells: Arc::downgrade(bells),
            bell,
            handed: 0,
            applied: 0,
            looking: None,
            look_at: Instant::now() + LOOK_EVERY,
            rang: false,
        })
    }

    /// How the stream is called.
    pub(super) fn id(&self) -> &str {
        &self.stream.id
    }

    /// A change took effect.
    pub(super) fn applied(&mut self, revision: u64) {
        self.applied = revision;
        // So that the store lets go of it, before they are too many.
        self.look_at = self.look_at.min(Instant::now() + Duration::from_secs(1));
    }

    /// When it is to be polled again at the latest. A look that is under way wakes the stream by itself, however late it is.
    pub(super) fn due(&self) -> Option<Instant> {
        self.looking.is_none().then_some(self.look_at)
    }

    /// Looks for changes where there may be some, and hands them to the subscriber.
    pub(super) fn poll(&mut self, subscriber: &mut Subscriber, now: Instant, context: &mut Context<'_>) {
        self.bell.waker.register(context.waker());
        loop {
            if let Some(looking) = &mut self.looking {
                let Poll::Ready(found) = looking.as_mut().poll(context) else {
                    return;
                };
                self.looking = None;
                self.look_at = now + LOOK_EVERY;
                match found {
                    Ok(Some(changes)) => {
                        self.rang = false;
                        self.hand_on(changes, subscriber);
                    }
                    Ok(None) => self.looking = Some(self.open_again(subscriber)),
                    Err(error) => {
                        debug!(%error, "a stream cannot look for its changes now");
                        if self.rang {
                            self.look_at = now + ASK_AGAIN;
                        }
                    }
                }
            } else if self.bell.rang.swap(false, Ordering::Acquire) {
                self.rang = true;
                self.looking = Some(self.look());
            } else if now >= self.look_at {
                self.looking = Some(self.look());
            } else {
                return;
            }
        }
    }

    fn look(&self) -> Pin<Box<dyn Future<Output = Found> + Send>> {
        let (store, stream, applied) = (Arc::clone(&self.store), self.stream.clone(), self.applied);
        Box::pin(async move { store.streams().waiting(&stream, applied, KNOWN_MS).await })
    }

    /// The store has lost the stream's record.
    fn open_again(&self, subscriber: &Subscriber) -> Pin<Box<dyn Future<Output = Found> + Send>> {
        let (store, stream, handed) = (Arc::clone(&self.store), self.stream.clone(), self.handed);
        let conversations = subscriber.conversations();
        Box::pin(async move {
            store
                .streams()
                .open(&stream, handed, &conversations, KNOWN_MS)
                .await?;
            Ok(Some(Vec::new()))
        })
    }

    fn hand_on(&mut self, changes: Vec<(u64, Bytes)>, subscriber: &mut Subscriber) {
        for (revision, record) in changes {
            if revision <= self.handed {
                continue;
            }
            self.handed = revision;
            // It was checked before it was put there.
            let change = ChangeAgentEventsRequest::decode(record)
                .ok()
                .and_then(|request| request::change(&request, revision).ok())
                .unwrap_or_else(|| Change {
                    revision,
                    remove: Vec::new(),
                    add: [].into(),
                });
            subscriber.change(change);
        }
    }
}

impl Drop for Changeable {
    fn drop(&mut self) {
        if let Some(bells) = self.bells.upgrade() {
            bells.bells().remove(&self.stream.id);
        }
        // Whoever changes a stream that is over is to hear of it. Where this fails, the record expires.
        let (store, stream) = (Arc::clone(&self.store), self.stream.clone());
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move { store.streams().close(&stream).await });
        }
    }
}

#[cfg(test)]
mod tests;
