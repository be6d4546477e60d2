//! The webhook door: HTTP in, event log out. It answers 2xx only once the event is in the log, and its journey ends there.

use std::{
    fmt,
    net::IpAddr,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use aws_lc_rs::digest::{SHA256, digest};
use axum::{
    Router,
    body::Body,
    extract::{Path, Request, State, rejection::PathRejection},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse as _, Response},
    routing::post,
};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use metrics::Histogram;
use opentelemetry::trace::SpanKind;
use secrecy::{ExposeSecret as _, SecretString};
use tracing::{debug, error, warn};

use super::{
    KeyCache, RateLimits, Received, Refusal, Seat, Sources, Verified, normalise,
    normalise::is_verification,
    rates::Rates,
    signature::{Claimed, EVENT, Fresh, SIGNATURE, TENANT},
    trace_context,
};
use crate::{
    agents::AgentNames,
    conversation::{SessionChange, echo},
    event::{Event, EventBody, TenantId},
    grpc::convert::encode_event,
    store::{Append, Appended, SharedStore, StoreError, entry::encode_content},
    telemetry::traces::{self, Begin, Span},
    tenant::Tenants,
};

/// Counter of webhooks, by `result`: `accepted`, `duplicate`, `forged`, `verify`, or the reason of a [`Refusal`].
pub const WEBHOOKS: &str = "chatbridge_webhooks_total";
/// Counter of appends that found the store's clock more than a minute behind the log's.
pub const CLOCK_BEHIND: &str = "chatbridge_log_clock_behind_total";

/// Histogram of how old events are when they are in the log.
const AGE: &str = "chatbridge_event_append_age_seconds";

/// The longest body of a request without a signature, in bytes: the vendor's check of the address is a short one.
const MAX_UNSIGNED_BYTES: usize = 16 * 1024;
/// How long a webhook waits to learn which call it may answer: for the sake of its trace it is not held up.
const TRACE_WAIT: Duration = Duration::from_millis(100);
/// How far the store's clock may be behind the log's before somebody should look, in milliseconds.
const CLOCK_TOLERANCE_MS: u64 = 60_000;
/// What we ask for with 503 and 429, in seconds.
const RETRY_AFTER_S: HeaderValue = HeaderValue::from_static("5");

/// Tells the time, Unix milliseconds.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// Tells which tenants are served, now.
#[derive(Clone)]
pub struct Served(Arc<Find>);

type Find = dyn Fn(&str) -> Option<TenantId> + Send + Sync;

impl Served {
    /// These, always.
    pub fn these(tenants: Vec<TenantId>) -> Self {
        Self(Arc::new(move |id| {
            tenants.iter().find(|tenant| tenant.as_str() == id).cloned()
        }))
    }

    /// Those that are served at the time.
    pub fn now(tenants: Tenants) -> Self {
        Self(Arc::new(move |id| {
            tenants.get(id).map(|tenant| tenant.id.clone())
        }))
    }

    fn find(&self, id: &str) -> Option<TenantId> {
        (self.0)(id)
    }
}

impl fmt::Debug for Served {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Served")
    }
}

/// What the door needs to know.
#[derive(Debug, Clone)]
pub struct IngressSettings {
    /// The tenants that are served.
    pub tenants: Served,
    /// The last segment of the webhook's path. Not empty, and without a slash: no request could match it.
    pub path_secret: Option<SecretString>,
    /// The longest body, in bytes.
    pub max_body_bytes: usize,
    /// How long reading a body may take.
    pub body_timeout: Duration,
    /// From where webhooks are taken.
    pub sources: Sources,
    /// How many of them.
    pub rates: RateLimits,
    /// How far the transmission time may be from now, in both directions.
    pub freshness: Duration,
    /// When to look again at a conversation that is wrapping up, in milliseconds.
    pub settle_after_ms: u64,
}

impl IngressSettings {
    /// The defaults: no path secret, 1 MiB in 10 s, from anywhere at any rate, sent within 300 s, settled after 30 s.
    pub fn new(tenants: Vec<TenantId>) -> Self {
        Self {
            tenants: Served::these(tenants),
            path_secret: None,
            max_body_bytes: 1 << 20,
            body_timeout: Duration::from_secs(10),
            sources: Sources::default(),
            rates: RateLimits::default(),
            freshness: Duration::from_secs(300),
            settle_after_ms: 30_000,
        }
    }
}

