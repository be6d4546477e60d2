//! Callers told apart, with keys that are really fetched.

use std::{collections::HashMap, num::NonZeroU32, time::Duration};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use rstest::rstest;
use serde_json::{Value, json};
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{method, path},
};

use super::*;
use crate::access::{CallerLimits, ClaimGrant, Grant, IssuerPolicy, Role, Scope};

const ISSUER: &str = "https://id.example";

/// A key pair of the issuer's, P-256.
struct Pair {
    kid: &'static str,
    signing: EncodingKey,
    jwk: Value,
}

impl Pair {
    fn new(kid: &'static str) -> Self {
        use aws_lc_rs::{
            rand::SystemRandom,
            signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _},
        };
        let pkcs8 =
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref()).unwrap();
        let point = pair.public_key().as_ref();
        let jwk = json!({
            "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": kid,
            "x": URL_SAFE_NO_PAD.encode(&point[1..33]), "y": URL_SAFE_NO_PAD.encode(&point[33..]),
        });
        Self {
            kid,
            signing: EncodingKey::from_ec_der(pkcs8.as_ref()),
            jwk,
        }
    }

    fn sign(&self, claims: &Value) -> String {
        let mut header = Header::new(Algorithm::ES256);
        header.kid = Some(self.kid.to_owned());
        encode(&header, claims, &self.signing).unwrap()
    }
}

fn in_seconds(seconds: i64) -> i64 {
    jiff::Timestamp::now().as_second() + seconds
}

fn claims() -> Value {
    json!({"iss": ISSUER, "aud": "chatbridge", "sub": "bot-7", "exp": in_seconds(60), "groups": ["bots"]})
}

fn with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[name] = value;
    claims
}

fn without(name: &str) -> Value {
    let mut claims = claims();
    claims.as_object_mut().unwrap().remove(name);
    claims
}

fn grant(name: &str, role: Role) -> Grant {
    Grant {
        name: name.into(),
        role,
        tenants: Scope::All,
        limits: CallerLimits::default(),
    }
}

fn issuer(url: &str) -> IssuerPolicy {
    IssuerPolicy {
        issuer: ISSUER.into(),
        audiences: vec!["chatbridge".into()],
        algorithms: vec![Algorithm::ES256],
        jwks_url: format!("{url}/keys").parse().unwrap(),
        name_claim: "sub".into(),
        grants: vec![ClaimGrant {
            claim: "groups".into(),
            value: "bots".into(),
            role: Role::Caller,
            tenants: Scope::All,
            limits: CallerLimits::default(),
        }],
    }
}

async fn publish(server: &MockServer, pairs: &[&Pair]) {
    server.reset().await;
    let keys: Vec<&Value> = pairs.iter().map(|pair| &pair.jwk).collect();
    Mock::given(method("GET"))
        .and(path("/keys"))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({ "keys": keys })))
        .mount(server)
        .await;
}

async fn fetches(server: &MockServer) -> usize {
    server.received_requests().await.unwrap().len()
}

/// As quick as a test would have it; five fetches may follow one another at once, as ever.
const QUICK: Pace = Pace {
    refresh_after: Duration::from_secs(300),
    rest: Duration::from_millis(100),
    keep_for: Duration::from_secs(3600),
};

fn access(server: &MockServer) -> Access {
    let policy = Policy {
        issuers: vec![issuer(&server.uri())],
        ..Policy::default()
    };
    Access::with_pace(policy, QUICK)
}

fn bearer(token: &str) -> Presented<'_> {
    Presented {
        bearer: Some(token),
        certificate: None,
    }
}

#[tokio::test]
async fn an_issuer_s_token_is_worth_what_its_claims_are() {
    let (server, pair) = (MockServer::start().await, Pair::new("k1"));
    publish(&server, &[&pair]).await;
    let access = access(&server);
    let caller = access.identify(bearer(&pair.sign(&claims()))).await.unwrap();
    assert_eq!(
        (caller.name(), caller.role()),
        ("bot-7 (https://id.example)", Role::Caller)
    );
    assert!(caller.until().is_some());
    for audience in [json!(["other", "chatbridge"]), json!("chatbridge")] {
        assert!(
            access
                .identify(bearer(&pair.sign(&with("aud", audience))))
                .await
                .is_ok()
        );
    }
    assert_eq!(fetches(&server).await, 1, "the keys are fetched once");
}

