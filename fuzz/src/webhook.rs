//! The body of a verified delivery. Input: the body.
//!
//! Whatever the vendor signed becomes an event that clients can read, in bounds, and its meaning does not depend on how the
//! JSON is written.

use bytes::{Bytes, BytesMut};
use chatbridge::{
    event::{Event, EventBody},
    grpc::{
        convert::encode_event,
        proto::{AgentEvent, agent_event::Body},
    },
    webhook::fuzzing::{event, is_verification},
};
use prost::Message as _;

use crate::rewritten;

const SENT_MS: u64 = 1_629_804_577_105;
const DAY_MS: i64 = 24 * 3_600_000;

/// Checks one input.
pub fn check(input: &[u8]) {
    let read = normalised(input);
    assert_eq!(
        (read.key.tenant.as_str(), read.id.as_str()),
        ("tenant01", "event-1")
    );
    assert!(read.key.conversation.len() <= 256 && !read.key.conversation.contains(char::is_control));
    assert!(read.vendor_type.len() <= 128 && !read.vendor_type.contains(char::is_control));
    assert!((0..=SENT_MS as i64 + DAY_MS).contains(&read.occurred_ms));
    silent(&read.body);
    readable(&read);
    if is_verification(input) {
        assert_eq!(read.vendor_type, "WEB_HOOK_VERIFY");
    }
    let with_mark = ["\u{feff}".as_bytes(), input].concat();
    if !input.starts_with("\u{feff}".as_bytes()) {
        assert_eq!(normalised(&with_mark), read);
    }
    if let Some(again) = rewritten(input) {
        assert_eq!(normalised(&again), read);
    }
}

fn normalised(body: &[u8]) -> Event {
    event("tenant01", "event-1", SENT_MS, Bytes::copy_from_slice(body))
}

/// What is wrong with a body is logged and shown, so it says nothing of what the customer wrote.
fn silent(body: &EventBody) {
    if let EventBody::Unknown { problem } = body {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || " .,:[]`".contains(c);
        assert!(problem.len() < 160 && problem.chars().all(is_plain), "{problem}");
    }
}

/// It can be decoded, in the parts that the log keeps, and is no larger than clients take.
fn readable(event: &Event) {
    let (head, body) = encode_event(event);
    let mut whole = BytesMut::from(&head[..]);
    whole.extend_from_slice(&body);
    assert!(whole.len() <= 3 << 20);
    let decoded = AgentEvent::decode(whole).expect("clients can decode it");
    assert_eq!(decoded.conversation_id, event.key.conversation);
    assert_eq!(decoded.vendor_event_type, event.vendor_type);
    assert_eq!(decoded.kind, event.body.kind() as i32);
    assert_eq!(decoded.echo, event.is_echo());
    match (&event.body, decoded.body) {
        (EventBody::Message(message), Some(Body::Message(decoded))) => assert_eq!(decoded.text, message.text),
        (EventBody::Unknown { problem }, Some(Body::Unknown(decoded))) => {
            assert_eq!(decoded.problem, *problem)
        }
        (_, decoded) => assert!(decoded.is_some()),
    }
}
