//! Everything that runs: Redis, the vendor's load and its sandbox, pods behind balancers, streams and bots.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use redis::aio::MultiplexedConnection;
use tokio::{process::Command, time::sleep};

use crate::{
    Result,
    balancer::Balancer,
    calls::{self, Bots},
    chart::Values,
    deployment::Deployment,
    ledger::Ledger,
    options::Options,
    pod::Template,
    process::{PATIENCE, Process, command, free_port, until},
    streams::{self, Got, Reader},
    vendor::{self, Load, PARTITIONS, Vendor},
};

/// How long everything may take to come to rest once there is no more load.
const SETTLES_WITHIN: Duration = Duration::from_secs(120);
/// Which share of the load that was asked for must have been taken.
const LOAD_SHARE: f64 = 0.9;
/// How many conversations there are for each hundred streams.
const CONVERSATIONS: usize = 20;

/// What runs. All of it ends when this is dropped.
pub struct World {
    pub deployment: Deployment,
    pub balancer: SocketAddr,
    pub conversations: Vec<String>,
    readers: Vec<Reader>,
    bots: Bots,
    vendor: Vendor,
    ledger: Arc<Ledger>,
    redis: MultiplexedConnection,
    begun: Instant,
    /// Events a second that were asked for.
    asked: f64,
    _servers: [Process; 2],
}

/// What came of it.
pub struct Verdict {
    pub lines: Vec<String>,
    /// What breaks a promise, in words.
    pub broken: Vec<String>,
}

impl World {
    /// Starts everything, and the load last.
    pub async fn start(options: &Options, values: Values, logs: &Path) -> Result<Self> {
        let (redis_server, redis_url, redis) = start_redis(logs).await?;
        let (grpc, webhook) = (Balancer::open().await?, Balancer::open().await?);
        let (sandbox, sandbox_url) = start_sandbox(&options.program, webhook.address, logs).await?;
        let ledger = Arc::<Ledger>::default();
        let mut vendor = Vendor::start(vec![webhook.address], Arc::clone(&ledger)).await?;
        let config = logs.join("chatbridge.toml");
        std::fs::write(&config, settings(&vendor.url, &sandbox_url))?;
        let balancer = grpc.address;
        let template = Template {
            values,
            grpc,
            webhook,
            redis_url,
            config,
            logs: logs.to_owned(),
            wrong: std::sync::Mutex::default(),
        };
        let deployment = Deployment::start(&options.program, Arc::new(template)).await?;
        let count = (options.streams * CONVERSATIONS / 100).max(CONVERSATIONS);
        let conversations: Vec<String> = (0..count).map(vendor::conversation).collect();
        let mut readers = streams::open(balancer, options.streams, &conversations)?;
        let everything = streams::client(balancer)?;
        readers.push(Reader::open(
            &everything,
            Vec::new(),
            streams::earliest(),
            false,
            Got::default(),
        ));
        let bots = Bots::start(balancer, options.bots).await?;
        let load = Load {
            per_second: options.events_per_second,
            conversations: count,
            ..Load::default()
        };
        vendor.begin(load, options.seed);
        println!(
            "rolling: {} streams, {} events a second over {count} conversations, {} bots; pods {}",
            options.streams,
            options.events_per_second,
            options.bots,
            deployment.names().join(", ")
        );
        Ok(Self {
            deployment,
            balancer,
            conversations,
            readers,
            bots,
            vendor,
            ledger,
            redis,
            begun: Instant::now(),
            asked: options.events_per_second,
            _servers: [redis_server, sandbox],
        })
    }

    /// Lets it run.
    pub async fn run_for(&self, seconds: u64) {
        sleep(Duration::from_secs(seconds)).await;
    }

    /// Runs `entry-format` of a program: whether it succeeded, and what it printed.
    pub async fn entry_format(&self, program: &Path, args: &[&str]) -> Result<(bool, String)> {
        let template = &self.deployment.template;
        let output = Command::new(program)
            .env_clear()
            .env("CHATBRIDGE_REDIS_URL", &template.redis_url)
            .arg("entry-format")
            .args(args)
            .arg("--config")
            .arg(&template.config)
            .kill_on_drop(true)
            .output()
            .await?;
        let printed = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        Ok((output.status.success(), printed))
    }

