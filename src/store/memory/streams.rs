//! Streams that may be changed.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use async_trait::async_trait;
use bytes::Bytes;

use super::{MemoryStore, shelf::Shelf};
use crate::store::{
    StoreError,
    streams::{
        CHANGES_MAX, CONVERSATIONS_MAX, ChangedStreams, StreamChange, StreamChanged, StreamKey, StreamRecords,
    },
};

/// How many changes are told of.
const TOLD: usize = 1000;

/// Streams that may be changed.
#[derive(Clone, Default)]
pub(super) struct Streams {
    open: Shelf<StreamKey, Open>,
    /// Names of streams that were changed.
    changed: VecDeque<String>,
    /// How many names were ever there before those.
    forgotten: u64,
}

#[derive(Clone, Default)]
struct Open {
    revision: u64,
    conversations: BTreeSet<String>,
    waiting: BTreeMap<u64, Bytes>,
}

impl Streams {
    pub(super) fn sweep(&mut self, now: u64) {
        self.open.sweep(now);
    }

    pub(super) fn open(
        &mut self,
        stream: &StreamKey,
        revision: u64,
        conversations: &[String],
        now: u64,
        ttl_ms: u64,
    ) {
        if self.open.get(stream, now).is_some() {
            return;
        }
        let open = Open {
            revision,
            conversations: conversations.iter().cloned().collect(),
            waiting: BTreeMap::new(),
        };
        self.open.put(stream.clone(), open, now + ttl_ms);
    }

    pub(super) fn change(&mut self, stream: &StreamKey, change: &StreamChange, now: u64) -> StreamChanged {
        let Some(open) = self.open.get_mut(stream, now) else {
            return StreamChanged::Unknown;
        };
        let mut conversations = open.conversations.clone();
        for conversation in &change.remove {
            conversations.remove(conversation);
        }
        conversations.extend(change.add.iter().cloned());
        if conversations.len() > CONVERSATIONS_MAX {
            return StreamChanged::TooManyConversations;
        }
        if open.waiting.len() >= CHANGES_MAX {
            return StreamChanged::TooManyChanges;
        }
        open.conversations = conversations;
        open.revision += 1;
        open.waiting.insert(open.revision, change.record.clone());
        self.changed.push_back(stream.id.clone());
        if self.changed.len() > TOLD {
            self.changed.pop_front();
            self.forgotten += 1;
        }
        StreamChanged::Taken(open.revision)
    }

    pub(super) fn waiting(
        &mut self,
        stream: &StreamKey,
        applied: u64,
        now: u64,
        ttl_ms: u64,
    ) -> Option<Vec<(u64, Bytes)>> {
        self.open.get(stream, now)?;
        let open = self.open.renew(stream.clone(), now, ttl_ms);
        open.waiting = open.waiting.split_off(&(applied + 1));
        Some(
            open.waiting
                .iter()
                .map(|(n, record)| (*n, record.clone()))
                .collect(),
        )
    }

    pub(super) fn close(&mut self, stream: &StreamKey) {
        self.open.remove(stream);
    }

    pub(super) fn changed(&self, mark: Option<&str>) -> ChangedStreams {
        let end = self.forgotten + self.changed.len() as u64;
        let from = mark.map_or(end, |mark| mark.parse().unwrap_or(0));
        let known = usize::try_from(from.saturating_sub(self.forgotten)).unwrap_or(usize::MAX);
        ChangedStreams {
            ids: self.changed.iter().skip(known).cloned().collect(),
            mark: end.to_string(),
        }
    }
}

#[async_trait]
impl StreamRecords for MemoryStore {
    async fn open(
        &self,
        stream: &StreamKey,
        revision: u64,
        conversations: &[String],
        ttl_ms: u64,
    ) -> Result<(), StoreError> {
        let now = self.now();
        let mut state = self.shared.lock();
        state.streams.open(stream, revision, conversations, now, ttl_ms);
        Ok(())
    }

    async fn change(&self, stream: &StreamKey, change: &StreamChange) -> Result<StreamChanged, StoreError> {
        Ok(self.shared.lock().streams.change(stream, change, self.now()))
    }

    async fn waiting(
        &self,
        stream: &StreamKey,
        applied: u64,
        ttl_ms: u64,
    ) -> Result<Option<Vec<(u64, Bytes)>>, StoreError> {
        let now = self.now();
        Ok(self.shared.lock().streams.waiting(stream, applied, now, ttl_ms))
    }

    async fn close(&self, stream: &StreamKey) -> Result<(), StoreError> {
        self.shared.lock().streams.close(stream);
        Ok(())
    }

    async fn changed(&self, mark: Option<&str>) -> Result<ChangedStreams, StoreError> {
        Ok(self.shared.lock().streams.changed(mark))
    }
}
