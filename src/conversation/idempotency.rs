//! One call to the vendor that must not happen twice: recorded and announced before it is sent, and afterwards what became
//! of it.
//!
//! A call with a `request_id` has a record, by which its repeats are known. A call of a kind that can be looked for upstream
//! is announced in a ledger, with a `request_id` or without: whoever looks later must know of all that may be there.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tracing::warn;
use uuid::Uuid;

use super::calls::RequestId;
use crate::{
    error::Error,
    gateway::{Gateway, UpstreamError, UpstreamErrorKind},
    store::{
        Announcement, AwaitedEcho, Begun, Concluded, Finished, IdempotencyKey, LedgerKey, SharedStore,
        StoreError,
    },
    tenant::Tenant,
};

/// How long a call that is not a transfer may be under way before it counts as abandoned, for a vendor that is given
/// `timeout` for each request: three attempts, each after its turn and a pause.
pub(super) fn lease(timeout: Duration) -> Duration {
    3 * timeout + Duration::from_secs(60)
}

/// When that what could not be recorded is tried again, each counted from the one before.
const AGAIN: [Duration; 5] = [
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(3),
    Duration::from_secs(10),
    Duration::from_secs(30),
];

/// A call that is to begin.
pub(super) struct Plan<'a> {
    /// The method, which is part of what a repeat is known by.
    pub(super) method: &'static str,
    /// What makes it idempotent.
    pub(super) request: &'a RequestId,
    /// How long it may be under way before it counts as abandoned.
    pub(super) lease: Duration,
    /// What a later look needs to find it upstream.
    pub(super) mark: serde_json::Value,
    /// Where it is announced; `None`: nobody will look for it.
    pub(super) ledger: Option<LedgerKey>,
    /// The fingerprint of the echo that it will have.
    pub(super) echo: Option<String>,
}

/// What a call finds when it begins.
pub(super) enum Started<T> {
    /// Nobody has done it: it goes on, under this guard.
    New(Guard),
    /// It was done: its answer.
    Done(T),
    /// It may have been done.
    Unknown(Doubt),
}

/// What is kept in the record of a call, for those who repeat it.
#[derive(Serialize, Deserialize)]
struct Kept {
    /// What tells it from the others in its ledger.
    token: String,
    mark: serde_json::Value,
}

/// How a call ended.
#[derive(Clone)]
enum End {
    Done { answer: Bytes, result: String },
    NotSent,
    Unknown,
}

/// Where a call is noted.
#[derive(Clone)]
struct Noted {
    store: SharedStore,
    /// What tells this attempt from the others in its ledger.
    token: String,
    record: Option<(IdempotencyKey, u64)>,
    announcement: Option<Announcement>,
}

/// A call that is under way. Where it is dropped before its end, because the caller has gone, what is known is recorded.
pub(super) struct Guard {
    open: Option<Noted>,
    /// Whether a request is on its way to the vendor, or may have done its work.
    left: Arc<AtomicBool>,
    /// For a file: set once it is whole, and never after it was given up.
    whole: Option<Arc<OnceLock<String>>>,
}

/// A call of which the store is being asked whether it may begin.
struct Beginning(Option<Noted>);

/// A call of which a repeat cannot know whether it happened.
pub(super) struct Doubt {
    noted: Noted,
    token: String,
    mark: serde_json::Value,
}

impl Guard {
    /// Begins a call: records it, and announces it. With the store down nothing is sent.
    pub(super) async fn begin<T: DeserializeOwned>(
        store: &SharedStore,
        tenant: &Tenant,
        plan: Plan<'_>,
    ) -> Result<Started<T>, Error> {
        // A UUID is the same in any case.
        let id = plan.request.id.to_ascii_lowercase();
        let noted = Noted::new(store, tenant, &plan, &id);
        let Some((key, nonce)) = &noted.record else {
            if plan.ledger.is_none() {
                store.ping().await?;
            }
            return noted.announce().await.map(Started::New);
        };
        let kept = serde_json::json!({ "token": noted.token, "mark": plan.mark }).to_string();
        let lease_ms = u64::try_from(plan.lease.as_millis()).unwrap_or(u64::MAX);
        let beginning = Beginning(Some(noted.clone()));
        let begun = store
            .begin(key, &plan.request.digest, kept.as_bytes(), *nonce, lease_ms)
            .await;
        if !matches!(begun, Err(StoreError::Unavailable(_))) {
            beginning.leave();
        }
        match begun? {
            Begun::New => noted.announce().await.map(Started::New),
            Begun::InFlight => Err(Error::RequestInFlight),
            Begun::Reused => Err(Error::REQUEST_ID_REUSED),
            Begun::Unknown(kept) if kept.is_empty() => Err(still_unknown(
                "what was known of it was erased with its conversation",
            )),
            Begun::Unknown(kept) => Doubt::new(noted, &kept).map(Started::Unknown),
            Begun::Done(answer) => serde_json::from_slice(&answer)
                .map(Started::Done)
                .map_err(|_| Error::StoreCorrupt),
        }
    }

