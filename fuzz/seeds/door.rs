//! What comes to the door for webhooks: requests, bodies, and the answer that holds a key.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chatbridge_fuzz::signed::{Delivery, HEADERS, deliveries, jwk};
use serde_json::{Value, json};

use crate::{Seed, numbered};

pub(crate) fn requests() -> Vec<Seed> {
    let signed = deliveries().iter();
    let mut seeds: Vec<Seed> = signed.map(|d| (d.name.clone(), request(d, &d.headers))).collect();
    let first = &deliveries()[0];
    let (_, signature) = first.headers[5].split_once("..").unwrap();
    for (name, header) in [
        (
            "none",
            json!({ "alg": "none", "kid": "k", "b64": false, "crit": ["b64"] }),
        ),
        (
            "symmetric",
            json!({ "alg": "HS256", "kid": "k", "b64": false, "crit": ["b64"] }),
        ),
        (
            "encoded",
            json!({ "alg": "RS256", "kid": "k", "b64": true, "crit": ["b64"] }),
        ),
        ("uncritical", json!({ "alg": "RS256", "kid": "k", "b64": false })),
        (
            "critical",
            json!({ "alg": "RS256", "kid": "k", "b64": false, "crit": ["b64", "exp"] }),
        ),
        (
            "path",
            json!({ "alg": "RS256", "kid": "../k", "b64": false, "crit": ["b64"] }),
        ),
        (
            "embedded",
            json!({ "alg": "RS256", "kid": "k", "b64": false, "crit": ["b64"], "jwk": {}, "jku": "https://a.invalid" }),
        ),
    ] {
        let mut headers = first.headers.clone();
        headers[5] = format!("{}..{signature}", URL_SAFE_NO_PAD.encode(header.to_string()));
        seeds.push((format!("alg-{name}"), request(first, &headers)));
    }
    let traced = b"traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\n";
    seeds.push((
        "traced".into(),
        [traced, &*request(first, &first.headers)].concat(),
    ));
    seeds
}

fn request(delivery: &Delivery, values: &[String; 6]) -> Vec<u8> {
    let lines: Vec<String> = HEADERS
        .iter()
        .zip(values)
        .map(|(name, value)| format!("{name}: {value}"))
        .collect();
    [lines.join("\n").as_bytes(), b"\n\n", &delivery.body].concat()
}

pub(crate) fn bodies() -> Vec<Seed> {
    let mut seeds: Vec<Seed> = deliveries()
        .iter()
        .map(|d| (d.name.clone(), d.body.clone()))
        .collect();
    let deep = |depth: usize| {
        let (open, close) = ("[".repeat(depth), "]".repeat(depth));
        format!(
            r#"{{"eventType":"ACTIVITY","conversationId":"c1","data":{{"name":"a","value":{open}{close}}}}}"#
        )
    };
    for (name, body) in [
        ("deep", deep(100)),
        ("too-deep", deep(300)),
        ("mark", "\u{feff}{\"eventType\":\"TRANSFER\"}".to_owned()),
        ("half", r#"{"eventType":"TEXT","message":"\ud83d"}"#.to_owned()),
        (
            "cut",
            r#"{"eventType":"MESSAGE","conversationId":"c1","data":{"te"#.to_owned(),
        ),
        (
            "private-name",
            r#"{"eventType":"ACTIVITY","data":{"name":"a","value":{"$serde_json::private::RawValue":"[1"}}}"#
                .to_owned(),
        ),
        (
            "late",
            r#"{"eventType":"TRANSFER","timestamp":"9999999999999999"}"#.to_owned(),
        ),
    ] {
        seeds.push((name.to_owned(), body.into_bytes()));
    }
    seeds
}

pub(crate) fn keys() -> Vec<Seed> {
    let key: Value = serde_json::from_str(jwk()).unwrap();
    let with = |name: &str, value: Value| {
        let mut key = key.clone();
        key[name] = value;
        key
    };
    let modulus = URL_SAFE_NO_PAD.decode(key["n"].as_str().unwrap()).unwrap();
    let zero_in_front = URL_SAFE_NO_PAD.encode([&[0], &modulus[..]].concat());
    numbered(
        [
            key.clone(),
            Value::String(key.to_string()),
            with("key_ops", json!(["verify"])),
            with("alg", Value::Null),
            with("alg", json!("PS256")),
            with("use", json!("enc")),
            with("kid", json!("other")),
            with("e", json!("Aw")),
            with("e", json!("AQAAAAE")),
            with("n", json!(zero_in_front)),
            with("n", json!(URL_SAFE_NO_PAD.encode(&modulus[1..]))),
            json!({ "kty": "oct", "k": "c2VjcmV0" }),
            json!({ "kty": "EC", "crv": "P-256", "x": "AA", "y": "AA" }),
        ]
        .map(|key| key.to_string()),
    )
}
