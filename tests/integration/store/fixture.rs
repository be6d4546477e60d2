//! Either store, with the means to damage it.

use std::{
    future::Future,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use chatbridge::{
    conversation::{SessionChange, session::Fields},
    event::{ConversationKey, EntryId, TenantId},
    grpc::proto::{AgentEvent, EventKind},
    store::{
        Append, Appended, Page, Retention, Store,
        chat_v2::ChatV2Store,
        entry::encode_content,
        memory::{Checkpoint, MemoryStore},
        outbox::OutboxStore,
        redis::{RedisSettings, RedisStore, RedisTls},
        seal::KeyRing,
        subscription::SubscriptionStore,
    },
};
use prost::Message as _;
use redis::AsyncCommands as _;

use crate::support::{
    redis::{RedisServer, unique_prefix},
    topologies::{RedisCluster, SentinelSet},
};

/// Partitions of the logs under test: few, so that conversations share them.
pub(crate) const PARTITIONS: u16 = 4;

/// Which store.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    Memory,
    Redis,
    /// One that encrypts contents.
    Sealed,
    Sentinel,
    Cluster,
    /// One that encrypts contents.
    SealedCluster,
}

/// A master key, as settings have it.
pub(crate) const MASTER_KEY: &str = "test:q7tVm1x0m0Jt0oQ2rXQ5b6o0Y0k1cWJmT2m3q8s9d0E=";

/// A store under test.
pub(crate) struct Fixture {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) subscriptions: Arc<dyn SubscriptionStore>,
    pub(crate) chat_v2: Arc<dyn ChatV2Store>,
    pub(crate) outbox: Arc<dyn OutboxStore>,
    means: Means,
}

enum Means {
    Memory(Arc<MemoryStore>),
    Redis {
        store: Arc<RedisStore>,
        /// The servers that hold something.
        masters: Vec<String>,
        prefix: String,
        /// What keeps them running.
        server: Option<Arc<RedisServer>>,
    },
}

/// All that a store held at one instant.
pub(crate) enum Snapshot {
    Memory(Box<Checkpoint>),
    /// By server: keys, times to live, and dumps.
    Redis(Vec<Vec<(String, i64, Vec<u8>)>>),
}

/// Settings for a Redis.
pub(crate) fn settings(server: &RedisServer, prefix: &str, retention: Retention) -> RedisSettings {
    settings_of(&server.url(), prefix, retention)
}

/// Settings for whatever Redis.
pub(crate) fn settings_of(url: &str, prefix: &str, retention: Retention) -> RedisSettings {
    RedisSettings {
        url: url.into(),
        tls: RedisTls::default(),
        prefix: prefix.to_owned(),
        partitions: PARTITIONS,
        retention,
        wait: None,
        claims: None,
        master_keys: None,
    }
}

impl Fixture {
    pub(crate) async fn new(kind: Kind) -> Self {
        Self::keeping(kind, Retention::default()).await
    }

    pub(crate) async fn keeping(kind: Kind, retention: Retention) -> Self {
        match kind {
            Kind::Memory => {
                let store = Arc::new(MemoryStore::new(PARTITIONS, retention));
                Self {
                    store: store.clone(),
                    subscriptions: store.clone(),
                    chat_v2: store.clone(),
                    outbox: store.clone(),
                    means: Means::Memory(store),
                }
            }
            Kind::Redis => {
                let server = RedisServer::shared();
                let url = server.url();
                Self::on_redis(&url, vec![url.clone()], retention, Some(server), false).await
            }
            Kind::Sealed => {
                let server = RedisServer::shared();
                let url = server.url();
                Self::on_redis(&url, vec![url.clone()], retention, Some(server), true).await
            }
            Kind::Sentinel => {
                let set = SentinelSet::shared();
                Self::on_redis(&set.url(), vec![set.master().url()], retention, None, false).await
            }
            Kind::Cluster | Kind::SealedCluster => {
                let cluster = RedisCluster::shared();
                let masters = cluster.masters().iter().map(|node| node.url()).collect();
                let is_sealed = matches!(kind, Kind::SealedCluster);
                Self::on_redis(&cluster.url(), masters, retention, None, is_sealed).await
            }
        }
    }

