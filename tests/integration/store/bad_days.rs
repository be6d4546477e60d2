//! What Redis does on its bad days.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use chatbridge::{
    event::{ConversationKey, EntryId, Position},
    store::{
        Announcement, Appended, AwaitedEcho, Begun, Concluded, CustomerKey, Finished, GapReason,
        IdempotencyKey, LedgerKey, LedgerKind, Retention, Store, StoreError,
        redis::{RedisSettings, RedisStore},
    },
};
use redis::AsyncCommands as _;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
};

use super::fixture::{PARTITIONS, conversation, event, eventually, settings, tenant};
use crate::support::redis::{RedisServer, unique_prefix};

/// "Within a few seconds", for a call that fails.
const FAST: Duration = Duration::from_secs(4);

async fn store(server: &RedisServer) -> RedisStore {
    let settings = settings(server, "test", Retention::default());
    RedisStore::connect(settings).await.expect("a store")
}

fn unavailable<T: std::fmt::Debug>(answer: Result<T, StoreError>) -> String {
    match answer {
        Err(StoreError::Unavailable(why)) => why,
        other => panic!("{other:?}"),
    }
}

/// Asks everything of a store whose Redis is down, and expects that all of it fails fast.
async fn expect_unavailable(store: &RedisStore) {
    let key = conversation("c");
    let start = Instant::now();
    let (call, announcement, customer) = (call(), announcement(&key), customer());
    let (append, read, session, tails, ping, tail) = tokio::join!(
        async { store.append(&event(&key, "while down")).await.map(drop) },
        async { store.read(0, Position::Earliest, 1).await.map(drop) },
        async { store.session(&key).await.map(drop) },
        async { store.tails().await.map(drop) },
        store.ping(),
        async { store.tail(vec![EntryId::default(); 4]).await.map(drop) },
    );
    for answer in [append, read, session, tails, ping, tail] {
        unavailable(answer);
    }
    let accepted = Concluded::Accepted(String::new());
    let noted = [(announcement.ledger.clone(), "token".to_owned())];
    let (begin, finish, announce, conclude, note, ledger, find, bind, release) = tokio::join!(
        async { store.begin(&call, &[1; 32], b"", 1, 1).await.map(drop) },
        store.finish(&call, 1, &Finished::Unknown),
        store.announce(&announcement),
        store.conclude(&announcement, &accepted),
        store.note_accepted(1, &noted),
        async { store.ledger(&announcement.ledger).await.map(drop) },
        async { store.customer(&customer, "attempt").await.map(drop) },
        store.bind_customer(&customer, "c", None),
        store.release_customer(&customer, "c"),
    );
    for answer in [
        begin, finish, announce, conclude, note, ledger, find, bind, release,
    ] {
        unavailable(answer);
    }
    assert!(start.elapsed() < 2 * FAST, "it took {:?}", start.elapsed());
}

fn call() -> IdempotencyKey {
    IdempotencyKey {
        tenant: tenant(),
        caller: String::new(),
        method: "SendMessage",
        request_id: "r1".into(),
    }
}

fn announcement(key: &ConversationKey) -> Announcement {
    Announcement {
        telling: None,
        ledger: LedgerKey {
            key: key.clone(),
            kind: LedgerKind::Send,
            print: "print".into(),
        },
        token: "r1".into(),
        echo: Some(AwaitedEcho {
            fingerprint: "print".into(),
            request_id: "r1".into(),
        }),
    }
}

fn customer() -> CustomerKey {
    CustomerKey {
        tenant: tenant(),
        channel_id: "channel".into(),
        user_id: "u".into(),
    }
}

#[tokio::test]
async fn a_crash_fails_fast_and_is_got_over() {
    let server = RedisServer::start_with(&["--appendonly", "yes", "--appendfsync", "always"]);
    let store = store(&server).await;
    let key = conversation("c");
    let before = store.append(&event(&key, "e1")).await.unwrap();
    let Appended::New { id, .. } = before else {
        panic!("{before:?}")
    };
    let mut tail = store.tail(store.tails().await.unwrap()).await.unwrap();
    server.stop();
    for _ in 0..3 {
        expect_unavailable(&store).await;
    }
    assert!(tail.next().await.is_err());

    server.restart();
    eventually("getting over it", async || store.ping().await.ok()).await;
    assert_eq!(
        store.append(&event(&key, "e1")).await.unwrap(),
        Appended::Duplicate
    );
    let after = store.append(&event(&key, "e2")).await.unwrap();
    assert!(matches!(after, Appended::New { sequence: 2, .. }), "{after:?}");
    let partition = chatbridge::store::partition::of(&key, PARTITIONS);
    let page = store.read(partition, Position::After(id), 10).await.unwrap();
    assert_eq!((page.gap, page.entries.len()), (None, 1));
    store.tail(store.tails().await.unwrap()).await.unwrap();
}

