//! The ledger of what was sent, and echoes that are matched with their sends.

use chatbridge::{
    event::ConversationKey,
    grpc::proto::AgentEvent,
    store::{
        Announcement, AwaitedEcho, Concluded, LedgerEntry, LedgerKey, LedgerKind, LedgerState, Retention,
        ledger::ENTRIES_MAX,
    },
};
use prost::Message as _;
use rstest::rstest;

use super::fixture::{Fixture, Kind, conversation, event, eventually, neighbour};

fn ledger(key: &ConversationKey, print: &str) -> LedgerKey {
    LedgerKey {
        key: key.clone(),
        kind: LedgerKind::Send,
        print: print.into(),
    }
}

/// A send with a `request_id`.
fn send(key: &ConversationKey, request_id: &str) -> Announcement {
    Announcement {
        telling: None,
        ledger: ledger(key, "print"),
        token: request_id.into(),
        echo: Some(AwaitedEcho {
            fingerprint: "print".into(),
            request_id: request_id.into(),
        }),
    }
}

/// A send without.
fn anonymous(key: &ConversationKey, token: &str) -> Announcement {
    let mut send = send(key, token);
    send.echo.as_mut().unwrap().request_id.clear();
    send
}

/// Tokens and states, in the order of the ledger.
async fn entries(f: &Fixture, key: &LedgerKey) -> Vec<(String, LedgerState)> {
    let ledger = f.store.ledger(key).await.unwrap();
    assert!(ledger.complete);
    let entry = |entry: LedgerEntry| (entry.token, entry.state);
    ledger.entries.into_iter().map(entry).collect()
}

async fn next_millisecond(f: &Fixture) {
    let now = f.store.now_ms().await.unwrap();
    eventually("the next millisecond", async || {
        (f.store.now_ms().await.unwrap() > now).then_some(())
    })
    .await;
}

#[rstest]
#[tokio::test]
async fn what_was_announced_is_there_with_what_became_of_it(
    #[values(Kind::Memory, Kind::Redis, Kind::Sealed, Kind::Sentinel, Kind::Cluster)] kind: Kind,
) {
    let f = Fixture::new(kind).await;
    let key = conversation("c");
    let before_ms = f.store.now_ms().await.unwrap();
    for token in ["sending", "unknown", "accepted", "withdrawn"] {
        f.store.announce(&send(&key, token)).await.unwrap();
        next_millisecond(&f).await;
    }
    let conclude = async |token: &str, concluded: Concluded| {
        f.store.conclude(&send(&key, token), &concluded).await.unwrap();
    };
    conclude("unknown", Concluded::Unknown).await;
    conclude("accepted", Concluded::Accepted("id: \u{e9} 1".into())).await;
    conclude("withdrawn", Concluded::Withdrawn).await;
    let expected = [
        ("sending".to_owned(), LedgerState::Sending),
        ("unknown".to_owned(), LedgerState::Unknown),
        (
            "accepted".to_owned(),
            LedgerState::Accepted("id: \u{e9} 1".into()),
        ),
    ];
    assert_eq!(entries(&f, &ledger(&key, "print")).await, expected);
    let times = f.store.ledger(&ledger(&key, "print")).await.unwrap().entries;
    assert!(times[0].announced_ms >= before_ms && times.is_sorted_by_key(|e| e.announced_ms));

    // What is unknown may turn out to have happened; what happened stays.
    conclude("unknown", Concluded::Accepted(String::new())).await;
    for late in [Concluded::Unknown, Concluded::Withdrawn] {
        conclude("accepted", late).await;
    }
    let found = entries(&f, &ledger(&key, "print")).await;
    assert_eq!(found[1].1, LedgerState::Accepted(String::new()));
    assert_eq!(found[2], expected[2]);
    assert_eq!(found.len(), 3);
}

#[rstest]
#[tokio::test]
async fn announced_or_concluded_again_it_counts_once(
    #[values(Kind::Memory, Kind::Redis, Kind::Sealed, Kind::Sentinel, Kind::Cluster)] kind: Kind,
) {
    let f = Fixture::new(kind).await;
    let key = conversation("c");
    let first = send(&key, "r1");
    f.store.announce(&first).await.unwrap();
    let at = f.store.ledger(&first.ledger).await.unwrap();
    next_millisecond(&f).await;
    f.store.announce(&first).await.unwrap();
    assert_eq!(
        f.store.ledger(&first.ledger).await.unwrap(),
        at,
        "as it was announced first"
    );
    for _ in 0..2 {
        f.store
            .conclude(&first, &Concluded::Accepted("x".into()))
            .await
            .unwrap();
    }
    assert_eq!(entries(&f, &first.ledger).await.len(), 1);
}

