//! Streams that do not come about, and members to whom the store answers badly.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use chatbridge::{
    error::Error,
    fanout::{Delivery, GapPolicy, Hub},
    subscription::{Ended, Kind as Type, SubscriptionStream, Subscriptions, Told},
};
use rstest::rstest;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{
    door::{Door, Fault},
    gaps::{definition, reading},
};
use crate::store::fixture::{Fixture, Kind, conversation, event, eventually, tenant};

/// Far longer than any test waits.
const LEASE_MS: u64 = 600_000;

/// A replica of two, which share a store.
struct Replica {
    door: Arc<Door>,
    subscriptions: Subscriptions,
    _stop: DropGuard,
}

fn replica(f: &Fixture) -> Replica {
    let (door, hub) = (
        Door::new(f.subscriptions.clone(), f.store.clone(), None),
        Hub::new(f.store.clone()),
    );
    let stop = CancellationToken::new();
    tokio::spawn(Arc::clone(&hub).run(stop.clone()));
    Replica {
        subscriptions: Subscriptions::new(hub, door.clone()),
        door,
        _stop: stop.drop_guard(),
    }
}

async fn two(of: Type) -> (Fixture, Replica, Replica) {
    let f = Fixture::new(Kind::Memory).await;
    let (bad, good) = (replica(&f), replica(&f));
    let definition = definition(of, LEASE_MS);
    good.subscriptions
        .create(&tenant(), "s", definition)
        .await
        .unwrap();
    (f, bad, good)
}

impl Replica {
    async fn try_open(&self) -> Result<SubscriptionStream, Error> {
        let reading = reading(GapPolicy::Fail);
        self.subscriptions.open(&tenant(), "s", reading).await
    }

    async fn open(&self) -> SubscriptionStream {
        eventually("the stream opens", async || self.try_open().await.ok()).await
    }

    /// The members, with how many shares each says that it holds.
    async fn members(&self) -> Vec<u16> {
        let (_, status) = self.subscriptions.get(&tenant(), "s").await.unwrap();
        status.members.iter().map(|member| member.shares).collect()
    }

    async fn eventually(&self, members: &[u16]) {
        eventually(&format!("the members {members:?}"), async || {
            (self.members().await == members).then_some(())
        })
        .await;
    }
}

async fn told(stream: &mut SubscriptionStream) -> Result<Told, Error> {
    tokio::time::timeout(Duration::from_secs(10), stream.next())
        .await
        .expect("something comes")
}

/// An event comes on this stream, whatever share it is in.
async fn hears_all(f: &Fixture, stream: &mut SubscriptionStream) {
    for n in 0..40 {
        f.append(&event(&conversation(&format!("c{n}")), &format!("e{n}")))
            .await;
    }
    for _ in 0..40 {
        let told = told(stream).await.unwrap();
        assert!(matches!(told, Told::Delivery(Delivery::Entry(_))), "{told:?}");
    }
}

#[rstest]
#[tokio::test]
async fn an_opening_whose_caller_leaves_holds_nothing(#[values(Type::Durable, Type::Shared)] of: Type) {
    let (f, bad, good) = two(of).await;
    drop(bad.open().await);
    good.eventually(&[]).await;
    bad.door.set(Fault::HoldSlots);
    let asked = bad.door.asked.load(Ordering::SeqCst);
    let opening = tokio::spawn({
        let subscriptions = bad.subscriptions.clone();
        async move { subscriptions.open(&tenant(), "s", reading(GapPolicy::Fail)).await }
    });
    eventually("the store is asked", async || {
        (bad.door.asked.load(Ordering::SeqCst) > asked).then_some(())
    })
    .await;
    opening.abort();
    assert!(opening.await.is_err());
    bad.door.set(Fault::None);
    good.eventually(&[]).await;
    let mut stream = good.open().await;
    hears_all(&f, &mut stream).await;
}

#[rstest]
#[tokio::test]
async fn an_opening_whose_answer_is_lost_holds_nothing(
    #[values(Type::Durable, Type::Shared)] of: Type,
    #[values(Fault::LoseSlots, Fault::LoseEnrol)] fault: Fault,
) {
    let (f, bad, good) = two(of).await;
    drop(bad.open().await);
    good.eventually(&[]).await;
    bad.door.set(fault);
    let refused = bad.try_open().await.err();
    assert!(matches!(refused, Some(Error::StoreUnavailable)), "{refused:?}");
    bad.door.set(Fault::None);
    good.eventually(&[]).await;
    let mut stream = good.open().await;
    hears_all(&f, &mut stream).await;
}

