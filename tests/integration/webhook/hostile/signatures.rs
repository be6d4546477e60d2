//! Signatures that are none, or not the vendor's, or not of this request.

use super::*;

/// An HMAC with the public key as its secret, for those who let the header choose.
fn hmac_with_the_public_key() -> Delivery {
    use aws_lc_rs::hmac;
    let mut header = protected(KID);
    header["alg"] = json!("HS256");
    let header = URL_SAFE_NO_PAD.encode(header.to_string());
    let key = hmac::Key::new(hmac::HMAC_SHA256, signer().jwk().as_bytes());
    let tag = hmac::sign(&key, format!("{header}.{}", plan().payload()).as_bytes());
    plan().with_signature(&format!("{header}..{}", URL_SAFE_NO_PAD.encode(tag)))
}

/// Signed as if `b64` were true: the payload encoded.
fn signed_over_an_encoded_payload() -> Delivery {
    let header = URL_SAFE_NO_PAD.encode(protected(KID).to_string());
    let payload = URL_SAFE_NO_PAD.encode(plan().payload());
    let signature = signer().sign(format!("{header}.{payload}").as_bytes());
    plan().with_signature(&format!("{header}..{}", URL_SAFE_NO_PAD.encode(signature)))
}

/// The last character of a signature of 256 bytes carries four bits that must be zero.
fn trailing_bits(protected: &str, signature: &str) -> String {
    let last = signature.chars().last().unwrap();
    let other = char::from(last as u8 + 1);
    format!("{protected}..{}{other}", &signature[..signature.len() - 1])
}

