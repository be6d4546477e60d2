//! An issuer of web tokens, with the keys that it publishes.

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use wiremock::{Mock, MockServer, ResponseTemplate, matchers::path};

pub const ISSUER: &str = "https://id.example";
pub const AUDIENCE: &str = "chatbridge";

/// A key pair, P-256.
pub struct Pair {
    kid: String,
    signing: EncodingKey,
    jwk: Value,
}

impl Pair {
    pub fn new(kid: &str) -> Self {
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &SystemRandom::new()).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref()).unwrap();
        let point = pair.public_key().as_ref();
        let jwk = json!({
            "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": kid,
            "x": URL_SAFE_NO_PAD.encode(&point[1..33]), "y": URL_SAFE_NO_PAD.encode(&point[33..]),
        });
        Self {
            kid: kid.to_owned(),
            signing: EncodingKey::from_ec_der(pkcs8.as_ref()),
            jwk,
        }
    }

    /// A token of somebody in a group, that is good for so many seconds.
    pub fn token(&self, name: &str, group: &str, seconds: i64) -> String {
        let mut header = Header::new(Algorithm::ES256);
        header.kid = Some(self.kid.clone());
        let expiry = jiff::Timestamp::now().as_second() + seconds;
        let claims = json!({ "iss": ISSUER, "aud": AUDIENCE, "sub": name, "groups": [group], "exp": expiry });
        encode(&header, &claims, &self.signing).unwrap()
    }
}

/// Where the keys are published.
pub struct Issuer {
    server: MockServer,
}

impl Issuer {
    pub async fn start(pairs: &[&Pair]) -> Self {
        let issuer = Self {
            server: MockServer::start().await,
        };
        issuer.publish(pairs).await;
        issuer
    }

    pub fn url(&self) -> String {
        format!("{}/keys", self.server.uri())
    }

    /// Publishes these keys, and no others.
    pub async fn publish(&self, pairs: &[&Pair]) {
        let keys: Vec<&Value> = pairs.iter().map(|pair| &pair.jwk).collect();
        self.server.reset().await;
        Mock::given(path("/keys"))
            .respond_with(ResponseTemplate::new(200).set_body_json(json!({ "keys": keys })))
            .mount(&self.server)
            .await;
    }
}
