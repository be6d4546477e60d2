//! Redis as one server, behind Sentinels or as a cluster: what the store asks finds its way by its first key.

use std::sync::{Arc, OnceLock};

use ::redis::{Arg, Cmd, FromRedisValue, Pipeline, RedisError, Value, from_redis_value};

use super::{
    cluster::Cluster,
    dial::Dial,
    durable::{Durable, Wait, Write},
    error::{Failed, explain},
    keys::slot_of,
    link::{Link, RESPONSE_TIMEOUT, Request},
    scripts::{Call, Script},
    sentinel::Sentinels,
    url::{Address, Login, Place},
};
use crate::store::StoreError;

/// Which of a server's two shared connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lane {
    /// For what is small and urgent.
    Urgent,
    /// For what may be large, so that somebody who reads much does not delay an append.
    Reads,
}

/// A server, or the master of the day, and the connections to it.
pub(super) struct Server {
    address: Address,
    dial: Dial,
    urgent: Link,
    reads: Link,
    durable: OnceLock<Durable>,
    wait: Option<Wait>,
}

impl Server {
    fn new(address: Address, dial: Dial, wait: Option<Wait>) -> Self {
        Self {
            address,
            urgent: Link::new(dial.clone(), RESPONSE_TIMEOUT),
            reads: Link::new(dial.clone(), RESPONSE_TIMEOUT),
            durable: OnceLock::new(),
            dial,
            wait,
        }
    }

    /// A node of a cluster.
    pub(super) fn of_cluster(
        login: &Login,
        address: &Address,
        wait: Option<Wait>,
    ) -> Result<Self, RedisError> {
        let dial = Dial::Server(Box::new(login.server(address)?));
        Ok(Self::new(address.clone(), dial, wait))
    }

    pub(super) fn address(&self) -> &Address {
        &self.address
    }

    /// An address that this server gave; without a host it is its own.
    pub(super) fn beside(&self, mut address: Address) -> Address {
        if address.host.is_empty() {
            address.host.clone_from(&self.address.host);
        }
        address
    }

    pub(super) fn dial(&self) -> &Dial {
        &self.dial
    }

    pub(super) fn link(&self, lane: Lane) -> &Link {
        match lane {
            Lane::Urgent => &self.urgent,
            Lane::Reads => &self.reads,
        }
    }

    /// Writes, and answers once the replicas have it that are waited for.
    pub(super) async fn write(&self, writes: Vec<Write>) -> Result<Vec<Value>, Failed> {
        if let Some(wait) = self.wait {
            let durable = self.durable.get_or_init(|| Durable::new(&self.dial, wait));
            return durable.write(writes).await;
        }
        Err(Failed::Short(StoreError::Mismatch(
            "no replicas of Redis are waited for".into(),
        )))
    }
}

/// What Redis is.
pub(super) enum Topology {
    /// One server, or the master of the day.
    One(Box<Server>),
    /// A cluster.
    Cluster(Arc<Cluster>),
}

impl Topology {
    /// Connects when it is first used.
    pub(super) fn new(place: Place, wait: Option<Wait>) -> Arc<Self> {
        let one = |dial| {
            let (host, port) = (String::new(), 0);
            Self::One(Box::new(Server::new(Address { host, port }, dial, wait)))
        };
        Arc::new(match place {
            Place::Server(server) => one(Dial::Server(server)),
            Place::Sentinel {
                sentinels,
                master,
                login,
            } => one(Dial::Master(Sentinels::new(sentinels, master, login))),
            Place::Cluster { seeds, login } => Self::Cluster(Cluster::new(seeds, login, wait)),
        })
    }

    /// Writes groups, each to the node of its first key, and answers once they are as durable as was asked.
    pub(super) async fn write(&self, mut groups: Vec<Vec<Write>>) -> Result<Vec<Value>, StoreError> {
        match self {
            Self::One(server) => {
                let writes = groups.drain(..).flatten().collect();
                server.write(writes).await.map_err(|failed| failed.explain())
            }
            Self::Cluster(cluster) => {
                let slot = |group: &Vec<Write>| group.first().map_or(0, |write| slot(&write.command));
                let groups = groups.into_iter().map(|group| (slot(&group), group));
                Ok(cluster
                    .write(groups.collect())
                    .await?
                    .into_iter()
                    .flatten()
                    .collect())
            }
        }
    }
}

/// The slot of the first key of a command: the word behind its name, or, of a script, behind the number of keys.
fn slot(command: &Cmd) -> u16 {
    let word = |at| match command.args_iter().nth(at) {
        Some(Arg::Simple(word)) => word,
        _ => &[],
    };
    slot_of(if word(0) == b"EVALSHA" { word(3) } else { word(1) })
}

/// One way to Redis.
#[derive(Clone)]
pub(super) struct Way {
    topology: Arc<Topology>,
    lane: Lane,
}

