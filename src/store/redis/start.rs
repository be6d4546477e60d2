//! What is checked before the log is used: the server, and what the log is.

use std::collections::HashMap;

use ::redis::{FromRedisValue as _, InfoDict, Value, cmd, from_redis_value};

use super::{
    format::{REMEMBERED, Replica},
    keys::Keys,
    scripts::{Call, SCHEMA},
    topology::Way,
    wire,
};
use crate::store::{
    Retention, StoreError,
    entry::format::{BEGINS, NEWEST, OLDEST, is_read},
};

/// Version of the layout of keys.
const VERSION: u64 = 2;

/// The same of a log in which contents may be encrypted: whoever knows nothing of that must leave it alone.
const SEALED_VERSION: u64 = 3;

/// What a store does with contents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sealing {
    /// It has no master keys.
    None,
    /// It can decrypt.
    Opens,
    /// It encrypts, too.
    Seals,
}

/// How long the probe's key lives, milliseconds.
const PROBE_MS: u64 = 10_000;

/// `SET` with both `NX` and `GET` is what claims need.
const OLDEST_REDIS: (u32, u32) = (7, 0);

/// Refuses a Redis that is too old or another than the URL says, and warns of one that may drop data.
pub(super) async fn check_servers(way: &Way) -> Result<(), StoreError> {
    // Unlike `INFO`, this is allowed to every user.
    for hello in way.everywhere(&cmd("HELLO")).await? {
        let hello: HashMap<String, Value> = from_redis_value(hello).unwrap_or_default();
        let text = |name| wire::text(hello.get(name).cloned().unwrap_or_default()).unwrap_or_default();
        check_version(&text("version"))?;
        check_mode(&text("mode"), way.is_cluster())?;
    }
    for info in way
        .everywhere(cmd("INFO").arg("memory"))
        .await
        .unwrap_or_default()
    {
        if let Ok(info) = InfoDict::from_redis_value(info) {
            warn_of_eviction(&info);
        }
    }
    Ok(())
}

pub(super) fn check_mode(mode: &str, as_cluster: bool) -> Result<(), StoreError> {
    let problem = match (mode, as_cluster) {
        ("cluster", false) => {
            "is a node of a cluster: let the Redis URL begin with redis+cluster:// or rediss+cluster://"
        }
        ("sentinel", _) => {
            "is a Sentinel: let the Redis URL begin with redis+sentinel:// or rediss+sentinel:// and name the master"
        }
        _ => return Ok(()),
    };
    Err(StoreError::Mismatch(format!(
        "the server that the Redis URL names {problem}"
    )))
}

fn warn_of_eviction(memory: &InfoDict) {
    let policy: String = memory.get("maxmemory_policy").unwrap_or_default();
    let limit: u64 = memory.get("maxmemory").unwrap_or_default();
    if limit > 0 && policy != "noeviction" {
        tracing::warn!(%policy, "Redis may evict parts of the event log: set maxmemory-policy to noeviction");
    }
}

/// Refuses times to live that Redis could not keep.
pub(super) fn check_retention(retention: &Retention) -> Result<(), StoreError> {
    // Redis adds them to its own time, in signed 64 bits.
    const LONGEST_MS: u64 = 1 << 52;
    let named = [
        ("log", retention.log_ms),
        ("deliveries", retention.dedupe_ms),
        ("sessions", retention.session_ms),
        ("idempotency records", retention.idempotency_ms),
    ];
    match named.iter().find(|(_, ms)| !(1..=LONGEST_MS).contains(ms)) {
        Some((what, ms)) => Err(StoreError::Mismatch(format!(
            "the retention of {what} must be from 1 to {LONGEST_MS} ms, and is {ms}"
        ))),
        None => Ok(()),
    }
}

pub(super) fn check_version(version: &str) -> Result<(), StoreError> {
    let mut parts = version.split('.').map(str::parse::<u32>);
    let (Some(Ok(major)), Some(Ok(minor))) = (parts.next(), parts.next()) else {
        return Err(StoreError::Mismatch(format!(
            "the server does not say which version of Redis it speaks ({version:?}); 7.0 or newer is needed"
        )));
    };
    if (major, minor) < OLDEST_REDIS {
        return Err(StoreError::Mismatch(format!(
            "Redis {version} is too old: 7.0 or newer is needed"
        )));
    }
    Ok(())
}

