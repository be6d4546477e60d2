//! The vendor's public keys, as far as they are known.
//!
//! The key id comes from whoever sends the request, so what it may cost is bounded: answers of both kinds are kept, one
//! fetch runs for each key, and each tenant's keys that are not known are asked for at a limited rate, so that whoever makes
//! them up for one tenant holds up no other. A key that is known is served on while the vendor's endpoint is down.

use std::{
    collections::HashMap,
    fmt,
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use async_trait::async_trait;
use futures_util::{
    FutureExt as _,
    future::{BoxFuture, Shared},
};
use tracing::warn;

use super::{Refusal, VerifyingKey};
use crate::{
    event::TenantId,
    gateway::{Gateway, UpstreamError, UpstreamErrorKind},
};

/// Counter of fetches, by `result`: found, unknown, unusable, unavailable.
const FETCHES: &str = "chatbridge_webhook_key_fetches_total";

/// Where keys come from.
#[async_trait]
pub trait KeySource: Send + Sync + 'static {
    /// The public key's JWK as JSON text.
    async fn signing_key(&self, tenant: &TenantId, kid: &str) -> Result<String, UpstreamError>;
}

#[async_trait]
impl KeySource for Gateway {
    async fn signing_key(&self, tenant: &TenantId, kid: &str) -> Result<String, UpstreamError> {
        self.verification_key(tenant, kid).await
    }
}

/// How keys are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyCacheSettings {
    /// A key older than this is fetched again in the background when it is next used.
    pub refresh_after: Duration,
    /// How long to wait before a refresh that failed is tried again.
    pub retry_refresh_after: Duration,
    /// How long a key is used after its last fetch, if it cannot be fetched again.
    pub keep_for: Duration,
    /// How long the answer stands that there is no such key, or none that may be used.
    pub refuse_for: Duration,
    /// How many answers of each kind are kept at most.
    pub max_entries: usize,
    /// How many keys of a tenant that are not known may be asked for at once.
    pub fetch_burst: u32,
    /// How long until as many may be asked for again.
    pub fetch_period: Duration,
}

impl Default for KeyCacheSettings {
    fn default() -> Self {
        Self {
            refresh_after: Duration::from_secs(3600),
            retry_refresh_after: Duration::from_secs(60),
            keep_for: Duration::from_secs(25 * 3600),
            refuse_for: Duration::from_secs(60),
            max_entries: 1024,
            fetch_burst: 10,
            fetch_period: Duration::from_secs(10),
        }
    }
}

/// Tells the time.
pub type Monotonic = Arc<dyn Fn() -> Instant + Send + Sync>;

/// The cache; clones share it.
#[derive(Clone)]
pub struct KeyCache {
    source: Arc<dyn KeySource>,
    settings: KeyCacheSettings,
    clock: Monotonic,
    known: Arc<Mutex<Known>>,
}

/// A key is the vendor's answer to one tenant: whether another tenant may use it is for the vendor to say.
type Id = (TenantId, String);
type Answer = Result<VerifyingKey, Refusal>;
type Flight = Shared<BoxFuture<'static, Answer>>;

struct Held {
    key: VerifyingKey,
    fetched: Instant,
    refresh: Instant,
}

struct Known {
    held: HashMap<Id, Held>,
    refused: HashMap<Id, (Refusal, Instant)>,
    flights: HashMap<Id, Flight>,
    /// Of each tenant; only those that are served come here.
    buckets: HashMap<TenantId, Bucket>,
}

/// A token bucket.
struct Bucket {
    tokens: f64,
    filled: Instant,
}

enum Lookup {
    Answered(Answer),
    Fetching(Flight),
}

impl KeyCache {
    /// An empty cache in front of `source`.
    pub fn new(source: Arc<dyn KeySource>, settings: KeyCacheSettings) -> Self {
        Self::with_clock(source, settings, Arc::new(Instant::now))
    }

    /// An empty cache that goes by another clock.
    pub fn with_clock(source: Arc<dyn KeySource>, settings: KeyCacheSettings, clock: Monotonic) -> Self {
        let known = Known {
            held: HashMap::new(),
            refused: HashMap::new(),
            flights: HashMap::new(),
            buckets: HashMap::new(),
        };
        Self {
            source,
            settings,
            clock,
            known: Arc::new(Mutex::new(known)),
        }
    }

    /// The key that the vendor has under `kid` for `tenant`.
    ///
    /// Refusals: [`Refusal::UnknownKey`], [`Refusal::UnusableKey`], [`Refusal::KeyRate`], [`Refusal::KeyUnavailable`].
    pub async fn key(&self, tenant: &TenantId, kid: &str) -> Result<VerifyingKey, Refusal> {
        match self.look_up((tenant.clone(), kid.to_owned())) {
            Lookup::Answered(answer) => answer,
            Lookup::Fetching(flight) => flight.await,
        }
    }

    fn look_up(&self, id: Id) -> Lookup {
        let now = (self.clock)();
        let mut known = self.known();
        if let Some(key) = self.held(&mut known, &id, now) {
            return Lookup::Answered(Ok(key));
        }
        if let Some((refusal, until)) = known.refused.get(&id)
            && now < *until
        {
            return Lookup::Answered(Err(*refusal));
        }
        if let Some(flight) = known.flights.get(&id) {
            return Lookup::Fetching(flight.clone());
        }
        let bucket = known.buckets.entry(id.0.clone()).or_insert_with(|| Bucket {
            tokens: f64::from(self.settings.fetch_burst),
            filled: now,
        });
        if !bucket.take(now, &self.settings) {
            return Lookup::Answered(Err(Refusal::KeyRate));
        }
        Lookup::Fetching(self.fetch(&mut known, id))
    }

