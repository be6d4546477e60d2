//! A subscriber's conversations are changed: the subscriber's side of [`super::lane`].

use std::{
    collections::{BTreeSet, VecDeque},
    sync::Arc,
    task::{Context, Poll, ready},
};

use tracing::debug;

use super::{
    filter::{Scope, Wanted},
    lane::{self, Added, Change, Lane, Lanes, is_ahead},
    places::{Places, Reached, lies_before},
    reading::{Reading, Which},
    subscriber::{Delivery, GapPolicy, Phase, RETRY, Subscriber, has_reached, tell},
};
use crate::{
    error::Error,
    event::{EntryId, Position},
    store::{Cursor, Page, StoreError, partition},
};

/// How many entries of a lane are read at a time.
const PAGE_OF_LANE: usize = 64;

/// What is under way in a subscriber whose conversations change.
#[derive(Default)]
pub(super) struct Changing {
    pub(super) lanes: Lanes,
    /// The next page of the first lane.
    reading: Option<Reading>,
    /// Changes that do not hold yet.
    changes: VecDeque<Change>,
}

impl Changing {
    /// What a cursor tells of lanes. A filter that does not name conversations reads a lane's partition from there on.
    pub(super) fn resume(wanted: &Wanted, cursor: &Cursor, partitions: u16, places: &mut Places) -> Self {
        let mut changing = Self::default();
        for lane in &cursor.lanes {
            let at = lane::position(lane, cursor, partitions);
            if let Scope::Named(_) = wanted.scope {
                let key = wanted
                    .keys()
                    .find(|key| partition::fingerprint(key) == lane.conversation);
                if let Some(key) = key {
                    let partition = partition::of(&key, partitions);
                    let lane = Lane::new(Arc::new(key), partition, at);
                    changing.lanes.behind.push_back(lane);
                }
                continue;
            }
            let partition = partition::of_fingerprint(lane.conversation, partitions);
            if places.at(partition).is_some_and(|place| !is_ahead(at, place)) {
                places.set(partition, at);
            }
        }
        changing
    }
}

impl Subscriber {
    /// Changes its conversations; [`Delivery::Changed`] tells from where on the change holds. Only for one that was made with
    /// [`Subscriber::changeable`].
    pub fn change(&mut self, change: Change) {
        self.changing.changes.push_back(change);
    }

    /// The conversations that it names, those included that are yet to be added.
    pub fn conversations(&self) -> Vec<String> {
        let mut names: BTreeSet<String> = self.wanted.keys().map(|key| key.conversation).collect();
        for change in &self.changing.changes {
            for conversation in &change.remove {
                names.remove(conversation);
            }
            names.extend(change.add.iter().map(|added| added.conversation.clone()));
        }
        names.into_iter().collect()
    }

    /// Whether something is to be done before it goes on.
    pub(super) fn is_changing(&mut self) -> bool {
        let Changing { lanes, changes, .. } = &mut *self.changing;
        if !changes.is_empty() && lanes.are_full() {
            let reached = self.hub.reached();
            lanes.settle(|partition| self.places.at(partition), reached.as_deref());
        }
        !lanes.behind.is_empty() || (!changes.is_empty() && !lanes.are_full())
    }

    /// One step of a change.
    pub(super) fn poll_change(&mut self, context: &mut Context<'_>) -> Poll<Result<Option<Delivery>, Error>> {
        if !self.changing.lanes.behind.is_empty() {
            return self.poll_lane(context);
        }
        // What waits is delivered first, and then the place is where the feed is: so hardly anything is read again.
        if let Some(delivery) = self.skip_unmatched() {
            return Poll::Ready(Ok(Some(delivery)));
        }
        let Some(reached) = self.hub.reached() else {
            if !matches!(self.phase, Phase::Waiting(_)) {
                self.phase = Phase::Detached;
                self.rejoin();
            }
            if let Phase::Waiting(live) = &mut self.phase {
                ready!(live.as_mut().poll(context));
                self.phase = Phase::Detached;
            }
            return Poll::Ready(Ok(None));
        };
        Poll::Ready(Ok(self.apply(&reached)))
    }

    /// Applies the first change, as far as there are lanes for it.
    fn apply(&mut self, reached: &Reached) -> Option<Delivery> {
        // It joins anew with what it wants then.
        self.phase = Phase::Detached;
        let mut change = self.changing.changes.pop_front()?;
        if !change.remove.is_empty() {
            self.take_off(&std::mem::take(&mut change.remove));
        }
        while !self.changing.lanes.are_full() {
            let Some(added) = change.add.pop_front() else {
                return Some(Delivery::Changed(change.revision));
            };
            self.add(&added, reached);
        }
        self.changing.changes.push_front(change);
        None
    }

    fn take_off(&mut self, conversations: &[String]) {
        let wanted = Arc::make_mut(&mut self.wanted);
        for conversation in conversations {
            wanted.take_off(conversation);
            self.changing.lanes.remove(conversation);
        }
        self.changing.reading = None;
        self.places
            .keep(self.wanted.sources(self.hub.store().partitions()));
    }

