//! Events that are gone before a subscription's place.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use chatbridge::{
    error::Error,
    event::ConversationKey,
    fanout::{Delivery, GapPolicy, Hub},
    store::{Cursor, GapReason, Retention, partition},
    subscription::{Definition, Kind as Type, Reading, StartAt, SubscriptionStream, Subscriptions, Told},
};
use rstest::rstest;
use tokio_util::sync::CancellationToken;

use crate::store::fixture::{Fixture, Kind, PARTITIONS, conversation, event, eventually, tenant};

pub(super) fn definition(kind: Type, lease_ms: u64) -> Definition {
    Definition {
        kind,
        conversations: [].into(),
        kinds: [].into(),
        echoes: true,
        start: StartAt::Latest,
        lease_ms,
    }
}

pub(super) fn reading(policy: GapPolicy) -> Reading {
    Reading {
        member_name: "member".into(),
        policy,
        window: 1000,
    }
}

pub(super) struct House {
    pub(super) f: Fixture,
    pub(super) subscriptions: Subscriptions,
    stop: CancellationToken,
}

impl House {
    pub(super) async fn new(kind: Kind, retention: Retention) -> Self {
        let f = Fixture::keeping(kind, retention).await;
        let hub = Hub::new(f.store.clone());
        let stop = CancellationToken::new();
        tokio::spawn(Arc::clone(&hub).run(stop.clone()));
        let subscriptions = Subscriptions::new(hub, f.subscriptions.clone());
        Self {
            f,
            subscriptions,
            stop,
        }
    }

    async fn open(&self, policy: GapPolicy) -> SubscriptionStream {
        eventually("the stream opens", async || {
            self.subscriptions
                .open(&tenant(), "s", reading(policy))
                .await
                .ok()
        })
        .await
    }
}

