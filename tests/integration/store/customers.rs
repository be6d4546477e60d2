//! Customers' conversations.

use std::{collections::HashSet, time::Duration};

use chatbridge::store::{Customer, CustomerKey, Retention};
use rstest::rstest;

use super::fixture::{Fixture, Kind, eventually, tenant};

fn customer(user_id: &str) -> CustomerKey {
    CustomerKey {
        tenant: tenant(),
        channel_id: "channel".into(),
        user_id: user_id.into(),
    }
}

fn attempt(id: &str) -> Customer {
    Customer::Attempt(id.into())
}

async fn conversation(f: &Fixture, key: &CustomerKey) -> Option<String> {
    match f.store.customer(key, "whoever asks").await.unwrap() {
        Customer::Conversation { id, age_ms } => {
            assert!(age_ms < 60_000, "{age_ms}");
            Some(id)
        }
        Customer::Attempt(_) => None,
    }
}

#[rstest]
#[tokio::test]
async fn all_who_ask_at_once_hear_of_one_attempt(
    #[values(Kind::Memory, Kind::Redis, Kind::Sealed, Kind::Sentinel, Kind::Cluster)] kind: Kind,
) {
    let f = Fixture::new(kind).await;
    let asking = (0..16).map(|i| {
        let store = f.store.clone();
        tokio::spawn(async move { store.customer(&customer("u"), &format!("a{i}")).await.unwrap() })
    });
    let mut heard = HashSet::new();
    for answer in asking.collect::<Vec<_>>() {
        match answer.await.unwrap() {
            Customer::Attempt(id) => heard.insert(id),
            other => panic!("{other:?}"),
        };
    }
    assert_eq!(heard.len(), 1);
    let mut others = [customer("v"), customer("u"), customer("u")];
    others[1].channel_id = "other".into();
    others[2].tenant = chatbridge::event::TenantId::new("other");
    for other in others {
        assert_eq!(f.store.customer(&other, "mine").await.unwrap(), attempt("mine"));
    }
}

#[rstest]
#[tokio::test]
async fn an_attempt_gives_way_to_its_conversation_and_to_no_other(
    #[values(Kind::Memory, Kind::Redis, Kind::Sealed, Kind::Sentinel, Kind::Cluster)] kind: Kind,
) {
    let f = Fixture::new(kind).await;
    let key = customer("u");
    assert_eq!(f.store.customer(&key, "a1").await.unwrap(), attempt("a1"));
    f.store.bind_customer(&key, "stale", Some("a0")).await.unwrap();
    assert_eq!(f.store.customer(&key, "a2").await.unwrap(), attempt("a1"));
    f.store.bind_customer(&key, "c:1", Some("a1")).await.unwrap();
    assert_eq!(conversation(&f, &key).await.as_deref(), Some("c:1"));
    f.store.bind_customer(&key, "late", Some("a1")).await.unwrap();
    assert_eq!(conversation(&f, &key).await.as_deref(), Some("c:1"));
    f.store.bind_customer(&key, "newer", None).await.unwrap();
    assert_eq!(conversation(&f, &key).await.as_deref(), Some("newer"));
    let forgotten = customer("forgotten");
    f.store.bind_customer(&forgotten, "c", Some("a1")).await.unwrap();
    assert_eq!(conversation(&f, &forgotten).await.as_deref(), Some("c"));
}

#[rstest]
#[tokio::test]
async fn a_conversation_is_forgotten_unless_it_is_another(
    #[values(Kind::Memory, Kind::Redis, Kind::Sealed, Kind::Sentinel, Kind::Cluster)] kind: Kind,
) {
    let f = Fixture::new(kind).await;
    let key = customer("u");
    f.store.release_customer(&key, "c").await.unwrap();
    assert_eq!(f.store.customer(&key, "a1").await.unwrap(), attempt("a1"));
    f.store.release_customer(&key, "a1").await.unwrap();
    assert_eq!(f.store.customer(&key, "a2").await.unwrap(), attempt("a1"));
    f.store.bind_customer(&key, "c", None).await.unwrap();
    f.store.release_customer(&key, "other").await.unwrap();
    assert_eq!(conversation(&f, &key).await.as_deref(), Some("c"));
    f.store.release_customer(&key, "c").await.unwrap();
    assert_eq!(f.store.customer(&key, "a3").await.unwrap(), attempt("a3"));
}

#[rstest]
#[tokio::test]
async fn an_attempt_lives_for_as_long_as_somebody_asks_and_a_conversation_as_its_session(
    #[values(Kind::Memory, Kind::Redis, Kind::Sealed, Kind::Sentinel, Kind::Cluster)] kind: Kind,
) {
    let retention = Retention {
        idempotency_ms: 400,
        session_ms: 600_000,
        ..Retention::default()
    };
    let f = Fixture::keeping(kind, retention).await;
    let (tried, bound) = (customer("tried"), customer("bound"));
    f.store.customer(&bound, "a0").await.unwrap();
    f.store.bind_customer(&bound, "c", Some("a0")).await.unwrap();
    f.store.customer(&tried, "a1").await.unwrap();
    for _ in 0..12 {
        tokio::time::sleep(Duration::from_millis(50)).await;
        let known = f.store.customer(&tried, "a2").await.unwrap();
        assert_eq!(known, attempt("a1"), "as long as somebody asks");
    }
    eventually("forgetting the attempt", async || {
        tokio::time::sleep(Duration::from_millis(450)).await;
        (f.store.customer(&tried, "a2").await.unwrap() == attempt("a2")).then_some(())
    })
    .await;
    assert_eq!(conversation(&f, &bound).await.as_deref(), Some("c"));
}
