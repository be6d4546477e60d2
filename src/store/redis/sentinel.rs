//! Finds the master that Sentinels name, and notices when they name another.

use std::{
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use ::redis::{
    AsyncConnectionConfig, Client, Pipeline, Value, aio::MultiplexedConnection, cmd, from_redis_value,
};
use tokio::time::timeout;
use tracing::warn;

use super::{
    dial::Dial,
    error::explain,
    link::{Link, Request},
    poll::ask_all,
    url::{Address, Login},
    wire,
};
use crate::store::StoreError;

/// How long Sentinels may take to name the master.
const NAMED_WITHIN: Duration = Duration::from_secs(1);

/// How long a Sentinel may take to answer: less, so that one that went silent is given up.
const ANSWERED_WITHIN: Duration = Duration::from_millis(900);

/// How long a server that was named may take to show that it is the master.
const SHOWN_WITHIN: Duration = Duration::from_millis(700);

/// How often Sentinels are asked whether the master is still the master.
const WATCH_EVERY: Duration = Duration::from_secs(1);

/// The Sentinels of one master.
pub(super) struct Sentinels {
    links: Vec<Link>,
    master: String,
    login: Login,
    /// The master that the last connection was made to.
    current: Mutex<Option<Address>>,
    /// Counts up whenever that becomes another.
    generation: AtomicU64,
}

/// A master that Sentinels name.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Named {
    address: Address,
    /// Counts up with every fail-over; 0 where the Sentinel does not tell.
    epoch: u64,
    votes: usize,
}

impl Sentinels {
    /// Those of a master. A task watches them for as long as this lives.
    pub(super) fn new(sentinels: Vec<Client>, master: String, login: Login) -> Arc<Self> {
        let link = |client| Link::new(Dial::Server(Box::new(client)), ANSWERED_WITHIN);
        let this = Arc::new(Self {
            links: sentinels.into_iter().map(link).collect(),
            master,
            login,
            current: Mutex::default(),
            generation: AtomicU64::new(0),
        });
        tokio::spawn(watch(Arc::downgrade(&this)));
        this
    }

    /// Counts up whenever they name another master.
    pub(super) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// Connects to the master. During a fail-over Sentinels may disagree, so whatever they name must show that it is one.
    pub(super) async fn open(
        &self,
        config: AsyncConnectionConfig,
    ) -> Result<(MultiplexedConnection, u64), StoreError> {
        let mut failure = StoreError::Unavailable("no Sentinel names a master".into());
        for named in self.ask().await? {
            match timeout(SHOWN_WITHIN, self.connect(&named.address, &config)).await {
                Ok(Ok(connection)) => return Ok((connection, self.go_over(named.address))),
                Ok(Err(error)) => failure = error,
                Err(_) => {
                    failure = StoreError::Unavailable("the master that Sentinels name is silent".into());
                }
            }
        }
        Err(failure)
    }

    async fn connect(
        &self,
        address: &Address,
        config: &AsyncConnectionConfig,
    ) -> Result<MultiplexedConnection, StoreError> {
        let client = self.login.client(address).map_err(|error| explain(&error))?;
        let mut connection = client
            .get_multiplexed_async_connection_with_config(config)
            .await
            .map_err(|error| explain(&error))?;
        let role: Value = cmd("ROLE")
            .query_async(&mut connection)
            .await
            .map_err(|error| explain(&error))?;
        let role = wire::text(wire::array(role)?.into_iter().next().unwrap_or_default())?;
        if role != "master" {
            return Err(StoreError::Unavailable(
                "the server that Sentinels name is still a replica: a fail-over is under way".into(),
            ));
        }
        Ok(connection)
    }

    /// Notes which server is the master, and by that ends connections to another; the generation from now on.
    fn go_over(&self, to: Address) -> u64 {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.as_ref().is_some_and(|current| *current != to) {
            warn!(master = %to, "Sentinels name another Redis master: going over to it");
            self.generation.fetch_add(1, Ordering::AcqRel);
        }
        *current = Some(to);
        self.generation()
    }

