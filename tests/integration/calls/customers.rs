//! One conversation for each customer.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use chatbridge::{
    conversation::{Conversations, SessionChange, find_or_create::Found},
    error::Error,
    event::ConversationKey,
    gateway::NewConversation,
    store::{Customer, CustomerKey, Retention, SharedStore, redis::RedisStore},
    tenant::Tenant,
};
use rstest::rstest;
use tokio::time::Instant;

use super::{
    Kind, World, new_conversation, request, tenant, unknown, use_cases,
    vendor::{Mode, Vendor},
};
use crate::{
    store::fixture::settings,
    support::{
        redis::{RedisServer, unique_prefix},
        service::eventually,
    },
};

async fn find(calls: &Conversations, tenant: &Tenant, new: &NewConversation) -> Result<Found, Error> {
    calls.find_or_create(tenant, new, &BTreeMap::new()).await
}

impl World {
    async fn find(&self, user_id: &str) -> Result<Found, Error> {
        find(&self.calls, &self.tenant, &new_conversation(user_id)).await
    }
}

#[tokio::test]
async fn fifty_callers_on_two_replicas_get_one_conversation() {
    let server = RedisServer::shared();
    let settings = settings(&server, &unique_prefix(), Retention::default());
    let vendor = Vendor::start().await;
    vendor.mode(Mode::Slow(300));
    let tenant = tenant(&vendor.uri());
    let mut replicas = Vec::new();
    for _ in 0..2 {
        let store: SharedStore = Arc::new(RedisStore::connect(settings.clone()).await.unwrap());
        replicas.push(use_cases(store, &tenant));
    }
    let callers: Vec<_> = (0..50)
        .map(|i| {
            let (calls, tenant) = (replicas[i % 2].clone(), tenant.clone());
            tokio::spawn(async move { find(&calls, &tenant, &new_conversation("u")).await.unwrap() })
        })
        .collect();
    let mut found = Vec::new();
    for caller in callers {
        found.push(caller.await.unwrap());
    }
    assert!(
        found.iter().all(|f| f.conversation == found[0].conversation),
        "{found:?}"
    );
    assert_eq!(found.iter().filter(|f| f.created).count(), 1);
    assert_eq!(vendor.posts(), 1);
    let later = find(&replicas[0], &tenant, &new_conversation("u")).await.unwrap();
    assert_eq!((later.conversation.id.as_str(), later.created), ("conv-1", false));
}

#[rstest]
#[tokio::test]
async fn what_is_found_is_as_the_vendor_has_it(
    #[values(Kind::Memory, Kind::Redis, Kind::Sealed, Kind::Sentinel, Kind::Cluster)] kind: Kind,
) {
    let world = World::new(kind).await;
    let new = world.find("u").await.unwrap();
    assert!(new.created);
    assert_eq!(new.conversation.user.user_id, "u");
    world
        .vendor
        .has_conversation("conv-1", |c| c["user"]["name"] = "Ann".into());
    let found = world.find("u").await.unwrap();
    assert!(!found.created && found.cursor.time_ms >= new.cursor.time_ms);
    assert_eq!(
        (
            found.conversation.id.as_str(),
            found.conversation.user.name.as_str()
        ),
        ("conv-1", "Ann")
    );
    assert!(world.find("v").await.unwrap().created);
    let mut elsewhere = new_conversation("u");
    elsewhere.channel_id = "other".into();
    assert!(
        find(&world.calls, &world.tenant, &elsewhere)
            .await
            .unwrap()
            .created
    );
    assert_eq!(world.vendor.posts(), 3);
}

#[tokio::test]
async fn a_customer_without_identifier_cannot_be_found() {
    let world = World::new(Kind::Memory).await;
    let Error::Invalid(violations) = world.find("").await.unwrap_err() else {
        panic!("it is a wrong field")
    };
    assert_eq!(violations[0].field, "user.user_id");
}

#[tokio::test]
async fn what_a_plain_creation_made_is_found_the_last_one_first() {
    let world = World::new(Kind::Memory).await;
    for expected in ["conv-1", "conv-2"] {
        world
            .calls
            .create(
                &world.tenant,
                &request("", ""),
                &new_conversation("u"),
                &BTreeMap::new(),
            )
            .await
            .unwrap();
        let found = world.find("u").await.unwrap();
        assert_eq!((found.conversation.id.as_str(), found.created), (expected, false));
    }
}

