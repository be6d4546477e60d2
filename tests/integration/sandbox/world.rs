//! A sandbox over real HTTP, with a receiver of its webhooks, whose signatures it checks in its own way.

use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chatbridge::sandbox::{Pace, SandboxSettings, serve};
use reqwest::{Method, Response};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::hook::{Delivery, Hook};
use crate::support::service::eventually;

pub(super) struct World {
    pub(super) base: String,
    pub(super) webhook: String,
    hook: Hook,
    client: reqwest::Client,
    pub(super) stop: CancellationToken,
    pub(super) served: Option<JoinHandle<std::io::Result<()>>>,
    _stop_on_drop: DropGuard,
}

impl World {
    pub(super) async fn start() -> Self {
        Self::start_with(Pace::instant(), |_| 200).await
    }

    pub(super) async fn start_with(
        pace: Pace,
        answer: impl Fn(&Delivery) -> u16 + Send + Sync + 'static,
    ) -> Self {
        Self::start_set(pace, answer, |_| ()).await
    }

    /// One that chooses by `seed`.
    pub(super) async fn start_seeded(
        pace: Pace,
        seed: u64,
        answer: impl Fn(&Delivery) -> u16 + Send + Sync + 'static,
    ) -> Self {
        Self::start_set(pace, answer, |settings| settings.seed = Some(seed)).await
    }

    /// With settings of its own.
    pub(super) async fn start_set(
        pace: Pace,
        answer: impl Fn(&Delivery) -> u16 + Send + Sync + 'static,
        change: impl FnOnce(&mut SandboxSettings),
    ) -> Self {
        let stop = CancellationToken::new();
        let hook = Hook::start(answer, stop.clone()).await;
        let webhook = hook.url.clone();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let mut settings = SandboxSettings {
            webhook: Some(webhook.parse().unwrap()),
            pace,
            seed: Some(1),
            ..SandboxSettings::default()
        };
        change(&mut settings);
        let served = tokio::spawn(serve(settings, listener, stop.clone()));
        Self {
            base,
            webhook,
            hook,
            client: reqwest::Client::builder().no_proxy().build().unwrap(),
            _stop_on_drop: stop.clone().drop_guard(),
            stop,
            served: Some(served),
        }
    }

    /// A second receiver. It answers `status`.
    pub(super) async fn hook(&self, status: u16) -> Hook {
        Hook::start(move |_| status, self.stop.clone()).await
    }

    pub(super) fn answer_with(&self, answer: impl Fn(&Delivery) -> u16 + Send + Sync + 'static) {
        self.hook.answer_with(answer);
    }

