//! One conversation for each tenant, channel and customer, however many callers ask at once.
//!
//! The first caller for a customer notes an attempt in the store, and everybody makes the same creation under that attempt's
//! identifier: the record of idempotent calls sees to it that one of them is sent. Then the attempt gives way to the
//! conversation.

use std::{collections::BTreeMap, time::Duration};

use tokio::time::{Instant, sleep};
use tracing::warn;
use uuid::Uuid;

use super::{
    Conversations,
    calls::{CreatedConversation, RequestId},
    creation::{Creation, customer_of},
};
use crate::{
    error::Error,
    event::UpstreamState,
    gateway::{Conversation, NewConversation, UpstreamErrorKind},
    store::{Cursor, Customer, CustomerKey},
    tenant::Tenant,
};

/// How long another caller's creation is awaited where the caller sets no deadline.
const WAIT_MAX: Duration = Duration::from_secs(10);
/// How often it is looked at, in milliseconds.
const LOOK_EVERY_MS: std::ops::RangeInclusive<u64> = 20..=200;
/// The vendor accepts a conversation before it shows it. One that is younger than this is not taken for gone.
const SHOWN_WITHIN_MS: u64 = 60_000;
/// How many conversations that are gone are given up in one call.
const GONE_MAX: usize = 3;

/// A conversation that was found or created.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// The conversation: as the vendor has it where it was found; what was asked for, where it is new.
    pub conversation: Conversation,
    /// Whether this very call created it.
    pub created: bool,
    /// Where it is new, from before it was created; otherwise from before this call.
    pub cursor: Cursor,
}

impl Conversations {
    /// Finds the conversation of `new.user.user_id` on `new.channel_id`, or creates it.
    pub async fn find_or_create(
        &self,
        tenant: &Tenant,
        new: &NewConversation,
        labels: &BTreeMap<String, String>,
    ) -> Result<Found, Error> {
        if new.user.user_id.is_empty() {
            return Err(Error::invalid("user.user_id", "is required"));
        }
        tenant.may_use(&new.channel_id)?;
        let key = customer_of(tenant, new);
        let cursor = self.cursor_before().await?;
        for _ in 0..GONE_MAX {
            let attempt = match self.store.customer(&key, &Uuid::new_v4().to_string()).await? {
                Customer::Attempt(attempt) => attempt,
                Customer::Conversation { id, age_ms } => {
                    match self.found(tenant, &key, &id, age_ms, new).await? {
                        Some(conversation) => {
                            return Ok(Found {
                                conversation,
                                created: false,
                                cursor,
                            });
                        }
                        None => continue,
                    }
                }
            };
            let (answer, created) = self.attempt(tenant, &attempt, new, labels).await?;
            if !created
                && let Err(error) = self
                    .store
                    .bind_customer(&key, &answer.conversation, Some(&attempt))
                    .await
            {
                warn!(tenant = %tenant.id, %error, "the customer of a conversation could not be noted");
            }
            return Ok(Found {
                cursor: Cursor::decode(&answer.cursor)?,
                conversation: as_asked(&answer.conversation, new),
                created,
            });
        }
        Err(Error::WaitTimedOut)
    }

    /// Reads the conversation that is noted. `None`: it is gone, and noted no more.
    async fn found(
        &self,
        tenant: &Tenant,
        key: &CustomerKey,
        id: &str,
        age_ms: u64,
        new: &NewConversation,
    ) -> Result<Option<Conversation>, Error> {
        match tenant.gateway.conversation(&tenant.id, id).await {
            Ok(conversation) => Ok(Some(conversation)),
            Err(error) if error.kind == UpstreamErrorKind::NotFound => {
                if age_ms < SHOWN_WITHIN_MS {
                    return Ok(Some(as_asked(id, new)));
                }
                self.store.release_customer(key, id).await?;
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Makes the creation of an attempt, or waits for whoever makes it.
    async fn attempt(
        &self,
        tenant: &Tenant,
        attempt: &str,
        new: &NewConversation,
        labels: &BTreeMap<String, String>,
    ) -> Result<(CreatedConversation, bool), Error> {
        let until = tenant
            .gateway
            .deadline()
            .unwrap_or_else(|| Instant::now() + WAIT_MAX);
        let request = RequestId {
            id: attempt.to_owned(),
            // Callers may know different things of the same customer: the first one's count.
            digest: [0; 32],
        };
        let mut wait_ms = *LOOK_EVERY_MS.start();
        loop {
            let creation = Creation {
                method: "FindOrCreateConversation",
                request: &request,
                new,
                labels,
                attempt: Some(attempt),
            };
            match self.create_once(tenant, creation).await {
                Err(Error::RequestInFlight) => {}
                outcome => return outcome,
            }
            let pause = Duration::from_millis(rand::random_range(wait_ms / 2..=wait_ms));
            if Instant::now() + pause >= until {
                return Err(Error::WaitTimedOut);
            }
            sleep(pause).await;
            wait_ms = (wait_ms * 2).min(*LOOK_EVERY_MS.end());
        }
    }
}

/// A conversation that the vendor has accepted and may not show yet.
fn as_asked(id: &str, new: &NewConversation) -> Conversation {
    Conversation {
        id: id.to_owned(),
        channel_id: new.channel_id.clone(),
        state: Some(UpstreamState::Created),
        assignment: new.assignment.clone(),
        user: new.user.clone(),
    }
}
