//! Data keys in Redis: whoever encrypts gets one, and whoever decrypts finds it again.
//!
//! A conversation's data keys are a hash in its partition (`data_key.lua`). Unwrapped ones are held for a while, so that an append
//! asks for one now and then only, and a page of the log asks once for all that it needs.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use ::redis::{Cmd, Value, cmd};
use moka::sync::Cache;

use super::{
    INDEX_SLACK_MS,
    keys::{Keys, name},
    scripts::{Call, DATA_KEY, REWRAP},
    start::{self, Sealing},
    topology::Way,
    wire,
};
use crate::{
    event::{ConversationKey, EntryId},
    store::{
        Entry, Retention, StoreError,
        entry::{Stored, Unreadable},
        seal::{DataKey, DataKeyId, KeyRing, MasterKey, MasterKeys},
    },
};

/// How many unwrapped data keys are held at the most, about a kilobyte each.
const HELD: u64 = 16_384;

/// For how long one is held. Whoever encrypts under it asks again then, which keeps it from expiring.
const HELD_FOR: Duration = Duration::from_secs(600);

/// How much longer than what they encrypt data keys are kept, in milliseconds.
const SLACK_MS: u64 = 3_600_000;

/// How often the same trouble is logged at the most.
const TELL_EVERY: Duration = Duration::from_secs(60);

/// Counter of contents that could not be read, by `reason`: `no_master_key`, `wrong_master_key`, `no_data_key`.
const UNREADABLE: &str = "chatbridge_unreadable_contents_total";

/// The data keys of a log.
pub(super) struct Vault {
    ring: KeyRing,
    pub(super) keys: Keys,
    pub(super) link: Way,
    pub(super) reads: Way,
    ttl_ms: u64,
    /// By identifier, for who decrypts.
    held: Cache<DataKeyId, Arc<DataKey>>,
    /// By conversation, for who encrypts.
    current: Cache<ConversationKey, Arc<DataKey>>,
    /// Conversations whose data keys were kept from expiring, though nothing is encrypted any more.
    kept: Cache<ConversationKey, ()>,
    /// Master keys of which Redis knows that they are the ones of their names.
    checked: Mutex<HashSet<String>>,
    told: Cache<Arc<str>, ()>,
    /// Master keys that were reported of.
    pub(super) reported: Mutex<BTreeSet<String>>,
}

/// What is known of a data key.
#[derive(Clone)]
pub(super) enum Held {
    /// It is there.
    Key(Arc<DataKey>),
    /// It was erased, with the conversation.
    Gone,
    /// It is not to be had, and why.
    Missing(Arc<str>),
}

/// A data key as it is stored.
pub(super) struct Wrapped<'a> {
    pub(super) master: &'a str,
    pub(super) key: &'a [u8],
}

impl<'a> Wrapped<'a> {
    /// Reads `MASTER:WRAPPED`.
    pub(super) fn read(value: &'a [u8]) -> Option<Self> {
        let at = value.iter().position(|byte| *byte == b':')?;
        Some(Self {
            master: std::str::from_utf8(&value[..at]).ok()?,
            key: &value[at + 1..],
        })
    }

    pub(super) fn write(master: &MasterKey, key: &[u8]) -> Vec<u8> {
        [master.id().as_bytes(), b":", key].concat()
    }
}

impl Vault {
    pub(super) fn new(ring: KeyRing, keys: Keys, retention: &Retention, link: Way, reads: Way) -> Self {
        let session_ms = retention.session_ms.saturating_add(retention.session_ms / 64);
        let log_ms = retention.log_ms.saturating_add(INDEX_SLACK_MS);
        let longest_ms = session_ms.max(log_ms).max(retention.idempotency_ms);
        Self {
            ring,
            keys,
            link,
            reads,
            ttl_ms: longest_ms.saturating_add(SLACK_MS),
            held: Cache::builder().max_capacity(HELD).time_to_live(HELD_FOR).build(),
            current: Cache::builder().max_capacity(HELD).time_to_live(HELD_FOR).build(),
            kept: Cache::builder().max_capacity(HELD).time_to_live(HELD_FOR).build(),
            checked: Mutex::default(),
            told: Cache::builder().max_capacity(64).time_to_live(TELL_EVERY).build(),
            reported: Mutex::default(),
        }
    }