    /// The formats of the newest entries of the log.
    pub async fn newest_formats(&mut self) -> Result<BTreeSet<String>> {
        type Entries = Vec<(String, HashMap<String, Vec<u8>>)>;
        let mut found = BTreeSet::new();
        let logs: Vec<String> = redis::cmd("KEYS")
            .arg("chatbridge:{*}:log")
            .query_async(&mut self.redis)
            .await?;
        for log in logs {
            let mut newest = redis::cmd("XREVRANGE");
            let newest = newest.arg(&[log.as_str(), "+", "-", "COUNT", "5"]);
            let entries: Entries = newest.query_async(&mut self.redis).await?;
            let format = |fields: &HashMap<String, Vec<u8>>| fields.get("v").cloned().unwrap_or_default();
            found.extend(
                entries
                    .iter()
                    .map(|(_, fields)| String::from_utf8_lossy(&format(fields)).into_owned()),
            );
        }
        Ok(found)
    }

    /// Ends the load, lets everything come to rest, and holds what came against what was acknowledged. `more`: what else was read.
    pub async fn finish(mut self, more: Vec<Reader>) -> Result<Verdict> {
        let ran = self.begun.elapsed();
        self.bots.stop().await;
        let given_up = self.vendor.finish(SETTLES_WITHIN).await;
        self.readers.extend(more);
        let acknowledged = self.ledger.acknowledged();
        let last = Reader::open(
            &streams::client(self.balancer)?,
            Vec::new(),
            streams::earliest(),
            true,
            Got::default(),
        );
        let has_all = |last: &Reader| acknowledged.keys().all(|id| last.got().events.contains(id));
        wait_for(async || has_all(&last)).await;
        // What is in the log without having been acknowledged may still come: a delivery whose answer was lost.
        let ends = last.got().last.clone();
        wait_for(async || self.readers.iter().all(|reader| behind(reader, &ends) == 0)).await;
        wait_for(async || self.bots.tally().sent.values().all(|echoes| *echoes == 1)).await;
        Ok(self.judge(ran, given_up, &last))
    }

    fn judge(&self, ran: Duration, given_up: usize, last: &Reader) -> Verdict {
        let acknowledged = self.ledger.acknowledged();
        let mut broken = std::mem::take(
            &mut *self
                .deployment
                .template
                .wrong
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner),
        );
        let seen: HashSet<String> = last.got().events.clone();
        let lost = acknowledged.keys().filter(|id| !seen.contains(*id)).count();
        if lost > 0 || acknowledged.is_empty() {
            broken.push(format!(
                "{lost} of {} acknowledged events are not in the log",
                acknowledged.len()
            ));
        }
        let seconds = ran.as_secs_f64();
        let rate = acknowledged.len() as f64 / seconds;
        if rate < self.asked * LOAD_SHARE {
            broken.push(format!(
                "{rate:.0} events a second were taken, and {:.0} were meant to be: the machine is too busy, and the run shows nothing of \
                 that load",
                self.asked
            ));
        }
        if given_up > 0 {
            broken.push(format!("{given_up} events were never answered 2xx"));
        }
        let ends = last.got().last.clone();
        let mut missed = 0;
        let mut resumed = 0;
        for (number, reader) in self.readers.iter().enumerate() {
            let behind = behind(reader, &ends);
            missed += behind;
            let got = reader.got();
            resumed += usize::from(got.endings > 0);
            broken.extend(got.wrong.iter().map(|what| format!("stream {number}: {what}")));
            if behind > 0 {
                broken.push(format!("stream {number} misses {behind} events"));
            }
        }
        broken.extend(
            last.got()
                .wrong
                .iter()
                .map(|what| format!("the last stream: {what}")),
        );
        if resumed == 0 {
            broken.push("no stream was ended, so nothing was shown".to_owned());
        }
        let tally = self.bots.tally();
        broken.extend(tally.failed.iter().cloned());
        let unheard = tally.sent.values().filter(|echoes| **echoes == 0).count();
        let doubled = tally.sent.values().filter(|echoes| **echoes > 1).count();
        if unheard + doubled > 0 {
            broken.push(format!(
                "of messages that were sent, {unheard} had no echo, and {doubled} several"
            ));
        }
        let attempts = self.ledger.attempts();
        let refused = attempts
            .iter()
            .filter(|attempt| !attempt.answer.is_success())
            .count();
        let received: u64 = self.readers.iter().map(|reader| reader.got().received).sum();
        let endings: u64 = self.readers.iter().map(|reader| reader.got().endings).sum();
        let lines = vec![
            format!("ran {seconds:.0} s"),
            format!(
                "{} events acknowledged, {rate:.0} a second; {} deliveries, {refused} of them had to be repeated",
                acknowledged.len(),
                attempts.len()
            ),
            format!("{lost} events lost, {missed} missed by a stream"),
            format!(
                "{} streams got {received} events; {resumed} of them were ended {endings} times by a pod that stopped, and went on",
                self.readers.len()
            ),
            format!(
                "{} calls, {} failed; {} messages sent, each echoed once",
                tally.calls,
                tally.failed.len(),
                tally.sent.len()
            ),
        ];
        Verdict { lines, broken }
    }
}

