//! Pages of lists: sizes, orders and opaque page tokens.
//!
//! A token holds where to go on and a checksum of the request it belongs to, so that a token under another request is
//! refused instead of answered with the wrong page. It carries no authority.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::{error::Error, store::SessionMark};

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
pub(super) fn filter(filter: &str) -> Result<String, Error> {
    if filter.len() > FILTER_BYTES_MAX {
        return Err(Error::invalid(
            "filter",
            format!("is longer than {FILTER_BYTES_MAX} bytes"),
        ));
    }
    if filter.chars().any(char::is_control) {
        return Err(Error::invalid("filter", "has control characters"));
    }
    Ok(filter.to_owned())
}

/// `field` or `field asc|desc` as the vendor's `field:asc|desc`; an empty order stays empty.
pub(super) fn order(order_by: &str) -> Result<String, Error> {
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

/// The vendor knows one order of messages, by time.
pub(super) fn message_order(order_by: &str) -> Result<String, Error> {
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

/// Token of the vendor's page behind `page`; empty where that was the last.
pub(super) fn next_page(scope: u32, page: u32, total_pages: u32) -> String {
    match page.checked_add(1) {
        Some(next) if next < total_pages => encode(scope, &next.to_string()),
        _ => String::new(),
    }
}

/// The vendor's page that a token names; the first without one.
pub(super) fn page(token: &str, scope: u32) -> Result<u32, Error> {
    decode(token, scope)?.map_or(Ok(0), |place| {
        place
            .parse()
            .map_err(|_| Error::invalid("page_token", "names no page"))
    })
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
                active_ms: ms.parse().ok()?,
                conversation: conversation.to_owned(),
            })
        })
        .map(Some)
        .ok_or_else(|| Error::invalid("page_token", "names no session"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_token_serves_its_own_request_only() {
        let token = next_page(7, 0, 3);
        assert_eq!(page(&token, 7).unwrap(), 1);
        assert!(
            page(&token, 8)
                .unwrap_err()
                .to_string()
                .contains("another request")
        );
        assert_eq!(next_page(7, 2, 3), "");
        assert_eq!(next_page(7, u32::MAX, u32::MAX), "");
    }

    #[test]
    fn orders_are_the_vendors_or_refused() {
        assert_eq!(order("").unwrap(), "");
        assert_eq!(order("id desc").unwrap(), "id:desc");
        assert_eq!(message_order("").unwrap(), "createdAt:desc");
        for wrong in ["id down", "id asc asc", "id:asc", "a;b", "text asc x"] {
            assert!(order(wrong).is_err(), "{wrong}");
        }
        assert!(message_order("text").is_err());
    }

    #[test]
    fn sizes_are_bounded() {
        assert_eq!(size(0).unwrap(), 20);
        assert_eq!(size(100).unwrap(), 100);
        assert!(size(-1).is_err() && size(101).is_err());
    }

    proptest! {
        #[test]
        fn session_marks_survive(active_ms: u64, conversation in "\\PC{1,40}", scope: u32) {
            let mark = SessionMark { active_ms, conversation };
            let token = next_session(scope, Some(&mark));
            prop_assert_eq!(session(&token, scope).unwrap(), Some(mark));
        }

        #[test]
        fn hostile_tokens_never_panic(token in ".*", scope: u32) {
            let _ = session(&token, scope);
            let _ = page(&token, scope);
        }
    }
}
