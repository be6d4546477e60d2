//! From channel to webhook to the door, and to a queue: what is registered at 8x8 for a tenant.

use std::net::IpAddr;

use secrecy::ExposeSecret as _;
use url::{Host, Url};

use super::{
    Options, Report, chat_v2,
    finding::{
        CHANNEL_EXISTS, CHANNEL_QUEUE, CHANNEL_TYPE, CHANNEL_WEBHOOK, WEBHOOK_REGISTERED, WEBHOOK_URL,
        WEBHOOK_VERIFY, WEBHOOK_VERSION,
    },
};
use crate::{
    config::{Config, TenantConfig},
    gateway::{Channel, EVENT_VERSION, Gateway, Listed, PageQuery, UpstreamError, Webhook, is_loopback},
};

/// How many items a page is asked for, and how many pages at most.
const PAGE: u32 = 100;
const PAGES_MAX: u32 = 20;
/// The type of channels on which conversations are started by the API.
const API_CHANNEL: &str = "ChatAPI";
/// The path of the door, without its secret.
const DOOR: &str = "/webhooks/8x8";

/// What is looked at.
struct Wiring<'a> {
    config: &'a Config,
    tenant: &'a TenantConfig,
    options: &'a Options,
    webhooks: Vec<Webhook>,
    channels: Vec<Channel>,
}

pub(super) async fn examine(
    config: &Config,
    tenant: &TenantConfig,
    gateway: &Gateway,
    options: &Options,
    report: &mut Report,
) {
    let of = tenant.id.as_str();
    let webhooks = all(async |page| gateway.webhooks(&tenant.id, &page).await).await;
    let channels = all(async |page| gateway.channels(&tenant.id, &page).await).await;
    let (webhooks, channels) = match (webhooks, channels) {
        (Ok(webhooks), Ok(channels)) => (webhooks, channels),
        (Err(error), _) | (_, Err(error)) => {
            return report.error(
                WEBHOOK_REGISTERED,
                of,
                format!("Webhooks and channels cannot be listed: {error}."),
                "Let the API key have the rights to read webhooks and channels.",
            );
        }
    };
    let wiring = Wiring {
        config,
        tenant,
        options,
        webhooks,
        channels,
    };
    wiring.webhooks(report);
    wiring.channels(report);
    let delivering = wiring.webhooks.iter().find(|it| it.id == tenant.webhook_id);
    let leads_here = delivering.map(|webhook| wiring.leads_here(webhook));
    chat_v2::delivering_webhook(config, tenant, leads_here, report);
    wiring.verify(gateway, report).await;
}

async fn all<T>(
    ask: impl AsyncFn(PageQuery) -> Result<Listed<T>, UpstreamError>,
) -> Result<Vec<T>, UpstreamError> {
    let mut items = Vec::new();
    for page in 0..PAGES_MAX {
        let query = PageQuery {
            size: PAGE,
            page,
            ..PageQuery::default()
        };
        let listed = ask(query.clone()).await?;
        let is_last = listed.is_last(&query) || listed.items.is_empty();
        items.extend(listed.items);
        if is_last {
            break;
        }
    }
    Ok(items)
}

