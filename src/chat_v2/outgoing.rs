//! Sends to addresses that clients named. They must not lead into the operator's own network: a name is resolved once, and only
//! the public ones of its addresses are connected to; nothing is redirected, and no proxy resolves in our place.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use ipnet::IpNet;
use reqwest::{
    Client, Response,
    dns::{Addrs, Name, Resolve, Resolving},
    header::{CONTENT_TYPE, RETRY_AFTER},
    redirect, retry,
};
use serde_json::json;
use tokio::sync::Semaphore;
use url::{Host, Url};
use uuid::Uuid;

use super::SigningKeys;
use crate::{event::TenantId, webhook::signer::Parcel};

/// How long an address that is to be verified may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// How many addresses are verified at once.
const VERIFYING_MAX: usize = 16;
/// How many connections to a receiver are kept for the next request, and for how long.
const IDLE_PER_RECEIVER: usize = 2;
const IDLE_FOR: Duration = Duration::from_secs(30);
/// How much of an answer's body is read, in bytes.
const ANSWER_MAX: u64 = 4096;
const USER_AGENT: &str = concat!("chatbridge/", env!("CARGO_PKG_VERSION"));

/// Which addresses may be sent to beside public ones.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Allowed(Vec<IpNet>);

impl Allowed {
    /// Those of these networks.
    pub fn new(networks: Vec<IpNet>) -> Self {
        Self(networks)
    }

    /// Those networks.
    pub fn networks(&self) -> &[IpNet] {
        &self.0
    }

    fn admits(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        is_public(address) || self.0.iter().any(|network| network.contains(&address))
    }
}

/// Whether an address is one of the Internet's (source: IANA's registries of special-purpose addresses).
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let is_special = match a {
        0 | 10 | 127 | 224.. => true,
        100 => (64..128).contains(&b),
        169 => b == 254,
        172 => (16..32).contains(&b),
        192 => b == 168 || (b == 0 && matches!(c, 0 | 2)) || (b == 88 && c == 99),
        198 => matches!(b, 18 | 19) || (b == 51 && c == 100),
        203 => b == 0 && c == 113,
        _ => false,
    };
    !is_special
}

/// Of the global ones, those are left out that stand for another address or for none.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, ..] = address.segments();
    let is_global = (0x2000..0x4000).contains(&a);
    let stands_for_another = a == 0x2002 || (a == 0x2001 && (b < 0x0200 || b == 0x0db8)) || a == 0x3fff;
    is_global && !stands_for_another
}

/// Why nothing was delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Undelivered {
    #[error("is not an address that may be sent to.")]
    NotAllowed,
    #[error("was answered {status}, which is not 2xx.")]
    Refused {
        status: u16,
        /// After which time it may be tried again, if the answer says.
        retry_after: Option<Duration>,
    },
    #[error("was not answered in time.")]
    Silent,
    #[error("cannot be reached.")]
    Unreachable,
    #[error("could not be signed.")]
    Unsigned,
}

/// What is sent.
#[derive(Clone, Copy)]
pub(super) struct Shipment<'a> {
    pub(super) tenant: &'a TenantId,
    pub(super) uri: &'a str,
    /// Equal over all deliveries of an event.
    pub(super) event_id: &'a str,
    /// How often it was sent before.
    pub(super) retry: u32,
    /// JSON.
    pub(super) body: &'a str,
}

/// The client.
pub(super) struct Outgoing {
    client: Client,
    keys: SigningKeys,
    allowed: Allowed,
    verifying: Semaphore,
}

impl Outgoing {
    /// A client that signs with these. The error is a sentence.
    pub(super) fn new(keys: SigningKeys, allowed: Allowed) -> Result<Self, &'static str> {
        let client = Client::builder()
            .user_agent(USER_AGENT)
            .redirect(redirect::Policy::none())
            .referer(false)
            .retry(retry::never())
            .no_proxy()
            .dns_resolver(Arc::new(Guarded(allowed.clone())))
            .pool_max_idle_per_host(IDLE_PER_RECEIVER)
            .pool_idle_timeout(IDLE_FOR)
            .tcp_nodelay(true)
            .build()
            .map_err(
                |_| "TLS cannot be set up: install the system's CA certificates, or name them in SSL_CERT_FILE",
            )?;
        Ok(Self {
            client,
            keys,
            allowed,
            verifying: Semaphore::new(VERIFYING_MAX),
        })
    }

    /// Sends what v2 sent to an address to be verified, once.
    pub(super) async fn verify(
        &self,
        tenant: &TenantId,
        uri: &str,
        version: &str,
    ) -> Result<(), Undelivered> {
        let body = json!({
            "eventType": "WEB_HOOK_VERIFY",
            "messageType": "SYSTEM",
            "notificationVersion": version,
        })
        .to_string();
        let delivery = async {
            let _permit = self.verifying.acquire().await.map_err(|_| Undelivered::Silent)?;
            let shipment = Shipment {
                tenant,
                uri,
                event_id: &Uuid::new_v4().to_string(),
                retry: 0,
                body: &body,
            };
            self.send(shipment, PATIENCE).await
        };
        // Others that are being verified do not make anybody wait for longer.
        tokio::time::timeout(PATIENCE, delivery)
            .await
            .unwrap_or(Err(Undelivered::Silent))
    }

    /// Sends something once. It must be answered 2xx within this time.
    pub(super) async fn send(&self, shipment: Shipment<'_>, within: Duration) -> Result<(), Undelivered> {
        let url = address(&self.allowed, shipment.uri)?;
        let signer = self.keys.current().ok_or(Undelivered::Unsigned)?;
        let parcel = Parcel {
            tenant: shipment.tenant.as_str(),
            customer: shipment.tenant.as_str(),
            event: shipment.event_id,
            retry: shipment.retry,
            sent_ms: jiff::Timestamp::now().as_millisecond(),
            body: shipment.body.as_bytes(),
        };
        let signature = signer.sign(&parcel.payload()).ok_or(Undelivered::Unsigned)?;
        let request = self
            .client
            .post(url)
            .timeout(within)
            .header(CONTENT_TYPE, "application/json")
            .header("x-8x8-tenant-id", parcel.tenant)
            .header("x-8x8-customer-id", parcel.customer)
            .header("x-8x8-event-id", parcel.event)
            .header("x-8x8-transmission-time", parcel.sent_ms)
            .header("x-8x8-retry", parcel.retry)
            .header("x-8x8-signature", signature)
            .body(shipment.body.to_owned());
        match request.send().await {
            Ok(answer) => outcome(answer).await,
            Err(error) if error.is_timeout() => Err(Undelivered::Silent),
            Err(_) => Err(Undelivered::Unreachable),
        }
    }
}

