//! A lane: shares of one partition that are read together, in a task of their own.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::Arc,
    time::Duration,
};

use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;

use crate::{
    error::Error,
    event::{EntryId, Position},
    fanout::{Delivery, Filter, GapPolicy, Hub, Start, Subscriber},
    store::{Cursor, Entry, Gap, GapReason, StoreError, partition},
};

/// How often a lane tells how far it has come where nothing matches.
const PROGRESS_EVERY: Duration = Duration::from_secs(1);
const JOIN_WAIT: Duration = Duration::from_secs(10);
const RETRY: Duration = Duration::from_millis(500);

/// What a lane tells.
#[derive(Debug)]
pub(super) enum Told {
    /// An entry of one of its shares.
    Entry(Arc<Entry>),
    /// Entries are gone.
    Gap {
        gap: Gap,
        /// The log's time at the last place before them, Unix milliseconds, where it is known.
        after_ms: Option<u64>,
        /// The place before the oldest entry that is left, where the lane goes on.
        before_oldest: EntryId,
        /// The end of the partition.
        tail: EntryId,
    },
    /// It has come so far, and nothing matched on the way.
    Reached(EntryId),
    /// It is about to pass this place of one of its shares, and the log does not have it any more: it went back. The lane itself
    /// was before it all the time, so it was told of no gap.
    Lost(EntryId),
    /// It cannot go on.
    Failed(Error),
}

/// A lane. It ends when this is dropped.
pub(super) struct Lane {
    /// Its shares that are still held.
    pub(super) shares: BTreeSet<u16>,
    _task: AbortOnDropHandle<()>,
}

/// Shares that can be read together, and from where: those of one partition whose places are of one kind and one epoch.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Group {
    pub(super) partition: u16,
    pub(super) from: Position,
    pub(super) shares: BTreeSet<u16>,
    /// Places of its shares behind `from`, sorted.
    pub(super) marks: Vec<EntryId>,
}

/// Puts shares into groups.
pub(super) fn groups(places: &[(u16, Position)], partitions: u16) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for (share, place) in places {
        let partition = partition::of_share(*share, partitions);
        let known = groups.iter_mut().find_map(|group| {
            let from = earlier(group.from, *place)?;
            (group.partition == partition).then_some((group, from))
        });
        if let Some((group, from)) = known {
            group.from = from;
            group.shares.insert(*share);
            group.marks.extend(id_of(*place));
        } else {
            groups.push(Group {
                partition,
                from: *place,
                shares: [*share].into(),
                marks: id_of(*place).into_iter().collect(),
            });
        }
    }
    for group in &mut groups {
        group.marks.retain(|mark| Position::After(*mark) != group.from);
        group.marks.sort_unstable_by_key(|mark| mark.order());
        group.marks.dedup();
    }
    groups
}

fn id_of(place: Position) -> Option<EntryId> {
    match place {
        Position::After(id) => Some(id),
        Position::Earliest | Position::Since(_) => None,
    }
}

/// The earlier of two places, where they can be compared.
fn earlier(a: Position, b: Position) -> Option<Position> {
    match (a, b) {
        (Position::Earliest, Position::Earliest) => Some(a),
        (Position::Since(one), Position::Since(other)) => Some(Position::Since(one.min(other))),
        (Position::After(one), Position::After(other)) if one.epoch == other.epoch => {
            Some(if one.order() <= other.order() { a } else { b })
        }
        _ => None,
    }
}

impl Lane {
    /// Begins to read. What it tells comes under `number`.
    pub(super) fn open(
        hub: &Arc<Hub>,
        filter: Filter,
        group: Group,
        number: u64,
        to: mpsc::Sender<(u64, Told)>,
    ) -> Self {
        let partitions = hub.store().partitions();
        let cursor = match group.from {
            Position::Earliest => Cursor::at_time(0, partitions),
            Position::Since(ms) => Cursor::at_time(ms, partitions),
            Position::After(id) => Cursor {
                positions: vec![(group.partition, id)],
                ..Cursor::at_time(id.ms, partitions)
            },
        };
        // A gap may lie before some of its shares only: each is told, and goes on, as its own place says.
        let subscriber = Subscriber::new(
            Arc::clone(hub),
            filter,
            Start::Cursor(cursor),
            GapPolicy::Earliest,
        );
        let reader = Reader {
            hub: Arc::clone(hub),
            subscriber,
            partition: group.partition,
            marks: group.marks.into(),
            number,
            to,
        };
        Self {
            shares: group.shares,
            _task: AbortOnDropHandle::new(tokio::spawn(reader.run())),
        }
    }
}

struct Reader {
    hub: Arc<Hub>,
    subscriber: Subscriber,
    partition: u16,
    /// Places that it has not passed yet.
    marks: VecDeque<EntryId>,
    number: u64,
    to: mpsc::Sender<(u64, Told)>,
}

