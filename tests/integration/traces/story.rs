//! One trace, whole: from a bot's `SendMessage` to the agent's reply on its stream.

use std::fmt::Write as _;

use chatbridge::{
    grpc::proto::{
        AgentEvent, AgentEventsRequest, Assignment, AssignmentType, AuthorType, CreateConversationRequest,
        User, agent_event::Body,
    },
    sandbox::Pace,
};
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;

use super::{
    SPAN, TRACE,
    collector::{Collector, Seen},
    message, traced,
};
use crate::support::{
    service::Events,
    stage::{CHANNEL, QUEUE, Stage},
};

/// The next message of an agent.
async fn reply(events: &mut Events) -> AgentEvent {
    loop {
        let event = events.event().await;
        if let Some(Body::Message(message)) = &event.body
            && message
                .sender
                .as_ref()
                .is_some_and(|it| it.r#type() == AuthorType::Agent)
        {
            return event;
        }
    }
}

#[tokio::test]
async fn an_agents_reply_is_in_the_trace_of_the_message_that_it_answers() {
    let collector = Collector::start().await;
    let settings = [
        ("otlp_endpoint", collector.url.as_str()),
        ("trace_sample_ratio", "0"),
        ("trace_upstream", "true"),
    ];
    let stage = Stage::start(Pace::instant(), &settings).await;
    let mut events = stage.service.events(AgentEventsRequest::default()).await;
    let create = CreateConversationRequest {
        channel_id: CHANNEL.into(),
        user: Some(User {
            user_id: "customer-7".into(),
            ..User::default()
        }),
        assignment: Some(Assignment {
            r#type: AssignmentType::Queue.into(),
            id: QUEUE.into(),
            ..Assignment::default()
        }),
        ..CreateConversationRequest::default()
    };
    let created = stage.conversations().create_conversation(create).await.unwrap();
    let conversation = created.into_inner().conversation_id;
    // The agent greets. Nobody keeps the trace of that.
    let greeting = reply(&mut events).await;
    assert!(greeting.traceparent.ends_with("-00"), "{}", greeting.traceparent);

    let send = traced(message(&conversation, "I would like to return it"), true);
    stage.conversations().send_message(send).await.unwrap();
    let reply = reply(&mut events).await;
    assert!(
        reply.traceparent.starts_with(&format!("00-{TRACE}-")) && reply.traceparent.ends_with("-01"),
        "{}",
        reply.traceparent
    );

    let is_reply = |span: &Seen| span.get("chatbridge.event.id") == reply.event_id;
    let delivery = collector
        .one(|it| it.name == "deliver message" && is_reply(it))
        .await;
    let webhook = collector
        .one(|it| it.name == "POST /webhooks/8x8" && is_reply(it))
        .await;
    let call = collector.one(|it| it.name.ends_with("/SendMessage")).await;
    let request = collector.one(|it| it.name == "POST send_message").await;
    // From below: each is a child of the one before, down to the caller's own span.
    assert_eq!(
        (delivery.parent.as_str(), delivery.kind),
        (&*webhook.id, SpanKind::Producer)
    );
    assert!(
        reply.traceparent.contains(&webhook.id),
        "a client goes on from there"
    );
    assert_eq!(
        (webhook.parent.as_str(), webhook.kind),
        (&*call.id, SpanKind::Server)
    );
    assert_eq!(
        (request.parent.as_str(), request.kind),
        (&*call.id, SpanKind::Client)
    );
    assert_eq!((call.parent.as_str(), call.kind), (SPAN, SpanKind::Server));
    let append = collector
        .one(|it| it.name == "append event" && it.parent == webhook.id)
        .await;
    let story = [&delivery, &webhook, &call, &request, &append];
    assert!(story.iter().all(|span| span.trace == TRACE && !span.is_error));
    for span in [&delivery, &webhook, &call, &request] {
        assert_eq!(
            span.get("chatbridge.conversation.id"),
            conversation,
            "{}",
            span.name
        );
        assert_eq!(span.get("chatbridge.tenant"), "sandbox", "{}", span.name);
    }
    // And linked: to the webhook, and to the stream on which it went out.
    let links: Vec<&str> = delivery.links.iter().map(|(_, _, why)| why.as_str()).collect();
    assert_eq!(links, ["webhook", "stream"]);
    assert_eq!(delivery.links[0].1, webhook.id);
    assert_ne!(delivery.links[1].0, TRACE);
    let order = [
        call.start_ns,
        request.start_ns,
        webhook.start_ns,
        delivery.start_ns,
    ];
    assert!(order.is_sorted(), "{order:?}");
    // The vendor was told, as the sandbox shows.
    let log = stage.control("GET", "/deliveries", None).await;
    let told = log["deliveries"].as_array().unwrap().iter().find(|it| {
        let path = it["path"].as_str().unwrap_or_default();
        it["method"] == "POST" && path.ends_with("/messages")
    });
    let traceparent = format!("00-{TRACE}-{}-01", request.id);
    assert_eq!(told.unwrap()["traceparent"], traceparent);
    println!("{}", tree(&collector.spans()));
}

/// The spans of the trace as a person would look at them.
fn tree(spans: &[Seen]) -> String {
    let mut spans: Vec<&Seen> = spans.iter().filter(|span| span.trace == TRACE).collect();
    spans.sort_by_key(|span| span.start_ns);
    let begin = spans.first().map_or(0, |span| span.start_ns);
    let mut text = format!("{TRACE}\n  {SPAN} (the bot's own span)\n");
    branch(&spans, SPAN, 2, begin, &mut text);
    text
}

fn branch(spans: &[&Seen], parent: &str, depth: usize, begin: u64, text: &mut String) {
    const SHOWN: [&str; 8] = [
        "rpc.response.status_code",
        "http.response.status_code",
        "http.request.resend_count",
        "chatbridge.upstream.outcome",
        "chatbridge.upstream.reference_id",
        "chatbridge.webhook.result",
        "chatbridge.event.id",
        "chatbridge.event.kind",
    ];
    for span in spans.iter().filter(|span| span.parent == parent) {
        let ms = |ns: u64| ns as f64 / 1e6;
        let shown = SHOWN.iter().filter(|name| span.attributes.contains_key(**name));
        let shown: Vec<String> = shown.map(|name| format!("{name}={}", span.get(name))).collect();
        let links: Vec<String> = span
            .links
            .iter()
            .map(|(trace, id, why)| format!(" -> {why} {}/{id}", &trace[..8]))
            .collect();
        writeln!(
            text,
            "{:indent$}{} {} {:?} +{:.1} ms, {:.1} ms  {}{}",
            "",
            span.id,
            span.name,
            span.kind,
            ms(span.start_ns.saturating_sub(begin)),
            ms(span.end_ns.saturating_sub(span.start_ns)),
            shown.join(" "),
            links.concat(),
            indent = depth * 2,
        )
        .unwrap();
        branch(spans, &span.id, depth + 1, begin, text);
    }
}
