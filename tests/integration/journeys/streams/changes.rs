//! Conversations are added to an open stream and taken off it, by calls to any replica.

use chatbridge::grpc::proto::{
    ChangeAgentEventsRequest, agent_event_service_client::AgentEventServiceClient,
    change_agent_events_request::Start as ChangeStart,
};
use tonic::{Status, transport::Channel};

use super::*;
use crate::support::vendor::TENANT;

fn changeable(ids: &[&str]) -> AgentEventsRequest {
    AgentEventsRequest {
        conversation_ids: ids.iter().map(|id| (*id).to_owned()).collect(),
        changeable: true,
        ..AgentEventsRequest::default()
    }
}

fn change(stream: &str, add: &[&str], remove: &[&str]) -> ChangeAgentEventsRequest {
    let owned = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect();
    ChangeAgentEventsRequest {
        stream_id: stream.to_owned(),
        add_conversation_ids: owned(add),
        remove_conversation_ids: owned(remove),
        ..ChangeAgentEventsRequest::default()
    }
}

fn earliest(mut request: ChangeAgentEventsRequest) -> ChangeAgentEventsRequest {
    request.start = Some(ChangeStart::Position(StartPosition::Earliest.into()));
    request
}

async fn client(service: &Service) -> AgentEventServiceClient<Channel> {
    AgentEventServiceClient::new(service.channel().await)
}

async fn made(service: &Service, request: ChangeAgentEventsRequest) -> u64 {
    let answer = client(service).await.change_agent_events(request).await;
    answer.unwrap().into_inner().revision
}

async fn refused(service: &Service, request: ChangeAgentEventsRequest) -> Status {
    client(service)
        .await
        .change_agent_events(request)
        .await
        .unwrap_err()
}

fn reason(status: &Status) -> String {
    status.get_details_error_info().unwrap().reason
}

/// Waits for the change of this number, before which nothing may come.
async fn holds(events: &mut Events, revision: u64) {
    loop {
        match events.next().await.unwrap() {
            Payload::Heartbeat(_) => {}
            Payload::Changed(changed) => return assert_eq!(changed.revision, revision),
            other => panic!("a change was awaited, and there came {other:?}"),
        }
    }
}

