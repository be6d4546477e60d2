//! Which shares a member has: it takes, keeps and gives back their slots.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::Duration,
};

use futures_util::future;
use tokio::time::Instant;
use tracing::debug;

use super::member::Player;
use crate::{
    error::Error,
    event::{EntryId, Position},
    store::{
        Cursor, StoreError, partition,
        subscription::{SlotAnswer, SlotOp, Slots},
    },
    subscription::{
        held::Held,
        lane::{Group, Lane, groups},
    },
};

/// How often a member tries to give back what it holds, and how long it waits in between: what is not given back is nobody's
/// for a lease.
pub(in crate::subscription) const LEAVE_ATTEMPTS: usize = 4;
pub(in crate::subscription) const LEAVE_RETRY: Duration = Duration::from_millis(500);

/// What is wanted of the slots of each partition.
type Wishes = BTreeMap<u16, Vec<(u16, SlotOp)>>;

impl Player {
    /// Brings what is held and what should be held together. Whether the subscription was deleted.
    pub(super) async fn sync(&mut self) -> Result<bool, Error> {
        let started = Instant::now();
        let renews = started >= self.renew_at;
        let wishes = self.wishes(renews);
        let answers = self.ask(&wishes).await;
        let (mut gone, mut taken, mut failed) = (false, Vec::new(), None);
        for (wishes, answers) in wishes.into_values().zip(answers) {
            match answers {
                Ok(Some(answers)) => {
                    for ((share, op), answer) in wishes.into_iter().zip(answers) {
                        self.settle(share, &op, answer, started, &mut taken)?;
                    }
                }
                Ok(None) => gone = true,
                Err(error) => failed = Some(error),
            }
        }
        self.clamp(&mut taken).await?;
        self.open_lanes(taken, started);
        self.outbox
            .leased(self.held.values().map(|held| held.leased_until).min());
        if let Some(error) = failed {
            return Err(error.into());
        }
        if renews {
            self.renew_at = started + self.context.lease() / 3;
        }
        Ok(gone)
    }

    /// A place at a time that lies ahead, since the clock stepped back, means now: entries that come next are logged before it.
    async fn clamp(&self, taken: &mut [(u16, u64, Position)]) -> Result<(), Error> {
        let is_time = |(.., place): &(u16, u64, Position)| matches!(place, Position::Since(_));
        if !taken.iter().any(is_time) {
            return Ok(());
        }
        let now_ms = self.context.now_ms().await?;
        for (.., place) in taken {
            if let Position::Since(ms) = place {
                *ms = now_ms.min(*ms);
            }
        }
        Ok(())
    }

    fn wishes(&mut self, renews: bool) -> Wishes {
        let mut wishes = Wishes::new();
        let partitions = self.context.partitions();
        for (share, held) in &mut self.held {
            // For good: what came meanwhile was left out, and is delivered once the share has been taken anew.
            held.leaving |= !self.wanted.contains(share);
            let is_done = held.leaving && held.pending() == 0;
            // Asking for the commits renews a lease, too.
            if renews || is_done || held.pending() > 0 {
                let of = wishes.entry(partition::of_share(*share, partitions)).or_default();
                wish(*share, held, is_done, partitions, of);
            }
        }
        self.doubtful
            .extend(self.wanted.iter().filter(|share| !self.held.contains_key(share)));
        for share in &self.doubtful {
            let of = wishes.entry(partition::of_share(*share, partitions)).or_default();
            let is_wanted = self.wanted.contains(share);
            of.push((*share, if is_wanted { SlotOp::Take } else { SlotOp::Leave }));
        }
        wishes
    }

    async fn ask(&self, wishes: &Wishes) -> Vec<Result<Option<Vec<SlotAnswer>>, StoreError>> {
        let (context, lease_ms) = (&self.context, self.context.lease_ms());
        let asked = wishes.iter().map(|(partition, wishes)| {
            let slots = Slots::Shares(*partition);
            context
                .store
                .slots(&context.key, slots, &self.member.id, lease_ms, wishes)
        });
        future::join_all(asked).await
    }

    /// Gives everything back.
    pub(super) async fn leave(mut self) {
        let partitions = self.context.partitions();
        let mut wishes = Wishes::new();
        for (share, held) in &mut self.held {
            let of = wishes.entry(partition::of_share(*share, partitions)).or_default();
            wish(*share, held, true, partitions, of);
        }
        for share in &self.doubtful {
            let of = wishes.entry(partition::of_share(*share, partitions)).or_default();
            of.push((*share, SlotOp::Leave));
        }
        for _ in 0..LEAVE_ATTEMPTS {
            let mut answers = self.ask(&wishes).await.into_iter();
            wishes.retain(|_, _| answers.next().is_some_and(|answer| answer.is_err()));
            // Last: until then the others know that these shares are somebody's.
            let struck = self.context.strike(&self.member.id).await;
            if wishes.is_empty() && struck.is_ok() {
                return;
            }
            tokio::time::sleep(LEAVE_RETRY).await;
        }
        debug!("a member's shares were not given back: their leases end it");
    }