#[rstest]
#[case::expired(with("exp", json!(in_seconds(-60))), Denied::Expired)]
#[case::not_yet(with("nbf", json!(in_seconds(120))), Denied::Invalid)]
#[case::for_somebody_else(with("aud", json!("other")), Denied::Invalid)]
#[case::for_nobody(without("aud"), Denied::Invalid)]
#[case::for_ever(without("exp"), Denied::Invalid)]
#[case::of_another_issuer(with("iss", json!("https://evil.example")), Denied::Invalid)]
#[case::of_nobody(without("iss"), Denied::Invalid)]
#[case::without_a_group(without("groups"), Denied::NoGrant)]
#[case::of_another_group(with("groups", json!(["people"])), Denied::NoGrant)]
#[case::without_a_name(without("sub"), Denied::NoGrant)]
#[case::with_an_empty_name(with("sub", json!("")), Denied::NoGrant)]
#[case::with_a_line_for_a_name(with("sub", json!("a\nb")), Denied::NoGrant)]
#[tokio::test]
async fn a_signed_token_may_be_worth_nothing(#[case] claims: Value, #[case] expected: Denied) {
    let (server, pair) = (MockServer::start().await, Pair::new("k1"));
    publish(&server, &[&pair]).await;
    let denied = access(&server)
        .identify(bearer(&pair.sign(&claims)))
        .await
        .unwrap_err();
    assert_eq!(denied, expected);
}

#[tokio::test]
async fn what_is_not_signed_as_it_must_be_is_not_looked_at() {
    let (server, pair, other) = (MockServer::start().await, Pair::new("k1"), Pair::new("k1"));
    publish(&server, &[&pair]).await;
    let access = access(&server);
    let good = pair.sign(&claims());
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let parts: Vec<&str> = good.split('.').collect();
    let none = format!(
        "{}.{}.",
        part(&json!({"alg": "none", "typ": "JWT"})),
        part(&claims())
    );
    // Signed with the public key as if it were a shared secret.
    let secret = EncodingKey::from_secret(pair.jwk.to_string().as_bytes());
    let mut header = Header::new(Algorithm::HS256);
    header.kid = Some("k1".into());
    let confused = encode(&header, &claims(), &secret).unwrap();
    let mut header = Header::new(Algorithm::ES256);
    header.kid = Some("k1".into());
    header.crit = Some(vec!["b64".into()]);
    let critical = encode(&header, &claims(), &pair.signing).unwrap();
    let bad = [
        other.sign(&claims()),
        none,
        confused,
        critical,
        format!(
            "{}.{}.{}",
            parts[0],
            part(&with("groups", json!(["bots", "admins"]))),
            parts[2]
        ),
        format!("{}.{}.", parts[0], parts[1]),
        "a.b.c".to_owned(),
        "..".to_owned(),
        format!("{good}{}", "A".repeat(20_000)),
    ];
    for token in bad {
        let denied = access.identify(bearer(&token)).await.unwrap_err();
        assert_eq!(denied, Denied::Invalid, "{}", &token[..token.len().min(80)]);
    }
    assert!(access.identify(bearer(&good)).await.is_ok());
}

#[tokio::test]
async fn a_new_key_is_found_and_an_unknown_one_asks_once_in_a_while() {
    let (server, old, new, evil) = (
        MockServer::start().await,
        Pair::new("k1"),
        Pair::new("k2"),
        Pair::new("k3"),
    );
    publish(&server, &[&old]).await;
    let access = access(&server);
    assert!(access.identify(bearer(&old.sign(&claims()))).await.is_ok());
    publish(&server, &[&old, &new]).await;
    assert!(access.identify(bearer(&new.sign(&claims()))).await.is_ok());
    assert!(access.identify(bearer(&old.sign(&claims()))).await.is_ok());
    let before = fetches(&server).await;
    let begun = std::time::Instant::now();
    let mut judged = 0;
    for _ in 0..100 {
        match access.identify(bearer(&evil.sign(&claims()))).await.unwrap_err() {
            Denied::Invalid => judged += 1,
            // It may be a new one, and nobody may look just now.
            denied => assert_eq!(denied, Denied::Unverifiable),
        }
    }
    let most = begun.elapsed().as_millis() / QUICK.rest.as_millis() + 6;
    let asked = fetches(&server).await - before;
    assert!(asked as u128 <= most, "{asked} fetches, {most} at most");
    assert_eq!(judged, asked);
    assert!(
        access.identify(bearer(&new.sign(&claims()))).await.is_ok(),
        "others go on"
    );
}