impl Drop for House {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn next(stream: &mut SubscriptionStream) -> Result<Delivery, Error> {
    let told = tokio::time::timeout(Duration::from_secs(10), stream.next())
        .await
        .expect("something comes");
    match told? {
        Told::Delivery(delivery) => Ok(delivery),
        Told::Ended(ended) => panic!("{ended:?}"),
    }
}

/// A log of which all but the newest event was trimmed, behind a subscription's place.
async fn trimmed(kind: Kind, of: Type) -> House {
    let retention = Retention {
        log_ms: 2500,
        ..Retention::default()
    };
    let house = House::new(kind, retention).await;
    let key = conversation("c");
    house.f.append(&event(&key, "before")).await;
    house
        .subscriptions
        .create(&tenant(), "s", definition(of, 60_000))
        .await
        .unwrap();
    for n in 0..500 {
        house.f.append(&event(&key, &format!("old {n}"))).await;
    }
    tokio::time::sleep(Duration::from_millis(2600)).await;
    house.f.append(&event(&key, "young")).await;
    eventually("the log is trimmed", async || {
        house.f.store.tidy(1).await.unwrap().then_some(())
    })
    .await;
    house
}

#[rstest]
#[tokio::test]
async fn what_was_trimmed_is_told_and_then_it_goes_on(
    #[values(Kind::Memory, Kind::Redis)] kind: Kind,
    #[values(Type::Durable, Type::Shared)] of: Type,
    #[values(GapPolicy::Earliest, GapPolicy::Latest)] policy: GapPolicy,
) {
    let house = trimmed(kind, of).await;
    let mut stream = house.open(policy).await;
    match next(&mut stream).await.unwrap() {
        Delivery::Gap(gap, after) => {
            assert_eq!(gap.reason, GapReason::Trimmed);
            assert!(gap.missed_at_most > 100 && after.is_some(), "{gap:?}");
        }
        other => panic!("{other:?}"),
    }
    let behind_gap = stream.cursor();
    house.f.append(&event(&conversation("c"), "new")).await;
    let mut last = 0;
    loop {
        let Delivery::Entry(entry) = next(&mut stream).await.unwrap() else {
            // The shares of one partition are told each; the conversation's own comes once.
            assert_eq!(of, Type::Shared);
            continue;
        };
        assert!(last == 0 || entry.id.n == last + 1);
        last = entry.id.n;
        if entry.id.n == 503 {
            break;
        }
    }
    assert!(
        house
            .subscriptions
            .commit(&tenant(), "s", &behind_gap)
            .await
            .unwrap()
    );
    assert!(
        house
            .subscriptions
            .commit(&tenant(), "s", &stream.cursor())
            .await
            .unwrap()
    );
    drop(stream);
    let mut again = house.open(GapPolicy::Fail).await;
    house.f.append(&event(&conversation("c"), "last")).await;
    loop {
        match next(&mut again).await {
            Ok(Delivery::Entry(entry)) => {
                assert_eq!(entry.id.n, 504, "it goes on behind the commit");
                break;
            }
            // Other shares of the partition have a gap of their own that nobody committed.
            Ok(Delivery::Gap(..)) if of == Type::Shared => {}
            Err(Error::CursorGap) if of == Type::Shared => break,
            other => panic!("{other:?}"),
        }
    }
}

#[rstest]
#[tokio::test]
async fn whoever_wants_to_fail_fails(
    #[values(Kind::Memory, Kind::Redis)] kind: Kind,
    #[values(Type::Durable, Type::Shared)] of: Type,
) {
    let house = trimmed(kind, of).await;
    let mut stream = house.open(GapPolicy::Fail).await;
    assert!(matches!(next(&mut stream).await, Ok(Delivery::Gap(..))));
    let error = loop {
        match next(&mut stream).await {
            Ok(Delivery::Gap(..)) => {}
            Ok(other) => panic!("{other:?}"),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, Error::CursorGap), "{error:?}");
}

#[rstest]
#[tokio::test]
async fn places_of_a_log_that_went_back_are_told_and_move_on(
    #[values(Kind::Memory, Kind::Redis)] kind: Kind,
    #[values(Type::Durable, Type::Shared)] of: Type,
) {
    let house = House::new(kind, Retention::default()).await;
    let key = conversation("c");
    // What is restored are leases, too. And the live feed may take two seconds to see that the log went back, for which what was
    // delivered of the gap is not committed.
    house
        .subscriptions
        .create(&tenant(), "s", definition(of, 6_000))
        .await
        .unwrap();
    house.f.append(&event(&key, "1")).await;
    let mut stream = house.open(GapPolicy::Earliest).await;
    assert!(matches!(next(&mut stream).await, Ok(Delivery::Entry(_))));
    let snapshot = house.f.snapshot().await;
    house.f.append(&event(&key, "2")).await;
    assert!(matches!(next(&mut stream).await, Ok(Delivery::Entry(_))));
    let cursor = stream.cursor();
    assert!(house.subscriptions.commit(&tenant(), "s", &cursor).await.unwrap());
    drop(stream);
    // The log and the commit are lost, and the client commits what it did once more.
    house.f.restore(snapshot).await;
    assert!(house.subscriptions.commit(&tenant(), "s", &cursor).await.unwrap());
    house.f.append(&event(&key, "another 2")).await;
    let mut stream = house.open(GapPolicy::Earliest).await;
    let mut heard = 0;
    while heard < 2 {
        match next(&mut stream).await.unwrap() {
            Delivery::Gap(gap, _) => assert_eq!(gap.reason, GapReason::Rewound),
            Delivery::Entry(_) => heard += 1,
            other => panic!("{other:?}"),
        }
    }
    // Although its place lies before the one that was committed last.
    assert!(
        house
            .subscriptions
            .commit(&tenant(), "s", &stream.cursor())
            .await
            .unwrap()
    );
    drop(stream);
    house.f.append(&event(&key, "3")).await;
    let mut stream = house.open(GapPolicy::Fail).await;
    match next(&mut stream).await {
        Ok(Delivery::Entry(entry)) => assert_eq!(entry.id.n, 3),
        other => panic!("{other:?}"),
    }
}

#[rstest]
#[tokio::test]
async fn only_shares_whose_place_lies_before_a_gap_are_told(#[values(Kind::Memory, Kind::Redis)] kind: Kind) {
    let retention = Retention {
        log_ms: 2500,
        ..Retention::default()
    };
    let house = House::new(kind, retention).await;
    let share = |key: &_| partition::share(key, PARTITIONS);
    // Two conversations of one partition, in different shares.
    let ahead = conversation("c");
    let behind = (0..)
        .map(|n| conversation(&format!("behind-{n}")))
        .find(|key| share(key) != share(&ahead) && house.f.partition(key) == house.f.partition(&ahead))
        .unwrap();
    house
        .subscriptions
        .create(&tenant(), "s", definition(Type::Shared, 60_000))
        .await
        .unwrap();
    for n in 0..300 {
        house.f.append(&event(&behind, &format!("behind {n}"))).await;
    }
    house.f.append(&event(&ahead, "ahead")).await;
    let mut stream = house.open(GapPolicy::Fail).await;
    loop {
        let Delivery::Entry(entry) = next(&mut stream).await.unwrap() else {
            panic!("there is no gap yet");
        };
        if entry.key == ahead {
            break;
        }
    }
    // What came last is committed of one share; the places of the others stay before the gap.
    let cursor = stream.cursor();
    assert!(house.subscriptions.commit(&tenant(), "s", &cursor).await.unwrap());
    drop(stream);
    tokio::time::sleep(Duration::from_millis(2600)).await;
    house.f.append(&event(&ahead, "young")).await;
    eventually("all but the newest is trimmed", async || {
        house.f.store.tidy(1).await.unwrap();
        let page = house.f.read_all(house.f.partition(&ahead)).await;
        (page.entries.len() == 1).then_some(())
    })
    .await;
    let mut stream = house.open(GapPolicy::Earliest).await;
    // Those that have no place yet are read apart, and may be told later.
    let (mut told, mut has_come) = (BTreeSet::new(), false);
    while !(has_come && told.contains(&share(&behind))) {
        match next(&mut stream).await.unwrap() {
            Delivery::Gap(gap, _) => {
                assert_eq!(gap.reason, GapReason::Trimmed);
                told.insert(stream.share().unwrap());
            }
            Delivery::Entry(entry) => {
                assert_eq!(entry.key, ahead);
                has_come = true;
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(
        !told.contains(&share(&ahead)),
        "its place is that of the last entry which was trimmed: {told:?}"
    );
}

#[rstest]
#[tokio::test]
async fn a_start_that_lies_ahead_means_now(
    #[values(Kind::Memory, Kind::Redis)] kind: Kind,
    #[values(Type::Durable, Type::Shared)] of: Type,
) {
    let house = House::new(kind, Retention::default()).await;
    let hour_ahead = house.f.store.now_ms().await.unwrap() + 3_600_000;
    let cursor = Cursor::at_time(hour_ahead, PARTITIONS).encode();
    let ahead = Definition {
        start: StartAt::Cursor(cursor.into()),
        ..definition(of, 60_000)
    };
    house.subscriptions.create(&tenant(), "s", ahead).await.unwrap();
    let mut stream = house.open(GapPolicy::Fail).await;
    house.f.append(&event(&conversation("c"), "new")).await;
    assert!(matches!(next(&mut stream).await, Ok(Delivery::Entry(_))));
}

/// Two conversations of one partition, whose shares differ.
fn neighbours() -> [ConversationKey; 2] {
    let one = conversation("c");
    let other = (0..)
        .map(|i| conversation(&format!("neighbour {i}")))
        .find(|other| {
            let (one, other) = (
                partition::share(&one, PARTITIONS),
                partition::share(other, PARTITIONS),
            );
            one != other && partition::of_share(one, PARTITIONS) == partition::of_share(other, PARTITIONS)
        });
    [one, other.expect("there are many")]
}

#[rstest]
#[tokio::test]
async fn a_share_is_told_that_the_log_went_back_although_it_is_read_with_one_that_was_before(
    #[values(Kind::Memory, Kind::Redis)] kind: Kind,
) {
    let house = House::new(kind, Retention::default()).await;
    let [behind, ahead] = neighbours();
    let subscriptions = &house.subscriptions;
    let of = definition(Type::Shared, 6_000);
    subscriptions.create(&tenant(), "s", of).await.unwrap();
    house.f.append(&event(&behind, "before")).await;
    let mut stream = house.open(GapPolicy::Earliest).await;
    assert!(matches!(next(&mut stream).await, Ok(Delivery::Entry(_))));
    let first = stream.cursor();
    house.f.append(&event(&ahead, "kept")).await;
    assert!(matches!(next(&mut stream).await, Ok(Delivery::Entry(_))));
    let snapshot = house.f.snapshot().await;
    house.f.append(&event(&ahead, "lost")).await;
    assert!(matches!(next(&mut stream).await, Ok(Delivery::Entry(_))));
    let last = stream.cursor();
    drop(stream);
    // Both places are known to the store, one of them behind what the log has then.
    house.f.restore(snapshot).await;
    assert!(subscriptions.commit(&tenant(), "s", &first).await.unwrap());
    assert!(subscriptions.commit(&tenant(), "s", &last).await.unwrap());
    house.f.append(&event(&ahead, "instead")).await;
    house.f.append(&event(&ahead, "more")).await;
    let mut stream = house.open(GapPolicy::Earliest).await;
    let (mut gaps, mut heard) = (0, Vec::new());
    while heard.len() < 3 {
        match next(&mut stream).await.unwrap() {
            Delivery::Gap(gap, _) => {
                assert_eq!(gap.reason, GapReason::Rewound);
                assert!(heard.is_empty(), "it comes before {heard:?}");
                gaps += 1;
            }
            Delivery::Entry(entry) => {
                assert_eq!(entry.key, ahead);
                heard.push(String::from_utf8(entry.raw.to_vec()).unwrap());
            }
            other => panic!("{other:?}"),
        }
        let cursor = stream.cursor();
        assert!(subscriptions.commit(&tenant(), "s", &cursor).await.unwrap());
    }
    assert_eq!(gaps, 1, "for the one share");
    assert_eq!(heard, ["raw kept", "raw instead", "raw more"]);
}