impl Wiring<'_> {
    /// The webhooks that lead to the door, as far as their URL tells.
    fn ours(&self) -> impl Iterator<Item = &Webhook> {
        self.webhooks.iter().filter(|webhook| self.leads_here(webhook))
    }

    /// Whether events that go to this webhook come to the door. A proxy may be anywhere, so without `--webhook-url` the path
    /// decides.
    fn leads_here(&self, webhook: &Webhook) -> bool {
        let Ok(url) = Url::parse(&webhook.uri) else {
            return false;
        };
        match &self.options.webhook_url {
            Some(wanted) => *wanted == url,
            None => url.path() == self.path(),
        }
    }

    /// The path of the door, with its secret.
    fn path(&self) -> String {
        match &self.config.webhook_path_secret {
            Some(secret) => format!("{DOOR}/{}", secret.expose_secret()),
            None => DOOR.to_owned(),
        }
    }

    /// How the door's URL is called where its secret must not be shown.
    fn wanted(&self) -> String {
        let path = match &self.config.webhook_path_secret {
            Some(_) => format!("{DOOR}/SECRET (SECRET being webhook_path_secret)"),
            None => DOOR.to_owned(),
        };
        let host = self
            .options
            .webhook_url
            .as_ref()
            .map_or("YOUR-HOST".to_owned(), authority);
        format!("https://{host}{path}")
    }

    fn webhooks(&self, report: &mut Report) {
        let of = self.tenant.id.as_str();
        let ours: Vec<&Webhook> = self.ours().collect();
        if ours.is_empty() {
            report.error(
                WEBHOOK_REGISTERED,
                of,
                format!(
                    "Of {} webhook(s) that are registered for the tenant none leads to the door.",
                    self.webhooks.len()
                ),
                format!(
                    "Register one of version {EVENT_VERSION:?} with the URL {} (CreateWebhook, or 8x8's admin console), and let \
                     the channels use it.",
                    self.wanted()
                ),
            );
        } else {
            let names: Vec<String> = ours.iter().map(|webhook| called(webhook)).collect();
            report.ok(
                WEBHOOK_REGISTERED,
                of,
                format!("Webhook {} leads to the door.", names.join(", ")),
            );
        }
        for webhook in &self.webhooks {
            let is_used = self
                .channels
                .iter()
                .any(|channel| channel.webhook_id == webhook.id);
            if is_used || self.leads_here(webhook) {
                self.webhook(webhook, report);
            }
        }
    }

    fn webhook(&self, webhook: &Webhook, report: &mut Report) {
        if webhook.version == EVENT_VERSION {
            report.ok(
                WEBHOOK_VERSION,
                &webhook.id,
                format!("It asks for events of {EVENT_VERSION:?}."),
            );
        } else {
            report.error(
                WEBHOOK_VERSION,
                &webhook.id,
                format!(
                    "Webhook {} asks for events of version {:?}.",
                    called(webhook),
                    webhook.version
                ),
                format!("Set its version to {EVENT_VERSION:?} (ReplaceWebhook)."),
            );
        }
        match self.url_problem(webhook) {
            None => report.ok(
                WEBHOOK_URL,
                &webhook.id,
                format!("Its URL leads to {}.", shown(&webhook.uri)),
            ),
            Some((sentence, remedy)) => report.error(WEBHOOK_URL, &webhook.id, sentence, remedy),
        }
    }

    fn url_problem(&self, webhook: &Webhook) -> Option<(String, String)> {
        let name = called(webhook);
        let replace = format!("Set its URL to {} (ReplaceWebhook).", self.wanted());
        let Ok(url) = Url::parse(&webhook.uri) else {
            return Some((
                format!("Webhook {name} has no URL, or one that cannot be read."),
                replace,
            ));
        };
        let is_vendor_here = is_loopback(&self.tenant.gateway_url);
        if !is_vendor_here && is_private(&url) {
            let sentence = format!(
                "Webhook {name} leads to {}, which 8x8 cannot reach.",
                authority(&url)
            );
            return Some((sentence, replace));
        }
        if !is_vendor_here && url.scheme() != "https" {
            let sentence = format!("Webhook {name} has the URL {}, without TLS.", shown(&webhook.uri));
            return Some((sentence, replace));
        }
        if self.leads_here(webhook) {
            return None;
        }
        let why = match &self.options.webhook_url {
            Some(wanted) if authority(wanted) != authority(&url) => "leads to another host",
            _ if url.path() == DOOR => "lacks the secret of the door's path",
            _ if url.path().starts_with(DOOR) && self.config.webhook_path_secret.is_none() => {
                "has a secret in its path, and none is set here"
            }
            _ if url.path().starts_with(DOOR) => "has another secret in its path",
            _ => "has another path than the door",
        };
        let remedy =
            format!("{replace} Where a proxy changes the path, tell the URL that is right by --webhook-url.");
        Some((
            format!("The URL of webhook {name}, {}, {why}.", shown(&webhook.uri)),
            remedy,
        ))
    }

    fn channels(&self, report: &mut Report) {
        let of = self.tenant.id.as_str();
        let wanted = &self.tenant.channels;
        for id in wanted {
            if !self.channels.iter().any(|channel| channel.id == *id) {
                report.error(
                    CHANNEL_EXISTS,
                    id,
                    format!("8x8 has no channel {id} for tenant {of}."),
                    "Correct `channels` of the tenant: ListChannels, or 8x8's admin console, has the ids.",
                );
            }
        }
        let looked_at: Vec<&Channel> = self
            .channels
            .iter()
            .filter(|channel| wanted.is_empty() || wanted.contains(&channel.id))
            .collect();
        if wanted.is_empty() && !looked_at.iter().any(|channel| channel.kind == API_CHANNEL) {
            report.error(
                CHANNEL_EXISTS,
                of,
                format!(
                    "The tenant has no channel of type {API_CHANNEL}, so no conversation can be started."
                ),
                "Create one (CreateChannel, or 8x8's admin console) with the webhook and a queue.",
            );
        }
        for channel in looked_at {
            report.ok(CHANNEL_EXISTS, &channel.id, "8x8 has the channel.");
            self.channel(channel, !wanted.is_empty(), report);
        }
    }

    fn channel(&self, channel: &Channel, is_wanted: bool, report: &mut Report) {
        let of = channel.id.as_str();
        if channel.kind == API_CHANNEL {
            report.ok(CHANNEL_TYPE, of, "Conversations can be started on it.");
        } else if is_wanted {
            report.error(
                CHANNEL_TYPE,
                of,
                format!("It is of type {:?}: conversations begin in 8x8's widget, and cannot be started by a call.", channel.kind),
                format!("Name a channel of type {API_CHANNEL} in `channels`, or take this one out."),
            );
        } else {
            report.ok(
                CHANNEL_TYPE,
                of,
                format!("Its conversations begin elsewhere (type {:?}).", channel.kind),
            );
        }
        self.webhook_of(channel, report);
        if channel.queue_id.is_empty() {
            report.warning(
                CHANNEL_QUEUE,
                of,
                "It has no queue, so a conversation that is created without an assignment reaches nobody.",
                "Set a queue in its routing (ReplaceChannel), or name one in each CreateConversation.",
            );
        } else {
            report.ok(
                CHANNEL_QUEUE,
                of,
                format!("Its conversations go to queue {}.", channel.queue_id),
            );
        }
    }

    fn webhook_of(&self, channel: &Channel, report: &mut Report) {
        let of = channel.id.as_str();
        let ours: Vec<&str> = self.ours().map(|webhook| webhook.id.as_str()).collect();
        let remedy = match ours.first() {
            Some(id) => format!("Let the channel use webhook {id} (ReplaceChannel)."),
            None => "Register a webhook that leads to the door, and let the channel use it (ReplaceChannel)."
                .to_owned(),
        };
        if channel.webhook_id.is_empty() {
            let sentence = "It has no webhook: nobody hears of its conversations.";
            return report.error(CHANNEL_WEBHOOK, of, sentence, remedy);
        }
        let Some(webhook) = self
            .webhooks
            .iter()
            .find(|webhook| webhook.id == channel.webhook_id)
        else {
            let sentence = format!("Its webhook {} does not exist (any more).", channel.webhook_id);
            return report.error(CHANNEL_WEBHOOK, of, sentence, remedy);
        };
        if self.leads_here(webhook) {
            report.ok(
                CHANNEL_WEBHOOK,
                of,
                format!("Its events go to webhook {}.", called(webhook)),
            );
        } else {
            let sentence = format!(
                "Its events go to webhook {} ({}), which does not lead to the door.",
                called(webhook),
                shown(&webhook.uri)
            );
            report.error(CHANNEL_WEBHOOK, of, sentence, remedy);
        }
    }

    /// Has 8x8 try each webhook that leads to the door.
    async fn verify(&self, gateway: &Gateway, report: &mut Report) {
        for webhook in self.ours() {
            if !self.options.verify {
                let sentence = "Whether 8x8 can reach it was not tried; --verify has 8x8 post a check to it.";
                report.skipped(WEBHOOK_VERIFY, &webhook.id, sentence);
                continue;
            }
            let tried = Webhook {
                version: EVENT_VERSION.to_owned(),
                ..webhook.clone()
            };
            match gateway.verify_webhook(&self.tenant.id, &tried).await {
                Ok(()) => report.ok(WEBHOOK_VERIFY, &webhook.id, "8x8 has tried the URL, and was answered 2xx."),
                Err(error) => report.error(
                    WEBHOOK_VERIFY,
                    &webhook.id,
                    format!("8x8 has tried the URL ({}), and failed: {error}.", shown(&webhook.uri)),
                    "Start the service, and see that the host's name leads to it from the internet, that firewall and proxy let \
                     8x8 through, that webhook_allow has its networks, and that the certificate is one that everybody believes.",
                ),
            }
        }
    }
}

