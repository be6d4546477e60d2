//! Where a subscriber is in each partition.
//!
//! Whoever listens to everything and has taken all that it was handed is where the feed was when it dispatched the last of
//! that. So all of them share one list of places, and the cursor that was encoded for the first.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;

use super::filter::Sources;
use crate::{
    event::{ConversationKey, EntryId, Position},
    store::{Cursor, Entry, cursor},
};

/// How far the live feed has come in each partition.
#[derive(Debug)]
pub(super) struct Reached {
    /// How many entries the feed had handed out, ever.
    number: u64,
    places: Box<[EntryId]>,
    cursor: OnceLock<Bytes>,
    /// The last entry that it handed out, where that is known.
    last: Option<(u16, EntryId)>,
    /// That entry with the cursor, without and with the vendor's own JSON, as it goes out.
    frames: [OnceLock<Bytes>; 2],
}

impl Reached {
    pub(super) fn new(places: &[EntryId], number: u64) -> Self {
        Self {
            number,
            places: places.into(),
            cursor: OnceLock::new(),
            last: None,
            frames: Default::default(),
        }
    }

    /// The same, with the entry that it came to there.
    pub(super) fn with(mut self, entry: &Entry) -> Self {
        self.last = Some((entry.partition, entry.id));
        self
    }

    pub(super) fn at(&self, partition: u16) -> EntryId {
        self.places[usize::from(partition)]
    }

    pub(super) fn newest_ms(&self) -> u64 {
        self.places.iter().map(|id| id.ms).max().unwrap_or(0)
    }

    /// The cursor of whoever has taken all up to here, encoded.
    fn cursor(&self) -> &Bytes {
        let encode = || {
            let places = (0..).zip(self.places.iter().copied());
            cursor::encode(self.newest_ms(), self.places.len() as u64, places, &[])
        };
        self.cursor.get_or_init(encode)
    }
}

/// A partition that a subscriber reads.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) partition: u16,
    /// Where it is read on; `None`: where the live feed is when the subscriber joins.
    pub(super) at: Option<Position>,
    /// The only conversation that is read of it, where it is just one.
    pub(super) only: Option<Arc<ConversationKey>>,
}

/// Where a subscriber is in each partition that it reads.
pub(super) struct Places {
    /// Sorted by partition; empty while `shared` is set.
    own: Vec<Place>,
    shared: Option<Arc<Reached>>,
}

/// Whether whoever was at `position` is at `reached` or before it. Of two epochs, either may be the older one.
fn covers(reached: EntryId, position: Option<Position>) -> bool {
    match position {
        Some(Position::After(at)) => {
            at == reached || at.epoch == 0 || (at.epoch == reached.epoch && at.order() <= reached.order())
        }
        _ => false,
    }
}

/// Whether an entry lies before the place where reading goes on.
pub(super) fn lies_before(entry: EntryId, position: Position) -> bool {
    match position {
        Position::Earliest => false,
        Position::Since(ms) => entry.ms < ms,
        Position::After(at) => at.epoch == entry.epoch && entry.order() <= at.order(),
    }
}

impl Places {
    pub(super) fn new(sources: Sources, at: impl Fn(u16) -> Option<Position>) -> Self {
        let own = sources
            .into_iter()
            .map(|(partition, only)| Place {
                partition,
                at: at(partition),
                only,
            })
            .collect();
        Self { own, shared: None }
    }

    pub(super) fn own(&self) -> &[Place] {
        &self.own
    }

    /// The subscriber's own places, to be changed.
    pub(super) fn own_mut(&mut self) -> &mut Vec<Place> {
        if let Some(shared) = self.shared.take() {
            let own = |(partition, id): (u16, &EntryId)| Place {
                partition,
                at: Some(Position::After(*id)),
                only: None,
            };
            self.own = (0..).zip(shared.places.iter()).map(own).collect();
        }
        &mut self.own
    }

    pub(super) fn get(&self, partition: u16) -> Option<&Place> {
        let index = self.own.binary_search_by_key(&partition, |place| place.partition);
        index.ok().and_then(|index| self.own.get(index))
    }

    /// Where a partition is read on; `None` where it is not read, or not known yet.
    pub(super) fn at(&self, partition: u16) -> Option<Position> {
        match &self.shared {
            Some(shared) => Some(Position::After(shared.at(partition))),
            None => self.get(partition)?.at,
        }
    }

    /// The partitions that are read; only while the places are its own.
    pub(super) fn partitions(&self) -> impl Iterator<Item = u16> {
        self.own.iter().map(|place| place.partition)
    }

    pub(super) fn set(&mut self, partition: u16, at: Position) {
        let own = self.own_mut();
        if let Ok(index) = own.binary_search_by_key(&partition, |place| place.partition) {
            own[index].at = Some(at);
        }
    }

