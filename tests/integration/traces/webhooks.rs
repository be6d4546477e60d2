//! Webhooks: whose trace they are in, and what is told of those that are not taken.

use chatbridge::grpc::proto::AgentEventsRequest;
use rstest::rstest;
use serde_json::json;
use wiremock::{
    Mock, ResponseTemplate,
    matchers::{method, path},
};

use super::{SPAN, TRACE, World, collector::Seen, message, traced};

/// A trace of the vendor's, or of a proxy in front of us.
const OTHER: &str = "0af7651916cd43dd8448eb211c80319c";
const OTHER_SPAN: &str = "b7ad6b7169203331";

fn is_webhook(span: &Seen) -> bool {
    span.name == "POST /webhooks/8x8"
}

async fn takes_messages(world: &World) {
    Mock::given(method("POST"))
        .and(path("/chat-gateway/v1/conversations/c-1/messages"))
        .respond_with(ResponseTemplate::new(202))
        .mount(&world.vendor.server)
        .await;
}

#[tokio::test]
async fn a_webhook_with_a_trace_of_its_own_is_linked_to_the_call_that_it_follows() {
    let world = World::new().await;
    takes_messages(&world).await;
    let service = world.serve(&[("trace_sample_ratio", "0")]).await;
    let mut events = service.events(AgentEventsRequest::default()).await;
    let mut client = service.conversations().await;
    client
        .send_message(traced(message("c-1", "hello"), true))
        .await
        .unwrap();
    let call = world.collector.one(|it| it.name.ends_with("/SendMessage")).await;

    // Its sender would not keep it: what it tells of the call is kept all the same.
    let webhook = world.vendor.message("c-1", "hi");
    let mut delivery = world.vendor.signed(&webhook);
    let traceparent = format!("00-{OTHER}-{OTHER_SPAN}-00");
    delivery.headers.push(("traceparent", traceparent));
    let url = format!("http://{}/webhooks/8x8", service.webhook);
    assert_eq!(delivery.post(&reqwest::Client::new(), &url).await.unwrap(), 204);

    let seen = world.collector.one(is_webhook).await;
    assert_eq!((seen.trace.as_str(), seen.parent.as_str()), (OTHER, OTHER_SPAN));
    let link = (TRACE.to_owned(), call.id.clone(), "call".to_owned());
    assert_eq!(seen.links, [link]);
    let event = events.event().await;
    assert_eq!(event.traceparent, format!("00-{OTHER}-{}-01", seen.id));
    let delivered = world.collector.one(|it| it.name == "deliver message").await;
    assert_eq!((delivered.trace.as_str(), &delivered.parent), (OTHER, &seen.id));
    assert_eq!(delivered.get("chatbridge.event.id"), webhook.event_id);
    assert_eq!(delivered.get("chatbridge.event.sequence"), "1");
    assert_eq!(call.parent, SPAN);
}

#[tokio::test]
async fn webhooks_of_other_conversations_are_in_other_traces() {
    let world = World::new().await;
    takes_messages(&world).await;
    let service = world.serve(&[]).await;
    let mut client = service.conversations().await;
    client
        .send_message(traced(message("c-1", "hello"), true))
        .await
        .unwrap();
    world.collector.one(|it| it.name.ends_with("/SendMessage")).await;
    let webhook = world.vendor.message("c-2", "hi");
    assert_eq!(world.vendor.deliver(&service.webhook, &webhook).await, 204);
    let seen = world.collector.one(is_webhook).await;
    assert_ne!(seen.trace, TRACE);
    assert_eq!((seen.parent.as_str(), seen.links.len()), ("", 0));
}

