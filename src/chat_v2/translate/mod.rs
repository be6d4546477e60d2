//! v2's words to ours and back. Nothing here asks anybody.

pub(super) mod channel;
pub(super) mod conversation;
pub(super) mod customer;
pub(super) mod event;
pub(super) mod message;
pub(super) mod webhook;

use jiff::Timestamp;

/// A time as v2 writes it, such as `2020-08-05T11:55:00.592Z`; empty where there is none.
fn iso(unix_ms: Option<i64>) -> Option<String> {
    let time = Timestamp::from_millisecond(unix_ms?).ok()?;
    Some(time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string())
}

#[cfg(test)]
mod tests {
    #[test]
    fn times_have_milliseconds_always() {
        let iso = |ms| super::iso(Some(ms)).unwrap_or_default();
        assert_eq!(iso(1_596_628_500_592), "2020-08-05T11:55:00.592Z");
        assert_eq!(iso(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(super::iso(None), None);
    }
}
