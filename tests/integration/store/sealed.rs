//! What is in Redis where contents are encrypted, and what becomes of it when keys change or are lost.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use bytes::Bytes;
use chatbridge::{
    conversation::{SessionChange, change::FieldChange},
    error::Error,
    event::{AuthorType, ConversationKey, Participant, Position, User},
    fanout::{Delivery, Filter, GapPolicy, Hub, Start, Subscriber},
    store::{
        Append, Appended, Begun, Finished, IdempotencyKey, Page, Retention, SharedStore, Store, StoreError,
        entry::encode_content,
        redis::{RedisSettings, RedisStore},
        seal::KeyRing,
    },
};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use redis::AsyncCommands as _;
use rstest::rstest;
use tokio_util::sync::CancellationToken;

use super::fixture::{
    Fixture, Kind, MASTER_KEY, PARTITIONS, conversation, event, eventually, keys, neighbour, raw_of,
    settings, stranger, tenant,
};
use crate::support::redis::{RedisServer, unique_prefix};

const A: &str = "a:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
const B: &str = "b:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";

/// One Redis, and stores on it with whatever keys.
struct Place {
    server: Arc<RedisServer>,
    prefix: String,
}

impl Place {
    fn new() -> Self {
        Self {
            server: RedisServer::shared(),
            prefix: unique_prefix(),
        }
    }

    async fn try_store(&self, keys: &str) -> Result<RedisStore, StoreError> {
        let ring = (!keys.is_empty()).then(|| KeyRing::fixed(keys).unwrap());
        self.with_ring(ring).await
    }

    async fn with_ring(&self, master_keys: Option<KeyRing>) -> Result<RedisStore, StoreError> {
        RedisStore::connect(RedisSettings {
            master_keys,
            ..settings(&self.server, &self.prefix, Retention::default())
        })
        .await
    }

    async fn store(&self, keys: &str) -> RedisStore {
        self.try_store(keys).await.expect("a store")
    }

    fn key(&self, of: &ConversationKey, what: &str) -> String {
        let tag = chatbridge::store::partition::hash_tag(
            chatbridge::store::partition::of(of, PARTITIONS),
            PARTITIONS,
        );
        let prefix = &self.prefix;
        match what {
            "log" => format!("{prefix}:{{{tag}}}:log"),
            _ => format!("{prefix}:{{{tag}}}:{what}:tenant%3A1:{}", of.conversation),
        }
    }

    /// Which master keys wrap data keys, and of how many conversations.
    async fn wrapped(&self) -> BTreeMap<String, u64> {
        let mut past = self.server.connection().await;
        let mut wrapped: BTreeMap<String, u64> = BTreeMap::new();
        for name in keys(&mut past, &self.prefix).await {
            if name.contains(":keys:") {
                let fields: BTreeMap<String, Vec<u8>> = past.hgetall(&name).await.unwrap();
                for (id, value) in fields.iter().filter(|(id, _)| id.len() == 16) {
                    let at = value.iter().position(|b| *b == b':').expect(id);
                    let master = String::from_utf8(value[..at].to_vec()).unwrap();
                    *wrapped.entry(master).or_default() += 1;
                }
            }
        }
        wrapped
    }
}

async fn read(store: &RedisStore, key: &ConversationKey) -> Page {
    store
        .read_conversation(key, Position::Earliest, 100)
        .await
        .unwrap()
}

async fn append(store: &RedisStore, key: &ConversationKey, id: &str) {
    let appended = store.append(&event(key, id)).await.unwrap();
    assert!(matches!(appended, Appended::New { .. }), "{appended:?}");
}

/// Reads a conversation of which everything must be readable.
async fn texts(store: &RedisStore, key: &ConversationKey) -> Vec<String> {
    let page = read(store, key).await;
    assert_eq!(page.gap, None);
    let entries = page.entries.iter();
    entries
        .map(|entry| {
            assert_eq!(entry.unreadable, None);
            raw_of(entry)
        })
        .collect()
}

/// Why entries cannot be read.
async fn why(store: &RedisStore, key: &ConversationKey) -> Vec<Option<String>> {
    let page = read(store, key).await;
    let entries = page.entries.iter();
    entries
        .map(|entry| {
            assert!(entry.unreadable.is_none() || entry.raw.is_empty());
            entry.unreadable.as_deref().map(str::to_owned)
        })
        .collect()
}