    async fn on_redis(
        url: &str,
        masters: Vec<String>,
        retention: Retention,
        server: Option<Arc<RedisServer>>,
        is_sealed: bool,
    ) -> Self {
        let prefix = unique_prefix();
        let settings = RedisSettings {
            master_keys: is_sealed.then(|| KeyRing::fixed(MASTER_KEY).expect("a key")),
            ..settings_of(url, &prefix, retention)
        };
        let store = Arc::new(RedisStore::connect(settings).await.expect("a store"));
        Self {
            store: store.clone(),
            subscriptions: store.clone(),
            chat_v2: store.clone(),
            outbox: store.clone(),
            means: Means::Redis {
                store,
                masters,
                prefix,
                server,
            },
        }
    }

    /// Stored fields of a session.
    pub(crate) async fn fields(&self, key: &ConversationKey) -> Fields {
        match &self.means {
            Means::Memory(store) => store.fields(key),
            Means::Redis { store, .. } => store.fields(key).await.expect("fields"),
        }
    }

    /// The one server, and what its keys start with; none for other stores.
    pub(crate) fn redis(&self) -> Option<(&RedisServer, &str)> {
        match &self.means {
            Means::Memory(_) => None,
            Means::Redis { server, prefix, .. } => Some((server.as_deref()?, prefix)),
        }
    }

    /// Whether it is in Redis.
    pub(crate) fn has_keys(&self) -> bool {
        matches!(self.means, Means::Redis { .. })
    }

    /// Names of all keys of a store in Redis.
    pub(crate) async fn keys(&self) -> std::collections::BTreeSet<String> {
        match &self.means {
            Means::Memory(_) => panic!("memory has no keys"),
            Means::Redis { masters, prefix, .. } => {
                let mut found = std::collections::BTreeSet::new();
                for master in masters {
                    found.extend(keys(&mut connection(master).await, prefix).await);
                }
                found
            }
        }
    }

    /// What a command that takes nothing but a key answers of one that is there.
    pub(crate) async fn of_key<T: redis::FromRedisValue>(&self, command: &str, key: &str) -> T {
        let Means::Redis { masters, .. } = &self.means else {
            panic!("memory has no keys")
        };
        for master in masters {
            let (mut connection, mut command) = (connection(master).await, redis::cmd(command));
            let answer = command.arg(key).query_async(&mut connection).await;
            // Another node of a cluster says that it is not the one.
            if let Ok(answer) = answer {
                return answer;
            }
        }
        panic!("nobody answers {command} of {key}")
    }

    /// Members of a sorted set.
    pub(crate) async fn members(&self, key: &str) -> Vec<String> {
        let Means::Redis { masters, .. } = &self.means else {
            panic!("memory has no keys")
        };
        for master in masters {
            let answer = connection(master).await.zrange(key, 0, -1).await;
            if let Ok(members) = answer {
                return members;
            }
        }
        panic!("nobody has {key}")
    }

    /// Loses everything.
    pub(crate) async fn wipe(&self) {
        match &self.means {
            Means::Memory(store) => store.wipe(),
            Means::Redis { masters, prefix, .. } => {
                for master in masters {
                    let mut connection = connection(master).await;
                    for key in keys(&mut connection, prefix).await {
                        let () = connection.del(key).await.expect("DEL");
                    }
                }
            }
        }
    }

    pub(crate) async fn snapshot(&self) -> Snapshot {
        match &self.means {
            Means::Memory(store) => Snapshot::Memory(Box::new(store.checkpoint())),
            Means::Redis { masters, prefix, .. } => {
                let mut snapshot = Vec::new();
                for master in masters {
                    let mut connection = connection(master).await;
                    let mut dumps = Vec::new();
                    for key in keys(&mut connection, prefix).await {
                        let ttl: i64 = connection.pttl(&key).await.expect("PTTL");
                        let dump = redis::cmd("DUMP").arg(&key).query_async(&mut connection).await;
                        dumps.push((key, ttl.max(0), dump.expect("DUMP")));
                    }
                    snapshot.push(dumps);
                }
                Snapshot::Redis(snapshot)
            }
        }
    }

    /// Goes back, as a fail-over to a replica that lagged does.
    pub(crate) async fn restore(&self, snapshot: Snapshot) {
        // A fail-over takes longer than the millisecond in which the last entry was appended.
        let lost_ms = self
            .store
            .tails()
            .await
            .expect("tails")
            .iter()
            .map(|id| id.ms)
            .max();
        eventually("the next millisecond", async || {
            (self.store.now_ms().await.ok() > lost_ms).then_some(())
        })
        .await;
        match (&self.means, snapshot) {
            (Means::Memory(store), Snapshot::Memory(checkpoint)) => store.restore(*checkpoint),
            (Means::Redis { masters, prefix, .. }, Snapshot::Redis(snapshot)) => {
                for (master, dumps) in masters.iter().zip(snapshot) {
                    let mut connection = connection(master).await;
                    let mut restore = redis::pipe();
                    // A cluster refuses transactions over several slots.
                    if masters.len() == 1 {
                        restore.atomic();
                    }
                    for key in keys(&mut connection, prefix).await {
                        restore.del(key);
                    }
                    for (key, ttl, dump) in dumps {
                        restore.cmd("RESTORE").arg(key).arg(ttl).arg(dump);
                    }
                    let () = restore.query_async(&mut connection).await.expect("RESTORE");
                }
            }
            _ => panic!("a snapshot of another store"),
        }
    }

