//! Keys: what is kept, what is asked for and how often.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use chatbridge::{
    event::TenantId,
    webhook::{KeyCache, KeyCacheSettings, Refusal},
};
use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use super::{
    delivery::{KID, Plan, message, protected, signer, stranger},
    door::{Door, Keys, Time, until},
    refused, taken,
};

struct Cached {
    keys: Arc<Keys>,
    cache: KeyCache,
    time: Time,
    tenant: TenantId,
}

fn cached(settings: KeyCacheSettings) -> Cached {
    let (keys, time) = (Arc::new(Keys::default()), Time::default());
    let clock = time.clone();
    let cache = KeyCache::with_clock(keys.clone(), settings, Arc::new(move || clock.monotonic()));
    Cached {
        keys,
        cache,
        time,
        tenant: TenantId::new("tenant01"),
    }
}

impl Cached {
    async fn ask(&self, kid: &str) -> Result<(), Refusal> {
        self.cache.key(&self.tenant, kid).await.map(|_| ())
    }

    /// Whether the key that is served is this signer's.
    async fn serves(&self, signer: &super::delivery::Signer) -> bool {
        let key = self.cache.key(&self.tenant, KID).await.unwrap();
        key.verifies(b"text", &signer.sign(b"text"))
    }

    fn down(&self, down: bool) {
        self.keys.down.store(down, Ordering::SeqCst);
    }
}

/// Lets every task that could run do so: tests have one thread.
async fn settle() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

const HOUR: Duration = Duration::from_secs(3600);

fn signed_with(kid: &str, event: &str) -> super::delivery::Delivery {
    Plan {
        protected: protected(kid).to_string(),
        ..Plan::new(event, message("c1", "Hello"))
    }
    .signed()
}

#[tokio::test]
async fn a_key_endpoint_that_is_down_stops_only_keys_that_are_not_known() {
    let door = Door::open().await;
    door.keys.down.store(true, Ordering::SeqCst);
    let first = signed_with(KID, "event-1");
    let response = door.send(&first).await;
    assert_eq!(response.status(), 503);
    assert!(response.headers().contains_key("retry-after"));
    assert_eq!(door.result(&first).await, refused(Refusal::KeyUnavailable));
    door.keys.down.store(false, Ordering::SeqCst);
    assert_eq!(door.result(&first).await, taken("accepted"));
    door.keys.down.store(true, Ordering::SeqCst);
    assert_eq!(door.result(&signed_with(KID, "event-2")).await, taken("accepted"));
    assert_eq!(
        door.result(&signed_with("other", "event-3")).await,
        refused(Refusal::KeyUnavailable)
    );
}

#[tokio::test]
async fn keys_that_nobody_knows_cost_a_bounded_number_of_fetches() {
    let door = Door::open().await;
    assert_eq!(door.result(&signed_with(KID, "event-0")).await, taken("accepted"));
    let begun = std::time::Instant::now();
    let mut statuses = Vec::new();
    for n in 0..1000 {
        statuses.push(
            door.send(&signed_with(&format!("kid-{n}"), "event-1"))
                .await
                .status()
                .as_u16(),
        );
    }
    // Ten at once, of which one went to the key that exists, and one more for each second that this took.
    let fetches = door.keys.fetches();
    let most = 11 + usize::try_from(begun.elapsed().as_secs()).unwrap();
    assert!((10..=most).contains(&fetches), "{fetches} fetches");
    let counts = door.counts();
    assert_eq!(counts["unknown_key"] + counts["key_rate"], 1000);
    assert_eq!(counts["unknown_key"], fetches as u64 - 1);
    assert_eq!(
        statuses.iter().filter(|s| **s == 503).count() as u64,
        counts["key_rate"]
    );
    // Meanwhile what is known goes on.
    assert_eq!(door.result(&signed_with(KID, "event-2")).await, taken("accepted"));
    assert_eq!(door.store.appended().len(), 2);
}

#[tokio::test]
async fn one_fetch_runs_for_each_key_however_many_wait() {
    let door = Door::open().await;
    door.keys.gate.forget_permits(Semaphore::MAX_PERMITS);
    let deliveries: Vec<_> = (0..40).map(|n| signed_with(KID, &format!("event-{n}"))).collect();
    let sending = join_all(deliveries.iter().map(|d| door.send(d)));
    let release = async {
        until("the fetch began", || door.keys.fetches() == 1).await;
        door.keys.gate.add_permits(100);
    };
    let (responses, ()) = tokio::join!(sending, release);
    assert!(responses.iter().all(|r| r.status() == 204));
    assert_eq!(door.keys.fetches(), 1);
}

