//! A line of the log, with the trace that it belongs to.

use std::fmt;

use tracing::{Event, Subscriber};
use tracing_subscriber::{
    fmt::{FmtContext, FormatEvent, FormatFields, format::Writer},
    registry::LookupSpan,
};

use crate::telemetry::traces;

/// Writes a line as another form does, and where it belongs to a trace, `trace_id` and `span_id` at its end.
pub(super) struct WithTrace<F> {
    form: F,
    is_json: bool,
}

impl<F> WithTrace<F> {
    pub(super) fn text(form: F) -> Self {
        Self { form, is_json: false }
    }

    pub(super) fn json(form: F) -> Self {
        Self { form, is_json: true }
    }
}

impl<S, N, F> FormatEvent<S, N> for WithTrace<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let Some(span) = traces::current_ids() else {
            return self.form.format_event(context, writer, event);
        };
        let mut line = String::new();
        self.form.format_event(context, Writer::new(&mut line), event)?;
        let (trace, span) = span;
        let line = line.trim_end_matches('\n');
        match line.strip_suffix('}').filter(|_| self.is_json) {
            Some(open) => writeln!(writer, r#"{open},"trace_id":"{trace}","span_id":"{span}"}}"#),
            None => writeln!(writer, "{line} trace_id={trace} span_id={span}"),
        }
    }
}
