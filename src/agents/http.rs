//! Names from a service of the operator: one GET for each agent, cached, and never many at once.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use moka::{Expiry, future::Cache, policy::EvictionPolicy};
use reqwest::{Client, Response, StatusCode, header, redirect, retry};
use serde::Deserialize;
use tokio::{sync::Semaphore, time::timeout};
use tracing::{info, warn};

use super::{Miss, UrlTemplate, count, name};
use crate::event::TenantId;

const USER_AGENT: &str = concat!("chatbridge/", env!("CARGO_PKG_VERSION"));
/// The longest answer, in bytes.
const ANSWER_BYTES_MAX: usize = 64 << 10;
const POOL_IDLE: Duration = Duration::from_secs(30);

/// How names are looked up and kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpSettings {
    /// How long a name is kept.
    pub ttl: Duration,
    /// How long it is kept that there is no name, or that a lookup failed.
    pub miss_ttl: Duration,
    /// How long it is kept that a lookup was not begun: nothing was learned, but the others shall not wait for it as well.
    pub busy_ttl: Duration,
    /// How long whoever asks waits at most; and how long one request may take.
    pub time_limit: Duration,
    /// How many requests are under way at most.
    pub in_flight: usize,
    /// How many answers are kept at most.
    pub max_entries: u64,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            ttl: Duration::from_secs(300),
            miss_ttl: Duration::from_secs(30),
            busy_ttl: Duration::from_secs(1),
            time_limit: Duration::from_secs(1),
            in_flight: 8,
            max_entries: 10_000,
        }
    }
}

/// The names behind a URL; clones share the cache and the limits.
#[derive(Clone)]
pub(super) struct HttpNames(Arc<Shared>);

struct Shared {
    client: Client,
    template: UrlTemplate,
    settings: HttpSettings,
    answers: Cache<Key, Answer>,
    permits: Semaphore,
    /// Whether the last lookup failed, so that a failure is told when it begins and when it ends.
    failing: AtomicBool,
}

type Key = (TenantId, String);
type Answer = Result<Arc<str>, Miss>;

/// How long an answer is kept.
struct Lifetime(HttpSettings);

impl Expiry<Key, Answer> for Lifetime {
    fn expire_after_create(&self, _: &Key, answer: &Answer, _: Instant) -> Option<Duration> {
        Some(match answer {
            Ok(_) => self.0.ttl,
            Err(Miss::Busy) => self.0.busy_ttl,
            Err(_) => self.0.miss_ttl,
        })
    }
}

impl HttpNames {
    /// The names behind `template`. The error is a sentence.
    pub(super) fn new(template: UrlTemplate, settings: HttpSettings) -> Result<Self, &'static str> {
        let answers = Cache::builder()
            .max_capacity(settings.max_entries)
            // The default would rather keep old entries than take in new ones.
            .eviction_policy(EvictionPolicy::lru())
            .expire_after(Lifetime(settings.clone()))
            .build();
        Ok(Self(Arc::new(Shared {
            client: client(&template, &settings)?,
            template,
            answers,
            permits: Semaphore::new(settings.in_flight),
            settings,
            failing: AtomicBool::new(false),
        })))
    }

    /// Asks for one agent, past what is kept.
    pub(super) async fn check(&self, id: &str) -> Result<(), Miss> {
        let asked = timeout(self.0.settings.time_limit, self.0.ask(id)).await;
        asked.unwrap_or(Err(Miss::Timeout)).map(|_| ())
    }

    /// An agent's name, if it is known or can be had within the time limit.
    pub(super) async fn name(&self, tenant: &TenantId, id: &str) -> Option<Arc<str>> {
        let key = (tenant.clone(), id.to_owned());
        if let Some(answer) = self.0.answers.get(&key).await {
            return answer.ok();
        }
        // A task of its own: a request comes to its end and is remembered although whoever asked first may be gone. Those
        // who ask meanwhile wait for the same one.
        let shared = Arc::clone(&self.0);
        let lookup = tokio::spawn(async move {
            let asking = shared.look_up(&key.1);
            shared.answers.get_with(key.clone(), asking).await
        });
        timeout(self.0.settings.time_limit, lookup).await.ok()?.ok()?.ok()
    }
}

impl Shared {
    /// Asks, and says so at the boundary.
    async fn look_up(&self, id: &str) -> Answer {
        let limit = self.settings.time_limit;
        let answer = match timeout(limit, self.permits.acquire()).await {
            Ok(Ok(_permit)) => timeout(limit, self.ask(id)).await.unwrap_or(Err(Miss::Timeout)),
            Ok(Err(_)) | Err(_) => Err(Miss::Busy),
        };
        count(answer.as_ref().map_or_else(|miss| miss.outcome(), |_| "found"));
        match answer {
            Ok(_) | Err(Miss::Unknown) => {
                if self.failing.swap(false, Ordering::Relaxed) {
                    info!("agents' names can be looked up again");
                }
            }
            Err(Miss::Busy) => {}
            Err(miss) => {
                if !self.failing.swap(true, Ordering::Relaxed) {
                    let outcome = miss.outcome();
                    warn!(
                        outcome,
                        "agents' names cannot be looked up; events go on without them"
                    );
                }
            }
        }
        answer
    }

    async fn ask(&self, id: &str) -> Answer {
        let address = self.template.address(id).ok_or(Miss::Unknown)?;
        // What went wrong is not kept: the library's errors show the URL.
        let request = self
            .client
            .get(address)
            .header(header::ACCEPT, "application/json");
        let response = request.send().await.map_err(|_| Miss::Unavailable)?;
        match response.status() {
            StatusCode::NOT_FOUND => Err(Miss::Unknown),
            status if status.is_success() => read(&collect(response).await?),
            _ => Err(Miss::Unavailable),
        }
    }
}

/// Reads an answer as far as one may be long.
async fn collect(mut response: Response) -> Result<Vec<u8>, Miss> {
    let mut answer = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|_| Miss::Unavailable)? {
        if answer.len() + chunk.len() > ANSWER_BYTES_MAX {
            return Err(Miss::Unusable);
        }
        answer.extend_from_slice(&chunk);
    }
    Ok(answer)
}

fn read(answer: &[u8]) -> Answer {
    #[derive(Deserialize)]
    struct Found {
        /// Null is an answer; a member that is not there is a sign of another service.
        #[serde(deserialize_with = "Option::deserialize")]
        name: Option<String>,
    }
    let found: Found = serde_json::from_slice(answer).map_err(|_| Miss::Unusable)?;
    match name::read(found.name.as_deref().unwrap_or_default()) {
        Some("") => Err(Miss::Unknown),
        Some(name) => Ok(name.into()),
        None => Err(Miss::Unusable),
    }
}

fn client(template: &UrlTemplate, settings: &HttpSettings) -> Result<Client, &'static str> {
    let mut builder = Client::builder()
        .user_agent(USER_AGENT)
        // A redirect could lead anywhere, with the secret of the URL.
        .redirect(redirect::Policy::none())
        .referer(false)
        .retry(retry::never())
        .pool_idle_timeout(POOL_IDLE)
        .pool_max_idle_per_host(settings.in_flight)
        .tcp_nodelay(true);
    if template.is_loopback() {
        builder = builder.no_proxy();
    }
    if !template.is_https() {
        // Without TLS, a system that has no CA certificates is no reason to refuse.
        builder = builder.tls_certs_only([]);
    }
    builder.build().map_err(
        |_| "TLS cannot be set up: install the system's CA certificates, or name them in SSL_CERT_FILE",
    )
}

impl fmt::Debug for HttpNames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpNames")
            .field("settings", &self.0.settings)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
