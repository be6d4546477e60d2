//! Signed webhooks over HTTP, from the door to the log.

#![allow(clippy::unwrap_used, reason = "tests")]

mod delivery;
mod door;
mod forged;
mod hostile;
mod keys;
mod slow;

use std::{sync::atomic::Ordering, time::Duration};

use chatbridge::{
    conversation::{SessionChange, change::Field, change::FieldChange, echo},
    event::TenantId,
    grpc::proto::AgentEvent,
    store::StoreError,
    webhook::{IngressSettings, Refusal},
};
use prost::Message as _;
use reqwest::Method;
use secrecy::SecretString;
use serde_json::json;
use tokio::{io::AsyncReadExt as _, io::AsyncWriteExt as _, net::TcpStream};

use delivery::{Delivery, NOW_MS, Plan, fixture_key, fixtures, message};
use door::{Door, settings, until};

fn taken(result: &str) -> (u16, String) {
    (204, result.to_owned())
}

fn refused(refusal: Refusal) -> (u16, String) {
    (refusal.status().as_u16(), refusal.reason().to_owned())
}

/// Head and content of what was appended, as the event that is served.
fn event_of(append: &chatbridge::store::Append) -> AgentEvent {
    #[derive(Clone, PartialEq, prost::Message)]
    struct Content {
        #[prost(bytes = "vec", tag = "1")]
        body: Vec<u8>,
        #[prost(bytes = "vec", tag = "2")]
        raw: Vec<u8>,
    }
    let content = Content::decode(append.content.clone()).unwrap();
    let mut event = AgentEvent::decode([&append.head[..], &content.body].concat().as_slice()).unwrap();
    event.raw_json = content.raw.into();
    event
}

#[tokio::test]
async fn deliveries_that_another_library_signed_are_taken() {
    let door = Door::open().await;
    let (kid, jwk) = fixture_key();
    door.keys.set(&kid, Some(jwk));
    let fixtures = fixtures();
    assert!(fixtures.len() >= 20);
    for fixture in &fixtures {
        assert_eq!(
            door.result(&fixture.delivery).await,
            taken("accepted"),
            "{}",
            fixture.name
        );
        let append = door.store.appended().pop().unwrap();
        let event = event_of(&append);
        assert_eq!(append.key.tenant, TenantId::new("tenant01"));
        assert_eq!(append.key.conversation, fixture.conversation, "{}", fixture.name);
        assert_eq!(append.event_id, fixture.delivery.header("x-8x8-event-id"));
        assert_eq!(event.conversation_id, fixture.conversation);
        assert_eq!(event.raw_json, fixture.delivery.body);
        let body = format!("{:?}", event.body.unwrap());
        assert_eq!(body.split('(').next().unwrap(), fixture.kind, "{}", fixture.name);
        assert_eq!(append.echo.is_some(), fixture.name == "message_echo");
    }
    assert_eq!(door.store.appended().len(), fixtures.len());
    assert_eq!(door.keys.fetches(), 1);
}

#[tokio::test]
async fn what_is_appended_is_all_that_the_log_needs() {
    let door = Door::open().await;
    let traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let text = "Grüße \u{1f44b}";
    let body = json!({
        "eventType": "MESSAGE", "conversationId": "c1", "timestamp": NOW_MS - 100,
        "data": { "isEcho": true, "sender": { "id": "b1", "type": "bot" }, "text": text },
    });
    let mut delivery = Plan::new("event-1", body.to_string()).signed();
    delivery.set("traceparent", traceparent);
    assert_eq!(door.result(&delivery).await, taken("accepted"));

    let append = door.store.appended().pop().unwrap();
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &delivery.body);
    assert_eq!(append.digest, digest.as_ref());
    assert_eq!(append.settle_after_ms, 30_000);
    assert_eq!(append.change.at_ms, NOW_MS - 100);
    let event = event_of(&append);
    assert_eq!(event.traceparent, traceparent);
    assert_eq!(event.received_time.unwrap().seconds, NOW_MS / 1000);
    assert_eq!(event.vendor_event_type, "MESSAGE");
    assert!(event.echo);

    let sent = chatbridge::event::Message {
        id: String::new(),
        author: chatbridge::event::Participant::new("", None),
        text: text.into(),
        created_ms: None,
        attachments: Vec::new(),
        cards: Vec::new(),
        external_provider: None,
        echo: false,
    };
    assert_eq!(append.echo, Some(echo::fingerprint(&sent)));
}

