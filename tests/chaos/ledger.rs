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
}

#[derive(Default)]
struct Book {
    /// Events that were answered 2xx, each with its conversation.
    acknowledged: HashMap<String, String>,
    attempts: Vec<Attempt>,
    /// Which event holds a place in a conversation: session epoch and sequence.
    places: HashMap<(String, u64, u64), String>,
}

/// The account of a scenario.
#[derive(Default)]
pub struct Ledger(Mutex<Book>);

impl Ledger {
    fn book(&self) -> MutexGuard<'_, Book> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A delivery is over.
    pub fn answered(&self, event: &str, conversation: &str, sent: Instant, answer: Answer) {
        let mut book = self.book();
        book.attempts.push(Attempt {
            sent,
            took: sent.elapsed(),
            answer,
        });
        if answer.is_success() {
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

    /// Notes that an event was seen at a place; the other event, where one was seen there before.
    pub fn place(&self, conversation: &str, epoch: u64, sequence: u64, event: &str) -> Option<String> {
        let mut book = self.book();
        let held = book
            .places
            .entry((conversation.to_owned(), epoch, sequence))
            .or_insert_with(|| event.to_owned());
        (held != event).then(|| held.clone())
    }
}
