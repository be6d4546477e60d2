//! A vendor that keeps what it accepts, and answers or not as it is told.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::{Value, json};
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate, matchers::any};

/// What becomes of a POST.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// It is kept and answered.
    Accept,
    /// It is kept, and the answer is lost.
    LoseAnswer,
    /// It is not kept, and nobody hears that.
    LoseRequest,
    /// It is kept, and answered after this many milliseconds.
    Slow(u64),
    /// It is refused with this status.
    Refuse(u16),
}

#[derive(Default)]
struct State {
    mode: Option<Mode>,
    /// Of what is read.
    reads_fail: bool,
    /// How long a list takes, milliseconds.
    list_ms: u64,
    lists: usize,
    posts: usize,
    /// The newest first.
    messages: Vec<Value>,
    conversations: BTreeMap<String, Value>,
}

/// The vendor.
pub(super) struct Vendor {
    server: MockServer,
    state: Arc<Mutex<State>>,
}

struct Answers(Arc<Mutex<State>>);

impl Respond for Answers {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let mut state = self.0.lock().unwrap();
        let path = request.url.path().strip_prefix("/chat-gateway/v1/").unwrap();
        let parts: Vec<&str> = path.split('/').collect();
        match (request.method.as_str(), &parts[..]) {
            ("POST", parts) => {
                let body = serde_json::from_slice(&request.body).unwrap();
                state.post(parts, &body)
            }
            _ if state.reads_fail => ResponseTemplate::new(503),
            ("GET", ["conversations", id]) => match state.conversations.get(*id) {
                Some(conversation) => ResponseTemplate::new(200).set_body_json(conversation),
                None => ResponseTemplate::new(404),
            },
            ("GET", ["conversations", _, "messages"]) => {
                let query = |name: &str| {
                    let found = request.url.query_pairs().find(|(key, _)| key == name);
                    found.map_or(0, |(_, value)| value.parse::<usize>().unwrap())
                };
                state.list(query("size"), query("page"))
            }
            other => panic!("the vendor has no {other:?}"),
        }
    }
}

impl State {
    fn post(&mut self, parts: &[&str], body: &Value) -> ResponseTemplate {
        self.posts += 1;
        let mode = self.mode.unwrap_or(Mode::Accept);
        match mode {
            Mode::Refuse(status) => return ResponseTemplate::new(status),
            Mode::LoseRequest => return ResponseTemplate::new(502),
            _ => {}
        }
        let answer = match parts {
            ["conversations"] => {
                let id = format!("conv-{}", self.posts);
                let conversation = json!({
                    "id": id, "channelId": body["channelId"], "state": "created", "user": body["user"],
                });
                self.conversations.insert(id.clone(), conversation);
                ResponseTemplate::new(202).set_body_json(json!({ "conversationId": id }))
            }
            _ => {
                let id = format!("m{}", self.messages.len());
                let author = body["authorType"].as_str().unwrap().to_owned();
                let text = body["text"].as_str().unwrap().to_owned();
                self.messages.insert(0, listed(&id, &author, &text, 0));
                ResponseTemplate::new(202)
            }
        };
        match mode {
            Mode::LoseAnswer => ResponseTemplate::new(502),
            Mode::Slow(ms) => answer.set_delay(Duration::from_millis(ms)),
            _ => answer,
        }
    }

    fn list(&mut self, size: usize, page: usize) -> ResponseTemplate {
        self.lists += 1;
        let messages: Vec<_> = self.messages.iter().skip(size * page).take(size).collect();
        let (total, pages) = (self.messages.len(), self.messages.len().div_ceil(size));
        let body = json!({
            "_embedded": { "messages": messages },
            "page": { "totalElements": total, "totalPages": pages, "size": size, "number": page },
        });
        ResponseTemplate::new(200)
            .set_body_json(body)
            .set_delay(Duration::from_millis(self.list_ms))
    }
}

fn listed(id: &str, author: &str, text: &str, age_seconds: i64) -> Value {
    let at = jiff::Timestamp::now() - jiff::SignedDuration::from_secs(age_seconds);
    json!({ "id": id, "author": { "type": author }, "text": text, "createdAt": at.to_string() })
}

impl Vendor {
    pub(super) async fn start() -> Self {
        let state = Arc::<Mutex<State>>::default();
        let server = MockServer::start().await;
        Mock::given(any())
            .respond_with(Answers(state.clone()))
            .mount(&server)
            .await;
        Self { server, state }
    }

    pub(super) fn uri(&self) -> String {
        self.server.uri()
    }

    pub(super) fn mode(&self, mode: Mode) {
        self.state.lock().unwrap().mode = Some(mode);
    }

    pub(super) fn reads_fail(&self, fail: bool) {
        self.state.lock().unwrap().reads_fail = fail;
    }

    /// Makes lists take so long that something may happen meanwhile.
    pub(super) fn list_slowly(&self) {
        self.state.lock().unwrap().list_ms = 1_500;
    }

    /// How many pages of lists were asked for.
    pub(super) fn lists(&self) -> usize {
        self.state.lock().unwrap().lists
    }

    /// How many POSTs came.
    pub(super) fn posts(&self) -> usize {
        self.state.lock().unwrap().posts
    }

    /// How many conversations there are.
    pub(super) fn conversations(&self) -> usize {
        self.state.lock().unwrap().conversations.len()
    }

    /// Puts a conversation there that nobody created through us, or that is as `change` says.
    pub(super) fn has_conversation(&self, id: &str, change: impl FnOnce(&mut Value)) {
        let mut conversation = json!({
            "id": id, "channelId": "channel", "state": "active", "user": { "userId": "u" },
        });
        change(&mut conversation);
        let mut state = self.state.lock().unwrap();
        state.conversations.insert(id.to_owned(), conversation);
    }

    /// From now on no message says when it was made.
    pub(super) fn forget_times(&self) {
        for message in &mut self.state.lock().unwrap().messages {
            message.as_object_mut().unwrap().remove("createdAt");
        }
    }

    pub(super) fn forget_conversation(&self, id: &str) {
        self.state.lock().unwrap().conversations.remove(id);
    }

    /// Puts a message there that did not come through us.
    pub(super) fn has_message(&self, author: &str, text: &str, age_seconds: i64) {
        let mut state = self.state.lock().unwrap();
        let id = format!("foreign-{}", state.messages.len());
        let at = state.messages.len();
        let at = if age_seconds == 0 { 0 } else { at };
        state.messages.insert(at, listed(&id, author, text, age_seconds));
    }
}
