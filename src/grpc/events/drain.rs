//! What all streams are told at once: that the service stops, or that rights may have changed.

use std::{
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::{Context, Waker},
};

use tokio::sync::{Notify, futures::OwnedNotified};

/// Tells streams that the service stops, or to look again. A stream asks at each event, so asking is one read of memory that nobody
/// writes.
#[derive(Debug, Default)]
pub struct Drain {
    begun: AtomicBool,
    /// Counts what there was to look at again.
    looks: AtomicU64,
    /// Held while that is counted and told, and while somebody begins to wait: so they wait for what they have not counted.
    telling: Mutex<()>,
    all: Arc<Notify>,
}

impl Drain {
    /// Tells everybody.
    pub fn begin(&self) {
        // In this order: whoever begins to wait in between finds it begun.
        self.begun.store(true, Ordering::Release);
        self.all.notify_waiters();
    }

    /// Wakes all streams, so that they look whether they may go on. What they are to see must be there before.
    pub fn look_again(&self) {
        let _telling = self.telling.lock().unwrap_or_else(PoisonError::into_inner);
        self.looks.fetch_add(1, Ordering::Release);
        self.all.notify_waiters();
    }

    fn wait(&self) -> (u64, Pin<Box<OwnedNotified>>) {
        let _telling = self.telling.lock().unwrap_or_else(PoisonError::into_inner);
        let told = Box::pin(Arc::clone(&self.all).notified_owned());
        (self.looks.load(Ordering::Acquire), told)
    }

    /// Whether the service stops.
    pub fn has_begun(&self) -> bool {
        self.begun.load(Ordering::Acquire)
    }
}

/// One stream's wait for it.
pub(super) struct Waiting {
    drain: Arc<Drain>,
    /// How much there was to look at when it began to wait.
    looks: u64,
    told: Pin<Box<OwnedNotified>>,
    /// Whom `told` wakes.
    waker: Option<Waker>,
}

impl Waiting {
    pub(super) fn new(drain: Arc<Drain>) -> Self {
        // Made before it is asked for the first time whether it has begun.
        let (looks, told) = drain.wait();
        Self {
            drain,
            looks,
            told,
            waker: None,
        }
    }

    /// Whether it has begun; whoever asks is woken when it does, and when there is something to look at again, which they look at
    /// after this.
    pub(super) fn is_over(&mut self, context: &mut Context<'_>) -> bool {
        if self.drain.has_begun() {
            return true;
        }
        if self.drain.looks.load(Ordering::Acquire) != self.looks {
            (self.looks, self.told) = self.drain.wait();
            self.waker = None;
        }
        let waker = context.waker();
        if self.waker.as_ref().is_some_and(|known| known.will_wake(waker)) {
            return false;
        }
        self.waker = Some(waker.clone());
        if self.told.as_mut().poll(context).is_ready() {
            // Told in between: it is asked again at once.
            context.waker().wake_by_ref();
        }
        self.drain.has_begun()
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    #[tokio::test]
    async fn all_who_wait_are_told_whenever_they_began() {
        let drain = Arc::new(Drain::default());
        let wait = |mut waiting: Waiting| async move {
            poll_fn(|context| match waiting.is_over(context) {
                true => std::task::Poll::Ready(()),
                false => std::task::Poll::Pending,
            })
            .await;
        };
        let polled = tokio::spawn(wait(Waiting::new(Arc::clone(&drain))));
        tokio::task::yield_now().await;
        let not_polled = Waiting::new(Arc::clone(&drain));
        for _ in 0..3 {
            drain.look_again();
            tokio::task::yield_now().await;
            assert!(!polled.is_finished(), "to look again is not the end");
        }
        drain.begin();
        polled.await.unwrap();
        wait(not_polled).await;
        wait(Waiting::new(Arc::clone(&drain))).await;
    }

    #[tokio::test]
    async fn each_look_wakes_all_who_wait() {
        let drain = Arc::new(Drain::default());
        let mut waiting = Waiting::new(Arc::clone(&drain));
        for n in 1..=3 {
            let woken = poll_fn(|context| {
                assert!(!waiting.is_over(context));
                match waiting.drain.looks.load(Ordering::Acquire) == n {
                    true => std::task::Poll::Ready(()),
                    false => std::task::Poll::Pending,
                }
            });
            let told = async {
                tokio::task::yield_now().await;
                drain.look_again();
            };
            tokio::join!(woken, told);
        }
    }
}
