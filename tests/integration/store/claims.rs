//! Claims in one step with the append and in a step of their own: either understands what the other wrote.

use chatbridge::store::{
    Appended, Retention, Store,
    redis::{Claims, RedisSettings, RedisStore},
};
use redis::AsyncCommands as _;
use rstest::rstest;

use super::fixture::{conversation, event, settings, stranger};
use crate::support::redis::{RedisServer, unique_prefix};

async fn pair(server: &RedisServer, first: Claims) -> [RedisStore; 2] {
    let prefix = unique_prefix();
    let second = match first {
        Claims::WithAppend => Claims::Apart,
        Claims::Apart => Claims::WithAppend,
    };
    let open = async |claims| {
        let settings = settings(server, &prefix, Retention::default());
        RedisStore::connect(RedisSettings {
            claims: Some(claims),
            master_keys: None,
            ..settings
        })
        .await
        .expect("a store")
    };
    [open(first).await, open(second).await]
}

fn is_new(appended: &Appended) -> bool {
    matches!(appended, Appended::New { .. })
}

#[rstest]
#[tokio::test]
async fn what_one_appended_the_other_knows(#[values(Claims::WithAppend, Claims::Apart)] first: Claims) {
    let server = RedisServer::shared();
    let [first, second] = pair(&server, first).await;
    let key = conversation("c");
    assert!(is_new(&first.append(&event(&key, "e1")).await.unwrap()));
    assert_eq!(
        second.append(&event(&key, "e1")).await.unwrap(),
        Appended::Duplicate
    );
    for victim in [key.clone(), stranger(&key)] {
        let mut forged = event(&victim, "e1");
        forged.digest = [9; 32];
        assert_eq!(second.append(&forged).await.unwrap(), Appended::Forged);
    }
    assert!(is_new(&second.append(&event(&key, "e2")).await.unwrap()));
    assert_eq!(
        first.append(&event(&key, "e2")).await.unwrap(),
        Appended::Duplicate
    );
}

/// A process died between claim and append.
#[rstest]
#[tokio::test]
async fn what_was_claimed_and_not_appended_is_appended_by_the_next(
    #[values(Claims::WithAppend, Claims::Apart)] next: Claims,
) {
    let server = RedisServer::start();
    let store = RedisStore::connect(RedisSettings {
        claims: Some(next),
        ..settings(&server, "test", Retention::default())
    });
    let store = store.await.unwrap();
    let mut past = server.connection().await;
    let key = conversation("c");
    store.append(&event(&key, "e1")).await.unwrap();
    // All but the claim is taken back, and that is made as a step of its own makes it.
    let claims: Vec<String> = past.keys("test:claim:*").await.unwrap();
    let seen: Vec<String> = past.keys("test:*:seen:*").await.unwrap();
    let () = past
        .set(&claims[0], event(&key, "e1").digest.as_slice())
        .await
        .unwrap();
    for key in &seen {
        let () = past.del(key).await.unwrap();
    }
    let mut forged = event(&key, "e1");
    forged.digest = [9; 32];
    assert_eq!(store.append(&forged).await.unwrap(), Appended::Forged);
    let appended = store.append(&event(&key, "e1")).await.unwrap();
    assert!(
        matches!(appended, Appended::New { sequence: 2, .. }),
        "{appended:?}"
    );
    assert_eq!(
        store.append(&event(&key, "e1")).await.unwrap(),
        Appended::Duplicate
    );
}

/// An event that is not in the log must not be taken for one that is.
#[rstest]
#[tokio::test]
async fn an_append_that_failed_can_be_repeated(#[values(Claims::WithAppend, Claims::Apart)] claims: Claims) {
    let server = RedisServer::start();
    let store = RedisStore::connect(RedisSettings {
        claims: Some(claims),
        master_keys: None,
        ..settings(&server, "test", Retention::default())
    });
    let store = store.await.unwrap();
    let mut past = server.connection().await;
    let key = conversation("c");
    store.append(&event(&key, "e1")).await.unwrap();
    let logs: Vec<String> = past.keys("test:*:log").await.unwrap();
    let () = past.rename(&logs[0], "aside").await.unwrap();
    let () = past.set(&logs[0], "not a stream").await.unwrap();
    assert!(store.append(&event(&key, "e2")).await.is_err());
    let () = past.rename("aside", &logs[0]).await.unwrap();
    let appended = store.append(&event(&key, "e2")).await.unwrap();
    assert!(
        matches!(appended, Appended::New { sequence: 2, .. }),
        "{appended:?}"
    );
}