    /// A key that is held and not too old; starts its refresh when it is time. Refreshes are of keys that the vendor has
    /// vouched for, so they are not subject to the rate.
    fn held(&self, known: &mut Known, id: &Id, now: Instant) -> Option<VerifyingKey> {
        let held = known.held.get_mut(id)?;
        if now.duration_since(held.fetched) >= self.settings.keep_for {
            known.held.remove(id);
            return None;
        }
        let key = held.key.clone();
        if now >= held.refresh {
            held.refresh = now + self.settings.retry_refresh_after;
            if !known.flights.contains_key(id) {
                drop(self.fetch(known, id.clone()));
            }
        }
        Some(key)
    }

    /// Starts a fetch as a task of its own: it comes to its end although the request that wanted it may be gone.
    fn fetch(&self, known: &mut Known, id: Id) -> Flight {
        let cache = self.clone();
        let of = id.clone();
        let task = tokio::spawn(async move {
            let fetched = AssertUnwindSafe(cache.source.signing_key(&of.0, &of.1))
                .catch_unwind()
                .await;
            let answer =
                fetched.unwrap_or_else(|_| Err(UpstreamError::new(UpstreamErrorKind::Unexpected, "")));
            cache.land(of, answer)
        });
        let flight = task
            .map(|done| done.unwrap_or(Err(Refusal::KeyUnavailable)))
            .boxed()
            .shared();
        known.flights.insert(id, flight.clone());
        flight
    }

    /// Notes what a fetch brought.
    fn land(&self, id: Id, fetched: Result<String, UpstreamError>) -> Answer {
        let answer = judge(&id, fetched);
        let now = (self.clock)();
        let mut known = self.known();
        known.flights.remove(&id);
        match &answer {
            Ok(key) => self.hold(&mut known, id, key.clone(), now),
            Err(Refusal::UnknownKey) => {
                // The vendor is there and has withdrawn it.
                known.held.remove(&id);
                self.refuse(&mut known, id, Refusal::UnknownKey, now);
            }
            Err(Refusal::UnusableKey) => self.refuse(&mut known, id, Refusal::UnusableKey, now),
            Err(_) => {}
        }
        answer
    }

    fn hold(&self, known: &mut Known, id: Id, key: VerifyingKey, now: Instant) {
        known.refused.remove(&id);
        make_room(&mut known.held, self.settings.max_entries, |held| held.fetched);
        let held = Held {
            key,
            fetched: now,
            refresh: now + self.settings.refresh_after,
        };
        known.held.insert(id, held);
    }

    fn refuse(&self, known: &mut Known, id: Id, refusal: Refusal, now: Instant) {
        known.refused.retain(|_, (_, until)| now < *until);
        make_room(&mut known.refused, self.settings.max_entries, |(_, until)| *until);
        known
            .refused
            .insert(id, (refusal, now + self.settings.refuse_for));
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        // What is in there is whole between any two statements, so a panic elsewhere does not spoil it.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for KeyCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyCache")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

impl Bucket {
    fn take(&mut self, now: Instant, settings: &KeyCacheSettings) -> bool {
        let full = f64::from(settings.fetch_burst);
        let passed = now.duration_since(self.filled).as_secs_f64();
        let period = settings.fetch_period.as_secs_f64().max(f64::MIN_POSITIVE);
        self.tokens = (self.tokens + full * passed / period).min(full);
        self.filled = self.filled.max(now);
        if self.tokens < 1.0 {
            return false;
        }
        self.tokens -= 1.0;
        true
    }
}

/// What the vendor's answer means.
fn judge(id: &Id, fetched: Result<String, UpstreamError>) -> Answer {
    let (tenant, kid) = id;
    let (answer, result) = match fetched {
        Ok(json) => match VerifyingKey::from_jwk(&json, kid) {
            Ok(key) => (Ok(key), "found"),
            Err(error) => {
                warn!(%tenant, %kid, %error, "the vendor's signing key cannot be used");
                (Err(Refusal::UnusableKey), "unusable")
            }
        },
        Err(error) => match error.kind {
            UpstreamErrorKind::NotFound | UpstreamErrorKind::Invalid => (Err(Refusal::UnknownKey), "unknown"),
            kind => {
                warn!(%tenant, %kid, reason = kind.reason(), "the vendor's signing key cannot be fetched");
                (Err(Refusal::KeyUnavailable), "unavailable")
            }
        },
    };
    metrics::counter!(FETCHES, "result" => result).increment(1);
    answer
}

/// Removes the oldest entry of a map that is full. Maps are small and entries come at a limited rate.
fn make_room<V>(map: &mut HashMap<Id, V>, max: usize, age: impl Fn(&V) -> Instant) {
    if map.len() < max {
        return;
    }
    let oldest = map.iter().min_by_key(|(_, v)| age(v)).map(|(id, _)| id.clone());
    if let Some(id) = oldest {
        map.remove(&id);
    }
}
