use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use axum::{Json, Router, extract::Path, http::StatusCode, routing::post};
use tokio::{net::TcpListener, sync::mpsc::UnboundedSender};

use super::*;
use crate::{
    cli::connect::fake::{Asked, Fake, Script, Then, agent_event, becomes, heartbeat, member, queued, says},
    grpc::proto::{
        AgentEventsResponse, AuthorType, ConversationState, MemberChange, SendMessageRequest, Transferred,
        Typing, agent_event::Body, agent_events_response::Payload,
    },
};

const RETAIL: &str = "c-1";
const WIDGET: &str = "w-1";

/// What becomes of an event on its way to the stream over all conversations.
type Fault = fn(AgentEvent) -> Vec<AgentEvent>;

/// A contact centre of a few lines, in place of service and sandbox.
struct World {
    all: UnboundedSender<AgentEventsResponse>,
    own: UnboundedSender<AgentEventsResponse>,
    last: Mutex<HashMap<&'static str, u64>>,
    fault: Fault,
}

impl World {
    fn happen(&self, conversation: &'static str, bodies: impl IntoIterator<Item = Body>) {
        for body in bodies {
            self.tell(conversation, body, "");
        }
    }

    fn tell(&self, conversation: &'static str, body: Body, request_id: &str) {
        let mut last = self.last.lock().unwrap();
        let sequence = last.entry(conversation).or_default();
        *sequence += 1;
        let mut event = agent_event(conversation, *sequence, body);
        (event.request_id, event.echo) = (request_id.to_owned(), !request_id.is_empty());
        let response = |event| AgentEventsResponse {
            share: 0,
            cursor: "c".into(),
            payload: Some(Payload::Event(event)),
        };
        if conversation == RETAIL {
            self.own.send(response(event.clone())).unwrap();
        }
        for event in (self.fault)(event) {
            self.all.send(response(event)).unwrap();
        }
    }

    fn asked(&self, asked: &Asked) {
        match asked {
            Asked::Created(_) => self.happen(
                RETAIL,
                [
                    vec![becomes(ConversationState::Created)],
                    comes("maria", "Orders"),
                ]
                .concat(),
            ),
            Asked::Sent(sent) if sent.conversation_id == RETAIL => self.happen(RETAIL, passed_on()),
            Asked::Sent(sent) => self.bot_wrote(sent),
            Asked::Updated(_) => self.happen(WIDGET, comes("maria", "Orders")),
            Asked::Ended => {
                let ended = if self.last.lock().unwrap().contains_key(WIDGET) {
                    WIDGET
                } else {
                    RETAIL
                };
                self.happen(
                    ended,
                    [
                        member("ivan", MemberChange::Left),
                        becomes(ConversationState::Idle),
                    ],
                );
            }
            Asked::Typed => {}
        }
    }

    fn bot_wrote(&self, sent: &SendMessageRequest) {
        let text = &sent.message.as_ref().unwrap().text;
        self.tell(WIDGET, says("bot", AuthorType::Bot, text), &sent.request_id);
    }
}

/// A queue, and the agent who comes, types and greets.
fn comes(agent: &str, queue: &str) -> Vec<Body> {
    vec![
        becomes(ConversationState::Active),
        queued(queue),
        becomes(ConversationState::Active),
        member(agent, MemberChange::Joined),
        Body::Typing(Typing {
            participant_ids: vec![agent.to_owned()],
        }),
        says(agent, AuthorType::Agent, "Hello"),
        Body::Typing(Typing::default()),
    ]
}

fn passed_on() -> Vec<Body> {
    let leaves = [
        says("maria", AuthorType::Agent, "I pass you on."),
        Body::Transferred(Transferred {}),
        member("maria", MemberChange::Left),
    ];
    leaves.into_iter().chain(comes("ivan", "Returns")).collect()
}

async fn widget_server(world: Arc<World>) -> Url {
    let began = Arc::clone(&world);
    let router = Router::new()
        .route(
            "/sandbox/v1/widget/conversations",
            post(async move |Json(body): Json<serde_json::Value>| {
                began.happen(
                    WIDGET,
                    [says("user", AuthorType::User, body["text"].as_str().unwrap())],
                );
                (
                    StatusCode::CREATED,
                    Json(serde_json::json!({"conversationId": WIDGET})),
                )
            }),
        )
        .route(
            "/sandbox/v1/widget/conversations/{id}/messages",
            post(
                async move |Path(id): Path<String>, Json(body): Json<serde_json::Value>| {
                    assert_eq!(id, WIDGET);
                    world.happen(
                        WIDGET,
                        [says("user", AuthorType::User, body["text"].as_str().unwrap())],
                    );
                    StatusCode::ACCEPTED
                },
            ),
        );
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    url.parse().unwrap()
}

