//! Walks along a stream with the truth in hand: what it got, what it left out, and whether it may.
//!
//! What a stream must give is decided by what its reader was given before, not by what its cursor says: a cursor stands for
//! all that its stream had delivered when it was taken.

use std::collections::{BTreeMap, BTreeSet};

use chatbridge::{
    event::{ConversationKey, EntryId, Position},
    store::{Cursor, Entry, Gap, GapReason, partition},
};

use super::{
    offers::Tick,
    reader::{Begin, Policy, Seen, Stream, Wanted},
    truth::{Logged, Loss, Truth},
    violation::{Checked, violation},
};

/// Where a stream is.
#[derive(Clone)]
pub(super) struct Walk {
    wanted: Wanted,
    policy: Policy,
    partitions: u16,
    conversations: BTreeMap<ConversationKey, Conversation>,
    parts: BTreeMap<u16, Part>,
    /// Up to each of these ticks, what did not match then (`None`: anything) may have been passed over.
    passed: Vec<(Option<Wanted>, Tick)>,
    /// Nothing before this is wanted, Unix milliseconds.
    from_ms: u64,
    /// Whether nothing that was trimmed before the first entry of a partition counts as a gap.
    earliest: bool,
    ended: bool,
}

/// Of one conversation.
#[derive(Clone, Default)]
struct Conversation {
    /// How many of its entries lie behind.
    next: usize,
    /// Those of them that should have come.
    missing: BTreeSet<usize>,
    /// Whether any came to this very stream.
    begun: bool,
    /// How many gaps of its partition were told when the last came.
    gaps: u32,
}

/// Of one partition.
#[derive(Clone, Default)]
struct Part {
    /// The last place that is known to lie behind.
    at: Option<EntryId>,
    /// The first entry that is known to lie at or behind the start.
    floor: Option<usize>,
    /// How many gaps were told.
    gaps: u32,
    /// How many of them before the last entry.
    gaps_at: u32,
    /// Whether it goes on with all that is left, wherever the stream began.
    anew: bool,
}

impl Walk {
    /// At the start of a stream that resumes nothing.
    pub(super) fn start(stream: &Stream, partitions: u16) -> Self {
        let (from_ms, earliest, passed) = match stream.begin {
            Begin::Time(ms) => (ms, false, Vec::new()),
            Begin::Latest => (0, false, vec![(None, stream.joined)]),
            Begin::Earliest | Begin::Mark { .. } => (0, true, Vec::new()),
        };
        Self {
            wanted: stream.wanted.clone(),
            policy: stream.policy,
            partitions,
            conversations: BTreeMap::new(),
            parts: BTreeMap::new(),
            passed,
            from_ms,
            earliest,
            ended: false,
        }
    }

    /// At the start of a stream that resumes from a cursor which was taken here.
    pub(super) fn resume(&self, stream: &Stream, (cursor, taken): (&Cursor, Tick), truth: &Truth) -> Self {
        let mut walk = self.clone();
        walk.passed
            .retain(|(wanted, _)| wanted.as_ref() != Some(&self.wanted));
        walk.passed.push((Some(self.wanted.clone()), taken));
        walk.wanted = stream.wanted.clone();
        walk.policy = stream.policy;
        walk.ended = false;
        for conversation in walk.conversations.values_mut() {
            conversation.begun = false;
        }
        for p in 0..self.partitions {
            let part = walk.parts.entry(p).or_default();
            let read = walk.wanted.conversations.is_empty() || {
                let keys = walk.wanted.conversations.iter();
                keys.map(|c| ConversationKey::new(walk.wanted.tenant.clone(), c.clone()))
                    .any(|key| partition::of(&key, self.partitions) == p)
            };
            let at = match cursor.position(p, self.partitions) {
                Position::After(at) if read => Some(at),
                _ => None,
            };
            if at.is_none() {
                // It is read from the cursor's time on, and what came in that very millisecond may come again.
                for key in keys_of(p, self.partitions, truth) {
                    let all = &truth.conversations[&key];
                    let earlier = all.partition_point(|i| truth.entries[*i].id.ms < cursor.time_ms);
                    let conversation = walk.conversations.entry(key).or_default();
                    conversation.next = conversation.next.min(earlier);
                }
            }
            if at.is_none() || part.at.is_none() {
                part.floor = at.and_then(|at| truth.at(p, at)).map(|index| index + 1);
            }
            part.at = at;
        }
        walk
    }

