//! Accepts connections of the gRPC port: so many and no more, and none that is dead or silent for long.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use futures_util::Stream;
use socket2::{SockRef, TcpKeepalive};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    time::Sleep,
};
use tonic::transport::server::Connected;
use tracing::{debug, warn};

use crate::{
    grpc::{
        gate::{Admitted, Gate, Refused},
        line::Line,
    },
    tls::{Endpoint, Wire},
};

/// How long accepting rests where it failed, as for want of file descriptors.
pub(super) const REST: Duration = Duration::from_millis(100);
/// How many bytes tell what a connection speaks: those with which HTTP/2 begins. Until they are there nobody asks whether the
/// other end is.
const GREETING_BYTES: usize = 24;
/// The finest that a system counts in for `SO_KEEPALIVE`.
const SECOND: Duration = Duration::from_secs(1);

/// When a connection is given up whose other end may be gone.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// After how long a silence the other end is asked.
    pub(super) silence: Duration,
    /// How long its answer may take.
    pub(super) answer: Duration,
}

impl Patience {
    /// How long nothing may be heard.
    pub(super) fn in_all(self) -> Duration {
        self.silence + self.answer
    }

    /// Lets the system find out whether the other end is gone, which HTTP/1 does not. Where that fails, the connection is
    /// broken, and reading will tell.
    pub(super) fn set(self, stream: &TcpStream) {
        let socket = SockRef::from(stream);
        let keepalive = TcpKeepalive::new().with_time(self.silence.max(SECOND));
        #[cfg(target_os = "linux")]
        let keepalive = {
            // What was sent must be acknowledged in time, and so must questions.
            let _ = socket.set_tcp_user_timeout(Some(self.in_all()));
            keepalive
                .with_interval((self.answer / 2).max(SECOND))
                .with_retries(2)
        };
        let _ = socket.set_tcp_keepalive(&keepalive);
    }
}

/// Accepts connections. It never fails and never ends: tonic would stop serving.
pub(super) struct Incoming {
    listener: TcpListener,
    gate: Arc<Gate>,
    patience: Patience,
    /// `None`: connections are not encrypted.
    tls: Option<Arc<Endpoint>>,
    rest: Option<Pin<Box<Sleep>>>,
}

impl Incoming {
    pub(super) fn new(
        listener: TcpListener,
        gate: Arc<Gate>,
        patience: Patience,
        tls: Option<Arc<Endpoint>>,
    ) -> Self {
        Self {
            listener,
            gate,
            patience,
            tls,
            rest: None,
        }
    }

    fn admit(&self, stream: TcpStream, address: SocketAddr) -> Option<Connection> {
        let admitted = match self.gate.admit(Some(address.ip())) {
            Ok(admitted) => admitted,
            Err(refused) => {
                let limit = match refused {
                    Refused::Total => "total",
                    Refused::Address => "address",
                };
                metrics::counter!("chatbridge_connections_refused_total", "limit" => limit).increment(1);
                debug!(%address, limit, "a connection was closed: there are as many as there may be");
                return None;
            }
        };
        // Small answers must not wait for more.
        let _ = stream.set_nodelay(true);
        self.patience.set(&stream);
        Some(Connection {
            wire: Wire::new(stream, self.tls.as_deref()),
            line: Line::new(Some(address.ip())),
            greeting: Some(Greeting {
                missing: GREETING_BYTES,
                deadline: Box::pin(tokio::time::sleep(self.patience.in_all())),
            }),
            _admitted: admitted,
        })
    }
}

/// Whether accepting failed for the one connection that was to be accepted, and the next may do better.
pub(super) fn is_of_one(error: &io::Error) -> bool {
    use io::ErrorKind::{
        ConnectionAborted, ConnectionRefused, ConnectionReset, HostUnreachable, Interrupted, NetworkDown,
        NetworkUnreachable, TimedOut,
    };
    matches!(
        error.kind(),
        ConnectionAborted
            | ConnectionRefused
            | ConnectionReset
            | HostUnreachable
            | Interrupted
            | NetworkDown
            | NetworkUnreachable
            | TimedOut
    )
}

impl Stream for Incoming {
    type Item = io::Result<Connection>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(rest) = &mut self.rest {
                ready!(rest.as_mut().poll(context));
                self.rest = None;
            }
            match ready!(self.listener.poll_accept(context)) {
                Ok((stream, address)) => {
                    if let Some(connection) = self.admit(stream, address) {
                        return Poll::Ready(Some(Ok(connection)));
                    }
                }
                Err(error) if is_of_one(&error) => {
                    debug!(%error, "a connection broke before it was accepted")
                }
                Err(error) => {
                    warn!(%error, "a connection cannot be accepted");
                    self.rest = Some(Box::pin(tokio::time::sleep(REST)));
                }
            }
        }
    }
}

/// A connection that was let in.
pub(super) struct Connection {
    wire: Wire,
    /// By which its calls may cut it.
    line: Line,
    /// What it has yet to say before it is known to be more than open.
    greeting: Option<Greeting>,
    _admitted: Admitted,
}

struct Greeting {
    missing: usize,
    deadline: Pin<Box<Sleep>>,
}

impl Connected for Connection {
    type ConnectInfo = Line;

    fn connect_info(&self) -> Self::ConnectInfo {
        self.line.clone()
    }
}

impl Connection {
    /// Makes the handshake of TLS where one is to be made, and notes who the client proved to be before anything is read.
    fn poll_secured(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let secured = self.wire.poll_secured(context);
        if let Some(certificate) = self.wire.take_certificate() {
            self.line.set_certificate(certificate);
        }
        secured
    }