#[tokio::test]
async fn every_stream_that_gets_an_event_has_a_span_for_it() {
    let world = World::new().await;
    let (one, other) = tokio::join!(world.serve(&[]), world.serve(&[]));
    let mut streams = vec![
        one.events(AgentEventsRequest::default()).await,
        one.events(AgentEventsRequest::default()).await,
        other.events(AgentEventsRequest::default()).await,
    ];
    let webhook = world.vendor.message("c-1", "hi");
    assert_eq!(world.vendor.deliver(&one.webhook, &webhook).await, 204);
    for stream in &mut streams {
        stream.event().await;
    }
    let deliveries = world.collector.wait(3, |it| it.name == "deliver message").await;
    let webhook = world.collector.one(is_webhook).await;
    let mut replicas: Vec<&str> = deliveries
        .iter()
        .map(|it| it.resource["service.instance.id"].as_str())
        .collect();
    replicas.sort_unstable();
    replicas.dedup();
    assert_eq!(replicas.len(), 2, "a trace goes from replica to replica");
    let mut linked: Vec<&str> = deliveries.iter().map(|it| it.links[1].1.as_str()).collect();
    linked.sort_unstable();
    linked.dedup();
    assert_eq!(linked.len(), 3, "each is linked to its own stream");
    assert!(
        deliveries
            .iter()
            .all(|it| it.parent == webhook.id && it.trace == webhook.trace)
    );
    // The span of a stream ends with the stream.
    drop(streams);
    let streams = world
        .collector
        .wait(3, |it| it.name.ends_with("/AgentEvents"))
        .await;
    assert!(streams.iter().all(|it| linked.contains(&it.id.as_str())));
    assert!(
        streams
            .iter()
            .all(|it| it.get("rpc.response.status_code") == "CANCELLED")
    );
}

#[rstest]
#[case::another_body_under_a_known_id(true, "forged", "204")]
#[case::a_wrong_signature(false, "bad_signature", "401")]
#[tokio::test]
async fn what_is_not_genuine_says_so(#[case] is_signed: bool, #[case] result: &str, #[case] status: &str) {
    let world = World::new().await;
    let service = world.serve(&[]).await;
    let genuine = world.vendor.message("c-1", "hi");
    assert_eq!(world.vendor.deliver(&service.webhook, &genuine).await, 204);
    let mut forged = genuine.clone();
    forged.body =
        json!({ "eventType": "MESSAGE", "conversationId": "c-1", "timestamp": 1, "data": {} }).to_string();
    let answered = world
        .vendor
        .deliver_signed(&service.webhook, &forged, is_signed)
        .await;
    assert_eq!(answered.to_string(), status);
    let spans = world.collector.wait(2, is_webhook).await;
    assert_eq!(spans[0].get("chatbridge.webhook.result"), "accepted");
    assert_eq!(spans[1].get("chatbridge.webhook.result"), result);
    assert_eq!(spans[1].get("http.response.status_code"), status);
    assert_eq!(spans[1].get("chatbridge.event.id"), genuine.event_id);
    // A forgery may name any conversation.
    assert_eq!(spans[0].get("chatbridge.conversation.id"), "c-1");
    assert_eq!(spans[1].get("chatbridge.conversation.id"), "");
    assert_ne!(spans[0].trace, spans[1].trace);
}

#[tokio::test]
async fn a_trace_that_nothing_proves_to_be_the_vendors_is_not_believed() {
    let world = World::new().await;
    let service = world.serve(&[]).await;
    let mut delivery = world.vendor.signed(&world.vendor.message("c-1", "hi"));
    let signature = delivery.headers.last_mut().unwrap();
    signature.1 = signature.1.chars().rev().collect();
    delivery
        .headers
        .push(("traceparent", format!("00-{OTHER}-{OTHER_SPAN}-01")));
    let url = format!("http://{}/webhooks/8x8", service.webhook);
    let status = delivery.post(&reqwest::Client::new(), &url).await.unwrap();
    assert!((400..500).contains(&status), "{status}");
    // One that is proved, so that whatever was to come has come.
    assert_eq!(
        world
            .vendor
            .deliver(&service.webhook, &world.vendor.message("c-1", "hi"))
            .await,
        204
    );
    world
        .collector
        .one(|it| it.get("chatbridge.webhook.result") == "accepted")
        .await;
    assert!(world.collector.spans().iter().all(|it| it.trace != OTHER));
}