#[tokio::test]
async fn a_restart_that_nobody_noticed_costs_no_call() {
    let server = RedisServer::start();
    let store = store(&server).await;
    server.restart();
    // The connection's end has been seen by then; a call that met it would fail.
    tokio::time::sleep(Duration::from_millis(300)).await;
    store.append(&event(&conversation("c"), "e1")).await.unwrap();
}

#[tokio::test]
async fn silence_fails_fast_and_is_got_over() {
    let server = RedisServer::start();
    let store = store(&server).await;
    let mut tail = store.tail(store.tails().await.unwrap()).await.unwrap();
    server.pause();
    expect_unavailable(&store).await;
    expect_unavailable(&store).await;
    let start = Instant::now();
    assert!(tail.next().await.is_err(), "the feed notices");
    assert!(start.elapsed() < Duration::from_secs(6));
    server.resume();
    eventually("getting over it", async || store.ping().await.ok()).await;
    // It may have been applied after all: that is what deduplication is for.
    store
        .append(&event(&conversation("c"), "while down"))
        .await
        .unwrap();
    let key = conversation("c");
    let page = store
        .read_conversation(&key, Position::Earliest, 10)
        .await
        .unwrap();
    assert_eq!(page.entries.len(), 1);
}

/// Passes connections on to a server; those that are open when it is told to fall silent stay open and silent.
async fn passage(to: String) -> (u16, watch::Sender<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let silence = watch::Sender::new(());
    let silenced = silence.subscribe();
    tokio::spawn(async move {
        while let Ok((mut from, _)) = listener.accept().await {
            let (to, mut silenced) = (to.clone(), silenced.clone());
            silenced.mark_unchanged();
            tokio::spawn(async move {
                let mut to = TcpStream::connect(to).await.unwrap();
                tokio::select! {
                    _ = tokio::io::copy_bidirectional(&mut from, &mut to) => {}
                    _ = silenced.changed() => std::future::pending().await,
                }
            });
        }
    });
    (port, silence)
}

#[tokio::test]
async fn a_connection_that_went_silent_is_given_up() {
    let server = RedisServer::start();
    let (port, silence) = passage(server.url().replace("redis://", "")).await;
    let settings = RedisSettings {
        url: format!("redis://127.0.0.1:{port}").into(),
        ..settings(&server, "test", Retention::default())
    };
    let store = RedisStore::connect(settings).await.unwrap();
    let mut tail = store.tail(store.tails().await.unwrap()).await.unwrap();
    silence.send_replace(());
    let start = Instant::now();
    unavailable(store.append(&event(&conversation("c"), "e1")).await);
    assert!(start.elapsed() < FAST);
    store
        .append(&event(&conversation("c"), "e1"))
        .await
        .expect("a new connection");
    while tail.next().await.is_ok() {
        assert!(start.elapsed() < Duration::from_secs(20), "the feed notices too");
    }
}

#[tokio::test]
async fn a_call_whose_beginning_went_unanswered_begins_all_the_same() {
    let server = RedisServer::start();
    let (port, silence) = passage(server.url().replace("redis://", "")).await;
    let settings = RedisSettings {
        url: format!("redis://127.0.0.1:{port}").into(),
        ..settings(&server, "test", Retention::default())
    };
    let store = RedisStore::connect(settings).await.unwrap();
    silence.send_replace(());
    let start = Instant::now();
    let begun = store.begin(&call(), &[1; 32], b"mark", 1, 60_000).await.unwrap();
    assert_eq!(begun, Begun::New, "by the next connection");
    assert!(start.elapsed() < FAST);
    assert_eq!(
        store.begin(&call(), &[1; 32], b"mark", 2, 60_000).await.unwrap(),
        Begun::InFlight
    );
}

#[tokio::test]
async fn a_wiped_redis_is_noticed_and_used_again() {
    let server = RedisServer::start();
    let store = store(&server).await;
    let key = conversation("c");
    let Appended::New { id, .. } = store.append(&event(&key, "e1")).await.unwrap() else {
        panic!("it is new")
    };
    let mut tail = store.tail(store.tails().await.unwrap()).await.unwrap();
    let mut past = server.connection().await;
    let () = redis::cmd("FLUSHALL").query_async(&mut past).await.unwrap();
    let () = redis::cmd("SCRIPT")
        .arg("FLUSH")
        .query_async(&mut past)
        .await
        .unwrap();
    let mut ended = false;
    for _ in 0..3 {
        ended = ended || tail.next().await.is_err();
    }
    assert!(ended);
    let page = store
        .read_conversation(&key, Position::After(id), 10)
        .await
        .unwrap();
    assert_eq!(page.gap.map(|gap| gap.reason), Some(GapReason::Wiped));
    let anew = store.append(&event(&key, "e1")).await.unwrap();
    assert!(matches!(anew, Appended::New { sequence: 1, .. }));
    store.ping().await.unwrap();
    let noted: Option<String> = past.hget("test:schema", "partitions").await.unwrap();
    assert_eq!(noted.as_deref(), Some("4"), "what the log is, is noted again");
}

