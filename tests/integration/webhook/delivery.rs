//! Deliveries as the vendor sends them, and as others might.

use std::{collections::HashMap, path::PathBuf, sync::OnceLock};

use aws_lc_rs::{
    rand::SystemRandom,
    rsa::{KeyPair, KeySize, PublicKeyComponents},
    signature::{KeyPair as _, RSA_PKCS1_SHA256},
};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use reqwest::{
    Method,
    header::{HeaderMap, HeaderName, HeaderValue},
};
use serde_json::{Value, json};

/// The time at the door, and of every delivery unless it says otherwise: that of the fixtures.
pub(crate) const NOW_MS: i64 = 1_629_804_577_105;
/// The key id of [`signer`].
pub(crate) const KID: &str = "8f3a3f0e-1f0c-4a55-9b60-3f0a11c2d7aa";

/// A private key.
pub(crate) struct Signer(KeyPair);

impl Signer {
    pub(crate) fn new() -> Self {
        Self(KeyPair::generate(KeySize::Rsa2048).unwrap())
    }

    pub(crate) fn jwk(&self) -> String {
        let parts = PublicKeyComponents::from(self.0.public_key());
        let [n, e] = [parts.n, parts.e].map(|part| URL_SAFE_NO_PAD.encode(part));
        json!({ "kty": "RSA", "use": "sig", "n": n, "e": e }).to_string()
    }

    pub(crate) fn sign(&self, input: &[u8]) -> Vec<u8> {
        let mut signature = vec![0; self.0.public_modulus_len()];
        self.0
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), input, &mut signature)
            .unwrap();
        signature
    }
}

/// The vendor.
pub(crate) fn signer() -> &'static Signer {
    static SIGNER: OnceLock<Signer> = OnceLock::new();
    SIGNER.get_or_init(Signer::new)
}

/// Somebody else.
pub(crate) fn stranger() -> &'static Signer {
    static SIGNER: OnceLock<Signer> = OnceLock::new();
    SIGNER.get_or_init(Signer::new)
}

/// What is signed.
#[derive(Clone)]
pub(crate) struct Plan {
    pub(crate) tenant: String,
    pub(crate) customer: String,
    pub(crate) event: String,
    pub(crate) retry: String,
    pub(crate) transmitted_ms: String,
    /// The protected header's text.
    pub(crate) protected: String,
    pub(crate) body: Vec<u8>,
}

/// A request to the door.
#[derive(Clone)]
pub(crate) struct Delivery {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    /// Whether the body is sent without saying its length.
    pub(crate) chunked: bool,
}

pub(crate) fn protected(kid: &str) -> Value {
    json!({ "b64": false, "crit": ["b64"], "kid": kid, "alg": "RS256" })
}

pub(crate) fn message(conversation: &str, text: &str) -> Vec<u8> {
    json!({
        "eventType": "MESSAGE", "conversationId": conversation, "timestamp": NOW_MS - 100,
        "data": { "isEcho": false, "sender": { "id": "ag1", "type": "agent" }, "text": text },
    })
    .to_string()
    .into_bytes()
}

impl Plan {
    pub(crate) fn new(event: &str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            tenant: "tenant01".into(),
            customer: "customer01".into(),
            event: event.into(),
            retry: "0".into(),
            transmitted_ms: NOW_MS.to_string(),
            protected: protected(KID).to_string(),
            body: body.into(),
        }
    }

    pub(crate) fn payload(&self) -> String {
        let Self {
            tenant,
            customer,
            event,
            retry,
            transmitted_ms,
            ..
        } = self;
        let checksum = crc32fast::hash(&self.body);
        format!(
            r#"{{"checksum":{checksum},"cid":"{customer}","eid":"{event}","retry":{retry},"tid":"{tenant}","tt":{transmitted_ms}}}"#
        )
    }

    pub(crate) fn signed(&self) -> Delivery {
        self.signed_by(signer())
    }

    pub(crate) fn signed_by(&self, signer: &Signer) -> Delivery {
        let protected = URL_SAFE_NO_PAD.encode(&self.protected);
        let signature = signer.sign(format!("{protected}.{}", self.payload()).as_bytes());
        self.with_signature(&format!("{protected}..{}", URL_SAFE_NO_PAD.encode(signature)))
    }

    pub(crate) fn with_signature(&self, signature: &str) -> Delivery {
        let mut delivery = Delivery {
            method: Method::POST,
            path: "/webhooks/8x8".into(),
            headers: HeaderMap::new(),
            body: self.body.clone(),
            chunked: false,
        };
        delivery.set("x-8x8-tenant-id", &self.tenant);
        delivery.set("x-8x8-customer-id", &self.customer);
        delivery.set("x-8x8-event-id", &self.event);
        delivery.set("x-8x8-transmission-time", &self.transmitted_ms);
        delivery.set("x-8x8-retry", &self.retry);
        delivery.set("x-8x8-signature", signature);
        delivery
    }
}

impl Delivery {
    pub(crate) fn set(&mut self, name: &'static str, value: impl AsRef<[u8]>) {
        let value = HeaderValue::from_bytes(value.as_ref()).unwrap();
        self.headers.insert(HeaderName::from_static(name), value);
    }

    pub(crate) fn header(&self, name: &str) -> String {
        self.headers[name].to_str().unwrap().to_owned()
    }
}

/// A delivery that another library signed, and what is to become of it.
pub(crate) struct Fixture {
    pub(crate) name: String,
    pub(crate) delivery: Delivery,
    pub(crate) kind: String,
    pub(crate) conversation: String,
}

fn fixtures_dir() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests", "fixtures", "webhooks"]
        .iter()
        .collect()
}

/// The public key of the fixtures and its id.
pub(crate) fn fixture_key() -> (String, String) {
    let jwk = std::fs::read_to_string(fixtures_dir().join("key.json")).unwrap();
    let kid = serde_json::from_str::<Value>(&jwk).unwrap()["kid"]
        .as_str()
        .unwrap()
        .to_owned();
    (kid, jwk)
}

pub(crate) fn fixtures() -> Vec<Fixture> {
    let files = std::fs::read_dir(fixtures_dir().join("deliveries")).unwrap();
    let read = |path: PathBuf| {
        let file: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let headers: HashMap<String, String> = serde_json::from_value(file["headers"].clone()).unwrap();
        Fixture {
            name: path.file_stem().unwrap().to_str().unwrap().to_owned(),
            delivery: Delivery {
                method: Method::POST,
                path: "/webhooks/8x8".into(),
                headers: (&headers).try_into().unwrap(),
                body: STANDARD.decode(file["body_base64"].as_str().unwrap()).unwrap(),
                chunked: false,
            },
            kind: file["expected"]["kind"].as_str().unwrap().to_owned(),
            conversation: file["expected"]["conversation"].as_str().unwrap().to_owned(),
        }
    };
    files.map(|file| read(file.unwrap().path())).collect()
}
