//! Whatever is done in whatever order: the outboxes in Redis answer what those in memory do.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use chatbridge::{
    event::TenantId,
    store::{
        Retention, Store as _,
        memory::MemoryStore,
        outbox::{Claim, DeadReason, OutboxState, OutboxStore, Settlement},
    },
};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use rstest::rstest;

use super::{HOUR_MS, Kind, event, failed};
use crate::store::fixture::{Fixture, PARTITIONS, conversation, eventually, tenant};

const WEBHOOKS: u64 = 4;
const CONVERSATIONS: [&str; 6] = ["a", "b", "b\0", "c:d", "", "é"];

/// A claim, and the same one in memory.
#[derive(Clone)]
struct Pair {
    webhook: u64,
    redis: Claim,
    memory: Claim,
}

struct Model {
    f: Fixture,
    memory: MemoryStore,
    clock: Arc<AtomicU64>,
    tenant: TenantId,
    /// All that were ever made, lost ones too.
    claims: Vec<Pair>,
    chance: StdRng,
}

/// What is the same of a claim.
fn told(claim: &Claim) -> (String, u64, u32) {
    let event = &claim.event;
    (event.conversation.clone(), event.entry.n, claim.tries)
}

/// A time so far ahead, of which no more is compared than how many hours.
fn hours(ms: u64) -> u64 {
    (ms + HOUR_MS / 2) / HOUR_MS
}

impl Model {
    async fn new(kind: Kind, seed: u64) -> Self {
        let clock = Arc::new(AtomicU64::new(1));
        let time = clock.clone();
        Self {
            f: Fixture::new(kind).await,
            memory: MemoryStore::with_clock(PARTITIONS, Retention::default(), move || {
                time.load(Ordering::Relaxed)
            }),
            clock,
            tenant: tenant(),
            claims: Vec::new(),
            chance: StdRng::seed_from_u64(seed),
        }
    }

    fn redis(&self) -> &dyn OutboxStore {
        &*self.f.outbox
    }

    /// Each step has a millisecond of its own, in which no lease or pause of the step before is left that was as short as can be.
    async fn next_step(&self) {
        let done_ms = self.f.store.now_ms().await.unwrap();
        let now_ms = eventually("a later time", async || {
            let now_ms = self.f.store.now_ms().await.unwrap();
            (now_ms >= done_ms + 2).then_some(now_ms)
        });
        self.clock.store(now_ms.await, Ordering::Relaxed);
    }

    fn any_webhook(&mut self) -> u64 {
        self.chance.random_range(0..WEBHOOKS)
    }

