//! Traces: spans of calls, of requests to the Chat Gateway, of webhooks and of deliveries, exported by OTLP over gRPC.
//!
//! Nothing is made where no endpoint is set: whoever would begin a span asks first, which reads one word of memory. Spans hold
//! identifiers, results and times, never what a customer or an agent said, a name of theirs or a secret.

mod collector;
mod export;
mod sampler;
mod w3c;

use std::{borrow::Cow, fmt::Display, path::PathBuf, sync::OnceLock, time::SystemTime};

use opentelemetry::{
    Context, InstrumentationScope, KeyValue, Value,
    context::FutureExt as _,
    trace::{Link, SpanContext, SpanKind, Status, TraceContextExt as _, Tracer as _, TracerProvider as _},
};
use opentelemetry_sdk::{
    Resource,
    resource::{EnvResourceDetector, ResourceDetector as _},
    trace::{SdkTracer, SdkTracerProvider},
};
use secrecy::SecretString;
use url::Url;

use self::{collector::Collector, sampler::Sampling, w3c::traceparent};
pub use self::{
    export::Exporter,
    w3c::{parse, remote},
};

/// How spans are exported.
#[derive(Debug, Clone)]
pub struct TraceSettings {
    /// The collector: http or https, with a host.
    pub endpoint: Url,
    /// What goes along with each request, as a name and a value.
    pub headers: Vec<(String, SecretString)>,
    /// PEM: the authorities that the collector's certificate may come from; `None`: the well-known ones.
    pub tls_ca: Option<PathBuf>,
    /// Which part of the traces that begin here is kept, from 0 to 1.
    pub sample_ratio: f64,
    /// Whether requests to the Chat Gateway carry their trace.
    pub upstream: bool,
}

/// What makes spans in this process, once something does.
static TRACES: OnceLock<Traces> = OnceLock::new();

struct Traces {
    tracer: SdkTracer,
    upstream: bool,
    // Spans are made as long as it lives.
    _provider: SdkTracerProvider,
}

/// Starts to make and export spans. Where this process has started to before, the first one's settings hold, and nothing new
/// is started. Needs a Tokio runtime.
///
/// # Errors
/// What is wrong with the settings, as a sentence.
pub fn start(settings: &TraceSettings) -> Result<Option<Exporter>, String> {
    if TRACES.get().is_some() {
        return Ok(None);
    }
    let resource = resource();
    let collector = Collector::new(settings, &resource)?;
    let (queue, exporter) = export::start(collector);
    let provider = SdkTracerProvider::builder()
        .with_resource(resource)
        .with_sampler(Sampling::new(settings.sample_ratio))
        .with_span_processor(queue)
        .build();
    let scope = InstrumentationScope::builder(env!("CARGO_PKG_NAME"))
        .with_version(env!("CARGO_PKG_VERSION"))
        .build();
    let traces = Traces {
        tracer: provider.tracer_with_scope(scope),
        upstream: settings.upstream,
        _provider: provider,
    };
    Ok(TRACES.set(traces).is_ok().then_some(exporter))
}

/// What the spans are of. What `OTEL_RESOURCE_ATTRIBUTES` and `OTEL_SERVICE_NAME` say wins.
fn resource() -> Resource {
    let given = EnvResourceDetector::new().detect();
    let name = std::env::var("OTEL_SERVICE_NAME")
        .ok()
        .filter(|name| !name.is_empty());
    Resource::builder_empty()
        .with_attributes([
            KeyValue::new("service.name", env!("CARGO_PKG_NAME")),
            KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
            KeyValue::new("service.instance.id", uuid::Uuid::new_v4().to_string()),
        ])
        .with_attributes(
            given
                .iter()
                .map(|(key, value)| KeyValue::new(key.clone(), value.clone())),
        )
        .with_attributes(name.map(|name| KeyValue::new("service.name", name)))
        .build()
}

/// Whether spans are made.
pub fn on() -> bool {
    TRACES.get().is_some()
}

/// The time, where spans are made: when one began that is only made later, once more is known.
pub fn now() -> Option<SystemTime> {
    on().then(SystemTime::now)
}

/// The trace and the span that this task is in, in hexadecimal.
pub fn current_ids() -> Option<(impl Display, impl Display)> {
    let context = current()?;
    Some((context.trace_id(), context.span_id()))
}

/// The `traceparent` of the span that this task is in, if it is kept.
pub fn current_traceparent() -> Option<String> {
    let context = current()?;
    context.is_sampled().then(|| traceparent(&context))
}

/// The span that this task is in.
pub fn current() -> Option<SpanContext> {
    if !on() {
        return None;
    }
    let context = Context::current().span().span_context().clone();
    context.is_valid().then_some(context)
}