/// All values of all keys, as bytes.
async fn all_values(server: &RedisServer, prefix: &str) -> Vec<u8> {
    let mut past = server.connection().await;
    let mut all = Vec::new();
    for name in keys(&mut past, prefix).await {
        let kind: String = redis::cmd("TYPE")
            .arg(&name)
            .query_async(&mut past)
            .await
            .unwrap();
        let mut read = redis::cmd(match kind.as_str() {
            "string" => "GET",
            "hash" => "HGETALL",
            "set" => "SMEMBERS",
            "list" => "LRANGE",
            "zset" => "ZRANGE",
            "stream" => "XRANGE",
            other => panic!("{name} is a {other}"),
        });
        read.arg(&name);
        match kind.as_str() {
            "list" | "zset" => drop(read.arg(0).arg(-1)),
            "stream" => drop(read.arg("-").arg("+")),
            _ => {}
        }
        all.extend(name.as_bytes());
        let value: redis::Value = read.query_async(&mut past).await.unwrap();
        flatten(&value, &mut all);
    }
    all
}

fn flatten(value: &redis::Value, all: &mut Vec<u8>) {
    match value {
        redis::Value::BulkString(bytes) => all.extend(bytes),
        redis::Value::Array(items) | redis::Value::Set(items) => {
            items.iter().for_each(|item| flatten(item, all));
        }
        redis::Value::Map(pairs) => pairs.iter().for_each(|(key, value)| {
            flatten(key, all);
            flatten(value, all);
        }),
        _ => {}
    }
}

fn call() -> IdempotencyKey {
    IdempotencyKey {
        tenant: tenant(),
        caller: String::new(),
        method: "CreateConversation",
        request_id: "r1".into(),
    }
}

/// Puts SECRET wherever a customer's words may get.
async fn tell_secrets(f: &Fixture) {
    let key = conversation("c");
    let user = User {
        name: "SECRET user".into(),
        ..User::default()
    };
    let labels = BTreeMap::from([("SECRET key".to_owned(), "SECRET label".to_owned())]);
    let created = SessionChange::by_creation("channel", &user, &labels);
    f.store.change_session(&key, &created).await.unwrap();
    let mut who = Participant::new("a1", Some(AuthorType::Agent));
    who.name = "SECRET agent".into();
    let mut message = event(&key, "e1");
    message.content = encode_content(
        Bytes::from_static(b"SECRET body"),
        Bytes::from_static(b"SECRET raw"),
    );
    message
        .change
        .fields
        .push(FieldChange::Member { who, present: true });
    f.append(&message).await;
    let begun = f
        .store
        .begin(&call(), &[1; 32], b"{\"SECRET\":1}", 1, 0)
        .await
        .unwrap();
    assert_eq!(begun, Begun::New);
    let mut other = call();
    other.request_id = "r2".into();
    f.store.begin(&other, &[1; 32], b"", 1, 1000).await.unwrap();
    let done = Finished::Done(Bytes::from_static(b"{\"answer\":\"SECRET\"}"));
    f.store.finish(&other, 1, &done).await.unwrap();

    // All of it is there for who asks by the right way.
    let session = f.store.session(&key).await.unwrap().unwrap();
    assert_eq!((session.user, session.labels), (user, labels));
    assert_eq!(session.members[0].name, "SECRET agent");
    let begun = f.store.begin(&call(), &[1; 32], b"", 2, 0).await.unwrap();
    assert_eq!(begun, Begun::Unknown(Bytes::from_static(b"{\"SECRET\":1}")));
    let begun = f.store.begin(&other, &[1; 32], b"", 2, 0).await.unwrap();
    assert_eq!(begun, Begun::Done(Bytes::from_static(b"{\"answer\":\"SECRET\"}")));
    let listed = f.store.sessions(&tenant(), None, 10).await.unwrap();
    assert_eq!(listed[0].1.as_ref().unwrap().user.name, "SECRET user");
}