#[rstest]
#[tokio::test]
async fn what_happened_is_entered_though_its_announcement_was_lost(
    #[values(Kind::Memory, Kind::Redis, Kind::Sealed, Kind::Sentinel, Kind::Cluster)] kind: Kind,
) {
    let f = Fixture::new(kind).await;
    let lost = send(&conversation("c"), "r1");
    f.store.conclude(&lost, &Concluded::Unknown).await.unwrap();
    assert_eq!(entries(&f, &lost.ledger).await, []);
    for _ in 0..2 {
        f.store
            .conclude(&lost, &Concluded::Accepted("x".into()))
            .await
            .unwrap();
    }
    let expected = [("r1".to_owned(), LedgerState::Accepted("x".into()))];
    assert_eq!(entries(&f, &lost.ledger).await, expected);
}

#[rstest]
#[tokio::test]
async fn ledgers_are_apart(
    #[values(Kind::Memory, Kind::Redis, Kind::Sealed, Kind::Sentinel, Kind::Cluster)] kind: Kind,
) {
    let f = Fixture::new(kind).await;
    let key = conversation("c");
    f.store.announce(&send(&key, "r1")).await.unwrap();
    let mut other_kind = ledger(&key, "print");
    other_kind.kind = LedgerKind::Upload;
    let others = [
        ledger(&key, "other"),
        ledger(&neighbour(&key), "print"),
        other_kind,
    ];
    for other in others {
        assert_eq!(entries(&f, &other).await, []);
    }
}

#[rstest]
#[tokio::test]
async fn what_happened_by_another_way_is_noted(
    #[values(Kind::Memory, Kind::Redis, Kind::Sealed, Kind::Sentinel, Kind::Cluster)] kind: Kind,
) {
    let f = Fixture::new(kind).await;
    let key = conversation("c");
    f.store.announce(&send(&key, "later")).await.unwrap();
    let noted = [
        (ledger(&key, "print"), "history-0".to_owned()),
        (ledger(&key, "print"), "history-1".to_owned()),
        (ledger(&key, "other"), "history-2".to_owned()),
    ];
    let at_ms = f.store.now_ms().await.unwrap() - 1_000;
    for _ in 0..2 {
        f.store.note_accepted(at_ms, &noted).await.unwrap();
    }
    f.store.note_accepted(at_ms, &[]).await.unwrap();
    let tokens: Vec<_> = entries(&f, &ledger(&key, "print"))
        .await
        .into_iter()
        .map(|e| e.0)
        .collect();
    assert_eq!(tokens, ["history-0", "history-1", "later"]);
    let other = f.store.ledger(&ledger(&key, "other")).await.unwrap();
    assert_eq!(other.entries[0].announced_ms, at_ms);
    assert_eq!(other.entries[0].state, LedgerState::Accepted(String::new()));
}

#[rstest]
#[tokio::test]
async fn a_ledger_that_is_not_read_whole_says_so(
    #[values(Kind::Memory, Kind::Redis, Kind::Sealed, Kind::Sentinel, Kind::Cluster)] kind: Kind,
) {
    let f = Fixture::new(kind).await;
    let key = ledger(&conversation("c"), "print");
    let now_ms = f.store.now_ms().await.unwrap();
    let many: Vec<_> = (0..ENTRIES_MAX).map(|i| (key.clone(), format!("t{i}"))).collect();
    f.store.note_accepted(now_ms, &many).await.unwrap();
    assert!(f.store.ledger(&key).await.unwrap().complete);
    f.store
        .note_accepted(now_ms, &[(key.clone(), "one more".into())])
        .await
        .unwrap();
    let read = f.store.ledger(&key).await.unwrap();
    assert!(!read.complete);
    assert_eq!(read.entries.len(), ENTRIES_MAX + 1);

    // Near the oldest entry, others may have been forgotten.
    let old = ledger(&conversation("c"), "old");
    let day_ms = Retention::default().idempotency_ms;
    let edge_ms = now_ms - day_ms - day_ms / 100;
    f.store
        .note_accepted(edge_ms, &[(old.clone(), "t".into())])
        .await
        .unwrap();
    let read = f.store.ledger(&old).await.unwrap();
    assert_eq!((read.entries.len(), read.complete), (1, false));
}

#[rstest]
#[tokio::test]
async fn a_ledger_does_not_grow_for_ever_and_says_that_it_was_cut(
    #[values(Kind::Memory, Kind::Redis, Kind::Sealed, Kind::Sentinel, Kind::Cluster)] kind: Kind,
) {
    let f = Fixture::new(kind).await;
    let key = ledger(&conversation("c"), "print");
    let most = 2 * ENTRIES_MAX;
    let noted = |i: usize| (key.clone(), format!("t{i}"));
    let many: Vec<_> = (0..most).map(noted).collect();
    let now_ms = f.store.now_ms().await.unwrap();
    f.store.note_accepted(now_ms - 1_000, &many).await.unwrap();
    for i in 0..3 {
        f.store
            .announce(&send(&conversation("c"), &format!("r{i}")))
            .await
            .unwrap();
    }
    let read = f.store.ledger(&key).await.unwrap();
    assert!(!read.complete);
    assert!(read.entries.len() <= most, "{}", read.entries.len());
    assert!(
        read.entries.iter().any(|e| e.token == "r2"),
        "the latest are there"
    );
    assert!(read.entries.iter().all(|e| e.token != "t0"), "the oldest are not");

    // What is left may be few again, but it is not all.
    for i in 0..3 {
        let sent = send(&conversation("c"), &format!("r{i}"));
        f.store.conclude(&sent, &Concluded::Withdrawn).await.unwrap();
    }
    assert!(!f.store.ledger(&key).await.unwrap().complete);
}

