//! What writers offered to the log, and what it answered.

use std::{
    collections::HashMap,
    sync::{
        Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering},
    },
};

use chatbridge::{
    event::{EntryId, TenantId},
    store::{Append, Appended, StoreError},
};

use super::violation::{Checked, violation};

/// Orders what happens in a run. What was offered after a cursor was taken has a later tick than the cursor.
pub(super) type Tick = u64;

/// A tenant's event.
pub(super) type EventName = (TenantId, String);

/// An event that was offered.
#[derive(Clone)]
pub(super) struct Offer {
    /// With its genuine body.
    pub(super) append: Append,
    /// Its body as received.
    pub(super) raw: Vec<u8>,
    /// When it was first offered.
    pub(super) tick: Tick,
    /// How often, those without an answer included.
    tries: u32,
    /// Place and sequence that were answered.
    accepted: Option<(EntryId, u64)>,
}

/// All that was offered.
#[derive(Default)]
pub(super) struct Offers {
    tick: AtomicU64,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    offers: HashMap<EventName, Offer>,
    /// Answers that no audit has looked at yet.
    fresh: Vec<EventName>,
    duplicates: u64,
}

pub(super) fn name(event: &Append) -> EventName {
    (event.key.tenant.clone(), event.event_id.clone())
}

impl Offers {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap()
    }

    /// A moment that is later than all before it.
    pub(super) fn now(&self) -> Tick {
        self.tick.fetch_add(1, Ordering::SeqCst) + 1
    }

    /// Notes that an event is about to be appended with its genuine body.
    pub(super) fn offering(&self, event: &Append, raw: &[u8]) {
        let tick = self.now();
        let mut known = self.known();
        let offer = known.offers.entry(name(event)).or_insert_with(|| Offer {
            append: event.clone(),
            raw: raw.to_vec(),
            tick,
            tries: 0,
            accepted: None,
        });
        offer.tries += 1;
    }

    /// Judges what the log answered to an event with its genuine body.
    pub(super) fn answered(&self, event: &Append, answer: Result<Appended, StoreError>) -> Checked<bool> {
        let name = name(event);
        let mut known = self.known();
        let known = &mut *known;
        let offer = known.offers.get_mut(&name).expect("it was offered");
        match answer {
            Ok(Appended::New { id, sequence, .. }) => {
                if let Some((at, _)) = offer.accepted {
                    return violation!(Doubled, "{name:?} was accepted at {at:?} and again at {id:?}");
                }
                offer.accepted = Some((id, sequence));
                known.fresh.push(name);
                Ok(true)
            }
            Ok(Appended::Duplicate) if offer.tries > 1 => {
                known.duplicates += 1;
                Ok(true)
            }
            Ok(other) => violation!(TurnedAway, "{name:?}, which was new, was answered {other:?}"),
            Err(StoreError::Unavailable(_)) => Ok(false),
            Err(error) => violation!(Failed, "the append of {name:?}: {error}"),
        }
    }

    /// Judges what the log answered to a forgery.
    pub(super) fn answered_forgery(
        &self,
        event: &Append,
        answer: Result<Appended, StoreError>,
    ) -> Checked<bool> {
        match answer {
            Ok(Appended::Forged) => Ok(true),
            Ok(other) => violation!(ForgeryAccepted, "of {:?}: {other:?}", name(event)),
            Err(StoreError::Unavailable(_)) => Ok(false),
            Err(error) => violation!(Failed, "the append of {:?}: {error}", name(event)),
        }
    }

    /// An event as it was offered.
    pub(super) fn get(&self, name: &EventName) -> Option<Offer> {
        self.known().offers.get(name).cloned()
    }

    /// Whether the log said that it holds this event.
    pub(super) fn is_accepted(&self, event: &Append) -> bool {
        let known = self.known();
        known
            .offers
            .get(&name(event))
            .is_some_and(|o| o.accepted.is_some())
    }

    /// How many deliveries the log knew.
    pub(super) fn duplicates(&self) -> u64 {
        self.known().duplicates
    }

    /// What was accepted since this was last asked: name, place and sequence.
    pub(super) fn take_accepted(&self) -> Vec<(EventName, EntryId, u64)> {
        let mut known = self.known();
        let fresh = std::mem::take(&mut known.fresh);
        fresh
            .into_iter()
            .filter_map(|name| {
                let (id, sequence) = known.offers.get(&name)?.accepted?;
                Some((name, id, sequence))
            })
            .collect()
    }

    /// The log lost it: it may be accepted anew.
    pub(super) fn forget(&self, name: &EventName) {
        if let Some(offer) = self.known().offers.get_mut(name) {
            offer.accepted = None;
        }
    }
}