#[rstest]
#[case::encrypted(Kind::Sealed, 0)]
#[case::in_the_clear(Kind::Redis, 8)]
#[tokio::test]
async fn no_customers_words_are_in_redis(#[case] kind: Kind, #[case] expected: usize) {
    let f = Fixture::new(kind).await;
    tell_secrets(&f).await;
    let (server, prefix) = f.redis().unwrap();
    let all = all_values(server, prefix).await;
    let seen = all.windows(6).filter(|bytes| *bytes == b"SECRET").count();
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn data_keys_outlive_what_they_encrypt() {
    let f = Fixture::new(Kind::Sealed).await;
    tell_secrets(&f).await;
    let names: Vec<String> = f
        .keys()
        .await
        .into_iter()
        .filter(|name| name.contains(":keys:"))
        .collect();
    // The conversation's and the tenant's.
    assert_eq!(names.len(), 2, "{names:?}");
    for name in names {
        let ttl: i64 = f.of_key("PTTL", &name).await;
        assert!(ttl > longest_ms(), "{ttl} of {name}");
    }
}

/// How long a session lives at the most without anything happening.
fn longest_ms() -> i64 {
    i64::try_from(Retention::default().session_ms / 64 * 65).unwrap()
}

#[tokio::test]
async fn what_was_encrypted_is_kept_readable_for_as_long_as_it_is_used() {
    let place = Place::new();
    let key = conversation("c");
    append(&place.store(A).await, &key, "encrypted").await;
    let mut past = place.server.connection().await;
    let calls = [A.to_owned(), format!("plain\n{A}"), format!("{B}\n{A}")];
    for (number, keys) in calls.into_iter().enumerate() {
        let () = past.pexpire(place.key(&key, "keys"), 60_000).await.unwrap();
        let store = place.store(&keys).await;
        // Whatever keeps the session keeps the key.
        if number % 2 == 0 {
            append(&store, &key, &format!("{number}")).await;
        } else {
            store
                .change_session(&key, &SessionChange::by_call())
                .await
                .unwrap();
        }
        let ttl: i64 = past.pttl(place.key(&key, "keys")).await.unwrap();
        assert!(ttl > longest_ms(), "{ttl} with {number}");
    }
    // Where there was none, none is made for what is not encrypted.
    append(
        &place.store(&format!("plain\n{A}")).await,
        &conversation("d"),
        "d",
    )
    .await;
    assert!(
        !past
            .exists::<_, bool>(place.key(&conversation("d"), "keys"))
            .await
            .unwrap()
    );
}

#[tokio::test]
async fn replicas_that_meet_new_conversations_at_once_agree() {
    let place = Place::new();
    let stores = [Arc::new(place.store(A).await), Arc::new(place.store(A).await)];
    let all: Vec<_> = (0..40).map(|i| conversation(&format!("c{i}"))).collect();
    let mut tasks = Vec::new();
    for key in &all {
        for (i, store) in stores.iter().enumerate() {
            let (store, key) = (Arc::clone(store), key.clone());
            tasks.push(tokio::spawn(async move {
                append(&store, &key, &format!("{} {i}", key.conversation)).await
            }));
        }
    }
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(place.wrapped().await, BTreeMap::from([("a".to_owned(), 40)]));
    let fresh = place.store(A).await;
    for key in &all {
        let seen: BTreeSet<String> = texts(&fresh, key).await.into_iter().collect();
        let both = [0, 1].map(|i| format!("raw {} {i}", key.conversation));
        assert_eq!(seen, BTreeSet::from(both));
    }
}

#[tokio::test]
async fn encryption_may_begin_on_a_log_that_is_there_and_end_again() {
    let place = Place::new();
    let key = conversation("c");
    append(&place.store("").await, &key, "in the clear").await;
    // Whoever is to decrypt knows the key before anybody encrypts.
    let ready = place.store(&format!("plain\n{A}")).await;
    append(&ready, &key, "still in the clear").await;
    place.store("").await.ping().await.expect("it is as it was");
    let without = place.store("").await;

    let sealing = place.store(A).await;
    append(&sealing, &key, "encrypted").await;
    append(&ready, &key, "in the clear again").await;
    let all = [
        "raw in the clear",
        "raw still in the clear",
        "raw encrypted",
        "raw in the clear again",
    ];
    for store in [&ready, &sealing] {
        assert_eq!(texts(store, &key).await, all);
        store.ping().await.unwrap();
    }
    // Whoever knows of no keys is told, and takes nothing for anything else.
    let refused = place.try_store("").await.err();
    let Some(StoreError::Mismatch(problem)) = refused else {
        panic!("{refused:?}")
    };
    assert!(problem.contains("master_keys_file"), "{problem}");
    assert!(matches!(without.ping().await, Err(StoreError::Mismatch(_))));
    let unreadable = why(&without, &key).await;
    assert_eq!(unreadable.iter().filter(|why| why.is_some()).count(), 1);
    // With `plain` alone one may go on for ever.
    let after = place.store("plain").await;
    append(&after, &key, "after").await;
    assert_eq!(why(&after, &key).await.iter().flatten().count(), 1);
}

#[tokio::test]
async fn a_build_from_before_leaves_an_encrypted_log_alone() {
    let place = Place::new();
    let mut past = place.server.connection().await;
    let version = async |past: &mut redis::aio::MultiplexedConnection| -> String {
        past.hget(format!("{}:schema", place.prefix), "version")
            .await
            .unwrap()
    };
    let _ready = place.store(&format!("plain\n{A}")).await;
    assert_eq!(version(&mut past).await, "2");
    let _sealing = place.store(A).await;
    assert_eq!(version(&mut past).await, "3");
}

#[tokio::test]
async fn another_key_under_a_known_name_is_refused() {
    let place = Place::new();
    let store = place.store(A).await;
    append(&store, &conversation("c"), "e").await;
    let other = B.replace("b:", "a:");
    for keys in [other.clone(), format!("{MASTER_KEY}\n{other}")] {
        let refused = place.try_store(&keys).await.err();
        let Some(StoreError::Mismatch(problem)) = refused else {
            panic!("{refused:?}")
        };
        assert!(
            problem.contains("\"a\"") && !problem.contains("AQEB"),
            "{problem}"
        );
    }
    // Nor does one that comes to be used later.
    let late = place.store(&format!("plain\n{B}")).await;
    append(&late, &conversation("d"), "d").await;
    assert_eq!(place.wrapped().await, BTreeMap::from([("a".to_owned(), 1)]));
}

#[tokio::test]
async fn without_the_master_key_nothing_is_skipped_and_nothing_is_lost() {
    let place = Place::new();
    let (lost, other) = (conversation("c"), neighbour(&conversation("c")));
    let store = place.store(A).await;
    append(&store, &lost, "under a").await;
    append(&place.store(B).await, &other, "under b").await;

    let only_b = Arc::new(place.store(B).await);
    let [Some(problem)] = &why(&only_b, &lost).await[..] else {
        panic!("it is unreadable")
    };
    assert!(problem.contains("master key \"a\""), "{problem}");
    assert_eq!(texts(&only_b, &other).await, ["raw under b"]);
    let created = SessionChange::by_creation(
        "channel",
        &User {
            name: "Ann".into(),
            ..User::default()
        },
        &BTreeMap::new(),
    );
    store.change_session(&lost, &created).await.unwrap();
    let session = only_b.session(&lost).await;
    assert!(
        matches!(&session, Err(StoreError::Sealed(why)) if why.contains("\"a\"")),
        "{session:?}"
    );

    // Streams that want it fail with the reason, behind what was before it; others go on.
    let hub = Hub::new(Arc::clone(&only_b) as SharedStore);
    let stop = CancellationToken::new();
    let running = tokio::spawn(Arc::clone(&hub).run(stop.clone()));
    let subscriber = async |conversation: &ConversationKey| {
        let filter = Filter {
            tenant: tenant(),
            conversations: [conversation.conversation.clone()].into(),
            kinds: BTreeSet::new().into_iter().collect(),
            echoes: true,
            share: None,
        };
        let mut subscriber = Subscriber::new(Arc::clone(&hub), filter, Start::Earliest, GapPolicy::Fail);
        subscriber.join(std::time::Duration::from_secs(10)).await.unwrap();
        subscriber
    };
    let text = async |subscriber: &mut Subscriber| match subscriber.next().await {
        Ok(Delivery::Entry(entry)) => Ok(raw_of(&entry)),
        Ok(other) => panic!("{other:?}"),
        Err(error) => Err(error),
    };
    let mut of_lost = subscriber(&lost).await;
    let before = of_lost.cursor();
    for _ in 0..3 {
        let failed = text(&mut of_lost).await;
        assert!(
            matches!(&failed, Err(Error::KeyMissing(why)) if why.contains("\"a\"")),
            "{failed:?}"
        );
    }
    let mut of_other = subscriber(&other).await;
    assert_eq!(text(&mut of_other).await.unwrap(), "raw under b");
    // What comes live is told in the same way.
    append(&store, &lost, "live under a").await;
    append(&only_b, &other, "live under b").await;
    assert_eq!(text(&mut of_other).await.unwrap(), "raw live under b");
    // The conversation goes on under another data key.
    append(&only_b, &lost, "under b, too").await;
    assert!(why(&only_b, &lost).await[2].is_none());
    stop.cancel();
    running.await.unwrap();

    // With the key all of it is there, from the same cursor.
    let both = Arc::new(place.store(&format!("{B}\n{A}")).await);
    let all = ["raw under a", "raw live under a", "raw under b, too"];
    assert_eq!(texts(&both, &lost).await, all);
    assert_eq!(both.session(&lost).await.unwrap().unwrap().user.name, "Ann");
    let hub = Hub::new(both as SharedStore);
    let stop = CancellationToken::new();
    let running = tokio::spawn(Arc::clone(&hub).run(stop.clone()));
    let filter = Filter {
        tenant: tenant(),
        conversations: [lost.conversation.clone()].into(),
        kinds: BTreeSet::new().into_iter().collect(),
        echoes: true,
        share: None,
    };
    let mut again = Subscriber::new(Arc::clone(&hub), filter, Start::Cursor(before), GapPolicy::Fail);
    again.join(std::time::Duration::from_secs(10)).await.unwrap();
    for expected in all {
        assert_eq!(text(&mut again).await.unwrap(), expected);
    }
    stop.cancel();
    running.await.unwrap();
}

#[tokio::test]
async fn a_data_key_that_was_lost_is_told_and_not_taken_for_an_erasure() {
    let place = Place::new();
    let key = conversation("c");
    append(&place.store(A).await, &key, "before").await;
    let mut past = place.server.connection().await;
    let () = past.del(place.key(&key, "keys")).await.unwrap();
    let store = place.store(A).await;
    let [Some(problem)] = &why(&store, &key).await[..] else {
        panic!("it is unreadable")
    };
    assert!(problem.contains("data key that Redis has lost"), "{problem}");
    append(&store, &key, "after").await;
    assert_eq!(why(&store, &key).await.iter().flatten().count(), 1);
}

#[tokio::test]
async fn what_was_moved_or_changed_opens_nothing() {
    let place = Place::new();
    let (key, other) = (conversation("c"), neighbour(&conversation("c")));
    let store = place.store(A).await;
    for (key, id) in [(&key, "mine"), (&other, "theirs"), (&key, "mine, too")] {
        append(&store, key, id).await;
    }
    let mut past = place.server.connection().await;
    let log = place.key(&key, "log");
    type Entries = Vec<(String, Vec<(String, Vec<u8>)>)>;
    let entries: Entries = redis::cmd("XRANGE")
        .arg(&log)
        .arg("-")
        .arg("+")
        .query_async(&mut past)
        .await
        .unwrap();
    let field = |at: usize, name: &str| {
        let fields = &entries[at].1;
        fields.iter().find(|(known, _)| known == name).unwrap().1.clone()
    };
    assert_eq!((field(0, "k").len(), field(0, "v")), (16, b"1".to_vec()));
    // Puts an entry together of the parts of others; it takes the number of the next.
    let mut number = 3;
    let mut forge = async |head: usize, content: Vec<u8>, data_key: usize| {
        number += 1;
        let ms: u64 = entries[2].0.split('-').next().unwrap().parse().unwrap();
        let mut add = redis::cmd("XADD");
        add.arg(&log).arg(format!("{ms}-{number}"));
        add.arg("v").arg("1").arg("k").arg(field(data_key, "k"));
        add.arg("h").arg(field(head, "h")).arg("c").arg(content);
        add.arg("q")
            .arg(9)
            .arg("e")
            .arg(1)
            .arg("s")
            .arg(1)
            .arg("b")
            .arg(0);
        let id: String = add.query_async(&mut past).await.unwrap();
        let () = past
            .hset(log.replace(":log", ":meta"), "n", number)
            .await
            .unwrap();
        let fresh = place.store(A).await;
        let partition = chatbridge::store::partition::of(&key, PARTITIONS);
        let read = fresh.read(partition, Position::Earliest, 100).await;
        let () = redis::cmd("XTRIM")
            .arg(&log)
            .arg("MAXLEN")
            .arg(100)
            .query_async(&mut past)
            .await
            .unwrap();
        let removed: u64 = redis::cmd("XDEL")
            .arg(&log)
            .arg(&id)
            .query_async(&mut past)
            .await
            .unwrap();
        assert_eq!(removed, 1);
        read.map(|page| page.entries.last().unwrap().unreadable.clone())
    };
    // Theirs under my head: my conversation has no such key.
    let moved = forge(0, field(1, "c"), 1).await.unwrap();
    assert!(moved.is_some_and(|why| why.contains("lost")), "it does not open");
    // Content of one entry under another's head, within the conversation.
    let swapped = forge(0, field(2, "c"), 2).await;
    assert!(matches!(swapped, Err(StoreError::Corrupt(_))), "{swapped:?}");
    let mut changed = field(0, "c");
    *changed.last_mut().unwrap() ^= 1;
    let changed = forge(0, changed, 0).await;
    assert!(matches!(changed, Err(StoreError::Corrupt(_))), "{changed:?}");
    assert_eq!(
        forge(0, field(0, "c"), 0).await.unwrap(),
        None,
        "as it was, it opens"
    );
    // Not even with their data key beside mine.
    let mut past = place.server.connection().await;
    let (id, wrapped): (String, Vec<u8>) = past
        .hgetall::<_, BTreeMap<String, Vec<u8>>>(place.key(&other, "keys"))
        .await
        .unwrap()
        .into_iter()
        .next()
        .unwrap();
    let () = past.hset(place.key(&key, "keys"), id, wrapped).await.unwrap();
    let moved = forge(0, field(1, "c"), 1).await.unwrap();
    assert!(
        moved.is_some_and(|why| why.contains("does not fit")),
        "it does not open"
    );
}

#[tokio::test]
async fn an_erased_data_key_encrypts_nothing_any_more_whoever_holds_it() {
    let place = Place::new();
    let key = conversation("c");
    let (mine, theirs) = (place.store(A).await, place.store(A).await);
    append(&mine, &key, "mine").await;
    append(&theirs, &key, "theirs").await;
    let mut past = place.server.connection().await;
    let ids = async |past: &mut redis::aio::MultiplexedConnection| -> BTreeSet<String> {
        past.hkeys(place.key(&key, "keys")).await.unwrap()
    };
    let before = ids(&mut past).await;
    assert_eq!(mine.erase(&key).await.unwrap().entries, 2);
    let gone: BTreeSet<String> = before.iter().map(|id| format!("gone:{id}")).collect();
    assert_eq!(ids(&mut past).await, gone);
    append(&theirs, &key, "anew").await;
    let user = User {
        name: "Ann".into(),
        ..User::default()
    };
    let created = SessionChange::by_creation("channel", &user, &BTreeMap::new());
    mine.erase(&key).await.unwrap();
    theirs.change_session(&key, &created).await.unwrap();
    append(&mine, &key, "once more").await;
    let fresh = place.store(A).await;
    assert_eq!(texts(&fresh, &key).await, ["raw once more"]);
    assert_eq!(fresh.session(&key).await.unwrap().unwrap().user.name, "Ann");
    let now: BTreeSet<String> = ids(&mut past).await;
    assert_eq!(now.iter().filter(|id| id.starts_with("gone:")).count(), 2);
    assert_eq!(now.len(), 3, "one key, and two that were erased: {now:?}");
}

/// A reader that meets entries between the two steps of an erasure leaves them out.
#[tokio::test]
async fn entries_whose_key_was_just_erased_are_left_out_and_read_past() {
    let place = Place::new();
    let (key, other) = (conversation("c"), neighbour(&conversation("c")));
    let store = place.store(A).await;
    for i in 0..5 {
        append(&store, &key, &format!("e{i}")).await;
    }
    append(&store, &other, "other").await;
    let mut past = place.server.connection().await;
    let keys = place.key(&key, "keys");
    let id: Vec<String> = past.hkeys(&keys).await.unwrap();
    let () = past.hdel(&keys, &id[0]).await.unwrap();
    let () = past.hset(&keys, format!("gone:{}", id[0]), "").await.unwrap();
    let fresh = place.store(A).await;
    let partition = chatbridge::store::partition::of(&key, PARTITIONS);
    let (mut from, mut seen) = (Position::Earliest, Vec::new());
    for _ in 0..10 {
        let page = fresh.read(partition, from, 2).await.unwrap();
        assert_eq!(page.gap, None);
        seen.extend(page.entries.iter().map(raw_of));
        from = Position::After(page.next);
        if page.at_tail {
            break;
        }
    }
    assert_eq!(seen, ["raw other"]);
    let mut behind = vec![chatbridge::event::EntryId::default(); usize::from(PARTITIONS)];
    behind.copy_from_slice(&fresh.tails().await.unwrap());
    behind[usize::from(partition)].n = 0;
    behind[usize::from(partition)].ms = 0;
    behind[usize::from(partition)].epoch = 0;
    let mut tail = fresh.tail(behind).await.unwrap();
    let live: Vec<String> = tail.next().await.unwrap().iter().map(raw_of).collect();
    assert_eq!(live, ["raw other"]);
}

/// Writers and readers that never stop while the master key is changed under them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn master_keys_rotate_under_load_without_one_failure() {
    let place = Place::new();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keys");
    let put = async |rings: &[KeyRing], text: &str| {
        let part = dir.path().join("part");
        std::fs::write(&part, text).unwrap();
        std::fs::rename(&part, &path).unwrap();
        for ring in rings {
            ring.refresh().await;
        }
    };
    std::fs::write(&path, A).unwrap();
    let rings = [(); 2].map(|()| KeyRing::from_file(&path).unwrap());
    let mut stores = Vec::new();
    for ring in &rings {
        stores.push(Arc::new(place.with_ring(Some(ring.clone())).await.unwrap()));
    }
    let stop = Arc::new(AtomicBool::new(false));
    let mut writers = Vec::new();
    for (number, store) in stores.iter().enumerate() {
        let (store, stop) = (Arc::clone(store), Arc::clone(&stop));
        writers.push(tokio::spawn(async move {
            let mut count = 0_u64;
            while !stop.load(Ordering::Relaxed) {
                // Known ones, and new ones all the time.
                for name in [format!("c{}", count % 7), format!("new {}", count / 5)] {
                    let key = conversation(&name);
                    let change = SessionChange::by_creation(
                        "ch",
                        &User {
                            name: name.clone(),
                            ..User::default()
                        },
                        &BTreeMap::new(),
                    );
                    store.change_session(&key, &change).await.expect("a change");
                    let mut event: Append = event(&key, &format!("{number} {count} {name}"));
                    event.content = encode_content(Bytes::new(), format!("{number} {count} {name}").into());
                    assert!(matches!(
                        store.append(&event).await.expect("an append"),
                        Appended::New { .. }
                    ));
                    assert_eq!(
                        store.session(&key).await.expect("a session").unwrap().user.name,
                        name
                    );
                }
                count += 1;
            }
            count
        }));
    }
    let replay = async |store: &RedisStore| {
        let mut texts = BTreeSet::new();
        for partition in 0..PARTITIONS {
            let mut from = Position::Earliest;
            loop {
                let page = store.read(partition, from, 100).await.expect("a page");
                assert_eq!(page.gap, None);
                for entry in &page.entries {
                    assert_eq!(entry.unreadable, None);
                    texts.insert(raw_of(entry));
                }
                from = Position::After(page.next);
                if page.at_tail {
                    break;
                }
            }
        }
        texts
    };
    let some_more = async |store: &RedisStore| {
        let before = replay(store).await.len();
        eventually("more events", async || {
            (replay(store).await.len() > before + 20).then_some(())
        })
        .await;
    };
    some_more(&stores[0]).await;
    put(&rings, &format!("{A}\n{B}")).await;
    some_more(&stores[1]).await;
    // One replica hears of it before the other.
    put(&rings[..1], &format!("{B}\n{A}")).await;
    some_more(&stores[0]).await;
    put(&rings, &format!("{B}\n{A}")).await;
    some_more(&stores[1]).await;
    eventually("all data keys under the new one", async || {
        stores[0].tidy(1).await.expect("it is tidied");
        let wrapped = place.wrapped().await;
        (!wrapped.contains_key("a") && wrapped.contains_key("b")).then_some(())
    })
    .await;
    put(&rings, B).await;
    some_more(&stores[0]).await;
    stop.store(true, Ordering::Relaxed);
    let mut written = 0;
    for writer in writers {
        written += 2 * writer.await.expect("no failure");
    }
    assert!(written > 100);
    // Whoever never had the old key reads all of it.
    let fresh = place.store(B).await;
    assert_eq!(replay(&fresh).await.len() as u64, written);
    assert_eq!(place.wrapped().await.keys().collect::<Vec<_>>(), ["b"]);
}

