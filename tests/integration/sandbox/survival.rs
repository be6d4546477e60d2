//! Chatbridge in front of a sandbox where things go wrong: it tells each event once, believes nobody else, and comes through.

use std::time::Duration;

use chatbridge::{
    grpc::proto::{
        AgentEvent, AgentEventsRequest, AuthorType, CreateConversationRequest, GetSessionRequest,
        MessageInput, SendMessageRequest, SessionState, User, agent_event::Body,
    },
    sandbox::Pace,
};
use rstest::rstest;
use serde_json::{Value, json};
use tonic::Code;

use crate::support::{
    service::{Events, eventually},
    stage::{CHANNEL, Stage},
};

const REQUEST: &str = "6f1f6f0e-6c1c-4f0e-9a55-0d1c0a5b7a01";

/// The vendor's words for what happens until Maria has greeted, in order.
const GREETED: [&str; 8] = [
    "CONVERSATION_UPDATE",
    "CONVERSATION_UPDATE",
    "QUEUED",
    "CONVERSATION_UPDATE",
    "MEMBERS_CHANGED",
    "ACTIVITY",
    "MESSAGE",
    "ACTIVITY",
];

struct Scene {
    stage: Stage,
    events: Events,
}

impl Scene {
    async fn start(settings: &[(&str, &str)]) -> Self {
        let stage = Stage::start(Pace::instant(), settings).await;
        let events = stage.service.events(AgentEventsRequest::default()).await;
        Self { stage, events }
    }

    async fn fault(&self, plan: Value) {
        self.stage.control("POST", "/faults", Some(plan)).await;
    }

    async fn calm(&self) {
        self.stage.control("DELETE", "/faults", None).await;
    }

    async fn create(&self) -> String {
        let request = CreateConversationRequest {
            channel_id: CHANNEL.to_owned(),
            user: Some(User {
                name: "Anna".to_owned(),
                ..User::default()
            }),
            ..CreateConversationRequest::default()
        };
        let answer = self.stage.conversations().create_conversation(request).await;
        answer.unwrap().into_inner().conversation_id
    }

    async fn send(&self, id: &str, text: &str, request_id: &str) -> Result<(), tonic::Status> {
        let request = SendMessageRequest {
            request_id: request_id.to_owned(),
            conversation_id: id.to_owned(),
            message: Some(MessageInput {
                author_type: AuthorType::User.into(),
                text: text.to_owned(),
                ..MessageInput::default()
            }),
            ..SendMessageRequest::default()
        };
        self.stage.conversations().send_message(request).await.map(drop)
    }

    /// The next `count` events, each of which must come once and be numbered without a hole.
    async fn take(&mut self, from: u64, count: usize) -> Vec<AgentEvent> {
        let mut all: Vec<AgentEvent> = Vec::new();
        for sequence in (from..).take(count) {
            let mut next = self.events.event().await;
            while next.conversation_id.is_empty() {
                // That the webhook was verified.
                next = self.events.event().await;
            }
            assert_eq!(next.sequence, sequence, "{next:?}");
            assert!(
                all.iter().all(|it| it.event_id != next.event_id),
                "{next:?} came twice"
            );
            all.push(next);
        }
        all
    }

    async fn greeted(&mut self) -> String {
        let id = self.create().await;
        let events = self.take(1, GREETED.len()).await;
        assert_eq!(kinds(&events), GREETED);
        id
    }

    /// The webhooks in the sandbox's log for which `is_it` holds.
    async fn delivered(&self, is_it: impl Fn(&Value) -> bool) -> Vec<Value> {
        let log = self.stage.control("GET", "/deliveries", None).await;
        let all = log["deliveries"].as_array().unwrap().iter();
        all.filter(|it| is_it(it)).cloned().collect()
    }

    /// The maria who still answers, and nothing in between.
    async fn goes_on(&mut self, id: &str, from: u64) {
        self.send(id, "Still there?", "").await.unwrap();
        let events = self.take(from, 3).await;
        assert_eq!(kinds(&events), ["ACTIVITY", "MESSAGE", "ACTIVITY"]);
        assert!(text(&events[1]).contains("Still there?"));
    }
}

fn kinds(events: &[AgentEvent]) -> Vec<&str> {
    events.iter().map(|it| it.vendor_event_type.as_str()).collect()
}