/// The connection by which a request came, among the extensions of the request.
#[derive(Debug, Clone)]
pub struct Came {
    /// From where: a proxy's address, where there is one.
    pub peer: IpAddr,
    /// Its place.
    pub seat: Arc<Seat>,
}

/// Where a request comes from, once that is known.
#[derive(Debug, Clone, Copy)]
struct Source(IpAddr);

/// The webhook door.
pub struct Ingress {
    store: SharedStore,
    keys: KeyCache,
    names: AgentNames,
    rates: Rates,
    settings: IngressSettings,
    clock: Clock,
    age: Histogram,
}

/// A webhook that is answered 2xx.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Taken {
    Accepted,
    Duplicate,
    Forged,
    Verify,
}

impl Taken {
    fn result(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Duplicate => "duplicate",
            Self::Forged => "forged",
            Self::Verify => "verify",
        }
    }
}

/// What of a request may be logged: only what looks like an identifier.
#[derive(Debug, Default)]
struct Label {
    tenant: String,
    event: String,
    /// `None` until the store has said that the body is the one of this event: one that has the checksum alone may name any
    /// conversation.
    conversation: Option<String>,
    /// What the store said that refused an event.
    cause: Option<StoreError>,
    /// The span of a request that is known to be the vendor's, where spans are made.
    span: Option<Span>,
}

/// The routes of the webhook listener, whole: `POST /webhooks/8x8`, or with a path secret only `POST
/// /webhooks/8x8/{secret}`. It has a fallback of its own, so it cannot be merged with another router that has one. Each request
/// must have [`Came`] among its extensions.
pub fn router(ingress: Arc<Ingress>) -> Router {
    let routes = if ingress.settings.path_secret.is_some() {
        Router::new().route("/webhooks/8x8/{secret}", post(receive_with_secret))
    } else {
        Router::new().route("/webhooks/8x8", post(receive))
    };
    routes
        .method_not_allowed_fallback(|| async { refuse(Refusal::MethodNotAllowed, &Label::default()) })
        .fallback(|| async { refuse(Refusal::NotFound, &Label::default()) })
        .layer(from_fn_with_state(Arc::clone(&ingress), at_the_threshold))
        .with_state(ingress)
}

/// What is checked of every request, whatever it asks for: where it comes from, and how many have come from there.
async fn at_the_threshold(State(ingress): State<Arc<Ingress>>, mut request: Request, next: Next) -> Response {
    let admitted = match request.extensions().get::<Came>() {
        Some(came) => ingress.admit(came.peer, request.headers()),
        // Nobody can say where it comes from, so nothing is taken.
        None => Err(Refusal::AddressNotAllowed),
    };
    match admitted {
        Ok(source) => {
            request.extensions_mut().insert(Source(source));
            next.run(request).await
        }
        Err(refusal) => refuse(refusal, &Label::default()),
    }
}

async fn receive(State(ingress): State<Arc<Ingress>>, request: Request) -> Response {
    ingress.answer(request).await
}

async fn receive_with_secret(
    State(ingress): State<Arc<Ingress>>,
    given: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    if !given.is_ok_and(|Path(given)| ingress.is_secret(&given)) {
        return refuse(Refusal::NotFound, &Label::default());
    }
    ingress.answer(request).await
}

/// Counts and logs a refusal, and answers it without a word of why.
fn refuse(refusal: Refusal, label: &Label) -> Response {
    let reason = refusal.reason();
    let Label { tenant, event, .. } = label;
    let conversation = label.conversation.as_deref();
    metrics::counter!(WEBHOOKS, "result" => reason).increment(1);
    match (&label.cause, refusal.is_noise()) {
        (Some(cause), _) => error!(tenant, event, conversation, reason, %cause, "webhook refused"),
        (None, true) => debug!(reason, "webhook refused"),
        (None, false) => warn!(tenant, event, conversation, reason, "webhook refused"),
    }
    let mut response = refusal.status().into_response();
    if matches!(
        refusal.status(),
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS
    ) {
        response.headers_mut().insert(header::RETRY_AFTER, RETRY_AFTER_S);
    }
    response
}

