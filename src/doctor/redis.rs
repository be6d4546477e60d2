//! Redis: whether it is there, whether it will do, and whether the log in it is ours.

use std::time::Duration;

use super::{
    Report,
    finding::{
        REDIS_CLOCK, REDIS_EVICTION, REDIS_KIND, REDIS_LATENCY, REDIS_MASTER_KEYS, REDIS_MEMORY,
        REDIS_PERSISTENCE, REDIS_REACHABLE, REDIS_REPLICAS, REDIS_ROLE, REDIS_SCHEMA, REDIS_SLOTS,
        REDIS_STORE, REDIS_VERSION,
    },
};
use crate::{
    config::Config,
    server::redis_settings,
    store::{
        StoreError,
        redis::{Inspected, RedisKind, ServerFacts, inspect},
    },
};

/// Median round trips from which on every webhook and call is noticeably slower, and from which on time limits are near.
const SLOW: Duration = Duration::from_millis(10);
const TOO_SLOW: Duration = Duration::from_millis(250);

/// How far Redis's clock may be off, in milliseconds: a minute is what the log warns of.
const CLOCK_OFF_MS: u64 = 10_000;
const CLOCK_WRONG_MS: u64 = 60_000;

/// How much of its memory Redis may have used, in hundredths, before somebody should look, and before it is about to refuse.
const MEMORY_MUCH: u64 = 80;
const MEMORY_FULL: u64 = 97;

pub(super) async fn examine(config: &Config, report: &mut Report) {
    let Some(url) = &config.redis_url else {
        return report.warning(
            REDIS_STORE,
            "",
            "Sessions and events are kept in memory: nothing survives the process, and replicas know nothing of each other.",
            "Set redis_url to a Redis, such as redis://127.0.0.1:6379/0.",
        );
    };
    report.ok(REDIS_STORE, "", "Sessions and events are kept in Redis.");
    let inspected = match inspect(&redis_settings(config, url.clone())).await {
        Ok(inspected) => inspected,
        Err(error) => return unreachable(&error, report),
    };
    report.ok(REDIS_REACHABLE, "", "Redis can be reached.");
    for server in &inspected.servers {
        judge(config, inspected.kind, server, report);
    }
    if inspected.kind == RedisKind::Cluster {
        slots(&inspected, report);
    }
    schema(config, &inspected, report);
    master_keys(config, &inspected, report);
}

fn unreachable(error: &StoreError, report: &mut Report) {
    let why = error.to_string();
    let remedy = if why.contains("user name or password") {
        "Correct user and password in redis_url; `ACL LIST` on the server says who may."
    } else if why.contains("certificate") || why.contains("TLS") {
        "Check that redis_url begins with rediss:// where the server speaks TLS, and that redis_tls_ca_file, redis_tls_cert_file \
         and redis_tls_key_file are the right ones."
    } else if why.contains("Sentinel") {
        "Check the Sentinels' addresses and the master's name in redis_url; `SENTINEL masters` says which they know."
    } else {
        "Check host and port in redis_url, that the server runs, and that this machine may reach it (`redis-cli -u URL ping`)."
    };
    report.error(
        REDIS_REACHABLE,
        "",
        format!("Redis cannot be used: {why}."),
        remedy,
    );
}

fn judge(config: &Config, kind: RedisKind, server: &ServerFacts, report: &mut Report) {
    let of = server.address.as_str();
    match &server.version {
        Ok(version) => report.ok(REDIS_VERSION, of, format!("Redis speaks version {version}.")),
        Err(error) => report.error(REDIS_VERSION, of, format!("{error}."), "Run Redis 7.0 or newer."),
    }
    match &server.kind_problem {
        None => report.ok(REDIS_KIND, of, "It is what redis_url says."),
        Some(error) => report.error(
            REDIS_KIND,
            of,
            format!("{error}."),
            "Change the beginning of redis_url as the sentence says.",
        ),
    }
    latency(server, report);
    clock(server, report);
    if server.info.is_empty() {
        return report.skipped(
            REDIS_ROLE,
            of,
            "The Redis user may not run INFO, so role, memory, persistence and replicas are not known.",
        );
    }
    role(server, report);
    memory(server, report);
    persistence(server, report);
    replicas(config, kind, server, report);
}

