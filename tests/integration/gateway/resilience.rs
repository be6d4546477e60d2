//! What stands between a call and its request: repeats, limits, pauses, the circuit breaker and the caller's deadline.

mod breaker;
mod deadline;
mod limits;
mod retries;

use std::{
    collections::VecDeque,
    num::NonZeroU32,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use chatbridge::gateway::{Gateway, GatewaySettings, Resilience};
use tokio::sync::Notify;
use url::Url;
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate, matchers::any};

use super::KEY;

/// All that is at hand, with no limit on anything but what a test sets.
const BASE: Resilience = Resilience {
    attempts: 3,
    rate_per_second: None,
    in_flight: 1000,
    circuit_open: Duration::ZERO,
};

fn gateway_with(base: &str, timeout: Duration, resilience: Resilience) -> Gateway {
    Gateway::new(GatewaySettings {
        base_url: Url::parse(base).unwrap(),
        api_key: KEY.to_owned().into(),
        timeout,
        connect_timeout: Duration::from_secs(10),
        transfer_timeout: Duration::from_secs(60),
        resilience,
    })
    .unwrap()
}

fn resilient(base: &str, resilience: Resilience) -> Gateway {
    gateway_with(base, Duration::from_secs(20), resilience)
}

fn per_second(rate: u32) -> Resilience {
    Resilience {
        rate_per_second: NonZeroU32::new(rate),
        ..BASE
    }
}

/// A server that answers as a script says, then goes on with its last line; and when each request came.
#[derive(Clone)]
struct Script {
    answers: Arc<Mutex<VecDeque<ResponseTemplate>>>,
    came: Arc<Mutex<Vec<Instant>>>,
    notify: Arc<Notify>,
}

impl Script {
    async fn serve(answers: impl IntoIterator<Item = ResponseTemplate>) -> (MockServer, Self) {
        let script = Self {
            answers: Arc::new(Mutex::new(answers.into_iter().collect())),
            came: Arc::default(),
            notify: Arc::default(),
        };
        let server = MockServer::start().await;
        Mock::given(any())
            .respond_with(script.clone())
            .mount(&server)
            .await;
        (server, script)
    }

    /// How many requests came.
    fn requests(&self) -> usize {
        self.came.lock().unwrap().len()
    }

    /// How long after the first one the others came.
    fn gaps(&self) -> Vec<Duration> {
        let came = self.came.lock().unwrap();
        came.windows(2).map(|two| two[1] - two[0]).collect()
    }

    /// Answers with this from now on.
    fn answer(&self, answer: ResponseTemplate) {
        *self.answers.lock().unwrap() = VecDeque::from([answer]);
    }

    /// Waits until so many requests came.
    async fn wait_for(&self, requests: usize) {
        let enough = async {
            while self.requests() < requests {
                self.notify.notified().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), enough)
            .await
            .expect("the requests come");
    }
}

impl Respond for Script {
    fn respond(&self, _: &Request) -> ResponseTemplate {
        self.came.lock().unwrap().push(Instant::now());
        self.notify.notify_one();
        let mut answers = self.answers.lock().unwrap();
        match answers.len() {
            1 => answers[0].clone(),
            _ => answers.pop_front().unwrap(),
        }
    }
}

fn status(status: u16) -> ResponseTemplate {
    ResponseTemplate::new(status)
}

/// A conversation.
fn found() -> ResponseTemplate {
    status(200).set_body_json(serde_json::json!({"id": "c1"}))
}

/// The vendor asks to come back in so many seconds.
fn asking(code: u16, seconds: u64) -> ResponseTemplate {
    status(code).insert_header("retry-after", seconds.to_string())
}