#[tokio::test]
async fn known_keys_outlive_their_address_and_without_any_nothing_is_said() {
    let (server, pair, other) = (MockServer::start().await, Pair::new("k1"), Pair::new("k2"));
    let access = access(&server);
    let token = pair.sign(&claims());
    // 404 as yet.
    assert_eq!(
        access.identify(bearer(&token)).await.unwrap_err(),
        Denied::Unverifiable
    );
    publish(&server, &[&pair]).await;
    assert!(access.identify(bearer(&token)).await.is_ok());
    server.reset().await;
    assert_eq!(
        access.identify(bearer(&other.sign(&claims()))).await.unwrap_err(),
        Denied::Unverifiable
    );
    assert!(access.identify(bearer(&token)).await.is_ok(), "it is still known");
}

#[rstest]
#[case::a_redirect(ResponseTemplate::new(302).insert_header("location", "/elsewhere"))]
#[case::no_json(ResponseTemplate::new(200).set_body_string("<html>"))]
#[case::no_keys(ResponseTemplate::new(200).set_body_json(json!({"keys": []})))]
#[case::too_much(ResponseTemplate::new(200).set_body_string(" ".repeat(300 << 10)))]
#[case::an_error(ResponseTemplate::new(500))]
#[tokio::test]
async fn answers_that_are_no_keys_are_not_used(#[case] answer: ResponseTemplate) {
    let (server, pair) = (MockServer::start().await, Pair::new("k1"));
    Mock::given(path("/keys"))
        .respond_with(answer)
        .mount(&server)
        .await;
    let keys = ResponseTemplate::new(200).set_body_json(json!({"keys": [pair.jwk]}));
    Mock::given(path("/elsewhere"))
        .respond_with(keys)
        .mount(&server)
        .await;
    let denied = access(&server)
        .identify(bearer(&pair.sign(&claims())))
        .await
        .unwrap_err();
    assert_eq!(denied, Denied::Unverifiable);
}

#[tokio::test]
async fn a_token_counts_before_a_certificate() {
    let policy = Policy {
        tokens: HashMap::from([(token::hash("t"), grant("by token", Role::Admin))]),
        identities: HashMap::from([("spiffe://a/b".to_owned(), grant("by name", Role::Reader))]),
        ..Policy::default()
    };
    let access = Access::new(policy);
    let names = ["spiffe://a/b".to_owned()];
    let presents = |bearer| Presented {
        bearer,
        certificate: Some((&names, SystemTime::now() + Duration::from_secs(60))),
    };
    let by_token = access.identify(presents(Some("t"))).await.unwrap();
    assert_eq!(by_token.name(), "by token");
    assert_eq!(access.identify(presents(None)).await.unwrap().name(), "by name");
    assert_eq!(
        access.identify(presents(Some("x"))).await.unwrap_err(),
        Denied::Invalid
    );
    let nothing = Presented {
        bearer: None,
        certificate: None,
    };
    assert_eq!(access.identify(nothing).await.unwrap_err(), Denied::Missing);
}

#[tokio::test]
async fn another_policy_judges_those_who_are_in() {
    let policy = |role| Policy {
        tokens: HashMap::from([(token::hash("t"), grant("a", role))]),
        ..Policy::default()
    };
    let access = Access::new(policy(Role::Admin));
    let caller = access.identify(bearer("t")).await.unwrap();
    let number = access.number();
    access.replace(policy(Role::Reader));
    assert_ne!(access.number(), number);
    assert_eq!(access.again(&caller).unwrap().role(), Role::Reader);
    access.replace(Policy {
        tokens: HashMap::from([(token::hash("other"), grant("a", Role::Admin))]),
        ..Policy::default()
    });
    assert_eq!(access.again(&caller).unwrap_err(), Denied::Invalid);
}

#[tokio::test]
async fn a_caller_s_calls_and_streams_are_limited() {
    let mut limited = grant("a", Role::Caller);
    limited.limits = CallerLimits {
        calls_per_second: NonZeroU32::new(2),
        streams: 1,
    };
    let policy = Policy {
        tokens: HashMap::from([(token::hash("t"), limited)]),
        ..Policy::default()
    };
    let access = Access::new(policy);
    let caller = access.identify(bearer("t")).await.unwrap();
    let same = access.identify(bearer("t")).await.unwrap();
    assert!(access.count(&caller).is_ok() && access.count(&same).is_ok());
    assert!(matches!(access.count(&caller), Err(Denied::TooManyCalls { .. })));
    let stream = access.open_stream(&caller).unwrap();
    assert!(access.open_stream(&same).is_none());
    drop(stream);
    assert!(access.open_stream(&same).is_some());
}
