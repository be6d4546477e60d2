//! What others send that is no request, or comes from where nothing may come from.

use std::time::Duration;

use chatbridge::{
    server::webhooks::WebhookPort,
    webhook::{ForwardedHeader, IngressSettings, RateLimits, Refusal, SeatLimits, Sources},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::{
    super::{
        door::{Door, settings, until},
        refused, taken,
    },
    plan, signed, then_set,
};

/// How long the head of a request may take here.
const HEAD: Duration = Duration::from_millis(400);

fn impatient() -> WebhookPort {
    WebhookPort {
        seats: SeatLimits {
            head: HEAD,
            idle: HEAD * 4,
            ..SeatLimits::default()
        },
        ..WebhookPort::default()
    }
}

/// Sends bytes and answers what comes back until the connection is closed: the status, or 0 where nothing came.
async fn raw(door: &Door, bytes: &[u8]) -> u16 {
    let mut stream = TcpStream::connect(door.address).await.unwrap();
    // It may be closed before all of it was taken.
    let _ = stream.write_all(bytes).await;
    let mut answer = Vec::new();
    let reading = stream.read_to_end(&mut answer);
    let _ = tokio::time::timeout(Duration::from_secs(10), reading)
        .await
        .expect("the connection is closed");
    status(&answer)
}

fn status(answer: &[u8]) -> u16 {
    let text = String::from_utf8_lossy(answer);
    let rest = text
        .strip_prefix("HTTP/1.1 ")
        .or_else(|| text.strip_prefix("HTTP/1.0 "));
    let status = rest.and_then(|rest| rest.get(..3));
    status.map_or(0, |status| status.parse().unwrap())
}

fn post(headers: &str, body: &str) -> Vec<u8> {
    format!("POST /webhooks/8x8 HTTP/1.1\r\nhost: door\r\nconnection: close\r\n{headers}\r\n{body}")
        .into_bytes()
}

/// Bytes, the status that they are answered with (0: none), and what they are counted as.
fn requests() -> Vec<(&'static str, Vec<u8>, u16, &'static str)> {
    let many = |count: usize| "x-a: b\r\n".repeat(count);
    vec![
        (
            "a greeting of TLS",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n".into(),
            400,
            "malformed_request",
        ),
        (
            "a greeting of HTTP/2",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".into(),
            0,
            "malformed_request",
        ),
        (
            "HTTP/0.9",
            b"GET /webhooks/8x8\r\n\r\n".into(),
            400,
            "malformed_request",
        ),
        (
            "HTTP/3.0",
            b"POST /webhooks/8x8 HTTP/3.0\r\n\r\n".into(),
            400,
            "malformed_request",
        ),
        (
            "no method",
            b" /webhooks/8x8 HTTP/1.1\r\n\r\n".into(),
            400,
            "malformed_request",
        ),
        (
            "a method of brackets",
            b"P(ST /webhooks/8x8 HTTP/1.1\r\n\r\n".into(),
            400,
            "malformed_request",
        ),
        (
            "a path with a control character",
            b"POST /webhooks/8x8\x01 HTTP/1.1\r\n\r\n".into(),
            400,
            "malformed_request",
        ),
        (
            "a header without a colon",
            post("nonsense\r\n", ""),
            400,
            "malformed_request",
        ),
        (
            "a header name with a space",
            post("x y: z\r\n", ""),
            400,
            "malformed_request",
        ),
        (
            "a header with a zero in it",
            post("x: a\0b\r\n", ""),
            400,
            "malformed_request",
        ),
        (
            "a folded header",
            post("x: a\r\n b\r\n", ""),
            400,
            "malformed_request",
        ),
        (
            "a length that is no number",
            post("content-length: many\r\n", ""),
            400,
            "malformed_request",
        ),
        (
            "a negative length",
            post("content-length: -1\r\n", ""),
            400,
            "malformed_request",
        ),
        (
            "two lengths",
            post("content-length: 1\r\ncontent-length: 2\r\n", "ab"),
            400,
            "malformed_request",
        ),
        (
            "a length beyond 64 bits",
            post("content-length: 99999999999999999999\r\n", ""),
            400,
            "malformed_request",
        ),
        (
            "an encoding that is not chunked",
            post("transfer-encoding: gzip\r\n", ""),
            400,
            "malformed_request",
        ),
        (
            "a header of 17 KiB",
            post(&format!("x: {}\r\n", "a".repeat(17 << 10)), ""),
            431,
            "head_too_large",
        ),
        ("101 headers", post(&many(100), ""), 431, "head_too_large"),
        ("100,000 headers", post(&many(100_000), ""), 431, "head_too_large"),
        (
            "a path of 17 KiB",
            format!("POST /{} HTTP/1.1\r\n\r\n", "a".repeat(17 << 10)).into_bytes(),
            431,
            "head_too_large",
        ),
        (
            "a head that never ends",
            b"POST /webhooks/8x8 HTTP/1.1\r\nhost: d".into(),
            408,
            "head_timeout",
        ),
        ("a byte", b"P".into(), 408, "head_timeout"),
        (
            "another authority by CONNECT",
            b"CONNECT example.org:443 HTTP/1.1\r\nconnection: close\r\n\r\n".into(),
            404,
            "not_found",
        ),
        (
            "a length of more than may be",
            post("content-length: 18446744073709551615\r\n", "a"),
            431,
            "head_too_large",
        ),
        (
            "a length of a TiB",
            post("content-length: 1099511627776\r\n", "a"),
            413,
            "too_large",
        ),
        (
            "a chunk whose size is no number",
            post("transfer-encoding: chunked\r\n", "zz\r\n"),
            400,
            "body_broken",
        ),
        (
            "a chunk whose size overflows",
            post("transfer-encoding: chunked\r\n", "fffffffffffffffff\r\n"),
            400,
            "body_broken",
        ),
        (
            "a chunk without an end",
            post("transfer-encoding: chunked\r\n", "1\r\naXY\r\n"),
            400,
            "body_broken",
        ),
        (
            "a chunk with an extension of 20 KiB",
            post(
                "transfer-encoding: chunked\r\n",
                &format!("1;{}\r\na\r\n", "x".repeat(20 << 10)),
            ),
            400,
            "body_broken",
        ),
        (
            "an unsigned nothing",
            post("content-length: 0\r\n", ""),
            400,
            "missing_header",
        ),
        (
            "HTTP/1.0 without anything",
            b"POST /webhooks/8x8 HTTP/1.0\r\n\r\n".into(),
            400,
            "missing_header",
        ),
    ]
}

#[tokio::test]
async fn what_is_no_request_is_answered_4xx_or_not_at_all_and_counted() {
    let door = Door::open_at(settings(), impatient()).await;
    let cases = requests();
    assert!(cases.len() >= 30, "{} cases", cases.len());
    for (name, bytes, expected, reason) in cases {
        let before = door.counts();
        let status = raw(&door, &bytes).await;
        assert_eq!(status, expected, "{name}");
        let counted: Vec<_> = door
            .counts()
            .into_iter()
            .filter(|(result, count)| *count != before.get(result).copied().unwrap_or(0))
            .collect();
        assert_eq!(counted.len(), 1, "{name}: {counted:?}");
        assert_eq!(counted[0].0, reason, "{name}");
    }
    assert_eq!((door.store.appended().len(), door.keys.fetches()), (0, 0));
    assert_eq!(door.result(&signed()).await, taken("accepted"));
}

#[tokio::test]
async fn a_silence_after_a_webhook_is_borne_longer_than_one_before_it() {
    let door = Door::open_at(settings(), impatient()).await;
    let mut stream = TcpStream::connect(door.address).await.unwrap();
    let begun = std::time::Instant::now();
    stream
        .write_all(b"GET /nowhere HTTP/1.1\r\nhost: d\r\n\r\n")
        .await
        .unwrap();
    let mut answer = Vec::new();
    let reading = stream.read_to_end(&mut answer);
    let read = tokio::time::timeout(Duration::from_secs(10), reading).await;
    read.expect("it is closed in the end").unwrap();
    assert!(begun.elapsed() >= HEAD * 4, "{:?}", begun.elapsed());
    assert_eq!(status(&answer), 404);
    assert_eq!(
        String::from_utf8_lossy(&answer).matches("HTTP/1.1").count(),
        1,
        "it is closed without a word"
    );
    assert!(!door.counts().contains_key("head_timeout"));
}

fn from(allowed: &[&str], proxies: &[&str]) -> IngressSettings {
    let networks = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
    IngressSettings {
        sources: Sources {
            allowed: networks(allowed),
            proxies: networks(proxies),
            header: ForwardedHeader::XForwardedFor,
        },
        ..settings()
    }
}

#[tokio::test]
async fn only_allowed_addresses_get_in_and_only_trusted_proxies_say_which_those_are() {
    // This machine is nobody: it is not even listened to.
    let door = Door::open_with(from(&["192.0.2.0/24"], &[])).await;
    let forwarded = then_set("x-forwarded-for", "192.0.2.1");
    let mut stream = TcpStream::connect(door.address).await.unwrap();
    assert_eq!(stream.read(&mut [0; 1]).await.unwrap_or(0), 0);
    until("it is counted", || {
        door.counts().get("address_not_allowed") == Some(&1)
    })
    .await;
    drop(door);

    let door = Door::open_with(from(&["192.0.2.0/24"], &["127.0.0.0/8"])).await;
    for (name, forwarded, expected) in [
        ("nothing", None, refused(Refusal::AddressNotAllowed)),
        (
            "another",
            Some("203.0.113.1"),
            refused(Refusal::AddressNotAllowed),
        ),
        (
            "a claim before another",
            Some("192.0.2.1, 203.0.113.1"),
            refused(Refusal::AddressNotAllowed),
        ),
        (
            "no address",
            Some("192.0.2.1, somewhere"),
            refused(Refusal::MalformedHeader),
        ),
        (
            "the proxy itself",
            Some("127.0.0.9"),
            refused(Refusal::AddressNotAllowed),
        ),
    ] {
        let delivery = forwarded.map_or_else(signed, |value| then_set("x-forwarded-for", value));
        assert_eq!(door.result(&delivery).await, expected, "{name}");
    }
    // Whatever is asked for.
    let mut elsewhere = signed();
    elsewhere.path = "/elsewhere".into();
    assert_eq!(door.result(&elsewhere).await, refused(Refusal::AddressNotAllowed));
    assert_eq!((door.store.appended().len(), door.keys.fetches()), (0, 0));
    assert_eq!(door.result(&forwarded).await, taken("accepted"));
    let log = door.log.take();
    let warned = log.lines().filter(|line| line.contains("WARN"));
    // Of what a trusted proxy says; anybody could fill the log with the rest.
    assert_eq!(warned.count(), 1, "{log}");
}

#[tokio::test]
async fn whoever_sends_too_much_is_turned_away_and_others_are_not() {
    let rate = std::num::NonZeroU32::new(3);
    let door = Door::open_with(IngressSettings {
        rates: RateLimits {
            per_source: rate,
            per_tenant: None,
        },
        ..from(&[], &["127.0.0.0/8"])
    })
    .await;
    let mut results = Vec::new();
    for n in 0..6 {
        let mut delivery = super::Plan::new(&format!("event-{n}"), super::message("c1", "Hello")).signed();
        delivery.set("x-forwarded-for", "192.0.2.1");
        results.push(door.result(&delivery).await);
    }
    assert_eq!(results[..3], vec![taken("accepted"); 3]);
    // A slow machine may have earned one more meanwhile.
    assert!(
        results[3..].contains(&refused(Refusal::SourceRate)),
        "{results:?}"
    );
    let other = then_set("x-forwarded-for", "192.0.2.2");
    let response = door.send(&other).await;
    assert_eq!(response.status(), 204);
}

#[tokio::test]
async fn only_what_the_vendor_signed_counts_for_a_tenant() {
    let rate = std::num::NonZeroU32::new(2);
    let door = Door::open_with(IngressSettings {
        rates: RateLimits {
            per_source: None,
            per_tenant: rate,
        },
        ..settings()
    })
    .await;
    for _ in 0..20 {
        let forged = plan().signed_by(super::stranger());
        assert_eq!(door.result(&forged).await, refused(Refusal::BadSignature));
    }
    let genuine = |n| super::Plan::new(&format!("event-{n}"), super::message("c1", "Hello")).signed();
    assert_eq!(door.result(&genuine(0)).await, taken("accepted"));
    assert_eq!(door.result(&genuine(1)).await, taken("accepted"));
    let mut refusals = 0;
    for n in 2..8 {
        let response = door.send(&genuine(n)).await;
        if response.status() == 429 {
            assert_eq!(response.headers()["retry-after"], "5");
            refusals += 1;
        }
    }
    assert!(refusals >= 3, "{refusals}");
    let mut other = super::Plan::new("event-9", super::message("c1", "Hello"));
    other.tenant = "tenant02".into();
    assert_eq!(door.result(&other.signed()).await, taken("accepted"));
}
