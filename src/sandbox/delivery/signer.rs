//! Signs webhooks: compact JWS (RFC 7515) with a detached, unencoded payload (RFC 7797).

use std::sync::Arc;

use aws_lc_rs::{
    rand::SystemRandom,
    rsa::KeySize,
    signature::{KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::sandbox::{SandboxError, new_id};

/// How many old keys can still be had.
const KEYS_KEPT: usize = 16;

/// A key of its own, made anew at each start.
pub(crate) struct Signer {
    key: RsaKeyPair,
    kid: String,
    header: String,
    jwk: Value,
}

impl Signer {
    /// Generates a 2048-bit RSA key under a random identifier.
    pub(crate) fn generate() -> Result<Self, SandboxError> {
        let key = RsaKeyPair::generate(KeySize::Rsa2048).map_err(|_| SandboxError::Key)?;
        let kid = new_id();
        let header = format!(r#"{{"b64":false,"crit":["b64"],"kid":"{kid}","alg":"RS256"}}"#);
        let jwk = json!({
            "kty": "RSA",
            "e": URL_SAFE_NO_PAD.encode(key.public_key().exponent().big_endian_without_leading_zero()),
            "kid": kid,
            "n": URL_SAFE_NO_PAD.encode(key.public_key().modulus().big_endian_without_leading_zero()),
        });
        Ok(Self {
            key,
            kid,
            header: URL_SAFE_NO_PAD.encode(header),
            jwk,
        })
    }

    fn kid(&self) -> &str {
        &self.kid
    }

    fn jwk(&self) -> &Value {
        &self.jwk
    }

    /// As another key would sign that is given out under this one's identifier.
    pub(crate) fn under(mut self, kid: &str) -> Self {
        let header = format!(r#"{{"b64":false,"crit":["b64"],"kid":"{kid}","alg":"RS256"}}"#);
        self.header = URL_SAFE_NO_PAD.encode(header);
        self
    }

    /// The signature of `payload`, which it does not contain. `None` if the cryptographic library refuses.
    pub(crate) fn sign(&self, payload: &str) -> Option<String> {
        let input = format!("{}.{payload}", self.header);
        let mut signature = vec![0; self.key.public_modulus_len()];
        self.key
            .sign(
                &RSA_PKCS1_SHA256,
                &SystemRandom::new(),
                input.as_bytes(),
                &mut signature,
            )
            .ok()?;
        Some(format!("{}..{}", self.header, URL_SAFE_NO_PAD.encode(signature)))
    }
}

/// The key that signs, and those that did.
pub(crate) struct Keys {
    current: Arc<Signer>,
    before: Vec<Arc<Signer>>,
}

impl Keys {
    pub(crate) fn generate() -> Result<Self, SandboxError> {
        Ok(Self {
            current: Arc::new(Signer::generate()?),
            before: Vec::new(),
        })
    }

    pub(crate) fn current(&self) -> Arc<Signer> {
        Arc::clone(&self.current)
    }

    /// The identifier of the key that signs.
    pub(crate) fn kid(&self) -> &str {
        self.current.kid()
    }

    pub(crate) fn jwk(&self, kid: &str) -> Option<&Value> {
        let mut all = std::iter::once(&self.current).chain(&self.before);
        all.find(|it| it.kid() == kid).map(|it| it.jwk())
    }

    /// Signs with `new` from now on, and says its identifier.
    pub(crate) fn rotate(&mut self, new: Signer, keep_old: bool) -> String {
        let old = std::mem::replace(&mut self.current, Arc::new(new));
        match keep_old {
            true => self.before.insert(0, old),
            false => self.before.clear(),
        }
        self.before.truncate(KEYS_KEPT);
        self.kid().to_owned()
    }
}
