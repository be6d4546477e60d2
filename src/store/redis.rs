//! The store in Redis (7.0 or newer): one server, the master that Sentinels name, or a cluster.
//!
//! All keys start with the prefix (`chatbridge` unless set). Keys of a partition share its hash tag, so that the scripts
//! work on a cluster too; claims, idempotency records and customers are used alone and spread by themselves. Whatever is
//! asked is sent to the node of its first key, so a pipeline stays within a partition ([`topology`]).
//!
//! | key | type | holds | lives |
//! | --- | --- | --- | --- |
//! | `PREFIX:schema` | hash | `version` of the layout, `partitions`, `format` in which entries are written, `master:ID` by which a master key is known, `replica:ID` what a replica reads and writes (`format.rs`) | for ever; a replica's for a minute after its last word |
//! | `{PREFIX:schema}:probe`, `PREFIX:{TAG}:probe` | string | nothing; written to see whether Redis takes writes | 10 s |
//! | `PREFIX:claim:EVENT` | string | SHA-256 of the body under which the event's id is known; with `+` behind it: and it is in the log | dedupe |
//! | `PREFIX:janitor` | string | nothing; a replica trims the log | about a minute |
//! | `PREFIX:idem:CALL` | hash | `digest`, `state`, `mark`, `answer`, `started` (Unix ms), `nonce` of a call | idempotency |
//! | `PREFIX:customer:CUSTOMER` | string | `a:ATTEMPT` to create a conversation, or `c:MS:CONVERSATION` since Unix ms | idempotency, session |
//! | `PREFIX:subscriptions:TENANT` | hash | definitions of named subscriptions, by name | for ever |
//! | `PREFIX:chat-v2:TENANT` | hash | webhooks that clients of Chat API v2 registered, and the channels that go to them (`chat_v2.lua`) | for ever |
//! | `PREFIX:{outbox:TENANT}:webhooks` | sorted set | webhooks whose outbox has anything, by when there is something to do, Unix ms | while any has |
//! | `PREFIX:{outbox:TENANT}:WEBHOOK:waiting` | sorted set | events of an outbox; this key and the next five are in `outbox/part.lua`. WEBHOOK 0: it is not known where they go | until they are sent, or dead |
//! | `PREFIX:{outbox:TENANT}:WEBHOOK:due`, `…:claimed` | sorted set | its conversations by when they may be claimed, and by the end of their lease | while their events wait |
//! | `PREFIX:{outbox:TENANT}:WEBHOOK:notes` | hash | claims of conversations, failures of events | as those |
//! | `PREFIX:{outbox:TENANT}:WEBHOOK:state` | hash | how sending to the webhook goes | while the outbox has anything |
//! | `PREFIX:{outbox:TENANT}:WEBHOOK:dead` | sorted set | the newest 1,000 dead letters | until they are revived or discarded |
//! | `PREFIX:{outbox:TENANT}:probe` | string | nothing; written behind an event where replicas are waited for | 10 s |
//! | `PREFIX:members:SUB` | hash | the streams that read a subscription (`members.lua`), by id | lease |
//! | `PREFIX:durable:SUB` | hash | the slot of a durable subscription (`slots.lua`) | for ever |
//! | `PREFIX:{TAG}:shares:SUB` | hash | the slots of a shared subscription's shares in this partition | for ever |
//! | `PREFIX:{TAG}:log` | stream | the partition's entries, id `ms-n` | for ever; trimmed by log, may be empty |
//! | `PREFIX:{TAG}:meta` | hash | `epoch`, `n` and `ms` of the last entry, `bytes` ever taken in, `trimmed` (Unix ms), `erased` where places were erased | for ever |
//! | `PREFIX:{TAG}:erased` | sorted set | places of entries that were erased: score `n`, member `ms-n` | log |
//! | `PREFIX:{TAG}:erasing` | set | names of conversations that are being erased | until they are |
//! | `PREFIX:{TAG}:erase:NAME` | sorted set | entries that are to be erased, as in the index | until they are |
//! | `PREFIX:{TAG}:seen:EVENT` | string | the event is in the log; only where its claim is a step of its own ([`Claims`]) | dedupe |
//! | `PREFIX:{TAG}:session:NAME` | hash | fields of a session (`conversation::session`) | session |
//! | `PREFIX:{TAG}:index:NAME` | sorted set | its entries: score `n`, member `ms-n` | log and an hour |
//! | `PREFIX:{TAG}:sessions:TENANT` | sorted set | conversations by last activity, Unix ms | session |
//! | `PREFIX:{TAG}:unsettled` | sorted set | names by the time to look again, Unix ms | until looked at |
//! | `PREFIX:{TAG}:ledger:PRINT:NAME` | sorted set | operations that were announced (`announce.lua`), by when, Unix ms | idempotency and a 64th |
//! | `PREFIX:{TAG}:echo:PRINT:NAME` | list | `REQUEST_ID:TOKEN` of sends whose echo is awaited, oldest first; the id may be empty | idempotency |
//! | `PREFIX:{TAG}:prints:NAME` | sorted set | `ledger:PRINT` and `echo:PRINT` of a conversation, and `idem:CALL` whose answers tell what is in it, by when they were last announced, Unix ms | as those |
//! | `PREFIX:{TAG}:keys:NAME` | hash | data keys (`data_key.lua`): identifier to `MASTER:WRAPPED`; `gone:` and identifier of one that was erased | longer than session and log |
//! | `PREFIX:{TAG}:masters` | set | names of the master keys that wrap data keys | while any is |
//! | `PREFIX:{TAG}:wrapped:MASTER` | sorted set | names of the conversations whose data keys it wraps, by when these expire at the earliest, Unix ms | until then |
//! | `PREFIX:{TAG}:trace:CONVERSATION` | string | `traceparent` of the last call about a conversation, if its trace is kept | an hour |
//! | `PREFIX:stream:STREAM` | hash | `n` last change, `applied` last one taken up, `count` of conversations, `m:ID` for each, `c:N` changes that wait | while it is open, and 2 minutes |
//! | `PREFIX:streams` | stream | `id` of streams that were changed | 10 minutes after the last |
//!
//! EVENT, CALL, CUSTOMER, CONVERSATION, STREAM, SUB and PRINT are hashes ([`keys::hash`]); NAME is `TENANT:CONVERSATION`, with `%` and `:` in the tenant
//! escaped as in a URL. An entry's fields: `v` format, `k` identifier of the data key (if it is encrypted), `h` head, `c` content, `q` sequence,
//! `e` session epoch, `s` state, `b` bytes that the partition took in before it, `r` request id (if any).
//!
//! A session, its index and its list live up to a 64th of a session's time longer than the table says.
//!
//! Redis must not evict: with any policy but `noeviction` it may drop parts of the log, which readers are told as a gap.

