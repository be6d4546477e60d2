//! Callers who leave before anything can have come of their call: they may call again.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use chatbridge::{
    conversation::Conversations,
    event::AuthorType,
    gateway::{Gateway, GatewaySettings, NewAttachment, Resilience},
    store::{Retention, memory::MemoryStore},
    tenant::Tenant,
};
use futures_util::{StreamExt as _, stream};
use tokio::time::timeout;
use url::Url;

use super::{
    ID, OTHER_ID,
    late::{Late, Mode},
    request, send, tenant, use_cases,
};
use crate::{store::fixture::PARTITIONS, support::service::eventually};

/// A vendor, and the use cases with one request under way at once.
async fn one_at_a_time(modes: Vec<Mode>) -> (Late, Conversations, Tenant) {
    let store = Arc::new(MemoryStore::new(PARTITIONS, Retention::default()));
    let (vendor, at) = Late::start(&store, modes).await;
    let base = format!("http://{at}");
    let tenant = Tenant {
        gateway: Gateway::new(GatewaySettings {
            base_url: Url::parse(&base).unwrap(),
            api_key: "key".to_owned().into(),
            timeout: Duration::from_secs(20),
            connect_timeout: Duration::from_secs(10),
            transfer_timeout: Duration::from_secs(60),
            resilience: Resilience {
                in_flight: 1,
                ..Resilience::NONE
            },
        })
        .unwrap(),
        ..tenant(&base)
    };
    let calls = use_cases(store, &tenant);
    (vendor, calls, tenant)
}

#[tokio::test]
async fn half_a_file_is_no_file() {
    let (vendor, calls, tenant) = one_at_a_time(Vec::new()).await;
    let file = NewAttachment {
        file_name: "a.txt".into(),
        media_type: "text/plain".into(),
        size_bytes: 10,
        author: AuthorType::Bot,
    };
    let half = || stream::iter([Ok(Bytes::from_static(b"content-"))]);
    let first = request(ID, "");
    let stuck = calls.upload(&tenant, "conv", &first, &file, half().chain(stream::pending()));
    assert!(
        timeout(Duration::from_millis(200), stuck).await.is_err(),
        "the caller has gone"
    );
    let again = async || {
        let content = half().chain(stream::iter([Ok(Bytes::from_static(b"00"))]));
        calls
            .upload(&tenant, "conv", &request(ID, ""), &file, content)
            .await
            .ok()
    };
    eventually("the file is uploaded", again).await;
    again().await.unwrap();
    assert_eq!(vendor.effects("00"), 1);
}

#[tokio::test]
async fn what_waits_for_its_turn_has_not_left() {
    let (vendor, calls, tenant) = one_at_a_time(vec![Mode::Slow(1_500)]).await;
    let before = send(&calls, &tenant, OTHER_ID, "other   ");
    let impatient = async {
        eventually("the other call is under way", async || {
            (vendor.effects("3") == 1).then_some(())
        })
        .await;
        let waiting = send(&calls, &tenant, ID, "hello");
        assert!(
            timeout(Duration::from_millis(200), waiting).await.is_err(),
            "the caller has gone"
        );
    };
    let (sent, ()) = tokio::join!(before, impatient);
    sent.unwrap();
    assert_eq!(vendor.effects("0"), 0);
    eventually("the message is sent", async || {
        send(&calls, &tenant, ID, "hello").await.ok()
    })
    .await;
    assert_eq!(vendor.effects("0"), 1);
}

#[tokio::test]
async fn what_has_left_may_have_happened() {
    let (vendor, calls, tenant) = one_at_a_time(vec![Mode::LoseRequest, Mode::Slow(1_500)]).await;
    let waiting = send(&calls, &tenant, ID, "hello");
    assert!(
        timeout(Duration::from_millis(500), waiting).await.is_err(),
        "the caller has gone"
    );
    eventually("it is found", async || {
        send(&calls, &tenant, ID, "hello").await.ok()
    })
    .await;
    assert_eq!(vendor.effects("0"), 1, "nothing was sent again");
}
