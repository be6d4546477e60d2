//! Chat API v2 over real HTTP: a client that knows v2 alone, the service, and the sandbox behind it.

mod access;
mod bad_days;
mod channels;
mod conversations;
mod deliveries;
mod dev;
mod dialects;
mod doors;
mod messages;
mod receiver;
mod schemas;
mod webhooks;

use std::{
    io::Write as _,
    sync::atomic::{AtomicU64, Ordering},
    time::{SystemTime, UNIX_EPOCH},
};

use chatbridge::{access::token, sandbox::Pace};
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};

use self::schemas::Check;
use crate::support::stage::{CHANNEL, Stage};

const CLIENT: &str = "college-app";
const SECRET: &str = "wFsrG1pQPTBw7mRvVpQ3Zq2h";
const TOKEN_SECRET: &str = "a-secret-that-signs-tokens-0123456789";
/// The sandbox's own webhook, which delivers to the service.
const WEBHOOK: &str = "sandbox-webhook";

/// A 2048-bit RSA key, PEM.
pub(crate) fn signing_key() -> String {
    use aws_lc_rs::{
        encoding::{AsDer, Pkcs8V1Der},
        rsa::{KeyPair, KeySize},
    };
    use base64::{Engine as _, prelude::BASE64_STANDARD};
    let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let der: Pkcs8V1Der<'_> = pair.as_der().unwrap();
    let text = BASE64_STANDARD.encode(der.as_ref());
    format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n")
}

/// Files of settings, which can be changed.
struct Files {
    dir: tempfile::TempDir,
}

impl Files {
    fn new(clients: &str) -> Self {
        let files = Self {
            dir: tempfile::tempdir().unwrap(),
        };
        files.write("settings.toml", clients);
        files
    }

    fn path(&self, name: &str) -> String {
        self.dir.path().join(name).to_str().unwrap().to_owned()
    }

    /// Writes a file as a whole.
    fn write(&self, name: &str, text: &str) {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let part = self
            .dir
            .path()
            .join(format!("part-{}", NEXT.fetch_add(1, Ordering::Relaxed)));
        let mut file = std::fs::File::create(&part).unwrap();
        file.write_all(text.as_bytes()).unwrap();
        std::fs::rename(part, self.dir.path().join(name)).unwrap();
    }
}

/// A table of the file of settings.
fn client(id: &str, secrets: &[&str], more: &str) -> String {
    let hashes: Vec<String> = secrets
        .iter()
        .map(|secret| token::to_hex(&token::hash(secret)))
        .collect();
    format!("[[chat_v2_clients]]\nid = {id:?}\nsecret_sha256 = {hashes:?}\ntenants = [\"*\"]\n{more}\n")
}

/// A client of v2, and all that is behind it.
struct Facade {
    stage: Stage,
    files: Files,
    http: reqwest::Client,
    base: String,
    token: String,
}

impl Facade {
    /// With agents who do nothing by themselves for long.
    async fn new() -> Self {
        Self::with(&[], &client(CLIENT, &[SECRET], "")).await
    }

    async fn with(settings: &[(&str, &str)], clients: &str) -> Self {
        let files = Files::new(clients);
        let config = files.path("settings.toml");
        let mut all = vec![
            ("config", config.as_str()),
            ("chat_v2_listen", "127.0.0.1:0"),
            ("chat_v2_token_secret", TOKEN_SECRET),
            ("webhook_id", WEBHOOK),
        ];
        all.extend_from_slice(settings);
        let stage = Stage::start(Pace::scaled(30.0).unwrap(), &all).await;
        let mut facade = Self {
            base: format!("http://{}", stage.service.chat_v2.as_deref().unwrap()),
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            files,
            token: String::new(),
            stage,
        };
        facade.token = facade.new_token(CLIENT, SECRET).await;
        facade
    }

