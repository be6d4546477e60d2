//! Reading the log page by page.

use std::sync::atomic::{AtomicUsize, Ordering};

use ::redis::{Pipeline, Value};

use super::{
    keys::Keys,
    scripts::{CONVERSATION, Call},
    topology::Way,
    wire,
};
use crate::{
    event::{ConversationKey, EntryId, Position},
    store::{
        Entry, Gap, GapReason, PAGE_BYTES, Page, StoreError,
        entry::Room,
        gap::{Meta, View, judge},
    },
};

/// The most entries of one page. The script that reads a conversation keeps Redis from everything else meanwhile.
const PAGE: usize = 256;

/// How large an entry is taken to be before any was read, in bytes.
const UNSEEN_BYTES: usize = PAGE_BYTES / PAGE;

/// What is read, and how much of it.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) partition: u16,
    /// Only this one's entries.
    pub(super) conversation: Option<&'a ConversationKey>,
    pub(super) from: Position,
    pub(super) limit: usize,
}

/// How many entries of a partition to ask for. Redis counts a range in entries, and a page is bounded by bytes: so it goes by
/// the largest entry that was read lately.
pub(super) struct Appetite(AtomicUsize);

impl Default for Appetite {
    fn default() -> Self {
        Self(AtomicUsize::new(UNSEEN_BYTES))
    }
}

impl Appetite {
    fn entries(&self, limit: usize) -> usize {
        let largest = self.0.load(Ordering::Relaxed).max(1);
        (PAGE_BYTES / largest).clamp(1, limit)
    }

    /// Rises at once and falls slowly. Of two who learn at once, one may be forgotten.
    fn learn(&self, entries: &[Entry]) {
        if let Some(largest) = entries.iter().map(Entry::bytes).max() {
            let known = self.0.load(Ordering::Relaxed);
            self.0.store(largest.max(known - known / 4), Ordering::Relaxed);
        }
    }
}

/// One look at a partition.
struct Look {
    view: View,
    entries: Vec<Entry>,
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

/// Asks, in one transaction, for what [`view`] reads and then for entries from `from` on.
pub(super) fn ask(pipeline: &mut Pipeline, keys: &Keys, partition: u16, from: Position, limit: usize) {
    let (log, meta) = (keys.log(partition), keys.meta(partition));
    let at_or_before = match from {
        Position::After(id) => format!("{}-{}", id.ms, id.n),
        _ => "0-0".into(),
    };
    pipeline
        .cmd("HMGET")
        .arg(meta)
        .arg(&wire::META_FIELDS)
        .cmd("XRANGE")
        .arg(&log)
        .arg(&["-", "+", "COUNT", "1"])
        .cmd("XREVRANGE")
        .arg(&log)
        .arg(at_or_before)
        .arg(&["-", "COUNT", "1"])
        .cmd("XRANGE")
        .arg(&log)
        .arg(start(from))
        .arg(&["+", "COUNT"])
        .arg(limit);
}

/// Reads what was asked for with [`ask`]: the view, and the entries.
pub(super) fn view(answer: [Value; 4]) -> Result<(View, Vec<Value>), StoreError> {
    let [meta, oldest, before, entries] = answer;
    let view = View {
        meta: wire::meta(meta)?,
        oldest: wire::first_place(&oldest)?,
        at_or_before: wire::first_place(&before)?,
        following: wire::first_place(&entries)?,
    };
    Ok((view, wire::array(entries)?))
}

fn entries(values: Vec<Value>, partition: u16, meta: Meta) -> Result<Vec<Entry>, StoreError> {
    values
        .into_iter()
        .map(|value| wire::entry(value, partition, meta.epoch))
        .collect()
}

async fn look(way: &Way, keys: &Keys, appetite: &Appetite, asked: Asked<'_>) -> Result<Look, StoreError> {
    let Asked { partition, from, .. } = asked;
    let mut pipeline = Pipeline::new();
    ask(
        pipeline.atomic(),
        keys,
        partition,
        from,
        appetite.entries(asked.limit),
    );
    let answer: Value = way.pipeline(&pipeline).await?;
    let (view, found) = view(wire::array_of(answer)?)?;
    let entries = entries(found, partition, view.meta)?;
    appetite.learn(&entries);
    Ok(Look {
        at_tail: entries.last().is_none_or(|last| last.id.n >= view.meta.n),
        entries,
        view,
    })
}

async fn look_at_conversation(
    way: &Way,
    keys: &Keys,
    key: &ConversationKey,
    asked: Asked<'_>,
) -> Result<Look, StoreError> {
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
    .arg(PAGE_BYTES);
    let answer: Value = way.script(&CONVERSATION, call).await?;
    let [meta, oldest, before, following, found, more] = wire::array_of(answer)?;
    let view = View {
        meta: wire::meta(meta)?,
        oldest: wire::maybe_place(&oldest)?,
        at_or_before: wire::maybe_place(&before)?,
        following: wire::maybe_place(&following)?,
    };
    Ok(Look {
        entries: entries(wire::array(found)?, partition, view.meta)?,
        at_tail: wire::number(&more)? == 0,
        view,
    })
}

/// Reads a partition, or of it the entries of one conversation.
pub(super) async fn page(
    way: &Way,
    keys: &Keys,
    appetite: &Appetite,
    asked: Asked<'_>,
) -> Result<Page, StoreError> {
    let limit = asked.limit.clamp(1, PAGE);
    let look_from = async |from| {
        let asked = Asked { from, limit, ..asked };
        let mut look = match asked.conversation {
            Some(key) => look_at_conversation(way, keys, key, asked).await?,
            None => look(way, keys, appetite, asked).await?,
        };
        look.keep_a_page(limit);
        Ok::<_, StoreError>(look)
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
    /// Leaves out what is too much for a page.
    fn keep_a_page(&mut self, limit: usize) {
        let mut room = Room::new(limit);
        let fits = self.entries.iter().take_while(|entry| room.takes(entry)).count();
        self.at_tail &= fits == self.entries.len();
        self.entries.truncate(fits);
    }

    fn into_page(self, gap: Option<Gap>) -> Page {
        let tail = self.view.meta.tail();
        Page {
            next: self.entries.last().map_or(tail, |last| last.id),
            entries: self.entries,
            gap,
            before_oldest: self.view.before_oldest(),
            tail,
            at_tail: self.at_tail,
        }
    }
}