    /// A partition is read from now on, of which only one conversation is wanted.
    pub(super) fn insert(&mut self, partition: u16, at: Position, only: Arc<ConversationKey>) {
        let place = Place {
            partition,
            at: Some(at),
            only: Some(only),
        };
        let own = self.own_mut();
        match own.binary_search_by_key(&partition, |place| place.partition) {
            Ok(index) => own[index] = place,
            Err(index) => own.insert(index, place),
        }
    }

    /// More than one conversation of a partition is wanted.
    pub(super) fn not_only(&mut self, partition: u16) {
        let own = self.own_mut();
        if let Ok(index) = own.binary_search_by_key(&partition, |place| place.partition) {
            own[index].only = None;
        }
    }

    /// Keeps the places of these partitions.
    pub(super) fn keep(&mut self, mut sources: Sources) {
        self.own_mut()
            .retain_mut(|place| match sources.remove(&place.partition) {
                Some(only) => {
                    place.only = only;
                    true
                }
                None => false,
            });
    }

    pub(super) fn advance(&mut self, partition: u16, to: EntryId) {
        self.set(partition, Position::After(to));
    }

    /// Whether an entry of the live feed was seen before the seam.
    pub(super) fn has_seen(&self, partition: u16, id: EntryId) -> bool {
        // Whoever shares has passed the seam.
        self.shared.is_none()
            && self
                .get(partition)
                .and_then(|place| place.at)
                .is_some_and(|at| matches!(at, Position::After(_)) && lies_before(id, at))
    }

    /// Goes where the feed was, for a subscriber of everything that has taken all up to there. Returns whether it could:
    /// the log may have been read further than the feed has come.
    pub(super) fn share(&mut self, reached: &Arc<Reached>) -> bool {
        if let Some(shared) = &self.shared {
            if shared.number < reached.number {
                self.shared = Some(Arc::clone(reached));
            }
            return true;
        }
        let shares = self
            .own
            .iter()
            .all(|place| covers(reached.at(place.partition), place.at));
        if shares {
            self.own = Vec::new();
            self.shared = Some(Arc::clone(reached));
        }
        shares
    }

    /// Moves on to where the feed is, wherever that is ahead.
    pub(super) fn follow(&mut self, reached: &Reached) {
        for place in self.own_mut() {
            let to = reached.at(place.partition);
            if place.at.is_none_or(|at| !matches!(at, Position::After(_))) || covers(to, place.at) {
                place.at = Some(Position::After(to));
            }
        }
    }

    /// How many entries lie between these places and where the feed is, as far as they can be compared. A place that is not
    /// known yet counts as the beginning.
    pub(super) fn behind(&self, reached: &Reached) -> u64 {
        let behind = |place: &Place| {
            let to = reached.at(place.partition);
            match place.at {
                Some(Position::After(at)) if at.epoch == to.epoch => to.n.saturating_sub(at.n),
                Some(Position::After(_)) | None => 0,
                Some(Position::Earliest | Position::Since(_)) => to.n,
            }
        };
        self.own.iter().map(behind).sum()
    }

    fn known(&self) -> impl Iterator<Item = (u16, EntryId)> {
        let own = self.own.iter().filter_map(|place| match place.at {
            Some(Position::After(id)) => Some((place.partition, id)),
            _ => None,
        });
        let shared = self
            .shared
            .iter()
            .flat_map(|r| (0..).zip(r.places.iter().copied()));
        own.chain(shared)
    }

    /// The time for a cursor: `time_ms` until every place is known. From then on it only serves a later stream whose filter
    /// has grown.
    fn cursor_ms(&self, time_ms: u64) -> u64 {
        let all_known = self.known().count() == self.own.len() || self.shared.is_some();
        if all_known {
            self.known().map(|(_, id)| id.ms).max().unwrap_or(0).max(time_ms)
        } else {
            time_ms
        }
    }

    /// An entry with the cursor behind it, as it goes out to everybody who is here; `None` where these places are not those
    /// behind it, or not shared. `frame` makes it of the cursor, for the first who asks.
    pub(super) fn frame(
        &self,
        entry: &Entry,
        with_raw: bool,
        frame: impl FnOnce(&[u8]) -> Bytes,
    ) -> Option<&Bytes> {
        let shared = self.shared.as_ref()?;
        let is_last = shared.last == Some((entry.partition, entry.id));
        is_last.then(|| shared.frames[usize::from(with_raw)].get_or_init(|| frame(shared.cursor())))
    }

    /// These places as a cursor.
    pub(super) fn cursor(&self, time_ms: u64, partitions: u16, lanes: &[cursor::Lane]) -> Cursor {
        Cursor {
            time_ms: self.cursor_ms(time_ms),
            partitions,
            positions: self.known().collect(),
            lanes: lanes.to_vec(),
        }
    }

    /// The same, encoded.
    pub(super) fn encode(&self, time_ms: u64, partitions: u16, lanes: &[cursor::Lane]) -> Bytes {
        match &self.shared {
            Some(shared) if lanes.is_empty() => shared.cursor().clone(),
            _ => cursor::encode(self.cursor_ms(time_ms), partitions.into(), self.known(), lanes),
        }
    }
}
