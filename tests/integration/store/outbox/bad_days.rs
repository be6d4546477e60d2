//! Outboxes in a Redis that has no memory left, and in one whose replicas are away.

use std::time::Duration;

use chatbridge::store::{
    Retention, Store as _, StoreError,
    outbox::{DeadReason, Enqueued, OutboxStore as _, Settlement},
    redis::{RedisSettings, RedisStore, Wait},
};

use super::{HOUR_MS, MANY, event, failed};
use crate::{
    store::fixture::{conversation, settings, tenant},
    support::redis::RedisServer,
};

async fn alone(wait: Option<Wait>) -> (RedisServer, RedisStore) {
    let server = RedisServer::start_with(&["--maxmemory-policy", "noeviction"]);
    let store = RedisStore::connect(RedisSettings {
        wait,
        ..settings(&server, "test", Retention::default())
    });
    let store = store.await.unwrap();
    (server, store)
}

/// What waits is sent, which makes room; and nothing is done by halves.
#[tokio::test]
async fn a_redis_whose_memory_is_full_still_lets_go_of_what_waits() {
    let (server, store) = alone(None).await;
    let t = tenant();
    for (name, n) in [("a", 1), ("a", 2), ("b", 3), ("b", 4), ("c", 5), ("d", 6)] {
        let webhook = if name == "d" { 0 } else { 1 };
        store.enqueue(&t, webhook, &event(name, n), MANY).await.unwrap();
    }
    let mut past = server.connection().await;
    let () = redis::cmd("CONFIG")
        .arg(&["SET", "maxmemory", "1"])
        .query_async(&mut past)
        .await
        .unwrap();
    let full = store.enqueue(&t, 1, &event("e", 9), MANY).await;
    assert!(matches!(full, Err(StoreError::Unavailable(_))), "{full:?}");
    let full = store.enqueue(&t, 1, &event("e", 9), 0).await;
    assert!(matches!(full, Err(StoreError::Unavailable(_))), "{full:?}");
    let settle = async |claim, settlement| {
        let next = store.settle(&t, 1, claim, settlement, HOUR_MS);
        next.await.unwrap()
    };
    let claims = store.claim(&t, 1, 8, HOUR_MS).await.unwrap().claims;
    let [a, b, c] = <[_; 3]>::try_from(claims).unwrap();
    assert_eq!(
        settle(&a, Settlement::Delivered).await.unwrap().event,
        event("a", 2)
    );
    let dead = Settlement::Dead(DeadReason::Refused);
    assert_eq!(settle(&b, dead).await.unwrap().event, event("b", 4));
    assert_eq!(settle(&c, failed(0, HOUR_MS, 1)).await, None);
    let claim = store.claim(&t, 0, 8, HOUR_MS).await.unwrap().claims.remove(0);
    assert!(store.route(&t, &claim, 1).await.unwrap());
    assert_eq!(store.revive(&t, 1).await.unwrap(), 1);
    let states = store.outboxes(&t).await.unwrap();
    assert_eq!(states.len(), 1);
    assert_eq!((states[0].waiting, states[0].dead, states[0].claimed), (5, 0, 2));
    store.erase(&conversation("b")).await.unwrap();
    assert_eq!(store.discard(&t, 1).await.unwrap(), 3);
    assert_eq!(store.outboxes(&t).await.unwrap(), []);
}

/// That it is not on as many replicas as asked is told, and what was done is done.
#[tokio::test]
async fn an_event_waits_for_replicas_as_an_append_does() {
    let (_server, store) = alone(Some(Wait {
        replicas: 1,
        within: Duration::from_millis(50),
    }))
    .await;
    let t = tenant();
    for _ in 0..2 {
        let put = store.enqueue(&t, 1, &event("c", 1), MANY).await;
        assert!(
            matches!(&put, Err(StoreError::Unavailable(why)) if why.contains("replica")),
            "{put:?}"
        );
    }
    assert_eq!(store.outboxes(&t).await.unwrap()[0].waiting, 1);

    let (_server, store) = alone(Some(Wait {
        replicas: 0,
        within: Duration::from_millis(50),
    }))
    .await;
    for (most, put) in [(1, Enqueued::Waits), (1, Enqueued::Waits), (0, Enqueued::Waits)] {
        assert_eq!(store.enqueue(&t, 1, &event("c", 1), most).await.unwrap(), put);
    }
    let full = store.enqueue(&t, 1, &event("c", 2), 1).await.unwrap();
    assert_eq!(full, Enqueued::Full);
}
