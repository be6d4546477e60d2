//! Webhooks of v2, as clients define them and as they are kept.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use url::Url;

use crate::{
    chat_v2::{
        problem::{Problem, Wrong},
        read::{Findings, Object},
    },
    store::chat_v2::WebhookRecord,
};

/// The longest name, in characters.
const NAME_MAX: usize = 256;
const URI_BYTES_MAX: usize = 2048;
const VERSIONS: [&str; 2] = ["v1.0", "v2.0"];
const VERSION_DEFAULT: &str = "v2.0";

/// A webhook as a client defined it. Its address may hold a secret.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::chat_v2) struct Definition {
    pub(in crate::chat_v2) name: String,
    pub(in crate::chat_v2) uri: String,
    /// The version of events that it gets.
    pub(in crate::chat_v2) version: String,
}

impl Definition {
    /// Reads a webhook. v2's description calls the version by two names, and requires the one that it does not describe.
    pub(in crate::chat_v2) fn read(body: &Object) -> Result<Self, Problem> {
        let mut findings = Findings::default();
        let name = findings.required(body, "", "name", 4 * NAME_MAX);
        if name.chars().count() > NAME_MAX {
            let problem = format!("has more than {NAME_MAX} characters.");
            findings.add(Wrong::new("name", "too_long", problem));
        }
        let uri = read_uri(&mut findings, body);
        let version = read_version(&mut findings, body);
        findings.done(Self { name, uri, version })
    }

    /// Reads an address to try, and for which version of events.
    pub(in crate::chat_v2) fn read_to_verify(body: &Object) -> Result<Self, Problem> {
        let mut findings = Findings::default();
        let uri = read_uri(&mut findings, body);
        let version = read_version(&mut findings, body);
        findings.done(Self {
            name: String::new(),
            uri,
            version,
        })
    }

    /// As it is kept.
    pub(in crate::chat_v2) fn encode(&self) -> Bytes {
        serde_json::to_vec(self).unwrap_or_default().into()
    }

    /// As it was kept; `None` where another version of this program wrote it otherwise.
    pub(in crate::chat_v2) fn decode(record: &WebhookRecord) -> Option<Self> {
        serde_json::from_slice(&record.definition).ok()
    }

    /// As v2 shows it.
    pub(in crate::chat_v2) fn write(&self, id: u64) -> Value {
        json!({
            "id": id.to_string(),
            "name": self.name,
            "uri": self.uri,
            "version": self.version,
        })
    }
}

fn read_version(findings: &mut Findings, body: &Object) -> String {
    let mut read = |name: &str| findings.text(body, "", name, 64).filter(|text| !text.is_empty());
    let (version, alias) = (read("version"), read("notificationVersion"));
    let version = version.or(alias).unwrap_or_else(|| VERSION_DEFAULT.to_owned());
    if !VERSIONS.contains(&version.as_str()) {
        let wrong = Wrong::new("version", "invalid_version", "must be v1.0 or v2.0.");
        findings.add(wrong.with(&version));
    }
    version
}

/// An absolute http or https address. It may hold a secret, so that it is not repeated.
fn read_uri(findings: &mut Findings, body: &Object) -> String {
    let uri = findings.required(body, "", "uri", URI_BYTES_MAX);
    if !uri.is_empty() && !is_address(&uri) {
        let problem = "must be an absolute http or https URI with a host, and without a user or a fragment.";
        findings.add(Wrong::new("uri", "invalid_uri", problem));
    }
    uri
}

fn is_address(uri: &str) -> bool {
    // What parsers of addresses leave out or forgive would not be what was given.
    let is_plain = !uri
        .chars()
        .any(|c| c.is_control() || c.is_whitespace() || c == '\\');
    let lower = uri.to_ascii_lowercase();
    let has_host = ["http://", "https://"].iter().any(|scheme| {
        lower
            .strip_prefix(scheme)
            .is_some_and(|rest| !rest.starts_with('/'))
    });
    let is_bare = |url: &Url| {
        url.has_host() && url.username().is_empty() && url.password().is_none() && url.fragment().is_none()
    };
    is_plain && has_host && Url::parse(uri).is_ok_and(|url| is_bare(&url))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(json!({ "name": "a", "uri": "https://x.example/hook" }), "v2.0")]
    #[case(json!({ "name": "a", "uri": "https://x.example", "notificationVersion": "v1.0" }), "v1.0")]
    #[case(json!({ "name": "a", "uri": "HTTP://x.example:81/?a=b", "version": "v2.0", "notificationVersion": "v1.0" }), "v2.0")]
    fn webhooks_are_read(#[case] body: Value, #[case] version: &str) {
        let read = Definition::read(body.as_object().unwrap()).ok().unwrap();
        assert_eq!(read.version, version);
        assert_eq!(read.uri, body["uri"]);
    }

    #[rstest]
    #[case("")]
    #[case("x.example")]
    #[case("/hook")]
    #[case("ftp://x.example")]
    #[case("https:///hook")]
    #[case("https://")]
    #[case("https://user:pass@x.example")]
    #[case("https://x.example/#part")]
    #[case("https://x.example/a b")]
    #[case("https://x.example\\@y.example/")]
    #[case("file:///etc/passwd")]
    fn addresses_that_are_none_are_refused_without_being_repeated(#[case] uri: &str) {
        let body = json!({ "name": "a", "uri": uri });
        let problem = Definition::read(body.as_object().unwrap()).err().unwrap();
        let said = problem
            .body_for_tests(&crate::chat_v2::operation::CREATE_WEBHOOK)
            .to_string();
        assert!(
            said.contains("uri") && (uri.is_empty() || !said.contains(uri)),
            "{said}"
        );
    }

    #[test]
    fn a_version_that_there_is_not_is_refused() {
        let body = json!({ "name": "a", "uri": "https://x.example", "version": "v3.0" });
        assert!(Definition::read(body.as_object().unwrap()).is_err());
    }

    proptest! {
        #[test]
        fn what_is_kept_is_found_again(name in ".{1,64}", path in "[a-z0-9/]{0,20}", id in any::<u64>()) {
            let definition = Definition { name, uri: format!("https://x.example/{path}"), version: "v2.0".into() };
            let record = WebhookRecord { id, revision: 1, definition: definition.encode() };
            let found = Definition::decode(&record);
            prop_assert!(found.as_ref() == Some(&definition));
            let written = definition.write(id);
            prop_assert_eq!(&written["id"], &Value::from(id.to_string()));
        }
    }
}
