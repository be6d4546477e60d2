//! What can be a name.

/// The longest name, in bytes.
const NAME_BYTES_MAX: usize = 256;

/// A name as a source gives it, trimmed; empty where the source gives none. `None` for what cannot be a name: it is too
/// long, or has control characters, which would let one name look like several lines of a chat or a log.
pub(super) fn read(given: &str) -> Option<&str> {
    let name = given.trim();
    (name.len() <= NAME_BYTES_MAX && !name.chars().any(char::is_control)).then_some(name)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("Maria", Some("Maria"))]
    #[case(" \t Zoë  Ågren\r\n", Some("Zoë  Ågren"))]
    #[case("", Some(""))]
    #[case(" \n ", Some(""))]
    #[case("Maria\nroot: hello", None)]
    #[case("Maria\u{0}", None)]
    #[case("\u{1b}[31mMaria", None)]
    #[case("Maria\u{85}Ivan", None)]
    fn names_are_trimmed_and_have_no_control_characters(#[case] given: &str, #[case] name: Option<&str>) {
        assert_eq!(read(given), name);
    }

    #[test]
    fn a_name_has_at_most_256_bytes_once_trimmed() {
        let longest = "é".repeat(128);
        assert_eq!(read(&format!("  {longest}  ")), Some(longest.as_str()));
        assert_eq!(read(&format!("{longest}x")), None);
    }
}