#[tokio::test]
async fn conversations_come_and_go_by_calls_to_another_replica() {
    let world = World::new().await;
    let (a, b) = tokio::join!(world.serve(), world.serve());
    let say = async |conversation: &str, text: &str| {
        let webhook = world.vendor.message(conversation, text);
        assert_eq!(world.vendor.deliver(&b.webhook, &webhook).await, 204);
    };
    let mut events = a.events(changeable(&[])).await;
    let stream = events.stream_id.clone();
    assert_eq!(stream.len(), 32, "{stream}");
    for text in ["1", "2"] {
        say("one", text).await;
    }
    say("other", "never asked for").await;

    let started = std::time::Instant::now();
    assert_eq!(made(&b, earliest(change(&stream, &["one"], &[]))).await, 1);
    holds(&mut events, 1).await;
    assert!(
        started.elapsed().as_secs() < 5,
        "it was told, and did not look by itself"
    );
    assert_eq!(texts(&mut events, 2).await, ["1", "2"]);

    // From now on, and there already: neither has a past.
    assert_eq!(made(&a, change(&stream, &["two", "one"], &[])).await, 2);
    holds(&mut events, 2).await;
    for (conversation, text) in [("one", "3"), ("other", "-"), ("two", "4")] {
        say(conversation, text).await;
    }
    let mut heard = texts(&mut events, 2).await;
    heard.sort();
    assert_eq!(heard, ["3", "4"]);

    assert_eq!(made(&b, change(&stream, &[], &["one"])).await, 3);
    holds(&mut events, 3).await;
    for (conversation, text) in [("one", "not any more"), ("two", "5")] {
        say(conversation, text).await;
    }
    assert_eq!(texts(&mut events, 1).await, ["5"]);
    // Taken off and added at once, it starts anew.
    assert_eq!(made(&b, earliest(change(&stream, &["two"], &["two"]))).await, 4);
    holds(&mut events, 4).await;
    assert_eq!(texts(&mut events, 2).await, ["4", "5"]);

    // Whoever resumes names the conversations, and has nothing missing and nothing twice.
    let resumed = AgentEventsRequest {
        start: Some(Start::Cursor(events.cursor.clone())),
        ..changeable(&["two"])
    };
    drop(events);
    say("two", "6").await;
    let mut resumed = b.events(resumed).await;
    assert_ne!(resumed.stream_id, stream);
    assert_eq!(texts(&mut resumed, 1).await, ["6"]);
    eventually("the old stream is forgotten", async || {
        let request = change(&stream, &["one"], &[]);
        let answer = client(&a).await.change_agent_events(request).await;
        answer.err().filter(|status| reason(status) == "STREAM_UNKNOWN")
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_changed_is_refused_with_a_reason() {
    let world = World::new().await;
    let service = world.serve().await;
    let plain = service.events(AgentEventsRequest::default()).await;
    assert_eq!(plain.stream_id, "", "it may not be changed");
    let events = service.events(changeable(&["c0"])).await;

    let unknown = refused(&service, change("0123456789abcdef", &["c"], &[])).await;
    assert_eq!(
        (unknown.code(), reason(&unknown).as_str()),
        (Code::NotFound, "STREAM_UNKNOWN")
    );
    let mut foreign = change(&events.stream_id, &["c"], &[]);
    foreign.tenant = "another".into();
    assert_eq!(reason(&refused(&service, foreign).await), "TENANT_UNKNOWN");
    let wrong = refused(&service, change("", &["", "ok"], &["\n"])).await;
    let named: Vec<String> = wrong
        .get_details_bad_request()
        .unwrap()
        .field_violations
        .into_iter()
        .map(|violation| violation.field)
        .collect();
    assert_eq!(
        named,
        [
            "stream_id",
            "add_conversation_ids[0]",
            "remove_conversation_ids[0]"
        ]
    );
    let nothing = refused(&service, change(&events.stream_id, &[], &[])).await;
    assert_eq!(nothing.code(), Code::InvalidArgument);

    let many: Vec<String> = (1..=1000).map(|i| format!("c{i}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let full = refused(&service, change(&events.stream_id, &many, &[])).await;
    assert_eq!(
        (full.code(), reason(&full).as_str()),
        (Code::ResourceExhausted, "STREAM_LIMIT")
    );
    // What was refused left nothing behind.
    let mut request = change(&events.stream_id, &many, &["c0"]);
    request.tenant = TENANT.into();
    assert_eq!(made(&service, request).await, 1);
}

#[tokio::test]
async fn a_stream_that_may_be_changed_goes_on_while_redis_is_silent() {
    let redis = RedisServer::start();
    let vendor = Vendor::start().await;
    let (vendor_url, redis_url, prefix) = (vendor.server.uri(), redis.url(), unique_prefix());
    let service = Service::start(&settings(&vendor_url, &redis_url, &prefix)).await;
    let mut events = service.events(changeable(&["one"])).await;
    let stream = events.stream_id.clone();
    redis.pause();
    for _ in 0..15 {
        assert!(matches!(events.next().await, Ok(Payload::Heartbeat(_))));
    }
    let silent = refused(&service, change(&stream, &["two"], &[])).await;
    assert_eq!(silent.code(), Code::Unavailable, "{silent}");
    redis.resume();
    eventually("it can be changed again", async || {
        let request = change(&stream, &["three"], &[]);
        client(&service).await.change_agent_events(request).await.ok()
    })
    .await;
    // What Redis took of the one before, if it did, is told first.
    while !matches!(events.next().await.unwrap(), Payload::Changed(_)) {}
    let said = vendor.message("three", "3");
    eventually("the webhook is taken", async || {
        (vendor.deliver(&service.webhook, &said).await == 204).then_some(())
    })
    .await;
    loop {
        match events.next().await.unwrap() {
            Payload::Event(event) => break assert_eq!(event.conversation_id, "three"),
            Payload::Heartbeat(_) | Payload::Changed(_) => {}
            other => panic!("an event was awaited, and there came {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_stream_whose_record_redis_lost_can_be_changed_again() {
    let redis = RedisServer::start();
    let vendor = Vendor::start().await;
    let (vendor_url, redis_url, prefix) = (vendor.server.uri(), redis.url(), unique_prefix());
    let service = Service::start(&settings(&vendor_url, &redis_url, &prefix)).await;
    let mut events = service.events(changeable(&["one"])).await;
    let stream = events.stream_id.clone();
    assert_eq!(made(&service, change(&stream, &["two"], &[])).await, 1);
    holds(&mut events, 1).await;
    let mut direct = redis.connection().await;
    let keys: Vec<String> = redis::cmd("KEYS")
        .arg(format!("{prefix}:stream:*"))
        .query_async(&mut direct)
        .await
        .unwrap();
    assert_eq!(keys.len(), 1, "{keys:?}");
    redis::cmd("DEL")
        .arg(&keys)
        .query_async::<()>(&mut direct)
        .await
        .unwrap();
    let revision = eventually("it is known again", async || {
        let answer = client(&service)
            .await
            .change_agent_events(change(&stream, &["three"], &[]))
            .await;
        answer.ok().map(|answer| answer.into_inner().revision)
    })
    .await;
    assert_eq!(revision, 2);
    holds(&mut events, 2).await;
    for conversation in ["one", "two", "three"] {
        let webhook = vendor.message(conversation, conversation);
        assert_eq!(vendor.deliver(&service.webhook, &webhook).await, 204);
    }
    let mut heard = texts(&mut events, 3).await;
    heard.sort();
    assert_eq!(heard, ["one", "three", "two"]);
}
