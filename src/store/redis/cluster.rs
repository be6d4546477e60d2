//! A Redis cluster: which node has which slot, and asking the right one.
//!
//! redis-rs has a client for clusters. It tries a command again by itself although the first may have been applied, keeps a
//! node's connection that has gone silent, and does not say when it will give up. Here each node has links of its own, which
//! fail fast, and a command is sent again only where the cluster said that it did not run it, or it was never sent.

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use ::redis::{Cmd, Pipeline, Value};
use futures_util::{
    future::join_all,
    stream::{FuturesUnordered, StreamExt as _},
};
use tokio::{
    sync::{Mutex, OwnedMutexGuard},
    time::{Instant, sleep, timeout},
};

use super::{
    durable::{Wait, Write},
    error::{Failed, Turn, explain},
    link::{RESPONSE_TIMEOUT, Request, WITHIN},
    poll::{ask_all, in_time},
    told::{self, SLOTS, Told},
    topology::{Lane, Server},
    url::{Address, Login},
};
use crate::store::StoreError;

/// How often one command may be sent on, or again.
const TURNS: usize = 6;

/// How long to wait where a slot is being moved.
const AGAIN_AFTER: Duration = Duration::from_millis(50);

/// How long nodes may take to say what the cluster is; longer than it takes to connect to one.
const TOLD_WITHIN: Duration = Duration::from_millis(1200);

/// For how long what came of asking them holds, also where nobody said anything.
const TOLD_HOLDS: Duration = Duration::from_millis(100);

/// How long one node may take before another is asked, where any will do.
const NEXT_AFTER: Duration = Duration::from_millis(200);

/// The most nodes that are asked what the cluster is.
const ASKED: usize = 8;

/// No node has the slot.
const NOBODY: u16 = u16::MAX;

/// A cluster.
pub(super) struct Cluster {
    /// The nodes of the URL. They are kept, since the cluster may know them by other names.
    seeds: Vec<Arc<Server>>,
    login: Login,
    wait: Option<Wait>,
    map: RwLock<Arc<Map>>,
    /// Held while nodes are asked what the cluster is; when they were last, and what came of it.
    looking: Arc<Mutex<Looked>>,
}

type Looked = Option<(Instant, Result<(), StoreError>)>;

/// What a cluster is, as far as is known.
#[derive(Clone)]
struct Map {
    nodes: Vec<Arc<Server>>,
    /// Of each slot the place in `nodes`.
    owners: Vec<u16>,
}

impl Cluster {
    pub(super) fn new(seeds: Vec<Address>, login: Login, wait: Option<Wait>) -> Arc<Self> {
        let map = Map {
            nodes: Vec::new(),
            owners: vec![NOBODY; SLOTS],
        };
        let seed = |address: Address| Server::of_cluster(&login, &address, wait).map(Arc::new).ok();
        Arc::new(Self {
            seeds: seeds.into_iter().filter_map(seed).collect(),
            login,
            wait,
            map: RwLock::new(Arc::new(map)),
            looking: Arc::default(),
        })
    }

