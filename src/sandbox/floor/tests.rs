mod simulation;

use tokio_util::sync::CancellationToken;

use super::*;
use crate::sandbox::delivery::DispatcherSettings;

fn floor(most_bytes: usize) -> Floor {
    let settings = DispatcherSettings {
        tenant: "t".to_owned(),
        customer_id: "c".to_owned(),
        webhook: None,
        stop: CancellationToken::new(),
    };
    let links = Arc::new(Links::new(String::new()));
    let dispatcher = Dispatcher::new(settings).unwrap();
    let mut floor = Floor::new(House::new(), dispatcher, links, Pace::human(), Some(1));
    floor.most_bytes = most_bytes;
    floor
}

fn create(floor: &mut Floor) -> Result<String, Full> {
    let channel = floor.house.channels().next().unwrap().clone();
    let new = NewConversation {
        user: User {
            name: Some("x".repeat(100)),
            ..User::default()
        },
        assignment: None,
        history: Vec::new(),
    };
    floor.create(&channel, new).map(|(id, _)| id)
}

fn say(floor: &mut Floor, id: &str, bytes: usize) {
    let content = Content::text("x".repeat(bytes));
    floor.act(id, |scene| scene.conversation.keep(Author::Bot, content, false));
}

#[tokio::test]
async fn a_conversation_that_grows_forgets_its_oldest_messages() {
    let mut floor = floor(10_000);
    let id = create(&mut floor).unwrap();
    for n in 1..=100 {
        say(&mut floor, &id, 1_000 + n);
        assert!(floor.kept_bytes <= 10_000, "{}", floor.kept_bytes);
    }
    let kept = &floor.conversation(&id).unwrap().messages;
    let lengths: Vec<usize> = kept.iter().map(|it| it.content.text.len()).collect();
    assert_eq!(lengths, (1_101 - kept.len()..=1_100).collect::<Vec<_>>());
    assert!(kept.len() > 3, "{lengths:?}");
    say(&mut floor, &id, 20_000);
    assert_eq!(
        floor.conversation(&id).unwrap().messages.len(),
        1,
        "the last one stays"
    );
    assert_eq!(create(&mut floor), Err(Full));
}

#[tokio::test]
async fn idle_conversations_make_room_first() {
    let mut floor = floor(10_000);
    let (idle, busy) = (create(&mut floor).unwrap(), create(&mut floor).unwrap());
    say(&mut floor, &idle, 5_000);
    floor.act(&idle, |scene| scene.customer_leaves());
    assert_eq!(floor.conversation(&idle).unwrap().state, State::Idle);
    say(&mut floor, &busy, 4_000);
    assert!(floor.conversation(&idle).is_some(), "both fit");
    say(&mut floor, &busy, 4_000);
    assert!(floor.conversation(&idle).is_none());
    assert_eq!(floor.conversation(&busy).unwrap().messages.len(), 2);
    let conversation = floor.conversation(&busy).unwrap();
    assert_eq!(
        floor.kept_bytes,
        conversation.message_bytes + conversation.user.bytes()
    );
}
