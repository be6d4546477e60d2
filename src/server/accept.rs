//! Accepts connections of the gRPC port: so many and no more, and none that is dead for long.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use futures_util::Stream;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    time::Sleep,
};
use tonic::transport::server::{Connected, TcpConnectInfo};
use tracing::{debug, warn};

use crate::grpc::gate::{Admitted, Gate, Refused};

/// How long accepting rests where it failed, as for want of file descriptors.
const REST: Duration = Duration::from_millis(100);

/// Accepts connections. It never fails and never ends: tonic would stop serving.
pub(super) struct Incoming {
    listener: TcpListener,
    gate: Arc<Gate>,
    /// After which time a connection is given up whose other end does not say that it got what was sent.
    user_timeout: Duration,
    rest: Option<Pin<Box<Sleep>>>,
}

impl Incoming {
    pub(super) fn new(listener: TcpListener, gate: Arc<Gate>, user_timeout: Duration) -> Self {
        Self {
            listener,
            gate,
            user_timeout,
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
        // Small answers must not wait for more. Where either fails, the connection is broken, and reading will tell.
        let _ = stream.set_nodelay(true);
        #[cfg(target_os = "linux")]
        let _ = socket2::SockRef::from(&stream).set_tcp_user_timeout(Some(self.user_timeout));
        Some(Connection {
            stream,
            _admitted: admitted,
        })
    }
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
    stream: TcpStream,
    _admitted: Admitted,
}

impl Connected for Connection {
    type ConnectInfo = TcpConnectInfo;

    fn connect_info(&self) -> Self::ConnectInfo {
        self.stream.connect_info()
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buf)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
