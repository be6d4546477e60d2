//! Conversations that are erased while subscriptions stand among their events.

use std::time::Duration;

use chatbridge::grpc::proto::{EraseConversationRequest, SubscriptionType};
use rstest::rstest;

use super::{Member, World, create};

#[rstest]
#[tokio::test]
async fn members_go_on_over_what_was_erased_and_hear_of_no_gap(
    #[values(SubscriptionType::Durable, SubscriptionType::Shared)] kind: SubscriptionType,
) {
    let world = World::new().await;
    let (a, b) = tokio::join!(world.serve(), world.serve());
    create(&a, kind, 30_000).await;
    // Many conversations, so that they share partitions and shares.
    let said: Vec<String> = (0..160).map(|n| format!("m{n:04}@conv-{}", n % 40)).collect();
    world.say(&[&a, &b], &said).await;
    let is_erased = |message: &str| {
        let (_, number) = message.split_once("@conv-").unwrap();
        number.parse::<u32>().unwrap() % 2 == 0
    };

    // Half of it is committed, among it places of what is erased then; a member is live meanwhile.
    let mut first = Member::open(&b, "first").await;
    let mut heard = Vec::new();
    for n in 0..160 {
        let got = first.event().await;
        if n < 80 {
            first.commit(&got).await.unwrap();
            heard.push(got.message);
        }
    }
    let mut sessions = a.sessions().await;
    for n in (0..40).step_by(2) {
        let request = EraseConversationRequest {
            tenant: String::new(),
            conversation_id: format!("conv-{n}"),
        };
        assert_eq!(
            sessions
                .erase_conversation(request)
                .await
                .unwrap()
                .into_inner()
                .erased_events,
            4
        );
    }
    world
        .say(&[&b], &["live@conv-1".into(), "anew@conv-0".into()])
        .await;
    // In whatever order: they may be of different partitions. Anything but an event fails this.
    let mut live = [first.event().await.message, first.event().await.message];
    live.sort();
    assert_eq!(live, ["anew@conv-0", "live@conv-1"]);
    drop(first);

    let mut second = Member::open(&a, "second").await;
    let mut expected: Vec<String> = said
        .into_iter()
        .filter(|m| !heard.contains(m) && !is_erased(m))
        .collect();
    expected.extend(["anew@conv-0".into(), "live@conv-1".into()]);
    let mut again = Vec::new();
    while again.len() < expected.len() {
        again.push(second.event().await.message);
    }
    assert!(second.event_within(Duration::from_millis(300)).await.is_none());
    again.sort();
    expected.sort();
    assert_eq!(again, expected);
}