    /// Takes in what became of one wish.
    fn settle(
        &mut self,
        share: u16,
        op: &SlotOp,
        answer: SlotAnswer,
        started: Instant,
        taken: &mut Vec<(u16, u64, Position)>,
    ) -> Result<(), Error> {
        match (op, answer) {
            (SlotOp::Take | SlotOp::TakeOver, SlotAnswer::Taken { generation, position }) => {
                count("taken");
                let place = self.context.subscription.place(&position)?;
                let partitions = self.context.partitions();
                let place = place.position(partition::of_share(share, partitions), partitions);
                taken.push((share, generation, place));
            }
            (SlotOp::Hold { .. }, SlotAnswer::Done(seq)) => {
                if let Some(held) = self.held.get_mut(&share) {
                    held.leased_until = started + self.context.lease();
                    held.commit(seq);
                }
            }
            (SlotOp::Advance { .. }, SlotAnswer::Done(_)) => {
                if let Some(held) = self.held.get_mut(&share) {
                    held.note_saved();
                }
            }
            (SlotOp::Take | SlotOp::Leave, _) => {
                self.doubtful.remove(&share);
            }
            (SlotOp::Release { .. }, _) => {
                count("released");
                self.drop_share(share);
            }
            (SlotOp::Hold { .. }, _) => {
                count("lost");
                self.drop_share(share);
                self.robbed = true;
            }
            _ => {}
        }
        Ok(())
    }

    fn drop_share(&mut self, share: u16) {
        let Some(held) = self.held.remove(&share) else {
            return;
        };
        self.ear.ignore(share);
        self.outbox.drop_share(share);
        if let Some(lane) = self.lanes.get_mut(&held.lane) {
            lane.shares.remove(&share);
            if lane.shares.is_empty() {
                self.lanes.remove(&held.lane);
            }
        }
    }

    fn open_lanes(&mut self, taken: Vec<(u16, u64, Position)>, started: Instant) {
        let leased_until = started + self.context.lease();
        let places: Vec<(u16, Position)> = taken.iter().map(|(share, _, place)| (*share, *place)).collect();
        let mut lane_of: HashMap<u16, u64> = HashMap::new();
        for group in groups(&places, self.context.partitions()) {
            self.next_lane += 1;
            lane_of.extend(group.shares.iter().map(|share| (*share, self.next_lane)));
            let lane = self.open_lane(group);
            self.lanes.insert(self.next_lane, lane);
        }
        for (share, generation, place) in taken {
            let lane = lane_of.get(&share).copied().unwrap_or_default();
            self.doubtful.remove(&share);
            self.ear.attend(share);
            self.held
                .insert(share, Held::new(generation, lane, place, leased_until));
        }
    }

    /// Has the shares of a lane that are at a place read by a lane of their own, which then finds what is wrong with it.
    pub(super) fn read_anew(&mut self, lane: u64, from: Position) {
        let Some(old) = self.lanes.get_mut(&lane) else {
            return;
        };
        let mut shares = BTreeSet::new();
        for (share, held) in &mut self.held {
            if held.lane == lane && held.place() == from {
                held.lane = self.next_lane + 1;
                old.shares.remove(share);
                shares.insert(*share);
            }
        }
        if old.shares.is_empty() {
            self.lanes.remove(&lane);
        }
        let Some(first) = shares.first() else { return };
        self.next_lane += 1;
        let opened = self.open_lane(Group {
            partition: partition::of_share(*first, self.context.partitions()),
            from,
            shares,
            marks: Vec::new(),
        });
        self.lanes.insert(self.next_lane, opened);
    }

    fn open_lane(&self, group: Group) -> Lane {
        let context = &self.context;
        let filter = context
            .subscription
            .filter(&context.key.tenant, Some(group.shares.clone()));
        Lane::open(&context.hub, filter, group, self.next_lane, self.to_self.clone())
    }
}

/// What is wanted of a slot that is held: that its place is known, and that it is kept or given back.
fn wish(share: u16, held: &mut Held, gives_back: bool, partitions: u16, wishes: &mut Vec<(u16, SlotOp)>) {
    let generation = held.generation;
    if let Some((seq, id)) = held.unsaved() {
        let position = place_of(share, id, partitions).encode().into();
        let advance = SlotOp::Advance {
            generation,
            seq,
            position,
        };
        wishes.push((share, advance));
    }
    let op = if gives_back {
        SlotOp::Release { generation }
    } else {
        SlotOp::Hold { generation }
    };
    wishes.push((share, op));
}

/// A place in a share, as a cursor.
pub(super) fn place_of(share: u16, id: EntryId, partitions: u16) -> Cursor {
    Cursor {
        positions: vec![(partition::of_share(share, partitions), id)],
        ..Cursor::at_time(id.ms, partitions)
    }
}

fn count(what: &'static str) {
    metrics::counter!("chatbridge_subscription_shares_total", "result" => what).increment(1);
}