/// What an answer says. Its body is of no use, but while it is not read its connection cannot be used again.
async fn outcome(answer: Response) -> Result<(), Undelivered> {
    let status = answer.status();
    let retry_after = answer
        .headers()
        .get(RETRY_AFTER)
        .and_then(|value| value.to_str().ok()?.trim().parse().ok())
        .map(Duration::from_secs);
    if answer.content_length().is_some_and(|length| length <= ANSWER_MAX) {
        let _ = answer.bytes().await;
    }
    match status.is_success() {
        true => Ok(()),
        false => Err(Undelivered::Refused {
            status: status.as_u16(),
            retry_after,
        }),
    }
}

/// An address, unless it is one that may not be sent to. Names are looked at when they are resolved; addresses are not resolved.
fn address(allowed: &Allowed, uri: &str) -> Result<Url, Undelivered> {
    let url = Url::parse(uri).map_err(|_| Undelivered::NotAllowed)?;
    let is_http = matches!(url.scheme(), "http" | "https");
    let admitted = match url.host() {
        Some(Host::Ipv4(address)) => allowed.admits(address.into()),
        Some(Host::Ipv6(address)) => allowed.admits(address.into()),
        Some(Host::Domain(_)) => true,
        None => false,
    };
    match is_http && admitted {
        true => Ok(url),
        false => Err(Undelivered::NotAllowed),
    }
}

/// Resolves names to those of their addresses that may be sent to.
struct Guarded(Allowed);

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let allowed = self.0.clone();
        Box::pin(async move {
            let all = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let admitted: Vec<SocketAddr> = all.filter(|address| allowed.admits(address.ip())).collect();
            if admitted.is_empty() {
                return Err("none of its addresses may be sent to".into());
            }
            Ok(Box::new(admitted.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("8.8.8.8", true)]
    #[case("1.1.1.1", true)]
    #[case("172.15.0.1", true)]
    #[case("172.32.0.1", true)]
    #[case("2606:4700::1", true)]
    #[case("127.0.0.1", false)]
    #[case("10.1.2.3", false)]
    #[case("172.16.0.1", false)]
    #[case("172.31.255.255", false)]
    #[case("192.168.1.1", false)]
    #[case("169.254.169.254", false)]
    #[case("100.64.0.1", false)]
    #[case("0.0.0.0", false)]
    #[case("224.0.0.1", false)]
    #[case("255.255.255.255", false)]
    #[case("192.0.2.1", false)]
    #[case("198.18.0.1", false)]
    #[case("198.51.100.1", false)]
    #[case("203.0.113.1", false)]
    #[case("::1", false)]
    #[case("::", false)]
    #[case("::ffff:10.0.0.1", false)]
    #[case("::ffff:127.0.0.1", false)]
    #[case("fe80::1", false)]
    #[case("fc00::1", false)]
    #[case("ff02::1", false)]
    #[case("64:ff9b::a00:1", false)]
    #[case("2002:a00:1::1", false)]
    #[case("2001:0:1::1", false)]
    #[case("2001:db8::1", false)]
    fn only_public_addresses_are_sent_to(#[case] address: IpAddr, #[case] expected: bool) {
        assert_eq!(Allowed::default().admits(address), expected);
    }

    #[test]
    fn private_ones_may_be_allowed() {
        let allowed = Allowed::new(vec!["10.2.0.0/16".parse().unwrap()]);
        assert!(allowed.admits("10.2.3.4".parse().unwrap()));
        assert!(allowed.admits("::ffff:10.2.3.4".parse().unwrap()));
        assert!(!allowed.admits("10.3.0.1".parse().unwrap()));
    }

    #[rstest]
    #[case("http://127.0.0.1/")]
    #[case("http://0x7f.1/")]
    #[case("http://2130706433/")]
    #[case("http://127.1/")]
    #[case("http://[::1]/")]
    #[case("http://[::ffff:7f00:1]/")]
    #[case("file:///etc/passwd")]
    #[case("gopher://8.8.8.8/")]
    fn addresses_in_disguise_are_known(#[case] uri: &str) {
        assert_eq!(
            address(&Allowed::default(), uri).unwrap_err(),
            Undelivered::NotAllowed
        );
    }

    #[tokio::test]
    async fn names_of_private_addresses_are_not_resolved() {
        let resolved = |allowed| Guarded(allowed).resolve("localhost".parse().unwrap());
        assert!(resolved(Allowed::default()).await.is_err());
        let networks = vec!["127.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()];
        assert!(resolved(Allowed::new(networks)).await.is_ok());
    }
}
