//! The live feed.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::{
    agents::{sign_in, sit},
    world::World,
};

const PATIENCE: Duration = Duration::from_secs(20);

/// A reader of server-sent events.
struct Reader {
    answer: reqwest::Response,
    text: String,
}

#[derive(Debug)]
struct Shown {
    id: u64,
    kind: String,
    data: Value,
}

impl Reader {
    async fn open(world: &World, last: Option<u64>) -> Self {
        let mut request = world.request(Method::GET, "/sandbox/v1/feed");
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let answer = request.send().await.unwrap();
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        let mut it = Self {
            answer,
            text: String::new(),
        };
        assert_eq!(it.next().await.kind, "hello");
        it
    }

    async fn next(&mut self) -> Shown {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| {
                    let lines = event.lines();
                    let found = lines.filter_map(|line| line.strip_prefix(name)).next();
                    found.unwrap_or_default().trim().to_owned()
                };
                let shown = Shown {
                    id: field("id:").parse().unwrap_or_default(),
                    kind: field("event:"),
                    data: serde_json::from_str(&field("data:")).unwrap_or_default(),
                };
                let is_comment = event.starts_with(':');
                self.text = rest.to_owned();
                if !is_comment {
                    return shown;
                }
                continue;
            }
            let more = tokio::time::timeout(PATIENCE, self.answer.chunk()).await;
            let more = more
                .expect("more of the feed")
                .unwrap()
                .expect("the feed goes on");
            self.text.push_str(std::str::from_utf8(&more).unwrap());
        }
    }

    async fn until(&mut self, is_it: impl Fn(&Shown) -> bool) -> Shown {
        loop {
            let next = self.next().await;
            if is_it(&next) {
                return next;
            }
        }
    }
}

#[tokio::test]
async fn everything_is_shown_as_it_happens() {
    let world = World::start().await;
    let mut feed = Reader::open(&world, None).await;
    sign_in(&world, "maria").await;
    let agent = feed.until(|it| it.kind == "agent").await;
    assert_eq!(
        (&agent.data["id"], &agent.data["signedIn"]),
        (&json!("maria"), &json!(true))
    );
    let id = world.create(json!({})).await;
    let call = feed
        .until(|it| it.kind == "delivery" && it.data["direction"] == "in")
        .await;
    assert_eq!(call.data["path"], "/chat-gateway/v1/conversations");
    feed.until(|it| it.kind == "event" && it.data["eventType"] == "QUEUED")
        .await;
    let offer = feed.until(|it| it.kind == "offer").await;
    assert_eq!(
        (
            &offer.data["conversationId"],
            &offer.data["agentId"],
            &offer.data["state"]
        ),
        (&json!(id), &json!("maria"), &json!("offered"))
    );
    let shown = feed.until(|it| it.kind == "conversation").await;
    assert_eq!(shown.data["offer"]["agentId"], "maria");

    sit(&world, "maria", &id, json!({"action": "accept"}), 202).await;
    feed.until(|it| it.kind == "offer" && it.data["state"] == "accepted")
        .await;
    let path = format!("/conversations/{id}/typing");
    let typing = json!({"authorType": "user"});
    world.rest(Method::POST, &path, Some(&typing)).await;
    feed.until(|it| it.kind == "conversation").await;
    let delivered = feed
        .until(|it| it.kind == "delivery" && it.data["outcome"] == "delivered")
        .await;
    let event = delivered.data["eventId"].as_str().unwrap();
    let shown = world
        .control(Method::GET, &format!("/deliveries/{event}"), None, 200)
        .await;
    let body: Value = serde_json::from_str(shown["body"].as_str().unwrap()).unwrap();
    assert_eq!(body["eventType"], shown["eventType"]);
}

#[tokio::test]
async fn a_reader_who_comes_back_misses_nothing() {
    let world = World::start().await;
    let mut feed = Reader::open(&world, None).await;
    sign_in(&world, "maria").await;
    let first = feed.next().await;
    drop(feed);
    sign_in(&world, "ivan").await;
    let mut again = Reader::open(&world, Some(first.id)).await;
    let next = again.next().await;
    assert_eq!(next.id, first.id + 1);
    again
        .until(|it| it.kind == "agent" && it.data["id"] == "ivan")
        .await;
    let wrong = world
        .request(Method::GET, "/sandbox/v1/feed")
        .header("last-event-id", "x");
    assert_eq!(wrong.send().await.unwrap().status(), 400);
}
