//! Everything that a scenario runs: Redis, replicas, the vendor's load and subscribers.

use std::{
    net::SocketAddr,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use tokio::time::sleep;

use crate::{
    Result,
    clock::Clock,
    ledger::Ledger,
    link::{Link, Weather},
    machine::{Stalls, Watch},
    redis::{Node, Redis},
    replica::{Common, Replica},
    scenario::Scenario,
    subscriber::{Habit, Subscriber},
    vendor::{Load, Vendor, conversation},
    verdict::{Verdict, judge},
};

/// How long the vendor may take, once all faults are over, to be rid of what waits; and subscribers to have all.
const SETTLES_WITHIN: Duration = Duration::from_secs(20);

/// When a fault began, and when it was over.
#[derive(Debug, Clone, Copy)]
pub struct Fault {
    pub begun: Instant,
    pub over: Option<Instant>,
}

/// What runs. All of it ends when this is dropped.
pub struct World {
    pub redis: Redis,
    pub replicas: Vec<Replica>,
    pub subscribers: Vec<Subscriber>,
    pub dice: StdRng,
    /// The clock of Redis, and that of the last replica, where the scenario asked for clocks.
    pub clocks: Option<(Clock, Clock)>,
    pub faults: Vec<Fault>,
    pub ledger: Arc<Ledger>,
    short: bool,
    pub stalls: Stalls,
    _watch: Watch,
    /// From each replica to Redis, where there is one server.
    redis_links: Vec<Link>,
    vendor: Vendor,
}

impl World {
    /// Starts everything, and the load last.
    pub async fn start(scenario: &Scenario, seed: u64, logs: &Path, short: bool) -> Result<Self> {
        let mut dice = StdRng::seed_from_u64(seed);
        let clocks = scenario
            .clocks
            .then(|| Ok::<_, crate::Error>((Clock::right(logs, "redis")?, Clock::right(logs, "replica")?)))
            .transpose()?;
        let redis = Redis::start(scenario.topology, logs, clocks.as_ref().map(|both| &both.0)).await?;
        let ledger = Arc::<Ledger>::default();
        let mut redis_links = Vec::new();
        let mut replicas = Vec::new();
        let mut common = Common {
            redis_url: redis.url(),
            // The vendor needs the doors, which do not exist yet.
            vendor_url: String::new(),
            settings: scenario
                .settings
                .iter()
                .map(|(name, value)| (*name, (*value).to_owned()))
                .collect(),
            logs: logs.to_owned(),
        };
        // The doors' links exist before anything listens behind them.
        let mut prepared = Vec::new();
        for number in 0..scenario.replicas {
            if let Redis::Standalone(node) = &redis {
                let link = Link::open(SocketAddr::from(([127, 0, 0, 1], node.port()))).await?;
                common.redis_url = format!("redis://{}", link.address());
                redis_links.push(link);
            }
            let clock = clocks
                .as_ref()
                .filter(|_| number + 1 == scenario.replicas)
                .map(|both| &both.1);
            prepared.push(Replica::prepare(&format!("replica-{number}"), &common, clock).await?);
        }
        let doors = prepared.iter().map(|replica| replica.webhook.address()).collect();
        let mut vendor = Vendor::start(doors, Arc::clone(&ledger)).await?;
        for mut replica in prepared {
            replica.vendor_at(&vendor.url);
            replica.start().await?;
            replicas.push(replica);
        }
        let load = Load::default();
        let stalls = Stalls::default();
        let watch = stalls.watch();
        let subscribers = subscribers(&replicas, &stalls, &mut dice, load.conversations);
        vendor.begin(load, dice.random());
        Ok(Self {
            redis,
            replicas,
            subscribers,
            dice,
            clocks,
            faults: Vec::new(),
            ledger,
            short,
            stalls,
            _watch: watch,
            redis_links,
            vendor,
        })
    }

    /// How often something is done: in the full run, and in the short form.
    pub fn times(&self, full: usize, short: usize) -> usize {
        if self.short { short } else { full }
    }

    /// How long something lasts: in the full run, and in the short form.
    pub fn seconds(&self, full: f64, short: f64) -> f64 {
        if self.short { short } else { full }
    }

    /// Lets it run.
    pub async fn run_for(&self, seconds: f64) {
        sleep(Duration::from_secs_f64(seconds)).await;
    }

    /// A fault begins.
    pub fn fault_begins(&mut self) {
        self.faults.push(Fault {
            begun: Instant::now(),
            over: None,
        });
    }

    /// The last fault is over.
    pub fn fault_ends(&mut self) {
        if let Some(fault) = self.faults.last_mut() {
            fault.over.get_or_insert_with(Instant::now);
        }
    }

    /// The only Redis server.
    pub fn node(&mut self) -> Result<&mut Node> {
        self.redis.node()
    }

    /// Changes the links from the replicas to the one Redis server.
    pub fn redis_weather(&self, weather: Weather) {
        for link in &self.redis_links {
            link.set(weather);
        }
    }

    /// Changes the link from one replica to the one Redis server.
    pub fn redis_weather_of(&self, replica: usize, weather: Weather) {
        self.redis_links[replica].set(weather);
    }

    /// Changes the links from the vendor and the subscribers to the replicas.
    pub fn client_weather(&self, weather: Weather) {
        for replica in &self.replicas {
            replica.webhook.set(weather);
            replica.grpc.set(weather);
        }
    }

    /// Ends the load, lets everything come to rest, and holds what was seen against what was acknowledged.
    pub async fn finish(mut self, scenario: &Scenario) -> Result<Verdict> {
        self.fault_ends();
        let given_up = self.vendor.finish(SETTLES_WITHIN).await;
        // Whoever comes last and reads all that is left shows what the log has.
        let doors = self
            .replicas
            .iter()
            .map(|replica| replica.grpc.address())
            .collect();
        let habit = Habit {
            conversations: Vec::new(),
            hangs_up: None,
            door: 0,
        };
        let last = Subscriber::start(habit, doors, &self.stalls, self.dice.random());
        let acknowledged = self.ledger.acknowledged();
        let begun = Instant::now();
        let mut quiet_since = (0, Instant::now());
        while begun.elapsed() < SETTLES_WITHIN {
            let all = self.subscribers.iter().chain([&last]);
            let missing: usize = all.map(|s| s.missing(&acknowledged).len()).sum();
            let received: u64 = self
                .subscribers
                .iter()
                .chain([&last])
                .map(|s| s.seen().received)
                .sum();
            if received != quiet_since.0 {
                quiet_since = (received, Instant::now());
            }
            // Nothing missing: a moment more, for what would come twice. Something: it had its time.
            let patience = Duration::from_millis(if missing == 0 { 500 } else { 5000 });
            if quiet_since.1.elapsed() > patience {
                break;
            }
            sleep(Duration::from_millis(50)).await;
        }
        let mut verdict = judge(scenario, &self, &last, given_up);
        for replica in &mut self.replicas {
            if let Err(error) = replica.must_run() {
                verdict.broken.push(error.to_string());
            }
            if replica.panicked() {
                verdict.broken.push("a replica's log tells of a panic".to_owned());
            }
        }
        if let Err(error) = self.redis.must_run() {
            verdict.broken.push(error.to_string());
        }
        Ok(verdict)
    }
}

/// Two that hear everything, one of a few conversations, and one that keeps hanging up.
fn subscribers(
    replicas: &[Replica],
    stalls: &Stalls,
    dice: &mut StdRng,
    conversations: usize,
) -> Vec<Subscriber> {
    let doors: Vec<SocketAddr> = replicas.iter().map(|replica| replica.grpc.address()).collect();
    let all = |door| Habit {
        conversations: Vec::new(),
        hangs_up: None,
        door,
    };
    let few = Habit {
        conversations: (0..conversations / 5).map(conversation).collect(),
        ..all(1)
    };
    let restless = Habit {
        hangs_up: Some(Duration::from_millis(1500)),
        ..all(0)
    };
    [all(0), all(1), few, restless]
        .into_iter()
        .map(|habit| Subscriber::start(habit, doors.clone(), stalls, dice.random()))
        .collect()
}
