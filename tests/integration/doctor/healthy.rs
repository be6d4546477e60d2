//! Where all is well.

use chatbridge::sandbox::Pace;
use serde_json::Value;

use super::{Patient, examine, healthy_redis};
use crate::support::{redis::unique_prefix, service::Service, stage::Stage};

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
        "redis.latency",
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
    let found = examine(&settings, &["--verify"]).await;
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
