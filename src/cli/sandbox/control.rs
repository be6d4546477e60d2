//! A client of a running sandbox: its control API, and the vendor's API that it plays.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::Value;
use url::Url;

use crate::json;

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(30);
/// The key of every sandbox.
const API_KEY: &str = "sandbox-key";

/// Why a sandbox did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub(super) enum ControlError {
    /// It cannot be reached.
    #[error(
        "the sandbox at {base} cannot be reached: {why}; is `chatbridge sandbox` or `chatbridge dev` running there?"
    )]
    Unreachable {
        /// Where it was looked for.
        base: Url,
        /// What went wrong.
        why: String,
    },
    /// It refused.
    #[error("the sandbox answered {status} to {method} {path}: {why}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// What was asked.
        method: Method,
        /// Of what.
        path: String,
        /// What it said.
        why: String,
    },
}

/// A running sandbox.
#[derive(Debug, Clone)]
pub(super) struct Control {
    client: reqwest::Client,
    base: Url,
}

impl Control {
    /// The sandbox at `base`, without asking it anything yet.
    pub(super) fn new(base: Url) -> Result<Self, ControlError> {
        // It is on this machine: a proxy of the environment is not meant for it.
        let client = reqwest::Client::builder().no_proxy().timeout(TIMEOUT).build();
        match client {
            Ok(client) => Ok(Self { client, base }),
            Err(error) => Err(ControlError::Unreachable {
                base,
                why: error.to_string(),
            }),
        }
    }

    /// Asks the control API; `path` is below `/sandbox/v1`.
    pub(super) async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, ControlError> {
        let path = format!("/sandbox/v1{path}");
        let request = self.request(&method, &path);
        self.send(request, body, method, path).await
    }

    /// Calls the vendor's API as an app would; `path` is below `/chat-gateway/v1`.
    pub(super) async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, ControlError> {
        let path = format!("/chat-gateway/v1{path}");
        let request = self.request(&method, &path).header("x-api-key", API_KEY);
        self.send(request, body, method, path).await
    }

    /// Adds a file by the control API, and says its identifier.
    pub(super) async fn upload(
        &self,
        path: &str,
        name: &str,
        content: String,
    ) -> Result<Value, ControlError> {
        let path = format!("/sandbox/v1{path}");
        let encoded = percent_encoding::utf8_percent_encode(name, percent_encoding::NON_ALPHANUMERIC);
        let request = self
            .request(&Method::POST, &path)
            .header("x-sandbox-filename", encoded.to_string())
            .header("content-type", "text/plain; charset=utf-8")
            .body(content);
        self.send(request, None, Method::POST, path).await
    }

    fn request(&self, method: &Method, path: &str) -> reqwest::RequestBuilder {
        let base = self.base.as_str().trim_end_matches('/');
        self.client.request(method.clone(), format!("{base}{path}"))
    }

    async fn send(
        &self,
        request: reqwest::RequestBuilder,
        body: Option<&Value>,
        method: Method,
        path: String,
    ) -> Result<Value, ControlError> {
        let request = match body {
            Some(body) => request.json(body),
            None => request,
        };
        let unreachable = |error: reqwest::Error| ControlError::Unreachable {
            base: self.base.clone(),
            why: match error.is_timeout() {
                true => "it does not answer".to_owned(),
                false => "the connection failed".to_owned(),
            },
        };
        let answer = request.send().await.map_err(unreachable)?;
        let status = answer.status();
        let bytes = answer.bytes().await.map_err(unreachable)?;
        let answer = json::from_slice(&bytes).unwrap_or_default();
        if status.is_success() {
            return Ok(answer);
        }
        Err(ControlError::Refused {
            status: status.as_u16(),
            method,
            path,
            why: why(&answer, status),
        })
    }
}

/// What an error answer says, of either API.
fn why(answer: &Value, status: StatusCode) -> String {
    let said = answer["error"].as_str().or_else(|| answer["message"].as_str());
    said.or_else(|| status.canonical_reason())
        .unwrap_or("it says nothing of why")
        .to_owned()
}
