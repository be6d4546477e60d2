//! What can be seen of a Redis without changing anything in it, for whoever wants to know whether it will do.

use std::{
    collections::HashMap,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use ::redis::{Cmd, FromRedisValue as _, Value, cmd, from_redis_value};
use secrecy::ExposeSecret as _;

use super::{
    RedisSettings,
    keys::Keys,
    link::Request,
    start::{self, Sealing},
    topology::{Lane, Server, Topology, Way},
    url::{self, Place},
    wire,
};
use crate::store::StoreError;

/// How many round trips are measured.
const ROUND_TRIPS: usize = 20;

/// What the URL says that Redis is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RedisKind {
    /// One server.
    Server,
    /// The master that Sentinels name.
    Sentinel,
    /// A cluster.
    Cluster,
}

/// What can be seen of a Redis.
#[derive(Debug, Clone)]
pub struct Inspected {
    /// What the URL says that it is.
    pub kind: RedisKind,
    /// The server, the master of the day, or all masters of the cluster.
    pub servers: Vec<ServerFacts>,
    /// What the log is; [`StoreError::Mismatch`] where the settings do not fit it, and `None` where there is none yet.
    pub schema: Result<Option<Schema>, StoreError>,
    /// Names of those master keys that Redis knows by the same name as another key.
    pub other_master_keys: Vec<String>,
}

/// What is noted of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schema {
    /// Version of the layout.
    pub version: u64,
    /// How many partitions it has.
    pub partitions: u64,
}

/// What a server says of itself.
#[derive(Debug, Clone)]
pub struct ServerFacts {
    /// Its address, in a cluster; otherwise empty.
    pub address: String,
    /// Its version as it says it, or why that one will not do.
    pub version: Result<String, StoreError>,
    /// Why it is not what the URL says.
    pub kind_problem: Option<StoreError>,
    /// The fields of `INFO`; empty where the user may not ask.
    pub info: HashMap<String, String>,
    /// The fields of `CLUSTER INFO`; empty where it is no node of a cluster.
    pub cluster: HashMap<String, String>,
    /// When it saves snapshots, and when it flushes its append-only file; `None` where the user may not ask.
    pub config: Option<HashMap<String, String>>,
    /// How far its clock is ahead of this machine's, give or take the time of a round trip, in milliseconds.
    pub clock_ahead_ms: Option<i64>,
    /// How long each of some round trips took, the shortest first.
    pub round_trips: Vec<Duration>,
}

/// Looks at a Redis. Nothing is written, not even a probe.
///
/// Fails as connecting does: [`StoreError::Mismatch`] for settings that cannot be meant, [`StoreError::Unavailable`] where
/// it cannot be reached.
pub async fn inspect(settings: &RedisSettings) -> Result<Inspected, StoreError> {
    let keys = Keys::new(settings.prefix.clone(), settings.partitions)?;
    settings
        .tls
        .certificates()
        .map_err(|problem| StoreError::Mismatch(problem.to_string()))?;
    let place = url::parse(settings.url.expose_secret(), &settings.tls).map_err(StoreError::Mismatch)?;
    let kind = match &place {
        Place::Server(_) => RedisKind::Server,
        Place::Sentinel { .. } => RedisKind::Sentinel,
        Place::Cluster { .. } => RedisKind::Cluster,
    };
    let topology = Topology::new(place, None);
    let mut servers = Vec::new();
    match &*topology {
        Topology::One(server) => servers.push(look_at(server, "", kind).await?),
        Topology::Cluster(cluster) => {
            cluster.refresh().await?;
            for node in cluster.masters() {
                servers.push(look_at(&node, &node.address().to_string(), kind).await?);
            }
        }
    }
    let way = Way::new(&topology, Lane::Reads);
    Ok(Inspected {
        kind,
        servers,
        schema: schema(&way, &keys, settings).await,
        other_master_keys: other_master_keys(&way, &keys, settings).await.unwrap_or_default(),
    })
}

