//! One subscriber: its filter, its place in each partition, and how it gets from the log to the live feed.

use std::{
    collections::VecDeque,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use tokio::time::{Instant, Sleep};
use tracing::debug;

use super::{
    change::Changing,
    filter::{Filter, Scope, Wanted},
    hub::{Hub, Joined},
    inbox::{Dispatched, Taken},
    pace::Pace,
    places::Places,
    reading::{PageSize, Reading, Which},
};
use crate::{
    error::Error,
    event::{EntryId, Position},
    store::{Cursor, Entry, Gap, GapReason, Page, StoreError},
};

/// How long whoever found the log or the feed wanting waits.
pub(super) const RETRY: Duration = Duration::from_millis(500);

/// Where a subscriber starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    /// With what comes after it joined.
    Latest,
    /// With the oldest entry that is left.
    Earliest,
    /// With entries logged at this time or later, Unix milliseconds.
    Time(u64),
    /// Behind a cursor.
    Cursor(Cursor),
}

/// What to do where entries are gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GapPolicy {
    /// Tell, then fail.
    Fail,
    /// Tell, then go on with the oldest that is left.
    Earliest,
    /// Tell, then go on, in the part of the log that has the gap, with what comes now.
    Latest,
}

/// What a subscriber gets.
#[derive(Debug, Clone)]
pub enum Delivery {
    /// An entry.
    Entry(Arc<Entry>),
    /// Entries are gone; and the log's time at the last place before them, Unix milliseconds, where it is known.
    Gap(Gap, Option<u64>),
    /// The change of this number holds from here on.
    Changed(u64),
    /// It is further behind than it may be and does not gain. Only where [`Subscriber::with_lag_max`] set a limit.
    TooSlow,
}

/// One subscriber.
pub struct Subscriber {
    pub(super) hub: Arc<Hub>,
    /// Its number.
    id: u64,
    pub(super) wanted: Arc<Wanted>,
    pub(super) policy: GapPolicy,
    pub(super) places: Places,
    /// Time that stands for partitions whose place is not known yet, and for those that the filter leaves out.
    time_ms: u64,
    pub(super) phase: Phase,
    pace: Pace,
    pub(super) failed: bool,
    /// Until when nothing is tried.
    pub(super) pause: Option<Pin<Box<Sleep>>>,
    /// What only few have.
    pub(super) changing: Box<Changing>,
}

pub(super) enum Phase {
    Detached,
    /// Waits for the live feed.
    Waiting(Pin<Box<dyn Future<Output = ()> + Send>>),
    CatchingUp(Box<CatchUp>),
    Live(Joined),
}

/// Reading the log up to the live feed.
pub(super) struct CatchUp {
    joined: Joined,
    /// Partitions that are still behind.
    behind: VecDeque<u16>,
    /// Entries of the first of them that were read and not delivered yet.
    read: VecDeque<Entry>,
    /// Where to read on once they are delivered, and whether that is the end.
    next: Option<(EntryId, bool)>,
    /// The next page.
    reading: Option<Reading>,
    pages: PageSize,
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        // It leaves the live feed first, so that nothing is noted of it any more.
        self.phase = Phase::Detached;
        self.hub.note_live(self.id);
    }
}

impl Subscriber {
    /// A subscriber that has not joined yet.
    pub fn new(hub: Arc<Hub>, filter: Filter, start: Start, policy: GapPolicy) -> Self {
        Self::of(hub, Wanted::new(filter, false), start, policy)
    }

    /// One whose conversations may be changed: it has those that the filter names, even if it names none.
    pub fn changeable(hub: Arc<Hub>, filter: Filter, start: Start, policy: GapPolicy) -> Self {
        Self::of(hub, Wanted::new(filter, true), start, policy)
    }

    fn of(hub: Arc<Hub>, wanted: Wanted, start: Start, policy: GapPolicy) -> Self {
        let partitions = hub.store().partitions();
        let sources = wanted.sources(partitions);
        let mut changing = Changing::default();
        let (places, time_ms) = match start {
            Start::Latest => (Places::new(sources, |_| None), 0),
            Start::Earliest => (Places::new(sources, |_| Some(Position::Earliest)), 0),
            Start::Time(ms) => (Places::new(sources, |_| Some(Position::Since(ms))), ms),
            Start::Cursor(cursor) => {
                let mut places = Places::new(sources, |p| Some(cursor.position(p, partitions)));
                changing = Changing::resume(&wanted, &cursor, partitions, &mut places);
                (places, cursor.time_ms)
            }
        };
        Self {
            id: hub.number(),
            hub,
            wanted: Arc::new(wanted),
            policy,
            places,
            time_ms,
            phase: Phase::Detached,
            pace: Pace::default(),
            failed: false,
            pause: None,
            changing: Box::new(changing),
        }
    }

