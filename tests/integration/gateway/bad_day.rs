//! Connections that break, servers that dawdle, answers without end.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use chatbridge::gateway::{
    ConversationPatch,
    UpstreamErrorKind::{Invalid, OutcomeUnknown, Timeout, Unavailable, Unexpected},
};
use futures_util::future::join_all;
use rstest::rstest;
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    sync::mpsc,
    time::timeout,
};

use super::{Op, gateway, gateway_within, operation::replacement, queue, raw::Raw, tenant};

const SHORT: Duration = Duration::from_millis(500);

/// Far more than any of these calls may take; less than the time limit of `gateway`.
const PROMPT: Duration = Duration::from_secs(15);

#[tokio::test]
async fn nobody_listens() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let gateway = gateway(&base);
    for op in Op::ALL {
        let error = op.call(&gateway, "c1").await.unwrap_err();
        assert_eq!((error.kind, error.status), (Unavailable, None), "{op:?}");
        assert!(error.message.starts_with("no connection"), "{}", error.message);
        assert!(!error.message.contains("c1"), "{}", error.message);
    }
}

/// A listener whose queue is full lets nobody in: connecting hangs.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_connection_that_hangs_never_left() {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let mut held = Vec::new();
    while let Ok(stream) = timeout(SHORT, TcpStream::connect(address)).await {
        held.push(stream.unwrap());
    }
    let gateway = gateway_within(&format!("http://{address}"), SHORT);
    for op in [Op::Send, Op::Get] {
        let error = op.call(&gateway, "c1").await.unwrap_err();
        assert_eq!((error.kind, error.status), (Unavailable, None), "{op:?}");
    }
}

#[tokio::test]
async fn a_tls_handshake_that_fails_never_left() {
    let server =
        Raw::start(|mut peer| async move { peer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n").await }).await;
    let gateway = gateway(&server.base.replace("http://", "https://"));
    for op in [Op::Send, Op::Get] {
        let error = op.call(&gateway, "c1").await.unwrap_err();
        assert_eq!((error.kind, error.status), (Unavailable, None), "{op:?}");
    }
    assert!(server.connections() >= 2);
}

#[tokio::test]
async fn a_reset_before_the_request_was_read() {
    let server = Raw::start(|peer| async move { peer.reset() }).await;
    let gateway = gateway(&server.base);
    for op in Op::ALL {
        let error = op.call(&gateway, "c1").await.unwrap_err();
        // The server did not read it, but that is more than the client can know.
        let expected = if op.is_safe() { Unavailable } else { OutcomeUnknown };
        assert_eq!((error.kind, error.status), (expected, None), "{op:?}");
    }
    assert_eq!(server.connections(), Op::ALL.len());
}

#[rstest]
#[tokio::test]
async fn a_connection_that_ends_after_the_request_was_read(#[values(true, false)] reset: bool) {
    let server = Raw::start(move |mut peer| async move {
        peer.read_request().await?;
        if reset { peer.reset() } else { Ok(()) }
    })
    .await;
    let gateway = gateway(&server.base);
    for op in Op::ALL {
        let error = op.call(&gateway, "c1").await.unwrap_err();
        let expected = if op.is_safe() { Unavailable } else { OutcomeUnknown };
        assert_eq!((error.kind, error.status), (expected, None), "{op:?}");
    }
    assert_eq!(server.requests(), Op::ALL.len());
}

#[tokio::test]
async fn a_kept_connection_that_ends_after_the_next_request_was_read() {
    let server = Raw::start(|mut peer| async move {
        peer.read_request().await?;
        peer.write(b"HTTP/1.1 204 No Content\r\n\r\n").await?;
        peer.read_request().await
    })
    .await;
    for op in [Op::Send, Op::End] {
        let gateway = gateway(&server.base);
        let (connections, requests) = (server.connections(), server.requests());
        op.call(&gateway, "c1").await.unwrap();
        let error = op.call(&gateway, "c1").await.unwrap_err();
        let expected = if op.is_safe() { Unavailable } else { OutcomeUnknown };
        assert_eq!((error.kind, error.status), (expected, None), "{op:?}");
        assert_eq!(
            server.connections() - connections,
            1,
            "{op:?} went to another connection"
        );
        assert_eq!(server.requests() - requests, 2, "{op:?} was sent again");
    }
}

#[tokio::test]
async fn half_a_head() {
    let server = Raw::start(|mut peer| async move {
        peer.read_request().await?;
        peer.write(b"HTTP/1.1 202 Accep").await
    })
    .await;
    let gateway = gateway(&server.base);
    assert_eq!(
        Op::Send.call(&gateway, "c1").await.unwrap_err().kind,
        OutcomeUnknown
    );
    assert_eq!(Op::Get.call(&gateway, "c1").await.unwrap_err().kind, Unavailable);
    assert_eq!(server.requests(), 2);
}

#[tokio::test]
async fn something_that_is_not_http() {
    let server = Raw::start(|mut peer| async move {
        peer.read_request().await?;
        peer.write(b"220 smtp.example.org ESMTP\r\n\r\n").await
    })
    .await;
    let gateway = gateway(&server.base);
    assert_eq!(
        Op::Send.call(&gateway, "c1").await.unwrap_err().kind,
        OutcomeUnknown
    );
    assert_eq!(Op::Get.call(&gateway, "c1").await.unwrap_err().kind, Unavailable);
    assert_eq!(server.requests(), 2);
}

#[rstest]
#[case::announced("HTTP/1.1 202 Accepted\r\ncontent-length: 100\r\n\r\n{\"conversationId\": \"c1\"}")]
#[case::chunked(
    "HTTP/1.1 202 Accepted\r\ntransfer-encoding: chunked\r\n\r\n18\r\n{\"conversationId\": \"c1\"}\r\n"
)]
#[tokio::test]
async fn half_an_answer(#[case] answer: &'static str) {
    let server = Raw::start(move |mut peer| async move {
        peer.read_request().await?;
        peer.write(answer.as_bytes()).await
    })
    .await;
    let gateway = gateway(&server.base);
    for op in Op::ALL {
        let result = op.call(&gateway, "c1").await;
        if !op.is_answered() {
            // The status said all that is needed.
            result.unwrap();
            continue;
        }
        let error = result.unwrap_err();
        let expected = if op.is_safe() { Unavailable } else { OutcomeUnknown };
        assert_eq!((error.kind, error.status), (expected, Some(202)), "{op:?}");
    }
    assert_eq!(server.requests(), Op::ALL.len());
}

