//! Conversations whose answers are lost, and hand-overs.

use std::collections::BTreeMap;

use chatbridge::{
    conversation::{
        SessionChange,
        calls::CreatedConversation,
        hand_over::{HandOver, TranscriptPolicy},
    },
    error::Error,
    event::{AuthorType, ConversationKey},
    gateway::{NewAttachment, NewConversation},
    store::Cursor,
};
use futures_util::stream;
use rstest::rstest;
use serde_json::json;

use super::{
    ATTACHMENT_MAX, ID, Kind, OTHER_ID, World, message, new_conversation, request, unknown, vendor::Mode,
};

impl World {
    async fn create(&self, id: &str, new: &NewConversation) -> Result<CreatedConversation, Error> {
        let labels = BTreeMap::from([("team".to_owned(), "web".to_owned())]);
        self.calls
            .create(&self.tenant, &request(id, &new.user.user_id), new, &labels)
            .await
    }

    fn key(&self, id: &str) -> ConversationKey {
        ConversationKey::new(self.tenant.id.clone(), id)
    }

    /// An event told of the conversation, and nothing of its channel.
    async fn heard_of(&self, id: &str) {
        let change = SessionChange::by_call();
        self.fixture
            .store
            .change_session(&self.key(id), &change)
            .await
            .unwrap();
    }
}

#[rstest]
#[tokio::test]
async fn a_conversation_whose_answer_was_lost_is_found_by_its_events(
    #[values(Kind::Memory, Kind::Redis, Kind::Sealed, Kind::Sentinel, Kind::Cluster)] kind: Kind,
) {
    let world = World::new(kind).await;
    let others = world
        .create("", &new_conversation("somebody else"))
        .await
        .unwrap();
    world.heard_of(&others.conversation).await;
    let before_ms = world.fixture.store.now_ms().await.unwrap();
    world.vendor.mode(Mode::LoseAnswer);
    let mut new = new_conversation("u");
    new.user.additional_properties = vec![("order".into(), "7".into())];
    unknown(world.create(ID, &new).await);
    let said = unknown(world.create(ID, &new).await);
    assert!(said.contains("0 match"), "as long as no event told of it: {said}");

    world.heard_of("conv-2").await;
    let found = world.create(ID, &new).await.unwrap();
    assert_eq!(found.conversation, "conv-2");
    let cursor = Cursor::decode(&found.cursor).unwrap();
    assert!(
        cursor.time_ms <= before_ms && cursor.time_ms + 60_000 > before_ms,
        "from before it was sent"
    );
    let session = world.calls.session(&world.tenant, "conv-2").await.unwrap();
    assert_eq!(
        (session.channel_id.as_str(), session.labels["team"].as_str()),
        ("channel", "web")
    );
    world.vendor.reads_fail(true);
    assert_eq!(world.create(ID, &new).await.unwrap(), found, "now it is known");
    assert_eq!((world.vendor.posts(), world.vendor.conversations()), (2, 2));
}

#[tokio::test]
async fn the_transcript_of_a_conversation_that_was_found_is_not_taken_for_a_lost_message() {
    let world = World::new(Kind::Memory).await;
    let mut new = new_conversation("u");
    new.history = vec![message(AuthorType::Bot, "hello")];
    world.vendor.mode(Mode::LoseAnswer);
    unknown(world.create(ID, &new).await);
    world.heard_of("conv-1").await;
    assert_eq!(world.create(ID, &new).await.unwrap().conversation, "conv-1");
    // The vendor lists the transcript.
    world.vendor.has_message("bot", "hello", 0);
    world.vendor.mode(Mode::LoseRequest);
    let hello = message(AuthorType::Bot, "hello");
    for _ in 0..2 {
        let request = request(OTHER_ID, "hello");
        let sent = world.calls.send(&world.tenant, "conv-1", &request, &hello).await;
        unknown(sent);
    }
    assert_eq!(world.vendor.posts(), 2);
}

#[tokio::test]
async fn of_two_conversations_that_match_neither_is_taken() {
    let world = World::new(Kind::Memory).await;
    world.vendor.mode(Mode::LoseAnswer);
    unknown(world.create(ID, &new_conversation("u")).await);
    world.vendor.has_conversation("foreign", |_| {});
    for id in ["conv-1", "foreign"] {
        world.heard_of(id).await;
    }
    let said = unknown(world.create(ID, &new_conversation("u")).await);
    assert!(
        said.contains("of 2 conversations") && said.contains("2 match"),
        "{said}"
    );
    assert_eq!(world.vendor.posts(), 1);
}

