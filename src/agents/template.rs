//! The URL behind which names are, with a place for an agent's identifier.

use std::fmt;

use url::{Url, form_urlencoded::byte_serialize};

use crate::gateway;

/// What stands for the identifier in a template.
const PLACE: &str = "{id}";
/// What stands there while a template is read: it goes through a URL parser unchanged.
const STAND_IN: &str = "chatbridge0agent0id";

/// Why a template is refused.
pub const NOT_A_TEMPLATE: &str =
    "must look like https://HOST/agents/{id}, with {id} once in the path or the query";

/// An http or https URL with `{id}` once in its path or query. It may hold a secret, so nothing shows it.
#[derive(Clone)]
pub struct UrlTemplate {
    before: String,
    after: String,
    is_https: bool,
    is_loopback: bool,
}

impl UrlTemplate {
    /// Reads a template.
    ///
    /// # Errors
    /// [`NOT_A_TEMPLATE`].
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if text.matches(PLACE).count() != 1 {
            return Err(NOT_A_TEMPLATE);
        }
        let sample = Url::parse(&text.replace(PLACE, STAND_IN)).map_err(|_| NOT_A_TEMPLATE)?;
        let in_place =
            sample.path().contains(STAND_IN) || sample.query().is_some_and(|query| query.contains(STAND_IN));
        if !matches!(sample.scheme(), "http" | "https") || !sample.has_host() || !in_place {
            return Err(NOT_A_TEMPLATE);
        }
        let (before, after) = sample.as_str().split_once(STAND_IN).ok_or(NOT_A_TEMPLATE)?;
        Ok(Self {
            before: before.to_owned(),
            after: after.to_owned(),
            is_https: sample.scheme() == "https",
            is_loopback: gateway::is_loopback(&sample),
        })
    }

    /// The URL for an agent. `None` for an identifier that would name another place there, such as `..`, which means the
    /// directory above even when it is percent-encoded.
    pub(super) fn address(&self, id: &str) -> Option<Url> {
        // The serialisation of forms is percent-encoding but for the space.
        let id = byte_serialize(id.as_bytes())
            .collect::<String>()
            .replace('+', "%20");
        let written = format!("{}{id}{}", self.before, self.after);
        Url::parse(&written).ok().filter(|url| url.as_str() == written)
    }

    pub(super) fn is_https(&self) -> bool {
        self.is_https
    }

    pub(super) fn is_loopback(&self) -> bool {
        self.is_loopback
    }
}

impl fmt::Debug for UrlTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UrlTemplate").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(
        "https://hr.example/agents/{id}",
        "a 1/ü?",
        "https://hr.example/agents/a%201%2F%C3%BC%3F"
    )]
    #[case(
        "https://hr.example/{id}/name?key=s",
        "a#b",
        "https://hr.example/a%23b/name?key=s"
    )]
    #[case(
        "http://u:p@127.0.0.1:8/n?agent={id}&x=1",
        "a&b=c+d%",
        "http://u:p@127.0.0.1:8/n?agent=a%26b%3Dc%2Bd%25&x=1"
    )]
    #[case(
        "https://HR.example:443/a b/{id}.json",
        "..",
        "https://hr.example/a%20b/...json"
    )]
    fn an_identifier_is_percent_encoded_in_its_place(
        #[case] template: &str,
        #[case] id: &str,
        #[case] address: &str,
    ) {
        let template = UrlTemplate::parse(template).unwrap();
        assert_eq!(template.address(id).unwrap().as_str(), address);
    }

    #[rstest]
    #[case::no_place("https://hr.example/agents")]
    #[case::two_places("https://hr.example/{id}/{id}")]
    #[case::in_the_host("https://{id}.example/agents")]
    #[case::in_the_password("https://u:{id}@hr.example/agents")]
    #[case::in_the_fragment("https://hr.example/agents#{id}")]
    #[case::no_host("https:///{id}")]
    #[case::another_scheme("file:///etc/{id}")]
    #[case::not_a_url("/agents/{id}")]
    fn what_is_no_template_is_refused(#[case] text: &str) {
        // A lone slash more is forgiven by URL parsers: the next segment is the host then.
        assert_eq!(UrlTemplate::parse(text).unwrap_err(), NOT_A_TEMPLATE);
    }

    #[rstest]
    #[case("https://hr.example/agents/{id}", ".")]
    #[case("https://hr.example/agents/{id}", "..")]
    #[case("https://hr.example/agents/.{id}", ".")]
    #[case("https://hr.example/agents/{id}/name", "..")]
    fn an_identifier_that_means_another_place_has_no_address(#[case] template: &str, #[case] id: &str) {
        assert_eq!(UrlTemplate::parse(template).unwrap().address(id), None);
    }

    #[test]
    fn nothing_shows_the_url() {
        let shown = format!(
            "{:?}",
            UrlTemplate::parse("https://u:p@secret.example/s3cret/{id}").unwrap()
        );
        assert!(!shown.contains("ecret") && !shown.contains("u:p"), "{shown}");
    }

    proptest! {
        #[test]
        fn an_identifier_stays_in_its_segment(id in "\\PC{1,40}") {
            let template = UrlTemplate::parse("https://hr.example/agents/{id}/name?k=1").unwrap();
            if let Some(url) = template.address(&id) {
                prop_assert_eq!(url.host_str(), Some("hr.example"));
                prop_assert_eq!(url.query(), Some("k=1"));
                let segments: Vec<_> = url.path_segments().unwrap().collect();
                prop_assert_eq!(segments.len(), 3);
                prop_assert_eq!((segments[0], segments[2]), ("agents", "name"));
            } else {
                prop_assert!(id == "." || id == "..");
            }
        }
    }
}