#[tokio::test]
async fn half_an_explanation() {
    let server = Raw::start(|mut peer| async move {
        peer.read_request().await?;
        peer.write(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 100\r\n\r\nno such")
            .await
    })
    .await;
    let error = Op::Send.call(&gateway(&server.base), "c1").await.unwrap_err();
    assert_eq!((error.kind, error.status), (Invalid, Some(400)));
    assert_eq!(error.message, "no such");
}

const MIB: usize = 1024 * 1024;

/// What the system takes in between, on both ends, without the client reading it.
const BUFFERS: usize = 16 * MIB;

#[rstest]
#[case::announced("content-length: 52428800", false)]
#[case::chunked("transfer-encoding: chunked", true)]
#[tokio::test]
async fn an_answer_of_50_mib_is_refused_at_the_limit(#[case] header: &'static str, #[case] chunked: bool) {
    let server = Raw::start(move |mut peer| async move {
        peer.read_request().await?;
        peer.write(format!("HTTP/1.1 200 OK\r\n{header}\r\n\r\n").as_bytes())
            .await?;
        let chunk = vec![b' '; MIB];
        for _ in 0..50 {
            if chunked {
                peer.write(b"100000\r\n").await?;
            }
            peer.write(&chunk).await?;
            if chunked {
                peer.write(b"\r\n").await?;
            }
        }
        peer.wait_for_end().await;
        Ok(())
    })
    .await;
    let gateway = gateway(&server.base);
    for op in Op::ALL.into_iter().filter(|op| op.is_answered()) {
        let before = server.written();
        let error = op.call(&gateway, "c1").await.unwrap_err();
        let expected = if op.is_safe() { Unexpected } else { OutcomeUnknown };
        assert_eq!((error.kind, error.status), (expected, Some(200)), "{op:?}");
        assert!(error.message.contains("larger than"), "{}", error.message);
        let taken = server.written() - before;
        assert!(taken < 8 * MIB + BUFFERS, "{op:?} took {taken} bytes");
    }
}

/// Sends `head` and then a byte now and again, for ever.
async fn dripping(head: &'static str) -> Raw {
    Raw::start(move |mut peer| async move {
        peer.read_request().await?;
        peer.write(head.as_bytes()).await?;
        let mut tick = tokio::time::interval(Duration::from_millis(50));
        loop {
            tick.tick().await;
            peer.write(b" ").await?;
        }
    })
    .await
}

#[tokio::test]
async fn an_answer_that_drips_hits_the_time_limit() {
    let server = dripping("HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n").await;
    let gateway = gateway_within(&server.base, SHORT);
    // A key is at most 64 KiB: only what fits is waited for.
    for (op, expected) in [(Op::List, Timeout), (Op::Get, Timeout), (Op::Key, Unexpected)] {
        let started = Instant::now();
        let error = op.call(&gateway, "c1").await.unwrap_err();
        assert_eq!((error.kind, error.status), (expected, Some(200)), "{op:?}");
        assert!(started.elapsed() < PROMPT);
    }
    Op::Send.call(&gateway, "c1").await.unwrap();
}

#[tokio::test]
async fn a_creation_whose_answer_drips_has_an_unknown_outcome() {
    let server = dripping("HTTP/1.1 202 Accepted\r\ncontent-length: 1000\r\n\r\n").await;
    let gateway = gateway_within(&server.base, SHORT);
    let error = Op::Create.call(&gateway, "").await.unwrap_err();
    assert_eq!((error.kind, error.status), (OutcomeUnknown, Some(202)));
    assert_eq!(server.requests(), 1);
}

/// Nobody waits long for a conversation that the status made superfluous, and a late one changes nothing.
#[tokio::test]
async fn a_conversation_that_nobody_needs_drips() {
    let server = dripping("HTTP/1.1 202 Accepted\r\ncontent-length: 1000\r\n\r\n{\"id\": \"c1\"}").await;
    let gateway = gateway(&server.base);
    let started = Instant::now();
    let patch = ConversationPatch {
        user: None,
        assignment: Some(queue("100")),
    };
    let patched = gateway.patch_conversation(&tenant(), "c1", &patch).await;
    assert_eq!(patched.unwrap(), None);
    let replaced = gateway
        .replace_conversation(&tenant(), "c1", &replacement(false))
        .await;
    assert_eq!(replaced.unwrap(), None);
    assert!(started.elapsed() < PROMPT);
    assert_eq!(server.requests(), 2);
}

#[tokio::test]
async fn a_refusal_that_drips_is_a_refusal() {
    let server = dripping("HTTP/1.1 400 Bad Request\r\ncontent-length: 1000\r\n\r\nno such queue").await;
    let gateway = gateway_within(&server.base, SHORT);
    let error = Op::Create.call(&gateway, "").await.unwrap_err();
    assert_eq!((error.kind, error.status), (Invalid, Some(400)));
    assert_eq!(error.message, "no such queue");
}

#[tokio::test]
async fn a_server_that_never_answers() {
    let server = Raw::start(|mut peer| async move {
        peer.read_request().await?;
        peer.wait_for_end().await;
        Ok(())
    })
    .await;
    let gateway = gateway_within(&server.base, SHORT);
    let started = Instant::now();
    join_all(Op::ALL.map(|op| {
        let gateway = &gateway;
        async move {
            let error = op.call(gateway, "c1").await.unwrap_err();
            let expected = if op.is_safe() { Timeout } else { OutcomeUnknown };
            assert_eq!((error.kind, error.status), (expected, None), "{op:?}");
        }
    }))
    .await;
    assert!(started.elapsed() < PROMPT);
    assert_eq!(server.requests(), Op::ALL.len());
}

#[tokio::test]
async fn dropping_the_call_abandons_the_request() {
    let (ended, mut has_ended) = mpsc::unbounded_channel();
    let server = Raw::start(move |mut peer| {
        let ended = ended.clone();
        async move {
            peer.read_request().await?;
            ended.send("read").unwrap();
            peer.wait_for_end().await;
            ended.send("ended").unwrap();
            Ok(())
        }
    })
    .await;
    let gateway = gateway(&server.base);
    let call = tokio::spawn(async move { Op::Send.call(&gateway, "c1").await });
    assert_eq!(has_ended.recv().await, Some("read"));
    call.abort();
    let told = timeout(PROMPT, has_ended.recv()).await;
    assert_eq!(told.expect("the connection ends with the call"), Some("ended"));
    assert_eq!(server.requests(), 1);
}

#[tokio::test]
async fn connections_are_kept_and_used_again() {
    static SERVED: AtomicUsize = AtomicUsize::new(0);
    let server = Raw::start(|mut peer| async move {
        loop {
            peer.read_request().await?;
            SERVED.fetch_add(1, Ordering::SeqCst);
            peer.write(b"HTTP/1.1 202 Accepted\r\ncontent-length: 2\r\n\r\n{}")
                .await?;
        }
    })
    .await;
    let gateway = gateway(&server.base);
    for _ in 0..5 {
        Op::Send.call(&gateway, "c1").await.unwrap();
    }
    assert_eq!(SERVED.load(Ordering::SeqCst), 5);
    assert_eq!(server.connections(), 1);
}
