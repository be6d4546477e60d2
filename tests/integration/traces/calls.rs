//! Calls: the caller's trace, the span of the call, and one for each request to the vendor.

use chatbridge::grpc::proto::GetConversationRequest;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use rstest::rstest;
use serde_json::json;
use tonic::{Code, Request};
use wiremock::{
    Mock, ResponseTemplate,
    matchers::{method, path},
};

use super::{SPAN, TRACE, World, collector::Seen, message, traced};

const CONVERSATION: &str = "/chat-gateway/v1/conversations/c-1";

fn get() -> GetConversationRequest {
    GetConversationRequest {
        conversation_id: "c-1".into(),
        ..GetConversationRequest::default()
    }
}

/// A vendor that fails once, and then answers.
async fn fails_once(world: &World) {
    let failure = json!({ "message": "Ada Lovelace is busy", "referenceId": "ref-1" });
    Mock::given(method("GET"))
        .and(path(CONVERSATION))
        .respond_with(ResponseTemplate::new(503).set_body_json(failure))
        .up_to_n_times(1)
        .mount(&world.vendor.server)
        .await;
    let answer =
        json!({ "id": "c-1", "channelId": "web", "state": "active", "user": { "name": "Ada Lovelace" } });
    Mock::given(method("GET"))
        .and(path(CONVERSATION))
        .respond_with(ResponseTemplate::new(200).set_body_json(answer))
        .mount(&world.vendor.server)
        .await;
}

/// The headers by which the vendor was told of traces.
async fn told(world: &World) -> Vec<(String, String)> {
    let requests = world.vendor.server.received_requests().await.unwrap();
    let text = |request: &wiremock::Request, name: &str| {
        let value = request.headers.get(name).map(|value| value.to_str().unwrap());
        value.unwrap_or_default().to_owned()
    };
    let told = requests
        .iter()
        .map(|it| (text(it, "traceparent"), text(it, "tracestate")));
    told.collect()
}

#[tokio::test]
async fn a_call_that_is_repeated_upstream_has_a_span_for_each_request() {
    let world = World::new().await;
    fails_once(&world).await;
    let service = world.serve(&[("trace_upstream", "true")]).await;
    let mut request = traced(get(), true);
    request
        .metadata_mut()
        .insert("tracestate", "shop=1".parse().unwrap());
    request
        .metadata_mut()
        .insert("baggage", "customer=Ada".parse().unwrap());
    let mut client = service.conversations().await;
    client.get_conversation(request).await.unwrap();

    let call = world.collector.one(|it| it.kind == SpanKind::Server).await;
    assert_eq!((call.trace.as_str(), call.parent.as_str()), (TRACE, SPAN));
    assert_eq!(call.name, "chatbridge.v1.ConversationService/GetConversation");
    for (name, value) in [
        ("rpc.system.name", "grpc"),
        ("rpc.method", "chatbridge.v1.ConversationService/GetConversation"),
        ("rpc.response.status_code", "OK"),
        ("chatbridge.tenant", "acme"),
        ("chatbridge.conversation.id", "c-1"),
    ] {
        assert_eq!(call.get(name), value, "{name}");
    }
    let requests = world.collector.wait(2, |it| it.kind == SpanKind::Client).await;
    let [first, second] = &requests[..] else {
        panic!("{requests:#?}")
    };
    for request in [first, second] {
        assert_eq!((&request.trace, &request.parent), (&call.trace, &call.id));
        assert_eq!(request.name, "GET get_conversation");
        assert_eq!(request.get("http.request.method"), "GET");
        assert_eq!(request.get("server.address"), "127.0.0.1");
    }
    assert!(first.is_error && !second.is_error && !call.is_error);
    let of = |span: &Seen| {
        [
            "http.response.status_code",
            "chatbridge.upstream.reference_id",
            "http.request.resend_count",
            "error.type",
        ]
        .map(|name| span.get(name).to_owned())
    };
    assert_eq!(of(first), ["503", "ref-1", "", "unavailable"]);
    assert_eq!(of(second), ["200", "", "1", ""]);
    assert_eq!(call.resource["service.name"], "chatbridge");
    assert_eq!(call.resource["service.version"], env!("CARGO_PKG_VERSION"));
    assert!(!call.resource["service.instance.id"].is_empty());
    // Each request told the vendor its own span; what else the caller said is nobody's business.
    let each = requests.iter().map(|span| {
        let traceparent = format!("00-{TRACE}-{}-01", span.id);
        (traceparent, "shop=1".to_owned())
    });
    assert_eq!(told(&world).await, each.collect::<Vec<_>>());
    let all = format!("{:?}", world.collector.spans());
    assert!(!all.contains("Ada") && !all.contains("k3y"), "{all}");
}