    /// Whether an entry is one that the stream must not leave out as long as the log has it.
    fn is_due(&self, entry: &Logged, begun: bool) -> bool {
        let may_be_passed = |(wanted, tick): &(Option<Wanted>, Tick)| {
            let matched = |wanted: &Wanted| wanted.matches(&entry.key, entry.kind, entry.echo);
            entry.offered <= *tick && !wanted.as_ref().is_some_and(matched)
        };
        self.wanted.matches(&entry.key, entry.kind, entry.echo)
            && !self.is_too_early(entry)
            && (begun || !self.passed.iter().any(may_be_passed))
    }

    fn is_too_early(&self, entry: &Logged) -> bool {
        let anew = self.parts.get(&entry.partition).is_some_and(|part| part.anew);
        entry.id.ms < self.from_ms && !anew
    }

    /// Whether the stream may leave out an entry that is due; `then`: the conversation's entry that came instead.
    fn is_excused(
        &self,
        index: usize,
        conversation: &Conversation,
        then: Option<&Logged>,
        truth: &Truth,
    ) -> bool {
        let entry = &truth.entries[index];
        let part = self.parts.get(&entry.partition).cloned().unwrap_or_default();
        match entry.lost {
            None => false,
            Some(Loss::Erased) => true,
            Some(Loss::Trimmed) => {
                let told = part.gaps > conversation.gaps;
                let before_start = part.at.is_none() || part.floor.is_some_and(|floor| index < floor);
                let of_another_log =
                    then.map_or(truth.is_wiped(entry), |then| then.id.epoch != entry.id.epoch);
                told || (self.earliest && before_start) || of_another_log
            }
            // Of what went together nothing may be left out. Whether the loss had to be told, `follows` judges.
            Some(Loss::Wiped | Loss::Rewound) => then.is_none_or(|then| then.lost_at != entry.lost_at),
        }
    }

    /// Takes the next that the stream got.
    pub(super) fn observe(&mut self, seen: &Seen, truth: &Truth) -> Checked {
        match seen {
            Seen::Entry(entry) => self.entry(entry, truth),
            Seen::Gap(gap, before, after) => self.gap(*gap, before, after, truth),
            Seen::Ended if self.ended => Ok(()),
            Seen::Ended => violation!(GapNotTold, "the stream ended because of a gap, and told none"),
            Seen::Broke(error) => violation!(Failed, "the stream ended: {error}"),
        }
    }

    fn entry(&mut self, entry: &Entry, truth: &Truth) -> Checked {
        let Some(index) = truth.at(entry.partition, entry.id) else {
            return violation!(MadeUp, "{:?} is not in the log", entry.id);
        };
        let logged = &truth.entries[index];
        let what = format!("{:?} #{} {:?}", logged.key, logged.sequence, logged.id);
        if entry.event != logged.event || entry.raw != logged.raw || entry.key != logged.key {
            return violation!(Altered, "{what}");
        }
        if !self.wanted.matches(&logged.key, logged.kind, logged.echo) {
            return violation!(Unmatched, "{what}");
        }
        self.follows(logged, truth, &what)?;
        let all = &truth.conversations[&logged.key];
        let mut conversation = self.conversations.get(&logged.key).cloned().unwrap_or_default();
        let number = all.binary_search(&index).expect("it is one of them");
        if number < conversation.next {
            return if conversation.missing.contains(&number) {
                violation!(Reordered, "{what} came after later ones")
            } else {
                violation!(Repeated, "{what} came again")
            };
        }
        if self.is_too_early(logged) {
            return violation!(TooEarly, "{what} was logged before {}", self.from_ms);
        }
        let between = all.iter().enumerate().take(number).skip(conversation.next);
        for (skipped, entry) in between {
            let other = &truth.entries[*entry];
            if self.is_due(other, conversation.begun)
                && !self.is_excused(*entry, &conversation, Some(logged), truth)
            {
                conversation.missing.insert(skipped);
            }
        }
        let part = self.parts.entry(logged.partition).or_default();
        if part.at.is_none() {
            part.floor = Some(index);
        }
        conversation.next = number + 1;
        conversation.begun = true;
        conversation.gaps = part.gaps;
        part.gaps_at = part.gaps;
        part.at = Some(logged.id);
        self.conversations.insert(logged.key.clone(), conversation);
        Ok(())
    }

    /// Who stood at an entry that the log has lost must hear of that before anything that came later.
    fn follows(&self, logged: &Logged, truth: &Truth, what: &str) -> Checked {
        let part = self.parts.get(&logged.partition).cloned().unwrap_or_default();
        let Some(at) = part.at.filter(|at| at.epoch != 0) else {
            return Ok(());
        };
        if part.gaps > part.gaps_at {
            return Ok(());
        }
        let same_epoch = at.epoch == logged.id.epoch;
        let rewound = same_epoch && logged.lost.is_none() && {
            let stood = truth.at(logged.partition, at).map(|i| &truth.entries[i]);
            stood.is_some_and(|stood| stood.lost == Some(Loss::Rewound))
        };
        if !same_epoch || rewound {
            return violation!(GapNotTold, "{what} follows {at:?}, which the log has lost");
        }
        Ok(())
    }

