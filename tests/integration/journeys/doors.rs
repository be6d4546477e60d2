//! What stands at the doors: configuration, probes, metrics, gRPC-Web, and webhooks that must not come in.

use std::process::Stdio;

use base64::{Engine, engine::general_purpose::STANDARD};
use chatbridge::grpc::proto::{
    AgentEventsResponse, GetSessionRequest, ListSessionsRequest, agent_events_response::Payload,
};
use prost::Message as _;

use super::World;
use crate::support::service::{PATIENCE, eventually, program};

#[tokio::test]
async fn a_bad_configuration_is_told_as_a_whole_and_exits_2() {
    let output = program()
        .arg("serve")
        .env("CHATBRIDGE_GRPC_LISTEN", "everywhere")
        .env("CHATBRIDGE_PARTITIONS", "many")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .output()
        .await
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let text = String::from_utf8(output.stderr).unwrap();
    for name in ["TENANT", "API_KEY", "REDIS_URL", "GRPC_LISTEN", "PARTITIONS"] {
        assert!(
            text.contains(&format!("CHATBRIDGE_{name}: ")),
            "{name} is missing in:\n{text}"
        );
    }
}

#[tokio::test]
async fn the_wrong_number_of_partitions_is_refused_with_what_to_do() {
    let world = World::new().await;
    let _first = world.serve().await;
    let mut command = program();
    for (name, value) in super::settings(&world.vendor_url, &world.redis_url, &world.prefix) {
        command.env(format!("CHATBRIDGE_{}", name.to_ascii_uppercase()), value);
    }
    for port in ["GRPC", "WEBHOOK", "ADMIN"] {
        command.env(format!("CHATBRIDGE_{port}_LISTEN"), "127.0.0.1:0");
    }
    let output = command
        .arg("serve")
        .env("CHATBRIDGE_PARTITIONS", "4")
        .stderr(Stdio::piped())
        .output()
        .await
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(
        text.contains("16") && text.contains('4') && text.contains("partitions"),
        "{text}"
    );
}

#[tokio::test]
async fn a_forged_an_oversized_and_a_mistyped_webhook_are_refused_and_store_nothing() {
    let world = World::new().await;
    let service = world.serve_with(&[("webhook_max_bytes", "2048")]).await;
    let genuine = world.vendor.message("c", "hello");
    assert_eq!(
        world
            .vendor
            .deliver_signed(&service.webhook, &genuine, false)
            .await,
        401
    );
    let large = world.vendor.message("c", &"x".repeat(4096));
    assert_eq!(world.vendor.deliver(&service.webhook, &large).await, 413);
    let mistyped = reqwest::Client::new()
        .post(format!("http://{}/webhooks/8x9", service.webhook))
        .send()
        .await;
    assert_eq!(mistyped.unwrap().status().as_u16(), 404);
    let listed = service
        .sessions()
        .await
        .list_sessions(ListSessionsRequest::default())
        .await
        .unwrap();
    assert!(listed.into_inner().sessions.is_empty());
    // Each was refused once and counted.
    let all = service.metric("chatbridge_webhooks_total").await;
    assert!((all - 3.0).abs() < f64::EPSILON, "{all}");
    assert_eq!(
        world.vendor.deliver(&service.webhook, &genuine).await,
        204,
        "the true one is still welcome"
    );
}

#[tokio::test]
async fn probes_and_health_tell_the_store_from_the_process() {
    use tonic_health::pb::{
        HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
    };
    let redis =
        crate::support::redis::RedisServer::start_with(&["--appendonly", "yes", "--appendfsync", "always"]);
    let world = World::new().await;
    let redis_url = redis.url();
    let service = world.serve_with(&[("redis_url", &redis_url)]).await;
    let mut health = HealthClient::new(service.channel().await);
    let mut status = async |name: &str| {
        let request = HealthCheckRequest { service: name.into() };
        health.check(request).await.unwrap().into_inner().status()
    };
    let named = "chatbridge.v1.AgentEventService";
    assert_eq!(status("").await, ServingStatus::Serving);
    assert_eq!(status(named).await, ServingStatus::Serving);
    redis.stop();
    eventually("the named service stops serving", async || {
        (status(named).await == ServingStatus::NotServing).then_some(())
    })
    .await;
    assert_eq!(
        status("").await,
        ServingStatus::Serving,
        "the process itself is alive"
    );
    let of_probes = tonic::transport::Channel::from_shared(service.admin.clone()).unwrap();
    let request = HealthCheckRequest {
        service: named.into(),
    };
    let probed = HealthClient::new(of_probes.connect().await.unwrap())
        .check(request)
        .await
        .unwrap();
    assert_eq!(
        probed.into_inner().status(),
        ServingStatus::NotServing,
        "the same on the port for probes"
    );
    for probe in ["livez", "readyz"] {
        let answer = reqwest::get(format!("{}/{probe}", service.admin)).await.unwrap();
        assert_eq!(answer.status().as_u16(), 200, "{probe}");
    }
}

