//! Traces, as a collector gets them from a service that runs.

mod calls;
mod collector;
mod story;
mod trouble;
mod webhooks;

use chatbridge::grpc::proto::{AuthorType, MessageInput, SendMessageRequest};
use tonic::Request;

use self::collector::Collector;
use crate::support::{
    redis::{RedisServer, unique_prefix},
    service::Service,
    vendor::{TENANT, Vendor},
};

/// A trace and a span of a caller's own.
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN: &str = "00f067aa0ba902b7";

/// A vendor, a collector, and services on one Redis, under a prefix of their own.
struct World {
    vendor: Vendor,
    collector: Collector,
    redis: std::sync::Arc<RedisServer>,
    prefix: String,
}

impl World {
    async fn new() -> Self {
        Self {
            vendor: Vendor::start().await,
            collector: Collector::start().await,
            redis: RedisServer::shared(),
            prefix: unique_prefix(),
        }
    }

    /// A service that exports its traces, with these settings besides.
    async fn serve(&self, more: &[(&str, &str)]) -> Service {
        let (vendor, redis) = (self.vendor.server.uri(), self.redis.url());
        let mut all = vec![
            ("gateway_url", vendor.as_str()),
            ("tenant", TENANT),
            ("api_key", "k3y"),
            ("redis_url", &redis),
            ("redis_prefix", &self.prefix),
            ("heartbeat_ms", "200"),
            ("drain_spread_ms", "100"),
        ];
        if !more.iter().any(|(name, _)| *name == "otlp_endpoint") {
            all.push(("otlp_endpoint", &self.collector.url));
        }
        all.extend_from_slice(more);
        Service::start(&all).await
    }
}

/// A request with its caller's trace.
fn traced<T>(message: T, is_kept: bool) -> Request<T> {
    let mut request = Request::new(message);
    let traceparent = format!("00-{TRACE}-{SPAN}-{:02x}", u8::from(is_kept));
    request
        .metadata_mut()
        .insert("traceparent", traceparent.parse().unwrap());
    request
}

fn message(conversation: &str, text: &str) -> SendMessageRequest {
    SendMessageRequest {
        conversation_id: conversation.into(),
        message: Some(MessageInput {
            author_type: AuthorType::User.into(),
            text: text.into(),
            ..MessageInput::default()
        }),
        ..SendMessageRequest::default()
    }
}
