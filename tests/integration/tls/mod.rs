//! Encrypted connections: at gRPC, at the webhook door, and to Redis.

mod grpc;
mod redis;
mod rotation;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use chatbridge::{
    grpc::proto::{ListSessionsRequest, session_service_client::SessionServiceClient},
    tls::install_provider,
};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};
use tonic::{
    Status,
    transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity},
};

use crate::support::{
    certificates::{Authority, Issued, Mounted},
    service::Service,
};

/// How long a handshake or a call may take before it counts as held up.
const SOON: Duration = Duration::from_secs(10);

/// A service in memory, with these settings.
async fn serve(settings: &[(&str, &str)]) -> Service {
    let mut all = vec![
        ("gateway_url", "http://127.0.0.1:1"),
        ("tenant", "acme"),
        ("api_key", "k3y"),
        ("redis_url", "memory:"),
        ("heartbeat_ms", "200"),
        ("drain_spread_ms", "100"),
    ];
    all.extend_from_slice(settings);
    Service::start(&all).await
}

fn files_of(issued: &Issued) -> Mounted {
    Mounted::new(&[("tls.crt", &issued.cert), ("tls.key", &issued.key)])
}

fn address(url: &str) -> SocketAddr {
    url.split_once("://")
        .map_or(url, |(_, rest)| rest)
        .parse()
        .unwrap()
}

/// A channel over TLS to the port of a service, for whoever believes this authority.
async fn channel(
    service: &Service,
    ca: &str,
    identity: Option<&Issued>,
) -> Result<Channel, tonic::transport::Error> {
    install_provider();
    let mut tls = ClientTlsConfig::new()
        .ca_certificate(Certificate::from_pem(ca))
        .domain_name("localhost");
    if let Some(Issued { cert, key, .. }) = identity {
        tls = tls.identity(Identity::from_pem(cert, key));
    }
    Endpoint::from_shared(format!("https://{}", address(&service.grpc)))?
        .tls_config(tls)?
        .connect_timeout(SOON)
        .connect()
        .await
}

/// A call that needs nothing but the service.
async fn call(channel: Channel) -> Result<(), Status> {
    let mut sessions = SessionServiceClient::new(channel);
    let asked = sessions.list_sessions(ListSessionsRequest::default());
    tokio::time::timeout(SOON, asked)
        .await
        .expect("it is not held up")
        .map(drop)
}

/// A connection by hand, with what the server presented.
async fn shake(address: SocketAddr, ca: &str, alpn: &[&str]) -> std::io::Result<TlsStream<TcpStream>> {
    install_provider();
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(ca.as_bytes()) {
        roots.add(certificate.unwrap()).unwrap();
    }
    let mut config = ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
    let stream = TcpStream::connect(address).await?;
    let name = ServerName::try_from("localhost").unwrap();
    let shaken = TlsConnector::from(Arc::new(config)).connect(name, stream);
    tokio::time::timeout(SOON, shaken)
        .await
        .expect("it is not held up")
}

/// The certificate that a port presents to a new connection, DER.
async fn presented(address: SocketAddr, ca: &str) -> Option<Vec<u8>> {
    let stream = shake(address, ca, &[]).await.ok()?;
    let certificates = stream.get_ref().1.peer_certificates()?;
    Some(certificates.first()?.to_vec())
}

/// Two authorities, of which whoever believes this text believes both.
fn both(one: &Authority, other: &Authority) -> String {
    format!("{}{}", one.pem(), other.pem())
}