    /// Asks all at once, so that one that is silent costs nothing. The best answer comes first.
    async fn ask(&self) -> Result<Vec<Named>, StoreError> {
        let (answers, failure) =
            ask_all(self.links.iter().map(|link| self.ask_one(link)), NAMED_WITHIN).await;
        let answered = !answers.is_empty();
        let named: Vec<Named> = answers.into_iter().flatten().collect();
        if named.is_empty() {
            return Err(match (answered, failure) {
                (true, _) => {
                    StoreError::Unavailable("no Sentinel knows a master by the name in the Redis URL".into())
                }
                (false, Some(StoreError::Unavailable(why))) => {
                    StoreError::Unavailable(format!("no Sentinel answers; of one it is known that {why}"))
                }
                (false, Some(error)) => error,
                (false, None) => StoreError::Unavailable("no Sentinel answers in time".into()),
            });
        }
        Ok(ranked(named))
    }

    async fn ask_one(&self, link: &Link) -> Result<Option<Named>, StoreError> {
        let mut pipeline = Pipeline::new();
        pipeline
            .cmd("SENTINEL")
            .arg("GET-MASTER-ADDR-BY-NAME")
            .arg(&self.master);
        // Not all users may ask this: without it, votes alone decide.
        pipeline.cmd("SENTINEL").arg("MASTER").arg(&self.master);
        pipeline.ignore_errors();
        let answer = link.run(&Request::Pipeline(&pipeline), false).await;
        let [address, about] = wire::array_of(answer.map_err(|failed| failed.explain())?)?;
        let address = address.extract_error().map_err(|error| explain(&error))?;
        if address == Value::Nil {
            return Ok(None);
        }
        let [host, port] = wire::array_of(address)?;
        let about = from_redis_value::<std::collections::HashMap<String, String>>(about).unwrap_or_default();
        Ok(Some(Named {
            address: Address {
                host: wire::text(host)?,
                port: wire::text(port)?.parse().unwrap_or_default(),
            },
            epoch: about
                .get("config-epoch")
                .and_then(|epoch| epoch.parse().ok())
                .unwrap_or_default(),
            votes: 1,
        }))
    }
}

/// The newest fail-over wins, then the majority.
fn ranked(named: Vec<Named>) -> Vec<Named> {
    let mut ranked: Vec<Named> = Vec::new();
    for one in named {
        match ranked.iter_mut().find(|other| other.address == one.address) {
            Some(other) => {
                other.votes += one.votes;
                other.epoch = other.epoch.max(one.epoch);
            }
            None => ranked.push(one),
        }
    }
    ranked.sort_by_key(|one| std::cmp::Reverse((one.epoch, one.votes)));
    ranked
}

/// Leaves a master that Sentinels have deposed. It may go on answering as if it were one, for as long as nobody tells it:
/// it was paused, or only we can reach it. What is written to it then is lost.
async fn watch(sentinels: Weak<Sentinels>) {
    loop {
        tokio::time::sleep(WATCH_EVERY).await;
        let Some(sentinels) = sentinels.upgrade() else {
            return;
        };
        let Some(best) = sentinels
            .ask()
            .await
            .ok()
            .and_then(|named| named.into_iter().next())
        else {
            continue;
        };
        sentinels.go_over(best.address);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(port: u16, epoch: u64) -> Named {
        let host = "h".to_owned();
        Named {
            address: Address { host, port },
            epoch,
            votes: 1,
        }
    }

    #[test]
    fn the_newest_failover_wins_and_then_the_majority() {
        let ports = |named| ranked(named).iter().map(|n| n.address.port).collect::<Vec<_>>();
        assert_eq!(ports(vec![named(1, 3), named(1, 3), named(2, 4)]), [2, 1]);
        assert_eq!(ports(vec![named(1, 0), named(2, 0), named(2, 0)]), [2, 1]);
        assert_eq!(ports(vec![]), [] as [u16; 0]);
    }
}