/// What a stream says over gRPC-Web, up to its ending and the trailers.
async fn payloads(mut answer: reqwest::Response) -> Vec<Payload> {
    let (mut payloads, mut bytes) = (Vec::new(), Vec::new());
    while let Some(chunk) = answer.chunk().await.unwrap() {
        bytes.extend_from_slice(&chunk);
        while bytes.len() >= 5 {
            let length = u32::from_be_bytes(bytes[1..5].try_into().unwrap()) as usize;
            if bytes.len() < 5 + length {
                break;
            }
            let frame: Vec<u8> = bytes.drain(..5 + length).collect();
            if frame[0] == 0x80 {
                let trailers = String::from_utf8_lossy(&frame[5..]).into_owned();
                assert!(trailers.contains("grpc-status:0"), "{trailers}");
                return payloads;
            }
            let response = AgentEventsResponse::decode(&frame[5..]).unwrap();
            assert!(!response.cursor.is_empty());
            payloads.push(response.payload.unwrap());
        }
    }
    panic!("it broke off after {payloads:?}");
}

#[tokio::test]
async fn a_stream_over_grpc_web_has_heartbeats_events_and_an_ending() {
    let world = World::new().await;
    let origin = "https://app.example.com";
    let service = world
        .serve_with(&[("cors_origins", origin), ("stream_max_age_seconds", "1")])
        .await;
    let answer = reqwest::Client::new()
        .post(format!(
            "{}/chatbridge.v1.AgentEventService/AgentEvents",
            service.grpc
        ))
        .version(reqwest::Version::HTTP_11)
        .header("content-type", "application/grpc-web+proto")
        .header("origin", origin)
        .body(vec![0; 5])
        .send()
        .await
        .unwrap();
    // Or Chromium would read ahead for a page that does not.
    assert_eq!(answer.headers()["cache-control"], "no-store");
    let message = world.vendor.message("c", "hello");
    assert_eq!(world.vendor.deliver(&service.webhook, &message).await, 204);
    let payloads = tokio::time::timeout(PATIENCE, payloads(answer))
        .await
        .expect("it ends");
    let beats = payloads
        .iter()
        .filter(|p| matches!(p, Payload::Heartbeat(_)))
        .count();
    assert!(
        matches!(payloads[0], Payload::Heartbeat(_)) && beats > 2,
        "{payloads:?}"
    );
    let events = payloads.iter().filter(|p| matches!(p, Payload::Event(_))).count();
    assert_eq!(events, 1);
    assert!(
        matches!(payloads.last(), Some(Payload::Ending(_))),
        "{payloads:?}"
    );
}

#[tokio::test]
async fn grpc_web_works_over_http_1_for_origins_that_are_allowed() {
    let world = World::new().await;
    let service = world
        .serve_with(&[("cors_origins", "https://app.example.com")])
        .await;
    let message = GetSessionRequest {
        conversation_id: "none".into(),
        ..GetSessionRequest::default()
    }
    .encode_to_vec();
    let mut frame = vec![0];
    frame.extend(u32::try_from(message.len()).unwrap().to_be_bytes());
    frame.extend(message);
    let post = async |origin: &str| {
        reqwest::Client::new()
            .post(format!(
                "{}/chatbridge.v1.SessionService/GetSession",
                service.grpc
            ))
            .version(reqwest::Version::HTTP_11)
            .header("content-type", "application/grpc-web-text")
            .header("origin", origin)
            .body(STANDARD.encode(&frame))
            .send()
            .await
            .unwrap()
    };
    let allowed = post("https://app.example.com").await;
    assert_eq!(
        allowed.headers()["access-control-allow-origin"],
        "https://app.example.com"
    );
    // NOT_FOUND: the call was understood.
    let status = allowed
        .headers()
        .get("grpc-status")
        .map(|s| s.to_str().unwrap().to_owned());
    let body = STANDARD
        .decode(allowed.bytes().await.unwrap())
        .unwrap_or_default();
    let trailers = String::from_utf8_lossy(&body).into_owned();
    assert!(
        status.as_deref() == Some("5") || trailers.contains("grpc-status:5"),
        "{status:?} {trailers}"
    );
    // Nor is it done: a browser may take such a page for ours.
    let refused = post("https://evil.example.com").await;
    assert!(!refused.headers().contains_key("access-control-allow-origin"));
    assert_eq!(refused.headers()["grpc-status"], "7");
}
