//! Finds the master that Sentinels name, and notices when they name another.

use std::{
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use ::redis::{AsyncConnectionConfig, Pipeline, Value, aio::MultiplexedConnection, cmd, from_redis_value};
use futures_util::{FutureExt as _, future::BoxFuture};
use tokio::time::timeout;
use tracing::warn;

use super::{
    dial::Dial,
    error::explain,
    link::{Link, Request},
    poll::ask_all,
    tls::Target,
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

/// For how long a fail-over counts of which no Sentinel tells any more: all of them may have been set up anew.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(30);

/// The Sentinels of one master.
pub(super) struct Sentinels {
    links: Vec<Arc<Link>>,
    master: Arc<str>,
    login: Login,
    /// The master that the last connection was made to.
    current: Mutex<Option<Address>>,
    /// The newest fail-over that any of them told of.
    newest: Mutex<Newest>,
    /// Counts up whenever that becomes another.
    generation: AtomicU64,
}

/// A master that Sentinels name.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Named {
    address: Address,
    /// Counts up with every fail-over; nothing where the Sentinel does not tell.
    epoch: Option<u64>,
    votes: usize,
}

/// The newest fail-over that is known. A Sentinel that has not heard of it yet names a master that was deposed.
#[derive(Default)]
struct Newest {
    epoch: u64,
    /// When a Sentinel last told of it.
    told: Option<Instant>,
}

impl Newest {
    /// Of what was named just now, what may be the master.
    fn admit(&mut self, named: Vec<Named>, now: Instant) -> Vec<Named> {
        let Some(epoch) = named.iter().filter_map(|one| one.epoch).max() else {
            return named;
        };
        let is_known = |told| now.duration_since(told) < FORGOTTEN_AFTER;
        if epoch < self.epoch && self.told.is_some_and(is_known) {
            return Vec::new();
        }
        (self.epoch, self.told) = (epoch, Some(now));
        named.into_iter().filter(|one| one.epoch == Some(epoch)).collect()
    }
}

impl Sentinels {
    /// Those of a master. A task watches them for as long as this lives.
    pub(super) fn new(sentinels: Vec<Target>, master: String, login: Login) -> Arc<Self> {
        let link = |sentinel| Arc::new(Link::new(Dial::Server(Box::new(sentinel)), ANSWERED_WITHIN));
        let this = Arc::new(Self {
            links: sentinels.into_iter().map(link).collect(),
            master: master.into(),
            login,
            current: Mutex::default(),
            newest: Mutex::default(),
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
        let server = self.login.server(address).map_err(|error| explain(&error))?;
        let mut connection = server.connect(config).await?;
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
        let asked = self.links.iter().map(|link| {
            // To its end, also where others were quicker: a connection that stays silent is given up only by whoever waits for it.
            let asking = tokio::spawn(ask_one(Arc::clone(link), Arc::clone(&self.master)));
            asking.map(|asked| {
                asked.unwrap_or_else(|_| Err(StoreError::Unavailable("it was not asked".into())))
            })
        });
        let (answers, failure) = ask_all(asked, NAMED_WITHIN).await;
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
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        let admitted = newest.admit(ranked(named), Instant::now());
        if admitted.is_empty() {
            return Err(StoreError::Unavailable(
                "the Sentinels that answer have not heard of the last fail-over yet".into(),
            ));
        }
        Ok(admitted)
    }
}

/// What one Sentinel says. In a box, since a link may lead to a master that Sentinels name.
fn ask_one(link: Arc<Link>, master: Arc<str>) -> BoxFuture<'static, Result<Option<Named>, StoreError>> {
    Box::pin(async move {
        let mut pipeline = Pipeline::new();
        pipeline
            .cmd("SENTINEL")
            .arg("GET-MASTER-ADDR-BY-NAME")
            .arg(&*master);
        // Not all users may ask this: without it, votes alone decide.
        pipeline.cmd("SENTINEL").arg("MASTER").arg(&*master);
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
            epoch: about.get("config-epoch").and_then(|epoch| epoch.parse().ok()),
            votes: 1,
        }))
    })
}

/// Those of the newest fail-over first, then by votes.
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

    fn named(port: u16, epoch: impl Into<Option<u64>>) -> Named {
        let host = "h".to_owned();
        Named {
            address: Address { host, port },
            epoch: epoch.into(),
            votes: 1,
        }
    }

    fn ports(named: &[Named]) -> Vec<u16> {
        named.iter().map(|one| one.address.port).collect()
    }

    #[test]
    fn the_newest_failover_wins_and_then_the_majority() {
        let ports = |named| ports(&ranked(named));
        assert_eq!(ports(vec![named(1, 3), named(1, 3), named(2, 4)]), [2, 1]);
        assert_eq!(
            ports(vec![named(1, None), named(2, None), named(2, None)]),
            [2, 1]
        );
        assert_eq!(ports(vec![]), [] as [u16; 0]);
    }

    #[test]
    fn a_master_that_was_deposed_is_not_the_master_again_while_anybody_knows() {
        let (mut newest, start) = (Newest::default(), Instant::now());
        let mut admit = |named: Vec<Named>, seconds: u64| {
            ports(&newest.admit(ranked(named), start + Duration::from_secs(seconds)))
        };
        assert_eq!(admit(vec![named(1, 0), named(1, 0)], 0), [1], "no fail-over yet");
        let split = || vec![named(1, 0), named(1, 0), named(2, 1)];
        assert_eq!(admit(split(), 1), [2], "the old master is not even second");
        // Those that have not heard of it answer first, or alone.
        assert_eq!(admit(vec![named(1, 0), named(1, 0)], 2), [] as [u16; 0]);
        assert_eq!(admit(split(), 20), [2]);
        assert_eq!(admit(vec![named(1, 0)], 49), [] as [u16; 0]);
        // Those that do not tell are believed, as long as nobody tells otherwise.
        assert_eq!(admit(vec![named(3, None)], 49), [3]);
        assert_eq!(admit(vec![named(3, None), named(2, 1)], 50), [2]);
        // All were set up anew, and count from the beginning.
        assert_eq!(admit(vec![named(4, 0)], 79), [] as [u16; 0]);
        assert_eq!(admit(vec![named(4, 0)], 80), [4]);
        assert_eq!(admit(vec![named(5, 1)], 81), [5]);
    }
}
