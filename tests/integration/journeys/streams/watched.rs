//! What operators see of a replica: `GET /status`, and `chatbridge top`.

use std::process::Stdio;

use chatbridge::status::{CircuitState, ReplicaState, Status, StreamReads, StreamState};
use tokio::net::TcpListener;

use super::{slow::Writer, *};
use crate::support::{service::program, vendor::TENANT};

async fn status(service: &Service) -> Status {
    let answer = reqwest::get(format!("{}/status", service.admin)).await.unwrap();
    assert_eq!(answer.headers()["content-type"], "application/json");
    answer.json().await.unwrap()
}

/// Runs `top`: its exit code, and what it printed.
async fn top(args: &[&str]) -> (Option<i32>, String) {
    let mut command = program();
    command.arg("top").args(args).stdout(Stdio::piped());
    let output = command.output().await.unwrap();
    (output.status.code(), String::from_utf8(output.stdout).unwrap())
}

#[tokio::test]
async fn a_stream_that_is_not_read_shows_its_lag_and_nothing_of_what_was_said() {
    let world = World::new().await;
    let service = world.serve().await;
    let writer = Writer::of(&world).await;
    let named = AgentEventsRequest {
        conversation_ids: vec!["c1".to_owned(), "c2".to_owned()],
        ..AgentEventsRequest::default()
    };
    let _quick = service.events(named).await;
    // It is never asked for what comes.
    let _slow = service.events(AgentEventsRequest::default()).await;
    writer.fill().await;

    let seen = eventually("the stream is seen to be behind", async || {
        let seen = status(&service).await;
        let slowest = seen.streams.slowest.first()?;
        (slowest.lag > 256 && slowest.unasked_ms > 2000).then_some(seen)
    })
    .await;
    assert_eq!(
        (seen.state, seen.store.up, seen.feed.live),
        (ReplicaState::Ready, Some(true), true)
    );
    assert_eq!((seen.store.kind.as_str(), seen.store.entry_format), ("redis", 1));
    assert_eq!((seen.streams.open, seen.streams.behind), (2, 1));
    assert_eq!(seen.feed.entries, 1500);
    let [slow, quick] = &seen.streams.slowest[..] else {
        panic!("{:?}", seen.streams)
    };
    assert_eq!(
        (slow.reads, slow.state),
        (StreamReads::All, StreamState::Detached)
    );
    assert_eq!(slow.lag, seen.streams.lag_max);
    assert!(slow.lag <= 1500 && slow.age_ms >= slow.unasked_ms, "{slow:?}");
    assert_eq!(
        (quick.reads, quick.state, quick.lag),
        (StreamReads::Conversations, StreamState::Live, 0)
    );
    assert_eq!((quick.conversations, quick.lag_ms), (Some(2), Some(0)));
    assert_eq!(slow.tenant, TENANT);
    assert_eq!(seen.upstream.len(), 1);
    assert_eq!(seen.upstream[0].circuit, CircuitState::Closed);
    let sessions = eventually("all sessions are read", async || {
        let sessions = status(&service).await.sessions?;
        (sessions.read == 8).then_some(sessions)
    })
    .await;
    assert!(sessions.complete);
    assert_eq!(sessions.by_state.values().sum::<u64>(), 8);

    let unused = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = format!("http://{}", unused.local_addr().unwrap());
    drop(unused);
    let (code, page) = top(&["--once", "--admin", &service.admin, "--admin", &nobody]).await;
    assert_eq!(code, Some(0), "{page}");
    for wanted in [
        "ready",
        "redis",
        "live",
        "2 conversations",
        "log",
        "silent",
        "cannot be reached",
        "sessions (all): 8",
    ] {
        assert!(page.contains(wanted), "{wanted:?} is not in\n{page}");
    }
    assert!(!page.contains("xxx"), "{page}");
    let name = service.admin.replace("http://", "dns:///");
    let (code, printed) = top(&["--json", "--admin", &name]).await;
    assert_eq!(code, Some(0), "{printed}");
    assert!(!printed.contains("xxx"), "{printed}");
    let document: serde_json::Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(document["format"], 1);
    let of_json = &document["replicas"][0]["status"];
    assert_eq!(of_json["streams"]["slowest"][0]["state"], "detached");
    assert!(of_json["streams"]["lag_max"].as_u64() >= Some(slow.lag));
    let (code, page) = top(&["--once", "--admin", &nobody]).await;
    assert_eq!(code, Some(1), "{page}");
}

#[tokio::test]
async fn a_vendor_that_fails_is_seen() {
    use chatbridge::grpc::proto::GetConversationRequest;

    let world = World::new().await;
    let unused = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = format!("http://{}", unused.local_addr().unwrap());
    drop(unused);
    let service = world
        .serve_with(&[
            ("gateway_url", &nobody),
            ("gateway_attempts", "1"),
            ("drain_spread_ms", "10000"),
        ])
        .await;
    let calls = service.conversations().await;
    let open = eventually("the circuit opens", async || {
        // At once, so that they are within its window however slow the machine is.
        let failing = (0..20).map(async |_| {
            let request = GetConversationRequest {
                conversation_id: "c".to_owned(),
                ..GetConversationRequest::default()
            };
            calls.clone().get_conversation(request).await.unwrap_err()
        });
        futures_util::future::join_all(failing).await;
        let upstream = status(&service).await.upstream.remove(0);
        (upstream.circuit == CircuitState::Open).then_some(upstream)
    })
    .await;
    assert!(open.open_for_ms.is_some() && open.failed >= 10, "{open:?}");
    let (_, page) = top(&["--once", "--admin", &service.admin]).await;
    assert!(page.contains("OPEN for"), "{page}");
}