impl Way {
    pub(super) fn new(topology: &Arc<Topology>, lane: Lane) -> Self {
        Self {
            topology: topology.clone(),
            lane,
        }
    }

    /// Runs one command, on the node of its first key.
    pub(super) async fn command<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, StoreError> {
        read(self.run(command, &Request::Command(command)).await?)
    }

    /// Runs commands in one round trip. On a cluster all their keys must lie in one slot.
    pub(super) async fn pipeline<T: FromRedisValue>(&self, commands: &Pipeline) -> Result<T, StoreError> {
        let Some(first) = commands.cmd_iter().next() else {
            return read(Value::Array(Vec::new()));
        };
        read(self.run(first, &Request::Pipeline(commands)).await?)
    }

    /// Runs commands of one slot in one round trip, the first of which runs this script.
    pub(super) async fn scripts<T: FromRedisValue>(
        &self,
        script: &Script,
        commands: &Pipeline,
    ) -> Result<T, StoreError> {
        let Some(first) = commands.cmd_iter().next() else {
            return read(Value::Array(Vec::new()));
        };
        read(self.run(first, &Request::Scripts(script, commands)).await?)
    }

    /// Runs a script, which is loaded where Redis does not know it, on the node of its keys.
    pub(super) async fn script<T: FromRedisValue>(
        &self,
        script: &Script,
        call: Call,
    ) -> Result<T, StoreError> {
        let command = script.command(&call);
        read(self.run(&command, &Request::Script(script, &command)).await?)
    }

    /// Runs commands that have nothing to do with each other, in one round trip to each node.
    pub(super) async fn scatter<T: FromRedisValue>(&self, commands: Vec<Cmd>) -> Result<Vec<T>, StoreError> {
        let answers = match &*self.topology {
            Topology::One(server) => {
                let mut pipeline = Pipeline::with_capacity(commands.len());
                for command in commands {
                    pipeline.add_command(command);
                }
                let request = Request::Pipeline(&pipeline);
                let answers = server.link(self.lane).run(&request, false).await;
                return read(answers.map_err(|failed| failed.explain())?);
            }
            Topology::Cluster(cluster) => {
                let commands = commands.into_iter().map(|command| (slot(&command), command));
                cluster.scatter(self.lane, commands.collect()).await?
            }
        };
        answers.into_iter().map(read).collect()
    }

    /// Runs one of these commands on each node of a cluster that has any of their slots, and none elsewhere.
    pub(super) async fn on_each_node(&self, commands: Vec<Cmd>) -> Result<(), StoreError> {
        let Topology::Cluster(cluster) = &*self.topology else {
            return Ok(());
        };
        let slots: Vec<u16> = commands.iter().map(slot).collect();
        let groups = cluster.by_node(&slots).await?;
        let first = |(_, places): &(_, Vec<usize>)| commands.get(*places.first()?).cloned();
        self.scatter::<Value>(groups.iter().filter_map(first).collect())
            .await
            .map(drop)
    }

    /// Runs one command that needs no key, on whatever node answers.
    pub(super) async fn anywhere<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, StoreError> {
        let request = Request::Command(command);
        read(match &*self.topology {
            Topology::One(_) => self.run(command, &request).await?,
            Topology::Cluster(cluster) => Box::pin(cluster.anybody(self.lane, &request)).await?,
        })
    }

    /// Asks every server that there is.
    pub(super) async fn everywhere(&self, command: &Cmd) -> Result<Vec<Value>, StoreError> {
        let request = Request::Command(command);
        let explained = |failed: Failed| failed.explain();
        match &*self.topology {
            Topology::One(server) => {
                let answer = server.link(self.lane).run(&request, false).await;
                Ok(vec![answer.map_err(explained)?])
            }
            Topology::Cluster(cluster) => {
                cluster.refresh().await?;
                let mut answers = Vec::new();
                for node in cluster.masters() {
                    answers.push(
                        node.link(self.lane)
                            .run(&request, false)
                            .await
                            .map_err(explained)?,
                    );
                }
                Ok(answers)
            }
        }
    }

    /// Whether it leads to a cluster.
    pub(super) fn is_cluster(&self) -> bool {
        matches!(*self.topology, Topology::Cluster(_))
    }

    async fn run(&self, first: &Cmd, request: &Request<'_>) -> Result<Value, StoreError> {
        // Of a size of their own: whoever asks would carry it, and be moved with it.
        match &*self.topology {
            Topology::One(server) => {
                let answer = Box::pin(server.link(self.lane).run(request, false)).await;
                answer.map_err(|failed| failed.explain())
            }
            Topology::Cluster(cluster) => Box::pin(cluster.run(slot(first), self.lane, request)).await,
        }
    }
}

fn read<T: FromRedisValue>(answer: Value) -> Result<T, StoreError> {
    from_redis_value(answer).map_err(|error| explain(&error.into()))
}
