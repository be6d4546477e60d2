//! Messages whose answers are lost.

use chatbridge::{
    conversation::calls::RequestId,
    event::{AuthorType, ConversationKey},
};
use rstest::rstest;

use super::{ID, Kind, OTHER_ID, World, message, new_conversation, request, unknown, vendor::Mode};
use crate::support::service::eventually;

fn is_now(ms: i64) -> bool {
    jiff::Timestamp::now().as_millisecond().abs_diff(ms) < 20_000
}

#[rstest]
#[tokio::test]
async fn a_message_whose_answer_was_lost_is_found_and_not_sent_again(
    #[values(Kind::Memory, Kind::Redis, Kind::Sealed, Kind::Sentinel, Kind::Cluster)] kind: Kind,
) {
    let world = World::new(kind).await;
    world.vendor.has_message("user", "hello", 0);
    world.vendor.has_message("bot", "hello", 3_600);
    world.vendor.mode(Mode::LoseAnswer);
    unknown(world.send(ID, "hello").await);
    let found = world.send(ID, "hello").await.unwrap();
    assert!(is_now(found), "{found}");
    // From now on it is known, and nothing more is looked at; a UUID is the same in any case.
    world.vendor.reads_fail(true);
    assert_eq!(
        world.send(&ID.to_ascii_uppercase(), "hello").await.unwrap(),
        found
    );
    assert_eq!(world.vendor.posts(), 1);
}

#[rstest]
#[tokio::test]
async fn a_message_that_is_not_to_be_seen_stays_unknown_and_is_not_sent_again(
    #[values(Kind::Memory, Kind::Redis, Kind::Sealed, Kind::Sentinel, Kind::Cluster)] kind: Kind,
) {
    let world = World::new(kind).await;
    world.vendor.mode(Mode::LoseRequest);
    for _ in 0..3 {
        let said = unknown(world.send(ID, "hello").await);
        world.vendor.mode(Mode::Accept);
        assert!(!said.contains("harmless") && !said.contains("safely"), "{said}");
    }
    let said = unknown(world.send(ID, "hello").await);
    assert!(
        said.contains("8x8 shows 0 matching messages for 1 sends"),
        "{said}"
    );
    assert_eq!(world.vendor.posts(), 1);
}

#[tokio::test]
async fn as_many_as_were_sent_prove_it_and_neither_fewer_nor_more() {
    let world = World::new(Kind::Memory).await;
    world.send("", "hello").await.unwrap();
    world.vendor.mode(Mode::LoseAnswer);
    unknown(world.send("", "hello").await);
    world.vendor.mode(Mode::LoseRequest);
    unknown(world.send(ID, "hello").await);
    // Two of three are there, and nobody knows whether the third will be.
    let said = unknown(world.send(ID, "hello").await);
    assert!(said.contains("2 matching messages for 3 sends"), "{said}");
    // It is accepted late.
    world.vendor.has_message("bot", "hello", 0);
    world.send(ID, "hello").await.unwrap();

    // Somebody else's message makes one too many.
    world.vendor.mode(Mode::LoseAnswer);
    unknown(world.send(OTHER_ID, "hello").await);
    world.vendor.has_message("bot", "hello", 0);
    let said = unknown(world.send(OTHER_ID, "hello").await);
    assert!(said.contains("5 matching messages for 4 sends"), "{said}");
    assert_eq!(world.vendor.posts(), 4);
}

#[tokio::test]
async fn a_message_that_may_be_older_proves_nothing() {
    let world = World::new(Kind::Memory).await;
    world.vendor.has_message("bot", "hello", 86_400 * 3);
    world.vendor.forget_times();
    world.vendor.mode(Mode::LoseRequest);
    unknown(world.send(ID, "hello").await);
    let said = unknown(world.send(ID, "hello").await);
    assert!(said.contains("does not tell when"), "{said}");
}

#[tokio::test]
async fn a_message_that_was_refused_does_not_count() {
    let world = World::new(Kind::Memory).await;
    world.vendor.mode(Mode::Refuse(400));
    for id in ["", OTHER_ID] {
        let refused = world.send(id, "hello").await.unwrap_err();
        assert_eq!(refused.reason(), "UPSTREAM_INVALID");
    }
    world.vendor.mode(Mode::LoseAnswer);
    unknown(world.send(ID, "hello").await);
    world.send(ID, "hello").await.unwrap();
    world.vendor.mode(Mode::Accept);
    world.send(OTHER_ID, "hello").await.unwrap();
    assert_eq!(world.vendor.posts(), 4, "what was refused may be sent again");
}

#[tokio::test]
async fn the_transcript_is_not_taken_for_a_lost_message() {
    let world = World::new(Kind::Memory).await;
    let mut new = new_conversation("u");
    new.history = vec![message(AuthorType::Bot, "hello"), message(AuthorType::User, "hi")];
    let anonymous = request("", "");
    let created = world
        .calls
        .create(&world.tenant, &anonymous, &new, &Default::default())
        .await
        .unwrap();
    let send = async || {
        let hello = message(AuthorType::Bot, "hello");
        let request = request(ID, "hello");
        world
            .calls
            .send(&world.tenant, &created.conversation, &request, &hello)
            .await
    };
    // The vendor lists the transcript as messages of the conversation.
    world.vendor.has_message("bot", "hello", 0);
    world.vendor.mode(Mode::LoseRequest);
    unknown(send().await);
    let said = unknown(send().await);
    assert!(said.contains("1 matching messages for 2 sends"), "{said}");
}

