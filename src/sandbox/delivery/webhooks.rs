//! The webhooks that are registered.

use std::collections::BTreeMap;

use url::{Host, Url};

/// The identifier of the webhook that a sandbox always has, with an address or without.
pub(crate) const DEFAULT_WEBHOOK: &str = "sandbox-webhook";
/// How many webhooks there may be.
const WEBHOOKS: usize = 1_000;

/// A webhook.
#[derive(Clone)]
pub(crate) struct Webhook {
    pub(crate) id: String,
    pub(crate) name: String,
    /// `None`: events are only logged. It may carry a secret.
    pub(crate) address: Option<Address>,
}

/// Where a webhook is.
#[derive(Clone)]
pub(crate) struct Address {
    url: Url,
    /// As it was written.
    text: String,
    /// Whether it was set from this machine, and not through the REST API, whose key everybody knows.
    trusted: bool,
}

impl Address {
    /// An address from the command line or the control API.
    pub(crate) fn trusted(url: Url) -> Self {
        Self {
            text: url.to_string(),
            url,
            trusted: true,
        }
    }

    /// An address from the REST API; `None` if it is not absolute, with http or https.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let url = Url::parse(text).ok()?;
        let absolute = matches!(url.scheme(), "http" | "https") && url.has_host();
        absolute.then(|| Self {
            url,
            text: text.to_owned(),
            trusted: false,
        })
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// Where to post; `None` if that is another machine and nobody on this one has asked for it.
    pub(crate) fn reachable(&self) -> Option<&Url> {
        (self.trusted || is_loopback(&self.url)).then_some(&self.url)
    }
}

/// Whether an address is on this machine, whoever answers for names.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// All webhooks, by identifier.
pub(crate) struct Webhooks(BTreeMap<String, Webhook>);

impl Default for Webhooks {
    fn default() -> Self {
        let default = Webhook {
            id: DEFAULT_WEBHOOK.to_owned(),
            name: "Sandbox webhook".to_owned(),
            address: None,
        };
        Self(BTreeMap::from([(default.id.clone(), default)]))
    }
}

impl Webhooks {
    pub(crate) fn all(&self) -> impl Iterator<Item = &Webhook> {
        self.0.values()
    }

    pub(crate) fn get(&self, id: &str) -> Option<&Webhook> {
        self.0.get(id)
    }

    /// Adds a webhook; `false` if there are as many as there may be.
    pub(crate) fn add(&mut self, webhook: Webhook) -> bool {
        let room = self.0.len() < WEBHOOKS;
        if room {
            self.0.insert(webhook.id.clone(), webhook);
        }
        room
    }

    /// Puts `webhook` in the place of the one with its identifier.
    pub(crate) fn replace(&mut self, webhook: Webhook) {
        self.0.insert(webhook.id.clone(), webhook);
    }

    /// Removes a webhook. The default one stays.
    pub(crate) fn remove(&mut self, id: &str) {
        if id != DEFAULT_WEBHOOK {
            self.0.remove(id);
        }
    }

    pub(crate) fn set_default(&mut self, address: Option<Address>) {
        if let Some(default) = self.0.get_mut(DEFAULT_WEBHOOK) {
            default.address = address;
        }
    }

    /// Where the events of a webhook go: to the default one's address where it has none.
    pub(crate) fn target(&self, id: &str) -> Option<Url> {
        let address = |id: &str| self.0.get(id).and_then(|it| it.address.as_ref());
        address(id)
            .or_else(|| address(DEFAULT_WEBHOOK))?
            .reachable()
            .cloned()
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("http://127.0.0.1:80/x", Some(true))]
    #[case("http://127.9.9.9", Some(true))]
    #[case("https://[::1]:9/x?secret=1", Some(true))]
    #[case("http://LOCALHOST/", Some(true))]
    #[case("http://localhost.example.com/", Some(false))]
    #[case("http://10.0.0.1/", Some(false))]
    #[case("http://2130706433/", Some(true))]
    #[case("https://example.com/hook", Some(false))]
    #[case("ftp://127.0.0.1/", None)]
    #[case("/hook", None)]
    #[case("127.0.0.1:80", None)]
    #[case("http://", None)]
    #[case("", None)]
    fn an_address_is_absolute_and_posted_to_on_this_machine(#[case] text: &str, #[case] near: Option<bool>) {
        let address = Address::parse(text);
        assert_eq!(address.map(|it| it.reachable().is_some()), near);
    }

    #[test]
    fn what_has_no_address_goes_to_the_default_one() {
        let mut all = Webhooks::default();
        assert_eq!(all.target("gone"), None);
        all.set_default(Some(Address::trusted("https://example.com/".parse().unwrap())));
        let far = Address::parse("https://example.org/");
        all.add(Webhook {
            id: "far".to_owned(),
            name: String::new(),
            address: far,
        });
        let target = |id: &str| all.target(id).map(String::from);
        assert_eq!(target("gone").as_deref(), Some("https://example.com/"));
        assert_eq!(target("far"), None, "it has one, which is too far");
        all.remove(DEFAULT_WEBHOOK);
        assert!(all.get(DEFAULT_WEBHOOK).is_some());
    }
}
