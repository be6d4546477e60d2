//! From outboxes to webhooks: claims conversations, sends the first event of each, says what became of it, and goes on with the
//! next.

use std::{sync::Arc, time::Duration};

use tokio::{sync::Notify, task::JoinSet};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use super::{
    Shared,
    directory::Whereto,
    judge::{self, Before, Rules, judge},
};
use crate::{
    chat_v2::{
        DELIVERIES, DELIVERY_AGE,
        outgoing::{Shipment, Undelivered},
        translate::{event, webhook::Definition},
    },
    event::{ConversationKey, Event, Position, TenantId},
    grpc::convert::decode_event,
    store::{
        StoreError,
        outbox::{Claim, DeadReason, Settlement, UNROUTED},
    },
};

/// How many conversations a replica sends at once for a tenant: as many as a tenant may have webhooks, and some more, so that each
/// can have one, however slow the others are.
const SEATS: usize = 1024;
/// How many of them one webhook may have. Where half of all are taken, it is one.
const SEATS_PER_WEBHOOK: usize = 8;
/// Outboxes that are looked at in one go.
const OUTBOXES: usize = 64;
/// For how long a claim holds beyond the time that an answer may take.
const CLAIM_MARGIN: Duration = Duration::from_secs(10);
/// How long it waits at the longest before it looks for what others put into outboxes, and after an error.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How often it is said what became of an event, and how long it waits in between.
const SAY_ATTEMPTS: u32 = 5;
const SAY_AGAIN: Duration = Duration::from_millis(300);
/// How long it waits for answers when it stops. What is cut off by that is sent again once its claim is over.
const END_WITHIN: Duration = Duration::from_secs(5);
/// How many entries of a conversation are read in search of one.
const PAGE: usize = 16;

