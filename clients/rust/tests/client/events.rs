use std::{
    collections::HashSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use chatbridge_client::{AgentEvents, BoxError, CursorHooks, Error, StreamOptions, v1};
use futures_util::StreamExt as _;
use tokio::sync::mpsc;
use tonic::{Code, Status};
use v1::{agent_events_request::Start, agent_events_response::Payload};

use crate::fake::{Answer, all, event, failure, quick, response, serve, status, then_silence};

/// The next response's cursor.
async fn next(events: &mut AgentEvents) -> Result<Option<String>, Error> {
    let response = tokio::time::timeout(Duration::from_secs(20), events.next())
        .await
        .expect("the stream hangs");
    let response = response.transpose()?;
    Ok(response.map(|response| String::from_utf8_lossy(&response.cursor).into_owned()))
}

fn ending(advice: v1::ReconnectAdvice, reason: v1::EndingReason) -> v1::AgentEventsResponse {
    let ending = v1::Ending {
        reason: reason.into(),
        reconnect: advice.into(),
        retry_after: None,
    };
    response("", Payload::Ending(ending))
}

fn heartbeat(cursor: &str, stream_id: &str, interval: Duration) -> v1::AgentEventsResponse {
    let heartbeat = v1::Heartbeat {
        stream_id: stream_id.to_owned(),
        interval: interval.try_into().ok(),
        time: None,
    };
    response(cursor, Payload::Heartbeat(heartbeat))
}

/// A server of streams, and the requests that it got.
async fn streams(
    answer: impl Fn(usize) -> Answer + Send + Sync + 'static,
) -> (String, mpsc::UnboundedReceiver<v1::AgentEventsRequest>) {
    let (tell, told) = mpsc::unbounded_channel();
    let answer = Arc::new(answer);
    let target = serve(move |mut call| {
        let (tell, answer) = (tell.clone(), Arc::clone(&answer));
        async move {
            let _ = tell.send(call.request().await);
            answer(call.number)
        }
    })
    .await;
    (target, told)
}

#[tokio::test]
async fn it_goes_on_behind_what_it_received() {
    let (target, mut requests) = streams(|number| match number {
        0 => all([event("1"), event("2")]),
        1 => failure(Status::unavailable("restarting")),
        2 => all([
            event("3"),
            ending(v1::ReconnectAdvice::Now, v1::EndingReason::MaxAge),
        ]),
        3 => failure(Status::internal("of a proxy")),
        _ => then_silence([event("4")]),
    })
    .await;
    let client = quick(&target).connect().await.unwrap();
    let mut events = client.agent_events(v1::AgentEventsRequest {
        include_raw: true,
        ..Default::default()
    });

    for cursor in ["1", "2", "3", "", "4"] {
        assert_eq!(next(&mut events).await.unwrap().unwrap(), cursor);
    }
    assert_eq!(events.cursor(), "4");

    let mut starts = Vec::new();
    while let Ok(request) = requests.try_recv() {
        assert!(request.include_raw);
        starts.push(request.start);
    }
    let after = |cursor: &'static str| Some(Start::Cursor(Bytes::from_static(cursor.as_bytes())));
    assert_eq!(starts, [None, after("2"), after("2"), after("3"), after("3")]);
}

#[tokio::test]
async fn a_silent_connection_is_given_up_for_another() {
    let (tell, mut told) = mpsc::unbounded_channel();
    let target = serve(move |call| {
        tell.send(call.from.unwrap()).unwrap();
        async move {
            match call.number {
                // Nothing at all, then a silence of twice the interval.
                0 => futures_util::stream::pending().boxed(),
                1 => then_silence([heartbeat("1", "", Duration::from_millis(10))]),
                _ => then_silence([event("2")]),
            }
        }
    })
    .await;
    let client = quick(&target)
        .stream_silence(Duration::from_secs(1), Duration::from_secs(60))
        .connect()
        .await
        .unwrap();
    let mut events = client.agent_events(v1::AgentEventsRequest::default());

    assert_eq!(next(&mut events).await.unwrap().unwrap(), "1");
    assert_eq!(next(&mut events).await.unwrap().unwrap(), "2");
    let mut from = HashSet::new();
    for _ in 0..3 {
        assert!(
            from.insert(told.recv().await.unwrap()),
            "the same connection again"
        );
    }
}

#[tokio::test]
async fn what_cannot_be_mended_is_raised() {
    let never = |_| all([ending(v1::ReconnectAdvice::Never, v1::EndingReason::TakenOver)]);
    let (target, _requests) = streams(never).await;
    let client = quick(&target).connect().await.unwrap();
    let mut events = client.subscription_events("orders");
    assert_eq!(next(&mut events).await.unwrap().unwrap(), "");
    let error = next(&mut events).await.unwrap_err();
    assert!(matches!(&error, Error::StreamEnded(ending) if ending.reason() == v1::EndingReason::TakenOver));
    assert_eq!(
        (error.code(), error.reason()),
        (Code::Aborted, "ENDING_REASON_TAKEN_OVER")
    );
    assert_eq!(next(&mut events).await.unwrap(), None);

    let (target, _requests) = streams(|_| failure(status(Code::Internal, "STORE_CORRUPT", None))).await;
    let client = quick(&target).connect().await.unwrap();
    let error = next(&mut client.agent_events(v1::AgentEventsRequest::default()))
        .await
        .unwrap_err();
    assert_eq!(error.reason(), "STORE_CORRUPT");
}

#[tokio::test]
async fn a_gap_that_fails_is_not_got_over() {
    let gap = || response("gap", Payload::Gap(v1::Gap::default()));
    let (target, mut requests) = streams(move |number| match number {
        // It breaks before the server says that it fails.
        0 => all([event("1"), gap()])
            .chain(failure(Status::unavailable("cut")))
            .boxed(),
        _ => then_silence([gap(), event("2")]),
    })
    .await;
    let client = quick(&target).connect().await.unwrap();
    let memory = Memory::default();
    let options = StreamOptions::default().cursor_hooks(memory.clone());
    let mut events = client.agent_events_with(v1::AgentEventsRequest::default(), options.clone());
    assert_eq!(next(&mut events).await.unwrap().unwrap(), "1");
    assert_eq!(next(&mut events).await.unwrap().unwrap(), "gap");
    let error = next(&mut events).await.unwrap_err();
    assert_eq!((error.code(), error.reason()), (Code::OutOfRange, "CURSOR_GAP"));
    assert_eq!(*memory.saved.lock().unwrap(), ["1"]);
    requests.recv().await.unwrap();
    assert!(requests.try_recv().is_err(), "it connected again");

    let request = v1::AgentEventsRequest {
        gap_policy: v1::GapPolicy::Earliest.into(),
        ..Default::default()
    };
    let mut events = client.agent_events_with(request, options);
    assert_eq!(next(&mut events).await.unwrap().unwrap(), "gap");
    assert_eq!(next(&mut events).await.unwrap().unwrap(), "2");
    assert_eq!(*memory.saved.lock().unwrap(), ["1", "gap"]);
}

#[tokio::test]
async fn without_resumption_a_break_is_raised_and_an_ending_ends() {
    let (target, _requests) = streams(|number| match number {
        0 => all([
            event("1"),
            ending(v1::ReconnectAdvice::Now, v1::EndingReason::Draining),
        ]),
        _ => all([event("1")]),
    })
    .await;
    let client = quick(&target).connect().await.unwrap();
    let open = || {
        client.agent_events_with(
            v1::AgentEventsRequest::default(),
            StreamOptions::default().without_resume(),
        )
    };

    let mut events = open();
    assert_eq!(next(&mut events).await.unwrap().unwrap(), "1");
    assert_eq!(next(&mut events).await.unwrap().unwrap(), "");
    assert_eq!(next(&mut events).await.unwrap(), None);

    let mut events = open();
    assert_eq!(next(&mut events).await.unwrap().unwrap(), "1");
    assert_eq!(next(&mut events).await.unwrap_err().code(), Code::Unavailable);
}

#[tokio::test]
async fn a_function_may_give_a_better_token() {
    let refused = |_| failure(status(Code::Unauthenticated, "CREDENTIALS_EXPIRED", None));
    let (target, mut requests) = streams(refused).await;
    let client = quick(&target)
        .token_function(|| async { Ok("old".to_owned()) })
        .connect()
        .await
        .unwrap();
    let error = next(&mut client.agent_events(v1::AgentEventsRequest::default()))
        .await
        .unwrap_err();
    assert_eq!(error.code(), Code::Unauthenticated);
    assert_eq!(std::iter::from_fn(|| requests.try_recv().ok()).count(), 4);

    let (target, mut requests) = streams(refused).await;
    let client = quick(&target).token("old").connect().await.unwrap();
    next(&mut client.agent_events(v1::AgentEventsRequest::default()))
        .await
        .unwrap_err();
    assert_eq!(std::iter::from_fn(|| requests.try_recv().ok()).count(), 1);
}

#[derive(Clone, Default)]
struct Memory {
    saved: Arc<Mutex<Vec<Bytes>>>,
    broken: bool,
}

impl CursorHooks for Memory {
    async fn load(&self) -> Result<Option<Bytes>, BoxError> {
        Ok(Some(Bytes::from_static(b"loaded")))
    }

    async fn save(&self, cursor: Bytes) -> Result<(), BoxError> {
        if self.broken {
            return Err("the disk is full".into());
        }
        self.saved.lock().unwrap().push(cursor);
        Ok(())
    }
}

#[tokio::test]
async fn a_cursor_is_saved_once_its_response_was_processed() {
    let (target, mut requests) = streams(|_| then_silence([event("1"), event("2"), event("3")])).await;
    let client = quick(&target).connect().await.unwrap();
    let memory = Memory::default();
    let options = StreamOptions::default().cursor_hooks(memory.clone());
    let mut events = client.agent_events_with(v1::AgentEventsRequest::default(), options);

    assert_eq!(next(&mut events).await.unwrap().unwrap(), "1");
    assert!(memory.saved.lock().unwrap().is_empty());
    assert_eq!(next(&mut events).await.unwrap().unwrap(), "2");
    assert_eq!(*memory.saved.lock().unwrap(), ["1"]);
    events.close().await.unwrap();
    assert_eq!(*memory.saved.lock().unwrap(), ["1", "2"]);
    assert_eq!(next(&mut events).await.unwrap(), None);
    assert_eq!(
        requests.recv().await.unwrap().start,
        Some(Start::Cursor(Bytes::from_static(b"loaded")))
    );

    let broken = StreamOptions::default().cursor_hooks(Memory {
        broken: true,
        ..Memory::default()
    });
    let mut events = client.agent_events_with(v1::AgentEventsRequest::default(), broken);
    assert_eq!(next(&mut events).await.unwrap().unwrap(), "1");
    let error = next(&mut events).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the cursor could not be saved: the disk is full"
    );
}

