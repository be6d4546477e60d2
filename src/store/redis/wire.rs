//! Reads what Redis answers: entries, ids, and what a partition says of itself.

use ::redis::Value;
use bytes::Bytes;

use crate::{
    conversation::{Passage, SessionState},
    event::EntryId,
    store::{
        Appended, StoreError,
        entry::Stored,
        gap::{Erased, Meta, Place},
    },
};

/// The fields of a partition's meta, in the order in which [`meta`] reads them.
pub(super) const META_FIELDS: [&str; 5] = ["epoch", "n", "ms", "trimmed", "erased"];

fn unexpected(what: &str) -> StoreError {
    StoreError::Corrupt(format!("Redis answered something that is not {what}"))
}

/// An array, or the pairs of a map.
pub(super) fn array(value: Value) -> Result<Vec<Value>, StoreError> {
    match value {
        Value::Array(items) | Value::Set(items) => Ok(items),
        Value::Nil => Ok(Vec::new()),
        _ => Err(unexpected("a list")),
    }
}

/// An array of a known length.
pub(super) fn array_of<const N: usize>(value: Value) -> Result<[Value; N], StoreError> {
    array(value)?
        .try_into()
        .map_err(|_| unexpected("a list of the right length"))
}

/// A string of bytes.
pub(super) fn bytes(value: Value) -> Result<Bytes, StoreError> {
    match value {
        Value::BulkString(bytes) => Ok(bytes.into()),
        Value::SimpleString(text) => Ok(text.into()),
        _ => Err(unexpected("a string")),
    }
}

/// A string.
pub(super) fn text(value: Value) -> Result<String, StoreError> {
    String::from_utf8(bytes(value)?.to_vec()).map_err(|_| unexpected("text"))
}

/// A number, as an integer or in digits.
pub(super) fn number(value: &Value) -> Result<u64, StoreError> {
    let number = match value {
        Value::Int(number) => u64::try_from(*number).ok(),
        Value::BulkString(digits) => std::str::from_utf8(digits).ok().and_then(|d| d.parse().ok()),
        _ => None,
    };
    number.ok_or_else(|| unexpected("a number"))
}

/// Meta of a partition.
pub(super) fn meta(value: Value) -> Result<Meta, StoreError> {
    // Whether anything was erased is for scripts alone.
    let [epoch, n, ms, trimmed, _] = array_of(value)?;
    if epoch == Value::Nil {
        return Ok(Meta::default());
    }
    Ok(Meta {
        epoch: number(&epoch)?,
        n: number(&n)?,
        ms: number(&ms)?,
        trimmed_ms: number(&trimmed)?,
    })
}

fn place(id: &Value) -> Result<Place, StoreError> {
    let parsed = match id {
        Value::BulkString(id) => std::str::from_utf8(id).ok().and_then(|id| {
            let (ms, n) = id.split_once('-')?;
            Some((ms.parse().ok()?, n.parse().ok()?))
        }),
        _ => None,
    };
    parsed.ok_or_else(|| unexpected("an entry's id"))
}

/// What was erased around a place; nothing where nothing was.
pub(super) fn erased(value: Value) -> Result<Erased, StoreError> {
    if value == Value::Nil {
        return Ok(Erased::default());
    }
    let [at, before_following, before_oldest] = array_of(value)?;
    Ok(Erased {
        at: number(&at)? == 1,
        before_following: number(&before_following)?,
        before_oldest: number(&before_oldest)?,
    })
}

/// An entry's id, where there is one.
pub(super) fn maybe_place(id: &Value) -> Result<Option<Place>, StoreError> {
    if *id == Value::Nil {
        return Ok(None);
    }
    place(id).map(Some)
}

/// The place of the first of the entries that a range answered.
pub(super) fn first_place(entries: &Value) -> Result<Option<Place>, StoreError> {
    let Value::Array(entries) = entries else {
        return Err(unexpected("a list of entries"));
    };
    match entries.first() {
        Some(Value::Array(entry)) => entry.first().map(place).transpose(),
        Some(_) => Err(unexpected("an entry")),
        None => Ok(None),
    }
}

/// An entry as it is stored, with its id.
pub(super) fn entry(value: Value, epoch: u64) -> Result<(EntryId, Stored), StoreError> {
    let [id, fields] = array_of(value)?;
    let (ms, n) = place(&id)?;
    Ok((EntryId { epoch, ms, n }, stored(fields)?))
}

