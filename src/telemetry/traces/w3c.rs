//! W3C Trace Context, level 1: how a trace goes from one process to another. Baggage is not carried: it is others' data, and
//! would end up with the vendor or in a collector.

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::{
    Context,
    propagation::{Extractor, TextMapPropagator as _},
    trace::{SpanContext, TraceContextExt as _},
};
use opentelemetry_sdk::propagation::TraceContextPropagator;

const TRACEPARENT: &str = "traceparent";
const TRACESTATE: &str = "tracestate";
/// The longest `tracestate` that is taken along, in bytes: as much as every system is to carry.
const STATE_BYTES_MAX: usize = 512;

/// Where a request comes from in its sender's trace, if its headers say so once and well-formed.
pub fn remote(headers: &HeaderMap) -> Option<SpanContext> {
    extract(&OfHeaders(headers))
}

/// Reads a `traceparent`.
pub fn parse(traceparent: &str) -> Option<SpanContext> {
    (!traceparent.is_empty())
        .then(|| extract(&Alone(traceparent)))
        .flatten()
}

fn extract(from: &dyn Extractor) -> Option<SpanContext> {
    from.get(TRACEPARENT)?;
    let context = TraceContextPropagator::new().extract_with_context(&Context::new(), from);
    let place = context.span().span_context().clone();
    place.is_valid().then_some(place)
}

/// The `traceparent` of a span.
pub(super) fn traceparent(of: &SpanContext) -> String {
    let flags = of.trace_flags().to_u8() & 1;
    format!("00-{}-{}-{flags:02x}", of.trace_id(), of.span_id())
}

/// Puts a span's place among the headers of a request.
pub(super) fn put(of: &SpanContext, headers: &mut HeaderMap) {
    if let Ok(value) = HeaderValue::try_from(traceparent(of)) {
        headers.insert(HeaderName::from_static(TRACEPARENT), value);
    }
    let state = of.trace_state().header();
    if let Some(value) = HeaderValue::try_from(state)
        .ok()
        .filter(|state| !state.is_empty())
    {
        headers.insert(HeaderName::from_static(TRACESTATE), value);
    }
}

struct OfHeaders<'a>(&'a HeaderMap);

impl Extractor for OfHeaders<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        let mut values = self.0.get_all(key).iter();
        let value = values.next()?.to_str().ok()?;
        let is_taken = values.next().is_none() && (key != TRACESTATE || value.len() <= STATE_BYTES_MAX);
        is_taken.then_some(value)
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(HeaderName::as_str).collect()
    }
}

/// A `traceparent` by itself.
struct Alone<'a>(&'a str);

impl Extractor for Alone<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        (key == TRACEPARENT).then_some(self.0)
    }

    fn keys(&self) -> Vec<&str> {
        vec![TRACEPARENT]
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    #[test]
    fn a_place_is_read_and_written_back() {
        let place = remote(&headers(&[
            ("traceparent", GOOD),
            ("tracestate", "vendor=a,other=b"),
        ]))
        .unwrap();
        assert!(place.is_sampled() && place.is_remote());
        assert_eq!(traceparent(&place), GOOD);
        let mut sent = HeaderMap::new();
        put(&place, &mut sent);
        assert_eq!(sent["traceparent"], GOOD);
        assert_eq!(sent["tracestate"], "vendor=a,other=b");
        assert_eq!(parse(GOOD).unwrap().span_id(), place.span_id());
    }

    #[rstest]
    #[case::none(&[])]
    #[case::twice(&[("traceparent", GOOD), ("traceparent", GOOD)])]
    #[case::no_trace(&[("traceparent", "00-00000000000000000000000000000000-00f067aa0ba902b7-01")])]
    #[case::no_span(&[("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01")])]
    #[case::in_capitals(&[("traceparent", "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01")])]
    #[case::cut(&[("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7")])]
    #[case::anything(&[("traceparent", "hello")])]
    #[case::state_alone(&[("tracestate", "vendor=a")])]
    fn what_is_not_well_formed_is_nothing(#[case] pairs: &[(&'static str, &str)]) {
        assert_eq!(remote(&headers(pairs)), None);
    }

    #[test]
    fn a_state_that_is_too_long_is_left_out_alone() {
        let long = format!("vendor={}", "a".repeat(STATE_BYTES_MAX));
        let place = remote(&headers(&[("traceparent", GOOD), ("tracestate", &long)])).unwrap();
        assert_eq!(place.trace_state().header(), "");
    }
}