    fn map(&self) -> Arc<Map> {
        self.map.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn change(&self, change: impl FnOnce(&mut Map)) {
        let mut map = self.map.write().unwrap_or_else(PoisonError::into_inner);
        change(Arc::make_mut(&mut map));
    }

    /// The nodes that have slots.
    pub(super) fn masters(&self) -> Vec<Arc<Server>> {
        let map = self.map();
        let has_slots = |(at, _): &(usize, _)| map.owners.iter().any(|owner| usize::from(*owner) == *at);
        let masters = map.nodes.iter().enumerate().filter(has_slots);
        masters.map(|(_, node)| node.clone()).collect()
    }

    /// The node that has a slot.
    pub(super) async fn owner(self: &Arc<Self>, slot: u16) -> Result<Arc<Server>, StoreError> {
        if let Some(owner) = self.map().owner(slot) {
            return Ok(owner);
        }
        self.refresh().await?;
        self.map().owner(slot).ok_or_else(|| {
            StoreError::Unavailable("no node of the Redis cluster has the slot that is needed".into())
        })
    }

    /// Asks the node that has a slot.
    pub(super) async fn run(
        self: &Arc<Self>,
        slot: u16,
        lane: Lane,
        request: &Request<'_>,
    ) -> Result<Value, StoreError> {
        in_time(WITHIN, self.find_and_run(slot, lane, request)).await
    }

    async fn find_and_run(
        self: &Arc<Self>,
        slot: u16,
        lane: Lane,
        request: &Request<'_>,
    ) -> Result<Value, StoreError> {
        let until = Instant::now() + RESPONSE_TIMEOUT;
        let (mut node, mut asking) = (self.owner(slot).await?, false);
        for _ in 1..TURNS {
            let failed = match node.link(lane).run(request, asking).await {
                Ok(answer) => return Ok(answer),
                Err(failed) => failed,
            };
            match self.next(slot, &node, &failed).await {
                Some(next) if Instant::now() < until => (node, asking) = next,
                _ => return Err(failed.explain()),
            }
        }
        let last = node.link(lane).run(request, asking).await;
        last.map_err(|failed| failed.explain())
    }

    /// Whom to ask after a failure, and whether with leave; nobody where it may have been done, or will not be.
    pub(super) async fn next(
        self: &Arc<Self>,
        slot: u16,
        node: &Arc<Server>,
        failed: &Failed,
    ) -> Option<(Arc<Server>, bool)> {
        match failed.turn() {
            Turn::Moved(address) => {
                let owner = self.moved(slot, node, address).ok()?;
                self.refresh_soon();
                Some((owner, false))
            }
            Turn::Ask(address) => Some((self.node(&node.beside(address)).ok()?, true)),
            Turn::Again => {
                sleep(AGAIN_AFTER).await;
                Some((self.owner(slot).await.ok()?, false))
            }
            Turn::Suspect if matches!(failed, Failed::Unsent(_)) => {
                // Its replica may have taken over.
                self.refresh().await.ok()?;
                let owner = self.map().owner(slot)?;
                (!Arc::ptr_eq(&owner, node)).then_some((owner, false))
            }
            Turn::Suspect => {
                self.refresh_soon();
                None
            }
            Turn::None => None,
        }
    }

    /// Asks any node that has slots: one after the other, where one fails or is silent for a moment.
    pub(super) async fn anybody(
        self: &Arc<Self>,
        lane: Lane,
        request: &Request<'_>,
    ) -> Result<Value, StoreError> {
        in_time(WITHIN, async {
            if self.masters().is_empty() {
                self.refresh().await?;
            }
            let nodes = self.masters();
            let mut others = nodes.iter();
            let (mut asked, mut failure) = (FuturesUnordered::new(), None);
            loop {
                match others.next() {
                    Some(node) => asked.push(node.link(lane).run(request, false)),
                    None if asked.is_empty() => break,
                    None => {}
                }
                match timeout(NEXT_AFTER, asked.next()).await {
                    Ok(Some(Ok(answer))) => return Ok(answer),
                    Ok(Some(Err(failed))) => failure = Some(failed.explain()),
                    Ok(None) | Err(_) => {}
                }
            }
            self.refresh_soon();
            Err(failure.unwrap_or_else(nobody_answers))
        })
        .await
    }

    /// Which of these slots each node has, by their places.
    pub(super) async fn by_node(
        self: &Arc<Self>,
        slots: &[u16],
    ) -> Result<Vec<(Arc<Server>, Vec<usize>)>, StoreError> {
        let mut groups: Vec<(Arc<Server>, Vec<usize>)> = Vec::new();
        for (place, slot) in slots.iter().enumerate() {
            let node = self.owner(*slot).await?;
            match groups.iter_mut().find(|(known, _)| Arc::ptr_eq(known, &node)) {
                Some((_, places)) => places.push(place),
                None => groups.push((node, vec![place])),
            }
        }
        Ok(groups)
    }

    /// Runs commands of one key each, in one round trip to each node.
    pub(super) async fn scatter(
        self: &Arc<Self>,
        lane: Lane,
        commands: Vec<(u16, Cmd)>,
    ) -> Result<Vec<Value>, StoreError> {
        in_time(WITHIN, self.find_and_scatter(lane, &commands)).await
    }

    async fn find_and_scatter(
        self: &Arc<Self>,
        lane: Lane,
        commands: &[(u16, Cmd)],
    ) -> Result<Vec<Value>, StoreError> {
        let slots: Vec<u16> = commands.iter().map(|(slot, _)| *slot).collect();
        let asked = self
            .by_node(&slots)
            .await?
            .into_iter()
            .map(|(node, places)| async move {
                let mut pipeline = Pipeline::new();
                for place in &places {
                    pipeline.add_command(commands[*place].1.clone());
                }
                let whole = node.link(lane).run(&Request::Pipeline(&pipeline), false).await;
                match whole {
                    Ok(Value::Array(answers)) if answers.len() == places.len() => {
                        return Ok(places.into_iter().zip(answers).collect::<Vec<_>>());
                    }
                    // A node that is silent would only be silent again.
                    Err(failed @ Failed::Answer(_)) if failed.turn() == Turn::Suspect => {
                        self.refresh_soon();
                        return Err(failed.explain());
                    }
                    _ => {}
                }
                // One by one they find their way, or the reason why not.
                let each = places.into_iter().map(|place| async move {
                    let (slot, command) = &commands[place];
                    let answer = self.find_and_run(*slot, lane, &Request::Command(command)).await?;
                    Ok::<_, StoreError>((place, answer))
                });
                join_all(each).await.into_iter().collect()
            });
        let mut answers = vec![Value::Nil; commands.len()];
        for group in join_all(asked).await {
            for (place, answer) in group? {
                answers[place] = answer;
            }
        }
        Ok(answers)
    }

    /// Writes, and waits until each group is as durable as was asked on the node of its slot.
    pub(super) async fn write(
        self: &Arc<Self>,
        groups: Vec<(u16, Vec<Write>)>,
    ) -> Result<Vec<Vec<Value>>, StoreError> {
        let each = groups
            .into_iter()
            .map(|(slot, writes)| self.write_group(slot, writes));
        join_all(each).await.into_iter().collect()
    }

    async fn write_group(self: &Arc<Self>, slot: u16, writes: Vec<Write>) -> Result<Vec<Value>, StoreError> {
        let until = Instant::now() + RESPONSE_TIMEOUT;
        let mut node = self.owner(slot).await?;
        for _ in 1..TURNS {
            let failed = match node.write(writes.clone()).await {
                Ok(answers) => return Ok(answers),
                Err(failed) => failed,
            };
            match self.next(slot, &node, &failed).await {
                // Leave is asked for on the shared connection only: with `WAIT`, a moving slot has to arrive first.
                Some((next, false)) if Instant::now() < until => node = next,
                _ => return Err(failed.explain()),
            }
        }
        let last = node.write(writes).await;
        last.map_err(|failed| failed.explain())
    }

    /// The node at an address, whether it was known or not.
    fn node(&self, address: &Address) -> Result<Arc<Server>, StoreError> {
        let map = self.map();
        if let Some(known) = map.nodes.iter().find(|node| node.address() == address) {
            return Ok(known.clone());
        }
        let node = self.new_node(address)?;
        self.change(|map| map.nodes.push(node.clone()));
        Ok(node)
    }

    /// One that has no place in the map yet.
    fn new_node(&self, address: &Address) -> Result<Arc<Server>, StoreError> {
        if let Some(seed) = self.seeds.iter().find(|seed| seed.address() == address) {
            return Ok(seed.clone());
        }
        let node = Server::of_cluster(&self.login, address, self.wait);
        node.map(Arc::new).map_err(|error| explain(&error))
    }

    /// Notes that a slot is another node's.
    fn moved(&self, slot: u16, from: &Server, to: Address) -> Result<Arc<Server>, StoreError> {
        let node = self.node(&from.beside(to))?;
        self.change(|map| {
            let at = map.nodes.iter().position(|known| Arc::ptr_eq(known, &node));
            if let (Some(at), Some(owner)) = (at, map.owners.get_mut(usize::from(slot))) {
                *owner = u16::try_from(at).unwrap_or(NOBODY);
            }
        });
        Ok(node)
    }

    /// Finds out what the cluster is by now, while whoever found out that it changed goes on. Where somebody is looking already,
    /// that will do.
    pub(super) fn refresh_soon(self: &Arc<Self>) {
        if let Ok(last) = self.looking.clone().try_lock_owned() {
            tokio::spawn(self.clone().look(last, Instant::now()));
        }
    }

    /// Finds out what the cluster is by now. Those who ask at once share one look and what comes of it.
    pub(super) async fn refresh(self: &Arc<Self>) -> Result<(), StoreError> {
        let asked = Instant::now();
        let last = self.looking.clone().lock_owned().await;
        // In a task of its own, so that it comes to its end for the others, although whoever began it has given up.
        let look = tokio::spawn(self.clone().look(last, asked));
        look.await.unwrap_or_else(|_| Err(nobody_answers()))
    }

    async fn look(
        self: Arc<Self>,
        mut last: OwnedMutexGuard<Looked>,
        asked: Instant,
    ) -> Result<(), StoreError> {
        // A look that ended while we waited was ours too, however late we hear of it.
        if let Some((at, outcome)) = &*last
            && (*at >= asked || at.elapsed() < TOLD_HOLDS)
        {
            return outcome.clone();
        }
        let outcome = self.find_out().await;
        *last = Some((Instant::now(), outcome.clone()));
        outcome
    }

    async fn find_out(&self) -> Result<(), StoreError> {
        let told = self.ask().await?;
        let map = self.map();
        let mut next = Map {
            nodes: Vec::new(),
            owners: vec![NOBODY; SLOTS],
        };
        for (from, to, address) in told.ranges {
            let known = |nodes: &[Arc<Server>]| nodes.iter().position(|node| *node.address() == address);
            let at = match known(&next.nodes) {
                Some(at) => at,
                None => {
                    let old = known(&map.nodes).and_then(|at| map.nodes.get(at)).cloned();
                    next.nodes.push(old.map_or_else(|| self.new_node(&address), Ok)?);
                    next.nodes.len() - 1
                }
            };
            let owned = next.owners.iter_mut().take(to + 1).skip(from);
            owned.for_each(|owner| *owner = u16::try_from(at).unwrap_or(NOBODY));
        }
        self.change(|map| *map = next);
        Ok(())
    }

    /// Asks several nodes at once, so that one that is silent costs nothing, and takes the newest of what they say.
    async fn ask(&self) -> Result<Told, StoreError> {
        let mut nodes = self.masters();
        nodes.truncate(ASKED);
        for seed in self.seeds.iter().take(ASKED) {
            if !nodes.iter().any(|node| node.address() == seed.address()) {
                nodes.push(seed.clone());
            }
        }
        let (told, failure) = ask_all(nodes.iter().map(|node| told::ask(node)), TOLD_WITHIN).await;
        let best = told.into_iter().max_by_key(|told| told.rank);
        best.ok_or_else(|| failure.unwrap_or_else(nobody_answers))
    }
}

fn nobody_answers() -> StoreError {
    StoreError::Unavailable("no node of the Redis cluster answers in time".into())
}

impl Map {
    fn owner(&self, slot: u16) -> Option<Arc<Server>> {
        let owner = self.owners.get(usize::from(slot))?;
        self.nodes.get(usize::from(*owner)).cloned()
    }
}