#[tokio::test]
async fn a_fetch_outlives_the_request_that_began_it() {
    let at = cached(KeyCacheSettings::default());
    at.keys.gate.forget_permits(Semaphore::MAX_PERMITS);
    let asking = tokio::spawn({
        let (cache, tenant) = (at.cache.clone(), at.tenant.clone());
        async move { cache.key(&tenant, KID).await.map(|_| ()) }
    });
    until("the fetch began", || at.keys.fetches() == 1).await;
    asking.abort();
    assert!(asking.await.unwrap_err().is_cancelled());
    at.keys.gate.add_permits(1);
    assert_eq!(at.ask(KID).await, Ok(()));
    assert_eq!(at.keys.fetches(), 1);
}

#[tokio::test]
async fn at_a_limited_rate_keys_are_asked_for_again() {
    let at = cached(KeyCacheSettings::default());
    for n in 0..10 {
        assert_eq!(at.ask(&format!("kid-{n}")).await, Err(Refusal::UnknownKey));
    }
    assert_eq!(at.ask("kid-10").await, Err(Refusal::KeyRate));
    assert_eq!(
        at.ask("kid-9").await,
        Err(Refusal::UnknownKey),
        "an answer that is known costs nothing"
    );
    at.time.pass(Duration::from_millis(999));
    assert_eq!(at.ask("kid-10").await, Err(Refusal::KeyRate));
    at.time.pass(Duration::from_millis(1));
    assert_eq!(at.ask("kid-10").await, Err(Refusal::UnknownKey));
    assert_eq!(at.ask("kid-11").await, Err(Refusal::KeyRate));
    at.time.pass(HOUR);
    for n in 20..30 {
        assert_eq!(at.ask(&format!("kid-{n}")).await, Err(Refusal::UnknownKey));
    }
    assert_eq!(
        at.ask("kid-30").await,
        Err(Refusal::KeyRate),
        "no more than the burst is saved up"
    );
}

#[tokio::test]
async fn keys_that_are_made_up_for_one_tenant_hold_up_no_other() {
    let at = cached(KeyCacheSettings::default());
    let (flooded, other) = (at.tenant.clone(), TenantId::new("tenant02"));
    for n in 0..1000 {
        let answer = at.cache.key(&flooded, &format!("kid-{n}")).await;
        assert!(answer.is_err());
    }
    assert_eq!(at.keys.fetches(), 10);
    assert_eq!(
        at.cache.key(&flooded, KID).await.map(|_| ()),
        Err(Refusal::KeyRate)
    );
    assert!(at.cache.key(&other, KID).await.is_ok());
    // Nor does it hold up its own for longer than until the next is let through.
    at.time.pass(Duration::from_secs(1));
    assert!(at.cache.key(&flooded, KID).await.is_ok());
}

#[tokio::test]
async fn that_there_is_no_such_key_is_believed_for_a_minute() {
    let at = cached(KeyCacheSettings::default());
    assert_eq!(at.ask("new").await, Err(Refusal::UnknownKey));
    at.keys.set("new", Some(signer().jwk()));
    at.time.pass(Duration::from_secs(59));
    assert_eq!(at.ask("new").await, Err(Refusal::UnknownKey));
    assert_eq!(at.keys.fetches(), 1);
    at.time.pass(Duration::from_secs(1));
    assert_eq!(at.ask("new").await, Ok(()));
}

