//! One call under a `request_id`: recorded before it is sent, and afterwards what became of it.

use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};
use tracing::warn;

use super::calls::RequestId;
use crate::{
    error::Error,
    gateway::{UpstreamError, UpstreamErrorKind},
    store::{Begun, Finished, IdempotencyKey, SharedStore, StoreError},
    tenant::Tenant,
};

/// How long a call may be under way before it counts as abandoned, in milliseconds. Longer than any call may take.
const LEASE_MS: u64 = 120_000;

/// What a call finds when it begins.
pub(super) enum Started<T> {
    /// Nobody has done it: it goes on, under this guard.
    New(Guard),
    /// It was done: its answer.
    Done(T),
}

/// A call that is under way.
pub(super) struct Guard {
    store: SharedStore,
    key: Option<IdempotencyKey>,
}

impl Guard {
    /// Begins a call. Without a `request_id` the store is only asked whether it is there: with the store down nothing is
    /// sent.
    pub(super) async fn begin<T: DeserializeOwned>(
        store: &SharedStore,
        tenant: &Tenant,
        method: &'static str,
        request: &RequestId,
        mark: &serde_json::Value,
    ) -> Result<Started<T>, Error> {
        if request.id.is_empty() {
            store.ping().await?;
            return Ok(Started::New(Self {
                store: SharedStore::clone(store),
                key: None,
            }));
        }
        let key = IdempotencyKey {
            tenant: tenant.id.clone(),
            caller: String::new(),
            method,
            request_id: request.id.clone(),
        };
        let mark = mark.to_string();
        match store
            .begin(&key, &request.digest, mark.as_bytes(), LEASE_MS)
            .await?
        {
            Begun::New => Ok(Started::New(Self {
                store: SharedStore::clone(store),
                key: Some(key),
            })),
            Begun::InFlight => Err(Error::RequestInFlight),
            Begun::Reused => Err(Error::RequestIdReused),
            Begun::Unknown(_) => Err(Error::Upstream(UpstreamError::new(
                UpstreamErrorKind::OutcomeUnknown,
                "an earlier call with this request_id",
            ))),
            Begun::Done(answer) => serde_json::from_slice(&answer)
                .map(Started::Done)
                .map_err(|_| Error::StoreCorrupt),
        }
    }

    /// Whether a repeat of the call is known as such.
    pub(super) fn is_idempotent(&self) -> bool {
        self.key.is_some()
    }

    /// Passes the vendor's answer on, and records a failure.
    pub(super) async fn watch<T>(&self, outcome: Result<T, UpstreamError>) -> Result<T, Error> {
        if let Err(error) = &outcome {
            let finished = if error.kind.is_certain() {
                Finished::NotSent
            } else {
                Finished::Unknown
            };
            self.finish(&finished).await;
        }
        Ok(outcome?)
    }

    /// Passes on what the store answered before anything was sent, and records a failure.
    pub(super) async fn watch_store<T>(&self, outcome: Result<T, StoreError>) -> Result<T, Error> {
        if outcome.is_err() {
            self.finish(&Finished::NotSent).await;
        }
        Ok(outcome?)
    }

    /// Records that it was done.
    pub(super) async fn done(&self, answer: &impl Serialize) {
        let answer = serde_json::to_vec(answer).map(Bytes::from).unwrap_or_default();
        self.finish(&Finished::Done(answer)).await;
    }

    /// A record that cannot be written stays as *sending*, and counts as unknown when its lease is over: never as not
    /// sent.
    async fn finish(&self, finished: &Finished) {
        let Some(key) = &self.key else { return };
        if let Err(error) = self.store.finish(key, finished).await {
            warn!(tenant = %key.tenant, method = key.method, %error, "the outcome of a call could not be recorded");
        }
    }
}
