//! Which spans are kept.

use opentelemetry::{
    Context, KeyValue,
    trace::{Link, SpanKind, TraceContextExt as _, TraceId, TraceState},
};
use opentelemetry_sdk::trace::{Sampler, SamplingDecision, SamplingResult, ShouldSample};

/// Keeps a span that is linked to one that is kept; else as its parent is; and of those that begin a trace a part.
///
/// A link counts because it is how a story goes on: without it, the vendor's answer to a call that is kept would be kept by
/// chance only.
#[derive(Debug, Clone)]
pub(super) struct Sampling {
    first: Sampler,
}

impl Sampling {
    /// Keeps this part of the traces that begin here, from 0 to 1.
    pub(super) fn new(ratio: f64) -> Self {
        Self {
            first: Sampler::TraceIdRatioBased(ratio),
        }
    }
}

impl ShouldSample for Sampling {
    fn should_sample(
        &self,
        parent: Option<&Context>,
        trace: TraceId,
        name: &str,
        kind: &SpanKind,
        attributes: &[KeyValue],
        links: &[Link],
    ) -> SamplingResult {
        let place = parent.map(|parent| parent.span().span_context().clone());
        let place = place.filter(opentelemetry::trace::SpanContext::is_valid);
        let is_kept = if links.iter().any(|link| link.span_context.is_sampled()) {
            true
        } else if let Some(place) = &place {
            place.is_sampled()
        } else {
            return self
                .first
                .should_sample(None, trace, name, kind, attributes, links);
        };
        SamplingResult {
            decision: match is_kept {
                true => SamplingDecision::RecordAndSample,
                false => SamplingDecision::Drop,
            },
            attributes: Vec::new(),
            trace_state: place.map_or(TraceState::NONE, |place| place.trace_state().clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry::trace::SpanContext;
    use rstest::rstest;

    use super::*;
    use crate::telemetry::traces::w3c;

    fn place(is_kept: bool) -> SpanContext {
        let flags = u8::from(is_kept);
        w3c::parse(&format!(
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-{flags:02x}"
        ))
        .unwrap()
    }

    #[rstest]
    #[case::all(1.0, None, None, true)]
    #[case::none(0.0, None, None, false)]
    #[case::as_its_parent(0.0, Some(true), None, true)]
    #[case::not_as_its_parent(1.0, Some(false), None, false)]
    #[case::as_what_it_answers(0.0, None, Some(true), true)]
    #[case::by_chance(1.0, None, Some(false), true)]
    #[case::a_link_wins(0.0, Some(false), Some(true), true)]
    fn spans_are_kept(
        #[case] ratio: f64,
        #[case] parent: Option<bool>,
        #[case] link: Option<bool>,
        #[case] expected: bool,
    ) {
        let parent = parent.map(|kept| Context::new().with_remote_span_context(place(kept)));
        let links: Vec<_> = link
            .map(|kept| Link::with_context(place(kept)))
            .into_iter()
            .collect();
        let trace = place(true).trace_id();
        let result = Sampling::new(ratio).should_sample(
            parent.as_ref(),
            trace,
            "a span",
            &SpanKind::Server,
            &[],
            &links,
        );
        assert_eq!(result.decision == SamplingDecision::RecordAndSample, expected);
    }
}