#[tokio::test]
async fn an_event_changes_the_session_as_the_domain_says() {
    let door = Door::open().await;
    let body =
        json!({ "eventType": "QUEUED", "conversationId": "c1", "data": { "queueId": 7, "queueName": "Q" } });
    door.send(&Plan::new("event-1", body.to_string()).signed()).await;
    let SessionChange { at_ms, fields, .. } = door.store.appended().pop().unwrap().change;
    assert_eq!(at_ms, NOW_MS, "no time in the body: that of the transmission");
    assert!(fields.contains(&FieldChange::Latest(Field::QueueId, "7".into())));
}

#[tokio::test]
async fn a_repeated_delivery_is_answered_and_counted_as_one() {
    let door = Door::open().await;
    let mut plan = Plan::new("event-1", message("c1", "Hello"));
    assert_eq!(door.result(&plan.signed()).await, taken("accepted"));
    plan.retry = "1".into();
    plan.transmitted_ms = (NOW_MS + 5000).to_string();
    assert_eq!(door.result(&plan.signed()).await, taken("duplicate"));
    assert_eq!(door.store.appended().len(), 1);
}

/// Four bytes that, behind `prefix`, make its CRC-32 `target`: each step back through the register is fixed by its top
/// byte, and four bytes are the whole register.
fn collide(prefix: &[u8], target: u32) -> [u8; 4] {
    let table: Vec<u32> = (0..256_u32)
        .map(|i| {
            (0..8).fold(i, |c, _| {
                if c & 1 == 1 {
                    0xedb8_8320 ^ (c >> 1)
                } else {
                    c >> 1
                }
            })
        })
        .collect();
    let mut indices = [0_usize; 4];
    let mut register = !target;
    for index in indices.iter_mut().rev() {
        *index = table
            .iter()
            .position(|entry| entry >> 24 == register >> 24)
            .unwrap();
        register = (register ^ table[*index]) << 8;
    }
    let mut register = !crc32fast::hash(prefix);
    indices.map(|index| {
        let byte = u8::try_from((register ^ index as u32) & 0xff).unwrap();
        register = (register >> 8) ^ table[index];
        byte
    })
}

#[tokio::test]
async fn a_body_with_the_same_checksum_under_a_known_id_is_stored_nowhere() {
    let door = Door::open().await;
    let genuine = Plan::new("event-1", message("c1", "Hello")).signed();
    assert_eq!(door.result(&genuine).await, taken("accepted"));

    // Signature and headers as they were; a body of our own, for another conversation.
    let mut forged = genuine.clone();
    forged.body = message("victim", "Please pay to this account");
    let fix = collide(&forged.body, crc32fast::hash(&genuine.body));
    forged.body.extend(fix);
    assert_eq!(crc32fast::hash(&forged.body), crc32fast::hash(&genuine.body));
    door.log.take();
    assert_eq!(door.result(&forged).await, taken("forged"));

    let appended = door.store.appended();
    assert_eq!(appended.len(), 1);
    assert_eq!(appended[0].key.conversation, "c1");
    let log = door.log.take();
    assert!(log.contains("WARN") && log.contains("event-1"), "{log}");
    assert!(!log.contains("victim") && !log.contains("account"), "{log}");
}

