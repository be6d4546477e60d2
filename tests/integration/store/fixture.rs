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
        entry::encode_content,
        memory::{Checkpoint, MemoryStore},
        redis::{RedisSettings, RedisStore},
    },
};
use prost::Message as _;
use redis::AsyncCommands as _;

use crate::support::redis::{RedisServer, unique_prefix};

/// Partitions of the logs under test: few, so that conversations share them.
pub(crate) const PARTITIONS: u16 = 4;

/// Which store.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    Memory,
    Redis,
}

/// A store under test.
pub(crate) struct Fixture {
    pub(crate) store: Arc<dyn Store>,
    means: Means,
}

enum Means {
    Memory(Arc<MemoryStore>),
    Redis {
        store: Arc<RedisStore>,
        server: Arc<RedisServer>,
        prefix: String,
    },
}

/// All that a store held at one instant.
pub(crate) enum Snapshot {
    Memory(Box<Checkpoint>),
    Redis(Vec<(String, i64, Vec<u8>)>),
}

/// Settings for a Redis.
pub(crate) fn settings(server: &RedisServer, prefix: &str, retention: Retention) -> RedisSettings {
    RedisSettings {
        url: server.url().into(),
        prefix: prefix.to_owned(),
        partitions: PARTITIONS,
        retention,
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
                    means: Means::Memory(store),
                }
            }
            Kind::Redis => {
                let (server, prefix) = (RedisServer::shared(), unique_prefix());
                let settings = settings(&server, &prefix, retention);
                let store = Arc::new(RedisStore::connect(settings).await.expect("a store"));
                Self {
                    store: store.clone(),
                    means: Means::Redis {
                        store,
                        server,
                        prefix,
                    },
                }
            }
        }
    }

    /// Stored fields of a session.
    pub(crate) async fn fields(&self, key: &ConversationKey) -> Fields {
        match &self.means {
            Means::Memory(store) => store.fields(key),
            Means::Redis { store, .. } => store.fields(key).await.expect("fields"),
        }
    }

    /// Loses everything.
    pub(crate) async fn wipe(&self) {
        match &self.means {
            Means::Memory(store) => store.wipe(),
            Means::Redis { server, prefix, .. } => {
                let mut connection = server.connection().await;
                for key in keys(&mut connection, prefix).await {
                    let () = connection.del(key).await.expect("DEL");
                }
            }
        }
    }

    pub(crate) async fn snapshot(&self) -> Snapshot {
        match &self.means {
            Means::Memory(store) => Snapshot::Memory(Box::new(store.checkpoint())),
            Means::Redis { server, prefix, .. } => {
                let mut connection = server.connection().await;
                let mut dumps = Vec::new();
                for key in keys(&mut connection, prefix).await {
                    let ttl: i64 = connection.pttl(&key).await.expect("PTTL");
                    let dump = redis::cmd("DUMP").arg(&key).query_async(&mut connection).await;
                    dumps.push((key, ttl.max(0), dump.expect("DUMP")));
                }
                Snapshot::Redis(dumps)
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
            (Means::Redis { server, prefix, .. }, Snapshot::Redis(dumps)) => {
                let mut connection = server.connection().await;
                let mut restore = redis::pipe();
                restore.atomic();
                for key in keys(&mut connection, prefix).await {
                    restore.del(key);
                }
                for (key, ttl, dump) in dumps {
                    restore.cmd("RESTORE").arg(key).arg(ttl).arg(dump);
                }
                let () = restore.query_async(&mut connection).await.expect("RESTORE");
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

async fn keys(connection: &mut redis::aio::MultiplexedConnection, prefix: &str) -> Vec<String> {
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