mod append;
mod calls;
mod chat_v2;
mod cluster;
mod dial;
mod durable;
mod erase;
mod error;
mod facts;
mod format;
mod inspect;
mod keys;
mod link;
mod outbox;
mod poll;
mod read;
mod rewrap;
mod scripts;
mod sealed_call;
mod sealed_session;
mod sentinel;
mod start;
mod streams;
mod subscriptions;
mod tail;
mod tls;
mod told;
mod topology;
mod url;
mod vault;
mod wire;

use std::sync::Arc;

use ::redis::{Cmd, Value, cmd};
use async_trait::async_trait;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::Mutex;

use self::{
    append::Appends,
    format::Replica,
    keys::{Keys, parse_name},
    scripts::{Call, Constants, Script, UNSETTLED},
    sealed_session::{is_sensitive, open_fields, seal_change},
    start::Sealing,
    tail::RedisTail,
    topology::{Lane, Topology, Way},
    vault::Vault,
};
pub use self::{
    durable::Wait,
    format::{Formats, ReplicaFormats, SETTLED, formats, set_format},
    inspect::{Inspected, RedisKind, Schema, ServerFacts, inspect},
    tls::RedisTls,
};
use super::{
    Announcement, Append, Appended, Begun, Concluded, Customer, CustomerKey, Erased, Finished,
    IdempotencyKey, Ledger, LedgerKey, Page, Retention, SessionMark, Store, StoreError, StoreFacts,
    StreamRecords, TRACE_MS, Tail,
    entry::format::{BEGINS, NEWEST, OLDEST},
    seal::{DataKey, KeyRing},
    times::{Times, timed},
};
use crate::{
    conversation::{Session, SessionChange, session::Fields},
    event::{ConversationKey, EntryId, Position, TenantId},
};

