//! The vendor's answer that holds a public key. Input: the answer's body.
//!
//! Only a key that is meant for RS256 and big enough is taken, and it verifies what was signed with it and nothing else.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chatbridge::{
    gateway::fuzzing::signing_key,
    json,
    webhook::{JwkError, VerifyingKey},
};
use serde_json::Value;

use crate::signed;

/// Checks one input.
pub fn check(input: &[u8]) {
    let answer = signing_key(input);
    if let Ok(text) = std::str::from_utf8(input) {
        let through_the_gateway = match &answer {
            Ok(key) => read(key).map(drop),
            Err(_) => Err(JwkError::NotAJwk),
        };
        assert_eq!(read(text).map(drop), through_the_gateway);
    }
    let Ok(key_text) = answer else {
        return;
    };
    assert_eq!(signing_key(key_text.as_bytes()).as_ref(), Ok(&key_text));
    if let Ok(key) = read(&key_text) {
        let jwk = json::from_str(&key_text).unwrap();
        is_fit(&jwk);
        let known = serde_json::from_str(signed::jwk()).unwrap();
        assert_eq!(verifies_a_delivery(&key), numbers(&jwk) == numbers(&known));
    }
}

fn read(text: &str) -> Result<VerifyingKey, JwkError> {
    VerifyingKey::from_jwk(text, signed::kid())
}

/// What RFC 7517 lets a key say of itself, as this service needs it.
fn is_fit(jwk: &Value) {
    let says = |name: &str, only: &str| jwk[name].is_null() || jwk[name] == only;
    assert_eq!(jwk["kty"], "RSA");
    assert!(says("alg", "RS256") && says("use", "sig") && says("kid", signed::kid()));
    let ops = &jwk["key_ops"];
    assert!(ops.is_null() || ops.as_array().unwrap().iter().any(|op| op == "verify"));
    let [n, e] = numbers(jwk);
    assert!((256..=1024).contains(&n.len()) && n[n.len() - 1] % 2 == 1);
    assert!(n.len() > 256 || n[0] >= 0x80, "less than 2048 bits");
    assert!((1..=4).contains(&e.len()) && e[e.len() - 1] % 2 == 1 && e != [1]);
}

/// Modulus and exponent, without zeros in front.
fn numbers(jwk: &Value) -> [Vec<u8>; 2] {
    ["n", "e"].map(|name| {
        let bytes = URL_SAFE_NO_PAD.decode(jwk[name].as_str().unwrap()).unwrap();
        bytes.into_iter().skip_while(|b| *b == 0).collect()
    })
}

fn verifies_a_delivery(key: &VerifyingKey) -> bool {
    let (input, signature) = signed::known_answer();
    key.verifies(input, signature)
}
