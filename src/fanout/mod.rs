//! From the log to subscribers: one reader tails the log, a hub hands each entry to the subscribers that asked for it, and
//! a subscriber reads the log by itself wherever the live feed cannot serve it.
//!
//! The seam between the two is a place in each partition: a subscriber joins the hub, which tells how far the live feed
//! has come; reads the log from its cursor to there; and then takes the live feed, leaving out what it has seen. A
//! subscriber whose queue is full is detached: it empties the queue, and begins again from where it is. So a slow one
//! delays nobody and loses nothing, and the loss of the live feed is the same case.

mod hub;
mod subscriber;

pub use hub::Hub;
pub use subscriber::{Delivery, Filter, GapPolicy, Start, Subscriber};

#[cfg(test)]
mod tests;
