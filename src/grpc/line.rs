//! The connection by which a call came: where it comes from, who its client proved to be, and how to cut it.

use std::{
    net::IpAddr,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    task::Context,
    time::SystemTime,
};

use futures_util::task::AtomicWaker;

/// The certificate that a client presented, once it was verified against the client CAs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientCertificate {
    /// The names in its subject alternative name, in the certificate's order: a URI as it is, such as
    /// `spiffe://example.org/bot`, and a DNS name as `dns:NAME` in lower case. Empty where it has none of either.
    pub identities: Vec<String>,
    /// Until when it is valid.
    pub not_after: SystemTime,
}

/// A connection, as its calls know it.
#[derive(Debug, Clone)]
pub struct Line(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    address: Option<IpAddr>,
    certificate: OnceLock<ClientCertificate>,
    cut: AtomicBool,
    /// Of whoever serves the connection.
    waker: AtomicWaker,
}

impl Line {
    /// A connection from this address.
    pub fn new(address: Option<IpAddr>) -> Self {
        Self(Arc::new(Inner {
            address,
            certificate: OnceLock::new(),
            cut: AtomicBool::new(false),
            waker: AtomicWaker::new(),
        }))
    }

    /// Where it comes from.
    pub fn address(&self) -> Option<IpAddr> {
        self.0.address
    }

    /// What its client proved to be by TLS; `None` without TLS, and where it presented no certificate. It is there before the
    /// first call of the connection is.
    pub fn certificate(&self) -> Option<&ClientCertificate> {
        self.0.certificate.get()
    }

    /// Notes what the client presented, after the handshake and before anything is read from it. Only the first time counts.
    pub fn set_certificate(&self, certificate: ClientCertificate) {
        // A connection has one handshake.
        let _ = self.0.certificate.set(certificate);
    }

    /// Ends the connection, with all that is on it.
    pub fn cut(&self) {
        self.0.cut.store(true, Ordering::Release);
        self.0.waker.wake();
    }

    /// Whether it is to end; if not, whoever asks is woken once it is.
    pub fn poll_cut(&self, context: &Context<'_>) -> bool {
        self.0.waker.register(context.waker());
        self.0.cut.load(Ordering::Acquire)
    }
}