#[tokio::test]
async fn callers_who_say_different_things_of_a_customer_do_not_clash() {
    let world = World::new(Kind::Memory).await;
    world.vendor.mode(Mode::Slow(200));
    let mut other = new_conversation("u");
    other.user.name = "Ann".into();
    let other = find(&world.calls, &world.tenant, &other);
    let (one, other) = tokio::join!(world.find("u"), other);
    let (one, other) = (one.unwrap(), other.unwrap());
    assert_eq!(one.conversation.id, other.conversation.id);
    assert!(one.created != other.created);
    assert_eq!(world.vendor.posts(), 1);
}

#[tokio::test]
async fn a_creation_that_is_refused_leaves_the_way_free() {
    let world = World::new(Kind::Memory).await;
    world.vendor.mode(Mode::Refuse(400));
    assert_eq!(world.find("u").await.unwrap_err().reason(), "UPSTREAM_INVALID");
    world.vendor.mode(Mode::Accept);
    assert!(world.find("u").await.unwrap().created);
}

#[rstest]
#[tokio::test]
async fn a_creation_whose_answer_was_lost_is_found_or_stays_unknown(
    #[values(Kind::Memory, Kind::Redis, Kind::Sealed, Kind::Sentinel, Kind::Cluster)] kind: Kind,
) {
    let world = World::new(kind).await;
    world.vendor.mode(Mode::LoseAnswer);
    unknown(world.find("u").await);
    unknown(world.find("u").await);
    let key = ConversationKey::new(world.tenant.id.clone(), "conv-1");
    world
        .fixture
        .store
        .change_session(&key, &SessionChange::by_call())
        .await
        .unwrap();
    for _ in 0..2 {
        let found = world.find("u").await.unwrap();
        assert_eq!((found.conversation.id.as_str(), found.created), ("conv-1", false));
    }
    assert_eq!(world.vendor.posts(), 1);
}

#[tokio::test]
async fn a_wait_for_somebody_elses_creation_ends_with_the_callers_deadline() {
    let world = World::new(Kind::Memory).await;
    world.vendor.mode(Mode::Slow(60_000));
    let (calls, tenant) = (world.calls.clone(), world.tenant.clone());
    let creator = tokio::spawn(async move { find(&calls, &tenant, &new_conversation("u")).await });
    eventually("it is being created", async || {
        (world.vendor.posts() == 1).then_some(())
    })
    .await;
    let start = Instant::now();
    let tenant = world.tenant.within(Some(start + Duration::from_millis(500)));
    let waited = find(&world.calls, &tenant, &new_conversation("u")).await;
    assert_eq!(waited.unwrap_err().reason(), "WAIT_TIMED_OUT");
    assert!(start.elapsed() < Duration::from_secs(5));
    creator.abort();
    assert_eq!(world.vendor.posts(), 1);
}

#[tokio::test]
async fn a_conversation_that_is_not_shown_yet_is_not_taken_for_gone() {
    let world = World::new(Kind::Memory).await;
    world.find("u").await.unwrap();
    world.vendor.forget_conversation("conv-1");
    let found = world.find("u").await.unwrap();
    assert_eq!((found.conversation.id.as_str(), found.created), ("conv-1", false));
    assert_eq!(world.vendor.posts(), 1);
}

#[tokio::test]
async fn a_conversation_that_is_gone_gives_way_to_a_new_one() {
    let server = RedisServer::shared();
    let prefix = unique_prefix();
    let store = Arc::new(
        RedisStore::connect(settings(&server, &prefix, Retention::default()))
            .await
            .unwrap(),
    );
    let vendor = Vendor::start().await;
    let tenant = tenant(&vendor.uri());
    let calls = use_cases(store.clone(), &tenant);
    find(&calls, &tenant, &new_conversation("u")).await.unwrap();
    vendor.forget_conversation("conv-1");
    // As if it had been created long ago.
    let mut past = server.connection().await;
    let keys: Vec<String> = redis::AsyncCommands::keys(&mut past, format!("{prefix}:customer:*"))
        .await
        .unwrap();
    let () = redis::AsyncCommands::set(&mut past, &keys[0], "c:1000:conv-1")
        .await
        .unwrap();
    let found = find(&calls, &tenant, &new_conversation("u")).await.unwrap();
    assert_eq!((found.conversation.id.as_str(), found.created), ("conv-2", true));
    let key = CustomerKey {
        tenant: tenant.id.clone(),
        channel_id: "channel".into(),
        user_id: "u".into(),
    };
    use chatbridge::store::Store as _;
    let known = store.customer(&key, "x").await.unwrap();
    assert!(matches!(known, Customer::Conversation { id, .. } if id == "conv-2"));
}