/// Where the store is, and what it keeps.
#[derive(Debug, Clone)]
pub struct RedisSettings {
    /// `redis://[user:password@]host[:port][/database]`,
    /// `redis+sentinel://[user:password@]host[:port],…/MASTER[/database][?sentinel_username=…&sentinel_password=…]`, or
    /// `redis+cluster://[user:password@]host[:port],…`; with `rediss` for TLS.
    pub url: SecretString,
    /// Certificates, where the URL asks for TLS.
    pub tls: RedisTls,
    /// What all keys start with: 1 to 64 visible ASCII characters without braces.
    pub prefix: String,
    /// How many partitions the log has, 1 to [`super::partition::MAX_PARTITIONS`]; fixed when the log is first used.
    pub partitions: u16,
    /// How long things are kept.
    pub retention: Retention,
    /// On how many replicas an event must be before an append succeeds; `None`: on none.
    pub wait: Option<Wait>,
    /// How event ids are claimed; `None`: as the kind of Redis allows.
    pub claims: Option<Claims>,
    /// Master keys, by which contents are encrypted; `None`: they are not, and what is cannot be read.
    pub master_keys: Option<KeyRing>,
}

/// Says what is wrong with a Redis URL, without repeating any of it.
pub fn check_url(url: &str) -> Result<(), String> {
    url::parse(url, &RedisTls::default()).map(drop)
}

/// How an event's id is claimed for its body, which is what tells a repeated delivery from a forgery. Replicas of either kind
/// understand what the other wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Claims {
    /// In one step with the append: one round trip. The claim's key must be in reach of the script, as it is in everything but a
    /// cluster.
    #[default]
    WithAppend,
    /// In a step of its own before it. In a cluster the claim lies in another slot than the partition: a forgery may name a
    /// conversation of another partition, so the claim cannot be a partition's.
    Apart,
}

/// How much longer than its entries an index is kept, since the janitor may come late.
const INDEX_SLACK_MS: u64 = 3_600_000;

/// The store in Redis.
pub struct RedisStore {
    topology: Arc<Topology>,
    keys: Keys,
    retention: Retention,
    /// What appends wait for.
    wait: Option<Wait>,
    claims: Claims,
    /// For each format that can be written, the oldest first.
    appends: Vec<Appends>,
    replica: Replica,
    change_session: Script,
    change_session_sealed: Script,
    /// `None`: nothing is encrypted.
    vault: Option<Arc<Vault>>,
    appetite: read::Appetite,
    /// Held, for each partition, while it is trimmed after an append.
    trimming: Vec<Arc<Mutex<()>>>,
    /// What is small and urgent.
    link: Way,
    /// What may be large, so that somebody who reads much does not delay an append.
    reads: Way,
    times: Times,
}

