//! The connection by which a call came: where it comes from, and how to cut it.

use std::{
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::Context,
};

use futures_util::task::AtomicWaker;

/// A connection, as its calls know it.
#[derive(Debug, Clone)]
pub struct Line(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    address: Option<IpAddr>,
    cut: AtomicBool,
    /// Of whoever serves the connection.
    waker: AtomicWaker,
}

impl Line {
    /// A connection from this address.
    pub fn new(address: Option<IpAddr>) -> Self {
        Self(Arc::new(Inner {
            address,
            cut: AtomicBool::new(false),
            waker: AtomicWaker::new(),
        }))
    }

    /// Where it comes from.
    pub fn address(&self) -> Option<IpAddr> {
        self.0.address
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
