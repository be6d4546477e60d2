//! File names in `Content-Disposition` (RFC 6266), read as what they are: text from somewhere else.

use percent_encoding::percent_decode;

/// The longest name that is passed on, in bytes; file systems take no longer ones.
const NAME_LIMIT: usize = 255;

/// The name of a file without any path, where the header gives one; `filename*` goes before `filename`.
pub(in crate::gateway) fn file_name(header: &[u8]) -> Option<String> {
    let mut plain = None;
    let mut extended = None;
    let mut rest = after(header, b';')?;
    while !rest.is_empty() {
        let (name, value, next) = parameter(rest);
        rest = next;
        if name.eq_ignore_ascii_case(b"filename*") {
            extended = extended.or_else(|| extended_value(&value));
        } else if name.eq_ignore_ascii_case(b"filename") {
            plain = plain.or(Some(text(&value)));
        }
    }
    [extended, plain]
        .into_iter()
        .flatten()
        .find_map(|name| tame(&name))
}

/// What follows the first `separator`.
fn after(bytes: &[u8], separator: u8) -> Option<&[u8]> {
    let at = bytes.iter().position(|b| *b == separator)?;
    Some(&bytes[at + 1..])
}

/// One parameter: its name, its value without quotes, and what follows it.
fn parameter(bytes: &[u8]) -> (&[u8], Vec<u8>, &[u8]) {
    let end = bytes
        .iter()
        .position(|b| matches!(b, b'=' | b';'))
        .unwrap_or(bytes.len());
    let name = bytes[..end].trim_ascii();
    if bytes.get(end) != Some(&b'=') {
        return (name, Vec::new(), bytes.get(end + 1..).unwrap_or_default());
    }
    let value = bytes[end + 1..].trim_ascii_start();
    match value.strip_prefix(b"\"") {
        Some(quoted) => {
            let (value, rest) = unquote(quoted);
            (name, value, after(rest, b';').unwrap_or_default())
        }
        None => {
            let end = value.iter().position(|b| *b == b';').unwrap_or(value.len());
            let rest = value.get(end + 1..).unwrap_or_default();
            (name, value[..end].trim_ascii().to_vec(), rest)
        }
    }
}

/// A quoted text up to its closing quote, and what follows.
fn unquote(quoted: &[u8]) -> (Vec<u8>, &[u8]) {
    let mut out = Vec::new();
    let mut bytes = quoted.iter().enumerate();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'"' => return (out, &quoted[at + 1..]),
            // Some servers write paths with lone backslashes; either way the path is cut off.
            b'\\' => out.extend(bytes.next().map(|(_, escaped)| *escaped)),
            _ => out.push(*byte),
        }
    }
    (out, &[])
}

/// A value with its character set, such as `UTF-8''na%C3%AFve.txt` (RFC 8187).
fn extended_value(value: &[u8]) -> Option<String> {
    let mut parts = value.splitn(3, |b| *b == b'\'');
    let (charset, _, encoded) = (parts.next()?, parts.next()?, parts.next()?);
    let decoded: Vec<u8> = percent_decode(encoded).collect();
    if charset.eq_ignore_ascii_case(b"utf-8") {
        String::from_utf8(decoded).ok()
    } else if charset.eq_ignore_ascii_case(b"iso-8859-1") {
        Some(latin1(&decoded))
    } else {
        None
    }
}

/// A plain value: UTF-8 as most servers write it, else what the standard says.
fn text(value: &[u8]) -> String {
    String::from_utf8(value.to_vec()).unwrap_or_else(|_| latin1(value))
}

