//! The store in Redis (7.0 or newer; standalone, or behind a name that follows the master).
//!
//! All keys start with the prefix (`chatbridge` unless set). Keys of a partition share its hash tag, so that the scripts
//! work on a cluster too; claims, idempotency records and customers are used alone and spread by themselves.
//!
//! | key | type | holds | lives |
//! | --- | --- | --- | --- |
//! | `PREFIX:schema` | hash | `version` of the stored format, `partitions` | for ever |
//! | `PREFIX:probe` | string | nothing; written to see whether Redis takes writes | 10 s |
//! | `PREFIX:claim:EVENT` | string | SHA-256 of the body under which the event's id is known | dedupe |
//! | `PREFIX:idem:CALL` | hash | `digest`, `state`, `mark`, `answer`, `started` (Unix ms), `nonce` of a call | idempotency |
//! | `PREFIX:customer:CUSTOMER` | string | `a:ATTEMPT` to create a conversation, or `c:MS:CONVERSATION` since Unix ms | idempotency, session |
//! | `PREFIX:{TAG}:log` | stream | the partition's entries, id `ms-n` | trimmed by log |
//! | `PREFIX:{TAG}:meta` | hash | `epoch`, `n` and `ms` of the last entry, `trimmed` (Unix ms) | for ever |
//! | `PREFIX:{TAG}:seen:EVENT` | string | nothing: the event is in the log | dedupe |
//! | `PREFIX:{TAG}:session:NAME` | hash | fields of a session (`conversation::session`) | session |
//! | `PREFIX:{TAG}:index:NAME` | sorted set | its entries: score `ms`, member `n` in 16 digits | session or log |
//! | `PREFIX:{TAG}:sessions:TENANT` | sorted set | conversations by last activity, Unix ms | session |
//! | `PREFIX:{TAG}:unsettled` | sorted set | names by the time to look again, Unix ms | - |
//! | `PREFIX:{TAG}:ledger:PRINT:NAME` | sorted set | operations that were announced (`announce.lua`), by when, Unix ms | idempotency and a 64th |
//! | `PREFIX:{TAG}:echo:PRINT:NAME` | list | `REQUEST_ID:TOKEN` of sends whose echo is awaited, oldest first; the id may be empty | idempotency |
//!
//! EVENT, CALL, CUSTOMER and PRINT are hashes ([`keys::hash`]); NAME is `TENANT:CONVERSATION`, with `%` and `:` in the tenant
//! escaped as in a URL. An entry's fields: `v` format, `k` key id, `h` head, `c` content, `q` sequence, `e` session epoch,
//! `s` state, `r` request id.
//!
//! Redis must not evict: with any policy but `noeviction` it may drop parts of the log, which readers are told as a gap.

mod calls;
mod error;
mod keys;
mod link;
mod read;
mod scripts;
mod start;
mod tail;
mod wire;

use ::redis::{Client, Pipeline, Value, cmd};
use async_trait::async_trait;
use secrecy::SecretString;

use self::{
    keys::{Keys, hash, name, parse_name},
    link::Link,
    scripts::{APPEND, CHANGE_SESSION, Call, UNSETTLED},
    tail::RedisTail,
};
use super::{
    Announcement, Append, Appended, Begun, Concluded, Customer, CustomerKey, Finished, IdempotencyKey,
    Ledger, LedgerKey, Page, Retention, SessionMark, Store, StoreError, Tail, entry::FORMAT,
};
use crate::{
    conversation::{Session, SessionChange, session::Fields},
    event::{ConversationKey, EntryId, Position, TenantId},
};

/// Where the store is, and what it keeps.
#[derive(Debug, Clone)]
pub struct RedisSettings {
    /// `redis://[user:password@]host[:port][/database]`, or `rediss://` for TLS.
    pub url: SecretString,
    /// What all keys start with: 1 to 64 visible ASCII characters without braces.
    pub prefix: String,
    /// How many partitions the log has, 1 to [`super::partition::MAX_PARTITIONS`]; fixed when the log is first used.
    pub partitions: u16,
    /// How long things are kept.
    pub retention: Retention,
}

