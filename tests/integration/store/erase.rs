//! Erasing a conversation: nothing of it is left, nobody else loses anything, and no reader is told of a gap.

use std::{collections::BTreeMap, time::Duration};

use bytes::Bytes;
use chatbridge::{
    conversation::SessionChange,
    event::{ConversationKey, EntryId, Position, User},
    store::{
        Announcement, Append, Appended, AwaitedEcho, Begun, Customer, CustomerKey, Erased, Finished, Gap,
        GapReason, IdempotencyKey, LedgerKey, LedgerKind, Retention, Store as _, StoreError,
        entry::encode_content,
        redis::{RedisSettings, RedisStore, Wait},
        seal::KeyRing,
    },
};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use redis::AsyncCommands as _;
use rstest::rstest;

use super::fixture::{
    Fixture, Kind, MASTER_KEY, PARTITIONS, conversation, event, eventually, neighbour, raw_of, settings,
    tenant,
};
use crate::support::redis::RedisServer;

/// Everything that a reader may start from.
async fn expect_no_gap(f: &Fixture, ids: &[EntryId], left: &[u64]) {
    let key = conversation("c");
    let mut starts = vec![
        (Position::Earliest, 0),
        (Position::After(EntryId::default()), 0),
        (Position::Since(0), 0),
    ];
    starts.extend(ids.iter().map(|id| (Position::After(*id), id.n)));
    for (from, n) in starts {
        let page = f.store.read(f.partition(&key), from, 1000).await.unwrap();
        let expected: Vec<u64> = left.iter().copied().filter(|left| *left > n).collect();
        let seen: Vec<u64> = page.entries.iter().map(|entry| entry.id.n).collect();
        assert_eq!((page.gap, seen), (None, expected), "from {from:?}");
        assert_eq!(page.tail.n, ids.len() as u64);
        let page = f.store.read_conversation(&key, from, 1000).await.unwrap();
        assert_eq!(
            (page.gap, page.entries.len(), page.at_tail),
            (None, 0, true),
            "from {from:?}"
        );
    }
    for id in ids {
        for ms in [id.ms - 1, id.ms, id.ms + 1] {
            let page = f
                .store
                .read(f.partition(&key), Position::Since(ms), 1000)
                .await
                .unwrap();
            assert_eq!(page.gap, None, "since {ms}");
        }
    }
}

