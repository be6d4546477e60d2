//! The stream of a durable subscription: one subscriber, and a task that keeps its slot.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Poll,
};

use bytes::Bytes;
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};
use tracing::debug;

use super::{
    Context, Ended,
    shared::{LEAVE_ATTEMPTS, LEAVE_RETRY},
    stream::{Over, Told, over},
};
use crate::{
    error::Error,
    fanout::{Delivery, Start, Subscriber},
    store::{
        cursor::Mark,
        subscription::{Enrolled, Member, SlotAnswer, SlotOp, Slots},
    },
};

/// The number of the only slot.
const SLOT: u16 = 0;

/// The stream.
pub(super) struct Durable {
    subscriber: Subscriber,
    mark: Mark,
    /// The place of the last heartbeat that has a number of its own.
    rested_at: Option<Vec<u8>>,
    progress: Arc<Mutex<Progress>>,
    over: Over,
    _stop: DropGuard,
}

/// How far the stream has come.
#[derive(Default)]
struct Progress {
    /// Number of the last event or gap.
    delivered: u64,
    /// A place behind it that may be committed once that is, and its number.
    rest: Option<(u64, Bytes)>,
}

fn lock(progress: &Mutex<Progress>) -> MutexGuard<'_, Progress> {
    progress.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Durable {
    /// Takes the subscription over, whoever has it; unless nobody waits for it any more.
    pub(super) async fn open(context: Context, is_abandoned: impl Fn() -> bool) -> Result<Self, Error> {
        // Who takes over must be able to go on: the former stream may be well, on a replica that hears the log.
        context.wait_for_feed().await?;
        let member = context.new_member();
        let (generation, position) = match Self::take_over(&context, &member, is_abandoned).await {
            Ok(taken) => taken,
            Err(error) => {
                // An answer that was lost may have made it a member, and the owner.
                context.tasks.clone().spawn(give_back(context, member));
                return Err(error);
            }
        };
        let (stop, progress) = (CancellationToken::new(), Arc::<Mutex<Progress>>::default());
        let (end, ended) = watch::channel(None);
        let keeper = Keeper {
            context: context.clone(),
            member,
            generation,
            committed: 0,
            progress: Arc::clone(&progress),
            end,
        };
        context.tasks.spawn(keeper.run(stop.clone()));
        let stop = stop.drop_guard();
        let start = Start::Cursor(context.subscription.place(&position)?);
        let filter = context.subscription.filter(&context.key.tenant, None);
        let mut subscriber = Subscriber::new(Arc::clone(&context.hub), filter, start, context.policy);
        subscriber.join(context.join_wait).await?;
        Ok(Self {
            subscriber,
            mark: Mark {
                subscription: context.key.uid,
                share: None,
                generation,
                seq: 0,
            },
            rested_at: None,
            progress,
            over: over(ended),
            _stop: stop,
        })
    }

    async fn take_over(
        context: &Context,
        member: &Member,
        is_abandoned: impl Fn() -> bool,
    ) -> Result<(u64, Bytes), Error> {
        context.enrol(member, None).await?;
        if is_abandoned() {
            return Err(Error::StoreUnavailable);
        }
        let ops = [(SLOT, SlotOp::TakeOver)];
        let answers = context
            .store
            .slots(&context.key, Slots::Durable, &member.id, context.lease_ms(), &ops)
            .await?
            .ok_or_else(|| context.unknown())?;
        match answers.into_iter().next() {
            Some(SlotAnswer::Taken { generation, position }) => Ok((generation, position)),
            _ => Err(Error::StoreCorrupt),
        }
    }

    /// What comes next, when it comes.
    pub(super) fn poll_next(&mut self, context: &mut std::task::Context<'_>) -> Poll<Result<Told, Error>> {
        if let Poll::Ready(ended) = self.over.as_mut().poll(context) {
            return Poll::Ready(ended.map(Told::Ended).ok_or(Error::StoreUnavailable));
        }
        self.subscriber
            .poll_next(context)
            .map_ok(|delivery| Told::Delivery(self.deliver(delivery)))
    }

    fn deliver(&mut self, delivery: Delivery) -> Delivery {
        self.mark.seq += 1;
        lock(&self.progress).delivered = self.mark.seq;
        delivery
    }

    /// Moves over what did not match; an entry where one was waiting after all.
    pub(super) fn skip_unmatched(&mut self) -> Option<Delivery> {
        if let Some(delivery) = self.subscriber.skip_unmatched() {
            return Some(self.deliver(delivery));
        }
        let place = self.subscriber.cursor().encode();
        if self.rested_at.as_ref() != Some(&place) {
            self.mark.seq += 1;
            lock(&self.progress).rest = Some((self.mark.seq, place.clone().into()));
            self.rested_at = Some(place);
        }
        None
    }

    /// The place behind what was delivered.
    pub(super) fn cursor(&self) -> Vec<u8> {
        self.subscriber.cursor().encode_marked(&self.mark)
    }
}