    /// Whether new contents are encrypted, as things stand.
    pub(super) fn sealing(&self) -> Sealing {
        match self.masters().first() {
            Some(_) => Sealing::Seals,
            None => Sealing::Opens,
        }
    }

    pub(super) fn masters(&self) -> Arc<MasterKeys> {
        self.ring.keys()
    }

    /// How long to know that a data key was erased: as long as anything that it encrypted might be.
    pub(super) fn ttl_ms(&self) -> u64 {
        self.ttl_ms
    }

    /// Refuses a master key that is another than the one that Redis knows by this name. `is_used`: it is noted where none is.
    pub(super) async fn check(&self, master: &MasterKey, is_used: bool) -> Result<(), StoreError> {
        if self.is_checked(master) {
            return Ok(());
        }
        let (schema, field) = (self.keys.schema(), format!("master:{}", master.id()));
        let mut noted: Option<String> = self.link.command(cmd("HGET").arg(&schema).arg(&field)).await?;
        if noted.is_none() && is_used {
            start::check_schema(&self.link, &self.keys, Sealing::Seals, None).await?;
            let note = cmd("HSETNX").arg(&schema).arg(&field).arg(master.check()).clone();
            self.link.command::<Value>(&note).await?;
            noted = self.link.command(cmd("HGET").arg(&schema).arg(&field)).await?;
        }
        match noted {
            Some(noted) if noted != master.check() => Err(StoreError::Mismatch(format!(
                "master key {:?} is another key than the one that Redis knows by this name: put the right one back, or give a \
                 new key a new name",
                master.id()
            ))),
            Some(_) => {
                let mut checked = self.checked.lock().unwrap_or_else(PoisonError::into_inner);
                checked.insert(master.check());
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn is_checked(&self, master: &MasterKey) -> bool {
        let checked = self.checked.lock().unwrap_or_else(PoisonError::into_inner);
        checked.contains(&master.check())
    }

    /// The data key under which a conversation's contents are to be encrypted; `None`: they are not.
    pub(super) async fn to_seal(&self, of: &ConversationKey) -> Result<Option<Arc<DataKey>>, StoreError> {
        let masters = self.masters();
        let Some(first) = masters.first() else {
            // What was encrypted before may live on, as a session does.
            if !masters.all().is_empty() && !self.kept.contains_key(of) {
                let call = self.data_key_call(of, &masters, None);
                self.link.script::<Value>(&DATA_KEY, call).await?;
                self.kept.insert(of.clone(), ());
            }
            return Ok(None);
        };
        if let Some(key) = self.current.get(of) {
            return Ok(Some(key));
        }
        self.check(first, true).await?;
        let key = Arc::new(self.agree(of, &masters, first).await?);
        self.held.insert(key.id(), Arc::clone(&key));
        self.current.insert(of.clone(), Arc::clone(&key));
        Ok(Some(key))
    }

    /// Finds the data key that everybody uses, or makes it.
    async fn agree(
        &self,
        of: &ConversationKey,
        masters: &MasterKeys,
        first: &MasterKey,
    ) -> Result<DataKey, StoreError> {
        let no_random = || StoreError::Unavailable("no random numbers are to be had for a data key".into());
        let (id, wrapped) = DataKey::draw(of, first).ok_or_else(no_random)?;
        let call = self.data_key_call(of, masters, Some((id, first, &wrapped)));
        let answer: Value = self.link.script(&DATA_KEY, call).await?;
        let [id, value] = wire::array_of(answer)?;
        let (id, value) = (wire::text(id)?, wire::bytes(value)?);
        let unreadable = || StoreError::Corrupt("a data key cannot be read".into());
        let id = DataKeyId::parse(&id).ok_or_else(unreadable)?;
        let wrapped = Wrapped::read(&value).ok_or_else(unreadable)?;
        let master = masters.get(wrapped.master).ok_or_else(unreadable)?;
        let key = DataKey::unwrap(of, id, master, wrapped.key)
            .ok_or_else(|| StoreError::Sealed(wrong(wrapped.master)))?;
        if wrapped.master != first.id() {
            self.rewrap(of, id, (master, first), &value).await?;
        }
        Ok(key)
    }

    /// A call that finds a data key, or makes it where one is given.
    fn data_key_call(
        &self,
        of: &ConversationKey,
        masters: &MasterKeys,
        new: Option<(DataKeyId, &MasterKey, &[u8])>,
    ) -> Call {
        let partition = self.keys.partition(of);
        let names = [
            self.keys.data_keys(partition, of),
            self.keys.master_keys(partition),
        ];
        let call = Call::new(names)
            .arg(self.ttl_ms)
            .arg(name(of))
            .arg(self.keys.wrapped_start(partition));
        let call = match new {
            Some((id, master, wrapped)) => call.arg(id.to_string()).arg(master.id()).arg(wrapped),
            None => call.arg("").arg("").arg(""),
        };
        masters.all().iter().fold(call, |call, key| call.arg(key.id()))
    }

    /// Puts a data key under another master key; whether that could be.
    pub(super) async fn rewrap(
        &self,
        of: &ConversationKey,
        id: DataKeyId,
        (from, to): (&MasterKey, &MasterKey),
        value: &[u8],
    ) -> Result<bool, StoreError> {
        let anew = Wrapped::read(value).and_then(|known| DataKey::rewrap(of, id, (from, to), known.key));
        let Some(anew) = anew else {
            return Ok(false);
        };
        let partition = self.keys.partition(of);
        let call = Call::new([
            self.keys.data_keys(partition, of),
            self.keys.master_keys(partition),
            self.keys.wrapped(partition, from.id()),
            self.keys.wrapped(partition, to.id()),
        ])
        .arg(id.to_string())
        .arg(value)
        .arg(Wrapped::write(to, &anew))
        .arg(name(of))
        .arg(to.id());
        self.link.script::<()>(&REWRAP, call).await?;
        Ok(true)
    }

    /// Forgets the data key of a conversation, which is there no more.
    pub(super) fn forget(&self, of: &ConversationKey) {
        if let Some(key) = self.current.remove(of) {
            self.held.invalidate(&key.id());
        }
    }

    /// Keeps a data key for as long as entries whose times are that much ahead of the clock.
    pub(super) async fn prolong(&self, of: &ConversationKey, ahead_ms: u64) -> Result<(), StoreError> {
        if ahead_ms <= SLACK_MS / 2 {
            return Ok(());
        }
        let keys = self.keys.data_keys(self.keys.partition(of), of);
        let ttl_ms = self.ttl_ms.saturating_add(ahead_ms);
        self.link
            .command(cmd("PEXPIRE").arg(keys).arg(ttl_ms).arg("GT"))
            .await
    }

    /// Finds data keys, in the order in which they are wanted; those that are not held in one round trip.
    pub(super) async fn find(
        &self,
        wanted: &[(ConversationKey, DataKeyId)],
    ) -> Result<Vec<Held>, StoreError> {
        let held = |(of, id): &(ConversationKey, DataKeyId)| self.held.get(id).filter(|key| key.of() == of);
        let mut found: Vec<Option<Held>> = wanted.iter().map(|it| held(it).map(Held::Key)).collect();
        let missing = wanted.iter().zip(&found).filter(|(_, found)| found.is_none());
        let asked: BTreeSet<&ConversationKey> = missing.map(|((of, _), _)| of).collect();
        if !asked.is_empty() {
            let commands = asked.iter().map(|of| self.read_command(of)).collect();
            let answers: Vec<HashMap<String, Vec<u8>>> = self.reads.scatter(commands).await?;
            let answers: HashMap<&ConversationKey, _> = asked.into_iter().zip(answers).collect();
            let masters = self.masters();
            for ((of, id), found) in wanted.iter().zip(&mut found) {
                if found.is_none() {
                    // The one before may have been under the same key.
                    let held = self.held.get(id).filter(|key| key.of() == of).map(Held::Key);
                    *found = held.or_else(|| Some(self.judge(of, *id, answers.get(of)?, &masters)));
                }
            }
        }
        let not_asked = || StoreError::Corrupt("a data key was not asked for".into());
        found.into_iter().map(|held| held.ok_or_else(not_asked)).collect()
    }

    pub(super) fn read_command(&self, of: &ConversationKey) -> Cmd {
        let keys = self.keys.data_keys(self.keys.partition(of), of);
        cmd("HGETALL").arg(keys).clone()
    }

    fn judge(
        &self,
        of: &ConversationKey,
        id: DataKeyId,
        fields: &HashMap<String, Vec<u8>>,
        masters: &MasterKeys,
    ) -> Held {
        if fields.contains_key(&format!("gone:{id}")) {
            return Held::Gone;
        }
        let Some(wrapped) = fields.get(&id.to_string()).and_then(|value| Wrapped::read(value)) else {
            let why = "contents are encrypted under a data key that Redis has lost, though nobody erased it";
            return self.missing("no_data_key", why.to_owned());
        };
        let Some(master) = masters.get(wrapped.master) else {
            let why = format!(
                "contents are encrypted under master key {:?}, which is not configured: add it to the master keys",
                wrapped.master
            );
            return self.missing("no_master_key", why);
        };
        match DataKey::unwrap(of, id, master, wrapped.key) {
            Some(key) => {
                let key = Arc::new(key);
                self.held.insert(id, Arc::clone(&key));
                Held::Key(key)
            }
            None => self.missing("wrong_master_key", wrong(wrapped.master)),
        }
    }

    fn missing(&self, reason: &'static str, why: String) -> Held {
        metrics::counter!(UNREADABLE, "reason" => reason).increment(1);
        let why: Arc<str> = why.into();
        if self.told.entry(Arc::clone(&why)).or_insert(()).is_fresh() {
            tracing::error!(
                problem = &*why,
                "what is encrypted so cannot be read until then, and nothing of it is lost"
            );
        }
        Held::Missing(why)
    }
}

/// Why nothing that is encrypted can be read.
pub(super) const NO_VAULT: &str = "contents are encrypted, and no master keys are configured";

fn wrong(master: &str) -> String {
    format!(
        "a data key does not fit master key {master:?}: the data key was changed, or this is another key of the same name"
    )
}

/// Puts entries of a partition together. Those of a conversation that is being erased are left out.
pub(super) async fn open_entries(
    vault: Option<&Vault>,
    partition: u16,
    entries: Vec<(EntryId, Stored)>,
) -> Result<Vec<Entry>, StoreError> {
    let mut wanted = Vec::new();
    for (id, stored) in &entries {
        wanted.extend(stored.sealed(partition, *id)?);
    }
    let found = match vault {
        Some(vault) => vault.find(&wanted).await?,
        None => vec![Held::Missing(NO_VAULT.into()); wanted.len()],
    };
    let (mut found, mut opened) = (found.into_iter(), Vec::with_capacity(entries.len()));
    for (id, mut stored) in entries {
        let held = if stored.is_sealed() { found.next() } else { None };
        match held {
            Some(Held::Gone) => continue,
            Some(Held::Missing(why)) => {
                opened.push(stored.into_unreadable(partition, id, Unreadable::KeyMissing(why))?);
                continue;
            }
            Some(Held::Key(key)) => stored.open(&key, partition, id)?,
            None => {}
        }
        opened.push(stored.into_entry(partition, id)?);
    }
    Ok(opened)
}
