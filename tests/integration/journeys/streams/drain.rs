//! How a service stops that has streams, watches and calls.

use std::time::{Duration, Instant};

use chatbridge::grpc::proto::{GetConversationRequest, agent_event_service_client::AgentEventServiceClient};
use futures_util::future::join_all;
use tonic::{Streaming, transport::Channel};
use tonic_health::pb::{
    HealthCheckRequest, HealthCheckResponse, health_check_response::ServingStatus,
    health_client::HealthClient,
};

use super::*;

/// A vendor that takes so long to answer what a conversation is.
async fn slow_conversation(vendor: &Vendor, takes: Duration) {
    let body = json!({ "id": "c", "channelId": "ch", "state": "idle", "user": { "name": "n" } });
    wiremock::Mock::given(wiremock::matchers::path("/chat-gateway/v1/conversations/c"))
        .respond_with(
            wiremock::ResponseTemplate::new(200)
                .set_body_json(body)
                .set_delay(takes),
        )
        .mount(&vendor.server)
        .await;
}

/// A call that is under way at the vendor.
async fn begun(world: &World, service: &Service) -> tokio::task::JoinHandle<Result<(), tonic::Status>> {
    let mut client = service.conversations().await;
    let call = tokio::spawn(async move {
        let request = GetConversationRequest {
            conversation_id: "c".into(),
            ..GetConversationRequest::default()
        };
        client.get_conversation(request).await.map(drop)
    });
    eventually("the call is at the vendor", async || {
        let requests = world.vendor.server.received_requests().await.unwrap();
        requests
            .iter()
            .any(|r| r.url.path().ends_with("/c"))
            .then_some(())
    })
    .await;
    call
}

async fn watch(url: &str) -> Streaming<HealthCheckResponse> {
    let channel = Channel::from_shared(url.to_owned())
        .unwrap()
        .connect()
        .await
        .unwrap();
    let answer = HealthClient::new(channel)
        .watch(HealthCheckRequest::default())
        .await;
    answer.unwrap().into_inner()
}

async fn told(watch: &mut Streaming<HealthCheckResponse>) -> Option<ServingStatus> {
    let told = tokio::time::timeout(Duration::from_secs(5), watch.message()).await;
    told.expect("it is told")
        .unwrap()
        .map(|response| response.status())
}

#[tokio::test]
async fn endings_are_spread_over_the_time_that_is_set() {
    let world = World::new().await;
    let service = world.serve_with(&[("drain_spread_ms", "3000")]).await;
    let mut streams = Vec::new();
    for _ in 0..12 {
        streams.push(service.events(AgentEventsRequest::default()).await);
    }
    let stopped = Instant::now();
    let terminated = tokio::spawn(service.terminate());
    let ends = join_all(streams.into_iter().map(async |mut events| {
        while !matches!(events.next().await.unwrap(), Payload::Ending(_)) {}
        stopped.elapsed()
    }))
    .await;
    let (first, last) = (*ends.iter().min().unwrap(), *ends.iter().max().unwrap());
    // That twelve fall into a fifth of it happens once in two million times.
    assert!(last - first > Duration::from_millis(600), "{ends:?}");
    assert!(last < Duration::from_secs(5), "{ends:?}");
    assert_eq!(terminated.await.unwrap(), Some(0));
}

#[tokio::test]
async fn a_watch_of_health_is_told_and_ended_and_holds_nothing_up() {
    let world = World::new().await;
    let service = world.serve_with(&[("drain_deadline_ms", "15000")]).await;
    let (mut public, mut admin) = (watch(&service.grpc).await, watch(&service.admin).await);
    for watch in [&mut public, &mut admin] {
        assert_eq!(told(watch).await, Some(ServingStatus::Serving));
    }
    let stopped = Instant::now();
    let terminated = tokio::spawn(service.terminate());
    for watch in [&mut public, &mut admin] {
        assert_eq!(told(watch).await, Some(ServingStatus::NotServing));
        assert_eq!(told(watch).await, None);
    }
    assert_eq!(terminated.await.unwrap(), Some(0));
    assert!(
        stopped.elapsed() < Duration::from_secs(7),
        "{:?}",
        stopped.elapsed()
    );
}

#[tokio::test]
async fn a_call_that_is_under_way_is_finished_and_new_ones_are_refused() {
    let world = World::new().await;
    slow_conversation(&world.vendor, Duration::from_secs(1)).await;
    let service = world.serve_with(&[("drain_spread_ms", "3000")]).await;
    let call = begun(&world, &service).await;
    let mut events = service.events(AgentEventsRequest::default()).await;
    let mut client = AgentEventServiceClient::new(service.channel().await);
    assert!(client.agent_events(AgentEventsRequest::default()).await.is_ok());
    let mut health = watch(&service.admin).await;
    let terminated = tokio::spawn(service.terminate());
    while told(&mut health).await != Some(ServingStatus::NotServing) {}
    // By a GOAWAY and a port that is closed, or because it drains: another replica is to be tried either way. What came in just
    // before that is told to end like every other stream.
    let refused = eventually("new streams are refused", async || {
        client.agent_events(AgentEventsRequest::default()).await.err()
    })
    .await;
    assert_eq!(refused.code(), Code::Unavailable);
    assert!(call.await.unwrap().is_ok(), "it has its answer");
    while !matches!(events.next().await.unwrap(), Payload::Ending(_)) {}
    assert_eq!(terminated.await.unwrap(), Some(0));
}

#[tokio::test]
async fn what_does_not_end_is_cut_off_at_the_deadline() {
    let world = World::new().await;
    slow_conversation(&world.vendor, Duration::from_secs(30)).await;
    let more = [("drain_deadline_ms", "1500"), ("gateway_timeout_ms", "60000")];
    let service = world.serve_with(&more).await;
    let writer = slow::Writer::of(&world).await;
    writer.fill().await;
    let from_the_earliest = AgentEventsRequest {
        start: Some(Start::Position(StartPosition::Earliest.into())),
        ..AgentEventsRequest::default()
    };
    let _stalled = service.events(from_the_earliest).await;
    let call = begun(&world, &service).await;
    let stopped = Instant::now();
    assert_eq!(service.terminate().await, Some(0));
    let took = stopped.elapsed();
    assert!(took >= Duration::from_millis(1400), "it waited: {took:?}");
    assert!(took < Duration::from_secs(5), "{took:?}");
    assert!(call.await.unwrap().is_err());
}
