//! Plays a recording to a service, in 8x8's place.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use aws_lc_rs::{
    rand::SystemRandom,
    rsa::{KeyPair, KeySize, PublicKeyComponents},
    signature::{KeyPair as _, RSA_PKCS1_SHA256},
};
use axum::{
    Json, Router,
    extract::{Path, Request, State},
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse as _, Response},
    routing::get,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use reqwest::Client;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use url::Url;
use uuid::Uuid;

use super::{Call, Entry, Hook, Recording};
use crate::webhook::signature::{CUSTOMER, EVENT, RETRY, SIGNATURE, TENANT, TRANSMISSION_TIME};

/// How long the service may take to answer a webhook.
const ANSWERED_WITHIN: Duration = Duration::from_secs(10);

/// Why a recording cannot be played.
#[derive(Debug, thiserror::Error)]
pub enum StageError {
    /// The key cannot be made.
    #[error("a signing key cannot be made")]
    Key,
    /// No client can be made.
    #[error("the HTTP client cannot be made: {0}")]
    Client(#[from] reqwest::Error),
}

/// How a webhook of a recording was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Played {
    /// The event's id as it is recorded.
    pub event: String,
    /// Its type.
    pub event_type: String,
    /// What the service answered; `None`: nothing.
    pub status: Option<u16>,
    /// Whether it took it, where it did when it was recorded.
    pub is_as_recorded: bool,
}

/// Stands in for 8x8, with a key of its own. Clones share it.
#[derive(Clone)]
pub struct Stage(Arc<Inner>);

struct Inner {
    key: KeyPair,
    kid: String,
    /// What event ids begin with, so that a service which has seen the recording does not take them for repeats.
    run: String,
    hooks: Vec<Hook>,
    calls: Mutex<HashMap<(String, String), Answers>>,
    http: Client,
}

/// What a call was answered, one time after the other.
#[derive(Default)]
struct Answers {
    all: Vec<Call>,
    given: usize,
}

impl Stage {
    /// One that plays this recording.
    pub fn new(recording: Recording) -> Result<Self, StageError> {
        let mut hooks = Vec::new();
        let mut calls: HashMap<(String, String), Answers> = HashMap::new();
        for entry in recording.entries {
            match entry {
                Entry::Webhook(hook) => hooks.push(hook),
                Entry::Call(call) => {
                    let of = (call.method.clone(), call.path.clone());
                    calls.entry(of).or_default().all.push(call);
                }
            }
        }
        Ok(Self(Arc::new(Inner {
            key: KeyPair::generate(KeySize::Rsa2048).map_err(|_| StageError::Key)?,
            kid: format!("replay-{}", Uuid::new_v4()),
            run: Uuid::new_v4().simple().to_string(),
            hooks,
            calls: Mutex::new(calls),
            http: Client::builder().no_proxy().timeout(ANSWERED_WITHIN).build()?,
        })))
    }

    /// The webhooks of the recording, in their order.
    pub fn webhooks(&self) -> &[Hook] {
        &self.0.hooks
    }

    /// Serves the key and the answers to calls, until `stop`.
    pub async fn serve(self, listener: TcpListener, stop: CancellationToken) -> std::io::Result<()> {
        let app = Router::new()
            .route("/chat-gateway/v1/jwk/{kid}/public", get(key))
            .fallback(answer)
            .with_state(self);
        axum::serve(listener, app)
            .with_graceful_shutdown(stop.cancelled_owned())
            .await
    }

    /// Sends one webhook, signed anew as one that is sent now.
    pub async fn play(&self, hook: &Hook, door: &Url) -> Played {
        let body = hook.body.to_string();
        let event = format!("{}-{}", self.0.run, hook.event);
        let sent_ms = Timestamp::now().as_millisecond();
        let payload = format!(
            r#"{{"checksum":{},"cid":{},"eid":{},"retry":{},"tid":{},"tt":{sent_ms}}}"#,
            crc32fast::hash(body.as_bytes()),
            Value::from(hook.customer.as_str()),
            Value::from(event.as_str()),
            hook.retry,
            Value::from(hook.tenant.as_str()),
        );
        let request = self
            .0
            .http
            .post(door.clone())
            .header(CONTENT_TYPE, "application/json")
            .header(TENANT, &hook.tenant)
            .header(CUSTOMER, &hook.customer)
            .header(EVENT, &event)
            .header(TRANSMISSION_TIME, sent_ms)
            .header(RETRY, hook.retry)
            .header(SIGNATURE, self.sign(&payload))
            .body(body);
        let answer = request.send().await;
        let status = answer.ok().map(|answer| answer.status().as_u16());
        let is_success = |status: u16| (200..300).contains(&status);
        Played {
            event: hook.event.clone(),
            event_type: hook.body["eventType"].as_str().unwrap_or_default().to_owned(),
            is_as_recorded: status.is_some_and(is_success) || !is_success(hook.status),
            status,
        }
    }

    fn sign(&self, payload: &str) -> String {
        let protected = json!({ "b64": false, "crit": ["b64"], "kid": self.0.kid, "alg": "RS256" });
        let protected = URL_SAFE_NO_PAD.encode(protected.to_string());
        let mut signature = vec![0; self.0.key.public_modulus_len()];
        let input = format!("{protected}.{payload}");
        // What cannot be signed is refused by whoever gets it, and so is told.
        let _ = self.0.key.sign(
            &RSA_PKCS1_SHA256,
            &SystemRandom::new(),
            input.as_bytes(),
            &mut signature,
        );
        format!("{protected}..{}", URL_SAFE_NO_PAD.encode(signature))
    }

    /// The next answer to a call; the last one again, where it was answered less often.
    fn next(&self, method: &str, path: &str) -> Option<Call> {
        let mut calls = self.0.calls.lock().unwrap_or_else(PoisonError::into_inner);
        let answers = calls.get_mut(&(method.to_owned(), path.to_owned()))?;
        let at = answers.given.min(answers.all.len().checked_sub(1)?);
        answers.given += 1;
        answers.all.get(at).cloned()
    }
}

async fn key(State(stage): State<Stage>, Path(kid): Path<String>) -> Response {
    if kid != stage.0.kid {
        return problem(StatusCode::NOT_FOUND, "There is no key with this id.");
    }
    let public = PublicKeyComponents::<Vec<u8>>::from(stage.0.key.public_key());
    Json(json!({
        "kty": "RSA", "kid": kid, "alg": "RS256", "use": "sig",
        "n": URL_SAFE_NO_PAD.encode(public.n), "e": URL_SAFE_NO_PAD.encode(public.e),
    }))
    .into_response()
}

async fn answer(State(stage): State<Stage>, request: Request) -> Response {
    let found = stage.next(request.method().as_str(), request.uri().path());
    let status = found
        .as_ref()
        .and_then(|call| StatusCode::from_u16(call.status).ok());
    match (found, status) {
        (Some(call), Some(status)) if call.response.is_null() => status.into_response(),
        (Some(call), Some(status)) => (status, Json(call.response)).into_response(),
        _ => problem(StatusCode::NOT_FOUND, "The recording has no such call."),
    }
}

fn problem(status: StatusCode, message: &str) -> Response {
    (status, Json(json!({ "message": message }))).into_response()
}
