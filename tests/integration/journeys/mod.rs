//! Whole journeys through running services: a webhook in, an event out, on one replica and on two, on good days and bad.

mod agents;
mod calls;
mod commands;
mod doors;
mod edge;
mod privacy;
mod replicas;
mod streams;

use crate::support::{
    redis::{RedisServer, unique_prefix},
    service::Service,
    vendor::{TENANT, Vendor},
};

/// Settings of a service that belongs to this vendor and this Redis.
fn settings<'a>(vendor: &'a str, redis: &'a str, prefix: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("gateway_url", vendor),
        ("tenant", TENANT),
        ("api_key", "k3y"),
        ("redis_url", redis),
        ("redis_prefix", prefix),
        ("heartbeat_ms", "200"),
        ("drain_spread_ms", "100"),
    ]
}

/// A vendor and services on one Redis, under a prefix of their own.
struct World {
    vendor: Vendor,
    vendor_url: String,
    redis_url: String,
    prefix: String,
    _redis: std::sync::Arc<RedisServer>,
}

impl World {
    async fn new() -> Self {
        let redis = RedisServer::shared();
        let vendor = Vendor::start().await;
        Self {
            vendor_url: vendor.server.uri(),
            vendor,
            redis_url: redis.url(),
            prefix: unique_prefix(),
            _redis: redis,
        }
    }

    async fn serve(&self) -> Service {
        self.serve_with(&[]).await
    }

    async fn serve_with(&self, more: &[(&str, &str)]) -> Service {
        let mut all = settings(&self.vendor_url, &self.redis_url, &self.prefix);
        all.extend_from_slice(more);
        Service::start(&all).await
    }
}
