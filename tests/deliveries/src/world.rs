//! Everything that runs: Redis, the sandbox, the vendor's load, two replicas behind balancers, and receivers.

use std::{
    collections::HashSet,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use aws_lc_rs::{
    digest::{SHA256, digest},
    encoding::{AsDer as _, Pkcs8V1Der},
    rsa::{KeyPair, KeySize},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use tokio::time::sleep;

use crate::{
    Result,
    balancer::Balancer,
    cast::Kind,
    client::Client,
    gateway::Gateway,
    ledger::Ledger,
    log::{self, Order},
    machine::{Stalls, Watch},
    memory::Memory,
    options::Options,
    process::Process,
    receivers::{Doors, Receivers},
    replica::{Common, Replica, panicked},
    servers,
    signature::Keys,
    vendor::{Load, PARTITIONS, TENANT, Vendor},
    verdict::{Facts, Times, Verdict},
};

/// How many replicas there are.
const REPLICAS: usize = 2;
/// How long after failing ones began to fail they are good again.
const RECOVER_AFTER: Duration = Duration::from_secs(25);
/// How long after the first end of a replica the other one is asked to stop.
const BETWEEN_ENDS: Duration = Duration::from_secs(15);
/// How long everything may take to come to rest once there is no more load. The longest pause of a webhook is five minutes.
const SETTLES_WITHIN: Duration = Duration::from_secs(360);
/// How many registrations are under way at once.
const REGISTERED_AT_ONCE: usize = 8;
const CLIENT: (&str, &str) = ("load", "a-secret-of-the-load-which-nobody-keeps");

/// What runs. All of it ends when this is dropped.
pub struct World {
    options: Durations,
    common: Arc<Common>,
    replicas: Vec<Replica>,
    /// The names of all replicas that there have been.
    names: Vec<String>,
    vendor: Vendor,
    ledger: Arc<Ledger>,
    receivers: Arc<Receivers>,
    doors: Doors,
    /// The conversations of each receiver.
    own: Vec<Vec<String>>,
    times: Times,
    asked: f64,
    stalls: Stalls,
    _stalls: Watch,
    _gateway: Gateway,
    _servers: [Process; 2],
}

struct Durations {
    healthy: Duration,
    troubled: Duration,
    restarts: Duration,
}

impl World {
    /// Starts everything, registers all webhooks, and begins the load.
    pub async fn start(options: &Options, logs: &Path) -> Result<Self> {
        let (redis, redis_url) = servers::redis(logs).await?;
        let (sandbox, sandbox_url) = servers::sandbox(&options.program, logs).await?;
        let (webhook, chat_v2) = (Balancer::open().await?, Balancer::open().await?);
        let ledger = Arc::<Ledger>::default();
        let mut vendor = Vendor::start(vec![webhook.address], Arc::clone(&ledger)).await?;
        let gateway = Gateway::start(&vendor.url, &sandbox_url).await?;
        let facade = format!("http://{}", chat_v2.address);
        let common = Arc::new(Common {
            program: options.program.clone(),
            config: configure(logs, &gateway.url)?,
            redis_url,
            logs: logs.to_owned(),
            log: options.log.clone(),
            webhook,
            chat_v2,
            memory: Memory::default(),
        });
        let (mut replicas, mut names) = (Vec::new(), Vec::new());
        for _ in 0..REPLICAS {
            replicas.push(start_replica(&mut names, &common).await?);
        }
        let receivers = Arc::new(Receivers::new(options.webhooks, Keys::new(&facade)?));
        let doors = Doors::open(&receivers).await?;
        let own = register(&facade, &doors, options).await?;
        let conversations: Vec<String> = own.concat();
        println!(
            "deliveries: {} webhooks ({}), {} conversations, {} events a second; {}",
            options.webhooks,
            kinds(&receivers),
            conversations.len(),
            options.events_per_second,
            names.join(", ")
        );
        let load = Load {
            per_second: options.events_per_second,
            ..Load::default()
        };
        let stalls = Stalls::default();
        let watch = stalls.watch();
        vendor.begin_in(conversations, load, options.seed);
        Ok(Self {
            options: Durations {
                healthy: options.healthy,
                troubled: options.troubled,
                restarts: options.restarts,
            },
            common,
            replicas,
            names,
            vendor,
            ledger,
            receivers,
            doors,
            own,
            times: Times::begin(),
            asked: options.events_per_second,
            stalls,
            _stalls: watch,
            _gateway: gateway,
            _servers: [redis, sandbox],
        })
    }

    fn say(&self, what: &str) {
        println!(
            "deliveries: {:>3.0} s: {what}",
            self.times.begun.elapsed().as_secs_f64()
        );
    }

    /// All receivers are well.
    pub async fn healthy(&self) {
        sleep(self.options.healthy).await;
    }

    /// Some are dead, slow or failing.
    pub async fn troubled(&mut self) -> Result<()> {
        self.say("some receivers are dead, slow or failing from now on");
        self.times.troubled = Instant::now();
        self.doors.shut().await?;
        self.receivers.trouble();
        let until_recovery = RECOVER_AFTER.min(self.options.troubled);
        sleep(until_recovery).await;
        self.say("those that failed are good again");
        self.receivers.recover();
        sleep(self.options.troubled.saturating_sub(until_recovery)).await;
        Ok(())
    }

    /// One replica is killed and started anew, then the other is stopped and started anew.
    pub async fn restarted(&mut self) -> Result<()> {
        self.times.killed = Instant::now();
        self.say(&format!("SIGKILL of {}", self.replicas[0].name));
        self.replicas.remove(0).kill();
        let new = start_replica(&mut self.names, &self.common).await?;
        self.say(&format!("{} takes its place", new.name));
        self.replicas.push(new);
        sleep(BETWEEN_ENDS).await;
        self.say(&format!("SIGTERM of {}", self.replicas[0].name));
        self.replicas.remove(0).terminate().await?;
        let new = start_replica(&mut self.names, &self.common).await?;
        self.say(&format!("{} takes its place", new.name));
        self.replicas.push(new);
        self.times.restarted = Instant::now();
        sleep(self.options.restarts.saturating_sub(self.times.killed.elapsed())).await;
        Ok(())
    }

    /// Ends the load, lets everything come to rest, and holds what came against the log.
    pub async fn finish(mut self) -> Result<Verdict> {
        let given_up = self.vendor.finish(SETTLES_WITHIN).await;
        self.times.ended = Instant::now();
        self.say("no more events");
        let wanted: HashSet<String> = self.ledger.acknowledged().into_keys().collect();
        let log = log::read(self.replicas[0].grpc(), &wanted).await?;
        let living = self.caught_up(&log, |kind| !kind.is_dead()).await;
        let waiting = self.metric("chatbridge_chat_v2_waiting").await?;
        self.say("the dead are good again");
        self.doors.reopen()?;
        self.receivers.calm();
        let dead = self.caught_up(&log, Kind::is_dead).await;
        let left = self.comes_to_rest().await?;
        self.say("all is at rest");
        let mut broken = Vec::new();
        for replica in &mut self.replicas {
            if let Err(error) = replica.must_run() {
                broken.push(error.to_string());
            }
        }
        let panics = self.names.iter().filter(|name| panicked(&self.common, name));
        broken.extend(panics.map(|name| format!("{name} panicked")));
        let facts = Facts {
            receivers: &self.receivers,
            own: &self.own,
            log: &log,
            ledger: &self.ledger,
            times: &self.times,
            memory: self.common.memory.samples(),
            stalls: &self.stalls,
            asked: self.asked,
            given_up,
            living,
            dead,
            waiting,
            left,
            dead_letters: self.metric("chatbridge_chat_v2_dead_letters_total").await?,
        };
        Ok(facts.judge(broken))
    }

    /// Waits until receivers of a kind have all their events; how long that took, `None`: it did not come about.
    async fn caught_up(&self, log: &Order, is_meant: impl Fn(Kind) -> bool) -> Option<Duration> {
        let begun = Instant::now();
        let is_done = |number: usize| {
            let expected = self.own[number].iter().filter_map(|id| log.get(id)).map(Vec::len);
            let book = self.receivers.all[number].book();
            let taken = book.arrivals.iter().filter(|arrival| arrival.taken);
            taken.map(|arrival| arrival.event).collect::<HashSet<_>>().len() >= expected.sum()
        };
        let mut open: Vec<usize> = (0..self.own.len())
            .filter(|number| is_meant(self.receivers.all[*number].kind))
            .collect();
        loop {
            open.retain(|number| !is_done(*number));
            if open.is_empty() {
                return Some(begun.elapsed());
            }
            if begun.elapsed() > SETTLES_WITHIN {
                return None;
            }
            sleep(Duration::from_millis(200)).await;
        }
    }

    /// Waits until nothing is left in any outbox; how much is left.
    async fn comes_to_rest(&self) -> Result<f64> {
        let begun = Instant::now();
        loop {
            let left = self.metric("chatbridge_chat_v2_waiting").await?;
            if left <= 0.0 || begun.elapsed() > Duration::from_secs(60) {
                return Ok(left);
            }
            sleep(Duration::from_millis(500)).await;
        }
    }

    /// A metric of the replicas, summed over its labels: the sum of those that count, and of those that measure the same thing what
    /// one of them says.
    async fn metric(&self, name: &str) -> Result<f64> {
        let mut values = Vec::new();
        for replica in &self.replicas {
            let all = replica.metrics().await?;
            let own = all
                .iter()
                .filter(|(full, _)| full.split('{').next() == Some(name));
            values.push(own.map(|(_, value)| value).sum::<f64>());
        }
        let total = values.iter().sum::<f64>();
        let largest = values.into_iter().fold(0.0, f64::max);
        Ok(if name.ends_with("_total") { total } else { largest })
    }
}

async fn start_replica(names: &mut Vec<String>, common: &Arc<Common>) -> Result<Replica> {
    let name = format!("replica-{}", names.len() + 1);
    names.push(name.clone());
    Replica::start(&name, common).await
}

/// Registers webhooks, each with a channel and conversations; the conversations of each.
async fn register(facade: &str, doors: &Doors, options: &Options) -> Result<Vec<Vec<String>>> {
    let (id, secret) = CLIENT;
    let client = Client::connect(facade, TENANT, id, secret).await?;
    let client = &client;
    stream::iter(0..options.webhooks)
        .map(async |number| {
            let webhook = client
                .webhook(&format!("Receiver {number}"), &doors.uri(number))
                .await?;
            let channel = client.channel(&format!("Channel {number}"), &webhook).await?;
            let mut own = Vec::with_capacity(options.conversations);
            for customer in 0..options.conversations {
                own.push(
                    client
                        .conversation(&channel, &format!("Customer {customer}"))
                        .await?,
                );
            }
            Ok::<_, crate::Error>(own)
        })
        .buffered(REGISTERED_AT_ONCE)
        .try_collect()
        .await
}

/// How many receivers there are of each kind.
fn kinds(receivers: &Receivers) -> String {
    let mut counts: Vec<(String, usize)> = Vec::new();
    for receiver in &receivers.all {
        let word = receiver.kind.to_string();
        match counts.iter_mut().find(|(other, _)| *other == word) {
            Some((_, count)) => *count += 1,
            None => counts.push((word, 1)),
        }
    }
    let told: Vec<String> = counts
        .iter()
        .map(|(word, count)| format!("{count} {word}"))
        .collect();
    told.join(", ")
}

/// Writes settings of the service and the key that signs; the settings' file.
fn configure(logs: &Path, gateway: &str) -> Result<std::path::PathBuf> {
    let key = logs.join("signing.pem");
    let pair = KeyPair::generate(KeySize::Rsa2048).map_err(|_| "no signing key can be made")?;
    let der: Pkcs8V1Der<'_> = pair.as_der().map_err(|_| "the signing key cannot be written")?;
    let text = BASE64_STANDARD.encode(der.as_ref());
    std::fs::write(
        &key,
        format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n"),
    )?;
    let (id, secret) = CLIENT;
    let hash = hex(digest(&SHA256, secret.as_bytes()).as_ref());
    let config = logs.join("chatbridge.toml");
    std::fs::write(
        &config,
        format!(
            "partitions = {PARTITIONS}\n\
             tenant = \"{TENANT}\"\n\
             api_key = \"key\"\n\
             gateway_url = \"{gateway}\"\n\
             webhook_id = \"sandbox-webhook\"\n\
             chat_v2_token_secret = \"a-secret-that-signs-tokens-of-the-load\"\n\
             chat_v2_signing_key_file = \"{}\"\n\
             chat_v2_webhook_allow = \"127.0.0.0/8,::1/128\"\n\
             [[chat_v2_clients]]\n\
             id = \"{id}\"\n\
             secret_sha256 = [\"{hash}\"]\n\
             tenants = [\"{TENANT}\"]\n",
            key.display()
        ),
    )?;
    Ok(config)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
