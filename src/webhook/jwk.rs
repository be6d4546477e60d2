//! From the vendor's JWK (RFC 7517) to a key that verifies.

use std::{fmt, sync::Arc};

use aws_lc_rs::{
    rsa::PublicKeyComponents,
    signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;
use serde_json::Value;

use crate::json;

/// An RSA public key, parsed once; clones share it.
#[derive(Clone)]
pub struct VerifyingKey(Arc<ParsedPublicKey>);

/// Why a JWK cannot be used. It says nothing of the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JwkError {
    /// Neither a JSON object nor a JSON string that holds one, or a member of another type.
    #[error("the answer is not a JWK")]
    NotAJwk,
    /// `kty` is not RSA.
    #[error("the key is not an RSA key")]
    NotRsa,
    /// `kid` names another key.
    #[error("the key has another key id than the one that was asked for")]
    OtherKey,
    /// `alg`, `use` or `key_ops` do not allow verifying RS256.
    #[error("the key is not meant for verifying RS256 signatures")]
    OtherPurpose,
    /// The modulus is not odd, or not of 2048 to 8192 bits.
    #[error("the key's modulus must be odd and have 2048 to 8192 bits")]
    Modulus,
    /// The exponent is not odd, or not from 3 to 2^32-1.
    #[error("the key's exponent must be odd and from 3 to 4294967295")]
    Exponent,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    key_ops: Option<Vec<String>>,
    n: String,
    e: String,
}

impl VerifyingKey {
    /// Reads the JWK that the vendor answered for `kid`. The vendor describes its answer as a string and shows an object:
    /// both are taken.
    pub fn from_jwk(text: &str, kid: &str) -> Result<Self, JwkError> {
        let mut value: Value = json::from_str(text).map_err(|_| JwkError::NotAJwk)?;
        if let Value::String(inner) = &value {
            value = json::from_str(inner).map_err(|_| JwkError::NotAJwk)?;
        }
        if !value.is_object() {
            return Err(JwkError::NotAJwk);
        }
        let kty = value.get("kty").and_then(Value::as_str);
        if kty.is_some_and(|kty| kty != "RSA") {
            return Err(JwkError::NotRsa);
        }
        let jwk: Jwk = serde_json::from_value(value).map_err(|_| JwkError::NotAJwk)?;
        jwk.into_key(kid)
    }

    /// Whether `signature` is this key's RS256 signature of `message`.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.0.verify_sig(message, signature).is_ok()
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VerifyingKey")
    }
}

impl Jwk {
    fn into_key(self, kid: &str) -> Result<VerifyingKey, JwkError> {
        if self.kty != "RSA" {
            return Err(JwkError::NotRsa);
        }
        if self.kid.is_some_and(|given| given != kid) {
            return Err(JwkError::OtherKey);
        }
        let ops = self.key_ops;
        let allowed = self.alg.is_none_or(|alg| alg == "RS256")
            && self.usage.is_none_or(|usage| usage == "sig")
            && ops.is_none_or(|ops| ops.iter().any(|op| op == "verify"));
        if !allowed {
            return Err(JwkError::OtherPurpose);
        }
        let n = integer(&self.n).ok_or(JwkError::NotAJwk)?;
        let e = integer(&self.e).ok_or(JwkError::NotAJwk)?;
        if !(2048..=8192).contains(&bits(&n)) || !is_odd(&n) {
            return Err(JwkError::Modulus);
        }
        if !(2..=32).contains(&bits(&e)) || !is_odd(&e) {
            return Err(JwkError::Exponent);
        }
        PublicKeyComponents { n, e }
            .to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256)
            .map(|key| VerifyingKey(Arc::new(key)))
            .map_err(|_| JwkError::Modulus)
    }
}

/// An unsigned big-endian integer (RFC 7518, 2: Base64urlUInt). Some writers put a zero in front, as in ASN.1.
fn integer(text: &str) -> Option<Vec<u8>> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let start = bytes.iter().position(|b| *b != 0)?;
    Some(bytes[start..].to_vec())
}

