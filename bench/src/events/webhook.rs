//! Deliveries, signed and written as requests before a run, so that the driver pays for none of it while it measures.

use std::{
    ops::Range,
    time::{SystemTime, UNIX_EPOCH},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::json;

use super::rsa;
use crate::parts::TENANT;

/// What stands before the number of an event wherever it is written.
const MARK: &[u8] = b"bench-";
const DIGITS: usize = 10;
const KID: &str = "bench";
const CUSTOMER: &str = "customer";
/// The key of Centrifugo's API.
pub(crate) const CENTRIFUGO_KEY: &str = "bench";
/// The one channel of the peers, which have channels for what is a filter here.
pub(crate) const CHANNEL: &str = "all";

/// How an event is posted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Form {
    /// As the vendor does it.
    Signed,
    /// As Nchan takes it.
    Nchan,
    /// As Centrifugo takes it.
    Centrifugo,
}

/// Signs webhooks.
pub(crate) struct Signer {
    key: rsa::Key,
    header: String,
}

impl Signer {
    pub(crate) fn new() -> Self {
        let header = format!(r#"{{"b64":false,"crit":["b64"],"kid":"{KID}","alg":"RS256"}}"#);
        Self {
            key: rsa::Key::new(),
            header: URL_SAFE_NO_PAD.encode(header),
        }
    }

    /// The public key.
    pub(crate) fn jwk(&self) -> String {
        let jwk = json!({
            "kty": "RSA",
            "kid": KID,
            "e": URL_SAFE_NO_PAD.encode(self.key.exponent()),
            "n": URL_SAFE_NO_PAD.encode(self.key.modulus()),
        });
        jwk.to_string()
    }

    fn sign(&self, payload: &str) -> String {
        let signature = self.key.sign(format!("{}.{payload}", self.header).as_bytes());
        format!("{}..{}", self.header, URL_SAFE_NO_PAD.encode(signature))
    }

    /// The requests for these events, which belong to so many conversations in turn. All cores work on them.
    pub(crate) fn batch(&self, form: Form, ids: Range<u64>, conversations: u64) -> Batch {
        let threads = std::thread::available_parallelism().map_or(1, usize::from) as u64;
        let share = (ids.end - ids.start).div_ceil(threads);
        let parts = std::thread::scope(|scope| {
            let work: Vec<_> = (0..threads)
                .map(|i| {
                    let from = (ids.start + i * share).min(ids.end);
                    let part = from..(from + share).min(ids.end);
                    scope.spawn(move || self.part(form, part, conversations))
                })
                .collect();
            let done = work.into_iter().filter_map(|thread| thread.join().ok());
            done.collect::<Vec<_>>()
        });
        let mut batch = Batch::empty(ids.start);
        for part in parts {
            let before = batch.bytes.len();
            batch.bytes.extend_from_slice(&part.bytes);
            batch.ends.extend(part.ends.iter().map(|end| before + end));
        }
        batch
    }

    fn part(&self, form: Form, ids: Range<u64>, conversations: u64) -> Batch {
        let mut batch = Batch::empty(ids.start);
        let now_ms = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_millis());
        for id in ids {
            let event = mark(id);
            let conversation = id % conversations.max(1);
            let body = json!({
                "eventType": "MESSAGE",
                "conversationId": format!("conversation-{conversation:07}"),
                "timestamp": now_ms as u64,
                "data": {
                    "sender": { "id": "agent-7", "type": "Agent", "name": "Robin" },
                    "text": format!("We have sent you another kettle; the number of the parcel is {event}."),
                },
            });
            let request = match form {
                Form::Signed => self.request(&event, now_ms, &body.to_string()),
                Form::Nchan => post(&format!("/pub/{CHANNEL}"), "", &body.to_string()),
                Form::Centrifugo => {
                    let command = json!({ "channel": CHANNEL, "data": body });
                    let key = format!("X-API-Key: {CENTRIFUGO_KEY}\r\n");
                    post("/api/publish", &key, &command.to_string())
                }
            };
            batch.bytes.extend_from_slice(request.as_bytes());
            batch.ends.push(batch.bytes.len());
        }
        batch
    }

    fn request(&self, event: &str, now_ms: u128, body: &str) -> String {
        let checksum = crc32fast::hash(body.as_bytes());
        let signature = self.sign(&payload(checksum, CUSTOMER, event, 0, TENANT, now_ms));
        let headers = format!(
            "x-8x8-tenant-id: {TENANT}\r\nx-8x8-customer-id: {CUSTOMER}\r\nx-8x8-event-id: {event}\r\n\
             x-8x8-transmission-time: {now_ms}\r\nx-8x8-retry: 0\r\nx-8x8-signature: {signature}\r\n"
        );
        post("/webhooks/8x8", &headers, body)
    }
}

/// What is signed of a delivery.
pub(crate) fn payload(
    checksum: u32,
    customer: &str,
    event: &str,
    retry: u32,
    tenant: &str,
    sent_ms: u128,
) -> String {
    format!(
        r#"{{"checksum":{checksum},"cid":"{customer}","eid":"{event}","retry":{retry},"tid":"{tenant}","tt":{sent_ms}}}"#
    )
}

fn post(path: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n{headers}Content-Length: {length}\r\n\r\n{body}"
    )
}

/// How an event says its number.
pub(crate) fn mark(id: u64) -> String {
    format!("bench-{id:0DIGITS$}")
}

/// The number of the event that some bytes are about.
pub(crate) fn event_in(bytes: &[u8]) -> Option<u64> {
    let start = memchr::memmem::find(bytes, MARK)? + MARK.len();
    let digits = bytes.get(start..start + DIGITS)?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// Requests, one behind the other.
pub(crate) struct Batch {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    /// The number of the first event.
    pub(crate) first: u64,
}

impl Batch {
    fn empty(first: u64) -> Self {
        Self {
            bytes: Vec::new(),
            ends: Vec::new(),
            first,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// One request.
    pub(crate) fn get(&self, i: usize) -> &[u8] {
        let start = i.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.bytes[start..self.ends[i]]
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn the_requests_of_a_batch_are_of_its_events_in_turn() {
        let signer = Signer::new();
        for form in [Form::Signed, Form::Nchan, Form::Centrifugo] {
            let batch = signer.batch(form, 5..12, 3);
            assert_eq!((batch.first, batch.len()), (5, 7));
            for i in 0..7 {
                let request = batch.get(i);
                assert!(request.starts_with(b"POST /"));
                assert!(request.ends_with(b"}"));
                assert_eq!(event_in(request), Some(5 + i as u64));
                let conversation = format!("conversation-{:07}", (5 + i) % 3);
                assert!(memchr::memmem::find(request, conversation.as_bytes()).is_some());
            }
        }
        assert_eq!(event_in(b"a heartbeat"), None);
        assert_eq!(event_in(b"bench-12"), None);
    }
}
