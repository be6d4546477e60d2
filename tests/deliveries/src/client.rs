//! A client of Chat API v2 that registers webhooks and begins conversations. It goes by v2's public contract alone.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use crate::Result;

/// The queue of the sandbox that conversations go to.
const QUEUE: &str = "100";

/// A client of one tenant.
pub struct Client {
    http: reqwest::Client,
    root: String,
    token: String,
}

impl Client {
    /// Gets itself a token, which outlives the run.
    pub async fn connect(base: &str, tenant: &str, id: &str, secret: &str) -> Result<Self> {
        let http = reqwest::Client::builder().no_proxy().build()?;
        let credentials = BASE64_STANDARD.encode(format!("{id}:{secret}"));
        let asked = http
            .post(format!("{base}/oauth/v2/token"))
            .header("authorization", format!("Basic {credentials}"))
            .header("content-type", "application/x-www-form-urlencoded")
            .body("grant_type=client_credentials");
        let answer = read(asked, "a token").await?;
        Ok(Self {
            http,
            root: format!("{base}/vcc/us/chat/v2/tenant/{tenant}"),
            token: text(&answer, "access_token")?,
        })
    }

    /// Registers a webhook; its id.
    pub async fn webhook(&self, name: &str, uri: &str) -> Result<String> {
        let body = json!({ "name": name, "uri": uri, "version": "v2.0" });
        text(&self.create("/web-hooks", &body).await?, "id")
    }

    /// Creates a channel whose conversations go to a webhook; its id.
    pub async fn channel(&self, name: &str, webhook: &str) -> Result<String> {
        let routing = json!({ "type": "queue", "id": QUEUE });
        let body = json!({ "name": name, "webHookId": webhook, "routingOptions": routing });
        text(&self.create("/channels", &body).await?, "id")
    }

    /// Begins a conversation; its id.
    pub async fn conversation(&self, channel: &str, customer: &str) -> Result<String> {
        let body = json!({
            "channelId": channel,
            "customer": { "name": customer },
            "history": { "messages": [{ "type": "user", "text": "A person, please." }] },
        });
        text(&self.create("/conversations", &body).await?, "conversationId")
    }

    async fn create(&self, path: &str, body: &Value) -> Result<Value> {
        let asked = self
            .http
            .post(format!("{}{path}", self.root))
            .header("authorization", format!("Bearer {}", self.token))
            .header("content-type", "application/json")
            .body(body.to_string());
        read(asked, path).await
    }
}

async fn read(asked: reqwest::RequestBuilder, what: &str) -> Result<Value> {
    let answer = asked.send().await?;
    let (status, body) = (answer.status(), answer.text().await?);
    if !status.is_success() {
        return Err(format!("the façade answered {status} for {what}: {body}").into());
    }
    Ok(serde_json::from_str(&body)?)
}

fn text(answer: &Value, field: &str) -> Result<String> {
    let found = answer[field].as_str();
    Ok(found.ok_or_else(|| format!("no {field} in {answer}"))?.to_owned())
}