#[tokio::test]
#[should_panic(expected = "a hook's own")]
async fn a_panic_does_not_look_like_an_end() {
    struct Panics;
    impl CursorHooks for Panics {
        async fn load(&self) -> Result<Option<Bytes>, BoxError> {
            panic!("a hook's own");
        }

        async fn save(&self, _: Bytes) -> Result<(), BoxError> {
            Ok(())
        }
    }
    let client = quick("http://127.0.0.1:1").connect_lazy().unwrap();
    let options = StreamOptions::default().cursor_hooks(Panics);
    let _ = next(&mut client.agent_events_with(v1::AgentEventsRequest::default(), options)).await;
}

#[tokio::test]
async fn no_more_is_held_than_it_may_and_a_drop_ends_the_call() {
    let (tell, mut told) = mpsc::unbounded_channel();
    let sent = Arc::new(Mutex::new(0));
    let counted = Arc::clone(&sent);
    let target = serve(move |_| {
        let (tell, counted) = (tell.clone(), Arc::clone(&counted));
        async move {
            // Tells when the answer is let go of.
            let guard = Guard(tell);
            let big = vec![7; 64 * 1024];
            futures_util::stream::repeat_with(move || {
                let _held = &guard;
                *counted.lock().unwrap() += 1;
                let event = v1::AgentEvent {
                    raw_json: big.clone().into(),
                    ..Default::default()
                };
                let response = response("c", Payload::Event(event));
                Ok(prost::Message::encode_to_vec(&response).into())
            })
            .boxed()
        }
    })
    .await;
    let client = quick(&target).connect().await.unwrap();
    let options = StreamOptions::default().buffer(2);
    let mut events = client.agent_events_with(v1::AgentEventsRequest::default(), options);

    for _ in 0..50 {
        next(&mut events).await.unwrap().unwrap();
        tokio::task::yield_now().await;
    }
    // 2 of ours, and what fits into HTTP/2's window and the server's own buffers.
    assert!(
        *sent.lock().unwrap() < 50 + 30,
        "{} were sent",
        sent.lock().unwrap()
    );
    drop(events);
    told.recv()
        .await
        .expect("the server's side of the stream is gone");
    client.close().await;
}