/// Counts and logs a webhook that was taken, and answers it.
fn accept(taken: Taken, label: &Label) -> Response {
    let Label { tenant, event, .. } = label;
    let (conversation, result) = (label.conversation.as_deref(), taken.result());
    metrics::counter!(WEBHOOKS, "result" => result).increment(1);
    if taken == Taken::Forged {
        warn!(
            tenant,
            event, conversation, "webhook with the id of another event and another body: not stored"
        );
    } else {
        debug!(tenant, event, conversation, result, "webhook taken");
    }
    StatusCode::NO_CONTENT.into_response()
}

fn end_span(span: &Span, label: &Label, status: StatusCode, result: &'static str) {
    let known = [
        ("chatbridge.tenant", label.tenant.as_str()),
        ("chatbridge.event.id", &label.event),
        (
            "chatbridge.conversation.id",
            label.conversation.as_deref().unwrap_or_default(),
        ),
    ];
    for (name, value) in known.into_iter().filter(|(_, value)| !value.is_empty()) {
        span.set(name, value.to_owned());
    }
    span.set("chatbridge.webhook.result", result);
    span.set("http.response.status_code", i64::from(status.as_u16()));
    if status.is_server_error() {
        span.failed(result);
    }
    span.end();
}

impl Ingress {
    /// A door to `store`.
    pub fn new(store: SharedStore, keys: KeyCache, settings: IngressSettings) -> Self {
        Self {
            store,
            keys,
            names: AgentNames::none(),
            rates: Rates::new(settings.rates),
            settings,
            clock: Arc::new(unix_ms),
            age: metrics::histogram!(AGE),
        }
    }

