//! How the vendor is reached: headers that go with every request, time limits, proxies and TLS.

use std::time::Duration;

use reqwest::{
    Client, ClientBuilder,
    header::{ACCEPT, HeaderMap, HeaderValue},
    redirect, retry,
};
use secrecy::ExposeSecret;
use url::{Host, Url};

use super::GatewaySettings;

const USER_AGENT: &str = concat!("chatbridge/", env!("CARGO_PKG_VERSION"));
const KEY_HEADER: &str = "x-api-key";
const ACCEPTED: &str = "application/hal+json, application/json, application/problem+json";

/// Shorter than load balancers keep idle connections: a request on a connection that the other side is about to close has an
/// unknown outcome.
const POOL_IDLE: Duration = Duration::from_secs(30);
/// The longest time limit that can be meant, and the longest for a file.
const TIMEOUT_LIMIT: Duration = Duration::from_secs(3600);
const TRANSFER_LIMIT: Duration = Duration::from_secs(24 * 3600);

const KEEPALIVE: Duration = Duration::from_secs(20);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(10);

/// What requests go through. The key is among the headers of both.
#[derive(Debug, Clone)]
pub(super) struct Clients {
    /// For all that is short.
    pub(super) calls: Client,
    /// For files, each on a connection of its own. On one that HTTP/2 shares, a few downloads whose readers stand still would
    /// use up what may wait for being read, and with it hold up everybody's answers.
    pub(super) files: Client,
}

/// Builds the clients. The error is a sentence.
pub(super) fn clients(settings: &GatewaySettings) -> Result<Clients, &'static str> {
    let is_sane = |limit: Duration| !limit.is_zero() && limit <= TIMEOUT_LIMIT;
    if !is_sane(settings.timeout) || !is_sane(settings.connect_timeout) {
        return Err("the time limits of the Chat Gateway must be more than zero and at most an hour");
    }
    if settings.transfer_timeout.is_zero() || settings.transfer_timeout > TRANSFER_LIMIT {
        return Err("the time limit of a file must be more than zero and at most a day");
    }
    if settings.resilience.in_flight == 0 || settings.resilience.circuit_open > TIMEOUT_LIMIT {
        return Err(
            "there must be at least one request at once, and the circuit breaker be open for at most an hour",
        );
    }
    let mut key = header(settings.api_key.expose_secret())
        .ok_or("the API key must be one or more visible ASCII characters")?;
    key.set_sensitive(true);
    let mut headers = HeaderMap::new();
    headers.insert(KEY_HEADER, key);
    headers.insert(ACCEPT, HeaderValue::from_static(ACCEPTED));
    let built = |builder: ClientBuilder| {
        builder.build().map_err(
            |_| "TLS cannot be set up: install the system's CA certificates, or name them in SSL_CERT_FILE",
        )
    };
    Ok(Clients {
        calls: built(builder(settings, headers.clone()))?,
        files: built(builder(settings, headers).http1_only())?,
    })
}

fn builder(settings: &GatewaySettings, headers: HeaderMap) -> ClientBuilder {
    let mut builder = Client::builder()
        .user_agent(USER_AGENT)
        .default_headers(headers)
        // A redirect would carry the key to another place.
        .redirect(redirect::Policy::none())
        .referer(false)
        // One call is one request; by default, requests that HTTP/2 servers refuse are sent again.
        .retry(retry::never())
        .connect_timeout(settings.connect_timeout.min(settings.timeout * 9 / 10))
        .pool_idle_timeout(POOL_IDLE)
        .tcp_nodelay(true)
        .tcp_keepalive(KEEPALIVE)
        .http2_keep_alive_interval(KEEPALIVE)
        .http2_keep_alive_timeout(KEEPALIVE_TIMEOUT)
        .http2_keep_alive_while_idle(true);
    if is_loopback(&settings.base_url) {
        builder = builder.no_proxy();
    }
    if settings.base_url.scheme() == "http" {
        // Without TLS, a system that has no CA certificates is no reason to refuse.
        builder = builder.tls_certs_only([]);
    }
    builder
}

