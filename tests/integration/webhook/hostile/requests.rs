//! Requests whose signature is well-formed and whose rest is not right.

use super::*;

pub(super) fn requests() -> Vec<(&'static str, Delivery, Refusal)> {
    use Refusal::{
        BadSignature, DuplicateHeader, MalformedHeader, MissingHeader, Stale, TooLarge, UnknownTenant,
    };
    let window_ms = 300_000;
    vec![
        ("stale", sent_at(NOW_MS - window_ms - 1), Stale),
        ("from the future", sent_at(NOW_MS + window_ms + 1), Stale),
        ("from the beginning of time", sent_at(0), Stale),
        (
            "transmission time changed",
            then_set("x-8x8-transmission-time", (NOW_MS + 1).to_string()),
            BadSignature,
        ),
        ("retry changed", then_set("x-8x8-retry", "1"), BadSignature),
        (
            "event id swapped",
            then_set("x-8x8-event-id", "event-2"),
            BadSignature,
        ),
        (
            "customer changed",
            then_set("x-8x8-customer-id", "customer02"),
            BadSignature,
        ),
        (
            "tenant changed to another that is served",
            then_set("x-8x8-tenant-id", "tenant02"),
            BadSignature,
        ),
        (
            "tenant that is not served",
            Plan {
                tenant: "tenant03".into(),
                ..plan()
            }
            .signed(),
            UnknownTenant,
        ),
        (
            "tenant in another case",
            Plan {
                tenant: "TENANT01".into(),
                ..plan()
            }
            .signed(),
            UnknownTenant,
        ),
        (
            "one byte of the body changed",
            then(|d| d.body[40] ^= 1),
            BadSignature,
        ),
        (
            "body with white space behind",
            then(|d| d.body.push(b' ')),
            BadSignature,
        ),
        ("body cut", then(|d| d.body.truncate(50)), BadSignature),
        ("no body", then(|d| d.body.clear()), BadSignature),
        (
            "body over the limit",
            then(|d| d.body = vec![b' '; 5001]),
            TooLarge,
        ),
        (
            "body over the limit that does not say so",
            then(|d| {
                d.body = vec![b' '; 5001];
                d.chunked = true;
            }),
            TooLarge,
        ),
        ("no signature", without("x-8x8-signature"), MissingHeader),
        (
            "no signature and a long body",
            then(|d| {
                d.headers.clear();
                d.body = vec![b' '; 4999];
            }),
            MissingHeader,
        ),
        ("no header at all", then(|d| d.headers.clear()), MissingHeader),
        ("no tenant", without("x-8x8-tenant-id"), MissingHeader),
        ("no customer", without("x-8x8-customer-id"), MissingHeader),
        ("no event id", without("x-8x8-event-id"), MissingHeader),
        (
            "no transmission time",
            without("x-8x8-transmission-time"),
            MissingHeader,
        ),
        ("no retry", without("x-8x8-retry"), MissingHeader),
        ("two signatures", twice("x-8x8-signature"), DuplicateHeader),
        ("two tenants", twice("x-8x8-tenant-id"), DuplicateHeader),
        ("two customers", twice("x-8x8-customer-id"), DuplicateHeader),
        ("two event ids", twice("x-8x8-event-id"), DuplicateHeader),
        (
            "two transmission times",
            twice("x-8x8-transmission-time"),
            DuplicateHeader,
        ),
        ("two retries", twice("x-8x8-retry"), DuplicateHeader),
        (
            "event id that is not text",
            then_set("x-8x8-event-id", b"event\xff"),
            MalformedHeader,
        ),
        (
            "event id that writes JSON",
            Plan {
                event: r#"x","retry":0,"tid":"tenant01"#.into(),
                ..plan()
            }
            .signed(),
            MalformedHeader,
        ),
        (
            "event id with a backslash",
            Plan {
                event: r"a\\b".into(),
                ..plan()
            }
            .signed(),
            MalformedHeader,
        ),
        (
            "event id with a space",
            Plan {
                event: "a b".into(),
                ..plan()
            }
            .signed(),
            MalformedHeader,
        ),
        (
            "event id of 257 bytes",
            Plan {
                event: "e".repeat(257),
                ..plan()
            }
            .signed(),
            MalformedHeader,
        ),
        (
            "empty event id",
            Plan {
                event: String::new(),
                ..plan()
            }
            .signed(),
            MalformedHeader,
        ),
        (
            "empty tenant",
            Plan {
                tenant: String::new(),
                ..plan()
            }
            .signed(),
            MalformedHeader,
        ),
        (
            "customer that is not ASCII",
            then_set("x-8x8-customer-id", "Zoë"),
            MalformedHeader,
        ),
        (
            "transmission time with a sign",
            then_set("x-8x8-transmission-time", format!("+{NOW_MS}")),
            MalformedHeader,
        ),
        (
            "transmission time with a zero in front",
            then_set("x-8x8-transmission-time", format!("0{NOW_MS}")),
            MalformedHeader,
        ),
        (
            "transmission time beyond 64 bits",
            then_set("x-8x8-transmission-time", "9".repeat(20)),
            MalformedHeader,
        ),
        (
            "transmission time as a date",
            then_set("x-8x8-transmission-time", "2021-08-24T11:29:37Z"),
            MalformedHeader,
        ),
        ("negative retry", then_set("x-8x8-retry", "-1"), MalformedHeader),
        (
            "retry beyond 32 bits",
            then_set("x-8x8-retry", "4294967296"),
            MalformedHeader,
        ),
        (
            "retry that writes JSON",
            then_set("x-8x8-retry", r#"0,"x":1"#),
            MalformedHeader,
        ),
    ]
}
