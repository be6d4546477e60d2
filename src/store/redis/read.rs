//! Reading the log page by page.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Instant,
};

use ::redis::{Pipeline, Value};

use super::{
    keys::Keys,
    link::RESPONSE_TIMEOUT,
    scripts::{CONVERSATION, Call, LOOK},
    topology::Way,
    vault::{Vault, open_entries},
    wire,
};
use crate::{
    event::{ConversationKey, EntryId, Position},
    store::{
        Entry, Gap, GapReason, PAGE_BYTES, Page, StoreError,
        entry::{Room, Stored},
        gap::{Meta, View, judge},
    },
};

/// The most entries of one page. The script that reads a conversation keeps Redis from everything else meanwhile.
const PAGE: usize = 256;

/// How large an entry is taken to be before any was read, in bytes.
const UNSEEN_BYTES: usize = PAGE_BYTES / PAGE;

/// How few bytes a page is asked for at the least, however slow the way to Redis is.
const LEAST_BYTES: usize = PAGE_BYTES / 64;

/// How often a page is read anew because the log was trimmed meanwhile.
const LOOKS: usize = 4;

/// What is read, and how much of it.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) partition: u16,
    /// Only this one's entries.
    pub(super) conversation: Option<&'a ConversationKey>,
    pub(super) from: Position,
    pub(super) limit: usize,
}

/// How much of a partition to ask for. Redis counts a range in entries, and a page is bounded by bytes: so it goes by the
/// largest entry that was read lately. What came too late was too much: the same asked again would come too late again.
pub(super) struct Appetite {
    largest: AtomicUsize,
    bytes: AtomicUsize,
}

impl Default for Appetite {
    fn default() -> Self {
        Self {
            largest: AtomicUsize::new(UNSEEN_BYTES),
            bytes: AtomicUsize::new(PAGE_BYTES),
        }
    }
}

impl Appetite {
    fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    fn entries(&self, limit: usize) -> usize {
        let largest = self.largest.load(Ordering::Relaxed).max(1);
        (self.bytes() / largest).clamp(1, limit)
    }

    /// The largest rises at once and falls slowly. Of two who learn at once, one may be forgotten.
    fn learn(&self, entries: &[Entry]) {
        if let Some(largest) = entries.iter().map(Entry::bytes).max() {
            let known = self.largest.load(Ordering::Relaxed);
            self.largest
                .store(largest.max(known - known / 4), Ordering::Relaxed);
            let bytes = self.bytes();
            self.bytes
                .store((bytes + bytes / 8).min(PAGE_BYTES), Ordering::Relaxed);
        }
    }

    /// An answer came too late.
    fn halve(&self) {
        let half = (self.bytes() / 2).max(LEAST_BYTES);
        self.bytes.store(half, Ordering::Relaxed);
    }
}

/// One look at a partition.
struct Look {
    view: View,
    entries: Vec<Entry>,
    /// The last that was read: entries of a conversation that is being erased are left out.
    last: Option<EntryId>,
    at_tail: bool,
}

/// The same, with entries as they are stored.
struct Found {
    view: View,
    entries: Vec<(EntryId, Stored)>,
    at_tail: bool,
}

/// Where a range begins.
fn start(from: Position) -> String {
    match from {
        Position::Earliest => "-".into(),
        Position::Since(ms) => format!("{ms}-0"),
        Position::After(id) => wire::behind(id.ms, id.n),
    }
}

/// The call of [`LOOK`] that looks at partitions around places, which [`views`] reads; `backwards`: also at what lies at or
/// before them, and at the oldest.
pub(super) fn look_at(keys: &Keys, places: &[(u16, Position)], backwards: bool) -> Call {
    let names = places
        .iter()
        .flat_map(|(partition, _)| [keys.log(*partition), keys.meta(*partition)]);
    let call = Call::new(names).arg(u8::from(backwards));
    places.iter().fold(call, |call, (_, from)| {
        let before = match from {
            Position::After(id) => format!("{}-{}", id.ms, id.n),
            _ => String::new(),
        };
        call.arg(start(*from)).arg(before)
    })
}

