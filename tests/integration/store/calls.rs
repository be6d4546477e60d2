//! Idempotency records, and echoes that are matched with their sends.

use bytes::Bytes;
use chatbridge::{
    event::ConversationKey,
    grpc::proto::AgentEvent,
    store::{Begun, Finished, IdempotencyKey, Retention},
};
use prost::Message as _;
use rstest::rstest;

use super::fixture::{Fixture, Kind, conversation, event, eventually, neighbour, tenant};

const LEASE_MS: u64 = 60_000;

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

async fn begin_within(f: &Fixture, key: &IdempotencyKey, lease_ms: u64) -> Begun {
    f.store.begin(key, &[1; 32], b"mark", lease_ms).await.unwrap()
}

#[rstest]
#[tokio::test]
async fn a_call_is_sent_once(#[values(Kind::Memory, Kind::Redis)] kind: Kind) {
    let f = Fixture::new(kind).await;
    let key = call("r1");
    assert_eq!(begin(&f, &key).await, Begun::New);
    assert_eq!(begin(&f, &key).await, Begun::InFlight);
    let other = f.store.begin(&key, &[2; 32], b"mark", LEASE_MS).await.unwrap();
    assert_eq!(other, Begun::Reused);
    f.store
        .finish(&key, &Finished::Done(Bytes::from_static(b"\0answer")))
        .await
        .unwrap();
    let done = Begun::Done(Bytes::from_static(b"\0answer"));
    assert_eq!(begin(&f, &key).await, done);
    for late in [Finished::NotSent, Finished::Unknown] {
        f.store.finish(&key, &late).await.unwrap();
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
async fn concurrent_calls_are_sent_once(#[values(Kind::Memory, Kind::Redis)] kind: Kind) {
    let f = Fixture::new(kind).await;
    let tasks: Vec<_> = (0..16)
        .map(|_| {
            let store = f.store.clone();
            tokio::spawn(async move { store.begin(&call("r1"), &[1; 32], b"", LEASE_MS).await.unwrap() })
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
async fn a_call_that_was_not_sent_may_be_sent(#[values(Kind::Memory, Kind::Redis)] kind: Kind) {
    let f = Fixture::new(kind).await;
    let key = call("r1");
    begin(&f, &key).await;
    f.store.finish(&key, &Finished::NotSent).await.unwrap();
    assert_eq!(begin(&f, &key).await, Begun::New);
}

#[rstest]
#[tokio::test]
async fn a_call_that_may_have_happened_keeps_its_mark(#[values(Kind::Memory, Kind::Redis)] kind: Kind) {
    let f = Fixture::new(kind).await;
    let unknown = Begun::Unknown(Bytes::from_static(b"mark"));
    let (told, abandoned) = (call("told"), call("abandoned"));
    begin(&f, &told).await;
    f.store.finish(&told, &Finished::Unknown).await.unwrap();
    assert_eq!(begin(&f, &told).await, unknown);
    begin(&f, &abandoned).await;
    assert_eq!(begin_within(&f, &abandoned, 0).await, unknown);
    f.store
        .finish(&told, &Finished::Done(Bytes::from_static(b"found")))
        .await
        .unwrap();
    assert_eq!(begin(&f, &told).await, Begun::Done(Bytes::from_static(b"found")));
}

#[rstest]
#[tokio::test]
async fn records_expire(#[values(Kind::Memory, Kind::Redis)] kind: Kind) {
    let retention = Retention {
        idempotency_ms: 50,
        ..Retention::default()
    };
    let f = Fixture::keeping(kind, retention).await;
    let key = call("r1");
    begin(&f, &key).await;
    f.store.finish(&key, &Finished::Unknown).await.unwrap();
    eventually("forgetting the call", async || {
        (begin(&f, &key).await == Begun::New).then_some(())
    })
    .await;
    f.store
        .finish(&call("never begun"), &Finished::Unknown)
        .await
        .unwrap();
    assert_eq!(begin(&f, &call("never begun")).await, Begun::New);
}

/// Appends an echo, and answers the request that it was matched with.
async fn echo(f: &Fixture, key: &ConversationKey, id: &str, print: &str) -> String {
    let mut event = event(key, id);
    event.echo = Some(print.to_owned());
    let at = f.append(&event).await;
    let entries = f.read_all(f.partition(key)).await.entries;
    let entry = entries.iter().find(|entry| entry.id == at).expect("the echo");
    AgentEvent::decode(entry.event.clone()).unwrap().request_id
}

#[rstest]
#[tokio::test]
async fn an_echo_gets_the_request_of_the_oldest_send_that_says_the_same(
    #[values(Kind::Memory, Kind::Redis)] kind: Kind,
) {
    let f = Fixture::new(kind).await;
    let key = conversation("c");
    for request in ["r1", "r2", "r1", "r3"] {
        f.store.expect_echo(&key, "print", request).await.unwrap();
    }
    f.store.withdraw_echo(&key, "print", "r3").await.unwrap();
    assert_eq!(echo(&f, &key, "e1", "other").await, "");
    assert_eq!(echo(&f, &neighbour(&key), "e2", "print").await, "");
    // Announced again, r1 counts once, and from then.
    assert_eq!(echo(&f, &key, "e3", "print").await, "r2");
    assert_eq!(echo(&f, &key, "e4", "print").await, "r1");
    assert_eq!(echo(&f, &key, "e5", "print").await, "");
}

#[rstest]
#[tokio::test]
async fn a_repeated_echo_takes_no_second_request(#[values(Kind::Memory, Kind::Redis)] kind: Kind) {
    let f = Fixture::new(kind).await;
    let key = conversation("c");
    f.store.expect_echo(&key, "print", "r1").await.unwrap();
    f.store.expect_echo(&key, "print", "r2").await.unwrap();
    assert_eq!(echo(&f, &key, "e1", "print").await, "r1");
    let mut again = event(&key, "e1");
    again.echo = Some("print".into());
    f.store.append(&again).await.unwrap();
    assert_eq!(echo(&f, &key, "e2", "print").await, "r2");
}
