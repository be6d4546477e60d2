//! What contact centres promise of a contact, measured where an event changes where a conversation stands.
//!
//! A contact is what lies between two times at which a conversation is idle: a customer who writes again after a week begins
//! another. Each change is measured by the replica that appended the event, once, since the store says of each change only to whoever
//! made it. Where the store's answer to an append is lost, the repeated delivery finds the event logged, and that one change is
//! measured by nobody.

use super::SessionState;

const QUEUE_WAIT: &str = "chatbridge_session_queue_wait_seconds";
const FIRST_RESPONSE: &str = "chatbridge_session_first_response_seconds";
const HANDLING: &str = "chatbridge_session_handling_seconds";
const ENDS: &str = "chatbridge_session_ends_total";

/// Stored fields of the contact that a session is in, Unix milliseconds; gone once it ends. The names are stored: never change
/// one.
pub mod field {
    /// When it was first queued.
    pub const QUEUED: &str = "contact_queued_ms";
    /// When an agent first had it.
    pub const JOINED: &str = "contact_joined_ms";
    /// When an agent first wrote.
    pub const RESPONDED: &str = "contact_responded_ms";
}

/// How an event changed where a conversation stands, or that it brought an agent's first message. Times are Unix milliseconds by
/// the vendor's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Passage {
    /// The state before.
    pub before: SessionState,
    /// The state after.
    pub after: SessionState,
    /// Since when it was in the state before; 0: since a call; `None`: nothing was known of it.
    pub since_ms: Option<i64>,
    /// When the contact was first queued.
    pub queued_ms: Option<i64>,
    /// When an agent first had it.
    pub joined_ms: Option<i64>,
    /// Whether the event is an agent's first message.
    pub is_first_response: bool,
}

impl Passage {
    /// Measures what an event that occurred at `at_ms` ended.
    pub fn measure(&self, at_ms: i64) {
        use SessionState::{Idle, Queued, WithAgent};
        // Events may be told in another order than they occurred in.
        let since = |ms: i64| at_ms.saturating_sub(ms).max(0) as f64 / 1000.0;
        if self.is_first_response
            && let Some(ms) = self.queued_ms.or(self.joined_ms)
        {
            metrics::histogram!(FIRST_RESPONSE).record(since(ms));
        }
        if self.before == self.after {
            return;
        }
        if self.before == Queued
            && let Some(ms) = self.since_ms.filter(|ms| *ms > 0)
        {
            let outcome = match self.after {
                WithAgent => "answered",
                Idle => "abandoned",
                _ => "moved",
            };
            metrics::histogram!(QUEUE_WAIT, "outcome" => outcome).record(since(ms));
        }
        if self.after == Idle {
            let outcome = match (self.joined_ms, self.queued_ms) {
                (Some(ms), _) => {
                    metrics::histogram!(HANDLING).record(since(ms));
                    "handled"
                }
                (None, Some(_)) => "abandoned",
                (None, None) => "unattended",
            };
            metrics::counter!(ENDS, "outcome" => outcome).increment(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use metrics_exporter_prometheus::PrometheusBuilder;

    use super::{
        SessionState::{Created, Idle, Queued, Transferring, WithAgent, WrappingUp},
        *,
    };

    const NOTHING: Passage = Passage {
        before: Created,
        after: Created,
        since_ms: None,
        queued_ms: None,
        joined_ms: None,
        is_first_response: false,
    };

    /// What passages that end at 100 s show, without the empty.
    fn shown(passages: &[Passage]) -> Vec<String> {
        let recorder = PrometheusBuilder::new()
            .set_buckets(&[20.0])
            .unwrap()
            .build_recorder();
        metrics::with_local_recorder(&recorder, || {
            passages.iter().for_each(|passage| passage.measure(100_000));
        });
        let text = recorder.handle().render();
        let lines = text
            .lines()
            .filter(|line| line.contains("_sum") || line.contains("_total"));
        let mut lines: Vec<_> = lines
            .filter(|line| !line.starts_with('#'))
            .map(|line| line.trim_start_matches("chatbridge_session_").to_owned())
            .collect();
        lines.sort();
        lines
    }

    #[test]
    fn waiting_in_a_queue_ends_in_one_of_three_ways() {
        let queued = Passage {
            before: Queued,
            since_ms: Some(70_000),
            queued_ms: Some(70_000),
            ..NOTHING
        };
        let ends = [WithAgent, Idle, Transferring].map(|after| Passage { after, ..queued });
        assert_eq!(
            shown(&ends),
            [
                "ends_total{outcome=\"abandoned\"} 1",
                "queue_wait_seconds_sum{outcome=\"abandoned\"} 30",
                "queue_wait_seconds_sum{outcome=\"answered\"} 30",
                "queue_wait_seconds_sum{outcome=\"moved\"} 30",
            ]
        );
    }

    #[test]
    fn handling_goes_from_the_first_agent_to_the_end() {
        let handled = Passage {
            before: WrappingUp,
            after: Idle,
            since_ms: Some(95_000),
            queued_ms: Some(10_000),
            joined_ms: Some(40_000),
            ..NOTHING
        };
        assert_eq!(
            shown(&[handled]),
            ["ends_total{outcome=\"handled\"} 1", "handling_seconds_sum 60"]
        );
        let bot_only = Passage {
            after: Idle,
            ..NOTHING
        };
        assert_eq!(shown(&[bot_only]), ["ends_total{outcome=\"unattended\"} 1"]);
    }

    #[test]
    fn a_first_response_counts_from_the_queue_or_else_from_the_agent() {
        let response = Passage {
            is_first_response: true,
            joined_ms: Some(90_000),
            ..NOTHING
        };
        let after_queue = Passage {
            queued_ms: Some(60_000),
            ..response
        };
        assert_eq!(shown(&[after_queue]), ["first_response_seconds_sum 40"]);
        assert_eq!(shown(&[response]), ["first_response_seconds_sum 10"]);
        // Nobody knows since when the customer waited.
        let unknown = Passage {
            joined_ms: None,
            ..response
        };
        assert_eq!(shown(&[unknown]), [""; 0]);
    }

    #[test]
    fn what_occurred_before_it_began_took_no_time() {
        let early = Passage {
            before: Queued,
            after: WithAgent,
            since_ms: Some(130_000),
            ..NOTHING
        };
        assert_eq!(
            shown(&[early]),
            ["queue_wait_seconds_sum{outcome=\"answered\"} 0"]
        );
        let since_a_call = Passage {
            since_ms: Some(0),
            ..early
        };
        assert_eq!(shown(&[since_a_call]), [""; 0]);
    }
}
