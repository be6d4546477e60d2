//! The stream of a shared subscription, and the member that acts for it.
//!
//! The member is a task of its own, so that it keeps its leases while the client takes nothing. On every beat it renews its
//! place on the roster, computes from the roster which shares should be its own, gives up others, and takes what is free.

mod deliver;
mod member;
mod outbox;
mod shares;

use std::task::Poll;

use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};

pub(super) use self::shares::{LEAVE_ATTEMPTS, LEAVE_RETRY};
use self::{member::Player, outbox::Outbox};
use super::{
    Context,
    stream::{Over, Told, over},
};
use crate::{
    error::Error,
    fanout::Delivery,
    store::{Cursor, cursor::Mark},
};

/// From how many deliveries on that wait for the client no more are prepared.
const QUEUE: usize = 64;

/// A delivery with its cursor and its share.
struct Out {
    delivery: Delivery,
    cursor: Vec<u8>,
    share: u16,
}

/// The stream.
pub(super) struct Shared {
    outbox: Outbox,
    over: Over,
    last: (Vec<u8>, Option<u16>),
    /// The cursor of a response with which nothing can be committed.
    neutral: Vec<u8>,
    _stop: DropGuard,
}

impl Shared {
    /// Becomes a member. At most `window` deliveries may be under way.
    pub(super) async fn open(context: Context, window: usize) -> Result<Self, Error> {
        let (end, ended) = watch::channel(None);
        let stop = CancellationToken::new();
        let neutral = Cursor::at_time(context.now_ms().await?, context.partitions()).encode_marked(&Mark {
            subscription: context.key.uid,
            share: None,
            generation: 0,
            seq: 0,
        });
        let outbox = Outbox::default();
        let mut player = Player::new(context.clone(), window, outbox.clone());
        if let Err(error) = player.join().await {
            // An answer that was lost may have made it a member, and given it shares.
            context.tasks.spawn(player.leave());
            return Err(error);
        }
        context.tasks.spawn(player.run(stop.clone(), end));
        Ok(Self {
            outbox,
            over: over(ended),
            last: (neutral.clone(), None),
            neutral,
            _stop: stop.drop_guard(),
        })
    }

    /// What comes next, when it comes.
    pub(super) fn poll_next(&mut self, context: &mut std::task::Context<'_>) -> Poll<Result<Told, Error>> {
        if let Poll::Ready(ended) = self.over.as_mut().poll(context) {
            self.rest();
            return Poll::Ready(ended.map(Told::Ended).ok_or(Error::StoreUnavailable));
        }
        self.outbox.poll_take(context).map_ok(|out| {
            self.last = (out.cursor, Some(out.share));
            Told::Delivery(out.delivery)
        })
    }

    /// What comes next belongs to no share.
    pub(super) fn rest(&mut self) {
        self.last = (self.neutral.clone(), None);
    }

    pub(super) fn cursor(&self) -> Vec<u8> {
        self.last.0.clone()
    }

    pub(super) fn share(&self) -> Option<u16> {
        self.last.1
    }
}