/// Notes what the log is where nothing is noted, and refuses a log that is another; answers the format in which entries are to be
/// written. Tells of the replica that asks, where one does. Needs a Redis that takes writes.
pub(super) async fn check_schema(
    way: &Way,
    keys: &Keys,
    sealing: Sealing,
    replica: Option<&Replica>,
) -> Result<u16, StoreError> {
    let next = match sealing {
        Sealing::Seals => SEALED_VERSION.to_string(),
        Sealing::None | Sealing::Opens => String::new(),
    };
    let call = Call::new([keys.schema(), keys.probe()])
        .arg(VERSION)
        .arg(keys.partitions())
        .arg(PROBE_MS)
        .arg(next)
        .arg(BEGINS)
        .arg(replica.map_or("", |replica| &replica.id))
        .arg(replica.map(Replica::told).unwrap_or_default())
        .arg(REMEMBERED.as_millis().to_string());
    let noted: Value = way.script(&SCHEMA, call).await?;
    let [version, partitions, format] = wire::array_of(noted)?;
    let (version, partitions) = (wire::number(&version)?, wire::number(&partitions)?);
    judge_schema(version, partitions, keys.partitions(), sealing)?;
    let format = judge_format(&wire::text(format)?)?;
    // Whether the other nodes of a cluster take writes too.
    let probe = |key| {
        let mut probe = cmd("SET");
        probe.arg(key).arg("").arg("PX").arg(PROBE_MS);
        probe
    };
    way.on_each_node(keys.probes().map(probe).collect()).await?;
    Ok(format)
}

/// Refuses a log whose entries are written in a format that this program does not read.
pub(super) fn judge_format(noted: &str) -> Result<u16, StoreError> {
    let format = noted.parse().ok().filter(|format| is_read(*format));
    format.ok_or_else(|| {
        StoreError::Mismatch(format!(
            "the entries of the log are written in format {noted:?}, and this program reads formats {OLDEST} to {NEWEST}: run \
             the version of the other replicas; to go back to this one, first have them write an older format with \
             `chatbridge entry-format set`"
        ))
    })
}

/// Refuses a log of another layout, of another number of partitions, or whose contents cannot be read.
pub(super) fn judge_schema(
    version: u64,
    partitions: u64,
    configured: u16,
    sealing: Sealing,
) -> Result<(), StoreError> {
    if version == SEALED_VERSION && sealing == Sealing::None {
        return Err(StoreError::Mismatch(
            "Redis holds a log whose contents may be encrypted: set master_keys_file to the file of the service that wrote \
             it, or give this one a key prefix of its own"
                .into(),
        ));
    }
    if ![VERSION, SEALED_VERSION].contains(&version) {
        return Err(StoreError::Mismatch(format!(
            "Redis holds a log of layout {version}, and this version of Chatbridge writes layout {VERSION}: run the \
             version that wrote it, or give this one a key prefix of its own"
        )));
    }
    if partitions != u64::from(configured) {
        return Err(StoreError::Mismatch(format!(
            "Redis holds a log of {partitions} partitions, and {configured} are configured: configure {partitions}, or \
             give this service a key prefix of its own"
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("7.0.0", true)]
    #[case("7.0.15", true)]
    #[case("8.2.1", true)]
    #[case("6.2.14", false)]
    #[case("", false)]
    #[case("unknown", false)]
    fn only_a_redis_that_is_new_enough_will_do(#[case] version: &str, #[case] will_do: bool) {
        assert_eq!(check_version(version).is_ok(), will_do);
    }

    #[test]
    fn a_retention_that_redis_cannot_keep_is_refused() {
        assert_eq!(check_retention(&Retention::default()).ok(), Some(()));
        for ms in [0, u64::MAX] {
            let retention = Retention {
                dedupe_ms: ms,
                ..Retention::default()
            };
            assert!(check_retention(&retention).is_err_and(|e| e.to_string().contains("deliveries")));
        }
    }
}