/// The store in Redis.
pub struct RedisStore {
    client: Client,
    keys: Keys,
    retention: Retention,
    /// What is small and urgent.
    link: Link,
    /// What may be large, so that somebody who reads much does not delay an append.
    reads: Link,
}

impl RedisStore {
    /// Connects, and checks that Redis is new enough and that the log is the one that is meant.
    ///
    /// Fails with [`StoreError::Mismatch`] where that is not so or a setting is wrong, and with
    /// [`StoreError::Unavailable`] where Redis cannot be reached or takes no writes.
    pub async fn connect(settings: RedisSettings) -> Result<Self, StoreError> {
        start::check_retention(&settings.retention)?;
        let client = link::client(&settings.url)?;
        let store = Self {
            keys: Keys::new(settings.prefix, settings.partitions)?,
            retention: settings.retention,
            link: Link::new(client.clone()),
            reads: Link::new(client.clone()),
            client,
        };
        start::check_server(&store.link).await?;
        start::check_schema(&store.link, &store.keys).await?;
        Ok(store)
    }

    /// The stored fields of a session, for whoever wants to see them as they are; empty where there is none.
    pub async fn fields(&self, key: &ConversationKey) -> Result<Fields, StoreError> {
        let session = self.keys.session(self.keys.partition(key), key);
        self.reads.command(cmd("HGETALL").arg(session)).await
    }

    fn index_ms(&self) -> u64 {
        self.retention.session_ms.max(self.retention.log_ms)
    }

    /// Claims an event's id for its body; whether it is this body's.
    async fn claim(&self, event: &str, digest: &[u8; 32]) -> Result<bool, StoreError> {
        let before: Option<Vec<u8>> = self
            .link
            .command(
                cmd("SET")
                    .arg(self.keys.claim(event))
                    .arg(digest.as_slice())
                    .arg(&["NX", "GET", "PX"])
                    .arg(self.retention.dedupe_ms),
            )
            .await?;
        Ok(before.is_none_or(|known| known == digest))
    }

    fn append_call(&self, event: &Append, hash: &str) -> Call {
        let (keys, key) = (&self.keys, &event.key);
        let partition = keys.partition(key);
        let mut names = vec![
            keys.log(partition),
            keys.meta(partition),
            keys.seen(partition, hash),
            keys.session(partition, key),
            keys.index(partition, key),
            keys.sessions(partition, &key.tenant),
            keys.unsettled(partition),
        ];
        names.extend(event.echo.as_ref().map(|print| keys.echo(partition, key, print)));
        Call::new(names)
            .arg(rand::random_range(1..=u64::MAX))
            .arg(self.retention.log_ms)
            .arg(self.retention.dedupe_ms)
            .arg(self.retention.session_ms)
            .arg(self.index_ms())
            .arg(event.settle_after_ms)
            .arg(FORMAT)
            .arg(event.head.as_ref())
            .arg(event.content.as_ref())
            .arg(&key.conversation)
            .arg(name(key))
            .change(&event.change)
    }

