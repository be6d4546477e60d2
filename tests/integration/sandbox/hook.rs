//! A receiver of webhooks.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Router, body::Bytes, extract::State, http::HeaderMap, http::StatusCode, routing::post};
use serde_json::Value;
use tokio::{net::TcpListener, sync::watch};
use tokio_util::sync::CancellationToken;

const PATIENCE: Duration = Duration::from_secs(20);

/// A webhook as it came in.
#[derive(Debug, Clone)]
pub(super) struct Delivery {
    pub(super) headers: HeaderMap,
    pub(super) raw: Bytes,
    pub(super) body: Value,
    /// What the receiver answered.
    pub(super) answer: u16,
}

impl Delivery {
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .unwrap_or_else(|| panic!("no header {name}"))
            .to_str()
            .unwrap()
    }

    pub(super) fn event_id(&self) -> &str {
        self.header("x-8x8-event-id")
    }

    pub(super) fn retry(&self) -> u32 {
        self.header("x-8x8-retry").parse().unwrap()
    }

    pub(super) fn conversation(&self) -> Option<&str> {
        self.body["conversationId"].as_str()
    }

    /// The event in a few words.
    pub(super) fn gist(&self) -> String {
        let data = &self.body["data"];
        let word = |value: &Value| value.as_str().unwrap_or("-").to_owned();
        let kind = self.body["eventType"].as_str().unwrap();
        match kind {
            "CONVERSATION_UPDATE" => {
                let assignment = &data["assignment"];
                format!(
                    "{} {} {}",
                    word(&data["state"]),
                    word(&assignment["type"]),
                    word(&assignment["id"])
                )
            }
            "QUEUED" => format!("QUEUED {} {}", word(&data["queueId"]), word(&data["queueName"])),
            "MEMBERS_CHANGED" => {
                format!(
                    "{} {} {}",
                    word(&data["memberType"]),
                    word(&data["id"]),
                    word(&data["change"])
                )
            }
            "MESSAGE" => {
                let echo = if data["isEcho"].as_bool().unwrap() {
                    " (echo)"
                } else {
                    ""
                };
                format!("{}{echo}: {}", word(&data["sender"]["id"]), word(&data["text"]))
            }
            "ACTIVITY" => format!("{} {}", word(&data["name"]), data["value"]["users"]),
            other => other.to_owned(),
        }
    }
}

/// How the receiver answers; 200 when it runs out.
type Answers = Box<dyn Fn(&Delivery) -> u16 + Send + Sync>;

struct Receiver {
    got: watch::Sender<Vec<Delivery>>,
    answer: Mutex<Answers>,
}

/// A receiver of webhooks over real HTTP.
pub(super) struct Hook {
    pub(super) url: String,
    receiver: Arc<Receiver>,
}

impl Hook {
    pub(super) async fn start(
        answer: impl Fn(&Delivery) -> u16 + Send + Sync + 'static,
        stop: CancellationToken,
    ) -> Self {
        let receiver = Arc::new(Receiver {
            got: watch::Sender::new(Vec::new()),
            answer: Mutex::new(Box::new(answer)),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let app = Router::new()
            .route("/hook", post(take))
            .with_state(Arc::clone(&receiver));
        tokio::spawn(async move {
            let served = axum::serve(listener, app);
            tokio::select! {
                () = stop.cancelled() => {}
                served = served.into_future() => served.unwrap(),
            }
        });
        Self { url, receiver }
    }

    pub(super) fn answer_with(&self, answer: impl Fn(&Delivery) -> u16 + Send + Sync + 'static) {
        *self.receiver.answer.lock().unwrap() = Box::new(answer);
    }

    /// What came in so far, refused deliveries included.
    pub(super) fn all(&self) -> Vec<Delivery> {
        self.receiver.got.borrow().clone()
    }

    /// What came in, in a few words.
    pub(super) fn gists(&self) -> Vec<String> {
        self.all().iter().map(Delivery::gist).collect()
    }

    /// Waits until `enough` holds of all that came in.
    pub(super) async fn until(&self, what: &str, enough: impl Fn(&[Delivery]) -> bool) {
        let mut got = self.receiver.got.subscribe();
        let happened = tokio::time::timeout(PATIENCE, got.wait_for(|all| enough(all)))
            .await
            .is_ok();
        assert!(happened, "never happened: {what}; what did: {:#?}", self.gists());
    }
}

async fn take(State(receiver): State<Arc<Receiver>>, headers: HeaderMap, raw: Bytes) -> StatusCode {
    let mut delivery = Delivery {
        body: serde_json::from_slice(&raw).unwrap(),
        headers,
        raw,
        answer: 0,
    };
    delivery.answer = (receiver.answer.lock().unwrap())(&delivery);
    let status = StatusCode::from_u16(delivery.answer).unwrap();
    receiver.got.send_modify(|all| all.push(delivery));
    status
}

/// Answers in this order, then 200.
pub(super) fn in_turn(statuses: &[u16]) -> impl Fn(&Delivery) -> u16 + Send + Sync + 'static {
    let left = Mutex::new(statuses.iter().copied().collect::<VecDeque<u16>>());
    move |_| left.lock().unwrap().pop_front().unwrap_or(200)
}
