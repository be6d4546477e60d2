//! Reading the log page by page.

use ::redis::{Pipeline, Value};

use super::{
    keys::Keys,
    link::Link,
    scripts::{CONVERSATION, Call},
    wire,
};
use crate::{
    event::{ConversationKey, EntryId, Position},
    store::{
        Entry, Gap, GapReason, Page, StoreError,
        gap::{Meta, View, judge},
    },
};

/// The most entries of one page. The script that reads a conversation keeps Redis from everything else meanwhile.
const PAGE: usize = 256;

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

async fn look(
    link: &Link,
    keys: &Keys,
    partition: u16,
    from: Position,
    limit: usize,
) -> Result<Look, StoreError> {
    let mut pipeline = Pipeline::new();
    ask(pipeline.atomic(), keys, partition, from, limit);
    let answer: Value = link.pipeline(&pipeline).await?;
    let (view, found) = view(wire::array_of(answer)?)?;
    let entries = entries(found, partition, view.meta)?;
    Ok(Look {
        at_tail: entries.last().is_none_or(|last| last.id.n >= view.meta.n),
        entries,
        view,
    })
}

async fn look_at_conversation(
    link: &Link,
    keys: &Keys,
    key: &ConversationKey,
    from: Position,
    limit: usize,
) -> Result<Look, StoreError> {
    let partition = keys.partition(key);
    let (before, ms, n) = match from {
        Position::Earliest => (String::new(), 0, 0),
        Position::Since(ms) => (String::new(), ms, 0),
        Position::After(EntryId { ms, n, .. }) => (format!("{ms}-{n}"), ms, n),
    };
    let call = Call::new([
        keys.log(partition),
        keys.meta(partition),
        keys.index(partition, key),
    ])
    .arg(start(from))
    .arg(before)
    .arg(ms)
    .arg(n)
    .arg(limit);
    let answer: Value = link.script(&CONVERSATION, call).await?;
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
    link: &Link,
    keys: &Keys,
    partition: u16,
    conversation: Option<&ConversationKey>,
    from: Position,
    limit: usize,
) -> Result<Page, StoreError> {
    let limit = limit.clamp(1, PAGE);
    let look_from = async |from| match conversation {
        Some(key) => look_at_conversation(link, keys, key, from, limit).await,
        None => look(link, keys, partition, from, limit).await,
    };
    let first = look_from(from).await?;
    let Some(gap) = judge(from, &first.view) else {
        return Ok(first.into_page(None));
    };
    let oldest = look_from(Position::Earliest).await?;
    let gap = Some(still_missing(gap, from, &oldest.view));
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
