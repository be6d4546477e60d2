//! What an operator does and sees.

use std::time::Duration;

use chatbridge::grpc::proto::{
    AgentEventsRequest, CreateSubscriptionRequest, DeleteSubscriptionRequest, EndingReason, EventKind,
    ListSubscriptionsRequest, ReconnectAdvice, StartPosition, Subscription, SubscriptionState,
    SubscriptionType, agent_event_service_client::AgentEventServiceClient, agent_events_request::Start,
    subscription,
};
use tonic::{Code, Status};

use super::{
    Member, NAME, World, balanced, commit, create, get, lease, messages, reading, reason, subscriptions,
};
use crate::support::service::{Service, eventually};

async fn try_create(service: &Service, subscription: Subscription) -> Result<Subscription, Status> {
    let request = CreateSubscriptionRequest {
        tenant: String::new(),
        subscription: Some(subscription),
    };
    let created = subscriptions(service).await.create_subscription(request).await?;
    Ok(created.into_inner().subscription.unwrap())
}

async fn delete(service: &Service) -> Result<(), Status> {
    let request = DeleteSubscriptionRequest {
        tenant: String::new(),
        name: NAME.into(),
    };
    subscriptions(service)
        .await
        .delete_subscription(request)
        .await
        .map(drop)
}

fn definition() -> Subscription {
    Subscription {
        name: NAME.into(),
        r#type: SubscriptionType::Shared.into(),
        kinds: vec![EventKind::Message.into(), EventKind::Queued.into()],
        ..Subscription::default()
    }
}

#[tokio::test]
async fn a_definition_is_answered_again_and_another_is_refused() {
    let world = World::new().await;
    let a = world.serve().await;
    let created = try_create(&a, definition()).await.unwrap();
    assert_eq!(created.state(), SubscriptionState::Idle);
    assert_eq!(created.lease, lease(30_000));
    assert_eq!(created.tenant, crate::support::vendor::TENANT);
    assert!(created.create_time.is_some() && created.last_commit_time.is_none());
    assert_eq!(
        created.start,
        Some(subscription::Start::Position(StartPosition::Latest.into()))
    );

    let mut same = definition();
    same.kinds.reverse();
    same.lease = lease(30_000);
    same.start = Some(subscription::Start::Position(StartPosition::Unspecified.into()));
    assert_eq!(try_create(&a, same).await.unwrap(), created);
    let others: [fn(&mut Subscription); 4] = [
        |it| it.r#type = SubscriptionType::Durable.into(),
        |it| it.include_echoes = true,
        |it| it.lease = lease(31_000),
        |it| it.start = Some(subscription::Start::Position(StartPosition::Earliest.into())),
    ];
    for change in others {
        let mut other = definition();
        change(&mut other);
        let refused = try_create(&a, other).await.unwrap_err();
        assert_eq!(
            (refused.code(), reason(&refused)),
            (Code::AlreadyExists, "SUBSCRIPTION_EXISTS".into())
        );
    }
    assert_eq!(get(&a).await.unwrap(), created);
}

#[tokio::test]
async fn lists_are_paged_by_name() {
    let world = World::new().await;
    let a = world.serve().await;
    let names: Vec<String> = (0..7).map(|n| format!("s.{n}")).collect();
    for name in names.iter().rev() {
        let name = name.clone();
        try_create(&a, Subscription { name, ..definition() })
            .await
            .unwrap();
    }
    let mut client = subscriptions(&a).await;
    let mut request = ListSubscriptionsRequest {
        page_size: 3,
        ..ListSubscriptionsRequest::default()
    };
    let mut pages = Vec::new();
    loop {
        let page = client
            .list_subscriptions(request.clone())
            .await
            .unwrap()
            .into_inner();
        pages.push(
            page.subscriptions
                .iter()
                .map(|it| it.name.clone())
                .collect::<Vec<_>>(),
        );
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            break;
        }
    }
    assert_eq!(pages, [&names[..3], &names[3..6], &names[6..]]);
    request.page_token = "nonsense".into();
    let refused = client.list_subscriptions(request).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
}