    /// The way by which the request is to go: from the moment that it leaves, a call that is dropped may have happened.
    pub(super) fn watched(&self, gateway: &Gateway) -> Gateway {
        gateway.noting(Arc::clone(&self.left))
    }

    /// A file goes along, and nothing can come of it before it is whole.
    pub(super) fn carries(&mut self, whole: &Arc<OnceLock<String>>) {
        self.whole = Some(Arc::clone(whole));
    }

    /// Whether it may have happened, if it ends here.
    fn may_have_happened(&self) -> bool {
        // Whoever sets it first decides: a file that is given up here is never made whole afterwards.
        let is_given_up = || {
            self.whole
                .as_ref()
                .is_some_and(|whole| whole.set(String::new()).is_ok())
        };
        self.left.load(Ordering::Acquire) && !is_given_up()
    }

    /// Passes the vendor's answer on, and records a failure.
    pub(super) async fn watch<T>(&mut self, outcome: Result<T, UpstreamError>) -> Result<T, Error> {
        if let Err(error) = &outcome {
            let end = if error.kind.is_certain() {
                End::NotSent
            } else {
                End::Unknown
            };
            self.finish(end).await;
        }
        Ok(outcome?)
    }

    /// Records that it provably did not happen.
    pub(super) async fn not_sent(&mut self) {
        self.finish(End::NotSent).await;
    }

    /// Records that it was done, with the vendor's identifier of what came of it.
    pub(super) async fn done(&mut self, answer: &impl Serialize, result: &str) {
        self.finish(done(answer, result)).await;
    }

    /// In a task of its own, so that a caller who leaves now does not stop it half-way.
    async fn finish(&mut self, end: End) {
        if let Some(noted) = self.open.take() {
            // It fails only where it panics or the service ends.
            let _ = tokio::spawn(noted.finish(end)).await;
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let Some(noted) = self.open.take() else { return };
        let end = if self.may_have_happened() {
            End::Unknown
        } else {
            End::NotSent
        };
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(noted.finish(end));
        }
    }
}

impl Beginning {
    /// The store has answered.
    fn leave(mut self) {
        self.0 = None;
    }
}

impl Drop for Beginning {
    /// The store did not say whether it recorded the call, and whoever waited for that was told to repeat it, or has gone: the
    /// record must not stand in the way of that for a day.
    fn drop(&mut self) {
        if let (Some(noted), Ok(runtime)) = (self.0.take(), tokio::runtime::Handle::try_current()) {
            runtime.spawn(noted.take_back());
        }
    }
}

impl Doubt {
    /// What was kept tells how the call was announced.
    fn new(mut noted: Noted, kept: &[u8]) -> Result<Self, Error> {
        let Kept { token, mark } = serde_json::from_slice(kept).map_err(|_| Error::StoreCorrupt)?;
        if let Some(announcement) = &mut noted.announcement {
            announcement.token.clone_from(&token);
        }
        Ok(Self { noted, token, mark })
    }

    /// What was noted when the call began.
    pub(super) fn mark<T: DeserializeOwned>(&self) -> Result<T, Error> {
        T::deserialize(&self.mark).map_err(|_| Error::StoreCorrupt)
    }

    /// What tells the call from the others in its ledger.
    pub(super) fn token(&self) -> &str {
        &self.token
    }

    /// Records that it was done after all, and answers as the first call would have.
    pub(super) async fn happened<T: Serialize>(self, answer: T, result: &str) -> T {
        let end = done(&answer, result);
        let _ = tokio::spawn(self.noted.finish(end)).await;
        answer
    }
}

