//! A store on a bad day: what it is asked is not done, done but not answered, or done late.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use chatbridge::{
    conversation::{Session, SessionChange},
    event::{ConversationKey, EntryId, Position, TenantId},
    store::{
        Announcement, Append, Appended, Begun, Concluded, Customer, CustomerKey, Erased, Finished,
        IdempotencyKey, Ledger, LedgerKey, Page, SessionMark, Store, StoreError, StreamRecords, Tail,
        memory::MemoryStore,
    },
};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use tokio::time::sleep;

/// One replica's way to a store that replicas share.
pub(super) struct Faulty {
    store: Arc<MemoryStore>,
    chance: Mutex<StdRng>,
}

enum Fault {
    None,
    /// It is done after this long.
    Slow(Duration),
    /// It is not done.
    Lost,
    /// It is done, and nobody hears of it.
    Unheard,
    /// Nobody hears of it, and it is done after this long.
    Late(Duration),
}

impl Faulty {
    pub(super) fn new(store: &Arc<MemoryStore>, seed: u64) -> Self {
        Self {
            store: Arc::clone(store),
            chance: Mutex::new(StdRng::seed_from_u64(seed)),
        }
    }

    fn fault(&self) -> Fault {
        let mut chance = self.chance.lock().unwrap();
        let some = Duration::from_millis(chance.random_range(1..20));
        match chance.random_range(0..100) {
            0..4 => Fault::Lost,
            4..8 => Fault::Unheard,
            8..12 => Fault::Late(some),
            12..25 => Fault::Slow(some),
            _ => Fault::None,
        }
    }

    async fn try_to<T, F>(&self, act: impl FnOnce(Arc<MemoryStore>) -> F) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>> + Send + 'static,
        T: Send,
    {
        let silent = || StoreError::Unavailable("it does not answer".into());
        let act = act(Arc::clone(&self.store));
        match self.fault() {
            Fault::None => act.await,
            Fault::Slow(time) => {
                sleep(time).await;
                act.await
            }
            Fault::Lost => Err(silent()),
            Fault::Unheard => {
                act.await?;
                Err(silent())
            }
            Fault::Late(time) => {
                tokio::spawn(async move {
                    sleep(time).await;
                    drop(act.await);
                });
                Err(silent())
            }
        }
    }
}

/// Tries to do what the store does, with copies of what it is told.
macro_rules! try_to {
    ($self:ident, $method:ident, $($arg:ident),*) => {{
        $(let $arg = $arg.to_owned();)*
        $self.try_to(|store| async move { store.$method($(&$arg),*).await }).await
    }};
}

#[async_trait]
impl Store for Faulty {
    fn partitions(&self) -> u16 {
        self.store.partitions()
    }

    async fn now_ms(&self) -> Result<u64, StoreError> {
        self.store.now_ms().await
    }

    async fn append(&self, event: &Append) -> Result<Appended, StoreError> {
        self.store.append(event).await
    }

    async fn tails(&self) -> Result<Vec<EntryId>, StoreError> {
        self.store.tails().await
    }

    async fn read(&self, partition: u16, from: Position, limit: usize) -> Result<Page, StoreError> {
        self.store.read(partition, from, limit).await
    }

    async fn read_conversation(
        &self,
        key: &ConversationKey,
        from: Position,
        limit: usize,
    ) -> Result<Page, StoreError> {
        self.store.read_conversation(key, from, limit).await
    }

    async fn tail(&self, behind: Vec<EntryId>) -> Result<Box<dyn Tail>, StoreError> {
        self.store.tail(behind).await
    }

    async fn session(&self, key: &ConversationKey) -> Result<Option<Session>, StoreError> {
        self.store.session(key).await
    }

    async fn change_session(&self, key: &ConversationKey, change: &SessionChange) -> Result<(), StoreError> {
        let change = change.clone();
        let key = key.clone();
        self.try_to(|store| async move { store.change_session(&key, &change).await })
            .await
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
        _: u64,
    ) -> Result<Begun, StoreError> {
        // So short that calls outlive it.
        const LEASE_MS: u64 = 30;
        let (key, digest, mark) = (key.clone(), *digest, mark.to_vec());
        self.try_to(|store| async move { store.begin(&key, &digest, &mark, nonce, LEASE_MS).await })
            .await
    }

    async fn finish(&self, key: &IdempotencyKey, nonce: u64, finished: &Finished) -> Result<(), StoreError> {
        let (key, finished) = (key.clone(), finished.clone());
        self.try_to(|store| async move { store.finish(&key, nonce, &finished).await })
            .await
    }

    async fn announce(&self, announcement: &Announcement) -> Result<(), StoreError> {
        try_to!(self, announce, announcement)
    }

    async fn conclude(&self, announcement: &Announcement, concluded: &Concluded) -> Result<(), StoreError> {
        try_to!(self, conclude, announcement, concluded)
    }

    async fn note_accepted(&self, at_ms: u64, operations: &[(LedgerKey, String)]) -> Result<(), StoreError> {
        self.store.note_accepted(at_ms, operations).await
    }

    async fn ledger(&self, ledger: &LedgerKey) -> Result<Ledger, StoreError> {
        try_to!(self, ledger, ledger)
    }

    async fn customer(&self, key: &CustomerKey, attempt: &str) -> Result<Customer, StoreError> {
        try_to!(self, customer, key, attempt)
    }

    async fn bind_customer(
        &self,
        key: &CustomerKey,
        conversation: &str,
        attempt: Option<&str>,
    ) -> Result<(), StoreError> {
        let (key, conversation) = (key.clone(), conversation.to_owned());
        let attempt = attempt.map(str::to_owned);
        self.try_to(|store| async move { store.bind_customer(&key, &conversation, attempt.as_deref()).await })
            .await
    }

    async fn release_customer(&self, key: &CustomerKey, conversation: &str) -> Result<(), StoreError> {
        try_to!(self, release_customer, key, conversation)
    }

    async fn unsettled(&self, lease_ms: u64, limit: usize) -> Result<Vec<ConversationKey>, StoreError> {
        self.store.unsettled(lease_ms, limit).await
    }

    async fn erase(&self, key: &ConversationKey) -> Result<Erased, StoreError> {
        self.store.erase(key).await
    }

    async fn tidy(&self, every_ms: u64) -> Result<bool, StoreError> {
        self.store.tidy(every_ms).await
    }

    fn streams(&self) -> &dyn StreamRecords {
        self.store.streams()
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.store.ping().await
    }
}
