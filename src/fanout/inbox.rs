//! What waits for one subscriber. It costs next to nothing while it is empty, which it nearly always is.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use super::{filter::Wanted, places::Reached};
use crate::store::Entry;

/// How many entries may wait for one subscriber before it is detached from the live feed.
pub(super) const QUEUE: usize = 256;

/// An emptied queue that had grown beyond this gives its memory back.
const KEPT: usize = 16;

/// An entry as the live feed hands it out, to everybody the same.
pub(super) struct Dispatched {
    pub(super) entry: Arc<Entry>,
    /// How far the feed had come with it; only where somebody listens to everything.
    pub(super) reached: Option<Arc<Reached>>,
}

/// What waits for one subscriber.
pub(super) struct Inbox {
    /// The subscriber's number.
    pub(super) id: u64,
    pub(super) wanted: Arc<Wanted>,
    state: Mutex<State>,
}

struct State {
    entries: VecDeque<Arc<Dispatched>>,
    waker: Option<Waker>,
    open: bool,
}

/// What was found in an inbox.
pub(super) enum Taken {
    Entry(Arc<Dispatched>),
    Empty,
    /// It is empty, and nothing comes any more.
    Closed,
}

impl Inbox {
    pub(super) fn new(id: u64, wanted: Arc<Wanted>) -> Self {
        Self {
            id,
            wanted,
            state: Mutex::new(State {
                entries: VecDeque::new(),
                waker: None,
                open: true,
            }),
        }
    }

    /// Puts an entry in. Returns whether it was full, and so has been closed by this.
    pub(super) fn push(&self, entry: &Arc<Dispatched>) -> bool {
        let (waker, overflows) = {
            let mut state = self.state();
            if !state.open {
                return false;
            }
            let overflows = state.entries.len() >= QUEUE;
            if overflows {
                state.open = false;
            } else {
                state.entries.push_back(Arc::clone(entry));
            }
            (state.waker.take(), overflows)
        };
        if let Some(waker) = waker {
            waker.wake();
        }
        overflows
    }

    /// Lets nothing in any more. What is in it may still be taken.
    pub(super) fn close(&self) {
        let waker = {
            let mut state = self.state();
            state.open = false;
            state.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    pub(super) fn take(&self) -> Taken {
        Self::take_from(&mut self.state())
    }

    /// The next entry; `None` once it is closed and empty.
    pub(super) fn poll(&self, context: &Context<'_>) -> Poll<Option<Arc<Dispatched>>> {
        let mut state = self.state();
        match Self::take_from(&mut state) {
            Taken::Entry(entry) => Poll::Ready(Some(entry)),
            Taken::Closed => Poll::Ready(None),
            Taken::Empty => {
                state.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }

    fn take_from(state: &mut State) -> Taken {
        match state.entries.pop_front() {
            Some(entry) => {
                if state.entries.is_empty() && state.entries.capacity() > KEPT {
                    state.entries = VecDeque::new();
                }
                Taken::Entry(entry)
            }
            None if state.open => Taken::Empty,
            None => Taken::Closed,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing that holds the lock leaves the state half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
