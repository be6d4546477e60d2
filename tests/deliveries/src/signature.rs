//! Whether what came was signed by the service: a receiver's own check, by v2's public description, with the key from v2's path.

use std::{collections::HashMap, sync::Arc};

use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use axum::http::HeaderMap;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;
use tokio::sync::Mutex;

use crate::Result;

/// What came along with an event, and was signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    pub tenant: String,
    pub event: String,
    pub retry: u32,
    /// Unix milliseconds.
    pub sent_ms: u64,
}

#[derive(Debug, Deserialize)]
struct Protected {
    alg: String,
    kid: String,
    b64: bool,
    crit: Vec<String>,
}

/// A public key, big-endian.
#[derive(Debug)]
pub struct Key {
    n: Vec<u8>,
    e: Vec<u8>,
}

/// Keys, each fetched once.
pub struct Keys {
    http: reqwest::Client,
    /// Where they are, up to the identifier.
    at: String,
    known: Mutex<HashMap<String, Arc<Key>>>,
}

impl Keys {
    /// Those of the façade at this base URL.
    pub fn new(base: &str) -> Result<Self> {
        Ok(Self {
            http: reqwest::Client::builder().no_proxy().build()?,
            at: format!("{base}/vcc/us/chat/v2/jwk"),
            known: Mutex::default(),
        })
    }

    /// What came along, if it is signed; otherwise what is wrong.
    pub async fn check(&self, headers: &HeaderMap, body: &[u8]) -> std::result::Result<Signed, String> {
        let parts = Parts::read(headers)?;
        let key = self
            .key(&parts.protected.kid)
            .await
            .map_err(|error| format!("no key {:?} can be had: {error}", parts.protected.kid))?;
        parts.verify(&key, body)
    }

    async fn key(&self, kid: &str) -> Result<Arc<Key>> {
        let mut known = self.known.lock().await;
        if let Some(key) = known.get(kid) {
            return Ok(Arc::clone(key));
        }
        let answer = self.http.get(format!("{}/{kid}/public", self.at)).send().await?;
        let jwk: serde_json::Value = serde_json::from_str(&answer.error_for_status()?.text().await?)?;
        let part = |name: &str| -> Result<Vec<u8>> {
            let text = jwk[name].as_str().ok_or("it is no RSA key")?;
            Ok(URL_SAFE_NO_PAD.decode(text)?)
        };
        let key = Arc::new(Key {
            n: part("n")?,
            e: part("e")?,
        });
        known.insert(kid.to_owned(), Arc::clone(&key));
        Ok(key)
    }
}

/// The signature's parts, and what it is about.
struct Parts<'a> {
    header: &'a str,
    protected: Protected,
    signature: Vec<u8>,
    customer: &'a str,
    signed: Signed,
}

impl<'a> Parts<'a> {
    fn read(headers: &'a HeaderMap) -> std::result::Result<Self, String> {
        let text = |name: &str| {
            let value = headers.get(name).and_then(|value| value.to_str().ok());
            value.ok_or_else(|| format!("{name} is not there"))
        };
        let jws: Vec<&str> = text("x-8x8-signature")?.split('.').collect();
        let [header, "", signature] = jws[..] else {
            return Err("the signature is not detached".to_owned());
        };
        let decoded = URL_SAFE_NO_PAD.decode(header).ok();
        let protected = decoded.and_then(|json| serde_json::from_slice::<Protected>(&json).ok());
        let protected = protected.ok_or("the signature's header cannot be read")?;
        if protected.alg != "RS256" || protected.b64 || protected.crit != ["b64"] {
            return Err(format!("the signature's header is {protected:?}"));
        }
        let number = |name: &str| {
            let parsed = text(name)?.parse::<u64>();
            parsed.map_err(|_| format!("{name} is no number"))
        };
        Ok(Self {
            header,
            protected,
            signature: URL_SAFE_NO_PAD
                .decode(signature)
                .map_err(|_| "the signature cannot be read")?,
            customer: text("x-8x8-customer-id")?,
            signed: Signed {
                tenant: text("x-8x8-tenant-id")?.to_owned(),
                event: text("x-8x8-event-id")?.to_owned(),
                retry: u32::try_from(number("x-8x8-retry")?).map_err(|_| "x-8x8-retry is too large")?,
                sent_ms: number("x-8x8-transmission-time")?,
            },
        })
    }

    fn verify(self, key: &Key, body: &[u8]) -> std::result::Result<Signed, String> {
        let payload = format!(
            r#"{{"checksum":{},"cid":"{}","eid":"{}","retry":{},"tid":"{}","tt":{}}}"#,
            crc32fast::hash(body),
            self.customer,
            self.signed.event,
            self.signed.retry,
            self.signed.tenant,
            self.signed.sent_ms,
        );
        let input = format!("{}.{payload}", self.header);
        let key = RsaPublicKeyComponents { n: &key.n, e: &key.e };
        key.verify(&RSA_PKCS1_2048_8192_SHA256, input.as_bytes(), &self.signature)
            .map_err(|_| "the signature is not the service's".to_owned())?;
        Ok(self.signed)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use aws_lc_rs::{
        rand::SystemRandom,
        rsa::{KeyPair, KeySize, PublicKeyComponents},
        signature::{KeyPair as _, RSA_PKCS1_SHA256},
    };

    use super::*;

    fn signed(body: &[u8]) -> (HeaderMap, Key) {
        let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
        let header = URL_SAFE_NO_PAD.encode(r#"{"b64":false,"crit":["b64"],"kid":"k","alg":"RS256"}"#);
        let checksum = crc32fast::hash(body);
        let input =
            format!(r#"{header}.{{"checksum":{checksum},"cid":"c","eid":"e","retry":2,"tid":"t","tt":7}}"#);
        let mut signature = vec![0; pair.public_modulus_len()];
        let random = SystemRandom::new();
        pair.sign(&RSA_PKCS1_SHA256, &random, input.as_bytes(), &mut signature)
            .unwrap();
        let mut headers = HeaderMap::new();
        let jws = format!("{header}..{}", URL_SAFE_NO_PAD.encode(signature));
        headers.insert("x-8x8-signature", jws.parse().unwrap());
        for (name, value) in [
            ("x-8x8-customer-id", "c"),
            ("x-8x8-event-id", "e"),
            ("x-8x8-retry", "2"),
            ("x-8x8-tenant-id", "t"),
            ("x-8x8-transmission-time", "7"),
        ] {
            headers.insert(name, value.parse().unwrap());
        }
        let PublicKeyComponents { n, e } = PublicKeyComponents::<Vec<u8>>::from(pair.public_key());
        (headers, Key { n, e })
    }

    #[test]
    fn what_was_signed_is_known_and_what_was_changed_is_not() {
        let (headers, key) = signed(b"body");
        let read = |headers: &HeaderMap, body: &[u8]| Parts::read(headers)?.verify(&key, body);
        assert_eq!(read(&headers, b"body").unwrap().retry, 2);
        assert!(read(&headers, b"Body").is_err());
        for (name, value) in [
            ("x-8x8-retry", "3"),
            ("x-8x8-event-id", "f"),
            ("x-8x8-tenant-id", "u"),
            ("x-8x8-customer-id", "d"),
            ("x-8x8-transmission-time", "8"),
        ] {
            let mut changed = headers.clone();
            changed.insert(name, value.parse().unwrap());
            assert!(read(&changed, b"body").is_err(), "{name}");
        }
        let other = signed(b"body").1;
        assert!(Parts::read(&headers).unwrap().verify(&other, b"body").is_err());
    }
}