impl RedisStore {
    /// Connects, and checks that Redis is new enough and that the log is the one that is meant.
    ///
    /// Fails with [`StoreError::Mismatch`] where that is not so or a setting is wrong, and with
    /// [`StoreError::Unavailable`] where Redis cannot be reached or takes no writes.
    pub async fn connect(settings: RedisSettings) -> Result<Self, StoreError> {
        start::check_retention(&settings.retention)?;
        let keys = Keys::new(settings.prefix, settings.partitions)?;
        // Files that cannot be read now were named wrongly; later they may be about to be replaced.
        settings
            .tls
            .certificates()
            .map_err(|problem| StoreError::Mismatch(problem.to_string()))?;
        let place = url::parse(settings.url.expose_secret(), &settings.tls).map_err(StoreError::Mismatch)?;
        let topology = Topology::new(place, settings.wait);
        let link = Way::new(&topology, Lane::Urgent);
        let by_kind = if link.is_cluster() {
            Claims::Apart
        } else {
            Claims::WithAppend
        };
        let constants = Constants {
            dedupe_ms: settings.retention.dedupe_ms,
            session_ms: settings.retention.session_ms,
            index_ms: settings.retention.log_ms.saturating_add(INDEX_SLACK_MS),
        };
        let reads = Way::new(&topology, Lane::Reads);
        let vault = settings.master_keys.map(|ring| {
            let (keys, ways) = (keys.clone(), (link.clone(), reads.clone()));
            Arc::new(Vault::new(ring, keys, &settings.retention, ways.0, ways.1))
        });
        let store = Self {
            keys,
            appends: (OLDEST..=NEWEST)
                .map(|format| Appends::new(format, &constants))
                .collect(),
            replica: Replica::new(BEGINS),
            change_session: Script::change_session(&constants),
            change_session_sealed: Script::change_session_sealed(&constants),
            vault,
            appetite: read::Appetite::default(),
            trimming: (0..settings.partitions).map(|_| Arc::default()).collect(),
            retention: settings.retention,
            wait: settings.wait,
            claims: settings.claims.unwrap_or(by_kind),
            reads,
            link,
            topology,
            times: Times::new("redis"),
        };
        start::check_servers(&store.link).await?;
        store.renew().await?;
        store.check_master_keys().await?;
        Ok(store)
    }

    /// Checks what the log is, tells the others of this replica, and takes up the format in which all are to write.
    async fn renew(&self) -> Result<(), StoreError> {
        let told = Some(&self.replica);
        let format = start::check_schema(&self.link, &self.keys, self.sealing(), told).await?;
        self.replica.take_up(format);
        Ok(())
    }

    fn sealing(&self) -> Sealing {
        self.vault.as_ref().map_or(Sealing::None, |vault| vault.sealing())
    }

    /// Refuses master keys that are others than those that Redis knows by their names.
    async fn check_master_keys(&self) -> Result<(), StoreError> {
        let Some(vault) = &self.vault else {
            return Ok(());
        };
        let masters = vault.masters();
        for master in masters.all() {
            let is_used = masters.first().is_some_and(|first| first.id() == master.id());
            vault.check(master, is_used).await?;
        }
        Ok(())
    }

    /// The fields of a session, for whoever wants to see them as they are; empty where there is none.
    pub async fn fields(&self, key: &ConversationKey) -> Result<Fields, StoreError> {
        let session = self.keys.session(self.keys.partition(key), key);
        let fields = self.reads.command(cmd("HGETALL").arg(session)).await?;
        let mut opened = open_fields(self.vault.as_deref(), vec![(key.clone(), fields)]).await?;
        Ok(opened.pop().map(|(_, fields)| fields).unwrap_or_default())
    }

    /// How long to know that a conversation was erased, in milliseconds.
    fn erasures_known_ms(&self) -> u64 {
        let kept_ms = self.retention.log_ms.max(self.retention.session_ms);
        let kept_ms = kept_ms.saturating_add(INDEX_SLACK_MS);
        self.vault
            .as_ref()
            .map_or(kept_ms, |vault| vault.ttl_ms().max(kept_ms))
    }

