//! Addresses: identifiers from callers and from the vendor become path segments, and never more than that.

use url::Url;

use super::{UpstreamError, UpstreamErrorKind};

/// The path prefix of the Chat Gateway.
const PREFIX: [&str; 2] = ["chat-gateway", "v1"];

/// The longest identifier that is put in a path, in bytes. The vendor's longest known one has 86.
const ID_LIMIT: usize = 1024;

/// Checks a base URL and adds the prefix of the Chat Gateway.
pub(super) fn root(base: &Url) -> Result<Url, UpstreamError> {
    let refuse = |problem: &str| Err(UpstreamError::new(UpstreamErrorKind::Invalid, problem));
    if !matches!(base.scheme(), "http" | "https") || !base.has_host() {
        return refuse("the base URL of the Chat Gateway must be an http or https URL with a host");
    }
    if !base.username().is_empty() || base.password().is_some() {
        return refuse("the base URL of the Chat Gateway must not hold a user name or a password");
    }
    if base.query().is_some() || base.fragment().is_some() {
        return refuse("the base URL of the Chat Gateway must not hold a query or a fragment");
    }
    Ok(append(base, &PREFIX))
}

/// Builds the address of `segments` below `root`. Each segment becomes exactly one segment of the path, percent-encoded.
///
/// What cannot be one is refused: an empty segment; `.` and `..`, which mean another place even when they are escaped; and
/// control characters, some of which URL parsers drop, so that two identifiers would share one address.
pub(super) fn address(root: &Url, segments: &[&str]) -> Result<Url, UpstreamError> {
    for segment in segments {
        if let Some(problem) = problem(segment) {
            return Err(UpstreamError::new(UpstreamErrorKind::Invalid, problem));
        }
    }
    Ok(append(root, segments))
}

fn problem(segment: &str) -> Option<&'static str> {
    if segment.is_empty() {
        return Some("an identifier is empty");
    }
    if segment.len() > ID_LIMIT {
        return Some("an identifier is longer than 1024 bytes");
    }
    if matches!(segment, "." | "..") {
        return Some("an identifier consists of dots, which a URL cannot carry");
    }
    segment
        .chars()
        .any(char::is_control)
        .then_some("an identifier holds a control character")
}

fn append(base: &Url, segments: &[&str]) -> Url {
    let mut url = base.clone();
    // Only URLs without a host have no segments; `root` refuses those.
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(segments);
    }
    url
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    fn base(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    fn decoded(segment: &str) -> String {
        let bytes = segment.as_bytes();
        let mut out = Vec::new();
        let mut at = 0;
        while at < bytes.len() {
            if bytes[at] == b'%' {
                out.push(u8::from_str_radix(&segment[at + 1..at + 3], 16).unwrap());
                at += 3;
            } else {
                out.push(bytes[at]);
                at += 1;
            }
        }
        String::from_utf8(out).unwrap()
    }

    #[rstest]
    #[case("https://api.8x8.com", "https://api.8x8.com/chat-gateway/v1")]
    #[case("https://api.8x8.com/", "https://api.8x8.com/chat-gateway/v1")]
    #[case("http://127.0.0.1:8088/8x8", "http://127.0.0.1:8088/8x8/chat-gateway/v1")]
    #[case("http://127.0.0.1:8088/8x8/", "http://127.0.0.1:8088/8x8/chat-gateway/v1")]
    fn the_prefix_follows_the_base(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(root(&base(text)).unwrap().as_str(), expected);
    }

    #[rstest]
    #[case("ftp://api.8x8.com", "http or https")]
    #[case("mailto:somebody@example.org", "http or https")]
    #[case("https://user@api.8x8.com", "user name")]
    #[case("https://:secret@api.8x8.com", "password")]
    #[case("https://api.8x8.com/?a=b", "query")]
    #[case("https://api.8x8.com/#a", "fragment")]
    fn a_base_that_cannot_be_meant_is_refused(#[case] text: &str, #[case] says: &str) {
        let error = root(&base(text)).unwrap_err();
        assert_eq!(error.kind, UpstreamErrorKind::Invalid);
        assert!(error.message.contains(says), "{}", error.message);
        assert!(!error.message.contains("secret"));
    }

    #[rstest]
    #[case("../x", "..%2Fx")]
    #[case("a/b", "a%2Fb")]
    #[case("a\\b", "a%5Cb")]
    #[case("?", "%3F")]
    #[case("#", "%23")]
    #[case("%2f", "%252f")]
    #[case("%2e%2e", "%252e%252e")]
    #[case("...", "...")]
    #[case("a b", "a%20b")]
    #[case("ünï✓", "%C3%BCn%C3%AF%E2%9C%93")]
    fn a_hostile_identifier_is_one_segment(#[case] id: &str, #[case] segment: &str) {
        let url = address(
            &root(&base("https://h")).unwrap(),
            &["conversations", id, "messages"],
        )
        .unwrap();
        assert_eq!(
            url.as_str(),
            format!("https://h/chat-gateway/v1/conversations/{segment}/messages")
        );
    }

    #[rstest]
    #[case("")]
    #[case(".")]
    #[case("..")]
    #[case(".\t.")]
    #[case("a\nb")]
    #[case("\0")]
    #[case("\u{85}")]
    fn what_cannot_be_a_segment_is_refused(#[case] id: &str) {
        let error = address(&root(&base("https://h")).unwrap(), &["conversations", id]).unwrap_err();
        assert_eq!(error.kind, UpstreamErrorKind::Invalid);
        assert_eq!(error.status, None);
    }

    #[test]
    fn an_endless_identifier_is_refused() {
        assert!(address(&base("https://h"), &[&"a".repeat(1024)]).is_ok());
        assert!(address(&base("https://h"), &[&"a".repeat(1025)]).is_err());
    }

    proptest! {
        #[test]
        fn any_identifier_stays_in_its_place(id in any::<String>()) {
            let root = root(&base("https://h/proxy")).unwrap();
            if let Ok(url) = address(&root, &["conversations", &id, "messages"]) {
                let segments: Vec<&str> = url.path_segments().unwrap().collect();
                prop_assert_eq!(segments.len(), 6);
                prop_assert_eq!(segments[3], "conversations");
                prop_assert_eq!(decoded(segments[4]), id);
                prop_assert_eq!(segments[5], "messages");
                prop_assert!(url.query().is_none() && url.fragment().is_none());
                // What goes over the wire is the text; whoever parses it must find the same place.
                prop_assert_eq!(Url::parse(url.as_str()).unwrap(), url);
            }
        }

        #[test]
        fn dots_tabs_and_escapes_stay_in_their_place(id in "[./\\\\%2eEfF?#\t\n]{0,8}") {
            let root = root(&base("https://h")).unwrap();
            if let Ok(url) = address(&root, &["conversations", &id, "messages"]) {
                let segments: Vec<&str> = url.path_segments().unwrap().collect();
                prop_assert_eq!(segments.len(), 5);
                prop_assert_eq!(decoded(segments[3]), id);
                prop_assert_eq!(Url::parse(url.as_str()).unwrap(), url);
            }
        }
    }
}