    pub(super) fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.client.request(method, format!("{}{path}", self.base))
    }

    /// A call of the vendor's API.
    pub(super) async fn rest(&self, method: Method, path: &str, body: Option<&Value>) -> Response {
        let request = self
            .request(method, &format!("/chat-gateway/v1{path}"))
            .header("x-api-key", "sandbox-key");
        let request = match body {
            Some(body) => request.json(body),
            None => request,
        };
        request.send().await.unwrap()
    }

    pub(super) async fn get(&self, path: &str) -> Value {
        let answer = self.rest(Method::GET, path, None).await;
        assert_eq!(answer.status(), 200, "GET {path}");
        assert_eq!(answer.headers()["content-type"], "application/hal+json");
        answer.json().await.unwrap()
    }

    /// Creates a conversation and says its identifier.
    pub(super) async fn create(&self, extra: Value) -> String {
        let mut body = json!({"channelId": "sandbox-chat", "user": {"name": "Anna"}});
        body.as_object_mut()
            .unwrap()
            .extend(extra.as_object().unwrap().clone());
        let answer = self.rest(Method::POST, "/conversations", Some(&body)).await;
        assert_eq!(answer.status(), 202);
        let answer: Value = answer.json().await.unwrap();
        let created: jiff::Timestamp = answer["createdAt"].as_str().unwrap().parse().unwrap();
        assert!(created.duration_until(jiff::Timestamp::now()).as_secs() < 60);
        answer["conversationId"].as_str().unwrap().to_owned()
    }

    /// A call that must be answered with this status and, if there is one, a body in HAL.
    pub(super) async fn call(&self, method: Method, path: &str, body: &Value, status: u16) -> Value {
        let answer = self.rest(method, path, Some(body)).await;
        let got = answer.status().as_u16();
        let hal = answer
            .headers()
            .get("content-type")
            .is_some_and(|it| it == "application/hal+json");
        let text = answer.text().await.unwrap();
        assert_eq!(got, status, "{path} {text}");
        assert_eq!(hal, !text.is_empty(), "{path} {text}");
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }

    /// What an agent sees.
    pub(super) async fn desk(&self, conversation: &str) -> Value {
        let path = format!("/conversations/{conversation}");
        self.control(Method::GET, &path, None, 200).await
    }

    /// Waits until a conversation is as wanted, in an agent's eyes.
    pub(super) async fn seen(
        &self,
        conversation: &str,
        what: &str,
        wanted: impl Fn(&Value) -> bool,
    ) -> Value {
        eventually(what, async || Some(self.desk(conversation).await).filter(&wanted)).await
    }

    /// Waits until an agent is as wanted.
    pub(super) async fn agent(&self, id: &str, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let path = format!("/agents/{id}");
        let agent = async || Some(self.control(Method::GET, &path, None, 200).await);
        eventually(what, async || agent().await.filter(&wanted)).await
    }

    /// Drives the agent by hand.
    pub(super) async fn drive(&self, conversation: &str, action: Value) {
        let path = format!("/conversations/{conversation}/agent");
        self.control(Method::POST, &path, Some(action), 202).await;
    }

    pub(super) async fn send(&self, conversation: &str, author: &str, text: &str) {
        let path = format!("/conversations/{conversation}/messages");
        let body = json!({"authorType": author, "text": text});
        let answer = self.rest(Method::POST, &path, Some(&body)).await;
        assert_eq!(answer.status(), 202);
        assert_eq!(answer.text().await.unwrap(), "");
    }

    /// A call of the sandbox's own API, which must have this status.
    pub(super) async fn control(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
        status: u16,
    ) -> Value {
        let request = self.request(method, &format!("/sandbox/v1{path}"));
        let request = match &body {
            Some(body) => request.json(body),
            None => request,
        };
        let answer = request.send().await.unwrap();
        let got = answer.status().as_u16();
        let text = answer.text().await.unwrap();
        assert_eq!(got, status, "{path} {text}");
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }

    /// What came in so far for a conversation, refused deliveries included.
    pub(super) fn deliveries(&self, conversation: &str) -> Vec<Delivery> {
        let of_it = |it: &&Delivery| it.conversation() == Some(conversation);
        self.hook.all().iter().filter(of_it).cloned().collect()
    }

    pub(super) fn all(&self) -> Vec<Delivery> {
        self.hook.all()
    }

    /// Waits until `enough` holds of all that came in.
    pub(super) async fn until(&self, what: &str, enough: impl Fn(&[Delivery]) -> bool) {
        self.hook.until(what, enough).await;
    }

    /// Waits until as many events of a conversation came in as `gists` has, from the `from`th on, and compares. A gist
    /// that ends in `…` is the beginning of one.
    pub(super) async fn expect(&self, conversation: &str, from: usize, gists: &[&str]) {
        let count = |all: &[Delivery]| {
            all.iter()
                .filter(|it| it.conversation() == Some(conversation))
                .count()
        };
        self.until(&format!("{gists:#?}"), |all| count(all) >= from + gists.len())
            .await;
        let got: Vec<String> = self
            .deliveries(conversation)
            .iter()
            .skip(from)
            .map(Delivery::gist)
            .collect();
        let same = |(got, wanted): (&String, &&str)| match wanted.strip_suffix('…') {
            Some(beginning) => got.starts_with(beginning),
            None => got == wanted,
        };
        let all_same = got.len() == gists.len() && got.iter().zip(gists).all(same);
        assert!(all_same, "expected {gists:#?}, got {got:#?}");
    }

    /// Checks the signature of a delivery, from the header's bytes to the key that the sandbox serves.
    pub(super) async fn verify(&self, delivery: &Delivery) {
        let parts: Vec<&str> = delivery.header("x-8x8-signature").split('.').collect();
        let [protected, "", signature] = parts[..] else {
            panic!("the payload is not detached: {parts:?}");
        };
        let header: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(protected).unwrap()).unwrap();
        let kid = header["kid"].as_str().unwrap();
        assert_eq!(
            header,
            json!({"b64": false, "crit": ["b64"], "kid": kid, "alg": "RS256"})
        );
        let payload = format!(
            "{{\"checksum\":{},\"cid\":\"{}\",\"eid\":\"{}\",\"retry\":{},\"tid\":\"{}\",\"tt\":{}}}",
            crc32(&delivery.raw),
            delivery.header("x-8x8-customer-id"),
            delivery.event_id(),
            delivery.retry(),
            delivery.header("x-8x8-tenant-id"),
            delivery.header("x-8x8-transmission-time"),
        );
        let jwk = self.request(Method::GET, &format!("/chat-gateway/v1/jwk/{kid}/public"));
        let jwk: Value = jwk.send().await.unwrap().json().await.unwrap();
        let number = |name: &str| URL_SAFE_NO_PAD.decode(jwk[name].as_str().unwrap()).unwrap();
        let (n, e) = (number("n"), number("e"));
        RsaPublicKeyComponents { n: &n, e: &e }
            .verify(
                &RSA_PKCS1_2048_8192_SHA256,
                format!("{protected}.{payload}").as_bytes(),
                &URL_SAFE_NO_PAD.decode(signature).unwrap(),
            )
            .expect("the signature holds");
    }
}

/// Bit by bit, so that it shares nothing with what it checks.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xEDB8_8320 & (crc & 1).wrapping_neg())
        })
    })
}

#[test]
fn the_receivers_own_checksum_knows_the_answer() {
    assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
}
