//! What came and went: REST calls in, webhooks out. It shows no content; bodies are kept only to be sent again.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use bytes::Bytes;
use serde::Serialize;
use serde_json::Value;

use super::Event;
use crate::sandbox::{iso, now_ms};

/// How many records are kept, and how many bytes of bodies; the oldest go first.
const RECORDS: usize = 10_000;
const BODY_BYTES: usize = 64 << 20;
/// How much of a call's method and path is kept. A server takes many KiB of either, also from callers without a key.
const METHOD_BYTES: usize = 32;
const PATH_BYTES: usize = 1024;
/// As much as a `traceparent` has.
const TRACE_BYTES: usize = 55;

/// Which way something went, seen from the sandbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Direction {
    In,
    Out,
}

/// What became of a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Outcome {
    /// It waits, or is under way.
    Pending,
    /// The answer was 2xx.
    Delivered,
    /// The last attempt failed.
    Failed,
    /// Too many events waited already.
    Dropped,
    /// No webhook was set.
    NoWebhook,
    /// A fault kept it back for good.
    Withheld,
}

/// One record. What does not apply is absent.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Record {
    pub(crate) direction: Direction,
    /// ISO 8601.
    pub(crate) at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) conversation_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) event_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) event_type: Option<&'static str>,
    /// The webhook that it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) webhook_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) outcome: Option<Outcome>,
    /// How many attempts came before the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) retries: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) method: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) path: Option<String>,
    /// HTTP status of the last answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<u16>,
    /// Why there was no answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<&'static str>,
    /// Of the last attempt, milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) duration_ms: Option<f64>,
    /// What was done to it on purpose.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) fault: Option<&'static str>,
    /// The trace that a call says it is in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) traceparent: Option<String>,
    #[serde(skip)]
    pub(crate) body: Bytes,
}

impl Record {
    pub(crate) fn to_json(&self) -> Value {
        // Nothing in it can fail to be written.
        serde_json::to_value(self).unwrap_or_default()
    }
}

/// A REST call that was answered.
pub(crate) struct Call<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    /// `None`: its answer was lost.
    pub(crate) status: Option<u16>,
    pub(crate) duration: Duration,
    /// What was done to it on purpose.
    pub(crate) fault: Option<&'static str>,
    /// The trace that it says it is in.
    pub(crate) traceparent: Option<&'a str>,
}

/// How one attempt went.
pub(crate) struct Attempt {
    status: Option<u16>,
    error: Option<&'static str>,
    duration: Duration,
}

impl Attempt {
    pub(crate) fn answered(status: u16, duration: Duration) -> Self {
        Self {
            status: Some(status),
            error: None,
            duration,
        }
    }

    pub(crate) fn unanswered(error: &'static str, duration: Duration) -> Self {
        Self {
            status: None,
            error: Some(error),
            duration,
        }
    }

    pub(crate) fn status(&self) -> Option<u16> {
        self.status
    }

    pub(crate) fn error(&self) -> Option<&'static str> {
        self.error
    }

    pub(crate) fn delivered(&self) -> bool {
        self.status.is_some_and(|status| (200..300).contains(&status))
    }
}

/// The last records, oldest first.
#[derive(Default)]
pub(crate) struct DeliveryLog {
    records: VecDeque<Record>,
    /// The number of the first record; records are numbered for good.
    first: u64,
    by_event: HashMap<String, u64>,
    body_bytes: usize,
}

impl DeliveryLog {
    /// All records.
    pub(crate) fn records(&self) -> impl Iterator<Item = &Record> {
        self.records.iter()
    }

    /// The record of an event.
    pub(crate) fn find(&self, event_id: &str) -> Option<&Record> {
        let index = self.by_event.get(event_id)?.checked_sub(self.first)?;
        self.records.get(usize::try_from(index).ok()?)
    }

    /// Records a REST call.
    pub(crate) fn called(&mut self, call: &Call<'_>) -> Record {
        let method = &call.method[..call.method.floor_char_boundary(METHOD_BYTES)];
        let path = &call.path[..call.path.floor_char_boundary(PATH_BYTES)];
        let conversation_id = path.split('/').skip_while(|part| *part != "conversations").nth(1);
        let record = Record {
            direction: Direction::In,
            at: iso(now_ms()),
            conversation_id: conversation_id.map(str::to_owned),
            event_id: None,
            event_type: None,
            webhook_id: None,
            outcome: None,
            retries: None,
            method: Some(method.to_owned()),
            path: Some(path.to_owned()),
            status: call.status,
            error: None,
            duration_ms: Some(milliseconds(call.duration)),
            fault: call.fault,
            traceparent: call
                .traceparent
                .map(|text| text[..text.floor_char_boundary(TRACE_BYTES)].to_owned()),
            body: Bytes::new(),
        };
        self.push(record.clone());
        record
    }

