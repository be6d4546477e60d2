//! What Redis says of itself while it is used, for the metrics.

use std::collections::HashMap;

use ::redis::{cmd, from_redis_value};

use super::{
    inspect::{fields, unix_ms},
    topology::Way,
};
use crate::store::{StoreError, facts::StoreFacts};

/// Asks all masters. Fails where one cannot be reached, or the user may not ask (`INFO`).
pub(super) async fn facts(way: &Way) -> Result<StoreFacts, StoreError> {
    let info = way
        .everywhere(cmd("INFO").arg(&["memory", "replication", "persistence"]))
        .await?;
    let servers: Vec<_> = info.into_iter().map(|info| fields(Ok(info))).collect();
    if servers.iter().any(HashMap::is_empty) {
        return Err(StoreError::Corrupt("Redis says nothing of itself".into()));
    }
    Ok(StoreFacts {
        clock_ahead_ms: clock_ahead_ms(way).await?,
        ..summary(&servers)
    })
}

fn summary(servers: &[HashMap<String, String>]) -> StoreFacts {
    let number = |server: &HashMap<String, String>, name: &str| -> u64 {
        server.get(name).and_then(|value| value.parse().ok()).unwrap_or(0)
    };
    let memory =
        |server: &&HashMap<String, String>| (number(server, "used_memory"), number(server, "maxmemory"));
    // Of one without a limit nobody can say how full it is.
    let share = |(used, max): (u64, u64)| if max == 0 { 0.0 } else { used as f64 / max as f64 };
    let fullest = servers.iter().map(|server| memory(&server)).max_by(|a, b| {
        let by_share = share(*a).total_cmp(&share(*b));
        by_share.then(a.0.cmp(&b.0))
    });
    let (memory_used, memory_max) = fullest.unwrap_or_default();
    let says = |server: &HashMap<String, String>, name: &str, value: &str| {
        server.get(name).is_some_and(|said| said == value)
    };
    let evicts = |server: &HashMap<String, String>| {
        number(server, "maxmemory") > 0 && !says(server, "maxmemory_policy", "noeviction")
    };
    let fails = |server: &HashMap<String, String>| {
        ["rdb_last_bgsave_status", "aof_last_write_status"]
            .iter()
            .any(|name| says(server, name, "err"))
    };
    StoreFacts {
        masters: servers.len(),
        memory_used,
        memory_max,
        is_noeviction: !servers.iter().any(evicts),
        replicas: servers
            .iter()
            .map(|server| number(server, "connected_slaves"))
            .min()
            .unwrap_or(0),
        is_persistence_failing: servers.iter().any(fails),
        clock_ahead_ms: 0,
    }
}

/// Of the clock that is furthest off. It is taken to be told in the middle of the time that asking took, which is an error of at
/// most half of that.
async fn clock_ahead_ms(way: &Way) -> Result<i64, StoreError> {
    let before = unix_ms().unwrap_or(0);
    let times = way.everywhere(&cmd("TIME")).await?;
    let after = unix_ms().unwrap_or(0);
    let ahead = times.into_iter().filter_map(|time| {
        let (seconds, micros): (i64, i64) = from_redis_value(time).ok()?;
        Some(seconds * 1000 + micros / 1000 - (before + after) / 2)
    });
    Ok(ahead.max_by_key(|ms| ms.abs()).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(fields: &[(&str, &str)]) -> HashMap<String, String> {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        fields.iter().map(owned).collect()
    }

    #[test]
    fn the_worst_of_all_masters_is_told() {
        let half_full = server(&[
            ("used_memory", "500"),
            ("maxmemory", "1000"),
            ("maxmemory_policy", "noeviction"),
            ("connected_slaves", "2"),
            ("rdb_last_bgsave_status", "ok"),
            ("aof_last_write_status", "ok"),
        ]);
        let well = summary(&[half_full.clone(), half_full.clone()]);
        assert_eq!(
            (well.masters, well.memory_used, well.memory_max, well.replicas),
            (2, 500, 1000, 2)
        );
        assert!(well.is_noeviction && !well.is_persistence_failing);

        let fuller = server(&[
            ("used_memory", "90"),
            ("maxmemory", "100"),
            ("maxmemory_policy", "allkeys-lru"),
            ("aof_last_write_status", "err"),
        ]);
        let ill = summary(&[half_full, fuller]);
        assert_eq!((ill.memory_used, ill.memory_max, ill.replicas), (90, 100, 0));
        assert!(!ill.is_noeviction && ill.is_persistence_failing);
    }

    #[test]
    fn a_policy_matters_only_where_there_is_a_limit() {
        let unlimited = server(&[
            ("used_memory", "500"),
            ("maxmemory", "0"),
            ("maxmemory_policy", "allkeys-lru"),
        ]);
        let facts = summary(&[unlimited]);
        assert!(facts.is_noeviction);
        assert_eq!((facts.memory_used, facts.memory_max), (500, 0));
    }
}
