//! Says which part of a request is at fault, by the rules of `signature` itself.
//!
//! A signature that does not fit says nothing of why. But most causes are few: something on the way changed the body or a
//! header, or the sender signs another form. Each is undone, and where the signature fits then, that was it.

use axum::http::{HeaderMap, HeaderName};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use super::{
    Refusal, VerifyingKey,
    signature::{
        self, CUSTOMER, Claimed, EVENT, RETRY, SIGNATURE, TENANT, TRANSMISSION_TIME, Trial, checksum,
    },
};

/// The six headers.
pub const HEADERS: [HeaderName; 6] = [TENANT, CUSTOMER, EVENT, TRANSMISSION_TIME, RETRY, SIGNATURE];

/// Retry counts that are tried in place of the one in the header.
const RETRIES_TRIED: u32 = 32;
/// The members of the signed form, in the vendor's order.
const MEMBERS: [&str; 6] = ["checksum", "cid", "eid", "retry", "tid", "tt"];

/// Looks at each of the six headers by itself.
pub fn headers(headers: &HeaderMap) -> [(HeaderName, Result<(), Refusal>); 6] {
    HEADERS.map(|name| {
        let checked = signature::check(headers, &name);
        (name, checked)
    })
}

/// The checksum by which the signature binds this body.
pub fn body_checksum(body: &[u8]) -> u32 {
    checksum(body)
}

/// Whether a request without a signature is the vendor's check of the address.
pub fn is_verification(body: &[u8]) -> bool {
    super::normalise::is_verification(body)
}