#[tokio::test]
async fn a_look_that_fails_does_not_read_as_if_repeating_did_no_harm() {
    let world = World::new(Kind::Memory).await;
    world.vendor.mode(Mode::LoseAnswer);
    unknown(world.send(ID, "hello").await);
    world.vendor.reads_fail(true);
    let said = unknown(world.send(ID, "hello").await);
    assert!(said.contains("could not be asked"), "{said}");
    world.vendor.reads_fail(false);
    world.send(ID, "hello").await.unwrap();
}

#[tokio::test]
async fn more_messages_than_can_be_looked_through_tell_nothing() {
    let world = World::new(Kind::Memory).await;
    world.vendor.mode(Mode::LoseAnswer);
    unknown(world.send(ID, "hello").await);
    for _ in 0..500 {
        world.vendor.has_message("user", "another", 0);
    }
    let said = unknown(world.send(ID, "hello").await);
    assert!(
        said.contains("more messages than can be looked through"),
        "{said}"
    );
}

#[tokio::test]
async fn many_messages_from_before_do_not_stand_in_the_way() {
    let world = World::new(Kind::Memory).await;
    for _ in 0..600 {
        world.vendor.has_message("user", "another", 600);
    }
    world.vendor.mode(Mode::LoseAnswer);
    unknown(world.send(ID, "hello").await);
    world.send(ID, "hello").await.unwrap();
}

#[rstest]
#[tokio::test]
async fn a_caller_who_leaves_while_it_is_sent_leaves_a_trace(
    #[values(Kind::Memory, Kind::Redis, Kind::Sealed, Kind::Sentinel, Kind::Cluster)] kind: Kind,
    #[values(ID, "")] id: &'static str,
) {
    let world = World::new(kind).await;
    world.vendor.mode(Mode::Slow(60_000));
    let (calls, tenant) = (world.calls.clone(), world.tenant.clone());
    let call = tokio::spawn(async move { super::send(&calls, &tenant, id, "hello").await });
    eventually("the message is there", async || {
        (world.vendor.posts() == 1).then_some(())
    })
    .await;
    call.abort();
    assert!(call.await.unwrap_err().is_cancelled());
    // At once, not only when the lease is over.
    world.vendor.mode(Mode::LoseAnswer);
    if id.is_empty() {
        unknown(world.send(ID, "hello").await);
    }
    eventually("the message is found", async || {
        world.send(ID, "hello").await.ok()
    })
    .await;
    assert_eq!(world.vendor.posts(), if id.is_empty() { 2 } else { 1 });
}

#[tokio::test]
async fn a_message_that_is_being_sent_is_not_counted_as_a_lost_one() {
    let world = World::new(Kind::Memory).await;
    world.vendor.mode(Mode::LoseRequest);
    unknown(world.send(ID, "hello").await);
    world.vendor.mode(Mode::Slow(60_000));
    let (calls, tenant) = (world.calls.clone(), world.tenant.clone());
    let call = tokio::spawn(async move { super::send(&calls, &tenant, OTHER_ID, "hello").await });
    eventually("the other is there", async || {
        (world.vendor.posts() == 2).then_some(())
    })
    .await;
    let said = unknown(world.send(ID, "hello").await);
    assert!(said.contains("1 matching messages for 2 sends"), "{said}");
    call.abort();
}

#[tokio::test]
async fn what_is_sent_while_somebody_looks_is_not_taken_for_theirs() {
    let world = World::new(Kind::Memory).await;
    world.vendor.mode(Mode::LoseRequest);
    unknown(world.send(ID, "hello").await);
    // The list that the look gets has one message, and there was one send when it began.
    world.vendor.mode(Mode::Accept);
    world.vendor.list_slowly();
    let (calls, tenant) = (world.calls.clone(), world.tenant.clone());
    world.vendor.has_message("bot", "hello", 0);
    let look = tokio::spawn(async move { super::send(&calls, &tenant, ID, "hello").await });
    eventually("the look is under way", async || {
        (world.vendor.lists() == 1).then_some(())
    })
    .await;
    world.send("", "hello").await.unwrap();
    let said = unknown(look.await.unwrap());
    assert!(said.contains("being sent at this moment"), "{said}");
}

#[tokio::test]
async fn a_message_of_another_conversation_is_another() {
    let world = World::new(Kind::Memory).await;
    world.vendor.mode(Mode::LoseAnswer);
    unknown(world.send(ID, "hello").await);
    let elsewhere = RequestId {
        id: ID.into(),
        digest: [9; 32],
    };
    let hello = message(AuthorType::Bot, "hello");
    let reused = world
        .calls
        .send(&world.tenant, "elsewhere", &elsewhere, &hello)
        .await;
    assert_eq!(reused.unwrap_err().reason(), "REQUEST_ID_REUSED");
    let key = ConversationKey::new(world.tenant.id.clone(), "conv");
    assert!(world.fixture.store.session(&key).await.unwrap().is_none());
}