fn latin1(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

/// The last segment of a path, without control characters, not too long; nothing where nothing is left of it.
fn tame(name: &str) -> Option<String> {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let clean: String = last.chars().filter(|c| !c.is_control()).collect();
    let clean = clean.trim();
    // The cut may lay another space bare, with which the name would not be the same once more.
    let cut = clean[..clean.floor_char_boundary(NAME_LIMIT)].trim_end();
    (!cut.trim_matches(['.', ' ']).is_empty()).then(|| cut.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("attachment; filename=plain.txt", "plain.txt")]
    #[case(
        "attachment; filename=\"with space; and = more.txt\"",
        "with space; and = more.txt"
    )]
    #[case("attachment; filename=\"a \\\"quoted\\\" name.txt\"", "a \"quoted\" name.txt")]
    #[case("inline;FILENAME=\"upper.txt\"", "upper.txt")]
    #[case("attachment ; size=7 ;  filename = loose.txt ; x=y", "loose.txt")]
    #[case("attachment; filename*=UTF-8''na%C3%AFve%20%E2%82%AC.txt", "naïve €.txt")]
    #[case("attachment; filename*=utf-8'en'a%20b.txt", "a b.txt")]
    #[case("attachment; filename*=ISO-8859-1''%A3.txt", "£.txt")]
    #[case(
        "attachment; filename=\"fallback.txt\"; filename*=UTF-8''r%C3%A9al.txt",
        "réal.txt"
    )]
    #[case(
        "attachment; filename*=UTF-8''r%C3%A9al.txt; filename=\"fallback.txt\"",
        "réal.txt"
    )]
    #[case("attachment; filename*=UTF-8''%FF; filename=\"fallback.txt\"", "fallback.txt")]
    #[case("attachment; filename*=UTF-16''x; filename=\"fallback.txt\"", "fallback.txt")]
    #[case(
        "attachment; filename*=UTF-8''%2E%2E; filename=\"fallback.txt\"",
        "fallback.txt"
    )]
    #[case("attachment; filename=\"raw ünï.txt\"", "raw ünï.txt")]
    #[case("attachment; filename=\"../../etc/passwd\"", "passwd")]
    #[case("attachment; filename=\"C:\\\\Windows\\\\evil.exe\"", "evil.exe")]
    #[case("attachment; filename*=UTF-8''..%2F..%2Fetc%2Fpasswd", "passwd")]
    #[case("attachment; filename*=UTF-8''a%0D%0Ab%00.txt", "ab.txt")]
    #[case("attachment; filename=\"unclosed.txt", "unclosed.txt")]
    #[case("attachment; filename=first.txt; filename=second.txt", "first.txt")]
    fn names_are_read(#[case] header: &str, #[case] expected: &str) {
        assert_eq!(file_name(header.as_bytes()).as_deref(), Some(expected));
    }

    #[rstest]
    #[case("")]
    #[case("attachment")]
    #[case("attachment;")]
    #[case("attachment; filename")]
    #[case("attachment; filename=")]
    #[case("attachment; filename=\"\"")]
    #[case("attachment; filename=\"..\"")]
    #[case("attachment; filename=\"dir/\"")]
    #[case("attachment; filename=\" . \"")]
    #[case("attachment; filename*=x.txt")]
    #[case("attachment; filename*=UTF-8'")]
    #[case("filename=at-the-wrong-place.txt")]
    fn no_name_is_no_name(#[case] header: &str) {
        assert_eq!(file_name(header.as_bytes()), None);
    }

    #[test]
    fn latin_1_is_read_where_it_is_no_utf_8() {
        assert_eq!(
            file_name(b"attachment; filename=\"caf\xe9.txt\"").as_deref(),
            Some("café.txt")
        );
    }

    #[test]
    fn an_endless_name_is_cut() {
        let header = format!("attachment; filename=\"{}\"", "ü".repeat(5000));
        let name = file_name(header.as_bytes()).unwrap();
        assert_eq!(name.len(), 254);
    }

    #[test]
    fn a_name_that_is_cut_at_a_space_does_not_end_with_it() {
        let header = format!("attachment; filename=\"{} .txt\"", "a".repeat(254));
        assert_eq!(file_name(header.as_bytes()), Some("a".repeat(254)));
    }

    fn is_tame(name: &str) -> bool {
        !name.is_empty()
            && name.len() <= NAME_LIMIT
            && !matches!(name, "." | "..")
            && !name.contains(['/', '\\'])
            && !name.chars().any(char::is_control)
            && name.trim() == name
    }

    proptest! {
        #[test]
        fn any_header_is_tamed(header in any::<Vec<u8>>()) {
            prop_assert!(file_name(&header).is_none_or(|name| is_tame(&name)));
        }

        #[test]
        fn anything_like_a_header_is_tamed(value in "[;=\"'\\\\/%.*a-f0-9ü \r\n\0-]{0,40}", star in any::<bool>()) {
            let name = if star { "filename*=UTF-8''" } else { "filename=" };
            let header = format!("attachment; {name}{value}");
            prop_assert!(file_name(header.as_bytes()).is_none_or(|name| is_tame(&name)));
        }
    }
}
