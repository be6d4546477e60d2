//! Tells the streams of this replica of commits that came here, so that they need not ask the store.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::mpsc;

/// A commit that moved a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Commit {
    pub(super) share: u16,
    pub(super) generation: u64,
    pub(super) seq: u64,
}

type Listeners = HashMap<u64, Vec<(u64, mpsc::UnboundedSender<Commit>)>>;

/// Who listens to which subscription's commits.
#[derive(Default)]
pub(super) struct Commits {
    listeners: Mutex<(u64, Listeners)>,
}

/// Somebody's ear; commits are heard until it is dropped.
pub(super) struct Ear {
    commits: Arc<Commits>,
    subscription: u64,
    number: u64,
    heard: mpsc::UnboundedReceiver<Commit>,
}

impl Commits {
    /// Listens to a subscription's commits. Each was a round trip to the store, so they do not pile up.
    pub(super) fn listen(self: &Arc<Self>, subscription: u64) -> Ear {
        let (sender, heard) = mpsc::unbounded_channel();
        let mut listeners = self.lock();
        listeners.0 += 1;
        let number = listeners.0;
        listeners
            .1
            .entry(subscription)
            .or_default()
            .push((number, sender));
        Ear {
            commits: Arc::clone(self),
            subscription,
            number,
            heard,
        }
    }

    /// Tells all who listen.
    pub(super) fn tell(&self, subscription: u64, commit: Commit) {
        for (_, sender) in self.lock().1.get(&subscription).into_iter().flatten() {
            let _ = sender.send(commit);
        }
    }

    fn lock(&self) -> MutexGuard<'_, (u64, Listeners)> {
        self.listeners.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ear {
    /// The next commit. May be dropped while it waits.
    pub(super) async fn hear(&mut self) -> Option<Commit> {
        self.heard.recv().await
    }
}

impl Drop for Ear {
    fn drop(&mut self) {
        let mut listeners = self.commits.lock();
        if let Some(of) = listeners.1.get_mut(&self.subscription) {
            of.retain(|(number, _)| *number != self.number);
            if of.is_empty() {
                listeners.1.remove(&self.subscription);
            }
        }
    }
}
