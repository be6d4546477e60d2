//! The port: paths, methods, sizes, times, and what is counted.

use std::time::Duration;

use reqwest::Method;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::{CLIENT, Facade, SECRET, checked, client, schemas};
use crate::support::service::program;

#[tokio::test]
async fn other_paths_and_methods_are_answered_in_v2s_shape() {
    let facade = Facade::new().await;
    for path in [
        "/",
        "/oauth/v2",
        "/vcc/us/chat/v2/tenant/sandbox",
        "/chatbridge.v1.X/Y",
    ] {
        let url = format!("{}{path}", facade.base);
        checked(facade.http.get(url).send().await.unwrap(), 404, schemas::problem).await;
    }
    for (method, path) in [
        (Method::PATCH, "/channels"),
        (Method::POST, "/channels/1"),
        (Method::PUT, "/conversations/1"),
        (Method::GET, "/web-hooks/1/x"),
    ] {
        let is_path = path != "/web-hooks/1/x";
        let answer = facade.request(method, path).send().await.unwrap();
        checked(answer, if is_path { 405 } else { 404 }, schemas::problem).await;
    }
    let url = format!("{}/oauth/v2/token", facade.base);
    checked(facade.http.get(url).send().await.unwrap(), 405, schemas::problem).await;
    let none = r#"chatbridge_chat_v2_requests_total{operation="none",status="404"}"#;
    let counted = facade.stage.service.metric(none).await;
    assert!((counted - 5.0).abs() < f64::EPSILON, "{counted}");
}

#[tokio::test]
async fn large_bodies_are_refused_whether_they_say_so_or_not() {
    let facade = Facade::with(
        &[("chat_v2_max_bytes", "1024"), ("chat_v2_buffer_bytes", "4096")],
        &client(CLIENT, &[SECRET], ""),
    )
    .await;
    let large = "x".repeat(2000);
    let request = facade.request(Method::POST, "/conversations").body(large.clone());
    checked(request.send().await.unwrap(), 413, schemas::problem).await;
    let chunks = futures_util::stream::iter([Ok::<_, std::io::Error>(large)]);
    let request = facade
        .request(Method::POST, "/conversations")
        .body(reqwest::Body::wrap_stream(chunks));
    checked(request.send().await.unwrap(), 413, schemas::problem).await;
}

#[tokio::test]
async fn whoever_is_slow_is_not_waited_for() {
    let facade = Facade::with(
        &[("chat_v2_read_timeout_ms", "300")],
        &client(CLIENT, &[SECRET], ""),
    )
    .await;
    let address = facade.base.strip_prefix("http://").unwrap();
    for begun in [
        "GET /vcc/us".to_owned(),
        format!(
            "POST /vcc/us/chat/v2/tenant/sandbox/web-hooks HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-length: 9\r\n\r\n{{",
            facade.token
        ),
    ] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(begun.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let read = tokio::time::timeout(Duration::from_secs(15), stream.read_to_end(&mut answer)).await;
        read.expect("the connection is closed").unwrap();
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    }
}

#[tokio::test]
async fn a_port_without_clients_or_a_secret_does_not_open() {
    let mut command = program();
    command.arg("serve");
    for (name, value) in [
        ("TENANT", "t"),
        ("API_KEY", "k"),
        ("REDIS_URL", "memory:"),
        ("CHAT_V2_LISTEN", "127.0.0.1:0"),
        ("CHAT_V2_SIGNING_KEY_FILE", "/nowhere/key.pem"),
    ] {
        command.env(format!("CHATBRIDGE_{name}"), value);
    }
    let output = command.output().await.unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    for name in [
        "CHAT_V2_LISTEN",
        "CHAT_V2_TOKEN_SECRET",
        "CHAT_V2_SIGNING_KEY_FILE",
    ] {
        assert!(said.contains(&format!("CHATBRIDGE_{name}:")), "{said}");
    }
}
