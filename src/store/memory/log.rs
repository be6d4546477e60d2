//! One partition of the log.

use std::collections::VecDeque;

use crate::{
    event::{ConversationKey, EntryId, Position},
    store::{
        Entry, Page, StoreError,
        entry::{Room, Stored},
        gap::{Meta, Place, View, judge},
    },
};

/// One partition of the log.
#[derive(Clone, Default)]
pub(super) struct Log {
    meta: Meta,
    kept: VecDeque<Kept>,
    /// What the entries take.
    bytes: u64,
}

#[derive(Clone)]
struct Kept {
    place: Place,
    key: ConversationKey,
    stored: Stored,
}

impl Kept {
    fn bytes(&self) -> u64 {
        (self.stored.head.len() + self.stored.content.len()) as u64
    }
}

impl Log {
    pub(super) fn tail(&self) -> EntryId {
        self.meta.tail()
    }

    pub(super) fn append(&mut self, key: ConversationKey, stored: Stored, now: u64) -> EntryId {
        if self.meta.epoch == 0 {
            self.meta.epoch = rand::random_range(1..=u64::MAX);
        }
        self.meta.ms = self.meta.ms.max(now);
        self.meta.n += 1;
        let kept = Kept {
            place: self.tail().order(),
            key,
            stored,
        };
        self.bytes += kept.bytes();
        self.kept.push_back(kept);
        self.tail()
    }

    /// Drops entries older than `before_ms`, and the oldest while they take more than `most_bytes` (0: whatever they take).
    pub(super) fn trim(&mut self, before_ms: u64, most_bytes: u64) {
        let old = self.kept.partition_point(|kept| kept.place.0 < before_ms);
        let dropped: u64 = self.kept.drain(..old).map(|kept| kept.bytes()).sum();
        self.bytes -= dropped;
        self.meta.trimmed_ms = self.meta.trimmed_ms.max(before_ms);
        while most_bytes > 0 && self.bytes > most_bytes && self.kept.len() > 1 {
            if let Some(oldest) = self.kept.pop_front() {
                self.bytes -= oldest.bytes();
                self.meta.trimmed_ms = self.meta.trimmed_ms.max(oldest.place.0 + 1);
            }
        }
    }

    /// Index of the first entry behind a position.
    fn first_behind(&self, from: Position) -> usize {
        match from {
            Position::Earliest => 0,
            Position::Since(ms) => self.kept.partition_point(|kept| kept.place.0 < ms),
            Position::After(id) => self.kept.partition_point(|kept| kept.place <= id.order()),
        }
    }

    fn view(&self, from: Position) -> View {
        let place = |index: usize| self.kept.get(index).map(|kept| kept.place);
        let behind = self.first_behind(from);
        View {
            meta: self.meta,
            oldest: place(0),
            at_or_before: behind.checked_sub(1).and_then(place),
            following: place(behind),
        }
    }

    pub(super) fn page(
        &self,
        partition: u16,
        conversation: Option<&ConversationKey>,
        from: Position,
        limit: usize,
    ) -> Result<Page, StoreError> {
        let view = self.view(from);
        let gap = judge(from, &view);
        let from = if gap.is_some() { Position::Earliest } else { from };
        let wanted = self
            .kept
            .iter()
            .skip(self.first_behind(from))
            .filter(|kept| conversation.is_none_or(|key| kept.key == *key));
        let mut more = false;
        let mut room = Room::new(limit);
        let mut entries = Vec::new();
        for kept in wanted {
            let entry = self.entry(partition, kept)?;
            more = !room.takes(&entry);
            if more {
                break;
            }
            entries.push(entry);
        }
        Ok(Page {
            next: entries.last().map_or(self.tail(), |last| last.id),
            entries,
            gap,
            before_oldest: view.before_oldest(),
            tail: self.tail(),
            at_tail: !more,
        })
    }

    fn entry(&self, partition: u16, kept: &Kept) -> Result<Entry, StoreError> {
        let (ms, n) = kept.place;
        let id = EntryId {
            epoch: self.meta.epoch,
            ms,
            n,
        };
        kept.stored.clone().into_entry(partition, id)
    }
}