#[tokio::test]
async fn a_store_that_is_down_makes_the_vendor_come_again() {
    let door = Door::open().await;
    let delivery = Plan::new("event-1", message("c1", "Hello")).signed();
    *door.store.failure.lock().unwrap() = Some(StoreError::Unavailable("down".into()));
    let response = door.send(&delivery).await;
    assert_eq!(response.status(), 503);
    assert_eq!(response.headers()["retry-after"], "5");
    assert_eq!(door.result(&delivery).await, refused(Refusal::StoreUnavailable));
    *door.store.failure.lock().unwrap() = Some(StoreError::Corrupt("format 9".into()));
    assert_eq!(door.result(&delivery).await, refused(Refusal::StoreFailed));
    *door.store.failure.lock().unwrap() = None;
    assert_eq!(door.result(&delivery).await, taken("accepted"));
}

#[tokio::test]
async fn the_check_of_the_address_is_answered_signed_or_not() {
    let door = Door::open().await;
    let body =
        json!({ "eventType": "WEB_HOOK_VERIFY", "notificationVersion": "Chat Gateway v1.0" }).to_string();
    let signed = Plan::new("event-1", body).signed();
    let mut unsigned = signed.clone();
    unsigned.headers.clear();
    assert_eq!(door.result(&unsigned).await, taken("verify"));
    unsigned.chunked = true;
    assert_eq!(door.result(&unsigned).await, taken("verify"));
    assert_eq!(door.store.appended().len(), 0);

    assert_eq!(door.result(&signed).await, taken("accepted"));
    assert_eq!(door.store.appended()[0].key.conversation, "");

    let mut badly_signed = signed.clone();
    badly_signed.set("x-8x8-event-id", "event-2");
    assert_eq!(door.result(&badly_signed).await, refused(Refusal::BadSignature));
    assert_eq!(door.store.appended().len(), 1);
}

#[tokio::test]
async fn a_path_secret_is_the_only_way_in() {
    let secret = "Zm9yIHRlc3Rz-8";
    let door = Door::open_with(IngressSettings {
        path_secret: Some(SecretString::from(secret)),
        ..settings()
    })
    .await;
    let mut delivery = Plan::new("event-1", message("c1", "Hello")).signed();
    let wrong = [
        "/webhooks/8x8".to_owned(),
        "/webhooks/8x8/".to_owned(),
        "/webhooks/8x8/guess".to_owned(),
        format!("/webhooks/8x8/{secret}x"),
        format!("/webhooks/8x8/{}", &secret[..secret.len() - 1]),
        format!("/webhooks/8x8/{}", secret.to_lowercase()),
        format!("/webhooks/8x8/{secret}/"),
        format!("/webhooks/8x8/{secret}/more"),
        "/webhooks/8x8/%ff".to_owned(),
        format!("/{secret}"),
    ];
    for path in wrong {
        delivery.path = path;
        assert_eq!(
            door.result(&delivery).await,
            refused(Refusal::NotFound),
            "{}",
            delivery.path
        );
    }
    assert_eq!(door.store.appended().len(), 0);
    assert_eq!(door.keys.fetches(), 0);
    delivery.path = format!("/webhooks/8x8/{secret}");
    assert_eq!(door.result(&delivery).await, taken("accepted"));
    assert!(!door.log.take().contains(secret));
}

#[tokio::test]
async fn other_paths_and_methods_do_not_look_delivered() {
    let door = Door::open().await;
    let delivery = Plan::new("event-1", message("c1", "Hello")).signed();
    for path in [
        "/",
        "/webhooks",
        "/webhooks/8x8/",
        "/webhooks/8x8/x",
        "/webhooks/8X8",
        "//webhooks/8x8",
    ] {
        let delivery = Delivery {
            path: path.into(),
            ..delivery.clone()
        };
        assert_eq!(door.result(&delivery).await, refused(Refusal::NotFound), "{path}");
    }
    for method in [
        Method::GET,
        Method::PUT,
        Method::DELETE,
        Method::PATCH,
        Method::OPTIONS,
    ] {
        let delivery = Delivery {
            method,
            ..delivery.clone()
        };
        assert_eq!(door.result(&delivery).await, refused(Refusal::MethodNotAllowed));
    }
    assert_eq!(door.store.appended().len(), 0);
}