    fn add(&mut self, added: &Added, reached: &Reached) {
        let partitions = self.hub.store().partitions();
        let key = Arc::new(self.wanted.key(&added.conversation));
        let partition = partition::of(&key, partitions);
        if !Arc::make_mut(&mut self.wanted).add(&added.conversation) {
            return;
        }
        let now = reached.at(partition);
        let at = lane::start(&added.start, &key, partitions, now);
        let place = match (self.places.at(partition), at) {
            (Some(place), _) => {
                self.places.not_only(partition);
                place
            }
            (None, Position::After(_)) => {
                self.places.insert(partition, at, key);
                return;
            }
            // A cursor names no such place, but such a lane.
            (None, Position::Earliest | Position::Since(_)) => {
                let place = Position::After(now);
                self.places.insert(partition, place, Arc::clone(&key));
                place
            }
        };
        if at == place {
            return;
        }
        let lane = Lane::new(key, partition, at);
        if is_ahead(at, place) {
            self.changing.lanes.put_ahead(lane);
        } else {
            self.changing.lanes.behind.push_back(lane);
        }
    }

    /// Reads the first lane up to where the subscriber is.
    fn poll_lane(&mut self, context: &mut Context<'_>) -> Poll<Result<Option<Delivery>, Error>> {
        let changing = &mut *self.changing;
        let Some(lane) = changing.lanes.behind.front_mut() else {
            return Poll::Ready(Ok(None));
        };
        let place = self.places.at(lane.partition);
        let next = lane.read.pop_front();
        if let (Some(entry), Some(place)) = (&next, place)
            && lies_before(entry.id, place)
        {
            if let Some(why) = entry.unreadable.clone().filter(|_| self.wanted.takes(entry)) {
                // Its place stays before the entry, which is read again.
                lane.read.clear();
                lane.at_tail = false;
                changing.reading = None;
                return Poll::Ready(Err((&why).into()));
            }
            lane.at = Position::After(entry.id);
            let entry = next.filter(|entry| self.wanted.takes(entry));
            return Poll::Ready(Ok(entry.map(|entry| Delivery::Entry(Arc::new(entry)))));
        }
        let Some(place) = place.filter(|place| next.is_none() && !lane.at_tail && !is_ahead(lane.at, *place))
        else {
            self.end_lane();
            return Poll::Ready(Ok(None));
        };
        let which = Which {
            partition: lane.partition,
            only: Some(Arc::clone(&lane.key)),
            from: lane.at,
        };
        let reading = match &mut changing.reading {
            Some(reading) if reading.which == which => reading,
            other => other.insert(Reading::begin(&self.hub, which, PAGE_OF_LANE)),
        };
        let page = ready!(reading.poll(context));
        let partition = lane.partition;
        changing.reading = None;
        match page {
            Ok(page) if self.is_stale(&page, partition, place) => {
                self.pause(RETRY);
                Poll::Ready(Ok(None))
            }
            Ok(page) => Poll::Ready(Ok(self.take_of_lane(page))),
            Err(StoreError::Unavailable(error)) => {
                debug!(error, "the log cannot be read now");
                self.pause(RETRY);
                Poll::Ready(Ok(None))
            }
            Err(error) => Poll::Ready(Err(error.into())),
        }
    }

    /// Whether a page was read from a replica that lags. A log that was wiped or rewound does not get there by waiting: that
    /// is found when the subscriber's own place is read on.
    fn is_stale(&self, page: &Page, partition: u16, place: Position) -> bool {
        let Position::After(id) = place else { return false };
        let tail_is_before = |tail: EntryId| tail.epoch == id.epoch && tail.order() < id.order();
        !has_reached(page, id)
            && tail_is_before(page.tail)
            && self
                .hub
                .reached()
                .is_none_or(|reached| !tail_is_before(reached.at(partition)))
    }

    fn take_of_lane(&mut self, page: Page) -> Option<Delivery> {
        let lane = self.changing.lanes.behind.front_mut()?;
        let Some(gap) = page.gap else {
            lane.read = page.entries.into();
            lane.at_tail = page.at_tail;
            return None;
        };
        let from = lane.at;
        match self.policy {
            GapPolicy::Fail => self.failed = true,
            // The page is read again from here, so that its entries and the place agree.
            GapPolicy::Earliest => lane.at = Position::After(page.before_oldest),
            GapPolicy::Latest => self.end_lane(),
        }
        Some(tell(gap, from))
    }

    /// The first lane's conversation is where the subscriber is, or ahead of it.
    fn end_lane(&mut self) {
        let lanes = &mut self.changing.lanes;
        self.changing.reading = None;
        if let Some(lane) = lanes.behind.pop_front()
            && self
                .places
                .at(lane.partition)
                .is_some_and(|place| place != lane.at && is_ahead(lane.at, place))
        {
            lanes.put_ahead(lane);
        }
    }
}
