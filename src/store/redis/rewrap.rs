//! Wraps data keys by the first master key, so that those before it can be given up, and says how many each still wraps.

use std::{
    collections::{BTreeMap, HashMap},
    sync::PoisonError,
    time::{Duration, Instant},
};

use ::redis::{Value, cmd};

use super::{
    keys::parse_name,
    scripts::{Call, MASTER_KEYS},
    vault::{Vault, Wrapped},
    wire,
};
use crate::store::{
    StoreError,
    seal::{DataKeyId, MasterKey},
};

/// Gauge of the conversations whose data keys a master key wraps, by `master_key`.
const DATA_KEYS: &str = "chatbridge_data_keys";

/// How many conversations are looked at in one round trip.
const BATCH: isize = 64;

/// For how long one goes on at a time.
const GOES_ON: Duration = Duration::from_secs(30);

impl Vault {
    /// Says of each master key of how many conversations it wraps the data keys.
    pub(super) async fn report(&self) -> Result<(), StoreError> {
        let mut counts: BTreeMap<String, u64> = BTreeMap::new();
        for partition in 0..self.keys.partitions() {
            for (master, count) in self.of_partition(partition).await? {
                *counts.entry(master).or_default() += count;
            }
        }
        let mut reported = self.reported.lock().unwrap_or_else(PoisonError::into_inner);
        for master in self.masters().all() {
            counts.entry(master.id().to_owned()).or_default();
        }
        for master in reported.iter() {
            counts.entry(master.clone()).or_default();
        }
        for (master, count) in counts {
            metrics::gauge!(DATA_KEYS, "master_key" => master.clone()).set(count as f64);
            reported.insert(master);
        }
        Ok(())
    }

    async fn of_partition(&self, partition: u16) -> Result<Vec<(String, u64)>, StoreError> {
        let call = Call::new([self.keys.master_keys(partition)]).arg(self.keys.wrapped_start(partition));
        let answer: Value = self.link.script(&MASTER_KEYS, call).await?;
        let mut parts = wire::array(answer)?.into_iter();
        let mut counts = Vec::new();
        while let (Some(master), Some(count)) = (parts.next(), parts.next()) {
            counts.push((wire::text(master)?, wire::number(&count)?));
        }
        Ok(counts)
    }

    /// Wraps data keys that other master keys wrap, for a while.
    pub(super) async fn rewrap_some(&self) -> Result<(), StoreError> {
        let masters = self.masters();
        let Some(first) = masters.first() else {
            return Ok(());
        };
        let until = Instant::now() + GOES_ON;
        for partition in 0..self.keys.partitions() {
            for (master, _) in self.of_partition(partition).await? {
                let Some(from) = masters.get(&master).filter(|from| from.id() != first.id()) else {
                    continue;
                };
                self.check(first, true).await?;
                if !self.rewrap_partition(partition, from, first, until).await? {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Whether there is time for more.
    async fn rewrap_partition(
        &self,
        partition: u16,
        from: &MasterKey,
        to: &MasterKey,
        until: Instant,
    ) -> Result<bool, StoreError> {
        let notes = self.keys.wrapped(partition, from.id());
        // Those that cannot be unwrapped stay, and are passed over.
        let mut passed = 0;
        while Instant::now() < until {
            let some = cmd("ZRANGE")
                .arg(&notes)
                .arg(passed)
                .arg(passed + BATCH - 1)
                .clone();
            let names: Vec<String> = self.link.command(&some).await?;
            if names.is_empty() {
                return Ok(true);
            }
            for name in names {
                if !self.rewrap_conversation(&name, &notes, from, to).await? {
                    passed += 1;
                }
            }
        }
        Ok(false)
    }

    /// Wraps the data keys of one conversation; whether its note is gone.
    async fn rewrap_conversation(
        &self,
        name: &str,
        notes: &str,
        from: &MasterKey,
        to: &MasterKey,
    ) -> Result<bool, StoreError> {
        let mut found = HashMap::new();
        let of = parse_name(name);
        if let Some(of) = &of {
            found = self
                .link
                .command::<HashMap<String, Vec<u8>>>(&self.read_command(of))
                .await?;
        }
        let of_from = |(id, value): (String, Vec<u8>)| {
            let is_of = Wrapped::read(&value).is_some_and(|wrapped| wrapped.master == from.id());
            Some((DataKeyId::parse(&id).filter(|_| is_of)?, value))
        };
        let wrapped: Vec<(DataKeyId, Vec<u8>)> = found.into_iter().filter_map(of_from).collect();
        let (Some(of), false) = (of, wrapped.is_empty()) else {
            // It expired, was erased, or is wrapped by another by now.
            self.link
                .command::<Value>(cmd("ZREM").arg(notes).arg(name))
                .await?;
            return Ok(true);
        };
        let mut is_done = true;
        for (id, value) in wrapped {
            is_done &= self.rewrap(&of, id, (from, to), &value).await?;
        }
        if !is_done {
            tracing::error!(tenant = %of.tenant, conversation = %of.conversation, master_key = from.id(),
                "a data key cannot be unwrapped: it was changed, or the master key is another of the same name");
        }
        Ok(is_done)
    }
}