/// A webhook's id, and its name where it has one.
fn called(webhook: &Webhook) -> String {
    match webhook.name.as_str() {
        "" => webhook.id.clone(),
        name => format!("{} ({name:?})", webhook.id),
    }
}

fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

/// A webhook's URL without what may be a secret.
fn shown(uri: &str) -> String {
    let Ok(url) = Url::parse(uri) else {
        return "a URL that cannot be read".to_owned();
    };
    let path = match url.path().strip_prefix(DOOR) {
        Some("") => DOOR.to_owned(),
        Some(_) => format!("{DOOR}/…"),
        None if url.path() == "/" => String::new(),
        None => "/…".to_owned(),
    };
    format!("{}://{}{path}", url.scheme(), authority(&url))
}

/// Whether a URL leads somewhere that nobody reaches from the internet.
fn is_private(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => {
            let local = [".local", ".internal", ".localhost", ".svc", ".lan"];
            name == "localhost" || !name.contains('.') || local.iter().any(|end| name.ends_with(end))
        }
        Some(Host::Ipv4(ip)) => is_private_address(ip.into()),
        Some(Host::Ipv6(ip)) => is_private_address(ip.into()),
        None => true,
    }
}

fn is_private_address(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => ip.is_private() || ip.is_loopback() || ip.is_link_local() || ip.is_unspecified(),
        IpAddr::V6(ip) => {
            ip.is_loopback() || ip.is_unspecified() || ip.is_unique_local() || ip.is_unicast_link_local()
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(
        "https://hooks.example.com/webhooks/8x8/s3cret",
        "https://hooks.example.com/webhooks/8x8/…",
        false
    )]
    #[case(
        "https://hooks.example.com:8443/webhooks/8x8",
        "https://hooks.example.com:8443/webhooks/8x8",
        false
    )]
    #[case("https://203.0.113.7/other?key=s3cret", "https://203.0.113.7/…", false)]
    #[case("http://10.1.2.3/", "http://10.1.2.3", true)]
    #[case("http://bridge:8080/webhooks/8x8", "http://bridge:8080/webhooks/8x8", true)]
    #[case(
        "https://user:s3cret@[fd00::1]/webhooks/8x8",
        "https://[fd00::1]/webhooks/8x8",
        true
    )]
    fn a_url_is_shown_without_secrets(#[case] uri: &str, #[case] expected: &str, #[case] private: bool) {
        assert_eq!(shown(uri), expected);
        assert_eq!(is_private(&Url::parse(uri).unwrap()), private);
    }
}
