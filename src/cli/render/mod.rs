//! How events look in a terminal: one line each, or one JSON object each.

mod escape;
mod json;
mod summary;

use std::{env, io::IsTerminal};

use jiff::Timestamp;

pub(crate) use escape::escape;
pub(crate) use json::JsonLines;
pub(crate) use summary::{extras, kind_named, participant, summary, text};

use crate::grpc::proto::{
    AgentEvent, AgentEventsResponse, Ending, EndingReason, Gap, GapReason, SessionState,
    agent_events_response::Payload,
};

/// Whether and how output is coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Style {
    colour: bool,
}

impl Style {
    /// No colour.
    pub(crate) const PLAIN: Self = Self { colour: false };

    /// Colour where standard output is a terminal that knows it, and the user does not mind (<https://no-color.org>).
    pub(crate) fn of_stdout() -> Self {
        let minds = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let dumb = env::var_os("TERM").is_some_and(|term| term == "dumb");
        Self {
            colour: std::io::stdout().is_terminal() && !minds && !dumb,
        }
    }

    /// What matters less.
    pub(crate) fn dim(self, text: &str) -> String {
        self.paint("2", text)
    }

    /// What matters most.
    pub(crate) fn bold(self, text: &str) -> String {
        self.paint("1", text)
    }

    /// Something that is wrong.
    pub(crate) fn alarm(self, text: &str) -> String {
        self.paint("31", text)
    }

    /// A state or a place.
    pub(crate) fn place(self, text: &str) -> String {
        self.paint("36", text)
    }

    fn paint(self, code: &str, text: &str) -> String {
        if self.colour && !text.is_empty() {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }
}

/// A response as one line, without the line's end.
pub(crate) fn line(response: &AgentEventsResponse, style: Style) -> String {
    match &response.payload {
        Some(Payload::Event(event)) => event_line(event, style),
        Some(Payload::Heartbeat(beat)) => style.dim(&format!("{}  heartbeat", time(beat.time.as_ref()))),
        Some(Payload::Gap(gap)) => style.alarm(&gap_words(gap)),
        Some(Payload::Changed(changed)) => style.dim(&format!("change {} holds", changed.revision)),
        Some(Payload::Ending(ending)) => style.dim(ending_words(ending)),
        None => style.dim("a response of a kind that this version does not know"),
    }
}

fn event_line(event: &AgentEvent, style: Style) -> String {
    let conversation = match event.conversation_id.as_str() {
        "" => "-".to_owned(),
        id => escape(id).into_owned(),
    };
    // Padded, so that what happened begins in one column.
    let state = format!("{:<12}", state_name(event.state()));
    format!(
        "{}  {}  {:<4} {}  {}",
        style.dim(&time(event.occurred_time.as_ref())),
        style.bold(&conversation),
        format!("#{}", event.sequence),
        style.place(&state),
        summary(event),
    )
}

/// A time in UTC with milliseconds, as `--from` reads it.
pub(crate) fn time(time: Option<&prost_types::Timestamp>) -> String {
    let read = time.and_then(|t| Timestamp::new(t.seconds, t.nanos).ok());
    read.map_or_else(|| "-".to_owned(), |t| format!("{t:.3}"))
}

/// A session's state in words.
pub(crate) fn state_name(state: SessionState) -> &'static str {
    match state {
        SessionState::Unspecified => "-",
        SessionState::Created => "created",
        SessionState::Queued => "queued",
        SessionState::WithAgent => "with-agent",
        SessionState::WrappingUp => "wrapping-up",
        SessionState::Transferring => "transferring",
        SessionState::Idle => "idle",
    }
}

fn gap_words(gap: &Gap) -> String {
    let why = match gap.reason() {
        GapReason::Trimmed => "they were older than the log keeps",
        GapReason::Wiped => "the log was wiped and began anew",
        GapReason::Rewound => "the log lost its newest events",
        GapReason::Unspecified => "the server does not say why",
    };
    let count = match gap.missed_at_most {
        0 => "events".to_owned(),
        count => format!("up to {count} events"),
    };
    let after = match &gap.after_time {
        Some(_) => format!(" after {}", time(gap.after_time.as_ref())),
        None => String::new(),
    };
    format!("GAP: {count}{after} are gone: {why}")
}

/// Why the server ends a stream.
pub(crate) fn ending_words(ending: &Ending) -> &'static str {
    match ending.reason() {
        EndingReason::Draining => "the server is stopping",
        EndingReason::MaxAge => "the stream reached its maximum age",
        EndingReason::Unauthorized => "the right to read these events ended",
        EndingReason::TooSlow => "the events were read too slowly",
        EndingReason::TakenOver => "another stream took the subscription over",
        EndingReason::SubscriptionDeleted => "the subscription was deleted",
        EndingReason::Unspecified => "the server ended the stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        cli::connect::fake::{agent_event, says},
        grpc::proto::{AuthorType, Heartbeat, ReconnectAdvice},
    };

    fn response(payload: Payload) -> AgentEventsResponse {
        AgentEventsResponse {
            share: 0,
            cursor: bytes::Bytes::new(),
            payload: Some(payload),
        }
    }

    #[test]
    fn an_event_is_one_line() {
        let mut event = agent_event("c-1", 7, says("maria", AuthorType::Agent, "Hello\nthere"));
        event.occurred_time = Some(prost_types::Timestamp {
            seconds: 1_700_000_000,
            nanos: 5_000_000,
        });
        assert_eq!(
            line(&response(Payload::Event(event)), Style::PLAIN),
            "2023-11-14T22:13:20.005Z  c-1  #7   with-agent    agent maria: Hello\\nthere"
        );
    }

    #[test]
    fn colour_is_around_our_words_only() {
        let event = agent_event("c\u{1b}[31m", 1, says("maria", AuthorType::Agent, "\u{9b}31mred"));
        let line = line(&response(Payload::Event(event)), Style { colour: true });
        assert_eq!(
            line,
            "\u{1b}[2m-\u{1b}[0m  \u{1b}[1mc\\u{1b}[31m\u{1b}[0m  #1   \u{1b}[36mwith-agent  \u{1b}[0m  agent maria: \\u{9b}31mred"
        );
    }

    #[test]
    fn gaps_endings_and_heartbeats_have_words() {
        let gap = Gap {
            reason: GapReason::Trimmed.into(),
            missed_at_most: 12,
            after_time: None,
        };
        assert_eq!(
            line(&response(Payload::Gap(gap)), Style::PLAIN),
            "GAP: up to 12 events are gone: they were older than the log keeps"
        );
        let ending = Ending {
            reason: EndingReason::Draining.into(),
            reconnect: ReconnectAdvice::Now.into(),
            retry_after: None,
        };
        assert_eq!(
            line(&response(Payload::Ending(ending)), Style::PLAIN),
            "the server is stopping"
        );
        let beat = Heartbeat {
            time: Some(prost_types::Timestamp { seconds: 0, nanos: 0 }),
            ..Heartbeat::default()
        };
        assert_eq!(
            line(&response(Payload::Heartbeat(beat)), Style::PLAIN),
            "1970-01-01T00:00:00.000Z  heartbeat"
        );
    }

    #[test]
    fn a_time_that_no_calendar_has_is_a_dash() {
        assert_eq!(
            time(Some(&prost_types::Timestamp {
                seconds: i64::MAX,
                nanos: 0
            })),
            "-"
        );
    }
}