async fn look_at(server: &Server, address: &str, kind: RedisKind) -> Result<ServerFacts, StoreError> {
    let hello: HashMap<String, Value> =
        from_redis_value(ask(server, &cmd("HELLO")).await?).unwrap_or_default();
    let text = |name| wire::text(hello.get(name).cloned().unwrap_or_default()).unwrap_or_default();
    let (version, mode) = (text("version"), text("mode"));
    let cluster = match mode.as_str() {
        "cluster" => fields(ask(server, cmd("CLUSTER").arg("INFO")).await),
        _ => HashMap::new(),
    };
    let config = ask(server, cmd("CONFIG").arg(&["GET", "save", "appendfsync"])).await;
    let mut round_trips = Vec::with_capacity(ROUND_TRIPS);
    for _ in 0..ROUND_TRIPS {
        let asked = Instant::now();
        ask(server, &cmd("PING")).await?;
        round_trips.push(asked.elapsed());
    }
    round_trips.sort_unstable();
    Ok(ServerFacts {
        address: address.to_owned(),
        version: start::check_version(&version).map(|()| version),
        kind_problem: start::check_mode(&mode, kind == RedisKind::Cluster).err(),
        info: fields(ask(server, &cmd("INFO")).await),
        cluster,
        config: config.ok().and_then(|config| from_redis_value(config).ok()),
        clock_ahead_ms: clock_ahead_ms(server).await,
        round_trips,
    })
}

async fn ask(server: &Server, command: &Cmd) -> Result<Value, StoreError> {
    let answer = server
        .link(Lane::Urgent)
        .run(&Request::Command(command), false)
        .await;
    answer.map_err(|failed| failed.explain())
}

/// Lines of `name:value`; none where the answer is a refusal.
fn fields(answer: Result<Value, StoreError>) -> HashMap<String, String> {
    let text = answer
        .ok()
        .and_then(|answer| String::from_redis_value(answer).ok());
    let text = text.unwrap_or_default();
    let pairs = text.lines().filter_map(|line| line.trim_end().split_once(':'));
    pairs
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

async fn clock_ahead_ms(server: &Server) -> Option<i64> {
    let before = unix_ms()?;
    let (seconds, micros): (i64, i64) = from_redis_value(ask(server, &cmd("TIME")).await.ok()?).ok()?;
    let after = unix_ms()?;
    Some(seconds * 1000 + micros / 1000 - (before + after) / 2)
}

fn unix_ms() -> Option<i64> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
    i64::try_from(since.as_millis()).ok()
}

async fn schema(way: &Way, keys: &Keys, settings: &RedisSettings) -> Result<Option<Schema>, StoreError> {
    let sealing = match &settings.master_keys {
        None => Sealing::None,
        Some(_) => Sealing::Opens,
    };
    let noted: (Option<u64>, Option<u64>, Option<String>) = way
        .command(
            cmd("HMGET")
                .arg(keys.schema())
                .arg(&["version", "partitions", "format"]),
        )
        .await?;
    let (Some(version), Some(partitions), format) = noted else {
        return Ok(None);
    };
    start::judge_schema(version, partitions, keys.partitions(), sealing)?;
    // Where it is not noted, the log was begun before there was another.
    format.map_or(Ok(1), |format| start::judge_format(&format))?;
    Ok(Some(Schema { version, partitions }))
}

async fn other_master_keys(
    way: &Way,
    keys: &Keys,
    settings: &RedisSettings,
) -> Result<Vec<String>, StoreError> {
    let mut others = Vec::new();
    let Some(ring) = &settings.master_keys else {
        return Ok(others);
    };
    for master in ring.keys().all() {
        let field = format!("master:{}", master.id());
        let noted: Option<String> = way.command(cmd("HGET").arg(keys.schema()).arg(field)).await?;
        if noted.is_some_and(|noted| noted != master.check()) {
            others.push(master.id().to_owned());
        }
    }
    Ok(others)
}
