//! A receiver of v2's webhooks: answers as it is told, keeps what it got, and checks signatures as a client of v2 does.

use std::sync::{Arc, Mutex, PoisonError};

use axum::{
    Router,
    extract::State,
    http::{HeaderMap, StatusCode, Uri},
    response::{IntoResponse as _, Response},
    routing::any,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use serde_json::Value;
use tokio::net::TcpListener;

use super::{Facade, checked, schemas};
use crate::support::service::eventually;

/// A request as it came.
#[derive(Clone, Debug)]
pub(super) struct Received {
    pub(super) path: String,
    pub(super) headers: HeaderMap,
    pub(super) raw: Bytes,
    pub(super) body: Value,
}

impl Received {
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }

    pub(super) fn event_id(&self) -> &str {
        self.header("x-8x8-event-id")
    }

    pub(super) fn retry(&self) -> u32 {
        self.header("x-8x8-retry").parse().unwrap()
    }

    pub(super) fn is_of(&self, conversation: &str) -> bool {
        self.body["conversationId"] == conversation
    }

    /// What an agent said; the kind of any other event.
    pub(super) fn says(&self) -> &str {
        let text = self.body["message"].as_str();
        text.or_else(|| self.body["eventType"].as_str()).unwrap()
    }
}

/// How a request is answered.
pub(super) enum Reply {
    Status(u16),
    With(u16, &'static str, &'static str),
    Never,
}

type Rule = Box<dyn FnMut(&Received) -> Reply + Send>;

#[derive(Clone)]
pub(super) struct Receiver {
    pub(super) uri: String,
    seen: Arc<Mutex<Vec<Received>>>,
    rule: Arc<Mutex<Rule>>,
}

fn lock<T>(it: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    it.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Receiver {
    /// One that takes everything.
    pub(super) async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self::at(listener)
    }

    pub(super) fn at(listener: TcpListener) -> Self {
        let receiver = Self {
            uri: format!("http://{}/hook", listener.local_addr().unwrap()),
            seen: Arc::default(),
            rule: Arc::new(Mutex::new(Box::new(|_| Reply::Status(200)))),
        };
        let app = Router::new().fallback(any(receive)).with_state(receiver.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        receiver
    }

    /// Answers otherwise from now on.
    pub(super) fn rule(&self, rule: impl FnMut(&Received) -> Reply + Send + 'static) {
        *lock(&self.rule) = Box::new(rule);
    }

    pub(super) fn seen(&self) -> Vec<Received> {
        lock(&self.seen).clone()
    }

    /// Waits until what came is as wanted.
    pub(super) async fn until(&self, what: &str, wanted: impl Fn(&[Received]) -> bool) -> Vec<Received> {
        eventually(what, async || Some(self.seen()).filter(|seen| wanted(seen))).await
    }

    /// Waits until this came first of a conversation, each event counted once, when it first came.
    pub(super) async fn until_says(&self, conversation: &str, expected: &[&str]) {
        let what = format!("{expected:?} of {conversation}");
        let said = |seen: &[Received]| {
            let mut ids = std::collections::HashSet::new();
            let of = seen.iter().filter(|it| it.is_of(conversation));
            let new = of.filter(|it| ids.insert(it.event_id().to_owned()));
            new.map(|it| it.says().to_owned()).collect::<Vec<_>>()
        };
        let seen = self.until(&what, |seen| said(seen).len() >= expected.len()).await;
        assert_eq!(said(&seen)[..expected.len()], *expected, "{what}");
    }
}

async fn receive(State(receiver): State<Receiver>, uri: Uri, headers: HeaderMap, raw: Bytes) -> Response {
    let received = Received {
        path: uri.path().to_owned(),
        headers,
        body: serde_json::from_slice(&raw).unwrap_or_default(),
        raw,
    };
    let reply = lock(&receiver.rule)(&received);
    lock(&receiver.seen).push(received);
    match reply {
        Reply::Status(status) => StatusCode::from_u16(status).unwrap().into_response(),
        Reply::With(status, name, value) => {
            (StatusCode::from_u16(status).unwrap(), [(name, value)], "").into_response()
        }
        Reply::Never => std::future::pending().await,
    }
}

/// Checks a signature as a receiver of v2 does: the key by the signature's own name for it, then the parts that are signed. What
/// is wrong, if anything.
pub(super) async fn check_signature(facade: &Facade, received: &Received) -> Result<(), String> {
    let signature = received.header("x-8x8-signature").to_owned();
    let [protected, payload, mac] = signature.split('.').collect::<Vec<_>>()[..] else {
        return Err(format!("{signature} has not three parts"));
    };
    if !payload.is_empty() {
        return Err("it is not detached".into());
    }
    let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).unwrap();
    let header: Value = serde_json::from_slice(&decode(protected)).unwrap();
    let kid = header["kid"].as_str().unwrap();
    let keys = format!("{}/vcc/us/chat/v2/jwk/{kid}/public", facade.base);
    let jwk = checked(facade.http.get(keys).send().await.unwrap(), 200, schemas::jwk).await;
    let key = aws_lc_rs::signature::RsaPublicKeyComponents {
        n: decode(jwk["n"].as_str().unwrap()),
        e: decode(jwk["e"].as_str().unwrap()),
    };
    let signed = format!(
        r#"{protected}.{{"checksum":{},"cid":"{}","eid":"{}","retry":{},"tid":"{}","tt":{}}}"#,
        crc32fast::hash(&received.raw),
        received.header("x-8x8-customer-id"),
        received.event_id(),
        received.retry(),
        received.header("x-8x8-tenant-id"),
        received.header("x-8x8-transmission-time"),
    );
    let scheme = &aws_lc_rs::signature::RSA_PKCS1_2048_8192_SHA256;
    key.verify(scheme, signed.as_bytes(), &decode(mac))
        .map_err(|_| "the signature does not fit".into())
}
