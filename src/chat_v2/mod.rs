//! Chat API v2, which 8x8 switched off in 2023, for clients that were written for it: HTTP on a port of its own, translated to the
//! same use cases that gRPC calls ([`crate::conversation`]). There is no second way to the vendor.
//!
//! A request goes through `door` (whose token, which scope, which tenant), `routes` (one file for each resource) and `translate`
//! (v2's words to ours and back; pure). `problem` has the shapes of what went wrong, in v2's words alone. `token` and `policy` say
//! who may come in; `outgoing` sends to what a client named as its webhook, signed by `signing`; `deliver` decides what, when and
//! how often.
//!
//! What clients register as webhooks is kept in our own store: 8x8's webhooks are of another version, and deliver to us.

pub mod deliver;
mod door;
mod operation;
mod outgoing;
mod page;
mod policy;
mod problem;
mod read;
mod routes;
mod signing;
mod token;
mod translate;

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

pub use deliver::{Deliveries, Sending};
pub use outgoing::Allowed;
pub use policy::{ApiScope, Client, Policy};
pub use routes::router;
pub use signing::SigningKeys;

use crate::{
    access::Guests,
    conversation::Conversations,
    store::{
        chat_v2::{SharedChatV2, WebhookRecord},
        outbox::SharedOutbox,
    },
    tenant::Tenants,
};

/// Counter of requests, by `operation` and `status`.
pub(crate) const REQUESTS: &str = "chatbridge_chat_v2_requests_total";
/// Counter of events that were read from the log, by `result`.
const EVENTS: &str = "chatbridge_chat_v2_events_total";
/// Counter of attempts to deliver an event, by `result`.
const DELIVERIES: &str = "chatbridge_chat_v2_deliveries_total";
/// Histogram of how old events are when they are delivered.
const DELIVERY_AGE: &str = "chatbridge_chat_v2_delivery_age_seconds";
/// Counter of dead letters, by `reason`.
const DEAD_LETTERS: &str = "chatbridge_chat_v2_dead_letters_total";
/// Gauges of what waits, of webhooks that do not take their events, and for how long the first of them has not.
const WAITING: &str = "chatbridge_chat_v2_waiting";
const FAILING: &str = "chatbridge_chat_v2_webhooks_failing";
const FAILING_SECONDS: &str = "chatbridge_chat_v2_failing_seconds";

/// What holds from the start to the end.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The longest body of a request, in bytes.
    pub max_body_bytes: usize,
    /// How long reading a body may take.
    pub body_timeout: Duration,
    /// How long answering a request may take.
    pub call_time_max: Duration,
    /// How long an access token is good.
    pub token_ttl: Duration,
    /// What webhooks are signed with; `None`: none can be sent.
    pub signing_keys: Option<SigningKeys>,
    /// Which private addresses webhooks may have.
    pub allowed: Allowed,
    /// How events are sent to webhooks.
    pub sending: Sending,
}

/// The façade.
pub struct ChatV2 {
    calls: Conversations,
    store: SharedChatV2,
    outbox: SharedOutbox,
    settings: Settings,
    policy: SharedPolicy,
    guests: Guests,
    /// `None`: there is nothing to sign with.
    outgoing: Option<Arc<outgoing::Outgoing>>,
}

/// Who may come in, which may change while the service runs. Clones share it.
#[derive(Debug, Clone)]
pub struct SharedPolicy(Arc<RwLock<Arc<Policy>>>);

impl SharedPolicy {
    /// This policy.
    pub fn new(policy: Policy) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(policy))))
    }

    /// Another policy from now on.
    pub fn replace(&self, policy: Policy) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(policy);
    }

    fn now(&self) -> Arc<Policy> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The name that a client gave a webhook, if it can be read.
pub(crate) fn webhook_name(record: &WebhookRecord) -> Option<String> {
    translate::webhook::Definition::decode(record).map(|definition| definition.name)
}

impl ChatV2 {
    /// A façade of these use cases. The error is a sentence.
    pub fn new(
        calls: Conversations,
        store: SharedChatV2,
        outbox: SharedOutbox,
        settings: Settings,
        policy: SharedPolicy,
    ) -> Result<Self, &'static str> {
        let outgoing = match &settings.signing_keys {
            Some(keys) => {
                let outgoing = outgoing::Outgoing::new(keys.clone(), settings.allowed.clone())?;
                Some(Arc::new(outgoing))
            }
            None => None,
        };
        Ok(Self {
            outgoing,
            calls,
            store,
            outbox,
            settings,
            policy,
            guests: Guests::default(),
        })
    }

    /// What sends events to the webhooks; `None` where there is nothing to sign with.
    pub fn deliveries(&self, kept: deliver::Kept, tenants: Tenants) -> Option<Deliveries> {
        let outgoing = Arc::clone(self.outgoing.as_ref()?);
        let policy = self.policy.clone();
        Some(Deliveries::new(
            kept,
            tenants,
            policy,
            outgoing,
            self.settings.sending,
        ))
    }
}
