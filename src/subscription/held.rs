//! A share that a member holds: how far it was delivered, and how far that was committed.

use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;

use crate::event::{EntryId, Position};

/// A share that a member holds.
#[derive(Debug)]
pub(super) struct Held {
    /// Generation under which it was taken.
    pub(super) generation: u64,
    /// The lane that reads it.
    pub(super) lane: u64,
    /// It is to be given up: nothing of it is delivered any more.
    pub(super) leaving: bool,
    /// Until when it may be delivered by our own clock, which began to count before the store's did.
    pub(super) leased_until: Instant,
    /// Behind what was delivered, or passed because it did not match.
    place: Position,
    /// The place that the store knows.
    saved: Position,
    /// The place that it was told last; it may not have heard it.
    saving: Position,
    /// Number of the last delivery.
    seq: u64,
    /// Deliveries that are not committed: their numbers, and since when.
    pending: VecDeque<(u64, Instant)>,
}

impl Held {
    /// A share that was just taken.
    pub(super) fn new(generation: u64, lane: u64, place: Position, leased_until: Instant) -> Self {
        Self {
            generation,
            lane,
            leaving: false,
            leased_until,
            place,
            saved: place,
            saving: place,
            seq: 0,
            pending: VecDeque::new(),
        }
    }

    /// Behind what was delivered or passed.
    pub(super) fn place(&self) -> Position {
        self.place
    }

    /// Whether an entry lies behind what was delivered: a lane begins where the share that is furthest behind begins.
    pub(super) fn admits(&self, id: EntryId) -> bool {
        match self.place {
            Position::Earliest => true,
            Position::Since(ms) => id.ms >= ms,
            Position::After(at) => at.epoch != id.epoch || id.order() > at.order(),
        }
    }

    /// Whether its place lies behind all that was trimmed, up to the place before the oldest entry that is left. The number of
    /// that place counts, since its time is that of the entry behind it.
    pub(super) fn is_past(&self, before_oldest: EntryId) -> bool {
        match self.place {
            Position::Earliest => false,
            Position::Since(ms) => before_oldest.ms < ms,
            Position::After(at) => at.epoch == before_oldest.epoch && at.n >= before_oldest.n,
        }
    }

    /// Notes a delivery behind which the place is `to`; its number.
    pub(super) fn deliver(&mut self, to: Position, now: Instant) -> u64 {
        self.place = to;
        self.seq += 1;
        self.pending.push_back((self.seq, now));
        self.seq
    }

    /// Moves over what did not match, up to where its lane has come.
    pub(super) fn pass(&mut self, to: EntryId) {
        if self.admits(to) {
            self.place = Position::After(to);
        }
    }

    /// Notes that all up to this delivery is committed; how many that freed.
    pub(super) fn commit(&mut self, seq: u64) -> usize {
        let freed = self.pending.partition_point(|(pending, _)| *pending <= seq);
        self.pending.drain(..freed);
        freed
    }

    /// How many deliveries are not committed.
    pub(super) fn pending(&self) -> usize {
        self.pending.len()
    }

    /// Since when the oldest of them is not.
    pub(super) fn oldest(&self) -> Option<Instant> {
        self.pending.front().map(|(_, since)| *since)
    }

    /// A place that the store should know, and its number: where nothing is under way, and entries were passed. It comes again
    /// until [`Held::note_saved`].
    pub(super) fn unsaved(&mut self) -> Option<(u64, EntryId)> {
        match self.place {
            Position::After(id) if self.pending.is_empty() && self.place != self.saved => {
                self.seq += 1;
                self.saving = self.place;
                Some((self.seq, id))
            }
            _ => None,
        }
    }

    /// Notes that the store knows the last of these places.
    pub(super) fn note_saved(&mut self) {
        self.saved = self.saving;
    }
}

/// Since when somebody is too slow: an event was with them for longer than a lease.
pub(super) fn is_too_slow(oldest: Option<Instant>, now: Instant, lease: Duration) -> bool {
    oldest.is_some_and(|oldest| now.saturating_duration_since(oldest) > lease)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(ms: u64, n: u64) -> EntryId {
        EntryId { epoch: 7, ms, n }
    }

    fn held(place: Position) -> Held {
        Held::new(1, 1, place, Instant::now())
    }

    #[test]
    fn only_what_lies_behind_its_place_is_admitted() {
        assert!(held(Position::Earliest).admits(id(1, 1)));
        assert!(held(Position::Since(5)).admits(id(5, 1)));
        assert!(!held(Position::Since(5)).admits(id(4, 1)));
        let mut share = held(Position::After(id(5, 5)));
        assert!(!share.admits(id(5, 5)));
        assert!(share.admits(id(5, 6)));
        share.deliver(Position::After(id(5, 6)), Instant::now());
        assert!(!share.admits(id(5, 6)));
        share.pass(id(5, 3));
        assert_eq!(share.place(), Position::After(id(5, 6)), "it never goes back");
    }

    #[test]
    fn a_gap_is_told_to_places_before_its_end() {
        let end = id(9, 3);
        assert!(!held(Position::Earliest).is_past(end));
        assert!(!held(Position::Since(9)).is_past(end));
        assert!(held(Position::Since(10)).is_past(end));
        assert!(!held(Position::After(id(2, 2))).is_past(end));
        assert!(
            held(Position::After(id(3, 3))).is_past(end),
            "the entry of that number had an earlier time"
        );
        assert!(!held(Position::After(EntryId::default())).is_past(end));
    }

    #[test]
    fn a_commit_frees_all_up_to_it() {
        let mut share = held(Position::Earliest);
        let now = Instant::now();
        for n in 1..=5 {
            assert_eq!(
                share.deliver(Position::After(id(n, n)), now + Duration::from_secs(n)),
                n
            );
        }
        assert_eq!(share.commit(3), 3);
        assert_eq!(
            (share.pending(), share.oldest()),
            (2, Some(now + Duration::from_secs(4)))
        );
        assert_eq!(share.commit(2), 0);
        assert!(is_too_slow(
            share.oldest(),
            now + Duration::from_secs(7),
            Duration::from_secs(2)
        ));
        assert!(!is_too_slow(
            share.oldest(),
            now + Duration::from_secs(6),
            Duration::from_secs(2)
        ));
        assert_eq!(share.commit(5), 2);
        assert_eq!(share.oldest(), None);
    }

    #[test]
    fn a_place_is_saved_by_itself_only_where_nothing_is_under_way() {
        let mut share = held(Position::Earliest);
        assert_eq!(share.unsaved(), None);
        share.deliver(Position::After(id(1, 1)), Instant::now());
        share.pass(id(2, 2));
        assert_eq!(share.unsaved(), None, "a delivery is not committed");
        share.commit(1);
        assert_eq!(share.unsaved(), Some((2, id(2, 2))));
        assert_eq!(
            share.unsaved(),
            Some((3, id(2, 2))),
            "nobody answered that it is known"
        );
        share.pass(id(3, 3));
        share.note_saved();
        assert_eq!(
            share.unsaved(),
            Some((4, id(3, 3))),
            "that was passed after it was told"
        );
        share.note_saved();
        assert_eq!(share.unsaved(), None);
    }
}
