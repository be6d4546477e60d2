#![allow(clippy::unwrap_used, reason = "tests")]

use aws_lc_rs::{
    rand::SystemRandom,
    rsa::{KeyPair, KeySize, PublicKeyComponents},
    signature::{KeyPair as _, RSA_PKCS1_SHA256},
};
use axum::http::HeaderValue;
use rstest::rstest;
use serde_json::json;

use super::*;

const BODY: &str = r#"{"eventType":"MESSAGE","data":{"text":"Grüße \"a\\b\" c/d"}}"#;
const PROTECTED: &str = r#"{"b64":false,"crit":["b64"],"kid":"k1","alg":"RS256"}"#;

struct Signer(KeyPair);

impl Signer {
    fn new() -> Self {
        Self(KeyPair::generate(KeySize::Rsa2048).unwrap())
    }

    fn key(&self) -> VerifyingKey {
        let public = PublicKeyComponents::<Vec<u8>>::from(self.0.public_key());
        let jwk = json!({"kty": "RSA", "n": URL_SAFE_NO_PAD.encode(public.n), "e": URL_SAFE_NO_PAD.encode(public.e)});
        VerifyingKey::from_jwk(&jwk.to_string(), "k1").unwrap()
    }

    /// The headers of a delivery, signed over this payload.
    fn headers(&self, payload: &str) -> HeaderMap {
        let protected = URL_SAFE_NO_PAD.encode(PROTECTED);
        let input = format!("{protected}.{payload}");
        let mut signature = vec![0; self.0.public_modulus_len()];
        self.0
            .sign(
                &RSA_PKCS1_SHA256,
                &SystemRandom::new(),
                input.as_bytes(),
                &mut signature,
            )
            .unwrap();
        let signature = format!("{protected}..{}", URL_SAFE_NO_PAD.encode(signature));
        let values = ["Acme", "Cust", "evt-1", "1700000000000", "3", &signature];
        let mut headers = HeaderMap::new();
        for (name, value) in HEADERS.into_iter().zip(values) {
            headers.insert(name, HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    /// What is found where this payload was signed and this body came.
    fn cause(&self, payload: &str, body: &[u8]) -> Option<Cause> {
        let claimed = Claimed::read(&self.headers(payload)).unwrap();
        cause(&claimed, &self.key(), body)
    }
}

fn payload(body: &[u8]) -> String {
    let checksum = crc32fast::hash(body);
    format!(
        r#"{{"checksum":{checksum},"cid":"Cust","eid":"evt-1","retry":3,"tid":"Acme","tt":1700000000000}}"#
    )
}

#[test]
fn what_is_signed_has_no_cause_to_fail() {
    assert_eq!(
        Signer::new().cause(&payload(BODY.as_bytes()), BODY.as_bytes()),
        None
    );
}

#[rstest]
#[case::line_end(format!("{BODY}\n"), "a line end was added")]
#[case::mark(format!("\u{feff}{BODY}"), "byte order mark")]
#[case::spaces(BODY.replace("\":", "\": ").replace(",\"", ", \""), "spaces were put")]
#[case::escapes(BODY.replace('ü', "\\u00fc").replace('ß', "\\u00df"), "as \\u escapes")]
fn a_body_that_was_changed_is_named(#[case] came: String, #[case] says: &str) {
    let found = Signer::new().cause(&payload(BODY.as_bytes()), came.as_bytes());
    assert!(
        matches!(&found, Some(Cause::Body(how)) if how.contains(says)),
        "{found:?}"
    );
}

#[test]
fn a_line_end_that_was_taken_away_is_named() {
    let signed = format!("{BODY}\n");
    let found = Signer::new().cause(&payload(signed.as_bytes()), BODY.as_bytes());
    assert!(matches!(found, Some(Cause::Body(how)) if how.contains("taken away")));
}

#[rstest]
#[case::retry(|it: String| it.replace("\"retry\":3", "\"retry\":0"), Cause::Retry(0))]
#[case::tenant(|it: String| it.replace("Acme", "acme"), Cause::Header(TENANT, "was changed from lower case"))]
#[case::order(
    |it: String| it.replace(",\"tt\":1700000000000", "").replace('{', "{\"tt\":1700000000000,"),
    Cause::Order("tt, checksum, cid, eid, retry, tid".into())
)]
#[case::spaces(
    |it: String| it.replace(':', ": ").replace(',', ", "),
    Cause::Form("the payload with spaces behind `:` and `,`")
)]
#[case::base64(
    |it: String| URL_SAFE_NO_PAD.encode(it),
    Cause::Form("the payload in base64url (`b64` is false: it is signed as it is)")
)]
fn another_form_that_was_signed_is_named(#[case] change: fn(String) -> String, #[case] expected: Cause) {
    let signed = change(payload(BODY.as_bytes()));
    assert_eq!(Signer::new().cause(&signed, BODY.as_bytes()), Some(expected));
}

#[test]
fn another_key_or_another_body_has_no_cause_that_is_known() {
    let (signer, other) = (Signer::new(), Signer::new());
    let claimed = Claimed::read(&signer.headers(&payload(BODY.as_bytes()))).unwrap();
    assert_eq!(cause(&claimed, &other.key(), BODY.as_bytes()), None);
    assert_eq!(cause(&claimed, &signer.key(), b"{}"), None);
}

#[test]
fn headers_are_judged_one_by_one_as_they_are_together() {
    let signer = Signer::new();
    let good = signer.headers(&payload(BODY.as_bytes()));
    assert!(headers(&good).iter().all(|(_, checked)| checked.is_ok()));
    for name in HEADERS {
        let mut without = good.clone();
        without.remove(&name);
        let wrong: Vec<_> = headers(&without)
            .into_iter()
            .filter(|(_, it)| it.is_err())
            .collect();
        assert_eq!(wrong, [(name.clone(), Err(Refusal::MissingHeader))]);
        assert_eq!(Claimed::read(&without), Err(Refusal::MissingHeader));
        let mut odd = good.clone();
        odd.insert(&name, HeaderValue::from_static("a b"));
        let all = headers(&odd);
        let refusals: Vec<_> = all.iter().filter_map(|(_, it)| it.err()).collect();
        assert_eq!(refusals.len(), 1, "{name}");
        assert_eq!(Claimed::read(&odd).err().as_ref(), refusals.first());
    }
}
