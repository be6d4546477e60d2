use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use chatbridge_client::{Backoff, v1};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use tonic::{Code, Status};

use crate::fake::{all, failure, quick, serve, status};

#[test]
fn waits_grow_to_a_maximum_and_are_random() {
    let backoff = Backoff {
        initial: Duration::from_millis(200),
        maximum: Duration::from_secs(10),
    };

    let ceilings: Vec<u128> = (0..8)
        .map(|attempt| backoff.ceiling(attempt).as_millis())
        .collect();
    assert_eq!(ceilings, [200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]);
    assert_eq!(backoff.ceiling(u32::MAX).as_millis(), 10_000);
    let delays: Vec<Duration> = (0..50).map(|_| backoff.delay(0)).collect();
    assert!(delays.iter().all(|delay| *delay <= backoff.ceiling(0)));
    assert!(delays.iter().any(|delay| *delay != delays[0]));
}

#[tokio::test]
async fn a_repeated_call_is_the_same_call() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    let target = serve(move |mut call| {
        let log = Arc::clone(&log);
        async move {
            let request: v1::SendMessageRequest = call.request().await;
            log.lock().unwrap().push((request, call.metadata));
            match call.number {
                0 => failure(Status::unavailable("away")),
                1 => failure(status(Code::Aborted, "REQUEST_IN_FLIGHT", None)),
                2 => failure(status(Code::DeadlineExceeded, "UPSTREAM_TIMEOUT", None)),
                _ => all([v1::SendMessageResponse::default()]),
            }
        }
    })
    .await;
    let client = quick(&target)
        .tenant("t1")
        .token("secret-token")
        .connect()
        .await
        .unwrap();

    client
        .send_message(v1::SendMessageRequest::default())
        .await
        .unwrap();

    let seen = seen.lock().unwrap();
    assert_eq!(seen.len(), 4);
    assert!(
        seen.iter().all(|(request, _)| *request == seen[0].0),
        "one request_id for all attempts"
    );
    assert_eq!(seen[0].0.tenant, "t1");
    assert_eq!(seen[0].0.request_id.len(), 36);
    assert_eq!(seen[0].1.get("authorization").unwrap(), "Bearer secret-token");
    assert!(
        seen[0]
            .1
            .get("user-agent")
            .unwrap()
            .to_str()
            .unwrap()
            .starts_with("chatbridge-rust/0.1.0")
    );
    assert!(!format!("{client:?}").contains("secret"));
}

/// How often a server that fails like this is called.
async fn attempts(fails: impl Fn() -> Status + Send + Sync + Copy + 'static, update: bool) -> usize {
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    let target = serve(move |_| {
        counted.fetch_add(1, Ordering::SeqCst);
        async move { failure(fails()) }
    })
    .await;
    let client = quick(&target).connect().await.unwrap();
    if update {
        client
            .update_conversation(v1::UpdateConversationRequest::default())
            .await
            .unwrap_err();
    } else {
        client
            .get_conversation(v1::GetConversationRequest::default())
            .await
            .unwrap_err();
    }
    count.load(Ordering::SeqCst)
}

#[tokio::test]
async fn only_what_is_safe_is_repeated() {
    // Without a reason of Chatbridge's, the contract says which calls may be repeated.
    assert_eq!(attempts(|| Status::unavailable("away"), false).await, 4);
    assert_eq!(attempts(|| Status::unavailable("away"), true).await, 1);
    assert_eq!(
        attempts(|| status(Code::Unavailable, "STORE_UNAVAILABLE", None), true).await,
        4
    );
    let soon = Some(Duration::from_millis(1));
    assert_eq!(
        attempts(
            move || status(Code::ResourceExhausted, "UPSTREAM_THROTTLED", soon),
            true
        )
        .await,
        4
    );
    assert_eq!(
        attempts(
            || status(Code::ResourceExhausted, "UPSTREAM_THROTTLED", None),
            true
        )
        .await,
        1
    );
    assert_eq!(
        attempts(
            move || status(Code::ResourceExhausted, "STREAM_LIMIT", soon),
            true
        )
        .await,
        1
    );
    assert_eq!(
        attempts(|| status(Code::Aborted, "REQUEST_IN_FLIGHT", None), false).await,
        1
    );
    assert_eq!(
        attempts(|| status(Code::Unknown, "UPSTREAM_OUTCOME_UNKNOWN", None), false).await,
        1
    );
    // The deadline would pass meanwhile.
    let late = Some(Duration::from_secs(60));
    assert_eq!(
        attempts(
            move || status(Code::ResourceExhausted, "CALLER_RATE_LIMITED", late),
            false
        )
        .await,
        1
    );
}

