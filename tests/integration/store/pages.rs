//! Pages are bounded by bytes.

use bytes::Bytes;
use chatbridge::{
    event::{ConversationKey, Position},
    store::{Append, Entry, PAGE_BYTES, entry::encode_content},
};
use rstest::rstest;

use super::fixture::{Fixture, Kind, conversation, event, neighbour};

fn sized(key: &ConversationKey, id: &str, bytes: usize) -> Append {
    let mut event = event(key, id);
    event.content = encode_content(Bytes::new(), vec![b'x'; bytes].into());
    event
}

#[rstest]
#[tokio::test]
async fn a_page_of_large_entries_is_a_short_one(
    #[values(Kind::Memory, Kind::Redis, Kind::Sealed, Kind::Sentinel, Kind::Cluster)] kind: Kind,
    #[values(false, true)] of_conversation: bool,
) {
    let f = Fixture::new(kind).await;
    let key = conversation("c");
    let kib = [1, 1, 300, 300, 300, 300, 1500, 1, 1, 1500, 900, 1];
    for (i, kib) in kib.into_iter().enumerate() {
        f.append(&sized(&key, &format!("e{i}"), kib << 10)).await;
        f.append(&event(&neighbour(&key), &format!("n{i}"))).await;
    }
    let mut seen: Vec<u64> = Vec::new();
    let mut from = Position::Earliest;
    loop {
        let page = match of_conversation {
            true => f.store.read_conversation(&key, from, 1000).await.unwrap(),
            false => f.store.read(f.partition(&key), from, 1000).await.unwrap(),
        };
        let bytes: usize = page.entries.iter().map(Entry::bytes).sum();
        assert!(bytes <= PAGE_BYTES || page.entries.len() == 1, "{bytes} bytes");
        assert_eq!(page.gap, None);
        seen.extend(page.entries.iter().map(|entry| entry.id.n));
        from = Position::After(page.next);
        if page.at_tail {
            break;
        }
        assert!(!page.entries.is_empty(), "a page that is not the last goes on");
    }
    let all: Vec<u64> = (1..=2 * kib.len() as u64).collect();
    let own: Vec<u64> = all.iter().copied().step_by(2).collect();
    assert_eq!(seen, if of_conversation { own } else { all });
}

#[rstest]
#[tokio::test]
async fn small_entries_fill_a_page(
    #[values(Kind::Memory, Kind::Redis, Kind::Sealed, Kind::Sentinel, Kind::Cluster)] kind: Kind,
) {
    let f = Fixture::new(kind).await;
    let key = conversation("c");
    for i in 0..200 {
        f.append(&event(&key, &format!("e{i}"))).await;
    }
    // The store learns how large entries are.
    let mut read = 0;
    for _ in 0..40 {
        read = f.read_all(f.partition(&key)).await.entries.len();
    }
    assert_eq!(read, 200);
}