    /// Sessions of a tenant behind a mark, as far as one partition each can contribute to a page.
    async fn marks(
        &self,
        tenant: &TenantId,
        after: Option<&SessionMark>,
        limit: usize,
    ) -> Result<Vec<SessionMark>, StoreError> {
        let mut pipeline = Pipeline::new();
        let below = after.map_or("+inf".into(), |mark| format!("({}", mark.active_ms));
        for partition in 0..self.partitions() {
            let list = self.keys.sessions(partition, tenant);
            pipeline
                .cmd("ZREVRANGEBYSCORE")
                .arg(&list)
                .arg(&below)
                .arg("-inf");
            pipeline.arg(&["WITHSCORES", "LIMIT", "0"]).arg(limit);
            if let Some(mark) = after {
                // Several may have been active in the very millisecond of the mark.
                pipeline
                    .cmd("ZREVRANGEBYSCORE")
                    .arg(&list)
                    .arg(mark.active_ms)
                    .arg(mark.active_ms);
                pipeline.arg("WITHSCORES");
            }
        }
        let found: Vec<Vec<(String, f64)>> = self.reads.pipeline(&pipeline).await?;
        let mut marks: Vec<SessionMark> = found
            .into_iter()
            .flatten()
            .map(|(conversation, active)| SessionMark {
                active_ms: active as u64,
                conversation,
            })
            .filter(|mark| after.is_none_or(|after| newest_first(after, mark).is_lt()))
            .collect();
        marks.sort_by(newest_first);
        marks.truncate(limit);
        Ok(marks)
    }
}

/// The order of the list of sessions.
pub(super) fn newest_first(a: &SessionMark, b: &SessionMark) -> std::cmp::Ordering {
    (b.active_ms, &b.conversation).cmp(&(a.active_ms, &a.conversation))
}

fn session(key: ConversationKey, fields: &Fields) -> Option<Session> {
    (!fields.is_empty()).then(|| Session::from_fields(key, fields))
}

#[async_trait]
impl Store for RedisStore {
    fn partitions(&self) -> u16 {
        self.keys.partitions()
    }

    async fn now_ms(&self) -> Result<u64, StoreError> {
        let (seconds, micros): (u64, u64) = self.link.command(&cmd("TIME")).await?;
        Ok(seconds * 1000 + micros / 1000)
    }

    async fn append(&self, event: &Append) -> Result<Appended, StoreError> {
        let hash = hash(&[event.key.tenant.as_str(), &event.event_id]);
        if !self.claim(&hash, &event.digest).await? {
            return Ok(Appended::Forged);
        }
        let answer: Value = self.link.script(&APPEND, self.append_call(event, &hash)).await?;
        if answer == Value::Nil {
            return Ok(Appended::Duplicate);
        }
        let [ms, n, sequence, state, ahead, epoch] = wire::array_of(answer)?;
        Ok(Appended::New {
            id: EntryId {
                epoch: wire::number(&epoch)?,
                ms: wire::number(&ms)?,
                n: wire::number(&n)?,
            },
            sequence: wire::number(&sequence)?,
            state: wire::state(&state)?,
            clock_behind_ms: wire::number(&ahead)?,
        })
    }

    async fn tails(&self) -> Result<Vec<EntryId>, StoreError> {
        let mut pipeline = Pipeline::new();
        for partition in 0..self.partitions() {
            pipeline
                .cmd("HMGET")
                .arg(self.keys.meta(partition))
                .arg(&wire::META_FIELDS);
        }
        let metas: Vec<Value> = self.link.pipeline(&pipeline).await?;
        metas
            .into_iter()
            .map(|meta| Ok(wire::meta(meta)?.tail()))
            .collect()
    }

    async fn read(&self, partition: u16, from: Position, limit: usize) -> Result<Page, StoreError> {
        super::partition::check(partition, self.partitions())?;
        read::page(&self.reads, &self.keys, partition, None, from, limit).await
    }

    async fn read_conversation(
        &self,
        key: &ConversationKey,
        from: Position,
        limit: usize,
    ) -> Result<Page, StoreError> {
        let partition = self.keys.partition(key);
        read::page(&self.reads, &self.keys, partition, Some(key), from, limit).await
    }

    async fn tail(&self, behind: Vec<EntryId>) -> Result<Box<dyn Tail>, StoreError> {
        Ok(Box::new(RedisTail::open(&self.client, &self.keys, behind).await?))
    }

    async fn session(&self, key: &ConversationKey) -> Result<Option<Session>, StoreError> {
        if key.conversation.is_empty() {
            return Ok(None);
        }
        Ok(session(key.clone(), &self.fields(key).await?))
    }

