//! The webhook door over HTTP, with fakes on both of its sides: a key endpoint that can be broken, and a store that can be
//! broken and remembers what it was asked to append.

use std::{
    collections::HashMap,
    io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicI64, AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use async_trait::async_trait;
use chatbridge::{
    conversation::{Session, SessionChange, SessionState},
    event::{ConversationKey, EntryId, Position, TenantId},
    gateway::{UpstreamError, UpstreamErrorKind},
    server::webhooks::{self, WebhookPort},
    store::{
        Announcement, Append, Appended, Begun, Concluded, Customer, CustomerKey, Erased, Finished,
        IdempotencyKey, Ledger, LedgerKey, Page, SessionMark, Store, StoreError, StreamRecords, Tail,
    },
    webhook::{Ingress, IngressSettings, KeyCache, KeyCacheSettings, KeySource},
};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tokio::{net::TcpListener, sync::Semaphore};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::delivery::{Delivery, KID, NOW_MS, signer};

/// A key endpoint.
pub(crate) struct Keys {
    pub(crate) jwks: Mutex<HashMap<String, String>>,
    pub(crate) down: AtomicBool,
    pub(crate) fetches: AtomicUsize,
    /// Each fetch takes a permit, so that a test can hold fetches up.
    pub(crate) gate: Semaphore,
}

impl Default for Keys {
    fn default() -> Self {
        let known = HashMap::from([(KID.to_owned(), signer().jwk())]);
        Self {
            jwks: Mutex::new(known),
            down: AtomicBool::new(false),
            fetches: AtomicUsize::new(0),
            gate: Semaphore::new(Semaphore::MAX_PERMITS),
        }
    }
}

impl Keys {
    pub(crate) fn fetches(&self) -> usize {
        self.fetches.load(Ordering::SeqCst)
    }

    pub(crate) fn set(&self, kid: &str, jwk: Option<String>) {
        let mut jwks = self.jwks.lock().unwrap();
        match jwk {
            Some(jwk) => jwks.insert(kid.to_owned(), jwk),
            None => jwks.remove(kid),
        };
    }
}

#[async_trait]
impl KeySource for Keys {
    async fn signing_key(&self, _tenant: &TenantId, kid: &str) -> Result<String, UpstreamError> {
        self.fetches.fetch_add(1, Ordering::SeqCst);
        let _permit = self.gate.acquire().await.unwrap();
        if self.down.load(Ordering::SeqCst) {
            return Err(UpstreamError::new(UpstreamErrorKind::Unavailable, "down"));
        }
        let jwk = self.jwks.lock().unwrap().get(kid).cloned();
        jwk.ok_or_else(|| UpstreamError::new(UpstreamErrorKind::NotFound, "no such key"))
    }
}

/// A store that only appends, and keeps the promise of the claim.
#[derive(Default)]
pub(crate) struct Recorder {
    claims: Mutex<HashMap<String, [u8; 32]>>,
    appended: Mutex<Vec<Append>>,
    pub(crate) failure: Mutex<Option<StoreError>>,
    pub(crate) clock_behind_ms: AtomicU64,
}

impl Recorder {
    pub(crate) fn appended(&self) -> Vec<Append> {
        self.appended.lock().unwrap().clone()
    }
}

fn not_asked<T>() -> Result<T, StoreError> {
    Err(StoreError::Unavailable("the door has no business here".into()))
}

#[async_trait]
impl Store for Recorder {
    fn partitions(&self) -> u16 {
        1
    }
    async fn append(&self, event: &Append) -> Result<Appended, StoreError> {
        if let Some(failure) = self.failure.lock().unwrap().clone() {
            return Err(failure);
        }
        let mut claims = self.claims.lock().unwrap();
        if let Some(digest) = claims.get(&event.event_id) {
            let same = *digest == event.digest;
            return Ok(if same {
                Appended::Duplicate
            } else {
                Appended::Forged
            });
        }
        claims.insert(event.event_id.clone(), event.digest);
        let mut appended = self.appended.lock().unwrap();
        appended.push(event.clone());
        Ok(Appended::New {
            id: EntryId::default(),
            sequence: appended.len() as u64,
            state: SessionState::Unknown,
            clock_behind_ms: self.clock_behind_ms.load(Ordering::SeqCst),
            passage: None,
        })
    }
    async fn now_ms(&self) -> Result<u64, StoreError> {
        not_asked()
    }
    async fn tails(&self) -> Result<Vec<EntryId>, StoreError> {
        not_asked()
    }
    async fn read(&self, _: u16, _: Position, _: usize) -> Result<Page, StoreError> {
        not_asked()
    }
    async fn read_conversation(
        &self,
        _: &ConversationKey,
        _: Position,
        _: usize,
    ) -> Result<Page, StoreError> {
        not_asked()
    }
    async fn tail(&self, _: Vec<EntryId>) -> Result<Box<dyn Tail>, StoreError> {
        not_asked()
    }
    async fn session(&self, _: &ConversationKey) -> Result<Option<Session>, StoreError> {
        not_asked()
    }
    async fn change_session(&self, _: &ConversationKey, _: &SessionChange) -> Result<(), StoreError> {
        not_asked()
    }
    async fn sessions(
        &self,
        _: &TenantId,
        _: Option<&SessionMark>,
        _: usize,
    ) -> Result<Vec<(SessionMark, Option<Session>)>, StoreError> {
        not_asked()
    }
    async fn begin(
        &self,
        _: &IdempotencyKey,
        _: &[u8; 32],
        _: &[u8],
        _: u64,
        _: u64,
    ) -> Result<Begun, StoreError> {
        not_asked()
    }
    async fn finish(&self, _: &IdempotencyKey, _: u64, _: &Finished) -> Result<(), StoreError> {
        not_asked()
    }
    async fn announce(&self, _: &Announcement) -> Result<(), StoreError> {
        not_asked()
    }
    async fn conclude(&self, _: &Announcement, _: &Concluded) -> Result<(), StoreError> {
        not_asked()
    }
    async fn note_accepted(&self, _: u64, _: &[(LedgerKey, String)]) -> Result<(), StoreError> {
        not_asked()
    }
    async fn ledger(&self, _: &LedgerKey) -> Result<Ledger, StoreError> {
        not_asked()
    }
    async fn customer(&self, _: &CustomerKey, _: &str) -> Result<Customer, StoreError> {
        not_asked()
    }
    async fn bind_customer(&self, _: &CustomerKey, _: &str, _: Option<&str>) -> Result<(), StoreError> {
        not_asked()
    }
    async fn release_customer(&self, _: &CustomerKey, _: &str) -> Result<(), StoreError> {
        not_asked()
    }
    async fn unsettled(&self, _: u64, _: usize) -> Result<Vec<ConversationKey>, StoreError> {
        not_asked()
    }
    async fn erase(&self, _: &ConversationKey) -> Result<Erased, StoreError> {
        not_asked()
    }
    async fn tidy(&self, _: u64) -> Result<bool, StoreError> {
        not_asked()
    }
    fn streams(&self) -> &dyn StreamRecords {
        unreachable!("the door changes no streams")
    }
    async fn ping(&self) -> Result<(), StoreError> {
        not_asked()
    }
}

/// A clock that a test moves.
#[derive(Clone)]
pub(crate) struct Time {
    start: Instant,
    passed_ms: Arc<AtomicI64>,
}

impl Default for Time {
    fn default() -> Self {
        Self {
            start: Instant::now(),
            passed_ms: Arc::default(),
        }
    }
}

impl Time {
    pub(crate) fn pass(&self, time: Duration) {
        let ms = i64::try_from(time.as_millis()).unwrap();
        self.passed_ms.fetch_add(ms, Ordering::SeqCst);
    }

    pub(crate) fn monotonic(&self) -> Instant {
        let ms = u64::try_from(self.passed_ms.load(Ordering::SeqCst)).unwrap();
        self.start + Duration::from_millis(ms)
    }
}

/// What a test's thread logged.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    pub(crate) fn take(&self) -> String {
        String::from_utf8(std::mem::take(&mut *self.0.lock().unwrap())).unwrap()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A door that listens. Its metrics and its log are the test's own, because a test and all that it starts run on one
/// thread.
pub(crate) struct Door {
    pub(crate) address: std::net::SocketAddr,
    pub(crate) store: Arc<Recorder>,
    pub(crate) keys: Arc<Keys>,
    pub(crate) log: Log,
    metrics: PrometheusHandle,
    client: reqwest::Client,
    /// Whose end is the door's.
    pub(crate) serving: tokio::task::JoinHandle<()>,
    pub(crate) stop: CancellationToken,
    _stop: DropGuard,
    _guards: (
        metrics::LocalRecorderGuard<'static>,
        tracing::subscriber::DefaultGuard,
    ),
}

pub(crate) fn settings() -> IngressSettings {
    IngressSettings::new(vec![TenantId::new("tenant01"), TenantId::new("tenant02")])
}

impl Door {
    pub(crate) async fn open() -> Self {
        Self::open_with(settings()).await
    }

    pub(crate) async fn open_with(settings: IngressSettings) -> Self {
        let port = WebhookPort {
            sources: settings.sources.clone(),
            ..WebhookPort::default()
        };
        Self::open_at(settings, port).await
    }

    /// The webhook clock stands still at [`NOW_MS`].
    pub(crate) async fn open_at(settings: IngressSettings, port: WebhookPort) -> Self {
        let recorder = Box::leak(Box::new(PrometheusBuilder::new().build_recorder()));
        let metrics = recorder.handle();
        let log = Log::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::DEBUG)
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .finish();
        let guards = (
            metrics::set_default_local_recorder(recorder),
            tracing::subscriber::set_default(subscriber),
        );
        // Other tests, which have no subscriber, may have made the library believe that nobody listens.
        tracing::callsite::rebuild_interest_cache();
        let (store, keys) = (Arc::new(Recorder::default()), Arc::new(Keys::default()));
        let cache = KeyCache::new(keys.clone(), KeyCacheSettings::default());
        let ingress = Ingress::new(store.clone(), cache, settings).with_clock(Arc::new(|| NOW_MS));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let serving = tokio::spawn(webhooks::serve(listener, Arc::new(ingress), port, stop.clone()));
        Self {
            address,
            store,
            keys,
            log,
            metrics,
            client: reqwest::Client::new(),
            serving,
            stop: stop.clone(),
            _stop: stop.drop_guard(),
            _guards: guards,
        }
    }

    pub(crate) async fn send(&self, delivery: &Delivery) -> reqwest::Response {
        let url = format!("http://{}{}", self.address, delivery.path);
        let mut request = self.client.request(delivery.method.clone(), url);
        request = request.headers(delivery.headers.clone());
        request = if delivery.chunked {
            let chunks = delivery.body.chunks(1000).map(|c| Ok::<_, io::Error>(c.to_vec()));
            request.body(reqwest::Body::wrap_stream(tokio_stream::iter(
                chunks.collect::<Vec<_>>(),
            )))
        } else {
            request.body(delivery.body.clone())
        };
        request.send().await.unwrap()
    }

    /// Sends, and answers the status and what it was counted as: exactly one result.
    pub(crate) async fn result(&self, delivery: &Delivery) -> (u16, String) {
        let before = self.counts();
        let response = self.send(delivery).await;
        let status = response.status().as_u16();
        assert_eq!(response.bytes().await.unwrap().len(), 0, "an answer says nothing");
        let counted: Vec<_> = self
            .counts()
            .into_iter()
            .filter(|(result, count)| *count != before.get(result).copied().unwrap_or(0))
            .collect();
        let [(result, _)] = &counted[..] else {
            panic!("counted as {counted:?}, not once");
        };
        (status, result.clone())
    }

    /// `chatbridge_webhooks_total` by result.
    pub(crate) fn counts(&self) -> HashMap<String, u64> {
        self.metrics
            .render()
            .lines()
            .filter_map(|line| {
                let rest = line.strip_prefix("chatbridge_webhooks_total{result=\"")?;
                let (result, count) = rest.split_once("\"} ")?;
                Some((result.to_owned(), count.parse().unwrap()))
            })
            .collect()
    }

    /// A counter without labels.
    pub(crate) fn counter(&self, name: &str) -> u64 {
        let text = self.metrics.render();
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(&format!("{name} ")));
        line.map_or(0, |count| count.parse().unwrap())
    }
}

/// Waits until something is so.
pub(crate) async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !is_so() {
        assert!(Instant::now() < deadline, "waited too long until {what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}