fn bits(integer: &[u8]) -> usize {
    integer
        .first()
        .map_or(0, |first| integer.len() * 8 - first.leading_zeros() as usize)
}

fn is_odd(integer: &[u8]) -> bool {
    integer.last().is_some_and(|last| last & 1 == 1)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    fn number(bytes: usize, first: u8, last: u8) -> String {
        let mut number = vec![0x5a; bytes];
        number[0] = first;
        number[bytes - 1] = last;
        URL_SAFE_NO_PAD.encode(number)
    }

    fn jwk() -> Value {
        json!({ "kty": "RSA", "kid": "k1", "alg": "RS256", "use": "sig", "n": number(256, 0xc1, 0x5b), "e": "AQAB" })
    }

    fn with(name: &str, value: Value) -> Value {
        let mut jwk = jwk();
        jwk[name] = value;
        jwk
    }

    fn without(name: &str) -> Value {
        let mut jwk = jwk();
        jwk.as_object_mut().unwrap().remove(name);
        jwk
    }

    #[rstest]
    #[case::all_members(jwk())]
    #[case::a_string_that_holds_it(Value::String(jwk().to_string()))]
    #[case::no_kid(without("kid"))]
    #[case::no_alg(without("alg"))]
    #[case::no_use(without("use"))]
    #[case::for_verifying(with("key_ops", json!(["verify"])))]
    #[case::leading_zero(with("n", json!(URL_SAFE_NO_PAD.encode([&[0], &[0xc1; 256][..]].concat()))))]
    #[case::exponent_three(with("e", json!("Aw")))]
    #[case::eight_thousand_bits(with("n", json!(number(1024, 0x80, 1))))]
    fn usable_keys_are_taken(#[case] jwk: Value) {
        assert!(VerifyingKey::from_jwk(&jwk.to_string(), "k1").is_ok());
    }

    #[rstest]
    #[case::a_list(json!([1]), JwkError::NotAJwk)]
    #[case::null(Value::Null, JwkError::NotAJwk)]
    #[case::some_string(json!("no key"), JwkError::NotAJwk)]
    #[case::a_string_in_a_string(json!(json!("{}").to_string()), JwkError::NotAJwk)]
    #[case::no_kty(without("kty"), JwkError::NotAJwk)]
    #[case::elliptic_curve(json!({ "kty": "EC", "crv": "P-256", "x": "AA", "y": "AA" }), JwkError::NotRsa)]
    #[case::symmetric(json!({ "kty": "oct", "k": "c2VjcmV0" }), JwkError::NotRsa)]
    #[case::other_kid(with("kid", json!("k2")), JwkError::OtherKey)]
    #[case::kid_of_another_type(with("kid", json!(1)), JwkError::NotAJwk)]
    #[case::other_alg(with("alg", json!("PS256")), JwkError::OtherPurpose)]
    #[case::for_encryption(with("use", json!("enc")), JwkError::OtherPurpose)]
    #[case::for_signing_only(with("key_ops", json!(["sign"])), JwkError::OtherPurpose)]
    #[case::padded_modulus(with("n", json!(format!("{}==", number(256, 0xc1, 1)))), JwkError::NotAJwk)]
    #[case::empty_modulus(with("n", json!("")), JwkError::NotAJwk)]
    #[case::short_modulus(with("n", json!(number(256, 0x7f, 1))), JwkError::Modulus)]
    #[case::long_modulus(with("n", json!(number(1025, 1, 1))), JwkError::Modulus)]
    #[case::even_modulus(with("n", json!(number(256, 0xc1, 0x5a))), JwkError::Modulus)]
    #[case::exponent_one(with("e", json!("AQ")), JwkError::Exponent)]
    #[case::even_exponent(with("e", json!("AQAA")), JwkError::Exponent)]
    #[case::long_exponent(with("e", json!("AQAAAAE")), JwkError::Exponent)]
    fn others_are_not(#[case] jwk: Value, #[case] error: JwkError) {
        assert_eq!(VerifyingKey::from_jwk(&jwk.to_string(), "k1").unwrap_err(), error);
    }
}
