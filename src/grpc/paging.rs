//! Pages of lists: sizes, orders and opaque page tokens.
//!
//! A token holds where to go on and a checksum of the request it belongs to, so that a token under another request is
//! refused instead of answered with the wrong page. It carries no authority.

#[cfg(test)]
mod tests;

use std::{fmt::Display, str::FromStr};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::{check::Check, fiql};
use crate::{
    error::Error,
    gateway::{Listed, PageQuery},
    store::SessionMark,
    tenant::Tenant,
};

const SIZE_DEFAULT: u32 = 20;
const SIZE_MAX: u32 = 100;
const FILTER_BYTES_MAX: usize = 2048;

/// The page size that a request asks for.
pub(super) fn size(page_size: i32) -> Result<u32, Error> {
    match u32::try_from(page_size) {
        Ok(0) => Ok(SIZE_DEFAULT),
        Ok(size) if size <= SIZE_MAX => Ok(size),
        _ => Err(Error::invalid(
            "page_size",
            format!("is {page_size}; it must lie between 0 (for {SIZE_DEFAULT}) and {SIZE_MAX}"),
        )),
    }
}

/// Checks a filter, which goes to the vendor as it is.
fn filter(filter: &str) -> Result<String, Error> {
    if filter.len() > FILTER_BYTES_MAX {
        return Err(Error::invalid(
            "filter",
            format!(
                "is {} bytes long; at most {FILTER_BYTES_MAX} are allowed",
                filter.len()
            ),
        ));
    }
    if !filter.is_empty() {
        fiql::check(filter).map_err(|error| Error::invalid("filter", error.to_string()))?;
    }
    Ok(filter.to_owned())
}

/// `field` or `field asc|desc` as the vendor's `field:asc|desc`; an empty order stays empty.
fn order(order_by: &str) -> Result<String, Error> {
    let wrong = || {
        Error::invalid(
            "order_by",
            "must be a field, or a field with `asc` or `desc` behind it",
        )
    };
    let mut words = order_by.split_whitespace();
    let Some(field) = words.next() else {
        return Ok(String::new());
    };
    let direction = words.next().unwrap_or("asc");
    let plain = field
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b"._".contains(&b));
    if words.next().is_some() || !plain || field.len() > 64 || !["asc", "desc"].contains(&direction) {
        return Err(wrong());
    }
    Ok(format!("{field}:{direction}"))
}

/// The vendor knows one order of messages and cards, by time.
fn time_order(order_by: &str) -> Result<String, Error> {
    match order(order_by)?.as_str() {
        "" | "create_time:desc" => Ok("createdAt:desc".into()),
        "create_time:asc" => Ok("createdAt:asc".into()),
        _ => Err(Error::invalid(
            "order_by",
            "must be `create_time asc` or `create_time desc`",
        )),
    }
}

/// A checksum of what a token belongs to.
pub(super) fn scope(parts: &[&str]) -> u32 {
    crc32fast::hash(parts.join("\0").as_bytes())
}

fn encode(scope: u32, place: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("1.{scope:08x}.{place}"))
}

fn decode(token: &str, scope: u32) -> Result<Option<String>, Error> {
    if token.is_empty() {
        return Ok(None);
    }
    let wrong = |problem: &str| Error::invalid("page_token", problem);
    let text = URL_SAFE_NO_PAD
        .decode(token)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or_else(|| wrong("is not a token of this service: send back next_page_token as it was"))?;
    let place = text
        .strip_prefix("1.")
        .and_then(|rest| rest.split_once('.'))
        .ok_or_else(|| wrong("is not a token of this service: send back next_page_token as it was"))?;
    if place.0 != format!("{scope:08x}") {
        return Err(wrong(
            "belongs to another request: the other fields must be as in the call that gave it",
        ));
    }
    Ok(Some(place.1.to_owned()))
}

/// What a request says of the page that it asks for; lists that the vendor cannot filter or sort leave those empty.
#[derive(Debug, Default)]
pub(super) struct Ask<'a> {
    /// The RPC, and the identifiers of what is listed: a token is good for these alone.
    pub(super) of: &'a [&'a str],
    pub(super) page_size: i32,
    pub(super) page_token: &'a str,
    pub(super) filter: &'a str,
    pub(super) order_by: &'a str,
}

