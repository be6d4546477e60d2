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

/// How many bytes of entries may wait. The next entry is one too many.
const QUEUE_BYTES: usize = 4 << 20;

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
    /// How many bytes they have.
    bytes: usize,
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
                bytes: 0,
                waker: None,
                open: true,
            }),
        }
    }

    /// Puts an entry in. Returns whether it was full, and so has been closed by this. What waited in it is let go then: the
    /// subscriber's place is before it, so it is read from the log, and one who never does keeps nothing.
    pub(super) fn push(&self, entry: &Arc<Dispatched>) -> bool {
        let (waker, overflows, _let_go) = {
            let mut state = self.state();
            if !state.open {
                return false;
            }
            let overflows = state.entries.len() >= QUEUE || state.bytes >= QUEUE_BYTES;
            let mut let_go = VecDeque::new();
            if overflows {
                state.open = false;
                let_go = std::mem::take(&mut state.entries);
            } else {
                state.bytes += entry.entry.bytes();
                state.entries.push_back(Arc::clone(entry));
            }
            (state.waker.take(), overflows, let_go)
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
                state.bytes -= entry.entry.bytes();
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

#[cfg(test)]
mod tests {
    use std::sync::Weak;

    use super::*;
    use crate::{
        event::{ConversationKey, EntryId, TenantId},
        fanout::Filter,
    };

    fn inbox() -> Inbox {
        let filter = Filter {
            tenant: TenantId::new("t"),
            conversations: [].into(),
            share: None,
            kinds: [].into(),
            echoes: true,
        };
        Inbox::new(1, Arc::new(Wanted::new(filter, false)))
    }

    fn dispatched(bytes: usize) -> Arc<Dispatched> {
        Arc::new(Dispatched {
            entry: Arc::new(Entry {
                partition: 0,
                id: EntryId::default(),
                key: ConversationKey::new(TenantId::new("t"), "c"),
                kind: 1,
                echo: false,
                event: vec![0; bytes].into(),
                raw: bytes::Bytes::new(),
                unreadable: None,
            }),
            reached: None,
        })
    }

    /// Pushes until it is full: what was pushed before that.
    fn fill(inbox: &Inbox, bytes: usize) -> Vec<Weak<Dispatched>> {
        let mut pushed = Vec::new();
        loop {
            let entry = dispatched(bytes);
            if inbox.push(&entry) {
                return pushed;
            }
            pushed.push(Arc::downgrade(&entry));
        }
    }

    #[test]
    fn one_that_is_full_keeps_nothing() {
        for (bytes, count) in [(10, QUEUE), (QUEUE_BYTES / 8, 8), (QUEUE_BYTES + 1, 1)] {
            let inbox = inbox();
            let pushed = fill(&inbox, bytes);
            assert_eq!(pushed.len(), count, "of {bytes} bytes");
            assert!(pushed.iter().all(|entry| entry.strong_count() == 0));
            assert!(matches!(inbox.take(), Taken::Closed));
        }
    }

    #[test]
    fn one_that_is_emptied_takes_any_number_of_bytes() {
        let inbox = inbox();
        for _ in 0..20 {
            for _ in 0..4 {
                assert!(!inbox.push(&dispatched(QUEUE_BYTES / 4)));
            }
            for _ in 0..4 {
                assert!(matches!(inbox.take(), Taken::Entry(_)));
            }
        }
    }
}
