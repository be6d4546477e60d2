//! Bodies that are not quite JSON: what can still be read of them.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::{Map, Value};

use crate::json::Plain;

/// Members of the envelope that say what an event belongs to.
const KEPT: [&str; 3] = ["eventType", "conversationId", "timestamp"];

/// Reads the envelope's own members and skips all others, up to where the body stops being JSON. What is skipped may be
/// nested to any depth and hold numbers and text that nobody could represent.
pub(super) fn members(body: &[u8]) -> Map<String, Value> {
    let mut members = Map::new();
    // An error only says where reading ended, and the caller knows already that it does.
    let _ = Seed(&mut members).deserialize(&mut serde_json::Deserializer::from_slice(body));
    members
}

struct Seed<'a>(&'a mut Map<String, Value>);

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            if KEPT.contains(&key.as_str()) {
                let Plain(value) = map.next_value()?;
                self.0.insert(key, value);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

/// Replaces what is not Unicode by U+FFFD: bytes that are not UTF-8, and escapes of half a character, which come of text
/// that was cut by UTF-16 units. `None`: there is nothing to replace.
pub(super) fn mend(body: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(body);
    let mut mended = String::with_capacity(text.len());
    let mut rest = text.as_ref();
    while let Some(at) = rest.find('\\') {
        mended.push_str(&rest[..at]);
        let (kept, used) = escape(&rest[at..]);
        mended.push_str(kept);
        rest = &rest[at + used..];
    }
    mended.push_str(rest);
    (mended.as_bytes() != body).then_some(mended)
}

/// What stands for the escape that `text` starts with, and how many bytes of `text` it takes.
fn escape(text: &str) -> (&str, usize) {
    let unit = |from: usize| {
        let hex = text.get(from..from + 6)?.strip_prefix("\\u")?;
        u16::from_str_radix(hex, 16).ok()
    };
    match (unit(0), unit(6)) {
        (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => (&text[..12], 12),
        (Some(0xd800..=0xdfff), _) => ("\\ufffd", 6),
        // A backslash and the character behind it, so that an escaped backslash does not start another escape.
        _ => {
            let used = 1 + text[1..].chars().next().map_or(0, char::len_utf8);
            (&text[..used], used)
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn members_are_read_up_to_where_the_body_breaks() {
        let deep = format!(
            r#"{{"data":{}{},"conversationId":"c1"}}"#,
            "[".repeat(5000),
            "]".repeat(5000)
        );
        assert_eq!(members(deep.as_bytes())["conversationId"], "c1");
        let huge =
            b"{\"data\":1e999,\"more\":\"\\ud83d \xff\",\"eventType\":\"MESSAGE\",\"conversationId\":7}";
        assert_eq!(
            Value::Object(members(huge)),
            json!({ "eventType": "MESSAGE", "conversationId": 7 })
        );
        let cut = br#"{"conversationId":"c1","data":{"te"#;
        assert_eq!(members(cut)["conversationId"], "c1");
        assert!(members(b"[\"conversationId\",\"c1\"]").is_empty());
        assert!(members(b"").is_empty());
    }

    #[test]
    fn half_characters_are_replaced_and_whole_ones_stay() {
        let cases: [(&[u8], Option<&str>); 8] = [
            (br#"{"a":"\ud83d\ude00"}"#, None),
            (br#"{"a":"\ud83d"}"#, Some(r#"{"a":"\ufffd"}"#)),
            (
                br#"{"a":"\ude00\ud83d\ude00"}"#,
                Some(r#"{"a":"\ufffd\ud83d\ude00"}"#),
            ),
            (
                br#"{"a":"\ud83d\ud83d\ude00"}"#,
                Some(r#"{"a":"\ufffd\ud83d\ude00"}"#),
            ),
            (br#"{"a":"\\ud83d"}"#, None),
            (br#"{"a":"\\\ud83d"}"#, Some(r#"{"a":"\\\ufffd"}"#)),
            (b"{\"a\":\"\xff\"}", Some("{\"a\":\"\u{fffd}\"}")),
            (b"\\", None),
        ];
        for (body, mended) in cases {
            assert_eq!(mend(body).as_deref(), mended, "{}", String::from_utf8_lossy(body));
        }
    }

    proptest! {
        #[test]
        fn any_bytes_can_be_mended(body in prop::collection::vec(any::<u8>(), 0..200), text in r#"(\\|u|d8|dc|00|[a-f0-9"é]){0,40}"#) {
            for body in [&body[..], text.as_bytes()] {
                let mended = mend(body);
                prop_assert!(mended.is_none_or(|m| mend(m.as_bytes()).is_none()));
            }
        }

        #[test]
        fn whatever_units_a_text_is_cut_into_it_can_be_read(units in prop::collection::vec(any::<u16>(), 0..40)) {
            let escaped: String = units.iter().map(|u| format!("\\u{u:04x}")).collect();
            let body = format!("\"{escaped}\"");
            let text = mend(body.as_bytes()).unwrap_or(body);
            let read: Result<String, _> = serde_json::from_str(&text);
            prop_assert_eq!(read.ok(), Some(String::from_utf16_lossy(&units)));
        }
    }
}
