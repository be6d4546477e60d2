//! What the log truly is: read past everything that is under test, held against what writers offered, and remembered when
//! the log loses it.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use bytes::Bytes;
use chatbridge::{
    event::{ConversationKey, EntryId, Position},
    grpc::proto::AgentEvent,
    store::{Entry, Store, StoreError},
};
use prost::Message as _;
use rand::{rngs::StdRng, seq::IndexedRandom as _};

use super::{
    offers::{EventName, Offers, Tick},
    violation::{Checked, violation},
};

/// How the log lost entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Loss {
    Trimmed,
    Wiped,
    Rewound,
    /// With its conversation: nobody is told.
    Erased,
}

/// An entry that the log holds or held.
pub(super) struct Logged {
    pub(super) partition: u16,
    pub(super) id: EntryId,
    pub(super) name: EventName,
    pub(super) key: ConversationKey,
    pub(super) kind: i32,
    pub(super) echo: bool,
    pub(super) sequence: u64,
    pub(super) event: Bytes,
    pub(super) raw: Bytes,
    /// When it was first offered.
    pub(super) offered: Tick,
    pub(super) lost: Option<Loss>,
    /// By which audit the loss was found: what went together has the same number.
    pub(super) lost_at: u32,
    /// Whether the store has forgotten that it ever was: its session and what tells a repeat.
    forgotten: bool,
}

/// What a fail-over took: the epoch, the place to which it led back, and the last place that was lost.
type Rewind = (u64, (u64, u64), (u64, u64));

/// One partition.
#[derive(Default)]
pub(super) struct Partition {
    /// What is there now.
    live: Vec<usize>,
    /// The last entry that it had.
    tail: EntryId,
    /// Epochs that were wiped.
    wiped: Vec<u64>,
    /// Where it was rewound.
    rewound: Vec<Rewind>,
}

/// All that the log is and was.
#[derive(Default)]
pub(super) struct Truth {
    pub(super) entries: Vec<Logged>,
    pub(super) partitions: Vec<Partition>,
    /// Each conversation's entries, in the order in which the log took them.
    pub(super) conversations: BTreeMap<ConversationKey, Vec<usize>>,
    /// The first entry that each conversation may have since it was last erased.
    begun: HashMap<ConversationKey, usize>,
    by_place: HashMap<(u16, EntryId), usize>,
    by_event: HashMap<EventName, usize>,
    /// Whether old entries may go by themselves.
    pub(super) trims: bool,
    /// When the latest event of each conversation occurred, Unix seconds and nanoseconds.
    latest: HashMap<ConversationKey, (i64, i32)>,
    /// Entries that occurred before another that their conversation had already.
    pub(super) reorders: u64,
    audits: u32,
}

impl Truth {
    /// Reads the whole log and judges what came to it since the last audit. What is missing must be missing by `loss`.
    ///
    /// No append and no loss may be under way meanwhile.
    pub(super) async fn audit(&mut self, store: &dyn Store, offers: &Offers, loss: Option<Loss>) -> Checked {
        self.partitions
            .resize_with(store.partitions().into(), Partition::default);
        self.audits += 1;
        for (partition, tail) in (0..).zip(insist(|| store.tails()).await) {
            let (found, new) = match self.news(store, partition, loss).await {
                Some(news) => (news, 0),
                None => {
                    let found = read_all(store, partition, Position::Earliest).await.0;
                    let new = self.compare(partition, &found, loss, offers)?;
                    (found, new)
                }
            };
            if matches!(loss, Some(Loss::Rewound | Loss::Wiped)) {
                self.note_loss(partition, tail, loss == Some(Loss::Rewound));
            }
            for entry in &found[new..] {
                self.learn(entry, offers)?;
            }
        }
        for (name, id, sequence) in offers.take_accepted() {
            let at = self.by_event.get(&name).map(|i| &self.entries[*i]);
            if at.is_none_or(|at| (at.id, at.sequence) != (id, sequence)) {
                let found = at.map(|at| (at.id, at.sequence));
                return violation!(
                    NotInLog,
                    "{name:?} was accepted as {:?}, and the log has it as {found:?}",
                    (id, sequence)
                );
            }
        }
        Ok(())
    }

    /// Notes that a conversation was erased, right after an audit: answers how many entries that were.
    pub(super) fn erase(&mut self, key: &ConversationKey) -> u64 {
        self.begun.insert(key.clone(), self.entries.len());
        let mut erased = 0;
        for part in &mut self.partitions {
            let entries = &mut self.entries;
            part.live.retain(|index| {
                let stays = entries[*index].key != *key;
                if !stays {
                    entries[*index].lost = Some(Loss::Erased);
                    erased += 1;
                }
                stays
            });
        }
        erased
    }

