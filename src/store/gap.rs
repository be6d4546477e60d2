//! What went missing before a page: judged here once, from what a store sees of a partition at one instant.

use super::{Gap, GapReason};
use crate::event::{EntryId, Position};

/// What a partition says of itself. The default is one that was never written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Meta {
    /// Epoch; 0: never written.
    pub(super) epoch: u64,
    /// Counter of its last entry.
    pub(super) n: u64,
    /// Time of its last entry, Unix milliseconds.
    pub(super) ms: u64,
    /// Entries of a time before this may have been trimmed, Unix milliseconds.
    pub(super) trimmed_ms: u64,
}

impl Meta {
    /// The partition's last entry.
    pub(super) fn tail(self) -> EntryId {
        EntryId {
            epoch: self.epoch,
            ms: self.ms,
            n: self.n,
        }
    }
}

/// An entry's place within its epoch, as [`EntryId::order`] has it.
pub(super) type Place = (u64, u64);

/// What a store sees of a partition around a position, all at one instant.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct View {
    pub(super) meta: Meta,
    /// The oldest entry that is left.
    pub(super) oldest: Option<Place>,
    /// The last entry at or before the position; only where it is `After`.
    pub(super) at_or_before: Option<Place>,
    /// The first entry behind the position.
    pub(super) following: Option<Place>,
    pub(super) erased: Erased,
}

/// What was erased around a position. Entries are numbered without a hole, and those that were erased leave holes that are no
/// gap: the log notes their places for as long as it would have kept them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Erased {
    /// Whether the position is one of those places; only where it is `After`.
    pub(super) at: bool,
    /// How many lie behind the position and before the first entry behind it; only where it is `After`.
    pub(super) before_following: u64,
    /// How many lie before the oldest entry.
    pub(super) before_oldest: u64,
}

/// Whether entries behind `from` are gone.
pub(super) fn judge(from: Position, view: &View) -> Option<Gap> {
    match from {
        Position::Earliest => None,
        Position::Since(ms) => since(ms, view),
        Position::After(id) if id == EntryId::default() => trimmed(view.cut()),
        Position::After(id) => after(id, view),
    }
}

impl View {
    /// How many entries were cut off its old end.
    fn cut(&self) -> u64 {
        self.oldest
            .map_or(self.meta.n, |(_, n)| n.saturating_sub(1))
            .saturating_sub(self.erased.before_oldest)
    }

    /// The place just before the oldest entry that is left; the tail where none is.
    pub(super) fn before_oldest(&self) -> EntryId {
        let tail = self.meta.tail();
        self.oldest.map_or(tail, |(ms, n)| EntryId {
            ms,
            n: n.saturating_sub(1),
            ..tail
        })
    }
}

fn trimmed(missed: u64) -> Option<Gap> {
    (missed > 0).then_some(Gap {
        reason: GapReason::Trimmed,
        missed_at_most: missed,
    })
}

/// What was cut is older than the trim line, and no younger than what is left: where either lies before `ms`, nothing of
/// what was asked for is gone.
fn since(ms: u64, view: &View) -> Option<Gap> {
    let youngest_cut_ms = view.oldest.map_or(view.meta.ms, |(ms, _)| ms);
    if ms >= view.meta.trimmed_ms || youngest_cut_ms < ms {
        return None;
    }
    trimmed(view.cut())
}

