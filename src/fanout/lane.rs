//! Conversations that are added to a subscriber while it goes on.
//!
//! A subscriber is at one place in each partition, for all its conversations there. One that is added with another start
//! gets a *lane*, a place of its own. If that lies before the subscriber's, the conversation is read from the log, by its
//! index, up to where the subscriber is, before anything else is delivered. If it lies ahead, what comes of the conversation
//! up to there is left out. A cursor names the lanes that are open, so that whoever resumes from it misses nothing and has
//! nothing twice. Since a cursor has room for few, the rest of a change waits until lanes are free.

use std::{collections::VecDeque, sync::Arc};

use super::{
    places::{Reached, lies_before},
    subscriber::Start,
};
use crate::{
    event::{ConversationKey, EntryId, Position},
    store::{
        Cursor, Entry,
        cursor::{self, LANES_MAX},
        partition,
    },
};

/// What changes in a subscriber's conversations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Its number, which is told when it holds.
    pub revision: u64,
    /// Conversations that are taken off, before others are added.
    pub remove: Vec<String>,
    /// Conversations that are added. One that is there already is left as it is.
    pub add: VecDeque<Added>,
}

/// A conversation that is added, and where it starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Added {
    /// Which.
    pub conversation: String,
    /// Where.
    pub start: Start,
}

/// A conversation at a place of its own.
#[derive(Debug)]
pub(super) struct Lane {
    pub(super) key: Arc<ConversationKey>,
    pub(super) partition: u16,
    pub(super) at: Position,
    /// What was read of it and not delivered yet.
    pub(super) read: VecDeque<Entry>,
    /// Whether nothing comes after `read`.
    pub(super) at_tail: bool,
}

impl Lane {
    pub(super) fn new(key: Arc<ConversationKey>, partition: u16, at: Position) -> Self {
        Self {
            key,
            partition,
            at,
            read: VecDeque::new(),
            at_tail: false,
        }
    }
}

impl Lane {
    /// Whether a subscriber that is at `place` has come to it from behind.
    fn is_reached(&self, place: Option<Position>) -> bool {
        match (place, self.at) {
            (Some(place), at) if place == at => true,
            // A partition that was never written is before everything else.
            (Some(Position::After(id)), Position::After(_)) if id.epoch == 0 => false,
            (Some(Position::After(id)), Position::After(at)) => {
                id.epoch != at.epoch || at.order() <= id.order()
            }
            (Some(Position::After(id)), Position::Since(ms)) => ms <= id.ms,
            (Some(_), _) => false,
            (None, _) => true,
        }
    }
}

/// The lanes of a subscriber.
#[derive(Debug, Default)]
pub(super) struct Lanes {
    /// Behind the subscriber: the first of them is being read.
    pub(super) behind: VecDeque<Lane>,
    /// Ahead of it.
    ahead: Vec<Lane>,
}

impl Lanes {
    pub(super) fn are_full(&self) -> bool {
        self.behind.len() + self.ahead.len() >= LANES_MAX
    }

    pub(super) fn put_ahead(&mut self, lane: Lane) {
        self.ahead.push(lane);
    }

    /// Whether an entry lies before the start of its conversation.
    pub(super) fn leave_out(&self, entry: &Entry) -> bool {
        let of_entry = |lane: &&Lane| *lane.key == entry.key;
        self.ahead
            .iter()
            .find(of_entry)
            .is_some_and(|lane| lies_before(entry.id, lane.at))
    }

    /// Forgets the lanes that the subscriber has come to: `place` tells where it is, and `reached` where the live feed is.
    /// A lane that waits for a time would be there until something else comes in its partition.
    pub(super) fn settle(&mut self, place: impl Fn(u16) -> Option<Position>, reached: Option<&Reached>) {
        if let Some(reached) = reached {
            for lane in &mut self.ahead {
                lane.at = no_later_than(lane.at, reached.at(lane.partition));
            }
        }
        self.ahead.retain(|lane| !lane.is_reached(place(lane.partition)));
    }

    pub(super) fn remove(&mut self, conversation: &str) {
        self.behind.retain(|lane| lane.key.conversation != conversation);
        self.ahead.retain(|lane| lane.key.conversation != conversation);
    }

    /// As a cursor names them, where the subscriber is at `place`. One that it has come to from behind would look like one that
    /// is still to be read.
    pub(super) fn of_cursor(&self, place: impl Fn(u16) -> Option<Position>) -> Vec<cursor::Lane> {
        let ahead = self.ahead.iter();
        let ahead = ahead.filter(|lane| !lane.is_reached(place(lane.partition)));
        let lanes = self.behind.iter().chain(ahead);
        let named = lanes.map(|lane| cursor::Lane {
            conversation: partition::fingerprint(&lane.key),
            at: lane.at,
        });
        named.collect()
    }
}

/// Whether whoever reads on at `at` has nothing to read up to `place`.
pub(super) fn is_ahead(at: Position, place: Position) -> bool {
    match (at, place) {
        (_, Position::Earliest) => true,
        (Position::Earliest, _) => false,
        (Position::Since(ms), Position::Since(of_place)) => ms >= of_place,
        (Position::After(id), Position::Since(of_place)) => id.ms >= of_place,
        (Position::Since(ms), Position::After(id)) => ms > id.ms,
        (Position::After(id), Position::After(of_place)) => {
            of_place.epoch == 0 || (id.epoch == of_place.epoch && id.order() >= of_place.order())
        }
    }
}

/// Where a cursor's lane goes on in a log of `partitions`.
pub(super) fn position(lane: &cursor::Lane, cursor: &Cursor, partitions: u16) -> Position {
    match lane.at {
        Position::After(id) if cursor.partitions != partitions => Position::Since(id.ms),
        at => at,
    }
}

/// A time ahead of all that the live feed has handed out in a partition, up to `now`, is now: no entry lies between.
fn no_later_than(at: Position, now: EntryId) -> Position {
    match at {
        Position::Since(ms) if ms > now.ms => Position::After(now),
        at => at,
    }
}

/// Where a conversation that is added starts; `now` is where the live feed is in its partition.
pub(super) fn start(start: &Start, key: &ConversationKey, partitions: u16, now: EntryId) -> Position {
    let at = match start {
        Start::Latest => Position::After(now),
        Start::Earliest => Position::Earliest,
        Start::Time(ms) => Position::Since(*ms),
        Start::Cursor(cursor) => {
            let of_key = partition::fingerprint(key);
            let lane = cursor.lanes.iter().find(|lane| lane.conversation == of_key);
            lane.map_or_else(
                || cursor.position(partition::of(key, partitions), partitions),
                |lane| position(lane, cursor, partitions),
            )
        }
    };
    no_later_than(at, now)
}
