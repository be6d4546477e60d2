//! From what lanes tell to what the client gets.

use std::{collections::BTreeSet, sync::Arc};

use tokio::time::Instant;

use super::{Out, member::Player, shares::place_of};
use crate::{
    error::Error,
    event::{EntryId, Position},
    fanout::{Delivery, GapPolicy},
    store::{Cursor, Entry, Gap, GapReason, cursor::Mark, partition},
    subscription::lane::Told as FromLane,
};

impl Player {
    /// Takes in what a lane tells.
    pub(super) fn take_in(&mut self, lane: u64, told: FromLane) {
        // A lane that was closed may have told something before.
        let Some(known) = self.lanes.get(&lane) else {
            return;
        };
        match told {
            FromLane::Entry(entry) => {
                let share = partition::share(&entry.key, self.context.partitions());
                if known.shares.contains(&share) {
                    self.deliver_entry(share, entry);
                }
            }
            FromLane::Reached(id) => {
                for share in &known.shares {
                    if let Some(held) = self.held.get_mut(share)
                        && !held.leaving
                    {
                        held.pass(id);
                    }
                }
            }
            FromLane::Lost(id) => self.read_anew(lane, Position::After(id)),
            FromLane::Gap {
                gap,
                after_ms,
                before_oldest,
                tail,
            } => {
                let shares = known.shares.clone();
                self.tell_gap(&shares, gap, after_ms, before_oldest, tail);
            }
            FromLane::Failed(error) => {
                self.failed = true;
                self.outbox.push(Err(error));
            }
        }
    }

    fn deliver_entry(&mut self, share: u16, entry: Arc<Entry>) {
        let Some(held) = self.held.get_mut(&share) else {
            return;
        };
        if held.leaving || !held.admits(entry.id) {
            return;
        }
        let id = entry.id;
        let seq = held.deliver(Position::After(id), Instant::now());
        let generation = held.generation;
        self.push(
            share,
            generation,
            seq,
            Position::After(id),
            Delivery::Entry(entry),
        );
    }

    /// Tells each share of a lane whose place lies before the gap.
    fn tell_gap(
        &mut self,
        shares: &BTreeSet<u16>,
        gap: Gap,
        after_ms: Option<u64>,
        before_oldest: EntryId,
        tail: EntryId,
    ) {
        let policy = self.context.policy;
        for share in shares {
            let Some(held) = self.held.get_mut(share) else {
                continue;
            };
            let is_spared = gap.reason == GapReason::Trimmed && held.is_past(before_oldest);
            if held.leaving || is_spared {
                continue;
            }
            let to = match policy {
                GapPolicy::Earliest => Position::After(before_oldest),
                GapPolicy::Latest => Position::After(tail),
                GapPolicy::Fail => held.place(),
            };
            let seq = held.deliver(to, Instant::now());
            let generation = held.generation;
            self.push(*share, generation, seq, to, Delivery::Gap(gap, after_ms));
            if policy == GapPolicy::Fail {
                self.failed = true;
            }
        }
        if self.failed {
            self.outbox.push(Err(Error::CursorGap));
        }
    }

    fn push(&mut self, share: u16, generation: u64, seq: u64, place: Position, delivery: Delivery) {
        let partitions = self.context.partitions();
        let cursor = match place {
            Position::After(id) => place_of(share, id, partitions),
            Position::Since(ms) => Cursor::at_time(ms, partitions),
            Position::Earliest => Cursor::at_time(0, partitions),
        };
        let mark = Mark {
            subscription: self.context.key.uid,
            share: Some(share),
            generation,
            seq,
        };
        self.outbox.push(Ok(Out {
            delivery,
            cursor: cursor.encode_marked(&mark),
            share,
        }));
    }
}