    /// The same by another clock.
    #[must_use]
    pub fn with_clock(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    /// The same with names for agents whom the vendor gives none.
    #[must_use]
    pub fn with_agent_names(self, names: AgentNames) -> Self {
        Self { names, ..self }
    }

    fn admit(&self, peer: IpAddr, headers: &HeaderMap) -> Result<IpAddr, Refusal> {
        let source = self.settings.sources.admit(peer, headers)?;
        self.rates.count_source(source)?;
        Ok(source)
    }

    /// Compares in a time that tells nothing of the secret but its length.
    fn is_secret(&self, given: &str) -> bool {
        self.settings.path_secret.as_ref().is_some_and(|secret| {
            let secret = secret.expose_secret().as_bytes();
            aws_lc_rs::constant_time::verify_slices_are_equal(secret, given.as_bytes()).is_ok()
        })
    }

    /// Takes a request and says so at the boundary: one count and one line for each.
    async fn answer(&self, request: Request) -> Response {
        let since = traces::now();
        let (parts, body) = request.into_parts();
        let seat = parts.extensions.get::<Came>().map(|came| Arc::clone(&came.seat));
        let source = parts.extensions.get::<Source>().map(|source| source.0);
        let body = Coming { body, seat, source };
        let mut label = Label::default();
        let taken = self.take(since, &parts.headers, body, &mut label).await;
        let span = label.span.take().or_else(|| self.unproved_span(since, &taken));
        traces::during(span.as_ref(), || {
            let (response, result) = match taken {
                Ok(taken) => (accept(taken, &label), taken.result()),
                Err(refusal) => (refuse(refusal, &label), refusal.reason()),
            };
            if let Some(span) = &span {
                end_span(span, &label, response.status(), result);
            }
            response
        })
    }

    async fn take(
        &self,
        since: Option<SystemTime>,
        headers: &HeaderMap,
        body: Coming,
        label: &mut Label,
    ) -> Result<Taken, Refusal> {
        if content_length(headers).is_some_and(|length| length > self.settings.max_body_bytes as u64) {
            return Err(Refusal::TooLarge);
        }
        if !headers.contains_key(SIGNATURE) {
            return self.take_unsigned(body).await;
        }
        let claimed = Claimed::read(headers).inspect_err(|_| *label = Label::of_headers(headers))?;
        *label = Label::of(&claimed);
        let tenant = self.tenant(&claimed)?;
        // What costs nothing comes before what costs memory or a fetch.
        let fresh = claimed.fresh((self.clock)(), self.settings.freshness)?;
        let source = body.source;
        let body = self.read(body, self.settings.max_body_bytes).await?;
        let verified = self.verify(&tenant, fresh, body, source).await?;
        self.rates.count_tenant(&tenant)?;
        let received = Received {
            at_ms: (self.clock)(),
            traceparent: trace_context::traceparent(headers),
        };
        let mut event = normalise(&verified, received);
        // Before anything is encoded, so that log and session have the name; it takes a second at the most.
        self.names.fill(&tenant, event.body.participant_mut()).await;
        let span = match since {
            // Only where traces are kept, and each webhook would carry its size.
            Some(_) => Box::pin(self.begin_span(since, headers, &event)).await,
            None => None,
        };
        if let Some(span) = &span {
            event.traceparent = Some(span.traceparent());
        }
        label.span.clone_from(&span);
        traces::within(span.as_ref(), self.append(&verified, &event, label)).await
    }

    /// Begins the span of a webhook: below its sender's, where the request names one, or else below that of the last call about
    /// its conversation, of which it is likely to tell.
    async fn begin_span(
        &self,
        since: Option<SystemTime>,
        headers: &HeaderMap,
        event: &Event,
    ) -> Option<Span> {
        let known = tokio::time::timeout(TRACE_WAIT, self.store.trace(&event.key)).await;
        let call = known.ok().and_then(Result::ok).flatten();
        let call = call.and_then(|call| traces::parse(&call));
        let (parent, link) = match traces::remote(headers) {
            Some(sender) => (Some(sender), call),
            None => (call, None),
        };
        traces::begin(|| self.span(since).below(parent).linked(link, "call"))
    }

    /// The span of a request that nothing proves to be the vendor's: the trace that it names is not believed. Noise has none.
    fn unproved_span(&self, since: Option<SystemTime>, taken: &Result<Taken, Refusal>) -> Option<Span> {
        let is_noise = taken.as_ref().is_err_and(|refusal| refusal.is_noise());
        (!is_noise)
            .then(|| traces::begin(|| self.span(since).below(None)))
            .flatten()
    }

    fn span(&self, since: Option<SystemTime>) -> Begin {
        let route = match self.settings.path_secret {
            Some(_) => "/webhooks/8x8/{secret}",
            None => "/webhooks/8x8",
        };
        Begin::new("POST /webhooks/8x8", SpanKind::Server)
            .since(since)
            .with("http.request.method", "POST")
            .with("http.route", route)
    }

    /// Nobody knows whether the vendor signs its check of the address, and nothing depends on it: it is answered, and
    /// nothing else without a signature is.
    async fn take_unsigned(&self, body: Coming) -> Result<Taken, Refusal> {
        let limit = MAX_UNSIGNED_BYTES.min(self.settings.max_body_bytes);
        match self.read(body, limit).await {
            Ok(body) if is_verification(&body) => Ok(Taken::Verify),
            Ok(_) | Err(Refusal::TooLarge) => Err(Refusal::MissingHeader),
            Err(refusal) => Err(refusal),
        }
    }

    fn tenant(&self, claimed: &Claimed) -> Result<TenantId, Refusal> {
        let tenants = &self.settings.tenants;
        tenants.find(claimed.tenant()).ok_or(Refusal::UnknownTenant)
    }

    async fn verify(
        &self,
        tenant: &TenantId,
        fresh: Fresh,
        body: Bytes,
        source: Option<IpAddr>,
    ) -> Result<Verified, Refusal> {
        let key = self.keys.key(tenant, fresh.claimed().kid(), source).await?;
        fresh.verify(&key, body)
    }

    /// Reads a body within the limits.
    async fn read(&self, body: Coming, max_bytes: usize) -> Result<Bytes, Refusal> {
        tokio::time::timeout(self.settings.body_timeout, body.collect(max_bytes))
            .await
            .unwrap_or(Err(Refusal::BodyTimeout))
    }

    async fn append(&self, verified: &Verified, event: &Event, label: &mut Label) -> Result<Taken, Refusal> {
        let raw = verified.body();
        let mut sha256 = [0; 32];
        sha256.copy_from_slice(digest(&SHA256, raw).as_ref());
        let (head, body) = encode_event(event);
        let append = Append {
            key: event.key.clone(),
            event_id: event.id.clone(),
            digest: sha256,
            head,
            content: encode_content(body, raw.clone()),
            change: SessionChange::by_event(event),
            echo: match &event.body {
                EventBody::Message(message) if event.is_echo() => Some(echo::fingerprint(message)),
                _ => None,
            },
            settle_after_ms: self.settings.settle_after_ms,
        };
        let span = traces::begin(|| Begin::new("append event", SpanKind::Internal));
        let appended = traces::within(span.as_ref(), self.store.append(&append)).await;
        if let Some(span) = span {
            if appended.is_err() {
                span.failed("store");
            }
            span.end();
        }
        if let Ok(Appended::New { .. } | Appended::Duplicate) = appended {
            label.conversation = Some(event.key.conversation.clone());
        }
        match appended {
            Ok(Appended::New {
                clock_behind_ms,
                passage,
                ..
            }) => {
                watch_clock(clock_behind_ms);
                self.age.record(seconds_since(event.occurred_ms, (self.clock)()));
                if let Some(passage) = passage {
                    passage.measure(event.occurred_ms);
                }
                Ok(Taken::Accepted)
            }
            Ok(Appended::Duplicate) => Ok(Taken::Duplicate),
            Ok(Appended::Forged) => Ok(Taken::Forged),
            Err(StoreError::Unavailable(_)) => Err(Refusal::StoreUnavailable),
            Err(cause) => {
                label.cause = Some(cause);
                Err(Refusal::StoreFailed)
            }
        }
    }
}

impl fmt::Debug for Ingress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ingress")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

impl Label {
    fn of(claimed: &Claimed) -> Self {
        Self {
            tenant: claimed.tenant().to_owned(),
            event: claimed.event().to_owned(),
            ..Self::default()
        }
    }