    async fn change_session(&self, key: &ConversationKey, change: &SessionChange) -> Result<(), StoreError> {
        let partition = self.keys.partition(key);
        let call = Call::new([
            self.keys.session(partition, key),
            self.keys.index(partition, key),
            self.keys.sessions(partition, &key.tenant),
            self.keys.unsettled(partition),
        ])
        .arg(self.retention.session_ms)
        .arg(self.index_ms())
        .arg(&key.conversation)
        .arg(name(key))
        .change(change);
        self.link.script(&CHANGE_SESSION, call).await
    }

    async fn sessions(
        &self,
        tenant: &TenantId,
        after: Option<&SessionMark>,
        limit: usize,
    ) -> Result<Vec<(SessionMark, Option<Session>)>, StoreError> {
        let marks = self.marks(tenant, after, limit).await?;
        if marks.is_empty() {
            return Ok(Vec::new());
        }
        let mut pipeline = Pipeline::new();
        let key_of = |mark: &SessionMark| ConversationKey::new(tenant.clone(), mark.conversation.clone());
        for key in marks.iter().map(key_of) {
            pipeline
                .cmd("HGETALL")
                .arg(self.keys.session(self.keys.partition(&key), &key));
        }
        let found: Vec<Fields> = self.reads.pipeline(&pipeline).await?;
        let sessions = marks.into_iter().zip(found).map(|(mark, fields)| {
            let session = session(key_of(&mark), &fields);
            (mark, session)
        });
        Ok(sessions.collect())
    }

    async fn begin(
        &self,
        key: &IdempotencyKey,
        digest: &[u8; 32],
        mark: &[u8],
        nonce: u64,
        lease_ms: u64,
    ) -> Result<Begun, StoreError> {
        self.begin_call(key, digest, mark, nonce, lease_ms).await
    }

    async fn finish(&self, key: &IdempotencyKey, nonce: u64, finished: &Finished) -> Result<(), StoreError> {
        self.finish_call(key, nonce, finished).await
    }

    async fn announce(&self, announcement: &Announcement) -> Result<(), StoreError> {
        self.enter(announcement).await
    }

    async fn conclude(&self, announcement: &Announcement, concluded: &Concluded) -> Result<(), StoreError> {
        self.enter_outcome(announcement, concluded).await
    }

    async fn note_accepted(&self, at_ms: u64, operations: &[(LedgerKey, String)]) -> Result<(), StoreError> {
        self.enter_accepted(at_ms, operations).await
    }

    async fn ledger(&self, ledger: &LedgerKey) -> Result<Ledger, StoreError> {
        self.read_ledger(ledger).await
    }

    async fn customer(&self, key: &CustomerKey, attempt: &str) -> Result<Customer, StoreError> {
        self.find_customer(key, attempt).await
    }

    async fn bind_customer(
        &self,
        key: &CustomerKey,
        conversation: &str,
        attempt: Option<&str>,
    ) -> Result<(), StoreError> {
        self.note_customer(key, conversation, attempt).await
    }

    async fn release_customer(&self, key: &CustomerKey, conversation: &str) -> Result<(), StoreError> {
        self.forget_customer(key, conversation).await
    }

    async fn unsettled(&self, lease_ms: u64, limit: usize) -> Result<Vec<ConversationKey>, StoreError> {
        let mut keys = Vec::new();
        for partition in 0..self.partitions() {
            if keys.len() >= limit {
                break;
            }
            let call = Call::new([self.keys.unsettled(partition)])
                .arg(lease_ms)
                .arg(limit - keys.len())
                .arg(self.keys.session_start(partition));
            let names: Vec<String> = self.link.script(&UNSETTLED, call).await?;
            keys.extend(names.iter().filter_map(|name| parse_name(name)));
        }
        Ok(keys)
    }

    async fn ping(&self) -> Result<(), StoreError> {
        start::check_schema(&self.link, &self.keys).await
    }
}
