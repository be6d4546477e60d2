//! Certificates of both ports change while calls and webhooks come, and not one of them fails.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use chatbridge::grpc::proto::AgentEventsRequest;
use chatbridge::grpc::proto::{
    agent_event_service_client::AgentEventServiceClient, agent_events_response::Payload,
};

use super::{address, both, call, channel, files_of, presented};
use crate::support::{
    certificates::Authority,
    redis::{RedisServer, unique_prefix},
    service::{PATIENCE, Service, eventually},
    vendor::{TENANT, Vendor},
};

/// How often the certificates change.
const ROTATIONS: usize = 6;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn not_one_good_call_or_webhook_fails_while_certificates_change() {
    let authorities = [Authority::new(), Authority::new()];
    let ca = both(&authorities[0], &authorities[1]);
    let first = authorities[0].server();
    let (grpc, webhook) = (files_of(&first), files_of(&first));
    let (vendor, redis, prefix) = (
        Arc::new(Vendor::start().await),
        RedisServer::shared(),
        unique_prefix(),
    );
    let service = Service::start(&[
        ("gateway_url", &vendor.server.uri()),
        ("tenant", TENANT),
        ("api_key", "k3y"),
        ("redis_url", &redis.url()),
        ("redis_prefix", &prefix),
        ("heartbeat_ms", "200"),
        ("grpc_tls_cert_file", &grpc.text("tls.crt")),
        ("grpc_tls_key_file", &grpc.text("tls.key")),
        ("webhook_tls_cert_file", &webhook.text("tls.crt")),
        ("webhook_tls_key_file", &webhook.text("tls.key")),
    ])
    .await;
    let service = Arc::new(service);
    let (stop, made) = (Arc::new(AtomicBool::new(false)), Arc::new(Made::default()));

    // Before the first webhook, or it would not hear that one.
    let mut events = AgentEventServiceClient::new(channel(&service, &ca, None).await.unwrap())
        .agent_events(AgentEventsRequest::default())
        .await
        .unwrap()
        .into_inner();
    let mut running = Vec::new();
    // One connection from the beginning to the end, and a new one for each call.
    let open = channel(&service, &ca, None).await.unwrap();
    let (stopped, counted) = (stop.clone(), made.clone());
    running.push(tokio::spawn(async move {
        while !stopped.load(Ordering::Relaxed) {
            call(open.clone()).await.expect("a call on an open connection");
            counted.calls.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }));
    let (stopped, counted, to, believed) = (stop.clone(), made.clone(), service.clone(), ca.clone());
    running.push(tokio::spawn(async move {
        while !stopped.load(Ordering::Relaxed) {
            let new = channel(&to, &believed, None).await.expect("a new connection");
            call(new).await.expect("a call on a new connection");
            counted.connections.fetch_add(1, Ordering::Relaxed);
        }
    }));
    for keeps_alive in [true, false] {
        let http = http(&ca, &service.webhook, keeps_alive);
        let (stopped, counted, vendor) = (stop.clone(), made.clone(), vendor.clone());
        let at = address(&service.webhook);
        running.push(tokio::spawn(async move {
            let url = format!("https://localhost:{}/webhooks/8x8", at.port());
            while !stopped.load(Ordering::Relaxed) {
                let signed = vendor.signed(&vendor.message("c1", "hello"));
                let answer = signed.post(&http, &url).await.expect("a webhook arrives");
                assert_eq!(answer, 204);
                counted.webhooks.fetch_add(1, Ordering::Relaxed);
            }
        }));
    }

    for round in 1..=ROTATIONS {
        let next = authorities[round % 2].server();
        for files in [&grpc, &webhook] {
            files.serve(&next);
        }
        for port in [address(&service.grpc), address(&service.webhook)] {
            eventually("the next certificate is served", async || {
                presented(port, &ca).await.filter(|der| *der == next.der)
            })
            .await;
        }
        assert!(running.iter().all(|task| !task.is_finished()), "round {round}");
    }
    stop.store(true, Ordering::Relaxed);
    for task in running {
        task.await.expect("nothing failed");
    }
    let count = |counter: &AtomicUsize| counter.load(Ordering::Relaxed);
    let (calls, connections, webhooks) = (
        count(&made.calls),
        count(&made.connections),
        count(&made.webhooks),
    );
    assert!(
        calls >= 100 && connections >= 30 && webhooks >= 100,
        "{calls}, {connections}, {webhooks}"
    );
    // The stream that was open all the time has every event.
    let hearing = async {
        let mut heard = 0;
        while heard < webhooks {
            match events.message().await.unwrap().unwrap().payload.unwrap() {
                Payload::Event(_) => heard += 1,
                Payload::Heartbeat(_) => {}
                other => panic!("{other:?}"),
            }
        }
    };
    // Heartbeats never end.
    tokio::time::timeout(PATIENCE, hearing)
        .await
        .expect("the rest comes");
    for port in ["grpc", "webhook"] {
        let loaded = format!(r#"chatbridge_tls_reloads_total{{port="{port}",result="loaded"}}"#);
        assert_eq!(service.metric(&loaded).await, 6.0, "{port}");
    }
    assert_eq!(
        service.metric("chatbridge_tls_handshakes_failed_total").await,
        0.0
    );
}

#[derive(Default)]
struct Made {
    calls: AtomicUsize,
    connections: AtomicUsize,
    webhooks: AtomicUsize,
}

fn http(ca: &str, webhook: &str, keeps_alive: bool) -> reqwest::Client {
    let roots = reqwest::Certificate::from_pem_bundle(ca.as_bytes()).unwrap();
    reqwest::Client::builder()
        .tls_certs_only(roots)
        .resolve("localhost", address(webhook))
        .pool_max_idle_per_host(if keeps_alive { 1 } else { 0 })
        .build()
        .unwrap()
}