    /// What can be said of headers that are not all right.
    fn of_headers(headers: &HeaderMap) -> Self {
        Self {
            tenant: super::signature::identifier(headers, &TENANT).unwrap_or_default(),
            event: super::signature::identifier(headers, &EVENT).unwrap_or_default(),
            ..Self::default()
        }
    }
}

/// A body that is still coming, and the place where it is kept meanwhile.
pub(crate) struct Coming {
    body: Body,
    seat: Option<Arc<Seat>>,
    source: Option<IpAddr>,
}

impl Coming {
    /// The body of a request that came by a port of ours.
    pub(crate) fn of(request: Request) -> Self {
        let (parts, body) = request.into_parts();
        Self {
            body,
            seat: parts.extensions.get::<Came>().map(|came| Arc::clone(&came.seat)),
            source: None,
        }
    }

    /// Reads it to its end, after which nobody waits for the sender any more.
    pub(crate) async fn collect(self, max_bytes: usize) -> Result<Bytes, Refusal> {
        let mut chunks = self.body.into_data_stream();
        // Nearly always the only one, which need not be copied then.
        let mut first = Bytes::new();
        let mut whole = BytesMut::new();
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(|_| Refusal::BodyBroken)?;
            if first.len() + whole.len() + chunk.len() > max_bytes {
                return Err(Refusal::TooLarge);
            }
            if let Some(seat) = &self.seat {
                seat.hold(chunk.len())?;
            }
            if first.is_empty() && whole.is_empty() {
                first = chunk;
            } else {
                whole.extend_from_slice(&std::mem::take(&mut first));
                whole.extend_from_slice(&chunk);
            }
        }
        if let Some(seat) = &self.seat {
            seat.work();
        }
        Ok(if whole.is_empty() { first } else { whole.freeze() })
    }
}

fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn watch_clock(behind_ms: u64) {
    if behind_ms > CLOCK_TOLERANCE_MS {
        metrics::counter!(CLOCK_BEHIND).increment(1);
        warn!(
            behind_ms,
            "the store's clock is behind the event log: it was ahead before, or is wrong now"
        );
    }
}

/// How long ago something occurred; nothing where clocks disagree.
fn seconds_since(occurred_ms: i64, now_ms: i64) -> f64 {
    now_ms.saturating_sub(occurred_ms).max(0) as f64 / 1000.0
}

fn unix_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