#[tokio::test]
async fn a_conversation_of_another_call_is_not_taken() {
    let world = World::new(Kind::Memory).await;
    world.vendor.mode(Mode::LoseRequest);
    unknown(world.create(ID, &new_conversation("u")).await);
    world.vendor.mode(Mode::Accept);
    let mut same = new_conversation("u");
    same.user.name = "Ann".into();
    let theirs = world.create(OTHER_ID, &same).await.unwrap();
    world.heard_of(&theirs.conversation).await;
    let said = unknown(world.create(ID, &new_conversation("u")).await);
    assert!(said.contains("of 0 conversations"), "{said}");
    // One that is on its way could be theirs or ours.
    world.vendor.mode(Mode::LoseAnswer);
    unknown(world.create("", &new_conversation("u")).await);
    let said = unknown(world.create(ID, &new_conversation("u")).await);
    assert!(said.contains("other conversations are being created"), "{said}");
    assert_eq!(world.vendor.posts(), 3);
}

#[rstest]
#[case::channel("channelId", json!("other"))]
#[case::user("user", json!({ "userId": "v" }))]
#[tokio::test]
async fn a_conversation_that_differs_is_not_taken(#[case] field: &str, #[case] value: serde_json::Value) {
    let world = World::new(Kind::Memory).await;
    world.vendor.mode(Mode::LoseRequest);
    unknown(world.create(ID, &new_conversation("u")).await);
    world
        .vendor
        .has_conversation("foreign", |conversation| conversation[field] = value);
    world.heard_of("foreign").await;
    let said = unknown(world.create(ID, &new_conversation("u")).await);
    assert!(
        said.contains("of 1 conversations") && said.contains("0 match"),
        "{said}"
    );
}

#[tokio::test]
async fn a_look_for_a_conversation_that_fails_is_unknown() {
    let world = World::new(Kind::Memory).await;
    world.vendor.mode(Mode::LoseAnswer);
    unknown(world.create(ID, &new_conversation("u")).await);
    world.heard_of("conv-1").await;
    world.vendor.reads_fail(true);
    let said = unknown(world.create(ID, &new_conversation("u")).await);
    assert!(said.contains("could not be asked"), "{said}");
    world.vendor.reads_fail(false);
    world.create(ID, &new_conversation("u")).await.unwrap();
}

fn hand_over(count: usize, policy: TranscriptPolicy) -> HandOver {
    let mut new = new_conversation("u");
    new.history = (0..count)
        .map(|i| message(AuthorType::User, &format!("message {i}")))
        .collect();
    HandOver {
        new,
        labels: BTreeMap::new(),
        policy,
        note: String::new(),
    }
}

#[rstest]
#[case(TranscriptPolicy::KeepLatest, 51, 0)]
#[case(TranscriptPolicy::Summarise, 0, 51)]
#[tokio::test]
async fn a_hand_over_makes_one_conversation_of_any_transcript(
    #[case] policy: TranscriptPolicy,
    #[case] omitted: u32,
    #[case] summarised: u32,
) {
    let world = World::new(Kind::Memory).await;
    let id = request(ID, "hand over");
    let first = world
        .calls
        .hand_over(&world.tenant, &id, hand_over(250, policy))
        .await
        .unwrap();
    let again = world
        .calls
        .hand_over(&world.tenant, &id, hand_over(250, policy))
        .await
        .unwrap();
    assert_eq!(first.created, again.created);
    for handed in [&first, &again] {
        assert_eq!((handed.omitted, handed.summarised), (omitted, summarised));
    }
    assert_eq!(world.vendor.posts(), 1);
    // The step has an identifier of its own: the caller may use theirs for something else.
    world.create(ID, &new_conversation("u")).await.unwrap();
}

#[tokio::test]
async fn a_transcript_that_must_fit_and_does_not_creates_nothing() {
    let world = World::new(Kind::Memory).await;
    let refused = world
        .calls
        .hand_over(
            &world.tenant,
            &request(ID, ""),
            hand_over(201, TranscriptPolicy::Fail),
        )
        .await
        .err()
        .unwrap();
    assert_eq!(refused.reason(), "INVALID_FIELD");
    assert_eq!(world.vendor.posts(), 0);
}

#[tokio::test]
async fn a_file_that_is_too_large_is_told_and_the_hand_over_goes_on() {
    let world = World::new(Kind::Memory).await;
    let id = request(ID, "");
    let handed = world
        .calls
        .hand_over(&world.tenant, &id, hand_over(1, TranscriptPolicy::Fail))
        .await
        .unwrap();
    let file = NewAttachment {
        file_name: "a.pdf".into(),
        media_type: "application/pdf".into(),
        size_bytes: ATTACHMENT_MAX + 1,
        author: AuthorType::User,
    };
    let outcome = world
        .calls
        .hand_over_file(&world.tenant, &id, &handed, 0, &file, "", stream::empty())
        .await
        .unwrap();
    assert!(outcome.attachment.is_none() && !outcome.message_accepted);
    assert_eq!(outcome.error.unwrap().reason(), "INVALID_FIELD");
    assert_eq!(world.vendor.posts(), 1);
}
