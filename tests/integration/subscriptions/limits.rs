//! What is too many, what stalls, and what the metrics say of it.

use std::time::SystemTime;

use chatbridge::grpc::proto::{
    CreateSubscriptionRequest, SubscriptionState, SubscriptionType,
    agent_event_service_client::AgentEventServiceClient,
};
use redis::{AsyncCommands as _, aio::MultiplexedConnection};
use tonic::Code;

use super::{Member, World, balanced, create, get, messages, reading, reason, subscriptions};
use crate::support::service::eventually;

impl World {
    /// The only key of which this is a part, with a connection past the service.
    async fn key(&self, part: &str) -> (MultiplexedConnection, String) {
        let mut connection = self.redis.connection().await;
        let keys = crate::store::fixture::keys(&mut connection, &self.prefix).await;
        let key = keys.into_iter().find(|key| key.contains(part)).unwrap();
        (connection, key)
    }
}

#[tokio::test]
async fn a_tenant_has_at_most_a_thousand_subscriptions() {
    let world = World::new().await;
    let a = world.serve().await;
    create(&a, SubscriptionType::Shared, 30_000).await;
    let (mut connection, key) = world.key(":subscriptions:").await;
    let (_, definition): (String, Vec<u8>) = {
        let all: Vec<(String, Vec<u8>)> = connection.hgetall(&key).await.unwrap();
        all.into_iter().next().unwrap()
    };
    let others: Vec<(String, Vec<u8>)> = (1..1000)
        .map(|n| (format!("other-{n}"), definition.clone()))
        .collect();
    let () = connection.hset_multiple(&key, &others).await.unwrap();
    let request = CreateSubscriptionRequest {
        tenant: String::new(),
        subscription: Some(super::Subscription {
            name: "one.more".into(),
            r#type: SubscriptionType::Shared.into(),
            ..super::Subscription::default()
        }),
    };
    let mut client = subscriptions(&a).await;
    let refused = client.create_subscription(request).await.unwrap_err();
    assert_eq!(
        (refused.code(), reason(&refused)),
        (Code::ResourceExhausted, "SUBSCRIPTION_LIMIT".into())
    );
    // One that is there is answered all the same.
    create(&a, SubscriptionType::Shared, 30_000).await;
}

#[tokio::test]
async fn a_subscription_has_at_most_256_members() {
    let world = World::new().await;
    let a = world.serve().await;
    create(&a, SubscriptionType::Shared, 30_000).await;
    let _one = Member::open(&a, "one").await;
    let (mut connection, key) = world.key(":members:").await;
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_millis();
    let others: Vec<(String, String)> = (1..256)
        .map(|n| (format!("{n:016x}"), format!("{}:{now}:1:0:other", now + 500_000)))
        .collect();
    let () = connection.hset_multiple(&key, &others).await.unwrap();
    let mut client = AgentEventServiceClient::new(a.channel().await);
    let refused = client.agent_events(reading()).await.unwrap_err();
    assert_eq!(
        (refused.code(), reason(&refused)),
        (Code::ResourceExhausted, "SUBSCRIPTION_LIMIT".into())
    );
    // Where one goes, another may come.
    let () = connection.hdel(&key, &others[0].0).await.unwrap();
    Member::open(&a, "two").await;
}

#[tokio::test]
async fn it_stalls_with_a_member_that_does_not_commit() {
    let world = World::new().await;
    let a = world.serve().await;
    create(&a, SubscriptionType::Durable, 1_000).await;
    let mut member = Member::open(&a, "idle hands").await;
    world.say(&[&a], &messages(0, 1, 1)).await;
    let got = member.event().await;
    assert_eq!(get(&a).await.unwrap().state(), SubscriptionState::Active);
    eventually("it stalls", async || {
        let shown = get(&a).await.unwrap();
        assert_eq!(shown.members.len(), 1);
        (shown.state() == SubscriptionState::Stalled).then_some(())
    })
    .await;
    member.commit(&got).await.unwrap();
    assert_eq!(get(&a).await.unwrap().state(), SubscriptionState::Active);
}

#[tokio::test]
async fn the_metrics_say_how_subscriptions_are_doing() {
    let world = World::new().await;
    let a = world.serve().await;
    create(&a, SubscriptionType::Shared, 1_000).await;
    let mut member = Member::open(&a, "only").await;
    balanced(&a, 1).await;
    world.say(&[&a], &messages(0, 3, 1)).await;
    let got = member.event().await;
    assert!(member.commit(&got).await.unwrap());
    assert!(!member.commit(&got).await.unwrap());
    let taken = "chatbridge_subscription_shares_total{result=\"taken\"}";
    let commits = "chatbridge_subscription_commits_total";
    assert!(a.metric(taken).await >= 256.0);
    assert!(a.metric("chatbridge_subscription_members").await > 0.0);
    for result in ["moved", "unmoved"] {
        let line = format!("{commits}{{result=\"{result}\"}}");
        assert!((a.metric(&line).await - 1.0).abs() < 0.5, "{line}");
    }
    eventually("it is found too slow", async || {
        (a.metric("chatbridge_subscription_slow_members_total").await > 0.0).then_some(())
    })
    .await;
    eventually("it counts for nobody", async || {
        (a.metric("chatbridge_subscription_members").await < 0.5).then_some(())
    })
    .await;
    drop(member);
    // A replica that starts looks at once.
    let b = world.serve().await;
    eventually("they are shown", async || {
        let all = b.metric("chatbridge_subscriptions{").await;
        let lag = b.metric("chatbridge_subscription_lag_max").await;
        ((all - 1.0).abs() < 0.5 && lag >= 2.0).then_some(())
    })
    .await;
}
