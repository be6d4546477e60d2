//! Where all is well.

use chatbridge::sandbox::Pace;
use serde_json::Value;

use super::{Diagnosis, Patient, examine_unhurried, healthy_redis};
use crate::support::{
    redis::unique_prefix,
    service::{Service, eventually},
    stage::Stage,
    topologies::{Process, RedisCluster, SentinelSet},
};

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_wrong_with_what_is_well_and_nothing_is_changed() {
    let patient = Patient::new().await;
    let mut redis = healthy_redis().connection().await;
    let found = patient.examine(&[]).await;
    assert_eq!(found.code, 0, "{:#?}", found.wrong());
    assert!(found.wrong().is_empty());
    for id in [
        "config.settings",
        "redis.version",
        "redis.persistence",
        "redis.eviction",
        "redis.clock",
        "redis.schema",
        "upstream.credentials",
        "upstream.clock",
        "upstream.keys",
        "webhook.registered",
        "webhook.url",
        "webhook.version",
        "channel.webhook",
        "channel.queue",
        "ports.listen",
    ] {
        assert!(
            found.of(id).iter().any(|finding| finding["severity"] == "ok"),
            "{id}"
        );
    }
    let not_tried = found.of("webhook.verify");
    assert!(not_tried.iter().all(|finding| finding["severity"] == "skipped") && !not_tried.is_empty());

    let prefix = &patient
        .settings
        .iter()
        .find(|(name, _)| name == "redis_prefix")
        .unwrap()
        .1;
    let keys: Vec<String> = ::redis::cmd("KEYS")
        .arg(format!("*{prefix}:*"))
        .query_async(&mut redis)
        .await
        .unwrap();
    assert_eq!(keys, [""; 0], "nothing was written");
    let log = reqwest::get(format!("{}/sandbox/v1/deliveries", patient.sandbox))
        .await
        .unwrap();
    let log: Value = log.json().await.unwrap();
    let text = log.to_string();
    assert!(text.contains("/webhooks") && text.contains("/channels"), "{text}");
    assert!(!text.contains("\"POST\"") && !text.contains("verify\""), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_runs_is_known_by_its_ports_and_reached_by_the_vendor() {
    let redis = healthy_redis();
    let url = redis.url();
    let prefix = unique_prefix();
    let stage = Stage::start(Pace::instant(), &[("redis_url", &url), ("redis_prefix", &prefix)]).await;
    let settings = of(&stage.service, &stage.sandbox, &url, &prefix);
    let before = stage.service.metric("chatbridge_webhooks_total").await;
    let found = examine_unhurried(&settings, &["--verify"]).await;
    assert_eq!(found.code, 0, "{:#?}", found.wrong());
    let ports = found.of("ports.listen");
    assert_eq!(ports.len(), 3);
    for port in ports {
        assert!(
            port["sentence"]
                .as_str()
                .unwrap()
                .starts_with("Chatbridge listens"),
            "{port}"
        );
    }
    let tried = found.of("webhook.verify");
    assert!(tried.len() == 1 && tried[0]["severity"] == "ok", "{tried:?}");
    let after = stage.service.metric("chatbridge_webhooks_total").await;
    assert!(after > before, "the service was reached: {before}, {after}");
}

fn of(service: &Service, gateway: &str, redis: &str, prefix: &str) -> Vec<(String, String)> {
    let address = |url: &str| url.trim_start_matches("http://").to_owned();
    [
        ("gateway_url", gateway.to_owned()),
        ("tenant", "sandbox".to_owned()),
        ("api_key", "sandbox-key".to_owned()),
        ("redis_url", redis.to_owned()),
        ("redis_prefix", prefix.to_owned()),
        ("grpc_listen", address(&service.grpc)),
        ("webhook_listen", service.webhook.clone()),
        ("admin_listen", address(&service.admin)),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

/// Lets servers that many tests share keep what they hold, as healthy ones do.
fn keep(servers: &[Process]) {
    for server in servers {
        let mut keep = ::redis::cmd("CONFIG");
        keep.arg("SET").arg("appendonly").arg("yes");
        let _: () = server.ask(&keep).unwrap();
    }
}

/// What is found once the servers have begun to keep what they hold.
async fn sound(url: &str) -> Diagnosis {
    let mut patient = Patient::new().await;
    patient.set("redis_url", url);
    eventually("nothing is wrong", async || {
        let found = patient.examine(&[]).await;
        found.wrong().is_empty().then_some(found)
    })
    .await
}

/// The servers of which a check says that all is well.
fn well(found: &Diagnosis, id: &str) -> Vec<String> {
    let all = found.of(id).into_iter();
    let all = all.filter(|it| it["severity"] == "ok");
    let mut all: Vec<String> = all.map(|it| it["subject"].as_str().unwrap().to_owned()).collect();
    all.sort();
    all
}

fn addresses<'a>(servers: impl IntoIterator<Item = &'a Process>) -> Vec<String> {
    let mut all: Vec<String> = servers.into_iter().map(Process::address).collect();
    all.sort();
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_wrong_with_sentinels_and_their_master() {
    let set = SentinelSet::shared();
    keep(&set.servers);
    let found = sound(&set.url()).await;
    for id in ["redis.kind", "redis.role", "redis.persistence", "redis.version"] {
        assert_eq!(well(&found, id), [""], "{id} {found:?}");
    }
    assert_eq!(found.of("redis.slots"), [&Value::Null; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_wrong_with_a_cluster() {
    let cluster = RedisCluster::shared();
    keep(&cluster.nodes);
    let found = sound(&cluster.url()).await;
    for id in ["redis.kind", "redis.role", "redis.persistence", "redis.version"] {
        assert_eq!(well(&found, id), addresses(cluster.masters()), "{id} {found:?}");
    }
    assert_eq!(well(&found, "redis.slots").len(), 1, "{found:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_are_for_people() {
    let patient = Patient::new().await;
    let mut command = crate::support::service::program();
    command.arg("doctor");
    for (name, value) in &patient.settings {
        command.env(format!("CHATBRIDGE_{}", name.to_ascii_uppercase()), value);
    }
    let output = command.output().await.unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{printed}");
    assert!(
        printed.contains("ok       redis.persistence: It writes an append-only file."),
        "{printed}"
    );
    assert!(printed.ends_with("Nothing is wrong.\n"), "{printed}");
    assert!(!printed.contains("sandbox-key"), "{printed}");
}
