//! The live feed.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use tokio::{sync::watch, time::timeout};

use super::Shared;
use crate::{
    event::{EntryId, Position},
    store::{Entry, StoreError, Tail},
};

/// How long an empty answer takes.
const IDLE: Duration = Duration::from_secs(2);

/// The most entries of one partition in one answer.
const BATCH: usize = 64;

/// A live feed.
pub(super) struct MemoryTail {
    shared: Arc<Shared>,
    at: Vec<EntryId>,
    changed: watch::Receiver<()>,
}

impl MemoryTail {
    /// Opens a feed behind these positions, one for each partition.
    pub(super) fn open(shared: Arc<Shared>, behind: Vec<EntryId>) -> Result<Self, StoreError> {
        let partitions = shared.lock().partitions();
        if behind.len() != usize::from(partitions) {
            return Err(StoreError::Mismatch(format!(
                "a feed needs a position for each of {partitions} partitions, and was given {}",
                behind.len()
            )));
        }
        let tail = Self {
            changed: shared.changed.subscribe(),
            shared,
            at: behind,
        };
        tail.read()?;
        Ok(tail)
    }

    fn read(&self) -> Result<Vec<Entry>, StoreError> {
        let state = self.shared.lock();
        let mut entries = Vec::new();
        for ((partition, log), at) in (0..).zip(&state.logs).zip(&self.at) {
            let page = log.page(partition, None, Position::After(*at), BATCH)?;
            if let Some(gap) = page.gap {
                return Err(StoreError::Unavailable(format!(
                    "partition {partition} of the log has lost what followed ({:?}): the live feed must be opened again",
                    gap.reason
                )));
            }
            entries.extend(page.entries);
        }
        Ok(entries)
    }
}

#[async_trait]
impl Tail for MemoryTail {
    async fn next(&mut self) -> Result<Vec<Entry>, StoreError> {
        self.changed.mark_unchanged();
        let mut entries = self.read()?;
        if entries.is_empty() {
            // Without a change there is nothing to read, and that is an answer too.
            if timeout(IDLE, self.changed.changed()).await.is_ok() {
                entries = self.read()?;
            }
        }
        for entry in &entries {
            self.at[usize::from(entry.partition)] = entry.id;
        }
        Ok(entries)
    }
}
