//! From a verified delivery to an event. Nothing that the vendor signed is an error here: what cannot be read becomes
//! an event of the kind unknown, which says why.

use serde_json::{Map, Value};

use super::{
    Verified,
    read::{Members, Problem, Read},
    skeleton,
};
use crate::{
    event::{ConversationKey, Event, EventBody, TenantId},
    json,
};

mod bodies;

/// The longest conversation id, in bytes.
const MAX_CONVERSATION_BYTES: usize = 256;
/// The longest word for a kind of event, in bytes.
const MAX_TYPE_BYTES: usize = 128;
/// The end of the year 9999, Unix milliseconds: the last time that a protobuf `Timestamp` can hold.
const LAST_MS: i64 = 253_402_300_799_999;
/// How much later than its own transmission an event may claim to have occurred: the vendor's clocks differ by less.
const MAX_AHEAD_MS: i64 = 24 * 3_600_000;

/// How a delivery was received.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Received {
    /// When, Unix milliseconds by our clock.
    pub at_ms: i64,
    /// W3C trace context.
    pub traceparent: Option<String>,
}

/// Makes an event of a delivery.
pub fn normalise(delivery: &Verified, received: Received) -> Event {
    let (map, unreadable) = parse(delivery.body());
    let members = Members::of_body(&map);
    let conversation = conversation(&members);
    let vendor_type = vendor_type(&members);
    let body = match (unreadable, &conversation, &vendor_type) {
        (Some(problem), _, _) => Err(problem),
        (None, Err(problem), _) | (None, _, Err(problem)) => Err(problem.clone()),
        (None, Ok(_), Ok(vendor_type)) => bodies::read(vendor_type, &members),
    };
    Event {
        key: ConversationKey::new(TenantId::new(delivery.tenant()), conversation.unwrap_or_default()),
        id: delivery.event().to_owned(),
        occurred_ms: occurred_ms(&members, delivery.transmitted_ms()),
        received_ms: received.at_ms,
        vendor_type: vendor_type.unwrap_or_default(),
        synthetic: false,
        body: body.unwrap_or_else(|Problem(problem)| EventBody::Unknown { problem }),
        traceparent: received.traceparent,
    }
}

/// Whether a body is the vendor's check of a webhook's address.
pub(super) fn is_verification(body: &[u8]) -> bool {
    let (map, unreadable) = parse(body);
    unreadable.is_none() && map.get("eventType").and_then(Value::as_str) == Some(bodies::VERIFY)
}

/// Reads the body's members, or what can be had of them and why not all.
fn parse(body: &[u8]) -> (Map<String, Value>, Option<Problem>) {
    // Writers on Windows put a byte order mark in front.
    let body = body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(body);
    let error = match json::from_slice(body) {
        Ok(value) => return object(value),
        Err(error) => error,
    };
    let mended = skeleton::mend(body);
    let body = mended.as_deref().map_or(body, str::as_bytes);
    if mended.is_some()
        && let Ok(value) = json::from_slice(body)
    {
        return object(value);
    }
    let problem = Problem(format!(
        "The body is not JSON that can be read: it breaks at line {}, column {}.",
        error.line(),
        error.column()
    ));
    (skeleton::members(body), Some(problem))
}

fn object(value: Value) -> (Map<String, Value>, Option<Problem>) {
    match value {
        Value::Object(map) => (map, None),
        _ => (
            Map::new(),
            Some(Problem("The body is not a JSON object.".to_owned())),
        ),
    }
}

/// The conversation that an event belongs to; empty: none.
fn conversation(members: &Members<'_>) -> Read<String> {
    let id = members.text("conversationId")?;
    if id.len() > MAX_CONVERSATION_BYTES {
        let what = format!("is longer than {MAX_CONVERSATION_BYTES} bytes");
        return Err(members.problem("conversationId", &what));
    }
    if id
        .chars()
        .any(|c| c.is_control() || c == char::REPLACEMENT_CHARACTER)
    {
        return Err(members.problem("conversationId", "has control characters or is not Unicode"));
    }
    Ok(id)
}

/// The vendor's word for the event.
fn vendor_type(members: &Members<'_>) -> Read<String> {
    let word = members.text("eventType")?;
    if word.is_empty() {
        return Err(members.missing("eventType"));
    }
    if word.len() > MAX_TYPE_BYTES || word.chars().any(char::is_control) {
        let what = format!("has control characters or is longer than {MAX_TYPE_BYTES} bytes");
        return Err(members.problem("eventType", &what));
    }
    Ok(word)
}

/// When an event occurred; where the body does not say so in a way that can be believed, when it was sent.
fn occurred_ms(members: &Members<'_>, transmitted_ms: i64) -> i64 {
    let latest = transmitted_ms.saturating_add(MAX_AHEAD_MS).min(LAST_MS);
    members
        .get("timestamp")
        .and_then(milliseconds)
        .filter(|ms| (0..=latest).contains(ms))
        .unwrap_or(transmitted_ms)
}

#[allow(clippy::cast_possible_truncation, reason = "the range is checked before")]
fn milliseconds(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64().or_else(|| {
            let float = number.as_f64().filter(|f| (0.0..9.0e15).contains(f))?;
            Some(float as i64)
        }),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
