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

/// A share of a subscription.
type Place = (u64, u16);

type Listeners = HashMap<Place, Vec<(u64, mpsc::UnboundedSender<Commit>)>>;

/// Who listens to the commits of which share: a commit wakes its owner and nobody else.
#[derive(Default)]
pub(super) struct Commits {
    listeners: Mutex<(u64, Listeners)>,
}

/// Somebody's ear; commits are heard until it is dropped.
pub(super) struct Ear {
    commits: Arc<Commits>,
    subscription: u64,
    number: u64,
    shares: Vec<u16>,
    sender: mpsc::UnboundedSender<Commit>,
    heard: mpsc::UnboundedReceiver<Commit>,
}

impl Commits {
    /// An ear that hears of no share yet. Each commit was a round trip to the store, so they do not pile up.
    pub(super) fn listen(self: &Arc<Self>, subscription: u64) -> Ear {
        let (sender, heard) = mpsc::unbounded_channel();
        let mut listeners = self.lock();
        listeners.0 += 1;
        Ear {
            commits: Arc::clone(self),
            subscription,
            number: listeners.0,
            shares: Vec::new(),
            sender,
            heard,
        }
    }

    /// Tells whoever listens.
    pub(super) fn tell(&self, subscription: u64, commit: Commit) {
        let listeners = self.lock();
        let of = listeners.1.get(&(subscription, commit.share));
        for (_, sender) in of.into_iter().flatten() {
            let _ = sender.send(commit);
        }
    }

    fn lock(&self) -> MutexGuard<'_, (u64, Listeners)> {
        self.listeners.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn forget(&self, place: Place, number: u64) {
        let mut listeners = self.lock();
        if let Some(of) = listeners.1.get_mut(&place) {
            of.retain(|(known, _)| *known != number);
            if of.is_empty() {
                listeners.1.remove(&place);
            }
        }
    }
}

impl Ear {
    /// Hears of a share from now on.
    pub(super) fn attend(&mut self, share: u16) {
        if !self.shares.contains(&share) {
            self.shares.push(share);
            let listener = (self.number, self.sender.clone());
            let mut listeners = self.commits.lock();
            let of = listeners.1.entry((self.subscription, share)).or_default();
            of.push(listener);
        }
    }

    /// Hears of a share no more.
    pub(super) fn ignore(&mut self, share: u16) {
        self.shares.retain(|known| *known != share);
        self.commits.forget((self.subscription, share), self.number);
    }

    /// The next commit. May be dropped while it waits.
    pub(super) async fn hear(&mut self) -> Option<Commit> {
        self.heard.recv().await
    }
}

impl Drop for Ear {
    fn drop(&mut self) {
        for share in std::mem::take(&mut self.shares) {
            self.commits.forget((self.subscription, share), self.number);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(ear: &mut Ear) -> Option<u16> {
        ear.heard.try_recv().ok().map(|commit| commit.share)
    }

    #[test]
    fn a_commit_is_told_to_those_who_have_its_share() {
        let commits = Arc::<Commits>::default();
        let tell = |subscription, share| {
            let (generation, seq) = (1, 1);
            commits.tell(
                subscription,
                Commit {
                    share,
                    generation,
                    seq,
                },
            );
        };
        let (mut one, mut other, mut elsewhere) = (commits.listen(7), commits.listen(7), commits.listen(8));
        one.attend(3);
        other.attend(4);
        elsewhere.attend(3);
        tell(7, 3);
        assert_eq!(
            (heard(&mut one), heard(&mut other), heard(&mut elsewhere)),
            (Some(3), None, None)
        );
        one.ignore(3);
        tell(7, 3);
        assert_eq!(heard(&mut one), None);
        drop((one, other, elsewhere));
        assert!(commits.lock().1.is_empty(), "nothing is left behind");
    }
}