fn latency(server: &ServerFacts, report: &mut Report) {
    let of = server.address.as_str();
    let trips = &server.round_trips;
    let (Some(median), Some(worst)) = (trips.get(trips.len() / 2), trips.last()) else {
        return;
    };
    let shown = |time: &Duration| format!("{:.1} ms", time.as_secs_f64() * 1000.0);
    let sentence = format!(
        "Of {} round trips half took up to {}, the longest {}.",
        trips.len(),
        shown(median),
        shown(worst)
    );
    let remedy =
        "Run Chatbridge beside Redis, in the same zone; look at `redis-cli --latency` and at SLOWLOG.";
    if *median >= TOO_SLOW {
        report.error(REDIS_LATENCY, of, sentence, remedy);
    } else if *median >= SLOW {
        report.warning(REDIS_LATENCY, of, sentence, remedy);
    } else {
        report.ok(REDIS_LATENCY, of, sentence);
    }
}

fn clock(server: &ServerFacts, report: &mut Report) {
    let of = server.address.as_str();
    let Some(ahead_ms) = server.clock_ahead_ms else {
        return report.skipped(REDIS_CLOCK, of, "Redis does not tell its time.");
    };
    let (off_ms, way) = (
        ahead_ms.unsigned_abs(),
        if ahead_ms < 0 { "behind" } else { "ahead of" },
    );
    let sentence = format!(
        "Redis's clock is {:.1} s {way} this machine's.",
        off_ms as f64 / 1000.0
    );
    let remedy = "Let both machines set their clocks by NTP (`timedatectl` says whether they do).";
    if off_ms >= CLOCK_WRONG_MS {
        report.error(REDIS_CLOCK, of, sentence, remedy);
    } else if off_ms >= CLOCK_OFF_MS {
        report.warning(REDIS_CLOCK, of, sentence, remedy);
    } else {
        report.ok(REDIS_CLOCK, of, "Redis and this machine agree on the time.");
    }
}

fn role(server: &ServerFacts, report: &mut Report) {
    let of = server.address.as_str();
    match text(server, "role") {
        "slave" | "replica" => report.error(
            REDIS_ROLE,
            of,
            format!("It is a replica of {}, and takes no writes.", text(server, "master_host")),
            "Let redis_url name the master, or the Sentinels with redis+sentinel://, which find it after a fail-over.",
        ),
        _ if text(server, "loading") == "1" => report.error(
            REDIS_ROLE,
            of,
            "It is still loading its data.",
            "Wait until it has; Chatbridge waits half a minute at its start.",
        ),
        _ => report.ok(REDIS_ROLE, of, "It is a master."),
    }
}

fn memory(server: &ServerFacts, report: &mut Report) {
    let of = server.address.as_str();
    let limit = number(server, "maxmemory");
    let policy = text(server, "maxmemory_policy");
    if limit > 0 && policy != "noeviction" {
        report.error(
            REDIS_EVICTION,
            of,
            format!("Its maxmemory-policy is {policy}: when memory runs out, it drops parts of the event log and sessions."),
            "Set maxmemory-policy to noeviction, in redis.conf and by `CONFIG SET maxmemory-policy noeviction`.",
        );
    } else {
        report.ok(REDIS_EVICTION, of, "It drops nothing to make room.");
    }
    if limit == 0 {
        return report.ok(REDIS_MEMORY, of, "It has no limit of its own (maxmemory is 0).");
    }
    let used = number(server, "used_memory");
    let hundredths = used.saturating_mul(100) / limit;
    let sentence = format!("It has used {hundredths} % of its memory ({used} of {limit} bytes).");
    let remedy =
        "Raise maxmemory, or keep less: log_retention_hours, log_max_bytes and session_retention_hours.";
    if hundredths >= MEMORY_FULL {
        report.error(REDIS_MEMORY, of, sentence, remedy);
    } else if hundredths >= MEMORY_MUCH {
        report.warning(REDIS_MEMORY, of, sentence, remedy);
    } else {
        report.ok(REDIS_MEMORY, of, sentence);
    }
}

