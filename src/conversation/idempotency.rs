//! One call to the vendor that must not happen twice: recorded and announced before it is sent, and afterwards what became
//! of it.
//!
//! A call with a `request_id` has a record, by which its repeats are known. A call of a kind that can be looked for upstream
//! is announced in a ledger, with a `request_id` or without: whoever looks later must know of all that may be there.

use std::time::Duration;

use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};
use tracing::warn;
use uuid::Uuid;

use super::calls::RequestId;
use crate::{
    error::Error,
    gateway::{UpstreamError, UpstreamErrorKind},
    store::{
        Announcement, AwaitedEcho, Begun, Concluded, Finished, IdempotencyKey, LedgerKey, SharedStore,
        StoreError,
    },
    tenant::Tenant,
};

/// How long a call may be under way before it counts as abandoned. Longer than any call but a transfer may take.
pub(super) const LEASE: Duration = Duration::from_secs(120);

/// How long it is tried to take back a record whose call was given up because the store did not answer in time.
const TAKE_BACK: [Duration; 5] = [
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

/// How a call ended.
enum End {
    Done { answer: Bytes, result: String },
    NotSent,
    Unknown,
}

/// Where a call is noted.
#[derive(Clone)]
struct Noted {
    store: SharedStore,
    record: Option<(IdempotencyKey, u64)>,
    announcement: Option<Announcement>,
}

/// A call that is under way. Where it is dropped before its end, because the caller has gone, what is known is recorded.
pub(super) struct Guard {
    open: Option<Noted>,
    sent: bool,
}

/// A call of which a repeat cannot know whether it happened.
pub(super) struct Doubt {
    noted: Noted,
    mark: Bytes,
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
        let mark = plan.mark.to_string();
        let lease_ms = u64::try_from(plan.lease.as_millis()).unwrap_or(u64::MAX);
        // Nothing is announced yet, and an announcement under this token may be that of an earlier call.
        let beginning = Self::over(Noted {
            announcement: None,
            ..noted.clone()
        });
        let begun = store
            .begin(key, &plan.request.digest, mark.as_bytes(), *nonce, lease_ms)
            .await;
        beginning.leave();
        if let Err(StoreError::Unavailable(_)) = &begun {
            noted.clone().take_back();
        }
        match begun? {
            Begun::New => noted.announce().await.map(Started::New),
            Begun::InFlight => Err(Error::RequestInFlight),
            Begun::Reused => Err(Error::REQUEST_ID_REUSED),
            Begun::Unknown(mark) => Ok(Started::Unknown(Doubt { noted, mark })),
            Begun::Done(answer) => serde_json::from_slice(&answer)
                .map(Started::Done)
                .map_err(|_| Error::StoreCorrupt),
        }
    }

    fn over(noted: Noted) -> Self {
        Self {
            open: Some(noted),
            sent: false,
        }
    }

    /// Ends the watch: there is nothing to record.
    fn leave(mut self) {
        self.open = None;
    }

    /// To be called just before the request may leave: from here on, a call that is dropped may have happened.
    pub(super) fn sending(&mut self) {
        self.sent = true;
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
        let end = if self.sent { End::Unknown } else { End::NotSent };
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(noted.finish(end));
        }
    }
}

impl Doubt {
    /// What was noted when the call began.
    pub(super) fn mark<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_slice(&self.mark).map_err(|_| Error::StoreCorrupt)
    }

    /// What tells the call from the others in its ledger.
    pub(super) fn token(&self) -> &str {
        self.noted.announcement.as_ref().map_or("", |a| a.token.as_str())
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

fn done(answer: &impl Serialize, result: &str) -> End {
    End::Done {
        answer: serde_json::to_vec(answer).map(Bytes::from).unwrap_or_default(),
        result: result.to_owned(),
    }
}

impl Noted {
    fn new(store: &SharedStore, tenant: &Tenant, plan: &Plan<'_>, id: &str) -> Self {
        let anonymous = id.is_empty();
        let record = (!anonymous).then(|| {
            let key = IdempotencyKey {
                tenant: tenant.id.clone(),
                caller: String::new(),
                method: plan.method,
                request_id: id.to_owned(),
            };
            (key, rand::random())
        });
        let token = if anonymous {
            Uuid::new_v4().to_string()
        } else {
            id.to_owned()
        };
        let announcement = plan.ledger.clone().map(|ledger| Announcement {
            ledger,
            token,
            echo: plan.echo.clone().map(|fingerprint| AwaitedEcho {
                fingerprint,
                request_id: id.to_owned(),
            }),
        });
        Self {
            store: SharedStore::clone(store),
            record,
            announcement,
        }
    }

    /// Announces what was recorded. From here on the guard sees to it that the outcome is noted.
    async fn announce(self) -> Result<Guard, Error> {
        let store = SharedStore::clone(&self.store);
        let announcement = self.announcement.clone();
        let mut guard = Guard::over(self);
        if let Some(announcement) = announcement
            && let Err(error) = store.announce(&announcement).await
        {
            guard.not_sent().await;
            return Err(error.into());
        }
        Ok(guard)
    }

    /// Record and ledger lie in different slots of a cluster, so no script writes both: they are written at once. A record
    /// that cannot be written stays as *sending*, and counts as unknown when its lease is over, never as not sent; so does
    /// an announcement.
    async fn finish(self, end: End) {
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
        if let Err(error) = recorded.and(entered) {
            let method = self.record.as_ref().map_or("", |(key, _)| key.method);
            warn!(method, %error, "the outcome of a call could not be recorded");
        }
    }

    /// The store did not say whether it recorded the call, and the caller was told to repeat it: the record must not stand
    /// in the way of that for a day.
    fn take_back(self) {
        let Some((key, nonce)) = self.record else { return };
        let store = self.store;
        tokio::spawn(async move {
            for wait in TAKE_BACK {
                tokio::time::sleep(wait).await;
                if store.finish(&key, nonce, &Finished::NotSent).await.is_ok() {
                    return;
                }
            }
        });
    }
}