#[tokio::test]
async fn members_lag_and_a_stall_are_shown() {
    let world = World::new().await;
    let a = world.serve().await;
    create(&a, SubscriptionType::Shared, 4_000).await;
    assert_eq!(get(&a).await.unwrap().state(), SubscriptionState::Idle);
    let mut one = Member::open(&a, "one").await;
    let mut two = Member::open(&a, "two").await;
    balanced(&a, 2).await;
    let shown = get(&a).await.unwrap();
    assert_eq!(shown.state(), SubscriptionState::Active);
    let names: Vec<&str> = shown.members.iter().map(|member| member.name.as_str()).collect();
    assert_eq!(names, ["one", "two"]);
    assert!(
        shown
            .members
            .iter()
            .all(|member| member.since_time.is_some() && member.shares == 128)
    );
    assert_eq!((shown.lag_at_most, shown.last_commit_time), (0, None));

    world.say(&[&a], &messages(0, 12, 3)).await;
    let shown = eventually("an event is not committed", async || {
        let shown = get(&a).await.unwrap();
        shown
            .members
            .iter()
            .any(|member| member.oldest_uncommitted_time.is_some())
            .then_some(shown)
    })
    .await;
    assert!(shown.lag_at_most >= 12, "{}", shown.lag_at_most);
    for member in [&mut one, &mut two] {
        while let Some(got) = member.event_within(Duration::from_millis(250)).await {
            member.commit(&got).await.unwrap();
        }
    }
    eventually("all is committed", async || {
        let shown = get(&a).await.unwrap();
        (shown.lag_at_most == 0 && shown.last_commit_time.is_some()).then_some(())
    })
    .await;
    drop((one, two));
    world.say(&[&a], &messages(12, 1, 1)).await;
    eventually("it stalls", async || {
        (get(&a).await.unwrap().state() == SubscriptionState::Stalled).then_some(())
    })
    .await;
    let mut back = Member::open(&a, "back").await;
    let got = back.event().await;
    back.commit(&got).await.unwrap();
    eventually("it goes on", async || {
        (get(&a).await.unwrap().state() == SubscriptionState::Active).then_some(())
    })
    .await;
}

#[tokio::test]
async fn what_is_deleted_ends_and_is_not_mistaken_for_its_successor() {
    let world = World::new().await;
    let (a, b) = tokio::join!(world.serve(), world.serve());
    for kind in [SubscriptionType::Shared, SubscriptionType::Durable] {
        create(&a, kind, 30_000).await;
        let mut member = Member::open(&b, "only").await;
        world.say(&[&a], &messages(0, 1, 1)).await;
        let got = member.event().await;
        delete(&a).await.unwrap();
        let ending = member.ending().await;
        assert_eq!(ending.reason(), EndingReason::SubscriptionDeleted);
        assert_eq!(ending.reconnect(), ReconnectAdvice::Never);
        for refused in [
            delete(&a).await.unwrap_err(),
            get(&a).await.unwrap_err(),
            member.commit(&got).await.unwrap_err(),
            member.client.agent_events(reading()).await.unwrap_err(),
        ] {
            assert_eq!(
                (refused.code(), reason(&refused)),
                (Code::NotFound, "SUBSCRIPTION_UNKNOWN".into())
            );
        }
        create(&a, kind, 30_000).await;
        let refused = member.commit(&got).await.unwrap_err();
        assert_eq!(
            (refused.code(), reason(&refused)),
            (Code::InvalidArgument, "CURSOR_INVALID".into())
        );
        delete(&a).await.unwrap();
    }
}

#[tokio::test]
async fn requests_that_make_no_sense_are_refused() {
    let world = World::new().await;
    let a = world.serve().await;
    create(&a, SubscriptionType::Shared, 30_000).await;
    let mut client = AgentEventServiceClient::new(a.channel().await);
    let plain = a.events(AgentEventsRequest::default()).await;
    let of_no_subscription = plain.cursor.clone();
    let member = Member::open(&a, "only").await;
    let mut both = reading();
    both.include_echoes = true;
    both.start = Some(Start::Cursor(of_no_subscription.clone()));
    let refused = client.agent_events(both).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    for cursor in [
        of_no_subscription,
        bytes::Bytes::from_static(b"x"),
        bytes::Bytes::new(),
    ] {
        let refused = commit(&mut client, &cursor).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument, "{cursor:?}");
    }
    drop(member);
}