    /// Its number, by which [`Hub::lag`] knows it.
    pub fn number(&self) -> u64 {
        self.id
    }

    /// How many entries it may be behind while it does not gain, before it is told [`Delivery::TooSlow`]; 0: any number.
    #[must_use]
    pub fn with_lag_max(mut self, entries: u64) -> Self {
        self.pace.lag_max = entries;
        self
    }

    /// Takes its place in the live feed, so that nothing from now on can be missed. Waits for the feed at most `wait`.
    pub async fn join(&mut self, wait: Duration) -> Result<(), Error> {
        self.start_no_later_than_now().await?;
        let mut live = self.hub.live();
        let joined = tokio::time::timeout(wait, async {
            loop {
                if let Some(joined) = self.hub.join(self.id, &self.wanted) {
                    return Some(joined);
                }
                live.wait_for(|live| *live).await.ok()?;
            }
        });
        let joined = joined.await.ok().flatten().ok_or(Error::StoreUnavailable)?;
        self.begin(joined);
        Ok(())
    }

    /// Entries that come next are logged before a time that lies ahead: a cursor with such a time would hide them from a
    /// resume.
    async fn start_no_later_than_now(&mut self) -> Result<(), Error> {
        let is_time = |at: Option<Position>| matches!(at, Some(Position::Since(_)));
        let own = self.places.own();
        let starts_at_time =
            own.iter().any(|place| is_time(place.at)) || (own.is_empty() && self.time_ms > 0);
        if !starts_at_time {
            return Ok(());
        }
        let now_ms = self.hub.store().now_ms().await?;
        self.time_ms = self.time_ms.min(now_ms);
        for place in self.places.own_mut() {
            if let Some(Position::Since(ms)) = &mut place.at {
                *ms = (*ms).min(now_ms);
            }
        }
        Ok(())
    }

    fn begin(&mut self, joined: Joined) {
        let reached = &joined.reached;
        let own = self.places.own_mut();
        if own.iter().all(|place| place.at.is_none()) && self.time_ms == 0 {
            // The time of a start at the latest: nothing of what the log holds by now is behind it.
            // Before the first entry ever it is 1: 0 stands for the earliest, where what was trimmed is no gap.
            self.time_ms = reached.newest_ms().max(1);
        }
        for place in own.iter_mut() {
            // A subscriber that starts at the latest has no place before it joined.
            let now = Position::After(reached.at(place.partition));
            place.at.get_or_insert(now);
        }
        let is_behind = |p: &u16| self.places.at(*p) != Some(Position::After(reached.at(*p)));
        let behind: VecDeque<u16> = self.places.partitions().filter(is_behind).collect();
        if behind.is_empty() {
            self.go_live(joined);
            return;
        }
        self.hub.note_behind(self.id, self.places.behind(reached));
        self.phase = Phase::CatchingUp(Box::new(CatchUp {
            joined,
            behind,
            read: VecDeque::new(),
            next: None,
            reading: None,
            pages: PageSize::new(),
        }));
    }

    fn go_live(&mut self, joined: Joined) {
        self.hub.note_live(self.id);
        self.pace.caught_up();
        if self.wanted.is_all() {
            self.places.share(&joined.reached);
        }
        self.phase = Phase::Live(joined);
    }

    /// Waits for what comes next. May be dropped while it waits and called again: nothing is lost.
    ///
    /// After a gap under [`GapPolicy::Fail`] it fails with [`Error::CursorGap`], and with [`Error::KeyMissing`] or
    /// [`Error::FormatUnknown`] before an entry whose content cannot be read.
    pub async fn next(&mut self) -> Result<Delivery, Error> {
        std::future::poll_fn(|context| self.poll_next(context)).await
    }

    /// As [`Subscriber::next`].
    pub fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Result<Delivery, Error>> {
        loop {
            if self.failed {
                return Poll::Ready(Err(Error::CursorGap));
            }
            if let Some(pause) = &mut self.pause {
                ready!(pause.as_mut().poll(context));
                self.pause = None;
            }
            if self.is_changing() {
                let delivery = ready!(self.poll_change(context))?;
                if let Some(delivery) = delivery {
                    return Poll::Ready(Ok(delivery));
                }
                continue;
            }
            let delivery = match &mut self.phase {
                Phase::Detached => {
                    self.rejoin();
                    None
                }
                Phase::Waiting(live) => {
                    ready!(live.as_mut().poll(context));
                    self.phase = Phase::Detached;
                    None
                }
                Phase::CatchingUp(_) => ready!(self.poll_catch_up(context))?,
                Phase::Live(joined) => match ready!(joined.inbox.poll(context)) {
                    Some(dispatched) => self.pass_live(&dispatched),
                    None => {
                        self.phase = Phase::Detached;
                        None
                    }
                },
            };
            if let Some(delivery) = delivery {
                return Poll::Ready(Ok(delivery));
            }
        }
    }