#[tokio::test]
async fn another_number_of_partitions_is_refused() {
    let server = RedisServer::shared();
    let prefix = unique_prefix();
    let mine = settings(&server, &prefix, Retention::default());
    RedisStore::connect(mine.clone()).await.unwrap();
    RedisStore::connect(mine.clone()).await.unwrap();
    let other = RedisSettings {
        partitions: 8,
        ..mine.clone()
    };
    let refused = RedisStore::connect(other).await.err();
    let Some(StoreError::Mismatch(why)) = refused else {
        panic!("{refused:?}")
    };
    assert!(why.contains('4') && why.contains('8'), "{why}");

    let mut past = server.connection().await;
    let () = past
        .hset(format!("{prefix}:schema"), "version", 99)
        .await
        .unwrap();
    let refused = RedisStore::connect(mine).await.err();
    assert!(matches!(refused, Some(StoreError::Mismatch(_))), "{refused:?}");
}

#[tokio::test]
async fn of_those_who_start_at_once_with_different_numbers_one_wins() {
    let server = RedisServer::shared();
    let prefix = unique_prefix();
    let starts = (1..=8).map(|partitions| {
        let settings = RedisSettings {
            partitions,
            ..settings(&server, &prefix, Retention::default())
        };
        tokio::spawn(RedisStore::connect(settings))
    });
    let mut winners = 0;
    for start in starts.collect::<Vec<_>>() {
        match start.await.unwrap() {
            Ok(_) => winners += 1,
            Err(error) => assert!(matches!(error, StoreError::Mismatch(_)), "{error}"),
        }
    }
    assert_eq!(winners, 1);
}

#[tokio::test]
async fn without_memory_nothing_is_written_in_part() {
    let server = RedisServer::start_with(&["--maxmemory-policy", "noeviction"]);
    let store = store(&server).await;
    let key = conversation("c");
    let mut past = server.connection().await;
    let limit = async |past: &mut redis::aio::MultiplexedConnection, bytes: u32| {
        let () = redis::cmd("CONFIG")
            .arg(&["SET", "maxmemory"])
            .arg(bytes)
            .query_async(past)
            .await
            .unwrap();
    };
    limit(&mut past, 1).await;
    let why = unavailable(store.append(&event(&key, "e1")).await);
    assert!(why.contains("OOM"), "{why}");
    unavailable(store.ping().await);
    unavailable(store.change_session(&key, &event(&key, "e1").change).await);
    unavailable(store.begin(&call(), &[1; 32], b"", 1, 1).await);
    unavailable(store.announce(&announcement(&key)).await);

    // Where the claim is a step of its own and came just before memory ran out: the script alone.
    let source = [
        "local FORMAT = '1' local DEDUPE_MS = '1000' local SESSION_MS, SLICE_MS, INDEX_MS = 1000, 15, 1000 \
         local ECHO, FROM = 8, 7",
        include_str!("../../../src/store/redis/append.lua"),
        include_str!("../../../src/store/redis/session.lua"),
        include_str!("../../../src/store/redis/append_entry.lua"),
        include_str!("../../../src/store/redis/keep_session.lua"),
    ]
    .join("\n");
    let keys = ["log", "meta", "seen", "session:t:c", "index", "list", "unsettled"]
        .map(|key| format!("alone:{{0}}:{key}"));
    let mut script = redis::cmd("EVAL");
    script.arg(source).arg(keys.len()).arg(&keys);
    script.arg(&["1", "0", "mark", "head", "content", "c"]);
    script.arg(&["5", "4444444", "0", "1", "queue_id@", "L", "queue_id", "q"]);
    let answer: redis::RedisResult<redis::Value> = script.query_async(&mut past).await;
    assert_eq!(answer.unwrap_err().code(), Some("OOM"));
    let written: i64 = past.exists(&keys[..]).await.unwrap();
    assert_eq!(written, 0);

    let keys_left: i64 = redis::cmd("DBSIZE").query_async(&mut past).await.unwrap();
    assert!(keys_left <= 2, "schema and probe: {keys_left}");

    limit(&mut past, 0).await;
    let answer: redis::RedisResult<redis::Value> = script.query_async(&mut past).await;
    assert!(answer.is_ok(), "with memory the same call works: {answer:?}");
    let written: i64 = past.exists(&keys[..]).await.unwrap();
    assert_eq!(written, 7);
    let appended = store.append(&event(&key, "e1")).await.unwrap();
    assert!(matches!(appended, Appended::New { sequence: 1, .. }));
}