fn stored(fields: Value) -> Result<Stored, StoreError> {
    let mut stored = Stored {
        format: String::new(),
        key_id: String::new(),
        head: Bytes::new(),
        content: Bytes::new(),
        sequence: 0,
        session_epoch: 0,
        state: SessionState::Unknown,
        request_id: String::new(),
    };
    let mut fields = array(fields)?.into_iter();
    while let (Some(name), Some(value)) = (fields.next(), fields.next()) {
        match bytes(name)?.as_ref() {
            b"v" => stored.format = text(value)?,
            b"k" => stored.key_id = text(value)?,
            b"h" => stored.head = bytes(value)?,
            b"c" => stored.content = bytes(value)?,
            b"q" => stored.sequence = number(&value)?,
            b"e" => stored.session_epoch = number(&value)?,
            b"s" => stored.state = state(&value)?,
            b"r" => stored.request_id = text(value)?,
            // A newer version may add what an older one need not know; one that must be known changes the format.
            _ => {}
        }
    }
    Ok(stored)
}

/// What came of an attempt to append.
pub(super) enum Attempt {
    /// It was appended, or need not be.
    Appended(Appended),
    /// The id was claimed in a step of its own, which does not tell whether the event is in the log.
    ClaimedApart,
    /// The data key is there no more.
    KeyGone,
}

/// What `append.lua` answered.
pub(super) fn appended(answer: Value) -> Result<Attempt, StoreError> {
    match answer {
        Value::Nil => return Ok(Attempt::Appended(Appended::Duplicate)),
        Value::Int(0) => return Ok(Attempt::Appended(Appended::Forged)),
        Value::Int(1) => return Ok(Attempt::ClaimedApart),
        Value::Int(2) => return Ok(Attempt::KeyGone),
        _ => {}
    }
    let answer = text(answer)?;
    new_entry(&answer)
        .map(Attempt::Appended)
        .ok_or_else(|| unexpected("what became of an event"))
}

/// `PLACE SEQUENCE STATE AHEAD EPOCH`, and in some answers `BEFORE SINCE QUEUED JOINED FIRST`, with a hyphen for what there is not.
fn new_entry(answer: &str) -> Option<Appended> {
    let mut words = answer.split(' ');
    let (ms, n) = words.next()?.split_once('-')?;
    let mut number = || words.next()?.parse::<u64>().ok();
    let (sequence, state, clock_behind_ms, epoch) = (number()?, number()?, number()?, number()?);
    let state = SessionState::from_number(u8::try_from(state).ok()?)?;
    Some(Appended::New {
        id: EntryId {
            epoch,
            ms: ms.parse().ok()?,
            n: n.parse().ok()?,
        },
        sequence,
        state,
        clock_behind_ms,
        passage: match words.next() {
            Some(before) => Some(passage(before, words, state)?),
            None => None,
        },
    })
}

/// How a contact went on, from the words behind `before`.
fn passage<'a>(
    before: &str,
    mut words: impl Iterator<Item = &'a str>,
    after: SessionState,
) -> Option<Passage> {
    let mut ms = || match words.next()? {
        "-" => Some(None),
        ms => ms.parse::<i64>().ok().map(Some),
    };
    let (since_ms, queued_ms, joined_ms) = (ms()?, ms()?, ms()?);
    Some(Passage {
        before: SessionState::from_number(before.parse().ok()?)?,
        after,
        since_ms,
        queued_ms,
        joined_ms,
        is_first_response: words.next()? == "1",
    })
}

/// The number of a state.
pub(super) fn state(value: &Value) -> Result<SessionState, StoreError> {
    u8::try_from(number(value)?)
        .ok()
        .and_then(SessionState::from_number)
        .ok_or_else(|| unexpected("a session's state"))
}

/// What a read of several streams answered, by the name of the stream: a map, or pairs where the protocol has no maps.
pub(super) fn streams(value: Value) -> Result<Vec<(String, Vec<Value>)>, StoreError> {
    let pairs: Vec<(Value, Value)> = match value {
        Value::Map(pairs) => pairs,
        other => array(other)?
            .into_iter()
            .map(|pair| array_of(pair).map(|[name, entries]| (name, entries)))
            .collect::<Result<_, _>>()?,
    };
    pairs
        .into_iter()
        .map(|(name, entries)| Ok((text(name)?, array(entries)?)))
        .collect()
}

/// What makes Redis read from this place on, itself excluded.
pub(super) fn behind(ms: u64, n: u64) -> String {
    format!("({ms}-{n}")
}