    pub(super) fn rejoin(&mut self) {
        if let Some(joined) = self.hub.join(self.id, &self.wanted) {
            self.begin(joined);
            return;
        }
        let mut live = self.hub.live();
        self.phase = Phase::Waiting(Box::pin(async move {
            if live.wait_for(|live| *live).await.is_err() {
                // The hub is gone: the service is stopping, and the stream's own end is near.
                std::future::pending::<()>().await;
            }
        }));
    }

    pub(super) fn accepts(&self, entry: &Entry) -> bool {
        self.wanted.accepts(entry, self.hub.store().partitions()) && !self.changing.lanes.leave_out(entry)
    }

    /// Leaves out what was seen before the seam.
    fn pass_live(&mut self, dispatched: &Dispatched) -> Option<Delivery> {
        let entry = &dispatched.entry;
        if let Some(Position::After(at)) = self.places.at(entry.partition)
            && at.epoch != 0
            && at.epoch != entry.id.epoch
        {
            // The log was read after it had been wiped, and the feed has not noticed that yet.
            self.phase = Phase::Detached;
            return None;
        }
        if self.places.has_seen(entry.partition, entry.id) {
            return None;
        }
        if entry.unreadable.is_some() && self.accepts(entry) {
            // It is met again where the log is read, which can fail.
            self.phase = Phase::Detached;
            return None;
        }
        match &dispatched.reached {
            Some(reached) if self.wanted.is_all() => {
                if !self.places.share(reached) {
                    self.places.advance(entry.partition, entry.id);
                }
            }
            _ => self.places.advance(entry.partition, entry.id),
        }
        self.accepts(entry).then(|| Delivery::Entry(Arc::clone(entry)))
    }

    fn poll_catch_up(&mut self, context: &mut Context<'_>) -> Poll<Result<Option<Delivery>, Error>> {
        let Phase::CatchingUp(catch_up) = &mut self.phase else {
            return Poll::Ready(Ok(None));
        };
        if let Some(entry) = catch_up.read.pop_front() {
            if let Some(why) = &entry.unreadable
                && self.accepts(&entry)
            {
                // Its place stays before the entry, which is read again.
                self.phase = Phase::Detached;
                return Poll::Ready(Err(why.into()));
            }
            self.places.advance(entry.partition, entry.id);
            return Poll::Ready(Ok(self.accepts(&entry).then(|| Delivery::Entry(Arc::new(entry)))));
        }
        let Some(partition) = catch_up.behind.front().copied() else {
            if let Phase::CatchingUp(done) = std::mem::replace(&mut self.phase, Phase::Detached) {
                self.go_live(done.joined);
            }
            return Poll::Ready(Ok(None));
        };
        if let Some((next, at_tail)) = catch_up.next.take() {
            if at_tail {
                catch_up.behind.pop_front();
            }
            self.places.advance(partition, next);
            return Poll::Ready(Ok(None));
        }
        let Some(which) = which(&self.places, partition, None) else {
            return Poll::Ready(Ok(None));
        };
        let from = which.from;
        let reading = match &mut catch_up.reading {
            Some(reading) if reading.which == which => reading,
            other => other.insert(Reading::begin(&self.hub, which, catch_up.pages.current())),
        };
        let page = ready!(reading.poll(context));
        catch_up.reading = None;
        let reached = catch_up.joined.reached.at(partition);
        match page {
            Ok(page) if has_reached(&page, reached) => Poll::Ready(Ok(self.take(partition, from, page))),
            Ok(_) => {
                // Read from a replica that lags, or the feed has not noticed yet that its log is gone: between the two
                // entries would be lost or come twice. So it waits until they agree.
                debug!(partition, "the log and the live feed disagree");
                self.phase = Phase::Detached;
                self.pause(RETRY);
                Poll::Ready(Ok(None))
            }
            Err(StoreError::Unavailable(error)) => {
                debug!(error, "the log cannot be read now");
                self.pause(RETRY);
                Poll::Ready(Ok(None))
            }
            Err(error) => Poll::Ready(Err(error.into())),
        }
    }

    pub(super) fn pause(&mut self, pause: Duration) {
        self.pause = Some(Box::pin(tokio::time::sleep(pause)));
    }

