//! Signs webhooks: compact JWS (RFC 7515) with a detached, unencoded payload (RFC 7797).

use aws_lc_rs::{
    rand::SystemRandom,
    rsa::KeySize,
    signature::{KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::sandbox::{SandboxError, new_id};

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

    pub(crate) fn kid(&self) -> &str {
        &self.kid
    }

    pub(crate) fn jwk(&self) -> &Value {
        &self.jwk
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