    /// What came behind the last entry that is known; `None` where something may be gone, and all must be read.
    async fn news(&self, store: &dyn Store, partition: u16, loss: Option<Loss>) -> Option<Vec<Entry>> {
        if loss.is_some() || self.trims {
            return None;
        }
        let tail = self.partitions[usize::from(partition)].tail;
        let (news, gap) = read_all(store, partition, Position::After(tail)).await;
        (!gap).then_some(news)
    }

    /// Marks what is gone; answers where in `found` the news begin.
    fn compare(
        &mut self,
        partition: u16,
        found: &[Entry],
        loss: Option<Loss>,
        offers: &Offers,
    ) -> Checked<usize> {
        let part = &mut self.partitions[usize::from(partition)];
        let place = |i: &usize| self.entries[*i].id;
        let first = found.first().map(|entry| entry.id);
        let kept_from = part.live.iter().position(|i| Some(place(i)) == first);
        let cut = match (loss, kept_from) {
            (Some(Loss::Wiped), _) => 0,
            (_, Some(from)) => from,
            (Some(Loss::Rewound), None) => 0,
            (_, None) => part.live.len(),
        };
        let same = part.live[cut..]
            .iter()
            .zip(found)
            .take_while(|(i, entry)| place(i) == entry.id)
            .count();
        let left = part.live.split_off(cut + same);
        let trimmed = &part.live[..cut];
        let mut gone: Vec<(usize, Loss)> = trimmed.iter().map(|i| (*i, Loss::Trimmed)).collect();
        let after_trim = if left.is_empty() { None } else { Some(loss) };
        gone.extend(left.iter().map(|i| (*i, loss.unwrap_or(Loss::Rewound))));
        let expected = (trimmed.is_empty() || self.trims)
            && after_trim.is_none_or(|loss| matches!(loss, Some(Loss::Wiped | Loss::Rewound)));
        if !expected {
            let what = gone.iter().map(|(i, _)| place(i)).collect::<Vec<_>>();
            return violation!(NotInLog, "partition {partition} has lost {what:?} by itself");
        }
        part.live.drain(..cut);
        for (index, how) in gone {
            self.entries[index].lost = Some(how);
            self.entries[index].lost_at = self.audits;
            if how == Loss::Rewound {
                self.forget(index, offers);
            }
        }
        if loss == Some(Loss::Wiped) {
            for index in 0..self.entries.len() {
                if self.entries[index].partition == partition {
                    self.forget(index, offers);
                }
            }
        }
        Ok(same)
    }

    /// Notes where a partition was wiped or rewound to.
    fn note_loss(&mut self, partition: u16, tail: EntryId, rewound: bool) {
        let part = &mut self.partitions[usize::from(partition)];
        let before = std::mem::replace(&mut part.tail, tail);
        if before == tail {
            return;
        }
        if rewound {
            part.rewound.push((before.epoch, tail.order(), before.order()));
        }
        if tail.epoch == 0 {
            part.wiped.push(before.epoch);
        }
    }

    fn forget(&mut self, index: usize, offers: &Offers) {
        let entry = &mut self.entries[index];
        if !entry.forgotten {
            entry.forgotten = true;
            self.by_event.remove(&entry.name);
            offers.forget(&entry.name);
        }
    }

    /// Judges an entry that is new.
    fn learn(&mut self, entry: &Entry, offers: &Offers) -> Checked {
        let event = AgentEvent::decode(entry.event.clone()).expect("an event");
        let name = (entry.key.tenant.clone(), event.event_id.clone());
        let Some(offer) = offers.get(&name) else {
            return violation!(MadeUp, "{name:?} at {:?} was never offered", entry.id);
        };
        if entry.raw != offer.raw {
            return violation!(ForgeryAccepted, "{name:?} at {:?} has another body", entry.id);
        }
        let said = ConversationKey::new(entry.key.tenant.clone(), event.conversation_id.clone());
        if entry.key != offer.append.key || said != offer.append.key {
            return violation!(Altered, "{name:?} is in conversation {:?}", entry.key);
        }
        if let Some(other) = self.by_event.get(&name) {
            let other = self.entries[*other].id;
            return violation!(Doubled, "{name:?} is in the log at {other:?} and {:?}", entry.id);
        }
        let tail = &mut self.partitions[usize::from(entry.partition)].tail;
        let follows = entry.id.n == tail.n + 1 && entry.id.ms >= tail.ms;
        if !follows || (tail.epoch != 0 && tail.epoch != entry.id.epoch) {
            return violation!(
                Hole,
                "in partition {}, {:?} follows {tail:?}",
                entry.partition,
                entry.id
            );
        }
        *tail = entry.id;
        let sequence = self.last_sequence(&entry.key) + 1;
        if event.sequence != sequence {
            return violation!(
                Hole,
                "{name:?} has sequence {} in {:?}, expected {sequence}",
                event.sequence,
                entry.key
            );
        }
        let occurred = event.occurred_time.map_or((0, 0), |t| (t.seconds, t.nanos));
        let latest = self.latest.entry(entry.key.clone()).or_default();
        self.reorders += u64::from(occurred < *latest);
        *latest = occurred.max(*latest);
        let index = self.entries.len();
        self.entries.push(Logged {
            partition: entry.partition,
            id: entry.id,
            name: name.clone(),
            key: entry.key.clone(),
            kind: event.kind,
            echo: event.echo,
            sequence,
            event: entry.event.clone(),
            raw: entry.raw.clone(),
            offered: offer.tick,
            lost: None,
            lost_at: 0,
            forgotten: false,
        });
        self.partitions[usize::from(entry.partition)].live.push(index);
        self.by_place.insert((entry.partition, entry.id), index);
        self.by_event.insert(name, index);
        self.conversations
            .entry(entry.key.clone())
            .or_default()
            .push(index);
        Ok(())
    }

