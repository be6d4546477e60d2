//! Collectors that are away, slow, or ask for proof; and the last spans of a service that stops.

use std::time::{Duration, Instant};

use chatbridge::grpc::proto::GetConversationRequest;
use tokio::net::TcpListener;
use tonic::Code;

use super::{
    World,
    collector::{Collector, Mode, Seen},
};
use crate::support::{
    certificates::{Authority, Mounted},
    service::{Service, eventually},
};

/// Makes a call, whatever comes of it, and takes a webhook.
async fn work(world: &World, service: &Service) {
    let request = GetConversationRequest {
        conversation_id: "c-1".into(),
        ..GetConversationRequest::default()
    };
    let mut client = service.conversations().await;
    assert_eq!(
        client.get_conversation(request).await.unwrap_err().code(),
        Code::NotFound
    );
    let webhook = world.vendor.message("c-1", "hi");
    assert_eq!(world.vendor.deliver(&service.webhook, &webhook).await, 204);
}

fn is_call(span: &Seen) -> bool {
    span.name.ends_with("/GetConversation")
}

#[tokio::test]
async fn a_collector_that_is_away_loses_spans_and_nothing_else() {
    let world = World::new().await;
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = format!("http://{}", port.local_addr().unwrap());
    drop(port);
    let service = world.serve(&[("otlp_endpoint", &nobody)]).await;
    work(&world, &service).await;
    let started = Instant::now();
    assert_eq!(service.terminate().await, Some(0));
    assert!(
        started.elapsed() < Duration::from_secs(10),
        "the drain deadline holds"
    );
}

#[tokio::test]
async fn a_collector_that_never_answers_holds_nothing_up() {
    let world = World::new().await;
    world.collector.does(Mode::Hang);
    let service = world.serve(&[("drain_deadline_ms", "1500")]).await;
    for _ in 0..20 {
        work(&world, &service).await;
    }
    assert_eq!(service.terminate().await, Some(0));
}

#[tokio::test]
async fn spans_wait_for_a_collector_that_comes_back_and_those_that_it_refuses_are_counted() {
    let world = World::new().await;
    world.collector.does(Mode::Refuse(Code::Unavailable));
    let service = world.serve(&[]).await;
    work(&world, &service).await;
    // It has been asked, and will be again.
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(world.collector.spans().len(), 0);
    world.collector.does(Mode::Take);
    world.collector.one(is_call).await;
    eventually("they are counted", async || {
        let exported = service
            .metric("chatbridge_trace_spans_total{result=\"exported\"}")
            .await;
        (exported >= 3.0).then_some(())
    })
    .await;
    // What can never be taken is not sent again.
    world.collector.does(Mode::Refuse(Code::PermissionDenied));
    work(&world, &service).await;
    eventually("they are given up", async || {
        let failed = service
            .metric("chatbridge_trace_spans_total{result=\"failed\"}")
            .await;
        (failed >= 1.0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn the_last_spans_get_out_before_the_service_stops() {
    let world = World::new().await;
    let service = world.serve(&[]).await;
    work(&world, &service).await;
    assert_eq!(service.terminate().await, Some(0));
    let spans = world.collector.spans();
    assert_eq!(spans.iter().filter(|it| is_call(it)).count(), 1, "{spans:#?}");
    assert!(spans.iter().any(|it| it.name == "POST /webhooks/8x8"));
}

#[tokio::test]
async fn a_collector_that_proves_who_it_is_and_asks_who_we_are_gets_spans() {
    let authority = Authority::new();
    let collector = Collector::start_with(Some(&authority.server())).await;
    let files = Mounted::new(&[("ca.crt", &authority.pem()), ("headers", "x-token=s3%20cret")]);
    let world = World::new().await;
    let settings = [
        ("otlp_endpoint", collector.url.as_str()),
        ("otlp_tls_ca_file", &files.text("ca.crt")),
        ("otlp_headers_file", &files.text("headers")),
    ];
    let service = world.serve(&settings).await;
    work(&world, &service).await;
    collector.one(is_call).await;
    assert!(collector.tokens().iter().all(|token| token == "s3 cret"));

    // One whose certificate comes from somebody else gets none.
    let stranger = Collector::start_with(Some(&Authority::new().server())).await;
    let settings = [
        ("otlp_endpoint", stranger.url.as_str()),
        ("otlp_tls_ca_file", &files.text("ca.crt")),
    ];
    let service = world.serve(&settings).await;
    work(&world, &service).await;
    assert_eq!(service.terminate().await, Some(0));
    assert_eq!(stranger.spans().len(), 0);
}
