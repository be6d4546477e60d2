//! Between a subscriber and its reader: nothing, or a fault that a subscriber could have.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
};

use chatbridge::{
    error::Error,
    fanout::{Delivery, Subscriber},
    store::Cursor,
};
use futures_util::FutureExt as _;
use rand::{RngExt as _, rngs::StdRng};

/// A fault of a subscriber.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// An entry comes twice.
    Repeat,
    /// An entry comes before the one that precedes it.
    Swap,
    /// An entry does not come.
    Skip,
    /// The cursor is that of an entry that has not been delivered.
    CursorAhead,
    /// The cursor is that of the entry before the last.
    CursorBehind,
    /// A gap is not told.
    HideGap,
}

/// A fault that shows now and then.
#[derive(Clone)]
pub(super) struct Trick {
    pub(super) fault: Fault,
    pub(super) chance: Arc<Mutex<StdRng>>,
    /// How often it showed.
    pub(super) shown: Arc<AtomicU32>,
}

impl Trick {
    /// Whether it shows now.
    fn shows(&self, fault: Fault) -> bool {
        let shows = self.fault == fault && self.chance.lock().unwrap().random_ratio(1, 20);
        if shows {
            self.shown.fetch_add(1, Ordering::Relaxed);
        }
        shows
    }
}

/// A subscriber, faulty where there is a trick.
pub(super) struct Tap {
    subscriber: Subscriber,
    trick: Option<Trick>,
    held: VecDeque<Delivery>,
    /// The cursor before the last delivery.
    behind: Option<Cursor>,
}

impl Tap {
    pub(super) fn new(subscriber: Subscriber, trick: Option<Trick>) -> Self {
        Self {
            subscriber,
            trick,
            held: VecDeque::new(),
            behind: None,
        }
    }

    fn shows(&self, fault: Fault) -> bool {
        self.trick.as_ref().is_some_and(|trick| trick.shows(fault))
    }

    pub(super) async fn next(&mut self) -> Result<Delivery, Error> {
        if let Some(held) = self.held.pop_front() {
            return Ok(held);
        }
        if self
            .trick
            .as_ref()
            .is_some_and(|t| t.fault == Fault::CursorBehind)
        {
            self.behind = Some(self.subscriber.cursor());
        }
        let delivery = self.subscriber.next().await?;
        match &delivery {
            Delivery::Gap(..) if self.shows(Fault::HideGap) => return self.subscriber.next().await,
            Delivery::Gap(..) => return Ok(delivery),
            Delivery::Changed(_) | Delivery::TooSlow => return Ok(delivery),
            Delivery::Entry(_) => {}
        }
        if self.shows(Fault::Skip) {
            return self.subscriber.next().await;
        }
        if self.shows(Fault::Repeat) {
            self.held.push_back(delivery.clone());
        }
        if self.shows(Fault::Swap) || self.shows(Fault::CursorAhead) {
            let Some(Ok(other)) = self.subscriber.next().now_or_never() else {
                return Ok(delivery);
            };
            if self.trick.as_ref().is_some_and(|t| t.fault == Fault::Swap) {
                self.held.push_back(delivery);
                return Ok(other);
            }
            self.held.push_back(other);
        }
        Ok(delivery)
    }

    pub(super) fn skip_unmatched(&mut self) -> Option<Delivery> {
        self.held.pop_front().or_else(|| self.subscriber.skip_unmatched())
    }

    pub(super) fn cursor(&self) -> Cursor {
        match &self.behind {
            Some(behind) if self.shows(Fault::CursorBehind) => behind.clone(),
            _ => self.subscriber.cursor(),
        }
    }
}
