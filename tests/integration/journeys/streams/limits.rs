//! How many streams and connections there may be, and which are closed because nobody speaks or reads.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use chatbridge::grpc::proto::agent_event_service_client::AgentEventServiceClient;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
};

use super::*;

fn address(service: &Service) -> SocketAddr {
    service.grpc.trim_start_matches("http://").parse().unwrap()
}

/// Connects from this address of the machine.
async fn connect_from(from: &str, service: &Service) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(format!("{from}:0").parse().unwrap()).unwrap();
    socket.connect(address(service)).await.unwrap()
}

/// Whether a connection is answered, rather than closed.
async fn is_served(connection: &mut TcpStream) -> bool {
    let request = b"GET /nowhere HTTP/1.1\r\nhost: chatbridge\r\n\r\n";
    let mut byte = [0; 1];
    let asked = async {
        connection.write_all(request).await?;
        connection.read(&mut byte).await
    };
    let answer = tokio::time::timeout(Duration::from_secs(5), asked).await;
    matches!(answer.expect("it is answered or closed"), Ok(1))
}

/// Waits until the service closes a connection.
async fn closed(connection: &mut TcpStream) {
    let mut byte = [0; 1];
    let read = tokio::time::timeout(Duration::from_secs(5), connection.read(&mut byte)).await;
    assert!(matches!(read, Ok(Ok(0) | Err(_))), "{read:?}");
}

#[tokio::test]
async fn a_replica_has_so_many_streams_and_no_more_wherever_they_come_from() {
    let world = World::new().await;
    let service = world.serve_with(&[("streams_max", "1")]).await;
    let first = service.events(AgentEventsRequest::default()).await;
    let mut client = AgentEventServiceClient::new(service.channel().await);
    let status = client
        .agent_events(AgentEventsRequest::default())
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted);
    assert_eq!(status.get_details_error_info().unwrap().reason, "STREAM_LIMIT");
    let refused = service
        .metric(r#"chatbridge_streams_refused_total{limit="total"}"#)
        .await;
    assert!((refused - 1.0).abs() < f64::EPSILON);
    drop(first);
    eventually("there is room", async || {
        client.agent_events(AgentEventsRequest::default()).await.ok()
    })
    .await;
}

#[tokio::test]
async fn an_address_has_so_many_connections_and_another_address_its_own() {
    let world = World::new().await;
    let service = world.serve_with(&[("connections_per_address_max", "2")]).await;
    let mut first = connect_from("127.0.0.1", &service).await;
    let mut second = connect_from("127.0.0.1", &service).await;
    assert!(is_served(&mut first).await && is_served(&mut second).await);
    closed(&mut connect_from("127.0.0.1", &service).await).await;
    let refused = service
        .metric(r#"chatbridge_connections_refused_total{limit="address"}"#)
        .await;
    assert!((refused - 1.0).abs() < f64::EPSILON);
    assert!(is_served(&mut connect_from("127.0.0.2", &service).await).await);
    assert!(is_served(&mut first).await, "those inside go on");
    drop(second);
    eventually("there is room", async || {
        let mut again = connect_from("127.0.0.1", &service).await;
        is_served(&mut again).await.then_some(())
    })
    .await;
}

#[tokio::test]
async fn connections_that_say_nothing_are_closed() {
    let world = World::new().await;
    let keepalive = [("keepalive_ms", "400"), ("keepalive_timeout_ms", "200")];
    let service = world.serve_with(&keepalive).await;
    let mut events = service.events(AgentEventsRequest::default()).await;
    let started = Instant::now();
    let mut silent = connect_from("127.0.0.1", &service).await;
    let mut begun = connect_from("127.0.0.1", &service).await;
    begun.write_all(b"PRI * HTTP/2").await.unwrap();
    tokio::join!(closed(&mut silent), closed(&mut begun));
    assert!(started.elapsed() >= Duration::from_millis(500), "they had time");
    assert!(
        matches!(events.next().await, Ok(Payload::Heartbeat(_))),
        "those that spoke go on"
    );
}

#[tokio::test]
async fn without_file_descriptors_connections_wait_and_streams_go_on() {
    let world = World::new().await;
    let service = world.serve().await;
    let mut events = service.events(AgentEventsRequest::default()).await;
    // The soft limit alone, so that it can be raised again.
    let limit = async |files: &str| {
        let pid = service.pid().to_string();
        let arguments = ["--pid", &pid, &format!("--nofile={files}:")];
        let status = tokio::process::Command::new("prlimit")
            .args(arguments)
            .status()
            .await;
        assert!(status.unwrap().success());
    };
    limit("3").await;
    let mut waiting = TcpStream::connect(address(&service)).await.unwrap();
    let mut answer = std::pin::pin!(is_served(&mut waiting));
    for _ in 0..3 {
        let beat = tokio::select! {
            served = &mut answer => panic!("there was a descriptor for it: {served}"),
            beat = events.next() => beat,
        };
        assert!(matches!(beat, Ok(Payload::Heartbeat(_))));
    }
    limit("1024").await;
    assert!(answer.await, "it is served once there are descriptors");
}