/// Sends a tenant's events until it is told to stop; then ends what is under way.
pub(super) async fn run(shared: Arc<Shared>, tenant: TenantId, bell: Arc<Notify>, stop: CancellationToken) {
    let courier = Arc::new(Courier {
        shared,
        tenant,
        stop: stop.clone(),
    });
    let mut rounds = JoinSet::new();
    loop {
        let wait = match courier.set_out(&mut rounds).await {
            Ok(wait) => wait,
            Err(error) => {
                debug!(tenant = %courier.tenant, %error, "outboxes of webhooks cannot be looked at now");
                LOOK_EVERY
            }
        };
        tokio::select! {
            biased;
            () = stop.cancelled() => break,
            () = bell.notified() => {}
            Some(_) = rounds.join_next() => while rounds.try_join_next().is_some() {},
            () = tokio::time::sleep(wait) => {}
        }
    }
    let ended = async { while rounds.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(END_WITHIN, ended).await;
}

struct Courier {
    shared: Arc<Shared>,
    tenant: TenantId,
    stop: CancellationToken,
}

impl Courier {
    /// Claims what is due and sets out with it. Answers when to look again.
    async fn set_out(self: &Arc<Self>, rounds: &mut JoinSet<()>) -> Result<Duration, StoreError> {
        let outbox = &self.shared.outbox;
        loop {
            let due = outbox.due(&self.tenant, OUTBOXES).await?;
            let mut claimed_any = false;
            for webhook in &due.webhooks {
                let most = match rounds.len() {
                    taken if taken >= SEATS => return Ok(LOOK_EVERY),
                    taken if taken >= SEATS / 2 => 1,
                    _ => SEATS_PER_WEBHOOK,
                };
                let claimed = outbox
                    .claim(&self.tenant, *webhook, most, self.claim_ms())
                    .await?;
                claimed_any |= !claimed.claims.is_empty();
                for claim in claimed.claims {
                    let round = Arc::clone(self).go_round(*webhook, claim, claimed.streak);
                    rounds.spawn(round);
                }
            }
            if !claimed_any || due.webhooks.len() < OUTBOXES {
                let next = due.next_in_ms.map_or(LOOK_EVERY, Duration::from_millis);
                return Ok(next.min(LOOK_EVERY));
            }
        }
    }

    fn claim_ms(&self) -> u64 {
        let claim = self.shared.sending.timeout + CLAIM_MARGIN;
        u64::try_from(claim.as_millis()).unwrap_or(u64::MAX)
    }

    /// Sends a claimed event, and those of its conversation behind it, one after another.
    async fn go_round(self: Arc<Self>, webhook: u64, claim: Claim, streak: u32) {
        let mut streak = streak;
        let mut next = Some(claim);
        while let Some(claim) = next.take() {
            let settlement = match webhook {
                UNROUTED => self.find_out(&claim).await,
                _ => self.deliver(webhook, &claim, streak).await,
            };
            match settlement {
                Ok(Some(settlement)) => {
                    if settlement == Settlement::Delivered {
                        streak = 0;
                    }
                    next = self.say(webhook, &claim, settlement).await;
                }
                Ok(None) => {}
                // The claim runs out, and somebody sends it anew.
                Err(error) => debug!(tenant = %self.tenant, webhook, %error, "an event cannot be sent now"),
            }
        }
    }

    /// Says what became of an event, and hears of the next one. When it stops, it has that one only to give it back.
    async fn say(&self, webhook: u64, claim: &Claim, settlement: Settlement) -> Option<Claim> {
        let mut claim = claim.clone();
        if let Settlement::Dead(reason) = settlement {
            // The last try is not among those that were counted.
            claim.tries += u32::from(matches!(reason, DeadReason::Refused | DeadReason::Expired));
            super::count_dead(reason);
            warn!(tenant = %self.tenant, webhook, conversation = claim.event.conversation, %reason, tries = claim.tries,
                "an event could not be delivered to a webhook of Chat API v2 and is a dead letter");
        }
        let is_over = self.stop.is_cancelled();
        let claim_ms = if is_over { 0 } else { self.claim_ms() };
        for attempt in 1..=SAY_ATTEMPTS {
            let said = self
                .shared
                .outbox
                .settle(&self.tenant, webhook, &claim, settlement, claim_ms);
            match said.await {
                Ok(next) => return next.filter(|_| !is_over),
                Err(error) => {
                    debug!(tenant = %self.tenant, webhook, %error, attempt, "what became of an event cannot be said now");
                }
            }
            tokio::time::sleep(SAY_AGAIN).await;
        }
        None
    }

    /// Finds out to which webhook the events of a conversation go, and moves them there.
    async fn find_out(&self, claim: &Claim) -> Result<Option<Settlement>, StoreError> {
        let key = self.key(claim);
        match self.shared.directory.ask(&key).await {
            Ok(Whereto::Webhook(webhook)) => {
                self.shared.outbox.route(&self.tenant, claim, webhook).await?;
                self.shared.bell(&self.tenant);
                Ok(None)
            }
            Ok(Whereto::Nowhere | Whereto::Unknown) => Ok(Some(Settlement::Dropped)),
            Err(error) => {
                debug!(tenant = %self.tenant, %error, "it is not known to which webhook an event goes");
                Ok(Some(self.postpone(claim, 0)))
            }
        }
    }

    /// Nobody's fault but ours or the vendor's.
    fn postpone(&self, claim: &Claim, streak: u32) -> Settlement {
        judge::postpone(self.rules(), before(claim, streak), rand::random())
    }

    /// Sends an event. Answers `None` where there is nothing to be said: its webhook is gone, and all that waited for it.
    async fn deliver(
        &self,
        webhook: u64,
        claim: &Claim,
        streak: u32,
    ) -> Result<Option<Settlement>, StoreError> {
        let Some(definition) = self.definition(webhook).await? else {
            let waited = self.shared.outbox.discard(&self.tenant, webhook).await?;
            info!(tenant = %self.tenant, webhook, waited, "a webhook of Chat API v2 was deleted, and what waited for it");
            return Ok(None);
        };
        let event = match self.read(claim).await? {
            Found::Event(event) => *event,
            Found::Trimmed => return Ok(Some(Settlement::Dead(DeadReason::Trimmed))),
            Found::Erased => return Ok(Some(Settlement::Dropped)),
            // By then its key may be there.
            Found::Unreadable => return Ok(Some(self.postpone(claim, streak))),
        };
        let Some(body) = event::write(&event) else {
            return Ok(Some(Settlement::Dropped));
        };
        let shipment = Shipment {
            tenant: &self.tenant,
            uri: &definition.uri,
            event_id: &event.id,
            retry: claim.tries,
            body: &body,
        };
        let attempt = self
            .shared
            .outgoing
            .send(shipment, self.shared.sending.timeout)
            .await;
        metrics::counter!(DELIVERIES, "result" => word(attempt)).increment(1);
        let before = before(claim, streak);
        match attempt {
            Ok(()) => metrics::histogram!(DELIVERY_AGE).record(before.age.as_secs_f64()),
            Err(undelivered) => {
                debug!(tenant = %self.tenant, webhook, conversation = claim.event.conversation, event = event.id,
                    tries = claim.tries + 1, "an event was not delivered: the webhook's address {undelivered}");
                if streak == 0 {
                    info!(tenant = %self.tenant, webhook, result = word(attempt),
                        "a webhook of Chat API v2 does not take its events");
                }
            }
        }
        Ok(Some(judge(self.rules(), before, attempt, rand::random())))
    }

    async fn definition(&self, webhook: u64) -> Result<Option<Definition>, StoreError> {
        let record = self.shared.chat_v2.webhook(&self.tenant, webhook).await?;
        let unreadable = || StoreError::Corrupt("a webhook of Chat API v2 cannot be read".into());
        record
            .map(|record| Definition::decode(&record).ok_or_else(unreadable))
            .transpose()
    }

    async fn read(&self, claim: &Claim) -> Result<Found, StoreError> {
        let (key, wanted) = (self.key(claim), claim.event.entry);
        let mut from = Position::Since(wanted.ms);
        loop {
            let page = self.shared.store.read_conversation(&key, from, PAGE).await?;
            if let Some(entry) = page.entries.iter().find(|entry| entry.id == wanted) {
                return Ok(match (&entry.unreadable, decode_event(&entry.event)) {
                    (Some(_), _) => Found::Unreadable,
                    (None, Some(event)) => Found::Event(Box::new(event)),
                    (None, None) => Found::Erased,
                });
            }
            let is_behind = page.entries.last().is_none_or(|last| last.id.ms > wanted.ms);
            if is_behind || page.at_tail {
                let oldest = page.before_oldest;
                let is_trimmed = oldest.epoch != wanted.epoch || wanted.order() <= oldest.order();
                return Ok(if is_trimmed { Found::Trimmed } else { Found::Erased });
            }
            from = Position::After(page.next);
        }
    }

    fn key(&self, claim: &Claim) -> ConversationKey {
        ConversationKey::new(self.tenant.clone(), &claim.event.conversation)
    }

    fn rules(&self) -> Rules {
        Rules {
            attempts: self.shared.sending.attempts,
            retry_for: self.shared.sending.retry_for,
        }
    }
}

/// What the log has of an event.
enum Found {
    Event(Box<Event>),
    /// It is older than all that is left.
    Trimmed,
    /// It is not there, though older ones are.
    Erased,
    Unreadable,
}

/// What had happened before an attempt. How old an event is, is told by this machine's clock: nothing depends on seconds.
fn before(claim: &Claim, streak: u32) -> Before {
    let now_ms = u64::try_from(jiff::Timestamp::now().as_millisecond()).unwrap_or(0);
    Before {
        tries: claim.tries,
        streak,
        age: Duration::from_millis(now_ms.saturating_sub(claim.event.entry.ms)),
    }
}

/// What became of an attempt, as the metric says it.
fn word(attempt: Result<(), Undelivered>) -> &'static str {
    match attempt {
        Ok(()) => "delivered",
        Err(undelivered @ Undelivered::Refused { .. }) if judge::is_down(undelivered) => "unavailable",
        Err(Undelivered::Refused { .. }) => "refused",
        Err(Undelivered::NotAllowed) => "not_allowed",
        Err(Undelivered::Silent) => "silent",
        Err(Undelivered::Unreachable) => "unreachable",
        Err(Undelivered::Unsigned) => "unsigned",
    }
}