/// Reads what [`look_at`] asked for.
pub(super) fn views(answer: Value) -> Result<Vec<View>, StoreError> {
    let view = |answer| {
        let [meta, oldest, before, following, erased] = wire::array_of(answer)?;
        Ok(View {
            meta: wire::meta(meta)?,
            oldest: wire::maybe_place(&oldest)?,
            at_or_before: wire::maybe_place(&before)?,
            following: wire::maybe_place(&following)?,
            erased: wire::erased(erased)?,
        })
    };
    wire::array(answer)?.into_iter().map(view).collect()
}

fn entries(values: Vec<Value>, meta: Meta) -> Result<Vec<(EntryId, Stored)>, StoreError> {
    values
        .into_iter()
        .map(|value| wire::entry(value, meta.epoch))
        .collect()
}

async fn look(way: &Way, keys: &Keys, appetite: &Appetite, asked: Asked<'_>) -> Result<Found, StoreError> {
    let Asked { partition, from, .. } = asked;
    let log = keys.log(partition);
    for _ in 0..LOOKS {
        let mut pipeline = Pipeline::new();
        // In this order, so that what was appended in between is seen by the second alone, which is harmless.
        pipeline
            .add_command(LOOK.command(&look_at(keys, &[(partition, from)], true)))
            .cmd("XRANGE")
            .arg(&log)
            .arg(start(from))
            .arg(&["+", "COUNT"])
            .arg(appetite.entries(asked.limit));
        let [seen, found] = wire::array_of(way.scripts(&LOOK, &pipeline).await?)?;
        let [view] = views(seen)?
            .try_into()
            .map_err(|_| StoreError::Corrupt("Redis told of another number of partitions".into()))?;
        if let Some(found) = put_together(view, found)? {
            return Ok(found);
        }
    }
    Err(StoreError::Unavailable(
        "the log was trimmed again and again while it was read".into(),
    ))
}

/// A view, and entries that were read just after it; nothing where the two do not fit, because the log was trimmed in
/// between.
fn put_together(view: View, found: Value) -> Result<Option<Found>, StoreError> {
    let mut entries = Vec::new();
    if view.following.is_some() {
        if wire::first_place(&found)? != view.following {
            return Ok(None);
        }
        entries = self::entries(wire::array(found)?, view.meta)?;
        entries.retain(|(id, _)| id.n <= view.meta.n);
    }
    Ok(Some(Found {
        at_tail: entries.last().is_none_or(|(last, _)| last.n >= view.meta.n),
        entries,
        view,
    }))
}

async fn look_at_conversation(
    way: &Way,
    keys: &Keys,
    appetite: &Appetite,
    key: &ConversationKey,
    asked: Asked<'_>,
) -> Result<Found, StoreError> {
    let Asked {
        partition,
        from,
        limit,
        ..
    } = asked;
    let before = match from {
        Position::Earliest | Position::Since(_) => String::new(),
        Position::After(EntryId { ms, n, .. }) => format!("{ms}-{n}"),
    };
    let call = Call::new([
        keys.log(partition),
        keys.meta(partition),
        keys.index(partition, key),
    ])
    .arg(start(from))
    .arg(before)
    .arg(limit)
    .arg(appetite.bytes());
    let answer: Value = way.script(&CONVERSATION, call).await?;
    let [meta, oldest, before, following, erased, found, more] = wire::array_of(answer)?;
    let view = View {
        meta: wire::meta(meta)?,
        oldest: wire::maybe_place(&oldest)?,
        at_or_before: wire::maybe_place(&before)?,
        following: wire::maybe_place(&following)?,
        erased: wire::erased(erased)?,
    };
    Ok(Found {
        entries: entries(wire::array(found)?, view.meta)?,
        at_tail: wire::number(&more)? == 0,
        view,
    })
}

