//! Captured webhooks that the door refuses, and why.

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Diagnosis, examine};
use crate::support::vendor::{Signed, TENANT, Vendor};

/// A vendor whose signed webhooks a test spoils, and the configuration of a door for them.
struct Post {
    vendor: Vendor,
    settings: Vec<(String, String)>,
    dir: TempDir,
}

impl Post {
    async fn new() -> Self {
        let vendor = Vendor::start().await;
        let settings = [
            ("gateway_url", vendor.server.uri()),
            ("tenant", TENANT.to_owned()),
            ("api_key", "key".to_owned()),
            ("redis_url", "memory:".to_owned()),
            ("gateway_attempts", "1".to_owned()),
        ];
        Self {
            vendor,
            settings: settings.map(|(name, value)| (name.to_owned(), value)).into(),
            dir: tempfile::tempdir().unwrap(),
        }
    }

    fn signed(&self) -> Signed {
        self.vendor
            .signed(&self.vendor.message("conv-1", "Grüße, s3cret"))
    }

    /// What is said of a request, as it goes over the wire.
    async fn explain(&self, request: &Signed, args: &[&str]) -> Diagnosis {
        self.explain_bytes(&request.wire("/webhooks/8x8"), args).await
    }

    async fn explain_bytes(&self, capture: &[u8], args: &[&str]) -> Diagnosis {
        let file = self.dir.path().join("capture");
        std::fs::write(&file, capture).unwrap();
        let mut all = vec!["--webhook-request", file.to_str().unwrap()];
        all.extend_from_slice(args);
        let found = examine(&self.settings, &all).await;
        assert!(!format!("{found:?}").contains("s3cret"), "{found:?}");
        found
    }
}

