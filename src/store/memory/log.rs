//! One partition of the log.

use std::collections::{BTreeMap, VecDeque};

use crate::{
    event::{ConversationKey, EntryId, Position},
    store::{
        Entry, Page, StoreError,
        entry::{Room, Stored},
        gap::{Erased, Meta, Place, View, judge},
    },
};

/// One partition of the log.
#[derive(Clone, Default)]
pub(super) struct Log {
    meta: Meta,
    kept: VecDeque<Kept>,
    /// Places of entries that were erased, by their numbers.
    erased: BTreeMap<u64, Place>,
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
        self.trim_erased(before_ms);
    }

    /// Erases a conversation's entries; answers how many. Their places stay, for as long as the log would have kept them.
    pub(super) fn erase(&mut self, key: &ConversationKey) -> u64 {
        let before = self.kept.len();
        let (erased, bytes) = (&mut self.erased, &mut self.bytes);
        self.kept.retain(|kept| {
            let stays = kept.key != *key;
            if !stays {
                erased.insert(kept.place.1, kept.place);
                *bytes -= kept.bytes();
            }
            stays
        });
        (before - self.kept.len()) as u64
    }

    /// Lets go of places of what was erased: of those that would have been dropped for their age, and of those behind which an entry
    /// was dropped.
    fn trim_erased(&mut self, before_ms: u64) {
        let oldest_n = self.kept.front().map_or(self.meta.n + 1, |kept| kept.place.1);
        let mut run_from = oldest_n;
        for n in self.erased.range(..oldest_n).rev().map(|(n, _)| *n) {
            if n + 1 != run_from {
                break;
            }
            run_from = n;
        }
        self.erased
            .retain(|n, (ms, _)| *n >= run_from && (*n >= oldest_n || *ms >= before_ms));
    }

    fn erased_around(&self, from: Position, oldest: Option<Place>, following: Option<Place>) -> Erased {
        let before = |place: Option<Place>| place.map_or(u64::MAX, |(_, n)| n);
        let mut around = Erased {
            before_oldest: self.erased.range(..before(oldest)).count() as u64,
            ..Erased::default()
        };
        if let Position::After(id) = from {
            around.at = self.erased.get(&id.n) == Some(&id.order());
            let (behind, end) = (id.n.saturating_add(1), before(following));
            if behind < end {
                around.before_following = self.erased.range(behind..end).count() as u64;
            }
        }
        around
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
        let (oldest, following) = (place(0), place(behind));
        View {
            meta: self.meta,
            oldest,
            at_or_before: behind.checked_sub(1).and_then(place),
            following,
            erased: self.erased_around(from, oldest, following),
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
