//! A replica's way to the store: its live feed breaks and its reads fail on demand, and it may have a planted fault.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU32, Ordering},
};

use async_trait::async_trait;
use chatbridge::store::Entry;
use chatbridge::{
    conversation::{Session, SessionChange},
    event::{ConversationKey, EntryId, Position, TenantId},
    store::{
        Announcement, Append, Appended, Begun, Concluded, Customer, CustomerKey, Erased, Finished,
        IdempotencyKey, Ledger, LedgerKey, Page, SessionMark, Store, StoreError, StreamRecords, Tail,
    },
};
use rand::{RngExt as _, rngs::StdRng};
use tokio::sync::watch;

use super::planted::Planted;

/// What goes wrong on a replica's way to the store.
pub(super) struct Weather {
    breaks: watch::Sender<u64>,
    /// How many of the next attempts to open a feed fail.
    closed: AtomicU32,
    /// Of a thousand reads, how many fail.
    reads_failing: AtomicU32,
    chance: Mutex<StdRng>,
}

impl Weather {
    pub(super) fn new(chance: StdRng) -> Self {
        Self {
            breaks: watch::Sender::new(0),
            closed: AtomicU32::new(0),
            reads_failing: AtomicU32::new(0),
            chance: Mutex::new(chance),
        }
    }

    /// Breaks the live feed; so many attempts to open another fail.
    pub(super) fn break_feed(&self, closed: u32) {
        self.closed.store(closed, Ordering::SeqCst);
        self.breaks.send_modify(|n| *n += 1);
    }

    /// Of a thousand reads, so many fail from now on.
    pub(super) fn fail_reads(&self, of_a_thousand: u32) {
        self.reads_failing.store(of_a_thousand, Ordering::SeqCst);
    }

    /// Ends all that was wrong.
    pub(super) fn clear(&self) {
        self.closed.store(0, Ordering::SeqCst);
        self.fail_reads(0);
    }

    fn open(&self) -> Result<(), StoreError> {
        let closed = |n: u32| n.checked_sub(1);
        match self
            .closed
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, closed)
        {
            Ok(_) => Err(unavailable()),
            Err(_) => Ok(()),
        }
    }

    fn read(&self) -> Result<(), StoreError> {
        let failing = self.reads_failing.load(Ordering::SeqCst);
        match failing > self.chance.lock().unwrap().random_range(0..1000) {
            true => Err(unavailable()),
            false => Ok(()),
        }
    }
}

fn unavailable() -> StoreError {
    StoreError::Unavailable("the weather is bad".into())
}

/// One replica's way to the store.
pub(super) struct Warped {
    pub(super) store: Arc<dyn Store>,
    pub(super) weather: Arc<Weather>,
    pub(super) planted: Option<Arc<Planted>>,
}

struct WarpedTail {
    tail: Box<dyn Tail>,
    breaks: watch::Receiver<u64>,
    planted: Option<Arc<Planted>>,
}

#[async_trait]
impl Tail for WarpedTail {
    async fn next(&mut self) -> Result<Vec<Entry>, StoreError> {
        let mut entries = tokio::select! {
            biased;
            _ = self.breaks.changed() => return Err(unavailable()),
            entries = self.tail.next() => entries?,
        };
        if let Some(planted) = &self.planted {
            planted.bend_live(&mut entries);
        }
        Ok(entries)
    }
}

#[async_trait]
impl Store for Warped {
    fn partitions(&self) -> u16 {
        self.store.partitions()
    }

    async fn now_ms(&self) -> Result<u64, StoreError> {
        self.store.now_ms().await
    }

    async fn append(&self, event: &Append) -> Result<Appended, StoreError> {
        match &self.planted {
            Some(planted) => planted.append(&*self.store, event).await,
            None => self.store.append(event).await,
        }
    }

    async fn erase(&self, key: &ConversationKey) -> Result<Erased, StoreError> {
        self.store.erase(key).await
    }

