//! One request to a webhook: true, or forged.

use std::time::{Duration, Instant};

use bytes::Bytes;
use url::Url;

use super::{
    Event, Shared,
    log::{Attempt, Outcome},
    signer,
};
use crate::{
    sandbox::{faults::Forgery, locked, new_id, now_ms},
    webhook::signer::Signer,
};

/// How old a forgery is that pretends to be an event of the past, in milliseconds.
const STALE_MS: i64 = 3_600_000;

/// A request as it is sent, again and again if need be.
#[derive(Clone)]
struct Parcel {
    tenant: String,
    event_id: String,
    sent_ms: i64,
    retry: u32,
    signature: String,
    body: Bytes,
}

impl Shared {
    /// Signs and sends an event once.
    pub(super) async fn attempt(&self, event: &Event, url: Url) -> Attempt {
        self.attempt_times(event, url, 0).await
    }

    /// As [`Self::attempt`], and once it is taken the very same request so many times more. The answer is the first one.
    pub(super) async fn attempt_times(&self, event: &Event, url: Url, copies: u32) -> Attempt {
        // Only the stopping of the semaphore fails this, and nobody stops it.
        let _permit = self.in_flight.acquire().await;
        let signer = locked(&self.keys).current();
        let Some(parcel) = self.sign(event, &signer, &self.tenant, now_ms()) else {
            return Attempt::unanswered("the event could not be signed", Duration::ZERO);
        };
        let first = self.post(url.clone(), parcel.clone()).await;
        if first.delivered() {
            for _ in 0..copies {
                self.post(url.clone(), parcel.clone()).await;
            }
        }
        first
    }

    /// Sends what an attacker would send who has seen `event`, once, and records the answer.
    pub(super) async fn forge(&self, event: &Event, forgery: Forgery) {
        let Some(url) = locked(&self.webhooks).target(&event.webhook_id) else {
            return;
        };
        let Some(parcel) = self.forged(event, forgery) else {
            return;
        };
        // In the log it is an event of its own, whatever identifier it claims.
        let mut record = event.clone();
        record.id = new_id();
        record.forged = Some(forgery.as_str());
        self.opened(&record);
        let _permit = self.in_flight.acquire().await;
        let attempt = self.post(url, parcel).await;
        locked(&self.log).attempted(&record, &attempt);
        let outcome = match attempt.delivered() {
            true => Outcome::Delivered,
            false => Outcome::Failed,
        };
        self.close(&record.id, outcome);
    }

    fn forged(&self, event: &Event, forgery: Forgery) -> Option<Parcel> {
        let (own, kid) = {
            let keys = locked(&self.keys);
            (keys.current(), keys.kid().to_owned())
        };
        let now = now_ms();
        Some(match forgery {
            Forgery::Body => {
                let mut parcel = self.sign(event, &own, &self.tenant, now)?;
                let mut body = parcel.body.to_vec();
                // Still JSON, and another length.
                body.push(b' ');
                parcel.body = body.into();
                parcel
            }
            Forgery::Key => {
                let other = signer::generate().ok()?.under(&kid);
                self.sign(event, &other, &self.tenant, now)?
            }
            Forgery::Kid => self.sign(event, &signer::generate().ok()?, &self.tenant, now)?,
            Forgery::Stale => self.sign(event, &own, &self.tenant, now - STALE_MS)?,
            Forgery::Tenant => self.sign(event, &own, "another-tenant", now)?,
        })
    }

    fn sign(&self, event: &Event, signer: &Signer, tenant: &str, sent_ms: i64) -> Option<Parcel> {
        let signature = signer.sign(&event.parcel(tenant, &self.customer_id, sent_ms))?;
        Some(Parcel {
            tenant: tenant.to_owned(),
            event_id: event.id.clone(),
            sent_ms,
            retry: event.retry,
            signature,
            body: event.body.clone(),
        })
    }

    async fn post(&self, url: Url, parcel: Parcel) -> Attempt {
        let begun = Instant::now();
        let answer = self
            .client
            .post(url)
            .header("content-type", "application/json")
            .header("x-8x8-tenant-id", parcel.tenant)
            .header("x-8x8-customer-id", &self.customer_id)
            .header("x-8x8-event-id", parcel.event_id)
            .header("x-8x8-transmission-time", parcel.sent_ms)
            .header("x-8x8-retry", parcel.retry)
            .header("x-8x8-signature", parcel.signature)
            .body(parcel.body)
            .send()
            .await;
        match answer {
            Ok(answer) => Attempt::answered(answer.status().as_u16(), begun.elapsed()),
            Err(error) if error.is_timeout() => Attempt::unanswered("no answer within 10 s", begun.elapsed()),
            Err(error) if error.is_connect() => Attempt::unanswered("connecting failed", begun.elapsed()),
            Err(_) => Attempt::unanswered("the connection broke", begun.elapsed()),
        }
    }
}
