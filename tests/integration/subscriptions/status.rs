//! When something counts as waiting.

use chatbridge::{
    event::ConversationKey,
    grpc::proto::EventKind,
    store::{Retention, partition},
    subscription::{Definition, Kind as Type, State, Status},
};
use rstest::rstest;

use super::gaps::{House, definition};
use crate::store::fixture::{Kind, PARTITIONS, conversation, event, eventually, neighbour, tenant};

/// Of which no event in here is.
const OTHER_KIND: i32 = EventKind::Queued as i32;

async fn status(house: &House) -> Status {
    house.subscriptions.get(&tenant(), "s").await.unwrap().1
}

#[rstest]
#[tokio::test]
async fn what_nobody_wants_does_not_wait(
    #[values(Kind::Memory, Kind::Redis)] kind: Kind,
    #[values(Type::Durable, Type::Shared)] of: Type,
) {
    let house = House::new(kind, Retention::default()).await;
    // It stalls at once.
    let nothing = Definition {
        kinds: [OTHER_KIND].into(),
        ..definition(of, 1)
    };
    house.subscriptions.create(&tenant(), "s", nothing).await.unwrap();
    let key = conversation("c");
    for n in 0..700 {
        house.f.append(&event(&key, &format!("e{n}"))).await;
    }
    // Each look gets somewhat further, and the whole is looked through soon.
    for _ in 0..3 {
        let status = status(&house).await;
        assert_eq!((status.state, status.lag_at_most), (State::Idle, 700));
    }
}

#[rstest]
#[tokio::test]
async fn what_waits_is_found_behind_much_that_does_not(#[values(Kind::Memory, Kind::Redis)] kind: Kind) {
    let house = House::new(kind, Retention::default()).await;
    let (key, other) = (conversation("c"), neighbour(&conversation("c")));
    // Only one conversation is wanted: by its index, however many lie before it.
    let one = Definition {
        conversations: [other.conversation.clone()].into(),
        ..definition(Type::Durable, 1)
    };
    house.subscriptions.create(&tenant(), "s", one).await.unwrap();
    // Of two in one partition there is no index: page by page.
    let both = Definition {
        conversations: [other.conversation.clone(), neighbour_of_two(&key, &other)].into(),
        ..definition(Type::Durable, 1)
    };
    house.subscriptions.create(&tenant(), "t", both).await.unwrap();
    for n in 0..2500 {
        house.f.append(&event(&key, &format!("e{n}"))).await;
    }
    let state = async |name| house.subscriptions.get(&tenant(), name).await.unwrap().1.state;
    assert_eq!((state("s").await, state("t").await), (State::Idle, State::Idle));
    house.f.append(&event(&other, "wanted")).await;
    for name in ["s", "t"] {
        eventually("it stalls", async || {
            (state(name).await == State::Stalled).then_some(())
        })
        .await;
    }
}

/// A third conversation of their partition.
fn neighbour_of_two(key: &ConversationKey, other: &ConversationKey) -> String {
    let partition = partition::of(key, PARTITIONS);
    (0..)
        .map(|n| conversation(&format!("third-{n}")))
        .find(|third| partition::of(third, PARTITIONS) == partition && third != other)
        .map(|third| third.conversation)
        .unwrap()
}
