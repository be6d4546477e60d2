//! Connections: made when a call needs one, and shared by calls and streams.
//!
//! tonic balances over endpoints that it counts as ready even where they cannot be reached. So the client keeps one channel for
//! each address itself, makes it before anything is sent over it, and takes turns among those that are connected.

mod peer;
mod target;

use std::{
    collections::HashSet,
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{sync::Notify, time::Instant};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{Backoff, Error};

pub(crate) use peer::Connection;
use peer::{Peer, State};
pub(crate) use target::{Link, Target};

/// Names are looked up again after this long, and after the shorter time where an address does not answer.
const LOOKED_UP_FOR: Duration = Duration::from_secs(30);
const LOOKED_UP_AGAIN: Duration = Duration::from_secs(1);

/// The addresses of a client's targets.
pub(crate) struct Pool {
    targets: Vec<Target>,
    link: Link,
    backoff: Backoff,
    known: Mutex<Known>,
    next: AtomicUsize,
    changed: Notify,
    closed: CancellationToken,
    tasks: TaskTracker,
}

#[derive(Default)]
struct Known {
    peers: Vec<Arc<Peer>>,
    looking_up: bool,
    looked_up: Option<Instant>,
    problem: Option<String>,
}

/// What there is to connect over.
enum Choice {
    Ready(Connection),
    Connecting,
    None(Error),
}

impl Pool {
    pub(crate) fn new(
        targets: Vec<Target>,
        link: Link,
        backoff: Backoff,
        closed: CancellationToken,
        tasks: TaskTracker,
    ) -> Result<Self, Error> {
        let mut peers = Vec::new();
        for target in targets.iter().filter(|target| !target.look_up) {
            peers.push(Arc::new(Peer::new(link.endpoint(target, None)?, None)));
        }
        Ok(Self {
            targets,
            link,
            backoff,
            known: Mutex::new(Known {
                peers,
                ..Known::default()
            }),
            next: AtomicUsize::new(0),
            changed: Notify::new(),
            closed,
            tasks,
        })
    }

    /// The next connection. Where none is there it is waited for; where none can be had, that is said at once until it is time to
    /// try again.
    pub(crate) async fn pick(self: &Arc<Self>) -> Result<Connection, Error> {
        loop {
            // What changes from here on is not missed.
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            match self.choose() {
                Choice::Ready(connection) => return Ok(connection),
                Choice::Connecting => changed.await,
                Choice::None(error) => return Err(error),
            }
        }
    }

    /// Lets go of all connections.
    pub(crate) fn clear(&self) {
        self.known().peers.clear();
    }

    fn choose(self: &Arc<Self>) -> Choice {
        let (peers, looking_up, problem) = {
            let mut known = self.known();
            self.look_up_if_due(&mut known);
            (known.peers.clone(), known.looking_up, known.problem.clone())
        };
        let mut ready = Vec::new();
        let mut connecting = false;
        let mut problem = problem;
        for peer in &peers {
            if peer.begin() {
                self.connect(peer);
            }
            match &*peer.state() {
                State::Ready { channel, generation } => {
                    ready.push(Connection::new(channel.clone(), Arc::clone(peer), *generation));
                }
                State::Connecting => connecting = true,
                State::Idle => {}
                State::Failed { problem: why, .. } => problem = Some(why.clone()),
            }
        }
        if !ready.is_empty() {
            let turn = self.next.fetch_add(1, Ordering::Relaxed) % ready.len();
            return Choice::Ready(ready.swap_remove(turn));
        }
        if connecting || (looking_up && peers.is_empty()) {
            return Choice::Connecting;
        }
        let problem = problem.unwrap_or_else(|| "there is no address to connect to".to_owned());
        Choice::None(Error::unavailable(format!(
            "the service was not reached: {problem}"
        )))
    }

    fn connect(self: &Arc<Self>, peer: &Arc<Peer>) {
        let (pool, peer) = (Arc::clone(self), Arc::clone(peer));
        self.tasks.spawn(async move {
            tokio::select! {
                () = pool.closed.cancelled() => {}
                () = peer.connect(&pool.backoff) => pool.changed.notify_waiters(),
            }
        });
    }

    fn look_up_if_due(self: &Arc<Self>, known: &mut Known) {
        if known.looking_up || !self.targets.iter().any(|target| target.look_up) {
            return;
        }
        let failing = known.peers.is_empty() || known.peers.iter().any(|peer| peer.is_failing());
        let good_for = if failing { LOOKED_UP_AGAIN } else { LOOKED_UP_FOR };
        if known.looked_up.is_some_and(|at| at.elapsed() < good_for) {
            return;
        }
        known.looking_up = true;
        let pool = Arc::clone(self);
        self.tasks.spawn(async move {
            tokio::select! {
                () = pool.closed.cancelled() => {}
                () = pool.look_up() => pool.changed.notify_waiters(),
            }
        });
    }

    async fn look_up(&self) {
        let mut found: Vec<(&Target, SocketAddr)> = Vec::new();
        let mut problem = None;
        for target in self.targets.iter().filter(|target| target.look_up) {
            match tokio::net::lookup_host(target.authority.as_str()).await {
                Ok(addresses) => found.extend(addresses.map(|address| (target, address))),
                Err(error) => problem = Some(format!("{}: {error}", target.authority)),
            }
        }
        let mut known = self.known();
        known.looking_up = false;
        known.looked_up = Some(Instant::now());
        // While a name cannot be looked up, its old addresses may still be good.
        if problem.is_none() {
            let addresses: HashSet<SocketAddr> = found.iter().map(|(_, address)| *address).collect();
            known
                .peers
                .retain(|peer| peer.address.is_none_or(|address| addresses.contains(&address)));
        }
        for (target, address) in found {
            if known.peers.iter().any(|peer| peer.address == Some(address)) {
                continue;
            }
            match self.link.endpoint(target, Some(address)) {
                Ok(endpoint) => known.peers.push(Arc::new(Peer::new(endpoint, Some(address)))),
                Err(error) => problem = Some(error.to_string()),
            }
        }
        known.problem = problem;
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