fn persistence(server: &ServerFacts, report: &mut Report) {
    let of = server.address.as_str();
    let failed = |name: &str| text(server, name) == "err";
    if failed("aof_last_write_status")
        || failed("aof_last_bgrewrite_status")
        || failed("rdb_last_bgsave_status")
    {
        return report.error(
            REDIS_PERSISTENCE,
            of,
            "Its last attempt to write to disk failed; it refuses writes while that is so.",
            "Look at its log and at the room on its disk (`redis-cli INFO persistence`).",
        );
    }
    let setting = |name: &str| {
        server
            .config
            .as_ref()
            .and_then(|config| config.get(name).cloned())
    };
    if text(server, "aof_enabled") == "1" {
        return match setting("appendfsync").as_deref() {
            Some("no") => report.warning(
                REDIS_PERSISTENCE,
                of,
                "It writes an append-only file, and leaves to the system when that reaches the disk (appendfsync no).",
                "Set appendfsync to everysec, or to always where no event may be lost.",
            ),
            _ => report.ok(REDIS_PERSISTENCE, of, "It writes an append-only file."),
        };
    }
    let remedy = "Set appendonly to yes, in redis.conf and by `CONFIG SET appendonly yes`.";
    match setting("save").as_deref() {
        Some("") => report.warning(
            REDIS_PERSISTENCE,
            of,
            "It keeps nothing on disk: when it restarts, sessions and events are gone.",
            remedy,
        ),
        Some(_) => report.warning(
            REDIS_PERSISTENCE,
            of,
            "It saves snapshots alone: when it crashes, what came since the last one is gone, although webhooks were \
             answered 2xx.",
            remedy,
        ),
        None => report.warning(
            REDIS_PERSISTENCE,
            of,
            "It writes no append-only file, and the Redis user may not ask whether it saves snapshots.",
            remedy,
        ),
    }
}

fn replicas(config: &Config, kind: RedisKind, server: &ServerFacts, report: &mut Report) {
    let of = server.address.as_str();
    let has = (0..number(server, "connected_slaves"))
        .filter(|at| text(server, &format!("slave{at}")).contains("state=online"))
        .count();
    let waited_for = config.redis_wait.map_or(0, |wait| wait.replicas as usize);
    if has < waited_for {
        report.error(
            REDIS_REPLICAS,
            of,
            format!(
                "{has} replica(s) follow it, and redis_wait_replicas waits for {waited_for}: every webhook would be answered 503."
            ),
            "Add replicas, or lower redis_wait_replicas.",
        );
    } else if has == 0 && kind != RedisKind::Server {
        report.warning(
            REDIS_REPLICAS,
            of,
            "No replica follows it, so nobody takes over when it fails.",
            "Add a replica.",
        );
    } else {
        report.ok(
            REDIS_REPLICAS,
            of,
            format!("{has} replica(s) follow it, and {waited_for} are waited for."),
        );
    }
}

fn slots(inspected: &Inspected, report: &mut Report) {
    let told = |server: &ServerFacts, name: &str| server.cluster.get(name).cloned().unwrap_or_default();
    for server in &inspected.servers {
        let assigned: u64 = told(server, "cluster_slots_assigned").parse().unwrap_or_default();
        let served: u64 = told(server, "cluster_slots_ok").parse().unwrap_or_default();
        if told(server, "cluster_state") != "ok" || assigned < 16_384 || served < 16_384 {
            return report.error(
                REDIS_SLOTS,
                &server.address,
                format!("Of the cluster's 16384 slots {assigned} have a node, and {served} are served."),
                "Run `redis-cli --cluster check HOST:PORT`, then `redis-cli --cluster fix HOST:PORT`.",
            );
        }
    }
    if inspected.servers.is_empty() {
        return report.error(
            REDIS_SLOTS,
            "",
            "No node of the cluster has any slot.",
            "Make a cluster of the nodes with `redis-cli --cluster create`.",
        );
    }
    report.ok(REDIS_SLOTS, "", "All 16384 slots of the cluster are served.");
}