#[tokio::test]
async fn a_clock_that_stepped_back_does_not_stop_the_log() {
    let server = RedisServer::start();
    let store = store(&server).await;
    let key = conversation("c");
    let Appended::New { id, .. } = store.append(&event(&key, "e1")).await.unwrap() else {
        panic!("it is new")
    };
    // As if the last entry had been written by a clock that was ahead.
    let mut past = server.connection().await;
    let metas: Vec<String> = past.keys("test:{*}:meta").await.unwrap();
    let () = past.hset(&metas[0], "ms", id.ms + 90_000).await.unwrap();
    let after = store.append(&event(&key, "e2")).await.unwrap();
    let Appended::New {
        id: next,
        clock_behind_ms,
        ..
    } = after
    else {
        panic!("{after:?}")
    };
    assert_eq!((next.ms, next.n), (id.ms + 90_000, 2));
    assert!((80_000..=90_000).contains(&clock_behind_ms), "{clock_behind_ms}");
    let page = store
        .read_conversation(&key, Position::After(id), 10)
        .await
        .unwrap();
    assert_eq!((page.gap, page.next), (None, next));
}

#[tokio::test]
async fn a_replica_that_takes_no_writes_is_noticed() {
    let server = RedisServer::start();
    let store = store(&server).await;
    let mut past = server.connection().await;
    let () = redis::cmd("REPLICAOF")
        .arg(&["127.0.0.1", "1"])
        .query_async(&mut past)
        .await
        .unwrap();
    let why = unavailable(store.ping().await);
    assert!(why.contains("read-only"), "{why}");
    unavailable(store.append(&event(&conversation("c"), "e1")).await);
    let () = redis::cmd("REPLICAOF")
        .arg(&["NO", "ONE"])
        .query_async(&mut past)
        .await
        .unwrap();
    eventually("getting over it", async || store.ping().await.ok()).await;
    store.append(&event(&conversation("c"), "e1")).await.unwrap();
}

#[tokio::test]
async fn problems_are_told_without_the_password() {
    let server = RedisServer::start_with(&[]);
    let port = server.url().rsplit(':').next().unwrap().to_owned();
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = closed.local_addr().unwrap().port();
    let urls = [
        format!("redis://user:pa55word@127.0.0.1:{port}"),
        format!("redis://user:pa55word@127.0.0.1:{closed}"),
        // TLS to a server that speaks none: refused, and no panic.
        format!("rediss://user:pa55word@127.0.0.1:{port}"),
        "redis://user:pa55word@no.such.host.invalid".to_owned(),
        "http://user:pa55word@127.0.0.1".to_owned(),
        "redis://user:pa55word@127.0.0.1:notaport".to_owned(),
        "pa55word".to_owned(),
    ];
    for url in urls {
        let start = Instant::now();
        let settings = RedisSettings {
            url: url.clone().into(),
            ..settings(&server, "test", Retention::default())
        };
        let shown = format!("{settings:?}");
        let error = RedisStore::connect(settings).await.err().expect("an error");
        for text in [shown, error.to_string(), format!("{error:?}")] {
            assert!(!text.contains("pa55word"), "{text}");
        }
        assert!(start.elapsed() < FAST, "{url} took {:?}", start.elapsed());
    }
}

#[tokio::test]
async fn a_server_with_a_password_works() {
    let server = RedisServer::start();
    let mut past = server.connection().await;
    let () = redis::cmd("CONFIG")
        .arg(&["SET", "requirepass", "s3cret"])
        .query_async(&mut past)
        .await
        .unwrap();
    let mut with = settings(&server, "test", Retention::default());
    let without = RedisStore::connect(with.clone()).await;
    unavailable(without.map(drop));
    with.url = server.url().replace("//", "//:s3cret@").into();
    RedisStore::connect(with).await.unwrap().ping().await.unwrap();
}

#[tokio::test]
async fn one_who_reads_slowly_delays_nobody() {
    let server = RedisServer::start();
    let store = Arc::new(store(&server).await);
    let key = conversation("c");
    for i in 0..50 {
        let mut event = event(&key, &format!("e{i}"));
        event.content =
            chatbridge::store::entry::encode_content(bytes::Bytes::new(), vec![b'x'; 100_000].into());
        store.append(&event).await.unwrap();
    }
    let partition = chatbridge::store::partition::of(&key, PARTITIONS);
    let readers: Vec<_> = (0..20)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move { store.read(partition, Position::Earliest, 50).await.unwrap() })
        })
        .collect();
    let start = Instant::now();
    store.append(&event(&key, "urgent")).await.unwrap();
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
    for reader in readers {
        assert!(!reader.await.unwrap().entries.is_empty());
    }
}
