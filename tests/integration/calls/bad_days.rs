//! What Redis does on its bad days, seen by those who call.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use chatbridge::{
    conversation::Conversations,
    error::Error,
    store::{Retention, redis::RedisStore},
    tenant::Tenant,
};

use super::{
    ID, OTHER_ID, new_conversation, request, send, tenant, use_cases,
    vendor::{Mode, Vendor},
};
use crate::{
    store::fixture::settings,
    support::{redis::RedisServer, service::eventually},
};

struct World {
    server: RedisServer,
    vendor: Vendor,
    calls: Conversations,
    tenant: Tenant,
}

async fn world() -> World {
    let server = RedisServer::start();
    let vendor = Vendor::start().await;
    let tenant = tenant(&vendor.uri());
    let store = RedisStore::connect(settings(&server, "test", Retention::default()))
        .await
        .unwrap();
    World {
        calls: use_cases(Arc::new(store), &tenant),
        server,
        vendor,
        tenant,
    }
}

#[tokio::test]
async fn with_redis_gone_nothing_is_sent() {
    let world = world().await;
    let World { calls, tenant, .. } = &world;
    world.server.stop();
    let (new, labels) = (new_conversation("u"), BTreeMap::new());
    for id in ["", ID] {
        let create = request(id, "");
        let refused: Vec<Result<(), Error>> = vec![
            send(calls, tenant, id, "hello").await.map(drop),
            calls.create(tenant, &create, &new, &labels).await.map(drop),
            calls.find_or_create(tenant, &new, &labels).await.map(drop),
        ];
        for answer in refused {
            assert_eq!(answer.unwrap_err().reason(), "STORE_UNAVAILABLE");
        }
    }
    assert_eq!(world.vendor.posts(), 0);
    world.server.restart();
    eventually("calls go through again", async || {
        send(calls, tenant, ID, "hello").await.ok()
    })
    .await;
    assert_eq!(world.vendor.posts(), 1);
}

#[tokio::test]
async fn a_call_that_was_told_to_repeat_may_be_repeated_though_redis_recorded_it() {
    let world = world().await;
    let World { calls, tenant, .. } = &world;
    send(calls, tenant, OTHER_ID, "before").await.unwrap();
    world.server.pause();
    let refused = send(calls, tenant, ID, "hello").await.unwrap_err();
    assert_eq!(refused.reason(), "STORE_UNAVAILABLE");
    // What was written to its connection is done now.
    world.server.resume();
    eventually("the record is taken back", async || {
        tokio::time::sleep(Duration::from_millis(100)).await;
        send(calls, tenant, ID, "hello").await.ok()
    })
    .await;
    assert_eq!(world.vendor.posts(), 2);
}

#[tokio::test]
async fn a_caller_who_leaves_while_redis_is_asked_stands_in_nobodys_way() {
    let world = world().await;
    let World { calls, tenant, .. } = &world;
    send(calls, tenant, OTHER_ID, "before").await.unwrap();
    world.server.pause();
    let impatient = tokio::time::timeout(Duration::from_millis(300), send(calls, tenant, ID, "hello"));
    assert!(impatient.await.is_err(), "the caller has gone");
    // Redis records a call that nobody makes any more.
    world.server.resume();
    eventually("the message is sent", async || {
        send(calls, tenant, ID, "hello").await.ok()
    })
    .await;
    assert_eq!(world.vendor.posts(), 2);
}

#[tokio::test]
async fn an_outcome_that_redis_does_not_take_is_recorded_later() {
    let world = world().await;
    let World {
        calls,
        tenant,
        vendor,
        ..
    } = &world;
    let mut redis = world.server.connection().await;
    let mut takes_writes = async |takes: bool| {
        let mut config = redis::cmd("CONFIG");
        config
            .arg("SET")
            .arg("min-replicas-to-write")
            .arg(u8::from(!takes));
        let () = config.query_async(&mut redis).await.unwrap();
    };
    vendor.mode(Mode::Slow(1_000));
    let sending = send(calls, tenant, ID, "hello");
    let meanwhile = async {
        eventually("it is sent", async || (vendor.posts() == 1).then_some(())).await;
        takes_writes(false).await;
    };
    let (sent, ()) = tokio::join!(sending, meanwhile);
    let sent = sent.unwrap();
    takes_writes(true).await;
    // Nothing can be looked up: the record itself must tell.
    vendor.reads_fail(true);
    let again = async || {
        tokio::time::sleep(Duration::from_millis(100)).await;
        send(calls, tenant, ID, "hello").await.ok()
    };
    assert_eq!(eventually("the outcome is recorded", again).await, sent);
    assert_eq!(vendor.posts(), 1);
}

#[tokio::test]
async fn a_send_asks_redis_four_things_two_of_them_at_once() {
    let world = world().await;
    let World { calls, tenant, .. } = &world;
    // Now the scripts are known.
    send(calls, tenant, OTHER_ID, "before").await.unwrap();
    let mut past = world.server.connection().await;
    let () = redis::cmd("CONFIG")
        .arg("RESETSTAT")
        .query_async(&mut past)
        .await
        .unwrap();
    send(calls, tenant, ID, "hello").await.unwrap();
    let stats: redis::InfoDict = redis::cmd("INFO")
        .arg("commandstats")
        .query_async(&mut past)
        .await
        .unwrap();
    let scripts: String = stats.get("cmdstat_evalsha").unwrap();
    assert!(scripts.starts_with("calls=4,"), "{scripts}");
}
