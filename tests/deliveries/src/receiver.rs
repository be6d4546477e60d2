//! What one receiver got.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use crate::{cast::Kind, signature::Signed};

/// How many words of trouble a receiver keeps.
const WORDS: usize = 5;

/// An event that came, once or again.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// The vendor's number of it.
    pub event: u64,
    /// What v2 calls it.
    pub id: String,
    pub conversation: String,
    pub retry: u32,
    pub at: Instant,
    /// Whether it was answered 2xx.
    pub taken: bool,
}

/// What came, in the order in which it came.
#[derive(Default)]
pub struct Book {
    pub arrivals: Vec<Arrival>,
    /// How many events were being handled at once at most.
    pub most_at_once: usize,
    /// What breaks the promise, in words.
    pub wrong: Vec<String>,
    /// Conversations of which events are being handled, with how many.
    busy: HashMap<String, usize>,
}

/// A receiver.
pub struct Receiver {
    pub kind: Kind,
    book: Mutex<Book>,
}

impl Receiver {
    pub fn new(kind: Kind) -> Self {
        Self {
            kind,
            book: Mutex::default(),
        }
    }

    pub fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes something that breaks the promise.
    pub fn wrong(&self, what: String) {
        let mut book = self.book();
        if book.wrong.len() < WORDS {
            book.wrong.push(what);
        }
    }

    /// An event has come, and is handled until what this answers is dropped.
    pub fn arrives(&self, event: u64, conversation: String, signed: Signed) -> Visit<'_> {
        let mut book = self.book();
        let of_it = book.busy.entry(conversation.clone()).or_default();
        *of_it += 1;
        let overlaps = *of_it > 1;
        let at_once = book.busy.values().sum();
        book.most_at_once = book.most_at_once.max(at_once);
        let place = book.arrivals.len();
        book.arrivals.push(Arrival {
            event,
            id: signed.event,
            conversation: conversation.clone(),
            retry: signed.retry,
            at: Instant::now(),
            taken: false,
        });
        drop(book);
        if overlaps {
            self.wrong(format!(
                "event {event} came while another of {conversation} was not answered"
            ));
        }
        Visit {
            receiver: self,
            place,
            conversation,
        }
    }
}

/// An event that is being handled.
pub struct Visit<'a> {
    receiver: &'a Receiver,
    place: usize,
    conversation: String,
}

impl Visit<'_> {
    /// It is about to be answered 2xx.
    pub fn take(self) {
        if let Some(arrival) = self.receiver.book().arrivals.get_mut(self.place) {
            arrival.taken = true;
        }
    }
}

impl Drop for Visit<'_> {
    fn drop(&mut self) {
        let mut book = self.receiver.book();
        if let Some(count) = book.busy.get_mut(&self.conversation) {
            *count -= 1;
            if *count == 0 {
                book.busy.remove(&self.conversation);
            }
        }
    }
}