#[rstest]
#[case::in_the_middle(&[0, 1, 0, 1, 1, 0])]
#[case::at_both_ends(&[1, 0, 0, 1, 1])]
#[case::all_of_it(&[1, 1, 1])]
#[case::more_than_one_step(&[1; 300])]
#[tokio::test]
async fn whoever_reads_on_hears_of_no_gap_wherever_they_are(
    #[values(
        Kind::Memory,
        Kind::Redis,
        Kind::Sealed,
        Kind::Sentinel,
        Kind::Cluster,
        Kind::SealedCluster
    )]
    kind: Kind,
    #[case] whose: &[u8],
) {
    let f = Fixture::new(kind).await;
    let key = conversation("c");
    let other = neighbour(&key);
    let (mut ids, mut left) = (Vec::new(), Vec::new());
    for (i, whose) in whose.iter().enumerate() {
        let of = if *whose == 1 { &key } else { &other };
        let id = f.append(&event(of, &format!("e{i}"))).await;
        ids.push(id);
        left.extend((*whose == 0).then_some(id.n));
        if i < 10 && i % 2 == 0 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
    let erased = f.store.erase(&key).await.unwrap();
    assert_eq!(erased.entries as usize, ids.len() - left.len());
    expect_no_gap(&f, &ids, &left).await;
    assert_eq!(f.store.erase(&key).await.unwrap(), Erased::default());
    assert_eq!(
        f.store.erase(&conversation("never")).await.unwrap(),
        Erased::default()
    );
    expect_no_gap(&f, &ids, &left).await;

    // What comes now is of another beginning, and what comes again is known.
    for i in (0..whose.len()).filter(|i| whose[*i] == 1) {
        let again = f.store.append(&event(&key, &format!("e{i}"))).await.unwrap();
        assert_eq!(again, Appended::Duplicate);
        let mut forged = event(&key, &format!("e{i}"));
        forged.digest = [9; 32];
        assert_eq!(f.store.append(&forged).await.unwrap(), Appended::Forged);
    }
    let anew = f.store.append(&event(&key, "anew")).await.unwrap();
    assert!(matches!(anew, Appended::New { sequence: 1, .. }), "{anew:?}");
    let page = f
        .store
        .read_conversation(&key, Position::After(ids[0]), 10)
        .await
        .unwrap();
    assert_eq!(
        (page.gap, page.entries.iter().map(raw_of).collect()),
        (None, vec!["raw anew".to_owned()])
    );
    let page = f
        .store
        .read(f.partition(&key), Position::After(ids[ids.len() - 1]), 10)
        .await
        .unwrap();
    assert_eq!((page.gap, page.entries.len()), (None, 1));
}

fn ledger(key: &ConversationKey) -> LedgerKey {
    LedgerKey {
        key: key.clone(),
        kind: LedgerKind::Send,
        print: "print".into(),
    }
}

fn announcement(key: &ConversationKey) -> Announcement {
    Announcement {
        telling: None,
        ledger: ledger(key),
        token: "token".into(),
        echo: Some(AwaitedEcho {
            fingerprint: "echo".into(),
            request_id: "request".into(),
        }),
    }
}

#[rstest]
#[tokio::test]
async fn nothing_else_of_it_is_left(
    #[values(Kind::Memory, Kind::Redis, Kind::Sealed, Kind::Cluster, Kind::SealedCluster)] kind: Kind,
) {
    let f = Fixture::new(kind).await;
    let (key, other) = (conversation("c"), neighbour(&conversation("c")));
    let user = User {
        user_id: "user".into(),
        name: "Ann".into(),
        ..User::default()
    };
    let customer = CustomerKey {
        tenant: tenant(),
        channel_id: "channel".into(),
        user_id: "user".into(),
    };
    for key in [&key, &other] {
        let created = SessionChange::by_creation("channel", &user, &BTreeMap::new());
        f.store.change_session(key, &created).await.unwrap();
        f.store.announce(&announcement(key)).await.unwrap();
        f.append(&event(key, &format!("of {}", key.conversation))).await;
    }
    let upload = |key: &ConversationKey| IdempotencyKey {
        tenant: tenant(),
        caller: String::new(),
        method: "UploadAttachment",
        request_id: key.conversation.clone(),
    };
    for key in [&key, &other] {
        let (record, mut announced) = (upload(key), announcement(key));
        announced.echo = None;
        announced.ledger.kind = LedgerKind::Upload;
        announced.telling = Some(record.clone());
        let begun = f.store.begin(&record, &[1; 32], b"{}", 1, 1000).await.unwrap();
        assert_eq!(begun, Begun::New);
        f.store.announce(&announced).await.unwrap();
        let done = Finished::Done(Bytes::from_static(b"cv.pdf"));
        f.store.finish(&record, 1, &done).await.unwrap();
    }
    let bind = f.store.bind_customer(&customer, &key.conversation, None);
    bind.await.unwrap();
    let epoch = f.store.session(&key).await.unwrap().unwrap().epoch;
    eventually("the next millisecond", async || {
        (f.store.now_ms().await.unwrap() > epoch).then_some(())
    })
    .await;

    f.store.erase(&key).await.unwrap();
    assert_eq!(f.store.session(&key).await.unwrap(), None);
    assert!(f.fields(&key).await.is_empty());
    let listed = f.store.sessions(&tenant(), None, 10).await.unwrap();
    let listed: Vec<_> = listed
        .iter()
        .map(|(mark, _)| mark.conversation.as_str())
        .collect();
    assert_eq!(listed, [other.conversation.as_str()]);
    assert!(f.store.ledger(&ledger(&key)).await.unwrap().entries.is_empty());
    assert_eq!(f.store.ledger(&ledger(&other)).await.unwrap().entries.len(), 1);
    let begun = f
        .store
        .begin(&upload(&key), &[1; 32], b"{}", 2, 1000)
        .await
        .unwrap();
    assert_eq!(
        begun,
        Begun::Unknown(Bytes::new()),
        "it is not done again, and nobody knows what it was"
    );
    let begun = f
        .store
        .begin(&upload(&other), &[1; 32], b"{}", 2, 1000)
        .await
        .unwrap();
    assert_eq!(begun, Begun::Done(Bytes::from_static(b"cv.pdf")));
    let attempt = f.store.customer(&customer, "attempt").await.unwrap();
    assert_eq!(attempt, Customer::Attempt("attempt".into()));

    // Its echo is nobody's any more, and the other's is still awaited.
    for (key, id) in [(&key, ""), (&other, "request")] {
        let mut echo = event(key, &format!("echo of {}", key.conversation));
        echo.echo = Some("echo".into());
        f.append(&echo).await;
        let page = f
            .store
            .read_conversation(key, Position::Earliest, 10)
            .await
            .unwrap();
        let last = page.entries.last().unwrap().event.clone();
        let last: chatbridge::grpc::proto::AgentEvent = prost::Message::decode(last).unwrap();
        assert_eq!(last.request_id, id);
    }
    let anew = f.store.session(&key).await.unwrap().unwrap();
    assert!(anew.epoch > epoch && anew.sequence == 1 && anew.user == User::default());
}

#[rstest]
#[tokio::test]
async fn nothing_of_it_stays_in_redis_but_what_says_that_it_is_gone(
    #[values(Kind::Redis, Kind::Sealed, Kind::Cluster, Kind::SealedCluster)] kind: Kind,
) {
    let f = Fixture::new(kind).await;
    let key = conversation("c0ffee-c0ffee");
    f.store.announce(&announcement(&key)).await.unwrap();
    for i in 0..5 {
        f.append(&event(&key, &format!("e{i}"))).await;
    }
    let of_it = async || {
        let keys = f.keys().await;
        let names = keys.into_iter().filter(|name| name.contains("c0ffee"));
        names
            .map(|name| name.split(':').nth(2).unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert!(of_it().await.len() >= 5, "{:?}", of_it().await);
    f.store.erase(&key).await.unwrap();
    let sealed = matches!(kind, Kind::Sealed | Kind::SealedCluster);
    for name in f
        .keys()
        .await
        .into_iter()
        .filter(|name| name.contains(":wrapped:"))
    {
        let noted: Vec<String> = f.members(&name).await;
        assert_eq!(noted, Vec::<String>::new());
    }
    assert_eq!(of_it().await, if sealed { vec!["keys"] } else { vec![] });
    for name in f.keys().await.into_iter().filter(|name| name.contains(":keys:")) {
        let fields: BTreeMap<String, Bytes> = f
            .of_key::<BTreeMap<String, Vec<u8>>>("HGETALL", &name)
            .await
            .into_iter()
            .map(|(field, value)| (field, value.into()))
            .collect();
        assert!(
            fields
                .iter()
                .all(|(id, value)| id.starts_with("gone:") && value.is_empty()),
            "{fields:?}"
        );
        let ttl: i64 = f.of_key("PTTL", &name).await;
        assert!((1..=600_000).contains(&ttl), "{ttl}");
    }
}

/// A feed reads what others get, whatever is erased before it comes to it.
#[rstest]
#[tokio::test]
async fn a_live_feed_goes_on_over_what_is_erased(
    #[values(Kind::Memory, Kind::Redis, Kind::Sealed, Kind::Cluster)] kind: Kind,
) {
    let f = Fixture::new(kind).await;
    let (key, other) = (conversation("c"), neighbour(&conversation("c")));
    let before = f.append(&event(&key, "before")).await;
    let mut behind = f.store.tails().await.unwrap();
    let mut tail = f.store.tail(behind.clone()).await.unwrap();
    for i in 0..40 {
        f.append(&event(&key, &format!("a{i}"))).await;
        f.append(&event(&key, &format!("b{i}"))).await;
        f.store.erase(&key).await.unwrap();
        f.append(&event(&other, &format!("o{i}"))).await;
    }
    let mut seen = Vec::new();
    while seen.len() < 40 {
        let entries = tail.next().await.expect("it goes on");
        seen.extend(entries.iter().filter(|entry| entry.key == other).map(raw_of));
    }
    let all: Vec<String> = (0..40).map(|i| format!("raw o{i}")).collect();
    assert_eq!(seen, all);

    // One that is opened behind an entry that was erased, and reads over others.
    behind[usize::from(f.partition(&key))] = before;
    let mut tail = f.store.tail(behind).await.unwrap();
    let mut seen = Vec::new();
    while seen.len() < 40 {
        seen.extend(tail.next().await.expect("it goes on").iter().map(raw_of));
    }
    assert_eq!(seen, all);
    // And one behind which nothing is left, for longer than it takes to look whether the log is still the same.
    let before = f.store.tails().await.unwrap();
    let mut tail = f.store.tail(before).await.unwrap();
    f.append(&event(&key, "last")).await;
    f.store.erase(&key).await.unwrap();
    for _ in 0..3 {
        let entries = tail.next().await.expect("it goes on");
        assert!(entries.iter().all(|entry| entry.key == key));
    }
    f.append(&event(&other, "end")).await;
    loop {
        let entries = tail.next().await.expect("it goes on");
        if entries.iter().any(|entry| raw_of(entry) == "raw end") {
            break;
        }
    }
}

/// Who reads page by page while much is erased gets all that is not, and hears of no gap.
#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replay_goes_on_while_it_is_erased(#[values(Kind::Memory, Kind::Redis, Kind::Sealed)] kind: Kind) {
    let f = Fixture::new(kind).await;
    let other = neighbour(&conversation("c"));
    let doomed: Vec<ConversationKey> = (0..40_000)
        .map(|i| conversation(&format!("doomed-{i}")))
        .filter(|key| f.partition(key) == f.partition(&other))
        .take(20)
        .collect();
    for i in 0..15 {
        for key in &doomed {
            f.append(&event(key, &format!("{} {i}", key.conversation))).await;
        }
        f.append(&event(&other, &format!("o{i}"))).await;
    }
    let store = f.store.clone();
    let erasing = tokio::spawn(async move {
        for key in doomed {
            assert_eq!(store.erase(&key).await.unwrap().entries, 15);
        }
    });
    let mut rounds = 0;
    while !erasing.is_finished() || rounds == 0 {
        let (mut from, mut seen) = (Position::Earliest, Vec::new());
        loop {
            let page = f.store.read(f.partition(&other), from, 7).await.unwrap();
            assert_eq!(page.gap, None);
            let own = page.entries.iter().filter(|entry| entry.key == other);
            seen.extend(own.map(raw_of));
            from = Position::After(page.next);
            if page.at_tail {
                break;
            }
        }
        assert_eq!(seen, (0..15).map(|i| format!("raw o{i}")).collect::<Vec<_>>());
        rounds += 1;
    }
    erasing.await.unwrap();
    assert_eq!(f.read_all(f.partition(&other)).await.entries.len(), 15);
}

fn sized(key: &ConversationKey, id: &str) -> Append {
    let mut event = event(key, id);
    event.content = encode_content(Bytes::new(), vec![b'x'; 400].into());
    event
}

/// Whatever is erased and trimmed in whatever order: a gap is told exactly where something was trimmed, and not erased.
#[rstest]
#[tokio::test]
async fn what_was_trimmed_is_told_and_what_was_erased_is_not(
    #[values(Kind::Memory, Kind::Redis, Kind::Sealed)] kind: Kind,
    #[values(1, 2, 3, 4)] seed: u64,
) {
    let mut chance = StdRng::seed_from_u64(seed);
    let retention = Retention {
        log_bytes: 8_000 * u64::from(PARTITIONS),
        ..Retention::default()
    };
    let f = Fixture::keeping(kind, retention).await;
    let first = conversation("c");
    let keys: Vec<ConversationKey> = (0..)
        .map(|i| conversation(&format!("k{i}")))
        .filter(|key| f.partition(key) == f.partition(&first))
        .take(4)
        .collect();
    let (mut all, mut erased): (Vec<(EntryId, usize)>, Vec<u64>) = (Vec::new(), Vec::new());
    let (mut gaps, mut none) = (0, 0);
    for round in 0..25 {
        for i in 0..chance.random_range(0..8) {
            let whose = chance.random_range(0..keys.len());
            let id = f.append(&sized(&keys[whose], &format!("{round} {i}"))).await;
            all.push((id, whose));
        }
        let left: Vec<u64> = f
            .read_all(f.partition(&first))
            .await
            .entries
            .iter()
            .map(|e| e.id.n)
            .collect();
        if chance.random_ratio(1, 2) {
            let whose = chance.random_range(0..keys.len());
            let count = f.store.erase(&keys[whose]).await.unwrap().entries;
            let own = all.iter().filter(|(id, of)| *of == whose && left.contains(&id.n));
            let own: Vec<u64> = own.map(|(id, _)| id.n).collect();
            assert_eq!(count, own.len() as u64);
            erased.extend(own);
        }
        if chance.random_ratio(1, 3) {
            eventually("its turn", async || f.store.tidy(1).await.unwrap().then_some(())).await;
        }
        let left: Vec<u64> = f
            .read_all(f.partition(&first))
            .await
            .entries
            .iter()
            .map(|e| e.id.n)
            .collect();
        let trimmed: Vec<u64> = (1..=all.len() as u64)
            .filter(|n| !left.contains(n) && !erased.contains(n))
            .collect();
        let places = all.iter().map(|(id, _)| *id).chain([EntryId::default()]);
        for id in places.filter(|_| !all.is_empty()) {
            let page = f
                .store
                .read(f.partition(&first), Position::After(id), 100)
                .await
                .unwrap();
            let missed = trimmed.iter().filter(|n| **n > id.n).count() as u64;
            match page.gap {
                None => assert_eq!(
                    missed, 0,
                    "after {id:?}: {trimmed:?} were trimmed, {erased:?} erased"
                ),
                Some(Gap {
                    reason,
                    missed_at_most,
                }) => {
                    assert_eq!(reason, GapReason::Trimmed);
                    assert!(
                        missed > 0 && missed <= missed_at_most,
                        "after {id:?}: {missed} of {missed_at_most}"
                    );
                }
            }
            if missed > 0 { gaps += 1 } else { none += 1 }
        }
    }
    assert!(
        gaps > 20 && none > 20 && erased.len() > 5,
        "{gaps} {none} {erased:?}"
    );
}

/// What is left where an erasure broke off after its first step.
async fn break_off(f: &Fixture, key: &ConversationKey) {
    let (server, prefix) = f.redis().expect("one server");
    let tag = chatbridge::store::partition::hash_tag(f.partition(key), PARTITIONS);
    let name = format!("{}:{}", key.tenant.as_str().replace(':', "%3A"), key.conversation);
    let in_partition = |what: &str| format!("{prefix}:{{{tag}}}:{what}");
    let mut past = server.connection().await;
    let index = in_partition(&format!("index:{name}"));
    let () = past
        .rename(index, in_partition(&format!("erase:{name}")))
        .await
        .unwrap();
    let () = past.sadd(in_partition("erasing"), &name).await.unwrap();
    let () = past.del(in_partition(&format!("session:{name}"))).await.unwrap();
}

#[rstest]
#[tokio::test]
async fn an_erasure_that_broke_off_is_ended(
    #[values(Kind::Redis, Kind::Sealed)] kind: Kind,
    #[values(false, true)] by_the_janitor: bool,
) {
    let f = Fixture::new(kind).await;
    let (key, other) = (conversation("c"), neighbour(&conversation("c")));
    let mut ids = Vec::new();
    for i in 0..200 {
        ids.push(f.append(&event(&key, &format!("e{i}"))).await);
    }
    break_off(&f, &key).await;
    // Its new beginning has nothing to do with that.
    f.append(&event(&key, "anew")).await;
    f.append(&event(&other, "other")).await;
    if by_the_janitor {
        eventually("its turn", async || f.store.tidy(1).await.unwrap().then_some(())).await;
    } else {
        assert_eq!(f.store.erase(&key).await.unwrap().entries, 201);
    }
    let left: Vec<String> = f
        .read_all(f.partition(&key))
        .await
        .entries
        .iter()
        .map(raw_of)
        .collect();
    let expected = if by_the_janitor {
        vec!["raw anew", "raw other"]
    } else {
        vec!["raw other"]
    };
    assert_eq!(left, expected);
    for id in ids {
        let page = f
            .store
            .read(f.partition(&key), Position::After(id), 10)
            .await
            .unwrap();
        assert_eq!((page.gap, page.entries.len()), (None, left.len()));
    }
    let keys = f.keys().await;
    assert!(
        !keys
            .iter()
            .any(|name| name.contains(":erase:") || name.ends_with(":erasing")),
        "{keys:?}"
    );
}

#[rstest]
#[tokio::test]
async fn a_wiped_log_knows_nothing_of_what_was_erased_before(
    #[values(Kind::Memory, Kind::Redis, Kind::Sealed)] kind: Kind,
) {
    let f = Fixture::new(kind).await;
    let (key, other) = (conversation("c"), neighbour(&conversation("c")));
    for i in 0..3 {
        f.append(&event(&key, &format!("e{i}"))).await;
    }
    f.store.erase(&key).await.unwrap();
    if let Some((server, prefix)) = f.redis() {
        // All is lost but the places.
        let mut past = server.connection().await;
        for name in super::fixture::keys(&mut past, prefix).await {
            if !name.ends_with(":erased") && !name.ends_with(":schema") {
                let () = past.del(name).await.unwrap();
            }
        }
    } else {
        f.wipe().await;
    }
    let mut ids = Vec::new();
    for i in 0..3 {
        ids.push(f.append(&event(&other, &format!("n{i}"))).await);
    }
    f.append(&event(&key, "again")).await;
    f.store.erase(&key).await.unwrap();
    let page = f
        .store
        .read(f.partition(&key), Position::After(ids[0]), 10)
        .await
        .unwrap();
    assert_eq!((page.gap, page.entries.len()), (None, 2));
    // An entry that got lost by itself is missed.
    if let Some((server, prefix)) = f.redis() {
        let tag = chatbridge::store::partition::hash_tag(f.partition(&key), PARTITIONS);
        let log = format!("{prefix}:{{{tag}}}:log");
        let mut past = server.connection().await;
        let mut lose = redis::cmd("XDEL");
        lose.arg(log).arg(format!("{}-{}", ids[1].ms, ids[1].n));
        let lost: u64 = lose.query_async(&mut past).await.unwrap();
        assert_eq!(lost, 1);
        let page = f
            .store
            .read(f.partition(&key), Position::After(ids[0]), 10)
            .await
            .unwrap();
        assert!(page.gap.is_some());
    }
}

/// One server of its own, with what a store keeps of one conversation.
async fn alone(sealed: bool, wait: Option<Wait>) -> (RedisServer, RedisStore) {
    let server = RedisServer::start_with(&["--maxmemory-policy", "noeviction"]);
    let store = RedisStore::connect(RedisSettings {
        master_keys: sealed.then(|| KeyRing::fixed(MASTER_KEY).unwrap()),
        wait,
        ..settings(&server, "test", Retention::default())
    })
    .await
    .unwrap();
    (server, store)
}

async fn expect_erased(store: &RedisStore, key: &ConversationKey, first: EntryId) {
    assert_eq!(store.session(key).await.unwrap(), None);
    let page = store
        .read_conversation(key, Position::After(first), 10)
        .await
        .unwrap();
    assert_eq!((page.gap, page.entries.len()), (None, 0));
    let mark = store.sessions(&tenant(), None, 10).await.unwrap();
    assert!(mark.is_empty(), "{mark:?}");
}

#[rstest]
#[tokio::test]
async fn a_redis_whose_memory_is_full_still_erases(#[values(false, true)] sealed: bool) {
    let (server, store) = alone(sealed, None).await;
    let key = conversation("c");
    store.announce(&announcement(&key)).await.unwrap();
    let mut first = EntryId::default();
    for i in 0..150 {
        match store.append(&event(&key, &format!("e{i}"))).await.unwrap() {
            Appended::New { id, .. } if i == 0 => first = id,
            _ => {}
        }
    }
    let mut past = server.connection().await;
    let mut limit = redis::cmd("CONFIG");
    let () = limit
        .arg(&["SET", "maxmemory", "1"])
        .query_async(&mut past)
        .await
        .unwrap();
    assert!(store.append(&event(&key, "more")).await.is_err());
    assert_eq!(store.erase(&key).await.unwrap().entries, 150);
    expect_erased(&store, &key, first).await;
}

/// That it is not on as many replicas as asked is told, and what was done is done.
#[tokio::test]
async fn an_erasure_waits_for_replicas() {
    let (server, store) = alone(
        true,
        Some(Wait {
            replicas: 1,
            within: Duration::from_millis(100),
        }),
    )
    .await;
    let key = conversation("c");
    let appended = store.append(&event(&key, "e")).await;
    assert!(
        matches!(appended, Err(StoreError::Unavailable(_))),
        "{appended:?}"
    );
    let id = store
        .tails()
        .await
        .unwrap()
        .into_iter()
        .max_by_key(|id| id.n)
        .unwrap();
    assert_eq!(id.n, 1, "it is logged, though not on a replica");
    for _ in 0..2 {
        let erased = store.erase(&key).await;
        assert!(
            matches!(&erased, Err(StoreError::Unavailable(why)) if why.contains("replica")),
            "{erased:?}"
        );
        expect_erased(&store, &key, id).await;
    }
    drop(server);
}