    /// Whoever waits for the other end waits for the line to be cut as well.
    fn unless_cut<T>(&self, poll: Poll<io::Result<T>>, context: &Context<'_>) -> Poll<io::Result<T>> {
        if poll.is_pending() && self.line.poll_cut(context) {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        poll
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = match self.poll_secured(context) {
            Poll::Ready(Ok(())) => Pin::new(&mut self.wire).poll_read(context, buf),
            other => other,
        };
        let read = self.unless_cut(read, context);
        let Some(greeting) = &mut self.greeting else {
            return read;
        };
        if read.is_pending() {
            ready!(greeting.deadline.as_mut().poll(context));
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        greeting.missing = greeting.missing.saturating_sub(buf.filled().len() - before);
        if greeting.missing == 0 {
            self.greeting = None;
        }
        read
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = match self.poll_secured(context) {
            Poll::Ready(Ok(())) => Pin::new(&mut self.wire).poll_write(context, buf),
            other => other.map_ok(|()| 0),
        };
        self.unless_cut(written, context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = match self.poll_secured(context) {
            Poll::Ready(Ok(())) => Pin::new(&mut self.wire).poll_write_vectored(context, bufs),
            other => other.map_ok(|()| 0),
        };
        self.unless_cut(written, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.wire.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.wire).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.wire).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::it_was_given_up(nix::libc::ECONNABORTED, true)]
    #[case::its_network_is_gone(nix::libc::ENETUNREACH, true)]
    #[case::files_of_the_process(nix::libc::EMFILE, false)]
    #[case::files_of_the_system(nix::libc::ENFILE, false)]
    #[case::memory(nix::libc::ENOBUFS, false)]
    fn only_what_the_next_connection_would_fail_for_too_lets_accepting_rest(
        #[case] code: i32,
        #[case] expected: bool,
    ) {
        assert_eq!(is_of_one(&io::Error::from_raw_os_error(code)), expected);
    }

    /// A port with TLS that asks for certificates, and a client that has one.
    fn both_ends() -> (tempfile::TempDir, Arc<Endpoint>, Arc<rustls::ClientConfig>) {
        use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, SanType};
        use rustls::pki_types::{PrivateKeyDer, pem::PemObject as _};

        crate::tls::install_provider();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let issue = |name: SanType| {
            let mut params = CertificateParams::default();
            params.subject_alt_names = vec![name];
            let key = KeyPair::generate().unwrap();
            let certificate = params.signed_by(&key, &authority).unwrap();
            (certificate, key.serialize_pem())
        };
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, text: String| {
            let path = dir.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let (server, server_key) = issue(SanType::DnsName("localhost".try_into().unwrap()));
        let files = crate::tls::TlsFiles {
            cert: write("tls.crt", server.pem()),
            key: write("tls.key", server_key),
            client_auth: Some(crate::tls::ClientAuth {
                ca: write("ca.crt", authority.as_ref().pem()),
                required: true,
            }),
        };
        let endpoint = Endpoint::load("test", files, &[b"h2"]).unwrap();
        let (client, client_key) = issue(SanType::URI("spiffe://example.org/bot".try_into().unwrap()));
        let mut roots = rustls::RootCertStore::empty();
        roots.add(authority.as_ref().der().clone()).unwrap();
        let key = PrivateKeyDer::from_pem_slice(client_key.as_bytes()).unwrap();
        let mut config = rustls::ClientConfig::builder()
            .with_root_certificates(roots)
            .with_client_auth_cert(vec![client.der().clone()], key)
            .unwrap();
        config.alpn_protocols = vec![b"h2".to_vec()];
        (dir, endpoint, Arc::new(config))
    }

    #[tokio::test]
    async fn who_the_client_is_is_known_before_anything_is_read_of_it() {
        use futures_util::StreamExt as _;
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

        let (_dir, endpoint, client) = both_ends();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let patience = Patience {
            silence: Duration::from_secs(10),
            answer: Duration::from_secs(10),
        };
        let gate = Gate::new(crate::grpc::gate::Limits::default());
        let mut incoming = Incoming::new(listener, gate, patience, Some(endpoint));
        // Each with a session that could be resumed from the one before.
        for _ in 0..2 {
            let client = tokio_rustls::TlsConnector::from(Arc::clone(&client));
            let speaking = tokio::spawn(async move {
                let stream = TcpStream::connect(address).await.unwrap();
                let name = "localhost".try_into().unwrap();
                let mut stream = client.connect(name, stream).await.unwrap();
                stream.write_all(b"hello").await.unwrap();
                let mut answer = [0; 5];
                stream.read_exact(&mut answer).await.unwrap();
                answer
            });
            let mut connection = incoming.next().await.unwrap().unwrap();
            let line = connection.connect_info();
            assert!(line.certificate().is_none(), "nobody has proved anything yet");
            let mut heard = [0; 5];
            connection.read_exact(&mut heard).await.unwrap();
            assert_eq!(&heard, b"hello");
            let certificate = line.certificate().expect("it is known by now");
            assert_eq!(certificate.identities, ["spiffe://example.org/bot"]);
            assert!(certificate.not_after > std::time::SystemTime::now());
            connection.write_all(b"world").await.unwrap();
            connection.flush().await.unwrap();
            assert_eq!(&speaking.await.unwrap(), b"world");
        }
    }
}
