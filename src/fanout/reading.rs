//! A page of the log that is being read, while the one before it is still being delivered.

use std::{
    future::Future as _,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

use super::hub::Hub;
use crate::{
    event::{ConversationKey, Position},
    store::{Page, StoreError},
};

/// How many entries are read from the log at a time, at the least and at the most.
const PAGE_MIN: usize = 32;
const PAGE_MAX: usize = 256;

/// Whoever takes longer for a page gets smaller ones.
const PAGE_TAKES: Duration = Duration::from_millis(50);

/// How large pages are: the quicker they are taken, the larger. So little waits for one who does not take it.
pub(super) struct PageSize {
    size: usize,
    /// When the last was begun.
    begun: Instant,
}

impl PageSize {
    pub(super) fn new() -> Self {
        Self {
            size: PAGE_MIN,
            begun: Instant::now(),
        }
    }

    /// A page is begun: how large the next one is.
    pub(super) fn next(&mut self) -> usize {
        let now = Instant::now();
        let quick = now.duration_since(self.begun) < PAGE_TAKES;
        self.begun = now;
        self.size = if quick { self.size * 2 } else { self.size / 2 }.clamp(PAGE_MIN, PAGE_MAX);
        self.size
    }

    /// How large a page is that nothing is known of.
    pub(super) fn current(&self) -> usize {
        self.size
    }
}

/// Which page: of a partition or of one conversation in it, from a position on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Which {
    pub(super) partition: u16,
    pub(super) only: Option<Arc<ConversationKey>>,
    pub(super) from: Position,
}

/// A page that is being read.
pub(super) struct Reading {
    pub(super) which: Which,
    task: AbortOnDropHandle<Result<Page, StoreError>>,
}

impl Reading {
    /// Begins to read, which goes on whether or not anybody waits for it.
    pub(super) fn begin(hub: &Arc<Hub>, which: Which, limit: usize) -> Self {
        let hub = Arc::clone(hub);
        let asked = which.clone();
        let task = tokio::spawn(async move {
            hub.read(asked.partition, asked.only.as_deref(), asked.from, limit)
                .await
        });
        Self {
            which,
            task: AbortOnDropHandle::new(task),
        }
    }

    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<Page, StoreError>> {
        let read = ready!(Pin::new(&mut self.task).poll(context));
        let failed = |_| StoreError::Unavailable("reading the log was given up".into());
        Poll::Ready(read.map_err(failed).and_then(|page| page))
    }
}
