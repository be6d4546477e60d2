//! The service before a sandbox, with a proxy in between: everything real but the vendor.

use std::sync::Arc;

use chatbridge::{
    grpc::proto::{
        attachment_service_client::AttachmentServiceClient,
        configuration_service_client::ConfigurationServiceClient,
        conversation_service_client::ConversationServiceClient,
    },
    sandbox::{Pace, SandboxSettings, serve},
};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::transport::Channel;

use super::{
    proxy::Proxy,
    redis::{RedisServer, unique_prefix},
    service::{Service, eventually},
};

/// The sandbox's own tenant, key, channel and queues.
pub const TENANT: &str = "sandbox";
pub const KEY: &str = "sandbox-key";
pub const CHANNEL: &str = "sandbox-chat";
pub const QUEUE: &str = "100";
pub const OTHER_QUEUE: &str = "200";

/// A service, its sandbox and the proxy between them.
pub struct Stage {
    pub proxy: Proxy,
    pub sandbox: String,
    pub service: Service,
    pub channel: Channel,
    http: reqwest::Client,
    redis: Arc<RedisServer>,
    prefix: String,
    _stop: DropGuard,
}

impl Stage {
    /// With agents who take `pace`, and these settings besides.
    pub async fn start(pace: Pace, settings: &[(&str, &str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let sandbox = format!("http://{}", listener.local_addr().unwrap());
        let stop = CancellationToken::new();
        let of_sandbox = SandboxSettings {
            pace,
            seed: Some(7),
            ..SandboxSettings::default()
        };
        tokio::spawn(serve(of_sandbox, listener, stop.clone()));
        let proxy = Proxy::start(&sandbox).await;
        let redis = RedisServer::shared();
        let prefix = unique_prefix();
        let service = service(&proxy, &redis, &prefix, settings).await;
        let stage = Self {
            channel: service.channel().await,
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            proxy,
            sandbox,
            service,
            redis,
            prefix,
            _stop: stop.drop_guard(),
        };
        let webhook = format!("http://{}/webhooks/8x8", stage.service.webhook);
        stage
            .control("PUT", "/webhook", Some(serde_json::json!({ "url": webhook })))
            .await;
        stage
    }

    /// Another replica on the same Redis, behind the same proxy.
    pub async fn replica(&self, settings: &[(&str, &str)]) -> Service {
        service(&self.proxy, &self.redis, &self.prefix, settings).await
    }

    /// What a program needs to find the log of this service.
    pub fn store_settings(&self) -> [(&'static str, String); 3] {
        [
            ("CHATBRIDGE_REDIS_URL", self.redis.url()),
            ("CHATBRIDGE_REDIS_PREFIX", self.prefix.clone()),
            ("CHATBRIDGE_TENANT", TENANT.to_owned()),
        ]
    }

    /// Kills the service and starts it anew with these settings, on the same Redis; the sandbox delivers to the new one.
    pub async fn kill_service(mut self, settings: &[(&str, &str)]) -> Self {
        let new = service(&self.proxy, &self.redis, &self.prefix, settings).await;
        self.channel = new.channel().await;
        std::mem::replace(&mut self.service, new).kill().await;
        let webhook = format!("http://{}/webhooks/8x8", self.service.webhook);
        self.control("PUT", "/webhook", Some(serde_json::json!({ "url": webhook })))
            .await;
        self
    }

    pub fn conversations(&self) -> ConversationServiceClient<Channel> {
        ConversationServiceClient::new(self.channel.clone())
    }

    pub fn attachments(&self) -> AttachmentServiceClient<Channel> {
        AttachmentServiceClient::new(self.channel.clone())
    }

    /// The files of another replica, with windows that let them flow.
    pub async fn attachments_of(&self, service: &Service) -> AttachmentServiceClient<Channel> {
        let channel = Channel::from_shared(service.grpc.clone())
            .unwrap()
            .initial_stream_window_size(1 << 20)
            .initial_connection_window_size(4 << 20)
            .connect()
            .await;
        AttachmentServiceClient::new(channel.unwrap())
    }

    pub fn configuration(&self) -> ConfigurationServiceClient<Channel> {
        ConfigurationServiceClient::new(self.channel.clone())
    }

    /// Asks the sandbox's own control API.
    pub async fn control(&self, method: &str, path: &str, body: Option<Value>) -> Value {
        let url = format!("{}/sandbox/v1{path}", self.sandbox);
        let mut request = self.http.request(method.parse().unwrap(), url);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.unwrap();
        assert!(
            answer.status().is_success(),
            "{method} {path}: {}",
            answer.status()
        );
        answer.json().await.unwrap_or_default()
    }

    /// Reads from the sandbox's Chat Gateway, past the service and the proxy.
    pub async fn upstream(&self, path: &str) -> Value {
        let url = format!("{}/chat-gateway/v1{path}", self.sandbox);
        let answer = self.http.get(url).header("x-api-key", KEY).send().await.unwrap();
        assert!(answer.status().is_success(), "GET {path}: {}", answer.status());
        answer.json().await.unwrap()
    }

    /// How many there are of something in the sandbox.
    pub async fn count(&self, path: &str) -> u64 {
        let list = self.upstream(path).await;
        list["page"]["totalElements"].as_u64().unwrap()
    }

    /// Waits until the conversation stands as wanted, in the sandbox.
    pub async fn until(&self, id: &str, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let path = format!("/conversations/{id}");
        eventually(what, async || {
            Some(self.upstream(&path).await).filter(|it| wanted(it))
        })
        .await
    }
}

async fn service(proxy: &Proxy, redis: &RedisServer, prefix: &str, settings: &[(&str, &str)]) -> Service {
    let redis_url = redis.url();
    let mut all = vec![
        ("gateway_url", proxy.url.as_str()),
        ("tenant", TENANT),
        ("api_key", KEY),
        ("redis_url", &redis_url),
        ("redis_prefix", prefix),
        ("heartbeat_ms", "200"),
        ("drain_spread_ms", "100"),
    ];
    all.extend_from_slice(settings);
    Service::start(&all).await
}
