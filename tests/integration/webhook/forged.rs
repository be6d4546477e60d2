//! Bodies that are forged to the checksum of an accepted event, sent under its headers: a service with a real Redis.

use chatbridge::grpc::proto::{
    AgentEventsRequest, ListSessionsRequest, StartPosition, agent_events_request::Start,
    agent_events_response::Payload,
};
use futures_util::future::join_all;
use serde_json::json;

use super::collide;
use crate::support::{
    redis::{RedisServer, unique_prefix},
    service::Service,
    vendor::{Signed, TENANT, Vendor},
};

/// A body like another's checksum, with four bytes more that make it so.
fn forge(genuine: &Signed, body: &str) -> Signed {
    let mut forged = genuine.clone();
    forged.body = body.as_bytes().to_vec();
    let fix = collide(&forged.body, crc32fast::hash(&genuine.body));
    forged.body.extend(fix);
    assert_eq!(crc32fast::hash(&forged.body), crc32fast::hash(&genuine.body));
    forged
}

fn message(conversation: &str) -> String {
    let data = json!({ "isEcho": false, "sender": { "id": "maria", "type": "agent" }, "text": "pay here" });
    json!({ "eventType": "MESSAGE", "conversationId": conversation, "timestamp": 1_700_000_000_000_i64, "data": data })
        .to_string()
}

/// Whatever a forger may name. Sixteen conversations lie in more than one of the partitions, the genuine one's among them.
fn bodies() -> Vec<String> {
    let mut bodies: Vec<String> = (0..16).map(|n| message(&format!("victim-{n}"))).collect();
    bodies.extend([
        message("genuine"),
        message(""),
        json!({ "eventType": "CONVERSATION_UPDATE", "conversationId": "genuine", "data": { "state": "idle" } }).to_string(),
        json!({ "eventType": "MEMBERS_CHANGED", "conversationId": "victim-0", "data": { "memberType": "agent" } }).to_string(),
        json!({ "eventType": "SOMETHING_NEW", "conversationId": "victim-1" }).to_string(),
        json!({ "eventType": "WEB_HOOK_VERIFY" }).to_string(),
        json!({ "conversationId": ["victim-2"] }).to_string(),
        "{\"conversationId\":\"victim-3\"".to_owned(),
        "not JSON".to_owned(),
        String::new(),
    ]);
    bodies
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_forged_body_stores_nothing_whichever_conversation_it_names() {
    let (vendor, redis, prefix) = (Vendor::start().await, RedisServer::shared(), unique_prefix());
    let service = Service::start(&[
        ("gateway_url", &vendor.server.uri()),
        ("tenant", TENANT),
        ("api_key", "k3y"),
        ("redis_url", &redis.url()),
        ("redis_prefix", &prefix),
        ("heartbeat_ms", "200"),
        ("partitions", "4"),
    ])
    .await;
    let (http, url) = (
        reqwest::Client::new(),
        format!("http://{}/webhooks/8x8", service.webhook),
    );
    let genuine = vendor.signed(&vendor.message("genuine", "hello"));
    assert_eq!(genuine.post(&http, &url).await.unwrap(), 204);

    let before = keys(&redis, &prefix).await;
    let bodies = bodies();
    // One after another, and then all at once among repeats of the genuine one.
    for body in &bodies {
        assert_eq!(
            forge(&genuine, body).post(&http, &url).await.unwrap(),
            204,
            "{body}"
        );
    }
    let deliveries: Vec<Signed> = bodies
        .iter()
        .flat_map(|body| [forge(&genuine, body), genuine.clone()])
        .collect();
    let statuses = join_all(deliveries.iter().map(|delivery| delivery.post(&http, &url))).await;
    assert!(
        statuses.iter().all(|status| matches!(status, Ok(204))),
        "{statuses:?}"
    );
    let count = async |result: &str| {
        let name = format!(r#"chatbridge_webhooks_total{{result="{result}"}}"#);
        service.metric(&name).await
    };
    assert_eq!(count("accepted").await, 1.0);
    assert_eq!(count("forged").await, 2.0 * bodies.len() as f64);
    assert_eq!(count("duplicate").await, bodies.len() as f64);
    assert_eq!(keys(&redis, &prefix).await, before, "not a key has come");

    let sessions = service
        .sessions()
        .await
        .list_sessions(ListSessionsRequest::default())
        .await;
    let sessions = sessions.unwrap().into_inner().sessions;
    let named: Vec<_> = sessions
        .iter()
        .map(|session| session.conversation_id.as_str())
        .collect();
    assert_eq!(named, ["genuine"]);
    let mut events = service
        .events(AgentEventsRequest {
            start: Some(Start::Position(StartPosition::Earliest.into())),
            ..AgentEventsRequest::default()
        })
        .await;
    assert_eq!(events.event().await.conversation_id, "genuine");
    assert_eq!(
        vendor
            .deliver(&service.webhook, &vendor.message("last", "bye"))
            .await,
        204
    );
    loop {
        match events.next().await.unwrap() {
            Payload::Event(event) => {
                assert_eq!(event.conversation_id, "last", "nothing was between the two");
                break;
            }
            Payload::Heartbeat(_) => {}
            other => panic!("{other:?}"),
        }
    }
}

/// All keys below a prefix but those that come and go by themselves.
async fn keys(redis: &RedisServer, prefix: &str) -> Vec<String> {
    let mut connection = redis.connection().await;
    let mut keys = crate::store::fixture::keys(&mut connection, prefix).await;
    keys.retain(|key| !key.contains("probe") && !key.ends_with("janitor") && !key.ends_with(":streams"));
    keys.sort();
    keys
}