impl Reader {
    /// Reads until nobody listens any more.
    async fn run(mut self) {
        if let Err(error) = self.read().await {
            let _ = self.to.send((self.number, Told::Failed(error))).await;
        }
    }

    async fn read(&mut self) -> Result<(), Error> {
        loop {
            match self.subscriber.join(JOIN_WAIT).await {
                Ok(()) => break,
                Err(Error::StoreUnavailable) => tokio::time::sleep(RETRY).await,
                Err(error) => return Err(error),
            }
        }
        let mut progress = tokio::time::interval(PROGRESS_EVERY);
        let mut reached = None;
        loop {
            let told = tokio::select! {
                biased;
                _ = progress.tick() => match self.subscriber.skip_unmatched() {
                    Some(delivery) => self.told(delivery).await,
                    None => self.place().filter(|place| reached != Some(*place)).map(|place| {
                        reached = Some(place);
                        Told::Reached(place)
                    }),
                },
                delivery = self.subscriber.next() => self.told(delivery?).await,
            };
            let Some(told) = told else { continue };
            match &told {
                Told::Entry(entry) => self.pass(entry.id).await?,
                Told::Reached(id) => self.pass(*id).await?,
                // Every share is told of it, but where the oldest were trimmed, which loses no mark.
                Told::Gap { gap, .. } if gap.reason != GapReason::Trimmed => self.marks.clear(),
                Told::Gap { .. } | Told::Lost(_) | Told::Failed(_) => {}
            }
            if self.to.send((self.number, told)).await.is_err() {
                return Ok(());
            }
        }
    }

    /// Looks, before it tells of anything behind a mark, whether the log still has what is at the mark. From then on the lane itself
    /// is behind it, and sees if the log goes back.
    async fn pass(&mut self, to: EntryId) -> Result<(), Error> {
        while let Some(mark) = self.marks.pop_front() {
            if mark.order() >= to.order() {
                self.marks.push_front(mark);
                break;
            }
            if self.is_lost(mark).await? {
                // Where nobody listens any more, what comes next finds out.
                let _ = self.to.send((self.number, Told::Lost(mark))).await;
            }
        }
        Ok(())
    }

    async fn is_lost(&mut self, mark: EntryId) -> Result<bool, Error> {
        loop {
            let page = self.hub.store().read(self.partition, Position::After(mark), 1);
            match page.await {
                Ok(page) => return Ok(page.gap.is_some_and(|gap| gap.reason != GapReason::Trimmed)),
                Err(StoreError::Unavailable(_)) => tokio::time::sleep(RETRY).await,
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Where the subscriber has come to; `None` while it has no place yet.
    fn place(&self) -> Option<EntryId> {
        let cursor = self.subscriber.cursor();
        let at = cursor
            .positions
            .iter()
            .find(|(partition, _)| *partition == self.partition);
        at.map(|(_, id)| *id)
    }

    async fn told(&mut self, delivery: Delivery) -> Option<Told> {
        let (gap, after_ms) = match delivery {
            Delivery::Entry(entry) => return Some(Told::Entry(entry)),
            Delivery::Gap(gap, after_ms) => (gap, after_ms),
            // Its shares are never changed, and no lag ends it.
            Delivery::Changed(_) | Delivery::TooSlow => return None,
        };
        let tail = loop {
            match self.hub.store().tails().await {
                Ok(tails) => {
                    break tails
                        .get(usize::from(self.partition))
                        .copied()
                        .unwrap_or_default();
                }
                Err(_) => tokio::time::sleep(RETRY).await,
            }
        };
        Some(Told::Gap {
            gap,
            after_ms,
            before_oldest: self.place().unwrap_or_default(),
            tail,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(epoch: u64, n: u64) -> Position {
        Position::After(EntryId { epoch, ms: 10 * n, n })
    }

    #[test]
    fn shares_are_read_together_where_their_places_compare() {
        let places = [
            (0, after(7, 5)),
            (4, after(7, 3)),
            (24, after(7, 5)),
            (1, after(7, 9)),
            (8, after(8, 1)),
            (12, Position::Since(50)),
            (16, Position::Since(20)),
            (20, Position::Earliest),
        ];
        let group = |partition, from, shares: &[u16]| Group {
            partition,
            from,
            shares: shares.iter().copied().collect(),
            marks: Vec::new(),
        };
        let mark = EntryId {
            epoch: 7,
            ms: 50,
            n: 5,
        };
        assert_eq!(
            groups(&places, 4),
            [
                Group {
                    marks: vec![mark],
                    ..group(0, after(7, 3), &[0, 4, 24])
                },
                group(1, after(7, 9), &[1]),
                group(0, after(8, 1), &[8]),
                group(0, Position::Since(20), &[12, 16]),
                group(0, Position::Earliest, &[20]),
            ]
        );
    }
}
