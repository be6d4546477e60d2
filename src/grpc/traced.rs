//! The spans of calls: one for each, by OpenTelemetry's conventions for gRPC, and one for each event that a stream delivers.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
    time::SystemTime,
};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body as HttpBody, Frame, SizeHint};
use opentelemetry::trace::{SpanContext, SpanKind};
use prost::Message as _;
use tonic::{Code, Status, body::Body};
use tonic_types::StatusExt as _;

use super::{access::CONVERSATION, asker::Noted, measured::name, proto};
use crate::{
    access::{
        Caller,
        rule::{Length, Rpc},
    },
    store::Entry,
    telemetry::traces::{self, Begin, Span},
};

/// What is ours; the rest, health and reflection, is asked by machines every few seconds and tells nothing.
const OURS: &str = "/chatbridge.";

/// Begins the span of a call that is let in, below the caller's own where its metadata name one.
pub(super) fn begin(
    rpc: &'static Rpc,
    since: Option<SystemTime>,
    caller: &Caller,
    headers: &HeaderMap,
) -> Option<Span> {
    if !traces::on() || !rpc.path.starts_with(OURS) {
        return None;
    }
    traces::begin(|| {
        of(rpc, since)
            .below(traces::remote(headers))
            .with("chatbridge.caller", caller.name().to_owned())
    })
}

/// The span of a call that is not let in. Nobody knows whose it is, so the trace that it names is not believed: whoever likes
/// could fill the collector.
pub(super) fn denied(
    rpc: &'static Rpc,
    since: Option<SystemTime>,
    reason: &'static str,
    code: Code,
) -> Option<Span> {
    if !traces::on() || !rpc.path.starts_with(OURS) {
        return None;
    }
    let span = traces::begin(|| of(rpc, since).below(None))?;
    span.set("rpc.response.status_code", name(code));
    span.set("error.type", reason);
    Some(span)
}

fn of(rpc: &'static Rpc, since: Option<SystemTime>) -> Begin {
    let method = rpc.path.trim_start_matches('/');
    Begin::new(method, SpanKind::Server)
        .since(since)
        .with("rpc.system.name", "grpc")
        .with("rpc.method", method)
}

/// Says what a call turned out to be about.
pub(super) fn about(span: &Span, noted: &Noted) {
    if !noted.tenant.is_empty() {
        span.set("chatbridge.tenant", noted.tenant.clone());
    }
    let conversation = noted.about.iter().find(|(name, _)| *name == CONVERSATION);
    if let Some((_, id)) = conversation {
        span.set("chatbridge.conversation.id", id.clone());
    }
}

/// The span of a call ends with its answer; that of a stream, with the stream.
pub(super) fn answered(
    span: Span,
    rpc: &'static Rpc,
    code: Code,
    answer: http::Response<Body>,
) -> http::Response<Body> {
    if rpc.length == Length::Stream && code == Code::Ok {
        return answer.map(|body| {
            Body::new(Spanned {
                body,
                span: Some(span),
            })
        });
    }
    ended(&span, code, answer.headers());
    answer
}

/// `told`: where the status is.
fn ended(span: &Span, code: Code, told: &HeaderMap) {
    span.set("rpc.response.status_code", name(code));
    if code != Code::Ok {
        let reason = Status::from_header_map(told)
            .and_then(|status| status.get_details_error_info())
            .map(|info| info.reason);
        span.set("error.type", reason.unwrap_or_else(|| name(code).to_owned()));
    }
    // What the caller did wrong is no failure of a server.
    if matches!(
        code,
        Code::Unknown
            | Code::DeadlineExceeded
            | Code::Unimplemented
            | Code::Internal
            | Code::Unavailable
            | Code::DataLoss
    ) {
        span.mark_failed();
    }
    span.end();
}

/// The body of a stream, with the span that ends with it.
struct Spanned {
    body: Body,
    /// `None` once it has ended.
    span: Option<Span>,
}

impl HttpBody for Spanned {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        let trailers = match &frame {
            Some(Ok(frame)) => frame.trailers_ref(),
            _ => None,
        };
        if let Some(trailers) = trailers
            && let Some(span) = self.span.take()
        {
            let code = trailers.get("grpc-status");
            ended(
                &span,
                code.map_or(Code::Ok, |code| Code::from_bytes(code.as_bytes())),
                trailers,
            );
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Spanned {
    fn drop(&mut self) {
        if let Some(span) = self.span.take() {
            ended(&span, Code::Cancelled, &HeaderMap::new());
        }
    }
}

/// To whom events are delivered, where spans are made of that.
pub(super) struct Delivering {
    stream: Option<SpanContext>,
    caller: String,
}

/// What a delivery's span says of its event; the tags are the contract's.
#[derive(Clone, PartialEq, prost::Message)]
struct Told {
    #[prost(string, tag = "3")]
    event_id: String,
    #[prost(message, optional, tag = "6")]
    received_time: Option<prost_types::Timestamp>,
    #[prost(uint64, tag = "10")]
    sequence: u64,
    #[prost(string, tag = "14")]
    traceparent: String,
}

impl Delivering {
    /// To the caller whose stream is being opened; `None` where no spans are made.
    pub(super) fn to(caller: &Caller) -> Option<Box<Self>> {
        traces::on().then(|| {
            Box::new(Self {
                stream: traces::current(),
                caller: caller.name().to_owned(),
            })
        })
    }

    /// An entry goes out. It goes on with the trace of its webhook, where that is kept, and is linked to the stream's.
    pub(super) fn delivered(&self, entry: &Entry) {
        let Ok(told) = Told::decode(&*entry.event) else {
            return;
        };
        let Some(webhook) = traces::parse(&told.traceparent).filter(SpanContext::is_sampled) else {
            return;
        };
        let kind = proto::EventKind::try_from(entry.kind).unwrap_or_default();
        let kind = kind
            .as_str_name()
            .trim_start_matches("EVENT_KIND_")
            .to_ascii_lowercase();
        let span = traces::begin(|| {
            Begin::new(format!("deliver {kind}"), SpanKind::Producer)
                .below(Some(webhook.clone()))
                .linked(Some(webhook), "webhook")
                .linked(self.stream.clone(), "stream")
                .with("chatbridge.caller", self.caller.clone())
                .with("chatbridge.tenant", entry.key.tenant.to_string())
                .with("chatbridge.conversation.id", entry.key.conversation.clone())
                .with("chatbridge.event.id", told.event_id)
                .with("chatbridge.event.kind", kind)
                .with("chatbridge.event.sequence", told.sequence.cast_signed())
        });
        let received = told
            .received_time
            .and_then(|time| SystemTime::try_from(time).ok());
        let age = received.and_then(|received| received.elapsed().ok());
        if let (Some(span), Some(age)) = (&span, age) {
            span.set(
                "chatbridge.event.age_ms",
                i64::try_from(age.as_millis()).unwrap_or(i64::MAX),
            );
        }
        if let Some(span) = span {
            span.end();
        }
    }
}
