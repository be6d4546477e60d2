//! What waits for the client to take it. It is handed out only while the leases hold, and what is of a share that was lost is
//! not handed out at all: its next owner delivers it.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use tokio::{sync::Notify, time::Instant};

use super::Out;
use crate::error::Error;

/// A queue from the member to its stream.
#[derive(Clone, Default)]
pub(super) struct Outbox(Arc<Shared>);

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    /// Something was taken.
    taken: Notify,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Result<Out, Error>>,
    /// Until when all leases are known to hold; `None`: nothing is held.
    leased_until: Option<Instant>,
    waker: Option<Waker>,
}

impl Queue {
    fn is_leased(&self, now: Instant) -> bool {
        self.leased_until.is_none_or(|until| now < until)
    }
}

impl Outbox {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.0.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts something at the end.
    pub(super) fn push(&self, out: Result<Out, Error>) {
        let mut queue = self.lock();
        queue.waiting.push_back(out);
        if let Some(waker) = queue.waker.take() {
            waker.wake();
        }
    }

    /// Says until when all leases hold.
    pub(super) fn leased(&self, until: Option<Instant>) {
        let mut queue = self.lock();
        queue.leased_until = until;
        if let Some(waker) = queue.waker.take() {
            waker.wake();
        }
    }

    /// Takes away what waits of a share.
    pub(super) fn drop_share(&self, share: u16) {
        let is_of_another = |out: &Result<Out, Error>| out.as_ref().map_or(true, |out| out.share != share);
        self.lock().waiting.retain(is_of_another);
    }

    /// How much waits.
    pub(super) fn len(&self) -> usize {
        self.lock().waiting.len()
    }

    /// Waits until something was taken since this was last waited for.
    pub(super) async fn taken(&self) {
        self.0.taken.notified().await;
    }

    /// Takes what is first, while the leases hold. Whoever waits is woken when they are renewed.
    pub(super) fn poll_take(&self, context: &Context<'_>) -> Poll<Result<Out, Error>> {
        let mut queue = self.lock();
        if queue.is_leased(Instant::now())
            && let Some(out) = queue.waiting.pop_front()
        {
            self.0.taken.notify_one();
            return Poll::Ready(out);
        }
        queue.waker = Some(context.waker().clone());
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures_util::{FutureExt as _, future::poll_fn};

    use super::*;
    use crate::{
        fanout::Delivery,
        store::{Gap, GapReason},
    };

    fn out(share: u16) -> Result<Out, Error> {
        let gap = Gap {
            reason: GapReason::Wiped,
            missed_at_most: 0,
        };
        Ok(Out {
            delivery: Delivery::Gap(gap, None),
            cursor: Vec::new(),
            share,
        })
    }

    async fn take(outbox: &Outbox) -> u16 {
        poll_fn(|context| outbox.poll_take(context)).await.unwrap().share
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_handed_out_after_the_lease_until_it_is_renewed() {
        let outbox = Outbox::default();
        outbox.leased(Some(Instant::now() + Duration::from_secs(1)));
        outbox.push(out(1));
        outbox.push(out(2));
        assert_eq!(take(&outbox).now_or_never(), Some(1));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(take(&outbox).now_or_never(), None);
        let waits = tokio::spawn({
            let outbox = outbox.clone();
            async move { take(&outbox).await }
        });
        tokio::task::yield_now().await;
        outbox.leased(Some(Instant::now() + Duration::from_secs(1)));
        assert_eq!(waits.await.unwrap(), 2);
    }

    #[tokio::test]
    async fn what_waits_of_a_share_goes_with_it() {
        let outbox = Outbox::default();
        for share in [1, 2, 1, 3] {
            outbox.push(out(share));
        }
        outbox.push(Err(Error::CursorGap));
        outbox.drop_share(1);
        assert_eq!(outbox.len(), 3);
        assert_eq!((take(&outbox).await, take(&outbox).await), (2, 3));
        assert!(poll_fn(|context| outbox.poll_take(context)).await.is_err());
    }
}
