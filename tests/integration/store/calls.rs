//! Idempotency records.

use bytes::Bytes;
use chatbridge::store::{Begun, Finished, IdempotencyKey, Retention};
use rstest::rstest;

use super::fixture::{Fixture, Kind, eventually, tenant};

const LEASE_MS: u64 = 60_000;
/// Of the call that begins where nothing else is said.
const FIRST: u64 = 1;

fn call(request_id: &str) -> IdempotencyKey {
    IdempotencyKey {
        tenant: tenant(),
        caller: String::new(),
        method: "SendMessage",
        request_id: request_id.to_owned(),
    }
}

async fn begin(f: &Fixture, key: &IdempotencyKey) -> Begun {
    begin_within(f, key, LEASE_MS).await
}

/// Begins with a nonce that no other call has.
async fn begin_within(f: &Fixture, key: &IdempotencyKey, lease_ms: u64) -> Begun {
    let nonce = rand::random_range(2..=u64::MAX);
    begin_as(f, key, nonce, lease_ms).await
}

async fn begin_as(f: &Fixture, key: &IdempotencyKey, nonce: u64, lease_ms: u64) -> Begun {
    f.store
        .begin(key, &[1; 32], b"mark", nonce, lease_ms)
        .await
        .unwrap()
}

#[rstest]
#[tokio::test]
async fn a_call_is_sent_once(
    #[values(Kind::Memory, Kind::Redis, Kind::Sealed, Kind::Sentinel, Kind::Cluster)] kind: Kind,
) {
    let f = Fixture::new(kind).await;
    let key = call("r1");
    assert_eq!(begin_as(&f, &key, FIRST, LEASE_MS).await, Begun::New);
    assert_eq!(begin(&f, &key).await, Begun::InFlight);
    let other = f.store.begin(&key, &[2; 32], b"mark", 2, LEASE_MS).await.unwrap();
    assert_eq!(other, Begun::Reused);
    f.store
        .finish(&key, FIRST, &Finished::Done(Bytes::from_static(b"\0answer")))
        .await
        .unwrap();
    let done = Begun::Done(Bytes::from_static(b"\0answer"));
    assert_eq!(begin(&f, &key).await, done);
    for late in [Finished::NotSent, Finished::Unknown] {
        f.store.finish(&key, FIRST, &late).await.unwrap();
        assert_eq!(begin(&f, &key).await, done, "that it was done is final");
    }
    for method in ["CreateConversation", "SendMessage"] {
        let mut other = call("r2");
        other.method = method;
        assert_eq!(begin(&f, &other).await, Begun::New);
    }
}

#[rstest]
#[tokio::test]
async fn concurrent_calls_are_sent_once(
    #[values(Kind::Memory, Kind::Redis, Kind::Sealed, Kind::Sentinel, Kind::Cluster)] kind: Kind,
) {
    let f = Fixture::new(kind).await;
    let tasks: Vec<_> = (0..16)
        .map(|nonce| {
            let store = f.store.clone();
            let begin = async move { store.begin(&call("r1"), &[1; 32], b"", nonce, LEASE_MS).await };
            tokio::spawn(async move { begin.await.unwrap() })
        })
        .collect();
    let mut new = 0;
    for task in tasks {
        match task.await.unwrap() {
            Begun::New => new += 1,
            other => assert_eq!(other, Begun::InFlight),
        }
    }
    assert_eq!(new, 1);
}

#[rstest]
#[tokio::test]
async fn only_who_began_can_say_that_nothing_was_sent(
    #[values(Kind::Memory, Kind::Redis, Kind::Sealed, Kind::Sentinel, Kind::Cluster)] kind: Kind,
) {
    let f = Fixture::new(kind).await;
    let key = call("r1");
    begin_as(&f, &key, FIRST, LEASE_MS).await;
    f.store.finish(&key, 7, &Finished::NotSent).await.unwrap();
    assert_eq!(begin(&f, &key).await, Begun::InFlight);
    f.store.finish(&key, FIRST, &Finished::NotSent).await.unwrap();
    assert_eq!(begin(&f, &key).await, Begun::New);
}

#[rstest]
#[tokio::test]
async fn a_call_whose_beginning_was_not_answered_begins_again(
    #[values(Kind::Memory, Kind::Redis, Kind::Sealed, Kind::Sentinel, Kind::Cluster)] kind: Kind,
) {
    let f = Fixture::new(kind).await;
    let key = call("r1");
    for _ in 0..2 {
        assert_eq!(begin_as(&f, &key, FIRST, LEASE_MS).await, Begun::New);
    }
    assert_eq!(begin_as(&f, &key, 7, LEASE_MS).await, Begun::InFlight);
    f.store.finish(&key, FIRST, &Finished::Unknown).await.unwrap();
    let unknown = Begun::Unknown(Bytes::from_static(b"mark"));
    assert_eq!(begin_as(&f, &key, FIRST, LEASE_MS).await, unknown, "it did end");
}

#[rstest]
#[tokio::test]
async fn a_call_that_may_have_happened_keeps_its_mark(
    #[values(Kind::Memory, Kind::Redis, Kind::Sealed, Kind::Sentinel, Kind::Cluster)] kind: Kind,
) {
    let f = Fixture::new(kind).await;
    let unknown = Begun::Unknown(Bytes::from_static(b"mark"));
    let (told, abandoned) = (call("told"), call("abandoned"));
    begin(&f, &told).await;
    f.store.finish(&told, FIRST, &Finished::Unknown).await.unwrap();
    assert_eq!(begin(&f, &told).await, unknown);
    begin(&f, &abandoned).await;
    assert_eq!(begin_within(&f, &abandoned, 0).await, unknown);
    f.store
        .finish(&told, FIRST, &Finished::Done(Bytes::from_static(b"found")))
        .await
        .unwrap();
    assert_eq!(begin(&f, &told).await, Begun::Done(Bytes::from_static(b"found")));
}

#[rstest]
#[tokio::test]
async fn records_expire(
    #[values(Kind::Memory, Kind::Redis, Kind::Sealed, Kind::Sentinel, Kind::Cluster)] kind: Kind,
) {
    let retention = Retention {
        idempotency_ms: 50,
        ..Retention::default()
    };
    let f = Fixture::keeping(kind, retention).await;
    let key = call("r1");
    begin(&f, &key).await;
    f.store.finish(&key, FIRST, &Finished::Unknown).await.unwrap();
    eventually("forgetting the call", async || {
        (begin(&f, &key).await == Begun::New).then_some(())
    })
    .await;
    f.store
        .finish(&call("never begun"), FIRST, &Finished::Unknown)
        .await
        .unwrap();
    assert_eq!(begin(&f, &call("never begun")).await, Begun::New);
}
