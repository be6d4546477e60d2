//! Outboxes of webhooks of Chat API v2.

mod bad_days;
mod claims;
mod dead;
mod erasing;
mod failing;
mod model;
mod order;
mod unrouted;

use chatbridge::{
    event::{EntryId, TenantId},
    store::outbox::{
        Claim, Claimed, DeadReason, Due, Enqueued, OutboxState, OutboxStore, Settlement, Waiting,
    },
};

use super::fixture::{Fixture, Kind, tenant};

/// Longer than any test takes.
const HOUR_MS: u64 = 3_600_000;

/// More than any test puts into an outbox that is not to be full.
const MANY: u64 = 100_000;

/// An event of a conversation, the `n`th of its partition.
fn event(conversation: &str, n: u64) -> Waiting {
    Waiting {
        conversation: conversation.to_owned(),
        entry: EntryId {
            epoch: 77,
            ms: 1_000_000 + n / 3,
            n,
        },
    }
}

fn failed(conversation_ms: u64, webhook_ms: u64, streak: u32) -> Settlement {
    Settlement::Failed {
        conversation_ms,
        webhook_ms,
        streak,
    }
}

/// A store, and a tenant's outboxes in it.
struct Outboxes {
    f: Fixture,
    tenant: TenantId,
}

impl Outboxes {
    async fn new(kind: Kind) -> Self {
        Self {
            f: Fixture::new(kind).await,
            tenant: tenant(),
        }
    }

    fn store(&self) -> &dyn OutboxStore {
        &*self.f.outbox
    }

    async fn put(&self, webhook: u64, conversation: &str, n: u64) {
        let event = event(conversation, n);
        let put = self.store().enqueue(&self.tenant, webhook, &event, MANY);
        assert_eq!(put.await.unwrap(), Enqueued::Waits);
    }

    async fn claim(&self, webhook: u64, most: usize) -> Claimed {
        self.claim_for(webhook, most, HOUR_MS).await
    }

    async fn claim_for(&self, webhook: u64, most: usize, lease_ms: u64) -> Claimed {
        let claimed = self.store().claim(&self.tenant, webhook, most, lease_ms);
        claimed.await.unwrap()
    }

    /// Claims the one conversation that is to be claimed.
    async fn claim_one(&self, webhook: u64) -> Claim {
        let mut claims = self.claim(webhook, 8).await.claims;
        assert_eq!(claims.len(), 1, "{claims:?}");
        claims.remove(0)
    }

    /// Claims one, and lets its lease be over.
    async fn lose_one(&self, webhook: u64) -> Claim {
        let mut claims = self.claim_for(webhook, 1, 1).await.claims;
        self.pass_ms(2).await;
        claims.remove(0)
    }

    async fn settle(&self, webhook: u64, claim: &Claim, settlement: Settlement) -> Option<Claim> {
        let next = self
            .store()
            .settle(&self.tenant, webhook, claim, settlement, HOUR_MS);
        next.await.unwrap()
    }

    async fn due(&self) -> Due {
        self.store().due(&self.tenant, 100).await.unwrap()
    }

    /// Nothing is due now, and something is in about so many hours.
    async fn expect_due_in_hours(&self, hours: u64) {
        let due = self.due().await;
        assert_eq!(due.webhooks, [0_u64; 0]);
        let next_in_ms = due.next_in_ms.expect("something is due later");
        let until_ms = hours * HOUR_MS;
        assert!(
            next_in_ms <= until_ms && next_in_ms + HOUR_MS / 2 > until_ms,
            "{next_in_ms}"
        );
    }

    async fn states(&self) -> Vec<OutboxState> {
        self.store().outboxes(&self.tenant).await.unwrap()
    }

    /// The state of the only outbox there is.
    async fn state(&self) -> OutboxState {
        let mut states = self.states().await;
        assert_eq!(states.len(), 1, "{states:?}");
        states.remove(0)
    }

    /// Events of the webhook's dead letters, with why and after how many tries, the newest first.
    async fn dead(&self, webhook: u64) -> Vec<(Waiting, DeadReason, u32)> {
        let letters = self.store().dead_letters(&self.tenant, webhook, 10_000);
        let letters = letters.await.unwrap();
        letters
            .into_iter()
            .map(|it| (it.event, it.reason, it.tries))
            .collect()
    }

    /// Delivers all that waits of a webhook; answers it by conversation, in order.
    async fn deliver_all(&self, webhook: u64) -> std::collections::BTreeMap<String, Vec<u64>> {
        let mut delivered = std::collections::BTreeMap::<_, Vec<u64>>::new();
        loop {
            let mut claims = self.claim(webhook, 3).await.claims;
            if claims.is_empty() {
                return delivered;
            }
            while let Some(claim) = claims.pop() {
                let of = delivered.entry(claim.event.conversation.clone()).or_default();
                of.push(claim.event.entry.n);
                claims.extend(self.settle(webhook, &claim, Settlement::Delivered).await);
            }
        }
    }

    /// Waits until the store's clock is so much later.
    async fn pass_ms(&self, ms: u64) {
        let until = self.f.store.now_ms().await.unwrap() + ms;
        super::fixture::eventually("a later time", async || {
            (self.f.store.now_ms().await.unwrap() >= until).then_some(())
        })
        .await;
    }

    /// Nothing is left of any outbox.
    async fn expect_nothing(&self) {
        assert_eq!(self.states().await, []);
        assert_eq!(self.due().await, Due::default());
        if self.f.has_keys() {
            let keys = self.f.keys().await;
            let left: Vec<_> = keys.iter().filter(|key| key.contains("outbox")).collect();
            assert!(left.is_empty(), "{left:?}");
        }
    }
}

fn conversations(claimed: &Claimed) -> Vec<&str> {
    let conversations = claimed.claims.iter();
    conversations
        .map(|claim| claim.event.conversation.as_str())
        .collect()
}