/// The error of a call of which it is still unknown whether it happened; `found` says what was looked at.
pub(super) fn still_unknown(found: &str) -> Error {
    Error::Upstream(UpstreamError::new(
        UpstreamErrorKind::OutcomeUnknown,
        format!("an earlier call with this request_id; {found}"),
    ))
}

/// Notes something in the store. What cannot be noted at once is tried again for a while, and nobody waits for that. It must be
/// harmless twice, and late.
pub(super) async fn see_to<F: Future<Output = Result<(), StoreError>> + Send>(
    what: &'static str,
    note: impl Fn() -> F + Send + 'static,
) {
    let Err(error) = note().await else { return };
    warn!(what, %error, "something could not be noted; it will be tried again");
    tokio::spawn(async move {
        for wait in AGAIN {
            tokio::time::sleep(wait).await;
            if note().await.is_ok() {
                return;
            }
        }
        warn!(what, "something could not be noted, and is given up");
    });
}

fn done(answer: &impl Serialize, result: &str) -> End {
    End::Done {
        answer: serde_json::to_vec(answer).map(Bytes::from).unwrap_or_default(),
        result: result.to_owned(),
    }
}

impl Noted {
    fn new(store: &SharedStore, tenant: &Tenant, plan: &Plan<'_>, id: &str) -> Self {
        let record = (!id.is_empty()).then(|| {
            let key = IdempotencyKey {
                tenant: tenant.id.clone(),
                caller: String::new(),
                method: plan.method,
                request_id: id.to_owned(),
            };
            (key, rand::random())
        });
        // Of this very attempt: what is recorded late of one that was never sent must not touch its repeat.
        let token = Uuid::new_v4().to_string();
        let announcement = plan.ledger.clone().map(|ledger| Announcement {
            ledger,
            token: token.clone(),
            echo: plan.echo.clone().map(|fingerprint| AwaitedEcho {
                fingerprint,
                request_id: id.to_owned(),
            }),
            // A file has a name; of a message, the record says no more than when it was accepted.
            telling: record
                .as_ref()
                .map(|(key, _)| key.clone())
                .filter(|_| plan.method == "UploadAttachment"),
        });
        Self {
            store: SharedStore::clone(store),
            token,
            record,
            announcement,
        }
    }

    /// Announces what was recorded. From here on the guard sees to it that the outcome is noted.
    async fn announce(self) -> Result<Guard, Error> {
        let store = SharedStore::clone(&self.store);
        let announcement = self.announcement.clone();
        let mut guard = Guard {
            open: Some(self),
            left: Arc::default(),
            whole: None,
        };
        if let Some(announcement) = announcement
            && let Err(error) = store.announce(&announcement).await
        {
            guard.not_sent().await;
            return Err(error.into());
        }
        Ok(guard)
    }

    /// Records how it ended. A record that is never written stays as *sending*, and counts as unknown when its lease is over,
    /// never as not sent; so does an announcement.
    async fn finish(self, end: End) {
        see_to("the outcome of a call", move || {
            let (noted, end) = (self.clone(), end.clone());
            async move { noted.try_finish(end).await }
        })
        .await;
    }

    /// Record and ledger lie in different slots of a cluster, so no script writes both: they are written at once.
    async fn try_finish(&self, end: End) -> Result<(), StoreError> {
        let (finished, concluded) = match end {
            End::Done { answer, result } => (Finished::Done(answer), Concluded::Accepted(result)),
            End::NotSent => (Finished::NotSent, Concluded::Withdrawn),
            End::Unknown => (Finished::Unknown, Concluded::Unknown),
        };
        let (recorded, entered) = tokio::join!(
            async {
                match &self.record {
                    Some((key, nonce)) => self.store.finish(key, *nonce, &finished).await,
                    None => Ok(()),
                }
            },
            async {
                match &self.announcement {
                    Some(announcement) => self.store.conclude(announcement, &concluded).await,
                    None => Ok(()),
                }
            }
        );
        recorded.and(entered)
    }

    /// Takes the record back. More than once though it succeeds: the store may yet be told of the call, by a connection that
    /// was given up.
    async fn take_back(self) {
        let Some((key, nonce)) = self.record else { return };
        for wait in [Duration::ZERO].into_iter().chain(AGAIN) {
            tokio::time::sleep(wait).await;
            // The next one is the answer to a failure.
            let _ = self.store.finish(&key, nonce, &Finished::NotSent).await;
        }
    }
}
