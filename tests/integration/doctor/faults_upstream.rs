//! Faults of the way to 8x8 and of what is registered there.

use jiff::{Timestamp, ToSpan as _, fmt::rfc2822::DateTimePrinter};
use serde_json::{Value, json};
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{method, path, path_regex},
};

use super::{Diagnosis, Patient};
use crate::support::stage::CHANNEL;

/// A Chat Gateway that says what a test wants.
struct Scripted {
    server: MockServer,
    webhook: Value,
    channel: Value,
    ahead_s: i64,
    key_status: u16,
}

impl Scripted {
    async fn new() -> Self {
        Self {
            server: MockServer::start().await,
            webhook: json!({
                "id": "w1", "name": "bridge", "uri": "http://127.0.0.1:9/webhooks/8x8", "version": "Chat Gateway v1.0",
            }),
            channel: json!({
                "id": "c1", "name": "chat", "type": "ChatAPI", "webHookId": "w1",
                "routingOptions": { "type": "queue", "id": "100" },
            }),
            ahead_s: 0,
            key_status: 404,
        }
    }

    async fn examine(&self) -> Diagnosis {
        let now = Timestamp::now() + self.ahead_s.seconds();
        let date = DateTimePrinter::new().timestamp_to_rfc9110_string(&now).unwrap();
        let list = |name: &str, item: &Value| {
            let body = json!({
                "_embedded": { name: [item] },
                "page": { "size": 20, "number": 0, "totalElements": 1, "totalPages": 1 },
            });
            ResponseTemplate::new(200)
                .insert_header("date", date.as_str())
                .set_body_json(body)
        };
        for (name, item) in [("webhooks", &self.webhook), ("channels", &self.channel)] {
            Mock::given(method("GET"))
                .and(path(format!("/chat-gateway/v1/{name}")))
                .respond_with(list(name, item))
                .mount(&self.server)
                .await;
        }
        Mock::given(method("GET"))
            .and(path_regex("^/chat-gateway/v1/jwk/"))
            .respond_with(ResponseTemplate::new(self.key_status))
            .mount(&self.server)
            .await;
        let mut patient = Patient::new().await;
        patient
            .set("gateway_url", &self.server.uri())
            .set("gateway_attempts", "1");
        patient.examine(&[]).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scripted_vendor_is_healthy_too() {
    let found = Scripted::new().await.examine().await;
    assert_eq!(found.code, 0, "{:#?}", found.wrong());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vendor_that_is_not_there_and_something_else_in_its_place() {
    let mut patient = Patient::new().await;
    patient.set("gateway_url", "http://127.0.0.1:9");
    let found = patient.examine(&[]).await;
    found
        .error("upstream.reachable", "does not answer", "Check gateway_url")
        .only(&["upstream.reachable"]);
    let nothing = MockServer::start().await;
    patient.set("gateway_url", &nothing.uri());
    let found = patient.examine(&[]).await;
    found.error(
        "upstream.reachable",
        "no Chat Gateway",
        "base URL without /chat-gateway/v1",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_key_and_a_wrong_tenant() {
    let mut patient = Patient::new().await;
    patient.set("api_key", "s3cret-wrong");
    let found = patient.examine(&[]).await;
    found
        .error("upstream.credentials", "refuses", "Check api_key")
        .only(&["upstream.credentials"]);
    assert!(!format!("{found:?}").contains("s3cret"), "{found:?}");
    patient
        .set("api_key", "sandbox-key")
        .set("tenant", "somebody-else");
    patient
        .examine(&[])
        .await
        .error("upstream.credentials", "refuses", "tenant is the tenant's id");
}

#[tokio::test(flavor = "multi_thread")]
async fn clocks_that_differ() {
    for (ahead_s, says) in [(900, "behind"), (-900, "ahead of")] {
        let mut vendor = Scripted::new().await;
        vendor.ahead_s = ahead_s;
        let found = vendor.examine().await;
        found
            .error("upstream.clock", says, "NTP")
            .error("upstream.clock", "stale", "")
            .only(&["upstream.clock"]);
    }
    let mut vendor = Scripted::new().await;
    vendor.ahead_s = 60;
    vendor.examine().await.warning("upstream.clock", "behind", "NTP");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_signing_keys() {
    let mut vendor = Scripted::new().await;
    vendor.key_status = 500;
    let found = vendor.examine().await;
    found
        .error("upstream.keys", "cannot be used", "reach it")
        .only(&["upstream.keys"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_of_another_version() {
    let mut vendor = Scripted::new().await;
    vendor.webhook["version"] = json!("v2.0");
    let found = vendor.examine().await;
    found
        .error("webhook.version", "\"v2.0\"", "Chat Gateway v1.0")
        .only(&["webhook.version"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_webhook_that_leads_here() {
    let patient = Patient::new().await;
    patient
        .webhook("http://127.0.0.1:9/somewhere/else?key=s3cret")
        .await;
    let found = patient.examine(&[]).await;
    found
        .error("webhook.registered", "none leads to the door", "Register one")
        .error("webhook.url", "another path than the door", "Set its URL")
        .error(
            "channel.webhook",
            "does not lead to the door",
            "Register a webhook",
        );
    assert!(!format!("{found:?}").contains("s3cret"), "{found:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_without_the_secret_or_with_another() {
    let mut patient = Patient::new().await;
    patient.set("webhook_path_secret", "0123456789abcdef");
    let found = patient.examine(&[]).await;
    found.error(
        "webhook.url",
        "lacks the secret",
        "SECRET being webhook_path_secret",
    );
    patient
        .webhook("http://127.0.0.1:9/webhooks/8x8/fedcba9876543210")
        .await;
    let found = patient.examine(&[]).await;
    found.error("webhook.url", "another secret", "ReplaceWebhook");
    for secret in ["0123456789abcdef", "fedcba9876543210"] {
        assert!(!format!("{found:?}").contains(secret), "{found:?}");
    }
    patient
        .webhook("http://127.0.0.1:9/webhooks/8x8/0123456789abcdef")
        .await;
    assert_eq!(patient.examine(&[]).await.code, 0, "the remedy helps");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_at_another_host() {
    let patient = Patient::new().await;
    let found = patient
        .examine(&["--webhook-url", "https://hooks.example.com/webhooks/8x8"])
        .await;
    found.error(
        "webhook.url",
        "another host",
        "https://hooks.example.com/webhooks/8x8",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_door_that_the_vendor_cannot_reach() {
    // Nobody serves there.
    let patient = Patient::new().await;
    let found = patient.examine(&["--verify"]).await;
    found
        .error("webhook.verify", "failed", "Start the service")
        .only(&["webhook.verify"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn channels_that_lead_elsewhere_or_are_none() {
    let patient = Patient::new().await;
    patient.other_webhook("http://127.0.0.1:9/elsewhere").await;
    let found = patient.examine(&[]).await;
    found
        .error(
            "channel.webhook",
            "does not lead to the door",
            "use webhook sandbox-webhook",
        )
        .only(&["channel.webhook", "webhook.url"]);

    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("chatbridge.toml");
    let tenants = format!(
        "[[tenants]]\nid = \"sandbox\"\napi_key = \"sandbox-key\"\ngateway_url = \"{}\"\nchannels = [\"gone\", \"sandbox-widget\", \"{CHANNEL}\"]\n",
        patient.sandbox
    );
    std::fs::write(&file, tenants).unwrap();
    let mut patient = patient;
    for name in ["tenant", "api_key", "gateway_url"] {
        patient.set(name, "");
    }
    let found = patient.examine(&["--config", file.to_str().unwrap()]).await;
    found
        .error("channel.exists", "no channel gone", "Correct `channels`")
        .error("channel.type", "cannot be started by a call", "ChatAPI");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_without_a_webhook_or_without_a_queue() {
    let mut vendor = Scripted::new().await;
    vendor.channel["webHookId"] = json!("");
    let found = vendor.examine().await;
    found
        .error("channel.webhook", "no webhook", "use webhook w1")
        .only(&["channel.webhook"]);
    let mut vendor = Scripted::new().await;
    vendor.channel["webHookId"] = json!("gone");
    vendor
        .examine()
        .await
        .error("channel.webhook", "does not exist", "use webhook w1");
    let mut vendor = Scripted::new().await;
    vendor.channel["routingOptions"] = json!({});
    let found = vendor.examine().await;
    found
        .warning("channel.queue", "no queue", "Set a queue")
        .only(&["channel.queue"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_without_a_channel_for_the_api() {
    let mut vendor = Scripted::new().await;
    vendor.channel["type"] = json!("WebChat");
    let found = vendor.examine().await;
    found
        .error("channel.exists", "no channel of type ChatAPI", "Create one")
        .only(&["channel.exists"]);
}