#[tokio::test]
async fn who_hears_no_log_takes_nothing_over() {
    let (f, _, good) = two(Type::Durable).await;
    let mut stream = good.open().await;
    // Its feed does not run.
    let deaf = Subscriptions::new(Hub::new(f.store.clone()), f.subscriptions.clone());
    let opened = deaf.open(&tenant(), "s", reading(GapPolicy::Fail)).await;
    assert!(matches!(opened.err(), Some(Error::StoreUnavailable)));
    f.append(&event(&conversation("c"), "e")).await;
    assert!(matches!(told(&mut stream).await, Ok(Told::Delivery(_))));
    let cursor = stream.cursor();
    let committed = good.subscriptions.commit(&tenant(), "s", &cursor).await;
    assert!(committed.unwrap(), "it is still the owner");
}

#[rstest]
#[tokio::test]
async fn where_nobody_keeps_the_stream_any_more_it_may_come_back(
    #[values(Type::Durable, Type::Shared)] of: Type,
) {
    let (f, bad, _) = two(of).await;
    let mut stream = bad.open().await;
    // A member that is at rest asks for its slots with the next renewal only: let one be under way.
    f.append(&event(&conversation("c"), "e")).await;
    assert!(matches!(told(&mut stream).await, Ok(Told::Delivery(_))));
    bad.door.set(Fault::Panic);
    let ended = told(&mut stream).await;
    assert!(matches!(ended, Err(Error::StoreUnavailable)), "{ended:?}");
}

#[tokio::test]
async fn a_member_that_found_the_roster_full_comes_back_to_its_shares() {
    let (_f, bad, good) = two(Type::Shared).await;
    let _stream = bad.open().await;
    good.eventually(&[256]).await;
    let enrols = bad.door.enrols.load(Ordering::SeqCst);
    bad.door.set(Fault::Full);
    eventually("it finds the roster full", async || {
        (bad.door.enrols.load(Ordering::SeqCst) > enrols + 1).then_some(())
    })
    .await;
    bad.door.set(Fault::None);
    good.eventually(&[0]).await;
    good.eventually(&[256]).await;
}

#[tokio::test]
async fn who_waits_for_commits_asks_for_them_and_not_for_the_roster() {
    let (f, bad, _good) = two(Type::Shared).await;
    let reading = chatbridge::subscription::Reading {
        window: 1,
        ..reading(GapPolicy::Fail)
    };
    let mut stream = eventually("the stream opens", async || {
        bad.subscriptions.open(&tenant(), "s", reading.clone()).await.ok()
    })
    .await;
    f.append(&event(&conversation("c"), "e")).await;
    assert!(matches!(told(&mut stream).await, Ok(Told::Delivery(_))));
    let count = || {
        (
            bad.door.asked.load(Ordering::SeqCst),
            bad.door.enrols.load(Ordering::SeqCst),
        )
    };
    let (asked, enrols) = count();
    eventually("it asks for commits", async || {
        (count().0 > asked + 20).then_some(())
    })
    .await;
    // About two seconds have passed; a machine that is busy makes it more, of both.
    let more = count().1 - enrols;
    assert!(more <= 8, "it enrolled {more} times meanwhile");
}

#[rstest]
#[tokio::test]
async fn what_the_store_lost_is_not_called_deleted(
    #[values(Kind::Memory, Kind::Redis)] kind: Kind,
    #[values(Type::Durable, Type::Shared)] of: Type,
) {
    let f = Fixture::new(kind).await;
    let only = replica(&f);
    let create = async || {
        let definition = definition(of, 3_000);
        only.subscriptions
            .create(&tenant(), "s", definition)
            .await
            .unwrap()
    };
    let before = create().await;
    let mut stream = only.open().await;
    f.wipe().await;
    let ended = loop {
        match told(&mut stream).await.unwrap() {
            Told::Ended(ended) => break ended,
            Told::Delivery(_) => {}
        }
    };
    assert_eq!(ended, Ended::Lost);
    let refused = only.try_open().await.err();
    assert!(
        matches!(refused, Some(Error::UnknownSubscription(_))),
        "{refused:?}"
    );
    // Whoever creates it when it starts goes on.
    assert_ne!(create().await.uid, before.uid);
    hears_all(&f, &mut only.open().await).await;
}
