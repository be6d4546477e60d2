//! Signs webhooks as 8x8 does: compact JWS (RFC 7515) with a detached, unencoded payload (RFC 7797).

use aws_lc_rs::{
    rand::SystemRandom,
    rsa::KeySize,
    signature::{KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

/// What of a request is signed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parcel<'a> {
    pub(crate) tenant: &'a str,
    pub(crate) customer: &'a str,
    pub(crate) event: &'a str,
    pub(crate) retry: u32,
    /// Unix milliseconds.
    pub(crate) sent_ms: i64,
    pub(crate) body: &'a [u8],
}

impl Parcel<'_> {
    /// The payload of the signature.
    pub(crate) fn payload(&self) -> String {
        // The keys must come in this order and without a space between them.
        format!(
            r#"{{"checksum":{},"cid":{},"eid":{},"retry":{},"tid":{},"tt":{}}}"#,
            crc32fast::hash(self.body),
            Value::from(self.customer),
            Value::from(self.event),
            self.retry,
            Value::from(self.tenant),
            self.sent_ms,
        )
    }
}

/// A key that signs.
pub(crate) struct Signer {
    key: RsaKeyPair,
    kid: String,
    header: String,
    jwk: Value,
}

impl Signer {
    /// A new 2048-bit RSA key. `None` if the cryptographic library refuses.
    pub(crate) fn generate(kid: String) -> Option<Self> {
        RsaKeyPair::generate(KeySize::Rsa2048)
            .ok()
            .map(|key| Self::new(key, kid))
    }

    /// This key under this identifier.
    pub(crate) fn new(key: RsaKeyPair, kid: String) -> Self {
        let public = key.public_key();
        let jwk = json!({
            "kty": "RSA",
            "e": URL_SAFE_NO_PAD.encode(public.exponent().big_endian_without_leading_zero()),
            "kid": kid,
            "n": URL_SAFE_NO_PAD.encode(public.modulus().big_endian_without_leading_zero()),
        });
        Self {
            header: header(&kid),
            key,
            kid,
            jwk,
        }
    }

    pub(crate) fn kid(&self) -> &str {
        &self.kid
    }

    /// The public key.
    pub(crate) fn jwk(&self) -> &Value {
        &self.jwk
    }

    /// As another key would sign that is given out under this one's identifier.
    pub(crate) fn under(mut self, kid: &str) -> Self {
        self.header = header(kid);
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

fn header(kid: &str) -> String {
    let header = format!(r#"{{"b64":false,"crit":["b64"],"kid":"{kid}","alg":"RS256"}}"#);
    URL_SAFE_NO_PAD.encode(header)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_payload_is_compact_in_the_vendors_order_and_escaped() {
        let body = r#"{"eventType":"AGENT_JOINED","messageType":"SYSTEM","conversationId":"Aka5NMHU8MtIG7lUQOxI0DTOvM4","agentId":"cmalutan","agentName":"Cosmin,Malutan","timestamp":1629804577002}"#;
        let parcel = Parcel {
            tenant: "ten\"ant",
            customer: "cust",
            event: "e1",
            retry: 3,
            sent_ms: 1_700_000_000_000,
            body: body.as_bytes(),
        };
        assert_eq!(
            parcel.payload(),
            r#"{"checksum":1564621066,"cid":"cust","eid":"e1","retry":3,"tid":"ten\"ant","tt":1700000000000}"#
        );
    }
}
