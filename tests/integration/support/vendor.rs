//! The vendor's side of webhooks, written for tests alone: it shares no code with the service or the sandbox.

use std::sync::{
    Mutex,
    atomic::{AtomicU64, Ordering},
};

use aws_lc_rs::{
    rand::SystemRandom,
    rsa::{KeyPair, KeySize, PublicKeyComponents},
    signature::{KeyPair as _, RSA_PKCS1_SHA256},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{method, path},
};

pub const TENANT: &str = "acme";
const KID: &str = "test-key-1";

/// A signing vendor with its key endpoint.
pub struct Vendor {
    pub server: MockServer,
    key: KeyPair,
    next_event: AtomicU64,
    clock_ms: Mutex<i64>,
    http: reqwest::Client,
}

/// A webhook that is ready to be sent, as often as one likes.
#[derive(Clone)]
pub struct Webhook {
    pub event_id: String,
    pub body: String,
}

impl Vendor {
    pub async fn start() -> Self {
        let key = KeyPair::generate(KeySize::Rsa2048).unwrap();
        let public = PublicKeyComponents::<Vec<u8>>::from(key.public_key());
        let jwk = json!({
            "kty": "RSA", "kid": KID, "alg": "RS256", "use": "sig",
            "n": URL_SAFE_NO_PAD.encode(public.n), "e": URL_SAFE_NO_PAD.encode(public.e),
        });
        let server = MockServer::start().await;
        Mock::given(method("GET"))
            .and(path(format!("/chat-gateway/v1/jwk/{KID}/public")))
            .respond_with(ResponseTemplate::new(200).set_body_json(jwk))
            .mount(&server)
            .await;
        Self {
            server,
            key,
            next_event: AtomicU64::new(1),
            clock_ms: Mutex::new(jiff::Timestamp::now().as_millisecond()),
            http: reqwest::Client::new(),
        }
    }

    /// An event of a conversation, a millisecond after the one before.
    pub fn event(&self, conversation: &str, event_type: &str, data: &Value) -> Webhook {
        let n = self.next_event.fetch_add(1, Ordering::Relaxed);
        let timestamp = {
            let mut clock_ms = self.clock_ms.lock().unwrap();
            *clock_ms += 1;
            *clock_ms
        };
        let body = json!({
            "eventType": event_type, "conversationId": conversation, "timestamp": timestamp, "data": data,
        });
        Webhook {
            event_id: format!("evt-{n}"),
            body: body.to_string(),
        }
    }

    /// An agent's message.
    pub fn message(&self, conversation: &str, text: &str) -> Webhook {
        let data = json!({ "isEcho": false, "sender": { "id": "maria", "type": "agent" }, "text": text });
        self.event(conversation, "MESSAGE", &data)
    }

    /// Sends a webhook to a receiver and answers the HTTP status.
    pub async fn deliver(&self, webhook_address: &str, webhook: &Webhook) -> u16 {
        self.deliver_signed(webhook_address, webhook, true).await
    }

    /// As [`Vendor::deliver`]; with a signature that is not ours where `genuine` is false.
    pub async fn deliver_signed(&self, webhook_address: &str, webhook: &Webhook, genuine: bool) -> u16 {
        let mut signed = self.signed(webhook);
        if !genuine {
            // Another time under the same signature.
            let sent = &mut signed.headers[3].1;
            *sent = (sent.parse::<i64>().unwrap() + 1).to_string();
        }
        let url = format!("http://{webhook_address}/webhooks/8x8");
        signed.post(&self.http, &url).await.unwrap()
    }

    /// Delivers a webhook of another tenant.
    pub async fn deliver_of(&self, tenant: &str, webhook_address: &str, webhook: &Webhook) -> u16 {
        let url = format!("http://{webhook_address}/webhooks/8x8");
        self.signed_of(tenant, webhook)
            .post(&self.http, &url)
            .await
            .unwrap()
    }

    /// A webhook with the headers of a delivery that is made now.
    pub fn signed(&self, webhook: &Webhook) -> Signed {
        self.signed_of(TENANT, webhook)
    }

    fn signed_of(&self, tenant: &str, webhook: &Webhook) -> Signed {
        let sent_ms = jiff::Timestamp::now().as_millisecond();
        let checksum = crc32fast::hash(webhook.body.as_bytes());
        let payload = format!(
            r#"{{"checksum":{checksum},"cid":"cust","eid":"{}","retry":0,"tid":"{tenant}","tt":{sent_ms}}}"#,
            webhook.event_id
        );
        let header = URL_SAFE_NO_PAD.encode(format!(
            r#"{{"b64":false,"crit":["b64"],"kid":"{KID}","alg":"RS256"}}"#
        ));
        let mut signature = vec![0; self.key.public_modulus_len()];
        let input = format!("{header}.{payload}");
        self.key
            .sign(
                &RSA_PKCS1_SHA256,
                &SystemRandom::new(),
                input.as_bytes(),
                &mut signature,
            )
            .unwrap();
        let signature = format!("{header}..{}", URL_SAFE_NO_PAD.encode(signature));
        let headers = [
            ("x-8x8-tenant-id", tenant.to_owned()),
            ("x-8x8-customer-id", "cust".to_owned()),
            ("x-8x8-event-id", webhook.event_id.clone()),
            ("x-8x8-transmission-time", sent_ms.to_string()),
            ("x-8x8-retry", "0".to_owned()),
            ("x-8x8-signature", signature),
        ];
        Signed {
            headers: headers.into(),
            body: webhook.body.clone().into_bytes(),
        }
    }
}

/// A delivery, whose parts a test may exchange.
#[derive(Clone)]
pub struct Signed {
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
}

impl Signed {
    /// Posts it, and answers the HTTP status.
    pub async fn post(&self, http: &reqwest::Client, url: &str) -> reqwest::Result<u16> {
        let mut request = http.post(url).header("content-type", "application/json");
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        let answer = request.body(self.body.clone()).send().await?;
        Ok(answer.status().as_u16())
    }

    /// The request as it goes over the wire, to a path.
    pub fn wire(&self, path: &str) -> Vec<u8> {
        let mut text = format!(
            "POST {path} HTTP/1.1\r\nhost: door\r\ncontent-length: {}\r\n",
            self.body.len()
        );
        for (name, value) in &self.headers {
            text += &format!("{name}: {value}\r\n");
        }
        [text.as_bytes(), b"\r\n", &self.body].concat()
    }
}