fn text(event: &AgentEvent) -> &str {
    match &event.body {
        Some(Body::Message(message)) => &message.text,
        other => panic!("no message: {other:?}"),
    }
}

#[tokio::test]
async fn duplicates_are_told_once() {
    let mut scene = Scene::start(&[]).await;
    scene.fault(json!({"kind": "duplicate", "copies": 3})).await;
    let id = scene.greeted().await;
    scene.goes_on(&id, 9).await;
    let marked = scene.delivered(|it| it["fault"] == "duplicate").await;
    assert!(marked.len() >= 11, "they were sent: {marked:?}");
}

#[tokio::test]
async fn what_is_late_is_told_late_and_nothing_is_lost() {
    let mut scene = Scene::start(&[]).await;
    scene
        .fault(json!({"kind": "delay", "ms": 300, "eventType": "QUEUED"}))
        .await;
    let id = scene.greeted().await;
    scene.goes_on(&id, 9).await;
    let marked = scene.delivered(|it| it["fault"] == "delay").await;
    assert_eq!(marked.len(), 1);
}

#[tokio::test]
async fn what_comes_out_of_order_is_told_as_it_came_and_the_state_is_right() {
    let mut scene = Scene::start(&[]).await;
    // The QUEUED comes behind the update that names the agent.
    scene
        .fault(json!({"kind": "reorder", "eventType": "QUEUED"}))
        .await;
    let id = scene.create().await;
    let events = scene.take(1, 8).await;
    assert_eq!(
        kinds(&events)[..5],
        [
            "CONVERSATION_UPDATE",
            "CONVERSATION_UPDATE",
            "CONVERSATION_UPDATE",
            "QUEUED",
            "MEMBERS_CHANGED"
        ]
    );
    let request = GetSessionRequest {
        conversation_id: id.clone(),
        ..GetSessionRequest::default()
    };
    let session = scene.stage.service.sessions().await.get_session(request).await;
    let session = session.unwrap().into_inner().session.unwrap();
    assert_eq!(
        (session.state(), session.agent_id.as_str()),
        (SessionState::WithAgent, "maria")
    );
    scene.goes_on(&id, 9).await;
}

#[rstest]
#[case("body", 401)]
#[case("key", 401)]
#[case("kid", 401)]
#[case("stale", 401)]
#[case("tenant", 403)]
#[tokio::test]
async fn forgeries_are_refused_and_the_true_events_told(#[case] forgery: &str, #[case] status: u16) {
    let mut scene = Scene::start(&[]).await;
    scene
        .fault(json!({"kind": "forge", "forgery": forgery, "eventType": "MESSAGE"}))
        .await;
    let id = scene.greeted().await;
    scene.goes_on(&id, 9).await;
    let name = format!("forged {forgery}");
    let forged = scene.delivered(|it| it["fault"] == json!(name)).await;
    assert_eq!(forged.len(), 2);
    assert!(forged.iter().all(|it| it["status"] == status), "{forged:?}");
}

#[tokio::test]
async fn where_a_webhook_never_comes_8x8_is_asked_what_happened() {
    let mut scene = Scene::start(&[("settle_after_ms", "200")]).await;
    let id = scene.greeted().await;
    // The last one says that it is idle.
    scene
        .fault(json!({"kind": "drop", "eventType": "CONVERSATION_UPDATE"}))
        .await;
    scene.send(&id, "bye", "").await.unwrap();
    let events = scene.take(9, 5).await;
    let last = events.last().unwrap();
    assert_eq!(
        (last.synthetic, last.state()),
        (true, SessionState::Idle),
        "{last:?}"
    );
    let withheld = scene.delivered(|it| it["outcome"] == "withheld").await;
    assert_eq!(withheld.len(), 1);
}

#[rstest]
#[tokio::test]
async fn a_new_key_is_fetched(#[values(true, false)] keep_old: bool) {
    let mut scene = Scene::start(&[]).await;
    let id = scene.greeted().await;
    scene
        .fault(json!({"kind": "rotateKey", "keepOld": keep_old}))
        .await;
    scene.goes_on(&id, 9).await;
    scene
        .fault(json!({"kind": "rotateKey", "keepOld": keep_old}))
        .await;
    scene.goes_on(&id, 12).await;
}