/// What makes a signature fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// Another body was signed; how the one that came differs from it.
    Body(&'static str),
    /// Another retry count was signed.
    Retry(u32),
    /// Another identifier was signed: the header, and how it differs.
    Header(HeaderName, &'static str),
    /// The members were signed in this order.
    Order(String),
    /// Something else than the documented form was signed.
    Form(&'static str),
}

/// Finds out why a signature does not fit; `None` where it fits, or where no cause that is known makes it fit: then it is of
/// another key, or more than one thing was changed.
pub fn cause(claimed: &Claimed, key: &VerifyingKey, body: &[u8]) -> Option<Cause> {
    let trial = Trial { claimed, key, body };
    if trial.is_signed() {
        return None;
    }
    of_body(&trial)
        .or_else(|| of_headers(&trial))
        .or_else(|| of_form(&trial))
        .or_else(|| of_order(&trial))
}

fn of_body(trial: &Trial<'_>) -> Option<Cause> {
    let body = trial.body;
    let with = |end: &[u8]| [body, end].concat();
    let text = String::from_utf8_lossy(body);
    let compact = without_spaces(body);
    let unescaped = unescaped(&compact).into_bytes();
    let tried: [(&'static str, Vec<u8>); 10] = [
        ("a line end was added behind it", trimmed(body).to_vec()),
        ("a line feed at its end was taken away", with(b"\n")),
        ("a line end (CR LF) at its end was taken away", with(b"\r\n")),
        (
            "a byte order mark was put before it",
            body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body).to_vec(),
        ),
        (
            "its line ends were changed from LF to CR LF",
            text.replace("\r\n", "\n").into_bytes(),
        ),
        (
            "its line ends were changed from CR LF to LF",
            text.replace('\n', "\r\n").into_bytes(),
        ),
        ("spaces were put between its members", compact),
        (
            "its JSON was written anew, with letters as \\u escapes",
            unescaped,
        ),
        (
            "its JSON was written anew, with `/` not escaped any more",
            text.replace('/', "\\/").into_bytes(),
        ),
        ("an empty body was signed", Vec::new()),
    ];
    let fits = |(_, other): &&(&'static str, Vec<u8>)| *other != body && trial.fits_body(other);
    tried.iter().find(fits).map(|(how, _)| Cause::Body(how))
}

fn trimmed(body: &[u8]) -> &[u8] {
    body.trim_ascii_end()
}

/// The JSON without spaces between its tokens, members in the order in which they are.
fn without_spaces(body: &[u8]) -> Vec<u8> {
    let (mut inside, mut escaped) = (false, false);
    let mut kept = Vec::with_capacity(body.len());
    for byte in body {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if inside => escaped = true,
            b'"' => inside = !inside,
            b' ' | b'\t' | b'\r' | b'\n' if !inside => continue,
            _ => {}
        }
        kept.push(*byte);
    }
    kept
}

/// The JSON with letters beyond ASCII as they are, where they are written as escapes.
fn unescaped(json: &[u8]) -> String {
    let text = String::from_utf8_lossy(json);
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.as_ref();
    while let Some(at) = rest.find('\\') {
        plain.push_str(&rest[..at]);
        rest = &rest[at..];
        let mut units = Vec::new();
        while let Some(unit) = unit(rest.get(units.len() * 6..).unwrap_or_default()) {
            units.push(unit);
        }
        if units.is_empty() {
            // The character behind it belongs to it, whatever it is.
            let end = rest.char_indices().nth(2).map_or(rest.len(), |(at, _)| at);
            plain.push_str(&rest[..end]);
            rest = &rest[end..];
        } else {
            plain.push_str(&String::from_utf16_lossy(&units));
            rest = &rest[units.len() * 6..];
        }
    }
    plain + rest
}

/// The UTF-16 unit of an escape at the beginning, if it is one beyond ASCII.
fn unit(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    let unit = u16::from_str_radix(digits, 16).ok()?;
    (is_hex && unit > 0x7f).then_some(unit)
}

fn of_headers(trial: &Trial<'_>) -> Option<Cause> {
    let (retry, _) = trial.numbers();
    let other = (0..RETRIES_TRIED).find(|other| *other != retry && trial.fits_retry(*other));
    if let Some(retry) = other {
        return Some(Cause::Retry(retry));
    }
    let ids = trial.ids();
    for (at, header) in [TENANT, CUSTOMER, EVENT].into_iter().enumerate() {
        let id = &ids[at];
        let changed: [(&'static str, String); 2] = [
            ("was changed from lower case", id.to_ascii_lowercase()),
            ("was changed from upper case", id.to_ascii_uppercase()),
        ];
        for (how, other) in changed {
            let mut tried = ids.clone();
            tried[at] = other;
            if tried != ids && trial.fits_ids(tried) {
                return Some(Cause::Header(header, how));
            }
        }
    }
    let [tenant, customer, event] = ids;
    let swapped = "and x-8x8-tenant-id were exchanged";
    let fits = trial.fits_ids([customer, tenant, event]);
    fits.then_some(Cause::Header(CUSTOMER, swapped))
}

/// The members and their values, as they stand in the signed form.
fn members(trial: &Trial<'_>) -> [(&'static str, String); 6] {
    let [tenant, customer, event] = trial.ids();
    let (retry, transmitted_ms) = trial.numbers();
    let quoted = |text: String| format!("\"{text}\"");
    let values = [
        checksum(trial.body).to_string(),
        quoted(customer),
        quoted(event),
        retry.to_string(),
        quoted(tenant),
        transmitted_ms.to_string(),
    ];
    let mut values = values.into_iter();
    MEMBERS.map(|name| (name, values.next().unwrap_or_default()))
}

fn object(members: &[(&'static str, String)], colon: &str, comma: &str) -> String {
    let members: Vec<String> = members
        .iter()
        .map(|(name, value)| format!("\"{name}\"{colon}{value}"))
        .collect();
    format!("{{{}}}", members.join(comma))
}

fn of_form(trial: &Trial<'_>) -> Option<Cause> {
    let members = members(trial);
    let plain = object(&members, ":", ",");
    let with = |changed: &str, value: String| {
        let mut members = members.clone();
        for member in members.iter_mut().filter(|(name, _)| *name == changed) {
            member.1.clone_from(&value);
        }
        object(&members, ":", ",")
    };
    let as_text = members.clone().map(|(name, value)| match value.starts_with('"') {
        true => (name, value),
        false => (name, format!("\"{value}\"")),
    });
    let crc32c = crc::Crc::<u32>::new(&crc::CRC_32_ISCSI).checksum(trial.body);
    let hexadecimal = format!("\"{:08x}\"", checksum(trial.body));
    let without_retry: Vec<_> = members
        .iter()
        .filter(|(name, _)| *name != "retry")
        .cloned()
        .collect();
    let tried: [(&'static str, String); 8] = [
        (
            "the payload in base64url (`b64` is false: it is signed as it is)",
            URL_SAFE_NO_PAD.encode(&plain),
        ),
        (
            "the payload with spaces behind `:` and `,`",
            object(&members, ": ", ", "),
        ),
        (
            "the payload with its numbers as texts",
            object(&as_text, ":", ","),
        ),
        ("the payload without `retry`", object(&without_retry, ":", ",")),
        (
            "a checksum by CRC-32C in place of CRC-32",
            with("checksum", crc32c.to_string()),
        ),
        ("the checksum in hexadecimal", with("checksum", hexadecimal)),
        (
            "the body in place of the payload",
            String::from_utf8_lossy(trial.body).into_owned(),
        ),
        ("the payload with a line end", plain + "\n"),
    ];
    let fits = tried.iter().find(|(_, payload)| trial.fits_payload(payload));
    fits.map(|(what, _)| Cause::Form(what))
}

/// All 720 orders of the six members, some 20 µs each.
fn of_order(trial: &Trial<'_>) -> Option<Cause> {
    let members = members(trial);
    let mut found = None;
    orders(&mut members.to_vec(), 0, &mut |ordered| {
        let fits = trial.fits_payload(&object(ordered, ":", ","));
        if fits {
            let names: Vec<&str> = ordered.iter().map(|(name, _)| *name).collect();
            found = Some(Cause::Order(names.join(", ")));
        }
        fits
    });
    found
}

/// Goes through all orders of what stands from `from` on, until one is `found`.
fn orders<T>(items: &mut [T], from: usize, found: &mut impl FnMut(&[T]) -> bool) -> bool {
    if from == items.len() {
        return found(items);
    }
    for at in from..items.len() {
        items.swap(from, at);
        let is_found = orders(items, from + 1, found);
        items.swap(from, at);
        if is_found {
            return true;
        }
    }
    false
}

#[cfg(test)]
#[path = "explain/tests.rs"]
mod tests;