/// Reads a partition, or of it the entries of one conversation.
pub(super) async fn page(
    way: &Way,
    keys: &Keys,
    vault: Option<&Vault>,
    appetite: &Appetite,
    asked: Asked<'_>,
) -> Result<Page, StoreError> {
    let limit = asked.limit.clamp(1, PAGE);
    let look_once = async |from| {
        let asked = Asked { from, limit, ..asked };
        let asked_at = Instant::now();
        let found = match asked.conversation {
            Some(key) => look_at_conversation(way, keys, appetite, key, asked).await,
            None => look(way, keys, appetite, asked).await,
        };
        if found.is_err() && asked_at.elapsed() >= RESPONSE_TIMEOUT {
            appetite.halve();
        }
        let found = found?;
        let mut look = Look {
            view: found.view,
            last: found.entries.last().map(|(id, _)| *id),
            entries: open_entries(vault, asked.partition, found.entries).await?,
            at_tail: found.at_tail,
        };
        appetite.learn(&look.entries);
        look.keep_a_page(limit);
        Ok::<_, StoreError>(look)
    };
    // Entries are read before their keys. Where the log is wiped in between, the keys alone are missing: then it is the log that has
    // to be told of.
    let look_from = async |from| match look_once(from).await? {
        look if look.is_readable() => Ok(look),
        _ => look_once(from).await,
    };
    let first = look_from(asked.from).await?;
    let Some(gap) = judge(asked.from, &first.view) else {
        return Ok(first.into_page(None));
    };
    let oldest = look_from(Position::Earliest).await?;
    let gap = Some(still_missing(gap, asked.from, &oldest.view));
    Ok(oldest.into_page(gap))
}

/// What is missing before the oldest entry: more may have been trimmed since the gap was found.
fn still_missing(gap: Gap, from: Position, oldest: &View) -> Gap {
    match judge(from, oldest) {
        Some(now) if gap.reason == GapReason::Trimmed && now.reason == GapReason::Trimmed => now,
        _ => gap,
    }
}

impl Look {
    fn is_readable(&self) -> bool {
        self.entries.iter().all(|entry| entry.unreadable.is_none())
    }

    /// Leaves out what is too much for a page.
    fn keep_a_page(&mut self, limit: usize) {
        let mut room = Room::new(limit);
        let fits = self.entries.iter().take_while(|entry| room.takes(entry)).count();
        if fits < self.entries.len() {
            self.at_tail = false;
            self.entries.truncate(fits);
            self.last = self.entries.last().map(|last| last.id);
        }
    }

    fn into_page(self, gap: Option<Gap>) -> Page {
        let tail = self.view.meta.tail();
        Page {
            next: self.last.unwrap_or(tail),
            entries: self.entries,
            gap,
            before_oldest: self.view.before_oldest(),
            tail,
            at_tail: self.at_tail,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(ms: u64, n: u64) -> Value {
        Value::BulkString(format!("{ms}-{n}").into())
    }

    fn found(places: &[(u64, u64)]) -> Value {
        let entry = |(ms, n): &(u64, u64)| Value::Array(vec![id(*ms, *n), Value::Array(Vec::new())]);
        Value::Array(places.iter().map(entry).collect())
    }

    fn seen(following: Option<(u64, u64)>) -> View {
        View {
            meta: Meta {
                epoch: 1,
                n: 5,
                ms: 50,
                trimmed_ms: 0,
            },
            following,
            ..View::default()
        }
    }

    #[test]
    fn what_was_appended_or_trimmed_between_view_and_entries_is_noticed() {
        // Nothing happened, or more was appended.
        assert_eq!(seen(None).meta.tail().n, 5);
        let at_tail = put_together(seen(None), found(&[(60, 6)])).unwrap().unwrap();
        assert!(at_tail.at_tail && at_tail.entries.is_empty());
        // What followed was trimmed.
        assert!(
            put_together(seen(Some((40, 4))), found(&[(50, 5)]))
                .unwrap()
                .is_none()
        );
        assert!(put_together(seen(Some((40, 4))), found(&[])).unwrap().is_none());
    }

    #[test]
    fn what_came_too_late_is_asked_for_in_smaller_pieces() {
        let appetite = Appetite::default();
        let before = appetite.entries(PAGE);
        appetite.halve();
        assert_eq!(
            (appetite.entries(PAGE), appetite.bytes()),
            (before / 2, PAGE_BYTES / 2)
        );
        for _ in 0..20 {
            appetite.halve();
        }
        assert_eq!(appetite.bytes(), LEAST_BYTES);
    }
}
