//! Faults planted between a replica and its store, which the checker must find.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU32, Ordering},
};

use bytes::Bytes;
use chatbridge::{
    conversation::SessionState,
    event::EntryId,
    store::{Append, Appended, Entry, Gap, GapReason, Page, Store, StoreError},
};
use rand::{RngExt as _, rngs::StdRng};

/// A fault of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// A repeated event is appended again.
    NoDedupe,
    /// Another body under a known id is accepted.
    AcceptForgery,
    /// An event is answered as accepted and is not there.
    LoseAccepted,
    /// The feed leaves an entry out.
    SkipLive,
    /// The feed gives two entries in the wrong order.
    SwapLive,
    /// The feed says nothing more.
    Silence,
    /// A page leaves an entry out.
    SkipRead,
    /// A page has two entries in the wrong order.
    SwapRead,
    /// A page ends early, and says that this is the end of the log.
    EndEarly,
    /// A gap is not told.
    HideGap,
    /// A gap is told where nothing is missing.
    InventGap,
    /// An entry comes with other bytes.
    Alter,
}

/// A fault that shows now and then.
pub(super) struct Planted {
    pub(super) fault: Fault,
    pub(super) chance: Mutex<StdRng>,
    /// How often it showed.
    pub(super) shown: Arc<AtomicU32>,
}

impl Planted {
    fn shows(&self, fault: Fault) -> bool {
        let shows = self.fault == fault && self.chance.lock().unwrap().random_ratio(1, 10);
        if shows {
            self.shown.fetch_add(1, Ordering::Relaxed);
        }
        shows
    }

    /// Appends.
    pub(super) async fn append(&self, store: &dyn Store, event: &Append) -> Result<Appended, StoreError> {
        if self.shows(Fault::LoseAccepted) {
            return Ok(Appended::New {
                id: EntryId::default(),
                sequence: 1,
                state: SessionState::Created,
                clock_behind_ms: 0,
                passage: None,
            });
        }
        let answer = store.append(event).await?;
        let accept = match answer {
            Appended::Duplicate => self.shows(Fault::NoDedupe),
            Appended::Forged => self.shows(Fault::AcceptForgery),
            Appended::New { .. } => false,
        };
        if !accept {
            return Ok(answer);
        }
        let mut another = event.clone();
        another.event_id = format!("{}-{}", event.event_id, self.shown.load(Ordering::Relaxed));
        store.append(&another).await?;
        // Found by the audit, whatever the answer.
        Ok(answer)
    }

    /// Spoils what the feed gives.
    pub(super) fn bend_live(&self, entries: &mut Vec<Entry>) {
        if self.fault == Fault::Silence && self.shown.load(Ordering::Relaxed) > 0 {
            entries.clear();
        }
        if entries.is_empty() {
            return;
        }
        if self.shows(Fault::Silence) {
            entries.clear();
        } else if self.shows(Fault::SkipLive) {
            entries.remove(0);
        } else if entries.len() > 1 && self.shows(Fault::SwapLive) {
            entries.swap(0, 1);
        } else if self.shows(Fault::Alter) {
            alter(&mut entries[0]);
        }
    }

    /// Spoils a page.
    pub(super) fn bend_page(&self, page: &mut Page) {
        if page.gap.is_some() && self.shows(Fault::HideGap) {
            page.gap = None;
        }
        if page.gap.is_none() && self.shows(Fault::InventGap) {
            page.gap = Some(Gap {
                reason: GapReason::Trimmed,
                missed_at_most: 1,
            });
        }
        if page.entries.is_empty() {
            return;
        }
        let last = page.entries.len() - 1;
        if self.shows(Fault::SkipRead) {
            page.entries.remove(last / 2);
        } else if last > 0 && self.shows(Fault::SwapRead) {
            page.entries.swap(last / 2, last / 2 + 1);
        } else if last > 0 && self.shows(Fault::EndEarly) {
            page.entries.truncate(last);
            (page.next, page.at_tail) = (page.tail, true);
        } else if self.shows(Fault::Alter) {
            alter(&mut page.entries[0]);
        }
    }
}

fn alter(entry: &mut Entry) {
    entry.raw = Bytes::from_static(b"altered");
}