/// Plays with this fault in the stream over all conversations: what was printed, and how it ended.
async fn played(fault: Fault) -> (String, Result<(), String>) {
    let (all, to_all) = tokio::sync::mpsc::unbounded_channel();
    let (own, to_own) = tokio::sync::mpsc::unbounded_channel();
    let world = Arc::new(World {
        all,
        own,
        last: Mutex::default(),
        fault,
    });
    let asked = Arc::clone(&world);
    let fake = Fake::new(vec![
        Script::new(vec![heartbeat("h")], Then::Feeds(to_all)),
        Script::new(vec![heartbeat("h")], Then::Feeds(to_own)),
    ])
    .on_call(move |call| {
        asked.asked(call);
        Ok(())
    });
    let (url, _server) = fake.serve().await;
    let widget = widget_server(world).await;
    let mut out = Vec::new();
    let ended = play(&url, &widget, Duration::from_secs(1), Style::PLAIN, &mut out).await;
    (
        String::from_utf8(out).unwrap(),
        ended.map_err(|error| error.to_string()),
    )
}

#[tokio::test]
async fn both_journeys_are_played_and_told() {
    let (out, ended) = played(|event| vec![event]).await;
    ended.unwrap();
    for told in [
        "✓ #3  queued in Orders (100)",
        "→ the customer answers: I would like to return it",
        "✓ #10 transferred to another queue",
        "→ the bot hands over to queue 100",
        "2 conversations, 32 events, in order, ",
    ] {
        assert!(out.contains(told), "{told}\n{out}");
    }
}

#[tokio::test]
async fn an_event_that_the_bots_stream_leaves_out_is_a_failure() {
    let (_, ended) = played(|event| match event.event_id.as_str() {
        "c-1-5" => Vec::new(),
        _ => vec![event],
    })
    .await;
    let problem = ended.unwrap_err();
    assert!(
        problem.starts_with("sequence 5 was expected, and 6 came"),
        "{problem}"
    );
}

#[tokio::test]
async fn an_event_that_comes_twice_is_a_failure() {
    let (_, ended) = played(|event| match event.event_id.as_str() {
        "w-1-4" => vec![event.clone(), event],
        _ => vec![event],
    })
    .await;
    let problem = ended.unwrap_err();
    assert!(
        problem.starts_with("widget journey: event w-1-4 came twice"),
        "{problem}"
    );
}

#[tokio::test]
async fn an_echo_without_its_request_id_is_a_failure() {
    let (out, ended) = played(|mut event| {
        event.request_id.clear();
        vec![event]
    })
    .await;
    assert!(
        ended.unwrap_err().starts_with(
            "widget journey: expected: the bot's answer is echoed under its request_id; what came instead: bot (echo): It does"
        ),
        "{out}"
    );
}

#[tokio::test]
async fn silence_is_a_failure_that_says_what_was_awaited_and_what_came() {
    let (_, ended) = played(|event| match (event.conversation_id.as_str(), event.sequence) {
        (WIDGET, 5..) => Vec::new(),
        _ => vec![event],
    })
    .await;
    assert_eq!(
        ended.unwrap_err(),
        "widget journey: expected: it waits in Orders; what came instead within 1 s: conversation active"
    );
}

#[tokio::test]
async fn a_widget_that_does_not_answer_is_a_failure() {
    let fake = Fake::new(Vec::new());
    let (url, _server) = fake.serve().await;
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody: Url = format!("http://{}", free.local_addr().unwrap()).parse().unwrap();
    drop(free);
    let mut out = Vec::new();
    let mut stage = Stage::new(&url, nobody, Duration::from_secs(1), Style::PLAIN, &mut out)
        .await
        .unwrap();
    let error = stage.create_in_widget().await.unwrap_err().to_string();
    assert!(
        error.starts_with("the sandbox's widget did not take a message"),
        "{error}"
    );
}
