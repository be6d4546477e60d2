//! What is received. Unknown fields are ignored, unknown words read as `None`, missing and null fields as not given.

mod attachment;
mod configuration;
mod conversation;
mod message;
#[cfg(test)]
mod tests;

use std::{fmt, marker::PhantomData, ops::RangeInclusive};

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error as _, IgnoredAny, MapAccess, Visitor},
};

use super::lenient::count;
use crate::{gateway, json};

pub(in crate::gateway) use attachment::{attachment, attachments};
pub(in crate::gateway) use configuration::{channel, channels, signing_key, webhook, webhooks};
pub(in crate::gateway) use conversation::{
    conversation, conversation_if_any, conversations, created, interactions, participants,
};
pub(in crate::gateway) use message::{cards, message, messages};

/// A thing that the vendor answers alone and in lists.
trait Item: DeserializeOwned {
    /// What a list of them is called in `_embedded`.
    const LIST: &'static str;
    /// What it is to us.
    type Read;

    /// Translates it. The error says what is wrong, and nothing of what it holds.
    fn read(self) -> Result<Self::Read, String>;
}

/// Reads an answer that holds one thing.
fn one<T: Item>(body: &[u8]) -> Result<T::Read, String> {
    object::<T>(body)?.read()
}

/// Reads an answer that holds a page of a list. The vendor leaves `_embedded` out where the page is empty.
fn list<T: Item>(body: &[u8]) -> Result<gateway::Listed<T::Read>, String> {
    let list: List<T> = object(body)?;
    let items = list.items.into_iter().map(T::read).collect::<Result<_, _>>()?;
    Ok(list.page.of(items))
}

/// Reads an answer that must be a JSON object. The error says where it is wrong, and nothing of what it holds.
fn object<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    match body.trim_ascii_start().first() {
        None => return Err("the answer is empty where a JSON object was expected".to_owned()),
        Some(b'{') => {}
        Some(_) => return Err("the answer is not a JSON object".to_owned()),
    }
    serde_json::from_slice(body).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        format!("the answer is not the documented JSON at line {line}, column {column}")
    })
}

/// An answer that holds a page of a list. The vendor's description has the list in `_embedded`, and requires it above that,
/// once as `data`: it is taken from where it is.
struct List<T> {
    items: Vec<T>,
    page: PageInfo,
}

impl<'de, T: Item> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(ListVisitor(PhantomData))
    }
}

struct ListVisitor<T>(PhantomData<T>);

impl<'de, T: Item> Visitor<'de> for ListVisitor<T> {
    type Value = List<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let (mut embedded, mut above, mut page) = (None, None, PageInfo::default());
        while let Some(name) = entries.next_key::<String>()? {
            match name.as_str() {
                "_embedded" => {
                    let found = entries.next_value::<Option<Embedded<T>>>()?;
                    embedded = found.and_then(|found| found.0);
                }
                "page" => page = entries.next_value::<Option<PageInfo>>()?.unwrap_or_default(),
                name if is_list::<T>(name) => above = entries.next_value::<Found<T>>()?.0.or(above),
                _ => drop(entries.next_value::<IgnoredAny>()?),
            }
        }
        Ok(List {
            items: embedded.or(above).unwrap_or_default(),
            page,
        })
    }
}

/// The list in `_embedded`, where it is there.
struct Embedded<T>(Option<Vec<T>>);

impl<'de, T: Item> Deserialize<'de> for Embedded<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(EmbeddedVisitor(PhantomData))
    }
}

struct EmbeddedVisitor<T>(PhantomData<T>);

impl<'de, T: Item> Visitor<'de> for EmbeddedVisitor<T> {
    type Value = Embedded<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let (mut named, mut other) = (None, None);
        while let Some(name) = entries.next_key::<String>()? {
            if name == T::LIST {
                named = entries.next_value::<Option<Vec<T>>>()?;
            } else if is_list::<T>(&name) {
                other = entries.next_value::<Found<T>>()?.0.or(other);
            } else {
                entries.next_value::<IgnoredAny>()?;
            }
        }
        Ok(Embedded(named.or(other)))
    }
}

/// Whether a list of these may go by this name.
fn is_list<T: Item>(name: &str) -> bool {
    name.eq_ignore_ascii_case(T::LIST) || name == "data"
}

/// A list where there is one; anything else is passed over.
struct Found<T>(Option<Vec<T>>);

impl<'de, T: Item> Deserialize<'de> for Found<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let found = json::value(from)?;
        let items = found.is_array().then(|| serde_json::from_value(found));
        items.transpose().map(Self).map_err(D::Error::custom)
    }
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct PageInfo {
    #[serde(deserialize_with = "count")]
    size: Option<u32>,
    #[serde(deserialize_with = "count")]
    total_elements: Option<u32>,
    #[serde(deserialize_with = "count")]
    total_pages: Option<u32>,
}

impl PageInfo {
    fn of<T>(&self, items: Vec<T>) -> gateway::Listed<T> {
        let here = u32::try_from(items.len()).unwrap_or(u32::MAX);
        let counted = || Some(self.total_elements?.div_ceil(self.size.filter(|size| *size > 0)?));
        gateway::Listed {
            total: self.total_elements.unwrap_or(here),
            total_pages: self.total_pages.or_else(counted),
            items,
        }
    }
}

/// The first that was given, for fields that go by two names.
fn first(one: String, other: String) -> String {
    if one.is_empty() { other } else { one }
}

/// What cannot be asked for again is of no use to anybody.
fn identifier(id: String, of: &str) -> Result<String, String> {
    if id.is_empty() {
        return Err(format!("the answer holds {of} without an identifier"));
    }
    Ok(id)
}

/// The years 1 to 9999, Unix milliseconds: clients fail on a protobuf `Timestamp` of any other.
const TIMES_MS: RangeInclusive<i64> = -62_135_596_800_000..=253_402_300_799_999;

/// Unix milliseconds from ISO 8601, or from Unix time as a number. A time without an offset is taken for UTC, in which the vendor
/// writes those that have one. A time that no client can read counts as not given.
fn unix_ms(text: &str) -> Option<i64> {
    let text = text.trim();
    let offset = || text.parse::<Timestamp>().ok();
    let number = || from_number(text);
    // Stricter than `parse`, which takes a day alone.
    let plain = || {
        let time = text.contains(':').then(|| text.parse::<DateTime>().ok())??;
        Some(time.to_zoned(TimeZone::UTC).ok()?.timestamp())
    };
    offset()
        .or_else(number)
        .or_else(plain)
        .map(|t| t.as_millisecond())
        .filter(|ms| TIMES_MS.contains(ms))
}

/// Milliseconds, or seconds with or without a fraction: the one is over 10^11 from 1973 on, the other not before the year 5138.
fn from_number(text: &str) -> Option<Timestamp> {
    const LEAST_MS: f64 = 1e11;
    let number = text.parse::<f64>().ok().filter(|it| *it > 0.0)?;
    let ms = if number < LEAST_MS {
        number * 1000.0
    } else {
        number
    };
    Timestamp::from_millisecond(ms.round() as i64).ok()
}
