//! A vendor that loses requests and answers, and acts when it likes. It notes whose doing each thing is.

use std::{
    collections::{BTreeMap, HashMap},
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::get,
};
use chatbridge::{
    conversation::SessionChange,
    event::{ConversationKey, TenantId},
    store::{Store, memory::MemoryStore},
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, time::sleep};

/// What becomes of a POST.
#[derive(Debug, Clone, Copy)]
pub(super) enum Mode {
    Accept,
    /// It is done, and answered after this many milliseconds.
    Slow(u64),
    /// It is done, and the answer is lost.
    LoseAnswer,
    /// It is never done, and nobody hears that.
    LoseRequest,
    /// The answer is lost, and it is done after this many milliseconds.
    ActLate(u64),
    Refuse(u16),
}

#[derive(Default)]
struct Done {
    /// What becomes of the POSTs to come, then all are accepted.
    modes: Vec<Mode>,
    /// How often each thing was done.
    effects: HashMap<String, usize>,
    messages: BTreeMap<String, Vec<Value>>,
    files: BTreeMap<String, Vec<Value>>,
    conversations: BTreeMap<String, Value>,
    made: usize,
}

/// The vendor.
#[derive(Clone)]
pub(super) struct Late {
    done: Arc<Mutex<Done>>,
    store: Arc<MemoryStore>,
}

impl Late {
    pub(super) async fn start(store: &Arc<MemoryStore>, modes: Vec<Mode>) -> (Self, SocketAddr) {
        let done = Done {
            modes,
            ..Done::default()
        };
        let vendor = Self {
            done: Arc::new(Mutex::new(done)),
            store: Arc::clone(store),
        };
        let routes = Router::new()
            .route("/conversations", get(nothing).post(create))
            .route("/conversations/{id}", get(conversation))
            .route("/conversations/{id}/messages", get(messages).post(send))
            .route("/conversations/{id}/attachments", get(files).post(upload))
            .route("/conversations/{id}/attachments/{file}", get(file));
        let app = Router::new()
            .nest("/chat-gateway/v1", routes)
            .with_state(vendor.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        (vendor, at)
    }

    /// How often a thing was done.
    pub(super) fn effects(&self, whose: &str) -> usize {
        self.done.lock().unwrap().effects.get(whose).copied().unwrap_or(0)
    }

    /// Does something as the next mode says. Once it was received, it does not matter whether the client is still there.
    async fn act(self, act: impl FnOnce(&Self) -> Value + Send + 'static, status: StatusCode) -> Response {
        let mode = self.done.lock().unwrap().modes.pop().unwrap_or(Mode::Accept);
        let lost = StatusCode::BAD_GATEWAY.into_response();
        match mode {
            Mode::Accept => (status, Json(act(&self))).into_response(),
            Mode::Slow(ms) => {
                let answer = act(&self);
                sleep(Duration::from_millis(ms)).await;
                (status, Json(answer)).into_response()
            }
            Mode::LoseAnswer => {
                act(&self);
                lost
            }
            Mode::LoseRequest => lost,
            Mode::ActLate(ms) => {
                tokio::spawn(async move {
                    sleep(Duration::from_millis(ms)).await;
                    act(&self);
                });
                lost
            }
            Mode::Refuse(status) => StatusCode::from_u16(status).unwrap().into_response(),
        }
    }

    fn note(&self, whose: &str, what: impl FnOnce(&mut Done, usize)) {
        let mut done = self.done.lock().unwrap();
        *done.effects.entry(whose.to_owned()).or_default() += 1;
        done.made += 1;
        let n = done.made;
        what(&mut done, n);
    }
}

fn now() -> String {
    jiff::Timestamp::now().to_string()
}

fn page(name: &str, items: &[Value]) -> Json<Value> {
    let page = json!({ "totalElements": items.len(), "totalPages": 1, "size": 100, "number": 0 });
    Json(json!({ "_embedded": { name: items }, "page": page }))
}

async fn nothing() -> StatusCode {
    StatusCode::NOT_FOUND
}

async fn create(State(vendor): State<Late>, body: Bytes) -> Response {
    let body: Value = serde_json::from_slice(&body).unwrap();
    let act = move |vendor: &Late| {
        let whose = body["assignment"]["id"].as_str().unwrap();
        let mut id = String::new();
        vendor.note(whose, |done, n| {
            id = format!("conv-{n}");
            let conversation = json!({
                "id": id, "channelId": body["channelId"], "state": "created", "user": body["user"],
            });
            done.conversations.insert(id.clone(), conversation);
        });
        let (store, key) = (
            vendor.store.clone(),
            ConversationKey::new(TenantId::new("tenant"), id.as_str()),
        );
        // A webhook tells of it.
        tokio::spawn(async move {
            store
                .change_session(&key, &SessionChange::by_call())
                .await
                .unwrap();
        });
        json!({ "conversationId": id })
    };
    vendor.act(act, StatusCode::ACCEPTED).await
}

async fn conversation(State(vendor): State<Late>, Path(id): Path<String>) -> Response {
    match vendor.done.lock().unwrap().conversations.get(&id) {
        Some(conversation) => Json(conversation).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn messages(State(vendor): State<Late>, Path(id): Path<String>) -> Json<Value> {
    let mut found = vendor
        .done
        .lock()
        .unwrap()
        .messages
        .get(&id)
        .cloned()
        .unwrap_or_default();
    found.reverse();
    page("messages", &found)
}

async fn send(State(vendor): State<Late>, Path(id): Path<String>, body: Bytes) -> Response {
    let body: Value = serde_json::from_slice(&body).unwrap();
    let act = move |vendor: &Late| {
        let text = body["text"].as_str().unwrap();
        // White space at the end tells messages apart that say the same.
        vendor.note(&format!("{}", text.len() - text.trim_end().len()), |done, n| {
            let message = json!({
                "id": format!("m{n}"), "author": { "type": body["authorType"] }, "text": text,
                "createdAt": now(),
            });
            done.messages.entry(id).or_default().push(message);
        });
        Value::Null
    };
    vendor.act(act, StatusCode::ACCEPTED).await
}

async fn files(State(vendor): State<Late>, Path(id): Path<String>) -> Json<Value> {
    let found = vendor
        .done
        .lock()
        .unwrap()
        .files
        .get(&id)
        .cloned()
        .unwrap_or_default();
    page("attachments", &found)
}

async fn file(State(vendor): State<Late>, Path((id, file)): Path<(String, String)>) -> Response {
    let done = vendor.done.lock().unwrap();
    let mut found = done.files.get(&id).into_iter().flatten();
    match found.find(|f| f["id"] == file.as_str()) {
        Some(file) => Json(file).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn upload(State(vendor): State<Late>, Path(id): Path<String>, body: Bytes) -> Response {
    let act = move |vendor: &Late| {
        let body = String::from_utf8_lossy(&body).into_owned();
        let content = body.split("content-").nth(1).unwrap();
        let mut file = Value::Null;
        vendor.note(&content[..2], |done, n| {
            file = json!({
                "id": format!("f{n}"), "filename": "a.txt", "sizeInBytes": 10, "type": "text/plain",
                "createdAt": now(),
            });
            done.files.entry(id).or_default().push(file.clone());
        });
        file
    };
    vendor.act(act, StatusCode::OK).await
}