/// What this cannot see: a rewound log whose new entry got the very id of a lost one. That takes the same counter in the
/// same millisecond, and a fail-over takes longer.
fn after(id: EntryId, view: &View) -> Option<Gap> {
    let lost = |reason| {
        Some(Gap {
            reason,
            missed_at_most: 0,
        })
    };
    if view.meta.epoch != id.epoch {
        return lost(GapReason::Wiped);
    }
    // Entries are cut off the old end only. So where one lies before the position's entry and that entry itself does not
    // exist, this log never had it, unless it was erased.
    let another_before = !view.erased.at && view.at_or_before.is_some_and(|place| place != id.order());
    let counted_anew = view.following.is_some_and(|(_, n)| n <= id.n);
    if view.meta.n < id.n || another_before || counted_anew {
        return lost(GapReason::Rewound);
    }
    let next_n = view.following.map_or(view.meta.n + 1, |(_, n)| n);
    trimmed(
        next_n
            .saturating_sub(id.n + 1)
            .saturating_sub(view.erased.before_following),
    )
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const E: u64 = 77;

    fn meta(n: u64, ms: u64, trimmed_ms: u64) -> Meta {
        Meta {
            epoch: E,
            n,
            ms,
            trimmed_ms,
        }
    }

    fn id(ms: u64, n: u64) -> EntryId {
        EntryId { epoch: E, ms, n }
    }

    fn view(meta: Meta, oldest: Option<Place>, before: Option<Place>, following: Option<Place>) -> View {
        View {
            meta,
            oldest,
            at_or_before: before,
            following,
            erased: Erased::default(),
        }
    }

    fn erased(at: bool, before_following: u64, before_oldest: u64, view: View) -> View {
        let erased = Erased {
            at,
            before_following,
            before_oldest,
        };
        View { erased, ..view }
    }

    fn gap(reason: GapReason, missed_at_most: u64) -> Option<Gap> {
        Some(Gap {
            reason,
            missed_at_most,
        })
    }

    #[rstest]
    #[case::its_entry_is_there(view(meta(9, 90, 0), Some((10, 1)), Some((50, 5)), Some((60, 6))), None)]
    #[case::it_is_the_tail(view(meta(5, 50, 0), Some((10, 1)), Some((50, 5)), None), None)]
    #[case::cut_up_to_it(view(meta(9, 90, 55), Some((60, 6)), None, Some((60, 6))), None)]
    #[case::all_cut_and_it_was_the_last(view(meta(5, 50, 80), None, None, None), None)]
    #[case::cut_beyond_it(view(meta(9, 90, 75), Some((80, 8)), None, Some((80, 8))), gap(GapReason::Trimmed, 2))]
    #[case::all_cut_and_more_came(view(meta(9, 90, 99), None, None, None), gap(GapReason::Trimmed, 4))]
    #[case::never_written(View::default(), gap(GapReason::Wiped, 0))]
    #[case::another_epoch(
        view(Meta { epoch: 1, ..meta(9, 90, 0) }, Some((10, 1)), Some((50, 5)), Some((60, 6))),
        gap(GapReason::Wiped, 0)
    )]
    #[case::counts_less(view(meta(4, 40, 0), Some((10, 1)), Some((40, 4)), None), gap(GapReason::Rewound, 0))]
    #[case::counted_anew_later(
        view(meta(7, 95, 0), Some((10, 1)), Some((30, 3)), Some((93, 4))),
        gap(GapReason::Rewound, 0)
    )]
    #[case::counted_anew_later_and_cut(
        view(meta(7, 95, 92), Some((93, 4)), None, Some((93, 4))),
        gap(GapReason::Rewound, 0)
    )]
    #[case::counted_anew_with_times_before_it(
        view(meta(6, 60, 0), Some((10, 1)), Some((49, 5)), Some((60, 6))),
        gap(GapReason::Rewound, 0)
    )]
    #[case::counted_anew_and_all_times_before_it(
        view(meta(6, 48, 0), Some((10, 1)), Some((48, 6)), None),
        gap(GapReason::Rewound, 0)
    )]
    #[case::it_was_erased(
        erased(true, 0, 0, view(meta(9, 90, 0), Some((10, 1)), Some((40, 4)), Some((60, 6)))),
        None
    )]
    #[case::what_followed_was_erased(
        erased(false, 2, 0, view(meta(9, 90, 0), Some((10, 1)), Some((50, 5)), Some((80, 8)))),
        None
    )]
    #[case::all_that_followed_was_erased(
        erased(false, 4, 0, view(meta(9, 90, 0), Some((10, 1)), Some((50, 5)), None)),
        None
    )]
    #[case::everything_was_erased(erased(true, 4, 9, view(meta(9, 90, 0), None, None, None)), None)]
    #[case::erased_and_cut_behind_that(
        erased(false, 1, 1, view(meta(9, 90, 75), Some((80, 8)), None, Some((80, 8)))),
        gap(GapReason::Trimmed, 1)
    )]
    #[case::another_log_that_erased_much(
        erased(false, 3, 0, view(meta(9, 90, 0), Some((10, 1)), Some((49, 5)), Some((90, 9)))),
        gap(GapReason::Rewound, 0)
    )]
    fn after_an_entry(#[case] view: View, #[case] expected: Option<Gap>) {
        assert_eq!(judge(Position::After(id(50, 5)), &view), expected);
    }

    #[rstest]
    #[case::never_written(View::default(), None)]
    #[case::nothing_cut(view(meta(9, 90, 5), Some((10, 1)), None, Some((10, 1))), None)]
    #[case::some_cut(view(meta(9, 90, 75), Some((80, 8)), None, Some((80, 8))), gap(GapReason::Trimmed, 7))]
    #[case::all_cut(view(meta(9, 90, 99), None, None, None), gap(GapReason::Trimmed, 9))]
    #[case::the_first_were_erased(erased(false, 0, 2, view(meta(9, 90, 0), Some((30, 3)), None, Some((30, 3)))), None)]
    #[case::some_erased_and_some_cut(
        erased(false, 0, 2, view(meta(9, 90, 75), Some((80, 8)), None, Some((80, 8)))),
        gap(GapReason::Trimmed, 5)
    )]
    fn before_the_first_ever(#[case] view: View, #[case] expected: Option<Gap>) {
        assert_eq!(judge(Position::After(EntryId::default()), &view), expected);
    }

    #[rstest]
    #[case::never_written(View::default(), None)]
    #[case::nothing_cut(view(meta(9, 90, 70), Some((10, 1)), None, Some((50, 5))), None)]
    #[case::the_line_is_before(view(meta(9, 90, 50), Some((60, 6)), None, Some((60, 6))), None)]
    #[case::an_older_one_is_left(view(meta(9, 90, 70), Some((40, 4)), None, Some((50, 5))), None)]
    #[case::cut(view(meta(9, 90, 70), Some((70, 7)), None, Some((70, 7))), gap(GapReason::Trimmed, 6))]
    #[case::all_cut(view(meta(9, 90, 95), None, None, None), gap(GapReason::Trimmed, 9))]
    #[case::all_cut_and_all_older(view(meta(4, 40, 95), None, None, None), None)]
    fn since_a_time(#[case] view: View, #[case] expected: Option<Gap>) {
        assert_eq!(judge(Position::Since(50), &view), expected);
    }

    #[test]
    fn the_earliest_never_gaps() {
        let view = view(meta(9, 90, 75), Some((80, 8)), None, Some((80, 8)));
        assert_eq!(judge(Position::Earliest, &view), None);
    }
}
