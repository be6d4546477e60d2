//! The signature header and those that it signs. Input: lines of `name: value`, an empty line, the raw body.
//!
//! A request is taken for signed if and only if it is one of the deliveries that were: nothing that anybody makes of them is,
//! but for other bodies with the same CRC-32, which is known and dealt with behind this.

use std::time::Duration;

use bytes::Bytes;
use chatbridge::webhook::{Refusal, Verified, fuzzing::traceparent, signature::Claimed};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::signed::{HEADERS, deliveries, key};

/// Checks one input.
pub fn check(input: &[u8]) {
    verifies(input);
}

/// Checks one input, and says whether it was taken for signed.
pub fn verifies(input: &[u8]) -> bool {
    let Some((headers, body)) = request(input) else {
        return false;
    };
    if let Some(context) = traceparent(&headers) {
        assert!(context.len() == 55 && context.starts_with("00-"));
    }
    let is_signed = is_signed(&headers, body);
    let claimed = match Claimed::read(&headers) {
        Ok(claimed) => claimed,
        Err(refusal) => {
            assert!(!is_signed, "{refusal:?}");
            // 8x8 delivers again on 5xx: headers that cannot be read are never better the second time.
            assert!(refusal.status().is_client_error(), "{refusal:?}");
            return false;
        }
    };
    tame(&claimed);
    let sent_ms = headers[&HEADERS[3]].to_str().unwrap().parse().unwrap();
    freshness(&claimed, sent_ms);
    let fresh = claimed.fresh(sent_ms, Duration::ZERO).unwrap();
    match fresh.verify(key(), Bytes::copy_from_slice(body)) {
        Ok(verified) => {
            assert!(is_signed, "forged");
            same(&verified, &headers, body);
        }
        Err(refusal) => assert!(!is_signed && refusal == Refusal::BadSignature),
    }
    is_signed
}

/// Takes an input apart. `None`: it holds a header that HTTP does not allow, so the door never sees it.
fn request(input: &[u8]) -> Option<(HeaderMap, &[u8])> {
    let end = input.windows(2).position(|pair| pair == b"\n\n")?;
    let mut headers = HeaderMap::new();
    for line in input[..end].split(|b| *b == b'\n') {
        let colon = line.windows(2).position(|pair| pair == b": ")?;
        let name = HeaderName::from_bytes(&line[..colon]).ok()?;
        headers.append(name, HeaderValue::from_bytes(&line[colon + 2..]).ok()?);
    }
    Some((headers, &input[end + 2..]))
}

/// Whether each of the headers is there once, as in a delivery that was signed, whose body has the same checksum.
fn is_signed(headers: &HeaderMap, body: &[u8]) -> bool {
    let checksum = crc32fast::hash(body);
    deliveries().iter().any(|delivery| {
        let mut pairs = HEADERS.iter().zip(&delivery.headers);
        crc32fast::hash(&delivery.body) == checksum
            && pairs.all(|(name, value)| headers.get_all(name).iter().eq([value.as_str()]))
    })
}

/// What is not trusted yet may be logged, and become part of a URL.
fn tame(claimed: &Claimed) {
    let is_word = |text: &str, bytes_max: usize, others: &str| {
        (1..=bytes_max).contains(&text.len())
            && text
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || others.contains(c))
    };
    assert!(is_word(claimed.kid(), 128, "-_"));
    assert!(is_word(claimed.tenant(), 256, "-._~:@+=/|,"));
    assert!(is_word(claimed.event(), 256, "-._~:@+=/|,"));
}

/// The window is as wide as it says, on both sides.
fn freshness(claimed: &Claimed, sent_ms: i64) {
    let window = Duration::from_millis(300_000);
    for (away_ms, is_fresh) in [
        (300_000, true),
        (-300_000, true),
        (300_001, false),
        (-300_001, false),
    ] {
        let fresh = claimed.clone().fresh(sent_ms + away_ms, window);
        assert_eq!(fresh.is_ok(), is_fresh, "{away_ms} ms away");
    }
}

/// What was verified is what was sent.
fn same(verified: &Verified, headers: &HeaderMap, body: &[u8]) {
    let (sent_ms, retry) = (
        verified.transmitted_ms().to_string(),
        verified.retry().to_string(),
    );
    let found = [
        verified.tenant(),
        verified.customer(),
        verified.event(),
        &sent_ms,
        &retry,
    ];
    for (name, found) in HEADERS.iter().zip(found) {
        assert_eq!(headers[name], found);
    }
    assert_eq!(verified.body(), body);
}