    /// Takes a page that was read, and tells of a gap before it.
    fn take(&mut self, partition: u16, from: Position, page: Page) -> Option<Delivery> {
        let Phase::CatchingUp(catch_up) = &mut self.phase else {
            return None;
        };
        let Some(gap) = page.gap else {
            catch_up.read = page.entries.into();
            // All that was read lies before the tail, also where only one conversation was asked for.
            let next = if page.at_tail { page.tail } else { page.next };
            catch_up.next = Some((next, page.at_tail));
            // The next page is read while this one is delivered.
            let ahead = if page.at_tail {
                let next = catch_up.behind.get(1);
                next.and_then(|p| which(&self.places, *p, None))
            } else {
                which(&self.places, partition, Some(page.next))
            };
            let size = catch_up.pages.next();
            catch_up.reading = ahead.map(|ahead| Reading::begin(&self.hub, ahead, size));
            return self.look_at_pace();
        };
        let behind_gap = match self.policy {
            GapPolicy::Fail => {
                self.failed = true;
                None
            }
            // The page is read again from here, so that its entries and the place agree.
            GapPolicy::Earliest => Some(page.before_oldest),
            GapPolicy::Latest => {
                catch_up.behind.pop_front();
                // Not where the feed was: it may lag behind what has been read.
                Some(page.tail)
            }
        };
        if let Some(id) = behind_gap {
            self.places.advance(partition, id);
        }
        Some(tell(gap, from))
    }

    fn look_at_pace(&mut self) -> Option<Delivery> {
        let reached = self.hub.reached()?;
        let lag = self.places.behind(&reached);
        self.hub.note_behind(self.id, lag);
        self.pace
            .is_too_slow(lag, Instant::now())
            .then_some(Delivery::TooSlow)
    }

    /// Moves over entries that did not match, as far as the live feed has come. Only what is delivered moves the cursor
    /// otherwise, and a filter that matches rarely would leave it behind for ever.
    ///
    /// Returns an entry where one was waiting after all.
    pub fn skip_unmatched(&mut self) -> Option<Delivery> {
        let Phase::Live(_) = &self.phase else { return None };
        // What is in the inbox may come after what is still to be read of a lane.
        if !self.changing.lanes.behind.is_empty() {
            return None;
        }
        // Asked first: whatever was handed out up to here is in the inbox by now.
        let reached = self.hub.reached()?;
        loop {
            let Phase::Live(joined) = &self.phase else {
                return None;
            };
            match joined.inbox.take() {
                Taken::Entry(dispatched) => {
                    if let Some(delivery) = self.pass_live(&dispatched) {
                        return Some(delivery);
                    }
                }
                Taken::Empty => break,
                Taken::Closed => {
                    self.phase = Phase::Detached;
                    return None;
                }
            }
        }
        if !self.wanted.is_all() || !self.places.share(&reached) {
            self.places.follow(&reached);
        }
        if matches!(&self.wanted.scope, Scope::Named(names) if names.is_empty()) {
            self.time_ms = self.time_ms.max(reached.newest_ms());
        }
        None
    }

    /// An entry that was delivered last, with its cursor, as it goes out to all who listen to everything: `frame` makes it of
    /// the cursor, for the first who asks. `None` where this subscriber's cursor is its own.
    pub fn shared_frame(
        &self,
        entry: &Entry,
        with_raw: bool,
        frame: impl FnOnce(&[u8]) -> Bytes,
    ) -> Option<&Bytes> {
        self.places.frame(entry, with_raw, frame)
    }

    /// The place behind what was delivered.
    pub fn cursor(&self) -> Cursor {
        let lanes = self
            .changing
            .lanes
            .of_cursor(|partition| self.places.at(partition));
        let partitions = self.hub.store().partitions();
        self.places.cursor(self.time_ms, partitions, &lanes)
    }

    /// The same, encoded: once for all who listen to everything and are at the same place.
    pub fn encoded_cursor(&self) -> Bytes {
        let lanes = self
            .changing
            .lanes
            .of_cursor(|partition| self.places.at(partition));
        let partitions = self.hub.store().partitions();
        self.places.encode(self.time_ms, partitions, &lanes)
    }
}

/// Which page of a partition comes next: from `from` on, or from where the subscriber is.
fn which(places: &Places, partition: u16, from: Option<EntryId>) -> Option<Which> {
    let place = places.get(partition)?;
    Some(Which {
        partition,
        only: place.only.clone(),
        from: from.map(Position::After).or(place.at)?,
    })
}

/// Tells of a gap, which begins at `from`.
pub(super) fn tell(gap: Gap, from: Position) -> Delivery {
    let reason = match gap.reason {
        GapReason::Trimmed => "trimmed",
        GapReason::Wiped => "wiped",
        GapReason::Rewound => "rewound",
    };
    metrics::counter!("chatbridge_gaps_total", "reason" => reason).increment(1);
    let after_ms = match from {
        Position::After(id) => (id.ms > 0).then_some(id.ms),
        Position::Since(ms) => Some(ms),
        Position::Earliest => None,
    };
    Delivery::Gap(gap, after_ms)
}

/// Whether the log, as it was read, holds all that the live feed has handed out.
pub(super) fn has_reached(page: &Page, reached: EntryId) -> bool {
    reached.epoch == 0 || (page.tail.epoch == reached.epoch && page.tail.order() >= reached.order())
}