impl Ask<'_> {
    /// The page, in an order of any of the vendor's fields.
    pub(super) fn read(&self, check: &mut Check, tenant: &Result<Tenant, Error>) -> Page {
        let sort = check.read(order(self.order_by));
        self.read_sorted(check, tenant, sort)
    }

    /// The page, in order of time.
    pub(super) fn read_by_time(&self, check: &mut Check, tenant: &Result<Tenant, Error>) -> Page {
        let sort = check.read(time_order(self.order_by));
        self.read_sorted(check, tenant, sort)
    }

    fn read_sorted(&self, check: &mut Check, tenant: &Result<Tenant, Error>, sort: String) -> Page {
        let size = check.read(size(self.page_size));
        let filter = check.read(filter(self.filter));
        let Ok(tenant) = tenant else {
            return Page::default();
        };
        let size_text = size.to_string();
        let mut parts = vec![tenant.id.as_str(), &size_text, &filter, &sort];
        parts.extend_from_slice(self.of);
        let scope = scope(&parts);
        let page = check.read(page(self.page_token, scope));
        Page {
            query: PageQuery {
                size,
                page,
                sort,
                filter,
            },
            scope,
        }
    }
}

/// A page that was asked for.
#[derive(Debug, Default)]
pub(super) struct Page {
    /// In the vendor's terms.
    pub(super) query: PageQuery,
    scope: u32,
}

impl Page {
    /// Token of the vendor's next page; empty where this was the last.
    pub(super) fn next<T>(&self, listed: &Listed<T>) -> String {
        next_page(self.scope, self.query.page, listed.is_last(&self.query))
    }

    /// The items of this page of a list that the vendor gave as a whole, and the token of the next.
    pub(super) fn cut<T>(&self, items: Vec<T>) -> (Vec<T>, String) {
        let size = self.query.size.max(1) as usize;
        let first = size.saturating_mul(self.query.page as usize);
        let is_last = items.len() <= first.saturating_add(size);
        let page = items.into_iter().skip(first).take(size).collect();
        (page, next_page(self.scope, self.query.page, is_last))
    }
}

/// How many there are, as answers count.
pub(super) fn total(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

/// Token of the vendor's page behind `page`; empty where that was the last.
pub(super) fn next_page(scope: u32, page: u32, is_last: bool) -> String {
    match page.checked_add(1) {
        Some(next) if !is_last => encode(scope, &next.to_string()),
        _ => String::new(),
    }
}

/// The vendor's page that a token names; the first without one.
pub(super) fn page(token: &str, scope: u32) -> Result<u32, Error> {
    decode(token, scope)?.map_or(Ok(0), |place| {
        number(&place)
            .filter(|page| *page > 0)
            .ok_or_else(|| Error::invalid("page_token", "names no page"))
    })
}

/// A number as tokens have it: the same number under another spelling makes a token that this service never gave out.
fn number<N: FromStr + Display>(text: &str) -> Option<N> {
    text.parse().ok().filter(|number: &N| number.to_string() == text)
}

/// Token behind a session; empty where that was the last.
pub(super) fn next_session(scope: u32, mark: Option<&SessionMark>) -> String {
    mark.map_or_else(String::new, |mark| {
        encode(scope, &format!("{}.{}", mark.active_ms, mark.conversation))
    })
}

/// The session that a token names.
pub(super) fn session(token: &str, scope: u32) -> Result<Option<SessionMark>, Error> {
    let Some(place) = decode(token, scope)? else {
        return Ok(None);
    };
    place
        .split_once('.')
        .and_then(|(ms, conversation)| {
            Some(SessionMark {
                active_ms: number(ms)?,
                conversation: conversation.to_owned(),
            })
        })
        .map(Some)
        .ok_or_else(|| Error::invalid("page_token", "names no session"))
}

/// Token behind a name; empty where that was the last.
pub(super) fn next_name(scope: u32, name: Option<&str>) -> String {
    name.map_or_else(String::new, |name| encode(scope, name))
}

/// The name that a token names; empty without one.
pub(super) fn name(token: &str, scope: u32) -> Result<String, Error> {
    Ok(decode(token, scope)?.unwrap_or_default())
}