#[tokio::test]
async fn the_vendor_is_told_of_no_trace_unless_that_is_wanted() {
    let world = World::new().await;
    fails_once(&world).await;
    let service = world.serve(&[]).await;
    let mut client = service.conversations().await;
    client.get_conversation(traced(get(), true)).await.unwrap();
    world.collector.wait(2, |it| it.kind == SpanKind::Client).await;
    let nothing = (String::new(), String::new());
    assert_eq!(told(&world).await, [nothing.clone(), nothing]);
}

#[rstest]
#[case::all("1", None, true)]
#[case::none("0", None, false)]
#[case::as_the_caller_says("0", Some(true), true)]
#[case::not_if_the_caller_says_so("1", Some(false), false)]
#[tokio::test]
async fn traces_are_kept_as_set_and_as_callers_say(
    #[case] ratio: &str,
    #[case] caller: Option<bool>,
    #[case] is_kept: bool,
) {
    let world = World::new().await;
    fails_once(&world).await;
    let service = world.serve(&[("trace_sample_ratio", ratio)]).await;
    let mut client = service.conversations().await;
    let request = match caller {
        Some(is_kept) => traced(get(), is_kept),
        None => Request::new(get()),
    };
    client.get_conversation(request).await.unwrap();
    // One that is kept for certain: what came before it has arrived no later.
    let last = GetConversationRequest {
        conversation_id: "c-2".into(),
        ..get()
    };
    client.get_conversation(traced(last, true)).await.unwrap_err();
    let is_last = |it: &Seen| it.get("chatbridge.conversation.id") == "c-2";
    world
        .collector
        .one(|it| is_last(it) && it.kind == SpanKind::Server)
        .await;
    let others = world.collector.spans().into_iter().filter(|it| !is_last(it));
    assert_eq!(others.count() > 0, is_kept);
}

#[tokio::test]
async fn a_call_that_fails_says_why_in_few_words() {
    let world = World::new().await;
    let answer = json!({ "message": "My card is broken", "referenceId": "ref-2" });
    Mock::given(method("POST"))
        .and(path(format!("{CONVERSATION}/messages")))
        .respond_with(ResponseTemplate::new(404).set_body_json(answer))
        .mount(&world.vendor.server)
        .await;
    let service = world.serve(&[]).await;
    let mut client = service.conversations().await;
    let status = client
        .send_message(message("c-1", "My card is broken"))
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::NotFound);
    let call = world.collector.one(|it| it.kind == SpanKind::Server).await;
    assert_eq!(call.get("rpc.response.status_code"), "NOT_FOUND");
    assert_eq!(call.get("error.type"), "UPSTREAM_NOT_FOUND");
    assert!(!call.is_error, "the caller's mistake is no failure of the server");
    assert_eq!(call.parent, "", "it begins a trace");
    let request = world.collector.one(|it| it.kind == SpanKind::Client).await;
    assert_eq!(request.get("chatbridge.upstream.reference_id"), "ref-2");
    assert!(!format!("{:?}", world.collector.spans()).contains("card is broken"));
}

#[tokio::test]
async fn who_is_not_let_in_begins_no_trace_of_theirs() {
    let world = World::new().await;
    let service = world.serve(&[("token_sha256", &"0".repeat(64))]).await;
    let mut client = service.conversations().await;
    let status = client.get_conversation(traced(get(), true)).await.unwrap_err();
    assert_eq!(status.code(), Code::Unauthenticated);
    let call = world.collector.one(|it| it.kind == SpanKind::Server).await;
    assert_ne!(call.trace, TRACE);
    assert_eq!(call.get("rpc.response.status_code"), "UNAUTHENTICATED");
    assert_eq!(call.get("error.type"), "CREDENTIALS_MISSING");
    assert!(!call.is_error, "it is no failure of the server");
}

#[tokio::test]
async fn what_the_environment_says_of_the_service_is_said_of_its_spans() {
    let world = World::new().await;
    let settings = [
        ("OTEL_SERVICE_NAME", "shop-bridge"),
        (
            "OTEL_RESOURCE_ATTRIBUTES",
            "service.name=other,service.instance.id=pod-1,deployment.environment.name=test",
        ),
    ];
    let service = world.serve(&settings).await;
    let mut client = service.conversations().await;
    client.get_conversation(get()).await.unwrap_err();
    let call = world.collector.one(|it| it.kind == SpanKind::Server).await;
    for (name, value) in [
        ("service.name", "shop-bridge"),
        ("service.instance.id", "pod-1"),
        ("service.version", env!("CARGO_PKG_VERSION")),
        ("deployment.environment.name", "test"),
    ] {
        assert_eq!(call.resource.get(name).map(String::as_str), Some(value), "{name}");
    }
}