#[tokio::test]
async fn a_clock_that_stepped_back_by_more_than_a_minute_is_reported() {
    let door = Door::open().await;
    for (behind_ms, reports) in [(60_000, 0), (60_001, 1)] {
        door.store.clock_behind_ms.store(behind_ms, Ordering::SeqCst);
        let delivery = Plan::new(&format!("event-{behind_ms}"), message("c1", "Hello")).signed();
        assert_eq!(door.result(&delivery).await, taken("accepted"));
        assert_eq!(door.counter("chatbridge_log_clock_behind_total"), reports);
    }
}

/// The head of a request by hand, for bodies that never come.
fn head(delivery: &Delivery, length: usize) -> String {
    let mut head = format!(
        "POST {} HTTP/1.1\r\nhost: door\r\ncontent-length: {length}\r\n",
        delivery.path
    );
    for (name, value) in &delivery.headers {
        head += &format!("{name}: {}\r\n", value.to_str().unwrap());
    }
    head + "\r\n"
}

#[tokio::test]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let door = Door::open_with(IngressSettings {
        body_timeout: Duration::from_millis(50),
        ..settings()
    })
    .await;
    let delivery = Plan::new("event-1", message("c1", "Hello")).signed();
    let mut connection = TcpStream::connect(door.address).await.unwrap();
    connection
        .write_all(head(&delivery, delivery.body.len()).as_bytes())
        .await
        .unwrap();
    connection.write_all(&delivery.body[..10]).await.unwrap();
    let mut answer = [0; 12];
    connection.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 408");
    assert_eq!(door.counts()["body_timeout"], 1);
    assert_eq!(door.store.appended().len(), 0);
}

#[tokio::test]
async fn a_body_that_breaks_off_is_not_taken() {
    let door = Door::open().await;
    let delivery = Plan::new("event-1", message("c1", "Hello")).signed();
    let mut connection = TcpStream::connect(door.address).await.unwrap();
    connection
        .write_all(head(&delivery, delivery.body.len()).as_bytes())
        .await
        .unwrap();
    connection.write_all(&delivery.body[..10]).await.unwrap();
    connection.shutdown().await.unwrap();
    until("it is counted", || door.counts().get("body_broken") == Some(&1)).await;
    assert_eq!(door.store.appended().len(), 0);
}

#[tokio::test]
async fn a_door_that_closes_finishes_what_it_has_begun_and_waits_for_nobody_else() {
    let door = Door::open().await;
    let mut silent = TcpStream::connect(door.address).await.unwrap();
    let mut idle = TcpStream::connect(door.address).await.unwrap();
    idle.write_all(b"GET / HTTP/1.1\r\nhost: d\r\n\r\n")
        .await
        .unwrap();
    idle.read_exact(&mut [0; 12]).await.unwrap();
    let delivery = Plan::new("event-1", message("c1", "Hello")).signed();
    let mut begun = TcpStream::connect(door.address).await.unwrap();
    begun
        .write_all(head(&delivery, delivery.body.len()).as_bytes())
        .await
        .unwrap();
    begun.write_all(&delivery.body[..10]).await.unwrap();
    // A request that is refused is behind it on its way through the door.
    door.send(&Plan::new("event-2", "").with_signature("none")).await;

    door.stop.cancel();
    for stream in [&mut silent, &mut idle] {
        let mut rest = Vec::new();
        let closed = tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut rest)).await;
        closed.expect("nobody waits for it").unwrap();
    }
    until("nobody is let in any more", || {
        std::net::TcpStream::connect(door.address).is_err()
    })
    .await;
    begun.write_all(&delivery.body[10..]).await.unwrap();
    let mut answer = String::new();
    begun.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
    assert_eq!(door.store.appended().len(), 1);
    tokio::time::timeout(Duration::from_secs(5), door.serving)
        .await
        .expect("it is closed")
        .unwrap();
}