/// Gives back whatever this member has.
async fn give_back(context: Context, member: Member) {
    let lease_ms = context.lease_ms();
    for _ in 0..LEAVE_ATTEMPTS {
        let left = context
            .store
            .slots(
                &context.key,
                Slots::Durable,
                &member.id,
                lease_ms,
                &[(SLOT, SlotOp::Leave)],
            )
            .await;
        let struck = context.strike(&member.id).await;
        match left.map_err(Error::from).and(struck) {
            Ok(()) => return,
            Err(error) => debug!(%error, "a subscription was not given back"),
        }
        tokio::time::sleep(LEAVE_RETRY).await;
    }
}

/// Keeps the slot, also while the client takes nothing.
struct Keeper {
    context: Context,
    member: Member,
    generation: u64,
    /// Number up to which was committed, as far as is known.
    committed: u64,
    progress: Arc<Mutex<Progress>>,
    end: watch::Sender<Option<Ended>>,
}

impl Keeper {
    async fn run(mut self, stop: CancellationToken) {
        let _counted = super::counted();
        while stop
            .run_until_cancelled(tokio::time::sleep(self.context.beat()))
            .await
            .is_some()
        {
            match self.beat().await {
                Ok(None) => {}
                Ok(Some(ended)) => {
                    self.end.send_replace(Some(ended));
                    break;
                }
                // Nobody else could have taken it over: who cannot be reached hands out nothing.
                Err(error) => debug!(%error, "a subscription cannot be kept now"),
            }
        }
        give_back(self.context, self.member).await;
    }

    async fn slots(&self, ops: &[(u16, SlotOp)]) -> Result<Option<Vec<SlotAnswer>>, Error> {
        let (context, lease_ms) = (&self.context, self.context.lease_ms());
        let answers = context
            .store
            .slots(&context.key, Slots::Durable, &self.member.id, lease_ms, ops);
        Ok(answers.await?)
    }

    async fn beat(&mut self) -> Result<Option<Ended>, Error> {
        let generation = self.generation;
        let mut ops = vec![(SLOT, SlotOp::Hold { generation })];
        let rest = {
            let progress = lock(&self.progress);
            let all_committed = self.committed >= progress.delivered;
            progress
                .rest
                .clone()
                .filter(|(seq, _)| all_committed && *seq > self.committed)
        };
        if let Some((seq, position)) = rest {
            ops.push((
                SLOT,
                SlotOp::Advance {
                    generation,
                    seq,
                    position,
                },
            ));
        }
        let Some(answers) = self.slots(&ops).await? else {
            return Ok(Some(Ended::Deleted));
        };
        match answers.last() {
            Some(SlotAnswer::Done(seq)) => self.committed = *seq,
            _ if self.context.is_forgotten().await? => return Ok(Some(Ended::Lost)),
            _ => return Ok(Some(Ended::TakenOver)),
        }
        match self
            .context
            .store
            .enrol(&self.context.key, &self.member, None, self.context.lease_ms())
            .await?
        {
            Enrolled::Gone => Ok(Some(Ended::Deleted)),
            Enrolled::Member(_) | Enrolled::Full => Ok(None),
        }
    }
}
