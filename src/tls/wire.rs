//! A connection to a port, with TLS or without. Its handshake is made by its first read or write, so that whoever accepts
//! connections waits for nobody.

use std::{
    future::Future as _,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::SystemTime,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tokio_rustls::{Accept, TlsAcceptor, server::TlsStream};
use tracing::debug;

use super::{Endpoint, certificate};
use crate::grpc::line::ClientCertificate;

/// Counter of handshakes that failed, by `port`.
const FAILED: &str = "chatbridge_tls_handshakes_failed_total";

/// A connection with TLS or without.
pub struct Wire {
    state: State,
    certificate: Option<ClientCertificate>,
}

enum State {
    Plain(TcpStream),
    Shaking {
        accept: Box<Accept<TcpStream>>,
        port: &'static str,
    },
    Secured(Box<TlsStream<TcpStream>>),
    Failed,
}

impl Wire {
    /// A connection that was accepted; with TLS where the port has an endpoint.
    pub fn new(stream: TcpStream, tls: Option<&Endpoint>) -> Self {
        let state = match tls {
            None => State::Plain(stream),
            Some(tls) => State::Shaking {
                accept: Box::new(TlsAcceptor::from(tls.current()).accept(stream)),
                port: tls.port(),
            },
        };
        Self {
            state,
            certificate: None,
        }
    }

    /// Makes the handshake, where one is to be made. An error is the end of the connection.
    pub fn poll_secured(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let State::Shaking { accept, port } = &mut self.state else {
            return match self.state {
                State::Failed => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
                _ => Poll::Ready(Ok(())),
            };
        };
        let port = *port;
        let shaken = ready!(Pin::new(&mut **accept).poll(context)).and_then(|stream| {
            let presented = stream.get_ref().1.peer_certificates().unwrap_or_default();
            let certificate = presented
                .first()
                .map(|der| certificate::of_client(der, SystemTime::now()))
                .transpose()
                .map_err(|what| io::Error::other(format!("the client's certificate {what}")))?;
            Ok((stream, certificate))
        });
        Poll::Ready(match shaken {
            Ok((stream, certificate)) => {
                self.state = State::Secured(Box::new(stream));
                self.certificate = certificate;
                Ok(())
            }
            Err(error) => {
                self.state = State::Failed;
                metrics::counter!(FAILED, "port" => port).increment(1);
                debug!(port, %error, "a TLS handshake failed");
                Err(error)
            }
        })
    }

    /// Makes the handshake, where one is to be made.
    pub async fn secured(&mut self) -> io::Result<()> {
        std::future::poll_fn(|context| self.poll_secured(context)).await
    }

    /// What the client presented, once; there after the handshake.
    pub fn take_certificate(&mut self) -> Option<ClientCertificate> {
        self.certificate.take()
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        ready!(self.poll_secured(context))?;
        match &mut self.state {
            State::Plain(stream) => Pin::new(stream).poll_read(context, buf),
            State::Secured(stream) => Pin::new(&mut **stream).poll_read(context, buf),
            State::Shaking { .. } | State::Failed => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_secured(context))?;
        match &mut self.state {
            State::Plain(stream) => Pin::new(stream).poll_write(context, buf),
            State::Secured(stream) => Pin::new(&mut **stream).poll_write(context, buf),
            State::Shaking { .. } | State::Failed => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_secured(context))?;
        match &mut self.state {
            State::Plain(stream) => Pin::new(stream).poll_write_vectored(context, bufs),
            State::Secured(stream) => Pin::new(&mut **stream).poll_write_vectored(context, bufs),
            State::Shaking { .. } | State::Failed => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.state {
            State::Plain(stream) => Pin::new(stream).poll_flush(context),
            State::Secured(stream) => Pin::new(&mut **stream).poll_flush(context),
            // Nothing was written yet.
            State::Shaking { .. } | State::Failed => Poll::Ready(Ok(())),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.state {
            State::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            State::Secured(stream) => Pin::new(&mut **stream).poll_shutdown(context),
            // Dropping it closes it.
            State::Shaking { .. } | State::Failed => Poll::Ready(Ok(())),
        }
    }
}