fn schema(config: &Config, inspected: &Inspected, report: &mut Report) {
    match &inspected.schema {
        Ok(None) => report.ok(
            REDIS_SCHEMA,
            "",
            format!(
                "Nothing is there yet under the prefix {:?}; the first start makes it.",
                config.redis_prefix
            ),
        ),
        Ok(Some(schema)) => report.ok(
            REDIS_SCHEMA,
            "",
            format!(
                "The log has {} partitions and layout {}, as is expected.",
                schema.partitions, schema.version
            ),
        ),
        Err(StoreError::Mismatch(why)) => {
            let remedy = if why.contains("partitions") {
                "Set partitions to that number; docs/configuration.md says how it is changed."
            } else if why.contains("master_keys_file") {
                "Set master_keys_file to the file of the service that wrote it."
            } else {
                "Run the version that wrote it, or set another redis_prefix."
            };
            report.error(REDIS_SCHEMA, "", format!("{why}."), remedy);
        }
        Err(error) => report.error(
            REDIS_SCHEMA,
            "",
            format!("What the log is cannot be read: {error}."),
            "Let the Redis user read and write keys under the prefix.",
        ),
    }
}

fn master_keys(config: &Config, inspected: &Inspected, report: &mut Report) {
    if config.master_keys.is_none() {
        return;
    }
    if inspected.other_master_keys.is_empty() {
        return report.ok(
            REDIS_MASTER_KEYS,
            "",
            "No master key is another than the one that Redis knows by its name.",
        );
    }
    for id in &inspected.other_master_keys {
        report.error(
            REDIS_MASTER_KEYS,
            id,
            "Redis knows another master key by this name, and what that one encrypted could not be read.",
            "Put the right key back under this name, or give the new key a new name.",
        );
    }
}

fn text<'a>(server: &'a ServerFacts, name: &str) -> &'a str {
    server.info.get(name).map_or("", String::as_str)
}

fn number(server: &ServerFacts, name: &str) -> u64 {
    text(server, name).parse().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use rstest::rstest;

    use super::*;
    use crate::doctor::Severity;

    fn server(clock_ahead_ms: Option<i64>) -> ServerFacts {
        ServerFacts {
            address: String::new(),
            version: Ok("7.2.4".to_owned()),
            kind_problem: None,
            info: HashMap::new(),
            cluster: HashMap::new(),
            config: None,
            clock_ahead_ms,
            round_trips: Vec::new(),
        }
    }

    #[rstest]
    #[case(Some(9_999), Severity::Ok, "agree")]
    #[case(Some(10_000), Severity::Warning, "10.0 s ahead of")]
    #[case(Some(-59_999), Severity::Warning, "60.0 s behind")]
    #[case(Some(-60_000), Severity::Error, "behind")]
    #[case(None, Severity::Skipped, "does not tell")]
    fn a_clock_that_is_off_is_told(
        #[case] ahead_ms: Option<i64>,
        #[case] severity: Severity,
        #[case] says: &str,
    ) {
        let mut report = Report::default();
        clock(&server(ahead_ms), &mut report);
        let found = &report.findings[0];
        assert_eq!((found.id, found.severity), ("redis.clock", severity));
        assert!(found.sentence.contains(says), "{}", found.sentence);
        assert_eq!(found.remedy.contains("NTP"), severity > Severity::Skipped);
    }

    #[test]
    fn a_redis_that_is_too_old_is_told() {
        let mut report = Report::default();
        let old = ServerFacts {
            version: Err(StoreError::Mismatch(
                "Redis 6.2.14 is too old: 7.0 or newer is needed".into(),
            )),
            ..server(Some(0))
        };
        let config = Config::load(
            None,
            [("TENANT", "t"), ("API_KEY", "k"), ("REDIS_URL", "memory:")]
                .map(|(name, value)| (format!("CHATBRIDGE_{name}"), value.to_owned())),
        );
        judge(&config.unwrap(), RedisKind::Server, &old, &mut report);
        let found = report
            .findings
            .iter()
            .find(|finding| finding.id == "redis.version")
            .unwrap();
        assert_eq!(found.severity, Severity::Error);
        assert!(found.remedy.contains("7.0 or newer"));
    }
}
