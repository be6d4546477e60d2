//! What others send: each with its status, its reason, and nothing stored.

mod requests;
mod signatures;
mod wire;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chatbridge::webhook::{IngressSettings, Refusal};
use reqwest::header::{HeaderName, HeaderValue};
use serde_json::{Value, json};

use super::{
    delivery::{Delivery, KID, NOW_MS, Plan, message, protected, signer, stranger},
    door::{Door, settings},
    refused,
};

fn plan() -> Plan {
    Plan::new("event-1", message("c1", "confidential words"))
}

fn signed() -> Delivery {
    plan().signed()
}

/// Signed by the vendor's key, with another protected header.
fn with_protected(text: impl Into<String>) -> Delivery {
    Plan {
        protected: text.into(),
        ..plan()
    }
    .signed()
}

/// Signed by the vendor's key, with one member of the protected header set, or taken out by null.
fn with_member(name: &str, value: Value) -> Delivery {
    let mut header = protected(KID);
    match value {
        Value::Null => header.as_object_mut().unwrap().remove(name),
        value => header.as_object_mut().unwrap().insert(name.into(), value),
    };
    with_protected(header.to_string())
}

fn with_kid(kid: &str) -> Delivery {
    with_member("kid", json!(kid))
}

/// Rightly signed, then changed.
fn then(change: impl FnOnce(&mut Delivery)) -> Delivery {
    let mut delivery = signed();
    change(&mut delivery);
    delivery
}

fn then_set(name: &'static str, value: impl AsRef<[u8]>) -> Delivery {
    then(|d| d.set(name, value))
}

fn with_segments(change: impl FnOnce(&str, &str) -> String) -> Delivery {
    let delivery = signed();
    let signature = delivery.header("x-8x8-signature");
    let (protected, signature) = signature.split_once("..").unwrap();
    then_set("x-8x8-signature", change(protected, signature))
}

fn twice(name: &'static str) -> Delivery {
    then(|d| {
        let value = d.headers[name].clone();
        d.headers.append(HeaderName::from_static(name), value);
    })
}

fn without(name: &'static str) -> Delivery {
    then(|d| {
        d.headers.remove(name);
    })
}

fn sent_at(ms: i64) -> Delivery {
    Plan {
        transmitted_ms: ms.to_string(),
        ..plan()
    }
    .signed()
}

#[tokio::test]
async fn whatever_others_send_is_refused_with_a_reason_and_stored_nowhere() {
    let door = Door::open_with(IngressSettings {
        max_body_bytes: 5000,
        ..settings()
    })
    .await;
    let cases = [signatures::signatures(), requests::requests()].concat();
    assert!(cases.len() >= 90, "{} cases", cases.len());
    for (name, delivery, refusal) in cases {
        door.log.take();
        assert_eq!(door.result(&delivery).await, refused(refusal), "{name}");
        let log = door.log.take();
        let lines: Vec<_> = log
            .lines()
            .filter(|line| line.contains("webhook refused"))
            .collect();
        assert_eq!(lines.len(), 1, "{name}: {log}");
        assert!(lines[0].contains(refusal.reason()), "{name}: {log}");
        assert!(
            !log.contains("confidential") && !log.contains('ÿ') && !log.contains(r#""retry""#),
            "{name}: {log}"
        );
    }
    assert_eq!(door.store.appended().len(), 0);
    // The vendor's key for each of the two tenants, and the one that nobody knows.
    assert_eq!(door.keys.fetches(), 3);
    // And the door is not closed to what is right.
    assert_eq!(door.send(&signed()).await.status(), 204);
}

#[tokio::test]
async fn a_refusal_names_tenant_and_event_only_where_they_look_like_it() {
    let door = Door::open().await;
    door.send(&then_set("x-8x8-retry", "1")).await;
    let log = door.log.take();
    assert!(
        log.contains("tenant01") && log.contains("event-1") && log.contains("bad_signature"),
        "{log}"
    );

    let mut odd = then_set("x-8x8-event-id", "event [31m");
    odd.headers.insert("x-8x8-retry", HeaderValue::from_static("x"));
    door.send(&odd).await;
    let log = door.log.take();
    assert!(
        log.contains("tenant01") && log.contains("malformed_header"),
        "{log}"
    );
    assert!(!log.contains("[31m"), "{log}");
}
