//! What the vendor was answered, to be held against what subscribers saw.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// What became of one delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    Status(u16),
    /// Nothing came for as long as the vendor waits.
    Silence,
    /// The connection could not be made, or broke.
    Broken,
}

impl Answer {
    pub fn is_success(self) -> bool {
        matches!(self, Self::Status(200..=299))
    }
}

/// One delivery.
#[derive(Debug, Clone, Copy)]
pub struct Attempt {
    pub sent: Instant,
    pub took: Duration,
    pub answer: Answer,
    /// The number of the replica it went to.
    pub door: usize,
    /// The number of its event.
    #[allow(dead_code, reason = "the run with many webhooks reads it")]
    pub event: u64,
    /// The number of its conversation.
    pub conversation: usize,
    /// Whether its event had not been delivered before.
    pub first: bool,
}

#[derive(Default)]
struct Book {
    /// Events that were answered 2xx, each with its conversation.
    acknowledged: HashMap<String, String>,
    attempts: Vec<Attempt>,
}

/// The account of a scenario.
#[derive(Default)]
pub struct Ledger(Mutex<Book>);

impl Ledger {
    fn book(&self) -> MutexGuard<'_, Book> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A delivery is over.
    pub fn answered(&self, event: &str, conversation: &str, attempt: Attempt) {
        let mut book = self.book();
        book.attempts.push(attempt);
        if attempt.answer.is_success() {
            book.acknowledged
                .entry(event.to_owned())
                .or_insert_with(|| conversation.to_owned());
        }
    }

    /// The events that were answered 2xx, each with its conversation.
    pub fn acknowledged(&self) -> HashMap<String, String> {
        self.book().acknowledged.clone()
    }

    /// The deliveries so far.
    pub fn attempts(&self) -> Vec<Attempt> {
        self.book().attempts.clone()
    }
}