pub(super) fn signatures() -> Vec<(&'static str, Delivery, Refusal)> {
    use Refusal::{
        AttachedPayload, BadSignature, MalformedKid, MalformedSignature, UnknownKey, UnsupportedAlgorithm,
        UnsupportedB64, UnsupportedCrit,
    };
    let stranger_jwk: Value = serde_json::from_str(&stranger().jwk()).unwrap();
    let none = URL_SAFE_NO_PAD.encode(r#"{"b64":false,"crit":["b64"],"kid":"k","alg":"none"}"#);
    vec![
        (
            "alg none, no signature",
            plan().with_signature(&format!("{none}..")),
            UnsupportedAlgorithm,
        ),
        (
            "alg none, some signature",
            with_member("alg", json!("none")),
            UnsupportedAlgorithm,
        ),
        (
            "alg None",
            with_member("alg", json!("None")),
            UnsupportedAlgorithm,
        ),
        (
            "alg HS256 with the public key",
            hmac_with_the_public_key(),
            UnsupportedAlgorithm,
        ),
        (
            "alg RS512",
            with_member("alg", json!("RS512")),
            UnsupportedAlgorithm,
        ),
        (
            "alg PS256",
            with_member("alg", json!("PS256")),
            UnsupportedAlgorithm,
        ),
        (
            "alg rs256",
            with_member("alg", json!("rs256")),
            UnsupportedAlgorithm,
        ),
        ("no alg", with_member("alg", Value::Null), MalformedSignature),
        (
            "alg of another type",
            with_member("alg", json!(["RS256"])),
            MalformedSignature,
        ),
        (
            "alg twice",
            with_protected(format!(
                r#"{{"b64":false,"crit":["b64"],"kid":"{KID}","alg":"none","alg":"RS256"}}"#
            )),
            MalformedSignature,
        ),
        ("no crit", with_member("crit", Value::Null), UnsupportedCrit),
        ("empty crit", with_member("crit", json!([])), UnsupportedCrit),
        (
            "crit with more",
            with_member("crit", json!(["b64", "exp"])),
            UnsupportedCrit,
        ),
        (
            "crit with b64 twice",
            with_member("crit", json!(["b64", "b64"])),
            UnsupportedCrit,
        ),
        (
            "crit of something else",
            with_member("crit", json!(["http://example.invalid/x"])),
            UnsupportedCrit,
        ),
        (
            "crit of another type",
            with_member("crit", json!("b64")),
            MalformedSignature,
        ),
        ("b64 true", with_member("b64", json!(true)), UnsupportedB64),
        ("no b64", with_member("b64", Value::Null), UnsupportedB64),
        (
            "b64 of another type",
            with_member("b64", json!("false")),
            MalformedSignature,
        ),
        ("kid that climbs", with_kid("../../webhooks"), MalformedKid),
        (
            "kid with an encoded slash",
            with_kid("..%2f..%2fwebhooks"),
            MalformedKid,
        ),
        ("kid with a query", with_kid("a?b=c"), MalformedKid),
        ("kid of another script", with_kid("ключ"), MalformedKid),
        ("kid with a line break", with_kid("a\r\nx: y"), MalformedKid),
        ("empty kid", with_kid(""), MalformedKid),
        ("kid of 129 characters", with_kid(&"k".repeat(129)), MalformedKid),
        (
            "kid of 128 characters that nobody knows",
            with_kid(&"k".repeat(128)),
            UnknownKey,
        ),
        ("no kid", with_member("kid", Value::Null), MalformedSignature),
        (
            "header that is a list",
            with_protected(r#"["RS256","k",false,["b64"]]"#),
            MalformedSignature,
        ),
        (
            "header that is no JSON",
            with_protected("RS256"),
            MalformedSignature,
        ),
        (
            "header that is no text",
            then_set(
                "x-8x8-signature",
                format!("{}..c2ln", URL_SAFE_NO_PAD.encode(b"{\"alg\":\"\xff\"}")),
            ),
            MalformedSignature,
        ),
        ("another key", plan().signed_by(stranger()), BadSignature),
        (
            "another key, brought along",
            Plan {
                protected: {
                    let mut h = protected(KID);
                    h["jwk"] = stranger_jwk;
                    h.to_string()
                },
                ..plan()
            }
            .signed_by(stranger()),
            BadSignature,
        ),
        (
            "another key, at an address",
            Plan {
                protected: {
                    let mut h = protected(KID);
                    h["jku"] = json!("http://127.0.0.1:1/jwk");
                    h.to_string()
                },
                ..plan()
            }
            .signed_by(stranger()),
            BadSignature,
        ),
        (
            "signed over an encoded payload",
            signed_over_an_encoded_payload(),
            BadSignature,
        ),
        (
            "header rewritten",
            with_segments(|_, signature| {
                format!(
                    "{}..{signature}",
                    URL_SAFE_NO_PAD.encode(format!("{} ", protected(KID)))
                )
            }),
            BadSignature,
        ),
        (
            "padded signature",
            with_segments(|p, s| format!("{p}..{s}==")),
            MalformedSignature,
        ),
        (
            "padded header",
            with_segments(|p, s| format!("{p}=..{s}")),
            MalformedSignature,
        ),
        (
            "signature with trailing bits",
            with_segments(trailing_bits),
            MalformedSignature,
        ),
        (
            "signature of the other alphabet",
            with_segments(|p, s| format!("{p}..+/{}", &s[2..])),
            MalformedSignature,
        ),
        (
            "signature with a space",
            with_segments(|p, s| format!("{p}..{} {}", &s[..9], &s[9..])),
            MalformedSignature,
        ),
        (
            "short signature",
            with_segments(|p, s| format!("{p}..{}", &s[..4])),
            BadSignature,
        ),
        (
            "no signature behind the dots",
            with_segments(|p, _| format!("{p}..")),
            MalformedSignature,
        ),
        (
            "attached payload",
            with_segments(|p, s| format!("{p}.{}.{s}", URL_SAFE_NO_PAD.encode(plan().payload()))),
            AttachedPayload,
        ),
        (
            "four segments",
            with_segments(|p, s| format!("{p}..{s}.")),
            MalformedSignature,
        ),
        (
            "five segments, as if encrypted",
            with_segments(|p, s| format!("{p}....{s}")),
            MalformedSignature,
        ),
        (
            "two segments",
            with_segments(|p, s| format!("{p}.{s}")),
            MalformedSignature,
        ),
        (
            "empty signature",
            then_set("x-8x8-signature", ""),
            MalformedSignature,
        ),
        (
            "JSON serialisation",
            with_segments(|p, s| format!(r#"{{"protected":"{p}","signature":"{s}"}}"#)),
            MalformedSignature,
        ),
        (
            "signature of 4097 bytes",
            then_set("x-8x8-signature", "a".repeat(4097)),
            MalformedSignature,
        ),
    ]
}