#[tokio::test]
async fn data_keys_are_wrapped_anew_wherever_they_lie() {
    let f = Fixture::new(Kind::SealedCluster).await;
    let key = conversation("c");
    f.append(&event(&key, "e1")).await;
    f.append(&event(&stranger(&key), "e2")).await;
    eventually("its turn", async || f.store.tidy(1).await.unwrap().then_some(())).await;
    let names: Vec<String> = f.keys().await.into_iter().collect();
    assert_eq!(
        names.iter().filter(|name| name.contains(":wrapped:test")).count(),
        2,
        "{names:?}"
    );
}

/// Of how many conversations a master key wraps the data keys, as an operator sees it.
fn gauge(metrics: &PrometheusHandle, master: &str) -> Option<f64> {
    let begins = format!("chatbridge_data_keys{{master_key=\"{master}\"}} ");
    let text = metrics.render();
    text.lines()
        .find_map(|line| line.strip_prefix(&begins)?.parse().ok())
}

#[tokio::test]
async fn it_is_told_when_an_old_master_key_is_of_no_use_any_more() {
    // This test and all that it starts run on one thread.
    let recorder = Box::leak(Box::new(PrometheusBuilder::new().build_recorder()));
    let metrics = recorder.handle();
    let _guard = metrics::set_default_local_recorder(recorder);
    let place = Place::new();
    let old = place.store(A).await;
    let keys: Vec<_> = (0..150).map(|i| conversation(&format!("c{i}"))).collect();
    for key in &keys {
        append(&old, key, &key.conversation).await;
    }
    let turn = async |store: &RedisStore| {
        eventually("its turn", async || store.tidy(1).await.unwrap().then_some(())).await;
    };
    turn(&old).await;
    assert_eq!((gauge(&metrics, "a"), gauge(&metrics, "b")), (Some(150.0), None));
    old.erase(&keys[0]).await.unwrap();
    turn(&old).await;
    assert_eq!(gauge(&metrics, "a"), Some(149.0));

    // A replica that cannot unwrap them leaves them alone, and one that does not wrap does, too.
    for ring in [B.to_owned(), format!("plain\n{A}\n{B}")] {
        turn(&place.store(&ring).await).await;
        assert_eq!(gauge(&metrics, "a"), Some(149.0), "{}", ring.len());
    }
    let new = place.store(&format!("{B}\n{A}")).await;
    turn(&new).await;
    assert_eq!(
        (gauge(&metrics, "a"), gauge(&metrics, "b")),
        (Some(0.0), Some(149.0))
    );
    assert_eq!(place.wrapped().await, BTreeMap::from([("b".to_owned(), 149)]));
    let only_new = place.store(B).await;
    for key in &keys[1..] {
        assert_eq!(texts(&only_new, key).await, [format!("raw {}", key.conversation)]);
    }
}
