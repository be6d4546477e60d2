//! Durable subscriptions.

use std::{sync::Arc, time::Duration};

use chatbridge::grpc::proto::{EndingReason, ReconnectAdvice, SubscriptionState, SubscriptionType};
use tonic::Code;

use super::{Member, World, create, get, messages, reason};
use crate::support::{redis::RedisServer, service::eventually};

#[tokio::test]
async fn it_goes_on_behind_what_was_committed_on_any_replica() {
    let world = World::new().await;
    let (a, b) = tokio::join!(world.serve(), world.serve());
    create(&a, SubscriptionType::Durable, 30_000).await;
    let said = messages(0, 20, 5);
    world.say(&[&a, &b], &said).await;

    let mut first = Member::open(&b, "first").await;
    let mut heard = Vec::new();
    for _ in 0..12 {
        heard.push(first.event().await);
    }
    assert!(first.commit(&heard[7]).await.unwrap());
    assert!(!first.commit(&heard[3]).await.unwrap(), "it does not go back");
    assert!(!first.commit(&heard[7]).await.unwrap());
    assert!(heard.iter().all(|got| got.share == 0));
    drop(first);

    let mut second = Member::open(&a, "second").await;
    let mut all: Vec<String> = heard[..8].iter().map(|got| got.message.clone()).collect();
    for _ in 8..20 {
        all.push(second.event().await.message);
    }
    assert!(second.event_within(Duration::from_millis(300)).await.is_none());
    all.sort();
    assert_eq!(all, said, "every event once but for what was not committed");
}

#[tokio::test]
async fn who_comes_later_takes_over_at_once_and_the_former_can_commit_no_more() {
    let world = World::new().await;
    let (a, b) = tokio::join!(world.serve(), world.serve());
    // The lease plays no part in it.
    create(&a, SubscriptionType::Durable, 600_000).await;
    world.say(&[&a], &messages(0, 6, 1)).await;
    let mut former = Member::open(&a, "former").await;
    let (one, two) = (former.event().await, former.event().await);
    assert!(former.commit(&one).await.unwrap());

    for (service, name) in [(&b, "on the other replica"), (&a, "back here")] {
        let mut later = Member::open(service, name).await;
        assert_eq!(later.event().await.message, two.message);
        let ending = former.ending().await;
        assert_eq!(ending.reason(), EndingReason::TakenOver);
        assert_eq!(ending.reconnect(), ReconnectAdvice::Never);
        let refused = former.commit(&two).await.unwrap_err();
        assert_eq!(
            (refused.code(), reason(&refused)),
            (Code::Aborted, "CURSOR_SUPERSEDED".into())
        );
        let members = get(&a).await.unwrap().members;
        assert_eq!(
            members.iter().map(|m| m.name.as_str()).collect::<Vec<_>>(),
            [name]
        );
        former = later;
    }
}

#[tokio::test]
async fn a_heartbeat_moves_its_place_over_what_did_not_match() {
    let world = World::new().await;
    let a = world.serve().await;
    let mut subscription = super::Subscription {
        name: super::NAME.into(),
        r#type: SubscriptionType::Durable.into(),
        ..super::Subscription::default()
    };
    subscription.conversation_ids = vec!["conv-0".into()];
    let request = super::CreateSubscriptionRequest {
        tenant: String::new(),
        subscription: Some(subscription),
    };
    super::subscriptions(&a)
        .await
        .create_subscription(request)
        .await
        .unwrap();
    let mut member = Member::open(&a, "only").await;
    world.say(&[&a], &messages(0, 400, 40)).await;
    let mut last = None;
    for _ in 0..10 {
        last = Some(member.event().await);
    }
    // Nothing moves while something is not committed.
    assert!(member.event_within(Duration::from_millis(1500)).await.is_none());
    let lag = get(&a).await.unwrap().lag_at_most;
    assert!(lag >= 10, "{lag}");
    member.commit(&last.unwrap()).await.unwrap();
    eventually("nothing lies behind its place", async || {
        member.event_within(Duration::from_millis(10)).await;
        (get(&a).await.unwrap().lag_at_most == 0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn it_goes_on_after_everything_was_restarted() {
    let world = World::on(Arc::new(RedisServer::start_with(&[
        "--appendonly",
        "yes",
        "--appendfsync",
        "always",
    ])))
    .await;
    let a = world.serve().await;
    create(&a, SubscriptionType::Durable, 30_000).await;
    world.say(&[&a], &messages(0, 10, 3)).await;
    let mut member = Member::open(&a, "before").await;
    let mut heard = Vec::new();
    for _ in 0..6 {
        heard.push(member.event().await);
    }
    member.commit(&heard[3]).await.unwrap();
    assert_eq!(get(&a).await.unwrap().state(), SubscriptionState::Active);
    drop(member);
    assert_eq!(a.terminate().await, Some(0));
    world.redis.restart();

    let b = world.serve().await;
    assert_eq!(get(&b).await.unwrap().state(), SubscriptionState::Idle);
    world.say(&[&b], &messages(10, 2, 3)).await;
    let mut member = Member::open(&b, "after").await;
    let mut all: Vec<String> = heard[..4].iter().map(|got| got.message.clone()).collect();
    for _ in 4..12 {
        all.push(member.event().await.message);
    }
    all.sort();
    assert_eq!(all, messages(0, 12, 3));
    assert!(member.event_within(Duration::from_millis(500)).await.is_none());
}

#[tokio::test]
async fn a_redis_that_restarts_in_the_middle_is_waited_for() {
    let redis = RedisServer::start_with(&["--appendonly", "yes", "--appendfsync", "always"]);
    let world = World::on(Arc::new(redis)).await;
    let a = world.serve().await;
    create(&a, SubscriptionType::Durable, 1_000).await;
    let mut member = Member::open(&a, "only").await;
    world.say(&[&a], &messages(0, 4, 2)).await;
    let first = member.event().await;
    world.redis.stop();
    let refused = member.commit(&first).await.unwrap_err();
    assert_eq!(
        (refused.code(), reason(&refused)),
        (Code::Unavailable, "STORE_UNAVAILABLE".into())
    );
    // For longer than the lease.
    tokio::time::sleep(Duration::from_millis(1500)).await;
    world.redis.restart();
    let moved = eventually("the commit is taken", async || member.commit(&first).await.ok()).await;
    assert!(moved);
    world.say(&[&a], &messages(4, 1, 2)).await;
    let mut rest = Vec::new();
    for _ in 1..5 {
        rest.push(member.event().await.message);
    }
    rest.push(first.message);
    rest.sort();
    assert_eq!(rest, messages(0, 5, 2));
}