/// Whether a URL leads to this machine: nothing that goes there needs a proxy, or TLS.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// A header's value, where `text` can be one as it is: one or more visible ASCII characters.
pub(super) fn header(text: &str) -> Option<HeaderValue> {
    let can_be = !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic());
    HeaderValue::from_str(text).ok().filter(|_| can_be)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::{Gateway, UpstreamErrorKind};

    fn settings(base_url: &str, api_key: &str) -> GatewaySettings {
        GatewaySettings {
            base_url: Url::parse(base_url).unwrap(),
            api_key: api_key.to_owned().into(),
            timeout: Duration::from_secs(1),
            connect_timeout: Duration::from_secs(1),
            transfer_timeout: Duration::from_secs(60),
            resilience: crate::gateway::Resilience::NONE,
        }
    }

    #[test]
    fn debug_shows_no_key() {
        let settings = settings("http://127.0.0.1:1", "top-secret");
        let gateway = Gateway::new(settings.clone()).unwrap();
        for shown in [
            format!("{settings:?}"),
            format!("{gateway:?}"),
            format!("{:?}", clients(&settings)),
        ] {
            assert!(!shown.contains("top-secret"), "{shown}");
        }
    }

    #[test]
    fn a_key_that_cannot_be_sent_is_refused() {
        for key in ["", " ", "line\nbreak", "schlüssel"] {
            let error = Gateway::new(settings("http://127.0.0.1:1", key)).unwrap_err();
            assert_eq!(error.kind, UpstreamErrorKind::Invalid);
            assert!(error.message.contains("API key"), "{}", error.message);
        }
    }

    #[test]
    fn a_time_limit_that_cannot_be_meant_is_refused() {
        for limit in [Duration::ZERO, Duration::from_secs(3601), Duration::MAX] {
            let sane = settings("http://127.0.0.1:1", "key");
            let mut timeout = sane.clone();
            timeout.timeout = limit;
            let mut connect = sane;
            connect.connect_timeout = limit;
            for settings in [timeout, connect] {
                let error = Gateway::new(settings).unwrap_err();
                assert_eq!(error.kind, UpstreamErrorKind::Invalid);
                assert!(error.message.contains("time limits"), "{}", error.message);
            }
        }
    }

    #[test]
    fn limits_that_cannot_be_meant_are_refused() {
        let sane = settings("http://127.0.0.1:1", "key");
        for limit in [Duration::ZERO, Duration::from_secs(86_401), Duration::MAX] {
            let mut settings = sane.clone();
            settings.transfer_timeout = limit;
            let error = Gateway::new(settings).unwrap_err();
            assert_eq!(error.kind, UpstreamErrorKind::Invalid);
            assert!(error.message.contains("of a file"), "{}", error.message);
        }
        let (mut none, mut for_ever) = (sane.clone(), sane);
        none.resilience.in_flight = 0;
        for_ever.resilience.circuit_open = Duration::MAX;
        for settings in [none, for_ever] {
            let error = Gateway::new(settings).unwrap_err();
            assert_eq!(error.kind, UpstreamErrorKind::Invalid);
            assert!(
                error.message.contains("at least one request"),
                "{}",
                error.message
            );
        }
    }

    #[test]
    fn a_base_url_that_cannot_be_meant_is_refused() {
        let error = Gateway::new(settings("ftp://127.0.0.1", "key")).unwrap_err();
        assert_eq!(error.kind, UpstreamErrorKind::Invalid);
    }

    /// What a client offers when it connects with TLS, as the server sees it.
    async fn hello(of: impl FnOnce(Clients) -> Client) -> Vec<u8> {
        use tokio::io::AsyncReadExt as _;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("https://{}", listener.local_addr().unwrap());
        let client = of(clients(&settings(&base, "key")).unwrap());
        let asking = tokio::spawn(client.get(base).send());
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut hello = vec![0; 5];
        stream.read_exact(&mut hello).await.unwrap();
        let len = u16::from_be_bytes([hello[3], hello[4]]);
        hello.resize(5 + usize::from(len), 0);
        stream.read_exact(&mut hello[5..]).await.unwrap();
        asking.abort();
        hello
    }

    #[tokio::test]
    async fn calls_may_share_a_connection_and_files_never_do() {
        let offers = |hello: &[u8], protocols: &[u8]| hello.windows(protocols.len()).any(|w| w == protocols);
        let of_calls = hello(|clients| clients.calls).await;
        assert!(offers(&of_calls, b"\x02h2\x08http/1.1"));
        let of_files = hello(|clients| clients.files).await;
        assert!(offers(&of_files, b"\x08http/1.1") && !offers(&of_files, b"\x02h2\x08http/1.1"));
    }
}
