//! The Chat Gateway as the service sees it: the vendor's key, and the sandbox for everything else. So the load is signed by us,
//! while channels and conversations are the sandbox's, which checks what it is asked for.

use std::sync::Arc;

use axum::{
    Router,
    body::{Bytes, to_bytes},
    extract::{Request, State},
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};
use tokio::net::TcpListener;
use tokio_util::task::AbortOnDropHandle;

use crate::Result;

const KEYS: &str = "/chat-gateway/v1/jwk/";
const BODY_BYTES_MAX: usize = 1 << 20;

struct Behind {
    http: reqwest::Client,
    vendor: String,
    sandbox: String,
}

/// The gateway, which ends when this is dropped.
pub struct Gateway {
    /// Its base URL.
    pub url: String,
    _task: AbortOnDropHandle<()>,
}

impl Gateway {
    /// Serves on a free loopback port.
    pub async fn start(vendor: &str, sandbox: &str) -> Result<Self> {
        let behind = Behind {
            http: reqwest::Client::builder().no_proxy().build()?,
            vendor: vendor.to_owned(),
            sandbox: sandbox.to_owned(),
        };
        let routes = Router::new().fallback(forward).with_state(Arc::new(behind));
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let task = tokio::spawn(async move {
            let _ = axum::serve(listener, routes).await;
        });
        Ok(Self {
            url,
            _task: AbortOnDropHandle::new(task),
        })
    }
}

async fn forward(State(behind): State<Arc<Behind>>, request: Request) -> Response {
    match behind.forward(request).await {
        Ok((status, body)) => (status, [(header::CONTENT_TYPE, "application/json")], body).into_response(),
        Err(error) => (StatusCode::BAD_GATEWAY, error.to_string()).into_response(),
    }
}

impl Behind {
    async fn forward(&self, request: Request) -> Result<(StatusCode, Bytes)> {
        let (head, body) = request.into_parts();
        let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
        let base = if path.starts_with(KEYS) {
            &self.vendor
        } else {
            &self.sandbox
        };
        let answer = self
            .http
            .request(head.method, format!("{base}{path}"))
            .header("content-type", "application/json")
            .header("x-api-key", "sandbox-key")
            .body(to_bytes(body, BODY_BYTES_MAX).await?)
            .send()
            .await?;
        Ok((answer.status(), answer.bytes().await?))
    }
}