#[tokio::test]
async fn latency_is_waited_for_up_to_the_time_that_a_call_has() {
    let mut scene = Scene::start(&[("gateway_timeout_ms", "700")]).await;
    let id = scene.greeted().await;
    scene
        .fault(json!({"kind": "latency", "ms": 200, "path": "/messages", "times": 1}))
        .await;
    scene.goes_on(&id, 9).await;
    scene
        .fault(json!({"kind": "latency", "ms": 3000, "path": "/messages", "times": 1}))
        .await;
    let late = scene.send(&id, "Late", "").await.unwrap_err();
    assert_eq!(late.code(), Code::Unknown, "it may have happened: {late}");
    scene.calm().await;
}

#[tokio::test]
async fn a_refusal_is_told_and_the_next_call_goes_through() {
    let mut scene = Scene::start(&[]).await;
    let id = scene.greeted().await;
    scene
        .fault(json!({"kind": "status", "status": 503, "method": "POST", "path": "/messages", "times": 1}))
        .await;
    let refused = scene.send(&id, "Refused", "").await.unwrap_err();
    assert_eq!(
        refused.code(),
        Code::Unknown,
        "a 5xx may come after the fact: {refused}"
    );
    scene
        .fault(json!({"kind": "status", "status": 409, "method": "POST", "path": "/messages", "times": 1}))
        .await;
    let refused = scene.send(&id, "Refused", "").await.unwrap_err();
    assert_eq!(refused.code(), Code::Aborted, "{refused}");
    scene.goes_on(&id, 9).await;
}

#[tokio::test]
async fn a_pause_that_8x8_asks_for_is_kept() {
    let mut scene = Scene::start(&[]).await;
    let id = scene.greeted().await;
    scene
        .fault(
            json!({"kind": "status", "status": 429, "retryAfterSeconds": 1, "path": "/messages", "times": 1}),
        )
        .await;
    let begun = std::time::Instant::now();
    scene.goes_on(&id, 9).await;
    assert!(
        begun.elapsed() >= Duration::from_millis(900),
        "{:?}",
        begun.elapsed()
    );
    let refused = scene.delivered(|it| it["fault"] == "status").await;
    assert_eq!((refused.len(), &refused[0]["status"]), (1, &json!(429)));
}

#[tokio::test]
async fn a_call_whose_answer_is_lost_is_found_and_not_repeated() {
    let mut scene = Scene::start(&[]).await;
    let id = scene.greeted().await;
    scene
        .fault(json!({"kind": "lostAnswer", "method": "POST", "path": "/messages", "times": 1}))
        .await;
    let lost = scene.send(&id, "Only once", REQUEST).await.unwrap_err();
    assert_eq!(lost.code(), Code::Unknown, "{lost}");
    eventually("it is found", async || {
        scene.send(&id, "Only once", REQUEST).await.ok()
    })
    .await;
    let events = scene.take(9, 3).await;
    assert!(text(&events[1]).contains("Only once"));
    scene.goes_on(&id, 12).await;
    let messages = scene
        .stage
        .upstream(&format!("/conversations/{id}/messages"))
        .await;
    let said = messages["_embedded"]["messages"].as_array().unwrap();
    assert_eq!(said.iter().filter(|it| it["text"] == "Only once").count(), 1);
    let lost = scene.delivered(|it| it["fault"] == "lostAnswer").await;
    assert_eq!((lost.len(), lost[0].get("status")), (1, None));
}

#[tokio::test]
async fn a_conversation_waits_for_an_agent_who_never_accepts_and_is_taken_when_they_do() {
    let mut scene = Scene::start(&[]).await;
    scene
        .fault(json!({"kind": "neverAccepts", "agent": "maria"}))
        .await;
    let id = scene.create().await;
    let events = scene.take(1, 3).await;
    assert_eq!(events[2].state(), SessionState::Queued);
    let seen = scene
        .stage
        .control("GET", &format!("/conversations/{id}"), None)
        .await;
    assert_eq!(seen["offer"]["agentId"], "maria");
    scene.calm().await;
    let events = scene.take(4, 5).await;
    assert_eq!(kinds(&events), GREETED[3..]);
    scene.goes_on(&id, 9).await;
}