#[rstest]
#[tokio::test]
async fn entries_expire_each_by_itself(
    #[values(Kind::Memory, Kind::Redis, Kind::Sealed, Kind::Sentinel, Kind::Cluster)] kind: Kind,
) {
    let retention = Retention {
        idempotency_ms: 300,
        ..Retention::default()
    };
    let f = Fixture::keeping(kind, retention).await;
    let key = conversation("c");
    f.store.announce(&send(&key, "first")).await.unwrap();
    // The ledger is written again and again, and yet forgets.
    let mut n = 0;
    loop {
        n += 1;
        f.store
            .announce(&send(&key, &format!("later-{n}")))
            .await
            .unwrap();
        let read = f.store.ledger(&ledger(&key, "print")).await.unwrap();
        if read.entries.iter().all(|entry| entry.token != "first") {
            assert!(!read.entries.is_empty());
            break;
        }
        assert!(n < 10_000, "the first entry stays");
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

/// Appends an echo, and answers the request that it was matched with.
async fn echo(f: &Fixture, key: &ConversationKey, id: &str, print: &str) -> String {
    let mut event = event(key, id);
    event.echo = Some(print.to_owned());
    let at = f.append(&event).await;
    let entries = f.read_all(f.partition(key)).await.entries;
    let entry = entries.iter().find(|entry| entry.id == at).expect("the echo");
    AgentEvent::decode(entry.event.clone()).unwrap().request_id
}

#[rstest]
#[tokio::test]
async fn an_echo_gets_the_request_of_the_oldest_send_that_says_the_same(
    #[values(Kind::Memory, Kind::Redis, Kind::Sealed, Kind::Sentinel, Kind::Cluster)] kind: Kind,
) {
    let f = Fixture::new(kind).await;
    let key = conversation("c");
    for request in ["r1", "r2", "r1", "r3"] {
        f.store.announce(&send(&key, request)).await.unwrap();
    }
    f.store
        .conclude(&send(&key, "r3"), &Concluded::Withdrawn)
        .await
        .unwrap();
    assert_eq!(echo(&f, &key, "e1", "other").await, "");
    assert_eq!(echo(&f, &neighbour(&key), "e2", "print").await, "");
    // Announced again, r1 counts once, and from then.
    assert_eq!(echo(&f, &key, "e3", "print").await, "r2");
    assert_eq!(echo(&f, &key, "e4", "print").await, "r1");
    assert_eq!(echo(&f, &key, "e5", "print").await, "");
}

#[rstest]
#[tokio::test]
async fn a_repeated_echo_takes_no_second_request(
    #[values(Kind::Memory, Kind::Redis, Kind::Sealed, Kind::Sentinel, Kind::Cluster)] kind: Kind,
) {
    let f = Fixture::new(kind).await;
    let key = conversation("c");
    f.store.announce(&send(&key, "r1")).await.unwrap();
    f.store.announce(&send(&key, "r2")).await.unwrap();
    assert_eq!(echo(&f, &key, "e1", "print").await, "r1");
    let mut again = event(&key, "e1");
    again.echo = Some("print".into());
    f.store.append(&again).await.unwrap();
    assert_eq!(echo(&f, &key, "e2", "print").await, "r2");
}

#[rstest]
#[tokio::test]
async fn a_send_without_request_id_takes_its_own_echo(
    #[values(Kind::Memory, Kind::Redis, Kind::Sealed, Kind::Sentinel, Kind::Cluster)] kind: Kind,
) {
    let f = Fixture::new(kind).await;
    let key = conversation("c");
    f.store.announce(&anonymous(&key, "t1")).await.unwrap();
    f.store.announce(&send(&key, "r1")).await.unwrap();
    f.store.announce(&anonymous(&key, "t2")).await.unwrap();
    f.store.announce(&send(&key, "r2")).await.unwrap();
    f.store
        .conclude(&anonymous(&key, "t2"), &Concluded::Withdrawn)
        .await
        .unwrap();
    let mut matched = Vec::new();
    for id in ["e1", "e2", "e3", "e4"] {
        matched.push(echo(&f, &key, id, "print").await);
    }
    assert_eq!(matched, ["", "r1", "r2", ""]);
}

#[rstest]
#[tokio::test]
async fn echoes_that_never_come_are_given_up(
    #[values(Kind::Memory, Kind::Redis, Kind::Sealed, Kind::Sentinel, Kind::Cluster)] kind: Kind,
) {
    let f = Fixture::new(kind).await;
    let key = conversation("c");
    for i in 0..300 {
        f.store.announce(&send(&key, &format!("r{i}"))).await.unwrap();
    }
    assert_eq!(
        echo(&f, &key, "e1", "print").await,
        "r44",
        "of 300, 256 are awaited"
    );
}
