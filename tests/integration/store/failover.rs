//! What Redis does on its bad days where it is more than one server.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use chatbridge::{
    event::{ConversationKey, EntryId, Position},
    store::{
        Appended, Retention, Store, StoreError,
        redis::{RedisSettings, RedisStore, Wait},
    },
};
use redis::cmd;
use tokio::{sync::watch, task::JoinHandle};

use super::fixture::{PARTITIONS, conversation, event, eventually, raw_of, settings_of};
use crate::support::{
    redis::RedisServer,
    topologies::{Paused, Process, RedisCluster, SentinelSet},
};

/// "Within a few seconds", for a call that fails.
const FAST: Duration = Duration::from_secs(5);

pub(super) fn settings(url: &str, wait: bool) -> RedisSettings {
    RedisSettings {
        wait: wait.then_some(Wait {
            replicas: 1,
            within: Duration::from_millis(500),
        }),
        ..settings_of(url, "test", Retention::default())
    }
}

pub(super) async fn store(url: &str, wait: bool) -> Arc<RedisStore> {
    Arc::new(RedisStore::connect(settings(url, wait)).await.expect("a store"))
}

/// A conversation of each partition.
pub(super) fn conversations() -> Vec<ConversationKey> {
    let of = |partition| {
        (0..)
            .map(|i| conversation(&format!("c{i}")))
            .find(|key| chatbridge::store::partition::of(key, PARTITIONS) == partition)
            .expect("there are many")
    };
    (0..PARTITIONS).map(of).collect()
}

