//! Faults of Redis, each planted in a real one.

use std::time::Duration;

use ::redis::cmd;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use super::{Diagnosis, Patient, healthy_redis};
use crate::support::redis::RedisServer;

/// What is found with a Redis of its own.
async fn with(redis: &RedisServer) -> Diagnosis {
    let mut patient = Patient::new().await;
    patient.set("redis_url", &redis.url());
    patient.examine(&[]).await
}

fn start(args: &[&str]) -> RedisServer {
    RedisServer::start_with(&[&["--appendonly", "yes"], args].concat())
}

async fn tell(redis: &RedisServer, command: &[&str]) {
    let mut words = command.iter();
    let mut told = cmd(words.next().unwrap());
    for word in words {
        told.arg(*word);
    }
    let () = told.query_async(&mut redis.connection().await).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn events_in_memory() {
    let mut patient = Patient::new().await;
    patient.set("redis_url", "memory:");
    let found = patient.examine(&[]).await;
    found
        .warning("redis.store", "nothing survives", "Set redis_url")
        .only(&["redis.store"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_there_or_a_wrong_password() {
    let mut patient = Patient::new().await;
    patient.set("redis_url", "redis://127.0.0.1:9");
    let found = patient.examine(&[]).await;
    found
        .error("redis.reachable", "connection", "Check host and port")
        .only(&["redis.reachable"]);
    let redis = start(&[]);
    patient.set("redis_url", &redis.url().replace("redis://", "rediss://"));
    let found = patient.examine(&[]).await;
    found.error("redis.reachable", "TLS", "rediss://");
    tell(&redis, &["CONFIG", "SET", "requirepass", "right"]).await;
    patient.set("redis_url", &redis.url().replace("//", "//:s3cret-wrong@"));
    let found = patient.examine(&[]).await;
    found.error(
        "redis.reachable",
        "user name or password",
        "Correct user and password",
    );
    assert!(!format!("{found:?}").contains("s3cret"), "{found:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_drops_what_it_holds() {
    let redis = start(&["--maxmemory", "1gb", "--maxmemory-policy", "allkeys-lru"]);
    let found = with(&redis).await;
    found
        .error("redis.eviction", "allkeys-lru", "noeviction")
        .only(&["redis.eviction"]);
    tell(&redis, &["CONFIG", "SET", "maxmemory-policy", "noeviction"]).await;
    assert_eq!(with(&redis).await.code, 0, "the remedy helps");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_is_nearly_full() {
    let redis = start(&[]);
    tell(&redis, &["SETRANGE", "filler", "58720255", "x"]).await;
    let used: ::redis::InfoDict = cmd("INFO")
        .arg("memory")
        .query_async(&mut redis.connection().await)
        .await
        .unwrap();
    let used: u64 = used.get("used_memory").unwrap();
    let limit = async |hundredths: u64| {
        let bytes = (used * 100 / hundredths).to_string();
        tell(&redis, &["CONFIG", "SET", "maxmemory", &bytes]).await;
        with(&redis).await
    };
    let found = limit(90).await;
    found
        .warning("redis.memory", "% of its memory", "Raise maxmemory")
        .only(&["redis.memory"]);
    let found = limit(99).await;
    found.error("redis.memory", "% of its memory", "log_retention_hours");
    assert_eq!(limit(50).await.code, 0, "the remedy helps");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_keeps_little_or_nothing() {
    let redis = RedisServer::start();
    let found = with(&redis).await;
    found
        .warning("redis.persistence", "keeps nothing on disk", "appendonly")
        .only(&["redis.persistence"]);
    let mut patient = Patient::new().await;
    patient.set("redis_url", &redis.url());
    let allowed = patient.examine(&["--allow-warnings"]).await;
    assert_eq!((found.code, allowed.code), (1, 0));
    assert_eq!(allowed.wrong().len(), 1, "it is still told");
    patient.set("redis_url", "redis://127.0.0.1:1");
    assert_eq!(
        patient.examine(&["--allow-warnings"]).await.code,
        2,
        "errors are not allowed"
    );
    tell(&redis, &["CONFIG", "SET", "save", "3600 1"]).await;
    with(&redis).await.warning(
        "redis.persistence",
        "snapshots alone",
        "CONFIG SET appendonly yes",
    );
    tell(
        &redis,
        &["CONFIG", "SET", "appendonly", "yes", "appendfsync", "no"],
    )
    .await;
    with(&redis)
        .await
        .warning("redis.persistence", "appendfsync no", "everysec");
    tell(&redis, &["CONFIG", "SET", "appendfsync", "everysec"]).await;
    assert_eq!(with(&redis).await.code, 0, "the remedy helps");
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_that_are_waited_for_in_vain_and_one_taken_for_the_master() {
    let master = start(&[]);
    let mut patient = Patient::new().await;
    patient
        .set("redis_url", &master.url())
        .set("redis_wait_replicas", "1");
    let found = patient.examine(&[]).await;
    found
        .error("redis.replicas", "answered 503", "Add replicas")
        .only(&["redis.replicas"]);

    let port = master.url().rsplit(':').next().unwrap().to_owned();
    let replica = start(&["--replicaof", &format!("127.0.0.1 {port}")]);
    crate::support::service::eventually("the replica follows", async || {
        let found = patient.examine(&[]).await;
        (found.code == 0).then_some(())
    })
    .await;
    let found = with(&replica).await;
    found
        .error("redis.role", "replica of 127.0.0.1", "name the master")
        .only(&["redis.role"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_of_other_settings() {
    let mut patient = Patient::new().await;
    let redis = healthy_redis();
    let schema = |patient: &Patient| {
        let prefix = patient
            .settings
            .iter()
            .find(|(name, _)| name == "redis_prefix")
            .unwrap();
        format!("{}:schema", prefix.1)
    };
    tell(
        &redis,
        &["HSET", &schema(&patient), "version", "2", "partitions", "4"],
    )
    .await;
    let found = patient.examine(&[]).await;
    found
        .error(
            "redis.schema",
            "4 partitions, and 16 are configured",
            "Set partitions",
        )
        .only(&["redis.schema"]);
    patient.set("partitions", "4");
    assert_eq!(patient.examine(&[]).await.code, 0, "the remedy helps");
    tell(&redis, &["HSET", &schema(&patient), "version", "3"]).await;
    patient
        .examine(&[])
        .await
        .error("redis.schema", "may be encrypted", "master_keys_file");
    tell(&redis, &["HSET", &schema(&patient), "version", "9"]).await;
    patient
        .examine(&[])
        .await
        .error("redis.schema", "layout 9", "Run the version that wrote it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_master_key_under_the_name_of_another() {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let mut patient = Patient::new().await;
    patient.set("master_keys", &format!("k1:{}", STANDARD.encode([7; 32])));
    let prefix = patient
        .settings
        .iter()
        .find(|(name, _)| name == "redis_prefix")
        .unwrap()
        .1
        .clone();
    let noted = "0123456789abcdef";
    tell(
        &healthy_redis(),
        &[
            "HSET",
            &format!("{prefix}:schema"),
            "version",
            "3",
            "partitions",
            "16",
            "master:k1",
            noted,
        ],
    )
    .await;
    let found = patient.examine(&[]).await;
    found
        .error(
            "redis.master_keys",
            "another master key by this name",
            "Put the right key back",
        )
        .only(&["redis.master_keys"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_with_slots_that_nobody_has_and_a_node_taken_for_a_server() {
    let node = start(&["--cluster-enabled", "yes"]);
    tell(&node, &["CLUSTER", "ADDSLOTSRANGE", "0", "8191"]).await;
    let mut patient = Patient::new().await;
    patient.set("redis_url", &node.url().replace("redis://", "redis+cluster://"));
    let found = patient.examine(&[]).await;
    found.error("redis.slots", "8192 have a node", "redis-cli --cluster check");
    let found = with(&node).await;
    found.error("redis.kind", "node of a cluster", "redis_url");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_far_away() {
    let redis = start(&[]);
    let to = redis.url().trim_start_matches("redis://").to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let far = tokio::spawn(async move {
        while let Ok((near, _)) = listener.accept().await {
            let there = TcpStream::connect(&to).await.unwrap();
            let ((near_in, near_out), (there_in, there_out)) = (near.into_split(), there.into_split());
            tokio::spawn(carry(near_in, there_out, Duration::from_millis(30)));
            tokio::spawn(carry(there_in, near_out, Duration::ZERO));
        }
    });
    let mut patient = Patient::new().await;
    patient.set("redis_url", &format!("redis://{address}"));
    let found = patient.examine_with_latency().await;
    found
        .warning("redis.latency", "round trips", "beside Redis")
        .only(&["redis.latency"]);
    far.abort();
}

/// Carries bytes, each some of them for so long.
async fn carry(
    mut from: tokio::net::tcp::OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    takes: Duration,
) {
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        tokio::time::sleep(takes).await;
        if to.write_all(&buffer[..read]).await.is_err() {
            break;
        }
    }
}
