//! The stream of a named subscription, whichever kind it is of.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use futures_util::FutureExt as _;
use tokio::sync::watch;

use super::{durable::Durable, shared::Shared};
use crate::{error::Error, fanout::Delivery};

/// What a stream gets.
#[derive(Debug)]
pub enum Told {
    /// An entry or a gap.
    Delivery(Delivery),
    /// It is over.
    Ended(Ended),
}

/// Why a stream is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Another stream took the durable subscription over.
    TakenOver,
    /// The member of a shared subscription kept an event for longer than the lease.
    TooSlow,
    /// The subscription was deleted.
    Deleted,
    /// The store has lost the subscription with its data.
    Lost,
}

/// Comes when a stream is over; `None` where nobody is left to say why.
pub(super) type Over = Pin<Box<dyn Future<Output = Option<Ended>> + Send>>;

/// What comes when this says that the stream is over.
pub(super) fn over(mut ended: watch::Receiver<Option<Ended>>) -> Over {
    let over = async move {
        let ended = ended.wait_for(Option::is_some).await;
        ended.ok().and_then(|ended| *ended)
    };
    Box::pin(over.fuse())
}

/// A stream of a named subscription.
pub struct SubscriptionStream(pub(super) Kind);

pub(super) enum Kind {
    Durable(Box<Durable>),
    Shared(Box<Shared>),
}

impl SubscriptionStream {
    /// Waits for what comes next. May be dropped while it waits and called again: nothing is lost.
    pub async fn next(&mut self) -> Result<Told, Error> {
        std::future::poll_fn(|context| self.poll_next(context)).await
    }

    /// As [`SubscriptionStream::next`].
    pub fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Result<Told, Error>> {
        match &mut self.0 {
            Kind::Durable(durable) => durable.poll_next(context),
            Kind::Shared(shared) => shared.poll_next(context),
        }
    }

    /// Moves over what did not match. Returns what was waiting after all.
    pub fn skip_unmatched(&mut self) -> Option<Delivery> {
        match &mut self.0 {
            Kind::Durable(durable) => durable.skip_unmatched(),
            Kind::Shared(shared) => {
                shared.rest();
                None
            }
        }
    }

    /// What comes next belongs to no share.
    pub fn rest(&mut self) {
        if let Kind::Shared(shared) = &mut self.0 {
            shared.rest();
        }
    }

    /// The encoded cursor of what came last.
    pub fn cursor(&self) -> Vec<u8> {
        match &self.0 {
            Kind::Durable(durable) => durable.cursor(),
            Kind::Shared(shared) => shared.cursor(),
        }
    }

    /// The share that what came last belongs to.
    pub fn share(&self) -> Option<u16> {
        match &self.0 {
            Kind::Durable(_) => None,
            Kind::Shared(shared) => shared.share(),
        }
    }
}
