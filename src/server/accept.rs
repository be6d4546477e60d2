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
}