#[tokio::test]
async fn keys_are_refreshed_in_the_background_and_kept_while_that_fails() {
    let at = cached(KeyCacheSettings::default());
    assert!(at.serves(signer()).await);
    at.keys.set(KID, Some(stranger().jwk()));
    at.time.pass(HOUR);
    assert!(
        at.serves(signer()).await,
        "the old one while the new one is fetched"
    );
    until("the refresh began", || at.keys.fetches() == 2).await;
    while !at.serves(stranger()).await {
        tokio::task::yield_now().await;
    }

    at.down(true);
    at.time.pass(23 * HOUR);
    assert!(at.serves(stranger()).await);
    until("the refresh was tried", || at.keys.fetches() == 3).await;
    at.time.pass(Duration::from_secs(59));
    assert!(at.serves(stranger()).await);
    settle().await;
    assert_eq!(
        at.keys.fetches(),
        3,
        "a failed refresh is not tried again at once"
    );
    at.time.pass(HOUR);
    assert!(at.serves(stranger()).await);
    until("the refresh was tried again", || at.keys.fetches() == 4).await;
    at.time.pass(HOUR);
    assert_eq!(
        at.ask(KID).await,
        Err(Refusal::KeyUnavailable),
        "25 hours are the end"
    );
    at.down(false);
    assert_eq!(at.ask(KID).await, Ok(()));
}

#[tokio::test]
async fn a_key_that_the_vendor_withdrew_is_refused() {
    let at = cached(KeyCacheSettings::default());
    assert_eq!(at.ask(KID).await, Ok(()));
    at.keys.set(KID, None);
    at.time.pass(HOUR);
    assert_eq!(at.ask(KID).await, Ok(()));
    let mut last = Ok(());
    for _ in 0..1000 {
        last = at.ask(KID).await;
        if last.is_err() {
            break;
        }
        tokio::task::yield_now().await;
    }
    assert_eq!(last, Err(Refusal::UnknownKey));
}

#[tokio::test]
async fn an_answer_that_is_no_key_is_refused_and_a_string_with_one_is_taken() {
    let at = cached(KeyCacheSettings::default());
    at.keys.set("odd", Some("<html>".into()));
    assert_eq!(at.ask("odd").await, Err(Refusal::UnusableKey));
    assert_eq!(at.ask("odd").await, Err(Refusal::UnusableKey));
    assert_eq!(at.keys.fetches(), 1);
    let mut named: Value = serde_json::from_str(&signer().jwk()).unwrap();
    named["kid"] = json!("another");
    at.keys.set("swapped", Some(named.to_string()));
    assert_eq!(at.ask("swapped").await, Err(Refusal::UnusableKey));
    at.keys
        .set("string", Some(Value::String(signer().jwk()).to_string()));
    assert_eq!(at.ask("string").await, Ok(()));
}

#[tokio::test]
async fn a_key_is_the_vendors_answer_to_one_tenant() {
    let at = cached(KeyCacheSettings::default());
    assert_eq!(at.ask(KID).await, Ok(()));
    assert!(at.cache.key(&TenantId::new("tenant02"), KID).await.is_ok());
    assert_eq!(at.keys.fetches(), 2);
}

#[tokio::test]
async fn no_more_answers_are_kept_than_is_set() {
    let at = cached(KeyCacheSettings {
        max_entries: 2,
        fetch_burst: 100,
        ..KeyCacheSettings::default()
    });
    for kid in ["a", "b", "c"] {
        at.keys.set(kid, Some(signer().jwk()));
        assert_eq!(at.ask(kid).await, Ok(()));
        at.time.pass(Duration::from_secs(1));
    }
    for (kid, fetches) in [("c", 3), ("b", 3), ("a", 4)] {
        assert_eq!(at.ask(kid).await, Ok(()));
        assert_eq!(at.keys.fetches(), fetches, "{kid}");
    }
    for kid in ["x", "y", "z"] {
        assert_eq!(at.ask(kid).await, Err(Refusal::UnknownKey));
        at.time.pass(Duration::from_secs(1));
    }
    assert_eq!(at.ask("x").await, Err(Refusal::UnknownKey));
    assert_eq!(at.keys.fetches(), 8, "the oldest made room");
}

#[tokio::test]
async fn a_source_that_panics_is_a_fetch_that_failed() {
    struct Broken;
    #[async_trait::async_trait]
    impl chatbridge::webhook::KeySource for Broken {
        async fn signing_key(
            &self,
            _: &TenantId,
            _: &str,
        ) -> Result<String, chatbridge::gateway::UpstreamError> {
            panic!("on purpose");
        }
    }
    let cache = KeyCache::new(Arc::new(Broken), KeyCacheSettings::default());
    for _ in 0..2 {
        let answer = cache.key(&TenantId::new("tenant01"), KID).await;
        assert_eq!(answer.map(|_| ()), Err(Refusal::KeyUnavailable));
    }
}