    async fn ask_token(&self, id: &str, secret: &str, form: &'static str) -> Response {
        self.http
            .post(format!("{}/oauth/v2/token", self.base))
            .basic_auth(id, Some(secret))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form)
            .send()
            .await
            .unwrap()
    }

    async fn new_token(&self, id: &str, secret: &str) -> String {
        let answer = self.ask_token(id, secret, "grant_type=client_credentials").await;
        let body = checked(answer, 200, schemas::token).await;
        body["access_token"].as_str().unwrap().to_owned()
    }

    fn url(&self, path: &str) -> String {
        format!("{}/vcc/us/chat/v2/tenant/sandbox{path}", self.base)
    }

    fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.http.request(method, self.url(path)).bearer_auth(&self.token)
    }

    async fn get(&self, path: &str, check: Check) -> Value {
        self.get_with(path, 200, check).await
    }

    async fn get_with(&self, path: &str, status: u16, check: Check) -> Value {
        let answer = self.request(Method::GET, path).send().await.unwrap();
        checked(answer, status, check).await
    }

    async fn post(&self, path: &str, body: &Value, status: u16, check: Check) -> Value {
        let answer = self.request(Method::POST, path).json(body).send().await.unwrap();
        checked(answer, status, check).await
    }

    async fn put(&self, path: &str, body: &Value, status: u16, check: Check) -> Value {
        let answer = self.request(Method::PUT, path).json(body).send().await.unwrap();
        checked(answer, status, check).await
    }

    async fn delete(&self, path: &str, status: u16, check: Check) -> Value {
        let answer = self.request(Method::DELETE, path).send().await.unwrap();
        checked(answer, status, check).await
    }

    /// Creates a conversation, and waits until it waits for an agent.
    async fn conversation(&self, body: &Value) -> String {
        let created = self.post("/conversations", body, 202, schemas::created).await;
        let id = created["conversationId"].as_str().unwrap().to_owned();
        self.stage
            .until(&id, "it waits in its queue", |it| it["state"] == "active")
            .await;
        id
    }

    /// A conversation of somebody.
    async fn started(&self) -> String {
        let body = json!({ "channelId": CHANNEL, "customer": { "name": "Ada", "customerId": "u-1" } });
        self.conversation(&body).await
    }

    /// An agent takes the conversation and says something, at once.
    async fn agent_says(&self, id: &str, text: &str) {
        let say = json!({ "action": "say", "text": text });
        self.stage
            .control("POST", &format!("/conversations/{id}/agent"), Some(say))
            .await;
    }

    /// Registers a webhook.
    async fn webhook(&self) -> String {
        let body = json!({ "name": "App", "uri": "https://app.example/hook", "version": "v2.0" });
        let created = self.post("/web-hooks", &body, 200, schemas::webhook).await;
        created["id"].as_str().unwrap().to_owned()
    }
}

/// With a key to sign what is sent to webhooks.
async fn facade_that_signs(more: &[(&str, &str)]) -> (Facade, tempfile::NamedTempFile) {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    std::io::Write::write_all(&mut file, signing_key().as_bytes()).unwrap();
    let path = file.path().to_str().unwrap().to_owned();
    let mut settings = vec![("chat_v2_signing_key_file", path.as_str())];
    settings.extend_from_slice(more);
    let facade = Facade::with(&settings, &client(CLIENT, &[SECRET], "")).await;
    (facade, file)
}

/// The body of an answer with this status, if it is what v2 says it is.
async fn checked(answer: Response, status: u16, check: Check) -> Value {
    let got = answer.status();
    let media_type = answer
        .headers()
        .get("content-type")
        .map(|it| it.to_str().unwrap().to_owned());
    let text = answer.text().await.unwrap();
    assert_eq!(got.as_u16(), status, "{text}");
    let value = match text.as_str() {
        "" => Value::Null,
        text => serde_json::from_str(text).unwrap_or_else(|error| panic!("{text} is no JSON: {error}")),
    };
    if let Err(problem) = check(&value) {
        panic!("{value} is not what v2 answers: {problem}");
    }
    let expected = match got {
        StatusCode::OK => Some("application/json"),
        StatusCode::ACCEPTED if !value.is_null() => Some("application/json"),
        StatusCode::ACCEPTED | StatusCode::NO_CONTENT => None,
        _ => Some("application/problem+json"),
    };
    assert_eq!(media_type.as_deref(), expected, "{value}");
    for word in ["grpc", "INVALID_", "UPSTREAM_", "request_id", "CHATBRIDGE_"] {
        assert!(!text.contains(word), "{text} says {word}");
    }
    value
}

fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    since.as_millis().try_into().unwrap()
}
