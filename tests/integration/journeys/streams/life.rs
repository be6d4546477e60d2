//! How many streams there may be, and how they end when a client or the service goes.

use std::time::{Duration, Instant};

use chatbridge::grpc::proto::agent_event_service_client::AgentEventServiceClient;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};

use super::*;

/// A relay that can go dark: it passes nothing on any more, and closes nothing.
async fn relay(to: &str) -> (String, CancellationToken) {
    let to = to.trim_start_matches("http://").to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let dark = CancellationToken::new();
    let gone_dark = dark.clone();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let (to, dark) = (to.clone(), gone_dark.clone());
            tokio::spawn(async move {
                let mut server = TcpStream::connect(to).await.unwrap();
                let passing = tokio::io::copy_bidirectional(&mut client, &mut server);
                if dark.run_until_cancelled(passing).await.is_none() {
                    std::future::pending::<()>().await;
                }
            });
        }
    });
    (address, dark)
}

#[tokio::test]
async fn a_client_that_vanished_without_a_word_is_noticed() {
    let world = World::new().await;
    let bound = Duration::from_millis(1500);
    let keepalive = [("keepalive_ms", "1000"), ("keepalive_timeout_ms", "500")];
    let service = world.serve_with(&keepalive).await;
    let (address, dark) = relay(&service.grpc).await;
    let channel = Channel::from_shared(address).unwrap().connect().await.unwrap();
    let mut client = AgentEventServiceClient::new(channel);
    let mut stream = client
        .agent_events(AgentEventsRequest::default())
        .await
        .unwrap()
        .into_inner();
    stream.message().await.unwrap();
    let active = async || service.metric("chatbridge_streams_active").await;
    assert!((active().await - 1.0).abs() < f64::EPSILON);
    // It lives on as long as it answers, although it says nothing by itself.
    let quiet_until = Instant::now() + bound * 2;
    while Instant::now() < quiet_until {
        stream.message().await.unwrap();
    }
    assert!((active().await - 1.0).abs() < f64::EPSILON);

    dark.cancel();
    let vanished = Instant::now();
    eventually("the stream is over", async || {
        (active().await < 0.5).then_some(())
    })
    .await;
    let took = vanished.elapsed();
    assert!(took < bound + Duration::from_secs(1), "it took {took:?}");
}

#[tokio::test]
async fn so_many_streams_are_served_and_one_more_is_told_to_wait() {
    let world = World::new().await;
    let service = world.serve_with(&[("streams_per_address_max", "2")]).await;
    let first = service.events(AgentEventsRequest::default()).await;
    let _second = service.events(AgentEventsRequest::default()).await;
    let mut client = AgentEventServiceClient::new(service.channel().await);
    let status = client
        .agent_events(AgentEventsRequest::default())
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted);
    assert_eq!(status.get_details_error_info().unwrap().reason, "STREAM_LIMIT");
    let wait = status.get_details_retry_info().unwrap().retry_delay.unwrap();
    assert!(wait > Duration::ZERO);
    drop(first);
    eventually("there is room", async || {
        client.agent_events(AgentEventsRequest::default()).await.ok()
    })
    .await;
}

#[tokio::test]
async fn so_many_connections_are_let_in_and_one_more_is_closed() {
    let world = World::new().await;
    let service = world.serve_with(&[("connections_max", "2")]).await;
    let mut first = service.events(AgentEventsRequest::default()).await;
    let second = service.channel().await;
    let answers = async |channel: Channel| {
        let mut client = AgentEventServiceClient::new(channel);
        client.agent_events(AgentEventsRequest::default()).await.is_ok()
    };
    assert!(answers(second.clone()).await);
    let mut raw = TcpStream::connect(service.grpc.trim_start_matches("http://"))
        .await
        .unwrap();
    let mut byte = [0; 1];
    let closed = tokio::io::AsyncReadExt::read(&mut raw, &mut byte);
    let closed = tokio::time::timeout(Duration::from_secs(5), closed).await;
    assert!(matches!(closed, Ok(Ok(0) | Err(_))), "{closed:?}");
    let refused = service
        .metric(r#"chatbridge_connections_refused_total{limit="total"}"#)
        .await;
    assert!(refused >= 1.0);
    assert!(
        matches!(first.next().await, Ok(Payload::Heartbeat(_))),
        "those inside go on"
    );
    drop(second);
    eventually("there is room", async || {
        let channel = Channel::from_shared(service.grpc.clone())
            .unwrap()
            .connect()
            .await
            .ok()?;
        answers(channel).await.then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_service_that_stops_says_so_at_once_even_while_redis_is_silent() {
    let redis = RedisServer::start();
    let vendor = Vendor::start().await;
    let (vendor_url, redis_url, prefix) = (vendor.server.uri(), redis.url(), unique_prefix());
    let mut all = settings(&vendor_url, &redis_url, &prefix);
    all.push(("drain_spread_ms", "4000"));
    let service = Service::start(&all).await;
    let mut streams = Vec::new();
    for _ in 0..8 {
        streams.push(service.events(AgentEventsRequest::default()).await);
    }
    let admin = Channel::from_shared(service.admin.clone())
        .unwrap()
        .connect()
        .await
        .unwrap();
    let mut health = HealthClient::new(admin);
    let mut status = async || {
        let request = HealthCheckRequest::default();
        health.check(request).await.unwrap().into_inner().status()
    };
    assert_eq!(status().await, ServingStatus::Serving);
    // So that the watch waits for an answer just then.
    redis.pause();
    tokio::time::sleep(Duration::from_millis(1200)).await;
    let stopped = Instant::now();
    let terminated = tokio::spawn(service.terminate());
    while status().await != ServingStatus::NotServing {
        assert!(
            stopped.elapsed() < Duration::from_millis(500),
            "it still says that it serves"
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    redis.resume();
    let mut ends = Vec::new();
    for mut events in streams {
        while !matches!(events.next().await.unwrap(), Payload::Ending(_)) {}
        ends.push(stopped.elapsed());
    }
    assert!(ends.iter().max() < Some(&Duration::from_secs(6)), "{ends:?}");
    assert_eq!(terminated.await.unwrap(), Some(0));
}