    async fn tidy(&self, every_ms: u64) -> Result<bool, StoreError> {
        self.store.tidy(every_ms).await
    }

    async fn tails(&self) -> Result<Vec<EntryId>, StoreError> {
        self.weather.open()?;
        self.store.tails().await
    }

    async fn read(&self, partition: u16, from: Position, limit: usize) -> Result<Page, StoreError> {
        self.weather.read()?;
        let mut page = self.store.read(partition, from, limit).await?;
        if let Some(planted) = &self.planted {
            planted.bend_page(&mut page);
        }
        Ok(page)
    }

    async fn read_conversation(
        &self,
        key: &ConversationKey,
        from: Position,
        limit: usize,
    ) -> Result<Page, StoreError> {
        self.weather.read()?;
        let mut page = self.store.read_conversation(key, from, limit).await?;
        if let Some(planted) = &self.planted {
            planted.bend_page(&mut page);
        }
        Ok(page)
    }

    async fn tail(&self, behind: Vec<EntryId>) -> Result<Box<dyn Tail>, StoreError> {
        let mut breaks = self.weather.breaks.subscribe();
        breaks.mark_unchanged();
        Ok(Box::new(WarpedTail {
            tail: self.store.tail(behind).await?,
            breaks,
            planted: self.planted.clone(),
        }))
    }

    async fn session(&self, key: &ConversationKey) -> Result<Option<Session>, StoreError> {
        self.store.session(key).await
    }

    async fn change_session(&self, key: &ConversationKey, change: &SessionChange) -> Result<(), StoreError> {
        self.store.change_session(key, change).await
    }

    async fn sessions(
        &self,
        tenant: &TenantId,
        after: Option<&SessionMark>,
        limit: usize,
    ) -> Result<Vec<(SessionMark, Option<Session>)>, StoreError> {
        self.store.sessions(tenant, after, limit).await
    }

    async fn begin(
        &self,
        key: &IdempotencyKey,
        digest: &[u8; 32],
        mark: &[u8],
        nonce: u64,
        lease_ms: u64,
    ) -> Result<Begun, StoreError> {
        self.store.begin(key, digest, mark, nonce, lease_ms).await
    }

    async fn finish(&self, key: &IdempotencyKey, nonce: u64, finished: &Finished) -> Result<(), StoreError> {
        self.store.finish(key, nonce, finished).await
    }

    async fn announce(&self, announcement: &Announcement) -> Result<(), StoreError> {
        self.store.announce(announcement).await
    }

    async fn conclude(&self, announcement: &Announcement, concluded: &Concluded) -> Result<(), StoreError> {
        self.store.conclude(announcement, concluded).await
    }

    async fn note_accepted(&self, at_ms: u64, operations: &[(LedgerKey, String)]) -> Result<(), StoreError> {
        self.store.note_accepted(at_ms, operations).await
    }

    async fn ledger(&self, ledger: &LedgerKey) -> Result<Ledger, StoreError> {
        self.store.ledger(ledger).await
    }

    async fn customer(&self, key: &CustomerKey, attempt: &str) -> Result<Customer, StoreError> {
        self.store.customer(key, attempt).await
    }

    async fn bind_customer(
        &self,
        key: &CustomerKey,
        conversation: &str,
        attempt: Option<&str>,
    ) -> Result<(), StoreError> {
        self.store.bind_customer(key, conversation, attempt).await
    }

    async fn release_customer(&self, key: &CustomerKey, conversation: &str) -> Result<(), StoreError> {
        self.store.release_customer(key, conversation).await
    }

    async fn unsettled(&self, lease_ms: u64, limit: usize) -> Result<Vec<ConversationKey>, StoreError> {
        self.store.unsettled(lease_ms, limit).await
    }

    fn streams(&self) -> &dyn StreamRecords {
        self.store.streams()
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.store.ping().await
    }
}