    /// Records an event that is to be delivered.
    pub(crate) fn open(&mut self, event: &Event) {
        self.by_event
            .insert(event.id.clone(), self.first + self.records.len() as u64);
        self.push(Record {
            direction: Direction::Out,
            at: iso(now_ms()),
            conversation_id: event.conversation_id.clone(),
            event_id: Some(event.id.clone()),
            event_type: Some(event.event_type),
            webhook_id: Some(event.webhook_id.clone()),
            outcome: Some(Outcome::Pending),
            retries: None,
            method: None,
            path: None,
            status: None,
            error: None,
            duration_ms: None,
            fault: event.forged,
            traceparent: None,
            body: event.body.clone(),
        });
    }

    /// The event of a record, to be sent again.
    pub(crate) fn reopen(&mut self, event_id: &str) -> Option<Event> {
        let record = self.record(event_id)?;
        record.outcome = Some(Outcome::Pending);
        Some(Event {
            id: event_id.to_owned(),
            event_type: record.event_type?,
            conversation_id: record.conversation_id.clone(),
            webhook_id: record.webhook_id.clone()?,
            body: record.body.clone(),
            retry: record.retries.map_or(0, |sent| sent + 1),
            forged: None,
        })
    }

    pub(crate) fn attempted(&mut self, event: &Event, attempt: &Attempt) {
        if let Some(record) = self.record(&event.id) {
            record.retries = Some(event.retry);
            record.status = attempt.status;
            record.error = attempt.error;
            record.duration_ms = Some(milliseconds(attempt.duration));
        }
    }

    pub(crate) fn close(&mut self, event_id: &str, outcome: Outcome) {
        if let Some(record) = self.record(event_id) {
            record.outcome = Some(outcome);
        }
    }

    /// Notes what is done to an event on purpose.
    pub(crate) fn faulted(&mut self, event_id: &str, fault: &'static str) {
        if let Some(record) = self.record(event_id) {
            record.fault = Some(fault);
        }
    }

    fn record(&mut self, event_id: &str) -> Option<&mut Record> {
        let index = self.by_event.get(event_id)?.checked_sub(self.first)?;
        self.records.get_mut(usize::try_from(index).ok()?)
    }

    fn push(&mut self, record: Record) {
        self.body_bytes += record.body.len();
        self.records.push_back(record);
        while self.records.len() > RECORDS || self.body_bytes > BODY_BYTES {
            let Some(oldest) = self.records.pop_front() else {
                return;
            };
            self.first += 1;
            self.body_bytes -= oldest.body.len();
            if let Some(id) = &oldest.event_id {
                self.by_event.remove(id);
            }
        }
    }
}

fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(id: &str, bytes: usize) -> Event {
        Event::new(
            id.to_owned(),
            "MESSAGE",
            Some("c".to_owned()),
            "w".to_owned(),
            vec![b'x'; bytes],
        )
    }

    #[test]
    fn the_log_forgets_the_oldest_and_still_finds_the_rest() {
        let mut log = DeliveryLog::default();
        for n in 0..RECORDS + 2 {
            log.open(&event(&n.to_string(), 1));
        }
        assert_eq!(log.records().count(), RECORDS);
        assert!(log.reopen("1").is_none());
        assert_eq!(log.reopen("2").map(|e| e.id).as_deref(), Some("2"));
        log.open(&event("large", BODY_BYTES));
        assert_eq!(log.records().count(), 1);
        assert_eq!(log.body_bytes, BODY_BYTES);
        assert_eq!(log.by_event.len(), 1);
    }

    #[test]
    fn a_call_takes_little_whatever_its_path() {
        let mut log = DeliveryLog::default();
        let path = format!("/conversations/{}", "é".repeat(32_000));
        log.called(&Call {
            method: &"M".repeat(100_000),
            path: &path,
            status: Some(401),
            duration: Duration::ZERO,
            fault: None,
            traceparent: Some(&path),
        });
        let record = log.records().next().unwrap();
        let texts = [
            &record.method,
            &record.path,
            &record.conversation_id,
            &record.traceparent,
        ];
        assert!(
            texts
                .iter()
                .all(|text| text.as_ref().unwrap().len() <= PATH_BYTES)
        );
    }

    #[test]
    fn an_event_that_was_sent_is_reopened_as_a_repeat() {
        let mut log = DeliveryLog::default();
        let first = event("e", 3);
        log.open(&first);
        assert_eq!(log.reopen("e").unwrap().retry, 0, "it was never sent");
        log.attempted(&first, &Attempt::answered(204, Duration::ZERO));
        let again = log.reopen("e").unwrap();
        assert_eq!((again.retry, again.body), (1, first.body));
    }
}