    fn gap(&mut self, gap: Gap, before: &Cursor, after: &Cursor, truth: &Truth) -> Checked {
        let loss = match gap.reason {
            GapReason::Trimmed => Loss::Trimmed,
            GapReason::Wiped => Loss::Wiped,
            GapReason::Rewound => Loss::Rewound,
        };
        let is_true = |p: u16| truth.may_miss(p, before.position(p, self.partitions), loss);
        if self.policy == Policy::Fail {
            self.ended = true;
            return match (0..self.partitions).any(is_true) {
                true => Ok(()),
                false => violation!(GapUntrue, "{gap:?} at {before:?}"),
            };
        }
        // The cursor may have moved in other partitions as well, over what did not match.
        let place = |cursor: &Cursor, p| cursor.position(p, self.partitions);
        let told: Vec<(u16, EntryId)> = (0..self.partitions)
            .filter(|p| place(before, *p) != place(after, *p) && is_true(*p))
            .filter_map(|p| match (place(before, p), place(after, p)) {
                (Position::After(from), Position::After(to)) => {
                    let fits = match loss {
                        Loss::Trimmed if self.policy == Policy::Earliest => {
                            from.n + gap.missed_at_most <= to.n
                        }
                        Loss::Wiped => from.epoch != to.epoch,
                        Loss::Rewound if self.policy == Policy::Earliest => to.order() < from.order(),
                        _ => true,
                    };
                    fits.then_some((p, to))
                }
                (_, Position::After(to)) => Some((p, to)),
                _ => None,
            })
            .collect();
        if told.is_empty() {
            return violation!(GapUntrue, "{gap:?} moved the cursor from {before:?} to {after:?}");
        }
        for (p, to) in told {
            let part = self.parts.entry(p).or_default();
            part.gaps += 1;
            part.at = Some(to);
            match self.policy {
                Policy::Latest => self.go_on_behind(p, to, truth),
                // Of a trimmed log the rest lies ahead; of another log, it goes on with all that is left.
                _ if loss != Loss::Trimmed => self.go_on_anew(p, truth),
                _ => {}
            }
        }
        Ok(())
    }

    fn go_on_anew(&mut self, p: u16, truth: &Truth) {
        for key in keys_of(p, self.partitions, truth) {
            self.conversations.entry(key).or_default().next = 0;
        }
        self.parts.entry(p).or_default().anew = true;
    }

    fn go_on_behind(&mut self, p: u16, to: EntryId, truth: &Truth) {
        let Some(index) = truth.at(p, to) else { return };
        for key in keys_of(p, self.partitions, truth) {
            let all = &truth.conversations[&key];
            let next = all.partition_point(|i| *i <= index);
            let conversation = self.conversations.entry(key).or_default();
            conversation.next = conversation.next.max(next);
        }
    }

    /// What should have come and did not: up to the last entry of each conversation, or, of a stream that has caught up,
    /// to the end of the log.
    pub(super) fn missing(&self, truth: &Truth, caught_up: bool) -> Checked {
        if self.ended {
            return Ok(());
        }
        for (key, all) in &truth.conversations {
            let conversation = self.conversations.get(key).cloned().unwrap_or_default();
            let skipped = conversation.missing.iter().map(|n| all[*n]);
            let still = all[conversation.next..].iter().copied().filter(|i| {
                let entry = &truth.entries[*i];
                caught_up
                    && self.is_due(entry, conversation.begun)
                    && !self.is_excused(*i, &conversation, None, truth)
            });
            if let Some(index) = skipped.chain(still).next() {
                let entry = &truth.entries[index];
                let what = format!("{key:?} #{} {:?}", entry.sequence, entry.id);
                return match entry.lost {
                    Some(loss) => violation!(GapNotTold, "{what} was {loss:?}, and the stream was not told"),
                    None => violation!(Lost, "{what} did not come"),
                };
            }
        }
        for (p, part) in &self.parts {
            let gone = part.at.filter(|at| truth.is_gone(*p, *at));
            if let Some(at) = gone.filter(|_| caught_up && part.gaps == part.gaps_at) {
                return violation!(
                    GapNotTold,
                    "partition {p} has lost {at:?}, and the stream was not told"
                );
            }
        }
        Ok(())
    }
}

/// The conversations of a partition.
fn keys_of(p: u16, partitions: u16, truth: &Truth) -> Vec<ConversationKey> {
    let keys = truth.conversations.keys();
    keys.filter(|key| partition::of(key, partitions) == p)
        .cloned()
        .collect()
}
