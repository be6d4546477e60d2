//! In which format entries are written, and which replicas read which.
//!
//! Beside the layout of the log its schema notes the format in which all replicas write, and, in a field for each, what each reads and
//! writes. A replica renews its own about once a second, with the probe that also tells whether Redis takes writes, and takes up what is
//! noted then.

use std::{
    sync::atomic::{AtomicU16, Ordering},
    time::Duration,
};

use ::redis::Value;
use secrecy::ExposeSecret as _;

use super::{
    RedisSettings,
    keys::Keys,
    link::WITHIN,
    scripts::{Call, SET_FORMAT},
    topology::{Lane, Topology, Way},
    url, wire,
};
use crate::store::{
    StoreError,
    entry::format::{NEWEST, OLDEST},
};

/// For how long a replica counts as there that was not heard of: it tells of itself about once a second.
pub(super) const THERE: Duration = Duration::from_secs(10);

/// For how long it is remembered after that.
pub(super) const REMEMBERED: Duration = Duration::from_secs(60);

/// After this, an append that was under way when its replica took up another format has ended.
pub const SETTLED: Duration = WITHIN;

/// A replica, as it tells of itself.
pub(super) struct Replica {
    pub(super) id: String,
    host: String,
    writes: AtomicU16,
}

impl Replica {
    /// One that is new.
    pub(super) fn new(begins: u16) -> Self {
        let host = std::env::var("HOSTNAME").unwrap_or_default();
        Self {
            id: format!("{:016x}", rand::random::<u64>()),
            host: host.chars().filter(char::is_ascii_graphic).take(64).collect(),
            writes: AtomicU16::new(begins),
        }
    }

    /// The format in which it writes.
    pub(super) fn writes(&self) -> u16 {
        self.writes.load(Ordering::Acquire)
    }

    /// Writes in this format from now on.
    pub(super) fn take_up(&self, format: u16) {
        let before = self.writes.swap(format, Ordering::AcqRel);
        if before != format {
            tracing::info!(
                before,
                format,
                "entries are written in another format from now on"
            );
        }
    }

    /// What it tells of itself: `OLDEST NEWEST WRITES VERSION HOST`.
    pub(super) fn told(&self) -> String {
        let version = env!("CARGO_PKG_VERSION");
        format!("{OLDEST} {NEWEST} {} {version} {}", self.writes(), self.host)
    }
}

/// What is noted of formats.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Formats {
    /// The format in which entries are written; `None`: there is no log yet.
    pub written: Option<u16>,
    /// Replicas that are there, by their names.
    pub replicas: Vec<ReplicaFormats>,
}

/// A replica that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplicaFormats {
    /// The name of its machine, or what it calls itself.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The oldest and the newest format that it reads.
    pub reads: (u16, u16),
    /// The format in which it wrote when it last told.
    pub writes: u16,
    /// How long ago that was.
    pub seen_ago: Duration,
}

impl ReplicaFormats {
    /// Whether it reads a format.
    pub fn does_read(&self, format: u16) -> bool {
        (self.reads.0..=self.reads.1).contains(&format)
    }
}

/// Looks at what is noted, and changes nothing. Fails as connecting does.
pub async fn formats(settings: &RedisSettings) -> Result<Formats, StoreError> {
    ask(settings, None).await
}

/// Has all replicas write in this format, which they do within seconds, unless one that is there does not read it: then nothing is
/// changed. Answers what was noted before.
pub async fn set_format(settings: &RedisSettings, format: u16) -> Result<Formats, StoreError> {
    ask(settings, Some(format)).await
}

async fn ask(settings: &RedisSettings, to: Option<u16>) -> Result<Formats, StoreError> {
    let keys = Keys::new(settings.prefix.clone(), settings.partitions)?;
    settings
        .tls
        .certificates()
        .map_err(|problem| StoreError::Mismatch(problem.to_string()))?;
    let place = url::parse(settings.url.expose_secret(), &settings.tls).map_err(StoreError::Mismatch)?;
    let topology = Topology::new(place, settings.wait);
    let way = Way::new(&topology, Lane::Urgent);
    let call = Call::new([keys.schema()])
        .arg(to.map(|format| format.to_string()).unwrap_or_default())
        .arg(THERE.as_millis().to_string());
    let answer: Value = way.script(&SET_FORMAT, call).await?;
    let [now_ms, written, replicas] = wire::array_of(answer)?;
    let (now_ms, written) = (wire::number(&now_ms)?, wire::text(written)?);
    let mut told = wire::array(replicas)?.into_iter();
    let mut replicas = Vec::new();
    while let (Some(id), Some(told)) = (told.next(), told.next()) {
        replicas.extend(replica(&wire::text(id)?, &wire::text(told)?, now_ms));
    }
    replicas.retain(|replica| replica.seen_ago <= THERE);
    replicas.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(Formats {
        written: written.parse().ok(),
        replicas,
    })
}

/// `MS OLDEST NEWEST WRITES VERSION HOST`.
fn replica(id: &str, told: &str, now_ms: u64) -> Option<ReplicaFormats> {
    let mut words = told.split(' ');
    let seen_ms: u64 = words.next()?.parse().ok()?;
    let mut format = || words.next()?.parse::<u16>().ok();
    let (oldest, newest, writes) = (format()?, format()?, format()?);
    let version = words.next()?.to_owned();
    let host = words.next().unwrap_or_default();
    Some(ReplicaFormats {
        name: if host.is_empty() { id } else { host }.to_owned(),
        version,
        reads: (oldest, newest),
        writes,
        seen_ago: Duration::from_millis(now_ms.saturating_sub(seen_ms)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_replica_tells_is_read_back() {
        let replica = Replica::new(1);
        let told = format!("1000 {}", replica.told());
        let read = super::replica(&replica.id, &told, 3500).unwrap();
        assert_eq!((read.reads, read.writes), ((OLDEST, NEWEST), 1));
        assert_eq!(read.seen_ago, Duration::from_millis(2500));
        assert!(read.does_read(1) && !read.does_read(NEWEST + 1));
        assert!(super::replica("id", "1000 1", 0).is_none());
        replica.take_up(7);
        assert_eq!(
            super::replica("id", &format!("0 {}", replica.told()), 0)
                .unwrap()
                .writes,
            7
        );
    }
}
