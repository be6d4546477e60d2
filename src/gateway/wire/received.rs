//! What is received. Unknown fields are ignored, unknown words read as `None`, missing and null fields as not given.

mod attachment;
mod configuration;
mod conversation;
mod message;
#[cfg(test)]
mod tests;

use std::{fmt, marker::PhantomData};

use jiff::Timestamp;
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, IgnoredAny, MapAccess, Visitor},
};

use super::lenient::{count, or_default};
use crate::gateway;

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
    let items = list.embedded.unwrap_or(Embedded(Vec::new())).0;
    let items = items.into_iter().map(T::read).collect::<Result<_, _>>()?;
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

#[derive(Deserialize)]
#[serde(bound = "T: Item")]
struct List<T> {
    #[serde(default, rename = "_embedded")]
    embedded: Option<Embedded<T>>,
    #[serde(default, deserialize_with = "or_default")]
    page: PageInfo,
}

/// The one list in `_embedded` that was asked for.
struct Embedded<T>(Vec<T>);

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
        let mut items = Vec::new();
        while let Some(name) = entries.next_key::<String>()? {
            if name == T::LIST {
                items = entries.next_value::<Option<Vec<T>>>()?.unwrap_or_default();
            } else {
                entries.next_value::<IgnoredAny>()?;
            }
        }
        Ok(Embedded(items))
    }
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct PageInfo {
    #[serde(deserialize_with = "count")]
    total_elements: Option<u32>,
    #[serde(deserialize_with = "count")]
    total_pages: Option<u32>,
}

impl PageInfo {
    /// Without counts, the page is taken for the only one.
    fn of<T>(&self, items: Vec<T>) -> gateway::Listed<T> {
        let here = u32::try_from(items.len()).unwrap_or(u32::MAX);
        gateway::Listed {
            total: self.total_elements.unwrap_or(here),
            total_pages: self.total_pages.unwrap_or(here.min(1)),
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

/// ISO 8601 with an offset to Unix milliseconds. A time without an offset names no moment, so it is not read.
fn unix_ms(text: &str) -> Option<i64> {
    text.trim().parse::<Timestamp>().ok().map(|t| t.as_millisecond())
}