/// A span that is about to begin.
pub struct Begin {
    name: Cow<'static, str>,
    kind: SpanKind,
    parent: Option<Context>,
    links: Vec<Link>,
    since: Option<SystemTime>,
    attributes: Vec<KeyValue>,
}

impl Begin {
    /// A span of this name, below the one that this task is in.
    pub fn new(name: impl Into<Cow<'static, str>>, kind: SpanKind) -> Self {
        Self {
            name: name.into(),
            kind,
            parent: None,
            links: Vec::new(),
            since: None,
            attributes: Vec::new(),
        }
    }

    /// Below this one, or with `None` the first of a trace of its own.
    #[must_use]
    pub fn below(mut self, parent: Option<SpanContext>) -> Self {
        let root = Context::new();
        self.parent = Some(match parent {
            Some(parent) => root.with_remote_span_context(parent),
            None => root,
        });
        self
    }

    /// Linked to another, and why.
    #[must_use]
    pub fn linked(mut self, to: Option<SpanContext>, why: &'static str) -> Self {
        let why = || vec![KeyValue::new("chatbridge.link", why)];
        self.links.extend(to.map(|to| Link::new(to, why(), 0)));
        self
    }

    /// Begun at this time.
    #[must_use]
    pub fn since(mut self, since: Option<SystemTime>) -> Self {
        self.since = since;
        self
    }

    /// With an attribute.
    #[must_use]
    pub fn with(mut self, key: &'static str, value: impl Into<Value>) -> Self {
        self.attributes.push(KeyValue::new(key, value));
        self
    }
}

/// Begins a span, where spans are made.
pub fn begin(begin: impl FnOnce() -> Begin) -> Option<Span> {
    let traces = TRACES.get()?;
    let Begin {
        name,
        kind,
        parent,
        links,
        since,
        attributes,
    } = begin();
    let mut builder = traces
        .tracer
        .span_builder(name)
        .with_kind(kind)
        .with_attributes(attributes)
        .with_links(links);
    builder.start_time = since;
    let parent = parent.unwrap_or_else(Context::current);
    let span = traces.tracer.build_with_context(builder, &parent);
    Some(Span(parent.with_span(span)))
}

/// A span that has begun. It ends by [`Span::end`], or when the last that holds it is gone.
#[derive(Debug, Clone)]
pub struct Span(Context);

impl Span {
    /// Whether anybody will see it.
    pub fn is_kept(&self) -> bool {
        self.0.span().is_recording()
    }

    /// Says something of it.
    pub fn set(&self, key: &'static str, value: impl Into<Value>) {
        self.0.span().set_attribute(KeyValue::new(key, value));
    }

    /// It failed: `kind` is one of few words.
    pub fn failed(&self, kind: impl Into<Cow<'static, str>>) {
        let kind = kind.into();
        self.set("error.type", kind.to_string());
        self.mark_failed();
    }

    /// It failed, whatever the reason.
    pub fn mark_failed(&self) {
        self.0.span().set_status(Status::error(""));
    }

    /// Its place in its trace, as W3C Trace Context writes it.
    pub fn traceparent(&self) -> String {
        traceparent(self.0.span().span_context())
    }

    /// Its place in its trace.
    pub fn place(&self) -> SpanContext {
        self.0.span().span_context().clone()
    }

    /// Runs a future within it.
    pub async fn within<T>(&self, future: impl Future<Output = T>) -> T {
        future.with_context(self.0.clone()).await
    }

    /// Runs something within it.
    pub fn during<T>(&self, run: impl FnOnce() -> T) -> T {
        let _attached = self.0.clone().attach();
        run()
    }

    /// Ends it.
    pub fn end(&self) {
        self.0.span().end();
    }
}

/// Runs a future within a span, where there is one.
pub async fn within<T>(span: Option<&Span>, future: impl Future<Output = T>) -> T {
    match span {
        Some(span) => span.within(future).await,
        None => future.await,
    }
}

/// Runs something within a span, where there is one.
pub fn during<T>(span: Option<&Span>, run: impl FnOnce() -> T) -> T {
    match span {
        Some(span) => span.during(run),
        None => run(),
    }
}

/// Lets a request to the Chat Gateway carry the trace of its span, where that is wanted.
pub fn tell_upstream(span: &Span, headers: &mut http::HeaderMap) {
    if TRACES.get().is_some_and(|traces| traces.upstream) {
        w3c::put(&span.place(), headers);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_no_traces_are_made_nothing_is_put_together() {
        assert!(begin(|| panic!("a span was put together")).is_none());
        assert!(now().is_none() && current().is_none() && current_ids().is_none());
        assert_eq!(current_traceparent(), None);
    }
}