    fn any_conversation(&mut self) -> &'static str {
        CONVERSATIONS[self.chance.random_range(0..CONVERSATIONS.len())]
    }

    /// As short as can be, or longer than the test takes.
    fn any_ms(&mut self) -> u64 {
        [1, HOUR_MS, 3 * HOUR_MS][self.chance.random_range(0..3)]
    }

    fn any_settlement(&mut self) -> Settlement {
        match self.chance.random_range(0..10) {
            0..4 => Settlement::Delivered,
            4 => Settlement::Dropped,
            5 | 6 => Settlement::Dead(DeadReason::ALL[self.chance.random_range(0..4)]),
            _ => {
                let conversation_ms = [0, 1, HOUR_MS][self.chance.random_range(0..3)];
                let webhook_ms = [0, 0, 1, 2 * HOUR_MS][self.chance.random_range(0..4)];
                failed(conversation_ms, webhook_ms, self.chance.random_range(0..4))
            }
        }
    }

    fn any_claim(&mut self) -> Option<Pair> {
        // Of the last ones rather than of those that are long lost.
        let (from, to) = (self.claims.len().saturating_sub(10), self.claims.len());
        (from < to).then(|| self.claims[self.chance.random_range(from..to)].clone())
    }

    async fn enqueue(&mut self) {
        let (webhook, name) = (self.any_webhook(), self.any_conversation());
        let event = event(name, self.chance.random_range(1..30));
        let most = [3, 1000][self.chance.random_range(0..2)];
        assert_eq!(
            self.redis()
                .enqueue(&self.tenant, webhook, &event, most)
                .await
                .unwrap(),
            self.memory
                .enqueue(&self.tenant, webhook, &event, most)
                .await
                .unwrap(),
            "{event:?} into {webhook}"
        );
    }

    async fn claim(&mut self) {
        let (webhook, most, lease_ms) = (self.any_webhook(), self.chance.random_range(1..5), self.any_ms());
        let redis = self.redis().claim(&self.tenant, webhook, most, lease_ms);
        let redis = redis.await.unwrap();
        let memory = self.memory.claim(&self.tenant, webhook, most, lease_ms);
        let memory = memory.await.unwrap();
        assert_eq!(redis.streak, memory.streak);
        let all = |claims: &[Claim]| claims.iter().map(told).collect::<Vec<_>>();
        assert_eq!(all(&redis.claims), all(&memory.claims), "{most} of {webhook}");
        let pairs = redis.claims.into_iter().zip(memory.claims);
        self.claims.extend(pairs.map(|(redis, memory)| Pair {
            webhook,
            redis,
            memory,
        }));
    }

    async fn settle(&mut self) {
        let Some(pair) = self.any_claim() else { return };
        let (settlement, lease_ms) = (self.any_settlement(), self.any_ms());
        let (webhook, what) = (pair.webhook, told(&pair.redis));
        let redis = self
            .redis()
            .settle(&self.tenant, webhook, &pair.redis, settlement, lease_ms);
        let redis = redis.await.unwrap();
        let memory = self
            .memory
            .settle(&self.tenant, webhook, &pair.memory, settlement, lease_ms);
        let memory = memory.await.unwrap();
        assert_eq!(
            redis.as_ref().map(told),
            memory.as_ref().map(told),
            "{what:?} of {webhook}: {settlement:?}"
        );
        if let (Some(redis), Some(memory)) = (redis, memory) {
            self.claims.push(Pair {
                webhook,
                redis,
                memory,
            });
        }
    }

    async fn route(&mut self) {
        let to = self.any_webhook();
        let unrouted = self.claims.iter().rev().find(|pair| pair.webhook == 0).cloned();
        let Some(pair) = unrouted else { return };
        assert_eq!(
            self.redis().route(&self.tenant, &pair.redis, to).await.unwrap(),
            self.memory.route(&self.tenant, &pair.memory, to).await.unwrap(),
            "{:?} to {to}",
            told(&pair.redis)
        );
    }

    async fn sweep(&mut self) {
        let webhook = self.any_webhook();
        match self.chance.random_range(0..6) {
            0 => assert_eq!(
                self.redis().discard(&self.tenant, webhook).await.unwrap(),
                self.memory.discard(&self.tenant, webhook).await.unwrap()
            ),
            1 => {
                let key = conversation(self.any_conversation());
                self.f.store.erase(&key).await.unwrap();
                self.memory.erase(&key).await.unwrap();
            }
            _ => assert_eq!(
                self.redis().revive(&self.tenant, webhook).await.unwrap(),
                self.memory.revive(&self.tenant, webhook).await.unwrap()
            ),
        }
    }

    async fn dead(&self, store: &dyn OutboxStore, webhook: u64) -> Vec<(String, u64, DeadReason, u32)> {
        let letters = store.dead_letters(&self.tenant, webhook, 100).await.unwrap();
        let told = letters
            .into_iter()
            .map(|it| (it.event.conversation, it.event.entry.n, it.reason, it.tries));
        told.collect()
    }

    /// What can be seen is the same.
    async fn compare(&self) {
        for limit in [2, 100] {
            let redis = self.redis().due(&self.tenant, limit).await.unwrap();
            let memory = self.memory.due(&self.tenant, limit).await.unwrap();
            assert_eq!(redis.webhooks, memory.webhooks);
            let (redis, memory) = (redis.next_in_ms, memory.next_in_ms);
            let states = self.memory.outboxes(&self.tenant).await;
            assert_eq!(
                redis.map(hours),
                memory.map(hours),
                "{limit}: {redis:?} {memory:?} {states:?}"
            );
        }
        let now_ms = self.clock.load(Ordering::Relaxed);
        let seen = |states: Vec<OutboxState>| -> Vec<OutboxState> {
            let about = |ms: u64| {
                if ms == 0 {
                    0
                } else {
                    1 + hours(ms.saturating_sub(now_ms))
                }
            };
            let rounded = states.into_iter().map(|state| OutboxState {
                failing_since_ms: u64::from(state.failing_since_ms > 0),
                paused_until_ms: about(state.paused_until_ms),
                ..state
            });
            rounded.collect()
        };
        assert_eq!(
            seen(self.redis().outboxes(&self.tenant).await.unwrap()),
            seen(self.memory.outboxes(&self.tenant).await.unwrap())
        );
        for webhook in 0..WEBHOOKS {
            assert_eq!(
                self.dead(self.redis(), webhook).await,
                self.dead(&self.memory, webhook).await
            );
        }
    }
}

#[rstest]
#[tokio::test]
async fn redis_answers_what_memory_does(
    #[values(Kind::Redis, Kind::Cluster)] kind: Kind,
    #[values(1, 2, 3, 4, 5, 6)] seed: u64,
) {
    let mut m = Model::new(kind, seed).await;
    for step in 0..150 {
        m.next_step().await;
        match m.chance.random_range(0..100) {
            0..35 => m.enqueue().await,
            35..60 => m.claim().await,
            60..90 => m.settle().await,
            90..96 => m.route().await,
            _ => m.sweep().await,
        }
        m.next_step().await;
        // Whoever compares must not hide what only goes wrong unseen.
        if step % 3 == 0 {
            m.compare().await;
        }
    }
    for webhook in 0..WEBHOOKS {
        m.redis().discard(&m.tenant, webhook).await.unwrap();
    }
    let keys = m.f.keys().await;
    let left: Vec<_> = keys.iter().filter(|key| key.contains("outbox")).collect();
    assert!(left.is_empty(), "{left:?}");
}
