//! The ports: free, or served by Chatbridge already.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use bytes::Bytes;
use http::{StatusCode, header::CONTENT_TYPE};
use reqwest::{Client, Response};
use tokio::net::TcpListener;

use super::{Report, finding::LISTEN};
use crate::config::Config;

/// How long whoever has a port may take to say who it is.
const ANSWERED_WITHIN: Duration = Duration::from_secs(3);

/// `HealthCheckRequest` for `chatbridge.v1.SessionService`, as gRPC frames it: not compressed, length, field 1.
const HEALTH_OF: &str = "chatbridge.v1.SessionService";

/// Who has a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holder {
    Chatbridge,
    Other,
    /// It does not tell, at least not us.
    Silent,
}

pub(super) async fn examine(config: &Config, report: &mut Report) {
    let grpc = config.grpc_tls.is_some();
    let webhook = config.webhook_tls.is_some();
    port("grpc", config.grpc_listen, grpc, report).await;
    port("webhook", config.webhook_listen, webhook, report).await;
    port("admin", config.admin_listen, false, report).await;
    if let Some(chat_v2) = &config.chat_v2 {
        port("chat_v2", chat_v2.listen, chat_v2.tls.is_some(), report).await;
    }
}

async fn port(name: &str, address: SocketAddr, tls: bool, report: &mut Report) {
    let other = format!("choose another address with {name}_listen");
    match TcpListener::bind(address).await {
        Ok(_) => report.ok(LISTEN, name, format!("{address} is free.")),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            held(name, address, tls, &other, report).await;
        }
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => report.error(
            LISTEN,
            name,
            format!("{address} cannot be listened on: {error}."),
            format!(
                "Ports below 1024 need a right of their own (CAP_NET_BIND_SERVICE): grant it, or {other}."
            ),
        ),
        Err(error) => report.error(
            LISTEN,
            name,
            format!("{address} cannot be listened on: {error}."),
            format!("Use an address of this machine, or {other}."),
        ),
    }
}

async fn held(name: &str, address: SocketAddr, tls: bool, other: &str, report: &mut Report) {
    match who(name, reached(address), tls).await {
        Holder::Chatbridge => report.ok(LISTEN, name, format!("Chatbridge listens on {address} already.")),
        Holder::Silent => report.warning(
            LISTEN,
            name,
            format!("Something listens on {address}, and does not tell whether it is Chatbridge."),
            format!("See what it is (`ss -ltnp`); if it is not the service, stop it, or {other}."),
        ),
        Holder::Other => report.error(
            LISTEN,
            name,
            format!("Something else than Chatbridge listens on {address}."),
            format!("Stop it (`ss -ltnp` says what it is), or {other}."),
        ),
    }
}

/// Where something that listens on all addresses can be reached.
fn reached(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

async fn who(name: &str, address: SocketAddr, tls: bool) -> Holder {
    let scheme = if tls { "https" } else { "http" };
    let base = format!("{scheme}://{address}");
    let builder = Client::builder()
        .no_proxy()
        .timeout(ANSWERED_WITHIN)
        .redirect(reqwest::redirect::Policy::none())
        // It is asked who it is, and is told nothing.
        .tls_danger_accept_invalid_certs(true);
    let builder = match (name, tls) {
        ("grpc", false) => builder.http2_prior_knowledge(),
        ("grpc", true) => builder,
        _ => builder.http1_only(),
    };
    let Ok(client) = builder.build() else {
        return Holder::Silent;
    };
    let asked = match name {
        "grpc" => grpc(&client, &base).await,
        "webhook" => webhook(&client, &base).await,
        "chat_v2" => chat_v2(&client, &base).await,
        _ => admin(&client, &base).await,
    };
    match asked {
        Ok(true) => Holder::Chatbridge,
        Ok(false) => Holder::Other,
        // With TLS it may want a certificate first, and the webhook door may close to strangers.
        Err(_) if tls || name == "webhook" => Holder::Silent,
        Err(_) => Holder::Other,
    }
}

/// Its health service knows our services; it is open to everybody.
async fn grpc(client: &Client, base: &str) -> reqwest::Result<bool> {
    let length = u8::try_from(HEALTH_OF.len()).unwrap_or_default();
    let mut frame = vec![0, 0, 0, 0, length + 2, 0x0a, length];
    frame.extend_from_slice(HEALTH_OF.as_bytes());
    let answer = client
        .post(format!("{base}/grpc.health.v1.Health/Check"))
        .header(CONTENT_TYPE, "application/grpc")
        .header("te", "trailers")
        .body(Bytes::from(frame))
        .send()
        .await?;
    let is_grpc = answer
        .headers()
        .get(CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"application/grpc"));
    // A refusal has its status in the head, an answer behind it.
    Ok(is_grpc && !answer.headers().contains_key("grpc-status"))
}

/// The door refuses another method than POST at its path, without a word; with a path secret whatever the secret.
async fn webhook(client: &Client, base: &str) -> reqwest::Result<bool> {
    for path in ["/webhooks/8x8", "/webhooks/8x8/doctor"] {
        let answer = client.get(format!("{base}{path}")).send().await?;
        if answer.status() == StatusCode::METHOD_NOT_ALLOWED && text(answer).await?.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The token endpoint refuses another method than POST, as a problem.
async fn chat_v2(client: &Client, base: &str) -> reqwest::Result<bool> {
    let answer = client.get(format!("{base}/oauth/v2/token")).send().await?;
    let kind = answer.headers().get(CONTENT_TYPE).cloned();
    let is_problem = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/problem+json"));
    Ok(is_problem && answer.status() == StatusCode::METHOD_NOT_ALLOWED)
}

/// Its metrics have our names.
async fn admin(client: &Client, base: &str) -> reqwest::Result<bool> {
    let answer = client.get(format!("{base}/metrics")).send().await?;
    let is_found = answer.status() == StatusCode::OK;
    Ok(is_found && text(answer).await?.contains("chatbridge_"))
}

/// The beginning of a body; enough to know it by.
async fn text(mut answer: Response) -> reqwest::Result<String> {
    const ENOUGH: usize = 1 << 20;
    let mut text = Vec::new();
    while let Some(chunk) = answer.chunk().await? {
        text.extend_from_slice(&chunk);
        if text.len() > ENOUGH {
            break;
        }
    }
    Ok(String::from_utf8_lossy(&text).into_owned())
}