#[tokio::test]
async fn a_deadline_says_whether_it_may_have_happened() {
    let target = serve(|_| async { stream::pending().boxed() }).await;
    let client = quick(&target)
        .connect()
        .await
        .unwrap()
        .with_timeout(Duration::from_millis(30));

    let read = client
        .get_conversation(v1::GetConversationRequest::default())
        .await
        .unwrap_err();
    let sent = client
        .send_message(v1::SendMessageRequest::default())
        .await
        .unwrap_err();

    assert_eq!(
        (read.code(), read.outcome_unknown()),
        (Code::DeadlineExceeded, false)
    );
    assert_eq!(
        (sent.code(), sent.outcome_unknown()),
        (Code::DeadlineExceeded, true)
    );
}

#[tokio::test]
async fn a_list_is_read_page_by_page() {
    let target = serve(|mut call| async move {
        let request: v1::ListMessagesRequest = call.request().await;
        let message = |id: &str| v1::Message {
            id: id.to_owned(),
            ..Default::default()
        };
        let (messages, next) = match &*request.page_token {
            "" => (vec![message("1"), message("2")], "second"),
            // A page may be empty though more follow.
            "second" => (Vec::new(), "third"),
            _ => (vec![message("3")], ""),
        };
        all([v1::ListMessagesResponse {
            messages,
            next_page_token: next.to_owned(),
            ..Default::default()
        }])
    })
    .await;
    let client = quick(&target).connect().await.unwrap();

    let messages: Vec<v1::Message> = client
        .iterate_messages(v1::ListMessagesRequest::default())
        .try_collect()
        .await
        .unwrap();

    let ids: Vec<&str> = messages.iter().map(|message| &*message.id).collect();
    assert_eq!(ids, ["1", "2", "3"]);
}

#[tokio::test]
async fn targets_take_turns_and_one_that_is_away_is_left_out() {
    let mut targets = Vec::new();
    let seen = Arc::new(Mutex::new([0, 0]));
    for index in 0..2 {
        let seen = Arc::clone(&seen);
        targets.push(
            serve(move |_| {
                seen.lock().unwrap()[index] += 1;
                async { all([v1::UpdateConversationResponse::default()]) }
            })
            .await,
        );
    }
    // Nothing listens on a port that was just given back.
    let gone = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    let client = quick(&targets[0])
        .also(&targets[1])
        .also(format!("http://{gone}"))
        .connect()
        .await
        .unwrap();

    for _ in 0..40 {
        client
            .update_conversation(v1::UpdateConversationRequest::default())
            .await
            .unwrap();
    }

    let seen = *seen.lock().unwrap();
    assert_eq!(seen[0] + seen[1], 40);
    assert!(seen[0] >= 10 && seen[1] >= 10, "{seen:?}");
}

#[tokio::test]
async fn a_name_is_looked_up() {
    let target = serve(|_| async { all([v1::UpdateConversationResponse::default()]) }).await;
    let port = target.rsplit(':').next().unwrap();
    // The name may have an address of IPv6, too, where nothing listens.
    let client = quick(&format!("dns:///localhost:{port}"))
        .cleartext()
        .connect()
        .await
        .unwrap();
    for _ in 0..10 {
        client
            .update_conversation(v1::UpdateConversationRequest::default())
            .await
            .unwrap();
    }

    let error = quick("dns:///name.invalid:1")
        .cleartext()
        .connect()
        .await
        .unwrap_err();
    assert_eq!(error.code(), Code::Unavailable);
}

#[tokio::test]
async fn what_is_wrong_is_said_before_anything_is_sent() {
    for target in [
        "",
        "localhost",
        "http://",
        "ftp://localhost:1",
        "dns:///localhost",
        "user@localhost:1",
    ] {
        let error = quick(target).connect_lazy().unwrap_err();
        assert_eq!(error.code(), Code::InvalidArgument, "{target}: {error}");
    }
    let target = serve(|_| async { all::<v1::GetConversationResponse>([]) }).await;
    let client = quick(&target)
        .token_function(|| async { Ok("two\nlines".to_owned()) })
        .connect()
        .await
        .unwrap();
    let error = client
        .get_conversation(v1::GetConversationRequest::default())
        .await
        .unwrap_err();
    assert_eq!(error.code(), Code::InvalidArgument);
    assert!(!error.to_string().contains("lines"));

    client.close().await;
    let error = client
        .get_conversation(v1::GetConversationRequest::default())
        .await
        .unwrap_err();
    assert!(matches!(error, chatbridge_client::Error::Closed));
}