/// Appends until it is told to stop, delivering again what was not acknowledged, as 8x8 does; what was acknowledged.
fn deliver(store: &Arc<RedisStore>, stop: &watch::Sender<bool>, name: usize) -> JoinHandle<Vec<String>> {
    let (store, stop) = (store.clone(), stop.subscribe());
    tokio::spawn(async move {
        let (keys, mut acknowledged) = (conversations(), Vec::new());
        for i in 0.. {
            let id = format!("{name}-{i}");
            let event = event(&keys[i % keys.len()], &id);
            loop {
                let start = Instant::now();
                let answer = store.append(&event).await;
                assert!(start.elapsed() < FAST, "it took {:?}", start.elapsed());
                match answer {
                    Ok(Appended::Forged) => panic!("it is no forgery"),
                    Ok(_) => break,
                    Err(StoreError::Unavailable(_)) => tokio::time::sleep(Duration::from_millis(20)).await,
                    Err(error) => panic!("{error}"),
                }
                if *stop.borrow() {
                    return acknowledged;
                }
            }
            acknowledged.push(format!("raw {id}"));
            if *stop.borrow() {
                return acknowledged;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        acknowledged
    })
}

/// What a follower has seen.
type Seen = Arc<Mutex<HashSet<String>>>;

/// Follows the log as the hub does: a feed, and after it broke what was missed, and a feed again.
fn follow(store: &Arc<RedisStore>, seen: &Seen, stop: &watch::Sender<bool>) -> JoinHandle<u32> {
    let (store, seen, mut stop) = (store.clone(), seen.clone(), stop.subscribe());
    tokio::spawn(async move {
        let mut breaks = 0;
        loop {
            tokio::select! {
                Err(error) = follow_once(&store, &seen) => {
                    assert!(matches!(error, StoreError::Unavailable(_)), "{error}");
                    breaks += 1;
                }
                () = async { drop(stop.wait_for(|stop| *stop).await) } => return breaks,
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
}

async fn follow_once(store: &RedisStore, seen: &Seen) -> Result<(), StoreError> {
    let tails = store.tails().await?;
    let before = log(store).await?;
    seen.lock().unwrap().extend(before);
    let mut tail = store.tail(tails).await?;
    loop {
        let start = Instant::now();
        let entries = tail.next().await;
        assert!(start.elapsed() < Duration::from_secs(6), "silence is noticed");
        seen.lock().unwrap().extend(entries?.iter().map(raw_of));
    }
}

pub(super) async fn log(store: &RedisStore) -> Result<Vec<String>, StoreError> {
    let mut log = Vec::new();
    for partition in 0..PARTITIONS {
        let mut from = Position::Earliest;
        loop {
            let page = store.read(partition, from, 100).await?;
            log.extend(page.entries.iter().map(raw_of));
            from = Position::After(page.next);
            if page.at_tail {
                break;
            }
        }
    }
    Ok(log)
}

/// Appends and follows while something happens, until all is well again.
pub(super) async fn live_through(
    store: Arc<RedisStore>,
    happening: impl AsyncFnOnce(),
    breaks_expected: u32,
) {
    let stop = watch::Sender::new(false);
    let seen = Seen::default();
    let follower = follow(&store, &seen, &stop);
    let writers: Vec<_> = (0..8).map(|name| deliver(&store, &stop, name)).collect();
    eventually("some hundred events", async || {
        (seen.lock().unwrap().len() > 150).then_some(())
    })
    .await;
    happening().await;
    // It comes back by itself: new events in all partitions.
    for (i, key) in conversations().iter().enumerate() {
        let again = event(key, &format!("after {i}"));
        eventually("getting over it", async || store.append(&again).await.ok()).await;
    }
    eventually("whoever follows seeing them too", async || {
        let seen = seen.lock().unwrap();
        let all = (0..conversations().len()).all(|i| seen.contains(&format!("raw after {i}")));
        all.then_some(())
    })
    .await;
    stop.send_replace(true);
    let mut acknowledged = Vec::new();
    for writer in writers {
        acknowledged.extend(writer.await.expect("it went on"));
    }
    let log = eventually("the whole log", async || log(&store).await.ok()).await;
    let once: HashSet<&String> = log.iter().collect();
    assert_eq!(once.len(), log.len(), "each is there once");
    let lost: Vec<_> = acknowledged.iter().filter(|id| !once.contains(id)).collect();
    assert!(
        lost.is_empty(),
        "of {} acknowledged, {} are lost",
        acknowledged.len(),
        lost.len()
    );
    assert!(acknowledged.len() > 100, "{}", acknowledged.len());
    let breaks = follower.await.expect("it went on");
    assert!(breaks >= breaks_expected, "the feed broke {breaks} times");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_master_is_followed_by_another_and_nothing_acknowledged_is_lost() {
    let set = SentinelSet::start();
    let store = store(&set.url(), true).await;
    live_through(store, async || set.master().kill(), 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_node_of_a_cluster_is_followed_by_its_replica_and_nothing_acknowledged_is_lost() {
    let cluster = RedisCluster::start();
    let store = store(&cluster.url(), true).await;
    let happening = async || {
        let killed = cluster.masters()[0];
        killed.kill();
        eventually("its replica taking over", async || {
            (cluster.masters().len() == 3).then_some(())
        })
        .await;
        // The new master has no replica that could acknowledge anything, until the old one comes back as one.
        killed.restart();
    };
    live_through(store, happening, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slot_that_moves_takes_its_partition_with_it() {
    let cluster = RedisCluster::start();
    let store = store(&cluster.url(), false).await;
    let tag = chatbridge::store::partition::hash_tag(1, PARTITIONS);
    live_through(
        store,
        async || {
            let masters = cluster.masters();
            let key = format!("test:{{{tag}}}:log");
            let from = cluster.master_of(&key);
            let to = masters
                .iter()
                .find(|node| node.port != from.port)
                .expect("there are three");
            move_slot(&masters, from, to, &key, async || {}).await;
        },
        1,
    )
    .await;
}

/// Moves the slot of a key, with some time in between in which it is at both, and then a moment in which it is all at the
/// new node and still the old one's.
pub(super) async fn move_slot(
    masters: &[&Process],
    from: &Process,
    to: &Process,
    key: &str,
    meanwhile: impl AsyncFnOnce(),
) {
    let slot: u16 = from
        .ask(cmd("CLUSTER").arg("KEYSLOT").arg(key))
        .expect("its slot");
    let id = |node: &Process| node.ask::<String>(cmd("CLUSTER").arg("MYID")).expect("its id");
    let (source, target) = (id(from), id(to));
    let set = |node: &Process, what: &str, id: &str| {
        node.ask::<String>(cmd("CLUSTER").arg("SETSLOT").arg(slot).arg(what).arg(id))
            .expect("it is set");
    };
    set(to, "IMPORTING", &source);
    set(from, "MIGRATING", &target);
    loop {
        let keys: Vec<String> = from
            .ask(cmd("CLUSTER").arg("GETKEYSINSLOT").arg(slot).arg(20))
            .expect("its keys");
        if keys.is_empty() {
            break;
        }
        let mut migrate = cmd("MIGRATE");
        migrate
            .arg("127.0.0.1")
            .arg(to.port)
            .arg("")
            .arg(0)
            .arg(5000)
            .arg("KEYS")
            .arg(keys);
        from.ask::<String>(&migrate).expect("they move");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    meanwhile().await;
    for node in [to, from].into_iter().chain(masters.iter().copied()) {
        set(node, "NODE", &target);
    }
}

#[tokio::test]
async fn a_master_that_was_deposed_while_it_slept_is_left() {
    let set = SentinelSet::start();
    let store = store(&set.url(), false).await;
    let key = &conversations()[0];
    store.append(&event(key, "before")).await.unwrap();
    // So that there is a connection to it that nobody uses meanwhile.
    assert_eq!(log(&store).await.unwrap(), ["raw before"]);
    let old = set.master();
    let paused = old.pause();
    let after = event(key, "after");
    eventually("going over", async || store.append(&after).await.ok()).await;
    drop(paused);
    // Sentinels let it think for eight seconds that it is still the master.
    assert_eq!(
        old.ask::<Vec<redis::Value>>(&cmd("ROLE")).unwrap()[0],
        redis::Value::BulkString(b"master".into())
    );
    assert_eq!(log(&store).await.unwrap(), ["raw before", "raw after"]);
    let meta = format!(
        "test:{{{}}}:meta",
        chatbridge::store::partition::hash_tag(0, PARTITIONS)
    );
    // What was sent to it before it was left, it does when it wakes up. That was not acknowledged.
    let count = || {
        old.ask::<String>(cmd("HGET").arg(&meta).arg("n"))
            .expect("a count")
    };
    let counted = count();
    store.append(&event(key, "later")).await.unwrap();
    assert_eq!(count(), counted, "nothing more went to it");
}

#[tokio::test]
async fn a_node_that_sleeps_fails_fast_and_the_others_go_on() {
    let cluster = RedisCluster::start();
    let store = store(&cluster.url(), false).await;
    for key in conversations() {
        let before = event(&key, &format!("before {}", key.conversation));
        store.append(&before).await.unwrap();
    }
    let mut tail = store.tail(store.tails().await.unwrap()).await.unwrap();
    let tag = chatbridge::store::partition::hash_tag(0, PARTITIONS);
    let asleep = cluster.master_of(&format!("test:{{{tag}}}:log"));
    let paused = asleep.pause();
    let start = Instant::now();
    let keys = conversations();
    let (first, last) = tokio::join!(async { store.session(&keys[0]).await }, async {
        store.session(&keys[3]).await
    },);
    assert!(matches!(first, Err(StoreError::Unavailable(_))), "{first:?}");
    assert!(last.is_ok(), "{last:?}");
    assert!(start.elapsed() < FAST, "{:?}", start.elapsed());
    while tail.next().await.is_ok() {
        assert!(start.elapsed() < Duration::from_secs(8), "the feed notices");
    }
    drop(paused);
    eventually("getting over it", async || {
        store.session(&keys[0]).await.ok()?;
        store.tail(store.tails().await.ok()?).await.ok().map(drop)
    })
    .await;
}

/// Appends while replicas are asleep, and again when they are awake.
async fn expect_wait(store: &RedisStore, key: &ConversationKey, asleep: impl FnOnce() -> Vec<Paused>) {
    let before = event(key, "before");
    eventually("the replicas being quick enough", async || {
        store.append(&before).await.ok()
    })
    .await;
    let paused = asleep();
    for what in ["a new one", "a repeated one"] {
        let start = Instant::now();
        let answer = store.append(&event(key, "meanwhile")).await;
        let Err(StoreError::Unavailable(why)) = &answer else {
            panic!("{what}: {answer:?}")
        };
        assert!(why.contains("0 of the 1 replicas"), "{what}: {why}");
        assert!(start.elapsed() < FAST);
    }
    // One that had been acknowledged must not be answered by an earlier write's luck.
    let again = store.append(&event(key, "before")).await;
    assert!(matches!(again, Err(StoreError::Unavailable(_))), "{again:?}");
    drop(paused);
    let answer = eventually("replicas that answer", async || {
        store.append(&event(key, "meanwhile")).await.ok()
    })
    .await;
    assert_eq!(answer, Appended::Duplicate);
    let partition = chatbridge::store::partition::of(key, PARTITIONS);
    let page = store.read(partition, Position::Earliest, 10).await.unwrap();
    assert_eq!(
        page.entries.iter().map(raw_of).collect::<Vec<_>>(),
        ["raw before", "raw meanwhile"]
    );
    assert_ne!(page.tail, EntryId::default());
}

#[tokio::test]
async fn an_event_is_acknowledged_once_replicas_have_it() {
    let set = SentinelSet::start();
    let store = store(&set.url(), true).await;
    let master = set.master().port;
    let replicas = || {
        set.servers
            .iter()
            .filter(|server| server.port != master)
            .map(Process::pause)
            .collect()
    };
    expect_wait(&store, &conversations()[0], replicas).await;
}

#[tokio::test]
async fn an_event_is_acknowledged_once_the_replicas_of_its_node_have_it() {
    let cluster = RedisCluster::start();
    let store = store(&cluster.url(), true).await;
    let replicas = || {
        let masters: Vec<u16> = cluster.masters().iter().map(|node| node.port).collect();
        cluster
            .nodes
            .iter()
            .filter(|node| !masters.contains(&node.port))
            .map(Process::pause)
            .collect()
    };
    expect_wait(&store, &conversations()[0], replicas).await;
}

#[tokio::test]
async fn sentinels_and_servers_have_credentials_of_their_own() {
    let set = SentinelSet::start();
    for sentinel in &set.sentinels {
        sentinel
            .ask::<String>(cmd("SENTINEL").arg(&["SET", "main", "auth-pass", "s3rver"]))
            .unwrap();
        sentinel
            .ask::<String>(cmd("ACL").arg(&["SETUSER", "default", "resetpass", ">s3ntinel"]))
            .unwrap();
    }
    for server in &set.servers {
        server
            .ask::<String>(cmd("CONFIG").arg(&["SET", "masterauth", "s3rver"]))
            .unwrap();
        server
            .ask::<String>(cmd("CONFIG").arg(&["SET", "requirepass", "s3rver"]))
            .unwrap();
    }
    let with = |server: &str, sentinel: &str| {
        let url = set.url().replace("//", &format!("//:{server}@"));
        format!("{url}?sentinel_password={sentinel}")
    };
    let store = store(&with("s3rver", "s3ntinel"), false).await;
    store.ping().await.unwrap();
    for url in [set.url(), with("wrong", "s3ntinel"), with("s3rver", "wrong")] {
        let error = RedisStore::connect(settings(&url, false))
            .await
            .err()
            .expect("an error");
        assert!(matches!(error, StoreError::Unavailable(_)), "{error}");
        assert!(error.to_string().contains("user name or password"), "{error}");
        assert!(
            !error.to_string().contains("s3") && !error.to_string().contains("wrong"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_url_of_another_kind_is_refused_with_what_to_do() {
    let (set, cluster) = (SentinelSet::shared(), RedisCluster::shared());
    let alone = |process: &Process| process.url();
    let as_cluster = |process: &Process| process.url().replace("redis:", "redis+cluster:");
    for (url, what) in [
        (alone(&cluster.nodes[0]), "redis+cluster://"),
        (alone(&set.sentinels[0]), "redis+sentinel://"),
        (as_cluster(&set.servers[0]), "cluster"),
        (set.url().replace("/main", "/other"), "no Sentinel knows a master"),
    ] {
        let start = Instant::now();
        let error = RedisStore::connect(settings(&url, false))
            .await
            .err()
            .expect("an error");
        assert!(error.to_string().contains(what), "{error}");
        assert!(start.elapsed() < FAST);
    }
}

#[tokio::test]
async fn a_redis_that_refuses_writes_says_why_and_is_used_again_by_itself() {
    let server = RedisServer::start();
    let store = store(&server.url(), false).await;
    let mut past = server.connection().await;
    let mut set = async |name: &str, value: &str| {
        let () = cmd("CONFIG")
            .arg("SET")
            .arg(name)
            .arg(value)
            .query_async(&mut past)
            .await
            .unwrap();
    };
    let append = async || store.append(&event(&conversations()[0], "e1")).await;
    set("min-replicas-to-write", "1").await;
    for answer in [append().await.map(drop), store.ping().await] {
        assert!(answer.unwrap_err().to_string().contains("too few replicas"));
    }
    set("min-replicas-to-write", "0").await;
    assert!(matches!(append().await, Ok(Appended::New { .. })));

    // A save to disk that failed.
    let mut past = server.connection().await;
    let (_, dir): (String, String) = cmd("CONFIG")
        .arg("GET")
        .arg("dir")
        .query_async(&mut past)
        .await
        .unwrap();
    std::fs::create_dir(format!("{dir}/dump.rdb")).unwrap();
    let () = cmd("CONFIG")
        .arg(&["SET", "save", "3600 1"])
        .query_async(&mut past)
        .await
        .unwrap();
    let _: String = cmd("BGSAVE").query_async(&mut past).await.unwrap();
    let why = eventually("a save that fails", async || append().await.err()).await;
    assert!(why.to_string().contains("cannot save to disk"), "{why}");
    assert!(store.ping().await.is_err());
    let () = cmd("CONFIG")
        .arg(&["SET", "stop-writes-on-bgsave-error", "no"])
        .query_async(&mut past)
        .await
        .unwrap();
    store.ping().await.unwrap();
    assert_eq!(append().await.unwrap(), Appended::Duplicate);
}
