//! Text from others, made harmless for a terminal.

use std::borrow::Cow;

/// Shows what would steer a terminal or reorder text as an escape (`\n`, `\u{1b}`), so that what somebody wrote can
/// neither move the cursor, nor retitle the window, nor pass for another line.
pub(crate) fn escape(text: &str) -> Cow<'_, str> {
    if !text.contains(steers) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match steers(c) {
            true => shown.extend(c.escape_default()),
            false => shown.push(c),
        }
    }
    Cow::Owned(shown)
}

/// Whether a terminal would act on this character instead of showing it: control characters (C0, DEL, C1), line and
/// paragraph separators, and what changes the direction of text (Unicode's "Trojan source" characters).
pub(super) fn steers(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{200e}' | '\u{200f}' | '\u{061c}')
        || ('\u{202a}'..='\u{202e}').contains(&c)
        || ('\u{2066}'..='\u{2069}').contains(&c)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[rstest::rstest]
    #[case("plain, ünïcode 漢字 🫖", "plain, ünïcode 漢字 🫖")]
    #[case("two\nlines\r\n\ttab", "two\\nlines\\r\\n\\ttab")]
    #[case("\u{1b}]0;title\u{7}", "\\u{1b}]0;title\\u{7}")]
    #[case("\u{9b}2J\u{7f}", "\\u{9b}2J\\u{7f}")]
    #[case("\u{202e}desrever", "\\u{202e}desrever")]
    fn what_steers_is_shown(#[case] given: &str, #[case] expected: &str) {
        assert_eq!(escape(given), expected);
    }

    proptest! {
        #[test]
        fn nothing_steers_afterwards(text in any::<String>()) {
            prop_assert!(!escape(&text).contains(steers));
        }

        #[test]
        fn what_does_not_steer_is_left_alone(text in "[^\\p{C}\u{2028}\u{2029}]*") {
            prop_assert_eq!(escape(&text), text.as_str());
        }
    }
}