    async fn page(
        &self,
        partition: u16,
        conversation: Option<&ConversationKey>,
        from: Position,
        limit: usize,
    ) -> Result<Page, StoreError> {
        let asked = read::Asked {
            partition,
            conversation,
            from,
            limit,
        };
        read::page(
            &self.reads,
            &self.keys,
            self.vault.as_deref(),
            &self.appetite,
            asked,
        )
        .await
    }

    /// A call that changes a session; its arguments are to follow.
    fn session_call(&self, key: &ConversationKey, data_key: Option<&DataKey>) -> Call {
        let partition = self.keys.partition(key);
        let names = [
            self.keys.session(partition, key),
            self.keys.index(partition, key),
            self.keys.sessions(partition, &key.tenant),
            self.keys.unsettled(partition),
        ];
        let data_keys = data_key.map(|_| self.keys.data_keys(partition, key));
        Call::new(names.into_iter().chain(data_keys))
    }

    /// Sessions of a tenant behind a mark, as far as one partition each can contribute to a page.
    async fn marks(
        &self,
        tenant: &TenantId,
        after: Option<&SessionMark>,
        limit: usize,
    ) -> Result<Vec<SessionMark>, StoreError> {
        let below = after.map_or("+inf".into(), |mark| format!("({}", mark.active_ms));
        let mut commands = Vec::new();
        for partition in 0..self.partitions() {
            let list = self.keys.sessions(partition, tenant);
            let mut range = cmd("ZREVRANGEBYSCORE");
            range.arg(&list).arg(&below).arg("-inf");
            commands.push(range.arg(&["WITHSCORES", "LIMIT", "0"]).arg(limit).clone());
            if let Some(mark) = after {
                // Several may have been active in the very millisecond of the mark.
                let mut range = cmd("ZREVRANGEBYSCORE");
                range.arg(&list).arg(mark.active_ms).arg(mark.active_ms);
                commands.push(range.arg("WITHSCORES").clone());
            }
        }
        let found: Vec<Vec<(String, f64)>> = self.reads.scatter(commands).await?;
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
        let (seconds, micros): (u64, u64) = self.link.anywhere(&cmd("TIME")).await?;
        Ok(seconds * 1000 + micros / 1000)
    }

    async fn append(&self, event: &Append) -> Result<Appended, StoreError> {
        timed(&self.times.append, self.append_event(event)).await
    }

    async fn tails(&self) -> Result<Vec<EntryId>, StoreError> {
        let meta = |partition| -> Cmd {
            cmd("HMGET")
                .arg(self.keys.meta(partition))
                .arg(&wire::META_FIELDS)
                .clone()
        };
        let metas: Vec<Value> = self
            .link
            .scatter((0..self.partitions()).map(meta).collect())
            .await?;
        metas
            .into_iter()
            .map(|meta| Ok(wire::meta(meta)?.tail()))
            .collect()
    }

    async fn read(&self, partition: u16, from: Position, limit: usize) -> Result<Page, StoreError> {
        super::partition::check(partition, self.partitions())?;
        timed(&self.times.read, self.page(partition, None, from, limit)).await
    }

    async fn read_conversation(
        &self,
        key: &ConversationKey,
        from: Position,
        limit: usize,
    ) -> Result<Page, StoreError> {
        let partition = self.keys.partition(key);
        timed(&self.times.read, self.page(partition, Some(key), from, limit)).await
    }

    async fn tail(&self, behind: Vec<EntryId>) -> Result<Box<dyn Tail>, StoreError> {
        Ok(Box::new(
            RedisTail::open(&self.topology, &self.keys, self.vault.as_ref(), behind).await?,
        ))
    }

    async fn session(&self, key: &ConversationKey) -> Result<Option<Session>, StoreError> {
        if key.conversation.is_empty() {
            return Ok(None);
        }
        Ok(session(key.clone(), &self.fields(key).await?))
    }

