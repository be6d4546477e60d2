//! Records what passes, by standing between 8x8 and the service. Everything goes on as it came, byte for byte, so signatures stay
//! good; what is written is redacted before.

use std::{
    io::Write,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::{Body, Bytes, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, HeaderName, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use reqwest::{Client, redirect};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tracing::warn;
use url::Url;

use super::{Call, Entry, Hook, RecordingError, Redactor, Writer};
use crate::{
    gateway::is_loopback,
    json,
    webhook::signature::{CUSTOMER, EVENT, RETRY, SIGNATURE, TENANT},
};

/// The largest JSON body that is recorded, in bytes.
const BODY_BYTES_MAX: usize = 16 << 20;
/// How long connecting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Headers that are about one connection alone (RFC 9110, 7.6.1), or are made anew.
const OF_CONNECTION: [HeaderName; 8] = [
    header::CONNECTION,
    header::HOST,
    header::CONTENT_LENGTH,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    header::PROXY_AUTHORIZATION,
];

/// Where a tap hands things on to.
#[derive(Debug, Clone)]
pub struct TapSettings {
    /// The service's webhook door: scheme, host and port.
    pub door: Url,
    /// The Chat Gateway, as `gateway_url` has it.
    pub gateway: Url,
}

/// Why a tap cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum TapError {
    /// The file cannot be begun.
    #[error("{0}")]
    Recording(#[from] RecordingError),
    /// No client can be made.
    #[error("the HTTP client cannot be made: {0}")]
    Client(#[from] reqwest::Error),
}

/// Stands between 8x8 and a service; clones share the recording.
#[derive(Clone)]
pub struct Tap(Arc<Inner>);

struct Inner {
    door: (Url, Client),
    gateway: (Url, Client),
    began: Instant,
    written: Mutex<(Writer<Box<dyn Write + Send>>, Redactor)>,
}

/// What came, before it is answered.
struct Came {
    at_ms: u64,
    method: String,
    path: String,
    headers: HeaderMap,
    /// Null where it is no JSON.
    body: Value,
}

impl Tap {
    /// A tap that writes to a file.
    pub fn new(settings: TapSettings, to: Box<dyn Write + Send>) -> Result<Self, TapError> {
        let client = |url: &Url| {
            let builder = Client::builder()
                .connect_timeout(CONNECT_TIMEOUT)
                .redirect(redirect::Policy::none())
                .referer(false)
                .retry(reqwest::retry::never());
            let builder = if is_loopback(url) {
                builder.no_proxy()
            } else {
                builder
            };
            let builder = if url.scheme() == "http" {
                builder.tls_certs_only([])
            } else {
                builder
            };
            builder.build()
        };
        let TapSettings { door, gateway } = settings;
        let (to_door, to_gateway) = (client(&door)?, client(&gateway)?);
        Ok(Self(Arc::new(Inner {
            door: (door, to_door),
            gateway: (gateway, to_gateway),
            began: Instant::now(),
            written: Mutex::new((Writer::begin(to)?, Redactor::default())),
        })))
    }

    /// Serves both sides until `stop`: 8x8 posts webhooks to the one, the service calls the other.
    pub async fn serve(
        self,
        for_vendor: TcpListener,
        for_service: TcpListener,
        stop: CancellationToken,
    ) -> std::io::Result<()> {
        let hooks = Router::new().fallback(webhook).with_state(self.clone());
        let calls = Router::new().fallback(call).with_state(self);
        let hooks = axum::serve(for_vendor, hooks).with_graceful_shutdown(stop.clone().cancelled_owned());
        let calls = axum::serve(for_service, calls).with_graceful_shutdown(stop.cancelled_owned());
        tokio::try_join!(
            std::future::IntoFuture::into_future(hooks),
            std::future::IntoFuture::into_future(calls)
        )
        .map(drop)
    }

    fn write(&self, came: Came, status: u16, answer: &Value, make: impl FnOnce(Came, u16, Value) -> Entry) {
        let mut written = self.0.written.lock().unwrap_or_else(PoisonError::into_inner);
        let (writer, redactor) = &mut *written;
        let body = redactor.redact(&came.body);
        let answer = redactor.redact(answer);
        let entry = make(Came { body, ..came }, status, answer);
        if let Err(error) = writer.add(&entry) {
            warn!(%error, "what passed is not recorded");
        }
    }

    /// Hands a request on, and gives the answer and what it was, as far as it is JSON.
    async fn pass(&self, request: Request, to: &(Url, Client)) -> (Came, u16, Value, Response) {
        let at_ms = u64::try_from(self.0.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let (parts, body) = request.into_parts();
        let mut came = Came {
            at_ms,
            method: parts.method.to_string(),
            path: parts.uri.path().to_owned(),
            headers: parts.headers.clone(),
            body: Value::Null,
        };
        let body = match seen(&parts.headers, body, &mut came.body).await {
            Ok(body) => body,
            Err(response) => return (came, 0, Value::Null, response),
        };
        let (base, client) = to;
        let base = base.as_str().trim_end_matches('/');
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        let sent = client
            .request(parts.method, format!("{base}{path}"))
            .headers(passed_on(&parts.headers))
            .body(reqwest::Body::wrap_stream(body.into_data_stream()))
            .send()
            .await;
        let answer = match sent {
            Ok(answer) => answer,
            Err(error) => {
                warn!(error = %error.without_url(), "a request could not be handed on");
                return (came, 0, Value::Null, StatusCode::BAD_GATEWAY.into_response());
            }
        };
        let (status, headers) = (answer.status(), answer.headers().clone());
        let mut told = Value::Null;
        let body = Body::from_stream(answer.bytes_stream());
        let mut response = match seen(&headers, body, &mut told).await {
            Ok(body) => Response::new(body),
            Err(_) => StatusCode::BAD_GATEWAY.into_response(),
        };
        *response.status_mut() = status;
        *response.headers_mut() = passed_on(&headers);
        (came, status.as_u16(), told, response)
    }
}

/// Reads a body that is JSON, and gives it on as it came. Others stream through unseen.
async fn seen(headers: &HeaderMap, body: Body, value: &mut Value) -> Result<Body, Response> {
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok());
    if !kind.is_some_and(|kind| kind.contains("json")) {
        return Ok(body);
    }
    let bytes: Bytes = to_bytes(body, BODY_BYTES_MAX)
        .await
        .map_err(|_| StatusCode::PAYLOAD_TOO_LARGE.into_response())?;
    *value = json::from_slice(&bytes).unwrap_or_default();
    Ok(Body::from(bytes))
}

fn passed_on(headers: &HeaderMap) -> HeaderMap {
    let mut passed = headers.clone();
    for name in OF_CONNECTION {
        passed.remove(name);
    }
    passed
}

async fn webhook(State(tap): State<Tap>, request: Request) -> Response {
    let (came, status, told, response) = tap.pass(request, &tap.0.door).await;
    let text = |name| {
        came.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned)
    };
    let of = (text(TENANT), text(CUSTOMER), text(EVENT), text(RETRY));
    // Only what 8x8 signed is worth keeping: all else is somebody's try, or a check of the address.
    if let (Some(tenant), Some(customer), Some(event), Some(retry)) = of
        && came.headers.contains_key(SIGNATURE)
    {
        tap.write(came, status, &told, |came, status, _| {
            Entry::Webhook(Hook {
                at_ms: came.at_ms,
                tenant,
                customer,
                event,
                retry: retry.parse().unwrap_or_default(),
                status,
                body: came.body,
            })
        });
    }
    response
}

async fn call(State(tap): State<Tap>, request: Request) -> Response {
    let (came, status, told, response) = tap.pass(request, &tap.0.gateway).await;
    // Keys are another at a replay.
    if !came.path.contains("/jwk/") {
        tap.write(came, status, &told, |came, status, response| {
            Entry::Call(Call {
                at_ms: came.at_ms,
                method: came.method,
                path: came.path,
                request: came.body,
                status,
                response,
            })
        });
    }
    response
}