struct Guard(mpsc::UnboundedSender<()>);

impl Drop for Guard {
    fn drop(&mut self) {
        let _ = self.0.send(());
    }
}

#[tokio::test]
async fn a_change_that_was_not_told_is_made_anew() {
    let (tell, mut told) = mpsc::unbounded_channel::<(String, Vec<String>)>();
    let (cut, cuts) = mpsc::unbounded_channel::<()>();
    let cuts = Arc::new(tokio::sync::Mutex::new(cuts));
    let target = serve(move |mut call| {
        let (tell, cuts) = (tell.clone(), Arc::clone(&cuts));
        async move {
            if call.method == "ChangeAgentEvents" {
                let change: v1::ChangeAgentEventsRequest = call.request().await;
                tell.send((change.stream_id, change.add_conversation_ids))
                    .unwrap();
                return all([v1::ChangeAgentEventsResponse { revision: 1 }]);
            }
            let request: v1::AgentEventsRequest = call.request().await;
            tell.send(("opened".to_owned(), request.conversation_ids))
                .unwrap();
            let name = if call.number == 0 { "first" } else { "second" };
            let begin = [heartbeat("1", name, Duration::from_secs(20))];
            if call.number == 0 {
                // Breaks once the change was accepted, and never tells of it.
                let broke = futures_util::stream::once(async move {
                    cuts.lock().await.recv().await;
                    Err(Status::unavailable("cut"))
                });
                return all(begin).chain(broke).boxed();
            }
            then_silence(begin)
        }
    })
    .await;
    let client = quick(&target).connect().await.unwrap();
    let request = v1::AgentEventsRequest {
        changeable: true,
        conversation_ids: vec!["a".into()],
        ..Default::default()
    };
    let mut events = client.agent_events(request);
    let changer = events.changer();

    let change = v1::ChangeAgentEventsRequest {
        add_conversation_ids: vec!["b".into()],
        ..Default::default()
    };
    changer.change(change).await.unwrap();
    cut.send(()).unwrap();
    assert!(next(&mut events).await.unwrap().is_some());

    let expected = [("opened", "a"), ("first", "b"), ("opened", "a"), ("second", "b")];
    for (stream, conversation) in expected {
        assert_eq!(
            told.recv().await.unwrap(),
            (stream.to_owned(), vec![conversation.to_owned()])
        );
    }
    drop(events);
    assert!(matches!(
        changer.change(v1::ChangeAgentEventsRequest::default()).await,
        Err(Error::Closed)
    ));
}