/// Another value for one of the headers.
fn change(request: &Signed, name: &str, value: &str) -> Signed {
    let mut changed = request.clone();
    for header in changed.headers.iter_mut().filter(|(known, _)| *known == name) {
        value.clone_into(&mut header.1);
    }
    changed
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_vendor_signed_is_taken() {
    let post = Post::new().await;
    let signed = post.signed();
    let found = post.explain(&signed, &[]).await;
    assert_eq!(found.code, 0, "{:#?}", found.wrong());
    let event = found.of("request.event");
    assert!(
        event[0]["sentence"]
            .as_str()
            .unwrap()
            .contains("\"MESSAGE\" of conversation \"conv-1\"")
    );
    let headers: serde_json::Map<String, Value> = signed
        .headers
        .iter()
        .map(|(name, value)| ((*name).to_owned(), json!(value)))
        .collect();
    let as_json = json!({
        "url": "https://h/webhooks/8x8", "headers": headers, "body": String::from_utf8(signed.body.clone()).unwrap(),
    });
    let found = post.explain_bytes(as_json.to_string().as_bytes(), &[]).await;
    assert_eq!(found.code, 0, "{:#?}", found.wrong());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_a_proxy_wrote_anew() {
    let post = Post::new().await;
    let mut spaced = post.signed();
    let text = String::from_utf8(spaced.body.clone()).unwrap();
    spaced.body = text.replace("\":", "\": ").into_bytes();
    let found = post.explain(&spaced, &[]).await;
    found
        .error(
            "request.body",
            "spaces were put between its members",
            "a proxy that parses JSON",
        )
        .error(
            "request.signature",
            "bad_signature",
            "Let nothing on the way touch the body",
        );
    let mut other = post.signed();
    other.body = br#"{"eventType":"MESSAGE"}"#.to_vec();
    let found = post.explain(&other, &[]).await;
    found.error(
        "request.signature",
        "another key signed it, or more than one",
        "byte for byte",
    );
    let checksum = crc32fast::hash(&other.body).to_string();
    found.error("request.signature", &checksum, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_that_are_missing_doubled_malformed_or_changed() {
    let post = Post::new().await;
    let signed = post.signed();
    let mut without = signed.clone();
    without.headers.retain(|(name, _)| *name != "x-8x8-retry");
    let found = post.explain(&without, &[]).await;
    found
        .error("request.header", "x-8x8-retry is missing", "pass on all x-8x8-")
        .error("request.signature", "400 (missing_header)", "headers");
    let mut doubled = signed.clone();
    doubled.headers.push(("x-8x8-event-id", "evt-2".to_owned()));
    let found = post.explain(&doubled, &[]).await;
    found.error(
        "request.header",
        "x-8x8-event-id is there more than once",
        "not add",
    );
    let found = post
        .explain(&change(&signed, "x-8x8-transmission-time", "yesterday"), &[])
        .await;
    found.error(
        "request.header",
        "x-8x8-transmission-time has a value",
        "as they came",
    );
    let found = post.explain(&change(&signed, "x-8x8-retry", "4"), &[]).await;
    found
        .error("request.header", "0 was signed", "x-8x8-retry as it came")
        .error("request.signature", "with what is said above undone, it does", "");
}

#[tokio::test(flavor = "multi_thread")]
async fn signatures_of_another_kind() {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    let post = Post::new().await;
    let signed = post.signed();
    let of = |header: Value| format!("{}..c2ln", URL_SAFE_NO_PAD.encode(header.to_string()));
    for (value, says) in [
        (
            of(json!({"alg": "HS256", "kid": "k", "b64": false, "crit": ["b64"]})),
            "`alg`",
        ),
        (of(json!({"alg": "RS256", "kid": "k", "b64": false})), "`crit`"),
        (
            of(json!({"alg": "RS256", "kid": "k", "b64": true, "crit": ["b64"]})),
            "`b64`",
        ),
        (
            of(json!({"alg": "RS256", "kid": "../k", "b64": false, "crit": ["b64"]})),
            "`kid`",
        ),
        ("no JWS".to_owned(), "no compact JWS"),
        ("e30.e30.c2ln".to_owned(), "a payload of its own"),
    ] {
        let found = post
            .explain(&change(&signed, "x-8x8-signature", &value), &[])
            .await;
        found.error("request.header", says, "8x8 does not sign so");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_off() {
    let post = Post::new().await;
    let signed = post.signed();
    let sent_ms: i64 = signed.headers[3].1.parse().unwrap();
    let late = (sent_ms + 400_000).to_string();
    let found = post.explain(&signed, &["--received-at", &late]).await;
    found
        .error("request.clock", "400.0 s before it was received", "NTP")
        .only(&["request.clock"]);
    assert_eq!(
        found.of("request.signature")[0]["severity"],
        "ok",
        "its age hides nothing else"
    );
    // Signed long ago, and nobody said when it came.
    let old = (sent_ms - 400_000).to_string();
    let found = post
        .explain(&change(&signed, "x-8x8-transmission-time", &old), &[])
        .await;
    assert_eq!(found.of("request.clock")[0]["severity"], "skipped");
    let soon = (sent_ms + 2_000).to_string();
    assert_eq!(post.explain(&signed, &["--received-at", &soon]).await.code, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_unknown_or_cannot_be_had() {
    let post = Post::new().await;
    let signed = post.signed();
    post.vendor.server.reset().await;
    let found = post.explain(&signed, &[]).await;
    found.error("request.key", "no such key", "gateway_url is the region");
    assert_eq!(found.of("request.signature")[0]["severity"], "skipped");
    let mut away = post;
    away.settings.retain(|(name, _)| name != "gateway_url");
    away.settings
        .push(("gateway_url".to_owned(), "http://127.0.0.1:9".to_owned()));
    away.explain(&signed, &[])
        .await
        .error("request.key", "key_unavailable", "--jwk");
    let jwk = away.dir.path().join("jwk");
    std::fs::write(&jwk, "{}").unwrap();
    let found = away.explain(&signed, &["--jwk", jwk.to_str().unwrap()]).await;
    found.error("request.key", "not a JWK", "/jwk/{kid}/public");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_tenant_path_or_method_and_a_body_that_was_cut() {
    let mut post = Post::new().await;
    let signed = post.signed();
    let found = post
        .explain(&change(&signed, "x-8x8-tenant-id", "other"), &[])
        .await;
    found.error("request.tenant", "served are: acme", "Correct `tenant`");
    let found = post.explain_bytes(&signed.wire("/hooks"), &[]).await;
    found.error(
        "request.path",
        "another than the door's",
        "YOUR-HOST/webhooks/8x8",
    );
    let as_get = String::from_utf8(signed.wire("/webhooks/8x8"))
        .unwrap()
        .replacen("POST", "GET", 1);
    post.explain_bytes(as_get.as_bytes(), &[])
        .await
        .error("request.path", "405", "proxy");
    let wire = signed.wire("/webhooks/8x8");
    let found = post.explain_bytes(&wire[..wire.len() - 5], &[]).await;
    found.error("request.body", "content-length says", "Capture the whole body");
    let found = post.explain_bytes(&[&wire[..], b"\n"].concat(), &[]).await;
    found
        .warning("request.body", "1 byte(s) stand behind", "line end")
        .only(&["request.body"]);
    post.settings
        .push(("webhook_path_secret".to_owned(), "0123456789abcdef".to_owned()));
    let found = post.explain(&signed, &[]).await;
    found.error("request.path", "no secret behind it", "/SECRET behind it");
    post.explain_bytes(b"hello", &[])
        .await
        .error("request.capture", "no empty line", "docs/doctor.md");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_vendors_check_of_the_address_needs_no_signature() {
    let post = Post::new().await;
    let body = br#"{"eventType":"WEB_HOOK_VERIFY","notificationVersion":"Chat Gateway v1.0"}"#;
    let request = Signed {
        headers: Vec::new(),
        body: body.to_vec(),
    };
    let found = post.explain(&request, &[]).await;
    assert_eq!(found.code, 0, "{:#?}", found.wrong());
    assert!(
        found.of("request.signature")[0]["sentence"]
            .as_str()
            .unwrap()
            .contains("answered 204")
    );
}
