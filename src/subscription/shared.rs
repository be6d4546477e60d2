//! The stream of a shared subscription, and the member that acts for it.
//!
//! The member is a task of its own, so that it keeps its leases while the client takes nothing. On every beat it renews its
//! place on the roster, computes from the roster which shares should be its own, gives up others, and takes what is free.

mod deliver;
mod member;
mod shares;

use std::task::{Poll, ready};

use tokio::sync::{mpsc, watch};
use tokio_util::sync::{CancellationToken, DropGuard};

use self::member::Player;
use super::{
    Context,
    stream::{Over, Told, over},
};
use crate::{
    error::Error,
    fanout::Delivery,
    store::{Cursor, cursor::Mark},
};

/// How many deliveries may wait for the client to take them.
const QUEUE: usize = 64;

/// A delivery with its cursor and its share.
struct Out {
    delivery: Delivery,
    cursor: Vec<u8>,
    share: u16,
}

/// The stream.
pub(super) struct Shared {
    deliveries: mpsc::Receiver<Result<Out, Error>>,
    over: Over,
    last: (Vec<u8>, Option<u16>),
    /// The cursor of a response with which nothing can be committed.
    neutral: Vec<u8>,
    _stop: DropGuard,
}

impl Shared {
    /// Becomes a member. At most `window` deliveries may be under way.
    pub(super) async fn open(context: Context, window: usize) -> Result<Self, Error> {
        let (out, deliveries) = mpsc::channel(QUEUE);
        let (end, ended) = watch::channel(None);
        let stop = CancellationToken::new();
        let neutral = Cursor::at_time(context.now_ms().await?, context.partitions()).encode_marked(&Mark {
            subscription: context.key.uid,
            share: None,
            generation: 0,
            seq: 0,
        });
        let mut player = Player::new(context.clone(), window);
        player.enrol().await?;
        if let Err(error) = player.sync().await {
            player.leave().await;
            return Err(error);
        }
        context.tasks.spawn(player.run(stop.clone(), out, end));
        Ok(Self {
            deliveries,
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
        let out = ready!(self.deliveries.poll_recv(context)).ok_or(Error::StoreUnavailable)??;
        self.last = (out.cursor, Some(out.share));
        Poll::Ready(Ok(Told::Delivery(out.delivery)))
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
