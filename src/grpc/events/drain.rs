//! The end of the service, as thousands of streams wait for it.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Waker},
};

use tokio::sync::{Notify, futures::OwnedNotified};

/// Tells streams that the service stops. A stream asks at each event, so asking is one read of memory that nobody writes.
#[derive(Debug, Default)]
pub struct Drain {
    begun: AtomicBool,
    all: Arc<Notify>,
}

impl Drain {
    /// Tells everybody.
    pub fn begin(&self) {
        // In this order: whoever begins to wait in between finds it begun.
        self.begun.store(true, Ordering::Release);
        self.all.notify_waiters();
    }

    /// Whether the service stops.
    pub fn has_begun(&self) -> bool {
        self.begun.load(Ordering::Acquire)
    }
}

/// One stream's wait for it.
pub(super) struct Waiting {
    drain: Arc<Drain>,
    told: Pin<Box<OwnedNotified>>,
    /// Whom `told` wakes.
    waker: Option<Waker>,
}

impl Waiting {
    pub(super) fn new(drain: Arc<Drain>) -> Self {
        // Made before it is asked for the first time whether it has begun.
        let told = Box::pin(Arc::clone(&drain.all).notified_owned());
        Self {
            drain,
            told,
            waker: None,
        }
    }

    /// Whether it has begun; whoever asks is woken when it does.
    pub(super) fn is_over(&mut self, context: &mut Context<'_>) -> bool {
        if self.drain.has_begun() {
            return true;
        }
        let waker = context.waker();
        if self.waker.as_ref().is_some_and(|known| known.will_wake(waker)) {
            return false;
        }
        self.waker = Some(waker.clone());
        self.told.as_mut().poll(context).is_ready()
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
        drain.begin();
        polled.await.unwrap();
        wait(not_polled).await;
        wait(Waiting::new(Arc::clone(&drain))).await;
    }
}