    /// A conversation's last sequence: sessions count on over what was trimmed.
    fn last_sequence(&self, key: &ConversationKey) -> u64 {
        let entries = self.conversations.get(key).into_iter().flatten().rev();
        let begun = self.begun.get(key).copied().unwrap_or(0);
        entries
            .take_while(|i| **i >= begun)
            .map(|i| &self.entries[*i])
            .find(|entry| !entry.forgotten)
            .map_or(0, |entry| entry.sequence)
    }

    /// Finds the entry at a place.
    pub(super) fn at(&self, partition: u16, id: EntryId) -> Option<usize> {
        self.by_place.get(&(partition, id)).copied()
    }

    /// The time of some entry that the log holds.
    pub(super) fn some_time(&self, chance: &mut StdRng) -> Option<u64> {
        let live = &self.partitions.choose(chance)?.live;
        live.choose(chance).map(|i| self.entries[*i].id.ms)
    }

    /// Whether an entry's whole epoch was wiped.
    pub(super) fn is_wiped(&self, entry: &Logged) -> bool {
        let part = &self.partitions[usize::from(entry.partition)];
        part.wiped.contains(&entry.id.epoch)
    }

    /// Whether a place is one that the log has lost.
    pub(super) fn is_gone(&self, partition: u16, at: EntryId) -> bool {
        let part = &self.partitions[usize::from(partition)];
        let mut rewound = part.rewound.iter();
        part.wiped.contains(&at.epoch)
            || rewound
                .any(|(epoch, to, last)| *epoch == at.epoch && (*to < at.order() && at.order() <= *last))
    }

    /// Whether somebody can miss something by this loss who stood at `from`, and perhaps went on over what did not match.
    pub(super) fn may_miss(&self, partition: u16, from: Position, loss: Loss) -> bool {
        let part = &self.partitions[usize::from(partition)];
        // What was erased so long ago that it would have been trimmed may be told as that.
        let is_trimmed = |lost| lost == Some(Loss::Trimmed) || (self.trims && lost == Some(Loss::Erased));
        let trimmed = |behind: &dyn Fn(EntryId) -> bool| {
            let mut gone = self.entries.iter();
            gone.any(|e| e.partition == partition && is_trimmed(e.lost) && behind(e.id))
        };
        // Who started by a time is told what may be missing: which times were cut off the log cannot say.
        let at = match from {
            Position::After(at) if at.epoch != 0 => Some(at),
            _ => None,
        };
        match (loss, at) {
            (Loss::Trimmed, None) => trimmed(&|_| true),
            (Loss::Trimmed, Some(at)) => trimmed(&|id| id.epoch == at.epoch && id.order() > at.order()),
            (Loss::Erased, _) => false,
            (Loss::Wiped, None) => !part.wiped.is_empty(),
            (Loss::Wiped, Some(at)) => part.wiped.contains(&at.epoch),
            (Loss::Rewound, None) => !part.rewound.is_empty(),
            (Loss::Rewound, Some(at)) => {
                let mut rewound = part.rewound.iter();
                rewound.any(|(epoch, _, last)| *epoch == at.epoch && at.order() <= *last)
            }
        }
    }
}

/// All of a partition behind a position, and whether any of that is gone.
async fn read_all(store: &dyn Store, partition: u16, mut from: Position) -> (Vec<Entry>, bool) {
    let (mut all, mut gap) = (Vec::new(), false);
    loop {
        let page = insist(|| store.read(partition, from, 256)).await;
        gap |= page.gap.is_some();
        all.extend(page.entries);
        from = Position::After(page.next);
        if page.at_tail {
            return (all, gap);
        }
    }
}

/// Asks until there is an answer: connections may have been cut.
async fn insist<T, F: Future<Output = Result<T, StoreError>>>(ask: impl Fn() -> F) -> T {
    for _ in 0..100 {
        if let Ok(answer) = ask().await {
            return answer;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the store does not answer an audit");
}
