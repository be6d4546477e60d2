//! What happens rarely, and must not cost an entry or give one twice.

use super::*;

/// A conversation that shares the partition of `of`.
fn neighbour(of: &str) -> String {
    use crate::store::partition;
    let partition = |c: &str| partition::of(&ConversationKey::new(TenantId::new("t"), c), PARTITIONS);
    (0..)
        .map(|i| format!("n{i}"))
        .find(|c| partition(c) == partition(of))
        .unwrap()
}

async fn gap(subscriber: &mut Subscriber) -> GapReason {
    let delivery = tokio::time::timeout(SOON, subscriber.next()).await.unwrap();
    match delivery.unwrap() {
        Delivery::Gap(gap, _) => gap.reason,
        Delivery::Entry(entry) => panic!("an entry: {:?}", entry.id),
    }
}

#[tokio::test]
async fn a_conversation_goes_on_behind_a_gap_whoever_else_is_in_its_partition() {
    let mut house = House::new();
    let mut subscriber = house
        .subscribe(&["a"], Start::Earliest, GapPolicy::Earliest)
        .await;
    let first = house.append("a").await;
    assert_eq!(next(&mut subscriber).await, first);
    let cursor = subscriber.cursor();
    drop(subscriber);
    house.memory.wipe();
    house.append(&neighbour("a")).await;
    tokio::time::sleep(Duration::from_millis(5)).await;
    let after = house.append("a").await;
    house.break_feed().await;

    let mut subscriber = house
        .subscribe(&["a"], Start::Cursor(cursor), GapPolicy::Earliest)
        .await;
    assert_eq!(gap(&mut subscriber).await, GapReason::Wiped);
    let cursor = subscriber.cursor();
    assert_eq!(next(&mut subscriber).await, after);
    let mut resumed = house
        .subscribe(&["a"], Start::Cursor(cursor), GapPolicy::Fail)
        .await;
    assert_eq!(next(&mut resumed).await, after);
}