    async fn change_session(&self, key: &ConversationKey, change: &SessionChange) -> Result<(), StoreError> {
        const KEYS_TRIED: usize = 4;
        for _ in 0..KEYS_TRIED {
            // Asked for in any case, which keeps it from expiring before the session.
            let data_key = match &self.vault {
                Some(vault) => vault.to_seal(key).await?,
                None => None,
            };
            let data_key = data_key.filter(|_| is_sensitive(change));
            let (Some(data_key), Some(vault)) = (data_key, &self.vault) else {
                let call = self.session_call(key, None).arg(&key.conversation);
                return self.link.script(&self.change_session, call.change(change)).await;
            };
            let call = self
                .session_call(key, Some(&data_key))
                .arg(&key.conversation)
                .arg(data_key.id().to_string())
                .change(&seal_change(&data_key, change)?);
            let key_is_gone: Option<u8> = self.link.script(&self.change_session_sealed, call).await?;
            if key_is_gone.is_none() {
                return Ok(());
            }
            vault.forget(key);
        }
        Err(StoreError::Unavailable(
            "a conversation was erased again and again while its session was changed".into(),
        ))
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
        let key_of = |mark: &SessionMark| ConversationKey::new(tenant.clone(), mark.conversation.clone());
        let fields = |mark: &SessionMark| -> Cmd {
            let key = key_of(mark);
            cmd("HGETALL")
                .arg(self.keys.session(self.keys.partition(&key), &key))
                .clone()
        };
        let found: Vec<Fields> = self.reads.scatter(marks.iter().map(fields).collect()).await?;
        let found = marks.iter().map(key_of).zip(found).collect();
        let opened = open_fields(self.vault.as_deref(), found).await?;
        let sessions = marks.into_iter().zip(opened);
        Ok(sessions
            .map(|(mark, (key, fields))| (mark, session(key, &fields)))
            .collect())
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
        let (mut keys, mut failure) = (Vec::new(), None);
        for partition in 0..self.partitions() {
            if keys.len() >= limit {
                break;
            }
            let call = Call::new([self.keys.unsettled(partition)])
                .arg(lease_ms)
                .arg(limit - keys.len())
                .arg(self.keys.session_start(partition));
            match self.link.script::<Vec<String>>(&UNSETTLED, call).await {
                Ok(names) => keys.extend(names.iter().filter_map(|name| parse_name(name))),
                // On a cluster the others may well be there, and what they handed out must be looked at.
                Err(error) if self.link.is_cluster() => failure = Some(error),
                Err(error) => return Err(error),
            }
        }
        match failure {
            Some(error) if keys.is_empty() => Err(error),
            _ => Ok(keys),
        }
    }

    async fn erase(&self, key: &ConversationKey) -> Result<Erased, StoreError> {
        self.erase_conversation(key).await
    }

    async fn tidy(&self, every_ms: u64) -> Result<bool, StoreError> {
        self.tidy_in_turn(every_ms).await
    }

    async fn note_trace(&self, key: &ConversationKey, traceparent: &str) -> Result<(), StoreError> {
        let set = cmd("SET")
            .arg(self.keys.trace(key))
            .arg(traceparent)
            .arg("PX")
            .arg(TRACE_MS)
            .clone();
        self.link.command(&set).await
    }

    async fn trace(&self, key: &ConversationKey) -> Result<Option<String>, StoreError> {
        self.link.command(cmd("GET").arg(self.keys.trace(key))).await
    }

    fn streams(&self) -> &dyn StreamRecords {
        self
    }

    fn entry_format(&self) -> u16 {
        self.replica.writes()
    }

    async fn ping(&self) -> Result<(), StoreError> {
        timed(&self.times.ping, self.renew()).await
    }

    async fn facts(&self) -> Result<Option<StoreFacts>, StoreError> {
        facts::facts(&self.reads).await.map(Some)
    }
}