/// How many events a stream has not got yet.
fn behind(reader: &Reader, ends: &HashMap<String, (u64, u64)>) -> u64 {
    let got = reader.got();
    let wanted = ends
        .iter()
        .filter(|(id, _)| reader.conversations.is_empty() || reader.conversations.contains(id));
    wanted
        .map(|(id, (_, end))| end.saturating_sub(got.last.get(id).map_or(0, |(_, last)| *last)))
        .sum()
}

/// Waits until something is so, or for as long as anything may take; what is not so then is judged later.
async fn wait_for(mut is_so: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while begun.elapsed() < SETTLES_WITHIN && !is_so().await {
        sleep(Duration::from_millis(100)).await;
    }
}

async fn start_redis(logs: &Path) -> Result<(Process, String, MultiplexedConnection)> {
    let port = free_port()?;
    let mut server = command("redis-server");
    server.args([
        "--bind",
        "127.0.0.1",
        "--save",
        "",
        "--appendonly",
        "no",
        "--port",
    ]);
    server.arg(port.to_string()).arg("--dir").arg(logs);
    let process = Process::start("redis", server, logs)
        .map_err(|error| format!("{error}: install Debian's package redis-server"))?;
    let url = format!("redis://127.0.0.1:{port}");
    let client = redis::Client::open(url.as_str())?;
    let connection = until("Redis answers", PATIENCE, async || {
        client.get_multiplexed_async_connection().await.ok()
    });
    Ok((process, url, connection.await?))
}

/// Starts the sandbox, whose webhooks go where the vendor's do.
async fn start_sandbox(program: &Path, webhook: SocketAddr, logs: &Path) -> Result<(Process, String)> {
    let ready: PathBuf = logs.join("sandbox.ready.json");
    let mut sandbox = command(program);
    sandbox.env_clear().env("CHATBRIDGE_LOG", "warn");
    sandbox.args([
        "sandbox",
        "--listen",
        "127.0.0.1:0",
        "--pace",
        "1",
        "--seed",
        "7",
        "--webhook",
    ]);
    sandbox
        .arg(format!("http://{webhook}/webhooks/8x8"))
        .arg("--ready-file")
        .arg(&ready);
    let process = Process::start("sandbox", sandbox, logs)?;
    let text = until("the sandbox listens", PATIENCE, async || {
        std::fs::read_to_string(&ready).ok()
    })
    .await?;
    let addresses: HashMap<String, String> = serde_json::from_str(&text)?;
    let address = addresses.values().next().ok_or("the sandbox names no address")?;
    Ok((
        process,
        format!("http://{}", address.trim_start_matches("http://")),
    ))
}

/// Settings of the service: a tenant for the load, and one for the bots.
fn settings(vendor: &str, sandbox: &str) -> String {
    format!(
        "partitions = {PARTITIONS}\n\
         [[tenants]]\nid = \"{}\"\napi_key = \"key\"\ngateway_url = \"{vendor}\"\n\
         [[tenants]]\nid = \"{}\"\napi_key = \"sandbox-key\"\ngateway_url = \"{sandbox}\"\n",
        vendor::TENANT,
        calls::TENANT,
    )
}
