//! Webhooks and channels.

use chatbridge::gateway::{Channel, PageQuery, Webhook};
use serde_json::{Value, json};

use super::hal;
use crate::gateway::{
    operation::{channel, webhook},
    tenant,
};

fn webhook_body() -> Value {
    json!({
        "id": "12", "name": "As kept", "uri": "https://example.org/kept", "version": "Chat Gateway v1.0",
        "_links": {"self": {"href": "/webhooks/12"}}
    })
}

fn kept_webhook() -> Webhook {
    Webhook {
        id: "12".into(),
        name: "As kept".into(),
        uri: "https://example.org/kept".into(),
        version: "Chat Gateway v1.0".into(),
    }
}

fn channel_body() -> Value {
    json!({
        "id": "25", "name": "As kept", "type": "WebChat", "webHookId": "13",
        "routingOptions": {"type": "queue", "id": "102"}, "_links": {}
    })
}

fn kept_channel() -> Channel {
    Channel {
        id: "25".into(),
        name: "As kept".into(),
        kind: "WebChat".into(),
        webhook_id: "13".into(),
        queue_id: "102".into(),
    }
}

/// What the vendor keeps is answered, not what was asked for.
#[tokio::test]
async fn a_webhook() {
    let (_server, gateway) = hal(200, &webhook_body()).await;
    let tenant = &tenant();
    let kept = kept_webhook();
    assert_eq!(gateway.webhook(tenant, "12").await.unwrap(), kept);
    assert_eq!(gateway.create_webhook(tenant, &webhook("")).await.unwrap(), kept);
    assert_eq!(
        gateway.replace_webhook(tenant, &webhook("12")).await.unwrap(),
        kept
    );
}

#[tokio::test]
async fn a_channel() {
    let (_server, gateway) = hal(200, &channel_body()).await;
    let tenant = &tenant();
    let kept = kept_channel();
    assert_eq!(gateway.channel(tenant, "25").await.unwrap(), kept);
    assert_eq!(gateway.create_channel(tenant, &channel("")).await.unwrap(), kept);
    assert_eq!(
        gateway.replace_channel(tenant, &channel("25")).await.unwrap(),
        kept
    );
}

#[tokio::test]
async fn a_list_of_webhooks() {
    let body = json!({
        "_embedded": {"webhooks": [webhook_body(), {"id": 13, "name": null, "notificationVersion": "v2.0"}]},
        "page": {"size": 2, "number": 0, "totalElements": 5, "totalPages": 3}
    });
    let (_server, gateway) = hal(200, &body).await;
    let listed = gateway.webhooks(&tenant(), &PageQuery::default()).await.unwrap();
    let poor = Webhook {
        id: "13".into(),
        version: "v2.0".into(),
        ..Webhook::default()
    };
    assert_eq!(listed.items, [kept_webhook(), poor]);
    assert_eq!((listed.total, listed.total_pages), (5, Some(3)));
}

#[tokio::test]
async fn a_list_of_channels() {
    let body = json!({
        "_embedded": {"channels": [
            channel_body(),
            {"id": 26, "type": null, "webHookId": 14, "routingOptions": {"id": 103}},
            {"id": "27", "routingOptions": null}
        ]},
        "page": {"size": 3, "number": 0, "totalElements": 3, "totalPages": 1}
    });
    let (_server, gateway) = hal(200, &body).await;
    let listed = gateway.channels(&tenant(), &PageQuery::default()).await.unwrap();
    let second = Channel {
        id: "26".into(),
        webhook_id: "14".into(),
        queue_id: "103".into(),
        ..Channel::default()
    };
    let third = Channel {
        id: "27".into(),
        ..Channel::default()
    };
    assert_eq!(listed.items, [kept_channel(), second, third]);
    assert_eq!((listed.total, listed.total_pages), (3, Some(1)));
}
