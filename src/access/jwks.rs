//! The keys of an issuer: fetched when they are needed, kept, and fetched again no more often than is good for anybody.

use std::{
    num::NonZeroU32,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures_util::StreamExt as _;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use jsonwebtoken::jwk::JwkSet;
use reqwest::{Client, redirect};
use tokio::time::Instant;
use tracing::{info, warn};
use url::Url;

use crate::gateway::is_loopback;

/// Counter of fetches of issuers' keys, by `result`: `ok` or `failed`.
const FETCHES: &str = "chatbridge_jwks_fetches_total";
/// The longest answer, in bytes.
const ANSWER_BYTES_MAX: usize = 256 << 10;
const TIMEOUT: Duration = Duration::from_secs(5);
/// How often they may be fetched in quick succession.
const BURST: NonZeroU32 = NonZeroU32::new(5).unwrap();

/// When keys are fetched again.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// Those that are older are fetched again in the background.
    pub(super) refresh_after: Duration,
    /// How often they may be fetched in the long run; a token with an unknown key cannot ask for more.
    pub(super) rest: Duration,
    /// Those that are older are not used.
    pub(super) keep_for: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            refresh_after: Duration::from_secs(300),
            rest: Duration::from_secs(2),
            keep_for: Duration::from_secs(24 * 3600),
        }
    }
}

/// The keys of one issuer. Clones share them.
#[derive(Clone)]
pub(super) struct Keys(Arc<Inner>);

struct Inner {
    url: Url,
    pace: Pace,
    http: Client,
    held: Mutex<Option<Held>>,
    /// How often it may be tried. Whoever holds it fetches.
    tries: tokio::sync::Mutex<DefaultDirectRateLimiter>,
}

/// What looking for keys brought.
pub(super) enum Looked {
    /// The keys as they are now.
    Now(Arc<JwkSet>),
    /// They cannot be had.
    Failed,
    /// They were looked for too often to do it again.
    TooOften,
}

#[derive(Clone)]
struct Held {
    keys: Arc<JwkSet>,
    since: Instant,
}

impl Keys {
    /// The keys at this address, none of which is fetched yet.
    pub(super) fn new(url: Url, pace: Pace) -> Result<Self, reqwest::Error> {
        let http = Client::builder()
            // The address is pinned, so nothing that it says may lead elsewhere.
            .redirect(redirect::Policy::none())
            .timeout(TIMEOUT)
            .connect_timeout(TIMEOUT);
        let http = if is_loopback(&url) { http.no_proxy() } else { http };
        let quota = Quota::with_period(pace.rest).unwrap_or(Quota::per_second(BURST));
        let tries = RateLimiter::direct(quota.allow_burst(BURST));
        Ok(Self(Arc::new(Inner {
            url,
            pace,
            http: http.build()?,
            held: Mutex::default(),
            tries: tokio::sync::Mutex::new(tries),
        })))
    }

    /// Where they are from.
    pub(super) fn url(&self) -> &Url {
        &self.0.url
    }

    /// The keys that are known, if they are not too old; fetches them where there are none.
    pub(super) async fn known(&self) -> Option<Arc<JwkSet>> {
        match self.held() {
            Some(held) => {
                // Where somebody fetches already, nobody else need wait for it.
                if held.since.elapsed() >= self.0.pace.refresh_after && self.0.tries.try_lock().is_ok() {
                    let keys = self.clone();
                    tokio::spawn(async move { keys.fetch(Some(held.since)).await });
                }
                Some(held.keys)
            }
            None => match self.fetch(None).await {
                Looked::Now(keys) => Some(keys),
                Looked::Failed | Looked::TooOften => None,
            },
        }
    }

    /// Looks for a key that is not among those that were `seen`.
    pub(super) async fn look_for_others(&self, seen: &Arc<JwkSet>) -> Looked {
        match self.held() {
            Some(held) if Arc::ptr_eq(&held.keys, seen) => self.fetch(Some(held.since)).await,
            Some(held) => Looked::Now(held.keys),
            None => self.fetch(None).await,
        }
    }

    fn held(&self) -> Option<Held> {
        let held = self.0.held.lock().unwrap_or_else(PoisonError::into_inner).clone();
        held.filter(|held| held.since.elapsed() < self.0.pace.keep_for)
    }

    /// Fetches them, unless somebody did since, or just tried. One at a time: the others wait for it and use what it brought.
    async fn fetch(&self, since: Option<Instant>) -> Looked {
        let tries = self.0.tries.lock().await;
        if let Some(held) = self.held().filter(|held| Some(held.since) != since) {
            return Looked::Now(held.keys);
        }
        if tries.check().is_err() {
            return Looked::TooOften;
        }
        let fetched = self.get().await;
        let result = if fetched.is_ok() { "ok" } else { "failed" };
        metrics::counter!(FETCHES, "result" => result).increment(1);
        let host = self.0.url.host_str().unwrap_or_default();
        match fetched {
            Ok(keys) => {
                info!(
                    host,
                    keys = keys.keys.len(),
                    "the keys of an issuer of tokens were fetched"
                );
                let held = Held {
                    keys: Arc::new(keys),
                    since: Instant::now(),
                };
                *self.0.held.lock().unwrap_or_else(PoisonError::into_inner) = Some(held.clone());
                Looked::Now(held.keys)
            }
            Err(problem) => {
                warn!(
                    host,
                    problem, "the keys of an issuer of tokens cannot be fetched; those that are known stay"
                );
                Looked::Failed
            }
        }
    }

    /// Fetches them now, whatever is known. The error is part of a sentence, and does not show the address.
    pub(super) async fn get(&self) -> Result<JwkSet, String> {
        let answer = self.0.http.get(self.0.url.clone()).send().await;
        // The error would show the address, which may hold a secret.
        let answer = answer.map_err(|error| error.without_url().to_string())?;
        if answer.status() != reqwest::StatusCode::OK {
            return Err(format!("the answer was {}", answer.status()));
        }
        let mut body = Vec::new();
        let mut chunks = answer.bytes_stream();
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(|error| error.without_url().to_string())?;
            if body.len() + chunk.len() > ANSWER_BYTES_MAX {
                return Err(format!("the answer has more than {ANSWER_BYTES_MAX} bytes"));
            }
            body.extend_from_slice(&chunk);
        }
        let keys: JwkSet =
            serde_json::from_slice(&body).map_err(|_| "the answer is not a set of keys (RFC 7517)")?;
        if keys.keys.is_empty() {
            return Err("the answer has no keys".to_owned());
        }
        Ok(keys)
    }
}
