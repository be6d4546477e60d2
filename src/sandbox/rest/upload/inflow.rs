//! The body of an upload on its way to the parser, which would keep any amount of it between two parts: whatever stands before
//! the first boundary, and the head of a part, are read whole.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::{Context, Poll, ready},
};

use axum::body::{Body, BodyDataStream, Bytes};
use futures_util::Stream;

/// How many bytes a head may have, besides the two pieces of the body in which it begins and ends.
const HEAD_BYTES: usize = 16 << 10;

/// Says to the inflow what is being read.
#[derive(Clone, Default)]
pub(super) struct Gauge(Arc<Reading>);

#[derive(Default)]
struct Reading {
    /// A head, and not the content of a part.
    head: AtomicBool,
    /// How many pieces of it came, and how many bytes those behind the first have.
    pieces: AtomicUsize,
    bytes: AtomicUsize,
    too_long: AtomicBool,
    /// Nobody wants the rest.
    discard: AtomicBool,
}

impl Gauge {
    /// A part's head comes next.
    pub(super) fn head(&self) {
        self.0.pieces.store(0, Ordering::Relaxed);
        self.0.bytes.store(0, Ordering::Relaxed);
        self.0.head.store(true, Ordering::Relaxed);
    }

    /// A part's content comes next, which the reader takes piece by piece.
    pub(super) fn content(&self) {
        self.0.head.store(false, Ordering::Relaxed);
    }

    /// The rest is to be read, but not to be kept.
    pub(super) fn discard(&self) {
        self.0.discard.store(true, Ordering::Relaxed);
    }

    /// Whether a head was too long.
    pub(super) fn is_too_long(&self) -> bool {
        self.0.too_long.load(Ordering::Relaxed)
    }

    /// Whether another piece may be kept.
    fn admits(&self, bytes: usize) -> bool {
        if !self.0.head.load(Ordering::Relaxed) {
            return true;
        }
        let is_first = self.0.pieces.fetch_add(1, Ordering::Relaxed) == 0;
        let before = match is_first {
            true => 0,
            false => self.0.bytes.fetch_add(bytes, Ordering::Relaxed),
        };
        let fits = before <= HEAD_BYTES;
        self.0.too_long.fetch_or(!fits, Ordering::Relaxed);
        fits
    }
}

/// The body, piece by piece.
pub(super) struct Inflow {
    body: BodyDataStream,
    gauge: Gauge,
    /// The parser takes pieces for as long as there are any: after each, it is made to look at what it has.
    pause: bool,
}

impl Inflow {
    pub(super) fn new(body: Body, gauge: Gauge) -> Self {
        Self {
            body: body.into_data_stream(),
            gauge,
            pause: false,
        }
    }
}

impl Stream for Inflow {
    type Item = Result<Bytes, axum::BoxError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if std::mem::take(&mut self.pause) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        loop {
            let piece = ready!(Pin::new(&mut self.body).poll_next(cx));
            let bytes = match piece {
                Some(Ok(bytes)) => bytes,
                Some(Err(why)) => return Poll::Ready(Some(Err(why.into()))),
                None => return Poll::Ready(None),
            };
            if self.gauge.0.discard.load(Ordering::Relaxed) {
                continue;
            }
            self.pause = true;
            return Poll::Ready(Some(match self.gauge.admits(bytes.len()) {
                true => Ok(bytes),
                false => Err("the head of a part is too long".into()),
            }));
        }
    }
}