    /// Appends, and expects that it is new.
    pub(crate) async fn append(&self, event: &Append) -> EntryId {
        match self.store.append(event).await.expect("append") {
            Appended::New { id, .. } => id,
            other => panic!("{} was {other:?}", event.event_id),
        }
    }

    /// Reads one conversation's partition from its beginning, in one page.
    pub(crate) async fn read_all(&self, partition: u16) -> Page {
        use chatbridge::event::Position;
        self.store
            .read(partition, Position::Earliest, 1000)
            .await
            .expect("read")
    }

    pub(crate) fn partition(&self, key: &ConversationKey) -> u16 {
        chatbridge::store::partition::of(key, self.store.partitions())
    }
}

async fn connection(url: &str) -> redis::aio::MultiplexedConnection {
    let client = redis::Client::open(url).expect("its URL");
    client
        .get_multiplexed_async_connection()
        .await
        .expect("a connection")
}

pub(crate) async fn keys(connection: &mut redis::aio::MultiplexedConnection, prefix: &str) -> Vec<String> {
    // Without a bound on what one step looks at, the shared server's other keys cost many round trips.
    let mut found: Vec<String> = Vec::new();
    let mut cursor = 0_u64;
    loop {
        let (next, keys): (u64, Vec<String>) = redis::cmd("SCAN")
            .arg(cursor)
            .arg("MATCH")
            .arg(format!("{prefix}:*"))
            .arg("COUNT")
            .arg(10_000)
            .query_async(connection)
            .await
            .expect("SCAN");
        found.extend(keys);
        if next == 0 {
            found.sort();
            found.dedup();
            return found;
        }
        cursor = next;
    }
}

pub(crate) fn tenant() -> TenantId {
    TenantId::new("tenant:1")
}

pub(crate) fn conversation(name: &str) -> ConversationKey {
    ConversationKey::new(tenant(), name)
}

/// A conversation that shares the partition of another.
pub(crate) fn neighbour(of: &ConversationKey) -> ConversationKey {
    let partition = |key: &ConversationKey| chatbridge::store::partition::of(key, PARTITIONS);
    (0..)
        .map(|i| conversation(&format!("neighbour-{i}")))
        .find(|key| partition(key) == partition(of))
        .expect("there are many")
}

/// A conversation in another partition.
pub(crate) fn stranger(to: &ConversationKey) -> ConversationKey {
    let partition = |key: &ConversationKey| chatbridge::store::partition::of(key, PARTITIONS);
    (0..)
        .map(|i| conversation(&format!("stranger-{i}")))
        .find(|key| partition(key) != partition(to))
        .expect("there are many")
}

/// An event that says nothing but that its conversation exists.
pub(crate) fn event(key: &ConversationKey, id: &str) -> Append {
    let head = AgentEvent {
        tenant: key.tenant.to_string(),
        conversation_id: key.conversation.clone(),
        event_id: id.to_owned(),
        kind: EventKind::Message.into(),
        ..AgentEvent::default()
    };
    let mut digest = [0; 32];
    digest[..id.len().min(32)].copy_from_slice(&id.as_bytes()[..id.len().min(32)]);
    Append {
        key: key.clone(),
        event_id: id.to_owned(),
        digest,
        head: head.encode_to_vec().into(),
        content: encode_content(Bytes::new(), Bytes::from(format!("raw {id}"))),
        change: SessionChange::by_call(),
        echo: None,
        settle_after_ms: 0,
    }
}

/// Waits until something is there.
pub(crate) async fn eventually<T, F: Future<Output = Option<T>>>(what: &str, look: impl Fn() -> F) -> T {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < deadline, "{what} did not happen in time");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Raw body of an entry that [`event`] made.
pub(crate) fn raw_of(entry: &chatbridge::store::Entry) -> String {
    String::from_utf8(entry.raw.to_vec()).expect("text")
}
